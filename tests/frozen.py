"""Small regions to freeze, and the rounds of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import placeforecast as pf
from placeforecast.rounds.freeze import freeze_round
from placeforecast.rounds.read import read_round
from schools import by_year, grades, pupils, region

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from placeforecast.rounds.read import Round

TWO_GRADES = grades(
    ("P1", "primary", 1, 6, 1, "population"), ("P2", "primary", 2, 7, 1, "grade_below")
)
LAUNCH = 2024


def inputs_of(
    counts: dict[str, list[float | None]],
    births: dict[int, float] | None = None,
    places: pd.DataFrame | None = None,
) -> pf.Inputs:
    """Return a district A from 2020 on; births are 100 in each year unless given."""
    tables: dict[str, Any] = {} if places is None else {"places": places}
    enrolment = pupils(counts, 2020)
    last = int(enrolment["year"].max())
    born = by_year("births", [100.0] * (last - 1999), 2000, district="A")
    for year, number in (births or {}).items():
        born.loc[born["year"] == year, "births"] = number
    return region(enrolment, born, grades=TWO_GRADES, horizon=3, **tables)


def flat(*later: float) -> list[float | None]:
    """Return 110 pupils in each year up to the launch, and then these."""
    return [*[110.0] * 5, *later]


def frozen(folder: Path, inputs: pf.Inputs) -> Round:
    """Return the round of a region, written and read back."""
    return read_round(freeze_round(pf.forecast(inputs), folder / str(LAUNCH)))


def wavy(seed: int, years: int) -> list[float | None]:
    """Return some 110 pupils a year, more or less."""
    noise = np.random.default_rng(seed).normal(1, 0.04, years)
    return [float(number) for number in np.round(110 * noise)]
