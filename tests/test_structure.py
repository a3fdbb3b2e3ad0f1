"""Dated changes of school structure: 6-3-3 to 5-4-3 and back, in the grades and in the places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.hands import changed_hands
from placeforecast.tables.grades import load_grades
from placeforecast.tables.structure import (
    Change,
    absent_grades,
    applied_changes,
    structure_changes,
    with_structure,
)
from plans import YEARS, project, standing
from schools import grades as school_grades

TO_543 = Change(2027, "P6", "J0", "junior", None)


def event(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return the event that P6 goes to junior schools in 2027, everywhere."""
    usual = {
        "event": "5-4-3",
        "year_from": 2027,
        "stage": "junior",
        "grade": "P6",
        "channel": "structure",
        "effect": 1.0,
    }
    return pd.DataFrame({key: [value] for key, value in {**usual, **columns}.items()})


BACK = event(event="6-3-3", year_from=2029, stage="primary", grade="J0")


# The changes.


def test_p6_becomes_j0() -> None:
    assert structure_changes(event(), load_grades()) == (TO_543,)


def test_there_and_back() -> None:
    changes = structure_changes(pd.concat([BACK, event()]), None)
    assert changes == (TO_543, Change(2029, "J0", "P6", "primary", None))
    lacking = [absent_grades(changes, "A", year) for year in (2026, 2027, 2028, 2029)]
    assert lacking == [{"J0"}, {"P6"}, {"P6"}, {"J0"}]


def test_from_5_4_3_j0_becomes_p6() -> None:
    system = load_grades("cn-5-4-3")
    changes = structure_changes(event(stage="primary", grade="J0"), system)
    assert changes == (Change(2027, "J0", "P6", "primary", None),)
    names = list(with_structure(system, event(stage="primary", grade="J0"))["grade"])
    assert names[names.index("P5") : names.index("J1") + 1] == ["P5", "P6", "J0", "J1"]


def test_a_grade_of_ones_own_comes_before_a_shipped_one() -> None:
    """A system with names of its own takes a grade back under the name it left with."""
    system = school_grades(
        ("Y1_5", "primary", 1, 6, 5, "population"),
        ("Y6", "primary", 2, 11, 1, "grade_below"),
        ("Y7", "junior", 3, 12, 3, "grade_below"),
    )
    both = pd.concat([event(grade="Y6"), BACK])
    assert [change.becomes for change in structure_changes(both, system)] == ["J0", "Y6"]


def test_districts_may_go_at_different_times() -> None:
    changes = structure_changes(
        pd.concat([event(district="A", year_from=2026), event(event="rest", year_from=2028)]), None
    )
    assert [c.year for c in applied_changes(changes, "A")] == [2026]
    assert [c.year for c in applied_changes(changes, "B")] == [2028]
    assert absent_grades(changes, "A", 2027) == {"P6"}
    assert absent_grades(changes, "B", 2027) == {"J0"}


@pytest.mark.parametrize("events", [None, event(channel="births", grade=None, stage=None)])
def test_without_such_events_the_system_is_the_same_object(events: pd.DataFrame | None) -> None:
    system = load_grades()
    assert structure_changes(events, system) == ()
    assert with_structure(system, events) is system
    assert absent_grades((), "A", 2027) == frozenset()


def test_the_grade_that_comes_is_like_the_one_that_moves() -> None:
    system = load_grades()
    both = with_structure(system, event())
    row = both[both["grade"] == "J0"].iloc[0]
    assert dict(row) == {
        "grade": "J0",
        "stage": "junior",
        "position": 9,
        "entry_age": 11,
        "duration": 1,
        "enters_from": "grade_below",
        "feeder": "P5",
    }
    assert list(both["grade"])[8:12] == ["P5", "P6", "J0", "J1"]
    pd.testing.assert_frame_equal(both[both["grade"] != "J0"].reset_index(drop=True), system)
    assert list(both.dtypes) == list(system.dtypes)


def test_a_system_that_holds_both_names_already_is_left_alone() -> None:
    both = with_structure(None, event())
    assert with_structure(both, event()) is both
    assert structure_changes(event(), both) == (TO_543,)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"stage": None},
            r"column stage: is blank in a change of structure \(event 5-4-3\)\. Name",
        ),
        (
            {"grade": None},
            r"column grade: is blank in a change of structure \(event 5-4-3\)\. Name",
        ),
        (
            {"year_to": 2030},
            r"column year_to: '2030' is filled in a change of structure \(event 5-4-3\)\. Leave it",
        ),
        ({"effect": 0.5}, r"column effect: '0\.5' is not 1, and a grade moves as a whole"),
        ({"stage": "middle"}, r"column stage: 'middle' is not a stage of the school system"),
        ({"grade": "P7"}, r"column grade: 'P7' is not a grade of the school system"),
        ({"grade": "J1"}, r"column grade: 'J1' is in junior already \(event 5-4-3\)\. Name the"),
        (
            {"grade": "P5"},
            r"column grade: 'P5' has no counterpart in junior at its age in a shipped school",
        ),
        ({"grade": "SE"}, r"column grade: 'SE' has no counterpart in junior at its age"),
    ],
)
def test_a_change_that_cannot_be(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(pf.InputError, match=f"events, row 1, {message}"):
        structure_changes(event(**columns), load_grades())


@pytest.mark.parametrize(
    ("second", "where"),
    [
        ({"year_from": 2028}, ""),
        ({"year_from": 2028, "district": "B"}, "of B "),
    ],
)
def test_a_grade_moves_once(second: dict[str, Any], where: str) -> None:
    message = rf"events, row 2, column grade: 'P6' {where}is called J0 already in 2028\. Keep one"
    with pytest.raises(pf.InputError, match=message):
        structure_changes(pd.concat([event(), event(event="again", **second)]), None)


def test_a_grade_of_another_country_does_not_come_in() -> None:
    """England has a primary grade at 10, but its secondary school is no junior school."""
    england = load_grades("england")
    with pytest.raises(pf.InputError, match="'6' has no counterpart in secondary"):
        structure_changes(event(grade="6", stage="secondary"), england)


# The places.


def both_stages(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    return pd.concat([standing(1800, "primary", **columns), standing(900, **columns)])


def schedule(
    events: pd.DataFrame | None,
    places: pd.DataFrame | None = None,
    projects: pd.DataFrame | None = None,
    **options: Any,  # noqa: ANN401
) -> pd.DataFrame:
    plan = pf.Assumptions(
        places=both_stages() if places is None else places, projects=projects, events=events
    )
    return pf.schedule_places(plan, YEARS, **options)


def of_grade(table: pd.DataFrame, grade: str, district: str = "A") -> dict[int, float]:
    rows = table[(table["grade"] == grade) & (table["district"] == district)]
    assert not rows["year"].duplicated().any()
    return dict(zip(rows["year"], rows["places"], strict=True))


def test_places_of_a_stage_are_spread_over_the_grades_it_has() -> None:
    """1,800 of six grades are 300 each, of five 360; 900 of three are 300 each, of four 225."""
    table = schedule(event())
    assert of_grade(table, "P5") == {
        2025: 300,
        2026: 300,
        2027: 360,
        2028: 360,
        2029: 360,
        2030: 360,
    }
    assert of_grade(table, "P6") == {2025: 300, 2026: 300}
    assert of_grade(table, "J0") == {2027: 225, 2028: 225, 2029: 225, 2030: 225}
    assert of_grade(table, "J1") == {
        2025: 300,
        2026: 300,
        2027: 225,
        2028: 225,
        2029: 225,
        2030: 225,
    }
    assert set(table.loc[table["grade"] == "J0", "stage"]) == {"junior"}
    grades = list(dict.fromkeys(table["grade"]))
    assert sorted(grades) == ["J0", "J1", "J2", "J3", "P1", "P2", "P3", "P4", "P5", "P6"]


def test_there_and_back_leaves_everything_as_before() -> None:
    table = schedule(pd.concat([event(), BACK]))
    assert of_grade(table, "J0") == {2027: 225, 2028: 225}
    assert of_grade(table, "P6") == {2025: 300, 2026: 300, 2029: 300, 2030: 300}
    assert of_grade(table, "J3")[2030] == 300


def test_one_district_changes_and_the_other_does_not() -> None:
    places = pd.concat([both_stages(), both_stages().assign(district="B")])
    table = schedule(event(district="B"), places)
    plain = schedule(None, places)
    own, other = (t[t["district"] == "A"].reset_index(drop=True) for t in (table, plain))
    pd.testing.assert_frame_equal(own, other, check_exact=True)
    assert list(of_grade(table, "J0", "B")) == [2027, 2028, 2029, 2030]
    assert of_grade(table, "J0") == {}


def test_no_event_changes_no_bit() -> None:
    other = event(channel="entry", grade="P1", stage="primary", effect=1.1)
    plan = project(opens=2027, phase_in="by_grade")
    one, two = schedule(other, projects=plan), schedule(None, projects=plan)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_years_counted_after_the_change_are_spread_after_it() -> None:
    counted = pd.concat([both_stages(), both_stages().assign(year=2026, places=[2000.0, 800.0])])
    table = schedule(event(year_from=2026), counted)
    assert of_grade(table, "P6") == {2025: 300}
    assert of_grade(table, "P1")[2026] == 400
    assert of_grade(table, "J0") == dict.fromkeys(range(2026, 2031), 200)


def assert_same_stages(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Check that each stage has the same places in each year, however its grades are called."""
    keys = ["district", "year", "stage", "ledger"]
    sums = [table.groupby(keys)["places"].sum() for table in (one, other)]
    pd.testing.assert_series_equal(sums[0], sums[1], rtol=1e-12, obj="places of stages")


def test_no_place_is_lost_or_made() -> None:
    places = both_stages(sector="public")
    plan = pd.concat(
        [
            project("new", sector="public", opens=2026),
            project("shut", sector="public", kind="closure", closes=2028, stage="primary"),
            project("turn", kind="conversion", from_stage="primary", sector="public", opens=2029),
        ]
    )
    table = schedule(event(), places, plan)
    plain = schedule(None, places, plan)
    assert_same_stages(table, plain)
    wrong = table.copy()
    wrong["places"] = wrong["places"].where(wrong.index != 5, wrong["places"] + 1)
    with pytest.raises(AssertionError, match="places of stages"):
        assert_same_stages(wrong, plain)


def test_a_school_that_fills_by_grade_through_the_change() -> None:
    """Opens in 2026 with J1, which goes on to J2 in 2027, when J0 comes below it."""
    plan = project(opens=2026, places=1200.0, phase_in="by_grade")
    gained = {
        grade: {
            year: n - 225 for year, n in of_grade(schedule(event(), projects=plan), grade).items()
        }
        for grade in ("J0", "J1", "J2", "J3")
    }
    assert gained["J0"] == {2027: 300, 2028: 300, 2029: 300, 2030: 300}
    assert gained["J1"] == {2025: 75, 2026: 475, 2027: 300, 2028: 300, 2029: 300, 2030: 300}
    assert gained["J2"] == {2025: 75, 2026: 75, 2027: 300, 2028: 300, 2029: 300, 2030: 300}
    assert gained["J3"] == {2025: 75, 2026: 75, 2027: 0, 2028: 300, 2029: 300, 2030: 300}


def test_a_school_that_fills_by_grade_through_the_way_back() -> None:
    """Opens in 2027 with J0, has J0 and J1 in 2028, and J1 and J2 in 2029, when P6 is back."""
    plan = project(opens=2027, places=1200.0, phase_in="by_grade")
    table = schedule(pd.concat([event(), BACK]), projects=plan)
    assert of_grade(table, "J0") == {2027: 525, 2028: 525}
    assert of_grade(table, "J1") == {
        2025: 300,
        2026: 300,
        2027: 225,
        2028: 525,
        2029: 700,
        2030: 700,
    }
    assert of_grade(table, "J2") == {
        2025: 300,
        2026: 300,
        2027: 225,
        2028: 225,
        2029: 700,
        2030: 700,
    }
    assert of_grade(table, "J3") == {
        2025: 300,
        2026: 300,
        2027: 225,
        2028: 225,
        2029: 300,
        2030: 700,
    }


def test_what_changes_hands_is_spread_likewise() -> None:
    places = pd.concat([both_stages(sector=s) for s in ("public", "private")])
    plan = project(kind="conversion", from_sector="private", sector="public", opens=2026)
    assumptions = pf.Assumptions(places=places, projects=plan, events=event())
    moved = changed_hands(assumptions, YEARS)
    assert of_grade(moved, "J0") == {2027: 75, 2028: 75, 2029: 75, 2030: 75}
    assert of_grade(moved, "J1") == {2025: 0, 2026: 100, 2027: 75, 2028: 75, 2029: 75, 2030: 75}
    again = changed_hands(assumptions, YEARS, grades=with_structure(None, event()))
    pd.testing.assert_frame_equal(moved, again)


def test_a_system_that_holds_the_grade_already_gives_the_same() -> None:
    both = with_structure(None, event())
    pd.testing.assert_frame_equal(schedule(event()), schedule(event(), grades=both))


def test_places_are_balanced_across_the_change() -> None:
    """Demand of P6 up to 2026 and of J0 from 2027 on meets the places of the same cells."""
    places = schedule(event())
    demand = places.assign(pupils=200.0, demand=200.0).drop(columns=["places", "plan_case"])
    balance = pf.balance_places(demand, places, grades=with_structure(None, event()))
    junior = balance.stages.query("stage == 'junior'").set_index("year")["balance"]
    np.testing.assert_allclose(junior, [300, 300, 100, 100, 100, 100])


@pytest.mark.parametrize(
    ("places", "events", "message"),
    [
        (
            pd.concat([standing(1800, "primary", grade=None), standing(300, grade="J1")]),
            event(),
            r"places, column grade: of junior in A are given by grade, and P6 becomes J0 in 2027\. "
            r"Give the whole stage",
        ),
        (
            pd.concat([standing(1800, "primary", grade=None), standing(300, grade="J0")]),
            event(year_from=2035),
            r"places, column grade: 'J0' is no grade of A in 2025: see the events of structure\.",
        ),
        (
            both_stages(),
            event(district="County"),
            r"events, column district: 'County' has no places\. Name districts that have, one row",
        ),
    ],
)
def test_places_that_cannot_follow(
    places: pd.DataFrame, events: pd.DataFrame, message: str
) -> None:
    with pytest.raises(pf.InputError, match=message):
        schedule(events, places)


def test_places_by_grade_of_other_stages_are_no_matter() -> None:
    kindergarten = [standing(90, "kindergarten", grade=g) for g in ("K1", "K2", "K3")]
    places = pd.concat([both_stages(grade=None), *kindergarten])
    assert of_grade(schedule(event(), places), "K2")[2030] == 90


def test_a_grade_counted_under_its_new_name() -> None:
    """By grade in 2025 and after a change of 2025, with a 0 for the name that is gone."""
    by_grade = [standing(n, grade=g) for g, n in (("J0", 90), ("J1", 90), ("J2", 90), ("J3", 90))]
    primary = [standing(n, "primary", grade=g) for g, n in (("P5", 70), ("P6", 0))]
    table = schedule(event(year_from=2025), pd.concat([*by_grade, *primary]))
    assert of_grade(table, "J0")[2030] == 90
    assert of_grade(table, "P6") == {}
