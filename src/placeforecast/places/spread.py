"""Places of a stage spread over its grades, in the grades that a district has in each year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placeforecast.tables.structure import absent_grades

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from placeforecast.places.steps import Step
    from placeforecast.tables.doors import Array
    from placeforecast.tables.structure import Change

NONE_ABSENT: frozenset[str] = frozenset()


def years_by_grade(
    system: pd.DataFrame, stage: str, absent: frozenset[str] = NONE_ABSENT
) -> dict[str, tuple[int, int]]:
    """Return for each grade of a stage its first year in the stage and its years.

    Parameters
    ----------
    system : DataFrame
        The school system, resolved.
    stage : str
    absent : frozenset of str
        Grades that are not there.
    """
    return _spans(_grades(system), stage, absent)


def _grades(system: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return each grade with its stage and its years."""
    columns = (system[key].tolist() for key in ("grade", "stage", "duration"))
    return list(zip(*columns, strict=True))


def _spans(
    grades: Sequence[tuple[str, str, int]], stage: str, absent: frozenset[str]
) -> dict[str, tuple[int, int]]:
    spans: dict[str, tuple[int, int]] = {}
    first = 0
    for grade, of, duration in grades:
        if of == stage and grade not in absent:
            spans[str(grade)] = (first, int(duration))
            first += int(duration)
    return spans


def spread_step(
    step: Step, years: Sequence[int], system: pd.DataFrame, changes: Sequence[Change]
) -> dict[str, Array]:
    """Return the places that a step adds to each grade in each year, cumulative.

    Parameters
    ----------
    step : Step
        Its places are spread evenly over the years of the grades of its stage; of a school that
        opens grade by grade over those that are open.
    years : sequence of int
    system : DataFrame
        The school system, resolved, with the grades that changes of structure bring.
    changes : sequence of Change
        Changes of structure.
    """
    asked, grades = np.array(years), _grades(system)
    away = [absent_grades(changes, step.district, int(year)) for year in years]
    # By grade, the k-th year of the stage opens k years after the school does.
    filled = np.inf if step.opens is None else asked + 1 - step.opens
    opening = absent_grades(changes, step.district, step.opens or step.year)
    at_first = _spans(grades, step.stage, opening)
    amounts: dict[str, Array] = {}
    for absent in dict.fromkeys(away):
        counts = np.array([one == absent for one in away]) & (asked >= step.year)
        spans = _spans(grades, step.stage, absent)
        total = sum(duration for _, duration in spans.values())
        # A grade that comes below the first one takes nothing from those that follow it.
        shift = next((spans[g][0] - at_first[g][0] for g in at_first if g in spans), 0)
        for grade, (first, duration) in spans.items():
            opened = np.clip(filled - (first - shift), 0, duration)
            amount = np.where(counts, step.places * opened / total, 0.0)
            amounts[grade] = amounts[grade] + amount if grade in amounts else amount
    return amounts
