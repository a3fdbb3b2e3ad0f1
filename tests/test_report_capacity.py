"""Report: capacity, means and reuse, each figure by another way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.report.compose import compose
from placeforecast.report.view import catalogue
from reports import TREE, forecast, rows_of, short_city, small, table_of, told, two_below_one

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report

LEVELS = {"red": "red", "yellow": "yellow", "blue": "blue", "dark_blue": "dark blue"}


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


def test_what_stands_is_the_balance_of_the_launch(city: Forecast, of_city: Report) -> None:
    assert city.balance is not None
    names = {"Places": "places", "Pupils": "pupils", "Utilisation": "utilisation",
             "Cell shortfall": "cell_shortfall", "Cell surplus": "cell_surplus"}  # fmt: skip
    stages = {"Primary": "primary", "Junior": "junior", "General senior": "senior_general"}
    rows = {row["Stage"]: row for row in rows_of(of_city, "standing")}
    own = city.balance.query("district == 'CITY' and year == 2025 and plan_case == 'existing'")
    for label, stage in stages.items():
        (expected,) = own[(own["stage"] == stage) & (own["ledger"] == "public")].to_dict("records")
        for column, name in names.items():
            assert rows[label][column] == pytest.approx(expected[name], abs=1e-8)


def test_hidden_shortage_and_staffed_places(made: Forecast) -> None:
    hidden = pd.DataFrame(
        {"district": ["A", "B", "C", "A"], "year": [2025, 2025, 2025, 2026], "stage": "primary",
         "hidden_shortage": [35.0, 5.0, 40.0, 100.0]}
    )  # fmt: skip
    rows = [
        ("A", "primary", 700.0),
        ("B", "primary", 800.0),
        ("A", "junior", 50.0),
        ("C", "kindergarten", 900.0),
        ("A", "kindergarten", 1.0),
        ("C", "senior_general", 30.0),
    ]
    posts = pd.DataFrame(rows, columns=["district", "stage", "staffed_places"]).assign(year=2025)

    def shown(posts: pd.DataFrame) -> dict[str, tuple[object, object]]:
        staffed = posts.assign(level="district", scenario="", posts_cap=1.0)
        report = compose(replace(made, hidden_shortage=hidden, staffing=staffed), language="en")
        return {
            row["Stage"]: (row["Hidden shortage"], row["Staffed places"])
            for row in rows_of(report, "standing")
        }

    found = shown(posts)
    assert found["Primary"] == (40.0, 1500.0)
    assert found["Junior"] == (None, None)  # posts of one district only
    assert found["Kindergarten"] == (None, 900.0)
    assert found["General senior"] == (None, 30.0)
    # Posts that cover a district twice are not added up.
    twice = pd.concat([posts, posts.query("stage == 'primary'")])
    assert shown(twice)["Primary"] == (40.0, None)


def test_entry_grades_are_sums_of_cells(made: Forecast, of_made: Report) -> None:
    cells = made.balance_cells
    assert cells is not None
    cells = cells.query("plan_case == 'planned' and ledger == 'all'")
    below = {"C": ["A", "B"], "A": ["A"], "B": ["B"]}
    years = [column.label for column in table_of(of_made, "entry").columns][3:]
    assert years == ["2025", "2026", "2028", "2030", "2033"]
    shown = {(row["District"], row["Grade"]): row for row in rows_of(of_made, "entry")}
    short = set()
    for district, leaves in below.items():
        for grade in ("K1", "P1", "J1", "S1", "V1"):
            own = cells[cells["district"].isin(leaves) & (cells["grade"] == grade)]
            own = own[own["year"].isin([int(year) for year in years])]
            if (own["balance"] < 0).any():
                short.add((district, grade))
                net = own.groupby("year")["balance"].sum()
                values = {year: shown[district, grade][year] for year in years}
                assert values == pytest.approx({str(y): n for y, n in net.items()}, abs=1e-8)
    assert set(shown) == short
    assert ("A", "K1") in short


def test_entry_grades_that_are_never_short_are_left_out() -> None:
    """District A has half of the places it needs throughout, district B twice as many."""
    places = small().places
    assert places is not None
    factor = places["district"].map({"A": 0.5, "B": 2.0})
    places = places.assign(places=places["places"] * factor)
    result = forecast(small(places=places, projects=None, districts=TREE))
    rows = rows_of(compose(result, language="en"), "entry")
    assert {row["District"] for row in rows} == {"C", "A"}
    net = [row["2033"] for row in rows if row["District"] == "C"]
    assert len(net) == 5
    assert all(value > 0 for value in net)  # short in A, and enough for both together


def test_warnings_are_those_of_the_balance(made: Forecast, of_made: Report) -> None:
    assert made.balance is not None
    own = made.balance.query("plan_case == 'planned' and ledger == 'all'")
    cells = {(r["district"], r["stage"], r["year"]): r for r in own.to_dict("records")}
    words = catalogue("en")
    rows = rows_of(of_made, "warned")
    for row in rows:
        for year in (2025, 2026, 2028, 2030, 2033):
            (stage,) = (s for s in STAGES if words.stage(s) == row["Stage"])
            cell = cells[row["District"], stage, year]
            level = LEVELS.get(cell["warning"], cell["warning"])
            chance = f" ({cell['chance_of_warning']:.1%})"
            share = f"{cell['utilisation']:.1%}{chance.replace(' (100.0%)', '')}"
            assert row[str(year)] == f"{level} {share}"
    noted = own[own["warning"] != "normal"]
    noted = noted[noted["stage"].isin(STAGES) & noted["year"].isin([2025, 2026, 2028, 2030, 2033])]
    assert len(rows) == len(noted[["district", "stage"]].drop_duplicates())


STAGES = ("kindergarten", "primary", "junior", "senior_general", "senior_vocational")


def test_capacity_without_what_it_can_do_without() -> None:
    """No class sizes, no trajectories, no district above the others; and no places at all."""
    flat = compose(forecast(small()), language="en")
    assert "Class sizes: nothing to show. The table class_sizes would fill it." in told(
        flat, "capacity"
    )
    warned = rows_of(flat, "warned")
    assert {row["District"] for row in warned} == {"A", "B"}
    assert all("(" not in row["2025"] for row in warned)
    assert len(table_of(flat, "standing").rows) == 5
    bare = compose(forecast(small(places=None, projects=None)), language="en")
    for section in ("capacity", "reuse"):
        assert told(bare, section).startswith("There is no table places, so the forecast stops")
    ample = small().places
    assert ample is not None
    ample = ample.assign(places=ample["places"] * 1.25)
    quiet = compose(forecast(small(places=ample, projects=None)), language="en")
    assert "No entry grade is short in any of the years shown." in told(quiet, "capacity")


def test_money_is_told_in_units_of_ten_thousand(city: Forecast, of_city: Report) -> None:
    money = city.funding
    assert money is not None
    rows = rows_of(of_city, "funding")
    assert len(rows) == len(money) == 4
    for row, (_, expected) in zip(rows, money.iterrows(), strict=True):
        assert row["Year"] == expected["year"]
        assert row["Capital"] == pytest.approx(expected["capital"] / 10_000)
        assert row["Recurrent not funded"] == pytest.approx(
            expected["recurrent_unfunded"] / 10_000, abs=1e-6
        )
    blank = money["year"] >= 2027
    caps = ["capital_cap", "capital_unfunded", "recurrent_cap", "recurrent_unfunded"]
    cut = money.assign(capital=money["capital"].mask(blank, 0.0))
    cut[caps] = cut[caps].mask(blank)
    shown = rows_of(compose(replace(city, funding=cut), language="en"), "funding")
    assert [row["Year"] for row in shown] == [2025, 2026]
    none = cut[blank]
    assert "nothing was found" in told(compose(replace(city, funding=none), language="en"), "means")


def test_rooms_of_the_region_are_sums_and_never_of_a_part(made: Forecast, of_made: Report) -> None:
    rooms = made.rooms
    assert rooms is not None
    own = rooms.query("stage == 'primary' and year == 2026 and ledger == 'all'")
    (row,) = (r for r in rows_of(of_made, "rooms") if (r["Stage"], r["Year"]) == ("Primary", 2026))
    for label in ("Pupils", "Classes", "Rooms", "Staff"):
        assert row[label] == pytest.approx(own[label.lower()].sum())
    holed = rooms.assign(staff=rooms["staff"].mask(rooms["district"] == "B"))
    rows = rows_of(compose(replace(made, rooms=holed), language="en"), "rooms")
    assert all(row["Staff"] is None for row in rows)
    assert all(row["Pupils"] is not None for row in rows)


def test_what_would_fill_the_section_on_means() -> None:
    lone = told(compose(forecast(small()), language="en"), "means")
    assert "Staff and posts: nothing to show. The table posts would fill it." in lone
    assert "The table budget would fill it." in lone
    nothing = replace(forecast(small()), rooms=None)
    assert "The table standards would fill it." in told(compose(nothing, language="en"), "means")


def test_candidates_stand_in_the_stated_order(city: Forecast, of_city: Report) -> None:
    found = pf.conversion_candidates(city)
    size = (found["places"].fillna(0.0) * found["years"]).tolist()
    idle = (found["idle_from"] * found["years"]).tolist()
    order = sorted(range(len(found)), key=lambda at: (-size[at], -idle[at]))
    expected = found.iloc[order]
    shown = rows_of(of_city, "reuse_all")
    assert len(shown) == len(found) > 25
    assert table_of(of_city, "reuse").rows == table_of(of_city, "reuse_all").rows[:25]
    names = {"Idle": "idle_from", "Short": "short_to", "Places": "places",
             "In every year": "places_throughout"}  # fmt: skip
    for label, name in names.items():
        blank = expected[name].isna().tolist()
        assert [row[label] is None for row in shown] == blank
        known = [row[label] for row in shown if row[label] is not None]
        assert known == pytest.approx(expected[name].dropna().tolist(), abs=1e-8)
    childcare = [row for row in shown if "hildcare" in row["Could serve"]]
    assert len(childcare) == (found["to_stage"] == "childcare").sum() > 0
    assert {row["Places"] for row in childcare} == {None}


def test_smaller_classes_fill_the_places(made: Forecast, of_made: Report) -> None:
    assert made.balance is not None
    standards = {"Kindergarten": 30.0, "Primary": 45.0, "Junior": 50.0}
    own = made.balance.query("district == 'C' and plan_case == 'planned' and ledger == 'all'")
    rows = {row["Stage"]: row for row in rows_of(of_made, "smaller")}
    for label, size in standards.items():
        assert rows[label]["Standard"] == size
        for year in (2026, 2033):
            (cell,) = own[(own["stage"] == label.lower()) & (own["year"] == year)].to_dict(
                "records"
            )
            expected = size * cell["demand"] / cell["places"]
            assert rows[label][str(year)] == pytest.approx(expected, abs=1e-8)
