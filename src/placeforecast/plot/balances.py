"""Demand against the places of each plan case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from placeforecast.places.supply import CASES, STATUSES
from placeforecast.plot import fonts
from placeforecast.plot.areas import balances_of, printed_names
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of
from placeforecast.tables.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words

DEMAND: dict[str, Any] = {
    "color": fonts.INK,
    "marker": "o",
    "markersize": 3,
    "linewidth": 1.4,
    "zorder": 4,
}
STEPS: dict[str, dict[str, Any]] = {
    "existing": {"color": fonts.QUIET, "linewidth": 4.0, "alpha": 0.45},
    "committed": {"color": fonts.SKY, "linewidth": 2.2},
    "planned": {"color": fonts.GREEN, "linewidth": 1.3, "linestyle": (0, (5, 1.5))},
    "risk_adjusted": {"color": fonts.VERMILION, "linewidth": 1.6, "linestyle": (0, (1, 1.3))},
}
"""Places of each plan case; where they meet, the narrow ones stay visible on the broad ones."""


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
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    areas = areas_of(forecast)
    there = balances_of(forecast, areas, [district])
    if district not in there:
        raise ValueError(f"district {district!r} has no balance")
    rows = chosen(there[district], {"stage": stage, "ledger": ledger})
    most = max(float(rows[["demand", "places"]].max().max()), 1.0)
    with fonts.own_style():
        if ax is None:
            margins = (fonts.left_margin(most), 0.12, 0.75, 0.3)
            ax = fonts.new_figure((8.2, 3.6), margins)[1][0]
        years = np.array(sorted(set(rows["year"])))
        for case in CASES:
            own = rows[rows["plan_case"] == case].sort_values("year")
            if len(own):
                label = text("figure.supply", case=text.value("plan_case", case))
                _step(ax, years, own["places"].to_numpy(dtype=float), label=label, **STEPS[case])
        furthest = [case for case in STATUSES if case in set(rows["plan_case"])][-1]
        last = rows[rows["plan_case"] == furthest].sort_values("year")
        demand = last["demand"].to_numpy(dtype=float)
        ax.plot(years, demand, label=text("figure.demand"), **DEMAND)
        case = text.value("plan_case", str(last["plan_case"].iloc[0]))
        _shade(ax, years, demand, last["places"].to_numpy(dtype=float), case, text)
        ax.set_ylim(0, most * 1.12)
        name = fonts.wrapped(printed_names(forecast, text)[district], 40, 1)
        named = {"area": name, "stage": fonts.plain(text.stage(stage))}
        title = text("figure.balance_title", ledger=text.value("ledger", ledger), **named)
        ax.set_title(title, loc="left")
        ax.set_ylabel(text("figure.places"))
        ax.set_xlim(years[0] - 0.6, years[-1] + 0.6)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if legend:
            place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1)}
            ax.legend(ncols=3, frameon=False, fontsize=8, **place)
        fonts.dress(ax)
    return ax


def chosen(rows: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
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
