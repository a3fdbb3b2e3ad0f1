"""The examples run from where people run them, and their last line is true."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import placeforecast as pf

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PLACES = ("PLACEFORECAST_REGION", "PLACEFORECAST_ENGLAND")
HORIZON = 10
"""That of the first and the fourth example."""


def run(name: str, folder: Path, *options: str, **places: str) -> list[str]:
    """Run an example in a fresh interpreter and return the lines that it prints."""
    rest = {key: value for key, value in os.environ.items() if key not in PLACES}
    source = str(Path(pf.__file__).parents[1])
    script = (EXAMPLES / name).relative_to(folder)
    done = subprocess.run(
        [sys.executable, *options, str(script)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env={**rest, "PYTHONPATH": source, "PYTHONIOENCODING": "utf-8", **places},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def told(line: str) -> float:
    """Return the figure at the end of a line, before a unit or a year."""
    figure = NUMBER.findall(re.sub(r"(?: %| in \d{4})$", "", line))
    return float(figure[-1])


@pytest.fixture(scope="module")
def city() -> Forecast:
    return pf.forecast(pf.load_example("city"), horizon=HORIZON)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [ROOT, EXAMPLES], ids=["root", "examples"])
def test_the_first_forecast(city: Forecast, folder: Path) -> None:
    """The shortage of cells is that of the table of cells, added up."""
    lines = run("01_first_forecast.py", folder, "-Werror")
    cells = city.balance_cells
    assert cells is not None
    own = cells.query("stage == 'junior' and ledger == 'public' and plan_case == 'planned'")
    short = own["balance"].clip(upper=0).mul(-1).groupby(own["year"]).sum()
    assert told(lines[-1]) == pytest.approx(short.max(), abs=0.5)
    assert lines[-1].endswith(f" in {short.idxmax()}")


@pytest.mark.slow
def test_policy_and_ledgers() -> None:
    """What is delivered is what opened from 2022 to 2025; 900 temporary places do not count."""
    lines = run("02_policy_and_ledgers.py", EXAMPLES, "-Werror")
    inputs = pf.load_example("city")
    assert inputs.projects is not None
    done = inputs.projects[
        inputs.projects["stage"].isin(["primary", "junior"])
        & inputs.projects["status"].eq("open")
        & inputs.projects["opened"].between(2022, 2025)
        & inputs.projects["kind"].ne("temporary")
    ]
    assert told(lines[-1]) == pytest.approx(100 * done["places"].sum() / 99_000, abs=0.05)
    # General entrants are a share of graduates: 0.7 in 2030.
    split = next(line for line in lines if line.startswith("S1 in 2030"))
    general, without = (float(n) for n in NUMBER.findall(split)[2:])
    assert general > without


@pytest.mark.slow
def test_the_back_test() -> None:
    lines = run("03_backtest_your_district.py", ROOT, "-Werror")
    inputs = pf.load_example("city")
    errors = pf.backtest(inputs, launch_years=[2022, 2023], horizon=1)
    own = errors[(errors["grade"] == "") & (errors["model"] == "default")]
    missed = (own["forecast"] - own["actual"]).abs() / own["actual"]
    assert told(lines[-1]) == pytest.approx(100 * missed.mean(), abs=0.005)


@pytest.mark.slow
def test_is_the_plan_enough(city: Forecast) -> None:
    pytest.importorskip("placeforecast.review.plan")
    lines = run("04_is_the_plan_enough.py", EXAMPLES, "-Werror")
    named = re.match(r"Junior places of (\S+), balance of (\d+): ", lines[-1])
    assert named is not None
    cells = city.balance_cells
    assert cells is not None
    own = cells[(cells["district"] == named[1]) & (cells["year"] == int(named[2]))]
    own = own.query("stage == 'junior' and ledger == 'public' and plan_case == 'planned'")
    assert told(lines[-1]) == pytest.approx(own["balance"].sum(), abs=0.05)


@pytest.mark.filterwarnings("ignore::placeforecast.AssumptionWarning")
def test_england(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "england_la_dev"
    lines = run("05_england.py", ROOT, PLACEFORECAST_ENGLAND=str(source))
    make_region = runpy.run_path(str(ROOT / "data" / "make_england.py"))["make_region"]
    make_region(source, tmp_path)
    made = pf.forecast(pf.read_inputs(tmp_path), horizon=5)
    primary = made.pupils["grade"].isin(["R", *"123456"])
    last = made.pupils["year"] == made.last_year
    assert told(lines[-1]) == pytest.approx(
        made.pupils.loc[primary & last, "pupils"].sum(), abs=0.5
    )


@pytest.mark.slow
def test_the_annual_round(city: Forecast) -> None:
    """The last step leads to the figure of a forecast of the same launch and a longer horizon."""
    lines = run("06_annual_round.py", EXAMPLES)
    cells = city.balance_cells
    assert cells is not None
    own = cells.query(
        "year == 2027 and stage == 'junior' and ledger == 'public' and plan_case == 'planned'"
    )
    assert told(lines[-1]) == pytest.approx(own["balance"].sum(), abs=0.5)


@pytest.mark.slow
def test_scenarios_side_by_side(city: Forecast) -> None:
    """Progression moves junior schools most; the baseline is that of the longer forecast."""
    lines = run("07_scenarios_side_by_side.py", EXAMPLES, "-Werror")
    cells = city.balance_cells
    assert cells is not None
    own = cells.query(
        "year == 2028 and stage == 'junior' and ledger == 'public' and plan_case == 'planned'"
    )
    base = next(line for line in lines if line.strip().startswith("baseline"))
    assert float(base.split()[-2]) == pytest.approx(own["balance"].sum(), abs=0.5)
    low, high = (
        float(line.split()[at])
        for line in lines
        if line.strip().startswith("progression") and "×" in line
        for at in (2, 4)
    )
    assert told(lines[-1]) == pytest.approx(low - high, abs=1.1)
    assert not [line for line in lines if "NaN" in line], "a shipped range does not fit the city"


def test_england_stops_politely_without_its_tables(tmp_path: Path) -> None:
    for places in ({}, {"PLACEFORECAST_ENGLAND": str(tmp_path)}):
        assert run("05_england.py", EXAMPLES, "-Werror", **places) == [
            "No published tables found: set PLACEFORECAST_ENGLAND to their folder, then run again."
        ]


def out_of_step(script: str, book: str) -> bool:
    """Whether a notebook is another one than its script makes."""
    made: str = runpy.run_path(str(EXAMPLES / "make_notebooks.py"))["notebook"](script)
    return made != book


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_is_in_step_with_its_script(script: Path) -> None:
    text, book = script.read_text("utf-8"), script.with_suffix(".ipynb").read_text("utf-8")
    assert not out_of_step(text, book), "run python examples/make_notebooks.py"
    assert out_of_step(text + "print(1)\n", book)
    cells = json.loads(book)["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert all(cell.get("outputs", []) == [] and cell["source"] for cell in cells)


def test_every_example_is_listed() -> None:
    assert len(SCRIPTS) >= 5
    listed = re.findall(r"^\| `(\d\d_\w+)` \|", (EXAMPLES / "README.md").read_text("utf-8"), re.M)
    assert listed == [script.stem for script in SCRIPTS]
    assert sorted(path.stem for path in EXAMPLES.glob("*.ipynb")) == listed
