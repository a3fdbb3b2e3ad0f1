"""Every row of the balance, for a reader to look at one district at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.places.supply import CASES
from placeforecast.plot.areas import balances_of
from placeforecast.report.model import Choice, Column, Explorer
from placeforecast.report.view import cells
from placeforecast.tables.districts import NO_LEVEL, ancestors
from placeforecast.tables.vocabulary import values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.report.model import Form
    from placeforecast.report.view import View

WHOLE = ""
"""Key of all districts together, where none of them stands above all others."""
KEYS = ("district", "stage", "ledger", "plan_case", "year")
FORMS: Mapping[str, Form] = {
    "pupils": "count",
    "demand": "count",
    "low": "count",
    "high": "count",
    "places": "count",
    "balance": "signed",
    "cell_shortfall": "count",
    "cell_surplus": "count",
    "utilisation": "share",
    "chance_of_shortfall": "share",
    "share_born": "share",
    "warning": "text",
}
LABELS = (
    *("title", "text", "choice", "absent", "area", "caption", "file", "chart", "axis", "band"),
    *("save", "code", "short", "enough", "cells", "chance"),
)


def explorer_of(view: View) -> Explorer | None:
    """Return every row of the balance with the names to print; None without a balance.

    The rows are those of `balance`; where no district stands above all others, all of them
    together come on top, as in the tables of the report.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.report.compose_explorer import explorer_of
    >>> from placeforecast.report.view import View, catalogue
    >>> result = pf.forecast(pf.load_example("city"), horizon=1)
    >>> explorer = explorer_of(View(result, catalogue("en")))
    >>> explorer.first, len(explorer.districts)
    (('CITY', 'kindergarten', 'public', 'planned'), 33)
    """
    balance = view.forecast.balance
    if balance is None or balance.empty:
        return None
    table, columns = _rows(view, balance)
    listed = [
        cells(table[name], counted=FORMS.get(name, "text") != "text") for name in [*KEYS, *columns]
    ]
    warnings = list(columns).index("warning") + len(KEYS)
    named = {str(level): view.words.warning(str(level)) for level in set(table["warning"].dropna())}
    listed[warnings] = [None if level is None else named[str(level)] for level in listed[warnings]]
    there = {name: [str(key) for key in dict.fromkeys(table[name])] for name in KEYS[:4]}
    ledgers = _in_order(there["ledger"], values("ledger"))
    cases = _in_order(there["plan_case"], CASES)
    stages = _in_order(there["stage"], [*view.balanced, *view.combined])
    words = view.words
    return Explorer(
        labels=_labels(view),
        districts=_districts(view, table),
        stages=tuple(Choice(key, words.stage(key)) for key in stages),
        ledgers=tuple(Choice(key, words.value("ledger", key)) for key in ledgers),
        cases=tuple(Choice(key, words.value("plan_case", key)) for key in cases),
        years=tuple(sorted({int(year) for year in table["year"]})),
        columns=columns,
        rows=tuple(zip(*listed, strict=True)),
        first=(there["district"][0], stages[0], view.ledger(stages[0]), view.case),
    )


def _rows(view: View, balance: pd.DataFrame) -> tuple[pd.DataFrame, Mapping[str, Column]]:
    """Return the rows of all districts, and the columns there are."""
    table = balance
    if view.areas.top is None and len(view.areas.units) > 1:
        whole = balances_of(view.forecast, view.areas, [None])[None]
        whole = whole.assign(district=WHOLE, level=NO_LEVEL)
        table = pd.concat([whole, balance], ignore_index=True)
    words = view.words
    ends = [name for name in balance.columns if name.startswith("demand_p")]
    labels: dict[str, str] = {}
    for name in FORMS:
        if name in ("low", "high"):
            if len(ends) > 1:
                source = ends[0 if name == "low" else -1]
                table = table.assign(**{name: table[source]})
                labels[name] = words(f"explorer.{name}", quantile=source.removeprefix("demand_"))
        elif name == "chance_of_shortfall":
            if name in table:
                labels[name] = words(f"explorer.{name}")
        elif f"column.{name}" in words.texts:
            labels[name] = words(f"column.{name}")
        elif name == "places":
            labels[name] = words.column("scheduled_places", name)
        else:
            labels[name] = words.column("demand", name)
    return table, {name: Column(label, FORMS[name]) for name, label in labels.items()}


def _in_order(there: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return what is there: what is known in its order, then the rest."""
    return sorted(there, key=lambda key: known.index(key) if key in known else len(known))


def _districts(view: View, table: pd.DataFrame) -> tuple[Choice, ...]:
    """Return the districts, each district's parts under its name."""
    known = view.forecast.inputs.districts
    above = {} if known is None else ancestors(known)
    levels = dict(zip(table["district"].map(str), table["level"].map(str), strict=True))
    names = {key: view.name(key or None) for key in levels}
    parents = {key: next((up for up in above.get(key, ()) if up in levels), None) for key in levels}
    order = {key: at for at, key in enumerate(levels)}
    groups = {key: "" if up is None else names[up] for key, up in parents.items()}
    listed = sorted(levels, key=lambda key: order.get(str(parents[key]), -1))
    return tuple(Choice(key, names[key], groups[key], _level(view, levels[key])) for key in listed)


def _level(view: View, level: str) -> str:
    """Return the printed name of a level; blank in a region that has none."""
    if level in values("level"):
        return view.words.value("level", level)
    return "" if level == NO_LEVEL else level


def _labels(view: View) -> Mapping[str, str]:
    """Return the texts, with the names of what is picked."""
    words = view.words
    kept = {name: words.texts[f"explorer.{name}"] for name in LABELS}
    return {
        **kept,
        "noscript": words("explorer.noscript", sheet=words("balance.full")),
        "district": words.column("districts", "district"),
        "level": words("column.level"),
        "stage": words.column("demand", "stage"),
        "ledger": words.column("demand", "ledger"),
        "case": words.column("scheduled_places", "plan_case"),
        "year": words.column("demand", "year"),
        "demand": words("figure.demand"),
        "places": words.column("scheduled_places", "places"),
    }
