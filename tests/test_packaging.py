"""The wheel runs away from the checkout, and the pages made from the code are up to date."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from placeforecast.tables.dictionary import data_dictionary

ROOT = Path(__file__).parents[1]


def run(*words: str, cwd: Path, path: Path | None = None) -> str:
    """Run Python with these words and return what it prints."""
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_runs_the_example_away_from_the_checkout(tmp_path: Path) -> None:
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), ".", cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    where = run(
        "-c", "import placeforecast; print(placeforecast.__file__)", cwd=tmp_path, path=installed
    )
    assert Path(where.strip()).is_relative_to(installed)
    start = "from placeforecast.cli import main; main()"
    words = ("forecast", "city", "--out", "tables", "--horizon", "2")
    run("-c", start, *words, cwd=tmp_path, path=installed)
    assert (tmp_path / "tables" / "balance.csv").stat().st_size > 0


def test_the_data_dictionary_is_that_of_the_vocabulary() -> None:
    kept = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert kept == data_dictionary(), "run `make dictionary`"


def test_every_region_and_model_says_where_it_comes_from() -> None:
    for folder in (*(ROOT / "data").glob("*/"), *(ROOT / "models").glob("*/")):
        page = "README.md" if folder.parent.name == "data" else "card.md"
        if not folder.name.startswith("__"):
            assert (folder / page).stat().st_size > 0, folder


def test_one_copy_of_the_example_is_in_the_tree() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*enrolment.csv"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == ["data/china/enrolment.csv", "data/example_city/enrolment.csv"]
