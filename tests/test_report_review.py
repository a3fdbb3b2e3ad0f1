"""The plan under review in the report: point 7 of the annual report (R11, R16)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.report.compose import compose
from placeforecast.report.compose_review import FLAGS
from placeforecast.report.view import catalogue
from placeforecast.tables.vocabulary import values
from reports import YEARS, forecast, read, small, table_of, texts, written

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report

SHORT = 0.9
STAGES = {"junior": 3, "primary": 6}
PLAN = {
    "project": ["East", "West", "South", "North"],
    "stage": "junior",
    "district": "A",
    "kind": "new",
    "status": ["approved", "proposed", "cancelled", "under_construction"],
    "opens": [2028, 2030, 2028, 2027],
    "places": [200.0, 4000.0, 100.0, 150.0],
}


@pytest.fixture(scope="module")
def made() -> Forecast:
    """Forecast a region of two districts, whose junior stage is short by a tenth."""
    size = {"A": 1000.0, "B": 1300.0}
    rows = [
        (code, YEARS[-1], stage, round(n * k * (SHORT if stage == "junior" else 1.2)))
        for code, n in size.items()
        for stage, k in {"kindergarten": 3, **STAGES, "senior_general": 3}.items()
    ]
    places = pd.DataFrame(rows, columns=["district", "year", "stage", "places"])
    tree = pd.DataFrame({"district": ["C", *size], "parent": [None, "C", "C"]})
    return forecast(small(places=places, projects=pd.DataFrame(PLAN), districts=tree))


@pytest.fixture(scope="module")
def of_made(made: Forecast) -> Report:
    return compose(made, language="en")


def rows_of(report: Report, key: str) -> list[dict[str, Any]]:
    table = table_of(report, key)
    return [
        dict(zip([column.label for column in table.columns], row, strict=True))
        for row in table.rows
    ]


def test_the_region_is_told_by_stage(made: Forecast, of_made: Report) -> None:
    """Need, shortage and idle places are those of the review."""
    review = pf.review_plan(made).districts
    top = review[(review["district"] == "C") & (review["ledger"] == "all")].set_index("stage")
    need = {row["Stage"]: row for row in rows_of(of_made, "review_need")}
    choice = {row["Stage"]: row for row in rows_of(of_made, "review_choice")}
    junior = top.loc["junior"]
    assert need["Junior"]["Uncovered"] == pytest.approx(junior["uncovered"])
    assert need["Junior"]["Short from"] == junior["first_year_short"]
    assert need["Junior"]["Idle at the end"] == pytest.approx(junior["idle_at_horizon"])
    assert choice["Junior"]["Start by"] == f"{junior['start_by']} (past)"
    assert choice["Junior"]["Break-even, years"] == pytest.approx(100 / 9)
    assert choice["Junior"]["Regret, all built"] == pytest.approx(junior["regret_permanent"] / 1e4)
    assert set(need) == set(choice)
    assert choice["Kindergarten"]["Verdict"] in {"bridge", "nothing to add"}


def test_districts_most_short_come_first(of_made: Report) -> None:
    short = [row["Uncovered"] for row in rows_of(of_made, "review_short")]
    assert short == sorted(short, reverse=True)
    assert {row["District"] for row in rows_of(of_made, "review_short")} == {"A", "B"}
    every = table_of(of_made, "review_districts")
    assert every.sheet == "Plan review districts"
    assert {str(row[0]) for row in every.rows} == {"A", "B", "C"}


def test_projects_are_flagged_with_a_finding(made: Forecast, of_made: Report) -> None:
    flagged = {row["Project"]: row for row in rows_of(of_made, "review_flagged")}
    review = pf.review_plan(made).projects.set_index("project")
    raised = review.index[review[list(FLAGS)].fillna(value=False).any(axis=1)]
    assert set(flagged) == set(raised)
    assert "too large" in flagged["West"]["Finding"]
    assert flagged["East"]["Finding"].startswith("3 years late")
    every = {row["Project"] for row in rows_of(of_made, "review_projects")}
    assert every == {"East", "West", "North"}
    told = texts(of_made, "review")
    assert f"{len(flagged)} deserve a second look" in told


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_files_show_the_review(made: Forecast, tmp_path: Path, language: str) -> None:
    files = written(made, tmp_path, language)
    words = catalogue(language)
    page = read(files.page)
    assert {"review_need", "review_choice", "review_short", "review_flagged"} <= set(page.tables)
    sheets = files.sheets()
    for name in ("sheet", "districts_sheet", "projects_sheet"):
        assert words(f"review.{name}") in sheets
    assert words("review.column_uncovered") in page.tables["review_need"][0]


def test_every_word_of_the_review_is_there_in_both_languages() -> None:
    zh, en = (catalogue(language).texts for language in ("zh", "en"))
    own = {key for key in en if key.split(".")[0] in ("review", "verdict", "flag")}
    assert own == {key for key in zh if key.split(".")[0] in ("review", "verdict", "flag")}
    assert {f"verdict.{value}" for value in values("plan_verdict")} <= own
    for flag in FLAGS:
        assert {f"flag.{flag}", f"flag.{flag}_count"} <= own
    for key in own:
        fields = [sorted(set(re.findall(r"{(\w+)}", texts[key]))) for texts in (zh, en)]
        assert fields[0] == fields[1], key


def test_what_lacks_a_standard_is_said(of_made: Report) -> None:
    """England ships no standards: what is short is told, what to do about it is not."""
    assert "Not told" not in texts(of_made, "review")
    stages = {"primary": 7, "secondary": 5, "sixth_form": 3}
    rows = [("A", YEARS[-1], stage, 900.0 * grades) for stage, grades in stages.items()]
    places = pd.DataFrame(rows, columns=["district", "year", "stage", "places"])
    lone = compose(forecast(small("A", "england", places=places, projects=None)), language="en")
    told = texts(lone, "review")
    assert "Not told: standards lack " in told
    assert "as no trajectories were asked for" in told
    found = {row["Stage"]: row for row in rows_of(lone, "review_choice")}
    assert found["Primary"]["Verdict"] is None
    assert found["Primary"]["Start by"] is None
    reasons = {row["Stage"]: row["Why not told"] for row in rows_of(lone, "review_districts")}
    assert reasons["Primary"].endswith("standards lack lead_time of primary")


def test_without_places_or_projects_the_section_says_so() -> None:
    bare = compose(forecast(small(places=None, projects=None)), language="en")
    assert texts(bare, "review").startswith("There is no table places, so no plan can be reviewed")
    unplanned = compose(forecast(small(projects=None)), language="en")
    assert "There is no table projects, so there is no project to review" in texts(
        unplanned, "review"
    )
