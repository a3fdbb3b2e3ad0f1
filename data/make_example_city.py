"""Make the tables of ``data/example_city``, a SYNTHETIC prefecture-level city.

Usage: ``python data/make_example_city.py``. It rewrites the CSV files of the folder and nothing
else; ``README.md`` and ``forecast.toml`` there are written by hand. The place does not exist. One
seed fixes every figure, so two runs give the same bytes.

Births come first. The census takes its children from them, and pupils follow them grade by grade:
an entry ratio brings children into K1 and P1, a progression ratio takes pupils from each grade to
the next. Places of 2025 are set against the pupils of 2025; earlier years are the same places less
the projects that opened since. Rates are levels of a model city, not estimates for a real one.
"""

from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Paths = dict[str, tuple[tuple[float, float], ...]]

REGION = Path(__file__).resolve().parent / "example_city"
SEED = 20251101

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


# ---------------------------------------------------------------------------------------------
# Births
# ---------------------------------------------------------------------------------------------

# National births, 10,000. 2011-2017 as revised after the 2020 census, before and after as first
# published; 2003-2009 and earlier from memory. See README.md.
NATIONAL_BIRTHS = dict(
    zip(
        range(1995, 2026),
        (2063, 2067, 2038, 1942, 1834, 1771, 1702, 1647, 1599, 1593, 1617, 1585, 1595, 1608,
         1615, 1592, 1785, 1973, 1776, 1897, 1654, 1883, 1765, 1523, 1465, 1202, 1062, 956, 902,
         954, 792),
        strict=True,
    )
)  # fmt: skip
# Births of the city per 10,000 births of the nation.
CITY_SHARE = ((1995, 360), (2005, 395), (2010, 418), (2012, 433), (2013, 442), (2014, 446),
              (2016, 453), (2017, 474), (2018, 470), (2020, 468), (2025, 432))  # fmt: skip
# Births of a month against the mean month: crest in autumn, trough in spring.
SEASON = (0.99, 0.93, 0.97, 0.93, 0.94, 0.94, 0.99, 1.04, 1.07, 1.12, 1.06, 1.02)
# The first two-child births came late in 2016 and in early 2017.
TWO_CHILD = {
    2016: (0.94, 0.94, 0.94, 0.94, 0.95, 0.97, 0.99, 1.02, 1.05, 1.07, 1.09, 1.09),
    2017: (1.07, 1.05, 1.04, 1.03, 1.02, 1.01, 1.00, 0.99, 0.97, 0.95, 0.94, 0.93),
}
# Children a woman has by kind of zone, relative; it shapes the shares of births.
RELATIVE_FERTILITY = (0.97, 1.08, 1.22)
SHARE_YEAR = 2018


def monthly_city_births() -> Array:
    """Return the expected births of the city by year and month."""
    annual = path(CITY_SHARE, BIRTH_YEARS) * np.array(list(NATIONAL_BIRTHS.values())) / 10
    middle = np.arange(annual.size) + 0.5
    months = (np.arange(annual.size * 12) + 0.5) / 12
    level = np.interp(months, middle, annual).reshape(-1, 12)
    shape = level * np.array(SEASON)
    for year, bulge in TWO_CHILD.items():
        shape[year - FIRST_BIRTH_YEAR] = np.array(SEASON) * np.array(bulge)
    monthly: Array = annual[:, None] * shape / shape.sum(axis=1, keepdims=True)
    return monthly


def make_births(mothers: Array, rng: np.random.Generator) -> Array:
    """Draw the births of each zone by year and month.

    Parameters
    ----------
    mothers : array [zone]
        Births expected of the women of the zone at the same fertility for all.
    rng : Generator
        Source of the noise.

    Returns
    -------
    array [zone, year, month]
        Whole numbers from 1995 to 2025.
    """
    weight = mothers * by_kind(*RELATIVE_FERTILITY)
    trend = np.array([zone.trend for zone in ZONES])
    share = weight[:, None] * np.exp(trend[:, None] * (BIRTH_YEARS - SHARE_YEAR))
    share = share / share.sum(axis=0)
    expected = share[:, :, None] * monthly_city_births()
    births: Array = rng.poisson(expected).astype(float)
    return births


def births_between(births: Array, year: int, month: int, months: int = 12) -> Array:
    """Sum the births of each zone over `months` months from the given one on."""
    start = (year - FIRST_BIRTH_YEAR) * 12 + month - 1
    total: Array = births.reshape(len(ZONES), -1)[:, start : start + months].sum(axis=1)
    return total


# ---------------------------------------------------------------------------------------------
# Mortality, migration, census, fertility
# ---------------------------------------------------------------------------------------------

INFANT_DEATHS = {"female": 0.0037, "male": 0.0043}
TARGET_LIFE_EXPECTANCY = {"female": 81.0, "male": 75.5}
LAST_TABLE_AGE = 125


def life_table(sex: str, level: float) -> tuple[Array, Array]:
    """Return survivors at exact ages and years lived, for a Gompertz `level`.

    Returns
    -------
    alive : array [age 0 to 125]
        Per newborn.
    lived : array [age 0 to 124]
        Person-years per newborn.
    """
    age = np.arange(1, LAST_TABLE_AGE) + 0.5
    slope, accident = (0.098, 0.00012) if sex == "female" else (0.088, 0.00035)
    hazard = 0.0006 * np.exp(-0.45 * age) + accident + level * np.exp(slope * age)
    chance = np.concatenate([[INFANT_DEATHS[sex]], 1 - np.exp(-hazard)])
    alive = np.concatenate([[1.0], np.cumprod(1 - chance)])
    lived = (alive[:-1] + alive[1:]) / 2
    lived[0] = alive[1] + 0.1 * (alive[0] - alive[1])
    return alive, lived


def survival_of(sex: str) -> Array:
    """Return the share alive by age reached, at the target life expectancy."""
    low, high = 1e-7, 1e-3
    for _ in range(80):
        middle = (low * high) ** 0.5
        _, lived = life_table(sex, middle)
        low, high = (middle, high) if lived.sum() > TARGET_LIFE_EXPECTANCY[sex] else (low, middle)
    remaining = np.cumsum(lived[::-1])[::-1]
    closed = lived[1:OPEN_AGE] / lived[: OPEN_AGE - 1]
    return np.concatenate([[lived[0]], closed, [remaining[OPEN_AGE] / remaining[OPEN_AGE - 1]]])


# Yearly progression of pupils through primary grades: also the movement of children of that age.
PRIMARY_PROGRESSION = (1.007, 1.000, 0.984)
CITY_NET_MIGRATION = 6_000.0
SEX_FACTOR = {"female": 0.95, "male": 1.05}


def labour_shape(age: Array) -> Array:
    """Return the Rogers-Castro curve of labour moves, 1 at its peak."""
    curve = np.exp(-0.11 * (age - 20) - np.exp(-0.55 * (age - 20)))
    shape: Array = curve / curve.max() + 0.04 * (age > 16)
    return shape


def migration_rates(population: Array) -> Array:
    """Return net migrants per person who reaches the age.

    Labour gains are scaled until the city's net is `CITY_NET_MIGRATION` on the people of the
    census.

    Parameters
    ----------
    population : array [zone, sex, age]
        People of the census.

    Returns
    -------
    array [zone, sex, age]
        Rates, far above -1, so that no cell can turn negative.
    """
    age = AGES.astype(float)
    sex = np.array([SEX_FACTOR[name] for name in SEXES])
    gain = np.maximum(LABOUR, 0)[:, None, None] * sex[:, None] * labour_shape(age)
    loss = np.minimum(LABOUR, 0)[:, None, None] * sex[:, None] * labour_shape(age)
    back = np.exp(-0.5 * ((age - 52) / 6) ** 2) * (0.004 * (KINDS == "R"))[:, None]
    kept = loss + child_rates()[:, None, :] + back[:, None, :]
    scale = (CITY_NET_MIGRATION - (kept * population).sum()) / (gain * population).sum()
    rates: Array = np.round(kept + scale * gain, 5)
    return rates


def child_rates() -> Array:
    """Return yearly migration rates of children by zone and age, zero for adults."""
    before_school = ENTRY ** (1 / 6.5) - 1
    at_school = by_kind(*PRIMARY_PROGRESSION) - 1
    rates = np.zeros((len(ZONES), AGES.size))
    rates[:, 0] = before_school / 2
    rates[:, 1:7] = before_school[:, None]
    rates[:, 7:15] = at_school[:, None]
    rates[:, 15:18] = at_school[:, None] * np.array([0.75, 0.5, 0.25])
    return rates


# China 2020 census by five-year group, millions, and men per 100 women (README.md).
CENSUS_GROUPS = (77.9, 90.2, 85.3, 72.7, 74.9, 91.8, 124.1, 99.0, 93.0, 114.2, 121.2, 101.4,
                 73.4, 74.0, 49.6, 31.2, 20.4, 10.8, 3.7, 0.8, 0.12)  # fmt: skip
CENSUS_MEN = (110, 114, 116, 116, 114, 110, 106, 106, 105, 104, 103, 101, 101, 99, 97, 94, 87,
              76, 62, 48, 36)  # fmt: skip
SEX_RATIO_AT_BIRTH = 1.11
CHILD_SEX_RATIO = 1.12
LAST_CHILD_AGE = 16


def adult_population() -> Array:
    """Return people by zone, sex and age from the national age pattern and past migration."""
    knots = np.arange(len(CENSUS_GROUPS)) * 5 + 2.0
    knots[-1] = OPEN_AGE
    per_age = np.array(CENSUS_GROUPS) / np.where(np.arange(knots.size) < knots.size - 1, 5, 1)
    people = np.exp(np.interp(AGES, knots, np.log(per_age)))
    men = np.interp(AGES, knots, CENSUS_MEN) / 100
    by_sex = np.stack([people / (1 + men), people * men / (1 + men)])
    past = np.interp(AGES, (16, 22, 30, 42, 56, 70, 85), (0, 0.55, 1, 0.85, 0.45, 0.15, 0))
    local = np.exp(11 * LABOUR[:, None] * past)
    shape = by_sex[None] * local[:, None, :]
    target = np.array([zone.population for zone in ZONES]) * 1000
    adults: Array = shape * (target / shape.sum(axis=(1, 2)))[:, None, None]
    return adults


def make_population(births: Array, adults: Array, survival: dict[str, Array]) -> Array:
    """Return the census: children from births that survived and moved, adults from the pattern.

    Parameters
    ----------
    births : array [zone, year, month]
    adults : array [zone, sex, age]
        The result of `adult_population`.
    survival : dict of array [age]
        By sex, keyed by the age reached.

    Returns
    -------
    array [zone, sex, age]
        Whole numbers.
    """
    moved = np.cumprod(1 + child_rates(), axis=1)
    population = adults.copy()
    shares = (1 / (1 + CHILD_SEX_RATIO), CHILD_SEX_RATIO / (1 + CHILD_SEX_RATIO))
    for age in range(LAST_CHILD_AGE + 1):
        born = births_between(births, CENSUS_YEAR - age - 1, CENSUS_MONTH)
        for sex, (name, share) in enumerate(zip(SEXES, shares, strict=True)):
            alive = np.prod(survival[name][: age + 1])
            population[:, sex, age] = born * share * alive * moved[:, age]
    blend_in(population, adults)
    return np.round(population)


def blend_in(population: Array, adults: Array) -> None:
    """Let the level of the teens run out into the adult pattern by age 24, in place."""
    teens = slice(LAST_CHILD_AGE - 2, LAST_CHILD_AGE + 1)
    level = population[:, :, teens].sum(axis=2) / adults[:, :, teens].sum(axis=2)
    for age in range(LAST_CHILD_AGE + 1, 24):
        weight = (24 - age) / (24 - LAST_CHILD_AGE)
        population[:, :, age] = adults[:, :, age] * level**weight


def age_on(population: Array, survival: dict[str, Array], migration: Array, years: int) -> Array:
    """Age the people of the census by whole years, without the newborn.

    Each step survives, then adds the net migrants, as the library does. Ages below `years` stay
    empty: only women of fertile age are wanted.
    """
    rate = np.stack([survival[name] for name in SEXES])
    for _ in range(years):
        reached = np.zeros_like(population)
        reached[:, :, 1:] = population[:, :, :-1] * rate[:, 1:]
        reached[:, :, OPEN_AGE] += population[:, :, OPEN_AGE] * rate[:, OPEN_AGE]
        population = reached * (1 + migration)
    return population


def fertility_shape(kind: str) -> Array:
    """Return births per woman by age, of a mean age that depends on the kind of zone."""
    centre = {"U": 29.8, "T": 28.8, "R": 27.8}[kind]
    age = FERTILE + 0.5
    shape = (age - 14) ** 6.4 * np.exp(-(age - 14) * 7.4 / (centre - 14))
    curve: Array = shape / shape.sum()
    return curve


def make_fertility(
    births: Array, population: Array, rates: tuple[dict[str, Array], Array]
) -> Array:
    """Scale the fertility of each zone to its births of the calendar year 2025.

    Parameters
    ----------
    births : array [zone, year, month]
    population : array [zone, sex, age]
        People of 1 November 2020.
    rates : tuple
        Survival by sex and migration rates.

    Returns
    -------
    array [zone, age]
        Births per woman and year, ages 15 to 49.
    """
    survival, migration = rates
    before = age_on(population, survival, migration, LAST_YEAR - 1 - CENSUS_YEAR)
    after = age_on(population, survival, migration, LAST_YEAR - CENSUS_YEAR)
    # The middle of 2025 lies two thirds of the way from November 2024 to November 2025.
    women = (before[:, 0, FERTILE] + 2 * after[:, 0, FERTILE]) / 3
    shape = np.stack([fertility_shape(zone.kind) for zone in ZONES])
    latest = births_between(births, LAST_YEAR, 1)
    fertility: Array = shape * (latest / (women * shape).sum(axis=1))[:, None]
    return fertility


# ---------------------------------------------------------------------------------------------
# Pupils
# ---------------------------------------------------------------------------------------------

INTAKE_NOISE, PROGRESSION_NOISE = 0.012, 0.005
# Yearly change of the log entry ratio: movement into the city slows.
ENTRY_DRIFT = (-0.0055, -0.0035, -0.0060)
KINDERGARTEN_K1 = ((2002, 0.50), (2013, 0.66), (2016, 0.76), (2019, 0.84), (2020, 0.855),
                   (2021, 0.828), (2023, 0.860), (2025, 0.880))  # fmt: skip
KINDERGARTEN_BY_KIND = (1.02, 1.01, 0.95)
LATER_KINDERGARTEN = ((2002, 1.08), (2013, 1.060), (2020, 1.045), (2025, 1.035))
JUNIOR_ENTRY = (1.035, 1.055, 0.830)
JUNIOR_PROGRESSION = (1.002, 1.000, 0.990)
GENERAL_SHARE = ((2010, 0.50), (2013, 0.520), (2017, 0.555), (2021, 0.580), (2025, 0.610))
VOCATIONAL_SHARE = ((2010, 0.36), (2013, 0.350), (2017, 0.335), (2021, 0.310), (2025, 0.280))
# Where senior pupils go to school, per J3 pupil of the same zone, relative.
SENIOR_PULL = {"U": 1.30, "T": 0.60, "R": 0.0}
SENIOR_HUB = {"D01": 1.12, "D08": 0.92}

Pupils = dict[str, Array]


def noisy(size: float, rng: np.random.Generator) -> Array:
    """Return one factor per zone near 1."""
    return np.exp(rng.normal(0.0, size, len(ZONES)))


def kindergarten_pupils(births: Array, rng: np.random.Generator) -> Pupils:
    """Follow each birth cohort through K1 to K3."""
    pupils = {grade: np.zeros((len(ZONES), SCHOOL_YEARS.size)) for grade in GRADES["kindergarten"]}
    at_three = ENTRY ** (3.5 / 6.5)
    for i, year in enumerate(SCHOOL_YEARS):
        born = births_between(births, int(year) - 4, 9)
        ratio = path(KINDERGARTEN_K1, year) * by_kind(*KINDERGARTEN_BY_KIND) * at_three
        pupils["K1"][:, i] = born * ratio * noisy(INTAKE_NOISE, rng)
        later = path(LATER_KINDERGARTEN, year)
        if i:
            for below, grade in (("K1", "K2"), ("K2", "K3")):
                step = noisy(PROGRESSION_NOISE, rng) * later * ENTRY ** (1 / 6.5)
                pupils[grade][:, i] = pupils[below][:, i - 1] * step
    return pupils


def compulsory_pupils(births: Array, rng: np.random.Generator) -> Pupils:
    """Follow each birth cohort from P1 to J3."""
    order = (*GRADES["primary"], *GRADES["junior"])
    pupils = {grade: np.zeros((len(ZONES), SCHOOL_YEARS.size)) for grade in order}
    steps = dict.fromkeys(order[1:6], by_kind(*PRIMARY_PROGRESSION))
    steps |= {"J1": by_kind(*JUNIOR_ENTRY)}
    steps |= dict.fromkeys(order[7:], by_kind(*JUNIOR_PROGRESSION))
    for i, year in enumerate(SCHOOL_YEARS):
        born = births_between(births, int(year) - 7, 9)
        entry = ENTRY * np.exp(by_kind(*ENTRY_DRIFT) * (year - LAST_YEAR))
        pupils["P1"][:, i] = born * entry * noisy(INTAKE_NOISE, rng)
        if i:
            for below, grade in pairwise(order):
                step = steps[grade] * noisy(PROGRESSION_NOISE, rng)
                pupils[grade][:, i] = pupils[below][:, i - 1] * step
    return pupils


def senior_pupils(junior: Array, stage: str, rng: np.random.Generator) -> Pupils:
    """Follow junior leavers through three senior grades of the zones that have them.

    Parameters
    ----------
    junior : array [zone, year]
        Pupils of J3.
    stage : str
        ``senior_general`` or ``senior_vocational``.
    rng : Generator
        Source of the noise.
    """
    general = stage == "senior_general"
    first, second, third = GRADES[stage]
    pull = np.array([SENIOR_PULL[z.kind] * SENIOR_HUB.get(z.county, 1.0) for z in ZONES])
    pull = pull if general else np.where(KINDS == "U", 1.0, 0.0)
    kept = (0.995, 0.992) if general else (0.970, 0.955)
    pupils = {grade: np.zeros_like(junior) for grade in GRADES[stage]}
    for i, year in enumerate(SCHOOL_YEARS[1:], start=1):
        share = path(GENERAL_SHARE if general else VOCATIONAL_SHARE, year)
        leavers = junior[:, i - 1]
        places = np.maximum(pull * leavers, 0)
        entrants = places * share * leavers.sum() / max(float(places.sum()), 1.0)
        pupils[first][:, i] = entrants * noisy(INTAKE_NOISE, rng)
        pupils[second][:, i] = pupils[first][:, i - 1] * kept[0] * noisy(PROGRESSION_NOISE, rng)
        pupils[third][:, i] = pupils[second][:, i - 1] * kept[1] * noisy(PROGRESSION_NOISE, rng)
    return pupils


def make_pupils(births: Array, rng: np.random.Generator) -> Pupils:
    """Return pupils by grade as arrays [zone, year], unrounded, from 2002 on."""
    pupils = kindergarten_pupils(births, rng) | compulsory_pupils(births, rng)
    pupils |= senior_pupils(pupils["J3"], "senior_general", rng)
    return pupils | senior_pupils(pupils["J3"], "senior_vocational", rng)


# ---------------------------------------------------------------------------------------------
# Sectors
# ---------------------------------------------------------------------------------------------

PUBLIC_KINDERGARTEN = ((2013, 0.380), (2018, 0.435), (2021, 0.495), (2025, 0.540))
INCLUSIVE_KINDERGARTEN = ((2013, 0.690), (2017, 0.780), (2020, 0.855), (2025, 0.910))
PRIVATE_SHARE: Paths = {
    "primary": ((2013, 0.070), (2019, 0.100), (2021, 0.098), (2023, 0.060), (2025, 0.047)),
    "junior": ((2013, 0.098), (2019, 0.130), (2021, 0.125), (2023, 0.074), (2025, 0.056)),
    "senior_general": ((2013, 0.120), (2019, 0.160), (2025, 0.195)),
}
PRIVATE_BY_KIND = {
    "primary": (1.30, 0.90, 0.40),
    "junior": (1.25, 0.90, 0.40),
    "senior_general": (1.05, 0.85, 0.0),
}
SHARE_NOISE = 0.02


def sector_shares(stage: str, rng: np.random.Generator) -> Array:
    """Return the shares of the sectors of a stage, [sector, zone, year] from 2013 on."""
    years = np.arange(FIRST_SCHOOL_YEAR, LAST_YEAR + 1)
    local = noisy(SHARE_NOISE, rng)
    if stage == "senior_vocational":
        return np.ones((1, len(ZONES), years.size))
    if stage == "kindergarten":
        public = path(PUBLIC_KINDERGARTEN, years) + by_kind(-0.05, 0.01, 0.10)[:, None]
        public = public * local[:, None]
        other = (1 - path(INCLUSIVE_KINDERGARTEN, years)) * by_kind(1.2, 0.9, 0.6)[:, None]
        return np.stack([public, 1 - public - other, other])
    factor = by_kind(*PRIVATE_BY_KIND[stage]) * local
    private = factor[:, None] * path(PRIVATE_SHARE[stage], years)
    return np.stack([1 - private, private])


def make_enrolment(pupils: Pupils, rng: np.random.Generator) -> pd.DataFrame:
    """Split pupils by sector and write them as rows, whole numbers that add up."""
    rows: list[tuple[str, int, str, str, int]] = []
    for stage, grades in GRADES.items():
        shares = sector_shares(stage, rng)
        for grade in grades:
            total = np.round(pupils[grade][:, FIRST_SCHOOL_YEAR - FIRST_COHORT_YEAR :])
            split = np.round(shares * total)
            split[0] = total - split[1:].sum(axis=0)
            rows += [
                (zone.code, FIRST_SCHOOL_YEAR + t, grade, sector, int(split[s, z, t]))
                for z, zone in enumerate(ZONES)
                if zone.kind in STAGE_ZONES[stage]
                for t in range(total.shape[1])
                for s, sector in enumerate(SECTORS[stage])
            ]
    columns = ["district", "year", "grade", "sector", "pupils"]
    return pd.DataFrame(rows, columns=columns).sort_values(["district", "year"], kind="stable")


# ---------------------------------------------------------------------------------------------
# The construction plan
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Project:
    """One row of the construction plan; the fields are the columns, blank where empty."""

    project: str
    stage: str
    district: str
    sector: str
    places: int
    kind: str
    status: str
    opens: str = ""
    starts: str = ""
    opened: str = ""
    closes: str = ""
    outage_from: str = ""
    outage_to: str = ""
    from_stage: str = ""
    batch: str = ""
    phase_in: str = ""


TASK_BATCH, NEXT_BATCH = "2022—2025任务", "2026—2030规划"


def delivered(name: str, place: tuple[str, str], places: int, kind: str, when: str) -> Project:
    """Return a public project that is open.

    Parameters
    ----------
    name : str
        Name without the batch.
    place : tuple of str
        Stage and zone.
    places, kind
        As in `Project`.
    when : str
        Planned and actual first school year or date, as ``"2022 2023"``.
    """
    opens, opened = when.split()
    starts = str(int(opens[:4]) - 2)
    return Project(name, *place, "public", places, kind, "open", opens, starts, opened,
                   batch=TASK_BATCH)  # fmt: skip


def expected(name: str, place: tuple[str, str], places: int, how: str, opens: str) -> Project:
    """Return a public new building or extension that is still to open.

    Parameters
    ----------
    name, place, places
        As in `delivered`.
    how : str
        Kind, status and phase-in, as ``"new approved by_grade"``.
    opens : str
        Planned first school year or date.
    """
    kind, status, phase_in = how.split()
    begun = status in ("under_construction", "delayed")
    starts = str(max(int(opens[:4]) - 2, FIRST_PLACES_YEAR)) if begun else ""
    batch = TASK_BATCH if status in ("delayed", "cancelled") else NEXT_BATCH
    return Project(name, *place, "public", places, kind, status, opens, starts, batch=batch,
                   phase_in=phase_in)  # fmt: skip


K, P, J, S, V = GRADES
DELIVERED = (
    delivered("澄湖区小学扩容工程2022批", (P, "D01-U"), 5400, "extension", "2022 2022"),
    delivered("澄湖区小学扩容工程2023批", (P, "D01-U"), 6300, "extension", "2023 2023"),
    delivered("澄湖区第三小学新建", (P, "D01-U"), 2160, "new", "2023-09-01 2024-09-01"),
    delivered("南堤区小学扩容工程", (P, "D02-U"), 4500, "extension", "2023 2023"),
    delivered("南堤区滨河小学新建", (P, "D02-U"), 2160, "new", "2024 2025"),
    delivered("云汀区城区小学新建工程", (P, "D03-U"), 3240, "new", "2022 2023"),
    delivered("青禾县第五小学新建", (P, "D04-U"), 1620, "new", "2024 2024"),
    delivered("石坞县实验小学扩建", (P, "D05-U"), 1350, "extension", "2023 2023"),
    delivered("望溪县第二小学新建", (P, "D06-U"), 1620, "new", "2023 2024"),
    delivered("启晨新区第一实验小学新建", (P, "D08-U"), 2700, "new", "2022 2022"),
    delivered("启晨新区第二实验小学新建", (P, "D08-U"), 2700, "new", "2023 2023"),
    delivered("启晨新区第三实验小学新建", (P, "D08-U"), 2700, "new", "2024 2025-09-01"),
    delivered("澄湖区镇区小学扩容工程", (P, "D01-T"), 3600, "extension", "2023 2023"),
    delivered("南堤区镇区小学扩容工程", (P, "D02-T"), 2250, "extension", "2023 2024"),
    delivered("云汀区镇区小学扩容工程", (P, "D03-T"), 1800, "extension", "2024 2024"),
    delivered("青禾县镇区小学扩容工程", (P, "D04-T"), 2250, "extension", "2022 2023"),
    delivered("启晨新区镇区小学新建", (P, "D08-T"), 1620, "new", "2023 2023"),
    delivered("青禾县乡村寄宿制小学改扩建", (P, "D04-R"), 1800, "extension", "2023 2023"),
    delivered("澄湖区初中扩容工程2023批", (J, "D01-U"), 6000, "extension", "2023 2023"),
    delivered("澄湖区初中扩容工程2025批", (J, "D01-U"), 4000, "extension", "2025 2025"),
    delivered("南堤区第二中学初中部扩建", (J, "D02-U"), 2700, "extension", "2023 2024"),
    delivered("云汀区初中新建工程", (J, "D03-U"), 1800, "new", "2022 2022"),
    delivered("青禾县第三初级中学新建", (J, "D04-U"), 1500, "new", "2023 2024"),
    delivered("石坞县初中扩建", (J, "D05-U"), 1200, "extension", "2024 2024"),
    delivered("启晨新区第一初级中学新建", (J, "D08-U"), 2400, "new", "2022 2023"),
    delivered("启晨新区第二初级中学新建", (J, "D08-U"), 1800, "new", "2025-09-01 2025-09-01"),
    delivered("澄湖区镇区初中扩容工程", (J, "D01-T"), 2000, "extension", "2023 2023"),
    delivered("南堤区镇区初中扩容工程", (J, "D02-T"), 1500, "extension", "2024 2025"),
    delivered("青禾县镇区初中扩容工程", (J, "D04-T"), 1500, "extension", "2023 2023"),
    delivered("市第一高级中学扩建", (S, "D01-U"), 3000, "extension", "2023 2023"),
    delivered("市第五高级中学新建", (S, "D01-U"), 3000, "new", "2024 2025"),
    delivered("南堤区高级中学扩建", (S, "D02-U"), 1800, "extension", "2024 2024"),
    delivered("启晨新区高级中学新建", (S, "D08-U"), 3000, "new", "2023 2024"),
    delivered("澄湖区公办幼儿园新建工程", (K, "D01-U"), 2700, "new", "2022 2023"),
    delivered("启晨新区公办幼儿园新建工程", (K, "D08-U"), 1800, "new", "2023 2023"),
    delivered("全域镇区幼儿园工程·青禾县", (K, "D04-T"), 1200, "new", "2023 2023"),
    delivered("全域镇区幼儿园工程·云汀区", (K, "D03-T"), 1200, "new", "2023 2024"),
    delivered("一村一幼工程·青禾县", (K, "D04-R"), 2400, "extension", "2022 2022"),
    delivered("一村一幼工程·石坞县", (K, "D05-R"), 2100, "extension", "2022 2023"),
    delivered("一村一幼工程·望溪县", (K, "D06-R"), 1800, "extension", "2023 2023"),
    delivered("一村一幼工程·松坪县", (K, "D07-R"), 1800, "extension", "2023 2024"),
)
EXPECTED = (
    expected("澄湖区第八初级中学新建", (J, "D01-U"), 3000, "new under_construction by_grade",
             "2026-09-01"),
    expected("澄湖区第十初级中学新建", (J, "D01-U"), 3000, "new proposed by_grade", "2030"),
    expected("南堤区第六初级中学新建", (J, "D02-U"), 1800, "new under_construction by_grade",
             "2027"),
    expected("云汀区实验中学初中部扩建", (J, "D03-U"), 900, "extension approved all", "2028"),
    expected("青禾县第四初级中学新建", (J, "D04-U"), 1200, "new delayed by_grade", "2027"),
    expected("启晨新区第三初级中学新建", (J, "D08-U"), 2400, "new approved by_grade", "2028"),
    expected("启晨新区第四实验小学新建", (P, "D08-U"), 2700, "new under_construction by_grade",
             "2026-09-01"),
    expected("启晨新区东片小学群新建", (P, "D08-U"), 5400, "new proposed by_grade", "2029"),
    expected("石坞县第四小学新建", (P, "D05-U"), 1620, "new delayed all", "2026"),
    expected("望溪县第六小学新建", (P, "D06-U"), 1620, "new cancelled all", "2027"),
    expected("市第七高级中学新建", (S, "D01-U"), 3000, "new under_construction by_grade",
             "2027-09-01"),
    expected("南堤区第二高级中学新建", (S, "D02-U"), 2400, "new approved by_grade", "2028"),
    expected("望溪县高级中学扩建", (S, "D06-U"), 900, "extension delayed all", "2026"),
    expected("启晨新区第二高级中学新建", (S, "D08-U"), 3000, "new proposed by_grade", "2031"),
    expected("市中等职业学校扩建", (V, "D01-U"), 1800, "extension approved all", "2027"),
    expected("启晨新区第九幼儿园新建", (K, "D08-U"), 540, "new delayed all", "2026"),
    expected("南堤区镇区幼儿园新建工程", (K, "D02-T"), 1200, "new cancelled all", "2026"),
)  # fmt: skip
OTHER_PROJECTS = (
    Project("云汀区民办高级中学新建", S, "D03-U", "private", 1500, "new", "approved", "2027",
            batch=NEXT_BATCH, phase_in="by_grade"),
    Project("澄湖区镇区普惠幼儿园新建", K, "D01-T", "private_inclusive", 360, "new", "cancelled",
            "2026", batch=TASK_BATCH),
    Project("澄湖区中心小学原址重建", P, "D01-U", "public", 1800, "rebuild", "under_construction",
            "2028", "2026", outage_from="2026", outage_to="2027", batch=NEXT_BATCH),
    Project("望溪县镇区初级中学原址重建", J, "D06-T", "public", 900, "rebuild", "approved",
            "2028-09-01", outage_from="2027-07-01", outage_to="2028-08-20", batch=NEXT_BATCH),
    Project("石坞县镇区中心幼儿园装修改造", K, "D05-T", "public", 360, "refit", "approved",
            "2027", outage_from="2026", outage_to="2026", batch=NEXT_BATCH),
    Project("澄湖区东苑幼儿园改办小学", P, "D01-U", "public", 540, "conversion", "approved",
            "2026-09-01", from_stage=K, batch=NEXT_BATCH),
    Project("云汀区城西小学改办初中", J, "D03-U", "public", 900, "conversion", "proposed",
            "2029", from_stage=P, batch=NEXT_BATCH),
    Project("南堤区初中过渡学位", J, "D02-U", "public", 900, "temporary", "open",
            "2024", "2024", "2024", "2029", batch=TASK_BATCH),
    Project("澄湖区初中过渡学位", J, "D01-U", "public", 1500, "temporary", "under_construction",
            "2026-09-01", "2026", closes="2032", batch=NEXT_BATCH),
    Project("启晨新区初中过渡学位", J, "D08-U", "public", 900, "temporary", "approved",
            "2027", closes="2033-08-31", batch=NEXT_BATCH),
    Project("松坪县乡村教学点撤并2024批", P, "D07-R", "public", 900, "closure", "open",
            closes="2024", batch=TASK_BATCH),
    Project("青禾县乡村幼儿园撤并2025批", K, "D04-R", "public", 450, "closure", "open",
            closes="2025", batch=TASK_BATCH),
    Project("松坪县乡村小学撤并2026批", P, "D07-R", "public", 2250, "closure", "approved",
            closes="2026", batch=NEXT_BATCH),
    Project("望溪县乡村小学撤并2027批", P, "D06-R", "public", 1800, "closure", "approved",
            closes="2027-08-31", batch=NEXT_BATCH),
    Project("石坞县乡村初中撤并2028批", J, "D05-R", "public", 900, "closure", "proposed",
            closes="2028", batch=NEXT_BATCH),
    Project("松坪县乡村幼儿园撤并2026批", K, "D07-R", "public", 600, "closure", "approved",
            closes="2026", batch=NEXT_BATCH),
    Project("云汀区民办幼儿园停办", K, "D03-U", "private", 180, "closure", "approved",
            closes="2026", batch=NEXT_BATCH),
)  # fmt: skip
PROJECTS = (*DELIVERED, *EXPECTED, *OTHER_PROJECTS)

# Yuan per place and square metres of land per place: county, large city (README.md).
COST = {
    "kindergarten": (60_000, 95_000),
    "primary": (58_000, 155_000),
    "junior": (70_000, 175_000),
    "senior_general": (180_000, 240_000),
    "senior_vocational": (170_000, 200_000),
}
LAND = {
    "kindergarten": 15.5,
    "primary": 12.8,
    "junior": 15.0,
    "senior_general": 22.0,
    "senior_vocational": 25.0,
}
COST_BY_KIND = {"new": 1.0, "extension": 0.6, "rebuild": 0.8, "refit": 0.15, "conversion": 0.15,
                "temporary": 0.2}  # fmt: skip
LAND_BY_KIND = {"new": 1.0, "extension": 0.3, "temporary": 0.5}
LARGE_CITY_ZONES = ("D01-U", "D02-U", "D08-U")


def make_projects(rng: np.random.Generator) -> pd.DataFrame:
    """Write the plan as rows and add money and land, blank where none is needed."""
    columns = [field.name for field in fields(Project)]
    rows: list[list[str | int]] = []
    for project in PROJECTS:
        large = project.district in LARGE_CITY_ZONES
        unit = COST[project.stage][large] * COST_BY_KIND.get(project.kind, 0)
        area = LAND[project.stage] * LAND_BY_KIND.get(project.kind, 0)
        price, room = rng.uniform(0.9, 1.1, 2)
        cost = round(project.places * unit * price, -4)
        land = round(project.places * area * room, -2)
        row = [getattr(project, column) for column in columns]
        rows.append([*row, int(cost) or "", int(land) or ""])
    return pd.DataFrame(rows, columns=[*columns, "cost", "land_area"])


# ---------------------------------------------------------------------------------------------
# Places
# ---------------------------------------------------------------------------------------------

CLASS_SIZE = {"kindergarten": 30, "primary": 45, "junior": 50, "senior_general": 50,
              "senior_vocational": 45}  # fmt: skip
# Pupils per public place in 2025: lowest and highest over the zones of a kind.
PUBLIC_UTILISATION = {
    "kindergarten": {"U": (0.80, 0.90), "T": (0.70, 0.80), "R": (0.45, 0.60)},
    "primary": {"U": (0.97, 1.09), "T": (0.84, 0.95), "R": (0.52, 0.70)},
    "junior": {"U": (0.98, 1.11), "T": (0.88, 0.99), "R": (0.55, 0.73)},
    "senior_general": {"U": (0.96, 1.06), "T": (0.92, 1.01), "R": (1.0, 1.0)},
    "senior_vocational": {"U": (0.78, 0.92), "T": (1.0, 1.0), "R": (1.0, 1.0)},
}
# Pupils per private place by year, 2022 to 2025.
PRIVATE_UTILISATION = {
    "kindergarten": (0.84, 0.75, 0.67, 0.60),
    "primary": (0.88, 0.87, 0.86, 0.85),
    "junior": (0.90, 0.90, 0.89, 0.89),
    "senior_general": (0.90, 0.91, 0.92, 0.93),
}
PLACES_YEARS = tuple(range(FIRST_PLACES_YEAR, LAST_YEAR + 1))


def change_since(stage: str, zone: str, year: int) -> int:
    """Return the public places that open projects added after `year`, up to 2025."""
    change = 0
    for project in PROJECTS:
        here = (project.stage, project.district, project.sector) == (stage, zone, "public")
        if here and project.status == "open":
            if project.kind == "closure":
                change -= project.places if int(project.closes[:4]) > year else 0
            else:
                change += project.places if int(project.opened[:4]) > year else 0
    return change


def private_places(pupils: Array, stage: str) -> Array:
    """Return private places 2022-2025 from pupils; they never grow in compulsory stages."""
    places = np.ceil(pupils / np.array(PRIVATE_UTILISATION[stage]) / 5) * 5
    if stage != "senior_general":
        places = np.maximum.accumulate(places[::-1])[::-1]
    return np.asarray(places, dtype=float)


def zone_places(zone: Zone, stage: str, pupils: dict[str, Array], level: float) -> dict[str, Array]:
    """Return the places of one zone and stage by sector, 2022 to 2025.

    Private compulsory places that disappear were converted to public ones, so that both ledgers
    move and their sum does not.
    """
    size = CLASS_SIZE[stage]
    others = {
        sector: private_places(pupils[sector], stage)
        for sector in SECTORS[stage]
        if sector != "public"
    }
    last = max(round(pupils["public"][-1] / level / size), 1) * size
    public = np.array([last - change_since(stage, zone.code, year) for year in PLACES_YEARS])
    if stage in ("primary", "junior"):
        public = public - (others["private"] - others["private"][-1])
    return {"public": public.astype(float)} | others


def make_places(enrolment: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the places that stand, by zone, year, stage and sector."""
    stage_of = {grade: stage for stage, grades in GRADES.items() for grade in grades}
    recent = enrolment[enrolment["year"] >= FIRST_PLACES_YEAR]
    recent = recent.assign(stage=recent["grade"].map(stage_of))
    totals = recent.groupby(["district", "stage", "sector", "year"])["pupils"].sum()
    rows: list[tuple[str, int, str, str, int]] = []
    for zone in ZONES:
        for stage, kinds in STAGE_ZONES.items():
            if zone.kind not in kinds:
                continue
            level = rng.uniform(*PUBLIC_UTILISATION[stage][zone.kind])
            pupils = {
                sector: totals.loc[zone.code, stage, sector].to_numpy(dtype=float)
                for sector in SECTORS[stage]
            }
            places = zone_places(zone, stage, pupils, level)
            rows += [
                (zone.code, year, stage, sector, int(places[sector][i]))
                for i, year in enumerate(PLACES_YEARS)
                for sector in SECTORS[stage]
            ]
    columns = ["district", "year", "stage", "sector", "places"]
    return pd.DataFrame(rows, columns=columns)


TASK_SOURCE = "a city education plan, quoted in the domain notes of this project"
TASKS = (("kindergarten", 25_000), ("compulsory", 99_000), ("senior_general", 12_000))


def make_tasks() -> pd.DataFrame:
    """Return the places the city was ordered to add by 2025."""
    rows = [("CITY", stage, 2022, 2025, places, TASK_SOURCE) for stage, places in TASKS]
    columns = ["district", "stage", "year_from", "year_to", "places", "source"]
    return pd.DataFrame(rows, columns=columns)


# ---------------------------------------------------------------------------------------------
# Tables of the region and of the people
# ---------------------------------------------------------------------------------------------


def make_districts() -> pd.DataFrame:
    """Return the city, its counties and their zones."""
    code, name, longitude, latitude = CITY
    rows: list[tuple[str, str, str, str, str, float, float]] = [
        (code, name, "", "city", "", longitude, latitude)
    ]
    for county in COUNTIES:
        zone_type = "functional" if county.code == FUNCTIONAL_ZONE else ""
        at = (county.longitude, county.latitude)
        rows.append((county.code, county.name, code, "county", zone_type, *at))
        for i, kind in enumerate(ZONE_TYPES):
            point = (round(at[0] + 0.06 * (i - 1), 2), round(at[1] + 0.04 * (1 - i), 2))
            zone_name = county.name + ZONE_NAMES[kind]
            zone = f"{county.code}-{kind}"
            rows.append((zone, zone_name, county.code, "zone", ZONE_TYPES[kind], *point))
    columns = ["district", "name", "parent", "level", "zone_type", "longitude", "latitude"]
    return pd.DataFrame(rows, columns=columns)


def births_table(births: Array) -> pd.DataFrame:
    """Return whole years to 2013 and months from 2014 on."""
    rows: list[tuple[str, int, str | int, int]] = []
    for z, zone in enumerate(ZONES):
        for year in range(FIRST_PUBLISHED_BIRTH_YEAR, LAST_YEAR + 1):
            months = births[z, year - FIRST_BIRTH_YEAR]
            if year < FIRST_MONTHLY_YEAR:
                rows.append((zone.code, year, "", int(months.sum())))
            else:
                rows += [(zone.code, year, m + 1, int(n)) for m, n in enumerate(months)]
    return pd.DataFrame(rows, columns=["district", "year", "month", "births"])


def population_table(population: Array) -> pd.DataFrame:
    """Return the census by zone, sex and single age."""
    rows = [
        (zone.code, CENSUS_YEAR, sex, int(age), int(population[z, s, age]))
        for z, zone in enumerate(ZONES)
        for s, sex in enumerate(SEXES)
        for age in AGES
    ]
    return pd.DataFrame(rows, columns=["district", "year", "sex", "age", "population"])


def fertility_table(fertility: Array) -> pd.DataFrame:
    """Return births per woman and year by zone and age."""
    rows = [
        (zone.code, int(age), round(float(fertility[z, i]), 5))
        for z, zone in enumerate(ZONES)
        for i, age in enumerate(FERTILE)
    ]
    return pd.DataFrame(rows, columns=["district", "age", "asfr"])


def survival_table(survival: dict[str, Array]) -> pd.DataFrame:
    """Return the share alive by sex and age reached."""
    rows = [(sex, int(age), round(float(survival[sex][age]), 6)) for sex in SEXES for age in AGES]
    return pd.DataFrame(rows, columns=["sex", "age", "survival"])


def migration_table(migration: Array) -> pd.DataFrame:
    """Return net migration rates by zone, sex and age reached."""
    rows = [
        (zone.code, sex, int(age), round(float(migration[z, s, age]), 5))
        for z, zone in enumerate(ZONES)
        for s, sex in enumerate(SEXES)
        for age in AGES
    ]
    return pd.DataFrame(rows, columns=["district", "sex", "age", "net_migration_rate"])


def make_tables(seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Return every table of the region, in the order in which one follows from another.

    Parameters
    ----------
    seed : int
        Seed of the one generator that all draws come from.

    Returns
    -------
    dict of DataFrame
        By name of the table.
    """
    rng = np.random.default_rng(seed)
    survival = {sex: survival_of(sex) for sex in SEXES}
    adults = adult_population()
    shape = np.stack([fertility_shape(zone.kind) for zone in ZONES])
    births = make_births((adults[:, 0, FERTILE] * shape).sum(axis=1), rng)
    population = make_population(births, adults, survival)
    migration = migration_rates(population)
    fertility = make_fertility(births, population, (survival, migration))
    enrolment = make_enrolment(make_pupils(births, rng), rng)
    return {
        "districts": make_districts(),
        "births": births_table(births),
        "population": population_table(population),
        "fertility": fertility_table(fertility),
        "survival": survival_table(survival),
        "migration": migration_table(migration),
        "sex_ratio_at_birth": pd.DataFrame({"ratio": [SEX_RATIO_AT_BIRTH]}),
        "enrolment": enrolment,
        "places": make_places(enrolment, rng),
        "projects": make_projects(rng),
        "tasks": make_tasks(),
    }


def main() -> None:
    """Rewrite the CSV files of the region."""
    for name, table in make_tables().items():
        table.to_csv(REGION / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")


if __name__ == "__main__":
    main()
