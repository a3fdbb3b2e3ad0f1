"""How districts roll up: leaves, parents and levels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from placeforecast.tables.problems import Problem, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

NO_LEVEL = "district"
"""Level of a region that has no table of districts."""


def _parents(districts: pd.DataFrame) -> dict[str, str]:
    return _filled(districts, "parent")


def _filled(districts: pd.DataFrame, column: str) -> dict[str, str]:
    """Return a column by district where it is filled; nothing without such a column."""
    if column not in districts.columns:
        return {}
    filled = districts[column].notna().tolist()
    rows = zip(districts["district"].tolist(), districts[column].tolist(), filled, strict=True)
    return {name: value for name, value, there in rows if there}


def leaves(districts: pd.DataFrame) -> list[str]:
    """Return the districts that have no other below them; data stand on these."""
    above = set(_parents(districts).values())
    return [name for name in districts["district"].tolist() if name not in above]


def ancestors(districts: pd.DataFrame) -> Mapping[str, tuple[str, ...]]:
    """Return for each district those above it, nearest first."""
    parents = _parents(districts)
    chains = {}
    for name in districts["district"].tolist():
        chain: list[str] = []
        while (above := parents.get(chain[-1] if chain else name)) and above not in chain:
            chain.append(above)
        chains[str(name)] = tuple(chain)
    return chains


def members(districts: pd.DataFrame) -> Mapping[str, list[str]]:
    """Return for each district the leaves at or below it, in the order of the table."""
    chains = ancestors(districts)
    found: dict[str, list[str]] = {str(name): [] for name in districts["district"].tolist()}
    for leaf in leaves(districts):
        for name in (leaf, *chains[leaf]):
            found[name].append(leaf)
    return found


def levels(districts: pd.DataFrame | None) -> Mapping[str, str]:
    """Return the level of each district that has one, such as county."""
    return {} if districts is None else _filled(districts, "level")


def names(districts: pd.DataFrame | None) -> Mapping[str, str]:
    """Return the printed name of each district that has one."""
    return {} if districts is None else _filled(districts, "name")


def tree_problems(districts: pd.DataFrame, file: str) -> list[Problem]:
    """Return what is wrong with the tree of districts: strangers and circles."""
    parents = _parents(districts)
    rows = dict(zip(districts["district"], districts.index, strict=True))
    problems = []
    for name, parent in parents.items():
        where = Problem(
            file=file, row=int(rows[name]), column="parent", value=parent, rule="", remedy=""
        )
        if parent not in rows:
            remedy = f"Add a row for it, or correct the name. {suggest(parent, rows)}"
            rule = f"(parent of {name}) is not a district of this table"
            problems.append(replace(where, rule=rule, remedy=remedy))
        elif name in (circle := _upwards(name, parents)):
            rule = f"(parent of {name}) closes a circle: {' < '.join([name, *circle])}"
            remedy = "Correct one of these parents; the highest district has none."
            problems.append(replace(where, rule=rule, remedy=remedy))
    return problems


def _upwards(name: str, parents: Mapping[str, str]) -> list[str]:
    """Return the districts above one, up to the first that comes again."""
    above: list[str] = []
    while (parent := parents.get(above[-1] if above else name)) and parent not in above:
        above.append(parent)
    return above
