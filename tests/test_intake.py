"""Intake warnings: the published rule, its limits, and the rows it does not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.intake import intake_warnings
from placeforecast.tables.grades import load_grades
from schools import grades as school_system
from schools import pupils as counted

if TYPE_CHECKING:
    from collections.abc import Mapping

PUPILS = pd.concat(
    [
        counted({"P1": [240, 250, 270, 280, 200, 290]}, 2025),
        counted({"P6": [200, 210, 220, 230, 240, 250]}, 2025),
        counted({"J1": [190, 999, 999, 999, 999, 999]}, 2025),
        counted({"J3": [500, 500, 500, 500, 500, 500]}, 2025),
        counted({"S1": [100, 110, 120, 130, 140, 150]}, 2025),
    ]
)


def plan(places: Mapping[int, float], stage: str = "primary", district: str = "A") -> pd.DataFrame:
    """Return an intake plan from the places of each year."""
    rows = {"year": list(places), "places": list(places.values())}
    return pd.DataFrame({"district": district, "stage": stage, **rows})


@pytest.mark.parametrize(
    ("places", "level"),
    [
        # 270 applicants; limits of Zhejiang since 2018: yellow 90-100 %, red 100 % or more.
        (300.1, "normal"),
        (300.0, "yellow"),
        (270.1, "yellow"),
        (270.0, "red"),
        (100.0, "red"),
        (0.0, "red"),
    ],
)
def test_levels_are_those_of_the_published_rule(places: float, level: str) -> None:
    table = intake_warnings(PUPILS, plan({2027: places}), launch_year=2025)
    assert table["level"].tolist() == [level]
    assert table["rule"].tolist() == ["published"]
    ratio = 270 / places if places else np.nan
    np.testing.assert_allclose(table["ratio"], [ratio], rtol=1e-12)


def test_every_column_is_worked_by_hand() -> None:
    table = intake_warnings(PUPILS, plan({2026: 270}), launch_year=2025)
    assert table.to_dict("records") == [
        {
            "district": "A",
            "year": 2026,
            "lead": 1,
            "stage": "primary",
            "grade": "P1",
            "applicants": 250.0,
            "plan": 270.0,
            "ratio": 250 / 270,
            "level": "yellow",
            "rule": "published",
        }
    ]


def test_nobody_for_no_places_is_normal() -> None:
    nobody = counted({"P1": [0, 0]}, 2025)
    table = intake_warnings(nobody, plan({2026: 0}), launch_year=2025)
    assert table["level"].tolist() == ["normal"]
    assert table["ratio"].isna().all()


def test_the_rule_is_published_for_three_years_and_own_beyond() -> None:
    years = {2025: 300, 2026: 300, 2027: 300, 2028: 300, 2029: 300}
    table = intake_warnings(PUPILS, plan(years), launch_year=2025)
    assert table["lead"].tolist() == [0, 1, 2, 3, 4]
    assert table["rule"].tolist() == ["own", "published", "published", "published", "own"]


def test_junior_takes_the_graduates_of_its_feeder_grade() -> None:
    """P6 of the year before, and not the pupils projected in J1."""
    table = intake_warnings(PUPILS, plan({2026: 200, 2027: 240}, "junior"), launch_year=2025)
    assert table["applicants"].tolist() == [200.0, 210.0]
    assert table["grade"].tolist() == ["J1", "J1"]
    assert table["level"].tolist() == ["red", "normal"]
    assert table["rule"].tolist() == ["published", "published"]


def test_the_entry_grade_of_the_launch_has_been_counted() -> None:
    table = intake_warnings(PUPILS, plan({2025: 200}, "junior"), launch_year=2025)
    assert table["applicants"].tolist() == [190.0]
    assert table["rule"].tolist() == ["own"]


def test_five_four_takes_graduates_of_the_fifth_grade() -> None:
    five = counted({"P5": [180, 190]}, 2025)
    table = intake_warnings(
        five, plan({2026: 180}, "junior"), launch_year=2025, grades=load_grades("cn-5-4-3")
    )
    assert table[["grade", "applicants", "level"]].to_numpy().tolist() == [["J0", 180.0, "red"]]


def test_senior_takes_the_pupils_projected_in_it() -> None:
    """J3 feeds general and vocational schools, so its graduates are not all applicants of one."""
    table = intake_warnings(PUPILS, plan({2026: 120}, "senior_general"), launch_year=2025)
    assert table[["grade", "applicants", "rule"]].to_numpy().tolist() == [["S1", 110.0, "own"]]


def test_only_local_pupils_count_where_residence_is_told_apart() -> None:
    """The published rule counts local-registered children."""
    both = pd.concat(
        [
            counted({"P1": [200, 210], "P6": [90, 90]}, 2025, residence="local"),
            counted({"P1": [80, 90], "P6": [40, 40]}, 2025, residence="migrant"),
        ]
    )
    plans = pd.concat([plan({2026: 300}), plan({2026: 100}, "junior")])
    table = intake_warnings(both, plans, launch_year=2025)
    assert table["applicants"].tolist() == [210.0, 90.0]
    assert table["level"].tolist() == ["normal", "yellow"]


def test_the_rule_of_chinese_cities_is_not_one_of_other_systems() -> None:
    table = intake_warnings(
        counted({"R": [100, 100]}, 2025),
        plan({2026: 100}),
        launch_year=2025,
        grades=load_grades("england"),
    )
    assert table[["level", "rule"]].to_numpy().tolist() == [["red", "own"]]


def test_rows_before_the_launch_are_left_out() -> None:
    table = intake_warnings(PUPILS, plan({2024: 1, 2026: 270}), launch_year=2025)
    assert table["year"].tolist() == [2026]


def test_a_plan_all_before_the_launch_is_said() -> None:
    message = "intake_plan: every row is before the launch of 2025: no intake warnings"
    with pytest.warns(pf.AssumptionWarning, match=message) as caught:
        table = intake_warnings(PUPILS, plan({2023: 1, 2024: 1}), launch_year=2025)
    assert caught[0].filename == __file__
    assert table.empty
    assert list(table.columns) == [
        *("district", "year", "lead", "stage", "grade", "applicants", "plan", "ratio"),
        *("level", "rule"),
    ]


def test_every_missing_cell_is_named_at_once() -> None:
    plans = pd.concat([plan({2026: 1, 2040: 1}), plan({2026: 1}, "junior", "B")])
    with pytest.raises(pf.InputError, match=r"2 problems in the input") as raised:
        intake_warnings(PUPILS, plans, launch_year=2025)
    assert str(raised.value).splitlines()[1:] == [
        "  intake_plan, row 2: needs the pupils of P1 in A in 2040, which are missing. Add them "
        "to pupils, or leave the row out.",
        "  intake_plan, row 3: needs the pupils of P6 in B in 2025, which are missing. Add them "
        "to pupils, or leave the row out.",
    ]


def test_a_district_without_local_pupils_is_refused() -> None:
    migrants = counted({"P1": [80, 90]}, 2025, residence="migrant")
    with pytest.raises(pf.InputError, match="row 1: needs the local pupils of P1 in A in 2026"):
        intake_warnings(migrants, plan({2026: 100}), launch_year=2025)


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("primery", "row 1, column stage: 'primery' is not a stage of the school system. Did you"),
        ("special", "row 1, column stage: 'special' has no single entry grade of one year. Leave "
         "its rows out, or give its grades apart in the table grades"),
    ],
)  # fmt: skip
def test_stages_without_an_entry_grade_are_refused(stage: str, message: str) -> None:
    with pytest.raises(pf.InputError, match=f"intake_plan, {message}"):
        intake_warnings(PUPILS, plan({2026: 1}, stage), launch_year=2025)


def test_two_grades_at_the_entry_of_a_stage_are_refused() -> None:
    twins = school_system(
        ("a", "lower", 1, 6, 1, "population"), ("b", "lower", 1, 6, 1, "population")
    )
    with pytest.raises(pf.InputError, match="'lower' has no single entry grade of one year"):
        intake_warnings(PUPILS, plan({2026: 1}, "lower"), launch_year=2025, grades=twins)


@pytest.mark.parametrize("name", ["pupils", "plan"])
def test_a_plan_once_more_full_is_never_less_warned_of(name: str) -> None:
    order = ["normal", "yellow", "red"]
    levels = []
    for share in (0.5, 0.85, 0.95, 1.05, 3.0):
        people = counted({"P1": [1, 200 * share if name == "pupils" else 200]}, 2025)
        places = 200.0 if name == "pupils" else 200 / share
        table = intake_warnings(people, plan({2026: places}), launch_year=2025)
        levels.append(order.index(table["level"].iloc[0]))
    assert levels == [0, 0, 1, 2, 2]
