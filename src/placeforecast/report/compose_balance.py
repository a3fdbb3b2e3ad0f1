"""The section on the balance: compact tables and heat maps, and every row for the workbook."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from placeforecast import plot
from placeforecast.plot.heat import MOST_ROWS
from placeforecast.report.compose_map import map_figures
from placeforecast.report.model import Chart, Column, Figure, Paragraph, Section, Table
from placeforecast.report.view import cells, number
from placeforecast.tables.vocabulary import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from placeforecast.report.model import Block, Cell, Form
    from placeforecast.report.view import View

MOST_CELLS = 40_000
"""With more rows than these, the sheet of cells holds one plan case only."""
MEASURES: Mapping[str, tuple[str, Form]] = {
    "net": ("balance", "signed"),
    "short": ("cell_shortfall", "count"),
    "idle": ("cell_surplus", "count"),
}
FORMS: Mapping[str, Form] = {
    "year": "year",
    "pupils": "count",
    "demand": "count",
    "places": "count",
    "balance": "signed",
    "shortfall": "count",
    "surplus": "count",
    "cell_shortfall": "count",
    "cell_surplus": "count",
    "utilisation": "share",
    "share_born": "share",
}
FULL = (
    *("district", "code", "level", "year", "stage", "ledger", "plan_case"),
    *("pupils", "demand", "places", "balance", "shortfall", "surplus"),
    *("cell_shortfall", "cell_surplus", "utilisation", "share_born", "warning"),
)
CELLS = (
    *("district", "code", "year", "stage", "grade", "ledger", "plan_case"),
    *("demand", "places", "balance"),
)


def balance_section(view: View) -> Section:
    """Return the balance, or what is needed for one."""
    words = view.words
    named = ("balance", words("balance.title"), words("balance.sheet"))
    if view.forecast.balance is None:
        return Section(*named, (Paragraph(words("balance.none")),))
    fields = {"case": view.case_name, "ledger": words("report.main_ledger")}
    blocks: tuple[Block, ...] = (
        Paragraph(words("balance.text", **fields)),
        *_pooled(view),
        *map_figures(view),
        *(heat_figure(view, stage) for stage in view.balanced),
        *(_compact(view, measure) for measure in MEASURES),
        _full(view),
        _cells(view),
    )
    return Section(*named, blocks)


def _pooled(view: View) -> list[Block]:
    """Say which stages are balanced above the district."""
    standards = view.forecast.assumptions.standards
    if standards is None:
        return []
    rows = standards[standards["indicator"] == "planned_at"].dropna(subset=["stage"])
    words = view.words
    named = [
        words("balance.pooled_stage", stage=words.stage(stage), level=words.value("level", level))
        for stage, level in zip(rows["stage"], rows["value"], strict=True)
        if stage in view.balanced
    ]
    return [Paragraph(words("balance.pooled", stages=view.joined(named)))] if named else []


def _spots(view: View) -> Iterator[tuple[str | None, str]]:
    """Yield the rows of a compact table: combined stages for the whole region only."""
    for i, district in enumerate(view.areas.shown):
        for stage in [*view.balanced, *(view.combined if i == 0 else [])]:
            if view.balance(district, stage):
                yield district, stage


def _compact(view: View, measure: str) -> Table:
    words = view.words
    column, form = MEASURES[measure]
    rows = []
    for district, stage in _spots(view):
        by_year = view.balance(district, stage)
        amounts = [number(by_year[y][column]) if y in by_year else None for y in view.key_years]
        ledger = words.value("ledger", view.ledger(stage))
        rows.append((view.name(district), words.stage(stage), ledger, *amounts))
    columns = (
        Column(words.column("districts", "district")),
        Column(words.column("demand", "stage")),
        Column(words.column("demand", "ledger")),
        *(Column(str(year), form) for year in view.key_years),
    )
    whole = [row for row in rows[: len(view.balanced)] if row[0] == view.name(view.areas.shown[0])]
    years, unit = tuple(range(3, len(columns))), words("workbook.places")
    chart = Chart("column", 1, years, unit, (0, len(whole)))
    return Table(
        key=f"balance_{measure}",
        title=words(f"balance.{measure}"),
        columns=columns,
        rows=tuple(rows),
        heads=3,
        note=words(f"balance.{measure}_note"),
        charts=(chart,) if whole else (),
    )


def heat_figure(view: View, stage: str) -> Figure:
    """Return the heat map of one stage, with its extremes in words."""
    words = view.words
    caption = words("balance.caption", stage=words.stage(stage))
    if len(view.areas.shown) > MOST_ROWS:
        caption += words("balance.cut", count=MOST_ROWS)
    span = {"stage": words.stage(stage), "first": view.years[0], "last": view.years[-1]}
    shares = [
        (row["balance"] / row["places"], district, year)
        for district in view.areas.shown
        for year, row in view.balance(district, stage).items()
        if row["places"] > 0
    ]
    alt = words("balance.alt_none", **span)
    if shares:
        ends = {"low": min(shares, key=lambda s: s[0]), "high": max(shares, key=lambda s: s[0])}
        fields: dict[str, Any] = {}
        for end, (share, district, year) in ends.items():
            named = {end: view.share(share), f"{end}_area": view.name(district)}
            fields |= {**named, f"{end}_year": year}
        alt = words("balance.alt", **span, **fields)
    return Figure(f"heat_{stage}", caption, alt, partial(_draw, view, stage))


def _draw(view: View, stage: str) -> Drawing:
    named = (stage, view.ledger(stage), view.case)
    axes = plot.heat_map(view.forecast, *named, language=view.words.language)
    drawing = axes.get_figure(root=True)
    assert drawing is not None
    return drawing


def _full(view: View) -> Table:
    """Return every row of the balance."""
    assert view.forecast.balance is not None
    table = view.forecast.balance
    note = view.words("balance.full_note")
    return _long(view, table, FULL, ("balance_all", view.words("balance.full"), note))


def _cells(view: View) -> Table:
    """Return every cell, or those of one plan case where all would be too many."""
    table, words = view.forecast.balance_cells, view.words
    assert table is not None
    note = words("balance.cells_note")
    if len(table) > MOST_CELLS:
        counts = {"rows": view.count(len(table)), "limit": view.count(MOST_CELLS)}
        note = words("balance.cells_cut", case=view.case_name, **counts)
        table = table[table["plan_case"] == view.case]
    return _long(view, table, CELLS, ("balance_cells", words("balance.cells"), note))


def _long(
    view: View, table: pd.DataFrame, names: Sequence[str], named: tuple[str, str, str]
) -> Table:
    key, title, note = named
    lookup = _lookups(view, table)
    columns = []
    for name in names:
        column = table["district" if name == "code" else name]
        if name in lookup:
            columns.append(column.map(lookup[name]).tolist())
        else:
            columns.append(cells(column, counted=FORMS.get(name, "text") not in ("text", "year")))
    return Table(
        key=key,
        title=title,
        columns=tuple(Column(_label(view, name), FORMS.get(name, "text")) for name in names),
        rows=tuple(zip(*columns, strict=True)),
        heads=3,
        sheet=title,
        note=note,
    )


def _lookups(view: View, table: pd.DataFrame) -> Mapping[str, Mapping[Cell, Cell]]:
    """Return the printed name of every value of the columns that have names."""
    words = view.words
    named: dict[str, Mapping[Cell, Cell]] = {
        "district": {d: view.name(d) for d in view.areas.leaves},
        "stage": {s: words.stage(s) for s in table["stage"].unique()},
    }
    for column in ("ledger", "plan_case", "level"):
        if column in table.columns:
            known = (str(value) for value in table[column].unique())
            named[column] = {value: _value(view, column, value) for value in known}
    if "warning" in table.columns:
        levels = table["warning"].dropna().unique()
        named["warning"] = {None: None, **{level: words.warning(level) for level in levels}}
    return named


def _value(view: View, column: str, value: str) -> str:
    if value in values(column):
        return view.words.value(column, value)
    return view.words.column("districts", "district") if column == "level" else value


def _label(view: View, name: str) -> str:
    words = view.words
    if name == "code":
        return words("balance.code")
    if f"column.{name}" in words.texts:
        return words(f"column.{name}")
    if name in ("places", "plan_case"):
        return words.column("scheduled_places", name)
    return words.column("districts" if name == "level" else "demand", name)
