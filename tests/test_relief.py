"""Relief by bounded transfers: worked by hand, by enumeration, and the identities of any result."""

from __future__ import annotations

import re
from functools import partial
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import scipy.optimize

import placeforecast as pf
from placeforecast.places import relief as room
from placeforecast.places.relief import MOVES, STAGES, Relief, relieve
from placeforecast.tables.grades import load_grades
from schools import with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Array = np.ndarray[Any, np.dtype[np.float64]]

STAGE_OF = {str(g): str(s) for g, s in load_grades().set_index("grade")["stage"].items()}
RUN = ["year", "ledger", "plan_case"]
CELL = ["grade", *RUN]
AREA = ["district", "stage", *RUN]
FAR = 1e9


def cells(balances: dict[Any, float], **named: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return cells with the balance of each (district, grade): 100 places, and their demand."""
    rows = [
        {"district": d, "grade": g, "stage": STAGE_OF[g], "demand": 100.0 - gap}
        for (d, g), gap in balances.items()
    ]
    usual: dict[str, Any] = {"year": 2026, "ledger": "all", "plan_case": "planned", "places": 100.0}
    table = pd.DataFrame(rows).assign(**{**usual, **named})
    return table.assign(balance=table["places"] - table["demand"])


def beside(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    """Return neighbours from (from, to, distance, limit)."""
    return pd.DataFrame(list(rows), columns=["from", "to", "distance", "limit"])


def all_pairs(districts: Iterable[str], limit: float = FAR) -> pd.DataFrame:
    """Return every pair of districts, ever farther apart."""
    return beside(*((*pair, 1.0 + k, limit) for k, pair in enumerate(permutations(districts, 2))))


def moved(relief: Relief, key: str = "grade") -> dict[Any, float]:
    """Return the pupils moved by from, to and a further key."""
    found = relief.moves.set_index(["from", "to", key])["pupils"].round(9)
    assert found.index.is_unique, "a way is listed twice"
    return found.to_dict()


def stage(relief: Relief, district: str, name: str = "junior") -> list[float]:
    """Return shortfall, cell_shortfall, after_transfers, moved_out, moved_in of a stage."""
    found = relief.stages.set_index(["district", "stage"]).loc[(district, name), STAGES[6:]]
    return [round(float(x), 9) for x in found.to_numpy()]


GOOD = cells({("A", "J1"): -10, ("B", "J1"): 10})


def a_region() -> pd.DataFrame:
    """Return drawn balances of 6 districts, 9 grades, 2 years, 2 ledgers and 2 plan cases."""
    rng = np.random.default_rng(7)
    own = list(product("ABCDEF", ["P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2", "J3"]))
    runs = product((2026, 2027), ("all", "public"), ("existing", "planned"))
    gaps = ({key: float(rng.integers(-40, 40)) / 0.95 for key in own} for _ in range(8))
    labels = (dict(zip(RUN, run, strict=True)) for run in runs)
    parts = [cells(gap, **named) for gap, named in zip(gaps, labels, strict=True)]
    return pd.concat(parts, ignore_index=True)


PARENTS = [None, "CITY", "CITY", "X", "X", "X", "Y", "Y", "Y"]
LEVELS = ["city", "county", "county", *["zone"] * 6]
TREE = pd.DataFrame({"district": ["CITY", "X", "Y", *"ABCDEF"], "parent": PARENTS, "level": LEVELS})
KM = [3, 3, 5, 5, 2.5, 2.5, 2.5, 4, 9, 9]
LIMITS = [25, 25, 40, 0, 60, 60, 30, 33.3, FAR, 10]
NEAR = beside(*zip("ABACBDDEFF", "BACACCEFDA", KM, LIMITS, strict=True))


@pytest.fixture(scope="module")
def helped() -> Relief:
    return relieve(a_region(), NEAR, districts=TREE)


def assert_conserved(relief: Relief, balance: pd.DataFrame, neighbours: pd.DataFrame) -> None:
    """Check every move against the cells it leaves and enters, its limit and the stages."""
    moves, start = relief.moves, balance.set_index(["district", *CELL])["balance"]
    assert (moves["pupils"] > 0).all(), "a move of nobody"
    limit = neighbours.set_index(["from", "to"])["limit"]
    used = moves.groupby(["from", "to", *RUN])["pupils"].sum().droplevel([2, 3, 4])
    assert (used <= limit.loc[used.index].to_numpy() + 1e-6).all(), "above a limit"
    leaves = relief.stages[relief.stages["district"].isin(set(balance["district"]))]
    leaves = leaves[leaves["stage"].isin(set(balance["stage"]))].set_index(AREA)
    for end, column, room_for in (("from", "moved_out", -start), ("to", "moved_in", start)):
        summed = moves.groupby([end, *CELL])["pupils"].sum()
        assert summed.index.isin(start.index).all(), f"{column}: no such cell"
        assert (summed <= room_for.clip(lower=0).loc[summed.index] + 1e-6).all(), column
        by_stage = moves.groupby([end, *AREA[1:]])["pupils"].sum().rename_axis(AREA)
        listed = by_stage.reindex(leaves.index, fill_value=0.0)
        np.testing.assert_allclose(leaves[column], listed, atol=1e-6, err_msg=column)


def assert_books(stages: pd.DataFrame) -> None:
    """Check that what is left is what was short less who has gone, and no less than nothing."""
    left = stages["cell_shortfall"] - stages["moved_out"]
    np.testing.assert_allclose(stages["after_transfers"], left, atol=1e-6, err_msg="left")
    assert (stages["after_transfers"] >= 0).all(), "less than nothing is left"
    assert (stages["shortfall"] <= stages["cell_shortfall"] + 1e-9).all(), "net above un-netted"
    region = stages[stages["district"] == "CITY"]
    np.testing.assert_allclose(region["moved_out"], region["moved_in"], atol=1e-6)


def net_of_each_grade(balance: pd.DataFrame) -> pd.Series[float]:
    """Return the shortage of the region by stage if each grade is netted over all districts."""
    net = balance.groupby(["stage", *CELL])["balance"].sum()
    return (-net).clip(lower=0).groupby(AREA[1:]).sum()


def left_of_region(relief: Relief) -> pd.Series[float]:
    rows = relief.stages[relief.stages["district"] == "CITY"]
    return rows[rows["stage"] != "compulsory"].set_index(AREA[1:])["after_transfers"].sort_index()


def assert_no_better_than_net(relief: Relief, balance: pd.DataFrame) -> None:
    more = left_of_region(relief) - net_of_each_grade(balance)
    assert (more >= -1e-6).all(), "more helped than there are places"


def test_every_result_obeys_the_identities(helped: Relief) -> None:
    assert len(helped.moves) > 100
    assert_conserved(helped, a_region(), NEAR)
    assert_books(helped.stages)
    assert_no_better_than_net(helped, a_region())
    nothing_left = Relief(helped.moves, helped.stages.assign(after_transfers=0.0))
    with pytest.raises(AssertionError, match="more helped than there are places"):
        assert_no_better_than_net(nothing_left, a_region())
    assert not helped.stages.isna().any(axis=None)
    assert (list(helped.moves), list(helped.stages)) == (MOVES, STAGES)


def relabelled(moves: pd.DataFrame, column: str, label: object) -> pd.DataFrame:
    """Return moves of which the first that has another label has this one."""
    first = moves.index == (moves[column] != label).idxmax()
    return moves.assign(**{column: moves[column].mask(first, label)})


OTHER_RUN: dict[str, Any] = {"year": 2027, "ledger": "public", "plan_case": "existing"}
LABELS = {"from": "F", "to": "F", "grade": "J3", **OTHER_RUN, "plan_case": "planned"}
CORRUPTED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "one more": with_cell_changed,
    "one less": partial(with_cell_changed, by=-1.0),
    "one lost": lambda moves: moves.drop(index=len(moves) // 2),
    "one twice": lambda moves: pd.concat([moves, moves.iloc[[3]]]),
    "the other way": lambda moves: moves.rename(columns={"from": "to", "to": "from"}),
    **{f"other {n}": partial(relabelled, column=n, label=label) for n, label in LABELS.items()},
}


@pytest.mark.parametrize("corrupted", list(CORRUPTED))
def test_a_corrupted_table_of_moves_breaks_conservation(helped: Relief, corrupted: str) -> None:
    broken = Relief(CORRUPTED[corrupted](helped.moves), helped.stages)
    with pytest.raises((AssertionError, KeyError), match=r"moved_|limit|index|Not equal"):
        assert_conserved(broken, a_region(), NEAR)


@pytest.mark.parametrize("column", ["cell_shortfall", "after_transfers", "moved_out", "moved_in"])
def test_a_corrupted_stage_breaks_the_books(helped: Relief, column: str) -> None:
    city = helped.stages["district"] == "CITY"
    stages = helped.stages.assign(**{column: helped.stages[column] + 1.0 * city})
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        assert_books(stages)


def test_without_neighbours_what_is_left_is_the_unnetted_shortage() -> None:
    """R57: zones are not netted unless pupils can be moved between them."""
    for neighbours in (None, all_pairs("ABCDEF", limit=0.0)):
        relief = relieve(a_region(), neighbours, districts=TREE)
        assert (len(relief.moves), list(relief.moves)) == (0, MOVES)
        assert [relief.moves[n].dtype.kind for n in ("year", "pupils")] == ["i", "f"]
        assert (relief.stages["after_transfers"] == relief.stages["cell_shortfall"]).all()
        assert (relief.stages[["moved_out", "moved_in"]] == 0).all(axis=None)


def test_with_all_neighbours_and_no_limits_each_grade_is_netted() -> None:
    relief = relieve(a_region(), all_pairs("ABCDEF"), districts=TREE)
    np.testing.assert_allclose(left_of_region(relief), net_of_each_grade(a_region()), atol=1e-6)
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        np.testing.assert_allclose(left_of_region(relief), net_of_each_grade(a_region()[1:]))


def test_sums_over_stages_and_areas_are_those_of_the_balance(helped: Relief) -> None:
    """Net and un-netted shortages are the balance's to the last bit, the rest sums of leaves."""
    balance = a_region()[a_region()["plan_case"] == "planned"]
    demand = balance.drop(columns=["plan_case", "places"]).assign(pupils=balance["demand"])
    netted = pf.balance_places(demand, balance.drop(columns="demand"), districts=TREE).stages
    keys, columns = [*AREA, "level"], ["shortfall", "cell_shortfall"]
    ours = helped.stages[helped.stages["plan_case"] == "planned"].set_index(keys)[columns]
    pd.testing.assert_frame_equal(ours, netted.set_index(keys)[columns], check_exact=True)
    sums = helped.stages.set_index(AREA)[["after_transfers", "moved_out", "moved_in"]]
    parents = {"X": "ABC", "Y": "DEF", "CITY": "XY", "compulsory": ("primary", "junior")}
    for parent, parts in parents.items():
        level = int(parent == "compulsory")
        added = sum(sums.xs(part, level=level) for part in parts)
        np.testing.assert_allclose(sums.xs(parent, level=level), added, atol=1e-6)


def test_a_move_helps_as_far_as_pupils_places_and_limit_go() -> None:
    """A lacks 30, B has 50 free, C 5: the limit to B stops at 20, the places of C at 5."""
    balance = cells({("A", "J1"): -30, ("B", "J1"): 50, ("C", "J1"): 5})
    relief = relieve(balance, beside(("A", "B", 4, 20), ("A", "C", 9, 20)))
    assert moved(relief) == {("A", "B", "J1"): 20, ("A", "C", "J1"): 5}
    assert stage(relief, "A") == [30, 30, 5, 25, 0]


def test_net_unnetted_and_after_transfers_stand_side_by_side() -> None:
    """J1 -30 in A and +10 in B, J2 +40 in A: net 20 idle, un-netted 30 short; 10 can move."""
    balance = cells({("A", "J1"): -30, ("B", "J1"): 10, ("A", "J2"): 40, ("B", "J2"): 0})
    tree = pd.DataFrame({"district": ["T", "A", "B"], "parent": [None, "T", "T"]})
    relief = relieve(balance, beside(("A", "B", 1, FAR)), districts=tree)
    assert stage(relief, "T") == [0, 30, 20, 10, 10]
    assert stage(relief, "A") == [0, 30, 20, 10, 0]


def test_a_row_of_neighbours_holds_in_its_own_direction() -> None:
    assert moved(relieve(GOOD, beside(("B", "A", 1, 99)))) == {}
    assert moved(relieve(GOOD, beside(("A", "B", 1, 99)))) == {("A", "B", "J1"): 10}


def test_no_place_of_another_grade_or_ledger_helps() -> None:
    """And a grade that B does not teach is no hindrance to the one that it does."""
    own = cells({("A", "J1"): -9, ("B", "J1"): 2, ("B", "J2"): 9, ("A", "S1"): -9}, ledger="public")
    other = cells({("A", "J1"): 0, ("B", "J1"): 10}, ledger="all")
    assert moved(relieve(pd.concat([own, other]), all_pairs("AB"))) == {("A", "B", "J1"): 2}


def test_a_limit_is_shared_by_all_grades_and_stages_of_a_year() -> None:
    """10 lack a place in P6, J1 and S1 each; 12 can go a year: lower grades first, 10 and 2."""
    balance = cells({(d, g): gap for g in ("S1", "P6", "J1") for d, gap in (("A", -10), ("B", 10))})
    relief = relieve(balance, beside(("A", "B", 1, 12)))
    assert moved(relief) == {("A", "B", "P6"): 10, ("A", "B", "J1"): 2}
    assert stage(relief, "A") == [10, 10, 8, 2, 0]
    assert stage(relief, "A", "compulsory") == [20, 20, 8, 12, 0]


@pytest.mark.parametrize("key", RUN)
def test_years_ledgers_and_plan_cases_have_the_limit_each(key: str) -> None:
    both = pd.concat([GOOD, GOOD.assign(**{key: OTHER_RUN[key]})])
    relief = relieve(both, beside(("A", "B", 1, 6)))
    assert moved(relief, key) == {("A", "B", GOOD[key].iloc[0]): 6, ("A", "B", OTHER_RUN[key]): 6}


@pytest.mark.parametrize(
    "ways",
    [
        # B can go to X only: A must go far, however far, for both to have a place.
        [("A", "X", 1, 99), ("A", "Y", 1e9, 99), ("B", "X", 1, 99)],
        # Both can go to both: 10 x (1 + 2) = 30 pupil-km crosswise, 10 x (3 + 1) = 40 straight.
        [("A", "X", 3, 99), ("A", "Y", 1, 99), ("B", "X", 2, 99), ("B", "Y", 1, 99)],
    ],
)
def test_shortage_comes_first_and_distance_next(ways: list[Any]) -> None:
    balance = cells({("A", "J1"): -10, ("B", "J1"): -10, ("X", "J1"): 10, ("Y", "J1"): 10})
    assert moved(relieve(balance, beside(*ways))) == {("A", "Y", "J1"): 10, ("B", "X", "J1"): 10}


def by_enumeration(gap: Array, limit: Array, distance: Array) -> tuple[float, float]:
    """Return the most pupils moved, and the least pupils x distance of those, by trying all."""
    # Three districts: all bounds form two nested families, so whole pupils do as well as shares.
    every = product(range(2), permutations(range(3), 2))
    ways = [(g, a, b) for g, (a, b) in every if gap[g, a] < 0 < gap[g, b]]
    most = [int(min(-gap[g, a], gap[g, b], limit[a, b])) for g, a, b in ways]
    grid = list(product(*(range(m + 1) for m in most)))
    tried = np.array(grid, dtype=float).reshape(len(grid), len(ways))
    pupils, length = tried.sum(axis=1), tried @ np.array([distance[a, b] for _, a, b in ways])
    lawful, at = pupils >= 0, np.array(ways, dtype=int).reshape(-1, 3)
    for k, d, e in product((0, 1), range(3), range(3)):
        for own in ((at[:, [0, end]] == (k, d)).all(axis=1) for end in (1, 2)):
            lawful &= tried[:, own].sum(axis=1) <= abs(gap[k, d])
        lawful &= tried[:, (at[:, 1:] == (d, e)).all(axis=1)].sum(axis=1) <= limit[d, e]
    best = pupils[lawful].max()
    return float(best), float(length[lawful & (pupils == best)].min())


def test_the_enumeration_itself_is_right() -> None:
    """A lacks 2 and 2 places and B has 3 and 1: 1 and 1 of a limit of 2 go 7 km; 3 without it."""
    gap, km = np.array([[-2.0, 3.0, 0.0], [-2.0, 1.0, 0.0]]), np.full((3, 3), 7.0)
    assert by_enumeration(gap, np.full((3, 3), 2.0), km) == (2, 14)
    assert by_enumeration(gap, np.full((3, 3), 9.0), km) == (3, 21)


@pytest.mark.parametrize("seed", range(40))
def test_no_other_moves_are_better(seed: int) -> None:
    """Three districts and two grades: every lawful move of whole pupils is tried."""
    rng = np.random.default_rng(seed)
    gap = rng.integers(-6, 7, (2, 3)).astype(float)
    limit, km = (rng.integers(low, 9, (3, 3)).astype(float) for low in (0, 1))
    labelled = {("ABC"[d], ("P6", "J1")[g]): gap[g, d] for g in range(2) for d in range(3)}
    pairs = {("ABC"[a], "ABC"[b]): (a, b) for a, b in permutations(range(3), 2)}
    ways = beside(*((*names, km[pair], limit[pair]) for names, pair in pairs.items()))
    relief = relieve(cells(labelled), ways)
    pupils = moved(relief)
    length = sum(n * km[pairs[way[0], way[1]]] for way, n in pupils.items())
    most, least = by_enumeration(gap, limit, km)
    np.testing.assert_allclose([sum(pupils.values()), length], [most, least], atol=1e-6)
    left = relief.stages.query("stage == 'compulsory'")["after_transfers"].sum()
    np.testing.assert_allclose(left, np.maximum(-gap, 0).sum() - most, atol=1e-6)


def test_the_order_of_rows_changes_nothing(helped: Relief) -> None:
    balance, ways = (table.sample(frac=1, random_state=3) for table in (a_region(), NEAR))
    shuffled = relieve(balance, ways, districts=TREE)
    pd.testing.assert_frame_equal(shuffled.moves, helped.moves, check_exact=True)
    pd.testing.assert_frame_equal(shuffled.stages, helped.stages, check_exact=True)


@pytest.mark.parametrize("way", ["highs-ds", "highs-ipm"])
def test_the_way_of_solving_changes_nothing(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many equally good ways simplex and interior point find the same."""
    balance = a_region().assign(demand=lambda t: t["demand"].round(-1))
    balance["balance"] = balance["places"] - balance["demand"]
    ways = all_pairs("ABCDEF", limit=30.0).assign(distance=1.0)
    usual, solve = relieve(balance, ways), scipy.optimize.linprog
    asked = {"method": way}
    monkeypatch.setattr(scipy.optimize, "linprog", lambda *a, **b: solve(*a, **{**b, **asked}))
    again = relieve(balance, ways)
    pd.testing.assert_frame_equal(again.moves, usual.moves, rtol=0, atol=1e-9)


def test_twice_the_people_places_and_limits_move_twice_the_pupils(helped: Relief) -> None:
    balance = a_region()
    balance[["demand", "places", "balance"]] *= 2
    double = relieve(balance, NEAR.assign(limit=NEAR["limit"] * 2), districts=TREE)
    np.testing.assert_allclose(double.moves["pupils"], helped.moves["pupils"] * 2, atol=1e-6)


def test_the_weights_are_roots_of_primes() -> None:
    """Known: the thousandth prime is 7919 (OEIS A000040)."""
    assert [list(room._primes(n)) for n in (1, 2, 6)] == [[2], [2, 3], [2, 3, 5, 7, 11, 13]]
    assert room._primes(1000)[-1] == 7919


def test_the_solver_is_loaded_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it does not solve is said."""
    assert [name for name in ("scipy", "linprog", "csr_array") if hasattr(room, name)] == []
    stopped = scipy.optimize.OptimizeResult(status=1, message="Time limit reached.")
    monkeypatch.setattr(scipy.optimize, "linprog", lambda *_, **__: stopped)
    with pytest.raises(RuntimeError, match=r"transfers were not solved: Time limit reached\."):
        relieve(GOOD, all_pairs("AB"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("A", "Z-9", 1, 1)], "row 1, column to: 'Z-9' has no cells in the balance. Known: A, B."),
        ([("X", "B", 1, 1)], "'X' has no cells in the balance. Name the districts below it, one"),
        ([("B", "B", 1, 1)], "row 1, column to: 'B' is its own neighbour. Remove the row, or name"),
        ([("A", "B", 1, 1), ("A", "B", 2, 1)], "neighbours, row 2: repeats row 1 (from A, to B)."),
        ([("A", "B", 1, -1)], "neighbours, row 1, column limit: '-1' is below 0"),
        ([], "neighbours: has no rows. Fill it, or remove it."),
    ],
)
def test_neighbours_that_cannot_be_are_refused(rows: list[Any], message: str) -> None:
    tree = pd.DataFrame({"district": ["X", "A", "B"], "parent": [None, "X", "X"]})
    with pytest.raises(pf.InputError, match=re.escape(message)):
        relieve(GOOD, beside(*rows), districts=tree)


@pytest.mark.parametrize(
    ("balance", "message"),
    [
        (GOOD.drop(columns="places"), "places: is missing. Take the cells as `balance_places`"),
        (GOOD.iloc[:0], "balance_cells: has no rows"),
        (GOOD.assign(demand=[1, np.nan]), "demand: is not a number in 1 cells, first: B 2026 J1 a"),
        (GOOD.assign(ledger=np.nan), "column ledger: is blank in 2 cells, first: A 2026 J1"),
        (GOOD.assign(balance=9.0), "balance: is not places - demand in 2 cells, first: A 2026 J1"),
        (GOOD.assign(grade="J9"), "balance_cells, column grade: 'J9' is not on the axis"),
        (pd.concat([GOOD, GOOD]), "balance_cells: repeats a cell: year 2026, grade J1, district A"),
        (pd.concat([GOOD.assign(scenario=s) for s in "ab"]), "scenario: holds several scenarios."),
    ],
)
def test_cells_that_cannot_be_are_refused(balance: pd.DataFrame, message: str) -> None:
    with pytest.raises(pf.InputError, match=re.escape(message)):
        relieve(balance, all_pairs("AB"))


@pytest.mark.parametrize("tree", [{"A": ""}, {"A": "", "B": "", "B-1": "B"}])
def test_a_district_that_the_sums_would_lose_is_refused(tree: dict[str, str]) -> None:
    districts = pd.DataFrame({"district": list(tree), "parent": list(tree.values())})
    message = r"'B' is not a district of the table districts, or has others below it\. Add its row"
    with pytest.raises(pf.InputError, match=message):
        relieve(GOOD, all_pairs("AB"), districts=districts.replace("", None))
