"""Dated events: entry effects, arrivals, and a grade that moves to another stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.grades import load_grades
from schools import assert_cohorts_move, found, pupils, with_cell_changed
from test_policy_pupils import (
    AHEAD,
    LADDER,
    LAUNCH,
    children,
    close,
    events,
    policy,
    project,
    rates,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_a_free_final_year_brings_children_to_k3_and_to_no_other_grade() -> None:
    """30 in each grade; in 2027 and 2028 five per cent more come to K3, who then leave."""
    free = {"channel": "entry", "stage": "kindergarten", "grade": "K3", "effect": 1.05}
    table = project(events=events({**free, "year_from": 2027, "year_to": 2028}))
    plain = project()
    for grade in ("K1", "K2"):
        assert found(table, grade) == found(plain, grade)
    close(found(table, "K3"), [50, 40, 31.5, 31.5, 30, 30])


def test_an_effect_on_a_stage_is_on_its_first_grade_and_moves_up() -> None:
    more = {"channel": "entry", "stage": "kindergarten", "effect": 1.1, "district": "A"}
    table = project(events=events({**more, "year_from": 2026, "year_to": 2026}))
    close(found(table, "K1"), [30, 33, 30, 30, 30, 30])
    close(found(table, "K3"), [50, 40, 30, 33, 30, 30])


def test_r58_arrivals_come_once_and_move_on_with_their_cohort() -> None:
    """90 arrive in junior schools of 300 in 2026: 30 in each grade; J3 of 2028 has those of J1."""
    counts = {"P6": [100.0], "J1": [100.0], "J2": [100.0], "J3": [100.0]}
    enrolment = pupils(counts, LAUNCH)
    system = load_grades().assign(
        feeder=lambda t: t["feeder"].where(t["grade"] != "P6", "population")
    )
    base = rates(enrolment, 1.0)
    progression = base.progression[base.progression["grade"] != "P6"]  # type: ignore[index]
    intake = pd.DataFrame({"year": AHEAD, "grade": "P6", "ratio": 1.0, "basis": "births"})
    moved = {"channel": "arrivals", "stage": "junior", "district": "A", "effect": 90.0}
    given = pf.Assumptions(
        intake=intake,
        progression=progression,
        events=events({**moved, "year_from": 2026, "year_to": 2026}),
    )
    table = pf.project_enrolment(children(births=100.0), enrolment, given, grades=system)
    close(found(table, "J1"), [100, 130, 100, 100, 100, 100])
    close(found(table, "J2"), [100, 130, 130, 100, 100, 100])
    close(found(table, "J3"), [100, 130, 130, 130, 100, 100])
    assert_r58(table)
    with pytest.raises(AssertionError, match="arrivals"):
        assert_r58(with_cell_changed(table[table["grade"] != "P6"]))


def assert_r58(table: pd.DataFrame) -> None:
    """Check the sum over years: 90 arrive, of whom J1 stay 3 years, J2 two and J3 one."""
    sums = table[table["grade"].str.startswith("J")].groupby("year")["pupils"].sum()
    np.testing.assert_allclose(sums, [300, 390, 360, 330, 300, 300], err_msg="arrivals")


def test_arrivals_where_a_gross_rate_sets_the_pupils_are_refused() -> None:
    rate = policy("gross_rate", {2026: 0.75}, stage="kindergarten")
    moved = {"channel": "arrivals", "stage": "kindergarten", "district": "A", "effect": 9.0}
    message = (
        r"events, column channel: \(x\) brings pupils to a stage whose number policy sets: "
        r"gross_rate of kindergarten\. Give them as migration of children, or leave the rate out"
    )
    with pytest.raises(pf.InputError, match=message):
        project(policy=rate, events=events({**moved, "year_from": 2026}))


ENTRY = {"channel": "entry", "stage": "kindergarten", "effect": 1.1, "year_from": 2026}
ARRIVALS = {"channel": "arrivals", "stage": "kindergarten", "district": "A", "effect": 9.0}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({**ENTRY, "stage": "primary"}, r"\(x\) names primary, where nobody is counted\. Correct"),
        (
            {**ENTRY, "stage": "primary", "grade": "K3"},
            r"\(x\) names primary K3, where nobody is counted",
        ),
        ({**ENTRY, "stage": None}, r"\(x\) names neither stage nor grade\. Write one of them"),
        ({**ENTRY, "district": "Z"}, r"\(x\) names Z, which has no pupils\. Correct the district"),
        ({**ENTRY, "effect": -0.1}, r"\(x\) is below 0\. Write what to multiply by: 1\.02 for 2 %"),
        (
            {**ENTRY, "year_to": 2024},
            r"column year_to: \(x\) ends before it begins, in 2026\. Correct one of the two years",
        ),
        (
            {**ARRIVALS, "year_from": 2026, "district": None},
            r"\(x\) is given for no stage or district\. Arrivals are pupils of one stage in one",
        ),
        (
            {**ARRIVALS, "year_from": 2026, "district": "B"},
            r"\(x\) names B kindergarten, which has no pupils",
        ),
        (
            {**ARRIVALS, "year_from": 2026, "effect": -200.0},
            r"column effect: \(x\) takes 200 pupils from A in 2026, where 100 are\. Lower the",
        ),
    ],
)
def test_events_that_cannot_be_are_refused(event: Mapping[str, Any], message: str) -> None:
    with pytest.raises(pf.InputError, match=message):
        project(events=events(event))


def test_an_effect_that_began_before_the_launch_is_said() -> None:
    """It is in the ratios that were learnt since, and would count twice."""
    message = r"events: x began in 2025, up to the launch of 2025: ratios learnt since then hold"
    with pytest.warns(pf.AssumptionWarning, match=message):
        project(events=events({**ENTRY, "year_from": 2025}))


def test_an_event_that_has_ended_is_history() -> None:
    over = project(events=events({**ENTRY, "year_from": 2023, "year_to": 2025}))
    pd.testing.assert_frame_equal(over, project())


# A change of structure.


def changed() -> tuple[pd.DataFrame, pd.DataFrame]:
    counts = {grade: [100.0 + i] for i, grade in enumerate(LADDER)}
    change = {"channel": "structure", "grade": "P6", "stage": "junior", "effect": 1.0}
    moved = project(counts, intake=0.9, events=events({**change, "year_from": 2027}))
    return moved, project(counts, intake=0.9)


def test_a_grade_that_moves_takes_its_pupils_along() -> None:
    """P6 of 2027 is the P5 of 2026, 103 pupils, and is called J0."""
    moved, plain = changed()
    assert list(moved.loc[moved["grade"] == "P6", "year"]) == [2025, 2026]
    close(found(moved, "J0"), found(plain, "P6")[2:])
    assert found(moved, "J0")[0] == 103
    np.testing.assert_allclose(total(moved), total(plain), rtol=1e-12)


def test_cohorts_stay_whole_through_a_change_of_structure() -> None:
    moved, _ = changed()
    before, after = moved[moved["year"] <= 2026], moved[moved["year"] >= 2027]
    assert_cohorts_move(before, LADDER)
    ladder = [*LADDER[:5], "J0", *LADDER[6:]]
    assert_cohorts_move(after, ladder)
    with pytest.raises(AssertionError, match="from"):
        assert_cohorts_move(with_cell_changed(after), ladder)


def test_the_ledgers_follow_the_grade_to_its_new_stage() -> None:
    """J0 has the junior public share of 0.9, not the primary one of 0.7."""
    moved, _ = changed()
    rows = [policy("public_share", {2026: v}, stage=s) for s, v in (("primary", 0.7),)]
    rows.append(policy("public_share", {2026: 0.9}, stage="junior"))
    change = {"channel": "structure", "grade": "P6", "stage": "junior", "effect": 1.0}
    given = pf.Assumptions(policy=pd.concat(rows), events=events({**change, "year_from": 2027}))
    public = pf.demand_places(moved, given).query("ledger == 'public'")
    close(found(public, "P6"), [0.7 * n for n in found(moved, "P6")])
    close(found(public, "J0"), [0.9 * n for n in found(moved, "J0")])
