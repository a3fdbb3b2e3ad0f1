"""Small charts side by side inside one pair of axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS, DOWN = 0.3, 0.62
"""Room between columns and between rows, in inches: names of years and a title lie in the last."""
TITLE = 0.24
"""Room for the titles of the first row, in inches."""


def panels(ax: Axes, count: int, *, columns: int) -> list[Axes]:
    """Divide axes into small ones, row by row; what is drawn lies inside of the axes given.

    Parameters
    ----------
    ax : Axes
        A frame: its own axis is switched off, its title stays.
    count : int
        How many are wanted.
    columns : int
        Most in a row.

    Returns
    -------
    list of Axes
        Children of `ax`, in its `child_axes`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from placeforecast.plot.panels import panels
    >>> frame = Figure().subplots()
    >>> len(panels(frame, 5, columns=3)), len(frame.child_axes)
    (5, 5)
    """
    ax.set_axis_off()
    columns = min(columns, count)
    rows = -(-count // columns)
    wide, high = np.asarray(ax.get_window_extent().size) / ax.figure.dpi
    across, down, top = ACROSS / wide, DOWN / high, TITLE / high
    width = (1 - (columns - 1) * across) / columns
    height = (1 - top - (rows - 1) * down) / rows
    at = [divmod(i, columns) for i in range(count)]
    return [
        ax.inset_axes(
            (column * (width + across), 1 - top - height - row * (height + down), width, height)
        )
        for row, column in at
    ]


def figure_height(count: int, *, columns: int, each: float = 1.5) -> float:
    """Return the inches that the panels need between the margins, each so many high."""
    rows = -(-count // columns)
    return rows * each + (rows - 1) * DOWN + TITLE
