"""What the reader of a result must know of how its assumptions came about."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import pandas as pd

from placeforecast.tables.problems import AssumptionWarning
from placeforecast.tables.records import NOTES

SHOWN = 5


@dataclass
class Notes:
    """Notes that a computation collects on its way, for the report and as warnings."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, topic: str, text: str, *, warn: bool = True) -> None:
        """Keep a note; `warn` says it at once as an `AssumptionWarning` as well."""
        self.rows.append((topic, text))
        if warn:
            warnings.warn(AssumptionWarning(text), stacklevel=4)

    def table(self) -> pd.DataFrame:
        """Return the notes as a table [topic, text]."""
        return pd.DataFrame(self.rows, columns=list(NOTES))


def listed(items: list[str]) -> str:
    """Return the first few items and how many more there are."""
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more
