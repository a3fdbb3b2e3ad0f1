"""Trajectories: multipliers of the central run, drawn from the errors of past launches."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.uncertainty.errors import FREEDOM, ErrorModel, extend, similar

if TYPE_CHECKING:
    from placeforecast.tables.doors import Array


@dataclass(frozen=True)
class BirthShocks:
    """Errors of births that are not recorded at the launch.

    Attributes
    ----------
    shared, own : float
        Standard deviation of the yearly change of log births that all districts share, and of each
        district's own.
    """

    shared: float
    own: float


def fit_births(births: Array) -> BirthShocks:
    """Learn how births move from year to year [year, district], NaN where not known.

    The change that all districts share is that of their total; each district's own is the rest,
    held apart so that districts do not all miss in the same way.
    """
    both = births[:, ~np.isnan(births).any(axis=0)]
    if both.shape[0] < 2 or not both.size or (both <= 0).any():
        return BirthShocks(0.0, 0.0)
    total = np.diff(np.log(both.sum(axis=1)))
    own = np.diff(np.log(both), axis=0) - total[:, np.newaxis]
    return BirthShocks(float(np.sqrt(np.mean(total**2))), float(np.sqrt(np.mean(own**2))))


def keyed(seed: int, *labels: str) -> np.random.Generator:
    """Return a generator that depends on the seed and the labels alone."""
    return np.random.default_rng([seed, *(zlib.crc32(label.encode()) for label in labels)])


def student(seed: int, parent: str, trajectories: int) -> Array:
    """Draw the shock that all districts of a parent share: Student's t, variance 1."""
    scale = np.sqrt(FREEDOM / (FREEDOM - 2))
    shock: Array = keyed(seed, "shared", parent).standard_t(FREEDOM, trajectories) / scale
    return shock


def multipliers(
    model: ErrorModel,
    district: str,
    parent: str,
    size: float,
    leads: int,
    trajectories: int,
    seed: int,
) -> Array:
    """Draw the multipliers of one district [lead, grade, trajectory], each with mean 1.

    The log multiplier is the shared shock times its spread at the stage and lead, plus the own
    vector of one past district of similar size, scaled to this one's size.

    Parameters
    ----------
    model : ErrorModel
    district, parent : str
        Labels; draws depend on them, on the seed and on nothing else.
    size : float
        Pupils of the district at the launch.
    leads, trajectories, seed : int
    """
    stage = model.stage_of
    growth = model.growth[stage]
    lead = np.arange(1, leads + 1)[:, np.newaxis] ** growth
    spread = (model.shared[stage] * lead)[..., np.newaxis]
    shared = spread * student(seed, parent, trajectories)
    pool = extend(model.own[similar(model, size)], leads, growth)
    pool = pool - pool.mean(axis=0)
    picked = keyed(seed, "own", district).integers(0, len(pool), trajectories)
    own = pool[picked].transpose(1, 2, 0) * model.spread(size)
    return centred(shared + own)


def birth_multipliers(
    shocks: BirthShocks,
    district: str,
    parent: str,
    share_left: Array,
    trajectories: int,
    seed: int,
) -> Array:
    """Draw the multipliers of a district's cohorts [cohort, trajectory], each with mean 1.

    A random walk from the last recorded month on: the change of a year counts by the share of the
    cohort that is not yet recorded.

    Parameters
    ----------
    shocks : BirthShocks
    district, parent : str
    share_left : ndarray [cohort]
        Share of each cohort's births that is not recorded, in the order of the cohorts.
    trajectories, seed : int
    """
    shape = (len(share_left), trajectories)
    shared = keyed(seed, "births", parent).standard_normal(shape) * shocks.shared
    own = keyed(seed, "births", "own", district).standard_normal(shape) * shocks.own
    return centred(np.cumsum((shared + own) * share_left[:, np.newaxis], axis=0))


def centred(log_multiplier: Array) -> Array:
    """Return multipliers whose mean over the trajectories (the last axis) is 1."""
    multiplier = np.exp(log_multiplier)
    scaled: Array = multiplier / multiplier.mean(axis=-1, keepdims=True)
    return scaled
