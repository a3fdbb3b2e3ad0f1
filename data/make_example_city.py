"""Make the tables of ``data/example_city``, a SYNTHETIC prefecture-level city.

Usage: ``python data/make_example_city.py``. It rewrites the CSV files of the folder and nothing
else; ``README.md`` and ``forecast.toml`` there are written by hand. The place does not exist. One
seed fixes every figure, so two runs give the same bytes.

Births come first. The census takes its children from them, and pupils follow them grade by grade:
an entry ratio brings children into K1 and P1, a progression ratio takes pupils from each grade to
the next. Places of 2025 are set against the pupils of 2025; earlier years are the same places less
the projects that opened since. Rates are levels of a model city, not estimates for a real one.

The modules ``example_city_*`` beside this one hold the region, its people, its pupils, its plan,
its places, its housing and its policy.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from example_city_housing import make_housing, make_yields
from example_city_means import make_budget, make_posts
from example_city_people import (
    SEX_RATIO_AT_BIRTH,
    adult_population,
    fertility_shape,
    make_births,
    make_fertility,
    make_population,
    migration_rates,
    survival_of,
)
from example_city_places import (
    make_class_sizes,
    make_intake_plan,
    make_places,
    make_tasks,
    with_purchased_places,
)
from example_city_plan import make_projects
from example_city_policy import (
    make_events,
    make_neighbours,
    make_policy,
    make_standards,
    make_transfers,
)
from example_city_pupils import make_enrolment, make_pupils, with_purchased, with_residence
from example_city_region import (
    AGES,
    CENSUS_YEAR,
    CITY,
    COUNTIES,
    FERTILE,
    FIRST_BIRTH_YEAR,
    FIRST_MONTHLY_YEAR,
    FIRST_PUBLISHED_BIRTH_YEAR,
    FUNCTIONAL_ZONE,
    HOT_SPOTS,
    LAST_YEAR,
    SEXES,
    ZONE_NAMES,
    ZONE_TYPES,
    ZONES,
    Array,
    points,
)

REGION = Path(__file__).resolve().parent / "example_city"
SEED = 20251101
LATER_SEED = 20260301

# ---------------------------------------------------------------------------------------------
# Tables of the region and of the people
# ---------------------------------------------------------------------------------------------


def make_districts() -> pd.DataFrame:
    """Return the city, its counties and their zones."""
    code, name, longitude, latitude = CITY
    rows: list[tuple[str, str, str, str, str, str, float, float]] = [
        (code, name, "", "city", "", "", longitude, latitude)
    ]
    for county in COUNTIES:
        zone_type = "functional" if county.code == FUNCTIONAL_ZONE else ""
        at = (county.longitude, county.latitude)
        rows.append((county.code, county.name, code, "county", zone_type, "", *at))
        for kind, zone_type in ZONE_TYPES.items():
            zone = f"{county.code}-{kind}"
            about = (county.name + ZONE_NAMES[kind], county.code, "zone", zone_type)
            rows.append((zone, *about, HOT_SPOTS.get(zone, ""), *points()[zone]))
    columns = ["district", "name", "parent", "level", "zone_type", "tag", "longitude", "latitude"]
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


def make_tables(seed: int = SEED, later_seed: int = LATER_SEED) -> dict[str, pd.DataFrame]:
    """Return every table of the region, in the order in which one follows from another.

    Parameters
    ----------
    seed : int
        Seed of births, people, pupils, places and projects.
    later_seed : int
        Seed of what was added to them: residence and class sizes.

    Returns
    -------
    dict of DataFrame
        By name of the table.
    """
    rng, later = np.random.default_rng(seed), np.random.default_rng(later_seed)
    survival = {sex: survival_of(sex) for sex in SEXES}
    adults = adult_population()
    shape = np.stack([fertility_shape(zone.kind) for zone in ZONES])
    births = make_births((adults[:, 0, FERTILE] * shape).sum(axis=1), rng)
    population = make_population(births, adults, survival)
    migration = migration_rates(population)
    fertility = make_fertility(births, population, (survival, migration))
    by_sector = make_enrolment(make_pupils(births, rng), rng)
    enrolment = with_residence(with_purchased(by_sector), later)
    return {
        "districts": make_districts(),
        "births": births_table(births),
        "population": population_table(population),
        "fertility": fertility_table(fertility),
        "survival": survival_table(survival),
        "migration": migration_table(migration),
        "sex_ratio_at_birth": pd.DataFrame({"ratio": [SEX_RATIO_AT_BIRTH]}),
        "enrolment": enrolment,
        "places": with_purchased_places(make_places(by_sector, rng)),
        "projects": make_projects(rng),
        "tasks": make_tasks(),
        "policy": make_policy(enrolment),
        "standards": make_standards(),
        "intake_plan": make_intake_plan(enrolment),
        "class_sizes": make_class_sizes(enrolment, later),
        "housing": make_housing(),
        "yields": make_yields(),
        "events": make_events(),
        "transfers": make_transfers(),
        "neighbours": make_neighbours(),
        "posts": make_posts(enrolment),
        "budget": make_budget(enrolment),
    }


def main() -> None:
    """Rewrite the CSV files of the region."""
    for name, table in make_tables().items():
        table.to_csv(REGION / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")


if __name__ == "__main__":
    main()
