"""How a record of tables shows itself in a notebook."""

from __future__ import annotations

from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN_ROWS = 5


def _tables(record: Any) -> Iterator[tuple[str, pd.DataFrame]]:  # noqa: ANN401
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, pd.DataFrame):
            yield field.name, value


def record_html(record: Any) -> str:  # noqa: ANN401
    """Return a record of tables as HTML: each table's size, columns and first rows."""
    parts = [f"<b>{escape(type(record).__name__)}</b>"]
    for name, table in _tables(record):
        head = table.head(SHOWN_ROWS).to_html(index=False, border=0)
        count = f"{len(table):,} rows: {escape(', '.join(map(str, table.columns)))}"
        parts.append(f"<details><summary>{escape(name)} ({count})</summary>{head}</details>")
    return "\n".join(parts)


def record_text(record: Any) -> str:  # noqa: ANN401
    """Return a record of tables as one line per table."""
    lines = [type(record).__name__]
    lines += [f"  {n}: {len(t):,} rows [{', '.join(t.columns)}]" for n, t in _tables(record)]
    return "\n".join(lines)
