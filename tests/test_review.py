"""The plan under review by district: R11, R16, and points 7 and 11 of the annual report."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.review.districts import DISTRICTS, review_districts
from reports import forecast, small

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.chain.record import Forecast

LAUNCH = 2025
Need = dict[tuple[str, str], list[float]]
STANDARDS = {"lead_time": 3.0, "cost_per_place": 60.0, "temporary_cost_per_place": 20.0}


def standards(**given: float) -> pd.DataFrame:
    """Return standards of every stage; a place needed for 3 years is worth building."""
    every = {**STANDARDS, "temporary_life": 1.0, **given}
    return pd.DataFrame({"indicator": list(every), "value": list(every.values())})


def tree() -> pd.DataFrame:
    rows = {"district": ["C", "A", "B"], "parent": [None, "C", "C"]}
    return pd.DataFrame({**rows, "level": ["city", "county", "county"]})


def balance(
    need: Mapping[tuple[str, str, str], Sequence[float]],
    places: float = 300.0,
    case: str = "planned",
    districts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the balance of cells with as many places each; need by district, stage and grade."""
    rows = [
        {"district": d, "year": LAUNCH + t, "grade": g, "stage": s, "demand": amount}
        for (d, s, g), amounts in need.items()
        for t, amount in enumerate(amounts)
    ]
    demand = pd.DataFrame(rows).assign(ledger="all", pupils=lambda t: t["demand"])
    supply = demand.assign(plan_case=case, places=places)
    stages = pf.balance_places(demand, supply, districts=districts).stages
    return stages.assign(scenario="baseline")


def review(table: pd.DataFrame, given: pd.DataFrame | None = None, **options: Any) -> pd.DataFrame:  # noqa: ANN401
    return review_districts(table, standards() if given is None else given, LAUNCH, **options)


def one(table: pd.DataFrame, district: str = "A", stage: str = "junior") -> dict[str, Any]:
    rows = table[(table["district"] == district) & (table["stage"] == stage)]
    assert len(rows) == 1
    return {str(k): v for k, v in rows.iloc[0].to_dict().items()}


@pytest.fixture(scope="module")
def flat() -> dict[str, Any]:
    """One grade of 300 places: need 290, 310, 340, 330, 290."""
    need = {("A", "junior", "J1"): [290.0, 310.0, 340.0, 330.0, 290.0]}
    return one(review(balance(need)))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("peak_year", 2027),
        ("peak_demand", 340.0),
        ("need_after", 290.0),
        ("first_year_short", 2026),
        ("first_year_short_net", 2026),
        ("years_above", 3),
        ("uncovered", 40.0),
        ("uncovered_year", 2027),
        ("needed_by", 2026),
        ("lead_time", 3.0),
        ("start_by", 2023),  # 2026 - 3
        ("late", True),
        ("years_needed", 3),
        ("years_needed_censored", False),
        ("break_even_years", 3.0),  # 60 / (20 / 1)
        # Short 10, 40, 30: 10 places for 3 years are built, 30 bridged for 1 or 2 years.
        ("permanent_or_temporary", "mixed"),
        ("permanent_places", 10.0),
        ("temporary_places", 30.0),
        # Split: 10 x 60 + (30 + 20) x 20 = 1600; built 40 x 60 = 2400; bridged 80 x 20 = 1600.
        ("regret_permanent", 800.0),
        ("regret_temporary", 0.0),
        ("idle_at_horizon", 10.0),
        ("reason", ""),
    ],
)
def test_a_district_by_hand(flat: dict[str, Any], column: str, value: object) -> None:
    """R16: the peak, what stays uncovered, when to start, what to build, what is idle after."""
    assert flat[column] == value


def test_every_column_of_the_review_is_there() -> None:
    found = review(balance({("A", "junior", "J1"): [290.0, 310.0]}))
    assert list(found.columns) == DISTRICTS


def test_one_cell_short_in_a_district_in_surplus() -> None:
    """Not netted 20 short in J1 although the stage has 30 to spare: cells do not serve each other.

    J1 needs 320 of 300, J2 250 of 300.
    """
    need = {("A", "junior", "J1"): [280.0, 320.0, 280.0], ("A", "junior", "J2"): [250.0] * 3}
    row = one(review(balance(need)))
    assert (row["first_year_short"], row["uncovered"]) == (2026, 20.0)
    assert pd.isna(row["first_year_short_net"])
    assert row["years_above"] == 0
    assert pd.isna(row["needed_by"])
    assert pd.isna(row["start_by"])
    assert pd.isna(row["late"])
    assert (row["permanent_or_temporary"], row["temporary_places"]) == ("temporary", 20.0)


def test_nothing_short_asks_for_nothing() -> None:
    row = one(review(balance({("A", "junior", "J1"): [280.0, 300.4, 290.0]}), standards()[:0]))
    assert (row["permanent_or_temporary"], row["reason"]) == ("none", "")
    assert (row["years_needed"], row["regret_permanent"]) == (0, 0.0)
    assert pd.isna(row["first_year_short"])
    assert pd.isna(row["uncovered_year"])


def test_a_need_that_outlasts_the_horizon_is_marked() -> None:
    row = one(review(balance({("A", "junior", "J1"): [290.0, 310.0, 320.0]})))
    assert (row["years_needed"], row["years_needed_censored"]) == (2, True)


@pytest.mark.parametrize(
    ("risk", "needed", "lead", "start"),
    [
        (0.1, 2026, 6, 2020),  # chance 0.2 in 2026; delay kept with 0.9: 3 years
        (0.3, 2027, 4, 2023),  # chance 0.6 in 2027; kept with 0.7: 1 year
        (0.6, 2027, 3, 2024),  # kept with 0.4: none
    ],
)
def test_start_by_year_from_chances_and_delays(
    risk: float, needed: int, lead: int, start: int
) -> None:
    """R24, methods 5.16: year of need less the lead time at the quantile 1 - risk."""
    need = {("A", "junior", "J1"): [250.0, 290.0, 310.0, 280.0]}
    table = balance(need).assign(
        chance_of_shortfall=[0.0, 0.2, 0.6, 0.1], expected_cell_shortfall=[0.0, 3.0, 14.0, 1.0]
    )
    delays = (0.45, 0.25, 0.15, 0.1, 0.05)
    row = one(review(table, risk=risk, delays=delays))
    assert (row["needed_by"], row["lead_time"], row["start_by"]) == (needed, lead, start)
    assert (row["peak_chance"], row["peak_expected"], row["late"]) == (0.6, 14.0, True)


def test_a_start_in_the_launch_year_is_not_late() -> None:
    row = one(review(balance({("A", "junior", "J1"): [290.0, 290.0, 290.0, 310.0]})))
    assert (row["start_by"], row["late"]) == (2025, False)
    row = one(
        review(balance({("A", "junior", "J1"): [290.0] * 3 + [310]}), standards(lead_time=2.5))
    )
    assert row["start_by"] == 2025  # 2028 - 2.5, rounded down


def test_risk_adjusted_years_stand_beside_where_there_are_any() -> None:
    need = {("A", "junior", "J1"): [290.0, 295.0, 310.0]}
    planned, risked = balance(need), balance(need, 292.0, "risk_adjusted")
    row = one(review(pd.concat([planned, risked])))
    assert (row["first_year_short"], row["first_year_short_risk_adjusted"]) == (2027, 2026)
    assert row["first_year_short_net_risk_adjusted"] == 2026
    alone = one(review(planned))
    assert pd.isna(alone["first_year_short_risk_adjusted"])
    assert alone["first_year_short"] == 2027


def test_parents_and_combined_stages_are_sums_of_their_parts() -> None:
    """A is short for 2 years, B for 2 other ones: bridged in both, though the city is short for 4.

    Of one place pooled over 4 years it would seem worth building; a place in A does not serve B.
    """
    short, enough = [340.0, 340.0, 300.0, 300.0], [300.0, 300.0, 340.0, 340.0]
    need = {("A", "junior", "J1"): short, ("B", "junior", "J1"): enough}
    need |= {(d, "primary", "P1"): [330.0, 330.0, 330.0, 300.0] for d in "AB"}
    found = review(balance(need, districts=tree()), districts=tree())
    city = one(found, "C")
    assert (city["years_needed"], city["permanent_or_temporary"]) == (4, "temporary")
    assert (city["permanent_places"], city["temporary_places"]) == (0.0, 80.0)
    both = one(found, "C", "compulsory")
    assert (both["permanent_places"], both["temporary_places"]) == (60.0, 80.0)
    assert both["permanent_or_temporary"] == "mixed"
    for name in ("permanent_places", "temporary_places", "regret_permanent", "regret_temporary"):
        parts = [one(found, d, s)[name] for d in "AB" for s in ("junior", "primary")]
        assert both[name] == pytest.approx(sum(parts))
        assert both[name] != pytest.approx(sum(parts) + 1)


def test_combined_stages_take_the_longest_lead_time() -> None:
    need = {("A", s, g): [290.0, 310.0] for s, g in (("primary", "P1"), ("junior", "J1"))}
    given = pd.DataFrame({"stage": ["primary", "junior"], "indicator": "lead_time"})
    row = one(review(balance(need), given.assign(value=[2.0, 4.0])), stage="compulsory")
    assert (row["lead_time"], row["start_by"]) == (4.0, 2022)
    lacks = one(review(balance(need), given.assign(value=[2.0, 4.0])[:1]), stage="compulsory")
    assert pd.isna(lacks["start_by"])
    assert lacks["reason"].endswith("standards lack lead_time of junior")


def test_missing_standards_are_named_and_stop_nothing() -> None:
    given = standards().query("indicator == 'temporary_life'")
    row = one(review(balance({("A", "junior", "J1"): [290.0, 310.0]}), given))
    assert row["permanent_or_temporary"] is None
    assert pd.isna(row["regret_permanent"])
    assert row["reason"] == (
        "standards lack cost_per_place, temporary_cost_per_place of junior; "
        "standards lack lead_time of junior"
    )


@pytest.fixture(scope="module")
def made() -> Forecast:
    return forecast(small())


def test_the_review_agrees_with_the_balance(made: Forecast) -> None:
    """R11: what is uncovered and idle is what the balance says, cell by cell; a change is found."""
    assert made.balance is not None
    planned = made.balance.query("plan_case == 'planned'")
    keys = ["district", "stage", "ledger"]
    most = planned.groupby(keys)["cell_shortfall"].max()
    found = pf.review_plan(made).districts.set_index(keys)
    pd.testing.assert_series_equal(
        found["uncovered"].sort_index(), most.sort_index(), check_names=False
    )
    last = planned[planned["year"] == made.last_year].set_index(keys)["cell_surplus"]
    pd.testing.assert_series_equal(
        found["idle_at_horizon"].sort_index(), last.sort_index(), check_names=False
    )
    assert (found["first_year_short"].notna() == (most > 0.5).reindex(found.index)).all()
    worse = made.balance.copy()
    at = worse.index[(worse["plan_case"] == "planned") & (worse["year"] == made.last_year)][0]
    worse.loc[at, ["cell_shortfall", "cell_surplus"]] += 5000.0
    other = pf.review_plan(replace(made, balance=worse)).districts.set_index(keys)
    assert not other["uncovered"].equals(found["uncovered"])
    assert not other["idle_at_horizon"].equals(found["idle_at_horizon"])


def test_row_order_changes_nothing(made: Forecast) -> None:
    assert made.balance is not None
    assert made.balance_cells is not None
    keys = ["district", "stage", "ledger"]
    turned = replace(
        made, balance=made.balance.iloc[::-1], balance_cells=made.balance_cells.iloc[::-1]
    )
    first, second = pf.review_plan(made), pf.review_plan(turned)
    one_way, other_way = (
        table.districts.sort_values(keys, ignore_index=True) for table in (first, second)
    )
    pd.testing.assert_frame_equal(one_way, other_way)
    pd.testing.assert_frame_equal(first.projects, second.projects)


def test_a_review_shows_itself(made: Forecast) -> None:
    shown = pf.review_plan(made)
    assert isinstance(shown, pf.PlanReview)
    assert repr(shown).startswith("PlanReview\n  districts: ")
    assert "<table" in shown._repr_html_()


@pytest.mark.parametrize("risk", [0.0, 1.0, -0.1, 1.5])
def test_a_risk_is_a_chance(made: Forecast, risk: float) -> None:
    with pytest.raises(ValueError, match=re.escape(f"between 0 and 1, not {risk}")):
        pf.review_plan(made, risk=risk)


def test_without_places_there_is_no_plan_to_review() -> None:
    match = r"places: is missing\. Give the table places: without it nothing can be said of a plan"
    with pytest.raises(pf.InputError, match=match):
        pf.review_plan(forecast(small(places=None, projects=None)))


def test_without_the_planned_case_there_is_no_review(made: Forecast) -> None:
    assert made.balance is not None
    existing = made.balance.query("plan_case == 'existing'")
    with pytest.raises(pf.InputError, match=r"balance: has no plan case planned\. Forecast with"):
        pf.review_plan(replace(made, balance=existing))
