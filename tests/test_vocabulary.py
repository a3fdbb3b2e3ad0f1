"""The vocabulary: what it declares fits together, and every table it describes can be checked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.cells import PARSERS
from placeforecast.tables.grades import load_grades
from placeforecast.tables.records import ASSUMED_TABLES, INPUT_TABLES, VOCABULARY_NAME
from placeforecast.tables.settings import Settings
from placeforecast.tables.vocabulary import (
    COMMON_COLUMNS,
    KEY_ROLES,
    combined_stages,
    school_systems,
    shipped,
    values,
    vocabulary,
)

if TYPE_CHECKING:
    from placeforecast.tables.vocabulary import Column, Table

TABLES = vocabulary()
COLUMNS = [column for table in TABLES.values() for column in table.columns]
ROLES = {*KEY_ROLES, "value", "either", "optional"}
LISTS = set(shipped("values")["list"])
REFERENCES = {"*district", "*grade", "*stage", "*stage_or_combined"}
"""Values that other tables of the region declare."""
DTYPES = {
    "text": "str",
    "number": "float64",
    "share": "float64",
    "number_or_word": "float64",
    "integer": "int64",
    "age": "int64",
    "year": "int64",
    "school_year": "int64",
    "school_year_end": "int64",
    "date": "datetime64[us]",
    "flag": "boolean",
}


def place(column: Column) -> str:
    return f"{column.table}.{column.name}"


ONE_INDICATOR = {"policy.indicator": "public_share", "policy.basis": "children"}
"""An indicator of policy that takes every other column."""


def value_of(column: Column) -> str:
    """Return a lawful cell of a column, as text."""
    if place(column) in ONE_INDICATOR:
        return ONE_INDICATOR[place(column)]
    if column.values in LISTS:
        return values(column.values)[0]
    low = column.minimum if column.minimum is not None else 0.0
    high = column.maximum if column.maximum is not None else low + 2
    lawful = {
        "text": "x",
        "number": f"{(low + high) / 2:g}",
        "number_or_word": f"{(low + high) / 2:g}",
        "share": "0.5",
        "integer": f"{low:g}",
        "date": "2021-05-17",
        "flag": "yes",
        "age": "6",
    }
    return lawful.get(column.kind, "2025")


def row_of(table: Table, *, full: bool) -> pd.DataFrame:
    """Return one lawful row: the least that a table needs, or every column that can be filled."""
    either = [column.name for column in table.columns if column.role == "either"]
    needed = {c.name for c in table.columns if c.role in ("key", "value")} | set(either[:1])
    if full:
        needed |= {c.name for c in table.columns if c.role != "either"}
    return pd.DataFrame({c.name: [value_of(c)] for c in table.columns if c.name in needed})


@pytest.mark.parametrize("full", [False, True], ids=["least", "full"])
@pytest.mark.parametrize("name", TABLES)
def test_a_lawful_row_passes_with_the_types_declared(name: str, full: bool) -> None:
    given = row_of(TABLES[name], full=full)
    found = pf.check(given, name)
    assert list(found.columns) == list(given.columns)
    kinds = {column.name: column.kind for column in TABLES[name].columns}
    assert {c: str(found[c].dtype) for c in found} == {c: DTYPES[kinds[str(c)]] for c in found}
    assert not found.isna().any(axis=None)


@pytest.mark.parametrize("name", TABLES)
def test_checking_again_changes_nothing(name: str) -> None:
    once = pf.check(row_of(TABLES[name], full=True), name)
    pd.testing.assert_frame_equal(pf.check(once, name), once, check_exact=True)


@pytest.mark.parametrize("name", TABLES)
def test_columns_come_in_the_order_of_the_vocabulary(name: str) -> None:
    given = row_of(TABLES[name], full=True)
    turned = given[list(given.columns)[::-1]]
    assert list(turned.columns) == list(given.columns)[::-1]
    pd.testing.assert_frame_equal(pf.check(turned, name), pf.check(given, name))


NEEDED = [column for column in COLUMNS if column.role in ("key", "value")]


@pytest.mark.parametrize("column", NEEDED, ids=map(place, NEEDED))
def test_a_needed_column_is_asked_for(column: Column) -> None:
    given = row_of(TABLES[column.table], full=True).drop(columns=column.name)
    with pytest.raises(pf.InputError, match=r"is missing|none of its headings") as caught:
        pf.check(given, column.table)
    assert column.name in str(caught.value)


BOUNDED = [c for c in COLUMNS if c.minimum is not None or c.maximum is not None]


@pytest.mark.parametrize("column", BOUNDED, ids=map(place, BOUNDED))
def test_a_value_out_of_its_range_is_refused(column: Column) -> None:
    table = TABLES[column.table]
    given = row_of(table, full=True)
    either = [other.name for other in table.columns if other.role == "either"]
    if column.name in either:
        given = given.drop(columns=either, errors="ignore")
    for bound, beyond, told in ((column.minimum, -1, "below"), (column.maximum, 1, "above")):
        if bound is None:
            continue
        assert_lawful(given.assign(**{column.name: [bound]}), column)
        with pytest.raises(pf.InputError, match=f"column {column.name}: .* is {told} {bound:g}"):
            pf.check(given.assign(**{column.name: [bound + beyond]}), column.table)


def assert_lawful(table: pd.DataFrame, column: Column) -> None:
    found = pf.check(table, column.table)
    np.testing.assert_allclose(
        found[column.name].astype(float), table[column.name].astype(float), rtol=0
    )


def test_blank_open_keys_stay_blank() -> None:
    """What a blank means, every one, is kept apart from any label."""
    policy = pd.DataFrame(
        {
            "indicator": "public_share",
            "district": ["A", ""],
            "stage": [None, "primary"],
            "year": [2025, 2026],
            "value": [0.5, 0.6],
        }
    )
    found = pf.check(policy, "policy")
    assert found["district"].isna().tolist() == [False, True]
    assert found["stage"].isna().tolist() == [True, False]
    pd.testing.assert_frame_equal(pf.check(found, "policy"), found)


def test_a_number_of_a_name_keeps_its_digits() -> None:
    """Codes with a leading zero stay text; a grade that pandas read as 1.0 is 1."""
    pupils = pd.DataFrame({"year": 2025, "district": "010108", "grade": [1.0], "pupils": 30})
    found = pf.check(pupils, "enrolment")
    assert found[["district", "grade"]].to_numpy().tolist() == [["010108", "1"]]


def test_common_columns_stay_as_text() -> None:
    given = row_of(TABLES["births"], full=False).assign(source="a yearbook", note="")
    found = pf.check(given, "births")
    assert found["source"].tolist() == ["a yearbook"]
    assert found["note"].isna().all()


def test_there_is_no_other_table() -> None:
    with pytest.raises(KeyError, match=r"there is no table 'birth'\. Did you mean 'births'\?"):
        pf.check(pd.DataFrame(), "birth")


def test_inputs_hold_what_the_vocabulary_knows() -> None:
    names = {field.name for field in dataclasses.fields(pf.Inputs)}
    assert names - set(INPUT_TABLES) == {"settings", "provenance", "rebased"}
    assert set(INPUT_TABLES) <= set(TABLES)
    made = {"intake", "participation", "progression", "cohort_births"}
    results = {"children", "pupils", "demand", "scheduled_places"}
    assert made | results <= set(TABLES) - set(INPUT_TABLES)


def test_assumptions_hold_what_the_vocabulary_knows() -> None:
    names = {field.name for field in dataclasses.fields(pf.Assumptions)}
    assert names - set(ASSUMED_TABLES) == {"grades", "districts", "notes", "selection"}
    assert {VOCABULARY_NAME.get(name, name) for name in ASSUMED_TABLES} <= set(TABLES)
    design = (
        "fertility survival migration sex_ratio_at_birth births intake progression participation "
        "policy standards transfers housing yields places projects tasks posts budget events"
    )
    assert set(design.split()) <= set(ASSUMED_TABLES)


def test_every_column_belongs_to_a_table_and_every_table_has_columns() -> None:
    assert {row["table"] for row in shipped("columns").to_dict("records")} == set(TABLES)
    assert not shipped("tables")["table"].duplicated().any()
    assert not shipped("columns").duplicated(["table", "column"]).any()
    assert set(shipped("tables")["used"]) == {"yes", "no"}


def test_every_table_and_column_has_a_name_in_chinese() -> None:
    assert [table.name for table in TABLES.values() if not is_chinese(table.zh)] == []
    assert [place(column) for column in COLUMNS if not is_chinese(column.zh)] == []
    named = shipped("values")
    assert named[~named["zh"].map(is_chinese)]["value"].tolist() == []


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def test_chinese_names_tell_columns_and_values_apart() -> None:
    """So that Chinese headings and values can be read one day."""
    for table in TABLES.values():
        names = [column.zh for column in table.columns]
        assert len(set(names)) == len(names), table.name
    assert not shipped("values").duplicated(["list", "zh"]).any()


def test_roles_kinds_and_lists_exist() -> None:
    assert {column.role for column in COLUMNS} == ROLES
    assert {column.kind for column in COLUMNS} == set(PARSERS)
    assert set(DTYPES) == set(PARSERS)
    assert {column.values for column in COLUMNS} - {""} <= LISTS | REFERENCES
    assert {column.values for column in COLUMNS if column.values} >= REFERENCES
    assert not shipped("values").duplicated(["list", "value"]).any()


def test_columns_with_values_are_text_and_shares_run_to_one() -> None:
    assert {column.kind for column in COLUMNS if column.values} == {"text"}
    shares = [column for column in COLUMNS if column.kind == "share"]
    assert {(c.minimum, c.maximum) for c in shares} == {(0.0, 1.0)}
    limits = [(c.minimum, c.maximum) for c in COLUMNS]
    assert all(low < high for low, high in limits if low is not None and high is not None)


def test_keys_come_first_and_every_table_has_something_to_say() -> None:
    for table in TABLES.values():
        keys = [column.role in KEY_ROLES for column in table.columns]
        if table.name in INPUT_TABLES:
            assert keys == sorted(keys, reverse=True), table.name
        assert len(set(table.keys)) == len(table.keys)
        names = {column.name for column in table.columns}
        # Where the money of a budget comes from is a key; elsewhere a source is a remark.
        assert names & set(COMMON_COLUMNS) == ({"source"} if table.name == "budget" else set())
        assert len(names) > len(table.keys), table.name


def test_shipped_grades_are_lawful() -> None:
    assert school_systems() == ("cn-6-3-3", "cn-5-4-3", "england", "us-k12")
    assert Settings().school_system in school_systems()
    enters_from = set(values("enters_from"))
    for system in school_systems():
        grades = load_grades(system)
        assert not grades["grade"].duplicated().any()
        named = set(grades["enters_from"]) - enters_from
        assert named <= set(grades["grade"])
        moving = grades[(grades["feeder"] != "population") & (grades["duration"] == 1)]
        entry = grades.set_index("grade")["entry_age"]
        ages = moving["feeder"].map(entry).to_numpy(dtype=int)
        np.testing.assert_array_equal(moving["entry_age"].to_numpy(dtype=int), ages + 1)


def test_combined_stages_are_made_of_stages() -> None:
    stages = set(load_grades("cn-6-3-3")["stage"])
    assert combined_stages() == {
        "compulsory": ("primary", "junior"),
        "senior": ("senior_general", "senior_vocational"),
    }
    assert {stage for parts in combined_stages().values() for stage in parts} <= stages
    assert not set(combined_stages()) & stages


def test_shipped_standards_are_lawful() -> None:
    standards = shipped("standards")
    assert set(standards["system"]) <= set(school_systems())
    for system, rows in standards.groupby("system"):
        checked = pf.check(rows.drop(columns="system").replace("", None), "standards")
        grades = load_grades(str(system))
        assert set(checked["stage"].dropna()) == set(grades["stage"])
        stage_of = grades.set_index("grade")["stage"]
        by_grade = checked.dropna(subset=["grade"])
        assert (by_grade["grade"].map(stage_of) == by_grade["stage"]).all()
        assert checked["source"].notna().all()


def test_shipped_ledgers_are_made_of_sectors() -> None:
    ledgers = shipped("ledgers")
    assert set(ledgers["ledger"]) <= set(values("ledger"))
    assert set(ledgers.loc[ledgers["ledger"] == "all", "sector"]) == set(values("sector"))
    assert set(ledgers["sector"]) <= set(values("sector"))
    assert set(ledgers["policy_indicator"]) - {""} <= set(values("policy_indicator"))
    assert not ledgers.duplicated(["ledger", "stage", "sector"]).any()


def test_shipped_warnings_fall_from_full_to_empty() -> None:
    levels = shipped("warnings")
    limits = levels["from_utilisation"].astype(float)
    assert limits.is_monotonic_decreasing
    assert limits.is_unique
    assert limits.iloc[-1] == 0
    assert not levels["level"].duplicated().any()
    assert all(map(is_chinese, levels["zh"]))
    assert (levels["origin"] != "").all()


DESIGNED = {
    "policy_indicator": "gross_rate public_share inclusive_share purchased_share private_cap "
    "migrant_public_share senior_general_share senior_mode special_rate retention_9",
    "basis": "births resident children kindergartens graduates entrants",
    "standard_indicator": "class_size spare_share elective_room_factor elective_staff_factor "
    "planned_at pupils_per_staff staff_per_class land_per_place cost_per_place "
    "recurrent_per_pupil lead_time life",
    "residence": "local migrant",
    "sector": "public private_inclusive private purchased",
    "kind": "new extension rebuild refit conversion temporary closure",
    "status": "proposed approved under_construction delayed open cancelled",
    "phase_in": "all by_grade",
    "plan_case": "existing committed planned risk_adjusted",
    "ledger": "all public inclusive public_with_purchased",
    "level": "city county zone",
    "zone_type": "urban town rural functional",
    "sex": "female male",
}


@pytest.mark.parametrize("name", DESIGNED)
def test_lists_hold_the_values_of_the_design(name: str) -> None:
    """Outside checks call these names; an issue may add to them and takes none away."""
    assert set(DESIGNED[name].split()) <= set(values(name))
