"""How large a shortage is to be expected, and whether to build for it or to bridge it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from placeforecast.tables.doors import Array

SHORT = 0.5
"""Places from which something is short: less than half a place is rounding."""
COSTS = ("cost_per_place", "temporary_cost_per_place", "temporary_life")
"""Standards that the verdict needs."""
SPLIT = (
    "break_even_years",
    "permanent_places",
    "temporary_places",
    "cost_permanent",
    "cost_temporary",
    "cost_split",
)
ROUNDING = 1e-9


def expected_shortage(mean: float, sd: float, places: float) -> float:
    """Return the shortage to be expected where demand is normal: the newsvendor's loss.

    ``E[max(D - K, 0)] = sd (phi(z) - z (1 - Phi(z)))`` with ``z = (K - mean) / sd`` (Porteus 2002,
    Foundations of Stochastic Inventory Theory, section 1.2); with ``sd`` 0 it is
    ``max(mean - K, 0)``. The forecast itself takes the mean over its trajectories.

    Parameters
    ----------
    mean, sd : float
        Of demand, in places.
    places : float

    Returns
    -------
    float
        Places.

    Raises
    ------
    ValueError
        For a standard deviation below 0.

    Examples
    --------
    >>> from placeforecast.review.verdict import expected_shortage
    >>> round(expected_shortage(1000, 100, 1000), 2), expected_shortage(1000, 0, 900)
    (39.89, 100.0)
    """
    if not sd >= 0:
        raise ValueError(f"a standard deviation cannot be {sd}: give 0 or more")
    if sd == 0:
        return max(float(mean) - float(places), 0.0)
    z = (mean - places) / sd
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    # The complementary error function keeps the small tail that 1 - Phi would lose.
    return sd * density + (mean - places) * math.erfc(-z / math.sqrt(2)) / 2


def break_even(
    cost_per_place: Any,  # noqa: ANN401 - a number or an array of them
    temporary_cost_per_place: Any,  # noqa: ANN401
    temporary_life: Any,  # noqa: ANN401
) -> Array:
    """Return for how many years a place must be needed before building it is the cheaper choice.

    A lasting place costs `cost_per_place`, whether it is used or not: a straight line over its
    life, without interest, charges ``cost / life`` in each year of its life. A temporary one costs
    ``temporary_cost_per_place / temporary_life`` in each year in which it is needed. The two are
    equal after ``cost_per_place * temporary_life / temporary_cost_per_place`` years.

    Parameters
    ----------
    cost_per_place, temporary_cost_per_place : number or ndarray
        Yuan per place.
    temporary_life : number or ndarray
        Years of use.

    Returns
    -------
    ndarray
        Years; endless where a temporary place costs nothing, NaN where something is not known.

    Examples
    --------
    >>> from placeforecast.review.verdict import break_even
    >>> float(break_even(60_000, 30_000, 5))
    10.0
    """
    cost, temporary, years = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (cost_per_place, temporary_cost_per_place)),
        np.asarray(temporary_life, dtype=float),
    )
    endless = np.where(np.isnan(cost) | np.isnan(years) | np.isnan(temporary), np.nan, np.inf)
    even: Array = np.divide(cost * years, temporary, out=endless, where=temporary > 0)
    return even


def split_need(short: Array, standards: pd.DataFrame) -> pd.DataFrame:
    """Split what is short into places to build and places to bridge, at the least cost.

    Sorted from the most, the places short in each year make the duration curve: as many places as
    are short in the n-th worst year are needed for n years or more. Places needed for at least the
    years of `break_even` are built, the others are temporary. Nothing is discounted, nothing after
    the last year is counted.

    Parameters
    ----------
    short : ndarray [row, year]
        Places short.
    standards : DataFrame [cost_per_place, temporary_cost_per_place, temporary_life]
        One row per row of `short`: yuan and years; NaN where not known.

    Returns
    -------
    DataFrame [break_even_years, permanent_places, temporary_places, cost_permanent, \
cost_temporary, cost_split]
        Years, places, and yuan if everything is built, if everything is temporary, and of the
        split. A row without any shortage costs nothing whatever is known; the others are NaN where
        a standard is.

    Raises
    ------
    InputError
        For a `temporary_life` of 0.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from placeforecast.review.verdict import split_need
    >>> standards = pd.DataFrame({"cost_per_place": [60_000.0],
    ...     "temporary_cost_per_place": 30_000.0, "temporary_life": 1.0})
    >>> split = split_need(np.array([[300.0, 100.0, 100.0]]), standards)
    >>> split[["break_even_years", "permanent_places", "temporary_places"]]
       break_even_years  permanent_places  temporary_places
    0               2.0             100.0             200.0
    """
    if (standards["temporary_life"] == 0).any():
        rule, remedy = "of temporary_life is 0", "Give years of use above 0."
        refuse([Problem(rule, remedy, file="standards", column="value")])
    cost, once, life = (standards[name].to_numpy(dtype=float) for name in COSTS)
    even = break_even(cost, once, life)
    curve = -np.sort(-short, axis=1)
    # Ranks count from 1: the places of rank n are needed for n years.
    ranks = np.arange(1, short.shape[1] + 1)
    lasting = ranks >= even[:, np.newaxis] - ROUNDING
    built = np.where(lasting, curve, 0.0).max(axis=1, initial=0.0)
    most, rent = curve.max(axis=1, initial=0.0), once / life
    bridged = np.maximum(short - built[:, np.newaxis], 0.0).sum(axis=1)
    known = ~np.isnan(even)
    figures = {
        "permanent_places": np.where(known, built, np.nan),
        "temporary_places": np.where(known, most - built, np.nan),
        "cost_permanent": most * cost,
        "cost_temporary": short.sum(axis=1) * rent,
        "cost_split": built * cost + bridged * rent,
    }
    idle = most <= SHORT
    split = {name: np.where(idle, 0.0, values) for name, values in figures.items()}
    return pd.DataFrame({"break_even_years": even, **split})[list(SPLIT)]


def verdict_of(permanent: pd.Series[Any], temporary: pd.Series[Any]) -> pd.Series[Any]:
    """Return the verdict on places short: none, permanent, temporary or mixed.

    Parameters
    ----------
    permanent, temporary : Series
        Places to build and to bridge; NaN where it is not known.

    Returns
    -------
    Series
        Values of the list `plan_verdict`; missing where it is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.review.verdict import verdict_of
    >>> verdict_of(pd.Series([0.0, 90.0, 90.0]), pd.Series([0.0, 0.0, 40.0])).tolist()
    ['none', 'permanent', 'mixed']
    """
    known = permanent.notna() & temporary.notna()
    built, bridged = permanent > SHORT, temporary > SHORT
    word = pd.Series("none", index=permanent.index, dtype="object")
    word = word.mask(built, "permanent").mask(bridged, "temporary").mask(built & bridged, "mixed")
    return word.where(known, None)


def lacking(standards: pd.DataFrame, stages: pd.Series[Any]) -> pd.Series[Any]:
    """Return which standards of the verdict a stage lacks, in words; blank where none.

    Parameters
    ----------
    standards : DataFrame [cost_per_place, temporary_cost_per_place, temporary_life]
    stages : Series
    """
    blank = standards[list(COSTS)].isna().to_numpy()
    texts = []
    for stage, row in zip(stages, blank, strict=True):
        named = [name for name, missing in zip(COSTS, row, strict=True) if missing]
        texts.append(f"standards lack {', '.join(named)} of {stage}" if named else "")
    return pd.Series(texts, index=standards.index, dtype="object")
