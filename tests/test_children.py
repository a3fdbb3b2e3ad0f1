"""Children of school age, on the basis of births and on that of residents, worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.population.children import school_ages
from placeforecast.tables.grades import load_grades

BORN = pd.DataFrame(
    {
        "district": ["A", "A", "A", "A"],
        "year": [2018, 2019, 2020, 2021],
        "births": [100.0, 90.0, 80.0, 70.0],
        "share_born": [1.0, 1.0, 0.25, 0.0],
    }
)
SURVIVAL = pd.concat(
    pd.DataFrame({"sex": sex, "age": range(5), "survival": [0.9, 1.0, 1.0, 1.0, 1.0]})
    for sex in ("female", "male")
)
FERTILITY = pd.DataFrame({"age": [4], "asfr": [0.5]})
ENTRY_AT_3 = pd.DataFrame(
    {
        "grade": ["N1", "N2"],
        "stage": "kindergarten",
        "position": [1, 2],
        "entry_age": [3, 4],
        "duration": 1,
        "enters_from": ["population", "grade_below"],
    }
)


def people_of_2020(district: str = "A") -> pd.DataFrame:
    """Return 10, 20, 30, 40, 100 girls and as many boys and one more, by age."""
    return pd.concat(
        pd.DataFrame(
            {
                "district": district,
                "year": 2020,
                "sex": sex,
                "age": range(5),
                "population": np.array([10.0, 20.0, 30.0, 40.0, 100.0]) + more,
            }
        )
        for sex, more in (("female", 0), ("male", 1))
    )


def counted(children: pd.DataFrame, basis: str, value: str = "children") -> dict[str, float]:
    """Return a column of one basis, by "age in year"."""
    rows = children[children["basis"] == basis]
    keys = [f"{age} in {year}" for age, year in zip(rows["age"], rows["year"], strict=True)]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, rows[value], strict=True))


def test_school_ages_run_from_the_first_entry_to_the_last_leaving() -> None:
    assert school_ages(load_grades("cn-6-3-3")) == list(range(3, 18))
    assert school_ages(load_grades("england"))[:2] == [4, 5]
    assert school_ages(ENTRY_AT_3) == [3, 4]


def test_births_are_carried_forward_unmoved() -> None:
    children = pf.school_age_children(pf.Assumptions(births=BORN), grades=ENTRY_AT_3)
    assert list(children.columns) == ["district", "year", "age", "basis", "children", "share_born"]
    assert set(children["basis"]) == {"births"}
    assert counted(children, "births") == {
        "3 in 2021": 100.0,
        "3 in 2022": 90.0,
        "3 in 2023": 80.0,
        "3 in 2024": 70.0,
        "4 in 2022": 100.0,
        "4 in 2023": 90.0,
        "4 in 2024": 80.0,
        "4 in 2025": 70.0,
    }


def test_the_share_born_goes_with_the_cohort() -> None:
    children = pf.school_age_children(pf.Assumptions(births=BORN), grades=ENTRY_AT_3)
    shares = counted(children, "births", "share_born")
    assert [shares[f"3 in {year}"] for year in range(2021, 2025)] == [1.0, 1.0, 0.25, 0.0]
    assert [shares[f"4 in {year}"] for year in range(2022, 2026)] == [1.0, 1.0, 0.25, 0.0]


def test_births_without_a_share_are_all_born() -> None:
    born = BORN.drop(columns="share_born")
    children = pf.school_age_children(pf.Assumptions(births=born), grades=ENTRY_AT_3)
    assert children["share_born"].eq(1).all()


def test_the_school_system_of_the_assumptions_is_used() -> None:
    assumptions = pf.Assumptions(births=BORN, grades=ENTRY_AT_3)
    assert set(pf.school_age_children(assumptions)["age"]) == {3, 4}
    assert set(pf.school_age_children(pf.Assumptions(births=BORN))["age"]) == set(range(3, 18))


def test_residents_are_people_of_that_age() -> None:
    assumptions = pf.Assumptions(survival=SURVIVAL, births=BORN)
    projection = pf.project_population(people_of_2020(), assumptions, until=2021)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    # 2021: the 30 + 31 aged 2 reach 3; the open group of 4 and over gains the 40 + 41 aged 3.
    assert counted(children, "resident") == {
        "3 in 2020": 81.0,
        "3 in 2021": 61.0,
        "4 in 2020": 201.0,
        "4 in 2021": 282.0,
    }


def test_residents_counted_at_the_start_are_born() -> None:
    """Without births, the share born is that of people counted."""
    assumptions = pf.Assumptions(survival=SURVIVAL, fertility=FERTILITY)
    projection = pf.project_population(people_of_2020(), assumptions, until=2025)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    assert set(children["basis"]) == {"resident"}
    shares = counted(children, "resident", "share_born")
    # Three years old in 2023 were born by the cut-off of 2020, in 2024 after it.
    assert (shares["3 in 2023"], shares["3 in 2024"]) == (1.0, 0.0)
    assert (shares["4 in 2024"], shares["4 in 2025"]) == (1.0, 0.0)


def test_residents_take_the_share_of_recorded_births() -> None:
    born = BORN.assign(year=BORN["year"] + 2)
    assumptions = pf.Assumptions(survival=SURVIVAL, births=born)
    projection = pf.project_population(people_of_2020(), assumptions, until=2023)
    shares = counted(
        pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3), "resident", "share_born"
    )
    assert shares["3 in 2023"] == 1.0
    assumptions = pf.Assumptions(survival=SURVIVAL, fertility=FERTILITY, births=born)
    projection = pf.project_population(people_of_2020(), assumptions, until=2026)
    shares = counted(
        pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3), "resident", "share_born"
    )
    assert [shares[f"3 in {year}"] for year in (2024, 2025, 2026)] == [1.0, 0.25, 0.0]


def test_recorded_births_without_a_share_make_residents_born() -> None:
    """Both bases say the same of a cohort whose births are recorded."""
    born = pd.DataFrame({"district": "A", "year": [2021], "births": [100.0]})
    assumptions = pf.Assumptions(survival=SURVIVAL, births=born)
    projection = pf.project_population(people_of_2020(), assumptions, until=2021)
    ages_0_1 = ENTRY_AT_3.assign(entry_age=[0, 1])
    children = pf.school_age_children(assumptions, projection, grades=ages_0_1)
    assert counted(children, "births", "share_born")["0 in 2021"] == 1.0
    assert counted(children, "resident", "share_born")["0 in 2021"] == 1.0


def test_the_unborn_come_from_the_projection_where_it_computes_births() -> None:
    """The women of 4 and over are 100 in 2020, 140 in 2021, 170 in 2022: births 60, then 77.5."""
    born = BORN[BORN["year"] <= 2020]
    assumptions = pf.Assumptions(survival=SURVIVAL, fertility=FERTILITY, births=born)
    projection = pf.project_population(people_of_2020(), assumptions, until=2022)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    found = counted(children, "births")
    np.testing.assert_allclose(
        [found[f"3 in {year}"] for year in range(2021, 2026)], [100, 90, 80, 60, 77.5]
    )
    shares = counted(children, "births", "share_born")
    assert (shares["3 in 2023"], shares["3 in 2024"]) == (0.25, 0.0)


def test_the_unborn_come_from_the_assumed_births_without_fertility() -> None:
    assumptions = pf.Assumptions(survival=SURVIVAL, births=BORN)
    projection = pf.project_population(people_of_2020(), assumptions, until=2021)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    assert counted(children, "births")["3 in 2024"] == 70.0
    # They are survived on the basis of residents only: 70 x 0.9 at age 0.
    newborns = projection.population.query("year == 2021 and age == 0")["population"].sum()
    np.testing.assert_allclose(newborns, 63.0)


def test_assumed_births_give_way_to_computed_ones() -> None:
    """Two sources for one unborn cohort would be two answers."""
    assumptions = pf.Assumptions(survival=SURVIVAL, fertility=FERTILITY, births=BORN)
    projection = pf.project_population(people_of_2020(), assumptions, until=2022)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    np.testing.assert_allclose(counted(children, "births")["3 in 2024"], 60.0)


def test_a_district_without_recorded_births_keeps_its_unborn() -> None:
    people = pd.concat([people_of_2020("A"), people_of_2020("B")])
    born = pd.concat([BORN[BORN["year"] <= 2020], BORN[BORN["year"] == 2021].assign(district="B")])
    assumptions = pf.Assumptions(survival=SURVIVAL, fertility=FERTILITY, births=born)
    projection = pf.project_population(people, assumptions, until=2022)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    of_b = children.query("basis == 'births' and district == 'B' and age == 3")
    np.testing.assert_allclose(of_b["children"], [60.0, 77.5])


def test_one_place_needs_no_district() -> None:
    """A projection of people without `district` has none in its tables either."""
    people = people_of_2020().drop(columns="district")
    assumptions = pf.Assumptions(survival=SURVIVAL, fertility=FERTILITY)
    projection = pf.project_population(people, assumptions, until=2021)
    children = pf.school_age_children(assumptions, projection, grades=ENTRY_AT_3)
    assert counted(children, "resident")["3 in 2021"] == 61.0


def test_neither_births_nor_people_is_refused() -> None:
    with pytest.raises(pf.InputError, match="there are neither births nor people to count"):
        pf.school_age_children(pf.Assumptions())
