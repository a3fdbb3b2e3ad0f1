"""The sections at the end: how sure, notes, sources and how to read the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.places.supply import STATUSES
from placeforecast.report.model import Column, Paragraph, Section, Table
from placeforecast.report.view import cells, number
from placeforecast.tables.vocabulary import shipped, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

SHA_DIGITS = 12
COVERED = ("lead", "nominal", "coverage", "width", "launches")
DEFINED = ("balance", "shortfall", "surplus", "cell_shortfall", "cell_surplus", "utilisation")
"""Columns that the guide explains."""


def share_born(view: View, district: str | None) -> Mapping[str, Mapping[int, float]]:
    """Return the share of the pupils of each stage and year who are already born.

    Stages and years of which nothing is known are left out.
    """
    demand = view.forecast.demand
    own = demand[demand["district"].isin(view.areas.below(district)) & (demand["ledger"] == "all")]
    own = own.dropna(subset=["share_born"])
    own = own.assign(born=own["share_born"] * own["pupils"])
    total = own.groupby(["stage", "year"], sort=False)[["born", "pupils"]].sum()
    total = total[total["pupils"] > 0]
    found: dict[str, dict[int, float]] = {stage: {} for stage in view.stages}
    for row in total.reset_index().to_dict("records"):
        found[str(row["stage"])][int(row["year"])] = float(row["born"] / row["pupils"])
    return {stage: years for stage, years in found.items() if years}


def certainty_section(view: View) -> Section:
    """Return the share of pupils who are already born, by stage and year."""
    words, top = view.words, view.areas.shown[0]
    shares = share_born(view, top)
    blocks: list[Block] = [Paragraph(words("sure.text"))]
    drawn = _chance_tables(view, top)
    blocks += [Paragraph(words("sure.drawn" if drawn else "sure.intervals")), *drawn]
    if shares:
        rows = tuple(
            (year, *(number(years.get(year)) for years in shares.values())) for year in view.years
        )
        columns = (
            Column(words.column("demand", "year"), "year"),
            *(Column(words.stage(stage), "share") for stage in shares),
        )
        blocks.append(Table("born", words("sure.table", area=view.name(top)), columns, rows))
    else:
        blocks.append(Paragraph(words("sure.unknown")))
    return Section("certainty", words("sure.title"), words("sure.sheet"), tuple(blocks))


def _chance_tables(view: View, top: str | None) -> list[Table]:
    """Return the need with its interval and chance of a shortage, and how such intervals did."""
    words, balance = view.words, view.forecast.balance
    if balance is None or "chance_of_shortfall" not in balance.columns:
        return []
    ends = [name for name in balance.columns if name.startswith("demand_p")]
    low, high = ends[0], ends[-1]
    own = balance[(balance["district"] == top) & (balance["plan_case"] == view.case)]
    own = own[(own["ledger"] == own["stage"].map(view.ledger)) & own["year"].isin(view.key_years)]
    columns = (
        Column(words.column("demand", "stage")),
        Column(words.column("demand", "year"), "year"),
        Column(words("sure.low", quantile=low.removeprefix("demand_")), "count"),
        Column(words("sure.high", quantile=high.removeprefix("demand_")), "count"),
        Column(words("sure.chance_column"), "share"),
    )
    rows = tuple(
        (words.stage(str(row["stage"])), int(row["year"]), row[low], row[high], chance)
        for row, chance in zip(own.to_dict("records"), own["chance_of_shortfall"], strict=True)
    )
    title = words("sure.chance", area=view.name(top), case=view.case_name)
    tables = [Table("chances", title, columns, rows)]
    coverage = view.forecast.coverage
    if len(coverage):
        held = tuple(
            (words.stage(str(row["stage"])), *(row[name] for name in COVERED))
            for row in coverage.to_dict("records")
        )
        heads = (
            Column(words.column("demand", "stage")),
            Column(words("sure.lead"), "count"),
            Column(words("sure.nominal"), "share"),
            Column(words("sure.held"), "share"),
            Column(words("sure.width"), "share"),
            Column(words("sure.launches"), "count"),
        )
        tables.append(Table("coverage", words("sure.coverage"), heads, held))
    return tables


def notes_section(view: View) -> Section:
    """Return what a reader must know of how the figures came about."""
    words, notes = view.words, view.forecast.notes
    title, sheet = words("notes.title"), words("notes.sheet")
    if notes.empty:
        return Section("notes", title, sheet, (Paragraph(words("notes.none")),))
    columns = (Column(words("notes.topic")), Column(words("notes.note")))
    rows = tuple(
        (_topic(view, topic), text)
        for topic, text in zip(notes["topic"].map(str), notes["text"].map(str), strict=True)
    )
    table = Table("notes", words("notes.table"), columns, rows)
    return Section("notes", title, sheet, (Paragraph(words("notes.text")), table))


def _topic(view: View, topic: str) -> str:
    known = f"topic.{topic}"
    return view.words(known) if known in view.words.texts else view.words.table(topic)


def provenance_section(view: View) -> Section:
    """Return every input table, and the file it comes from."""
    words, inputs = view.words, view.forecast.inputs
    given = inputs.provenance.set_index("table")
    tables = {
        name: table
        for name, table in inputs.tables().items()
        if name in given.index or name != "grades"  # filled in from the school system
    }
    listed = given.reindex(list(tables))
    counted = zip(tables.values(), listed["rows"], strict=True)
    listed["rows"] = [len(t) if pd.isna(rows) else int(rows) for t, rows in counted]
    columns: list[list[Cell]] = [
        [words.table(name) for name in tables],
        [_meaning(view, name) for name in tables],
        cells(listed["file"]),
        cells(listed["rows"]),
        cells(listed["first_year"]),
        cells(listed["last_year"]),
        [None if pd.isna(sha) else str(sha)[:SHA_DIGITS] for sha in listed["sha256"]],
    ]
    heads = (
        Column(words("provenance.name")),
        Column(words("provenance.meaning")),
        Column(words("provenance.file")),
        Column(words("provenance.rows"), "count"),
        Column(words("provenance.first"), "year"),
        Column(words("provenance.last"), "year"),
        Column(words("provenance.sha")),
    )
    rows = tuple(zip(*columns, strict=True))
    table = Table("provenance", words("provenance.table"), heads, rows)
    title, sheet = words("provenance.title"), words("provenance.sheet")
    return Section("provenance", title, sheet, (Paragraph(words("provenance.text")), table))


def _meaning(view: View, name: str) -> str:
    known = f"table.{name}"
    return view.words(known) if known in view.words.texts else vocabulary()[name].meaning


def guide_section(view: View) -> Section:
    """Return the terms of the report in a few words each."""
    words = view.words
    columns = (Column(words("guide.term")), Column(words("guide.meaning")))
    table = Table("guide", words("guide.table"), columns, tuple(_terms(view)))
    return Section("guide", words("guide.title"), words("guide.sheet"), (table,))


def _terms(view: View) -> Iterator[tuple[str, str]]:
    words = view.words
    launch = view.forecast.launch_year
    yield words("guide.school_year"), words("guide.school_year_text", launch=launch)
    for term in ("demand", "cell", "all", "public"):
        yield words(f"guide.{term}"), words(f"guide.{term}_text")
    for case in STATUSES:
        named = words("figure.supply", case=words.value("plan_case", case))
        yield named, words(f"guide.{case}_text")
    for column in DEFINED:
        yield words(f"column.{column}"), words(f"guide.{column}_text")
    yield words.column("demand", "share_born"), words("guide.share_born_text")
    yield from _levels(view)


def _levels(view: View) -> Iterator[tuple[str, str]]:
    """Yield the warning levels with the utilisation they stand for."""
    words = view.words
    levels = shipped("warnings")
    bounds = levels["from_utilisation"].astype(float).tolist()
    for level, low, high in zip(levels["level"], bounds, [None, *bounds], strict=False):
        named = {"low": view.share(low), "high": view.share(high)}
        shape = "from_only" if high is None else "from_to" if low > 0 else "to_only"
        term = f"{words('column.warning')} · {words.warning(str(level))}"
        yield term, words("guide.level_text", bounds=words(f"guide.{shape}", **named))
