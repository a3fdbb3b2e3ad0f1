"""Identities that every population projection obeys, as checks on its tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from placeforecast.population.project import Projection

Array = np.ndarray[Any, np.dtype[np.float64]]
TABLES = {
    "population": "population",
    "births": "births",
    "deaths": "deaths",
    "net_migration": "net_migration",
}


def assert_accounts_balance(result: Projection, keys: list[str]) -> None:
    """Check that people = people before + births - deaths + net migration, within each key."""

    def by_year(table: pd.DataFrame, value: str) -> Array:
        rows = table.assign(everywhere="all")
        wide = rows.pivot_table(
            values=value, index=["everywhere", *keys], columns="year", aggfunc="sum"
        )
        return wide.to_numpy(dtype=float)

    people = by_year(result.population, "population")
    change = (
        by_year(result.births, "births")
        - by_year(result.deaths, "deaths")
        + by_year(result.net_migration, "net_migration")
    )
    name = f"accounts by {', '.join(keys) or 'total'}"
    np.testing.assert_allclose(people[:, 1:], people[:, :-1] + change, rtol=1e-9, err_msg=name)


def assert_cohorts_balance(result: Projection) -> None:
    """Check the same for each cohort and sex: flows stand at the age reached, births at age 0."""

    def by_age(table: pd.DataFrame, value: str) -> Array:
        keys = ["district", "sex", "year"]
        wide = table.pivot_table(values=value, index=keys, columns="age", aggfunc="sum")
        groups = len(table[["district", "sex"]].drop_duplicates())
        cells: Array = wide.to_numpy(dtype=float)
        return cells.reshape(groups, -1, cells.shape[1])

    people = by_age(result.population, "population")
    births = by_age(result.births.assign(age=0), "births")
    before = np.concatenate([births, people[:, :-1, :-1]], axis=2)
    before[:, :, -1] += people[:, :-1, -1]
    deaths = by_age(result.deaths, "deaths")
    migrants = by_age(result.net_migration, "net_migration")
    after = people[:, 1:]
    np.testing.assert_allclose(
        after, before - deaths + migrants, rtol=1e-9, err_msg="accounts by cohort and sex"
    )


def assert_same_bits(one: Projection, other: Projection) -> None:
    """Check that two projections are the same to the last bit."""
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(one, name), getattr(other, name), check_exact=True, obj=name
        )


def assert_same_sums(one: Projection, other: Projection) -> None:
    """Check that two projections agree when their districts are added up."""
    for name, value in TABLES.items():
        summed = []
        for result in (one, other):
            table = getattr(result, name)
            keys = [key for key in ("year", "sex", "age") if key in table.columns]
            summed.append(table.groupby(keys)[value].sum())
        pd.testing.assert_index_equal(summed[0].index, summed[1].index)
        np.testing.assert_allclose(
            summed[0], summed[1], rtol=1e-9, err_msg=f"{name} over all districts"
        )


def with_cell_changed(result: Projection, name: str, by: float = 1.0) -> Projection:
    """Return the projection with the middle cell of one of its tables changed."""
    table = getattr(result, name).copy()
    at = table.index[len(table) // 2]
    table.loc[at, TABLES[name]] += by
    changes: dict[str, Any] = {name: table}
    return replace(result, **changes)
