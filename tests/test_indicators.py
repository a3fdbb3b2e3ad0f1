"""Rates that a result implies, beside the targets of policy: R06, R40-R44."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.indicators import implied_indicators
from placeforecast.tables.grades import load_grades

TREE = pd.DataFrame(
    {
        "district": ["CITY", "A", "B"],
        "parent": [None, "CITY", "CITY"],
        "level": ["city", "county", "county"],
    }
)
SYSTEM = load_grades().query("duration == 1")
STAGE = dict(zip(SYSTEM["grade"], SYSTEM["stage"], strict=True))
AGE = dict(zip(SYSTEM["grade"], SYSTEM["entry_age"].astype(int), strict=True))
YEARS = (2025, 2026)
SIZE = {"A": 100.0, "B": 300.0}
SENIOR = {"senior_general": 0.6, "senior_vocational": 0.3}
"""Of 100 children of each age all go to school; of those of 15-17, 60 general and 30 vocational."""


def pupils(**of: float) -> pd.DataFrame:
    """Return pupils of every grade; `of` gives other pupils per child for a grade."""
    rows = [
        (d, year, g, size * of.get(g, SENIOR.get(STAGE[g], 1.0)))
        for d, size in SIZE.items()
        for year in YEARS
        for g in STAGE
    ]
    return pd.DataFrame(rows, columns=["district", "year", "grade", "pupils"])


def ledgers(table: pd.DataFrame, **shares: dict[str, float]) -> pd.DataFrame:
    """Return demand: ledger all, and others with their share of the pupils by stage."""
    stage = table["grade"].map(STAGE)
    parts = [table.assign(stage=stage, ledger="all")]
    for ledger, by in shares.items():
        own = table.assign(stage=stage, ledger=ledger, pupils=table["pupils"] * stage.map(by))
        parts.append(own[own["pupils"].notna()])
    return pd.concat(parts, ignore_index=True)


def children(basis: str = "resident", years: tuple[int, ...] = YEARS) -> pd.DataFrame:
    rows = [
        (d, y, age, basis, size) for d, size in SIZE.items() for y in years for age in range(19)
    ]
    return pd.DataFrame(rows, columns=["district", "year", "age", "basis", "children"])


def policy(*rows: tuple[str, str | None, float], **other: Any) -> pd.DataFrame:  # noqa: ANN401
    table = pd.DataFrame(rows, columns=["indicator", "stage", "value"])
    return table.assign(**{"year": 2025, **other})


def implied(
    table: pd.DataFrame | None = None,
    *,
    demand: pd.DataFrame | None = None,
    people: pd.DataFrame | None = None,
    enrolment: pd.DataFrame | None = None,
    targets: pd.DataFrame | None = None,
    districts: pd.DataFrame | None = TREE,
) -> pd.DataFrame:
    table = pupils() if table is None else table
    demand = ledgers(table) if demand is None else demand
    people = children() if people is None else people
    return implied_indicators(table, demand, people, enrolment, targets, districts=districts)


def one(found: pd.DataFrame, indicator: str, **wanted: object) -> pd.Series[Any]:
    keys = {"indicator": indicator, "district": "CITY", "year": 2025, **wanted}
    for name, value in keys.items():
        found = found[found[name] == value]
    assert len(found) == 1, f"{len(found)} rows of {keys}"
    return found.iloc[0]


def none(found: pd.DataFrame, indicator: str, **wanted: object) -> bool:
    for name, value in {"indicator": indicator, **wanted}.items():
        found = found[found[name] == value]
    return found.empty


def test_r42_r43_the_senior_rate_has_vocational_pupils_in_the_numerator() -> None:
    # 60 + 30 of 100 children of 15-17: 90%; general alone is 60%, and is another indicator.
    found = implied(targets=policy(("gross_rate", "senior", 0.92)))
    senior = one(found, "gross_rate", stage="senior")
    assert (senior["value"], senior["target"], senior["met"]) == (pytest.approx(0.9), 0.92, False)
    general = one(found, "gross_rate", stage="senior_general")
    assert general["value"] == pytest.approx(0.6)
    assert pd.isna(general["target"])
    assert pd.isna(general["met"])
    assert (senior["level"], senior["basis"]) == ("city", "resident")


def test_numerators_and_denominators_are_added_up_before_they_are_divided() -> None:
    table = pupils()
    table.loc[(table["district"] == "A") & table["grade"].isin(["K1", "K2", "K3"]), "pupils"] = 50
    found = implied(table)
    rates = {d: one(found, "gross_rate", stage="kindergarten", district=d)["value"] for d in SIZE}
    assert rates == {"A": pytest.approx(0.5), "B": pytest.approx(1)}
    # (50 + 300) / (100 + 300), not the mean of the two rates.
    assert one(found, "gross_rate", stage="kindergarten")["value"] == pytest.approx(350 / 400)


def assert_parents_are_weighted(found: pd.DataFrame) -> None:
    """Check each rate of the city: the mean of its counties weighted by their children."""
    rates = found[found["indicator"] == "gross_rate"]
    wide = rates.pivot(index=["stage", "year"], columns="district", values="value")
    mean = (wide["A"] * SIZE["A"] + wide["B"] * SIZE["B"]) / sum(SIZE.values())
    assert list(wide["CITY"]) == pytest.approx(list(mean))


def test_a_parent_is_the_weighted_mean_and_a_changed_cell_is_noticed() -> None:
    found = implied(pupils(K1=0.7, J2=1.1))
    assert_parents_are_weighted(found)
    found.loc[found.index[found["indicator"] == "gross_rate"][0], "value"] += 0.01
    with pytest.raises(AssertionError, match="comparison failed"):
        assert_parents_are_weighted(found)


def test_one_basis_for_a_whole_stage() -> None:
    born = children("births").assign(children=lambda t: t["children"] * 2)
    both = pd.concat([children(), born])
    assert set(implied(people=both).query("indicator == 'gross_rate'")["basis"]) == {"resident"}
    partly = pd.concat([children(years=(2025,)), born])
    found = implied(people=partly).query("indicator == 'gross_rate'")
    assert set(found["basis"]) == {"births"}
    assert one(found, "gross_rate", stage="primary")["value"] == pytest.approx(0.5)
    young = both[(both["basis"] == "births") | (both["age"] < 6)]
    found = implied(people=young).query("indicator == 'gross_rate'")
    bases = dict(zip(found["stage"], found["basis"], strict=True))
    assert (bases["kindergarten"], bases["primary"]) == ("resident", "births")


def test_a_year_without_its_children_has_no_rate() -> None:
    people = children("births")
    people = people[(people["age"] < 15) | (people["year"] == 2026)]
    found = implied(people=people)
    assert none(found, "gross_rate", stage="senior", year=2025)
    assert one(found, "gross_rate", stage="senior", year=2026)["value"] == pytest.approx(0.9)
    hole = people[~((people["district"] == "A") & (people["age"] == 3))]
    found = implied(people=hole)
    assert none(found, "gross_rate", stage="kindergarten", district="CITY")
    assert one(found, "gross_rate", stage="kindergarten", district="B")["value"] == 1


def test_a_stage_of_which_a_grade_is_not_counted_has_no_rate() -> None:
    table = pupils()
    found = implied(table[table["grade"] != "P6"])
    assert none(found, "gross_rate", stage="primary")
    assert none(found, "gross_rate", stage="compulsory")
    assert not none(found, "gross_rate", stage="junior")


SHARES = {
    "public": {"kindergarten": 0.5, "primary": 0.8, "junior": 0.9},
    "inclusive": {"kindergarten": 0.85},
    "public_with_purchased": {"primary": 0.9, "junior": 0.9},
}


def test_r40_shares_come_from_the_ledgers_and_caps_are_met_from_below() -> None:
    targets = policy(
        ("public_share", "kindergarten", 0.5),
        ("inclusive_share", "kindergarten", 0.91),
        ("purchased_share", "primary", 0.05),
        ("private_cap", "compulsory", 0.15),
        ("private_cap", "primary", 0.05),
    )
    table = pupils()
    found = implied(table, demand=ledgers(table, **SHARES), targets=targets)
    expected = {
        ("public_share", "kindergarten"): (0.5, 0.5, True),
        ("inclusive_share", "kindergarten"): (0.85, 0.91, False),
        ("purchased_share", "primary"): (0.1, 0.05, True),
        # public and purchased: 6 grades of 90% and 3 of 90% leave 10%
        ("private_cap", "compulsory"): (0.1, 0.15, True),
        ("private_cap", "primary"): (0.1, 0.05, False),
    }
    for (indicator, stage), (value, target, met) in expected.items():
        row = one(found, indicator, stage=stage)
        assert row["value"] == pytest.approx(value)
        assert (row["target"], row["met"]) == (target, met)
        assert row["basis"] == "children"
    assert one(found, "public_share", stage="compulsory")["value"] == pytest.approx(7.5 / 9)
    # A target of the whole is not one of its parts.
    assert pd.isna(one(found, "private_cap", stage="junior")["target"])


def test_without_purchased_places_the_rest_is_private() -> None:
    table = pupils()
    found = implied(table, demand=ledgers(table, public=SHARES["public"]))
    assert one(found, "private_cap", stage="primary")["value"] == pytest.approx(0.2)
    assert none(found, "purchased_share")
    assert none(implied(table), "private_cap")


def test_a_share_that_is_known_in_one_district_only_is_none_of_the_parent() -> None:
    table = pupils()
    demand = ledgers(table, **SHARES)
    found = implied(table, demand=demand[(demand["ledger"] == "all") | (demand["district"] == "A")])
    assert none(found, "public_share", district="CITY")
    assert one(found, "public_share", stage="primary", district="A")["value"] == pytest.approx(0.8)


def test_r40_a_share_of_kindergartens_is_not_compared_with_children() -> None:
    targets = policy(("inclusive_share", None, 0.91), basis="kindergartens")
    table = pupils()
    found = implied(table, demand=ledgers(table, **SHARES), targets=targets)
    apart = one(found, "inclusive_share", basis="kindergartens")
    assert (apart["stage"], apart["target"]) == ("kindergarten", 0.91)
    assert pd.isna(apart["value"])
    assert pd.isna(apart["met"])
    assert pd.isna(one(found, "inclusive_share", basis="children")["target"])
    assert none(
        implied(targets=policy(("public_share", None, 0.5), basis="kindergartens")),
        "public_share",
        stage="primary",
    )


def test_r06_graduates_and_entrants_are_kept_apart() -> None:
    # Of 100 graduates of 2024, 60 enter general schools and 30 vocational ones: 60% and 2 of 3.
    before = pupils().query("year == 2025").assign(year=2024)
    targets = policy(("senior_general_share", None, 0.65), basis="entrants")
    found = implied(enrolment=before, targets=targets)
    graduates = one(found, "senior_general_share", basis="graduates")
    entrants = one(found, "senior_general_share", basis="entrants")
    assert graduates["value"] == pytest.approx(0.6)
    assert (entrants["value"], entrants["met"]) == (pytest.approx(2 / 3), True)
    assert pd.isna(graduates["target"])
    blank = implied(enrolment=before, targets=policy(("senior_general_share", None, 0.65)))
    assert one(blank, "senior_general_share", basis="graduates")["met"] == False  # noqa: E712


def test_graduates_of_the_year_before_the_launch_come_from_the_enrolment() -> None:
    found = implied(pupils(J3=0.5))
    assert none(found, "senior_general_share", basis="graduates", year=2025)
    later = one(found, "senior_general_share", basis="graduates", year=2026)
    assert later["value"] == pytest.approx(60 / 50)


def test_a_vocational_stage_known_as_a_total_has_no_entrants() -> None:
    grades = pd.concat([load_grades().query("stage != 'senior_vocational'")]).drop(columns="feeder")
    total = {"grade": "V", "stage": "senior_vocational", "position": 13, "entry_age": 15}
    whole = pd.DataFrame([{**total, "duration": 3, "enters_from": "population"}])
    table = pupils()
    table = table[~table["grade"].isin(["V2", "V3"])].replace({"grade": {"V1": "V"}})
    found = implied_indicators(
        table,
        table.assign(ledger="all"),
        children(),
        None,
        None,
        grades=pd.concat([grades, whole], ignore_index=True),
    )
    assert none(found, "senior_general_share", basis="entrants")
    assert not none(found, "senior_general_share", basis="graduates")
    assert one(found, "gross_rate", stage="senior_vocational", district="A")["value"] == 0.1


def test_r41_retention_sets_the_last_junior_grade_against_the_first_eight_years_before() -> None:
    # P1 of 2017: 80 and 240 of 100 and 300; J3 of 2025: 98 of 100.
    entered = pupils(P1=0.8).query("year == 2025").assign(year=2017)
    found = implied(pupils(J3=0.98), enrolment=entered, targets=policy(("retention_9", None, 0.98)))
    row = one(found, "retention_9")
    assert (row["stage"], row["basis"]) == ("compulsory", "entrants")
    assert row["value"] == pytest.approx(0.98 / 0.8)
    assert row["met"]
    later = one(found, "retention_9", year=2026)
    assert pd.isna(later["value"])
    assert later["target"] == 0.98
    only_a = entered[entered["district"] == "A"]
    assert none(implied(enrolment=only_a), "retention_9", district="CITY")


def test_r44_special_pupils_per_child_have_an_indicator_of_their_own() -> None:
    table = pd.concat([pupils(), pupils().query("grade == 'P1'").assign(grade="SE", pupils=9.0)])
    found = implied(
        table,
        demand=table.assign(ledger="all"),
        targets=policy(("special_rate", "special", 0.95), basis="children"),
    )
    row = one(found, "special_rate")
    assert (row["value"], row["target"]) == (pytest.approx(18 / (9 * 400)), 0.95)
    assert none(found, "gross_rate", stage="special")


def test_a_target_on_another_basis_has_a_row_of_its_own() -> None:
    targets = policy(("gross_rate", "kindergarten", 0.9), basis="resident")
    found = implied(people=children("births"), targets=targets)
    assert pd.isna(one(found, "gross_rate", stage="kindergarten", basis="births")["target"])
    assert pd.isna(one(found, "gross_rate", stage="kindergarten", basis="resident")["value"])


def test_targets_follow_their_path_their_district_and_no_class_of_residence() -> None:
    rows = [
        {"indicator": "gross_rate", "stage": "kindergarten", "district": "A", "year": y, "value": v}
        for y, v in ((2024, 0.8), (2026, 1.0))
    ]
    local = {**rows[0], "district": None, "residence": "local", "value": 0.5}
    found = implied(targets=pd.DataFrame([*rows, local]))
    targets = found.query("indicator == 'gross_rate' and stage == 'kindergarten'")
    own = targets.set_index(["district", "year"])["target"]
    assert own["A", 2025] == pytest.approx(0.9)
    assert own["A", 2026] == pytest.approx(1.0)
    assert own.drop("A", level="district").isna().all()


def test_residence_and_sector_are_added_up_and_a_repeated_cell_is_refused() -> None:
    table = pupils()
    halves = pd.concat(
        [table.assign(residence=r, pupils=table["pupils"] / 2) for r in ("local", "migrant")]
    )
    demand = ledgers(table)
    pd.testing.assert_frame_equal(implied(halves, demand=demand), implied(table, demand=demand))
    with pytest.raises(pf.InputError, match="pupils: repeats a cell: year 2025, grade K1"):
        implied(pd.concat([table, table]), demand=demand)


def test_row_order_changes_nothing() -> None:
    table = pupils(K1=0.7)
    demand = ledgers(table, **SHARES)
    turned = implied(table[::-1], demand=demand[::-1], people=children()[::-1])
    pd.testing.assert_frame_equal(turned, implied(table, demand=demand))
