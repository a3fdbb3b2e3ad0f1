"""Places planned above the district: pooled over their area and allotted to those who need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.rates.standards import planning_areas

if TYPE_CHECKING:
    from typing import Any

CELL = ["district", "year", "grade", "stage", "ledger"]


def allot_places(
    demand: pd.DataFrame,
    places: pd.DataFrame,
    standards: pd.DataFrame | None,
    districts: pd.DataFrame | None,
) -> pd.DataFrame:
    """Allot the places of stages that are planned at a higher level to the districts of the area.

    Each district has the part of the area's places that its demand is of the area's demand, grade
    by grade; where nobody needs a place, the part that stands there. So the balances of the
    districts add up to that of the area, and all have its sign.

    Parameters
    ----------
    demand : DataFrame [district, year, grade, stage, ledger, demand]
    places : DataFrame [district, year, grade, stage, ledger, plan_case, places]
    standards : DataFrame or None
        With `planned_at`.
    districts : DataFrame or None
        How districts roll up.

    Returns
    -------
    DataFrame [district, year, grade, stage, ledger, plan_case, places]
        Rows of other stages as they are; `places` itself if no stage is planned higher.

    Raises
    ------
    InputError
        If a district has none above it of the level at which a stage is planned.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.allot import allot_places
    >>> cell = {"year": 2026, "grade": "S1", "stage": "senior_general", "ledger": "all"}
    >>> demand = pd.DataFrame({"district": ["A", "B"], **cell, "demand": [300.0, 100.0]})
    >>> places = pd.DataFrame({"district": ["A", "B"], **cell, "plan_case": "planned",
    ...                        "places": [100.0, 220.0]})
    >>> tree = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"],
    ...                      "level": ["city", "county", "county"]})
    >>> rule = pd.DataFrame({"stage": ["senior_general"], "indicator": "planned_at",
    ...                      "value": "city"})
    >>> allot_places(demand, places, rule, tree).places.tolist()
    [240.0, 80.0]
    """
    if standards is None or not (standards["indicator"] == "planned_at").any():
        return places
    cells = pd.concat([demand[["district", "stage"]], places[["district", "stage"]]])
    cells = cells.drop_duplicates(ignore_index=True)
    area = planning_areas(standards, districts, cells)
    higher = cells[(area != cells["district"]).to_numpy()]
    if higher.empty:
        return places
    named = dict(zip(map(tuple, cells.to_numpy()), area, strict=True))
    pooled = set(map(tuple, higher.to_numpy()))
    here = _in(places, pooled)
    parts = [places[~here]]
    needed = demand[_in(demand, pooled)]
    for case, standing in places[here].groupby("plan_case", sort=False):
        parts.append(_allotted(needed, standing, named).assign(plan_case=case))
    return pd.concat(parts, ignore_index=True)[[*CELL, "plan_case", "places"]]


def _in(table: pd.DataFrame, pooled: set[tuple[Any, ...]]) -> pd.Series[bool]:
    pairs = zip(table["district"].tolist(), table["stage"].tolist(), strict=True)
    return pd.Series([pair in pooled for pair in pairs], index=table.index, dtype=bool)


def _allotted(
    demand: pd.DataFrame, standing: pd.DataFrame, area: dict[tuple[Any, ...], str]
) -> pd.DataFrame:
    """Return the places of one plan case by district, as many in each area as stand there."""
    needed = demand.set_index(CELL)["demand"]
    there = standing.set_index(CELL)["places"]
    # A ledger or year that only one side has is left as it is: balance_places says so.
    columns = (standing[key].tolist() for key in ("ledger", "year", "stage"))
    shared = set(zip(*columns, strict=True))
    columns = (demand[key].tolist() for key in ("ledger", "year", "stage"))
    told = [cell in shared for cell in zip(*columns, strict=True)]
    index = there.index.append(needed.index[told]).unique()
    table = pd.DataFrame(index=index).reset_index()
    # Outside the union of both sides nothing is filled: a place that does not stand is 0 places.
    table["demand"] = needed.reindex(index).fillna(0.0).to_numpy()
    table["places"] = there.reindex(index).fillna(0.0).to_numpy()
    pairs = zip(table["district"].tolist(), table["stage"].tolist(), strict=True)
    table["area"] = [area[pair] for pair in pairs]
    groups = table.groupby(["area", "year", "grade", "ledger"], sort=False)
    whole, wanted = groups["places"].transform("sum"), groups["demand"].transform("sum")
    part = table["demand"] / wanted.where(wanted > 0)
    table["places"] = (whole * part).where(wanted > 0, table["places"])
    kept = pd.MultiIndex.from_frame(table[CELL]).isin(needed.index) | (table["places"] > 0)
    return table.loc[kept, [*CELL, "places"]]
