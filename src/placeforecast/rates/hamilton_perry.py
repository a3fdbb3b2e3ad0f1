"""People by age from two counts alone: the method of Hamilton and Perry.

For places that have no deaths, births or migrants by age. Between two counts k years apart each
cohort changes by a ratio, or by a number; the next k years repeat it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from placeforecast.population.project import SEXES
from placeforecast.tables.check import check
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.tables.doors import Array

Axes = dict[str, list[Any]]
Growth = Literal["difference", "ratio"]


def project_hamilton_perry(
    population: pd.DataFrame,
    until: int,
    *,
    totals: pd.DataFrame | None = None,
    growth: Growth = "difference",
    mothers: tuple[int, int] = (15, 44),
) -> pd.DataFrame:
    """Project people from two counts by cohort change and child-woman ratios.

    With k years between the counts, people aged a + k come from those aged a: where the cohort
    shrank, ``P(t+k, a+k) = P(t, a) R(a)`` with the cohort change ratio
    ``R(a) = P(t, a+k) / P(t-k, a)``; where it grew, ``P(t, a) + P(t, a+k) - P(t-k, a)``, because a
    ratio above 1 explodes when it is repeated. Children below k are those per woman of the second
    count times the women projected: ``C(t, a) / W(t)``, W being the women of childbearing age at
    the time of birth, which for children aged a means a years older.

    Parameters
    ----------
    population : DataFrame [district, year, sex, age, population]
        The last two years are used; single ages, or groups n wide with k a multiple of n; the
        last one open. Both sexes, or women.
    until : int
        Last year; a whole number of k years after the second count.
    totals : DataFrame [[district], year, population], optional
        People of all ages in each projected year, to which the result is scaled before the next
        step; without `district`, of all districts together.
    growth : {"difference", "ratio"}
        How a cohort that grew goes on. A cohort of which nobody was counted first goes on by the
        difference either way.
    mothers : tuple of int
        First and last age of childbearing.

    Returns
    -------
    DataFrame [district, year, sex, age, population]
        The two counts and every k years after.

    Raises
    ------
    InputError
        For fewer than two counts, ages that k does not fit, children without women, a district or
        total that is missing.

    References
    ----------
    Hamilton and Perry, Social Forces 41 (1962) 163-170; Wilson and Grossman, Population, Space and
    Place 28 (2022), on ratios for shrinking and differences for growing cohorts; Tayman, Swanson
    and Baker, Population Research and Policy Review 40 (2021), on control to a total.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.hamilton_perry import project_hamilton_perry
    >>> people = {2015: [40.0, 80.0, 60.0], 2020: [20.0, 36.0, 100.0]}
    >>> counts = pd.concat(
    ...     pd.DataFrame({"district": "A", "year": year, "sex": "female", "age": [0, 5, 10],
    ...                   "population": number})
    ...     for year, number in people.items()
    ... )
    >>> result = project_hamilton_perry(counts, 2025, mothers=(5, 9))
    >>> result.query("year == 2025")[["age", "population"]].round(2)
       age  population
    6    0       10.00
    7    5       18.00
    8   10       97.14
    """
    if growth not in get_args(Growth):
        remedy = f"Give one of {', '.join(get_args(Growth))}."
        refuse([Problem(value=str(growth), rule="is not a way for cohorts to grow", remedy=remedy)])
    axes, gap = _counts(population, until)
    counts = to_array(_rows(population, axes), axes, "population", name="population")
    shift = gap // _width(axes["age"])
    _refuse_unfit(axes, shift, mothers)
    women = _women(axes["age"][:shift], axes["age"], mothers)
    per_woman = _child_woman_ratios(counts[1], women, axes)
    years = list(range(axes["year"][1] + gap, until + 1, gap))
    control = None if totals is None else _control(totals, years, axes["district"])
    result = [counts[0], counts[1]]
    for t in range(len(years)):
        people = _step(counts, result[-1], shift, growth)
        people[:, :shift] = per_woman * (women @ people[0])
        if control is not None:
            people *= _scale(people, control[t])
        result.append(people)
    stacked = np.transpose(np.array(result), (3, 0, 1, 2))
    every = {**axes, "year": [*axes["year"], *years]}
    return to_table(
        stacked, {key: every[key] for key in ("district", "year", "sex", "age")}, "population"
    )


def _counts(population: pd.DataFrame, until: int) -> tuple[Axes, int]:
    years = sorted(set(population["year"]))[-2:]
    if len(years) < 2:
        remedy = "Give counts of two years, or project with births, survival and migration."
        refuse([Problem(file="population", rule="holds one count only", remedy=remedy)])
    gap = int(years[1] - years[0])
    if until < years[1] or (until - years[1]) % gap:
        rule = f"ends in {until}, which no step of {gap} years from {years[1]} reaches"
        remedy = "Give until as the second count plus a whole number of steps."
        refuse([Problem(rule=f"the projection {rule}", remedy=remedy)])
    rows = population[population["year"].isin(years)]
    axes: Axes = {
        "year": [int(year) for year in years],
        "sex": [sex for sex in SEXES if sex in set(rows["sex"])],
        "age": sorted(set(rows["age"])),
        "district": sorted(set(rows["district"])),
    }
    return axes, gap


def _rows(population: pd.DataFrame, axes: Axes) -> pd.DataFrame:
    return check(population[population["year"].isin(axes["year"])], "population")


def _width(ages: list[int]) -> int:
    steps = {later - earlier for earlier, later in pairwise(ages)}
    if ages[0] != 0 or len(steps) != 1:
        rule = "the ages do not run from 0 in even steps"
        remedy = "Give every age (or age group of one width), the last one open."
        refuse([Problem(file="population", column="age", rule=rule, remedy=remedy)])
    return int(steps.pop())


def _refuse_unfit(axes: Axes, shift: int, mothers: tuple[int, int]) -> None:
    ages, gap = axes["age"], axes["year"][1] - axes["year"][0]
    width = ages[1] - ages[0]
    rule = ""
    if gap % width:
        rule = f"groups {width} years wide cannot move on by {gap} years"
        remedy = "Give single ages, or counts a whole number of groups apart."
    elif shift >= len(ages):
        rule = f"the open group starts at {ages[-1]}, within {gap} years of birth"
        remedy = "Give more ages, or counts that lie nearer to each other."
    elif axes["sex"][0] != SEXES[0]:
        rule, remedy = "holds no women", "Give both sexes, or women."
    elif mothers[0] < gap:
        rule = f"women of {mothers[0]} would be children within {gap} years"
        remedy = "Give counts that lie nearer to each other."
    if rule:
        refuse([Problem(file="population", rule=rule, remedy=remedy)])


def _women(children: list[int], ages: list[int], mothers: tuple[int, int]) -> Array:
    """Which ages are the mothers of each age of children [child age, age]."""
    at, child = np.array(ages), np.array(children)[:, None]
    inside = (at >= mothers[0] + child) & (at <= mothers[1] + child)
    return inside.astype(float)


def _child_woman_ratios(counted: Array, women: Array, axes: Axes) -> Array:
    """Children per woman [sex, child age, district] of the second count."""
    children = counted[:, : len(women)]
    mothers = np.broadcast_to(women @ counted[0], children.shape)
    lone = np.argwhere((mothers <= 0) & (children > 0))
    if len(lone):
        s, a, d = (int(i) for i in lone[0])
        cell = f"district {axes['district'][d]}, {axes['sex'][s]}, age {axes['age'][a]}"
        rule = f"there are children but no women of childbearing age: {cell}"
        remedy = "Check the women of the second count, or give other ages of mothers."
        refuse([Problem(file="population", rule=rule, remedy=remedy)])
    none = np.zeros(children.shape)
    ratios: Array = np.divide(children, mothers, out=none, where=mothers > 0)
    return ratios


def _moved(people: Array, shift: int) -> Array:
    """People at the age that they reach, the open group with all who come into it."""
    moved = np.zeros_like(people)
    moved[:, shift:] = people[:, : people.shape[1] - shift]
    moved[:, -1] = people[:, -1 - shift :].sum(axis=1)
    return moved


def _step(counts: Array, people: Array, shift: int, growth: Growth) -> Array:
    before, after, now = _moved(counts[0], shift), counts[1], _moved(people, shift)
    ratio = np.divide(after, before, out=np.ones(before.shape), where=before > 0)
    by_number = (before <= 0) | (after > before) if growth == "difference" else before <= 0
    stepped: Array = np.where(by_number, now + after - before, now * ratio)
    return stepped


def _control(totals: pd.DataFrame, years: list[int], districts: list[str]) -> Array:
    """Totals [year, district], or [year, 1] of all districts together."""
    rows = totals[totals["year"].isin(years)]
    if "district" not in rows.columns:
        return to_array(rows, {"year": years}, "population", name="totals")[:, None]
    rows = rows[rows["district"].isin(districts)]
    return to_array(rows, {"year": years, "district": districts}, "population", name="totals")


def _scale(people: Array, total: Array) -> Array:
    """Factor per district that brings people [sex, age, district] to the totals."""
    found = people.sum(axis=(0, 1))
    if len(total) == 1:
        found = found.sum(keepdims=True)
    factor: Array = np.divide(total, found, out=np.ones(found.shape), where=found > 0)
    return factor
