"""How accurate the models have been, by lead and beside the naive model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator, PercentFormatter

from placeforecast.evaluation.backtest import NAIVE, WHOLE
from placeforecast.evaluation.measures import measures
from placeforecast.plot import fonts
from placeforecast.plot.panels import figure_height, panels
from placeforecast.plot.words import words
from placeforecast.tables.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from placeforecast.plot.words import Words

MEASURES = ("mape", "wape", "bias")
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)))
"""With more models than colours, the colours begin again with another dash."""
NAME = 30
COLUMNS = 3
ENTRIES = 4
BASELINE: dict[str, Any] = {
    "color": fonts.QUIET,
    "marker": "x",
    "markersize": 5,
    "linewidth": 2.0,
    "linestyle": (0, (2, 1.2)),
    "zorder": 2,
}
"""The naive model, which looks the same in every figure."""


def accuracy(
    errors: pd.DataFrame,
    *,
    stage: str | None = None,
    measure: str = "mape",
    ax: Axes | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the error of each model by lead, beside the naive one.

    Parameters
    ----------
    errors : DataFrame
        Rows of `backtest`; those of whole stages are used.
    stage : str, optional
        One stage; every stage in a panel of its own, on one scale, if left out.
    measure : {"mape", "wape", "bias"}
        As in `placeforecast.evaluation.measures.measures`: mean of absolute errors over their
        actuals, sum of absolute errors over the sum of actuals, or sum of forecast less actual
        over it (above 0 is too many).
    ax : Axes, optional
        Where to draw; a new figure if left out.
    language : {"zh", "en"}

    Returns
    -------
    Axes
        With every stage a frame that holds the panels in its `child_axes`.

    Raises
    ------
    ValueError
        For a measure, stage or language that is not there, or a back-test without the naive model.

    Examples
    --------
    >>> import placeforecast as pf
    >>> errors = pf.backtest(pf.load_example("city"), launch_years=[2023], horizon=1)
    >>> axes = pf.plot.accuracy(errors, stage="primary", language="en")
    >>> [line.get_label() for line in axes.get_lines()]
    ['default', 'Naive']
    """
    text = words(language)
    if measure not in MEASURES:
        raise ValueError(f"there is no measure {measure!r} to draw: {', '.join(MEASURES)}")
    rows = errors[errors["grade"] == WHOLE]
    models = list(dict.fromkeys(rows["model"]))
    if NAIVE not in models:
        raise ValueError("the back-test has no rows of the naive model: keep them beside the rest")
    there = list(dict.fromkeys(rows["stage"]))
    if stage is not None and stage not in there:
        raise ValueError(f"there is no stage {stage!r} in the back-test. {suggest(stage, there)}")
    stages = there if stage is None else [stage]
    rows = rows[rows["stage"].isin(stages)]
    table = measures(rows, ["stage", "lead", "model"])
    with fonts.own_style():
        if ax is None:
            margins = (0.75, 0.15, 0.55 + 0.18 * -(-len(models) // ENTRIES), 0.35)
            inside = 2.6 if stage is not None else figure_height(len(stages), columns=COLUMNS)
            ax = fonts.new_figure((8.2, inside + margins[2] + margins[3]), margins)[1][0]
        drawn = [ax] if stage is not None else panels(ax, len(stages), columns=COLUMNS)
        for own, name in zip(drawn, stages, strict=True):
            _lines(own, table[table["stage"] == name], models, measure, text)
        _one_scale(drawn, table[measure], text)
        launches = sorted(set(rows["launch_year"]))
        span = {"first": launches[0], "last": launches[-1], "count": len(launches)}
        title = text(f"accuracy.{measure}", **span)
        if stage is None:
            for own, name in zip(drawn, stages, strict=True):
                own.set_title(fonts.plain(text.stage(name)), loc="left", fontsize=9)
        else:
            title = f"{fonts.plain(text.stage(stage))} · {title}"
        ax.set_title(title, loc="left")
        _legend(ax, drawn[0])
        for own in drawn:
            fonts.dress(own)
        fonts.dress(ax)
    return ax


def _lines(ax: Axes, rows: pd.DataFrame, models: Sequence[str], measure: str, text: Words) -> None:
    """Draw one line per model, the naive one last."""
    for i, model in enumerate(name for name in models if name != NAIVE):
        colour, mark = fonts.LINES[i % len(fonts.LINES)]
        own = rows[rows["model"] == model].sort_values("lead")
        look: dict[str, Any] = {"color": colour, "marker": mark, "markersize": 4.5, "zorder": 3}
        dash = DASHES[i // len(fonts.LINES) % len(DASHES)]
        label = fonts.wrapped(model, NAME, 1)
        ax.plot(own["lead"], own[measure], label=label, linestyle=dash, **look)
    naive = rows[rows["model"] == NAIVE].sort_values("lead")
    ax.plot(naive["lead"], naive[measure], label=text("accuracy.naive"), **BASELINE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_xlabel(text("accuracy.lead"), fontsize=8)


def _one_scale(drawn: list[Axes], values: pd.Series[Any], text: Words) -> None:
    """Give every panel the same scale, which begins at 0 unless something lies below."""
    high, low = max(float(values.max()), 0.0), min(float(values.min()), 0.0)
    room = 0.08 * (high - low or 0.01)
    for i, own in enumerate(drawn):
        own.set_ylim(low - room if low < 0 else 0.0, high + room)
        if low < 0:
            own.axhline(0, color=fonts.INK, linewidth=0.8, zorder=1)
        own.grid(axis="y", color="#e3e3e3", linewidth=0.6)
        own.set_axisbelow(True)
        own.tick_params(labelleft=i % COLUMNS == 0)
    drawn[0].set_ylabel(text("accuracy.error"), fontsize=8)


def _legend(ax: Axes, drawn: Axes) -> None:
    """Draw one legend below all panels."""
    handles, labels = drawn.get_legend_handles_labels()
    high = float(ax.get_window_extent().height) / ax.figure.dpi
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.42 / high)}
    ax.legend(handles, labels, ncols=min(ENTRIES, len(labels)), frameon=False, fontsize=8, **place)
