"""What stands beside the balance: tasks, targets, warnings, classes, estates and the plan's checks.

Each account is made where the region has the table it needs, and is left out where it has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.enrolment.estates import estate_gaps
from placeforecast.enrolment.housing import housing_levels
from placeforecast.places.classes import hidden_shortage, rooms_and_staff
from placeforecast.places.derive import derived_places
from placeforecast.places.funding import money_needed
from placeforecast.places.indicators import implied_indicators
from placeforecast.places.intake import intake_warnings
from placeforecast.places.plan_checks import land_need, plan_checks
from placeforecast.places.relief import relieve
from placeforecast.places.staffing import staff_and_posts
from placeforecast.places.tasks import compare_tasks, score_tasks
from placeforecast.places.zones import crowding, hot_spots
from placeforecast.rates.standards import standard
from placeforecast.tables.structure import absent_grades, structure_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placeforecast.tables.records import Assumptions, Inputs

    Tables = Mapping[str, pd.DataFrame]


RELIEVED = ("planned", "risk_adjusted")
"""Plan cases in which transfers between neighbours are worked out: the plan, and it at risk."""


@dataclass(frozen=True)
class Result:
    """What an account is made from: the region, the assumptions and the tables of the chain."""

    inputs: Inputs
    assumptions: Assumptions
    tables: Tables
    launch_year: int

    @property
    def tasks(self) -> pd.DataFrame | None:
        """Return the tasks assumed, else those of the region."""
        assumed = self.assumptions.tasks
        return self.inputs.tasks if assumed is None else assumed


def _has(standards: pd.DataFrame | None, indicator: str) -> bool:
    return standards is not None and bool((standards["indicator"] == indicator).any())


def _indicators(result: Result) -> pd.DataFrame:
    tables, inputs = result.tables, result.inputs
    return implied_indicators(
        tables["pupils"],
        tables["demand"],
        tables["children"],
        inputs.enrolment,
        inputs.policy,
        districts=inputs.districts,
        grades=inputs.grades,
    )


def _tasks(result: Result) -> pd.DataFrame | None:
    tasks, places = result.tasks, result.tables.get("places")
    if tasks is None:
        return None
    tree, grades = result.inputs.districts, result.inputs.grades
    return compare_tasks(
        tasks,
        _projects(result),
        result.tables["demand"],
        places,
        districts=tree,
        grades=grades,
        assumptions=result.assumptions,
    )


def _projects(result: Result) -> pd.DataFrame | None:
    projects = result.assumptions.projects
    return None if projects is None else derived_places(projects, result.assumptions.standards)


def _scores(result: Result) -> pd.DataFrame | None:
    tasks, year = result.tasks, result.launch_year
    if tasks is None or (tasks["year_from"] > year).all():
        return None
    tree, grades = result.inputs.districts, result.inputs.grades
    return score_tasks(tasks, _projects(result), year=year, districts=tree, grades=grades)


def _intake(result: Result) -> pd.DataFrame | None:
    plan, pupils = result.inputs.intake_plan, result.tables["pupils"]
    launch, grades = result.launch_year, result.inputs.grades
    if plan is not None:  # a plan may run on beyond the forecast
        plan = plan[plan["year"].between(launch, int(pupils["year"].max()))]
    if plan is None or plan.empty:
        return None
    changes = structure_changes(result.inputs.events, grades)
    cells = zip(plan["district"], plan["year"], strict=True)
    absent = [tuple(sorted(absent_grades(changes, str(d), int(y)))) for d, y in cells]
    assert grades is not None  # filled by Inputs
    # Which grade a stage begins with may differ between districts and years.
    parts = [
        intake_warnings(
            pupils,
            plan[[names == gone for names in absent]].reset_index(drop=True),
            launch_year=launch,
            grades=grades[~grades["grade"].isin(gone)],
        )
        for gone in dict.fromkeys(absent)
    ]
    return pd.concat(parts, ignore_index=True)


def _classes(result: Result) -> pd.DataFrame | None:
    bands, standards = result.inputs.class_sizes, result.assumptions.standards
    if bands is not None:  # nothing is known before it is counted
        bands = bands[bands["year"] <= result.launch_year].reset_index(drop=True)
    if bands is None or bands.empty:
        return None
    tree, grades = result.inputs.districts, result.inputs.grades
    return hidden_shortage(bands, standards, districts=tree, grades=grades)


def _rooms(result: Result) -> pd.DataFrame | None:
    standards = result.assumptions.standards
    if not _has(standards, "class_size"):
        return None
    demand = result.tables["demand"]
    cells = demand[["stage", "grade"]].drop_duplicates()
    sizes = standard(standards, "class_size", cells)  # a stage of the region's own may have none
    known = demand[demand["grade"].isin(cells.loc[sizes.notna(), "grade"])]
    if known.empty:
        return None
    return rooms_and_staff(known, result.assumptions, grades=result.inputs.grades)


def _estates(result: Result) -> pd.DataFrame | None:
    housing, standards = result.assumptions.housing, result.assumptions.standards
    if housing is None or not _has(standards, "places_per_1000"):
        return None
    return estate_gaps(housing, standards)


def _levels(result: Result) -> pd.DataFrame | None:
    housing = result.assumptions.housing
    return None if housing is None else housing_levels(housing, result.launch_year)


def _relief(result: Result) -> pd.DataFrame | None:
    neighbours, cells = result.inputs.neighbours, result.tables.get("balance_cells")
    if neighbours is None or cells is None:
        return None
    tree, grades = result.inputs.districts, result.inputs.grades
    cells = cells[cells["plan_case"].isin(RELIEVED)]
    return relieve(cells, neighbours, districts=tree, grades=grades).stages


def _hot_spots(result: Result) -> pd.DataFrame | None:
    tree, balance = result.inputs.districts, result.tables.get("balance")
    if balance is None or tree is None or not _told(tree, "tag"):
        return None
    # Stages planned above the district share their shortage out: no spot is hotter than another.
    standards = result.assumptions.standards
    planned = set() if standards is None else _planned_higher(standards)
    return hot_spots(balance[~balance["stage"].isin(planned)], tree)


def _planned_higher(standards: pd.DataFrame) -> set[str]:
    return set(standards.loc[standards["indicator"] == "planned_at", "stage"].dropna())


def _crowding(result: Result) -> pd.DataFrame | None:
    tree, balance = result.inputs.districts, result.tables.get("balance")
    if balance is None or tree is None or not _told(tree, "zone_type"):
        return None
    return crowding(balance, tree)


def _told(tree: pd.DataFrame, column: str) -> bool:
    return column in tree.columns and bool(tree[column].notna().any())


def _checks(result: Result) -> pd.DataFrame | None:
    projects, standards = result.assumptions.projects, result.assumptions.standards
    if projects is None:
        return None
    enrolment, grades = result.inputs.enrolment, result.inputs.grades
    return plan_checks(projects, standards=standards, enrolment=enrolment, grades=grades)


def _land(result: Result) -> pd.DataFrame | None:
    projects, standards = result.assumptions.projects, result.assumptions.standards
    if projects is None or not _has(standards, "land_per_place"):
        return None
    return land_need(projects, standards)


def _staffing(result: Result) -> pd.DataFrame | None:
    posts = result.assumptions.posts
    if posts is None:
        return None
    return staff_and_posts(
        result.tables["demand"],
        posts,
        result.assumptions,
        launch_year=result.launch_year,
        districts=result.inputs.districts,
        grades=result.inputs.grades,
    )


def _funding(result: Result) -> pd.DataFrame | None:
    budget, assumptions = result.assumptions.budget, result.assumptions
    if budget is None:
        return None
    return money_needed(
        result.tables["demand"],
        assumptions.projects,
        budget,
        assumptions.standards,
        launch_year=result.launch_year,
        districts=result.inputs.districts,
    )


ACCOUNTS: Mapping[str, Callable[[Result], pd.DataFrame | None]] = {
    "indicators": _indicators,
    "tasks": _tasks,
    "task_scores": _scores,
    "intake_warnings": _intake,
    "hidden_shortage": _classes,
    "rooms": _rooms,
    "estates": _estates,
    "housing_levels": _levels,
    "relief": _relief,
    "hot_spots": _hot_spots,
    "crowding": _crowding,
    "plan_checks": _checks,
    "land": _land,
    "staffing": _staffing,
    "funding": _funding,
}
"""Each account by its name among the results."""


def accounts(
    inputs: Inputs, assumptions: Assumptions, tables: Tables, launch_year: int
) -> dict[str, pd.DataFrame]:
    """Return every account that the tables of a region allow.

    Parameters
    ----------
    inputs : Inputs
    assumptions : Assumptions
    tables : mapping of str to DataFrame
        `children`, `pupils`, `demand` and, where places are known, `places` and `balance_cells` of
        one run.
    launch_year : int

    Returns
    -------
    dict of str to DataFrame
        `indicators` (rates that follow, beside their targets), `tasks` (ordered, planned, delivered
        and needed), `task_scores` (delivered against due, by year), `intake_warnings`,
        `hidden_shortage`, `rooms` (classes, rooms, staff),
        `estates` (places required and reserved), `housing_levels`, `relief` (shortage after bounded
        moves between neighbours), `hot_spots`, `crowding` (urban and town zones short, rural ones
        empty), `plan_checks`, `land`, `staffing` (staff needed beside the posts there are),
        `funding` (what plan and pupils cost, beside the money there is).
    """
    result = Result(inputs, assumptions, tables, launch_year)
    made = {name: make(result) for name, make in ACCOUNTS.items()}
    return {name: table for name, table in made.items() if table is not None}
