"""What every rate model must do, whatever it learns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from placeforecast.rates.models import (
    Covariate,
    DampedTrend,
    Exponential,
    GreyModel,
    History,
    LocalLevel,
    Pooled,
    RateModel,
    VolumeWeighted,
    Weighted,
)
from placeforecast.rates.specification import MODELS, Rule, RuleName, load_model

Array = np.ndarray[Any, np.dtype[np.float64]]
NAN = float("nan")
YEARS = tuple(range(2015, 2025))
AHEAD = (2025, 2026, 2029)

EVERY = {
    "last": Weighted((1.0,)),
    "weights": Weighted((3.0, 2.0, 1.0)),
    "volume": VolumeWeighted(3),
    "exponential": Exponential(0.6),
    "local level": LocalLevel(),
    "local level of rates": LocalLevel("logit"),
    "damped trend": DampedTrend(damping=0.7),
    "damped trend of rates": DampedTrend("logit"),
    "pooled": Pooled(0.5),
    "covariate": Covariate(),
    "grey": GreyModel(),
}
ALONE = ("last", "weights", "volume", "exponential", "grey")  # the others learn from all cells
# Weights of `Pooled` hang on persons, and a rate times two is not twice as far on the logit scale.
PROPORTIONAL = [n for n in EVERY if n != "pooled" and not n.endswith("rates")]

each_model = pytest.mark.parametrize("model", EVERY.values(), ids=EVERY.keys())


def region() -> History:
    """Return ten years of eight cells: 2 has holes, 4 no year, 5 two years and 6 three."""
    rng = np.random.default_rng(7)
    exposed = rng.uniform(50, 500, (10, 8))
    reached = exposed * rng.uniform(0.7, 0.95, (10, 8))
    reached[[2, 5, 9], 2] = NAN
    exposed[:, 4] = NAN
    exposed[:8, 5] = 0.0
    reached[:7, 6] = NAN
    return History(reached, exposed, YEARS)


def part(history: History, cells: list[int]) -> History:
    return History(history.reached[:, cells], history.exposed[:, cells], history.years)


def learnt(model: RateModel, history: History) -> Array:
    return model.fit(history).predict(AHEAD)


@each_model
def test_a_row_per_year_and_no_ratio_below_the_shortest_history(model: RateModel) -> None:
    history = region()
    count = np.isfinite(history.ratio).sum(axis=0)
    assert np.isnan(learnt(model, history)).tolist() == [(count < model.shortest).tolist()] * 3


@pytest.mark.parametrize("years", [0, 1, 2, 3, 4, 5, 6])
@each_model
def test_a_short_history_of_all_cells_is_not_fitted(model: RateModel, years: int) -> None:
    """No model passes on another one's answer."""
    whole = region()
    keep = [0, 1, 3, 7]
    history = History(whole.reached[-years:, keep], whole.exposed[-years:, keep], YEARS[-years:])
    if years == 0:
        history = History(np.full((1, 4), NAN), np.full((1, 4), NAN), (2024,))
    assert np.isfinite(learnt(model, history)).all() == (years >= model.shortest)


@each_model
def test_the_order_of_cells_changes_nothing(model: RateModel) -> None:
    order = [3, 0, 5, 4, 1, 2, 7, 6]
    turned = learnt(model, part(region(), order))
    np.testing.assert_allclose(turned, learnt(model, region())[:, order], rtol=1e-6)


@each_model
def test_a_cell_without_history_changes_no_other(model: RateModel) -> None:
    with_it, without = learnt(model, region()), learnt(model, part(region(), [0, 1, 2, 3, 5, 6, 7]))
    np.testing.assert_allclose(with_it[:, [0, 1, 2, 3, 5, 6, 7]], without, rtol=1e-6)


@pytest.mark.parametrize("name", ALONE)
def test_a_cell_depends_on_its_own_history_alone(name: str) -> None:
    for cell in (0, 2):
        alone = learnt(EVERY[name], part(region(), [cell]))
        np.testing.assert_allclose(alone, learnt(EVERY[name], region())[:, [cell]], rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.4, 1.0, 0.97])
@each_model
def test_a_constant_ratio_stays(model: RateModel, ratio: float) -> None:
    exposed = np.random.default_rng(3).uniform(10, 1000, (6, 5))
    history = History(ratio * exposed, exposed, YEARS[-6:])
    np.testing.assert_allclose(learnt(model, history), ratio, rtol=1e-9)


@pytest.mark.parametrize("name", PROPORTIONAL)
def test_twice_as_many_reached_is_twice_the_ratio(name: str) -> None:
    history = region()
    twice = History(2 * history.reached, history.exposed, history.years)
    np.testing.assert_allclose(
        learnt(EVERY[name], twice), 2 * learnt(EVERY[name], history), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["reached", "exposed", "nobody"])
@each_model
def test_a_hole_is_passed_over(model: RateModel, name: str) -> None:
    """A hole in a constant history leaves the constant."""
    exposed = np.random.default_rng(3).uniform(10, 1000, (9, 3))
    reached = 0.9 * exposed
    if name == "reached":
        reached[[3, 8], 1] = NAN
    else:
        exposed[[3, 8], 1] = NAN if name == "exposed" else 0.0
    history = History(reached, exposed, YEARS[-9:])
    np.testing.assert_allclose(learnt(model, history), 0.9, rtol=1e-9)


@each_model
def test_nobody_reached_breaks_nothing(model: RateModel) -> None:
    history = region()
    history.reached[4, 0] = 0.0
    history.reached[:, 7] = 0.0
    found = learnt(model, history)
    assert np.isfinite(found[:, [0, 7]]).all()
    assert (found[:, 7] >= 0).all()
    assert (found[:, 7] < 0.05).all() or isinstance(model, Pooled)


@each_model
def test_settings_are_shown_and_what_is_learnt_is_not(model: RateModel) -> None:
    model.fit(region())
    settings = [f.name for f in fields(model) if f.init]  # type: ignore[arg-type]
    assert [part.split("=")[0] for part in settings] == [
        n for n in settings if f"{n}=" in repr(model)
    ]
    assert "_=" not in repr(model)


@each_model
def test_fitting_again_forgets_and_leaves_the_history(model: RateModel) -> None:
    history, untouched = region(), region()
    other = part(region(), [0, 1, 3, 7])
    fresh = learnt(model, other)
    model.fit(history)
    np.testing.assert_array_equal(history.reached, untouched.reached)
    np.testing.assert_array_equal(history.exposed, untouched.exposed)
    np.testing.assert_array_equal(learnt(model, other), fresh)


def runs(model: RateModel, seed: int = 1, trajectories: int = 4000) -> Array:
    return model.simulate(AHEAD, trajectories, np.random.default_rng(seed))


@each_model
def test_runs_have_the_prediction_for_their_mean(model: RateModel) -> None:
    predicted = learnt(model, region())
    found = runs(model)
    assert found.shape == (3, 8, 4000)
    standard_error = found.std(axis=2) / np.sqrt(4000)
    assert (np.abs(found.mean(axis=2) - predicted) <= 5 * standard_error)[
        ~np.isnan(predicted)
    ].all()
    assert np.array_equal(np.isnan(found[..., 0]), np.isnan(predicted))


@each_model
def test_runs_spread_with_the_lead_and_keep_above_zero(model: RateModel) -> None:
    model.fit(region())
    found = runs(model)[:, [0, 1, 3, 7]]
    spread = found.std(axis=2) / found.mean(axis=2)
    assert (spread[2] > spread[0]).all()
    assert (found > 0).all()


@each_model
def test_the_same_seed_gives_the_same_runs(model: RateModel) -> None:
    model.fit(region())
    first = runs(model, trajectories=50)
    np.testing.assert_array_equal(runs(model, trajectories=50), first)
    assert not np.array_equal(runs(model, seed=2, trajectories=50), first, equal_nan=True)
    fewer = model.simulate((2026,), 50, np.random.default_rng(1))
    np.testing.assert_array_equal(fewer[0], first[1])


@each_model
def test_the_launch_year_itself_is_certain(model: RateModel) -> None:
    model.fit(region())
    found = model.simulate((2024, 2025), 3, np.random.default_rng(1))
    np.testing.assert_array_equal(found[0], np.repeat(model.predict([2024])[0, :, None], 3, axis=1))


def test_rates_on_the_logit_scale_stay_below_one() -> None:
    reached = np.array([[96.0, 400.0], [99.0, 500.0], [97.0, 300.0], [100.0, 450.0]])
    history = History(reached, np.tile([100.0, 500.0], (4, 1)), YEARS[-4:])
    for model in (LocalLevel("logit").fit(history), DampedTrend("logit").fit(history)):
        assert ((runs(model) > 0) & (runs(model) < 1)).all()


def test_a_rate_above_one_is_not_fitted_on_the_logit_scale() -> None:
    reached = np.array([[90.0, 101.0], [91.0, 102.0], [92.0, 101.0], [91.0, 104.0]])
    history = History(reached, np.full((4, 2), 100.0), YEARS[-4:])
    for model in (LocalLevel("logit"), DampedTrend("logit")):
        assert np.isnan(learnt(model, history)).tolist() == [[False, True]] * 3


# The names in model.toml, and the models shipped.


@pytest.mark.parametrize(
    ("rule", "model"),
    [
        (Rule(rule="exponential", weight=0.4), Exponential(0.4)),
        (Rule(rule="local_level", scale="logit"), LocalLevel("logit")),
        (Rule(rule="damped_trend", damping=0.6), DampedTrend("log", 0.6)),
        (Rule(rule="pooled", weight=0.5, grades=6), Pooled(0.5, 6.0)),
        (Rule(rule="covariate"), Covariate()),
        (Rule(rule="grey"), GreyModel()),
    ],
)
def test_a_rule_names_its_model(rule: Rule, model: RateModel) -> None:
    assert repr(rule.model()) == repr(model)


def test_every_name_has_a_model() -> None:
    assert set(MODELS) == set(RuleName.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "rule", "births"),
    [
        ("naive", "last", "last"),
        ("default", "exponential", "last"),
        ("trend", "damped_trend", "damped_trend"),
        ("pooled", "pooled", "last"),
    ],
)
def test_the_shipped_models(name: str, rule: str, births: str) -> None:
    shipped = load_model(name)
    families = (shipped.intake, shipped.participation, shipped.progression)
    assert [family.rule for family in families] == [rule] * 3
    assert (shipped.births.rule, shipped.shares.rule) == (births, "last")
    assert shipped.without_history == "region"
    assert all(family.weight == 0.6 for family in families)
