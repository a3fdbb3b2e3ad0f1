"""What a rate model learns from, and what every one of them does.

Arrays run [year, cell]; every cell (a district, a grade, a class of residence) is fitted at once.
A model stores its settings, `fit` returns the model with what it learnt (names ending in ``_``),
`predict` gives one row per year asked for, and `simulate` random runs around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from placeforecast.tables.doors import Array, Flags


@dataclass(frozen=True)
class History:
    """What a ratio was in the past.

    Attributes
    ----------
    reached : ndarray [year, cell]
        The upper part of the ratio, such as pupils of the grade; NaN where it is not known.
    exposed : ndarray [year, cell]
        The lower part, such as pupils of the grade below a year before; all ones for a series of
        levels, such as births.
    years : tuple of int
        The years reached, rising.
    parent : tuple of int, optional
        A label per cell: which cells may lean on each other. By default all of them together.
    """

    reached: Array
    exposed: Array
    years: tuple[int, ...]
    parent: tuple[int, ...] | None = None

    @property
    def ratio(self) -> Array:
        """Return reached over exposed; NaN where it is not defined."""
        defined = self.exposed > 0
        ratio: Array = np.divide(
            self.reached, self.exposed, out=np.full(self.reached.shape, np.nan), where=defined
        )
        return ratio

    @property
    def member(self) -> Array:
        """Return 1 where a cell belongs to a parent, else 0 [cell, parent]."""
        cells = self.reached.shape[1]
        labels = np.zeros(cells) if self.parent is None else np.asarray(self.parent)
        member: Array = (labels[:, np.newaxis] == np.unique(labels)).astype(float)
        return member


class RateModel(Protocol):
    """What every rate model does.

    `shortest` is the shortest history (defined ratios of a cell) that the model accepts.
    """

    shortest: ClassVar[int]

    def fit(self, history: History) -> Self:
        """Learn from a history and return the model."""
        ...

    def predict(self, years: Sequence[int]) -> Array:
        """Return the ratio [year, cell]; NaN for a cell with less than the shortest history."""
        ...

    def simulate(self, years: Sequence[int], trajectories: int, rng: np.random.Generator) -> Array:
        """Return random runs [year, cell, trajectory] whose mean is the prediction."""
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


def fading(history: History, weight: float) -> tuple[Array, Array]:
    """Weigh the defined years of each cell: `weight` (1 - `weight`)^k, the latest (k = 0) first.

    Returns
    -------
    tuple of ndarray [year, cell]
        The weight, 0 where the ratio is not defined, and the ratio, 0 there too.
    """
    rank, ratio = latest(history, len(history.years))
    faded = weight * (1 - weight) ** np.maximum(rank - 1, 0)
    return np.where(rank > 0, faded, 0.0), ratio


def divide(upper: Array, lower: Array) -> Array:
    """Return upper over lower; NaN where lower is not positive."""
    out = np.full(np.broadcast(upper, lower).shape, np.nan)
    result: Array = np.divide(upper, lower, out=out, where=lower > 0)
    return result


def enough(history: History, shortest: int) -> Flags:
    """Tell which cells have at least `shortest` defined ratios [cell]."""
    flags: Flags = np.isfinite(history.ratio).sum(axis=0) >= shortest
    return flags
