"""Rounds compared with one another: which change moved a figure how far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from frozen import LAUNCH, flat, inputs_of, wavy
from placeforecast.attribution.waterfall import STEPS
from placeforecast.rounds.compare import compare_rounds
from placeforecast.rounds.freeze import freeze_round
from placeforecast.rounds.miss import DRIVERS
from placeforecast.rounds.read import Round, read_round
from placeforecast.rounds.score import score_round
from schools import with_cell_changed

if TYPE_CHECKING:
    from pathlib import Path

# Comparing. The same launch with other assumptions, so that each step can be worked by hand.

SPARE = pd.DataFrame({"stage": ["primary"], "indicator": "spare_share", "value": 0.2})


def standing(places: float) -> pd.DataFrame:
    return pd.DataFrame({"district": ["A"], "year": LAUNCH, "stage": "primary", "places": places})


def two_rounds(folder: Path, **changes: pd.DataFrame) -> tuple[Round, Round]:
    inputs = inputs_of({"P1": flat(), "P2": flat()}, places=standing(300.0))
    assumptions = pf.estimate(inputs)
    changed: dict[str, Any] = dict(changes)
    a = pf.forecast(inputs, assumptions=assumptions)
    b = pf.forecast(inputs, assumptions=replace(assumptions, **changed))
    return read_round(freeze_round(a, folder / "a")), read_round(freeze_round(b, folder / "b"))


def changes_of(steps: pd.DataFrame, value: str, year: int) -> dict[str, float]:
    rows = steps[(steps["value"] == value) & (steps["year"] == year)]
    assert list(rows["step"]) == list(STEPS)
    return {k: v for k, v in zip(rows["step"], rows["change"], strict=True) if abs(v) > 1e-9}


def test_r20_the_steps_between_two_rounds(tmp_path: Path) -> None:
    """P1 of 2025: 100 children at 1.1 and no spare share; then at 1.2 and with 0.2 of it.

    Demand of P1 goes from 110 to 150 and of P2 from 110 to 137.5. Entry moves P1 by 10 pupils,
    worth 10 or 12.5 places; the standard adds a quarter to 220 or 230 pupils.
    """
    inputs = inputs_of({"P1": flat(), "P2": flat()})
    intake = pf.estimate(inputs).intake
    assert intake is not None
    assert list(intake["ratio"]) == pytest.approx([1.1] * len(intake))
    a, b = two_rounds(
        tmp_path, intake=intake.assign(ratio=1.2), standards=SPARE, places=standing(320.0)
    )
    steps = compare_rounds(a, b, stage="primary", ledger="all")
    expected = {"entry": 11.25, "standards": 56.25}
    assert changes_of(steps, "demand", 2025) == pytest.approx(expected)
    moved = {"entry": -11.25, "standards": -56.25, "plan": 20}
    assert changes_of(steps, "balance", 2025) == pytest.approx(moved)
    first = steps[(steps["value"] == "demand") & (steps["year"] == 2025)]
    assert first["from"].iloc[0] == pytest.approx(220)
    assert first["to"].iloc[-1] == pytest.approx(287.5)


def test_equal_rounds_have_no_steps(tmp_path: Path) -> None:
    a, b = two_rounds(tmp_path)
    steps = compare_rounds(a, b, ledger="all")
    assert set(steps["value"]) == {"demand", "balance"}
    assert (steps["change"] == 0).all()


def assert_waterfall(steps: pd.DataFrame, a: Round, b: Round) -> None:
    np.testing.assert_allclose(steps["from"] + steps["change"], steps["to"], rtol=0, atol=1e-9)
    for value, name in (("demand", "stages"), ("balance", "balance")):
        own = steps[steps["value"] == value]
        keys = ["district", "stage", "year"]
        for one, step, side in ((a, STEPS[0], "from"), (b, STEPS[-1], "to")):
            table = one.results[name]
            table = table[table["ledger"] == "all"]
            if name == "balance":
                table = table[table["plan_case"] == "planned"]
            figures = table.set_index(keys)[value]
            shown = own[own["step"] == step].set_index(keys)[side]
            np.testing.assert_allclose(shown, figures.reindex(shown.index), rtol=0, atol=1e-9)
    for _, rows in steps.groupby(["value", "district", "stage", "year"]):
        np.testing.assert_array_equal(rows["to"].to_numpy()[:-1], rows["from"].to_numpy()[1:])


@pytest.fixture(scope="module")
def annual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Round, Round]:
    """Return the rounds of 2024 and 2025 of one region, a year of every table later."""
    folder = tmp_path_factory.mktemp("annual")
    found = []
    for launch in (LAUNCH, LAUNCH + 1):
        years = launch - 2019
        inputs = inputs_of(
            {"P1": wavy(5, 6)[:years], "P2": wavy(6, 6)[:years]},
            {2019: 120.0, LAUNCH + 1: 70.0},
            places=standing(300.0 + 10 * years).assign(year=launch),
        )
        found.append(read_round(freeze_round(pf.forecast(inputs), folder / str(launch))))
    return found[0], found[1]


@pytest.fixture(scope="module")
def steps(annual: tuple[Round, Round]) -> pd.DataFrame:
    return compare_rounds(*annual, ledger="all")


def test_the_steps_between_two_years_lead_from_one_to_the_other(
    annual: tuple[Round, Round], steps: pd.DataFrame
) -> None:
    a, b = annual
    assert_waterfall(steps, a, b)
    assert set(steps["year"]) == {2025, 2026, 2027}
    method = steps[steps["step"] == "method"]["change"]
    np.testing.assert_allclose(method, 0, atol=1e-9)
    plan = steps[(steps["step"] == "plan") & (steps["value"] == "balance")]["change"]
    np.testing.assert_allclose(plan, 10)
    now = changes_of(steps, "demand", 2025)
    assert set(now) <= {"counted", "entry", "progression"}
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        assert_waterfall(with_cell_changed(steps, "change", 1e-6), a, b)


@pytest.mark.parametrize("year", [2025, 2027])
def test_a_part_of_the_steps_is_the_same(
    annual: tuple[Round, Round], steps: pd.DataFrame, year: int
) -> None:
    part = compare_rounds(*annual, ledger="all", district="A", stage="primary", year=year)
    own = steps[(steps["year"] == year) & (steps["stage"] == "primary")]
    pd.testing.assert_frame_equal(part, own.reset_index(drop=True), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"stage": "primry"}, r"demand: 'primry' is no stage of the round of 2024. Did you mean"),
        ({"district": "Z"}, "demand: 'Z' is no district of the round of 2024. Known: A"),
        ({"year": 2024}, r"have no figure in common \(year 2024, ledger all, case planned\)"),
        ({"ledger": "public"}, r"have no figure in common \(any, ledger public, case planned\)"),
    ],
)
def test_what_the_rounds_do_not_have_is_refused(
    annual: tuple[Round, Round], asked: dict[str, Any], message: str
) -> None:
    a, b = annual
    with pytest.raises(pf.InputError, match=message):
        compare_rounds(a, b, **{"ledger": "all", **asked})


def test_rounds_that_do_not_fit_together_are_refused(annual: tuple[Round, Round]) -> None:
    a, b = annual
    with pytest.raises(pf.InputError, match=r"is compared with the later one .* Give the earlier"):
        compare_rounds(b, a)
    moved = b.results["pupils"].assign(district="Z")
    other = replace(b, results={**b.results, "pupils": moved})
    message = r"do not have the same districts: A is in one only \(2 such\)"
    with pytest.raises(pf.InputError, match=message):
        compare_rounds(a, other)


# The example city, whole.


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Round, Round]:
    folder, inputs = tmp_path_factory.mktemp("city"), pf.load_example("city")
    with pytest.warns(pf.AssumptionWarning):
        results = [pf.forecast(inputs, launch_year=year, horizon=6) for year in (2024, 2025)]
    a, b = (read_round(freeze_round(r, folder / str(r.launch_year))) for r in results)
    return a, b


@pytest.mark.slow
def test_the_city_is_scored(city: tuple[Round, Round]) -> None:
    score = score_round(city[0], city[1].inputs)
    parts = score.split[list(DRIVERS)].sum(axis=1)
    np.testing.assert_allclose(parts, score.split["total"], rtol=0, atol=1e-8)
    top = score.errors[score.errors["district"] == "CITY"].set_index(["stage", "year"])["error"]
    keyed = score.split.set_index(["stage", "year"])["total"]
    np.testing.assert_allclose(keyed, top.reindex(keyed.index), rtol=0, atol=1e-6)
    senior = score.split.set_index("stage").loc["senior_general"]
    assert senior["policy"] != 0


@pytest.mark.slow
def test_the_city_is_compared(city: tuple[Round, Round]) -> None:
    steps = compare_rounds(*city, stage="compulsory", year=2027)
    np.testing.assert_allclose(steps["from"] + steps["change"], steps["to"], rtol=0, atol=1e-8)
    method = steps[steps["step"] == "method"]["change"]
    np.testing.assert_allclose(method, 0, atol=1e-6)
    assert set(steps[steps["change"].abs() > 1]["step"]) >= {"entry", "progression", "counted"}
