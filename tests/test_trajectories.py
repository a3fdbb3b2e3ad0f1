"""Trajectories: what stands beside the central run, held against closed forms and sums by hand."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import normal_errors, places_of, two_districts
from placeforecast.places.accounts import ACCOUNTS
from placeforecast.tables.settings import Run
from placeforecast.uncertainty.calibrate import quantiles_of
from placeforecast.uncertainty.central import Central
from placeforecast.uncertainty.draws import BirthShocks, multipliers
from placeforecast.uncertainty.learn import Learnt
from placeforecast.uncertainty.trajectories import draw
from schools import with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.chain.record import Forecast
    from placeforecast.tables.doors import Array
    from placeforecast.uncertainty.errors import ErrorModel
    from placeforecast.uncertainty.reduce import Drawn

MANY = 20_000
QUANTILES = (0.1, 0.5, 0.9)
CASE = ("all", "planned")
CHANCES = (
    "chance_of_shortfall",
    "chance_first_shortfall",
    "expected_shortfall",
    "chance_of_cell_shortfall",
    "chance_first_cell_shortfall",
    "expected_cell_shortfall",
)
ORDERED = {
    "pupils": ["pupils"],
    "demand": ["pupils", "demand"],
    "stages": ["pupils", "demand"],
    "balance_cells": ["demand", "balance"],
    "balance": [
        *("pupils", "demand", "balance", "shortfall", "surplus"),
        *("cell_shortfall", "cell_surplus", "utilisation"),
    ],
}


# One step ahead, by hand.


def central(
    taught: Mapping[str, Sequence[float]],
    places: Mapping[str, Sequence[float]],
    *,
    years: int = 2,
    born: float = 1.0,
) -> Central:
    """Return districts with constant pupils by grade, from 2020 on; parent C is their sum."""
    names = list(taught)
    grades = [f"P{g}" for g in range(1, len(taught[names[0]]) + 1)]
    shape = (years, len(grades), len(names))
    pupils = np.broadcast_to(np.array([taught[name] for name in names]).T, shape)
    standing = np.broadcast_to(np.array([places[name] for name in names]).T, shape)
    cohorts = list(range(2013, 2020 + years))
    share_born = np.array([[1.0 if cohort < 2015 else born] * len(names) for cohort in cohorts])
    return Central(
        pupils=pupils.astype(float),
        share={"all": np.ones(shape)},
        factor={"all": np.ones(shape)},
        still={"all": np.zeros(shape)},
        needed_still={"all": np.zeros(shape)},
        places={CASE: standing.astype(float)},
        axes={"year": list(range(2020, 2020 + years)), "grade": grades, "district": names},
        ages=[[5 + g] for g in range(1, len(grades) + 1)],
        like=list(range(len(grades))),
        share_born=share_born,
        cohorts=cohorts,
        areas={"C": list(range(len(names))), **{name: [i] for i, name in enumerate(names)}},
        groups={"primary": list(range(len(grades)))},
        parents=dict.fromkeys(names, "C"),
    )


def drawn(
    run: Central,
    errors: ErrorModel,
    *,
    trajectories: int = MANY,
    births: BirthShocks | None = None,
) -> Drawn:
    learnt = Learnt(errors, births or BirthShocks(0.0, 0.0), "by hand", pd.DataFrame())
    return draw(run, learnt, QUANTILES, trajectories, 1)


def at_end(found: Drawn, name: str, area: int = 0) -> Array:
    """Return a sum of the last year of the stage, of parent C unless another area is given."""
    case = "planned" if name not in {"pupils", "demand"} else ""
    cells: Array = found.sums[name, "all", case][:, area, -1, 0]
    return cells


@pytest.mark.parametrize("standing", [90.0, 98.0, 100.0, 105.0, 120.0])
def test_chance_and_size_of_a_shortfall_against_closed_forms(standing: float) -> None:
    """Demand of mean 100 and log spread 5 %: the log-normal, and nearly the normal loss."""
    spread, normal = 0.05, NormalDist()
    found = drawn(central({"A": [100.0]}, {"A": [standing]}), normal_errors(spread))
    upper = (np.log(100 / standing) + spread**2 / 2) / spread
    chance = normal.cdf(upper - spread)
    error = 4 * np.sqrt(0.25 / MANY)
    np.testing.assert_allclose(at_end(found, "chance_of_shortfall"), chance, atol=error)
    short = 100 * normal.cdf(upper) - standing * chance
    error = 4 * 100 * spread / np.sqrt(MANY)
    np.testing.assert_allclose(at_end(found, "expected_shortfall"), short, atol=error)
    z = (standing - 100) / (100 * spread)
    loss = 100 * spread * (normal.pdf(z) - z * (1 - normal.cdf(z)))
    np.testing.assert_allclose(at_end(found, "expected_shortfall"), loss, atol=error + 0.1)
    interval = 100 * np.exp(spread * np.array([-1.2816, 0.0, 1.2816]))
    np.testing.assert_allclose(at_end(found, "demand"), interval, atol=0.5)
    for name in CHANCES[:3]:  # one cell: nothing to net
        cell = name.replace("shortfall", "cell_shortfall")
        np.testing.assert_array_equal(at_end(found, name), at_end(found, cell))


@pytest.mark.parametrize(
    ("places", "level", "chance"),
    [
        (80.0, "red", 1 - NormalDist(100, 10).cdf(80)),
        (105.0, "yellow", 1 - NormalDist(100, 10).cdf(0.9 * 105)),
        (120.0, "normal", NormalDist(100, 10).cdf(108) - NormalDist(100, 10).cdf(90)),
        (150.0, "blue", NormalDist(100, 10).cdf(0.75 * 150)),
        (220.0, "dark_blue", NormalDist(100, 10).cdf(110)),
    ],
)
def test_a_warning_has_the_chance_of_its_level_or_beyond(
    places: float, level: str, chance: float
) -> None:
    """Against the normal distribution of pupils: 100 with a standard deviation of 10."""
    found = drawn(central({"A": [100.0]}, {"A": [places]}), normal_errors(0.1))
    # exp of a normal error is a little skewed: 3 % of a chance, and the sampling error.
    np.testing.assert_allclose(at_end(found, f"chance_{level}"), chance, atol=0.035)


def test_without_errors_every_trajectory_is_the_central_run() -> None:
    found = drawn(central({"A": [100.0]}, {"A": [90.0]}), normal_errors(0.0), trajectories=7)
    np.testing.assert_allclose(at_end(found, "demand"), 100.0, rtol=1e-15)
    assert at_end(found, "chance_of_shortfall") == 1
    np.testing.assert_allclose(at_end(found, "expected_shortfall"), 10.0, rtol=1e-12)


def test_cells_are_not_netted() -> None:
    """P1 is surely 50 short of its 50 places; P2 has 200 idle, and the net is a surplus."""
    run = central({"A": [100.0, 100.0]}, {"A": [50.0, 300.0]})
    found = drawn(run, normal_errors(0.05, grades=2), trajectories=500)
    assert at_end(found, "chance_of_shortfall") == 0
    assert at_end(found, "expected_shortfall") == 0
    assert at_end(found, "chance_of_cell_shortfall") == 1
    np.testing.assert_allclose(at_end(found, "expected_cell_shortfall"), 50.0, rtol=1e-12)
    surplus = at_end(found, "cell_surplus") - at_end(found, "cell_shortfall")[::-1]
    np.testing.assert_allclose(surplus, 350 - at_end(found, "demand")[::-1], atol=1e-9)


def mean_demand(run: Central, births: BirthShocks | None = None) -> Array:
    """Return the mean demand of the last year by area: the shortfall where nothing stands."""
    errors = normal_errors(0.1, shared=0.05, grades=2)
    found = drawn(run, errors, trajectories=101, births=births)
    mean: Array = found.sums["expected_shortfall", *CASE][0, :, -1, 0]
    return mean


NOTHING = {"A": [0.0, 0.0], "B": [0.0, 0.0]}
TAUGHT = {"A": [100.0, 60.0], "B": [400.0, 1.0]}


def test_the_mean_over_trajectories_is_the_central_run() -> None:
    mean = mean_demand(central(TAUGHT, NOTHING, years=4))
    np.testing.assert_allclose(mean, [561.0, 160.0, 401.0], rtol=1e-9)
    mean[1] += 1e-3
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(mean, [561.0, 160.0, 401.0], rtol=1e-9)


def test_the_mean_over_trajectories_of_the_unborn_is_the_central_run() -> None:
    run = central(TAUGHT, NOTHING, years=4, born=0.0)
    mean = mean_demand(run, BirthShocks(0.05, 0.02))
    np.testing.assert_allclose(mean, [561.0, 160.0, 401.0], rtol=1e-9)


def test_births_not_recorded_widen_the_interval_of_their_grade() -> None:
    """Of 2021, those aged 6 are born in 2015, those aged 7 in 2014: recorded."""
    run = central({"A": [100.0, 100.0]}, {"A": [90.0, 90.0]}, born=0.0)
    found = drawn(run, normal_errors(0.0, grades=2), births=BirthShocks(0.05, 0.0))
    low, middle, high = found.cells[:, 1, 0, 0]
    np.testing.assert_allclose(np.log(high / low), 2 * 1.2816 * 0.05, rtol=0.05)
    assert low < middle < high
    np.testing.assert_allclose(found.cells[:, 1, 1, 0], 100.0, rtol=1e-12)
    np.testing.assert_array_equal(found.cells[:, 0], 100.0)  # as counted


def test_parents_are_sums_of_the_same_trajectories() -> None:
    errors = normal_errors(0.1, shared=0.05)
    found = drawn(central({"A": [100.0], "B": [400.0]}, {"A": [90.0], "B": [430.0]}), errors)
    parts = [
        taught * multipliers(errors, name, "C", taught, 1, MANY, 1)[0, 0]
        for name, taught in (("A", 100.0), ("B", 400.0))
    ]
    whole = parts[0] + parts[1]
    np.testing.assert_allclose(at_end(found, "demand"), np.quantile(whole, QUANTILES), rtol=1e-12)
    summed = at_end(found, "demand", 1) + at_end(found, "demand", 2)
    assert summed[2] - at_end(found, "demand")[2] > 5
    short = whole - 520
    np.testing.assert_allclose(at_end(found, "chance_of_shortfall"), (short > 0).mean())
    np.testing.assert_allclose(at_end(found, "expected_shortfall"), short.clip(0).mean())
    apart = (parts[0] - 90).clip(0) + (parts[1] - 430).clip(0)
    np.testing.assert_allclose(at_end(found, "chance_of_cell_shortfall"), (apart > 0).mean())
    np.testing.assert_allclose(at_end(found, "expected_cell_shortfall"), apart.mean())
    quantiles = quantiles_of(apart, QUANTILES)
    np.testing.assert_allclose(at_end(found, "cell_shortfall"), quantiles, rtol=1e-12)
    parts[1][MANY // 2] += 10_000
    short = parts[0] + parts[1] - 520
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(at_end(found, "expected_shortfall"), short.clip(0).mean())


def test_another_district_changes_no_bit_of_a_district() -> None:
    errors = normal_errors(0.1, shared=0.05)
    births = BirthShocks(0.05, 0.02)
    both = central({"A": [100.0], "B": [400.0]}, {"A": [90.0], "B": [430.0]}, born=0.0)
    alone = central({"A": [100.0]}, {"A": [90.0]}, born=0.0)
    one = drawn(alone, errors, births=births, trajectories=300)
    other = drawn(both, errors, births=births, trajectories=300)
    np.testing.assert_array_equal(one.cells[..., 0], other.cells[..., 0])
    for name in (*CHANCES, "pupils", "demand", "cell_shortfall", "cell_surplus"):
        np.testing.assert_array_equal(at_end(one, name, 1), at_end(other, name, 1))
    changed = central({"A": [100.0 + 1e-9]}, {"A": [90.0]}, born=0.0)
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        np.testing.assert_array_equal(
            drawn(changed, errors, births=births, trajectories=300).cells, one.cells
        )


# The front door.

STANDING = {"A": 2020.0, "B": 850.0}


@pytest.fixture(scope="module")
def inputs() -> pf.Inputs:
    return two_districts(places=places_of(STANDING))


@pytest.fixture(scope="module")
def result(inputs: pf.Inputs) -> Forecast:
    return pf.forecast(inputs, trajectories=200, quantiles=(0.025, 0.5, 0.9), seed=1)


def assert_same_figures(one: Forecast, other: Forecast) -> None:
    """Check that the tables that both forecasts have agree to the last bit."""
    for name, table in one.tables().items():
        again = other.tables()[name]
        pd.testing.assert_frame_equal(table, again, check_exact=True, obj=name)


def without_companions(result: Forecast, like: Forecast) -> dict[str, pd.DataFrame]:
    return {
        name: table[list(like.tables()[name].columns)]
        for name, table in result.tables().items()
        if name not in {"coverage", "notes"}
    }


def test_the_central_run_does_not_know_of_trajectories(inputs: pf.Inputs, result: Forecast) -> None:
    plain = pf.forecast(inputs)
    assert_same_figures(plain, pf.forecast(inputs, trajectories=0, quantiles=(0.3,), seed=5))
    assert not any("_p" in c or "chance" in c for t in plain.tables().values() for c in t.columns)
    kept = without_companions(result, plain)
    assert set(kept) == {*ORDERED, "children", "places"} | set(ACCOUNTS) & set(plain.tables())
    for name, table in kept.items():
        pd.testing.assert_frame_equal(table, plain.tables()[name], check_exact=True)
    changed = with_cell_changed(kept["balance"], "demand", 1e-9)
    with pytest.raises(AssertionError, match="are different"):
        pd.testing.assert_frame_equal(changed, plain.tables()["balance"], check_exact=True)


def test_companions_are_named_after_their_quantile(result: Forecast) -> None:
    for name, values in ORDERED.items():
        columns = [c for c in result.tables()[name].columns if "_p" in c]
        wanted = {f"{value}_{end}" for value in values for end in ("p2_5", "p50", "p90")}
        assert set(columns) == wanted
    assert result.balance is not None
    assert list(result.balance.columns[-7:]) == [*CHANCES, "chance_of_warning"]
    assert set(CHANCES).isdisjoint(result.stages.columns)


def assert_ordered(name: str, table: pd.DataFrame) -> None:
    for value in ORDERED[name]:
        low, middle, high = (table[f"{value}_{end}"] for end in ("p2_5", "p50", "p90"))
        assert (low <= middle).all(), f"{name}: {value}_p2_5 above {value}_p50"
        assert (middle <= high).all(), f"{name}: {value}_p50 above {value}_p90"


def test_quantiles_are_ordered(result: Forecast) -> None:
    for name in ORDERED:
        table = result.tables()[name]
        assert_ordered(name, table)
        changed = with_cell_changed(table, f"{ORDERED[name][-1]}_p50", 1e6)
        with pytest.raises(AssertionError, match="_p50 above"):
            assert_ordered(name, changed)
    later = result.pupils[result.pupils["year"] > result.launch_year]
    assert (later["pupils_p2_5"] < later["pupils_p90"]).all()


def test_the_launch_year_is_as_counted(result: Forecast) -> None:
    for name, values in ORDERED.items():
        table = result.tables()[name]
        rows = table[table["year"] == result.launch_year]
        for value in values:
            for end in ("p2_5", "p50", "p90"):
                np.testing.assert_allclose(rows[f"{value}_{end}"], rows[value], rtol=1e-12)


def assert_adds_up(stages: pd.DataFrame) -> None:
    """Check that C is A and B in the central run, and never more uncertain than both."""
    by_name = {str(name): rows.sort_values("year") for name, rows in stages.groupby("district")}
    for value in ("pupils", "demand"):
        whole, one, other = (by_name[name][value].to_numpy() for name in ("C", "A", "B"))
        np.testing.assert_allclose(whole, one + other, rtol=1e-12, err_msg=f"{value} of C")
        high = {name: rows[f"{value}_p90"].to_numpy() for name, rows in by_name.items()}
        assert (high["C"] <= high["A"] + high["B"] + 1e-6).all()


def test_stages_add_up(result: Forecast) -> None:
    assert_adds_up(result.stages)
    with pytest.raises(AssertionError, match="demand of C"):
        assert_adds_up(with_cell_changed(result.stages, "demand"))
    cells = result.demand.groupby(["district", "year"])["demand"].sum()
    leaves = result.stages[result.stages["district"] != "C"].set_index(["district", "year"])
    np.testing.assert_allclose(leaves["demand"].sort_index(), cells.sort_index(), rtol=1e-12)


def test_balance_and_stages_tell_the_same(result: Forecast) -> None:
    """A low balance is a high demand from the other side, so with 0.5 there is one to compare."""
    assert result.balance is not None
    assert result.places is not None
    both = result.balance[result.balance["plan_case"] == "planned"].merge(
        result.stages, on=["district", "year", "stage", "ledger"], suffixes=("", "_of_stages")
    )
    assert len(both) == 3 * 4
    for end in ("p2_5", "p50", "p90"):
        np.testing.assert_array_equal(both[f"demand_{end}"], both[f"demand_{end}_of_stages"])
        over = (both[f"demand_{end}"] - both["places"]).clip(lower=0)
        np.testing.assert_allclose(both[f"shortfall_{end}"], over, atol=1e-9)
    np.testing.assert_allclose(both["balance_p50"], both["places"] - both["demand_p50"])
    assert both["chance_of_shortfall"].between(0, 1).all()
    assert (both["chance_of_cell_shortfall"] >= both["chance_of_shortfall"]).all()
    assert (both["expected_cell_shortfall"] >= both["expected_shortfall"] - 1e-9).all()


def test_the_same_seed_gives_the_same_bits_and_another_one_others(
    inputs: pf.Inputs, result: Forecast
) -> None:
    asked = (0.025, 0.5, 0.9)
    again = pf.forecast(inputs, trajectories=200, quantiles=asked, seed=1)
    assert_same_figures(result, again)
    other = pf.forecast(inputs, trajectories=200, quantiles=asked, seed=2)
    with pytest.raises(AssertionError, match="are different"):
        assert_same_figures(result, other)
    later = result.pupils["year"] > result.launch_year
    for end in ("p2_5", "p90"):
        column = f"pupils_{end}"
        assert (result.pupils[column] != other.pupils[column])[later].all()


@pytest.mark.parametrize("quantiles", [(), (0.0, 0.5), (0.5, 1.0), (-0.1,), (10.0, 50.0, 90.0)])
def test_quantiles_outside_nought_and_one_are_refused(
    inputs: pf.Inputs, quantiles: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="quantiles must lie between 0 and 1, not"):
        pf.forecast(inputs, trajectories=10, quantiles=quantiles)


def test_quantiles_and_seed_come_from_the_settings() -> None:
    plain = two_districts()
    run = Run(quantiles=(0.25,), seed=7)
    settings = plain.settings.model_copy(update={"run": run})
    own = replace(plain, settings=settings)
    result = pf.forecast(own, trajectories=20)
    assert [c for c in result.pupils.columns if "_p" in c] == ["pupils_p25"]
    asked = pf.forecast(plain, trajectories=20, quantiles=(0.25,), seed=7)
    pd.testing.assert_frame_equal(result.pupils, asked.pupils, check_exact=True)
