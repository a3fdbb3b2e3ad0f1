"""The construction plan as dated steps: places that come or go in a school year.

What each kind of project does is in `EFFECTS`; equipment does nothing. A step up to the last year
of the table of places is already in that table.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.places.derive import derived_places
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.plan import NO_PLACES, changes_hands, plan_problems
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.tables.records import Assumptions

Row = dict[str, Any]

ANY_SECTOR = "all"
OPTIONAL = (
    "opens",
    "opened",
    "closes",
    "outage_from",
    "outage_to",
    "from_stage",
    "from_sector",
    "phase_in",
    "sector",
)


@dataclass(frozen=True)
class Step:
    """Places of one project that come or go in a school year."""

    project: str
    district: str
    stage: str
    sector: str
    year: int
    places: float
    status: str
    opens: int | None = None
    """Year since when the school fills grade by grade; None if it opened with all its grades."""
    other: str = ""
    """The sector on the other side where places change hands and stay in their stage."""


def _opening(row: Row) -> int:
    done = row["status"] == "open" and not pd.isna(row["opened"])
    return int(row["opened"] if done else row["opens"])


def _comes(row: Row) -> list[Step]:
    opens = _opening(row)
    since = opens if row["phase_in"] == "by_grade" else None
    steps = [_step(row, opens, 1, opens=since)]
    if not pd.isna(row["closes"]):
        steps.append(_step(row, int(row["closes"]), -1, opens=since))
    return steps


def _goes(row: Row) -> list[Step]:
    return [_step(row, int(row["closes"]), -1)]


def _away_and_back(row: Row) -> list[Step]:
    """Places that are away during an outage; without an outage the work adds places."""
    if pd.isna(row["outage_from"]):
        return _comes(row)
    return [_step(row, int(row["outage_from"]), -1), _step(row, int(row["outage_to"]) + 1, 1)]


def _converts(row: Row) -> list[Step]:
    stage = str(row["stage"] if pd.isna(row["from_stage"]) else row["from_stage"])
    sector = str(row["sector"] if pd.isna(row["from_sector"]) else row["from_sector"])
    leaving = {**row, "stage": stage, "sector": sector}
    if not changes_hands(row):
        return [_step(leaving, _opening(row), -1), *_comes(row)]
    coming, *closing = _comes(row)
    # Each grade leaves when it comes, so that nothing is lost while a school changes by grade.
    gone = _step(leaving, coming.year, -1, opens=coming.opens)
    return [
        replace(gone, other=coming.sector),
        replace(coming, other=gone.sector),
        *closing,
    ]


def _step(row: Row, year: int, sign: int, *, opens: int | None = None) -> Step:
    where = (str(row["project"]), str(row["district"]), str(row["stage"]), str(row["sector"]))
    return Step(*where, year, sign * float(row["places"]), str(row["status"]), opens)


EFFECTS: dict[str, Callable[[Row], list[Step]]] = {
    "new": _comes,
    "extension": _comes,
    "temporary": _comes,
    "rebuild": _away_and_back,
    "refit": _away_and_back,
    "conversion": _converts,
    "closure": _goes,
}


def plan_steps(assumptions: Assumptions, system: pd.DataFrame, last: int) -> list[Step]:
    """Return every step of the plan after the last year counted, whatever its case.

    Nothing is said of overdue projects: `plan_rows` does, for who schedules them.

    Parameters
    ----------
    assumptions : Assumptions
        As for `plan_rows`.
    system : DataFrame
        The school system, resolved.
    last : int
        Last year of the table of places.

    Raises
    ------
    InputError
        For a project that cannot be, with its row.
    """
    rows = plan_rows(assumptions, system, last, quiet=True)
    return [step for row in rows for step in steps_after(row, last)]


def plan_rows(
    assumptions: Assumptions, system: pd.DataFrame, last: int, *, quiet: bool = False
) -> list[Row]:
    """Return the projects that may still move places, as rows that `steps_after` takes.

    Parameters
    ----------
    assumptions : Assumptions
        `projects`, `standards` for places that are not given, and `places`, which say whether
        sectors are told apart.
    system : DataFrame
        The school system, resolved.
    last : int
        Last year of the table of places.
    quiet : bool
        Whether to say nothing of overdue projects, which somebody else names.

    Raises
    ------
    InputError
        For a project that cannot be, with its row.

    Warns
    -----
    AssumptionWarning
        For projects that should have happened by the last year and are not open: nothing of them
        is counted.
    """
    projects, places = assumptions.projects, assumptions.places
    if projects is None:
        return []
    table = projects.set_axis(pd.RangeIndex(1, len(projects) + 1), axis="index")
    _refuse_plan(table, system)
    table = derived_places(table, assumptions.standards)
    for column in OPTIONAL:
        if column not in table.columns:
            table = table.assign(**{column: None})
    sectors = places is not None and "sector" in places.columns
    counted = table[(table["status"] != "cancelled") & ~table["kind"].isin(NO_PLACES)]
    overdue = _overdue(counted, last)
    rows = [
        _with_sectors({str(k): v for k, v in row.items()}, sectors=sectors)
        for row in counted[~overdue].to_dict("records")
    ]
    if not quiet:
        _warn_overdue(counted[overdue], last)
    return rows


def steps_after(row: Row, last: int, *, delay: int = 0) -> list[Step]:
    """Return the steps of one project after the last year counted, if it comes so late.

    A step that is planned up to the last year stands in the table of places, however late the
    rest comes; a school that has opened by then stands there with all its grades.

    Parameters
    ----------
    row : dict
        From `plan_rows`.
    last : int
        Last year of the table of places.
    delay : int
        School years.
    """
    pairs = zip(steps_of(row), steps_of(delayed(row, delay)), strict=True)
    return [
        replace(late, opens=None) if (planned.opens or last) <= last else late
        for planned, late in pairs
        if planned.year > last
    ]


def delayed(row: Row, delay: int) -> Row:
    """Return a project that comes so many years late.

    It opens later, places that are away come back later (they go when they were to go), and what
    closes does so later, so that temporary places keep their life.

    Parameters
    ----------
    row : dict
        From `plan_rows`.
    delay : int
        School years.

    Examples
    --------
    >>> from placeforecast.places.steps import delayed
    >>> delayed({"opens": 2028, "closes": None, "outage_from": 2026, "outage_to": 2027}, 2)
    {'opens': 2030, 'closes': None, 'outage_from': 2026, 'outage_to': 2029}
    """
    dated = {c: row[c] + delay for c in ("opens", "closes", "outage_to") if not pd.isna(row[c])}
    return {**row, **dated}


def steps_of(row: Row) -> list[Step]:
    """Return the steps of one project, whenever they happen; none for equipment.

    Parameters
    ----------
    row : dict
        A row of the plan with every column of `OPTIONAL` and its places.
    """
    return [] if row["kind"] in NO_PLACES else EFFECTS[str(row["kind"])](row)


def _with_sectors(row: Row, *, sectors: bool) -> Row:
    """Name the sector that places come to and the one that they leave."""
    if changes_hands(row) and not sectors:
        rule = f"is given, but places tell no sectors apart (project {row['project']})"
        remedy = "Add a column sector to places, or leave the project out: nothing changes."
        value = str(row["from_sector"])
        refuse([Problem(rule, remedy, file="projects", column="from_sector", value=value)])
    sector = _sector(row, sectors=sectors)
    # Where sectors are not told apart, the one that is left is not either.
    left = row["from_sector"] if sectors else None
    return {**row, "sector": sector, "from_sector": left}


def _sector(row: Row, *, sectors: bool) -> str:
    if not sectors:
        return ANY_SECTOR
    if pd.isna(row["sector"]):
        rule, remedy = "is blank where places have sectors", "Say who will run the school."
        where = f"(project {row['project']})"
        refuse([Problem(file="projects", column="sector", rule=f"{rule} {where}", remedy=remedy)])
    return str(row["sector"])


def _refuse_plan(projects: pd.DataFrame, system: pd.DataFrame) -> None:
    """Refuse what a plan made by hand may hold and a region read from its folder cannot."""
    problems = plan_problems(projects, system, "projects")
    stages = stages_in_order(system)
    for column in ("stage", "from_stage"):
        named = projects[column].dropna() if column in projects.columns else pd.Series(dtype=str)
        for row, value in named[~named.isin(stages)].items():
            where = Problem("", "", "projects", row=int(str(row)), column=column, value=value)
            rule, remedy = "is not a stage of the school system", suggest(value, stages)
            problems.append(replace(where, rule=rule, remedy=remedy))
    refuse(problems)


def _overdue(projects: pd.DataFrame, last: int) -> pd.Series[bool]:
    # A closure has no opening: it is due when it closes.
    due = projects["opens"].fillna(projects["closes"]).astype("float64")
    return (projects["status"] != "open") & (due <= last)


def _warn_overdue(overdue: pd.DataFrame, last: int) -> None:
    if len(overdue):
        named = ", ".join(overdue["project"].astype(str).head(5))
        text = (
            f"projects: {len(overdue)} should have happened by {last}, the last year of places, "
            f"and are not open; they are taken as already in it or given up ({named}). Give "
            "the new school year in opens or closes."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=4)
