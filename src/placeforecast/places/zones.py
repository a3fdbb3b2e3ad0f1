"""Zones of a district: where places run short first, and towns full beside empty villages.

A leaf is a zone that data stand on. Shortages of zones are added up, never set off one against
another: a spare place in a village does not serve the county town.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.districts import leaves, members
from placeforecast.tables.doors import to_arrays, to_table
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.tables.doors import Array, Flags

SPOTS = [
    "rank",
    "district",
    "tag",
    "year",
    "stage",
    "ledger",
    "cell_shortfall",
    "first_year",
    "last_year",
]
TYPES = ("urban", "town", "rural")
"""Kinds of zone that are set beside each other, and the columns that hold their utilisation."""
CROWDED, EMPTY = ("urban", "town"), ("rural",)
COUNTS = ("pupils", "places", "cell_shortfall", "cell_surplus")
KEYS = ["district", "year", "stage", "ledger"]
CROWDING = [*KEYS, *TYPES, "crowded", "empty"]
DUST = 1e-6
"""Places. Less than this is the rounding of sums: no shortage."""
PUBLIC, EVERY = "public", "all"


def hot_spots(
    balance: pd.DataFrame, districts: pd.DataFrame, *, plan_case: str = "planned"
) -> pd.DataFrame:
    """Rank the tagged zones by their largest shortage, the worst first.

    The shortage of a zone is `cell_shortfall`: added up over the grades of a stage, none set off
    against another. It is judged in the ledger ``public``, in ``all`` for a stage that has no
    public one. Each zone stands once, with the stage and the year of its largest shortage (the
    first of equal ones), and the first and the last year in which that stage is short there; years
    between may not be. Zones without shortage are left out.

    A stage that is planned higher (`planned_at`) shares its shortage out over all zones alike, so
    that it says nothing of the place; leave its rows out of `balance` to rank the zones by others.

    Parameters
    ----------
    balance : DataFrame [district, year, stage, ledger, plan_case, cell_shortfall]
        Stages of a balance, of one scenario; combined stages and parents in it are passed over.
    districts : DataFrame [district, parent, tag]
        How districts roll up, and the kind of place where places run short.
    plan_case : str
        Which places are counted.

    Returns
    -------
    DataFrame [rank, district, tag, year, stage, ledger, cell_shortfall, first_year, last_year]
        `rank` from 1; zones with equal shortages stand in the order of `districts`, each with a
        rank of its own. `cell_shortfall` in places.

    Raises
    ------
    InputError
        For a column that is missing, several scenarios, or a plan case that is not there.

    Warns
    -----
    AssumptionWarning
        For a tag that moves nothing: of a district with others below it, or without any row.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.zones import hot_spots
    >>> zones = pd.DataFrame({"district": ["A", "A-U", "A-T"], "parent": [None, "A", "A"],
    ...     "tag": [None, "renewal", "fringe"]})
    >>> balance = pd.DataFrame({"district": ["A-U", "A-U", "A-T", "A-T"], "stage": "junior",
    ...     "year": [2026, 2027, 2026, 2027], "ledger": "public", "plan_case": "planned",
    ...     "cell_shortfall": [40.0, 90.0, 120.0, 0.0]})
    >>> hot_spots(balance, zones)[["rank", "district", "tag", "year", "cell_shortfall"]]
       rank district      tag  year  cell_shortfall
    0     1      A-T   fringe  2026           120.0
    1     2      A-U  renewal  2027            90.0
    """
    columns = ["district", "year", "stage", "ledger", "plan_case", "cell_shortfall"]
    rows = _rows(balance, columns, plan_case)
    _refuse_missing(districts, ["district", "tag"], "districts", "Add it, or ask for no hot spots.")
    tags = _tags(districts, rows)
    # A combined stage is the sum of its parts, which stand here by themselves.
    rows = rows[rows["district"].isin(list(tags)) & ~rows["stage"].isin(list(combined_stages()))]
    public = rows.loc[rows["ledger"] == PUBLIC, "stage"].unique()
    judged = np.where(rows["stage"].isin(public), PUBLIC, EVERY)
    short = rows[(rows["ledger"] == judged) & (rows["cell_shortfall"] > DUST)]
    found = []
    for name, tag in tags.items():
        own = short[short["district"] == name].sort_values("year", kind="stable")
        if own.empty:
            continue
        worst = own.iloc[int(own["cell_shortfall"].to_numpy().argmax())]
        years = own.loc[own["stage"] == worst["stage"], "year"]
        found.append({**worst, "tag": tag, "first_year": years.min(), "last_year": years.max()})
    if not found:
        return pd.DataFrame(columns=SPOTS)
    table = pd.DataFrame(found)
    table = table.sort_values("cell_shortfall", ascending=False, kind="stable", ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[SPOTS]


def crowding(
    balance: pd.DataFrame, districts: pd.DataFrame, *, plan_case: str = "planned"
) -> pd.DataFrame:
    """Set the full schools of towns beside the empty ones of villages, in each district.

    Utilisation of a kind of zone = pupils / places, both added up over the leaves of that kind
    below a district. `crowded` adds up what each urban and town leaf is short of, `empty` what each
    rural leaf has to spare, grade by grade: neither is set off against the other, nor one leaf or
    grade against another, so that a county may show both at once.

    Parameters
    ----------
    balance : DataFrame [district, year, stage, ledger, plan_case, pupils, places, \
cell_shortfall, cell_surplus]
        Stages of a balance, of one scenario.
    districts : DataFrame [district, parent, zone_type]
        How districts roll up, and the kind of each zone.
    plan_case : str
        Which places are counted.

    Returns
    -------
    DataFrame [district, year, stage, ledger, urban, town, rural, crowded, empty]
        Every district that has others below it, and every stage and combined stage of the balance.
        `urban`, `town` and `rural` are utilisations, missing where there is no such zone or where
        no place stands in it; `crowded` and `empty` are places.

    Raises
    ------
    InputError
        For a column that is missing, several scenarios, a plan case or a district that is not
        there, or a row that repeats.

    Warns
    -----
    AssumptionWarning
        For leaves that are neither urban, town nor rural: they are in no column.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.zones import crowding
    >>> zones = pd.DataFrame({"district": ["A", "A-U", "A-R"], "parent": [None, "A", "A"],
    ...     "zone_type": [None, "urban", "rural"]})
    >>> balance = pd.DataFrame({"district": ["A-U", "A-R"], "year": 2026, "stage": "primary",
    ...     "ledger": "public", "plan_case": "planned", "pupils": [1100.0, 200.0],
    ...     "places": [1000.0, 400.0], "cell_shortfall": [100.0, 0.0],
    ...     "cell_surplus": [0.0, 200.0]})
    >>> crowding(balance, zones)[["district", "urban", "rural", "crowded", "empty"]]
      district  urban  rural  crowded  empty
    0        A    1.1    0.5    100.0  200.0
    """
    rows = _rows(balance, [*KEYS, "plan_case", *COUNTS], plan_case)
    remedy = "Add it: urban, town or rural."
    _refuse_missing(districts, ["district", "zone_type"], "districts", remedy)
    _refuse_strangers(rows, districts)
    names, types = (districts[key].tolist() for key in ("district", "zone_type"))
    kinds = dict(zip(names, types, strict=True))
    below = {name: own for name, own in members(districts).items() if own != [name]}
    rows = rows[rows["district"].isin(leaves(districts))]
    axes = {key: rows[key].unique().tolist() for key in KEYS}
    axes["year"] = sorted(axes["year"])
    _warn_other_kinds([name for name in axes["district"] if kinds[name] not in TYPES])
    cells = to_arrays(rows, axes, COUNTS, name="balance", holes=True)
    parts = []
    for parent, own in below.items():
        at = {kind: _at(axes["district"], own, kinds, (kind,)) for kind in TYPES}
        known = ~np.isnan(cells["pupils"][_at(axes["district"], own, kinds, TYPES)])
        there: Flags = np.asarray(known.any(axis=0))
        named = {"district": [parent], "year": axes["year"], "stage": axes["stage"]}
        named["ledger"] = axes["ledger"]
        crowded = _sum(cells["cell_shortfall"], _at(axes["district"], own, kinds, CROWDED))
        table = to_table(crowded[np.newaxis], named, "crowded", where=there[np.newaxis])
        table["empty"] = _sum(cells["cell_surplus"], at["rural"])[there]
        for kind in TYPES:
            taught, stand = (_sum(cells[name], at[kind]) for name in ("pupils", "places"))
            none = np.full_like(taught, np.nan)
            table[kind] = np.divide(taught, stand, out=none, where=stand > 0)[there]
        parts.append(table)
    return (
        pd.concat(parts, ignore_index=True)[CROWDING] if parts else pd.DataFrame(columns=CROWDING)
    )


def _at(
    names: list[str], own: list[str], kinds: Mapping[str, Any], wanted: tuple[str, ...]
) -> list[int]:
    """Return the positions of the leaves of an area that are of the kinds wanted."""
    return [i for i, name in enumerate(names) if name in own and kinds[name] in wanted]


def _sum(array: Array, at: list[int]) -> Array:
    # A stage that a leaf does not have adds nothing.
    total: Array = np.nansum(array[at], axis=0)
    return total


def _rows(balance: pd.DataFrame, columns: list[str], plan_case: str) -> pd.DataFrame:
    """Return the rows of a plan case, refused where they would mislead."""
    _refuse_missing(balance, columns, "balance", "Take the stages as `balance_places` gives them.")
    if "scenario" in balance.columns and len(balance["scenario"].unique()) > 1:
        rule, remedy = "holds several scenarios", "Give the rows of one of them."
        refuse([Problem(rule, remedy, file="balance", column="scenario")])
    known = set(balance["plan_case"].unique().tolist())
    if plan_case not in known:
        rule, remedy = "is not a plan case of the balance", suggest(plan_case, known)
        refuse([Problem(rule, remedy, file="balance", column="plan_case", value=plan_case)])
    rows = balance[balance["plan_case"] == plan_case].reset_index(drop=True)
    counts = [column for column in columns if column in COUNTS]
    blank = rows[counts].isna().any(axis=1)
    if blank.any():
        first = rows[blank].iloc[0]
        column = next(name for name in counts if pd.isna(first[name]))
        rule = f"is blank, first: {' '.join(str(first[key]) for key in KEYS)}"
        refuse([Problem(rule, "Give a number of every row.", file="balance", column=column)])
    return rows


def _refuse_missing(table: pd.DataFrame, columns: list[str], name: str, remedy: str) -> None:
    lacking = [column for column in columns if column not in table.columns]
    refuse([Problem("is missing", remedy, file=name, column=column) for column in lacking])


def _refuse_strangers(rows: pd.DataFrame, districts: pd.DataFrame) -> None:
    known = set(districts["district"].tolist())
    strangers = [name for name in rows["district"].unique().tolist() if name not in known]
    rule = "is not a district of the table districts"
    refuse(
        [
            Problem(rule, suggest(name, known), file="balance", column="district", value=name)
            for name in strangers
        ]
    )


def _tags(districts: pd.DataFrame, rows: pd.DataFrame) -> Mapping[str, str]:
    """Return the tag of each leaf that has one, in the order of the table."""
    given = districts.dropna(subset=["tag"])
    names, told = (given[key].astype(str).tolist() for key in ("district", "tag"))
    tags = dict(zip(names, told, strict=True))
    lowest = set(leaves(districts))
    above = [name for name in tags if name not in lowest]
    there = set(rows["district"].unique().tolist())
    empty = [name for name in tags if name not in there and name not in above]
    for names, why in ((above, "they have others below them"), (empty, "the balance lacks them")):
        if names:
            text = f"districts: tags of {', '.join(names)} are not used: {why}"
            warnings.warn(AssumptionWarning(text), stacklevel=3)
    return {name: tag for name, tag in tags.items() if name not in {*above, *empty}}


def _warn_other_kinds(names: list[str]) -> None:
    if names:
        text = (
            f"districts: {', '.join(names)} are neither urban, town nor rural, and are in no "
            "column of crowding"
        )
        warnings.warn(AssumptionWarning(text), stacklevel=3)
