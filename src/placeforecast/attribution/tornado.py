"""What one figure of the balance hangs on: each driver moved alone, from low to high."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.attribution.scenarios import balance_of, refuse_unknown, scenarios_of
from placeforecast.attribution.swap import BY_YEAR_REACHED, Side, Swap
from placeforecast.attribution.waterfall import Asked, stages_named
from placeforecast.scenarios.adjust import BASELINE, adjust
from placeforecast.tables.check import check
from placeforecast.tables.problems import InputError
from placeforecast.tables.vocabulary import shipped

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

ENDS = ("low", "high")
YEARS = ("year", "year_from", "year_to")
OPERATIONS = {"multiply": "×{:g}", "add": "{:+g}", "set": "={}"}
COLUMNS = ["driver", "low", "high", "swing", "central", "low_change", "high_change", "note"]


@dataclass(frozen=True)
class End:
    """One end of the range of a driver.

    Attributes
    ----------
    figure : float
        The balance there; NaN where the range cannot be applied.
    change : str
        What is done to the tables.
    why : str
        Why there is no figure; blank if there is one.
    """

    figure: float
    change: str
    why: str


def tornado(
    forecast: Forecast,
    district: str,
    stage: str,
    year: int,
    *,
    ledger: str = "public",
    case: str = "planned",
    ranges: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Move each driver of one figure of the balance alone, from low to high.

    Central runs only. A row of `ranges` that names no year holds, in a table by the year reached,
    from the year after the launch: what is counted is not moved. A correction by the last error is
    not moved either: as many places in each end as in the forecast, though it goes by the pupils.

    Parameters
    ----------
    forecast : Forecast
        With places; of several scenarios the baseline.
    district, stage : str
        Parents and combined stages by name.
    year : int
    ledger : str
        Which ledger.
    case : str
        The plan case of the balance.
    ranges : DataFrame [driver, scenario, table, column, keys, multiply, add, set], optional
        Changes as in a table of scenarios; `scenario` is ``low`` or ``high``, and each driver has
        both. By default those that come with the library, with source and confidence
        (``shipped("ranges")``): judged, not measured here.

    Returns
    -------
    DataFrame [driver, low, high, swing, central, low_change, high_change, note, source, \
confidence, district, stage, year, ledger, plan_case]
        Places. `low` and `high` are the balance with the driver low and high, `central` that of the
        forecast; `swing` is their distance, the largest first. A driver that cannot be moved here
        stands last, without figures, and `note` says why.

    Raises
    ------
    InputError
        For a row of the ranges given that cannot be applied; one of a table that the assumptions
        do not have is left out, as long as the driver has another.
    ValueError
        For a name that the forecast does not have, ranges without a low or a high end, or where no
        driver can be moved.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.attribution.tornado import tornado
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": [2023, 2024], "grade": "P1",
    ...                         "pupils": [110.0, 110.0]})
    >>> places = pd.DataFrame({"district": "A", "year": [2024], "stage": "primary",
    ...                        "grade": "P1", "places": 115.0})
    >>> inputs = pf.Inputs(births=births, enrolment=counted, places=places)
    >>> result = pf.forecast(inputs, horizon=1)
    >>> ranges = pd.DataFrame({"driver": "entry", "scenario": ["low", "high"], "table": "intake",
    ...                        "multiply": [0.9, 1.1]})
    >>> table = tornado(result, "A", "primary", 2025, ledger="all", ranges=ranges).round(6)
    >>> table[["driver", "low", "high", "swing", "central", "low_change"]]
      driver   low  high  swing  central low_change
    0  entry  16.0  -6.0   22.0      5.0       ×0.9
    """
    if BASELINE not in scenarios_of(forecast):
        raise ValueError("the drivers are moved around the baseline: give the whole forecast")
    own, asked = forecast.of(), Asked(district, stage, year, ledger, case)
    refuse_unknown(own, asked)
    central = _central(own, asked)
    table = _ranges(shipped("ranges").replace("", None) if ranges is None else ranges)
    base = Side.of(own, before=own.assumptions)
    swap = Swap(base, base, year, year, stages_named(stage), ledger, case)
    # What the chain does not compute again, a correction by the last error, is held in places.
    fixed = central - _figure(swap, district, stage)
    found = []
    for driver, rows in table.groupby("driver", sort=False):
        low, high = (
            _end(swap, rows[rows["scenario"] == end], asked, fixed, strict=ranges is not None)
            for end in ENDS
        )
        swing = abs(high.figure - low.figure)
        note = "; ".join(dict.fromkeys(end.why for end in (low, high) if end.why))
        said = {name: _told(rows, name) for name in ("source", "confidence")}
        figures = (driver, low.figure, high.figure, swing, central, low.change, high.change, note)
        found.append(dict(zip(COLUMNS, figures, strict=True)) | said)
    made = pd.DataFrame(found)
    if made["swing"].isna().all():
        raise ValueError(f"no driver can be moved: {'; '.join(made['note'].unique())}")
    made = made.sort_values("swing", ascending=False, kind="stable", ignore_index=True)
    return made.assign(district=district, stage=stage, year=year, ledger=ledger, plan_case=case)


def _central(forecast: Forecast, asked: Asked) -> float:
    rows = balance_of(forecast)
    for column, wanted in {**asked.cell, "ledger": asked.ledger, "plan_case": asked.case}.items():
        rows = rows[rows[column] == wanted]
    if rows.empty:
        there = " ".join(str(part) for part in asked.cell.values())
        raise ValueError(f"there is no balance of {there} in ledger {asked.ledger}")
    return float(rows["balance"].iloc[0])


def _ranges(ranges: pd.DataFrame) -> pd.DataFrame:
    """Return ranges checked: each driver has a low and a high end."""
    if "driver" not in ranges.columns:
        raise ValueError("ranges have no column driver: say which rows belong together")
    if "after" in ranges.columns and ranges["after"].notna().any():
        raise ValueError("a range follows no other one: write all of its changes out")
    rows = check(ranges.drop(columns="driver"), "scenarios", called="ranges")
    rows = rows.assign(driver=[str(name) for name in ranges["driver"]])
    for driver, own in rows.groupby("driver", sort=False):
        ends = set(own["scenario"])
        if ends != set(ENDS):
            told = ", ".join(sorted(ends))
            raise ValueError(f"the range of {driver} needs scenarios low and high, not {told}")
    return rows


def _end(swap: Swap, rows: pd.DataFrame, asked: Asked, fixed: float, *, strict: bool) -> End:
    """Return the figure at one end of a range; what a range given does not fit is refused."""
    moved, applied, why = swap.a.assumptions, [], []
    try:
        for number in range(len(rows)):
            row = rows.iloc[[number]].drop(columns="driver")
            table = str(row["table"].iloc[0])
            if getattr(moved, table, moved) is None:
                why.append(f"no table {table} among the assumptions")
                continue
            try:
                moved = adjust(moved, _ahead(row, table, swap.a.launch_year))
            except InputError as error:
                if strict:
                    raise
                why.append(error.found[0].rule)
            else:
                applied.append(_change(row))
        change = ", ".join(dict.fromkeys(applied))
        if not applied:
            return End(np.nan, "", "; ".join(dict.fromkeys(why)))
        other = swap.towards(replace(swap.a, assumptions=moved))
        assert asked.district is not None  # both are named
        assert asked.stage is not None
        return End(_figure(other, asked.district, asked.stage) + fixed, change, "")
    except InputError as error:
        if strict:
            raise
        return End(np.nan, change, str(error.found[0]))


def _ahead(row: pd.DataFrame, table: str, launch: int) -> pd.DataFrame:
    """Let a change that names no year begin after the launch, where years are those reached."""
    named = any(name in row.columns and row[name].notna().any() for name in YEARS)
    return row if named or table not in BY_YEAR_REACHED else row.assign(year_from=launch + 1)


def _change(row: pd.DataFrame) -> str:
    """Return what a row does, such as ``×0.9``."""
    cells: dict[Any, Any] = row.iloc[0].dropna().to_dict()
    return next(text.format(cells[name]) for name, text in OPERATIONS.items() if name in cells)


def _told(rows: pd.DataFrame, name: str) -> str:
    """Return the texts of a column, each once."""
    if name not in rows.columns:
        return ""
    return "; ".join(dict.fromkeys(str(text) for text in rows[name].dropna()))


def _figure(swap: Swap, district: str, stage: str) -> float:
    """Return the balance of one district and stage, with every table of the second side."""
    _, balance = swap.figures(frozenset(swap.drivers()))
    assert balance is not None  # there is one in the forecast
    own = balance[(balance["district"] == district) & (balance["stage"] == stage)]
    return float(own["balance"].iloc[0])
