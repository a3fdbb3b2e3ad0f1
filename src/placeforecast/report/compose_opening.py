"""The first page: what this forecast is, and what a director needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast import __version__
from placeforecast.report.compose_actions import actions
from placeforecast.report.compose_closing import share_born
from placeforecast.report.model import Column, Paragraph, Points, Section, Table
from placeforecast.review.series import local_peaks, stage_pupils

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Block
    from placeforecast.report.view import View

SHOWN = 3
QUANTILE = "demand_p"
LEAST = 0.5
"""Less than half a place is neither short nor idle."""
BORN = 0.9995
"""A share that is printed as 100.0 %."""


@dataclass(frozen=True)
class Spell:
    """A run of years in which a district is short, or idle, in a stage: the worst one."""

    district: str | None
    stage: str
    first: int
    last: int
    worst: int
    places: float
    apart: int
    row: Mapping[str, Any]


def as_of(forecast: Forecast) -> str:
    """Return the day up to which data are used."""
    return f"{forecast.inputs.settings.as_of(forecast.launch_year):%Y-%m-%d}"


def summary_section(view: View) -> Section:
    """Return the facts of the forecast and the opening sentences."""
    blocks: list[Block] = [_facts(view)]
    if view.forecast.balance is None:
        blocks.append(Paragraph(view.words("opening.no_balance")))
    else:
        blocks += [Paragraph(_frame(view)), *_where(view, "short"), _unnetted(view)]
        blocks += [*actions(view), *_where(view, "idle")]
    blocks += _when(view)
    return Section(
        "summary", view.words("summary.title"), view.words("summary.sheet"), tuple(blocks)
    )


def _facts(view: View) -> Table:
    words, forecast = view.words, view.forecast
    launch, last = forecast.launch_year, forecast.last_year
    notes = forecast.notes
    model = notes.loc[notes["topic"] == "model", "text"]
    leaves, units = len(view.areas.below(None)), len(view.areas.units)
    rolled = "summary.districts_value" if leaves > units else "summary.districts_flat"
    span = {"first": launch + 1, "last": last, "years": last - launch}
    facts = {
        "region": view.region,
        "launch": str(launch),
        "horizon": words("summary.horizon_value", **span),
        "as_of": as_of(forecast),
        "model": str(model.iloc[0]) if len(model) else words("summary.model_own"),
        "version": f"placeforecast {__version__}",
        "system": forecast.inputs.settings.school_system,
        "districts": words(rolled, leaves=leaves, units=units),
    }
    return Table(
        key="facts",
        title=words("summary.facts"),
        columns=(Column(words("summary.item")), Column(words("summary.value"))),
        rows=tuple((words(f"summary.{key}"), value) for key, value in facts.items()),
    )


def _frame(view: View) -> str:
    fields = {"case": view.case_name, "ledger": view.words("report.main_ledger")}
    top = view.name(view.areas.top)
    key = "opening.frame_flat" if len(view.areas.shown) == 1 else "opening.frame"
    return view.words(key, top=top, **fields)


def spells(view: View, kind: str) -> list[Spell]:
    """Return where places are short or idle, worst first.

    Parameters
    ----------
    view : View
    kind : {"short", "idle"}
    """
    column = {"short": "shortfall", "idle": "surplus"}[kind]
    found = []
    for district in view.areas.units:
        for stage in view.balanced:
            rows = view.balance(district, stage)
            amounts = {year: float(row[column]) for year, row in rows.items()}
            runs = list(_runs(amounts))
            if not runs:
                continue
            worst = max(amounts, key=lambda year: (amounts[year], -year))
            run = next(run for run in runs if worst in run)
            apart = sum(len(other) for other in runs) - len(run)
            spell = Spell(
                district, stage, run[0], run[-1], worst, amounts[worst], apart, rows[worst]
            )
            found.append(spell)
    return sorted(found, key=lambda spell: -spell.places)


def _runs(amounts: Mapping[int, float]) -> Iterator[list[int]]:
    """Yield each unbroken run of years with at least half a place."""
    run: list[int] = []
    for year in sorted(amounts):
        if amounts[year] >= LEAST:
            run.append(year)
        elif run:
            yield run
            run = []
    if run:
        yield run


WORDING = {
    "short": ("begin_now", "begin_later", "until", "open_end"),
    "idle": ("idle_now", "idle_later", "idle_until", "idle_open"),
}


def _where(view: View, kind: str) -> Iterator[Block]:
    """Yield the sentences on where places are short, or idle."""
    words = view.words
    found = spells(view, kind)
    if not found:
        yield Paragraph(words(f"opening.none_{kind}"))
        return
    shown = min(SHOWN, len(found))
    yield Paragraph(words(f"opening.{kind}_head", count=len(found), shown=shown))
    yield Points(tuple(_spell(view, kind, spell) for spell in found[:SHOWN]))


def _spell(view: View, kind: str, spell: Spell) -> str:
    words = view.words
    now, later, until, open_end = WORDING[kind]
    years = spell.last - spell.first + 1
    span = {"first": spell.first, "last": spell.last, "years": years}
    ended = spell.last < view.forecast.last_year
    if years == 1:
        until, open_end = "one", "one_open"
    length = words(f"opening.{until if ended else open_end}", **span)
    if kind == "short" and spell.apart:
        length += words("opening.again", years=spell.apart)
    begin = now if spell.first == view.forecast.launch_year else later
    return words(
        f"opening.{kind}",
        area=view.name(spell.district),
        stage=view.words.stage(spell.stage),
        begin=words(f"opening.{begin}", **span),
        length=length,
        worst=spell.worst,
        places=view.count(spell.places),
        share=_share(view, kind, spell.row),
    )


def _share(view: View, kind: str, row: Mapping[str, Any]) -> str:
    if not row["places"] > 0:
        return ""
    if kind == "short":
        share = view.words("opening.share", share=view.share(row["shortfall"] / row["places"]))
        return share + _sure(view, row)
    return view.words("opening.idle_share", share=view.share(row["utilisation"]))


def _sure(view: View, row: Mapping[str, Any]) -> str:
    """Return how surely places are short, where trajectories were drawn."""
    interval = sorted(
        (name for name in row if name.startswith(QUANTILE)),
        key=lambda name: float(name.removeprefix(QUANTILE).replace("_", ".")),
    )
    if not interval or pd.isna(row.get("chance_of_shortfall")):
        return ""
    low, high = (view.count(row[name]) for name in (interval[0], interval[-1]))
    chance = view.share(row["chance_of_shortfall"])
    return view.words("opening.chance", chance=chance, low=low, high=high)


def _unnetted(view: View) -> Paragraph:
    """Return the sentence on what is short when nothing is netted."""
    top = view.areas.shown[0]
    parts = {stage: view.balance(top, stage) for stage in view.balanced}
    parts = {stage: rows for stage, rows in parts.items() if rows}
    total = {
        year: sum(float(rows[year]["cell_shortfall"]) for rows in parts.values() if year in rows)
        for year in view.years
    }
    worst = max(total, key=lambda year: (total[year], -year))
    if total[worst] < LEAST:
        return Paragraph(view.words("opening.no_unnetted"))
    rows = {stage: years[worst] for stage, years in parts.items() if worst in years}
    stage = max(rows, key=lambda name: float(rows[name]["cell_shortfall"]))
    text = view.words(
        "opening.unnetted",
        area=view.name(top),
        year=worst,
        places=view.count(total[worst]),
        stage=view.words.stage(stage),
        part=view.count(rows[stage]["cell_shortfall"]),
        net=view.count(sum(float(row["balance"]) for row in rows.values())),
    )
    return Paragraph(text)


def _when(view: View) -> Iterator[Paragraph]:
    """Yield the sentences on peaks, and on how long every pupil is already born."""
    words, top = view.words, view.areas.shown[0]
    named = _highest(local_peaks(stage_pupils(view.forecast, top)))
    items = [
        words(
            "opening.peak",
            stage=words.stage(stage),
            year=named[stage]["year"],
            pupils=view.count(named[stage]["pupils"]),
            when=words(f"opening.{_side(view, named[stage])}"),
        )
        for stage in view.stages
        if stage in named
    ]
    if items:
        yield Paragraph(words("opening.peaks", area=view.name(top), list=view.joined(items)))
    born = []
    for stage, shares in share_born(view, top).items():
        certain = [year for year, share in shares.items() if share >= BORN]
        if certain:
            born.append(words("opening.born_one", stage=words.stage(stage), year=max(certain)))
    if born:
        yield Paragraph(words("opening.born", list=view.joined(born)))


def _highest(peaks: pd.DataFrame) -> Mapping[str, Mapping[Any, Any]]:
    """Return the highest crest of each stage; one at the edge of the years only if alone."""
    order = peaks.assign(inside=peaks["edge"] == "")
    order = order.sort_values(["inside", "pupils"], ascending=False, kind="stable")
    rows = order.drop_duplicates("stage").to_dict("records")
    return {str(row["stage"]): row for row in rows}


def _side(view: View, peak: Mapping[Any, Any]) -> str:
    if peak["edge"]:
        return str(peak["edge"])
    launch = view.forecast.launch_year
    return "past" if peak["year"] < launch else "now" if peak["year"] == launch else "ahead"
