"""Trajectories of pupils, and what they say of demand and balance.

Districts are drawn one after the other, all trajectories at once; what is left of a district is its
quantiles and its part of the sums of its parents, added in the order of the districts. So a figure
depends on the seed and on its own districts, and on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.places.supply import RISK_ADJUSTED
from placeforecast.tables.vocabulary import shipped
from placeforecast.uncertainty.calibrate import quantiles_of
from placeforecast.uncertainty.deliveries import Deliveries, drawn_places
from placeforecast.uncertainty.draws import birth_multipliers, multipliers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placeforecast.tables.doors import Array
    from placeforecast.uncertainty.learn import Learnt

Key = tuple[str, str]
NORMAL = "normal"


@dataclass(frozen=True)
class Central:
    """The central run as arrays [year, grade, district]; NaN where a cell does not exist.

    Attributes
    ----------
    pupils : ndarray
        The launch year first.
    share, factor : mapping of str to ndarray
        By ledger: pupils of the ledger and places needed, each per pupil of the cell.
    still, needed_still : mapping of str to ndarray
        The same where the cell has no pupils of its own (all of them come from elsewhere): as many
        in every trajectory.
    places : mapping of (ledger, plan case) to ndarray
    axes : mapping
        Labels of `year`, `grade` and `district`.
    ages : list of list of int
        Ages of each grade's pupils.
    like : list of int
        For each grade the row of the errors that it has: its own, or for a grade that comes by a
        change of structure that of the same age.
    share_born : ndarray [cohort, district]
        Share of each cohort's births recorded at the launch; 1 for cohorts not in the table.
    cohorts : list of int
        School years of birth, rising without a gap.
    areas : mapping of str to list of int
        Each district and parent with the columns of its leaves.
    groups : mapping of str to list of int
        Each stage and combined stage with the rows of its grades.
    parents : mapping of str to str
        The parent whose shock a district shares.
    deliveries : Deliveries
        Uncertain projects, drawn in the risk-adjusted case.
    """

    pupils: Array
    share: Mapping[str, Array]
    factor: Mapping[str, Array]
    still: Mapping[str, Array]
    needed_still: Mapping[str, Array]
    places: Mapping[Key, Array]
    axes: Mapping[str, list[Any]]
    ages: list[list[int]]
    like: list[int]
    share_born: Array
    cohorts: list[int]
    areas: Mapping[str, list[int]]
    groups: Mapping[str, list[int]]
    parents: Mapping[str, str]
    deliveries: Deliveries = field(default_factory=Deliveries)


@dataclass(frozen=True)
class Drawn:
    """What the trajectories leave, as arrays; quantiles run first.

    Attributes
    ----------
    cells : ndarray [quantile, year, grade, district]
        Pupils.
    sums : dict of (name, ledger, case) to ndarray [quantile or 1, area, year, group]
        Names: pupils, demand, cell_shortfall, cell_surplus (quantiles); chance_of_shortfall,
        expected_shortfall, chance_of_cell_shortfall, expected_cell_shortfall, and for each warning
        level its chance (one row). Where places are drawn with demand also balance, shortfall,
        surplus and utilisation (quantiles); NaN in areas without an uncertain project, and where
        the quantile of utilisation is of trajectories without places.
    cell_balance : dict of ledger to ndarray [quantile, year, grade, district]
        In the risk-adjusted case, places less demand; NaN in districts without an uncertain
        project.
    """

    cells: Array
    sums: dict[tuple[str, str, str], Array] = field(default_factory=dict)
    cell_balance: dict[str, Array] = field(default_factory=dict)


def draw(
    central: Central, learnt: Learnt, quantiles: Sequence[float], trajectories: int, seed: int
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

    Returns
    -------
    Drawn
    """
    names = list(central.areas)
    shape = (len(quantiles), *central.pupils.shape)
    drawn = Drawn(np.full(shape, np.nan))
    waiting: dict[str, dict[tuple[str, str, str], Array]] = {}
    left = {area: len(columns) for area, columns in central.areas.items()}
    for d, _ in enumerate(central.axes["district"]):
        pupils = _pupils(central, learnt, d, trajectories, seed)
        drawn.cells[..., d] = quantiles_of(pupils, quantiles)
        taught = np.where(np.isnan(pupils), 0.0, pupils)
        places = _places(central, d, trajectories, seed)
        for ledger, standing in places.items():
            held = drawn.cell_balance.setdefault(ledger, np.full(shape, np.nan))
            held[..., d] = quantiles_of(standing - _needed(central, taught, ledger, d), quantiles)
        sums = dict(_sums(central, taught, places, d))
        for area, columns in central.areas.items():
            if d not in columns:
                continue
            before = waiting.get(area)
            waiting[area] = sums if before is None else {k: before[k] + sums[k] for k in sums}
            left[area] -= 1
            if not left[area]:
                at = names.index(area)
                _keep(drawn, central, waiting.pop(area), at, quantiles)
    return drawn


def _pupils(central: Central, learnt: Learnt, d: int, trajectories: int, seed: int) -> Array:
    """Return the trajectories of one district [year, grade, trajectory]."""
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


def _needed(central: Central, pupils: Array, ledger: str, d: int) -> Array:
    """Return the places that pupils need in one district [year, grade, trajectory]."""
    factor, still = central.factor[ledger], central.needed_still[ledger]
    needed: Array = pupils * _there(factor, d) + _there(still, d)
    return needed


def _sums(
    central: Central, pupils: Array, drawn: Mapping[str, Array], d: int
) -> Iterator[tuple[tuple[str, str, str], Array]]:
    """Add the cells of one district up to stages [year, group, trajectory]."""
    for ledger in central.factor:
        taught = pupils * _there(central.share[ledger], d) + _there(central.still[ledger], d)
        needed = _needed(central, pupils, ledger, d)
        yield ("pupils", ledger, ""), _by_group(taught, central)
        yield ("demand", ledger, ""), _by_group(needed, central)
        for (of, case), places in central.places.items():
            if of == ledger:
                standing = _there(places, d)
                if case == RISK_ADJUSTED:
                    standing = _filled(drawn[ledger]) if ledger in drawn else standing
                    yield ("places", ledger, case), _by_group(standing, central)
                gap = standing - needed
                yield ("cell_shortfall", ledger, case), _by_group(np.maximum(-gap, 0.0), central)
                yield ("cell_surplus", ledger, case), _by_group(np.maximum(gap, 0.0), central)


def _there(array: Array, d: int) -> Array:
    return _filled(array[..., d, np.newaxis])


def _filled(cells: Array) -> Array:
    filled: Array = np.where(np.isnan(cells), 0.0, cells)  # a cell that is not there holds nobody
    return filled


def _by_group(cells: Array, central: Central) -> Array:
    return np.stack([cells[:, rows].sum(axis=1) for rows in central.groups.values()], axis=1)


def _keep(
    drawn: Drawn,
    central: Central,
    sums: Mapping[tuple[str, str, str], Array],
    area: int,
    quantiles: Sequence[float],
) -> None:
    """Reduce the trajectories of one area and keep what is left."""
    for key, draws in sums.items():
        name, ledger, case = key
        if name == "places":
            continue
        _put(drawn, central, key, area, quantiles_of(draws, quantiles))
        if name == "cell_shortfall":
            one = (draws > 0).mean(axis=2)[np.newaxis]
            _put(drawn, central, ("chance_of_cell_shortfall", ledger, case), area, one)
            mean = draws.mean(axis=2)[np.newaxis]
            _put(drawn, central, ("expected_cell_shortfall", ledger, case), area, mean)
    for ledger, plan in central.places:
        if ledger in central.factor:
            _keep_case(drawn, central, sums, area, (ledger, plan))
            _keep_joint(drawn, central, sums, area, (ledger, plan), quantiles)


def _keep_case(
    drawn: Drawn,
    central: Central,
    sums: Mapping[tuple[str, str, str], Array],
    area: int,
    key: Key,
) -> None:
    """Keep the chances of one plan case: of warning levels and of a net shortfall."""
    ledger, plan = key
    columns = list(central.areas.values())[area]
    standing = _by_group(
        np.nansum(central.places[key][..., columns], axis=2, keepdims=True), central
    )
    if plan == RISK_ADJUSTED and central.deliveries.touch(columns):
        standing = sums["places", ledger, plan]
    for level, chance in _levels(sums["pupils", ledger, ""], standing):
        _put(drawn, central, (level, ledger, plan), area, chance[np.newaxis])
    short = sums["demand", ledger, ""] - standing
    chance = (short > 0).mean(axis=2)[np.newaxis]
    _put(drawn, central, ("chance_of_shortfall", ledger, plan), area, chance)
    expected = np.maximum(short, 0.0).mean(axis=2)[np.newaxis]
    _put(drawn, central, ("expected_shortfall", ledger, plan), area, expected)


def _keep_joint(
    drawn: Drawn,
    central: Central,
    sums: Mapping[tuple[str, str, str], Array],
    area: int,
    key: Key,
    quantiles: Sequence[float],
) -> None:
    """Keep quantiles of what places and demand make together, where places are drawn."""
    ledger, plan = key
    columns = list(central.areas.values())[area]
    if plan != RISK_ADJUSTED or not central.deliveries.touch(columns):
        return
    places, pupils = sums["places", ledger, plan], sums["pupils", ledger, ""]
    balance = places - sums["demand", ledger, ""]
    crowded = np.where(pupils > 0, np.inf, np.nan)
    used = np.divide(pupils, places, out=crowded, where=places > 0)
    with np.errstate(invalid="ignore"):  # between two trajectories without places: no number
        utilisation = quantiles_of(used, quantiles)
    utilisation[~np.isfinite(utilisation)] = np.nan
    for name, values in (
        ("balance", quantiles_of(balance, quantiles)),
        ("shortfall", quantiles_of(np.maximum(-balance, 0.0), quantiles)),
        ("surplus", quantiles_of(np.maximum(balance, 0.0), quantiles)),
        ("utilisation", utilisation),
    ):
        _put(drawn, central, (name, ledger, plan), area, values)


def _levels(pupils: Array, places: Array) -> Iterator[tuple[str, Array]]:
    """Return for each warning level the share of trajectories at it, or beyond it from normal."""
    full = np.where(pupils > 0, np.inf, np.nan)
    used = np.divide(pupils, places, out=full, where=places > 0)
    levels = shipped("warnings").sort_values("from_utilisation")
    bounds = levels["from_utilisation"].astype(float).tolist()
    normal = levels["level"].tolist().index(NORMAL)
    for i, level in enumerate(levels["level"]):
        low = bounds[i] if i >= normal else -np.inf
        high = bounds[i + 1] if i <= normal else np.inf
        yield f"chance_{level}", ((used >= low) & (used < high)).mean(axis=2)


def _put(
    drawn: Drawn, central: Central, key: tuple[str, str, str], area: int, values: Array
) -> None:
    shape = (len(values), len(central.areas), len(central.axes["year"]), len(central.groups))
    held = drawn.sums.setdefault(key, np.full(shape, np.nan))
    held[:, area] = values
