"""Fertility by age that meets the recorded births: indirect standardisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from placeforecast.population.project import ONE_PLACE
from placeforecast.rates.demography import family_means, parents_of, shrink_to_parents
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.settings import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.population.project import Projection
    from placeforecast.tables.doors import Array, Flags

Axes = dict[str, list[Any]]
Weight = Annotated[float, Field(gt=0)]
SHOWN = ("first", "last", "births", "expected", "own", "parent", "weight", "factor", "trend")


class FertilityRule(Section):
    """How a schedule of fertility is fitted to recorded births and carried forward.

    Attributes
    ----------
    weights : tuple of float
        Weight of each fully recorded year in the level, the latest first; as many years as weights.
    shrink : bool
        Draw the level of a district towards its parent's by its own Poisson noise.
    pattern_births : float
        Births at which a district's age pattern counts as much as its parent's; 0 keeps its own.
    trend_years : int
        Latest years in which the trend of the log level is measured; 0 holds the level.
    damping : float
        Share of each year's move that the next year makes again.
    """

    weights: Annotated[tuple[Weight, ...], Field(strict=False, min_length=1)] = (3.0, 2.0, 1.0)
    shrink: bool = True
    pattern_births: float = Field(default=0.0, ge=0)
    trend_years: int = Field(default=0, ge=0, le=30)
    damping: float = Field(default=0.8, ge=0, le=1)


@dataclass(frozen=True)
class _Levels:
    """Levels by district, as arrays [district]; `reference` is the mean year of the weights."""

    births: Array
    expected: Array
    own: Array
    parent: Array
    weight: Array
    factor: Array
    trend: Array
    reference: Array
    first: Array
    last: Array


def women_exposed(projection: Projection) -> pd.DataFrame:
    """Count the woman-years that each step of a projection exposes to fertility.

    ``W(t, a) = n (F(t-n, a) + F'(t, a)) / 2`` with F the women of age a at the start and F' the
    survivors of age a at the end, before migration, of a step of n years: what the projection
    itself multiplies with fertility (``migration_timing="end"``).

    Parameters
    ----------
    projection : Projection
        Run from a stock through the years of recorded births.

    Returns
    -------
    DataFrame [district, year, age, women]
        For every year but the starting one.

    Raises
    ------
    InputError
        If there are no women in the projection.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.rates.fertility import women_exposed
    >>> girls = pd.DataFrame({"year": 2020, "sex": "female", "age": [0, 1], "population": [10, 20]})
    >>> alive = pd.DataFrame({"sex": "female", "age": [0, 1], "survival": [0.9, 0.5]})
    >>> births = pd.DataFrame({"district": "all", "year": [2021], "births": [20.5]})
    >>> result = pf.project_population(girls, pf.Assumptions(survival=alive, births=births))
    >>> women_exposed(result)
      district  year  age  women
    0      all  2021    0    9.5
    1      all  2021    1   17.5
    """
    people = projection.population[projection.population["sex"] == "female"]
    flows = projection.net_migration[projection.net_migration["sex"] == "female"]
    if people.empty:
        remedy = "Fertility needs women by age: give a population of both sexes, or of women."
        refuse([Problem(file="population", rule="holds no women", remedy=remedy)])
    if "district" not in people.columns:
        people, flows = people.assign(district=ONE_PLACE), flows.assign(district=ONE_PLACE)
    years = sorted(set(people["year"]))
    axes = {"district": sorted(set(people["district"])), "age": sorted(set(people["age"]))}
    stock = to_array(people.drop(columns="sex"), {"year": years, **axes}, "population")
    later = {"year": years[1:], **axes}
    moved = to_array(flows.drop(columns="sex"), later, "net_migration")
    width = np.diff(np.array(years, dtype=float))[:, None, None]
    exposed = width * (stock[:-1] + stock[1:] - moved) / 2
    return to_table(np.moveaxis(exposed, 0, 1), _of(later, "district", "year", "age"), "women")


def fertility_levels(
    fertility: pd.DataFrame,
    women: pd.DataFrame,
    births: pd.DataFrame,
    *,
    districts: pd.DataFrame | None = None,
    rule: FertilityRule | None = None,
) -> pd.DataFrame:
    """Compare recorded births with those that a schedule of fertility expects.

    The arguments are those of `standardise_fertility`, which says how the figures come about.

    Returns
    -------
    DataFrame [district, first, last, births, expected, own, parent, weight, factor, trend]
        One row per district: first and last year used, weighted births recorded and expected, the
        own and the parent's level, the weight of the own one, the factor that results, and the
        trend of its logarithm per year.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.fertility import FertilityRule, fertility_levels
    >>> schedule = pd.DataFrame({"age": [30], "asfr": [0.1]})
    >>> women = pd.DataFrame({"district": "A", "year": [2024], "age": [30], "women": [1000.0]})
    >>> births = pd.DataFrame({"district": "A", "year": [2024], "births": [90.0]})
    >>> levels = fertility_levels(schedule, women, births, rule=FertilityRule(weights=(1.0,)))
    >>> levels[["district", "births", "expected", "factor"]]
      district  births  expected  factor
    0        A    90.0     100.0     0.9
    """
    rule = rule or FertilityRule()
    names = sorted(set(women["district"]))
    parents = parents_of(districts, names)
    found, _ = _fit(fertility, women, births, parents, rule)
    columns = {name: getattr(found, name) for name in SHOWN}
    return pd.DataFrame({"district": names, **columns}).astype({"first": int, "last": int})


def standardise_fertility(
    fertility: pd.DataFrame,
    women: pd.DataFrame,
    births: pd.DataFrame,
    years: Sequence[int],
    *,
    districts: pd.DataFrame | None = None,
    rule: FertilityRule | None = None,
) -> pd.DataFrame:
    """Fit a schedule of fertility to recorded births and carry its level forward.

    Indirect standardisation: the level of a district is ``sum(w B) / sum(w E)``, births recorded
    over births that its women would have at the schedule, ``E(t) = sum over ages of asfr W(t)``,
    over the latest fully recorded years with the weights of the rule. It is drawn towards the level
    of its parent by its own Poisson noise: with n = (sum(w E))^2 / sum(w^2 E) effective births its
    precision is n over the parent's level (`shrink_to_parents`). The result is the schedule
    times the level; its age pattern, and its own movement over the years, are kept. A trend moves
    the log level by ``b (d + d^2 + ... + d^h)`` h years after the last recorded year, b being the
    slope over the latest years, drawn towards the parent's, and d the damping.

    Parameters
    ----------
    fertility : DataFrame [[district], [year], age, asfr]
        The schedule; with a year, it must reach the reference years and `years`.
    women : DataFrame [district, year, age, women]
        Woman-years of past steps, from `women_exposed`.
    births : DataFrame [district, year, births, share_born]
        By school year; rows with a `share_born` below 1 are not used.
    years : sequence of int
        Years to give fertility for.
    districts : DataFrame [district, parent], optional
        Without it all districts are siblings.
    rule : FertilityRule, optional
        Weights, shrinking, pooling of the pattern, trend.

    Returns
    -------
    DataFrame [district, year, age, asfr]

    Raises
    ------
    InputError
        For a district without a fully recorded year, births where no woman is of fertile age, or a
        hole in the schedule.

    References
    ----------
    Preston, Heuveline and Guillot, Demography (2001), section 2.3, on standardisation; Gardner and
    McKenzie, Management Science 31 (1985) 1237-1246, on damped trends.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.fertility import FertilityRule, standardise_fertility
    >>> schedule = pd.DataFrame({"age": [30], "asfr": [0.1]})
    >>> women = pd.DataFrame({"district": "A", "year": [2024], "age": [30], "women": [1000.0]})
    >>> births = pd.DataFrame({"district": "A", "year": [2024], "births": [90.0]})
    >>> rule = FertilityRule(weights=(1.0,))
    >>> standardise_fertility(schedule, women, births, [2025], rule=rule)
      district  year  age  asfr
    0        A  2025   30  0.09
    """
    rule = rule or FertilityRule()
    names = sorted(set(women["district"]))
    parents = parents_of(districts, names)
    found, exposure = _fit(fertility, women, births, parents, rule)
    axes = {"year": list(years), "district": names, "age": _fertile_ages(fertility, women)}
    schedule = _pooled(_schedule(fertility, axes), exposure, parents, rule)
    asfr = schedule * _path(found, axes["year"], rule)[:, :, None]
    order = _of(axes, "district", "year", "age")
    return to_table(np.swapaxes(asfr, 0, 1), order, "asfr")


def _of(axes: Axes, *names: str) -> Axes:
    return {name: axes[name] for name in names}


def _rank(known: Flags) -> Array:
    """Rank the known years [year, ...] from the latest back, which is 1."""
    rank: Array = np.cumsum(known[::-1], axis=0)[::-1].astype(float)
    return rank


def _refuse_unrecorded(known: Flags, axes: Axes) -> None:
    """Refuse districts that have no year [year, district] of recorded births."""
    span = f"{axes['year'][0]}-{axes['year'][-1]}"
    remedy = "Give the births of one full year, or leave the district out."
    lacking = [name for d, name in enumerate(axes["district"]) if not known[:, d].any()]
    rule = f"holds no fully recorded births of {{}} in the years of reference ({span})"
    refuse([Problem(file="births", rule=rule.format(name), remedy=remedy) for name in lacking])


def _fertile_ages(fertility: pd.DataFrame, women: pd.DataFrame) -> list[int]:
    first, last = int(fertility["age"].min()), int(fertility["age"].max())
    return [age for age in sorted(set(women["age"])) if first <= age <= last]


def _schedule(fertility: pd.DataFrame, axes: Axes) -> Array:
    rows = fertility[fertility["age"].isin(axes["age"])]
    for key in ("district", "year"):
        if key in rows.columns:
            rows = rows[rows[key].isin(axes[key])]
    order = _of(axes, "year", "district", "age")
    return to_array(rows, order, "asfr", name="fertility")


def _fully_recorded(births: pd.DataFrame, women: pd.DataFrame) -> pd.DataFrame:
    """Return births of whole years, of the districts and years that have women."""
    kept = births["district"].isin(set(women["district"])) & births["year"].isin(set(women["year"]))
    if "share_born" in births.columns:
        kept &= births["share_born"] >= 1
    whole: pd.DataFrame = births[kept]
    return whole


def _reference_years(fertility: pd.DataFrame, women: pd.DataFrame, whole: pd.DataFrame) -> Axes:
    """Years of women and of the schedule in which births are fully recorded, with districts."""
    years = set(whole["year"])
    if "year" in fertility.columns:
        years &= set(fertility["year"])
    if not years:
        rule = "no year has women by age, a schedule of fertility and fully recorded births"
        remedy = "Give births of a year after the count of people, or fertility without a year."
        refuse([Problem(file="births", column="year", rule=rule, remedy=remedy)])
    return {
        "year": sorted(years),
        "district": sorted(set(women["district"])),
        "age": _fertile_ages(fertility, women),
    }


def _fit(
    fertility: pd.DataFrame,
    women: pd.DataFrame,
    births: pd.DataFrame,
    parents: list[str],
    rule: FertilityRule,
) -> tuple[_Levels, Array]:
    """Return the levels, and the woman-years of the reference years [district, age]."""
    whole = _fully_recorded(births, women)
    axes = _reference_years(fertility, women, whole)
    rows = women[women["year"].isin(axes["year"]) & women["age"].isin(axes["age"])]
    lived = to_array(rows, axes, "women", name="women")
    whole = whole[whole["year"].isin(axes["year"])]
    recorded = to_array(whole, _of(axes, "year", "district"), "births", holes=True)
    _refuse_unrecorded(~np.isnan(recorded), axes)
    schedule = _pooled(_schedule(fertility, axes), lived.sum(axis=0), parents, rule)
    expected = (schedule * lived).sum(axis=2)
    _refuse_motherless(recorded, expected, axes)
    return _levels(recorded, expected, axes["year"], parents, rule), lived.sum(axis=0)


def _refuse_motherless(recorded: Array, expected: Array, axes: Axes) -> None:
    odd = np.argwhere((expected <= 0) & (np.nan_to_num(recorded) > 0))
    if len(odd):
        t, d = (int(i) for i in odd[0])
        cell = f"district {axes['district'][d]}, year {axes['year'][t]}"
        rule = f"there are births where the schedule expects none: {cell}"
        remedy = "Check the women of fertile age and the fertility of the district."
        refuse([Problem(file="births", column="births", rule=rule, remedy=remedy)])


def _pooled(schedule: Array, lived: Array, parents: list[str], rule: FertilityRule) -> Array:
    """Draw the age patterns [year, district, age] of small districts towards their parent's."""
    if rule.pattern_births == 0:
        return schedule
    total = schedule.sum(axis=2, keepdims=True)
    own = np.divide(schedule, total, out=np.zeros(schedule.shape), where=total > 0)
    by_age = lived + 1e-9  # where a parent has no women of an age, each district counts alike
    means = [
        [family_means(row[:, a], by_age[:, a], parents) for a in range(row.shape[1])]
        for row in schedule
    ]
    shared = np.moveaxis(np.array(means), 1, 2)
    shared = shared / np.maximum(shared.sum(axis=2, keepdims=True), 1e-300)
    births = (schedule * lived).sum(axis=2).mean(axis=0)
    keep = (births / (births + rule.pattern_births))[None, :, None]
    pooled: Array = total * (keep * own + (1 - keep) * shared)
    return pooled


def _levels(
    recorded: Array, expected: Array, years: list[int], parents: list[str], rule: FertilityRule
) -> _Levels:
    known = ~np.isnan(recorded)
    rank = _rank(known).astype(int)
    by_rank = np.array([0.0, *rule.weights, 0.0])
    weight = np.where(known, by_rank[np.minimum(rank, len(rule.weights) + 1)], 0.0)
    births = (weight * np.where(known, recorded, 0.0)).sum(axis=0)
    hoped = (weight * expected).sum(axis=0)
    noise = (weight**2 * expected).sum(axis=0)
    own = np.divide(births, hoped, out=np.ones(births.shape), where=hoped > 0)
    size = np.divide(hoped**2, noise, out=np.zeros(births.shape), where=noise > 0)
    parent = family_means(own, size, parents, empty=1.0)
    precision = np.divide(size, parent, out=np.zeros(size.shape), where=parent > 0)
    shrunk = shrink_to_parents(own, precision, parents, empty=1.0)
    at = np.array(years, dtype=float)[:, None]
    used = np.where(weight > 0, at, np.nan)
    return _Levels(
        births=births,
        expected=hoped,
        own=own,
        parent=shrunk.parent,
        weight=shrunk.weight if rule.shrink else np.ones(own.shape),
        factor=shrunk.value if rule.shrink else own,
        trend=_trend(recorded, expected, at, parents, rule),
        reference=(weight * at).sum(axis=0) / weight.sum(axis=0),
        first=np.nanmin(used, axis=0),
        last=np.nanmax(used, axis=0),
    )


def _trend(
    recorded: Array, expected: Array, at: Array, parents: list[str], rule: FertilityRule
) -> Array:
    """Slope of the log level by year, births as weights, drawn towards the parent's."""
    if rule.trend_years == 0:
        return np.zeros(recorded.shape[1])
    known = ~np.isnan(recorded)
    used = known & (_rank(known) <= rule.trend_years)
    births = np.where(used, recorded, 0.0) + 0.5  # keeps a year without births in the logarithm
    level = np.log(births / (expected + 0.5))
    weight = np.where(used, births, 0.0)
    total = weight.sum(axis=0)
    centre = at - (weight * at).sum(axis=0) / total
    precision = (weight * centre**2).sum(axis=0)
    moved = (weight * centre * level).sum(axis=0)
    slope = np.divide(moved, precision, out=np.zeros(total.shape), where=precision > 0)
    trend: Array = shrink_to_parents(slope, precision, parents).value if rule.shrink else slope
    return trend


def _path(found: _Levels, years: list[int], rule: FertilityRule) -> Array:
    """Level [year, district]: along the trend between the years used, damped after them."""
    at = np.array(years, dtype=float)[:, None]
    ahead = np.maximum(at - found.last, 0).astype(int)
    powers = np.cumsum(rule.damping ** np.arange(1, int(ahead.max(initial=0)) + 1))
    reach = np.concatenate([[0.0], powers])[ahead]
    within = np.clip(at, found.first, found.last) - found.reference
    level: Array = found.factor * np.exp(found.trend * (within + reach))
    return level
