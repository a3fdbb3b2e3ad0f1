"""The section on change: scenarios beside the baseline, and what has moved since the last round."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast import plot
from placeforecast.attribution.scenarios import (
    attribute_scenarios,
    compare_scenarios,
    scenarios_of,
)
from placeforecast.attribution.tornado import OPERATIONS
from placeforecast.plot.waterfalls import NOTHING
from placeforecast.report.compose_moved import (
    accuracy_blocks,
    of_region,
    since_blocks,
    steps_table,
    with_sign,
)
from placeforecast.report.model import Column, Figure, Paragraph, Section, Table
from placeforecast.report.view import number
from placeforecast.scenarios.adjust import BASELINE, NUMERIC
from placeforecast.scenarios.choose import changes_of, names_of
from placeforecast.tables.records import VOCABULARY_NAME
from placeforecast.tables.vocabulary import vocabulary

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

MOST_EXPLAINED = 4
"""With more scenarios than these, only some are explained: each takes seconds."""
EXPLAINED = 2
PLAIN = ("table", "column", *OPERATIONS, "after")
"""Columns of a change that do not say which rows it is of."""


def change_section(view: View) -> Section:
    """Return what would be otherwise in each scenario, and what has moved since the last round."""
    words = view.words
    blocks: list[Block] = [
        Paragraph(words("change.text")),
        *_scenarios(view),
        *accuracy_blocks(view),
        *since_blocks(view),
    ]
    return Section("change", words("change.title"), words("change.sheet"), tuple(blocks))


def _scenarios(view: View) -> list[Block]:
    """Return the scenarios, side by side and explained, or how to ask for some."""
    words, whole = view.words, view.whole
    if whole is None or whole.scenarios is None:
        return [Paragraph(words("change.no_scenarios"))]
    blocks: list[Block] = [_definitions(view, whole)]
    if set(scenarios_of(whole)) == {BASELINE}:
        return [*blocks, Paragraph(words("change.no_scenarios"))]
    if whole.balance is None:
        return [*blocks, Paragraph(words("balance.none"))]
    compared = _compared(view, whole)
    moved = compared[compared["change"].abs() > NOTHING]
    pairs = pd.MultiIndex.from_frame(compared[["stage", "scenario"]])
    others = compared[pairs.isin(pd.MultiIndex.from_frame(moved[["stage", "scenario"]]))]
    shown = compared[(compared["scenario"] == BASELINE) | compared.index.isin(others.index)]
    if moved.empty:
        return [*blocks, _balances(view, shown), Paragraph(words("change.unmoved"))]
    return [
        *blocks,
        _figure(view, whole, moved),
        _balances(view, shown),
        _changes(view, others),
        *_explained(view, whole, moved),
    ]


def _definitions(view: View, whole: Forecast) -> Table:
    """Return every change of every scenario, in words."""
    words = view.words
    assert whole.scenarios is not None
    rows: list[tuple[Cell, ...]] = []
    for name in names_of(whole.scenarios):
        for row in changes_of(whole.scenarios, name).to_dict("records"):
            given = {str(k): v for k, v in row.items() if not (pd.isna(v) or v == "")}
            rows.append((words.scenario(name), *_told(view, whole, given)))
    columns = tuple(
        Column(words.column("scenarios", name) if name in PLAIN else words(f"change.{name}"))
        for name in ("scenario_name", "table", "column", "where", "operation", "source")
    )
    note = words("change.definitions_note")
    return Table("definitions", words("change.definitions"), columns, tuple(rows), note=note)


def _told(view: View, whole: Forecast, row: dict[str, Any]) -> tuple[Cell, ...]:
    """Return a change in words: table, column, which rows, what is done to them, and its source."""
    words, table = view.words, str(row["table"])
    called = VOCABULARY_NAME.get(table, table)
    known = {c.name: c for c in vocabulary()["scenarios"].columns}
    keys = [name for name in vocabulary()["scenarios"].keys if name in row and name not in PLAIN]
    where = [
        words(
            "change.key",
            column=words.column("scenarios", name),
            value=_value(view, name, row[name], known[name].values),
        )
        for name in keys
        if name != "scenario"
    ]
    done = [form.format(_plain(row[name])) for name, form in OPERATIONS.items() if name in row]
    cited = [str(row[name]) for name in ("source", "confidence") if name in row]
    return (
        words.table(table),
        words.column(called, _column(whole, table, row)),
        view.joined(where) or words("change.everywhere"),
        view.joined(done),
        view.joined(cited) or None,
    )


def _column(whole: Forecast, table: str, row: dict[str, Any]) -> str:
    """Return the column that a change is made to: the one named, else the only one with values."""
    if "column" in row:
        return str(row["column"])
    there = getattr(whole.assumptions, table).columns
    return next(
        c.name
        for c in vocabulary()[VOCABULARY_NAME.get(table, table)].columns
        if c.kind in NUMERIC and c.role in ("value", "either") and c.name in there
    )


def _value(view: View, key: str, value: object, listed: str) -> str:
    """Return the printed name of a value of a key."""
    if key == "district":
        return view.printed(str(value))
    if key == "stage":
        return view.words.stage(str(value))
    if listed and not listed.startswith("*"):
        return view.words.value(listed, str(value))
    return str(_plain(value))


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of the table of scenarios
    """Return a number as it is, or a text that is one as a number without trailing zeros."""
    try:
        plain = float(value)
    except ValueError:
        return value
    return int(plain) if plain.is_integer() else plain


def _compared(view: View, whole: Forecast) -> pd.DataFrame:
    """Return balance and change of the region by stage, scenario and year."""
    top = view.areas.shown[0]
    parts = []
    for stage in view.balanced:
        cell = {"district": top, "stage": stage, "ledger": view.ledger(stage), "case": view.case}
        table = compare_scenarios(whole, **cell)  # type: ignore[arg-type]
        parts.append(of_region(view, table, ["stage", "scenario", "year"]))
    return pd.concat(parts, ignore_index=True)


def _by_year(view: View, table: pd.DataFrame, figure: str) -> tuple[tuple[Cell, ...], ...]:
    """Return a figure of each stage and scenario in the years of a compact table."""
    rows: list[tuple[Cell, ...]] = []
    for (stage, scenario), part in table.groupby(["stage", "scenario"], sort=False):
        by_year = dict(zip(part["year"], part[figure], strict=True))
        told = (number(by_year.get(year)) for year in view.key_years)
        rows.append((view.words.stage(str(stage)), view.words.scenario(str(scenario)), *told))
    return tuple(rows)


def _columns(view: View) -> tuple[Column, ...]:
    return (
        Column(view.words.column("demand", "stage")),
        Column(view.words("change.scenario_name")),
        *(Column(str(year), "signed") for year in view.key_years),
    )


def _balances(view: View, compared: pd.DataFrame) -> Table:
    words = view.words
    title = words("change.balances", area=view.name(view.areas.shown[0]))
    note = words("change.balances_note", case=view.case_name, ledger=words("report.main_ledger"))
    rows = _by_year(view, compared, "balance")
    return Table("scenarios", title, _columns(view), rows, heads=2, note=note)


def _changes(view: View, others: pd.DataFrame) -> Table:
    """Return the change against the baseline of the stages that a scenario moves."""
    words = view.words
    title = words("change.against", area=view.name(view.areas.shown[0]))
    rows, note = _by_year(view, others, "change"), words("change.against_note")
    return Table("scenario_changes", title, _columns(view), rows, heads=2, note=note)


def _most(moved: pd.DataFrame) -> dict[str, Any]:
    """Return the row with the largest change."""
    row = moved.iloc[int(moved["change"].abs().to_numpy().argmax())]
    return {str(name): value for name, value in row.items()}


def _figure(view: View, whole: Forecast, moved: pd.DataFrame) -> Figure:
    """Return the figure of the stage that moves most."""
    words, area, most = view.words, view.name(view.areas.shown[0]), _most(moved)
    stage = str(most["stage"])
    told = []
    for name, rows in moved[moved["stage"] == stage].groupby("scenario", sort=False):
        own = _most(rows)
        named = {"scenario": words.scenario(str(name)), "year": own["year"]}
        figures = {"change": with_sign(view, own["change"]), "balance": view.count(own["balance"])}
        told.append(words("change.alt_scenario", **named, **figures))
    span = {"first": view.years[0], "last": view.years[-1], "list": view.joined(told)}
    named = {"area": area, "stage": words.stage(stage)}
    caption = words(
        "change.caption",
        **named,
        scenario=words.scenario(str(most["scenario"])),
        year=most["year"],
        change=with_sign(view, most["change"]),
    )
    alt = words("change.alt", **named, **span)
    return Figure("scenarios", caption, alt, partial(_draw, view, whole, stage))


def _draw(view: View, whole: Forecast, stage: str) -> Drawing:
    cell = (view.areas.shown[0], stage, view.ledger(stage))
    axes = plot.scenarios(whole, *cell, language=view.words.language)
    drawing = axes.get_figure(root=True)
    assert drawing is not None  # axes of a new figure
    return drawing


def _explained(view: View, whole: Forecast, moved: pd.DataFrame) -> list[Block]:
    """Return why the balance differs, where each scenario moves it most."""
    words, top = view.words, view.areas.shown[0]
    by_name = {str(name): rows for name, rows in moved.groupby("scenario", sort=False)}
    most = [_most(by_name[name]) for name in scenarios_of(whole) if name in by_name]
    blocks: list[Block] = []
    if len(most) > MOST_EXPLAINED:
        largest = sorted(most, key=lambda row: -abs(row["change"]))[:EXPLAINED]
        blocks.append(Paragraph(words("change.some", count=len(most), shown=EXPLAINED)))
        most = [row for row in most if row in largest]
    parts = []
    for row in most:
        name, stage, year = str(row["scenario"]), str(row["stage"]), int(row["year"])
        cell = {"district": top, "stage": stage, "ledger": view.ledger(stage), "case": view.case}
        steps = attribute_scenarios(whole, b=name, year=year, **cell)  # type: ignore[arg-type]
        steps = of_region(view, steps[steps["value"] == "balance"], ["step"])
        parts.append(((words.scenario(name), words.stage(stage), year), steps))
    heads = [words("change.scenario_name"), words.column("demand", "stage")]
    heads.append(words.column("demand", "year"))
    title = words("change.why", area=view.name(top))
    named = ("why", title, words("change.why_note"))
    ends = (words.scenario(BASELINE), words("change.in_scenario"))
    return [*blocks, steps_table(view, named, heads, parts, ends)]
