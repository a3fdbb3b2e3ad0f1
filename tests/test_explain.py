"""Explain: the terms are those worked by hand, they add up, and a changed forecast is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rounds.explain import explain
from placeforecast.rounds.explained import COLUMNS, numbered

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

LAUNCH = 2025


def region() -> pf.Inputs:
    """Return two districts of a county with two primary grades."""
    cells = [(d, y, g) for d in ("A", "B") for y in (2024, 2025) for g in ("P1", "P2")]
    return pf.Inputs(
        districts=pd.DataFrame(
            {"district": ["C", "A", "B"], "parent": [None, "C", "C"], "level": "county"}
        ),
        grades=pd.DataFrame(
            {
                "grade": ["P1", "P2"],
                "stage": "primary",
                "position": [1, 2],
                "entry_age": [6, 7],
                "duration": 1,
                "enters_from": ["population", "grade_below"],
            }
        ),
        births=pd.DataFrame(
            {"district": ["A", "A", "B", "B"], "year": [2018, 2020, 2018, 2020], "births": 200}
        ),
        enrolment=pd.DataFrame(cells, columns=["district", "year", "grade"]).assign(pupils=100),
    )


def assumed() -> pf.Assumptions:
    """Return assumptions by hand, one of every kind that adds a term."""
    both = {"district": ["A", "B"], "year": 2026}
    return pf.Assumptions(
        births=pd.DataFrame({"district": ["A", "B"], "year": 2020, "births": [200.0, 100.0]}),
        intake=pd.DataFrame({**both, "grade": "P1", "ratio": 1.05, "basis": "births"}),
        progression=pd.DataFrame({**both, "grade": "P2", "ratio": [0.98, 1.0]}),
        policy=pd.DataFrame(
            {
                "indicator": "public_share",
                "district": ["A", "A", "B"],
                "stage": "primary",
                "year": [2024, 2026, 2026],
                "value": [0.7, 0.9, 1.0],
            }
        ),
        standards=pd.DataFrame({"stage": ["primary"], "indicator": "spare_share", "value": 0.1}),
        events=pd.DataFrame(
            {
                "event": ["school gate", "resettled"],
                "year_from": 2026,
                "district": [None, "A"],
                "stage": "primary",
                "grade": [None, "P2"],
                "channel": ["entry", "arrivals"],
                "effect": [1.1, 12.0],
            }
        ),
        transfers=pd.DataFrame({"from": ["A"], "to": "B", "stage": "primary", "share": 0.05}),
        places=pd.DataFrame(
            {
                "district": ["A", "A", "B", "B"],
                "year": 2025,
                "stage": "primary",
                "sector": ["public", "private"] * 2,
                "places": [240, 60, 180, 0],
            }
        ),
        projects=pd.DataFrame(
            {
                "project": ["East", "West", "Far", "Old"],
                "stage": "primary",
                "district": ["A", "A", "B", "A"],
                "sector": "public",
                "from_sector": [None, "private", None, None],
                "places": [90, 20, 60, 30],
                "kind": ["new", "conversion", "new", "closure"],
                "status": ["approved", "approved", "proposed", "approved"],
                "opens": pd.array([2026, 2026, 2027, None], dtype="Int64"),
                "closes": pd.array([None, None, None, 2026], dtype="Int64"),
                "phase_in": ["by_grade", "all", "all", "all"],
            }
        ),
        districts=region().districts,
    )


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    return pf.forecast(region(), assumptions=assumed(), launch_year=LAUNCH, horizon=1)


@pytest.fixture(scope="module")
def terms(forecast: Forecast) -> pd.DataFrame:
    return explain(forecast, "A", "primary", 2026)


def values(terms: pd.DataFrame) -> dict[str, float]:
    """Return the terms by name."""
    return dict(zip(terms["term"], terms["value"], strict=True))


def test_every_term_is_the_one_worked_by_hand(terms: pd.DataFrame) -> None:
    """District A, ledger public, 2026."""
    assert list(terms.columns) == COLUMNS
    # P1: 200 births x 1.05 = 210; the event x 1.1 = 231; 5 % to B leave 219.45; 0.9 public =
    # 197.505; the school West takes 20 places over two grades, 0.9 filled = 9 pupils; / 0.9.
    # P2: 100 x 0.98 = 98; 12 arrive = 110; 5 % leave 104.5; 0.9 = 94.05; + 9; / 0.9.
    # Places: 240 stand; East opens its first of two grades: 45; West 20; Old -30.
    expected = {
        "P1: children aged 6, basis births": 200.0,
        "P1: intake ratio": 1.05,
        "P1: pupils before policy": 210.0,
        "P1: events": 21.0,
        "P1: pupils": 231.0,
        "P1: transfers": -11.55,
        "P1: share of ledger public": 0.9,
        "P1: changes of hands": 9.0,
        "P1: pupils of ledger public": 206.505,
        "P1: spare share": 0.1,
        "P1: demand": 229.45,
        "P2: pupils of P1 in 2025": 100.0,
        "P2: progression ratio": 0.98,
        "P2: pupils before policy": 98.0,
        "P2: events": 12.0,
        "P2: pupils": 110.0,
        "P2: transfers": -5.5,
        "P2: share of ledger public": 0.9,
        "P2: changes of hands": 9.0,
        "P2: pupils of ledger public": 103.05,
        "P2: spare share": 0.1,
        "P2: demand": 114.5,
        "demand": 343.95,
        "primary: places standing": 240.0,
        "primary: project East": 45.0,
        "primary: project West": 20.0,
        "primary: project Old": -30.0,
        "places": 275.0,
        "balance": -68.95,
    }
    assert list(terms["term"]) == list(expected)
    assert values(terms) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("term", "table", "rows"),
    [
        ("P1: children aged 6, basis births", "births", "1"),
        ("P1: intake ratio", "intake", "1"),
        ("P2: progression ratio", "progression", "1"),
        ("P2: pupils of P1 in 2025", "enrolment", "3"),
        ("P1: events", "events", "1-2"),
        ("P1: transfers", "transfers", "1"),
        ("P1: share of ledger public", "policy", "2"),
        ("P1: changes of hands", "projects", "2"),
        ("P1: spare share", "standards", "1"),
        ("primary: places standing", "places", "1"),
        ("primary: project Old", "projects", "4"),
        ("balance", "", ""),
    ],
)
def test_a_term_names_the_rows_it_rests_on(
    terms: pd.DataFrame, term: str, table: str, rows: str
) -> None:
    terms = terms.set_index("term")
    assert (terms.loc[term, "table"], terms.loc[term, "rows"]) == (table, rows)


def test_a_parent_has_one_line_for_each_district(forecast: Forecast) -> None:
    terms = explain(forecast, "C", "primary", 2026)
    # B: 105 x 1.1 + 11.55 = 127.05 and 100 + 5.5 = 105.5, all public; 180 places stand.
    own = {"A": 343.95, "B": (127.05 + 105.5) / 0.9}
    expected = {
        "A: demand": own["A"],
        "B: demand": own["B"],
        "demand": sum(own.values()),
        "A: places": 275.0,
        "B: places": 180.0,
        "places": 455.0,
        "balance": 455.0 - sum(own.values()),
    }
    assert list(terms["term"]) == list(expected)
    assert values(terms) == pytest.approx(expected, abs=1e-9)


def test_the_launch_year_is_as_counted(forecast: Forecast) -> None:
    terms = explain(forecast, "A", "primary", LAUNCH, ledger="all").set_index("term")
    assert list(terms.loc["P1: pupils counted", ["value", "table", "rows"]]) == [
        100.0,
        "enrolment",
        "3",
    ]
    assert terms.loc["demand", "value"] == pytest.approx(200 / 0.9)


def test_policy_that_scales_is_named_with_its_factor() -> None:
    """R06: a gross rate of 0.8 of 100 children where the ratio gives 50: factor 1.6."""
    years = {"district": "A", "year": [2026, 2027]}
    kinder = pd.DataFrame(
        {
            "grade": ["K1"],
            "stage": "kindergarten",
            "position": 1,
            "entry_age": 3,
            "duration": 1,
            "enters_from": "population",
        }
    )
    inputs = pf.Inputs(
        grades=kinder,
        births=pd.DataFrame({"district": "A", "year": [2022], "births": 90}),
        enrolment=pd.DataFrame({"district": "A", "year": [2025], "grade": "K1", "pupils": 60}),
    )
    given = pf.Assumptions(
        births=pd.DataFrame({"district": "A", "year": [2023, 2024], "births": [100.0, 90.0]}),
        intake=pd.DataFrame({**years, "grade": "K1", "ratio": 0.5, "basis": "births"}),
        policy=pd.DataFrame(
            {"indicator": "gross_rate", "stage": "kindergarten", "year": [2026], "value": 0.8}
        ),
    )
    made = pf.forecast(inputs, assumptions=given, horizon=2)
    terms = explain(made, "A", "kindergarten", 2026).set_index("term")
    policy = terms.loc["K1: policy"]
    assert policy["value"] == pytest.approx(30.0)
    assert policy["formula"] == "set by policy: factor 1.6"
    assert (policy["table"], policy["rows"]) == ("policy", "1")
    # Without places the chain stops at demand, and so does its explanation.
    assert terms.index[-1] == "demand"
    assert terms["value"].iloc[-1] == pytest.approx(80.0)


def test_a_grade_that_changes_its_stage_keeps_its_cohort() -> None:
    """From 2026 on P6 is J0: it comes from P5 (1.1), and J1 comes from it (0.9)."""
    grades = ["P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2", "J3"]
    cells = [("A", year, grade, 100) for year in (2024, 2025) for grade in grades]
    ratio = {"P6": 1.1, "J1": 0.9}
    moving = [("A", y, g, ratio.get(g, 1.0)) for y in (2026, 2027) for g in grades[1:]]
    births = pd.DataFrame({"district": "A", "year": [2019, 2020, 2021], "births": 100.0})
    given = pf.Assumptions(
        births=births,
        intake=pd.DataFrame(
            {"district": "A", "year": [2026, 2027], "grade": "P1", "ratio": 1.0, "basis": "births"}
        ),
        progression=pd.DataFrame(moving, columns=["district", "year", "grade", "ratio"]),
        events=pd.DataFrame(
            {
                "event": ["5-4-3"],
                "year_from": 2026,
                "stage": "junior",
                "grade": "P6",
                "channel": "structure",
                "effect": 1.0,
            }
        ),
    )
    inputs = pf.Inputs(
        births=births,
        enrolment=pd.DataFrame(cells, columns=["district", "year", "grade", "pupils"]),
        events=given.events,
    )
    made = pf.forecast(inputs, assumptions=given, horizon=2)
    first = values(explain(made, "A", "junior", 2026))
    assert first["J0: pupils of P5 in 2025"] == 100.0
    assert first["J0: pupils"] == pytest.approx(110.0)
    later = values(explain(made, "A", "junior", 2027))
    assert later["J1: pupils of J0 in 2026, before policy, events and housing"] == (
        pytest.approx(110.0)
    )
    assert later["J1: pupils"] == pytest.approx(99.0)
    # J0 110, J1 99, J2 and J3 from the years before the change: 90 and 100.
    assert later["demand"] == pytest.approx(110 + 99 + 90 + 100)


def changed(forecast: Forecast, name: str, column: str) -> Forecast:
    """Add a pupil or place to the cells of A in 2026."""
    table: pd.DataFrame = getattr(forecast, name).copy()
    here = (table["district"] == "A") & (table["year"] == 2026)
    table[column] = table[column].astype(float) + here
    tables: dict[str, Any] = {name: table}
    return replace(forecast, **tables)


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("pupils", "pupils", r"pupils: A P1 2026 is 232\.000000 in the forecast, and its terms"),
        ("demand", "demand", r"demand: A P1 is 230\.450000 in the forecast, and its terms add"),
        ("stages", "demand", r"stages: A primary 2026 is 344\.950000 in the forecast"),
        ("places", "places", r"places: A primary is 277\.000000 in the forecast, and its terms"),
        ("balance", "places", r"balance: places of A primary 2026 is 276\.000000 in"),
        ("balance", "balance", r"balance: balance of A primary 2026 is -67\.950000 in"),
        ("children", "children", r"pupils: A P1 2026 is 231\.000000 in the forecast"),
    ],
)
def test_a_changed_cell_of_the_forecast_is_refused(
    forecast: Forecast, name: str, column: str, message: str
) -> None:
    with pytest.raises(pf.InputError, match=message):
        explain(changed(forecast, name, column), "A", "primary", 2026)


@pytest.mark.parametrize(
    ("cell", "named", "message"),
    [
        (("D", "primary", 2026), {}, "column district: 'D' is not in the forecast"),
        (("A", "junior", 2026), {}, "column stage: 'junior' is not in the forecast"),
        (("A", "primary", 2030), {}, "column year: '2030' is not in the forecast"),
        (("A", "primary", 2026), {"ledger": "inclusive"}, "column ledger: 'inclusive' is not in"),
        (("A", "primary", 2026), {"scenario": "low"}, "column scenario: 'low' is not in"),
    ],
)
def test_a_figure_that_is_not_there_is_refused(
    forecast: Forecast, cell: tuple[str, str, int], named: dict[str, Any], message: str
) -> None:
    with pytest.raises(pf.InputError, match=message):
        explain(forecast, *cell, **named)


def test_another_plan_case_is_refused(forecast: Forecast) -> None:
    with pytest.raises(ValueError, match="there is no plan case 'hoped': existing, committed"):
        explain(forecast, "A", "primary", 2026, plan_case="hoped")


def test_risk_adjusted_projects_stand_with_their_chances(
    forecast: Forecast, terms: pd.DataFrame
) -> None:
    adjusted = explain(forecast, "A", "primary", 2026, plan_case="risk_adjusted")
    east = adjusted.set_index("term").loc["primary: project East"]
    assert 0 < east["value"] < values(terms)["primary: project East"]
    assert east["formula"] == "new, approved, times its chances"


def test_rows_are_written_short() -> None:
    table = pd.DataFrame(index=range(5))
    assert numbered(table, [True, False, True, True, True]) == "1, 3-5"
    assert numbered(table, [False] * 5) == ""
    assert numbered(None, []) == ""
