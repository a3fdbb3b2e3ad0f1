"""Graduates of junior grades that are known only as a total of several years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from schools import found, grades, pupils
from test_policy_senior import CHILDREN, NEXT, close, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JUNIOR = (
    ("J1", "junior", 1, 12, 1, "population"),
    ("J2_3", "junior", 2, 13, 2, "J1"),
    ("S1", "senior_general", 3, 15, 1, "J2_3"),
)


def two_years(counts: Mapping[str, Sequence[float | None]], first: int) -> pd.DataFrame:
    """Return pupils of 2026-2027, with a share of 0.6."""
    years = list(range(NEXT, NEXT + 2))
    intake = pd.DataFrame({"year": years, "grade": "J1", "ratio": 1.0, "basis": "births"})
    ratio = pd.DataFrame({"year": years * 2, "ratio": [0.99] * 2 + [0.3] * 2})
    ratio["grade"] = ["J2_3"] * 2 + ["S1"] * 2
    children = pd.concat(CHILDREN.assign(year=y, age=12) for y in years)
    given = pf.Assumptions(intake=intake, progression=ratio, policy=share(0.6, 0.6))
    table = pupils(counts, first)
    return pf.project_enrolment(children, table, given, grades=grades(*JUNIOR))


def test_r06_graduates_of_a_total_of_two_years_are_its_oldest_cohort() -> None:
    """Those of 2026 came to J1 in 2023 (110), those of 2027 in 2024 (120), times 0.99."""
    both = [None, None, 0.99 * 210, 0.99 * 230]
    counts: dict[str, Sequence[float | None]] = {
        "J1": [100.0, 110.0, 120.0, 130.0],
        "J2_3": both,
        "S1": [None, None, 60.0, 60.0],
    }
    table = two_years(counts, 2022)
    close(found(table, "S1")[1:], [0.6 * 0.99 * 110, 0.6 * 0.99 * 120])


def test_too_short_a_history_of_graduates_is_refused() -> None:
    """2023 is not known: who left in 2025 is not, either."""
    counts: dict[str, Sequence[float | None]] = {
        "J1": [120.0, 130.0],
        "J2_3": [225.0, 230.0],
        "S1": [60.0, 60.0],
    }
    message = r"lacks earlier years of the pupils who leave J2_3 in A before 2026\. Add them, or"
    with pytest.raises(pf.InputError, match=message):
        two_years(counts, 2024)


def test_graduates_of_a_total_without_a_grade_below_are_refused() -> None:
    """A junior stage of three years from the population: who leaves it is not known."""
    system = grades(
        ("J", "junior", 1, 12, 3, "population"), ("S1", "senior_general", 2, 15, 1, "J")
    )
    participation = pd.DataFrame({"year": [NEXT], "grade": "J", "ratio": 1.0, "basis": "births"})
    progression = pd.DataFrame({"year": [NEXT], "grade": "S1", "ratio": 0.2})
    children = pd.concat(CHILDREN.assign(age=age) for age in (12, 13, 14))
    given = pf.Assumptions(participation=participation, progression=progression, policy=share(0.6))
    enrolment = pupils({"J": [300.0] * 4, "S1": [60.0] * 4}, 2022)
    message = r"lacks earlier years of the pupils who leave J in A before 2026\. Add them, or give"
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(children, enrolment, given, grades=system)


def test_too_short_a_history_of_a_total_is_refused() -> None:
    """J2_3 of 2026 takes in J1 of 2024 and 2025; one year counted is not both, and not nobody."""
    counts: dict[str, Sequence[float | None]] = {"J1": [130.0], "J2_3": [230.0], "S1": [60.0]}
    message = r"lacks pupils of J1 in A, from which J2_3 takes in up to 2026\. Add the rows of J1"
    with pytest.raises(pf.InputError, match=message):
        two_years(counts, 2025)
