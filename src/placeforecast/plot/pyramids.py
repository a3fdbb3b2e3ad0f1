"""People by sex and age: the launch year and the last one, with the ages of the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from placeforecast.plot import fonts
from placeforecast.plot.areas import printed_names
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of
from placeforecast.tables.doors import to_array
from placeforecast.tables.grades import resolve_grades, stages_in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words

SEXES = (("male", -1.0, "#B9D3EA"), ("female", 1.0, "#F3CFB6"))
"""Side and fill of each sex; the side tells them apart, whatever the colours."""
FIRST: dict[str, Any] = {"edgecolor": "#8a8a8a", "linewidth": 0.3}
LAST: dict[str, Any] = {"color": fonts.INK, "linewidth": 1.3}
BANDS = ("#dcdcdc", "#ececec")
"""Grounds of the stages, in turn."""


def pyramid(
    forecast: Forecast,
    district: str | None = None,
    years: tuple[int, int] | None = None,
    *,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw people by sex and single age in two years, with the ages of each stage.

    Parameters
    ----------
    forecast : Forecast
        With a population.
    district : str, optional
        A district of any level; the whole region if left out.
    years : tuple of int, optional
        Two years: bars of the one, an outline of the other. Launch and last year if left out.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If the population lacks a cell of these years.
    ValueError
        If the forecast has no population, or there is no such district, year or language.

    Examples
    --------
    >>> import placeforecast as pf
    >>> axes = pf.plot.pyramid(pf.forecast(pf.load_example("city"), horizon=3), language="en")
    >>> [entry.get_text() for entry in axes.get_legend().get_texts()][:2]
    ['2025', '2028']
    """
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    areas = areas_of(forecast)
    district = areas.top if district is None else district
    years = (forecast.launch_year, forecast.last_year) if years is None else years
    ages, people = _people(forecast, areas.below(district), years)
    most = float(people.max()) or 1.0
    with fonts.own_style():
        if ax is None:
            ax = fonts.new_figure((8.2, 6.2), (0.65, 1.65, 0.85, 0.35))[1][0]
        _stages(ax, forecast, text)
        edges = np.append(ages, ages[-1] + 1)
        for i, (sex, side, fill) in enumerate(SEXES):
            first, last = side * people[:, i, :]
            ax.barh(ages + 0.5, first, height=1.0, color=fill, zorder=2, **FIRST)
            ax.stairs(last, edges, orientation="horizontal", baseline=None, zorder=3, **LAST)
            where: dict[str, Any] = {
                "xycoords": "axes fraction",
                "textcoords": "offset points",
                "va": "top",
            }
            at = ((0.0, 1.0), (4, -4), "left") if side < 0 else ((1.0, 1.0), (-4, -4), "right")
            name = fonts.plain(text.value("sex", sex))
            label = name[:1].upper() + name[1:]
            ax.annotate(label, at[0], xytext=at[1], ha=at[2], fontsize=10, **where)
        ax.axvline(0, color=fonts.INK, linewidth=0.8, zorder=4)
        ax.set_xlim(-1.06 * most, 1.06 * most)
        ax.set_ylim(0, ages[-1] + 6)
        bins = int(np.clip(1.3 * ax.get_window_extent().width / ax.figure.dpi, 3, 9))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=bins, symmetric=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{abs(x):,.0f}"))
        ticks = [*range(0, int(ages[-1]) - 4, 10), int(ages[-1])]
        ax.set_yticks(np.array(ticks) + 0.5, [*map(str, ticks[:-1]), f"{ticks[-1]}+"])
        ax.set_xlabel(text("pyramid.people"))
        ax.set_ylabel(text("pyramid.age"))
        name = fonts.wrapped(printed_names(forecast, text)[district], 50, 1)
        named = {"area": name, "first": years[0], "last": years[1]}
        ax.set_title(text("pyramid.title", **named), loc="left")
        _legend(ax, years, text)
        fonts.dress(ax)
    return ax


def _people(
    forecast: Forecast, districts: tuple[str, ...], years: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return single ages, and people [year, sex, age] of the districts together."""
    table = forecast.population
    if table is None:
        raise ValueError("the forecast has no population: its inputs have no table population")
    known = sorted(set(table["year"].tolist()))
    for year in years:
        if year not in known:
            span = f"{known[0]}-{known[-1]}"
            raise ValueError(f"the population has no year {year}: it is known for {span}")
    ages = sorted(set(table["age"].tolist()))
    axes: dict[str, list[Any]] = {
        "year": list(dict.fromkeys(years)),
        "district": list(districts),
        "sex": [sex for sex, _, _ in SEXES],
        "age": ages,
    }
    own = table[table["year"].isin(years) & table["district"].isin(districts)]
    people = to_array(own, axes, "population", name="population").sum(axis=1)
    at = [axes["year"].index(year) for year in years]
    return np.array(ages, dtype=float), people[at]


def _stages(ax: Axes, forecast: Forecast, text: Words) -> None:
    """Shade the ages of each stage and write its name beside them; equal spans share a line."""
    system = resolve_grades(forecast.inputs.grades)
    spans: dict[tuple[int, int], list[str]] = {}
    for stage in stages_in_order(system):
        rows = system[system["stage"] == stage]
        if (rows["duration"] > 1).any():
            continue  # known only as a total: its ages lie across other stages
        span = int(rows["entry_age"].min()), int(rows["entry_age"].max()) + 1
        spans.setdefault(span, []).append(fonts.wrapped(text.stage(stage), 20, 1))
    for i, ((low, high), named) in enumerate(sorted(spans.items())):
        ax.axhspan(low, high, color=BANDS[i % 2], linewidth=0, zorder=0)
        ax.annotate(
            text("pyramid.stage", stage="\n".join(named), low=low, high=high - 1),
            (1.0, low if len(named) > 1 else (low + high) / 2),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            va="bottom" if len(named) > 1 else "center",  # parallel stages are the last ones
            fontsize=7.5,
            linespacing=1.3,
            annotation_clip=False,
        )


def _legend(ax: Axes, years: tuple[int, int], text: Words) -> None:
    """Say which year is filled and which is a line."""
    filled = Patch(facecolor=SEXES[0][2], label=str(years[0]), **FIRST)
    handles = [
        filled,
        Line2D([], [], label=str(years[1]), **LAST),
        Patch(facecolor=BANDS[0], label=text("pyramid.school")),
    ]
    high = float(ax.get_window_extent().height) / ax.figure.dpi
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.45 / high)}
    ax.legend(handles=handles, ncols=3, frameon=False, fontsize=8, **place)
