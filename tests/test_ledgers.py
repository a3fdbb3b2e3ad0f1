"""The ledgers of compulsory schools: migrants, purchased places, the private cap, changed hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.sectors import ledger_shares
from schools import SIMPLE, by_year, found, pupils, region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

YEARS = range(2026, 2030)


def close(actual: Sequence[float], expected: Sequence[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def policy(indicator: str, values: Mapping[int, float] | float, **keys: str) -> pd.DataFrame:
    path = values if not isinstance(values, float) else {YEARS[0]: values}
    rows = {"indicator": indicator, "year": list(path), "value": list(path.values())}
    return pd.DataFrame({**rows, **keys})


def taught(number: float, grade: str = "P1", district: str = "A", **keys: str) -> pd.DataFrame:
    rows = {"district": district, "year": list(YEARS), "grade": grade, "pupils": number}
    return pd.DataFrame({**rows, **keys})


def demand(
    cells: pd.DataFrame | Sequence[pd.DataFrame],
    *rows: pd.DataFrame,
    **tables: Any,  # noqa: ANN401
) -> pd.DataFrame:
    table = cells if isinstance(cells, pd.DataFrame) else pd.concat(cells, ignore_index=True)
    given = pd.concat(rows, ignore_index=True) if rows else None
    return pf.demand_places(table, pf.Assumptions(policy=given, **tables))


def held(table: pd.DataFrame, ledger: str, grade: str = "P1", district: str = "A") -> list[float]:
    return found(table, grade, district=district, ledger=ledger)


# Migrants.

BOTH = [taught(300.0, residence="local"), taught(100.0, residence="migrant")]
LOCAL = policy("public_share", 0.9, residence="local")
RISING = policy("migrant_public_share", {2026: 0.6, 2028: 0.85}, stage="primary")


def assert_r05(table: pd.DataFrame, ratio: Sequence[float], migrants: float) -> None:
    """Check public(t) - public(0) = (ratio(t) - ratio(0)) x migrants."""
    public = np.array(held(table, "public"))
    rise = (np.array(ratio) - ratio[0]) * migrants
    np.testing.assert_allclose(public - public[0], rise, rtol=1e-9, atol=1e-9, err_msg="R05")


def test_r05_public_demand_rises_with_the_ratio_of_migrants() -> None:
    """0.9 x 300 + 0.6 x 100 = 330; 0.725 in 2027 and 0.85 from 2028 on."""
    table = demand(BOTH, LOCAL, RISING)
    close(held(table, "public"), [330, 342.5, 355, 355])
    close(held(table, "all"), [400] * 4)
    assert_r05(table, [0.6, 0.725, 0.85, 0.85], 100)
    wrong = table.copy()
    wrong.loc[wrong.index[wrong["ledger"] == "public"][2], "pupils"] += 1e-4
    with pytest.raises(AssertionError, match="R05"):
        assert_r05(wrong, [0.6, 0.725, 0.85, 0.85], 100)


def test_r05_a_share_of_all_pupils_is_not_that_of_migrants() -> None:
    """A public share of all is 0.9 of the local pupils, and migrants have their own ratio."""
    everybody = policy("public_share", 0.9)
    close(held(demand(BOTH, everybody, RISING), "public"), [330, 342.5, 355, 355])
    close(held(demand(BOTH, everybody), "public"), [360] * 4)


def test_r05_purchased_places_count_in_the_ratio_and_are_no_public_ones() -> None:
    """0.8 of 100 migrants are in public or purchased places, 0.1 in purchased ones: 70 public."""
    bought = [policy("purchased_share", v, residence=r) for r, v in (("migrant", 0.1),)]
    bought.append(policy("purchased_share", 0.0, residence="local"))
    table = demand(BOTH, LOCAL, policy("migrant_public_share", 0.8), *bought)
    close(held(table, "public"), [270 + 70] * 4)
    close(held(table, "public_with_purchased"), [270 + 80] * 4)


def test_fewer_in_public_or_purchased_places_than_in_purchased_ones_are_refused() -> None:
    message = (
        r"policy, column value: has fewer migrants in public or purchased places than in purchased "
        r"ones: A primary migrant 2026\. Raise migrant_public_share, or lower purchased_share\."
    )
    with pytest.raises(pf.InputError, match=message):
        demand(BOTH, LOCAL, policy("migrant_public_share", 0.1), policy("purchased_share", 0.2))


@pytest.mark.parametrize(
    ("row", "name", "lacking"),
    [
        (policy("migrant_public_share", 0.8), "public_share", "local"),
        (policy("public_share", 0.9, residence="local"), "public_share", "migrant"),
        (policy("purchased_share", 0.1, residence="migrant"), "purchased_share", "local"),
    ],
)
def test_a_share_of_one_class_of_residence_alone_is_refused(
    row: pd.DataFrame, name: str, lacking: str
) -> None:
    """The ledger would hold one class and leave the other one out without a word."""
    message = (
        rf"policy, column residence: gives {name} of a part of the pupils, not of: A primary "
        rf"{lacking} 2026\. Give it for the other class of residence, too \(0 if there are none\)\."
    )
    with pytest.raises(pf.InputError, match=message):
        demand(BOTH, row)


def test_a_class_without_pupils_needs_no_share() -> None:
    nobody = [BOTH[0], taught(0.0, residence="migrant")]
    close(held(demand(nobody, LOCAL), "public"), [270] * 4)


def test_shares_are_learnt_by_residence() -> None:
    """As counted: 90 % of 200 local and 50 % of 100 migrant pupils are in public schools."""
    counts = {("local", "public"): 180, ("local", "private"): 20}
    counts |= {("migrant", "public"): 50, ("migrant", "private"): 50}
    enrolment = pd.concat(
        pupils({"P1": [float(n)] * 3}, 2023, residence=r, sector=s) for (r, s), n in counts.items()
    )
    born = by_year("births", [100.0] * 40, 1990, district="A").query("year <= 2025")
    result = pf.forecast(region(enrolment, born), model=SIMPLE)
    close(held(result.demand, "public"), [230] * 4)
    raised = policy("migrant_public_share", {2025: 0.5, 2027: 0.8}, stage="primary")
    result = pf.forecast(region(enrolment, born, policy=raised), model=SIMPLE)
    close(held(result.demand, "public"), [230, 245, 260, 260])
    close(held(result.demand, "all"), [300] * 4)


# The cap on private pupils.

TREE = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})


def assert_cap(table: pd.DataFrame, cap: Mapping[int, float], *, bought: float = 0.0) -> None:
    """Check 1 - (public + purchased) / E at most the cap, over all cells of a year."""
    sums = table.groupby(["ledger", "year"])["pupils"].sum()
    for year, most in cap.items():
        private = 1 - sums[("public", year)] / sums[("all", year)] - bought
        assert private <= most + 1e-9, f"private share {private} in {year}"


def test_r02_the_private_share_comes_down_to_its_cap() -> None:
    """30 % private, 20 % at most in 2026 and 10 % in 2028: public 80, 85, 90, 90 of 100."""
    cap = policy("private_cap", {2026: 0.2, 2028: 0.1})
    table = demand(taught(100.0), policy("public_share", 0.7), cap)
    close(held(table, "public"), [80, 85, 90, 90])
    path = {2026: 0.2, 2027: 0.15, 2028: 0.1, 2029: 0.1}
    assert_cap(table, path)
    wrong = table.copy()
    wrong.loc[wrong.index[wrong["ledger"] == "public"][1], "pupils"] -= 1e-4
    with pytest.raises(AssertionError, match="private share"):
        assert_cap(wrong, path)


def test_r02_purchased_places_are_not_private_ones() -> None:
    """70 public and 10 purchased of 100: 20 private, 15 at most."""
    rows = [policy("public_share", 0.7), policy("purchased_share", 0.1)]
    table = demand(taught(100.0), *rows, policy("private_cap", 0.15))
    close(held(table, "public"), [75] * 4)
    close(held(table, "public_with_purchased"), [85] * 4)
    assert_cap(table, dict.fromkeys(YEARS, 0.15), bought=0.1)


def test_a_share_below_the_cap_stays() -> None:
    table = demand(taught(100.0), policy("public_share", 0.9), policy("private_cap", 0.15))
    close(held(table, "public"), [90] * 4)


CITY = [
    taught(200.0),
    taught(100.0, "J1"),
    taught(200.0, district="B"),
    taught(100.0, "J1", district="B"),
]
"""A has 60 private primary pupils and 30 private junior ones, B none: 90 of 600 are 15 %."""
OWN = [policy("public_share", 0.7, district="A"), policy("public_share", 1.0, district="B")]


@pytest.mark.parametrize(
    ("cap", "public"),
    [
        # Blank: each district and each stage by itself, 15 % of each.
        ({}, [170, 85]),
        ({"stage": "compulsory"}, [170, 85]),
        ({"district": "A"}, [170, 85]),
        # The county is at 15 % already.
        ({"district": "C", "stage": "compulsory"}, [140, 70]),
        ({"district": "C"}, [140, 70]),
    ],
)
def test_r02_a_cap_holds_for_the_area_and_the_stages_that_it_names(
    cap: dict[str, str], public: list[float]
) -> None:
    table = demand(CITY, *OWN, policy("private_cap", 0.15, **cap), districts=TREE)
    close([held(table, "public", g)[0] for g in ("P1", "J1")], public)
    close([held(table, "public", g, "B")[0] for g in ("P1", "J1")], [200, 100])


def test_r02_a_cap_of_the_county_takes_from_all_its_private_schools_alike() -> None:
    """5 % of 600 are 30 of 90: every private school keeps a third, A has 180 and 90 public."""
    cap = policy("private_cap", 0.05, district="C", stage="compulsory")
    table = demand(CITY, *OWN, cap, districts=TREE)
    close([held(table, "public", g)[0] for g in ("P1", "J1")], [180, 90])
    assert_cap(table, dict.fromkeys(YEARS, 0.05))


def test_a_combined_cap_adds_its_stages_up() -> None:
    """40 % of 200 primary pupils are private and no junior ones: 80 of 300, 45 at most."""
    shares = [policy("public_share", v, stage=s) for s, v in (("primary", 0.6), ("junior", 1.0))]
    cells = [taught(200.0), taught(100.0, "J1")]
    whole = demand(cells, *shares, policy("private_cap", 0.15, stage="compulsory"))
    close([held(whole, "public", g)[0] for g in ("P1", "J1")], [155, 100])
    each = demand(cells, *shares, policy("private_cap", 0.15))
    close([held(each, "public", g)[0] for g in ("P1", "J1")], [170, 100])


def test_a_cap_without_a_public_share_is_refused() -> None:
    message = (
        r"policy, column indicator: gives private_cap, but no public share is known: A primary "
        r"2026\. Give enrolment by sector, or public_share\."
    )
    with pytest.raises(pf.InputError, match=message):
        demand(taught(100.0), policy("private_cap", 0.15))


# Schools that change hands.


def places(**by_sector: float) -> pd.DataFrame:
    rows = {"district": "A", "year": 2025, "stage": "junior"}
    return pd.DataFrame({**rows, "sector": list(by_sector), "places": list(by_sector.values())})


def conversion(number: float, **other: Any) -> pd.DataFrame:  # noqa: ANN401
    row = {"project": "West", "stage": "junior", "district": "A", "kind": "conversion"}
    row |= {"from_sector": "private", "sector": "public", "status": "approved"}
    return pd.DataFrame({**row, "places": [number], "opens": 2027, **other})


JUNIORS = [taught(500.0, f"J{i}") for i in (1, 2, 3)]
STANDING = {"public": 900.0, "private": 600.0}


def both_sides(
    projects: pd.DataFrame | None,
    *rows: pd.DataFrame,
    **tables: Any,  # noqa: ANN401
) -> dict[str, pd.Series[float]]:
    """Return places needed and places of each ledger and year."""
    shares = rows or (policy("public_share", 0.7, stage="junior"),)
    given = pf.Assumptions(
        policy=pd.concat(shares), places=places(**STANDING), projects=projects, **tables
    )
    needed = pf.demand_places(pd.concat(JUNIORS), given)
    standing = pf.schedule_places(given, YEARS)
    keys = ["ledger", "year"]
    return {
        "demand": needed.groupby(keys)["demand"].sum(),
        "places": standing.groupby(keys)["places"].sum(),
    }


def of(sums: pd.Series[float], ledger: str) -> list[float]:
    return [float(sums[(ledger, year)]) for year in YEARS]


def assert_r02(after: dict[str, pd.Series[float]], number: float) -> None:
    """Check that a conversion adds one number to both sides of the public ledger only."""
    before = both_sides(None)
    for side, sums in after.items():
        rise = sums - before[side]
        came = [0, *[number] * 3]
        public, everybody = of(rise, "public"), of(rise, "all")
        np.testing.assert_allclose(public, came, rtol=1e-9, atol=1e-9, err_msg=side)
        np.testing.assert_allclose(everybody, 0, atol=1e-9, err_msg=f"{side} of all")


def test_r02_a_school_that_turns_public_moves_demand_and_supply_together() -> None:
    """150 places and their pupils from 2027 on: 1050 + 150 pupils in 900 + 150 places."""
    after = both_sides(conversion(150.0))
    assert_r02(after, 150)
    close(of(after["demand"], "public"), [1050, 1200, 1200, 1200])
    close(of(after["places"], "public"), [900, 1050, 1050, 1050])


@pytest.mark.parametrize("side", ["demand", "places"])
@pytest.mark.parametrize("ledger", ["all", "public"])
def test_a_wrong_side_of_a_conversion_is_found(side: str, ledger: str) -> None:
    after = both_sides(conversion(150.0))
    after[side][(ledger, 2028)] += 1e-4
    with pytest.raises(AssertionError, match=side):
        assert_r02(after, 150)


def test_r02_spare_places_that_change_hands_have_no_pupils() -> None:
    """Of 150 places 10 % are free: 135 pupils, who need 150 places."""
    free = pd.DataFrame({"indicator": ["spare_share"], "value": [0.1]})
    before, after = (both_sides(plan, standards=free) for plan in (None, conversion(150.0)))
    for side in ("demand", "places"):
        close(of(after[side] - before[side], "public"), [0, 150, 150, 150])


def test_r02_more_places_than_private_pupils_are_said() -> None:
    """30 % of 500 in each grade are 150 private pupils; 200 places of each change hands."""
    message = (
        r"projects: more places change hands than pupils do \(public, 9 cells, first: A J1 2027\)"
    )
    with pytest.warns(pf.AssumptionWarning, match=message):
        after = both_sides(conversion(600.0))
    close(of(after["demand"], "public"), [1050, 1500, 1500, 1500])


def test_r02_a_school_that_sells_its_places_stays_out_of_the_public_ledger() -> None:
    rows = [policy("public_share", 0.6, stage="junior")]
    rows.append(policy("purchased_share", 0.1, stage="junior"))
    plan = conversion(150.0, sector="purchased")
    before, after = (both_sides(p, *rows) for p in (None, plan))
    rise = after["demand"] - before["demand"]
    close(of(rise, "public"), [0] * 4)
    close(of(rise, "public_with_purchased"), [0, 150, 150, 150])
    close(of(after["places"], "public"), [900] * 4)


def test_r02_a_cap_does_not_move_those_again_who_left_with_their_school() -> None:
    """450 of 1500 are private and 150 leave with their school: 75 more go to be 15 %, not 225.

    The shares hold the 75 alone; the 150 come on top of them with their places.
    """
    cells = pd.concat(JUNIORS, ignore_index=True).assign(stage="junior")
    rows = [policy("public_share", 0.7), policy("private_cap", 0.15)]
    given = pf.Assumptions(policy=pd.concat(rows))
    leaving = pd.Series(50.0, index=cells.index)
    first = (cells["year"] == YEARS[0]).to_numpy()
    public = ledger_shares(cells, given, leaving=leaving)["public"] * cells["pupils"]
    assert public[first].sum() == pytest.approx(1050 + 75, rel=1e-9)
    alone = ledger_shares(cells, given)["public"] * cells["pupils"]
    assert alone[first].sum() == pytest.approx(1050 + 225, rel=1e-9)
    gone = pd.Series(200.0, index=cells.index)
    enough = ledger_shares(cells, given, leaving=gone)["public"] * cells["pupils"]
    assert enough[first].sum() == pytest.approx(1050, rel=1e-9)
