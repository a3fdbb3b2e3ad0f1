"""Tasks that a higher authority has ordered, against what is planned, delivered and needed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.steps import OPTIONAL as OF_STEPS
from placeforecast.places.supply import STATUSES
from placeforecast.places.task_needs import needed_places, standing_places
from placeforecast.tables.check import check
from placeforecast.tables.districts import ancestors, members
from placeforecast.tables.grades import resolve_grades, stages_in_order
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.tables.records import Assumptions

Row = dict[str, Any]

ADDING = ("new", "extension", "conversion", "rebuild", "refit")
"""Kinds of project that bring lasting places; rebuild and refit only without an outage."""
COUNTED = STATUSES["planned"]
OPTIONAL = ("places", *OF_STEPS)
PARTS = ("district", "of", "year_from", "year_to")
"""What names a task: where, of which stage or combined stage, and when."""
BUILDING = [*PARTS, "project", "place", "stage", "status", "places"]
COMPARED = ["district", "stage", "year_from", "year_to", "of", "share"]
FIGURES = ["task", "planned", "delivered", "needed", "ahead"]
SCORED = ["district", "stage", "year_from", "year_to", "year", "task", "due", "delivered", "ahead"]
FIRST_LISTED = 5


def compare_tasks(
    tasks: pd.DataFrame,
    projects: pd.DataFrame | None,
    demand: pd.DataFrame,
    places: pd.DataFrame | None,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
    assumptions: Assumptions | None = None,
) -> pd.DataFrame:
    """Set each task against what is planned and delivered in its period, and what is needed.

    `delivered` and `planned` are the projects of `task_projects`: open ones, and all that are not
    cancelled. `needed` is what the public ledger needs in the last year of the task beyond what
    stood before the period, added up over districts and stages without netting: shortage of a
    district = sum over zones of max(0, shortage of the zone), where what stood is the places of
    plan case ``existing`` less those that stand in it for what is delivered. A school that opens
    ``by_grade`` is delivered in full when it opens and stands with the grades that are open, or in
    full if it had opened by the last year of the table of places. A stage of which no row of
    `demand` is public is judged by the ledger ``all``. A task over a combined stage is split over
    its stages in proportion to `needed`, never evenly.

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
    assumptions : Assumptions, optional
        What `places` was scheduled from: its `places` and `events` say which schools stand in part.
        Left out, every delivered school stands in full.

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
        For projects that would count and whose places are blank: they add nothing. For schools that
        stand in part in the last year of a task, without `assumptions`.

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
    _refuse_tasks(tasks, set(demand["district"].unique()), districts, system)
    # What is needed is set against what stands: the other plan cases are left out once.
    stands = None if places is None else places[places["plan_case"] == "existing"]
    adding = _adding(projects)
    below = {} if districts is None else members(districts)
    rows: list[Row] = []
    counted: list[pd.DataFrame] = []
    for task in _records(tasks):
        stages, own = _stages(str(task["stage"])), None
        needed = dict.fromkeys(stages, np.nan)
        if adding is not None:
            year, own = int(task["year_to"]), _built(task, adding, districts)
            leaves = below.get(str(task["district"]), [str(task["district"])])
            given = _given(task, adding[adding["status"] == "open"], districts)
            standing = standing_places(given, year, assumptions, system)
            needed = {
                stage: needed_places(demand, stands, (stage, year, leaves), standing, system)
                for stage in stages
            }
            counted.append(own)
        rows += _rows_of(task, stages, own, needed)
    _warn_blank(counted)
    table = pd.DataFrame(rows, columns=[*COMPARED, *FIGURES])
    return table.astype(dict.fromkeys(["share", *FIGURES], float))


def score_tasks(
    tasks: pd.DataFrame,
    projects: pd.DataFrame | None,
    *,
    year: int,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score each task at the end of each school year: places delivered to date against those due.

    Tasks name a period and no path through it. By convention the same number is due every year:
    due = task x years elapsed, this one included / years of the period; after its last year the
    whole task. Delivered are the open projects of `task_projects` that have opened since the period
    began; a school that opens ``by_grade`` counts in full when it opens. What opens after the
    period counts as late, until the next task of the same district and stage begins.

    Parameters
    ----------
    tasks, projects, districts, grades
        As for `compare_tasks`. Without `districts` a task is of one district.
    year : int
        Last school year of the score: the launch year, for which the status of the projects holds.

    Returns
    -------
    DataFrame [district, stage, year_from, year_to, year, task, due, delivered, ahead, score]
        Places. One row for each task, a combined one as a whole, and each school year from its
        first to `year`; a task that begins later has none. ahead = delivered - due and
        score = delivered / due, missing where nothing is due. Without projects all three are
        missing.

    Raises
    ------
    InputError
        For a task of a district or stage that is not known, or a period that ends before it begins.

    Warns
    -----
    AssumptionWarning
        For projects that would count and whose places are blank: they add nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.tasks import score_tasks
    >>> task = {"district": "A", "stage": "junior", "year_from": 2022, "year_to": 2025}
    >>> projects = pd.DataFrame({"project": ["East", "West"], "district": "A", "stage": "junior",
    ...     "kind": "new", "status": "open", "opens": [2023, 2024], "places": [300, 150]})
    >>> found = score_tasks(pd.DataFrame([{**task, "places": 600}]), projects, year=2024)
    >>> found[["year", "task", "due", "delivered", "ahead", "score"]]
       year   task    due  delivered  ahead  score
    0  2022  600.0  150.0        0.0 -150.0    0.0
    1  2023  600.0  300.0      300.0    0.0    1.0
    2  2024  600.0  450.0      450.0    0.0    1.0
    """
    tasks, system = check(tasks, "tasks"), resolve_grades(grades)
    _refuse_tasks(tasks, set(tasks["district"]), districts, system)
    adding = _adding(projects)
    parts, counted = [], []
    for task in _records(tasks):
        years = np.arange(task["year_from"], year + 1)
        period = task["year_to"] - task["year_from"] + 1
        delivered = np.full(len(years), np.nan)
        if adding is not None:
            until = min(_late_until(task, tasks), year)
            own = _built({**task, "year_to": until}, adding, districts)
            opened = own[own["status"] == "open"]
            delivered = np.array([opened.loc[opened["year"] <= t, "places"].sum() for t in years])
            counted.append(opened)
        due = float(task["places"]) * np.minimum(years - task["year_from"] + 1, period) / period
        named = {name: task[name] for name in SCORED[:4]}
        figures = {"task": task["places"], "due": due, "delivered": delivered}
        parts.append(pd.DataFrame({"year": years, **figures}).assign(**named))
    _warn_blank(counted)
    table = pd.concat(parts, ignore_index=True).assign(ahead=lambda t: t["delivered"] - t["due"])
    table = table.astype(dict.fromkeys(SCORED[5:], float))[SCORED]
    return table.assign(score=table["delivered"] / table["due"].where(table["due"] > 0))


def _late_until(task: Row, tasks: pd.DataFrame) -> float:
    """Return the last year whose places count for a task: before the next one like it begins."""
    same = (tasks["district"] == task["district"]) & (tasks["stage"] == task["stage"])
    later = tasks.loc[same & (tasks["year_from"] > task["year_from"]), "year_from"]
    return max(float(task["year_to"]), float(later.min()) - 1) if len(later) else np.inf


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
    adding = _adding(projects)
    if adding is None:
        return pd.DataFrame({name: [] for name in BUILDING})
    parts = []
    for task in _records(check(tasks, "tasks")):
        names = {"district": task["district"], "of": task["stage"]}
        period = {"year_from": task["year_from"], "year_to": task["year_to"]}
        parts.append(_built(task, adding, districts).assign(**names, **period))
    table = pd.concat(parts, ignore_index=True)[BUILDING]
    return table.astype({"places": float})


def _built(task: Row, adding: pd.DataFrame, districts: pd.DataFrame | None) -> pd.DataFrame:
    """Return the projects of a task with the places that come and, as negative ones, that go."""
    own, stages = _given(task, adding, districts), _stages(str(task["stage"]))
    left = own[own["from_stage"].isin(stages) & _public(own["from_sector"])]
    taken = left.assign(stage=left["from_stage"], places=-left["places"])
    return pd.concat([own, taken]).assign(place=lambda t: t["district"])


def _given(task: Row, adding: pd.DataFrame, districts: pd.DataFrame | None) -> pd.DataFrame:
    """Return the projects of a task as they are given."""
    return adding[
        adding["district"].isin(_within(str(task["district"]), districts))
        & adding["stage"].isin(_stages(str(task["stage"])))
        & adding["year"].between(task["year_from"], task["year_to"])
    ]


def _adding(projects: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the projects that bring lasting public places, with the year they count for."""
    if projects is None:
        return None
    known = {column.name for column in vocabulary()["projects"].columns}
    table = check(projects[[name for name in projects.columns if name in known]], "projects")
    table = table.reindex(columns=list(dict.fromkeys([*table.columns, *OPTIONAL])))
    opening = table["opened"].where(table["status"] == "open").fillna(table["opens"])
    table = table.assign(year=pd.to_numeric(opening.astype("object")).astype("float64"))
    away = table["kind"].isin(["rebuild", "refit"]) & table["outage_from"].notna()
    counted = table["kind"].isin(ADDING) & table["status"].isin(COUNTED) & ~away
    return table[counted & _public(table["sector"])]


def _records(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


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


def _refuse_tasks(
    tasks: pd.DataFrame, known: set[str], districts: pd.DataFrame | None, system: pd.DataFrame
) -> None:
    """Refuse tasks made by hand that a region read from its folder cannot hold."""
    known = known if districts is None else set(districts["district"].tolist())
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


def _warn_blank(parts: list[pd.DataFrame]) -> None:
    named = [name for built in parts for name in built.loc[built["places"].isna(), "project"]]
    blank = list(dict.fromkeys(map(str, named)))
    if blank:
        text = (
            f"projects: {len(blank)} that count for a task have no places and add nothing to what "
            f"is planned or delivered ({', '.join(blank[:FIRST_LISTED])}). Give their places."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=3)


def _rows_of(
    task: Row,
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
