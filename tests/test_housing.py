"""Pupils of new housing beyond what the ratios hold, and places that estates must provide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.enrolment.estates import estate_gaps, estate_places
from placeforecast.enrolment.housing import housing_levels, housing_pupils, with_housing
from schools import with_cell_changed

LAUNCH = 2025
YEARS = range(2025, 2029)


def completions(
    numbers: dict[int, float],
    district: str = "A",
    kind: str = "flat",
    estate: str = "E",
    **more: float,
) -> pd.DataFrame:
    """Return completions of one estate by year."""
    rows = {"estate": estate, "district": district, "dwelling_type": kind}
    return pd.DataFrame({"year": list(numbers), "dwellings": list(numbers.values())}).assign(
        **rows, **more
    )


def curve(numbers: list[float], stage: str = "primary", kind: str = "flat") -> pd.DataFrame:
    """Return yields from the year of completion on."""
    return pd.DataFrame(
        {
            "dwelling_type": kind,
            "years_since_completion": range(len(numbers)),
            "stage": stage,
            "pupils_per_dwelling": numbers,
        }
    )


def level_of(level: float, **later: float) -> dict[int, float]:
    """Return five years at a level, then the years named y2026 and so on."""
    return {**dict.fromkeys(range(2021, 2026), level)} | {int(k[1:]): v for k, v in later.items()}


PRIMARY = curve([0.05, 0.10, 0.20])


def pupils_of(table: pd.DataFrame, stage: str = "primary") -> list[float]:
    return [round(v, 9) for v in table.loc[table["stage"] == stage, "pupils"]]


def test_r25_only_completions_above_the_level_bring_pupils() -> None:
    """Level 200; 500 in 2026 and 300 in 2027 are 300 and 100 above it.

    2026: 300 x 0.05 = 15; 2027: 300 x 0.10 + 100 x 0.05 = 35; 2028: 300 x 0.20 + 100 x 0.10 = 70.
    """
    housing = completions(level_of(200, y2026=500, y2027=300))
    table = housing_pupils(housing, PRIMARY, LAUNCH, YEARS)
    assert list(table.columns) == ["district", "year", "stage", "pupils"]
    assert table["year"].to_list() == list(YEARS)
    assert pupils_of(table) == [0, 15, 35, 70]
    levels = housing_levels(housing, LAUNCH)
    assert levels.to_dict("records") == [
        {"district": "A", "dwelling_type": "flat", "level": 200, "completions": 800, "above": 400}
    ]


def test_the_level_is_the_mean_of_the_window() -> None:
    """Years before the window do not count: (0 + 300) / 2 = 150, and 2026 is 50 above it."""
    housing = completions({2020: 9000, 2024: 0, 2025: 300, 2026: 200})
    assert housing_levels(housing, LAUNCH, window=2)["above"].to_list() == [50]
    assert pupils_of(housing_pupils(housing, PRIMARY, LAUNCH, YEARS, window=2)) == [0, 2.5, 5, 10]


def test_estates_of_a_type_are_added_up_and_types_kept_apart() -> None:
    """Flats 300 + 200 with level 100 are 400 above; 50 villas without any before are 50 above."""
    housing = pd.concat(
        [
            completions(level_of(100, y2026=300)),
            completions({2026: 200}, estate="F"),
            completions({2026: 50}, kind="villa", estate="G"),
        ]
    )
    yields = pd.concat([PRIMARY, curve([0.5, 0.5, 0.5], "junior", "villa")])
    table = housing_pupils(housing, yields, LAUNCH, YEARS)
    assert pupils_of(table) == [0, 20, 40, 80]
    assert pupils_of(table, "junior") == [0, 25, 25, 25]
    shuffled = housing_pupils(housing[::-1], yields[::-1], LAUNCH, YEARS)
    pd.testing.assert_frame_equal(shuffled, table, check_exact=True)


def test_completions_after_the_last_year_need_no_yield() -> None:
    housing = completions(level_of(0, y2026=10, y2040=10))
    assert pupils_of(housing_pupils(housing, PRIMARY, LAUNCH, YEARS)) == [0, 0.5, 1, 2]


def test_without_completions_after_the_launch_nothing_comes() -> None:
    assert housing_pupils(completions({2020: 7}), PRIMARY, LAUNCH, YEARS).empty


def test_fewer_completions_than_the_ratios_hold_are_told() -> None:
    housing = completions(level_of(200, y2026=150, y2027=50))
    text = (
        r"^housing: fewer dwellings a year in 2026-2027 than the ratios hold: A flat 100 "
        r"\(level 200\)\. Nothing is taken off, so these districts may get fewer pupils than "
        r"forecast\.$"
    )
    with pytest.warns(pf.AssumptionWarning, match=text):
        table = housing_pupils(housing, PRIMARY, LAUNCH, YEARS)
    assert pupils_of(table) == [0, 0, 0, 0]
    assert housing_levels(housing, LAUNCH)["above"].to_list() == [0]


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ({2026: 500}, "any year up to the launch"),
        ({2021: 1, 2022: 1, 2025: 1, 2026: 5}, "years 2023, 2024"),
        ({2010: 1, 2026: 5}, "years 2021, 2022, 2023, 2024, 2025"),
    ],
)
def test_an_unknown_level_is_refused(numbers: dict[int, float], what: str) -> None:
    text = (
        rf"housing, column dwellings: lacks the completions of A in {what}\. Give the completions "
        r"of 2021-2025; write 0 for years without\."
    )
    with pytest.raises(pf.InputError, match=text):
        housing_pupils(completions(numbers), PRIMARY, LAUNCH, YEARS)
    with pytest.raises(pf.InputError, match=text):
        housing_levels(completions(numbers), LAUNCH)


def test_a_window_is_a_year_or_more() -> None:
    with pytest.raises(ValueError, match="window must be 1 year or more, not 0"):
        housing_levels(completions({2026: 1}), LAUNCH, window=0)


@pytest.mark.parametrize(
    ("yields", "text"),
    [
        (
            curve([0.1, 0.1, 0.1], kind="flats"),
            r"yields, column dwelling_type: has no yields of dwelling_type flat, which is "
            r"completed after the launch\. Add them for 0-2 years since completion\. "
            r"Did you mean 'flats'\?",
        ),
        (
            curve([0.1, 0.1]),
            r"yields, column pupils_per_dwelling: lacks 1 yields of dwelling_type flat, first: "
            r"primary, years_since_completion 2\. Give years 0-2 of each stage",
        ),
        (
            pd.concat([PRIMARY, curve([0.1, 0.1, 0.1], "junior")[1:]]),
            "first: junior, years_since_completion 0",
        ),
    ],
)
def test_a_hole_in_the_yields_is_refused(yields: pd.DataFrame, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        housing_pupils(completions(level_of(0, y2026=10)), yields, LAUNCH, YEARS)


def forecast_pupils() -> pd.DataFrame:
    rows = [
        {"residence": residence, "grade": grade, "district": district, "year": year}
        | {"pupils": number, "share_born": 0.5}
        for year in (2026, 2025)
        for district in ("B", "A")
        for grade, residence, number in (
            ("P1", "local", 60.0),
            ("P1", "migrant", 20.0),
            ("P2", "local", 120.0),
            ("J1", "local", 100.0),
        )
    ]
    return pd.DataFrame(rows).set_axis(range(100, 116))


def assert_grown_by(after: pd.DataFrame, before: pd.DataFrame, by: float) -> None:
    total = after["pupils"].sum() - before["pupils"].sum()
    np.testing.assert_allclose(total, by, rtol=1e-9, err_msg="the pupils added")


def test_pupils_are_spread_in_proportion() -> None:
    """400 x 0.05 = 20 pupils on 200 of primary in A in 2026: one in ten more in each cell."""
    before = forecast_pupils()
    given = pf.Assumptions(housing=completions(level_of(0, y2026=400)), yields=PRIMARY)
    after = with_housing(before, given, LAUNCH)
    rows = (before["district"] == "A") & (before["year"] == 2026) & (before["grade"] != "J1")
    assert [round(v, 9) for v in after.loc[rows, "pupils"]] == [66, 22, 132]
    pd.testing.assert_frame_equal(after[~rows], before[~rows], check_exact=True)
    pd.testing.assert_frame_equal(after.drop(columns="pupils"), before.drop(columns="pupils"))
    assert_grown_by(after, before, 20)
    with pytest.raises(AssertionError, match="the pupils added"):
        assert_grown_by(with_cell_changed(after), before, 20)


def test_without_tables_or_completions_nothing_changes() -> None:
    before = forecast_pupils()
    assert with_housing(before, pf.Assumptions(), LAUNCH) is before
    given = pf.Assumptions(housing=completions(level_of(9)), yields=PRIMARY)
    pd.testing.assert_frame_equal(with_housing(before, given, LAUNCH), before, check_exact=True)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            pf.Assumptions(yields=PRIMARY),
            r"housing: is missing beside yields\. Add housing, or leave out yields\.",
        ),
        (
            pf.Assumptions(
                housing=completions(level_of(0, y2026=1)), yields=curve([1.0], "kindergarten")
            ),
            r"yields, column stage: 'kindergarten' brings pupils of stage kindergarten to A in "
            r"2026, where the forecast has none to spread them over\. Add enrolment of the stage",
        ),
    ],
)
def test_what_cannot_be_added_is_refused(given: pf.Assumptions, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        with_housing(forecast_pupils(), given, LAUNCH)


def test_housing_for_the_norms_alone_adds_no_pupils_and_says_so() -> None:
    given = pf.Assumptions(housing=completions({2026: 1}))
    before = forecast_pupils()
    with pytest.warns(pf.AssumptionWarning, match="housing without yields: the norms of estates"):
        assert with_housing(before, given, LAUNCH) is before


def norms(**places: float) -> pd.DataFrame:
    rows: list[dict[str, object]] = [
        {"stage": stage, "indicator": "places_per_1000", "value": value}
        for stage, value in places.items()
    ]
    rows.append({"stage": None, "indicator": "persons_per_dwelling", "value": 3.0})
    return pd.DataFrame(rows)


YONGZHOU = norms(kindergarten=55.0, primary=110.0, junior=55.0)
"""domain-china.md 2.3: places per 1,000 residents, and 3.0 persons per dwelling."""


def test_r26_an_estate_provides_places_by_the_norm() -> None:
    """1,000 dwellings x 3.0 = 3,000 residents: 165, 330 and 165 places; 600 reserved, 60 short."""
    housing = completions({2026: 600}, places_reserved=400.0)
    housing = pd.concat([housing, completions({2026: 400}, kind="villa", places_reserved=200.0)])
    places = estate_places(housing, YONGZHOU)
    columns = ["estate", "district", "year", "stage", "dwellings", "residents", "uplift"]
    assert list(places.columns) == [*columns, "required"]
    assert places["stage"].to_list() == ["kindergarten", "primary", "junior"]
    np.testing.assert_allclose(places["required"], [165, 330, 165], rtol=1e-12)
    assert places[["dwellings", "residents", "uplift"]].drop_duplicates().to_numpy().tolist() == [
        [1000, 3000, 1]
    ]
    (gap,) = estate_gaps(housing, YONGZHOU).to_dict("records")
    assert (gap["estate"], gap["district"], gap["reserved"]) == ("E", "A", 600)
    np.testing.assert_allclose([gap["required"], gap["gap"]], [660, 60], rtol=1e-12)


def test_r28_places_grow_with_the_plot_ratio() -> None:
    """Plot ratio 2.5 to 3.0 is 1.2 times the people: 330 primary places become 396."""
    housing = completions({2026: 1000}, plot_ratio=3.0, plot_ratio_before=2.5)
    (row,) = estate_places(housing, norms(primary=110.0)).to_dict("records")
    np.testing.assert_allclose([row["uplift"], row["required"]], [1.2, 396], rtol=1e-12)
    plain = completions({2026: 1000}, plot_ratio=3.0)
    assert estate_places(plain, norms(primary=110.0))["uplift"].to_list() == [1.0]


def test_r27_what_an_estate_reserves_is_not_guessed() -> None:
    """A blank beside dwellings is not known; a row without dwellings has nothing to reserve."""
    both = completions({2025: 0, 2026: 1000}).assign(places_reserved=[np.nan, 300.0])
    gaps = estate_gaps(both, norms(primary=110.0))
    np.testing.assert_allclose(gaps["gap"], [30], rtol=1e-12)
    unknown = completions({2025: 10, 2026: 1000}).assign(places_reserved=[np.nan, 300.0])
    gaps = estate_gaps(unknown, norms(primary=110.0))
    assert gaps[["reserved", "gap"]].isna().to_numpy().all()
    bare = estate_gaps(completions({2026: 1000}), norms(primary=110.0))
    assert bare["gap"].isna().all()


def test_the_norm_of_the_district_comes_first() -> None:
    given = norms(primary=110.0).assign(district=None)
    own = {"stage": "primary", "indicator": "places_per_1000", "value": 80.0, "district": "A"}
    standards = pd.concat([given, pd.DataFrame([own])])
    housing = pd.concat([completions({2026: 1000}), completions({2026: 1000}, "B", estate="F")])
    np.testing.assert_allclose(estate_places(housing, standards)["required"], [240, 330])


@pytest.mark.parametrize(
    ("standards", "text"),
    [
        (None, r"standards, column indicator: have no places_per_1000\. Give it by stage"),
        (norms(), r"have no places_per_1000"),
        (
            norms(primary=1.0)[:1],
            r"have no persons_per_dwelling for district A, year 2026, stage primary, in which "
            r"estate E stands\. Add it\.",
        ),
        (
            norms(primary=1.0).assign(stage=None),
            r"standards, column stage: have a places_per_1000 without a stage",
        ),
        (
            norms(primary=1.0).assign(district=["B", ""]),
            r"have no places_per_1000 for district A, year 2026, in which estate E stands",
        ),
    ],
)
def test_a_missing_norm_is_refused(standards: pd.DataFrame | None, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        estate_gaps(completions({2026: 1000}), standards)


@pytest.mark.parametrize(
    ("housing", "text"),
    [
        (
            completions({2026: 1}, plot_ratio_before=2.0),
            r"estate E of A in 2026 has a plot_ratio_before without a plot_ratio\. Give both",
        ),
        (
            completions({2026: 1}, plot_ratio=2.0, plot_ratio_before=0.0),
            "estate E of A in 2026 has a plot ratio of 0",
        ),
        (
            pd.concat(
                [
                    completions({2026: 1}, plot_ratio=3.0, plot_ratio_before=2.0),
                    completions({2026: 1}, kind="villa"),
                ]
            ),
            r"estate E of A in 2026 has several plot ratios\. Write the same two in each row",
        ),
    ],
)
def test_contradicting_plot_ratios_are_refused(housing: pd.DataFrame, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        estate_places(housing, YONGZHOU)
