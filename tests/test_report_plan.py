"""The report on tasks, indicators and special topics: R11, R15, R42."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.report.compose import compose
from placeforecast.report.numbers import BLANK
from reports import forecast, read, small, table_of, texts, written

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report


@pytest.fixture(scope="module")
def city() -> Forecast:
    return forecast(pf.load_example("city"), horizon=11)


@pytest.fixture(scope="module")
def of_city(city: Forecast) -> Report:
    return compose(city)


def test_r11_r15_a_task_stands_beside_plan_delivery_and_need(
    city: Forecast, of_city: Report
) -> None:
    """The compulsory task is split by need, and the split is shown."""
    table = table_of(of_city, "tasks")
    labels = [column.label for column in table.columns]
    assert labels[3:8] == ["占任务比例", "任务数", "规划", "完成", "需求"]
    projects = city.inputs.projects
    assert projects is not None
    done = projects.query(
        "status == 'open' and stage in ('primary', 'junior') and sector == 'public' "
        "and opened >= 2022 and opened <= 2025 and kind in ('new', 'extension')"
    )
    stages = [str(row[1]) for row in table.rows]
    at = stages.index("义务教育")
    assert stages[at : at + 3] == ["义务教育", "其中：小学", "其中：初中"]
    whole, primary, junior = (
        dict(zip(labels, row, strict=True)) for row in table.rows[at : at + 3]
    )
    assert whole["任务数"] == 99_000.0
    assert whole["完成"] == pytest.approx(done["places"].sum())
    assert whole["完成率"] == pytest.approx(done["places"].sum() / 99_000)
    for name in ("任务数", "规划", "完成", "需求"):
        assert float(str(primary[name])) + float(str(junior[name])) == pytest.approx(whole[name])
    share = float(str(primary["需求"])) / float(str(whole["需求"]))
    assert primary["占任务比例"] == pytest.approx(share)
    assert primary["任务数"] == pytest.approx(99_000 * share)
    built = table_of(of_city, "tasks_built").rows[at]
    assert built[3] == whole["完成"]
    assert int(str(built[9])) > 2025


def test_r42_indicators_stand_against_targets(city: Forecast, of_city: Report) -> None:
    table = table_of(of_city, "indicators")
    years = [c.label for c in table.columns if re.fullmatch(r"20\d\d", c.label)]
    assert years == ["2025", "2030", "2035", "2036"]
    (senior,) = (row for row in table.rows if row[:2] == ("高中阶段", "毛入学率"))
    launch = city.pupils[(city.pupils["year"] == 2025) & city.pupils["grade"].str.match("[SV]")]
    of_age = city.children.query("basis == 'resident' and year == 2025 and 15 <= age <= 17")
    taught = launch.loc[launch["grade"] != "SE", "pupils"].sum()
    assert senior[3] == pytest.approx(taught / of_age["children"].sum())
    kept = {row[2] for row in table.rows if row[1] == "普高占比"}
    assert kept == {"按毕业生", "按招生"}


def test_targets_that_are_missed_are_told(tmp_path: Path) -> None:
    rows = [("gross_rate", "primary", 2.0), ("gross_rate", "junior", 0.1)]
    policy = pd.DataFrame(rows, columns=["indicator", "stage", "value"]).assign(year=2027)
    found = written(forecast(small(policy=policy)), tmp_path, "en")
    table = table_of(found.report, "indicators")
    missed = {row[0]: row[-1] for row in table.rows if row[1] == "Gross rate"}
    assert (missed["Primary"], missed["Junior"]) == ("2025–2033", "met throughout")
    assert missed["Kindergarten"] is None


SPECIAL: dict[str, pd.DataFrame] = {
    "hidden_shortage": pd.DataFrame(
        {"district": ["A"], "level": "district", "year": 2025, "stage": "primary", "classes": 20.0,
         "hidden_shortage": 35.0, "share_large": 0.125}
    ),
    "intake_warnings": pd.DataFrame(
        {"district": "A", "year": range(2026, 2096), "stage": "primary", "ratio": 1.02,
         "level": ["red", *["normal"] * 69], "rule": "published"}
    ),
    "estates": pd.DataFrame({"estate": ["=Lake"], "district": "B", "gap": -12.0}),
    "plan_checks": pd.DataFrame(
        {"project": ["East", None], "district": ["A", "B"], "check": ["site", "other"],
         "finding": "x", "requirement": "R12"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_special_topics_are_listed_where_the_forecast_has_them(
    tmp_path: Path, language: str
) -> None:
    result = forecast(small())
    for topic in SPECIAL:
        object.__setattr__(result, topic, None)
    without = compose(result, language=language)
    for topic, source in zip(
        SPECIAL, ("class_sizes", "intake_plan", "housing", "projects"), strict=True
    ):
        assert source in texts(without, "special")
        object.__setattr__(result, topic, SPECIAL[topic])
    found = written(result, tmp_path, language)
    shown = read(found.page).tables
    assert shown["hidden_shortage"][1][-2:] == ["35", "12.5%"]
    assert len(table_of(found.report, "intake_warnings").rows) == 1
    assert len(table_of(found.report, "intake_warnings_all").rows) == 70
    assert shown["estates"][1][0] == "=Lake"
    assert shown["plan_checks"][1][2] == {"zh": "用地未落实", "en": "Site not settled"}[language]
    assert shown["plan_checks"][2][0] == BLANK
    assert "R12" not in found.page


def test_an_empty_topic_is_said_to_be_empty() -> None:
    result = forecast(small(("A",)))
    object.__setattr__(result, "plan_checks", SPECIAL["plan_checks"].iloc[:0])
    assert "Checks of the construction plan: nothing was found." in texts(
        compose(result, language="en"), "special"
    )
