"""What a planner should look at in a plan, and the land that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.plan_checks import land_need, plan_checks
from plans import project
from schools import pupils

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ["project", "stage", "district", "check", "finding", "requirement"]
SITED: dict[str, Any] = {"land_status": "allocated", "plot": "7-12"}
NORMS = pd.DataFrame(
    {
        "district": [None, "B", None, None, None],
        "stage": ["junior"] * 5,
        "indicator": [
            "school_size_limit",
            "school_size_limit",
            "class_size",
            "area_per_place",
            "land_per_place",
        ],
        "value": [2000.0, 250.0, 50.0, 10.0, 24.0],
    }
)


def new(name: str = "East", **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return a new junior school of 300 places in 2027 with nothing to find."""
    return project(name, **{"opens": 2027, **SITED, **columns})


def findings(*plans: pd.DataFrame, **options: Any) -> list[tuple[str, ...]]:  # noqa: ANN401
    table = plan_checks(pd.concat(plans), **{"standards": NORMS, **options})
    assert list(table.columns) == COLUMNS
    return [tuple(row) for row in table.to_numpy()]


def test_a_plan_with_nothing_to_find() -> None:
    assert findings(new()) == []
    assert list(plan_checks(new()).columns) == COLUMNS


@pytest.mark.parametrize(
    ("columns", "check", "finding", "requirement"),
    [
        (
            {"land_status": None, "plot": None},
            "site",
            "opens in 2027 and neither a plot nor the status of its land is given",
            "R12",
        ),
        (
            {"land_status": "title_issue"},
            "title_issue",
            "the title of its land is not settled: 300 places may come late",
            "R29",
        ),
        (
            {"land_status": "mixed_use"},
            "mixed_use",
            "its land is of mixed use: 300 places rest on it",
            "R29",
        ),
        (
            {"places": 2001.0},
            "school_size",
            "2001 places are above the limit of 2000 for one school",
            "R38, R60",
        ),
        (
            {"places": None, "classes": 27.0, "floor_area": 12800.0},
            "estimated",
            "1350 places are estimated from 27 classes",
            "R52",
        ),
        (
            {"places": None, "floor_area": 12800.0},
            "estimated",
            "1280 places are estimated from 12800 m2",
            "R54",
        ),
        (
            {"kind": "equipment", "places": None},
            "equipment",
            "equipment only: it adds no places",
            "R53",
        ),
        (
            {"kind": "equipment"},
            "equipment",
            "equipment only: it adds no places; the 300 places named are not counted",
            "R53",
        ),
        (
            {"kind": "rebuild"},
            "no_outage",
            "no outage is given: its 300 places are counted as more",
            "R31",
        ),
        (
            {"kind": "refit"},
            "no_outage",
            "no outage is given: its 300 places are counted as more",
            "R31",
        ),
        (
            {"kind": "conversion", "from_stage": "primary"},
            "reuse",
            "300 places of primary are used for junior from 2027 on",
            "R49, R62",
        ),
        (
            {"kind": "conversion", "from_sector": "private", "sector": "public"},
            "change_of_hands",
            "300 places go from private to public in 2027, in every plan case",
            "R02",
        ),
    ],
)
def test_each_check_of_one_project(
    columns: dict[str, Any], check: str, finding: str, requirement: str
) -> None:
    """R02, R12, R29, R31, R38, R49, R52-R54, R60, R62: one finding each, and no other."""
    expected = ("East", "junior", "A", check, finding, requirement)
    assert findings(new(**columns)) == [expected]
    assert findings(new(status="cancelled", **columns)) == []


@pytest.mark.parametrize(
    "columns",
    [
        {"land_status": None},
        {"plot": None},
        {"kind": "extension", "land_status": None, "plot": None},
        {"status": "open", "land_status": None, "plot": None},
        {"status": "open", "land_status": "title_issue"},
        {"places": 2000.0},
        {"kind": "temporary", "places": 9000.0},
        {"status": "open", "places": 9000.0},
        {"kind": "rebuild", "outage_from": 2025, "outage_to": 2026},
    ],
)
def test_what_is_no_finding(columns: dict[str, Any]) -> None:
    assert findings(new(**columns)) == []


def test_r60_the_limit_of_the_district_comes_first() -> None:
    found = findings(new(), new("West", district="B"))
    told = "300 places are above the limit of 250 for one school"
    assert found == [("West", "junior", "B", "school_size", told, "R38, R60")]


def test_r46_places_that_come_and_go_at_once() -> None:
    shut = project("Old", kind="closure", closes=2027, places=120.0)
    found = findings(new(), new("West", places=60.0), shut, new("later", opens=2028))
    told = "in 2027 360 places come (East, West) and 120 go (Old)"
    assert found == [("East, West, Old", "junior", "A", "both_ways", told, "R46")]
    assert findings(new(), shut.assign(district="B")) == []
    assert findings(new(), shut.assign(stage="primary")) == []
    assert findings(new(status="open"), shut.assign(status="open")) == []


def test_r46_a_school_that_changes_hands_neither_comes_nor_goes() -> None:
    hands = new("turn", kind="conversion", from_sector="private", sector="public")
    assert [row[3] for row in findings(new(), hands)] == ["change_of_hands"]


def test_r30_projects_of_one_batch() -> None:
    one = new(batch="2025-1")
    two = new("West", district="B", places=100.0, batch="2025-1")
    alone = new("alone", batch="2025-2")
    told = "2 projects with 400 places in batch 2025-1"
    expected = ("East, West", "junior", "A, B", "batch", told, "R30")
    assert findings(one, two, alone) == [expected]


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"P1": [5, 0, 0, 0], "P2": [0, 0, 0, 0]}, True),
        ({"P1": [0, 0, 0], "P2": [0, 0, 0]}, True),
        ({"P1": [0, 0, 1], "P2": [0, 0, 0]}, False),
        ({"P1": [0, 1, 0, 0], "P2": [0, 0, 0, 0]}, False),
        # A row left out is an unknown number, not a 0.
        ({"P1": [0, None, 0], "P2": [0, 0, 0]}, False),
        ({"P1": [0, 0]}, False),
    ],
)
def test_r47_no_pupils_in_three_years_one_after_another(
    counts: dict[str, list[float | None]], found: bool
) -> None:
    years = max(len(numbers) for numbers in counts.values())
    taught = pupils({"P1": [9] * years}, 2026 - years, "B")
    table = pd.concat([pupils(counts, 2026 - years), taught])
    told = "no pupils in 2023, 2024, 2025: it may be closed"
    expected = [("", "primary", "A", "closure_candidate", told, "R47")] if found else []
    assert findings(new(), enrolment=table) == expected


def test_findings_stand_in_the_order_of_the_checks() -> None:
    found = findings(
        new("a", kind="rebuild"), new("b", land_status="title_issue"), new("c", plot=None)
    )
    assert [row[3] for row in found] == ["title_issue", "no_outage"]


def test_places_that_cannot_be_derived_are_refused() -> None:
    message = r"projects, row 2, column classes: has classes of junior .* \(project West\)"
    plan = pd.concat([new(), new("West", places=None, classes=9.0)])
    with pytest.raises(pf.InputError, match=message):
        plan_checks(plan)


@pytest.mark.parametrize("made", [plan_checks, lambda plan: land_need(plan, NORMS)])
def test_a_plan_that_cannot_be_is_refused(made: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    with pytest.raises(pf.InputError, match=r"projects, row 1, column opens: is blank \(project E"):
        made(project())


# Land.


def test_r24_land_by_opening_year() -> None:
    """100 m2 as given and 300 x 24 m2 by the standard in 2027; 50 x 24 by classes in 2028."""
    plan = pd.concat(
        [
            new(land_area=100.0),
            new("West", kind="extension"),
            new("North", opens="2027-10-15", places=None, classes=1.0),
            new("given", district="B", land_area=5000.0),
            new("open", status="open"),
            new("never", status="cancelled"),
            new("refit", kind="refit"),
        ]
    )
    expected = pd.DataFrame(
        {
            "district": ["A", "A", "B"],
            "year": [2027, 2028, 2027],
            "stage": "junior",
            "places": [600.0, 50.0, 300.0],
            "land_area": [7300.0, 1200.0, 5000.0],
            "estimated": [True, True, False],
        }
    )
    pd.testing.assert_frame_equal(land_need(plan, NORMS), expected)


def test_r24_nothing_to_come_needs_no_land() -> None:
    table = land_need(new(status="open"), None)
    assert table.empty
    assert list(table.columns) == ["district", "year", "stage", "places", "land_area", "estimated"]


def test_r24_land_that_is_not_known_is_refused_with_its_project() -> None:
    message = (
        r"projects, row 2, column land_area: is blank and there is no land_per_place of junior "
        r"\(project West\)\. Give it \(0 where no land is taken\), or the standard"
    )
    with pytest.raises(pf.InputError, match=message):
        land_need(pd.concat([new(land_area=0.0), new("West")]), None)
