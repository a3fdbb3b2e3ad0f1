"""The whole chain on one screen: inputs -> rates -> population -> enrolment -> places."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.enrolment.launch import launch_pupils
from placeforecast.places.balance import balance_places
from placeforecast.places.demand import demand_places
from placeforecast.places.paths import policy_holds
from placeforecast.places.supply import STATUSES, schedule_places
from placeforecast.rates.estimate import estimate, launch_year_of
from placeforecast.tables.problems import AssumptionWarning
from placeforecast.tables.show import record_html, record_text
from placeforecast.tables.vocabulary import vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.tables.records import Assumptions, Inputs

BASELINE = "baseline"


@dataclass(frozen=True, repr=False)
class Forecast:
    """A forecast: every table of the chain, each with a column `scenario`.

    Attributes
    ----------
    population, births : DataFrame or None
        From the cohort-component projection; None without a population.
    children : DataFrame [scenario, district, year, age, basis, children, share_born]
    pupils : DataFrame [scenario, district, year, grade, residence, pupils, share_born]
        From the launch year, which is as counted.
    demand : DataFrame [scenario, district, year, grade, stage, ledger, pupils, demand, share_born]
    places, balance_cells, balance : DataFrame or None
        None without a table of places: the chain then stops at demand.
    inputs, assumptions : Inputs, Assumptions
        What the forecast rests on.
    launch_year, last_year : int
        The year of the last pupils counted, and the last year of the forecast.
    notes : DataFrame [topic, text]
        What a reader must know of how the figures came about.
    """

    children: pd.DataFrame
    pupils: pd.DataFrame
    demand: pd.DataFrame
    places: pd.DataFrame | None
    balance_cells: pd.DataFrame | None
    balance: pd.DataFrame | None
    population: pd.DataFrame | None
    births: pd.DataFrame | None
    inputs: Inputs
    assumptions: Assumptions
    launch_year: int
    last_year: int
    notes: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the result tables that are there, by name."""
        return {name: t for name in RESULTS if (t := getattr(self, name)) is not None}

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


RESULTS = (
    "population",
    "births",
    "children",
    "pupils",
    "demand",
    "places",
    "balance_cells",
    "balance",
    "notes",
)


def forecast(
    inputs: Inputs,
    *,
    assumptions: Assumptions | None = None,
    model: str | Path | None = None,
    launch_year: int | None = None,
    horizon: int | None = None,
) -> Forecast:
    """Run the whole chain from what was observed to places short or idle.

    Parameters
    ----------
    inputs : Inputs
        A region.
    assumptions : Assumptions, optional
        Instead of those that `estimate` makes of the inputs.
    model : str or Path, optional
        A folder under ``models/`` or a path; by default the one in the settings.
    launch_year, horizon : int, optional
        By default those of the settings.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        For a hole that the forecast needs, named.

    Warns
    -----
    AssumptionWarning
        For lawful but odd input, and for tables that were read but are not computed with.

    Examples
    --------
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=3)
    >>> sorted(set(result.balance["plan_case"]))
    ['committed', 'existing', 'planned']
    """
    launch = launch_year_of(inputs, launch_year)
    last = launch + (horizon if horizon is not None else inputs.settings.horizon)
    notes = _unused(inputs)
    if assumptions is None:
        assumptions = estimate(inputs, model=model, launch_year=launch, horizon=last - launch)
    launched = launch_pupils(inputs, assumptions, launch, last)
    pupils, projection = launched.pupils, launched.projection
    demand = demand_places(pupils, assumptions, grades=inputs.grades)
    years = range(launch, last + 1)
    places = _places(inputs, assumptions, years, notes)
    balance = None
    if places is not None:
        balance = balance_places(demand, places, districts=inputs.districts, grades=inputs.grades)
    return Forecast(
        children=_named(launched.children),
        pupils=_named(pupils),
        demand=_named(demand),
        places=None if places is None else _named(places),
        balance_cells=None if balance is None else _named(balance.cells),
        balance=None if balance is None else _named(balance.stages),
        population=None if projection is None else _named(projection.population),
        births=None if projection is None else _named(projection.births),
        inputs=inputs,
        assumptions=assumptions,
        launch_year=launch,
        last_year=last,
        notes=_notes(assumptions, notes, years),
    )


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Put the scenario first."""
    return table.assign(scenario=BASELINE)[["scenario", *table.columns]]


def _unused(inputs: Inputs) -> list[tuple[str, str]]:
    """Say which tables were read and are not computed with."""
    names = [name for name in inputs.tables() if not vocabulary()[name].used]
    notes = []
    if names:
        notes.append(("unused", f"read and checked, but not computed with: {', '.join(names)}"))
        warnings.warn(AssumptionWarning(notes[-1][1]), stacklevel=3)
    if inputs.settings.run.trajectories:
        notes.append(("unused", "trajectories are set, but this version runs the central one only"))
        warnings.warn(AssumptionWarning(notes[-1][1]), stacklevel=3)
    return notes


def _places(
    inputs: Inputs, assumptions: Assumptions, years: range, notes: list[tuple[str, str]]
) -> pd.DataFrame | None:
    """Return places in every plan case, or None where no places are known."""
    if assumptions.places is None:
        notes.append(("places", "there is no table of places: the chain stops at demand"))
        return None
    cases = [schedule_places(assumptions, years, case=c, grades=inputs.grades) for c in STATUSES]
    places = pd.concat(cases, ignore_index=True)
    partial = _stages_without_all(inputs, assumptions)
    if partial:
        listed = ", ".join(sorted(partial))
        text = f"places of some sectors are not given, so ledger all is not balanced: {listed}"
        notes.append(("places", text))
        places = places[(places["ledger"] != "all") | ~places["stage"].isin(partial)]
    return places


def _stages_without_all(inputs: Inputs, assumptions: Assumptions) -> set[str]:
    """Return the stages in which a sector has pupils and no places are known of it."""
    enrolment, places, grades = inputs.enrolment, assumptions.places, inputs.grades
    assert enrolment is not None
    assert places is not None
    assert grades is not None
    if "sector" not in enrolment.columns or "sector" not in places.columns:
        return set()
    stage_of = dict(zip(grades["grade"], grades["stage"], strict=True))
    taught = enrolment[(enrolment["year"] == enrolment["year"].max()) & (enrolment["pupils"] > 0)]
    wanted = set(zip(taught["grade"].map(stage_of), taught["sector"], strict=True))
    given = set(zip(places["stage"], places["sector"], strict=True))
    return {stage for stage, _ in wanted - given}


def _notes(assumptions: Assumptions, notes: list[tuple[str, str]], years: range) -> pd.DataFrame:
    """Join what estimation, the chain and the policy paths have to say."""
    rows = [(str(row["topic"]), str(row["text"])) for row in assumptions.notes.to_dict("records")]
    for hold in policy_holds(assumptions.policy, years).to_dict("records"):
        where = " ".join(part for part in (hold["district"], hold["stage"]) if part) or "everywhere"
        span = f"{hold['from']}-{hold['to']}"
        text = (
            f"{hold['indicator']} ({where}): held at {hold['value']:g} of {hold['year']} in {span}"
        )
        rows.append(("policy", text))
    return pd.DataFrame([*rows, *notes], columns=["topic", "text"])
