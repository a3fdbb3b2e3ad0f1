"""Relief of shortages by bounded transfers between neighbours, as a linear programme.

A spare place helps a pupil of the same grade and ledger only, and only where pupils can be moved to
it. What is left after the best lawful transfers lies between the net shortage, which takes every
spare place of an area for every pupil, and the un-netted one, which takes none: it tells mismatch
from true shortage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.rollup import Axes, area_columns, cell_axes, roll_up
from placeforecast.tables.check import check
from placeforecast.tables.doors import Array, Flags, to_arrays
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.show import record_html, record_text

if TYPE_CHECKING:
    from collections.abc import Sequence

Positions = np.ndarray[Any, np.dtype[np.intp]]

CELLS = "balance_cells"
KEYS = ["district", "year", "grade", "ledger", "plan_case"]
COUNTS = ["demand", "places", "balance"]
MOVES = ["from", "to", "year", "stage", "grade", "ledger", "plan_case", "pupils"]
STAGES = [
    "district",
    "level",
    "year",
    "stage",
    "ledger",
    "plan_case",
    "shortfall",
    "cell_shortfall",
    "after_transfers",
    "moved_out",
    "moved_in",
]
DUST = 1e-6
"""Pupils. Less than this is the rounding of the solver: no shortage, no place and no move."""
SMALL = 1_000_000
"""Cells of a matrix that is written out in full."""
PRICED = 1e-6
"""A bound whose price, or a move whose extra cost, is below this costs nothing."""


@dataclass(frozen=True, repr=False)
class Relief:
    """Shortages before and after bounded transfers between neighbours.

    Attributes
    ----------
    moves : DataFrame [from, to, year, stage, grade, ledger, plan_case, pupils]
        Who is moved; no row where nobody is.
    stages : DataFrame [district, level, year, stage, ledger, plan_case, shortfall, \
cell_shortfall, after_transfers, moved_out, moved_in]
        In places. `shortfall` and `cell_shortfall` are those of the balance, net of the area and
        un-netted; `after_transfers` = `cell_shortfall` - `moved_out`. Combined stages and parents
        are sums of stages and of their leaves, so that a move inside a parent is in its
        `moved_out` and in its `moved_in`.
    """

    moves: pd.DataFrame
    stages: pd.DataFrame

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


@dataclass(frozen=True)
class _Pairs:
    """Pairs of districts by their positions on the axis of districts, in order of from and to."""

    start: Positions
    end: Positions
    distance: Array
    limit: Array


@dataclass(frozen=True)
class _Found:
    """The moves of one year: position of the grade, of the pair, and how many."""

    grade: Positions
    pair: Positions
    pupils: Array


def relieve(
    balance_cells: pd.DataFrame,
    neighbours: pd.DataFrame | None,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> Relief:
    """Move pupils without a place to free places of neighbours, as far as the limits allow.

    For each year, ledger and plan case by itself: pupils without a place (a cell with a balance
    below 0) may be moved to free places of the same grade and ledger (a balance above 0) in a
    district that stands beside theirs in `neighbours`. A row of it holds in its own direction
    only: `from`, to `to`. Its `limit` bounds the pupils moved along it in one year, all grades and
    stages of the ledger taken together. Nobody who has a place is moved to make room for another,
    so that there are no chains of moves.

    Three programmes are solved one after the other, each among the optima of the one before:

    1. the most pupils moved, which is the least shortage left;
    2. the least pupils x distance;
    3. the least pupils x weight, where the weights are the square roots of the primes in order of
       grade, from and to: of two moves that could stand for one another the first in this order is
       made, lower grades before higher ones.

    So shortage is never traded for distance, whatever the distances are; a single weighted sum
    would need a weight for which the distances alone give no safe size, because moves that share
    both places and limits make no network. Square roots of different primes are linearly
    independent over the rationals, and every edge between two optima is rational, so the third
    optimum is the only one: the result depends neither on the order of rows nor on how the solver
    walks. Shares of a pupil are lawful, as they are in a forecast.

    Parameters
    ----------
    balance_cells : DataFrame [district, year, grade, stage, ledger, plan_case, demand, places, \
balance]
        The cells of a balance, of one scenario. Quantiles are left out: the central figures are
        moved.
    neighbours : DataFrame [from, to, distance, limit] or None
        Pairs of districts that have cells; km and pupils a year. None: nobody can be moved.
    districts : DataFrame, optional
        How districts roll up; without it only the districts themselves are given.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    Relief
        `.moves` [from, to, year, stage, grade, ledger, plan_case, pupils] and `.stages` [district,
        level, year, stage, ledger, plan_case, shortfall, cell_shortfall, after_transfers,
        moved_out, moved_in]. All are counted in places, as the balance is: with a spare share a
        pupil counts for more than one.

    Raises
    ------
    InputError
        If a cell is blank, repeated, or no difference of its places and demand; if a pair of
        neighbours repeats, is of a district with itself, or names a district without cells.

    Notes
    -----
    A transport problem whose grades share the limits of the pairs (a multicommodity flow); solved
    with HiGHS. The optima of one programme are handed to the next by complementary slackness: a
    move with a reduced cost is 0 in all of them, and a bound with a price is met in all of them.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.relief import relieve
    >>> cells = pd.DataFrame({"district": ["A", "B", "A", "B"], "year": 2026,
    ...     "grade": ["J1", "J1", "J2", "J2"], "stage": "junior", "ledger": "public",
    ...     "plan_case": "planned", "demand": [130.0, 70.0, 90.0, 110.0], "places": 100.0})
    >>> cells["balance"] = cells["places"] - cells["demand"]
    >>> beside = pd.DataFrame({"from": ["A"], "to": ["B"], "distance": [8.0], "limit": [20.0]})
    >>> relief = relieve(cells, beside)
    >>> relief.moves[["from", "to", "grade", "pupils"]]
      from to grade  pupils
    0    A  B    J1    20.0
    >>> relief.stages[["district", "shortfall", "cell_shortfall", "after_transfers"]]
      district  shortfall  cell_shortfall  after_transfers
    0        A       20.0            30.0             10.0
    1        B        0.0            10.0             10.0
    """
    system = resolve_grades(grades)
    _refuse_cells(balance_cells, districts)
    pairs = _check_pairs(neighbours, balance_cells, districts)
    moves: list[tuple[Any, ...]] = []
    stages = []
    for (ledger, case), rows in balance_cells.groupby(["ledger", "plan_case"], sort=True):
        axes = cell_axes(rows, system)
        counts = to_arrays(rows, axes, COUNTS, name=CELLS, holes=True)
        gap = counts["balance"]
        own = _place_pairs(pairs, axes["district"])
        found = [_best_moves(year, own) for year in gap]
        for year, best in zip(axes["year"], found, strict=True):
            moves += _list_moves(best, own, axes, system, (year, str(ledger), str(case)))
        counted = {name: counts[name] for name in ("demand", "places")}
        counted |= _after(gap, found, own)
        table = _stages(counted, axes, system, districts)
        stages.append(table.assign(ledger=str(ledger), plan_case=str(case)))
    return Relief(_moves_table(moves), pd.concat(stages, ignore_index=True)[STAGES])


def _refuse_cells(cells: pd.DataFrame, districts: pd.DataFrame | None) -> None:
    """Refuse cells that cannot be counted, or that the sums over areas would leave out."""
    lacking = [column for column in [*KEYS, *COUNTS] if column not in cells.columns]
    remedy = "Take the cells as `balance_places` gives them."
    refuse([Problem("is missing", remedy, file=CELLS, column=column) for column in lacking])
    if not len(cells):
        refuse([Problem("has no rows", remedy, file=CELLS)])
    if "scenario" in cells.columns and len(cells["scenario"].unique()) > 1:
        one = "Give the rows of one of them."
        refuse([Problem("holds several scenarios", one, file=CELLS, column="scenario")])
    for column in KEYS:
        _refuse_first(cells, cells[column].isna().to_numpy(), column, ("is blank", "Fill it."))
    for column in COUNTS:
        blank = ~np.isfinite(pd.to_numeric(cells[column], errors="coerce").to_numpy(dtype=float))
        _refuse_first(cells, blank, column, ("is not a number", "Give one in every cell."))
    off = (cells["places"] - cells["demand"] - cells["balance"]).abs().to_numpy() > DUST
    _refuse_first(cells, off, "balance", ("is not places - demand", remedy))
    names = sorted(cells["district"].unique().tolist())
    reached = {i for own in area_columns(names, districts).values() for i in own}
    lost = [name for i, name in enumerate(names) if i not in reached]
    rule = "is not a district of the table districts, or has others below it"
    remedy = "Add its row to districts: data stand on the lowest level."
    refuse([Problem(rule, remedy, CELLS, column="district", value=str(name)) for name in lost])


def _refuse_first(cells: pd.DataFrame, wrong: Flags, column: str, said: tuple[str, str]) -> None:
    """Refuse a column for its first wrong cell, and say which and how many."""
    if wrong.any():
        first = cells.loc[wrong, KEYS].iloc[0]
        named = " ".join(str(first[key]) for key in KEYS)
        rule = f"{said[0]} in {int(wrong.sum())} cells, first: {named}"
        refuse([Problem(rule, said[1], file=CELLS, column=column)])


def _check_pairs(
    neighbours: pd.DataFrame | None, cells: pd.DataFrame, districts: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the pairs, checked, in order of their districts."""
    if neighbours is None:
        return pd.DataFrame({"from": [], "to": [], "distance": [], "limit": []})
    pairs = check(neighbours, "neighbours")
    known = set(cells["district"].unique().tolist())
    parents = set() if districts is None else set(districts["district"]) - known
    problems = []
    for row, (start, end) in enumerate(zip(pairs["from"], pairs["to"], strict=True), start=1):
        for column, name in (("from", start), ("to", end)):
            if name in known:
                continue
            below = "Name the districts below it, one row for each pair."
            remedy = below if name in parents else suggest(name, known)
            rule = "has no cells in the balance"
            problems.append(Problem(rule, remedy, "neighbours", "", row, column, name))
        if start == end:
            rule, remedy = "is its own neighbour", "Remove the row, or name another district."
            problems.append(Problem(rule, remedy, "neighbours", "", row, "to", end))
    refuse(problems)
    return pairs.sort_values(["from", "to"], kind="stable")


def _place_pairs(pairs: pd.DataFrame, names: Sequence[str]) -> _Pairs:
    """Return the pairs whose two districts are on the axis and whose limit is above 0."""
    index = pd.Index(names)
    start, end = (index.get_indexer(pd.Index(pairs[end])) for end in ("from", "to"))
    distance, limit = (pairs[value].to_numpy(dtype=float) for value in ("distance", "limit"))
    there = (start >= 0) & (end >= 0) & (limit > 0)
    return _Pairs(start[there], end[there], distance[there], limit[there])


def _best_moves(gap: Array, pairs: _Pairs) -> _Found:
    """Return the best moves of a year from its balances [grade, district]; NaN is no cell."""
    wide = gap.shape[1]
    short, spare = -gap[:, pairs.start], gap[:, pairs.end]
    grade, pair = np.nonzero((short > DUST) & (spare > DUST))
    if not grade.size:
        return _Found(grade, pair, np.zeros(0))
    amounts = [short[grade, pair], spare[grade, pair], pairs.limit[pair]]
    cells = [grade * wide + pairs.start[pair], grade * wide + pairs.end[pair], pair]
    ceilings: list[Array] = []
    rows: list[Positions] = []
    for amount, cell in zip(amounts, cells, strict=True):
        _, first, row = np.unique(cell, return_index=True, return_inverse=True)
        rows.append(row + sum(map(len, ceilings)))
        ceilings.append(amount[first])
    costs = [-np.ones(grade.size), pairs.distance[pair], np.sqrt(_primes(grade.size))]
    pupils = _solve(costs, rows, np.concatenate(ceilings))
    made = pupils > DUST
    return _Found(grade[made], pair[made], pupils[made])


def _solve(costs: Sequence[Array], rows: Sequence[Positions], ceilings: Array) -> Array:
    """Minimise several costs, each among the optima of the one before.

    Each amount from 0 up adds to one of the sums in every array of `rows`, and no sum passes its
    ceiling.
    """
    from scipy.optimize import linprog  # heavy, and used here only
    from scipy.sparse import csr_array  # heavy, and used here only

    count = len(costs[0])
    at = (np.concatenate(rows), np.tile(np.arange(count), len(rows)))
    sums: Any = csr_array((np.ones(at[0].size), at), shape=(len(ceilings), count))
    if count * len(ceilings) <= SMALL:
        sums = sums.toarray()  # the solver takes a small full matrix with less ado
    amounts, live = np.zeros(count), np.arange(count)
    met = np.zeros(len(ceilings), dtype=bool)
    for cost in costs:
        here = sums[:, live]
        equal = {"A_eq": here[met], "b_eq": ceilings[met]} if met.any() else {}
        found = linprog(
            cost[live],
            A_ub=here[~met],
            b_ub=ceilings[~met],
            **equal,
            bounds=(0, None),
            method="highs",
        )
        if found.status != 0:
            raise RuntimeError(f"transfers were not solved: {found.message}")
        amounts[:] = 0.0
        amounts[live] = found.x
        met[np.flatnonzero(~met)[found.ineqlin.marginals < -PRICED]] = True
        live = live[found.lower.marginals < PRICED]
    return amounts


def _primes(count: int) -> Array:
    """Return the first primes."""
    # The k-th prime is below k (ln k + ln ln k) from k = 6 on (Rosser and Schoenfeld 1962).
    top = int(count * (np.log(count) + np.log(np.log(count)))) + 1 if count >= 6 else 14
    sieve = np.ones(top, dtype=bool)
    sieve[:2] = False
    for factor in range(2, int(top**0.5) + 1):
        sieve[factor * factor :: factor] = False
    return np.flatnonzero(sieve)[:count].astype(float)


def _after(gap: Array, found: Sequence[_Found], pairs: _Pairs) -> dict[str, Array]:
    """Return the shortage of each cell before and after the moves, and those who go and come."""
    out, into = np.zeros_like(gap), np.zeros_like(gap)
    for t, moves in enumerate(found):
        np.add.at(out[t], (moves.grade, pairs.start[moves.pair]), moves.pupils)
        np.add.at(into[t], (moves.grade, pairs.end[moves.pair]), moves.pupils)
    short = np.maximum(-gap, 0.0)
    left = short - out
    # A cell that is helped altogether is left with the rounding of the solver, which is no pupil.
    left[(out > 0) & (np.abs(left) < DUST)] = 0.0
    return {"cell_shortfall": short, "after_transfers": left, "moved_out": out, "moved_in": into}


def _list_moves(
    best: _Found, pairs: _Pairs, axes: Axes, system: pd.DataFrame, named: tuple[int, str, str]
) -> list[tuple[Any, ...]]:
    """Return the moves of a year as rows of the table of moves."""
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    year, ledger, case = named
    names, rows = axes["district"], []
    for g, pair, pupils in zip(best.grade, best.pair, best.pupils, strict=True):
        grade = axes["grade"][g]
        ends = (names[pairs.start[pair]], names[pairs.end[pair]])
        rows.append((*ends, year, stage_of[grade], grade, ledger, case, pupils))
    return rows


def _moves_table(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    kinds = {"year": "int64", "pupils": "float64"}
    table = pd.DataFrame(list(rows), columns=MOVES)
    return table.astype({column: kinds.get(column, "str") for column in MOVES})


def _stages(
    counted: dict[str, Array], axes: Axes, system: pd.DataFrame, districts: pd.DataFrame | None
) -> pd.DataFrame:
    """Add the cells up to areas and stages, as the balance does."""
    demand = counted["demand"]
    unknown = np.full_like(demand, np.nan)
    cells = {**counted, "pupils": demand, "share_born": unknown}
    table = roll_up(cells, axes, system, districts)
    # The same sums in the same order as in the balance give the same figures to the last bit.
    return table.assign(shortfall=np.maximum(table["demand"] - table["places"], 0.0))
