"""Explain on the example city: the terms of every kind of district and stage add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rounds.explain import explain

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast


def values(terms: pd.DataFrame) -> dict[str, float]:
    """Return the terms by name."""
    return dict(zip(terms["term"], terms["value"], strict=True))


@pytest.fixture(scope="module")
def city() -> Forecast:
    return pf.forecast(pf.load_example("city"), horizon=4)


def apart(terms: pd.DataFrame, forecast: Forecast, cell: dict[str, object]) -> list[str]:
    """Return the sums that do not hold in an explanation."""
    ends = [str(term).split(": ")[-1] for term in terms["term"]]
    last, name = values(terms), pd.Series(ends, index=terms.index)
    rows = forecast.balance
    assert rows is not None
    for column, value in {**cell, "plan_case": "planned"}.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    wrong = [k for k in ("demand", "places", "balance") if abs(last[k] - row[k]) > 1e-9 * 1e5]
    at = list(terms["term"]).index("demand")
    parts = {
        "demand": terms["value"][:at][name == "demand"].sum(),
        "places": terms["value"][at + 1 :][name[at + 1 :].str.match("(?!places$|balance$)")].sum(),
        "balance": last["places"] - last["demand"],
    }
    return wrong + [k for k, total in parts.items() if abs(total - last[k]) > 1e-9 * 1e5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("district", "stage", "year", "ledger"),
    [
        ("D05-T", "primary", 2028, "public"),
        ("D01-U", "senior_general", 2029, "public"),
        ("D05-U", "junior", 2028, "all"),
        ("D01-U", "primary", 2027, "public_with_purchased"),
        ("D03-U", "kindergarten", 2026, "inclusive"),
    ],
)
def test_the_terms_add_up_on_the_example_city(
    city: Forecast, district: str, stage: str, year: int, ledger: str
) -> None:
    cell: dict[str, object] = {
        "district": district,
        "stage": stage,
        "year": year,
        "ledger": ledger,
    }
    terms = explain(city, district, stage, year, ledger=ledger)
    assert apart(terms, city, cell) == []
    # The same sums fail where one term is another.
    places = terms["term"].str.contains("places standing")
    spoilt = terms.assign(value=terms["value"].where(~places, terms["value"] + 1))
    assert apart(spoilt, city, cell) == ["places"]


@pytest.mark.slow
def test_the_city_is_the_sum_of_its_districts(city: Forecast) -> None:
    """Allotment of a stage that the city plans moves places and makes none."""
    terms = explain(city, "CITY", "senior_general", 2028)
    assert city.balance is not None
    row = city.balance.query(
        "district == 'CITY' and stage == 'senior_general' and year == 2028 and "
        "ledger == 'public' and plan_case == 'planned'"
    ).iloc[0]
    assert values(terms)["balance"] == pytest.approx(row["balance"], abs=1e-9 * 1e5)
    assert terms["formula"].str.contains("allotted by CITY").any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("district", "stage", "year", "term"),
    [
        ("D03-U", "kindergarten", 2026, "K3: events"),
        ("D05-U", "junior", 2026, "J1: transfers"),
        ("D08-U", "compulsory", 2028, "P1: housing"),
        ("D01-U", "senior_general", 2026, "S1: policy"),
    ],
)
def test_what_is_special_of_a_district_is_a_term(
    city: Forecast, district: str, stage: str, year: int, term: str
) -> None:
    assert term in set(explain(city, district, stage, year)["term"])


@pytest.mark.slow
def test_a_scenario_that_moves_people_has_a_term_of_migration(city: Forecast) -> None:
    changes = pd.DataFrame({"scenario": ["away"], "table": ["migration"], "multiply": [0.5]})
    away = pf.forecast(city.inputs, scenarios=changes, horizon=2)
    stages = away.of("away").stages
    terms = explain(away, "D01-U", "primary", 2027, scenario="away")
    assert set(terms.loc[terms["term"] == "P3: migration", "table"]) == {"migration"}
    # The core draws people in: half of its movers are fewer pupils.
    assert values(terms)["P3: migration"] < 0
    whole = stages.query(
        "district == 'D01-U' and stage == 'primary' and year == 2027 and ledger == 'public'"
    )
    needed = terms.loc[terms["term"] == "demand", "value"].item()
    assert needed == pytest.approx(whole["demand"].item(), rel=1e-9)
