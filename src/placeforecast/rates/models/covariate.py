"""Ratios on covariates: ridge regression, its penalty chosen by origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from placeforecast.rates.models.family import Family
from placeforecast.rates.models.history import divide
from placeforecast.rates.models.scales import to_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array

    Rows = tuple[Array, Array, Array]  # features, change, weight


@dataclass
class Covariate(Family):
    """Ridge regression of the yearly change of a log ratio on last year's and on covariates.

    y_t - y_(t-1) = c + d1 y_(t-1) + d2 Y_(t-1) + d3 z_t, with y the log ratio of a cell, Y that of
    its parent and z the covariates of the year reached (completions of housing, migration), all
    standardised, cells weighted by size (scikit-learn: Hoerl and Kennard 1970). A heavy penalty
    leads back to the last ratio. The penalty is the one with the least squared error when the years
    up to each origin forecast the next, never a random split. Later leads feed on earlier ones.

    Needs five ratios, and three such origins; below, no cell is fitted.

    Parameters
    ----------
    given : tuple of mapping, optional
        Covariates, each {year: one value per cell}, for every year after the first of the history
        and every year to be predicted.
    penalties : tuple of float
        Those to choose from.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.models import Covariate, History
    >>> years = tuple(range(2015, 2025))
    >>> built = {year: [0.0, 0.1 * (year % 2)] for year in range(2015, 2027)}
    >>> reached = np.array([[100.0, 100.0 + 50 * built[year][1]] for year in years])
    >>> history = History(reached, np.full((10, 2), 100.0), years)
    >>> Covariate(given=(built,), penalties=(0.01,)).fit(history).predict([2025, 2026]).round(2)
    array([[1.  , 1.05],
           [1.  , 1.  ]])
    """

    shortest: ClassVar[int] = 5
    fewest_origins: ClassVar[int] = 3

    given: tuple[Mapping[int, Sequence[float]], ...] = ()
    penalties: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0, 1000.0)
    penalty_: float = field(init=False, repr=False, compare=False)
    origins_: int = field(init=False, repr=False, compare=False)
    model_: Any = field(init=False, repr=False, compare=False)
    place_: Array = field(init=False, repr=False, compare=False)
    size_: Array = field(init=False, repr=False, compare=False)
    member_: Array = field(init=False, repr=False, compare=False)

    def _learn(self, history: History) -> None:
        place = to_log(history.ratio, history.exposed)
        carried = _carried(place)
        size = _carried(np.where(np.isfinite(place), history.exposed, np.nan))
        self.member_, self.place_ = history.member, carried[-1]
        self.size_ = np.where(np.isfinite(size[-1]), size[-1], 0.0)
        years = []
        for t in range(1, len(history.years)):
            known = np.where(np.isfinite(size[t - 1]), size[t - 1], 0.0)
            features = self._features(carried[t - 1], known, history.years[t])
            change = place[t] - carried[t - 1]
            seen = np.isfinite(change) & np.isfinite(features).all(axis=1) & self.fitted_
            if seen.any():
                years.append((features[seen], change[seen], history.exposed[t][seen]))
        self.origins_ = max(len(years) - 1, 0)
        if self.origins_ < self.fewest_origins:
            self.fitted_ = np.zeros_like(self.fitted_)
            return
        errors = [_error_by_origin(years, penalty) for penalty in self.penalties]
        self.penalty_ = self.penalties[int(np.argmin(errors))]
        self.model_ = _ridge(years, self.penalty_)

    def _features(self, place: Array, size: Array, year: int) -> Array:
        """Return the covariates of each cell [cell, feature]."""
        ratio = np.where(size > 0, np.exp(np.where(size > 0, place, 0.0)), 0.0)
        parent = divide((ratio * size) @ self.member_, size @ self.member_)
        above = np.log(parent, out=np.full(len(parent), np.nan), where=parent > 0)
        columns = [place, self.member_ @ np.where(np.isfinite(above), above, 0.0)]
        for covariate in self.given:
            if year not in covariate:
                raise ValueError(f"a covariate has no value for {year}")
            columns.append(np.asarray(covariate[year], dtype=float))
        return np.stack(columns, axis=1)

    def _ahead(self, leads: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Array:
        place = np.where(self.fitted_, self.place_, 0.0)
        paths = [place]
        size = np.where(self.fitted_, self.size_, 0.0)
        for lead in range(1, leads.max(initial=0) + 1 if self.fitted_.any() else 1):
            features = self._features(place, size, self.last_year_ + lead)
            place = place + np.where(self.fitted_, self.model_.predict(features), 0.0)
            paths.append(place)
        if not self.fitted_.any():
            return np.full((len(leads), len(place)), np.nan)
        ahead: Array = np.exp(np.stack(paths))[leads]
        return ahead


def _carried(place: Array) -> Array:
    """Fill each hole with the latest value before it [year, cell]."""
    at = np.where(np.isfinite(place), np.arange(len(place))[:, np.newaxis], 0)
    carried: Array = np.take_along_axis(place, np.maximum.accumulate(at, axis=0), axis=0)
    return carried


def _ridge(years: Sequence[Rows], penalty: float) -> Any:  # noqa: ANN401
    """Fit the regression on the rows of some years."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, change, weight = (np.concatenate(part) for part in zip(*years, strict=True))
    model = make_pipeline(StandardScaler(), Ridge(alpha=penalty))
    # Weights of mean 1: the penalty then means the same for large and small districts.
    return model.fit(features, change, ridge__sample_weight=weight / weight.mean())


def _error_by_origin(years: Sequence[Rows], penalty: float) -> float:
    """Return the squared error of each year forecast from the years before it, by size."""
    squares, sizes = 0.0, 0.0
    for origin in range(1, len(years)):
        features, change, weight = years[origin]
        error = change - _ridge(years[:origin], penalty).predict(features)
        squares += float((weight * error**2).sum())
        sizes += float(weight.sum())
    return squares / sizes
