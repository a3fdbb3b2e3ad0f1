"""Figures: axes out, words in two languages, and matplotlib left as it was."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import placeforecast as pf
from placeforecast.plot import fonts
from placeforecast.plot.areas import balances_of, printed_names
from placeforecast.plot.words import LANGUAGES, read_texts, words
from placeforecast.review.areas import areas_of
from placeforecast.review.series import local_peaks, stage_pupils
from placeforecast.tables.grades import load_grades

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.chain.record import Forecast

FIGURES: dict[str, Callable[..., Axes]] = {
    "wave": lambda forecast, **how: pf.plot.wave(forecast, "D01", **how),
    "balance": lambda forecast, **how: pf.plot.balance(
        forecast, "CITY", "compulsory", "public", **how
    ),
    "fan": lambda forecast, **how: pf.plot.fan(forecast, "D01", "junior", **how),
    "heat_map": lambda forecast, **how: pf.plot.heat_map(
        forecast, "senior_general", "public", "planned", **how
    ),
}


@pytest.fixture(scope="module")
def city() -> Forecast:
    return pf.forecast(pf.load_example("city"), horizon=5, trajectories=20, seed=1)


@pytest.fixture(params=FIGURES)
def draw(request: pytest.FixtureRequest) -> Callable[..., Axes]:
    return FIGURES[request.param]


def svg(axes: Axes) -> str:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return fonts.svg_of(figure, name="f", label="a & b")


def test_axes_come_out_and_settings_stay(city: Forecast, draw: Callable[..., Axes]) -> None:
    before = dict(mpl.rcParams)
    axes = draw(city)
    svg(axes)
    assert isinstance(axes, Axes)
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_used() -> None:
    """It keeps every figure and chooses a window system, for the whole program."""
    package = Path(pf.__file__).parent
    for file in [*package.glob("plot/**/*.py"), *package.glob("report/**/*.py")]:
        assert "pyplot" not in file.read_text(encoding="utf-8"), file


def test_a_figure_is_drawn_into_given_axes(city: Forecast, draw: Callable[..., Axes]) -> None:
    axes = Figure().subplots()
    assert draw(city, ax=axes) is axes
    assert axes.get_title(loc="left")


def test_every_text_has_a_font_with_its_characters(
    city: Forecast, draw: Callable[..., Axes]
) -> None:
    axes = draw(city, language="zh")
    assert re.search("[\u4e00-\u9fff]", axes.get_title(loc="left"))
    for text in axes.findobj(Text):
        assert text.get_fontfamily() == list(fonts.families())
    assert fonts.families()[0] == "Noto Sans SC"


def test_the_same_figure_has_the_same_bytes(city: Forecast, draw: Callable[..., Axes]) -> None:
    assert svg(draw(city)) == svg(draw(city))


def test_a_figure_needs_nothing_from_outside(city: Forecast, draw: Callable[..., Axes]) -> None:
    drawn = svg(draw(city))
    assert drawn.startswith("<svg ")
    assert 'role="img" aria-label="a &amp; b"' in drawn
    assert not re.search("http|<!--|<text|<image|<script", drawn)
    assert all(name.startswith("f-") for name in re.findall(r'\bid="([^"]+)"', drawn))
    pointed = re.findall(r'(?:href="|url\()#([^")]+)', drawn)
    assert pointed
    assert set(pointed) <= set(re.findall(r'\bid="([^"]+)"', drawn))


def test_the_wave_shows_what_was_counted_and_what_is_forecast(city: Forecast) -> None:
    series = stage_pupils(city, "D01").query("stage == 'primary'").set_index("year")
    enrolment = city.inputs.enrolment
    assert enrolment is not None
    own = enrolment[enrolment["district"].str.startswith("D01-") & (enrolment["year"] == 2019)]
    primary = own[own["grade"].isin([f"P{i}" for i in range(1, 7)])]
    assert series.loc[2019, "pupils"] == primary["pupils"].sum()
    assert series.index.tolist() == list(range(2013, 2031))
    assert series.index[series["observed"]].max() == city.launch_year
    axes = pf.plot.wave(city, "D01")
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.get_lines()]
    counted = series.loc[series["observed"], "pupils"].to_numpy(dtype=float)
    assert any(len(line) == len(counted) and np.allclose(line, counted) for line in drawn)


def test_a_year_that_lacks_a_grade_is_left_out(city: Forecast) -> None:
    enrolment = city.inputs.enrolment
    assert enrolment is not None
    hole = (
        (enrolment["district"] == "D01-U")
        & (enrolment["year"] == 2016)
        & (enrolment["grade"] == "P3")
    )
    inputs = replace(city.inputs, enrolment=enrolment[~hole])
    years = stage_pupils(replace(city, inputs=inputs), "D01").groupby("stage")["year"].unique()
    assert 2016 not in years["primary"]
    assert 2016 in years["junior"]


@pytest.mark.parametrize(
    ("pupils", "expected"),
    [
        ([1, 3, 2, 4, 1], [(1, ""), (3, "")]),
        ([5, 3, 2], [(0, "first")]),
        ([1, 2, 3], [(2, "last")]),
        ([1, 3, 3, 2], [(1, "")]),
        ([2, 2, 2], []),
        ([3, 3, 1, 2, 2], [(0, "first"), (3, "last")]),
        ([100.0, 100.3, 100.1], []),  # less than a pupil is no crest
    ],
)
def test_every_crest_is_found(pupils: list[float], expected: list[tuple[int, str]]) -> None:
    series = pd.DataFrame({"stage": "junior", "year": range(len(pupils)), "pupils": pupils})
    found = local_peaks(series)
    assert list(zip(found["year"], found["edge"], strict=True)) == expected


def test_a_plateau_is_what_lies_within_a_twentieth() -> None:
    series = pd.DataFrame(
        {"stage": "junior", "year": range(2020, 2026), "pupils": [90, 95, 99, 100, 94, 96]}
    )
    row = local_peaks(series).iloc[0]
    assert (row["year"], row["plateau_from"], row["plateau_to"]) == (2023, 2021, 2023)


def test_the_balance_shades_what_is_short(city: Forecast) -> None:
    axes = pf.plot.balance(city, "CITY", "senior_general", "public", language="en")
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [
        *("Places, existing", "Places, committed", "Places, planned", "Places, risk adjusted"),
        *("Places needed", "Short (planned)"),
    ]
    assert shaded(axes)
    assert not shaded(pf.plot.balance(city, "CITY", "kindergarten", "public"))


def shaded(axes: Axes) -> bool:
    """Return whether anything is shown as short."""
    return any(path.get_extents().height > 0 for path in axes.collections[-1].get_paths())


def test_the_heat_map_writes_the_share_of_each_cell(city: Forecast) -> None:
    axes = pf.plot.heat_map(city, "senior_general", "public", "planned")
    rows = balances_of(
        city,
        areas_of(city),
        ["D08"],
        {"stage": "senior_general", "ledger": "public", "plan_case": "planned"},
    )["D08"]
    shares = (100 * rows["balance"] / rows["places"]).round().astype(int).tolist()
    names = [label.get_text() for label in axes.get_yticklabels()]
    row = names.index("启晨新区")
    written = [text.get_text() for text in axes.texts if text.get_position()[1] == row]
    assert [int(word) for word in written] == shares
    assert names[0] == "示例市（虚构）"


def test_all_districts_together_are_the_sum_of_the_roots(city: Forecast) -> None:
    inputs = replace(city.inputs, districts=None, tasks=None, posts=None, budget=None)
    flat = replace(city, inputs=inputs)
    areas = areas_of(flat)
    assert areas.top is None
    assert areas.shown[0] is None
    assert city.balance is not None
    leaves = replace(flat, balance=city.balance[city.balance["district"].isin(areas.units)])
    total = balances_of(leaves, areas, [None])[None]
    keys = ["stage", "ledger", "plan_case", "year"]
    whole = balances_of(city, areas_of(city), ["CITY"])["CITY"]
    columns = [
        *("pupils", "demand", "places", "balance", "shortfall", "surplus"),
        *("cell_shortfall", "cell_surplus", "utilisation", "share_born"),
    ]
    pd.testing.assert_frame_equal(
        total.set_index(keys)[columns].sort_index(), whole.set_index(keys)[columns].sort_index()
    )
    assert printed_names(flat, words("en"))[None] == city.inputs.settings.name


def test_two_districts_of_one_name_can_be_told_apart(city: Forecast) -> None:
    districts = city.inputs.districts
    assert districts is not None
    same = districts["name"].where(~districts["district"].isin(["D01", "D02"]), "East")
    both = replace(city, inputs=replace(city.inputs, districts=districts.assign(name=same)))
    names = printed_names(both, words("en"))
    assert (names["D01"], names["D02"], names["D03"]) == ("East (D01)", "East (D02)", "云汀区")


def test_a_stranger_is_refused(city: Forecast) -> None:
    with pytest.raises(ValueError, match=r"no district 'D0' in the forecast. Did you mean"):
        pf.plot.wave(city, "D0")
    with pytest.raises(ValueError, match=r"no stage 'primry' here. Did you mean 'primary'"):
        pf.plot.balance(city, "CITY", "primry")
    with pytest.raises(ValueError, match="there is no plan case 'built' here"):
        pf.plot.heat_map(city, "primary", "all", "built")
    with pytest.raises(ValueError, match="there is no language 'fr': zh, en"):
        pf.plot.wave(city, language="fr")
    with pytest.raises(ValueError, match="no table of places"):
        pf.plot.balance(replace(city, balance=None), "CITY", "primary")


def test_a_name_is_neither_a_formula_nor_cut_without_a_sign() -> None:
    assert fonts.plain("$a$\n b") == r"\$a\$ b"
    assert fonts.wrapped("北" * 60, 20, 2) == "北" * 10 + "\n" + "北" * 9 + "…"
    assert fonts.wrapped("䶮 $x$", 20) == r"䶮 \$x\$"


def test_a_character_without_a_font_is_named() -> None:
    with pytest.warns(pf.AssumptionWarning, match="no font has \U000f0000: figures show □"):
        assert fonts.plain("a\U000f0000") == "a□"


def test_a_district_called_like_a_formula_is_drawn(city: Forecast) -> None:
    districts = city.inputs.districts
    assert districts is not None
    name = districts["name"].where(districts["district"] != "D08", r"$\frac{1}$ <b> =1+1")
    odd = replace(city, inputs=replace(city.inputs, districts=districts.assign(name=name)))
    for draw in FIGURES.values():
        assert "<b>" not in svg(draw(odd))
    assert "<svg" in svg(pf.plot.wave(odd, "D08"))


@pytest.mark.parametrize("place", ["plot.words", "report.catalogue"])
def test_the_words_of_both_languages_have_the_same_keys(place: str) -> None:
    texts = {language: read_texts(f"placeforecast.{place}", language) for language in LANGUAGES}
    assert texts["zh"].keys() == texts["en"].keys()
    for key, text in texts["zh"].items():
        fields = [set(re.findall(r"\{(\w+)\}", part)) for part in (text, texts["en"][key])]
        assert fields[0] == fields[1], key


def test_every_shipped_stage_has_a_name() -> None:
    for system in ("cn-6-3-3", "england", "us-k12"):
        for stage in set(load_grades(system)["stage"]):
            assert words("zh").stage(stage) != stage
    assert words("zh").stage("nursery") == "nursery"
