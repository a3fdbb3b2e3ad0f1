"""How figures look: a font that has Chinese, chosen per figure and never for all of matplotlib."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from contextlib import contextmanager
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

from placeforecast.tables.problems import AssumptionWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

FAMILIES = ("Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "DejaVu Sans")
"""Fonts in order of preference; the last one comes with matplotlib."""
BOX = "□"
JOINS = "stroke-linejoin: round; stroke-linecap: butt"
"""What matplotlib says in a style sheet, which would hold for the whole page."""
INK, QUIET = "#222222", "#6b6b6b"
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#B07800",  # darker than theirs, so that it can be read as text
    "#56B4E9",
    "#CC79A7",
)
"""After Okabe and Ito: colours that colour-blind readers can tell apart."""
LINES: tuple[tuple[str, str], ...] = (
    (BLUE, "o"),
    (VERMILION, "s"),
    (GREEN, "^"),
    (PURPLE, "D"),
    (ORANGE, "v"),
    (SKY, "P"),
    (INK, "X"),
)
"""Colour and marker of the n-th line."""


@cache
def chinese_font() -> Path | None:
    """Return the font file that zhplot carries; None where it is not installed."""
    carrier = find_spec("zhplot")  # finds the folder; importing it would change rcParams
    folders = list(carrier.submodule_search_locations or []) if carrier is not None else []
    files = (Path(folder) / "fonts" / "NotoSansSC-Regular.ttf" for folder in folders)
    return next((file for file in files if file.exists()), None)


@cache
def families() -> tuple[str, ...]:
    """Return the fonts that are there; the one of zhplot is made known to matplotlib."""
    file = chinese_font()
    if file is not None and str(file) not in {font.fname for font in fontManager.ttflist}:
        fontManager.addfont(file)
    there = {font.name for font in fontManager.ttflist}
    return tuple(name for name in FAMILIES if name in there)


@cache
def _characters() -> frozenset[int]:
    """Return the code points that the fonts have between them."""
    paths = [findfont(FontProperties(family=[name])) for name in families()]
    return frozenset(code for path in paths for code in get_font(path).get_charmap())


def plain(text: str) -> str:
    r"""Return a name as a figure can show it: one line, no formula, boxes for missing characters.

    Warns
    -----
    AssumptionWarning
        If no font has one of the characters.

    Examples
    --------
    >>> from placeforecast.plot.fonts import plain
    >>> plain("North $1$")
    'North \\$1\\$'
    """
    line = " ".join(text.split())
    lacking = sorted({c for c in line if ord(c) not in _characters()})
    if lacking:
        note = f"no font has {' '.join(lacking)}: figures show {BOX} instead"
        warnings.warn(AssumptionWarning(note), stacklevel=2)
        line = "".join(BOX if c in lacking else c for c in line)
    return line.replace("$", r"\$")


def width_of(text: str) -> int:
    """Return the width of a line in half-width characters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, width: int, lines: int = 2) -> str:
    r"""Break a name after `width` half-width characters, as a figure can show it.

    What does not fit into the lines is cut.

    Examples
    --------
    >>> from placeforecast.plot.fonts import wrapped
    >>> wrapped("a name that is longer than the margin allows", 12)
    'a name that\nis longer t…'
    """
    parts, line = [], ""
    for character in " ".join(text.split()):
        if width_of(line + character) > width:
            parts.append(line)
            line = ""
        line += character
    parts.append(line)
    if len(parts) > lines:
        parts = [*parts[: lines - 1], parts[lines - 1][:-1] + "…"]
    return "\n".join(plain(part) for part in parts)


def _settings() -> dict[Any, Any]:
    return {
        "font.family": list(families()),
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "hatch.linewidth": 0.6,
        "svg.fonttype": "path",
        "svg.hashsalt": "placeforecast",
    }


@contextmanager
def own_style() -> Iterator[None]:
    """Hold this package's style, and give matplotlib's settings back afterwards."""
    with rc_context(_settings()):
        yield


Margins = tuple[float, float, float, float]
"""Room beside the axes in inches: left, right, bottom, top."""


def new_figure(
    size: tuple[float, float], margins: Margins, *, grid: tuple[int, int] = (1, 1)
) -> tuple[Figure, list[Axes]]:
    """Return a new figure with its axes, row by row; to be called in `own_style`.

    Margins are fixed, since matplotlib's own layouts draw everything twice to measure it.
    """
    figure = Figure(figsize=size)
    (width, height), (left, right, bottom, top) = size, margins
    inside = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": bottom / height,
        "top": 1 - top / height,
        "wspace": left * grid[1] / (width - left - right),
        "hspace": 0.62 * grid[0] / (height - bottom - top - 0.62 * (grid[0] - 1)),
    }
    axes = figure.subplots(*grid, squeeze=False, gridspec_kw=inside)
    return figure, list(axes.flat)


def left_margin(most: float) -> float:
    """Return the room that counts up to `most` and the name of the axis need, in inches."""
    return 0.42 + 0.068 * len(f"{most:,.0f}")


def signed(amount: float, digits: int = 0) -> str:
    """Return an amount with its sign; nothing has none.

    Examples
    --------
    >>> from placeforecast.plot.fonts import signed
    >>> signed(1234), signed(-0.4), signed(-0.4, 1)
    ('+1,234', '0', '-0.4')
    """
    rounded = round(amount, digits)
    return f"{rounded:+,.{digits}f}" if rounded else "0"


def dress(ax: Axes) -> None:
    """Give the fonts to every text, so that it keeps them when the figure is drawn elsewhere."""
    ax.tick_params(labelfontfamily=list(families()))
    for text in ax.findobj(Text):
        text.set_fontfamily(list(families()))


def svg_of(figure: Figure, *, name: str, label: str) -> str:
    """Return a figure as SVG to stand inside a page: the same bytes whenever it is drawn.

    Parameters
    ----------
    figure : Figure
    name : str
        Starts every id, so that several figures can stand in one page.
    label : str
        What the figure shows, for those who do not see it.
    """
    nothing: Mapping[str, None] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    stream = io.StringIO()
    with own_style():
        figure.savefig(stream, format="svg", metadata=nothing)
    drawn = re.sub(r"<!--.*?-->|<defs>\s*<style.*?</defs>", "", stream.getvalue(), flags=re.DOTALL)
    match = re.search(r"<svg[^>]*viewBox=\"([^\"]+)\"[^>]*>(.*)</svg>", drawn, flags=re.DOTALL)
    assert match is not None  # matplotlib writes a view box
    box, body = match.groups()
    body = re.sub(r"\bid=\"", f'id="{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    body = re.sub(r"(?:xlink:)?href=\"#", f'href="#{name}-', body)
    body = re.sub(r"\n\s*", "\n", body)
    named = f'role="img" aria-label="{escape(label)}" style="{JOINS}"'
    return f'<svg viewBox="{box}" {named}>{body}</svg>'
