"""Expected shortage, break-even and the split into places to build and places to bridge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.review.lead import delay_quantile, lead_times, proposed_delays
from placeforecast.review.verdict import (
    break_even,
    expected_shortage,
    lacking,
    split_need,
    verdict_of,
)
from placeforecast.tables.vocabulary import shipped, values

DRAWS = 200_000


def costs(cost: float = 60.0, temporary: float = 10.0, life: float = 1.0) -> pd.DataFrame:
    """Return standards of one row; by default a place needed for 6 years is worth building."""
    return pd.DataFrame(
        {
            "cost_per_place": [cost],
            "temporary_cost_per_place": [temporary],
            "temporary_life": [life],
        }
    )


@pytest.mark.parametrize("places", [800.0, 950.0, 1000.0, 1080.0, 1300.0])
def test_expected_shortage_is_the_mean_over_draws(places: float) -> None:
    """Methods 5.14: closed form under a normal demand, within five standard errors of the mean."""
    draws = np.random.default_rng(7).normal(1000.0, 100.0, DRAWS)
    short = np.maximum(draws - places, 0.0)
    within = 5 * short.std() / np.sqrt(DRAWS) + 1e-9
    assert expected_shortage(1000.0, 100.0, places) == pytest.approx(short.mean(), abs=within)


def test_expected_shortage_at_the_mean_is_sd_over_root_two_pi() -> None:
    """At z = 0 the loss is phi(0) = 0.39894 standard deviations."""
    assert expected_shortage(1000.0, 100.0, 1000.0) == pytest.approx(39.8942280401)
    # Standard normal loss L(1) = 0.08332 (tables of the newsvendor problem).
    assert expected_shortage(0.0, 1.0, 1.0) == pytest.approx(0.08332, abs=5e-6)
    # L(-z) = L(z) + z.
    assert expected_shortage(0.0, 1.0, -1.0) == pytest.approx(1.08332, abs=5e-6)


@pytest.mark.parametrize(("places", "short"), [(900.0, 100.0), (1000.0, 0.0), (1100.0, 0.0)])
def test_a_sure_demand_is_short_of_the_difference(places: float, short: float) -> None:
    assert expected_shortage(1000.0, 0.0, places) == short


@pytest.mark.parametrize("sd", [-1.0, float("nan")])
def test_a_negative_deviation_is_refused(sd: float) -> None:
    with pytest.raises(ValueError, match=r"a standard deviation cannot be .*: give 0 or more"):
        expected_shortage(1000.0, sd, 900.0)


@pytest.mark.parametrize(
    ("cost", "temporary", "life", "years"),
    [
        (60_000, 30_000, 5, 10.0),  # 60,000 / (30,000 / 5)
        (65_000, 29_250, 5, 65_000 / 5_850),
        (60_000, 0, 5, np.inf),  # what costs nothing is never worth replacing
    ],
)
def test_break_even_years(cost: float, temporary: float, life: float, years: float) -> None:
    assert float(break_even(cost, temporary, life)) == pytest.approx(years)


def test_break_even_is_missing_without_a_standard() -> None:
    assert np.isnan(break_even([np.nan, 1.0, 1.0], [1.0, np.nan, 0.0], [1.0, 1.0, np.nan])).all()


def test_the_need_is_split_along_its_duration_curve() -> None:
    """Worked by hand: building pays from 3 years on (30 yuan against 10 a year).

    Short: 100, 300, 200, 100, 0. At least 100 places are needed for 4 years, 200 for 2 years, 300
    for 1 year: 100 are built (3000 yuan), 200 bridged for (200 - 100) + (300 - 100) = 300
    place-years (3000). All built: 300 x 30 = 9000, regret 3000. All temporary: 700 place-years x
    10 = 7000, regret 1000.
    """
    short = np.array([[100.0, 300.0, 200.0, 100.0, 0.0]])
    row = split_need(short, costs(30.0)).iloc[0]
    assert row["break_even_years"] == 3.0
    assert (row["permanent_places"], row["temporary_places"]) == (100.0, 200.0)
    assert row["cost_split"] == 6000.0
    assert row["cost_permanent"] - row["cost_split"] == 3000.0
    assert row["cost_temporary"] - row["cost_split"] == 1000.0


@pytest.mark.parametrize(
    ("years", "built", "bridged"), [(5, 0.0, 90.0), (6, 90.0, 0.0), (7, 90.0, 0.0)]
)
def test_a_flat_need_is_built_from_the_break_even_on(
    years: int, built: float, bridged: float
) -> None:
    short = np.array([[90.0] * years + [0.0] * (10 - years)])
    row = split_need(short, costs()).iloc[0]
    assert (row["permanent_places"], row["temporary_places"]) == (built, bridged)
    # The cheaper choice has no regret; the other one's is 10 yuan a year off the break-even of 6.
    regrets = (row["cost_permanent"] - row["cost_split"], row["cost_temporary"] - row["cost_split"])
    assert regrets == (max(6 - years, 0) * 900.0, max(years - 6, 0) * 900.0)


def test_no_other_split_costs_less() -> None:
    """The split is the least of all; with one place moved it costs more."""
    short = np.random.default_rng(3).integers(0, 40, (50, 12)).astype(float)
    table = split_need(short, pd.concat([costs(45.0)] * 50, ignore_index=True))
    for row, need in zip(table.to_dict("records"), short, strict=True):
        tried = [
            45.0 * built + 10.0 * np.maximum(need - built, 0.0).sum()
            for built in range(int(need.max()) + 1)
        ]
        assert row["cost_split"] == pytest.approx(min(tried))
        assert tried[int(row["permanent_places"])] == pytest.approx(min(tried))
        wrong = dict(enumerate(tried))
        wrong[int(row["permanent_places"])] -= 1.0  # a corrupted cost is found
        assert row["cost_split"] != pytest.approx(min(wrong.values()))


def test_the_order_of_years_changes_nothing() -> None:
    short = np.array([[100.0, 300.0, 200.0, 100.0, 0.0]])
    split = split_need(short, costs(30.0))
    pd.testing.assert_frame_equal(split_need(short[:, ::-1], costs(30.0)), split)
    short[0, 2] += 1.0
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        pd.testing.assert_frame_equal(split_need(short, costs(30.0)), split)


def test_a_missing_standard_leaves_the_split_missing() -> None:
    short = np.array([[90.0, 0.0]])
    assert split_need(short, costs(np.nan)).iloc[0].isna().sum() == 5
    idle = split_need(np.zeros((1, 2)), costs(np.nan)).iloc[0]
    assert idle.drop("break_even_years").eq(0.0).all()  # nothing short costs nothing


def test_a_life_of_nothing_is_refused() -> None:
    match = r"standards, column value: of temporary_life is 0\. Give years of use above 0\."
    with pytest.raises(pf.InputError, match=match):
        split_need(np.array([[90.0]]), costs(life=0.0))


def test_verdicts_are_those_of_the_vocabulary() -> None:
    built = pd.Series([0.0, 90.0, 0.0, 90.0, np.nan])
    bridged = pd.Series([0.0, 0.0, 40.0, 40.0, 40.0])
    found = verdict_of(built, bridged).tolist()
    assert found == ["none", "permanent", "temporary", "mixed", None]
    assert set(found) - {None} == set(values("plan_verdict"))


def test_what_standards_lack_is_named() -> None:
    told = lacking(costs(np.nan, life=np.nan), pd.Series(["junior"]))
    assert told.tolist() == ["standards lack cost_per_place, temporary_life of junior"]
    assert lacking(costs(), pd.Series(["junior"])).tolist() == [""]


@pytest.mark.parametrize(
    ("quantile", "years"), [(0.4, 0), (0.45, 0), (0.46, 1), (0.7, 1), (0.9, 3), (0.96, 4)]
)
def test_the_delay_is_the_first_whose_chance_is_reached(quantile: float, years: int) -> None:
    """Cumulated 0.45, 0.70, 0.85, 0.95, 1."""
    assert delay_quantile([0.45, 0.25, 0.15, 0.1, 0.05], quantile) == years


def test_delays_of_a_proposal_learn_from_own_projects() -> None:
    """Ten own schools, all on time, weigh as much as the shipped delays: (10 x 0.45 + 10) / 20."""
    own = pd.DataFrame(
        {
            "project": [f"P{i}" for i in range(10)],
            "stage": "junior",
            "district": "A",
            "places": 300.0,
            "kind": "new",
            "status": "open",
            "opens": 2023,
            "opened": 2023,
        }
    )
    assert proposed_delays(own, 2025)[0] == pytest.approx(0.725)
    assert sum(proposed_delays(own, 2025)) == pytest.approx(1.0)


def test_lead_times_are_missing_without_a_standard() -> None:
    rows = pd.DataFrame({"district": ["A", "A"], "stage": ["junior", "primary"], "year": 2025})
    given = pd.DataFrame({"stage": ["junior"], "indicator": "lead_time", "value": 3.0})
    assert lead_times(rows, given, quantile=0.9).tolist() == pytest.approx(
        [3.0, np.nan], nan_ok=True
    )
    assert lead_times(rows, None, quantile=0.9).isna().all()


@pytest.mark.parametrize("system", ["cn-6-3-3", "cn-5-4-3"])
def test_china_ships_lead_times_lives_and_costs(system: str) -> None:
    """R30, R38: lead times of domain-china.md 2.9; costs are the middle of its default ranges."""
    rows = shipped("standards")
    rows = rows[rows["system"] == system]

    def of(indicator: str) -> dict[str, float]:
        own = rows[rows["indicator"] == indicator]
        return dict(zip(own["stage"], own["value"].astype(float), strict=True))

    stages = ("kindergarten", "primary", "junior", "senior_general")
    assert of("lead_time") == dict(zip(stages, (2, 3, 3, 4), strict=True))
    middle = ((50_000 + 140_000) / 2, (50_000 + 80_000) / 2, 65_000, (170_000 + 310_000) / 2)
    assert of("cost_per_place") == dict(zip(stages, middle, strict=True))
    assert of("life") == {"": 50.0}
    once, life = of("temporary_cost_per_place"), of("temporary_life")
    assert once == pytest.approx({stage: 0.45 * of("cost_per_place")[stage] for stage in stages})
    assert life == {"": 5.0}
    told = rows[rows["indicator"].isin(["temporary_cost_per_place", "temporary_life"])]
    assert told["source"].str.contains("no source found: put your own").all()
