"""What a planner is told of a cell, of a name that no table knows, and of a plan that cannot be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from regions import (
    GRADES,
    added,
    assert_refused,
    cell,
    column,
    error_text,
    gone,
    line,
    region_with,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path

    from regions import Fault

DIGITS = "Give a number of births in digits, without text or commas."
DAY = "Write 2027, 2027-09 or 2027-09-01."

NUMBERS = {
    "1,034": f"is not a number. {DIGITS}",
    "1_034": f"is not a number. {DIGITS}",
    "93人": f"is not a number. {DIGITS}",
    "—": f"is not a number. {DIGITS}",
    "NA": f"is not a number. {DIGITS}",
    "#DIV/0!": f"is not a number. {DIGITS}",
    "0x10": f"is not a number. {DIGITS}",
    "85%": f"is a percent. {DIGITS}",
    "nan": "is not a finite number. Give a number, or leave the row out if unknown.",
    "inf": "is not a finite number. Give a number, or leave the row out if unknown.",
    "-0.5": "is below 0. Give a number of births from 0 up.",
}
YEARS = {
    "2012年": "is not a year. Give the year in four digits.",
    "2012-2013": "is not a year. Give the year in four digits.",
    "2012.5": "is not a year. Give the year in four digits.",
    "1e400": "is not a year. Give the year in four digits.",
    "12": "is not a year. Give a year from 1900 to 2200.",
}
DAYS = dict.fromkeys(
    ("1 Sep 2026", "46266", "202609", "2026-13-01", "2026-9-31", "Sep-26", "soon"),
    f"is neither a school year nor a date. {DAY}",
)


@pytest.mark.parametrize(("text", "told"), NUMBERS.items())
def test_a_number_that_is_none(text: str, told: str, tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", cell("births.csv", 6, "births", text))
    assert_refused(region, f"births.csv, row 6, column births: {text!r} {told}")


@pytest.mark.parametrize(("text", "told"), YEARS.items())
def test_a_year_that_is_none(text: str, told: str, tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", cell("births.csv", 6, "year", text))
    assert_refused(region, f"births.csv, row 6, column year: {text!r} {told}")


@pytest.mark.parametrize(("text", "told"), DAYS.items())
def test_a_day_that_is_none(text: str, told: str, tmp_path: Path) -> None:
    """It is told once, and not also as a blank cell of the plan."""
    region = region_with(tmp_path / "region", cell("projects.csv", 2, "opens", text))
    assert_refused(region, f"projects.csv, row 2, column opens: {text!r} {told}")


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("2026/9/1", 2026),
        ("2026/10/1", 2027),
        ("2026-09-30", 2026),
        ("2026-10-01 00:00:00", 2027),
        ("2026/9/1 0:00", 2026),
        ("2026.9", 2026),
        ("2026.10", 2027),
        ("2026年9月1日", 2026),
        ("2026年10月", 2027),
        ("2026年", 2026),
    ],
)
def test_a_day_as_spreadsheets_write_it(text: str, opens: int, tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", cell("projects.csv", 2, "opens", text))
    projects = pf.read_inputs(region).projects
    assert projects is not None
    assert list(projects["opens"]) == [opens]


VALUES: dict[str, Fault] = {
    "a rate per thousand": (
        (cell("fertility.csv", 7, "asfr", "60"),),
        "fertility.csv, row 7, column asfr: '60' is above 1. "
        "Give a number of births per woman up to 1. If it is per 1,000, write 0.06.",
    ),
    "a ratio per hundred": (
        (whole("sex_ratio_at_birth.csv", "ratio\n111\n"),),
        "sex_ratio_at_birth.csv, row 2, column ratio: '111' is above 1.5. "
        "Give a number up to 1.5. If it is per 100, write 1.11.",
    ),
    "an unknown grade": (
        (cell("enrolment.csv", 14, "grade", "Q7"),),
        "enrolment.csv, row 14, column grade: 'Q7' is not a grade of the school system. "
        "Known: J1, J2, J3, K1, K2, K3, P1, P2, P3, P4, P5, P6 and 7 more.",
    ),
    "an unknown stage": (
        (cell("places.csv", 2, "stage", "primry"),),
        "places.csv, row 2, column stage: 'primry' is not a stage of the school system. "
        "Did you mean 'primary'?",
    ),
    "a combined stage where only stages go": (
        (cell("places.csv", 2, "stage", "compulsory"),),
        "places.csv, row 2, column stage: 'compulsory' is not a stage of the school system. "
        "Known: junior, kindergarten, primary, senior_general, senior_vocational, special.",
    ),
    "an unknown sector": (
        (cell("enrolment.csv", 2, "sector", "Public"),),
        "enrolment.csv, row 2, column sector: 'Public' is not a sector. Did you mean 'public'?",
    ),
    "a sector in Chinese": (
        (cell("enrolment.csv", 2, "sector", "公办"),),
        "enrolment.csv, row 2, column sector: '公办' is not a sector. Write public.",
    ),
    "a sex in Chinese": (
        (cell("population.csv", 9, "sex", "女"),),
        "population.csv, row 9, column sex: '女' is not a sex. Write female.",
    ),
    "an unknown status": (
        (cell("projects.csv", 2, "status", "aproved"),),
        "projects.csv, row 2, column status: 'aproved' is not a status. Did you mean 'approved'?",
    ),
    "an unknown indicator": (
        (whole("policy.csv", "indicator,year,value\npublicshare,2024,0.5\n"),),
        "policy.csv, row 2, column indicator: 'publicshare' is not an indicator. "
        "Did you mean 'public_share'?",
    ),
    "a blank key": (
        (cell("births.csv", 6, "district", " "),),
        "births.csv, row 6, column district: is blank. Fill it.",
    ),
    "a blank value": (
        (cell("births.csv", 6, "births", ""),),
        "births.csv, row 6, column births: is blank. "
        "Fill it (births); a count of 0 is written as 0, an unknown one is a row left out.",
    ),
    "a blank key that may be left out": (
        (cell("enrolment.csv", 3, "sector", ""),),
        "enrolment.csv, row 3, column sector: is blank. Fill it, or leave the whole column out.",
    ),
    "neither of two values": (
        (cell("places.csv", 3, "places", ""), column("places.csv", "classes", "")),
        "places.csv, row 3, column places or classes: is blank. Fill one of places, classes.",
    ),
    "both of two values": (
        (cell("places.csv", 3, "places", ""), column("places.csv", "classes", "12")),
        "places.csv, row 2, column places or classes: is given in two ways. "
        "Fill one of places, classes.",
    ),
    "a policy share in percent": (
        (whole("policy.csv", "indicator,year,value\npublic_share,2024,85\n"),),
        "policy.csv, row 2, column value: '85' is above 1, and public_share is a share. "
        "Write 0.85 for 85 percent.",
    ),
    "a gross rate in percent": (
        (whole("policy.csv", "indicator,year,value\ngross_rate,2024,98.5\n"),),
        "policy.csv, row 2, column value: '98.5' is above 2, and gross_rate is pupils per child. "
        "Write 0.985 for 98.5 percent.",
    ),
    "a spare share in percent": (
        (whole("standards.csv", "indicator,value\nspare_share,5\n"),),
        "standards.csv, row 2, column value: '5' is above 0.99, and spare_share is a share below "
        "1. Write 0.05 for 5 percent.",
    ),
    "a task that ends before it begins": (
        (cell("tasks.csv", 2, "year_to", "2023"),),
        "tasks.csv, row 2, column year_to: '2023' is before year_from 2024. "
        "Correct one of the two.",
    ),
    "a second row where there is one": (
        (whole("sex_ratio_at_birth.csv", "ratio\n1.1\n1.2\n"),),
        "sex_ratio_at_birth.csv, row 3: stands beside another row. Keep one row.",
    ),
}

TREE: dict[str, Fault] = {
    "a parent that is no district": (
        (cell("districts.csv", 4, "parent", "Z"),),
        "districts.csv, row 4, column parent: 'Z' (parent of B) is not a district of this table. "
        "Add a row for it, or correct the name. Known: A, B, C.",
    ),
    "a district that is its own parent": (
        (cell("districts.csv", 2, "parent", "C"),),
        "districts.csv, row 2, column parent: 'C' (parent of C) closes a circle: C < C. "
        "Correct one of these parents; the highest district has none.",
    ),
    "data above the leaves": (
        (added("births.csv", "C,2012,180"),),
        "births.csv, row 34, column district: 'C' has districts below it. "
        "Give the rows of the districts below it; they are added up.",
    ),
    "a stranger without a table of districts": (
        (gone("districts.csv", "tasks.csv"), cell("births.csv", 20, "district", "Bee")),
        "births.csv, row 20, column district: 'Bee' is not a district of the table enrolment. "
        "Known: A, B.",
    ),
    "a total row": (
        (added("births.csv", "合计,2012,186"),),
        "births.csv, row 34, column district: '合计' is not a district of the table districts. "
        "Known: A, B, C.",
    ),
    "people of an age missing": (
        (line("population.csv", 9, None),),
        "population.csv, column population: lacks 1 of 100 cells, first: district A, year 2020, "
        "sex female, age 7. Add the rows; what is nothing is written as 0.",
    ),
    "one age of fertility missing": (
        (line("fertility.csv", 7, None),),
        "fertility.csv, column age: lacks 1 of 20 rows, first: age 25. "
        "Add them; a rate that is missing is never taken as 0.",
    ),
}
GRADE: dict[str, Fault] = {
    "a grade from nowhere": (
        (whole("grades.csv", GRADES), cell("grades.csv", 4, "enters_from", "P22")),
        "grades.csv, row 4, column enters_from: 'P22' (where P3 enters from) is not a grade. "
        "Did you mean 'P2'?",
    ),
    "a grade from above": (
        (whole("grades.csv", GRADES), cell("grades.csv", 4, "enters_from", "P5")),
        "grades.csv, row 4, column enters_from: 'P5' does not stand below P3, which enters from "
        "it. Name a grade with a lower position.",
    ),
    "the lowest grade from below": (
        (whole("grades.csv", GRADES), cell("grades.csv", 2, "enters_from", "grade_below")),
        "grades.csv, row 2, column enters_from: 'grade_below' of P1 finds no grade with a lower "
        "position. Name the grade it takes in from, or write population.",
    ),
    "two grades below": (
        (whole("grades.csv", GRADES), cell("grades.csv", 4, "position", "2")),
        "grades.csv, row 5, column enters_from: 'grade_below' of P4 could be any of P2, P3. "
        "Name the grade it takes in from, or write population.",
    ),
}
BETWEEN = VALUES | TREE | GRADE


@pytest.mark.parametrize("fault", BETWEEN.values(), ids=BETWEEN)
def test_a_value_that_cannot_be(fault: Fault, tmp_path: Path) -> None:
    edits, told = fault
    assert_refused(region_with(tmp_path / "region", *edits), told)


def test_a_circle_of_parents_is_told_for_each_and_nothing_else(tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", cell("districts.csv", 2, "parent", "A"))
    remedy = "Correct one of these parents; the highest district has none."
    assert_refused(
        region,
        f"districts.csv, row 2, column parent: 'A' (parent of C) closes a circle: C < A < C. "
        f"{remedy}",
        f"districts.csv, row 3, column parent: 'C' (parent of A) closes a circle: A < C < A. "
        f"{remedy}",
    )


def test_rows_of_tables_made_by_hand_count_from_one() -> None:
    births = pd.DataFrame({"district": ["Z", "A"], "year": 2020, "births": [310, 290]})
    pupils = pd.DataFrame({"district": ["A"], "year": 2024, "grade": "P1", "pupils": [300]})
    told = "births, row 1, column district: 'Z' is not a district of the table enrolment. Known: A."
    with pytest.raises(pf.InputError, match=f"^{re.escape(error_text(told))}$"):
        pf.Inputs(births=births, enrolment=pupils)
