"""Charts of a workbook: each draws cells that stand on its sheet, and holds no number itself."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from placeforecast.report.xlsx_table import FONT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.report.model import Chart, Table
    from placeforecast.report.xlsx_table import Sheet, Spot

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D00", "#56B4E9", "#000000")
"""Told apart by readers who do not see all colours; the next series begin again."""
ROW_PIXELS = 20
"""Height of a row that nothing sets."""
ALONE = (900, 380)
"""Width and height of a single chart, in pixels."""
SMALL = (430, 260)
ACROSS = 3
"""Charts beside one another."""
TALLEST = 540
"""Height of all charts of a sheet: they stand at its top, and together fit on a printed page."""
GAP = 8
YEARS_APART = 5
"""On an axis of years, above so many of them."""


def charts_of(tables: Sequence[Table]) -> list[tuple[Table, Chart]]:
    """Return the charts of the tables of a sheet, in order."""
    return [(table, chart) for table in tables for chart in table.charts]


def rows_for(count: int) -> int:
    """Return how many rows a number of charts takes.

    Examples
    --------
    >>> from placeforecast.report.xlsx_charts import rows_for
    >>> [rows_for(count) for count in (0, 1, 3, 6)]
    [0, 20, 14, 27]
    """
    if not count:
        return 0
    height = _size(count)[1] * ceil(count / ACROSS)
    return ceil((height + GAP) / ROW_PIXELS)


def insert_charts(
    book: Any,  # noqa: ANN401
    sheet: Sheet,
    row: int,
    charts: Sequence[tuple[Table, Chart]],
    spots: dict[str, Spot],
) -> None:
    """Draw charts from a row on, over rows that hold nothing.

    Parameters
    ----------
    book, sheet : Workbook, Worksheet
    row : int
        Number of the first free row, from 0.
    charts : sequence of (Table, Chart)
    spots : dict of str to Spot
        Where each table stands on the sheet, by its key.
    """
    if not charts:
        return
    width, height = _size(len(charts))
    for at, (table, chart) in enumerate(charts):
        drawn = _drawn(book, sheet, table, chart, spots[table.key])
        drawn.set_size({"width": width - GAP, "height": height - GAP})
        place = {
            "x_offset": width * (at % ACROSS),
            "y_offset": height * (at // ACROSS),
            "description": table.title[:250],
        }
        sheet.insert_chart(row, 0, drawn, place)


def _size(count: int) -> tuple[int, int]:
    """Return width and height of each chart."""
    if count == 1:
        return ALONE
    return SMALL[0], min(SMALL[1], TALLEST // ceil(count / ACROSS))


def _drawn(book: Any, sheet: Sheet, table: Table, chart: Chart, spot: Spot) -> Any:  # noqa: ANN401
    """Return a chart whose every text and number, but for the unit, is a cell of the sheet."""
    line = chart.kind == "line"
    kind = {"type": "scatter", "subtype": "straight"} if line else {"type": "column"}
    drawn = book.add_chart(kind)
    hidden = []
    for at, column in enumerate(chart.values):
        for dashed, (first, stop) in _parts(table, chart):
            colour = COLOURS[at % len(COLOURS)]
            stroke = {"color": colour, "width": 2, "dash_type": "dash" if dashed else "solid"}
            own: dict[str, Any] = {"line": stroke} if line else {"fill": {"color": colour}}
            if dashed and chart.rows[0] < first:
                hidden.append(len(drawn.series))  # its first half stands in the legend
            drawn.add_series(
                {
                    "name": [sheet.name, spot.heading, column],
                    "categories": _cells(sheet, spot, first, stop, chart.category),
                    "values": _cells(sheet, spot, first, stop, column),
                    **own,
                }
            )
    _name(drawn, sheet, table, chart, spot)
    drawn.set_legend(
        {"position": "bottom", "font": {"name": FONT, "size": 9}, "delete_series": hidden}
    )
    return drawn


def _cells(sheet: Sheet, spot: Spot, first: int, stop: int, column: int) -> list[Any]:
    return [sheet.name, spot.first + first, column, spot.first + stop - 1, column]


def _parts(table: Table, chart: Chart) -> list[tuple[bool, tuple[int, int]]]:
    """Return the rows that are drawn in full and those that are dashed, which meet at one row."""
    first, stop = chart.rows
    if chart.split is None:
        return [(False, (first, stop))]
    seen = [at for at in range(first, stop) if _year(table, chart, at) <= chart.split]
    middle = seen[-1] if seen else first
    parts = [(False, (first, middle + 1)), (True, (middle, stop))]
    return [part for part in parts if part[1][1] - part[1][0] > 1]


def _year(table: Table, chart: Chart, row: int) -> int:
    year = table.rows[row][chart.category]
    assert isinstance(year, int)  # a line is drawn over years
    return year


def _name(drawn: Any, sheet: Sheet, table: Table, chart: Chart, spot: Spot) -> None:  # noqa: ANN401
    """Give a chart its title and the titles of its axes."""
    plain = {"name": FONT, "size": 9}
    at = (spot.title, 0) if chart.title is None else (spot.first + chart.rows[0], chart.title)
    bold = {"name": FONT, "size": 11, "bold": True}
    drawn.set_title({"name": [sheet.name, *at], "name_font": bold, "overlay": False})
    across: dict[str, Any] = {
        "name": [sheet.name, spot.heading, chart.category],
        "name_font": {**plain, "bold": False},
        "num_font": plain,
        "major_gridlines": {"visible": False},
        "label_position": "low",
    }
    if chart.kind == "line":
        ends = (_year(table, chart, chart.rows[0]), _year(table, chart, chart.rows[1] - 1))
        apart = YEARS_APART if ends[1] - ends[0] > YEARS_APART else 1
        across |= {"num_format": "0", "min": ends[0], "max": ends[1], "major_unit": apart}
    drawn.set_x_axis(across)
    drawn.set_y_axis(
        {
            "name": chart.unit,
            "name_font": {**plain, "bold": False},
            "num_font": plain,
            "num_format": "#,##0",
            "major_gridlines": {"visible": True, "line": {"color": "#E3E6EA", "width": 0.75}},
        }
    )
