"""A small region to spoil: every table that a region usually has, as the text of its files."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import placeforecast as pf
from placeforecast.cli import app

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Files = dict[str, str | bytes]
Edit = Callable[[Files], None]
Edits = tuple[Edit, ...]
Fault = tuple[Edits, str]
"""How a region is spoilt, and the line that is then told."""
PLACE = re.compile(r"^(?:([\w.]+))?(?:, row (\d+))?(?:, column ([\w.]+(?: or \w+)*))?: ")

LAUNCH = 2024
DISTRICTS = ("A", "B")
SEXES = ("female", "male")
AGES = range(50)


def _text(heading: str, rows: Sequence[tuple[object, ...]]) -> str:
    lines = [",".join(str(cell) for cell in row) for row in rows]
    return "\n".join([heading, *lines, ""])


GRADES = _text(
    "grade,stage,position,entry_age,duration,enters_from",
    [
        (f"P{i}", "primary", i, i + 5, 1, "grade_below" if i > 1 else "population")
        for i in range(1, 7)
    ],
)
"""A school system of primary grades only."""


def small_region() -> Files:
    """Return the files of two districts with primary schools, of 2020 to 2024, without a fault."""
    births = [(d, y, 90 + y % 7) for d in DISTRICTS for y in range(2008, 2024)]
    pupils = [
        (d, y, f"P{g}", "public", 80 + (y + g) % 9)
        for d in DISTRICTS
        for y in range(2020, LAUNCH + 1)
        for g in range(1, 7)
    ]
    people = [(d, 2020, s, a, 95 - a) for d in DISTRICTS for s in SEXES for a in AGES]
    return {
        "births.csv": _text("district,year,births", births),
        "districts.csv": _text("district,parent", [("C", ""), ("A", "C"), ("B", "C")]),
        "enrolment.csv": _text("district,year,grade,sector,pupils", pupils),
        "fertility.csv": _text("age,asfr", [(a, 0.06) for a in range(20, 40)]),
        "places.csv": _text(
            "district,year,stage,sector,places",
            [(d, LAUNCH, "primary", "public", 540) for d in DISTRICTS],
        ),
        "population.csv": _text("district,year,sex,age,population", people),
        "projects.csv": _text(
            "project,stage,district,sector,places,kind,status,opens,starts,closes,outage_from,"
            "outage_to,from_stage",
            [("East,primary,A,public,90,new,approved,2026,2025,,,,",)],
        ),
        "survival.csv": _text("sex,age,survival", [(s, a, 0.99) for s in SEXES for a in AGES]),
        "tasks.csv": _text(
            "district,stage,year_from,year_to,places", [("C,primary,2024,2026,90",)]
        ),
        "forecast.toml": "launch_year = 2024\nhorizon = 2\n",
    }


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the files of a region into a new folder."""
    folder.mkdir()
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return folder


def _lines(files: Files, file: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(str(files[file]))))


def _put(files: Files, file: str, lines: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    files[file] = out.getvalue()


def cell(file: str, row: int, column: str, value: str) -> Edit:
    """Write another value into a cell; the row is counted as a spreadsheet does."""

    def edit(files: Files) -> None:
        lines = _lines(files, file)
        at = lines[0].index(column)
        assert lines[row - 1][at] != value
        lines[row - 1][at] = value
        _put(files, file, lines)

    return edit


def line(file: str, row: int, text: str | None) -> Edit:
    """Put another line in the place of one; None takes it out."""

    def edit(files: Files) -> None:
        lines = str(files[file]).splitlines()
        lines[row - 1 : row] = [] if text is None else [text]
        files[file] = "\n".join([*lines, ""])

    return edit


def added(file: str, *rows: str) -> Edit:
    """Add lines at the end of a file."""

    def edit(files: Files) -> None:
        files[file] = str(files[file]) + "".join(f"{row}\n" for row in rows)

    return edit


def whole(file: str, content: str | bytes) -> Edit:
    """Write a whole file."""

    def edit(files: Files) -> None:
        files[file] = content

    return edit


def swapped(file: str, old: str, new: str) -> Edit:
    """Replace a text wherever it stands in a file."""

    def edit(files: Files) -> None:
        assert old in str(files[file])
        files[file] = str(files[file]).replace(old, new)

    return edit


def as_bytes(file: str, encoding: str) -> Edit:
    """Save a file in another encoding."""

    def edit(files: Files) -> None:
        files[file] = str(files[file]).encode(encoding)

    return edit


def gone(*names: str) -> Edit:
    """Take files away."""

    def edit(files: Files) -> None:
        for name in names:
            del files[name]

    return edit


def column(file: str, heading: str, value: str) -> Edit:
    """Add a column that holds the same in every row."""

    def edit(files: Files) -> None:
        first, *rest = str(files[file]).splitlines()
        lines = [f"{first},{heading}", *(f"{row},{value}" for row in rest), ""]
        files[file] = "\n".join(lines)

    return edit


def region_with(folder: Path, *edits: Edit) -> Path:
    """Write the small region with some edits."""
    files = small_region()
    for edit in edits:
        edit(files)
    return write(folder, files)


def error_text(*problems: str) -> str:
    """Return the text of an error with these problems."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the input:"
    return "\n".join([count, *(f"  {problem}" for problem in problems)])


@dataclass(frozen=True)
class Call:
    """What a command left behind."""

    status: int
    out: str
    err: str


def run(*arguments: str | os.PathLike[str]) -> Call:
    """Run the command line in this process; anything but an exit, a traceback, fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit, match=r"^\d$") as ended,
    ):
        app(prog_name="placeforecast", args=[os.fspath(part) for part in arguments])
    return Call(int(str(ended.value)), out.getvalue(), err.getvalue())


def assert_refused(region: Path, *told: str) -> None:
    """Check that the region is refused with these problems: the whole text, and the table."""
    with pytest.raises(pf.InputError, match=f"^{re.escape(error_text(*told))}$") as caught:
        pf.read_inputs(region)
    assert_placed(caught.value, *told)


def assert_refused_by_commands(region: Path, *told: str) -> None:
    """Check that every command says the same, ends with 1 and writes nothing."""
    before = sorted(region.rglob("*"))
    out = region.parent / "out"
    for name, *options in (["check"], ["forecast", "--out"], ["report", "--out"]):
        call = run(name, region, *options, *([out] if options else []))
        assert (call.status, call.out, call.err) == (1, "", f"{error_text(*told)}\n")
    assert not out.exists()
    assert sorted(region.rglob("*")) == before


def assert_placed(error: pf.InputError, *told: str) -> None:
    """Check that the table of problems has the places that the lines name, and a remedy each."""
    places = error.problems.astype({"row": "object"}).fillna({"row": ""}).astype(str)
    for (_, problem), text in zip(places.iterrows(), told, strict=True):
        named = PLACE.match(text)
        place = named.groups(default="") if named else ("", "", "")
        assert (problem["file"], problem["row"].removesuffix(".0"), problem["column"]) == place
        assert text.endswith(f"{problem['rule']}. {problem['remedy']}")
        assert len(problem["remedy"]) > len("Fill it")
