"""Reading a region: every table of a folder, with all problems of all of them in one error."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.tables.align import population_on_cutoff
from placeforecast.tables.check import examine
from placeforecast.tables.consistency import consistency_problems
from placeforecast.tables.grades import load_grades, resolve_grades
from placeforecast.tables.problems import AssumptionWarning, InputError, Problem, refuse, suggest
from placeforecast.tables.records import INPUT_TABLES, PROVENANCE, Inputs
from placeforecast.tables.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS_FILE = "forecast.toml"
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
    if grades is not None:
        files = {name: source.name for name, source in sources.items()}
        problems += consistency_problems({**tables, "grades": grades}, files)
    if "population" in tables and not problems:
        tables["population"] = _population(tables["population"], settings, problems)
    refuse(problems)
    provenance = _provenance(sources, tables)
    plain = {name: table.reset_index(drop=True) for name, table in tables.items()}
    return Inputs(settings=settings, provenance=provenance, **plain)


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
    for file in sorted(path.glob("*.csv")):
        name = file.stem
        if name not in INPUT_TABLES:
            text = f"{file.name} is not read: no table has this name. {suggest(name, INPUT_TABLES)}"
            warnings.warn(AssumptionWarning(text), stacklevel=3)
            continue
        sources[name] = file
        raw = _csv(file, problems)
        if raw is not None:
            tables[name], found = examine(raw, name, file=file.name)
            problems += found
    broken = {problem.file for problem in problems}
    return {n: t for n, t in tables.items() if f"{n}.csv" not in broken or len(t.columns)}, sources


def _csv(file: Path, problems: list[Problem]) -> pd.DataFrame | None:
    rule = ""
    try:
        raw = pd.read_csv(
            file,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            encoding="utf-8-sig",
            skip_blank_lines=False,
            index_col=False,
        )
    except pd.errors.EmptyDataError:
        rule, remedy = "is empty", "Fill it, or remove the file."
    except UnicodeDecodeError:
        rule, remedy = "is not UTF-8", "Save it as CSV UTF-8."
    except pd.errors.ParserError as error:
        rule, remedy = f"cannot be read ({str(error).strip()})", "Correct the line that it names."
    if rule:
        problems.append(Problem(file=file.name, rule=rule, remedy=remedy))
        return None
    raw.index = pd.RangeIndex(FIRST_ROW, len(raw) + FIRST_ROW)
    blank_line = raw.map(lambda cell: not str(cell).strip()).all(axis="columns")
    return raw[~blank_line]


def _grades(
    tables: Mapping[str, pd.DataFrame], settings: Settings, problems: list[Problem]
) -> pd.DataFrame | None:
    try:
        if "grades" in tables:
            return resolve_grades(tables["grades"]) if not _has(problems, "grades.csv") else None
        return load_grades(settings.school_system)
    except InputError as error:
        problems += error.found
        return None


def _has(problems: list[Problem], file: str) -> bool:
    return any(problem.file == file for problem in problems)


def _population(
    population: pd.DataFrame, settings: Settings, problems: list[Problem]
) -> pd.DataFrame:
    try:
        return population_on_cutoff(population, settings)
    except InputError as error:
        problems += error.found
        return population


def _provenance(sources: Mapping[str, Path], tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
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
            )
        )
    frame = pd.DataFrame(rows, columns=list(PROVENANCE))
    return frame.astype({"first_year": "Int64", "last_year": "Int64"})
