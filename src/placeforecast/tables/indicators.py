"""What the value, the basis and the stage of an indicator may be."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from placeforecast.tables.problems import Problem
from placeforecast.tables.vocabulary import combined_stages, shipped, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

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
    if indicator == "migrant_public_share" and who == "local":
        remedy = "Leave it blank or write migrant; local pupils have public_share."
        rule = "is not a residence of migrant_public_share"
        yield Problem(rule, remedy, row=number, column="residence", value="local")


def _at(where: Problem, rule: str, remedy: str) -> Problem:
    return Problem(rule, remedy, row=where.row, column=where.column, value=where.value)


def _sum_problems(policy: pd.DataFrame) -> Iterator[Problem]:
    """Name shares of one cell and year that are more than the whole, or parts larger than it."""
    keys = [key for key in CELL if key in policy.columns]
    by_cell = policy.assign(**{key: policy[key].astype("object") for key in keys})
    for cell, rows in by_cell.groupby(keys, dropna=False, sort=False):
        of_children = rows[~rows["basis"].eq("kindergartens")] if "basis" in rows else rows
        given = dict(zip(of_children["indicator"], of_children["value"], strict=True))
        last = int(str(of_children.index[-1])) if len(of_children) else 0
        where = " ".join(str(part) for part in cell if isinstance(part, (str, int)))
        for parts in AT_MOST_ONE:
            there = [name for name in parts if name in given]
            total = sum(float(given[name]) for name in there)
            if len(there) > 1 and total > 1 + ROUNDING:
                rule = f"{' and '.join(there)} add up to {total:g} ({where})"
                yield Problem(rule, "Correct one of them: they are parts of 1.", row=last)
            elif parts == WHOLE and len(there) == len(WHOLE) and abs(total - 1) > ROUNDING:
                rule = f"{' and '.join(there)} add up to {total:g}, not to 1 ({where})"
                yield Problem(rule, "Correct one of them: they are the whole.", row=last)
        public, inclusive = given.get("public_share"), given.get("inclusive_share")
        if public is not None and inclusive is not None and public > inclusive + ROUNDING:
            rule = f"public_share {public:g} is above inclusive_share {inclusive:g} ({where})"
            remedy = "Public kindergartens are part of the inclusive ones: correct one of the two."
            yield Problem(rule, remedy, row=last)


def policy_stages(stage: str) -> Sequence[str]:
    """Return the stages that a row of `policy` names: one, or the parts of a combined one."""
    return combined_stages().get(stage, (stage,))
