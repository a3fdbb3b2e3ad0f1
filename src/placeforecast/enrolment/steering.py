"""What policy and dated events set of the pupils of a year: totals, arrivals, the senior split.

Each function changes the pupils of one year in place, after its cohorts have moved and before the
next year takes them on. `plan_steering` in `enrolment/policy.py` reads them from the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.tables.doors import Array, Flags

NOBODY = 1e-9
ROUNDING = 1e-9


@dataclass(frozen=True)
class Total:
    """Pupils that a stage has, or that arrive in it, by policy or event.

    Attributes
    ----------
    rows : list of int
        Grades of the stage.
    amount : ndarray [year, district]
        NaN where nothing is set.
    table, name : str
        The table and the indicator or event that sets it, for messages.
    """

    rows: list[int]
    amount: Array
    table: str
    name: str


@dataclass(frozen=True)
class Split:
    """How graduates are split between general and vocational senior schools.

    Attributes
    ----------
    general, vocational, feeder, below : int
        Rows of the two entry grades, of the grade that graduates leave and of the one below it;
        vocational is -1 where the region has none.
    leaves : mapping
        The grade that graduates leave, as a row of the school system.
    share : ndarray [year, district, residence]
        NaN where the estimated ratios stand.
    by_class : ndarray of bool [district, residence]
        Whether the share is of this class of residence alone.
    of_entrants : ndarray of bool [district, residence]
        Whether it is a share of entrants, not of graduates.
    limit : ndarray [year, district]
        Most general entrants that the places of the district take in; NaN without a limit.
    areas : list of str
        The area in which each district's places are planned.
    """

    general: int
    vocational: int
    feeder: int
    below: int
    leaves: Mapping[Any, Any]
    share: Array
    by_class: Flags
    of_entrants: Flags
    limit: Array
    areas: list[str]


@dataclass(frozen=True)
class Steering:
    """All that is set of the pupils after the launch.

    Attributes
    ----------
    districts : list of str
    first : int
        The year after the launch: the first one of every array.
    totals, arrivals : tuple of Total
    split : Split or None
    """

    districts: list[str]
    first: int
    totals: tuple[Total, ...] = ()
    arrivals: tuple[Total, ...] = ()
    split: Split | None = None


def steer(pupils: Array, t: int, ahead: int, steering: Steering) -> None:
    """Set what policy and events set in one year.

    Parameters
    ----------
    pupils : ndarray [year, grade, district, residence]
        Changed in place in year `t`; NaN where a cell does not exist.
    t, ahead : int
        Row of the year among all years, and among those after the launch.
    steering : Steering

    Raises
    ------
    InputError
        Where a share leaves less than nobody, or there is nobody to scale.
    """
    if steering.split is not None:
        _split(pupils, t, ahead, steering.split, steering)
    for total in steering.totals:
        _scale(pupils[t], total, ahead, steering)
    # After the split: who arrives in a general senior school is no part of what is left over.
    for arrivals in steering.arrivals:
        _arrive(pupils[t], arrivals, ahead, steering)


def _arrive(now: Array, arrivals: Total, ahead: int, steering: Steering) -> None:
    """Add pupils to the cells of a stage, in proportion to who is there."""
    for d in np.flatnonzero(~np.isnan(arrivals.amount[ahead])).tolist():
        own = now[arrivals.rows, d]
        there = np.nansum(own)
        if there <= NOBODY:
            _refuse_nobody(arrivals, steering, d, ahead)
        if arrivals.amount[ahead, d] < -there:
            where = f"{steering.districts[d]} in {steering.first + ahead}"
            gone = -arrivals.amount[ahead, d]
            rule = f"({arrivals.name}) takes {gone:g} pupils from {where}, where {there:.0f} are"
            column = "effect" if arrivals.table == "events" else ""
            refuse([Problem(rule, "Lower the effect.", file=arrivals.table, column=column)])
        now[arrivals.rows, d] = own * (1 + arrivals.amount[ahead, d] / there)


def _scale(now: Array, total: Total, ahead: int, steering: Steering) -> None:
    """Bring the pupils of a stage to its total; grades and classes keep their proportions."""
    for d in np.flatnonzero(~np.isnan(total.amount[ahead])).tolist():
        own = now[total.rows, d]
        if np.isnan(own).all():
            continue  # the district has no such stage
        there, wanted = np.nansum(own), total.amount[ahead, d]
        if there <= NOBODY < wanted:
            _refuse_nobody(total, steering, d, ahead)
        now[total.rows, d] = own * (wanted / there if there > NOBODY else 0.0)


def _refuse_nobody(total: Total, steering: Steering, d: int, ahead: int) -> None:
    where = f"{steering.districts[d]} in {steering.first + ahead}"
    rule = f"({total.name}) sets pupils in {where}, where there are none to scale"
    remedy = "Give pupils of the launch year by grade, or leave the district out."
    refuse([Problem(rule, remedy, file=total.table)])


def graduates(pupils: Array, t: int, split: Split) -> Array:
    """Return those who leave the feeder grade before year `t` [district, residence].

    Of a grade known only as a total of n years these are its oldest cohort: the pupils that it took
    in n years before, times its own ratio, each cohort the same. NaN where these years are not
    known.

    Parameters
    ----------
    pupils : ndarray [year, grade, district, residence]
    t : int
        Row of the year in which they enter senior schools.
    split : Split
        `feeder`, `below` and `leaves`.
    """
    duration = int(split.leaves["duration"])
    stock: Array = pupils[t - 1, split.feeder]
    if duration == 1:
        return stock
    if split.below < 0 or t - 1 - duration < 0:
        return np.full_like(stock, np.nan)
    pool = pupils[t - 1 - duration : t - 1, split.below]
    whole = pool.sum(axis=0)
    part: Array = stock * np.divide(pool[0], whole, out=np.zeros_like(whole), where=whole != 0)
    return part


def _split(pupils: Array, t: int, ahead: int, split: Split, steering: Steering) -> None:
    """Set the entrants of general senior schools; vocational ones are what is left."""
    leaving = graduates(pupils, t, split)
    hole = np.isnan(leaving) & ~np.isnan(pupils[t - 1, split.feeder])
    if hole.any():
        district = steering.districts[int(np.argwhere(hole)[0][0])]
        where = f"{district} before {steering.first + ahead}"
        rule = f"lacks earlier years of the pupils who leave {split.leaves['grade']} in {where}"
        remedy = "Add them, or give the last grade by itself."
        refuse([Problem(rule, remedy, file="enrolment", column="pupils")])
    general = pupils[t, split.general]
    other = pupils[t, split.vocational] if split.vocational >= 0 else np.full_like(general, np.nan)
    for area in dict.fromkeys(split.areas):
        own = [d for d, name in enumerate(split.areas) if name == area]
        groups = _groups(split, own)
        wanted = [_wanted(split, group, ahead, general, other, leaving) for group in groups]
        limit = split.limit[ahead][own]
        most = np.inf if np.isnan(limit).all() else np.nansum(limit)
        fits = min(1.0, most / sum(wanted)) if sum(wanted) > NOBODY else 1.0
        for group, entrants in zip(groups, wanted, strict=True):
            named = f"{area} in {steering.first + ahead}"
            _divide(general, other, group, entrants * fits, named)


Group = tuple[Any, ...]
"""Rows of districts and of classes of residence, as an index."""


def _groups(split: Split, own: list[int]) -> list[Group]:
    """Return the cells of an area that are split together: all classes, or one that has a share."""
    classes = range(split.by_class.shape[1])
    apart = [r for r in classes if split.by_class[own, r].any()]
    together = [r for r in classes if r not in apart]
    parts = [*([together] if together else []), *([r] for r in apart)]
    return [np.ix_(own, part) for part in parts]


def _wanted(
    split: Split, group: Group, ahead: int, general: Array, other: Array, leaving: Array
) -> float:
    """Return the general entrants of a group by its shares; as estimated where there is none."""
    # A cell that does not exist (NaN) holds nobody; holes have been refused before.
    natural = np.nan_to_num(general[group])
    both = natural + np.nan_to_num(other[group])
    whole = np.where(split.of_entrants[group], both, np.nan_to_num(leaving[group]))
    share = split.share[ahead][group]
    return float(np.where(np.isnan(share), natural, share * whole).sum())


def _divide(general: Array, other: Array, group: Group, target: float, where: str) -> None:
    """Give general schools their entrants and vocational ones, if there are any, what is left."""
    there, beside = float(np.nansum(general[group])), float(np.nansum(other[group]))
    whole = bool(np.isfinite(other[group]).any())
    if whole and target > (there + beside) * (1 + ROUNDING) + NOBODY:
        rule = (
            f"sends {target:.0f} to general senior schools in {where}, more than the "
            f"{there + beside:.0f} who go on at all"
        )
        remedy = "Lower senior_general_share, or raise the progression to both senior stages."
        refuse([Problem(rule, remedy, file="policy", column="senior_general_share")])
    if there <= NOBODY < target:
        rule = f"sets general senior entrants in {where}, where there are none"
        remedy = (
            "Give pupils of the first senior grade, plan the stage higher (planned_at), or leave "
            "the share out."
        )
        refuse([Problem(rule, remedy, file="policy", column="senior_general_share")])
    left = max(there + beside - target, 0.0)  # below 0 by rounding only
    if whole and beside <= NOBODY and left > (there + beside) * ROUNDING:
        rule = f"leaves {left:.0f} in {where} for vocational senior schools, where there are none"
        remedy = "Give pupils of the first vocational grade, or leave its rows out altogether."
        refuse([Problem(rule, remedy, file="policy", column="senior_general_share")])
    if beside > NOBODY:
        other[group] *= left / beside
    if there > NOBODY:
        general[group] *= target / there
