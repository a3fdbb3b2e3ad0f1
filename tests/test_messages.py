"""What a planner is told when a region cannot be used: the whole text, by call and by command."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import placeforecast as pf
from placeforecast.tables.examples import example_folder
from placeforecast.tables.problems import COLUMNS
from regions import (
    added,
    assert_placed,
    assert_refused,
    assert_refused_by_commands,
    cell,
    column,
    error_text,
    gone,
    line,
    region_with,
    run,
    whole,
)

if TYPE_CHECKING:
    from regions import Fault

ISSUE: dict[str, Fault] = {
    "one survival row removed": (
        (line("survival.csv", 9, None),),
        "survival.csv, column age: lacks 1 of 100 rows, first: sex female, age 7. "
        "Add them; a rate that is missing is never taken as 0.",
    ),
    "a district misspelt": (
        (cell("births.csv", 20, "district", "Bee"),),
        "births.csv, row 20, column district: 'Bee' is not a district of the table districts. "
        "Known: A, B, C.",
    ),
    "a negative count": (
        (cell("births.csv", 6, "births", "-103"),),
        "births.csv, row 6, column births: '-103' is below 0. Give a number of births from 0 up.",
    ),
    "a percent in digits": (
        (cell("survival.csv", 9, "survival", "85"),),
        "survival.csv, row 9, column survival: '85' is above 1. "
        "Shares run from 0 to 1: write 0.85 for 85 percent.",
    ),
    "a percent with its sign": (
        (cell("survival.csv", 9, "survival", "85%"),),
        "survival.csv, row 9, column survival: '85%' is a percent. "
        "Write 0.85: shares run from 0 to 1.",
    ),
    "a repeated row": (
        (added("births.csv", "A,2012,93"),),
        "births.csv, row 34: repeats row 6 (district A, year 2012). Keep one of the two rows.",
    ),
    "text in a number column": (
        (cell("births.csv", 6, "births", "about 100"),),
        "births.csv, row 6, column births: 'about 100' is not a number. "
        "Give a number of births in digits, without text or commas.",
    ),
    "enrolment missing": (
        (gone("enrolment.csv"),),
        "the table enrolment is missing. Add pupils by district, year and grade (enrolment.csv).",
    ),
    "births and population missing": (
        (gone("births.csv", "population.csv"),),
        "births and population are both missing. "
        "Add births.csv, or population.csv with fertility.csv and survival.csv.",
    ),
    "survival missing": (
        (gone("survival.csv"),),
        "the table survival is missing, which population needs. "
        "Add survival.csv, or leave out population.csv.",
    ),
    "fertility missing": (
        (gone("fertility.csv"),),
        "the table fertility is missing, which population needs. "
        "Add fertility.csv, or leave out population.csv.",
    ),
    "an empty file": (
        (whole("births.csv", ""),),
        "births.csv: is empty. Fill it, or remove the file.",
    ),
    "an unknown setting": (
        (added("forecast.toml", "horizen = 3"),),
        "forecast.toml, column horizen: is not a known key. Did you mean 'horizon'?",
    ),
}


@pytest.mark.parametrize("fault", ISSUE.values(), ids=ISSUE)
def test_a_fault_is_told_whole_and_nothing_is_written(fault: Fault, tmp_path: Path) -> None:
    edits, told = fault
    region = region_with(tmp_path / "region", *edits)
    assert_refused(region, told)
    assert_refused_by_commands(region, told)


def test_without_a_fault_all_is_well(tmp_path: Path) -> None:
    """The tests above cannot pass because of a fault that they did not put there."""
    region = region_with(tmp_path / "region")
    call = run("check", region)
    assert (call.status, call.err) == (0, "")
    assert call.out.endswith("no problems\n")


def test_what_stood_in_the_folder_stays_as_it_was(tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", *ISSUE["a negative count"][0])
    out = tmp_path / "out"
    out.mkdir()
    (out / "balance.csv").write_text("of last year")
    for name in ("forecast", "report"):
        assert run(name, region, "--out", out).status == 1
        assert [path.name for path in out.iterdir()] == ["balance.csv"]
        assert (out / "balance.csv").read_text() == "of last year"


def test_the_same_through_a_process_of_its_own(tmp_path: Path) -> None:
    """The installed command ends as the one called in a test does: status 1, no traceback."""
    region = region_with(tmp_path / "region", *ISSUE["a negative count"][0])
    code = "from placeforecast.cli import main; main()"
    for arguments in (["check"], ["forecast", "--out", "out"], ["report", "--out", "out"]):
        done = subprocess.run(
            [sys.executable, "-c", code, arguments[0], str(region), *arguments[1:]],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={"PYTHONPATH": str(Path(pf.__file__).parents[1])},
        )
        told = error_text(ISSUE["a negative count"][1])
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{told}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["region"]


CITY: dict[str, tuple[str, str, str, str]] = {
    "one survival row removed": (
        "survival.csv",
        "\nfemale,7,0.999817",
        "",
        "survival.csv, column age: lacks 1 of 202 rows, first: sex female, age 7. "
        "Add them; a rate that is missing is never taken as 0.",
    ),
    "a district misspelt": (
        "places.csv",
        "\nD01-U,2022,kindergarten,public,",
        "\nD01_U,2022,kindergarten,public,",
        "places.csv, row 2, column district: 'D01_U' is not a district of the table districts. "
        "Did you mean 'D01-U'?",
    ),
    "a negative count": (
        "enrolment.csv",
        "\nD01-R,2013,K1,public,local,",
        "\nD01-R,2013,K1,public,local,-",
        "enrolment.csv, row 2, column pupils: '-528' is below 0. "
        "Give a number of pupils from 0 up.",
    ),
    "a percent where a share belongs": (
        "survival.csv",
        "\nfemale,7,0.999817",
        "\nfemale,7,99.98",
        "survival.csv, row 9, column survival: '99.98' is above 1. "
        "Shares run from 0 to 1: write 0.9998 for 99.98 percent.",
    ),
    "a repeated row": (
        "tasks.csv",
        "\nCITY,kindergarten,2022,2025,25000,",
        "\nCITY,kindergarten,2022,2025,1,\nCITY,kindergarten,2022,2025,25000,",
        "tasks.csv, row 3: repeats row 2 (district CITY, stage kindergarten, year_from 2022, "
        "year_to 2025). Keep one of the two rows.",
    ),
    "text in a number column": (
        "births.csv",
        "\nD01-U,2003,,10002",
        "\nD01-U,2003,,10002人",
        "births.csv, row 2, column births: '10002人' is not a number. "
        "Give a number of births in digits, without text or commas.",
    ),
    "an unknown setting": (
        "forecast.toml",
        "births_lag = 1",
        "births_lags = 1",
        "forecast.toml, column time.births_lags: is not a known key. Did you mean 'births_lag'?",
    ),
}


@pytest.mark.parametrize("spoilt", CITY.values(), ids=CITY)
def test_a_fault_in_the_example_city(spoilt: tuple[str, str, str, str], tmp_path: Path) -> None:
    file, old, new, told = spoilt
    region = shutil.copytree(example_folder("city"), tmp_path / "city")
    text = (region / file).read_text("utf-8")
    assert text.count(old) == 1
    (region / file).write_text(text.replace(old, new), "utf-8")
    call = run("forecast", region, "--out", tmp_path / "out")
    assert (call.status, call.out, call.err) == (1, "", f"{error_text(told)}\n")
    assert not (tmp_path / "out").exists()


def test_every_problem_of_every_file_comes_in_one_error(tmp_path: Path) -> None:
    edits = (
        cell("births.csv", 6, "births", "-103"),
        cell("births.csv", 7, "year", "MMXIII"),
        added("births.csv", "A,2010,93"),
        cell("districts.csv", 4, "parent", "D"),
        cell("enrolment.csv", 5, "grade", "P44"),
        whole("fertility.csv", ""),
        added("forecast.toml", "horizen = 3"),
        cell("survival.csv", 9, "survival", "85"),
    )
    told = (
        "forecast.toml, column horizen: is not a known key. Did you mean 'horizon'?",
        "births.csv, row 7, column year: 'MMXIII' is not a year. Give the year in four digits.",
        "births.csv, row 6, column births: '-103' is below 0. Give a number of births from 0 up.",
        "births.csv, row 34: repeats row 4 (district A, year 2010). Keep one of the two rows.",
        "fertility.csv: is empty. Fill it, or remove the file.",
        "survival.csv, row 9, column survival: '85' is above 1. "
        "Shares run from 0 to 1: write 0.85 for 85 percent.",
        "districts.csv, row 4, column parent: 'D' (parent of B) is not a district of this table. "
        "Add a row for it, or correct the name. Known: A, B, C.",
        "enrolment.csv, row 5, column grade: 'P44' is not a grade of the school system. "
        "Did you mean 'P4'?",
    )
    region = region_with(tmp_path / "region", *edits)
    with pytest.raises(pf.InputError, match=f"^{re.escape(error_text(*told))}$") as caught:
        pf.read_inputs(region)
    assert_placed(caught.value, *told)
    assert list(caught.value.problems["file"]) == [
        text.split(":")[0].split(",")[0] for text in told
    ]


def test_a_long_list_is_cut_and_the_table_is_whole(tmp_path: Path) -> None:
    edits = (cell("births.csv", row, "births", "-1") for row in range(2, 27))
    with pytest.raises(pf.InputError, match=r"^25 problems in the input:\n") as caught:
        pf.read_inputs(region_with(tmp_path / "region", *edits))
    *_, last, rest = str(caught.value).splitlines()
    assert last.startswith("  births.csv, row 21, column births: '-1' is below 0.")
    assert rest == "  ... and 5 more: see .problems of this error"
    assert list(caught.value.problems["row"]) == list(range(2, 27))
    assert list(caught.value.problems.columns) == list(COLUMNS)


UNUSED: dict[str, Fault] = {
    "an extra column": (
        (column("births.csv", "remark", "x"),),
        "births: columns not used: remark.",
    ),
    "an extra column near a known one": (
        (column("births.csv", "vintages", "2020"),),
        "births: columns not used: vintages. Did you mean 'vintage'?",
    ),
    "an unknown file": (
        (whole("enrollment.csv", "a,b\n"),),
        "enrollment.csv is not read: no table has this name. Did you mean 'enrolment'?",
    ),
    "a file in capitals": (
        (whole("Policy.CSV", "a,b\n"),),
        "Policy.CSV is not read: write its name as policy.csv.",
    ),
    "a workbook": (
        (whole("inputs.xlsx", b"PK"),),
        "inputs.xlsx is not read: workbooks are not read yet. Save each sheet as a CSV UTF-8.",
    ),
    "settings under another name": (
        (whole("forcast.toml", "horizon = 3\n"),),
        "forcast.toml is not read: the settings are in forecast.toml.",
    ),
}


@pytest.mark.parametrize("unused", UNUSED.values(), ids=UNUSED)
def test_what_is_not_used_is_said(unused: Fault, tmp_path: Path) -> None:
    edits, told = unused
    region = region_with(tmp_path / "region", *edits)
    with pytest.warns(pf.AssumptionWarning, match=f"^{re.escape(told)}$") as caught:
        inputs = pf.read_inputs(region)
    assert len(caught) == 1
    assert same_tables(inputs, pf.read_inputs(region_with(tmp_path / "plain")))
    assert run("check", region).err == f"note: {told}\n"


def same_tables(one: pf.Inputs, other: pf.Inputs) -> bool:
    """Whether two regions hold the same."""
    a, b = one.tables(), other.tables()
    return list(a) == list(b) and all(a[name].equals(b[name]) for name in a)
