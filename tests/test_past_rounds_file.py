"""The table of past rounds as a file: what is refused in it, and how a round is added to it."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from regions import GRADES, added, region_with, run, whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "2024,2024,A,primary,500,510",
            "column year: '2024' is not after launch_year 2024. Correct one of the two, or leave "
            "the row out: a launch forecasts later years.",
        ),
        (
            "2023,2024,C,primary,500,510",
            "column district: 'C' has districts below it. Give the rows of the districts below "
            "it; they are added up.",
        ),
        (
            "2023,2024,A,compulsory,500,510",
            "column stage: 'compulsory' is not a stage of the school system. Known: primary.",
        ),
        (
            "2023,2024,A,primary,-1,510",
            "column forecast: '-1' is below 0. Give a number of pupils from 0 up.",
        ),
    ],
)
def test_rows_that_cannot_be_are_named(tmp_path: Path, row: str, told: str) -> None:
    heading = "launch_year,year,district,stage,forecast,actual"
    place = region_with(
        tmp_path / "region",
        whole("grades.csv", GRADES),
        whole("past_rounds.csv", f"{heading}\n2023,2024,B,primary,500,510\n"),
        added("past_rounds.csv", row),
    )
    with pytest.raises(pf.InputError, match=re.escape(f"past_rounds.csv, row 3, {told}")):
        pf.read_inputs(place)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a region, and the round of the launch a year before."""
    folder = tmp_path_factory.mktemp("rounds")
    place = region_with(folder / "region")
    with warnings.catch_warnings():
        # Births and places of that launch are not known yet: said, and not what is tested here.
        warnings.simplefilter("ignore", pf.AssumptionWarning)
        early = pf.forecast(pf.read_inputs(place), launch_year=2023, horizon=1)
    return place, pf.freeze_round(early, folder / "round")


def test_the_command_adds_a_round_to_the_ledger_once(
    tmp_path: Path, frozen: tuple[Path, Path]
) -> None:
    place, round_ = frozen
    file = tmp_path / "past_rounds.csv"
    earlier = "2022,2023,A,primary,500.25,510,the minutes"
    stale = "2023,2024,A,primary,1,1,"
    later = "2024,2025,A,primary,520,530,"
    heading = "launch_year,year,district,stage,forecast,actual,source"
    file.write_text("\n".join([heading, later, stale, earlier, ""]), encoding="utf-8")
    for _ in range(2):
        call = run("score", round_, place, "--ledger", file)
        assert (call.status, call.err) == (0, "")
        assert call.out.endswith(f"{file}\n")
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        assert lines[0] == heading
        assert lines[1] == "2022,2023,A,primary,500.25,510.0,the minutes"
        assert [line.split(",")[:4] for line in lines[2:]] == [
            ["2023", "2024", "A", "primary"],
            ["2023", "2024", "B", "primary"],
            ["2024", "2025", "A", "primary"],
        ]
    assert [path.name for path in tmp_path.iterdir()] == ["past_rounds.csv"]
    table = pf.check(pd.read_csv(file), "past_rounds")
    said = pf.read_round(round_).results["pupils"].query("year == 2024")
    expected = said.groupby("district")["pupils"].sum()
    np.testing.assert_allclose(table["forecast"][1:3], expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "cannot be read (No columns to parse from file). Save it as CSV UTF-8, or name"),
        ("district,births\nA,100\n", "column launch_year: is missing."),
        (
            "launch_year,year,district,stage,forecast,actual,who\n2022,2023,A,primary,1,1,me\n",
            "holds columns that are none of past_rounds, and would be lost. Take them out, or",
        ),
    ],
)
def test_a_file_that_is_no_ledger_stays_as_it_is(
    tmp_path: Path, frozen: tuple[Path, Path], content: str, told: str
) -> None:
    file = tmp_path / "notes.csv"
    file.write_text(content, encoding="utf-8")
    call = run("score", frozen[1], frozen[0], "--ledger", file, "--out", tmp_path / "out")
    assert (call.status, call.out) == (1, "")
    assert told in call.err
    assert file.read_text(encoding="utf-8") == content
    assert not (tmp_path / "out").exists()
