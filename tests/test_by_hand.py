"""Steps taken by hand refuse what a region read from its folder would be refused for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from launches import two_districts
from placeforecast.cli import main

if TYPE_CHECKING:
    from pathlib import Path

PUPILS = pd.DataFrame({"district": "A", "year": [2026], "grade": "P1", "pupils": [100.0]})


def share(value: float, stage: str = "primary") -> pd.DataFrame:
    columns = {"indicator": "public_share", "stage": stage, "year": [2026], "value": value}
    return pd.DataFrame(columns)


def test_a_percent_is_refused_where_a_share_belongs() -> None:
    message = "policy, row 1, column value: '80' is above 1, and public_share is a share"
    with pytest.raises(pf.InputError, match=message):
        pf.Assumptions(policy=share(80.0))
    with pytest.raises(pf.InputError, match=message):
        pf.check(share(80.0), "policy")


def test_a_stage_that_is_not_there_is_refused() -> None:
    message = "policy, column stage: 'primry' is not a stage of the school system"
    with pytest.raises(pf.InputError, match=message):
        pf.demand_places(PUPILS, pf.Assumptions(policy=share(0.5, "primry")))


def test_pupils_given_twice_or_not_at_all_are_refused() -> None:
    twice = pd.concat([PUPILS, PUPILS])
    with pytest.raises(pf.InputError, match="pupils, row 2: repeats row 1"):
        pf.demand_places(twice, pf.Assumptions())
    with pytest.raises(pf.InputError, match="pupils, row 1, column pupils: is blank"):
        pf.demand_places(PUPILS.assign(pupils=float("nan")), pf.Assumptions())


def test_something_that_is_no_table_is_refused() -> None:
    with pytest.raises(TypeError, match="places must be a DataFrame, not int"):
        pf.Assumptions(places=5)  # type: ignore[arg-type]


def test_another_timing_is_refused() -> None:
    people = pd.DataFrame({"year": 2020, "sex": "female", "age": [0, 1], "population": [10, 20]})
    with pytest.raises(ValueError, match="there is no migration_timing 'HALF': end, half"):
        pf.project_population(
            people,
            pf.Assumptions(),
            migration_timing="HALF",  # type: ignore[arg-type]
        )


def test_grades_of_another_system_are_named() -> None:
    enrolment = pd.DataFrame({"district": "A", "year": [2025], "grade": "R", "pupils": 10})
    children = pd.DataFrame({"year": [2026], "age": 4, "basis": "births", "children": 1.0})
    message = "enrolment, column grade: 'R' is not a grade of the school system"
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(children, enrolment, pf.Assumptions())


def test_places_of_a_stage_without_pupils_are_said() -> None:
    needed = pf.demand_places(PUPILS, pf.Assumptions())
    rows = {"district": "A", "year": 2026, "ledger": "all", "plan_case": "planned"}
    places = pd.DataFrame(
        [
            {**rows, "grade": "P1", "stage": "primary", "places": 90.0},
            {**rows, "grade": "J1", "stage": "junior", "places": 90.0},
        ]
    )
    message = "nobody is taught there, so these places are not balanced: junior"
    with pytest.warns(pf.AssumptionWarning, match=message):
        balance = pf.balance_places(needed, places)
    assert set(balance.stages["stage"]) == {"primary"}


def test_an_unknown_model_is_no_model_that_does_not_fit() -> None:
    with pytest.raises(pf.InputError, match="'nope' is not a model"):
        pf.backtest(two_districts(), launch_years=[2016], horizon=1, models=["nope"])


def test_processes_change_no_bit() -> None:
    one, two = (
        pf.forecast(two_districts(), horizon=2, trajectories=20, seed=3, jobs=jobs)
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one.stages, two.stages, check_exact=True)


def test_tables_of_an_earlier_run_do_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "balance.csv").write_text("old", encoding="utf-8")
    (tmp_path / "mine.csv").write_text("mine", encoding="utf-8")
    words = ["placeforecast", "forecast", "china", "--out", str(tmp_path), "--horizon", "1"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match="0"):
        main()
    names = {file.name for file in tmp_path.iterdir()}
    assert "balance.csv" not in names
    assert {"mine.csv", "pupils.csv"} <= names


def test_the_module_is_the_command() -> None:
    words = [sys.executable, "-m", "placeforecast", "check", "nowhere"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nowhere: is not a folder" in done.stderr
