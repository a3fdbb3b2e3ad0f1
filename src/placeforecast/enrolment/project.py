"""Pupils grade by grade: entry grades take in children, every other grade moves up."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.enrolment.events import entry_effects
from placeforecast.enrolment.housing import with_housing
from placeforecast.enrolment.moves import pupils_who_move
from placeforecast.enrolment.policy import plan_steering
from placeforecast.enrolment.regrade import with_moved_grades
from placeforecast.enrolment.steering import steer
from placeforecast.population.children import pool_of_children
from placeforecast.rates.notes import listed
from placeforecast.tables.check import check
from placeforecast.tables.doors import Array, to_array, to_table
from placeforecast.tables.grades import ages_of, family_of, is_entry, resolve_grades
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.pupils import Counted, count_pupils
from placeforecast.tables.structure import structure_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from placeforecast.enrolment.steering import Steering
    from placeforecast.tables.records import Assumptions


def project_enrolment(
    children: pd.DataFrame,
    enrolment: pd.DataFrame,
    assumptions: Assumptions,
    *,
    grades: pd.DataFrame | None = None,
    capacity: pd.DataFrame | None = None,
    moved: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Project pupils of every grade from the last year of enrolment.

    An entry grade holds its intake ratio times the children of its age; a stage known only as a
    total its participation times the children of all its ages; every other grade its progression
    times the pupils of the grade it takes in from, a year before. Cohorts always move.

    Policy and events then set some of them, year by year: a gross rate the pupils of kindergarten
    and of stages known only as a total (rate times the children of the official ages), a special
    rate those of special schools, a senior share the entrants of general schools (share times the
    junior graduates, or the entrants, of the area in which places are planned; vocational entrants
    are what is left, and where the mode is ``capacity_limited`` no more are general than places
    take in); events multiply those who reach a grade, or bring pupils who arrive. Pupils of new
    housing come on top, and a change of the school structure renames the grade that moves.

    Parameters
    ----------
    children : DataFrame [district, year, age, basis, children, share_born]
        From `school_age_children`.
    enrolment : DataFrame [district, year, grade, sector, residence, pupils]
        Pupils that were counted; the last year is the launch. Sectors are added up.
    assumptions : Assumptions
        `intake`, `participation` and `progression`, as far as the grades need them; `policy`,
        `events`, `housing`, `yields`, `standards` and `districts` where they are there.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.
    capacity : DataFrame [district, year, grade, places], optional
        Places, for the senior mode ``capacity_limited``: what `schedule_places` returns.
    moved : DataFrame [district, year, age, moved, residents], optional
        Children whom a change of migration brings, from `moved_children`; those of entry age are in
        `children` already.

    Returns
    -------
    DataFrame [district, year, grade, residence, pupils, share_born]
        From the launch year, which is as counted, to the last year of the ratios. `residence` only
        where enrolment tells it apart; `share_born` is missing where `children` has none.

    Raises
    ------
    InputError
        For a hole that a pupil would have to come through, named; or a ratio on another basis than
        the children.

    Warns
    -----
    AssumptionWarning
        For a district whose pupils have no grade to move up to within their stage.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> enrolment = pd.DataFrame({"district": "A", "year": 2025, "grade": ["P1", "P2"],
    ...                           "pupils": [100, 90]})
    >>> births = pd.DataFrame({"district": "A", "year": [2020], "births": [80.0]})
    >>> assumptions = pf.Assumptions(
    ...     births=births,
    ...     intake=pd.DataFrame({"district": "A", "year": [2026], "grade": "P1", "ratio": 1.05,
    ...                          "basis": "births"}),
    ...     progression=pd.DataFrame({"district": "A", "year": [2026], "grade": "P2",
    ...                               "ratio": 0.98}))
    >>> children = pf.school_age_children(assumptions)
    >>> pupils = pf.project_enrolment(children, enrolment, assumptions)
    >>> pupils[pupils.year == 2026][["grade", "pupils"]]
      grade  pupils
    2    P1    84.0
    3    P2    98.0
    """
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    table = check(enrolment, "enrolment")
    launch = int(table["year"].max())
    counted = count_pupils(table, system, launch)
    rows = [row for row in system.to_dict("records") if row["grade"] in counted.axes["grade"]]
    years = list(range(launch + 1, _last_year(assumptions, children, rows) + 1))
    if not years:
        rule = f"reaches no year after the launch in {launch}"
        remedy = "Give ratios of later years."
        refuse([Problem(file="intake", column="year", rule=rule, remedy=remedy)])
    _warn_leaving(counted, rows)
    ratios = {row["grade"]: _ratio(row, rows, assumptions, counted, years) for row in rows}
    pools = {
        row["grade"]: _pool(row, children, assumptions, counted, years)
        for row in rows
        if is_entry(row)
    }
    steering = plan_steering(counted, rows, children, assumptions, years, capacity)
    if moved is not None:
        comers = pupils_who_move(counted, rows, moved, years)
        steering = replace(steering, arrivals=(*steering.arrivals, *comers))
    pupils = _carry(counted, rows, ratios, pools, steering)
    table = _table(pupils[-len(years) - 1 :], rows, children, counted, [launch, *years])
    housed = with_housing(table, assumptions, launch, grades=system)
    return with_moved_grades(housed, structure_changes(assumptions.events, system), launch)


def _last_year(assumptions: Assumptions, children: pd.DataFrame, rows: list[dict[Any, Any]]) -> int:
    """Return the last year that every dated ratio reaches; without a date, that children reach."""
    tables = (assumptions.intake, assumptions.participation, assumptions.progression)
    dated = [int(t["year"].max()) for t in tables if t is not None and "year" in t.columns]
    if dated:
        return min(dated)
    ages = [int(row["entry_age"]) for row in rows if is_entry(row)]
    last = children[children["age"].isin(ages)].groupby("age")["year"].max()
    return int(last.min()) if len(last) else int(children["year"].max())


def _warn_leaving(counted: Counted, rows: list[dict[Any, Any]]) -> None:
    """Say where pupils have no grade to move up to within their stage."""
    stage_of = {row["grade"]: row["stage"] for row in rows}
    at = {grade: g for g, grade in enumerate(counted.axes["grade"])}
    cells = []
    for row in rows:
        feeder = row["feeder"]
        if stage_of.get(feeder) != row["stage"]:
            continue
        taught = counted.pupils[-1, at[feeder]] > 0
        leaving = (taught & ~counted.present[at[row["grade"]]]).any(axis=1)
        cells += [
            f"{counted.axes['district'][d]} ({feeder} but no {row['grade']})"
            for d in np.flatnonzero(leaving)
        ]
    if cells:
        text = (
            f"enrolment: pupils leave the count where the next grade has no row: {listed(cells)}. "
            "Add rows of it, 0 where there are none yet."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=3)


def _ratio(
    grade: dict[Any, Any],
    all_rows: list[dict[Any, Any]],
    assumptions: Assumptions,
    counted: Counted,
    years: list[int],
) -> Array:
    """Return the ratio of a grade [year, district, residence], NaN where nobody has the grade."""
    family = family_of(grade)
    name = str(grade["grade"])
    table: pd.DataFrame | None = getattr(assumptions, family)
    rows = None if table is None else table[table["grade"] == name]
    if rows is None or rows.empty:
        remedy = f"Give assumptions.{family} for it."
        refuse([Problem(file=family, rule=f"has no ratio of grade {name}", remedy=remedy)])
        raise AssertionError
    axes = {
        "year": years,
        "district": counted.axes["district"],
        "residence": counted.axes["residence"],
    }
    for axis, labels in axes.items():
        if axis in rows.columns:
            rows = rows[rows[axis].isin(labels)]
    ratio = to_array(rows, axes, "ratio", name=f"{family} of {name}", holes=True)
    here = counted.present[counted.axes["grade"].index(name)]
    missing = here & np.isnan(ratio)
    if missing.any():
        t, d, _ = (int(i) for i in np.argwhere(missing)[0])
        cell = f"district {axes['district'][d]}, year {years[t]}"
        rule = f"lacks {int(missing.sum())} ratios of grade {name}, first: {cell}"
        refuse([Problem(file=family, column="ratio", rule=rule, remedy="Add the rows.")])
    effects = entry_effects(grade, all_rows, assumptions, axes["district"], years)
    return ratio * effects[..., np.newaxis]


def _pool(
    grade: Mapping[Any, Any],
    children: pd.DataFrame,
    assumptions: Assumptions,
    counted: Counted,
    years: list[int],
) -> Array:
    """Return the children that a ratio applies to [year, district], on the ratio's own basis."""
    family, name = family_of(grade), str(grade["grade"])
    table: pd.DataFrame = getattr(assumptions, family)
    bases = sorted(table.loc[table["grade"] == name, "basis"].unique().tolist())
    known = children["basis"].unique().tolist()
    if len(bases) != 1 or bases[0] not in known:
        there = ", ".join(sorted(known))
        rule = f"of {name} is on the basis {' and '.join(bases)}, the children on {there}"
        remedy = "Give both on one basis: a ratio holds only for the children it was fitted to."
        refuse([Problem(file=family, column="basis", rule=rule, remedy=remedy)])
    axes = {"year": years, "district": counted.axes["district"]}
    pool = pool_of_children(grade, children, axes, bases[0])
    here = counted.present[counted.axes["grade"].index(name)].any(axis=1)
    missing = here & np.isnan(pool)
    if missing.any():
        t, d = (int(i) for i in np.argwhere(missing)[0])
        first = years[t] - int(grade["entry_age"]) - int(grade["duration"]) + 1
        last = years[t] - int(grade["entry_age"])
        cohorts = f"{first}-{last}" if first < last else str(last)
        rule = (
            f"lacks children for {name} in {years[t]} in {axes['district'][d]} "
            f"(basis {bases[0]}, cohorts of {cohorts}; {int(missing.sum())} such cells)"
        )
        remedy = "Add the births of these school years, or give population by age."
        refuse([Problem(file="births", rule=rule, remedy=remedy)])
    return pool


def _carry(
    counted: Counted,
    rows: list[dict[Any, Any]],
    ratios: Mapping[str, Array],
    pools: Mapping[str, Array],
    steering: Steering,
) -> Array:
    """Move every cohort on, year by year, after the counted years [year, grade, district, ...]."""
    past = len(counted.pupils)
    ahead = len(next(iter(ratios.values())))
    pupils = np.concatenate(
        [counted.pupils, np.full((ahead, *counted.pupils.shape[1:]), np.nan)], axis=0
    )
    at = {grade: g for g, grade in enumerate(counted.axes["grade"])}
    for t in range(past, past + ahead):
        for row in rows:
            name = row["grade"]
            ratio = ratios[name][t - past]
            if is_entry(row):
                source = pools[name][t - past][:, np.newaxis]
            else:
                source = _exposed_before(pupils[:, at[row["feeder"]]], t, int(row["duration"]))
            pupils[t, at[name]] = ratio * source
            _refuse_lost(pupils[t, at[name]], row, counted, t)
        steer(pupils, t, t - past, steering)
    return pupils


def _exposed_before(feeder: Array, t: int, duration: int) -> Array:
    """Return the pupils of the years before one; NaN where the first of them is not counted."""
    if t < duration:
        return np.full_like(feeder[0], np.nan)
    source: Array = feeder[t - duration : t].sum(axis=0)
    return source


def _refuse_lost(pupils: Array, grade: Mapping[Any, Any], counted: Counted, t: int) -> None:
    here = counted.present[counted.axes["grade"].index(grade["grade"])]
    lost = here & np.isnan(pupils)
    if lost.any():
        district = counted.axes["district"][int(np.argwhere(lost)[0][0])]
        year = counted.axes["year"][0] + t
        rule = (
            f"lacks pupils of {grade['feeder']} in {district}, from which {grade['grade']} takes "
            f"in up to {year}"
        )
        remedy = f"Add the rows of {grade['feeder']} ({grade['duration']} years back), 0 for none."
        refuse([Problem(file="enrolment", column="pupils", rule=rule, remedy=remedy)])


def _share_born(
    rows: list[dict[Any, Any]], children: pd.DataFrame, counted: Counted, years: list[int]
) -> Array:
    """Share born of each cell [year, grade, district]; cohorts before the first record are born."""
    basis = "births" if (children["basis"] == "births").any() else "resident"
    known = children[(children["basis"] == basis) & children["year"].isin(years)]
    known = known[known["district"].isin(counted.axes["district"])]
    ages = sorted(known["age"].unique().tolist())
    axes = {"year": years, "age": ages, "district": counted.axes["district"]}
    share = to_array(known, axes, "share_born", holes=True)
    share = np.where(np.isnan(share), 1.0, share)
    cells = []
    for row in rows:
        own = [ages.index(age) for age in ages_of(row) if age in ages]
        cells.append(share[:, own].mean(axis=1) if own else np.ones_like(share[:, 0]))
    return np.stack(cells, axis=1)


def _table(
    pupils: Array,
    rows: list[dict[Any, Any]],
    children: pd.DataFrame,
    counted: Counted,
    years: list[int],
) -> pd.DataFrame:
    names = [row["grade"] for row in rows]
    order = [counted.axes["grade"].index(name) for name in names]
    axes = {
        "district": counted.axes["district"],
        "year": years,
        "grade": names,
        "residence": counted.axes["residence"],
    }
    moved = pupils[:, order].transpose(2, 0, 1, 3)
    where = np.broadcast_to(counted.present[order].transpose(1, 0, 2)[:, np.newaxis], moved.shape)
    table = to_table(moved, axes, "pupils", where=where)
    if "share_born" in children.columns:
        share = _share_born(rows, children, counted, years).transpose(2, 0, 1)
        table["share_born"] = np.broadcast_to(share[..., np.newaxis], moved.shape)[where]
    return table if counted.with_residence else table.drop(columns="residence")
