"""Policy and events that set pupils of kindergartens and special schools; changes of structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.tables.grades import family_of, load_grades
from schools import found, pupils, with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAUNCH, YEARS = 2025, range(2025, 2031)
AHEAD = YEARS[1:]
KINDERGARTEN = {"K1": [30.0], "K2": [40.0], "K3": [50.0]}
LADDER = ["P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2", "J3"]


def children(**of_basis: float) -> pd.DataFrame:
    """Return so many children of every age and year, on each basis."""
    rows = [
        {"district": d, "year": year, "age": age, "basis": basis, "children": number}
        for basis, number in of_basis.items()
        for d in ("A", "B")
        for year in YEARS
        for age in range(18)
    ]
    return pd.DataFrame(rows)


def rates(enrolment: pd.DataFrame, intake: float, **tables: Any) -> pf.Assumptions:  # noqa: ANN401
    """Return assumptions under which everybody moves up, and `intake` of the children come in."""
    system = load_grades()
    own = system[system["grade"].isin(enrolment["grade"])]
    rows: dict[str, list[dict[str, Any]]] = {}
    for grade in own.to_dict("records"):
        family = family_of({str(k): v for k, v in grade.items()})
        basis = {} if family == "progression" else {"basis": "births"}
        ratio = 1.0 if family == "progression" else intake
        rows.setdefault(family, []).extend(
            {"year": year, "grade": grade["grade"], "ratio": ratio, **basis} for year in AHEAD
        )
    return pf.Assumptions(**{name: pd.DataFrame(r) for name, r in rows.items()}, **tables)


def policy(indicator: str, values: Mapping[int, float], **keys: str) -> pd.DataFrame:
    rows = {"indicator": indicator, "year": list(values), "value": list(values.values())}
    return pd.DataFrame({**rows, **keys})


def events(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{"event": "x", **row} for row in rows])


def project(
    counts: Mapping[str, Sequence[float]] = KINDERGARTEN,
    *,
    intake: float = 0.3,
    there: pd.DataFrame | None = None,
    **tables: Any,  # noqa: ANN401
) -> pd.DataFrame:
    enrolment = pupils(counts, LAUNCH)
    there = children(births=100.0, resident=120.0) if there is None else there
    return pf.project_enrolment(there, enrolment, rates(enrolment, intake, **tables))


def total(table: pd.DataFrame) -> list[float]:
    return list(table.groupby("year")["pupils"].sum())


def close(actual: Sequence[float], expected: Sequence[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


# Kindergarten: E = gross_rate x P(3-5).


def test_1g_the_gross_rate_sets_the_pupils_of_kindergarten() -> None:
    """As estimated 2026 has 30 + 30 + 40; 0.75 x 3 x 120 children are 270: times 2.7."""
    rate = policy("gross_rate", {2026: 0.75}, stage="kindergarten")
    table = project(policy=rate)
    close(total(table), [120, *[270] * 5])
    close([found(table, g)[1] for g in KINDERGARTEN], [81, 81, 108])
    # A year later 30 come in, 81 and 81 move up; 192 are brought to 270.
    close([found(table, g)[2] for g in KINDERGARTEN], [270 * n / 192 for n in (30, 81, 81)])


def assert_gross_rate(table: pd.DataFrame, there: pd.DataFrame, rate: Mapping[int, float]) -> None:
    """Check E = gross_rate x P(3-5) to 1e-9."""
    pool = there[there["age"].between(3, 5) & (there["district"] == "A")]
    people = pool.groupby("year")["children"].sum()
    taught = table.groupby("year")["pupils"].sum()
    wanted = [rate[year] * people[year] for year in rate]
    np.testing.assert_allclose(taught[list(rate)], wanted, rtol=1e-9, err_msg="gross rate")


def test_1g_a_path_of_the_gross_rate_is_linear_between_its_years() -> None:
    """R40: 85 % in 2026, 91 % in 2029, held in 2030."""
    rate = policy("gross_rate", {2026: 0.85, 2029: 0.91}, stage="kindergarten")
    table = project(policy=rate)
    expected = {2026: 0.85, 2027: 0.87, 2028: 0.89, 2029: 0.91, 2030: 0.91}
    there = children(resident=120.0)
    assert_gross_rate(table, there, expected)
    with pytest.raises(AssertionError, match="gross rate"):
        assert_gross_rate(with_cell_changed(table, by=1e-5), there, expected)


@pytest.mark.parametrize(
    ("there", "basis", "each"),
    [
        (children(births=100.0, resident=120.0), None, 120),
        (children(births=100.0, resident=120.0), "children", 120),
        (children(births=100.0, resident=120.0), "births", 100),
        (children(births=100.0), None, 100),
    ],
)
def test_r51_the_rate_is_of_residents_where_they_are_known(
    there: pd.DataFrame, basis: str | None, each: float
) -> None:
    keys = {} if basis is None else {"basis": basis}
    rate = policy("gross_rate", {2026: 0.75}, stage="kindergarten", **keys)
    close(total(project(policy=rate, there=there))[1:], [0.75 * 3 * each] * 5)


def test_residents_that_are_not_there_are_asked_for() -> None:
    rate = policy("gross_rate", {2026: 0.75}, stage="kindergarten", basis="resident")
    message = (
        r"births: lacks children of 3-5 \(basis resident\) in A in 2026, to which gross_rate "
        r"applies\. Add the births of 2021-2023, or population by age, or write the basis\."
    )
    with pytest.raises(pf.InputError, match=message):
        project(policy=rate, there=children(births=100.0))


@pytest.mark.parametrize("stage", ["primary", "compulsory", "junior"])
def test_the_gross_rate_of_another_stage_moves_no_pupil(stage: str) -> None:
    """Its pupils come from the cohorts before: the rate is a target to compare with."""
    counts = {**KINDERGARTEN, **{grade: [100.0] for grade in LADDER}}
    rate = policy("gross_rate", {2026: 1.5}, stage=stage)
    pd.testing.assert_frame_equal(project(counts, policy=rate), project(counts))


def test_one_rate_of_two_totals_of_the_same_ages_is_refused() -> None:
    """0.9 of those of 15-17 in general and 0.9 of them in vocational schools would be 1.8."""
    system = pd.DataFrame(
        {
            "grade": ["S", "V"],
            "stage": ["senior_general", "senior_vocational"],
            "position": [1, 1],
            "entry_age": [15, 15],
            "duration": [3, 3],
            "enters_from": "population",
        }
    )
    enrolment = pupils({"S": [60.0], "V": [40.0]}, LAUNCH)
    ratio = pd.DataFrame({"year": list(AHEAD) * 2, "ratio": 0.3, "basis": "births"})
    ratio["grade"] = ["S"] * 5 + ["V"] * 5
    one = policy("gross_rate", {2026: 0.9}, stage="senior")
    assumptions = pf.Assumptions(participation=ratio, policy=one)
    message = (
        r"policy, column stage: gives one gross_rate of senior_general and senior_vocational, "
        r"which have the same ages\. Give the rate of each stage by itself\."
    )
    there = children(births=100.0)
    with pytest.raises(pf.InputError, match=message):
        pf.project_enrolment(there, enrolment, assumptions, grades=system)
    each = policy("gross_rate", {2026: 0.5}, stage="senior_general")
    table = pf.project_enrolment(
        there, enrolment, pf.Assumptions(participation=ratio, policy=each), grades=system
    )
    close(found(table, "S")[1:], [150] * 5)
    close(found(table, "V")[1:], [90] * 5)


# The three ledgers.

SHARES = {"public_share": {2026: 0.5, 2027: 0.6}, "inclusive_share": {2026: 0.8}}


def ledgers(table: pd.DataFrame) -> tuple[pd.DataFrame, pf.Assumptions]:
    rows = [policy(name, path, stage="kindergarten") for name, path in SHARES.items()]
    places = {"public": 120.0, "private_inclusive": 60.0, "private": 120.0}
    standing = pd.DataFrame(
        {
            "district": "A",
            "year": LAUNCH,
            "stage": "kindergarten",
            "sector": list(places),
            "places": list(places.values()),
        }
    )
    given = pf.Assumptions(policy=pd.concat(rows), places=standing)
    return pf.demand_places(table, given), given


def assert_shares(demand: pd.DataFrame, ledger: str, share: Mapping[int, float]) -> None:
    sums = demand.groupby(["ledger", "year"])["demand"].sum()
    for year, part in share.items():
        held, whole = sums[(ledger, year)], sums[("all", year)]
        np.testing.assert_allclose(held, part * whole, rtol=1e-9, err_msg=f"share of {ledger}")


def test_r01_r40_total_public_and_inclusive_places_are_three_ledgers() -> None:
    """270 children and 300 places: 30 idle in total, and short of public and inclusive ones.

    Public: 120 - 0.5 x 270 = -15, and -42 at 60 % in 2027; inclusive: 180 - 0.8 x 270 = -36.
    """
    table = project(policy=policy("gross_rate", {2026: 0.75}, stage="kindergarten"))
    demand, given = ledgers(table)
    public = {2026: 0.5, 2027: 0.6, 2028: 0.6, 2030: 0.6}
    assert_shares(demand, "public", public)
    assert_shares(demand, "inclusive", dict.fromkeys(AHEAD, 0.8))
    wrong = demand.copy()
    wrong.loc[wrong.index[wrong["ledger"] == "public"][3:4], "demand"] += 1e-5
    with pytest.raises(AssertionError, match="share of public"):
        assert_shares(wrong, "public", public)
    stages = pf.balance_places(demand, pf.schedule_places(given, YEARS)).stages
    balance = stages.set_index(["ledger", "year"])["balance"]
    for ledger, expected in {"all": 30, "public": -15, "inclusive": -36}.items():
        assert balance[(ledger, 2026)] == pytest.approx(expected, rel=1e-9)
    assert balance[("public", 2027)] == pytest.approx(-42, rel=1e-9)


def test_r40_a_share_of_kindergartens_is_never_used_for_pupils() -> None:
    """91 % of the kindergartens are inclusive, and 80 % of the children are in them."""
    of_places = policy("inclusive_share", {2026: 0.91}, basis="kindergartens")
    of_children = policy("inclusive_share", {2026: 0.8}, basis="children")
    table = project()
    both = pf.Assumptions(policy=pd.concat([of_places, of_children]))
    demand = pf.demand_places(table, both)
    assert_shares(demand, "inclusive", {2026: 0.8})
    alone = pf.demand_places(table, pf.Assumptions(policy=of_places))
    assert set(alone["ledger"]) == {"all"}


# Special schools.


def placed(school: float, mainstream: float, home: float) -> pd.DataFrame:
    shares = {"school": school, "mainstream": mainstream, "home": home}
    return pd.concat(policy(f"special_{name}_share", {2026: v}) for name, v in shares.items())


def test_r44_r45_pupils_of_special_schools() -> None:
    """0.4 % of 9 x 120 children of 6-14, half of them in special schools: 2.16."""
    rate = policy("special_rate", {2026: 0.004})
    counts = {**KINDERGARTEN, "SE": [3.0]}
    table = project(counts, policy=pd.concat([rate, placed(0.5, 0.4, 0.1)]))
    close(found(table, "SE")[1:], [0.004 * 9 * 120 * 0.5] * 5)
    close(found(project(counts, policy=rate), "SE")[1:], [0.004 * 9 * 120] * 5)


def test_r45_placements_that_are_no_whole_are_refused() -> None:
    message = (
        r"policy, row 3: special_school_share and special_mainstream_share and special_home_share "
        r"add up to 0\.9, not to 1 \(2026\)\. Correct one of them: they are the whole\."
    )
    with pytest.raises(pf.InputError, match=message):
        pf.Assumptions(policy=placed(0.5, 0.3, 0.1))


def test_a_placement_without_that_of_special_schools_is_refused() -> None:
    """Blank it would be taken for 1."""
    rate = policy("special_rate", {2026: 0.004})
    apart = placed(0.5, 0.4, 0.1).iloc[1:2]
    message = (
        r"policy, column indicator: gives special_mainstream_share without special_school_share\. "
    )
    with pytest.raises(pf.InputError, match=message):
        project({"SE": [3.0]}, policy=pd.concat([rate, apart]))


def test_a_special_rate_without_special_pupils_is_refused() -> None:
    message = r"gives special_rate, but no pupils of special schools are counted\. Add pupils"
    with pytest.raises(pf.InputError, match=message):
        project(policy=policy("special_rate", {2026: 0.004}))


# Rows that reach nobody.


def test_policy_of_a_stage_that_nobody_is_counted_in_is_said() -> None:
    message = r"policy: nobody is counted in junior: its rows change nothing there"
    with pytest.warns(pf.AssumptionWarning, match=message):
        project(policy=policy("public_share", {2026: 0.5}, stage="junior"))


def test_policy_of_a_district_that_is_not_there_is_refused() -> None:
    message = r"policy, column district: 'Z' has no pupils, and is no district above any\. "
    given = policy("gross_rate", {2026: 0.5}, stage="kindergarten", district="Z")
    with pytest.raises(pf.InputError, match=message):
        project(policy=given)
