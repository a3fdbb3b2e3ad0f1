"""Scenarios run in one call: beside the baseline, with the same random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from schools import SIMPLE, by_year, pupils, region

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

TAUGHT = pupils({"P1": [90, 96, 93, 99, 95], "P2": [88, 91, 95, 92, 99]}, 2021)
BORN = by_year("births", [100] * 20, 2005, district="A")
STANDING = pd.DataFrame(
    {
        "district": "A",
        "year": 2025,
        "stage": "primary",
        "grade": ["P1", "P2"],
        "places": [90.0, 95.0],
    }
)


@pytest.fixture(scope="module")
def inputs() -> pf.Inputs:
    return region(TAUGHT, BORN, places=STANDING)


def run(inputs: pf.Inputs, scenarios: Any = None, **options: Any) -> Forecast:  # noqa: ANN401
    return pf.forecast(inputs, model=SIMPLE, scenarios=scenarios, horizon=3, **options)


def changes(**multiply: float) -> pd.DataFrame:
    rows = [(name, "intake", "P1", factor) for name, factor in multiply.items()]
    return pd.DataFrame(rows, columns=["scenario", "table", "grade", "multiply"])


def assert_same(one: Forecast, other: Forecast) -> None:
    for name, table in one.tables().items():
        if name not in ("notes", "coverage"):
            left, right = (
                t.drop(columns="scenario").reset_index(drop=True)
                for t in (table, other.tables()[name])
            )
            pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_no_changes_give_the_baseline_to_the_last_bit(inputs: pf.Inputs) -> None:
    both = run(inputs, changes(same=1.0, more=1.1), trajectories=60, seed=4)
    assert_same(both.of("same"), both.of("baseline"))
    assert_same(run(inputs, trajectories=60, seed=4), both.of())
    with pytest.raises(AssertionError, match="are different"):
        assert_same(both.of("more"), both.of("baseline"))


def test_each_result_has_a_column_scenario(inputs: pf.Inputs) -> None:
    both = run(inputs, changes(more=1.1, less=0.9))
    for name, table in both.tables().items():
        if name not in ("notes", "coverage") and len(table):
            assert list(dict.fromkeys(table["scenario"])) == ["baseline", "more", "less"], name
    entered = both.pupils.query("grade == 'P1' and year == 2026").set_index("scenario")["pupils"]
    np.testing.assert_allclose(entered["more"], 1.1 * entered["baseline"], rtol=1e-15)
    assert {"more: 1 changes", "less: 1 changes"} <= set(both.notes["text"])


def test_a_scenario_moves_every_trajectory_by_its_change(inputs: pf.Inputs) -> None:
    """The same random numbers: quantiles of the entry grade move by exactly the factor."""
    both = run(inputs, changes(more=1.1), trajectories=60, seed=4)
    columns = ["pupils", "pupils_p10", "pupils_p50", "pupils_p90"]
    rows = both.pupils.query("grade == 'P1' and year > 2025")
    more, base = (rows[rows["scenario"] == name][columns] for name in ("more", "baseline"))
    np.testing.assert_allclose(more.to_numpy(), 1.1 * base.to_numpy(), rtol=1e-12)


def test_scenarios_of_the_region_are_called_by_name() -> None:
    own = region(TAUGHT, BORN, places=STANDING, scenarios=changes(more=1.1))
    result = run(own, ["more"])
    assert set(result.stages["scenario"]) == {"baseline", "more"}
    with pytest.raises(pf.InputError, match=r"'many' is not a scenario\."):
        run(own, ["many"])


def test_a_scenario_called_by_name_follows_another() -> None:
    table = changes(more=1.1, much=1.2)
    table["after"] = pd.Series([None, "more"], dtype=object)
    result = run(region(TAUGHT, BORN, places=STANDING, scenarios=table), ["much"])
    entered = result.pupils.query("grade == 'P1' and year == 2026").set_index("scenario")["pupils"]
    np.testing.assert_allclose(entered["much"], 1.32 * entered["baseline"], rtol=1e-12)


def test_one_scenario_alone_holds_its_own_assumptions(inputs: pf.Inputs) -> None:
    both = run(inputs, changes(more=1.1))
    more = both.of("more")
    assert more.assumptions.intake is not None
    assert both.assumptions.intake is not None
    np.testing.assert_allclose(
        more.assumptions.intake["ratio"], 1.1 * both.assumptions.intake["ratio"], rtol=1e-15
    )
    assert_same(pf.forecast(inputs, assumptions=more.assumptions, horizon=3, model=SIMPLE), more)
    with pytest.raises(ValueError, match="there is no scenario 'many': baseline, more"):
        both.of("many")


def test_a_change_of_migration_reaches_children_counted_by_births() -> None:
    """On the example city: twice the gains of one zone bring children to every grade of it."""
    city = pf.load_example("city")
    row = {"scenario": "boom", "table": "migration", "column": "net_migration_rate"}
    more = pd.DataFrame([{**row, "district": "D08-U", "year_from": 2026, "multiply": 2.0}])
    result = pf.forecast(city, scenarios=more, horizon=3)
    cells = result.pupils.query("year == 2028").groupby(["scenario", "district", "grade"])["pupils"]
    sums = cells.sum().unstack("scenario")
    gained = sums["boom"] - sums["baseline"]
    assert (gained["D08-U"][[*(f"P{g}" for g in range(1, 7)), "J1", "J2", "J3"]] > 0).all()
    planned_by_the_city = ["S1", "S2", "S3", "V1", "V2", "V3"]
    others = gained.drop("D08-U", level="district").drop(planned_by_the_city, level="grade")
    np.testing.assert_allclose(others, 0.0, atol=1e-6)


def test_scenarios_start_from_the_changes_of_the_baseline(inputs: pf.Inputs) -> None:
    """Rows of ``baseline`` hold for every scenario, once, whether it follows it or not."""
    rows = [("baseline", 1.1, None), ("more", 1.2, None), ("too", 1.2, "baseline")]
    columns = ["scenario", "multiply", "after"]
    table = pd.DataFrame(rows, columns=columns).assign(table="intake", grade="P1")
    result = run(inputs, table)
    plain = run(inputs)
    first = {
        name: result.of(name).pupils.query("grade == 'P1' and year == 2026")["pupils"].iloc[0]
        for name in ("baseline", "more", "too")
    }
    start = plain.pupils.query("grade == 'P1' and year == 2026")["pupils"].iloc[0]
    np.testing.assert_allclose(
        [first["baseline"], first["more"], first["too"]], [1.1 * start, 1.32 * start, 1.32 * start]
    )
    for name in ("more", "too"):
        again = result.of(name).assumptions.intake
        assert again is not None
        np.testing.assert_allclose(
            again["ratio"].sum()
            / pf.estimate(inputs, model=SIMPLE, horizon=3).intake["ratio"].sum(),  # type: ignore[index]
            1.32,
        )
