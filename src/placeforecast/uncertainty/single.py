"""Single trajectories: drawn again from the seed when they are asked for, never stored."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.tables.problems import AssumptionWarning, suggest
from placeforecast.uncertainty.central import central_of
from placeforecast.uncertainty.reduce import by_group, layout_of
from placeforecast.uncertainty.trajectories import draw_area

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from placeforecast.tables.doors import Array, Flags
    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.central import Central
    from placeforecast.uncertainty.trajectories import Sampling


def single_trajectories(
    tables: Mapping[str, pd.DataFrame],
    inputs: Inputs,
    assumptions: Assumptions,
    sampling: Sampling,
    district: str,
    stage: str,
    ledger: str,
    case: str,
) -> pd.DataFrame:
    """Return every trajectory of one district and stage.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Of the central run of one scenario: `pupils`, `demand` and `balance_cells`.
    inputs, assumptions : Inputs, Assumptions
        What it rests on.
    sampling : Sampling
        As the forecast was drawn.
    district, stage, ledger, case : str
        A district or parent, a stage or combined stage, a ledger and a plan case.

    Returns
    -------
    DataFrame [trajectory, year, pupils, demand, cell_shortfall, cell_surplus, places, balance]
        Pupils and places; trajectories are numbered from 0. Where the stage has no places, in whole
        or in part, the columns end at `demand`: it is not balanced.

    Raises
    ------
    ValueError
        If there is no such district, stage, ledger or plan case, or nobody of the stage is taught
        in the district.
    """
    central = central_of(tables, inputs, assumptions)
    _known("district", district, central.areas)
    _known("ledger", ledger, central.factor)
    groups = layout_of(central, ()).groups[ledger]
    _known("stage", stage, groups)
    taught = _cells(central.factor[ledger], central, district, stage)
    if not taught.any():
        raise ValueError(f"there is no {stage} of ledger {ledger} in {district}")
    cases = {of_case for of, of_case in central.places if of == ledger}
    if cases:
        _known("plan case", case, cases)
    with warnings.catch_warnings():
        # What is odd about the plan was said when the forecast was drawn.
        warnings.simplefilter("ignore", AssumptionWarning)
        learnt, number, seed = sampling.learnt, sampling.trajectories, sampling.seed
        sums = draw_area(central, learnt, district, number, seed)
    at = list(groups).index(stage)
    kept = {name: sums[name, ledger, ""][:, at] for name in ("pupils", "demand")}
    if cases and _cells(central.places[ledger, case], central, district, stage)[taught].all():
        for name in ("cell_shortfall", "cell_surplus"):
            kept[name] = sums[name, ledger, case][:, at]
        drawn = sums.get(("places", ledger, case))
        standing = _standing(central, district, ledger, case) if drawn is None else drawn
        kept["places"] = np.broadcast_to(standing[:, at], kept["demand"].shape)
        kept["balance"] = kept["places"] - kept["demand"]
    years = central.axes["year"]
    columns = {
        "trajectory": np.repeat(np.arange(number), len(years)),
        "year": np.tile(years, number),
    }
    return pd.DataFrame({**columns, **{name: cells.T.ravel() for name, cells in kept.items()}})


def _cells(array: Array, central: Central, district: str, stage: str) -> Flags:
    """Return which cells of a stage in a district or parent are there [year, grade, district]."""
    cells = array[:, central.groups[stage]][..., central.areas[district]]
    there: Flags = ~np.isnan(cells)
    return there


def _standing(central: Central, district: str, ledger: str, case: str) -> Array:
    """Return places that are the same in every trajectory [year, group, 1]."""
    layout = layout_of(central, ())
    columns = central.areas[district]
    places = np.nansum(central.places[ledger, case][..., columns], axis=2, keepdims=True)
    return by_group(places[:, layout.rows[ledger]], layout.groups[ledger])


def _known(what: str, name: str, names: Collection[str]) -> None:
    if name not in names:
        raise ValueError(f"there is no {what} {name!r}. {suggest(name, set(names))}")
