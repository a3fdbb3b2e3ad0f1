"""The choice of a model for each stage, by back-test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.evaluation.backtest import NAIVE, WHOLE, backtest, short_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from placeforecast.tables.records import Inputs

LEAST_LAUNCHES = 3
BEST = "best"
TOO_SHORT = "too few launches"


def select_models(
    inputs: Inputs,
    *,
    models: Sequence[str | Path],
    launch_years: Iterable[int],
    horizon: int,
    jobs: int = 1,
) -> pd.DataFrame:
    """Choose the model with the smallest error for each stage, where the history allows.

    The error is the mean over leads of the mean over launches of the WAPE of the stage's total. A
    stage with fewer than three launches keeps the first model asked for.

    Parameters
    ----------
    inputs : Inputs
        A region.
    models : sequence of str or Path
        Candidates, the default first.
    launch_years, horizon, jobs
        As for `backtest`.

    Returns
    -------
    DataFrame [stage, model, error, launches, chosen, why]
        A row per stage and candidate, the chosen one first, so that the runners-up and their errors
        stay in sight. `estimate` takes it as `selection`.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.evaluation.select import select_models
    >>> inputs = pf.load_example("city")
    >>> table = select_models(inputs, models=["default"], launch_years=range(2021, 2024), horizon=1)
    >>> sorted(set(table[table.chosen].model)) <= ["default", "naive"]
    True
    """
    errors = backtest(inputs, launch_years=launch_years, horizon=horizon, models=models, jobs=jobs)
    whole = errors[errors["grade"] == WHOLE]
    keys = ["stage", "model", "lead", "launch_year"]
    sums = whole.assign(size=whole["error"].abs()).groupby(keys)[["size", "actual"]].sum()
    wape = (sums["size"] / sums["actual"]).rename("error").reset_index()
    by_lead = wape.groupby(["stage", "model", "lead"], as_index=False)["error"].mean()
    mean = by_lead.groupby(["stage", "model"], as_index=False)["error"].mean()
    counted = wape.groupby(["stage", "model"], as_index=False)
    table = mean.merge(counted.agg(launches=("launch_year", "nunique")), validate="1:1")
    first = short_name(str(next(iter(models), NAIVE)))
    parts = [_chosen(rows, first) for _, rows in table.groupby("stage", sort=False)]
    columns = ["stage", "model", "error", "launches", "chosen", "why"]
    return pd.concat(parts, ignore_index=True)[columns]


def _chosen(rows: pd.DataFrame, first: str) -> pd.DataFrame:
    most = rows["launches"].max()
    fair = rows[rows["launches"] == most].sort_values("error", kind="stable")
    enough = most >= LEAST_LAUNCHES
    best = str(fair["model"].iloc[0]) if enough else first
    ordered = rows.sort_values("error", kind="stable")
    marked = ordered.assign(chosen=ordered["model"] == best, why=BEST if enough else TOO_SHORT)
    return marked.sort_values("chosen", ascending=False, kind="stable")
