"""Write the notebooks (.ipynb) from the percent-format scripts beside this file.

Run as ``python examples/make_notebooks.py``. Cells begin at ``# %%``, those of text at
``# %% [markdown]``; the notebooks hold no outputs, and two runs give the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SCRIPTS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
CELL = "# %%"
TEXT = "# %% [markdown]"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(script: str) -> str:
    r"""Return the notebook of a script as text.

    Parameters
    ----------
    script : str
        Its text in percent format; what stands before the first cell is left out.

    Examples
    --------
    >>> cells = json.loads(notebook("# %% [markdown]\n# A *title*\n\n# %%\n1 + 1\n"))["cells"]
    >>> [(cell["cell_type"], cell["source"]) for cell in cells]
    [('markdown', ['A *title*']), ('code', ['1 + 1'])]
    """
    cells: list[tuple[bool, list[str]]] = []
    for line in script.splitlines():
        if line.startswith(CELL):
            cells.append((line.startswith(TEXT), []))
        elif cells:
            cells[-1][1].append(line)
    made = [_cell(number, *cell) for number, cell in enumerate(cells, start=1)]
    book = {"cells": made, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _cell(number: int, is_text: bool, lines: list[str]) -> dict[str, Any]:
    if is_text:
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    source = "\n".join(lines).strip("\n").splitlines(keepends=True)
    cell = {"id": f"cell-{number}", "metadata": {}, "source": source}
    if is_text:
        return {**cell, "cell_type": "markdown"}
    return {**cell, "cell_type": "code", "execution_count": None, "outputs": []}


if __name__ == "__main__":
    for path in SCRIPTS:
        text = notebook(path.read_text("utf-8"))
        path.with_suffix(".ipynb").write_text(text, encoding="utf-8", newline="\n")
