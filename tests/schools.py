"""Small school regions for the tests, and the identities that every projection of pupils obeys."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import placeforecast as pf
from placeforecast.tables.settings import Settings, Time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIMPLE = str(Path(__file__).parent / "models" / "simple")
"""A model that can be worked by hand and does not change when the default does."""

SCHOOL_YEAR_BIRTHS = Time(births_end="08-31")
"""Births already by school-year cohort, and known on the last day of it."""


def by_year(value: str, numbers: Sequence[float], first: int, **keys: str) -> pd.DataFrame:
    """Return a table of one number per year, from the first year on."""
    years = range(first, first + len(numbers))
    table = pd.DataFrame({"year": list(years), value: list(map(float, numbers))})
    return table.assign(**keys)


def pupils(
    counts: Mapping[str, Sequence[float | None]], first: int, district: str = "A", **keys: str
) -> pd.DataFrame:
    """Return enrolment from the numbers of each grade, year after year; None leaves the row out."""
    rows = [
        {"district": district, "year": first + i, "grade": grade, **keys, "pupils": float(number)}
        for grade, numbers in counts.items()
        for i, number in enumerate(numbers)
        if number is not None
    ]
    return pd.DataFrame(rows)


def region(
    enrolment: pd.DataFrame,
    births: pd.DataFrame | None = None,
    *,
    time: Time = SCHOOL_YEAR_BIRTHS,
    system: str = "cn-6-3-3",
    horizon: int = 3,
    **tables: pd.DataFrame,
) -> pf.Inputs:
    """Return a region; births are 100 in every year from 1990 on unless given."""
    if births is None:
        districts = sorted(set(enrolment["district"]))
        births = pd.concat(by_year("births", [100.0] * 40, 1990, district=d) for d in districts)
        births = births[births["year"] <= enrolment["year"].max()]
    settings = Settings(school_system=system, horizon=horizon, time=time)
    return pf.Inputs(enrolment=enrolment, births=births, settings=settings, **tables)


def grades(*rows: tuple[str, str, int, int, int, str]) -> pd.DataFrame:
    """Return a school system from (grade, stage, position, entry_age, duration, enters_from)."""
    columns = ["grade", "stage", "position", "entry_age", "duration", "enters_from"]
    return pd.DataFrame(list(rows), columns=columns)


def ratios(table: pd.DataFrame | None, grade: str, district: str = "A") -> list[float]:
    """Return the ratios of a grade in a district, by year."""
    assert table is not None
    rows = table[(table["grade"] == grade) & (table["district"] == district)]
    return list(rows.sort_values("year")["ratio"])


def found(table: pd.DataFrame, grade: str, value: str = "pupils", **keys: str) -> list[float]:
    """Return a column of a grade, by year; of district A unless another is given."""
    rows = table[table["grade"] == grade]
    for key, label in {"district": "A", **keys}.items():
        rows = rows[rows[key] == label]
    assert not rows["year"].duplicated().any()
    return list(rows.sort_values("year")[value].astype(float))


def assert_same_sums(one: pd.DataFrame, other: pd.DataFrame, value: str = "pupils") -> None:
    """Check that two tables agree when their districts are added up."""
    keys = [key for key in ("year", "grade", "ledger") if key in one.columns]
    sums = [table.groupby(keys)[value].sum() for table in (one, other)]
    pd.testing.assert_index_equal(sums[0].index, sums[1].index)
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-12, err_msg="sums over districts")


def assert_multiple(one: pd.DataFrame, other: pd.DataFrame, times: float) -> None:
    """Check that every cell of one table is so many times that of the other."""
    keys = ["district", "year", "grade"]
    cells = [table.sort_values(keys)["pupils"].to_numpy() for table in (one, other)]
    np.testing.assert_allclose(cells[0], times * cells[1], rtol=1e-12, err_msg=f"{times} times")


def assert_cohorts_move(table: pd.DataFrame, ladder: Sequence[str]) -> None:
    """Check that whoever is in a grade is in the next one a year later, where nobody leaves."""
    wide = table.pivot_table(values="pupils", index="year", columns=["district", "grade"])
    for district in sorted(set(table["district"])):
        for below, above in pairwise(ladder):
            before = wide[(district, below)].to_numpy()[:-1]
            after = wide[(district, above)].to_numpy()[1:]
            message = f"{district}: from {below} to {above}"
            np.testing.assert_allclose(after, before, rtol=1e-12, err_msg=message)


def with_cell_changed(table: pd.DataFrame, value: str = "pupils", by: float = 1.0) -> pd.DataFrame:
    """Return a table with its middle cell changed."""
    changed = table.copy()
    changed.loc[changed.index[len(changed) // 2], value] += by
    return changed
