"""A figure of each district on the map, from the boundaries that the office has itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from placeforecast.plot import fonts
from placeforecast.plot.geojson import label_point, outline, read_boundaries
from placeforecast.plot.heat import COLOURS
from placeforecast.plot.words import words
from placeforecast.tables.problems import suggest
from placeforecast.tables.vocabulary import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from placeforecast.plot.geojson import Polygon
    from placeforecast.plot.words import Words

Boundaries = dict[str, list["Polygon"]]
Figures = dict[str, float | str | None]
"""The number or warning level of each district; None where it has none."""

DIVERGING = LinearSegmentedColormap.from_list("short_idle", [*COLOURS[:4], "#f7f7f7", *COLOURS[4:]])
WARNINGS: Mapping[str, dict[str, Any]] = {
    "red": {"facecolor": "#E0703A", "hatch": "////"},
    "yellow": {"facecolor": "#F5E88A", "hatch": "//"},
    "normal": {"facecolor": "#F7F7F7", "hatch": ""},
    "blue": {"facecolor": "#A9D4F0", "hatch": ".."},
    "dark_blue": {"facecolor": "#4F8FC0", "hatch": "oo"},
}
"""Colours of the warning levels; the hatches tell them apart in grey."""
BELOW: dict[str, Any] = {"facecolor": "white", "hatch": "////"}
NO_FIGURE: dict[str, Any] = {"facecolor": "white", "hatch": "xxxx"}
STRANGER: dict[str, Any] = {"facecolor": "#BDBDBD", "hatch": ""}
EDGE: dict[str, Any] = {"edgecolor": "#5a5a5a", "linewidth": 0.7}
NAMED = 3
"""So many strangers are named."""
LABEL = 14
SIZE = 7.5
MARGINS = (0.2, 1.05, 0.75, 0.35)
WIDTH = 7.6
HEIGHTS = (2.5, 7.5)


def district_map(
    table: pd.DataFrame,
    geojson: str | Path | Mapping[str, Any],
    value: str,
    *,
    name: str = "district",
    labels: Mapping[str, str] | None = None,
    title: str = "",
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw numbers or warning levels of districts on a map.

    Numbers are coloured on either side of 0, alike on both sides, and what lies below 0 is hatched:
    give a shortage as a negative balance.

    Parameters
    ----------
    table : DataFrame [district, value]
        One row per district, such as the balance of one stage, year, ledger and plan case.
    geojson : str, Path or mapping
        A file, or a FeatureCollection, of polygons and multipolygons in degrees.
    value : str
        A column of numbers, or of warning levels (red, yellow, normal, blue, dark_blue).
    name : str
        The property of a feature that holds the district, as the table has it.
    labels : mapping of str to str, optional
        Names to print by district; the districts themselves if left out.
    title : str
        By default what is drawn.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        For boundaries that cannot be used, with every problem.
    ValueError
        For a district with two rows or without a feature, a table or value that cannot be drawn, or
        a language that is not there.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> square = [[[122, 31], [123, 31], [123, 32], [122, 32], [122, 31]]]
    >>> feature = {"type": "Feature", "properties": {"code": "D01"},
    ...     "geometry": {"type": "Polygon", "coordinates": square}}
    >>> boundaries = {"type": "FeatureCollection", "features": [feature]}
    >>> balance = pd.DataFrame({"district": ["D01"], "balance": [-120.0]})
    >>> axes = pf.plot.district_map(balance, boundaries, "balance", name="code", language="en")
    >>> axes.texts[0].get_text().split()
    ['D01', '-120']
    """
    text = words(language)
    figures = _figures(table, value)
    found = read_boundaries(geojson, name)
    _refuse_missing(figures, found)
    levels = any(isinstance(figure, str) for figure in figures.values())
    quantity = _quantity(value, text, levels=levels)
    with fonts.own_style():
        ax = _frame(ax, found)
        if levels:
            handles = _draw_levels(ax, figures, found, text)
        else:
            handles = _draw_numbers(ax, figures, found, quantity, text)
        handles += _draw_rest(ax, figures, found, text)
        unnamed = _labels(ax, figures, found, labels or {})
        if unnamed:
            note = text("map.unnamed", count=unnamed)
            handles.append(Patch(facecolor="none", edgecolor="none", label=note))
        if handles:
            high = float(ax.get_window_extent().height) / ax.figure.dpi
            place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.08 / high)}
            entries = 4 if levels else 3
            ax.legend(handles=handles, ncols=entries, frameon=False, fontsize=8, **place)
        ax.set_title(fonts.wrapped(title or quantity, 90, 1), loc="left")
        fonts.dress(ax)
    return ax


def _figures(table: pd.DataFrame, value: str) -> Figures:
    """Return the number or level of each district, or say why there is none."""
    for name in ("district", value):
        if name not in table.columns:
            remedy = suggest(name, map(str, table.columns))
            raise ValueError(f"the table has no column {name!r}. {remedy}")
    districts = table["district"].astype(str)
    twice = list(dict.fromkeys(districts[districts.duplicated()]))
    if twice:
        remedy = "choose one year, stage, ledger and plan case"
        raise ValueError(f"the table has several rows of {', '.join(twice[:5])}: {remedy}")
    if table.empty:
        raise ValueError("the table has no rows")
    column = table[value]
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.astype(float)
        if np.isinf(numbers).any():
            raise ValueError(f"the column {value!r} has an infinite number")
        rest: list[float | str | None] = [None if pd.isna(x) else float(x) for x in numbers]
    else:
        rest = [None if pd.isna(x) or x == "" else str(x) for x in column.tolist()]
        strange = sorted({x for x in rest if x is not None and x not in WARNINGS}, key=str)
        if strange:
            known = ", ".join(WARNINGS)
            raise ValueError(
                f"{value!r} is neither numbers nor warning levels ({known}): {strange}"
            )
    return dict(zip(districts.tolist(), rest, strict=True))


def _refuse_missing(figures: Figures, found: Boundaries) -> None:
    missing = [district for district in figures if district not in found]
    if missing:
        listed = ", ".join(missing[:12])
        listed += f" and {len(missing) - 12} more" if len(missing) > 12 else ""
        known = suggest(missing[0], found)
        raise ValueError(
            f"there is no feature of {listed}. {known} Leave their rows out, add their boundaries, "
            "or say name= of the property that holds the district."
        )


def _quantity(value: str, text: Words, *, levels: bool) -> str:
    """Return what is drawn, with its unit."""
    key = f"map.{'warning' if levels else value}"
    return text(key) if key in text.texts else fonts.plain(value.replace("_", " "))


def _frame(ax: Axes | None, found: Boundaries) -> Axes:
    """Return axes that show all districts, a degree of longitude as long as it is there."""
    points = np.concatenate([p[0] for polygons in found.values() for p in polygons])
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    aspect = 1 / np.cos(np.radians(np.clip((south + north) / 2, -80, 80)))
    if ax is None:
        left, right, bottom, top = MARGINS
        inside = (WIDTH - left - right) * aspect * (north - south) / (east - west)
        height = float(np.clip(inside, *HEIGHTS)) + bottom + top
        ax = fonts.new_figure((WIDTH, height), MARGINS)[1][0]
    across, up = 0.02 * (east - west), 0.02 * (north - south)
    ax.set_xlim(west - across, east + across)
    ax.set_ylim(south - up, north + up)
    ax.set_aspect(aspect)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.apply_aspect()
    return ax


def _add(ax: Axes, found: Boundaries, districts: list[str], colours: list[Any], hatch: str) -> None:
    """Draw districts with one hatch."""
    if districts:
        paths = [outline(found[district]) for district in districts]
        ax.add_collection(
            PathCollection(paths, facecolors=colours, hatch=hatch or None, zorder=1, **EDGE),
            autolim=False,
        )


def _draw_numbers(
    ax: Axes, figures: Figures, found: Boundaries, quantity: str, text: Words
) -> list[Patch]:
    """Colour numbers on either side of 0, with a bar of the colours."""
    numbers = {d: float(x) for d, x in figures.items() if x is not None}
    most = max((abs(x) for x in numbers.values()), default=0.0) or 1.0
    norm = TwoSlopeNorm(0.0, -most, most)
    for below in (True, False):
        own = {d: x for d, x in numbers.items() if (x < 0) == below}
        colours = [DIVERGING(float(norm(x))) for x in own.values()]
        _add(ax, found, list(own), colours, BELOW["hatch"] if below else "")
    bar = ax.figure.colorbar(
        ScalarMappable(norm, DIVERGING), cax=ax.inset_axes((1.02, 0.05, 0.025, 0.9))
    )
    bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=7))
    digits = 0 if most >= 10 else 2
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: fonts.signed(x, digits)))
    assert bar.solids is not None  # filled with colours
    bar.solids.set_rasterized(False)  # a page holds no pictures of its own
    bar.solids.set_edgecolor("face")
    bar.ax.tick_params(labelsize=7)
    bar.set_label(quantity, fontsize=8)
    bar.outline.set_visible(False)
    fonts.dress(bar.ax)
    short = any(x < 0 for x in numbers.values())
    return [Patch(label=text("map.below"), **BELOW, **EDGE)] if short else []


def _draw_levels(ax: Axes, figures: Figures, found: Boundaries, text: Words) -> list[Patch]:
    """Colour and hatch each warning level."""
    handles = []
    for level in shipped("warnings")["level"].tolist():
        own = [district for district, figure in figures.items() if figure == level]
        look = WARNINGS[level]
        _add(ax, found, own, [look["facecolor"]] * len(own), look["hatch"])
        if own:
            handles.append(Patch(label=text.warning(level), **look, **EDGE))
    return handles


def _draw_rest(ax: Axes, figures: Figures, found: Boundaries, text: Words) -> list[Patch]:
    """Draw districts without a figure, and features that the table does not have."""
    handles = []
    blank = [district for district, figure in figures.items() if figure is None]
    if blank:
        _add(ax, found, blank, [NO_FIGURE["facecolor"]] * len(blank), NO_FIGURE["hatch"])
        handles.append(Patch(label=text("map.no_figure"), **NO_FIGURE, **EDGE))
    strangers = [district for district in found if district not in figures]
    if strangers:
        _add(ax, found, strangers, [STRANGER["facecolor"]] * len(strangers), "")
        short = [fonts.wrapped(district, 12, 1) for district in strangers[:NAMED]]
        listed = text("map.between").join(short)
        if len(strangers) > NAMED:
            rest = len(strangers) if text.language == "zh" else len(strangers) - NAMED
            listed = text("map.others", listed=listed, count=rest)
        handles.append(Patch(label=text("map.strangers", listed=listed), **STRANGER, **EDGE))
    return handles


def _labels(ax: Axes, figures: Figures, found: Boundaries, labels: Mapping[str, str]) -> int:
    """Write name and figure into each district; return how many have no room for a name.

    Large districts come first; a label that would cover another one is shortened, then left out.
    """
    taken: list[tuple[np.ndarray, np.ndarray]] = []
    scale = 72 / ax.figure.dpi
    unnamed = 0
    order = sorted(figures, key=lambda d: -float(np.ptp(found[d][0][0], axis=0).prod()))
    for district in order:
        at = label_point(found[district])
        centre = ax.transData.transform(at) * scale
        figure = figures[district]
        number = _written(figure)
        tried = []
        for lines in (2, 1):
            named = fonts.wrapped(labels.get(district, district), LABEL, lines)
            tried.append("\n".join(part for part in (named, number) if part))
        for label in tried:
            rows = label.split("\n")
            wide = 0.52 * SIZE * max(fonts.width_of(row) for row in rows)
            half = np.array([wide, 1.5 * SIZE * len(rows)]) / 2
            low, high = centre - half, centre + half
            if all((high <= a).any() or (low >= b).any() for a, b in taken):
                taken.append((low, high))
                look: dict[str, Any] = {
                    "ha": "center",
                    "va": "center",
                    "fontsize": SIZE,
                    "linespacing": 1.4,
                }
                halo = [withStroke(linewidth=2.2, foreground="white")]
                ax.text(*at, label, color=fonts.INK, path_effects=halo, zorder=4, **look)
                break
        else:
            unnamed += 1
    return unnamed


def _written(figure: float | str | None) -> str:
    """Return a number with its sign; a level is told by its colour."""
    if figure is None or isinstance(figure, str):
        return ""
    whole = abs(figure) >= 10 or figure == int(figure)
    return fonts.signed(figure) if whole else f"{figure:+.2g}"
