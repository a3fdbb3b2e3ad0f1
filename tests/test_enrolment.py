"""Pupils grade by grade, worked by hand, and what holds of every projection of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.grades import load_grades
from schools import (
    assert_cohorts_move,
    assert_multiple,
    assert_same_sums,
    by_year,
    found,
    grades,
    pupils,
    with_cell_changed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

AHEAD = (2026, 2027, 2028)


def children(
    born: list[float], first: int, district: str = "A", share: list[float] | None = None
) -> pd.DataFrame:
    """Return births of cohorts as children of every school age."""
    table = by_year("births", born, first, district=district)
    table["share_born"] = 1.0 if share is None else share
    return pf.school_age_children(pf.Assumptions(births=table))


def rates(ratios: Mapping[str, float | list[float]], basis: str | None = None) -> pd.DataFrame:
    """Return the ratios of grades in the years ahead, everywhere."""
    rows = [
        {"year": year, "grade": grade, "ratio": number}
        for grade, given in ratios.items()
        for year, number in zip(
            AHEAD, given if isinstance(given, list) else [given] * 3, strict=True
        )
    ]
    table = pd.DataFrame(rows)
    return table if basis is None else table.assign(basis=basis)


def close(actual: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


# Worked by hand.


def test_grades_take_in_and_move_up() -> None:
    taught = pupils({"P1": [100, 110], "P2": [90, 95], "P3": [80, 85]}, 2024)
    assumptions = pf.Assumptions(
        intake=rates({"P1": [1.0, 1.1, 1.2]}, "births"),
        progression=rates({"P2": [0.9, 1.0, 0.8], "P3": [1.0, 0.5, 2.0]}),
    )
    result = pf.project_enrolment(children([50, 60, 70], 2020), taught, assumptions)
    assert list(result.columns) == ["district", "year", "grade", "pupils", "share_born"]
    assert list(result["year"].unique()) == [2025, 2026, 2027, 2028]
    close(found(result, "P1"), [110, 50 * 1.0, 60 * 1.1, 70 * 1.2])
    close(found(result, "P2"), [95, 110 * 0.9, 50 * 1.0, 66 * 0.8])
    close(found(result, "P3"), [85, 95 * 1.0, 99 * 0.5, 50 * 2.0])


def test_a_stage_total_holds_children_of_all_its_ages() -> None:
    """Ages 3-5 in 2026: cohorts of 2021-2023."""
    total = grades(("K", "kindergarten", 1, 3, 3, "population"))
    assumptions = pf.Assumptions(participation=rates({"K": [0.9, 0.8, 0.5]}, "births"))
    born = children([10, 20, 30, 40, 50], 2021)
    result = pf.project_enrolment(born, pupils({"K": [77]}, 2025), assumptions, grades=total)
    close(found(result, "K"), [77, 0.9 * 60, 0.8 * 90, 0.5 * 120])


def test_a_total_fed_by_a_grade_holds_the_years_before() -> None:
    """P2_4 of 2026 comes from P1 of 2023-2025, that of 2028 from 2025 and two forecast years."""
    system = grades(("P1", "primary", 1, 6, 1, "population"), ("P2_4", "primary", 2, 7, 3, "P1"))
    taught = pupils({"P1": [100, 200, 300], "P2_4": [1, 2, 3]}, 2023)
    assumptions = pf.Assumptions(
        intake=rates({"P1": 1.0}, "births"), progression=rates({"P2_4": [0.9, 1.0, 1.1]})
    )
    born = children([10, 20, 30], 2020)
    result = pf.project_enrolment(born, taught, assumptions, grades=system)
    close(found(result, "P2_4"), [3, 0.9 * 600, 1.0 * (200 + 300 + 10), 1.1 * (300 + 10 + 20)])


def test_parallel_stages_both_take_in_from_the_last_junior_grade() -> None:
    ladder = {g: [10] for g in ("P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2")}
    taught = pupils({**ladder, "J3": [100], "S1": [7], "S2": [5], "V1": [3]}, 2025)
    up = dict.fromkeys(("P2", "P3", "P4", "P5", "P6", "J1", "J2"), 1.0)
    apart = {"S1": [0.6, 0.5, 0.4], "V1": [0.35, 0.45, 0.55]}
    assumptions = pf.Assumptions(
        intake=rates({"P1": 1.0}, "births"),
        progression=rates({**up, "J3": 1.5, "S2": 0.9, **apart}),
    )
    result = pf.project_enrolment(children([10] * 3, 2020), taught, assumptions)
    close(found(result, "J3"), [100, 15, 15, 15])
    close(found(result, "S1"), [7, 60, 7.5, 6])
    close(found(result, "V1"), [3, 35, 0.45 * 15, 0.55 * 15])
    close(found(result, "S2"), [5, 0.9 * 7, 0.9 * 60, 0.9 * 7.5])


def test_sectors_are_added_up() -> None:
    parts = [pupils({"P1": [n]}, 2025, sector=s) for s, n in (("public", 60), ("private", 40))]
    assumptions = pf.Assumptions(intake=rates({"P1": 1.0}, "births"))
    result = pf.project_enrolment(children([5, 6, 7], 2020), pd.concat(parts), assumptions)
    close(found(result, "P1"), [100, 5, 6, 7])


def test_residence_is_carried_through() -> None:
    taught = pd.concat(
        [
            pupils({"P1": [60], "P2": [50]}, 2025, residence="local"),
            pupils({"P1": [40], "P2": [30]}, 2025, residence="migrant"),
        ]
    )
    intake = pd.concat(
        rates({"P1": ratio}, "births").assign(residence=residence)
        for residence, ratio in (("local", 0.8), ("migrant", 0.5))
    )
    assumptions = pf.Assumptions(intake=intake, progression=rates({"P2": 0.9}))
    result = pf.project_enrolment(children([10, 20, 30], 2020), taught, assumptions)
    assert list(result.columns) == [
        "district",
        "year",
        "grade",
        "residence",
        "pupils",
        "share_born",
    ]
    close(found(result, "P1", residence="local"), [60, 8, 16, 24])
    close(found(result, "P2", residence="local"), [50, 54, 7.2, 14.4])
    close(found(result, "P2", residence="migrant"), [30, 36, 4.5, 9])
    demand = pf.demand_places(result, assumptions)
    close(found(demand, "P1"), [100, 13, 26, 39])


def test_ratios_without_a_year_reach_as_far_as_children_do() -> None:
    """The last child of 6 is that born in 2022; those of 7 and more would reach further."""
    assumptions = pf.Assumptions(
        intake=pd.DataFrame({"grade": ["P1"], "ratio": 1.0, "basis": "births"}),
        progression=pd.DataFrame({"grade": ["P2"], "ratio": 0.5}),
    )
    taught = pupils({"P1": [100], "P2": [100]}, 2025)
    result = pf.project_enrolment(children([10, 20, 30], 2020), taught, assumptions)
    close(found(result, "P1"), [100, 10, 20, 30])
    close(found(result, "P2"), [100, 50, 5, 10])


def test_the_share_born_follows_the_cohort() -> None:
    """Of those born in 2024 five months are recorded; later cohorts are not yet born.

    K1 is entered at 3, the total N holds ages 3 to 5, P2 is reached at 7. Whoever is in P2 in 2025
    was born in 2018, before any record.
    """
    system = grades(
        ("K1", "kindergarten", 1, 3, 1, "population"),
        ("N", "special", 1, 3, 3, "population"),
        ("P1", "primary", 2, 6, 1, "population"),
        ("P2", "primary", 3, 7, 1, "grade_below"),
    )
    born = children([100.0] * 7, 2019, share=[1.0] * 5 + [5 / 12, 0.0])
    assumptions = pf.Assumptions(
        intake=rates({"K1": 1.0, "P1": 1.0}, "births"),
        participation=rates({"N": 1.0}, "births"),
        progression=rates({"P2": 1.0}),
    )
    taught = pupils({"K1": [9], "N": [9], "P1": [9], "P2": [9]}, 2025)
    result = pf.project_enrolment(born, taught, assumptions, grades=system)
    close(found(result, "K1", "share_born"), [1, 1, 5 / 12, 0])
    close(found(result, "N", "share_born"), [1, 1, (1 + 1 + 5 / 12) / 3, (1 + 5 / 12 + 0) / 3])
    close(found(result, "P1", "share_born"), [1, 1, 1, 1])
    close(found(result, "P2", "share_born"), [1, 1, 1, 1])


# What is refused, and what is said.

TAUGHT = pupils({"P1": [100, 110], "P2": [90, 95]}, 2024)
COHORTS = children([50, 60, 70], 2020)
SOUND = pf.Assumptions(intake=rates({"P1": 1.0}, "births"), progression=rates({"P2": 1.0}))


@pytest.mark.parametrize(
    ("ratio_on", "children_on"), [("resident", "births"), ("births", "resident")]
)
def test_bases_do_not_mix(ratio_on: str, children_on: str) -> None:
    mixed = replace(SOUND, intake=rates({"P1": 1.0}, ratio_on))
    counted = COHORTS.assign(basis=children_on)
    message = (
        f"intake, column basis: of P1 is on the basis {ratio_on}, the children on {children_on}"
    )
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(counted, TAUGHT, mixed)


def test_one_grade_has_one_basis() -> None:
    both = rates({"P1": 1.0}, "births")
    both.loc[0, "basis"] = "resident"
    message = "of P1 is on the basis births and resident, the children on births"
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(COHORTS, TAUGHT, replace(SOUND, intake=both))


def test_a_missing_ratio_names_the_cell() -> None:
    """The rows of grades that nobody is in do not matter."""
    several = pd.concat(rates({"P2": 1.0, "P5": 1.0}).assign(district=d) for d in ("A", "B"))
    holed = several[~((several["district"] == "B") & (several["year"] == 2027))]
    both = pd.concat([TAUGHT, TAUGHT.assign(district="B")])
    cohorts = pd.concat([COHORTS, COHORTS.assign(district="B")])
    message = "progression, column ratio: lacks 1 ratios of grade P2, first: district B, year 2027"
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(cohorts, both, replace(SOUND, progression=holed))
    with pytest.raises(pf.InputError, match=r"progression: has no ratio of grade P2\. Give assump"):
        pf.project_enrolment(COHORTS, TAUGHT, replace(SOUND, progression=None))


def test_missing_children_are_named() -> None:
    message = r"lacks children for P1 in 2027 in A \(basis births, cohorts of 2021; 1 such cells\)"
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(COHORTS.query("year - age != 2021"), TAUGHT, SOUND)


def test_a_pool_with_a_missing_year_is_named() -> None:
    system = grades(("P1", "primary", 1, 6, 1, "population"), ("P2_4", "primary", 2, 7, 3, "P1"))
    taught = pupils({"P1": [None, 200, 300], "P2_4": [1, 2, 3]}, 2023)
    assumptions = replace(SOUND, progression=rates({"P2_4": 1.0}))
    message = (
        r"lacks pupils of P1 in A, from which P2_4 takes in up to 2026. "
        r"Add the rows of P1 \(3 years back\), 0 for none."
    )
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(COHORTS, taught, assumptions, grades=system)


def test_ratios_that_end_at_the_launch_are_refused() -> None:
    early = rates({"P1": 1.0}, "births").assign(year=[2023, 2024, 2025])
    with pytest.raises(pf.InputError, match=r"column year: reaches no year after .* 2025"):
        pf.project_enrolment(COHORTS, TAUGHT, replace(SOUND, intake=early))


def test_pupils_without_a_next_grade_do_not_vanish_unsaid() -> None:
    """B teaches the first two grades only; it is lawful that the others are taught elsewhere."""
    whole = pupils({"P1": [10], "P2": [10], "P3": [10]}, 2025)
    point = pupils({"P1": [10], "P2": [10]}, 2025, district="B")
    assumptions = replace(SOUND, progression=rates({"P2": 1.0, "P3": 1.0}))
    cohorts = pd.concat([COHORTS, COHORTS.assign(district="B")])
    message = r"pupils leave the count where the next grade has no row: B \(P2 but no P3\)"
    with pytest.warns(pf.AssumptionWarning, match=message):
        result = pf.project_enrolment(cohorts, pd.concat([whole, point]), assumptions)
    assert set(result.loc[result["district"] == "B", "grade"]) == {"P1", "P2"}


# What holds of every projection.

LADDER = ["P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2", "J3", "S1", "S2", "S3"]


def people(seed: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return children and pupils of three districts that differ from cell to cell."""
    rng = np.random.default_rng(seed)
    born, taught = [], []
    for district in ("A", "B", "C"):
        born.append(children(list(rng.uniform(50, 150, 8)), 2018, district))
        counts = {
            grade: [float(n) for n in rng.uniform(50, 150, 2)]
            for grade in ["K1", "K2", "K3", *LADDER]
        }
        taught.append(pupils(counts, 2024, district))
    return pd.concat(born, ignore_index=True), pd.concat(taught, ignore_index=True)


def given(seed: int | None = 6, districts: tuple[str, ...] = ("A", "B", "C")) -> pf.Assumptions:
    """Return ratios that differ from cell to cell; without a seed, nobody joins or leaves."""
    rng = np.random.default_rng(seed)
    tables = []
    for district in districts:
        names = ["K1", "P1", "K2", "K3", *LADDER[1:]]
        drawn = {g: 1.0 if seed is None else float(rng.uniform(0.8, 1.2)) for g in names}
        tables.append(rates(drawn).assign(district=district))
    table = pd.concat(tables, ignore_index=True)
    entry = table["grade"].isin(["K1", "P1"])
    return pf.Assumptions(intake=table[entry].assign(basis="births"), progression=table[~entry])


def test_a_cohort_that_nobody_leaves_keeps_its_size() -> None:
    born, taught = people()
    result = pf.project_enrolment(born, taught, given(None))
    assert_cohorts_move(result, LADDER)
    assert_cohorts_move(result, ["K1", "K2", "K3"])
    held = result.copy()
    held.loc[(held["grade"] == "J3") & (held["year"] == 2027), "pupils"] += 1e-6
    with pytest.raises(AssertionError, match="A: from J2 to J3"):
        assert_cohorts_move(held, LADDER)


def test_doubling_people_doubles_pupils() -> None:
    born, taught = people()
    once = pf.project_enrolment(born, taught, given())
    doubled = (
        born.assign(children=2 * born["children"]),
        taught.assign(pupils=2 * taught["pupils"]),
    )
    twice = pf.project_enrolment(*doubled, given())
    assert_multiple(twice, once, 2.0)
    with pytest.raises(AssertionError, match=r"2\.0 times"):
        assert_multiple(with_cell_changed(twice), once, 2.0)


def test_a_district_split_in_two_adds_up() -> None:
    born, taught = people()
    whole = pf.project_enrolment(born, taught, given())

    def split(table: pd.DataFrame, value: str = "") -> pd.DataFrame:
        parts = [table[table["district"] != "B"]]
        for part, share in (("B1", 0.3), ("B2", 0.7)):
            rows = table[table["district"] == "B"].assign(district=part)
            parts.append(rows.assign(**{value: rows[value] * share}) if value else rows)
        return pd.concat(parts, ignore_index=True)

    assumptions = given()
    assert assumptions.intake is not None
    assert assumptions.progression is not None
    apart = pf.Assumptions(
        intake=split(assumptions.intake), progression=split(assumptions.progression)
    )
    summed = pf.project_enrolment(split(born, "children"), split(taught, "pupils"), apart)
    assert set(summed["district"]) == {"A", "B1", "B2", "C"}
    assert_same_sums(whole, summed)
    with pytest.raises(AssertionError, match="sums over districts"):
        assert_same_sums(whole, with_cell_changed(summed))


def test_the_order_of_rows_changes_nothing() -> None:
    born, taught = people()
    one = pf.project_enrolment(born, taught, given())
    assumptions = given()
    assert assumptions.intake is not None
    assert assumptions.progression is not None
    shuffle = partial(pd.DataFrame.sample, frac=1, random_state=8)
    other = pf.project_enrolment(
        shuffle(born),
        shuffle(taught),
        replace(
            assumptions,
            intake=shuffle(assumptions.intake),
            progression=shuffle(assumptions.progression),
        ),
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    with pytest.raises(AssertionError, match="are different"):
        pd.testing.assert_frame_equal(one, with_cell_changed(other, by=1e-9), check_exact=True)


@pytest.mark.parametrize(
    ("system", "entries", "ladder"),
    [
        ("cn-6-3-3", {"K1": 3, "P1": 6}, LADDER),
        ("cn-5-4-3", {"K1": 3, "P1": 6}, [*LADDER[:5], "J0", *LADDER[6:]]),
        ("england", {"R": 4}, ["R", *map(str, range(1, 15))]),
        ("us-k12", {"K": 5}, ["K", *map(str, range(1, 13))]),
    ],
)
def test_every_school_system_moves_its_cohorts(
    system: str, entries: dict[str, int], ladder: list[str]
) -> None:
    """Who enters is the cohort of the entry age; everybody else came up a grade."""
    named = load_grades(system)
    counts = {grade: [1000.0 + i] for i, grade in enumerate(named["grade"]) if grade != "SE"}
    table = by_year("births", [100.0 + i for i in range(20)], 2010, district="A")
    born = pf.school_age_children(pf.Assumptions(births=table), grades=named)
    others = [grade for grade in counts if grade not in entries]
    assumptions = pf.Assumptions(
        intake=rates(dict.fromkeys(entries, 1.0), "births"),
        progression=rates(dict.fromkeys(others, 1.0)),
    )
    result = pf.project_enrolment(born, pupils(counts, 2025), assumptions, grades=named)
    assert_cohorts_move(result, ladder)
    for grade, age in entries.items():
        expected = [counts[grade][0], *(100.0 + year - age - 2010 for year in AHEAD)]
        close(found(result, grade), expected)
