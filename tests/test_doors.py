"""Long tables to arrays and back: nothing is lost, added or guessed on the way."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.doors import to_array, to_table

Axes = dict[str, list[Any]]
AXES: Axes = {"district": ["B", "A"], "year": [2020, 2021, 2022], "age": [0, 1]}


@pytest.fixture
def cells() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.arange(12, dtype=float).reshape(2, 3, 2) * 1.5


@pytest.fixture
def table(cells: np.ndarray[Any, np.dtype[np.float64]]) -> pd.DataFrame:
    return to_table(cells, AXES, "people")


def assert_refused(table: pd.DataFrame, axes: Axes, line: str, name: str = "") -> None:
    """Check that there is one problem, and that it says exactly this."""
    with pytest.raises(pf.InputError, match=f"^1 problem in the input:\n  {re.escape(line)}$"):
        to_array(table, axes, "people", name=name)


def test_a_table_lists_cells_in_the_order_of_the_axes(table: pd.DataFrame) -> None:
    assert list(table.columns) == ["district", "year", "age", "people"]
    assert list(table["district"]) == ["B"] * 6 + ["A"] * 6
    assert list(table["year"]) == [2020, 2020, 2021, 2021, 2022, 2022] * 2
    assert list(table["age"]) == [0, 1] * 6
    np.testing.assert_allclose(table["people"], np.arange(12) * 1.5)


def test_there_and_back(cells: np.ndarray[Any, np.dtype[np.float64]], table: pd.DataFrame) -> None:
    np.testing.assert_array_equal(to_array(table, AXES, "people"), cells)


def test_back_and_there(table: pd.DataFrame) -> None:
    again = to_table(to_array(table, AXES, "people"), AXES, "people")
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_shuffled_rows_give_the_same_array(
    cells: np.ndarray[Any, np.dtype[np.float64]], table: pd.DataFrame
) -> None:
    shuffled = table.sample(frac=1, random_state=5)
    assert list(shuffled.index) != list(table.index)
    np.testing.assert_array_equal(to_array(shuffled, AXES, "people"), cells)


def test_axes_in_another_order_transpose(
    cells: np.ndarray[Any, np.dtype[np.float64]], table: pd.DataFrame
) -> None:
    axes = {name: AXES[name] for name in ("age", "district", "year")}
    expected = cells.transpose(2, 0, 1)
    np.testing.assert_array_equal(to_array(table, axes, "people"), expected)


def test_labels_in_another_order_move_the_cells(
    cells: np.ndarray[Any, np.dtype[np.float64]], table: pd.DataFrame
) -> None:
    axes = {**AXES, "district": ["A", "B"]}
    np.testing.assert_array_equal(to_array(table, axes, "people"), cells[::-1])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_column_left_out_repeats_along_its_axis(
    cells: np.ndarray[Any, np.dtype[np.float64]], axis: int
) -> None:
    first = cells.take([0], axis=axis)
    left = {name: labels for i, (name, labels) in enumerate(AXES.items()) if i != axis}
    expected = np.repeat(first, cells.shape[axis], axis=axis)
    found = to_array(to_table(first.squeeze(axis), left, "people"), AXES, "people")
    np.testing.assert_array_equal(found, expected)


def test_a_table_without_keys_is_the_same_everywhere() -> None:
    found = to_array(pd.DataFrame({"people": [7.0]}), AXES, "people")
    np.testing.assert_array_equal(found, np.full((2, 3, 2), 7.0))


def test_a_missing_cell_is_named(table: pd.DataFrame) -> None:
    line = (
        "people, column people: lacks 2 of 12 cells, first: district B, year 2022, age 1."
        " Add the rows; what is nothing is written as 0."
    )
    assert_refused(table.drop(index=[5, 8]), AXES, line)


def test_a_blank_cell_is_a_missing_one(table: pd.DataFrame) -> None:
    table.loc[11, "people"] = np.nan
    line = (
        "stock, column people: lacks 1 of 12 cells, first: district A, year 2022, age 1."
        " Add the rows; what is nothing is written as 0."
    )
    assert_refused(table, AXES, line, name="stock")


def test_a_cell_is_not_filled_from_a_column_that_is_there(table: pd.DataFrame) -> None:
    """Broadcasting is declared by leaving a column out, never guessed from gaps."""
    line = (
        "people, column people: lacks 6 of 12 cells, first: district B, year 2020, age 0."
        " Add the rows; what is nothing is written as 0."
    )
    assert_refused(table[table["district"] == "A"], AXES, line)


def test_a_repeated_cell_is_named(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table.iloc[[7, 3]]])
    line = "people: repeats a cell: district B, year 2021, age 1. Keep one row of it."
    assert_refused(twice, AXES, line)


def test_an_unknown_label_is_named(table: pd.DataFrame) -> None:
    strange = table.replace({"district": {"A": "C"}})
    line = "people, column district: 'C' is not on the axis (1 such labels). Known: B, A."
    assert_refused(strange, AXES, line)


def test_a_year_off_the_axis_is_named(table: pd.DataFrame) -> None:
    axes = {**AXES, "year": [2021]}
    line = "people, column year: '2020' is not on the axis (2 such labels). Known: 2021."
    assert_refused(table, axes, line)


def test_holes_stay_empty_when_asked(
    cells: np.ndarray[Any, np.dtype[np.float64]], table: pd.DataFrame
) -> None:
    found = to_array(table.drop(index=[5]), AXES, "people", holes=True)
    expected = cells.copy()
    expected[0, 2, 1] = np.nan
    np.testing.assert_array_equal(found, expected)


def test_holes_do_not_excuse_repeats(table: pd.DataFrame) -> None:
    twice = pd.concat([table.drop(index=[5]), table.iloc[[7]]])
    with pytest.raises(pf.InputError, match="repeats a cell: district A, year 2020, age 1"):
        to_array(twice, AXES, "people", holes=True)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_no_number_never_leaves(
    cells: np.ndarray[Any, np.dtype[np.float64]], broken: float
) -> None:
    cells[1, 0, 1] = broken
    message = (
        "people: 1 cells came out as no number, first: district A, year 2020, age 1."
        " Check what this cell rests on."
    )
    with pytest.raises(pf.InputError, match=re.escape(message)):
        to_table(cells, AXES, "people")


def test_only_the_cells_asked_for_are_written(cells: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """A cell that does not exist may hold anything."""
    cells[1, 0, 1] = np.nan
    found = to_table(cells, AXES, "people", where=np.isfinite(cells) & (cells > 12))
    assert found.to_dict("list") == {
        "district": ["A", "A", "A"],
        "year": [2021, 2022, 2022],
        "age": [1, 0, 1],
        "people": [13.5, 15.0, 16.5],
    }


def test_problems_come_as_a_table(table: pd.DataFrame) -> None:
    with pytest.raises(pf.InputError, match="lacks 1 of 12 cells") as caught:
        to_array(table.drop(index=[0]), AXES, "people", name="stock")
    problem = caught.value.problems.iloc[0]
    assert (problem["file"], problem["column"]) == ("stock", "people")
