"""The plan as a timeline: when each project is built and opens, against what is short or idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from placeforecast.plot import fonts
from placeforecast.plot.areas import balances_of, main_ledger, printed_names
from placeforecast.plot.balances import chosen
from placeforecast.plot.words import words
from placeforecast.review.areas import areas_of
from placeforecast.review.plan import review_plan
from placeforecast.tables.districts import ancestors
from placeforecast.tables.vocabulary import combined_stages, ledger_sectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words
    from placeforecast.review.plan import PlanReview

MOST = 14
"""Projects that are shown; of more, those not yet open come first, and then large ones."""
BUILT = ("new", "extension")
"""Kinds that take the lead time of the standards."""
LOOKS: Mapping[str, dict[str, Any]] = {
    "open": {"facecolor": "#8a8a8a", "hatch": ""},
    "under_construction": {"facecolor": fonts.SKY, "hatch": "////"},
    "approved": {"facecolor": "#CFE8F7", "hatch": ""},
    "proposed": {"facecolor": "white", "hatch": "...."},
    "delayed": {"facecolor": "#F6C9A8", "hatch": "xxxx"},
}
"""Colour and hatch of each status."""
EDGE: dict[str, Any] = {"edgecolor": fonts.INK, "linewidth": 0.7}
ASSUMED: dict[str, Any] = {"edgecolor": fonts.INK, "linewidth": 0.9, "linestyle": ":"}
OPENS: dict[str, Any] = {
    "color": fonts.INK,
    "marker": "D",
    "markersize": 4.5,
    "linestyle": "none",
    "markerfacecolor": "white",
}
GOES: dict[str, Any] = OPENS | {"marker": "X", "markersize": 5.5, "markerfacecolor": fonts.INK}
LATEST: dict[str, Any] = {
    "color": fonts.VERMILION,
    "marker": "v",
    "markersize": 5.5,
    "linestyle": "none",
}
START_BY: dict[str, Any] = {
    "color": fonts.VERMILION,
    "linewidth": 1.3,
    "linestyle": (0, (5, 1, 1, 1)),
}
IDLE: dict[str, Any] = {"facecolor": "#bdb6d9", "edgecolor": "#4b2c83", "hatch": ""}
SHORT: dict[str, Any] = {"facecolor": "#F6C9A8", "edgecolor": fonts.VERMILION, "hatch": "////"}
NET: dict[str, Any] = {"color": fonts.INK, "marker": "o", "markersize": 2.5, "linewidth": 1.0}
NAME = 34
"""Half-width characters of a project's name."""
STRIP = 5.0
"""Height of the balance above the projects, in rows of projects."""
ROW = 0.26
"""Height of a row, in inches."""


def timeline(
    forecast: Forecast,
    district: str | None,
    stage: str,
    ledger: str = "",
    *,
    review: PlanReview | None = None,
    most: int = MOST,
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the projects of a stage over the years, below what is short and idle.

    Short and idle are those of plan case ``planned``, not netted between grades and districts.

    A bar runs from the start of a project to its opening. Where the plan gives no start, a dotted
    one begins the lead time before it; only what is new or extended has one. The triangle is the
    latest start at which a project that is not open yet would open when it is first needed.
    Places of a rebuild are those that come back.

    Parameters
    ----------
    forecast : Forecast
        With a balance.
    district : str or None
        A district of any level with the projects below it; None is all of them together.
    stage : str
        A stage or combined stage.
    ledger : str
        The public one if left out, or ``all`` where the stage has no other. Projects whose places
        are not in it are not shown.
    review : PlanReview, optional
        That of the forecast; made here if left out.
    most : int
        Projects to show; the others are counted below.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes
        The projects; the balance above them is its one child in `child_axes`.

    Raises
    ------
    ValueError
        If the forecast has no balance, or there is no such district, stage, ledger or language, or
        the review is of another plan.

    Examples
    --------
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=2)
    >>> axes = pf.plot.timeline(result, "D01", "junior", language="en")
    >>> len(axes.get_yticklabels())
    6
    """
    forecast = forecast.of()  # of several scenarios the baseline
    text = words(language)
    areas = areas_of(forecast)
    district = areas.top if district is None else district
    there = balances_of(forecast, areas, [district])
    if district not in there:
        raise ValueError(f"district {district!r} has no balance")
    chosen(there[district], {"stage": stage})
    ledger = ledger or main_ledger(forecast, stage)
    need = chosen(there[district], {"stage": stage, "ledger": ledger, "plan_case": "planned"})
    review = review_plan(forecast) if review is None else review
    projects = _projects(forecast, review, district, stage, ledger)
    shown, left = _cut(projects, most)
    start_by = _start_by(review, district, stage, ledger)
    with fonts.own_style():
        if ax is None:
            rows = max(len(shown), 1) + (len(left) > 0) + STRIP
            margins = (0.25 + 0.062 * NAME, 0.75, 1.3, 0.35)
            ax = fonts.new_figure((8.8, ROW * rows + 1.65), margins)[1][0]
        _bars(ax, shown, text)
        _name_rows(ax, shown, left, text)
        strip = _strip(ax, need.sort_values("year"))
        _years(ax, strip, shown, need, start_by)
        for own in (ax, strip):
            own.axvline(forecast.launch_year, color=fonts.QUIET, linewidth=0.8, linestyle=":")
            if start_by is not None:
                own.axvline(start_by, zorder=1, **START_BY)
        named = {"stage": fonts.plain(text.stage(stage)), "ledger": text.value("ledger", ledger)}
        area = fonts.wrapped(printed_names(forecast, text)[district], 50, 1)
        ax.set_title(text("timeline.title", area=area, **named), loc="left")
        ax.set_xlabel(text("figure.year"))
        _legend(ax, shown, start_by, forecast.launch_year, text)
        fonts.dress(strip)
        fonts.dress(ax)
    return ax


def _projects(
    forecast: Forecast, review: PlanReview, district: str | None, stage: str, ledger: str
) -> pd.DataFrame:
    """Return the projects of a district, stage and ledger in order of opening, with their years."""
    plan = forecast.assumptions.projects
    stages = combined_stages().get(stage, (stage,))
    table = review.projects[review.projects["stage"].isin(stages)]
    table = table[[_below(forecast, str(d), district) for d in table["district"].tolist()]]
    leads = review.districts.dropna(subset=["lead_time"])
    keys = zip(leads["district"], leads["stage"], leads["lead_time"], strict=True)
    lead = {(str(d), str(s)): float(years) for d, s, years in keys}
    rows = []
    for row in table.to_dict("records"):
        # A conversion has a row of the plan under the stage that it leads to only.
        of_plan = plan[plan["project"] == row["project"]] if plan is not None else pd.DataFrame()
        if of_plan.empty:
            raise ValueError(f"the review is of another plan: {row['project']!r} is not in it")
        same = of_plan[of_plan["stage"] == row["stage"]]
        source = (same if len(same) else of_plan).iloc[0]
        if not _counts(source.get("sector"), str(row["stage"]), ledger):
            continue
        goes = row["places"] < 0 or row["kind"] == "closure"
        at, start = _year(row["opens"]), _year(source.get("starts"))
        at = _year(source.get("closes")) if at is None else at
        own = (row["district"], row["stage"])
        years = lead.get(own, lead.get((str(district), str(row["stage"]))))
        years = years if row["kind"] in BUILT and not goes else None
        first, waits = _year(row["first_needed"]), row["status"] != "open"
        rows.append(
            {
                **{key: row[key] for key in ("project", "stage", "status", "places")},
                "goes": goes,
                "at": at,
                "start": start,
                "assumed": at - years if start is None and at is not None and years else None,
                "latest": np.floor(first - years)
                if first is not None and years and waits
                else None,
            }
        )
    columns = ["project", "stage", "status", "places", "goes", "at", "start", "assumed", "latest"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["at", "project"], kind="stable", ignore_index=True)


def _below(forecast: Forecast, own: str, district: str | None) -> bool:
    """Return whether a project's district is the one shown, or lies below it."""
    if district is None or own == district:
        return True
    table = forecast.inputs.districts
    return table is not None and district in ancestors(table).get(own, ())


def _counts(sector: object, stage: str, ledger: str) -> bool:
    """Return whether places of a sector are in a ledger; those without a sector are in all."""
    if ledger == "all" or not isinstance(sector, str):
        return True
    table = ledger_sectors()
    own = table[(table["sector"] == sector) & table["stage"].isin(["", stage])]
    return ledger in set(own["ledger"])


def _year(value: Any) -> float | None:  # noqa: ANN401 - a cell of a table
    return None if value is None or pd.isna(value) else float(value)


def _cut(projects: pd.DataFrame, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the projects to show, and the others."""
    order = projects.assign(waits=projects["status"] != "open", size=projects["places"].abs())
    order = order.sort_values(["waits", "size"], ascending=False, kind="stable")
    kept = projects.index.isin(order.index[:most])
    return projects[kept].reset_index(drop=True), projects[~kept]


def _start_by(review: PlanReview, district: str | None, stage: str, ledger: str) -> int | None:
    """Return the latest year to start what the plan leaves short."""
    table = review.districts
    keys = {"district": district, "stage": stage, "ledger": ledger}
    for column, value in keys.items():
        table = table[table[column] == value]
    years = table["start_by"].dropna()
    return int(years.iloc[0]) if len(years) else None


def _bars(ax: Axes, shown: pd.DataFrame, text: Words) -> None:
    """Draw each project in its row: construction, opening, latest start, places."""
    for i, row in enumerate(shown.to_dict("records")):
        at, start, assumed = (_year(row[key]) for key in ("at", "start", "assumed"))
        if at is None:
            continue
        if start is not None:
            look = LOOKS[row["status"]] | EDGE
            ax.barh(i, at - start, left=start, height=0.62, zorder=2, **look)
        elif assumed is not None:
            look = LOOKS[row["status"]] | ASSUMED
            ax.barh(i, at - assumed, left=assumed, height=0.62, zorder=2, **look)
        filled = {"markerfacecolor": LOOKS[row["status"]]["facecolor"]}
        ax.plot([at], [i], zorder=4, **(GOES if row["goes"] else OPENS | filled))
        latest = _year(row["latest"])
        if latest is not None:
            ax.plot([latest], [i], zorder=5, **LATEST)
        places = -abs(row["places"]) if row["goes"] else row["places"]
        _beside(ax, i, fonts.signed(places))
    if len(shown):
        _beside(ax, -0.95, text("timeline.places"))


def _beside(ax: Axes, row: float, label: str) -> None:
    """Write something to the right of a row."""
    ax.annotate(
        label,
        (1.0, row),
        xycoords=("axes fraction", "data"),
        xytext=(46, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
        annotation_clip=False,
    )


def _name_rows(ax: Axes, shown: pd.DataFrame, left: pd.DataFrame, text: Words) -> None:
    """Write the names of the projects, and how many are left out."""
    several = len(set(shown["stage"])) > 1
    labels = []
    for row in shown.to_dict("records"):
        stage = f"{text.stage(row['stage'])} · " if several else ""
        labels.append(fonts.wrapped(stage + row["project"], NAME, 1))
    if len(left):
        places = left["places"].where(~left["goes"].astype(bool), -left["places"].abs()).sum()
        labels.append(text("timeline.more", count=len(left), places=fonts.signed(places)))
    labels = labels or [text("timeline.none")]
    ax.set_yticks(range(len(labels)), labels, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(labels) - 0.4, -0.6 - STRIP)
    ax.spines["left"].set_visible(False)
    for i in range(len(labels)):
        ax.axhline(i, color="#e6e6e6", linewidth=0.6, zorder=0)


def _strip(ax: Axes, need: pd.DataFrame) -> Axes:
    """Draw what is idle upwards and what is short downwards, above the projects."""
    low, high = ax.get_ylim()
    share = (STRIP - 0.9) / (low - high)
    strip = ax.inset_axes((0.0, 1 - share, 1.0, share))
    years = need["year"].to_numpy(dtype=float)
    idle, short = (need[name].to_numpy(dtype=float) for name in ("cell_surplus", "cell_shortfall"))
    strip.bar(years, idle, width=0.8, linewidth=0.5, zorder=2, **IDLE)
    strip.bar(years, -short, width=0.8, linewidth=0.5, zorder=2, **SHORT)
    strip.plot(years, need["balance"], zorder=3, **NET)
    strip.axhline(0, color=fonts.INK, linewidth=0.8, zorder=2)
    strip.yaxis.tick_right()
    strip.yaxis.set_major_locator(MaxNLocator(nbins=4))
    strip.yaxis.set_major_formatter(FuncFormatter(lambda places, _: fonts.signed(places)))
    strip.tick_params(axis="y", labelsize=7)
    strip.tick_params(axis="x", labelbottom=False, length=0)
    strip.spines[["left", "bottom"]].set_visible(False)
    strip.margins(y=0.12)
    return strip


def _years(
    ax: Axes, strip: Axes, shown: pd.DataFrame, need: pd.DataFrame, start_by: int | None
) -> None:
    """Give both the same years, from the first start to the last year or opening."""
    columns = shown[["at", "start", "assumed", "latest"]].to_numpy(dtype=float).ravel()
    marks = [*columns[~np.isnan(columns)], *need["year"].tolist()]
    marks += [] if start_by is None else [start_by]
    for own in (ax, strip):
        own.set_xlim(min(marks) - 0.7, max(marks) + 0.7)
    bins = int(np.clip(2 * ax.get_window_extent().width / ax.figure.dpi, 3, 12))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=bins))


def _legend(
    ax: Axes, shown: pd.DataFrame, start_by: int | None, launch_year: int, text: Words
) -> None:
    """Explain what is drawn, and nothing else."""
    there = set(shown["status"])
    handles: list[Patch | Line2D] = [
        Patch(label=text.value("status", status), **(look | EDGE))
        for status, look in LOOKS.items()
        if status in there
    ]
    goes = shown["goes"].astype(bool)
    assumed = bool(shown["assumed"].notna().any())
    launch: dict[str, Any] = {"color": fonts.QUIET, "linewidth": 0.8, "linestyle": ":"}
    wanted: list[tuple[bool, Patch | Line2D]] = [
        (assumed, Patch(label=text("timeline.assumed"), facecolor="none", **ASSUMED)),
        (bool((~goes).any()), Line2D([], [], label=text("timeline.opens"), **OPENS)),
        (bool(goes.any()), Line2D([], [], label=text("timeline.goes"), **GOES)),
        (
            bool(shown["latest"].notna().any()),
            Line2D([], [], label=text("timeline.latest"), **LATEST),
        ),
        (True, Patch(label=text("timeline.idle"), **IDLE)),
        (True, Patch(label=text("timeline.short"), **SHORT)),
        (True, Line2D([], [], label=text("timeline.net"), **NET)),
        (True, Line2D([], [], label=text("figure.launch", year=launch_year), **launch)),
    ]
    handles += [handle for shows, handle in wanted if shows]
    if start_by is not None:
        label = text("timeline.start_by", year=start_by)
        handles.append(Line2D([], [], label=label, **START_BY))
    high = float(ax.get_window_extent().height) / ax.figure.dpi
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.35, -0.42 / high)}
    ax.legend(handles=handles, ncols=4, frameon=False, fontsize=8, **place)
