"""Thinned districts: right on average, and cohorts that stay together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placeforecast.rates.thinning import thin

YEARS = range(2012, 2017)
GRADES = ("R", "1", "2")


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two districts: one that loses pupils every year, one that gains."""
    births, pupils = [], []
    for district, born, kept in (("A", 6000, 0.95), ("B", 3000, 1.04)):
        births += [(district, year, born + 10 * (year - 2008)) for year in range(2007, 2014)]
        pupils += [
            (district, year, grade, round((born + 10 * (year - 2012 - g)) * kept ** (g + 1)))
            for year in YEARS
            for g, grade in enumerate(GRADES)
        ]
    return (
        pd.DataFrame(pupils, columns=["district", "year", "grade", "pupils"]),
        pd.DataFrame(births, columns=["district", "year", "births"]),
    )


def thinned(size: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    return thin(*tables(), size, np.random.default_rng(seed), grades=GRADES, sized=3)


def test_every_count_is_right_on_average() -> None:
    seeds = 400
    pupils, births = tables()
    small = [thinned(300, seed) for seed in range(seeds)]
    chance = 300 / pupils.groupby(["district", "year"]).pupils.sum().groupby("district").mean()
    for at, (table, value) in enumerate(((pupils, "pupils"), (births, "births"))):
        expected = table[value].to_numpy() * chance[table["district"]].to_numpy()
        keys = [column for column in table.columns if column != value]
        drawn = np.array(
            [both[at].set_index(keys)[value].loc[table.set_index(keys).index] for both in small]
        )
        error = (drawn.mean(axis=0) - expected) / np.sqrt(expected / seeds)
        assert np.abs(error).max() < 4.5
        kept = chance[table["district"]].to_numpy()
        np.testing.assert_allclose(drawn.var(axis=0), expected * (1 - kept), rtol=0.35)


def test_a_cohort_stays_together() -> None:
    """Two grades of one cohort differ by its leavers, not by two independent draws."""
    steps = []
    for seed in range(200):
        pupils = thinned(300, seed)[0].set_index(["district", "year", "grade"]).pupils
        steps.append(pupils["A", 2014, "1"] - pupils["A", 2013, "R"])
    assert max(steps) <= 0  # A only loses
    assert np.std(steps) < 4  # about 100 x 0.05; two independent draws would differ by 14


def test_whole_pupils_and_the_same_seed() -> None:
    pupils, births = thinned(100, 3)
    again, _ = thinned(100, 3)
    pd.testing.assert_frame_equal(pupils, again)
    assert not pupils.equals(thinned(100, 4)[0])
    for counts in (pupils["pupils"], births["births"]):
        assert ((counts >= 0) & (counts % 1 == 0)).all()


def test_a_district_smaller_than_asked_stays() -> None:
    pupils, births = thinned(1e6, 1)
    keys = ["district", "year", "grade"]
    expected = tables()[0].set_index(keys).pupils
    assert pupils.set_index(keys).pupils.to_dict() == expected.to_dict()
    np.testing.assert_array_equal(births["births"].to_numpy(), tables()[1]["births"].to_numpy())


def test_a_missing_count_stays_missing() -> None:
    pupils, births = tables()
    hole = (pupils["district"] == "A") & (pupils["year"] == 2014) & (pupils["grade"] == "1")
    found, _ = thin(pupils[~hole], births, 300, np.random.default_rng(1), grades=GRADES, sized=3)
    assert len(found) == len(pupils) - 1
    after = found.set_index(["district", "year", "grade"]).pupils["A", 2015, "2"]
    assert after == pytest.approx(90, abs=40)
