"""Tables as text that reads back exactly: a CSV, and what a CSV cannot say beside it."""

from __future__ import annotations

import csv
import io
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TEXTS = ("str", "object", "string")
TEXT_IS_A_TYPE = int(pd.__version__.split(".")[0]) > 2
"""Before pandas 3 columns of text are of type object."""
EMPTY = {"none": None, "nan": np.nan, "NA": pd.NA, "NaT": pd.NaT}


def table_to_text(table: pd.DataFrame) -> tuple[bytes, dict[str, Any]]:
    """Write a table as a CSV, with what is needed to read it back as it was.

    Parameters
    ----------
    table : DataFrame
        Named columns of numbers, truths, dates or text; an index of whole numbers.

    Returns
    -------
    tuple of bytes and dict
        The CSV (UTF-8 with a byte-order mark, which spreadsheets in China need; numbers with every
        digit that tells them apart; a blank cell is missing or an empty text), and its shape: rows,
        index, and for each column its type and, for text, the runs of kinds of cells.

    Raises
    ------
    TypeError
        For a column, a cell or an index that text cannot hold.
    """
    names = [_heading(name) for name in table.columns]
    columns: dict[str, Any] = {}
    cells = []
    for at, name in enumerate(names):
        column = table.iloc[:, at]
        text, runs = _cells(column, name)
        cells.append(text)
        columns[name] = {"type": str(column.dtype)} | ({} if runs is None else {"cells": runs})
    if len(columns) < len(names):
        raise TypeError(f"a column stands twice in {', '.join(names)}")
    # A lone carriage return is not put in quotes by itself, and would be read as a new row.
    returns = any("\r" in cell for column in (names, *cells) for cell in column)
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    )
    writer.writerow(names)
    writer.writerows(zip(*cells, strict=True))
    shape = {"rows": len(table), "index": _index(table.index), "columns": columns}
    return out.getvalue().encode("utf-8-sig"), shape


def table_from_text(data: bytes, shape: Mapping[str, Any]) -> pd.DataFrame:
    """Read a table that `table_to_text` wrote.

    Parameters
    ----------
    data : bytes
        The CSV.
    shape : mapping
        What was kept beside it.

    Returns
    -------
    DataFrame
        Equal to the one written: values, types, missing cells, order and index.
    """
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    names = lines[0] if lines else []
    cells = list(zip(*lines[1:], strict=True)) or [()] * len(names)
    index = _labels(str(shape["index"]), int(shape["rows"]))
    columns = {
        name: _column(text, shape["columns"][name], index)
        for name, text in zip(names, cells, strict=True)
    }
    return pd.DataFrame(columns, index=index)


def _heading(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a column is named by text, not by {name!r}")
    return name


def _cells(column: pd.Series[Any], name: str) -> tuple[list[str], str | None]:
    """Return a column as text; of text also which kind each cell is of."""
    kind = str(column.dtype)
    if kind in TEXTS:
        found = column.to_numpy(dtype=object).tolist()
        kinds = [_kind(cell, name) for cell in found]
        cells = [
            "" if kind in EMPTY else _plain(cell) for cell, kind in zip(found, kinds, strict=True)
        ]
        return cells, _runs(kinds)
    if column.dtype.kind not in "iufbM":
        raise TypeError(f"column {name} is of type {kind}, which a round cannot hold")
    missing = column.isna().tolist()
    filled = column.astype(object).tolist()
    pairs = zip(filled, missing, strict=True)
    return ["" if blank else _plain(cell) for cell, blank in pairs], None


def _plain(cell: Any) -> str:  # noqa: ANN401
    if isinstance(cell, str):
        return cell
    if isinstance(cell, pd.Timestamp):
        return cell.isoformat()
    if isinstance(cell, (float, np.floating)):
        return repr(float(cell))
    return str(cell)


def _kind(cell: Any, name: str) -> str:  # noqa: ANN401
    """Return the kind of a cell of text; the order tells a truth from a whole number."""
    if type(cell) is str:  # nearly every cell
        return "text"
    for kind, empty in EMPTY.items():
        if cell is empty or (kind == "nan" and isinstance(cell, float) and np.isnan(cell)):
            return kind
    known = (
        ("text", str),
        ("bool", (bool, np.bool_)),
        ("int", (int, np.integer)),
        ("float", (float, np.floating)),
        ("date", pd.Timestamp),
    )
    for kind, types in known:
        if isinstance(cell, types):
            return kind
    raise TypeError(f"column {name} holds {cell!r}, which a round cannot hold")


def _runs(kinds: Iterable[str]) -> str:
    return " ".join(f"{kind}*{len(list(run))}" for kind, run in groupby(kinds))


def _index(index: pd.Index[Any]) -> str:
    """Return an index as runs of whole numbers; blank if it counts from 0."""
    labels = [int(label) for label in index] if pd.api.types.is_integer_dtype(index) else None
    if labels is None and len(index):
        raise TypeError(f"rows are numbered by whole numbers, not by {index[0]!r}")
    if not labels or labels == list(range(len(labels))):
        return ""
    runs = groupby(enumerate(labels), key=lambda pair: pair[1] - pair[0])
    ends = [[label for _, label in run] for _, run in runs]
    return " ".join(f"{run[0]}:{run[-1] + 1}" for run in ends)


def _labels(text: str, rows: int) -> pd.Index[Any]:
    if not text:
        return pd.RangeIndex(rows)
    ends = [part.split(":") for part in text.split()]
    return pd.Index([label for first, end in ends for label in range(int(first), int(end))])


def _column(text: Sequence[str], column: Mapping[str, str], index: pd.Index[Any]) -> pd.Series[Any]:
    dtype = column["type"]
    if "cells" not in column:
        return pd.Series(_numbers(text, dtype), index=index, dtype=dtype)
    kinds: list[str] = []
    for run in column["cells"].split():
        kind, count = run.split("*")
        kinds += [kind] * int(count)
    cells = [_cell(part, kind) for part, kind in zip(text, kinds, strict=True)]
    series = pd.Series(cells, index=index, dtype=object)
    if dtype == "object" or not (TEXT_IS_A_TYPE or dtype == "string"):
        return series
    return series.astype(dtype)  # type: ignore[call-overload, no-any-return]


def _numbers(text: Sequence[str], dtype: str) -> list[Any]:
    if dtype.startswith("datetime"):
        return [pd.Timestamp(cell) if cell else pd.NaT for cell in text]
    if dtype in ("bool", "boolean"):
        return [cell == "True" if cell else pd.NA for cell in text]
    if dtype.lower().startswith("float"):
        missing = np.nan if dtype.startswith("float") else pd.NA
        return [float(cell) if cell else missing for cell in text]
    return [int(cell) if cell else pd.NA for cell in text]


def _cell(text: str, kind: str) -> Any:  # noqa: ANN401
    if kind in EMPTY:
        return EMPTY[kind]
    if kind == "bool":
        return text == "True"
    readers: dict[str, Any] = {"text": str, "int": int, "float": float, "date": pd.Timestamp}
    return readers[kind](text)
