"""The central run as arrays, which trajectories are drawn around."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.places.delivery import project_outcomes
from placeforecast.places.rollup import area_columns, cell_axes, stage_rows
from placeforecast.places.supply import RISK_ADJUSTED
from placeforecast.tables.doors import Array, to_array
from placeforecast.tables.grades import ages_of
from placeforecast.uncertainty.calibrate import top_of
from placeforecast.uncertainty.deliveries import Deliveries, deliveries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from placeforecast.tables.records import Assumptions, Inputs

Key = tuple[str, str]


@dataclass(frozen=True)
class Central:
    """The central run as arrays [year, grade, district]; NaN where a cell does not exist.

    Attributes
    ----------
    pupils : ndarray
        The launch year first.
    share, factor : mapping of str to ndarray
        By ledger: pupils of the ledger and places needed, each per pupil of the cell.
    still, needed_still : mapping of str to ndarray
        The same where the cell has no pupils of its own (all of them come from elsewhere): as many
        in every trajectory.
    places : mapping of (ledger, plan case) to ndarray
    axes : mapping
        Labels of `year`, `grade` and `district`.
    ages : list of list of int
        Ages of each grade's pupils.
    like : list of int
        For each grade the row of the errors that it has: its own, or for a grade that comes by a
        change of structure that of the same age.
    share_born : ndarray [cohort, district]
        Share of each cohort's births recorded at the launch; 1 for cohorts not in the table.
    cohorts : list of int
        School years of birth, rising without a gap.
    areas : mapping of str to list of int
        Each district and parent with the columns of its leaves.
    groups : mapping of str to list of int
        Each stage and combined stage with the rows of its grades.
    parents : mapping of str to str
        The parent whose shock a district shares.
    deliveries : Deliveries
        Uncertain projects, drawn in the risk-adjusted case.
    """

    pupils: Array
    share: Mapping[str, Array]
    factor: Mapping[str, Array]
    still: Mapping[str, Array]
    needed_still: Mapping[str, Array]
    places: Mapping[Key, Array]
    axes: Mapping[str, list[Any]]
    ages: list[list[int]]
    like: list[int]
    share_born: Array
    cohorts: list[int]
    areas: Mapping[str, list[int]]
    groups: Mapping[str, list[int]]
    parents: Mapping[str, str]
    deliveries: Deliveries = field(default_factory=Deliveries)


def families(central: Central) -> list[list[int]]:
    """Return the districts in groups that no area reaches across, each in its order.

    A family is what lies below one topmost parent, or a district that has none.
    """
    top = {d: [d] for d in range(len(central.axes["district"]))}
    for columns in central.areas.values():
        for column in columns:
            top[column] = max(top[column], columns, key=len)
    return [list(own) for own in dict.fromkeys(tuple(sorted(own)) for own in top.values())]


def part_of(central: Central, columns: Sequence[int]) -> Central:
    """Return some families of a run as a run of its own.

    Parameters
    ----------
    central : Central
    columns : sequence of int
        Districts, in their order; whole families.
    """
    at = {column: i for i, column in enumerate(columns)}
    names = [central.axes["district"][column] for column in columns]
    chosen = list(columns)

    def of(arrays: Mapping[Any, Array]) -> dict[Any, Array]:
        return {key: array[..., chosen] for key, array in arrays.items()}

    swings = {at[d]: own for d, own in central.deliveries.swings.items() if d in at}
    return replace(
        central,
        pupils=central.pupils[..., chosen],
        share=of(central.share),
        factor=of(central.factor),
        still=of(central.still),
        needed_still=of(central.needed_still),
        places=of(central.places),
        axes={**central.axes, "district": names},
        share_born=central.share_born[:, chosen],
        areas={
            area: [at[column] for column in own]
            for area, own in central.areas.items()
            if own[0] in at
        },
        parents={name: central.parents[name] for name in names},
        deliveries=Deliveries(swings),
    )


def central_of(
    tables: Mapping[str, pd.DataFrame], inputs: Inputs, assumptions: Assumptions
) -> Central:
    """Return the tables of a central run as arrays.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        `pupils`, `demand` and, where places are known, `balance_cells`.
    inputs, assumptions : Inputs, Assumptions
        What it rests on.
    """
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
    latest = births.loc[births["share_born"] > 0, "year"].max()
    ahead = np.array(cohorts)[:, np.newaxis] > latest
    return cohorts, np.where(np.isnan(share), np.where(ahead, 0.0, 1.0), share)
