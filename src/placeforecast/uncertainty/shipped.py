"""The error table for a region that has no past of its own to learn from."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from placeforecast.uncertainty.errors import ErrorModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLES = 400
SEED = 20260801
"""The made-up samples are always the same."""


def shipped_terms() -> Mapping[str, float]:
    """Return the terms of the shipped error table."""
    text = files("placeforecast.uncertainty").joinpath("shipped_errors.csv").read_text("utf-8")
    return {row["term"]: float(row["value"]) for row in csv.DictReader(text.splitlines())}


def shipped_errors(
    grades: Sequence[str], stages: Sequence[str], stage_by_grade: Mapping[str, str]
) -> ErrorModel:
    """Return an error model made of the shipped table.

    Errors grow in proportion to the lead; own errors are normal, independent between grades.

    Parameters
    ----------
    grades : sequence of str
        Grades of the forecast, in order.
    stages, stage_by_grade : sequence, mapping
        The stages in order, and the stage of each grade.
    """
    terms = shipped_terms()
    stage_of = [list(stages).index(stage_by_grade[grade]) for grade in grades]
    rng = np.random.default_rng(SEED)
    stage_part = rng.standard_normal((SAMPLES, 1, len(stages)))[..., stage_of] * terms["own"]
    grade_part = rng.standard_normal((SAMPLES, 1, len(grades))) * terms["own_grade"]
    total = np.hypot(terms["own"], terms["own_grade"])
    return ErrorModel(
        shared=np.full(len(stages), terms["shared"]),
        growth=np.ones(len(stages)),
        own=(stage_part + grade_part) / total,
        sizes=np.full(SAMPLES, 10_000.0),
        size_terms=(float(total**2), terms["own_size"] * len(grades)),
        stage_of=stage_of,
        launches=0,
    )
