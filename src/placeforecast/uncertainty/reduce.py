"""What is kept of the trajectories of an area: quantiles, chances and expected values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.places.supply import RISK_ADJUSTED
from placeforecast.tables.vocabulary import shipped
from placeforecast.uncertainty.calibrate import quantiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placeforecast.tables.doors import Array, Flags
    from placeforecast.uncertainty.central import Central, Key

Name = tuple[str, str, str]
Levels = list[tuple[str, float, float]]
NORMAL = "normal"


@dataclass(frozen=True)
class Drawn:
    """What the trajectories leave, as arrays; quantiles run first.

    Attributes
    ----------
    cells : ndarray [quantile, year, grade, district]
        Pupils.
    sums : dict of (name, ledger, case) to ndarray [quantile or 1, area, year, group]
        Names: pupils, demand, cell_shortfall, cell_surplus (quantiles); chance_of_shortfall,
        chance_first_shortfall, expected_shortfall, the same three of cells, and for each warning
        level its chance (one row). Where places are drawn with demand also balance, shortfall,
        surplus and utilisation (quantiles); NaN in areas without an uncertain project, and where
        the quantile of utilisation is of trajectories without places. NaN in groups that the
        ledger does not have.
    cell_balance : dict of ledger to ndarray [quantile, year, grade, district]
        In the risk-adjusted case, places less demand; NaN in districts without an uncertain
        project.
    """

    cells: Array
    sums: dict[Name, Array] = field(default_factory=dict)
    cell_balance: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """What is the same for every area: the groups of grades of each ledger, and what is kept.

    Attributes
    ----------
    rows : mapping of str to list of int
        By ledger: the grades that it has somewhere.
    groups : mapping of str to mapping of str to list of int
        By ledger: each stage or combined stage with the places of its grades among `rows`.
    names : list of str
        All stages and combined stages.
    quantiles : sequence of float
        Closed under 1 - q, rising.
    levels : list of (str, float, float)
        Each warning level with the utilisation from and up to which it counts.
    """

    rows: Mapping[str, list[int]]
    groups: Mapping[str, Mapping[str, list[int]]]
    names: list[str]
    quantiles: Sequence[float]
    levels: Levels


def layout_of(central: Central, quantiles: Sequence[float]) -> Layout:
    """Return the layout of a run."""
    rows, groups = {}, {}
    for ledger, factor in central.factor.items():
        own = np.flatnonzero(~np.isnan(factor).all(axis=(0, 2))).tolist()
        at = {row: i for i, row in enumerate(own)}
        inside = {name: [at[r] for r in all_ if r in at] for name, all_ in central.groups.items()}
        rows[ledger] = own
        groups[ledger] = {name: of for name, of in inside.items() if of}
    return Layout(rows, groups, list(central.groups), quantiles, _levels())


def _levels() -> Levels:
    """Return the warning levels: a level further from normal counts to those nearer to it."""
    table = shipped("warnings").sort_values("from_utilisation")
    bounds = [*table["from_utilisation"].astype(float).tolist(), np.inf]
    names = table["level"].tolist()
    normal = names.index(NORMAL)
    return [
        (level, bounds[i] if i >= normal else -np.inf, bounds[i + 1] if i <= normal else np.inf)
        for i, level in enumerate(names)
    ]


def by_group(cells: Array, groups: Mapping[str, list[int]]) -> Array:
    """Add cells [year, grade, trajectory] up to groups [year, group, trajectory]."""
    return np.stack([cells[:, _run(rows)].sum(axis=1) for rows in groups.values()], axis=1)


def _run(rows: list[int]) -> slice | list[int]:
    """Return rows as a slice where they follow each other: nothing is copied then."""
    together = rows == list(range(rows[0], rows[-1] + 1))
    return slice(rows[0], rows[-1] + 1) if together else rows


def filled(cells: Array) -> Array:
    """Return cells with 0 where there is none: a cell that is not there holds nobody."""
    held: Array = np.where(np.isnan(cells), 0.0, cells)
    return held


def keep(
    drawn: Drawn, central: Central, layout: Layout, sums: Mapping[Name, Array], area: int
) -> None:
    """Reduce the trajectories of one area and keep what is left.

    Parameters
    ----------
    drawn : Drawn
        Is added to.
    central : Central
    layout : Layout
    sums : mapping of (name, ledger, case) to ndarray [year, group, trajectory]
        `pupils`, `demand`, `cell_shortfall`, `cell_surplus`, and `places` where they are drawn.
    area : int
        Which of the areas of `central`.
    """

    def put(key: Name, values: Array) -> None:
        shape = (len(values), len(central.areas), len(central.axes["year"]), len(layout.names))
        held = drawn.sums.setdefault(key, np.full(shape, np.nan))
        at = [layout.names.index(name) for name in layout.groups[key[1]]]
        held[:, area, :, at] = np.moveaxis(values, 2, 0)

    for key, draws in sums.items():
        name, ledger, case = key
        if name != "places":
            put(key, quantiles_of(draws, layout.quantiles))
        if name == "cell_shortfall":
            for kept, values in _chances(draws):
                put((f"{kept}_cell_shortfall", ledger, case), values)
    for ledger, case in central.places:
        if ledger in central.factor:
            for name, values in _of_case(central, layout, sums, area, (ledger, case)):
                put((name, ledger, case), values)


def _chances(short: Array) -> Iterator[tuple[str, Array]]:
    """Return of a shortage its chance, the chance that it is the first, and its expected size."""
    flags = short > 0
    yield "chance_of", _share(flags)[np.newaxis]
    so_far = _count(np.logical_or.accumulate(flags, axis=0))
    yield "chance_first", np.diff(so_far, axis=0, prepend=0)[np.newaxis] / short.shape[2]
    yield "expected", np.maximum(short, 0.0).mean(axis=2)[np.newaxis]


def _count(flags: Flags) -> Array:
    counted: Array = np.count_nonzero(flags, axis=2)
    return counted


def _share(flags: Flags) -> Array:
    share: Array = _count(flags) / flags.shape[2]
    return share


def _of_case(
    central: Central, layout: Layout, sums: Mapping[Name, Array], area: int, key: Key
) -> Iterator[tuple[str, Array]]:
    """Return what is kept of one plan case: chances, and quantiles where places are drawn."""
    ledger, case = key
    columns = list(central.areas.values())[area]
    standing = np.nansum(central.places[key][..., columns], axis=2, keepdims=True)
    places = by_group(standing[:, layout.rows[ledger]], layout.groups[ledger])
    joint = case == RISK_ADJUSTED and central.deliveries.touch(columns)
    if joint:
        places = sums["places", ledger, case]
    pupils, demand = sums["pupils", ledger, ""], sums["demand", ledger, ""]
    full = np.where(pupils > 0, np.inf, np.nan)
    used = np.divide(pupils, places, out=full, where=places > 0)
    for level, low, high in layout.levels:
        here = used < high if low == -np.inf else used >= low
        if -np.inf < low and high < np.inf:
            here &= used < high
        yield f"chance_{level}", _share(here)[np.newaxis]
    for name, values in _chances(demand - places):
        yield f"{name}_shortfall", values
    if joint:
        yield from _joint(places - demand, used, layout.quantiles)


def _joint(balance: Array, used: Array, quantiles: Sequence[float]) -> Iterator[tuple[str, Array]]:
    """Return quantiles of what places and demand make together, where places are drawn."""
    with np.errstate(invalid="ignore"):  # between two trajectories without places: no number
        utilisation = quantiles_of(used, quantiles)
    utilisation[~np.isfinite(utilisation)] = np.nan
    yield "balance", quantiles_of(balance, quantiles)
    yield "shortfall", quantiles_of(np.maximum(-balance, 0.0), quantiles)
    yield "surplus", quantiles_of(np.maximum(balance, 0.0), quantiles)
    yield "utilisation", utilisation
