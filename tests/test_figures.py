"""Figures of the plan, of accuracy, classes, people and maps: what stands in them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text

import placeforecast as pf
from placeforecast.evaluation.measures import measures
from placeforecast.plot import fonts
from placeforecast.plot.timelines import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.lines import Line2D

    from placeforecast.chain.record import Forecast
    from placeforecast.review.plan import PlanReview

HOSTILE = "<script>alert(1)</script> 䶮𬭁县 $x$ " + "很长的名字" * 6


@pytest.fixture(scope="module")
def city() -> Forecast:
    return pf.forecast(pf.load_example("city"), horizon=6)


@pytest.fixture(scope="module")
def review(city: Forecast) -> PlanReview:
    return pf.review_plan(city)


@pytest.fixture(scope="module")
def draws(city: Forecast, review: PlanReview) -> dict[str, Callable[..., Axes]]:
    """Return every figure of this file, drawn from the example city or from made-up tables."""
    classes = city.inputs.class_sizes
    assert classes is not None
    table = pd.DataFrame({"district": ["D01", "D02"], "balance": [-50.0, 20.0]})
    known: dict[str, Any] = {
        "standards": city.assumptions.standards,
        "districts": city.inputs.districts,
    }
    return {
        "timeline": lambda **how: pf.plot.timeline(city, "D01", "junior", review=review, **how),
        "accuracy": lambda **how: pf.plot.accuracy(errors(), **how),
        "class_sizes": lambda **how: pf.plot.class_sizes(classes, "D01", **known, **how),
        "pyramid": lambda **how: pf.plot.pyramid(city, "D01", **how),
        "district_map": lambda **how: pf.plot.district_map(
            table, boundaries(D01=square(0, 0), D02=square(1, 0)), "balance", **how
        ),
    }


NAMES = ("timeline", "accuracy", "class_sizes", "pyramid", "district_map")


def errors() -> pd.DataFrame:
    """Return a back-test of two stages, three models and two launches with known errors."""
    rows = []
    for model, size in (("default", 0.02), ("other", -0.05), ("naive", 0.1)):
        for stage in ("primary", "junior"):
            for grade in ("", "x"):
                for launch in (2020, 2021):
                    for lead in (1, 2, 3):
                        error = size * lead * (1 if grade == "" else 7) * 1000
                        rows.append((model, launch, lead, stage, grade, 1000 + error, 1000, error))
    columns = ["model", "launch_year", "lead", "stage", "grade", "forecast", "actual", "error"]
    table = pd.DataFrame(rows, columns=columns)
    quantiles = {f"forecast_p{q}": np.nan for q in ("2_5", "10", "50", "90", "97_5")}
    ape = table["error"].abs() / 1000
    return table.assign(district="A", ape=ape, places=np.nan, launches=2, **quantiles)


def square(x: float, y: float, size: float = 1.0) -> list[list[float]]:
    corners = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return [[100 + a, 30 + b] for a, b in corners]


def feature(district: object, rings: list[Any], kind: str = "Polygon") -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": rings}
    return {"type": "Feature", "properties": {"district": district}, "geometry": geometry}


def boundaries(**outer: list[list[float]]) -> dict[str, Any]:
    features = [feature(district, [ring]) for district, ring in outer.items()]
    return {"type": "FeatureCollection", "features": features}


def svg(axes: Axes) -> str:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return fonts.svg_of(figure, name="f", label="a")


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.findobj(Text) if text.get_text()]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def on_paper(axes: Axes) -> bool:
    """Return whether everything that is drawn lies on the figure."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    box = figure.get_tightbbox()
    wide, high = figure.get_size_inches()
    return bool(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= wide and box.y1 <= high)


def panels(axes: Axes) -> list[Axes]:
    return [child for child in axes.child_axes if isinstance(child, Axes)]


def first_x(line: Line2D) -> float:
    return float(np.asarray(line.get_xdata(), dtype=float)[0])


def bars(axes: Axes) -> list[Rectangle]:
    return [bar for group in axes.containers for bar in group if isinstance(bar, Rectangle)]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_keeps_to_the_rules(
    draws: dict[str, Callable[..., Axes]], name: str, language: str
) -> None:
    before = dict(mpl.rcParams)
    axes = draws[name](language=language)
    drawn = svg(axes)
    assert dict(mpl.rcParams) == before
    assert not re.search("http|<!--|<text|<image|<script", drawn)
    for text in axes.findobj(Text):
        assert text.get_fontfamily() == list(fonts.families()), text
    assert bool(re.search("[\u4e00-\u9fff]", " ".join(legend(axes)))) == (language == "zh")
    assert on_paper(axes)
    given = Figure().subplots()
    assert draws[name](language=language, ax=given) is given
    assert given.get_title(loc="left") == axes.get_title(loc="left") != ""


def test_what_leaves_the_paper_is_found(draws: dict[str, Callable[..., Axes]]) -> None:
    axes = draws["district_map"]()
    axes.annotate("x" * 300, (0, 0), xycoords="axes fraction")
    assert not on_paper(axes)


@pytest.mark.parametrize("name", NAMES)
def test_no_other_language(draws: dict[str, Callable[..., Axes]], name: str) -> None:
    with pytest.raises(ValueError, match="there is no language 'fr': zh, en"):
        draws[name](language="fr")


def test_the_timeline_has_a_bar_per_project_that_is_built(
    city: Forecast, review: PlanReview
) -> None:
    axes = pf.plot.timeline(city, "D01-U", "junior", "public", review=review, language="en")
    own = review.projects.query("district == 'D01-U' and stage == 'junior'").sort_values("opens")
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert sorted(names) == sorted(own["project"])
    plan = city.assumptions.projects
    assert plan is not None
    starts = plan.set_index(["project", "stage"])["starts"]
    drawn = {round(bar.get_y() + bar.get_height() / 2): bar for bar in bars(axes)}
    for row in own.to_dict("records"):
        bar = drawn.get(names.index(row["project"]))
        start = starts[row["project"], "junior"]
        if pd.isna(start) and row["kind"] == "temporary":
            assert bar is None
            continue
        assert bar is not None
        assert bar.get_x() + bar.get_width() == row["opens"]
        assert (bar.get_hatch() or "") == LOOKS[row["status"]]["hatch"]
        assert bar.get_facecolor() == mpl.colors.to_rgba(LOOKS[row["status"]]["facecolor"])
        assumed = bar.get_linestyle() == ":"
        assert assumed == bool(pd.isna(start))
        assert assumed or bar.get_x() == start
    places = [text for text in texts(axes) if re.fullmatch(r"\+\d,\d00", text)]
    assert sorted(places) == sorted(f"{n:+,.0f}" for n in own["places"])


def test_the_timeline_shows_the_need_above_and_the_latest_starts(
    city: Forecast, review: PlanReview
) -> None:
    axes = pf.plot.timeline(city, "CITY", "senior_general", review=review, language="en")
    assert city.balance is not None
    keys = "district == 'CITY' and stage == 'senior_general' and ledger == 'public'"
    rows = city.balance.query(f"{keys} and plan_case == 'planned'").sort_values("year")
    (strip,) = panels(axes)
    heights = [bar.get_height() for bar in bars(strip)]
    idle, short = heights[: len(rows)], heights[len(rows) :]
    assert np.allclose(idle, rows["cell_surplus"])
    assert np.allclose(short, -rows["cell_shortfall"])
    assert strip.get_xlim() == axes.get_xlim()
    judged = review.districts.query(keys).iloc[0]
    assert f"Latest start for what stays short: {judged.start_by}" in legend(axes)
    waiting = review.projects.query("stage == 'senior_general' and status != 'open'")
    waiting = waiting[waiting["ledger"] == "public"]  # a private one is not in this ledger
    waiting = waiting[waiting["kind"].isin(["new", "extension"])]
    expected = [float(n - judged.lead_time) for n in waiting["first_needed"]]
    marks = [first_x(line) for line in axes.get_lines() if line.get_marker() == "v"]
    assert len(expected) > 2
    assert sorted(marks) == sorted(expected)


def test_a_long_plan_is_cut_and_says_so(city: Forecast, review: PlanReview) -> None:
    axes = pf.plot.timeline(city, "CITY", "compulsory", review=review, most=3, language="en")
    names = [label.get_text() for label in axes.get_yticklabels()]
    stages = ["primary", "junior"]
    own = review.projects[review.projects["stage"].isin(stages)]
    left = len(own) - 3
    assert len(names) == 4
    assert re.fullmatch(rf"and {left} more \([+-][\d,]+ places\)", names[-1])
    waiting = own[own["status"] != "open"]
    assert sum(name.startswith(("Primary · ", "Junior · ")) for name in names) == 3
    largest = waiting.loc[waiting["places"].abs().nlargest(3).index, "project"]
    assert {name.split(" · ")[1] for name in names[:3]} == set(largest)


def test_a_timeline_without_projects_says_so(city: Forecast, review: PlanReview) -> None:
    axes = pf.plot.timeline(city, "D07", "junior", review=review, language="en")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["No projects"]
    assert bars(axes) == []


def test_the_timeline_refuses_strangers(city: Forecast, review: PlanReview) -> None:
    with pytest.raises(ValueError, match=r"no stage 'juniors' here\. Did you mean 'junior'"):
        pf.plot.timeline(city, "D01", "juniors", review=review)
    with pytest.raises(ValueError, match="there is no ledger 'inclusive' here"):
        pf.plot.timeline(city, "D01", "junior", "inclusive", review=review)
    with pytest.raises(ValueError, match="no district 'D9' in the forecast"):
        pf.plot.timeline(city, "D9", "junior", review=review)
    other = replace(review, projects=review.projects.assign(project="X"))
    with pytest.raises(ValueError, match="the review is of another plan: 'X' is not in it"):
        pf.plot.timeline(city, "D01", "junior", review=other)


def test_a_hostile_project_is_drawn(city: Forecast, review: PlanReview) -> None:
    projects, plan = review.projects, city.assumptions.projects
    assert plan is not None
    old = projects.query("district == 'D01-U' and stage == 'junior'")["project"].iloc[0]
    odd = replace(review, projects=projects.replace({"project": {old: HOSTILE}}))
    assumptions = replace(city.assumptions, projects=plan.replace({"project": {old: HOSTILE}}))
    changed = replace(city, assumptions=assumptions)
    axes = pf.plot.timeline(changed, "D01-U", "junior", review=odd)
    (named,) = [label.get_text() for label in axes.get_yticklabels() if "<" in label.get_text()]
    assert named == r"<script>alert(1)</script> 䶮𬭁县 …"
    assert "<script" not in svg(axes)


def test_the_accuracy_is_that_of_whole_stages() -> None:
    axes = pf.plot.accuracy(errors(), stage="junior", language="en")
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.get_lines()}
    assert list(lines) == ["default", "other", "Naive"]
    assert np.allclose(lines["default"], [0.02, 0.04, 0.06])
    assert np.allclose(lines["other"], [0.05, 0.1, 0.15])
    assert np.allclose(lines["Naive"], [0.1, 0.2, 0.3])
    assert axes.get_title(loc="left").startswith("Junior · Mean absolute percentage error by lead")
    assert "2 launches 2020-2021" in axes.get_title(loc="left")
    assert legend(axes) == ["default", "other", "Naive"]
    assert axes.get_ylim()[0] == 0


def test_a_bias_keeps_its_sign() -> None:
    axes = pf.plot.accuracy(errors(), stage="junior", measure="bias", language="en")
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.get_lines()}
    assert np.allclose(lines["other"], [-0.05, -0.1, -0.15])
    assert axes.get_ylim()[0] < -0.15


def test_every_stage_has_a_panel_on_one_scale() -> None:
    table = errors()
    table.loc[table["stage"] == "junior", ["error", "ape"]] *= 0.1
    axes = pf.plot.accuracy(table, measure="wape", language="en")
    drawn = panels(axes)
    assert [panel.get_title(loc="left") for panel in drawn] == ["Primary", "Junior"]
    assert drawn[0].get_ylim() == drawn[1].get_ylim()
    known = measures(table[table["grade"] == ""], ["stage", "model", "lead"])
    own = known.query("stage == 'junior' and model == 'naive'")["wape"]
    assert np.allclose(np.asarray(drawn[1].get_lines()[2].get_ydata()), own)


def test_ten_models_can_be_told_apart() -> None:
    table = errors()
    more = [table[table["model"] == "other"].assign(model=f"m{i}") for i in range(8)]
    axes = pf.plot.accuracy(pd.concat([table, *more]), stage="junior", language="en")
    looks = {(x.get_color(), x.get_marker(), str(x.get_linestyle())) for x in axes.get_lines()}
    assert len(looks) == len(axes.get_lines()) == 11


def test_the_accuracy_refuses_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="no measure 'ape' to draw: mape, wape, bias"):
        pf.plot.accuracy(errors(), measure="ape")
    with pytest.raises(ValueError, match=r"no stage 'senior' in the back-test\. Did"):
        pf.plot.accuracy(errors(), stage="senior")
    with pytest.raises(ValueError, match="the back-test has no rows of the naive model"):
        pf.plot.accuracy(errors().query("model != 'naive'"))


def bands(**classes: list[float]) -> pd.DataFrame:
    """Return classes by band and stage in two districts, the second with none."""
    limits = {"1-45": 40.0, "46-55": 50.0, "56-65": 60.0, "66+": 70.0}
    rows = [
        (district, stage, 2025, band, n if district == "A" else 0.0, n * size * (district == "A"))
        for district in ("A", "B")
        for stage, counts in classes.items()
        for (band, size), n in zip(limits.items(), counts, strict=True)
    ]
    columns = ["district", "stage", "year", "band", "classes", "pupils"]
    return pd.DataFrame(rows, columns=columns)


LIMITS = pd.DataFrame(
    {
        "stage": ["primary", "junior", None, None],
        "indicator": ["class_size", "class_size", "large_class", "very_large_class"],
        "value": [45, 50, 56, 66],
    }
)


def test_classes_are_shares_of_their_stage_with_the_limits_marked() -> None:
    table = bands(primary=[6, 2, 1, 1], junior=[0, 10, 0, 0])
    axes = pf.plot.class_sizes(table, standards=LIMITS, language="en")
    primary, junior = panels(axes)
    assert [bar.get_height() for bar in bars(primary)] == [0.6, 0.2, 0.1, 0.1]
    assert [bar.get_hatch() for bar in bars(primary)] == [None, None, "////", "xxxx"]
    assert [text.get_text() for text in primary.texts] == ["60.0%", "20.0%", "10.0%", "10.0%"]
    marks = [[first_x(line) for line in panel.get_lines()] for panel in (primary, junior)]
    # 45 ends the first band, 50 the fifth of ten pupils of the second; 56 and 66 begin theirs
    assert marks == [[0.5, 1.5, 2.5], [1.0, 1.5, 2.5]]
    assert primary.get_title(loc="left") == "Primary (10 classes)"
    assert legend(axes)[-3:] == [
        "Standard class size: 45 (Primary); 50 (Junior)",
        "Large from 56 pupils",
        "Very large from 66 pupils",
    ]


def test_without_standards_no_limit_is_marked() -> None:
    axes = pf.plot.class_sizes(bands(primary=[6, 2, 1, 1]), language="en")
    (panel,) = panels(axes)
    assert not panel.get_lines()
    assert {bar.get_hatch() for bar in bars(panel)} == {None}
    assert legend(axes) == ["Not large"]


def test_classes_refuse_what_is_not_there() -> None:
    table = bands(primary=[6, 2, 1, 1])
    with pytest.raises(ValueError, match=r"class_sizes has no district 'C'\. Known: A, B"):
        pf.plot.class_sizes(table, "C")
    with pytest.raises(ValueError, match="class_sizes has no year 2024 here: 2025"):
        pf.plot.class_sizes(table, year=2024)
    with pytest.raises(ValueError, match="class_sizes has no class in 2025 here"):
        pf.plot.class_sizes(table, "B")
    with pytest.raises(pf.InputError, match="'46-' is not a band"):
        pf.plot.class_sizes(table.replace({"band": {"46-55": "46-"}}))


def test_the_pyramid_has_the_people_of_both_years(city: Forecast) -> None:
    axes = pf.plot.pyramid(city, "D01", (2022, 2030), language="en")
    assert city.population is not None
    own = city.population[city.population["district"].str.startswith("D01-")]
    people = own.groupby(["year", "sex", "age"])["population"].sum()
    steps = [found for found in axes.patches if isinstance(found, StepPatch)]
    widths = np.reshape([bar.get_width() for bar in bars(axes)], (2, -1))
    for i, (sex, side) in enumerate((("male", -1), ("female", 1))):
        assert np.allclose(widths[i], side * people[2022, sex].to_numpy(dtype=float))
        outline = np.asarray(steps[i].get_data()[0])
        assert np.allclose(outline, side * people[2030, sex].to_numpy(dtype=float))
    assert legend(axes) == ["2022", "2030", "School ages"]
    assert "Junior (12-14)" in texts(axes)
    assert "General senior\nVocational senior (15-17)" in texts(axes)
    assert not any("Special" in text for text in texts(axes))


def test_the_pyramid_refuses_what_is_not_there(city: Forecast) -> None:
    with pytest.raises(ValueError, match="the population has no year 2050: it is known for 2020-2"):
        pf.plot.pyramid(city, years=(2025, 2050))
    with pytest.raises(ValueError, match="its inputs have no table population"):
        pf.plot.pyramid(replace(city, population=None))
    assert city.population is not None
    table = city.population
    hole = (table["district"] == "D01-U") & (table["year"] == 2025) & (table["age"] == 7)
    with pytest.raises(pf.InputError, match="population"):
        pf.plot.pyramid(replace(city, population=table[~hole]), "D01")
