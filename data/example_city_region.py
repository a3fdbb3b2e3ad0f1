"""The region of ``data/example_city``: its years, school grades, counties and zones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Paths = dict[str, tuple[tuple[float, float], ...]]

# ---------------------------------------------------------------------------------------------
# Years, ages and grades
# ---------------------------------------------------------------------------------------------

FIRST_BIRTH_YEAR, FIRST_PUBLISHED_BIRTH_YEAR, FIRST_MONTHLY_YEAR = 1995, 2003, 2014
FIRST_COHORT_YEAR, FIRST_SCHOOL_YEAR, LAST_YEAR = 2002, 2013, 2025
FIRST_PLACES_YEAR = 2022
CENSUS_YEAR, CENSUS_MONTH = 2020, 11
BIRTH_YEARS = np.arange(FIRST_BIRTH_YEAR, LAST_YEAR + 1)
SCHOOL_YEARS = np.arange(FIRST_COHORT_YEAR, LAST_YEAR + 1)
OPEN_AGE = 100
AGES = np.arange(OPEN_AGE + 1)
FERTILE = np.arange(15, 50)
SEXES = ("female", "male")

GRADES = {
    "kindergarten": ("K1", "K2", "K3"),
    "primary": ("P1", "P2", "P3", "P4", "P5", "P6"),
    "junior": ("J1", "J2", "J3"),
    "senior_general": ("S1", "S2", "S3"),
    "senior_vocational": ("V1", "V2", "V3"),
}
STAGE_OF = {grade: stage for stage, grades in GRADES.items() for grade in grades}
ZONE_TYPES = {"U": "urban", "T": "town", "R": "rural"}
ZONE_NAMES = {"U": "城区", "T": "镇区", "R": "乡村"}
STAGE_ZONES = {
    "kindergarten": "UTR",
    "primary": "UTR",
    "junior": "UTR",
    "senior_general": "UT",
    "senior_vocational": "U",
}
SECTORS = {
    "kindergarten": ("public", "private_inclusive", "private"),
    "primary": ("public", "private"),
    "junior": ("public", "private"),
    "senior_general": ("public", "private"),
    "senior_vocational": ("public",),
}

# ---------------------------------------------------------------------------------------------
# The region
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class County:
    """One county; triples are for its urban, town and rural zone.

    Attributes
    ----------
    code, name : str
        Code and invented name.
    longitude, latitude : float
        Degrees; the points lie in open water, so that no real place is meant.
    population : tuple of float
        People at the census, thousands.
    trend : tuple of float
        Yearly change of the log share of the city's births.
    entry : tuple of float
        Entrants to P1 in 2025 per recorded birth of their cohort.
    labour : tuple of float
        Net migration rate at its peak in young adulthood, per year.
    """

    code: str
    name: str
    longitude: float
    latitude: float
    population: tuple[float, float, float]
    trend: tuple[float, float, float]
    entry: tuple[float, float, float]
    labour: tuple[float, float, float]


COUNTIES = (
    County("D01", "澄湖区", 122.90, 32.10, (1080, 240, 150), (0.010, 0.004, -0.020),
           (1.13, 1.02, 0.87), (0.034, 0.010, -0.030)),
    County("D02", "南堤区", 122.95, 31.85, (500, 200, 190), (0.006, 0.000, -0.015),
           (1.07, 1.00, 0.87), (0.018, 0.002, -0.030)),
    County("D03", "云汀区", 123.25, 32.20, (340, 200, 210), (0.004, 0.000, -0.015),
           (1.06, 1.00, 0.86), (0.012, 0.000, -0.032)),
    County("D04", "青禾县", 122.55, 32.35, (210, 200, 300), (0.003, -0.002, -0.020),
           (1.07, 1.01, 0.85), (0.008, -0.003, -0.038)),
    County("D05", "石坞县", 122.50, 31.90, (170, 180, 280), (0.001, -0.004, -0.024),
           (1.06, 0.99, 0.83), (0.005, -0.006, -0.042)),
    County("D06", "望溪县", 122.65, 31.60, (150, 160, 260), (0.001, -0.004, -0.026),
           (1.06, 0.99, 0.82), (0.004, -0.006, -0.044)),
    County("D07", "松坪县", 123.35, 31.65, (120, 130, 230), (-0.004, -0.010, -0.034),
           (1.04, 0.97, 0.80), (0.000, -0.010, -0.050)),
    County("D08", "启晨新区", 123.10, 32.00, (300, 110, 80), (0.040, 0.020, -0.008),
           (1.18, 1.05, 0.88), (0.055, 0.022, -0.020)),
)  # fmt: skip
CITY = ("CITY", "示例市（虚构）", 122.90, 32.00)
FUNCTIONAL_ZONE = "D08"
HOT_SPOTS = {
    "D01-U": "renewal",
    "D01-T": "fringe",
    "D02-U": "new_estate",
    "D02-T": "industrial",
    "D08-U": "new_town",
    "D08-T": "migrant_area",
}


@dataclass(frozen=True)
class Zone:
    """A leaf of the region: one zone of one county.

    Attributes
    ----------
    code, county, kind : str
        ``kind`` is U, T or R.
    population, trend, entry, labour : float
        As in `County`.
    """

    code: str
    county: str
    kind: str
    population: float
    trend: float
    entry: float
    labour: float


def make_zones() -> tuple[Zone, ...]:
    """Return the leaves of the region in the order of the tables."""
    return tuple(
        Zone(f"{c.code}-{kind}", c.code, kind, c.population[i], c.trend[i], c.entry[i],
             c.labour[i])
        for c in COUNTIES
        for i, kind in enumerate(ZONE_TYPES)
    )  # fmt: skip


ZONES = make_zones()
KINDS = np.array([zone.kind for zone in ZONES])
ENTRY = np.array([zone.entry for zone in ZONES])
LABOUR = np.array([zone.labour for zone in ZONES])


def by_kind(urban: float, town: float, rural: float) -> Array:
    """Return one value per zone, chosen by the kind of zone."""
    values = {"U": urban, "T": town, "R": rural}
    return np.array([values[kind] for kind in KINDS])


def path(points: tuple[tuple[float, float], ...], years: npt.ArrayLike) -> Array:
    """Interpolate between (year, value) points; constant outside them."""
    at, value = zip(*points, strict=True)
    values: Array = np.interp(np.asarray(years, dtype=float), at, value)
    return values


def points() -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of each zone, degrees."""
    return {
        f"{county.code}-{kind}": (
            round(county.longitude + 0.06 * (i - 1), 2),
            round(county.latitude + 0.04 * (1 - i), 2),
        )
        for county in COUNTIES
        for i, kind in enumerate(ZONE_TYPES)
    }
