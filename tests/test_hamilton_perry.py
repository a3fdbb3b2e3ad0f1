"""Cohort change ratios: Hamilton and Perry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rates.hamilton_perry import project_hamilton_perry

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[np.float64]]
MOTHERS = (10, 19)
FIRST = {"female": [100.0, 100.0, 80.0, 60.0, 40.0], "male": [110.0, 100.0, 80.0, 60.0, 40.0]}
SECOND = {"female": [90.0, 80.0, 120.0, 60.0, 50.0], "male": [99.0, 99.0, 90.0, 80.0, 60.0]}


def counts(
    first: dict[str, list[float]], second: dict[str, list[float]], width: int = 5
) -> pd.DataFrame:
    """Return two counts of one district, in 2015 and 2020."""
    parts = [
        pd.DataFrame(
            {
                "district": "A",
                "year": year,
                "sex": sex,
                "age": np.arange(len(people)) * width,
                "population": people,
            }
        )
        for year, count in ((2015, first), (2020, second))
        for sex, people in count.items()
    ]
    return pd.concat(parts, ignore_index=True)


TWO = counts(FIRST, SECOND)


def of(result: pd.DataFrame, year: int, sex: str = "female", district: str = "A") -> list[float]:
    rows = result[(result["year"] == year) & (result["sex"] == sex)]
    rows = rows[rows["district"] == district].sort_values("age")
    people: list[float] = rows["population"].tolist()
    return people


def test_one_step_by_hand() -> None:
    """Women: 90 x 80/100 = 72 shrink; 80 + (120 - 100) = 100 grow; 120 x 60/80 = 90 shrink.

    Open group: (60 + 50) x 50/(60 + 40) = 55. Children: 90 and 99 per 120 + 60 women of 10-19,
    times 100 + 90 women.
    """
    result = project_hamilton_perry(TWO, 2025, mothers=MOTHERS)
    np.testing.assert_allclose(of(result, 2025), [90 / 180 * 190, 72, 100, 90, 55])
    men = [99 / 180 * 190, 99 * 99 / 110, 99 * 90 / 100, 90.0, (80 + 60) * 60 / 100]
    np.testing.assert_allclose(of(result, 2025, "male"), men)
    assert sorted(set(result["year"])) == [2015, 2020, 2025]
    pd.testing.assert_frame_equal(
        result[result["year"] <= 2020].reset_index(drop=True),
        pf.check(TWO, "population").sort_values(["year", "sex", "age"], ignore_index=True),
        check_column_type=False,
    )


def test_two_steps_repeat_the_ratios_and_the_differences_of_the_counts() -> None:
    result = project_hamilton_perry(TWO, 2030, mothers=MOTHERS)
    one, two = of(result, 2025), of(result, 2030)
    expected = [one[0] * 0.8, one[1] + 20, one[2] * 0.75, (one[3] + one[4]) * 0.5]
    np.testing.assert_allclose(two[1:], expected)
    np.testing.assert_allclose(two[0], 0.5 * (two[2] + two[3]))


def test_a_ratio_for_growing_cohorts_when_asked_for() -> None:
    result = project_hamilton_perry(TWO, 2025, growth="ratio", mothers=MOTHERS)
    np.testing.assert_allclose(of(result, 2025)[2], 80 * 120 / 100)


def test_a_cohort_of_nobody_goes_on_by_the_difference() -> None:
    first = {"female": [0.0, 100.0, 80.0, 60.0, 40.0]}
    result = project_hamilton_perry(
        counts(first, {"female": SECOND["female"]}), 2025, growth="ratio", mothers=MOTHERS
    )
    np.testing.assert_allclose(of(result, 2025)[1], 90 + 80)


def test_children_of_several_groups_have_older_mothers() -> None:
    """Counts ten years apart: women of 10-19 for ages 0-4, of 15-24 for ages 5-9."""
    ten = TWO.assign(year=TWO["year"].replace(2015, 2010))
    women = ten[ten["sex"] == "female"]
    result = of(project_hamilton_perry(women, 2030, mothers=MOTHERS), 2030)
    np.testing.assert_allclose(result[2:4], [90 + 20, 80 * 60 / 100])
    np.testing.assert_allclose(result[4], (120 + 60 + 50) * 50 / (80 + 60 + 40))
    np.testing.assert_allclose(result[0], 90 / (120 + 60) * (result[2] + result[3]))
    np.testing.assert_allclose(result[1], 80 / (60 + 50) * (result[3] + result[4]))


# Identities.


def stable(width: int, step: int, years: tuple[int, ...]) -> pd.DataFrame:
    """People who grow by 2 % a year at every age, with deaths by age that do not change."""
    ages = np.arange(0, 100, width)
    alive = np.exp(-(ages**2) / 4000.0 - 0.02 * ages)
    parts = [
        pd.DataFrame(
            {
                "district": "A",
                "year": year,
                "sex": sex,
                "age": ages,
                "population": share * 1000 * alive * 1.02 ** (year - years[0]),
            }
        )
        for year in years
        for sex, share in (("female", 1.0), ("male", 1.04))
    ]
    assert step % width == 0
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("width", "step"), [(1, 1), (1, 5), (5, 5), (5, 10)])
def test_a_stable_population_goes_on_as_it_was(width: int, step: int) -> None:
    years = (2000, 2000 + step, 2000 + 2 * step, 2000 + 3 * step)
    people = stable(width, step, years)
    result = project_hamilton_perry(people[people["year"] <= years[1]], years[3])
    assert_goes_on(result, people)
    result.loc[result.index[-3], "population"] *= 1.000001
    with pytest.raises(AssertionError, match="stable population"):
        assert_goes_on(result, people)


def assert_goes_on(result: pd.DataFrame, people: pd.DataFrame) -> None:
    keys = ["year", "sex", "age"]
    found, expected = (table.set_index(keys)["population"] for table in (result, people))
    np.testing.assert_allclose(
        found, expected.reindex(found.index), rtol=1e-9, err_msg="stable population"
    )


def test_people_twice_as_many_are_twice_as_many_later() -> None:
    one = project_hamilton_perry(TWO, 2030, mothers=MOTHERS)
    doubled = TWO.assign(population=2 * TWO["population"])
    two = project_hamilton_perry(doubled, 2030, mothers=MOTHERS)
    np.testing.assert_allclose(two["population"], 2 * one["population"], rtol=1e-12)


def test_halves_of_a_district_add_up_and_row_order_does_not_matter() -> None:
    halves = [
        TWO.assign(district=name, population=share * TWO["population"])
        for name, share in (("X", 0.3), ("Y", 0.7))
    ]
    whole = project_hamilton_perry(TWO, 2030, mothers=MOTHERS)
    parted = project_hamilton_perry(pd.concat(halves).iloc[::-1], 2030, mothers=MOTHERS)
    summed = parted.groupby(["year", "sex", "age"])["population"].sum()
    np.testing.assert_allclose(
        summed, whole.set_index(["year", "sex", "age"])["population"], rtol=1e-9
    )


# Control to a total.


def test_districts_meet_their_totals_and_the_next_step_starts_there() -> None:
    totals = pd.DataFrame({"district": "A", "year": [2025, 2030], "population": [1000.0, 1100.0]})
    result = project_hamilton_perry(TWO, 2030, totals=totals, mothers=MOTHERS)
    summed = result.groupby("year")["population"].sum()
    np.testing.assert_allclose(summed[[2025, 2030]], [1000, 1100], rtol=1e-12)
    one, two = of(result, 2025), of(result, 2030)
    np.testing.assert_allclose(two[1] / two[3], one[0] * 0.8 / (one[2] * 0.75))


def test_all_districts_share_one_total() -> None:
    both = pd.concat([TWO, TWO.assign(district="B", population=3 * TWO["population"])])
    totals = pd.DataFrame({"year": [2025], "population": [5000.0]})
    result = project_hamilton_perry(both, 2025, totals=totals, mothers=MOTHERS)
    last = result[result["year"] == 2025].groupby("district")["population"].sum()
    np.testing.assert_allclose(last, [1250, 3750], rtol=1e-12)


# Against the record of the United Nations.


def test_india_and_the_united_kingdom_from_two_counts(shared_data: Path) -> None:
    """Counts of 2010 and 2015 give the people of 2020 within 2 %, ages 5-9 within 3 %."""
    path = shared_data / "population_dev" / "wpp2024_5x5" / "population.csv"
    names = {"country": "district", "age_start": "age", "persons_k": "population"}
    people = pd.read_csv(path).rename(columns=names)
    start = people[people["year"].isin([2010, 2015])]
    result = project_hamilton_perry(start, 2020)
    for ages, tolerance in ((range(105), 0.02), (range(5, 6), 0.03)):
        found, published = (
            table[(table["year"] == 2020) & table["age"].isin(list(ages))]
            .groupby("district")["population"]
            .sum()
            for table in (result, people)
        )
        np.testing.assert_allclose(found, published.reindex(found.index), rtol=tolerance)


# Errors.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"population": TWO[TWO["year"] == 2020]}, "population: holds one count only"),
        ({"until": 2023}, "ends in 2023, which no step of 5 years from 2020 reaches"),
        ({"population": TWO.assign(age=TWO["age"] * 2)}, "10 years wide cannot move on by 5"),
        ({"population": TWO[TWO["age"] != 10]}, "do not run from 0 in even steps"),
        ({"population": TWO[TWO["sex"] == "male"]}, "population: holds no women"),
        ({"mothers": (4, 40)}, "women of 4 would be children within 5 years"),
        ({"mothers": (60, 70)}, "no women of childbearing age: district A, female, age 0"),
        ({"population": TWO.iloc[1:]}, "lacks 1 of 20 cells, first: year 2015, sex female, age 0"),
        ({"population": TWO[TWO["age"] < 5]}, "even steps"),
        ({"growth": "linear"}, "'linear' is not a way for cohorts to grow"),
        (
            {"totals": pd.DataFrame({"year": [2030], "population": [1.0]})},
            "totals, column population: lacks 1 of 1 cells, first: year 2025",
        ),
    ],
)
def test_what_cannot_be_projected_is_named(changes: dict[str, Any], message: str) -> None:
    arguments = {"population": TWO, "until": 2025, "mothers": MOTHERS, **changes}
    with pytest.raises(pf.InputError, match=message):
        project_hamilton_perry(**arguments)
