"""Quantiles, chances and expected values beside the columns of the central run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.places.delivery import project_outcomes
from placeforecast.places.rollup import area_columns, cell_axes, stage_rows
from placeforecast.places.supply import RISK_ADJUSTED
from placeforecast.tables.doors import Array, look_up, to_array
from placeforecast.tables.grades import ages_of
from placeforecast.uncertainty.calibrate import top_of
from placeforecast.uncertainty.deliveries import Deliveries, deliveries
from placeforecast.uncertainty.trajectories import Central, Drawn, draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.learn import Learnt


def suffix(quantile: float) -> str:
    """Return the ending of a quantile's column: 0.1 is ``p10``, 0.025 is ``p2_5``."""
    return "p" + f"{100 * quantile:g}".replace(".", "_")


def with_companions(
    tables: Mapping[str, pd.DataFrame],
    inputs: Inputs,
    assumptions: Assumptions,
    learnt: Learnt,
    quantiles: Sequence[float],
    drawn_with: tuple[int, int],
) -> dict[str, pd.DataFrame]:
    """Draw trajectories and put what they say beside the central figures.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        `pupils`, `demand` and `stages`, and where places are known `places`, `balance_cells` and
        `balance`, of the central run.
    inputs, assumptions : Inputs, Assumptions
        What it rests on.
    learnt : Learnt
        Errors to draw from.
    quantiles : sequence of float
    drawn_with : tuple of int
        Number of trajectories and seed.

    Returns
    -------
    dict of str to DataFrame
        The same tables with more columns.
    """
    every = sorted({*quantiles, *(round(1 - quantile, 12) for quantile in quantiles)})
    central = _central(tables, inputs, assumptions)
    drawn = draw(central, learnt, every, *drawn_with)
    at = {quantile: every.index(quantile) for quantile in quantiles}
    mirror = {quantile: every.index(round(1 - quantile, 12)) for quantile in quantiles}
    done = dict(tables)
    done["pupils"] = _cells(tables["pupils"], central, drawn, at, ["pupils"])
    done["demand"] = _cells(tables["demand"], central, drawn, at, ["pupils", "demand"])
    done["stages"] = _stages(tables["stages"], central, drawn, at)
    if "balance" in tables:
        cells = _cells(tables["balance_cells"], central, drawn, at, ["demand"])
        done["balance_cells"] = _balance_cells(cells, central, drawn, at, mirror)
        done["balance"] = _balance(tables["balance"], central, drawn, at, mirror)
    return done


def _central(
    tables: Mapping[str, pd.DataFrame], inputs: Inputs, assumptions: Assumptions
) -> Central:
    assert inputs.grades is not None  # filled by Inputs
    pupils = tables["pupils"]
    if "residence" in pupils.columns:
        keys = ["district", "year", "grade"]
        pupils = pupils.groupby(keys, as_index=False, sort=False).agg(pupils=("pupils", "sum"))
    axes = cell_axes(pupils, inputs.grades)
    array = to_array(pupils, axes, "pupils", holes=True)
    per: dict[str, dict[str, Array]] = {"pupils": {}, "demand": {}}
    still: dict[str, dict[str, Array]] = {"pupils": {}, "demand": {}}
    needed: dict[str, Array] = {}
    for ledger, rows in tables["demand"].groupby("ledger", sort=False):
        for value in per:
            total = to_array(rows, axes, value, holes=True)
            per[value][str(ledger)] = _per_pupil(total, array)
            still[value][str(ledger)] = np.where(array > 0, 0.0, total)
        needed[str(ledger)] = to_array(rows, axes, "demand", holes=True)
    places = {}
    if "balance_cells" in tables:
        for key, rows in tables["balance_cells"].groupby(["ledger", "plan_case"], sort=False):
            places[str(key[0]), str(key[1])] = to_array(rows, axes, "places", holes=True)
    cohorts, born = _cohorts(assumptions, axes)
    rows_of = inputs.grades.set_index("grade")
    return Central(
        pupils=array,
        share=per["pupils"],
        factor=per["demand"],
        still=still["pupils"],
        needed_still=still["demand"],
        places=places,
        axes=axes,
        ages=[ages_of(rows_of.loc[grade].to_dict()) for grade in axes["grade"]],
        like=_like(axes["grade"], inputs),
        share_born=born,
        cohorts=cohorts,
        areas=area_columns(axes["district"], inputs.districts),
        groups=stage_rows(axes["grade"], inputs.grades),
        parents=top_of(inputs.districts, axes["district"]),
        deliveries=_deliveries(needed, places, axes, inputs, assumptions),
    )


def _deliveries(
    needed: Mapping[str, Array],
    places: Mapping[tuple[str, str], Array],
    axes: dict[str, list[Any]],
    inputs: Inputs,
    assumptions: Assumptions,
) -> Deliveries:
    """Return the uncertain projects, where there is a risk-adjusted case that draws them."""
    assert inputs.grades is not None  # filled by Inputs
    ledgers = {ledger for ledger, case in places if case == RISK_ADJUSTED}
    if not ledgers:
        return Deliveries()
    outcomes = project_outcomes(assumptions, axes["year"], axes["grade"], grades=inputs.grades)
    demand = {ledger: cells for ledger, cells in needed.items() if ledger in ledgers}
    planned = (assumptions.standards, inputs.districts)
    return deliveries(outcomes, demand, axes, inputs.grades, *planned)


def _per_pupil(total: Array, pupils: Array) -> Array:
    """Return a value per pupil; NaN where the ledger does not exist, 0 where nobody is taught."""
    ratio = np.divide(total, pupils, out=np.zeros_like(total), where=pupils > 0)
    return np.where(np.isnan(total), np.nan, ratio)


def _like(names: list[str], inputs: Inputs) -> list[int]:
    """Return for each grade the row of the counted grade whose errors it has."""
    assert inputs.enrolment is not None  # required of every region
    assert inputs.grades is not None  # filled by Inputs
    taught = set(inputs.enrolment["grade"])
    counted = [grade for grade in inputs.grades["grade"] if grade in taught]
    rows = inputs.grades.set_index("grade")
    age = rows["entry_age"].to_dict()
    return [
        counted.index(name)
        if name in taught
        else next(i for i, other in enumerate(counted) if age[other] == age[name])
        for name in names
    ]


def _cohorts(assumptions: Assumptions, axes: dict[str, list[Any]]) -> tuple[list[int], Array]:
    """Return the cohorts up to the last year and the share of each that is recorded."""
    births = assumptions.births
    last = axes["year"][-1]
    if births is None or "share_born" not in births.columns:
        return [], np.ones((0, len(axes["district"])))
    births = births[births["district"].isin(axes["district"]) & (births["year"] <= last)]
    cohorts = list(range(int(births["year"].min()), last + 1))
    shape = {"year": cohorts, "district": axes["district"]}
    share = to_array(births, shape, "share_born", holes=True)
    first = births.loc[births["share_born"] > 0, "year"].max()
    ahead = np.array(cohorts)[:, np.newaxis] > first
    return cohorts, np.where(np.isnan(share), np.where(ahead, 0.0, 1.0), share)


def _beside(table: pd.DataFrame, columns: Mapping[str, Array]) -> pd.DataFrame:
    return table.assign(**dict(columns))


def _cells(
    table: pd.DataFrame,
    central: Central,
    drawn: Drawn,
    at: Mapping[float, int],
    values: list[str],
) -> pd.DataFrame:
    """Add quantiles to a table of cells: a value is a fixed multiple of the cell's pupils."""
    whole = look_up(central.pupils, central.axes, table)
    columns = {}
    for value in values:
        part = table[value].to_numpy(dtype=float)
        scale = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
        still = np.where(whole > 0, 0.0, part)
        for quantile, q in at.items():
            pupils = look_up(drawn.cells[q], central.axes, table)
            columns[f"{value}_{suffix(quantile)}"] = pupils * scale + still
    return _beside(table, columns)


def _balance_cells(
    table: pd.DataFrame,
    central: Central,
    drawn: Drawn,
    at: Mapping[float, int],
    mirror: Mapping[float, int],
) -> pd.DataFrame:
    """Add quantiles of the balance: a low balance is a high demand, from the other side.

    Where places are drawn as well, they are quantiles of the two together.
    """
    whole = look_up(central.pupils, central.axes, table)
    demand = table["demand"].to_numpy(dtype=float)
    scale = np.divide(demand, whole, out=np.zeros_like(demand), where=whole > 0)
    still = np.where(whole > 0, 0.0, demand)
    columns = {
        f"balance_{suffix(quantile)}": table["places"].to_numpy(dtype=float)
        - (look_up(drawn.cells[q], central.axes, table) * scale + still)
        for quantile, q in mirror.items()
    }
    adjusted = table["plan_case"] == RISK_ADJUSTED
    for ledger, cells in drawn.cell_balance.items():
        own = np.flatnonzero(adjusted & (table["ledger"] == ledger))
        for quantile in mirror:
            joint = look_up(cells[at[quantile]], central.axes, table.iloc[own])
            column = columns[f"balance_{suffix(quantile)}"]
            column[own] = np.where(np.isnan(joint), column[own], joint)
    return _beside(table, columns)


def _picked(
    table: pd.DataFrame, central: Central, drawn: Drawn, name: str, row: int, *, by_case: bool
) -> Array:
    """Return one row of the sums for each row of a table of stages."""
    axes = {
        "district": list(central.areas),
        "year": central.axes["year"],
        "stage": list(central.groups),
    }
    out = np.full(len(table), np.nan)
    keys = ["ledger", "plan_case"] if by_case else ["ledger"]
    for key, index in table.groupby(keys, sort=False).indices.items():
        parts = key if isinstance(key, tuple) else (key,)
        ledger, case = str(parts[0]), str(parts[1]) if by_case else ""
        out[index] = look_up(drawn.sums[name, ledger, case][row], axes, table.iloc[index])
    return out


def _stages(
    table: pd.DataFrame, central: Central, drawn: Drawn, at: Mapping[float, int]
) -> pd.DataFrame:
    columns = {
        f"{name}_{suffix(quantile)}": _picked(table, central, drawn, name, q, by_case=False)
        for name in ("pupils", "demand")
        for quantile, q in at.items()
    }
    return _beside(table, columns)


def _balance(
    table: pd.DataFrame,
    central: Central,
    drawn: Drawn,
    at: Mapping[float, int],
    mirror: Mapping[float, int],
) -> pd.DataFrame:
    places = table["places"].to_numpy(dtype=float)
    columns: dict[str, Array] = {}
    for quantile, q in at.items():
        end = suffix(quantile)
        pupils = _picked(table, central, drawn, "pupils", q, by_case=False)
        high = _picked(table, central, drawn, "demand", q, by_case=False)
        low = _picked(table, central, drawn, "demand", mirror[quantile], by_case=False)
        columns[f"pupils_{end}"] = pupils
        columns[f"demand_{end}"] = high
        columns[f"balance_{end}"] = places - low
        columns[f"shortfall_{end}"] = np.maximum(high - places, 0.0)
        columns[f"surplus_{end}"] = np.maximum(places - low, 0.0)
        for name in ("cell_shortfall", "cell_surplus"):
            columns[f"{name}_{end}"] = _picked(table, central, drawn, name, q, by_case=True)
        stands = places > 0
        columns[f"utilisation_{end}"] = np.divide(
            pupils, places, out=np.full_like(places, np.nan), where=stands
        )
        _put_joint(columns, table, central, drawn, quantile, q)
    for name in (
        "chance_of_shortfall",
        "expected_shortfall",
        "chance_of_cell_shortfall",
        "expected_cell_shortfall",
    ):
        columns[name] = _picked(table, central, drawn, name, 0, by_case=True)
    columns["chance_of_warning"] = _chance_of_level(table, central, drawn)
    return _beside(table, columns)


def _put_joint(
    columns: dict[str, Array],
    table: pd.DataFrame,
    central: Central,
    drawn: Drawn,
    quantile: float,
    q: int,
) -> None:
    """Put quantiles of places and demand together where places are drawn with demand."""
    ledgers = {key[1] for key in drawn.sums if key[0] == "balance"}
    own = np.flatnonzero((table["plan_case"] == RISK_ADJUSTED) & table["ledger"].isin(ledgers))
    rows = table.iloc[own]
    together = ~np.isnan(_picked(rows, central, drawn, "balance", q, by_case=True))
    for name in ("balance", "shortfall", "surplus", "utilisation"):
        joint = _picked(rows, central, drawn, name, q, by_case=True)
        columns[f"{name}_{suffix(quantile)}"][own[together]] = joint[together]


def _chance_of_level(table: pd.DataFrame, central: Central, drawn: Drawn) -> Array:
    """Return how often the level shown, or one further from normal, came up."""
    chance = np.full(len(table), np.nan)
    for level, index in table.groupby("warning", sort=False).indices.items():
        rows = table.iloc[index]
        chance[index] = _picked(rows, central, drawn, f"chance_{level}", 0, by_case=True)
    return chance
