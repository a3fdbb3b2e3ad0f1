"""What the schedule of places refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.derive import derived_places
from plans import project, schedule, standing


def test_more_places_go_than_there_are() -> None:
    plan = pd.concat(
        [
            project("Old", kind="closure", closes=2027, places=600),
            project("Older", kind="closure", closes=2028, places=450),
        ]
    )
    message = (
        r"projects, column places: take 50 places of J1 in A that do not exist "
        r"\(sector all, 2028: Old, Older\)\. Correct the places of the closure, outage or conv"
    )
    with pytest.raises(pf.InputError, match=message):
        schedule(plan)


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "closure", "closes": 2027, "sector": "private"},
        {"kind": "conversion", "opens": 2027, "sector": "public", "from_stage": "primary"},
        {"kind": "rebuild", "opens": 2029, "outage_from": 2027, "outage_to": 2028, "places": 901},
    ],
)
def test_places_of_another_sector_or_stage_do_not_help(columns: dict[str, Any]) -> None:
    public = standing(sector="public")
    with pytest.raises(pf.InputError, match=r"that do not exist .* 2027: East"):
        schedule(project(**{"sector": "public", **columns}), public)


def test_a_closure_of_exactly_what_stands_leaves_nothing() -> None:
    """Rounding of thirds does not make it less than nothing."""
    plan = pd.concat(
        project(str(i), kind="closure", closes=2026 + i, places=0.1 + 0.2) for i in range(3)
    )
    left = schedule(plan, standing(0.9)).query("year == 2030")["places"]
    assert list(left) == [0.0, 0.0, 0.0]


def test_a_hole_in_the_last_year_of_places_is_named() -> None:
    """Primary places stood in 2024 and have no row in 2025."""
    both = pd.concat([standing(600, "primary").assign(year=2024), standing()])
    message = (
        r"places, column places: lacks \d+ cells that stood in another year, first: "
        r"A P1, sector all, 2025\. Add the rows; write 0 for places that are gone"
    )
    with pytest.raises(pf.InputError, match=message):
        schedule(None, both)


def test_years_before_the_first_are_refused() -> None:
    message = r"places, column year: begins in 2025, after 2023\. Ask for years from 2025 on"
    with pytest.raises(pf.InputError, match=message):
        pf.schedule_places(pf.Assumptions(places=standing()), [2023, 2025])


def test_there_must_be_places() -> None:
    with pytest.raises(pf.InputError, match=r"places: is missing\. Give assumptions\.places"):
        pf.schedule_places(pf.Assumptions(), [2025])


def test_classes_need_a_class_size() -> None:
    classes = standing().drop(columns="places").assign(classes=10.0)
    message = r"column classes: has classes of junior but there is no class size for it\. Give"
    with pytest.raises(pf.InputError, match=message):
        schedule(None, classes)


def test_a_stage_and_its_grades_are_not_counted_twice() -> None:
    both = pd.concat([standing(grade=None), standing(300, grade="J1")])
    message = r"places, column grade: of junior in A in 2025 are given in two ways\. Give the"
    with pytest.raises(pf.InputError, match=message):
        schedule(None, both)


def test_a_grade_belongs_to_its_stage() -> None:
    message = r"places, column stage: 'junior' of grade P1 is not its stage, which is primary\."
    with pytest.raises(pf.InputError, match=message):
        schedule(None, standing(grade="P1"))


def test_a_stage_must_have_grades() -> None:
    message = r"places: 'high' has no grades in the school system\. Correct the stage"
    with pytest.raises(pf.InputError, match=message):
        schedule(None, standing(stage="high"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"stage": "high", "opens": 2027}, "row 1, column stage: 'high' is not a stage of the"),
        (
            {"kind": "conversion", "opens": 2027, "from_stage": "high"},
            "row 1, column from_stage: 'high' is not a stage of the school system",
        ),
        ({}, r"row 1, column opens: is blank \(project East\)\. Give the school year or date"),
        (
            {"opens": 2027, "places": None},
            r"row 1, column places: has no places, classes or floor area \(project East\)\. Give",
        ),
        (
            {"opens": 2027, "places": None, "classes": 9.0},
            r"row 1, column classes: has classes of junior but there is no class size for it "
            r"\(project East\)\. Give places, or class_size in the table standards",
        ),
        (
            {"opens": 2027, "places": None, "floor_area": 9.0},
            r"row 1, column floor_area: has a floor area of junior but there is no area_per_place",
        ),
        (
            {"kind": "conversion", "opens": 2027},
            r"row 1, column from_stage: is blank in a conversion",
        ),
        (
            {"kind": "conversion", "opens": 2027, "from_stage": "junior"},
            r"row 1, column from_stage: 'junior' is the receiving stage itself",
        ),
        (
            {"opens": 2027, "from_sector": "private", "sector": "public"},
            r"row 1, column from_sector: 'private' is filled in a project that is no conversion",
        ),
        (
            {"kind": "conversion", "opens": 2027, "from_sector": "private"},
            r"row 1, column sector: is blank in a school that changes hands \(project East\)",
        ),
        (
            {"kind": "conversion", "opens": 2027, "from_sector": "public", "sector": "public"},
            r"row 1, column from_sector: 'public' is the receiving sector itself",
        ),
        (
            {"kind": "conversion", "opens": 2027, "from_sector": "private", "sector": "public"},
            r"column from_sector: 'private' is given, but places tell no sectors apart",
        ),
        ({"kind": "closure"}, r"row 1, column closes: is blank in a closure \(project East\)"),
        (
            {"kind": "refit", "opens": 2027, "outage_from": 2026, "outage_to": 2027},
            r"row 1, column opens: '2027' is not after the outage \(project East\)",
        ),
    ],
)
def test_a_plan_made_by_hand_is_checked_like_one_that_was_read(
    columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(pf.InputError, match=f"projects, {message}"):
        schedule(project(**columns))


def test_a_project_must_say_who_runs_it_where_places_do() -> None:
    message = r"projects, column sector: is blank where places have sectors \(project East\)\. Say"
    with pytest.raises(pf.InputError, match=message):
        schedule(project(opens=2027), standing(sector="public"))


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"kind": "extension"},
        {"kind": "temporary", "closes": 2029},
        {"kind": "conversion", "from_sector": "public"},
        {"kind": "conversion", "from_stage": "primary"},
    ],
)
def test_r03_no_new_private_places_in_compulsory_stages(columns: dict[str, Any]) -> None:
    message = r"column sector: 'private' is private in a compulsory stage \(project East\)\. New"
    with pytest.raises(pf.InputError, match=message):
        schedule(project(sector="private", opens=2027, **columns), standing(sector="public"))


def test_every_project_without_places_is_named_at_once() -> None:
    plan = pd.concat(project(name, opens=2027, places=None, classes=9.0) for name in ("a", "b"))
    message = r"2 problems in the input:\n.*row 1, .*\(project a\).*\n.*row 2, .*\(project b\)"
    with pytest.raises(pf.InputError, match=message):
        schedule(plan)


def test_an_area_of_nothing_per_place_is_no_standard() -> None:
    zero = pd.DataFrame({"indicator": ["area_per_place"], "value": [0.0]})
    with pytest.raises(pf.InputError, match="there is no area_per_place for it"):
        derived_places(project(opens=2027, places=None, floor_area=9.0), zero)


def test_another_plan_case_is_a_wrong_call() -> None:
    message = "there is no plan case 'certain': existing, committed, planned, risk_adjusted"
    with pytest.raises(ValueError, match=message):
        schedule(None, case="certain")
