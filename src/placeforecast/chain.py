"""The whole chain on one screen: inputs -> rates -> population -> enrolment -> places."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.enrolment.launch import launch_pupils
from placeforecast.enrolment.policy import GENERAL, LIMITED
from placeforecast.places.accounts import ACCOUNTS, accounts
from placeforecast.places.balance import balance_places
from placeforecast.places.delivery import delivery_note
from placeforecast.places.demand import demand_places
from placeforecast.places.rollup import stage_totals
from placeforecast.places.sectors import untold_stages
from placeforecast.places.supply import CASES, schedule_places
from placeforecast.rates.estimate import estimate, last_year_of, launch_year_of
from placeforecast.rates.paths import hold_texts, on_births_texts
from placeforecast.scenarios.adjust import BASELINE
from placeforecast.scenarios.choose import (
    assumptions_of,
    names_of,
    scenario_texts,
    scenarios_asked,
)
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.show import record_html, record_text
from placeforecast.tables.vocabulary import vocabulary
from placeforecast.uncertainty.companions import with_companions
from placeforecast.uncertainty.learn import COVERAGE, learn_errors
from placeforecast.uncertainty.replay import corrected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.learn import Learnt


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
    stages : DataFrame [scenario, district, level, year, stage, ledger, pupils, demand, share_born]
        Demand added up to stages, combined stages and parents.
    places, balance_cells, balance : DataFrame or None
        None without a table of places: the chain then stops at demand.
    inputs, assumptions : Inputs, Assumptions
        What the forecast rests on.
    launch_year, last_year : int
        The year of the last pupils counted, and the last year of the forecast.
    notes : DataFrame [topic, text]
        What a reader must know of how the figures came about.
    coverage : DataFrame [stage, lead, nominal, coverage, width, launches]
        With trajectories: how often intervals made in the same way at past launches held what came.
    scenarios : DataFrame or None
        The changes of the scenarios beside the baseline.
    indicators, tasks, task_scores, intake_warnings, hidden_shortage, rooms, estates, \
housing_levels, relief, hot_spots, crowding, plan_checks, land : DataFrame or None
        What stands beside the balance, where the region has the tables for it: see
        `placeforecast.places.accounts`.
    """

    children: pd.DataFrame
    pupils: pd.DataFrame
    demand: pd.DataFrame
    stages: pd.DataFrame
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
    coverage: pd.DataFrame
    scenarios: pd.DataFrame | None = None
    indicators: pd.DataFrame | None = None
    tasks: pd.DataFrame | None = None
    task_scores: pd.DataFrame | None = None
    intake_warnings: pd.DataFrame | None = None
    hidden_shortage: pd.DataFrame | None = None
    rooms: pd.DataFrame | None = None
    estates: pd.DataFrame | None = None
    housing_levels: pd.DataFrame | None = None
    relief: pd.DataFrame | None = None
    hot_spots: pd.DataFrame | None = None
    crowding: pd.DataFrame | None = None
    plan_checks: pd.DataFrame | None = None
    land: pd.DataFrame | None = None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the result tables that are there, by name."""
        return {name: t for name in RESULTS if (t := getattr(self, name)) is not None}

    def of(self, scenario: str = BASELINE) -> Forecast:
        """Return the forecast of one scenario alone; the baseline unless another is named.

        Raises
        ------
        ValueError
            If there is no such scenario.
        """
        if self.scenarios is None and scenario == BASELINE:
            return self
        known = list(dict.fromkeys(self.stages["scenario"]))
        if scenario not in known:
            raise ValueError(f"there is no scenario {scenario!r}: {', '.join(known)}")
        changed: dict[str, Any] = {
            name: table[table["scenario"] == scenario].reset_index(drop=True)
            for name, table in self.tables().items()
            if "scenario" in table.columns
        }
        if scenario != BASELINE:
            changed["assumptions"] = assumptions_of(self.assumptions, self.scenarios, scenario)
        return replace(self, **changed, scenarios=None)

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
    "stages",
    "places",
    "balance_cells",
    "balance",
    *ACCOUNTS,
    "coverage",
    "notes",
)


def forecast(  # noqa: PLR0913 - the front door
    inputs: Inputs,
    *,
    assumptions: Assumptions | None = None,
    model: str | Path | None = None,
    scenarios: pd.DataFrame | Sequence[str] | None = None,
    launch_year: int | None = None,
    horizon: int | None = None,
    trajectories: int = 0,
    quantiles: Sequence[float] | None = None,
    seed: int | None = None,
    jobs: int = 1,
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
    scenarios : DataFrame or sequence of str, optional
        A table of changes (see `adjust`), or names of scenarios of the region or shipped ones. They
        run beside the baseline, with the same random numbers.
    launch_year, horizon : int, optional
        By default those of the settings.
    trajectories : int
        Random runs around the central one, drawn from the errors of past launches; 0 is the
        central run alone (only the command line reads the settings here). A value column ``x``
        then has companions such as ``x_p10``, and `balance` the chance and the expected size of a
        shortage.
    quantiles : sequence of float, optional
        Which companions; by default those of the settings.
    seed : int, optional
        By default that of the settings, else 1.
    jobs : int
        Processes for replaying past launches; the figures do not depend on it.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        For a hole that the forecast needs, named.
    ValueError
        For quantiles outside 0-1, fewer than no trajectories, a seed below 0, or a horizon of less
        than one year.

    Warns
    -----
    AssumptionWarning
        For lawful but odd input, and for tables that were read but are not computed with.

    Examples
    --------
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=3, trajectories=50, seed=1)
    >>> sorted(set(result.balance["plan_case"]))
    ['committed', 'existing', 'planned', 'risk_adjusted']
    >>> row = result.balance.iloc[-1]
    >>> bool(row.balance_p10 <= row.balance_p50 <= row.balance_p90)
    True
    """
    if trajectories < 0:
        raise ValueError(f"there cannot be {trajectories} trajectories: give 0 or more")
    launch = launch_year_of(inputs, launch_year)
    last = last_year_of(inputs, launch, horizon)
    notes = _unused(inputs)
    if assumptions is None:
        assumptions = estimate(inputs, model=model, launch_year=launch, horizon=last - launch)
    named = scenarios_asked(scenarios, inputs)
    errors = None
    if trajectories:
        asked, drawn = _quantiles(quantiles, inputs), _seed(seed, inputs)
        learnt = learn_errors(inputs, assumptions, launch, model=model, seed=drawn, jobs=jobs)
        errors = (learnt, asked, (trajectories, drawn))
    runs, ends = {}, set()
    base = assumptions_of(assumptions, named, BASELINE)
    for name in dict.fromkeys((BASELINE, *names_of(named))):
        changed = base if name == BASELINE else assumptions_of(assumptions, named, name)
        said = notes if name == BASELINE else []
        runs[name] = _run(inputs, changed, base, (launch, last), said, errors=errors, model=model)
        ends.add(int(runs[name]["pupils"]["year"].max()))
    years = range(launch, min(ends) + 1)
    coverage = pd.DataFrame(columns=COVERAGE)
    if errors is not None:
        coverage = learnt.coverage
        text = f"{trajectories} trajectories, seed {drawn}, from {learnt.source}"
        notes.append(("intervals", text))
    notes += [("scenario", text) for text in scenario_texts(named)]
    results: dict[str, Any] = {name: _side_by_side(runs, name) for name in RESULTS[:-2]}
    return Forecast(
        **results,
        inputs=inputs,
        assumptions=base,
        launch_year=launch,
        last_year=years[-1],
        coverage=coverage,
        notes=_notes(base, notes, years),
        scenarios=named,
    )


def _side_by_side(runs: Mapping[str, Mapping[str, pd.DataFrame]], name: str) -> pd.DataFrame | None:
    """Return a result table of every scenario, the scenario first; None where no run has it."""
    parts = [run[name].assign(scenario=scenario) for scenario, run in runs.items() if name in run]
    if not parts:
        return None
    table = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    return table[["scenario", *(column for column in table.columns if column != "scenario")]]


def _run(
    inputs: Inputs,
    assumptions: Assumptions,
    base: Assumptions,
    span: tuple[int, int],
    notes: list[tuple[str, str]],
    *,
    errors: tuple[Learnt, Sequence[float], tuple[int, int]] | None,
    model: str | Path | None,
) -> dict[str, pd.DataFrame]:
    """Take every step of the chain with one set of assumptions."""
    launch, last = span
    capacity = _capacity(inputs, assumptions, range(launch, last + 1))
    launched = launch_pupils(inputs, assumptions, launch, last, capacity=capacity, before=base)
    years = range(launch, int(launched.pupils["year"].max()) + 1)
    if years[-1] < last:
        notes.append(("horizon", f"the assumptions end in {years[-1]}, before {last}"))
        warnings.warn(AssumptionWarning(notes[-1][1]), stacklevel=3)
    basis = set(launched.children["basis"])
    notes += [("policy", text) for text in on_births_texts(assumptions.policy, basis)]
    pupils, correction = corrected(inputs, launched.pupils, launch, model)
    if correction:
        notes.append(("correction", correction))
    tables = _places_needed(inputs, assumptions, pupils, years, notes)
    if errors is not None:
        tables = with_companions(tables, inputs, assumptions, *errors)
    tables["children"] = launched.children
    tables |= accounts(inputs, assumptions, tables, launch)
    if launched.projection is not None:
        tables["population"] = launched.projection.population
        tables["births"] = launched.projection.births
    return tables


def _places_needed(
    inputs: Inputs,
    assumptions: Assumptions,
    pupils: pd.DataFrame,
    years: range,
    notes: list[tuple[str, str]],
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


def _seed(seed: int | None, inputs: Inputs) -> int:
    chosen = seed if seed is not None else inputs.settings.run.seed
    if chosen is not None and chosen < 0:
        raise ValueError(f"the seed must not be below 0, as {chosen} is")
    return 1 if chosen is None else chosen


def _quantiles(quantiles: Sequence[float] | None, inputs: Inputs) -> tuple[float, ...]:
    asked = tuple(quantiles) if quantiles is not None else inputs.settings.run.quantiles
    if not asked or any(not 0 < quantile < 1 for quantile in asked):
        raise ValueError(f"quantiles must lie between 0 and 1, not {list(asked)}")
    return asked


def _unused(inputs: Inputs) -> list[tuple[str, str]]:
    """Say which tables were read and are not computed with."""
    names = [name for name in inputs.tables() if not vocabulary()[name].used]
    notes = []
    if names:
        notes.append(("unused", f"read and checked, but not computed with: {', '.join(names)}"))
        warnings.warn(AssumptionWarning(notes[-1][1]), stacklevel=3)
    return notes


def _places(
    inputs: Inputs, assumptions: Assumptions, years: range, notes: list[tuple[str, str]]
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


def _notes(assumptions: Assumptions, notes: list[tuple[str, str]], years: range) -> pd.DataFrame:
    """Join what estimation, the chain and the policy paths have to say."""
    rows = [(str(row["topic"]), str(row["text"])) for row in assumptions.notes.to_dict("records")]
    rows += [("policy", text) for text in hold_texts(assumptions.policy, years)]
    return pd.DataFrame([*rows, *notes], columns=["topic", "text"])
