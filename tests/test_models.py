"""The simple rate models: worked by hand, and what every rule must do."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

import placeforecast as pf
from placeforecast.rates.models import History, VolumeWeighted, Weighted
from placeforecast.rates.specification import MODELS, Rule, load_model
from placeforecast.tables.settings import parse
from schools import SIMPLE

Array = np.ndarray[Any, np.dtype[np.float64]]
RuleName = Literal["last", "mean", "weights", "volume"]
NAN = float("nan")


def series(reached: list[float], exposed: list[float] | None = None) -> History:
    """Return the history of one cell; 100 exposed a year unless given."""
    below = [100.0] * len(reached) if exposed is None else exposed
    years = tuple(range(2025 - len(reached), 2025))
    return History(np.array(reached)[:, None], np.array(below)[:, None], years)


def learnt(rule: Rule, history: History) -> float:
    """Return the ratio of the year after the history, of its one cell."""
    return float(rule.model().fit(history).predict([2025])[0, 0])


# Five years: 0.50, 0.80, 0.90, 1.00, 1.20 of 200, 100, 100, 300 and 50.
FIVE = series([100.0, 80.0, 90.0, 300.0, 60.0], [200.0, 100.0, 100.0, 300.0, 50.0])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(rule="last"), 1.2),
        (Rule(rule="mean", years=1), 1.2),
        (Rule(rule="mean", years=2), (1.2 + 1.0) / 2),
        (Rule(rule="mean"), (1.2 + 1.0 + 0.9) / 3),
        (Rule(rule="mean", years=30), (1.2 + 1.0 + 0.9 + 0.8 + 0.5) / 5),
        (Rule(rule="weights"), (3 * 1.2 + 2 * 1.0 + 1 * 0.9) / 6),
        (Rule(rule="weights", weights=(1.0, 0.0, 3.0)), (1.2 + 3 * 0.9) / 4),
        (Rule(rule="volume", years=1), 1.2),
        (Rule(rule="volume"), (60 + 300 + 90) / (50 + 300 + 100)),
        (Rule(rule="volume", years=30), 630 / 750),
    ],
)
def test_rules_by_hand(rule: Rule, expected: float) -> None:
    np.testing.assert_allclose(learnt(rule, FIVE), expected, rtol=1e-14)


def test_a_published_example_of_three_years() -> None:
    """Pupils of K, 1, 2 in 2021-2023, README of the R package enrollcast 0.1.0 (2026, MIT)."""
    pupils = np.array([[100.0, 90.0, 80.0], [110.0, 95.0, 88.0], [120.0, 99.0, 91.0]])
    history = History(pupils[1:, 1:], pupils[:-1, :-1], (2022, 2023))
    mean = Weighted((1.0, 1.0)).fit(history).predict([2024])
    np.testing.assert_allclose(mean, [[0.9250000, 0.9678363]], atol=5e-8)
    volume = VolumeWeighted(2).fit(history).predict([2024])
    np.testing.assert_allclose(volume, [[0.9238095, 0.9675676]], atol=5e-8)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(rule="last"), 0.9),
        (Rule(rule="mean", years=2), (0.9 + 0.6) / 2),
        (Rule(rule="mean"), (0.9 + 0.6 + 0.4) / 3),
        (Rule(rule="weights"), (3 * 0.9 + 2 * 0.6 + 0.4) / 6),
        (Rule(rule="volume", years=2), (90 + 60) / 200),
    ],
)
@pytest.mark.parametrize("hole", ["reached", "exposed", "nobody exposed"])
def test_a_hole_takes_the_next_year_back(hole: str, rule: Rule, expected: float) -> None:
    """Ratios 0.4, 0.6, hole, 0.9, hole: years without a ratio are passed over."""
    reached, exposed = [40.0, 60.0, 70.0, 90.0, 80.0], [100.0] * 5
    for at in (2, 4):
        if hole == "reached":
            reached[at] = NAN
        else:
            exposed[at] = NAN if hole == "exposed" else 0.0
    np.testing.assert_allclose(learnt(rule, series(reached, exposed)), expected, rtol=1e-14)


@pytest.mark.parametrize(("years", "expected"), [(1, 0.9), (2, (3 * 0.9 + 2 * 0.6) / 5)])
def test_a_short_history_takes_the_first_weights(years: int, expected: float) -> None:
    history = series([60.0, 90.0][-years:])
    np.testing.assert_allclose(learnt(Rule(rule="weights"), history), expected, rtol=1e-14)


def test_nobody_reached_is_a_ratio_of_zero() -> None:
    np.testing.assert_allclose(learnt(Rule(rule="last"), series([50.0, 0.0])), 0.0, atol=0)


# What every rule must do, and what the simple ones do besides.

EVERY_RULE = list(MODELS)
SIMPLE_RULES: list[RuleName] = ["last", "mean", "weights", "volume"]
CELLS = 6


def region(seed: int = 7) -> History:
    """Return ten years of six cells; the third has holes, the fifth no year at all."""
    rng = np.random.default_rng(seed)
    exposed = rng.uniform(50, 500, (10, CELLS))
    reached = exposed * rng.uniform(0.8, 1.2, (10, CELLS))
    reached[[2, 8, 9], 2] = NAN
    exposed[:, 4] = NAN
    return History(reached, exposed, tuple(range(2015, 2025)))


def predicted(rule: str, history: History, years: tuple[int, ...] = (2025, 2026)) -> Array:
    return MODELS[rule](Rule()).fit(history).predict(years)


def test_the_simple_rules_are_among_them() -> None:
    assert set(SIMPLE_RULES) <= set(EVERY_RULE)


@pytest.mark.parametrize("rule", EVERY_RULE)
@pytest.mark.parametrize("years", [(2025,), (2025, 2026, 2027), (2030, 2040)])
def test_a_row_per_year_and_a_column_per_cell(rule: str, years: tuple[int, ...]) -> None:
    assert predicted(rule, region(), years).shape == (len(years), CELLS)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_only_a_cell_without_history_has_no_ratio(rule: str) -> None:
    found = np.isnan(predicted(rule, region()))
    assert found.tolist() == [[cell == 4 for cell in range(CELLS)]] * 2


@pytest.mark.parametrize("rule", SIMPLE_RULES)
def test_a_ratio_lies_between_those_it_is_learnt_from(rule: RuleName) -> None:
    history = region()
    found = predicted(rule, history)[0]
    low, high = np.nanmin(history.ratio[:, :4], axis=0), np.nanmax(history.ratio[:, :4], axis=0)
    assert ((found[:4] >= low) & (found[:4] <= high)).all()


@pytest.mark.parametrize("rule", SIMPLE_RULES)
def test_a_constant_ratio_stays(rule: RuleName) -> None:
    exposed = np.random.default_rng(3).uniform(10, 1000, (6, 3))
    history = History(0.97 * exposed, exposed, tuple(range(2019, 2025)))
    np.testing.assert_allclose(predicted(rule, history), 0.97, rtol=1e-14)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_the_order_of_cells_changes_nothing(rule: str) -> None:
    history = region()
    order = [3, 0, 5, 4, 1, 2]
    turned = History(history.reached[:, order], history.exposed[:, order], history.years)
    found = predicted(rule, history)[:, order]
    if rule in SIMPLE_RULES:
        np.testing.assert_array_equal(predicted(rule, turned), found)
    np.testing.assert_allclose(predicted(rule, turned), found, rtol=1e-9)


@pytest.mark.parametrize("rule", SIMPLE_RULES)
def test_a_cell_depends_on_its_own_history_only(rule: RuleName) -> None:
    history = region()
    for cell in (0, 2):
        alone = History(
            history.reached[:, [cell]], history.exposed[:, [cell]], tuple(range(2015, 2025))
        )
        found = predicted(rule, history)[:, [cell]]
        np.testing.assert_allclose(predicted(rule, alone), found, rtol=1e-14)


@pytest.mark.parametrize("rule", SIMPLE_RULES)
def test_doubling_people_leaves_the_ratio(rule: RuleName) -> None:
    history = region()
    doubled = History(2 * history.reached, 2 * history.exposed, history.years)
    np.testing.assert_allclose(predicted(rule, doubled), predicted(rule, history), rtol=1e-14)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_fitting_leaves_the_history_as_it_was(rule: str) -> None:
    history, untouched = region(), region()
    predicted(rule, history)
    np.testing.assert_array_equal(history.reached, untouched.reached)
    np.testing.assert_array_equal(history.exposed, untouched.exposed)


def test_the_suite_notices_a_broken_rule() -> None:
    """A rule that leans on the neighbouring cell fails where cells must stand alone."""
    history = region()
    found = predicted("mean", history)
    broken = found + np.roll(found, 1, axis=1)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        np.testing.assert_allclose(broken[:, [0]], found[:, [0]], rtol=1e-14)


# The named models.


FAMILIES = ("births", "intake", "participation", "progression", "shares")


def test_a_model_names_a_rule_for_each_family() -> None:
    simple = load_model(SIMPLE)
    assert (simple.intake.rule, simple.intake.years) == ("mean", 3)
    assert (simple.progression.rule, simple.progression.weights) == ("weights", (3.0, 2.0, 1.0))
    naive = load_model("naive")
    assert [getattr(naive, family).rule for family in FAMILIES] == ["last"] * 5
    assert {getattr(load_model("default"), family).rule for family in FAMILIES} <= set(MODELS)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"rule": "median"}, r"column rule: 'median' is not known here\. Write 'last', 'mean'"),
        ({"rule": "mean", "years": 0}, r"column years: '0' is below 1\. Give a number from 1 up"),
        (
            {"rule": "weights", "weights": []},
            r"column weights: '\[\]' does not fit \(Tuple should have at least",
        ),
        ({"rule": "weights", "weights": [0, 0]}, r"column weights: .* must not be negative, and"),
        ({"rule": "weights", "weights": [2, -1]}, r"column weights: .* must not be negative, and"),
        ({"rule": "mean", "year": 3}, r"column year: is not a known key. Did you mean 'years'"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(pf.InputError, match=f"model.toml, {message}"):
        parse(Rule, raw, "model.toml")


def test_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(pf.InputError, match=r"'defalt' is not a model. Did you mean 'default'\?"):
        load_model("defalt")
