"""One run of the whole chain on one screen: rates -> population -> enrolment -> places."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.enrolment.launch import launch_pupils
from placeforecast.enrolment.policy import GENERAL, LIMITED
from placeforecast.places.accounts import accounts
from placeforecast.places.balance import balance_places
from placeforecast.places.delivery import delivery_note
from placeforecast.places.demand import demand_places
from placeforecast.places.rollup import stage_totals
from placeforecast.places.sectors import untold_stages
from placeforecast.places.supply import CASES, schedule_places
from placeforecast.rates.paths import on_births_texts
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.uncertainty.companions import with_companions
from placeforecast.uncertainty.replay import corrected

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.trajectories import Sampling


Notes = list[tuple[str, str]]


def run(
    inputs: Inputs,
    assumptions: Assumptions,
    base: Assumptions,
    span: tuple[int, int],
    *,
    sampling: Sampling | None,
    model: str | Path | None,
) -> tuple[dict[str, pd.DataFrame], Notes]:
    """Take every step of the chain with one set of assumptions.

    Parameters
    ----------
    inputs : Inputs
        A region.
    assumptions, base : Assumptions
        Those of the scenario and those of the baseline: pupils move by the difference in migration.
    span : tuple of int
        The launch and the last year.
    sampling : Sampling or None
        Trajectories to draw; None for the central run alone.
    model : str, Path or None
        For a correction by the last error.

    Returns
    -------
    tuple of dict of str to DataFrame and list of (topic, text)
        The result tables by name, and what a reader must know of them.
    """
    notes: Notes = []
    launch, last = span
    capacity = _capacity(inputs, assumptions, range(launch, last + 1))
    launched = launch_pupils(inputs, assumptions, launch, last, capacity=capacity, before=base)
    years = range(launch, int(launched.pupils["year"].max()) + 1)
    if years[-1] < last:
        notes.append(("horizon", f"the assumptions end in {years[-1]}, before {last}"))
        warnings.warn(AssumptionWarning(notes[-1][1]), stacklevel=2)
    basis = set(launched.children["basis"])
    notes += [("policy", text) for text in on_births_texts(assumptions.policy, basis)]
    pupils, correction = corrected(inputs, launched.pupils, launch, model)
    if correction:
        notes.append(("correction", correction))
    tables = _places_needed(inputs, assumptions, pupils, years, notes)
    if sampling is not None:
        tables = with_companions(tables, inputs, assumptions, sampling)
    tables["children"] = launched.children
    tables |= accounts(inputs, assumptions, tables, launch)
    if launched.projection is not None:
        tables["population"] = launched.projection.population
        tables["births"] = launched.projection.births
    return tables, notes


def _places_needed(
    inputs: Inputs,
    assumptions: Assumptions,
    pupils: pd.DataFrame,
    years: range,
    notes: Notes,
) -> dict[str, pd.DataFrame]:
    """Take the second half of the chain: from pupils to the balance, as far as places are known."""
    tree, grades = inputs.districts, inputs.grades
    demand = demand_places(pupils, assumptions, grades=grades)
    tables = {"pupils": pupils, "demand": demand}
    tables["stages"] = stage_totals(demand, districts=tree, grades=grades)
    places = _places(inputs, assumptions, years, notes)
    if places is not None:
        given = {"districts": tree, "grades": grades, "standards": assumptions.standards}
        balance = balance_places(demand, places, **given)
        tables |= {"places": places, "balance_cells": balance.cells, "balance": balance.stages}
    return tables


def _capacity(inputs: Inputs, assumptions: Assumptions, years: range) -> pd.DataFrame | None:
    """Return the places planned, where policy lets them limit who enters."""
    policy = assumptions.policy
    if policy is None or assumptions.places is None or not (policy["value"] == LIMITED).any():
        return None
    if GENERAL in untold_stages(inputs, assumptions, years.start):
        rule = "sets senior_mode capacity_limited, but places of some sectors are not given"
        remedy = "Give the places of every sector of general senior schools, or write share."
        refuse([Problem(rule, remedy, file="policy", column="value")])
    with warnings.catch_warnings():
        # What is odd about the plan is said when the places of every case are scheduled.
        warnings.simplefilter("ignore", AssumptionWarning)
        return schedule_places(assumptions, years, grades=inputs.grades)


def _places(
    inputs: Inputs, assumptions: Assumptions, years: range, notes: Notes
) -> pd.DataFrame | None:
    """Return places in every plan case, or None where no places are known."""
    if assumptions.places is None:
        notes.append(("places", "there is no table of places: the chain stops at demand"))
        return None
    cases = [schedule_places(assumptions, years, case=c, grades=inputs.grades) for c in CASES]
    places = pd.concat(cases, ignore_index=True)
    weighed = delivery_note(assumptions.projects, int(assumptions.places["year"].max()))
    if weighed:
        notes.append(("delivery", weighed))
    partial = untold_stages(inputs, assumptions, years.start)
    if partial:
        listed = ", ".join(sorted(partial))
        text = f"places of some sectors are not given, so ledger all is not balanced: {listed}"
        notes.append(("places", text))
        places = places[(places["ledger"] != "all") | ~places["stage"].isin(partial)]
    return places
