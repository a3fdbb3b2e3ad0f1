"""The wave of pupils that runs through the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from placeforecast.plot import fonts
from placeforecast.plot.areas import printed_names
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of
from placeforecast.review.series import local_peaks, stage_pupils

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words

Array = np.ndarray[Any, np.dtype[np.float64]]

NAMED_PEAKS = 2
LIFTS = tuple((dx, dy) for dy in (6, -26, 20, -40, 36, -56, 52) for dx in (0, -22, 22))
"""Where a label may stand from its peak, in points, nearest first."""
LABEL = (36.0, 19.0)
"""About the size of a label, in points."""
DISTANCE = 0.3
"""What a point of distance costs, against a twelfth of a year of some line that is covered."""


def wave(
    forecast: Forecast,
    district: str | None = None,
    *,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the pupils of each stage over the years: as counted, and forecast.

    Parameters
    ----------
    forecast : Forecast
    district : str, optional
        A district of any level; the whole region if left out.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such district or language.

    Examples
    --------
    >>> import placeforecast as pf
    >>> axes = pf.plot.wave(pf.forecast(pf.load_example("city"), horizon=3), "D01", language="en")
    >>> axes.get_ylabel()
    'Pupils'
    """
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    areas = areas_of(forecast)
    district = areas.top if district is None else district
    series = stage_pupils(forecast, district)
    most = max(float(series["pupils"].max()), 1.0)
    with fonts.own_style():
        if ax is None:
            margins = (fonts.left_margin(most), 0.12, 0.78, 0.3)
            ax = fonts.new_figure((8.2, 4.3), margins)[1][0]
        _lines(ax, series, text)
        ax.set_ylim(0, most * 1.18)
        ax.margins(x=0.02)
        ax.axvline(forecast.launch_year, color=fonts.QUIET, linewidth=0.8, linestyle=":")
        ax.annotate(
            text("figure.launch", year=forecast.launch_year),
            (forecast.launch_year, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -8),
            textcoords="offset points",
            fontsize=8,
            color=fonts.QUIET,
        )
        _name_peaks(ax, series)
        name = fonts.wrapped(printed_names(forecast, text)[district], 60, 1)
        ax.set_title(text("figure.wave_title", area=name), loc="left")
        ax.set_xlabel(text("figure.year"))
        ax.set_ylabel(text("figure.pupils"))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=14))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        fonts.dress(ax)
    return ax


def _lines(ax: Axes, series: pd.DataFrame, text: Words) -> None:
    """Draw each stage: a full line with marks as counted, a broken one as forecast."""
    handles = []
    for i, (stage, rows) in enumerate(series.groupby("stage", sort=False)):
        colour, mark = fonts.LINES[i % len(fonts.LINES)]
        counted, ahead = rows[rows["observed"]], rows[~rows["observed"]]
        joined = rows[rows["year"] >= counted["year"].max()]
        ax.plot(counted["year"], counted["pupils"], color=colour, marker=mark, markersize=4)
        ax.plot(joined["year"], joined["pupils"], color=colour, linestyle=(0, (4, 1.5)))
        ax.plot(
            ahead["year"],
            ahead["pupils"],
            color=colour,
            marker=mark,
            markersize=4,
            markerfacecolor="white",
            linestyle="none",
        )
        name = fonts.plain(text.stage(str(stage)))
        handles.append(Line2D([], [], color=colour, marker=mark, markersize=4, label=name))
    broken: dict[str, Any] = {"color": fonts.QUIET, "marker": "o", "markersize": 4}
    handles.append(Line2D([], [], label=text("figure.observed"), **broken))
    broken |= {"markerfacecolor": "white", "linestyle": (0, (4, 1.5))}
    handles.append(Line2D([], [], label=text("figure.forecast"), **broken))
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        ncols=len(handles),
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
        handletextpad=0.4,
    )


def _name_peaks(ax: Axes, series: pd.DataFrame) -> None:
    """Write year and pupils at the highest crests of each stage, clear of lines and labels."""
    size = np.asarray(ax.get_window_extent().size) * 72 / ax.figure.dpi
    left, right = ax.get_xlim()
    top = ax.get_ylim()[1]

    def points(years: Array, pupils: Array) -> Array:
        return np.stack([(years - left) / (right - left), pupils / top], axis=1) * size

    lines = [_sampled(rows, points) for _, rows in series.groupby("stage", sort=False)]
    taken = np.concatenate(lines)
    peaks = local_peaks(series).query("edge == ''")
    colours = dict(zip(series["stage"].unique(), fonts.LINES * 3, strict=False))
    for stage, rows in peaks.groupby("stage", sort=False):
        for row in rows.nlargest(NAMED_PEAKS, "pupils").to_dict("records"):
            year, pupils = float(row["year"]), float(row["pupils"])
            lift, block = _free_lift(points(np.array([year]), np.array([pupils]))[0], taken, size)
            taken = np.concatenate([taken, block])
            ax.annotate(
                f"{year:.0f}\n{pupils:,.0f}",
                (year, pupils),
                xytext=lift,
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7.5,
                linespacing=1.1,
                color=colours[stage][0],
                arrowprops={
                    "arrowstyle": "-",
                    "color": colours[stage][0],
                    "linewidth": 0.6,
                    "shrinkA": 0,
                    "shrinkB": 2,
                },
                zorder=5,
            )


def _sampled(rows: pd.DataFrame, points: Callable[[Array, Array], Array]) -> Array:
    """Return points along a line."""
    years = rows["year"].to_numpy(dtype=float)
    fine = np.linspace(years[0], years[-1], 12 * len(years))
    return points(fine, np.interp(fine, years, rows["pupils"].to_numpy(dtype=float)))


def _free_lift(at: Array, taken: Array, size: Array) -> tuple[tuple[int, int], Array]:
    """Return where a label covers least of what is drawn, and points that fill it."""
    best, least = LIFTS[0], np.inf
    for lift in LIFTS:
        low = at + np.array(lift) - np.array([LABEL[0] / 2, 0.0])
        high = low + np.array(LABEL)
        if low[0] < 0 or low[1] < 0 or high[0] > size[0] or high[1] > size[1]:
            continue
        covered = int(np.all((taken > low) & (taken < high), axis=1).sum())
        cost = covered + DISTANCE * float(np.hypot(*lift))
        if cost < least:
            best, least = lift, cost
    across, up = np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(0, 1, 7))
    block = np.stack([across.ravel(), up.ravel()], axis=1) * np.array(LABEL)
    return best, at + np.array(best) + block
