"""Intake, participation and progression: from counted pupils to the ratios of coming years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.population.children import pool_of_children
from placeforecast.rates.models import History
from placeforecast.rates.notes import listed
from placeforecast.tables.doors import Array, Flags, to_table
from placeforecast.tables.grades import family_of, is_entry
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.pupils import Counted, exposed_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.rates.notes import Notes
    from placeforecast.rates.specification import Specification

FEW_PUPILS = 30
BASES = ("births", "resident")


@dataclass(frozen=True)
class SchoolRates:
    """Ratios of the coming years, one table per kind; None where no grade is of the kind."""

    intake: pd.DataFrame | None
    participation: pd.DataFrame | None
    progression: pd.DataFrame | None


def school_rates(
    counted: Counted,
    children: pd.DataFrame,
    grades: pd.DataFrame,
    specifications: Mapping[str, Specification],
    last_year: int,
    notes: Notes,
) -> SchoolRates:
    """Estimate the ratio of every grade for the years after the launch.

    Parameters
    ----------
    counted : Counted
        Pupils up to the launch, the last year of its axis.
    children : DataFrame [district, year, age, basis, children, share_born]
        On every basis there is.
    grades : DataFrame
        The school system, resolved.
    specifications : mapping of str to Specification
        By stage: which rule carries each family of ratios forward.
    last_year : int
        Last year to estimate for.
    notes : Notes
        Collects holes, short histories, thin ratios and the basis chosen.

    Returns
    -------
    SchoolRates

    Raises
    ------
    InputError
        If a grade has no history to learn from.
    """
    if counted.gaps:
        text = f"enrolment: years with a sector missing are left out: {listed(counted.gaps)}"
        notes.add("enrolment", text)
    years = range(counted.axes["year"][-1] + 1, last_year + 1)
    tables: dict[str, list[pd.DataFrame]] = {}
    for grade in grades.to_dict("records"):
        if grade["grade"] not in counted.axes["grade"]:
            continue
        family = family_of(grade)
        basis, exposed = _exposed(grade, counted, children, notes)
        specification = specifications[str(grade["stage"])]
        table = _estimate(grade, exposed, counted, specification, years, notes)
        tables.setdefault(family, []).append(table.assign(basis=basis) if basis else table)
    return SchoolRates(**{name: _joined(tables.get(name)) for name in SchoolRates.__annotations__})


def tell_bound(
    enrolment: pd.DataFrame,
    launch_year: int,
    specifications: Mapping[str, Specification],
    notes: Notes,
) -> None:
    """Say where schools were full: pupils of such years measure supply, not demand."""
    if "capacity_bound" not in enrolment.columns:
        return
    # The column is optional: a blank cell is a year that nobody has marked.
    bound = enrolment["capacity_bound"].fillna(value=False).astype(bool)
    rows = enrolment[bound & (enrolment["year"] <= launch_year)]
    cells = [f"{r.district} {r.grade} {r.year}" for r in rows.itertuples()]
    if cells:
        text = f"enrolment: {len(cells)} rows were bound by capacity: they measure places, not need"
        rules = sorted({specification.bound_history for specification in specifications.values()})
        done = " or ".join({"keep": "used all the same", "leave_out": "left out"}[r] for r in rules)
        notes.add("enrolment", f"{text}; ratios: {done} ({listed(cells)})", warn=False)


def _joined(tables: list[pd.DataFrame] | None) -> pd.DataFrame | None:
    return pd.concat(tables, ignore_index=True) if tables else None


def _exposed(
    grade: Mapping[Any, Any], counted: Counted, children: pd.DataFrame, notes: Notes
) -> tuple[str, Array]:
    """Return the basis (blank for progression) and the exposed [year, district, residence]."""
    shape = counted.pupils[:, 0].shape
    if not is_entry(grade):
        if grade["feeder"] not in counted.axes["grade"]:
            rule = f"has {grade['grade']} but not {grade['feeder']}, which it takes in from"
            remedy = f"Add pupils of {grade['feeder']}, or give a table grades."
            refuse([Problem(file="enrolment", rule=rule, remedy=remedy)])
        return "", exposed_to(counted.pupils, grade, counted.axes)
    basis, exposed = _children_of(grade, counted, children, notes)
    return basis, np.broadcast_to(exposed[..., np.newaxis], shape)


def _children_of(
    grade: Mapping[Any, Any], counted: Counted, children: pd.DataFrame, notes: Notes
) -> tuple[str, Array]:
    """Choose the basis: births where they cover the whole history, else residents."""
    g = counted.axes["grade"].index(grade["grade"])
    needed = ~np.isnan(counted.pupils[:, g]).all(axis=2)
    recorded = children
    if "share_born" in children.columns:
        recorded = children[(children["basis"] != "births") | (children["share_born"] == 1)]
    pools = {b: pool_of_children(grade, recorded, counted.axes, b) for b in BASES}
    covered = {b: (needed & ~np.isnan(pool)) for b, pool in pools.items()}
    if not (needed & ~covered["births"]).any():
        return "births", pools["births"]
    basis = "resident" if covered["resident"].any() else "births"
    if not covered[basis].any():
        rule = f"there are no children of the ages of {grade['grade']} in any year of its history"
        remedy = "Give births of earlier years, or population with fertility and survival."
        refuse([Problem(file="births", rule=rule, remedy=remedy)])
    whole = (covered[basis] | ~needed).all(axis=1) & covered[basis].any(axis=1)
    first = counted.axes["year"][int(np.argmax(whole if whole.any() else covered[basis].any(1)))]
    text = (
        f"{grade['grade']}: births do not cover its whole history; its ratio is learnt on the "
        f"basis {basis} from {first}"
    )
    notes.add("intake", text, warn=False)
    return basis, pools[basis]


def _estimate(
    grade: Mapping[Any, Any],
    exposed: Array,
    counted: Counted,
    specification: Specification,
    years: range,
    notes: Notes,
) -> pd.DataFrame:
    g = counted.axes["grade"].index(grade["grade"])
    reached = counted.pupils[:, g]
    here = counted.present[g]
    shape = here.shape
    flat = (len(reached), -1)
    full = counted.bound[:, g] & (specification.bound_history == "leave_out")
    learnt = np.where(full, np.nan, reached)
    _refuse_always_full(grade, learnt, reached, counted)
    history = History(learnt.reshape(flat), exposed.reshape(flat), tuple(counted.axes["year"]))
    rule = getattr(specification, family_of(grade))
    ratio = rule.model().fit(history).predict(list(years)).reshape(len(years), *shape)
    _tell_holes(grade, reached, here, counted, notes)
    _tell_thin(grade, exposed, here, counted, notes)
    lacking = here & np.isnan(ratio[-1])
    if lacking.any():
        filled = _of_region(grade, history, rule, years, lacking, counted, specification, notes)
        ratio = np.where(lacking, filled, ratio)
    axes = {
        "year": list(years),
        "district": counted.axes["district"],
        "residence": counted.axes["residence"],
    }
    where = np.broadcast_to(here, ratio.shape)
    table = to_table(ratio, axes, "ratio", where=where).assign(grade=grade["grade"])
    if not counted.with_residence:
        table = table.drop(columns="residence")
    first = ["district", "year", "grade"]
    return table[[*first, *(c for c in table.columns if c not in first)]]


def _refuse_always_full(
    grade: Mapping[Any, Any], learnt: Array, reached: Array, counted: Counted
) -> None:
    never: Flags = np.asarray(np.isnan(learnt).all(axis=0) & ~np.isnan(reached).all(axis=0))
    if never.any():
        cells = listed(_cells(never, counted, str(grade["grade"])))
        rule = f"says that schools were full in every year: {cells}"
        remedy = "Unmark a year that shows need, or use a model with bound_history = 'keep'."
        refuse([Problem(rule, remedy, file="enrolment", column="capacity_bound")])


def _cells(which: Flags, counted: Counted, grade: str) -> list[str]:
    return [f"{counted.axes['district'][d]} {grade}" for d, _ in np.argwhere(which)]


def _of_region(
    grade: Mapping[Any, Any],
    history: History,
    rule: Any,  # noqa: ANN401
    years: range,
    lacking: Flags,
    counted: Counted,
    specification: Specification,
    notes: Notes,
) -> Array:
    """Return the ratio of all districts together, for cells without a year of their own."""
    name = str(grade["grade"])
    cells = listed(_cells(lacking, counted, name))
    both = np.isfinite(history.reached) & np.isfinite(history.exposed)
    reached = np.where(both, history.reached, 0.0).sum(axis=1, keepdims=True)
    exposed = np.where(both, history.exposed, 0.0).sum(axis=1, keepdims=True)
    pooled = rule.model().fit(History(reached, exposed, history.years)).predict(list(years))
    if specification.without_history == "refuse" or np.isnan(pooled).any():
        rule_text = f"no year gives a ratio for {cells}"
        remedy = "Give an earlier year of pupils, or a model with without_history = 'region'."
        refuse([Problem(file="enrolment", rule=rule_text, remedy=remedy)])
    notes.add(
        family_of(grade), f"{cells}: no year of their own; the ratio of all districts is used"
    )
    ratio: Array = pooled.reshape(len(years), 1, 1)
    return ratio


def _tell_holes(
    grade: Mapping[Any, Any],
    reached: Array,
    here: Flags,
    counted: Counted,
    notes: Notes,
) -> None:
    known = ~np.isnan(reached)
    hole = (np.cumsum(known, axis=0) > 0) & ~known & here
    cells = [
        f"{counted.axes['district'][d]} {counted.axes['year'][t]}" for t, d, _ in np.argwhere(hole)
    ]
    if cells:
        text = f"enrolment: {grade['grade']} has holes, which shorten its history: {listed(cells)}"
        notes.add("enrolment", text)


def _tell_thin(
    grade: Mapping[Any, Any],
    exposed: Array,
    here: Flags,
    counted: Counted,
    notes: Notes,
) -> None:
    latest = exposed[-1]
    thin = here & (latest < FEW_PUPILS)
    if thin.any():
        cells = listed(_cells(thin, counted, str(grade["grade"])))
        notes.add(family_of(grade), f"ratios from fewer than {FEW_PUPILS}: {cells}")
