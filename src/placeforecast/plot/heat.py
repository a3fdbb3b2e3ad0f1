"""Where places are short or idle, by district and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap

from placeforecast.plot import fonts
from placeforecast.plot.areas import balances_of, printed_names
from placeforecast.plot.balances import chosen
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words

BOUNDS = (-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5)
"""Of the share that is short or idle; above 0 they are those of the warning levels."""
COLOURS = (
    "#7f3b08",
    "#c26a13",
    "#f0a34a",
    "#fedcae",
    "#e4e3f0",
    "#bdb6d9",
    "#8a7bb8",
    "#4b2c83",
)
"""Orange is short and purple idle: the scheme PuOr of ColorBrewer, safe for the colour-blind."""
TEXT_ROWS = 30
MOST_ROWS = 45
TWO_LINES = 12
TWO_LINES = 12
"""With more rows than these, a name gets one line."""
NAME = 22
"""Half-width characters of a line of a name."""


def heat_map(
    forecast: Forecast,
    stage: str,
    ledger: str = "all",
    plan_case: str = "planned",
    *,
    districts: Sequence[str | None] | None = None,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the balance as a share of places, by district and year.

    Parameters
    ----------
    forecast : Forecast
    stage, ledger, plan_case : str
    districts : sequence of str or None, optional
        The rows; by default the whole region and the districts right below it (of more than 45,
        those with most demand at the launch).
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the forecast has no balance, or there is no such district, stage, ledger, plan case or
        language.

    Examples
    --------
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=3)
    >>> axes = pf.plot.heat_map(result, "senior_general", "public", "planned", language="en")
    >>> len(axes.get_yticklabels())
    9
    """
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    wanted = {"stage": stage, "ledger": ledger, "plan_case": plan_case}
    tables = _tables(forecast, wanted, districts)
    years = next(iter(tables.values()))["year"].tolist()
    names = printed_names(forecast, text)
    lines = 2 if len(tables) <= TWO_LINES else 1
    with fonts.own_style():
        labels = [fonts.wrapped(names[d], NAME, lines) for d in tables]
        if ax is None:
            widest = max(fonts.width_of(line) for label in labels for line in label.split("\n"))
            margins = (0.2 + 0.062 * widest, 0.75, 0.3, 0.3)
            height = 0.6 + max(0.27 * len(tables), 1.2)
            ax = fonts.new_figure((8.2, height), margins)[1][0]
        _cells(ax, list(tables.values()), years, text)
        ax.set_yticks(range(len(labels)), labels, fontsize=8)
        ax.set_xticks(range(len(years)), [str(year) for year in years], fontsize=8)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        named = {"stage": fonts.plain(text.stage(stage)), "ledger": text.value("ledger", ledger)}
        case = text.value("plan_case", plan_case)
        ax.set_title(text("figure.heat_title", case=case, **named), loc="left")
        fonts.dress(ax)
    return ax


def _tables(
    forecast: Forecast, wanted: Mapping[str, str], districts: Sequence[str | None] | None
) -> dict[str | None, pd.DataFrame]:
    """Return the balance of each district that has one, by year."""
    areas = areas_of(forecast)
    shown = areas.shown if districts is None else districts
    parts = balances_of(forecast, areas, shown, wanted)
    found = {district: rows.sort_values("year") for district, rows in parts.items()}
    if not found:
        assert forecast.balance is not None  # balances_of has refused that
        chosen(forecast.balance, wanted)
        raise ValueError("none of these districts has a balance of this stage and ledger")
    if districts is not None or len(found) <= MOST_ROWS:
        return found
    largest = sorted(found, key=lambda name: -float(found[name]["demand"].iloc[0]))[:MOST_ROWS]
    return {name: table for name, table in found.items() if name in largest}


def _cells(ax: Axes, tables: list[pd.DataFrame], years: list[int], text: Words) -> None:
    """Colour each cell by its share, and write the share in it where there is room."""
    shares = np.full((len(tables), len(years)), np.nan)
    for i, table in enumerate(tables):
        places, gap = (table[name].to_numpy(dtype=float) for name in ("places", "balance"))
        nothing = np.where(gap < 0, -np.inf, np.nan)  # needed, and no place at all
        shares[i] = np.divide(gap, places, out=nothing, where=places > 0)
    norm = BoundaryNorm(BOUNDS, len(COLOURS), extend="both")
    colours = ListedColormap(list(COLOURS))
    shown = np.ma.masked_invalid(np.where(np.isneginf(shares), -1.0, shares))
    ax.pcolormesh(
        np.arange(len(years) + 1) - 0.5,
        np.arange(len(tables) + 1) - 0.5,
        shown,
        cmap=colours,
        norm=norm,
        edgecolors="white",
        linewidth=1.0,
    )
    ax.set_ylim(len(tables) - 0.5, -0.5)
    if len(tables) <= TEXT_ROWS:
        _write(ax, shares, norm, text)
    bar = ax.figure.colorbar(
        ScalarMappable(norm, colours),
        cax=ax.inset_axes((1.015, 0, 0.016, 1)),
        ticks=BOUNDS,
        extendfrac=min(0.05, 0.6 / len(tables)),
    )
    bar.ax.set_yticklabels([f"{bound:+.0%}" if bound else "0" for bound in BOUNDS], fontsize=7)
    bar.set_label(text("figure.share_axis"), fontsize=8)
    bar.outline.set_visible(False)
    fonts.dress(bar.ax)


def _write(ax: Axes, shares: np.ndarray, norm: BoundaryNorm, text: Words) -> None:
    for (i, j), share in np.ndenumerate(shares):
        if np.isnan(share):
            continue
        at = min(int(norm(max(share, -1.0))), len(COLOURS) - 1)
        colour = "white" if at in (-1, 0, 1, 6, 7) else fonts.INK
        word = text("figure.no_places") if np.isneginf(share) else f"{100 * share:+.0f}"
        word = "0" if word in ("+0", "-0") else word
        label = ax.text(j, i, word, ha="center", va="center", fontsize=7, color=colour)
        label.set_in_layout(False)  # lies inside the axes: the layout need not measure it
