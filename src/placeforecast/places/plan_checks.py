"""What a planner should look at in a construction plan; nothing of it stops a forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.places.derive import derived_places
from placeforecast.places.steps import steps_of
from placeforecast.rates.standards import standard
from placeforecast.tables.check import check
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.plan import changes_hands, plan_problems
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]
Finding = tuple[str, str, str, str]
"""Project, stage, district and what was found."""

COLUMNS = ["project", "stage", "district", "check", "finding", "requirement"]
SITED = ("new", "extension")
"""Kinds of project that take land."""
ONE_SCHOOL = ("new", "extension", "rebuild")
"""Kinds of project whose places are those of one school, or a part of them."""
EMPTY_YEARS = 3
USED = (
    "sector",
    "places",
    "classes",
    "floor_area",
    "opens",
    "closes",
    "opened",
    "outage_from",
    "outage_to",
    "from_stage",
    "from_sector",
    "batch",
    "phase_in",
    "land_area",
    "land_status",
    "plot",
)


def _has(row: Row, column: str) -> bool:
    return not pd.isna(row[column])


def _to_come(row: Row) -> bool:
    return bool(row["status"] != "open")


def _estimate(row: Row) -> str:
    source, amount = ("floor_area", "m2") if not _has(row, "classes") else ("classes", "classes")
    return f"{row['places']:.0f} places are estimated from {row[source]:.0f} {amount}"


def _unused_places(row: Row) -> str:
    given = row["given"]
    named = f"; the {given:.0f} places named are not counted" if given > 0 else ""
    return f"equipment only: it adds no places{named}"


ROW_CHECKS: tuple[tuple[str, str, Callable[[Row], bool], Callable[[Row], str]], ...] = (
    (
        "site",
        "R12",
        lambda row: (
            row["kind"] == "new"
            and _to_come(row)
            and not _has(row, "plot")
            and not _has(row, "land_status")
        ),
        lambda row: (
            f"opens in {row['opens']:.0f} and neither a plot nor the status of its land is given"
        ),
    ),
    (
        "title_issue",
        "R29",
        lambda row: row["land_status"] == "title_issue" and _to_come(row),
        lambda row: (
            f"the title of its land is not settled: {row['places']:.0f} places may come late"
        ),
    ),
    (
        "mixed_use",
        "R29",
        lambda row: row["land_status"] == "mixed_use" and _to_come(row),
        lambda row: f"its land is of mixed use: {row['places']:.0f} places rest on it",
    ),
    (
        "school_size",
        "R38, R60",
        lambda row: (
            row["kind"] in ONE_SCHOOL and _to_come(row) and bool(row["places"] > row["limit"])
        ),
        lambda row: (
            f"{row['places']:.0f} places are above the limit of {row['limit']:.0f} for one school"
        ),
    ),
    (
        "estimated",
        "R52",
        lambda row: bool(row["estimated"]) and _has(row, "classes"),
        _estimate,
    ),
    (
        "estimated",
        "R54",
        lambda row: bool(row["estimated"]) and not _has(row, "classes"),
        _estimate,
    ),
    ("equipment", "R53", lambda row: row["kind"] == "equipment", _unused_places),
    (
        "reuse",
        "R49, R62",
        lambda row: row["kind"] == "conversion" and not changes_hands(row),
        lambda row: (
            f"{row['places']:.0f} places of {row['from_stage']} are used for {row['stage']} from "
            f"{row['opens']:.0f} on"
        ),
    ),
    (
        "change_of_hands",
        "R02",
        changes_hands,
        lambda row: (
            f"{row['places']:.0f} places go from {row['from_sector']} to {row['sector']} in "
            f"{row['opens']:.0f}, in every plan case"
        ),
    ),
    (
        "no_outage",
        "R31",
        lambda row: (
            row["kind"] in ("rebuild", "refit") and _to_come(row) and not _has(row, "outage_from")
        ),
        lambda row: f"no outage is given: its {row['places']:.0f} places are counted as more",
    ),
)
"""Checks of one project: name, requirement, where it applies and what it says."""


def plan_checks(
    projects: pd.DataFrame,
    *,
    standards: pd.DataFrame | None = None,
    enrolment: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List what a planner should look at in the plan; cancelled projects are left out.

    Projects: a new school without plot and land status (`site`), land whose title is not settled
    (`title_issue`) or that is of mixed use (`mixed_use`), more places than one school should have
    (`school_size`), places from classes or area (`estimated`), equipment (`equipment`), buildings
    used for another stage (`reuse`), schools that change hands (`change_of_hands`), building work
    without an outage (`no_outage`). What is open already is not asked for its land, size or outage
    any more. The plan: places that come and go in the same stage, district
    and year (`both_ways`), projects of one batch (`batch`). Schools: no pupils in the last three
    years (`closure_candidate`).

    Parameters
    ----------
    projects : DataFrame
        The plan.
    standards : DataFrame, optional
        For `school_size_limit` (places), and for places that are not given.
    enrolment : DataFrame, optional
        Pupils counted. A stage of a district is a candidate for closure if each of its grades has
        a row of 0 pupils in each of the last three years of the table.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    DataFrame [project, stage, district, check, finding, requirement]
        One row per finding, in the order of the checks. Several names are joined by commas;
        `project` is blank where none is meant.

    Raises
    ------
    InputError
        For projects that break the vocabulary or the rules of a plan, or whose places cannot be
        derived.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.plan_checks import plan_checks
    >>> projects = pd.DataFrame({"project": ["East"], "stage": "primary", "district": "A",
    ...     "kind": "new", "status": "approved", "opens": 2027, "classes": 36.0})
    >>> size = pd.DataFrame({"stage": ["primary"], "indicator": "class_size", "value": 45.0})
    >>> for row in plan_checks(projects, standards=size).itertuples():
    ...     print(row.check, row.requirement, row.finding, sep=": ")
    site: R12: opens in 2027 and neither a plot nor the status of its land is given
    estimated: R52: 1620 places are estimated from 36 classes
    """
    system = resolve_grades(grades)
    rows = _rows(projects, standards, system)
    found: list[dict[str, str]] = []
    for name, requirement, applies, told in ROW_CHECKS:
        for row in rows:
            if applies(row):
                where = (str(row["project"]), str(row["stage"]), str(row["district"]))
                found.append(_found(name, requirement, (*where, told(row))))
    found += [_found("both_ways", "R46", finding) for finding in _both_ways(rows)]
    found += [_found("batch", "R30", finding) for finding in _batches(rows)]
    if enrolment is not None:
        empty = _empty_schools(enrolment, system)
        found += [_found("closure_candidate", "R47", finding) for finding in empty]
    return pd.DataFrame(found, columns=COLUMNS, dtype="str")


def land_need(projects: pd.DataFrame, standards: pd.DataFrame | None) -> pd.DataFrame:
    """Return the land that new schools and extensions take, by the year in which they open.

    Projects that are open have their land and cancelled ones need none.

    Parameters
    ----------
    projects : DataFrame
        The plan.
    standards : DataFrame or None
        For `land_per_place` (m2) of projects without `land_area`, and for places that are not
        given.

    Returns
    -------
    DataFrame [district, year, stage, places, land_area, estimated]
        Places and m2 of land; `estimated`: whether some of the land is places times the standard.

    Raises
    ------
    InputError
        For a project with neither a land area nor a standard, that breaks the rules of a plan, or
        whose places cannot be derived.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.plan_checks import land_need
    >>> projects = pd.DataFrame({"project": ["East"], "stage": "primary", "district": "A",
    ...     "kind": "new", "status": "approved", "opens": 2027, "places": 1620.0})
    >>> land = pd.DataFrame({"stage": ["primary"], "indicator": "land_per_place", "value": 18.0})
    >>> land_need(projects, land)
      district  year    stage  places  land_area  estimated
    0        A  2027  primary  1620.0    29160.0       True
    """
    # Land asks for no stage by name: the rule on private compulsory schools is left to others.
    table = _full(projects, standards, pd.DataFrame({"stage": []}))
    table = table[table["kind"].isin(SITED) & (table["status"] != "open")]
    cells = table[["district", "stage"]].assign(year=table["opens"].astype("int64"))
    norm = standard(standards, "land_per_place", cells)
    given = table["land_area"].astype("float64")
    land = given.where(given.notna(), table["places"] * norm)
    problems = []
    for at in land.index[land.isna()]:
        rule = f"is blank and there is no land_per_place of {table.loc[at, 'stage']}"
        told = f"{rule} (project {table.loc[at, 'project']})"
        remedy = "Give it (0 where no land is taken), or the standard."
        row = int(str(at)) + 1
        problems.append(Problem(told, remedy, file="projects", row=row, column="land_area"))
    refuse(problems)
    each = cells.assign(places=table["places"], land_area=land, estimated=given.isna())
    summed = each.groupby(["district", "year", "stage"], as_index=False)
    return summed.agg(
        places=("places", "sum"), land_area=("land_area", "sum"), estimated=("estimated", "any")
    )


def _found(name: str, requirement: str, finding: Finding) -> dict[str, str]:
    project, stage, district, text = finding
    cells = (project, stage, district, name, text, requirement)
    return dict(zip(COLUMNS, cells, strict=True))


def _full(
    projects: pd.DataFrame, standards: pd.DataFrame | None, system: pd.DataFrame
) -> pd.DataFrame:
    """Return the projects that are not cancelled, with every column and their places."""
    table = check(projects, "projects")
    numbered = table.set_axis(range(1, len(table) + 1), axis="index")
    refuse(plan_problems(numbered, system, "projects"))
    given = table["places"].astype("float64") if "places" in table.columns else float("nan")
    table = derived_places(table, standards).assign(given=given)
    table = table.reindex(columns=list(dict.fromkeys([*table.columns, *USED])))
    return table[table["status"] != "cancelled"]


def _rows(
    projects: pd.DataFrame, standards: pd.DataFrame | None, system: pd.DataFrame
) -> list[Row]:
    table = _full(projects, standards, system)
    cells = table[["district", "stage"]].assign(year=table["opens"].astype("float64"))
    table = table.assign(limit=standard(standards, "school_size_limit", cells))
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _both_ways(rows: list[Row]) -> Iterator[Finding]:
    """Name where places come and go at once; schools that change hands do neither."""
    moves = [
        (step.stage, step.district, step.year, step.project, step.places, _to_come(row))
        for row in rows
        for step in steps_of(row)
        if not step.other
    ]
    columns = ["stage", "district", "year", "project", "places", "to_come"]
    table = pd.DataFrame(moves, columns=columns)
    keys = ["district", "year", "stage"]
    signs = table.assign(more=table["places"] > 0, less=table["places"] < 0)
    both = signs.groupby(keys)[["more", "less", "to_come"]].transform("any").all(axis=1)
    for (district, year, stage), group in table[both].groupby(keys):
        more, less = group[group["places"] > 0], group[group["places"] < 0]
        text = (
            f"in {year} {more['places'].sum():.0f} places come ({_joined(more['project'])}) "
            f"and {-less['places'].sum():.0f} go ({_joined(less['project'])})"
        )
        yield _joined(group["project"]), str(stage), str(district), text


def _batches(rows: list[Row]) -> Iterator[Finding]:
    table = pd.DataFrame(rows)
    if table.empty:
        return
    for batch, group in table[table["batch"].notna()].groupby("batch", sort=False):
        count = group["project"].nunique()
        if count > 1:
            text = f"{count} projects with {group['places'].sum():.0f} places in batch {batch}"
            where = (_joined(group[column]) for column in ("project", "stage", "district"))
            yield (*where, text)  # type: ignore[misc]


def _empty_schools(enrolment: pd.DataFrame, system: pd.DataFrame) -> Iterator[Finding]:
    """Name the stages of districts without pupils in each of the last years counted."""
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    last = int(enrolment["year"].max())
    years = range(last - EMPTY_YEARS + 1, last + 1)
    table = enrolment.assign(stage=enrolment["grade"].map(stage_of))
    school = ["district", "stage"]
    recent = table[table["year"].isin(years)]
    told = recent[[*school, "year", "grade"]].drop_duplicates().groupby(school).size()
    taught = recent[recent["pupils"] != 0].groupby(school).size()
    every = table.groupby(school, sort=False)["grade"].nunique()
    # A row left out is an unknown number: each grade must be counted in each year.
    counted = told.reindex(every.index, fill_value=0) == len(years) * every
    for district, stage in every.index[counted & ~every.index.isin(taught.index)].tolist():
        listed = ", ".join(str(year) for year in years)
        yield "", str(stage), str(district), f"no pupils in {listed}: it may be closed"


def _joined(names: pd.Series[Any]) -> str:
    return ", ".join(dict.fromkeys(names.astype(str)))
