"""Measures of error over the rows of a back-test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.evaluation.backtest import NAIVE, QUANTILES, WHOLE
from placeforecast.uncertainty.companions import suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = {"coverage_80": (0.1, 0.9), "coverage_95": (0.025, 0.975)}


def measures(errors: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Sum a back-test up.

    Parameters
    ----------
    errors : DataFrame
        Rows of `backtest`.
    by : sequence of str
        Columns to group by, such as ``["model", "stage", "lead"]``.

    Returns
    -------
    DataFrame
        Per group: `mape` (mean of absolute errors over their actuals), `wape` (sum of absolute
        errors over the sum of actuals),
        `bias` (sum of forecast less actual over sum of actual: positive is too many), `pinball`
        (mean pinball loss over the quantiles, as a share of the mean actual), `coverage_80` and
        `coverage_95` (share of actuals inside the interval) with `width_80` and `width_95` (mean
        width over the mean forecast), `hit_rate` and `false_alarm_rate` of the flag "more pupils
        than places" where places were counted, `launches` and `rows`. With `model` among the
        groups also `skill`: one less the group's WAPE over that of the naive model.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.evaluation.measures import measures
    >>> errors = pf.backtest(pf.load_example("city"), launch_years=[2023], horizon=1)
    >>> list(measures(errors, ["model"]).columns)[:4]
    ['model', 'mape', 'wape', 'bias']
    """
    groups = errors.groupby(list(by), sort=True)
    rows = [{**dict(zip(by, _key(key), strict=True)), **_measure(g)} for key, g in groups]
    table = pd.DataFrame(rows)
    return _with_skill(table, by) if "model" in by else table


def _key(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def _measure(group: pd.DataFrame) -> dict[str, float]:
    actual = group["actual"].sum()
    found = {
        "mape": group["ape"].mean(),
        "wape": group["error"].abs().sum() / actual,
        "bias": group["error"].sum() / actual,
        "pinball": _pinball(group),
    }
    for name, (low, high) in LEVELS.items():
        known = group[group[f"forecast_{suffix(low)}"].notna()]
        bottom, top = known[f"forecast_{suffix(low)}"], known[f"forecast_{suffix(high)}"]
        inside = (known["actual"] >= bottom) & (known["actual"] <= top)
        found[name] = inside.mean() if len(known) else np.nan
        width = (top - bottom).mean() / known["forecast"].mean() if len(known) else np.nan
        found[name.replace("coverage", "width")] = width
    found |= _flags(group)
    return {**found, "launches": group["launch_year"].nunique(), "rows": len(group)}


def _pinball(group: pd.DataFrame) -> float:
    known = group[group[f"forecast_{suffix(0.5)}"].notna()]
    if known.empty:
        return float("nan")
    losses = []
    for quantile in QUANTILES:
        gap = known["actual"] - known[f"forecast_{suffix(quantile)}"]
        losses.append(np.maximum(quantile * gap, (quantile - 1) * gap).mean())
    return float(np.mean(losses) / known["actual"].mean())


def _flags(group: pd.DataFrame) -> dict[str, float]:
    """Hit and false-alarm rate of the flag that pupils outnumber places, per whole stage."""
    counted = group[group["grade"].eq(WHOLE) & group["places"].notna()]
    said = counted["forecast"] > counted["places"]
    came = counted["actual"] > counted["places"]
    hits = (said & came).sum() / came.sum() if came.any() else np.nan
    false = (said & ~came).sum() / (~came).sum() if (~came).any() else np.nan
    return {"hit_rate": hits, "false_alarm_rate": false}


def _with_skill(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    rest = [column for column in by if column != "model"]
    naive = table[table["model"] == NAIVE]
    if not rest:
        return table.assign(skill=1 - table["wape"] / naive["wape"].iloc[0])
    reference = naive.set_index(rest)["wape"]
    at = pd.MultiIndex.from_frame(table[rest]) if len(rest) > 1 else pd.Index(table[rest[0]])
    return table.assign(skill=1 - table["wape"].to_numpy() / reference.reindex(at).to_numpy())
