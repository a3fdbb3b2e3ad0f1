"""Correction by the last known error, and a model of its own for each stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TWO_GRADES
from placeforecast.uncertainty.correction import try_shares
from placeforecast.uncertainty.replay import replay
from schools import pupils, ratios, region

if TYPE_CHECKING:
    from pathlib import Path

MODEL = """
name = "corrected"
[correction]
share = {share}
leads = {leads}
"""
STAGES = {"P1": "primary", "P2": "primary"}


def jumps() -> pf.Inputs:
    """Return 100 births a year, of whom 100 enter up to 2013 and 121 in 2014."""
    first = [100.0, 100.0, 100.0, 100.0, 121.0]
    counts = {"P1": first, "P2": [100.0] * 5}
    return region(pupils(counts, 2010), grades=TWO_GRADES)


def corrected(folder: Path, share: float, leads: int) -> pf.Inputs:
    (folder / "model.toml").write_text(MODEL.format(share=share, leads=leads), encoding="utf-8")
    return jumps()


def by_grade(result: object, year: int) -> list[float]:
    assert hasattr(result, "pupils")
    rows = result.pupils[result.pupils["year"] == year].set_index("grade")
    return list(rows.loc[["P1", "P2"], "pupils"])


def test_half_of_the_last_error_is_taken_off_the_next_lead_only(tmp_path: Path) -> None:
    """The launch of 2013 said 200 for 2014, and 221 came: half of it is its square root."""
    inputs = corrected(tmp_path, 0.5, 1)
    plain = pf.forecast(inputs, model="naive", horizon=2)
    result = pf.forecast(inputs, model=tmp_path, horizon=2)
    factor = np.sqrt(221 / 200)
    expected = [number * factor for number in by_grade(plain, 2015)]
    np.testing.assert_allclose(by_grade(result, 2015), expected, rtol=1e-12)
    np.testing.assert_allclose(by_grade(result, 2016), by_grade(plain, 2016), rtol=1e-12)
    np.testing.assert_allclose(by_grade(result, 2014), [121.0, 100.0], rtol=1e-12)
    notes = result.notes.set_index("topic")["text"]
    assert notes["correction"] == (
        "corrected by 0.5 of the last error (launch of 2013, replayed) up to lead 1: pupils of a "
        "stage change by +0.0 % to +5.1 %"
    )


def test_more_leads_are_corrected_when_asked_for(tmp_path: Path) -> None:
    inputs = corrected(tmp_path, 1.0, 2)
    plain = pf.forecast(inputs, model="naive", horizon=2)
    result = pf.forecast(inputs, model=tmp_path, horizon=2)
    expected = [number * 221 / 200 for number in by_grade(plain, 2016)]
    np.testing.assert_allclose(by_grade(result, 2016), expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:births. [0-9] rows are not yet published")
def test_a_back_test_corrects_as_the_forecast_does(tmp_path: Path) -> None:
    inputs = corrected(tmp_path, 1.0, 1)
    launched = pf.forecast(inputs, model=tmp_path, launch_year=2013, horizon=1)
    table = pf.backtest(inputs, launch_years=[2013], horizon=1, models=[tmp_path])
    own = table[(table["model"] == tmp_path.name) & (table["grade"] == "P1")]
    np.testing.assert_allclose(own["forecast"], by_grade(launched, 2014)[:1], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:births. [0-9] rows are not yet published")
def test_without_an_earlier_launch_nothing_is_corrected_and_that_is_said(tmp_path: Path) -> None:
    inputs = corrected(tmp_path, 0.5, 1)
    result = pf.forecast(inputs, model=tmp_path, launch_year=2011, horizon=1)
    plain = pf.forecast(inputs, model="naive", launch_year=2011, horizon=1)
    assert by_grade(result, 2012) == by_grade(plain, 2012)
    text = "not corrected: the launch a year before could not be replayed"
    assert text in list(result.notes["text"])


def test_shares_are_tried_on_pairs_of_launches() -> None:
    """Only 2013 misses lead 1 (200 said, 221 came); the launch before it was right."""
    table = try_shares(replay(jumps(), [2012, 2013], longest=1), ["primary"], STAGES)
    np.testing.assert_allclose(table["wape"], [21 / 221] * 5, rtol=1e-12)
    assert set(table["launches"]) == {1}


def test_each_stage_may_have_its_own_model() -> None:
    selection = pd.DataFrame(
        {
            "stage": ["primary", "primary"],
            "model": ["naive", "default"],
            "error": [0.01, 0.02],
            "launches": [4, 4],
            "chosen": [True, False],
            "why": "best",
        }
    )
    plain = pf.estimate(jumps(), model="default")
    chosen = pf.estimate(jumps(), model="default", selection=selection)
    naive = pf.estimate(jumps(), model="naive")
    assert ratios(chosen.intake, "P1") == ratios(naive.intake, "P1")
    assert ratios(chosen.intake, "P1") != ratios(plain.intake, "P1")
    assert chosen.selection is not None
    pd.testing.assert_frame_equal(chosen.selection, selection)
    texts = chosen.notes.set_index("topic")["text"]
    assert texts["selection"] == "primary: naive (best, error 1.00%)"


@pytest.mark.parametrize(
    ("share", "rule"), [(1.5, "'1.5' is above 1"), (-0.1, "'-0.1' is below 0")]
)
def test_a_share_that_cannot_be_is_refused(tmp_path: Path, share: float, rule: str) -> None:
    inputs = corrected(tmp_path, share, 1)
    with pytest.raises(pf.InputError, match=f"column correction.share: {rule}"):
        pf.forecast(inputs, model=tmp_path, horizon=1)
