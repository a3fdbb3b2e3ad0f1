"""The section on capacity and warnings: places that stand, entry grades, levels of warning."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast import plot
from placeforecast.report.model import Column, Figure, Paragraph, Section, Table
from placeforecast.report.topics import QUIET
from placeforecast.report.view import number
from placeforecast.tables.districts import members
from placeforecast.tables.grades import is_entry, resolve_grades

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure as Drawing

    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

EXISTING = "existing"
CERTAIN = 0.9995
"""A chance that is printed as 100.0 %."""


def capacity_section(view: View) -> Section:
    """Return places that stand beside what fills them, entry grades and warnings."""
    words = view.words
    if view.forecast.balance is None:
        blocks: list[Block] = [Paragraph(words("balance.none"))]
    else:
        blocks = [Paragraph(words("capacity.text")), _standing(view)]
        blocks += [*_class_sizes(view), *_entry(view), *_warned(view)]
    return Section("capacity", words("capacity.title"), words("capacity.sheet"), tuple(blocks))


def _standing(view: View) -> Table:
    """Return the launch year by stage: places, pupils, hidden shortage and staffed places."""
    words, top, launch = view.words, view.areas.shown[0], view.years[0]
    hidden, staffed = _hidden(view, top), _staffed(view, top)
    rows: list[tuple[Cell, ...]] = []
    for stage in view.balanced:
        own = view.balance(top, stage, case=EXISTING).get(launch)
        if own is None:
            continue
        rows.append(
            (
                words.stage(stage),
                words.value("ledger", view.ledger(stage)),
                number(own["places"]),
                number(own["pupils"]),
                number(own["utilisation"]),
                number(own["cell_shortfall"]),
                number(own["cell_surplus"]),
                number(hidden.get(stage)),
                number(staffed.get(stage)),
            )
        )
    columns = (
        Column(words.column("demand", "stage")),
        Column(words.column("demand", "ledger")),
        Column(words.column("places", "places"), "count"),
        Column(words.column("pupils", "pupils"), "count"),
        Column(words("column.utilisation"), "share"),
        Column(words("column.cell_shortfall"), "count"),
        Column(words("column.cell_surplus"), "count"),
        Column(words("column.hidden_shortage"), "count"),
        Column(words("column.staffed_places"), "count"),
    )
    title = words("capacity.standing", year=launch, area=view.name(top))
    return Table("standing", title, columns, tuple(rows), heads=2, note=words("capacity.note"))


def _hidden(view: View, top: str | None) -> dict[str, float]:
    """Return pupils above the standard class size in the launch year, by stage."""
    table = view.forecast.hidden_shortage
    if table is None:
        return {}
    now = _below(view, table[table["year"] == view.years[0]], top)
    return {str(s): float(n) for s, n in now.groupby("stage")["hidden_shortage"].sum().items()}


def _staffed(view: View, top: str | None) -> dict[str, float]:
    """Return the places that posts can staff in the launch year, where they cover the region."""
    table = view.forecast.staffing
    if table is None:
        return {}
    now = table[table["year"] == view.years[0]]
    whole = now[now["district"] == top]
    leaves = sorted(_leaves(view, top))
    found = {}
    for stage, own in now.groupby("stage"):
        covered = [leaf for name in own["district"] for leaf in _leaves(view, str(name))]
        rows = whole[whole["stage"] == stage]
        if len(rows):
            found[str(stage)] = float(rows["staffed_places"].iloc[0])
        elif sorted(covered) == leaves:  # each once: posts of two levels are not added up
            found[str(stage)] = float(own["staffed_places"].sum(skipna=False))
    return found


def _leaves(view: View, district: str | None) -> list[str]:
    tree = view.forecast.inputs.districts
    if tree is None:
        return sorted(set(view.forecast.demand["district"])) if district is None else [district]
    return members(tree)[district] if district is not None else list(view.areas.leaves)


def _below(view: View, table: pd.DataFrame, top: str | None) -> pd.DataFrame:
    """Return the rows of the districts that data stand on, below one."""
    return table[table["district"].isin(_leaves(view, top))]


def _class_sizes(view: View) -> list[Block]:
    """Return the figure of class sizes, where the region has counted them by the launch."""
    words, sizes = view.words, view.forecast.inputs.class_sizes
    title = words("capacity.class_sizes")
    counted = None if sizes is None else sizes[sizes["year"] <= view.years[0]]
    if counted is None or counted.empty:
        return [Paragraph(words("special.none", title=title, file="class_sizes"))]
    year, area = int(counted["year"].max()), view.name(view.areas.shown[0])
    now = counted[counted["year"] == year]
    large = now.groupby("stage")["classes"].sum()
    listed = view.joined([f"{words.stage(str(s))} {view.count(n)}" for s, n in large.items()])
    caption = words("capacity.class_caption", area=area, year=year)
    alt = words("capacity.class_alt", area=area, year=year, list=listed)
    return [Figure("class_sizes", caption, alt, partial(_draw_sizes, view, counted, year))]


def _draw_sizes(view: View, sizes: pd.DataFrame, year: int) -> Drawing:
    inputs = view.forecast.inputs
    axes = plot.class_sizes(
        sizes,
        view.areas.shown[0],
        year,
        standards=view.forecast.assumptions.standards,
        districts=inputs.districts,
        grades=inputs.grades,
        language=view.words.language,
    )
    drawing = axes.get_figure(root=True)
    assert drawing is not None
    return drawing


def _entry(view: View) -> Iterator[Block]:
    """Yield the balance of the entry grades, right below the region."""
    words, cells = view.words, view.forecast.balance_cells
    assert cells is not None  # made with the balance
    system = resolve_grades(view.forecast.inputs.grades)
    lowest = system.sort_values("position").groupby("stage", sort=False).first()
    entries = {
        str(row["grade"])
        for row in system.to_dict("records")
        if row["duration"] == 1 and (is_entry(row) or row["grade"] in set(lowest["grade"]))
    }
    own = cells[(cells["plan_case"] == view.case) & cells["grade"].isin(entries)]
    own = own[own["year"].isin(view.key_years)]
    rows: list[tuple[Cell, ...]] = []
    for district in view.areas.shown:
        leaves = _leaves(view, district)
        for stage in view.balanced:
            mine = own[own["district"].isin(leaves) & (own["stage"] == stage)]
            mine = mine[mine["ledger"] == view.ledger(stage)]
            for grade, part in mine.groupby("grade", sort=False):
                short = (-part["balance"]).clip(lower=0).groupby(part["year"]).sum()
                net = part.groupby("year")["balance"].sum()
                if not (short > 0).any():
                    continue
                values = [number(net.get(year)) for year in view.key_years]
                rows.append((view.name(district), words.stage(stage), str(grade), *values))
    title = words("capacity.entry")
    if not rows:
        yield Paragraph(words("capacity.entry_none"))
        return
    columns = (
        Column(words.column("districts", "district")),
        Column(words.column("demand", "stage")),
        Column(words.column("pupils", "grade")),
        *(Column(str(year), "signed") for year in view.key_years),
    )
    yield Table("entry", title, columns, tuple(rows), heads=3, note=words("capacity.entry_note"))


def _warned(view: View) -> list[Block]:
    """Return the levels of warning right below the region, each with its chance."""
    words = view.words
    rows: list[tuple[Cell, ...]] = []
    # A level is one of a district: all of them together have none.
    for district in [name for name in view.areas.shown if name is not None]:
        for stage in view.balanced:
            by_year = view.balance(district, stage)
            own = [by_year.get(year) for year in view.key_years]
            levels = [QUIET if row is None else str(row["warning"]) for row in own]
            if all(level == QUIET for level in levels):
                continue
            told = [None if row is None else _level(view, row) for row in own]
            rows.append((view.name(district), words.stage(stage), *told))
    if not rows:
        return [Paragraph(words("capacity.warned_none"))]
    columns = (
        Column(words.column("districts", "district")),
        Column(words.column("demand", "stage")),
        *(Column(str(year)) for year in view.key_years),
    )
    note = words("capacity.warned_note")
    title = words("capacity.warned")
    return [Table("warned", title, columns, tuple(rows), heads=2, note=note)]


def _level(view: View, row: object) -> str:
    """Return a level of warning with how full it is and, where it is not certain, how sure."""
    assert isinstance(row, dict)
    level = view.words.warning(str(row["warning"]))
    if pd.isna(row["utilisation"]):
        return level
    used = view.share(row["utilisation"])
    chance = row.get("chance_of_warning")
    if chance is None or pd.isna(chance) or chance >= CERTAIN:
        return view.words("capacity.level", level=level, used=used)
    return view.words("capacity.level_sure", level=level, used=used, chance=view.share(chance))
