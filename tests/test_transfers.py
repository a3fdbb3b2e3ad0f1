"""Pupils who attend in another district, by zone and year, never netted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.enrolment.transfers import apply_transfers
from schools import with_cell_changed

YEARS = (2025, 2026, 2027)
COUNTS = {"Rural": 200.0, "Town": 300.0, "Urban": 500.0}


def forecast_pupils() -> pd.DataFrame:
    """Return three zones with P1, J1 and J2; each number as many in every year."""
    rows = [
        {"district": district, "year": year, "grade": grade, "pupils": number + extra}
        for district, number in COUNTS.items()
        for year in YEARS
        for grade, extra in (("P1", 0.0), ("J1", 10.0), ("J2", 20.0))
    ]
    return pd.DataFrame(rows)


def moves(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return transfers; from Rural to Urban in junior unless told."""
    usual = {"from": "Rural", "to": "Urban", "stage": "junior"}
    return pd.DataFrame([{**usual, **row} for row in rows])


def found(table: pd.DataFrame, grade: str, district: str) -> list[float]:
    rows = table[(table["grade"] == grade) & (table["district"] == district)]
    return [round(number, 9) for number in rows["pupils"]]


def assert_nobody_lost(after: pd.DataFrame, before: pd.DataFrame) -> None:
    keys = [key for key in ("year", "grade", "residence") if key in before.columns]
    now, then = (table.groupby(keys)["pupils"].sum() for table in (after, before))
    np.testing.assert_allclose(now, then, rtol=1e-9, err_msg="the total")


def test_r04_a_share_of_the_country_attends_in_town() -> None:
    """A tenth of 210 leaves Rural J1 for Urban, from the year after the launch on."""
    before = forecast_pupils()
    after = apply_transfers(before, moves({"share": 0.1}))
    assert found(after, "J1", "Rural") == [210, 189, 189]
    assert found(after, "J1", "Urban") == [510, 531, 531]
    assert found(after, "J2", "Rural") == [220, 198, 198]
    assert found(after, "J1", "Town") == [310, 310, 310]
    assert found(after, "P1", "Rural") == [200, 200, 200]
    assert_nobody_lost(after, before)
    with pytest.raises(AssertionError, match="the total"):
        assert_nobody_lost(with_cell_changed(after), before)


def test_r57_moves_both_ways_are_not_netted() -> None:
    """Rural sends 10 % of 210 and takes 1 % of 510, both of the pupils before any move."""
    given = moves({"share": 0.1}, {"from": "Urban", "to": "Rural", "share": 0.01})
    after = apply_transfers(forecast_pupils(), given)
    assert found(after, "J1", "Rural")[1] == round(210 * 0.9 + 510 * 0.01, 9)
    assert found(after, "J1", "Urban")[1] == round(510 * 0.99 + 210 * 0.1, 9)


def test_a_chain_moves_nobody_twice() -> None:
    """What reaches Town from Rural does not go on to Urban in the same year."""
    given = moves({"to": "Town", "share": 0.5}, {"from": "Town", "share": 0.5})
    after = apply_transfers(forecast_pupils(), given)
    assert [found(after, "J1", name)[1] for name in COUNTS] == [105, 155 + 105, 510 + 155]
    assert_nobody_lost(after, forecast_pupils())


def test_a_grade_comes_before_its_stage_and_a_year_before_every_year() -> None:
    given = moves(
        {"share": 0.1},
        {"share": 0.2, "year": 2027},
        {"share": 0.5, "grade": "J2"},
    )
    after = apply_transfers(forecast_pupils(), given)
    assert found(after, "J1", "Rural") == [210, 189, 168]
    assert found(after, "J2", "Rural") == [220, 110, 110]


def test_years_beyond_the_forecast_and_the_launch_are_not_used() -> None:
    years = [{"share": 0.1 * i, "year": 2024 + i} for i in range(1, 6)]
    after = apply_transfers(forecast_pupils(), moves(*years))
    assert found(after, "J1", "Rural") == [210, 168, 147]


def test_classes_of_residence_move_alike_and_meet_only_their_own() -> None:
    local, migrant = forecast_pupils(), forecast_pupils()
    before = pd.concat(
        [local.assign(residence="local"), migrant.assign(residence="migrant", pupils=50.0)]
    )
    after = apply_transfers(before, moves({"share": 0.2}))
    rows = after[(after["year"] == 2026) & (after["grade"] == "J1")].set_index(
        ["district", "residence"]
    )["pupils"]
    assert rows["Rural", "migrant"] == 40
    assert rows["Urban", "migrant"] == 60
    assert rows["Urban", "local"] == 510 + 42
    assert_nobody_lost(after, before)


def test_share_born_is_the_mean_of_those_who_meet() -> None:
    """Urban J1: 510 born and 21 of whom 0.4 are: (510 + 8.4) / 531. Elsewhere to the last bit."""
    before = forecast_pupils()
    before["share_born"] = before["district"].map({"Rural": 0.4, "Town": 1 / 3, "Urban": 1.0})
    after = apply_transfers(before, moves({"share": 0.1, "grade": "J1"}))
    reached = (before["district"] == "Urban") & (before["grade"] == "J1") & (before["year"] > 2025)
    np.testing.assert_allclose(after.loc[reached, "share_born"], 518.4 / 531, rtol=1e-12)
    pd.testing.assert_series_equal(
        after["share_born"][~reached], before["share_born"][~reached], check_exact=True
    )


def test_a_missing_share_born_is_missing_where_it_comes_in() -> None:
    before = forecast_pupils().assign(share_born=1.0)
    before.loc[before["district"] == "Rural", "share_born"] = np.nan
    after = apply_transfers(before, moves({"share": 0.1, "grade": "J1"}, {"share": 0.0}))
    unknown = after["share_born"].isna() & (after["district"] == "Urban")
    assert after[unknown][["year", "grade"]].to_numpy().tolist() == [[2026, "J1"], [2027, "J1"]]


def test_rows_and_columns_stay_as_they_are() -> None:
    before = forecast_pupils()[::-1].assign(mark=7)[["grade", "mark", "pupils", "year", "district"]]
    after = apply_transfers(before, moves({"share": 0.25}))
    pd.testing.assert_frame_equal(after.drop(columns="pupils"), before.drop(columns="pupils"))
    again = apply_transfers(forecast_pupils(), moves({"share": 0.25}))
    assert after["pupils"].to_list() == again["pupils"].to_list()[::-1]
    nothing = apply_transfers(before, moves({"share": 0.0}))
    pd.testing.assert_frame_equal(nothing, before, check_exact=True)
    assert apply_transfers(before, None) is before


def test_a_whole_district_may_leave() -> None:
    given = moves({"share": 0.7}, {"to": "Town", "share": 0.2}, {"from": "Rural", "to": "Far"})
    given.loc[2, "share"] = 0.1000000005  # typed shares may pass 1 by their rounding
    far = forecast_pupils().query("district == 'Town'").assign(district="Far", pupils=0.0)
    before = pd.concat([forecast_pupils(), far])
    after = apply_transfers(before, given)
    np.testing.assert_allclose(found(after, "J1", "Rural"), [210, 0, 0], atol=1e-9)
    assert (after["pupils"] >= 0).all()
    assert_nobody_lost(after, before)


def test_a_grade_that_the_sender_lacks_sends_nobody() -> None:
    """A village school without J2 sends J1 alone, and Urban need not have what nobody leaves."""
    pupils = forecast_pupils()
    before = pupils[(pupils["district"] != "Rural") | (pupils["grade"] != "J2")]
    after = apply_transfers(before, moves({"share": 0.1}))
    assert found(after, "J2", "Urban") == [520, 520, 520]
    assert found(after, "J1", "Urban") == [510, 531, 531]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            moves({"share": 0.1, "year": 2026}),
            r"transfers, column year: lacks the share of Rural to Urban, stage junior in 2027 "
            r"\(1 such years\)\. Add the rows, 0 if nobody moves",
        ),
        (
            moves({"share": 0.1}, {"share": 0.2, "grade": "J1", "year": 2025}),
            r"lacks the share of Rural to Urban, grade J1 in 2026 \(2 such years\)",
        ),
        (
            moves({"share": 0.6}, {"to": "Town", "share": 0.5, "grade": "J2"}),
            r"transfers, column share: shares that leave Rural add up to 1\.1 in grade J2, 2026\. "
            r"Correct them: they are parts of 1\.",
        ),
        (
            moves({"to": "Rural", "share": 0.1}),
            r"transfers, row 1, column to: 'Rural' is where the pupils come from",
        ),
        (
            moves({"share": 0.0}, {"to": "Urbn", "share": 0.1}),
            r"transfers, row 2, column to: 'Urbn' is not a district of the table pupils\. "
            r"Did you mean 'Urban'\?",
        ),
        (
            moves({"stage": "middle", "share": 0.1}),
            r"column stage: 'middle' is not a stage of the school system",
        ),
        (
            moves({"grade": "P1", "share": 0.1}),
            r"column grade: 'P1' is a grade of primary, not of junior\. Correct the stage",
        ),
        (
            moves({"stage": "kindergarten", "share": 0.1}),
            r"transfers, row 1, column from: 'Rural' has no stage kindergarten to send pupils of",
        ),
        (
            moves({"share": 0.1}, {"grade": "J3", "share": 0.1}),
            r"transfers, row 2, column from: 'Rural' has no grade J3 to send pupils of",
        ),
        (moves({"share": 1.2}), r"row 1, column share: '1.2' is above 1"),
    ],
)
def test_what_cannot_move_is_refused(given: pd.DataFrame, text: str) -> None:
    with pytest.raises(pf.InputError, match=text):
        apply_transfers(forecast_pupils(), given)


def test_a_cell_that_is_not_there_takes_nobody_in() -> None:
    pupils = forecast_pupils()
    before = pupils[(pupils["district"] != "Urban") | (pupils["grade"] != "J2")]
    text = (
        r"pupils, column grade: Urban has no grade J2, which Rural sends pupils to\. Add its "
        r"pupils, 0 if none\."
    )
    with pytest.raises(pf.InputError, match=text):
        apply_transfers(before, moves({"share": 0.1}))
    apart = pupils.assign(residence="local")
    migrants = pupils[pupils["district"] == "Rural"].assign(residence="migrant")
    with pytest.raises(pf.InputError, match=r"Urban has no grade J1 \(migrant\), which Rural"):
        apply_transfers(pd.concat([apart, migrants]), moves({"share": 0.1}))


def test_a_hole_in_the_pupils_is_refused() -> None:
    with pytest.raises(pf.InputError, match="pupils, column pupils: lacks Rural 2025 P1"):
        apply_transfers(forecast_pupils()[1:], moves({"share": 0.1}))
