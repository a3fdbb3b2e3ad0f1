"""Reading one column of cells: text in, typed values and problems out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.problems import Problem, suggest
from placeforecast.tables.vocabulary import chinese, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.tables.vocabulary import Column

Positions = np.ndarray[Any, np.dtype[np.intp]]
Words = np.ndarray[Any, np.dtype[np.object_]]
Reading = tuple[Any, str, str]
"""A value, or a rule that the cell breaks and its remedy."""

DATE = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2}))?(?:[-/.月](\d{1,2}))?[年月日]?(?: 0?0:00(?::00)?)?$"
)
"""A year, month or day, as a spreadsheet writes them, without a time of day."""
WORD = re.compile(r"(?!(?:nan|inf|infinity)$)[a-z][a-z_]*$", re.IGNORECASE)
YEARS = (1900, 2200)
FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
LAST_DAY_COUNTED = (9, 30)
"""A school year counts what is there by 30 September (the count follows the September intake)."""


def is_blank(series: pd.Series[Any]) -> pd.Series[bool]:
    """Return which cells hold nothing but white space."""
    if isinstance(series.dtype, pd.StringDtype):
        codes, words = _stripped(series)
        return pd.Series((words == "")[codes] | (codes < 0), index=series.index, name=series.name)
    empty = series.isna()
    if series.dtype != object:
        return empty
    text = series.map(lambda cell: isinstance(cell, str) and not cell.strip())
    return empty | text.astype(bool)


def _stripped(series: pd.Series[Any]) -> tuple[Positions, Words]:
    """Return the words of a column of text, each once, and which of them each cell holds.

    Few words stand in many cells, so that each is read once. A missing cell has the code -1, which
    is the place of the None at the end.
    """
    codes, cells = pd.factorize(series)
    words = np.empty(len(cells) + 1, dtype=object)
    words[:-1] = [word.strip() for word in cells.tolist()]
    return codes, words


def _text(cell: object) -> str:
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _number(cell: object, column: Column) -> Reading:
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    digits = f"Give a number{_of_unit(column)} in digits, without text or commas."
    try:
        if text.endswith("%"):
            share = f"Write {float(text.rstrip('% ')) / 100:g}: shares run from 0 to 1."
            return None, "is a percent", digits if _of_unit(column) else share
        number = float(text.replace("_", "x"))  # Python reads 1_000 as a number
    except ValueError:
        return None, "is not a number", digits
    if not np.isfinite(number):
        return None, "is not a finite number", "Give a number, or leave the row out if unknown."
    return number, "", ""


def _number_or_word(cell: object, column: Column) -> Reading:
    """Read a number; a word of letters is kept, for the indicators that take one."""
    text = _text(cell)
    return (text, "", "") if WORD.match(text) else _number(cell, column)


def _of_unit(column: Column) -> str:
    return f" of {column.unit}" if column.unit not in ("", "share", "ratio") else ""


def _integer(cell: object, column: Column) -> Reading:
    number, rule, remedy = _number(cell, column)
    if rule:
        return None, rule, remedy
    if number != int(number):
        return None, "is not a whole number", "Give a whole number."
    return int(number), "", ""


def _year(cell: object, column: Column) -> Reading:
    year, rule, _remedy = _integer(cell, column)
    if rule:
        return None, "is not a year", "Give the year in four digits."
    if not YEARS[0] <= year <= YEARS[1]:
        return None, "is not a year", f"Give a year from {YEARS[0]} to {YEARS[1]}."
    return year, "", ""


def _date_parts(cell: object) -> tuple[int, int | None, int | None] | None:
    if isinstance(cell, dt.date):
        return cell.year, cell.month, cell.day
    match = DATE.match(_text(cell))
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        pd.Timestamp(
            year=year or 0,
            month=1 if month is None else month,
            day=1 if day is None else day,
        )
    except ValueError:
        return None
    return (year, month, day) if year and YEARS[0] <= year <= YEARS[1] else None


def _school_year(cell: object, column: Column) -> Reading:  # noqa: ARG001
    parts = _date_parts(cell)
    if parts is None:
        return None, "is neither a school year nor a date", "Write 2027, 2027-09 or 2027-09-01."
    year, month, day = parts
    return year + (month is not None and (month, day or 1) > LAST_DAY_COUNTED), "", ""


def _school_year_end(cell: object, column: Column) -> Reading:
    year, rule, remedy = _school_year(cell, column)
    parts = _date_parts(cell)
    if rule or parts is None:
        return None, rule, remedy
    return year - (parts[1] is not None), "", ""


def _date(cell: object, column: Column) -> Reading:  # noqa: ARG001
    parts = _date_parts(cell)
    if parts is None:
        return None, "is not a date", "Write 2021, 2021-05 or 2021-05-17."
    year, month, day = parts
    # A bare year or month is taken at its end: nothing is known before it is surely published.
    start = pd.Timestamp(year=year, month=month or 12, day=1)
    date = start + pd.offsets.MonthEnd(0) if day is None else start.replace(day=day)
    return date, "", ""


def _flag(cell: object, column: Column) -> Reading:  # noqa: ARG001
    flag = FLAGS.get(_text(cell).lower())
    return flag, "" if flag is not None else "is neither yes nor no", "Write yes or no."


PARSERS: dict[str, tuple[Callable[[object, Column], Reading], str]] = {
    "text": (lambda cell, _: (_text(cell), "", ""), "object"),
    "number": (_number, "float64"),
    "share": (_number, "float64"),
    "number_or_word": (_number_or_word, "object"),
    "integer": (_integer, "Int64"),
    "age": (_integer, "Int64"),
    "year": (_year, "Int64"),
    "school_year": (_school_year, "Int64"),
    "school_year_end": (_school_year_end, "Int64"),
    "date": (_date, "datetime64[us]"),
    "flag": (_flag, "boolean"),
}


PER = {"asfr": 1000, "ratio": 100}
"""Rates that yearbooks print per so many; here they are per one."""


def _range_rule(number: float, column: Column) -> tuple[str, str]:
    if column.minimum is not None and number < column.minimum:
        remedy = f"Give a number{_of_unit(column)} from {column.minimum:g} up."
        return f"is below {column.minimum:g}", remedy
    if column.maximum is not None and number > column.maximum:
        if column.kind == "share":
            hint = f"Shares run from 0 to 1: write {number / 100:g} for {number:g} percent."
            return f"is above {column.maximum:g}", hint
        hint = f"Give a number{_of_unit(column)} up to {column.maximum:g}."
        per = PER.get(column.name)
        if per:
            hint += f" If it is per {per:,}, write {number / per:g}."
        return f"is above {column.maximum:g}", hint
    return "", ""


def _known(column: Column) -> tuple[str, ...]:
    starred = column.values.startswith("*")  # checked against the other tables, not here
    return values(column.values) if column.values and not starred else ()


def _whole_column(series: pd.Series[Any], column: Column) -> pd.Series[Any] | None:
    """Read a faultless column at once; None where a cell needs a look of its own."""
    dtype = PARSERS[column.kind][1]
    if column.kind == "text" and isinstance(series.dtype, pd.StringDtype):
        codes, words = _stripped(series)
        words[words == ""] = None
        known = {*_known(column), None}
        if len(known) > 1 and not known.issuperset(words):
            return None
        return pd.Series(words[codes], index=series.index, dtype=object)
    blank = is_blank(series)
    if column.kind == "text":
        text = series.map(_text).astype("object").where(~blank, None)
        return None if _known(column) and not text[~blank].isin(_known(column)).all() else text
    if column.kind == "number_or_word":
        dtype = "float64"  # unless a cell holds a word
    if dtype not in ("float64", "Int64"):
        return None
    numbers = series
    if not pd.api.types.is_numeric_dtype(series.dtype):
        numbers = pd.to_numeric(series.where(~blank), errors="coerce")
    found = numbers.to_numpy(dtype=float, na_value=np.nan)[~blank.to_numpy()]
    low, high = column.minimum, column.maximum
    if column.kind in ("year", "school_year", "school_year_end"):
        low, high = YEARS
    good = np.isfinite(found)
    good &= found >= (low if low is not None else -np.inf)
    good &= found <= (high if high is not None else np.inf)
    if dtype == "Int64":
        good &= found == np.floor(found)
    typed: Any = dtype
    return numbers.astype(typed) if good.all() else None


def read_column(series: pd.Series[Any], column: Column) -> tuple[pd.Series[Any], list[Problem]]:
    """Turn the cells of one column into typed values.

    Parameters
    ----------
    series : Series
        Cells as they came, text or numbers, indexed by the row number to print.
    column : Column
        What the vocabulary says of them.

    Returns
    -------
    tuple of Series and list of Problem
        Values with the same index, missing where a cell is blank or wrong; and what is wrong.
    """
    whole = _whole_column(series, column)
    if whole is not None:
        return whole.rename(column.name), []
    blank = is_blank(series)
    parse, dtype = PARSERS[column.kind]
    out: list[Any] = [None] * len(series)
    problems: list[Problem] = []
    known = _known(column)
    for i, (row, cell) in enumerate(series.items()):
        if blank.iloc[i]:
            continue
        value, rule, remedy = parse(cell, column)
        if not rule and isinstance(value, (int, float)) and column.kind not in ("flag",):
            rule, remedy = _range_rule(float(value), column)
        if not rule and known and value not in known:
            article = "an" if column.name[0] in "aeiou" else "a"
            meant = chinese(column.values).get(str(value))
            rule = f"is not {article} {column.name}"
            remedy = f"Write {meant}." if meant else suggest(str(value), known)
        if rule:
            problems.append(_problem(column, row, cell, rule, remedy))
        else:
            out[i] = value
    return pd.Series(out, index=series.index, dtype=dtype, name=column.name), problems


def _problem(column: Column, row: Any, cell: object, rule: str, remedy: str) -> Problem:  # noqa: ANN401
    return Problem(rule=rule, remedy=remedy, row=int(row), column=column.name, value=_text(cell))
