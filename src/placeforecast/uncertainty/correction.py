"""Correction by the last known error: half of what the last launch missed, at the next lead.

Errors of one district in consecutive years go the same way once births turn, so a part of the last
one is worth taking off. The whole of it is noise: in England half of it lowered the error of local
forecasts in eight of eight rounds, the whole in five. Beyond lead 1 the error that matters is not
yet known when the forecast is made. A round that was issued knows its error, with its policy and
its scenario; without one the launch is replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.doors import Array, look_up, to_array
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.rates.specification import Correction
    from placeforecast.uncertainty.past import Replayed

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
CORRECTED = "corrected by"
"""How a note begins that says what was done."""


@dataclass(frozen=True)
class LastErrors:
    """What the launch a year earlier missed at lead 1.

    Attributes
    ----------
    ratio : ndarray [stage, district]
        Actual over forecast before any correction; 1 where nothing was forecast or nobody came,
        since then nothing is known to correct by.
    axes : mapping
        Labels of `stage` and `district`.
    source : str
        What it was learnt from.
    """

    ratio: Array
    axes: Mapping[str, list[Any]]
    source: str


def replayed_errors(before: Replayed, grades: pd.DataFrame, source: str) -> LastErrors:
    """Return the errors at lead 1 of the one launch replayed.

    Parameters
    ----------
    before : Replayed
        The launch a year earlier, replayed for lead 1 without correction.
    grades : DataFrame
        The school system, resolved.
    source : str
        What to call it in a note.

    Returns
    -------
    LastErrors
    """
    stages, stage_of = _stages(grades)
    parts = []
    for stage in stages:
        rows = [g for g, grade in enumerate(before.axes["grade"]) if stage_of[grade] == stage]
        forecast = np.nansum(before.forecast[0, 0, rows], axis=0)
        parts.append(_ratio(np.nansum(before.actual[0, 0, rows], axis=0), forecast))
    axes = {"stage": stages, "district": list(before.axes["district"])}
    return LastErrors(np.stack(parts), axes, source)


def issued_errors(
    past_rounds: pd.DataFrame,
    pupils: pd.DataFrame,
    grades: pd.DataFrame,
    launch_year: int,
    leads: int,
) -> LastErrors | None:
    """Return the errors at lead 1 of the round that was issued a year before a launch.

    Parameters
    ----------
    past_rounds : DataFrame [launch_year, year, district, stage, forecast, actual, correction]
        As in the vocabulary; only the year of the launch is read, which is counted by then.
    pupils : DataFrame [district, year, grade, pupils, ...]
        To be corrected: a stage of a district that has any needs a row.
    grades : DataFrame
        The school system, resolved.
    launch_year, leads : int
        The launch, and up to which lead it is corrected.

    Returns
    -------
    LastErrors or None
        None where the table does not hold that round.

    Raises
    ------
    InputError
        If it holds the round for some districts and stages that are needed and not for others.
    """
    of_round = past_rounds["launch_year"] == launch_year - 1
    rows = past_rounds[of_round & (past_rounds["year"] == launch_year)]
    if rows.empty:
        return None
    stages, stage_of = _stages(grades)
    near = pupils["year"].between(launch_year + 1, launch_year + leads) & (pupils["pupils"] > 0)
    taught = pupils.loc[near, ["district", "grade"]].drop_duplicates()
    needed = dict.fromkeys(
        (district, stage_of[grade]) for district, grade in taught.to_numpy().tolist()
    )
    held = set(zip(rows["district"].tolist(), rows["stage"].tolist(), strict=True))
    refuse([_lacking(*cell, launch_year) for cell in needed if cell not in held])
    axes = {"stage": stages, "district": sorted({*pupils["district"], *rows["district"]})}
    said, came = (
        to_array(rows, axes, value, name="past_rounds", holes=True)
        for value in ("forecast", "actual")
    )
    if "correction" in rows.columns:
        # A blank is a forecast that no correction changed.
        held_factor = rows.assign(correction=rows["correction"].fillna(1.0))
        said = said / to_array(held_factor, axes, "correction", name="past_rounds", holes=True)
    return LastErrors(_ratio(came, said), axes, f"round of {launch_year - 1} in past_rounds")


def _lacking(district: str, stage: str, launch_year: int) -> Problem:
    rule = f"lacks {stage} of {district} in the round of {launch_year - 1}, and holds others of it"
    remedy = (
        f"Add the row (launch_year {launch_year - 1}, year {launch_year}; forecast 0 if it was not "
        "forecast), or leave that launch_year out: the correction then learns from a replay."
    )
    return Problem(rule, remedy, file="past_rounds")


def _stages(grades: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Return the stages in order, and the stage of each grade."""
    return stages_in_order(grades), dict(zip(grades["grade"], grades["stage"], strict=True))


def _ratio(actual: Array, forecast: Array) -> Array:
    both = (forecast > 0) & (actual > 0)
    return np.divide(actual, forecast, out=np.ones(forecast.shape), where=both)


def correct_pupils(
    pupils: pd.DataFrame,
    last: LastErrors,
    grades: pd.DataFrame,
    correction: Correction,
    launch_year: int,
) -> tuple[pd.DataFrame, str]:
    """Take a share of the last known error off the pupils of the next leads.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, pupils, ...]
        Of a launch.
    last : LastErrors
        Of the launch a year earlier.
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
    _, stage_of = _stages(grades)
    lead = pupils["year"] - launch_year
    near = (lead >= 1) & (lead <= correction.leads)
    cells = pupils.loc[near, ["district", "grade"]].assign(
        stage=lambda table: table["grade"].map(stage_of)
    )
    factor = pd.Series(1.0, index=pupils.index)
    factor[near] = look_up(last.ratio**correction.share, last.axes, cells)
    low, high = 100 * (factor.min() - 1), 100 * (factor.max() - 1)
    text = (
        f"{CORRECTED} {correction.share:g} of the last error ({last.source}) up to lead "
        f"{correction.leads}: pupils of a stage change by {low:+.1f} % to {high:+.1f} %"
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
