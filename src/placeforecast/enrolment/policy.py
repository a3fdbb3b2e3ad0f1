"""From policy and events to what they set of the pupils, as arrays over the years ahead."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.enrolment.events import check_events, during, events_of
from placeforecast.enrolment.steering import Split, Steering, Total
from placeforecast.rates.paths import (
    policy_basis,
    policy_keys,
    policy_path,
    policy_words,
    refuse_residence,
    refuse_strangers,
)
from placeforecast.rates.standards import planning_areas, standard
from placeforecast.tables.doors import to_array
from placeforecast.tables.grades import ages_of, is_entry
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.doors import Array
    from placeforecast.tables.pupils import Counted
    from placeforecast.tables.records import Assumptions

Row = dict[Any, Any]
GENERAL, VOCATIONAL, SPECIAL = "senior_general", "senior_vocational", "special"
LIMITED = "capacity_limited"
ELSEWHERE = ("special_mainstream_share", "special_home_share")
ANY_CHILDREN = ("", "children")
"""Bases that say no more than what the gross rate is defined on: residents, else births."""


def plan_steering(
    counted: Counted,
    rows: Sequence[Row],
    children: pd.DataFrame,
    assumptions: Assumptions,
    years: Sequence[int],
    capacity: pd.DataFrame | None,
) -> Steering:
    """Return what policy and events set of the pupils after the launch.

    Parameters
    ----------
    counted : Counted
        Pupils up to the launch.
    rows : sequence of mapping
        Grades that are counted, as rows of the school system.
    children : DataFrame [district, year, age, basis, children]
    assumptions : Assumptions
        `policy`, `events`, `standards` and `districts`.
    years : sequence of int
        Years after the launch.
    capacity : DataFrame [district, year, grade, places] or None
        Places of the entry grades, for ``capacity_limited``; of several ledgers ``all``.
    """
    districts = list(counted.axes["district"])
    steering = Steering(districts, years[0])
    refuse_strangers(assumptions.policy, districts, assumptions.districts)
    check_events(counted, rows, assumptions, years[0] - 1)
    _warn_untaught(assumptions.policy, rows)
    if assumptions.policy is None and assumptions.events is None:
        return steering
    totals = _totals(counted, rows, children, assumptions, years)
    arrivals = _arrivals(counted, rows, assumptions, years)
    _refuse_swallowed(arrivals, totals)
    split = _split(counted, rows, assumptions, years, capacity)
    return Steering(districts, years[0], tuple(totals), tuple(arrivals), split)


def _grade_rows(counted: Counted, rows: Sequence[Row], stage: str) -> list[int]:
    return [counted.axes["grade"].index(row["grade"]) for row in rows if row["stage"] == stage]


def _steered(rows: Sequence[Row]) -> list[str]:
    """Return the stages that a gross rate sets: kindergarten, and those known only as a total.

    In the others pupils come from the cohorts before; a gross rate is there a target to compare.
    """
    stages = dict.fromkeys(str(row["stage"]) for row in rows)
    alone = {
        stage
        for stage in stages
        if all(is_entry(row) for row in rows if row["stage"] == stage) and stage != SPECIAL
    }
    return [stage for stage in stages if stage == "kindergarten" or stage in alone]


def _totals(
    counted: Counted,
    rows: Sequence[Row],
    children: pd.DataFrame,
    assumptions: Assumptions,
    years: Sequence[int],
) -> list[Total]:
    found = []
    _refuse_same_ages(counted, rows, assumptions)
    for stage in _steered(rows):
        rate = _path(counted, assumptions, "gross_rate", stage, years)
        if not np.isnan(rate).all():
            pool = _pool(counted, rows, children, assumptions, "gross_rate", stage, years, rate)
            grades = _grade_rows(counted, rows, stage)
            found.append(Total(grades, rate * pool, "policy", f"gross_rate of {stage}"))
    rate = _path(counted, assumptions, "special_rate", SPECIAL, years)
    if not np.isnan(rate).all():
        if not _grade_rows(counted, rows, SPECIAL):
            rule = "gives special_rate, but no pupils of special schools are counted"
            remedy = "Add pupils of the special stage (0 if there are none), or leave the rate out."
            refuse([Problem(rule, remedy, file="policy", column="indicator")])
        pool = _pool(counted, rows, children, assumptions, "special_rate", SPECIAL, years, rate)
        # Without a placement every special-needs pupil is in a special school, as documented.
        placed = _path(counted, assumptions, "special_school_share", SPECIAL, years)
        for other in ELSEWHERE:
            apart = _path(counted, assumptions, other, SPECIAL, years)
            if (np.isnan(placed) & ~np.isnan(apart)).any():
                rule = f"gives {other} without special_school_share"
                remedy = "Give the share of special schools, too: it is what sets their pupils."
                refuse([Problem(rule, remedy, file="policy", column="indicator")])
        amount = rate * pool * np.where(np.isnan(placed), 1.0, placed)
        grades = _grade_rows(counted, rows, SPECIAL)
        found.append(Total(grades, amount, "policy", "special_rate"))
    return found


def _path(
    counted: Counted, assumptions: Assumptions, indicator: str, stage: str, years: Sequence[int]
) -> Array:
    """Return an indicator of a stage [year, district]."""
    cells = [(district, stage) for district in counted.axes["district"]]
    tree = assumptions.districts
    return policy_path(assumptions.policy, indicator, cells, years, districts=tree).T


def _pool(
    counted: Counted,
    rows: Sequence[Row],
    children: pd.DataFrame,
    assumptions: Assumptions,
    indicator: str,
    stage: str,
    years: Sequence[int],
    rate: Array,
) -> Array:
    """Return the children of the official ages of a stage [year, district], on the rate's basis."""
    ages = sorted({age for row in rows if row["stage"] == stage for age in ages_of(row)})
    cells = [(district, stage) for district in counted.axes["district"]]
    named = set(policy_basis(assumptions.policy, indicator, cells, districts=assumptions.districts))
    asked = named - {*ANY_CHILDREN}
    if len(asked) > 1:
        rule = f"gives {indicator} of {stage} on the bases {' and '.join(sorted(asked))}"
        refuse([Problem(rule, "Give it on one basis.", file="policy", column="basis")])
    there = set(children["basis"])
    basis = asked.pop() if asked else ("resident" if "resident" in there else "births")
    own = children[
        (children["basis"] == basis) & children["age"].isin(ages) & children["year"].isin(years)
    ]
    own = own[own["district"].isin(counted.axes["district"])]
    axes = {"year": list(years), "district": counted.axes["district"], "age": ages}
    pool: Array = to_array(own, axes, "children", name="children", holes=True).sum(axis=2)
    lacking = np.isnan(pool) & ~np.isnan(rate)
    if lacking.any():
        t, d = (int(i) for i in np.argwhere(lacking)[0])
        first, last = years[t] - ages[-1], years[t] - ages[0]
        rule = (
            f"lacks children of {ages[0]}-{ages[-1]} (basis {basis}) in {axes['district'][d]} in "
            f"{years[t]}, to which {indicator} applies"
        )
        remedy = f"Add the births of {first}-{last}, or population by age, or write the basis."
        refuse([Problem(rule, remedy, file="births")])
    return pool


def _arrivals(
    counted: Counted, rows: Sequence[Row], assumptions: Assumptions, years: Sequence[int]
) -> list[Total]:
    """Return the pupils who arrive by dated events, such as a resettlement."""
    found = []
    for event in events_of(assumptions, "arrivals"):
        stage, grade = event["stage"], event["grade"]
        if not stage or not event["district"]:
            rule = f"({event['event']}) is given for no stage or district"
            remedy = "Arrivals are pupils of one stage in one district: write both."
            refuse([Problem(f"{rule}", remedy, file="events", column="channel")])
        own = _grade_rows(counted, rows, stage)
        if grade:
            own = [g for g in own if counted.axes["grade"][g] == grade]
        amount = np.full((len(years), len(counted.axes["district"])), np.nan)
        if event["district"] not in counted.axes["district"] or not own:
            rule = f"({event['event']}) names {event['district']} {stage}, which has no pupils"
            refuse([Problem(rule, "Correct one of the two.", file="events")])
        at = counted.axes["district"].index(event["district"])
        amount[during(event, years), at] = event["effect"]
        found.append(Total(own, amount, "events", str(event["event"])))
    return found


def _warn_untaught(policy: pd.DataFrame | None, rows: Sequence[Row]) -> None:
    """Say which rows of policy are of a stage that nobody is counted in."""
    if policy is None or "stage" not in policy.columns:
        return
    taught = {row["stage"] for row in rows}
    named = dict.fromkeys(policy["stage"].dropna())
    parts = {**{stage: (stage,) for stage in named}, **combined_stages()}
    idle = [stage for stage in named if stage and not taught & set(parts[stage])]
    if idle:
        text = f"policy: nobody is counted in {', '.join(idle)}: its rows change nothing there"
        warnings.warn(AssumptionWarning(text), stacklevel=4)


def _refuse_swallowed(arrivals: Sequence[Total], totals: Sequence[Total]) -> None:
    """Refuse arrivals in a stage whose pupils policy sets: they would be gone a year later."""
    for event in arrivals:
        for total in totals:
            both = ~np.isnan(event.amount) & ~np.isnan(total.amount)
            if set(event.rows) & set(total.rows) and both.any():
                rule = f"({event.name}) brings pupils to a stage whose number policy sets: "
                remedy = "Give them as migration of children, or leave the rate out there."
                refuse([Problem(f"{rule}{total.name}", remedy, file="events", column="channel")])


def _refuse_two_modes(limited: Any, areas: Sequence[str]) -> None:  # noqa: ANN401
    """Refuse an area of which only a part is limited by its places."""
    for area in dict.fromkeys(areas):
        own = limited[:, [d for d, name in enumerate(areas) if name == area]]
        if (own.any(axis=1) & ~own.all(axis=1)).any():
            rule = f"gives senior_mode of a part of {area}, where places are planned as one"
            remedy = f"Give it for the whole of {area}."
            refuse([Problem(rule, remedy, file="policy", column="district")])


def _refuse_same_ages(counted: Counted, rows: Sequence[Row], assumptions: Assumptions) -> None:
    """Refuse one gross rate of several stages at the same ages: it would count children twice."""
    ages: dict[str, set[int]] = {}
    for stage in _steered(rows):
        cells = [(district, stage) for district in counted.axes["district"]]
        keys = policy_keys(assumptions.policy, "gross_rate", cells, districts=assumptions.districts)
        if any(key and key[1] != stage for key in keys):
            ages[stage] = {age for row in rows if row["stage"] == stage for age in ages_of(row)}
    stages = list(ages)
    for i, stage in enumerate(stages):
        for other in stages[i + 1 :]:
            if ages[stage] & ages[other]:
                rule = f"gives one gross_rate of {stage} and {other}, which have the same ages"
                remedy = "Give the rate of each stage by itself."
                refuse([Problem(rule, remedy, file="policy", column="stage")])


def _first(rows: Sequence[Row], stage: str) -> Row | None:
    return next((row for row in rows if row["stage"] == stage), None)


def _split(
    counted: Counted,
    rows: Sequence[Row],
    assumptions: Assumptions,
    years: Sequence[int],
    capacity: pd.DataFrame | None,
) -> Split | None:
    """Return how graduates are split, where policy sets it."""
    axes = counted.axes
    classes = [r if counted.with_residence else "" for r in axes["residence"]]
    cells = [(d, GENERAL, r) for d in axes["district"] for r in classes]
    tree, policy = assumptions.districts, assumptions.policy
    if not counted.with_residence:
        refuse_residence(policy, ["senior_general_share"])
    path = policy_path(policy, "senior_general_share", cells, years, districts=tree)
    stages = [(d, GENERAL) for d in axes["district"]]
    words = policy_words(policy, "senior_mode", stages, years, districts=tree)
    limited = np.array([[word == LIMITED for word in own] for own in words]).T
    if np.isnan(path).all() and not limited.any():
        return None
    shape = (len(axes["district"]), len(classes))
    entry, other = _first(rows, GENERAL), _first(rows, VOCATIONAL)
    if entry is None or entry["feeder"] not in axes["grade"]:
        rule = "sets the senior split, but pupils of general senior schools or of the grade below "
        remedy = "Add them, or leave senior_general_share and senior_mode out."
        refuse([Problem(f"{rule}are not counted", remedy, file="policy", column="indicator")])
        raise AssertionError
    by_grade = {row["grade"]: row for row in rows}
    leaves = by_grade[entry["feeder"]]
    keys = policy_keys(policy, "senior_general_share", cells, districts=tree)
    bases = policy_basis(policy, "senior_general_share", cells, districts=tree)
    at = axes["grade"].index
    named = pd.DataFrame({"district": axes["district"], "stage": GENERAL})
    areas = [str(area) for area in planning_areas(assumptions.standards, tree, named)]
    _refuse_two_modes(limited, areas)
    return Split(
        general=at(entry["grade"]),
        vocational=at(other["grade"]) if other else -1,
        feeder=at(leaves["grade"]),
        below=at(leaves["feeder"]) if leaves["feeder"] in axes["grade"] else -1,
        leaves=leaves,
        share=path.T.reshape(len(years), *shape),
        by_class=np.array([bool(key and key[2]) for key in keys]).reshape(shape),
        of_entrants=np.array([basis == "entrants" for basis in bases]).reshape(shape),
        limit=_limits(counted, str(entry["grade"]), assumptions, years, capacity, limited),
        areas=areas,
    )


def _limits(
    counted: Counted,
    grade: str,
    assumptions: Assumptions,
    years: Sequence[int],
    capacity: pd.DataFrame | None,
    limited: Any,  # noqa: ANN401
) -> Array:
    """Return how many entrants the places of each district take in [year, district]."""
    shape = (len(years), len(counted.axes["district"]))
    if not limited.any():
        return np.full(shape, np.nan)
    if capacity is None:
        rule = "sets senior_mode capacity_limited, but no places are known"
        remedy = "Give places of the general senior stage, or write share."
        refuse([Problem(rule, remedy, file="policy", column="value")])
        raise AssertionError
    own = capacity[(capacity["grade"] == grade) & capacity["year"].isin(years)]
    if "ledger" in own.columns:
        own = own[own["ledger"] == "all"]
    axes = {"year": list(years), "district": counted.axes["district"]}
    own = own[own["district"].isin(axes["district"])]
    places = to_array(own, axes, "places", name="capacity", holes=True)
    taught = counted.present[counted.axes["grade"].index(grade)].any(axis=1)
    lacking = limited & np.isnan(places) & taught
    if lacking.any():
        t, d = (int(i) for i in np.argwhere(lacking)[0])
        rule = f"lacks places of {grade} in {axes['district'][d]} in {years[t]}, which limit it"
        remedy = "Add what stands there; write 0 places if nothing does."
        refuse([Problem(rule, remedy, file="places", column="places")])
    cells = own.assign(stage=GENERAL)
    # No spare share is given: nothing is kept free, which is the documented default.
    spare = standard(assumptions.standards, "spare_share", cells).fillna(0.0)
    free = to_array(own.assign(places=spare), axes, "places", name="capacity", holes=True)
    # Where nobody is taught and nothing stands or is planned (no row), nobody is taken in.
    usable = np.where(np.isnan(places), 0.0, places * (1 - np.nan_to_num(free)))
    return np.where(limited, usable, np.nan)
