"""Changes of boundaries: the past of districts that have gone, told in the districts of today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.check import check
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.vocabulary import COMMON_COLUMNS, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COUNTED: dict[str, tuple[str, ...]] = {
    "births": ("births",),
    "population": ("population",),
    "enrolment": ("pupils", "classes"),
    "places": ("places", "classes", "beds"),
}
"""The tables of counts that are split over new districts, and what they count."""
ALIKE = ("year", "month", "vintage", "sex", "age")
"""What the rows of districts that join must have in common: a sum of part of them means nothing."""
ROUNDING = 1e-9
ORDER, ORIGIN = "_order", "_origin"


def with_boundaries(
    tables: Mapping[str, pd.DataFrame], boundaries: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """Tell every table of counts in the districts of today.

    Births, population, enrolment and places are rebased (see `rebase`); other tables are returned
    as they are.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By their names in the vocabulary.
    boundaries : DataFrame [old, new, year, share] or None
        As in the vocabulary; without it nothing changes.

    Returns
    -------
    dict of str to DataFrame
        The same names in the same order.

    Raises
    ------
    InputError
        As `rebase`; or where places of one district are given as places and those of another that
        joins it as classes.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.tables.boundaries import with_boundaries
    >>> births = pd.DataFrame({"district": ["A", "B"], "year": 2019, "births": [100.0, 300.0]})
    >>> joined = pd.DataFrame({"old": ["A"], "new": "B", "year": 2021, "share": 1.0})
    >>> with_boundaries({"births": births}, joined)["births"]
      district  year  births
    0        B  2019   400.0
    """
    rebased = dict(tables)
    if boundaries is None:
        return rebased
    for name, counts in COUNTED.items():
        if name in tables:
            rebased[name] = rebase(tables[name], boundaries, value_columns=counts, name=name)
            _refuse_two_ways(rebased[name], tables[name], name)
    return rebased


def rebase(
    table: pd.DataFrame,
    boundaries: pd.DataFrame,
    *,
    value_columns: Sequence[str],
    name: str = "table",
) -> pd.DataFrame:
    """Tell the rows of districts that have gone in those that took their place.

    Rows of an old district of years before the change are split over the new ones by share, and
    added to rows with the same keys; the total of the table stays what it was. Changes are made in
    order of year, those of one year at once, so a chain (A to B, later B to C) leads to its end. An
    old district that is among its own new ones lives on with its share.

    Parameters
    ----------
    table : DataFrame [district, year, ...]
        Counts; every column that is neither a value, a flag nor a text of the source is a key.
    boundaries : DataFrame [old, new, year, share]
        `year` is the first school year of the new boundaries.
    value_columns : sequence of str
        The columns of counts, as far as the table has them; split, they need not be whole numbers.
    name : str
        What to call the table in an error.

    Returns
    -------
    DataFrame
        The columns of `table`. A value that is blank in one of the rows added up is missing; a flag
        holds if it holds in one of them; texts that differ are joined by ``"; "``.

    Raises
    ------
    InputError
        For shares that do not add up to 1, a row of a district that has ended, or districts that
        join without the same years (months, vintages, sexes, ages).

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.tables.boundaries import rebase
    >>> pupils = pd.DataFrame({"district": ["A", "B"], "year": [2020, 2021], "grade": "P1",
    ...                        "pupils": [100.0, 61.0]})
    >>> split = pd.DataFrame({"old": "A", "new": ["B", "C"], "year": 2021, "share": [0.6, 0.4]})
    >>> rebase(pupils, split, value_columns=["pupils"])
      district  year grade  pupils
    0        B  2020    P1    60.0
    1        C  2020    P1    40.0
    2        B  2021    P1    61.0
    """
    changes = check(boundaries, "boundaries")
    _refuse_shares(changes)
    _refuse_ended(table, changes, name)
    counts = [column for column in value_columns if column in table.columns]
    rows = table.reset_index(drop=True)
    rows = rows.assign(**{column: rows[column].astype("float64") for column in counts})
    rows[ORDER] = np.arange(len(rows))
    for year in sorted(set(changes["year"])):
        rows = _change(rows, changes[changes["year"] == year], counts, name)
    return rows.sort_values(ORDER, kind="stable")[list(table.columns)].reset_index(drop=True)


def _refuse_shares(changes: pd.DataFrame) -> None:
    problems = []
    for (old, year), rows in changes.groupby(["old", "year"], sort=True):
        total = float(rows["share"].sum())
        if abs(total - 1) > ROUNDING:
            rule = f"shares of {old} in {year} add up to {total:.10g}, not to 1"
            remedy = "Correct them: every part of the old district goes somewhere."
            problems.append(Problem(rule, remedy, file="boundaries", column="share"))
    refuse(problems)


def _refuse_ended(table: pd.DataFrame, changes: pd.DataFrame, name: str) -> None:
    """Refuse rows of a district after its end, and an end of a district that is not there."""
    problems = []
    ends = changes[["old", "year"]].drop_duplicates().sort_values(["old", "year"])
    for old, end in zip(ends["old"], ends["year"], strict=True):
        begins = changes.loc[(changes["new"] == old) & (changes["year"] >= end), "year"]
        again = int(begins.min()) if len(begins) else None
        late = table["year"] >= end
        twice = (changes["old"] == old) & (changes["year"] > end)
        if again is not None:
            late &= table["year"] < again
            twice &= changes["year"] <= again
        if twice.any() and again != end:
            rule = f"ends {old} in {end} and once more in {changes.loc[twice, 'year'].min()}"
            remedy = "Keep one of the two."
            problems.append(Problem(rule, remedy, file="boundaries", column="year"))
        late &= table["district"] == old
        if late.any():
            first = table.loc[late, "year"].min()
            rule = f"holds {old} in {first} ({int(late.sum())} rows), which ended in {end}"
            remedy = "Give them for the districts that took its place, or correct boundaries."
            problems.append(Problem(rule, remedy, file=name, column="district"))
    refuse(problems)


def _change(
    rows: pd.DataFrame, changes: pd.DataFrame, counts: list[str], name: str
) -> pd.DataFrame:
    """Make the changes of one year."""
    year = int(changes["year"].iloc[0])
    reached = set(changes["old"]) | set(changes["new"])
    touched = (rows["year"] < year) & rows["district"].isin(reached)
    moving = touched & rows["district"].isin(set(changes["old"]))
    if not moving.any():
        return rows
    staying = rows[touched & ~moving]
    parts = [staying.assign(**{ORIGIN: staying["district"]})]
    for old, new, share in zip(changes["old"], changes["new"], changes["share"], strict=True):
        part = rows[moving & (rows["district"] == old)]
        if share > 0 and len(part):
            split = {column: part[column] * share for column in counts}
            parts.append(part.assign(**split, **{"district": new, ORIGIN: old}))
    joined = pd.concat(parts).sort_values(ORDER, kind="stable", ignore_index=True)
    _refuse_unlike(joined, year, name)
    added = _add_up(joined.drop(columns=ORIGIN), counts)
    return pd.concat([rows[~touched], added], ignore_index=True)


def _refuse_unlike(parts: pd.DataFrame, year: int, name: str) -> None:
    """Refuse districts that join of which one lacks a year, month, sex or age of another."""
    keys = [key for key in ALIKE if key in parts.columns]
    problems = []
    for district, rows in parts.groupby("district", sort=True):
        origins = list(dict.fromkeys(rows[ORIGIN]))
        if len(origins) == 1:
            continue
        cells = {origin: set(_cells(rows[rows[ORIGIN] == origin], keys)) for origin in origins}
        every = dict.fromkeys(_cells(rows, keys))
        for origin in origins:
            missing = [cell for cell in every if cell not in cells[origin]]
            if missing:
                first = ", ".join(f"{k} {v}" for k, v in zip(keys, missing[0], strict=True) if v)
                others = " and ".join(sorted(str(o) for o in origins if o != origin))
                rule = (
                    f"lacks {len(missing)} cells of {origin} that {others} has, first: {first}; "
                    f"both are part of {district} from {year} on"
                )
                remedy = "Add them, or leave out those of the other: half a sum is no history."
                problems.append(Problem(rule, remedy, file=name))
    refuse(problems)


def _cells(rows: pd.DataFrame, keys: list[str]) -> list[tuple[str, ...]]:
    """Return the keys of each row as text; blank where a key is blank."""
    text = [rows[key].astype("object").where(rows[key].notna(), "").map(str) for key in keys]
    return list(zip(*text, strict=True))


def _is_flag(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_bool_dtype(column.dtype)


def _add_up(rows: pd.DataFrame, counts: list[str]) -> pd.DataFrame:
    """Add rows with the same keys up, each sum in the place of its first row."""
    texts = [column for column in COMMON_COLUMNS if column in rows.columns]
    flags = [c for c in rows.columns if c not in counts and _is_flag(rows[c])]
    keys = [c for c in rows.columns if c not in (*counts, *texts, *flags, ORDER)]
    group = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    several = np.bincount(group)[group] > 1
    alone, rows, group = rows[~several], rows[several], group[several]
    if rows.empty:
        return alone
    summed = rows.drop_duplicates(keys).copy()
    for column in counts:
        summed[column] = rows[column].groupby(group, sort=False).sum(min_count=1).to_numpy()
        blank = rows[column].isna().groupby(group, sort=False).any().to_numpy()
        summed.loc[blank, column] = np.nan
    for column in flags:
        holds = rows[column].fillna(value=False).astype(bool)
        known = rows[column].notna().groupby(group, sort=False).all().to_numpy()
        any_of = holds.groupby(group, sort=False).any().to_numpy()
        dtype: Any = rows[column].dtype
        summed[column] = pd.Series(any_of, summed.index, dtype="boolean").where(known | any_of)
        summed[column] = summed[column].astype(dtype)
    for column in texts:
        summed[column] = rows[column].groupby(group, sort=False).agg(_join_texts).to_numpy()
    return pd.concat([alone, summed]).sort_index()


def _join_texts(cells: pd.Series[Any]) -> str | None:
    found = [str(cell) for cell in dict.fromkeys(cells.dropna()) if str(cell)]
    return "; ".join(found) or None


def _refuse_two_ways(rebased: pd.DataFrame, table: pd.DataFrame, name: str) -> None:
    """Refuse a sum that nobody can use: one part given as places, the other as classes."""
    ways = [c.name for c in vocabulary()[name].columns if c.role == "either" and c.name in table]
    if not ways or table[ways].isna().all(axis=1).any():
        return  # a row that was blank before is named by the check of the table
    problems = []
    for row in rebased[rebased[ways].isna().all(axis=1)].head(1).to_dict("records"):
        cell = " ".join(str(row[key]) for key in ("district", "stage", "year") if key in row)
        rule = f"of the districts that are now {cell} are given in two ways: {', '.join(ways)}"
        problems.append(Problem(rule, f"Give all of them as {ways[0]}.", file=name))
    refuse(problems)
