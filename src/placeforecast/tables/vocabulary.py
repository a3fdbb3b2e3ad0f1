"""The vocabulary: every table, column and value that the library knows, declared once as data.

The declarations are the CSV files in ``tables/vocabulary``; checks, documentation and reports all
read them from here, so that a column is described in one place only.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["key", "free_key", "open_key", "value", "either", "optional"]
"""What a column is for.

``key``: part of what names a row. ``free_key``: the same, but the whole column may be left out,
which means "the same all along that axis". ``open_key``: the same, and a blank cell means "every".
``value``: must be there and filled. ``either``: at least one of the columns so marked must be
filled in each row. ``optional``: may be missing or blank.
"""

KEY_ROLES = ("key", "free_key", "open_key")
COMMON_COLUMNS = ("source", "confidence", "note")
"""Text columns that every table may carry: where a figure comes from and how far to trust it."""


@dataclass(frozen=True)
class Column:
    """One column of one table."""

    table: str
    name: str
    role: Role
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    values: str
    zh: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table of the vocabulary."""

    name: str
    zh: str
    used: bool
    ordered: bool
    """Whether rows apply in order, so that two may name the same."""
    meaning: str
    columns: tuple[Column, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key columns, in order."""
        return tuple(c.name for c in self.columns if c.role in KEY_ROLES)


@cache
def _rows(name: str) -> list[dict[str, str]]:
    text = files("placeforecast.tables").joinpath("vocabulary", f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def shipped(name: str) -> pd.DataFrame:
    """Return one of the shipped tables of the vocabulary, every cell as text."""
    return _frame(name).copy()


@cache
def _frame(name: str) -> pd.DataFrame:
    """Return a shipped table as it is read once; nobody but `shipped` holds this copy."""
    return pd.DataFrame(_rows(name), dtype=str)


def _number(text: str) -> float | None:
    return float(text) if text else None


@cache
def vocabulary() -> Mapping[str, Table]:
    """Return every table that the library knows, by name."""
    columns: dict[str, list[Column]] = {}
    for row in _rows("columns"):
        column = Column(
            table=row["table"],
            name=row["column"],
            role=row["role"],  # type: ignore[arg-type]
            kind=row["kind"],
            unit=row["unit"],
            minimum=_number(row["minimum"]),
            maximum=_number(row["maximum"]),
            values=row["values"],
            zh=row["zh"],
            meaning=row["meaning"],
        )
        columns.setdefault(column.table, []).append(column)
    return {
        row["table"]: Table(
            name=row["table"],
            zh=row["zh"],
            used=row["used"] == "yes",
            ordered=row["ordered"] == "yes",
            meaning=row["meaning"],
            columns=tuple(columns[row["table"]]),
        )
        for row in _rows("tables")
    }


@cache
def values(list_name: str) -> tuple[str, ...]:
    """Return the values that a column declared with this list may hold, in order."""
    return tuple(row["value"] for row in _rows("values") if row["list"] == list_name)


@cache
def chinese(list_name: str) -> Mapping[str, str]:
    """Return the values of a list by their Chinese names."""
    return {row["zh"]: row["value"] for row in _rows("values") if row["list"] == list_name}


@cache
def combined_stages() -> Mapping[str, tuple[str, ...]]:
    """Return the combined names of stages, such as compulsory = primary + junior."""
    members: dict[str, list[str]] = {}
    for row in _rows("combined_stages"):
        members.setdefault(row["combined"], []).append(row["stage"])
    return {name: tuple(stages) for name, stages in members.items()}


@cache
def school_systems() -> tuple[str, ...]:
    """Return the names of the shipped school systems."""
    return tuple(dict.fromkeys(row["system"] for row in _rows("grades")))


def ledger_sectors() -> pd.DataFrame:
    """Return which sectors each ledger holds [ledger, stage, sector, policy_indicator]."""
    return shipped("ledgers")
