"""Pupils of a grade that moves to another stage, under the name it has there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.structure import applied_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from placeforecast.tables.structure import Change


def with_moved_grades(
    pupils: pd.DataFrame, changes: Sequence[Change], launch_year: int
) -> pd.DataFrame:
    """Rename the pupils of grades that have moved to another stage.

    The cohort goes on as before: it is the same children at the same age, counted in another stage.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, ...]
        Under the names of the launch.
    changes : sequence of Change
        From `structure_changes`.
    launch_year : int
        Year that is as counted.

    Returns
    -------
    DataFrame
        The same rows in the same order.

    Raises
    ------
    InputError
        For a change up to the launch, when pupils are counted under the new name already.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.regrade import with_moved_grades
    >>> from placeforecast.tables.structure import Change
    >>> pupils = pd.DataFrame({"district": "A", "year": [2026, 2027], "grade": "P6", "pupils": 90})
    >>> with_moved_grades(pupils, [Change(2027, "P6", "J0", "junior", None)], 2025).grade.tolist()
    ['P6', 'J0']
    """
    if not changes:
        return pupils
    done = [change for change in changes if change.year <= launch_year]
    if done:
        rule = f"moves {done[0].grade} in {done[0].year}, not after the launch of {launch_year}"
        remedy = "Give the table grades of the school system of today, and leave the event out."
        refuse([Problem(rule, remedy, file="events", column="year_from")])
    named = pupils["grade"].astype("object").copy()
    for district in dict.fromkeys(pupils["district"]):
        own = pupils["district"] == district
        for change in applied_changes(changes, str(district)):
            # `named`, not the grade of the launch: a grade may move there and back.
            moved = own & (pupils["year"] >= change.year) & (named == change.grade)
            named = named.mask(moved, change.becomes)
    return pupils.assign(grade=named)
