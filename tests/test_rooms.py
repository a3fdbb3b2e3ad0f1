"""Rooms and staff of the classes that pupils need, and the standards that are shipped for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.classes import rooms_and_staff
from placeforecast.tables.grades import load_grades
from placeforecast.tables.vocabulary import shipped

STAGE_OF = load_grades().set_index("grade")["stage"]


def shipped_for(system: str = "cn-6-3-3") -> pd.DataFrame:
    """Return the shipped standards of a school system, as read."""
    rows = shipped("standards")
    return rows[rows["system"] == system].drop(columns="system").replace("", None)


def cells(pupils: dict[str, float]) -> pd.DataFrame:
    """Return the demand of a district in 2026 from the pupils of each grade."""
    table = pd.DataFrame({"district": "A", "year": 2026, "grade": list(pupils), "ledger": "all"})
    table["stage"] = table["grade"].map(STAGE_OF)
    return table.assign(pupils=list(pupils.values()), demand=list(pupils.values()))


def assumed(*rows: tuple[str, float], stage: str = "senior_general") -> pf.Assumptions:
    """Return assumptions with the standards of one stage."""
    standards = pd.DataFrame(list(rows), columns=["indicator", "value"]).assign(stage=stage)
    return pf.Assumptions(standards=standards)


def senior(pupils: float) -> pd.DataFrame:
    """Return the demand of one senior grade."""
    return cells({"S1": pupils})


RULES: dict[str, tuple[list[tuple[str, float]], float]] = {
    "pupils decide": ([("pupils_per_staff", 12.5), ("staff_per_class", 3.0)], 520 / 12.5),
    "classes decide": ([("pupils_per_staff", 12.5), ("staff_per_class", 4.0)], 11 * 4.0),
    "pupils only": ([("pupils_per_staff", 13.0)], 40.0),
    "classes only": ([("staff_per_class", 2.0)], 22.0),
    "neither": ([], np.nan),
}


@pytest.mark.parametrize("rule", RULES)
def test_staff_are_the_larger_of_two_rules(rule: str) -> None:
    """R32, R33, R59, R64: the ratio to pupils, and to classes for small schools."""
    given, staff = RULES[rule]
    table = rooms_and_staff(senior(520.0), assumed(("class_size", 50.0), *given))
    assert table["classes"].tolist() == [11.0]
    np.testing.assert_allclose(table["staff"], [staff], rtol=1e-12)


def test_elective_classes_take_rooms_and_staff_and_no_pupils() -> None:
    """R07, R56: the factors act on rooms and staff at the same enrolment."""
    plain = (("class_size", 50.0), ("pupils_per_staff", 12.5))
    factors = (("elective_room_factor", 1.2), ("elective_staff_factor", 1.05))
    before = rooms_and_staff(senior(520.0), assumed(*plain))
    after = rooms_and_staff(senior(520.0), assumed(*plain, *factors))
    assert before["rooms"].tolist() == [11.0]
    np.testing.assert_allclose(after["rooms"], 11 * 1.2, rtol=1e-12)
    np.testing.assert_allclose(after["staff"], 1.05 * before["staff"], rtol=1e-12)
    same = ["district", "year", "stage", "grade", "ledger", "pupils", "classes"]
    pd.testing.assert_frame_equal(after[same], before[same])


@pytest.mark.parametrize(
    ("pupils", "classes"),
    [(0.0, 0), (1.0, 1), (50.0, 1), (50.000000000001, 1), (50.001, 2), (150.0, 3), (151.0, 4)],
)
def test_a_class_is_opened_for_any_pupil_more(pupils: float, classes: int) -> None:
    table = rooms_and_staff(senior(pupils), assumed(("class_size", 50.0)))
    assert table["classes"].tolist() == [classes]


def test_classes_are_counted_in_each_grade_and_ledger() -> None:
    """Two grades of 46 need four classes of 45, and half of them in the public ledger two."""
    pupils = pd.DataFrame(
        {"district": "A", "year": 2026, "grade": ["P1", "P2"], "pupils": [46.0, 46.0]}
    )
    policy = pd.DataFrame(
        {"indicator": ["public_share"], "stage": "primary", "year": 2026, "value": 0.5}
    )
    size = pd.DataFrame({"indicator": ["class_size"], "value": 45.0})
    table = rooms_and_staff(pupils, pf.Assumptions(standards=size, policy=policy))
    found = table.groupby("ledger")["classes"].sum()
    assert found[["all", "public"]].tolist() == [4.0, 2.0]
    assert list(table.columns) == [
        *("district", "year", "stage", "grade", "ledger", "pupils", "classes", "rooms", "staff"),
    ]


def test_shipped_standards_staff_a_district() -> None:
    """R33: pupils per member of staff of the shipped table; none is shipped for kindergartens."""
    demand = cells({"K1": 70.0, "P1": 100.1, "J1": 66.0})
    assumptions = pf.Assumptions(standards=shipped_for())
    table = rooms_and_staff(demand, assumptions).set_index("grade")
    assert table.loc["P1", "classes"] == 3  # 100.1 / 45 = 2.22
    assert table.loc["K1", "classes"] == 3  # 70 / 25 = 2.8
    np.testing.assert_allclose(table["staff"], [np.nan, 100.1 / 19, 66 / 13.5], rtol=1e-12)


@pytest.mark.parametrize(
    ("assumptions", "message"),
    [
        (assumed(("pupils_per_staff", 12.5)),
         "standards, column value: lacks a class_size for 1 rows, first: A senior_general S1 2026"),
        (assumed(("class_size", 50.0), ("pupils_per_staff", 0.0)),
         "has a pupils_per_staff of 0 for 1 rows, first: A senior_general S1 2026. Add or correct "
         "the row of pupils_per_staff"),
    ],
)  # fmt: skip
def test_rooms_and_staff_need_their_standards(assumptions: pf.Assumptions, message: str) -> None:
    with pytest.raises(pf.InputError, match=message):
        rooms_and_staff(senior(100.0), assumptions)


def test_rooms_and_staff_need_pupils() -> None:
    message = "demand, column pupils: lacks 1 cells, first: A senior_general S1 2026. Add the pup"
    with pytest.raises(pf.InputError, match=message):
        rooms_and_staff(senior(np.nan), assumed(("class_size", 50.0)))


# The shipped standards.


@pytest.mark.parametrize("system", ["cn-6-3-3", "cn-5-4-3"])
@pytest.mark.parametrize(
    ("indicator", "values"),
    [
        ("large_class", {"primary": 56, "junior": 56, "senior_general": 56}),
        ("very_large_class", {"primary": 66, "junior": 66, "senior_general": 66}),
        ("school_size_limit",
         {"kindergarten": 360, "primary": 2000, "junior": 2000, "senior_general": 3000}),
        ("places_per_1000", {"kindergarten": 55, "primary": 110, "junior": 55}),
        ("pupils_per_staff", {"primary": 19, "junior": 13.5, "senior_general": 12.5}),
    ],
)  # fmt: skip
def test_shipped_standards_hold_what_was_read(
    system: str, indicator: str, values: dict[str, float]
) -> None:
    """R26, R33, R55, R60: tables 2.2, 2.3 and 2.7 of domain-china.md."""
    rows = shipped_for(system)
    rows = rows[rows["indicator"] == indicator]
    found = dict(zip(rows["stage"], rows["value"].astype(float), strict=True))
    assert found == values


def test_shipped_standards_say_how_far_to_trust_them() -> None:
    """R26: a figure from memory claims no source, a local one asks for the user's own."""
    rows = shipped("standards")
    assert (rows["source"] != "").all()
    assert set(rows["confidence"].str.split(",").str[0]) == {
        "read",
        "derived",
        "from memory",
        "judged",
    }
    memory = rows[rows["confidence"].str.startswith("from memory")]
    assert memory["source"].str.contains("no source found").all()
    local = rows[rows["indicator"].isin(["places_per_1000", "persons_per_dwelling"])]
    assert local["source"].str.contains("a local norm: put your own").all()
    assert not rows["indicator"].isin(["planned_at", "spare_share"]).any()


def test_both_chinese_systems_ship_the_same_standards() -> None:
    one, other = (shipped_for(s).reset_index(drop=True) for s in ("cn-6-3-3", "cn-5-4-3"))
    pd.testing.assert_frame_equal(one, other)
