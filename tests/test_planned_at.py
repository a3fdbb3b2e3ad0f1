"""R18: senior stages are balanced at the city, and its places allotted to those who need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from balances import assert_books_balance, assert_rolls_up, assert_stages_are_sums_of_cells

if TYPE_CHECKING:
    from placeforecast.places.balance import Balance

TREE = pd.DataFrame(
    {
        "district": ["C", "X", "A", "B", "D"],
        "parent": [None, "C", "X", "X", "C"],
        "level": ["city", "county", "zone", "zone", "county"],
    }
)
"""City C has the county D and the county X with its zones A and B."""
GENERAL = ("S1", "S2", "S3")
Numbers = dict[str, tuple[float, ...]]
NEEDED: Numbers = {"S1": (300, 100, 200), "S2": (250, 150, 100), "S3": (0, 0, 0)}
STANDING: Numbers = {"S1": (100, 220, 160), "S2": (200, 200, 220), "S3": (10, 0, 20)}
"""By grade in A, B and D: 600 pupils and 480 places of S1; 500 and 620 of S2; nobody in S3."""


def table(value: str, numbers: Numbers, **keys: Any) -> pd.DataFrame:  # noqa: ANN401
    rows = [
        {"district": d, "year": 2026, "grade": g, "ledger": "all", value: float(n), **keys}
        for g, of_grade in numbers.items()
        for d, n in zip(("A", "B", "D"), of_grade, strict=True)
    ]
    return pd.DataFrame(rows)


def demand(numbers: Numbers = NEEDED, stage: str = "senior_general") -> pd.DataFrame:
    needed = table("demand", numbers, stage=stage)
    return needed.assign(pupils=needed["demand"])


def places(numbers: Numbers = STANDING, stage: str = "senior_general") -> pd.DataFrame:
    return table("places", numbers, stage=stage, plan_case="planned")


def planned_at(level: str | None, **keys: Any) -> pd.DataFrame:  # noqa: ANN401
    rows = {"indicator": ["planned_at"], "stage": "senior_general", "value": level}
    return pd.DataFrame({**rows, **keys})


def balance(
    level: str | None = "city",
    needed: pd.DataFrame | None = None,
    standing: pd.DataFrame | None = None,
) -> Balance:
    return pf.balance_places(
        demand() if needed is None else needed,
        places() if standing is None else standing,
        districts=TREE,
        standards=None if level is None else planned_at(level),
    )


def by_district(cells: pd.DataFrame, grade: str, value: str = "places") -> list[float]:
    rows = cells[cells["grade"] == grade].set_index("district")[value]
    return [float(rows[d]) for d in ("A", "B", "D")]


def assert_planned(cells: pd.DataFrame, stages: pd.DataFrame) -> None:
    """Check that districts add up to the city, and that its cells are its grades."""
    city = stages[(stages["district"] == "C") & (stages["stage"] == "senior_general")].iloc[0]
    message = "districts add up to the city"
    np.testing.assert_allclose(cells["balance"].sum(), city["balance"], rtol=1e-9, err_msg=message)
    net = cells.groupby("grade")["balance"].sum()
    for kind, part in {"cell_shortfall": -net, "cell_surplus": net}.items():
        wanted = np.maximum(part, 0.0).sum()
        np.testing.assert_allclose(city[kind], wanted, rtol=1e-9, atol=1e-9, err_msg=kind)


def test_r18_places_of_the_city_go_where_they_are_needed() -> None:
    """480 places of S1 over 300, 100 and 200 pupils: 240, 80, 160; 620 of S2: 310, 186, 124."""
    cells = balance().cells
    np.testing.assert_allclose(by_district(cells, "S1"), [240, 80, 160])
    np.testing.assert_allclose(by_district(cells, "S2"), [310, 186, 124])
    # Nobody needs a place of S3: they stay where they stand.
    np.testing.assert_allclose(by_district(cells, "S3"), [10, 0, 20])
    np.testing.assert_allclose(by_district(cells, "S1", "balance"), [-60, -20, -40])


def test_r18_the_city_is_short_of_its_grades_not_of_its_districts() -> None:
    """S1 is short of 120 and S2 has 120 idle, S3 30; by district 200 + 40 + 50 would be short."""
    stages = balance().stages
    city = stages[stages["district"] == "C"].iloc[0]
    assert city["cell_shortfall"] == pytest.approx(120, rel=1e-9)
    assert city["cell_surplus"] == pytest.approx(150, rel=1e-9)
    assert city["balance"] == pytest.approx(30, rel=1e-9)
    apart = balance(None).stages
    assert apart[apart["district"] == "C"].iloc[0]["cell_shortfall"] == 200 + 40 + 50


@pytest.mark.parametrize("column", ["balance", "places"])
def test_r18_districts_add_up_to_the_city(column: str) -> None:
    result = balance()
    assert_planned(result.cells, result.stages)
    assert_books_balance(result.cells, result.stages)
    assert_stages_are_sums_of_cells(result.cells, result.stages)
    assert_rolls_up(result.stages, {"A": "X", "B": "X"})
    for table_ in (result.cells, result.stages):
        wrong = table_.copy()
        at = int(wrong["district"].isin(["C", "B"]).to_numpy().argmax())
        wrong = wrong.assign(**{column: wrong[column] + 1e-3 * (wrong.index == at)})
        with pytest.raises(AssertionError, match=r"balance|places|add up"):
            assert_all(wrong, result, cells=table_ is result.cells)


def assert_all(wrong: pd.DataFrame, right: Any, *, cells: bool) -> None:  # noqa: ANN401
    pair = (wrong, right.stages) if cells else (right.cells, wrong)
    assert_planned(*pair)
    assert_books_balance(*pair)


@pytest.mark.parametrize("seed", range(5))
def test_r18_whatever_the_numbers(seed: int) -> None:
    random = np.random.default_rng(seed)
    needed, standing = (
        {g: tuple(random.integers(1, 500, 3).astype(float)) for g in GENERAL} for _ in range(2)
    )
    result = balance("city", demand(needed), places(standing))
    assert_planned(result.cells, result.stages)
    signs = result.cells.groupby("grade")["balance"].agg(["min", "max"])
    assert (signs["min"] * signs["max"] >= -1e-9).all(), "districts of one city share its sign"


def test_the_nearest_area_of_the_level_plans() -> None:
    """At the county: A and B share 320 places of S1 as 3 to 1, D is a county itself."""
    cells = balance("county").cells
    np.testing.assert_allclose(by_district(cells, "S1"), [240, 80, 160])
    np.testing.assert_allclose(by_district(cells, "S2"), [250, 150, 220])


def test_a_district_may_have_pupils_and_no_school() -> None:
    """Places stand in D alone, which has no row of pupils: all 300 go to A and B."""
    needed, standing = demand({"S1": (300, 100, 0)}), places({"S1": (0, 0, 300)})
    result = balance("city", needed.query("district != 'D'"), standing.query("district == 'D'"))
    places_of = result.cells.set_index("district")["places"]
    assert dict(places_of) == pytest.approx({"A": 225, "B": 75})


@pytest.mark.parametrize(
    "standards",
    [
        pd.DataFrame({"indicator": ["spare_share"], "value": [0.1]}),
        planned_at("city", stage=["senior_vocational"]),
        planned_at("zone", district=["A"]),
    ],
)
def test_a_stage_that_is_not_planned_higher_does_not_change_by_a_bit(
    standards: pd.DataFrame,
) -> None:
    plain = balance(None)
    other = pf.balance_places(demand(), places(), districts=TREE, standards=standards)
    pd.testing.assert_frame_equal(other.cells, plain.cells, check_exact=True)
    pd.testing.assert_frame_equal(other.stages, plain.stages, check_exact=True)


def test_other_stages_stay_as_they_are() -> None:
    junior: Numbers = {"J1": (300.0, 100.0, 200.0)}
    needed = pd.concat([demand(), demand(junior, "junior")], ignore_index=True)
    there: Numbers = {"J1": (100.0, 220.0, 160.0)}
    standing = pd.concat([places(), places(there, "junior")], ignore_index=True)
    cells = balance("city", needed, standing).cells
    np.testing.assert_allclose(by_district(cells, "J1"), [100, 220, 160])
    np.testing.assert_allclose(by_district(cells, "S1"), [240, 80, 160])


def test_each_plan_case_is_allotted_by_itself() -> None:
    more: Numbers = dict.fromkeys(GENERAL, (1000.0, 0.0, 0.0))
    standing = pd.concat([places().assign(plan_case="existing"), places(more)])
    cells = balance("city", None, standing).cells
    own = cells[cells["plan_case"] == "existing"]
    np.testing.assert_allclose(by_district(own, "S1"), [240, 80, 160])
    own = cells[cells["plan_case"] == "planned"]
    np.testing.assert_allclose(by_district(own, "S1"), [500, 1000 / 6, 2000 / 6])


@pytest.mark.parametrize(
    ("tree", "level", "where"),
    [(TREE, "zone", "D"), (TREE.assign(level=None), "city", "A"), (None, "city", "A")],
)
def test_a_level_that_is_not_there_is_refused(
    tree: pd.DataFrame | None, level: str, where: str
) -> None:
    message = (
        rf"standards, column value: '{level}' plans senior_general at the {level}, and {where} has "
        rf"none\. Give the table districts with a {level} above it, or leave planned_at out\."
    )
    with pytest.raises(pf.InputError, match=message):
        pf.balance_places(demand(), places(), districts=tree, standards=planned_at(level))
