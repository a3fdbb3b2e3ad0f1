"""Control to a published total, and the check against somebody else's forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from launches import TREE
from placeforecast.enrolment.control import compare_with_outside, control_to_totals
from schools import with_cell_changed

YEARS = (2030, 2031)
CELLS = {("A", "P1"): 60.0, ("A", "P2"): 30.0, ("B", "P1"): 40.0, ("B", "P2"): 70.0}


def taught() -> pd.DataFrame:
    """Return pupils of A and B in two years, and a junior grade that no total reaches."""
    rows = [
        {"district": district, "year": year, "grade": grade, "pupils": number, "share_born": 1.0}
        for year in YEARS
        for (district, grade), number in {**CELLS, ("A", "J1"): 10.0}.items()
    ]
    return pd.DataFrame(rows)


def totals(
    *rows: tuple[str, int, float], stage: str = "primary", value: str = "pupils"
) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["district", "year", value]).assign(stage=stage)


def assert_meets(pupils: pd.DataFrame, total: float, year: int) -> None:
    rows = pupils[(pupils["year"] == year) & pupils["grade"].str.startswith("P")]
    np.testing.assert_allclose(rows["pupils"].sum(), total, rtol=1e-12, err_msg="the total")


def test_districts_are_scaled_to_the_total_of_their_parent() -> None:
    """200 become 250: every primary grade of A and B times 1.25, in 2031 alone."""
    before = taught()
    after, adjustments = control_to_totals(before, totals(("C", 2031, 250.0)), districts=TREE)
    assert list(after.columns) == list(before.columns)
    reached = (before["year"] == 2031) & before["grade"].str.startswith("P")
    np.testing.assert_allclose(after["pupils"][reached], before["pupils"][reached] * 1.25)
    pd.testing.assert_frame_equal(after[~reached], before[~reached], check_exact=True)
    pd.testing.assert_frame_equal(before, taught(), check_exact=True)
    assert adjustments.to_dict("records") == [
        {"district": "C", "year": 2031, "stage": "primary"}
        | {"forecast": 200.0, "total": 250.0, "factor": 1.25}
    ]
    assert_meets(after, 250, 2031)
    assert_meets(after, 200, 2030)
    with pytest.raises(AssertionError, match="the total"):
        assert_meets(with_cell_changed(after, by=1.0), 250, int(after["year"].iloc[5]))


def test_totals_may_differ_by_district_and_year() -> None:
    given = totals(("A", 2030, 45.0), ("B", 2030, 110.0), ("C", 2031, 0.0))
    after, adjustments = control_to_totals(taught(), given, districts=TREE)
    found = after[after["grade"] != "J1"]["pupils"].to_list()
    np.testing.assert_allclose(found, [30, 15, 40, 70, 0, 0, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(adjustments["factor"], [0.5, 1.0, 0.0])


def test_without_a_tree_a_total_is_that_of_the_district() -> None:
    after, _ = control_to_totals(taught(), totals(("A", 2030, 180.0)))
    rows = after[(after["year"] == 2030) & (after["grade"] != "J1")]
    np.testing.assert_allclose(rows["pupils"], [120, 60, 40, 70])


def test_without_totals_nothing_changes() -> None:
    after, adjustments = control_to_totals(taught(), totals(), districts=TREE)
    pd.testing.assert_frame_equal(after, taught(), check_exact=True)
    columns = ["district", "year", "stage", "forecast", "total", "factor"]
    assert (len(adjustments), list(adjustments.columns)) == (0, columns)


@pytest.mark.parametrize("order", [1, -1])
def test_a_cell_is_controlled_once(order: int) -> None:
    given = totals(*[("C", 2030, 250.0), ("A", 2030, 90.0)][::order])
    named = "A" if order == 1 else "C"
    message = f"totals: {named} primary 2030 is controlled twice. Keep one total for each cell"
    with pytest.raises(pf.InputError, match=message):
        control_to_totals(taught(), given, districts=TREE)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (totals(("C", 2040, 250.0)), "C primary 2040"),
        (totals(("D", 2030, 250.0)), "D primary 2030"),
        (totals(("C", 2030, 250.0), stage="senior_general"), "C senior_general 2030"),
    ],
)
def test_a_total_without_pupils_is_refused(given: pd.DataFrame, named: str) -> None:
    message = f"totals: {named} has no pupils to scale. Check the names, or leave it out"
    with pytest.raises(pf.InputError, match=message):
        control_to_totals(taught(), given, districts=TREE)


# Somebody else's forecast.


def ours() -> pd.DataFrame:
    return totals(("A", 2030, 104.0), ("A", 2031, 106.0), ("B", 2030, 95.0), ("B", 2031, 94.0))


def test_differences_of_more_than_five_percent_are_not_within() -> None:
    outside = ours().assign(pupils=100.0).iloc[::-1]
    table = compare_with_outside(ours(), outside)
    columns = ["district", "year", "stage", "ours", "outside", "difference", "within"]
    assert list(table.columns) == columns
    assert list(table["ours"]) == [94.0, 95.0, 106.0, 104.0]
    np.testing.assert_allclose(table["difference"], [-0.06, -0.05, 0.06, 0.04], rtol=1e-12)
    assert list(table["within"]) == [False, True, False, True]
    assert compare_with_outside(ours(), outside, tolerance=0.06)["within"].all()
    changed = with_cell_changed(ours(), by=50.0)
    assert list(compare_with_outside(changed, outside)["difference"]) != list(table["difference"])


def test_the_difference_is_a_share_of_the_outside_figure() -> None:
    table = compare_with_outside(ours(), totals(("A", 2030, 80.0)))
    np.testing.assert_allclose(table["difference"], [0.3])


def test_an_outside_figure_that_we_lack_is_refused() -> None:
    outside = totals(("A", 2030, 100.0), ("A", 2032, 100.0))
    message = "outside: A 2032 primary is not in our forecast. Check the names"
    with pytest.raises(pf.InputError, match=message):
        compare_with_outside(ours(), outside)
