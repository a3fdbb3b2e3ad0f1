"""The README: its Python runs as printed, from top to bottom."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def test_there_are_blocks_to_run() -> None:
    assert len(BLOCKS) >= 4


@pytest.mark.slow
def test_the_readme_runs_as_printed(tmp_path: Path) -> None:
    code = "\n".join(BLOCKS)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.name for path in (tmp_path / "out" / "city").iterdir()}
    assert written == {"report.html", "report.docx", "report.xlsx"}
    assert (tmp_path / "out" / "round_2025" / "round.json").is_file()
