"""Small past launches and error models for the tests."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.uncertainty.errors import ErrorModel
from placeforecast.uncertainty.past import Replayed
from schools import grades, pupils, region

if TYPE_CHECKING:
    from collections.abc import Sequence

    import placeforecast as pf
    from placeforecast.tables.doors import Array

FIRST = 2015
"""First launch of the past launches made here."""

TWO_GRADES = grades(
    ("P1", "primary", 1, 6, 1, "population"), ("P2", "primary", 2, 7, 1, "grade_below")
)
TREE = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})


def past(log_errors: Array, *, size: Sequence[float] = (), born: Array | None = None) -> Replayed:
    """Return launches [launch, lead, grade, district] with these logs of actual over forecast.

    Every forecast is 100 pupils; `size` is of each district, by default 200.
    """
    shape = log_errors.shape
    counts = dict(zip(("launch", "lead", "grade", "district"), shape, strict=True))
    sizes = np.array(size) if size else np.full(shape[3], 200.0)
    return Replayed(
        forecast=np.full(shape, 100.0),
        actual=100 * np.exp(log_errors),
        share_born=np.ones(shape) if born is None else born,
        launched=np.broadcast_to(sizes / shape[2], (shape[0], *shape[2:])),
        axes={
            "launch": [FIRST + i for i in range(shape[0])],
            "lead": list(range(1, shape[1] + 1)),
            "grade": [f"P{g}" for g in range(1, counts["grade"] + 1)],
            "district": [f"D{d}" for d in range(1, counts["district"] + 1)],
        },
        impossible={},
    )


def normal_errors(spread: float, *, shared: float = 0.0, grades: int = 1) -> ErrorModel:
    """Return an error model of one stage with normal own errors, alike in all grades.

    The scores stand three times over, so that a third of the pool is as normal as the whole.
    """
    scores = np.array([NormalDist().inv_cdf((i + 0.5) / 2000) for i in range(2000)])
    own = np.tile(scores / scores.std(), 3)
    return ErrorModel(
        shared=np.array([shared]),
        growth=np.ones(1),
        own=np.repeat(own[:, np.newaxis, np.newaxis], grades, axis=2),
        sizes=np.full(len(own), 200.0),
        size_terms=(spread**2, 0.0),
        stage_of=[0] * grades,
        launches=4,
    )


def two_districts(years: int = 6, *, places: pd.DataFrame | None = None) -> pf.Inputs:
    """Return districts A and B below C, with two grades whose ratios move; from 2013 on."""
    rows: list[pd.DataFrame] = []
    for district, base in (("A", 1000), ("B", 400)):
        for grade, by in (("P1", 7), ("P2", 11)):
            numbers = [base + by * ((3 * i + len(rows)) % 5) for i in range(years)]
            rows.append(pupils({grade: numbers}, 2013, district))
    enrolment = pd.concat(rows, ignore_index=True)
    return replace(region(enrolment, grades=TWO_GRADES, districts=TREE), places=places)


def places_of(stage_places: dict[str, float], year: int = 2013) -> pd.DataFrame:
    """Return the primary places of each district."""
    return pd.DataFrame(
        [
            {"district": district, "year": year, "stage": "primary", "places": places}
            for district, places in stage_places.items()
        ]
    )
