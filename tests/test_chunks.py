"""No figure depends on how the work is shared out; and single trajectories are those reduced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import normal_errors, places_of, two_districts
from placeforecast.uncertainty.central import Central, central_of, families, part_of
from placeforecast.uncertainty.draws import BirthShocks
from placeforecast.uncertainty.learn import Learnt
from placeforecast.uncertainty.trajectories import draw
from schools import SIMPLE, grades, pupils, region

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast
    from placeforecast.uncertainty.reduce import Drawn

QUANTILES = (0.1, 0.5, 0.9)
LEARNT = Learnt(
    normal_errors(0.08, shared=0.03, grades=2), BirthShocks(0.05, 0.02), "by hand", pd.DataFrame()
)
AREAS = {
    "North": [0, 3],
    "A": [0],
    "B": [1],
    "C": [2],
    "D": [3],
    "South": [1, 4],
    "Hill": [4],
    "E": [4],
}
"""Two parents whose districts lie in turn, a parent below a parent, and C without any."""


@pytest.fixture(scope="module")
def run() -> Central:
    """Return five districts of different size, one of them without the second grade."""
    taught = np.array([[100.0, 90.0], [400.0, 380.0], [50.0, np.nan], [210.0, 200.0], [77.0, 70.0]])
    pupils = np.broadcast_to(taught.T, (4, 2, 5)).copy()
    names = ["A", "B", "C", "D", "E"]
    return Central(
        pupils=pupils,
        share={"all": np.where(np.isnan(pupils), np.nan, 1.0)},
        factor={"all": np.where(np.isnan(pupils), np.nan, 1.05)},
        still={"all": np.zeros_like(pupils)},
        needed_still={"all": np.zeros_like(pupils)},
        places={("all", "planned"): pupils * 1.02},
        axes={"year": [2020, 2021, 2022, 2023], "grade": ["P1", "P2"], "district": names},
        ages=[[6], [7]],
        like=[0, 1],
        share_born=np.repeat([[1.0], [0.4], [0.0]], 5, axis=1),
        cohorts=[2014, 2015, 2016],
        areas=AREAS,
        groups={"primary": [0, 1]},
        parents={"A": "North", "B": "South", "C": "", "D": "North", "E": "South"},
    )


def assert_same(one: Drawn, other: Drawn) -> None:
    np.testing.assert_array_equal(one.cells, other.cells)
    assert set(one.sums) == set(other.sums)
    for key, sums in one.sums.items():
        np.testing.assert_array_equal(sums, other.sums[key], err_msg=str(key))


def test_a_family_is_what_no_area_reaches_across(run: Central) -> None:
    assert families(run) == [[0, 3], [1, 4], [2]]


@pytest.mark.parametrize("chunk", [1, 2, 3, 50])
def test_chunks_of_any_size_give_the_same_bits(run: Central, chunk: int) -> None:
    whole = draw(run, LEARNT, QUANTILES, 101, 3)
    assert_same(draw(run, LEARNT, QUANTILES, 101, 3, chunk=chunk), whole)
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        assert_same(draw(run, LEARNT, QUANTILES, 101, 4, chunk=chunk), whole)


def test_two_workers_give_the_same_bits(run: Central) -> None:
    assert_same(
        draw(run, LEARNT, QUANTILES, 101, 3, jobs=2), draw(run, LEARNT, QUANTILES, 101, 3, jobs=1)
    )


def test_a_part_of_a_run_is_a_run_of_its_own(run: Central) -> None:
    part = part_of(run, [1, 4])
    assert part.axes["district"] == ["B", "E"]
    assert dict(part.areas) == {"B": [0], "South": [0, 1], "Hill": [1], "E": [1]}
    whole = draw(run, LEARNT, QUANTILES, 50, 3)
    np.testing.assert_array_equal(
        draw(part, LEARNT, QUANTILES, 50, 3).cells, whole.cells[..., [1, 4]]
    )


def test_the_chance_of_the_first_short_year_adds_up_to_ever_being_short(run: Central) -> None:
    """Errors grow with the lead and stay on their side: who is short once is short from then on."""
    found = draw(run, LEARNT, QUANTILES, 400, 3).sums
    first = found["chance_first_shortfall", "all", "planned"][0, :, :, 0]
    short = found["chance_of_shortfall", "all", "planned"][0, :, :, 0]
    np.testing.assert_array_equal(first[:, 0], short[:, 0])
    assert (first >= 0).all()
    ever = first.sum(axis=1)
    assert (ever <= 1 + 1e-12).all()
    assert (ever >= short.max(axis=1) - 1e-12).all()
    by_now = np.cumsum(first, axis=1)
    assert (by_now >= short - 1e-12).all()


# The front door.


@pytest.fixture(scope="module")
def inputs() -> pf.Inputs:
    return two_districts(places=places_of({"A": 2020.0, "B": 850.0}))


@pytest.fixture(scope="module")
def result(inputs: pf.Inputs) -> Forecast:
    return pf.forecast(inputs, trajectories=200, seed=1)


def rows_of(result: Forecast, district: str) -> pd.DataFrame:
    assert result.balance is not None
    mine = (result.balance["district"] == district) & (result.balance["plan_case"] == "planned")
    return result.balance[mine].sort_values("year")


@pytest.mark.parametrize("district", ["A", "B", "C"])
def test_single_trajectories_are_those_that_were_reduced(result: Forecast, district: str) -> None:
    runs = result.trajectories_of(district, "primary", ledger="all")
    rows = rows_of(result, district)
    assert len(runs) == 200 * len(rows)
    wide = {c: runs.pivot(index="year", columns="trajectory", values=c) for c in runs.columns[2:]}
    for value in ("pupils", "demand"):
        for end, share in (("p10", 0.1), ("p90", 0.9)):
            quantile = wide[value].quantile(share, axis=1)
            np.testing.assert_allclose(rows[f"{value}_{end}"], quantile, rtol=1e-12)
    np.testing.assert_array_equal(
        rows["chance_of_shortfall"], (wide["balance"] < 0).mean(axis=1).to_numpy()
    )
    np.testing.assert_array_equal(wide["balance"], wide["places"] - wide["demand"])
    np.testing.assert_allclose(
        rows["expected_cell_shortfall"], wide["cell_shortfall"].mean(axis=1), rtol=1e-12
    )
    years = wide["balance"].lt(0).apply(lambda one: one.idxmax() if one.any() else 0)
    first = [(years == year).mean() for year in rows["year"]]
    np.testing.assert_allclose(rows["chance_first_shortfall"], first, atol=1e-12)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(rows["chance_first_shortfall"], np.roll(first, 1), atol=1e-12)


def test_without_places_single_trajectories_end_at_demand() -> None:
    bare = pf.forecast(two_districts(), trajectories=5)
    runs = bare.trajectories_of("A", "primary", ledger="all")
    assert list(runs.columns) == ["trajectory", "year", "pupils", "demand"]


@pytest.fixture(scope="module")
def in_part() -> Forecast:
    """Return a forecast of A, with primary and junior grades, and B; only junior has places."""
    system = grades(("P1", "primary", 1, 6, 1, "population"), ("J1", "junior", 2, 7, 1, "P1"))
    taught = [
        pupils({"P1": [90, 96, 93, 99, 95], "J1": [88, 91, 95, 92, 99]}, 2013, "A"),
        pupils({"P1": [40, 42, 45, 41, 43]}, 2013, "B"),
    ]
    standing = pd.DataFrame({"district": ["A"], "year": 2017, "stage": "junior", "places": 90.0})
    inputs = region(pd.concat(taught), grades=system, places=standing)
    with pytest.warns(pf.AssumptionWarning, match=r"are not balanced: primary \(all\)"):
        return pf.forecast(inputs, model=SIMPLE, trajectories=5)


def test_a_stage_without_places_is_not_short_of_all_of_them(in_part: Forecast) -> None:
    """As in the balance, which has no row of it: nothing is known, and no place is taken for 0."""
    assert in_part.balance is not None
    assert set(in_part.balance["stage"]) == {"junior"}
    for stage in ("primary", "compulsory"):
        runs = in_part.trajectories_of("A", stage, ledger="all")
        assert list(runs.columns) == ["trajectory", "year", "pupils", "demand"]
    runs = in_part.trajectories_of("A", "junior", ledger="all")
    assert (runs["places"] == 90).all()


def test_a_stage_that_nobody_of_the_district_is_taught_in_is_refused(in_part: Forecast) -> None:
    with pytest.raises(ValueError, match="there is no junior of ledger all in B"):
        in_part.trajectories_of("B", "junior", ledger="all")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("X", "primary", "all", "planned"), "there is no district 'X'. Known: A, B, C."),
        (("A", "primery", "all", "planned"), "there is no stage 'primery'. Did you mean 'primary'"),
        (("A", "primary", "public", "planned"), "there is no ledger 'public'. Known: all."),
        (("A", "primary", "all", "plan"), "there is no plan case 'plan'. Did you mean 'planned'?"),
    ],
)
def test_a_cell_that_is_not_there_is_refused(
    result: Forecast, cell: tuple[str, str, str, str], message: str
) -> None:
    district, stage, ledger, case = cell
    with pytest.raises(ValueError, match=message.replace("?", r"\?").replace(".", r"\.")):
        result.trajectories_of(district, stage, ledger=ledger, case=case)


def test_a_central_run_has_no_single_trajectories(inputs: pf.Inputs) -> None:
    with pytest.raises(ValueError, match="run it with trajectories=500"):
        pf.forecast(inputs).trajectories_of("A", "primary")


def test_scenarios_in_two_processes_give_the_same_bits(inputs: pf.Inputs) -> None:
    changes = pd.DataFrame(
        {"scenario": ["more", "less"], "table": "intake", "multiply": [1.1, 0.9]}
    )
    asked: dict[str, Any] = {"scenarios": changes, "trajectories": 50, "seed": 2}
    one, two = (pf.forecast(inputs, **asked, jobs=jobs) for jobs in (1, 2))
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, two.tables()[name], check_exact=True, obj=name)


def test_what_a_process_warns_of_is_heard() -> None:
    """Years that the assumptions do not reach are told of, once, whatever process finds it."""
    inputs = two_districts()
    short = pf.estimate(inputs, horizon=1)
    changes = pd.DataFrame({"scenario": ["more"], "table": "intake", "multiply": [1.1]})
    for jobs in (1, 2):
        with pytest.warns(pf.AssumptionWarning, match="the assumptions end in") as heard:
            pf.forecast(inputs, assumptions=short, scenarios=changes, horizon=2, jobs=jobs)
        assert len([one for one in heard if "the assumptions end" in str(one.message)]) == 1


def test_what_is_drawn_is_told(result: Forecast, inputs: pf.Inputs) -> None:
    assert result.sampling is not None
    assert (result.sampling.trajectories, result.sampling.seed) == (200, 1)
    assert result.sampling.text in result.notes["text"].tolist()
    arrays = central_of(result.of().tables(), inputs, result.assumptions)
    assert replace(arrays, places={}).pupils.shape == (len(arrays.axes["year"]), 2, 2)
