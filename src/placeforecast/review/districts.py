"""The plan under review, by district, stage and ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.standards import standard
from placeforecast.review.lead import lead_times
from placeforecast.review.verdict import COSTS, SHORT, lacking, split_need, verdict_of
from placeforecast.tables.districts import members
from placeforecast.tables.doors import Array, Flags, to_array
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEYS = ["scenario", "district", "stage", "ledger"]
VALUES = ("demand", "shortfall", "cell_shortfall", "cell_surplus")
CHANCES = ("chance_of_shortfall", "expected_cell_shortfall")
"""Columns of the balance that only trajectories bring."""
PLANNED, RISKED = "planned", "risk_adjusted"
DISTRICTS = [
    "scenario",
    "district",
    "level",
    "stage",
    "ledger",
    "peak_year",
    "peak_demand",
    "need_after",
    "first_year_short",
    "first_year_short_net",
    "first_year_short_risk_adjusted",
    "first_year_short_net_risk_adjusted",
    "years_above",
    "uncovered",
    "uncovered_year",
    "peak_chance",
    "peak_expected",
    "needed_by",
    "lead_time",
    "start_by",
    "late",
    "years_needed",
    "years_needed_censored",
    "break_even_years",
    "permanent_or_temporary",
    "permanent_places",
    "temporary_places",
    "regret_permanent",
    "regret_temporary",
    "idle_at_horizon",
    "reason",
]
WHOLE = [
    "peak_year",
    "first_year_short",
    "first_year_short_net",
    "first_year_short_risk_adjusted",
    "first_year_short_net_risk_adjusted",
    "years_above",
    "uncovered_year",
    "needed_by",
    "start_by",
    "years_needed",
]
Pairs = tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]
"""Rows, and the rows of single districts and stages that each is made of."""


def review_districts(
    balance: pd.DataFrame,
    standards: pd.DataFrame | None,
    launch_year: int,
    *,
    risk: float = 0.1,
    districts: pd.DataFrame | None = None,
    delays: Sequence[float] = (1.0,),
) -> pd.DataFrame:
    """Review what the plan leaves short or idle, one row per district, stage and ledger.

    Parameters
    ----------
    balance : DataFrame
        Of a forecast, with plan case ``planned`` and, where there is one, ``risk_adjusted``.
    standards : DataFrame or None
        `lead_time`, `cost_per_place`, `temporary_cost_per_place` and `temporary_life`, as they
        hold in the launch year.
    launch_year : int
    risk : float
        See `review_plan`.
    districts : DataFrame, optional
        How districts roll up.
    delays : sequence of float
        Chances that what is started now opens 0, 1, 2, ... years late.

    Returns
    -------
    DataFrame
        `PlanReview.districts`; see `review_plan`.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.review.districts import review_districts
    >>> row = {"scenario": "baseline", "district": "A", "level": "county", "stage": "junior",
    ...     "ledger": "all", "plan_case": "planned"}
    >>> balance = pd.DataFrame([{**row, "year": 2025 + i, "demand": need, "places": 900.0,
    ...     "shortfall": max(need - 900.0, 0), "cell_shortfall": max(need - 900.0, 0),
    ...     "cell_surplus": max(900.0 - need, 0)} for i, need in enumerate([880.0, 950, 990, 800])])
    >>> lead = pd.DataFrame({"indicator": ["lead_time"], "value": 3.0})
    >>> review = review_districts(balance, lead, 2025)
    >>> review[["first_year_short", "uncovered", "uncovered_year", "start_by", "late"]]
       first_year_short  uncovered  uncovered_year  start_by  late
    0              2026       90.0            2027      2023  True
    """
    balance = balance[balance["year"] >= launch_year]
    planned = balance[balance["plan_case"] == PLANNED]
    rows = planned[[*KEYS, "level"]].drop_duplicates(KEYS, ignore_index=True)
    years = sorted(set(planned["year"]))
    arrays = _arrays(planned, rows, years, VALUES)
    chances = _arrays(planned, rows, years, CHANCES)
    risked = _arrays(balance[balance["plan_case"] == RISKED], rows, years, VALUES)
    table = rows.assign(**_need(arrays, chances, risked, years))
    cells = table[["district", "stage"]].assign(year=launch_year)
    pairs = _pairs(rows, districts)
    lead = lead_times(cells, standards, quantile=1 - risk, delays=delays)
    table = _with_start(
        table, (arrays, chances), years, risk, _longest(lead.to_numpy(dtype=float), pairs)
    )
    table["late"] = (table["start_by"] < launch_year).where(table["start_by"].notna())
    costs = pd.DataFrame({name: standard(standards, name, cells) for name in COSTS})
    table = _with_verdict(table, arrays["cell_shortfall"], costs, pairs)
    table["reason"] = _reasons(table, lacking(costs, rows["stage"]), pairs)
    typed = {**dict.fromkeys(WHOLE, "Int64"), "late": "boolean"}
    return table.astype(typed)[DISTRICTS]


def _arrays(
    table: pd.DataFrame, rows: pd.DataFrame, years: list[int], values: tuple[str, ...]
) -> dict[str, Array]:
    """Return columns of a balance [row, year]; NaN where there is no such row or column."""
    at = pd.MultiIndex.from_frame(rows[KEYS]).get_indexer(pd.MultiIndex.from_frame(table[KEYS]))
    table = table.assign(row=at)[at >= 0]
    table = table[table["year"].isin(years)]
    axes: dict[str, Any] = {"row": range(len(rows)), "year": years}
    nothing = np.full((len(rows), len(years)), np.nan)
    return {
        name: to_array(table, axes, name, name="balance", holes=True)
        if name in table.columns
        else nothing
        for name in values
    }


def _need(
    arrays: Mapping[str, Array],
    chances: Mapping[str, Array],
    risked: Mapping[str, Array],
    years: list[int],
) -> dict[str, Array]:
    """Return the peak, what is short and when, and what is idle at the end."""
    ahead, short = arrays["demand"].copy(), _numbers(arrays["cell_shortfall"])
    if len(years) > 1:
        ahead[:, 0] = np.nan  # the peak to come, not the launch as counted
    peaks = _numbers(ahead, -np.inf)
    uncovered = short.max(axis=1)
    labels = np.array(years, dtype=float)
    worst = np.where(uncovered > SHORT, labels[short.argmax(axis=1)], np.nan)
    return {
        "peak_year": labels[peaks.argmax(axis=1)],
        "peak_demand": peaks.max(axis=1),
        "need_after": arrays["demand"][:, -1],
        "first_year_short": first_year(arrays["cell_shortfall"] > SHORT, years),
        "first_year_short_net": first_year(arrays["shortfall"] > SHORT, years),
        "first_year_short_risk_adjusted": first_year(risked["cell_shortfall"] > SHORT, years),
        "first_year_short_net_risk_adjusted": first_year(risked["shortfall"] > SHORT, years),
        "years_above": (arrays["shortfall"] > SHORT).sum(axis=1),
        "uncovered": uncovered,
        "uncovered_year": worst,
        "peak_chance": _largest(chances["chance_of_shortfall"]),
        "peak_expected": _largest(chances["expected_cell_shortfall"]),
        "years_needed": (short > SHORT).sum(axis=1),
        "years_needed_censored": short[:, -1] > SHORT,
        "idle_at_horizon": arrays["cell_surplus"][:, -1],
    }


def _numbers(array: Array, blank: float = 0.0) -> Array:
    """Return an array where years in which a stage does not exist count for nothing."""
    return np.where(np.isnan(array), blank, array)


def _largest(array: Array) -> Array:
    known = ~np.isnan(array).all(axis=1)
    return np.where(known, _numbers(array, -np.inf).max(axis=1), np.nan)


def first_year(happens: Flags, years: list[int]) -> Array:
    """Return the first year in which something happens; NaN where it never does.

    Parameters
    ----------
    happens : ndarray of bool [row, year]
    years : list of int

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.review.districts import first_year
    >>> first_year(np.array([[False, True, True], [False, False, False]]), [2025, 2026, 2027])
    array([2026.,   nan])
    """
    first = np.array(years, dtype=float)[happens.argmax(axis=1)]
    return np.where(happens.any(axis=1), first, np.nan)


def _pairs(rows: pd.DataFrame, districts: pd.DataFrame | None) -> Pairs:
    """Return for each row the rows of single districts and stages below it; itself if none is."""
    at = {key: i for i, key in enumerate(rows[KEYS].itertuples(index=False, name=None))}
    below = {} if districts is None else members(districts)
    combined = combined_stages()
    whole, part = [], []
    for (scenario, district, stage, ledger), i in at.items():
        leaves, stages = below.get(district) or [district], combined.get(stage, (stage,))
        keys = [(scenario, leaf, one, ledger) for leaf in leaves for one in stages]
        found = [at[key] for key in keys if key in at] or [i]
        whole += [i] * len(found)
        part += found
    return np.array(whole, dtype=np.intp), np.array(part, dtype=np.intp)


def _longest(values: Array, pairs: Pairs) -> Array:
    """Return the longest of the parts of each row; NaN where one is not known."""
    known = ~np.isnan(values)
    longest, unknown = np.full(len(values), -np.inf), np.zeros(len(values), dtype=bool)
    np.maximum.at(longest, pairs[0], np.where(known, values, -np.inf)[pairs[1]])
    np.logical_or.at(unknown, pairs[0], ~known[pairs[1]])
    return np.where(unknown, np.nan, longest)


def _with_start(
    table: pd.DataFrame,
    arrays: tuple[Mapping[str, Array], Mapping[str, Array]],
    years: list[int],
    risk: float,
    lead: Array,
) -> pd.DataFrame:
    """Add when places are needed by, and the latest year to start them."""
    balance, chances = arrays
    chance = chances["chance_of_shortfall"]
    drawn = ~np.isnan(chance).all(axis=1)
    likely, central = (
        first_year(chance >= risk, years),
        first_year(balance["shortfall"] > SHORT, years),
    )
    needed = np.where(drawn, likely, central)
    return table.assign(needed_by=needed, lead_time=lead, start_by=np.floor(needed - lead))


def _with_verdict(
    table: pd.DataFrame, short: Array, costs: pd.DataFrame, pairs: Pairs
) -> pd.DataFrame:
    """Add the split of what is short; of parents and combined stages the sum of their parts."""
    split = split_need(_numbers(short), costs)
    whole, part = pairs
    sums = {}
    for name in split.columns.drop("break_even_years"):
        sums[name] = np.zeros(len(table))
        np.add.at(sums[name], whole, split[name].to_numpy()[part])
    even = split["break_even_years"].to_numpy()
    high, low = _longest(even, pairs), -_longest(-even, pairs)
    verdict = verdict_of(pd.Series(sums["permanent_places"]), pd.Series(sums["temporary_places"]))
    return table.assign(
        break_even_years=np.where(low == high, low, np.nan),
        permanent_or_temporary=verdict,
        permanent_places=sums["permanent_places"],
        temporary_places=sums["temporary_places"],
        regret_permanent=sums["cost_permanent"] - sums["cost_split"],
        regret_temporary=sums["cost_temporary"] - sums["cost_split"],
    )


def _reasons(table: pd.DataFrame, lacks: pd.Series[Any], pairs: Pairs) -> list[str]:
    """Say why a verdict or a year to start is missing; blank where none is."""
    untold = table["permanent_or_temporary"].isna().to_numpy()
    unstarted = (table["needed_by"].notna() & table["lead_time"].isna()).to_numpy()
    short, stages = (table["uncovered"] > SHORT).to_numpy(), table["stage"].to_numpy()
    found: list[list[str]] = [[] for _ in range(len(table))]
    for i, j in zip(*pairs, strict=True):
        if untold[i] and short[j] and lacks.iloc[j]:
            found[i].append(str(lacks.iloc[j]))
        if unstarted[i] and np.isnan(table["lead_time"].iloc[j]):
            found[i].append(f"standards lack lead_time of {stages[j]}")
    return ["; ".join(dict.fromkeys(texts)) for texts in found]
