"""Rounds really issued teach the correction: from a score to a ledger to the next launch."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TREE, TWO_GRADES
from placeforecast.rounds.ledger import add_to_ledger, past_rounds_of
from placeforecast.tables.problems import Problem
from placeforecast.uncertainty.correction import issued_errors
from schools import grades, pupils, region

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.rounds.score import Score

MODEL = """
name = "corrected"
[births]
rule = "last"
[intake]
rule = "last"
[progression]
rule = "last"
[correction]
share = {share}
leads = {leads}
"""
JUMP: dict[str, list[float | None]] = {
    "P1": [100.0, 100.0, 100.0, 100.0, 121.0],
    "P2": [100.0] * 5,
}
"""100 of 100 children enter up to 2013 and 121 in 2014."""
WAVES: dict[str, list[float | None]] = {
    "P1": [100.0, 104.0, 99.0, 112.0, 107.0, 111.0],
    "P2": [98.0, 101.0, 103.0, 97.0, 110.0, 108.0],
}
EARLY = pytest.mark.filterwarnings("ignore:births. [0-9] rows are not yet published")


def model(folder: Path, share: float = 0.5, leads: int = 1) -> Path:
    (folder / "model.toml").write_text(MODEL.format(share=share, leads=leads), encoding="utf-8")
    return folder


def known(
    counts: dict[str, list[float | None]], last: int, past_rounds: pd.DataFrame | None = None
) -> pf.Inputs:
    """Return district A as it was known in a year."""
    table = pupils(counts, 2010)
    table = table[table["year"] <= last].reset_index(drop=True)
    return replace(region(table, grades=TWO_GRADES), past_rounds=past_rounds)


def score_of(folder: Path, result: Forecast, actuals: pf.Inputs) -> Score:
    """Freeze a forecast, read it back and score it."""
    frozen = pf.freeze_round(result, folder / f"round_{result.launch_year}")
    return pf.score_round(pf.read_round(frozen), actuals)


def rows(*cells: tuple[int, int, str, str, float, float]) -> pd.DataFrame:
    columns = ["launch_year", "year", "district", "stage", "forecast", "actual"]
    return pd.DataFrame(list(cells), columns=columns)


def in_year(result: Forecast, year: int) -> list[float]:
    table = result.pupils[result.pupils["year"] == year]
    return list(table.sort_values(["district", "grade"])["pupils"])


def note(result: Forecast) -> str:
    return str(result.notes.set_index("topic").loc["correction", "text"])


# The loop: freeze, a year later score, enter in the ledger, forecast again.


def test_the_next_launch_learns_from_the_round_as_it_was_issued(tmp_path: Path) -> None:
    """The round of 2013 set 110 entrants of 100 children: it said 210 for 2014, and 221 came."""
    own = model(tmp_path)
    before, after = known(JUMP, 2013), known(JUMP, 2014)
    assumed = pf.estimate(before, model=own)
    assert assumed.intake is not None
    issued = pf.forecast(
        before,
        assumptions=replace(assumed, intake=assumed.intake.assign(ratio=1.1)),
        model=own,
        horizon=1,
    )
    score = score_of(tmp_path, issued, after)
    table = past_rounds_of({2013: score})
    assert table.drop(columns="correction").to_dict("split")["data"] == [
        [2013, 2014, "A", "primary", pytest.approx(210), 221]
    ]
    file = add_to_ledger(tmp_path / "past_rounds.csv", score, 2013)
    ledger = pf.check(pd.read_csv(file), "past_rounds")
    result = pf.forecast(replace(after, past_rounds=ledger), model=own, horizon=2)
    plain = pf.forecast(after, model="naive", horizon=2)
    expected = [number * np.sqrt(221 / 210) for number in in_year(plain, 2015)]
    np.testing.assert_allclose(in_year(result, 2015), expected, rtol=1e-12)
    np.testing.assert_allclose(in_year(result, 2016), in_year(plain, 2016), rtol=1e-12)
    assert note(result) == (
        "corrected by 0.5 of the last error (round of 2013 in past_rounds) up to lead 1: pupils of "
        "a stage change by +0.0 % to +2.6 %"
    )
    replayed = pf.forecast(after, model=own, horizon=2)
    assert "(launch of 2013, replayed) up to" in note(replayed)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(in_year(replayed, 2015), expected, rtol=1e-12)


def test_a_round_of_the_same_model_teaches_what_its_replay_does(tmp_path: Path) -> None:
    """Though it was itself corrected by the launch before it: the ledger says by how much."""
    own = model(tmp_path, leads=2)
    issued = pf.forecast(known(WAVES, 2014), model=own, horizon=1)
    score = score_of(tmp_path, issued, known(WAVES, 2015))
    table = past_rounds_of({2014: score})
    raw = pf.forecast(known(WAVES, 2014), model="naive", horizon=1)
    factor = sum(in_year(issued, 2015)) / sum(in_year(raw, 2015))
    assert abs(factor - 1) > 0.01
    assert table["correction"].tolist() == [pytest.approx(factor, rel=1e-12)]
    taught = pf.forecast(known(WAVES, 2015, table), model=own, horizon=2)
    replayed = pf.forecast(known(WAVES, 2015), model=own, horizon=2)
    for year in (2016, 2017):
        np.testing.assert_allclose(in_year(taught, year), in_year(replayed, year), rtol=1e-12)
    untold = known(WAVES, 2015, table.drop(columns="correction"))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(
            in_year(pf.forecast(untold, model=own, horizon=2), 2016),
            in_year(replayed, 2016),
            rtol=1e-12,
        )


def test_a_round_that_was_not_corrected_says_nothing_of_corrections(tmp_path: Path) -> None:
    before = known(WAVES, 2014)
    score = score_of(tmp_path, pf.forecast(before, model="naive"), known(WAVES, 2015))
    table = past_rounds_of({2014: score})
    expected = rows((2014, 2015, "A", "primary", 112 + 107 * 110 / 112, 219.0))
    pd.testing.assert_frame_equal(
        table.drop(columns="forecast"), expected.drop(columns="forecast"), check_exact=True
    )
    assert table["forecast"].tolist() == [pytest.approx(107 + 107 * 110 / 112)]
    assert past_rounds_of({}).columns.tolist() == expected.columns.tolist()


def test_only_districts_without_others_below_and_plain_stages_are_kept(tmp_path: Path) -> None:
    system = grades(
        ("P1", "primary", 1, 6, 1, "population"), ("J1", "junior", 2, 7, 1, "grade_below")
    )
    counts = {"P1": [100.0] * 6, "J1": [90.0] * 6}
    both = pd.concat([pupils(counts, 2010, name) for name in ("A", "B")], ignore_index=True)
    given: dict[str, Any] = {"grades": system, "districts": TREE}
    early = region(both[both["year"] < 2014], **given)
    score = score_of(tmp_path, pf.forecast(early, model="naive"), region(both, **given))
    assert set(score.errors["district"]) == {"A", "B", "C"}
    assert set(score.errors["stage"]) == {"primary", "junior", "compulsory"}
    table = past_rounds_of({2013: score})
    cells = table[["year", "district", "stage"]].to_numpy().tolist()
    years, stages = (2014, 2015), ("primary", "junior")
    assert cells == [[year, name, stage] for year in years for name in "AB" for stage in stages]
    assert pf.check(table, "past_rounds").equals(table)


# A table that holds a part of it.


def two_stages(past_rounds: pd.DataFrame | None) -> pf.Inputs:
    system = grades(
        ("P1", "primary", 1, 6, 1, "population"), ("J1", "junior", 2, 7, 1, "grade_below")
    )
    counts = {"P1": [100.0, 102.0, 97.0, 101.0, 105.0], "J1": [90.0, 95.0, 93.0, 92.0, 94.0]}
    both = pd.concat([pupils(counts, 2010, name) for name in ("A", "B")], ignore_index=True)
    return region(both, grades=system, districts=TREE, past_rounds=past_rounds)  # type: ignore[arg-type]


WHOLE = rows(
    (2013, 2014, "A", "primary", 100.0, 110.0),
    (2013, 2014, "A", "junior", 100.0, 90.0),
    (2013, 2014, "B", "primary", 0.0, 50.0),
    (2013, 2014, "B", "junior", 80.0, 100.0),
)


def test_each_district_and_stage_has_its_own_error(tmp_path: Path) -> None:
    """J1, P1 of A and of B; what was not forecast teaches nothing."""
    own = model(tmp_path, share=1.0)
    plain = pf.forecast(two_stages(None), model="naive", horizon=1)
    result = pf.forecast(two_stages(WHOLE), model=own, horizon=1)
    factors = np.divide(in_year(result, 2015), in_year(plain, 2015))
    np.testing.assert_allclose(factors, [0.9, 1.1, 1.25, 1.0], rtol=1e-12)


def test_a_part_of_a_round_is_refused_with_its_remedy(tmp_path: Path) -> None:
    own = model(tmp_path)
    remedy = (
        "Add the row (launch_year 2013, year 2014; forecast 0 if it was not forecast), or leave "
        "that launch_year out: the correction then learns from a replay."
    )
    told = (
        "2 problems in the input:\n"
        "  past_rounds: lacks primary of B in the round of 2013, and holds others of it. "
        f"{remedy}\n"
        "  past_rounds: lacks junior of B in the round of 2013, and holds others of it. "
        f"{remedy}"
    )
    part = two_stages(WHOLE[:2])
    pf.forecast(part, model="naive", horizon=1)  # which asks for no correction
    with pytest.raises(pf.InputError, match=f"^{re.escape(told)}$"):
        pf.forecast(part, model=own, horizon=1)


@EARLY
@pytest.mark.parametrize("way", ["backtest", "trajectories"])
def test_a_part_of_an_earlier_round_is_refused_as_well(tmp_path: Path, way: str) -> None:
    """It is no launch that could not be replayed."""
    own = model(tmp_path)
    earlier = WHOLE[:3].assign(launch_year=2012, year=2013)
    inputs = two_stages(pd.concat([earlier, WHOLE], ignore_index=True))
    calls: dict[str, Callable[[], object]] = {
        "backtest": lambda: pf.backtest(inputs, launch_years=[2013], horizon=1, models=[own]),
        "trajectories": lambda: pf.forecast(inputs, model=own, horizon=1, trajectories=5),
    }
    message = "past_rounds: lacks junior of B in the round of 2012"
    with pytest.raises(pf.InputError, match=message):
        calls[way]()


def test_a_stage_is_needed_where_pupils_are_corrected() -> None:
    """A has no junior pupils, and B none before lead 2."""
    ahead = pd.DataFrame(
        [
            {"district": district, "year": year, "grade": grade, "pupils": number}
            for district, grade, numbers in (
                *((name, "P1", (100.0, 100.0, 100.0)) for name in "AB"),
                ("A", "J1", (90.0, 0.0, 0.0)),
                ("B", "J1", (0.0, 0.0, 70.0)),
            )
            for year, number in zip(range(2014, 2017), numbers, strict=True)
        ]
    )
    system = two_stages(None).grades
    assert system is not None
    primary = WHOLE[WHOLE["stage"] == "primary"]
    found = issued_errors(primary, ahead, system, 2014, 1)
    assert found is not None
    assert found.axes == {"stage": ["primary", "junior"], "district": ["A", "B"]}
    np.testing.assert_allclose(found.ratio, [[1.1, 1.0], [1.0, 1.0]])
    with pytest.raises(pf.InputError, match=r"1 problem.*\n.*lacks junior of B in the round"):
        issued_errors(primary, ahead, system, 2014, 2)


def test_an_error_comes_back_from_another_process_as_it_was() -> None:
    error = pf.InputError([Problem("is wrong", "Correct it.", file="births", row=3)])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.found) == (str(error), error.found)


def test_without_the_round_of_the_year_before_the_launch_is_replayed(tmp_path: Path) -> None:
    """A round of 2012, and of 2013 only what it said of 2015, which nobody knows in 2014.

    What the round of 2012 said of 2014 is an error of lead 2.
    """
    own = model(tmp_path)
    others = rows(
        (2012, 2013, "A", "primary", 100.0, 300.0),
        (2012, 2014, "A", "primary", 100.0, 300.0),
        (2013, 2015, "A", "primary", 100.0, 300.0),
    )
    result = pf.forecast(known(JUMP, 2014, others), model=own, horizon=1)
    replayed = pf.forecast(known(JUMP, 2014), model=own, horizon=1)
    pd.testing.assert_frame_equal(result.pupils, replayed.pupils, check_exact=True)
    assert "(launch of 2013, replayed; past_rounds does not hold it) up to" in note(result)


@EARLY
def test_a_back_test_uses_what_was_known_at_its_launch(tmp_path: Path) -> None:
    """Of the rounds of 2012 and 2013, only the first is known at the launch of 2013."""
    own = model(tmp_path, share=1.0)

    def forecast_of(past_rounds: pd.DataFrame | None) -> list[float]:
        inputs = known(JUMP, 2014, past_rounds)
        table = pf.backtest(inputs, launch_years=[2013], horizon=1, models=[own])
        return list(table.loc[table["model"] == own.name, "forecast"])

    first = (2012, 2013, "A", "primary", 200.0, 220.0)
    plain = forecast_of(None)
    taught = forecast_of(rows(first))
    np.testing.assert_allclose(taught, np.multiply(plain, 1.1), rtol=1e-12)
    later = (2013, 2014, "A", "primary", 100.0, 300.0)
    assert forecast_of(rows(first, later)) == taught


def test_past_rounds_are_frozen_and_read_with_the_round(tmp_path: Path) -> None:
    result = pf.forecast(two_stages(WHOLE), model="naive", horizon=1)
    last = pf.read_round(pf.freeze_round(result, tmp_path / "2014"))
    table = last.inputs.past_rounds
    assert table is not None
    pd.testing.assert_frame_equal(table, WHOLE, check_exact=True)
