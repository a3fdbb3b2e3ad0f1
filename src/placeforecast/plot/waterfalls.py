"""Why two results differ: the steps that lead from one figure to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from placeforecast.plot import fonts
from placeforecast.plot.balances import chosen
from placeforecast.plot.words import words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ENDS: dict[str, Any] = {"color": fonts.INK, "marker": "D", "markersize": 5, "linestyle": "none"}
MORE: dict[str, Any] = {"facecolor": "#9CCBE8", "edgecolor": fonts.BLUE, "hatch": ""}
LESS: dict[str, Any] = {"facecolor": "#F6C9A8", "edgecolor": fonts.VERMILION, "hatch": "////"}
NOTHING = 1e-6
"""A step that moves less than this is rounding."""
ROW = 0.34
"""Height of a row, in inches."""


def waterfall(
    steps: pd.DataFrame,
    district: str,
    stage: str,
    year: int,
    value: str = "balance",
    *,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the steps that lead from a figure of one result to that of another.

    Steps that change nothing are left out.

    Parameters
    ----------
    steps : DataFrame [district, stage, year, ledger, value, step, from, change, to]
        From `compare_rounds` or `attribute_scenarios`.
    district, stage : str
    year : int
    value : {"balance", "demand"}
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the table has no such district, stage, year or value, or there is no such language.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> steps = pd.DataFrame({"district": "A", "stage": "junior", "year": 2030, "ledger": "public",
    ...     "value": "balance", "step": ["births", "plan"], "from": [10.0, 4.0],
    ...     "change": [-6.0, 9.0], "to": [4.0, 13.0]})
    >>> axes = pf.plot.waterfall(steps, "A", "junior", 2030, language="en")
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['Before', 'Births', 'Plan', 'After']
    """
    text = words(language)
    rows = chosen(steps.assign(year=steps["year"].astype(str)), {"district": district})
    rows = chosen(rows, {"stage": stage, "year": str(year), "value": value})
    start, end = float(rows["from"].iloc[0]), float(rows["to"].iloc[-1])
    moved = rows[rows["change"].abs() > NOTHING]
    names = [fonts.wrapped(text.driver(str(step)), 24, 1) for step in moved["step"].tolist()]
    labels = [text("waterfall.before"), *names, text("waterfall.after")]
    with fonts.own_style():
        if ax is None:
            room = 0.25 + 0.065 * max(fonts.width_of(label) for label in labels)
            size = (8.2, ROW * len(labels) + 1.0)
            ax = fonts.new_figure(size, (room, 0.15, 0.55, 0.32))[1][0]
        _steps(ax, moved, start, end)
        ax.set_yticks(range(len(labels)), labels)
        ax.set_ylim(len(labels) - 0.4, -0.6)
        low = min(start, end, *moved["to"].tolist())
        high = max(start, end, *moved["to"].tolist())
        spread = (high - low) or max(abs(high), 1.0)
        ax.set_xlim(low - 0.16 * spread, high + 0.16 * spread)
        if low < 0 < high:
            ax.axvline(0, color=fonts.QUIET, linewidth=0.8, zorder=1)
        named = {"stage": fonts.plain(text.stage(stage)), "value": text(f"waterfall.{value}")}
        ledger = text.value("ledger", str(rows["ledger"].iloc[0]))
        area = fonts.wrapped(district, 40, 1)
        ax.set_title(
            text("waterfall.title", area=area, year=year, ledger=ledger, **named), loc="left"
        )
        ax.set_xlabel(text("figure.places"))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=7))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.tick_params(axis="y", length=0)
        fonts.dress(ax)
    return ax


def _steps(ax: Axes, moved: pd.DataFrame, start: float, end: float) -> None:
    """Draw the first and the last figure as points, and what leads there as bars between."""
    last = len(moved) + 1
    ax.plot([start, end], [0, last], zorder=4, **ENDS)
    for y, figure in ((0, start), (last, end)):
        _label(ax, figure, y, f"{figure:,.0f}", rightwards=True)
    reached = [start, *moved["to"].tolist(), end]
    for y, at in enumerate(reached[:-1]):
        ax.plot([at, at], [y, y + 1], color=fonts.QUIET, linewidth=0.6, zorder=1)
    for y, change in enumerate(moved["change"].tolist(), start=1):
        look = MORE if change > 0 else LESS
        ax.barh(y, change, left=reached[y - 1], height=0.62, linewidth=0.7, zorder=3, **look)
        _label(ax, reached[y], y, _signed(change), rightwards=change > 0)


def _signed(change: float) -> str:
    """Return a change with its sign; one of less than half a place keeps its digits."""
    return f"{change:+,.0f}" if abs(change) >= 0.5 else f"{np.format_float_positional(change, 1)}"


def _label(ax: Axes, x: float, y: float, label: str, *, rightwards: bool) -> None:
    ax.annotate(
        label,
        (x, y),
        xytext=(6 if rightwards else -6, 0),
        textcoords="offset points",
        ha="left" if rightwards else "right",
        va="center",
        fontsize=8,
        zorder=5,
    )
