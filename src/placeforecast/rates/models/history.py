"""What a rate model learns from, and what every one of them does.

Arrays run [year, cell]; every cell (a district, a grade, a class of residence) is fitted at once.
A model stores its settings, `fit` returns the model with what it learnt (names ending in ``_``),
and `predict` gives one row per year asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from placeforecast.tables.doors import Array


@dataclass(frozen=True)
class History:
    """What a ratio was in the past.

    Attributes
    ----------
    reached : ndarray [year, cell]
        The upper part of the ratio, such as pupils of the grade; NaN where it is not known.
    exposed : ndarray [year, cell]
        The lower part, such as pupils of the grade below a year before.
    years : tuple of int
        The years reached, rising.
    """

    reached: Array
    exposed: Array
    years: tuple[int, ...]

    @property
    def ratio(self) -> Array:
        """Return reached over exposed; NaN where it is not defined."""
        defined = self.exposed > 0
        ratio: Array = np.divide(
            self.reached, self.exposed, out=np.full(self.reached.shape, np.nan), where=defined
        )
        return ratio


class RateModel(Protocol):
    """What every rate model does."""

    def fit(self, history: History) -> Self:
        """Learn from a history and return the model."""
        ...

    def predict(self, years: Sequence[int]) -> Array:
        """Return the ratio of each year and cell; NaN for a cell without any history."""
        ...


def latest(history: History, count: int) -> tuple[Array, Array]:
    """Rank the defined years of each cell from the latest back.

    Parameters
    ----------
    history : History
        The history.
    count : int
        How many of the latest years to keep.

    Returns
    -------
    tuple of ndarray [year, cell]
        The rank (1 is the latest defined year; 0 is not kept), and the ratio with 0 where it is
        not defined.
    """
    ratio = history.ratio
    defined = np.isfinite(ratio)
    rank = np.cumsum(defined[::-1], axis=0)[::-1]
    kept = defined & (rank <= count)
    return np.where(kept, rank, 0).astype(float), np.where(defined, ratio, 0.0)
