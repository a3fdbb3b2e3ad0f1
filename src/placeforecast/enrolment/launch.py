"""The first half of the chain at one launch: from assumptions to pupils."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from placeforecast.enrolment.moves import moved_children, with_moved_children
from placeforecast.enrolment.project import project_enrolment
from placeforecast.population.children import school_age_children, school_ages
from placeforecast.population.project import Projection, project_population
from placeforecast.rates.estimate import stock_at
from placeforecast.tables.records import with_tables

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.tables.records import Assumptions, Inputs


RATIOS = ("intake", "participation", "progression")


@dataclass(frozen=True)
class Launched:
    """People, children and pupils from one launch on.

    Attributes
    ----------
    projection : Projection or None
        None where no count of people is known at the launch.
    children, pupils : DataFrame
        As from `school_age_children` and `project_enrolment`.
    """

    projection: Projection | None
    children: pd.DataFrame
    pupils: pd.DataFrame


def launch_pupils(
    inputs: Inputs,
    assumptions: Assumptions,
    launch_year: int,
    last_year: int,
    *,
    capacity: pd.DataFrame | None = None,
    before: Assumptions | None = None,
) -> Launched:
    """Project people, children and pupils with what is known at a launch.

    Parameters
    ----------
    inputs : Inputs
        A region; pupils and people counted after the launch are not used.
    assumptions : Assumptions
        From `estimate` at the same launch, or made by hand.
    launch_year, last_year : int
        The launch, and the last year to project.
    capacity : DataFrame [district, year, grade, places], optional
        As for `project_enrolment`.
    before : Assumptions, optional
        Those that a scenario changes: where its migration is another one, children counted by
        births and pupils at school move by the difference.

    Returns
    -------
    Launched

    Raises
    ------
    InputError
        For a hole that the projection needs, named.
    """
    stock = stock_at(inputs, launch_year)
    reach = min([last_year, *_last_years(assumptions)])
    projection = None if stock is None else project_population(stock, assumptions, until=reach)
    children = school_age_children(assumptions, projection, grades=inputs.grades)
    children = children[children["year"] <= last_year]
    moved = None
    if before is not None and stock is not None and assumptions.migration is not before.migration:
        assert inputs.grades is not None  # filled by Inputs
        ages = range(school_ages(inputs.grades)[-1] + 1)
        moved = moved_children(stock, assumptions, before, launch_year, reach, ages)
        children = with_moved_children(children, moved)
    assert inputs.enrolment is not None  # required of every region
    enrolment = inputs.enrolment[inputs.enrolment["year"] <= launch_year]
    rates = _until(assumptions, last_year)
    pupils = project_enrolment(
        children, enrolment, rates, grades=inputs.grades, capacity=capacity, moved=moved
    )
    return Launched(projection, children, pupils)


def _last_years(assumptions: Assumptions) -> list[int]:
    """Return the last year of each table of ratios that is dated."""
    tables = (getattr(assumptions, name) for name in RATIOS)
    return [int(t["year"].max()) for t in tables if t is not None and "year" in t.columns]


def _until(assumptions: Assumptions, last_year: int) -> Assumptions:
    """Leave out the ratios of later years, for which there are no children."""
    cut: dict[str, Any] = {}
    for name in RATIOS:
        table: pd.DataFrame | None = getattr(assumptions, name)
        if table is not None and "year" in table.columns:
            cut[name] = table[table["year"] <= last_year]
    return with_tables(assumptions, **cut)
