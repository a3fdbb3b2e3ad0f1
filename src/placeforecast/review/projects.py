"""Each project under review: what would be short without it, everything else in place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.spread import spread_step
from placeforecast.places.steps import ANY_SECTOR, plan_rows, steps_of
from placeforecast.rates.standards import planning_areas, standard
from placeforecast.review.use import Used, judged
from placeforecast.review.verdict import SHORT
from placeforecast.tables.doors import Array, to_array
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.structure import structure_changes, with_structure
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placeforecast.places.steps import Row, Step
    from placeforecast.tables.records import Assumptions

NAMED = ["project", "stage", "district", "ledger", "kind", "status", "opens", "places"]
JUDGED = [
    "relieves",
    "causes",
    "first_needed",
    "never_needed",
    "too_early",
    "too_late",
    "years_late",
    "peak_use",
    "too_large",
    "stranded",
    "stranded_from",
    "share_in_use",
    "share_of_life_in_use",
]
PROJECTS = [*NAMED, *JUDGED, "reason"]
USE = ["project", "stage", "district", "year", "places", "use"]
TYPES = {
    **dict.fromkeys(["opens", "first_needed", "years_late", "stranded_from"], "Int64"),
    **dict.fromkeys(["never_needed", "too_early", "too_late", "too_large", "stranded"], "boolean"),
}
NARROW_FIRST = ("public", "inclusive", "public_with_purchased", "all")
"""Ledgers in the order in which a project is judged by the first that counts its places."""
GONE = "it should have opened by {last} and is not open: nothing of it is counted"
HANDS = "the school changes hands: its pupils go with it"
UNBALANCED = "its places are in no ledger that is balanced"
NOTHING = "it brings and takes no places from {first} to {last}"
TAKES = "it adds no places: only what is short because of it is counted"
LIVES = ("life", "temporary_life")


@dataclass(frozen=True)
class Cells:
    """Demand and places planned, where they are planned [area, ledger, grade, year]."""

    area: Mapping[tuple[str, str], str]
    stage_of: Mapping[str, str]
    axes: Mapping[str, list[Any]]
    demand: Array
    places: Array

    @property
    def years(self) -> list[int]:
        """School years, from the launch."""
        return self.axes["year"]


def review_projects(
    cells: pd.DataFrame,
    assumptions: Assumptions,
    launch_year: int,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Review each project against what would be short without it, everything else in place.

    Parameters
    ----------
    cells : DataFrame [district, year, grade, stage, ledger, plan_case, demand, places]
        The balance by cell, of one scenario, with plan case ``planned``.
    assumptions : Assumptions
        `projects`, `places`, `standards` and `events` of that scenario.
    launch_year : int
    districts : DataFrame, optional
        How districts roll up.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    projects, use : DataFrame
        `PlanReview.projects` and `PlanReview.use` without the scenario; see `review_plan`.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.review.projects import review_projects
    >>> plan = pf.Assumptions(
    ...     places=pd.DataFrame({"district": "A", "year": [2025], "stage": "junior",
    ...         "places": 900.0}),
    ...     projects=pd.DataFrame({"project": ["East"], "stage": "junior", "district": "A",
    ...         "places": 300.0, "kind": "new", "status": "approved", "opens": 2027}))
    >>> cell = {"district": "A", "stage": "junior", "ledger": "all", "plan_case": "planned"}
    >>> years = {2026: (320.0, 300.0), 2027: (380.0, 400.0), 2028: (370.0, 400.0)}
    >>> cells = pd.DataFrame([{**cell, "year": year, "grade": grade, "demand": need, "places": has}
    ...     for year, (need, has) in years.items() for grade in ("J1", "J2", "J3")])
    >>> projects, use = review_projects(cells, plan, 2025)
    >>> projects[["opens", "relieves", "first_needed", "years_late", "peak_use", "too_large"]]
       opens  relieves  first_needed  years_late  peak_use  too_large
    0   2027     450.0          2026           1     240.0      False
    """
    if assumptions.projects is None or assumptions.places is None:
        return _typed([]), pd.DataFrame(columns=USE)
    base = resolve_grades(grades if grades is not None else assumptions.grades)
    system = with_structure(base, assumptions.events)
    changes = structure_changes(assumptions.events, base)
    last = int(assumptions.places["year"].max())
    own = cells[(cells["plan_case"] == "planned") & (cells["year"] >= launch_year)]
    balanced = _cells(own, assumptions.standards, districts, system)
    found: list[Row] = []
    used: list[pd.DataFrame] = []
    for row, stage, steps in _moves(assumptions, system, last):
        named = _named(row, stage, steps)
        spreads = [spread_step(step, balanced.years, system, changes) for step in steps]
        where = _where(balanced, steps[0])
        adds = sum(sum(spread.values()) for spread in spreads)
        reason = _reason(steps, where, np.asarray(adds), balanced.years)
        if reason or where is None:
            found.append({**named, "reason": reason})
            continue
        use = _used(balanced, where, spreads, np.asarray(adds))
        life = _life(row, stage, steps, assumptions.standards)
        opens = named["opens"]
        reason = "" if (use.places > SHORT).any() else TAKES
        figures = judged(use, opens, life)
        found.append({**named, "ledger": where[1], **figures, "reason": reason})
        table = {"year": use.years, "places": use.places, "use": np.maximum(use.relief, 0.0)}
        used.append(pd.DataFrame({**table, **{key: named[key] for key in USE[:3]}})[USE])
    found += _overdue(assumptions, {(row["project"], row["stage"]) for row in found}, last)
    return _typed(found), pd.concat(used, ignore_index=True) if used else pd.DataFrame(columns=USE)


def _typed(found: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(found, columns=PROJECTS)
    return table.astype({**TYPES, "places": float, "relieves": float, "causes": float})


def _moves(
    assumptions: Assumptions, system: pd.DataFrame, last: int
) -> Iterator[tuple[Row, str, list[Step]]]:
    """Yield each project with each stage that it brings places to or takes them from.

    What has opened by the last year counted stands in the table of places with all its grades.
    """
    for row in plan_rows(assumptions, system, last, quiet=True):
        steps = [step if (step.opens or last) > last else _full(step) for step in steps_of(row)]
        for stage in dict.fromkeys(step.stage for step in steps):
            yield row, stage, [step for step in steps if step.stage == stage]


def _full(step: Step) -> Step:
    return replace(step, opens=None)


def _cells(
    own: pd.DataFrame,
    standards: pd.DataFrame | None,
    districts: pd.DataFrame | None,
    system: pd.DataFrame,
) -> Cells:
    """Add cells up to the areas in which their places are planned."""
    pairs = own[["district", "stage"]].drop_duplicates(ignore_index=True)
    areas = planning_areas(standards, districts, pairs)
    keys = zip(pairs["district"], pairs["stage"], strict=True)
    area = {(str(d), str(s)): str(a) for (d, s), a in zip(keys, areas, strict=True)}
    codes = [area[d, s] for d, s in zip(own["district"], own["stage"], strict=True)]
    grouped = own.assign(area=codes).groupby(
        ["area", "ledger", "grade", "year"], as_index=False, sort=False
    )
    table = grouped.agg(demand=("demand", "sum"), places=("places", "sum"))
    axes: dict[str, list[Any]] = {
        "area": sorted(set(table["area"])),
        "ledger": list(dict.fromkeys(table["ledger"])),
        "grade": list(system["grade"]),
        "year": sorted(set(table["year"])),
    }
    demand, places = (to_array(table, axes, name, holes=True) for name in ("demand", "places"))
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    return Cells(area, stage_of, axes, demand, places)


def _named(row: Row, stage: str, steps: Sequence[Step]) -> Row:
    """Return what a project is called; its places are those that come, or else that go."""
    coming = [step for step in steps if step.places > 0]
    return {
        "project": row["project"],
        "stage": stage,
        "district": row["district"],
        "kind": row["kind"],
        "status": row["status"],
        "opens": min((step.year for step in coming), default=None),
        "places": max(step.places for step in coming) if coming else steps[0].places,
    }


def _where(cells: Cells, step: Step) -> tuple[str, str] | None:
    """Return the area and the ledger in which a project is judged; None where there is none."""
    area = cells.area.get((step.district, step.stage))
    if area is None:
        return None
    counting = {"all"}
    if step.sector != ANY_SECTOR:
        table = ledger_sectors()
        own = table[(table["sector"] == step.sector) & table["stage"].isin(["", step.stage])]
        counting |= set(own["ledger"])
    a = cells.axes["area"].index(area)
    for ledger in NARROW_FIRST:
        if ledger in counting and ledger in cells.axes["ledger"]:
            there = cells.demand[a, cells.axes["ledger"].index(ledger)]
            if not np.isnan(there[_grades(cells, step.stage)]).all():
                return area, ledger
    return None


def _grades(cells: Cells, stage: str) -> list[int]:
    return [i for i, grade in enumerate(cells.axes["grade"]) if cells.stage_of[grade] == stage]


def _reason(
    steps: Sequence[Step], where: tuple[str, str] | None, adds: Array, years: Sequence[int]
) -> str:
    """Say why a project is not judged; blank where it is."""
    if any(step.other for step in steps):
        return HANDS
    if where is None:
        return UNBALANCED
    if not (np.abs(adds) > SHORT).any():
        return NOTHING.format(first=years[0], last=years[-1])
    return ""


def _used(
    cells: Cells, where: tuple[str, str], spreads: Sequence[Mapping[str, Array]], adds: Array
) -> Used:
    """Set the shortage without a project against the one with it, cell by cell."""
    a, b = cells.axes["area"].index(where[0]), cells.axes["ledger"].index(where[1])
    with_it, without = np.zeros(len(cells.years)), np.zeros(len(cells.years))
    for grade in dict.fromkeys(name for spread in spreads for name in spread):
        g = cells.axes["grade"].index(grade)
        demand, places = cells.demand[a, b, g], cells.places[a, b, g]
        moved = sum(spread[grade] for spread in spreads if grade in spread)
        # A cell that does not exist in a year is neither short nor idle in it.
        with_it += np.nan_to_num(np.maximum(demand - places, 0.0))
        without += np.nan_to_num(np.maximum(demand - np.maximum(places - moved, 0.0), 0.0))
    return Used(cells.years, adds, without - with_it, without)


def _life(row: Row, stage: str, steps: Sequence[Step], standards: pd.DataFrame | None) -> float:
    """Return the years that a project serves; NaN where it is not known."""
    came = [step.year for step in steps if step.places > 0]
    went = [step.year for step in steps if step.places < 0]
    if came and went and max(went) > min(came):
        return float(max(went) - min(came))
    year = min(came) if came else None
    cell = pd.DataFrame({"district": [row["district"]], "stage": [stage], "year": [year]})
    return float(standard(standards, LIVES[row["kind"] == "temporary"], cell).iloc[0])


def _overdue(assumptions: Assumptions, told: set[tuple[str, str]], last: int) -> list[Row]:
    """Return the projects that should have opened by now and are not open."""
    projects = assumptions.projects
    assert projects is not None
    left = projects[(projects["status"] != "cancelled") & (projects["kind"] != "equipment")]
    due = left["opens"] if "opens" in left.columns else pd.Series(pd.NA, left.index)
    rows = []
    for row, opens in zip(left.to_dict("records"), due, strict=True):
        if (row["project"], row["stage"]) not in told:
            named = {name: row.get(name) for name in NAMED if name != "ledger"}
            rows.append({**named, "opens": opens, "reason": GONE.format(last=last)})
    return rows
