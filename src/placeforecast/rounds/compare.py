"""From last year's figure to this year's: which change moved it by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rounds.attribution import shapley
from placeforecast.rounds.swap import COUNTED, TABLES, Swap
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from placeforecast.rounds.read import Round
    from placeforecast.tables.doors import Array

METHOD = "method"
STEPS = (*TABLES, METHOD, COUNTED)
COLUMNS = ["district", "stage", "year", "ledger", "value", "step", "from", "change", "to"]
KEYS = ["district", "stage", "year"]
BASELINE = "baseline"


def compare_rounds(
    a: Round,
    b: Round,
    *,
    district: str | None = None,
    stage: str | None = None,
    year: int | None = None,
    ledger: str = "public",
    case: str = "planned",
) -> pd.DataFrame:
    """Lead from the figures of one round to those of the next, step by step.

    The chain is run with the tables of `b` in the place of those of `a`, one driver or several at a
    time, and each driver has the mean of what it changes over all orders (Shapley), so that no
    order has to be chosen. ``births``: births, fertility and the sex ratio; ``migration``: movers
    and survival; ``entry``: intake and participation; ``progression``; ``policy``: policy, events,
    transfers, housing and its yields; ``standards``; ``plan``: places, projects and tasks;
    ``counted``: pupils and people counted, and the launch. ``method`` is what no table explains: a
    correction by the last error, and another version of the library or of the school system.
    Another rate model shows itself in the rates that it makes.

    Parameters
    ----------
    a, b : Round
        The earlier and the later round of the same districts.
    district, stage, year : optional
        Only these; combined stages and parents by name. Naming a stage or a year saves time.
    ledger : str
        Which ledger.
    case : str
        The plan case of the balance.

    Returns
    -------
    DataFrame [district, stage, year, ledger, value, step, from, change, to]
        Places. For each figure (`value` is ``demand`` or ``balance``) that both rounds have, one
        row per step, from `a`'s figure to `b`'s: `change` adds up to their difference.

    Raises
    ------
    InputError
        If the rounds do not fit together, or no figure is left.

    Examples
    --------
    >>> import tempfile, pandas as pd, placeforecast as pf
    >>> from dataclasses import replace
    >>> from placeforecast.rounds.compare import compare_rounds
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> from placeforecast.rounds.read import read_round
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": [2023, 2024], "grade": "P1",
    ...                         "pupils": [110.0, 110.0]})
    >>> inputs = pf.Inputs(births=births, enrolment=counted)
    >>> before = pf.estimate(inputs, horizon=1)
    >>> after = replace(before, intake=before.intake.assign(ratio=1.2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = [pf.forecast(inputs, assumptions=x, horizon=1) for x in (before, after)]
    ...     a, b = (read_round(freeze_round(r, f"{folder}/{i}")) for i, r in enumerate(results))
    >>> steps = compare_rounds(a, b, year=2025, ledger="all").round(6)
    >>> steps.query("change != 0")[["stage", "value", "step", "from", "change", "to"]]
         stage   value   step   from  change     to
    2  primary  demand  entry  110.0    10.0  120.0
    """
    _refuse_strangers(a, b)
    years = (b.launch_year, min(a.last_year, b.last_year)) if year is None else (year, year)
    asked = {"district": district, "stage": stage, "year": year}
    frozen = [_figures_of(one, asked, ledger, case) for one in (a, b)]
    shared = frozen[0].index.intersection(frozen[1].index, sort=False)
    shared = shared[np.asarray(shared.get_level_values("year") >= b.launch_year)]
    if shared.empty:
        there = ", ".join(f"{name} {value}" for name, value in asked.items() if value is not None)
        rule = f"have no figure in common ({there or 'any'}, ledger {ledger}, case {case})"
        remedy = f"Both reach {b.launch_year}-{min(a.last_year, b.last_year)}; check the names."
        refuse([Problem(rule, remedy, file="rounds")])
    parts = combined_stages().get(stage, (stage,)) if stage is not None else ()
    swap = Swap(a, b, *years, parts, ledger, case)

    def value(switched: frozenset[str]) -> Array:
        return _aligned(swap, switched, shared)

    start, end = (np.asarray(side.reindex(shared), dtype=float) for side in frozen)
    changes = shapley(value, swap.drivers())
    explained = sum(changes.values(), np.zeros(len(shared)))
    changes[METHOD] = end - start - explained
    return _waterfall(shared, start, end, changes).assign(ledger=ledger)[COLUMNS]


def _refuse_strangers(a: Round, b: Round) -> None:
    """Refuse rounds that are not of the same districts and grades, or in the wrong order."""
    if b.launch_year < a.launch_year:
        rule = f"of {b.launch_year} is compared with the later one of {a.launch_year}"
        refuse([Problem(rule, "Give the earlier round first.", file="rounds")])
    for what, column in (("districts", "district"), ("grades", "grade")):
        mine, theirs = (set(one.results["pupils"][column]) for one in (a, b))
        odd = sorted(mine ^ theirs)
        if odd:
            rule = f"do not have the same {what}: {odd[0]} is in one only ({len(odd)} such)"
            remedy = "Forecast the earlier year again in today's frame, freeze it, and compare."
            refuse([Problem(rule, remedy, file="rounds")])


def _figures_of(
    one: Round, asked: dict[str, str | int | None], ledger: str, case: str
) -> pd.Series[float]:
    """Return the figures of a round that are asked for, by value, district, stage and year."""
    stages = one.results["stages"]
    parts = {"demand": stages}
    if "balance" in one.results:
        balance = one.results["balance"]
        parts["balance"] = balance[balance["plan_case"] == case]
    found = []
    for value, table in parts.items():
        rows = table[(table["scenario"] == BASELINE) & (table["ledger"] == ledger)]
        for column, wanted in asked.items():
            if wanted is not None:
                known = set(table[column])
                if wanted not in known and column != "year":  # years are told by both rounds
                    remedy = suggest(str(wanted), {str(name) for name in known})
                    rule = f"is no {column} of the round of {one.launch_year}"
                    refuse([Problem(rule, remedy, file=value, value=str(wanted))])
                rows = rows[rows[column] == wanted]
        found.append(_keyed(rows, value))
    return pd.concat(found)


def _keyed(rows: pd.DataFrame, value: str) -> pd.Series[float]:
    index = pd.MultiIndex.from_frame(rows[KEYS].assign(value=value)[["value", *KEYS]])
    return pd.Series(rows[value].to_numpy(dtype=float), index=index)


def _aligned(swap: Swap, switched: frozenset[str], shared: pd.Index[Any]) -> Array:
    """Return the figures of one run in the order of those that both rounds have."""
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
        rule = f"have no {value} of {named} with these tables of the later one: {tables}"
        remedy = "Give both rounds the same tables."
        refuse([Problem(rule, remedy, file="rounds")])
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
