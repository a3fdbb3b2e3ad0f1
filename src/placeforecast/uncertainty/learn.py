"""What a forecast can learn of its own errors at its launch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.tables.doors import Array, to_array
from placeforecast.tables.grades import stages_in_order
from placeforecast.uncertainty.calibrate import past_intervals, top_of
from placeforecast.uncertainty.draws import BirthShocks, fit_births
from placeforecast.uncertainty.errors import ErrorModel, fit_errors
from placeforecast.uncertainty.replay import replay
from placeforecast.uncertainty.shipped import shipped_errors

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.past import Replayed

MOST_LAUNCHES = 10
LONGEST_LEAD = 6
CHECKED = (0.1, 0.9)
COVERAGE = ["stage", "lead", "nominal", "coverage", "width", "launches"]


@dataclass(frozen=True)
class Learnt:
    """Errors to draw from, where they come from, and how such intervals have done.

    Attributes
    ----------
    errors : ErrorModel
        Of pupils who are born.
    births : BirthShocks
        Of births that are not.
    source : str
        Own launches, or the shipped table.
    coverage : DataFrame [stage, lead, nominal, coverage, width, launches]
        How often intervals made in the same way held what came at past launches, and how wide they
        were as a share of the forecast; empty where no launch has an earlier one to learn from.
    """

    errors: ErrorModel
    births: BirthShocks
    source: str
    coverage: pd.DataFrame


def learn_errors(
    inputs: Inputs,
    assumptions: Assumptions,
    launch_year: int,
    *,
    model: str | Path | None = None,
    seed: int = 1,
    jobs: int = 1,
) -> Learnt:
    """Replay past launches and learn from their errors.

    Parameters
    ----------
    inputs : Inputs
        A region.
    assumptions : Assumptions
        Those of the forecast, for its births.
    launch_year : int
        Nothing counted later is used.
    model : str or Path, optional
        As for `estimate`.
    seed : int
        For the intervals that are held against past outcomes.
    jobs : int
        Processes.

    Returns
    -------
    Learnt
    """
    assert inputs.grades is not None  # filled by Inputs
    first = launch_year - MOST_LAUNCHES
    past = replay(
        inputs,
        range(first, launch_year),
        model=model,
        last_year=launch_year,
        longest=LONGEST_LEAD,
        jobs=jobs,
    )
    stages = stages_in_order(inputs.grades)
    stage_of = dict(zip(inputs.grades["grade"], inputs.grades["stage"], strict=True))
    errors = fit_errors(past, stages, stage_of, launch_year) if past.axes["launch"] else None
    births = _birth_shocks(assumptions)
    if errors is None:
        source = "the shipped error table: the region has no past launch with an outcome"
        errors = shipped_errors(past.axes["grade"], stages, stage_of)
        return Learnt(errors, births, source, pd.DataFrame(columns=COVERAGE))
    parents = top_of(inputs.districts, past.axes["district"])
    intervals = past_intervals(past, stages, stage_of, parents, CHECKED, seed=seed)
    coverage = _coverage(past, intervals.stages, stages, stage_of)
    source = f"{errors.launches} own launches up to {launch_year - 1}"
    return Learnt(errors, births, source, coverage)


def _birth_shocks(assumptions: Assumptions) -> BirthShocks:
    births = assumptions.births
    if births is None or "share_born" not in births.columns:
        return BirthShocks(0.0, 0.0)
    known = births[births["share_born"] == 1]
    if known.empty:
        return BirthShocks(0.0, 0.0)
    years = range(int(known["year"].min()), int(known["year"].max()) + 1)
    axes = {"year": list(years), "district": sorted(set(known["district"]))}
    return fit_births(to_array(known, axes, "births", holes=True))


def _coverage(
    past: Replayed,
    stages: Array,
    names: list[str],
    stage_of: dict[str, str],
) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    nominal = CHECKED[1] - CHECKED[0]
    for s, name in enumerate(names):
        grades = [g for g, grade in enumerate(past.axes["grade"]) if stage_of[grade] == name]
        actual = past.actual[:, :, grades].sum(axis=2)
        forecast = past.forecast[:, :, grades].sum(axis=2)
        low, high = stages[0, :, :, s], stages[1, :, :, s]
        known = ~np.isnan(low) & ~np.isnan(actual) & (forecast > 0)
        for h, lead in enumerate(past.axes["lead"]):
            here = known[:, h]
            if here.any():
                inside = (actual[:, h] >= low[:, h]) & (actual[:, h] <= high[:, h])
                width = ((high - low)[:, h][here] / forecast[:, h][here]).mean()
                launches = int(here.any(axis=1).sum())
                rows.append((name, lead, nominal, inside[here].mean(), width, launches))
    return pd.DataFrame(rows, columns=COVERAGE)
