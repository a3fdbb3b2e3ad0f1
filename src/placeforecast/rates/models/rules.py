"""Rules of thumb: weighted means of past ratios."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.rates.models.family import Family
from placeforecast.rates.models.history import divide, fading, latest

if TYPE_CHECKING:
    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array


@dataclass
class Constant(Family):
    """A ratio that stays as it was learnt; the parent of the simple rules."""

    ratio_: Array = field(init=False, repr=False, compare=False)

    def _ahead(self, leads: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Array:
        return np.broadcast_to(self.ratio_, (len(leads), *self.ratio_.shape))


@dataclass
class Weighted(Constant):
    """Mean of the latest ratios with fixed weights, the latest first.

    ``weights=(1,)`` is the last ratio, ``(1, 1, 1)`` the mean of three years, ``(3, 2, 1)`` the
    weights that school planners use. With fewer years the weights of the latest are used alone.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import History, Weighted
    >>> pupils = np.array([[90.0], [100.0], [110.0]])
    >>> history = History(pupils, np.full((3, 1), 100.0), (2022, 2023, 2024))
    >>> Weighted((3, 2, 1)).fit(history).predict([2025]).round(4)
    array([[1.0333]])
    """

    weights: tuple[float, ...] = (1.0,)

    def _learn(self, history: History) -> None:
        rank, ratio = latest(history, len(self.weights))
        weight = np.array([0.0, *self.weights])[rank.astype(int)]
        self.ratio_ = divide((weight * ratio).sum(axis=0), weight.sum(axis=0))


@dataclass
class VolumeWeighted(Constant):
    """All that reached over all that were exposed, over the latest years.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import History, VolumeWeighted
    >>> history = History(np.array([[50.0], [300.0]]), np.array([[100.0], [300.0]]), (2023, 2024))
    >>> VolumeWeighted(2).fit(history).predict([2025])
    array([[0.875]])
    """

    years: int = 3

    def _learn(self, history: History) -> None:
        rank, _ = latest(history, self.years)
        reached = np.where(rank > 0, history.reached, 0.0).sum(axis=0)
        exposed = np.where(rank > 0, history.exposed, 0.0).sum(axis=0)
        self.ratio_ = divide(reached, exposed)


@dataclass
class Exponential(Constant):
    """Mean of all past ratios with exponentially falling weights, the latest first.

    The ratio k defined years before the latest weighs w (1 - w)^k; the weights are divided by their
    sum, so that a short history needs no starting value (Brown 1959, Hyndman and Athanasopoulos,
    Forecasting: Principles and Practice, section 8.1). With w = 0.6 the latest three years weigh
    0.64, 0.26 and 0.10.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import Exponential, History
    >>> pupils = np.array([[90.0], [100.0], [110.0]])
    >>> history = History(pupils, np.full((3, 1), 100.0), (2022, 2023, 2024))
    >>> Exponential(0.5).fit(history).predict([2025]).round(4)
    array([[1.0429]])
    """

    weight: float = 0.6

    def _learn(self, history: History) -> None:
        weight, ratio = fading(history, self.weight)
        self.ratio_ = divide((weight * ratio).sum(axis=0), weight.sum(axis=0))
