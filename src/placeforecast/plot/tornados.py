"""What a figure hangs on: the balance with each driver low and high."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from placeforecast.plot import fonts
from placeforecast.plot.words import words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.plot.words import Words

LOW: dict[str, Any] = {"facecolor": "#9CCBE8", "edgecolor": fonts.BLUE, "hatch": ""}
HIGH: dict[str, Any] = {"facecolor": "#F6C9A8", "edgecolor": fonts.VERMILION, "hatch": "////"}
HALF = 0.36
"""Height of a bar, in rows: low above, high below, so that two to one side do not cover."""
ROW = 0.46
"""Height of a row, in inches."""


def tornado(table: pd.DataFrame, *, ax: Axes | None = None, language: str = "zh") -> Axes:
    """Draw the balance with each driver low and high, the one that moves it most on top.

    Parameters
    ----------
    table : DataFrame [driver, low, high, central, low_change, high_change, ...]
        From `tornado`. Drivers without figures are named below.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If no driver has figures, or there is no such language.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> table = pd.DataFrame({"driver": ["entry"], "low": [16.0], "high": [-6.0], "swing": [22.0],
    ...     "central": [5.0], "low_change": ["×0.9"], "high_change": ["×1.1"], "district": "A",
    ...     "stage": "primary", "year": 2030, "ledger": "all", "plan_case": "planned"})
    >>> axes = pf.plot.tornado(table, language="en")
    >>> [text.get_text() for text in axes.texts]
    ['16  (×0.9)', '-6  (×1.1)']
    """
    text = words(language)
    moved = table[table["swing"].notna()]
    if moved.empty:
        raise ValueError("no driver of the table has figures")
    left = table.loc[table["swing"].isna(), "driver"].tolist()
    cell, central = moved.iloc[0], float(moved["central"].iloc[0])
    names = [fonts.wrapped(text.driver(str(name)), 24, 2) for name in moved["driver"].tolist()]
    with fonts.own_style():
        if ax is None:
            lines = [line for name in names for line in name.split("\n")]
            room = 0.25 + 0.065 * max(fonts.width_of(line) for line in lines)
            size = (8.2, ROW * len(names) + 1.45)
            ax = fonts.new_figure(size, (room, 0.15, 0.95, 0.32))[1][0]
        for y, row in enumerate(moved.to_dict("records")):
            for end, look, up in (("low", LOW, -0.5), ("high", HIGH, 0.5)):
                at = (float(row[end]), y + up * HALF)
                width = at[0] - central
                ax.barh(at[1], width, left=central, height=HALF, linewidth=0.7, zorder=3, **look)
                _label(ax, at, f"{at[0]:,.0f}  ({row[f'{end}_change']})", right=width >= 0)
        ax.axvline(central, color=fonts.INK, linewidth=1.0, zorder=4)
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.45, -0.55)
        _widen(ax, [central, *moved["low"].tolist(), *moved["high"].tolist()])
        named = {"stage": fonts.plain(text.stage(str(cell["stage"]))), "year": cell["year"]}
        area = fonts.wrapped(str(cell["district"]), 24, 1)
        ledger = text.value("ledger", str(cell["ledger"]))
        case = text.value("plan_case", str(cell["plan_case"]))
        title = text("tornado.title", area=area, ledger=ledger, case=case, **named)
        ax.set_title(title, loc="left")
        _legend(ax, central, left, text)
        fonts.dress(ax)
    return ax


def _label(ax: Axes, at: tuple[float, float], label: str, *, right: bool) -> None:
    ax.annotate(
        label,
        at,
        xytext=(5 if right else -5, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=7.5,
        zorder=5,
    )


def _widen(ax: Axes, figures: list[float]) -> None:
    """Leave room for the labels beside the longest bars."""
    low, high = min(figures), max(figures)
    spread = (high - low) or max(abs(high), 1.0)
    ax.set_xlim(low - 0.32 * spread, high + 0.32 * spread)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.tick_params(axis="y", length=0)


def _legend(ax: Axes, central: float, left: list[str], text: Words) -> None:
    """Say what the bars are, and below which drivers could not be moved."""
    ax.set_xlabel(text("tornado.axis", central=f"{central:,.0f}"))
    handles = [
        Patch(label=text("tornado.low"), **LOW),
        Patch(label=text("tornado.high"), **HIGH),
    ]
    if left:
        listed = text("tornado.between").join(text.driver(str(name)) for name in left)
        note = fonts.wrapped(text("tornado.left_out", listed=listed), 60, 1)
        handles.append(Patch(facecolor="none", edgecolor="none", label=note))
    below = -0.42 / (ax.get_window_extent().height / ax.figure.dpi)
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, below)}
    ax.legend(handles=handles, ncols=3, frameon=False, fontsize=8, **place)
