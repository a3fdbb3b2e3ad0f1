"""The error model and the multipliers drawn from it, worked by hand on tiny arrays."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TWO_GRADES, normal_errors, past, two_districts
from placeforecast.uncertainty.calibrate import past_intervals, quantiles_of, top_of
from placeforecast.uncertainty.draws import (
    BirthShocks,
    birth_multipliers,
    centred,
    fit_births,
    multipliers,
)
from placeforecast.uncertainty.errors import ErrorModel, extend, fit_errors, similar
from placeforecast.uncertainty.shipped import shipped_errors, shipped_terms

if TYPE_CHECKING:
    from placeforecast.tables.doors import Array
    from placeforecast.uncertainty.past import Replayed

LATER = 2030
"""A year by which everything is known."""

STAGE_OF = {"P1": "primary", "P2": "primary"}


def fitted(replayed: Replayed, known_to: int = LATER) -> ErrorModel:
    model = fit_errors(replayed, ["primary"], STAGE_OF, known_to)
    assert model is not None
    return model


def assert_same_model(one: ErrorModel, other: ErrorModel) -> None:
    for part, again in zip(astuple(one), astuple(other), strict=True):
        np.testing.assert_array_equal(part, again)


def by_district(*launches: tuple[float, ...]) -> Array:
    """Return log errors at lead 1, alike in both grades."""
    errors = np.array(launches)[:, np.newaxis, np.newaxis, :]
    return np.repeat(errors, 2, axis=2)


# Fitting.


def test_the_shared_error_is_the_median_of_a_launch_and_the_own_error_the_rest() -> None:
    """Medians 0.01 and 0.03: root mean square 0.05 ** 0.5 / 10, times (1 + 2 / 2) ** 0.5."""
    model = fitted(past(by_district((-0.02, 0.01, 0.04), (0.0, 0.03, 0.05))))
    np.testing.assert_allclose(model.shared, [np.sqrt((0.01**2 + 0.03**2) / 2) * np.sqrt(2)])
    own = np.array([-0.03, 0.0, 0.03, -0.03, 0.0, 0.02])
    np.testing.assert_allclose(model.spread(200.0), np.sqrt(np.mean(own**2)))
    widened = own / np.sqrt(np.mean(own**2)) * np.sqrt(1 + 0.5 / 2)
    np.testing.assert_allclose(model.own, np.tile(widened[:, None, None], (1, 1, 2)), atol=1e-12)
    assert (model.launches, model.stage_of) == (2, [0, 0])
    assert list(model.growth) == [1.0]
    np.testing.assert_array_equal(model.sizes, 200.0)


@pytest.mark.parametrize(("power", "found"), [(0.7, 0.7), (1.4, 1.4), (3.0, 2.0), (0.1, 0.3)])
def test_growth_is_the_power_of_the_lead_within_bounds(power: float, found: float) -> None:
    grown = np.arange(1, 5) ** power
    errors = np.repeat(0.01 * grown[np.newaxis, :, np.newaxis, np.newaxis], 2, axis=2)
    model = fitted(past(errors))
    np.testing.assert_allclose(model.growth, [found])
    if power == found:  # then the shared error at lead 1 is that of lead 1
        np.testing.assert_allclose(model.shared, [0.01 * np.sqrt(3)])


def test_with_two_leads_errors_grow_in_proportion() -> None:
    errors = np.full((1, 2, 1, 1), 0.01)
    assert list(fitted(past(errors)).growth) == [1.0]


def opposite(*by_lead: float) -> Array:
    """Return log errors [lead, grade]: P1 by as much too few as P2 too many."""
    return np.array([[error, -error] for error in by_lead])


def own_errors(model: ErrorModel) -> Array:
    """Return own errors as they were measured."""
    spread = model.spread(model.sizes)[:, np.newaxis, np.newaxis]
    measured: Array = model.own * spread / np.sqrt(1 + 0.5 / model.launches)
    return measured


def test_a_lead_not_reached_is_extended_in_proportion() -> None:
    """The launch of 2016 reaches one lead by 2017: its second lead is twice its first."""
    errors = np.stack([opposite(0.02, 0.03), opposite(0.01, 9.0)])[..., np.newaxis]
    own = own_errors(fitted(past(errors), known_to=2017))
    np.testing.assert_allclose(own[1, 1], 2 * own[1, 0], rtol=1e-12)
    shared = np.log(np.cosh(0.01))  # of the totals of the stage
    np.testing.assert_allclose(own[1, 0], [0.01 - shared, -0.01 - shared], rtol=1e-9)
    np.testing.assert_allclose(own[0, 1], np.array([0.03, -0.03]) - np.log(np.cosh(0.03)))


def test_a_lead_without_outcome_is_filled_from_the_next_and_an_empty_grade_has_no_error() -> None:
    errors = opposite(np.nan, 0.02)[np.newaxis, ..., np.newaxis]
    own = own_errors(fitted(past(errors)))
    np.testing.assert_allclose(own[0, 0], own[0, 1] / 2, rtol=1e-12)
    one_grade = errors.copy()
    one_grade[:, :, 1] = np.nan
    np.testing.assert_array_equal(fitted(past(one_grade)).own[..., 1], 0.0)


def variances(size: tuple[float, ...], *errors: float) -> tuple[float, float]:
    """Return the size terms of districts around a median of 0."""
    return fitted(past(by_district(errors), size=size)).size_terms


def test_size_terms() -> None:
    """Variance of own errors on the inverse of size, neither term below zero."""
    size, errors = (100.0, 1e4, 400.0), (-0.05, 0.0, 0.03)
    slope, level = np.polyfit(1 / np.array(size), np.square(errors), 1)
    np.testing.assert_allclose(variances((100.0, 1e4, 400.0), *errors), (level, slope), rtol=1e-9)
    large_worse = variances((400.0, 100.0, 1e4), -0.01, 0.0, 0.05)
    np.testing.assert_allclose(large_worse, ((0.01**2 + 0.05**2) / 3, 0.0))
    through_zero = (0.04**2 / 100 + 0.001**2 / 400) / (1 / 100**2 + 1 / 200**2 + 1 / 400**2)
    found = variances((100.0, 200.0, 400.0), -0.04, 0.0, 0.001)
    np.testing.assert_allclose(found, (0.0, through_zero))
    assert variances((100.0, 200.0, 400.0), 0.01, 0.01, 0.01) == (1.0, 0.0)


def test_later_outcomes_and_the_unborn_are_not_learnt_from() -> None:
    rng = np.random.default_rng(4)
    errors = rng.normal(0, 0.02, (3, 3, 2, 4))
    born = np.ones(errors.shape)
    born[1, 0, 0] = 0.99
    replayed = past(errors, born=born)
    model = fitted(replayed, known_to=2017)
    year = np.add.outer(np.array(replayed.axes["launch"]), np.array(replayed.axes["lead"]))
    hidden = (year > 2017)[..., np.newaxis, np.newaxis] | (born < 1)
    assert 0 < hidden.sum() < hidden.size
    spoilt = replace(replayed, actual=np.where(hidden, 10 * replayed.actual, replayed.actual))
    assert_same_model(model, fitted(spoilt, known_to=2017))
    assert model.launches == 2
    seen = replayed.actual.copy()
    seen[1, 0, 1, 2] *= 1 + 1e-9
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        assert_same_model(model, fitted(replace(replayed, actual=seen), known_to=2017))


def test_nothing_known_is_no_model() -> None:
    replayed = past(by_district((0.01, 0.02)))
    assert fit_errors(replayed, ["primary"], STAGE_OF, 2015) is None
    unborn = replace(replayed, share_born=np.zeros(replayed.actual.shape))
    assert fit_errors(unborn, ["primary"], STAGE_OF, LATER) is None


def test_intervals_of_a_launch_come_from_what_was_known_at_it() -> None:
    errors = np.random.default_rng(5).normal(0, 0.02, (4, 2, 2, 3))
    replayed = past(errors)
    parents = top_of(None, replayed.axes["district"])

    def drawn(of: Replayed) -> Array:
        found = past_intervals(of, ["primary"], STAGE_OF, parents, (0.1, 0.9), trajectories=40)
        assert list(found.launches) == [0, 1, 2, 3]
        assert np.isnan(found.grades[:, 0]).all()
        assert np.isnan(found.stages[:, 0]).all()
        return found.stages[:, 1:3]

    once = drawn(replayed)
    assert (once[0] < once[1]).all()
    later = np.add.outer(np.arange(4), np.array([1, 2]))[..., np.newaxis, np.newaxis] > 2
    np.testing.assert_array_equal(
        drawn(replace(replayed, actual=np.where(later, 10.0, 1.0) * replayed.actual)), once
    )
    earlier = replayed.actual.copy()
    earlier[0, 0, 0, 0] *= 1.5
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        np.testing.assert_array_equal(drawn(replace(replayed, actual=earlier)), once)


# Drawing.


def test_extend_grows_the_last_lead() -> None:
    """From lead 2: lead 3 is 1.5 and lead 4 twice as large, to the power of the growth."""
    vectors = np.array([[[1.0, 1.0], [3.0, 5.0]]])
    further = extend(vectors, 4, np.array([1.0, 2.0]))
    np.testing.assert_allclose(further[0, :, 0], [1, 3, 4.5, 6])
    np.testing.assert_allclose(further[0, :, 1], [1, 5, 5 * 1.5**2, 5 * 2**2])
    np.testing.assert_array_equal(extend(vectors, 1, np.ones(2)), vectors[:, :1])


def test_similar_takes_the_nearest_third_and_at_least_fifteen() -> None:
    model = normal_errors(0.1)
    sizes = np.array([100 * 1.1**i for i in range(60)])
    assert list(similar(replace(model, sizes=sizes), sizes[0])) == list(range(20))
    assert list(similar(replace(model, sizes=sizes[:20]), sizes[19])) == list(range(5, 20))
    assert list(similar(replace(model, sizes=sizes[:3]), 0.0)) == [0, 1, 2]


def assert_centred(drawn: Array) -> None:
    np.testing.assert_allclose(drawn.mean(axis=-1), 1.0, rtol=1e-14)


def test_multipliers_have_mean_one() -> None:
    drawn = centred(np.random.default_rng(6).normal(0.3, 1.0, (3, 2, 101)))
    assert_centred(drawn)
    model = normal_errors(0.1, shared=0.05, grades=2)
    one = multipliers(model, "A", "C", 200.0, 3, 101, 1)
    assert one.shape == (3, 2, 101)
    assert_centred(one)
    one[1, 1, 50] += 1e-9
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_centred(one)


def test_multipliers_depend_on_the_seed_and_the_own_labels() -> None:
    model = normal_errors(0.1, shared=0.05)
    first = multipliers(model, "A", "C", 200.0, 3, 60, 1)
    np.testing.assert_array_equal(multipliers(model, "A", "C", 200.0, 3, 60, 1), first)
    for district, parent, seed in (("B", "C", 1), ("A", "D", 1), ("A", "C", 2)):
        other = multipliers(model, district, parent, 200.0, 3, 60, seed)
        assert not np.isclose(other, first).any(axis=(0, 1)).all()


def test_districts_of_a_parent_share_its_shock_which_grows_with_the_lead() -> None:
    model = normal_errors(0.0, shared=0.05)
    one, other, stranger = (
        np.log(multipliers(model, district, parent, 200.0, 3, 60, 1)[:, 0])
        for district, parent in (("A", "C"), ("B", "C"), ("A", "D"))
    )
    np.testing.assert_array_equal(one, other)
    assert not np.isclose(one, stranger).all(axis=1).any()
    around = one - one.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(around[2], 3 * around[0], rtol=1e-9)


def test_own_errors_are_scaled_by_size() -> None:
    model = replace(normal_errors(1.0), size_terms=(0.0, 1.0))
    small, large = (
        np.log(multipliers(model, "A", "C", size, 1, 60, 1)[0, 0]) for size in (100.0, 10_000.0)
    )
    np.testing.assert_allclose(small - small.mean(), 10 * (large - large.mean()), rtol=1e-9)


def test_quantiles() -> None:
    draws = np.random.default_rng(7).normal(size=(4, 3, 37))
    asked = (0.025, 0.1, 0.5, 0.77, 0.975)
    found = quantiles_of(draws, asked)
    np.testing.assert_allclose(found, np.quantile(draws, asked, axis=-1), rtol=1e-12, atol=1e-14)
    found[2, 1, 1] += 1e-9
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(found, np.quantile(draws, asked, axis=-1), rtol=1e-12)
    np.testing.assert_array_equal(quantiles_of(np.array([[5.0]]), asked), 5.0)


# Births.


def test_birth_shocks_by_hand() -> None:
    """The total stays; each district moves by log 1.1 or log 0.9. A hole leaves the others."""
    births = np.array([[100.0, 100.0, np.nan], [110.0, 90.0, 50.0]])
    shocks = fit_births(births)
    own = np.sqrt((np.log(1.1) ** 2 + np.log(0.9) ** 2) / 2)
    np.testing.assert_allclose((shocks.shared, shocks.own), (0.0, own), atol=1e-15)
    together = fit_births(np.array([[100.0, 50.0], [110.0, 55.0]]))
    np.testing.assert_allclose((together.shared, together.own), (np.log(1.1), 0.0), atol=1e-15)
    nothing = BirthShocks(0.0, 0.0)
    assert fit_births(births[:1]) == nothing
    assert fit_births(np.array([[100.0], [0.0]])) == nothing
    assert fit_births(np.full((3, 1), np.nan)) == nothing


def test_recorded_cohorts_have_no_error_and_the_unborn_more_and_more() -> None:
    left = np.array([0.0, 0.0, 0.5, 1.0, 1.0, 1.0])
    drawn = birth_multipliers(BirthShocks(0.03, 0.02), "A", "C", left, 4000, 1)
    np.testing.assert_array_equal(drawn[:2], 1.0)
    assert_centred(drawn)
    spread = np.log(drawn[2:]).std(axis=1)
    step = np.hypot(0.03, 0.02)
    expected = step * np.sqrt([0.25, 1.25, 2.25, 3.25])
    np.testing.assert_allclose(spread, expected, rtol=0.05)  # four standard errors of 4,000 draws
    again = birth_multipliers(BirthShocks(0.03, 0.02), "A", "C", left, 4000, 1)
    np.testing.assert_array_equal(again, drawn)


# Where there is no past.


def test_the_shipped_table_is_used_and_said() -> None:
    result = pf.forecast(two_districts(years=2), trajectories=20, seed=3)
    said = result.notes.set_index("topic")["text"]["intervals"]
    source = "the shipped error table: the region has no past launch with an outcome"
    assert said == f"20 trajectories, seed 3, from {source}"
    assert result.coverage.empty
    wide = result.pupils[result.pupils["year"] > 2014]
    assert (wide["pupils_p10"] < wide["pupils_p90"]).all()


def test_own_launches_are_used_and_said() -> None:
    result = pf.forecast(two_districts(), trajectories=20, seed=3)
    said = result.notes.set_index("topic")["text"]["intervals"]
    assert said == "20 trajectories, seed 3, from 4 own launches up to 2017"
    columns = ["stage", "lead", "nominal", "coverage", "width", "launches"]
    assert list(result.coverage.columns) == columns
    assert set(result.coverage["stage"]) == {"primary"}
    at_lead_1 = result.coverage.query("lead == 1").iloc[0]
    assert at_lead_1["launches"] == 3
    np.testing.assert_allclose(result.coverage["nominal"], 0.8)
    assert result.coverage["coverage"].between(0, 1).all()


def test_shipped_terms_are_the_spread_of_the_made_up_samples() -> None:
    terms = shipped_terms()
    model = shipped_errors(["P1", "P2"], ["primary"], STAGE_OF)
    np.testing.assert_array_equal(model.shared, [terms["shared"]])
    np.testing.assert_array_equal(model.growth, [1.0])
    own = np.hypot(terms["own"], terms["own_grade"])
    np.testing.assert_allclose(model.spread(1e12), own, rtol=1e-6)
    np.testing.assert_allclose(model.own.std(), 1.0, rtol=0.1)
    assert model.launches == 0
    assert_same_model(model, shipped_errors(["P1", "P2"], ["primary"], STAGE_OF))


def test_top_parents_share_shocks() -> None:
    tree = pd.DataFrame({"district": ["P", "C", "A", "B"], "parent": [None, "P", "C", None]})
    assert top_of(tree, ["A", "B"]) == {"A": "P", "B": ""}
    assert top_of(None, list(TWO_GRADES["grade"])) == {"P1": "", "P2": ""}
