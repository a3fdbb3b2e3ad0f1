"""Policy paths and standards: the value that holds for a district, a stage and a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.districts import ancestors
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from placeforecast.tables.doors import Array

Cell = tuple[str, ...]
"""A district, a stage and, where it matters, a class of residence."""
Key = tuple[str, str, str]

BLANK_IS = {"senior_general_share": "graduates", "retention_9": "entrants"}
"""What a blank basis says of an indicator; of the others, children."""


@dataclass(frozen=True)
class Path:
    """The values of an indicator by the years in which they are given."""

    years: Array
    values: Array
    basis: str


COUNTED_IN_KINDERGARTENS = "kindergartens"
"""A share of kindergartens is a target of its own: children are not spread evenly over them."""


def _blank(table: pd.DataFrame, key: str) -> pd.Series[bool]:
    if key not in table.columns:
        return pd.Series(data=True, index=table.index)
    return table[key].isna() | (table[key].astype("object") == "")


def policy_path(
    policy: pd.DataFrame | None,
    indicator: str,
    cells: Sequence[Cell],
    years: Sequence[int],
    *,
    districts: pd.DataFrame | None = None,
) -> Array:
    """Return the value of an indicator for each cell and year.

    A path is linear between the years given, and held before the first and after the last. A row
    with a blank key holds for all of that key. Where rows of several kinds fit a cell, only one
    kind is used: first rows of the cell's own class of residence, then those that name the
    district, or else the nearest parent, then those that name the stage, or else a combined name
    that holds it. Shares of kindergartens are left out.

    Parameters
    ----------
    policy : DataFrame or None
        As in the vocabulary.
    indicator : str
        Such as ``"public_share"``.
    cells : sequence of (district, stage) or (district, stage, residence)
    years : sequence of int
    districts : DataFrame, optional
        How districts roll up; without it a row of a parent reaches no district.

    Returns
    -------
    ndarray [cell, year]
        NaN for a cell without a path.

    Raises
    ------
    InputError
        If one path has values on several bases.
    """
    values = np.full((len(cells), len(years)), np.nan)
    paths = _paths(_rows(policy, indicator))
    if not paths:
        return values
    above = {} if districts is None else ancestors(districts)
    known: dict[Cell, Array] = {}
    for i, cell in enumerate(cells):
        if cell not in known:
            path = _path_of(paths, cell, above)
            known[cell] = values[i] if path is None else np.interp(years, path.years, path.values)
        values[i] = known[cell]
    return values


def policy_words(
    policy: pd.DataFrame | None,
    indicator: str,
    cells: Sequence[Cell],
    years: Sequence[int],
    *,
    districts: pd.DataFrame | None = None,
) -> list[list[str]]:
    """Return the word of an indicator, such as the mode, by cell and year; blank without one.

    A word holds from its year until the next; the first one also before it.

    Parameters
    ----------
    policy, indicator, cells, years, districts
        As for `policy_path`.
    """
    paths = _paths(_rows(policy, indicator))
    above = {} if districts is None else ancestors(districts)
    words = []
    for cell in cells:
        path = _path_of(paths, cell, above)
        if path is None:
            words.append([""] * len(years))
            continue
        at = np.searchsorted(path.years, years, side="right") - 1
        words.append([str(path.values[i]) for i in np.maximum(at, 0)])
    return words


def policy_basis(
    policy: pd.DataFrame | None,
    indicator: str,
    cells: Sequence[Cell],
    *,
    districts: pd.DataFrame | None = None,
) -> list[str]:
    """Return what the path of each cell is a share of; blank where none is said.

    Parameters
    ----------
    policy, indicator, cells, districts
        As for `policy_path`.
    """
    paths = _paths(_rows(policy, indicator))
    above = {} if districts is None else ancestors(districts)
    found = (_path_of(paths, cell, above) for cell in cells)
    return ["" if path is None else path.basis for path in found]


def policy_keys(
    policy: pd.DataFrame | None,
    indicator: str,
    cells: Sequence[Cell],
    *,
    districts: pd.DataFrame | None = None,
) -> list[Key | None]:
    """Return the district, stage and residence that the path of each cell names; None without one.

    Parameters
    ----------
    policy, indicator, cells, districts
        As for `policy_path`.
    """
    paths = _paths(_rows(policy, indicator))
    above = {} if districts is None else ancestors(districts)
    return [next((key for key in _keys(cell, above) if key in paths), None) for cell in cells]


def refuse_residence(policy: pd.DataFrame | None, indicators: Sequence[str]) -> None:
    """Refuse a path of one class of residence where pupils are not told apart by residence.

    Raises
    ------
    InputError
        With the indicator.
    """
    if policy is None or "residence" not in policy.columns:
        return
    rows = policy[policy["indicator"].isin(indicators) & policy["residence"].notna()]
    if len(rows):
        row = rows.iloc[0]
        rule = f"gives {row['indicator']} of {row['residence']} pupils, who are not told apart"
        remedy = "Give enrolment with a column residence (local, migrant), or leave it blank."
        refuse([Problem(rule, remedy, file="policy", column="residence")])


def refuse_strangers(
    policy: pd.DataFrame | None, known: Iterable[str], districts: pd.DataFrame | None
) -> None:
    """Refuse a path of a district that is not there: it would reach nobody, unsaid.

    Raises
    ------
    InputError
        With the district.
    """
    if policy is None or "district" not in policy.columns:
        return
    names = {*known, *([] if districts is None else districts["district"])}
    for name in dict.fromkeys(policy["district"][~_blank(policy, "district")]):
        if name not in names:
            rule = "has no pupils, and is no district above any"
            remedy = suggest(str(name), names)
            refuse([Problem(rule, remedy, file="policy", column="district", value=str(name))])


def _rows(policy: pd.DataFrame | None, indicator: str) -> pd.DataFrame:
    if policy is None:
        return pd.DataFrame({"year": [], "value": []})
    rows = policy[policy["indicator"] == indicator]
    if "basis" in rows.columns:
        rows = rows[~rows["basis"].eq(COUNTED_IN_KINDERGARTENS).fillna(value=False).astype(bool)]
    return rows


def _path_of(
    paths: Mapping[Key, Path], cell: Cell, above: Mapping[str, tuple[str, ...]]
) -> Path | None:
    for key in _keys(cell, above):
        if key in paths:
            return paths[key]
    return None


def _keys(cell: Cell, above: Mapping[str, tuple[str, ...]]) -> Iterator[Key]:
    """Yield the keys that fit a cell, the most specific first."""
    district, stage, residence = (*cell, "")[:3]
    combined = [name for name, parts in combined_stages().items() if stage in parts]
    for who in dict.fromkeys((residence, "")):
        for where in (district, *above.get(district, ()), ""):
            for what in (stage, *combined, ""):
                yield where, what, who


def _paths(rows: pd.DataFrame) -> Mapping[Key, Path]:
    if not len(rows):
        return {}
    keys = [
        [""] * len(rows) if name not in rows else rows[name].astype("object").tolist()
        for name in ("district", "stage", "residence")
    ]
    found: dict[Key, list[int]] = {}
    for i, key in enumerate(zip(*keys, strict=True)):
        named = tuple(part if isinstance(part, str) else "" for part in key)
        found.setdefault((named[0], named[1], named[2]), []).append(i)
    columns = {name: rows[name].tolist() for name in rows if name in PARTS}
    return {key: _path(columns, at) for key, at in found.items()}


PARTS = ("indicator", "district", "stage", "residence", "year", "value", "basis")
Columns = dict[str, list[Any]]


def _path(columns: Columns, at: list[int]) -> Path:
    """Return the path of the rows that have one key, by year."""
    at = sorted(at, key=lambda i: int(columns["year"][i]))
    years = [float(columns["year"][i]) for i in at]
    for i, year, before in zip(at[1:], years[1:], years, strict=False):
        if year == before:
            _refuse_twice({name: column[i] for name, column in columns.items()})
    values = [columns["value"][i] for i in at]
    words = any(isinstance(value, str) for value in values)
    return Path(
        np.array(years), np.array(values, dtype=object if words else float), _basis(columns, at)
    )


def _basis(columns: Columns, at: list[int]) -> str:
    given = [columns["basis"][i] if "basis" in columns else "" for i in at]
    named = [basis if isinstance(basis, str) else "" for basis in given]
    indicator = str(columns["indicator"][at[0]])
    bases = list(dict.fromkeys(basis for basis in named if basis))
    if "" in named and bases and bases != [BLANK_IS.get(indicator, "children")]:
        bases.append("blank")
    if len(bases) > 1:
        rule = f"of {indicator} are {' and '.join(bases)} in one path"
        remedy = "Give one path on one basis: values between the two would mean neither."
        refuse([Problem(rule, remedy, file="policy", column="basis")])
    return bases[0] if bases else ""


def _refuse_twice(row: dict[str, Any]) -> None:
    named = [row.get(key) for key in ("district", "stage", "residence")]
    where = " ".join(part for part in named if isinstance(part, str) and part)
    rule = f"gives {row['indicator']} twice ({where or 'everywhere'})"
    remedy = "Keep one of the rows: a blank basis is no other path."
    value = str(row["year"])
    refuse([Problem(rule, remedy, file="policy", column="year", value=value)])


def policy_holds(policy: pd.DataFrame | None, years: Sequence[int]) -> pd.DataFrame:
    """List where a path is held before its first or after its last year.

    Returns
    -------
    DataFrame [indicator, district, stage, residence, from, to, year, value]
        Years `from` to `to` take the value given for `year`. Blank district, stage or residence:
        every one.
    """
    columns = ["indicator", "district", "stage", "residence", "from", "to", "year", "value"]
    found: list[tuple[Any, ...]] = []
    if policy is None:
        return pd.DataFrame(found, columns=columns)
    for indicator in dict.fromkeys(policy["indicator"]):
        for key, path in _paths(_rows(policy, indicator)).items():
            known_years, known = path.years, path.values
            first, last = int(known_years[0]), int(known_years[-1])
            if years[0] < first:
                until = min(first - 1, years[-1])
                found.append((indicator, *key, years[0], until, first, known[0]))
            if years[-1] > last:
                since = max(last + 1, years[0])
                found.append((indicator, *key, since, years[-1], last, known[-1]))
    return pd.DataFrame(found, columns=columns)


ON_RESIDENTS = ("gross_rate", "special_rate")
"""Official rates that are defined on residents."""


def on_births_texts(policy: pd.DataFrame | None, bases: set[str]) -> list[str]:
    """Say which official rates are applied to births, for want of residents."""
    if policy is None or "resident" in bases:
        return []
    rates = [name for name in ON_RESIDENTS if (policy["indicator"] == name).any()]
    return [f"{name} is applied to children by births: no population is known" for name in rates]


def hold_texts(policy: pd.DataFrame | None, years: Sequence[int]) -> list[str]:
    """Say which paths are held, districts with the same years together."""
    texts = []
    keys = ["indicator", "stage", "residence", "from", "to", "year"]
    for key, holds in policy_holds(policy, years).groupby(keys, sort=False):
        indicator, stage, residence, first, last, year = key
        where = " ".join(part for part in (*holds["district"], stage, residence) if part)
        held = list(dict.fromkeys(f"{v:g}" if isinstance(v, float) else v for v in holds["value"]))
        span = held[0] if len(held) == 1 else ", ".join(held)
        texts.append(
            f"{indicator} ({where or 'everywhere'}): held at {span} of {year} in {first}-{last}"
        )
    return texts
