"""The section on people: births, children of school age, and who enters and is enrolled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from placeforecast import plot
from placeforecast.report.model import Column, Figure, Paragraph, Section, Table
from placeforecast.report.view import number
from placeforecast.review.cohorts import area_births, cohort_births, stage_entrants
from placeforecast.tables.districts import members
from placeforecast.tables.grades import ages_of, is_entry, resolve_grades

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

    from placeforecast.report.model import Block, Cell
    from placeforecast.report.view import View

BEFORE_SCHOOL = "kindergarten"
"""Entrants of the stage after it are compared with the births of their cohort."""
ADULT = 18
PAST = 6
"""Years before the launch that the table of cohorts begins with."""


def people_section(view: View) -> Section:
    """Return what the forecast rests on: births, children by age and stage, and enrolment."""
    words = view.words
    blocks: list[Block] = [
        Paragraph(words("people.text")),
        *_ladder(view),
        *_cohorts(view),
        *_pyramid(view),
        *_fertility(view),
        *_single_ages(view),
        *_by_stage(view),
        *_enrolled(view),
        _grades(view),
    ]
    return Section("people", words("people.title"), words("people.sheet"), tuple(blocks))


def _own(view: View, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the whole region: of its leaves."""
    tree, top = view.forecast.inputs.districts, view.areas.shown[0]
    if tree is None or top is None:
        return table
    return table[table["district"].isin(members(tree)[top])]


def _whole(view: View, table: pd.DataFrame, value: str, *keys: str) -> pd.Series[float]:
    """Return sums over the whole region; without those that one of its districts lacks."""
    leaves = view.areas.below(view.areas.shown[0])
    grouped = table[table["district"].isin(leaves)].groupby(list(keys))
    summed = grouped[value].sum(skipna=False)
    return summed[grouped["district"].nunique() == len(leaves)]


def _ladder(view: View) -> list[Block]:
    """Return the figure of births and entrants, where the births of the region are known."""
    words, forecast, top = view.words, view.forecast, view.areas.shown[0]
    if forecast.assumptions.births is None:
        return []
    births = area_births(forecast, top).set_index("year")["births"]
    if births.empty:
        return []
    ends = {"first": int(births.index.min()), "last": int(births.index.max())}
    told = {f"births_{end}": view.count(births[year]) for end, year in ends.items()}
    area = view.name(top)
    caption = words("people.ladder_caption", area=area)
    alt = words("people.ladder_alt", area=area, **ends, **told)
    return [Figure("ladder", caption, alt, partial(_drawn, view, plot.lag_ladder))]


def _pyramid(view: View) -> list[Block]:
    """Return the population pyramid, where people are projected."""
    words, forecast = view.words, view.forecast
    if forecast.population is None:
        title = words("people.pyramid")
        return [Paragraph(words("special.none", title=title, file="population"))]
    people = _own(view, forecast.population)
    ends = {"first": forecast.launch_year, "last": forecast.last_year}
    told = {}
    for end, year in ends.items():
        now = people[people["year"] == year]
        told[f"total_{end}"] = view.count(now["population"].sum())
        told[f"young_{end}"] = view.count(now.loc[now["age"] < ADULT, "population"].sum())
    area = view.name(view.areas.shown[0])
    caption = words("people.pyramid_caption", area=area, **ends)
    alt = words("people.pyramid_alt", area=area, **ends, **told)
    return [Figure("pyramid", caption, alt, partial(_drawn, view, plot.pyramid))]


def _drawn(view: View, figure: Callable[..., Axes]) -> Drawing:
    axes = figure(view.forecast, view.areas.shown[0], language=view.words.language)
    drawing = axes.get_figure(root=True)
    assert drawing is not None
    return drawing


def _school_entry(view: View) -> tuple[str, int]:
    """Return the lowest stage of school and the age at which it is entered."""
    system = resolve_grades(view.forecast.inputs.grades)
    entries = [
        (int(row["entry_age"]), str(row["stage"]))
        for row in system.to_dict("records")
        if is_entry(row) and int(row["duration"]) == 1 and row["stage"] != BEFORE_SCHOOL
    ]
    age, stage = min(entries or [(int(system["entry_age"].min()), "")])
    return stage, age


def _entrants(view: View, stage: str, age: int) -> pd.Series[float]:
    """Return those who enter a stage at an age by year: as counted, then forecast."""
    entrants = stage_entrants(view.forecast, view.areas.shown[0])
    own = entrants[(entrants["stage"] == stage) & (entrants["age"] == age)]
    return own.set_index("year")["pupils"]


def _cohorts(view: View) -> list[Block]:
    """Set births beside the children and the entrants that they become."""
    words, forecast = view.words, view.forecast
    title = words("people.cohorts", area=view.name(view.areas.shown[0]))
    if forecast.assumptions.births is None:
        return [Paragraph(words("special.none", title=title, file="births"))]
    births = cohort_births(forecast)
    births = births.assign(born=births["births"] * births["share_born"])
    known = {name: _whole(view, births, name, "year") for name in ("births", "born")}
    stage, age = _school_entry(view)
    entrants = _entrants(view, stage, age)
    children = forecast.children[forecast.children["age"] == age]
    resident = _whole(view, children[children["basis"] == "resident"], "children", "year")
    rows: list[tuple[Cell, ...]] = []
    # Up to the last who enter within the forecast, and to the last born at the launch.
    shown = range(view.years[0] - PAST - age, max(view.years[-1] - age, view.years[0]) + 1)
    for cohort in [int(y) for y in known["births"].index if y in shown]:
        born, entry = known["births"][cohort], cohort + age
        came = number(entrants.get(entry))
        rows.append(
            (
                cohort,
                number(born),
                number(known["born"][cohort] / born) if born else None,
                entry,
                number(resident.get(entry)),
                came,
                None if came is None or not born else number(came / born),
            )
        )
    columns = (
        Column(words("people.cohort"), "year"),
        Column(words.column("births", "births"), "count"),
        Column(words("people.recorded"), "share"),
        Column(words("people.entry", age=age), "year"),
        Column(words("people.resident", age=age), "count"),
        Column(words("people.entrants"), "count"),
        Column(words("people.per_birth"), "share"),
    )
    note = words("people.cohorts_note", launch=forecast.launch_year)
    return [Table("cohorts", title, columns, tuple(rows), note=note)]


def _fertility(view: View) -> list[Block]:
    """Return births per woman of the region, weighted by the women of each age."""
    words, forecast = view.words, view.forecast
    asfr, people = forecast.assumptions.fertility, forecast.population
    title = words("people.fertility")
    if asfr is None or people is None:
        return [Paragraph(words("special.none", title=title, file="fertility, population"))]
    women = _own(view, people[people["sex"] == "female"])
    keys = [key for key in ("district", "year", "age") if key in asfr.columns]
    joined = women.merge(asfr[[*keys, "asfr"]], on=keys, validate="m:1")
    joined["born"] = joined["asfr"] * joined["population"]
    summed = joined.groupby(["year", "age"])[["born", "population"]].sum()
    rate = (summed["born"] / summed["population"]).groupby("year").sum()
    rows = tuple((int(str(y)), f"{r:.2f}") for y, r in rate.items() if y in view.key_years)
    columns = (Column(words.column("pupils", "year"), "year"), Column(words("people.tfr")))
    return [Table("fertility", title, columns, rows, note=words("people.fertility_note"))]


def _single_ages(view: View) -> list[Block]:
    """Return children by single age in the launch year, on each basis there is."""
    words, forecast = view.words, view.forecast
    now = forecast.children[forecast.children["year"] == forecast.launch_year]
    known = {
        str(basis): _whole(view, rows, "children", "age") for basis, rows in now.groupby("basis")
    }
    if forecast.population is not None:
        people = _own(view, forecast.population)
        people = people[(people["year"] == forecast.launch_year) & (people["age"] < ADULT)]
        known["resident"] = people.groupby("age")["population"].sum()
    ages = sorted({int(age) for series in known.values() for age in series.index})
    rows = tuple((age, *(number(series.get(age)) for series in known.values())) for age in ages)
    columns = (
        Column(words("people.age"), "year"),
        *(Column(words.value("basis", basis), "count") for basis in known),
    )
    title = words("people.ages", year=forecast.launch_year)
    return [Table("ages", title, columns, rows, note=words("people.ages_note"))]


def _by_stage(view: View) -> list[Block]:
    """Return children of the official ages of each stage, by year and basis."""
    words, forecast = view.words, view.forecast
    system = resolve_grades(forecast.inputs.grades)
    official: dict[str, set[int]] = {}
    for row in system.to_dict("records"):
        if row["stage"] in view.stages:
            official.setdefault(str(row["stage"]), set()).update(ages_of(row))
    children = forecast.children[forecast.children["year"] >= forecast.launch_year]
    blocks: list[Block] = []
    for basis, own in children.groupby("basis", sort=True):
        wide = _whole(view, own, "children", "year", "age").unstack("age")
        rows = tuple(
            (
                int(str(year)),
                *(
                    number(values.reindex(sorted(ages)).sum(skipna=False))
                    for ages in official.values()
                ),
            )
            for year, values in wide.iterrows()
        )
        columns = (
            Column(words.column("pupils", "year"), "year"),
            *(
                Column(
                    words(
                        "people.stage_ages",
                        stage=words.stage(stage),
                        low=min(ages),
                        high=max(ages),
                    ),
                    "count",
                )
                for stage, ages in official.items()
            ),
        )
        title = words("people.school_age", basis=words.value("basis", str(basis)))
        note = words("people.school_age_note")
        blocks.append(Table(f"school_age_{basis}", title, columns, rows, note=note))
    return blocks


def _enrolled(view: View) -> list[Block]:
    """Return pupils of the launch year by stage, sector and residence."""
    words, forecast = view.words, view.forecast
    system = resolve_grades(forecast.inputs.grades)
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    enrolment = forecast.inputs.enrolment
    assert enrolment is not None  # required of every region
    now = _own(view, enrolment[enrolment["year"] == forecast.launch_year])
    now = now.assign(stage=now["grade"].map(stage_of))
    blocks: list[Block] = []
    for kind in ("sector", "residence"):
        if kind not in now.columns or now[kind].isna().all():
            title = words(f"people.by_{kind}", year=forecast.launch_year)
            blocks.append(Paragraph(words("people.not_told", title=title, column=kind)))
            continue
        wide = now.groupby(["stage", kind])["pupils"].sum().unstack(kind)
        kinds = [str(name) for name in dict.fromkeys(now[kind].dropna()) if name in wide.columns]
        rows = []
        for stage in view.stages:
            if stage in wide.index:
                values = wide.loc[[stage]].iloc[0]
                total = float(values.sum())
                each = [number(values[name]) for name in kinds]
                rows.append((words.stage(stage), *each, number(total)))
        columns = (
            Column(words.column("demand", "stage")),
            *(Column(words.value(kind, name), "count") for name in kinds),
            Column(words("people.total"), "count"),
        )
        title = words(f"people.by_{kind}", year=forecast.launch_year)
        blocks.append(Table(f"by_{kind}", title, columns, tuple(rows)))
    return blocks


def _grades(view: View) -> Table:
    """Return pupils of the region by grade in some years."""
    words, forecast = view.words, view.forecast
    pupils = _own(view, forecast.pupils)
    wide = pupils.groupby(["grade", "year"])["pupils"].sum().unstack("year")
    system = resolve_grades(forecast.inputs.grades)
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    rows = tuple(
        (words.stage(stage_of[grade]), grade, *(number(wide.loc[grade, y]) for y in view.key_years))
        for grade in system["grade"].tolist()
        if grade in wide.index
    )
    columns = (
        Column(words.column("demand", "stage")),
        Column(words.column("pupils", "grade")),
        *(Column(str(year), "count") for year in view.key_years),
    )
    note = words("people.grades_note", launch=forecast.launch_year)
    return Table("grades", words("people.grades"), columns, rows, heads=2, note=note)
