"""Standards: the value that holds for a district, a year, a stage and a grade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.districts import ancestors, levels
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from placeforecast.tables.cells import Words

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
    return _most_specific(standards, indicator, cells).astype(float)


def _most_specific(
    standards: pd.DataFrame | None, indicator: str, cells: pd.DataFrame
) -> pd.Series[Any]:
    """Return the value of the standard that names most of a cell's keys; NaN where none fits."""
    value = np.full(len(cells), np.nan, dtype=object)
    if standards is None or cells.empty:
        return pd.Series(value, index=cells.index, dtype=object)
    best = np.full(len(cells), -1)
    labels: dict[str, Words] = {}
    for row in standards[standards["indicator"] == indicator].to_dict("records"):
        fits = np.ones(len(cells), dtype=bool)
        score = 0
        for key, weight in WEIGHT.items():
            named = row.get(key)
            if named is None or pd.isna(named) or named == "":
                continue
            score += weight
            if key in cells.columns and key not in labels:
                labels[key] = cells[key].astype("object").where(cells[key].notna(), None).to_numpy()
            fits &= labels[key] == named if key in labels else False
        better = fits & (score > best)
        value[better] = row["value"]
        best[better] = score
    return pd.Series(value, index=cells.index, dtype=object)


def planning_areas(
    standards: pd.DataFrame | None, districts: pd.DataFrame | None, cells: pd.DataFrame
) -> pd.Series[Any]:
    """Return the area in which the places of each cell are planned.

    Parameters
    ----------
    standards : DataFrame or None
        With `planned_at`, a level of the table of districts, where a stage is not planned in each
        district by itself.
    districts : DataFrame or None
        How districts roll up.
    cells : DataFrame [district, stage]

    Returns
    -------
    Series of str
        The district itself, or the one above it that has the level.

    Raises
    ------
    InputError
        If a stage is planned at a level and no district above has it.
    """
    level_of = _most_specific(standards, "planned_at", cells)
    area = cells["district"].astype("object").copy()
    planned = level_of.notna()
    if not planned.any():
        return area
    above = {} if districts is None else ancestors(districts)
    named = levels(districts)
    for index in cells.index[planned]:
        district, level = str(area[index]), str(level_of[index])
        chain = (district, *above.get(district, ()))
        found = [name for name in chain if named.get(name) == level]
        if not found:
            rule = f"plans {cells.loc[index, 'stage']} at the {level}, and {district} has none"
            remedy = f"Give the table districts with a {level} above it, or leave planned_at out."
            refuse([Problem(rule, remedy, file="standards", column="value", value=level)])
        area[index] = found[0]
    return area
