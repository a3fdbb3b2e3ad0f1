"""Staff beside posts, and cost beside money: known answers, blanks and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.funding import money_needed
from placeforecast.places.staffing import EVERY, staff_and_posts

if TYPE_CHECKING:
    from collections.abc import Sequence

TREE = pd.DataFrame(
    {"district": ["C", "A", "B"], "parent": [None, "C", "C"], "level": ["city", "county", "county"]}
)
NORMS = pd.DataFrame(
    [
        ("class_size", "", 50.0),
        ("pupils_per_staff", "primary", 20.0),
        ("pupils_per_staff", "junior", 10.0),
        ("recurrent_per_pupil", "", 100.0),
        ("cost_per_place", "", 1000.0),
        ("lead_time", "", 2.0),
    ],
    columns=["indicator", "stage", "value"],
)


def demand_of(pupils: dict[tuple[str, str], Sequence[float]], first: int = 2025) -> pd.DataFrame:
    """Return pupils by district and stage, all in one grade, of public schools and of all."""
    rows = [
        (district, first + i, f"{stage[0].upper()}1", stage, ledger, number * times)
        for (district, stage), numbers in pupils.items()
        for i, number in enumerate(numbers)
        for ledger, times in (("all", 2.0), ("public", 1.0))
    ]
    return pd.DataFrame(rows, columns=["district", "year", "grade", "stage", "ledger", "pupils"])


PUPILS = demand_of(
    {
        ("A", "primary"): [2000, 1900, 1800, 1700, 1600, 1500],
        ("B", "primary"): [1000, 1000, 1000, 1000, 1000, 1000],
        ("A", "junior"): [500, 500, 500, 500, 500, 500],
        ("B", "junior"): [500, 500, 500, 500, 500, 500],
    }
)


def posts_of(**changes: Any) -> pd.DataFrame:  # noqa: ANN401
    table = pd.DataFrame(
        {
            "district": "A",
            "year": range(2025, 2031),
            "stage": "primary",
            "posts_cap": 98.0,
            "posts_filled": [95.0, *[np.nan] * 5],
            "retirements": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        }
    )
    return table.assign(**changes)


def staffed(posts: pd.DataFrame, demand: pd.DataFrame = PUPILS) -> pd.DataFrame:
    given = pf.Assumptions(standards=NORMS)
    return staff_and_posts(demand, posts, given, launch_year=2025, districts=TREE)


def test_staff_beside_posts_by_hand() -> None:
    """Posts of a county, places that they can staff, 5 % of temporary staff: R08, R35, R36."""
    table = staffed(posts_of())
    assert table["level"].unique().tolist() == ["county"]
    wanted: dict[str, list[float]] = {
        "staff": [100, 95, 90, 85, 80, 75],
        "posts_left": [95, 93, 90, 86, 81, 75],
        "beyond_cap": [2, 0, 0, 0, 0, 0],
        "to_recruit": [5, 2, 0, 0, 0, 0],
        "idle_posts": [0, 0, 0, 1, 1, 0],
        "trainees": [0, 0, np.nan, np.nan, np.nan, np.nan],
        "staffed_places": [98 * 1.05 * 20] * 6,
    }
    for name, values in wanted.items():
        np.testing.assert_allclose(table[name], values, err_msg=name)


def test_half_of_the_posts_needed_and_vacant_in_four_years_are_asked_for_as_trainees() -> None:
    """Trained four years ahead: R34."""
    table = staffed(posts_of(retirements=10.0))  # 55 are left in 2029, when 80 are needed
    np.testing.assert_allclose(table["trainees"].head(2), [(80 - 55) / 2, (75 - 45) / 2])
    few = staffed(posts_of(retirements=10.0, posts_cap=60.0))  # of 60 posts no more can be filled
    np.testing.assert_allclose(few["trainees"].head(2), [(60 - 55) / 2, (60 - 45) / 2])


def test_staffed_places_follow_the_staff_that_is_needed() -> None:
    """With 1.25 times as many members of staff for elective classes a post staffs fewer places."""
    more = pd.DataFrame({"indicator": ["elective_staff_factor"], "stage": "", "value": 1.25})
    given = pf.Assumptions(standards=pd.concat([NORMS, more], ignore_index=True))
    table = staff_and_posts(PUPILS, posts_of(), given, launch_year=2025, districts=TREE)
    np.testing.assert_allclose(table["staff"].iloc[0], 125)
    np.testing.assert_allclose(table["staffed_places"], 98 * 1.05 * 20 / 1.25)


def test_posts_of_a_parent_and_of_every_stage() -> None:
    """Those of both counties and stages: 100 + 50 + 50 + 50 in the first year."""
    table = staffed(posts_of(district="C", stage=None))
    assert table["stage"].unique().tolist() == [EVERY]
    assert table["level"].unique().tolist() == ["city"]
    np.testing.assert_allclose(table["staff"], [250, 245, 240, 235, 230, 225])
    assert table["staffed_places"].isna().all()
    without = posts_of(district="C").drop(columns="stage")
    pd.testing.assert_frame_equal(staffed(without), table)


def test_a_district_that_knows_no_sectors_counts_with_all_of_its_pupils() -> None:
    """Of A the public half of 4,000 pupils is taught by the city's staff, of B each of 2,000."""
    left = PUPILS[(PUPILS["district"] == "A") | (PUPILS["ledger"] == "all")]
    city = staffed(posts_of(district="C"), left)
    np.testing.assert_allclose(city["pupils"].head(2), [2000 + 2000, 1900 + 2000])
    own = staffed(posts_of(district="B"), left)
    np.testing.assert_allclose(own["staff"], 2000 / 20)
    table = money_needed(left, None, BUDGET, NORMS, launch_year=2025, districts=TREE)
    taught = table.query("district == 'C' and year == 2025")["recurrent"].iloc[0]
    assert taught == pytest.approx((2000 + 500 + 2000 + 1000) * 100)


def test_nothing_is_carried_on() -> None:
    """A year without posts has no comparison, and one without retirements ends those in post."""
    short = posts_of().query("year != 2027")
    table = staffed(short).set_index("year")
    assert table["posts_cap"].isna().to_dict() == {y: y == 2027 for y in range(2025, 2031)}
    assert table["posts_left"].notna().sum() == 2
    never = staffed(posts_of().drop(columns="posts_filled"))
    assert never["posts_left"].isna().all()
    assert never["beyond_cap"].tolist() == [2, 0, 0, 0, 0, 0]


def test_those_in_post_are_counted_before_the_launch() -> None:
    table = posts_of()
    table["posts_filled"] = [95.0, 200.0, *[np.nan] * 4]  # not known at the launch
    assert staffed(table)["posts_left"].tolist() == [95, 93, 90, 86, 81, 75]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"stage": "senior_general"},
            "has posts of senior_general, where nobody is taught. Check the names",
        ),
        ({"district": "X"}, "has posts of primary, where nobody is taught"),
    ],
)
def test_posts_where_nobody_is_taught_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(pf.InputError, match=message):
        staffed(posts_of(**changes))


def test_posts_without_a_norm_are_refused() -> None:
    kindergarten = demand_of({("A", "kindergarten"): [600.0] * 6})
    taught = pd.concat([PUPILS, kindergarten], ignore_index=True)
    with pytest.raises(pf.InputError, match="neither pupils_per_staff nor staff_per_class of kind"):
        staffed(posts_of(stage=None), taught)


# Money.


def projects_of(**changes: Any) -> pd.DataFrame:  # noqa: ANN401
    table = pd.DataFrame(
        {
            "project": ["East", "West", "Old", "Gone"],
            "stage": "primary",
            "district": ["A", "B", "A", "A"],
            "kind": ["new", "new", "new", "closure"],
            "status": ["approved", "proposed", "open", "approved"],
            "places": [900.0, 300.0, 500.0, 200.0],
            "starts": [2025.0, np.nan, 2022.0, np.nan],
            "opens": [2028.0, 2027.0, 2025.0, np.nan],
            "closes": [np.nan, np.nan, np.nan, 2026.0],
            "cost": [60e6, np.nan, 40e6, np.nan],
        }
    )
    return table.assign(**changes)


BUDGET = pd.DataFrame(
    [("C", 2025, "general", 10e6, 3e5), ("C", 2025, "bond", 5e6, 0.0), ("A", 2026, "bond", 1e6, 0)],
    columns=["district", "year", "source", "capital_cap", "recurrent_cap"],
)


def money(projects: pd.DataFrame | None, standards: pd.DataFrame = NORMS) -> pd.DataFrame:
    return money_needed(PUPILS, projects, BUDGET, standards, launch_year=2025, districts=TREE)


def test_money_by_hand() -> None:
    """East: 20 million in 2025-2027; West: 300 places at 1,000 yuan, half of it in 2025, 2026.

    What the budget does not carry, its sources added up: R09, R37.
    """
    table = money(projects_of())
    city = table[table["district"] == "C"].set_index("year")
    np.testing.assert_allclose(city["capital"], [20.15e6, 20.15e6, 20e6, 0, 0, 0])
    np.testing.assert_allclose(city["capital_cap"], [15e6, *[np.nan] * 5])
    np.testing.assert_allclose(city["capital_unfunded"], [5.15e6, *[np.nan] * 5])
    assert city["estimated"].tolist() == [True, True, False, False, False, False]
    np.testing.assert_allclose(city["recurrent"], [4e5, 3.9e5, 3.8e5, 3.7e5, 3.6e5, 3.5e5])
    np.testing.assert_allclose(city["recurrent_unfunded"], [1e5, *[np.nan] * 5])
    county = table[table["district"] == "A"].set_index("year")
    np.testing.assert_allclose(county["capital"], [20e6, 20e6, 20e6, 0, 0, 0])
    np.testing.assert_allclose(county["capital_unfunded"], [np.nan, 19e6, *[np.nan] * 4])


def test_what_is_spent_before_the_launch_is_not_asked_for_again() -> None:
    table = money(projects_of(starts=[2022.0, 2026.0, 2022.0, np.nan]))
    city = table[table["district"] == "C"].set_index("year")
    np.testing.assert_allclose(city["capital"], [10e6, 10.3e6, 10e6, 0, 0, 0])


def test_a_project_that_opens_in_the_year_it_starts_costs_all_of_it_then() -> None:
    table = money(projects_of(starts=[2028.0, 2026.0, 2022.0, np.nan]))
    city = table[table["district"] == "C"].set_index("year")
    np.testing.assert_allclose(city["capital"], [0, 0.3e6, 0, 60e6, 0, 0])


def test_private_projects_ask_nothing_of_the_budget() -> None:
    table = money(projects_of(sector=["private", None, "public", "public"]))
    city = table[table["district"] == "C"].set_index("year")
    np.testing.assert_allclose(city["capital"], [0.15e6, 0.15e6, 0, 0, 0, 0])


def test_what_has_not_begun_begins_at_the_launch_at_the_earliest() -> None:
    """Two years before 2026 lie before the launch: spent if it is being built, else still due."""
    opens = [2028.0, 2026.0, 2025.0, np.nan]
    for status, due in (("proposed", 0.3e6), ("under_construction", 0.15e6)):
        table = money(projects_of(opens=opens, status=["open", status, "open", "open"]))
        city = table[table["district"] == "C"].set_index("year")
        np.testing.assert_allclose(city["capital"], [due, 0, 0, 0, 0, 0])


def test_without_an_allowance_recurrent_cost_is_not_known() -> None:
    table = money(None, NORMS[NORMS["indicator"] != "recurrent_per_pupil"])
    assert table["recurrent"].isna().all()
    assert (table["capital"] == 0).all()
    for nothing in (table, money(projects_of(status="open"))):
        assert nothing["capital"].dtype.kind == "f"
        assert nothing["estimated"].dtype.kind == "b"


@pytest.mark.parametrize(
    ("changes", "lacking", "message"),
    [
        ({}, "cost_per_place", r"there is no cost_per_place of primary \(project West\)"),
        ({}, "lead_time", r"there is no lead_time of primary \(project West\)"),
        (
            {"kind": ["new", "refit", "new", "closure"]},
            "",
            r"no standard stands in for it of kind refit \(project West\)\. Give it, or",
        ),
        (
            {"kind": ["new", "temporary", "new", "closure"]},
            "",
            r"there is no temporary_cost_per_place of primary \(project West\)",
        ),
    ],
)
def test_a_cost_that_cannot_be_known_is_refused(
    changes: dict[str, Any], lacking: str, message: str
) -> None:
    with pytest.raises(pf.InputError, match=message):
        money(projects_of(**changes), NORMS[NORMS["indicator"] != lacking])


def test_both_stand_among_the_results_where_the_region_has_the_tables() -> None:
    inputs = pf.load_example("city")
    result = pf.forecast(inputs, horizon=2)
    assert result.staffing is not None
    assert result.funding is not None
    assert set(result.staffing["year"]) == {2025, 2026, 2027}
    public = result.demand.query("ledger == 'public' and stage == 'senior_general'")
    pupils = public.groupby("year")["pupils"].sum()
    mine = result.staffing.query("district == 'CITY'").set_index("year")
    np.testing.assert_allclose(mine["pupils"], pupils)
    np.testing.assert_allclose(mine["staff"], pupils / 12.5, rtol=1e-3)  # classes have no rule
    assert "posts" not in " ".join(result.notes["text"])
