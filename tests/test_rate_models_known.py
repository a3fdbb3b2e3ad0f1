"""Rate models against answers worked by hand, printed in books, or given by statsmodels."""

from __future__ import annotations

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
)
from placeforecast.rates.models.family import Errors
from placeforecast.rates.models.noise import inverse_size, split_noise, two_terms
from placeforecast.rates.models.pooled import paule_mandel
from placeforecast.rates.models.scales import from_alr, from_logit, to_alr, to_log, to_logit
from placeforecast.rates.models.smoothing import follow, follow_trend

Array = np.ndarray[Any, np.dtype[np.float64]]
NAN = float("nan")


def series(values: list[float], exposed: float = 1.0) -> History:
    """Return the history of one cell, up to 2024."""
    reached = np.array(values)[:, None]
    return History(reached, np.full(reached.shape, exposed), tuple(range(2025 - len(values), 2025)))


# Exponential weights.


def test_exponential_weights_by_hand() -> None:
    found = Exponential(0.6).fit(series([90.0, 100.0, 110.0], 100.0)).predict([2025])
    expected = (0.6 * 1.1 + 0.24 * 1.0 + 0.096 * 0.9) / (0.6 + 0.24 + 0.096)
    np.testing.assert_allclose(found, [[expected]], rtol=1e-14)


def test_a_weight_of_one_is_the_last_ratio() -> None:
    found = Exponential(1.0).fit(series([90.0, 110.0, NAN], 100.0)).predict([2025])
    np.testing.assert_allclose(found, [[1.1]], rtol=1e-14)


# Scales.


def test_scales_there_and_back() -> None:
    ratio = np.array([0.2, 0.5, 0.93])
    exposed = np.full(3, 100.0)
    np.testing.assert_allclose(np.exp(to_log(ratio, exposed)), ratio, rtol=1e-14)
    np.testing.assert_allclose(from_logit(to_logit(ratio, exposed)), ratio, rtol=1e-14)
    shares = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    np.testing.assert_allclose(from_alr(to_alr(shares)), shares, rtol=1e-14)
    np.testing.assert_allclose(to_alr(shares)[0], np.log([7.0, 2.0]), rtol=1e-14)


def test_shares_far_apart_still_sum_to_one() -> None:
    np.testing.assert_allclose(from_alr(np.array([900.0, -900.0])), [1.0, 0.0, 0.0], atol=1e-300)


def test_a_share_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="a share of zero has no logarithm: add half a person"):
        to_alr(np.array([0.6, 0.4, 0.0]))


# Smoothing.


def test_a_local_level_by_hand() -> None:
    """Weights 1/4, 1/2, 1 over their sum: (0.25 + 1 + 4) / 1.75 = 3; a hole is skipped."""
    place = np.array([[1.0, 1.0], [2.0, 2.0], [NAN, 4.0], [4.0, NAN]])
    np.testing.assert_allclose(follow(place, 0.5), [3.0, 3.0], rtol=1e-14)


def test_smoothing_is_what_statsmodels_finds_for_the_pooled_series() -> None:
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    rng = np.random.default_rng(5)
    exposed = rng.uniform(200, 400, (12, 4))
    level = np.exp(np.cumsum(rng.normal(0, 0.02, 12)) + rng.normal(0, 0.02, 12))
    history = History(exposed * level[:, None], exposed, tuple(range(2013, 2025)))
    pooled = np.log(history.reached.sum(axis=1) / exposed.sum(axis=1))
    reference = SimpleExpSmoothing(
        pooled, initialization_method="known", initial_level=pooled[0]
    ).fit()
    found = LocalLevel().fit(history).smoothing_
    np.testing.assert_allclose(found, reference.params["smoothing_level"], rtol=1e-6)
    assert 0.05 < found < 0.95


def test_holt_damped_by_hand() -> None:
    """From 1: l = 1.5, b = 0.25 x 0.5 = 0.125; then l = (3 + 1.5 + 0.0625)/2, b from 0.78125."""
    level, trend = follow_trend(np.array([[1.0], [2.0], [NAN], [3.0]]), 0.5, 0.25, 0.5)
    np.testing.assert_allclose(level, [2.28125], rtol=1e-14)
    np.testing.assert_allclose(trend, [0.25 * 0.78125 + 0.75 * 0.5 * 0.125], rtol=1e-14)


@pytest.mark.parametrize("damping", [0.6, 0.8, 0.95])
def test_damped_trend_forecasts_as_statsmodels(damping: float) -> None:
    from statsmodels.tsa.holtwinters import Holt

    values = [90.0, 93.0, 95.0, 101.0, 103.0, 104.0, 109.0]
    model = DampedTrend(damping=damping).fit(series(values, 100.0))
    level, trend = model.smoothing_
    assert 0 < trend <= 0.2
    logs = np.log(np.array(values) / 100)
    reference = Holt(
        logs,
        damped_trend=True,
        initialization_method="known",
        initial_level=logs[0],
        initial_trend=0.0,
    ).fit(
        smoothing_level=level,
        smoothing_trend=trend,
        damping_trend=damping,
        optimized=False,
    )
    found = model.predict(range(2025, 2031))[:, 0]
    np.testing.assert_allclose(found, np.exp(reference.forecast(6)), rtol=1e-10)


# Noise.


def test_two_terms_by_hand() -> None:
    one, size = np.ones(4), np.array([1.0, 2.0, 3.0, 4.0])
    assert two_terms(one, size, 3 * one + 2 * size, one) == pytest.approx((3.0, 2.0), rel=1e-12)
    # No term falls below zero: the other is then fitted alone.
    assert two_terms(one, size, 2 * size - 1, one) == pytest.approx((0.0, 50 / 30), rel=1e-12)
    assert two_terms(one, size, 5 - size, one) == pytest.approx((2.5, 0.0), rel=1e-12)
    assert two_terms(one, 2 * one, 4 * one, one) == pytest.approx((0.0, 2.0), rel=1e-12)


def noisy(drift: float, sampling: float, seed: int = 2) -> History:
    """Return twelve years of 400 cells of 50 to 5,000, with drift and sampling noise."""
    rng = np.random.default_rng(seed)
    exposed = np.exp(rng.uniform(np.log(50), np.log(5000), 400)) * np.ones((12, 1))
    level = np.cumsum(rng.normal(0, np.sqrt(drift), exposed.shape), axis=0)
    logs = level + rng.normal(0, 1, exposed.shape) * np.sqrt(sampling / exposed)
    return History(exposed * np.exp(logs), exposed, tuple(range(2013, 2025)))


@pytest.mark.parametrize(("drift", "sampling"), [(1e-4, 0.3), (4e-4, 0.5), (0.0, 0.3)])
def test_drift_and_sampling_are_told_apart(drift: float, sampling: float) -> None:
    history = noisy(drift, sampling)
    found = split_noise(np.log(history.ratio), inverse_size(history))
    assert found == pytest.approx((drift, sampling), rel=0.15, abs=1e-5)


def test_one_moved_boundary_is_not_noise() -> None:
    history = noisy(1e-4, 0.3)
    clean = split_noise(np.log(history.ratio), inverse_size(history))
    history.reached[6:, 0] *= 2
    assert split_noise(np.log(history.ratio), inverse_size(history)) == pytest.approx(
        clean, rel=0.1
    )


def test_a_single_year_tells_nothing() -> None:
    history = series([100.0], 100.0)
    assert split_noise(np.log(history.ratio), inverse_size(history)) is None


def test_errors_of_runs_have_the_stated_variance() -> None:
    errors = Errors(np.array([0.0004]), np.array([0.0009]), "log")
    rng = np.random.default_rng(1)
    runs = np.log(errors.draw(np.ones((3, 1)), [1, 4, 9], 200_000, rng))[:, 0]
    expected = np.array([1, 4, 9]) * 0.0004 + 2 * 0.0009
    np.testing.assert_allclose(runs.var(axis=1), expected, rtol=0.02)


# Empirical Bayes.


def test_paule_mandel_by_hand() -> None:
    """Five squares of 2 with noise 1, four free: 10 / (t + 1) = 4, so t = 1.5."""
    assert paule_mandel(np.full(5, 2.0), np.ones(5), 4) == pytest.approx(1.5, rel=1e-12)
    assert paule_mandel(np.full(5, 0.5), np.ones(5), 4) == 0.0
    assert paule_mandel(np.full(5, 2.0), np.zeros(5), 4) == pytest.approx(2.5, rel=1e-12)


def test_weights_of_one_year_by_hand() -> None:
    """Eight cells around a parent of 1; with one year v = s / E and R = 1."""
    exposed = np.array([[100.0, 100.0, 200.0, 200.0, 1000.0, 1000.0, 5000.0, 5000.0]])
    ratio = np.array([[1.3, 0.7, 1.15, 0.85, 1.12, 0.88, 1.1, 0.9]])
    model = Pooled(0.6, grades=1).fit(History(ratio * exposed, exposed, (2024,)))
    noise = model.sampling_ / exposed[0]
    square = np.log(ratio[0]) ** 2
    assert model.sampling_ > 0
    np.testing.assert_allclose((square / (model.between_ + noise)).sum(), 7, rtol=1e-9)
    weight = model.between_ / (model.between_ + noise)
    np.testing.assert_allclose(model.own_, weight, rtol=1e-12)
    np.testing.assert_allclose(model.predict([2025])[0], ratio[0] ** weight, rtol=1e-12)


@pytest.mark.parametrize(("ratio", "gain"), [(0.5, 0.5), (1 / 6, 1 / 3), (4.0, 0.6), (0.0, 0.0)])
def test_the_gain_solves_its_equation(ratio: float, gain: float) -> None:
    """0.5^2 / (1 - 0.5) = 0.5 and (1/3)^2 / (2/3) = 1/6; never above the weight."""
    model = Pooled(0.6, grades=1.0)
    model.drift_, model.sampling_ = ratio, 1.0 if ratio else 1e-300
    np.testing.assert_allclose(
        model._gain(np.array([1.0])), [gain], atol=0.03 if not ratio else 1e-3
    )


def unequal() -> tuple[History, Array]:
    """Return five years of forty cells, 30 and 5,000 in turn, true ratios 3 % apart."""
    rng = np.random.default_rng(8)
    truth = 1.02 * np.exp(rng.normal(0, 0.03, 40))
    exposed = np.tile([30.0, 5000.0], (5, 20))
    reached = rng.poisson(exposed * truth).astype(float)
    return History(reached, exposed, tuple(range(2020, 2025))), truth


def test_few_pupils_lean_and_many_stand_alone() -> None:
    history, truth = unequal()
    model = Pooled().fit(history)
    assert model.own_[::2].max() < 0.6
    assert model.own_[1::2].min() > 0.95
    own = Exponential(0.6).fit(history).predict([2025])[0]
    error = np.abs(model.predict([2025])[0] - truth)
    assert error[::2].mean() < 0.5 * np.abs(own - truth)[::2].mean()
    assert error[1::2].mean() < 1.02 * np.abs(own - truth)[1::2].mean()


def test_what_all_districts_go_through_is_no_noise() -> None:
    """A common jump of 20 % in the last year leaves the weights as they were."""
    history, _ = unequal()
    jumped = history.reached.copy()
    jumped[-1] *= 1.2
    found = Pooled().fit(History(jumped, history.exposed, history.years)).own_
    np.testing.assert_allclose(found, Pooled().fit(history).own_, atol=0.05)


def test_a_cell_leans_on_its_own_parent() -> None:
    history, _ = unequal()
    label = np.repeat([0, 1], 20)
    high = np.where(label == 1, 1.5, 1.0)
    told = History(history.reached * high, history.exposed, history.years, tuple(label))
    found = Pooled().fit(told).predict([2025])[0] / high
    np.testing.assert_allclose(found[label == 0].mean(), 1.02, rtol=0.02)
    np.testing.assert_allclose(found[label == 1].mean(), 1.02, rtol=0.02)


@pytest.mark.parametrize("cells", [1, 4])
def test_few_cells_stand_alone(cells: int) -> None:
    history, _ = unequal()
    few = History(history.reached[:, :cells], history.exposed[:, :cells], history.years)
    weight = 0.4 ** np.arange(5)[::-1, None]
    alone = (weight * few.reached).sum(axis=0) / (weight * few.exposed).sum(axis=0)
    np.testing.assert_allclose(Pooled().fit(few).predict([2025])[0], alone, rtol=1e-12)


def test_one_year_of_equal_cells_stands_alone() -> None:
    reached = np.array([[90.0, 110.0, 100.0, 95.0, 105.0, 120.0, 80.0, 99.0, 101.0]])
    found = Pooled().fit(History(reached, np.full((1, 9), 100.0), (2024,))).predict([2025])
    np.testing.assert_allclose(found, reached / 100, rtol=1e-12)


# Covariates.


def test_a_covariate_that_drives_the_ratio_is_found() -> None:
    rng = np.random.default_rng(4)
    years = tuple(range(2010, 2025))
    built = {year: rng.uniform(0, 1, 30) for year in range(2010, 2028)}
    logs = np.array([0.1 * built[year] for year in years])
    exposed = rng.uniform(500, 5000, (15, 30))
    reached = exposed * np.exp(logs + rng.normal(0, 0.002, logs.shape))
    given = ({year: tuple(row) for year, row in built.items()},)
    model = Covariate(given=given).fit(History(reached, exposed, years))
    assert model.penalty_ == 0.1
    assert model.origins_ == 13
    expected = np.exp([0.1 * built[year] for year in (2025, 2026, 2027)])
    np.testing.assert_allclose(model.predict([2025, 2026, 2027]), expected, rtol=0.004)


def test_a_covariate_that_is_not_known_ahead_is_refused() -> None:
    years = tuple(range(2015, 2025))
    given = ({year: (0.1 * (year % 3), 0.0) for year in years},)
    reached = np.random.default_rng(1).uniform(90, 110, (10, 2))
    model = Covariate(given=given).fit(History(reached, np.full((10, 2), 100.0), years))
    with pytest.raises(ValueError, match="a covariate has no value for 2025"):
        model.predict([2025])


# GM(1,1).


def test_grey_textbook_example() -> None:
    """Liu and Lin, Grey Information (2006): a = -0.0372, b = 3.0654, errors below 2 %."""
    values = [2.874, 3.278, 3.337, 3.390, 3.679]
    model = GreyModel().fit(series(values))
    np.testing.assert_allclose(model.development_, [-0.0372], atol=5e-5)
    np.testing.assert_allclose(model.control_, [3.0654], atol=5e-5)


def test_grey_noise_levels() -> None:
    """Si and Sun, mathematical modelling: seven years of street noise, a = 0.0023, b = 72.6573."""
    model = GreyModel().fit(series([71.1, 72.4, 72.4, 72.1, 71.4, 72.0, 71.6]))
    np.testing.assert_allclose(model.development_, [0.0023], atol=5e-5)
    np.testing.assert_allclose(model.control_, [72.6573], atol=5e-5)


def test_grey_by_least_squares_and_its_formula() -> None:
    values = [100.0, 108.0, 120.0, 129.0, 144.0, 150.0]
    total = np.cumsum(values)
    design = np.column_stack([-(total[1:] + total[:-1]) / 2, np.ones(5)])
    (a, b), *_ = np.linalg.lstsq(design, np.array(values[1:]), rcond=None)
    accumulated = (values[0] - b / a) * np.exp(-a * np.arange(9)) + b / a
    found = GreyModel().fit(series(values)).predict([2025, 2026, 2027])[:, 0]
    np.testing.assert_allclose(found, np.diff(accumulated)[5:], rtol=1e-9)


def test_grey_cannot_turn() -> None:
    """Up for six years and then down: the grey model still rises."""
    values = [100.0, 110.0, 121.0, 133.0, 146.0, 161.0, 150.0]
    found = GreyModel().fit(series(values)).predict([2025, 2030])[:, 0]
    assert 150 < found[0] < found[1]


def test_grey_below_zero_is_not_fitted() -> None:
    """The exponential through such a series would be negative."""
    assert np.isnan(GreyModel().fit(series([100.0, 1.0, 2.0, 50.0])).predict([2025])).all()
