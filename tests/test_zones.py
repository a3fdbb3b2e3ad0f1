"""Hot spots and crowding: zones that are short, and zones that stand empty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.balance import balance_places
from placeforecast.places.zones import crowding, hot_spots

GRADES = ("P1", "P2")
TREE = pd.DataFrame(
    {
        "district": ["C", "A", "A-U", "A-T", "A-R", "B", "B-U", "B-R"],
        "parent": [None, "C", "A", "A", "A", "C", "B", "B"],
        "zone_type": [None, None, "urban", "town", "rural", None, "urban", "rural"],
        "tag": [None, None, "renewal", "fringe", None, None, "new_estate", None],
    }
)
ONE = pd.DataFrame({"district": ["A-U"], "tag": ["renewal"], "zone_type": ["urban"]})
PUPILS = {
    # P1 and P2 of each leaf; 100 places stand in each.
    "A-U": (130.0, 90.0),
    "A-T": (110.0, 100.0),
    "A-R": (40.0, 60.0),
    "B-U": (105.0, 105.0),
    "B-R": (120.0, 20.0),
}


def balance_of(pupils: dict[str, tuple[float, float]], **changed: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return the balance of P1 and P2 by leaf and parent."""
    rows = [
        (leaf, grade, number)
        for leaf, own in pupils.items()
        for grade, number in zip(GRADES, own, strict=True)
    ]
    demand = pd.DataFrame(rows, columns=["district", "grade", "pupils"])
    demand = demand.assign(year=2026, stage="primary", ledger="public", **changed)
    demand = demand.assign(demand=demand["pupils"])
    stands = demand[["district", "year", "grade", "stage", "ledger"]]
    places = stands.assign(places=100.0, plan_case="planned")
    return balance_places(demand, places, districts=TREE).stages


def short(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return rows of a balance of A-U, as far as hot spots read it."""
    usual = {"district": "A-U", "year": 2026, "stage": "primary", "ledger": "public"}
    usual["plan_case"] = "planned"
    return pd.DataFrame([{**usual, **row} for row in rows])


def test_r13_tagged_zones_are_ranked_by_their_largest_shortage() -> None:
    """R13: 30 short in A-U (its spare P2 does not help), 10 in A-T, 5 + 5 in B-U."""
    found = hot_spots(balance_of(PUPILS), TREE)
    assert found["district"].tolist() == ["A-U", "A-T", "B-U"]
    assert found["tag"].tolist() == ["renewal", "fringe", "new_estate"]
    assert found["cell_shortfall"].tolist() == [30.0, 10.0, 10.0]
    assert found["rank"].tolist() == [1, 2, 3]


def test_r13_a_zone_without_a_tag_or_a_shortage_is_no_hot_spot() -> None:
    """R13: B-R is short of 20 and has no tag; in A-T nobody is short now."""
    found = hot_spots(balance_of({**PUPILS, "A-T": (100.0, 20.0)}), TREE)
    assert found["district"].tolist() == ["A-U", "B-U"]
    nobody = hot_spots(balance_of(dict.fromkeys(PUPILS, (1.0, 1.0))), TREE)
    assert nobody.empty
    assert nobody.columns.tolist() == found.columns.tolist()


def test_the_worst_year_and_the_span_of_a_hot_spot() -> None:
    by_year = {2025: 0.0, 2026: 5.0, 2027: 20.0, 2028: 20.0, 2029: 0.0, 2030: 3.0}
    rows = [{"year": year, "cell_shortfall": number} for year, number in by_year.items()]
    junior = {"stage": "junior", "year": 2032, "cell_shortfall": 19.0}
    (row,) = hot_spots(short(*rows, junior), ONE).to_dict("records")
    assert (row["year"], row["stage"], row["cell_shortfall"]) == (2027, "primary", 20.0)
    assert (row["first_year"], row["last_year"]) == (2026, 2030)


def test_all_is_judged_where_a_stage_has_no_public_ledger_and_sums_are_passed_over() -> None:
    rows = [
        {"ledger": "all", "cell_shortfall": 90.0},
        {"ledger": "public", "cell_shortfall": 20.0},
        {"ledger": "all", "stage": "junior", "cell_shortfall": 30.0},
        {"ledger": "all", "stage": "compulsory", "cell_shortfall": 120.0},
        {"ledger": "all", "stage": "junior", "plan_case": "existing", "cell_shortfall": 300.0},
    ]
    (row,) = hot_spots(short(*rows), ONE).to_dict("records")
    assert (row["stage"], row["ledger"], row["cell_shortfall"]) == ("junior", "all", 30.0)
    (row,) = hot_spots(short(*rows), ONE, plan_case="existing").to_dict("records")
    assert row["cell_shortfall"] == 300.0


def test_rounding_is_no_shortage() -> None:
    assert hot_spots(short({"cell_shortfall": 1e-9}), ONE).empty


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"A": "renewal"}, "tags of A are not used: they have others below them"),
        ({"B-R": "fringe"}, "tags of B-R are not used: the balance lacks them"),
    ],
)
def test_a_tag_that_moves_nothing_is_said(tags: dict[str, str], told: str) -> None:
    tree = TREE.assign(tag=TREE["district"].map({"A-U": "renewal", **tags}))
    balance = balance_of({"A-U": (130.0, 90.0)})
    with pytest.warns(pf.AssumptionWarning, match=told):
        found = hot_spots(balance, tree)
    assert found["district"].tolist() == ["A-U"]


def test_r16_r57_full_towns_stand_beside_empty_villages() -> None:
    """R16, R57: county A is 60 places idle in the sum, and 40 short in its towns.

    A-U 220 of 200, A-T 210 of 200, A-R 100 of 200; short 30 + 10, idle in the village 60 + 40.
    """
    (row,) = crowding(balance_of(PUPILS), TREE).query("district == 'A'").to_dict("records")
    assert row["urban"] == pytest.approx(1.10)
    assert row["town"] == pytest.approx(1.05)
    assert row["rural"] == pytest.approx(0.50)
    assert row["crowded"] == pytest.approx(40.0)
    assert row["empty"] == pytest.approx(100.0)


def test_r57_the_city_adds_its_counties_up_and_nets_nothing() -> None:
    """R57: B-R is short of 20 in P1, which no spare place of its P2 makes good or hides."""
    whole, _, county = crowding(balance_of(PUPILS), TREE).to_dict("records")
    assert [whole["district"], county["district"]] == ["C", "B"]
    assert [county["crowded"], county["empty"]] == [10.0, 80.0]
    assert [whole["crowded"], whole["empty"]] == [50.0, 180.0]
    assert whole["urban"] == pytest.approx((220 + 210) / 400)
    assert np.isnan(county["town"])


def assert_parents_add_up(table: pd.DataFrame) -> None:
    """Check that the crowding of C is that of A and B."""
    parts = table[table["district"] != "C"][["crowded", "empty"]].sum()
    whole = table[table["district"] == "C"][["crowded", "empty"]].sum()
    np.testing.assert_allclose(whole, parts, rtol=1e-12, err_msg="parents")


def test_parents_add_up_and_a_changed_cell_is_noticed() -> None:
    table = crowding(balance_of(PUPILS), TREE)
    assert_parents_add_up(table)
    for column in ("crowded", "empty"):
        wrong = table.copy()
        wrong[column] += np.where(wrong["district"] == "A", 1.0, 0.0)
        with pytest.raises(AssertionError, match="parents"):
            assert_parents_add_up(wrong)


def test_a_stage_that_a_zone_lacks_adds_nothing() -> None:
    """A county whose only zone has no school of the stage has no row of it."""
    balance = balance_of({"A-U": (130.0, 90.0)})
    (row, _) = crowding(balance, TREE).to_dict("records")
    assert (row["district"], row["crowded"], row["empty"]) == ("C", 30.0, 0.0)
    assert np.isnan(row["rural"])
    assert crowding(balance, TREE)["district"].tolist() == ["C", "A"]


def test_where_no_place_stands_there_is_no_utilisation() -> None:
    balance = balance_of(PUPILS)
    balance.loc[balance["district"] == "A-R", "places"] = 0.0
    (row,) = crowding(balance, TREE).query("district == 'A'").to_dict("records")
    assert np.isnan(row["rural"])


def test_zones_of_another_kind_are_said() -> None:
    tree = TREE.assign(zone_type=TREE["zone_type"].where(TREE["district"] != "A-T", "functional"))
    told = "A-T are neither urban, town nor rural, and are in no column of crowding"
    with pytest.warns(pf.AssumptionWarning, match=told):
        table = crowding(balance_of(PUPILS), tree)
    assert table.query("district == 'A'")["crowded"].tolist() == [30.0]


def test_the_order_of_rows_changes_nothing() -> None:
    balance = balance_of(PUPILS)
    turned = balance.iloc[::-1]
    pd.testing.assert_frame_equal(hot_spots(turned, TREE), hot_spots(balance, TREE))
    by_area = crowding(turned, TREE)
    pd.testing.assert_frame_equal(by_area, crowding(balance, TREE))


@pytest.mark.parametrize("judge", [hot_spots, crowding])
def test_what_would_mislead_is_refused(judge: Any) -> None:  # noqa: ANN401
    balance = balance_of(PUPILS)
    with pytest.raises(pf.InputError, match=r"column plan_case: 'plan' is not a plan case of the"):
        judge(balance, TREE, plan_case="plan")
    with pytest.raises(pf.InputError, match=r"balance, column cell_shortfall: is missing"):
        judge(balance.drop(columns="cell_shortfall"), TREE)
    two = pd.concat([balance.assign(scenario=name) for name in ("low", "high")])
    with pytest.raises(pf.InputError, match=r"column scenario: holds several scenarios"):
        judge(two, TREE)
    blank = balance.assign(cell_shortfall=balance["cell_shortfall"].where(balance.index != 3))
    with pytest.raises(pf.InputError, match=r"column cell_shortfall: is blank, first: A-T 2026"):
        judge(blank, TREE)


def test_a_tree_without_its_columns_is_refused() -> None:
    balance = balance_of(PUPILS)
    with pytest.raises(pf.InputError, match=r"districts, column tag: is missing"):
        hot_spots(balance, TREE.drop(columns="tag"))
    with pytest.raises(pf.InputError, match=r"districts, column zone_type: is missing"):
        crowding(balance, TREE.drop(columns="zone_type"))
    with pytest.raises(pf.InputError, match=r"'B-R' is not a district of the table districts"):
        crowding(balance, TREE[TREE["district"] != "B-R"])
    with pytest.raises(pf.InputError, match=r"repeats a cell: district A-U, year 2026"):
        crowding(pd.concat([balance, balance[balance["district"] == "A-U"]]), TREE)
