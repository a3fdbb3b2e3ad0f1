"""Reading a region: every table of a folder, with all problems of all of them in one error."""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.tables.align import population_on_cutoff
from placeforecast.tables.boundaries import with_boundaries
from placeforecast.tables.check import examine
from placeforecast.tables.consistency import consistency_problems
from placeforecast.tables.grades import load_grades, resolve_grades
from placeforecast.tables.problems import AssumptionWarning, InputError, Problem, refuse, suggest
from placeforecast.tables.records import INPUT_TABLES, PROVENANCE, Inputs
from placeforecast.tables.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS_FILE = "forecast.toml"
READABLE = (".csv", ".toml", ".xlsx", ".xls")
"""What a planner may take for a file of the region; one that is not read is named."""
FIRST_ROW = 2  # the heading is row 1 of a file


def read_inputs(folder: str | Path) -> Inputs:
    """Read a region from its folder.

    Parameters
    ----------
    folder : str or Path
        Holds one CSV per table, named as the table (UTF-8, with or without a byte-order mark), and
        ``forecast.toml``, which may be missing.

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        With every problem of every file: an unreadable file, a heading, a cell, a repeated row, a
        name that another table does not know, a table that is missing.

    Warns
    -----
    AssumptionWarning
        For files and columns that are not used.

    Examples
    --------
    >>> import placeforecast as pf
    >>> pf.read_inputs("data/example_city").settings.launch_year
    2025
    """
    path = Path(folder)
    if not path.is_dir():
        workbook = path.suffix == ".xlsx"
        rule = "is a workbook, which is not read yet" if workbook else "is not a folder"
        remedy = "Give a folder with one CSV per table, such as enrolment.csv and births.csv."
        raise InputError([Problem(file=str(path), rule=rule, remedy=remedy)])
    problems: list[Problem] = []
    settings = _settings(path, problems)
    tables, sources = _tables(path, problems)
    grades = _grades(tables, settings, problems)
    given = dict(tables)
    rebased = None if problems else tables.get("boundaries")
    if rebased is not None:
        tables = _rebased(tables, rebased, problems)
    if grades is not None:
        files = {name: source.name for name, source in sources.items()}
        known = {(problem.file, problem.row, problem.column) for problem in problems}
        found = consistency_problems({**tables, "grades": grades}, files)
        # A cell that could not be read is missing here, and would be told a second time.
        problems += [p for p in found if p.row is None or (p.file, p.row, p.column) not in known]
    if "population" in tables and not problems:
        tables["population"] = _population(tables["population"], settings, problems)
    refuse(problems)
    final = tables if rebased is None else {**tables, "boundaries": rebased}
    lines = {name: _lines(table) for name, table in given.items() if table is final.get(name)}
    provenance = _provenance(sources, final, lines)
    plain = {name: table.reset_index(drop=True) for name, table in tables.items()}
    return Inputs(settings=settings, provenance=provenance, rebased=rebased, **plain)


def _rebased(
    tables: dict[str, pd.DataFrame], boundaries: pd.DataFrame, problems: list[Problem]
) -> dict[str, pd.DataFrame]:
    """Tell counts in the districts of today; rows are numbered anew, from 2 as in a file."""
    plain = {name: t.reset_index(drop=True) for name, t in tables.items() if name != "boundaries"}
    try:
        moved = with_boundaries(plain, boundaries.reset_index(drop=True))
    except InputError as error:
        problems += [replace(problem, file=f"{problem.file}.csv") for problem in error.found]
        return tables
    return {name: t.set_axis(range(2, len(t) + 2), axis="index") for name, t in moved.items()}


def _settings(path: Path, problems: list[Problem]) -> Settings:
    file = path / SETTINGS_FILE
    if not file.exists():
        return Settings()
    try:
        return read_settings(file)
    except InputError as error:
        problems += error.found
        return Settings()


def _tables(path: Path, problems: list[Problem]) -> tuple[dict[str, pd.DataFrame], dict[str, Path]]:
    tables, sources = {}, {}
    for file in sorted(path.iterdir()):
        name = file.stem
        if file.suffix.lower() not in READABLE or file.name.startswith((".", "~$")):
            continue
        if file.suffix != ".csv" or name not in INPUT_TABLES:
            if file.name != SETTINGS_FILE:
                text = f"{file.name} is not read: {_why(file)}"
                warnings.warn(AssumptionWarning(text), stacklevel=3)
            continue
        sources[name] = file
        raw, outside = _csv(file, problems)
        if raw is not None:
            tables[name], found = examine(raw, name, file=file.name)
            problems += found
            if len(tables[name].columns):  # else the headings themselves are not understood
                problems += outside
    broken = {problem.file for problem in problems}
    return {n: t for n, t in tables.items() if f"{n}.csv" not in broken or len(t.columns)}, sources


def _why(file: Path) -> str:
    """Say why a file that looks like one of a region is not read."""
    suffix = file.suffix.lower()
    if suffix == ".toml":
        return f"the settings are in {SETTINGS_FILE}."
    if suffix != ".csv":
        return "workbooks are not read yet. Save each sheet as a CSV UTF-8."
    name = file.stem.strip().lower()
    if name in INPUT_TABLES:
        return f"write its name as {name}.csv."
    return f"no table has this name. {suggest(name, INPUT_TABLES)}"


def _csv(file: Path, problems: list[Problem]) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Return the cells as text by row number (None if unreadable), and cells under no heading."""
    where = Problem(file=file.name, rule="", remedy="")
    lines: list[list[str]] = []
    try:
        text = file.read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines.extend([cell.strip() for cell in line] for line in reader)
    except UnicodeDecodeError:
        remedy = "Save it as CSV UTF-8."
        problems.append(replace(where, rule="is not UTF-8", remedy=remedy))
        return None, []
    except csv.Error as error:
        rule, remedy = f"cannot be read ({error})", "Look for a quotation mark that is not closed."
        problems.append(replace(where, row=len(lines) + 1, rule=rule, remedy=remedy))
        return None, []
    if not any(any(line) for line in lines):
        remedy = "Fill it, or remove the file."
        problems.append(replace(where, rule="is empty", remedy=remedy))
        return None, []
    width = max(len(line) for line in lines)
    full = [line + [""] * (width - len(line)) for line in lines]
    raw = pd.DataFrame(full[1:], columns=full[0], dtype=str)
    raw.index = pd.RangeIndex(FIRST_ROW, len(raw) + FIRST_ROW)
    raw = raw[(raw != "").any(axis="columns")]
    return raw.loc[:, raw.columns != ""], _outside(raw, where)


def _outside(raw: pd.DataFrame, where: Problem) -> list[Problem]:
    """Name the first cell of each column that has no heading and is not empty."""
    problems = []
    for number, (heading, cells) in enumerate(raw.items(), start=1):
        filled = cells[cells != ""]
        if heading == "" and len(filled):
            more = f" ({len(filled)} such cells)" if len(filled) > 1 else ""
            rule = f"stands in column {number}, which has no heading{more}"
            remedy = "Remove it or give the column a heading; put text with a comma in quotes."
            row, value = int(str(filled.index[0])), str(filled.iloc[0])
            problems.append(replace(where, row=row, value=value, rule=rule, remedy=remedy))
    return problems


def _grades(
    tables: Mapping[str, pd.DataFrame], settings: Settings, problems: list[Problem]
) -> pd.DataFrame | None:
    own = "grades" in tables
    try:
        if own:
            return resolve_grades(tables["grades"]) if not _has(problems, "grades.csv") else None
        return load_grades(settings.school_system)
    except InputError as error:
        file = "grades.csv" if own else SETTINGS_FILE
        problems += [replace(problem, file=file) for problem in error.found]
        return None


def _has(problems: list[Problem], file: str) -> bool:
    return any(problem.file == file for problem in problems)


def _population(
    population: pd.DataFrame, settings: Settings, problems: list[Problem]
) -> pd.DataFrame:
    try:
        return population_on_cutoff(population, settings)
    except InputError as error:
        problems += [replace(problem, file="population.csv") for problem in error.found]
        return population


def _lines(table: pd.DataFrame) -> str:
    """Return the rows of a file that a table was read from, in order, such as 2-40, 42-90."""
    spans: list[list[int]] = []
    for number in table.index.tolist():
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{first}-{last}" for first, last in spans)


def _provenance(
    sources: Mapping[str, Path], tables: Mapping[str, pd.DataFrame], lines: Mapping[str, str]
) -> pd.DataFrame:
    """Return what was read; without lines where rows do not stand as in their file."""
    rows = []
    for name, file in sources.items():
        table = tables[name]
        years = table["year"].dropna() if "year" in table.columns else pd.Series(dtype="Int64")
        rows.append(
            (
                name,
                file.name,
                len(table),
                int(years.min()) if len(years) else pd.NA,
                int(years.max()) if len(years) else pd.NA,
                hashlib.sha256(file.read_bytes()).hexdigest(),
                lines.get(name),
            )
        )
    frame = pd.DataFrame(rows, columns=list(PROVENANCE))
    return frame.astype({"first_year": "Int64", "last_year": "Int64"})
