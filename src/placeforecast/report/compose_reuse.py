"""The section on reuse: idle places that could serve another stage, or smaller classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.rates.standards import standard
from placeforecast.report.model import Column, Paragraph, Section, Table
from placeforecast.report.view import number
from placeforecast.review.conversion import conversion_candidates

if TYPE_CHECKING:
    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

SHOWN = 25
"""Candidates in the text; all of them stand in the workbook."""


def reuse_section(view: View) -> Section:
    """Return what idle places could become, and the class size that would take them up."""
    words = view.words
    if view.forecast.balance is None:
        blocks: list[Block] = [Paragraph(words("balance.none"))]
    else:
        blocks = [Paragraph(words("reuse.text")), *_candidates(view), *_smaller(view)]
    return Section("reuse", words("reuse.title"), words("reuse.sheet"), tuple(blocks))


def _candidates(view: View) -> list[Block]:
    """Return where one stage stands idle while another is short, the largest first."""
    words = view.words
    table = conversion_candidates(view.forecast, case=view.case)
    if table.empty:
        return [Paragraph(words("reuse.none"))]
    # For the order alone: of childcare no demand is forecast, so it comes last, by what is idle.
    size = table["places"].fillna(0.0) * table["years"]
    table = table.assign(size=size, idle=table["idle_from"] * table["years"])
    table = table.sort_values(["size", "idle"], ascending=False, kind="stable")
    columns = (
        Column(words("reuse.from")),
        Column(words("reuse.idle_stage")),
        Column(words("reuse.to")),
        Column(words("reuse.short_stage")),
        Column(words("reuse.years")),
        Column(words("reuse.idle"), "count"),
        Column(words("reuse.short"), "count"),
        Column(words("reuse.places"), "count"),
        Column(words("reuse.throughout"), "count"),
        Column(words("reuse.lasting")),
    )
    rows = tuple(_candidate(view, row) for row in table.to_dict("records"))
    note, title = words("reuse.note", case=view.case_name), words("reuse.candidates")
    shown = words("reuse.shown", shown=min(SHOWN, len(rows)), count=len(rows))
    blocks: list[Block] = [
        Table("reuse", f"{title}{shown}", columns, rows[:SHOWN], heads=4, note=note)
    ]
    if len(rows) > SHOWN:
        sheet = words("reuse.candidates_sheet")
        blocks.append(Table("reuse_all", title, columns, rows, heads=4, sheet=sheet, note=note))
    return blocks


def _candidate(view: View, row: dict[object, object]) -> tuple[Cell, ...]:
    words = view.words
    lasting = words("reuse.lasts") if row["lasting"] else words("reuse.ends")
    to_stage = str(row["to_stage"])
    return (
        view.printed(str(row["district"])),
        words.stage(str(row["from_stage"])),
        view.printed(str(row["to_district"])),
        words.texts.get(f"reuse.{to_stage}") or words.stage(to_stage),
        words("report.years", first=row["year_from"], last=row["year_to"]),
        number(row["idle_from"]),
        number(row["short_to"]),
        number(row["places"]),
        number(row["places_throughout"]),
        lasting,
    )


def _smaller(view: View) -> list[Block]:
    """Return the class size at which demand would just fill the places of the region."""
    words, top = view.words, view.areas.shown[0]
    rows: list[tuple[Cell, ...]] = []
    for stage in view.balanced:
        cells = pd.DataFrame({"stage": [stage], "year": [view.years[0]], "district": [top]})
        usual = standard(view.forecast.assumptions.standards, "class_size", cells).iloc[0]
        by_year = view.balance(top, stage)
        if pd.isna(usual) or not by_year:
            continue
        sizes: list[Cell] = []
        for year in view.key_years:
            row = by_year.get(year)
            full = row is None or not row["places"] > 0
            sizes.append(None if full else number(usual * row["demand"] / row["places"]))  # type: ignore[index]
        rows.append((words.stage(stage), number(usual), *sizes))
    title = words("reuse.smaller", area=view.name(top))
    if not rows:
        return [Paragraph(words("special.none", title=title, file="standards"))]
    columns = (
        Column(words.column("demand", "stage")),
        Column(words("reuse.usual"), "count"),
        *(Column(str(year), "count") for year in view.key_years),
    )
    note = words("reuse.smaller_note", case=view.case_name)
    return [Table("smaller", title, columns, tuple(rows), note=note)]
