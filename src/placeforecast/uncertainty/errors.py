"""The error model: what past launches say about the errors of the next one.

The error of a cell is the logarithm of actual over forecast pupils. It is split into a part that
all districts of a launch share (the median over districts of the stage's error) and each district's
own rest, kept as whole vectors over grades and leads, so that grades and leads move together. The
shared part is drawn from a Student distribution, because launches are few and the next one may be
worse than any of them; the own part is resampled. Only cells whose children were born and recorded
at the launch are learnt from: the unborn have an error of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.tables.doors import Array, Flags
    from placeforecast.uncertainty.past import Replayed

FREEDOM = 5
"""Degrees of freedom of the shared shock: heavy tails, and still a variance."""

SLOWEST, PROPORTIONAL, FASTEST = 0.3, 1.0, 2.0
"""Bounds of the power of the lead with which errors grow; 1 (in proportion) where leads are few."""

LEADS_FOR_GROWTH = 3
NEIGHBOURS = 15
"""At least so many districts of similar size are resampled from."""


@dataclass(frozen=True)
class ErrorModel:
    """Errors learnt from past launches.

    Attributes
    ----------
    shared : ndarray [stage]
        Standard deviation of the shared error at lead 1, widened for the number of launches.
    growth : ndarray [stage]
        Power of the lead with which errors grow.
    own : ndarray [sample, lead, grade]
        Own errors divided by `spread` at the size of the district they are from, widened; leads
        that a launch did not reach are extended from its longest by `growth`.
    sizes : ndarray [sample]
        Pupils of the sample's district at its launch.
    size_terms : tuple of float
        a and b of the spread: variance a + b / pupils.
    stage_of : list of int
        Stage of each grade.
    launches : int
        Launches that were learnt from.
    """

    shared: Array
    growth: Array
    own: Array
    sizes: Array
    size_terms: tuple[float, float]
    stage_of: list[int]
    launches: int

    def spread(self, size: Array | float) -> Array:
        """Return the standard deviation of own errors of a district of some size."""
        a, b = self.size_terms
        spread: Array = np.sqrt(a + b / np.maximum(np.asarray(size, dtype=float), 1.0))
        return spread


def fit_errors(
    replayed: Replayed, stages: Sequence[str], stage_by_grade: Mapping[str, str], known_to: int
) -> ErrorModel | None:
    """Learn errors from the launches whose outcomes are known.

    Parameters
    ----------
    replayed : Replayed
        Past launches.
    stages : sequence of str
        Stages, in order.
    stage_by_grade : mapping of str to str
        Stage of each grade.
    known_to : int
        Last year whose pupils are known: an error of a later year is not learnt from.

    Returns
    -------
    ErrorModel or None
        None if no launch has an outcome.
    """
    stage_of = [list(stages).index(stage_by_grade[g]) for g in replayed.axes["grade"]]
    usable = _usable(replayed, known_to)
    learnt = [i for i in range(len(usable)) if usable[i].any()]
    if not learnt:
        return None
    cell = _log_ratio(replayed.actual[learnt], replayed.forecast[learnt], usable[learnt])
    stage = _stage_errors(replayed, learnt, usable[learnt], stage_of, len(stages))
    shared = _median(stage)
    growth = np.array([_growth(stage[:, :, s]) for s in range(len(stages))])
    n = len(learnt)
    at_lead_1 = [_rms_of_launches(shared[:, :, s], growth[s]) for s in range(len(stages))]
    own = cell - np.nan_to_num(shared[:, :, stage_of])[..., np.newaxis]
    size = np.nansum(replayed.launched[learnt], axis=1)
    samples, sizes = _vectors(own, size, growth[stage_of])
    terms = _size_terms(samples, sizes)
    model = ErrorModel(
        shared=np.array(at_lead_1) * np.sqrt(1 + 2 / n),
        growth=growth,
        own=samples,
        sizes=sizes,
        size_terms=terms,
        stage_of=stage_of,
        launches=n,
    )
    # Own errors are many, but measured around the median of their own launch.
    scaled = samples / model.spread(sizes)[:, np.newaxis, np.newaxis] * np.sqrt(1 + 0.5 / n)
    return replace(model, own=scaled)


def _usable(replayed: Replayed, known_to: int) -> Flags:
    """Return the cells with an outcome known in time, of children born at the launch."""
    launch = np.array(replayed.axes["launch"])[:, np.newaxis]
    year = launch + np.array(replayed.axes["lead"])
    in_time = (year <= known_to)[..., np.newaxis, np.newaxis]
    taught = (replayed.actual > 0) & (replayed.forecast > 0)
    return np.asarray(in_time & taught & (replayed.share_born == 1))


def _log_ratio(actual: Array, forecast: Array, usable: Flags) -> Array:
    ratio = np.divide(actual, forecast, out=np.full(actual.shape, np.nan), where=usable)
    logs: Array = np.log(ratio, out=np.full(actual.shape, np.nan), where=usable)
    return logs


def _stage_errors(
    replayed: Replayed, learnt: list[int], usable: Flags, stage_of: list[int], stages: int
) -> Array:
    """Log error of each stage's total [launch, lead, stage, district], over its usable grades."""
    actual = np.where(usable, replayed.actual[learnt], 0.0)
    forecast = np.where(usable, replayed.forecast[learnt], 0.0)
    parts = []
    for stage in range(stages):
        rows = [g for g, own in enumerate(stage_of) if own == stage]
        a, f = actual[:, :, rows].sum(axis=2), forecast[:, :, rows].sum(axis=2)
        parts.append(_log_ratio(a, f, np.asarray((a > 0) & (f > 0))))
    return np.stack(parts, axis=2)


def _median(errors: Array) -> Array:
    """Median over districts; NaN where no district has the stage."""
    flat = errors.reshape(-1, errors.shape[-1])
    medians = [np.median(row[~np.isnan(row)]) if (~np.isnan(row)).any() else np.nan for row in flat]
    return np.array(medians).reshape(errors.shape[:-1])


def _growth(errors: Array) -> float:
    """Power of the lead with which the errors of a stage grow [launch, lead, district]."""
    known = ~np.isnan(errors)
    count = known.sum(axis=(0, 2))
    leads = np.flatnonzero(count) + 1
    if len(leads) < LEADS_FOR_GROWTH:
        return PROPORTIONAL
    squared = np.where(known, errors, 0.0) ** 2
    mean = squared.sum(axis=(0, 2))[leads - 1] / count[leads - 1]
    positive = mean > 0
    if positive.sum() < LEADS_FOR_GROWTH:
        return PROPORTIONAL
    weight = np.sqrt(count[leads - 1][positive])
    slope = np.polyfit(np.log(leads[positive]), np.log(mean[positive]) / 2, 1, w=weight)[0]
    return float(np.clip(slope, SLOWEST, FASTEST))


def _rms_of_launches(shared: Array, growth: float) -> float:
    """Root mean square at lead 1 of the shared error [launch, lead]; each launch counts alike."""
    lead = np.arange(1, shared.shape[1] + 1) ** growth
    known = ~np.isnan(shared)
    per_launch = []
    for row, has in zip(shared, known, strict=True):
        if has.any():
            per_launch.append(np.mean((row[has] / lead[has]) ** 2))
    return float(np.sqrt(np.mean(per_launch))) if per_launch else 0.0


def _vectors(own: Array, size: Array, growth: Array) -> tuple[Array, Array]:
    """Return own errors as vectors [sample, lead, grade], each lead filled, and their sizes.

    A sample is a district at a launch. A lead beyond its longest is that one's error, grown by the
    power of the lead; a grade without any error (nobody was in it) has none.
    """
    samples = own.transpose(0, 3, 1, 2).reshape(-1, own.shape[1], own.shape[2])
    sizes = size.reshape(-1)
    some = ~np.isnan(samples).all(axis=(1, 2))
    samples, sizes = samples[some].copy(), sizes[some]
    for lead in range(1, samples.shape[1]):
        hole = np.isnan(samples[:, lead])
        grown = samples[:, lead - 1] * ((lead + 1) / lead) ** growth
        samples[:, lead] = np.where(hole, grown, samples[:, lead])
    for lead in range(samples.shape[1] - 2, -1, -1):
        hole = np.isnan(samples[:, lead])
        shrunk = samples[:, lead + 1] * ((lead + 1) / (lead + 2)) ** growth
        samples[:, lead] = np.where(hole, shrunk, samples[:, lead])
    return np.where(np.isnan(samples), 0.0, samples), sizes


def _size_terms(samples: Array, sizes: Array) -> tuple[float, float]:
    """Fit variance = a + b / pupils to the own errors at lead 1, neither below zero."""
    variance = (samples[:, 0] ** 2).mean(axis=1)
    inverse = 1 / np.maximum(sizes, 1.0)
    level = float(variance.mean())
    if level == 0:
        return 1.0, 0.0
    design = np.stack([np.ones_like(inverse), inverse], axis=1)
    (a, b), *_ = np.linalg.lstsq(design, variance, rcond=None)
    if b < 0:
        return level, 0.0
    if a < 0:
        return 0.0, float((variance * inverse).sum() / (inverse**2).sum())
    return float(a), float(b)


def extend(vectors: Array, leads: int, growth: Array) -> Array:
    """Extend vectors [sample, lead, grade] to more leads by the growth of errors."""
    have = vectors.shape[1]
    if leads <= have:
        return vectors[:, :leads]
    further = (np.arange(have + 1, leads + 1) / have)[:, np.newaxis] ** growth
    return np.concatenate([vectors, vectors[:, -1:, :] * further], axis=1)


def similar(model: ErrorModel, size: float) -> Any:  # noqa: ANN401
    """Return the samples nearest in size: a third of them, and at least fifteen."""
    distance = np.abs(np.log(np.maximum(model.sizes, 1.0)) - np.log(max(size, 1.0)))
    count = min(len(distance), max(NEIGHBOURS, len(distance) // 3))
    farthest = np.sort(distance)[count - 1]
    return np.flatnonzero(distance <= farthest)
