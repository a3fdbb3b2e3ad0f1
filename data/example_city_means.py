"""Posts and money of ``data/example_city``: invented, so that staff and cost have a ceiling."""

import numpy as np
import pandas as pd
from example_city_region import COUNTIES, LAST_YEAR, STAGE_OF

STAFF_RULE = {"primary": 19.0, "junior": 13.5, "senior_general": 12.5}
"""Pupils per member of staff, as in the shipped standards."""
COVERED = {"primary": 0.98, "junior": 0.97, "senior_general": 0.94}
"""Posts approved per member of staff that the rule asks for in the last year counted (assumed)."""
FILLED, RETIRING = 0.97, 0.032
LAST_POSTS_YEAR = LAST_YEAR + 6
CITY = "CITY"
CAPITAL = {"general": 260e6, "land_sale": 420e6, "bond": 500e6}
"""Yuan a year of each source in the first year of the plan."""
FADING = {"general": 0.0, "land_sale": -0.12, "bond": -0.05}
"""What a source grows by in a year (assumed): land sales fall."""
RECURRENT = 1.02
"""Recurrent money per yuan that the allowance asks for in the last year counted (assumed)."""
ALLOWANCE = {
    "kindergarten": 500,
    "primary": 720,
    "junior": 940,
    "senior_general": 1200,
    "senior_vocational": 1200,
}
"""Yuan per pupil and year."""


def make_posts(enrolment: pd.DataFrame) -> pd.DataFrame:
    """Return posts of compulsory stages by county, and of general senior schools of the city."""
    latest = enrolment[(enrolment["year"] == LAST_YEAR) & (enrolment["sector"] == "public")]
    latest = latest.assign(
        stage=latest["grade"].map(STAGE_OF), county=latest["district"].str.split("-").str[0]
    )
    counties = [county.code for county in COUNTIES]
    rows = []
    for stage, rule in STAFF_RULE.items():
        own = latest[latest["stage"] == stage]
        places = [CITY] if stage == "senior_general" else counties
        for place in places:
            inside = own if place == CITY else own[own["county"] == place]
            cap = float(np.round(COVERED[stage] * inside["pupils"].sum() / rule))
            filled = float(np.round(FILLED * cap))
            for year in range(LAST_YEAR, LAST_POSTS_YEAR + 1):
                now = filled if year == LAST_YEAR else None
                rows.append((place, year, stage, cap, now, float(np.round(RETIRING * filled))))
    columns = ["district", "year", "stage", "posts_cap", "posts_filled", "retirements"]
    return pd.DataFrame(rows, columns=columns)


def make_budget(enrolment: pd.DataFrame) -> pd.DataFrame:
    """Return the city's money for building by source, and for schools in `general`."""
    latest = enrolment[(enrolment["year"] == LAST_YEAR) & (enrolment["sector"] == "public")]
    asked = (latest["pupils"] * latest["grade"].map(STAGE_OF).map(ALLOWANCE)).sum()
    rows = []
    for year in range(LAST_YEAR, LAST_POSTS_YEAR + 1):
        for source, first in CAPITAL.items():
            capital = round(first * (1 + FADING[source]) ** (year - LAST_YEAR), -4)
            recurrent = round(float(RECURRENT * asked), -4) if source == "general" else 0.0
            rows.append((CITY, year, source, capital, recurrent))
    columns = ["district", "year", "source", "capital_cap", "recurrent_cap"]
    return pd.DataFrame(rows, columns=columns)
