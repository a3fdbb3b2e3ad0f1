"""Fertility, survival and migration of the years that the tables do not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from placeforecast.rates.notes import Notes
    from placeforecast.tables.records import Inputs

HELD = ("fertility", "survival", "migration", "sex_ratio_at_birth")
CHINA_SEX_RATIO = 1.11  # registered births of 2020: 529.0 / 474.5 = 1.115; the trend is falling


def held_rates(inputs: Inputs, last_year: int, notes: Notes) -> dict[str, pd.DataFrame | None]:
    """Return the demographic rates with their last year held up to the last year needed.

    A table without a column `year` holds for every year as it is. A gap inside the years given is
    not filled: the projection names it.

    Parameters
    ----------
    inputs : Inputs
        With the tables as given.
    last_year : int
        Last year of the projection.
    notes : Notes
        Collects each hold.
    """
    rates = {name: _held(name, getattr(inputs, name), last_year, notes) for name in HELD}
    chinese = inputs.settings.school_system.startswith("cn-")
    if rates["sex_ratio_at_birth"] is None and inputs.population is not None and chinese:
        rates["sex_ratio_at_birth"] = pd.DataFrame({"ratio": [CHINA_SEX_RATIO]})
        text = f"sex ratio at birth: {CHINA_SEX_RATIO}, the default for China"
        notes.add("sex_ratio_at_birth", text, warn=False)
    return rates


def _held(
    name: str, table: pd.DataFrame | None, last_year: int, notes: Notes
) -> pd.DataFrame | None:
    if table is None or "year" not in table.columns:
        return table
    last_given = int(table["year"].max())
    if last_given >= last_year:
        return table
    latest = table[table["year"] == last_given]
    later = [latest.assign(year=year) for year in range(last_given + 1, last_year + 1)]
    text = f"{name}: the rates of {last_given} are held up to {last_year}"
    notes.add(name, text, warn=False)
    return pd.concat([table, *later], ignore_index=True)
