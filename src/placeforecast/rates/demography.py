"""Fertility, survival and migration of the years that the tables do not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from placeforecast.tables.districts import ancestors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.rates.notes import Notes
    from placeforecast.tables.doors import Array
    from placeforecast.tables.records import Inputs

HELD = ("fertility", "survival", "migration", "sex_ratio_at_birth")
CHINA_SEX_RATIO = 1.11  # registered births of 2020: 529.0 / 474.5 = 1.115; the trend is falling


def held_rates(inputs: Inputs, last_year: int, notes: Notes) -> dict[str, pd.DataFrame | None]:
    """Return the demographic rates with their last year held up to the last year needed.

    A table without a column `year` holds for every year as it is. A gap inside the years given is
    not filled: the projection names it.

    Parameters
    ----------
    inputs : Inputs
        With the tables as given.
    last_year : int
        Last year of the projection.
    notes : Notes
        Collects each hold.
    """
    rates = {name: _held(name, getattr(inputs, name), last_year, notes) for name in HELD}
    chinese = inputs.settings.school_system.startswith("cn-")
    if rates["sex_ratio_at_birth"] is None and inputs.population is not None and chinese:
        rates["sex_ratio_at_birth"] = pd.DataFrame({"ratio": [CHINA_SEX_RATIO]})
        text = f"sex ratio at birth: {CHINA_SEX_RATIO}, the default for China"
        notes.add("sex_ratio_at_birth", text, warn=False)
    return rates


def _held(
    name: str, table: pd.DataFrame | None, last_year: int, notes: Notes
) -> pd.DataFrame | None:
    if table is None or "year" not in table.columns:
        return table
    last_given = int(table["year"].max())
    if last_given >= last_year:
        return table
    latest = table[table["year"] == last_given]
    later = [latest.assign(year=year) for year in range(last_given + 1, last_year + 1)]
    text = f"{name}: the rates of {last_given} are held up to {last_year}"
    notes.add(name, text, warn=False)
    return pd.concat([table, *later], ignore_index=True)


class Shrunk(NamedTuple):
    """Values of districts drawn towards the mean of their parent, as arrays [district].

    Attributes
    ----------
    value : ndarray
        ``parent + weight * (own - parent)``.
    parent : ndarray
        Mean of the districts under the same parent, by precision.
    weight : ndarray
        Share of its own value that a district keeps, 0 to 1.
    """

    value: Array
    parent: Array
    weight: Array


def parents_of(districts: pd.DataFrame | None, names: Sequence[str]) -> list[str]:
    """Return the district right above each one; blank where there is none."""
    chains = {} if districts is None else ancestors(districts)
    return [next(iter(chains.get(name, ())), "") for name in names]


def family_means(
    own: Array, precision: Array, parents: Sequence[str], *, empty: float = 0.0
) -> Array:
    """Return for each district the mean of all under its parent, weighted by precision.

    Parameters
    ----------
    own, precision : ndarray [district]
        A value with a precision of zero is not used and may be NaN.
    parents : sequence of str
        Parent of each district.
    empty : float
        What stands where no district under a parent has a precision.
    """
    _, family = np.unique(np.array(parents, dtype=object).astype(str), return_inverse=True)
    used = precision > 0
    total = np.bincount(family, precision)
    summed = np.bincount(family, np.where(used, own, 0.0) * precision)
    mean = np.divide(summed, total, out=np.full(total.shape, empty), where=total > 0)
    means: Array = mean[family]
    return means


def shrink_to_parents(
    own: Array, precision: Array, parents: Sequence[str], *, empty: float = 0.0
) -> Shrunk:
    """Draw each district towards its parent by the noise of its own value (empirical Bayes).

    With precision p (one over the variance of the noise) a district keeps the share
    ``t / (t + 1/p)`` of its distance to the parent. t, the variance between districts under one
    parent, is the moment estimate of DerSimonian and Laird, pooled over all parents: the sum of
    ``p (own - parent)^2`` less its expectation without differences (districts less one), over the
    sum of ``p - p^2 / sum(p)``; zero if negative. Without siblings a district keeps its value.

    Parameters
    ----------
    own, precision : ndarray [district]
        A value with a precision of zero is not used and may be NaN.
    parents : sequence of str
        Parent of each district.
    empty : float
        What stands where no district under a parent has a precision.

    References
    ----------
    DerSimonian and Laird, Controlled Clinical Trials 7 (1986) 177-188; Marshall, Applied
    Statistics 40 (1991) 283-294, for rates of small areas.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.rates.demography import shrink_to_parents
    >>> shrink_to_parents(np.array([1.0, 3.0]), np.array([1.0, 1.0]), ["A", "A"]).value
    array([1.5, 2.5])
    """
    parent = family_means(own, precision, parents, empty=empty)
    used = precision > 0
    known = np.where(used, own, parent)
    _, family = np.unique(np.array(parents, dtype=object).astype(str), return_inverse=True)
    total = np.bincount(family, precision)
    count = np.bincount(family, used.astype(float))
    squares = np.bincount(family, precision**2)
    spread = np.bincount(family, precision * (known - parent) ** 2)
    share = np.divide(squares, total, out=np.zeros(total.shape), where=total > 0)
    room = float((total - share)[count > 1].sum())
    excess = float((spread - np.maximum(count - 1, 0)).sum())
    between = max(excess, 0.0) / room if room > 0 else 0.0
    weight = between * precision / (1 + between * precision)
    return Shrunk(parent + weight * (known - parent), parent, weight)
