"""How a table stands on a printed page: its size of type, which way the page lies, its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

from placeforecast.report.numbers import printed
from placeforecast.report.typeface import ems, on_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.report.model import Table

PAGE = (595.28, 841.89)
"""A4 in points."""
MARGINS = (51.0, 62.0, 54.0)
"""Left and right, above, below, in points."""
INSET = 4.5
"""Room on either side of a cell, in points."""
MOST_COLUMNS = 12
"""A table with more stands on a page that lies on its side."""
SIZES = (9.0, 8.0, 7.5, 7.0)
"""Of type, in points; the largest is taken that leaves every column what it needs."""
SMALLEST = 4.0
"""Points; a table that would need smaller type is refused."""
LONG_WORD = 24
"""A longer word may be broken anywhere."""
WORD = r"[^\s\u2e80-\U0010ffff]"
"""A character that no line breaks after; between Chinese ones it may."""
LEAST, SHORT, HEAD_LINES = 6.0, 4.0, 3
"""Ems that a column gets if its cells, or its heading, can use them; lines of a heading."""
SPARE = 1.02
"""For what shaping adds."""
LOOSE = 2.5
"""Ems that a column gets at most beyond what it needs."""
LINE, ROW = 1.3, 4.0
"""Height of a line in ems, and of what stands above and below a row in points."""
LOW, TALL = 260.0, 600.0
"""Points; a lower table stays on one page, and a row stays whole unless it is higher than this."""
HALVINGS = 40
"""Steps of a bisection."""


@dataclass(frozen=True)
class Setting:
    """How a table is set: in points, and whether it, and its rows, may run on over a page break."""

    size: float
    flipped: bool
    widths: tuple[float, ...]
    breaks: bool
    rows_break: bool


@dataclass(frozen=True)
class Need:
    """What a column needs: at least, for its cells and its heading on one line; in ems.

    `broken` is how much text there is in cells that do not fit into the least width.
    """

    least: float
    cells: float
    heading: float
    broken: float


def text_width(*, flipped: bool) -> float:
    """Return how wide the text of a page is, in points."""
    return PAGE[1 if flipped else 0] - 2 * MARGINS[0]


def set_table(table: Table) -> Setting:
    """Return how a table is set, so that no word or number reaches over the edge of its cell.

    Raises
    ------
    ValueError
        If a page on its side, in the smallest type, is too narrow for it.

    Examples
    --------
    >>> from placeforecast.report.columns import set_table
    >>> from placeforecast.report.model import Column, Table
    >>> short = Table("key", "title", (Column("Year", "year"),) * 3, ((2025, 2026, 2027),))
    >>> set_table(short).size, set_table(short).flipped
    (9.0, False)
    """
    texts = [_texts(table, at) for at in range(len(table.columns))]
    needs = [_need(on_one_line(c.label), own) for c, own in zip(table.columns, texts, strict=True)]
    insets = len(needs) * 2 * INSET
    least = sum(need.least for need in needs)
    ways = [(flipped, size) for flipped in (False, True) for size in SIZES]
    if len(needs) > MOST_COLUMNS:
        ways = [way for way in ways if way[0]]
    fitting = [way for way in ways if insets + least * way[1] <= text_width(flipped=way[0])]
    flipped, size = fitting[0] if fitting else (True, (text_width(flipped=True) - insets) / least)
    if size < SMALLEST:
        raise ValueError(f"table {table.key} with {len(needs)} columns is too wide for a page")
    widths = _shared(needs, (text_width(flipped=flipped) - insets) / size)
    heights = [_height(row, widths) * size + ROW for row in zip(*texts, strict=True)]
    return Setting(
        size=round(size, 2),
        flipped=flipped,
        widths=tuple(round(width * size + 2 * INSET, 2) for width in widths),
        breaks=sum(heights) > LOW,
        rows_break=max(heights, default=0.0) > TALL,
    )


def _height(row: Sequence[str], widths: Sequence[float]) -> float:
    """Return about how high a row is, in ems."""
    return LINE * max(ceil(ems(text) / width) for text, width in zip(row, widths, strict=True))


def _texts(table: Table, at: int) -> list[str]:
    """Return what stands in a column."""
    form = table.columns[at].form
    return [on_one_line(printed(row[at], form)) for row in table.rows]


def _need(label: str, texts: Sequence[str]) -> Need:
    """Return what a column needs: its longest word, and room for a heading of few lines."""
    words = [word for text in {label, *texts} for word in re.findall(f"{WORD}+", text)]
    longest = max((ems(word[:LONG_WORD]) for word in words), default=0.0)
    lengths = [ems(text) for text in texts]
    widest = max(lengths, default=0.0)
    short = (min(widest, LEAST), min(ems(label), SHORT))
    least = SPARE * max(longest, ems(label) / HEAD_LINES + 0.5, *short)
    broken = sum(length for length in lengths if SPARE * length > least)
    return Need(least, max(least, SPARE * widest), SPARE * ems(label), broken)


def _shared(needs: Sequence[Need], room: float) -> list[float]:
    """Share the room out in ems: for every text on one line, else for the fewest lines.

    Lines are text over width, and their sum is least where widths go as the root of the text.
    """
    widths = [max(need.cells, need.heading) for need in needs]
    if sum(widths) > room:
        low, high = 0.0, room
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            fits = sum(_between(need, middle) for need in needs) <= room
            low, high = (middle, high) if fits else (low, middle)
        widths = [_between(need, low) for need in needs]
    missing = [max(need.heading - width, 0.0) for need, width in zip(needs, widths, strict=True)]
    spare = max(room - sum(widths), 0.0)
    part = min(spare / sum(missing), 1.0) if any(missing) else 0.0
    loose = min(LOOSE, (spare - part * sum(missing)) / len(widths))
    return [width + part * more + loose for width, more in zip(widths, missing, strict=True)]


def _between(need: Need, scale: float) -> float:
    """Return a width that goes as the root of the text, within what the column needs."""
    return min(max(scale * sqrt(need.broken), need.least), need.cells)
