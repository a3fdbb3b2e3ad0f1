"""A small forecast with two scenarios, to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

import placeforecast as pf
from frozen import flat, inputs_of

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

STANDING = pd.DataFrame(
    {"district": "A", "year": 2024, "stage": "primary", "grade": ["P1", "P2"], "places": 150.0}
)
BOTH = pd.DataFrame(
    {
        "scenario": ["both", "both", "entry"],
        "table": ["intake", "standards", "intake"],
        "stage": [None, "primary", None],
        "indicator": [None, "spare_share", None],
        "multiply": [12 / 11, None, 12 / 11],
        "set": [None, "0.2", None],
    }
)


def forecast_of_both(**options: Any) -> Forecast:  # noqa: ANN401
    """Return 110 pupils of 100 children in either grade, and 150 places for each."""
    inputs = inputs_of({"P1": flat(), "P2": flat()}, places=STANDING)
    return pf.forecast(inputs, scenarios=BOTH, **options)
