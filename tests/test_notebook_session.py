"""The session of the design, line by line as printed, in a fresh namespace and an empty folder."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from placeforecast.chain.record import Forecast
from placeforecast.tables.records import Inputs

SESSION = """\
import placeforecast as pf
inputs = pf.load_example("city")
result = pf.forecast(inputs, trajectories=500, seed=1)
result.balance.query("stage == 'primary' and ledger == 'public' and chance_of_shortfall > 0.5")
pf.plot.fan(result, district="D01", stage="junior")
pf.backtest(inputs, launch_years=range(2018, 2023), horizon=3).groupby(["model", "lead"]).ape.mean()
pf.write_report(result, "out/city", language="zh")
"""
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PLACES = ("D01-U", "D02-U", "D04-U", "D05-U")
"""Zones of the example city whose public primary places are short at the launch."""


def shown(line: str, space: dict[str, Any]) -> object:
    """Run a line as a notebook does, and return what it shows."""
    if isinstance(ast.parse(line).body[-1], ast.Expr):
        return eval(line, space)
    exec(line, space)
    return None


@pytest.mark.slow
def test_the_session_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test, since the lines share a forecast that takes its time."""
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "__main__"}
    *made, short, axes, errors, written = [shown(line, space) for line in SESSION.splitlines()]
    assert made == [None, None, None]
    assert isinstance(space["inputs"], Inputs)
    assert isinstance(space["result"], Forecast)
    assert {name for name in space if not name.startswith("__")} == {"pf", "inputs", "result"}
    assert_short(short)
    assert_fan(axes)
    assert_errors(errors)
    assert_report(written)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    plt.close("all")


def assert_short(table: object) -> None:
    """Check the rows that the query keeps."""
    assert isinstance(table, pd.DataFrame)
    assert set(table["stage"]) == {"primary"}
    assert set(table["ledger"]) == {"public"}
    assert (table["chance_of_shortfall"] > 0.5).all()
    assert (table["expected_shortfall"] > 0).all()
    launch = table[(table["year"] == 2025) & (table["plan_case"] == "existing")]
    assert set(PLACES) <= set(launch["district"])


def assert_fan(axes: object) -> None:
    """Check that there are lines, and bands around them."""
    assert isinstance(axes, Axes)
    assert axes.lines
    assert axes.collections


def assert_errors(errors: object) -> None:
    """Check the mean errors by model, beside the naive one, and that they grow with the lead."""
    assert isinstance(errors, pd.Series)
    assert errors.name == "ape"
    assert errors.index.names == ["model", "lead"]
    assert set(errors.index) == {(m, lead) for m in ("default", "naive") for lead in (1, 2, 3)}
    assert errors.between(0, 0.1, inclusive="neither").all()
    for _, own in errors.groupby("model"):
        assert np.all(np.diff(own) > 0)


def assert_report(written: object) -> None:
    """Check the files, by the paths that the call returned."""
    assert isinstance(written, list)
    assert {path.name for path in written} >= {"report.html", "report.xlsx"}
    for path in written:
        assert path.parent == Path("out/city")
        assert path.stat().st_size > 10_000
    assert 'lang="zh' in Path("out/city/report.html").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_begins_the_session_prints_all_of_it(page: Path) -> None:
    assert breaks_off(page.read_text("utf-8")) == ""


def breaks_off(text: str) -> str:
    """Return the first line of the session that a text lacks after its second and third."""
    lines = SESSION.splitlines(keepends=True)
    start = text.find("".join(lines[1:3]))
    if start < 0:
        return ""
    after = text[start:]
    return next((line for line in lines[1:] if line not in after), "")


def test_a_page_that_breaks_off_is_found() -> None:
    lines = SESSION.splitlines(keepends=True)
    assert breaks_off(SESSION) == ""
    assert breaks_off("".join(lines[:-1])) == lines[-1]
    assert breaks_off("".join([*lines[:4], *lines[5:]])) == lines[4]
    assert breaks_off("".join(lines[3:])) == ""  # another session
