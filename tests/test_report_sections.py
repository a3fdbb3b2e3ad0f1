"""Report: people, and what to start: each figure by another way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.report.compose import compose
from placeforecast.report.compose_actions import actions
from placeforecast.report.model import Figure, Points
from placeforecast.report.view import View, catalogue
from regions import gone, region_with
from reports import forecast, rows_of, short_city, small, table_of, texts, told, two_below_one

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report


@pytest.fixture(scope="module")
def city() -> Forecast:
    return short_city()


@pytest.fixture(scope="module")
def of_city(city: Forecast) -> Report:
    return compose(city, language="en")


@pytest.fixture(scope="module")
def made() -> Forecast:
    return two_below_one()


@pytest.fixture(scope="module")
def of_made(made: Forecast) -> Report:
    return compose(made, language="en")


def assert_cohorts(result: Forecast, report: Report) -> None:
    """Check every cohort of the city against the tables it is made of."""
    given, computed = result.assumptions.births, result.births
    enrolment = result.inputs.enrolment
    assert given is not None
    assert computed is not None
    assert enrolment is not None
    known = given[given["share_born"] > 0].groupby("year")
    born = {**computed.groupby("year")["births"].sum(), **known["births"].sum()}
    counted = enrolment[enrolment["grade"] == "P1"].groupby("year")["pupils"].sum()
    ahead = result.pupils.query("grade == 'P1' and year > 2025").groupby("year")["pupils"].sum()
    came = {**counted[counted.index <= 2025], **ahead}
    resident = result.children.query("basis == 'resident' and age == 6")
    living = resident.groupby("year")["children"].sum()
    rows = rows_of(report, "cohorts")
    assert [row["Born in"] for row in rows] == list(range(2013, 2026))
    for row in rows:
        entry = row["Born in"] + 6
        assert row["Age 6 in"] == entry
        assert row["Births"] == pytest.approx(born[row["Born in"]], abs=1e-6)
        assert row["Resident, age 6"] == pytest.approx(living.get(entry), abs=1e-6)
        assert row["Entrants"] == pytest.approx(came.get(entry), abs=1e-6)
        if row["Entrants"] is not None:
            ratio = row["Entrants"] / row["Births"]
            assert row["Entrants / births"] == pytest.approx(ratio, abs=1e-8)
        else:
            assert row["Entrants / births"] is None
    assert [row["Recorded"] for row in rows] == [1.0] * 13
    assert (given.loc[given["year"] <= 2025, "share_born"] == 1.0).all()


def test_cohorts_are_sums_over_the_districts(city: Forecast, of_city: Report) -> None:
    assert_cohorts(city, of_city)
    wrong = city.pupils.assign(pupils=city.pupils["pupils"] + 1.0)
    with pytest.raises(AssertionError, match="comparison failed"):
        assert_cohorts(replace(city, pupils=wrong), of_city)


def test_fertility_is_weighted_by_the_women_of_each_age(city: Forecast, of_city: Report) -> None:
    asfr, people = city.assumptions.fertility, city.population
    assert asfr is not None
    assert people is not None
    rate = {(d, y, a): r for d, y, a, r in asfr[["district", "year", "age", "asfr"]].to_numpy()}
    women = people.query("sex == 'female'")[["district", "year", "age", "population"]]
    for row in rows_of(of_city, "fertility"):
        born: dict[int, float] = {}
        there: dict[int, float] = {}
        for district, year, age, number in women[women["year"] == row["Year"]].to_numpy():
            if (district, year, age) in rate:
                born[age] = born.get(age, 0.0) + number * rate[district, year, age]
                there[age] = there.get(age, 0.0) + number
        assert row["Births per woman"] == f"{sum(born[age] / there[age] for age in born):.2f}"
    assert len(rows_of(of_city, "fertility")) == 3


def test_fertility_of_all_districts_alike_is_its_sum(city: Forecast) -> None:
    """A column that is left out means the same in every district and year."""
    alike = pd.DataFrame({"age": range(20, 40), "asfr": 0.07})
    other = replace(city, assumptions=replace(city.assumptions, fertility=alike))
    rows = rows_of(compose(other, language="en"), "fertility")
    assert {row["Births per woman"] for row in rows} == {"1.40"}


@pytest.mark.parametrize("kind", ["sector", "residence"])
def test_pupils_by_kind_add_up_to_the_enrolment(city: Forecast, of_city: Report, kind: str) -> None:
    enrolment = city.inputs.enrolment
    assert enrolment is not None
    now = enrolment[enrolment["year"] == 2025]
    primary = now[now["grade"].str.startswith("P")]
    row = rows_of(of_city, f"by_{kind}")[1]
    summed = primary.groupby(kind)["pupils"].sum()
    assert row["Stage"] == "Primary"
    assert row["Together"] == primary["pupils"].sum()
    kinds = {name: row[catalogue("en").value(kind, name)] for name in summed.index}
    assert kinds == pytest.approx(summed.to_dict())
    whole = sum(row["Together"] for row in rows_of(of_city, f"by_{kind}"))
    assert whole == pytest.approx(now["pupils"].sum())


def test_children_are_shown_on_each_basis(city: Forecast, of_city: Report) -> None:
    ages = {row["Age"]: row for row in rows_of(of_city, "ages")}
    assert ages[0]["births"] is None
    own = city.children.query("year == 2025 and age == 6")
    for basis in ("births", "resident"):
        now = own.loc[own["basis"] == basis, "children"].sum()
        assert ages[6][basis] == pytest.approx(now, abs=1e-6)
        primary = city.children.query("basis == @basis and year == 2026 and 6 <= age <= 11")
        row = rows_of(of_city, f"school_age_{basis}")[1]
        assert row["Primary (6-11)"] == pytest.approx(primary["children"].sum(), abs=1e-5)


def test_a_cohort_that_one_district_lacks_is_left_blank() -> None:
    """The births of one district alone are not those of the region."""
    births = small().births
    assert births is not None
    births = births[(births["district"] == "A") | (births["year"] >= 2013)]
    report = compose(forecast(small(births=births)), language="en")
    # Births of calendar years: a third of the cohort of 2013 was born in 2012.
    assert rows_of(report, "cohorts")[0]["Born in"] == 2014
    first, second = rows_of(report, "school_age_births")[:2]
    assert (first["Year"], first["Junior (12-14)"]) == (2025, None)
    assert first["Primary (6-11)"] is not None
    assert second["Kindergarten (3-5)"] is not None
    (figure,) = (b for s in report.sections for b in s.blocks if getattr(b, "key", "") == "ladder")
    assert isinstance(figure, Figure)
    assert "Births 2014: " in figure.alt


def test_a_total_of_several_ages_has_no_entrants() -> None:
    """Pupils of special schools are one grade of nine ages, and no part of the entrants."""
    inputs = small()
    enrolment = inputs.enrolment
    assert enrolment is not None
    special = enrolment[enrolment["grade"] == "P1"].assign(grade="SE", pupils=9.0)
    places = inputs.places
    assert places is not None
    few = places[places["stage"] == "primary"].assign(stage="special", places=5.0)
    result = forecast(
        small(enrolment=pd.concat([enrolment, special]), places=pd.concat([places, few]))
    )
    report, plain = compose(result, language="en"), compose(forecast(inputs), language="en")
    assert [row["Entrants"] for row in rows_of(report, "cohorts")] == pytest.approx(
        [row["Entrants"] for row in rows_of(plain, "cohorts")]
    )
    assert "SE" in {row["Grade"] for row in rows_of(report, "grades")}
    assert "SE" not in {row["Grade"] for row in rows_of(report, "entry")}


def test_what_would_fill_the_section_on_people(tmp_path: Path) -> None:
    report = compose(forecast(small()), language="en")
    assert "Population pyramid: nothing to show. The table population would" in told(
        report, "people"
    )
    assert "The table fertility, population would fill it." in told(report, "people")
    for kind in ("sector", "residence"):
        line = f"Pupils by {kind}, 2025: the table enrolment does not tell (column {kind})."
        assert line in told(report, "people")
    region = region_with(tmp_path / "region", gone("births.csv"))
    unborn = compose(forecast(pf.read_inputs(region)), language="en")
    assert "nothing to show. The table births would fill it." in told(unborn, "people")
    assert table_of(unborn, "school_age_resident").rows


def test_english_entrants_are_those_of_reception() -> None:
    inputs = small(system="england")
    rows = rows_of(compose(forecast(inputs), language="en"), "cohorts")
    assert inputs.enrolment is not None
    reception = inputs.enrolment.query("grade == 'R' and year == 2024")["pupils"].sum()
    (row,) = (row for row in rows if row["Born in"] == 2020)
    assert (row["Age 4 in"], row["Entrants"]) == (2024, reception)


def test_the_opening_says_how_surely_places_are_short(made: Forecast, of_made: Report) -> None:
    assert made.balance is not None
    worst = made.balance.query(
        "district == 'A' and stage == 'primary' and year == 2027 and plan_case == 'planned'"
    ).iloc[0]
    low, high = (f"{worst[f'demand_p{q}']:,.0f}" for q in (10, 90))
    sure = f"; chance of a shortage then {worst['chance_of_shortfall']:.1%}, need between {low} and"
    (line,) = (t for t in told(of_made, "summary").splitlines() if t.startswith("A, Primary: "))
    assert f"{sure} {high}." in line
    assert "chance of a shortage" not in told(compose(forecast(small()), language="en"), "summary")


def act(result: Forecast, language: str, **row: Any) -> list[str]:  # noqa: ANN401
    """Return what is to be started of primary places, where the review says what is given."""
    view = View(result, catalogue(language), result)
    review = view.review
    assert review is not None
    usual = {
        "uncovered": 0.0,
        "permanent_or_temporary": "both",
        "permanent_places": 900.0,
        "temporary_places": 300.0,
        "uncovered_year": 2027,
    }
    table = review.districts.assign(uncovered=0.0)
    at = (table["district"] == "C") & (table["stage"] == "primary")
    assert at.sum() == 1
    for name, value in {**usual, **row}.items():
        if isinstance(value, str):
            table[name] = table[name].astype(object)
        table.loc[at, name] = value
    other = View(result, catalogue(language), result)
    other.__dict__["review"] = replace(review, districts=table)
    found: list[str] = []
    for block in actions(other):
        found += block.items if isinstance(block, Points) else [getattr(block, "text", "")]
    return found


IN_TIME = {"uncovered": 1200.4, "needed_by": 2029, "start_by": 2026, "late": False}


def test_what_to_start_is_told_in_a_sentence(made: Forecast) -> None:
    head, line = act(made, "en", **IN_TIME)
    assert head == (
        "What to start, and by when, in C with every project of plan case planned in place:"
    )
    assert line == (
        "Primary: at most 1,200 places uncovered (in 2027); 900 to build for good; "
        "300 to bridge with temporary places or transfers; start by 2026, for 2029."
    )
    late = act(made, "en", **{**IN_TIME, "late": True})[1]
    assert late.endswith("; needed in 2029: the year to start (2026) is past, so bridge first.")
    unknown = act(made, "en", **{**IN_TIME, "start_by": pd.NA, "late": pd.NA})[1]
    assert unknown.endswith("; needed by 2029; the standards have no lead time for it.")
    only = {"needed_by": pd.NA, "start_by": pd.NA, "late": pd.NA, "temporary_places": 0.0}
    cells = act(made, "en", **{**IN_TIME, **only})[1]
    assert cells == (
        "Primary: at most 1,200 places uncovered (in 2027); 900 to build for good; "
        "single zones and grades are short, not the stage: move pupils or classes first."
    )
    undecided = act(made, "en", **{**IN_TIME, "permanent_or_temporary": pd.NA})[1]
    assert "build" not in undecided


def test_nothing_to_start_is_said(made: Forecast) -> None:
    assert act(made, "en", uncovered=0.4) == [
        "What to start: nothing. With every project of plan case planned in place, "
        "no cell in C is short."
    ]
    (line,) = act(made, "zh", uncovered=0.4)
    assert line == catalogue("zh")("opening.start_none", area="C", case="规划")


def test_what_to_start_in_chinese(made: Forecast) -> None:
    _, line = act(made, "zh", **IN_TIME)
    words = catalogue("zh")
    parts = (
        words("opening.uncovered", stage="小学", places="1,200", year=2027),
        words("opening.build", places="900"),
        words("opening.bridge", places="300"),
        words("opening.start_by", year=2026, needed=2029),
    )
    assert line == words("opening.start_join").join(parts) + words("opening.start_end")
    assert "2026" in parts[-1]
    assert "2029" in parts[-1]


def test_a_region_without_a_whole_has_nothing_to_start() -> None:
    """Districts side by side have no rows of the whole region in the review."""
    flat = compose(forecast(small()), language="en")
    assert "What to start" not in texts(flat, "summary")
