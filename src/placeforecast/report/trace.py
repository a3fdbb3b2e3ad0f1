"""The sheet on which balances are computed term by term, down to the rows that they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placeforecast.report.model import Column, Table, Target
from placeforecast.rounds.explain_cells import explain_cells
from placeforecast.rounds.explained import refuse_apart
from placeforecast.tables.problems import InputError
from placeforecast.tables.vocabulary import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from placeforecast.plot.words import Words
    from placeforecast.report.model import Cell
    from placeforecast.report.view import View

MOST_CELLS = 18
"""Cells that are explained in full; with more of them the workbook takes too long to write."""
LEADS = (1, 5)
"""Years after the launch that are explained, beside the last one."""
Key = tuple[str, str, int]
PATTERNS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("children", r"(?P<grade>\S+): children aged (?P<ages>\S+), basis (?P<basis>\w+)"),
        (
            "feeder_before",
            r"(?P<grade>\S+): pupils of (?P<from_>\S+) in (?P<year>\S+), before policy, .+",
        ),
        ("feeder", r"(?P<grade>\S+): pupils of (?P<from_>\S+) in (?P<year>\S+)"),
        ("intake", r"(?P<grade>\S+): intake ratio"),
        ("participation", r"(?P<grade>\S+): participation ratio"),
        ("progression", r"(?P<grade>\S+): progression ratio"),
        ("before", r"(?P<grade>\S+): pupils before policy"),
        ("counted", r"(?P<grade>\S+): pupils counted"),
        ("of_ledger", r"(?P<grade>\S+): pupils of ledger (?P<ledger>\w+)"),
        ("share", r"(?P<grade>\S+): share of ledger (?P<ledger>\w+)"),
        ("hands", r"(?P<grade>\S+): changes of hands"),
        ("spare", r"(?P<grade>\S+): spare share"),
        ("standing", r"(?P<stage>\w+): places standing"),
        ("project", r"(?P<stage>\w+): project (?P<name>.+)"),
        ("allotted", r"(?P<stage>\w+): allotted by (?P<area>.+)"),
        *(
            (name, rf"(?P<grade>\S+): {name}")
            for name in ("correction", "pupils", "events", "policy", "housing")
        ),
        *((name, rf"(?P<grade>\S+): {name}") for name in ("migration", "transfers", "demand")),
        ("total_demand", "demand"),
        ("total_places", "places"),
        ("balance", "balance"),
    )
)
"""How `explain` names its terms."""
FORMULAS = {
    "those the ratio applies to": "applies",
    "of all classes of residence together": "classes",
    "children x ratio": "children_ratio",
    "pupils of the grade below x ratio": "pupils_ratio",
    "sum of the terms of pupils above": "sum_pupils",
    "as counted": "counted",
    "of pupils": "of_pupils",
    "pupils x share": "pupils_share",
    "pupils x share + changes of hands": "pupils_share_hands",
    "pupils / (1 - spare share)": "spare",
    "one place for each pupil": "one_place",
    "sum of the demand above": "sum_demand",
    "places - demand": "places_demand",
    "completions above those the ratios hold, times yields": "housing",
    "with the events less without them": "events",
    "those who come less those who leave": "transfers",
    "kept free": "kept_free",
    "pupils of schools that change hands": "hands",
    "pupils who move with the scenario; children who move are in those above": "moved",
    "set by policy: from none": "from_none",
}
COUNTED = re.compile(r"as counted in (?P<year>\d+)(?P<forward>, carried forward)?")
FACTOR = re.compile(r"set by policy: factor (?P<factor>\S+)")
ALLOTTED = re.compile(r"places of (?P<area>.+) go by demand, less those that stand here")
SUMMED = re.compile(r"sum of the places above, plan case (?P<case>\w+)")


@dataclass
class Lines:
    """The rows of the sheet while they are made, and what their last cells lead to."""

    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    links: dict[tuple[int, int], Target] = field(default_factory=dict)

    def add(self, *cells: Cell, target: Target | None, where: str) -> None:
        """Add a row; its last cell says where the row comes from, and leads there."""
        if target is not None:
            self.links[len(self.rows), len(cells)] = target
        self.rows.append((*cells, where or None))


def told_term(words: Words, term: str) -> str:
    """Return a term of an explanation in the language of the report; one not known as it is.

    Examples
    --------
    >>> from placeforecast.report.trace import told_term
    >>> from placeforecast.report.view import catalogue
    >>> told_term(catalogue("en"), "J1: progression ratio")
    'J1: progression ratio'
    """
    for name, pattern in PATTERNS:
        found = pattern.fullmatch(term)
        if found is not None:
            fields = found.groupdict()
            if "ledger" in fields:
                fields["ledger"] = words.value("ledger", fields["ledger"])
            if "basis" in fields:
                fields["basis"] = words.value("basis", fields["basis"])
            if "stage" in fields:
                fields["stage"] = words.stage(fields["stage"])
            return words(f"term.{name}", **fields)
    return term


def told_formula(words: Words, formula: str) -> str:
    """Return a formula of an explanation in the language of the report; one not known as it is."""
    if formula in FORMULAS:
        return words(f"formula.{FORMULAS[formula]}")
    if found := COUNTED.fullmatch(formula):
        return words(f"formula.counted_in{'_on' if found['forward'] else ''}", year=found["year"])
    if found := FACTOR.fullmatch(formula):
        return words("formula.factor", factor=found["factor"])
    if found := SUMMED.fullmatch(formula):
        return words("formula.sum_places", case=words.value("plan_case", found["case"]))
    if found := ALLOTTED.fullmatch(formula):
        return words("formula.allotted", area=found["area"])
    kind, _, status = formula.partition(", ")
    if kind in values("kind") and status in values("status"):
        return f"{words.value('kind', kind)}, {words.value('status', status)}"
    return formula


def explained(view: View) -> list[Key]:
    """Return the cells that are explained: of each stage the districts that are shortest."""
    balance, forecast = view.forecast.balance, view.forecast
    if balance is None:
        return []
    years = [y for y in view.years if y - forecast.launch_year in LEADS or y == forecast.last_year]
    each = max(MOST_CELLS // max(len(view.balanced) * len(years), 1), 1)
    leaves = [d for d in view.areas.below(None) if view.areas.leaves[d] == (d,)]
    own = balance[balance["district"].isin(leaves) & (balance["plan_case"] == view.case)]
    found: list[Key] = []
    for stage in view.balanced:
        rows = own[(own["stage"] == stage) & (own["ledger"] == view.ledger(stage))]
        lowest = rows[rows["year"].isin(years)].groupby("district")["balance"].min()
        order = sorted(lowest.items(), key=lambda item: (item[1], str(item[0])))
        found += [(str(d), stage, year) for d, _ in order[:each] for year in years]
    return found[:MOST_CELLS]


def trace_table(
    view: View, sheets: Mapping[str, str], balance_sheet: str, name: str
) -> tuple[Table, Mapping[tuple[int, int], Target]] | None:
    """Return the terms of some balances, and what each leads to; None without a balance.

    Parameters
    ----------
    view : View
    sheets : Mapping of str to str
        The sheet of the rows that an explanation names, by table.
    balance_sheet : str
        The sheet with every row of the balance, in the order of the result.
    name : str
        Of the sheet.
    """
    words, balance = view.words, view.forecast.balance
    if balance is None:
        return None
    keys = ("district", "stage", "year", "ledger", "plan_case")
    parts = (balance[key].tolist() for key in keys)
    at = {key: row for row, key in enumerate(zip(*parts, strict=True))}
    lines, cells = Lines(), explained(view)
    note = ""
    try:
        found = explain_cells(view.forecast, cells, plan_case=view.case)
        for cell, (ledger, terms) in found.items():
            row = Target(balance_sheet, at[(*cell, ledger, view.case)])
            _add_terms(view, lines, (*cell, ledger), terms, sheets, row)
    except InputError as error:
        # The report is of the figures as they are; that they do not follow is said on the sheet.
        note = f"{error} "
    areas = [d for d in view.areas.shown if d is not None and view.areas.leaves[d] != (d,)]
    years = sorted({year for _, _, year in cells})
    for area in areas:
        for stage in (*view.balanced, *view.combined):
            for year in years:
                _add_area(view, lines, (area, stage, year), (balance_sheet, at))
    sums = sum(1 for row in lines.rows if row[5] == words("trace.area_sum"))
    fields = {"leaves": len(cells), "years": view.joined([str(year) for year in years])}
    note += words(
        "trace.note",
        **fields,
        sheet=balance_sheet,
        areas=len(areas),
        others=view.count(len(balance) - len(cells) - sums),
    )
    columns = (
        *(Column(words(f"trace.{key}")) for key in ("district", "code", "stage")),
        Column(words("trace.year"), "year"),
        *(Column(words(f"trace.{key}")) for key in ("ledger", "term")),
        Column(words("trace.value"), "exact"),
        *(Column(words(f"trace.{k}")) for k in ("unit", "formula", "table", "rows", "where")),
    )
    title = words("trace.title")
    table = Table("trace", title, columns, tuple(lines.rows), 6, name, how=(note,))
    return table, lines.links


def _add_terms(
    view: View,
    lines: Lines,
    key: tuple[str, str, int, str],
    terms: pd.DataFrame,
    sheets: Mapping[str, str],
    balance: Target,
) -> None:
    """Add the terms of one cell; the last one leads to the balance, the others to their rows."""
    words = view.words
    heads = _heads(view, key)
    for term in terms.to_dict("records"):
        first = re.match(r"\d+", term["rows"])
        sheet = sheets.get(term["table"], "")
        target = Target(sheet, int(first.group()) - 1) if first and sheet else None
        if term["term"] == "balance":
            target = balance
        lines.add(
            *heads,
            told_term(words, term["term"]),
            float(term["value"]),
            words(f"trace.unit_{term['unit']}"),
            told_formula(words, term["formula"]) or None,
            words.table(term["table"]) if term["table"] else None,
            term["rows"] or None,
            target=target,
            where="" if target is None else target.sheet,
        )


def _add_area(
    view: View,
    lines: Lines,
    cell: Key,
    balance: tuple[str, Mapping[tuple[object, ...], int]],
) -> None:
    """Add the balances of the districts below an area, and their sum."""
    words, table = view.words, view.forecast.balance
    assert table is not None  # there are rows of it
    area, stage, year = cell
    sheet, at = balance
    rest = (stage, year, view.ledger(stage), view.case)
    below = [d for d in view.areas.leaves[area] if d != area and (d, *rest) in at]
    if (area, *rest) not in at or not below:
        return
    heads, unit = _heads(view, (area, stage, year, rest[2])), words("trace.unit_places")
    figures = table["balance"].to_numpy()
    total = 0.0
    for district in below:
        row = at[district, *rest]
        total += float(figures[row])
        named = words("trace.area_term", name=view.name(district))
        texts = (unit, words("trace.leaf_formula"), None, None)
        target = Target(sheet, row)
        lines.add(*heads, named, float(figures[row]), *texts, target=target, where=sheet)
    row = at[area, *rest]
    try:
        refuse_apart(total, float(figures[row]), f"{area} {stage} {year}", "balance")
        formula = words("trace.area_formula")
    except InputError as error:
        formula = str(error)
    last = (words("trace.area_sum"), total, unit, formula, None, None)
    lines.add(*heads, *last, target=Target(sheet, row), where=sheet)


def _heads(view: View, key: tuple[str, str, int, str]) -> tuple[Cell, ...]:
    district, stage, year, ledger = key
    words = view.words
    return (
        view.name(district),
        district,
        words.stage(stage),
        year,
        words.value("ledger", ledger),
    )
