"""How large classes are: the share of classes in each band of class size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from placeforecast.places.bands import read_bands
from placeforecast.plot import fonts
from placeforecast.plot.panels import figure_height, panels
from placeforecast.plot.words import words
from placeforecast.rates.standards import standard
from placeforecast.tables.check import check
from placeforecast.tables.districts import members, names
from placeforecast.tables.grades import resolve_grades, stages_in_order
from placeforecast.tables.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from placeforecast.plot.words import Words

Limits = dict[str, float]

COLUMNS = 2
LIMITS = ("class_size", "large_class", "very_large_class")
LOOKS: Mapping[str, dict[str, Any]] = {
    "usual": {"facecolor": fonts.SKY, "edgecolor": "#2b6f99"},
    "large": {"facecolor": "#F6C9A8", "edgecolor": fonts.VERMILION, "hatch": "////"},
    "very_large": {"facecolor": fonts.VERMILION, "edgecolor": fonts.INK, "hatch": "xxxx"},
}
"""How the bars of a band look, by what its classes are."""
MARKS: Mapping[str, dict[str, Any]] = {
    "class_size": {"color": fonts.INK, "linewidth": 1.4, "linestyle": "-"},
    "large_class": {"color": fonts.INK, "linewidth": 1.2, "linestyle": (0, (4, 1.5))},
    "very_large_class": {"color": fonts.INK, "linewidth": 1.2, "linestyle": (0, (1, 1.2))},
}


def class_sizes(
    sizes: pd.DataFrame,
    district: str | None = None,
    year: int | None = None,
    *,
    standards: pd.DataFrame | None = None,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the share of classes in each band of class size, stage by stage, with the limits.

    The standard class size stands where classes of that size end, the limits of large classes
    where large ones begin; inside a band at the pupil where they lie.

    Parameters
    ----------
    sizes : DataFrame [district, stage, year, band, classes, pupils]
        As in the vocabulary (`class_sizes`).
    district : str, optional
        A district of any level; all of them together if left out.
    year : int, optional
        The latest one if left out.
    standards : DataFrame, optional
        With class_size, large_class and very_large_class, such as those of the assumptions; what is
        not in it is not marked.
    districts, grades : DataFrame, optional
        How districts roll up, with their names, and the school system (cn-6-3-3 if left out).
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes
        A frame that holds a panel per stage in its `child_axes`.

    Raises
    ------
    InputError
        For bands that cannot be used; see `placeforecast.places.bands.read_bands`.
    ValueError
        For a district, year or language that is not there, or where there is no class.

    Examples
    --------
    >>> import placeforecast as pf
    >>> inputs = pf.load_example("city")
    >>> axes = pf.plot.class_sizes(
    ...     inputs.class_sizes, "D01", districts=inputs.districts, language="en")
    >>> axes.get_title(loc="left")
    '澄湖区: classes by size, 2025'
    """
    text = words(language)
    system = resolve_grades(grades)
    table = read_bands(sizes, districts, system)
    own, area = _of_district(table, district, districts, text)
    year = int(own["year"].max()) if year is None else year
    if year not in set(own["year"]):
        known = ", ".join(str(y) for y in sorted(set(own["year"])))
        raise ValueError(f"class_sizes has no year {year} here: {known}")
    own = own[own["year"] == year]
    counted = own.groupby("stage")["classes"].sum()
    stages = [s for s in stages_in_order(system) if counted.get(s, 0) > 0]
    if not stages:
        raise ValueError(f"class_sizes has no class in {year} here")
    limits = {stage: _limits(standards, district, stage, year) for stage in stages}
    with fonts.own_style():
        if ax is None:
            margins = (0.75, 0.15, 1.0, 0.35)
            height = figure_height(len(stages), columns=COLUMNS, each=1.9) + margins[2] + margins[3]
            ax = fonts.new_figure((8.2, height), margins)[1][0]
        drawn = panels(ax, len(stages), columns=COLUMNS)
        for i, (panel, stage) in enumerate(zip(drawn, stages, strict=True)):
            _bars(panel, own[own["stage"] == stage], limits[stage], text)
            named = {"stage": fonts.plain(text.stage(stage)), "count": f"{counted[stage]:,.0f}"}
            panel.set_title(text("bands.panel", **named), loc="left", fontsize=9)
            panel.set_ylim(0, 1.18)
            panel.tick_params(labelleft=i % COLUMNS == 0)
            fonts.dress(panel)
        drawn[0].set_ylabel(text("bands.share"), fontsize=8)
        ax.set_title(text("bands.title", area=fonts.wrapped(area, 60, 1), year=year), loc="left")
        _legend(ax, limits, text)
        fonts.dress(drawn[0])
        fonts.dress(ax)
    return ax


def _of_district(
    table: pd.DataFrame, district: str | None, districts: pd.DataFrame | None, text: Words
) -> tuple[pd.DataFrame, str]:
    """Return the rows at or below a district, and the name to print."""
    if district is None:
        return table, text("area.whole")
    below = {name: [name] for name in dict.fromkeys(table["district"])}
    if districts is not None:
        below = dict(members(districts))
    own = table[table["district"].isin(below.get(district, []))]
    if own.empty:
        remedy = suggest(district, below)
        raise ValueError(f"class_sizes has no district {district!r}. {remedy}")
    return own, str(names(districts).get(district, district))


def _limits(standards: pd.DataFrame | None, district: str | None, stage: str, year: int) -> Limits:
    """Return the limits that hold for a stage of a district."""
    if standards is None:
        return {}
    cell = pd.DataFrame({"district": [district], "stage": [stage], "year": [year]})
    known = check(standards, "standards")
    found = {name: float(standard(known, name, cell).iloc[0]) for name in LIMITS}
    return {name: value for name, value in found.items() if not np.isnan(value)}


def _bars(ax: Axes, rows: pd.DataFrame, limits: Limits, text: Words) -> None:
    """Draw a bar per band with its share, and the limits."""
    bands = rows.groupby(["lower", "upper", "band"], as_index=False)["classes"].sum()
    shares = (bands["classes"] / bands["classes"].sum()).to_numpy(dtype=float)
    for i, (share, low) in enumerate(zip(shares, bands["lower"], strict=True)):
        ax.bar(i, share, width=0.86, linewidth=0.6, zorder=2, **LOOKS[_kind(low, limits)])
        note: dict[str, Any] = {"xytext": (0, 2), "textcoords": "offset points"}
        label = ax.annotate(f"{share:.1%}", (i, share), ha="center", fontsize=8, zorder=5, **note)
        label.set_path_effects([withStroke(linewidth=3.0, foreground="white")])
    spans = list(zip(bands["lower"], bands["upper"], strict=True))
    for name, limit in limits.items():
        at = _position(limit + (name == "class_size"), spans)
        if at is not None:
            ax.axvline(at, zorder=3, **MARKS[name])
    ax.set_xlim(-0.6, len(bands) - 0.4)
    ax.set_xticks(range(len(bands)), [fonts.plain(band) for band in bands["band"]], fontsize=8)
    ax.set_xlabel(text("bands.band"), fontsize=8)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.tick_params(axis="x", length=0)


def _kind(lower: float, limits: Limits) -> str:
    """Return what the classes of a band are; those of one that only contains a limit are not."""
    if lower >= limits.get("very_large_class", np.inf):
        return "very_large"
    return "large" if lower >= limits.get("large_class", np.inf) else "usual"


def _position(pupils: float, spans: Sequence[tuple[float, float]]) -> float | None:
    """Return where classes of that many pupils begin, in bars; None beyond the last limit."""
    for i, (low, high) in enumerate(spans):
        if low <= pupils <= high:
            return i - 0.5 + (0.0 if np.isinf(high) else (pupils - low) / (high - low + 1))
    return None


def _legend(ax: Axes, limits: Mapping[str, Limits], text: Words) -> None:
    """Draw one legend below all panels, with the numbers of each limit."""
    handles: list[Line2D | Patch] = [Patch(label=text("bands.usual"), **LOOKS["usual"])]
    for kind, name in (("large", "large_class"), ("very_large", "very_large_class")):
        if any(name in own for own in limits.values()):
            handles.append(Patch(label=text(f"bands.{kind}"), **LOOKS[kind]))
    for name in LIMITS:
        values: dict[float, list[str]] = {}
        for stage, own in limits.items():
            if name in own:
                values.setdefault(own[name], []).append(fonts.plain(text.stage(stage)))
        if values:
            listed = text("bands.between").join(
                f"{value:g}"
                if len(values) == 1
                else text("bands.of", value=f"{value:g}", stages=text("bands.and").join(stages))
                for value, stages in values.items()
            )
            label = text(f"bands.{name}", listed=listed)
            handles.append(Line2D([], [], label=label, **MARKS[name]))
    high = float(ax.get_window_extent().height) / ax.figure.dpi
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.42 / high)}
    ax.legend(handles=handles, ncols=3, frameon=False, fontsize=8, **place)
