"""The section on the wave of pupils across the stages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from placeforecast import plot
from placeforecast.report.model import Chart, Column, Figure, Paragraph, Section, Table
from placeforecast.report.view import number
from placeforecast.review.series import local_peaks, stage_pupils

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from placeforecast.chain.record import Forecast
    from placeforecast.report.view import View


def wave_section(view: View) -> Section:
    """Return the wave of the whole region: figure, every local peak, pupils by year."""
    words, top = view.words, view.areas.shown[0]
    series = stage_pupils(view.forecast, top)
    peaks = local_peaks(series)
    area = view.name(top)
    span = {"first": int(series["year"].min()), "last": int(series["year"].max())}
    listed = view.joined([_peak(view, row) for row in peaks.to_dict("records")])
    figure = Figure(
        key="wave",
        caption=words("wave.caption", area=area),
        alt=words("wave.alt", area=area, list=listed, **span),
        draw=partial(_draw, view.forecast, top, words.language),
    )
    blocks = (Paragraph(words("wave.text")), figure, _peaks(view, peaks), _pupils(view, series))
    return Section("wave", words("wave.title"), words("wave.sheet"), blocks)


def _draw(forecast: Forecast, district: str | None, language: str) -> Drawing:
    drawing = plot.wave(forecast, district, language=language).get_figure(root=True)
    assert drawing is not None
    return drawing


def _peak(view: View, row: dict[Any, Any]) -> str:
    return f"{view.words.stage(row['stage'])} {row['year']} {view.count(row['pupils'])}"


def _peaks(view: View, peaks: pd.DataFrame) -> Table:
    words = view.words
    rows = tuple(
        (
            words.stage(str(row["stage"])),
            int(row["year"]),
            number(row["pupils"]),
            words("report.years", first=row["plateau_from"], last=row["plateau_to"]),
            words(f"wave.{row['edge'] or 'inside'}"),
        )
        for row in peaks.to_dict("records")
    )
    columns = (
        Column(words.column("demand", "stage")),
        Column(words.column("pupils", "year"), "year"),
        Column(words.column("pupils", "pupils"), "count"),
        Column(words("wave.plateau")),
        Column(words("wave.place")),
    )
    title, note = words("wave.peaks"), words("wave.peaks_note")
    return Table("peaks", title, columns, rows, heads=2, note=note)


def _pupils(view: View, series: pd.DataFrame) -> Table:
    words = view.words
    wide = series.pivot_table(values="pupils", index="year", columns="stage")
    stages = [stage for stage in view.stages if stage in wide.columns]
    rows = tuple(
        (int(str(year)), *(number(values[stage]) for stage in stages))
        for year, values in wide.sort_index().iterrows()
    )
    columns = (
        Column(words.column("pupils", "year"), "year"),
        *(Column(words.stage(stage), "count") for stage in stages),
    )
    note = words("wave.years_note", launch=view.forecast.launch_year)
    chart = Chart(
        kind="line",
        category=0,
        values=tuple(range(1, len(columns))),
        unit=words("workbook.pupils"),
        rows=(0, len(rows)),
        split=view.forecast.launch_year,
    )
    return Table("wave", words("wave.years"), columns, rows, note=note, charts=(chart,))
