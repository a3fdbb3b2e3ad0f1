"""Counts of people moved to the cut-off, and dates read as school years, worked by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.align import population_on_cutoff
from placeforecast.tables.cells import read_column
from placeforecast.tables.settings import Settings, Time
from placeforecast.tables.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

PEOPLE = [120.0, 240.0, 360.0, 360.0]
"""By age, the last 3 and over: half of them, 180, are 3 if numbers fall geometrically."""


def counted(people: list[float], **keys: str | int) -> pd.DataFrame:
    cells = {"district": "A", "year": 2020, "sex": "female", **keys}
    return pd.DataFrame({"age": range(len(people)), "population": people}).assign(**cells)


def moved(people: pd.DataFrame, date: str, cutoff: str = "08-31") -> pd.DataFrame:
    settings = Settings(time=Time(population_date=date, cutoff=cutoff))
    return population_on_cutoff(people, settings)


@pytest.mark.parametrize(
    ("date", "year", "expected"),
    [
        ("08-31", 2020, PEOPLE),
        # 10/12 of those aged a and 2/12 of those aged a + 1.
        ("11-01", 2020, [100 + 40, 200 + 60, 300 + 30, 360 - 30]),
        # 8/12 and 4/12.
        ("12-31", 2020, [80 + 80, 160 + 120, 240 + 60, 360 - 60]),
        # The same night: the count of 1 January 2020 is on the cut-off of 2019.
        ("01-01", 2019, [80 + 80, 160 + 120, 240 + 60, 360 - 60]),
        # 10/12 of those aged a and 2/12 of those aged a - 1; newborns at the rate of age 0.
        ("06-30", 2020, [100 + 20, 200 + 20, 300 + 40, 360 + 60]),
        ("07-01", 2020, [100 + 20, 200 + 20, 300 + 40, 360 + 60]),
        # Half a month counts: 15 September is half a month later.
        ("09-15", 2020, [115 + 10, 230 + 15, 345 + 7.5, 360 - 7.5]),
        # Six months after, as near as six months before.
        ("02-28", 2019, [60 + 120, 120 + 180, 180 + 90, 360 - 90]),
    ],
)
def test_a_count_is_moved_to_the_cutoff(date: str, year: int, expected: list[float]) -> None:
    found = moved(counted(PEOPLE), date)
    assert list(found["year"].unique()) == [year]
    assert list(found["age"]) == [0, 1, 2, 3]
    np.testing.assert_allclose(found["population"], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("date", "cutoff", "year"),
    [
        ("12-31", "12-31", 2020),
        # The day after the cut-off of 2019.
        ("01-01", "12-31", 2019),
        # The day before the cut-off.
        ("08-30", "08-31", 2020),
        ("09-01", "08-31", 2020),
        ("04-01", "03-31", 2020),
    ],
)
def test_a_count_at_the_cutoff_stays(date: str, cutoff: str, year: int) -> None:
    found = moved(counted(PEOPLE), date, cutoff)
    assert list(found["year"].unique()) == [year]
    np.testing.assert_allclose(found["population"], PEOPLE, rtol=1e-12)


def test_a_count_before_a_cutoff_in_the_next_year() -> None:
    """31 December 2020 is a month before the cut-off of 31 January 2021."""
    found = moved(counted(PEOPLE), "12-31", "01-31")
    assert list(found["year"].unique()) == [2021]
    expected = [110 + 10, 220 + 10, 330 + 20, 360 + 30]
    np.testing.assert_allclose(found["population"], expected, rtol=1e-12)


def assert_nobody_lost(before: pd.DataFrame, after: pd.DataFrame, newborns: float) -> None:
    """Check that the total changes by the people born between the two days, and by no other."""
    total = before["population"].sum() + newborns
    np.testing.assert_allclose(
        after["population"].sum(), total, rtol=1e-12, err_msg="people of both days"
    )


@pytest.mark.parametrize(
    ("date", "months"), [("11-01", 2), ("12-31", 4), ("01-01", 4), ("06-30", -2), ("03-31", -5)]
)
def test_the_total_changes_by_the_newborns_only(date: str, months: int) -> None:
    before = counted([120.0, 250.0, 330.0, 300.0, 10.0, 55.0])
    after = moved(before, date)
    newborns = -120 * months / 12
    assert_nobody_lost(before, after, newborns)
    after["population"] += np.where(after["age"] == 3, 0.01, 0.0)
    with pytest.raises(AssertionError, match="people of both days"):
        assert_nobody_lost(before, after, newborns)


def test_an_empty_top_stays_empty() -> None:
    found = moved(counted([120.0, 0.0, 0.0, 0.0]), "12-31")
    np.testing.assert_allclose(found["population"], [80, 0, 0, 0], atol=0)


def test_districts_years_and_sexes_move_by_themselves() -> None:
    parts = [
        counted([scale * n for n in PEOPLE], district=district, year=year, sex=sex)
        for scale, (district, year, sex) in enumerate(
            [(d, y, s) for d in ("A", "B") for y in (2019, 2020) for s in ("female", "male")], 1
        )
    ]
    found = moved(pd.concat(parts).sample(frac=1, random_state=2), "11-01")
    one = np.array([140.0, 260.0, 330.0, 330.0])
    for scale, part in enumerate(parts, 1):
        keys = ["district", "year", "sex"]
        rows = found.merge(part[keys].drop_duplicates(), on=keys)
        np.testing.assert_allclose(rows["population"], scale * one, rtol=1e-12)


def test_a_gap_in_the_ages_is_named() -> None:
    people = counted(PEOPLE)
    message = "lacks 1 of 4 cells, first: district A, year 2020, sex female, age 2"
    with pytest.raises(pf.InputError, match=message):
        moved(people[people["age"] != 2], "12-31")


def test_districts_may_be_counted_in_different_years() -> None:
    """A year in which a district was not counted is no gap in its ages."""
    parts = [counted(PEOPLE), counted(PEOPLE, year=2010), counted(PEOPLE, district="B")]
    found = moved(pd.concat(parts), "12-31")
    assert len(found) == 12


# Dates as school years.


def read(column: str, cells: Sequence[object]) -> tuple[list[object], list[str]]:
    """Return what a column of projects is read as, and the rules that its cells break."""
    spec = next(c for c in vocabulary()["projects"].columns if c.name == column)
    found, problems = read_column(pd.Series(cells), spec)
    return list(found), [problem.rule for problem in problems]


SCHOOL_YEARS: list[tuple[object, int]] = [
    ("2026-09-30", 2026),
    ("2026-10-01", 2027),
    ("2026-09", 2026),
    ("2026-10", 2027),
    ("2026-01-01", 2026),
    ("2026-12-31", 2027),
    ("2026/9/1", 2026),
    ("2026.10.1", 2027),
    ("2026", 2026),
    (2026.0, 2026),
    (pd.Timestamp("2026-10-01"), 2027),
]


@pytest.mark.parametrize(("cell", "year"), SCHOOL_YEARS)
@pytest.mark.parametrize("column", ["opens", "starts", "closes", "outage_from"])
def test_a_date_up_to_30_september_counts_for_its_year(
    column: str, cell: object, year: int
) -> None:
    assert read(column, [cell, "2030-01-01"]) == ([year, 2030], [])


@pytest.mark.parametrize(("cell", "year"), SCHOOL_YEARS)
def test_a_date_of_return_ends_the_outage_the_year_before(cell: object, year: int) -> None:
    """A bare year is the last year of the outage itself."""
    bare = cell in ("2026", 2026.0)
    assert read("outage_to", [cell, "2030-01-01"]) == ([year - (not bare), 2029], [])


@pytest.mark.parametrize("column", ["opens", "outage_to"])
def test_years_alone_are_read_as_they_stand(column: str) -> None:
    assert read(column, ["2026", "2027"]) == ([2026, 2027], [])


@pytest.mark.parametrize("column", ["opens", "outage_to"])
@pytest.mark.parametrize("cell", ["20270901", "1026", "2026-13", "2026-00", "2026-02-30", "soon"])
def test_what_is_neither_year_nor_date_is_refused(column: str, cell: str) -> None:
    assert read(column, [cell])[1] == ["is neither a school year nor a date"]


def test_a_column_of_dates_is_read_like_their_text() -> None:
    dates = list(pd.to_datetime(["2026-09-30", "2026-10-01"]))
    assert read("opens", dates) == ([2026, 2027], [])
    assert read("outage_to", dates) == ([2025, 2026], [])
