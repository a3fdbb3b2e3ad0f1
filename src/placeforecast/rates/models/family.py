"""What all rate models share: short histories left out, and random runs around the prediction.

The error of a run is a log-normal random walk (logit-normal on that scale). Drift and sampling
noise are learnt from the changes of all cells together (`noise`). A run starts with the noise of
the level that it was launched from, drifts every year, and meets fresh noise in each:

    variance at lead h = h drift + 2 sampling / N

which at lead 1 is that of a one-step change. At least a tenth of that is taken for drift, since a
short history cannot show that there is none. Where there is no change to learn from, sampling is 1:
persons who come independently of each other. Errors of cells are independent; what all districts
share is added by whoever runs the chain.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from placeforecast.rates.models.history import enough
from placeforecast.rates.models.noise import inverse_size, mean_size, split_noise
from placeforecast.rates.models.scales import SCALES, ScaleName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.rates.models.history import History
    from placeforecast.tables.doors import Array, Flags

LEAST_DRIFT = 0.1
POISSON = 1.0


@dataclass(frozen=True)
class Errors:
    """Variances of a cell's errors on its scale, learnt from a history.

    Attributes
    ----------
    drift, noise : ndarray [cell]
        Of a year's drift, and of the noise of a count.
    scale : str
        The scale they are on.
    """

    drift: Array
    noise: Array
    scale: ScaleName

    @classmethod
    def learn(cls, history: History, scale: ScaleName) -> Errors:
        """Learn from the changes of all cells."""
        place = SCALES[scale].forward(history.ratio, history.exposed)
        inverse = inverse_size(history)
        split = split_noise(place, inverse)
        drift, sampling = (0.0, POISSON) if split is None else split
        noise = sampling * mean_size(inverse)
        return cls(np.maximum(drift, LEAST_DRIFT * (drift + 2 * noise)), noise, scale)

    def draw(
        self, mean: Array, leads: Sequence[int], trajectories: int, rng: np.random.Generator
    ) -> Array:
        """Return runs around the mean [year, cell]; asking for later years changes no earlier one.

        At lead 0 and before, a run is the mean itself.
        """
        shape = (len(self.drift), trajectories)
        drift, noise = self.drift[:, np.newaxis], self.noise[:, np.newaxis]
        shake = SCALES[self.scale].shake
        runs = np.repeat(mean[..., np.newaxis], trajectories, axis=-1)
        walk = np.sqrt(noise) * rng.standard_normal(shape)
        for lead in range(1, max(leads, default=0) + 1):
            walk = walk + np.sqrt(drift) * rng.standard_normal(shape)
            error = walk + np.sqrt(noise) * rng.standard_normal(shape)
            for at in (at for at, asked in enumerate(leads) if asked == lead):
                runs[at] = shake(mean[at][:, np.newaxis], error, lead * drift + 2 * noise)
        return runs


@dataclass
class Family(ABC):
    """The parent of the rate models: a model says how it learns and what lies ahead."""

    shortest: ClassVar[int] = 1

    last_year_: int = field(init=False, repr=False, compare=False)
    fitted_: Flags = field(init=False, repr=False, compare=False)
    errors_: Errors = field(init=False, repr=False, compare=False)

    def fit(self, history: History) -> Self:
        """Learn from a history and return the model."""
        self.last_year_ = history.years[-1]
        self.fitted_ = enough(history, self.shortest)
        self.errors_ = Errors.learn(history, self._scale())
        self._learn(history)
        return self

    def predict(self, years: Sequence[int]) -> Array:
        """Return the ratio [year, cell]; NaN for a cell with less than the shortest history."""
        ahead = self._ahead(np.array([max(year - self.last_year_, 0) for year in years], dtype=int))
        return np.where(self.fitted_, ahead, np.nan)

    def simulate(self, years: Sequence[int], trajectories: int, rng: np.random.Generator) -> Array:
        """Return random runs [year, cell, trajectory] whose mean is the prediction.

        Parameters
        ----------
        years : sequence of int
            As for `predict`.
        trajectories : int
            How many runs.
        rng : Generator
            The same seed gives the same runs.
        """
        leads = [year - self.last_year_ for year in years]
        return self.errors_.draw(self.predict(years), leads, trajectories, rng)

    def _scale(self) -> ScaleName:
        return "log"

    @abstractmethod
    def _learn(self, history: History) -> None:
        """Learn every cell, also those that are too short: `predict` leaves them out."""

    @abstractmethod
    def _ahead(self, leads: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Array:
        """Return the ratio [lead, cell]."""
