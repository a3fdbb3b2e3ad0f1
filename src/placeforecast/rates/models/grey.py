"""The grey model GM(1,1): a comparator, because many Chinese forecasts are made with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from placeforecast.rates.models.family import Family
from placeforecast.rates.models.history import divide

if TYPE_CHECKING:
    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array

FLAT = 1e-8


@dataclass
class GreyModel(Family):
    """GM(1,1): one exponential through the accumulated series (Deng 1982, 1989).

    With X_k = x_1 + ... + x_k and z_k = (X_k + X_(k-1)) / 2, the least squares of x_k = b - a z_k
    give X_(k+1) = (x_1 - b/a) exp(-a k) + b/a, and so x_(k+1) = (1 - e^a)(x_1 - b/a) exp(-a k). It
    is meant for levels: `reached` with all exposed one. It cannot turn, and is here to be compared
    with. Needs four values; years without one are skipped. A series so uneven that the exponential
    would be negative is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import GreyModel, History
    >>> pupils = np.array([[2.874], [3.278], [3.337], [3.390], [3.679]])
    >>> history = History(pupils, np.ones((5, 1)), (2020, 2021, 2022, 2023, 2024))
    >>> GreyModel().fit(history).predict([2025]).round(3)
    array([[3.751]])
    """

    shortest: ClassVar[int] = 4

    development_: Array = field(init=False, repr=False, compare=False)
    control_: Array = field(init=False, repr=False, compare=False)
    first_: Array = field(init=False, repr=False, compare=False)
    count_: Array = field(init=False, repr=False, compare=False)

    def _learn(self, history: History) -> None:
        series = history.ratio
        seen = np.isfinite(series)
        value = np.where(seen, series, 0.0)
        order = np.cumsum(seen, axis=0)
        self.count_ = order[-1].astype(float)
        self.first_ = np.where(seen & (order == 1), value, 0.0).sum(axis=0)
        fitted = seen & (order > 1)
        number = np.maximum(fitted.sum(axis=0), 1)
        background = np.cumsum(value, axis=0) - value / 2
        mean_z = np.where(fitted, background, 0.0).sum(axis=0) / number
        mean_x = np.where(fitted, value, 0.0).sum(axis=0) / number
        centred = np.where(fitted, background - mean_z, 0.0)
        slope = divide((centred * (value - mean_x)).sum(axis=0), (centred**2).sum(axis=0))
        self.development_ = -np.where(np.isfinite(slope), slope, 0.0)
        self.control_ = mean_x + self.development_ * mean_z

    def _ahead(self, leads: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Array:
        a, b = self.development_, self.control_
        k = self.count_ - 1 + leads[:, np.newaxis]
        # (1 - e^a)(x_1 - b/a) without dividing by an a of nearly zero.
        flat = np.abs(a) < FLAT
        rise = np.where(flat, 1.0, np.expm1(a) / np.where(flat, 1.0, a))
        start = b - a * self.first_
        return np.where(start >= 0, start * rise * np.exp(-a * k), np.nan)
