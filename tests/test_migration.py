"""Net migration by the residual method, and its smoothing by model schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rates.migration import migration_rates, residual_migration, smooth_migration
from placeforecast.rates.schedule import Shapes, flow_levels, rogers_castro
from placeforecast.tables.align import births_by_school_year

ALIVE = pd.DataFrame({"sex": "female", "age": [0, 1, 2], "survival": [0.9, 0.8, 0.5]})


def girls(year: int, people: list[float], district: str = "A") -> pd.DataFrame:
    cells = {"district": district, "year": year, "sex": "female", "age": range(len(people))}
    return pd.DataFrame({**cells, "population": people})


def births_of(years: dict[int, float], district: str = "A") -> pd.DataFrame:
    counts = {"year": list(years), "births": list(years.values())}
    return pd.DataFrame({"district": district, **counts})


def wide(migration: pd.DataFrame) -> list[list[float]]:
    """Return net migrants of one district and sex by year and age."""
    table = migration.pivot_table(values="net_migration", index="year", columns="age")
    rows: list[list[float]] = table.to_numpy().tolist()
    return rows


# The residual.


def test_one_year_by_hand() -> None:
    """Girls are 41/2.05 = 20: expected 20 x 0.9, 100 x 0.8 and (50 + 30) x 0.5."""
    births = births_of({2021: 41.0})
    found = residual_migration(girls(2020, [100, 50, 30]), girls(2021, [20, 70, 44]), ALIVE, births)
    np.testing.assert_allclose(wide(found), [[2.0, -10.0, 4.0]])
    assert pf.check(found, "migration").shape == found.shape


def test_two_years_by_hand() -> None:
    """Each cohort's difference is spread over its years in proportion to its survivors.

    Age 0 in 2022: born that year, 18 expected. Age 1: 18 at 0 in 2021 and 14.4 expected, two and
    nine tenths more counted; half a share of a year at age 0 and a whole one at age 1, each share
    14.4 at the end: 18 x 0.5 x c and 14.4 x c with 14.4 x 1.5 x c = 2.16, so c = 0.1.
    Open group in 2022: (100 x 0.8 + (50 + 30) x 0.5) x 0.5 = 60 expected, 72 counted; c = 0.1 on
    those aged 1 and 2 in 2021 and those aged 2 in 2022.
    """
    births = births_of({2021: 41.0, 2022: 41.0})
    later = girls(2022, [18.0, 14.4 + 2.16, 72.0])
    found = residual_migration(girls(2020, [100, 50, 30]), later, ALIVE, births)
    np.testing.assert_allclose(wide(found), [[0.9, 8.0, 4.0], [0.0, 1.44, 6.0]], atol=1e-12)


def test_a_cohort_that_only_migrants_make_up() -> None:
    births = births_of({2021: 0.0, 2022: 0.0})
    later = girls(2022, [9.0, 0.0, 10.0])
    found = residual_migration(girls(2020, [0, 0, 0]), later, ALIVE, births)
    assert (found["net_migration"] >= 0).all()
    assert_reproduces(found, girls(2020, [0, 0, 0]), later, (ALIVE, births))


def assert_reproduces(
    migration: pd.DataFrame,
    earlier: pd.DataFrame,
    later: pd.DataFrame,
    rates: tuple[pd.DataFrame, ...],
) -> None:
    """Check that the earlier count, projected with the migrants, is the later one."""
    survival, births, *ratio = rates
    assumptions = pf.Assumptions(
        survival=survival,
        births=births,
        migration=migration,
        sex_ratio_at_birth=ratio[0] if ratio else None,
    )
    year = int(later["year"].max())
    people = pf.project_population(earlier, assumptions, until=year).population
    keys = ["district", "sex", "age"]
    found = people[people["year"] == year].set_index(keys)["population"].sort_index()
    wanted = later.set_index(keys)["population"].sort_index()
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9, err_msg="the later count")


City = tuple[pf.Inputs, pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def city() -> City:
    """Return the example city, its births of 2021-2025, and a second count with sampling noise."""
    inputs = pf.load_example("city")
    assert inputs.births is not None
    assert inputs.population is not None
    known = births_by_school_year(inputs.births, inputs.settings, 2025).known
    births = known.query("share_born == 1 and 2021 <= year <= 2025")
    births = births[["district", "year", "births", "share_born"]]
    assumptions = pf.Assumptions(
        survival=inputs.survival,
        migration=inputs.migration,
        births=births,
        sex_ratio_at_birth=inputs.sex_ratio_at_birth,
    )
    later = pf.project_population(inputs.population, assumptions, until=2025).population
    later = later[later["year"] == 2025].reset_index(drop=True)
    noise = np.random.default_rng(7).poisson(later["population"])
    return inputs, births, later.assign(population=noise.astype(float))


@pytest.fixture(scope="module")
def residual(city: City) -> pd.DataFrame:
    inputs, births, later = city
    assert inputs.population is not None
    assert inputs.survival is not None
    return residual_migration(
        inputs.population,
        later,
        inputs.survival,
        births,
        sex_ratio_at_birth=inputs.sex_ratio_at_birth,
    )


def test_the_earlier_count_becomes_the_later_one(city: City, residual: pd.DataFrame) -> None:
    inputs, births, later = city
    assert inputs.population is not None
    assert inputs.survival is not None
    assert inputs.sex_ratio_at_birth is not None
    rates = (inputs.survival, births, inputs.sex_ratio_at_birth)
    assert_reproduces(residual, inputs.population, later, rates)
    changed = residual.copy()
    changed["net_migration"] += np.where(changed.index == len(changed) // 2, 1.0, 0.0)
    with pytest.raises(AssertionError, match="the later count"):
        assert_reproduces(changed, inputs.population, later, rates)


def test_the_rates_of_the_city_are_found_again(city: City) -> None:
    """Constant rates come back where those of neighbouring ages are alike."""
    inputs, births, _ = city
    assert inputs.population is not None
    assert inputs.survival is not None
    assumptions = pf.Assumptions(
        survival=inputs.survival,
        births=births,
        migration=pd.DataFrame(
            [(sex, age, 0.02) for sex in ("female", "male") for age in range(101)],
            columns=["sex", "age", "net_migration_rate"],
        ),
    )
    projected = pf.project_population(inputs.population, assumptions, until=2025).population
    found = residual_migration(
        inputs.population, projected[projected["year"] == 2025], inputs.survival, births
    )
    rates = migration_rates(found, projected)
    adult = rates[(rates["age"] >= 5) & (rates["age"] < 99)]["net_migration_rate"]
    np.testing.assert_allclose(adult, 0.02, atol=0.001)


def test_two_halves_of_a_district_have_half_the_migrants_each(city: City) -> None:
    inputs, births, later = city
    assert inputs.population is not None
    assert inputs.survival is not None

    def halves(table: pd.DataFrame, value: str) -> pd.DataFrame:
        rows = table[table["district"] == "D01-U"]
        parts = [rows.assign(district=name, **{value: rows[value] / 2}) for name in ("A", "B")]
        return pd.concat([rows, *parts])

    found = residual_migration(
        halves(inputs.population, "population"),
        halves(later, "population"),
        inputs.survival,
        halves(births, "births"),
    )
    moved = found.pivot_table(
        values="net_migration", index=["year", "sex", "age"], columns="district"
    )
    np.testing.assert_allclose(moved["A"] + moved["B"], moved["D01-U"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"later": girls(2020, [1, 1, 1])}, r"later count \(2020\) does not follow .* \(2020\)"),
        ({"later": girls(2021, [1, 1, 1], "B")}, "'B' is not on the axis"),
        ({"later": girls(2021, [1, 1])}, "lacks 1 of 3 cells, first: sex female, age 2"),
        (
            {"births": births_of({2020: 41.0})},
            "births, column births: lacks 1 of 1 cells, first: year 2021",
        ),
        (
            {"births": births_of({2021: 41.0}).assign(share_born=0.5)},
            "births, column births: lacks 1 of 1 cells, first: year 2021",
        ),
        ({"survival": ALIVE.assign(survival=[0.0, 0.8, 0.5])}, "counted again: .*female, age 0"),
    ],
)
def test_counts_that_give_no_residual_are_named(changes: dict[str, Any], message: str) -> None:
    tables = {
        "earlier": girls(2020, [100, 50, 30]),
        "later": girls(2021, [20, 70, 44]),
        "survival": ALIVE,
        "births": births_of({2021: 41.0}),
        **changes,
    }
    with pytest.raises(pf.InputError, match=message):
        residual_migration(**tables)


# The schedule.


def test_the_standard_schedule_of_rogers_and_castro() -> None:
    """By hand at 0, 20 and 30; its area is about one move in a life (Rogers and Castro, 1981)."""
    found = rogers_castro([0, 20, 30])
    by_hand = [
        0.02 + 0.06 * np.exp(2 - np.exp(8)) + 0.003,
        0.02 * np.exp(-2) + 0.06 * np.exp(-1) + 0.003,
        0.02 * np.exp(-3) + 0.06 * np.exp(-1 - np.exp(-4)) + 0.003,
    ]
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)
    assert rogers_castro(np.arange(0.5, 85)).sum() == pytest.approx(1.0, abs=0.01)
    # The peak lies ln(lambda2 / alpha2) / lambda2 above mu2, but for the children's part.
    ages = np.arange(0, 60, 0.01)
    peak = ages[np.argmax(rogers_castro(ages, a1=0))]
    assert peak == pytest.approx(20 + np.log(4) / 0.4, abs=0.01)


def test_levels_of_two_schedules_by_hand() -> None:
    """One cell of arrivals only, one of departures only, and one of both."""
    shapes = Shapes(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    net = np.array([[0.3, 0.0, 0.0], [0.0, -0.2, 0.0], [0.3, -0.2, 0.0]])
    arriving, leaving = flow_levels(shapes, net, np.ones((3, 3)))
    np.testing.assert_allclose(arriving, [0.3, 0.0, 0.3], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(leaving, [0.0, 0.2, 0.2], rtol=1e-9, atol=1e-12)


# Smoothing.


@pytest.fixture(scope="module")
def people(city: City, residual: pd.DataFrame) -> pd.DataFrame:
    inputs, births, _ = city
    assert inputs.population is not None
    assumptions = pf.Assumptions(
        survival=inputs.survival,
        births=births,
        migration=residual,
        sex_ratio_at_birth=inputs.sex_ratio_at_birth,
    )
    return pf.project_population(inputs.population, assumptions, until=2025).population


def error(rates: pd.DataFrame, inputs: pf.Inputs, ages: tuple[int, int]) -> float:
    """Root mean square error against the rates that the city was made with, by people."""
    assert inputs.migration is not None
    assert inputs.population is not None
    keys = ["district", "sex", "age"]
    cells = rates.merge(inputs.migration, on=keys).merge(inputs.population, on=keys)
    cells = cells[cells["age"].between(*ages)]
    miss = cells["net_migration_rate_x"] - cells["net_migration_rate_y"]
    return float(np.sqrt(np.average(miss**2, weights=cells["population"])))


def totals(rates: pd.DataFrame, moved: pd.DataFrame, people: pd.DataFrame) -> pd.Series[float]:
    """Migrants of each district and sex that rates give on the people of the years measured."""
    keys = ["district", "year", "sex", "age"]
    cells = people.merge(moved, on=keys).merge(rates, on=["district", "sex", "age"])
    reached = cells["population"] - cells["net_migration"]
    sums: pd.Series[float] = (
        (reached * cells["net_migration_rate"]).groupby([cells["district"], cells["sex"]]).sum()
    )
    return sums


def test_smoothing_keeps_the_migrants_of_each_district(
    residual: pd.DataFrame, people: pd.DataFrame
) -> None:
    smooth = smooth_migration(residual, people, shrink=False)
    found = totals(smooth, residual, people)
    measured = residual.groupby(["district", "sex"])["net_migration"].sum()
    np.testing.assert_allclose(found, measured.reindex(found.index), rtol=1e-9)
    assert pf.check(smooth, "migration").shape == smooth.shape


def test_smoothing_brings_the_rates_nearer_to_the_truth(
    city: City, residual: pd.DataFrame, people: pd.DataFrame
) -> None:
    inputs, _, _ = city
    raw = migration_rates(residual, people)
    smooth = smooth_migration(residual, people, districts=inputs.districts)
    np.testing.assert_allclose(
        totals(raw, residual, people),
        residual.groupby(["district", "sex"])["net_migration"].sum(),
        rtol=1e-9,
    )
    assert error(smooth, inputs, (0, 5)) < error(raw, inputs, (0, 5))
    assert error(smooth, inputs, (15, 49)) < error(raw, inputs, (15, 49))


def test_a_district_of_nobody_takes_the_rate_of_its_parent() -> None:
    """A has people and migrants, B nobody yet: B is taken to be like A."""
    ages = list(range(91))
    tree = pd.DataFrame({"district": ["P", "A", "B"], "parent": [None, "P", "P"]})
    parts = []
    for district, size, level in (("A", 100_000.0, 0.01), ("B", 0.0, 0.0)):
        rate = level * rogers_castro(ages)
        cells = {"district": district, "year": 2021, "sex": "female", "age": ages}
        parts.append(pd.DataFrame({**cells, "net_migration": size * rate, "reached": size}))
    table = pd.concat(parts, ignore_index=True)
    stock = table.assign(population=table["reached"] + table["net_migration"])
    moved = table.drop(columns="reached")
    smooth = smooth_migration(
        moved, stock.drop(columns=["net_migration", "reached"]), districts=tree
    ).pivot_table(values="net_migration_rate", index="age", columns="district")
    np.testing.assert_allclose(smooth["B"], smooth["A"], rtol=0.05, atol=1e-6)


def test_the_order_of_rows_does_not_matter(residual: pd.DataFrame, people: pd.DataFrame) -> None:
    some = ["D01-U", "D01-R", "D08-U"]
    residual, people = (table[table["district"].isin(some)] for table in (residual, people))
    one = smooth_migration(residual, people)
    other = smooth_migration(residual.iloc[::-1], people.iloc[::-1])
    pd.testing.assert_frame_equal(one, other)


def test_nobody_who_moves_is_named() -> None:
    moved = girls(2021, [1.0, 1.0]).rename(columns={"population": "net_migration"})
    with pytest.raises(pf.InputError, match="migration: holds no migrants to smooth"):
        smooth_migration(moved.assign(net_migration=0.0), girls(2021, [1.0, 1.0]))
    with pytest.raises(pf.InputError, match="population: lacks 2 of 2 cells"):
        smooth_migration(moved, girls(2020, [1.0, 1.0]))
