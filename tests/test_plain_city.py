"""A region without tables of policy: the example city, told as plainly as before it had them."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from schools import with_cell_changed

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

FOLDER = Path(__file__).parent / "baseline"
POLICY = (
    "policy",
    "standards",
    "transfers",
    "housing",
    "yields",
    "class_sizes",
    "intake_plan",
    "events",
    "neighbours",
)
KEYS = {
    "enrolment": ["district", "year", "grade", "sector"],
    "places": ["district", "year", "stage", "sector"],
}
VALUE = {"enrolment": "pupils", "places": "places"}


def plainly(inputs: pf.Inputs) -> pf.Inputs:
    """Return a region without residence, purchased places and every table of policy."""
    told: dict[str, Any] = dict.fromkeys(POLICY)
    for name, keys in KEYS.items():
        rows = getattr(inputs, name)
        rows = rows.assign(sector=rows["sector"].replace("purchased", "private"))
        told[name] = rows.groupby(keys, as_index=False, sort=False).agg(
            **{VALUE[name]: (VALUE[name], "sum")}
        )
    projects = inputs.projects
    assert projects is not None
    old = projects["places"].notna() & projects["from_sector"].isna()
    kept = projects[old & (projects["kind"] != "equipment")].reset_index(drop=True)
    return replace(inputs, projects=kept, **told)


@pytest.fixture(scope="module")
def plain() -> Forecast:
    return pf.forecast(plainly(pf.load_example("city")))


def test_a_region_without_tables_of_policy_is_forecast_as_before(plain: Forecast) -> None:
    """The figures that stood in the baseline before sectors, residence and policy were computed."""
    script = runpy.run_path(str(FOLDER / "make_baseline.py"))
    figures = script["baseline"](plain)
    figures = figures[figures["ledger"].isin(["all", "public"])].reset_index(drop=True)
    before = pd.read_csv(FOLDER / "plain_city.csv")
    pd.testing.assert_frame_equal(figures, before, rtol=0, atol=0)
    for value in script["VALUES"]:
        changed = with_cell_changed(figures, value, 0.001)
        with pytest.raises(AssertionError, match="are different"):
            pd.testing.assert_frame_equal(changed, before, rtol=0, atol=0)


def test_a_region_without_tables_of_policy_has_no_more_ledgers_than_sectors(
    plain: Forecast,
) -> None:
    assert set(plain.demand["ledger"]) == {"all", "public", "inclusive"}
    assert set(plain.demand.query("ledger == 'inclusive'")["stage"]) == {"kindergarten"}
    assert np.isin(plain.notes["topic"], ["model", "fertility"]).any()
    for name in ("intake_warnings", "hidden_shortage", "estates", "housing_levels", "relief"):
        assert getattr(plain, name) is None, name
