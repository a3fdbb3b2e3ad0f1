"""Correction by the last known error: half of what the last launch missed, at the next lead.

Errors of one district in consecutive years go the same way once births turn, so a part of the last
one is worth taking off. The whole of it is noise: in England half of it lowered the error of local
forecasts in eight of eight rounds, the whole in five. Beyond lead 1 the error that matters is not
yet known when the forecast is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.tables.doors import Array, look_up
from placeforecast.tables.grades import stages_in_order

if TYPE_CHECKING:
    from placeforecast.rates.specification import Correction
    from placeforecast.uncertainty.past import Replayed

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def last_errors(before: Replayed, stages: list[str], stage_of: dict[str, str]) -> Array:
    """Return actual over forecast at lead 1 of the one launch replayed [stage, district].

    1 where a stage was not forecast or nobody came: nothing is known to correct by.
    """
    parts = []
    for stage in stages:
        rows = [g for g, grade in enumerate(before.axes["grade"]) if stage_of[grade] == stage]
        forecast = np.nansum(before.forecast[0, 0, rows], axis=0)
        actual = np.nansum(before.actual[0, 0, rows], axis=0)
        both = (forecast > 0) & (actual > 0)
        parts.append(np.divide(actual, forecast, out=np.ones_like(forecast), where=both))
    return np.stack(parts)


def correct_pupils(
    pupils: pd.DataFrame,
    before: Replayed,
    grades: pd.DataFrame,
    correction: Correction,
    launch_year: int,
) -> tuple[pd.DataFrame, str]:
    """Take a share of the last known error off the pupils of the next leads.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, pupils, ...]
        Of a launch.
    before : Replayed
        The launch a year earlier, replayed for lead 1 without correction.
    grades : DataFrame
        The school system, resolved.
    correction : Correction
        Which share, and up to which lead.
    launch_year : int

    Returns
    -------
    tuple of DataFrame and str
        The pupils, and a sentence that says how much was done.
    """
    stages = stages_in_order(grades)
    stage_of = dict(zip(grades["grade"], grades["stage"], strict=True))
    ratio = last_errors(before, stages, stage_of) ** correction.share
    lead = pupils["year"] - launch_year
    near = (lead >= 1) & (lead <= correction.leads)
    cells = pupils.loc[near, ["district", "grade"]].assign(
        stage=lambda table: table["grade"].map(stage_of)
    )
    axes = {"stage": stages, "district": before.axes["district"]}
    factor = pd.Series(1.0, index=pupils.index)
    factor[near] = look_up(ratio, axes, cells)
    low, high = 100 * (factor.min() - 1), 100 * (factor.max() - 1)
    text = (
        f"corrected by {correction.share:g} of the last error up to lead {correction.leads}: "
        f"pupils of a stage change by {low:+.1f} % to {high:+.1f} %"
    )
    return pupils.assign(pupils=pupils["pupils"] * factor), text


def try_shares(replayed: Replayed, stages: list[str], stage_of: dict[str, str]) -> pd.DataFrame:
    """Measure what each share would have done at lead 1 of the launches replayed.

    Parameters
    ----------
    replayed : Replayed
        Past launches without correction; each is corrected by the launch a year before it.
    stages, stage_of : list, dict
        The stages in order, and the stage of each grade.

    Returns
    -------
    DataFrame [stage, share, wape, launches]
    """
    launches = replayed.axes["launch"]
    pairs = [
        (launches.index(year - 1), launches.index(year))
        for year in launches[1:]
        if year - 1 in launches
    ]
    rows = []
    for stage in stages:
        grades = [g for g, grade in enumerate(replayed.axes["grade"]) if stage_of[grade] == stage]
        forecast = np.nansum(replayed.forecast[:, 0, grades], axis=1)
        actual = np.nansum(replayed.actual[:, 0, grades], axis=1)
        for share in SHARES:
            missed = came = 0.0
            for earlier, later in pairs:
                known = (forecast[earlier] > 0) & (actual[earlier] > 0)
                last = np.divide(
                    actual[earlier], forecast[earlier], out=np.ones(len(known)), where=known
                )
                missed += float(np.abs(forecast[later] * last**share - actual[later]).sum())
                came += float(actual[later].sum())
            if came > 0:
                rows.append((stage, share, missed / came, len(pairs)))
    return pd.DataFrame(rows, columns=["stage", "share", "wape", "launches"])
