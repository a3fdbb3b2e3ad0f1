"""Whether projects come, and how late: the plan as a distribution.

Shipped chances and delays by status and kind are in the vocabulary (`delivery`), each with its
source; the delays learn from the region's own projects, and a chance in the plan comes first.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.spread import spread_step
from placeforecast.places.steps import ANY_SECTOR, plan_rows, steps_after
from placeforecast.tables.check import check
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.plan import NO_PLACES, changes_hands
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.structure import structure_changes, with_structure
from placeforecast.tables.vocabulary import ledger_sectors, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.places.steps import Row, Step
    from placeforecast.tables.doors import Array
    from placeforecast.tables.records import Assumptions

LONGEST = 4
"""Years of the longest delay; later ones count as this."""
DELAYS = tuple(f"delay_{years}" for years in range(LONGEST + 1))
PRIOR_WEIGHT = 10
"""As many own projects outweigh the shipped delays by half (judged)."""
SETTLED = {"open": 1.0, "cancelled": 0.0}
"""Statuses after which nothing is uncertain."""
ROUNDING = 1e-9
TEMPORARY = "temporary"
OF_THE_PLAN = "chance of the plan"
LEARNT = "own projects"
UNDATED = ("closure", *NO_PLACES)
HANDS = "changes hands: demand follows it in every plan case"


@dataclass(frozen=True)
class Outcomes:
    """What may become of one project, where that is uncertain.

    Attributes
    ----------
    project, district, batch : str
        Labels; the batch is blank for a project that is alone.
    chances : ndarray [delay]
        Chance that it comes so many years late; the rest is the chance that it never does.
    effects : mapping of str to ndarray [delay, year, grade]
        By ledger: places that it adds or takes if it comes so late.
    """

    project: str
    district: str
    batch: str
    chances: Array
    effects: Mapping[str, Array]


def delivery_prospects(projects: pd.DataFrame, *, launch_year: int | None = None) -> pd.DataFrame:
    """Return for each project its chance of delivery and the distribution of its delay.

    The chance is `delivery` of the plan, else the shipped one of its status and kind. The delays
    are the shipped ones, re-estimated from the region's own open projects with a planned (`opens`)
    and an actual year (`opened`): the mean of a Dirichlet distribution whose prior weighs as much
    as 10 projects, (10 x shipped + own) / (10 + number of own). Temporary places learn from
    temporary ones, the other kinds from each other; closures have no planned opening to learn
    from. Projects that are not open yet are not learnt from, so long delays come in late.

    What is open is there and what is cancelled never comes, whatever `delivery` says. A school
    that changes hands does so as planned, because its pupils do in every plan case.

    Parameters
    ----------
    projects : DataFrame
        The plan.
    launch_year : int, optional
        Only openings up to this school year are known; all of them if left out.

    Returns
    -------
    DataFrame [project, stage, chance, delay_0, delay_1, delay_2, delay_3, delay_4, source]
        One row per row of the plan. `chance` is that it ever comes (0-1); `delay_n` that it then
        comes n school years late (adding up to 1; 4 is four or more).

    Raises
    ------
    InputError
        If the plan breaks the vocabulary.

    Warns
    -----
    AssumptionWarning
        For a `delivery` that is not used.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.delivery import delivery_prospects
    >>> plan = pd.DataFrame({"project": ["Old", "New"], "stage": "junior", "district": "A",
    ...     "places": 300, "kind": "new", "status": ["open", "approved"], "opens": [2023, 2027],
    ...     "opened": [2024, None]})
    >>> prospects = delivery_prospects(plan).set_index("project")
    >>> prospects.loc["New", ["chance", "delay_0", "delay_1"]].astype(float).round(3).tolist()
    [0.86, 0.564, 0.273]
    """
    return _prospects(check(projects, "projects"), launch_year)


def _prospects(table: pd.DataFrame, launch_year: int | None) -> pd.DataFrame:
    """Return the prospects of a plan that has been checked, as that of the assumptions has."""
    asked = ("delivery", "opens", "opened", "from_stage", "from_sector")
    table = table.reindex(columns=list(dict.fromkeys([*table.columns, *asked])))
    own = _own_delays(table, launch_year)
    records = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    priors = _shipped()
    rows = [_prospect(row, priors, own) for row in records]
    _warn_unused(records, rows)
    return pd.DataFrame(rows, columns=["project", "stage", "chance", *DELAYS, "source"])


def _own_delays(table: pd.DataFrame, launch_year: int | None) -> dict[bool, Array]:
    """Count the delays of own projects, of temporary ones (True) and of the others."""
    done = table[
        (table["status"] == "open")
        & ~table["kind"].isin(UNDATED)
        & table["opens"].notna()
        & table["opened"].notna()
    ]
    if launch_year is not None:
        done = done[done["opened"].astype(float) <= launch_year]
    # Early is in time, and the last delay told apart holds whatever is later.
    late = (done["opened"].astype(float) - done["opens"].astype(float)).clip(0, LONGEST)
    temporary = done["kind"] == TEMPORARY
    return {
        kind: np.bincount(late[temporary == kind].astype(int), minlength=LONGEST + 1).astype(float)
        for kind in (True, False)
    }


def _prospect(
    row: Row, priors: Mapping[tuple[str, str], Row], own: Mapping[bool, Array]
) -> dict[str, Any]:
    status = str(row["status"])
    prior = priors.get((status, str(row["kind"]))) or priors[status, ""]
    chance, source = float(prior["chance"]), f"shipped chance and delays: {prior['source']}"
    delays = np.array([float(prior[name]) for name in DELAYS])
    named = {"project": row["project"], "stage": row["stage"]}
    if row["status"] in SETTLED or changes_hands(row):
        sure = dict(zip(DELAYS, np.eye(LONGEST + 1)[0].tolist(), strict=True))
        if row["status"] not in SETTLED:
            chance, source = 1.0, HANDS
        return {**named, "chance": chance, **sure, "source": source}
    if not pd.isna(row["delivery"]):
        chance, source = float(row["delivery"]), f"{OF_THE_PLAN}; {source}"
    counts = own[row["kind"] == TEMPORARY]
    if row["kind"] not in UNDATED and counts.sum():
        delays = (PRIOR_WEIGHT * delays + counts) / (PRIOR_WEIGHT + counts.sum())
        source += f"; delays of {counts.sum():.0f} {LEARNT} against a prior of {PRIOR_WEIGHT}"
    return {**named, "chance": chance, **dict(zip(DELAYS, delays, strict=True)), "source": source}


def _shipped() -> dict[tuple[str, str], Row]:
    """Return the shipped rows by status and kind; a blank kind is every kind without a row."""
    rows = shipped("delivery").to_dict("records")
    return {
        (str(row["status"]), str(row["kind"])): {str(k): v for k, v in row.items()} for row in rows
    }


def _warn_unused(records: list[Row], rows: list[dict[str, Any]]) -> None:
    unused = [
        str(record["project"])
        for record, row in zip(records, rows, strict=True)
        if not pd.isna(record["delivery"])
        and (record["status"] in SETTLED or changes_hands(record))
        and record["delivery"] != row["chance"]
    ]
    if unused:
        text = (
            f"projects, column delivery: {len(unused)} are not used, as what is open is there, "
            "what is cancelled never comes, and a school changes hands in every plan case "
            f"({', '.join(unused[:5])}). Leave them blank."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=4)


def delivery_note(projects: pd.DataFrame | None, last: int) -> str:
    """Say in one sentence what the risk-adjusted case rests on; nothing if nothing is uncertain.

    Parameters
    ----------
    projects : DataFrame or None
        The plan, checked.
    last : int
        Last year of the table of places; later openings are not learnt from.
    """
    if projects is None:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssumptionWarning)
        prospects = _prospects(projects, last)
    sure = (prospects["chance"] == 1) & (prospects[DELAYS[0]] == 1) | (prospects["chance"] == 0)
    unsure = prospects.loc[~sure, "source"]
    if unsure.empty:
        return ""
    given = int(unsure.str.startswith(OF_THE_PLAN).sum())
    learnt = "re-estimated from own projects" if unsure.str.contains(LEARNT).any() else "shipped"
    return (
        f"risk_adjusted weighs {len(unsure)} projects by chance and delay: {given} chances are of "
        f"the plan, the others are shipped (partly judged); delays are {learnt}"
    )


def expected_steps(
    rows: Sequence[Row], last: int, projects: pd.DataFrame | None, prospects: pd.DataFrame | None
) -> list[Step]:
    """Return the steps of a plan for every delay, each with the places that it brings on average.

    Places are those of the step times the chance that it comes so late. With every chance 1 and
    no delays these are the steps of the plan.

    Parameters
    ----------
    rows : sequence of dict
        From `plan_rows`.
    last : int
        Last year of the table of places; later openings are not learnt from.
    projects : DataFrame or None
        The whole plan, checked, open projects included.
    prospects : DataFrame or None
        Instead of those of `delivery_prospects`.

    Raises
    ------
    InputError
        If prospects lack a project, or hold what is no chance.

    Warns
    -----
    AssumptionWarning
        For a `delivery` that is not used.
    """
    if prospects is None and projects is not None:
        prospects = _prospects(projects, last)
    if prospects is None:
        return []
    chances = _chances(prospects, rows)
    return [
        replace(step, places=step.places * float(chance))
        for row in rows
        for delay, chance in enumerate(chances[_key(row)])
        if chance > 0
        for step in steps_after(row, last, delay=delay)
    ]


def _key(row: Mapping[Any, Any]) -> tuple[str, str]:
    return str(row["project"]), str(row["stage"])


def _chances(prospects: pd.DataFrame, rows: Sequence[Row]) -> dict[tuple[str, str], Array]:
    """Return for each project the chance that it comes so many years late [delay]."""
    delays = prospects[list(DELAYS)].to_numpy(dtype=float)
    chance = prospects["chance"].to_numpy(dtype=float)
    keys = [_key(row) for row in prospects.to_dict("records")]
    lawful = (delays >= 0).all(axis=1) & (np.abs(delays.sum(axis=1) - 1) <= ROUNDING)
    lawful &= (chance >= 0) & (chance <= 1)
    rule, remedy = "has chances outside 0-1 or delays that do not add up to 1", "Correct the row."
    problems = [
        Problem(rule, remedy, file="prospects", row=int(i) + 1, column="chance", value=keys[i][0])
        for i in np.flatnonzero(~lawful)
    ]
    for key in dict.fromkeys(_key(row) for row in rows):
        if key not in keys:
            rule, remedy = f"({key[1]}) has no row", "Add its chance and delays."
            problems.append(Problem(rule, remedy, file="prospects", value=key[0]))
    refuse(problems)
    return dict(zip(keys, delays * chance[:, np.newaxis], strict=True))


def project_outcomes(
    assumptions: Assumptions,
    years: Sequence[int],
    names: Sequence[str],
    *,
    grades: pd.DataFrame | None = None,
) -> list[Outcomes]:
    """Return what may become of every project whose delivery or delay is uncertain.

    Nothing is said of what `schedule_places` warns of.

    Parameters
    ----------
    assumptions : Assumptions
        `places`, `projects`, `standards` and `events`.
    years : sequence of int
        School years.
    names : sequence of str
        Grades; those of the plan that are not among them are left out.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    list of Outcomes
        In the order of the plan.
    """
    if assumptions.places is None or assumptions.projects is None:
        return []
    base = resolve_grades(grades if grades is not None else assumptions.grades)
    changes = structure_changes(assumptions.events, base)
    system = with_structure(base, assumptions.events)
    last = int(assumptions.places["year"].max())
    rows = plan_rows(assumptions, system, last, quiet=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssumptionWarning)
        chances = _chances(_prospects(assumptions.projects, last), rows)
    found = []
    for row in rows:
        late = chances[_key(row)]
        if late[0] == 1 or not late.any():
            continue
        effects: dict[str, Array] = {}
        for delay in np.flatnonzero(late):
            for step in steps_after(row, last, delay=int(delay)):
                spread = spread_step(step, years, system, changes)
                _add(effects, _ledgers_of(step), int(delay), _array(spread, names, len(years)))
        batch = row.get("batch")
        label = "" if pd.isna(batch) else str(batch)
        found.append(Outcomes(str(row["project"]), str(row["district"]), label, late, effects))
    return found


def _array(spread: Mapping[str, Array], names: Sequence[str], years: int) -> Array:
    """Return the places of a step [year, grade]; grades that it does not touch get none."""
    untouched = np.zeros(years)
    return np.stack([spread.get(name, untouched) for name in names], axis=1)


def _add(effects: dict[str, Array], ledgers: Sequence[str], delay: int, places: Array) -> None:
    for ledger in ledgers:
        if ledger not in effects:
            effects[ledger] = np.zeros((LONGEST + 1, *places.shape))
        effects[ledger][delay] += places


def _ledgers_of(step: Step) -> list[str]:
    """Return the ledgers that count the places of a step."""
    if step.sector == ANY_SECTOR:
        return ["all"]
    table = ledger_sectors()
    own = table[(table["sector"] == step.sector) & table["stage"].isin(["", step.stage])]
    return list(dict.fromkeys(own["ledger"]))
