"""A back-test as tables to print."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SHARES = (
    "mape",
    "wape",
    "bias",
    "pinball",
    "coverage_80",
    "width_80",
    "coverage_95",
    "width_95",
    "hit_rate",
    "false_alarm_rate",
    "skill",
)


def accuracy_table(errors: pd.DataFrame) -> str:
    """Return the measures of a back-test by model, stage and lead, in percent, as text."""
    from placeforecast.evaluation.backtest import WHOLE
    from placeforecast.evaluation.measures import measures

    table = measures(errors[errors["grade"] == WHOLE], ["stage", "lead", "model"])
    return in_percent(table).to_string(index=False)


def in_percent(table: pd.DataFrame) -> pd.DataFrame:
    """Return measures with shares as percent to two decimals; a dash where there is none."""
    shown = table.copy()
    for column in SHARES:
        if column in shown.columns:
            shown[column] = [
                "-" if math.isnan(value) else f"{100 * value:.2f}"
                for value in shown[column].astype(float)
            ]
    return shown
