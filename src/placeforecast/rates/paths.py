"""Policy paths and standards: the value that holds for a district, a stage and a year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.tables.doors import Array


def _blank(table: pd.DataFrame, key: str) -> pd.Series[bool]:
    if key not in table.columns:
        return pd.Series(data=True, index=table.index)
    return table[key].isna() | (table[key].astype("object") == "")


def policy_path(
    policy: pd.DataFrame | None,
    indicator: str,
    cells: Sequence[tuple[str, str]],
    years: Sequence[int],
) -> Array:
    """Return the value of an indicator for each (district, stage) and year.

    A path is linear between the years given, and held before the first and after the last. A row
    with a blank district or stage holds for all of them; where rows of several kinds fit a cell,
    the ones that name the district and the stage come first, then those that name the district,
    then those that name the stage, and only one kind is used. Rows of one class of residence are
    left out.

    Parameters
    ----------
    policy : DataFrame or None
        As in the vocabulary.
    indicator : str
        Such as ``"public_share"``.
    cells : sequence of (district, stage)
    years : sequence of int

    Returns
    -------
    ndarray [cell, year]
        NaN for a cell without a path.
    """
    values = np.full((len(cells), len(years)), np.nan)
    if policy is None:
        return values
    rows = policy[policy["indicator"] == indicator]
    paths = _paths(rows)
    for i, (district, stage) in enumerate(cells):
        for key in ((district, stage), (district, ""), ("", stage), ("", "")):
            if key in paths:
                known_years, known = paths[key]
                values[i] = np.interp(years, known_years, known)
                break
    return values


def _paths(rows: pd.DataFrame) -> Mapping[tuple[str, str], tuple[Array, Array]]:
    rows = rows[_blank(rows, "residence")]
    district = rows["district"].where(~_blank(rows, "district"), "") if "district" in rows else ""
    stage = rows["stage"].where(~_blank(rows, "stage"), "") if "stage" in rows else ""
    keyed = rows.assign(district=district, stage=stage).sort_values("year", kind="stable")
    return {
        (str(key[0]), str(key[1])): (
            group["year"].to_numpy(dtype=float),
            group["value"].to_numpy(dtype=float),
        )
        for key, group in keyed.groupby(["district", "stage"], sort=False)
    }


def policy_holds(policy: pd.DataFrame | None, years: Sequence[int]) -> pd.DataFrame:
    """List where a path is held before its first or after its last year.

    Returns
    -------
    DataFrame [indicator, district, stage, from, to, year, value]
        Years `from` to `to` take the value given for `year`. Blank district or stage: every one.
    """
    columns = ["indicator", "district", "stage", "from", "to", "year", "value"]
    found: list[tuple[Any, ...]] = []
    if policy is None:
        return pd.DataFrame(found, columns=columns)
    for indicator, rows in policy.groupby("indicator", sort=False):
        for (district, stage), (known_years, known) in _paths(rows).items():
            first, last = int(known_years[0]), int(known_years[-1])
            if years[0] < first:
                until = min(first - 1, years[-1])
                found.append((indicator, district, stage, years[0], until, first, known[0]))
            if years[-1] > last:
                since = max(last + 1, years[0])
                found.append((indicator, district, stage, since, years[-1], last, known[-1]))
    return pd.DataFrame(found, columns=columns)


WEIGHT = {"district": 8, "grade": 4, "stage": 2, "year": 1}
"""Which standard comes first where several fit: the one that names the district, then the grade."""


def standard(
    standards: pd.DataFrame | None,
    indicator: str,
    cells: pd.DataFrame,
) -> pd.Series[float]:
    """Return the standard that holds for each cell.

    Parameters
    ----------
    standards : DataFrame or None
        As in the vocabulary; a blank key holds for all.
    indicator : str
        Such as ``"class_size"``.
    cells : DataFrame [district, year, stage, grade]
        `grade` may be missing.

    Returns
    -------
    Series
        Indexed as `cells`; NaN where no standard holds.
    """
    value = pd.Series(np.nan, index=cells.index)
    if standards is None:
        return value
    best = pd.Series(-1, index=cells.index)
    for row in standards[standards["indicator"] == indicator].to_dict("records"):
        fits = pd.Series(data=True, index=cells.index)
        score = 0
        for key, weight in WEIGHT.items():
            named = row.get(key)
            if named is None or pd.isna(named) or named == "":
                continue
            score += weight
            fits &= (cells[key] == named) if key in cells.columns else False
        better = fits & (score > best)
        value[better] = float(row["value"])
        best[better] = score
    return value
