"""Rounds: frozen as text, read back exactly, run again, and found out when edited."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rounds import freeze
from placeforecast.rounds.freeze import META, freeze_round, render
from placeforecast.rounds.read import read_round, repeat_round
from placeforecast.rounds.text import table_from_text, table_to_text
from regions import small_region, write
from schools import with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.chain.record import Forecast
    from placeforecast.rounds.read import Round


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> pf.Inputs:
    return pf.read_inputs(write(tmp_path_factory.mktemp("region") / "in", small_region()))


@pytest.fixture(scope="module")
def result(inputs: pf.Inputs) -> Forecast:
    return pf.forecast(inputs, trajectories=20, seed=3, quantiles=[0.025, 0.5, 0.975])


@pytest.fixture
def frozen(result: Forecast, tmp_path: Path) -> Path:
    return freeze_round(result, tmp_path / "2024")


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# Tables as text.

NUMBERS = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, np.nan, np.inf, 1 / 3]
WORDS = ["", "NA", "a,b", 'say "so"', "two\nlines", "cr\rhere", "  01 ", "示例市", "1"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(NUMBERS),
        pd.Series([1, -(2**62), 3]),
        pd.Series([1, None, 2**62 + 1], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([0.1, None], dtype="Float64"),
        pd.Series([True, False]),
        pd.Series(WORDS),
        pd.Series(["x", None, "", "y"]),
        pd.Series(["x", None, np.nan, pd.NA, "", 1, 1.5, True, "1"], dtype=object),
        pd.Series([None, None], dtype=object),
        pd.to_datetime(
            pd.Series(["2026-03-01", None, "2025-08-31 12:00:00.5"], dtype=object), format="ISO8601"
        ),
        pd.Series([pd.Timestamp("2026-03-01"), pd.NaT, "word"], dtype=object),
        pd.Series([], dtype=float),
        pd.Series([], dtype=object),
        pd.Series([1.5, 2.5, 3.5, 4.5], index=[7, 8, 9, 3]),
    ],
    ids=str,
)
def test_a_table_reads_back_exactly(column: pd.Series[Any]) -> None:
    table = pd.DataFrame({"given": column, "区域": column})
    data, shape = table_to_text(table)
    back = table_from_text(data, shape)
    assert_same(back, table)
    kinds = [[type(cell) for cell in t["given"].astype(object)] for t in (back, table)]
    assert kinds[0] == kinds[1]
    assert np.signbit(back["given"][1]) if column.shape == (7,) else True
    assert table_to_text(back) == (data, shape)


def test_a_table_without_rows_or_columns_reads_back() -> None:
    for table in (pd.DataFrame(columns=["a", "b"]), pd.DataFrame()):
        assert_same(table_from_text(*table_to_text(table)), table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": pd.Categorical(["x"])}), "column a is of type category, which"),
        (pd.DataFrame({"a": [{1}]}), r"column a holds \{1\}, which a round cannot hold"),
        (pd.DataFrame({"a": [1]}, index=["x"]), "rows are numbered by whole numbers, not by 'x'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "a column stands twice in a, a"),
        (pd.DataFrame({1: [1]}), "a column is named by text, not by 1"),
    ],
)
def test_what_text_cannot_hold_is_refused(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        table_to_text(table)


# Freezing and reading.


def assert_reads_back(last: Round, result: Forecast) -> None:
    assert last.results.keys() == result.tables().keys()
    for name, table in result.tables().items():
        assert_same(last.results[name], table)
    for name, table in result.inputs.tables().items():
        assert_same(last.inputs.tables()[name], table)
    assert_same(last.inputs.provenance, result.inputs.provenance)
    assert last.inputs.settings == result.inputs.settings
    for field in fields(pf.Assumptions):
        ours, theirs = (getattr(a, field.name) for a in (last.assumptions, result.assumptions))
        if theirs is None:
            assert ours is None
        else:
            assert_same(ours, theirs)


def test_a_round_reads_back_exactly(frozen: Path, result: Forecast) -> None:
    last = read_round(frozen)
    assert_reads_back(last, result)
    assert (last.name, last.launch_year, last.last_year) == ("2024", 2024, 2026)
    assert repr(last).startswith("Round 2024 (no name, 2024-2026): population, births, children")
    last.results["pupils"] = with_cell_changed(last.results["pupils"], by=1e-12)
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        assert_reads_back(last, result)


def test_a_round_says_how_it_came_about(frozen: Path, result: Forecast) -> None:
    meta = read_round(frozen).meta
    assert (meta["trajectories"], meta["seed"]) == (20, 3)
    assert meta["quantiles"] == [0.025, 0.5, 0.975]
    assert (meta["model"], meta["scenarios"], meta["note"]) == ("default", ["baseline"], "")
    assert set(meta["versions"]) == {"placeforecast", "python", "numpy", "pandas"}
    hashes = dict(zip(*(result.inputs.provenance[c] for c in ("file", "sha256")), strict=True))
    assert meta["sources"] == hashes


def test_the_same_forecast_gives_the_same_bytes(result: Forecast, tmp_path: Path) -> None:
    one, other = (contents(freeze_round(result, tmp_path / name)) for name in ("one", "other"))
    assert one == other
    noted = contents(freeze_round(result, tmp_path / "noted", note="agreed on 3 March"))
    assert {name for name in one if one[name] != noted[name]} == {META}


def test_boundary_changes_are_not_applied_twice(inputs: pf.Inputs, tmp_path: Path) -> None:
    half = pd.DataFrame({"old": ["A", "A", "B"], "new": ["A", "B", "B"], "share": [0.5, 0.5, 1.0]})
    before = replace(inputs, boundaries=half.assign(year=2022))
    assert not before.tables()["enrolment"].equals(inputs.tables()["enrolment"])
    last = read_round(freeze_round(pf.forecast(before), tmp_path / "out"))
    assert before.rebased is not None
    assert last.inputs.rebased is not None
    assert_same(last.inputs.rebased, before.rebased)
    assert last.inputs.boundaries is None
    assert_same(last.inputs.tables()["enrolment"], before.tables()["enrolment"])


def test_a_round_run_again_gives_the_same_figures(frozen: Path) -> None:
    last = read_round(frozen)
    again = repeat_round(last)
    for name, table in last.results.items():
        assert_same(again.tables()[name], table)
    plain = pf.forecast(last.inputs, assumptions=last.assumptions, launch_year=2024, horizon=2)
    np.testing.assert_array_equal(plain.pupils["pupils"], last.results["pupils"]["pupils"])


FRESH = """
import sys
import numpy as np
from placeforecast.rounds.read import read_round, repeat_round
last = read_round(sys.argv[1])
again = repeat_round(last).tables()
for name, table in last.results.items():
    for column in table.select_dtypes("number"):
        np.testing.assert_allclose(again[name][column], table[column], rtol=1e-9)
print("the same")
"""


def test_a_round_run_in_a_fresh_environment_gives_the_same_figures(frozen: Path) -> None:
    source = str(Path(pf.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(frozen)],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=frozen.parent,
        env={"PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout == "the same\n"


# What was edited by hand.


def _digit(file: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        data = (folder / file).read_bytes()
        at = max(i for i, byte in enumerate(data) if chr(byte).isdigit())
        other = b"1" if data[at : at + 1] != b"1" else b"2"
        (folder / file).write_bytes(data[:at] + other + data[at + 1 :])

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_digit("results/balance.csv"), "results/balance.csv: was changed after it was frozen"),
        (_digit("inputs/births.csv"), "inputs/births.csv: was changed after it was frozen"),
        (_digit("assumptions/intake.csv"), "assumptions/intake.csv: was changed after it was"),
        (_digit(META), "round.json: was changed after it was frozen"),
        (lambda f: (f / META).write_bytes((f / META).read_bytes() + b"\n"), "round.json: was chan"),
        (lambda f: (f / META).write_text("{"), "round.json: was changed after it was frozen"),
        (lambda f: (f / META).write_text("[]"), "round.json: was changed after it was frozen"),
        (lambda f: (f / "inputs/places.csv").unlink(), "inputs/places.csv: was taken out after"),
        (lambda f: (f / "results/x.csv").write_text(""), "results/x.csv: was added after the"),
    ],
)
def test_a_round_edited_by_hand_is_found_out(
    edit: Callable[[Path], None], message: str, frozen: Path
) -> None:
    edit(frozen)
    with pytest.raises(pf.InputError, match=rf"1 problem in the input:\n  {message}"):
        read_round(frozen)


def test_all_edits_are_named_at_once(frozen: Path) -> None:
    _digit("results/pupils.csv")(frozen)
    (frozen / "inputs/survival.csv").unlink()
    with pytest.raises(pf.InputError, match="2 problems") as error:
        read_round(frozen)
    assert list(error.value.problems["file"]) == ["inputs/survival.csv", "results/pupils.csv"]


def test_a_round_of_a_later_format_is_refused(frozen: Path) -> None:
    meta = read_round(frozen).meta
    (frozen / META).write_bytes(render({**meta, "format": 2}))
    with pytest.raises(pf.InputError, match="is of format 2, and this version reads 1"):
        read_round(frozen)


def test_a_folder_without_a_round_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pf.InputError, match=r"is not a round: it holds no round\.json"):
        read_round(tmp_path)


# Writing never destroys an older one.


def test_a_round_is_not_overwritten_unasked(frozen: Path, result: Forecast) -> None:
    before = contents(frozen)
    with pytest.raises(pf.InputError, match=r"is there already\. Name another folder, or pass"):
        freeze_round(result, frozen, note="new")
    assert contents(frozen) == before
    freeze_round(result, frozen, note="new", overwrite=True)
    assert read_round(frozen).meta["note"] == "new"
    assert [path.name for path in frozen.parent.iterdir()] == ["2024"]


def test_a_folder_that_is_no_round_is_never_overwritten(result: Forecast, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(pf.InputError, match="is no round, and is not overwritten"):
        freeze_round(result, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_write_that_fails_leaves_the_older_round(
    frozen: Path, result: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(frozen)

    def full(folder: Path, files: dict[str, bytes]) -> None:
        folder.mkdir()
        (folder / META).write_bytes(files[META][:10])
        raise OSError("no space left on the disk")

    monkeypatch.setattr(freeze, "_write", full)
    with pytest.raises(OSError, match="no space left"):
        freeze_round(result, frozen, note="new", overwrite=True)
    assert contents(frozen) == before
    assert [path.name for path in frozen.parent.iterdir()] == ["2024"]


def test_a_move_that_fails_puts_the_older_round_back(
    frozen: Path, result: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, move = contents(frozen), Path.rename

    def stuck(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError("the folder is open elsewhere")
        return move(path, target)

    monkeypatch.setattr(Path, "rename", stuck)
    with pytest.raises(OSError, match="open elsewhere"):
        freeze_round(result, frozen, note="new", overwrite=True)
    assert contents(frozen) == before
    assert [path.name for path in frozen.parent.iterdir()] == ["2024"]
