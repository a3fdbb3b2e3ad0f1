"""What must hold in a construction plan, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.tables.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]
COLUMNS = (
    "opens",
    "starts",
    "opened",
    "closes",
    "outage_from",
    "outage_to",
    "from_stage",
    "from_sector",
    "sector",
    "places",
    "classes",
    "floor_area",
)
COMPULSORY = ("primary", "junior")
ADDING = ("new", "extension", "temporary", "conversion")
AWAY = ("rebuild", "refit")
"""Kinds of project whose places may be away during an outage."""
NO_PLACES = ("equipment",)
"""Kinds of project that add and take no places: they have neither places nor a year."""
PRIVATE_COMPULSORY = "is private in a compulsory stage"
SIZES = ("places", "classes", "floor_area")


def _has(row: Row, column: str) -> bool:
    return not pd.isna(row[column])


def _before(row: Row, early: str, late: str) -> bool:
    return _has(row, early) and _has(row, late) and bool(row[late] < row[early])


def changes_hands(row: Row) -> bool:
    """Whether a conversion (a row of the plan) leaves its places in the stage they are in."""
    return _has(row, "from_sector") and (
        not _has(row, "from_stage") or bool(row["from_stage"] == row["stage"])
    )


RULES: tuple[tuple[str, Callable[[Row], bool], str, str], ...] = (
    (
        "closes",
        lambda row: row["kind"] == "closure" and not _has(row, "closes"),
        "is blank in a closure",
        "Give the first school year without the places.",
    ),
    (
        "opens",
        lambda row: row["kind"] == "closure" and _has(row, "opens"),
        "is filled in a closure",
        "Leave opens blank; closes says when the places go.",
    ),
    (
        "opens",
        lambda row: row["kind"] not in ("closure", *NO_PLACES) and not _has(row, "opens"),
        "is blank",
        "Give the school year or date in which the places open.",
    ),
    (
        "opens",
        lambda row: _before(row, "starts", "opens"),
        "is before starts",
        "A project cannot open before it starts: correct one of the two.",
    ),
    (
        "closes",
        lambda row: row["kind"] != "closure" and _before(row, "opens", "closes"),
        "is before opens",
        "Correct one of the two.",
    ),
    (
        "outage_to",
        lambda row: _has(row, "outage_from") != _has(row, "outage_to"),
        "is given without the other end of the outage",
        "Fill both outage_from and outage_to, or neither.",
    ),
    (
        "outage_to",
        lambda row: _before(row, "outage_from", "outage_to"),
        "is before outage_from",
        "Correct one of the two.",
    ),
    (
        "opens",
        lambda row: (
            row["kind"] in AWAY
            and _has(row, "opens")
            and _has(row, "outage_to")
            and bool(row["opens"] <= row["outage_to"])
        ),
        "is not after the outage",
        "Places come back after outage_to: correct one of the two.",
    ),
    (
        "outage_from",
        lambda row: _has(row, "outage_from") and row["kind"] not in AWAY,
        "is filled in a project that is no rebuild or refit",
        "List the places that are away as a project of kind rebuild or refit.",
    ),
    (
        "from_stage",
        lambda row: (
            row["kind"] == "conversion"
            and not _has(row, "from_stage")
            and not _has(row, "from_sector")
        ),
        "is blank in a conversion",
        "Name the stage that the places leave; stage is the one that receives them.",
    ),
    (
        "from_stage",
        lambda row: row["kind"] != "conversion" and _has(row, "from_stage"),
        "is filled in a project that is no conversion",
        "Leave it blank, or make the kind conversion.",
    ),
    (
        "from_stage",
        lambda row: (
            _has(row, "from_stage")
            and row["from_stage"] == row["stage"]
            and not _has(row, "from_sector")
        ),
        "is the receiving stage itself",
        "Name the stage that the places leave.",
    ),
    (
        "from_sector",
        lambda row: row["kind"] != "conversion" and _has(row, "from_sector"),
        "is filled in a project that is no conversion",
        "Leave it blank, or make the kind conversion.",
    ),
    (
        "sector",
        lambda row: (
            row["kind"] == "conversion" and _has(row, "from_sector") and not _has(row, "sector")
        ),
        "is blank in a school that changes hands",
        "Name the sector that receives the places; from_sector is the one that they leave.",
    ),
    (
        "from_sector",
        lambda row: changes_hands(row) and bool(row["from_sector"] == row["sector"]),
        "is the receiving sector itself",
        "Name the sector that the places leave, or the stage in from_stage.",
    ),
    (
        "places",
        lambda row: row["kind"] not in NO_PLACES and not any(_has(row, c) for c in SIZES),
        "has no places, classes or floor area",
        "Give one of them; places come first, then classes.",
    ),
    (
        "sector",
        lambda row: (
            row["sector"] == "private"
            and row["stage"] in COMPULSORY
            and row["kind"] in ADDING
            and row["status"] not in ("open", "cancelled")
        ),
        PRIVATE_COMPULSORY,
        "New private compulsory schools are not approved: cancel it or change the sector.",
    ),
)


def plan_problems(projects: pd.DataFrame, grades: pd.DataFrame, file: str) -> list[Problem]:
    """Return what is wrong in the projects, each with its row.

    Parameters
    ----------
    projects : DataFrame
        The checked table; its index holds the row numbers to print.
    grades : DataFrame
        The school system, resolved; the rule on private compulsory schools is China's.
    file : str
        Where the table comes from.
    """
    full = projects.reindex(columns=list(dict.fromkeys([*projects.columns, *COLUMNS])))
    chinese = {"primary", "junior"} <= set(grades["stage"])
    problems = []
    for number, cells in zip(full.index, full.to_dict("records"), strict=True):
        row = {str(key): cell for key, cell in cells.items()}
        for column, broken, rule, remedy in RULES:
            if rule == PRIVATE_COMPULSORY and not chinese:
                continue
            if broken(row):
                value = "" if pd.isna(row[column]) else str(row[column])
                problems.append(
                    Problem(
                        file=file,
                        row=int(number),
                        column=column,
                        value=value,
                        rule=f"{rule} (project {row['project']})",
                        remedy=remedy,
                    )
                )
    return problems
