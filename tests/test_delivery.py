"""Whether projects come and how late: shipped priors, own delays, and the places to expect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.delivery import DELAYS, delivery_note, delivery_prospects
from placeforecast.tables.vocabulary import shipped, values
from plans import YEARS, project, schedule, standing
from schools import with_cell_changed

if TYPE_CHECKING:
    from collections.abc import Sequence

CASE = "risk_adjusted"
LATE = (0.5, 0.3, 0.2)


def prospects(
    plan: pd.DataFrame, chance: float = 1.0, delays: Sequence[float] = (1.0,)
) -> pd.DataFrame:
    """Return the same prospects for every project of a plan."""
    table = plan[["project", "stage"]].assign(chance=chance)
    full = [*delays, *[0.0] * (len(DELAYS) - len(delays))]
    return table.assign(**dict(zip(DELAYS, full, strict=True)))


def by_year(table: pd.DataFrame, stage: str = "junior") -> list[float]:
    rows = table[(table["stage"] == stage) & (table["ledger"] == "all")]
    return list(rows.groupby("year")["places"].sum())


def same_but_for_the_case(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        one.drop(columns="plan_case"), other.drop(columns="plan_case"), check_exact=True
    )


@pytest.fixture(scope="module")
def city() -> pf.Assumptions:
    return pf.estimate(pf.load_example("city"))


# What is shipped.


def test_the_shipped_priors_are_lawful() -> None:
    """R30: a chance and delays for every status, each with its source; judged ones say so."""
    table = shipped("delivery")
    assert list(table.columns) == ["status", "kind", "chance", *DELAYS, "source", "confidence"]
    assert set(table["status"]) == set(values("status"))
    assert set(table.loc[table["kind"] == "", "status"]) == set(values("status"))
    assert set(table["kind"]) <= {"", *values("kind")}
    assert not table.duplicated(["status", "kind"]).any()
    numbers = table[["chance", *DELAYS]].astype(float)
    assert numbers.to_numpy().min() >= 0
    assert numbers["chance"].max() <= 1
    np.testing.assert_allclose(numbers[list(DELAYS)].sum(axis=1), 1.0, rtol=1e-12)
    assert set(table["confidence"]) == {"derived", "derived, partly judged", "judged"}
    judged = table["confidence"].str.contains("judged")
    assert (table["source"].str.contains("judged") == judged).all()


def test_shipped_chances_follow_the_figures_read() -> None:
    """Beijing: 126 of 236 approved projects complete at the check, 126 of the 169 begun."""
    table = shipped("delivery").query("kind == ''").set_index("status")
    on_time = table["chance"].astype(float) * table["delay_0"].astype(float)
    np.testing.assert_allclose(on_time["approved"], 126 / 236, atol=0.005)
    np.testing.assert_allclose(
        table["delay_0"].astype(float)["under_construction"], 126 / 169, atol=0.005
    )
    assert (on_time["open"], on_time["cancelled"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("columns", "chance", "first"),
    [
        ({"status": "open"}, 1.0, 1.0),
        ({"status": "under_construction"}, 0.97, 0.75),
        ({"status": "approved"}, 0.86, 0.62),
        ({"status": "approved", "delivery": 0.3}, 0.3, 0.62),
        ({"status": "proposed"}, 0.7, 0.45),
        ({"status": "delayed"}, 0.6, 0.5),
        ({"status": "cancelled"}, 0.0, 1.0),
        ({"status": "approved", "kind": "temporary"}, 0.97, 0.9),
        ({"status": "proposed", "kind": "closure", "opens": None, "closes": 2027}, 1.0, 1.0),
        ({"status": "proposed", "kind": "equipment", "opens": None}, 0.7, 0.45),
    ],
)
def test_prospects_by_status_and_kind(columns: dict[str, Any], chance: float, first: float) -> None:
    table = delivery_prospects(project(**{"opens": 2027, **columns}))
    assert list(table.columns) == ["project", "stage", "chance", *DELAYS, "source"]
    assert table["chance"].tolist() == [chance]
    assert table["delay_0"].tolist() == [first]
    np.testing.assert_allclose(table[list(DELAYS)].sum(axis=1), 1.0, rtol=1e-12)


# What the region's own projects add.


def built(*lags: int, opened: int = 2024, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return open projects that came so many years after their plan."""
    parts = [
        project(f"old {i} {columns}", status="open", opens=opened - lag, opened=opened, **columns)
        for i, lag in enumerate(lags)
    ]
    return pd.concat(parts)


def test_own_delays_are_weighed_against_ten_projects() -> None:
    """Five own projects, 0, 0, 1, 1, 2 late: (10 x shipped + own) / 15 of an approved school."""
    plan = pd.concat([built(0, 0, 1, 1, 2), project(opens=2027)])
    row = delivery_prospects(plan).iloc[-1]
    expected = [(6.2 + 2) / 15, (2 + 2) / 15, (1 + 1) / 15, 0.5 / 15, 0.3 / 15]
    np.testing.assert_allclose(row[list(DELAYS)].astype(float), expected, rtol=1e-12)
    assert row["chance"] == 0.86
    assert row["source"].endswith("; delays of 5 own projects against a prior of 10")


def test_an_early_opening_is_in_time_and_a_long_delay_counts_as_the_longest() -> None:
    plan = pd.concat([built(-2, 7), project(opens=2027)])
    row = delivery_prospects(plan).iloc[-1]
    np.testing.assert_allclose(row["delay_0"], 7.2 / 12, rtol=1e-12)
    np.testing.assert_allclose(row["delay_4"], 1.3 / 12, rtol=1e-12)


def test_nothing_is_learnt_before_it_has_happened() -> None:
    plan = pd.concat(
        [built(2, opened=2023), built(1, opened=2025, places=1.0), project(opens=2027)]
    )
    for year, own in ((2022, 0), (2023, 1), (2024, 1), (2025, 2), (None, 2)):
        source = delivery_prospects(plan, launch_year=year)["source"].iloc[-1]
        assert (f"delays of {own} own projects" in source) == bool(own)
        assert ("own projects" in source) == bool(own)


def test_projects_without_both_years_teach_nothing() -> None:
    """Open without a year of opening, approved with one, closed: none has a delay that is known."""
    open_ = project("no date", status="open", opens=2022)
    closed = project("gone", kind="closure", status="open", closes=2024)
    plan = pd.concat([open_, closed, project("going", opens=2027)])
    assert "own projects" not in delivery_prospects(plan)["source"].iloc[-1]


def test_temporary_places_learn_from_their_own_kind() -> None:
    new = [project("new", opens=2027), project("huts", kind="temporary", opens=2027)]
    plan = pd.concat([built(1, 1), built(0, kind="temporary"), *new])
    found = delivery_prospects(plan).set_index("project")
    np.testing.assert_allclose(found["delay_1"]["new"], 4 / 12, rtol=1e-12)
    np.testing.assert_allclose(found["delay_1"]["huts"], 1 / 11, rtol=1e-12)


def hands(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    usual = {"kind": "conversion", "from_sector": "private", "sector": "public", "opens": 2027}
    return project("West", **{**usual, **columns})


def test_a_school_changes_hands_as_planned() -> None:
    """Its pupils go with it in every plan case, so its places must as well."""
    places = pd.concat(standing(900, sector=s) for s in ("public", "private"))
    assert delivery_prospects(hands())[["chance", "delay_0"]].to_numpy().tolist() == [[1.0, 1.0]]
    same_but_for_the_case(schedule(hands(), places, CASE), schedule(hands(), places))


@pytest.mark.parametrize(
    "plan",
    [
        project(status="open", opens=2027, delivery=0.5),
        project(status="cancelled", opens=2027, delivery=0.5),
        hands(delivery=0.5, project="East"),
    ],
)
def test_a_chance_that_is_not_used_is_named(plan: pd.DataFrame) -> None:
    message = r"projects, column delivery: 1 are not used, .*\((East|West)\). Leave them blank."
    with pytest.warns(pf.AssumptionWarning, match=message):
        found = delivery_prospects(plan)
    assert found["chance"].iloc[0] in (0.0, 1.0)


def test_the_note_says_what_the_case_rests_on() -> None:
    assert delivery_note(None, 2025) == ""
    assert delivery_note(project(status="open", opens=2027), 2025) == ""
    plan = pd.concat([project("a", opens=2027, delivery=0.5), project("b", opens=2028)])
    text = "risk_adjusted weighs 2 projects by chance and delay: 1 chances are of the plan, the "
    assert delivery_note(plan, 2025).startswith(text)
    assert delivery_note(plan, 2025).endswith("delays are shipped")
    learnt = delivery_note(pd.concat([built(1), plan]), 2025)
    assert learnt.endswith("delays are re-estimated from own projects")


# Places to expect, by hand: chance 0.8; in time, one and two years late with 0.5, 0.3 and 0.2,
# so 0.40, 0.24 and 0.16 in all.


@pytest.mark.parametrize(
    ("columns", "gain"),
    [
        ({"opens": 2027}, [0, 0, 120, 192, 240, 240]),
        ({"kind": "extension", "opens": 2027}, [0, 0, 120, 192, 240, 240]),
        # One grade of 100 a year: 0.4 x 200 + 0.24 x 100 in the second year, and so on.
        ({"opens": 2027, "phase_in": "by_grade"}, [0, 0, 40, 104, 184, 224]),
        # Two years of life, whenever they begin.
        ({"kind": "temporary", "opens": 2026, "closes": 2028}, [0, 120, 192, 120, 48, 0]),
        # Away from 2026 if it comes at all; back in 2028, 2029 or 2030.
        (
            {"kind": "rebuild", "opens": 2028, "outage_from": 2026, "outage_to": 2027},
            [0, -240, -240, -120, -48, 0],
        ),
        (
            {"kind": "refit", "opens": 2028, "outage_from": 2027, "outage_to": 2027},
            [0, 0, -240, -120, -48, 0],
        ),
        ({"kind": "closure", "closes": 2027}, [0, 0, -120, -192, -240, -240]),
        (
            {"kind": "conversion", "from_stage": "primary", "opens": 2027},
            [0, 0, 120, 192, 240, 240],
        ),
        ({"status": "cancelled", "opens": 2027}, [0] * 6),
    ],
)  # fmt: skip
def test_r31_places_to_expect_of_each_kind(columns: dict[str, Any], gain: list[float]) -> None:
    plan = project(**columns)
    both = pd.concat([standing(900), standing(900, "primary")])
    table = schedule(plan, both, CASE, prospects=prospects(plan, 0.8, LATE))
    np.testing.assert_allclose(by_year(table), 900 + np.array(gain), rtol=1e-12)
    leaves = np.array(gain) if columns.get("kind") == "conversion" else np.zeros(6)
    np.testing.assert_allclose(by_year(table, "primary"), 900 - leaves, rtol=1e-12)
    corrupt = with_cell_changed(table, "places", 1e-3)
    both_stages = np.array(by_year(corrupt)) + by_year(corrupt, "primary")
    with pytest.raises(AssertionError, match=r"Not equal to tolerance|are different"):
        np.testing.assert_allclose(both_stages, 1800 + np.array(gain) - leaves, rtol=1e-12)


def test_without_prospects_the_shipped_ones_hold() -> None:
    """Approved: 0.86 x 0.62 in time, and 0.86 x (0.62 + 0.2) a year later."""
    table = schedule(project(opens=2027), case=CASE)
    expected = [900, 900, 900 + 300 * 0.86 * 0.62, 900 + 300 * 0.86 * 0.82]
    np.testing.assert_allclose(by_year(table)[:4], expected, rtol=1e-12)
    assert set(table["plan_case"]) == {CASE}


def test_openings_after_the_last_year_of_places_are_not_learnt_from() -> None:
    later = pd.concat([built(3, opened=2026), project(opens=2027)])
    own = schedule(later, case=CASE)
    np.testing.assert_allclose(by_year(own)[2], 1200 + 300 * 0.86 * 0.62, rtol=1e-12)


def test_expected_places_are_linear_in_the_chance() -> None:
    plan = pd.concat([project("a", opens=2027), project("b", kind="closure", closes=2028)])
    none, half, whole = (
        np.array(by_year(schedule(plan, case=CASE, prospects=prospects(plan, chance, LATE))))
        for chance in (0.0, 0.5, 1.0)
    )
    np.testing.assert_allclose(half, (none + whole) / 2, rtol=1e-12)
    np.testing.assert_array_equal(none, [900.0] * 6)


def test_overdue_projects_count_for_nothing_as_in_the_other_cases() -> None:
    plan = project(opens=2024)
    with pytest.warns(pf.AssumptionWarning, match="1 should have happened by 2025"):
        table = schedule(plan, case=CASE)
    assert by_year(table) == [900.0] * 6


def test_what_is_back_by_the_last_year_does_not_come_back_twice() -> None:
    """The outage is over in the table of places; a delay of the opening must not repeat it."""
    plan = project(kind="rebuild", outage_from=2022, outage_to=2023, opens=2027)
    table = schedule(plan, case=CASE, prospects=prospects(plan, 1.0, (0.0, 0.0, 0.0, 1.0)))
    assert by_year(table) == [900.0] * 6


# The whole plan of a city.


def test_delivery_one_and_delay_nought_is_the_plan_to_the_last_bit(city: pf.Assumptions) -> None:
    assert city.projects is not None
    sure = prospects(city.projects)
    adjusted = pf.schedule_places(city, range(2025, 2036), case=CASE, prospects=sure)
    planned = pf.schedule_places(city, range(2025, 2036))
    same_but_for_the_case(adjusted, planned)
    sure.loc[city.projects["status"].eq("approved").to_numpy(), "chance"] = 1 - 1e-9
    almost = pf.schedule_places(city, range(2025, 2036), case=CASE, prospects=sure)
    with pytest.raises(AssertionError, match="are different"):
        same_but_for_the_case(almost, planned)


def test_a_delay_of_two_years_moves_exactly_the_rows_it_should(city: pf.Assumptions) -> None:
    """A junior school of 2,400 that opens by grade in 2028: 800 of J1 in 2028-29, J2 in 2029-30 ...

    Its ledgers, district and stage only; and the same cells as a plan with the later year.
    """
    assert city.projects is not None
    table = city.projects
    opens = table["opens"].astype("float64")
    chosen = ((table["places"] == 2400) & (opens == 2028) & (table["stage"] == "junior")).to_numpy()
    assert table.loc[chosen, ["places", "phase_in"]].to_numpy().tolist() == [[2400.0, "by_grade"]]
    late = prospects(table)
    late.loc[chosen, ["delay_0", "delay_2"]] = [0.0, 1.0]
    years = range(2025, 2036)
    planned = pf.schedule_places(city, years)
    adjusted = pf.schedule_places(city, years, case=CASE, prospects=late)
    keys = ["district", "year", "grade", "stage", "ledger"]
    pd.testing.assert_frame_equal(planned[keys], adjusted[keys])
    ledgers = set(planned.loc[planned["stage"] == "junior", "ledger"])
    hit = {
        (table.loc[chosen, "district"].iloc[0], 2028 + g + more, f"J{g + 1}", "junior", ledger)
        for g in range(3)
        for more in (0, 1)
        for ledger in ledgers
    }
    lost = planned["places"] - adjusted["places"]
    assert set(planned.loc[lost != 0, keys].itertuples(index=False, name=None)) == hit
    np.testing.assert_allclose(lost[lost != 0], 800.0, rtol=1e-9)
    moved = replace(city, projects=table.assign(opens=opens + 2 * chosen))
    same_but_for_the_case(adjusted, pf.schedule_places(moved, years))


def test_without_projects_every_case_is_existing_to_the_last_bit() -> None:
    places = pd.concat([standing(613.7, s, sector="public") for s in ("primary", "junior")])
    existing = schedule(None, places, "existing")
    for case in ("committed", "planned", CASE):
        same_but_for_the_case(schedule(None, places, case), existing)
    cancelled = project(status="cancelled", opens=2027, sector="public")
    same_but_for_the_case(schedule(cancelled, places, CASE), existing)


def test_the_order_of_projects_changes_nothing() -> None:
    plan = pd.concat(
        [project("a", opens=2027), project("b", opens=2028, delivery=0.4), built(0, 1, 3)]
    )
    one, other = (schedule(p, case=CASE) for p in (plan, plan.iloc[::-1]))
    np.testing.assert_allclose(one["places"], other["places"], rtol=1e-12)


# What is refused.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chance": 1.2}, "prospects, row 1, column chance: 'East' has chances outside 0-1 or"),
        ({"chance": -0.1}, "has chances outside 0-1 or delays that do not add up to 1. Correct"),
        ({"delay_0": 0.5}, "has chances outside 0-1 or delays that do not add up to 1. Correct"),
        ({"chance": np.nan}, "has chances outside 0-1 or delays that do not add up to 1. Correct"),
        ({"stage": "primary"}, r"prospects: 'East' \(junior\) has no row. Add its chance and del"),
    ],
)
def test_prospects_that_cannot_be(change: dict[str, Any], message: str) -> None:
    plan = project(opens=2027)
    with pytest.raises(pf.InputError, match=message):
        schedule(plan, case=CASE, prospects=prospects(plan).assign(**change))


def test_more_places_than_there_are_cannot_be_expected_to_go() -> None:
    """Of 100 to come, 80 are expected: a closure of all 100 takes 20 that are not there."""
    plan = pd.concat(
        [
            project("huts", stage="senior_general", places=300.0, opens=2026, delivery=0.8),
            project("end", stage="senior_general", places=300.0, kind="closure", closes=2029),
        ]
    )
    message = "take .* places of S1 in A that do not exist .*2029: end"
    with pytest.raises(pf.InputError, match=message):
        schedule(plan, case=CASE)


def test_the_years_are_those_of_the_other_cases() -> None:
    assert list(dict.fromkeys(schedule(project(opens=2027), case=CASE)["year"])) == list(YEARS)
