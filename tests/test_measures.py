"""Measures of a back-test by hand, the choice of models, and English authorities."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.evaluation.measures import measures
from placeforecast.evaluation.page import in_percent
from placeforecast.evaluation.select import select_models
from schools import SIMPLE, grades, pupils, region, with_cell_changed

ROOT = Path(__file__).parents[1]


def rows() -> pd.DataFrame:
    """Return four forecasts of a model and of naive for one stage, with wide intervals."""
    forecast = {"ours": [110.0, 95.0, 210.0, 300.0], "naive": [120.0, 90.0, 220.0, 280.0]}
    parts = [
        pd.DataFrame(
            {
                "model": model,
                "launch_year": [2015, 2015, 2016, 2016],
                "lead": [1, 2, 1, 2],
                "grade": "",
                "forecast": numbers,
                "actual": [100.0, 100.0, 200.0, 400.0],
            }
        )
        for model, numbers in forecast.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    table["error"] = table["forecast"] - table["actual"]
    table["ape"] = table["error"].abs() / table["actual"]
    for end, times in (("2_5", 0.8), ("10", 0.92), ("50", 1.0), ("90", 1.08), ("97_5", 1.5)):
        table[f"forecast_p{end}"] = table["forecast"] * times
    table["places"] = [105.0, 97.0, np.nan, 350.0] * 2
    return table


def of(table: pd.DataFrame, model: str = "ours") -> dict[str, Any]:
    return {str(k): v for k, v in table.set_index("model").loc[model].items()}


def assert_ours(found: dict[str, Any]) -> None:
    """Check the measures of our four rows: errors 10, -5, 10 and -100 of 800 pupils.

    The interval of 80 % is 101.2-118.8, 87.4-102.6, 193.2-226.8 and 276-324: two of four hold
    100, 100, 200 and 400. That of 95 % holds all: 88-165, 76-142.5, 168-315 and 240-450.
    """
    expected = {
        "mape": (0.10 + 0.05 + 0.05 + 0.25) / 4,
        "wape": 125 / 800,
        "bias": -85 / 800,
        "coverage_80": 2 / 4,
        "coverage_95": 1.0,
        "width_80": 0.16,
        "width_95": 0.70,
        "hit_rate": 0 / 2,  # 100 for 97 places was missed, and 400 for 350
        "false_alarm_rate": 1 / 1,  # 110 said and 100 came, for 105
        "launches": 2,
        "rows": 4,
        "skill": 1 - 125 / (20 + 10 + 20 + 120),
    }
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, rtol=1e-12, err_msg=name)


def test_measures_by_hand() -> None:
    table = measures(rows(), ["model"])
    assert list(table["model"]) == ["naive", "ours"]
    assert_ours(of(table))
    assert of(table, "naive")["skill"] == 0
    for value in ("actual", "ape", "error", "forecast_p10", "forecast_p97_5"):
        ours = with_cell_changed(rows().iloc[:4], value, 500.0)
        both = measures(pd.concat([ours, rows().iloc[4:]]), ["model"])
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_ours(of(both))
    roomy = measures(rows().assign(places=1000.0), ["model"])
    assert of(roomy)["false_alarm_rate"] == 0
    assert np.isnan(of(roomy)["hit_rate"])


def test_pinball_loss_by_hand() -> None:
    """One row of 100: quantiles 80, 90, 100, 120 and 90 (an upside-down one) lose by their side."""
    ends = ("p2_5", "p10", "p50", "p90", "p97_5")
    given = dict(zip([f"forecast_{end}" for end in ends], (80, 90, 105, 120, 90), strict=True))
    row = rows().iloc[:1].assign(actual=100.0, **given)
    lost = 0.025 * 20 + 0.1 * 10 + 0.5 * 5 + 0.1 * 20 + 0.975 * 10
    np.testing.assert_allclose(measures(row, ["lead"])["pinball"], lost / 5 / 100, rtol=1e-12)


def test_too_many_is_a_positive_bias() -> None:
    table = rows().assign(error=lambda t: t["error"].abs())
    assert of(measures(table, ["model"]))["bias"] > 0
    assert of(measures(rows(), ["model"]))["bias"] < 0


def test_skill_is_against_naive_of_the_same_group() -> None:
    skill = measures(rows(), ["model", "lead"]).set_index(["model", "lead"])["skill"]
    np.testing.assert_allclose(skill["ours", 1], 1 - 20 / 40)
    np.testing.assert_allclose(skill["ours", 2], 1 - 105 / 130)
    other = measures(rows(), ["lead", "launch_year", "model"])
    np.testing.assert_allclose(other.query("model == 'naive'")["skill"], 0.0, atol=1e-15)
    assert "skill" not in measures(rows(), ["lead"]).columns


def test_rows_without_an_interval_or_places_do_not_count() -> None:
    table = rows().assign(places=np.nan)
    ends = [name for name in table.columns if name.startswith("forecast_p")]
    table.loc[table["launch_year"] == 2016, ends] = np.nan
    found = of(measures(table, ["model"]))
    np.testing.assert_allclose(found["coverage_80"], 1 / 2)
    np.testing.assert_allclose(found["width_80"], 0.16)
    assert np.isnan([found["hit_rate"], found["false_alarm_rate"]]).all()
    without = of(measures(table.assign(**dict.fromkeys(ends, np.nan)), ["model"]))
    assert np.isnan([without[k] for k in ("pinball", "coverage_95", "width_95")]).all()
    np.testing.assert_allclose(without["wape"], 125 / 800)
    shown = in_percent(measures(table, ["model"])).set_index("model").loc["ours"]
    assert (shown["wape"], shown["coverage_80"]) == ("15.62", "50.00")


# The choice of a model.


@pytest.fixture(scope="module")
def steps() -> pf.Inputs:
    """Return pupils that go up and down by turns: 100 in even years, 110 in odd ones."""
    one_grade = grades(("P1", "primary", 1, 6, 1, "population"))
    counts = {"P1": [100.0 + 10 * (i % 2) for i in range(6)]}
    return region(pupils(counts, 2010), grades=one_grade)


def test_the_better_model_is_chosen_and_the_runner_up_kept(steps: pf.Inputs) -> None:
    """The last is always 10 off; the mean of three years, 103.3 or 106.7, two thirds of that."""
    launches = range(2012, 2015)
    table = select_models(steps, models=["naive", SIMPLE], launch_years=launches, horizon=1)
    assert list(table.columns) == ["stage", "model", "error", "launches", "chosen", "why"]
    assert list(table["model"]) == ["simple", "naive"]
    assert list(table["chosen"]) == [True, False]
    assert set(table["why"]) == {"best"}
    assert list(table["launches"]) == [3, 3]
    last = (10 / 110 + 10 / 100 + 10 / 110) / 3
    np.testing.assert_allclose(table["error"], [last * 2 / 3, last], rtol=1e-12)


def test_with_too_few_launches_the_first_model_stays(steps: pf.Inputs) -> None:
    asked = [2012, 2013]
    table = select_models(steps, models=["naive", SIMPLE], launch_years=asked, horizon=1)
    assert list(table["model"]) == ["naive", "simple"]
    assert list(table["chosen"]) == [True, False]
    assert set(table["why"]) == {"too few launches"}
    assert table["error"].iloc[0] > table["error"].iloc[1]


def test_the_first_model_stays_if_it_is_given_by_its_path(steps: pf.Inputs) -> None:
    table = select_models(steps, models=[SIMPLE], launch_years=[2012], horizon=1)
    assert list(table[table["chosen"]]["model"]) == ["simple"]


# English authorities: a smoke test, since what the intervals must hold is on the accuracy page.


@pytest.mark.slow
def test_intervals_of_english_authorities(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("england")
    make_region = runpy.run_path(str(ROOT / "data" / "make_england.py"))["make_region"]
    make_region(shared_data / "england_la_dev", folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)  # births not yet published
        inputs = pf.read_inputs(folder)
        errors = pf.backtest(inputs, launch_years=[2016, 2017], horizon=1, models=["default"])
    whole = errors[(errors["grade"] == "") & (errors["model"] == "default")]
    table = measures(whole, ["stage", "lead"]).set_index("stage").loc[["primary", "secondary"]]
    assert table["coverage_80"].between(0.6, 0.97).all()
    assert (table["coverage_95"] >= table["coverage_80"]).all()
    assert table["mape"].between(0.001, 0.03).all()
    assert list(table["rows"]) == [98, 98]
