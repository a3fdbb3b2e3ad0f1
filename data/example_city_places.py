"""Places, classes and intake of ``data/example_city``."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from example_city_plan import PROJECTS
from example_city_pupils import PURCHASED, PURCHASED_GRADES, PURCHASED_ZONE
from example_city_region import (
    FIRST_PLACES_YEAR,
    GRADES,
    LAST_YEAR,
    SECTORS,
    STAGE_OF,
    STAGE_ZONES,
    ZONES,
    Array,
    Zone,
)

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
                change -= int(project.places) if int(project.closes[:4]) > year else 0
            else:
                change += int(project.places) if int(project.opened[:4]) > year else 0
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
    recent = enrolment[enrolment["year"] >= FIRST_PLACES_YEAR]
    recent = recent.assign(stage=recent["grade"].map(STAGE_OF))
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


def with_purchased_places(places: pd.DataFrame) -> pd.DataFrame:
    """Move the private places that government pays for into a sector of their own.

    As many as there are pupils in them: the sum over the sectors of a stage stays as it is.
    """
    here = (places["district"] == PURCHASED_ZONE) & (places["stage"] == "primary")
    private = places[here & (places["sector"] == "private")]
    bought = private["year"].map(lambda year: PURCHASED.get(year, 0) * len(PURCHASED_GRADES))
    moved = private.assign(sector="purchased", places=bought)
    left = places.assign(places=places["places"].sub(bought, fill_value=0).astype(int))
    both = pd.concat([left, moved]).reset_index(names="row")
    return both.sort_values("row", kind="stable").drop(columns="row")


# ---------------------------------------------------------------------------------------------
# Classes by size
# ---------------------------------------------------------------------------------------------

BANDS = ("1-45", "46-55", "56-65", "66+")
# Share of the pupils in classes of 46 to 55, and pupils of a class of up to 45, by kind of zone.
FULLER_SHARE = {
    "primary": {"U": 0.24, "T": 0.10, "R": 0.02},
    "junior": {"U": 0.60, "T": 0.45, "R": 0.15},
    "senior_general": {"U": 0.62, "T": 0.55},
}
SMALLER_CLASS = {
    "primary": {"U": 42.0, "T": 39.5, "R": 29.0},
    "junior": {"U": 43.0, "T": 42.0, "R": 35.0},
    "senior_general": {"U": 43.5, "T": 42.5},
}
FULLER_CLASS = {"primary": 48, "junior": 50, "senior_general": 51}
# Large classes of the city, all in the urban zone of D01: about 0.4 % of its classes.
LARGE_CLASSES = {"primary": 48, "junior": 20, "senior_general": 9}
LARGE_CLASS, LARGE_ZONE = 58, "D01-U"


def bands_of(zone: Zone, stage: str, pupils: int, size: float) -> list[tuple[str, int, int]]:
    """Split the pupils of one zone and stage over the bands, as (band, classes, pupils)."""
    large = LARGE_CLASSES[stage] if zone.code == LARGE_ZONE else 0
    rest = pupils - large * LARGE_CLASS
    fuller = round(FULLER_SHARE[stage][zone.kind] * rest / FULLER_CLASS[stage])
    rest -= fuller * FULLER_CLASS[stage]
    smaller = int(np.ceil(rest / min(SMALLER_CLASS[stage][zone.kind] + size, 44.5)))
    classes = (smaller, fuller, large, 0)
    counted = (rest, fuller * FULLER_CLASS[stage], large * LARGE_CLASS, 0)
    return list(zip(BANDS, classes, counted, strict=True))


def make_class_sizes(enrolment: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return classes and pupils of 2025 by band; they add up to the pupils of the stage."""
    latest = enrolment[enrolment["year"] == LAST_YEAR]
    latest = latest.assign(stage=latest["grade"].map(STAGE_OF))
    totals = latest.groupby(["district", "stage"])["pupils"].sum()
    rows = [
        (zone.code, stage, LAST_YEAR, *band)
        for zone in ZONES
        for stage in FULLER_SHARE
        if zone.kind in STAGE_ZONES[stage]
        for band in bands_of(zone, stage, int(totals[zone.code, stage]), rng.uniform(-1, 1))
    ]
    columns = ["district", "stage", "year", "band", "classes", "pupils"]
    return pd.DataFrame(rows, columns=columns)


# ---------------------------------------------------------------------------------------------
# Intake plan
# ---------------------------------------------------------------------------------------------

INTAKE_YEARS = range(LAST_YEAR + 1, LAST_YEAR + 4)
# Planned intake per local entrant of 2025, by kind of zone; less where schools are crowded.
INTAKE: Mapping[str, Mapping[str, float]] = {
    "primary": {"U": 1.06, "T": 1.12, "R": 1.28},
    "junior": {"U": 1.12, "T": 1.18, "R": 1.45},
}
CROWDED_INTAKE = {
    ("primary", "D01-U"): 0.86,
    ("primary", "D08-U"): 0.93,
    ("junior", "D01-U"): 0.94,
    ("junior", "D02-U"): 1.00,
    ("junior", "D03-U"): 1.06,
    ("junior", "D08-U"): 0.96,
}


def make_intake_plan(enrolment: pd.DataFrame) -> pd.DataFrame:
    """Return the regular intake for children registered in the zone, in whole classes."""
    here = (enrolment["year"] == LAST_YEAR) & (enrolment["residence"] == "local")
    entrants = enrolment[here].groupby(["district", "grade"])["pupils"].sum()
    rows = []
    for zone in ZONES:
        for stage, by_zone in INTAKE.items():
            factor = CROWDED_INTAKE.get((stage, zone.code), by_zone[zone.kind])
            classes = entrants[zone.code, GRADES[stage][0]] * factor / CLASS_SIZE[stage]
            places = round(classes) * CLASS_SIZE[stage]
            rows += [(zone.code, stage, year, places) for year in INTAKE_YEARS]
    return pd.DataFrame(rows, columns=["district", "stage", "year", "places"])
