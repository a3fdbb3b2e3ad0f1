"""The chain replayed from past launches, with only what was known then."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from placeforecast.enrolment.launch import launch_pupils
from placeforecast.rates.estimate import estimate
from placeforecast.rates.specification import load_model
from placeforecast.tables.doors import to_array
from placeforecast.tables.problems import AssumptionWarning, InputError
from placeforecast.tables.pupils import count_pupils
from placeforecast.tables.records import with_tables
from placeforecast.uncertainty.correction import (
    correct_pupils,
    issued_errors,
    replayed_errors,
)
from placeforecast.uncertainty.past import Replayed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    from placeforecast.tables.records import Inputs

LEAST_YEARS = 2
"""A launch needs two years of pupils: one step from grade to grade."""


def replay(
    inputs: Inputs,
    launch_years: Iterable[int],
    *,
    model: str | Path | None = None,
    last_year: int | None = None,
    longest: int = 100,
    correct: bool = True,
    jobs: int = 1,
) -> Replayed:
    """Forecast pupils from each launch and set them beside those that were counted later.

    Parameters
    ----------
    inputs : Inputs
        A region.
    launch_years : iterable of int
        Past launches; those without two years of pupils before them are passed over.
    model : str or Path, optional
        As for `estimate`.
    last_year : int, optional
        Last year that counts as known; by default the last year of enrolment.
    longest : int
        Longest lead to forecast.
    correct : bool
        Whether a model that corrects by its last error does so.
    jobs : int
        Processes; launches are shared out among them.

    Returns
    -------
    Replayed
    """
    assert inputs.enrolment is not None  # required of every region
    assert inputs.grades is not None  # filled by Inputs
    counted_years = sorted(set(inputs.enrolment["year"]))
    last = counted_years[-1] if last_year is None else last_year
    first = counted_years[0] + LEAST_YEARS - 1
    launches = [year for year in sorted(set(launch_years)) if first <= year < last]
    counted = count_pupils(inputs.enrolment, inputs.grades, last)
    pupils = counted.pupils.sum(axis=3)
    leads = list(range(1, min(longest, last - min(launches, default=last)) + 1))
    axes: dict[str, list[Any]] = {
        "launch": launches,
        "lead": leads,
        "grade": counted.axes["grade"],
        "district": counted.axes["district"],
    }
    shape = tuple(len(axes[name]) for name in ("launch", "lead", "grade", "district"))
    forecast, actual, born = (np.full(shape, np.nan) for _ in range(3))
    launched = np.full((shape[0], *shape[2:]), np.nan)
    impossible = {}
    reaches = [min(len(leads), last - launch) for launch in launches]
    tables = Parallel(n_jobs=jobs)(
        delayed(_attempt)(inputs, launch, reach, model, correct=correct)
        for launch, reach in zip(launches, reaches, strict=True)
    )
    for i, (launch, reach, (table, why)) in enumerate(zip(launches, reaches, tables, strict=True)):
        at = launch - counted.axes["year"][0]
        launched[i] = pupils[at]
        actual[i, :reach] = pupils[at + 1 : at + 1 + reach]
        if table is None:
            impossible[launch] = why
            continue
        years = {"year": list(range(launch + 1, launch + reach + 1))}
        cells = {**years, "grade": axes["grade"], "district": axes["district"]}
        forecast[i, :reach] = to_array(table, cells, "pupils", holes=True)
        born[i, :reach] = to_array(table, cells, "share_born", holes=True)
    return Replayed(forecast, actual, born, launched, axes, impossible)


def corrected(
    inputs: Inputs, pupils: pd.DataFrame, launch: int, model: str | Path | None
) -> tuple[pd.DataFrame, str]:
    """Take a share of the last launch's error off, where the model says so.

    The error is that of the round issued a year before, where `past_rounds` holds it, else that of
    a replay.

    Returns
    -------
    tuple of DataFrame and str
        The pupils, and what was done; blank if nothing.

    Raises
    ------
    InputError
        If `past_rounds` holds that round for a part of the districts and stages.
    """
    correction = load_model(model if model is not None else inputs.settings.run.model).correction
    if not correction.share:
        return pupils, ""
    assert inputs.grades is not None  # filled by Inputs
    issued, last = inputs.past_rounds, None
    if issued is not None:
        last = issued_errors(issued, pupils, inputs.grades, launch, correction.leads)
    if last is None:
        asked: dict[str, Any] = {"last_year": launch, "longest": 1, "correct": False}
        before = replay(inputs, [launch - 1], model=model, **asked)
        if not before.axes["launch"] or before.impossible:
            return pupils, "not corrected: the launch a year before could not be replayed"
        lacks = "" if issued is None else "; past_rounds does not hold it"
        source = f"launch of {launch - 1}, replayed{lacks}"
        last = replayed_errors(before, inputs.grades, source)
    return correct_pupils(pupils, last, inputs.grades, correction, launch)


def _attempt(
    inputs: Inputs, launch: int, reach: int, model: str | Path | None, *, correct: bool
) -> tuple[pd.DataFrame | None, str]:
    """Return the pupils of a launch, or why it cannot be replayed."""
    try:
        pupils = _pupils(inputs, launch, reach, model)
    except InputError as error:
        return None, str(error)
    if correct:
        # A round of which past_rounds holds a part is an error of the region, not of this launch.
        pupils, _ = corrected(inputs, pupils, launch, model)
    return _later(pupils, launch), ""


def _pupils(inputs: Inputs, launch: int, reach: int, model: str | Path | None) -> pd.DataFrame:
    with warnings.catch_warnings():
        # What is odd about the input is said once, by the forecast itself.
        warnings.simplefilter("ignore", AssumptionWarning)
        assumptions = estimate(inputs, model=model, launch_year=launch, horizon=reach)
        # What policy, events and housing say of later years was not known at a past launch.
        assumptions = with_tables(assumptions, policy=None, events=None, housing=None, yields=None)
        return launch_pupils(inputs, assumptions, launch, launch + reach).pupils


def _later(pupils: pd.DataFrame, launch: int) -> pd.DataFrame:
    """Return the pupils after a launch, all residences together."""
    pupils = pupils[pupils["year"] > launch]
    if "residence" in pupils.columns:
        keys = ["district", "year", "grade"]
        summed = pupils.groupby(keys, as_index=False, sort=False)
        return summed.agg(pupils=("pupils", "sum"), share_born=("share_born", "first"))
    return pupils
