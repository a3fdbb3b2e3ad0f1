"""The schedule of places: what stands, and what each kind of project brings or takes, by hand."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.derive import derived_places
from plans import YEARS, project, schedule, standing
from schools import grades, pupils, region

Case = Literal["existing", "committed", "planned"]


def by_year(table: pd.DataFrame, stage: str = "junior", **keys: str) -> list[float]:
    """Return the places of a stage in each year, of everybody unless another ledger is named."""
    rows = table[table["stage"] == stage]
    for key, label in {"ledger": "all", **keys}.items():
        rows = rows[rows[key] == label]
    return list(rows.groupby("year")["places"].sum())


def close(actual: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-9)


# What stands.


def test_the_last_year_is_carried_forward_evenly_over_grades() -> None:
    two_years = pd.concat([standing(600).assign(year=2024), standing(900)])
    plan = pf.Assumptions(places=two_years)
    table = pf.schedule_places(plan, range(2024, 2028))
    columns = ["district", "year", "grade", "stage", "ledger", "plan_case", "places"]
    assert list(table.columns) == columns
    for grade in ("J1", "J2", "J3"):
        close(list(table.loc[table["grade"] == grade, "places"]), [200, 300, 300, 300])
    assert set(table["ledger"]) == {"all"}
    assert set(table["plan_case"]) == {"planned"}


def test_places_given_by_grade_stay_in_their_grade() -> None:
    by_grade = pd.concat([standing(n, grade=g) for g, n in (("J1", 100), ("J2", 250), ("J3", 0))])
    table = schedule(None, by_grade)
    assert list(table.query("year == 2030")["places"]) == [100, 250, 0]


def test_stage_totals_of_several_years_are_spread_by_their_years() -> None:
    """600 primary places: 100 for the year of P1, 500 for the five years of P2_6."""
    system = grades(("P1", "primary", 1, 6, 1, "population"), ("P2_6", "primary", 2, 7, 5, "P1"))
    table = schedule(None, standing(600, "primary"), grades=system)
    assert list(table.query("year == 2025")["places"]) == [100, 500]


def test_ledgers_by_sector() -> None:
    parts = (("public", 600), ("private_inclusive", 90), ("private", 60), ("purchased", 30))
    sectors = pd.concat([standing(n, sector=s) for s, n in parts])
    private = project(sector="private", status="open", opens=2027)
    table = schedule(pd.concat([project("West", sector="public", opens=2028), private]), sectors)
    close(by_year(table), [780, 780, 1080, 1380, 1380, 1380])
    close(by_year(table, ledger="public"), [600, 600, 600, 900, 900, 900])


def test_without_special_sectors_the_table_is_as_ever() -> None:
    """Row by row: 90 public and 30 private places of three grades; nothing but all and public."""
    sectors = pd.concat([standing(90, sector="public"), standing(30, sector="private")])
    table = pf.schedule_places(pf.Assumptions(places=sectors), [2025, 2026])
    rows = [
        ("A", year, grade, "junior", ledger, "planned", places)
        for ledger, places in (("all", 40.0), ("public", 30.0))
        for year in (2025, 2026)
        for grade in ("J1", "J2", "J3")
    ]
    expected = pd.DataFrame(rows, columns=list(table.columns))
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_r01_inclusive_kindergartens_are_a_ledger_of_their_own() -> None:
    """1,000 public, 600 inclusive and 200 other private; a public primary school has no such."""
    parts = (("public", 1000), ("private_inclusive", 600), ("private", 200))
    sectors = [standing(n, "kindergarten", sector=s) for s, n in parts]
    primary = [standing(n, "primary", sector=s) for s, n in (("public", 500), ("private", 50))]
    table = schedule(None, pd.concat([*sectors, *primary]))
    for ledger, places in (("all", 1800), ("public", 1000), ("inclusive", 1600)):
        close(by_year(table, "kindergarten", ledger=ledger), [places] * 6)
    assert set(table.loc[table["stage"] == "primary", "ledger"]) == {"all", "public"}
    close(by_year(table, "primary", ledger="public"), [500] * 6)


def test_r02_purchased_places_are_a_ledger_of_the_stage_that_has_them() -> None:
    """Bought in one district from 2028 on, if proposed; the ledger is there in every case."""
    both = pd.concat(
        [standing(n, s, sector="public") for s, n in (("primary", 90), ("junior", 60))]
    )
    places = pd.concat([both, both.assign(district="B")])
    bought = project(sector="purchased", opens=2028, status="proposed", places=30)
    planned, existing = (schedule(bought, places, case=case) for case in ("planned", "existing"))
    close(by_year(planned, ledger="public_with_purchased"), [*[120] * 3, *[150] * 3])
    close(by_year(existing, ledger="public_with_purchased"), [120] * 6)
    close(by_year(planned, ledger="public"), [120] * 6)
    close(by_year(planned, "primary", ledger="public_with_purchased"), [])
    districts = planned.loc[planned["ledger"] == "public_with_purchased", "district"]
    assert set(districts) == {"A", "B"}


def test_an_inclusive_sector_of_another_stage_makes_no_ledger() -> None:
    sectors = pd.concat(standing(90, sector=s) for s in ("public", "private_inclusive"))
    assert set(schedule(None, sectors)["ledger"]) == {"all", "public"}


@pytest.mark.parametrize(
    ("stage", "grade", "expected"),
    [
        ("kindergarten", None, 300.0),
        ("kindergarten", "K1", 250.0),
        ("kindergarten", "K3", 350.0),
        ("primary", None, 450.0),
        ("junior", "J2", 500.0),
        ("senior_general", None, 500.0),
        ("special", None, 100.0),
    ],
)
def test_classes_times_the_shipped_class_size(
    stage: str, grade: str | None, expected: float
) -> None:
    classes = standing(stage=stage, grade=[grade]).drop(columns="places").assign(classes=10.0)
    taught = pupils({"P1": [100]}, 2025)
    assumptions = pf.estimate(region(taught, places=classes))
    table = pf.schedule_places(assumptions, [2025])
    close([table["places"].sum()], [expected])


def test_the_regions_own_class_size_comes_first() -> None:
    """A class size of the whole stage leaves the shipped one of a grade as it is."""
    classes = pd.concat(
        [standing(stage=s).drop(columns="places") for s in ("junior", "primary")]
    ).assign(classes=10.0)
    own = pd.DataFrame(
        {
            "district": ["A", None],
            "stage": ["primary", "junior"],
            "indicator": "class_size",
            "value": [40.0, 48.0],
        }
    )
    inputs = region(pupils({"P1": [100]}, 2025), places=classes, standards=own)
    table = pf.schedule_places(pf.estimate(inputs), [2025])
    close(by_year(table), [480])
    close(by_year(table, "primary"), [400])


def test_places_and_classes_row_by_row() -> None:
    mixed = pd.concat(
        [
            standing(130, grade="J1").assign(classes=None),
            standing(None, grade="J2").assign(classes=3.0),
        ]
    )
    size = pd.DataFrame({"indicator": ["class_size"], "value": [50.0]})
    table = pf.schedule_places(pf.Assumptions(places=mixed, standards=size), [2025])
    assert list(table["places"]) == [130, 150]


# Each kind of project; 900 junior places stand.

BEFORE_AND_AFTER = [
    # A new school, an extension, places at a standing school.
    ({"kind": "new", "opens": 2027}, [900, 900, 1200, 1200, 1200, 1200]),
    ({"kind": "extension", "opens": 2026}, [900, 1200, 1200, 1200, 1200, 1200]),
    # A date up to 30 September counts for the school year that has just begun.
    ({"opens": "2027-09-30"}, [900, 900, 1200, 1200, 1200, 1200]),
    ({"opens": "2027-10-01"}, [900, 900, 900, 1200, 1200, 1200]),
    ({"opens": "2027-03"}, [900, 900, 1200, 1200, 1200, 1200]),
    # A project that is open counts from the year it opened in, whatever was planned.
    ({"status": "open", "opens": 2026, "opened": 2028}, [900, 900, 900, 1200, 1200, 1200]),
    ({"opens": 2026, "opened": 2028}, [900, 1200, 1200, 1200, 1200, 1200]),
    # Temporary places go in the year named.
    ({"kind": "temporary", "opens": 2026, "closes": 2028}, [900, 1200, 1200, 900, 900, 900]),
    ({"kind": "temporary", "opens": 2026, "closes": "2028-10-15"}, [900, *[1200] * 3, 900, 900]),
    # Rebuilding: away, and back after the outage; without an outage the work adds places.
    (
        {"kind": "rebuild", "opens": 2028, "outage_from": 2026, "outage_to": 2027},
        [900, 600, 600, 900, 900, 900],
    ),
    (
        {"kind": "refit", "opens": 2027, "outage_from": "2026-07-01", "outage_to": "2027-08-31"},
        [900, 600, 900, 900, 900, 900],
    ),
    ({"kind": "rebuild", "opens": 2028}, [900, 900, 900, 1200, 1200, 1200]),
    ({"kind": "refit", "opens": 2028}, [900, 900, 900, 1200, 1200, 1200]),
    # An outage that has begun is in the table of places; the places come back.
    (
        {"kind": "rebuild", "opens": 2027, "outage_from": 2024, "outage_to": 2026},
        [900, 900, 1200, 1200, 1200, 1200],
    ),
    # A closure takes its places away.
    ({"kind": "closure", "closes": 2028}, [900, 900, 900, 600, 600, 600]),
    ({"kind": "closure", "closes": "2028-09-01"}, [900, 900, 900, 600, 600, 600]),
    # What opened or went by the last year of places is already in it.
    ({"status": "open", "opens": 2025}, [900] * 6),
    ({"status": "open", "kind": "closure", "closes": 2025}, [900] * 6),
    (
        {"status": "open", "kind": "temporary", "opens": 2024, "closes": 2027},
        [900, 900, 600, 600, 600, 600],
    ),
]


@pytest.mark.parametrize(("columns", "expected"), BEFORE_AND_AFTER)
def test_each_kind_by_hand(columns: dict[str, Any], expected: list[float]) -> None:
    close(by_year(schedule(project(**columns))), expected)


def test_a_conversion_moves_places_between_stages() -> None:
    """Evenly: 300 of six primary grades, 100 to each junior grade."""
    both = pd.concat([standing(), standing(1800, "primary")])
    plan = project(kind="conversion", opens=2027, from_stage="primary")
    table = schedule(plan, both)
    close(by_year(table, "primary"), [1800, 1800, 1500, 1500, 1500, 1500])
    close(by_year(table), [900, 900, 1200, 1200, 1200, 1200])
    close(list(table.query("grade == 'P4'")["places"]), [300, 300, 250, 250, 250, 250])


def places_of(table: pd.DataFrame) -> dict[str, list[float]]:
    return {str(grade): list(rows["places"]) for grade, rows in table.groupby("grade")}


def test_a_school_opens_grade_by_grade() -> None:
    found = places_of(schedule(project(opens=2026, phase_in="by_grade")))
    close(found["J1"], [300, 400, 400, 400, 400, 400])
    close(found["J2"], [300, 300, 400, 400, 400, 400])
    close(found["J3"], [300, 300, 300, 400, 400, 400])


def test_a_total_of_several_years_fills_year_by_year() -> None:
    """600 places: 100 in P1, and of the 500 of P2_6 a fifth more each year from 2027 on."""
    system = grades(("P1", "primary", 1, 6, 1, "population"), ("P2_6", "primary", 2, 7, 5, "P1"))
    plan = project(stage="primary", places=600, opens=2026, phase_in="by_grade")
    found = places_of(schedule(plan, standing(600, "primary"), grades=system))
    close(found["P1"], [100, 200, 200, 200, 200, 200])
    close(found["P2_6"], [500, 500, 600, 700, 800, 900])


def test_a_school_that_closes_while_it_fills_takes_only_what_has_opened() -> None:
    plan = project(kind="temporary", opens=2026, closes=2028, phase_in="by_grade", stage="primary")
    found = places_of(schedule(plan, standing(1800, "primary")))
    close(found["P1"], [300, 350, 350, 300, 300, 300])
    close(found["P2"], [300, 300, 350, 300, 300, 300])
    for grade in ("P3", "P4", "P5", "P6"):
        close(found[grade], [300] * 6)


# Places that are not given.

NORMS = pd.DataFrame(
    {
        "district": [None, "A", None, None],
        "stage": ["special", "junior", "junior", "special"],
        "indicator": ["class_size", "class_size", "area_per_place", "area_per_place"],
        "value": [10.0, 48.0, 12.0, 42.5],
    }
)


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        ({"classes": 6.0}, 288.0),
        ({"floor_area": 3600.0}, 300.0),
        ({"classes": 6.0, "floor_area": 3600.0}, 288.0),
        ({"places": 250.0, "classes": 6.0, "floor_area": 3600.0}, 250.0),
        # R45: a special school of 27 classes and 12,800 m2.
        ({"stage": "special", "classes": 27.0, "floor_area": 12800.0}, 270.0),
        ({"stage": "special", "floor_area": 12750.0}, 300.0),
    ],
)
def test_r52_r54_places_from_classes_or_area(columns: dict[str, Any], places: float) -> None:
    plan = project(opens=2027, **{"places": None, **columns})
    derived = derived_places(plan, NORMS)
    assert list(derived["places"]) == [places]
    assert list(derived["estimated"]) == [columns.get("places") is None]
    stage = str(plan["stage"].iloc[0])
    table = pf.schedule_places(
        pf.Assumptions(places=standing(stage=stage), projects=plan, standards=NORMS), YEARS
    )
    close(by_year(table, stage), [900, 900, *[900 + places] * 4])


def test_r52_the_column_of_places_may_be_left_out() -> None:
    plan = project(opens=2027, classes=10.0).drop(columns="places")
    derived = derived_places(plan, NORMS)
    assert list(derived.columns) == [*plan.columns, "places", "estimated"]
    assert list(derived["places"]) == [480.0]
    assert "places" not in plan.columns


def test_the_standard_of_the_opening_year_holds() -> None:
    sizes = pd.DataFrame({"year": [2026, 2027], "indicator": "class_size", "value": [50.0, 45.0]})
    plan = project(opens=2027, classes=10.0, places=None)
    assert list(derived_places(plan, sizes)["places"]) == [450.0]


@pytest.mark.parametrize("places", [None, 270.0])
def test_r53_equipment_adds_nothing(places: float | None) -> None:
    """Neither places nor a ledger, and it is not overdue."""
    plan = project(kind="equipment", places=places, opens=2024)
    bare = schedule(None)
    pd.testing.assert_frame_equal(schedule(plan), bare, check_exact=True)
    pd.testing.assert_frame_equal(schedule(plan.drop(columns="opens")), bare, check_exact=True)
    assert list(derived_places(plan, None)["places"]) == [0.0]


# Plan cases.


@pytest.mark.parametrize(
    ("status", "cases"),
    [
        ("open", {"existing", "committed", "planned"}),
        ("under_construction", {"committed", "planned"}),
        ("approved", {"committed", "planned"}),
        ("proposed", {"planned"}),
        ("delayed", {"planned"}),
        ("cancelled", set()),
    ],
)
@pytest.mark.parametrize("case", ["existing", "committed", "planned"])
def test_a_case_counts_projects_by_status(status: str, cases: set[str], case: Case) -> None:
    table = schedule(project(status=status, opens=2027), case=case)
    after = 1200 if case in cases else 900
    close(by_year(table), [900, 900, after, after, after, after])
    assert set(table["plan_case"]) == {case}


def test_every_case_has_the_same_cells() -> None:
    """A stage that is only planned stands at 0 in the other cases."""
    plan = project(stage="senior_general", status="proposed", opens=2027)
    existing, planned = (
        schedule(plan, case=case)[["district", "year", "grade", "ledger"]]
        for case in ("existing", "planned")
    )
    pd.testing.assert_frame_equal(existing, planned)
    close(by_year(schedule(plan, case="existing"), "senior_general"), [0.0] * 6)


def test_without_projects_planned_is_existing_to_the_last_bit() -> None:
    rng = np.random.default_rng(4)
    parts = [
        standing(float(rng.uniform(100, 999)), stage).assign(district=d, sector=s)
        for d in ("A", "B")
        for stage in ("primary", "junior")
        for s in ("public", "private")
    ]
    places = pd.concat(parts)
    existing, planned = (schedule(None, places, case=case) for case in ("existing", "planned"))
    same = planned.assign(plan_case="existing")
    pd.testing.assert_frame_equal(existing, same, check_exact=True)
    nothing = schedule(project(status="cancelled", opens=2027, sector="public"), places)
    pd.testing.assert_frame_equal(nothing, planned, check_exact=True)
    more = schedule(project(opens=2027, sector="public", places=1e-9), places)
    with pytest.raises(AssertionError, match="are different"):
        pd.testing.assert_frame_equal(more, planned, check_exact=True)


def test_the_order_of_rows_changes_nothing() -> None:
    plan = pd.concat([project("a", opens=2027), project("b", kind="closure", closes=2029)])
    places = pd.concat([standing(), standing(1800, "primary")])
    one, other = schedule(plan, places), schedule(plan[::-1], places[::-1])
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# What should have happened by now.


@pytest.mark.parametrize(
    "columns",
    [
        {"opens": 2025},
        {"opens": 2024, "status": "delayed"},
        {"kind": "closure", "closes": 2025},
        {"kind": "temporary", "opens": 2025, "closes": 2027},
        {"kind": "temporary", "opens": 2025, "closes": 2027, "phase_in": "by_grade"},
    ],
)
def test_an_overdue_project_warns_and_moves_nothing(columns: dict[str, Any]) -> None:
    """Nothing of it follows either: places that never came do not go."""
    message = r"projects: 1 should have happened by 2025, .* and are not open; .* \(East\)\. Give"
    with pytest.warns(pf.AssumptionWarning, match=message):
        table = schedule(project(**columns))
    close(by_year(table), [900] * 6)
