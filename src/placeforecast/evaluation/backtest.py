"""The whole chain replayed from past launches, beside the naive model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from placeforecast.places.supply import schedule_places
from placeforecast.rates.estimate import estimate
from placeforecast.rates.specification import load_model
from placeforecast.tables.doors import Array, to_table
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.problems import InputError, Problem
from placeforecast.uncertainty.calibrate import Intervals, past_intervals, top_of
from placeforecast.uncertainty.companions import suffix
from placeforecast.uncertainty.replay import replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from placeforecast.tables.records import Inputs
    from placeforecast.uncertainty.past import Replayed

NAIVE = "naive"
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
KEYS = ["model", "launch_year", "year", "lead", "district", "stage", "grade"]
WHOLE = ""
"""Grade of the rows that hold a whole stage."""


@dataclass(frozen=True)
class Run:
    """One model's replay and its intervals."""

    model: str
    replayed: Replayed
    intervals: Intervals


def backtest(
    inputs: Inputs,
    *,
    launch_years: Iterable[int],
    horizon: int,
    models: Sequence[str | Path] | None = None,
    jobs: int = 1,
) -> pd.DataFrame:
    """Forecast from past launches with only what was known then, and compare with what came.

    The naive model always runs beside the others. Intervals of a launch are drawn from the errors
    of earlier launches whose outcomes were known at it; the first launches have none.

    Parameters
    ----------
    inputs : Inputs
        A region.
    launch_years : iterable of int
        Past launches.
    horizon : int
        Longest lead.
    models : sequence of str or Path, optional
        Folders under ``models/`` or paths; by default that of the settings.
    jobs : int
        Processes; models are shared out among them. The figures do not depend on it.

    Returns
    -------
    DataFrame
        Columns model, launch_year, year, lead, district, stage, grade, forecast, actual, error,
        ape, share_born, phase, launches, forecast_p2_5, forecast_p10, forecast_p50, forecast_p90,
        forecast_p97_5, places.
        A row per grade, and one with a blank grade per whole stage. `error` is forecast less
        actual in pupils; `ape` its size as a share of the actual (missing where nobody came);
        `phase` is ``before`` or ``after`` the year in which the stage of the district had most
        pupils; `launches` those that the interval was learnt from; `places` those that stood in the
        year, of all sectors, where they were counted. Launches that a model could not be fitted at
        are left out: see ``.attrs["not_fitted"]``.

    Raises
    ------
    InputError
        If no launch has an outcome.

    Examples
    --------
    >>> import placeforecast as pf
    >>> errors = pf.backtest(pf.load_example("city"), launch_years=[2022, 2023], horizon=2)
    >>> bool(errors.groupby("lead").ape.mean().max() < 0.05)
    True
    """
    names = _names(inputs, models)
    asked = sorted(set(launch_years))
    if not asked:
        remedy = "Name one past launch or more."
        raise InputError([Problem(file="launch_years", rule="names no launch", remedy=remedy)])
    tasks = (delayed(_run)(inputs, name, asked, horizon) for name in names)
    runs = Parallel(n_jobs=jobs, return_as="generator")(tasks)
    bar = tqdm(runs, total=len(names), desc="back-test", unit="model", disable=None)
    tables = []
    not_fitted = {}
    for run in bar:
        tables.append(_table(run, inputs, asked))
        missed = run.replayed.impossible
        not_fitted[short_name(run.model)] = {year: missed[year] for year in missed if year in asked}
    table = pd.concat(tables, ignore_index=True)
    if table.empty:
        rule = f"have no outcome to compare with: {', '.join(map(str, asked))}"
        remedy = "Give launches with two years of pupils before them and one after."
        raise InputError([Problem(file="launch_years", rule=rule, remedy=remedy)])
    table.attrs["not_fitted"] = not_fitted
    return table


def _names(inputs: Inputs, models: Sequence[str | Path] | None) -> list[str]:
    asked = [inputs.settings.run.model] if models is None else [str(model) for model in models]
    names = list(dict.fromkeys([*asked, NAIVE]))
    short = [short_name(name) for name in names]
    for name in short:
        if short.count(name) > 1:
            rule, remedy = "names two models", "Give their folders different names."
            raise InputError([Problem(file="models", value=name, rule=rule, remedy=remedy)])
    for model in names:
        load_model(model)  # an unknown or broken one is an error, not a model that does not fit
    return names


def _run(inputs: Inputs, model: str, asked: list[int], horizon: int) -> Run:
    """Replay the launches asked for and all before them, whose errors make the intervals."""
    assert inputs.enrolment is not None  # required of every region
    assert inputs.grades is not None  # filled by Inputs
    first = int(inputs.enrolment["year"].min())
    replayed = replay(inputs, range(first, asked[-1] + 1), model=model, longest=horizon)
    stages = stages_in_order(inputs.grades)
    stage_of = dict(zip(inputs.grades["grade"], inputs.grades["stage"], strict=True))
    parents = top_of(inputs.districts, replayed.axes["district"])
    intervals = past_intervals(replayed, stages, stage_of, parents, QUANTILES)
    return Run(model, replayed, intervals)


def _table(run: Run, inputs: Inputs, asked: list[int]) -> pd.DataFrame:
    assert inputs.grades is not None  # filled by Inputs
    stage_of = dict(zip(inputs.grades["grade"], inputs.grades["stage"], strict=True))
    stages = [s for s in stages_in_order(inputs.grades) if s in _taught(run, stage_of)]
    all_stages = stages_in_order(inputs.grades)
    keep = [i for i, launch in enumerate(run.replayed.axes["launch"]) if launch in asked]
    by_grade = _grade_rows(run, keep).assign(stage=lambda t: t["grade"].map(stage_of))
    by_stage = _stage_rows(run, keep, stages, all_stages, stage_of).assign(grade=WHOLE)
    table = pd.concat([by_stage, by_grade], ignore_index=True)
    table = table[table["forecast"].notna() & table["actual"].notna()]
    table["model"] = short_name(run.model)
    table["year"] = table["launch_year"] + table["lead"]
    table["error"] = table["forecast"] - table["actual"]
    came = table["actual"] > 0
    table["ape"] = (table["error"].abs() / table["actual"].where(came)).astype(float)
    table["phase"] = _phase(table, run, stage_of)
    table = _with_places(table, inputs)
    named = [f"forecast_{suffix(quantile)}" for quantile in QUANTILES]
    columns = [*KEYS, "forecast", "actual", "error", "ape", "share_born", "phase", "launches"]
    return table[[*columns, *named, "places"]].reset_index(drop=True)


def short_name(model: str) -> str:
    """Return the name of a model's folder."""
    return model.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]


def _taught(run: Run, stage_of: Mapping[str, str]) -> set[str]:
    return {stage_of[grade] for grade in run.replayed.axes["grade"]}


def _rows(arrays: Mapping[str, Array], axes: dict[str, list[Any]]) -> pd.DataFrame:
    """Put arrays of one shape side by side as columns."""
    first = np.zeros(tuple(len(labels) for labels in axes.values()))
    table = to_table(first, axes, "blank").drop(columns="blank")
    for name, array in arrays.items():
        table[name] = np.broadcast_to(array, first.shape).ravel()
    return table


def _axes(run: Run, keep: list[int], third: str, labels: list[str]) -> dict[str, list[Any]]:
    return {
        "launch_year": [run.replayed.axes["launch"][i] for i in keep],
        "lead": run.replayed.axes["lead"],
        third: labels,
        "district": run.replayed.axes["district"],
    }


def _quantile_columns(array: Array, keep: list[int]) -> dict[str, Array]:
    return {f"forecast_{suffix(q)}": array[i][keep] for i, q in enumerate(QUANTILES)}


def _launches(run: Run, keep: list[int]) -> Array:
    launches: Array = run.intervals.launches[keep][:, np.newaxis, np.newaxis, np.newaxis]
    return launches


def _grade_rows(run: Run, keep: list[int]) -> pd.DataFrame:
    past = run.replayed
    arrays = {
        "forecast": past.forecast[keep],
        "actual": past.actual[keep],
        "share_born": past.share_born[keep],
        "launches": _launches(run, keep),
        **_quantile_columns(run.intervals.grades, keep),
    }
    return _rows(arrays, _axes(run, keep, "grade", past.axes["grade"]))


def _stage_rows(
    run: Run,
    keep: list[int],
    stages: list[str],
    all_stages: list[str],
    stage_of: Mapping[str, str],
) -> pd.DataFrame:
    past = run.replayed
    both = ~np.isnan(past.forecast) & ~np.isnan(past.actual)
    summed: dict[str, list[Array]] = {"forecast": [], "actual": [], "share_born": []}
    for stage in stages:
        rows = [g for g, grade in enumerate(past.axes["grade"]) if stage_of[grade] == stage]
        here = both[keep][:, :, rows]
        whole = here.any(axis=2)
        pupils = _sum(past.forecast[keep][:, :, rows], here)
        born = _sum((past.forecast * past.share_born)[keep][:, :, rows], here)
        summed["forecast"].append(np.where(whole, pupils, np.nan))
        summed["actual"].append(np.where(whole, _sum(past.actual[keep][:, :, rows], here), np.nan))
        share = np.divide(born, pupils, out=np.ones_like(born), where=pupils > 0)
        summed["share_born"].append(share)
    order = [all_stages.index(stage) for stage in stages]
    arrays = {name: np.stack(parts, axis=2) for name, parts in summed.items()}
    arrays |= {"launches": _launches(run, keep)}
    arrays |= _quantile_columns(run.intervals.stages[:, :, :, order], keep)
    return _rows(arrays, _axes(run, keep, "stage", stages))


def _sum(array: Array, here: Any) -> Array:  # noqa: ANN401
    total: Array = np.where(here, array, 0.0).sum(axis=2)
    return total


def _phase(table: pd.DataFrame, run: Run, stage_of: Mapping[str, str]) -> pd.Series[Any]:
    """Say whether a year lies after the one in which the district's stage had most pupils."""
    past = run.replayed
    years = sorted({launch + lead for launch in past.axes["launch"] for lead in past.axes["lead"]})
    counted: dict[tuple[str, str], dict[int, float]] = {}
    for s in sorted(set(stage_of.values())):
        rows = [g for g, grade in enumerate(past.axes["grade"]) if stage_of[grade] == s]
        for d, district in enumerate(past.axes["district"]):
            for i, launch in enumerate(past.axes["launch"]):
                total = float(np.nansum(past.launched[i, rows, d]))
                counted.setdefault((district, s), {})[launch] = total
                for h, lead in enumerate(past.axes["lead"]):
                    cells = past.actual[i, h, rows, d]
                    if not np.isnan(cells).all() and launch + lead in years:
                        counted[district, s][launch + lead] = float(np.nansum(cells))
    peak = {key: max(series, key=lambda y: series[y]) for key, series in counted.items()}
    after = [
        year > peak[district, stage]
        for district, stage, year in zip(
            table["district"], table["stage"], table["year"], strict=True
        )
    ]
    return pd.Series(np.where(after, "after", "before"), index=table.index)


def _with_places(table: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Add the places that stood, for whole stages in years in which they were counted."""
    table = table.assign(places=np.nan)
    if inputs.places is None:
        return table
    counted = sorted(set(inputs.places["year"]) & set(table["year"]))
    if not counted:
        return table
    assumptions = estimate(inputs, horizon=1)
    standing = schedule_places(assumptions, counted, case="existing", grades=inputs.grades)
    standing = standing[standing["ledger"] == "all"]
    keys = ["district", "year", "stage"]
    sums = standing.groupby(keys)["places"].sum()
    rows = table["grade"].eq(WHOLE) & table["year"].isin(counted)
    at = pd.MultiIndex.from_frame(table.loc[rows, keys])
    table.loc[rows, "places"] = sums.reindex(at).to_numpy()
    return table
