"""Fertility standardised to recorded births, and births from marriages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import placeforecast as pf
from placeforecast.rates.fertility import (
    FertilityRule,
    fertility_levels,
    standardise_fertility,
    women_exposed,
)
from placeforecast.rates.marriages import births_from_marriages
from placeforecast.tables.align import births_by_school_year

if TYPE_CHECKING:
    Births = pd.Series[float]

LAST = FertilityRule(weights=(1.0,), shrink=False)
SCHEDULE = pd.DataFrame({"age": [20, 21], "asfr": [0.10, 0.05]})
TREE = pd.DataFrame({"district": ["P", "A", "B"], "parent": [None, "P", "P"]})


def women_of(district: str, years: dict[int, tuple[float, float]]) -> pd.DataFrame:
    """Return woman-years aged 20 and 21."""
    parts = [
        pd.DataFrame({"district": district, "year": year, "age": [20, 21], "women": women})
        for year, women in years.items()
    ]
    return pd.concat(parts, ignore_index=True)


def births_of(district: str, years: dict[int, float]) -> pd.DataFrame:
    births = {"births": list(years.values()), "share_born": 1.0}
    return pd.DataFrame({"district": district, "year": list(years), **births})


def both(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([a, b], ignore_index=True)


def test_the_level_is_recorded_over_expected_with_the_latest_year_first() -> None:
    """Each year expects 100; (3 x 90 + 2 x 100 + 1 x 120) / (6 x 100) = 590 / 600."""
    women = women_of("A", dict.fromkeys(range(2020, 2025), (800.0, 400.0)))
    births = births_of("A", {2020: 999, 2021: 999, 2022: 120, 2023: 100, 2024: 90})
    levels = fertility_levels(SCHEDULE, women, births)
    assert levels[["first", "last"]].to_numpy().tolist() == [[2022, 2024]]
    assert levels["factor"].tolist() == [pytest.approx(590 / 600)]
    result = standardise_fertility(SCHEDULE, women, births, [2025, 2026])
    assert list(result.columns) == ["district", "year", "age", "asfr"]
    expected = np.tile([0.10, 0.05], 2) * 590 / 600
    np.testing.assert_allclose(result["asfr"], expected, rtol=1e-12)


def test_a_small_district_leans_on_its_parent_by_its_own_noise() -> None:
    """Worked by hand: expected 100 and 400, recorded 120 and 380.

    The parent's level is 500/500 = 1; spread 100 x 0.2^2 + 400 x 0.05^2 = 5 against 1 expected;
    between districts (5 - 1) / (500 - (100^2 + 400^2)/500) = 0.025; weights 2.5/3.5 and 10/11.
    """
    women = both(women_of("A", {2024: (800, 400)}), women_of("B", {2024: (3200, 1600)}))
    births = both(births_of("A", {2024: 120}), births_of("B", {2024: 380}))
    rule = FertilityRule(weights=(1.0,))
    levels = fertility_levels(SCHEDULE, women, births, districts=TREE, rule=rule)
    np.testing.assert_allclose(levels["parent"], 1.0)
    np.testing.assert_allclose(levels["weight"], [2.5 / 3.5, 10 / 11])
    np.testing.assert_allclose(levels["factor"], [1 + 0.2 * 2.5 / 3.5, 1 - 0.05 * 10 / 11])


def test_districts_that_differ_by_noise_alone_share_the_level_of_the_parent() -> None:
    women = both(women_of("A", {2024: (800, 400)}), women_of("B", {2024: (800, 400)}))
    births = both(births_of("A", {2024: 104}), births_of("B", {2024: 96}))
    levels = fertility_levels(SCHEDULE, women, births, rule=FertilityRule(weights=(1.0,)))
    np.testing.assert_allclose(levels["factor"], 1.0)
    tree = pd.DataFrame({"district": ["P", "Q", "A", "B"], "parent": [None, None, "P", "Q"]})
    rule = FertilityRule(weights=(1.0,))
    parted = fertility_levels(SCHEDULE, women, births, districts=tree, rule=rule)
    np.testing.assert_allclose(parted["factor"], [1.04, 0.96], err_msg="no siblings")


def test_a_damped_trend_of_the_log_level() -> None:
    """The level falls by a tenth of its log each year; half of each move is made again."""
    women = women_of("A", dict.fromkeys(range(2021, 2025), (8e9, 4e9)))
    births = births_of(
        "A", {year: 1e9 * np.exp(-0.1 * (year - 2021)) for year in range(2021, 2025)}
    )
    rule = FertilityRule(weights=(1.0,), trend_years=4, damping=0.5)
    result = standardise_fertility(SCHEDULE, women, births, range(2024, 2028), rule=rule)
    level = result[result["age"] == 20]["asfr"].to_numpy() / 0.10
    moves = [-0.3, -0.35, -0.375, -0.3875]
    np.testing.assert_allclose(np.log(level), moves, rtol=1e-7)
    held = standardise_fertility(SCHEDULE, women, births, [2025, 2040], rule=LAST)
    np.testing.assert_allclose(held["asfr"].iloc[::2], 0.10 * np.exp(-0.3))


def test_a_pattern_pooled_to_the_parent_still_meets_the_births() -> None:
    schedule = pd.DataFrame(
        {
            "district": ["A", "A", "B", "B"],
            "age": [20, 21, 20, 21],
            "asfr": [0.15, 0.00, 0.05, 0.10],
        }
    )
    women = both(women_of("A", {2024: (100, 100)}), women_of("B", {2024: (300, 300)}))
    births = both(births_of("A", {2024: 18}), births_of("B", {2024: 45}))
    rule = FertilityRule(weights=(1.0,), shrink=False, pattern_births=1e9)
    result = standardise_fertility(schedule, women, births, [2024], rule=rule)
    wide = result.pivot_table(values="asfr", index="district", columns="age").to_numpy()
    parent = np.array([0.15 * 100 + 0.05 * 300, 0.10 * 300]) / 400
    np.testing.assert_allclose(wide / wide.sum(axis=1, keepdims=True), [parent / 0.15] * 2)
    np.testing.assert_allclose(wide.sum(axis=1) * [100, 300], [18, 45])


def test_the_movement_of_the_schedule_over_the_years_is_kept() -> None:
    schedule = pd.concat(
        [SCHEDULE.assign(year=2024), SCHEDULE.assign(year=2025, asfr=SCHEDULE["asfr"] * 0.9)]
    )
    women, births = women_of("A", {2024: (800, 400)}), births_of("A", {2024: 80})
    result = standardise_fertility(schedule, women, births, [2024, 2025], rule=LAST)
    np.testing.assert_allclose(result["asfr"], [0.08, 0.04, 0.072, 0.036])


def test_years_that_are_not_fully_recorded_are_not_used() -> None:
    women = women_of("A", {2024: (800, 400), 2025: (800, 400)})
    births = births_of("A", {2024: 90, 2025: 20})
    births.loc[1, "share_born"] = 0.25
    levels = fertility_levels(SCHEDULE, women, births)
    assert levels["last"].tolist() == [2024]
    assert levels["factor"].tolist() == [pytest.approx(0.9)]


# On the example city: the projection computes what was recorded.


@pytest.fixture(scope="module")
def city() -> tuple[pf.Inputs, pf.Assumptions, pd.DataFrame]:
    """Return the inputs, what is known up to 2025, and woman-years of 2021-2025."""
    inputs = pf.load_example("city")
    assert inputs.births is not None
    assert inputs.population is not None
    known = births_by_school_year(inputs.births, inputs.settings, 2025).known
    whole = known.loc[known["share_born"] == 1, ["district", "year", "births", "share_born"]]
    assumptions = pf.Assumptions(
        survival=inputs.survival,
        migration=inputs.migration,
        fertility=inputs.fertility,
        sex_ratio_at_birth=inputs.sex_ratio_at_birth,
        births=whole,
    )
    past = pf.project_population(inputs.population, assumptions, until=2025)
    return inputs, assumptions, women_exposed(past)


def computed_births(inputs: pf.Inputs, assumptions: pf.Assumptions, year: int) -> Births:
    """Births that the projection computes for a year of which no record is given."""
    assert inputs.population is not None
    assert assumptions.births is not None
    before = replace(assumptions, births=assumptions.births.query("year < @year"))
    result = pf.project_population(inputs.population, before, until=year)
    return result.all_births.query("year == @year").set_index("district")["births"]


def assert_births_meet(found: Births, births: pd.DataFrame, year: int) -> None:
    recorded = births[births["year"] == year].set_index("district")["births"]
    np.testing.assert_allclose(
        found, recorded.reindex(found.index), rtol=1e-9, err_msg="births of the reference year"
    )


def test_the_projection_computes_the_recorded_births(
    city: tuple[pf.Inputs, pf.Assumptions, pd.DataFrame],
) -> None:
    inputs, assumptions, women = city
    assert assumptions.fertility is not None
    assert assumptions.births is not None
    births = assumptions.births
    fitted = standardise_fertility(assumptions.fertility, women, births, [2025], rule=LAST)
    found = computed_births(inputs, replace(assumptions, fertility=fitted), 2025)
    assert_births_meet(found, births, 2025)
    fitted.loc[fitted.index[100], "asfr"] += 1e-4
    changed = computed_births(inputs, replace(assumptions, fertility=fitted), 2025)
    with pytest.raises(AssertionError, match="births of the reference year"):
        assert_births_meet(changed, births, 2025)


def test_woman_years_times_the_schedule_are_the_births_of_the_projection(
    city: tuple[pf.Inputs, pf.Assumptions, pd.DataFrame],
) -> None:
    inputs, assumptions, women = city
    assert inputs.fertility is not None
    found = computed_births(inputs, assumptions, 2024)
    cells = women[women["year"] == 2024].merge(inputs.fertility, on=["district", "age"])
    summed = (cells["women"] * cells["asfr"]).groupby(cells["district"]).sum()
    np.testing.assert_allclose(found, summed.reindex(found.index), rtol=1e-9)


def test_levels_of_the_city_lie_between_own_and_parent(
    city: tuple[pf.Inputs, pf.Assumptions, pd.DataFrame],
) -> None:
    inputs, assumptions, women = city
    assert assumptions.fertility is not None
    assert assumptions.births is not None
    levels = fertility_levels(
        assumptions.fertility, women, assumptions.births, districts=inputs.districts
    )
    assert levels["weight"].between(0, 1).all()
    np.testing.assert_array_less(levels[["own", "parent"]].min(axis=1) - 1e-12, levels["factor"])
    np.testing.assert_array_less(levels["factor"], levels[["own", "parent"]].max(axis=1) + 1e-12)
    by_size = levels.sort_values("births")["weight"]
    assert by_size.is_monotonic_increasing or by_size.corr(levels["births"]) > 0.5


def test_the_order_of_rows_changes_nothing(
    city: tuple[pf.Inputs, pf.Assumptions, pd.DataFrame],
) -> None:
    inputs, assumptions, women = city
    assert assumptions.fertility is not None
    assert assumptions.births is not None
    tables = {"fertility": assumptions.fertility, "women": women, "births": assumptions.births}
    turned = {name: table.iloc[::-1] for name, table in tables.items()}
    rule = FertilityRule(trend_years=3, pattern_births=500.0)
    one, other = (
        standardise_fertility(
            these["fertility"],
            these["women"],
            these["births"],
            [2026, 2030],
            districts=inputs.districts,
            rule=rule,
        )
        for these in (tables, turned)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-12)


# Errors.

WOMEN = both(women_of("A", {2024: (800, 400)}), women_of("B", {2024: (800, 400)}))
BIRTHS = both(births_of("A", {2024: 90}), births_of("B", {2024: 90}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"births": BIRTHS[BIRTHS["district"] == "A"]}, "no fully recorded births of B .*2024"),
        ({"births": BIRTHS.assign(year=2019)}, "no year has women by age"),
        ({"births": BIRTHS.assign(share_born=0.5)}, "no year has women by age"),
        ({"women": WOMEN.assign(women=0.0)}, "births where the schedule expects none: district A"),
        ({"women": WOMEN.iloc[1:]}, "women, column women: lacks 1 of 4 cells"),
        ({"fertility": SCHEDULE.assign(year=2024)}, "fertility, column asfr: lacks .*year 2025"),
        (
            {"fertility": SCHEDULE.assign(district="A")},
            "fertility, column asfr: lacks .*district B",
        ),
    ],
)
def test_what_cannot_be_standardised_is_named(changes: dict[str, Any], message: str) -> None:
    tables = {"fertility": SCHEDULE, "women": WOMEN, "births": BIRTHS, **changes}
    with pytest.raises(pf.InputError, match=message):
        standardise_fertility(**tables, years=[2025])


@pytest.mark.parametrize("weights", [(), (0.0,), (1.0, -1.0)])
def test_weights_are_above_zero(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="weights"):
        FertilityRule(weights=weights)


def test_woman_years_need_women() -> None:
    boys = pd.DataFrame({"year": 2020, "sex": "male", "age": [0, 1], "population": [10, 20]})
    alive = pd.DataFrame({"sex": "male", "age": [0, 1], "survival": [0.9, 0.5]})
    births = pd.DataFrame({"district": "all", "year": [2021], "births": [20.5]})
    result = pf.project_population(boys, pf.Assumptions(survival=alive, births=births))
    with pytest.raises(pf.InputError, match="population: holds no women"):
        women_exposed(result)


# Births from marriages. China, 10,000: marriages of the year before, and births of 2022-2025.

MARRIAGES = pd.DataFrame({"year": range(2021, 2025), "marriages": [764.0, 683.5, 768.2, 610.6]})
CHINA_BIRTHS = pd.DataFrame({"year": range(2022, 2026), "births": [956.0, 902.0, 954.0, 792.0]})


def test_the_published_ratio_for_china() -> None:
    """1.29, published in February 2025; errors of 2022-2025 about +3, -2, +4 and -0.5 %."""
    found = births_from_marriages(MARRIAGES, CHINA_BIRTHS, ratio=1.29)
    assert found["year"].tolist() == [2022, 2023, 2024, 2025]
    error = found["births"] / CHINA_BIRTHS["births"] - 1
    np.testing.assert_allclose(error, [0.031, -0.023, 0.039, -0.005], atol=0.0006)
    assert found["births"].iloc[-1] == pytest.approx(787.7, abs=0.05)


def test_the_fitted_ratio_is_near_the_published_one() -> None:
    """Births of 2022-2024 over marriages of 2021-2023: 2812 / 2215.7 = 1.269."""
    found = births_from_marriages(MARRIAGES, CHINA_BIRTHS.query("year < 2025"))
    assert found["births"].iloc[-1] == pytest.approx(610.6 * 2812 / 2215.7)


def test_a_ratio_rests_on_the_latest_years_of_each_district() -> None:
    marriages = both(
        MARRIAGES.assign(district="A"), MARRIAGES.assign(district="B", marriages=100.0)
    )
    births = both(
        CHINA_BIRTHS.assign(district="A"),
        pd.DataFrame({"district": "B", "year": [2022, 2023], "births": [50.0, 70.0]}),
    )
    found = births_from_marriages(marriages, births, years=1).set_index(["district", "year"])
    assert found["births"]["A", 2025] == pytest.approx(792.0)
    assert found["births"]["B", 2025] == pytest.approx(70.0)


def test_marriages_without_births_are_named() -> None:
    with pytest.raises(pf.InputError, match="no births of all that follow a year of marriages"):
        births_from_marriages(MARRIAGES, CHINA_BIRTHS.assign(year=2000))
