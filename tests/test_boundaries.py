"""Changes of boundaries: past counts told in the districts of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.boundaries import rebase, with_boundaries
from schools import with_cell_changed

if TYPE_CHECKING:
    from pathlib import Path


def changes(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["old", "new", "year", "share"])


def counted(
    numbers: dict[str, float], years: tuple[int, ...] = (2018, 2019), **more: str
) -> pd.DataFrame:
    """Return pupils of P1 by district, the same in each year."""
    rows = [
        {"district": district, "year": year, "grade": "P1", "pupils": number, **more}
        for district, number in numbers.items()
        for year in years
    ]
    return pd.DataFrame(rows)


def told(table: pd.DataFrame, given: pd.DataFrame) -> dict[tuple[str, int], float]:
    rows = rebase(table, given, value_columns=["pupils"])
    pairs = zip(rows["district"], rows["year"], rows["pupils"], strict=True)
    return {(district, year): round(number, 9) for district, year, number in pairs}


def assert_same_total(after: pd.DataFrame, before: pd.DataFrame, value: str) -> None:
    keys = [k for k in ("year", "month", "grade", "sex", "age", "stage") if k in before.columns]
    now, then = (t.groupby(keys, dropna=False)[value].sum() for t in (after, before))
    np.testing.assert_allclose(now, then, rtol=1e-9, err_msg="the total")


def test_a_district_that_joins_another_is_added_to_it() -> None:
    before = counted({"A": 100, "B": 300, "Z": 7})
    assert told(before, changes(("A", "B", 2020, 1.0))) == {
        ("B", 2018): 400,
        ("B", 2019): 400,
        ("Z", 2018): 7,
        ("Z", 2019): 7,
    }


def test_a_district_is_split_over_new_and_standing_ones() -> None:
    """A quarter of 100 joins B, the rest is the new district C; B is as counted from 2020 on."""
    before = pd.concat([counted({"A": 100, "B": 300}), counted({"B": 330, "C": 80}, (2020,))])
    given = changes(("A", "B", 2020, 0.25), ("A", "C", 2020, 0.75))
    found = told(before, given)
    assert found[("B", 2018)] == 325
    assert found[("C", 2019)] == 75
    assert (found[("B", 2020)], found[("C", 2020)]) == (330, 80)
    after = rebase(before, given, value_columns=["pupils"])
    assert_same_total(after, before, "pupils")
    with pytest.raises(AssertionError, match="the total"):
        assert_same_total(with_cell_changed(after), before, "pupils")


def test_a_chain_leads_to_its_end() -> None:
    """A became B in 2015 and B became C in 2020, whatever the order of the rows."""
    before = pd.concat([counted({"A": 10}, (2013, 2014)), counted({"B": 20}, (2015, 2019))])
    before = pd.concat([before, counted({"C": 30}, (2020,))])
    given = changes(("B", "C", 2020, 1.0), ("A", "B", 2015, 1.0))
    expected = {("C", 2013): 10, ("C", 2014): 10, ("C", 2015): 20, ("C", 2019): 20, ("C", 2020): 30}
    assert told(before, given) == expected
    assert told(before[::-1], given[::-1]) == expected


def test_changes_of_one_year_are_made_at_once() -> None:
    """A takes the name B, and B the name C, in the same year: nothing of A goes on to C."""
    before = pd.concat([counted({"A": 1, "B": 2}), counted({"B": 3, "C": 4}, (2020,))])
    found = told(before, changes(("A", "B", 2020, 1.0), ("B", "C", 2020, 1.0)))
    assert found[("B", 2019)] == 1
    assert found[("C", 2019)] == 2


def test_a_district_may_live_on_with_a_part() -> None:
    before = counted({"A": 100, "B": 300}, (2019, 2020))
    found = told(before, changes(("A", "A", 2020, 0.8), ("A", "B", 2020, 0.2)))
    assert found == {("A", 2019): 80, ("A", 2020): 100, ("B", 2019): 320, ("B", 2020): 300}


def test_a_district_that_comes_back_keeps_its_new_rows() -> None:
    before = pd.concat([counted({"A": 1}, (2014,)), counted({"B": 2}, (2015,))])
    before = pd.concat([before, counted({"A": 3}, (2021,))])
    given = changes(("A", "B", 2015, 1.0), ("B", "A", 2020, 1.0))
    assert told(before, given) == {("A", 2014): 1, ("A", 2015): 2, ("A", 2021): 3}


def test_columns_order_and_untouched_rows_stay() -> None:
    before = counted({"Z": 1 / 3, "A": 5.0, "B": 7.0}).assign(sector="public")
    after = rebase(before, changes(("A", "B", 2020, 1.0)), value_columns=["pupils", "classes"])
    assert list(after.columns) == list(before.columns)
    assert after["district"].to_list() == ["Z", "Z", "B", "B"]
    pd.testing.assert_frame_equal(after[:2], before[:2], check_exact=True)
    assert len(before) == 6


def test_flags_hold_if_one_holds_and_texts_are_joined() -> None:
    before = pd.DataFrame(
        {
            "district": ["A", "B"] * 4,
            "year": [2016, 2016, 2017, 2017, 2018, 2018, 2019, 2019],
            "grade": "P1",
            "pupils": 10.0,
            "classes": [1.0, 2.0, 1.0, None, None, None, 1.0, 1.0],
            "capacity_bound": [True, None, False, None, False, False, True, True],
            "source": ["yearbook", "return", "return", "return", None, "x", None, None],
        }
    ).astype({"capacity_bound": "boolean"})
    given = changes(("A", "B", 2020, 1.0))
    after = rebase(before, given, value_columns=["pupils", "classes"])
    assert after["pupils"].to_list() == [20.0] * 4
    assert after["classes"].fillna(-1).to_list() == [3, -1, -1, 2]
    assert [None if pd.isna(f) else bool(f) for f in after["capacity_bound"]] == [
        True,
        None,
        False,
        True,
    ]
    assert [None if pd.isna(s) else s for s in after["source"]] == [
        "yearbook; return",
        "return",
        "x",
        None,
    ]


def tables_before() -> dict[str, pd.DataFrame]:
    """Return a table of each kind, A and B in 2019."""
    both = pd.DataFrame({"district": ["A", "B"], "year": 2019})
    months = both.merge(pd.DataFrame({"month": [1, None, 9]}), how="cross")
    people = both.merge(pd.DataFrame({"sex": ["female", "male"]}), how="cross")
    return {
        "population": people.assign(age=3, population=[1.0, 2.0, 3.0, 4.0]),
        "births": months.assign(births=range(1, 7)).astype({"month": "Int64"}),
        "enrolment": both.assign(grade="P1", pupils=[30, 60], classes=[1, 2]),
        "places": both.assign(stage="primary", sector="public", places=[40.0, 70.0], beds=3.0),
        "districts": pd.DataFrame({"district": ["B", "C"]}),
    }


def test_r14_every_table_of_counts_is_told_in_the_districts_of_today() -> None:
    before = tables_before()
    given = changes(("A", "B", 2020, 0.5), ("A", "C", 2020, 0.5))
    after = with_boundaries(before, given)
    assert list(after) == list(before)
    assert after["districts"] is before["districts"]
    for name, value in [("births", "births"), ("population", "population"), ("places", "beds")]:
        assert set(after[name]["district"]) == {"B", "C"}
        assert_same_total(after[name], before[name], value)
        pf.check(after[name], name)
    births = after["births"].set_index(["district", "month"])["births"]
    assert births["B", 1] == 0.5 * 1 + 4
    assert births["C", 9] == 1.5
    assert after["enrolment"]["classes"].to_list() == [2.5, 0.5]
    assert with_boundaries(before, None) == before


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            changes(("A", "B", 2020, 0.5), ("A", "C", 2020, 0.4)),
            r"boundaries, column share: shares of A in 2020 add up to 0\.9, not to 1\. Corr",
        ),
        (
            changes(("A", "B", 2019, 1.0)),
            r"enrolment, column district: holds A in 2019 \(1 rows\), which ended in 2019\. "
            r"Give them for the districts that took its place, or correct boundaries\.",
        ),
        (
            changes(("A", "B", 2020, 1.0), ("A", "C", 2022, 1.0)),
            r"boundaries, column year: ends A in 2020 and once more in 2022\. Keep one of the two",
        ),
        (changes(("A", "B", 2020, 1.1)), r"boundaries, row 1, column share: '1.1' is above 1"),
    ],
)
def test_what_contradicts_itself_is_refused(given: pd.DataFrame, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        with_boundaries({"enrolment": counted({"A": 1, "B": 2})}, given)


@pytest.mark.parametrize(
    ("name", "table", "text"),
    [
        (
            "enrolment",
            counted({"A": 1, "B": 2})[1:],
            r"enrolment: lacks 1 cells of A that B has, first: year 2018; both are part of B from "
            r"2020 on\. Add them, or leave out those of the other: half a sum is no history\.",
        ),
        (
            "births",
            tables_before()["births"][1:],
            r"births: lacks 1 cells of A that B has, first: year 2019, month 1",
        ),
        (
            "population",
            tables_before()["population"][:3],
            r"population: lacks 1 cells of B that A has, first: year 2019, sex male, age 3",
        ),
        (
            "places",
            tables_before()["places"].assign(places=[40.0, np.nan], classes=[np.nan, 2.0]),
            r"places: of the districts that are now B primary 2019 are given in two ways: places, "
            r"classes\. Give all of them as places\.",
        ),
    ],
)
def test_half_a_sum_is_refused(name: str, table: pd.DataFrame, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        with_boundaries({name: table}, changes(("A", "B", 2020, 1.0)))


def test_a_region_is_read_in_the_districts_of_today(tmp_path: Path) -> None:
    """R14: A joined B in 2023; its earlier rows are B's, and the change is kept."""
    years = range(2019, 2026)
    taught = [("A" if year < 2023 else "B", year, "P1", 90) for year in years]
    born = [("A" if year < 2023 else "B", year, 100) for year in range(2005, 2025)]
    tables = {
        "enrolment": pd.DataFrame(taught, columns=["district", "year", "grade", "pupils"]),
        "births": pd.DataFrame(born, columns=["district", "year", "births"]),
        "boundaries": pd.DataFrame({"old": ["A"], "new": "B", "year": 2023, "share": 1.0}),
    }
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    inputs = pf.read_inputs(tmp_path)
    assert inputs.enrolment is not None
    assert set(inputs.enrolment["district"]) == {"B"}
    assert inputs.enrolment["pupils"].sum() == 90 * len(years)
    assert list(inputs.provenance["table"]) == ["births", "boundaries", "enrolment"]
    assert inputs.boundaries is None
    assert inputs.rebased is not None
