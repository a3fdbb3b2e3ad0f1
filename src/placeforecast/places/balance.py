"""Places against demand, by cell and by stage, net and not netted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placeforecast.places.allot import allot_places
from placeforecast.places.rollup import Axes, cell_axes, roll_up
from placeforecast.tables.districts import leaves
from placeforecast.tables.doors import Array, to_arrays, to_table
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.show import record_html, record_text
from placeforecast.tables.vocabulary import shipped

CELLS = ["district", "year", "grade", "stage", "ledger", "plan_case", "demand", "places", "balance"]
STAGES = [
    "district",
    "level",
    "year",
    "stage",
    "ledger",
    "plan_case",
    "pupils",
    "demand",
    "places",
    "balance",
    "shortfall",
    "surplus",
    "cell_shortfall",
    "cell_surplus",
    "utilisation",
    "share_born",
    "warning",
]


@dataclass(frozen=True, repr=False)
class Balance:
    """The balance of places and demand.

    Attributes
    ----------
    cells : DataFrame [district, year, grade, stage, ledger, plan_case, demand, places, balance]
        One row per cell; nothing is netted.
    stages : DataFrame [district, level, year, stage, ledger, plan_case, pupils, demand, places, \
balance, shortfall, surplus, cell_shortfall, cell_surplus, utilisation, share_born, warning]
        Cells added up to stages, combined stages and parents. `shortfall` and `surplus` are of the
        net balance; `cell_shortfall` and `cell_surplus` add up the cells without offsetting one
        against another.
    """

    cells: pd.DataFrame
    stages: pd.DataFrame

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


def balance_places(
    demand: pd.DataFrame,
    places: pd.DataFrame,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
    standards: pd.DataFrame | None = None,
) -> Balance:
    """Set places against demand: balance = places - demand, in every cell.

    A cell is district x grade x ledger. Stages, combined stages (where all their parts are there)
    and parents are sums of cells. A stage that the standards plan at a higher level (`planned_at`)
    is balanced there: the places of the area are allotted to its districts in proportion to what
    each needs, grade by grade, so that every district shares its shortage or surplus.

    Parameters
    ----------
    demand : DataFrame [district, year, grade, stage, ledger, pupils, demand, share_born]
        From `demand_places`.
    places : DataFrame [district, year, grade, stage, ledger, plan_case, places]
        From `schedule_places`, one case or several.
    districts : DataFrame, optional
        How districts roll up; without it only the districts themselves are given.
    grades : DataFrame, optional
        The school system, for the order of grades; cn-6-3-3 if left out.
    standards : DataFrame, optional
        With `planned_at`, such as ``city`` for senior stages.

    Returns
    -------
    Balance
        For the years, stages and ledgers that both tables have.

    Raises
    ------
    InputError
        If a cell of one table is missing in the other, named.

    Warns
    -----
    AssumptionWarning
        For a stage or ledger with demand and without places: it is not balanced.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> demand = pd.DataFrame({"district": "A", "year": 2026, "grade": ["J1", "J2"],
    ...     "stage": "junior", "ledger": "all", "pupils": [120.0, 60.0], "demand": [120.0, 60.0]})
    >>> places = pd.DataFrame({"district": "A", "year": 2026, "grade": ["J1", "J2"],
    ...     "stage": "junior", "ledger": "all", "plan_case": "planned", "places": [100.0, 100.0]})
    >>> balance = pf.balance_places(demand, places)
    >>> balance.stages[["balance", "surplus", "cell_shortfall", "cell_surplus"]]
       balance  surplus  cell_shortfall  cell_surplus
    0     20.0     20.0            20.0          40.0
    """
    system = resolve_grades(grades)
    if "share_born" not in demand.columns:
        demand = demand.assign(share_born=np.nan)
    _refuse_strangers(demand, districts)
    _warn_unbalanced(demand, places)
    places = allot_places(demand, places, standards, districts)
    cells, stages = [], []
    of_ledger = {str(name): own for name, own in demand.groupby("ledger", sort=False)}
    for (ledger, case), rows in places.groupby(["ledger", "plan_case"], sort=False):
        own = of_ledger.get(str(ledger), demand.iloc[:0])
        own = own[own["stage"].isin(rows["stage"].unique())]
        if own.empty:
            continue
        shared = rows["stage"].isin(own["stage"].unique()) & rows["year"].isin(own["year"].unique())
        labels = [table[["district", "year", "grade"]] for table in (own, rows[shared])]
        axes = cell_axes(pd.concat(labels), system)
        arrays = _arrays(own, rows[shared], axes, str(ledger))
        named = {"ledger": str(ledger), "plan_case": str(case)}
        cells.append(_cells(arrays, axes, own).assign(**named))
        stages.append(_stages(arrays, axes, system, districts).assign(**named))
    if not cells:
        rule = "have no stage and ledger in common with demand"
        remedy = "Check the stages and sectors of the two tables."
        refuse([Problem(file="places", rule=rule, remedy=remedy)])
    return Balance(
        pd.concat(cells, ignore_index=True)[CELLS],
        _finish(pd.concat(stages, ignore_index=True))[STAGES],
    )


def _refuse_strangers(demand: pd.DataFrame, districts: pd.DataFrame | None) -> None:
    """Refuse a district whose cells would be missing in the sums."""
    if districts is None:
        return
    known = leaves(districts)
    for name in demand["district"].unique().tolist():
        if name not in known:
            rule = "is not a district of the table districts, or has others below it"
            remedy = "Add its row to districts: data stand on the lowest level."
            problem = Problem(rule, remedy, file="demand", column="district", value=str(name))
            refuse([problem])


def _warn_unbalanced(demand: pd.DataFrame, places: pd.DataFrame) -> None:
    there, wanted = (_stages_by_ledger(table) for table in (places, demand))
    lacking = [f"{stage} ({ledger})" for stage, ledger in wanted if (stage, ledger) not in there]
    if lacking:
        text = f"no places are given, so these are not balanced: {', '.join(lacking)}"
        warnings.warn(AssumptionWarning(text), stacklevel=3)
    idle = sorted({stage for stage, _ in there} - {stage for stage, _ in wanted})
    if idle and set(there) & set(wanted):
        text = f"nobody is taught there, so these places are not balanced: {', '.join(idle)}"
        warnings.warn(AssumptionWarning(f"{text}. Add pupils, 0 if there are none."), stacklevel=3)


def _stages_by_ledger(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return each stage and ledger of a table once, in the order of its rows."""
    once = table[["stage", "ledger"]].drop_duplicates()
    return list(zip(once["stage"].tolist(), once["ledger"].tolist(), strict=True))


def _arrays(
    demand: pd.DataFrame, places: pd.DataFrame, axes: Axes, ledger: str
) -> dict[str, Array]:
    counts = ("pupils", "demand", "share_born")
    arrays = to_arrays(demand, axes, counts, name="demand", holes=True)
    arrays |= to_arrays(places, axes, ["places"], name="places", holes=True)
    needed, there = ~np.isnan(arrays["demand"]), ~np.isnan(arrays["places"])
    _refuse_lacking(
        needed & ~there,
        axes,
        f"places (ledger {ledger}) lack",
        "Add what stands there; write 0 places if nothing does.",
    )
    _refuse_lacking(
        there & ~needed,
        axes,
        f"pupils (ledger {ledger}) lack",
        "Places stand or are planned there: add its pupils of the launch year (0 if there are "
        "none), or give places by grade.",
    )
    return arrays


def _refuse_lacking(lacking: Any, axes: Axes, subject: str, remedy: str) -> None:  # noqa: ANN401
    if lacking.any():
        t, g, d = (int(i) for i in np.argwhere(lacking)[0])
        cell = f"{axes['district'][d]} {axes['grade'][g]} {axes['year'][t]}"
        rule = f"{subject} {int(lacking.sum())} cells, first: {cell}"
        refuse([Problem(file=subject.split(" ", 1)[0], rule=rule, remedy=remedy)])


def _cells(arrays: dict[str, Array], axes: Axes, demand: pd.DataFrame) -> pd.DataFrame:
    stage_of = dict(zip(demand["grade"].tolist(), demand["stage"].tolist(), strict=True))
    order = {"district": axes["district"], "year": axes["year"], "grade": axes["grade"]}
    demanded, standing = (arrays[name].transpose(2, 0, 1) for name in ("demand", "places"))
    where = ~np.isnan(demanded)
    table = to_table(demanded, order, "demand", where=where)
    table["places"] = standing[where]
    table["balance"] = table["places"] - table["demand"]
    table["stage"] = table["grade"].map(stage_of)
    return table


def _stages(
    arrays: dict[str, Array], axes: Axes, system: pd.DataFrame, districts: pd.DataFrame | None
) -> pd.DataFrame:
    gap = arrays["places"] - arrays["demand"]
    cells = {
        **arrays,
        "cell_shortfall": np.maximum(-gap, 0.0),
        "cell_surplus": np.maximum(gap, 0.0),
    }
    return roll_up(cells, axes, system, districts)


def _finish(table: pd.DataFrame) -> pd.DataFrame:
    table["balance"] = table["places"] - table["demand"]
    table["shortfall"] = np.maximum(-table["balance"], 0.0)
    table["surplus"] = np.maximum(table["balance"], 0.0)
    stands = table["places"] > 0
    table["utilisation"] = (table["pupils"] / table["places"].where(stands)).astype(float)
    table["warning"] = _warning(table["utilisation"], table["pupils"] > 0)
    return table


def _warning(utilisation: pd.Series[float], taught: pd.Series[bool]) -> pd.Series[Any]:
    """Return the level of each utilisation; the highest for pupils without any place."""
    levels = shipped("warnings").sort_values("from_utilisation")
    bounds = levels["from_utilisation"].astype(float).to_numpy()
    # Rows without places get a level of their own below; the 0 only keeps the search going.
    at = np.searchsorted(bounds, utilisation.fillna(0.0).to_numpy(), side="right") - 1
    named = pd.Series(levels["level"].to_numpy()[at], index=utilisation.index)
    known = named.where(utilisation.notna())
    return known.mask(utilisation.isna() & taught, levels["level"].iloc[-1])
