"""Adding cells up to stages, combined stages and parents, always in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.districts import NO_LEVEL, levels, members
from placeforecast.tables.doors import Array, to_arrays, to_table
from placeforecast.tables.grades import combined_in, resolve_grades, stages_in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

Axes = dict[str, list[Any]]
STAGES = ["district", "level", "year", "stage", "ledger", "pupils", "demand", "share_born"]


def area_columns(leaves: list[str], districts: pd.DataFrame | None) -> dict[str, list[int]]:
    """Return each district and parent with the columns of its leaves."""
    at = {name: i for i, name in enumerate(leaves)}
    if districts is None:
        return {name: [i] for name, i in at.items()}
    columns = {
        area: [at[leaf] for leaf in own if leaf in at] for area, own in members(districts).items()
    }
    return {area: own for area, own in columns.items() if own}


def stage_rows(grades: list[str], system: pd.DataFrame) -> dict[str, list[int]]:
    """Return each stage and combined stage with the rows of its grades."""
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    there = [s for s in stages_in_order(system) if s in {stage_of[g] for g in grades}]
    named = {**{stage: (stage,) for stage in there}, **combined_in(there)}
    return {
        name: [i for i, grade in enumerate(grades) if stage_of[grade] in parts]
        for name, parts in named.items()
    }


def roll_up(
    cells: Mapping[str, Array], axes: Axes, system: pd.DataFrame, districts: pd.DataFrame | None
) -> pd.DataFrame:
    """Add cells up to every area and stage.

    Parameters
    ----------
    cells : mapping of str to ndarray [year, grade, district]
        `pupils`, `demand` and `share_born`, and any other values to add up. A cell whose `demand`
        is NaN does not exist and adds nothing.
    axes : mapping
        Labels of `year`, `grade` and `district`.
    system : DataFrame
        The school system, resolved.
    districts : DataFrame or None
        How districts roll up.

    Returns
    -------
    DataFrame [district, level, year, stage, ..., share_born]
        `share_born` weighted by pupils, by cells where nobody is taught, and missing where nothing
        is known of births.
    """
    areas = area_columns(axes["district"], districts)
    groups = stage_rows(axes["grade"], system)
    here = ~np.isnan(cells["demand"])
    known = here & ~np.isnan(cells["share_born"])
    summed = {name: array for name, array in cells.items() if name != "share_born"}
    helpers = {
        "here": np.where(here, 1.0, 0.0),
        "known": np.where(known, cells["pupils"], 0.0),
        "born": np.where(known, cells["pupils"] * cells["share_born"], 0.0),
        "cells_known": np.where(known, 1.0, 0.0),
        "cells_born": np.where(known, cells["share_born"], 0.0),
    }
    order = {"district": list(areas), "year": axes["year"], "stage": list(groups)}
    sums = {name: _sums(array, areas, groups) for name, array in {**summed, **helpers}.items()}
    exists = sums["here"] > 0
    table = to_table(sums["pupils"], order, "pupils", where=exists)
    level = levels(districts)
    named = {area: level.get(area, NO_LEVEL) for area in areas}
    values = {name: sums[name][exists] for name in summed}
    return table.assign(
        **values, level=table["district"].map(named), share_born=_share_born(sums)[exists]
    )


def _share_born(sums: Mapping[str, Array]) -> Array:
    """Return the mean share born, weighted by pupils, else by cells; NaN where none is known."""
    none = np.full_like(sums["known"], np.nan)
    even = np.divide(
        sums["cells_born"], sums["cells_known"], out=none, where=sums["cells_known"] > 0
    )
    return np.divide(sums["born"], sums["known"], out=even, where=sums["known"] > 0)


def _sums(array: Array, areas: dict[str, list[int]], groups: dict[str, list[int]]) -> Array:
    filled = np.where(np.isnan(array), 0.0, array)
    by_group = np.stack([filled[:, rows].sum(axis=1) for rows in groups.values()], axis=1)
    return np.stack([by_group[..., own].sum(axis=2) for own in areas.values()])


def cell_axes(table: pd.DataFrame, system: pd.DataFrame) -> Axes:
    """Return the axes of a table of cells: its years, its grades in order, its districts."""
    grades = set(table["grade"].unique().tolist())
    return {
        "year": sorted(table["year"].unique().tolist()),
        "grade": [grade for grade in system["grade"].tolist() if grade in grades],
        "district": sorted(table["district"].unique().tolist()),
    }


def stage_totals(
    demand: pd.DataFrame,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Add demand up to stages, combined stages and parents.

    Parameters
    ----------
    demand : DataFrame [district, year, grade, stage, ledger, pupils, demand, share_born]
        From `demand_places`.
    districts : DataFrame, optional
        How districts roll up; without it only the districts themselves are given.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    DataFrame [district, level, year, stage, ledger, pupils, demand, share_born]
    """
    system = resolve_grades(grades)
    parts = []
    for ledger, rows in demand.groupby("ledger", sort=False):
        axes = cell_axes(rows, system)
        cells = to_arrays(rows, axes, ("pupils", "demand", "share_born"), name="demand", holes=True)
        parts.append(roll_up(cells, axes, system, districts).assign(ledger=ledger))
    return pd.concat(parts, ignore_index=True)[STAGES]
