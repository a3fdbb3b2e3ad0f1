"""The risk-adjusted case with trajectories: deliveries drawn together with demand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TREE, places_of, two_districts
from placeforecast.chain import forecast as front_door
from placeforecast.places.delivery import LONGEST, Outcomes, project_outcomes
from placeforecast.uncertainty.deliveries import (
    CORRELATION,
    Swing,
    deliveries,
    drawn_places,
    latent,
    outcomes_of,
)
from placeforecast.uncertainty.learn import learn_errors
from plans import project, standing
from schools import SIMPLE, with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placeforecast.chain.record import Forecast
    from placeforecast.tables.doors import Array
    from placeforecast.uncertainty.learn import Learnt

MANY = 20_000
CASE = "risk_adjusted"
CASES = ["existing", "committed", "planned", CASE]
NEVER = LONGEST + 1
ERROR = 4 * np.sqrt(0.25 / MANY)
"""Four standard errors of a share of the trajectories."""


def chances(*numbers: float) -> Array:
    return np.array([*numbers, *[0.0] * (LONGEST + 1 - len(numbers))])


# One project.


def test_outcomes_have_the_chances_that_they_were_given() -> None:
    found = outcomes_of(chances(0.4, 0.24, 0.16), latent("East", "", MANY, 1))
    shares = np.bincount(found, minlength=NEVER + 1) / MANY
    np.testing.assert_allclose(shares, [0.4, 0.24, 0.16, 0, 0, 0.2], atol=ERROR)
    assert shares[3] == shares[4] == 0


@pytest.mark.parametrize(
    ("given", "only"),
    [((1.0,), 0), ((0.0, 0.0, 1.0), 2), ((0.0,), NEVER), ((0.1, 0.2, 0.7 + 1e-13), None)],
)
def test_certain_outcomes(given: Sequence[float], only: int | None) -> None:
    found = outcomes_of(chances(*given), latent("East", "", MANY, 1))
    assert set(found) == ({0, 1, 2} if only is None else {only})


def test_a_low_number_comes_in_time_and_a_high_one_never() -> None:
    found = outcomes_of(
        chances(0.4, 0.24, 0.16), np.array([-9.0, -0.254, -0.253, 0.36, 0.84, 0.85])
    )
    # Quantiles of the normal: 0.4 at -0.2533, 0.64 at 0.3585, 0.8 at 0.8416.
    assert found.tolist() == [0, 0, 1, 2, 2, NEVER]


def together(batches: tuple[str, str]) -> float:
    """Return how often two projects with an even chance of being late are late together."""
    even = chances(0.5, 0.5)
    late = [
        outcomes_of(even, latent(n, b, MANY, 1)) > 0 for n, b in zip("ab", batches, strict=True)
    ]
    return float((late[0] & late[1]).mean())


def test_projects_of_a_batch_are_late_together() -> None:
    """Both above the median: 1/4 + arcsin(correlation) / 2 pi of a bivariate normal (Sheppard)."""
    expected = 0.25 + np.arcsin(CORRELATION) / (2 * np.pi)
    np.testing.assert_allclose(expected, 1 / 3, rtol=1e-12)
    np.testing.assert_allclose(together(("2026", "2026")), expected, atol=ERROR)
    assert expected - 0.25 > 5 * ERROR
    for batches in (("2026", "2027"), ("", ""), ("2026", "")):
        np.testing.assert_allclose(together(batches), 0.25, atol=ERROR)


def test_the_latent_number_is_standard_normal_and_keyed() -> None:
    one = latent("East", "2026", MANY, 1)
    np.testing.assert_allclose([one.mean(), one.std()], [0.0, 1.0], atol=4 / np.sqrt(MANY))
    np.testing.assert_array_equal(one, latent("East", "2026", MANY, 1))
    np.testing.assert_array_equal(one[:100], latent("East", "2026", 100, 1))
    assert (one != latent("East", "2026", MANY, 2)).any()


# Places of one district.


def outcomes(plan: pd.DataFrame, places: pd.DataFrame | None = None) -> list[Outcomes]:
    assumptions = pf.Assumptions(places=standing() if places is None else places, projects=plan)
    return project_outcomes(assumptions, range(2025, 2031), ["J1", "J2", "J3"])


def test_what_may_become_of_a_project() -> None:
    """300 places in 2027: 100 by grade, from as many years later as it is late."""
    (one,) = outcomes(project(opens=2027, delivery=0.5, batch="2026"))
    np.testing.assert_allclose(one.chances, 0.5 * np.array([0.62, 0.2, 0.1, 0.05, 0.03]))
    assert (one.project, one.district, one.batch, set(one.effects)) == (
        "East",
        "A",
        "2026",
        {"all"},
    )
    for delay in range(LONGEST + 1):
        expected = np.where(np.arange(2025, 2031) >= 2027 + delay, 100.0, 0.0)
        for g in range(3):
            np.testing.assert_array_equal(one.effects["all"][delay, :, g], expected)


@pytest.mark.parametrize(
    "plan",
    [
        project(status="open", opens=2027),
        project(status="cancelled", opens=2027),
        project(opens=2027, delivery=0.0),
        project(kind="closure", closes=2027),
    ],
)
def test_certain_projects_are_not_drawn(plan: pd.DataFrame) -> None:
    assert outcomes(plan) == []


def test_effects_are_told_apart_by_ledger() -> None:
    """A purchased school is not public; a private one is in none but all."""
    places = pd.concat(standing(900, sector=s) for s in ("public", "private", "purchased"))
    for sector, ledgers in (
        ("public", {"all", "public", "public_with_purchased"}),
        ("purchased", {"all", "public_with_purchased"}),
    ):
        (one,) = outcomes(project(opens=2027, sector=sector), places)
        assert set(one.effects) == ledgers


def swings_of(plan: pd.DataFrame) -> list[Swing]:
    axes: dict[str, list[Any]] = {
        "year": list(range(2025, 2031)),
        "grade": ["J1", "J2", "J3"],
        "district": ["A"],
    }
    grades = pd.DataFrame({"grade": ["J1", "J2", "J3"], "stage": "junior"})
    demand = {"all": np.ones((6, 3, 1))}
    return deliveries(outcomes(plan), demand, axes, grades, None, None).swings[0]


PLANS = {
    "new": project(opens=2027),
    "by grade": project(opens=2026, phase_in="by_grade"),
    "temporary": project(kind="temporary", opens=2026, closes=2028),
    "rebuild": project(kind="rebuild", opens=2028, outage_from=2026, outage_to=2027),
    "two of a batch": pd.concat(project(n, opens=2027, batch="x") for n in ("a", "b")),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_mean_over_trajectories_is_what_is_expected(name: str) -> None:
    plan = PLANS[name]
    assumptions = pf.Assumptions(places=standing(), projects=plan)
    table = pf.schedule_places(assumptions, range(2025, 2031), case=CASE)
    expected = table["places"].to_numpy().reshape(6, 3)
    drawn = drawn_places(expected, swings_of(plan), "all", MANY, 1)
    # Each project moves 100 places of a grade, with a standard deviation of at most 50.
    error = 4 * 50 * np.sqrt(len(plan) * (1 + CORRELATION)) / np.sqrt(MANY)
    np.testing.assert_allclose(drawn.mean(axis=2), expected, atol=error)
    assert (drawn.std(axis=2)[2, :2] > 1).all()
    corrupt = with_cell_changed(table, "places", 10.0)["places"].to_numpy().reshape(6, 3)
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        np.testing.assert_allclose(drawn.mean(axis=2), corrupt, atol=error)


def test_a_trajectory_is_one_of_the_futures_of_the_plan() -> None:
    """300 or 400 of each grade, never less again once there, whatever the delay."""
    plan = PLANS["new"]
    assumptions = pf.Assumptions(places=standing(), projects=plan)
    table = pf.schedule_places(assumptions, range(2025, 2031), case=CASE)
    drawn = drawn_places(table["places"].to_numpy().reshape(6, 3), swings_of(plan), "all", 500, 1)
    np.testing.assert_allclose(np.unique(drawn.round(6)), [300.0, 400.0])
    assert (np.diff(drawn, axis=0) > -1e-9).all()
    np.testing.assert_array_equal(drawn[:2], np.full((2, 3, 500), 300.0))


def test_places_that_have_not_come_cannot_go() -> None:
    swing = Swing(
        "East", "", chances(0.5), {"all": np.array([0.5, *[0.0] * 4, -0.5]).reshape(6, 1, 1)}
    )
    message = r"in some trajectories places go that have not come; .* \(East\)"
    with pytest.warns(pf.AssumptionWarning, match=message):
        drawn = drawn_places(np.array([[0.25]]), [swing], "all", 100, 1)
    assert set(np.unique(drawn)) == {0.0, 0.75}


def test_a_cell_that_is_not_there_stays_away() -> None:
    swing = Swing("East", "", chances(0.5), {"all": np.ones((NEVER + 1, 1, 2))})
    drawn = drawn_places(np.array([[np.nan, 5.0]]), [swing], "all", 10, 1)
    assert np.isnan(drawn[0, 0]).all()
    assert (drawn[0, 1] == 6.0).all()


# Stages planned above the district.


def test_drawn_places_are_allotted_by_central_demand() -> None:
    """A's school of 100 places is B's by a quarter, as demand is 300 to 100 in the city."""
    effects = {"all": np.broadcast_to(100.0, (LONGEST + 1, 1, 1)).copy()}
    one = Outcomes("East", "A", "", chances(0.5), effects)
    axes: dict[str, list[Any]] = {"year": [2026], "grade": ["S1"], "district": ["A", "B"]}
    grades = pd.DataFrame({"grade": ["S1"], "stage": "senior_general"})
    rule = pd.DataFrame({"stage": ["senior_general"], "indicator": "planned_at", "value": "city"})
    tree = TREE.assign(level=["city", "county", "county"])
    for demand, parts in (((300.0, 100.0), (0.75, 0.25)), ((0.0, 0.0), (1.0, 0.0))):
        needed = {"all": np.array([[demand]])}
        found = deliveries([one], needed, axes, grades, rule, tree).swings
        for d, part in enumerate(parts):
            swing = found[d][0].places["all"].ravel()
            np.testing.assert_allclose(swing, part * np.array([*[50.0] * 5, -50.0]))
    alone = deliveries([one], {"all": np.array([[[300.0, 100.0]]])}, axes, grades, None, tree)
    assert set(alone.swings) == {0}


# The whole chain.


def plan_of(*projects: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(projects).assign(stage="primary").reset_index(drop=True)


EAST = project(opens=2019, delivery=0.8, places=400.0)
WEST = project("West", opens=2020, district="B", places=200.0, batch="2018")
PLACES = places_of({"A": 2000.0, "B": 800.0}, year=2018)


@pytest.fixture(scope="module", autouse=True)
def learnt_once() -> Iterator[None]:
    """Learn the errors of past launches once: they know nothing of places and projects."""
    learnt: list[Learnt] = []

    def learn(*given: Any, **options: Any) -> Learnt:  # noqa: ANN401
        if not learnt:
            learnt.append(learn_errors(*given, **options))
        return learnt[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(front_door, "learn_errors", learn)
        yield


def run(projects: pd.DataFrame | None, *, places: pd.DataFrame = PLACES) -> Forecast:
    inputs = replace(two_districts(places=places), projects=projects)
    return pf.forecast(inputs, model=SIMPLE, trajectories=300, quantiles=(0.1, 0.5, 0.9))


@pytest.fixture(scope="module")
def result() -> Forecast:
    return run(plan_of(EAST, WEST))


def of_case(table: pd.DataFrame | None, case: str) -> pd.DataFrame:
    assert table is not None
    return table[table["plan_case"] == case].drop(columns="plan_case").reset_index(drop=True)


def test_every_table_holds_four_cases_the_new_one_last(result: Forecast) -> None:
    for table in (result.places, result.balance_cells, result.balance):
        assert table is not None
        assert list(dict.fromkeys(table["plan_case"])) == CASES
        assert np.diff(table["plan_case"].map(CASES.index)).min() >= 0
    assert "risk_adjusted weighs 2 projects" in " ".join(result.notes["text"])


def test_without_projects_the_case_is_existing_to_the_last_bit() -> None:
    found = run(None)
    for table in (found.places, found.balance_cells, found.balance):
        existing = of_case(table, "existing")
        pd.testing.assert_frame_equal(of_case(table, CASE), existing, check_exact=True)
    changed = with_cell_changed(of_case(found.balance, CASE), "balance_p10", 1e-9)
    with pytest.raises(AssertionError, match="are different"):
        pd.testing.assert_frame_equal(changed, of_case(found.balance, "existing"), check_exact=True)
    assert "delivery" not in set(found.notes["topic"])


def test_certain_projects_make_the_case_planned_to_the_last_bit() -> None:
    found = run(plan_of(EAST.assign(status="open", delivery=1.0), WEST.assign(status="open")))
    for table in (found.places, found.balance_cells, found.balance):
        planned = of_case(table, "planned")
        pd.testing.assert_frame_equal(of_case(table, CASE), planned, check_exact=True)


def test_an_uncertain_plan_leaves_the_other_cases_as_they_are(result: Forecast) -> None:
    sure = run(plan_of(EAST.assign(delivery=1.0), WEST))
    for one, other in ((result.balance, sure.balance), (result.balance_cells, sure.balance_cells)):
        for case in CASES[:3]:
            pd.testing.assert_frame_equal(
                of_case(one, case), of_case(other, case), check_exact=True
            )
        with pytest.raises(AssertionError, match="are different"):
            pd.testing.assert_frame_equal(
                of_case(one, CASE), of_case(other, CASE), check_exact=True
            )


def test_another_district_or_project_changes_nothing(result: Forecast) -> None:
    """The draws of A know neither B's projects nor the order of the plan."""
    more = project("South", opens=2021, district="B", places=90.0, batch="2018")
    other = run(plan_of(WEST, more, EAST))
    for one, again in (
        (result.balance, other.balance),
        (result.balance_cells, other.balance_cells),
    ):
        own = [of_case(t, CASE).query("district == 'A'") for t in (one, again)]
        both = [t.reset_index(drop=True) for t in own]
        pd.testing.assert_frame_equal(both[0], both[1], check_exact=True)


def test_places_and_demand_are_drawn_together(result: Forecast) -> None:
    """A year of A: by hand from the draws of places, where pupils move by far less than places."""
    balance = of_case(result.balance, CASE).query("district == 'A' and year == 2019").iloc[0]
    late = outcomes_of(0.8 * chances(0.62, 0.2, 0.1, 0.05, 0.03), latent("East", "", 300, 1)) > 0
    assert 0.3 < late.mean() < 0.7
    expected = 2000 + 400 * 0.8 * 0.62
    np.testing.assert_allclose(balance["places"], expected, rtol=1e-12)
    spread = balance["demand_p90"] - balance["demand_p10"]
    assert spread < 200
    # The tenth and the ninetieth trajectory have the school in the one case and not in the other.
    low, high = (2000 + place - balance["demand"] for place in (0, 400))
    np.testing.assert_allclose(balance["balance_p10"], low, atol=spread)
    np.testing.assert_allclose(balance["balance_p90"], high, atol=spread)
    for one, other in (("shortfall", -1.0), ("surplus", 1.0)):
        by_hand = sorted(np.maximum(other * balance[f"balance_{p}"], 0.0) for p in ("p10", "p90"))
        found = [balance[f"{one}_p10"], balance[f"{one}_p90"]]
        np.testing.assert_allclose(found, by_hand, atol=1e-6)
    ratio = balance["pupils"] / np.array([2400.0, 2000.0])
    found = [balance["utilisation_p10"], balance["utilisation_p90"]]
    np.testing.assert_allclose(found, ratio, atol=spread / 2000)


def test_the_chance_of_a_shortfall_is_that_of_the_school_not_coming() -> None:
    """Demand lies well above 1,700 and well below 2,600: short exactly where it is not there."""
    found = run(
        plan_of(EAST.assign(places=900.0)), places=places_of({"A": 1700.0, "B": 800.0}, 2018)
    )
    late = outcomes_of(0.8 * chances(0.62, 0.2, 0.1, 0.05, 0.03), latent("East", "", 300, 1)) > 0
    row = of_case(found.balance, CASE).query("district == 'A' and year == 2019").iloc[0]
    assert 1850 < row["demand_p10"] < row["demand_p90"] < 2200
    np.testing.assert_allclose(row["chance_of_shortfall"], late.mean(), atol=0.02)
    short = late.mean() * (row["demand"] - 1700)
    np.testing.assert_allclose(row["expected_shortfall"], short, rtol=0.1)
    assert row["expected_cell_shortfall"] >= row["expected_shortfall"] - 1e-9


def test_the_parent_is_short_of_both(result: Forecast) -> None:
    rows = of_case(result.balance, CASE)
    for value in ("places", "expected_cell_shortfall"):
        by = rows.pivot(index="year", columns="district", values=value)
        np.testing.assert_allclose(by["C"], by["A"] + by["B"], rtol=1e-9, atol=1e-9)


def test_quantiles_are_ordered(result: Forecast) -> None:
    table = of_case(result.balance, CASE)
    for name in ("balance", "shortfall", "surplus", "cell_shortfall", "utilisation"):
        low, middle, high = (table[f"{name}_{end}"] for end in ("p10", "p50", "p90"))
        assert (low <= middle).all()
        assert (middle <= high).all()
    cells = of_case(result.balance_cells, CASE)
    assert (cells["balance_p10"] <= cells["balance_p90"]).all()


def test_a_district_without_uncertain_projects_is_planned_to_the_last_bit() -> None:
    """A's only project is drawn; the parent is drawn with it, and B is not."""
    found = run(plan_of(EAST))
    assert (of_case(found.balance, CASE) != of_case(found.balance, "planned")).any(axis=None)
    for table in (found.balance, found.balance_cells):
        own = [
            of_case(table, case).query("district == 'B'").reset_index(drop=True)
            for case in (CASE, "planned")
        ]
        pd.testing.assert_frame_equal(own[0], own[1], check_exact=True)


def test_a_stage_that_may_not_come_has_no_utilisation_then() -> None:
    """Nothing stands in B: where its school is late, no quantile of utilisation is a number."""
    places = places_of({"A": 2000.0, "B": 0.0}, year=2018)
    found = run(plan_of(WEST.assign(opens=2019)), places=places)
    row = of_case(found.balance, CASE).query("district == 'B' and year == 2019").iloc[0]
    assert np.isnan(row["utilisation_p90"])
    np.testing.assert_allclose(row["utilisation_p10"], row["pupils"] / 200, rtol=0.1)
