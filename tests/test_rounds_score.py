"""Rounds scored against what came, and the value of Shapley that splits a miss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from frozen import LAUNCH, TWO_GRADES, flat, frozen, inputs_of, wavy
from placeforecast.attribution.shapley import shapley
from placeforecast.rounds.freeze import freeze_round
from placeforecast.rounds.ledger import round_ledger
from placeforecast.rounds.miss import DRIVERS
from placeforecast.rounds.read import Round, read_round
from placeforecast.rounds.score import Score, score_round
from schools import by_year, grades, pupils, region, with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from placeforecast.tables.doors import Array


# The value of Shapley.


def glove_game(present: frozenset[str]) -> Array:
    """Return the pairs that one left glove makes with two right ones."""
    return np.array([min("left" in present, len(present & {"right", "other"}))], dtype=float)


def test_the_glove_game() -> None:
    """The textbook example: 2/3 to the left glove, 1/6 to each right one."""
    parts = shapley(glove_game, ["left", "right", "other"])
    np.testing.assert_allclose(parts["left"], 2 / 3)
    np.testing.assert_allclose([parts["right"], parts["other"]], 1 / 6)


def game(seed: int, drivers: list[str]) -> Callable[[frozenset[str]], Array]:
    """Return figures at random for every set of drivers."""
    rng = np.random.default_rng(seed)
    known: dict[frozenset[str], Array] = {}

    def value(present: frozenset[str]) -> Array:
        known.setdefault(present, rng.normal(size=3))
        return known[present]

    value(frozenset(drivers))
    return value


def test_parts_add_up_and_games_add_up() -> None:
    drivers = ["a", "b", "c", "d"]
    one, other = game(1, drivers), game(2, drivers)
    parts = shapley(one, drivers)
    whole = one(frozenset(drivers)) - one(frozenset())
    np.testing.assert_allclose(sum(parts.values()), whole, rtol=0, atol=1e-12)
    parts["a"][0] += 1e-6
    assert not np.allclose(np.sum(list(parts.values()), axis=0), whole, rtol=0, atol=1e-9)
    both = shapley(lambda present: one(present) + 2 * other(present), drivers)
    apart = shapley(other, drivers)
    np.testing.assert_allclose(both["b"], parts["b"] + 2 * apart["b"], atol=1e-12)


def test_alike_drivers_have_alike_parts_and_idle_ones_none() -> None:
    parts = shapley(lambda present: np.array([len(present - {"idle"}) ** 2.0]), ["a", "idle", "b"])
    assert parts["a"] == parts["b"] == 2
    assert parts["idle"] == 0


def test_no_driver_is_named_twice_and_none_may_be_given() -> None:
    assert shapley(lambda _: np.array([1.0]), []) == {}
    with pytest.raises(ValueError, match="each driver is named once, not a, b, a"):
        shapley(lambda _: np.array([1.0]), ["a", "b", "a"])


# Scoring. 100 births a year, 110 pupils in each grade of each year: intake 1.1, progression 1.


@pytest.fixture
def last(tmp_path: Path) -> Round:
    return frozen(tmp_path, inputs_of({"P1": flat(), "P2": flat()}))


def parts_of(score: Score, year: int, stage: str = "primary") -> dict[str, float]:
    rows = score.split[(score.split["stage"] == stage) & (score.split["year"] == year)]
    assert len(rows) == 1
    return {name: float(rows[name].iloc[0]) for name in (*DRIVERS, "total")}


def about(**given: float) -> dict[str, Any]:
    names = dict.fromkeys(DRIVERS, 0.0) | given
    return {name: pytest.approx(value, abs=1e-9) for name, value in names.items()}


@pytest.mark.parametrize(
    ("p1", "p2", "births", "expected"),
    [
        # 121 entrants of 100 children instead of 110; 99 stay of 110 instead of all.
        (121.0, 99.0, {}, {"entry": -11, "progression": 11, "total": 0}),
        # 120 children of 2019, not 100, at the ratio assumed.
        (132.0, 110.0, {2019: 120.0}, {"births": -22, "total": -22}),
        # Both: 20 x (1.1 + 1.2) / 2 and 0.1 x (100 + 120) / 2.
        (144.0, 110.0, {2019: 120.0}, {"births": -23, "entry": -11, "total": -34}),
        # Nothing missed.
        (110.0, 110.0, {}, {"total": 0}),
    ],
)
def test_the_miss_is_split(
    last: Round, p1: float, p2: float, births: dict[int, float], expected: dict[str, float]
) -> None:
    actuals = inputs_of({"P1": flat(p1), "P2": flat(p2)}, births)
    score = score_round(last, actuals)
    assert parts_of(score, 2025) == about(**expected)
    assert list(score.split["lead"]) == [1]


def test_a_miss_moves_up_with_its_cohort(last: Round) -> None:
    """121 entered in 2025 and all of them are in P2 in 2026: the miss is still one of entry."""
    score = score_round(last, pupils({"P1": flat(121, 110), "P2": flat(110, 121)}, 2020))
    assert parts_of(score, 2026) == about(entry=-11, total=-11)


def test_pupils_counted_anew_at_the_launch_are_other(last: Round) -> None:
    changed = pupils({"P1": [*[110.0] * 4, 120.0, 110.0], "P2": flat(120)}, 2020)
    assert parts_of(score_round(last, changed), 2025) == about(other=-10, total=-10)


def test_what_policy_sets_is_a_miss_of_policy(tmp_path: Path) -> None:
    kindergarten = grades(("K1", "kindergarten", 1, 3, 1, "population"))
    rate = pd.DataFrame(
        {"indicator": ["gross_rate"], "stage": "kindergarten", "year": 2024, "value": [0.9]}
    )
    born = by_year("births", [100.0] * 25, 2000, district="A")
    before = region(pupils({"K1": [80.0] * 5}, 2020), born, grades=kindergarten, policy=rate)
    later = pupils({"K1": [80.0] * 5 + [85.0]}, 2020)
    score = score_round(frozen(tmp_path, before), later)
    assert parts_of(score, 2025, "kindergarten") == about(policy=5, total=5)


def test_errors_and_their_summary(last: Round) -> None:
    score = score_round(last, pupils({"P1": flat(121, 110), "P2": flat(99, 88)}, 2020))
    errors = score.errors.set_index("year")
    assert list(errors["stage"]) == ["primary", "primary"]
    assert list(errors["forecast"]) == pytest.approx([220, 220])
    assert list(errors["error"]) == pytest.approx([0, 22])
    assert list(errors["ape"]) == pytest.approx([0, 22 / 198])
    assert list(errors["lead"]) == [1, 2]
    assert errors["inside"].isna().all()
    second = score.summary.iloc[1]
    assert (second["stage"], second["lead"], second["n"]) == ("primary", 2, 1)
    assert second["mape"] == second["bias"] == pytest.approx(1 / 9)
    assert np.isnan(second["coverage"])
    assert np.isnan(second["nominal"])


@pytest.mark.parametrize(
    ("quantiles", "ends", "nominal"),
    [((0.1, 0.5, 0.9), ("p10", "p90"), 0.8), ((0.025, 0.975), ("p2_5", "p97_5"), 0.95)],
)
def test_the_interval_is_scored(
    tmp_path: Path, quantiles: tuple[float, ...], ends: tuple[str, str], nominal: float
) -> None:
    before = inputs_of({"P1": wavy(1, 5), "P2": wavy(2, 5)})
    result = pf.forecast(before, trajectories=50, quantiles=quantiles, seed=1)
    round_ = read_round(freeze_round(result, tmp_path / "2024"))
    stages = round_.results["stages"].query("year > 2024 and ledger == 'all'")
    low, high = (stages[f"pupils_{end}"].tolist() for end in ends)
    assert low[0] < high[0]
    counts = {"P1": [*wavy(1, 5), low[0], high[1] + 1], "P2": [*wavy(2, 5), 0.0, 0.0]}
    score = score_round(round_, pupils(counts, 2020))
    assert list(score.errors["inside"]) == [True, False]
    assert list(score.summary["coverage"]) == [1, 0]
    assert list(score.summary["nominal"]) == [nominal, nominal]


def assert_parts_add_up(score: Score) -> None:
    parts = score.split[list(DRIVERS)].sum(axis=1)
    np.testing.assert_allclose(parts, score.split["total"], rtol=0, atol=1e-9)
    top = score.errors[score.errors["district"] == "C"].set_index(["stage", "year"])["error"]
    keyed = score.split.set_index(["stage", "year"])["total"]
    np.testing.assert_allclose(keyed, top.reindex(keyed.index), rtol=0, atol=1e-8)
    leaves = score.errors[score.errors["district"] != "C"]
    sums = leaves.groupby(["stage", "year"])["error"].sum()
    np.testing.assert_allclose(keyed, sums.reindex(keyed.index), rtol=0, atol=1e-8)


@pytest.mark.parametrize("table", ["errors", "split"])
def test_parts_add_up_to_the_errors_of_the_region(tmp_path: Path, table: str) -> None:
    tree = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})
    counts = {"P1": wavy(3, 7), "P2": wavy(4, 7)}
    both = pd.concat([pupils(counts, 2020, name) for name in ("A", "B")], ignore_index=True)
    born = pd.concat(
        by_year("births", [90.0 + i for i in range(27)], 2000, district=d) for d in ("A", "B")
    )
    early, known = both["year"] <= LAUNCH, born["year"] <= LAUNCH
    given: dict[str, Any] = {"districts": tree, "grades": TWO_GRADES}
    before = region(both[early], born[known], **given)
    revised = born.assign(births=born["births"] + 5)
    score = score_round(frozen(tmp_path, before), region(both, revised, **given))
    assert_parts_add_up(score)
    assert (score.split["births"] < 0).all()
    column = "error" if table == "errors" else "entry"
    spoilt: dict[str, Any] = {table: with_cell_changed(getattr(score, table), column, 1e-6)}
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        assert_parts_add_up(replace(score, **spoilt))


def test_a_year_to_score_is_needed(last: Round) -> None:
    with pytest.raises(pf.InputError, match="enrolment, column year: has no year after the launch"):
        score_round(last, inputs_of({"P1": flat(), "P2": flat()}))


def test_a_cell_that_was_forecast_is_needed(last: Round) -> None:
    table = pupils({"P1": flat(110, 110), "P2": [*flat(), None, 110.0]}, 2020)
    message = "lacks 1 cells that were forecast, first: A P2 2025. Add the rows"
    with pytest.raises(pf.InputError, match=message):
        score_round(last, table)


def test_pupils_who_were_not_forecast_are_named(last: Round) -> None:
    table = pd.concat(
        [pupils({"P1": flat(110), "P2": flat(110)}, 2020), pupils({"P1": [7.0]}, 2025, "B")]
    )
    with pytest.warns(pf.AssumptionWarning, match="counted, but not forecast, so not scored: B"):
        assert parts_of(score_round(last, table), 2025) == about(total=0)


def test_births_that_are_not_told_apart_are_said(tmp_path: Path) -> None:
    nursery = grades(("K1", "kindergarten", 1, 1, 1, "population"))
    born = by_year("births", [100.0] * 25, 2000, district="A")
    before = region(pupils({"K1": [80.0] * 5}, 2020), born, grades=nursery)
    round_ = frozen(tmp_path, before)
    later = pupils({"K1": [80.0] * 5 + [80.0, 70.0]}, 2020)
    with pytest.warns(pf.AssumptionWarning, match=r"stay as assumed \(actuals hold no births\)"):
        score = score_round(round_, later)
    assert parts_of(score, 2026, "kindergarten") == about(entry=10, total=10)


def test_the_ledger_over_rounds_holds_the_bias_and_its_parts(last: Round) -> None:
    first = pupils({"P1": flat(121), "P2": flat(99)}, 2020)
    second = pupils({"P1": flat(121, 110), "P2": flat(99, 88)}, 2020)
    ledger = round_ledger({2024: score_round(last, second), 2023: score_round(last, first)})
    assert list(ledger["launch_year"]) == [2023, 2024, 2024]
    assert list(ledger["bias"]) == pytest.approx([0, 0, 1 / 9])
    assert ledger["entry"].iloc[0] == pytest.approx(-11)
    assert round_ledger({}).empty
