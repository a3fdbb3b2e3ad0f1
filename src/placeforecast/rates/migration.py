"""Net migration between two counts of people, and its smoothing by a model schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.population.project import SEXES, project_population
from placeforecast.rates.demography import family_means, parents_of, shrink_to_parents
from placeforecast.rates.schedule import NEWBORN_SHARE, Shapes, fit_shapes, flow_levels
from placeforecast.tables.check import check
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.records import Assumptions

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.population.project import Projection
    from placeforecast.tables.doors import Array

Axes = dict[str, list[Any]]
LEAST_FLOW = 0.1
"""Least flow each way, as a share of the region's: nobody's migration is all one way."""


def residual_migration(
    earlier: pd.DataFrame,
    later: pd.DataFrame,
    survival: pd.DataFrame,
    births: pd.DataFrame,
    *,
    sex_ratio_at_birth: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure net migration between two counts as what births and deaths do not explain.

    The earlier count is projected to the year of the later one without migration. The difference
    by age and sex is spread back along each cohort, every year in proportion to its survivors
    (newborns count half in their first year), and scaled so that projecting the earlier count with
    the result gives the later one: forward residual method, solved for migrants who come at the end
    of each year. People of the open group and those who reach it are one cohort. Errors of either
    count are in it.

    Parameters
    ----------
    earlier, later : DataFrame [district, year, sex, age, population]
        Counts on the cut-off by single age with the same open group; the last year of each.
    survival : DataFrame [[district], [year], sex, age, survival]
        By age reached, for each year between the counts.
    births : DataFrame [district, year, births, share_born]
        Of each school year after the earlier count up to the later one, fully recorded.
    sex_ratio_at_birth : DataFrame [[district], [year], ratio], optional
        Default 1.05.

    Returns
    -------
    DataFrame [district, year, sex, age, net_migration]
        Net migrants of each year by age reached.

    Raises
    ------
    InputError
        For counts in the wrong order, a district or age that one of them lacks, or births that are
        not recorded.

    References
    ----------
    Siegel and Swanson, The Methods and Materials of Demography (2004), chapter 19; United Nations,
    Manual VI: Methods of Measuring Internal Migration (1970).

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.migration import residual_migration
    >>> girls = {"district": "A", "sex": "female", "age": [0, 1]}
    >>> earlier = pd.DataFrame({**girls, "year": 2020, "population": [10.0, 20.0]})
    >>> later = pd.DataFrame({**girls, "year": 2021, "population": [12.0, 18.0]})
    >>> alive = pd.DataFrame({"sex": "female", "age": [0, 1], "survival": [0.9, 0.5]})
    >>> births = pd.DataFrame({"district": ["A"], "year": [2021], "births": [20.5]})
    >>> residual_migration(earlier, later, alive, births)
      district  year     sex  age  net_migration
    0        A  2021  female    0            3.0
    1        A  2021  female    1            3.0
    """
    start, end = _last_count(earlier), _last_count(later)
    first, last = int(start["year"].max()), int(end["year"].max())
    if last <= first:
        rule = f"the later count ({last}) does not follow the earlier one ({first})"
        remedy = "Give two counts of different years, the earlier one first."
        refuse([Problem(file="population", column="year", rule=rule, remedy=remedy)])
    births = _between(births, range(first + 1, last + 1), set(start["district"]))
    known = Assumptions(survival=survival, births=births, sex_ratio_at_birth=sex_ratio_at_birth)
    axes: Axes = {
        "year": list(range(first, last + 1)),
        "sex": [sex for sex in SEXES if sex in set(start["sex"])],
        "age": sorted(set(start["age"])),
        "district": sorted(set(start["district"])),
    }
    target = to_array(end.drop(columns="year"), _without(axes, "year"), "population")
    still = _projected(start, known, axes)
    pattern = _pattern(start, known, still, axes)
    steps = {**axes, "year": axes["year"][1:]}
    spread = to_table(pattern, steps, "net_migration")
    effect = _projected(start, known, axes, spread)[-1] - still[-1]
    _refuse_unreached(effect, target - still[-1], axes)
    scale = np.divide(target - still[-1], effect, out=np.zeros(effect.shape), where=effect > 0)
    moved = pattern * _along_cohorts(scale, len(steps["year"]))
    # The last year is what is left, to the last bit: a cell counted as empty must not fall below 0.
    moved[-1] = 0.0
    reached = _projected(start, known, axes, to_table(moved, steps, "net_migration"))
    moved[-1] = target - reached[-1]
    order = {key: steps[key] for key in ("district", "year", "sex", "age")}
    return to_table(np.transpose(moved, (3, 0, 1, 2)), order, "net_migration")


def migration_rates(net_migration: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Turn net migrants into rates per person who reaches the age, over all years together.

    ``rate(a) = sum of M(t, a) / sum of (P(t, a) - M(t, a))``; 0 where nobody reaches the age.

    Parameters
    ----------
    net_migration : DataFrame [district, year, sex, age, net_migration]
        As from `residual_migration`.
    population : DataFrame [district, year, sex, age, population]
        People at the end of the same years, such as those projected with `net_migration`.

    Returns
    -------
    DataFrame [district, sex, age, net_migration_rate]

    Raises
    ------
    InputError
        For people that are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.migration import migration_rates
    >>> cell = {"district": ["A"], "year": [2021], "sex": ["female"], "age": [20]}
    >>> moved = pd.DataFrame({**cell, "net_migration": [5.0]})
    >>> migration_rates(moved, pd.DataFrame({**cell, "population": [105.0]}))
      district     sex  age  net_migration_rate
    0        A  female   20                0.05
    """
    moved, reached, axes = _flows(net_migration, population)
    rates = np.divide(moved, reached, out=np.zeros(moved.shape), where=reached > 0)
    return to_table(rates, axes, "net_migration_rate")


def smooth_migration(
    net_migration: pd.DataFrame,
    population: pd.DataFrame,
    *,
    districts: pd.DataFrame | None = None,
    shrink: bool = True,
) -> pd.DataFrame:
    """Smooth net migration by age with Rogers-Castro schedules of arrivals and departures.

    Net rates are taken as ``I f(a) - O g(a)``: two schedules of Rogers and Castro, f and g, one
    pair for the whole region, fitted by least squares to all districts with people as weights and
    held near the standard schedule where the data say little (`fit_shapes`), and levels I and O
    of each district and sex, not below zero. Levels and the total net rate are drawn towards the
    parent's by their noise: n people-years at a gross rate of I + O give the net rate a precision
    of ``n / (I + O)`` (`shrink_to_parents`). Last, arrivals are multiplied and departures divided
    by one factor so that the smooth rates give that total.

    Parameters
    ----------
    net_migration : DataFrame [district, year, sex, age, net_migration]
        As from `residual_migration`.
    population : DataFrame [district, year, sex, age, population]
        People at the end of the same years.
    districts : DataFrame [district, parent], optional
        Without it all districts are siblings.
    shrink : bool
        Draw small districts towards their parent.

    Returns
    -------
    DataFrame [district, sex, age, net_migration_rate]

    Raises
    ------
    InputError
        For people that are missing, or if nobody moves anywhere.

    References
    ----------
    Rogers and Castro, Model Migration Schedules (1981); Wilson, Population Research and Policy
    Review 41 (2022), on scaling one profile to many small areas.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.migration import smooth_migration
    >>> from placeforecast.rates.schedule import rogers_castro
    >>> ages = list(range(1, 91))
    >>> cell = {"district": "A", "year": 2021, "sex": "female", "age": ages}
    >>> moved = pd.DataFrame({**cell, "net_migration": 1000 * rogers_castro(ages)})
    >>> people = moved.drop(columns="net_migration").assign(population=1000 + moved.net_migration)
    >>> smooth = smooth_migration(moved, people)
    >>> smooth.query("age in (5, 10, 22)").round(3)
       district     sex  age  net_migration_rate
    4         A  female    5               0.015
    9         A  female   10               0.010
    21        A  female   22               0.037
    """
    moved, reached, axes = _flows(net_migration, population)
    cells = (-1, len(axes["age"]))
    rates = np.divide(moved, reached, out=np.zeros(moved.shape), where=reached > 0)
    net, people = rates.reshape(cells), reached.reshape(cells)
    if not np.abs(moved).sum() > 0:
        remedy = "Leave migration out, or give net migrants that are not all zero."
        refuse([Problem(file="migration", rule="holds no migrants to smooth", remedy=remedy)])
    shapes = fit_shapes(np.array(axes["age"], dtype=float), net, people)
    parents = [
        f"{parent} {sex}"
        for parent in parents_of(districts, axes["district"])
        for sex in axes["sex"]
    ]
    levels = _levels(shapes, net, people, parents, shrink=shrink)
    smooth = _meeting_total(shapes, levels[:2], people, levels[2])
    return to_table(smooth.reshape(moved.shape), axes, "net_migration_rate")


def _levels(
    shapes: Shapes, net: Array, people: Array, parents: list[str], *, shrink: bool
) -> tuple[Array, Array, Array]:
    """Levels of arrivals and departures and the net migrants of each cell [district x sex]."""
    arriving, leaving = flow_levels(shapes, net, people)
    size = people.sum(axis=1)
    inflow = (people * shapes.arriving).sum(axis=1)
    outflow = (people * shapes.leaving).sum(axis=1)
    least = LEAST_FLOW * float((arriving * inflow + leaving * outflow).sum() / people.sum())
    total = (net * people).sum(axis=1)
    own = np.divide(total, size, out=np.zeros(size.shape), where=size > 0)
    if shrink:
        gross = arriving * inflow + leaving * outflow
        shared = family_means(gross / np.maximum(size, 1e-300), size, parents)
        precision = np.divide(size, shared, out=np.zeros(size.shape), where=shared > 0)
        drawn = shrink_to_parents(own, precision, parents)
        arriving, leaving = (
            drawn.weight * level + (1 - drawn.weight) * family_means(level, size, parents)
            for level in (arriving, leaving)
        )
        total = drawn.value * size
    lowest = [least * size / np.maximum(flow, 1e-300) for flow in (inflow, outflow)]
    return np.maximum(arriving, lowest[0]), np.maximum(leaving, lowest[1]), total


def _meeting_total(
    shapes: Shapes, levels: tuple[Array, Array], people: Array, total: Array
) -> Array:
    """Smooth rates [cell, age] whose migrants add up to a total: x I - O / x = T, solved for x."""
    inward = levels[0] * (people * shapes.arriving).sum(axis=1)
    outward = levels[1] * (people * shapes.leaving).sum(axis=1)
    there = inward > 0
    root = (total + np.sqrt(total**2 + 4 * inward * outward)) / np.where(there, 2 * inward, 1.0)
    factor = np.where(there, root, 1.0)[:, None]
    smooth: Array = (
        factor * levels[0][:, None] * shapes.arriving - levels[1][:, None] * shapes.leaving / factor
    )
    return smooth


def _without(axes: Axes, name: str) -> Axes:
    return {key: labels for key, labels in axes.items() if key != name}


def _last_count(population: pd.DataFrame) -> pd.DataFrame:
    stock = check(population, "population")
    latest: pd.DataFrame = stock[stock["year"] == stock["year"].max()]
    return latest


def _between(births: pd.DataFrame, years: range, districts: set[str]) -> pd.DataFrame:
    """Return the fully recorded births of some years, which must all be there."""
    kept = births["year"].isin(list(years)) & births["district"].isin(districts)
    if "share_born" in births.columns:
        kept &= births["share_born"] >= 1
    whole: pd.DataFrame = births[kept]
    to_array(whole, {"year": list(years), "district": sorted(districts)}, "births")
    return whole


def _projected(
    start: pd.DataFrame, known: Assumptions, axes: Axes, spread: pd.DataFrame | None = None
) -> Array:
    """People [year, sex, age, district] from the start on, without or with these migrants."""
    moving = Assumptions(
        survival=known.survival,
        births=known.births,
        sex_ratio_at_birth=known.sex_ratio_at_birth,
        migration=spread,
    )
    result: Projection = project_population(start, moving, until=axes["year"][-1])
    return to_array(result.population, axes, "population")


def _pattern(start: pd.DataFrame, known: Assumptions, still: Array, axes: Axes) -> Array:
    """How the migrants of each cohort spread over years and ages [year, sex, age, district].

    In proportion to the survivors; where nobody of a cohort is left without migration, to those of
    a cohort that starts with one person in each age and two births a year.
    """
    assert known.births is not None  # given by residual_migration
    ones = start.assign(population=1.0)
    two = Assumptions(
        survival=known.survival,
        births=known.births.assign(births=2.0),
        sex_ratio_at_birth=known.sex_ratio_at_birth,
    )
    steps = len(axes["year"]) - 1
    empty = _along_cohorts((still[-1] <= 0).astype(float), steps) > 0
    pattern: Array = np.where(empty, _projected(ones, two, axes)[1:], still[1:])
    pattern[:, :, 0] *= NEWBORN_SHARE
    return pattern


def _along_cohorts(at_end: Array, steps: int) -> Array:
    """Give each cell [step, sex, age, ...] what its cohort has at the end [sex, age, ...]."""
    ages = at_end.shape[1]
    ahead = np.arange(steps - 1, -1, -1)[:, None]
    reached = np.minimum(np.arange(ages)[None, :] + ahead, ages - 1)
    cells: Array = np.moveaxis(at_end[:, reached], 1, 0)
    return cells


def _refuse_unreached(effect: Array, gap: Array, axes: Axes) -> None:
    lost = np.argwhere((effect <= 0) & (gap != 0))
    if len(lost):
        s, a, d = (int(i) for i in lost[0])
        cell = f"district {axes['district'][d]}, {axes['sex'][s]}, age {axes['age'][a]}"
        rule = f"nobody survives to be counted again: {cell}"
        remedy = "Give a survival above 0 on the way there."
        refuse([Problem(file="survival", column="survival", rule=rule, remedy=remedy)])


def _flows(net_migration: pd.DataFrame, population: pd.DataFrame) -> tuple[Array, Array, Axes]:
    """Migrants, and people who reach the age before migration [district, sex, age]."""
    axes: Axes = {
        "district": sorted(set(net_migration["district"])),
        "year": sorted(set(net_migration["year"])),
        "sex": [sex for sex in SEXES if sex in set(net_migration["sex"])],
        "age": sorted(set(net_migration["age"])),
    }
    moved = to_array(net_migration, axes, "net_migration", name="migration")
    rows = population[
        population["year"].isin(axes["year"]) & population["district"].isin(axes["district"])
    ]
    people = to_array(rows, axes, "population")
    reached = people - moved
    return moved.sum(axis=1), reached.sum(axis=1), _without(axes, "year")
