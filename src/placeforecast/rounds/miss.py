"""Why a forecast missed: births, entry, progression or policy, in no order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.attribution.shapley import shapley
from placeforecast.places.rollup import stage_rows
from placeforecast.rates.paths import policy_path
from placeforecast.tables.grades import family_of, is_entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.tables.doors import Array, Flags

DRIVERS = ("births", "entry", "progression", "policy", "other")
SPLIT = ["stage", "year", "lead", *DRIVERS, "total"]
GENERAL, VOCATIONAL, SPECIAL = "senior_general", "senior_vocational", "special"
ENTRY, PROGRESSION, POLICY = 0, 1, 2
Row = dict[Any, Any]
Kinds = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Course:
    """How the pupils of every year came about, forecast or counted.

    Attributes
    ----------
    pupils : ndarray [year, grade, district]
        From the earliest year that a grade draws on; NaN where a cell does not exist.
    pools : ndarray [year, grade, district]
        Children that an entry grade takes in from; NaN for other grades.
    """

    pupils: Array
    pools: Array


def split_miss(
    forecast: Course, counted: Course, kinds: Kinds, rows: Sequence[Row], years: Sequence[int]
) -> pd.DataFrame:
    """Split the miss of the region's totals over what drives it.

    Every cell is a ratio times a source: an entry grade's children, any other grade's pupils of the
    grade below, a year before. Births are the children; a ratio is entry, progression or, where
    policy sets the pupils, policy; pupils at the launch and pupils without a source are other.
    Each is switched from forecast to counted in all orders (Shapley), so that no order has to be
    chosen and the parts add up to the miss.

    Parameters
    ----------
    forecast, counted : Course
        Both from the first year that is needed to the last one scored.
    kinds : ndarray of int [year, grade, district]
        ENTRY, PROGRESSION or POLICY, over the years scored.
    rows : sequence of mapping
        The grades, as rows of the school system.
    years : sequence of int
        Scored: the last rows of the arrays. The one before is the launch.

    Returns
    -------
    DataFrame [stage, year, lead, births, entry, progression, policy, other, total]
        Pupils, forecast less counted: positive is too many.
    """
    ahead = len(years)
    sides = (_steps(forecast, rows, ahead), _steps(counted, rows, ahead))
    # What lies before the first cell forecast is the same course for both, the launch apart.
    starts = (forecast.pupils[:-ahead], counted.pupils[:-ahead])
    system = pd.DataFrame(list(rows))
    groups = stage_rows([str(row["grade"]) for row in rows], system)

    def totals(switched: frozenset[str]) -> Array:
        side = {driver: int(driver in switched) for driver in DRIVERS}
        ratio = np.choose(kinds, [sides[side[name]][0] for name in DRIVERS[1:4]])
        source = (forecast, counted)[side["births"]].pools[-ahead:]
        extra = sides[side["other"]][1]
        pupils = _carry(starts[side["other"]], (ratio, source, extra), rows)
        whole = np.nansum(pupils, axis=2)
        return np.stack([whole[:, own].sum(axis=1) for own in groups.values()])

    parts = {name: -part for name, part in shapley(totals, DRIVERS).items()}
    total = totals(frozenset()) - totals(frozenset(DRIVERS))
    cells = [(s, y) for s in range(len(groups)) for y in range(ahead)]
    names = list(groups)
    table = pd.DataFrame(
        [(names[s], years[y], y + 1) for s, y in cells], columns=["stage", "year", "lead"]
    )
    for name, array in {**parts, "total": total}.items():
        table[name] = array.ravel() + 0.0  # no -0.0
    return table[SPLIT]


def _source(pupils: Array, t: int, row: Row, at: Mapping[str, int]) -> Array:
    """Return the pupils that a grade draws on in the year of row `t` [district]."""
    first = t - int(row["duration"])
    if first < 0:
        return np.full(pupils.shape[2], np.nan)
    source: Array = pupils[first:t, at[row["feeder"]]].sum(axis=0)
    return source


def _steps(course: Course, rows: Sequence[Row], ahead: int) -> tuple[Array, Array]:
    """Return the ratio of every cell to its source, and the pupils of cells without a source."""
    at = {str(row["grade"]): g for g, row in enumerate(rows)}
    first = len(course.pupils) - ahead
    source = course.pools[-ahead:].copy()
    for g, row in enumerate(rows):
        if not is_entry(row):
            for t in range(ahead):
                source[t, g] = _source(course.pupils, first + t, row, at)
    pupils = course.pupils[first:]
    told = source > 0
    ratio = np.divide(pupils, source, out=np.zeros_like(pupils), where=told)
    # A cell that does not exist stays NaN in the one or the other, and adds nothing.
    return ratio, np.where(told, 0.0, pupils)


def _carry(start: Array, steps: tuple[Array, Array, Array], rows: Sequence[Row]) -> Array:
    """Move the cohorts on from the launch [year, grade, district]."""
    ratio, pools, extra = steps
    at = {str(row["grade"]): g for g, row in enumerate(rows)}
    pupils = np.concatenate([start, np.full(ratio.shape, np.nan)])
    for t in range(len(ratio)):
        for g, row in enumerate(rows):
            source = pools[t, g] if is_entry(row) else _source(pupils, len(start) + t, row, at)
            # Without a source there is nobody to take in: what is there came another way.
            pupils[len(start) + t, g] = ratio[t, g] * np.nan_to_num(source) + extra[t, g]
    return pupils[len(start) :]


def kinds_of(
    policy: pd.DataFrame | None,
    rows: Sequence[Row],
    names: Sequence[str],
    years: Sequence[int],
    districts: pd.DataFrame | None,
) -> Kinds:
    """Return which driver the ratio of every cell belongs to [year, grade, district].

    Parameters
    ----------
    policy : DataFrame or None
        A gross rate sets kindergarten and stages known only as totals, a special rate special
        schools, a senior share the entrants of senior schools.
    rows, names, years : sequences
        The grades, districts and years.
    districts : DataFrame or None
        How districts roll up.

    Returns
    -------
    ndarray of int
        ENTRY, PROGRESSION or POLICY.
    """
    plain = [PROGRESSION if family_of(row) == "progression" else ENTRY for row in rows]
    kinds: Kinds = np.broadcast_to(
        np.array(plain, dtype=np.int64)[np.newaxis, :, np.newaxis],
        (len(years), len(rows), len(names)),
    ).copy()
    for indicator, stage, own in _steered(rows):
        cells = [(name, stage) for name in names]
        set_here = _is_set(policy, indicator, cells, years, districts)
        for g in own:
            kinds[:, g][set_here] = POLICY
    return kinds


def _is_set(
    policy: pd.DataFrame | None,
    indicator: str,
    cells: Sequence[tuple[str, ...]],
    years: Sequence[int],
    districts: pd.DataFrame | None,
) -> Flags:
    """Return where a path sets something, for one class of residence at least [year, district]."""
    found = np.zeros((len(years), len(cells)), dtype=bool)
    if policy is None or not (policy["indicator"] == indicator).any():
        return found
    classes = ["", *policy["residence"].dropna().unique()] if "residence" in policy else [""]
    for residence in classes:
        asked = [(*cell, str(residence)) for cell in cells]
        path = policy_path(policy, indicator, asked, years, districts=districts)
        found |= ~np.isnan(path.T)
    return found


def _steered(rows: Sequence[Row]) -> list[tuple[str, str, list[int]]]:
    """Return which indicator sets which grades: indicator, the stage it is given for, grades."""
    of_stage: dict[str, list[int]] = {}
    for g, row in enumerate(rows):
        of_stage.setdefault(str(row["stage"]), []).append(g)
    found = []
    for stage, own in of_stage.items():
        alone = all(is_entry(rows[g]) for g in own)
        if stage == SPECIAL:
            found.append(("special_rate", stage, own))
        elif stage == "kindergarten" or alone:
            found.append(("gross_rate", stage, own))
        elif stage in (GENERAL, VOCATIONAL):
            found.append(("senior_general_share", GENERAL, own[:1]))
    return found
