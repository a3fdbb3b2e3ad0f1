"""The command line: what it writes, prints and refuses."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast import cli
from placeforecast.chain.record import RESULTS
from placeforecast.cli import REVIEW
from placeforecast.tables.examples import example_folder
from regions import added, gone, line, region_with, run

if TYPE_CHECKING:
    from pathlib import Path

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NEED_THEIR_TABLE = {
    "intake_warnings",
    "hidden_shortage",
    "hot_spots",
    "crowding",
    "estates",
    "funding",
    "staffing",
    "housing_levels",
    "relief",
}
MADE = {*RESULTS, *REVIEW} - NEED_THEIR_TABLE
"""Results of the region of these tests, which has no table for the others."""
COMMANDS = ("check", "forecast", "report")


@pytest.fixture
def region(tmp_path: Path) -> Path:
    return region_with(tmp_path / "region")


def _as_text(cell: object) -> object:
    """Return a cell as it stands in a file."""
    return "" if pd.isna(cell) else str(cell) if isinstance(cell, bool) else cell  # type: ignore[call-overload]


def test_check_lists_the_tables(region: Path) -> None:
    call = run("check", region)
    assert (call.status, call.err) == (0, "")
    heading, *rows, last = [text.split() for text in call.out.splitlines()]
    assert heading == ["table", "file", "rows", "first_year", "last_year"]
    assert ["births", "births.csv", "32", "2008", "2023"] in rows
    assert ["survival", "survival.csv", "100", "<NA>", "<NA>"] in rows
    assert [row[0] for row in rows] == sorted(path.stem for path in region.glob("*.csv"))
    assert last == ["no", "problems"]


def test_check_writes_nothing(region: Path) -> None:
    before = sorted(region.parent.rglob("*"))
    run("check", region)
    assert sorted(region.parent.rglob("*")) == before


def test_forecast_writes_each_result_table(region: Path, tmp_path: Path) -> None:
    """In a folder that is not there yet, named as the tables, and printed."""
    out = tmp_path / "made" / "now"
    call = run("forecast", region, "--out", out)
    assert (call.status, call.err) == (0, "")
    written = sorted(out.iterdir())
    assert [path.name for path in written] == sorted(f"{name}.csv" for name in MADE)
    assert call.out.splitlines() == [str(path) for path in written]


def test_forecast_writes_what_the_call_gives(region: Path, tmp_path: Path) -> None:
    run("forecast", region, "--out", tmp_path / "out")
    for name, table in pf.forecast(pf.read_inputs(region)).tables().items():
        file = tmp_path / "out" / f"{name}.csv"
        data = file.read_bytes()
        assert data.startswith(BYTE_ORDER_MARK)
        assert b"\r" not in data
        text = table.select_dtypes(exclude="number").columns
        found = pd.read_csv(file, encoding="utf-8-sig", dtype=dict.fromkeys(text, str))
        written = table.reset_index(drop=True)
        written = written.assign(**{c: written[c].astype("object").map(_as_text) for c in text})
        pd.testing.assert_frame_equal(
            found.fillna(dict.fromkeys(text, "")),
            written,
            check_dtype=False,
            rtol=1e-12,
        )


def test_forecast_without_places_stops_at_demand(tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", gone("places.csv", "projects.csv"))
    assert run("forecast", region, "--out", tmp_path / "out").status == 0
    names = {path.stem for path in (tmp_path / "out").iterdir()}
    of_a_plan = {"places", "balance_cells", "balance", "plan_checks", "land", *REVIEW}
    assert names == MADE - of_a_plan
    notes = (tmp_path / "out" / "notes.csv").read_text("utf-8-sig")
    assert "places,there is no table of places: the chain stops at demand" in notes


def test_a_second_forecast_takes_the_place_of_the_first(region: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("forecast", region, "--out", out, "--horizon", "1")
    assert set(pd.read_csv(out / "demand.csv")["year"]) == {2024, 2025}
    (out / "other.txt").write_text("stays")
    run("forecast", region, "--out", out)
    assert set(pd.read_csv(out / "demand.csv")["year"]) == {2024, 2025, 2026}
    names = sorted([*(f"{name}.csv" for name in MADE), "other.txt"])
    assert sorted(path.name for path in out.iterdir()) == names


def test_launch_year_and_horizon_of_the_call_hold(tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", gone("places.csv", "projects.csv"))
    call = run(
        "forecast", region, "--out", tmp_path / "out", "--launch-year", "2023", "--horizon", "3"
    )
    assert call.status == 0
    pupils = pd.read_csv(tmp_path / "out" / "pupils.csv")
    assert set(pupils["year"]) == {2023, 2024, 2025, 2026}


def test_the_model_of_the_call_holds(region: Path, tmp_path: Path) -> None:
    for name in ("default", "naive"):
        assert run("forecast", region, "--out", tmp_path / name, "--model", name).status == 0
    one, other = (pd.read_csv(tmp_path / n / "pupils.csv")["pupils"] for n in ("default", "naive"))
    assert not one.equals(other)


def test_a_model_that_is_not_there(region: Path, tmp_path: Path) -> None:
    call = run("forecast", region, "--out", tmp_path / "out", "--model", "defalt")
    told = "'defalt' is not a model. Did you mean 'default'? Or give the path of a folder with a"
    assert call.status == 1
    assert call.err == f"1 problem in the input:\n  {told} model.toml.\n"
    assert not (tmp_path / "out").exists()


def test_notes_are_printed_on_standard_error(tmp_path: Path) -> None:
    """One line each, and what is read from standard output stays clean."""
    edits = (line("enrolment.csv", 9, None), added("births.csv", "A,2024,92", "B,2024,92"))
    region = region_with(tmp_path / "region", *edits)
    call = run("forecast", region, "--out", tmp_path / "out")
    assert call.status == 0
    assert call.err.splitlines() == [
        "note: births: 2 rows are not yet published on 2024-08-31 and not used (2024)",
        "note: enrolment: P2 has holes, which shorten its history: A 2021",
    ]
    assert all(text.endswith(".csv") for text in call.out.splitlines())


@pytest.mark.slow
def test_report_writes_every_format(region: Path, tmp_path: Path) -> None:
    call = run("report", region, "--out", tmp_path / "out")
    assert call.status == 0
    written = call.out.splitlines()
    files = {p.name: str(p) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert sorted(written) == sorted(files.values())
    assert {name.rpartition(".")[2] for name in written} == {"html", "docx", "xlsx"}


def test_report_writes_the_format_asked_for(region: Path, tmp_path: Path) -> None:
    call = run("report", region, "--out", tmp_path / "out", "--formats", " html,")
    assert call.status == 0
    assert {name.rpartition(".")[2] for name in call.out.splitlines()} == {"html"}


@pytest.mark.slow
def test_report_speaks_the_language_asked_for(region: Path, tmp_path: Path) -> None:
    pages = {}
    for language in ("zh", "en"):
        out = tmp_path / language
        call = run("report", region, "--out", out, "--language", language, "--formats", "html")
        assert call.status == 0
        (page,) = out.rglob("*.html")
        pages[language] = page.read_text("utf-8")
    assert "学位" in pages["zh"]
    assert "学位" not in pages["en"]


@pytest.mark.slow
def test_report_writes_what_the_call_writes(region: Path, tmp_path: Path) -> None:
    run("report", region, "--out", tmp_path / "a", "--language", "en")
    result = pf.forecast(pf.read_inputs(region))
    called = pf.write_report(result, tmp_path / "b", language="en", formats=("html", "xlsx"))
    names = [path.relative_to(tmp_path / "b") for path in called]
    assert names
    assert all((tmp_path / "a" / name).is_file() for name in names)


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no command": ((), "Usage: placeforecast"),
    "an unknown command": (("chek", "city"), "No such command 'chek'"),
    "no region": (("check",), "Missing argument"),
    "two regions": (("check", "city", "china"), "unexpected extra argument"),
    "an unknown option": (("check", "city", "--loud"), "No such option"),
    "forecast without a folder": (("forecast", "city"), "Missing option '--out'"),
    "report without a folder": (("report", "city"), "Missing option '--out'"),
    "an unknown language": (("report", "city", "--out", "o", "--language", "fr"), "--language"),
    "a horizon of nothing": (("forecast", "city", "--out", "o", "--horizon", "0"), "--horizon"),
    "a horizon in words": (("forecast", "city", "--out", "o", "--horizon", "ten"), "--horizon"),
    "a launch in words": (
        ("forecast", "city", "--out", "o", "--launch-year", "x"),
        "--launch-year",
    ),
}


@pytest.mark.parametrize(("arguments", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_ends_with_two(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call = run(*arguments)
    assert call.status == 2
    assert told in call.out + call.err
    assert "no problems" not in call.out
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_a_wrong_call(region: Path, tmp_path: Path) -> None:
    call = run("report", region, "--out", tmp_path / "out", "--formats", "html,rtf")
    assert (call.status, call.out) == (2, "")
    assert "--formats" in call.err
    assert "rtf" in call.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["forecast", "report"])
def test_a_file_where_the_folder_should_be(name: str, region: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    call = run(name, region, "--out", tmp_path / "out")
    assert (call.status, call.out) == (2, "")
    assert "--out" in call.err
    assert (tmp_path / "out").read_text() == "a file"


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_help(arguments: tuple[str, ...]) -> None:
    call = run(*arguments, "--help")
    assert (call.status, call.err) == (0, "")
    if arguments:
        options = {"check": (), "forecast": ("--model", "--horizon"), "report": ("--language",)}
        assert all(option in call.out for option in options[arguments[0]])
    else:
        assert all(name in call.out for name in COMMANDS)


def test_a_region_that_is_not_there(tmp_path: Path) -> None:
    call = run("check", tmp_path / "nowhere")
    assert (call.status, call.out) == (1, "")
    assert call.err == (
        f"1 problem in the input:\n  {tmp_path / 'nowhere'}: is not a folder. "
        "Give a folder with one CSV per table, such as enrolment.csv and births.csv.\n"
    )


def test_a_workbook_is_not_read_yet(tmp_path: Path) -> None:
    call = run("check", tmp_path / "inputs.xlsx")
    assert (call.status, call.out) == (1, "")
    assert "inputs.xlsx: is a workbook, which is not read yet. Give a folder" in call.err


def test_an_example_by_its_name_or_its_path() -> None:
    by_name, by_path = run("check", "china"), run("check", example_folder("china"))
    assert by_name.status == 0
    assert by_name == by_path


def test_a_folder_comes_before_an_example_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    region_with(tmp_path / "city")
    monkeypatch.chdir(tmp_path)
    assert "births.csv    32" in run("check", "city").out


def test_from_another_working_directory(
    region: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are taken from where the command is called; models and examples are found anyway."""
    monkeypatch.chdir(tmp_path)
    call = run("forecast", region.name, "--out", "out", "--model", "naive")
    assert call.status == 0
    assert (tmp_path / "out" / "balance.csv").is_file()
    assert run("check", "city").status == 0


def test_the_installed_command_is_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["placeforecast", "chek"])
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main()


def test_a_scenario_stands_beside_the_baseline(tmp_path: Path) -> None:
    region = region_with(tmp_path / "region")
    table = "scenario,table,grade,multiply\nmore,intake,P1,1.5\n"
    (region / "scenarios.csv").write_text(table)
    call = run("forecast", region, "--out", tmp_path / "out", "--scenario", "more")
    assert (call.status, call.err) == (0, "")
    pupils = pd.read_csv(tmp_path / "out" / "pupils.csv").query("grade == 'P1' and year == 2025")
    summed = pupils.groupby("scenario")["pupils"].sum()
    assert summed["more"] == pytest.approx(1.5 * summed["baseline"], rel=1e-12)


def test_a_round_is_scored(region: Path, tmp_path: Path) -> None:
    """At the launch of 2023, scored with the pupils of 2024."""
    with warnings.catch_warnings():
        # Births and places of that launch are not known yet: said, and not what is tested here.
        warnings.simplefilter("ignore", pf.AssumptionWarning)
        early = pf.forecast(pf.read_inputs(region), launch_year=2023, horizon=1)
    frozen = pf.freeze_round(early, tmp_path / "round")
    call = run("score", frozen, region, "--out", tmp_path / "out")
    assert (call.status, call.err) == (0, "")
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["errors.csv", "split.csv", "summary.csv"]
    errors = pd.read_csv(tmp_path / "out" / "errors.csv")
    assert set(errors["year"]) == {2024}
