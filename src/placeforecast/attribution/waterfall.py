"""Which change moved a figure by how much, from one result to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.attribution.shapley import both_ways, shapley
from placeforecast.attribution.swap import COUNTED, TABLES, Swap
from placeforecast.scenarios.adjust import BASELINE
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.attribution.swap import Side
    from placeforecast.tables.doors import Array

METHOD = "method"
STEPS = (*TABLES, METHOD, COUNTED)
COLUMNS = ["district", "stage", "year", "ledger", "value", "step", "from", "change", "to"]
KEYS = ["district", "stage", "year"]


@dataclass(frozen=True)
class Asked:
    """Which figures are compared; None is every one."""

    district: str | None = None
    stage: str | None = None
    year: int | None = None
    ledger: str = "public"
    case: str = "planned"

    @property
    def cell(self) -> dict[str, str | int | None]:
        """What names a figure, by column."""
        return {"district": self.district, "stage": self.stage, "year": self.year}


def figures_of(
    results: Mapping[str, pd.DataFrame], asked: Asked, called: str, scenario: str = BASELINE
) -> pd.Series[float]:
    """Return the figures of a result that are asked for.

    Parameters
    ----------
    results : mapping of str to DataFrame
        Tables of a forecast or of a round: `stages`, and `balance` where places are known.
    asked : Asked
    called : str
        What the result is, such as ``"round of 2024"``.
    scenario : str
        Of the rows.

    Returns
    -------
    Series
        Places, by value (``demand`` or ``balance``), district, stage and year.

    Raises
    ------
    InputError
        For a district or a stage that the result does not have.
    """
    stages = results["stages"]
    for column, wanted in asked.cell.items():
        known = {str(name) for name in stages[column].unique()}
        # Years are told by both results.
        if wanted is not None and column != "year" and str(wanted) not in known:
            rule, remedy = f"is no {column} of the {called}", suggest(str(wanted), known)
            refuse([Problem(rule, remedy, file="demand", value=str(wanted))])
    parts = {"demand": stages}
    if "balance" in results:
        balance = results["balance"]
        parts["balance"] = balance[balance["plan_case"] == asked.case]
    found = []
    for value, table in parts.items():
        rows = table[(table["scenario"] == scenario) & (table["ledger"] == asked.ledger)]
        for column, wanted in asked.cell.items():
            rows = rows if wanted is None else rows[rows[column] == wanted]
        found.append(_keyed(rows, value))
    return pd.concat(found)


def steps_between(
    a: Side,
    b: Side,
    figures: tuple[pd.Series[float], pd.Series[float]],
    asked: Asked,
    called: str,
    *,
    quick: bool = False,
) -> pd.DataFrame:
    """Lead from the figures of one side to those of the other, driver by driver.

    Parameters
    ----------
    a, b : Side
        The chain behind either side.
    figures : tuple of Series
        Of both sides, from `figures_of`.
    asked : Asked
    called : str
        What is compared, such as ``"rounds"``.
    quick : bool
        Whether to go by `both_ways`, and not over all orders.

    Returns
    -------
    DataFrame [district, stage, year, ledger, value, step, from, change, to]
        As `compare_rounds` returns it.

    Raises
    ------
    InputError
        If the two have no such figure in common, or one cannot be computed with the tables of both.
    """
    last = min(a.last_year, b.last_year)
    years = (b.launch_year, last) if asked.year is None else (asked.year, asked.year)
    shared = figures[0].index.intersection(figures[1].index, sort=False)
    shared = shared[np.asarray(shared.get_level_values("year") >= b.launch_year)]
    if shared.empty:
        named = (f"{name} {value}" for name, value in asked.cell.items() if value is not None)
        there = ", ".join(named) or "any"
        rule = f"have no figure in common ({there}, ledger {asked.ledger}, case {asked.case})"
        remedy = f"Both reach {b.launch_year}-{last}; check the names."
        refuse([Problem(rule, remedy, file=called)])
    swap = Swap(a, b, *years, stages_named(asked.stage), asked.ledger, asked.case)

    def value(switched: frozenset[str]) -> Array:
        return _aligned(swap, switched, shared, called)

    start, end = (np.asarray(side.reindex(shared), dtype=float) for side in figures)
    changes = (both_ways if quick else shapley)(value, swap.drivers())
    explained = sum(changes.values(), np.zeros(len(shared)))
    changes[METHOD] = end - start - explained
    return _waterfall(shared, start, end, changes).assign(ledger=asked.ledger)[COLUMNS]


def stages_named(stage: str | None) -> tuple[str, ...]:
    """Return the stages that a name means: those of a combined one, or itself; none for all."""
    return () if stage is None else combined_stages().get(stage, (stage,))


def _keyed(rows: pd.DataFrame, value: str) -> pd.Series[float]:
    index = pd.MultiIndex.from_frame(rows[KEYS].assign(value=value)[["value", *KEYS]])
    return pd.Series(rows[value].to_numpy(dtype=float), index=index)


def _aligned(swap: Swap, switched: frozenset[str], shared: pd.Index[Any], called: str) -> Array:
    """Return the figures of one run in the order of those that both sides have."""
    demand, balance = swap.figures(switched)
    parts = [_keyed(demand, "demand")]
    if balance is not None:
        parts.append(_keyed(balance, "balance"))
    figures: Array = np.asarray(pd.concat(parts).reindex(shared), dtype=float)
    missing = np.isnan(figures)
    if missing.any():
        value, *cell = shared[int(np.argmax(missing))]
        named = " ".join(str(part) for part in cell)
        tables = ", ".join(sorted(switched)) or "none"
        rule = f"have no {value} of {named} with these tables of the second one: {tables}"
        refuse([Problem(rule, "Give both the same tables.", file=called)])
    return figures


def _waterfall(
    shared: pd.Index[Any], start: Array, end: Array, changes: dict[str, Array]
) -> pd.DataFrame:
    """Stand the steps of every figure one on the other."""
    nothing = np.zeros(len(start))
    change = np.stack([changes.get(step, nothing) for step in STEPS], axis=1) + 0.0
    reached = start[:, np.newaxis] + np.cumsum(change, axis=1)
    reached[:, -1] = end  # what adds up is not left to rounding
    before = np.column_stack([start, reached[:, :-1]])
    table = shared.to_frame(index=False)
    table = table.loc[table.index.repeat(len(STEPS))].reset_index(drop=True)
    table["step"] = list(STEPS) * len(start)
    for name, array in (("from", before), ("change", change), ("to", reached)):
        table[name] = array.ravel()
    return table
