"""The scales on which ratios are averaged, smoothed and simulated.

``log`` for ratios, which may pass 1; ``logit`` for rates bounded by 0 and 1; the additive log-ratio
for shares that sum to 1. A ratio of exactly 0 (or 1, on the logit scale) has no finite place on its
scale: it is read as half a person, 0.5 / exposed away from the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.tables.doors import Array

ScaleName = Literal["log", "logit"]
HALF = 0.5  # persons


def to_log(ratio: Array, exposed: Array) -> Array:
    """Return the logarithm of a ratio; NaN where it is not defined.

    Examples
    --------
    >>> import numpy as np
    >>> to_log(np.array([1.0, 0.0, np.nan]), np.array([10.0, 10.0, 10.0])).round(3)
    array([ 0.   , -2.996,    nan])
    """
    seen = np.where(ratio == 0, HALF / np.where(exposed > 0, exposed, 1.0), ratio)
    logs: Array = np.log(seen, out=np.full(seen.shape, np.nan), where=seen > 0)
    return logs


def to_logit(rate: Array, exposed: Array) -> Array:
    """Return log(p / (1 - p)); NaN where the rate is not defined or above 1.

    Examples
    --------
    >>> import numpy as np
    >>> to_logit(np.array([0.5, 1.0, 1.2]), np.array([10.0, 10.0, 10.0])).round(3)
    array([0.   , 2.944,   nan])
    """
    half = np.minimum(HALF / np.where(exposed > 0, exposed, 1.0), HALF)
    seen = np.where(rate == 0, half, np.where(rate == 1, 1 - half, rate))
    inside = (seen > 0) & (seen < 1)
    safe = np.where(inside, seen, HALF)
    return np.where(inside, np.log(safe) - np.log1p(-safe), np.nan)


def from_logit(score: Array) -> Array:
    """Return the rate of a place on the logit scale."""
    rate: Array = 1 / (1 + np.exp(-np.clip(score, -700, 700)))
    return rate


def to_alr(shares: Array) -> Array:
    """Return the additive log-ratio of shares along the last axis, whose last part is the base.

    On this scale part over base is a ratio like any other: a `History` of each part reached and
    the base exposed, on the scale ``log``, is smoothed the same.

    Raises
    ------
    ValueError
        For a share of zero or below.

    Examples
    --------
    >>> import numpy as np
    >>> to_alr(np.array([0.5, 0.25, 0.25])).round(4)
    array([0.6931, 0.    ])
    """
    if (shares <= 0).any():
        raise ValueError("a share of zero has no logarithm: add half a person to each part first")
    scores: Array = np.log(shares[..., :-1]) - np.log(shares[..., -1:])
    return scores


def from_alr(scores: Array) -> Array:
    """Return the shares, which sum to 1, of additive log-ratios along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> from_alr(np.array([np.log(2.0), 0.0])).round(4)
    array([0.5 , 0.25, 0.25])
    """
    full = np.concatenate([scores, np.zeros((*scores.shape[:-1], 1))], axis=-1)
    parts = np.exp(full - full.max(axis=-1, keepdims=True))
    shares: Array = parts / parts.sum(axis=-1, keepdims=True)
    return shares


def _shake_log(mean: Array, error: Array, variance: Array) -> Array:
    shaken: Array = mean * np.exp(error - variance / 2)
    return shaken


def _shake_logit(mean: Array, error: Array, variance: Array) -> Array:
    """Place a logit-normal by its mean: E expit(m + e) ~ expit(m / sqrt(1 + pi v / 8))."""
    inside = (mean > 0) & (mean < 1)
    safe = np.where(inside, mean, HALF)
    centre = (np.log(safe) - np.log1p(-safe)) * np.sqrt(1 + np.pi * variance / 8)
    return np.where(inside, from_logit(centre + error), mean)


@dataclass(frozen=True)
class Scale:
    """A scale by its functions.

    Attributes
    ----------
    forward : callable
        (ratio, exposed) to the place on the scale.
    backward : callable
        The place on the scale to the ratio.
    shake : callable
        (mean, normal error, its variance) to ratios with that error and, on average, that mean.
    """

    forward: Callable[[Array, Array], Array]
    backward: Callable[[Array], Array]
    shake: Callable[[Array, Array, Array], Array]


SCALES: dict[ScaleName, Scale] = {
    "log": Scale(to_log, np.exp, _shake_log),
    "logit": Scale(to_logit, from_logit, _shake_logit),
}
