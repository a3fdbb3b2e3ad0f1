"""Trajectories of pupils, and what they say of demand and balance.

Districts are drawn one after the other, all trajectories at once; what is left of a district is its
quantiles and its part of the sums of its parents, added in the order of the districts. So a figure
depends on the seed and on its own districts, and on nothing else.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from placeforecast.places.supply import RISK_ADJUSTED
from placeforecast.uncertainty.calibrate import quantiles_of
from placeforecast.uncertainty.central import families, part_of
from placeforecast.uncertainty.deliveries import drawn_places
from placeforecast.uncertainty.draws import birth_multipliers, multipliers
from placeforecast.uncertainty.reduce import Drawn, by_group, filled, keep, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placeforecast.tables.doors import Array
    from placeforecast.uncertainty.central import Central
    from placeforecast.uncertainty.learn import Learnt
    from placeforecast.uncertainty.reduce import Layout, Name

CHUNKS = 4
"""For each process, so that none waits long for the last one."""


@dataclass(frozen=True)
class Sampling:
    """What is drawn, and what is kept of it.

    Attributes
    ----------
    learnt : Learnt
        Errors to draw from.
    quantiles : tuple of float
        Between 0 and 1.
    trajectories, seed : int
    jobs : int
        Processes for districts; no figure depends on it.
    """

    learnt: Learnt
    quantiles: tuple[float, ...]
    trajectories: int
    seed: int
    jobs: int = 1

    @property
    def text(self) -> str:
        """What is drawn, in words."""
        return f"{self.trajectories} trajectories, seed {self.seed}, from {self.learnt.source}"


def draw(
    central: Central,
    learnt: Learnt,
    quantiles: Sequence[float],
    trajectories: int,
    seed: int,
    *,
    chunk: int | None = None,
    jobs: int = 1,
) -> Drawn:
    """Draw trajectories and reduce them to quantiles, chances and expected values.

    Parameters
    ----------
    central : Central
        The central run.
    learnt : Learnt
        Errors to draw from.
    quantiles : sequence of float
        Closed under 1 - q, rising.
    trajectories, seed : int
    chunk : int, optional
        How many topmost parents, with all that lies below them, are drawn at a time. No area
        reaches from one into another: the figures do not depend on it.
    jobs : int
        Processes that the chunks are shared out among; the figures do not depend on it.

    Returns
    -------
    Drawn
    """
    layout = layout_of(central, quantiles)
    own = families(central)
    size = chunk or ceil(len(own) / (CHUNKS * abs(jobs)))
    chunks = [sorted(chain(*own[i : i + size])) for i in range(0, len(own), size)]
    parts = Parallel(n_jobs=jobs)(
        delayed(_draw)(part_of(central, columns), learnt, layout, trajectories, seed)
        for columns in chunks
    )
    drawn = Drawn(np.full((len(quantiles), *central.pupils.shape), np.nan))
    names = list(central.areas)
    for columns, (part, areas, heard) in zip(chunks, parts, strict=True):
        for warning in heard:
            warnings.warn(warning, stacklevel=2)
        drawn.cells[..., columns] = part.cells
        for ledger, cells in part.cell_balance.items():
            shape = drawn.cells.shape
            drawn.cell_balance.setdefault(ledger, np.full(shape, np.nan))[..., columns] = cells
        at = [names.index(area) for area in areas]
        for key, sums in part.sums.items():
            shape = (len(sums), len(names), *sums.shape[2:])
            drawn.sums.setdefault(key, np.full(shape, np.nan))[:, at] = sums
    return drawn


def _draw(
    central: Central, learnt: Learnt, layout: Layout, trajectories: int, seed: int
) -> tuple[Drawn, list[str], list[Warning]]:
    """Draw whole families of districts; return also their areas and what was warned of."""
    names = list(central.areas)
    shape = (len(layout.quantiles), *central.pupils.shape)
    drawn = Drawn(np.full(shape, np.nan))
    waiting: dict[str, dict[Name, Array]] = {}
    left = {area: len(columns) for area, columns in central.areas.items()}
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for d, _ in enumerate(central.axes["district"]):
            pupils = pupils_of(central, learnt, d, trajectories, seed)
            drawn.cells[..., d] = quantiles_of(pupils, layout.quantiles)
            pupils = filled(pupils)
            places = _places(central, d, trajectories, seed)
            for ledger, standing in places.items():
                held = drawn.cell_balance.setdefault(ledger, np.full(shape, np.nan))
                gap = standing - _needed(central, pupils, ledger, d, slice(None))
                held[..., d] = quantiles_of(gap, layout.quantiles)
            sums = dict(_sums(central, layout, pupils, places, d))
            for area, columns in central.areas.items():
                if d not in columns:
                    continue
                before = waiting.get(area)
                waiting[area] = sums if before is None else {k: before[k] + sums[k] for k in sums}
                left[area] -= 1
                if not left[area]:
                    keep(drawn, central, layout, waiting.pop(area), names.index(area))
    return drawn, names, _said(heard)


def _said(heard: list[warnings.WarningMessage]) -> list[Warning]:
    """Return what was warned of, each once."""
    once = {(one.category, str(one.message)): one.message for one in heard}
    return [message for message in once.values() if isinstance(message, Warning)]


def draw_area(
    central: Central, learnt: Learnt, area: str, trajectories: int, seed: int
) -> dict[Name, Array]:
    """Draw the trajectories of one area and keep them all.

    They are those that `draw` reduces, to the last bit.

    Parameters
    ----------
    central : Central
    learnt : Learnt
    area : str
    trajectories, seed : int

    Returns
    -------
    dict of (name, ledger, case) to ndarray [year, group, trajectory]
        `pupils`, `demand`, `cell_shortfall`, `cell_surplus` and, in the risk-adjusted case,
        `places`; the groups are those that the ledger has.
    """
    layout = layout_of(central, ())
    sums: dict[Name, Array] = {}
    for d in central.areas[area]:
        pupils = filled(pupils_of(central, learnt, d, trajectories, seed))
        places = _places(central, d, trajectories, seed)
        own = dict(_sums(central, layout, pupils, places, d))
        sums = {key: sums[key] + cells for key, cells in own.items()} if sums else own
    return sums


def pupils_of(central: Central, learnt: Learnt, d: int, trajectories: int, seed: int) -> Array:
    """Return the trajectories of one district [year, grade, trajectory].

    Parameters
    ----------
    central : Central
    learnt : Learnt
    d : int
        Its number.
    trajectories, seed : int
    """
    district = central.axes["district"][d]
    parent = central.parents[district]
    size = float(np.nansum(central.pupils[0, :, d]))
    leads = len(central.axes["year"]) - 1
    factor = multipliers(learnt.errors, district, parent, size, leads, trajectories, seed)
    factor = factor[:, central.like]
    births = birth_multipliers(
        learnt.births, district, parent, 1 - central.share_born[:, d], trajectories, seed
    )
    for g, ages in enumerate(central.ages):
        for lead in range(1, leads + 1):
            factor[lead - 1, g] *= _births_of(central, births, central.axes["year"][lead], ages)
    pupils = np.repeat(central.pupils[..., d, np.newaxis], trajectories, axis=2)
    # The two errors are centred apart; their product is centred again.
    pupils[1:] *= factor / factor.mean(axis=2, keepdims=True)
    return pupils


def _births_of(central: Central, births: Array, year: int, ages: list[int]) -> Any:  # noqa: ANN401
    """Return the mean multiplier of the cohorts of a cell; 1 for those before the table."""
    at = [year - age - central.cohorts[0] for age in ages] if central.cohorts else []
    rows = [births[i] for i in at if 0 <= i < len(births)]
    if not rows:
        return 1.0
    return (sum(rows) + (len(ages) - len(rows))) / len(ages)


def _places(central: Central, d: int, trajectories: int, seed: int) -> dict[str, Array]:
    """Draw the places of one district by ledger, where it has an uncertain project."""
    swings = central.deliveries.swings.get(d, [])
    return {
        ledger: drawn_places(places[..., d], swings, ledger, trajectories, seed)
        for (ledger, case), places in central.places.items()
        if case == RISK_ADJUSTED and swings
    }


def _needed(central: Central, pupils: Array, ledger: str, d: int, rows: slice | list[int]) -> Array:
    """Return the places that pupils need in one district [year, grade, trajectory]."""
    factor, still = (
        _there(of[ledger], d)[:, rows] for of in (central.factor, central.needed_still)
    )
    needed: Array = pupils[:, rows] * factor + still
    return needed


def _sums(
    central: Central, layout: Layout, pupils: Array, drawn: Mapping[str, Array], d: int
) -> Iterator[tuple[Name, Array]]:
    """Add the cells of one district up to stages [year, group, trajectory]."""
    for ledger, rows in layout.rows.items():
        groups = layout.groups[ledger]
        share, still = (_there(of[ledger], d)[:, rows] for of in (central.share, central.still))
        needed = _needed(central, pupils, ledger, d, rows)
        yield ("pupils", ledger, ""), by_group(pupils[:, rows] * share + still, groups)
        yield ("demand", ledger, ""), by_group(needed, groups)
        for (of, case), places in central.places.items():
            if of == ledger:
                standing = _there(places, d)[:, rows]
                if case == RISK_ADJUSTED:
                    standing = filled(drawn[ledger])[:, rows] if ledger in drawn else standing
                    yield ("places", ledger, case), by_group(standing, groups)
                gap = standing - needed
                yield ("cell_shortfall", ledger, case), by_group(np.maximum(-gap, 0.0), groups)
                yield ("cell_surplus", ledger, case), by_group(np.maximum(gap, 0.0), groups)


def _there(array: Array, d: int) -> Array:
    return filled(array[..., d, np.newaxis])
