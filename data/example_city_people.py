"""Births and people of ``data/example_city``: births, life table, migration, census, fertility."""

import numpy as np
from example_city_region import (
    AGES,
    BIRTH_YEARS,
    CENSUS_MONTH,
    CENSUS_YEAR,
    ENTRY,
    FERTILE,
    FIRST_BIRTH_YEAR,
    KINDS,
    LABOUR,
    LAST_YEAR,
    OPEN_AGE,
    SEXES,
    ZONES,
    Array,
    by_kind,
    path,
)

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
