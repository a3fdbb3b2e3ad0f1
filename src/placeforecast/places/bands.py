"""Class-size bands: what a band such as 46-55 means, and whether a table of them can be used."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.tables.check import check
from placeforecast.tables.districts import leaves
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.problems import Problem, refuse, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

BAND = re.compile(r"(\d+)\s*(?:\+|[-–]\s*(\d+))$")
"""Such as 46-55 or 66+."""


def read_bands(
    class_sizes: pd.DataFrame, districts: pd.DataFrame | None, system: pd.DataFrame
) -> pd.DataFrame:
    """Check a table of class-size bands and add the limits of each band.

    Parameters
    ----------
    class_sizes : DataFrame [district, stage, year, band, classes, pupils]
        As in the vocabulary.
    districts : DataFrame or None
        How districts roll up.
    system : DataFrame
        The school system, resolved.

    Returns
    -------
    DataFrame [district, stage, year, band, classes, pupils, lower, upper]
        Pupils per class; `upper` is infinite in a band such as ``66+``.

    Raises
    ------
    InputError
        For a district or stage that is not known, a band that cannot be read, overlaps another of
        its stage or leaves a gap, and pupils that do not fit their classes, each with its row.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.bands import read_bands
    >>> from placeforecast.tables.grades import load_grades
    >>> table = pd.DataFrame({"district": "A", "stage": "junior", "year": 2025,
    ...     "band": ["1-55", "56+"], "classes": [9, 1], "pupils": [450, 60]})
    >>> read_bands(table, None, load_grades())[["band", "lower", "upper"]]
       band  lower  upper
    0  1-55    1.0   55.0
    1   56+   56.0    inf
    """
    table = check(class_sizes, "class_sizes")
    _refuse_strangers(table, districts, system)
    limits = [_limits(band) for band in table["band"]]
    bands = zip(table.index, table["band"], limits, strict=True)
    unread = [(row, band) for row, band, (low, high) in bands if not low <= high]
    refuse([at(row, "band", band, "is not a band", "Write 46-55 or 66+.") for row, band in unread])
    table = table.assign(lower=[low for low, _ in limits], upper=[high for _, high in limits])
    refuse([*_misfits(table), *_band_problems(table)])
    return table


def _refuse_strangers(
    table: pd.DataFrame, districts: pd.DataFrame | None, system: pd.DataFrame
) -> None:
    problems = []
    known = set(table["district"]) if districts is None else set(leaves(districts))
    stages = stages_in_order(system)
    for row, district, stage in zip(table.index, table["district"], table["stage"], strict=True):
        if district not in known:
            rule = "is not a district of the table districts, or has others below it"
            remedy = "Add its row to districts: data stand on the lowest level."
            problems.append(at(row, "district", district, rule, remedy))
        if stage not in stages:
            rule, remedy = "is not a stage of the school system", suggest(stage, stages)
            problems.append(at(row, "stage", stage, rule, remedy))
    refuse(problems)


def at(row: int, column: str, value: str, rule: str, remedy: str) -> Problem:
    """Return a problem of a cell of `class_sizes`, by the position of its row."""
    return Problem(rule, remedy, "class_sizes", row=int(row) + 1, column=column, value=value)


def _limits(band: str) -> tuple[float, float]:
    """Return the lower and upper limit of a band; NaN where it cannot be read."""
    match = BAND.match(band)
    if not match:
        return np.nan, np.nan
    return float(match[1]), float(match[2]) if match[2] else np.inf


def _misfits(table: pd.DataFrame) -> Iterator[Problem]:
    """Name the rows whose pupils cannot sit in so many classes of the band."""
    for row, cells in zip(table.index, table.to_dict("records"), strict=True):
        classes, pupils = cells["classes"], cells["pupils"]
        most = classes * cells["upper"] if classes else 0.0
        if not classes * cells["lower"] <= pupils <= most:
            rule = f"pupils do not fit {classes:g} classes of {cells['band']}"
            remedy = "Correct the pupils, the classes or the band."
            yield at(row, "pupils", f"{pupils:g}", rule, remedy)


def _band_problems(table: pd.DataFrame) -> Iterator[Problem]:
    """Name bands of a stage that overlap or leave a gap."""
    for stage, rows in table.groupby("stage", sort=False):
        bands = rows.drop_duplicates("band").sort_values("lower", kind="stable").reset_index()
        for below, band in pairwise(bands.to_dict("records")):
            first = below["upper"] + 1
            if band["lower"] < first:
                rule = f"overlaps {below['band']} of {stage}"
                yield at(band["index"], "band", band["band"], rule, "Give bands apart.")
            elif band["lower"] > first:
                gap = f"{first:.0f}-{band['lower'] - 1:.0f}"
                rule, remedy = f"leaves out {gap} of {stage}", "Add its rows, 0 if there are none."
                yield at(band["index"], "band", band["band"], rule, remedy)
