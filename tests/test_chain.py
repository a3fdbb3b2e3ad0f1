"""The whole chain on the example city: step by step, against its own files, and pinned."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from accounting import assert_accounts_balance
from accounting import with_cell_changed as with_people_changed
from balances import (
    assert_books_balance,
    assert_combined,
    assert_rolls_up,
    assert_stages_are_sums_of_cells,
)
from placeforecast.tables.examples import example_folder
from schools import SIMPLE, by_year, found, pupils, region, with_cell_changed

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

VALUE = {
    "population": "population",
    "births": "births",
    "children": "children",
    "pupils": "pupils",
    "demand": "demand",
    "places": "places",
    "balance_cells": "balance",
    "balance": "places",
}


@pytest.fixture(scope="module")
def inputs() -> pf.Inputs:
    return pf.load_example("city")


@pytest.fixture(scope="module")
def result(inputs: pf.Inputs) -> Forecast:
    return pf.forecast(inputs)


def table(result: Forecast, name: str) -> pd.DataFrame:
    """Return a result table without its scenario."""
    kept: pd.DataFrame = getattr(result, name)
    assert set(kept["scenario"]) == {"baseline"}
    return kept.drop(columns="scenario").reset_index(drop=True)


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other.reset_index(drop=True), check_exact=True)


# The order of section 1 of the design.


def test_the_forecast_is_the_steps_taken_by_hand(inputs: pf.Inputs, result: Forecast) -> None:
    assumptions = pf.estimate(inputs)
    stock = inputs.population
    assert stock is not None
    assert inputs.enrolment is not None
    projection = pf.project_population(stock, assumptions, until=2040)
    children = pf.school_age_children(assumptions, projection, grades=inputs.grades)
    children = children[children["year"] <= 2040]
    taught = pf.project_enrolment(children, inputs.enrolment, assumptions, grades=inputs.grades)
    demand = pf.demand_places(taught, assumptions, grades=inputs.grades)
    places = pd.concat(
        pf.schedule_places(assumptions, range(2025, 2041), case=case, grades=inputs.grades)
        for case in ("existing", "committed", "planned", "risk_adjusted")
    )
    balance = pf.balance_places(
        demand,
        places,
        districts=inputs.districts,
        grades=inputs.grades,
        standards=assumptions.standards,
    )
    steps = {
        "population": projection.population,
        "births": projection.births,
        "children": children,
        "pupils": taught,
        "demand": demand,
        "places": places,
        "balance_cells": balance.cells,
        "balance": balance.stages,
    }
    assert set(steps) == set(VALUE)
    for name, by_hand in steps.items():
        assert_same(table(result, name), by_hand)
        changed = with_cell_changed(by_hand.reset_index(drop=True), VALUE[name], 1e-9)
        with pytest.raises(AssertionError, match="are different"):
            assert_same(table(result, name), changed)
    assert (result.launch_year, result.last_year) == (2025, 2040)


def test_two_cells_from_the_files_by_hand(inputs: pf.Inputs) -> None:
    """P1 of 2026 in D01-T: those born from September 2019 to August 2020, and the mean of 3 ratios.

    P2 of 2027 from those, with the ratios of 2025, 2024 and 2023 weighing 3, 2 and 1; each class of
    residence by itself, and shares as counted.
    """
    result = pf.forecast(replace(inputs, policy=None), model=SIMPLE, horizon=2)
    folder = example_folder("city")
    born = pd.read_csv(folder / "births.csv").query("district == 'D01-T' and month.notna()")
    cohort = born.groupby(born["year"] + (born["month"] > 8))["births"].sum()
    rows = pd.read_csv(folder / "enrolment.csv").query("district == 'D01-T'")
    expected = 0.0
    for residence, own in rows.groupby("residence"):
        taught = own.groupby(["grade", "year"])["pupils"].sum()
        entry = [taught["P1", year] / cohort[year - 6] for year in (2023, 2024, 2025)]
        first = cohort[2020] * sum(entry) / 3
        cell = {"district": "D01-T", "residence": str(residence)}
        np.testing.assert_allclose(found(result.pupils, "P1", **cell)[1], first, rtol=1e-12)
        up = [taught["P2", year] / taught["P1", year - 1] for year in (2025, 2024, 2023)]
        second = first * (3 * up[0] + 2 * up[1] + up[2]) / 6
        np.testing.assert_allclose(found(result.pupils, "P2", **cell)[2], second, rtol=1e-12)
        shares = own.query("year == 2025 and grade.str.startswith('P')").groupby("sector")["pupils"]
        expected += second * shares.sum()["public"] / shares.sum().sum()
    found_public = found(result.demand, "P2", "demand", district="D01-T", ledger="public")
    np.testing.assert_allclose(found_public[2], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("grade", "district", "year"),
    [("K1", "D01-U", 2029), ("K2", "D05-R", 2030), ("P1", "D08-T", 2032), ("J3", "D02-U", 2040)],
)
def test_the_share_born_of_the_example(
    result: Forecast, grade: str, district: str, year: int
) -> None:
    """Births are given to December 2025: four months of the cohort of 2026, who are 3 in 2029."""
    share = found(result.pupils, grade, "share_born", district=district, residence="local")
    full = year - 2025
    expected = [1.0] * full + [4 / 12] + [0.0] * (2040 - year)
    np.testing.assert_allclose(share, expected, rtol=1e-15)


# What holds of every result.


def test_accounts_of_the_example_balance(inputs: pf.Inputs) -> None:
    assert inputs.population is not None
    projection = pf.project_population(inputs.population, pf.estimate(inputs), until=2040)
    for keys in (["district"], []):
        assert_accounts_balance(projection, keys)
    for name in ("population", "births", "deaths", "net_migration"):
        with pytest.raises(AssertionError, match="accounts by"):
            assert_accounts_balance(with_people_changed(projection, name), ["district"])


def test_the_balance_of_the_example_adds_up(inputs: pf.Inputs, result: Forecast) -> None:
    cells, stages = table(result, "balance_cells"), table(result, "balance")
    assert inputs.districts is not None
    parents = inputs.districts.dropna(subset=["parent"])
    assert_books_balance(cells, stages)
    assert_stages_are_sums_of_cells(cells, stages)
    assert_rolls_up(stages, dict(zip(parents["district"], parents["parent"], strict=True)))
    assert_combined(stages, "compulsory", {"primary", "junior"})
    assert_combined(stages, "senior", {"senior_general", "senior_vocational"})


def test_the_city_holds_all_pupils_counted(inputs: pf.Inputs, result: Forecast) -> None:
    assert inputs.enrolment is not None
    counted = inputs.enrolment.query("year == 2025")["pupils"].sum()
    city = table(result, "balance").query(
        "district == 'CITY' and year == 2025 and plan_case == 'planned' and ledger == 'all'"
    )
    single = city[~city["stage"].isin(["compulsory", "senior"])]
    np.testing.assert_allclose(single["pupils"].sum(), counted, rtol=1e-12)


def test_the_order_of_rows_changes_nothing(inputs: pf.Inputs) -> None:
    shuffled = {
        name: rows.sample(frac=1, random_state=2)
        for name, rows in inputs.tables().items()
        if name not in ("districts", "grades")
    }
    turned = pf.Inputs(
        settings=inputs.settings, districts=inputs.districts, grades=inputs.grades, **shuffled
    )
    one, other = (pf.forecast(given, horizon=2) for given in (inputs, turned))
    for name in VALUE:
        assert_same(table(one, name), table(other, name))


# A launch uses nothing that comes later.


def later(rows: pd.DataFrame, after: pd.Series[bool], value: str) -> pd.DataFrame:
    changed = rows.copy()
    changed.loc[after, value] *= 10
    return changed


def test_an_earlier_launch_uses_nothing_later(inputs: pf.Inputs) -> None:
    """At the launch of 2023 births are known to January 2024."""
    born, taught, standing = inputs.births, inputs.enrolment, inputs.places
    assert born is not None
    assert taught is not None
    assert standing is not None
    unpublished = (born["year"] * 12 + born["month"].fillna(12) > 2024 * 12 + 1).astype(bool)
    tenfold = replace(
        inputs,
        births=later(born, unpublished, "births"),
        enrolment=later(taught, taught["year"] > 2023, "pupils"),
        places=later(standing, standing["year"] > 2023, "places"),
    )
    in_the_history = replace(inputs, enrolment=later(taught, taught["year"] == 2022, "pupils"))
    one, other, changed = (launch_of_2023(given) for given in (inputs, tenfold, in_the_history))
    assert (one.launch_year, one.last_year) == (2023, 2028)
    for name in VALUE:
        assert_same(table(one, name), table(other, name))
    with pytest.raises(AssertionError, match="are different"):
        assert_same(table(one, "pupils"), table(changed, "pupils"))


def launch_of_2023(inputs: pf.Inputs) -> Forecast:
    told = "births: 552 rows are not yet published on 2024-03-01 and not used"
    with pytest.warns(pf.AssumptionWarning, match=told):
        return pf.forecast(inputs, launch_year=2023, horizon=5)


def test_a_sector_that_comes_after_the_launch_does_not_matter_to_it() -> None:
    """Private places of 2025 are not known; at the launch of 2024 there are no private pupils."""
    open_to_all = pupils({"P1": [90, 90, 90]}, 2023, sector="public")
    taught = pd.concat([open_to_all, pupils({"P1": [None, None, 40]}, 2023, sector="private")])
    standing = open_to_all.query("year == 2024").rename(columns={"pupils": "places"})
    born = by_year("births", [100] * 15, 2010, district="A")
    given = region(taught, born, places=standing.assign(stage="primary"))
    early = pf.forecast(given, launch_year=2024, horizon=1)
    assert early.balance is not None
    assert set(early.balance["ledger"]) == {"all", "public"}
    with pytest.warns(pf.AssumptionWarning, match=r"not balanced: primary \(all\)"):
        late = pf.forecast(given, horizon=1)
    assert late.balance is not None
    assert set(late.balance["ledger"]) == {"public"}
    assert "ledger all is not balanced: primary" in " ".join(late.notes["text"])


# How far it reaches.


def test_without_places_the_chain_stops_at_demand() -> None:
    result = pf.forecast(region(pupils({"P1": [100, 100]}, 2024)))
    assert result.places is None
    assert result.balance_cells is None
    assert result.balance is None
    assert len(result.demand) == 4
    assert "there is no table of places: the chain stops at demand" in set(result.notes["text"])


def test_assumptions_may_reach_further_than_the_forecast(inputs: pf.Inputs) -> None:
    longer = pf.estimate(inputs, horizon=3)
    result = pf.forecast(inputs, assumptions=longer, horizon=2)
    assert_same(table(result, "pupils"), table(pf.forecast(inputs, horizon=2), "pupils"))


def test_assumptions_that_end_early_end_the_forecast(inputs: pf.Inputs) -> None:
    shorter = pf.estimate(inputs, horizon=2)
    with pytest.warns(pf.AssumptionWarning, match="the assumptions end in 2027, before 2030"):
        result = pf.forecast(inputs, assumptions=shorter, horizon=5)
    assert result.last_year == 2027
    assert result.balance is not None
    assert set(result.balance["year"]) == {2025, 2026, 2027}


@pytest.mark.parametrize("horizon", [0, -1])
def test_a_horizon_of_no_year_is_a_wrong_call(horizon: int) -> None:
    given = region(pupils({"P1": [100, 100]}, 2024))
    with pytest.raises(ValueError, match=f"a horizon of {horizon} years has no year to forecast"):
        pf.forecast(given, horizon=horizon)


# Pinned.


def assert_pinned(figures: pd.DataFrame, pinned: pd.DataFrame, keys: list[str]) -> None:
    pd.testing.assert_frame_equal(figures[keys], pinned[keys])
    for value in [column for column in pinned.columns if column not in keys]:
        message = f"{value}: if this is meant, run `make baseline` and say why in CHANGELOG.md"
        np.testing.assert_allclose(
            figures[value], pinned[value], rtol=1e-9, atol=1e-3, err_msg=message
        )


def test_the_results_of_the_example_are_those_pinned(result: Forecast) -> None:
    script = runpy.run_path(str(Path(__file__).parent / "baseline" / "make_baseline.py"))
    figures = script["baseline"](result)
    pinned = pd.read_csv(script["FILE"])
    assert_pinned(figures, pinned, script["KEYS"])
    for value in script["VALUES"]:
        with pytest.raises(AssertionError, match=f"{value}: if this is meant"):
            assert_pinned(with_cell_changed(figures, value, 0.01), pinned, script["KEYS"])
