"""Write the pinned results of the example city: run by ``make baseline``, on purpose only.

``example_city.csv`` is the balance of the planned case for the city and each county, by stage and
ledger, in some years. Whoever changes it says which figures moved and why in ``CHANGELOG.md``,
under "Numbers that change".
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import placeforecast as pf

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.chain.record import Forecast

FILE = Path(__file__).with_name("example_city.csv")
YEARS = (2025, 2026, 2028, 2030, 2035, 2040)
KEYS = ["district", "year", "stage", "ledger"]
VALUES = [
    "pupils",
    "demand",
    "places",
    "balance",
    "cell_shortfall",
    "cell_surplus",
    "share_born",
]
DECIMALS = 3


def baseline(forecast: Forecast) -> pd.DataFrame:
    """Return the figures that are pinned.

    Parameters
    ----------
    forecast : Forecast
        Of the example city.

    Returns
    -------
    DataFrame [district, year, stage, ledger, pupils, demand, places, balance, cell_shortfall, \
cell_surplus, share_born]
    """
    rows = forecast.balance
    assert rows is not None
    rows = rows[
        (rows["plan_case"] == "planned")
        & rows["level"].isin(["city", "county"])
        & rows["year"].isin(YEARS)
    ]
    order = list(dict.fromkeys(rows["stage"]))
    rank = rows["stage"].map(order.index)
    kept = rows.assign(rank=rank).sort_values(["district", "rank", "ledger", "year"])
    return kept[[*KEYS, *VALUES]].reset_index(drop=True).round(DECIMALS)


if __name__ == "__main__":
    table = baseline(pf.forecast(pf.load_example("city")))
    table.to_csv(FILE, index=False, lineterminator="\n")
    sys.stdout.write(f"{FILE}: {len(table)} rows\n")
