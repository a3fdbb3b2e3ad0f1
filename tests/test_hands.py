"""Schools that change hands: supply moves at once, in every plan case, and demand can follow it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.hands import changed_hands
from plans import YEARS, project, schedule, standing
from schools import grades as school_grades

COLUMNS = ["district", "year", "grade", "from_sector", "sector", "places"]


def places_by_sector(**counts: float) -> pd.DataFrame:
    return pd.concat([standing(n, sector=sector) for sector, n in counts.items()])


def handed_over(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return a private junior school of 300 places that turns public in 2027."""
    usual = {"kind": "conversion", "from_sector": "private", "sector": "public", "opens": 2027}
    return project(**{**usual, **columns})


def of_ledger(table: pd.DataFrame, ledger: str, stage: str = "junior") -> list[float]:
    rows = table[(table["ledger"] == ledger) & (table["stage"] == stage)]
    return list(rows.groupby("year")["places"].sum())


def hands_of(
    projects: pd.DataFrame | None,
    places: pd.DataFrame | None = None,
    **options: Any,  # noqa: ANN401
) -> pd.DataFrame:
    standing_now = places_by_sector(public=900, private=600) if places is None else places
    plan = pf.Assumptions(places=standing_now, projects=projects)
    return changed_hands(plan, YEARS, **options)


STANDING = {"public": 900.0, "private": 600.0}


@pytest.mark.parametrize("case", ["existing", "committed", "planned"])
@pytest.mark.parametrize("status", ["proposed", "delayed", "approved", "open"])
def test_r02_a_school_that_turns_public(
    status: str, case: Literal["existing", "committed", "planned"]
) -> None:
    """In every plan case, because its pupils come with it and demand knows no plan case."""
    plan = handed_over(status=status)
    table = schedule(plan, places_by_sector(**STANDING), case=case)
    assert of_ledger(table, "public") == [900, 900, 1200, 1200, 1200, 1200]
    assert of_ledger(table, "all") == [1500] * 6


@pytest.mark.parametrize("from_stage", [None, "junior"])
def test_the_stage_it_leaves_may_be_named(from_stage: str | None) -> None:
    plan = handed_over(from_stage=from_stage)
    table = schedule(plan, places_by_sector(**STANDING))
    assert of_ledger(table, "public") == [900, 900, 1200, 1200, 1200, 1200]
    assert len(hands_of(plan)) == 18


def test_a_cancelled_change_of_hands_never_happens() -> None:
    table = schedule(handed_over(status="cancelled"), places_by_sector(**STANDING))
    assert of_ledger(table, "public") == [900] * 6
    assert hands_of(handed_over(status="cancelled")).empty


def test_grade_by_grade_nothing_is_lost_on_the_way() -> None:
    """100 places of a grade each year from 2027 on; the school teaches its other grades still."""
    plan = handed_over(phase_in="by_grade")
    table = schedule(plan, places_by_sector(**STANDING))
    np.testing.assert_allclose(of_ledger(table, "public"), [900, 900, 1000, 1100, 1200, 1200])
    np.testing.assert_allclose(of_ledger(table, "all"), [1500] * 6)
    moved = hands_of(plan).groupby("grade")["places"].apply(list)
    assert moved["J1"] == [0, 0, 100, 100, 100, 100]
    assert moved["J3"] == [0, 0, 0, 0, 100, 100]


def test_r49_stage_and_sector_may_change_at_once() -> None:
    """Private kindergarten places become public primary ones: a change of supply, by plan case."""
    places = pd.concat(
        [standing(600, "kindergarten", sector="private"), standing(900, "primary", sector="public")]
    )
    plan = project(
        kind="conversion",
        stage="primary",
        from_stage="kindergarten",
        from_sector="private",
        sector="public",
        opens=2027,
    )
    table = schedule(plan, places)
    assert of_ledger(table, "public", "primary") == [900, 900, 1200, 1200, 1200, 1200]
    assert of_ledger(table, "all", "kindergarten") == [600, 600, 300, 300, 300, 300]
    assert of_ledger(schedule(plan, places, case="existing"), "public", "primary") == [900] * 6
    assert hands_of(plan, places).empty


def test_a_change_of_stage_needs_no_sectors() -> None:
    """Places that tell no sectors apart still tell stages apart."""
    places = pd.concat([standing(600, "kindergarten"), standing(900, "primary")])
    plan = handed_over(stage="primary", from_stage="kindergarten")
    assert of_ledger(schedule(plan, places), "all", "primary") == [900, 900, *[1200] * 4]


def test_a_school_that_closes_later_leaves_its_pupils_where_they_came() -> None:
    plan = handed_over(closes=2029)
    table = schedule(plan, places_by_sector(**STANDING))
    assert of_ledger(table, "public") == [900, 900, 1200, 1200, 900, 900]
    assert of_ledger(table, "all") == [1500, 1500, 1500, 1500, 1200, 1200]
    assert list(hands_of(plan).groupby("year")["places"].sum()) == [0, 0, 300, 300, 300, 300]


def test_more_than_stands_cannot_change_hands() -> None:
    message = r"take 33 places of J1 in A that do not exist \(sector private, 2027: East\)"
    with pytest.raises(pf.InputError, match=message):
        schedule(handed_over(places=300), places_by_sector(public=900, private=200))


# What changed hands.


def test_every_year_and_grade_by_hand() -> None:
    """300 junior places in 2027 and 90 more in 2029, evenly over three grades."""
    plan = pd.concat([handed_over(), handed_over(name="West", places=90.0, opens=2029)])
    table = hands_of(plan)
    assert list(table.columns) == COLUMNS
    assert set(zip(table["from_sector"], table["sector"], strict=True)) == {("private", "public")}
    for grade in ("J1", "J2", "J3"):
        own = table[table["grade"] == grade]
        assert list(own["year"]) == list(YEARS)
        assert list(own["places"]) == [0, 0, 100, 100, 130, 130]


def assert_supply_moves_with(moved: pd.DataFrame, plan: pd.DataFrame, places: pd.DataFrame) -> None:
    """Check that the public ledger gains, in each cell, what came to it less what left it."""
    before, after = (
        table[table["ledger"] == "public"].set_index(["district", "year", "grade"])["places"]
        for table in (schedule(None, places), schedule(plan, places))
    )
    sign = (moved["sector"] == "public").astype(int) - (moved["from_sector"] == "public").astype(
        int
    )
    net = (moved["places"] * sign).groupby([moved[k] for k in ("district", "year", "grade")]).sum()
    np.testing.assert_allclose(after - before, net.reindex(after.index), err_msg="public gain")


def test_what_changed_hands_is_what_supply_moves() -> None:
    """Section 2.5: conversion adds the same number to demand and supply."""
    places = pd.concat([places_by_sector(**STANDING), places_by_sector(**STANDING, purchased=90)])
    places["district"] = ["A", "A", "B", "B", "B"]
    plan = pd.concat(
        [
            handed_over(phase_in="by_grade"),
            handed_over(name="b", district="B", opens=2026, status="proposed"),
            handed_over(name="c", district="B", sector="purchased", places=60.0, opens=2028),
            handed_over(name="d", from_sector="public", sector="purchased", places=30.0),
        ]
    )
    moved = hands_of(plan, places)
    assert_supply_moves_with(moved, plan, places)
    wrong = moved.copy()
    first = wrong.index[wrong["places"] > 0][0]
    wrong["places"] = wrong["places"].where(wrong.index != first, wrong["places"] + 1)
    with pytest.raises(AssertionError, match="public gain"):
        assert_supply_moves_with(wrong, plan, places)


@pytest.mark.parametrize(
    "projects", [None, project(opens=2027, sector="public"), handed_over(status="cancelled")]
)
def test_without_a_change_the_table_is_empty(projects: pd.DataFrame | None) -> None:
    table = hands_of(projects)
    assert table.empty
    assert list(table.columns) == COLUMNS


def test_without_places_the_table_is_empty() -> None:
    assert changed_hands(pf.Assumptions(projects=handed_over()), YEARS).empty


def test_an_overdue_change_is_named_once_by_the_schedule() -> None:
    """Warnings are errors here: `changed_hands` says nothing, the schedule does."""
    plan = handed_over(opens=2025)
    assert hands_of(plan).empty
    with pytest.warns(pf.AssumptionWarning, match=r"1 should have happened by 2025.*\(East\)"):
        table = schedule(plan, places_by_sector(**STANDING))
    assert of_ledger(table, "public") == [900] * 6


def test_what_changed_hands_before_the_last_count_stands_in_it() -> None:
    assert hands_of(handed_over(opens=2025, status="open")).empty


def test_the_school_system_asked_for_holds() -> None:
    """A junior stage known as a total has one grade of three years."""
    system = school_grades(("J", "junior", 1, 12, 3, "population"))
    table = hands_of(handed_over(), grades=system)
    assert list(table["grade"]) == ["J"] * 6
    assert list(table["places"]) == [0, 0, 300, 300, 300, 300]


def test_doubling_schools_doubles_what_changes_hands() -> None:
    one = hands_of(handed_over())
    two = hands_of(pd.concat([handed_over(), handed_over(name="West")]))
    np.testing.assert_allclose(two["places"], 2 * one["places"])
