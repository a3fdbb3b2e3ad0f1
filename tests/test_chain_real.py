"""The chain on real data: English authorities three years ahead, and the waves of China."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.align import births_by_school_year
from schools import SIMPLE

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

ROOT = Path(__file__).parents[1]
GROUPS = {"primary": ["R", *map(str, range(1, 7))], "secondary": [*map(str, range(7, 12))]}

# England: births and pupils to 2014, as a planner had them then.


@pytest.fixture(scope="module")
def authorities(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pf.Inputs:
    folder = tmp_path_factory.mktemp("england")
    make_region = runpy.run_path(str(ROOT / "data" / "make_england.py"))["make_region"]
    make_region(shared_data / "england_la_dev", folder)
    return pf.read_inputs(folder)


@pytest.fixture(scope="module")
def england(authorities: pf.Inputs) -> Forecast:
    return at_2014(authorities)


def at_2014(inputs: pf.Inputs, model: str | None = None) -> Forecast:
    """Return the forecast to 2017; births not yet published are said, and nothing else is odd."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = pf.forecast(inputs, model=model, launch_year=2014, horizon=3)
    texts = [str(warning.message) for warning in caught]
    assert {warning.category for warning in caught} == {pf.AssumptionWarning}
    late = "births: 245 rows are not yet published on 2014-08-31 and not used"
    assert [text.split(" (")[0] for text in texts if text.startswith("births")] == [late]
    return result


@pytest.mark.parametrize(("stage", "bound"), [("primary", 1.5), ("secondary", 1.6)])
def test_english_authorities_three_years_ahead(
    england: Forecast, shared_data: Path, stage: str, bound: float
) -> None:
    """A smoke test: the mean over 49 authorities of the error in 2017, in percent."""
    counted = pd.read_csv(shared_data / "england_la_dev" / "pupils.csv", dtype={"grade": str})
    counted = counted.rename(columns={"la_code": "district"})
    sums = [
        rows[rows["grade"].isin(GROUPS[stage]) & (rows["year"] == 2017)]
        .groupby("district")[value]
        .sum()
        for rows, value in ((england.pupils, "pupils"), (counted, "headcount"))
    ]
    assert len(sums[0]) == 49
    error = 100 * (sums[0] / sums[1] - 1).abs()
    assert 0.5 < error.mean() <= bound


def test_english_reception_by_hand(authorities: pf.Inputs, shared_data: Path) -> None:
    """Aged 4 in 2015: 10/12 of the births to June 2011 and 2/12 of those to June 2012.

    Times the mean of the same ratio in 2012, 2013 and 2014.
    """
    folder = shared_data / "england_la_dev"
    born = pd.read_csv(folder / "births.csv").pivot_table(
        values="births", index="la_code", columns="birth_year_end"
    )
    taught = pd.read_csv(folder / "pupils.csv", dtype={"grade": str}).query("grade == 'R'")
    reception = taught.pivot_table(values="headcount", index="la_code", columns="year")
    cohort = {
        year: 10 / 12 * born[year - 4] + 2 / 12 * born[year - 3] for year in range(2012, 2016)
    }
    ratio = sum(reception[year] / cohort[year] for year in (2012, 2013, 2014)) / 3
    pupils = at_2014(authorities, SIMPLE).pupils
    rows = pupils.query("grade == 'R' and year == 2015").set_index("district")["pupils"]
    np.testing.assert_allclose(rows.sort_index(), (ratio * cohort[2015]).sort_index(), rtol=1e-12)


def test_english_births_not_yet_published_are_forecast(
    authorities: pf.Inputs, shared_data: Path
) -> None:
    """Ten of the twelve months of the cohort of 2014 are known: July and August are missing.

    They are two twelfths of the births of the last whole cohort, 10/12 of 2013 and 2/12 of 2014.
    """
    born = pd.read_csv(shared_data / "england_la_dev" / "births.csv").pivot_table(
        values="births", index="la_code", columns="birth_year_end"
    )
    cohorts = at_2014(authorities, SIMPLE).assumptions.births
    assert cohorts is not None
    by_year = cohorts.pivot_table(values="births", index="district", columns="year")
    last = 10 / 12 * born[2013] + 2 / 12 * born[2014]
    expected = {2013: last, 2014: 10 / 12 * born[2014] + 2 / 12 * last, 2015: last}
    share = cohorts.groupby("year")["share_born"].agg(["min", "max"])
    for year, known in {2013: 1.0, 2014: 10 / 12, 2015: 0.0}.items():
        np.testing.assert_allclose(by_year[year], expected[year], rtol=1e-12)
        np.testing.assert_allclose(share.loc[year], [known, known], rtol=1e-12)


# China: births alone say when each stage is fullest.


@pytest.fixture(scope="module")
def china() -> Forecast:
    with pytest.warns(pf.AssumptionWarning, match="has holes, which shorten its history: CN"):
        return pf.forecast(pf.load_example("china"))


def of_ages(children: pd.DataFrame, first: int, last: int) -> dict[int, float]:
    """Return children of these ages by year, in 10,000, where every age is known."""
    rows = children[(children["basis"] == "births") & children["age"].between(first, last)]
    by_year = rows.groupby("year")["children"].agg(["size", "sum"])
    whole = by_year[by_year["size"] == last - first + 1]
    return {int(str(year)): float(number) / 1e4 for year, number in whole["sum"].items()}


@pytest.mark.parametrize(
    ("ages", "year", "peak"),
    [
        ((6, 11), 2023, 10_954.7),  # Ministry of Education: the peak of primary pupils was 2023
        ((12, 14), 2026, 5_608.7),  # published forecasts: 2026
        ((15, 17), 2029, 5_608.7),  # published forecasts: 2029
        ((3, 5), 2017, 5_608.7),  # pupils peaked in 2020, as more and more children attended
    ],
)
def test_the_year_in_which_a_stage_is_fullest(
    china: Forecast, ages: tuple[int, int], year: int, peak: float
) -> None:
    """Revised births of 2012-2014 are the largest cohorts; 2023 holds those born in 2012-2017."""
    found = of_ages(china.children, *ages)
    assert max(found, key=lambda key: found[key]) == year
    np.testing.assert_allclose(found[year], peak, atol=0.05)


@pytest.mark.parametrize(
    ("ages", "year", "expected"),
    [
        ((6, 11), 2024, 10_648.0),
        ((6, 11), 2025, 10_290.7),
        ((12, 14), 2027, 5_433.0),
        ((12, 14), 2028, 5_398.0),
        ((12, 14), 2029, 5_346.0),
        ((12, 14), 2030, 5_215.0),
        ((12, 14), 2035, 3_019.3),
        ((3, 5), 2020, 5_346.0),
        ((3, 5), 2022, 4_892.3),
        ((3, 5), 2023, 4_376.3),
        ((3, 5), 2024, 3_880.7),
        ((3, 5), 2028, 2_702.7),
        ((6, 6), 2022, 1_806.7),
        ((6, 6), 2023, 1_804.3),
        ((6, 6), 2024, 1_603.7),
        ((6, 6), 2025, 1_484.3),
        ((6, 6), 2028, 991.3),
        ((6, 6), 2029, 920.0),
        ((6, 6), 2030, 936.7),
        ((6, 6), 2031, 846.0),
    ],
)
def test_children_of_china(
    china: Forecast, ages: tuple[int, int], year: int, expected: float
) -> None:
    """8/12 of the births of a calendar year and 4/12 of those of the year before."""
    np.testing.assert_allclose(of_ages(china.children, *ages)[year], expected, atol=0.6)


def test_first_published_births_see_other_peaks() -> None:
    """On 1 March 2021 the births of 2010-2017 were not yet revised: the junior peak is 2029."""
    inputs = pf.load_example("china")
    assert inputs.births is not None
    known = births_by_school_year(inputs.births, inputs.settings, 2020).known
    whole = known.loc[known["share_left"] == 0, ["district", "year", "births"]]
    junior = of_ages(pf.school_age_children(pf.Assumptions(births=whole)), 12, 14)
    assert max(junior, key=lambda key: junior[key]) == 2029
    np.testing.assert_allclose(junior[2029], 5_152.0, atol=0.05)
    senior = of_ages(pf.school_age_children(pf.Assumptions(births=whole)), 15, 17)
    assert max(senior, key=lambda key: senior[key]) == 2032


def test_primary_pupils_counted_in_china_against_births(china: Forecast) -> None:
    """Counted in 2025: 10,178.3, which is 0.989 of the children born."""
    taught = china.pupils.query("year == 2025 and grade in ['P1', 'P2_6']")["pupils"].sum() / 1e4
    np.testing.assert_allclose(taught / of_ages(china.children, 6, 11)[2025], 0.989, atol=0.0005)


def test_a_country_without_places_stops_at_demand(china: Forecast) -> None:
    assert china.balance is None
    assert "there is no table of places: the chain stops at demand" in set(china.notes["text"])
    assert set(china.demand["ledger"]) == {"all", "public", "inclusive"}
