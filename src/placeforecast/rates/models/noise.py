"""How much of a ratio's change is drift, and how much is the luck of few children.

A ratio on its scale is a level that drifts (variance `drift` a year) seen through the noise of
counting (variance `sampling` / N with N expected to be reached). Then for two years k apart

    E[(y_t - y_(t-k))^2] = k drift + sampling (1/N_t + 1/N_(t-k))

which is a variogram: drift grows with k, noise does not. Both are fitted together to the pairs of
all cells by least squares, non-negative, with weights of one over the squared variance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array

LAGS = 5  # pairs further apart are few, and a drift that turns back looks like none in them
ROUNDS = 6
MEDIAN_OF_SQUARE = 0.455  # of a standard normal
ODD = 9.0  # a squared change counts at most as three standard deviations
FEW = 3.0  # but a change by so many persons is never odd
STEADIEST = 200.0  # a cell of so many drifts in a year by no more than its own noise
ALIKE = 1e-9


def inverse_size(history: History) -> Array:
    """Return one over the number expected to be reached; NaN where the ratio is not defined.

    The number expected is exposed times the cell's own mean ratio, so that one odd year does not
    set its own weight.
    """
    defined = np.isfinite(history.ratio)
    reached = np.where(defined, history.reached, 0.0).sum(axis=0)
    exposed = np.where(defined, history.exposed, 0.0).sum(axis=0)
    mean = np.maximum(reached, 0.5) / np.where(exposed > 0, exposed, 1.0)
    expected = np.where(defined, history.exposed, 1.0) * mean
    return np.where(defined, 1 / expected, np.nan)


def mean_size(inverse: Array) -> Array:
    """Return the mean of `inverse_size` over the years of each cell; 0 for a cell without any."""
    defined = np.isfinite(inverse)
    total: Array = np.where(defined, inverse, 0.0).sum(axis=0) / np.maximum(defined.sum(axis=0), 1)
    return total


def split_noise(place: Array, inverse: Array) -> tuple[float, float] | None:
    """Return drift and sampling, learnt from all cells; None where no cell has two years.

    One odd year (a boundary moved) counts at most as three standard deviations. With sizes alike
    and no more than two years the two cannot be told apart, and all is sampling.

    Parameters
    ----------
    place : ndarray [year, cell]
        Ratios on their scale; NaN where not defined.
    inverse : ndarray [year, cell]
        As `inverse_size` returns it.
    """
    lags, sizes, squares = _pairs(place, inverse)
    if not len(squares):
        return None
    scaled = squares / sizes
    drift, sampling = 0.0, float(np.median(scaled)) / MEDIAN_OF_SQUARE or float(scaled.mean())
    for _ in range(ROUNDS):
        variance = drift * lags + sampling * sizes
        if variance.max() < np.finfo(float).tiny:
            return 0.0, 0.0
        bound = np.maximum(ODD * variance, (FEW * sizes / 2) ** 2)
        bounded, weight = np.minimum(squares, bound), 1 / variance**2
        drift, sampling = two_terms(lags, sizes, bounded, weight)
        if drift * STEADIEST > sampling:
            _, sampling = two_terms(0 * lags, sizes + lags / STEADIEST, bounded, weight)
            drift = sampling / STEADIEST
    return drift, sampling


def _pairs(place: Array, inverse: Array) -> tuple[Array, Array, Array]:
    """Return lag, summed inverse size and squared change of every two years of a cell."""
    lags, sizes, squares = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for lag in range(1, min(LAGS, len(place) - 1) + 1):
        change = place[lag:] - place[:-lag]
        size = inverse[lag:] + inverse[:-lag]
        known = np.isfinite(change) & np.isfinite(size)
        lags.append(np.full(int(known.sum()), float(lag)))
        sizes.append(size[known])
        squares.append(change[known] ** 2)
    return np.concatenate(lags), np.concatenate(sizes), np.concatenate(squares)


def two_terms(first: Array, second: Array, target: Array, weight: Array) -> tuple[float, float]:
    """Fit target = a first + b second with neither below zero; b alone where they are alike."""
    faa, fab, fbb = (float((weight * x).sum()) for x in (first**2, first * second, second**2))
    fat, fbt = float((weight * first * target).sum()), float((weight * second * target).sum())
    determinant = faa * fbb - fab * fab
    if determinant <= ALIKE * faa * fbb:
        return 0.0, max(fbt / fbb, 0.0)
    a, b = (fat * fbb - fbt * fab) / determinant, (fbt * faa - fat * fab) / determinant
    if a < 0:
        return 0.0, max(fbt / fbb, 0.0)
    if b < 0:
        return max(fat / faa, 0.0), 0.0
    return a, b
