"""Years in which schools were full: what they teach of demand, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from schools import by_year, pupils, ratios, region

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MODEL = """
name = "x"
{rule}
[intake]
rule = "mean"
years = 4
[progression]
rule = "mean"
years = 4
"""
P1, P2 = [80.0, 90.0, 100.0, 60.0], [70.0, 72.0, 81.0, 95.0]
"""P1 of 2022-2025 from 100 births a year; P2 from the P1 of the year before: 0.9, 0.9, 0.95."""


def model(folder: Path, rule: str = "") -> str:
    (folder / "model.toml").write_text(MODEL.format(rule=rule), encoding="utf-8")
    return str(folder)


def marked(full: Sequence[bool | None], grade: str = "P1") -> pf.Inputs:
    """Return a region whose schools were full in some of the years 2022-2025."""
    born = by_year("births", [100.0] * 40, 1990, district="A").query("year <= 2025")
    taught = pupils({"P1": P1, "P2": P2}, 2022).assign(capacity_bound=None)
    taught.loc[taught["grade"] == grade, "capacity_bound"] = list(full)
    return region(taught, born)


LAST = (False, False, False, True)
NONE: tuple[bool | None, ...] = (None, None, None, None)


def estimated(inputs: pf.Inputs, folder: Path, grade: str, rule: str = "") -> float:
    assumptions = pf.estimate(inputs, model=model(folder, rule))
    table = assumptions.intake if grade == "P1" else assumptions.progression
    found = ratios(table, grade)
    np.testing.assert_allclose(found, found[0])
    return found[0]


@pytest.mark.parametrize(
    ("full", "rule", "ratio"),
    [
        (NONE, "", (0.8 + 0.9 + 1.0 + 0.6) / 4),
        (LAST, "", (0.8 + 0.9 + 1.0) / 3),
        (LAST, 'bound_history = "leave_out"', (0.8 + 0.9 + 1.0) / 3),
        (LAST, 'bound_history = "keep"', (0.8 + 0.9 + 1.0 + 0.6) / 4),
        ((True, None, False, True), "", (0.9 + 1.0) / 2),
    ],
)
def test_a_full_year_is_left_out_of_a_ratio_or_kept_by_choice(
    full: Sequence[bool | None], rule: str, ratio: float, tmp_path: Path
) -> None:
    """2025 took in 60 of 100 because there were no more places."""
    assert estimated(marked(full), tmp_path, "P1", rule) == pytest.approx(ratio, rel=1e-12)


def test_a_full_grade_says_nothing_of_the_one_above(tmp_path: Path) -> None:
    """P2 of 2025 has 95 of the 100 of P1, however full P1 is in 2025."""
    mean = (0.9 + 0.9 + 0.95) / 3
    assert estimated(marked(LAST), tmp_path, "P2") == pytest.approx(mean, rel=1e-12)


def test_a_full_year_is_left_out_of_a_progression(tmp_path: Path) -> None:
    assert estimated(marked(LAST, "P2"), tmp_path, "P2") == pytest.approx(0.9, rel=1e-12)


def test_one_full_sector_marks_the_year(tmp_path: Path) -> None:
    """Public schools alone were full in 2025: the sum of both measures places, too."""
    inputs = marked(NONE)
    taught = inputs.enrolment
    assert taught is not None
    halves = pd.concat(
        taught.assign(sector=s, pupils=taught["pupils"] / 2, capacity_bound=False)
        for s in ("public", "private")
    )
    full = (halves["sector"] == "public") & (halves["grade"] == "P1") & (halves["year"] == 2025)
    halves["capacity_bound"] = full
    born = inputs.births
    ratio = estimated(region(halves, born), tmp_path, "P1")
    assert ratio == pytest.approx(0.9, rel=1e-12)


def assert_left_out(table: pd.DataFrame | None) -> None:
    np.testing.assert_allclose(ratios(table, "P1"), 0.9, rtol=1e-9, err_msg="full years")


def test_the_ratios_forecast_the_pupils_who_would_come(tmp_path: Path) -> None:
    """0.9 of 100 births from 2026 on, though 60 are there in 2025."""
    result = pf.forecast(marked(LAST), model=model(tmp_path))
    own = result.pupils[result.pupils["grade"] == "P1"]
    np.testing.assert_allclose(own["pupils"], [60, 90, 90, 90])
    intake = result.assumptions.intake
    assert_left_out(intake)
    assert intake is not None
    with pytest.raises(AssertionError, match="full years"):
        assert_left_out(intake.assign(ratio=intake["ratio"] + 1e-6))


@pytest.mark.parametrize(
    ("rule", "done"), [("", "left out"), ('bound_history = "keep"', "used all the same")]
)
def test_the_note_says_what_was_done(rule: str, done: str, tmp_path: Path) -> None:
    assumptions = pf.estimate(marked((True, False, False, True)), model=model(tmp_path, rule))
    text = (
        "enrolment: 2 rows were bound by capacity: they measure places, not need; ratios: "
        f"{done} (A P1 2022, A P1 2025)"
    )
    assert text in set(assumptions.notes["text"])


def test_without_a_mark_nothing_is_said(tmp_path: Path) -> None:
    notes = pf.estimate(marked(NONE), model=model(tmp_path)).notes
    assert not notes["text"].str.contains("bound").any()


def test_a_grade_that_was_always_full_is_refused(tmp_path: Path) -> None:
    message = (
        r"enrolment, column capacity_bound: says that schools were full in every year: A P1\. "
        r"Unmark a year that shows need, or use a model with bound_history = 'keep'\."
    )
    always = (True,) * 4
    with pytest.raises(pf.InputError, match=message):
        pf.estimate(marked(always), model=model(tmp_path))
    assert estimated(marked(always), tmp_path, "P1", 'bound_history = "keep"') == pytest.approx(
        0.825, rel=1e-12
    )


def test_years_after_the_launch_do_not_count(tmp_path: Path) -> None:
    """Launched from 2024 the full year 2025 is not known."""
    inputs = marked(LAST)
    assert inputs.births is not None
    earlier = replace(inputs, births=inputs.births.query("year <= 2024"))
    assumptions = pf.estimate(earlier, model=model(tmp_path), launch_year=2024)
    np.testing.assert_allclose(ratios(assumptions.intake, "P1"), 0.9)
    assert not assumptions.notes["text"].str.contains("bound").any()


def test_another_word_for_the_choice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pf.InputError, match="bound_history"):
        pf.estimate(marked(LAST), model=model(tmp_path, 'bound_history = "drop"'))
