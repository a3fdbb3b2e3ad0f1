"""The cohort-component projection, from tables to tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.population.kernel import Rates, Timing, project
from placeforecast.tables.check import check
from placeforecast.tables.doors import Array, to_array, to_table
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.show import record_html, record_text

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.tables.records import Assumptions

SEXES = ("female", "male")
DEFAULT_SEX_RATIO = 1.05  # males per female birth; the human ratio lies near it
ONE_PLACE = "all"
TIMINGS = ("end", "half")


@dataclass(frozen=True, repr=False)
class Projection:
    """A population projection with its components.

    For each district and year, population = population a step before + births - deaths + net
    migration; by sex and cohort likewise. Deaths and migrants stand at the age reached at the end
    of the step, newborns at age 0.

    Attributes
    ----------
    population : DataFrame [district, year, sex, age, population]
        The starting year included.
    births : DataFrame [district, year, sex, births]
        Of the sexes that are there.
    deaths : DataFrame [district, year, sex, age, deaths]
    net_migration : DataFrame [district, year, sex, age, net_migration]
    all_births : DataFrame [district, year, births]
        Of both sexes, also where only women were projected.
    """

    population: pd.DataFrame
    births: pd.DataFrame
    deaths: pd.DataFrame
    net_migration: pd.DataFrame
    all_births: pd.DataFrame

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


def project_population(
    population: pd.DataFrame,
    assumptions: Assumptions,
    *,
    until: int | None = None,
    step: int = 1,
    migration_timing: Timing = "end",
) -> Projection:
    """Project people by district, sex and age from the last year of a stock.

    Recorded births (`assumptions.births` with a `share_born` above 0, or without that column) take
    the place of computed ones in the years that they cover.

    Parameters
    ----------
    population : DataFrame [district, year, sex, age, population]
        People on the cut-off; the last year is the start. Without `district`: one place. The sexes
        that are there define the axis; with ``step=n`` an age is the first of a group n wide.
    assumptions : Assumptions
        `survival` always; `fertility` for years without recorded births; `migration` and
        `sex_ratio_at_birth` (default 1.05) where there are any. Keyed by the year reached.
    until : int, optional
        Last year; by default the last year that every table with a year column reaches.
    step : int
        Years in a step.
    migration_timing : {"end", "half"}
        All migrants at the end of the step, or half of them at each end.

    Returns
    -------
    Projection
        Without `district` in `population`, its tables have none either.

    Raises
    ------
    InputError
        For a missing rate (named), a gap between the ages of fertility, or a cell from which more
        people leave than live there.

    References
    ----------
    United Nations, World Population Prospects 2024: Methodology; Preston, Heuveline and Guillot,
    Demography (2001), chapter 6.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> girls = pd.DataFrame({"year": 2020, "sex": "female", "age": [0, 1], "population": [10, 20]})
    >>> alive = pd.DataFrame({"sex": "female", "age": [0, 1], "survival": [0.9, 0.5]})
    >>> births = pd.DataFrame({"district": "all", "year": [2021], "births": [20.5]})
    >>> result = pf.project_population(girls, pf.Assumptions(survival=alive, births=births))
    >>> result.population[["year", "age", "population"]]
       year  age  population
    0  2020    0        10.0
    1  2020    1        20.0
    2  2021    0         9.0
    3  2021    1        15.0
    """
    if migration_timing not in TIMINGS:
        raise ValueError(f"there is no migration_timing {migration_timing!r}: end, half")
    one_place = "district" not in population.columns
    stock = check(population.assign(district=ONE_PLACE) if one_place else population, "population")
    start_year = int(stock["year"].max())
    _refuse_late_districts(stock, start_year)
    stock = stock[stock["year"] == start_year]
    axes = _axes(stock, assumptions, until, step, start_year)
    start = to_array(stock.drop(columns="year"), _of(axes, "sex", "age", "district"), "population")
    rates = _rates(assumptions, axes)
    result = project(start, rates, step=step, timing=migration_timing)
    years = [start_year, *axes["year"]]
    if migration_timing == "half":
        before = result.population[:-1]
        _refuse_negative(before + (rates.migrants + rates.migration_rate * before) / 2, axes)
    _refuse_negative(result.population, {**axes, "year": years})
    tables = {
        "population": _table(result.population, {**axes, "year": years}, "population"),
        "births": _table(result.births, _of(axes, "year", "sex", "district"), "births"),
        "deaths": _table(result.deaths, axes, "deaths"),
        "net_migration": _table(result.migrants, axes, "net_migration"),
        "all_births": _table(
            result.births.sum(axis=1) / rates.sex_share.sum(axis=1),
            _of(axes, "year", "district"),
            "births",
        ),
    }
    if one_place:
        tables = {name: table.drop(columns="district") for name, table in tables.items()}
    return Projection(**tables)


def _of(axes: dict[str, list[Any]], *names: str) -> dict[str, list[Any]]:
    return {name: axes[name] for name in names}


def _axes(
    stock: pd.DataFrame, assumptions: Assumptions, until: int | None, step: int, start_year: int
) -> dict[str, list[Any]]:
    ages = sorted(stock["age"].unique().tolist())
    steps_of_age = {later - earlier for earlier, later in pairwise(ages)}
    if ages[0] != 0 or steps_of_age - {step}:
        rule = f"the ages do not run from 0 in steps of {step}"
        remedy = "Give every age (or age group of that width), the last one open."
        refuse([Problem(file="population", column="age", rule=rule, remedy=remedy)])
    last = until if until is not None else _last_year(assumptions)
    if last < start_year or (last - start_year) % step:
        rule = f"ends in {last}, which no step of {step} years from {start_year} reaches"
        remedy = "Give until as the start plus a whole number of steps."
        refuse([Problem(rule=f"the projection {rule}", remedy=remedy)])
    return {
        "year": list(range(start_year + step, last + 1, step)),
        "sex": [sex for sex in SEXES if sex in stock["sex"].unique()],
        "age": ages,
        "district": sorted(stock["district"].unique().tolist()),
    }


def _refuse_late_districts(stock: pd.DataFrame, start_year: int) -> None:
    there = stock.loc[stock["year"] == start_year, "district"].unique()
    late = sorted(set(stock["district"].unique()) - set(there))
    if late:
        rule = f"has no count of {late[0]} in {start_year}, the last year ({len(late)} districts)"
        remedy = "Give every district the same last year."
        refuse([Problem(file="population", column="year", rule=rule, remedy=remedy)])


def _last_year(assumptions: Assumptions) -> int:
    dated = [
        table["year"].max()
        for table in (
            assumptions.survival,
            assumptions.fertility,
            assumptions.migration,
            assumptions.sex_ratio_at_birth,
        )
        if table is not None and "year" in table.columns
    ]
    if not dated and assumptions.births is not None:
        dated = [assumptions.births["year"].max()]
    if not dated:
        rule, remedy = "no rate says how far the projection runs", "Give until, the last year."
        refuse([Problem(rule=rule, remedy=remedy)])
    return int(min(dated))


def _in_years(table: pd.DataFrame, years: list[Any]) -> pd.DataFrame:
    return table[table["year"].isin(years)] if "year" in table.columns else table


def _rate(table: pd.DataFrame | None, name: str, value: str, axes: dict[str, list[Any]]) -> Array:
    if table is None:
        remedy = f"Give assumptions.{name}."
        refuse([Problem(file=name, rule="is missing", remedy=remedy)])
        raise AssertionError
    within = _in_years(table, axes["year"])
    if "district" in within.columns:
        within = within[within["district"].isin(axes["district"])]
    if "sex" in within.columns and "sex" in axes:
        within = within[within["sex"].isin(axes["sex"])]
    return to_array(within, axes, value, name=name)


def _rates(assumptions: Assumptions, axes: dict[str, list[Any]]) -> Rates:
    survival = _rate(assumptions.survival, "survival", "survival", axes)
    zero = np.broadcast_to(0.0, survival.shape)
    recorded = _recorded(assumptions, axes)
    migrants = rate = zero
    if assumptions.migration is not None:
        column = "net_migration" if "net_migration" in assumptions.migration else ""
        if column:
            migrants = _rate(assumptions.migration, "migration", column, axes)
        else:
            rate = _rate(assumptions.migration, "migration", "net_migration_rate", axes)
    return Rates(
        survival=survival,
        asfr=_asfr(assumptions, axes, recorded),
        sex_share=_sex_share(assumptions, axes),
        migrants=migrants,
        migration_rate=rate,
        recorded=recorded,
    )


def _recorded(assumptions: Assumptions, axes: dict[str, list[Any]]) -> Array:
    shape = _of(axes, "year", "district")
    if assumptions.births is None:
        return np.full((len(axes["year"]), len(axes["district"])), np.nan)
    births = _in_years(assumptions.births, axes["year"])
    births = births[births["district"].isin(axes["district"])]
    if assumptions.fertility is not None and "share_born" in births.columns:
        births = births[births["share_born"] > 0]
    return to_array(births, shape, "births", name="births", holes=True)


def _asfr(assumptions: Assumptions, axes: dict[str, list[Any]], recorded: Array) -> Array:
    shape = {name: axes[name] for name in ("year", "age", "district")}
    full = np.zeros(tuple(len(labels) for labels in shape.values()))
    needed = np.isnan(recorded)
    if assumptions.fertility is None or "female" not in axes["sex"]:
        if needed.any():
            t, d = (int(i[0]) for i in np.nonzero(needed))
            rule = f"births of {axes['district'][d]} in {axes['year'][t]} are neither recorded"
            why = " nor can they be computed"
            remedy = "Give assumptions.births for the year, or fertility and women by age."
            refuse([Problem(file="births", rule=rule + why, remedy=remedy)])
        return full
    fertility = assumptions.fertility
    first, last = int(fertility["age"].min()), int(fertility["age"].max())
    fertile = [age for age in axes["age"] if first <= age <= last]
    steps = np.flatnonzero(needed.any(axis=1))
    if not len(steps):
        return full
    years = [axes["year"][int(t)] for t in steps]
    asfr = _rate(fertility, "fertility", "asfr", {**shape, "year": years, "age": fertile})
    at = axes["age"].index(fertile[0])
    full[steps, at : at + len(fertile)] = asfr
    return full


def _sex_share(assumptions: Assumptions, axes: dict[str, list[Any]]) -> Array:
    shape = _of(axes, "year", "district")
    table = assumptions.sex_ratio_at_birth
    if table is None:
        ratio: Array = np.full((len(axes["year"]), len(axes["district"])), DEFAULT_SEX_RATIO)
    else:
        ratio = _rate(table, "sex_ratio_at_birth", "ratio", shape)
    shares = {"female": 1 / (1 + ratio), "male": ratio / (1 + ratio)}
    return np.stack([shares[sex] for sex in axes["sex"]], axis=1)


def _refuse_negative(population: Array, axes: dict[str, list[Any]]) -> None:
    below = np.argwhere(population < 0)
    if len(below):
        t, s, a, d = (int(i) for i in below[0])
        cell = f"district {axes['district'][d]}, year {axes['year'][t]}, {axes['sex'][s]}"
        rule = f"more people leave than live there: {cell}, age {axes['age'][a]}"
        remedy = "Lower the net migration out, or give it as net_migration_rate."
        refuse([Problem(file="migration", rule=rule, remedy=remedy)])


def _table(array: Array, axes: dict[str, list[Any]], value: str) -> pd.DataFrame:
    """Long table in the order district, year, sex, age."""
    order = [name for name in ("district", "year", "sex", "age") if name in axes]
    current = list(axes)
    moved = np.transpose(array, [current.index(name) for name in order])
    return to_table(moved, _of(axes, *order), value)
