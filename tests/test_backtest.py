"""Back-tests on a region whose ratios jump, so that every naive error is known by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TWO_GRADES, places_of, two_districts
from schools import SIMPLE, pupils, region, with_cell_changed

COLUMNS = [
    *("model", "launch_year", "year", "lead", "district", "stage", "grade"),
    *("forecast", "actual", "error", "ape", "share_born", "phase", "launches"),
    *("forecast_p2_5", "forecast_p10", "forecast_p50", "forecast_p90", "forecast_p97_5", "places"),
]
FIRST_GRADE = [100, 100, 110, 110, 120, 120, 90, 90]
"""Of 100 births; from 2010 on. The second grade are those of the year before."""

WANTED = {
    # launch, lead: forecast and actual of P1, of P2
    (2012, 1): (110, 110, 110, 110),
    (2012, 2): (110, 120, 110, 110),
    (2013, 1): (110, 120, 110, 110),
    (2013, 2): (110, 120, 110, 120),
    (2014, 1): (120, 120, 120, 120),
    (2014, 2): (120, 90, 120, 120),
    (2015, 1): (120, 90, 120, 120),
    (2015, 2): (120, 90, 120, 90),
}
"""A last ratio foresees what comes when nothing jumps; P2 at lead 1 is P1 of the launch."""


def jumps() -> pf.Inputs:
    counts = {"P1": FIRST_GRADE, "P2": [100, *FIRST_GRADE[:-1]]}
    places = pd.concat([places_of({"A": 225.0}, year) for year in range(2010, 2018)])
    return region(pupils(counts, 2010), grades=TWO_GRADES, places=places)


@pytest.fixture(scope="module")
def errors() -> pd.DataFrame:
    return pf.backtest(jumps(), launch_years=range(2012, 2016), horizon=2, models=["naive"])


def assert_by_hand(errors: pd.DataFrame) -> None:
    for (launch, lead), (first, came, second, came_too) in WANTED.items():
        rows = errors[(errors["launch_year"] == launch) & (errors["lead"] == lead)]
        rows = rows.set_index("grade").loc[["P1", "P2", ""]]
        message = f"{launch}, lead {lead}"
        forecast, actual = [first, second, first + second], [came, came_too, came + came_too]
        np.testing.assert_allclose(rows["forecast"], forecast, rtol=1e-12, err_msg=message)
        np.testing.assert_allclose(rows["actual"], actual, rtol=1e-12, err_msg=message)
        gap = np.subtract(forecast, actual)
        np.testing.assert_allclose(rows["error"], gap, atol=1e-9, err_msg=message)
        share = np.abs(gap) / actual
        np.testing.assert_allclose(rows["ape"], share, atol=1e-12, err_msg=message)
        assert (rows["year"] == launch + lead).all()


def test_naive_errors_by_hand(errors: pd.DataFrame) -> None:
    assert list(errors.columns) == COLUMNS
    assert len(errors) == 3 * len(WANTED)
    assert_by_hand(errors)
    assert set(errors["model"]) == {"naive"}
    assert set(errors["stage"]) == {"primary"}
    assert (errors["share_born"] == 1).all()
    for value in ("forecast", "actual", "error", "ape"):
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_by_hand(with_cell_changed(errors, value))


def test_phase_places_and_launches(errors: pd.DataFrame) -> None:
    """The stage is largest in 2015, with 240. Launch 2011 has outcomes from 2012 on."""
    after = errors["year"] > 2015
    assert (errors["phase"] == np.where(after, "after", "before")).all()
    whole = errors["grade"] == ""
    assert (errors.loc[whole, "places"] == 225).all()
    assert errors.loc[~whole, "places"].isna().all()
    assert (errors["launches"] == errors["launch_year"] - 2011).all()
    assert errors["forecast_p10"].notna().all()
    assert (errors["forecast_p2_5"] <= errors["forecast_p97_5"]).all()


def test_the_first_launch_has_no_interval() -> None:
    first = pf.backtest(jumps(), launch_years=[2011], horizon=1, models=["naive"])
    assert (first["launches"] == 0).all()
    assert first.filter(like="forecast_p").isna().all(axis=None)


def assert_same_forecasts(one: pd.DataFrame, other: pd.DataFrame) -> None:
    kept = [name for name in COLUMNS if name.startswith("forecast")]
    kept += ["model", "launch_year", "lead", "district", "grade", "share_born", "launches"]
    pd.testing.assert_frame_equal(one[kept], other[kept], check_exact=True)


def test_a_launch_uses_nothing_later() -> None:
    """Pupils, births and places after the launch times 10: the same to the last bit."""
    standing = pd.concat([places_of({"A": 2000.0, "B": 850.0}, y) for y in (2013, 2016, 2017)])
    inputs, launch = two_districts(places=standing), 2016
    launches = [launch - 1, launch]

    def at_launch(of: pf.Inputs) -> pd.DataFrame:
        table = pf.backtest(of, launch_years=launches, horizon=2, models=["pooled"])
        return table[table["launch_year"] <= launch]

    def spoilt(after: int) -> pf.Inputs:
        tables = {}
        for name, value in (("enrolment", "pupils"), ("births", "births"), ("places", "places")):
            table = getattr(inputs, name)
            factor = np.where(table["year"] > after, 10.0, 1.0)
            tables[name] = table.assign(**{value: table[value] * factor})
        return replace(inputs, **tables)

    true = at_launch(inputs)
    assert set(true["model"]) == {"pooled", "naive"}
    assert_same_forecasts(true, at_launch(spoilt(launch)))
    with pytest.raises(AssertionError, match="are different"):
        assert_same_forecasts(true, at_launch(spoilt(launch - 1)))


def test_naive_is_always_there_and_a_path_is_named_by_its_folder() -> None:
    inputs = jumps()
    table = pf.backtest(inputs, launch_years=[2011], horizon=1, models=[Path(SIMPLE), SIMPLE])
    assert list(dict.fromkeys(table["model"])) == ["simple", "naive"]
    usual = pf.backtest(inputs, launch_years=[2011], horizon=1)
    assert list(dict.fromkeys(usual["model"])) == ["default", "naive"]


def test_the_figures_do_not_depend_on_the_number_of_processes() -> None:
    one, other = (
        pf.backtest(
            two_districts(), launch_years=[2014, 2015], horizon=2, models=["default"], jobs=jobs
        )
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert one.attrs == other.attrs
    changed = with_cell_changed(other, "forecast", 1e-9)
    with pytest.raises(AssertionError, match="are different"):
        pd.testing.assert_frame_equal(one, changed, check_exact=True)


def test_a_model_that_cannot_be_fitted_is_said_and_left_out() -> None:
    """A trend needs three ratios: of P2, which has the first in 2011, they are there in 2014."""
    table = pf.backtest(jumps(), launch_years=[2013, 2014], horizon=1, models=["trend"])
    fitted = table[table["model"] == "trend"]
    assert set(fitted["launch_year"]) == {2014}
    assert set(table[table["model"] == "naive"]["launch_year"]) == {2013, 2014}
    said = table.attrs["not_fitted"]
    assert said["naive"] == {}
    assert "enrolment: no year gives a ratio for A P2" in said["trend"][2013]
    assert list(said) == ["trend", "naive"]
    assert list(said["trend"]) == [2013], "launches that were not asked for are not listed"


def test_no_launch_is_refused() -> None:
    with pytest.raises(pf.InputError, match="launch_years: names no launch"):
        pf.backtest(jumps(), launch_years=[], horizon=1)


@pytest.mark.parametrize("launches", [[2010], [2017], [1990, 2030]])
def test_launches_without_an_outcome_are_refused(launches: list[int]) -> None:
    asked = ", ".join(map(str, launches))
    message = f"launch_years: have no outcome to compare with: {asked}. Give launches with two"
    with pytest.raises(pf.InputError, match=message):
        pf.backtest(jumps(), launch_years=launches, horizon=1, models=["naive"])


def test_an_empty_grade_has_no_percentage_error() -> None:
    counts = {"P1": [100.0] * 6, "P2": [100.0, 100.0, 100.0, 100.0, 0.0, 0.0]}
    table = pf.backtest(
        region(pupils(counts, 2010), grades=TWO_GRADES),
        launch_years=[2013],
        horizon=1,
        models=["naive"],
    )
    rows = table.set_index("grade")
    assert np.isnan(rows["ape"]["P2"])
    np.testing.assert_allclose(rows["error"]["P2"], 100.0)
    np.testing.assert_allclose(rows["ape"][""], 1.0)
