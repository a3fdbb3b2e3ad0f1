"""Survival from death rates and towards a life expectancy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rates.mortality import (
    life_expectancy,
    survival_from_mx,
    survival_given,
    survival_towards,
)

if TYPE_CHECKING:
    from pathlib import Path

SIMPLE = pd.DataFrame({"sex": "female", "age": [0, 1, 2], "survival": [0.9, 0.8, 0.5]})


def target(years: dict[int, float], sex: str = "female") -> pd.DataFrame:
    points = {"year": list(years), "life_expectancy": list(years.values())}
    return pd.DataFrame({"sex": sex, **points})


@pytest.fixture(scope="module")
def city() -> pd.DataFrame:
    survival = pf.load_example("city").survival
    assert survival is not None
    return survival


# Life expectancy.


def test_life_expectancy_by_hand() -> None:
    """Person-years 0.9 at 0, 0.72 at 1, and 0.72 x 0.5 / (1 - 0.5) = 0.72 in the open group."""
    assert life_expectancy(SIMPLE)["life_expectancy"].tolist() == [pytest.approx(2.34)]
    wide = life_expectancy(SIMPLE.assign(age=SIMPLE["age"] * 5))
    assert wide["life_expectancy"].tolist() == [pytest.approx(5 * 2.34)]


def test_life_expectancy_of_swedish_females_of_1993(shared_data: Path) -> None:
    """The person-years of Preston, Heuveline and Guillot (2001), chapter 6, add up to it."""
    book = pd.read_csv(shared_data / "population_dev" / "sweden_1993" / "females.csv")
    lived = book["person_years_nLx"].to_numpy(dtype=float)
    survival = np.concatenate([[lived[0] / 500_000], lived[1:] / lived[:-1]])
    survival[-1] = lived[-1] / (lived[-2] + lived[-1])
    table = pd.DataFrame({"sex": "female", "age": book["age_start"], "survival": survival})
    found = life_expectancy(table)["life_expectancy"].iloc[0]
    assert found == pytest.approx(lived.sum() / 100_000, rel=1e-12)
    assert 80 < found < 82
    table["survival"] = table["survival"].where(table["age"] != 15, 0.99)
    assert life_expectancy(table)["life_expectancy"].iloc[0] != pytest.approx(found, rel=1e-6)


def test_life_expectancy_of_the_example_city(city: pd.DataFrame) -> None:
    """Its README names 81.0 for women and 75.5 for men; survival is printed to six figures."""
    found = life_expectancy(city).set_index("sex")["life_expectancy"]
    np.testing.assert_allclose(found[["female", "male"]], [81.0, 75.5], atol=0.001)


# Death rates. Austria, males, 1992: Preston, Heuveline and Guillot (2001), box 3.1.

AGES = [0, 1, *range(5, 90, 5)]
PEOPLE = [
    47925, 189127, 234793, 238790, 254996, 326831, 355086, 324222, 269963, 261971, 238011, 261612,
    181385, 187962, 153832, 105169, 73694, 57512, 32248,
]  # fmt: skip
DEATHS = [
    419, 70, 36, 46, 249, 420, 403, 441, 508, 769, 1154, 1866, 2043, 3496, 4366, 4337, 5279, 6460,
    6146,
]  # fmt: skip
LIVED = [
    99192, 396183, 494741, 494375, 492980, 490106, 487127, 484175, 480384, 474686, 465777, 452188,
    432096, 401480, 357713, 301224, 228404, 145182, 110889,
]  # fmt: skip
AUSTRIA = pd.DataFrame({"sex": "male", "age": AGES, "mx": np.array(DEATHS) / np.array(PEOPLE)})


def test_the_life_table_of_austrian_males() -> None:
    """The book graduates a above 5; half of the width instead moves nLx by up to 1 % at 80-84.

    Its life expectancy is 72.889.
    """
    found = survival_from_mx(AUSTRIA)
    assert found["age"].tolist() == list(range(0, 90, 5))
    lived = 5 * np.cumprod(found["survival"].to_numpy()[:-1])
    book = np.array([LIVED[0] + LIVED[1], *LIVED[2:-1]]) / 100_000
    np.testing.assert_allclose(lived[:9], book[:9], rtol=5e-4)
    np.testing.assert_allclose(lived, book, rtol=0.01)
    assert life_expectancy(found)["life_expectancy"].iloc[0] == pytest.approx(72.889, abs=0.05)


def test_single_ages_by_hand() -> None:
    """Boys: a(0) = 0.045 + 2.684 x 0.01; q = m / (1 + (1 - a) m)."""
    rates = pd.DataFrame({"sex": "male", "age": [0, 1, 2], "mx": [0.01, 0.002, 0.5]})
    a0 = 0.045 + 0.02684
    q0, q1 = 0.01 / (1 + (1 - a0) * 0.01), 0.002 / 1.001
    lived = [1 - q0 + a0 * q0, (1 - q0) * (1 - q1 / 2), (1 - q0) * (1 - q1) / 0.5]
    expected = [lived[0], lived[1] / lived[0], lived[2] / (lived[1] + lived[2])]
    np.testing.assert_allclose(survival_from_mx(rates)["survival"], expected, rtol=1e-12)


def test_a_constant_death_rate_gives_its_inverse_as_life_expectancy() -> None:
    """Where the rate is high a group is left at a constant rate: exactly exp(-n m) survive it."""
    rates = pd.DataFrame({"sex": "male", "age": [0, 1, 5, 10, 15], "mx": 0.3})
    found = survival_from_mx(rates)["survival"].to_numpy()
    np.testing.assert_allclose(found[2], np.exp(-1.5), rtol=1e-12)
    np.testing.assert_allclose(found[3], np.exp(-1.5), rtol=1e-12)


def test_chances_of_dying_give_nearly_the_same_as_rates() -> None:
    rates = pd.DataFrame(
        {"sex": "female", "age": range(6), "mx": [0.005, 0.001, 0.01, 0.1, 0.3, 0.3]}
    )
    mx = rates["mx"].to_numpy()
    chances = mx / (1 + mx / 2)
    chances[0] = mx[0] / (1 + (1 - 0.053 - 2.8 * mx[0]) * mx[0])
    chances[-1] = 1.0
    by_chance = survival_from_mx(rates.drop(columns="mx").assign(qx=chances))
    np.testing.assert_allclose(
        by_chance["survival"], survival_from_mx(rates)["survival"], rtol=0, atol=2e-5
    )


@pytest.fixture(scope="module")
def un(shared_data: Path) -> dict[str, pd.DataFrame]:
    folder = shared_data / "population_dev" / "wpp2024_5x5"
    names = {"country": "district", "period_start": "year", "age_start": "age"}
    names |= {"persons_k": "population", "net_k": "net_migration", "births_k": "births"}
    tables = ("population", "mortality", "migration", "annual_totals")
    return {name: pd.read_csv(folder / f"{name}.csv").rename(columns=names) for name in tables}


def assert_survivors_of_the_un(survival: pd.DataFrame, un: dict[str, pd.DataFrame]) -> None:
    """Check people of 30-74 in 2025, half of the migrants at each end, within 0.6 %.

    Young ones move within the step in ways that halves at its ends do not follow.
    """
    births = un["annual_totals"].query("year == 2025")[["district", "year", "births"]]
    flows = un["migration"].query("year == 2020").assign(year=2025)
    assumptions = pf.Assumptions(
        survival=survival[survival["year"] == 2020].assign(year=2025),
        migration=flows[["district", "year", "sex", "age", "net_migration"]],
        births=births,
    )
    start = un["population"].query("year == 2020")
    result = pf.project_population(start, assumptions, step=5, migration_timing="half")
    keys = ["district", "sex", "age"]
    found, published = (
        table.query("year == 2025 and 30 <= age < 75").set_index(keys)["population"].sort_index()
        for table in (result.population, un["population"])
    )
    np.testing.assert_allclose(found, published, rtol=0.006, err_msg="United Nations 2025")


def test_united_nations_rates_carry_2020_to_2025(un: dict[str, pd.DataFrame]) -> None:
    survival = survival_from_mx(un["mortality"])
    assert pf.check(survival, "survival").shape == survival.shape
    assert_survivors_of_the_un(survival, un)
    wrong = survival.assign(survival=survival["survival"].where(survival["age"] != 40, 0.97))
    with pytest.raises(AssertionError, match="United Nations 2025"):
        assert_survivors_of_the_un(wrong, un)


def test_life_expectancy_of_the_united_nations_rises(un: dict[str, pd.DataFrame]) -> None:
    """Every period after the pandemic is better than the one before, and women outlive men."""
    years = life_expectancy(survival_from_mx(un["mortality"].query("year >= 2020"))).pivot_table(
        values="life_expectancy", index=["sex", "district"], columns="year"
    )
    assert (np.diff(years.to_numpy(), axis=1) > 0).all()
    assert (years.loc["female"] > years.loc["male"]).to_numpy().all()


# Towards a target.


def test_a_table_with_its_own_life_expectancy_stays(city: pd.DataFrame) -> None:
    found = survival_towards(city, life_expectancy(city), [2030])
    np.testing.assert_allclose(found["survival"], city["survival"], rtol=1e-9)


def test_life_expectancy_runs_linearly_to_the_target(city: pd.DataFrame) -> None:
    points = pd.concat([target({2035: 84.0}), target({2035: 79.5}, "male")])
    found = survival_towards(city, points, range(2026, 2041), start=2025)
    assert_on_path(found, city)
    found["survival"] = found["survival"].where(found.index != 500, 0.9)
    with pytest.raises(AssertionError, match="life expectancy by year"):
        assert_on_path(found, city)


def assert_on_path(found: pd.DataFrame, standard: pd.DataFrame) -> None:
    years = life_expectancy(found).pivot_table(
        values="life_expectancy", index="year", columns="sex"
    )
    start = life_expectancy(standard).set_index("sex")["life_expectancy"]
    share = np.minimum((years.index.to_numpy() - 2025) / 10, 1.0)
    for sex, end in (("female", 84.0), ("male", 79.5)):
        path = start[sex] + share * (end - start[sex])
        np.testing.assert_allclose(years[sex], path, rtol=1e-9, err_msg="life expectancy by year")


def test_a_higher_target_is_better_at_every_age(city: pd.DataFrame) -> None:
    women = city[city["sex"] == "female"]
    goals = (70.0, 78.0, 81.0, 84.0, 90.0)
    tables = [survival_towards(women, target({2030: goal}), [2030]) for goal in goals]
    alive = np.array([table["survival"] for table in tables])
    assert (np.diff(alive, axis=0) > 0).all()
    assert ((alive > 0) & (alive < 1)).all()


def test_the_shift_is_brass_by_hand() -> None:
    """Shares living 0.9 and 0.72; with odds of dying halved, 0.9/0.95 and 0.72/0.86.

    The open group halves from age to age: 0.72/2^j becomes v / (v + (1 - v)/2).
    """
    tail = 0.72 * 0.5 ** np.arange(1, 60)
    moved = np.array([0.9 / 0.95, 0.72 / 0.86])
    rest = (tail / (tail + (1 - tail) / 2)).sum()
    found = survival_towards(SIMPLE, target({2030: moved.sum() + rest}), [2030])
    expected = [moved[0], moved[1] / moved[0], rest / (rest + moved[1])]
    np.testing.assert_allclose(found["survival"], expected, rtol=1e-9)


def test_points_of_the_past_take_the_place_of_the_own_life_expectancy() -> None:
    path = target({2024: 2.4, 2034: 2.5})
    found = life_expectancy(survival_towards(SIMPLE, path, [2023, 2024, 2029, 2040], start=2024))
    np.testing.assert_allclose(found["life_expectancy"], [2.4, 2.4, 2.45, 2.5], rtol=1e-9)
    dated = pd.concat([SIMPLE.assign(year=2019, survival=0.1), SIMPLE.assign(year=2020)])
    moved = life_expectancy(survival_towards(dated, target({2030: 2.54}), [2020, 2025]))
    np.testing.assert_allclose(moved["life_expectancy"], [2.34, 2.44], rtol=1e-9)


def test_districts_of_either_table() -> None:
    both = pd.concat(
        [target({2030: 2.4}).assign(district="A"), target({2030: 2.6}).assign(district="B")]
    )
    found = survival_towards(SIMPLE, both, [2029, 2030])
    assert found.columns.tolist() == ["district", "year", "sex", "age", "survival"]
    assert pf.check(found, "survival").shape == found.shape
    years = life_expectancy(found).query("year == 2030")["life_expectancy"]
    np.testing.assert_allclose(years, [2.4, 2.6], rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"life_expectancy": target({2030: 70.0}, "male")}, "'male' is not on the axis"),
        ({"life_expectancy": target({2030: 1e6})}, "1e.06 is out of reach: year 2030, sex female"),
        ({"survival": SIMPLE.assign(survival=1.0)}, "ever dies in the open group .*age 2"),
        ({"survival": SIMPLE.assign(survival=0.0)}, "nobody survives to sex female, age 0"),
        ({"survival": SIMPLE.assign(age=[0, 1, 3])}, "survival, column age: .*even steps"),
    ],
)
def test_what_cannot_be_moved_is_named(changes: dict[str, Any], message: str) -> None:
    tables = {"survival": SIMPLE, "life_expectancy": target({2030: 2.4}), **changes}
    with pytest.raises(pf.InputError, match=message):
        survival_towards(**tables, years=[2030])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"age": [0, 5, 10]}, "neither 0, 1, 2, ... nor 0, 1, 5, 10"),
        ({"mx": [0.01, 0.01, 0.0]}, "column mx: has no deaths in the open group of age 2"),
        ({"mx": [0.01, None, 0.1]}, "lacks 1 of 3 cells, first: sex male, age 1"),
    ],
)
def test_rates_that_give_no_survival_are_named(changes: dict[str, Any], message: str) -> None:
    rates = pd.DataFrame({"sex": "male", "age": [0, 1, 2], "mx": [0.01, 0.01, 0.1], **changes})
    with pytest.raises(pf.InputError, match=message):
        survival_from_mx(rates)


# What a region gives.


def test_survival_from_whatever_a_region_gives() -> None:
    cells = {"year": 2020, "sex": "female", "age": [0, 1, 2]}
    rates = pd.DataFrame({**cells, "mx": [0.1, 0.02, 0.05]})
    both = pf.check(pd.concat([rates, target({2030: 25.0})]), "mortality")
    assert survival_given(None, None, [2030]) is None
    assert survival_given(SIMPLE, pf.check(rates, "mortality"), [2030]) is SIMPLE
    from_rates = survival_given(None, pf.check(rates, "mortality"), [2030])
    assert from_rates is not None
    pd.testing.assert_frame_equal(from_rates, survival_from_mx(rates))
    moved = survival_given(None, both, [2025, 2030])
    assert moved is not None
    found = life_expectancy(moved)["life_expectancy"]
    np.testing.assert_allclose(found[2], 25.0, rtol=1e-9)
    np.testing.assert_allclose(found[1], (found[0] + 25.0) / 2, rtol=1e-9)


def test_targets_follow_the_years_that_survival_gives() -> None:
    dated = SIMPLE.assign(year=2029)
    found = survival_given(dated, target({2031: 2.5}), [2029, 2030, 2031])
    assert found is not None
    years = life_expectancy(found)
    assert years["year"].tolist() == [2029, 2030, 2031]
    np.testing.assert_allclose(years["life_expectancy"], [2.34, 2.42, 2.5], rtol=1e-9)
    assert survival_given(dated, target({2031: 2.5}), [2029]) is dated


def test_a_life_expectancy_alone_is_refused() -> None:
    with pytest.raises(pf.InputError, match="a life expectancy and no survival or death rates"):
        survival_given(None, target({2030: 80.0}), [2030])
