"""The wave: a cohort through its grades, every peak and plateau, places that change stage."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.review.cohorts import area_births, stage_entrants
from placeforecast.review.series import stage_pupils
from placeforecast.review.wave import turning_points
from reports import small
from schools import SIMPLE, grades, region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.chain.record import Forecast

ROOT = Path(__file__).parents[1]
CREST = {"kindergarten": 2020, "primary": 2023, "junior": 2026, "senior_general": 2029}
LAUNCH = 2024
GRADES = grades(
    ("P1", "primary", 1, 6, 1, "population"),
    ("P2", "primary", 2, 7, 1, "grade_below"),
    ("J1", "junior", 3, 8, 1, "grade_below"),
    ("S1", "senior_general", 4, 9, 1, "J1"),
    ("V1", "senior_vocational", 4, 9, 1, "J1"),
)
SHARES = {"P1": 0.9, "P2": 0.9, "J1": 0.8, "S1": 0.48, "V1": 0.32}
"""Of births; the same in every year, so that each forecast is exact."""
AGES = {"P1": 6, "P2": 7, "J1": 8, "S1": 9, "V1": 9}
SIZES = {"A": 1, "B": 2}
TREE = pd.DataFrame(
    {
        "district": ["C", "A", "B"],
        "parent": [None, "C", "C"],
        "level": ["city", "county", "county"],
    }
)


def born(year: int) -> int:
    """Return the births of A; B has twice as many. A whole number of pupils in each grade."""
    return 1000 + 100 * (year * 3 % 7)


def exact(**tables: pd.DataFrame) -> pf.Inputs:
    """Return a region in which every grade is a fixed share of the births of its cohort."""
    births = [(d, y, k * born(y)) for d, k in SIZES.items() for y in range(2006, LAUNCH + 1)]
    counts = [
        (d, y, g, k * share * born(y - AGES[g]))
        for d, k in SIZES.items()
        for g, share in SHARES.items()
        for y in range(2019, LAUNCH + 1)
    ]
    usual: dict[str, Any] = {"grades": GRADES, "districts": TREE, **tables}
    return region(
        pd.DataFrame(counts, columns=["district", "year", "grade", "pupils"]),
        pd.DataFrame(births, columns=["district", "year", "births"]),
        **usual,
    )


@pytest.fixture(scope="module")
def waves() -> Forecast:
    return pf.forecast(exact(), model=SIMPLE, horizon=6)


def values(table: pd.DataFrame, column: str, **keys: object) -> list[Any]:
    for key, label in keys.items():
        table = table[table[key] == label]
    return list(table[column])


# One cohort.


def test_a_cohort_by_hand(waves: Forecast) -> None:
    """1000 born in A in 2016: counted up to J1 in 2024, forecast in S1 and V1."""
    assert born(2016) == 1000
    cohort = pf.follow_cohort(waves, 2016, "A")
    assert cohort.columns.tolist() == [
        *("scenario", "district", "birth_year", "year", "age", "grade", "stage", "pupils"),
        *("share_of_births", "share_of_entrants", "observed"),
    ]
    assert set(cohort["scenario"]) == {"baseline"}
    assert cohort["grade"].tolist() == ["", "P1", "P2", "J1", "S1", "V1"]
    assert cohort["stage"].tolist()[0] == "births"
    assert cohort["year"].tolist() == [2016, 2022, 2023, 2024, 2025, 2025]
    assert cohort["age"].tolist() == [0, 6, 7, 8, 9, 9]
    assert cohort["observed"].tolist() == [True, True, True, True, False, False]
    np.testing.assert_allclose(cohort["pupils"], [1000, 900, 900, 800, 480, 320], rtol=1e-9)
    np.testing.assert_allclose(cohort["share_of_births"], [1, 0.9, 0.9, 0.8, 0.48, 0.32])
    np.testing.assert_allclose(cohort["share_of_entrants"], [np.nan, 1, 1, 1, 1, 1])


def test_a_parent_is_the_sum_of_its_districts(waves: Forecast) -> None:
    every = pf.follow_cohort(waves, 2018)
    assert list(dict.fromkeys(every["district"])) == ["C", "A", "B"]
    sums = every[every["district"] != "C"].groupby("grade", sort=False)["pupils"].sum()
    whole = every[every["district"] == "C"].set_index("grade")["pupils"]
    pd.testing.assert_series_equal(whole, sums)
    assert values(every, "pupils", district="C", grade="") == pytest.approx([3 * born(2018)])


def assert_follows(cohort: pd.DataFrame, forecast: Forecast) -> None:
    """Check that each row is what the enrolment or the forecast says of that cell."""
    enrolment = forecast.inputs.enrolment
    assert enrolment is not None
    past = enrolment[enrolment["year"] < forecast.launch_year]
    both = pd.concat([past, forecast.pupils])[["district", "year", "grade", "pupils"]]
    known = both.groupby(["district", "year", "grade"])["pupils"].sum()
    rows = cohort[(cohort["stage"] != "births") & (cohort["district"] != "C")]
    assert len(rows)
    at = pd.MultiIndex.from_frame(rows[["district", "year", "grade"]])
    expected = known.reindex(at).to_numpy()
    np.testing.assert_allclose(rows["pupils"], expected, rtol=1e-12, err_msg="cells followed")


def test_every_cohort_is_that_of_the_forecast(waves: Forecast) -> None:
    cohorts = pd.concat([pf.follow_cohort(waves, year) for year in range(2010, 2025)])
    assert_follows(cohorts, waves)
    cells = cohorts[(cohorts["district"] != "C") & (cohorts["grade"] != "")]
    assert len(cells) == 2 * len(AGES) * len(range(2019, 2031))  # each cell once
    wrong = cohorts.assign(pupils=cohorts["pupils"].mask(cohorts["grade"] == "S1", 1.0))
    with pytest.raises(AssertionError, match="cells followed"):
        assert_follows(wrong, waves)


def without(forecast: Forecast, district: str, year: int, grade: str) -> Forecast:
    """Return a forecast whose enrolment lacks one count."""
    table = forecast.inputs.enrolment
    assert table is not None
    hole = (table["district"] == district) & (table["year"] == year) & (table["grade"] == grade)
    assert hole.sum() == 1
    return replace(forecast, inputs=replace(forecast.inputs, enrolment=table[~hole]))


def test_a_missing_count_is_left_out_and_not_filled(waves: Forecast) -> None:
    cohort = pf.follow_cohort(without(waves, "A", 2022, "P1"), 2016)
    grades_of = cohort.groupby("district", sort=False)["grade"].agg(list).to_dict()
    rest = ["", "P2", "J1", "S1", "V1"]
    assert grades_of == {"C": rest, "A": rest, "B": ["", "P1", *rest[1:]]}
    assert np.isnan(values(cohort, "share_of_entrants", district="A", grade="P2")[0])
    assert np.isnan(values(cohort, "share_of_entrants", district="C", grade="P2")[0])
    assert values(cohort, "share_of_entrants", district="B", grade="P2") == [1.0]


def test_births_that_a_district_lacks_leave_no_share(waves: Forecast) -> None:
    births = waves.assumptions.births
    assert births is not None
    assumptions = replace(waves.assumptions, births=births[births["district"] == "B"])
    cohort = pf.follow_cohort(replace(waves, assumptions=assumptions), 2016)
    assert "" not in values(cohort, "grade", district="C")
    assert cohort.loc[cohort["district"] != "B", "share_of_births"].isna().all()
    assert values(cohort, "share_of_births", district="B", grade="P1") == pytest.approx([0.9])


def test_births_not_wholly_recorded_are_not_observed(waves: Forecast) -> None:
    later = pf.follow_cohort(waves, 2024, "A")
    assert later["observed"].tolist()[0] is True
    births = waves.assumptions.births
    assert births is not None
    partial = births.assign(share_born=births["share_born"].mask(births["year"] == 2024, 0.5))
    assumptions = replace(waves.assumptions, births=partial)
    later = pf.follow_cohort(replace(waves, assumptions=assumptions), 2024, "A")
    assert later["observed"].tolist()[0] is False


def test_a_grade_that_moves_is_followed_under_its_new_name() -> None:
    """6-3-3 becomes 5-4-3 in 2027: the cohort of 2016 is in P5 in 2026 and in J0 in 2027."""
    columns = {"event": "5-4-3", "year_from": 2027, "stage": "junior", "grade": "P6"}
    events = pd.DataFrame([{**columns, "channel": "structure", "effect": 1.0}])
    result = pf.forecast(small(events=events))
    cohort = pf.follow_cohort(result, 2016, "A").set_index("age")
    assert cohort.loc[[10, 11, 12], "grade"].tolist() == ["P5", "J0", "J1"]
    assert cohort.loc[11, "stage"] == "junior"
    assert cohort.loc[11, "share_of_entrants"] == 1
    at_11, at_12 = cohort["pupils"].loc[[11, 12]].tolist()
    assert cohort.loc[12, "share_of_entrants"] == pytest.approx(at_12 / at_11)
    older = pf.follow_cohort(result, 2015, "A").set_index("age")
    assert older.loc[[11, 12], "grade"].tolist() == ["P6", "J1"]
    junior = stage_pupils(result, "A").query("stage == 'junior'").set_index("year")["pupils"]
    assert junior.index.tolist() == list(range(2019, 2034))
    cells = result.pupils.query("district == 'A' and year == 2027")
    taught = cells[cells["grade"].isin(["J0", "J1", "J2", "J3"])]["pupils"].sum()
    assert junior[2027] == pytest.approx(taught)
    entrants = stage_entrants(result, "A").query("stage == 'junior'").set_index("year")
    assert entrants.loc[[2026, 2027], "age"].tolist() == [12, 11]
    assert set(pf.wave_peaks(result, district="A").query("stage == 'junior'")["edge"]) <= {
        *("", "start", "end")
    }


def test_a_stage_known_as_a_total_is_left_out_and_said(waves: Forecast) -> None:
    total = grades(("SE", "special", 1, 6, 3, "population"))
    enrolment = waves.inputs.enrolment
    assert enrolment is not None
    special = enrolment[enrolment["grade"] == "P1"].assign(grade="SE")
    inputs = exact(grades=pd.concat([GRADES, total], ignore_index=True))
    inputs = replace(inputs, enrolment=pd.concat([enrolment, special], ignore_index=True))
    result = pf.forecast(inputs, model=SIMPLE, horizon=2)
    told = "SE of special is a total of 3 ages: no cohort can be followed through it"
    with pytest.warns(pf.AssumptionWarning, match=f"^{told}, and it is left out$"):
        cohort = pf.follow_cohort(result, 2016, "A")
    assert "special" not in set(cohort["stage"])
    assert "special" in set(pf.wave_peaks(result)["stage"])


def test_what_cannot_be_followed_is_refused(waves: Forecast) -> None:
    told = "nobody born in 1990 is in the forecast: its cohorts are 2006 to 2030"
    with pytest.raises(ValueError, match=f"^{told}$"):
        pf.follow_cohort(waves, 1990)
    with pytest.raises(ValueError, match=r"^there is no district 'Z' in the forecast\."):
        pf.follow_cohort(waves, 2016, "Z")


def test_every_scenario_is_followed() -> None:
    columns = ["scenario", "table", "grade", "multiply"]
    changes = pd.DataFrame([("fewer", "intake", "P1", 0.5)], columns=columns)
    both = pf.forecast(exact(), model=SIMPLE, horizon=2, scenarios=changes)
    cohort = pf.follow_cohort(both, 2019, "A")
    p1 = cohort[cohort["grade"] == "P1"].set_index("scenario")["pupils"]
    assert p1["fewer"] == pytest.approx(p1["baseline"] / 2)
    alone = pf.follow_cohort(both.of("fewer"), 2019, "A")
    one = cohort[cohort["scenario"] == "fewer"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, one)
    assert set(pf.wave_peaks(both)["scenario"]) == {"baseline", "fewer"}


def drawn(forecast: Forecast) -> Forecast:
    """Return a forecast with quantiles a tenth below and above."""
    tables = {}
    for name in ("stages", "demand"):
        table: pd.DataFrame = getattr(forecast, name)
        low, high = 0.9 * table["pupils"], 1.1 * table["pupils"]
        tables[name] = table.assign(pupils_p10=low, pupils_p90=high)
    return replace(forecast, **tables)  # type: ignore[arg-type]  # names are not told apart


def test_intervals_stand_beside_what_is_forecast(waves: Forecast) -> None:
    cohort = pf.follow_cohort(drawn(waves), 2016)
    assert values(cohort, "pupils_p10", district="A", grade="P1") == pytest.approx([900])  # counted
    assert values(cohort, "pupils_p10", district="A", grade="S1") == pytest.approx([0.9 * 480])
    assert np.isnan(values(cohort, "pupils_p10", district="C", grade="S1")).all()  # no sum of them
    peaks = pf.wave_peaks(drawn(waves), district="C")
    ahead = peaks[peaks["year"] > LAUNCH]
    np.testing.assert_allclose(ahead["pupils_p90"], 1.1 * ahead["pupils"])
    moved = drawn(waves)
    moved = replace(moved, demand=moved.demand.assign(pupils=lambda t: t["pupils"] + 5))
    cohort = pf.follow_cohort(moved, 2016, "A")
    assert cohort.loc[cohort["grade"] == "S1", "pupils_p10"].isna().all()


# Peaks, troughs, plateaus.


def found(years: Sequence[int], pupils: Sequence[float], tolerance: float = 0.01) -> list[Any]:
    rows = turning_points(years, pupils, tolerance)
    return [(row["kind"], row["year_from"], row["year_to"], row["edge"]) for row in rows]


@pytest.mark.parametrize(
    ("pupils", "expected"),
    [
        ([1, 3, 2], [("trough", 0, 0, "start"), ("peak", 1, 1, ""), ("trough", 2, 2, "end")]),
        ([1, 3, 3, 2], [("trough", 0, 0, "start"), ("peak", 1, 2, ""), ("trough", 3, 3, "end")]),
        ([200, 200, 200], [("plateau", 0, 2, "both")]),
        (
            [250, 500, 497, 496, 250],
            [
                ("trough", 0, 0, "start"),
                ("peak", 1, 1, ""),
                ("plateau", 1, 3, ""),
                ("trough", 4, 4, "end"),
            ],
        ),
        (  # a shoulder, without a peak
            [100, 80, 79.5, 79.3, 60],
            [("peak", 0, 0, "start"), ("plateau", 1, 3, ""), ("trough", 4, 4, "end")],
        ),
        ([100.0, 100.3, 100.1], [("plateau", 0, 2, "both")]),  # less than a pupil is no crest
        ([0, 0, 0], []),
        ([5], []),
    ],
)
def test_turning_points_by_hand(pupils: list[float], expected: list[Any]) -> None:
    assert found(range(len(pupils)), pupils) == expected


def test_the_wave_of_chinas_juniors() -> None:
    """Peak in 2026, then a plateau of 2027-2030: 12-14 year olds by births, in 10,000."""
    juniors = [5000, 5609, 5433, 5398, 5346, 5215, 4700]
    assert found(range(2025, 2032), juniors, 0.045) == [
        ("trough", 2025, 2025, "start"),
        ("peak", 2026, 2026, ""),
        ("plateau", 2027, 2030, ""),
        ("trough", 2031, 2031, "end"),
    ]


def test_the_peaks_of_china() -> None:
    """Kindergarten 2020, primary 2023, junior 2026, senior 2029 (Zhang, Shi and Hu 2022)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)  # its data are thin
        peaks = pf.wave_peaks(pf.forecast(pf.read_inputs(ROOT / "data" / "china")))
    inside = peaks[(peaks["kind"] == "peak") & (peaks["edge"] == "")]
    highest = inside.sort_values("pupils").groupby("stage")["year"].last().to_dict()
    assert {stage: highest[stage] for stage in CREST} == CREST


def test_of_plateaus_that_overlap_the_longest_counts() -> None:
    """Runs 0-2, 1-4 and 2-5 vary by less than 1 %: of the two longest the higher one."""
    rows = found(range(7), [1000, 995, 992, 989, 986, 985, 500])
    assert [row for row in rows if row[0] == "plateau"] == [("plateau", 1, 4, "")]


def test_a_year_left_out_is_an_edge(waves: Forecast) -> None:
    assert found([1, 2, 4, 5], [10, 20, 30, 10]) == [
        ("trough", 1, 1, "start"),
        ("peak", 2, 2, "end"),
        ("peak", 4, 4, "start"),
        ("trough", 5, 5, "end"),
    ]
    peaks = pf.wave_peaks(without(waves, "A", 2021, "J1"), district="A")
    junior = peaks[peaks["stage"] == "junior"]
    assert 2021 not in set(junior["year"])
    assert {"start", "end"} <= set(junior.loc[junior["year"].isin([2020, 2022]), "edge"])


def assert_turns(peaks: pd.DataFrame, series: pd.DataFrame) -> None:
    """Check the peaks and troughs of a district against its series, year by year."""
    for stage, own in series.groupby("stage"):
        pupils = dict(zip(own["year"], own["pupils"].round(), strict=True))
        turns = {"peak": set(), "trough": set()}  # type: dict[str, set[int]]
        for year, here in pupils.items():
            beside = [pupils[y] for y in (year - 1, year + 1) if y in pupils]
            if all(here > other for other in beside):
                turns["peak"].add(int(year))
            if all(here < other for other in beside):
                turns["trough"].add(int(year))
        for kind, years in turns.items():
            rows = peaks[(peaks["stage"] == stage) & (peaks["kind"] == kind)]
            assert set(rows["year"]) == years, f"{kind}s of {stage}"
            counts = [pupils[year] for year in rows["year"]]
            np.testing.assert_allclose(rows["pupils"].round(), counts, err_msg="pupils")


@pytest.mark.parametrize("district", ["A", "C"])
def test_every_turn_is_found(waves: Forecast, district: str) -> None:
    series = stage_pupils(waves, district)
    peaks = pf.wave_peaks(waves, district=district)
    assert_turns(peaks, series)
    year = peaks.query("stage == 'primary' and kind == 'peak' and edge == ''")["year"].iloc[0]
    at = (series["stage"] == "primary") & (series["year"] == year)
    wrong = series.assign(pupils=series["pupils"].mask(at, 1.0))
    with pytest.raises(AssertionError, match="peaks of primary"):
        assert_turns(peaks, wrong)


def test_every_district_and_stage_has_its_wave(waves: Forecast) -> None:
    peaks = pf.wave_peaks(waves)
    levels = peaks.drop_duplicates("district").set_index("district")["level"].to_dict()
    assert levels == {"C": "city", "A": "county", "B": "county"}
    stages = list(dict.fromkeys(peaks["stage"]))
    assert stages == [*dict.fromkeys(GRADES["stage"]), "compulsory", "senior"]
    counted = peaks["year"] <= LAUNCH
    assert set(peaks.loc[counted, "share_born"]) == {1.0}
    row = peaks[~counted & (peaks["district"] == "C")].iloc[0]
    keys = ["district", "stage", "year"]
    stated = waves.stages.query("ledger == 'all'").set_index(keys)["share_born"]
    assert row["share_born"] == stated[tuple(row[keys])]


@pytest.mark.parametrize("tolerance", [-0.1, 1.0])
def test_a_tolerance_is_a_share(waves: Forecast, tolerance: float) -> None:
    told = re.escape(f"tolerance is a share from 0 to below 1, not {tolerance}")
    with pytest.raises(ValueError, match=f"^{told}$"):
        pf.wave_peaks(waves, tolerance=tolerance)


def test_births_and_entrants_of_an_area(waves: Forecast) -> None:
    births = area_births(waves, "C").set_index("year")["births"]
    assert births[2016] == pytest.approx(3 * born(2016))
    entrants = stage_entrants(waves, "B").set_index(["stage", "year"])["pupils"]
    assert entrants["junior", 2024] == pytest.approx(2 * 0.8 * born(2016))
    hole = stage_entrants(without(waves, "A", 2021, "J1"))
    assert 2021 not in values(hole, "year", stage="junior")
