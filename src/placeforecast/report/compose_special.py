"""The section on policy and special topics: indicators against targets, and what to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.places.indicators import implied_indicators
from placeforecast.report.model import Column, Paragraph, Section, Table
from placeforecast.report.view import cells, number
from placeforecast.tables.districts import names
from placeforecast.tables.vocabulary import values, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.report.model import Block, Cell, Form
    from placeforecast.report.view import View

LEADS = (0, 5, 10)
"""Years after the launch at which indicators are shown, beside the last one."""
MOST_ROWS = 60
"""A longer table has a sheet of its own; the page then shows the whole region, or warnings only."""
QUIET = "normal"
"""The level of warning that a page leaves out."""
WHOLE = "*"
"""Code of all districts together where no district holds them all."""
FORMS: Mapping[str, Form] = {
    "year": "year",
    "gap": "signed",
    "ratio": "share",
    "uplift": "share",
    "share_large": "share",
}
"""How columns are printed that are no text and no count."""
UNSHOWN = ("scenario", "requirement")
KNOWN = ("enrolment", "demand", "balance", "projects", "housing")
"""Tables whose columns come first where a column stands in several."""


@dataclass(frozen=True)
class _Topic:
    """A table of the forecast: the input that it needs, and columns by another name."""

    name: str
    source: str
    renamed: Mapping[str, str]


TOPICS = (
    _Topic("hidden_shortage", "class_sizes", {}),
    _Topic("intake_warnings", "intake_plan", {"level": "warning"}),
    _Topic("estates", "housing", {}),
    _Topic("plan_checks", "projects", {}),
)


def special_section(view: View) -> Section:
    """Return the indicators of the whole region against targets, and the special topics."""
    words = view.words
    blocks: list[Block] = [Paragraph(words("special.text")), *_indicators(view)]
    for topic in TOPICS:
        blocks += _topic(view, topic)
    return Section("special", words("special.title"), words("special.sheet"), tuple(blocks))


def _indicators(view: View) -> list[Block]:
    """Return the indicators of the whole region, or what is needed for them."""
    words, top = view.words, view.areas.shown[0]
    code = WHOLE if top is None else top
    table = _implied(view)
    table = table[table["district"] == code]
    if table.empty:
        return [Paragraph(words("special.no_indicators"))]
    years = [y for y in view.years if y - view.years[0] in LEADS or y == view.years[-1]]
    targets = bool(table["target"].notna().any())
    keys = ["stage", "indicator", "basis"]
    rows = [
        _indicator(view, (str(s), str(i), str(b)), own, (years, targets))
        for (s, i, b), own in table.groupby(keys, sort=False)
    ]
    columns = [
        Column(words.column("demand", "stage")),
        Column(words.column("policy", "indicator")),
        Column(words.column("policy", "basis")),
    ]
    for year in years:
        columns.append(Column(str(year), "share"))
        if targets:
            columns.append(Column(words("special.target", year=year), "share"))
    if targets:
        columns.append(Column(words("special.missed")))
    title = words("special.indicators", area=view.name(top))
    note = words("special.indicators_note")
    found = Table("indicators", title, tuple(columns), tuple(rows), heads=3, note=note)
    return [found] if targets else [Paragraph(words("special.no_targets")), found]


def _implied(view: View) -> pd.DataFrame:
    """Return the indicators of the forecast; made here where it has none of the whole region."""
    forecast = view.forecast
    if forecast.indicators is not None and view.areas.shown[0] is not None:
        return forecast.indicators
    inputs = forecast.inputs
    return implied_indicators(
        forecast.pupils,
        forecast.demand,
        forecast.children,
        inputs.enrolment,
        inputs.policy,
        districts=_tree(view),
        grades=inputs.grades,
    )


def _tree(view: View) -> pd.DataFrame | None:
    """Return how districts roll up; to one made up where no district holds them all."""
    given = view.forecast.inputs.districts
    if view.areas.shown[0] is not None:
        return given
    if given is None:
        given = pd.DataFrame({"district": list(view.areas.leaves)})
    parent = given["parent"] if "parent" in given.columns else pd.Series(pd.NA, given.index)
    tree = given.assign(parent=parent.mask(given["district"].isin(view.areas.units), WHOLE))
    return pd.concat([tree, pd.DataFrame({"district": [WHOLE]})], ignore_index=True)


def _indicator(
    view: View, key: tuple[str, str, str], own: pd.DataFrame, shown: tuple[list[int], bool]
) -> tuple[Cell, ...]:
    words, (years, targets) = view.words, shown
    stage, indicator, basis = key
    by_year = own.set_index("year")
    row: list[Cell] = [words.stage(stage), _of_list(view, "policy_indicator", indicator)]
    row.append(words.value("basis", basis))
    for year in years:
        at = by_year.loc[year] if year in by_year.index else {"value": None, "target": None}
        row.append(number(at["value"]))
        if targets:
            row.append(number(at["target"]))
    if targets:
        row.append(_missed(view, by_year["met"]))
    return tuple(row)


def _missed(view: View, met: pd.Series[Any]) -> Cell:
    """Return the years in which a target is missed; None where nothing is compared."""
    compared = met.dropna()
    if compared.empty:
        return None
    missed = [int(str(year)) for year, reached in compared.items() if not reached]
    spans: list[list[int]] = []
    for year in missed:
        if spans and year == spans[-1][-1] + 1:
            spans[-1][1:] = [year]
        else:
            spans.append([year])
    join = view.words("special.span")
    told = [join.join(map(str, dict.fromkeys((s[0], s[-1])))) for s in spans]
    return view.words("special.join").join(told) or view.words("special.met")


def _topic(view: View, topic: _Topic) -> list[Block]:
    """Return the table of a topic, or what is needed for it."""
    words = view.words
    title, note = words(f"special.{topic.name}"), words(f"special.{topic.name}_note")
    table: pd.DataFrame | None = getattr(view.forecast, topic.name, None)
    if table is None:
        return [Paragraph(words("special.none", title=title, file=topic.source))]
    if table.empty:
        return [Paragraph(words("special.empty", title=title))]
    table = table.drop(columns=list(UNSHOWN), errors="ignore").rename(columns=dict(topic.renamed))
    if len(table) <= MOST_ROWS:
        return [_listed(view, table, (topic.name, title, note))]
    blocks: list[Block] = []
    part = table[table["district"] == view.areas.shown[0]]
    if "warning" in table.columns:
        part = table[~table["warning"].isin([QUIET])]
    if 0 < len(part) <= MOST_ROWS:
        excerpt = words("special.excerpt", title=title)
        blocks.append(_listed(view, part, (topic.name, excerpt, note)))
    named = (f"{topic.name}_all", title, note)
    return [*blocks, _listed(view, table, named, sheet=words(f"special.{topic.name}_sheet"))]


def _listed(
    view: View, table: pd.DataFrame, named: tuple[str, str, str], *, sheet: str = ""
) -> Table:
    """Return a table of the forecast as it is, with the names of columns and values."""
    key, title, note = named
    columns = [str(name) for name in table.columns]
    forms = {name: _form(table[name], name) for name in columns}
    told = [_cells(view, table[name], name, forms[name]) for name in columns]
    heads = max(1, sum(forms[name] == "text" for name in columns[:3]))
    return Table(
        key=key,
        title=title,
        columns=tuple(Column(_label(view, name), forms[name]) for name in columns),
        rows=tuple(zip(*told, strict=True)),
        heads=heads,
        sheet=sheet,
        note=note,
    )


def _form(column: pd.Series[Any], name: str) -> Form:
    plain = not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    return "text" if plain else FORMS.get(name, "count")


def _cells(view: View, column: pd.Series[Any], name: str, form: Form) -> Sequence[Cell]:
    if form != "text":
        return cells(column, counted=form != "year")
    return [None if pd.isna(value) else _told(view, name, str(value)) for value in column]


def _told(view: View, name: str, value: str) -> str:
    """Return the printed name of a value."""
    words = view.words
    if name == "district":
        known = names(view.forecast.inputs.districts)
        return view.name(value) if value in view.areas.leaves else str(known.get(value, value))
    if name == "stage":
        return words.stage(value)
    if name == "warning":
        return words.warning(value)
    if name == "level":
        return _of_list(view, "level", value)
    return words.texts.get(f"{name}.{value}", value)


def _of_list(view: View, list_name: str, value: str) -> str:
    name = view.words.value(list_name, value) if value in values(list_name) else value
    return name[:1].upper() + name[1:]


def _label(view: View, name: str) -> str:
    """Return the printed name of a column: of the catalogue, else of the vocabulary."""
    words = view.words
    if f"column.{name}" in words.texts:
        return words(f"column.{name}")
    known = vocabulary()
    for table in dict.fromkeys((*(t for t in KNOWN if t in known), *known)):
        if name in {column.name for column in known[table].columns}:
            return words.column(table, name)
    return words.column("demand", name)
