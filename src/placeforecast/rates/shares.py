"""Sector shares: what part of the pupils each ledger holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.models import History
from placeforecast.rates.paths import policy_path
from placeforecast.tables.doors import Flags, to_array, to_table
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from placeforecast.rates.specification import Rule
    from placeforecast.tables.records import Inputs


def sector_policy(
    inputs: Inputs, grades: pd.DataFrame, rule: Rule, launch_year: int, last_year: int
) -> pd.DataFrame | None:
    """Return `policy` with a share for every district and stage whose sectors were counted.

    Where the region's own policy gives a path for the indicator, the district and the stage, that
    path stands alone.

    Parameters
    ----------
    inputs : Inputs
        With `enrolment`, and `policy` where there is any.
    grades : DataFrame
        The school system, resolved.
    rule : Rule
        How shares are carried forward.
    launch_year, last_year : int
        Shares are given for these years and those between.
    """
    given = inputs.policy
    enrolment = inputs.enrolment
    if enrolment is None or "sector" not in enrolment.columns:
        return given
    rows = enrolment[enrolment["year"] <= launch_year]
    stage = rows["grade"].map(dict(zip(grades["grade"], grades["stage"], strict=True)))
    rows = rows.assign(stage=stage)
    parts = [] if given is None else [given]
    ledgers = ledger_sectors().query("policy_indicator != ''")
    for indicator, members in ledgers.groupby("policy_indicator", sort=False):
        sectors, stages = set(members["sector"]), set(members["stage"])
        own = rows if "" in stages else rows[rows["stage"].isin(stages & _apart(rows, sectors))]
        if own.empty:
            continue
        shares = _shares(own, sectors, grades, rule, launch_year, last_year)
        shares = shares.assign(indicator=indicator, basis="children")
        parts.append(shares[~_given(shares, given, str(indicator), inputs.districts)])
    return pd.concat(parts, ignore_index=True)


def _apart(rows: pd.DataFrame, sectors: set[str]) -> set[str]:
    """Return the stages in which the sectors that set a ledger apart from public were counted."""
    return set(rows.loc[rows["sector"].isin(sectors - {"public"}), "stage"])


def _shares(
    rows: pd.DataFrame,
    sectors: set[str],
    grades: pd.DataFrame,
    rule: Rule,
    launch_year: int,
    last_year: int,
) -> pd.DataFrame:
    axes = {
        "year": sorted(set(rows["year"])),
        "district": sorted(set(rows["district"])),
        "stage": stages_in_order(grades),
    }
    if "residence" in rows.columns:
        axes["residence"] = sorted(set(rows["residence"]))
    keys = list(axes)
    total = np.where(_gaps(rows, axes), np.nan, _sum(rows, keys, axes))
    inside = _sum(rows[rows["sector"].isin(sectors)], keys, axes)
    # No row of these sectors beside rows of others: the stage has none of them.
    inside = np.where(np.isnan(inside) & ~np.isnan(total), 0.0, inside)
    flat = (len(axes["year"]), -1)
    history = History(inside.reshape(flat), total.reshape(flat), tuple(axes["year"]))
    years = list(range(launch_year, last_year + 1))
    share = rule.model().fit(history).predict(years).reshape(len(years), *total.shape[1:])
    ahead = {**axes, "year": years}
    return to_table(share, ahead, "value", where=~np.isnan(share))


def _gaps(rows: pd.DataFrame, axes: dict[str, list[Any]]) -> Flags:
    """Return where a sector or grade that had a row before has none, on the axes given."""
    across = [axis for axis in axes if axis != "year"]
    keys = [*across, "grade", "sector"]
    counted = rows.pivot_table(values="pupils", index="year", columns=keys, aggfunc="sum")
    gap = (counted.notna().cummax() & counted.isna()).T.groupby(across).any()
    cells = pd.MultiIndex.from_product([axes[axis] for axis in across], names=across)
    array: Flags = gap.reindex(cells, fill_value=False).T.to_numpy(dtype=bool)
    return array.reshape([len(labels) for labels in axes.values()])


def _sum(rows: pd.DataFrame, keys: list[str], axes: dict[str, list[Any]]) -> Any:  # noqa: ANN401
    sums = rows.groupby(keys, as_index=False, sort=False).agg(pupils=("pupils", "sum"))
    return to_array(sums, axes, "pupils", holes=True)


def _given(
    shares: pd.DataFrame,
    policy: pd.DataFrame | None,
    indicator: str,
    districts: pd.DataFrame | None,
) -> pd.Series[Any]:
    """Mark the rows for which the region's own policy has a path."""
    if policy is None or not len(shares):
        return pd.Series(data=False, index=shares.index)
    keys = [key for key in ("district", "stage", "residence") if key in shares.columns]
    cells = list(shares[keys].itertuples(index=False, name=None))
    path = policy_path(policy, indicator, cells, [0], districts=districts)
    return pd.Series(~np.isnan(path[:, 0]), index=shares.index, dtype=bool)
