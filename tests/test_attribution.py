"""Why two scenarios differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.attribution.swap import Side, Swap
from placeforecast.attribution.waterfall import COLUMNS, STEPS
from placeforecast.scenarios.choose import shipped_scenarios
from schools import SIMPLE, grades, pupils, region, with_cell_changed
from sides import BOTH, forecast_of_both

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast


@pytest.fixture(scope="module")
def small() -> Forecast:
    return forecast_of_both()


def changes_of(steps: pd.DataFrame, value: str, year: int) -> dict[str, float]:
    rows = steps[(steps["value"] == value) & (steps["year"] == year)]
    assert list(rows["step"]) == list(STEPS)
    return {k: v for k, v in zip(rows["step"], rows["change"], strict=True) if abs(v) > 1e-9}


def test_scenarios_stand_side_by_side(small: Forecast) -> None:
    """P1 of 2025 has 120 for 110 pupils; with 0.2 kept free 230 pupils need 287.5 places."""
    table = pf.compare_scenarios(small, stage="primary", year=2025, ledger="all")
    assert list(table.columns) == [
        *("district", "stage", "year", "ledger", "plan_case", "scenario"),
        *("pupils", "demand", "places", "balance", "change"),
    ]
    assert table["scenario"].tolist() == ["baseline", "both", "entry"]
    assert table["pupils"].tolist() == pytest.approx([220, 230, 230])
    assert table["demand"].tolist() == pytest.approx([220, 287.5, 230])
    assert table["balance"].tolist() == pytest.approx([80, 12.5, 70])
    assert table["change"].tolist() == pytest.approx([0, -67.5, -10])


def test_every_row_of_the_balance_is_compared_once(small: Forecast) -> None:
    table = pf.compare_scenarios(small, ledger="all")
    assert small.balance is not None
    own = small.balance.query("ledger == 'all' and plan_case == 'planned'")
    keys = ["scenario", "district", "stage", "year"]
    left, right = (t.set_index(keys)["balance"].sort_index() for t in (table, own))
    pd.testing.assert_series_equal(left, right)
    assert (table.loc[table["scenario"] == "baseline", "change"] == 0).all()
    assert table["scenario"].tolist() == ["baseline", "both", "entry"] * (len(table) // 3)


def test_trajectories_add_the_chance_of_a_shortfall() -> None:
    result = forecast_of_both(trajectories=30, seed=1)
    table = pf.compare_scenarios(result, year=2026, ledger="all")
    assert table.columns[-1] == "chance_of_shortfall"
    assert result.balance is not None
    own = result.balance.query("ledger == 'all' and plan_case == 'planned' and year == 2026")
    keys = ["scenario", "stage"]
    left, right = (t.set_index(keys)["chance_of_shortfall"].sort_index() for t in (table, own))
    pd.testing.assert_series_equal(left, right)


def test_the_steps_between_two_scenarios(small: Forecast) -> None:
    """As between two rounds: entry moves P1 by 10 pupils, worth 10 or 12.5 places."""
    steps = pf.attribute_scenarios(small, b="both", stage="primary", ledger="all")
    assert list(steps.columns) == COLUMNS
    moved = {"entry": 11.25, "standards": 56.25}
    assert changes_of(steps, "demand", 2025) == pytest.approx(moved)
    moved = {"entry": -11.25, "standards": -56.25}
    assert changes_of(steps, "balance", 2025) == pytest.approx(moved)
    assert_adds_up(steps)
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        assert_adds_up(with_cell_changed(steps, "change", 1e-6))


def assert_adds_up(steps: pd.DataFrame) -> None:
    np.testing.assert_allclose(steps["from"] + steps["change"], steps["to"], rtol=0, atol=1e-9)
    for _, rows in steps.groupby(["value", "district", "stage", "year"]):
        np.testing.assert_array_equal(rows["to"].to_numpy()[:-1], rows["from"].to_numpy()[1:])
        whole = rows["to"].iloc[-1] - rows["from"].iloc[0]
        np.testing.assert_allclose(rows["change"].sum(), whole, rtol=0, atol=1e-9)


def test_the_way_back_is_the_same_way(small: Forecast) -> None:
    there = pf.attribute_scenarios(small, "baseline", "both", ledger="all")
    back = pf.attribute_scenarios(small, "both", "baseline", ledger="all")
    np.testing.assert_allclose(there["change"], -back["change"], rtol=0, atol=1e-9)


def test_two_scenarios_beside_the_baseline(small: Forecast) -> None:
    """Both enter alike, so that only the standard is left: a quarter of 230."""
    steps = pf.attribute_scenarios(small, "entry", "both", year=2025, ledger="all")
    assert changes_of(steps, "demand", 2025) == pytest.approx({"standards": 57.5})


def test_the_only_scenario_need_not_be_named(small: Forecast) -> None:
    inputs = small.inputs
    one = pf.forecast(inputs, scenarios=BOTH.query("scenario == 'entry'"))
    steps = pf.attribute_scenarios(one, ledger="all", year=2025)
    assert changes_of(steps, "demand", 2025) == pytest.approx({"entry": 10})
    with pytest.raises(ValueError, match="name the scenario b: the forecast has both, entry"):
        pf.attribute_scenarios(small, ledger="all")
    with pytest.raises(ValueError, match="the forecast has none beside the baseline"):
        pf.attribute_scenarios(pf.forecast(inputs), ledger="all")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"stage": "primry"}, "no stage 'primry' in the forecast. Did you mean 'primary'"),
        ({"district": "B"}, "no district 'B' in the forecast. Known: A"),
        ({"year": 2050}, "no year 2050 in the forecast. It has 2024-2027"),
        ({"ledger": "publc"}, "no ledger 'publc' in the forecast."),
        ({"case": "built"}, "no plan case 'built' in the forecast."),
    ],
)
def test_strangers_are_refused(small: Forecast, asked: dict[str, Any], message: str) -> None:
    asked = {"ledger": "all", **asked}
    with pytest.raises(ValueError, match=message):
        pf.compare_scenarios(small, **asked)
    with pytest.raises(ValueError, match=message):
        pf.attribute_scenarios(small, b="both", **asked)
    cell = {"district": "A", "stage": "primary", "year": 2025, **asked}
    with pytest.raises(ValueError, match=message):
        pf.tornado(small, **cell)


def test_an_unknown_scenario_and_a_lacking_balance_are_refused(small: Forecast) -> None:
    with pytest.raises(ValueError, match=r"no scenario 'entri' in the forecast\. Did you mean"):
        pf.attribute_scenarios(small, b="entri", ledger="all")
    with pytest.raises(ValueError, match="its inputs have no table of places"):
        pf.compare_scenarios(replace(small, balance=None), ledger="all")
    with pytest.raises(ValueError, match="give the whole forecast"):
        pf.tornado(small.of("entry"), "A", "primary", 2025, ledger="all")


def test_places_that_limit_who_enters_move_demand() -> None:
    """0.6 of 100 graduates, and 50 places, then 30: demand follows the plan."""
    system = grades(
        ("J3", "junior", 1, 14, 1, "population"),
        ("S1", "senior_general", 2, 15, 1, "J3"),
        ("V1", "senior_vocational", 2, 15, 1, "J3"),
    )
    years = {"J3": [100.0] * 5, "S1": [50.0] * 5, "V1": [40.0] * 5}
    places = pd.DataFrame(
        {
            "district": "A",
            "year": 2025,
            "stage": ["junior", "senior_general", "senior_vocational"],
            "places": [100.0, 50.0, 80.0],
        }
    )
    policy = pd.DataFrame(
        {
            "indicator": ["senior_general_share", "senior_mode"],
            "stage": "senior_general",
            "year": 2026,
            "value": pd.Series([0.6, "capacity_limited"], dtype=object),
        }
    )
    inputs = region(pupils(years, 2021), grades=system, policy=policy, places=places)
    fewer = {"scenario": "fewer", "table": "places", "stage": "senior_general", "multiply": 0.6}
    result = pf.forecast(inputs, model=SIMPLE, scenarios=pd.DataFrame([fewer]))
    steps = pf.attribute_scenarios(result, stage="senior_general", year=2027, ledger="all")
    assert changes_of(steps, "demand", 2027) == pytest.approx({"plan": -20})
    assert changes_of(steps, "balance", 2027) == {}


# The example city.

SHIPPED = ("births_low", "general_70_by_2030", "plan_two_years_late", "class_of_35")


@pytest.fixture(scope="module")
def city() -> Forecast:
    known = shipped_scenarios("cn-6-3-3")
    own = pd.DataFrame(
        {
            "scenario": "fewer_come",
            "table": ["migration", "intake", "policy"],
            "indicator": [None, None, "senior_general_share"],
            "multiply": [0.5, 0.98, 0.9],
        }
    )
    asked = pd.concat([known[known["scenario"].isin(SHIPPED)], own])
    inputs = replace(pf.load_example("city"), neighbours=None)  # relief is not looked at
    return pf.forecast(inputs, scenarios=asked, horizon=5)


MOVED: dict[str, set[str]] = {
    "births_low": {"births"},
    "general_70_by_2030": set(),  # the city's own path reaches 0.7 in 2030
    "plan_two_years_late": {"plan"},
    "class_of_35": {"plan"},
    "fewer_come": {"migration", "entry", "policy"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("births_low", "kindergarten"),
        ("general_70_by_2030", "senior_general"),
        ("plan_two_years_late", "junior"),
        ("class_of_35", "compulsory"),
        ("fewer_come", "kindergarten"),
        ("fewer_come", "senior_general"),
    ],
)
def test_no_scenario_of_the_city_is_left_to_the_method(
    city: Forecast, name: str, stage: str
) -> None:
    steps = pf.attribute_scenarios(city, "baseline", name, stage=stage, year=2030)
    method = steps.loc[steps["step"] == "method", "change"]
    np.testing.assert_allclose(method, 0, rtol=0, atol=1e-6)
    assert_adds_up(steps)
    moved = set(steps.loc[steps["change"].abs() > 1e-6, "step"])
    assert moved <= MOVED[name]
    assert bool(moved) == bool(MOVED[name])


@pytest.mark.slow
def test_the_migration_of_a_scenario_moves_pupils(city: Forecast) -> None:
    """Without the assumptions that the scenario changes, its pupils are not found again."""
    one = city.of("fewer_come")
    found = []
    for before in (city.assumptions, None):
        side = Side.of(one, before=before)
        swap = Swap(side, side, 2030, 2030, ("junior",), "public", "planned")
        demand, _ = swap.figures(frozenset())
        found.append(demand.loc[demand["district"] == "CITY", "demand"].sum())
    own = one.stages.query(
        "district == 'CITY' and stage == 'junior' and ledger == 'public' and year == 2030"
    )
    assert found[0] == pytest.approx(own["demand"].iloc[0], abs=1e-6)
    assert abs(found[1] - found[0]) > 100
