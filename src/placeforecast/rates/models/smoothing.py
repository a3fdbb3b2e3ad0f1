"""Exponential smoothing: local level and damped trend.

How fast a level follows its ratios is estimated by statsmodels, once for all cells, on their
pooled series (all reached over all exposed); a few years of one district cannot tell it. The
recursion then runs over all cells at once. A year without a ratio is skipped and leaves the state
as it was.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from placeforecast.rates.models.family import Family
from placeforecast.rates.models.scales import SCALES, ScaleName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array

FASTEST_TREND = 0.2  # a few years fit a trend that follows every turn best, and forecast worst
STILL = 1e-9  # a pooled series that moves less than this tells nothing about smoothing


def pooled_series(history: History, scale: ScaleName) -> Array:
    """Return the ratio of all cells together by year, on its scale, without the years it lacks.

    Only cells with as many ratios as the longest are counted, so that a district that comes or goes
    does not look like a change.
    """
    defined = np.isfinite(history.ratio)
    counted = defined.sum(axis=0)
    kept = defined & (counted == counted.max(initial=1))
    reached = np.where(kept, history.reached, 0.0).sum(axis=1)
    exposed = np.where(kept, history.exposed, 0.0).sum(axis=1)
    some = exposed > 0
    place = SCALES[scale].forward(reached[some] / exposed[some], exposed[some])
    return place[np.isfinite(place)]


def estimated(series: Array, fixed: Mapping[str, float], asked: tuple[str, ...]) -> list[float]:
    """Return the smoothing parameters asked for, by maximum likelihood (statsmodels).

    Parameters
    ----------
    series : ndarray
        On its scale; plain numbers, since statsmodels 0.15 refuses an index of integer years.
    fixed : mapping
        Parameters that are given: `damping_trend` for a damped trend.
    asked : tuple of str
        `smoothing_level`, `smoothing_trend`.
    """
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    settings: dict[str, Any] = {"initial_level": float(series[0])}
    if fixed:
        settings |= {"trend": "add", "damped_trend": True, "initial_trend": 0.0}
        settings["bounds"] = {"smoothing_trend": (0.0, FASTEST_TREND)}
    model = ExponentialSmoothing(series, initialization_method="known", **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the best found is good enough
        found = model.fit(**fixed).params
    return [float(found[name]) for name in asked]


@dataclass
class Smoothed(Family):
    """A level, and perhaps a trend, that follow the ratios of each cell."""

    level_: Array = field(init=False, repr=False, compare=False)
    steady_: Array = field(init=False, repr=False, compare=False)

    def _note_steady(self, history: History) -> None:
        """Keep ratios that never moved: 0 (or 1) has no place on the scale, but stays."""
        ratio = history.ratio
        some = np.isfinite(ratio)
        low = np.where(some, ratio, np.inf).min(axis=0)
        high = np.where(some, ratio, -np.inf).max(axis=0)
        self.steady_ = np.where(low == high, low, np.nan)

    def _back(self, place: Array, scale: ScaleName) -> Array:
        return np.where(np.isfinite(self.steady_), self.steady_, SCALES[scale].backward(place))


@dataclass
class LocalLevel(Smoothed):
    """A level that follows the ratio: simple exponential smoothing on a scale.

    l_t = l_(t-1) + g_n (y_t - l_(t-1)) with g_n = a / (1 - (1 - a)^n) at the n-th ratio of a cell,
    which are exponential weights divided by their sum: no starting value is needed. The forecast is
    the last level (Brown 1959; Hyndman and Athanasopoulos, section 8.1).

    Needs three ratios. `scale` is ``log`` for ratios and ``logit`` for rates that cannot pass 1; a
    cell with a rate above 1 is not fitted on that one.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import History, LocalLevel
    >>> pupils = np.array([[90.0], [100.0], [100.0], [110.0]])
    >>> history = History(pupils, np.full((4, 1), 100.0), (2021, 2022, 2023, 2024))
    >>> model = LocalLevel().fit(history)
    >>> bool(1.0 < model.predict([2025])[0, 0] <= 1.1)
    True
    """

    shortest: ClassVar[int] = 3
    still: ClassVar[float] = 0.6  # where the pooled series does not move

    scale: ScaleName = "log"
    smoothing_: float = field(init=False, repr=False, compare=False)

    def _scale(self) -> ScaleName:
        return self.scale

    def _learn(self, history: History) -> None:
        series = pooled_series(history, self.scale)
        self.smoothing_ = self.still
        if len(series) >= self.shortest and np.ptp(series) > STILL:
            (self.smoothing_,) = estimated(series, {}, ("smoothing_level",))
        place = SCALES[self.scale].forward(history.ratio, history.exposed)
        self.level_ = follow(place, self.smoothing_)
        self._note_steady(history)

    def _ahead(self, leads: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Array:
        level = self._back(self.level_, self.scale)
        return np.broadcast_to(level, (len(leads), *level.shape))


@dataclass
class DampedTrend(Smoothed):
    """A level and a trend that dies away: Holt's method, damped, on a scale.

    l_t = a y_t + (1 - a)(l_(t-1) + p b_(t-1)) and b_t = b (l_t - l_(t-1)) + (1 - b) p b_(t-1), from
    the first ratio with no trend, since two noisy ratios are none; the forecast at lead h is
    l + (p + p^2 + ... + p^h) b (Gardner and McKenzie 1985). With `damping` p = 0.8 a trend adds up
    to four times its last step.

    Needs four ratios. Scales as for `LocalLevel`.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import DampedTrend, History
    >>> pupils = np.array([[90.0], [93.0], [96.0], [99.0], [102.0]])
    >>> history = History(pupils, np.full((5, 1), 100.0), (2020, 2021, 2022, 2023, 2024))
    >>> ahead = DampedTrend().fit(history).predict([2025, 2026, 2027])[:, 0]
    >>> bool(1.02 < ahead[0] < ahead[1] < ahead[2] < 1.12)
    True
    """

    shortest: ClassVar[int] = 4
    still: ClassVar[tuple[float, float]] = (0.6, 0.1)

    scale: ScaleName = "log"
    damping: float = 0.8
    smoothing_: tuple[float, float] = field(init=False, repr=False, compare=False)
    trend_: Array = field(init=False, repr=False, compare=False)

    def _scale(self) -> ScaleName:
        return self.scale

    def _learn(self, history: History) -> None:
        series = pooled_series(history, self.scale)
        self.smoothing_ = self.still
        if len(series) >= self.shortest and np.ptp(series) > STILL:
            asked = ("smoothing_level", "smoothing_trend")
            level, trend = estimated(series, {"damping_trend": self.damping}, asked)
            self.smoothing_ = (level, trend)
        place = SCALES[self.scale].forward(history.ratio, history.exposed)
        self.level_, self.trend_ = follow_trend(place, *self.smoothing_, self.damping)
        self._note_steady(history)

    def _ahead(self, leads: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Array:
        steps = np.cumsum(self.damping ** np.arange(leads.max(initial=0) + 1)) - 1
        return self._back(self.level_ + steps[leads, np.newaxis] * self.trend_, self.scale)


def follow(place: Array, smoothing: float) -> Array:
    """Run simple exponential smoothing over all cells; return the last level [cell]."""
    level = np.full(place.shape[1], np.nan)
    total = np.zeros(place.shape[1])
    for row in place:
        seen = np.isfinite(row)
        total = np.where(seen, 1 + (1 - smoothing) * total, total)
        step = np.where(total > 1, (row - level) / np.maximum(total, 1), 0.0)
        level = np.where(seen, np.where(total > 1, level + step, row), level)
    return level


def follow_trend(
    place: Array, smoothing: float, trending: float, damping: float
) -> tuple[Array, Array]:
    """Run Holt's damped recursion over all cells; return the last level and trend [cell]."""
    level, trend = np.full(place.shape[1], np.nan), np.zeros(place.shape[1])
    for row in place:
        seen = np.isfinite(row)
        expected = np.where(np.isfinite(level), level + damping * trend, row)
        moved = np.where(seen, smoothing * row + (1 - smoothing) * expected, level)
        change = np.where(np.isfinite(level), moved - level, 0.0)
        trend = np.where(seen, trending * change + (1 - trending) * damping * trend, trend)
        level = moved
    return level, trend
