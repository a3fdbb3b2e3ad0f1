"""What the terms of an explanation have in common: the figure asked for, a term, its rows."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.rates.paths import policy_keys
from placeforecast.tables.districts import ancestors
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.structure import structure_changes, with_structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placeforecast.chain.record import Forecast
    from placeforecast.tables.records import Assumptions
    from placeforecast.tables.structure import Change

COLUMNS = ["term", "value", "unit", "formula", "table", "rows"]
EXACT = 1e-9
"""Difference, relative to the larger figure, up to which two ways of computing it agree."""
CLASSES = ("", "local", "migrant")


@dataclass(frozen=True)
class Term:
    """One line of an explanation."""

    term: str
    value: float
    unit: str
    formula: str = ""
    table: str = ""
    rows: str = ""


@dataclass(frozen=True)
class Asked:
    """The figure that is asked for, and what it rests on.

    Attributes
    ----------
    forecast : Forecast
    assumptions : Assumptions
        Those of the scenario.
    system : DataFrame
        The school system, with the grades that a change of structure brings.
    changes : tuple of Change
    scenario, ledger, plan_case : str
    stages : tuple of str
        One, or those of a combined stage.
    year : int
    """

    forecast: Forecast
    assumptions: Assumptions
    system: pd.DataFrame
    changes: tuple[Change, ...]
    scenario: str
    ledger: str
    plan_case: str
    stages: tuple[str, ...]
    year: int

    def result(self, name: str) -> pd.DataFrame:
        """Return a table of the forecast, rows of the scenario only and without that column."""
        table: pd.DataFrame = getattr(self.forecast, name)
        return table[table["scenario"] == self.scenario].drop(columns="scenario")

    def above(self, district: str) -> tuple[str, ...]:
        """Return a district and those above it."""
        tree = self.forecast.inputs.districts
        return (district, *(() if tree is None else ancestors(tree).get(district, ())))


def changed_system(
    forecast: Forecast, assumptions: Assumptions
) -> tuple[pd.DataFrame, tuple[Change, ...]]:
    """Return the school system with the grades that changes of structure bring, and the changes."""
    system = with_structure(forecast.inputs.grades, assumptions.events)
    return system, structure_changes(assumptions.events, system)


def as_table(terms: Sequence[Term]) -> pd.DataFrame:
    """Return terms as a table."""
    return pd.DataFrame([astuple(term) for term in terms], columns=COLUMNS)


def numbered(table: pd.DataFrame | None, where: Iterable[bool]) -> str:
    """Return the numbers, from 1, of the rows of a table that a term rests on.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rounds.explained import numbered
    >>> numbered(pd.DataFrame(index=range(6)), [True, True, True, False, True, False])
    '1-3, 5'
    """
    if table is None:
        return ""
    spans: list[list[int]] = []
    for number in (i for i, chosen in enumerate(where, start=1) if chosen):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def fits(table: pd.DataFrame, **keys: Iterable[object]) -> pd.Series[bool]:
    """Return which rows hold for the labels; a key that is blank or left out holds for all.

    Parameters
    ----------
    table : DataFrame
    **keys : iterable
        For each key the labels that fit.
    """
    chosen = pd.Series(data=True, index=table.index)
    for key, labels in keys.items():
        if key in table.columns:
            blank = table[key].isna() | (table[key].astype("object") == "")
            chosen &= blank | table[key].isin(list(labels))
    return chosen


def policy_rows(
    asked: Asked, indicators: Iterable[str], district: str, stage: str, *, around: bool = True
) -> str:
    """Return the rows of the policy that hold for a stage of a district.

    Parameters
    ----------
    asked : Asked
    indicators : iterable of str
    district, stage : str
    around : bool
        Only the years between which the value of the year lies; else the whole path.
    """
    policy, tree = asked.assumptions.policy, asked.assumptions.districts
    if policy is None:
        return ""
    chosen = pd.Series(data=False, index=policy.index)
    near = policy[fits(policy, district=asked.above(district))]
    for indicator in indicators:
        cells = [(district, stage, residence) for residence in CLASSES]
        for key in set(policy_keys(near, indicator, cells, districts=tree)) - {None}:
            assert key is not None  # taken out above
            path = policy["indicator"] == indicator
            for name, label in zip(("district", "stage", "residence"), key, strict=True):
                if name in policy.columns:
                    path &= policy[name].astype("object").where(policy[name].notna(), "") == label
            years = policy.loc[path, "year"]
            if around:
                before, after = years[years <= asked.year], years[years >= asked.year]
                ends = ({before.max()} if len(before) else set()) | (
                    {after.min()} if len(after) else set()
                )
                path &= policy["year"].isin(ends)
            chosen |= path
    return numbered(policy, chosen)


def agree(computed: float, reported: float) -> bool:
    """Whether two ways of computing a figure agree; a figure that is missing agrees with none."""
    return abs(computed - reported) <= EXACT * max(1.0, abs(computed), abs(reported))


def refuse_apart(computed: float, reported: float, what: str, table: str) -> None:
    """Refuse a figure of the forecast that does not follow from its assumptions.

    Raises
    ------
    InputError
        With both figures.
    """
    if not agree(computed, reported):
        rule = f"{what} is {reported:.6f} in the forecast, and its terms add up to {computed:.6f}"
        remedy = "The table was changed after the forecast: make the forecast again."
        refuse([Problem(rule, remedy, file=table)])
