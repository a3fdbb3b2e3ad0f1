"""Each cell leaning on its parent by as much as its own noise warrants: empirical Bayes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from placeforecast.rates.models.history import divide, latest
from placeforecast.rates.models.noise import inverse_size, mean_size, split_noise, two_terms
from placeforecast.rates.models.rules import Constant
from placeforecast.rates.models.scales import to_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array, Flags

HALVINGS = 60


@dataclass
class Pooled(Constant):
    """Each cell's log ratio shrunk to its parent's, the more the fewer children it counts.

    log r = log R + w log(O / E) with w = m t / (m t + v)   (Efron and Morris 1975)

    R is the parent's ratio, all reached over all exposed of its years; O is what the cell reached
    and E what it would have at its parent's ratio of each year (Clayton and Kaldor 1987), so that
    what all districts go through together is never taken for a district's own.

    v = s sum(u^2 E) / sum(u E)^2 is the sampling noise of O / E with u the weights of the years. It
    falls with size, so that districts of thousands stand alone. s is learnt from changes against
    the parent (`noise`); drift, which does not fall with size, is no reason to shrink. t, the
    variance of true ratios between cells, solves sum(log(O / E)^2 / (t + v)) = cells - parents
    (Paule and Mandel 1982). It counts m = `grades` times: a district that gains pupils gains them
    in all grades of a stage, while the noise of grades that are added up cancels.

    Years fade by u = (1 - g)^k, the latest (k = 0) first, where g is the gain of a Kalman filter,
    g^2 / (1 - g) = m q N / s, but at most `weight`, that of `Exponential`: few children are
    averaged over many years. q is the drift of a year, at least s / `steady`, since a short history
    cannot show that there is none.

    With less than four cells more than parents, cells stand alone (w = 1, g = `weight`). With one
    ratio per cell s is learnt from the squared distances to the parent, which are t + s / N; where
    there are less than eight cells, or sizes less than one to two, it cannot, and cells stand
    alone. With two years and sizes alike all change is taken for sampling. Use it for ratios, never
    for levels such as births.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import History, Pooled
    >>> rng = np.random.default_rng(1)
    >>> exposed = np.tile([10.0, 10000.0], (5, 20))
    >>> reached = rng.poisson(exposed * np.exp(rng.normal(0.0, 0.05, 40))).astype(float)
    >>> model = Pooled().fit(History(reached, exposed, (2020, 2021, 2022, 2023, 2024)))
    >>> bool(model.own_[::2].max() < 0.6 < 0.95 < model.own_[1::2].min())
    True
    """

    fewest: ClassVar[int] = 4
    steady: ClassVar[float] = 2000.0  # a cell of so many drifts in a year by as much as its noise

    weight: float = 0.6
    grades: float = 3.0
    own_: Array = field(init=False, repr=False, compare=False)
    gain_: Array = field(init=False, repr=False, compare=False)
    drift_: float = field(init=False, repr=False, compare=False)
    sampling_: float = field(init=False, repr=False, compare=False)
    between_: float = field(init=False, repr=False, compare=False)

    def _learn(self, history: History) -> None:
        counts = _Counts.of(history)
        start = np.full(history.reached.shape[1], self.weight)
        distance, share = counts.against_parent(start)
        self._learn_noise(counts, history, distance)
        self.between_ = self._between(distance, self.sampling_ * share, history.member)
        if np.isinf(self.between_):
            self.gain_, self.own_ = start, np.ones_like(start)
            self.ratio_ = counts.own(start)
            return
        self.gain_ = self._gain(mean_size(counts.inverse))
        distance, share = counts.against_parent(self.gain_)
        signal = self.grades * self.between_
        total = signal + self.sampling_ * share
        self.own_ = np.divide(signal, total, out=np.ones_like(total), where=total > 0)
        shrunk = counts.parent_now(self._gain) * np.exp(self.own_ * distance)
        self.ratio_ = np.where(counts.nobody, 0.0, shrunk)

    def _learn_noise(self, counts: _Counts, history: History, distance: Array) -> None:
        """Learn drift and the sampling variance of one expected to be reached."""
        change = to_log(history.ratio, history.exposed) - counts.parent_log
        split = split_noise(change, counts.inverse)
        if split is not None:
            self.drift_, self.sampling_ = split
            return
        known = np.isfinite(distance)
        size = mean_size(counts.inverse)[known]
        self.drift_, self.sampling_ = 0.0, 0.0
        if known.sum() >= 2 * self.fewest and size.max() >= 2 * size.min():
            one = np.ones(len(size))
            _, self.sampling_ = two_terms(one, size, distance[known] ** 2, 1 / size)

    def _between(self, distance: Array, noise: Array, member: Array) -> float:
        """Return the variance between cells; infinite where there are too few to tell."""
        known = np.isfinite(distance)
        free = int(known.sum()) - int((member[known].sum(axis=0) > 0).sum())
        if free < self.fewest:
            return np.inf
        return paule_mandel(distance[known] ** 2, noise[known], free)

    def _gain(self, inverse: Array) -> Array:
        """Return how fast years fade, from one over the size."""
        drift = self.grades * max(self.drift_, self.sampling_ / self.steady)
        noise = self.sampling_ * inverse
        ratio = np.divide(drift, noise, out=np.full(noise.shape, np.inf), where=noise > 0)
        # The root of g^2 / (1 - g) = ratio, in the form that does not cancel.
        gain = 2 / (1 + np.sqrt(1 + 4 / np.maximum(ratio, np.finfo(float).tiny)))
        bounded: Array = np.minimum(gain, self.weight)
        return bounded


@dataclass(frozen=True)
class _Counts:
    """Reached and exposed of cells and of their parents; 0 where a ratio is not defined."""

    reached: Array
    exposed: Array
    aged: Array  # defined years since, 0 the latest
    inverse: Array
    member: Array

    @classmethod
    def of(cls, history: History) -> _Counts:
        rank, ratio = latest(history, len(history.years))
        exposed = np.where(rank > 0, history.exposed, 0.0)
        aged = np.maximum(rank - 1, 0)
        return cls(exposed * ratio, exposed, aged, inverse_size(history), history.member)

    @property
    def parent_ratio(self) -> Array:
        """Return the ratio of each cell's parent in each year; 0 where it has none [year, cell]."""
        yearly = divide(self.reached @ self.member, self.exposed @ self.member)
        ratio: Array = np.where(np.isfinite(yearly), yearly, 0.0) @ self.member.T
        return ratio

    @property
    def parent_log(self) -> Array:
        """Return its logarithm, of half a person where nobody was reached."""
        above = self.exposed @ self.member @ self.member.T
        return to_log(self.parent_ratio, above)

    @property
    def nobody(self) -> Flags:
        """Tell which cells have a parent that never reached anybody."""
        above = self.reached.sum(axis=0) @ self.member @ self.member.T
        nobody: Flags = above == 0
        return nobody

    def own(self, gain: Array) -> Array:
        """Return each cell's own ratio, years faded by its gain."""
        fade = (1 - gain) ** self.aged
        return divide((fade * self.reached).sum(axis=0), (fade * self.exposed).sum(axis=0))

    def against_parent(self, gain: Array) -> tuple[Array, Array]:
        """Return log(O / E), and its noise as a share of the sampling variance."""
        fade = (1 - gain) ** self.aged
        expected = self.exposed * self.parent_ratio
        lower = (fade * expected).sum(axis=0)
        distance = to_log(divide((fade * self.reached).sum(axis=0), lower), lower)
        return distance, divide((fade**2 * expected).sum(axis=0), lower**2)

    def parent_now(self, gain: Callable[[Array], Array]) -> Array:
        """Return the latest ratio of each cell's parent, years faded by the gain of its size."""
        reached, exposed = self.reached @ self.member, self.exposed @ self.member
        seen = exposed > 0
        aged = np.maximum(np.cumsum(seen[::-1], axis=0)[::-1] - 1, 0)
        size = np.maximum(reached.sum(axis=0), 0.5) / np.maximum(seen.sum(axis=0), 1)
        fade = (1 - gain(1 / size)) ** aged
        now = divide((fade * reached).sum(axis=0), (fade * exposed).sum(axis=0))
        ratio: Array = self.member @ np.where(np.isfinite(now), now, 0.0)
        return ratio


def paule_mandel(square: Array, noise: Array, free: int) -> float:
    """Solve sum(square / (t + noise)) = free for t, not below zero, by halving."""
    low, high = 0.0, float(square.sum()) / free
    if high == 0 or ((noise > 0).all() and (square / noise).sum() <= free):
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (square / (middle + noise)).sum() > free:
            low = middle
        else:
            high = middle
    return (low + high) / 2
