"""The section on means: classes, rooms and staff, land, and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placeforecast.places.judged import judged
from placeforecast.report.model import Paragraph, Section
from placeforecast.report.topics import MOST_ROWS, Topic, listed, topic_blocks
from placeforecast.tables.districts import members

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.report.model import Block
    from placeforecast.report.view import View

LAND = Topic("land", "projects", "means")
NEEDED = ["pupils", "classes", "rooms", "staff"]
MONEY = 1e4
"""Yuan in a unit of the report: 10,000."""
YUAN = (
    *("capital", "capital_cap", "capital_unfunded"),
    *("recurrent", "recurrent_cap", "recurrent_unfunded"),
)


def means_section(view: View) -> Section:
    """Return what pupils and plan ask for in staff, land and money, beside what there is."""
    words = view.words
    blocks: list[Block] = [
        Paragraph(words("means.text")),
        *_rooms(view),
        *_staffing(view),
        *topic_blocks(view, LAND),
        *_money(view),
    ]
    return Section("means", words("means.title"), words("means.sheet"), tuple(blocks))


def _rooms(view: View) -> list[Block]:
    """Return classes, rooms and staff of the whole region, by stage and in some years."""
    words, rooms, top = view.words, view.forecast.rooms, view.areas.shown[0]
    title = words("means.rooms", area=view.name(top))
    if rooms is None:
        return [Paragraph(words("special.none", title=title, file="standards"))]
    tree = view.forecast.inputs.districts
    if tree is not None and top is not None:
        rooms = rooms[rooms["district"].isin(members(tree)[top])]
    rooms = judged(rooms[rooms["year"].isin(view.key_years)])
    summed = rooms.groupby(["stage", "year"], sort=False)[NEEDED].sum(skipna=False).reset_index()
    return [listed(view, summed, ("rooms", title, words("means.rooms_note")))]


def _staffing(view: View) -> list[Block]:
    """Return staff beside posts, of the region and its units, in the years that have posts."""
    words, table = view.words, view.forecast.staffing
    title, note = words("means.staffing"), words("means.staffing_note")
    if table is None:
        return [Paragraph(words("special.none", title=title, file="posts"))]
    table = table[table["posts_cap"].notna()].drop(columns=["scenario", "level"])
    if table.empty:
        return [Paragraph(words("special.empty", title=title))]
    if len(table) <= MOST_ROWS:
        return [listed(view, table, ("staffing", title, note))]
    part = table[table["year"].isin([*view.key_years, int(table["year"].max())])]
    if len(part) > MOST_ROWS:
        part = table[table["district"] == view.areas.shown[0]]
    excerpt, sheet = words("special.excerpt", title=title), words("means.staffing_sheet")
    blocks: list[Block] = []
    if len(part):
        blocks.append(listed(view, part, ("staffing", excerpt, note)))
    return [*blocks, listed(view, table, ("staffing_all", title, note), sheet=sheet)]


def _money(view: View) -> list[Block]:
    """Return what plan and pupils cost beside the budget, in units of 10,000 yuan."""
    words, table = view.words, view.forecast.funding
    title = words("means.funding")
    if table is None:
        return [Paragraph(words("special.none", title=title, file="budget"))]
    table = table.drop(columns=["scenario", "level", "estimated"])
    table = table[table["capital_cap"].notna() | (table["capital"] > 0)]
    if table.empty:
        return [Paragraph(words("special.empty", title=title))]
    scaled: dict[str, pd.Series[float]] = {name: table[name] / MONEY for name in YUAN}
    return [listed(view, table.assign(**scaled), ("funding", title, words("means.funding_note")))]
