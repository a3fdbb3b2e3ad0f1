"""The migration schedule of Rogers and Castro, and its fit to net migration by age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.doors import Array

STANDARD = (0.02, 0.1, 0.06, 0.1, 20.0, 0.4, 0.003)
"""a1, alpha1, a2, alpha2, mu2, lambda2, c of Rogers and Castro (1981)."""
FREE = ("a1", "alpha1", "alpha2", "mu2", "lambda2", "c")
LOOSE = np.array([0.7, 0.7, 0.5, 0.15, 0.5, 0.7])
"""How far a parameter may lie from the standard, as a standard deviation of its logarithm."""
RIDGE = 0.01
"""Weight of small levels against a close fit: arrivals and departures of like form would cancel."""
NEWBORN_SHARE = 0.5
"""The newborn of a year live through half of it on average."""


@dataclass(frozen=True)
class Shapes:
    """Schedules of arrivals and departures by age; each adds up to 1, and age 0 counts half."""

    arriving: Array
    leaving: Array


def rogers_castro(
    ages: Sequence[float] | Array,
    *,
    a1: float = 0.02,
    alpha1: float = 0.1,
    a2: float = 0.06,
    alpha2: float = 0.1,
    mu2: float = 20.0,
    lambda2: float = 0.4,
    c: float = 0.003,
) -> Array:
    """Return the migration rate at each age from the schedule of seven parameters.

    ``m(x) = a1 exp(-alpha1 x) + a2 exp(-alpha2 (x - mu2) - exp(-lambda2 (x - mu2))) + c``:
    children, labour and a constant. The defaults are the standard schedule, which adds up to about
    one move in a life.

    Parameters
    ----------
    ages : sequence of float
        Ages in years.
    a1, alpha1 : float
        Level and fall of the rate of children, who move with their parents.
    a2, alpha2, mu2, lambda2 : float
        Level, fall, position and rise of the peak of young workers.
    c : float
        Rate at every age.

    Returns
    -------
    ndarray
        Rates per person and year.

    References
    ----------
    Rogers and Castro, Model Migration Schedules, IIASA RR-81-30 (1981).

    Examples
    --------
    >>> from placeforecast.rates.schedule import rogers_castro
    >>> rogers_castro([0, 20]).round(4)
    array([0.023 , 0.0278])
    """
    x = np.asarray(ages, dtype=float)
    labour = x - mu2
    rates: Array = (
        a1 * np.exp(-alpha1 * x) + a2 * np.exp(-alpha2 * labour - np.exp(-lambda2 * labour)) + c
    )
    return rates


def flow_levels(shapes: Shapes, net: Array, people: Array) -> tuple[Array, Array]:
    """Fit ``net = I arriving - O leaving`` in each cell, neither level below zero.

    Parameters
    ----------
    shapes : Shapes
        Schedules [age].
    net, people : ndarray [cell, age]
        Net rates, and people as weights.

    Returns
    -------
    tuple of ndarray [cell]
        I and O: the solution of the two normal equations with a ridge of one hundredth, or where
        one of the levels would be negative, of the other alone; both scaled to the closest fit.
        Only the net is seen, so the ridge takes the smallest flows that explain it.
    """
    f, g = shapes.arriving, shapes.leaving
    ff, gg, fg = people @ (f * f), people @ (g * g), people @ (f * g)
    nf, ng = (people * net) @ f, (people * net) @ g
    nobody = ff + gg <= 0
    ridge = RIDGE * (ff + gg)
    ff, gg = np.where(nobody, 1.0, ff + ridge), np.where(nobody, 1.0, gg + ridge)
    bottom = ff * gg - fg**2
    inward = (nf * gg - ng * fg) / bottom
    outward = (nf * fg - ng * ff) / bottom
    only_in, only_out = np.maximum(nf / ff, 0.0), np.maximum(-ng / gg, 0.0)
    arriving = np.where(outward < 0, only_in, np.where(inward < 0, 0.0, inward))
    leaving = np.where(inward < 0, only_out, np.where(outward < 0, 0.0, outward))
    square = arriving**2 * (ff - ridge) + leaving**2 * (gg - ridge) - 2 * arriving * leaving * fg
    shared = arriving * nf - leaving * ng
    scale = np.divide(shared, square, out=np.ones(square.shape), where=square > 0)
    return scale * arriving, scale * leaving


def fit_shapes(ages: Array, net: Array, people: Array) -> Shapes:
    """Fit the schedules of arrivals and departures that all cells share.

    Least squares over all cells and ages, weighted by people and scaled by the residual variance
    that the standard schedule leaves; the levels of each cell are solved inside (`flow_levels`).
    The logarithm of each parameter, but for the scale, is held to the standard's by its own
    standard deviation (`LOOSE`), as in a normal prior.

    Parameters
    ----------
    ages : ndarray [age]
    net, people : ndarray [cell, age]
        Net rates, and people as weights.

    Returns
    -------
    Shapes
    """
    from scipy.optimize import least_squares  # heavy, and used here only

    root = np.sqrt(people)
    none = np.zeros(2 * len(FREE))

    def errors(place: Array) -> Array:
        shapes = _shapes(ages, place)
        arriving, leaving = flow_levels(shapes, net, people)
        fitted = np.outer(arriving, shapes.arriving) - np.outer(leaving, shapes.leaving)
        return (root * (net - fitted)).ravel()

    noise = float(np.sqrt((errors(none) ** 2).mean())) + 1e-12

    def cost(place: Array) -> Array:
        return np.concatenate([errors(place) / noise, place])

    fit = least_squares(cost, none, bounds=(-4.0, 4.0), ftol=1e-6, xtol=1e-6, max_nfev=60)
    return _shapes(ages, np.asarray(fit.x, dtype=float))


def _shapes(ages: Array, place: Array) -> Shapes:
    """Schedules from distances to the standard, in standard deviations of the logarithms."""
    standard = np.array([STANDARD[0], STANDARD[1], *STANDARD[3:]])
    both = []
    for part in (place[: len(FREE)], place[len(FREE) :]):
        values = standard * np.exp(LOOSE * part)
        curve = rogers_castro(ages, **dict(zip(FREE, values.tolist(), strict=True)))
        curve = np.where(ages == 0, NEWBORN_SHARE * curve, curve)
        both.append(curve / curve.sum())
    return Shapes(*both)
