"""Class sizes: hidden shortage, and balances at several class sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.classes import balance_at_class_sizes, hidden_shortage
from placeforecast.tables.grades import load_grades
from placeforecast.tables.vocabulary import shipped
from schools import grades as school_system
from schools import with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Mapping

STANDARDS = pd.DataFrame(
    [
        ("primary", "class_size", 45.0),
        ("junior", "class_size", 50.0),
        ("primary", "large_class", 56.0),
        ("junior", "large_class", 56.0),
        ("primary", "very_large_class", 66.0),
        ("junior", "very_large_class", 66.0),
    ],
    columns=["stage", "indicator", "value"],
)
BANDS = ("1-45", "46-55", "56-65", "66+")
TREE = pd.DataFrame(
    {"district": ["C", "A", "B"], "parent": [None, "C", "C"], "level": ["county", "zone", "zone"]}
)


def bands(
    counts: Mapping[str, tuple[float, float]],
    district: str = "A",
    stage: str = "primary",
    year: int = 2025,
) -> pd.DataFrame:
    """Return class-size bands from the classes and pupils of each."""
    rows = [
        {"district": district, "stage": stage, "year": year, "band": b, "classes": n, "pupils": p}
        for b, (n, p) in counts.items()
    ]
    return pd.DataFrame(rows)


FULL = {"1-45": (20, 800), "46-55": (10, 500), "56-65": (4, 240), "66+": (1, 70)}
SMALL = {"1-45": (10, 300), "46-55": (0, 0), "56-65": (0, 0), "66+": (0, 0)}
JUNIOR = {"1-45": (5, 200), "46-55": (6, 318), "56-65": (3, 180), "66+": (0, 0)}
TABLE = pd.concat(
    [bands(FULL), bands(SMALL, "B"), bands(JUNIOR, stage="junior")], ignore_index=True
)


def row(table: pd.DataFrame, district: str, stage: str) -> dict[str, Any]:
    """Return the one row of a district and stage."""
    (found,) = table[(table["district"] == district) & (table["stage"] == stage)].to_dict("records")
    return {str(key): value for key, value in found.items()}


def shipped_for(system: str = "cn-6-3-3") -> pd.DataFrame:
    """Return the shipped standards of a school system, as read."""
    rows = shipped("standards")
    return rows[rows["system"] == system].drop(columns="system").replace("", None)


# Hidden shortage.


def test_hidden_shortage_is_worked_by_hand() -> None:
    """R55: large classes as hidden shortage; the identity of domain-china.md, 1G."""
    found = row(hidden_shortage(TABLE, STANDARDS), "A", "primary")
    # 500 - 10 x 45 = 50, 240 - 4 x 45 = 60, 70 - 45 = 25; the 100 free seats of the 20 do not help.
    assert found == {
        "district": "A",
        "level": "district",
        "year": 2025,
        "stage": "primary",
        "classes": 35.0,
        "pupils": 1610.0,
        "large_classes": 5.0,
        "very_large_classes": 1.0,
        "share_large": 5 / 35,
        "hidden_shortage": 135.0,
    }


def assert_rolls_up(table: pd.DataFrame) -> None:
    """Check parents against their districts and combined stages against their parts."""
    names = ["classes", "pupils", "large_classes", "very_large_classes", "hidden_shortage"]
    leaves = table[table["level"] == "zone"].groupby("stage")[names].sum()
    county = table[table["level"] == "county"].set_index("stage")[names]
    pd.testing.assert_frame_equal(county.sort_index(), leaves, check_names=False)
    parts = county.loc[["primary", "junior"]].sum()
    combined = county.loc[["compulsory"]].iloc[0]
    pd.testing.assert_series_equal(combined, parts, check_names=False)


def test_hidden_shortage_rolls_up_and_is_not_netted() -> None:
    """R55, R57: 150 seats are free in B, and the county still hides all that A hides."""
    table = hidden_shortage(TABLE, STANDARDS, districts=TREE)
    assert_rolls_up(table)
    # Junior in A: 318 - 6 x 50 = 18 and 180 - 3 x 50 = 30.
    assert row(table, "C", "primary")["hidden_shortage"] == 135
    assert row(table, "C", "compulsory")["hidden_shortage"] == 135 + 48
    assert row(table, "C", "compulsory")["share_large"] == 8 / 59
    assert list(table["district"].unique()) == ["C", "A", "B"]


@pytest.mark.parametrize("name", ["pupils", "large_classes", "hidden_shortage"])
def test_a_sum_that_is_off_is_found(name: str) -> None:
    table = with_cell_changed(hidden_shortage(TABLE, STANDARDS, districts=TREE), name)
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        assert_rolls_up(table)


def test_the_order_of_rows_changes_nothing() -> None:
    one = hidden_shortage(TABLE, STANDARDS, districts=TREE)
    other = hidden_shortage(TABLE.iloc[::-1], STANDARDS.iloc[::-1], districts=TREE)
    pd.testing.assert_frame_equal(one, other)


def test_more_pupils_in_full_classes_are_all_hidden() -> None:
    fuller = bands({**FULL, "66+": (1, 80)})
    before, after = (hidden_shortage(t, STANDARDS) for t in (bands(FULL), fuller))
    assert (after["hidden_shortage"] - before["hidden_shortage"]).tolist() == [10.0]


def test_the_standard_of_a_district_and_year_comes_first() -> None:
    own = pd.concat(
        [
            STANDARDS,
            pd.DataFrame({"district": ["B"], "indicator": "class_size", "value": 25.0}),
        ]
    )
    # 300 - 10 x 25 = 50.
    assert row(hidden_shortage(TABLE, own), "B", "primary")["hidden_shortage"] == 50


def test_without_a_standard_of_large_classes_they_are_not_known() -> None:
    table = hidden_shortage(
        bands({"1-30": (4, 100), "31+": (1, 33)}, stage="kindergarten"), shipped_for()
    )
    found = row(table, "A", "kindergarten")
    assert found["hidden_shortage"] == 3  # the class size of mixed classes is 30
    assert np.isnan(
        [found[n] for n in ("large_classes", "very_large_classes", "share_large")]
    ).all()


def test_a_stage_without_classes_has_no_share_of_them() -> None:
    none = dict.fromkeys(BANDS, (0.0, 0.0))
    found = row(hidden_shortage(bands(none), STANDARDS), "A", "primary")
    assert found["hidden_shortage"] == 0
    assert np.isnan(found["share_large"])


@pytest.mark.parametrize("band", ["46–55", "46 - 55"])
def test_bands_are_read_as_they_are_written(band: str) -> None:
    table = bands({"1-45": (1, 40), band: (1, 50)})
    assert hidden_shortage(table, STANDARDS)["hidden_shortage"].tolist() == [5.0]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"large": (1, 60)}, r"row 1, column band: 'large' is not a band. Write 46-55 or 66\+."),
        ({"55-46": (1, 50)}, "row 1, column band: '55-46' is not a band"),
        ({"1-45": (1, 40), "46-60": (1, 50)}, "row 2, column band: '46-60' lies on both sides of "
         "56, the large_class of the standards. Give bands of which one begins at 56"),
        ({"56+": (1, 60)}, r"row 1, column band: '56\+' lies on both sides of 66, the "
         "very_large_class of the standards"),
        ({"1-45": (1, 40), "40-55": (1, 50)}, "row 2, column band: '40-55' overlaps 1-45 of prim"),
        ({"66+": (0, 0), "70+": (0, 0)}, r"row 2, column band: '70\+' overlaps 66\+ of primary"),
        ({"1-45": (1, 40), "56-65": (1, 60)}, "row 2, column band: '56-65' leaves out 46-55 of "
         "primary. Add its rows, 0 if there are none"),
        ({"46-55": (2, 111)}, "row 1, column pupils: '111' pupils do not fit 2 classes of 46-55. "
         "Correct the pupils, the classes or the band"),
        ({"46-55": (2, 91)}, "row 1, column pupils: '91' pupils do not fit 2 classes of 46-55"),
        ({"66+": (0, 3)}, r"row 1, column pupils: '3' pupils do not fit 0 classes of 66\+"),
    ],
)  # fmt: skip
def test_bands_that_cannot_be_are_refused(
    counts: Mapping[str, tuple[float, float]], message: str
) -> None:
    with pytest.raises(pf.InputError, match=f"class_sizes, {message}"):
        hidden_shortage(bands(counts), STANDARDS)


def test_every_problem_of_the_bands_is_named_at_once() -> None:
    table = pd.concat([bands({"46-55": (2, 91)}), bands({"46-55": (1, 99)}, "B")])
    with pytest.raises(pf.InputError, match=r"2 problems in the input") as raised:
        hidden_shortage(table, STANDARDS)
    assert raised.value.problems["row"].tolist() == [1, 2]


def test_a_band_or_year_left_out_is_refused() -> None:
    """A row left out is unknown, and the sum of the county would miss it."""
    with pytest.raises(
        pf.InputError,
        match=r"class_sizes, column classes: lacks 1 of 8 cells, first: stage primary, "
        r"district B, year 2025, band 46-55. Add the rows; what is nothing is written as 0.",
    ):
        hidden_shortage(TABLE.drop(index=5), STANDARDS)
    later = pd.concat([TABLE, bands(FULL, year=2026)])
    with pytest.raises(
        pf.InputError, match="lacks 4 of 16 cells, first: stage primary, district B"
    ):
        hidden_shortage(later, STANDARDS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage": "primery"}, "row 1, column stage: 'primery' is not a stage of the school "
         "system. Did you mean 'primary'?"),
        ({"district": "C"}, "row 1, column district: 'C' is not a district of the table "
         "districts, or has others below it. Add its row to districts"),
    ],
)  # fmt: skip
def test_strangers_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(pf.InputError, match=f"class_sizes, {message}"):
        hidden_shortage(bands(FULL).assign(**changes), STANDARDS, districts=TREE)


@pytest.mark.parametrize(
    ("standards", "message"),
    [
        (None, "standards, column value: lacks a class_size for 4 rows, first: A special 2025. "
         "Add or correct the row of class_size for this stage"),
        (STANDARDS, "lacks a class_size for 4 rows, first: A special 2025"),
        (pd.DataFrame({"indicator": ["class_size"], "value": 0}),
         "has a class_size of 0 for 4 rows, first: A special 2025"),
    ],
)  # fmt: skip
def test_hidden_shortage_needs_a_class_size(standards: pd.DataFrame | None, message: str) -> None:
    with pytest.raises(pf.InputError, match=message):
        hidden_shortage(bands(FULL, stage="special"), standards)


# Balances at several class sizes.


def cells(pupils: dict[str, float], **keys: str) -> pd.DataFrame:
    """Return cells of a district in 2026 from a number per grade."""
    stage_of = load_grades().set_index("grade")["stage"]
    table = pd.DataFrame({"district": "A", "year": 2026, "grade": list(pupils)})
    table["stage"] = table["grade"].map(stage_of)
    return table.assign(ledger="all", **keys)


PUPILS = {"K1": 70.0, "K2": 100.0, "P1": 100.1, "P2": 80.0, "J1": 66.0}
SEATS = {"K1": 75.0, "K2": 90.0, "P1": 90.0, "P2": 90.3, "J1": 70.7}
DEMAND = cells(PUPILS).assign(pupils=list(PUPILS.values()), demand=list(PUPILS.values()))
PLACES = cells(SEATS, plan_case="planned").assign(places=list(SEATS.values()))
ASSUMED = pf.Assumptions(standards=shipped_for())


def test_the_standard_size_is_the_balance_to_the_last_bit() -> None:
    sizes = [40, 45, 50]
    table = balance_at_class_sizes(DEMAND, PLACES, sizes, ASSUMED, districts=TREE)
    assert list(table["class_size"].unique()) == sizes
    itself = pf.balance_places(DEMAND, PLACES, districts=TREE).stages
    for stage, size in {"primary": 45, "junior": 50}.items():
        here = table[(table["stage"] == stage) & (table["class_size"] == size)]
        there = itself[itself["stage"] == stage]
        pd.testing.assert_frame_equal(
            here.drop(columns="class_size").reset_index(drop=True),
            there.reset_index(drop=True),
            check_exact=True,
        )


def test_class_size_acts_on_places_and_never_on_pupils() -> None:
    """Design 4.10, and 0.9 of domain-china.md: every balance at several class sizes."""
    table = balance_at_class_sizes(DEMAND, PLACES, [30, 36], ASSUMED, stages=["primary"])
    # 180.3 places in classes of 45: 4.0067 classes of 30 and of 36 seats.
    np.testing.assert_allclose(table["places"], [180.3 * 30 / 45, 180.3 * 36 / 45], rtol=1e-12)
    np.testing.assert_allclose(table["demand"], 180.1, rtol=1e-12)
    np.testing.assert_allclose(table["pupils"], 180.1, rtol=1e-12)
    np.testing.assert_allclose(table["balance"], table["places"] - table["demand"], rtol=1e-12)
    assert set(table["stage"]) == {"primary"}
    assert list(table["class_size"]) == [30.0, 36.0]


def test_a_stage_planned_by_the_county_is_balanced_there_at_each_size() -> None:
    """The seats of both zones are resized first and then allotted by need."""
    cell = {"year": 2026, "grade": "S1", "stage": "senior_general", "ledger": "all"}
    demand = pd.DataFrame({"district": ["A", "B"], **cell, "pupils": 0.0, "demand": [300.0, 100.0]})
    places = pd.DataFrame(
        {"district": ["A", "B"], **cell, "plan_case": "planned", "places": [100.0, 220.0]}
    )
    standards = pd.DataFrame(
        {
            "indicator": ["class_size", "planned_at"],
            "value": pd.Series([50, "county"], dtype=object),
        }
    ).assign(stage="senior_general")
    table = balance_at_class_sizes(
        demand, places, [50, 55], pf.Assumptions(standards=standards), districts=TREE
    )
    # 320 and 352 places for 400: three quarters of them go to A.
    found = table.set_index(["class_size", "district"])["places"]
    assert found.loc[50].to_dict() == pytest.approx({"C": 320, "A": 240, "B": 80}, rel=1e-12)
    assert found.loc[55].to_dict() == pytest.approx({"C": 352, "A": 264, "B": 88}, rel=1e-12)


def test_each_grade_is_resized_from_its_own_class_size() -> None:
    table = balance_at_class_sizes(DEMAND, PLACES, [20], ASSUMED, stages=["kindergarten"])
    # K1: 3 classes of 25, K2: 3 classes of 30; at 20 seats 60 each, for 70 and 100 children.
    assert table[["places", "cell_shortfall"]].to_numpy().tolist() == [[120.0, 50.0]]


def test_a_combined_stage_is_asked_for_by_name() -> None:
    table = balance_at_class_sizes(DEMAND, PLACES, [45], ASSUMED, stages=["compulsory"])
    assert list(table["stage"]) == ["primary", "junior", "compulsory"]
    found = table.set_index("stage")["places"]
    assert found["compulsory"] == pytest.approx(180.3 + 70.7 * 0.9, rel=1e-12)


@pytest.mark.parametrize("sizes", [[40, 50], [50, 40]])
def test_sizes_come_in_the_order_given(sizes: list[float]) -> None:
    table = balance_at_class_sizes(DEMAND, PLACES, sizes, ASSUMED, stages=["junior"])
    assert list(table["class_size"]) == sizes


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([], "give one class size or more"),
        ([45, 0], "a class size of 0 is not a number above 0"),
        ([float("nan")], "a class size of nan is not a number above 0"),
        ([45, 45.0], "a class size is given twice"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        balance_at_class_sizes(DEMAND, PLACES, sizes, ASSUMED)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (["junor"], "column stages: 'junor' is not a stage of the school system. Did you mean"),
        (["primary", "special"], "column stages: 'special' has neither demand nor places. Leave"),
        (["senior"], "'senior_general' has neither demand nor places"),
    ],
)
def test_stages_that_are_not_there_are_refused(stages: list[str], message: str) -> None:
    with pytest.raises(pf.InputError, match=message):
        balance_at_class_sizes(DEMAND, PLACES, [45], ASSUMED, stages=stages)


def test_a_balance_at_a_size_needs_the_standard_one() -> None:
    message = "lacks a class_size for 2 rows, first: A kindergarten K1 2026"
    with pytest.raises(pf.InputError, match=message):
        balance_at_class_sizes(DEMAND, PLACES, [45], pf.Assumptions(standards=STANDARDS))


def test_another_school_system_is_balanced_too() -> None:
    system = school_system(("G1", "lower", 1, 6, 1, "population"))
    cell = {"district": ["A"], "year": 2026, "grade": "G1", "stage": "lower", "ledger": "all"}
    demand = pd.DataFrame({**cell, "pupils": 30.0, "demand": 30.0})
    places = pd.DataFrame({**cell, "plan_case": "planned", "places": 40.0})
    size = pd.DataFrame({"indicator": ["class_size"], "value": 20.0})
    table = balance_at_class_sizes(
        demand, places, [10], pf.Assumptions(standards=size, grades=system), stages=["lower"]
    )
    assert table["balance"].tolist() == [-10.0]
