"""Forecasts with trajectories, as users call them, held against what can be worked out by hand."""

from __future__ import annotations

from math import atan, exp, log, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TREE, places_of, two_districts
from schools import grades, pupils, region, with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.chain.record import Forecast

MANY = 4000
SURE = 4.0
"""Standard errors that a mean over trajectories may lie off: one in 16,000 does by chance."""


# The mean over trajectories.


def planned(result: Forecast) -> pd.DataFrame:
    """Return the balance of the plan after the launch."""
    assert result.balance is not None
    here = (result.balance["plan_case"] == "planned") & (
        result.balance["year"] > result.launch_year
    )
    return result.balance[here].reset_index(drop=True)


def assert_mean_is_central(balance: pd.DataFrame) -> None:
    """Check mean demand: with one place, the expected shortfall and that place.

    The standard error is that of a normal distribution with the interval's width, over the root of
    the number of trajectories.
    """
    mean = balance["expected_shortfall"] + 1
    error = (balance["demand_p90"] - balance["demand_p10"]) / (2 * 1.2816) / sqrt(MANY)
    assert (error > 0).all()
    off = ((mean - balance["demand"]) / error).abs()
    np.testing.assert_allclose(off, 0, atol=SURE, err_msg="standard errors off")


def test_the_mean_over_trajectories_meets_the_central_run() -> None:
    """Of two districts and their parent, in every year; cohorts of the last are not yet born."""
    inputs = two_districts(places=places_of({"A": 1.0, "B": 1.0}))
    result = pf.forecast(inputs, horizon=8, trajectories=MANY, seed=3)
    # The parent has two places: one of them is added here, so that all three have one.
    balance = planned(result).assign(
        expected_shortfall=lambda table: table["expected_shortfall"] + (table["district"] == "C")
    )
    assert set(balance["district"]) == {"A", "B", "C"}
    assert balance["share_born"].min() < 1
    assert_mean_is_central(balance)
    width = (balance["demand_p90"] - balance["demand_p10"]).iloc[len(balance) // 2]
    with pytest.raises(AssertionError, match="standard errors off"):
        assert_mean_is_central(with_cell_changed(balance, "expected_shortfall", width / 10))


# The chance and the size of a shortage: one district, one grade, one past launch.

FREEDOM = 5
"""Degrees of freedom of the shock that all districts share."""
MISSED = 0.02
"""Log error of the one launch that has an outcome: 100 pupils were forecast, and more came."""
SPREAD = MISSED * sqrt(1 + 2 / 1)
"""Widened for the one launch that it is learnt from."""
CENTRAL = 100 * exp(MISSED)
ONE_GRADE = grades(("P1", "primary", 1, 6, 1, "population"))


def tail(k: float) -> float:
    """Return the chance that Student's t with five degrees of freedom exceeds k: a closed form."""
    angle = atan(k / sqrt(FREEDOM))
    cos = np.cos(angle)
    return float(0.5 - (angle + np.sin(angle) * cos * (1 + 2 / 3 * cos**2)) / pi)


def loss(k: float) -> float:
    """Return the mean of the excess of Student's t with five degrees of freedom over k."""
    density = 8 / (3 * pi * sqrt(FREEDOM)) * (1 + k**2 / FREEDOM) ** (-(FREEDOM + 1) / 2)
    return float((FREEDOM + k**2) / (FREEDOM - 1) * density - k * tail(k))


def test_the_closed_forms_themselves() -> None:
    """Against tables of Student's t: 2.015 has 5 % above it, 2.571 has 2.5 %."""
    assert [tail(0.0), tail(2.015048), tail(2.570582)] == pytest.approx([0.5, 0.05, 0.025])
    steps = np.linspace(0.7, 60, 200_001)
    summed = np.trapezoid([tail(float(k)) for k in steps[::100]], steps[::100])
    assert loss(0.7) == pytest.approx(summed, rel=1e-4)


def one_district(standing: float) -> dict[Any, Any]:
    """Return the balance at lead 1 of a district whose only launch missed by `MISSED`."""
    counted = pupils({"P1": [100.0, 100.0, CENTRAL]}, 2013)
    places = places_of({"A": standing})
    inputs = region(counted, grades=ONE_GRADE, horizon=1, places=places)
    result = pf.forecast(inputs, model="naive", trajectories=MANY, seed=2)
    (source,) = result.notes.loc[result.notes["topic"] == "intervals", "text"].tolist()
    assert source == f"{MANY} trajectories, seed 2, from 1 own launches up to 2014"
    (row,) = planned(result).to_dict("records")
    assert row["demand"] == pytest.approx(CENTRAL, rel=1e-12)
    return row


def assert_closed_forms(row: Mapping[Any, Any], standing: float) -> None:
    """Check chance and size of the shortage within the sampling error.

    A shortage starts where the shock passes `k`; the mean of the log-normal-like multiplier, which
    is divided out, is near 1 + spread²/2. What the straight line leaves of the exponential is of
    second order: below pupils times spread².
    """
    variance = FREEDOM / (FREEDOM - 2)
    k = (log(standing / CENTRAL) + SPREAD**2 / 2) / SPREAD * sqrt(variance)
    chance = tail(k)
    error = SURE * sqrt(chance * (1 - chance) / MANY)
    second = CENTRAL * SPREAD**2
    found = [row["chance_of_shortfall"], row["chance_of_cell_shortfall"]]
    np.testing.assert_allclose(found, chance, atol=error, err_msg="chance")
    short = CENTRAL * SPREAD / sqrt(variance) * loss(k)
    error = SURE * CENTRAL * SPREAD / sqrt(MANY)
    found = [row["expected_shortfall"], row["expected_cell_shortfall"]]
    np.testing.assert_allclose(found, short, atol=error + second, err_msg="expected")


@pytest.mark.parametrize("standing", [97.0, 102.0, 104.0, 108.0])
def test_the_chance_and_the_size_of_a_shortage_meet_their_closed_forms(standing: float) -> None:
    row = one_district(standing)
    assert_closed_forms(row, standing)
    for name, by in (("chance_of_shortfall", 0.05), ("expected_cell_shortfall", 0.6)):
        changed = {**row, name: row[name] + by}
        with pytest.raises(AssertionError, match=name.split("_", maxsplit=1)[0]):
            assert_closed_forms(changed, standing)


# Another district beside it.


def beside(numbers: Mapping[str, float]) -> Forecast:
    """Return a forecast of districts below C, given assumptions and the shipped errors.

    Two years of pupils leave no past launch to learn from, so all draw from the same pool.
    """
    counted = pd.concat(
        [
            pupils({"P1": [number, number + 3.0]}, 2023, district)
            for district, number in numbers.items()
        ],
        ignore_index=True,
    )
    tree = TREE[TREE["district"].isin(["C", *numbers])]
    places = places_of(dict.fromkeys(numbers, 102.0), 2024)
    inputs = region(counted, grades=ONE_GRADE, horizon=12, districts=tree, places=places)
    ratio = pd.DataFrame({"year": range(2025, 2037), "grade": "P1", "ratio": 1.02})
    intake = pd.concat([ratio.assign(district=name, basis="births") for name in numbers])
    born = pd.concat(
        pd.DataFrame(
            {
                "district": name,
                "year": range(2010, 2031),
                "births": 100.0,
                "share_born": [1.0] * 15 + [0.0] * 6,
            }
        )
        for name in numbers
    )
    assumptions = pf.Assumptions(births=born, intake=intake, places=places, grades=ONE_GRADE)
    result = pf.forecast(inputs, assumptions=assumptions, trajectories=60, seed=5)
    (source,) = result.notes.loc[result.notes["topic"] == "intervals", "text"].tolist()
    assert source.endswith("the shipped error table: the region has no past launch with an outcome")
    return result


def of_a(result: Forecast) -> dict[str, pd.DataFrame]:
    """Return the rows of district A of every table with companions."""
    tables = result.tables()
    names = ("pupils", "demand", "stages", "balance_cells", "balance")
    return {
        name: tables[name][tables[name]["district"] == "A"].reset_index(drop=True) for name in names
    }


def assert_same_bits(one: Forecast, other: Forecast) -> None:
    for name, table in of_a(one).items():
        assert any(str(column).endswith("_p90") for column in table), name
        pd.testing.assert_frame_equal(table, of_a(other)[name], check_exact=True, obj=name)


def test_a_district_does_not_change_when_another_is_added() -> None:
    alone = beside({"A": 98.0})
    for both in (beside({"A": 98.0, "B": 3.0}), beside({"B": 40_000.0, "A": 98.0})):
        assert_same_bits(alone, both)
        assert set(both.stages["district"]) == {"A", "B", "C"}
    balance = of_a(alone)["balance"]
    assert balance["chance_of_shortfall"].between(0, 1, inclusive="neither").any()
    with pytest.raises(AssertionError, match="are different"):
        assert_same_bits(alone, beside({"A": 98.0 + 1e-9, "B": 3.0}))
