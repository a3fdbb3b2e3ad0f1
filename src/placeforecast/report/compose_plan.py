"""The section that sets the construction plan and the tasks against the need."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from placeforecast import plot
from placeforecast.places.derive import derived_places
from placeforecast.places.funding import TO_COME
from placeforecast.places.supply import STATUSES
from placeforecast.places.tasks import COUNTED, task_projects
from placeforecast.plot.areas import main_ledger
from placeforecast.plot.fonts import left_margin, new_figure, own_style
from placeforecast.report.model import Chart, Column, Figure, Paragraph, Section, Table
from placeforecast.report.view import number
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

TIMELINES = 2
"""Stages whose projects are drawn over the years: those that the plan leaves most short."""


def plan_section(view: View) -> Section:
    """Return plan and need of the whole region, and the tasks."""
    words = view.words
    blocks: list[Block] = []
    if view.forecast.balance is None:
        blocks.append(Paragraph(words("plan.none")))
    else:
        blocks.append(Paragraph(words("plan.text", area=view.name(view.areas.shown[0]))))
        blocks += [_figure(view), _need(view), *_timelines(view)]
    if view.forecast.assumptions.projects is None:
        blocks.append(Paragraph(words("plan.no_projects")))
    tasks = _tasks_of(view)
    if tasks is None:
        blocks.append(Paragraph(words("plan.no_tasks")))
    else:
        compared = view.forecast.tasks
        assert compared is not None  # made wherever there are tasks
        blocks += [_tasks(view, compared), _built(view, tasks, compared)]
    return Section("plan", words("plan.title"), words("plan.sheet"), tuple(blocks))


def _timelines(view: View) -> list[Block]:
    """Return the projects of the stages that the plan leaves most short, beside the need."""
    words, review, top = view.words, view.review, view.areas.shown[0]
    projects = view.forecast.assumptions.projects
    if review is None or projects is None or top is None:
        return []
    rows = review.districts[review.districts["district"] == top]
    judged = [view.ledger(stage) if stage in view.balanced else "" for stage in rows["stage"]]
    rows = rows[rows["ledger"] == judged].sort_values("uncovered", ascending=False, kind="stable")
    blocks: list[Block] = []
    for row in rows.to_dict("records"):
        stage = str(row["stage"])
        count = int(((projects["stage"] == stage) & projects["status"].isin(TO_COME)).sum())
        if not count or len(blocks) == TIMELINES:
            continue
        told = {"area": view.name(top), "stage": words.stage(stage), "count": count}
        caption = words("plan.timeline", **told)
        alt = words("plan.timeline_alt", **told, places=view.count(row["uncovered"]))
        draw = partial(_draw_timeline, view, stage)
        blocks.append(Figure(f"timeline_{stage}", caption, alt, draw))
    return blocks


def _draw_timeline(view: View, stage: str) -> Drawing:
    axes = plot.timeline(
        view.forecast,
        view.areas.shown[0],
        stage,
        view.ledger(stage),
        review=view.review,
        language=view.words.language,
    )
    drawing = axes.get_figure(root=True)
    assert drawing is not None
    return drawing


def _figure(view: View) -> Figure:
    words, top = view.words, view.areas.shown[0]
    items = []
    for stage in view.balanced:
        rows = view.balance(top, stage)
        if not rows:
            continue
        year = max(rows, key=lambda y: (rows[y]["demand"], -y))
        amounts = {name: view.count(rows[year][name]) for name in ("demand", "places")}
        items.append(words("plan.alt_stage", stage=words.stage(stage), year=year, **amounts))
    span = {"first": view.years[0], "last": view.years[-1], "list": view.joined(items)}
    area = view.name(top)
    alt = words("plan.alt", area=area, **span)
    return Figure("plan", words("plan.caption", area=area), alt, partial(_draw, view))


def _draw(view: View) -> Drawing:
    """Draw one small chart per stage, with one legend for all."""
    top = view.areas.shown[0]
    stages = [stage for stage in view.balanced if view.balance(top, stage)]
    rows = (len(stages) + 1) // 2
    with own_style():
        most = max(float(r["places"]) for s in stages for r in view.balance(top, s).values())
        margins = (left_margin(most), 0.1, 0.75, 0.3)
        drawing, grid = new_figure((8.2, 2.35 * rows + 0.6), margins, grid=(rows, 2))
        handles: dict[str, Any] = {}
        for stage, axes in zip(stages, grid, strict=False):
            named = (top, stage, view.ledger(stage))
            language = view.words.language
            plot.balance(view.forecast, *named, ax=axes, language=language, legend=False)
            found = axes.get_legend_handles_labels()
            handles |= dict(zip(found[1], found[0], strict=True))
        for axes in grid[len(stages) :]:
            axes.set_axis_off()
        drawing.legend(
            list(handles.values()),
            list(handles),
            loc="lower center",
            ncols=3,
            frameon=False,
            fontsize=8,
        )
    return drawing


def _need(view: View) -> Table:
    words, top = view.words, view.areas.shown[0]
    rows: list[tuple[Cell, ...]] = []
    charts = []
    for stage in (*view.balanced, *view.combined):
        start = len(rows)
        cases = {case: view.balance(top, stage, case=case) for case in STATUSES}
        judged = view.balance(top, stage)
        for year in view.key_years:
            if year not in judged:
                continue
            places = [
                number(own[year]["places"]) if year in own else None for own in cases.values()
            ]
            row = judged[year]
            ledger = words.value("ledger", view.ledger(stage))
            ends = (number(row["balance"]), number(row["utilisation"]))
            rows.append((words.stage(stage), ledger, year, number(row["demand"]), *places, *ends))
        if stage in view.balanced and len(rows) > start + 1:
            drawn = tuple(range(3, 4 + len(cases)))
            unit, span = words("workbook.places"), (start, len(rows))
            charts.append(Chart("line", 2, drawn, unit, span, title=0))
    columns = (
        Column(words.column("demand", "stage")),
        Column(words.column("demand", "ledger")),
        Column(words.column("demand", "year"), "year"),
        Column(words("guide.demand"), "count"),
        *(Column(words("figure.supply", case=_case(view, case)), "count") for case in STATUSES),
        Column(words("column.balance"), "signed"),
        Column(words("column.utilisation"), "share"),
    )
    fields = {"case": view.case_name, "ledger": words("report.main_ledger")}
    note = words("plan.need_note", **fields)
    named = ("plan", words("plan.need"), columns, tuple(rows))
    return Table(*named, heads=3, note=note, charts=tuple(charts))


def _case(view: View, case: str) -> str:
    return view.words.value("plan_case", case)


def _tasks_of(view: View) -> pd.DataFrame | None:
    used, given = view.forecast.assumptions.tasks, view.forecast.inputs.tasks
    return given if used is None else used


def _projects(view: View) -> pd.DataFrame | None:
    """Return the plan, with the places that its schedule derived from classes or area."""
    assumed = view.forecast.assumptions
    if assumed.projects is None or view.forecast.places is None:
        return assumed.projects
    return derived_places(assumed.projects, assumed.standards)


def _tasks(view: View, compared: pd.DataFrame) -> Table:
    """Return four figures side by side for each task, and for each stage of a combined one."""
    words = view.words
    columns = (
        *_heads(view),
        Column(words("plan.split"), "share"),
        Column(words("plan.task"), "count"),
        Column(words("plan.planned"), "signed"),
        Column(words("plan.delivered"), "signed"),
        Column(words("plan.needed"), "count"),
        Column(words("plan.ahead"), "signed"),
        Column(words("plan.done"), "share"),
    )
    rows = []
    for row in compared.to_dict("records"):
        ordered, delivered = number(row["task"]), number(row["delivered"])
        done = delivered / ordered if ordered and delivered is not None else None
        figures = (number(row[name]) for name in ("planned", "delivered", "needed", "ahead"))
        share = None if row["stage"] == row["of"] else number(row["share"])
        rows.append((*_named(view, row), share, ordered, *figures, done))
    note = words("plan.tasks_note")
    return Table("tasks", words("plan.tasks"), columns, tuple(rows), heads=3, note=note)


def _built(view: View, tasks: pd.DataFrame, compared: pd.DataFrame) -> Table:
    """Return the projects of each task by status, and the need after its period."""
    words = view.words
    projects = _projects(view)
    built = task_projects(tasks, projects, districts=view.forecast.inputs.districts)
    statuses = [words.value("status", status) for status in COUNTED]
    balanced = view.forecast.balance is not None
    case = view.case_name if balanced else _case(view, "planned")
    columns = (
        *_heads(view),
        *(Column(status[:1].upper() + status[1:], "signed") for status in statuses),
        Column(words("plan.after"), "count"),
        Column(words("plan.after_year"), "year"),
        Column(words("plan.after_balance", case=case), "signed"),
    )
    rows = []
    for row in compared.to_dict("records"):
        district, stage = str(row["district"]), str(row["stage"])
        own = built[built["stage"].isin(combined_stages().get(stage, (stage,)))]
        for name in ("district", "of", "year_from", "year_to"):
            own = own[own[name] == row[name]]
        sums = [number(own.loc[own["status"] == status, "places"].sum()) for status in COUNTED]
        known = sums if projects is not None else [None for _ in COUNTED]
        after = _after(view, district, stage, int(row["year_to"]))
        rows.append((*_named(view, row), *known, *after))
    note = words("plan.built_note")
    return Table("tasks_built", words("plan.built"), columns, tuple(rows), heads=3, note=note)


def _heads(view: View) -> tuple[Column, ...]:
    words = view.words
    names = (words.column("tasks", "district"), words.column("tasks", "stage"))
    return tuple(Column(name) for name in (*names, words("plan.period")))


def _named(view: View, row: dict[Any, Any]) -> tuple[Cell, ...]:
    """Return the district, the stage and the period of a task or of a stage of one."""
    words, district = view.words, str(row["district"])
    stage = words.stage(str(row["stage"]))
    return (
        view.name(district) if district in view.areas.leaves else district,
        stage if row["stage"] == row["of"] else words("plan.part", stage=stage),
        words("report.years", first=int(row["year_from"]), last=int(row["year_to"])),
    )


def _after(view: View, district: str, stage: str, until: int) -> tuple[Cell, Cell, Cell]:
    """Return the most that is needed after a year, when, and the balance then."""
    forecast = view.forecast
    if district not in view.areas.leaves:
        return None, None, None
    members = combined_stages().get(stage, (stage,))
    judged = forecast.balance is not None and (forecast.balance["stage"] == stage).any()
    ledger = main_ledger(forecast, stage) if judged else "all"
    rows = forecast.demand[
        forecast.demand["district"].isin(view.areas.leaves[district])
        & forecast.demand["stage"].isin(members)
        & (forecast.demand["ledger"] == ledger)
        & (forecast.demand["year"] > until)
    ]
    if rows.empty:
        return None, None, None
    needed = rows.groupby("year")["demand"].sum()
    year = int(str(needed.idxmax()))
    balance = None
    if judged:
        assert forecast.balance is not None
        at = forecast.balance.query(
            "district == @district and stage == @stage and ledger == @ledger "
            "and plan_case == @view.case and year == @year"
        )
        balance = number(at["balance"].iloc[0]) if len(at) else None
    return number(needed.max()), year, balance
