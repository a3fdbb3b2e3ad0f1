"""Intake warnings: applicants for the entry grade against its regular plan (常态招生计划)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.tables.check import check
from placeforecast.tables.grades import FROM_POPULATION, resolve_grades, stages_in_order
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

PUPILS = ["district", "year", "grade", "residence", "pupils"]
WARNINGS = ["district", "year", "lead", "stage", "grade", "applicants", "plan", "ratio"]
COUNTED = "local"
"""The class of residence that the published rule counts."""
PUBLISHED_STAGES = ("primary", "junior")
PUBLISHED_LEADS = (1, 2, 3)
BELOW = "normal"
Cells = dict[tuple[str, int, str], float]
Source = tuple[str, str, int]
"""The entry grade of a stage, the grade whose pupils apply, and how many years before."""


def intake_warnings(
    pupils: pd.DataFrame,
    intake_plan: pd.DataFrame,
    *,
    launch_year: int,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set the applicants for each entry grade against its intake plan, and warn.

    The rule published in cities of Zhejiang since 2018 (notices of Xiaoshan, Yueqing, Lishui):
    yellow where the local-registered applicants are 90-100 % of the regular intake plan, red from
    100 %; primary three years ahead, junior by the graduates of its feeder grade. Other stages and
    leads take the same limits, as this project's own rule.

    Applicants are the pupils projected in the entry grade. Where its feeder grade feeds no other
    (junior), they are the pupils of that grade a year before; the graduates of junior schools part
    ways, so a senior stage has the pupils projected in it. In the launch year the entry grade has
    been counted and is taken as it is. Where residence is told apart only local pupils count, as in
    the published rule; where it is not, everyone does, and the warning errs on the early side.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, residence, pupils]
        From `project_enrolment`.
    intake_plan : DataFrame [district, stage, year, places]
        Places of the entry grade. Rows before the launch are left out.
    launch_year : int
        Last year counted.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    DataFrame [district, year, lead, stage, grade, applicants, plan, ratio, level, rule]
        One row per row of the plan, in its order. `grade` is the entry grade; `lead` in years;
        `ratio` applicants per place planned, missing where none is planned, and `level` then red if
        anyone applies. `level`: red, yellow or normal. `rule`: ``published`` or ``own``.

    Raises
    ------
    InputError
        For a row of the plan whose pupils are missing, or whose stage has no single entry grade of
        one year.

    Warns
    -----
    AssumptionWarning
        If every row of the plan is before the launch.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.intake import intake_warnings
    >>> pupils = pd.DataFrame({"district": "A", "year": [2026, 2027], "grade": "P1",
    ...     "pupils": [255.0, 280.0]})
    >>> plan = pd.DataFrame({"district": "A", "stage": "primary", "year": [2026, 2027],
    ...     "places": 270})
    >>> table = intake_warnings(pupils, plan, launch_year=2025)
    >>> table[["year", "applicants", "plan", "level", "rule"]]
       year  applicants   plan   level       rule
    0  2026       255.0  270.0  yellow  published
    1  2027       280.0  270.0     red  published
    """
    system = resolve_grades(grades)
    plan = check(intake_plan, "intake_plan")
    plan = plan[plan["year"] >= launch_year]
    if plan.empty:
        text = f"intake_plan: every row is before the launch of {launch_year}: no intake warnings"
        warnings.warn(AssumptionWarning(text), stacklevel=2)
    sources = _sources(plan, system)
    table = plan.rename(columns={"places": "plan"})
    table["lead"] = table["year"] - launch_year
    table["grade"] = [sources[stage][0] for stage in table["stage"]]
    table["applicants"] = _applicants(plan, sources, _counted(pupils), launch_year)
    table["ratio"] = table["applicants"] / table["plan"].where(table["plan"] > 0)
    unplanned = (table["plan"] == 0) & (table["applicants"] > 0)
    table["level"] = _levels(table["ratio"].mask(unplanned, np.inf))
    table["rule"] = _rules(table, system)
    return table[[*WARNINGS, "level", "rule"]].reset_index(drop=True)


def _counted(pupils: pd.DataFrame) -> tuple[Cells, str]:
    """Return the pupils who count by district, year and grade, and what to call them."""
    table = check(pupils[[c for c in PUPILS if c in pupils.columns]], "pupils")
    told_apart = "residence" in table.columns
    if told_apart:
        table = table[table["residence"] == COUNTED]
    keys = zip(*(table[key].tolist() for key in ("district", "year", "grade")), strict=True)
    cells = dict(zip(keys, table["pupils"].astype(float).tolist(), strict=True))
    return cells, f"{COUNTED} pupils" if told_apart else "pupils"


def _sources(plan: pd.DataFrame, system: pd.DataFrame) -> dict[str, Source]:
    """Return for each stage of the plan where its applicants are counted."""
    known = stages_in_order(system)
    problems, sources = [], {}
    for stage, rows in plan.groupby("stage", sort=False):
        where = {"file": "intake_plan", "row": int(rows.index[0]) + 1, "column": "stage"}
        named: dict[str, Any] = {**where, "value": str(stage)}
        if stage not in known:
            rule = "is not a stage of the school system"
            problems.append(Problem(rule, suggest(str(stage), known), **named))
            continue
        own = system[system["stage"] == stage]
        entry = own[own["position"] == own["position"].min()]
        if len(entry) != 1 or int(entry["duration"].iloc[0]) != 1:
            rule = "has no single entry grade of one year"
            remedy = "Leave its rows out, or give its grades apart in the table grades."
            problems.append(Problem(rule, remedy, **named))
            continue
        sources[str(stage)] = _source(entry.iloc[0].to_dict(), system)
    refuse(problems)
    return sources


def _source(entry: Mapping[Any, Any], system: pd.DataFrame) -> Source:
    grade, feeder = str(entry["grade"]), str(entry["feeder"])
    alone = int((system["feeder"] == feeder).sum()) == 1
    if feeder == FROM_POPULATION or not alone:
        return grade, grade, 0
    return grade, feeder, 1


def _applicants(
    plan: pd.DataFrame,
    sources: Mapping[str, Source],
    counted: tuple[Cells, str],
    launch_year: int,
) -> list[float]:
    cells, who = counted
    problems, applicants = [], []
    columns = (plan[key].tolist() for key in ("district", "stage", "year"))
    rows = zip(plan.index.tolist(), *columns, strict=True)
    for row, district, stage, year in rows:
        entry, feeder, before = sources[stage]
        at_launch = year == launch_year
        grade, since = (entry, year) if at_launch else (feeder, year - before)
        found = cells.get((district, since, grade))
        if found is None:
            rule = f"needs the {who} of {grade} in {district} in {since}, which are missing"
            remedy = "Add them to pupils, or leave the row out."
            problems.append(Problem(rule, remedy, file="intake_plan", row=int(row) + 1))
        applicants.append(np.nan if found is None else found)
    refuse(problems)
    return applicants


def _levels(ratio: pd.Series[float]) -> list[str]:
    """Return the published level of each ratio; normal below the lowest, and for 0 of 0."""
    table = shipped("warnings")
    table = table[table["origin"].str.startswith("published")]
    limits = table["from_utilisation"].astype(float)
    rising = sorted(zip(limits, table["level"], strict=True))
    return [
        next((level for limit, level in reversed(rising) if one >= limit), BELOW) for one in ratio
    ]


def _rules(table: pd.DataFrame, system: pd.DataFrame) -> list[str]:
    # The rule is of Chinese cities: a primary stage of another system is not under it.
    chinese = set(PUBLISHED_STAGES) <= set(system["stage"])
    covered = table["stage"].isin(PUBLISHED_STAGES) & table["lead"].isin(PUBLISHED_LEADS) & chinese
    return ["published" if under else "own" for under in covered]
