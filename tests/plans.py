"""Small construction plans for the tests."""

from __future__ import annotations

from typing import Any

import pandas as pd

import placeforecast as pf

YEARS = range(2025, 2031)


def standing(places: float | None = 900, stage: str = "junior", **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return one row of places in 2025: 900 junior places of district A unless said otherwise."""
    return pd.DataFrame(
        {"district": "A", "year": [2025], "stage": stage, "places": places, **columns}
    )


def project(name: str = "East", **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return one project: 300 junior places of a new school, approved, unless said otherwise."""
    usual = {
        "project": name,
        "stage": "junior",
        "district": "A",
        "places": 300.0,
        "kind": "new",
        "status": "approved",
    }
    return pd.DataFrame({key: [value] for key, value in {**usual, **columns}.items()})


def schedule(
    projects: pd.DataFrame | None,
    places: pd.DataFrame | None = None,
    case: str = "planned",
    **options: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Return the places of 2025-2030; on the 900 junior places unless others are given."""
    plan = pf.Assumptions(places=standing() if places is None else places, projects=projects)
    return pf.schedule_places(plan, YEARS, case=case, **options)
