"""Demand against places, and where they are short or idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from placeforecast.places.supply import STATUSES
from placeforecast.plot import fonts
from placeforecast.plot.areas import areas_of, balance_of, printed_names
from placeforecast.plot.words import words
from placeforecast.tables.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain import Forecast
    from placeforecast.plot.words import Words

STEPS: dict[str, dict[str, Any]] = {
    "existing": {"color": fonts.QUIET, "linewidth": 4.0, "alpha": 0.45},
    "committed": {"color": fonts.SKY, "linewidth": 2.2},
    "planned": {"color": fonts.GREEN, "linewidth": 1.3, "linestyle": (0, (5, 1.5))},
}
"""Places of each plan case; where they meet, the narrow ones stay visible on the broad ones."""
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


def balance(
    forecast: Forecast,
    district: str | None,
    stage: str,
    ledger: str = "all",
    *,
    ax: Axes | None = None,
    language: str = "zh",
    legend: bool = True,
) -> Axes:
    """Draw the places needed against the places of each plan case, with what is short shaded.

    Parameters
    ----------
    forecast : Forecast
    district : str or None
        A district of any level; None is all of them together.
    stage, ledger : str
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}
    legend : bool
        Whether to draw a legend.

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
    >>> result = pf.forecast(pf.load_example("city"), horizon=3)
    >>> axes = pf.plot.balance(result, "CITY", "compulsory", "public", language="en")
    >>> axes.get_title(loc="left")
    '示例市（虚构） · Compulsory (public)'
    """
    text = words(language)
    areas = areas_of(forecast)
    areas.below(district)
    rows = balance_of(forecast, areas, district)
    rows = _chosen(rows, {"stage": stage, "ledger": ledger})
    with fonts.own_style():
        ax = fonts.new_axes(height=3.6) if ax is None else ax
        years = np.array(sorted(set(rows["year"])))
        for case in STATUSES:
            own = rows[rows["plan_case"] == case].sort_values("year")
            if len(own):
                label = text("figure.supply", case=text.value("plan_case", case))
                _step(ax, years, own["places"].to_numpy(dtype=float), label=label, **STEPS[case])
        last = rows[rows["plan_case"] == rows["plan_case"].iloc[-1]].sort_values("year")
        demand = last["demand"].to_numpy(dtype=float)
        ax.plot(years, demand, color=fonts.INK, marker="o", markersize=3, linewidth=1.4,
                label=text("figure.demand"), zorder=4)  # fmt: skip
        case = text.value("plan_case", str(last["plan_case"].iloc[0]))
        _shade(ax, years, demand, last["places"].to_numpy(dtype=float), case, text)
        ax.set_ylim(0, max(float(rows[["demand", "places"]].max().max()), 1.0) * 1.12)
        name = fonts.wrapped(fonts.plain(printed_names(forecast, text)[district]), 40, 1)
        named = {"area": name, "stage": fonts.plain(text.stage(stage))}
        title = text("figure.balance_title", ledger=text.value("ledger", ledger), **named)
        ax.set_title(title, loc="left")
        ax.set_ylabel(text("figure.places"))
        ax.set_xlim(years[0] - 0.6, years[-1] + 0.6)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if legend:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=5, frameon=False,
                      fontsize=8)  # fmt: skip
        fonts.dress(ax)
    return ax


def _chosen(rows: pd.DataFrame, wanted: dict[str, str]) -> pd.DataFrame:
    """Return the rows that are asked for, or say which ones there are."""
    for column, value in wanted.items():
        known = list(dict.fromkeys(rows[column]))
        if value not in known:
            column_name = column.replace("_", " ")
            raise ValueError(f"there is no {column_name} {value!r} here. {suggest(value, known)}")
        rows = rows[rows[column] == value]
    return rows


def _step(ax: Axes, years: np.ndarray, places: np.ndarray, **look: Any) -> None:  # noqa: ANN401
    """Draw places as steps that change half-way between two school years."""
    edges = np.concatenate([years - 0.5, [years[-1] + 0.5]])
    ax.stairs(places, edges, baseline=None, zorder=2, **look)


def _shade(
    ax: Axes, years: np.ndarray, demand: np.ndarray, places: np.ndarray, case: str, text: Words
) -> None:
    """Shade what the line of demand has above the steps of places."""
    fine = np.linspace(years[0], years[-1], 40 * (len(years) - 1) + 1)
    nearest = np.clip(np.searchsorted(years + 0.5, fine), 0, len(years) - 1)
    line, steps = np.interp(fine, years, demand), places[nearest]
    ax.fill_between(
        fine,
        steps,
        line,
        where=(line > steps).tolist(),
        facecolor="#F6C9A8",
        edgecolor=fonts.VERMILION,
        hatch="////",
        linewidth=0.0,
        label=text("figure.short", case=case),
        zorder=1,
    )


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
    text = words(language)
    areas = areas_of(forecast)
    rows, tables = [], []
    for district in areas.shown if districts is None else districts:
        areas.below(district)
        table = balance_of(forecast, areas, district)
        own = table[(table["stage"] == stage) & (table["ledger"] == ledger)]
        own = own[own["plan_case"] == plan_case].sort_values("year")
        if len(own):
            rows.append(district)
            tables.append(own)
    if not tables:
        wanted = {"stage": stage, "ledger": ledger, "plan_case": plan_case}
        assert forecast.balance is not None
        _chosen(forecast.balance, wanted)
        raise ValueError("none of these districts has a balance of this stage and ledger")
    if districts is None:
        rows, tables = _largest(rows, tables)
    years = tables[0]["year"].tolist()
    names = printed_names(forecast, text)
    with fonts.own_style():
        ax = fonts.new_axes(height=0.9 + max(0.27 * len(rows), 1.2)) if ax is None else ax
        _cells(ax, tables, years, text)
        labels = [
            fonts.wrapped(fonts.plain(names[d]), 22, 2 if len(rows) <= 12 else 1) for d in rows
        ]
        ax.set_yticks(range(len(rows)), labels, fontsize=8)
        ax.set_xticks(range(len(years)), [str(year) for year in years], fontsize=8)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        named = {"stage": fonts.plain(text.stage(stage)), "ledger": text.value("ledger", ledger)}
        case = text.value("plan_case", plan_case)
        ax.set_title(text("figure.heat_title", case=case, **named), loc="left")
        fonts.dress(ax)
    return ax


def _largest(
    rows: list[str | None], tables: list[pd.DataFrame]
) -> tuple[list[str | None], list[pd.DataFrame]]:
    """Keep the districts with most demand at the launch, in their order."""
    demand = [float(table["demand"].iloc[0]) for table in tables]
    kept = sorted(sorted(range(len(rows)), key=lambda i: -demand[i])[:MOST_ROWS])
    return [rows[i] for i in kept], [tables[i] for i in kept]


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
        ScalarMappable(norm, colours), ax=ax, ticks=BOUNDS, fraction=0.025, pad=0.015
    )
    bar.ax.set_yticklabels([f"{bound:+.0%}" if bound else "0" for bound in BOUNDS], fontsize=7)
    bar.set_label(text("figure.share_axis"), fontsize=8)
    bar.outline.set_visible(False)  # type: ignore[operator]
    fonts.dress(bar.ax)


def _write(ax: Axes, shares: np.ndarray, norm: BoundaryNorm, text: Words) -> None:
    for (i, j), share in np.ndenumerate(shares):
        if np.isnan(share):
            continue
        at = min(int(norm(max(share, -1.0))), len(COLOURS) - 1)
        colour = "white" if at in (-1, 0, 1, 6, 7) else fonts.INK
        word = text("figure.no_places") if np.isneginf(share) else f"{100 * share:+.0f}"
        word = "0" if word in ("+0", "-0") else word
        ax.text(j, i, word, ha="center", va="center", fontsize=7, color=colour)
