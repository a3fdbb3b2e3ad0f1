"""What has moved: how past rounds did, and what leads from the last round to this forecast."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast import plot
from placeforecast.attribution.waterfall import STEPS
from placeforecast.plot.waterfalls import NOTHING
from placeforecast.report.model import Column, Figure, Paragraph, Table
from placeforecast.report.view import number
from placeforecast.rounds.compare import compare_rounds
from placeforecast.scenarios.adjust import BASELINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.figure import Figure as Drawing

    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View
    from placeforecast.rounds.read import Round

AHEAD = 5
"""The change since the last round is told for this many years after the launch, or fewer."""
VALUES = ("balance", "demand")
LEDGERS = ("public", "all")


def accuracy_blocks(view: View) -> list[Block]:
    """Return how past rounds did by stage and lead, or what would tell it."""
    words, past = view.words, view.forecast.inputs.past_rounds
    if past is None or past.empty:
        return [Paragraph(words("change.no_past"))]
    error = past["forecast"] - past["actual"]
    own = past.assign(
        lead=past["year"] - past["launch_year"],
        error=error,
        size=error.abs(),
        ape=error.abs() / past["actual"].where(past["actual"] > 0),
    )
    rows: list[tuple[Cell, ...]] = []
    for (stage, lead), part in own.groupby(["stage", "lead"], sort=True):
        came = part["actual"].sum()
        sums = [part[name].sum() / came if came > 0 else None for name in ("size", "error")]
        rounds = int(part["launch_year"].nunique())
        measured = (part["ape"].mean(), *sums)
        named = (view.words.stage(str(stage)), int(str(lead)))
        rows.append((*named, rounds, len(part), *(number(value) for value in measured)))
    order = [words.stage(stage) for stage in view.stages]
    rows.sort(key=lambda row: order.index(str(row[0])) if row[0] in order else len(order))
    columns = (
        Column(words.column("demand", "stage")),
        Column(words("sure.lead"), "count"),
        Column(words("change.rounds"), "count"),
        Column(words("change.compared"), "count"),
        Column(words("change.mape"), "share"),
        Column(words("change.wape"), "share"),
        Column(words("change.bias"), "share"),
    )
    note = words("change.past_note")
    return [Table("past", words("change.past"), columns, tuple(rows), heads=2, note=note)]


def since_blocks(view: View) -> list[Block]:
    """Return what has moved since the last round and why, or how it can be told."""
    words, forecast, before = view.words, view.forecast, view.before
    if before is None:
        return [Paragraph(words("change.no_before"))]
    scenario = str(forecast.stages["scenario"].iloc[0])
    if scenario != BASELINE:
        return [Paragraph(words("change.no_baseline", scenario=words.scenario(scenario)))]
    year = min(before.last_year, forecast.last_year, forecast.launch_year + AHEAD)
    if year < forecast.launch_year:
        return [Paragraph(words("change.too_short", last=before.last_year, first=view.years[0]))]
    steps = _since(view, before, year)
    figures = {
        (str(value), str(stage)): rows
        for (value, stage), rows in steps.groupby(["value", "stage"], sort=False)
    }
    shown = [(v, s) for v in VALUES for s in view.stages if (v, s) in figures]
    parts = [((words.stage(s), _name(view, v)), figures[v, s]) for v, s in shown]
    launches = {"before": before.launch_year, "launch": forecast.launch_year}
    title = words("change.since", area=view.name(view.areas.shown[0]), year=year, **launches)
    heads = [words.column("demand", "stage"), words("change.figure")]
    ends = [words(f"change.{name}", **launches) for name in ("last_round", "this_round")]
    named = ("since", title, words("change.since_note", ledger=words("report.main_ledger")))
    blocks: list[Block] = [steps_table(view, named, heads, parts, ends)]
    first = [figures[v, s] for v, s in shown if v == shown[0][0]]
    moved = max(first, key=lambda rows: abs(_moved(rows)))
    if abs(_moved(moved)) > NOTHING:
        blocks.insert(0, _waterfall(view, moved, launches))
    return blocks


def _since(view: View, before: Round, year: int) -> pd.DataFrame:
    """Return the steps of the region in one year, each stage by the ledger that it is judged by."""
    forecast, top = view.forecast, view.areas.shown[0]
    table = before.results["stages"]
    mine, theirs = (
        set(zip(t["stage"], t["ledger"], strict=True)) for t in (forecast.stages, table)
    )
    groups: dict[str, list[str]] = {}
    for stage in view.stages:
        ledgers = (view.ledger(stage), *LEDGERS) if stage in view.balanced else LEDGERS
        shared = [name for name in ledgers if (stage, name) in mine & theirs]
        groups.setdefault(shared[0] if shared else LEDGERS[-1], []).append(stage)
    case = "planned" if forecast.balance is None else view.case
    parts = []
    for ledger, stages in groups.items():
        only = stages[0] if len(stages) == 1 else None
        cell = {"district": top, "stage": only, "year": year, "ledger": ledger, "case": case}
        steps = compare_rounds(before, forecast, **cell, quick=True)  # type: ignore[arg-type]
        parts.append(steps[steps["stage"].isin(stages)])
    steps = of_region(view, pd.concat(parts), ["value", "stage", "ledger", "step"])
    return steps.assign(year=year)


def of_region(view: View, table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the district on top, or the sums of the highest ones, by these keys."""
    top = view.areas.shown[0]
    own = table[table["district"].isin(view.areas.units if top is None else [top])]
    sums = [n for n in ("from", "change", "to", "balance") if n in own.columns]
    return own.groupby(list(keys), sort=False)[sums].sum(min_count=1).reset_index()


def steps_table(
    view: View,
    named: tuple[str, str, str],
    heads: Sequence[str],
    parts: Sequence[tuple[tuple[Cell, ...], pd.DataFrame]],
    ends: Iterable[str],
) -> Table:
    """Return the steps of several figures, a row each; drivers that move none are left out.

    Parameters
    ----------
    view : View
    named : tuple of str
        Key, title and note.
    heads : sequence of str
        Labels of what names a row.
    parts : sequence of tuple
        The cells that name a row, and its steps.
    ends : iterable of str
        Labels of the first and the last figure.
    """
    words = view.words
    drivers = [d for d in STEPS if any(abs(_changes(steps)[d]) > NOTHING for _, steps in parts)]
    rows = tuple(
        (
            *cells,
            number(steps["from"].iloc[0]),
            *(number(_changes(steps)[driver]) for driver in drivers),
            number(steps["to"].iloc[-1]),
        )
        for cells, steps in parts
    )
    start, end = ends
    labels = (start, *(words.driver(driver) for driver in drivers), end)
    columns = (
        *(
            Column(label, "year" if parts and isinstance(parts[0][0][i], int) else "text")
            for i, label in enumerate(heads)
        ),
        *(Column(label, "signed") for label in labels),
    )
    key, title, note = named
    return Table(key, title, columns, rows, heads=len(heads), note=note)


def _changes(steps: pd.DataFrame) -> Mapping[str, float]:
    return dict(zip(steps["step"], steps["change"], strict=True))


def _name(view: View, value: str) -> str:
    words = view.words
    return words("column.balance") if value == "balance" else words.column("demand", value)


def _moved(steps: pd.DataFrame) -> float:
    return float(steps["to"].iloc[-1] - steps["from"].iloc[0])


def _waterfall(view: View, steps: pd.DataFrame, launches: Mapping[str, int]) -> Figure:
    """Return the figure of the stage that has moved most."""
    words, area = view.words, view.name(view.areas.shown[0])
    stage, value, year = (str(steps[name].iloc[0]) for name in ("stage", "value", "year"))
    named = {"area": area, "stage": words.stage(stage), "value": words(f"waterfall.{value}")}
    told = [
        words("change.step", driver=words.driver(driver), change=with_sign(view, change))
        for driver, change in _changes(steps).items()
        if abs(change) > NOTHING
    ]
    start, end = (view.count(x) for x in (steps["from"].iloc[0], steps["to"].iloc[-1]))
    caption = words("change.since_caption", year=year, **named, **launches)
    alt = words(
        "change.since_alt", year=year, start=start, end=end, list=view.joined(told), **named
    )
    return Figure("since", caption, alt, partial(_draw, view, steps.assign(district=area)))


def _draw(view: View, steps: pd.DataFrame) -> Drawing:
    first = steps.iloc[0]
    cell = (str(first["district"]), str(first["stage"]), int(first["year"]), str(first["value"]))
    axes = plot.waterfall(steps, *cell, language=view.words.language)
    drawing = axes.get_figure(root=True)
    assert drawing is not None  # axes of a new figure
    return drawing


def with_sign(view: View, change: float) -> str:
    """Return a change as it is printed, with a plus where it is one."""
    told = view.count(change)
    return f"+{told}" if change > 0 and told != "0" else told
