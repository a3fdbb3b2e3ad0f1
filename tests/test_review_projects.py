"""Each project under review: R11, R46, and stranded places of the annual report (point 7)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.review.projects import PROJECTS, USE, review_projects
from placeforecast.review.use import Used, judged
from plans import project, standing
from reports import forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.chain.record import Forecast

LAUNCH = 2025
GRADES = ("J1", "J2", "J3")
LIFE = pd.DataFrame({"indicator": ["life", "temporary_life"], "value": [20.0, 6.0]})
Reviewed = tuple[pd.DataFrame, pd.DataFrame]


def reviewed(
    projects: pd.DataFrame,
    need: Sequence[float],
    places: pd.DataFrame | None = None,
    **options: Any,  # noqa: ANN401
) -> Reviewed:
    """Review a plan on 900 junior places of A; need of each of its three grades by year."""
    given = options.pop("standards", LIFE)
    plan = pf.Assumptions(
        places=standing() if places is None else places, projects=projects, standards=given
    )
    years = range(LAUNCH, LAUNCH + len(need))
    scheduled = pf.schedule_places(plan, years)
    by_year = dict(zip(years, need, strict=True))
    demand = scheduled.drop(columns=["places", "plan_case"])
    demand = demand.assign(demand=[float(by_year[year]) for year in demand["year"]])
    demand["pupils"] = demand["demand"]
    tree = {name: options.get(name) for name in ("districts",)}
    cells = pf.balance_places(demand, scheduled, standards=given, **tree).cells
    return review_projects(cells, plan, LAUNCH, **options)


def row_of(tables: Reviewed, name: str = "East", stage: str = "junior") -> dict[str, Any]:
    rows = tables[0][(tables[0]["project"] == name) & (tables[0]["stage"] == stage)]
    assert len(rows) == 1
    return {str(k): v for k, v in rows.iloc[0].to_dict().items()}


@pytest.fixture(scope="module")
def east() -> Reviewed:
    """300 places from 2027 on, 100 a grade; 300 a grade stand.

    Need a grade:   2025 290, 2026 320, 2027 380, 2028 390, 2029 340, 2030 310.
    Short without:       0       60      240      270      120       30, all of it relieved by East
    from 2027 on.
    """
    need = [290.0, 320.0, 380.0, 390.0, 340.0, 310.0]
    return reviewed(project(opens=2027), need)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ledger", "all"),
        ("opens", 2027),
        ("places", 300.0),
        ("relieves", 660.0),
        ("causes", 0.0),
        ("first_needed", 2026),
        ("never_needed", False),
        ("too_early", False),
        ("too_late", True),
        ("years_late", 1),
        ("peak_use", 270.0),
        ("too_large", False),  # 270 of 300 is 90 %
        ("stranded_from", 2029),  # 120 of 300 is less than half, to the end
        ("stranded", True),  # 2 years after opening, of a life of 20
        ("share_in_use", 0.55),  # 660 / (4 x 300)
        # 2027-2046: 660 and 16 years of 30, of 20 x 300.
        ("share_of_life_in_use", (660 + 16 * 30) / 6000),
        ("reason", ""),
    ],
)
def test_a_project_by_hand(east: Reviewed, column: str, value: object) -> None:
    """R11: what a project relieves, when it is needed, and for how much of its life."""
    assert row_of(east)[column] == (pytest.approx(value) if isinstance(value, float) else value)


def test_use_is_given_year_by_year(east: Reviewed) -> None:
    projects, use = east
    assert list(projects.columns) == PROJECTS
    assert list(use.columns) == USE
    assert use["year"].tolist() == list(range(2025, 2031))
    assert use["places"].tolist() == pytest.approx([0.0, 0.0, 300.0, 300.0, 300.0, 300.0])
    assert use["use"].tolist() == pytest.approx([0.0, 0.0, 240.0, 270.0, 120.0, 30.0])


def test_relief_is_the_difference_that_the_whole_chain_makes(east: Reviewed) -> None:
    """Leave-one-out on the cells equals a schedule and a balance without the project."""
    need = [290.0, 320.0, 380.0, 390.0, 340.0, 310.0]
    plan = {True: project(opens=2027), False: project(status="cancelled", opens=2027)}
    short = {}
    for there, projects in plan.items():
        given = pf.Assumptions(places=standing(), projects=projects)
        supply = pf.schedule_places(given, range(2025, 2031))
        demand = supply.drop(columns=["places", "plan_case"])
        demand["demand"] = demand["pupils"] = [need[year - 2025] for year in demand["year"]]
        short[there] = pf.balance_places(demand, supply).stages.set_index("year")["cell_shortfall"]
    relief = (short[False] - short[True]).to_numpy()
    assert east[1]["use"].to_numpy() == pytest.approx(relief)
    relief = relief + np.array([0, 0, 0, 1.0, 0, 0])  # a corrupted cell is found
    assert east[1]["use"].to_numpy() != pytest.approx(relief)


@pytest.mark.parametrize(
    ("opens", "early", "late"),
    [(2026, True, False), (2027, False, False), (2029, False, False), (2030, False, True)],
)
def test_early_is_more_than_two_years_before_the_need(opens: int, early: bool, late: bool) -> None:
    """Needed from 2029 on."""
    row = row_of(reviewed(project(opens=opens), [290.0] * 4 + [390.0] * 3))
    assert (row["first_needed"], row["too_early"], row["too_late"]) == (2029, early, late)


@pytest.mark.parametrize(("need", "large"), [(379.9, True), (380.0, False)])
def test_large_is_below_four_fifths_in_the_best_year(need: float, large: bool) -> None:
    """80 of 100 places a grade are 80 %."""
    assert row_of(reviewed(project(opens=2026), [290.0, need, need]))["too_large"] is large


def test_a_project_that_nothing_needs() -> None:
    row = row_of(reviewed(project(opens=2027), [290.0] * 4))
    assert (row["never_needed"], row["too_large"], row["stranded"]) == (True, True, False)
    assert (row["relieves"], row["share_of_life_in_use"]) == (0.0, 0.0)
    for name in ("first_needed", "too_early", "too_late", "stranded_from"):
        assert pd.isna(row[name])


def test_a_dip_strands_nothing_and_a_late_fall_is_no_stranding() -> None:
    """Below half in 2027 only, and from 2036 on: 10 years after opening, half of its life."""
    need = [290.0, 390.0, 310.0, *[390.0] * 8, 310.0]
    row = row_of(reviewed(project(opens=2026), need))
    assert (row["stranded_from"], row["stranded"]) == (2036, False)
    sooner = row_of(reviewed(project(opens=2027), [290.0, 290.0, *need[3:]]))
    assert (sooner["stranded_from"], sooner["stranded"]) == (2035, True)


def test_without_a_life_stranding_is_not_judged() -> None:
    row = row_of(reviewed(project(opens=2026), [290.0, 390.0, 310.0], standards=None))
    assert row["stranded_from"] == 2027
    assert pd.isna(row["stranded"])
    assert pd.isna(row["share_of_life_in_use"])


def test_a_temporary_project_lives_until_it_closes() -> None:
    """2026 and 2027: 90 and 30 of 100 a grade, so 360 of 600 place-years; its life is 2 years."""
    given = project(kind="temporary", opens=2026, closes=2028)
    row = row_of(reviewed(given, [290.0, 390.0, 330.0, 290.0]))
    assert row["share_in_use"] == row["share_of_life_in_use"] == pytest.approx(0.6)
    assert (row["stranded_from"], row["stranded"]) == (2027, False)


def test_a_school_that_opened_before_the_launch_is_neither_early_nor_late() -> None:
    """Its 300 places stand in the table of places: 200 a grade without it."""
    given = project(status="open", opens=2023, opened=2023)
    row = row_of(reviewed(given, [250.0, 250.0, 280.0]))
    assert (row["first_needed"], row["relieves"]) == (2025, 3 * (50.0 + 50.0 + 80.0))
    assert pd.isna(row["too_early"])
    assert pd.isna(row["too_late"])
    assert row["share_in_use"] == pytest.approx(540 / 900)


def test_a_school_filling_by_grade_is_judged_by_the_grades_it_has() -> None:
    """J1 opens in 2026 with 100 places, all three grades stand from 2028 on."""
    given = project(opens=2026, phase_in="by_grade")
    _, use = reviewed(given, [290.0, 390.0, 390.0, 390.0])
    assert use["places"].tolist() == pytest.approx([0.0, 100.0, 200.0, 300.0])
    assert use["use"].tolist() == pytest.approx([0.0, 90.0, 180.0, 270.0])


def test_two_projects_for_one_need_are_each_judged_with_the_other_in_place() -> None:
    """Need 350 a grade of 300; each brings 100: with one there, nothing is left for the other."""
    both = pd.concat([project(opens=2026), project("West", opens=2026)])
    tables = reviewed(both, [290.0, 350.0, 350.0])
    assert row_of(tables)["never_needed"] is True
    assert row_of(tables, "West")["never_needed"] is True
    alone = row_of(reviewed(project(opens=2026), [290.0, 350.0, 350.0]))
    assert alone["relieves"] == pytest.approx(300.0)


def test_a_closure_causes_what_is_short_because_of_it() -> None:
    """R46: 300 of 900 places go in 2027; need of 250 a grade leaves 50 short in each."""
    row = row_of(reviewed(project(kind="closure", closes=2027), [250.0] * 4))
    assert (row["relieves"], row["causes"], row["places"]) == (0.0, 300.0, -300.0)
    assert row["reason"] == "it adds no places: only what is short because of it is counted"
    assert pd.isna(row["too_large"])


def test_a_conversion_has_a_row_for_each_stage() -> None:
    """R49: places leave primary and come to junior."""
    places = pd.concat([standing(), standing(1200.0, "primary")])
    given = project(kind="conversion", from_stage="primary", opens=2026)
    tables = reviewed(given, [150.0, 350.0, 350.0], places)
    # Junior: 50 short in each of 3 grades without it. Primary: 200 a grade stood, 150 are left of
    # which 350 are needed: 50 more short in each of 6 grades.
    assert row_of(tables)["relieves"] == pytest.approx(2 * 150.0)
    assert row_of(tables, stage="primary")["causes"] == pytest.approx(2 * 300.0)
    assert row_of(tables, stage="primary")["places"] == -300.0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"opens": 2024},
            "it should have opened by 2025 and is not open: nothing of it is counted",
        ),
        ({"opens": 2040}, "it brings and takes no places from 2025 to 2027"),
    ],
)
def test_what_is_not_judged_says_why(given: dict[str, Any], reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)
        row = row_of(reviewed(project(**given), [290.0, 350.0, 350.0]))
    assert row["reason"] == reason
    assert pd.isna(row["relieves"])
    assert pd.isna(row["never_needed"])


def test_a_cancelled_project_and_equipment_are_left_out() -> None:
    rest = [
        project("Gone", status="cancelled", opens=2026),
        project("Desks", kind="equipment", places=None),
    ]
    projects, _ = reviewed(pd.concat([project(opens=2026), *rest]), [290.0, 350.0])
    assert projects["project"].tolist() == ["East"]


def test_without_projects_there_is_nothing_to_judge() -> None:
    projects, use = review_projects(pd.DataFrame(), pf.Assumptions(), LAUNCH)
    assert (len(projects), len(use)) == (0, 0)
    assert (list(projects.columns), list(use.columns)) == (PROJECTS, USE)


def test_a_stage_planned_by_the_city_is_judged_there() -> None:
    """R18: a school in A, which has enough, serves B, which is short, where the city plans."""
    tree = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})
    tree["level"] = ["city", "county", "county"]
    places = pd.concat([standing(900.0), standing(300.0).assign(district="B")])
    rule = pd.DataFrame({"indicator": ["planned_at"], "stage": "junior", "value": "city"})
    # 300 and 100 a grade stand and 230 are needed in each: 60 short in the city, 130 in B alone.
    options: dict[str, Any] = {"districts": tree, "places": places}
    row = row_of(reviewed(project(opens=2026), [190.0, 230.0], standards=rule, **options))
    assert row["relieves"] == pytest.approx(180.0)
    apart = row_of(reviewed(project(opens=2026), [190.0, 230.0], **options))
    assert apart["relieves"] == 0.0


def test_a_fall_of_half_in_eleven_years_strands_a_school() -> None:
    """Golden check of domain-china.md 7: built for the peak of 2029, half empty eleven years on.

    A school of 1000 places full in 2029 and falling by 5 % of them a year: 450 are used in 2040,
    less than half within half of a life of 50 years.
    """
    years = list(range(2025, 2041))
    use = np.array([0.0 if y < 2029 else 1000.0 - 50.0 * (y - 2029) for y in years])
    places = np.array([0.0 if y < 2029 else 1000.0 for y in years])
    found = judged(Used(years, places, use, use), 2029, 50.0)
    assert (found["stranded_from"], found["stranded"]) == (2040, True)
    # 12 years of 1000 to 450: 8700; 38 more of 450: 17100; of 50,000.
    assert found["share_in_use"] == pytest.approx(8700 / 12_000)
    assert found["share_of_life_in_use"] == pytest.approx(25_800 / 50_000)


@pytest.fixture(scope="module")
def city() -> Forecast:
    return forecast(pf.load_example("city"), horizon=6)


def test_every_project_of_the_city_is_told(city: Forecast) -> None:
    review = pf.review_plan(city)
    given = city.inputs.projects
    assert given is not None
    there = given[~given["status"].isin(["cancelled"]) & (given["kind"] != "equipment")]
    told = review.projects
    assert set(told["project"]) == set(there["project"])
    assert told["relieves"].notna().eq(told["ledger"].notna()).all()
    assert (told["relieves"].isna() <= (told["reason"] != "")).all()
    # No project is used by more than its places, or in a year in which it has none.
    assert (review.use["use"] <= review.use["places"].clip(lower=0.0) + 1e-6).all()
    summed = review.use.groupby(["project", "stage"])["use"].sum()
    relieved = told.dropna(subset=["relieves"]).set_index(["project", "stage"])["relieves"]
    pd.testing.assert_series_equal(
        summed.sort_index(), relieved.sort_index(), check_names=False, rtol=1e-9
    )
    hands = told[told["project"] == "云汀区民办小学转为公办"].iloc[0]
    assert hands["reason"] == "the school changes hands: its pupils go with it"
