"""Tasks against plan, delivery and need: R11, R15, R19."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.tasks import compare_tasks, task_projects

if TYPE_CHECKING:
    from collections.abc import Mapping

TREE = pd.DataFrame(
    {
        "district": ["CITY", "D", "D-U", "D-R", "E"],
        "parent": [None, "CITY", "D", "D", "CITY"],
    }
)
GRADES = {"primary": [f"P{i}" for i in range(1, 7)], "junior": ["J1", "J2", "J3"]}
FIGURES = ["task", "planned", "delivered", "needed", "ahead"]


def task(stage: str = "compulsory", district: str = "D", **other: Any) -> pd.DataFrame:  # noqa: ANN401
    usual = {"district": district, "stage": stage, "year_from": 2022, "year_to": 2025}
    return pd.DataFrame([{**usual, "places": 9000.0, **other}])


def project(**other: Any) -> dict[str, Any]:  # noqa: ANN401
    usual = {"project": "East", "district": "D-U", "stage": "primary", "places": 900.0}
    what = {"kind": "new", "status": "open", "opens": 2023, "sector": "public"}
    return {**usual, **what, **other}


def plan(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows or (project(),))


def cells(
    by: Mapping[tuple[str, str], float], value: str, ledger: str = "public", year: int = 2025
) -> pd.DataFrame:
    """Spread the figure of a district and stage evenly over the grades of the stage."""
    rows = [
        (district, year, grade, stage, ledger, amount / len(GRADES[stage]))
        for (district, stage), amount in by.items()
        for grade in GRADES[stage]
    ]
    return pd.DataFrame(rows, columns=["district", "year", "grade", "stage", "ledger", value])


def standing(by: Mapping[tuple[str, str], float], **other: Any) -> pd.DataFrame:  # noqa: ANN401
    return cells(by, "places", **other).assign(plan_case="existing")


DEMAND = {
    ("D-U", "primary"): 6000.0,
    ("D-R", "primary"): 1200.0,
    ("D-U", "junior"): 3000.0,
    ("D-R", "junior"): 600.0,
}
STANDS = {
    ("D-U", "primary"): 3900.0,
    ("D-R", "primary"): 3000.0,
    ("D-U", "junior"): 2400.0,
    ("D-R", "junior"): 300.0,
}
"""The town is short of primary places and the country has them to spare."""


def compare(
    tasks: pd.DataFrame,
    projects: pd.DataFrame | None = None,
    demand: pd.DataFrame | None = None,
    places: pd.DataFrame | None = None,
) -> pd.DataFrame:
    demand = cells(DEMAND, "demand") if demand is None else demand
    places = standing(STANDS) if places is None else places
    return compare_tasks(tasks, projects, demand, places, districts=TREE)


def test_r15_the_compulsory_task_is_split_by_need_and_the_split_is_shown() -> None:
    # Town primary: 6000 - (3900 - 900 opened) = 3000 needed; country: 1200 - 3000, nothing.
    # Town junior: 3000 - 2400 = 600; country: 600 - 300 = 300. Primary : junior = 3000 : 900.
    found = compare(task(), plan()).set_index("stage")
    assert list(found.index) == ["compulsory", "primary", "junior"]
    assert set(found["of"]) == {"compulsory"}
    assert list(found["needed"]) == pytest.approx([3900, 3000, 900])
    assert list(found["share"]) == pytest.approx([1, 3000 / 3900, 900 / 3900])
    assert list(found["task"]) == pytest.approx([9000, 9000 * 3000 / 3900, 9000 * 900 / 3900])
    assert list(found["delivered"]) == [900, 900, 0]
    assert list(found["ahead"]) == pytest.approx(list(found["delivered"] - found["task"]))


def test_r57_need_is_never_netted_across_zones() -> None:
    # Netted, primary would need 7200 - (6900 - 900) = 1200; the town alone needs 3000.
    (needed,) = compare(task("primary"), plan())["needed"]
    assert needed == pytest.approx(3000)
    zones = [compare(task("primary", zone), plan())["needed"].iloc[0] for zone in ("D-U", "D-R")]
    assert sum(zones) == pytest.approx(needed)
    assert compare(task("primary", "CITY"), plan())["needed"].iloc[0] == pytest.approx(needed)


def assert_split_adds_up(found: pd.DataFrame) -> None:
    """Check that the stages of a combined task add up to it, and ahead = delivered - task."""
    for _, own in found.groupby(["district", "of", "year_from", "year_to"], sort=False):
        whole = own[own["stage"] == own["of"]]
        parts = own[own["stage"] != own["of"]]
        if len(parts):
            for name in FIGURES:
                assert parts[name].sum() == pytest.approx(whole[name].iloc[0]), name
            assert parts["share"].sum() == pytest.approx(1)
    assert list(found["ahead"]) == pytest.approx(list(found["delivered"] - found["task"]))


@pytest.mark.parametrize("column", ["share", *FIGURES])
def test_the_split_adds_up_and_a_changed_cell_is_noticed(column: str) -> None:
    conversion = project(
        project="Turn", kind="conversion", from_stage="primary", stage="junior", places=300.0
    )
    tasks = pd.concat([task(), task("primary", "D-U", places=100.0)])
    found = compare(tasks, plan(project(), conversion))
    assert_split_adds_up(found)
    found[column] = found[column].where(found.index != 1, found[column] + 1)
    with pytest.raises(AssertionError, match="comparison failed"):
        assert_split_adds_up(found)


def test_a_conversion_inside_a_task_adds_none_to_the_whole() -> None:
    row = project(kind="conversion", from_stage="primary", stage="junior", places=300.0)
    found = compare(task(), plan(row)).set_index("stage")
    assert list(found["delivered"]) == [0, -300, 300]
    alone = compare(task("junior"), plan(row))
    assert list(alone["delivered"]) == [300]
    bought = compare(task(), plan({**row, "from_sector": "private"})).set_index("stage")
    assert list(bought["delivered"]) == [300, 0, 300]


@pytest.mark.parametrize(
    ("change", "planned", "delivered"),
    [
        ({}, 900, 900),
        ({"status": "approved"}, 900, 0),
        ({"status": "under_construction"}, 900, 0),
        ({"status": "proposed"}, 900, 0),
        ({"status": "delayed"}, 900, 0),
        ({"status": "cancelled"}, 0, 0),
        ({"opened": 2025}, 900, 900),
        ({"opened": 2026}, 0, 0),
        ({"opens": 2021}, 0, 0),
        ({"opens": 2021, "opened": 2022}, 900, 900),
        ({"status": "approved", "opens": 2026}, 0, 0),
        ({"kind": "extension"}, 900, 900),
        ({"kind": "rebuild"}, 900, 900),
        ({"kind": "rebuild", "outage_from": 2022, "outage_to": 2022}, 0, 0),
        ({"kind": "temporary", "closes": 2030}, 0, 0),
        ({"kind": "closure", "opens": None, "closes": 2024}, 0, 0),
        ({"sector": "private"}, 0, 0),
        ({"sector": None}, 900, 900),
        ({"district": "E"}, 0, 0),
        ({"stage": "senior_general"}, 0, 0),
    ],
)
def test_r11_which_projects_count(change: dict[str, Any], planned: float, delivered: float) -> None:
    empty = dict.fromkeys(["opened", "outage_from", "outage_to", "closes"])
    found = compare(task("primary"), plan(project(**{**empty, **change})))
    assert list(found[["planned", "delivered"]].iloc[0]) == [planned, delivered]


def test_a_project_without_places_is_named_and_adds_nothing() -> None:
    rows = plan(project(), project(project="Blank", places=None, classes=12))
    text = r"projects: 1 that count for a task have no places .* \(Blank\)\. Give their places\."
    with pytest.warns(pf.AssumptionWarning, match=text):
        found = compare(task("primary"), rows)
    assert list(found["delivered"]) == [900]
    outside = plan(project(), project(project="Later", places=None, classes=12, opens=2030))
    assert list(compare(task("primary"), outside)["delivered"]) == [900]


@pytest.mark.parametrize("year_to", [2024, 2026])
def test_need_is_missing_where_the_last_year_is_not_forecast(year_to: int) -> None:
    found = compare(task(year_to=year_to), plan())
    assert found["needed"].isna().all()
    assert list(found["delivered"]) == [900, 900, 0]
    assert list(found["share"].isna()) == [False, True, True]
    assert list(found["task"].isna()) == [False, True, True]


def test_without_places_or_projects_the_need_is_missing() -> None:
    without = compare_tasks(task("primary"), plan(), cells(DEMAND, "demand"), None, districts=TREE)
    assert list(without["delivered"]) == [900]
    assert without["needed"].isna().all()
    unplanned = compare(task("primary"))
    assert unplanned[["planned", "delivered", "needed", "ahead"]].isna().all(axis=None)
    assert list(unplanned["task"]) == [9000]


def test_where_nothing_is_needed_there_is_no_split() -> None:
    found = compare(task(), plan(), demand=cells(dict.fromkeys(DEMAND, 0.0), "demand"))
    assert list(found["needed"]) == [0, 0, 0]
    assert list(found["share"].isna()) == [False, True, True]
    assert list(found["task"].isna()) == [False, True, True]


def test_the_public_ledger_is_judged_and_all_where_no_sector_is_known() -> None:
    both = pd.concat([cells(DEMAND, "demand"), cells(dict.fromkeys(DEMAND, 1e6), "demand", "all")])
    assert compare(task("primary"), plan(), both)["needed"].iloc[0] == pytest.approx(3000)
    apart = compare(
        task("primary"), plan(), cells(DEMAND, "demand", "all"), standing(STANDS, ledger="all")
    )
    assert apart["needed"].iloc[0] == pytest.approx(3000)
    half = both[(both["ledger"] == "all") | (both["district"] == "D-U")]
    assert np.isnan(compare(task("primary"), plan(), half)["needed"].iloc[0])


def test_a_hole_is_refused_and_named() -> None:
    demand = cells(DEMAND, "demand")
    hole = demand[~((demand["district"] == "D-R") & (demand["grade"] == "P4"))]
    text = r"places: and demand \(ledger public\) do not hold the same cells, first: D-R P4 2025\."
    with pytest.raises(pf.InputError, match=text):
        compare(task("primary"), plan(), hole)
    twice = pd.concat([demand, demand])
    with pytest.raises(pf.InputError, match="demand: repeats a cell: district D-U, grade P1"):
        compare(task("primary"), plan(), twice)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"district": "D-V"},
            "tasks, row 1, column district: 'D-V' is not a district of the table districts. "
            "Did you mean 'D-U'?",
        ),
        (
            {"stage": "secondary"},
            "tasks, row 1, column stage: 'secondary' is not a stage of the school system.",
        ),
        (
            {"year_to": 2020},
            "tasks, row 1, column year_to: '2020' is before year_from 2022. Correct one",
        ),
    ],
)
def test_a_task_that_cannot_be_is_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        compare(task(**change), plan())


def test_the_projects_of_a_task_are_listed() -> None:
    rows = plan(project(), project(project="West", status="approved", opens=2025))
    tasks = pd.concat([task(), task("primary", "CITY")])
    found = task_projects(tasks, rows, districts=TREE)
    assert list(found["district"]) == ["D", "D", "CITY", "CITY"]
    assert list(found["place"]) == ["D-U"] * 4
    assert list(found["status"]) == ["open", "approved"] * 2
    assert task_projects(tasks, None).empty


# A school that opens grade by grade: delivered in full, standing in part.

TABLES = pf.Assumptions(
    places=pd.DataFrame(
        {"district": ["D-U", "D-R"], "year": 2023, "stage": "primary", "places": [3000.0, 600.0]}
    )
)


@pytest.mark.parametrize(
    ("change", "stands"),
    [
        # Opened in 2024, after the last year counted: two of six grades by 2025.
        ({"opens": 2024, "phase_in": "by_grade"}, 300),
        ({"opens": 2023, "opened": 2025, "phase_in": "by_grade"}, 150),
        ({"opens": 2024, "phase_in": "all"}, 900),
        ({"opens": 2024, "phase_in": None}, 900),
        # Opened by the last year counted: the table of places holds it in full.
        ({"opens": 2023, "phase_in": "by_grade"}, 900),
        ({"opens": 2024, "phase_in": "by_grade", "closes": 2025}, 0),
    ],
)
def test_r11_what_stood_before_is_less_what_stands_of_a_new_school(
    change: dict[str, Any], stands: float
) -> None:
    """6000 in demand in town: needed is 6000 less the 3000 counted in 2023, whatever has opened."""
    empty = dict.fromkeys(["opened", "closes", "phase_in"])
    schools = plan({**project(), **empty, **change})
    counted = TABLES.places
    assert counted is not None
    before = 3000 - (900 if change["opens"] == 2023 and "opened" not in change else 0)
    tables = pf.Assumptions(places=counted.assign(sector="public"), projects=schools)
    places = pf.schedule_places(tables, [2025], case="existing")
    found = compare_tasks(
        task("primary"),
        schools,
        cells({("D-U", "primary"): 6000.0, ("D-R", "primary"): 600.0}, "demand"),
        places,
        districts=TREE,
        assumptions=tables,
    )
    assert list(found["delivered"]) == [900]
    assert list(found["needed"]) == pytest.approx([6000 - before])
    town = places[(places["district"] == "D-U") & (places["ledger"] == "public")]["places"].sum()
    assert town == pytest.approx(before + stands)


def test_a_school_that_fills_is_named_where_the_places_counted_are_not_given() -> None:
    schools = plan(project(opens=2024, phase_in="by_grade"))
    text = (
        r"projects: 1 that open by grade are not full by 2025 and are taken to stand in full in "
        r"places \(East\)\. Give assumptions, with the table of places\."
    )
    with pytest.warns(pf.AssumptionWarning, match=text):
        found = compare(task("primary"), schools)
    assert list(found["needed"]) == pytest.approx([6000 - (3900 - 900)])
    full = plan(project(opens=2022, phase_in="by_grade"))
    assert list(compare(task("primary", year_to=2027), full)["delivered"]) == [900]
    assert list(
        compare_tasks(
            task("primary"),
            schools,
            cells(DEMAND, "demand"),
            standing(STANDS),
            districts=TREE,
            assumptions=TABLES,
        )["needed"]
    ) == pytest.approx([6000 - (3900 - 300)])
