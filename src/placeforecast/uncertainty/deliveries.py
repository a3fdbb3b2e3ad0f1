"""Whether and when projects come, drawn in each trajectory.

A project has one latent normal number in each trajectory: low ones come in time, higher ones late,
the highest never. Projects of a batch share a part of it, so that they are late together. What is
drawn depends on the seed, the project and its batch, and on nothing else.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.standards import planning_areas
from placeforecast.tables.problems import AssumptionWarning
from placeforecast.uncertainty.draws import keyed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.places.delivery import Outcomes
    from placeforecast.tables.doors import Array, Flags

    Axes = Mapping[str, Sequence[Any]]

CORRELATION = 0.5
"""Of the latent numbers of two projects of a batch (judged)."""
NOTHING_BELOW = -1e-6
CERTAIN = 1 - 1e-12


@dataclass(frozen=True)
class Swing:
    """What a project does to the places of one district around what is expected of it.

    Attributes
    ----------
    project, batch : str
    chances : ndarray [delay]
        That it comes so many years late; the rest is the chance that it never does.
    places : mapping of str to ndarray [outcome, year, grade]
        By ledger: places minus the expected ones, for each delay and, last, for never.
    """

    project: str
    batch: str
    chances: Array
    places: Mapping[str, Array]


@dataclass(frozen=True)
class Deliveries:
    """The uncertain projects of a plan, by the district (its number) whose places they move."""

    swings: Mapping[int, list[Swing]] = field(default_factory=dict)

    def touch(self, columns: Sequence[int]) -> bool:
        """Whether any of the districts has an uncertain project."""
        return any(column in self.swings for column in columns)


def latent(project: str, batch: str, trajectories: int, seed: int) -> Array:
    """Draw the latent normal number of a project [trajectory].

    Parameters
    ----------
    project, batch : str
        The rows of one project in several stages are late together. Projects of the same batch are
        correlated by 0.5; a blank batch is none.
    trajectories, seed : int
    """
    own = keyed(seed, "delivery", "project", project).standard_normal(trajectories)
    if not batch:
        return own
    shared = keyed(seed, "delivery", "batch", batch).standard_normal(trajectories)
    both: Array = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
    return both


def outcomes_of(chances: Array, numbers: Array) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return what becomes of a project: its delay in years, or as many as there are for never.

    Parameters
    ----------
    chances : ndarray [delay]
        That it comes so many years late.
    numbers : ndarray [trajectory]
        Standard normal; the lower, the earlier.
    """
    normal = NormalDist()
    bounds = [
        -np.inf if total <= 0 else np.inf if total >= CERTAIN else normal.inv_cdf(float(total))
        for total in np.cumsum(chances)
    ]
    return np.searchsorted(np.array(bounds), numbers, side="right")


def drawn_places(
    expected: Array, swings: Sequence[Swing], ledger: str, trajectories: int, seed: int
) -> Array:
    """Draw the places of one district [year, grade, trajectory].

    Their mean over the trajectories is what is expected, but for the error of sampling.

    Parameters
    ----------
    expected : ndarray [year, grade]
        NaN where there is no cell: nothing is drawn there.
    swings : sequence of Swing
    ledger : str
    trajectories, seed : int

    Warns
    -----
    AssumptionWarning
        Where in some trajectory more places go than have come: none are left then.
    """
    places = np.repeat(expected[..., np.newaxis], trajectories, axis=2)
    for swing in swings:
        if ledger in swing.places:
            numbers = latent(swing.project, swing.batch, trajectories, seed)
            outcome = outcomes_of(swing.chances, numbers)
            moved = np.moveaxis(swing.places[ledger], 0, 2)
            rows = np.flatnonzero(moved.any(axis=(0, 2)))
            places[:, rows] += np.take(moved[:, rows], outcome, axis=2)
    if (places < NOTHING_BELOW).any():
        names = ", ".join(dict.fromkeys(swing.project for swing in swings))
        text = (
            "projects: in some trajectories places go that have not come; none are taken to be "
            f"left then, so that their mean is above the expected places ({names})"
        )
        warnings.warn(AssumptionWarning(text), stacklevel=2)
    floored: Array = np.where(places < 0, 0.0, places)  # NaN stays: there is no such cell
    return floored


def deliveries(
    outcomes: Sequence[Outcomes],
    demand: Mapping[str, Array],
    axes: Axes,
    grades: pd.DataFrame,
    standards: pd.DataFrame | None,
    districts: pd.DataFrame | None,
) -> Deliveries:
    """Return how each uncertain project moves the places of each district.

    Places of a stage that is planned at a higher level are allotted like the expected ones: by the
    central demand of the districts of the area.

    Parameters
    ----------
    outcomes : sequence of Outcomes
    demand : mapping of str to ndarray [year, grade, district]
        By ledger: central demand, NaN where there is no cell.
    axes : mapping
        Labels of `year`, `grade` and `district`.
    grades : DataFrame
        The school system, resolved.
    standards : DataFrame or None
        With `planned_at`.
    districts : DataFrame or None
        How districts roll up.
    """
    known = np.stack([~np.isnan(cells) for cells in demand.values()])
    there: Flags = np.any(known, axis=(0, 1))
    areas = _areas(there, axes, grades, standards, districts)
    found: dict[int, list[Swing]] = {}
    for one in outcomes:
        by_district: dict[int, dict[str, Array]] = {}
        for ledger, effects in one.effects.items():
            if ledger not in demand:
                continue
            mean = np.tensordot(one.chances, effects, axes=1)
            swing = np.concatenate([effects, np.zeros_like(effects[:1])]) - mean
            for d, part in _parts(one.district, demand[ledger], axes, areas).items():
                by_district.setdefault(d, {})[ledger] = swing * part
        for d, places in by_district.items():
            found.setdefault(d, []).append(Swing(one.project, one.batch, one.chances, places))
    return Deliveries(found)


def _areas(
    there: Flags,
    axes: Axes,
    grades: pd.DataFrame,
    standards: pd.DataFrame | None,
    districts: pd.DataFrame | None,
) -> list[list[str]]:
    """Return for each grade and district the area in which its places are planned."""
    names = list(axes["district"])
    areas = [list(names) for _ in axes["grade"]]
    if standards is None or not (standards["indicator"] == "planned_at").any():
        return areas
    stage_of = dict(zip(grades["grade"], grades["stage"], strict=True))
    pairs = [(int(g), int(d)) for g, d in np.argwhere(there)]
    cells = pd.DataFrame(
        {
            "district": [names[d] for _, d in pairs],
            "stage": [stage_of[axes["grade"][g]] for g, _ in pairs],
        }
    )
    for (g, d), area in zip(pairs, planning_areas(standards, districts, cells), strict=True):
        areas[g][d] = str(area)
    return areas


def _parts(
    district: str, demand: Array, axes: Axes, areas: Sequence[Sequence[str]]
) -> dict[int, Array]:
    """Return which part of the places of a district each district has [year, grade]."""
    if district not in axes["district"]:
        return {}
    own = list(axes["district"]).index(district)
    needed = np.where(np.isnan(demand), 0.0, demand)
    parts: dict[int, Array] = {}
    for g, area in enumerate(areas):
        members = [d for d, name in enumerate(area) if name == area[own]]
        pooled = len(members) > 1 or area[own] != district
        wanted = needed[:, g, members].sum(axis=1)
        for d in members:
            alone = np.full(len(wanted), float(d == own))
            part = np.divide(needed[:, g, d], wanted, out=alone.copy(), where=wanted > 0)
            share = parts.setdefault(d, np.zeros(demand.shape[:2]))
            share[:, g] = part if pooled else alone
    return parts
