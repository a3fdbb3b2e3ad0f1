"""Places against demand: by cell, by stage and by parent, netted and not netted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from balances import (
    assert_books_balance,
    assert_combined,
    assert_rolls_up,
    assert_stages_are_sums_of_cells,
)
from placeforecast.tables.grades import load_grades
from schools import with_cell_changed

Cells = dict[str, tuple[float | None, float | None]]
"""Demand and places by grade; None leaves the row out."""

STAGE_OF = {str(g): str(s) for g, s in load_grades().set_index("grade")["stage"].items()}
PARENT_OF = {"X": "CITY", "Y": "CITY", "X-1": "X", "X-2": "X"}
TREE = pd.DataFrame(
    {
        "district": ["CITY", "X", "X-1", "X-2", "Y"],
        "parent": [None, "CITY", "X", "X", "CITY"],
        "level": ["city", "county", "zone", "zone", "county"],
    }
)


def table(counts: dict[str, float | None], value: str, district: str, year: int) -> pd.DataFrame:
    rows = [
        {"district": district, "year": year, "grade": g, "stage": STAGE_OF[g], value: float(number)}
        for g, number in counts.items()
        if number is not None
    ]
    return pd.DataFrame(rows).assign(ledger="all")


def demand(cells: Cells, district: str = "A", year: int = 2026) -> pd.DataFrame:
    """Return demand by grade, of one ledger; a pupil needs one place."""
    needed = table({g: n for g, (n, _) in cells.items()}, "demand", district, year)
    return needed.assign(pupils=needed["demand"])


def places(cells: Cells, district: str = "A", year: int = 2026) -> pd.DataFrame:
    """Return places by grade, of one ledger and plan case."""
    standing = table({g: k for g, (_, k) in cells.items()}, "places", district, year)
    return standing.assign(plan_case="planned")


def row(stages: pd.DataFrame, stage: str = "junior", district: str = "A") -> dict[str, Any]:
    """Return the one row of a stage and district."""
    found = stages[(stages["stage"] == stage) & (stages["district"] == district)]
    assert len(found) == 1
    return {str(name): value for name, value in found.iloc[0].items()}


def assert_figures(figures: dict[str, Any], **expected: float) -> None:
    for name, number in expected.items():
        np.testing.assert_allclose(figures[name], number, rtol=1e-12, err_msg=name)


# Worked by hand.


def test_a_district_in_surplus_with_a_cell_short_shows_both() -> None:
    """J1: 120 for 100 places; J2: 60 for 100; J3: 100 for 100. Net 20 idle, yet 20 are short."""
    cells: Cells = {"J1": (120, 100), "J2": (60, 100), "J3": (100, 100)}
    balance = pf.balance_places(demand(cells), places(cells))
    assert list(balance.cells["balance"]) == [-20, 40, 0]
    assert_figures(
        row(balance.stages),
        pupils=280,
        demand=280,
        places=300,
        balance=20,
        shortfall=0,
        surplus=20,
        cell_shortfall=20,
        cell_surplus=40,
        utilisation=280 / 300,
    )
    assert_books_balance(balance.cells, balance.stages)


def test_a_surplus_elsewhere_does_not_serve_a_zone() -> None:
    """X-1 is 30 short and X-2 50 idle: X has 20 idle net, 30 short by cell; Y adds 10 short."""
    parts: dict[str, Cells] = {
        "X-1": {"J1": (130, 100)},
        "X-2": {"J1": (50, 100)},
        "Y": {"J1": (60, 50)},
    }
    needed = pd.concat(demand(cells, name) for name, cells in parts.items())
    standing = pd.concat(places(cells, name) for name, cells in parts.items())
    balance = pf.balance_places(needed, standing, districts=TREE)
    stages = balance.stages
    assert list(stages["district"]) == ["CITY", "X", "X-1", "X-2", "Y"]
    assert list(stages["level"]) == ["city", "county", "zone", "zone", "county"]
    assert_figures(
        row(stages, district="X"), balance=20, shortfall=0, cell_shortfall=30, cell_surplus=50
    )
    assert_figures(
        row(stages, district="CITY"), balance=10, surplus=10, cell_shortfall=40, cell_surplus=50
    )
    assert_figures(row(stages, district="Y"), balance=-10, shortfall=10, surplus=0)
    assert set(balance.cells["district"]) == {"X-1", "X-2", "Y"}
    alone = pf.balance_places(needed, standing)
    assert list(alone.stages["district"]) == ["X-1", "X-2", "Y"]
    assert set(alone.stages["level"]) == {"district"}


def test_combined_stages_are_sums_of_their_parts() -> None:
    cells: Cells = {"P1": (90, 100), "P2": (100, 80), "J1": (50, 55)}
    stages = pf.balance_places(demand(cells), places(cells)).stages
    assert list(stages["stage"]) == ["primary", "junior", "compulsory"]
    assert_figures(
        row(stages, "compulsory"), demand=240, places=235, shortfall=5, cell_shortfall=20
    )
    assert_combined(stages, "compulsory", {"primary", "junior"})


def test_a_combined_stage_needs_all_its_parts() -> None:
    cells: Cells = {"P1": (90, 100), "S1": (50, 55)}
    stages = pf.balance_places(demand(cells), places(cells)).stages
    assert list(stages["stage"]) == ["primary", "senior_general"]


def test_spare_places_make_a_shortfall() -> None:
    """95 pupils and 5 % to spare need 100 places; 98 stand."""
    pupils = pd.DataFrame({"district": "A", "year": [2026], "grade": "J1", "pupils": 95.0})
    spare = pd.DataFrame({"indicator": ["spare_share"], "value": [0.05]})
    needed = pf.demand_places(pupils, pf.Assumptions(standards=spare))
    balance = pf.balance_places(needed, places({"J1": (None, 98)}))
    expected = {"pupils": 95, "demand": 100, "balance": -2, "shortfall": 2}
    assert_figures(row(balance.stages), **expected, utilisation=95 / 98)


@pytest.mark.parametrize(
    ("taught", "level"),
    [
        (0, "dark_blue"),
        (49, "dark_blue"),
        (50, "blue"),
        (74, "blue"),
        (75, "normal"),
        (89, "normal"),
        (90, "yellow"),
        (99, "yellow"),
        (100, "red"),
        (150, "red"),
    ],
)
def test_warning_levels(taught: float, level: str) -> None:
    cells: Cells = {"J1": (taught, 100)}
    figures = row(pf.balance_places(demand(cells), places(cells)).stages)
    assert figures["warning"] == level
    assert_figures(figures, utilisation=taught / 100)


def test_pupils_without_any_place_have_no_utilisation_and_the_highest_level() -> None:
    cells: Cells = {"J1": (30, 0)}
    figures = row(pf.balance_places(demand(cells), places(cells)).stages)
    assert np.isnan(figures["utilisation"])
    assert figures["warning"] == "red"
    assert_figures(figures, shortfall=30, cell_shortfall=30)


def test_the_share_born_is_weighted_by_pupils() -> None:
    """100 of J1 are all born, 300 of J2 to a half: 250 of 400. Of nobody it is the plain mean."""
    cells: Cells = {"J1": (100, 400), "J2": (300, 400)}
    needed = demand(cells).assign(share_born=[1.0, 0.5])
    assert_figures(row(pf.balance_places(needed, places(cells)).stages), share_born=250 / 400)
    nobody = needed.assign(pupils=0.0, demand=0.0)
    assert_figures(row(pf.balance_places(nobody, places(cells)).stages), share_born=0.75)


def test_the_share_born_is_missing_where_nothing_is_known_of_it() -> None:
    cells: Cells = {"J1": (100, 400), "J2": (300, 400)}
    unknown = pf.balance_places(demand(cells), places(cells)).stages
    assert unknown["share_born"].isna().all()
    partly = demand(cells).assign(share_born=[np.nan, 0.5])
    assert_figures(row(pf.balance_places(partly, places(cells)).stages), share_born=0.5)


# Every cell of one table must be in the other.


def test_a_cell_without_places_is_named() -> None:
    cells: Cells = {"J1": (120, 100), "J2": (60, None), "J3": (100, None)}
    message = r"places: places \(ledger all\) lack 2 cells, first: A J2 2026\. Add what stands"
    with pytest.raises(pf.InputError, match=message):
        pf.balance_places(demand(cells), places(cells))


def test_a_cell_without_pupils_is_named() -> None:
    cells: Cells = {"J1": (120, 100), "J2": (None, 60)}
    message = r"pupils: pupils \(ledger all\) lack 1 cells, first: A J2 2026\. Places stand or are"
    with pytest.raises(pf.InputError, match=message):
        pf.balance_places(demand(cells), places(cells))


def test_a_year_without_places_is_named() -> None:
    cells: Cells = {"J1": (120, 100)}
    needed = pd.concat([demand(cells), demand(cells, year=2027)])
    with pytest.raises(pf.InputError, match="lack 1 cells, first: A J1 2027"):
        pf.balance_places(needed, places(cells))


def test_later_years_of_places_are_left_out() -> None:
    cells: Cells = {"J1": (120, 100)}
    standing = pd.concat([places(cells), places(cells, year=2027)])
    assert list(pf.balance_places(demand(cells), standing).stages["year"]) == [2026]


def test_a_stage_without_places_is_left_out_and_said() -> None:
    cells: Cells = {"P1": (90, None), "J1": (50, 55)}
    message = r"no places are given, so these are not balanced: primary \(all\)"
    with pytest.warns(pf.AssumptionWarning, match=message):
        balance = pf.balance_places(demand(cells), places(cells))
    assert set(balance.stages["stage"]) == {"junior"}


def test_a_ledger_without_places_is_left_out_and_said() -> None:
    cells: Cells = {"J1": (50, 55)}
    needed = pd.concat([demand(cells), demand(cells).assign(ledger="public")])
    with pytest.warns(pf.AssumptionWarning, match=r"not balanced: junior \(public\)"):
        balance = pf.balance_places(needed, places(cells))
    assert set(balance.stages["ledger"]) == {"all"}


def test_nothing_in_common_is_refused() -> None:
    cells: Cells = {"J1": (50, 55)}
    other = places({"P1": (None, 100)})
    with (
        pytest.warns(pf.AssumptionWarning, match=r"not balanced: junior \(all\)"),
        pytest.raises(pf.InputError, match="have no stage and ledger in common with demand"),
    ):
        pf.balance_places(demand(cells), other)


@pytest.mark.parametrize("name", ["Z", "X"])
def test_a_district_that_would_be_missing_in_the_sums_is_refused(name: str) -> None:
    cells: Cells = {"J1": (50, 55)}
    message = f"demand, column district: '{name}' is not a district of the table districts, or has"
    with pytest.raises(pf.InputError, match=message):
        pf.balance_places(demand(cells, name), places(cells, name), districts=TREE)


# Identities, on a region that differs from cell to cell.


def big() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(9)
    needed, standing = [], []
    for district in ("X-1", "X-2", "Y"):
        for year in (2026, 2027):
            numbers = rng.uniform(50, 150, (4, 2))
            cells: Cells = dict(zip(["P1", "P2", "J1", "J2"], map(tuple, numbers), strict=True))
            needed.append(demand(cells, district, year))
            standing.append(places(cells, district, year))
    both = pd.concat(standing)
    more = both.assign(plan_case="existing", places=both["places"] * 0.9)
    return pd.concat(needed, ignore_index=True), pd.concat([both, more], ignore_index=True)


def test_what_holds_of_every_balance() -> None:
    balance = pf.balance_places(*big(), districts=TREE)
    cells, stages = balance.cells, balance.stages
    assert len(cells) == 3 * 2 * 4 * 2
    assert len(stages) == 5 * 2 * 3 * 2
    assert_books_balance(cells, stages)
    assert_stages_are_sums_of_cells(cells, stages)
    assert_rolls_up(stages, PARENT_OF)
    assert_combined(stages, "compulsory", {"primary", "junior"})
    with pytest.raises(AssertionError, match="balance of a cell"):
        assert_books_balance(with_cell_changed(cells, "places"), stages)
    for value in ("surplus", "cell_shortfall", "demand"):
        with pytest.raises(AssertionError, match=r"places = demand \+"):
            assert_books_balance(cells, with_cell_changed(stages, value))
    with pytest.raises(AssertionError, match="net balance"):
        assert_books_balance(cells, with_cell_changed(stages, "balance"))
    with pytest.raises(AssertionError, match="stages from cells"):
        assert_stages_are_sums_of_cells(with_cell_changed(cells, "demand"), stages)
    with pytest.raises(AssertionError, match="parents from children"):
        assert_rolls_up(with_cell_changed(stages, "pupils"), PARENT_OF)
    with pytest.raises(AssertionError, match="stage compulsory"):
        assert_combined(with_cell_changed(stages, "places"), "compulsory", {"primary", "junior"})


def test_the_order_of_rows_changes_nothing() -> None:
    needed, standing = big()
    one = pf.balance_places(needed, standing, districts=TREE)
    shuffled = needed.sample(frac=1, random_state=1), standing.sample(frac=1, random_state=2)
    other = pf.balance_places(*shuffled, districts=TREE)
    for name in ("cells", "stages"):
        keys = ["plan_case", "district", "year", "stage", *(["grade"] if name == "cells" else [])]
        tables = [
            getattr(balance, name).sort_values(keys).reset_index(drop=True)
            for balance in (one, other)
        ]
        pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
        changed = with_cell_changed(tables[1], "places", 1e-9)
        with pytest.raises(AssertionError, match="are different"):
            pd.testing.assert_frame_equal(tables[0], changed, check_exact=True)
