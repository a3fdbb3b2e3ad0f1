"""How surely: demand with its intervals against the places of each plan case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.plot import fonts
from placeforecast.plot.areas import balances_of, main_ledger
from placeforecast.plot.balances import balance, chosen
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast

QUANTILE = "demand_p"


def fan(
    forecast: Forecast,
    district: str | None,
    stage: str,
    ledger: str = "",
    *,
    ax: Axes | None = None,
    language: str = "zh",
    legend: bool = True,
) -> Axes:
    """Draw the intervals of demand as bands around it, against the places of each plan case.

    Parameters
    ----------
    forecast : Forecast
        With trajectories. Each pair of quantiles that lie as far from either end is one band.
    district : str or None
        A district of any level; None is all of them together, where they have one parent.
    stage : str
    ledger : str
        The public one if left out, or ``all`` where the stage has no other.
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
        If the forecast has no balance or no such pair of quantiles, or there is no such district,
        stage, ledger or language.

    Examples
    --------
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=2, trajectories=20, seed=1)
    >>> axes = pf.plot.fan(result, district="D01", stage="junior", language="en")
    >>> [text.get_text() for text in axes.get_legend().get_texts()][-1]
    '80 % of trajectories'
    """
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    ledger = ledger or main_ledger(forecast, stage)
    there = balances_of(forecast, areas_of(forecast), [district])
    if district not in there:
        raise ValueError(f"district {district!r} has no balance")
    rows = chosen(there[district], {"stage": stage, "ledger": ledger})
    own = rows[rows["plan_case"] == rows["plan_case"].iloc[0]].sort_values("year")
    bands = _bands(own)
    if not bands:
        raise ValueError("the forecast has no intervals: run it with trajectories=500")
    look: dict[str, Any] = {"facecolor": fonts.SKY, "linewidth": 0.0, "zorder": 3}
    if ax is None:
        most = max(float(rows[["demand", "places"]].max().max()), 1.0)
        with fonts.own_style():  # the legend takes two rows
            margins = (fonts.left_margin(most), 0.12, 0.85, 0.3)
            ax = fonts.new_figure((8.2, 3.9), margins)[1][0]
    ax = balance(forecast, district, stage, ledger, ax=ax, language=language, legend=False)
    top = ax.get_ylim()[1]
    with fonts.own_style():
        years = own["year"].to_numpy(dtype=float)
        for share, (low, high) in bands.items():
            label = text("figure.band", share=f"{share:g}")
            alpha = 0.55 - 0.4 * share / 100
            edges = (own[low].to_numpy(dtype=float), own[high].to_numpy(dtype=float))
            ax.fill_between(years, *edges, alpha=alpha, label=label, **look)
            top = max(top, 1.05 * float(np.nanmax(edges[1])))
        ax.set_ylim(0, top)
        if legend:
            place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1)}
            ax.legend(ncols=4, frameon=False, fontsize=8, **place)
    return ax


def _bands(rows: pd.DataFrame) -> dict[float, tuple[str, str]]:
    """Return the columns of each band by the share of trajectories inside it, the widest first."""
    level = {
        float(name.removeprefix(QUANTILE).replace("_", ".")): name
        for name in rows.columns
        if name.startswith(QUANTILE)
    }
    mirrored = {q: next((p for p in level if abs(p + q - 100) < 1e-9), None) for q in level}
    return {
        round(100 - 2 * q, 6): (level[q], level[other])
        for q, other in sorted(mirrored.items())
        if other is not None and q < 50
    }
