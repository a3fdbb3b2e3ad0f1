"""What a round said of each stage of each district, beside what came: the rows of a ledger."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.chain.forecast import forecast
from placeforecast.scenarios.adjust import BASELINE
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import AssumptionWarning
from placeforecast.uncertainty.correction import CORRECTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from placeforecast.rounds.read import Round
    from placeforecast.tables.doors import Array

UNCORRECTED = "naive"
SAME = 1e-9
"""As near to 1 as a run of another version comes."""


def issued_pupils(
    round: Round,  # noqa: A002
    pupils: tuple[Array, Array],
    rows: Sequence[Mapping[Any, Any]],
    axes: Mapping[str, Sequence[Any]],
) -> pd.DataFrame:
    """Add the pupils of a round and those counted since up to stages, district by district.

    Parameters
    ----------
    round : Round
        From `read_round`.
    pupils : tuple of ndarray [year, grade, district]
        Forecast and counted, from the launch on; NaN in a cell that was not forecast.
    rows : sequence of mapping
        The grades of the axis, as rows of the school system.
    axes : mapping
        Labels of `year`, `grade` and `district`.

    Returns
    -------
    DataFrame [year, district, stage, forecast, actual, correction]
        Districts that have no other below them and plain stages, of the years after the launch.
        `correction` is what a correction by an earlier error had multiplied the forecast with;
        blank in every row where the round was not corrected.
    """
    stages: dict[str, list[int]] = {}
    for g, row in enumerate(rows):
        stages.setdefault(str(row["stage"]), []).append(g)
    order = {"year": axes["year"][1:], "district": axes["district"], "stage": list(stages)}
    said, came = (_by_stage(array[1:], stages) for array in pupils)
    there = ~np.isnan(said)
    table = to_table(said, order, "forecast", where=there)
    table["actual"] = came[there]
    table["correction"] = np.nan
    if _is_corrected(round):
        raw = _by_stage(_before_correction(round, axes)[1:], stages)
        factor = np.divide(said, raw, out=np.ones_like(said), where=raw > 0)
        table["correction"] = np.where(np.abs(factor - 1) < SAME, 1.0, factor)[there]
    return table


def _by_stage(pupils: Array, stages: Mapping[str, Sequence[int]]) -> Array:
    """Return the sums of grades [year, district, stage]; NaN where no grade exists."""
    sums = [
        np.where(np.isnan(part).all(axis=1), np.nan, np.nansum(part, axis=1))
        for part in (pupils[:, list(grades)] for grades in stages.values())
    ]
    return np.stack(sums, axis=-1)


def _is_corrected(frozen: Round) -> bool:
    notes = frozen.results["notes"]
    said = notes.loc[notes["topic"] == "correction", "text"].tolist()
    return any(str(text).startswith(CORRECTED) for text in said)


def _before_correction(frozen: Round, axes: Mapping[str, Sequence[Any]]) -> Array:
    """Return the pupils of the round as they were before its correction [year, grade, district]."""
    with warnings.catch_warnings():
        # What is odd about the input was said when the round was made.
        warnings.simplefilter("ignore", AssumptionWarning)
        # With the assumptions given, all that a model still tells is how to correct.
        again = forecast(
            frozen.inputs,
            assumptions=frozen.assumptions,
            model=UNCORRECTED,
            launch_year=frozen.launch_year,
            horizon=axes["year"][-1] - frozen.launch_year,
        )
    table = again.pupils[again.pupils["scenario"] == BASELINE]
    cells = table.groupby(["district", "year", "grade"], as_index=False)
    summed = cells.agg(pupils=("pupils", "sum"))
    return to_array(summed, axes, "pupils", name="pupils", holes=True)
