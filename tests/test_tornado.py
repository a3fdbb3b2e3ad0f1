"""What one figure hangs on, and the figures of rounds and scenarios compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import placeforecast as pf
from placeforecast.attribution.swap import TABLES
from placeforecast.plot.fonts import families
from placeforecast.plot.words import words
from placeforecast.scenarios.choose import shipped_scenarios
from placeforecast.tables.vocabulary import shipped
from sides import forecast_of_both

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from placeforecast.chain.record import Forecast


@pytest.fixture(scope="module")
def small() -> Forecast:
    return forecast_of_both()


def ranges(**ends: tuple[float, float]) -> pd.DataFrame:
    rows = [
        (table, scenario, table, factor)
        for table, factors in ends.items()
        for scenario, factor in zip(("low", "high"), factors, strict=True)
    ]
    return pd.DataFrame(rows, columns=["driver", "scenario", "table", "multiply"])


def test_each_driver_is_moved_alone(small: Forecast) -> None:
    """P1 of 2025 has 110 pupils that enter, P2 those of P1 before: 80 of 300 places are left."""
    own = ranges(intake=(0.9, 1.2), progression=(0.5, 1.0))
    table = pf.tornado(small, "A", "primary", 2025, ledger="all", ranges=own)
    assert table["driver"].tolist() == ["progression", "intake"]
    assert table["central"].tolist() == pytest.approx([80, 80])
    assert table["low"].tolist() == pytest.approx([80 + 55, 80 + 11])
    assert table["high"].tolist() == pytest.approx([80, 80 - 22])
    assert table["swing"].tolist() == pytest.approx([55, 33])
    assert table["low_change"].tolist() == ["×0.5", "×0.9"]


def test_an_end_is_the_scenario_of_its_changes(small: Forecast) -> None:
    """Ranges begin after the launch, as these changes do."""
    table = pf.tornado(small, "A", "primary", 2027, ledger="all")
    rows = shipped("ranges").query("driver == 'entry' and table == 'intake'").replace("", None)
    changes = rows.drop(columns="driver").assign(year_from=2025)
    result = pf.forecast(small.inputs, scenarios=changes)
    own = pf.compare_scenarios(result, year=2027, stage="primary", ledger="all")
    figures = own.set_index("scenario")["balance"]
    entry = table.set_index("driver").loc["entry"]
    assert [entry["low"], entry["high"], entry["central"]] == pytest.approx(
        figures[["low", "high", "baseline"]].tolist(), abs=1e-9
    )


def test_a_driver_that_is_not_there_is_named(small: Forecast) -> None:
    table = pf.tornado(small, "A", "primary", 2025, ledger="all").set_index("driver")
    left = table[table["swing"].isna()]
    assert set(left.index) == {"migration", "public_share", "plan"}
    assert left.loc["plan", "note"] == "no table projects among the assumptions"
    assert list(table.index[-3:]) == list(left.index)
    axes = pf.plot.tornado(table.reset_index(), language="en")
    assert "Left out: Migration, Public share, Plan" in told(axes)
    only = ranges(projects=(0.9, 1.1)).assign(column="places")
    with pytest.raises(ValueError, match="no driver can be moved: no table projects among"):
        pf.tornado(small, "A", "primary", 2025, ledger="all", ranges=only)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (ranges(intake=(0.9, 1.1)).drop(columns="driver"), "ranges have no column driver"),
        (
            ranges(intake=(0.9, 1.1)).iloc[:1],
            "the range of intake needs scenarios low and high, not low",
        ),
        (ranges(intak=(0.9, 1.1)), "'intak' is not a table of the assumptions. Did you mean"),
        (ranges(intake=(0.9, 1.1)).assign(grade="P9"), r"touches no row \(grade P9"),
        (ranges(intake=(0.9, 1.1)).assign(after="low"), "a range follows no other one"),
    ],
)
def test_ranges_that_cannot_be_are_refused(
    small: Forecast, own: pd.DataFrame, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pf.tornado(small, "A", "primary", 2025, ledger="all", ranges=own)


def test_shipped_ranges_have_both_ends_and_a_source() -> None:
    table = shipped("ranges")
    for driver, rows in table.groupby("driver"):
        assert set(rows["scenario"]) == {"low", "high"}, driver
        for language in ("zh", "en"):
            assert words(language).driver(str(driver)) != driver
    assert (table["source"] != "").all()
    assert set(table["confidence"]) == {"judged"}
    assert set(table["driver"]) & set(TABLES) == {
        *("births", "migration", "entry", "progression", "plan")
    }


# Figures.


def told(axes: Axes) -> list[str]:
    """Return what the legend says."""
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_a_waterfall_names_the_steps_that_move(small: Forecast) -> None:
    steps = pf.attribute_scenarios(small, b="both", ledger="all")
    axes = pf.plot.waterfall(steps, "A", "primary", 2025, language="zh")
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["变化前", "入学率", "标准", "变化后"]
    assert [text.get_text() for text in axes.texts] == ["80", "12", "-11", "-56"]
    with pytest.raises(ValueError, match="there is no value 'places' here"):
        pf.plot.waterfall(steps, "A", "primary", 2025, "places")
    with pytest.raises(ValueError, match="there is no year '2050' here"):
        pf.plot.waterfall(steps, "A", "primary", 2050)


def test_a_tornado_is_drawn_around_the_baseline(small: Forecast) -> None:
    table = pf.tornado(small, "A", "primary", 2025, ledger="all", ranges=ranges(intake=(0.9, 1.2)))
    axes = pf.plot.tornado(table, language="en")
    assert [text.get_text() for text in axes.texts] == ["91  (×0.9)", "58  (×1.2)"]
    ends = [(bar.get_extents().x0, bar.get_extents().x1) for bar in axes.patches]
    centre, low, high = (axes.transData.transform((x, 0))[0] for x in (80, 91, 58))
    assert ends == [pytest.approx((centre, low)), pytest.approx((high, centre))]
    with pytest.raises(ValueError, match="no driver of the table has figures"):
        pf.plot.tornado(table.assign(swing=np.nan))


def test_scenarios_are_drawn_against_places(small: Forecast) -> None:
    axes = pf.plot.scenarios(small, "A", "primary", language="en")
    assert told(axes) == ["Baseline", "both", "entry", "Places, planned"]
    drawn = [np.asarray(line.get_ydata(), dtype=float)[1] for line in axes.get_lines()]
    assert drawn == pytest.approx([220, 287.5, 230])
    with pytest.raises(ValueError, match="no stage 'primry' here"):
        pf.plot.scenarios(small, "A", "primry")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_figures_are_drawn_into_given_axes_and_settings_stay(
    small: Forecast, language: str
) -> None:
    steps = pf.attribute_scenarios(small, b="both", ledger="all")
    own = ranges(intake=(0.9, 1.2))
    table = pf.tornado(small, "A", "primary", 2025, ledger="all", ranges=own)
    before, axes = dict(mpl.rcParams), list(Figure().subplots(3))
    how = {"language": language}
    drawn = [
        pf.plot.waterfall(steps, "A", "primary", 2025, ax=axes[0], **how),
        pf.plot.tornado(table, ax=axes[1], **how),
        pf.plot.scenarios(small, "A", "primary", ax=axes[2], **how),
    ]
    assert drawn == axes
    assert dict(mpl.rcParams) == before
    for one in axes:
        assert one.get_title(loc="left")
        assert all(x.get_fontfamily() == list(families()) for x in one.findobj(Text))


def test_shipped_scenarios_have_a_name_in_either_language() -> None:
    for name in {"baseline", *shipped_scenarios("cn-6-3-3")["scenario"].tolist()}:
        assert words("zh").scenario(name) != name
        assert words("en").scenario(name) != name
    assert words("zh").scenario("my own") == "my own"
