"""The section on policy and special topics: indicators against targets, and what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.places.indicators import implied_indicators
from placeforecast.report.model import Column, Paragraph, Section, Table
from placeforecast.report.topics import Topic, of_list, topic_blocks
from placeforecast.report.view import number

if TYPE_CHECKING:
    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

LEADS = (0, 5, 10)
"""Years after the launch at which indicators are shown, beside the last one."""
WHOLE = "*"
"""Code of all districts together where no district holds them all."""

TOPICS = (
    Topic("hidden_shortage", "class_sizes", "special"),
    Topic("intake_warnings", "intake_plan", "special", {"level": "warning"}),
    Topic("estates", "housing", "special"),
    Topic("plan_checks", "projects", "special"),
)


def special_section(view: View) -> Section:
    """Return the indicators of the whole region against targets, and the special topics."""
    words = view.words
    blocks: list[Block] = [Paragraph(words("special.text")), *_indicators(view)]
    for topic in TOPICS:
        blocks += topic_blocks(view, topic)
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
    row: list[Cell] = [words.stage(stage), of_list(view, "policy_indicator", indicator)]
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
