"""Scenarios: what a row of changes touches, and what it is refused for."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.scenarios.adjust import adjust
from placeforecast.scenarios.choose import changes_of, shipped_scenarios

TREE = pd.DataFrame(
    {"district": ["C", "A", "B"], "parent": [None, "C", "C"], "level": ["city", "zone", "zone"]}
)
RATIOS = pd.DataFrame(
    {
        "district": ["A", "A", "B", "B"] * 2,
        "year": [2026, 2027] * 4,
        "grade": ["P2"] * 4 + ["J2"] * 4,
        "ratio": np.arange(1.0, 9.0),
    }
)
SHARES = pd.DataFrame(
    {"indicator": "public_share", "stage": "primary", "year": [2025, 2030], "value": [0.8, 0.9]}
)
PLAN = pd.DataFrame(
    {
        "project": ["East", "West"],
        "stage": "primary",
        "district": ["A", "B"],
        "places": [300.0, 600.0],
        "kind": "new",
        "status": ["approved", "open"],
        "opens": [2027, 2024],
    }
)
GIVEN = pf.Assumptions(progression=RATIOS, policy=SHARES, projects=PLAN, districts=TREE)


def change(**cells: Any) -> pd.DataFrame:  # noqa: ANN401
    return pd.DataFrame([cells])


def ratios(*rows: pd.DataFrame) -> list[float]:
    changed = adjust(GIVEN, pd.concat(rows, ignore_index=True)).progression
    assert changed is not None
    return list(changed["ratio"])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"multiply": 2}, [2, 4, 6, 8, 10, 12, 14, 16]),
        ({"add": 1, "district": "A"}, [2, 3, 3, 4, 6, 7, 7, 8]),
        ({"set": "0", "district": "C"}, [0] * 8),
        ({"set": "0", "grade": "P2", "year": 2027}, [1, 0, 3, 0, 5, 6, 7, 8]),
        ({"multiply": 0, "stage": "junior"}, [1, 2, 3, 4, 0, 0, 0, 0]),
        ({"multiply": 0, "stage": "compulsory", "year_from": 2027}, [1, 0, 3, 0, 5, 0, 7, 0]),
        ({"multiply": 0, "year_from": 2020, "year_to": 2026}, [0, 2, 0, 4, 0, 6, 0, 8]),
    ],
)
def test_a_row_touches_what_its_keys_name(cells: dict[str, Any], expected: list[float]) -> None:
    assert ratios(change(table="progression", **cells)) == expected


def test_rows_apply_in_order() -> None:
    add, double = change(table="progression", add=1), change(table="progression", multiply=2)
    assert ratios(add, double)[:2] == [4, 6]
    assert ratios(double, add)[:2] == [3, 5]


def test_no_changes_are_the_same_assumptions() -> None:
    assert adjust(GIVEN, change(table="progression", multiply=1).head(0)) is GIVEN


def test_the_same_change_spelt_two_ways_is_the_same() -> None:
    whole = change(table="progression", multiply=1.1, stage="compulsory")
    parts = [change(table="progression", multiply=1.1, grade=grade) for grade in ("P2", "J2")]
    assert ratios(whole) == ratios(*parts)


def shares(*rows: pd.DataFrame) -> pd.DataFrame:
    changed = adjust(GIVEN, pd.concat(rows, ignore_index=True)).policy
    assert changed is not None
    return changed


def test_a_path_is_copied_whole_for_the_district_named() -> None:
    """The start of 2025 stays; only 2030 differs, and only in A."""
    row = change(
        table="policy", indicator="public_share", stage="primary", district="A", year=2030, set="1"
    )
    own = shares(row).query("district == 'A'")
    assert list(zip(own["year"], own["value"], strict=True)) == [(2025, 0.8), (2030, 1.0)]
    rest = shares(row).query("district != 'A'")
    assert list(rest["value"]) == [0.8, 0.9]


def test_set_adds_a_year_to_a_path() -> None:
    row = change(table="policy", indicator="public_share", stage="primary", year=2035, set="0.95")
    assert list(shares(row)["value"]) == [0.8, 0.9, 0.95]


def test_a_rate_that_holds_everywhere_is_written_out() -> None:
    survival = pd.DataFrame({"sex": ["female"], "age": [0], "survival": [0.9]})
    given = pf.Assumptions(survival=survival, progression=RATIOS, districts=TREE)
    changed = adjust(given, change(table="survival", district="A", set="0.8")).survival
    assert changed is not None
    assert dict(zip(changed["district"], changed["survival"], strict=True)) == {"A": 0.8, "B": 0.9}


def test_a_project_that_is_late_stays_a_whole_year() -> None:
    late = adjust(
        GIVEN, change(table="projects", column="opens", status="approved", add=2)
    ).projects
    assert late is not None
    assert list(late["opens"]) == [2029, 2024]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"table": "progression", "grade": "P9", "multiply": 2}, "touches no row (grade P9)"),
        ({"table": "progresion", "multiply": 2}, "is not a table of the assumptions"),
        ({"table": "transfers", "multiply": 2}, "is not among the assumptions"),
        ({"table": "projects", "multiply": 2}, "is blank. projects has places, opens"),
        ({"table": "projects", "column": "district", "sex": "male", "set": "B"}, "is not a key"),
        ({"table": "progression", "column": "grade", "set": "P3"}, "is not a value column"),
        ({"table": "progression", "multiply": -1}, "is below 0"),
        ({"table": "progression", "set": "many"}, "is not a number, which ratio is"),
        (
            {"table": "policy", "indicator": "public_share", "stage": "primary", "add": 0.5},
            "is above 1, and public_share is a share",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused(cells: dict[str, Any], message: str) -> None:
    with pytest.raises(pf.InputError, match=re.escape(message)):
        adjust(GIVEN, change(**cells))


def test_changes_of_two_scenarios_are_applied_one_at_a_time() -> None:
    two = pd.concat(
        [change(scenario=name, table="progression", multiply=2) for name in ("high", "low")]
    )
    with pytest.raises(ValueError, match="one scenario are applied at a time, not high, low"):
        adjust(GIVEN, two)


FOLLOWING = pd.DataFrame(
    {
        "scenario": ["low", "late", "both"],
        "table": "progression",
        "multiply": [0.5, 3.0, 5.0],
        "after": [None, "low", "late"],
    }
)


def test_a_scenario_follows_another() -> None:
    changed = adjust(GIVEN, changes_of(FOLLOWING, "both")).progression
    assert changed is not None
    np.testing.assert_allclose(changed["ratio"], RATIOS["ratio"] * 7.5, rtol=1e-15)


@pytest.mark.parametrize(
    ("scenarios", "name", "message"),
    [
        (FOLLOWING, "high", "'high' is not a scenario"),
        (FOLLOWING.assign(after=["both", "low", "late"]), "low", "closes a circle: low after both"),
        (
            pd.concat([FOLLOWING, FOLLOWING.tail(1).assign(after="low")]),
            "both",
            "(both) follows late and low",
        ),
    ],
)
def test_scenarios_that_cannot_be_followed_are_refused(
    scenarios: pd.DataFrame, name: str, message: str
) -> None:
    with pytest.raises(pf.InputError, match=re.escape(message)):
        changes_of(scenarios, name)


SHIPPED = shipped_scenarios("cn-6-3-3")


@pytest.mark.parametrize("name", dict.fromkeys(SHIPPED["scenario"]))
def test_shipped_scenarios_change_the_example_city(city: pf.Assumptions, name: str) -> None:
    changed = adjust(city, changes_of(SHIPPED, name))
    tables = set(SHIPPED.loc[SHIPPED["scenario"] == name, "table"])
    for table in tables:
        same = getattr(changed, table).equals(getattr(city, table))
        # The city's own path is the announced one, and its cap is reached in 2027.
        own = name in ("births_middle", "general_70_by_2030", "private_cap_reached")
        assert same == own, table


def test_shipped_scenarios_have_a_source_and_a_confidence() -> None:
    assert SHIPPED[["source", "confidence"]].notna().all(axis=None)
    assert set(SHIPPED["confidence"]) <= {"read", "derived", "judged"}
    assert shipped_scenarios("england").empty


@pytest.fixture(scope="module")
def city() -> pf.Assumptions:
    return pf.estimate(pf.load_example("city"), horizon=5)


def test_a_number_goes_past_the_words_of_other_rows() -> None:
    """A policy holds words beside numbers; what is not touched is left as it is."""
    mode = pd.DataFrame({"indicator": ["senior_mode"], "year": [2025], "value": ["share"]})
    mixed = pd.concat([SHARES.astype({"value": object}), mode], ignore_index=True)
    given = pf.Assumptions(policy=mixed)
    for cells, expected in (({"multiply": 0.5}, [0.4, 0.45]), ({"add": 0.1}, [0.9, 1.0])):
        changed = adjust(given, change(table="policy", indicator="public_share", **cells)).policy
        assert changed is not None
        assert changed["value"].tolist() == [*map(pytest.approx, expected), "share"]
