"""What only a workbook has: contents, the tables behind the figures, how they are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placeforecast.report.compose_balance import CELLS, FULL
from placeforecast.report.listings import column_label, listings_of, sheet_name, sheet_of_rows
from placeforecast.report.model import Appendix, Column, Table, Target
from placeforecast.report.trace import trace_table
from placeforecast.report.view import number
from placeforecast.tables.records import VOCABULARY_NAME
from placeforecast.tables.vocabulary import values, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.report.listings import Listing
    from placeforecast.report.model import Cell, Section
    from placeforecast.report.view import View
    from placeforecast.tables.vocabulary import Column as Declared

Links = dict[tuple[int, int], Target]
BY_COLUMN = {"balance_all": FULL, "balance_cells": CELLS}
"""Tables of which each column says what computes it."""


def appendix_of(view: View, sections: Sequence[Section]) -> Appendix:
    """Return the sheets that let a reader follow the figures of a report back.

    Parameters
    ----------
    view : View
    sections : sequence of Section
        Of the report.

    Returns
    -------
    Appendix

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.report.appendix import appendix_of
    >>> from placeforecast.report.view import View, catalogue
    >>> result = pf.forecast(pf.load_example("city"), horizon=1)
    >>> appendix = appendix_of(View(result, catalogue("en")), [])
    >>> [table.sheet for table in appendix.tables][:2]
    ['Balance share', 'Data dictionary']
    """
    words = view.words
    own = [b for section in sections for b in section.blocks if isinstance(b, Table) and b.sheet]
    taken = [section.sheet for section in sections] + [table.sheet for table in own]
    named: dict[str, str] = {}
    for key in ("workbook.contents", "workbook.share_sheet", "trace.sheet"):
        named[key] = sheet_name(words(key), taken)
        taken.append(named[key])
    named["dictionary"] = sheet_name(words("workbook.dictionary_sheet"), taken)
    listings = listings_of(view, [*taken, named["dictionary"]])
    links: dict[str, Mapping[tuple[int, int], Target]] = {}
    made: list[tuple[str, Table]] = []
    share = _share_table(view, named["workbook.share_sheet"])
    if share is not None:
        made.append(("figures", share))
    full = next((table.sheet for table in own if table.key == "balance_all"), "")
    traced = (
        trace_table(view, sheet_of_rows(listings), full, named["trace.sheet"]) if full else None
    )
    if traced is not None:
        made.append(("trace", traced[0]))
        links["trace"] = traced[1]
    hows = _hows(view, sections)
    known = [b for section in sections for b in section.blocks if isinstance(b, Table)]
    listed = [*known, *(table for _, table in made)]
    dictionary, links["dictionary"] = _dictionary(
        view, listed, _sheets(sections), listings, named["dictionary"]
    )
    made.append(("trace", dictionary))
    links["provenance"] = _sources(known, view, listings)
    contents, links["contents"] = _contents(
        view, sections, made, listings, named["workbook.contents"]
    )
    tables = [table for _, table in made] + [e.table for e in listings if e.table is not None]
    return Appendix(contents, words("workbook.back"), tuple(tables), links, hows)


def _sheets(sections: Sequence[Section]) -> Mapping[str, str]:
    """Return the sheet of each section by the keys of the tables that stand in it."""
    return {
        block.key: section.sheet
        for section in sections
        for block in section.blocks
        if isinstance(block, Table)
    }


def _hows(view: View, sections: Sequence[Section]) -> Mapping[str, tuple[str, ...]]:
    """Return what computes the columns of each table of the report."""
    texts = view.words.texts
    found: dict[str, tuple[str, ...]] = {}
    for section in sections:
        for block in section.blocks:
            if not isinstance(block, Table):
                continue
            if block.key in BY_COLUMN:
                named = BY_COLUMN[block.key]
                found[block.key] = tuple(texts.get(f"how_column.{name}", "") for name in named)
            elif f"how.{block.key}" in texts:
                found[block.key] = (texts[f"how.{block.key}"],)
    return found


def _share_table(view: View, sheet: str) -> Table | None:
    """Return the balance as a share of the places, for every year: the heat maps in figures."""
    words = view.words
    rows: list[tuple[Cell, ...]] = []
    for stage in view.balanced:
        for district in view.areas.shown:
            by_year = view.balance(district, stage)
            if not by_year:
                continue
            shares = [
                number(by_year[y]["balance"] / by_year[y]["places"])
                if y in by_year and by_year[y]["places"] > 0
                else None
                for y in view.years
            ]
            ledger = words.value("ledger", view.ledger(stage))
            rows.append((words.stage(stage), view.name(district), ledger, *shares))
    if not rows:
        return None
    columns = (
        Column(words.column("demand", "stage")),
        Column(words.column("districts", "district")),
        Column(words.column("demand", "ledger")),
        *(Column(str(year), "share") for year in view.years),
    )
    return Table(
        key="balance_share",
        title=words("workbook.share_title", case=view.case_name),
        columns=columns,
        rows=tuple(rows),
        heads=3,
        sheet=sheet,
        note=words("workbook.share_note"),
        how=(words("workbook.share_how", sheet=words("balance.full")),),
        scale=tuple(range(3, len(columns))),
    )


def _sources(tables: Sequence[Table], view: View, listings: Sequence[Listing]) -> Links:
    """Return what the names of the list of sources lead to."""
    sheets = {view.words.table(e.name): e.sheet for e in listings if e.group == "input" and e.sheet}
    rows = next((table.rows for table in tables if table.key == "provenance"), ())
    found = ((at, sheets.get(str(row[0]))) for at, row in enumerate(rows))
    return {(at, 0): Target(sheet) for at, sheet in found if sheet}


def _contents(
    view: View,
    sections: Sequence[Section],
    made: Sequence[tuple[str, Table]],
    listings: Sequence[Listing],
    sheet: str,
) -> tuple[Table, Links]:
    """Return the list of all sheets, and of the tables that have none."""
    words = view.words
    rows: list[tuple[Cell, ...]] = []
    for section in sections:
        rows.append((section.sheet, words("workbook.group_report"), section.title, None, None))
        own = [b for b in section.blocks if isinstance(b, Table) and b.sheet]
        group = words("workbook.group_figures")
        rows += [(t.sheet, group, t.note or t.title, len(t.rows), None) for t in own]
    rows += [
        (t.sheet, words(f"workbook.group_{kind}"), t.title, len(t.rows), None) for kind, t in made
    ]
    for entry in listings:
        group = words(f"workbook.group_{entry.group}")
        what = words.table(VOCABULARY_NAME.get(entry.name, entry.name))
        if entry.group == "input" and f"table.{entry.name}" in words.texts:
            what = words(f"table.{entry.name}")
        what = f"{what} · {entry.remark}" if entry.remark else what
        rows.append((entry.sheet or None, group, what, entry.rows, entry.file or None))
    columns = (
        *(Column(words(f"workbook.{key}")) for key in ("sheet", "group", "what")),
        Column(words("workbook.rows"), "count"),
        Column(words("workbook.file")),
    )
    links = {(at, 0): Target(str(row[0])) for at, row in enumerate(rows) if row[0]}
    note = words("workbook.contents_note")
    named = ("contents", words("workbook.contents"), columns, tuple(rows), 1, sheet, note)
    return Table(*named), links


def _dictionary(
    view: View,
    tables: Sequence[Table],
    sheets: Mapping[str, str],
    listings: Sequence[Listing],
    sheet: str,
) -> tuple[Table, Links]:
    """Return every column of every table of the workbook, and the links to their sheets."""
    words = view.words
    meanings = _meanings(view)
    rows: list[tuple[Cell, ...]] = []
    links: Links = {}
    for table in tables:
        for column in table.columns:
            links[len(rows), 0] = Target(table.sheet or sheets[table.key])
            meaning = meanings.get(column.label)
            form = words(f"workbook.form_{column.form}")
            rows.append((table.title, column.label, None, meaning, None, form))
    for entry in listings:
        if entry.table is None:
            continue
        kind = (
            VOCABULARY_NAME.get(entry.name, entry.name) if entry.group == "assumed" else entry.name
        )
        declared = {c.name: c for c in vocabulary()[kind].columns} if kind in vocabulary() else {}
        for column in entry.table.columns:
            if not column.code:
                continue
            links[len(rows), 0] = Target(entry.sheet)
            told = declared.get(column.code)
            form = words(f"workbook.form_{column.form}")
            known = (told.meaning or None, told.unit or None, _allowed(view, told)) if told else ()
            rest = known or (meanings.get(column.label), None, form)
            rows.append((entry.table.title, column.label, column.code, *rest))
    heads = ("table", "column", "code", "meaning", "unit", "values")
    columns = tuple(Column(words(f"workbook.dictionary_{head}")) for head in heads)
    named = ("dictionary", words("workbook.dictionary_title"), columns, tuple(rows), 2, sheet)
    return Table(*named, note=words("workbook.dictionary_note")), links


def _meanings(view: View) -> Mapping[str, str]:
    """Return what columns of the report mean, by their printed names."""
    words, texts = view.words, view.words.texts
    found: dict[str, str] = {}
    for name, table in vocabulary().items():
        for column in table.columns:
            if column.meaning:
                found.setdefault(column_label(view, name, column.name), column.meaning)
    for key in texts:
        part, _, name = key.partition(".")
        if part == "column" and f"guide.{name}_text" in texts:
            found[words(key)] = texts[f"guide.{name}_text"]
    return found


def _allowed(view: View, column: Declared) -> str:
    """Return the values that a column may hold, in words."""
    words = view.words
    if column.values.startswith("*"):
        return words("workbook.of_region", what=column.values[1:].replace("_", " "))
    if column.values:
        named = [(value, words.value(column.values, value)) for value in values(column.values)]
        plain = (v if name == v.replace("_", " ") else f"{v} ({name})" for v, name in named)
        return ", ".join(plain)
    ends = []
    if column.minimum is not None:
        ends.append(words("workbook.from_", value=f"{column.minimum:g}"))
    if column.maximum is not None:
        ends.append(words("workbook.to", value=f"{column.maximum:g}"))
    return " ".join([column.kind.replace("_", " "), *ends])
