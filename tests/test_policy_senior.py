"""The split of graduates between general and vocational senior schools, by share or by places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from schools import SIMPLE, found, grades, pupils, region

if TYPE_CHECKING:
    from collections.abc import Sequence

LAUNCH = 2025
NEXT = LAUNCH + 1
TREE = pd.DataFrame(
    {"district": ["C", "A", "B"], "parent": [None, "C", "C"], "level": ["city", "county", "county"]}
)
AT_CITY = pd.DataFrame(
    {"stage": ["senior_general"], "indicator": ["planned_at"], "value": ["city"]}
)
CHILDREN = pd.DataFrame(
    {"district": "A", "year": [NEXT], "age": [6], "basis": "births", "children": [100.0]}
)


def close(actual: Sequence[float], expected: Sequence[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def share(*values: float, basis: str | None = None, **keys: str) -> pd.DataFrame:
    """Return a path of the general share from the year after the launch on."""
    given = {} if basis is None else {"basis": basis}
    years = range(NEXT, NEXT + len(values))
    rows = {"indicator": "senior_general_share", "stage": "senior_general", "year": list(years)}
    return pd.DataFrame({**rows, "value": list(values), **given, **keys})


def limited(first: int = NEXT, word: str = "capacity_limited", **keys: str) -> pd.DataFrame:
    rows = {"indicator": "senior_mode", "stage": "senior_general", "year": [first], "value": word}
    return pd.DataFrame({**rows, **keys})


def taught(
    leaving: float, general: float, vocational: float | None, district: str = "A", **keys: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return graduates and the ratios by which they go on when no policy says otherwise."""
    ratio = {"S1": general} if vocational is None else {"S1": general, "V1": vocational}
    counts: dict[str, Sequence[float | None]] = {"J3": [leaving], **{key: [10.0] for key in ratio}}
    progression = pd.DataFrame(
        [
            {"year": year, "district": district, "grade": grade, "ratio": r, **keys}
            for year in range(NEXT, NEXT + 3)
            for grade, r in {"J3": 1.0, **ratio}.items()
        ]
    )
    return pupils(counts, LAUNCH, district, **keys), progression


LAST_GRADES = grades(
    ("J3", "junior", 1, 14, 1, "population"),
    ("S1", "senior_general", 2, 15, 1, "J3"),
    ("V1", "senior_vocational", 2, 15, 1, "J3"),
)


def project(
    *parts: tuple[pd.DataFrame, pd.DataFrame],
    capacity: pd.DataFrame | None = None,
    **tables: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Return pupils of the years after the launch; 100 come to J3 in each district and class."""
    enrolment = pd.concat([part[0] for part in parts], ignore_index=True)
    ratios = pd.concat([part[1] for part in parts], ignore_index=True)
    intake = ratios[ratios["grade"] == "J3"].assign(basis="births")
    progression = ratios[ratios["grade"] != "J3"]
    named = sorted(set(enrolment["district"]))
    children = pd.concat(
        CHILDREN.assign(district=d, year=y, age=14) for d in named for y in range(NEXT, NEXT + 3)
    )
    given = pf.Assumptions(intake=intake, progression=progression, **tables)
    return pf.project_enrolment(
        children, enrolment, given, grades=LAST_GRADES, capacity=capacity
    ).query(f"year > {LAUNCH}")


ONE = taught(200, 0.5, 0.4)


def entrants(table: pd.DataFrame, district: str = "A", **keys: str) -> tuple[float, float]:
    """Return general and vocational entrants of the year after the launch."""
    general, vocational = (found(table, g, district=district, **keys)[0] for g in ("S1", "V1"))
    return general, vocational


# Shares.


def test_r06_a_share_of_graduates_sets_general_entrants_and_leaves_the_rest() -> None:
    """0.6 x 200 = 120 of the 180 who go on; a year later 0.65 of 100 graduates, and 25 of 90."""
    table = project(ONE, policy=share(0.6, 0.65))
    close(found(table, "S1"), [120, 65, 65])
    close(found(table, "V1"), [60, 25, 25])


def test_r06_a_share_of_entrants_is_kept_apart() -> None:
    """0.6 of the 180 who go on: 108."""
    close(entrants(project(ONE, policy=share(0.6, basis="entrants"))), (108, 72))
    close(entrants(project(ONE, policy=share(0.6, basis="graduates"))), (120, 60))


def test_r06_r05_graduates_of_each_residence_have_a_share_of_their_own() -> None:
    """Of 2017: 34 % of migrant graduates, 57 % of the others: 0.57 x 200 and 0.34 x 100."""
    local, migrant = (
        taught(n, 0.5, 0.4, residence=r) for n, r in ((200, "local"), (100, "migrant"))
    )
    rows = pd.concat([share(0.57, residence="local"), share(0.34, residence="migrant")])
    table = project(local, migrant, policy=rows)
    close(entrants(table, residence="local"), (114, 180 - 114))
    close(entrants(table, residence="migrant"), (34, 90 - 34))


def test_one_share_of_both_residences_is_of_all_graduates() -> None:
    """0.6 x 300 = 180 of the natural 150, in the proportions of 100 and 50."""
    local, migrant = (
        taught(n, 0.5, 0.4, residence=r) for n, r in ((200, "local"), (100, "migrant"))
    )
    table = project(local, migrant, policy=share(0.6))
    close(entrants(table, residence="local"), (120, 60))
    close(entrants(table, residence="migrant"), (60, 30))


def two_districts() -> tuple[tuple[pd.DataFrame, pd.DataFrame], ...]:
    return taught(200, 0.3, 0.6), taught(100, 0.6, 0.3, "B")


def test_r18_at_the_city_the_share_is_of_all_its_graduates() -> None:
    """0.6 x 300 = 180; A and B have 60 each as estimated, so 90 each; 90 of 150 are left: x 0.6."""
    table = project(*two_districts(), policy=share(0.6), standards=AT_CITY, districts=TREE)
    close(entrants(table), (90, 72))
    close(entrants(table, "B"), (90, 18))


def test_without_a_planning_level_each_district_sends_its_own() -> None:
    table = project(*two_districts(), policy=share(0.6), districts=TREE)
    close(entrants(table), (120, 60))
    close(entrants(table, "B"), (60, 30))


def assert_split(table: pd.DataFrame, leaving: float, of_graduates: float) -> None:
    """Check entrants_general = sum over r of graduates_r x share(r), and what is left (1G)."""
    first = table[table["year"] == NEXT].groupby("grade")["pupils"].sum()
    np.testing.assert_allclose(first["S1"], leaving * of_graduates, rtol=1e-9, err_msg="general")
    np.testing.assert_allclose(first["S1"] + first["V1"], 0.9 * leaving, rtol=1e-9, err_msg="all")


@pytest.mark.parametrize("standards", [None, AT_CITY])
@pytest.mark.parametrize("grade", ["S1", "V1"])
def test_1g_nobody_is_lost_or_made_in_the_split(standards: pd.DataFrame | None, grade: str) -> None:
    table = project(*two_districts(), policy=share(0.6), standards=standards, districts=TREE)
    assert_split(table, 300, 0.6)
    wrong = table.copy()
    wrong.loc[wrong.index[(wrong["grade"] == grade) & (wrong["year"] == NEXT)][0], "pupils"] += 1e-4
    with pytest.raises(AssertionError, match=r"general|all"):
        assert_split(wrong, 300, 0.6)


def test_more_to_general_schools_than_go_on_at_all_is_refused() -> None:
    message = (
        r"policy, column senior_general_share: sends 190 to general senior schools in A in 2026, "
        r"more than the 180 who go on at all\. Lower senior_general_share, or raise the progression"
    )
    with pytest.raises(pf.InputError, match=message):
        project(ONE, policy=share(0.95))


def test_everybody_may_go_to_general_schools() -> None:
    """One of all entrants is lawful, and rounding of a large number does not refuse it."""
    many = taught(16_982_000.3, 0.61, 0.29)
    general, vocational = entrants(project(many, policy=share(1.0, basis="entrants")))
    assert general == pytest.approx(0.9 * 16_982_000.3, rel=1e-12)
    assert vocational == pytest.approx(0, abs=1e-6)


def test_what_is_left_needs_vocational_schools_to_go_to() -> None:
    """Row of 0 pupils: they would be lost."""
    message = (
        r"leaves 60 in A in 2026 for vocational senior schools, where there are none\. Give pupils "
        r"of the first vocational grade, or leave its rows out altogether\."
    )
    with pytest.raises(pf.InputError, match=message):
        project(taught(200, 0.9, 0.0), policy=share(0.6))


def test_a_district_without_vocational_schools_has_general_entrants_alone() -> None:
    """B is counted without V1: 0.7 x 100 stand, whatever is estimated."""
    parts = (ONE, taught(100, 0.5, None, "B"))
    table = project(*parts, policy=share(0.7))
    close(found(table, "S1", district="B")[:1], [70])
    close(entrants(table), (140, 40))


def test_a_share_where_nobody_is_in_general_schools_is_refused() -> None:
    message = (
        r"sets general senior entrants in A in 2026, where there are none\. Give pupils of the "
        r"first senior grade, plan the stage higher \(planned_at\), or leave the share out\."
    )
    with pytest.raises(pf.InputError, match=message):
        project(taught(200, 0.0, 0.9), policy=share(0.6))


# Places that limit the entrants.


def room(places: float, district: str = "A", last: int = NEXT + 2) -> pd.DataFrame:
    years = list(range(LAUNCH, last + 1))
    return pd.DataFrame({"district": district, "year": years, "grade": "S1", "places": places})


BOTH = pd.concat([share(0.6), limited()])


@pytest.mark.parametrize(
    ("places", "general", "vocational"), [(100, 100, 80), (120, 120, 60), (150, 120, 60)]
)
def test_r06_no_more_are_general_than_places_take_in(
    places: float, general: float, vocational: float
) -> None:
    """min(0.6 x 200, places); vocational is what is left of 180."""
    close(entrants(project(ONE, policy=BOTH, capacity=room(places))), (general, vocational))


def test_the_mode_share_does_not_look_at_places() -> None:
    given = pd.concat([share(0.6), limited(word="share")])
    close(entrants(project(ONE, policy=given, capacity=room(100))), (120, 60))


def test_the_mode_without_a_share_limits_what_is_estimated() -> None:
    """0.5 x 200 = 100 as estimated, 70 places."""
    close(entrants(project(ONE, policy=limited(), capacity=room(70))), (70, 110))


def test_places_kept_free_take_nobody_in() -> None:
    free = pd.DataFrame({"indicator": ["spare_share"], "value": [0.1]})
    table = project(ONE, policy=BOTH, capacity=room(100), standards=free)
    close(entrants(table), (90, 90))


def test_a_mode_holds_from_its_year_on() -> None:
    """Shares until 2027; from 2028 on 40 places, of 0.6 x 100."""
    words = pd.concat([share(0.6), limited(word="share"), limited(NEXT + 2)])
    table = project(ONE, policy=words, capacity=room(40))
    close(found(table, "S1"), [120, 60, 40])
    close(found(table, "V1"), [60, 30, 50])


def test_r18_the_places_of_the_city_limit_it_as_a_whole() -> None:
    """0.6 x 300 = 180 against 50 + 100 places: 150, 75 each; without the level 50 and 60."""
    capacity = pd.concat([room(50), room(100, "B")])
    given: dict[str, Any] = {"policy": BOTH, "capacity": capacity, "districts": TREE}
    table = project(*two_districts(), standards=AT_CITY, **given)
    close([entrants(table)[0], entrants(table, "B")[0]], [75, 75])
    apart = project(*two_districts(), **given)
    close([entrants(apart)[0], entrants(apart, "B")[0]], [50, 60])


def test_places_have_to_be_known() -> None:
    message = (
        r"policy, column value: sets senior_mode capacity_limited, but no places are known\. Give "
        r"places of the general senior stage, or write share\."
    )
    with pytest.raises(pf.InputError, match=message):
        project(ONE, policy=BOTH)


@pytest.mark.parametrize("capacity", [room(100, last=NEXT), room(100, "B")])
def test_places_that_are_missing_are_not_taken_for_none(capacity: pd.DataFrame) -> None:
    year = NEXT if "B" in set(capacity["district"]) else NEXT + 1
    message = rf"places, column places: lacks places of S1 in A in {year}, which limit it\. Add"
    with pytest.raises(pf.InputError, match=message):
        project(ONE, policy=BOTH, capacity=capacity)


def test_a_city_planned_as_one_has_one_mode() -> None:
    message = r"gives senior_mode of a part of C, where places are planned as one\. Give it for the"
    words = pd.concat([share(0.6), limited(district="A")])
    with pytest.raises(pf.InputError, match=message):
        project(
            *two_districts(), policy=words, capacity=room(90), standards=AT_CITY, districts=TREE
        )


# In the whole chain.


def city(**tables: Any) -> pf.Inputs:  # noqa: ANN401
    """Return a region whose J3 has 100 pupils a year, of whom 50 and 40 go on."""
    system = grades(
        ("J3", "junior", 1, 14, 1, "population"),
        ("S1", "senior_general", 2, 15, 1, "J3"),
        ("V1", "senior_vocational", 2, 15, 1, "J3"),
    )
    counts = {"J3": [100.0] * 4, "S1": [50.0] * 4, "V1": [40.0] * 4}
    return region(pupils(counts, 2022), grades=system, **tables)


def test_the_chain_gives_the_split_the_places_that_are_planned() -> None:
    """45 places of one grade stand and 10 open in 2027: 45, then 55, of 0.6 x 100."""
    places = pd.DataFrame(
        {
            "district": "A",
            "year": 2025,
            "stage": ["junior", "senior_general", "senior_vocational"],
            "places": [100.0, 45.0, 60.0],
        }
    )
    projects = pd.DataFrame(
        {
            "project": ["East"],
            "stage": "senior_general",
            "district": "A",
            "places": 10.0,
            "kind": "new",
            "status": "proposed",
            "opens": 2027,
        }
    )
    inputs = city(policy=BOTH, places=places, projects=projects)
    result = pf.forecast(inputs, model=SIMPLE)
    close(found(result.pupils, "S1"), [50, 45, 55, 55])
    close(found(result.pupils, "V1"), [40, 45, 35, 35])


def test_the_chain_without_places_refuses_the_mode() -> None:
    with pytest.raises(pf.InputError, match="capacity_limited, but no places are known"):
        pf.forecast(city(policy=BOTH), model=SIMPLE)


def test_a_split_without_senior_pupils_is_refused() -> None:
    system = grades(("J3", "junior", 1, 14, 1, "population"))
    whole = pd.concat([pd.DataFrame(LAST_GRADES[1:]), system], ignore_index=True)
    inputs = region(pupils({"J3": [100.0] * 3}, 2023), grades=whole, policy=share(0.6))
    message = (
        r"sets the senior split, but pupils of general senior schools or of the grade below are "
        r"not counted\. Add them, or leave senior_general_share and senior_mode out\."
    )
    with (
        pytest.warns(pf.AssumptionWarning, match="nobody is counted in senior_general"),
        pytest.raises(pf.InputError, match=message),
    ):
        pf.forecast(inputs, model=SIMPLE)
