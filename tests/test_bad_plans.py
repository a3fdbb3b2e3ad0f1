"""R03 and plans that cannot be: each is told once, in a region that is read and in one by hand."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from regions import added, assert_refused, assert_refused_by_commands, error_text, region_with

if TYPE_CHECKING:
    from pathlib import Path

HEADING = (
    "project,stage,district,sector,places,kind,status,opens,starts,closes,outage_from,outage_to,"
    "from_stage"
)
PRIVATE = (
    "column sector: 'private' is private in a compulsory stage (project P). "
    "New private compulsory schools are not approved: cancel it or change the sector."
)
ELSEWHERE = (
    "column outage_from: '2027' is filled in a project that is no rebuild or refit (project P). "
    "List the places that are away as a project of kind rebuild or refit."
)

Told = tuple[tuple[int, str], ...]
"""Which of the rows added are told (from 0) and what; {0} is the number of the first row."""

PLANS: dict[str, tuple[tuple[str, ...], Told]] = {
    "it opens before it starts": (
        ("P,primary,A,public,90,new,approved,2026,2027,,,,",),
        (
            (
                0,
                ", column opens: '2026' is before starts (project P). "
                "A project cannot open before it starts: correct one of the two.",
            ),
        ),
    ),
    "it opens before it starts, by dates": (
        # Opening on 1 September 2026 counts for 2026, building begun in October 2026 for 2027.
        ("P,primary,A,public,90,new,approved,2026-09-01,2026-10-15,,,,",),
        (
            (
                0,
                ", column opens: '2026' is before starts (project P). "
                "A project cannot open before it starts: correct one of the two.",
            ),
        ),
    ),
    "a conversion without the stage that receives": (
        ("P,,A,public,90,conversion,approved,2026,,,,,primary",),
        ((0, ", column stage: is blank. Fill it."),),
    ),
    "a conversion without the stage that gives": (
        ("P,primary,A,public,90,conversion,approved,2026,,,,,",),
        (
            (
                0,
                ", column from_stage: is blank in a conversion (project P). "
                "Name the stage that the places leave; stage is the one that receives them.",
            ),
        ),
    ),
    "two projects of one name and stage": (
        (
            "P,primary,A,public,90,new,approved,2026,,,,,",
            "P,primary,B,public,60,extension,approved,2027,,,,,",
        ),
        ((1, ": repeats row {0} (project P, stage primary). Keep one of the two rows."),),
    ),
    "a private primary school": (
        ("P,primary,A,private,90,new,approved,2026,,,,,",),
        ((0, f", {PRIVATE}"),),
    ),
    "a private nine-year school": (
        (
            "P,primary,A,private,540,new,approved,2026,,,,,",
            "P,junior,A,private,300,new,approved,2026,,,,,",
        ),
        ((0, f", {PRIVATE}"), (1, f", {PRIVATE}")),
    ),
    "a private twelve-year school": (
        # Its senior part alone may be.
        (
            "P,primary,A,private,540,new,proposed,2026,,,,,",
            "P,junior,A,private,300,new,proposed,2026,,,,,",
            "P,senior_general,A,private,300,new,proposed,2026,,,,,",
        ),
        ((0, f", {PRIVATE}"), (1, f", {PRIVATE}")),
    ),
    "a private complete secondary school": (
        (
            "P,senior_general,A,private,300,new,delayed,2026,,,,,",
            "P,junior,A,private,300,extension,delayed,2026,,,,,",
        ),
        ((1, f", {PRIVATE}"),),
    ),
    "equipment with an outage": (
        ("P,primary,A,public,,equipment,approved,2026,,,2027,2027,",),
        ((0, f", {ELSEWHERE}"),),
    ),
    "a new school with an outage": (
        ("P,primary,A,public,90,new,approved,2026,,,2027,2027,",),
        ((0, f", {ELSEWHERE}"),),
    ),
    "equipment that converts": (
        ("P,primary,A,public,,equipment,approved,2026,,,,,junior",),
        (
            (
                0,
                ", column from_stage: 'junior' is filled in a project that is no conversion "
                "(project P). Leave it blank, or make the kind conversion.",
            ),
        ),
    ),
}


def told_from(told: Told, file: str, first: int) -> list[str]:
    return [f"{file}, row {first + at}{text.format(first)}" for at, text in told]


def assumptions(*rows: str) -> pf.Assumptions:
    """Return 540 public primary places of A in 2024, and the plan."""
    projects = pd.DataFrame(list(csv.DictReader(io.StringIO("\n".join([HEADING, *rows])))))
    stands = {"district": "A", "year": [2024], "stage": "primary", "sector": "public"}
    return pf.Assumptions(places=pd.DataFrame({**stands, "places": 540}), projects=projects)


def scheduled(*rows: str) -> pd.Series[float]:
    places = pf.schedule_places(assumptions(*rows), range(2024, 2029))
    return places[places["ledger"] == "all"].groupby("year")["places"].sum()


@pytest.mark.parametrize(("rows", "told"), PLANS.values(), ids=PLANS)
def test_a_plan_that_is_read(rows: tuple[str, ...], told: Told, tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", added("projects.csv", *rows))
    assert_refused(region, *told_from(told, "projects.csv", 3))


@pytest.mark.parametrize(("rows", "told"), PLANS.values(), ids=PLANS)
def test_a_plan_by_hand(rows: tuple[str, ...], told: Told) -> None:
    text = error_text(*told_from(told, "projects", 1))
    with pytest.raises(pf.InputError, match=f"^{re.escape(text)}$"):
        scheduled(*rows)


def test_every_fault_of_a_plan_is_told_at_once(tmp_path: Path) -> None:
    single = [(rows[0], told) for rows, told in PLANS.values() if len(rows) == 1]
    rows = [row.replace("P,", f"P{number},", 1) for number, (row, _) in enumerate(single)]
    lines = [
        f"projects.csv, row {number + 3}{text.replace('(project P)', f'(project P{number})')}"
        for number, (_, told) in enumerate(single)
        for _, text in told
    ]
    blank = [line for line in lines if "column stage" in line]
    lines = [*blank, *(line for line in lines if line not in blank)]
    region = region_with(tmp_path / "region", added("projects.csv", *rows))
    assert_refused_by_commands(region, *lines)


@pytest.mark.parametrize(
    "row",
    [
        "P,primary,A,public,,equipment,approved,2026,,,,,",
        "P,primary,A,public,,equipment,approved,,,,,,",
        "P,primary,A,public,90,equipment,approved,2026,2025,2027,,,",
        "P,primary,A,private,,equipment,approved,2026,,,,,",
    ],
)
def test_r53_equipment_may_have_a_year_and_adds_no_places(row: str, tmp_path: Path) -> None:
    """Whatever it names; a private school may buy equipment."""
    projects = pf.read_inputs(region_with(tmp_path / "region", added("projects.csv", row))).projects
    assert projects is not None
    assert list(projects["project"]) == ["East", "P"]
    assert list(scheduled(row)) == [540.0] * 5


# A closure of places that do not exist: lawful row by row, told when the places are scheduled.

CLOSURES: dict[str, tuple[tuple[str, ...], str]] = {
    "more than stands": (
        # 540 + 60 - 660 over six grades: 10 are lacking in each.
        (
            "P,primary,A,public,660,closure,approved,,,2026,,,",
            "Q,primary,A,public,60,new,approved,2025,,,,,",
        ),
        "take 10 places of P1 in A that do not exist (sector public, 2026: P)",
    ),
    "before the school that would fill it opens": (
        (
            "P,primary,A,public,660,closure,approved,,,2026,,,",
            "Q,primary,A,public,600,new,approved,2027,,,,,",
        ),
        "take 20 places of P1 in A that do not exist (sector public, 2026: P)",
    ),
    "a stage without places": (
        ("P,junior,A,public,60,closure,approved,,,2026,,,",),
        "take 20 places of J1 in A that do not exist (sector public, 2026: P)",
    ),
    "a sector without places": (
        ("P,primary,A,private,60,closure,approved,,,2026,,,",),
        "take 10 places of P1 in A that do not exist (sector private, 2026: P)",
    ),
    "a district without places": (
        ("P,primary,B,public,60,closure,approved,,,2026,,,",),
        "take 10 places of P1 in B that do not exist (sector public, 2026: P)",
    ),
    "two that are too much together": (
        (
            "P,primary,A,public,300,closure,approved,,,2026,,,",
            "Q,primary,A,public,300,closure,approved,,,2027,,,",
        ),
        "take 10 places of P1 in A that do not exist (sector public, 2027: P, Q)",
    ),
}
REMEDY = "Correct the places of the closure, outage or conversion, or add what stands."


@pytest.mark.parametrize(("rows", "told"), CLOSURES.values(), ids=CLOSURES)
def test_a_closure_of_places_that_do_not_exist(rows: tuple[str, ...], told: str) -> None:
    """The district, grade, sector, year, number lacking and projects; P1 says the stage."""
    text = error_text(f"projects, column places: {told}. {REMEDY}")
    with pytest.raises(pf.InputError, match=f"^{re.escape(text)}$"):
        scheduled(*rows)


def test_a_forecast_says_the_same_of_a_closure(tmp_path: Path) -> None:
    """The region has 540 places and 90 more from 2026 on: 120 are lacking."""
    row = "P,primary,A,public,750,closure,approved,,,2026,,,"
    inputs = pf.read_inputs(region_with(tmp_path / "region", added("projects.csv", row)))
    told = "take 20 places of P1 in A that do not exist (sector public, 2026: P)"
    text = error_text(f"projects, column places: {told}. {REMEDY}")
    with pytest.raises(pf.InputError, match=f"^{re.escape(text)}$"):
        pf.forecast(inputs)


def test_a_closure_of_all_that_stands_is_lawful() -> None:
    found = scheduled("P,primary,A,public,540,closure,approved,,,2026,,,")
    assert list(found) == [540, 540, 0, 0, 0]
