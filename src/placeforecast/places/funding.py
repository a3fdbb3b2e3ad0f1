"""What the plan costs to build and pupils cost to teach, beside the money there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.derive import derived_places
from placeforecast.places.judged import judged
from placeforecast.rates.standards import standard
from placeforecast.tables.districts import NO_LEVEL, levels, members
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

ESTIMATED_BY = {
    "new": "cost_per_place",
    "extension": "cost_per_place",
    "rebuild": "cost_per_place",
    "temporary": "temporary_cost_per_place",
}
"""The standard that stands in for a cost left blank; other kinds need their own cost."""
TO_COME = ("proposed", "approved", "under_construction", "delayed")
BEGUN = ("under_construction", "delayed")
FREE = ("closure",)
"""Kinds that cost nothing to build where no cost is given."""
COLUMNS = [
    *("district", "level", "year", "capital", "capital_cap", "capital_unfunded"),
    *("recurrent", "recurrent_cap", "recurrent_unfunded", "estimated"),
]


def money_needed(
    demand: pd.DataFrame,
    projects: pd.DataFrame | None,
    budget: pd.DataFrame,
    standards: pd.DataFrame | None,
    *,
    launch_year: int,
    districts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set what public projects still to come cost, and what pupils cost a year, against the budget.

    The cost of a project falls in equal parts on the years from its start to the year before it
    opens (all of it on the start where there is none between); what falls before the launch is
    spent. A start that is not given is the opening less the lead time; of what is only proposed or
    approved not before the launch. Recurrent cost is pupils of public schools times
    `recurrent_per_pupil`: the allowance of a school, without salaries.

    Parameters
    ----------
    demand : DataFrame [district, year, stage, ledger, pupils]
        From `demand_places`. Ledger `public`, or `all` where a stage of a district has no other.
    projects : DataFrame or None
        The plan; without a `cost` in yuan, places times `cost_per_place`.
    budget : DataFrame [district, year, source, capital_cap, recurrent_cap]
        Yuan a year, of a district of any level; the sources of a year are added up.
    standards : DataFrame or None
        For `cost_per_place`, `temporary_cost_per_place`, `lead_time`, `recurrent_per_pupil`.
    launch_year : int
    districts : DataFrame, optional
        How districts roll up.

    Returns
    -------
    DataFrame [district, level, year, capital, capital_cap, capital_unfunded, recurrent, \
recurrent_cap, recurrent_unfunded, estimated]
        Yuan, for each district of the budget and each year of the forecast; a year without a budget
        has no cap. `recurrent` is blank where a stage has no `recurrent_per_pupil`; `estimated`:
        part of the capital is from standards.

    Raises
    ------
    InputError
        For a project without cost and without the standard that stands in for it, or without a
        start and a lead time.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.funding import money_needed
    >>> cell = {"district": "A", "stage": "primary", "ledger": "public", "pupils": 1000.0}
    >>> demand = pd.DataFrame([{**cell, "year": y} for y in (2025, 2026)])
    >>> projects = pd.DataFrame({"project": ["East"], "stage": "primary", "district": "A",
    ...     "kind": "new", "status": "approved", "places": 900.0, "starts": 2025, "opens": 2027,
    ...     "cost": 60e6})
    >>> budget = pd.DataFrame({"district": "A", "year": [2025, 2026], "source": "general",
    ...     "capital_cap": [40e6, 20e6], "recurrent_cap": 1e6})
    >>> money = money_needed(demand, projects, budget, None, launch_year=2025)
    >>> money[["year", "capital", "capital_cap", "capital_unfunded"]]
       year     capital  capital_cap  capital_unfunded
    0  2025  30000000.0   40000000.0               0.0
    1  2026  30000000.0   20000000.0        10000000.0
    """
    years = [year for year in sorted(set(demand["year"].tolist())) if year >= launch_year]
    spent = _spending(projects, standards, launch_year)
    taught = _recurrent(demand, standards)
    below = {} if districts is None else members(districts)
    named = levels(districts)
    parts = []
    for district, rows in budget.groupby("district", sort=False):
        own = below.get(str(district), [str(district)])
        caps = rows.groupby("year")[["capital_cap", "recurrent_cap"]].sum().reindex(years)
        here = spent[spent["district"].isin(own)].groupby("year")
        table = pd.DataFrame(
            {
                "district": district,
                "level": named.get(str(district), NO_LEVEL),
                "capital": here["capital"].sum().reindex(years, fill_value=0.0),
                "estimated": here["estimated"].any().reindex(years, fill_value=False),
                "recurrent": taught[taught["district"].isin(own)]
                .groupby("year")["recurrent"]
                .sum(min_count=1, skipna=False)
                .reindex(years),
            },
            index=pd.Index(years, name="year"),
        )
        for what in ("capital", "recurrent"):
            table[f"{what}_cap"] = caps[f"{what}_cap"]
            table[f"{what}_unfunded"] = (table[what] - caps[f"{what}_cap"]).clip(lower=0)
        parts.append(table.reset_index())
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _spending(
    projects: pd.DataFrame | None, standards: pd.DataFrame | None, launch_year: int
) -> pd.DataFrame:
    """Return what each public project still to come costs in each year."""
    if projects is None:
        return _spent([])
    table = derived_places(projects, standards)
    absent = {c: np.nan for c in ("cost", "starts", "opens") if c not in table.columns}
    table = table.assign(**absent)
    table = table[table["status"].isin(TO_COME)]
    if "sector" in table.columns:  # money of the budget builds public schools
        table = table[table["sector"].isna() | (table["sector"] == "public")]
    opens = table["opens"].astype("float64")
    cells = table[["district", "stage"]].assign(year=opens)
    lead = standard(standards, "lead_time", cells)
    derived = opens - np.ceil(lead)
    # What has not begun cannot have spent anything: it begins at the launch at the earliest.
    derived = derived.where(table["status"].isin(BEGUN), derived.clip(lower=launch_year))
    table = table.assign(
        first=table["starts"].astype("float64").fillna(derived),
        **{name: standard(standards, name, cells) for name in set(ESTIMATED_BY.values())},
    )
    rows: list[tuple[Any, ...]] = []
    problems = []
    for at, row in zip(table.index.tolist(), table.to_dict("records"), strict=True):
        cost, estimated = row["cost"], False
        if pd.isna(cost) and row["kind"] in FREE:
            continue
        if pd.isna(cost):
            indicator = ESTIMATED_BY.get(str(row["kind"]), "")
            cost = row["places"] * row[indicator] if indicator else np.nan
            estimated = True
        if pd.isna(cost):
            problems.append(_lacking(row, at, "cost", ESTIMATED_BY.get(str(row["kind"]), "")))
        elif pd.isna(row["first"]):
            problems.append(_lacking(row, at, "starts", "lead_time"))
        else:
            first = int(row["first"])
            last = max(first, int(row["opens"]) - 1) if pd.notna(row["opens"]) else first
            part = float(cost) / (last - first + 1)
            rows += [(row["district"], year, part, estimated) for year in range(first, last + 1)]
    refuse(problems)
    return _spent(rows)


def _spent(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return the table of spending; its columns are numbers where no project spends as well."""
    table = pd.DataFrame(rows, columns=["district", "year", "capital", "estimated"])
    return table.astype({"year": "int64", "capital": "float64", "estimated": "bool"})


def _lacking(row: Mapping[Any, Any], at: int, column: str, norm: str) -> Problem:
    """Return the problem of a blank cell; a blank norm is a kind whose cost has none."""
    project = f"(project {row['project']})"
    rule = f"is blank and there is no {norm} of {row['stage']} {project}"
    remedy = "Give it, or the standard, or leave the table budget out."
    if not norm:
        rule = f"is blank and no standard stands in for it of kind {row['kind']} {project}"
        remedy = "Give it, or leave the table budget out."
    return Problem(rule, remedy, file="projects", row=at + 1, column=column)


def _recurrent(demand: pd.DataFrame, standards: pd.DataFrame | None) -> pd.DataFrame:
    """Return recurrent cost by district and year; NaN where a stage has no allowance."""
    rows = judged(demand)
    each = standard(standards, "recurrent_per_pupil", rows[["district", "year", "stage"]])
    return rows[["district", "year"]].assign(recurrent=rows["pupils"] * each)
