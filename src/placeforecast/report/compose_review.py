"""The section on the plan under review: what it leaves short, when to start, what each is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.report.model import Column, Paragraph, Section, Table
from placeforecast.report.view import PLANNED, RISK, number
from placeforecast.tables.districts import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.report.model import Block, Cell, Form
    from placeforecast.report.view import View
    from placeforecast.review.plan import PlanReview

    Row = Mapping[str, Any]

MOST_SHORT = 12
"""Districts and stages that the page lists; all are in the workbook."""
TEN_THOUSAND = 10_000
FLAGS = ("never_needed", "too_late", "too_early", "too_large", "stranded")
NEED: Mapping[str, Form] = {
    "peak_year": "year",
    "peak_demand": "count",
    "need_after": "count",
    "first_year_short": "year",
    "first_year_short_net": "year",
    "first_year_short_risk_adjusted": "year",
    "years_above": "count",
    "uncovered": "count",
    "uncovered_year": "year",
    "idle_at_horizon": "count",
}
CHOICE: Mapping[str, Form] = {
    "needed_by": "year",
    "start_by": "text",
    "years_needed": "text",
    "break_even_years": "count",
    "permanent_or_temporary": "text",
    "permanent_places": "count",
    "temporary_places": "count",
    "regret_permanent": "count",
    "regret_temporary": "count",
}
SHORT: Mapping[str, Form] = {
    "first_year_short": "year",
    "uncovered": "count",
    "uncovered_year": "year",
    **{name: CHOICE[name] for name in ("start_by", "years_needed", "permanent_or_temporary")},
    "idle_at_horizon": "count",
}
PROJECT: Mapping[str, Form] = {
    "status": "text",
    "opens": "year",
    "places": "signed",
    "first_needed": "text",
    "peak_use": "count",
    "share_in_use": "share",
    "share_of_life_in_use": "share",
}


def review_section(view: View) -> Section:
    """Return the plan under review: stages of the region, the districts most short, projects."""
    words = view.words
    blocks: list[Block] = []
    balance, review = view.forecast.balance, view.review
    if balance is None or review is None:
        blocks.append(Paragraph(words("review.none")))
    else:
        drawn = "chance_of_shortfall" in balance.columns
        need = words("review.need_drawn" if drawn else "review.need_central", risk=f"{RISK:.0%}")
        case = words.value("plan_case", PLANNED)
        blocks.append(Paragraph(words("review.text", case=case, need=need)))
        blocks += [*_of_region(view, review), *_most_short(view, review), *_projects(view, review)]
    return Section("review", words("review.title"), words("review.sheet"), tuple(blocks))


def _judged(view: View, review: PlanReview) -> pd.DataFrame:
    """Return the rows of the ledger that each stage is judged by."""
    table = review.districts
    ledgers = {stage: view.ledger(stage) for stage in (*view.balanced, *view.combined)}
    return table[table["ledger"] == table["stage"].map(ledgers)]


def _of_region(view: View, review: PlanReview) -> list[Block]:
    """Return two tables of the whole region: what is needed, and what to do about it."""
    words, top = view.words, view.areas.shown[0]
    rows = _judged(view, review)
    rows = rows[rows["district"] == top]
    if rows.empty:
        return []
    blocks: list[Block] = []
    for key, columns, heads in (
        ("review_need", NEED, ("stage",)),
        ("review_choice", CHOICE, ("stage", "ledger")),
    ):
        title = words(f"review.{key}", area=view.name(top))
        note = words(f"review.{key}_note", ledger=words("report.main_ledger"))
        blocks.append(_table(view, rows, columns, (key, title, note), heads))
    reasons = sorted({text for row in rows["reason"] for text in row.split("; ") if text})
    if reasons:
        blocks.append(Paragraph(words("review.reasons", list=view.joined(reasons))))
    return blocks


def _most_short(view: View, review: PlanReview) -> list[Block]:
    """Return the districts right below the top that are most short, and every one on a sheet."""
    words = view.words
    rows = _judged(view, review)
    units = rows[rows["district"].isin(view.areas.units) & rows["stage"].isin(view.balanced)]
    units = units[units["uncovered"] > 0].sort_values("uncovered", ascending=False, kind="stable")
    heads = ("district", "stage")
    blocks: list[Block] = []
    if units.empty:
        blocks.append(Paragraph(words("review.none_short")))
    else:
        shown = units.head(MOST_SHORT)
        told = words("review.review_short", shown=len(shown), count=len(units))
        named = ("review_short", told, words("review.review_short_note"))
        blocks.append(_table(view, shown, SHORT, named, heads))
    named = ("review_districts", words("review.review_districts"), "")
    sheet = words("review.districts_sheet")
    every = _table(
        view, rows, {**NEED, **CHOICE, "reason": "text"}, named, (*heads, "ledger"), sheet=sheet
    )
    return [*blocks, every]


def _projects(view: View, review: PlanReview) -> list[Block]:
    """Return the projects to come that are flagged, and every project on a sheet."""
    words, table = view.words, review.projects
    if table.empty:
        return [Paragraph(words("review.no_projects"))]
    to_come = table[table["status"] != "open"]
    flagged = to_come[to_come[list(FLAGS)].fillna(value=False).any(axis=1)]
    counts = [
        words(f"flag.{flag}_count", count=count)
        for flag in FLAGS
        if (count := int(to_come[flag].fillna(value=False).sum()))
    ]
    told = {"count": len(to_come), "flagged": len(flagged), "list": view.joined(counts)}
    blocks: list[Block] = [
        Paragraph(words("review.flags" if counts else "review.no_flags", **told))
    ]
    parts = (("review_flagged", flagged, ""), ("review_projects", table, "projects_sheet"))
    for key, rows, sheet in parts:
        if len(rows):
            named = (key, words(f"review.{key}"), words("review.projects_note"))
            own = words(f"review.{sheet}") if sheet else ""
            heads = ("project", "stage", "district")
            blocks.append(_table(view, rows, PROJECT, named, heads, sheet=own))
    return blocks


def _table(
    view: View,
    rows: pd.DataFrame,
    columns: Mapping[str, Form],
    named: tuple[str, str, str],
    heads: Sequence[str],
    *,
    sheet: str = "",
) -> Table:
    """Return rows of the review as a table; those of projects end with what is found of each."""
    words, (key, title, note) = view.words, named
    projects = "project" in heads
    labels = [
        *(Column(words.column("projects" if projects else "demand", name)) for name in heads),
        *(Column(words(f"review.column_{name}"), form) for name, form in columns.items()),
        *([Column(words("review.column_finding"))] if projects else []),
    ]
    cells = []
    for row in rows.to_dict("records"):
        named_row = {str(name): value for name, value in row.items()}
        values = [_cell(view, named_row, name) for name in (*heads, *columns)]
        cells.append((*values, *([_finding(view, named_row)] if projects else [])))
    return Table(key, title, tuple(labels), tuple(cells), heads=len(heads), sheet=sheet, note=note)


def _cell(view: View, row: Row, name: str) -> Cell:
    words, value = view.words, row[name]
    if pd.isna(value) or value == "":
        return None
    if name in ("regret_permanent", "regret_temporary"):
        return number(value / TEN_THOUSAND)
    if name == "start_by" and row["late"]:
        return words("review.late", year=value)
    if name == "years_needed":
        return words("review.at_least", years=value) if row["years_needed_censored"] else f"{value}"
    if name == "first_needed":
        return words("review.or_before", year=value) if value == view.years[0] else f"{value}"
    return _named(view, name, value)


def _named(view: View, name: str, value: Any) -> Cell:  # noqa: ANN401 - any value of a review
    words = view.words
    if name == "district":
        known = names(view.forecast.inputs.districts)
        return view.name(value) if value in view.areas.leaves else str(known.get(value, value))
    if name == "stage":
        return words.stage(value)
    if name in ("ledger", "status"):
        return words.value(name, value)
    if name == "permanent_or_temporary":
        return words(f"verdict.{value}")
    return str(value) if isinstance(value, (str, int)) and name == "start_by" else _plain(value)


def _plain(value: Any) -> Cell:  # noqa: ANN401
    return value if isinstance(value, str) else number(value)


def _finding(view: View, row: Row) -> Cell:
    """Say what was found of a project; None where there is nothing to say."""
    words = view.words
    found = []
    raised = [flag for flag in FLAGS if not pd.isna(row[flag]) and row[flag]]
    for flag in raised:
        if flag == "too_large" and "never_needed" in raised:
            continue  # what nobody needs is not said to be too large as well
        years = {"years": row["years_late"], "since": row["stranded_from"]}
        one = flag == "too_late" and row["years_late"] == 1
        found.append(words(f"flag.{flag}_one" if one else f"flag.{flag}", **years))
    if not pd.isna(row["causes"]) and round(row["causes"]) > 0:
        found.append(words("flag.causes", places=view.count(row["causes"])))
    return view.joined(found) or (row["reason"] or None)
