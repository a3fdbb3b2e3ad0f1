"""What is said of a policy, a standard or an event that cannot be; every message in full."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rates.paths import policy_path
from regions import error_text

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARE = {"indicator": "public_share", "stage": "primary", "year": 2026, "value": 0.5}
PUPILS = pd.DataFrame(
    {"district": "A", "year": [2026], "grade": "P1", "stage": "primary", "pupils": [100.0]}
)
KINDER = PUPILS.assign(grade="K1", stage="kindergarten")


def whole(problem: str) -> str:
    """Return a pattern of the whole text of an error with one problem."""
    return f"^{re.escape(error_text(problem))}$"


def table(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([dict(row) for row in rows])


# Told of the table itself, when it is read or put into assumptions.

ONE_ROW: list[tuple[dict[str, Any], str]] = [
    (
        {"value": 60.0},
        "column value: '60' is above 1, and public_share is a share. Write 0.6 for 60 percent.",
    ),
    (
        {"value": -0.5},
        "column value: '-0.5' is below 0. Give a number from 0 up.",
    ),
    (
        {"indicator": "gross_rate", "stage": "kindergarten", "value": 90.0},
        "column value: '90' is above 2, and gross_rate is pupils per child. Write 0.9 for 90 "
        "percent.",
    ),
    (
        {"indicator": "public_shares"},
        "column indicator: 'public_shares' is not an indicator. Did you mean 'public_share'?",
    ),
    (
        {"basis": "births"},
        "column basis: 'births' is not a basis of public_share. It is of children or "
        "kindergartens.",
    ),
    (
        {"indicator": "senior_general_share", "stage": "senior_general", "basis": "children"},
        "column basis: 'children' is not a basis of senior_general_share. It is of graduates or "
        "entrants.",
    ),
    (
        {
            "indicator": "senior_mode",
            "stage": "senior_general",
            "basis": "graduates",
            "value": "share",
        },
        "column basis: 'graduates' is not a basis of senior_mode. It is of nothing: leave it "
        "blank.",
    ),
    (
        {"indicator": "inclusive_share"},
        "column stage: 'primary' is not a stage of inclusive_share. It is of kindergarten.",
    ),
    (
        {"indicator": "special_rate"},
        "column stage: 'primary' is not a stage of special_rate. It is of special.",
    ),
    (
        {"indicator": "senior_general_share", "stage": "senior"},
        "column stage: 'senior' is not a stage of senior_general_share. It is of senior_general.",
    ),
    (
        {"value": "share"},
        "column value: 'share' is not a number. Give a number in digits, without text or commas.",
    ),
    (
        {"indicator": "senior_mode", "stage": "senior_general"},
        "column value: '0.5' is not a value of senior_mode. Write share or capacity_limited.",
    ),
    (
        {"indicator": "senior_mode", "stage": "senior_general", "value": "limited"},
        "column value: 'limited' is not a value of senior_mode. Write share or capacity_limited.",
    ),
    (
        {"indicator": "private_cap", "residence": "migrant"},
        "column residence: 'migrant' is given for private_cap, which is of all pupils. Leave "
        "residence blank.",
    ),
    (
        {"indicator": "migrant_public_share", "residence": "local"},
        "column residence: 'local' is not a residence of migrant_public_share. Leave it blank or "
        "write migrant; local pupils have public_share.",
    ),
]


@pytest.mark.parametrize(("changes", "problem"), ONE_ROW)
def test_a_row_of_policy_that_cannot_be(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(pf.InputError, match=whole(f"policy, row 1, {problem}")):
        pf.Assumptions(policy=table({**SHARE, **changes}))


KINDERGARTEN = {**SHARE, "stage": "kindergarten"}
TWO_ROWS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {**SHARE, "value": 0.9},
        {**SHARE, "indicator": "purchased_share", "value": 0.2},
        "row 2: public_share and purchased_share add up to 1.1 (primary 2026). Correct one of "
        "them: they are parts of 1.",
    ),
    (
        {**KINDERGARTEN, "value": 0.9},
        {**KINDERGARTEN, "indicator": "inclusive_share", "value": 0.8},
        "row 2: public_share 0.9 is above inclusive_share 0.8 (kindergarten 2026). Public "
        "kindergartens are part of the inclusive ones: correct one of the two.",
    ),
    (
        {**SHARE, "indicator": "special_school_share", "stage": "special", "value": 0.7},
        {**SHARE, "indicator": "special_home_share", "stage": "special", "value": 0.4},
        "row 2: special_school_share and special_home_share add up to 1.1 (special 2026). Correct "
        "one of them: they are parts of 1.",
    ),
]


@pytest.mark.parametrize(("one", "two", "problem"), TWO_ROWS)
def test_shares_that_are_no_parts_of_a_whole(
    one: dict[str, Any], two: dict[str, Any], problem: str
) -> None:
    with pytest.raises(pf.InputError, match=whole(f"policy, {problem}")):
        pf.Assumptions(policy=table(one, two))


@pytest.mark.parametrize(("column", "value"), [("year", 2028), ("grade", "S1")])
def test_planned_at_holds_for_a_whole_stage_and_every_year(column: str, value: object) -> None:
    """A row of one year or grade would plan nothing, and not say so."""
    row = {"stage": "senior_general", "indicator": "planned_at", "value": "city", column: value}
    problem = (
        f"standards, row 1, column {column}: '{value}' is given for planned_at, which holds for a "
        f"whole stage in every year. Leave {column} blank."
    )
    with pytest.raises(pf.InputError, match=whole(problem)):
        pf.Assumptions(standards=table(row))


@pytest.mark.parametrize(("value", "indicator"), [("town", "planned_at"), (1.2, "spare_share")])
def test_a_standard_that_cannot_be(value: object, indicator: str) -> None:
    row = {"stage": "senior_general", "indicator": indicator, "value": value}
    said = {
        "planned_at": "'town' is not a value of planned_at. Write city or county or zone.",
        "spare_share": "'1.2' is above 0.99, and spare_share is a share below 1. Write 0.012 for "
        "1.2 percent.",
    }
    problem = f"standards, row 1, column value: {said[indicator]}"
    with pytest.raises(pf.InputError, match=whole(problem)):
        pf.Assumptions(standards=table(row))


# Told where the policy meets the pupils.

CLASSES = pd.concat([PUPILS.assign(residence="local"), PUPILS.assign(residence="migrant")])

MEETING: list[tuple[pd.DataFrame, list[dict[str, Any]], str]] = [
    (
        PUPILS,
        [{**SHARE, "year": 2026}, {**SHARE, "indicator": "purchased_share", "year": 2025}],
        "",
    ),
    (
        PUPILS,
        [
            {**SHARE, "value": 0.9},
            {**SHARE, "indicator": "purchased_share", "year": 2025, "value": 0.2},
        ],
        "policy: has public_share and purchased_share of 1.1: A primary 2026. They are parts of 1: "
        "correct one of the two.",
    ),
    (
        KINDER,
        [
            {**KINDERGARTEN, "value": 0.9},
            {**KINDERGARTEN, "indicator": "inclusive_share", "year": 2025, "value": 0.8},
        ],
        "policy: has a public_share of 0.9 above the inclusive_share of 0.8: A kindergarten 2026. "
        "Public kindergartens are part of the inclusive ones: give inclusive_share, too.",
    ),
    (
        PUPILS,
        [SHARE, {**SHARE, "indicator": "migrant_public_share", "value": 0.8}],
        "policy, column indicator: gives migrant_public_share, but pupils are not told apart by "
        "residence. Give enrolment with a column residence (local, migrant), or leave the share "
        "out.",
    ),
    (
        PUPILS,
        [{**SHARE, "indicator": "private_cap", "value": 0.15}],
        "policy, column indicator: gives private_cap, but no public share is known: A primary "
        "2026. Give enrolment by sector, or public_share.",
    ),
    (
        PUPILS,
        [{**SHARE, "stage": "primry"}],
        "policy, column stage: 'primry' is not a stage of the school system. Did you mean "
        "'primary'?",
    ),
    (
        PUPILS,
        [{**SHARE, "district": "AA"}],
        "policy, column district: 'AA' has no pupils, and is no district above any. Did you mean "
        "'A'?",
    ),
    (
        PUPILS,
        [{**SHARE, "basis": None}, {**SHARE, "basis": "children"}],
        "policy, column year: '2026' gives public_share twice (primary). Keep one of the rows: a "
        "blank basis is no other path.",
    ),
    (
        CLASSES,
        [{**SHARE, "residence": "local"}],
        "policy, column residence: gives public_share of a part of the pupils, not of: A primary "
        "migrant 2026. Give it for the other class of residence, too (0 if there are none).",
    ),
]


@pytest.mark.parametrize(("pupils", "rows", "problem"), MEETING)
def test_a_policy_that_does_not_fit_the_pupils(
    pupils: pd.DataFrame, rows: list[dict[str, Any]], problem: str
) -> None:
    given = pf.Assumptions(policy=table(*rows))
    cells = pupils.drop(columns="stage")
    if not problem:
        assert len(pf.demand_places(cells, given))
        return
    with pytest.raises(pf.InputError, match=whole(problem)):
        pf.demand_places(cells, given)


def test_an_inclusive_share_is_of_kindergartens_alone() -> None:
    """Blank it is 0.8 of every stage that has it; primary schools with 0.95 public do not."""
    rows = [{**SHARE, "value": 0.95}, {"indicator": "inclusive_share", "year": 2026, "value": 0.8}]
    demand = pf.demand_places(PUPILS.drop(columns="stage"), pf.Assumptions(policy=table(*rows)))
    assert list(demand["ledger"]) == ["all", "public"]


@pytest.mark.parametrize(
    ("indicator", "bases", "said"),
    [
        ("senior_general_share", ("graduates", "entrants"), "graduates and entrants"),
        ("senior_general_share", (None, "entrants"), "entrants and blank"),
        ("gross_rate", ("births", "resident"), "births and resident"),
        ("gross_rate", (None, "resident"), "resident and blank"),
    ],
)
def test_two_bases_in_one_path(indicator: str, bases: tuple[str | None, str], said: str) -> None:
    stage = {"gross_rate": "kindergarten"}.get(indicator, "senior_general")
    rows = table(
        *(
            {"indicator": indicator, "stage": stage, "basis": b, "year": 2026 + i, "value": 0.5}
            for i, b in enumerate(bases)
        )
    )
    problem = (
        f"policy, column basis: of {indicator} are {said} in one path. Give one path on one basis: "
        "values between the two would mean neither."
    )
    with pytest.raises(pf.InputError, match=whole(problem)):
        policy_path(rows, indicator, [("A", stage)], [2026])


@pytest.mark.parametrize(
    ("indicator", "basis"),
    [("senior_general_share", "graduates"), ("public_share", "children")],
)
def test_a_blank_basis_is_the_usual_one(indicator: str, basis: str) -> None:
    rows = table(
        {**SHARE, "indicator": indicator, "basis": None, "value": 0.5},
        {**SHARE, "indicator": indicator, "basis": basis, "year": 2028, "value": 0.7},
    )
    assert policy_path(rows, indicator, [("A", "primary")], [2027]).tolist() == [[0.6]]
