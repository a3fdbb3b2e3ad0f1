"""The page of requirements and the tests hold together; and what no other test shows of them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.settings import Settings
from placeforecast.tables.vocabulary import vocabulary
from schools import by_year, pupils, region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from placeforecast.chain.record import Forecast

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "requirements.md"
ASKED = {f"R{n:02}" for n in (*range(1, 30), *range(40, 64), 68, 69)}
COMPUTED, NOT = "computed: ", "not computable: "
WORDS_OF_A_REASON = 6
Carried = dict[str, set[str]]
"""Numbers that the test functions of each file carry."""


def numbers_in(text: str) -> set[str]:
    """Return the numbers that a docstring names, ranges such as R01-R03 spelt out."""
    found = set(re.findall(r"\bR\d\d\b", text))
    for first, last in re.findall(r"\bR(\d\d)\s?[-–]\s?R(\d\d)\b", text):
        found |= {f"R{n:02}" for n in range(int(first), int(last) + 1)}
    return found


def numbers_of(source: str) -> set[str]:
    """Return the numbers that the test functions of a file carry in name or docstring."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found |= {f"R{n}" for n in re.findall(r"_r(\d\d)(?=_|$)", node.name)}
            found |= numbers_in(ast.get_docstring(node) or "")
    return found


@cache
def carried() -> Mapping[str, set[str]]:
    files = sorted((ROOT / "tests").glob("test_*.py"))
    return {f"tests/{file.name}": numbers_of(file.read_text("utf-8")) for file in files}


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of every row that begins with a number."""
    lines = [line for line in page.splitlines() if re.match(r"\| R\d\d \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def faults(page: str, tests: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield what keeps page and tests apart."""
    rows = rows_of(page)
    listed = [row[0] for row in rows]
    yield from (f"{n} stands twice" for n in dict.fromkeys(listed) if listed.count(n) > 1)
    yield from (f"{n} is not on the page" for n in sorted(ASKED - set(listed)))
    for number, *cells in rows:
        if len(cells) != 3 or not all(cells):
            yield f"{number} does not have four cells"
        elif cells[2].startswith(COMPUTED):
            files = re.findall(r"`(tests/\w+\.py)`", cells[2])
            if not files:
                yield f"{number} names no test"
            yield from (f"{number}: no {f}" for f in files if f not in tests)
            gone = [f for f in files if number not in tests.get(f, {number})]
            yield from (f"{number} is in no test of {f}" for f in gone)
        elif cells[2].startswith(NOT):
            if len(cells[2].removeprefix(NOT).split()) < WORDS_OF_A_REASON:
                yield f"{number} has no reason"
        else:
            yield f"{number} is neither computed nor not computable"
    for file, numbers in tests.items():
        yield from (f"{n} of {file} is not on the page" for n in sorted(numbers - set(listed)))


def test_page_and_tests_hold_together() -> None:
    assert list(faults(PAGE.read_text("utf-8"), carried())) == []


@pytest.mark.parametrize("number", sorted(ASKED))
def test_a_row_that_is_removed_or_repeated_is_found(number: str) -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    (own,) = (line for line in lines if line.startswith(f"| {number} |"))
    without = "\n".join(line for line in lines if line != own)
    assert f"{number} is not on the page" in set(faults(without, carried()))
    assert f"{number} stands twice" in set(faults("\n".join([*lines, own]), carried()))


def test_a_number_taken_from_a_test_is_found() -> None:
    """Wherever the page names a file, taking the number out of it is a fault."""
    page, tests = PAGE.read_text("utf-8"), carried()
    seen = 0
    for number, _, _, how in rows_of(page):
        for file in re.findall(r"`(tests/\w+\.py)`", how):
            fewer = {**tests, file: tests[file] - {number}}
            assert f"{number} is in no test of {file}" in set(faults(page, fewer))
            seen += 1
    assert seen > len(ASKED) - 10


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((r"(\| R23 \|.*)not computable: .* \|", r"\1not computable: no number |"), "R23 has no"),
        ((r"(\| R23 \|.*)not computable: .* \|", r"\1later |"), "R23 is neither"),
        ((r"(\| R13 \|.*)`tests/test_zones.py`", r"\1tests"), "R13 names no test"),
        ((r"(\| R13 \|.*)`tests/test_zones.py`", r"\1`tests/test_zone.py`"), "R13: no tests/"),
        ((r"(\| R13 \|.*)`tests/test_zones.py`", r"\1`tests/test_doors.py`"), "R13 is in no test"),
        ((r"\| R13 \|[^|]*\|", "| R13 |"), "R13 does not have four cells"),
    ],
)
def test_a_wrong_row_is_found(change: tuple[str, str], told: str) -> None:
    page = PAGE.read_text("utf-8")
    wrong = re.sub(*change, page)
    assert wrong != page
    assert any(fault.startswith(told) for fault in faults(wrong, carried()))


def test_a_number_of_a_test_that_is_not_on_the_page_is_found() -> None:
    tests = {**carried(), "tests/test_more.py": {"R71"}}
    told = "R71 of tests/test_more.py is not on the page"
    assert told in set(faults(PAGE.read_text("utf-8"), tests))


@pytest.mark.parametrize(
    ("name", "docstring", "found"),
    [
        ("test_r12_r14_sites", "Nothing.", {"R12", "R14"}),
        ("test_sites", "R12, R31-R33: sites.", {"R12", "R31", "R32", "R33"}),
        ("test_year2012_r123", "AR12 and R123.", set()),
        ("sites_r12", "R12.", set()),
    ],
)
def test_numbers_are_read_from_names_and_docstrings(
    name: str, docstring: str, found: set[str]
) -> None:
    source = f'"""R99."""\n\ndef {name}() -> None:\n    """{docstring}"""\n    what = "R98"\n'
    assert numbers_of(source) == found


@pytest.fixture(scope="module")
def city() -> Forecast:
    return pf.forecast(pf.load_example("city"), horizon=1)


def test_tables_and_columns_of_the_page_exist(city: Forecast) -> None:
    """What the third column names as table and column is one of a region or of a result."""
    known = {name: {c.name for c in table.columns} for name, table in vocabulary().items()}
    for name, table in city.tables().items():
        known[name] = known.get(name, set()) | set(table.columns)
    named = {
        (table, column)
        for _, _, where, _ in rows_of(PAGE.read_text("utf-8"))
        for table, column in re.findall(r"`(\w+)\.(\w+)`", where)
    }
    assert len(named) > 30
    assert [f"{t}.{c}" for t, c in sorted(named) if c not in known.get(t, set())] == []


# What no other test shows.


def two_zones() -> pf.Inputs:
    """Return a county with a town and a village: 100 births a year and grade in each."""
    taught = [
        pupils({g: [100.0] * 4 for g in ("P1", "P2")}, 2022, district=d) for d in ("A-U", "A-R")
    ]
    tree = pd.DataFrame({"district": ["A", "A-U", "A-R"], "parent": [None, "A", "A"]})
    return region(pd.concat(taught), districts=tree)


def test_r10_people_who_move_to_town_bring_their_children() -> None:
    """R10: a tenth of the village moves each year; nobody is lost between the two zones."""
    stock = [
        {"district": d, "year": 2025, "sex": "female", "age": age, "population": 1000.0}
        for d in ("A-U", "A-R")
        for age in range(8)
    ]
    moves = [
        {"district": d, "sex": "female", "age": age, "net_migration": number}
        for d, number in (("A-U", 100.0), ("A-R", -100.0))
        for age in range(8)
    ]
    alive = pd.DataFrame({"sex": "female", "age": range(8), "survival": 1.0})
    births = pd.concat(by_year("births", [1000.0], 2026, district=d) for d in ("A-U", "A-R"))
    given = pf.Assumptions(survival=alive, migration=pd.DataFrame(moves), births=births)
    people = pf.project_population(pd.DataFrame(stock), given)
    six = people.population.query("age == 6 and year == 2026")
    found = six.set_index("district")["population"]
    assert found[["A-U", "A-R"]].tolist() == pytest.approx([1100.0, 900.0])
    assert found.sum() == pytest.approx(2000.0)


def test_r17_a_plan_covers_fifteen_years() -> None:
    """R16, R17: without a horizon, the last year is the launch and fifteen more."""
    assert Settings().horizon == 15
    city = pf.load_example("city").settings
    assert city.launch_year is not None
    assert city.launch_year + city.horizon >= 2035
    inputs = two_zones()
    assert inputs.settings.horizon == 3
    result = pf.forecast(inputs, horizon=Settings().horizon)
    assert result.last_year == result.launch_year + 15


def test_r22_no_task_of_a_county_is_invented() -> None:
    """R22: the example orders places of the city only, since no other number is published."""
    inputs = pf.load_example("city")
    assert inputs.tasks is not None
    assert set(inputs.tasks["district"]) == {"CITY"}


def test_r50_births_of_a_district_reach_its_own_schools() -> None:
    """R50, R51: 30 births more in the town in 2024 are 30 children of age 3 there in 2027."""
    births = pd.concat(by_year("births", [100.0] * 10, 2016, district=d) for d in ("A-U", "A-R"))
    here = (births["district"] == "A-U") & (births["year"] == 2024)
    more = births.assign(births=births["births"] + 30.0 * here)
    before, after = (
        pf.school_age_children(pf.Assumptions(births=table)).query("year == 2027")
        for table in (births, more)
    )
    rise = after["children"] - before["children"]
    assert after[rise > 0][["district", "age"]].to_numpy().tolist() == [["A-U", 3]]
    assert rise.sum() == pytest.approx(30.0)


def test_r56_a_comprehensive_senior_school_is_a_stage_of_its_own() -> None:
    """R56: J3 goes on to general, vocational and comprehensive schools: 0.5, 0.3 and 0.1 of it."""
    rows = [
        ("J3", "junior", 9, 14, "population"),
        ("S1", "senior_general", 10, 15, "J3"),
        ("V1", "senior_vocational", 10, 15, "J3"),
        ("Z1", "senior_comprehensive", 10, 15, "J3"),
    ]
    names = ["grade", "stage", "position", "entry_age", "enters_from"]
    system = pd.DataFrame(rows, columns=names).assign(duration=1)
    counts = {"J3": [200.0] * 4, "S1": [100.0] * 4, "V1": [60.0] * 4, "Z1": [20.0] * 4}
    stage = {"district": "A", "year": 2025, "places": [90.0, 60.0, 30.0]}
    places = pd.DataFrame({**stage, "stage": [row[1] for row in rows[1:]]})
    size = {"stage": ["senior_comprehensive"], "indicator": "class_size", "value": 50.0}
    size_of = pd.DataFrame(size)
    inputs = region(pupils(counts, 2022), grades=system, places=places, standards=size_of)
    with pytest.warns(pf.AssumptionWarning, match="no places are given"):
        result = pf.forecast(inputs, horizon=1)
    assert result.balance is not None
    found = result.balance.query("year == 2026 and plan_case == 'planned'").set_index("stage")
    expected = {"senior_general": -10.0, "senior_vocational": 0.0, "senior_comprehensive": 10.0}
    for name, gap in expected.items():
        assert found.loc[name, "balance"] == pytest.approx(gap)


def test_r61_who_drops_out_is_not_in_the_next_grade() -> None:
    """R61: a progression of 0.98 loses 2 % of 100 pupils, and 2 % of the rest a year later."""
    counted = pupils({"P1": [100.0], "P2": [100.0], "P3": [100.0]}, 2025)
    births = by_year("births", [100.0] * 10, 2016, district="A")
    intake = pd.DataFrame({"grade": ["P1"], "ratio": 1.0, "basis": "births"})
    kept = pd.DataFrame({"grade": ["P2", "P3"], "ratio": 0.98})
    given = pf.Assumptions(births=births, intake=intake, progression=kept)
    children = pf.school_age_children(given)
    found = pf.project_enrolment(children, counted, given).set_index(["grade", "year"])["pupils"]
    np.testing.assert_allclose(found[[("P2", 2026), ("P3", 2027)]], [98.0, 98 * 0.98], rtol=1e-12)


@pytest.mark.parametrize("below", [("East catchment", "West catchment"), ("School", "Point")])
def test_r68_r69_catchments_and_teaching_points_are_leaves(below: tuple[str, str]) -> None:
    """R68, R69: 130 and 70 pupils where 100 places stand in each: 30 are short, not none."""
    tree = pd.DataFrame({"district": ["A", *below], "parent": [None, "A", "A"]})
    cell: dict[str, Any] = {"year": 2026, "grade": "P1", "stage": "primary", "ledger": "all"}
    needed = pd.DataFrame({"district": below, "pupils": [130.0, 70.0], "demand": [130.0, 70.0]})
    places = pd.DataFrame({"district": below, "plan_case": "planned", "places": 100.0})
    balance = pf.balance_places(needed.assign(**cell), places.assign(**cell), districts=tree)
    found = balance.stages.set_index("district")
    assert found["cell_shortfall"].to_dict() == {"A": 30.0, below[0]: 30.0, below[1]: 0.0}
    assert found.loc["A", "shortfall"] == 0.0
