"""How births arrive at each stage years later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from placeforecast.plot import fonts
from placeforecast.plot.areas import printed_names
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of
from placeforecast.review.cohorts import area_births, stage_entrants
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words

HEIGHT = 0.74
"""How high the largest count stands, of the distance between two rungs."""
APART = 4
"""Years between two cohorts that are drawn, so that their figures do not meet."""
TRACES: tuple[tuple[str, Any], ...] = ((fonts.VERMILION, "-"), (fonts.INK, (0, (4, 1.5))))
BROKEN: Any = (0, (4, 1.5))


@dataclass(frozen=True)
class Rung:
    """One row of the ladder: births, or those who enter stages of the same age.

    Attributes
    ----------
    name : str
    age : int
        Years from birth; of a stage that begins earlier after a change of structure the last age.
    counts : DataFrame [year, age, count, observed]
    """

    name: str
    age: int
    counts: pd.DataFrame


def lag_ladder(
    forecast: Forecast,
    district: str | None = None,
    *,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw births and those who enter each stage below one another, and cohorts across them.

    Every rung has the same scale and years. A line follows one cohort from its births down to its
    entry into each stage: the one with most births and the one with fewest, of those recorded.

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
        If there is no such district or language, or no births are known.

    Examples
    --------
    >>> import placeforecast as pf
    >>> city = pf.forecast(pf.load_example("city"), horizon=3)
    >>> axes = pf.plot.lag_ladder(city, "D01", language="en")
    >>> [label.get_text().replace(chr(10), " ") for label in axes.get_yticklabels()]
    ['Births', 'Kindergarten +3 years', 'Primary +6 years', 'Junior +12 years', 'Senior +15 years']
    """
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    areas = areas_of(forecast)
    district = areas.top if district is None else district
    rungs = _rungs(forecast, district, text)
    most = max(max(float(rung.counts["count"].max()), 1.0) for rung in rungs)
    with fonts.own_style():
        if ax is None:
            size = (8.2, 1.0 + 0.82 * len(rungs))
            ax = fonts.new_figure(size, (1.3, 0.12, 0.72, 0.3))[1][0]
        bases = [float(len(rungs) - 1 - i) for i in range(len(rungs))]
        for rung, base in zip(rungs, bases, strict=True):
            _draw_rung(ax, rung, base, HEIGHT / most)
        first = min(int(rung.counts["year"].min()) for rung in rungs)
        last = max(int(rung.counts["year"].max()) for rung in rungs)
        ax.set_xlim(first - 0.5, last + 0.5 + 0.07 * (last - first))
        ax.set_ylim(-0.06, len(rungs))
        handles = _draw_cohorts(ax, rungs, bases, HEIGHT / most, text)
        _frame(ax, forecast.launch_year, (first, last), text)
        names = [rung.name for rung in rungs]
        ax.set_yticks([base + HEIGHT / 2 for base in bases], names)
        ax.tick_params(axis="y", length=0)
        name = fonts.wrapped(printed_names(forecast, text)[district], 50, 1)
        ax.set_title(text("ladder.title", area=name), loc="left")
        _legend(ax, handles, text)
        fonts.dress(ax)
    return ax


def _rungs(forecast: Forecast, district: str | None, text: Words) -> list[Rung]:
    """Return births and the entrants of each age, from the top."""
    births = area_births(forecast, district)
    if births.empty:
        raise ValueError("the forecast has no births: give births, or people and fertility")
    entrants = stage_entrants(forecast, district)
    counts = births.rename(columns={"births": "count"}).assign(age=0)
    rungs = [Rung(text("ladder.births"), 0, counts)]
    ages = entrants.groupby("stage", sort=False)["age"].last()
    for age in sorted(set(ages.tolist())):
        stages = [str(stage) for stage in ages.index[ages == age]]
        own = entrants[entrants["stage"].isin(stages)]
        grouped = own.groupby(["year", "age"], as_index=False)
        counts = grouped.agg(
            count=("pupils", "sum"), observed=("observed", "first"), parts=("stage", "nunique")
        )
        counts = counts[counts["parts"] == len(stages)]  # a sum of all or none
        if counts.empty:
            continue
        name = fonts.wrapped(_name(stages, text), 18)
        rungs.append(Rung(f"{name}\n{text('ladder.lag', years=age)}", int(age), counts))
    return rungs


def _name(stages: Sequence[str], text: Words) -> str:
    """Return the name of stages that are entered at one age."""
    for combined, members in combined_stages().items():
        if set(members) == set(stages):
            return text.stage(combined)
    return " + ".join(text.stage(stage) for stage in stages)


def _draw_rung(ax: Axes, rung: Rung, base: float, scale: float) -> None:
    """Draw the counts of one row: a full line as counted, a broken one as forecast."""
    by_year = rung.counts.groupby("year", as_index=False)
    counts = by_year.agg(count=("count", "sum"), observed=("observed", "all"))
    years = list(range(int(counts["year"].min()), int(counts["year"].max()) + 1))
    heights = (base + scale * counts.set_index("year")["count"]).reindex(years)  # gaps stay open
    marks = heights.index.to_numpy()
    known = counts.loc[counts["observed"], "year"]
    seam = int(known.max()) if len(known) else years[0]
    colour = fonts.GREEN if rung.age == 0 else fonts.BLUE
    ax.axhline(base, color=fonts.QUIET, linewidth=0.5)
    ax.fill_between(years, base, heights.to_numpy(), color=colour, alpha=0.12, linewidth=0)
    ax.plot(years, heights.where(marks <= seam).to_numpy(), color=colour)
    ahead = heights.where(marks >= seam).to_numpy()
    ax.plot(years, ahead, color=colour, linestyle=BROKEN)


def _draw_cohorts(
    ax: Axes, rungs: Sequence[Rung], bases: Sequence[float], scale: float, text: Words
) -> list[Line2D]:
    """Follow cohorts down the ladder; return what the legend shows of them."""
    handles = []
    for birth_year, (colour, style) in zip(_cohorts(rungs), TRACES, strict=False):
        points = []
        for rung, base in zip(rungs, bases, strict=True):
            own = rung.counts[rung.counts["year"] - rung.counts["age"] == birth_year]
            if len(own) == 1:  # districts that begin a stage at different ages have two
                row = own.iloc[0]
                points.append((int(row["year"]), base, float(row["count"])))
        across = [year for year, _, _ in points]
        up = [base + scale * count for _, base, count in points]
        look: dict[str, Any] = {"color": colour, "linestyle": style, "linewidth": 0.9}
        ax.plot(across, up, marker="o", markersize=3.5, zorder=4, **look)
        for x, y, (_, _, count) in zip(across, up, points, strict=True):
            ax.annotate(
                f"{count:,.0f}",
                (x, y),
                xytext=(2, 2.5),
                textcoords="offset points",
                fontsize=7.5,
                color=colour,
                path_effects=[withStroke(linewidth=1.6, foreground="white")],
                zorder=5,
            )
        label = text("ladder.cohort", year=birth_year)
        handles.append(Line2D([], [], marker="o", markersize=3.5, label=label, **look))
    return handles


def _cohorts(rungs: Sequence[Rung]) -> list[int]:
    """Return the cohorts with most and fewest births of those that enter a stage."""
    counts = rungs[0].counts
    entered = {
        int(year)
        for rung in rungs[1:]
        for year in (rung.counts["year"] - rung.counts["age"]).tolist()
    }
    own = counts[counts["year"].isin(list(entered))]
    if own["observed"].any():  # what is recorded shows how a change that has happened arrives
        own = own[own["observed"]]
    births = {int(y): float(n) for y, n in zip(own["year"], own["count"], strict=True)}
    if not births:
        return []
    largest = max(births, key=lambda year: births[year])
    apart = [year for year in births if abs(year - largest) >= APART]
    return [largest, *([min(apart, key=lambda year: births[year])] if apart else [])]


def _frame(ax: Axes, launch: int, span: tuple[int, int], text: Words) -> None:
    ax.axvline(launch, color=fonts.QUIET, linewidth=0.8, linestyle=":")
    ax.annotate(
        text("figure.launch", year=launch),
        (launch, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(3, -8),
        textcoords="offset points",
        fontsize=8,
        color=fonts.QUIET,
    )
    ax.set_xlabel(text("figure.year"))
    ticks = MaxNLocator(integer=True, nbins=14).tick_values(*span)
    ax.set_xticks([tick for tick in ticks if span[0] <= tick <= span[1]])
    ax.spines["left"].set_visible(False)


def _legend(ax: Axes, cohorts: Sequence[Line2D], text: Words) -> None:
    look: dict[str, Any] = {"color": fonts.QUIET}
    handles = [
        *cohorts,
        Line2D([], [], label=text("figure.observed"), **look),
        Line2D([], [], label=text("figure.forecast"), linestyle=BROKEN, **look),
    ]
    inches = ax.get_window_extent().height / ax.figure.dpi
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.42 / inches),
        ncols=len(handles),
        frameon=False,
        fontsize=8,
        handlelength=2.6,
    )
