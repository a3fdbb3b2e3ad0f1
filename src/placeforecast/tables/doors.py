"""The two doors between long tables and arrays with named axes.

Nowhere else in the library is a table merged on demographic keys: a cell that a computation needs
and a table does not hold is an error here, and never becomes a zero further on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.problems import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Axes = dict[str, "Sequence[Any]"]
Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def _named(axes: Mapping[str, Sequence[Any]], flat: int) -> str:
    labels = [list(values) for values in axes.values()]
    place = np.unravel_index(flat, [len(values) for values in labels])
    cell = (f"{n} {v[int(i)]}" for n, v, i in zip(axes, labels, place, strict=True))
    return ", ".join(cell)


def _flat_positions(
    table: pd.DataFrame, axes: Mapping[str, Sequence[Any]], name: str
) -> np.ndarray[Any, np.dtype[np.intp]]:
    flat = np.zeros(len(table), dtype=np.intp)
    for axis, labels in axes.items():
        index = pd.Index(labels)
        codes = index.get_indexer(pd.Index(table[axis]))
        if (codes < 0).any():
            strangers = table.loc[codes < 0, axis].unique()
            raise InputError(
                [
                    Problem(
                        file=name,
                        column=axis,
                        value=str(strangers[0]),
                        rule=f"is not on the axis ({len(strangers)} such labels)",
                        remedy=f"Known: {', '.join(map(str, list(labels)[:12]))}.",
                    )
                ]
            )
        flat = flat * len(index) + codes
    return flat


def _finite(cells: pd.Series[Any], name: str) -> Array:
    numbers = cells.to_numpy(dtype=float)
    if np.isinf(numbers).any():
        rule = "holds a number without end"
        remedy = "Give a finite number."
        raise InputError([Problem(file=name, column=str(cells.name), rule=rule, remedy=remedy)])
    return numbers


def to_array(
    table: pd.DataFrame,
    axes: Mapping[str, Sequence[Any]],
    value: str,
    *,
    name: str = "",
    holes: bool = False,
) -> Array:
    """Turn a long table into an array whose axes are the ones asked for.

    Parameters
    ----------
    table : DataFrame
        One row per cell: a column per axis, and `value`. A column that is missing altogether means
        "the same all along that axis".
    axes : mapping of str to sequence
        Name and labels of each axis, in order.
    value : str
        The column of numbers.
    name : str
        What to call the table in an error; `value` if left out.
    holes : bool
        Leave missing cells as NaN instead of raising. For the history of a rate only, where a gap
        shortens the fit.

    Returns
    -------
    ndarray
        Floats, one dimension per axis. May be a read-only view where an axis is broadcast.

    Raises
    ------
    InputError
        For a cell that is missing, given twice, blank, or not on an axis; names the first.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.tables.doors import to_array
    >>> survival = pd.DataFrame({"age": [0, 1], "survival": [0.99, 0.999]})
    >>> to_array(survival, {"district": ["A", "B"], "age": [0, 1]}, "survival")
    array([[0.99 , 0.999],
           [0.99 , 0.999]])
    """
    return to_arrays(table, axes, [value], name=name or value, holes=holes)[value]


def to_arrays(
    table: pd.DataFrame,
    axes: Mapping[str, Sequence[Any]],
    values: Sequence[str],
    *,
    name: str,
    holes: bool = False,
) -> dict[str, Array]:
    """Turn several columns of a long table into arrays, as `to_array` does one.

    The rows are found on the axes once for all of them.

    Parameters
    ----------
    table, axes, name, holes
        As for `to_array`.
    values : sequence of str
        The columns of numbers.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    InputError
        As `to_array`.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.tables.doors import to_arrays
    >>> table = pd.DataFrame({"age": [0, 1], "children": [90.0, 80.0], "pupils": [0.0, 70.0]})
    >>> to_arrays(table, {"age": [0, 1]}, ["children", "pupils"], name="table")["pupils"]
    array([ 0., 70.])
    """
    given = {axis: labels for axis, labels in axes.items() if axis in table.columns}
    shape = [len(labels) for labels in given.values()]
    size = int(np.prod(shape, dtype=np.intp))
    flat = _flat_positions(table, given, name)
    repeated = np.bincount(flat, minlength=size) > 1
    expanded = tuple(slice(None) if axis in given else np.newaxis for axis in axes)
    full = tuple(len(labels) for labels in axes.values())
    arrays = {}
    for value in values:
        array = np.full(size, np.nan)
        array[flat] = _finite(table[value], name)
        if repeated.any():
            first = _named(given, int(np.argmax(repeated)))
            raise InputError(
                [Problem(file=name, rule=f"repeats a cell: {first}", remedy="Keep one row of it.")]
            )
        missing = np.isnan(array)
        if missing.any() and not holes:
            rule = f"lacks {int(missing.sum())} of {array.size} cells, first: "
            remedy = "Add the rows; what is nothing is written as 0."
            first = _named(given, int(np.argmax(missing)))
            raise InputError([Problem(file=name, column=value, rule=rule + first, remedy=remedy)])
        arrays[value] = np.broadcast_to(array.reshape(shape)[expanded], full)
    return arrays


def to_table(
    array: Array,
    axes: Mapping[str, Sequence[Any]],
    value: str,
    *,
    where: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
) -> pd.DataFrame:
    """Turn an array into a long table, one row per cell, in the order of the axes.

    Parameters
    ----------
    array : ndarray
        One dimension per axis.
    axes : mapping of str to sequence
        Name and labels of each axis, in order.
    value : str
        What to call the column of numbers.
    where : ndarray of bool, optional
        Cells to write; the rest does not exist. All of them if left out.

    Returns
    -------
    DataFrame
        A column per axis, and `value`.

    Raises
    ------
    InputError
        For a cell to be written that is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.tables.doors import to_table
    >>> to_table(np.array([[1.0, 2.0]]), {"district": ["A"], "year": [2020, 2021]}, "births")
      district  year  births
    0        A  2020     1.0
    1        A  2021     2.0
    """
    labels = {axis: pd.Index(list(values)) for axis, values in axes.items()}
    shape = tuple(len(index) for index in labels.values())
    flat = np.broadcast_to(array, shape).reshape(-1)
    kept = np.arange(flat.size) if where is None else np.flatnonzero(np.broadcast_to(where, shape))
    broken = ~np.isfinite(flat[kept])
    if broken.any():
        first = _named(axes, int(kept[int(np.argmax(broken))]))
        rule = f"{int(broken.sum())} cells came out as no number, first: {first}"
        raise InputError([Problem(file=value, rule=rule, remedy="Check what this cell rests on.")])
    places = np.unravel_index(kept, shape)
    columns = {axis: index.take(i) for (axis, index), i in zip(labels.items(), places, strict=True)}
    return pd.DataFrame({**columns, value: flat[kept]})


def look_up(array: Array, axes: Mapping[str, Sequence[Any]], table: pd.DataFrame) -> Array:
    """Return the cells of an array that the rows of a table name.

    Parameters
    ----------
    array : ndarray
        One dimension per axis.
    axes : mapping of str to sequence
        Name and labels of each axis, in order.
    table : DataFrame
        With a column per axis.

    Returns
    -------
    ndarray [row]

    Raises
    ------
    InputError
        For a row that is not on the axes.
    """
    cells: Array = array.reshape(-1)[_flat_positions(table, axes, "table")]
    return cells
