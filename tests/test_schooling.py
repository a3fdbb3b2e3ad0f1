"""Ratios of entry, participation and progression, learnt from histories worked by hand."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.settings import Time
from schools import SIMPLE, by_year, grades, pupils, ratios, region

if TYPE_CHECKING:
    from pathlib import Path


def close(actual: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def notes_of(assumptions: pf.Assumptions, topic: str) -> list[str]:
    notes = assumptions.notes
    return list(notes.loc[notes["topic"] == topic, "text"])


# Entry grades.

CALENDAR_BIRTHS = by_year("births", [1200, 900, 600, 1500], 2017, district="A")
ENTRANTS = pupils({"P1": [1050, 700]}, 2024)


@pytest.mark.parametrize(("model", "ratio"), [("naive", 1.0), (SIMPLE, (1.05 + 1.0) / 2)])
def test_intake_on_births_of_calendar_years(model: str, ratio: float) -> None:
    """Age 6 in 2024: 8/12 of 900 and 4/12 of 1,200, 1,000 in all; in 2025 400 + 300, or 700.

    In 2026 they are 8/12 of 1,500 and 4/12 of 600: 1,200.
    """
    inputs = region(ENTRANTS, CALENDAR_BIRTHS, time=Time(), horizon=1)
    assumptions = pf.estimate(inputs, model=model)
    close(ratios(assumptions.intake, "P1"), [ratio])
    assert assumptions.intake is not None
    assert set(assumptions.intake["basis"]) == {"births"}
    result = pf.forecast(inputs, model=model)
    close(list(result.pupils.query("year == 2026")["pupils"]), [1200 * ratio])


def test_a_cohort_of_which_some_months_are_known() -> None:
    """Four months of 2021 are known: 4/12 of 1,500, and 8/12 of the last whole cohort of 1,200."""
    born = pf.estimate(
        region(ENTRANTS, CALENDAR_BIRTHS, time=Time(), horizon=1), model=SIMPLE
    ).births
    assert born is not None
    cohorts = born.set_index("year")
    close(list(cohorts["births"][[2018, 2019, 2020, 2021]]), [1000, 700, 1200, 500 + 800])
    close(list(cohorts["births"][[2022, 2026]]), [1200, 1200])
    close(list(cohorts["share_born"][[2020, 2021, 2022]]), [1, 1 / 3, 0])


def test_a_hole_in_births_still_to_enter_is_refused() -> None:
    holed = CALENDAR_BIRTHS.query("year != 2019")
    inputs = region(ENTRANTS, holed, time=Time(), horizon=1)
    left_out = "births: cohorts with a month missing are left out: A 2019, A 2020"
    message = r"lacks children for P1 in 2026 in A \(basis births, cohorts of 2020; 1 such cells\)"
    with (
        pytest.warns(pf.AssumptionWarning, match=left_out),
        pytest.raises(pf.InputError, match=message),
    ):
        pf.forecast(inputs)


def test_participation_of_a_stage_known_only_as_a_total() -> None:
    """Ages 3-5 in 2024: cohorts of 2019-2021, 300 + 400 + 500; in 2025: 400 + 500 + 600."""
    total = grades(("K", "kindergarten", 1, 3, 3, "population"))
    born = by_year("births", [300, 400, 500, 600, 900], 2019, district="A")
    inputs = region(pupils({"K": [900, 1200]}, 2024), born, grades=total, horizon=1)
    assumptions = pf.estimate(inputs, model=SIMPLE)
    assert assumptions.intake is None
    assert assumptions.progression is None
    close(ratios(assumptions.participation, "K"), [(900 / 1200 + 1200 / 1500) / 2])


# Grades that take in from another.


def test_progression_with_weights_3_2_1() -> None:
    """J2 over J1 a year before: 90/100, 99/110, 96/120 and, the latest, 130/130."""
    taught = pupils(
        {"P1": [50] * 5, "J1": [100, 110, 120, 130, 140], "J2": [7, 90, 99, 96, 130]}, 2021
    )
    systems = grades(
        ("P1", "primary", 1, 6, 1, "population"),
        ("J1", "junior", 2, 12, 1, "population"),
        ("J2", "junior", 3, 13, 1, "grade_below"),
    )
    assumptions = pf.estimate(region(taught, grades=systems), model=SIMPLE)
    close(ratios(assumptions.progression, "J2"), [(3 * 1.0 + 2 * 0.8 + 1 * 0.9) / 6] * 3)
    assert assumptions.progression is not None
    assert "basis" not in assumptions.progression.columns


def test_a_total_takes_in_from_the_years_of_its_pool() -> None:
    """Two years of J2_3 from the entrants of the two years before: 2023 from 100 + 120, and so on.

    Ratios 209/220, 240/250 and, the latest, 270/270.
    """
    taught = pupils({"J1": [100, 120, 130, 140, 150], "J2_3": [1, 2, 209, 240, 270]}, 2021)
    system = grades(
        ("J1", "junior", 1, 12, 1, "population"), ("J2_3", "junior", 2, 13, 2, "grade_below")
    )
    assumptions = pf.estimate(region(taught, grades=system), model=SIMPLE)
    close(ratios(assumptions.progression, "J2_3"), [(3 * 1.0 + 2 * 0.96 + 0.95) / 6] * 3)


def test_parallel_stages_both_follow_the_last_junior_grade() -> None:
    ladder = {g: [100, 100] for g in ("P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2")}
    taught = pupils({**ladder, "J3": [200, 210], "S1": [9, 120], "V1": [9, 70]}, 2024)
    assumptions = pf.estimate(region(taught), model="naive")
    close(ratios(assumptions.progression, "S1"), [0.6] * 3)
    close(ratios(assumptions.progression, "V1"), [0.35] * 3)


def test_a_grade_without_the_grade_below_it_is_refused() -> None:
    message = r"enrolment: has P2 but not P1, which it takes in from. Add pupils of P1, or give"
    with pytest.raises(pf.InputError, match=message):
        pf.estimate(region(pupils({"P2": [100, 100]}, 2024)), model=SIMPLE)


# The basis.


def with_residents(enrolment: pd.DataFrame, born: pd.DataFrame) -> pf.Inputs:
    """Return a region with 100 girls and 110 boys of each age in 2022; nobody dies or is born."""
    people = pd.DataFrame(
        [
            {"district": "A", "year": 2022, "sex": sex, "age": age, "population": number}
            for sex, number in (("female", 100.0), ("male", 110.0))
            for age in range(10)
        ]
    )
    return region(
        enrolment,
        born,
        population=people,
        survival=people[["sex", "age"]].assign(survival=1.0),
        fertility=pd.DataFrame({"age": [8], "asfr": [0.0]}),
    )


def test_births_where_they_cover_the_whole_history() -> None:
    taught = pupils({"P1": [120, 130, 140, 150]}, 2022)
    born = by_year("births", [100] * 9, 2016, district="A")
    assumptions = pf.estimate(with_residents(taught, born), model=SIMPLE)
    assert assumptions.intake is not None
    assert set(assumptions.intake["basis"]) == {"births"}
    close(ratios(assumptions.intake, "P1"), [1.4] * 3)
    assert notes_of(assumptions, "intake") == []


def test_residents_where_births_do_not_reach_back() -> None:
    """210 children of age 6 live there from the count of 2022 on; births begin a year too late."""
    taught = pupils({"P1": [120, 126, 147, 189, 168]}, 2021)
    born = by_year("births", [100] * 9, 2016, district="A")
    assumptions = pf.estimate(with_residents(taught, born), model=SIMPLE)
    assert assumptions.intake is not None
    assert set(assumptions.intake["basis"]) == {"resident"}
    close(ratios(assumptions.intake, "P1"), [(147 + 189 + 168) / 630] * 3)
    text = "P1: births do not cover its whole history; its ratio is learnt on the basis resident"
    assert notes_of(assumptions, "intake") == [f"{text} from 2022"]


def test_births_shorten_the_history_where_nobody_was_counted() -> None:
    taught = pupils({"P1": [120, 130, 140, 150]}, 2022)
    other = pupils({"P2": [50, 50, 50, 50], "P1": [120, 130, 140, 150]}, 2022, district="B")
    born = pd.concat(by_year("births", [100] * 7, 2018, district=d) for d in ("A", "B"))
    assumptions = pf.estimate(region(pd.concat([taught, other]), born), model=SIMPLE)
    close(ratios(assumptions.intake, "P1"), [(1.4 + 1.5) / 2] * 3)
    text = "P1: births do not cover its whole history; its ratio is learnt on the basis births"
    assert notes_of(assumptions, "intake") == [f"{text} from 2024"]


def test_the_first_year_of_a_basis_passes_over_districts_without_the_grade() -> None:
    taught = pd.concat(
        [
            pupils({"K1": [50] * 4, "P1": [120, 130, 140, 150]}, 2022),
            pupils({"K1": [50] * 4}, 2022, district="B"),
        ]
    )
    born = pd.concat(by_year("births", [100] * 7, 2018, district=d) for d in ("A", "B"))
    assumptions = pf.estimate(region(taught, born), model=SIMPLE)
    assert [note.split(" from ")[1] for note in notes_of(assumptions, "intake")] == ["2024"]


def test_no_ratio_is_learnt_from_a_cohort_only_partly_recorded() -> None:
    """A day nursery takes newborns: of the cohort of 2025 only four months are known."""
    nursery = grades(("N", "nursery", 1, 0, 1, "population"))
    born = by_year("births", [100] * 5, 2020, district="A")
    taught = pupils({"N": [30, 50, 99]}, 2023)
    assumptions = pf.estimate(region(taught, born, time=Time(), grades=nursery), model=SIMPLE)
    close(ratios(assumptions.intake, "N"), [(0.3 + 0.5) / 2] * 3)


def test_no_children_in_any_year_is_refused() -> None:
    born = by_year("births", [100] * 4, 2022, district="A")
    message = "there are no children of the ages of P1 in any year of its history. Give births of"
    with pytest.raises(pf.InputError, match=message):
        pf.estimate(region(pupils({"P1": [120, 130]}, 2024), born), model=SIMPLE)


# Holes.


def test_a_hole_in_the_history_shortens_it_and_warns() -> None:
    """Without 2023 the ratio of P2 is known of 2022 and 2025: 90/100 and 81/90 are 0.9 both."""
    taught = pupils({"P1": [100, 100, 95, None, 90, 80], "P2": [0, 70, 90, 80, 60, 81]}, 2020)
    text = "enrolment: P1 has holes, which shorten its history: A 2023"
    with pytest.warns(pf.AssumptionWarning, match=re.escape(text)):
        assumptions = pf.estimate(region(taught), model=SIMPLE)
    # P2 of 2023 from P1 of 2022: 80/95. That of 2024 has no year below it.
    close(ratios(assumptions.progression, "P2"), [(3 * 0.9 + 2 * 80 / 95 + 1 * 0.9) / 6] * 3)
    close(ratios(assumptions.intake, "P1"), [(0.80 + 0.90 + 0.95) / 3] * 3)
    assert notes_of(assumptions, "enrolment") == [text]


def test_a_missing_grade_of_the_launch_year_is_refused_by_name() -> None:
    taught = pupils({"P1": [100, 100], "P2": [90, None]}, 2024)
    message = r"lacks pupils of the launch year: A P2 2025. Add the row for 2025 \(each sector"
    with pytest.raises(pf.InputError, match=message):
        pf.estimate(region(taught), model=SIMPLE)


def sectors(private: list[float | None]) -> pd.DataFrame:
    return pd.concat(
        [
            pupils({"P1": [80, 80, 60]}, 2023, sector="public"),
            pupils({"P1": private}, 2023, sector="private"),
        ]
    )


def test_sectors_are_added_up() -> None:
    assumptions = pf.estimate(region(sectors([20, 30, 40])), model="naive")
    close(ratios(assumptions.intake, "P1"), [1.0] * 3)


def test_a_year_with_a_sector_missing_is_left_out() -> None:
    with pytest.warns(pf.AssumptionWarning) as caught:
        assumptions = pf.estimate(region(sectors([20, None, 40])), model=SIMPLE)
    close(ratios(assumptions.intake, "P1"), [1.0] * 3)
    texts = [str(warning.message) for warning in caught]
    assert texts == [
        "enrolment: years with a sector missing are left out: A P1 2024",
        "enrolment: P1 has holes, which shorten its history: A 2024",
    ]


def test_a_sector_missing_in_the_launch_year_is_refused_by_name() -> None:
    with pytest.raises(pf.InputError, match="lacks pupils of the launch year: A P1 2025"):
        pf.estimate(region(sectors([20, 30, None])), model=SIMPLE)


def test_a_sector_that_comes_later_was_nothing_before() -> None:
    assumptions = pf.estimate(region(sectors([None, 30, 40])), model=SIMPLE)
    close(ratios(assumptions.intake, "P1"), [(0.80 + 1.10 + 1.00) / 3] * 3)


def test_later_years_than_the_launch_are_not_used() -> None:
    taught = pupils({"P1": [100, 120, 5000]}, 2023)
    born = by_year("births", [100] * 8, 2017, district="A")
    assumptions = pf.estimate(region(taught, born), model=SIMPLE, launch_year=2024)
    close(ratios(assumptions.intake, "P1"), [1.1] * 3)
    with pytest.raises(pf.InputError, match=r"no pupils of the launch year 2020. .* \(2023-2025\)"):
        pf.estimate(region(taught, born), launch_year=2020)


# Thin and missing histories.


@pytest.mark.parametrize(("born", "told"), [(30.0, False), (29.0, True)])
def test_a_ratio_from_fewer_than_thirty_warns(*, born: float, told: bool) -> None:
    births = by_year("births", [born] * 8, 2018, district="A")
    inputs = region(pupils({"P1": [20, 20]}, 2024), births)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pf.estimate(inputs, model=SIMPLE)
    texts = [str(warning.message) for warning in caught]
    assert texts == ["ratios from fewer than 30: A P1"] * told


def new_grade() -> pf.Inputs:
    """Return two districts: in A 90 of 100 move up, in B a second grade opened this year."""
    return region(
        pd.concat(
            [
                pupils({"P1": [100, 100], "P2": [80, 90]}, 2024),
                pupils({"P1": [None, 60], "P2": [None, 50]}, 2024, district="B"),
            ]
        )
    )


def test_a_grade_without_history_takes_the_ratio_of_the_region() -> None:
    text = "B P2: no year of their own; the ratio of all districts is used"
    with pytest.warns(pf.AssumptionWarning, match=text):
        assumptions = pf.estimate(new_grade(), model=SIMPLE)
    close(ratios(assumptions.progression, "P2", "B"), [0.9] * 3)
    close(ratios(assumptions.progression, "P2", "A"), [0.9] * 3)
    assert notes_of(assumptions, "progression") == [text]


def test_the_ratio_of_the_region_adds_districts_up() -> None:
    """300 of 100 and 300 children are taken in: 0.75, not the mean of 1.5 and 0.5."""
    first = grades(("P1", "primary", 1, 6, 1, "population"))
    taught = pd.concat(
        [pupils({"P1": [n]}, 2025, district=d) for d, n in (("A", 150), ("B", 150), ("C", 10))]
    )
    born = pd.concat(
        [
            by_year("births", [100] * 8, 2018, district="A"),
            by_year("births", [300] * 8, 2018, district="B"),
            by_year("births", [0, 0, 70, 70, 0, 0, 0, 0], 2018, district="C"),
        ]
    )
    with pytest.warns(pf.AssumptionWarning) as caught:
        assumptions = pf.estimate(region(taught, born, grades=first), model=SIMPLE)
    assert [str(w.message).split(":")[0] for w in caught] == ["ratios from fewer than 30", "C P1"]
    # Pupils of C stand above the line only where somebody stands below it.
    close(ratios(assumptions.intake, "P1", "C"), [310 / 400] * 3)


def test_a_model_may_refuse_what_has_no_history(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text('name = "strict"\n', encoding="utf-8")
    message = "no year gives a ratio for B P2. Give an earlier year of pupils, or a model with"
    with pytest.raises(pf.InputError, match=message):
        pf.estimate(new_grade(), model=str(tmp_path))


def test_nobody_has_a_ratio() -> None:
    taught = pupils({"P1": [100], "P2": [90]}, 2025)
    with pytest.raises(pf.InputError, match="no year gives a ratio for A P2"):
        pf.estimate(region(taught), model=SIMPLE)


# Residence.


def test_each_class_of_residence_has_its_own_ratio() -> None:
    taught = pd.concat(
        [
            pupils({"P1": [60, 80], "P2": [50, 57]}, 2024, residence="local"),
            pupils({"P1": [40, 50], "P2": [30, 44]}, 2024, residence="migrant"),
        ]
    )
    assumptions = pf.estimate(region(taught), model="naive")
    for residence, intake, progression in (("local", 0.8, 0.95), ("migrant", 0.5, 1.1)):
        for table, grade, ratio in (
            (assumptions.intake, "P1", intake),
            (assumptions.progression, "P2", progression),
        ):
            assert table is not None
            close(ratios(table[table["residence"] == residence], grade), [ratio] * 3)


def test_years_that_were_bound_by_capacity_are_said() -> None:
    taught = pupils({"P1": [120, 130, 140, 150]}, 2022)
    bound = taught.assign(capacity_bound=[False, False, True, True])
    born = by_year("births", [100] * 9, 2016, district="A")
    assumptions = pf.estimate(region(bound, born), model=SIMPLE)
    (text,) = notes_of(assumptions, "enrolment")
    assert text == (
        "enrolment: 2 rows were bound by capacity: they measure places, not need; "
        "ratios: left out (A P1 2024, A P1 2025)"
    )
