"""Which districts a reader is shown: the whole region and those right below it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.review.areas import areas_of
from placeforecast.tables.districts import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from placeforecast.chain.record import Forecast
    from placeforecast.plot.words import Words
    from placeforecast.review.areas import Areas

SUMMED = ("pupils", "demand", "places", "balance", "cell_shortfall", "cell_surplus")


def balances_of(
    forecast: Forecast,
    areas: Areas,
    districts: Sequence[str | None],
    wanted: Mapping[str, str] | None = None,
) -> dict[str | None, pd.DataFrame]:
    """Return the rows of `balance` of each district that has some.

    Parameters
    ----------
    forecast : Forecast
    areas : Areas
        From `areas_of`.
    districts : sequence of str or None
        None adds up the highest districts.
    wanted : Mapping of str to str, optional
        Values that rows must have, by column.

    Returns
    -------
    dict of DataFrame [year, stage, ledger, plan_case, pupils, demand, places, balance, shortfall, \
surplus, cell_shortfall, cell_surplus, utilisation, share_born]

    Raises
    ------
    ValueError
        If the forecast has no balance, or there is no such district.
    """
    if forecast.balance is None:
        raise ValueError("the forecast has no balance: its inputs have no table of places")
    rows = forecast.balance
    for column, value in (wanted or {}).items():
        rows = rows[rows[column] == value]
    parts: dict[str | None, pd.DataFrame] = {}
    for name, part in rows.groupby("district", sort=False):
        parts[str(name)] = part
    for district in districts:
        areas.below(district)  # refuses a stranger
    if None in districts and len(rows):
        parts[None] = _together(rows[rows["district"].isin(areas.units)])
    return {district: parts[district] for district in districts if district in parts}


def _together(rows: pd.DataFrame) -> pd.DataFrame:
    """Add up the balances of several districts."""
    keys = ["year", "stage", "ledger", "plan_case"]
    rows = rows.assign(born=rows["share_born"] * rows["pupils"])
    total = rows.groupby(keys, as_index=False, sort=False)[[*SUMMED, "born"]].sum(min_count=1)
    total["shortfall"] = np.maximum(-total["balance"], 0.0)
    total["surplus"] = np.maximum(total["balance"], 0.0)
    total["utilisation"] = total["pupils"] / total["places"].where(total["places"] > 0)
    total["share_born"] = total["born"] / total["pupils"].where(total["pupils"] > 0)
    return total.drop(columns="born")


def stages_balanced(forecast: Forecast) -> list[str]:
    """Return the stages of the balance, as its rows have them; combined stages are left out."""
    if forecast.balance is None or forecast.balance_cells is None:
        return []
    single = set(forecast.balance_cells["stage"])
    return [s for s in dict.fromkeys(forecast.balance["stage"]) if s in single]


def main_ledger(forecast: Forecast, stage: str) -> str:
    """Return the ledger that a stage is judged by: public where there is one, else all."""
    assert forecast.balance is not None
    rows = forecast.balance[forecast.balance["stage"] == stage]
    ledgers = list(dict.fromkeys(rows["ledger"]))
    return next((name for name in ("public", "all") if name in ledgers), ledgers[0])


def printed_names(forecast: Forecast, words: Words) -> Mapping[str | None, str]:
    """Return the name to print of each district, and of all of them together (None).

    Districts that share a name get their code behind it.
    """
    districts = areas_of(forecast).leaves
    given = names(forecast.inputs.districts)
    named = {str(d): str(given.get(d, d)) for d in districts}
    count = Counter(named.values())
    printed: dict[str | None, str] = {
        d: f"{name} ({d})" if count[name] > 1 and name != d else name for d, name in named.items()
    }
    printed[None] = forecast.inputs.settings.name or words("area.whole")
    return printed
