"""Estates of ``data/example_city`` and the pupils that a dwelling has; all assumed."""

from dataclasses import dataclass

import pandas as pd
from example_city_region import Paths, path

ASSUMED = "assumed"


@dataclass(frozen=True)
class Estate:
    """An estate and the dwellings completed in it.

    Attributes
    ----------
    name, district, kind : str
        ``kind`` is the type of dwelling.
    completed : dict of int to int
        Dwellings by school year.
    reserved : float
        Places reserved per place that the norm asks for.
    plot_ratio, plot_ratio_before : float or str
        Blank where it was never raised.
    """

    name: str
    district: str
    kind: str
    completed: dict[int, int]
    reserved: float = 1.0
    plot_ratio: float | str = ""
    plot_ratio_before: float | str = ""


# Completions of the five years up to a launch stand for the level that the ratios of enrolment
# already hold (2021-2025 today, earlier ones at a past launch); a year without any is written as 0.
EARLIER = range(2015, 2021)
ESTATES = (
    Estate("启晨云邸", "D08-U", "commodity",
           {**dict.fromkeys(EARLIER, 1700),
            2021: 1800, 2022: 2000, 2023: 1900, 2024: 1200, 2025: 900}),
    Estate("启晨东岸花园", "D08-U", "commodity",
           {2024: 900, 2025: 1300, 2026: 2600, 2027: 2100}, plot_ratio=2.8, plot_ratio_before=2.2),
    Estate("启晨学府里", "D08-U", "commodity",
           {2027: 800, 2028: 2800, 2029: 2500, 2030: 2300}),
    Estate("启晨安居苑", "D08-U", "affordable",
           {**dict.fromkeys(EARLIER, 200),
            2021: 300, 2022: 0, 2023: 400, 2024: 0, 2025: 300, 2026: 400, 2027: 500, 2028: 300,
            2029: 300, 2030: 300}),
    Estate("澄湖里", "D01-U", "commodity",
           {**dict.fromkeys(EARLIER, 1200),
            2021: 1500, 2022: 1400, 2023: 1300, 2024: 1300, 2025: 1000}),
    Estate("澄湖西岸", "D01-U", "commodity",
           {2026: 1500, 2027: 1600, 2028: 1450, 2029: 1400, 2030: 1400}, reserved=0.6),
    Estate("澄湖安居家园", "D01-U", "affordable",
           {**dict.fromkeys(EARLIER, 250),
            2021: 400, 2022: 400, 2023: 300, 2024: 300, 2025: 100, 2026: 400, 2027: 500,
            2028: 450, 2029: 350, 2030: 350}),
)  # fmt: skip
# Norm: 3.0 persons per dwelling, 55 + 110 + 55 places per 1000 residents.
PLACES_PER_DWELLING = 3.0 * 220 / 1000
# Pupils per dwelling by years since completion, at (years, pupils).
YIELDS: Paths = {
    "kindergarten": ((0, 0.03), (2, 0.09), (3, 0.10), (4, 0.095), (8, 0.06), (15, 0.025)),
    "primary": ((0, 0.03), (3, 0.13), (5, 0.19), (7, 0.20), (9, 0.19), (15, 0.09)),
    "junior": ((0, 0.01), (4, 0.035), (9, 0.075), (11, 0.08), (13, 0.075), (15, 0.065)),
}
BY_TYPE = {"commodity": 1.0, "affordable": 1.1}
YIELD_YEARS = range(16)


def make_housing() -> pd.DataFrame:
    """Return dwellings completed by estate and year."""
    rows = []
    for estate in ESTATES:
        for year, dwellings in estate.completed.items():
            places = round(dwellings * PLACES_PER_DWELLING * estate.reserved / 10) * 10
            ratios = (estate.plot_ratio, estate.plot_ratio_before)
            rows.append((estate.name, estate.district, year, estate.kind, dwellings, *ratios,
                         places, ASSUMED))  # fmt: skip
    columns = ["estate", "district", "year", "dwelling_type", "dwellings", "plot_ratio",
               "plot_ratio_before", "places_reserved", "confidence"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def make_yields() -> pd.DataFrame:
    """Return pupils per dwelling by type, years since completion and stage."""
    rows = [
        (kind, years, stage, round(float(path(at, years)) * times, 4), ASSUMED)
        for kind, times in BY_TYPE.items()
        for stage, at in YIELDS.items()
        for years in YIELD_YEARS
    ]
    columns = ["dwelling_type", "years_since_completion", "stage", "pupils_per_dwelling",
               "confidence"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
