"""Quantiles, chances and expected values beside the columns of the central run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from placeforecast.places.supply import RISK_ADJUSTED
from placeforecast.tables.doors import Array, look_up
from placeforecast.uncertainty.central import central_of
from placeforecast.uncertainty.trajectories import draw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.central import Central
    from placeforecast.uncertainty.reduce import Drawn
    from placeforecast.uncertainty.trajectories import Sampling

Positions = np.ndarray[Any, np.dtype[np.intp]]
Picked = Callable[..., Array]
CHANCES = (
    "chance_of_shortfall",
    "chance_first_shortfall",
    "expected_shortfall",
    "chance_of_cell_shortfall",
    "chance_first_cell_shortfall",
    "expected_cell_shortfall",
)


def suffix(quantile: float) -> str:
    """Return the ending of a quantile's column: 0.1 is ``p10``, 0.025 is ``p2_5``."""
    return "p" + f"{100 * quantile:g}".replace(".", "_")


def with_companions(
    tables: Mapping[str, pd.DataFrame],
    inputs: Inputs,
    assumptions: Assumptions,
    sampling: Sampling,
) -> dict[str, pd.DataFrame]:
    """Draw trajectories and put what they say beside the central figures.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        `pupils`, `demand` and `stages`, and where places are known `places`, `balance_cells` and
        `balance`, of the central run.
    inputs, assumptions : Inputs, Assumptions
        What it rests on.
    sampling : Sampling
        What is drawn, and what is kept of it.

    Returns
    -------
    dict of str to DataFrame
        The same tables with more columns.
    """
    quantiles = sampling.quantiles
    every = sorted({*quantiles, *(round(1 - quantile, 12) for quantile in quantiles)})
    central = central_of(tables, inputs, assumptions)
    number, seed = sampling.trajectories, sampling.seed
    drawn = draw(central, sampling.learnt, every, number, seed, jobs=sampling.jobs)
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


def _positions(axes: Mapping[str, list[Any]], table: pd.DataFrame) -> Positions:
    """Return where each row of a table stands in the flattened array of some axes."""
    shape = tuple(len(labels) for labels in axes.values())
    numbered = np.arange(np.prod(shape), dtype=float).reshape(shape)
    return look_up(numbered, axes, table).astype(np.intp)


def _beside(table: pd.DataFrame, columns: Mapping[str, Array]) -> pd.DataFrame:
    return table.assign(**dict(columns))


def _scale(table: pd.DataFrame, value: str, whole: Array) -> tuple[Array, Array]:
    """Return a value per pupil of the cell, and what there is of it where nobody is taught."""
    part = table[value].to_numpy(dtype=float)
    scale = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return scale, np.where(whole > 0, 0.0, part)


def _cells(
    table: pd.DataFrame,
    central: Central,
    drawn: Drawn,
    at: Mapping[float, int],
    values: list[str],
) -> pd.DataFrame:
    """Add quantiles to a table of cells: a value is a fixed multiple of the cell's pupils."""
    rows = _positions(central.axes, table)
    pupils = {quantile: drawn.cells[q].ravel()[rows] for quantile, q in at.items()}
    columns = {}
    for value in values:
        scale, still = _scale(table, value, central.pupils.ravel()[rows])
        for quantile, drawn_pupils in pupils.items():
            columns[f"{value}_{suffix(quantile)}"] = drawn_pupils * scale + still
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
    rows = _positions(central.axes, table)
    scale, still = _scale(table, "demand", central.pupils.ravel()[rows])
    places = table["places"].to_numpy(dtype=float)
    columns = {
        f"balance_{suffix(quantile)}": places - (drawn.cells[q].ravel()[rows] * scale + still)
        for quantile, q in mirror.items()
    }
    adjusted = (table["plan_case"] == RISK_ADJUSTED).to_numpy()
    for ledger, cells in drawn.cell_balance.items():
        own = np.flatnonzero(adjusted & (table["ledger"] == ledger).to_numpy())
        for quantile in mirror:
            joint = cells[at[quantile]].ravel()[rows[own]]
            column = columns[f"balance_{suffix(quantile)}"]
            column[own] = np.where(np.isnan(joint), column[own], joint)
    return _beside(table, columns)


def _picker(table: pd.DataFrame, central: Central, drawn: Drawn, *, by_case: bool) -> Picked:
    """Return how a figure of the sums is picked for each row of a table of stages."""
    axes = {
        "district": list(central.areas),
        "year": central.axes["year"],
        "stage": list(central.groups),
    }
    rows = _positions(axes, table)
    case = table["plan_case"] if by_case else pd.Series("", index=table.index)
    indices = table.groupby([table["ledger"], case], sort=False).indices
    groups = {cast("tuple[str, str]", key): index for key, index in indices.items()}

    def picked(name: str, row: int = 0, *, joint: bool = False) -> Array:
        """NaN where places are not drawn, of a figure of places and demand together."""
        out = np.full(len(table), np.nan)
        for (ledger, plan), index in groups.items():
            key = (name, ledger, plan)
            if key in drawn.sums or not joint:
                out[index] = drawn.sums[key][row].ravel()[rows[index]]
        return out

    return picked


def _stages(
    table: pd.DataFrame, central: Central, drawn: Drawn, at: Mapping[float, int]
) -> pd.DataFrame:
    picked = _picker(table, central, drawn, by_case=False)
    columns = {
        f"{name}_{suffix(quantile)}": picked(name, q)
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
    needed = _picker(table, central, drawn, by_case=False)
    by_case = _picker(table, central, drawn, by_case=True)
    columns: dict[str, Array] = {}
    for quantile, q in at.items():
        end = suffix(quantile)
        pupils, high = needed("pupils", q), needed("demand", q)
        low = needed("demand", mirror[quantile])
        columns[f"pupils_{end}"] = pupils
        columns[f"demand_{end}"] = high
        columns[f"balance_{end}"] = places - low
        columns[f"shortfall_{end}"] = np.maximum(high - places, 0.0)
        columns[f"surplus_{end}"] = np.maximum(places - low, 0.0)
        for name in ("cell_shortfall", "cell_surplus"):
            columns[f"{name}_{end}"] = by_case(name, q)
        columns[f"utilisation_{end}"] = np.divide(
            pupils, places, out=np.full_like(places, np.nan), where=places > 0
        )
        # Where places are drawn with demand, quantiles are of the two together.
        together = ~np.isnan(by_case("balance", q, joint=True))
        for name in ("balance", "shortfall", "surplus", "utilisation"):
            columns[f"{name}_{end}"][together] = by_case(name, q, joint=True)[together]
    columns |= {name: by_case(name) for name in CHANCES}
    columns["chance_of_warning"] = _chance_of_level(table, by_case)
    return _beside(table, columns)


def _chance_of_level(table: pd.DataFrame, picked: Picked) -> Array:
    """Return how often the level shown, or one further from normal, came up."""
    chance = np.full(len(table), np.nan)
    for level, index in table.groupby("warning", sort=False).indices.items():
        chance[index] = picked(f"chance_{level}")[index]
    return chance
