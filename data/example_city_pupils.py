"""Pupils of ``data/example_city``: grade by grade, by sector and by residence."""

from itertools import pairwise

import numpy as np
import pandas as pd
from example_city_people import PRIMARY_PROGRESSION, births_between
from example_city_region import (
    ENTRY,
    FIRST_COHORT_YEAR,
    FIRST_SCHOOL_YEAR,
    GRADES,
    KINDS,
    LAST_YEAR,
    SCHOOL_YEARS,
    SECTORS,
    STAGE_OF,
    STAGE_ZONES,
    ZONES,
    Array,
    Paths,
    by_kind,
    path,
)

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
# Purchased places
# ---------------------------------------------------------------------------------------------

# Pupils a grade in private primary schools whose places government pays for.
PURCHASED_ZONE, PURCHASED_GRADES = "D01-U", GRADES["primary"]
PURCHASED = {2023: 60, 2024: 70, 2025: 80}


def with_purchased(enrolment: pd.DataFrame) -> pd.DataFrame:
    """Move some private pupils into a sector of their own; the sum over sectors stays as it is."""
    here = (enrolment["district"] == PURCHASED_ZONE) & enrolment["year"].isin(list(PURCHASED))
    here &= enrolment["grade"].isin(PURCHASED_GRADES) & (enrolment["sector"] == "private")
    bought = enrolment[here]["year"].map(PURCHASED)
    moved = enrolment[here].assign(sector="purchased", pupils=bought)
    left = enrolment.assign(pupils=enrolment["pupils"].sub(bought, fill_value=0).astype(int))
    both = pd.concat([left.reset_index(drop=True), moved.set_axis(np.flatnonzero(here))])
    return both.sort_index(kind="stable").reset_index(drop=True)


# ---------------------------------------------------------------------------------------------
# Residence
# ---------------------------------------------------------------------------------------------

# Migrant share of primary pupils in 2025. At least 30 migrants reach every grade of every zone:
# ratios from fewer are not worth learning, and the library says so.
MIGRANT_SHARE = {"U": 0.16, "T": 0.08, "R": 0.03}
MIGRANT_ZONES = {
    "D01-U": 0.35, "D02-U": 0.20, "D03-U": 0.17, "D08-U": 0.30,
    "D01-T": 0.10, "D08-T": 0.13, "D01-R": 0.05, "D08-R": 0.08,
}  # fmt: skip
MIGRANT_TREND = ((2013, 0.88), (2019, 0.97), (2025, 1.00))
# Against the migrant share of primary pupils.
MIGRANT_BY_STAGE: Paths = {
    "kindergarten": ((2013, 0.96),),
    "primary": ((2013, 1.00),),
    "junior": ((2013, 0.93),),
    "senior_general": ((2013, 0.54), (2017, 0.56), (2025, 0.62)),
    "senior_vocational": ((2013, 0.80),),
}
# General senior schools of urban zones also take in graduates of the others, who are local.
MIGRANT_SENIOR_URBAN = 0.69
MIGRANT_STEP_BY_GRADE = -0.008
MIGRANT_NOISE = 0.006
# Share of migrant pupils in public schools; kindergarten and senior: of the share of all pupils.
MIGRANT_PUBLIC: Paths = {
    "primary": ((2013, 0.760), (2017, 0.790), (2021, 0.830), (2025, 0.860)),
    "junior": ((2013, 0.790), (2017, 0.816), (2021, 0.850), (2025, 0.875)),
}
MIGRANT_PUBLIC_RELATIVE = {"kindergarten": 0.75, "senior_general": 0.92, "senior_vocational": 1.0}
PURCHASED_MIGRANTS = 0.90


def migrant_share(district: str, grade: str, year: int) -> float:
    """Return the expected share of migrants among the pupils of a cell."""
    stage = STAGE_OF[grade]
    zone = MIGRANT_ZONES.get(district, MIGRANT_SHARE[district[-1]])
    by_grade = 1 + MIGRANT_STEP_BY_GRADE * GRADES[stage].index(grade)
    by_stage = path(MIGRANT_BY_STAGE[stage], year) * by_grade
    if stage == "senior_general" and district.endswith("U"):
        zone *= MIGRANT_SENIOR_URBAN
    return float(zone * by_stage * path(MIGRANT_TREND, year))


def migrants_by_sector(
    pupils: dict[str, int], migrants: float, stage: str, year: int
) -> dict[str, int]:
    """Split the migrants of a cell over its sectors, no more than the pupils of each."""
    total = sum(pupils.values())
    bought = round(PURCHASED_MIGRANTS * pupils.get("purchased", 0))
    if stage in MIGRANT_PUBLIC:
        public = float(path(MIGRANT_PUBLIC[stage], year))
    else:
        public = MIGRANT_PUBLIC_RELATIVE[stage] * pupils["public"] / total
    others = {s: n for s, n in pupils.items() if s not in ("public", "purchased")}
    outside = max((1 - public) * migrants - bought, 0.0)
    found = {s: min(round(outside * n / sum(others.values())), n) for s, n in others.items()}
    if "purchased" in pupils:
        found["purchased"] = bought
    found["public"] = min(max(round(migrants) - sum(found.values()), 0), pupils["public"])
    return found


def with_residence(enrolment: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Split every row into local and migrant pupils, whole numbers that add up to it."""
    cells: dict[tuple[str, int, str], dict[str, int]] = {}
    for district, year, grade, sector, count in enrolment.itertuples(index=False):
        cells.setdefault((str(district), int(year), str(grade)), {})[str(sector)] = int(count)
    rows: list[tuple[str, int, str, str, str, int]] = []
    for (district, year, grade), pupils in cells.items():
        share = migrant_share(district, grade, year) * np.exp(rng.normal(0.0, MIGRANT_NOISE))
        expected = share * sum(pupils.values())
        migrants = migrants_by_sector(pupils, expected, STAGE_OF[grade], year)
        for sector, count in pupils.items():
            rows.append((district, year, grade, sector, "local", count - migrants[sector]))
            rows.append((district, year, grade, sector, "migrant", migrants[sector]))
    columns = ["district", "year", "grade", "sector", "residence", "pupils"]
    return pd.DataFrame(rows, columns=columns)
