"""What the value, the basis and the stage of an indicator may be."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.tables.problems import Problem
from placeforecast.tables.vocabulary import shipped, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Row = dict[str, Any]
TABLES = ("policy", "standards")
ROUNDING = 1e-9
"""Shares typed with a few digits may pass 1 by their rounding."""
WHOLE = ("special_school_share", "special_mainstream_share", "special_home_share")
AT_MOST_ONE: tuple[tuple[str, ...], ...] = (("public_share", "purchased_share"), WHOLE)
"""Indicators of one cell and year that are parts of one whole."""
CELL = ("district", "stage", "residence", "year")


@cache
def limits(table: str) -> Mapping[str, Mapping[str, str]]:
    """Return what is declared of each indicator of a table."""
    rows = shipped("indicators")
    rows = rows[rows["table"] == table]
    return {row["indicator"]: row for row in rows.to_dict("records")}  # type: ignore[misc]


def indicator_problems(checked: pd.DataFrame, table: str) -> list[Problem]:
    """Return what is wrong with the values, bases and stages of indicators.

    Parameters
    ----------
    checked : DataFrame
        Rows of `policy` or `standards` that can be read; the index holds the row numbers.
    table : str
        Name of the table; others have no indicators.
    """
    if table not in TABLES or not len(checked):
        return []
    problems: list[Problem] = []
    for number, cells in zip(checked.index, checked.to_dict("records"), strict=True):
        row = {str(k): v for k, v in cells.items()}
        problems += _problems_of(row, limits(table).get(row["indicator"], {}), int(number))
    if table == "policy" and not problems:
        problems += _sum_problems(checked)
    return problems


def _problems_of(row: Row, declared: Mapping[str, str], number: int) -> Iterator[Problem]:
    indicator, value = str(row["indicator"]), row["value"]
    words = values(declared["kind"]) if declared.get("kind", "number") != "number" else ()
    text = f"{value:g}" if isinstance(value, float) else str(value)
    where = Problem("", "", row=number, column="value", value=text)
    if words and value not in words:
        rule = f"is not a value of {indicator}"
        yield _at(where, rule, f"Write {' or '.join(words)}.")
    elif not words and isinstance(value, str):
        yield _at(where, "is not a number", "Give a number in digits, without text or commas.")
    elif declared.get("maximum") and float(value) > float(declared["maximum"]):
        rule = f"is above {float(declared['maximum']):g}, and {indicator} is {declared['what']}"
        yield _at(where, rule, f"Write {value / 100:g} for {value:g} percent.")
    yield from _word_problems(row, declared, number)


def _word_problems(row: Row, declared: Mapping[str, str], number: int) -> Iterator[Problem]:
    indicator = str(row["indicator"])
    for column, of in (("basis", "bases"), ("stage", "stages")):
        named, known = row.get(column), declared.get(of, "").split()
        if not isinstance(named, str) or not named or (column == "stage" and not known):
            continue
        if named not in known:
            listed = " or ".join(known) or "nothing: leave it blank"
            rule = f"is not a {column} of {indicator}"
            remedy = f"It is of {listed}."
            yield Problem(rule, remedy, row=number, column=column, value=named)
    who = row.get("residence")
    if declared.get("by_residence") == "no" and isinstance(who, str) and who:
        remedy = "Leave residence blank."
        rule = f"is given for {indicator}, which is of all pupils"
        yield Problem(rule, remedy, row=number, column="residence", value=who)
    for column in ("year", "grade") if indicator == "planned_at" else ():
        if pd.notna(row.get(column)) and row[column] != "":
            rule = "is given for planned_at, which holds for a whole stage in every year"
            remedy = f"Leave {column} blank."
            yield Problem(rule, remedy, row=number, column=column, value=str(row[column]))
    if indicator == "migrant_public_share" and who == "local":
        remedy = "Leave it blank or write migrant; local pupils have public_share."
        rule = "is not a residence of migrant_public_share"
        yield Problem(rule, remedy, row=number, column="residence", value="local")


def _at(where: Problem, rule: str, remedy: str) -> Problem:
    return Problem(rule, remedy, row=where.row, column=where.column, value=where.value)


def _sum_problems(policy: pd.DataFrame) -> Iterator[Problem]:
    """Name shares of one cell and year that are more than the whole, or parts larger than it."""
    keys = [key for key in CELL if key in policy.columns]
    parts = {name for names in AT_MOST_ONE for name in names} | {"inclusive_share"}
    rows = policy[policy["indicator"].isin(parts)]
    if "basis" in rows.columns:
        rows = rows[~rows["basis"].eq("kindergartens").fillna(value=False).astype(bool)]
    cells: dict[tuple[str, ...], dict[str, tuple[float, int]]] = {}
    named = rows[keys].astype("object").to_numpy()
    for cell, indicator, value, number in zip(
        named, rows["indicator"], rows["value"], rows.index, strict=True
    ):
        key = tuple("" if pd.isna(part) else str(part) for part in cell)
        cells.setdefault(key, {})[indicator] = (float(value), int(number))
    for key, given in cells.items():
        where = " ".join(part for part in key if part)
        yield from _more_than_whole(given, where)


def _more_than_whole(given: Mapping[str, tuple[float, int]], where: str) -> Iterator[Problem]:
    for parts in AT_MOST_ONE:
        there = [name for name in parts if name in given]
        total = sum(given[name][0] for name in there)
        last = max((given[name][1] for name in there), default=0)
        if len(there) > 1 and total > 1 + ROUNDING:
            rule = f"{' and '.join(there)} add up to {total:g} ({where})"
            yield Problem(rule, "Correct one of them: they are parts of 1.", row=last)
        elif parts == WHOLE and len(there) == len(WHOLE) and abs(total - 1) > ROUNDING:
            rule = f"{' and '.join(there)} add up to {total:g}, not to 1 ({where})"
            yield Problem(rule, "Correct one of them: they are the whole.", row=last)
    public, inclusive = given.get("public_share"), given.get("inclusive_share")
    if public is not None and inclusive is not None and public[0] > inclusive[0] + ROUNDING:
        rule = f"public_share {public[0]:g} is above inclusive_share {inclusive[0]:g} ({where})"
        remedy = "Public kindergartens are part of the inclusive ones: correct one of the two."
        yield Problem(rule, remedy, row=max(public[1], inclusive[1]))
