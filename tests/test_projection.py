"""The projection on examples worked by hand, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from accounting import (
    assert_accounts_balance,
    assert_cohorts_balance,
    assert_same_bits,
    assert_same_sums,
    with_cell_changed,
)

if TYPE_CHECKING:
    from placeforecast.population.project import Projection

Array = np.ndarray[Any, np.dtype[np.float64]]
SEXES = ("female", "male")
DISTRICTS = ("A", "B")
AGES = range(4)
YEARS = range(2021, 2025)


def by_age(value: str, numbers: list[float], width: int = 1, **keys: str | int) -> pd.DataFrame:
    """Return a table of one number per age."""
    ages = [width * i for i in range(len(numbers))]
    return pd.DataFrame({"age": ages, value: numbers}).assign(**keys)


def girls(people: list[float], width: int = 1) -> pd.DataFrame:
    """Return girls and women by age in 2020, in one place."""
    return by_age("population", people, width, year=2020, sex="female")


def hand_example() -> pf.Assumptions:
    """Return rates for three ages; half of the births are girls."""
    return pf.Assumptions(
        survival=by_age("survival", [0.9, 0.8, 0.5], sex="female"),
        fertility=pd.DataFrame({"age": [1], "asfr": [0.5]}),
        migration=by_age("net_migration", [10.0, 20.0, -6.0], sex="female"),
        sex_ratio_at_birth=pd.DataFrame({"ratio": [1.0]}),
    )


def column(table: pd.DataFrame, value: str, year: int = 2021) -> Array:
    """Return the numbers of a year, by age."""
    numbers: Array = table.loc[table["year"] == year, value].to_numpy(dtype=float)
    return numbers


def assert_components(result: Projection, expected: dict[str, list[float]]) -> None:
    for name, numbers in expected.items():
        np.testing.assert_allclose(
            column(getattr(result, name), name), numbers, rtol=1e-12, err_msg=name
        )


def test_all_migrants_at_the_end() -> None:
    """Women of age 1: 80 before, 100 x 0.8 = 80 after; births 0.5 x 80 = 40, of which 20 girls."""
    result = pf.project_population(girls([100, 80, 60]), hand_example(), until=2021)
    assert_components(
        result,
        {
            "births": [20.0],
            "population": [20 * 0.9 + 10, 80 + 20, (80 + 60) * 0.5 - 6],
            "deaths": [2.0, 20.0, 70.0],
            "net_migration": [10.0, 20.0, -6.0],
        },
    )


def test_half_of_the_migrants_at_each_end() -> None:
    """105, 90, 57 at risk; women of age 1: 90 before, 84 + 10 after; births 0.5 x 92 = 46.

    Migrants stand at the age reached: 5; 5 + 10; 10 - 3 - 3.
    """
    result = pf.project_population(
        girls([100, 80, 60]), hand_example(), until=2021, migration_timing="half"
    )
    assert_components(
        result,
        {
            "births": [23.0],
            "population": [23 * 0.9 + 5, 84 + 10, (90 + 57) * 0.5 - 3],
            "deaths": [2.3, 21.0, 73.5],
            "net_migration": [5.0, 15.0, 4.0],
        },
    )


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        # 0.1 of the survivors 80 and 70; newborns 0.9 x 20 girls.
        ("end", [18 * 1.1, 80 * 1.1, 70 * 1.1]),
        # 0.1 of 100, 80, 60 as persons, half of them on either side.
        # Women of age 1: 84 before, 84 + 4 after; births 0.5 x 86 = 43.
        ("half", [21.5 * 0.9 + 5, 84 + 4, (84 + 63) * 0.5 + 3]),
    ],
)
def test_migration_as_a_rate(timing: Literal["end", "half"], expected: list[float]) -> None:
    rate = by_age("net_migration_rate", [0.1, 0.1, 0.1], sex="female")
    assumptions = replace(hand_example(), migration=rate)
    result = pf.project_population(
        girls([100, 80, 60]), assumptions, until=2021, migration_timing=timing
    )
    assert_components(result, {"population": expected})


def test_open_group_keeps_and_takes_in() -> None:
    """1000 in the open group, 100 joining a year; survival 0.5: 550, then (50 + 550) x 0.5."""
    assumptions = pf.Assumptions(
        survival=by_age("survival", [1.0, 0.5, 0.5], sex="female"),
        births=pd.DataFrame({"district": "all", "year": [2021, 2022], "births": [0.0, 0.0]}),
    )
    result = pf.project_population(girls([100, 100, 1000]), assumptions)
    np.testing.assert_allclose(column(result.population, "population", 2021), [0, 50, 550])
    np.testing.assert_allclose(column(result.population, "population", 2022), [0, 0, 300])


def test_steps_of_five_years() -> None:
    """Five years of births at 0.1 a year: 5 x 0.1 x (80 + 90)/2 = 42.5, of which half are girls."""
    assumptions = pf.Assumptions(
        survival=by_age("survival", [0.9, 0.9, 0.5], 5, sex="female"),
        fertility=pd.DataFrame({"age": [5], "asfr": [0.1]}),
        migration=by_age("net_migration", [1.0, 2.0, 3.0], 5, sex="female"),
        sex_ratio_at_birth=pd.DataFrame({"ratio": [1.0]}),
    )
    result = pf.project_population(girls([100, 80, 60], 5), assumptions, until=2030, step=5)
    assert sorted(result.population["year"].unique()) == [2020, 2025, 2030]
    assert sorted(result.population["age"].unique()) == [0, 5, 10]
    np.testing.assert_allclose(column(result.births, "births", 2025), [21.25])
    first = [21.25 * 0.9 + 1, 92.0, 140 * 0.5 + 3]
    np.testing.assert_allclose(column(result.population, "population", 2025), first)


def test_nobody_dies_moves_or_is_born() -> None:
    assumptions = pf.Assumptions(
        survival=by_age("survival", [1.0, 1.0, 1.0], sex="female"),
        fertility=pd.DataFrame({"age": [0, 1, 2], "asfr": [0.0, 0.0, 0.0]}),
    )
    result = pf.project_population(girls([3, 5, 7]), assumptions, until=2023)
    for year, expected in {2021: [0, 3, 12], 2022: [0, 0, 15], 2023: [0, 0, 15]}.items():
        np.testing.assert_allclose(column(result.population, "population", year), expected)
    assert result.deaths["deaths"].eq(0).all()
    assert result.net_migration["net_migration"].eq(0).all()


def test_nobody_lives_on() -> None:
    assumptions = replace(
        hand_example(), survival=by_age("survival", [0.0] * 3, sex="female"), migration=None
    )
    result = pf.project_population(girls([100, 80, 60]), assumptions, until=2021)
    np.testing.assert_allclose(column(result.population, "population"), [0, 0, 0], atol=0)
    # Births rest on the mean of 80 women and none: 0.5 x 40, of which 10 girls, all dead.
    np.testing.assert_allclose(column(result.deaths, "deaths"), [10, 100, 140])


def test_boys_alone_need_recorded_births() -> None:
    boys = by_age("population", [10.0, 20.0], year=2020, sex="male")
    alive = by_age("survival", [0.5, 0.5], sex="male")
    born = pd.DataFrame({"district": "all", "year": [2021], "births": [205.0]})
    result = pf.project_population(boys, pf.Assumptions(survival=alive, births=born))
    np.testing.assert_allclose(column(result.births, "births"), [105.0])
    np.testing.assert_allclose(column(result.population, "population"), [52.5, 15.0])
    with pytest.raises(pf.InputError, match="births of all in 2021 are neither recorded nor can"):
        pf.project_population(boys, pf.Assumptions(survival=alive), until=2021)


# Two districts, two sexes, four ages, four years.


def region() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return people and rates that differ from cell to cell."""
    rng = np.random.default_rng(20)
    cells = pd.MultiIndex.from_product(
        [DISTRICTS, YEARS, SEXES, AGES], names=["district", "year", "sex", "age"]
    ).to_frame(index=False)
    stock = cells[cells["year"] == YEARS[0]].assign(year=2020)
    women = cells[(cells["sex"] == "female") & cells["age"].isin([1, 2])].drop(columns="sex")
    places = cells[["district", "year"]].drop_duplicates()
    tables = {
        "survival": cells.assign(survival=rng.uniform(0.9, 1, len(cells))),
        "migration": cells.assign(net_migration=rng.uniform(-5, 5, len(cells))),
        "fertility": women.assign(asfr=rng.uniform(0.5, 1, len(women))),
        "sex_ratio_at_birth": places.assign(ratio=rng.uniform(1.0, 1.2, len(places))),
    }
    people = stock.assign(population=rng.uniform(100, 300, len(stock)))
    return people.reset_index(drop=True), tables


@pytest.mark.parametrize("timing", ["end", "half"])
def test_accounts_of_single_years_balance(timing: Literal["end", "half"]) -> None:
    people, tables = region()
    result = pf.project_population(people, pf.Assumptions(**tables), migration_timing=timing)
    assert_accounts_balance(result, ["district", "sex"])
    assert_cohorts_balance(result)


def test_recorded_births_count_in_their_years_only() -> None:
    people, tables = region()
    computed = pf.project_population(people, pf.Assumptions(**tables))
    born = pd.DataFrame(
        {
            "district": ["A", "A", "B"],
            "year": [2021, 2022, 2021],
            "births": [77.0, 55.0, 33.0],
            "share_born": [1.0, 0.0, 0.25],
        }
    )
    result = pf.project_population(people, pf.Assumptions(**tables, births=born))
    keys = ["district", "year"]
    found = result.births.groupby(keys)["births"].sum()
    np.testing.assert_allclose(found[[("A", 2021), ("B", 2021)]], [77.0, 33.0], rtol=1e-15)
    # Nobody born from 2021 on is a mother at age 1 before 2022, nor counted before 2023.
    untouched = "year == 2021 and age > 0"
    pd.testing.assert_frame_equal(
        result.population.query(untouched), computed.population.query(untouched), check_exact=True
    )
    assert found[("A", 2022)] != 55.0
    # Each year's births by hand from the projection's own women: asfr x mean of both ends.
    fertility = tables["fertility"].set_index(["district", "year", "age"])["asfr"]
    alive = tables["survival"].set_index(["district", "year", "sex", "age"])["survival"]
    women = result.population.set_index(["district", "year", "sex", "age"])["population"]
    for district, year in [("A", 2022), ("A", 2023), ("B", 2022), ("B", 2024)]:
        expected = 0.0
        for age in (1, 2):
            before = women[(district, year - 1, "female", age)]
            younger = women[(district, year - 1, "female", age - 1)]
            after = younger * alive[(district, year, "female", age)]
            expected += fertility[(district, year, age)] * (before + after) / 2
        np.testing.assert_allclose(found[(district, year)], expected, rtol=1e-12)


def test_fertility_is_needed_only_where_births_are_not_recorded() -> None:
    people, tables = region()
    born = pd.DataFrame({"district": list(DISTRICTS), "year": 2021, "births": 40.0})
    full = pf.Assumptions(**tables, births=born)
    later = tables["fertility"].query("year > 2021")
    short = pf.Assumptions(**{**tables, "fertility": later}, births=born)
    one, other = (pf.project_population(people, given) for given in (full, short))
    assert_same_bits(one, other)


def test_the_last_year_is_the_last_that_every_dated_table_reaches() -> None:
    people, tables = region()
    tables["fertility"] = tables["fertility"].query("year <= 2023")
    result = pf.project_population(people, pf.Assumptions(**tables))
    assert int(result.population["year"].max()) == 2023


def test_the_sex_ratio_is_one_of_the_dated_tables() -> None:
    people, tables = region()
    tables["sex_ratio_at_birth"] = tables["sex_ratio_at_birth"].query("year <= 2022")
    result = pf.project_population(people, pf.Assumptions(**tables))
    assert int(result.population["year"].max()) == 2022


def test_a_rate_without_district_is_the_same_everywhere() -> None:
    people, tables = region()
    everywhere = tables["survival"].query("district == 'A'").drop(columns="district")
    repeated = pd.concat(everywhere.assign(district=d) for d in DISTRICTS)
    one, other = (
        pf.project_population(people, pf.Assumptions(**{**tables, "survival": survival}))
        for survival in (everywhere, repeated)
    )
    assert_same_bits(one, other)
    with pytest.raises(AssertionError, match="are different"):
        assert_same_bits(one, with_cell_changed(other, "population", by=1e-9))


def test_a_rate_without_year_is_the_same_every_year() -> None:
    people, tables = region()
    always = tables["fertility"].query("year == 2021").drop(columns="year")
    repeated = pd.concat(always.assign(year=year) for year in YEARS)
    one, other = (
        pf.project_population(people, pf.Assumptions(**{**tables, "fertility": fertility}))
        for fertility in (always, repeated)
    )
    assert_same_bits(one, other)


def test_the_order_of_rows_changes_nothing() -> None:
    people, tables = region()
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in tables.items()}
    one = pf.project_population(people, pf.Assumptions(**tables))
    other = pf.project_population(people.sample(frac=1, random_state=4), pf.Assumptions(**shuffled))
    assert_same_bits(one, other)
    with pytest.raises(AssertionError, match="are different"):
        assert_same_bits(one, with_cell_changed(other, "deaths", by=1e-9))


@pytest.mark.parametrize("timing", ["end", "half"])
def test_a_district_split_in_two_adds_up(timing: Literal["end", "half"]) -> None:
    people, tables = region()
    parts = {"A1": ("A", 0.3), "A2": ("A", 0.7), "B": ("B", 1.0)}

    def split(table: pd.DataFrame, counts: str = "") -> pd.DataFrame:
        pieces = []
        for part, (district, share) in parts.items():
            rows = table[table["district"] == district].assign(district=part)
            if counts:
                rows[counts] *= share
            pieces.append(rows)
        return pd.concat(pieces, ignore_index=True)

    counted = {"migration": "net_migration"}
    apart = {name: split(table, counted.get(name, "")) for name, table in tables.items()}
    whole = pf.project_population(people, pf.Assumptions(**tables), migration_timing=timing)
    summed = pf.project_population(
        split(people, "population"), pf.Assumptions(**apart), migration_timing=timing
    )
    assert_same_sums(whole, summed)
    for name in ("population", "births", "deaths", "net_migration"):
        with pytest.raises(AssertionError, match=f"{name} over all districts"):
            assert_same_sums(whole, with_cell_changed(summed, name))


# Refusals.


def test_more_leaving_than_living_names_the_cell() -> None:
    people, tables = region()
    out = tables["migration"]
    at = out.query("district == 'B' and year == 2022 and sex == 'male' and age == 1").index
    out.loc[at, "net_migration"] = -10_000.0
    cell = "more people leave than live there: district B, year 2022, male, age 1"
    with pytest.raises(pf.InputError, match=cell):
        pf.project_population(people, pf.Assumptions(**tables))


def test_more_leaving_at_the_start_than_living_is_refused() -> None:
    """40 of 10 leave, 20 before the step: minus 10 at risk, and arrivals at age 1 would hide it."""
    assumptions = pf.Assumptions(
        survival=by_age("survival", [0.5, 0.5, 0.5], sex="female"),
        births=pd.DataFrame({"district": "all", "year": [2021], "births": [90.0]}),
        migration=by_age("net_migration", [-40.0, 60.0, 0.0], sex="female"),
    )
    with pytest.raises(pf.InputError, match="more people leave than live there"):
        pf.project_population(girls([10, 0, 0]), assumptions, migration_timing="half")


def test_a_missing_survival_names_the_cell() -> None:
    people, tables = region()
    alive = tables["survival"]
    at = alive.query("district == 'B' and year == 2023 and sex == 'male' and age == 2").index
    tables["survival"] = alive.drop(index=at)
    message = "lacks 1 of 64 cells, first: year 2023, sex male, age 2, district B"
    with pytest.raises(pf.InputError, match=f"survival, column survival: {message}"):
        pf.project_population(people, pf.Assumptions(**tables))


def test_a_gap_between_the_ages_of_fertility_is_refused() -> None:
    people, tables = region()
    ends = tables["fertility"].query("age == 1")
    tables["fertility"] = pd.concat([ends, ends.assign(age=3)])
    message = "lacks 8 of 24 cells, first: year 2021, age 2, district A"
    with pytest.raises(pf.InputError, match=f"fertility, column asfr: {message}"):
        pf.project_population(people, pf.Assumptions(**tables))


def test_a_gap_between_the_ages_of_people_is_refused() -> None:
    people, tables = region()
    with pytest.raises(pf.InputError, match="the ages do not run from 0 in steps of 1"):
        pf.project_population(people.query("age != 2"), pf.Assumptions(**tables))


def test_survival_must_be_there() -> None:
    people, tables = region()
    del tables["survival"]
    with pytest.raises(pf.InputError, match=r"survival: is missing. Give assumptions.survival"):
        pf.project_population(people, pf.Assumptions(**tables))


def test_a_last_year_must_be_known() -> None:
    with pytest.raises(pf.InputError, match=r"no rate says how far .* Give until, the last year"):
        pf.project_population(girls([1, 2, 3]), hand_example())
