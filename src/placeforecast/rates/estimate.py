"""From what was observed to what is assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.population.children import school_age_children
from placeforecast.population.project import Projection, project_population
from placeforecast.rates.births import cohort_births
from placeforecast.rates.demography import held_rates
from placeforecast.rates.events import with_birth_events
from placeforecast.rates.fertility import (
    fertility_levels,
    standardise_fertility,
    women_exposed,
)
from placeforecast.rates.migration import residual_migration, smooth_migration
from placeforecast.rates.notes import Notes
from placeforecast.rates.schooling import school_rates, tell_bound
from placeforecast.rates.shares import sector_policy
from placeforecast.rates.specification import Specification, load_model
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.pupils import count_pupils
from placeforecast.tables.records import Assumptions, Inputs, with_tables
from placeforecast.tables.vocabulary import shipped

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = 2
"""Counts of people between which migration can be told."""

KEPT = ("transfers", "housing", "yields", "projects", "tasks", "posts", "budget", "events")


def launch_year_of(inputs: Inputs, launch_year: int | None) -> int:
    """Return the launch year: as asked for, else as set, else the last year of enrolment.

    Raises
    ------
    InputError
        If there is no enrolment in that year.
    """
    years = set() if inputs.enrolment is None else set(inputs.enrolment["year"])
    chosen = launch_year if launch_year is not None else inputs.settings.launch_year
    launch = int(chosen if chosen is not None else max(years))
    if launch not in years:
        rule = f"has no pupils of the launch year {launch}"
        remedy = f"Add them, or launch from a year that is there ({min(years)}-{max(years)})."
        refuse([Problem(file="enrolment", rule=rule, remedy=remedy)])
    return launch


def last_year_of(inputs: Inputs, launch_year: int, horizon: int | None) -> int:
    """Return the last year to forecast: the horizon asked for, else that of the settings.

    Raises
    ------
    ValueError
        For a horizon of less than one year.
    """
    years = horizon if horizon is not None else inputs.settings.horizon
    if years < 1:
        raise ValueError(f"a horizon of {years} years has no year to forecast: give 1 or more")
    return launch_year + years


def stock_at(inputs: Inputs, launch_year: int) -> pd.DataFrame | None:
    """Return the latest count of people not after the launch, or None where there is none.

    Raises
    ------
    InputError
        If every count is later and there are no births either.
    """
    if inputs.population is None:
        return None
    population = inputs.population[inputs.population["year"] <= launch_year]
    if population.empty and inputs.births is not None:
        return None
    if population.empty:
        rule = f"has no count up to the launch year {launch_year}"
        remedy = "Give an earlier count, or launch later."
        refuse([Problem(file="population", rule=rule, remedy=remedy)])
    latest: pd.DataFrame = population[population["year"] == population["year"].max()]
    return latest


def estimate(
    inputs: Inputs,
    *,
    model: str | Path | None = None,
    launch_year: int | None = None,
    horizon: int | None = None,
    selection: pd.DataFrame | None = None,
) -> Assumptions:
    """Estimate everything that a projection needs from what is known at a launch.

    Parameters
    ----------
    inputs : Inputs
        A region.
    model : str or Path, optional
        A folder under ``models/`` or a path; by default the one in the settings.
    launch_year : int, optional
        By default that of the settings, else the last year of enrolment. Nothing published later
        is used.
    horizon : int, optional
        Years to estimate for; by default that of the settings.
    selection : DataFrame [stage, model, chosen, ...], optional
        The model of each stage's ratios, from `select_models`; the others use `model`. Kept in the
        assumptions with the runners-up.

    Returns
    -------
    Assumptions
        For the years after the launch, with `notes` on how they came about.

    Raises
    ------
    InputError
        For a hole that the projection needs, named.
    ValueError
        For a horizon of less than one year.

    Warns
    -----
    AssumptionWarning
        For rows not yet known, holes in a history, ratios from fewer than 30.

    Examples
    --------
    >>> import placeforecast as pf
    >>> assumptions = pf.estimate(pf.load_example("city"), horizon=3)
    >>> rows = assumptions.intake.query("district == 'D01-U' and grade == 'P1' and year == 2026")
    >>> set(rows["basis"]), bool(1.0 < rows["ratio"].sum() < 1.3)  # local and migrant
    ({'births'}, True)
    """
    launch = launch_year_of(inputs, launch_year)
    last = last_year_of(inputs, launch, horizon)
    specification = load_model(model if model is not None else inputs.settings.run.model)
    assert inputs.grades is not None  # filled by Inputs
    notes = Notes()
    notes.add("model", f"{specification.name}: {specification.description}", warn=False)
    stock = stock_at(inputs, launch)
    if stock is None and inputs.population is not None:
        text = f"population: no count is known at the launch of {launch}; births alone are used"
        notes.add("population", text)
    births = cohort_births(
        inputs, specification.births, (launch, last), notes, women=stock is not None
    )
    held: dict[str, Any] = {**held_rates(inputs, last, notes)}
    demography = with_tables(Assumptions(births=births, grades=inputs.grades), **held)
    past = None
    if stock is not None:
        demography = _with_migration(inputs, demography, launch, notes)
        past = project_population(stock, demography, until=launch)
        fertility = _fitted_fertility(demography, past, specification, inputs, last, notes)
        demography = with_tables(demography, fertility=fertility)
    demography = _with_births_events(inputs, demography, past, last)
    children = school_age_children(demography, past)
    assert inputs.enrolment is not None  # required of every region
    counted = count_pupils(inputs.enrolment, inputs.grades, launch)
    chosen = _chosen(inputs.grades, specification, selection, notes)
    tell_bound(inputs.enrolment, launch, chosen, notes)
    ratios = school_rates(counted, children, inputs.grades, chosen, last, notes)
    places = _places(inputs, launch, notes)
    return with_tables(
        demography,
        intake=ratios.intake,
        participation=ratios.participation,
        progression=ratios.progression,
        policy=sector_policy(inputs, inputs.grades, specification.shares, launch, last),
        standards=_standards(inputs),
        districts=inputs.districts,
        places=places,
        notes=notes.table(),
        selection=selection,
        **{name: getattr(inputs, name) for name in KEPT},
    )


def _with_births_events(
    inputs: Inputs, demography: Assumptions, past: Projection | None, last_year: int
) -> Assumptions:
    """Apply dated events to births that are not recorded."""
    if inputs.events is None:
        return demography
    assert inputs.enrolment is not None  # required of every region
    first = last_year if past is None else int(past.population["year"].min())
    names = sorted(set((inputs.enrolment if past is None else past.population)["district"]))
    births, fertility = with_birth_events(
        demography.births,
        demography.fertility,
        inputs.events,
        years=range(first, last_year + 1),
        names=names,
        districts=inputs.districts,
    )
    return with_tables(demography, births=births, fertility=fertility)


def _chosen(
    grades: pd.DataFrame,
    specification: Specification,
    selection: pd.DataFrame | None,
    notes: Notes,
) -> dict[str, Specification]:
    """Return the specification of each stage."""
    chosen = dict.fromkeys(stages_in_order(grades), specification)
    if selection is None:
        return chosen
    for row in selection[selection["chosen"]].to_dict("records"):
        chosen[str(row["stage"])] = load_model(str(row["model"]))
        text = f"{row['stage']}: {row['model']} ({row['why']}, error {row['error']:.2%})"
        notes.add("selection", text, warn=False)
    return chosen


def _with_migration(
    inputs: Inputs, demography: Assumptions, launch_year: int, notes: Notes
) -> Assumptions:
    """Estimate migration between the last two counts of people, where none is given."""
    assert inputs.population is not None  # there is a count of people
    known = inputs.population[inputs.population["year"] <= launch_year]
    years = sorted(set(known["year"]))
    if demography.migration is not None or len(years) < COUNTS or demography.births is None:
        return demography
    assert demography.survival is not None  # required with a population
    earlier, later = (known[known["year"] == year] for year in years[-COUNTS:])
    moved = residual_migration(
        earlier,
        later,
        demography.survival,
        demography.births,
        sex_ratio_at_birth=demography.sex_ratio_at_birth,
    )
    with_moves = with_tables(demography, migration=moved, fertility=None)
    people = project_population(earlier, with_moves, until=years[-1]).population
    rates = smooth_migration(moved, people, districts=inputs.districts)
    text = f"migration: what is left between the counts of {years[-2]} and {years[-1]}, smoothed"
    notes.add("migration", text, warn=False)
    return with_tables(demography, migration=rates)


def _fitted_fertility(
    demography: Assumptions,
    past: Projection,
    specification: Specification,
    inputs: Inputs,
    last_year: int,
    notes: Notes,
) -> pd.DataFrame | None:
    """Fit the level of fertility to the births recorded since the count of people."""
    given, births, rule = demography.fertility, demography.births, specification.fertility
    women_counted = (past.population["sex"] == "female").any()
    if rule is None or given is None or births is None or not women_counted:
        return given
    women = women_exposed(past)
    recorded = births[(births["share_born"] == 1) & births["year"].isin(set(women["year"]))]
    if recorded.empty:
        text = "fertility: as given, since no births are recorded after the count of people"
        notes.add("fertility", text, warn=False)
        return given
    years = range(int(women["year"].min()), last_year + 1)
    districts = inputs.districts
    levels = fertility_levels(given, women, recorded, districts=districts, rule=rule)
    low, high = levels["factor"].min(), levels["factor"].max()
    span = f"{levels['first'].min()}-{levels['last'].max()}"
    text = f"fertility: the schedule times {low:.2f}-{high:.2f}, fitted to the births of {span}"
    notes.add("fertility", text, warn=False)
    return standardise_fertility(given, women, recorded, years, districts=districts, rule=rule)


def _places(inputs: Inputs, launch_year: int, notes: Notes) -> pd.DataFrame | None:
    """Return the places counted up to the launch, or None where there are none."""
    if inputs.places is None:
        return None
    known = inputs.places[inputs.places["year"] <= launch_year]
    if known.empty:
        notes.add("places", f"places: none are known at the launch of {launch_year}")
        return None
    return known


def _standards(inputs: Inputs) -> pd.DataFrame | None:
    """Return the shipped standards with the region's own rows in place of the same ones."""
    system = inputs.settings.school_system
    rows = shipped("standards")
    assert inputs.grades is not None  # filled by Inputs
    taught = rows["stage"].isin({"", *inputs.grades["stage"]})  # grades may leave some out
    rows = rows[(rows["system"] == system) & taught].drop(columns="system")
    if inputs.standards is None:
        return rows if len(rows) else None
    keys = ["district", "year", "stage", "grade", "indicator"]
    both = pd.concat([rows.replace("", None), inputs.standards], ignore_index=True)
    for key in keys:
        if key in both.columns:
            both[key] = both[key].astype("object").where(both[key].notna(), None)
    named = both[keys].map(lambda cell: "" if cell is None else str(cell))
    return both[~named.duplicated(keep="last")].reset_index(drop=True)
