"""The front door: every scenario run through the chain, side by side."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
from joblib import Parallel, delayed

from placeforecast.chain.record import RESULTS, Forecast
from placeforecast.chain.run import run
from placeforecast.rates.estimate import estimate, last_year_of, launch_year_of
from placeforecast.rates.paths import hold_texts
from placeforecast.scenarios.adjust import BASELINE
from placeforecast.scenarios.choose import (
    assumptions_of,
    names_of,
    scenario_texts,
    scenarios_asked,
)
from placeforecast.tables.districts import leaves
from placeforecast.tables.problems import AssumptionWarning, InputError
from placeforecast.tables.vocabulary import vocabulary
from placeforecast.uncertainty.learn import COVERAGE, learn_errors
from placeforecast.uncertainty.trajectories import Sampling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from placeforecast.chain.run import Notes
    from placeforecast.tables.records import Assumptions, Inputs

    Run = tuple[dict[str, pd.DataFrame], Notes]


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
        Processes for past launches and for scenarios, or for districts where there is only the
        baseline; the figures do not depend on it.

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
    sampling = None
    if trajectories:
        asked, drawn = _quantiles(quantiles, inputs), _seed(seed, inputs)
        learnt = learn_errors(inputs, assumptions, launch, model=model, seed=drawn, jobs=jobs)
        sampling = Sampling(learnt, asked, trajectories, drawn, jobs if named is None else 1)
    base = assumptions_of(assumptions, named, BASELINE)
    runs = _runs(inputs, base, named, (launch, last), sampling, model=model, jobs=jobs)
    years = range(launch, min(int(run["pupils"]["year"].max()) for run, _ in runs.values()) + 1)
    notes += [*runs[BASELINE][1], *_untaught(inputs, runs[BASELINE][0]["pupils"])]
    if sampling is not None:
        notes.append(("intervals", sampling.text))
    notes += [("scenario", text) for text in scenario_texts(named)]
    results: dict[str, Any] = {name: _side_by_side(runs, name) for name in RESULTS[:-2]}
    return Forecast(
        **results,
        inputs=inputs,
        assumptions=base,
        launch_year=launch,
        last_year=years[-1],
        coverage=pd.DataFrame(columns=COVERAGE) if sampling is None else learnt.coverage,
        notes=_notes(base, notes, years),
        scenarios=named,
        sampling=sampling,
    )


def _runs(
    inputs: Inputs,
    base: Assumptions,
    named: pd.DataFrame | None,
    span: tuple[int, int],
    sampling: Sampling | None,
    *,
    model: str | Path | None,
    jobs: int,
) -> dict[str, Run]:
    """Run every scenario, the baseline first; warn once of what is odd in any of them."""
    others = [name for name in names_of(named) if name != BASELINE]
    names = [BASELINE, *others]
    changed = [base, *(assumptions_of(base, named, name) for name in others)]
    found = Parallel(n_jobs=jobs if len(names) > 1 else 1)(
        delayed(_heard)(inputs, one, base, span, sampling=sampling, model=model) for one in changed
    )
    said = {(one.__class__, str(one)): one for _, heard, _ in found for one in heard}
    for warning in said.values():
        warnings.warn(warning, stacklevel=3)
    for _, _, error in found:
        if error is not None:
            raise error
    return {name: run for name, (run, _, _) in zip(names, found, strict=True)}


def _heard(
    inputs: Inputs,
    assumptions: Assumptions,
    base: Assumptions,
    span: tuple[int, int],
    *,
    sampling: Sampling | None,
    model: str | Path | None,
) -> tuple[Run, list[Warning], InputError | None]:
    """Run one scenario, and return what was warned of: a process of its own tells nobody."""
    done: Run = ({}, [])
    failed = None
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            done = run(inputs, assumptions, base, span, sampling=sampling, model=model)
        except InputError as error:  # what was warned of before is told first
            failed = error
    return done, [one.message for one in heard if isinstance(one.message, Warning)], failed


def _side_by_side(runs: Mapping[str, Run], name: str) -> pd.DataFrame | None:
    """Take a result table out of every run, the scenario first; None where no run has it."""
    # Taken out, not copied: the tables of ten scenarios are not held twice.
    parts = [
        tables.pop(name).assign(scenario=scenario)
        for scenario, (tables, _) in runs.items()
        if name in tables
    ]
    if not parts:
        return None
    table = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    return table[["scenario", *(column for column in table.columns if column != "scenario")]]


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


def _untaught(inputs: Inputs, pupils: pd.DataFrame) -> list[tuple[str, str]]:
    """Say which districts have no pupils counted and so no forecast."""
    if inputs.districts is None:
        return []
    taught = set(pupils["district"])
    lacking = [name for name in leaves(inputs.districts) if name not in taught]
    text = f"no pupils are counted, so none are forecast: {', '.join(lacking)}"
    return [("districts", text)] if lacking else []


def _notes(assumptions: Assumptions, notes: list[tuple[str, str]], years: range) -> pd.DataFrame:
    """Join what estimation, the chain and the policy paths have to say."""
    rows = [(str(row["topic"]), str(row["text"])) for row in assumptions.notes.to_dict("records")]
    rows += [("policy", text) for text in hold_texts(assumptions.policy, years)]
    return pd.DataFrame([*rows, *notes], columns=["topic", "text"])
