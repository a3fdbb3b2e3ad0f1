"""Intervals held against what came: how often they covered, and how wide they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.tables.districts import ancestors
from placeforecast.uncertainty.draws import multipliers
from placeforecast.uncertainty.errors import ErrorModel, fit_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from placeforecast.tables.doors import Array
    from placeforecast.uncertainty.past import Replayed


@dataclass(frozen=True)
class Intervals:
    """Quantiles of past forecasts, from the errors that were known at each launch.

    Attributes
    ----------
    grades : ndarray [quantile, launch, lead, grade, district]
        Pupils; NaN where no earlier launch had an outcome.
    stages : ndarray [quantile, launch, lead, stage, district]
        Pupils of whole stages.
    launches : ndarray [launch]
        Earlier launches that were learnt from.
    """

    grades: Array
    stages: Array
    launches: Array


def top_of(districts: pd.DataFrame | None, names: Sequence[str]) -> dict[str, str]:
    """Return the topmost parent of each district; without parents one shock is shared by all."""
    chains = {} if districts is None else ancestors(districts)
    return {name: chains[name][-1] if chains.get(name) else "" for name in names}


def past_intervals(
    replayed: Replayed,
    stages: Sequence[str],
    stage_by_grade: Mapping[str, str],
    parents: Mapping[str, str],
    quantiles: Sequence[float],
    *,
    trajectories: int = 500,
    seed: int = 1,
) -> Intervals:
    """Draw the interval of every replayed launch from launches before it.

    Parameters
    ----------
    replayed : Replayed
        Past launches.
    stages, stage_by_grade : sequence, mapping
        The stages in order, and the stage of each grade.
    parents : mapping of str to str
        The parent whose shock a district shares.
    quantiles : sequence of float
        Rising.
    trajectories, seed : int
        Draws per district.

    Returns
    -------
    Intervals
    """
    shape = (len(quantiles), *replayed.forecast.shape)
    grades = np.full(shape, np.nan)
    whole = np.full((*shape[:3], len(stages), shape[4]), np.nan)
    launches = np.zeros(shape[1])
    of_stage = [list(stages).index(stage_by_grade[g]) for g in replayed.axes["grade"]]
    for i, launch in enumerate(replayed.axes["launch"]):
        model = fit_errors(_before(replayed, i), stages, stage_by_grade, int(launch))
        if model is None:
            continue
        launches[i] = model.launches
        for d, district in enumerate(replayed.axes["district"]):
            size = float(np.nansum(replayed.launched[i, :, d]))
            draws = _draws(model, district, parents[district], size, shape[2], (trajectories, seed))
            pupils = replayed.forecast[i, :, :, d, np.newaxis] * draws
            grades[:, i, :, :, d] = quantiles_of(pupils, quantiles)
            for s in range(len(stages)):
                rows = [g for g, own in enumerate(of_stage) if own == s]
                here = ~np.isnan(replayed.forecast[i, :, rows, d]).all(axis=0)
                summed = np.nansum(pupils[:, rows], axis=1)
                whole[:, i, here, s, d] = quantiles_of(summed, quantiles)[:, here]
    return Intervals(grades, whole, launches)


def _before(replayed: Replayed, i: int) -> Replayed:
    axes = {**replayed.axes, "launch": replayed.axes["launch"][:i]}
    return replace(
        replayed,
        forecast=replayed.forecast[:i],
        actual=replayed.actual[:i],
        share_born=replayed.share_born[:i],
        launched=replayed.launched[:i],
        axes=axes,
    )


def _draws(
    model: ErrorModel,
    district: str,
    parent: str,
    size: float,
    leads: int,
    drawn: tuple[int, int],
) -> Array:
    trajectories, seed = drawn
    return multipliers(model, district, parent, size, leads, trajectories, seed)


def quantiles_of(draws: Array, quantiles: Sequence[float]) -> Array:
    """Return quantiles over the last axis, first [quantile, ...]; linear between order statistics.

    One sort of every row is faster than asking for each quantile.
    """
    ordered = np.sort(draws, axis=-1)
    last = ordered.shape[-1] - 1
    parts = []
    for quantile in quantiles:
        at = quantile * last
        low = int(np.floor(at))
        high = min(low + 1, last)
        parts.append(ordered[..., low] + (at - low) * (ordered[..., high] - ordered[..., low]))
    return np.stack(parts)
