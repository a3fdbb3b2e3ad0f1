"""Pupils as an array: the enrolment that was counted, by year, grade, district and residence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.tables.doors import Array, Flags, to_array
from placeforecast.tables.problems import Problem, refuse, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

EVERYONE = "all"
"""The one class of residence of a region that does not tell local from migrant pupils."""


@dataclass(frozen=True)
class Counted:
    """Enrolment as an array, up to the launch.

    Attributes
    ----------
    pupils : ndarray [year, grade, district, residence]
        NaN where there is no row.
    axes : mapping
        Labels of the four axes.
    present : ndarray of bool [grade, district, residence]
        Whether a district has the grade: in any year there is a row.
    bound : ndarray of bool [year, grade, district, residence]
        Where schools were full, so that pupils measure places, not need.
    gaps : list of str
        Cells in which a sector that had a row before has none; their year is left out.
    """

    pupils: Array
    axes: Mapping[str, list[Any]]
    present: Flags
    bound: Flags
    gaps: list[str]

    @property
    def with_residence(self) -> bool:
        """Whether the region tells classes of residence apart."""
        return self.axes["residence"] != [EVERYONE]


def count_pupils(enrolment: pd.DataFrame, grades: pd.DataFrame, launch_year: int) -> Counted:
    """Add enrolment up over sectors and turn it into an array.

    A district has a grade if it has a row for it in any year. A sector that has had a row in an
    earlier year and has none in a later one is a hole, not a zero.

    Parameters
    ----------
    enrolment : DataFrame [district, year, grade, sector, residence, pupils]
        As in the vocabulary.
    grades : DataFrame
        The school system, resolved.
    launch_year : int
        Later years are not used.

    Returns
    -------
    Counted

    Raises
    ------
    InputError
        If a grade that a district has had is missing in the launch year, whole or one sector of it.
    """
    rows = enrolment[enrolment["year"] <= launch_year]
    _refuse_unknown_grades(rows, grades)
    if "residence" not in rows.columns:
        rows = rows.assign(residence=EVERYONE)
    counted = set(rows["grade"].unique().tolist())
    axes = {
        "year": list(range(int(rows["year"].min()), launch_year + 1)),
        "grade": [grade for grade in grades["grade"].tolist() if grade in counted],
        "district": sorted(rows["district"].unique().tolist()),
        "residence": sorted(rows["residence"].unique().tolist()),
    }
    by_sector = rows if "sector" in rows.columns else rows.assign(sector=EVERYONE)
    sectors = sorted(by_sector["sector"].unique().tolist())
    pupils = to_array(
        by_sector, {**axes, "sector": sectors}, "pupils", name="enrolment", holes=True
    )
    known = ~np.isnan(pupils)
    had = np.cumsum(known, axis=0) > 0
    hole: Flags = np.asarray((had & ~known).any(axis=4))
    total = np.where(hole | ~known.any(axis=4), np.nan, np.nansum(pupils, axis=4))
    present: Flags = np.asarray(known.any(axis=(0, 4)))
    _refuse_launch_holes(hole[-1], axes, launch_year)
    partial = hole & known.any(axis=4)
    gaps = [_cell(axes, *(int(i) for i in at)) for at in np.argwhere(partial)]
    return Counted(total, axes, present, _bound(by_sector, {**axes, "sector": sectors}), gaps)


def _bound(rows: pd.DataFrame, axes: Mapping[str, list[Any]]) -> Flags:
    """Return the cells in which one sector at least was full [year, grade, district, residence]."""
    if "capacity_bound" not in rows.columns:
        return np.zeros([len(labels) for labels in list(axes.values())[:-1]], dtype=bool)
    # A blank cell is a year that nobody has marked: not known to be full.
    marked = rows["capacity_bound"].fillna(value=False).astype(float)
    full = to_array(rows.assign(full=marked), axes, "full", name="enrolment", holes=True)
    flags: Flags = np.asarray(np.nan_to_num(full).max(axis=4) > 0)
    return flags


def _refuse_unknown_grades(rows: pd.DataFrame, grades: pd.DataFrame) -> None:
    strangers = sorted(set(rows["grade"].unique().tolist()) - set(grades["grade"].tolist()))
    if strangers:
        rule = f"is not a grade of the school system ({len(strangers)} such grades)"
        remedy = f"{suggest(strangers[0], grades['grade'])} Or give grades, the school system."
        where = Problem(rule, remedy, file="enrolment", column="grade", value=strangers[0])
        refuse([where])


def _cell(axes: Mapping[str, list[Any]], t: int, g: int, d: int, r: int) -> str:
    residence = axes["residence"][r]
    who = "" if residence == EVERYONE else f" {residence}"
    return f"{axes['district'][d]} {axes['grade'][g]}{who} {axes['year'][t]}"


def _refuse_launch_holes(hole: Flags, axes: Mapping[str, list[Any]], launch_year: int) -> None:
    problems = []
    for g, d, r in np.argwhere(hole):
        cell = _cell(axes, len(axes["year"]) - 1, int(g), int(d), int(r))
        rule = f"lacks pupils of the launch year: {cell}"
        remedy = (
            f"Add the row for {launch_year} (each sector that had one before), 0 if there are none."
        )
        problems.append(Problem(file="enrolment", column="pupils", rule=rule, remedy=remedy))
    refuse(problems)


def exposed_to(counted: Array, grade: Mapping[str, Any], axes: Mapping[str, list[Any]]) -> Array:
    """Return the pupils that a grade takes in from, by the year reached.

    For a grade of one year, the feeder a year before; for a stage known only as a total of n years,
    the feeders of the n years before, added up.

    Parameters
    ----------
    counted : ndarray [year, grade, ...]
        Pupils.
    grade : mapping
        A row of the school system whose `feeder` is a grade.
    axes : mapping
        Labels of `counted`.

    Returns
    -------
    ndarray [year, ...]
        NaN where a year of the pool is not known.
    """
    feeder = counted[:, axes["grade"].index(grade["feeder"])]
    pool = np.full_like(feeder, np.nan)
    duration = int(grade["duration"])
    for t in range(duration, len(feeder)):
        pool[t] = feeder[t - duration : t].sum(axis=0)
    return pool
