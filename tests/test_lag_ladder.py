"""The ladder of births and entrants: the right counts in the right years, in two languages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import placeforecast as pf
from placeforecast.plot import fonts
from placeforecast.review.cohorts import area_births, stage_entrants
from reports import small

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast

AGES = {"kindergarten": 3, "primary": 6, "junior": 12, "senior_general": 15}


@pytest.fixture(scope="module")
def result() -> Forecast:
    return pf.forecast(small(("A",)))


@pytest.fixture(scope="module")
def axes(result: Forecast) -> Axes:
    return pf.plot.lag_ladder(result, language="en")


def labels(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def followed(axes: Axes) -> dict[str, list[int]]:
    """Return the years of each cohort that is drawn, by its name in the legend."""
    legend = axes.get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()][:-2]
    lines = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert len(lines) == len(names)
    years = [[int(year) for year in np.asarray(line.get_xdata())] for line in lines]
    return dict(zip(names, years, strict=True))


def test_a_rung_for_births_and_each_age_of_entry(axes: Axes) -> None:
    lags = ["Kindergarten\n+3 years", "Primary\n+6 years", "Junior\n+12 years"]
    assert labels(axes) == ["Births", *lags, "Senior\n+15 years"]
    assert axes.get_title(loc="left").endswith(": from births to the entry of each stage")


def test_cohorts_arrive_as_many_years_later_as_they_are_old(result: Forecast, axes: Axes) -> None:
    """Counts begin in 2019 and end in 2033, so that a cohort misses some rungs."""
    births = area_births(result).query("observed").set_index("year")["births"]
    lines = followed(axes)
    assert len(lines) == 2
    for name, years in lines.items():
        first = int(name.removeprefix("Born in "))
        lags = [lag for lag in AGES.values() if 2019 <= first + lag <= 2033]
        assert years == [first, *(first + lag for lag in lags)]
    most = int(next(iter(lines)).removeprefix("Born in "))
    entered = births[births.index >= 2019 - 15]
    assert births[most] == entered.max()


def test_the_numbers_are_those_of_the_tables(result: Forecast, axes: Axes) -> None:
    births = area_births(result).set_index("year")["births"]
    entrants = stage_entrants(result)
    counts = entrants.assign(age=entrants["age"]).groupby(["year", "age"])["pupils"].sum()
    written = {text.get_text() for text in axes.texts}
    for name, years in followed(axes).items():
        first = int(name.removeprefix("Born in "))
        shown = [births[first], *(counts[year, year - first] for year in years[1:])]
        assert {f"{count:,.0f}" for count in shown} <= written


def test_a_missing_count_leaves_a_gap(result: Forecast) -> None:
    enrolment = result.inputs.enrolment
    assert enrolment is not None
    hole = (enrolment["year"] == 2021) & (enrolment["grade"] == "P1")
    inputs = replace(result.inputs, enrolment=enrolment[~hole])
    holed = pf.plot.lag_ladder(replace(result, inputs=inputs), language="en")
    gaps = [
        int(np.asarray(line.get_xdata())[0]) + int(at)
        for line in holed.get_lines()
        if line.get_linestyle() == "-" and line.get_marker() == "None"
        for at in np.flatnonzero(np.isnan(np.asarray(line.get_ydata(), dtype=float)))
        if int(np.asarray(line.get_xdata())[0]) + int(at) <= 2024
    ]
    assert gaps == [2021]


def test_settings_stay_and_words_have_fonts(result: Forecast) -> None:
    before = dict(mpl.rcParams)
    given = Figure().subplots()
    axes = pf.plot.lag_ladder(result, "A", ax=given, language="zh")
    assert axes is given
    assert dict(mpl.rcParams) == before
    assert labels(axes)[:2] == ["出生人口", "幼儿园\n＋3年"]
    for text in axes.findobj(Text):
        assert text.get_fontfamily() == list(fonts.families())


def test_the_same_figure_has_the_same_bytes(result: Forecast) -> None:
    drawn = []
    for _ in range(2):
        figure = pf.plot.lag_ladder(result, language="zh").get_figure(root=True)
        assert figure is not None
        drawn.append(fonts.svg_of(figure, name="f", label="ladder"))
    assert drawn[0] == drawn[1]


def test_without_births_there_is_no_ladder(result: Forecast) -> None:
    bare = replace(result, births=None, assumptions=replace(result.assumptions, births=None))
    with pytest.raises(ValueError, match=r"^the forecast has no births: give births, or people"):
        pf.plot.lag_ladder(bare)
