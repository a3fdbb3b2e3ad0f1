"""Tasks that a higher authority has ordered, against what is planned, delivered and needed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.supply import STATUSES
from placeforecast.tables.check import check
from placeforecast.tables.districts import ancestors, members
from placeforecast.tables.doors import to_array
from placeforecast.tables.grades import resolve_grades, stages_in_order
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = dict[str, Any]
Built = dict[tuple[str, str], float]
"""Places delivered in a period, by district and stage."""

ADDING = ("new", "extension", "conversion", "rebuild", "refit")
"""Kinds of project that bring lasting places; rebuild and refit only without an outage."""
COUNTED = STATUSES["planned"]
OPTIONAL = ("places", "sector", "opened", "outage_from", "from_stage", "from_sector")
PARTS = ("district", "of", "year_from", "year_to")
"""What names a task: where, of which stage or combined stage, and when."""
BUILDING = [*PARTS, "project", "place", "stage", "status", "places"]
COMPARED = ["district", "stage", "year_from", "year_to", "of", "share"]
FIGURES = ["task", "planned", "delivered", "needed", "ahead"]
FIRST_LISTED = 5


def compare_tasks(
    tasks: pd.DataFrame,
    projects: pd.DataFrame | None,
    demand: pd.DataFrame,
    places: pd.DataFrame | None,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set each task against what is planned and delivered in its period, and what is needed.

    `delivered` and `planned` are the projects of `task_projects`: open ones, and all that are not
    cancelled. `needed` is what the public ledger needs in the last year of the task beyond what
    stood before the period, added up over districts and stages without netting: shortage of a
    district = sum over zones of max(0, shortage of the zone), where what stood is the places of
    plan case ``existing`` less those delivered. A stage of which no row of `demand` is public is
    judged by the ledger ``all``. A task over a combined stage is split over its stages in
    proportion to `needed`, never evenly.

    Parameters
    ----------
    tasks : DataFrame [district, stage, year_from, year_to, places]
        As in the vocabulary; `district` may be a parent, `stage` a combined name.
    projects : DataFrame or None
        As in the vocabulary.
    demand : DataFrame [district, year, grade, stage, ledger, demand]
        From `demand_places`.
    places : DataFrame [district, year, grade, stage, ledger, plan_case, places] or None
        From `schedule_places`, with the case ``existing``.
    districts : DataFrame, optional
        How districts roll up; without it a task is of one district.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    DataFrame [district, stage, year_from, year_to, of, share, task, planned, delivered, needed, \
ahead]
        Places. One row for each task; the stages of a combined task follow it, with the task in
        `of` and their share of it in `share`. `ahead` is delivered - task. `planned` and
        `delivered` are missing without projects; `needed` without projects, or without demand and
        places of the last year, which may lie before the launch or after the end. Where nothing is
        needed, or it is not known, the split is missing and so are the tasks of the stages.

    Raises
    ------
    InputError
        For a task of a district or stage that is not known, a period that ends before it begins,
        or a cell with demand and without places or the other way round.

    Warns
    -----
    AssumptionWarning
        For projects that would count and whose places are blank: they add nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.tasks import compare_tasks
    >>> task = {"district": "A", "stage": "junior", "year_from": 2022, "year_to": 2025}
    >>> tasks = pd.DataFrame([{**task, "places": 600}])
    >>> projects = pd.DataFrame({"project": ["East", "West"], "district": "A", "stage": "junior",
    ...     "kind": "new", "status": ["open", "approved"], "opens": [2023, 2025],
    ...     "places": [300, 400]})
    >>> cell = {"district": "A", "year": 2025, "grade": "J1", "stage": "junior"}
    >>> demand = pd.DataFrame([{**cell, "ledger": "public", "demand": 1000.0}])
    >>> stands = {"ledger": "public", "plan_case": "existing", "places": 800.0}
    >>> compared = compare_tasks(tasks, projects, demand, pd.DataFrame([{**cell, **stands}]))
    >>> compared[["task", "planned", "delivered", "needed", "ahead"]]
        task  planned  delivered  needed  ahead
    0  600.0    700.0      300.0   500.0 -300.0
    """
    tasks, system = check(tasks, "tasks"), resolve_grades(grades)
    _refuse_tasks(tasks, set(demand["district"]), districts, system)
    built = task_projects(tasks, projects, districts=districts)
    _warn_blank(built)
    below = {} if districts is None else members(districts)
    rows: list[Row] = []
    for task in tasks.to_dict("records"):
        stages = _stages(str(task["stage"]))
        own = built[_of_task(built, {str(key): value for key, value in task.items()})]
        if projects is None:
            needed = dict.fromkeys(stages, np.nan)
        else:
            leaves = below.get(str(task["district"]), [str(task["district"])])
            opened = own[own["status"] == "open"].groupby(["place", "stage"])["places"].sum()
            delivered = {(str(k[0]), str(k[1])): float(v) for k, v in opened.items()}  # type: ignore[index]
            at = (int(task["year_to"]), leaves)
            needed = {s: _needed(demand, places, s, at, delivered, system) for s in stages}
        rows += _rows_of(task, stages, own if projects is not None else None, needed)
    table = pd.DataFrame(rows, columns=[*COMPARED, *FIGURES])
    return table.astype(dict.fromkeys(["share", *FIGURES], float))


def task_projects(
    tasks: pd.DataFrame,
    projects: pd.DataFrame | None,
    *,
    districts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the projects that count for each task, with the places each brings to a stage.

    Projects of the task's district, or below it, count by the school year they opened in if they
    are open and it is given, else by the one they are to open in. They bring lasting public
    places: new schools, extensions, conversions, and rebuilding or refitting without an outage,
    by a sector that is public or blank. A conversion between stages of one combined task adds to
    one and takes from the other.

    Parameters
    ----------
    tasks, projects, districts
        As for `compare_tasks`.

    Returns
    -------
    DataFrame [district, of, year_from, year_to, project, place, stage, status, places]
        `district`, `of` and the period name the task, `place` is the district of the project.
        `places` is missing where it is blank in the project.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.tasks import task_projects
    >>> task = {"district": "A", "stage": "compulsory", "year_from": 2022, "year_to": 2025}
    >>> projects = pd.DataFrame({"project": ["East"], "district": "A", "stage": "junior",
    ...     "kind": "conversion", "from_stage": "primary", "status": "open", "opens": 2023,
    ...     "places": 300})
    >>> found = task_projects(pd.DataFrame([{**task, "places": 600}]), projects)
    >>> found[["project", "stage", "places"]]
      project    stage  places
    0    East   junior   300.0
    1    East  primary  -300.0
    """
    if projects is None:
        return pd.DataFrame({name: [] for name in BUILDING})
    known = {column.name for column in vocabulary()["projects"].columns}
    adding = _adding(check(projects[[c for c in projects.columns if c in known]], "projects"))
    parts = []
    for task in check(tasks, "tasks").to_dict("records"):
        area, stages = str(task["district"]), _stages(str(task["stage"]))
        own = adding[
            adding["district"].isin(_within(area, districts))
            & adding["stage"].isin(stages)
            & adding["year"].between(task["year_from"], task["year_to"])
        ]
        left = own[own["from_stage"].isin(stages) & _public(own["from_sector"])]
        taken = left.assign(stage=left["from_stage"], places=-left["places"])
        named = {"of": task["stage"], "year_from": task["year_from"], "year_to": task["year_to"]}
        both = pd.concat([own, taken]).assign(place=lambda t: t["district"], **named)
        parts.append(both.assign(district=area))
    table = pd.concat(parts, ignore_index=True)[BUILDING]
    return table.astype({"places": float})


def _adding(projects: pd.DataFrame) -> pd.DataFrame:
    """Return the projects that bring lasting public places, with the year they count for."""
    table = projects.reindex(columns=list(dict.fromkeys([*projects.columns, *OPTIONAL])))
    opening = table["opened"].where(table["status"] == "open").fillna(table["opens"])
    table = table.assign(year=pd.to_numeric(opening.astype("object")).astype("float64"))
    away = table["kind"].isin(["rebuild", "refit"]) & table["outage_from"].notna()
    counted = table["kind"].isin(ADDING) & table["status"].isin(COUNTED) & ~away
    return table[counted & _public(table["sector"])]


def _public(sector: pd.Series[Any]) -> pd.Series[bool]:
    return sector.isna() | (sector == "public")


def _stages(stage: str) -> tuple[str, ...]:
    return combined_stages().get(stage, (stage,))


def _within(area: str, districts: pd.DataFrame | None) -> set[str]:
    """Return a district and all below it."""
    if districts is None:
        return {area}
    chains = ancestors(districts)
    return {area, *(name for name, above in chains.items() if area in above)}


def _of_task(built: pd.DataFrame, task: Mapping[str, Any]) -> pd.Series[bool]:
    own: pd.Series[bool] = (
        (built["district"] == task["district"])
        & (built["of"] == task["stage"])
        & (built["year_from"] == task["year_from"])
        & (built["year_to"] == task["year_to"])
    )
    return own


def _refuse_tasks(
    tasks: pd.DataFrame, known: set[str], districts: pd.DataFrame | None, system: pd.DataFrame
) -> None:
    """Refuse tasks made by hand that a region read from its folder cannot hold."""
    known = known if districts is None else set(districts["district"])
    stages = stages_in_order(system)
    complete = [name for name, own in combined_stages().items() if set(own) <= set(stages)]
    problems = []
    for number, row in enumerate(tasks.to_dict("records"), start=1):
        where, stage = str(row["district"]), str(row["stage"])
        named: dict[str, Any] = {"file": "tasks", "row": number}
        if where not in known:
            table = "demand" if districts is None else "districts"
            rule, remedy = f"is not a district of the table {table}", suggest(where, known)
            problems.append(Problem(rule, remedy, column="district", value=where, **named))
        if stage not in (*stages, *complete):
            rule = "is not a stage of the school system"
            remedy = suggest(stage, [*stages, *complete])
            problems.append(Problem(rule, remedy, column="stage", value=stage, **named))
        if row["year_to"] < row["year_from"]:
            rule, remedy = f"is before year_from {row['year_from']}", "Correct one of the two."
            value = str(row["year_to"])
            problems.append(Problem(rule, remedy, column="year_to", value=value, **named))
    refuse(problems)


def _warn_blank(built: pd.DataFrame) -> None:
    blank = list(dict.fromkeys(built.loc[built["places"].isna(), "project"].astype(str)))
    if blank:
        named = ", ".join(blank[:FIRST_LISTED])
        text = (
            f"projects: {len(blank)} that count for a task have no places and add nothing to what "
            f"is planned or delivered ({named}). Give their places."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=3)


def _needed(
    demand: pd.DataFrame,
    places: pd.DataFrame | None,
    stage: str,
    at: tuple[int, list[str]],
    delivered: Built,
    system: pd.DataFrame,
) -> float:
    """Return what a stage needs in a year beyond what stood before; NaN where it is not known."""
    year, leaves = at
    taught = demand[(demand["stage"] == stage) & demand["district"].isin(leaves)]
    ledger = (
        "public" if (demand.loc[demand["stage"] == stage, "ledger"] == "public").any() else "all"
    )
    taught = taught[taught["year"] == year]
    own = taught[taught["ledger"] == ledger]
    if places is None or own.empty or set(taught["district"]) != set(own["district"]):
        return np.nan
    stands = places[
        (places["stage"] == stage)
        & (places["ledger"] == ledger)
        & (places["plan_case"] == "existing")
        & (places["year"] == year)
    ]
    if stands.empty:
        return np.nan
    stands = stands[stands["district"].isin(leaves)]
    there = [leaf for leaf in leaves if leaf in {*own["district"], *stands["district"]}]
    taught_there = {*own["grade"], *stands["grade"]}
    axes = {"district": there, "grade": [g for g in system["grade"] if g in taught_there]}
    wanted = to_array(own, axes, "demand", holes=True)
    standing = to_array(stands, axes, "places", holes=True)
    _refuse_unmatched(np.isnan(wanted) != np.isnan(standing), axes, (year, ledger))
    added = np.array([delivered.get((leaf, stage), 0.0) for leaf in there])
    short = np.nansum(wanted, axis=1) - (np.nansum(standing, axis=1) - added)
    return float(np.maximum(short, 0.0).sum())


def _refuse_unmatched(lacking: Any, axes: Mapping[str, Sequence[str]], at: tuple[int, str]) -> None:  # noqa: ANN401
    if lacking.any():
        d, g = (int(i) for i in np.argwhere(lacking)[0])
        cell = f"{axes['district'][d]} {axes['grade'][g]} {at[0]}"
        rule = f"and demand (ledger {at[1]}) do not hold the same cells, first: {cell}"
        remedy = "Add the cell to the one that lacks it; what is nothing is written as 0."
        refuse([Problem(rule, remedy, file="places")])


def _rows_of(
    task: Mapping[Any, Any],
    stages: tuple[str, ...],
    own: pd.DataFrame | None,
    needed: Mapping[str, float],
) -> list[Row]:
    """Return the row of a task, and those of its stages where it is a combined one."""
    ordered, whole, of = float(task["places"]), sum(needed.values()), str(task["stage"])
    split = {s: need / whole if whole > 0 else np.nan for s, need in needed.items()}
    wanted = {of: (1.0, whole, stages)}
    if stages != (of,):
        wanted |= {s: (split[s], needed[s], (s,)) for s in stages}
    rows = []
    for stage, (share, need, parts) in wanted.items():
        planned = delivered = np.nan
        if own is not None:
            here = own[own["stage"].isin(parts)]
            planned = float(here["places"].sum())
            delivered = float(here.loc[here["status"] == "open", "places"].sum())
        amount = ordered * share
        figures = (amount, planned, delivered, need, delivered - amount)
        named = (task["district"], stage, task["year_from"], task["year_to"], of, share)
        rows.append(dict(zip([*COMPARED, *FIGURES], (*named, *figures), strict=True)))
    return rows
