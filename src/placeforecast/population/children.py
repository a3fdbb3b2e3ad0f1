"""Children of school age, on the two bases that are never mixed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.population.project import ONE_PLACE, SEXES
from placeforecast.tables.doors import to_array
from placeforecast.tables.grades import ages_of, resolve_grades
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.population.project import Projection
    from placeforecast.tables.doors import Array
    from placeforecast.tables.records import Assumptions

COLUMNS = ["district", "year", "age", "basis", "children", "share_born"]


def school_ages(grades: pd.DataFrame) -> list[int]:
    """Return every age that the grades of a school system are entered at or stayed in."""
    last = grades["entry_age"] + grades["duration"]
    return list(range(int(grades["entry_age"].min()), int(last.max())))


def school_age_children(
    assumptions: Assumptions,
    projection: Projection | None = None,
    *,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the children of each school age, on each basis that can be formed.

    ``births``: the births of the cohort, carried forward unmoved; who moves in or out is inside the
    ratio that is applied to them. Cohorts of which no month is recorded come from the projection
    where it computes births, else from `assumptions.births`. ``resident``: people of that age
    living there, from the projection where it has both sexes.

    Parameters
    ----------
    assumptions : Assumptions
        `births` for the basis of births.
    projection : Projection, optional
        For the basis of residents, and for births that are not yet born.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, year, age, basis, children, share_born]
        Persons. Years reach as far as the cohorts are known or forecast, from the first cohort on.

    Raises
    ------
    InputError
        If neither births nor a projection is there.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> births = pd.DataFrame({"district": ["A"], "year": [2019], "births": [100.0]})
    >>> children = pf.school_age_children(pf.Assumptions(births=births))
    >>> children.query("age == 6")[["district", "year", "age", "basis", "children"]]
      district  year  age   basis  children
    3        A  2025    6  births     100.0
    """
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    ages = school_ages(system)
    if projection is not None and "district" not in projection.population.columns:
        projection = replace(
            projection,
            population=projection.population.assign(district=ONE_PLACE),
            births=projection.births.assign(district=ONE_PLACE),
            all_births=projection.all_births.assign(district=ONE_PLACE),
        )
    parts = []
    cohorts = _cohorts(assumptions, projection)
    if cohorts is not None:
        parts.append(_on_births(cohorts, ages))
    if projection is not None and projection.population["sex"].nunique() == len(SEXES):
        parts.append(_on_residents(projection, assumptions, ages))
    if not parts:
        remedy = "Give assumptions.births, or a projection."
        refuse([Problem(rule="there are neither births nor people to count", remedy=remedy)])
    order = ["basis", "district", "age", "year"]
    return pd.concat(parts)[COLUMNS].sort_values(order, kind="stable").reset_index(drop=True)


def pool_of_children(
    grade: Mapping[str, Any], children: pd.DataFrame, axes: Mapping[str, list[Any]], basis: str
) -> Array:
    """Return the children of a grade's ages [year, district]; NaN where one age is not known."""
    ages = ages_of(grade)
    rows = children[
        (children["basis"] == basis)
        & children["age"].isin(ages)
        & children["year"].isin(axes["year"])
        & children["district"].isin(axes["district"])
    ]
    full = {"year": axes["year"], "district": axes["district"], "age": ages}
    pool: Array = to_array(rows, full, "children", holes=True).sum(axis=2)
    return pool


def _cohorts(assumptions: Assumptions, projection: Projection | None) -> pd.DataFrame | None:
    """Births by cohort: recorded ones, and where a projection computes them those not yet born."""
    if assumptions.births is None:
        return None
    births = assumptions.births
    if "share_born" not in births.columns:
        births = births.assign(share_born=1.0)
    if projection is None or assumptions.fertility is None:
        return births
    recorded: pd.DataFrame = births[births["share_born"] > 0]
    computed = projection.all_births
    last = recorded.groupby("district")["year"].max()
    later = ~(computed["year"] <= computed["district"].map(last))
    return pd.concat([recorded, computed[later].assign(share_born=0.0)], ignore_index=True)


def _on_births(cohorts: pd.DataFrame, ages: list[int]) -> pd.DataFrame:
    parts = [cohorts.assign(age=age, year=cohorts["year"] + age) for age in ages]
    return pd.concat(parts).rename(columns={"births": "children"}).assign(basis="births")


def _on_residents(
    projection: Projection, assumptions: Assumptions, ages: list[int]
) -> pd.DataFrame:
    people = projection.population[projection.population["age"].isin(ages)]
    keys = ["district", "year", "age"]
    grouped = people.groupby(keys, as_index=False, sort=False)
    children: pd.DataFrame = grouped.agg(children=("population", "sum")).assign(basis="resident")
    stock_year = int(projection.population["year"].min())
    cohort = children["year"] - children["age"]
    born = (cohort <= stock_year).astype(float)
    if assumptions.births is not None:
        births = assumptions.births
        if "share_born" not in births.columns:
            births = births.assign(share_born=1.0)
        share = births.set_index(["district", "year"])["share_born"]
        at = pd.MultiIndex.from_arrays([children["district"], cohort])
        recorded = pd.Series(share.reindex(at).to_numpy(dtype=float), index=children.index)
        born = recorded.where(recorded.notna(), born)
    return children.assign(share_born=born)
