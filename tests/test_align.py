"""Births moved into the school year, and what was known of them at a launch, worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.align import CohortBirths, births_by_school_year
from placeforecast.tables.settings import Settings, Time

LATE = 2030
"""A launch at which every row of these tables is known."""


def yearly(births: dict[int, float], district: str = "A") -> pd.DataFrame:
    """Return rows for twelve months each."""
    rows = pd.DataFrame({"district": district, "year": list(births), "births": births.values()})
    return pf.check(rows, "births")


def monthly(first: str, births: list[float], district: str = "A") -> pd.DataFrame:
    """Return a row for each month from the first one on."""
    months = pd.period_range(first, periods=len(births), freq="M")
    rows = {"district": district, "year": months.year, "month": months.month, "births": births}
    return pf.check(pd.DataFrame(rows), "births")


def aligned(births: pd.DataFrame, launch_year: int = LATE, **time: str | int) -> CohortBirths:
    settings = Settings(launch_year=LATE, time=Time.model_validate(time))
    return births_by_school_year(births, settings, launch_year)


def cohorts(found: CohortBirths, value: str = "births", district: str = "A") -> dict[int, float]:
    rows = found.known[found.known["district"] == district]
    return dict(zip(rows["year"].astype(int), rows[value].astype(float), strict=True))


def assert_cohorts(found: dict[int, float], expected: dict[int, float]) -> None:
    assert list(found) == list(expected)
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-12)


def test_calendar_years() -> None:
    """8/12 of the year and 4/12 of the year before; 2018 lacks the end of 2017."""
    found = aligned(yearly({2018: 1200, 2019: 600, 2020: 900}))
    assert_cohorts(cohorts(found), {2019: 400 + 400, 2020: 200 + 600, 2021: 300})
    assert_cohorts(cohorts(found, "share_born"), {2019: 1, 2020: 1, 2021: 4 / 12})
    assert_cohorts(cohorts(found, "share_left"), {2019: 0, 2020: 0, 2021: 8 / 12})
    assert found.holes.empty
    assert found.unknown_rows.empty


def test_years_to_30_june() -> None:
    """10/12 of the twelve months that end in the year, and 2/12 of the next."""
    found = aligned(yearly({2019: 1200, 2020: 600}), births_end="06-30")
    assert_cohorts(cohorts(found), {2019: 1000 + 100, 2020: 500})
    assert_cohorts(cohorts(found, "share_born"), {2019: 1, 2020: 10 / 12})


def test_years_that_end_on_the_cutoff() -> None:
    births = {2019: 1234.0, 2020: 777.0}
    found = aligned(yearly(births), births_end="08-31")
    assert_cohorts(cohorts(found), births)
    assert_cohorts(cohorts(found, "share_born"), {2019: 1, 2020: 1})


@pytest.mark.parametrize(
    ("births_end", "expected"),
    [
        ("12-31", {2019: 1200.0, 2020: 600.0}),
        # Six months of each of two; the last half year is known only.
        ("06-30", {2019: 600.0 + 300.0, 2020: 300.0}),
    ],
)
def test_calendar_years_as_school_years(births_end: str, expected: dict[int, float]) -> None:
    found = aligned(yearly({2019: 1200, 2020: 600}), cutoff="12-31", births_end=births_end)
    assert_cohorts(cohorts(found), expected)


def test_a_school_year_from_april() -> None:
    """A cut-off of 31 March: 3/12 of the year and 9/12 of the year before."""
    found = aligned(yearly({2019: 1200, 2020: 600}), cutoff="03-31")
    assert_cohorts(cohorts(found), {2020: 900 + 150, 2021: 450})
    assert_cohorts(cohorts(found, "share_born"), {2020: 1, 2021: 9 / 12})


def test_months_are_added_up() -> None:
    """September 2018 on: 1 to 12, then 13 to 24, then September and October 2020."""
    births = [float(n) for n in range(1, 27)]
    found = aligned(monthly("2018-09", births), births_end="06-30")
    assert_cohorts(cohorts(found), {2019: 78, 2020: 222, 2021: 25 + 26})
    assert_cohorts(cohorts(found, "share_born"), {2019: 1, 2020: 1, 2021: 2 / 12})


def test_a_year_is_spread_like_the_months_of_another() -> None:
    """January has 1/78 of a year, December 12/78; both in A, and in B, which has no months."""
    of_a = pd.concat([yearly({2018: 780}), monthly("2019-01", [float(n) for n in range(1, 13)])])
    of_b = yearly({2018: 156, 2019: 780}, "B")
    found = aligned(pd.concat([of_a, of_b], ignore_index=True))
    assert_cohorts(cohorts(found), {2019: 420 + 36, 2020: 42})
    assert_cohorts(cohorts(found, district="B"), {2019: 84 + 360, 2020: 420})
    assert_cohorts(cohorts(found, "share_born"), {2019: 1, 2020: 4 / 12})
    assert_cohorts(cohorts(found, "share_left"), {2019: 0, 2020: 36 / 78})


def test_the_season_is_that_of_what_is_known() -> None:
    """At a launch in 2019 the months of 2019 are not all known: the year before is spread flat."""
    table = pd.concat(
        [yearly({2018: 780}), monthly("2019-01", [float(n) for n in range(1, 13)])],
        ignore_index=True,
    )
    found = aligned(table, 2019)
    assert_cohorts(cohorts(found), {2019: 4 * 65 + 36})
    assert len(found.unknown_rows) == 4


def test_a_year_gives_the_months_that_are_missing_of_it() -> None:
    """120 in 2019, of which 20 in January: 100/11 in each other month."""
    rows = [yearly({2018: 120, 2019: 120}), monthly("2019-01", [20.0])]
    found = aligned(pd.concat(rows, ignore_index=True))
    assert_cohorts(cohorts(found), {2019: 40 + 20 + 700 / 11, 2020: 400 / 11})


def test_months_are_used_where_a_year_says_otherwise() -> None:
    rows = [yearly({2019: 999}), monthly("2019-01", [10.0] * 12)]
    found = aligned(pd.concat(rows, ignore_index=True), cutoff="12-31")
    assert_cohorts(cohorts(found), {2019: 120})


def test_months_beyond_their_year_are_refused() -> None:
    rows = [yearly({2019: 10}), monthly("2019-01", [6.0, 5.0])]
    with pytest.raises(pf.InputError, match="months of A add up to more than the 10 of 2019"):
        aligned(pd.concat(rows, ignore_index=True))


def test_a_month_without_births_in_the_season() -> None:
    """Nobody was born in December 2018; the rest of 2019 has nowhere to go but evenly."""
    months = monthly("2018-01", [10.0] * 11 + [0.0])
    rows = [months, yearly({2019: 115}), monthly("2019-01", [10.0] * 11)]
    found = aligned(pd.concat(rows, ignore_index=True), cutoff="12-31")
    assert_cohorts(cohorts(found), {2018: 110, 2019: 115})


# What is known at a launch.


@pytest.mark.parametrize(("lag", "known"), [(0, True), (7, True), (8, True), (9, False)])
def test_a_lag_to_publication(lag: int, known: bool) -> None:
    """Calendar 2019 is out on 31 August 2020 with a lag of eight months: on the day counts."""
    found = aligned(yearly({2018: 120, 2019: 120}), 2020, births_lag=lag)
    assert found.unknown_rows.empty == known
    last = {2020: 40.0} if known else {}
    assert_cohorts(cohorts(found), {2019: 120.0 if known else 40.0, **last})


@pytest.mark.parametrize(("as_of", "known"), [("12-31", True), ("12-30", False), (None, False)])
def test_the_day_of_a_launch(as_of: str | None, known: bool) -> None:
    """Calendar 2019 ends on 31 December 2019; without a day the launch is on the cut-off."""
    settings = Settings(time=Time(as_of=as_of))
    found = births_by_school_year(yearly({2018: 120, 2019: 120}), settings, 2019)
    assert found.unknown_rows.empty == known


@pytest.mark.parametrize(
    ("launch_year", "lag", "known"),
    [
        # The settings launch 2019 on 15 March 2020: calendar 2019 is known up to a lag of 2.
        (2019, 2, True),
        (2019, 3, False),
        # A launch of 2016 is on 15 March 2017.
        (2016, 2, True),
        (2016, 3, False),
    ],
)
def test_a_full_date_moves_with_the_launch(launch_year: int, lag: int, known: bool) -> None:
    time = Time(as_of="2020-03-15", births_lag=lag)
    settings = Settings(launch_year=2019, time=time)
    births = yearly({launch_year - 1: 120, launch_year: 120})
    found = births_by_school_year(births, settings, launch_year)
    assert found.unknown_rows.empty == known


def test_the_last_of_february_in_any_launch() -> None:
    settings = Settings(launch_year=2019, time=Time(as_of="2020-02-29"))
    assert settings.as_of(2019) == pd.Timestamp("2020-02-29")
    assert settings.as_of(2018) == pd.Timestamp("2019-02-28")


VINTAGES = pd.DataFrame(
    {
        "district": "A",
        "year": 2018,
        "vintage": ["2024", "", "2020-06", "2020-09-15"],
        "births": [130.0, 100.0, 110.0, 120.0],
    }
)


@pytest.mark.parametrize(
    ("as_of", "births", "unknown"),
    [
        ("2018-12-31", 100.0, [130.0, 110.0, 120.0]),
        ("2020-06-29", 100.0, [130.0, 110.0, 120.0]),
        ("2020-06-30", 110.0, [130.0, 120.0]),
        ("2020-09-15", 120.0, [130.0]),
        ("2024-12-30", 120.0, [130.0]),
        ("2024-12-31", 130.0, []),
    ],
)
def test_the_latest_vintage_known(as_of: str, births: float, unknown: list[float]) -> None:
    """A blank vintage is out on time; a bare month or year is out at its end."""
    year = int(as_of[:4])
    settings = Settings(launch_year=year, time=Time(cutoff="12-31", as_of=as_of))
    found = births_by_school_year(pf.check(VINTAGES, "births"), settings, year)
    assert_cohorts(cohorts(found), {2018: births})
    assert list(found.unknown_rows["births"]) == unknown


def test_rows_not_yet_known_are_listed_as_given() -> None:
    table = yearly({2018: 120, 2020: 60, 2019: 90, 2021: 30})
    found = aligned(table, 2020)
    pd.testing.assert_frame_equal(found.unknown_rows, table[table["year"] >= 2020])
    assert_cohorts(cohorts(found), {2019: 40 + 60, 2020: 30})


def test_nothing_known_at_all() -> None:
    found = aligned(yearly({2018: 120}), 2017)
    assert found.known.empty
    assert len(found.unknown_rows) == 1
    assert list(found.known.columns) == ["district", "year", "births", "share_born", "share_left"]


# Holes.


def named(holes: pd.DataFrame) -> list[tuple[str, int]]:
    return [(str(d), int(y)) for d, y in zip(holes["district"], holes["year"], strict=True)]


def test_a_year_left_out_is_a_hole() -> None:
    """Without calendar 2019, neither 2019 nor 2020 is whole."""
    found = aligned(yearly({2017: 120, 2018: 120, 2020: 120, 2021: 120}))
    assert named(found.holes) == [("A", 2019), ("A", 2020)]
    assert_cohorts(cohorts(found), {2018: 120, 2021: 120, 2022: 40})


def test_a_month_left_out_is_a_hole() -> None:
    births = monthly("2018-09", [10.0] * 24).drop(index=[14])  # November 2019
    found = aligned(births)
    assert named(found.holes) == [("A", 2020)]
    assert_cohorts(cohorts(found), {2019: 120})


def test_a_district_that_ends_early_has_holes() -> None:
    """B lacks 2020 while A has it: its cohorts of 2020 and 2021 are not only unborn."""
    both = [yearly({2018: 120, 2019: 120, 2020: 120}), yearly({2018: 12, 2019: 12}, "B")]
    found = aligned(pd.concat(both, ignore_index=True))
    assert named(found.holes) == [("B", 2020), ("B", 2021)]
    assert_cohorts(cohorts(found), {2019: 120, 2020: 120, 2021: 40})
    assert_cohorts(cohorts(found, district="B"), {2019: 12})


def test_a_district_that_starts_late_has_none() -> None:
    both = [yearly({2018: 120, 2019: 120, 2020: 120}), yearly({2019: 12, 2020: 24}, "B")]
    found = aligned(pd.concat(both, ignore_index=True))
    assert found.holes.empty
    assert_cohorts(cohorts(found, district="B"), {2020: 4 + 16, 2021: 8})


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(8)
    parts = [monthly("2018-01", list(rng.uniform(5, 15, 36)), d) for d in ("A", "B")]
    table = pd.concat([*parts, yearly({2017: 110, 2021: 90}), yearly({2021: 80}, "B")])
    one, other = aligned(table), aligned(table.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(one.known, other.known, check_exact=True)
