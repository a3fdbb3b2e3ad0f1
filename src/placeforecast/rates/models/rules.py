"""Rules of thumb: weighted means of past ratios."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from placeforecast.rates.models.history import latest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array


@dataclass
class Constant:
    """A ratio that stays as it was learnt; the parent of the simple rules."""

    ratio_: Array = field(init=False, repr=False)

    def predict(self, years: Sequence[int]) -> Array:
        """Return the learnt ratio for every year."""
        return np.broadcast_to(self.ratio_, (len(years), *self.ratio_.shape))


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

    def fit(self, history: History) -> Self:
        """Learn the weighted mean of each cell."""
        rank, ratio = latest(history, len(self.weights))
        by_rank = np.array([0.0, *self.weights])
        weight = by_rank[rank.astype(int)]
        total = weight.sum(axis=0)
        summed = (weight * ratio).sum(axis=0)
        self.ratio_ = np.divide(summed, total, out=np.full(summed.shape, np.nan), where=total > 0)
        return self


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

    def fit(self, history: History) -> Self:
        """Learn the volume-weighted ratio of each cell."""
        rank, _ = latest(history, self.years)
        reached = np.where(rank > 0, history.reached, 0.0).sum(axis=0)
        exposed = np.where(rank > 0, history.exposed, 0.0).sum(axis=0)
        self.ratio_ = np.divide(
            reached, exposed, out=np.full(reached.shape, np.nan), where=exposed > 0
        )
        return self
