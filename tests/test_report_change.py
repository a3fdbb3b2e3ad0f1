"""Scenarios, past rounds and the change since the last round in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from frozen import flat, frozen, inputs_of
from placeforecast.attribution.scenarios import attribute_scenarios, compare_scenarios
from placeforecast.attribution.shapley import both_ways, shapley
from placeforecast.report import compose_change
from placeforecast.report.compose import compose
from placeforecast.report.model import Figure
from placeforecast.report.view import catalogue
from placeforecast.rounds.compare import compare_rounds
from placeforecast.rounds.freeze import freeze_round
from placeforecast.rounds.read import read_round
from placeforecast.tables.problems import InputError
from reports import forecast, read, small, table_of, texts
from sides import BOTH, STANDING, forecast_of_both

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report
    from placeforecast.rounds.read import Round

CHANGES = pd.DataFrame(
    {
        "scenario": ["more", "more", "late"],
        "table": ["intake", "standards", "projects"],
        "column": [None, None, "opens"],
        "district": ["A", None, None],
        "grade": ["P1", None, None],
        "stage": [None, "primary", None],
        "indicator": [None, "spare_share", None],
        "status": [None, None, "approved"],
        "year_from": [2027, None, None],
        "multiply": [1.2, None, None],
        "add": [None, None, 2.0],
        "set": [None, "0.1", None],
        "source": ["judged by us", None, None],
    }
)


@pytest.fixture(scope="module")
def made() -> Forecast:
    """Forecast two districts that nothing stands above, in two scenarios."""
    return forecast(small(), scenarios=CHANGES)


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """Freeze the year before of the same districts."""
    folder = tmp_path_factory.mktemp("rounds") / "2024"
    standing = small().places
    assert standing is not None
    earlier = small(places=standing.assign(year=2024, places=standing["places"] - 100))
    return read_round(freeze_round(forecast(earlier, launch_year=2024), folder))


@pytest.fixture(scope="module")
def of_made(made: Forecast, last: Round) -> Report:
    return compose(made, language="en", before=last)


def rows_of(report: Report, key: str) -> list[dict[str, Any]]:
    table = table_of(report, key)
    labels = [column.label for column in table.columns]
    return [dict(zip(labels, row, strict=True)) for row in table.rows]


def figure_of(report: Report, key: str) -> Figure:
    (section,) = (one for one in report.sections if one.key == "change")
    (found,) = (b for b in section.blocks if isinstance(b, Figure) and b.key == key)
    return found


# Scenarios.


def test_every_change_is_told_in_words(made: Forecast, of_made: Report) -> None:
    table = table_of(of_made, "definitions")
    labels = ["Scenario", "Table", "Column", "Which rows", "Change", "Source"]
    assert [column.label for column in table.columns] == labels
    assert table.rows == (
        (
            "more",
            "intake",
            "Ratio",
            "District: A; Grade: P1; Year from: 2027",
            "×1.2",
            "judged by us",
        ),
        ("more", "standards", "Value", "Stage: Primary; Indicator: spare_share", "=0.1", None),
        ("late", "projects", "Opens", "Status: approved", "+2", None),
    )
    told = table_of(compose(made), "definitions").rows
    assert told[0][1:5] == ("入学比", "比率", "区域：A；年级：P1；年份自：2027", "×1.2")
    assert told[2][3] == "状态：已批"


def test_a_change_of_every_row_is_one() -> None:
    report = compose(pf.forecast(inputs_of({"P1": flat(), "P2": flat()}), scenarios=BOTH))
    assert [row[3] for row in table_of(report, "definitions").rows] == [
        "全部",
        "学段：小学；指标：spare_share",
        "全部",
    ]
    assert "没有学位表（places）" in texts(report, "change")
    assert not any(table.key == "scenarios" for _, table in report.tables())


def of_both(table: pd.DataFrame, figure: str) -> dict[tuple[Any, ...], float]:
    """Add up a figure over the districts of a region that has none on top."""
    summed = table.groupby(["scenario", "stage", "year"])[figure].sum()
    return {key: float(value) for key, value in summed.items()}  # type: ignore[misc]


def test_scenarios_stand_beside_the_baseline(made: Forecast, of_made: Report) -> None:
    """The balances of both districts together are those of the function's table."""
    names = {"Baseline": "baseline", "more": "more", "late": "late"}
    stages = {"Kindergarten": "kindergarten", "Primary": "primary", "Junior": "junior"}
    compared = compare_scenarios(made, ledger="all")
    for key, figure in (("scenarios", "balance"), ("scenario_changes", "change")):
        figures, rows = of_both(compared, figure), rows_of(of_made, key)
        for row in [row for row in rows if row["Stage"] in stages]:
            for year in ("2025", "2026", "2028", "2030", "2033"):
                cell = (names[row["Scenario"]], stages[row["Stage"]], int(year))
                assert row[year] == pytest.approx(figures[cell]), (key, cell)
    moved = {(row["Stage"], row["Scenario"]) for row in rows_of(of_made, "scenario_changes")}
    assert moved == {("Primary", "more"), ("Junior", "more"), ("Kindergarten", "late")}
    shown = {(row["Stage"], row["Scenario"]) for row in rows_of(of_made, "scenarios")}
    assert shown - moved == {(stage, "Baseline") for stage, _ in shown}


def test_why_they_differ_adds_up(made: Forecast, of_made: Report) -> None:
    """Each row is the furthest that a scenario moves a stage, split by its drivers."""
    compared = compare_scenarios(made, ledger="all")
    changes = of_both(compared[compared["stage"].isin(["primary", "kindergarten"])], "change")
    (more, late) = rows_of(of_made, "why")
    for name, row in (("more", more), ("late", late)):
        here = {key: value for key, value in changes.items() if key[0] == name}
        furthest = max(here, key=lambda key: abs(here[key]))
        assert (row["Stage"].lower(), row["Year"]) == furthest[1:]
        assert row["In the scenario"] - row["Baseline"] == pytest.approx(here[furthest])
        parts = [row[driver] for driver in ("Entry", "Standards", "Plan")]
        assert sum(parts) == pytest.approx(here[furthest])
    assert late["Plan"] < 0
    assert (late["Entry"], late["Standards"], more["Plan"]) == (0.0, 0.0, 0.0)
    year, stage = more["Year"], "primary"
    steps = attribute_scenarios(made, b="more", stage=stage, year=year, ledger="all")
    own = steps[(steps["value"] == "balance") & (steps["step"] == "entry")]
    assert more["Entry"] == pytest.approx(own["change"].sum())


def test_of_many_scenarios_two_are_explained(
    made: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose_change, "MOST_EXPLAINED", 1)
    monkeypatch.setattr(compose_change, "EXPLAINED", 1)
    report = compose(made, language="en")
    assert [row["Scenario"] for row in rows_of(report, "why")] == ["more"]
    assert "of 2 scenarios only the 1 that move a balance most" in texts(report, "change")


def test_the_figure_is_told_in_its_numbers(of_made: Report) -> None:
    figure = figure_of(of_made, "scenarios")
    (more, _) = rows_of(of_made, "why")
    change = f"{more['In the scenario'] - more['Baseline']:,.0f}"
    assert f"{change} places of balance in {more['Year']} (more)" in figure.caption
    assert f"more {more['Year']}, balance {more['In the scenario']:,.0f} ({change})" in figure.alt
    assert "late" not in figure.alt


def test_a_scenario_that_moves_nothing_says_so() -> None:
    same = pd.DataFrame({"scenario": ["same"], "table": "intake", "multiply": 1.0})
    report = compose(forecast(small(), scenarios=same), language="en")
    assert "No scenario moves a balance of the region." in texts(report, "change")
    assert {row["Scenario"] for row in rows_of(report, "scenarios")} == {"Baseline"}


# Past rounds.


def test_the_accuracy_of_past_rounds() -> None:
    """By hand: errors of 10 of 100 and -30 of 300; one cell had nobody."""
    past = pd.DataFrame(
        {
            "launch_year": [2020, 2020, 2020, 2021, 2020],
            "year": [2021, 2021, 2022, 2022, 2021],
            "district": ["A", "B", "A", "A", "A"],
            "stage": [*["primary"] * 4, "junior"],
            "forecast": [110.0, 270.0, 50.0, 5.0, 8.0],
            "actual": [100.0, 300.0, 40.0, 0.0, 0.0],
        }
    )
    report = compose(forecast(small(past_rounds=past)), language="en")
    first, second, nobody = rows_of(report, "past")
    assert list(first.values())[:4] == ["Primary", 1, 2, 3]
    assert first["MAPE"] == pytest.approx((0.1 + 0.1) / 2)
    assert first["WAPE"] == pytest.approx((10 + 30 + 5) / 400)
    assert first["Bias"] == pytest.approx((10 - 30 + 5) / 400)
    assert list(second.values()) == ["Primary", 2, 1, 1, *[pytest.approx(0.25)] * 3]
    assert list(nobody.values()) == ["Junior", 1, 1, 1, None, None, None]


# Change since the last round.


def test_the_steps_are_those_of_the_rounds(made: Forecast, last: Round, of_made: Report) -> None:
    """For each stage, both districts together; the last year is that of the earlier round."""
    rows = {(row["Stage"], row["Figure"]): row for row in rows_of(of_made, "since")}
    labels = list(rows["Primary", "Balance"])
    assert labels[2] == "Last round (2024)"
    assert labels[-1] == "This forecast (2025)"
    steps = compare_rounds(last, made, year=2030, ledger="all")
    for (stage, figure), row in rows.items():
        if stage not in ("Kindergarten", "Primary", "Junior"):
            continue
        own = steps[(steps["stage"] == stage.lower()) & (steps["value"] == figure.lower())]
        assert sum(list(row.values())[3:-1]) == pytest.approx(row[labels[-1]] - row[labels[2]])
        assert row[labels[2]] == pytest.approx(own.groupby("district")["from"].first().sum())
        assert row[labels[-1]] == pytest.approx(own.groupby("district")["to"].last().sum())
        for step, driver in (("births", "Births"), ("entry", "Entry"), ("plan", "Plan")):
            moved = own.loc[own["step"] == step, "change"].sum()
            assert row.get(driver, 0.0) == pytest.approx(moved, abs=0.5), (stage, driver)
    assert rows["Junior", "Balance"]["Plan"] == pytest.approx(200)
    assert "school year 2030" in table_of(of_made, "since").title


def test_the_waterfall_is_told_in_its_numbers(of_made: Report) -> None:
    figure, rows = figure_of(of_made, "since"), rows_of(of_made, "since")
    balances = [row for row in rows if row["Figure"] == "Balance"]
    first, end = "Last round (2024)", "This forecast (2025)"
    most = max(balances, key=lambda row: abs(row[end] - row[first]))
    assert f", {most['Stage']}: what has moved the balance of 2030" in figure.caption
    assert f"from {most[first]:,.0f} to {most[end]:,.0f}. " in figure.alt
    assert "Plan +200" in figure.alt
    figure.draw()


def test_an_unmoved_forecast_has_no_waterfall(tmp_path: Path) -> None:
    inputs = inputs_of({"P1": flat(), "P2": flat()}, places=STANDING)
    report = compose(pf.forecast(inputs), language="en", before=frozen(tmp_path, inputs))
    assert [list(row.values()) for row in rows_of(report, "since")] == [
        ["Primary", "Balance", 80.0, 80.0],
        ["Primary", "Demand", 220.0, 220.0],
    ]
    with pytest.raises(ValueError, match="not enough values to unpack"):
        figure_of(report, "since")


def test_a_round_before_there_were_places_tells_of_demand(tmp_path: Path) -> None:
    before = frozen(tmp_path, inputs_of({"P1": flat(), "P2": flat()}))
    inputs = inputs_of({"P1": flat(132.0), "P2": flat(110.0)}, places=STANDING)
    report = compose(pf.forecast(inputs, launch_year=2025), language="en", before=before)
    (row,) = rows_of(report, "since")
    assert (row["Figure"], row["Last round (2024)"]) == ("Demand", 220.0)
    assert "the demand of 2027" in figure_of(report, "since").caption


@pytest.mark.parametrize("language", ["zh", "en"])
def test_sections_say_what_would_fill_them(language: str) -> None:
    report, words = compose(forecast(small()), language=language), catalogue(language)
    told = texts(report, "change").split("\n")
    wanted = ("text", "no_scenarios", "no_past", "no_before")
    assert told == [words(f"change.{key}") for key in wanted]
    for option in ("--scenario", "past_rounds", "score ROUND REGION --ledger", "--before FOLDER"):
        assert option in "\n".join(told)


def test_a_report_of_one_scenario_is_not_compared(made: Forecast, last: Round) -> None:
    report = compose(made.of("late"), language="en", before=last)
    assert "this report is of the scenario late alone" in texts(report, "change")


def test_a_round_that_ended_early_is_not_compared(made: Forecast, tmp_path: Path) -> None:
    short = forecast(small(places=None, projects=None), launch_year=2023, horizon=1)
    report = compose(made, language="en", before=read_round(freeze_round(short, tmp_path / "a")))
    assert "it reached 2024 only, and this forecast begins in 2025" in texts(report, "change")


def test_a_round_of_other_districts_is_refused(made: Forecast, tmp_path: Path) -> None:
    other = read_round(freeze_round(forecast(small(("A", "C"))), tmp_path / "b"))
    with pytest.raises(InputError, match="do not have the same districts: B is in one only"):
        compose(made.of(), before=other)


# Both formats, and the quick way to split.


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_and_workbook_show_the_section(tmp_path: Path, language: str) -> None:
    before = frozen(tmp_path, inputs_of({"P1": flat(), "P2": flat()}, {2020: 90}, STANDING))
    result = forecast_of_both()
    page, workbook = pf.write_report(
        result, tmp_path / "out", language=language, formats=["html", "xlsx"], before=before
    )
    keys = {"definitions", "scenarios", "scenario_changes", "why", "since"}
    assert keys <= set(read(page.read_text(encoding="utf-8")).tables)
    with pd.ExcelFile(workbook) as book:
        assert catalogue(language)("change.sheet") in book.sheet_names


def test_one_order_and_its_reverse_are_all_orders_of_pairs() -> None:
    """With pairs of drivers the two agree; with three at once they differ and still add up."""

    def pairs(on: frozenset[str]) -> Any:  # noqa: ANN401
        a, b, c = (float(name in on) for name in "abc")
        return np.array([3 * a + 5 * b + 7 * a * b - 2 * b * c])

    def three(on: frozenset[str]) -> Any:  # noqa: ANN401
        return pairs(on) + 6.0 * (on == frozenset("abc"))

    for value, same in ((pairs, True), (three, False)):
        quick, slow = both_ways(value, "abc"), shapley(value, "abc")
        assert sum(float(part[0]) for part in quick.values()) == pytest.approx(
            value(frozenset("abc"))[0]
        )
        assert all(quick[name] == pytest.approx(slow[name]) for name in "abc") is same
    assert both_ways(pairs, []) == {}
    with pytest.raises(ValueError, match="each driver is named once, not a, b, a"):
        both_ways(pairs, "aba")


def test_a_forecast_need_not_be_frozen_to_be_compared(tmp_path: Path) -> None:
    before = frozen(tmp_path / "a", inputs_of({"P1": flat(), "P2": flat()}, {2020: 90}, STANDING))
    result = forecast_of_both()
    kept = read_round(freeze_round(result.of(), tmp_path / "b"))
    steps = compare_rounds(before, result, ledger="all", quick=True)
    assert steps["change"].abs().max() > 1
    pd.testing.assert_frame_equal(steps, compare_rounds(before, kept, ledger="all", quick=True))
