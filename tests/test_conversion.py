"""Idle places of one stage that could serve another: known answers on balances made by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.vocabulary import combined_stages, shipped, values
from reports import small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.chain.record import Forecast

YEARS = range(2025, 2030)

TREE = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})
PAIR = pd.DataFrame(
    {
        "from_stage": ["primary"],
        "to_stage": ["junior"],
        "source": "invented",
        "confidence": "assumed",
    }
)


@pytest.fixture(scope="module")
def empty() -> Forecast:
    """Return a forecast of two districts below C, whose balance is to be replaced."""
    return pf.forecast(small(districts=TREE), horizon=4)


def rows(
    district: str,
    stage: str,
    idle: Sequence[float],
    short: Sequence[float],
    **columns: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Return the balance of one stage: places idle and short, not netted, from 2025 on."""
    keys = {"scenario": "baseline", "district": district, "stage": stage, "ledger": "all"}
    counts = {"year": list(YEARS), "cell_surplus": idle, "cell_shortfall": short}
    return pd.DataFrame({**counts, **keys, "plan_case": "planned", **columns})


IDLE = rows("A", "primary", [0, 100, 80, 200, 300.0], [0.0] * 5)
SHORT = rows("A", "junior", [0.0] * 5, [90, 60, 70, 20, 0.0])


def candidates(forecast: Forecast, *parts: pd.DataFrame, **options: Any) -> pd.DataFrame:  # noqa: ANN401
    balance = pd.concat(parts, ignore_index=True)
    options = {"pairs": PAIR, **options}
    return pf.conversion_candidates(replace(forecast, balance=balance), **options)


def test_by_hand(empty: Forecast) -> None:
    """min(idle, short) = 0, 60, 70, 20, 0; a class of juniors is 50: 2026 and 2027."""
    table = candidates(empty, IDLE, SHORT)
    assert len(table) == 1
    row = table.iloc[0]
    assert row.to_dict() == {
        "scenario": "baseline",
        "kind": "same_district",
        "district": "A",
        "to_district": "A",
        "from_stage": "primary",
        "to_stage": "junior",
        "ledger": "all",
        "year_from": 2026,
        "year_to": 2027,
        "years": 2,
        "lasting": False,
        "year": 2027,
        "idle_from": 80.0,
        "short_to": 70.0,
        "places": 70.0,
        "places_throughout": 60.0,
        "least": 50.0,
        "reason": "at least 50 places idle in one stage and short in the other in each year; "
        "cells not netted",
        "source": "invented",
        "confidence": "assumed",
    }


@pytest.mark.parametrize(
    ("least", "expected"),
    [(20, (2026, 2028, 20.0)), (65, (2027, 2027, 70.0)), (0, (2026, 2028, 20.0)), (71, None)],
)
def test_the_least_number_of_places(
    empty: Forecast, least: float, expected: tuple[int, int, float] | None
) -> None:
    table = candidates(empty, IDLE, SHORT, least=least)
    told = table[["year_from", "year_to", "places_throughout"]].to_numpy().tolist()
    assert [tuple(row) for row in told] == ([] if expected is None else [expected])


def test_without_a_class_size_any_place_counts(empty: Forecast) -> None:
    bare = replace(empty, assumptions=replace(empty.assumptions, standards=None))
    row = candidates(bare, IDLE, SHORT).iloc[0]
    assert (row["year_from"], row["year_to"]) == (2026, 2028)
    assert np.isnan(row["least"])
    assert row["reason"].startswith("any places (no class size is given) idle in one stage")


def test_a_run_to_the_last_year_is_lasting(empty: Forecast) -> None:
    short = rows("A", "junior", [0.0] * 5, [0, 0, 0, 60, 70.0])
    row = candidates(empty, IDLE, short).iloc[0]
    assert (row["year_from"], row["year_to"], row["lasting"]) == (2028, 2029, True)


def test_of_equal_runs_that_with_more_places(empty: Forecast) -> None:
    idle = rows("A", "primary", [300.0] * 5, [0.0] * 5)
    short = rows("A", "junior", [0.0] * 5, [60, 0, 90, 0, 70.0])
    row = candidates(empty, idle, short).iloc[0]
    assert (row["year_from"], row["year_to"], row["places"]) == (2027, 2027, 90.0)


def test_siblings_are_another_kind(empty: Forecast) -> None:
    """B is short and A idle; C, their parent, adds up both and is no candidate."""
    near = rows("B", "junior", [0.0] * 5, [90.0] * 5)
    above = [
        rows("C", "primary", [200.0] * 5, [0.0] * 5),
        rows("C", "junior", [0.0] * 5, [90.0] * 5),
    ]
    table = candidates(empty, IDLE, near, *above)
    named = table[["kind", "district", "to_district", "year_from"]].to_numpy().tolist()
    assert named == [["same_parent", "A", "B", 2026]]
    inputs = replace(empty.inputs, districts=TREE.assign(parent=None))
    assert candidates(replace(empty, inputs=inputs), IDLE, near).empty


def test_idle_kindergartens_are_listed_without_a_demand(empty: Forecast) -> None:
    idle = rows("A", "kindergarten", [10, 40, 50, 60, 70.0], [0.0] * 5)
    table = candidates(empty, idle, pairs=None)
    assert len(table) == 1
    row = table.iloc[0]
    assert row["to_stage"] == "childcare"
    assert (row["year_from"], row["year"], row["idle_from"], row["least"]) == (2026, 2029, 70.0, 30)
    assert row[["short_to", "places", "places_throughout"]].isna().all()
    told = "at least 30 places idle; no demand for childcare is forecast"
    assert row["reason"] == told


def test_ledgers_stay_apart(empty: Forecast) -> None:
    """The public ledger of primary does not meet the total one of junior."""
    public = IDLE.assign(ledger="public")
    assert candidates(empty, public, SHORT).empty
    both = [IDLE, public.assign(cell_surplus=65.0), SHORT, SHORT.assign(ledger="public")]
    assert candidates(empty, *both)["ledger"].tolist() == ["public"]
    assert candidates(empty, *both, ledger="all")["ledger"].tolist() == ["all"]


def test_chances_are_the_lowest_of_the_run(empty: Forecast) -> None:
    idle = IDLE.assign(chance_of_shortfall=[0.0, 0.1, 0.3, 0.0, 0.0], chance_of_cell_shortfall=1.0)
    chance = [1.0, 0.8, 0.9, 0.2, 0.0]
    short = SHORT.assign(chance_of_shortfall=1.0, chance_of_cell_shortfall=chance)
    row = candidates(empty, idle, short).iloc[0]
    assert (row["chance_idle"], row["chance_short"]) == (0.7, 0.8)


def assert_candidates_hold(table: pd.DataFrame, forecast: Forecast) -> None:
    """Check places = min(idle, short), both as in the balance of that year."""
    assert forecast.balance is not None
    balance = forecast.balance[forecast.balance["plan_case"] == "planned"]
    keys = ["district", "stage", "ledger", "year"]
    counts = balance.set_index(keys)[["cell_surplus", "cell_shortfall"]]
    known = table[table["places"].notna()]
    assert len(known)
    sides = (("district", "from_stage"), ("to_district", "to_stage"))
    for (district, stage), ours, theirs in zip(
        sides, ("idle_from", "short_to"), counts.columns, strict=True
    ):
        at = pd.MultiIndex.from_frame(known[[district, stage, "ledger", "year"]])
        expected = counts[theirs].reindex(at)
        np.testing.assert_allclose(known[ours], expected, rtol=1e-12, err_msg="the balance")
    least = known[["idle_from", "short_to"]].min(axis=1)
    np.testing.assert_allclose(known["places"], least, rtol=1e-12, err_msg="the smaller")
    assert (known["places_throughout"] >= known["least"]).all()


def test_of_a_forecast_they_are_what_its_balance_says(empty: Forecast) -> None:
    places = empty.inputs.places
    assert places is not None
    scale = places["stage"].map({"primary": 1.4, "junior": 0.7}).fillna(1.0)
    result = pf.forecast(
        small(districts=TREE, places=places.assign(places=places["places"] * scale))
    )
    table = pf.conversion_candidates(result)
    assert {"same_district", "same_parent"} == set(table["kind"])
    assert_candidates_hold(table, result)
    for column in ("idle_from", "places"):
        wrong = table.assign(**{column: table[column] + 1})
        with pytest.raises(AssertionError, match=r"the balance|the smaller"):
            assert_candidates_hold(wrong, result)


def test_what_cannot_be_asked_is_refused(empty: Forecast) -> None:
    with pytest.raises(ValueError, match=r"^the balance has no plan_case 'built'"):
        pf.conversion_candidates(empty, case="built")
    with pytest.raises(ValueError, match=r"^the balance has no ledger 'privat'"):
        pf.conversion_candidates(empty, ledger="privat")
    with pytest.raises(ValueError, match=r"^pairs has no column source, confidence$"):
        pf.conversion_candidates(empty, pairs=PAIR[["from_stage", "to_stage"]])
    told = "places: is missing"
    with pytest.raises(pf.InputError, match=re.escape(told)):
        pf.conversion_candidates(replace(empty, balance=None))


def test_the_shipped_pairs_name_stages_and_their_sources() -> None:
    pairs = shipped("conversions")
    stages = {*shipped("grades")["stage"], *combined_stages(), "childcare"}
    assert set(pairs["from_stage"]) | set(pairs["to_stage"]) <= stages
    assert (pairs[["source", "confidence"]] != "").all(axis=None)
    assert not pairs.duplicated(["from_stage", "to_stage"]).any()
    assert "conversion" in values("kind")
