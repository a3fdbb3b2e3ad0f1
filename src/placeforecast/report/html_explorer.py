"""The picker of districts inside the page: its data, its script, and what the page may run."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from placeforecast.report.compose_explorer import KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.report.model import Cell, Choice, Explorer

SCRIPTS = ("numbers.js", "chart.js", "explorer.js")
"""How values are printed, how they are drawn, and what happens when a reader picks."""
ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""Characters that could end a script or a line of one; inside JSON they mean the same by number."""
NOTHING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "


def packed(explorer: Explorer) -> dict[str, Any]:
    """Return the data of a picker in few bytes, as the script reads them.

    Each column of each choice is a list over the years; a list that occurs again, such as the
    demand in every plan case, is kept once, and ``rows`` say which: district, stage, ledger and
    plan case by position, then a list for each column.

    Examples
    --------
    >>> from placeforecast.report.html_explorer import packed
    >>> from placeforecast.report.model import Choice, Column, Explorer
    >>> one = (Choice("A", "North"),)
    >>> rows = (("A", "A", "A", "A", 2025, 7.0, 7.0), ("A", "A", "A", "A", 2026, 8.5, 8.5))
    >>> columns = {"demand": Column("Demand", "count"), "places": Column("Places", "count")}
    >>> made = packed(Explorer({}, one, one, one, one, (2025, 2026), columns, rows, ("A",) * 4))
    >>> made["lists"], made["rows"]
    ([[7, 8.5]], [[0, 0, 0, 0, 0, 0]])
    """
    picked = (explorer.districts, explorer.stages, explorer.ledgers, explorer.cases)
    places = [{choice.key: at for at, choice in enumerate(choices)} for choices in picked]
    years = {year: at for at, year in enumerate(explorer.years)}
    width, start = len(explorer.columns), len(KEYS)
    series: dict[tuple[int, ...], list[list[Cell]]] = {}
    for row in explorer.rows:
        key = tuple(place[str(cell)] for place, cell in zip(places, row[: start - 1], strict=True))
        lists = series.setdefault(key, [[None] * len(years) for _ in range(width)])
        for own, value in zip(lists, row[start:], strict=True):
            own[years[int(str(row[start - 1]))]] = _short(value)
    pool: dict[tuple[Cell, ...], int] = {}
    rows = [
        [*key, *(pool.setdefault(tuple(own), len(pool)) for own in lists)]
        for key, lists in series.items()
    ]
    return {
        "labels": dict(explorer.labels),
        "districts": [_choice(choice) for choice in explorer.districts],
        "stages": [_choice(choice) for choice in explorer.stages],
        "ledgers": [_choice(choice) for choice in explorer.ledgers],
        "cases": [_choice(choice) for choice in explorer.cases],
        "years": list(explorer.years),
        "columns": [[name, c.label, c.form] for name, c in explorer.columns.items()],
        "first": list(explorer.first),
        "lists": [list(values) for values in pool],
        "rows": rows,
    }


def _short(value: Cell) -> Cell:
    """Return a whole number without its point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _choice(choice: Choice) -> Sequence[str]:
    return (choice.key, choice.name, choice.group, choice.level)


def data_text(explorer: Explorer) -> str:
    r"""Return the data of a picker as JSON that can stand in a page.

    Examples
    --------
    >>> from placeforecast.report.html_explorer import data_text
    >>> from placeforecast.report.model import Explorer
    >>> text = data_text(Explorer({"a": "</script>"}, (), (), (), (), (), {}, (), ("",) * 4))
    >>> text[:35]
    '{"labels":{"a":"\\u003c/script\\u003e'
    """
    plain = json.dumps(packed(explorer), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return plain.translate(ESCAPED)


def script_text() -> str:
    """Return the script of the picker."""
    folder = files("placeforecast.report").joinpath("template")
    parts = (folder.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    return '"use strict";\n{\n' + "".join(parts) + "}\n"


def policy(script: str) -> str:
    """Return what a page may load and run: nothing from outside, and this script only.

    Examples
    --------
    >>> from placeforecast.report.html_explorer import policy
    >>> policy("").split("; ")[-3:]
    ["script-src 'none'", "base-uri 'none'", "form-action 'none'"]
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    source = f"'sha256-{digest}'" if script else "'none'"
    return f"{NOTHING}script-src {source}; base-uri 'none'; form-action 'none'"
