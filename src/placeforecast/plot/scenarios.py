"""Scenarios side by side: the demand of each against places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from placeforecast.plot import fonts
from placeforecast.plot.areas import balances_of, main_ledger, printed_names
from placeforecast.plot.balances import chosen
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of
from placeforecast.scenarios.adjust import BASELINE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words

CASE = "planned"
NAME = 34
"""Half-width characters of a scenario's name."""
ABREAST = 3
"""Names in a row of the legend."""
BROKEN = (0, (5, 1.5))


def scenarios(
    forecast: Forecast,
    district: str | None,
    stage: str,
    ledger: str = "",
    *,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the places needed in each scenario against the places of plan case ``planned``.

    Full lines are places needed, broken steps places; the places of a scenario are drawn in its
    colour where they are not those of the baseline.

    Parameters
    ----------
    forecast : Forecast
        With scenarios.
    district : str or None
        A district of any level; None is all of them together.
    stage : str
    ledger : str
        The public one if left out, or ``all`` where the stage has no other.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the forecast has no balance, or there is no such district, stage, ledger or language.

    Examples
    --------
    >>> import placeforecast as pf
    >>> city = pf.load_example("city")
    >>> result = pf.forecast(city, scenarios=["class_of_35"], horizon=1)
    >>> axes = pf.plot.scenarios(result, "CITY", "junior", language="en")
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['Baseline', 'Classes of 35', 'Places, planned']
    """
    text, base = words(language), forecast.of()
    areas = areas_of(base)
    names = list(dict.fromkeys(forecast.stages["scenario"].tolist()))
    parts = {}
    for name in names:
        there = balances_of(forecast.of(name), areas, [district])
        if district not in there:
            raise ValueError(f"district {district!r} has no balance")
        rows = chosen(there[district], {"stage": stage})
        ledger = ledger or main_ledger(base, stage)
        rows = chosen(rows, {"ledger": ledger, "plan_case": CASE})
        parts[name] = rows.sort_values("year")
    most = max(float(rows[["demand", "places"]].max().max()) for rows in parts.values())
    with fonts.own_style():
        if ax is None:
            deep = 0.5 + 0.2 * -(-(len(names) + 1) // ABREAST)
            margins = (fonts.left_margin(most), 0.12, deep, 0.3)
            ax = fonts.new_figure((8.2, 3.2 + deep), margins)[1][0]
        handles = _lines(ax, parts, text)
        ax.set_ylim(0, max(most, 1.0) * 1.1)
        ax.margins(x=0.02)
        named = {"stage": fonts.plain(text.stage(stage)), "ledger": text.value("ledger", ledger)}
        area = fonts.wrapped(printed_names(base, text)[district], 30, 1)
        ax.set_title(text("scenarios.title", area=area, **named), loc="left")
        ax.set_ylabel(text("figure.places"))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        below = -0.3 / (ax.get_window_extent().height / ax.figure.dpi)
        place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, below)}
        ax.legend(handles=handles, ncols=ABREAST, frameon=False, fontsize=8, **place)
        fonts.dress(ax)
    return ax


def _lines(ax: Axes, parts: dict[str, pd.DataFrame], text: Words) -> list[Line2D]:
    """Draw each scenario, the baseline broad beneath the others; return what the legend names."""
    base = parts[BASELINE]["places"].to_numpy(dtype=float)
    handles = []
    others = [name for name in parts if name != BASELINE]
    for name, rows in parts.items():
        years, places = rows["year"].to_numpy(dtype=float), rows["places"].to_numpy(dtype=float)
        look: dict[str, Any] = {"color": fonts.QUIET, "linewidth": 4.0, "alpha": 0.5}
        if name != BASELINE:
            colour, mark = fonts.LINES[others.index(name) % len(fonts.LINES)]
            look = {"color": colour, "linewidth": 1.2, "marker": mark, "markersize": 4}
            look["markerfacecolor"] = "white" if others.index(name) >= len(fonts.LINES) else colour
        label = fonts.wrapped(text.scenario(name), NAME, 1)
        ax.plot(years, rows["demand"], zorder=3, **look)
        handles.append(Line2D([], [], label=label, **look))
        if name == BASELINE or not np.array_equal(places, base):
            colour = fonts.INK if name == BASELINE else look["color"]
            step: dict[str, Any] = {"color": colour, "linewidth": 1.2, "linestyle": BROKEN}
            edges = np.concatenate([years - 0.5, [years[-1] + 0.5]])
            ax.stairs(places, edges, baseline=None, zorder=2, **step)
    label = text("figure.supply", case=text.value("plan_case", CASE))
    broken: dict[str, Any] = {"color": fonts.INK, "linewidth": 1.2, "linestyle": BROKEN}
    return [*handles, Line2D([], [], label=label, **broken)]
