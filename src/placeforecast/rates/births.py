"""Births by school-year cohort: what is known at the launch, and the rest from a rate model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.rates.models import History
from placeforecast.rates.notes import listed
from placeforecast.tables.align import births_by_school_year
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from placeforecast.rates.notes import Notes
    from placeforecast.rates.specification import Rule
    from placeforecast.tables.records import Inputs


def cohort_births(
    inputs: Inputs, rule: Rule, years: tuple[int, int], notes: Notes, *, women: bool
) -> pd.DataFrame | None:
    """Return births by school-year cohort, known and forecast together.

    A cohort of which some months are known is completed with the share of a forecast year that the
    other months hold. Cohorts of which nothing is known are forecast only where there are no women
    by age: else the projection computes them.

    Parameters
    ----------
    inputs : Inputs
        With `births`; without, the result is None.
    rule : Rule
        How births are carried forward.
    years : tuple of int
        The launch, and the last cohort that is needed.
    notes : Notes
        Collects rows not yet known and holes.
    women : bool
        Whether women by age are known at the launch, so that the projection computes births.

    Returns
    -------
    DataFrame [district, year, births, share_born] or None

    Raises
    ------
    InputError
        If nothing is known at the launch.
    """
    if inputs.births is None:
        return None
    launch_year, last_year = years
    cohorts = births_by_school_year(inputs.births, inputs.settings, launch_year)
    _tell(cohorts.unknown_rows, cohorts.holes, launch_year, inputs, notes)
    known = cohorts.known
    complete = known[known["share_left"] == 0]
    if complete.empty:
        rule_text = f"no twelve months of births are known at the launch of {launch_year}"
        remedy = "Give earlier births, or check births_end, births_lag and as_of."
        refuse([Problem(file="births", rule=rule_text, remedy=remedy)])
    partial = known[known["share_left"] > 0]
    ahead = range(int(complete["year"].max()) + 1, last_year + 1)
    expected = _forecast(complete, rule, ahead)
    if women:
        with_record = partial.loc[partial["share_born"] > 0, "year"]
        expected = expected[expected["year"].isin(with_record)]
    axes = {"district": sorted(set(known["district"])), "year": sorted(set(expected["year"]))}
    if not axes["year"]:
        return complete[["district", "year", "births", "share_born"]].reset_index(drop=True)
    rest = to_array(expected, axes, "births", name="births")
    ahead_rows = partial[partial["year"].isin(axes["year"])]
    counted = to_array(ahead_rows, axes, "births", holes=True)
    share_left = to_array(ahead_rows, axes, "share_left", holes=True)
    share_born = to_array(ahead_rows, axes, "share_born", holes=True)
    unborn = np.isnan(counted)
    births = np.where(unborn, rest, counted + share_left * rest)
    table = to_table(births, axes, "births")
    table["share_born"] = np.where(unborn, 0.0, share_born).ravel()
    # A cohort with a month missing stays a hole, to be refused where it is needed.
    holes = pd.MultiIndex.from_frame(cohorts.holes[["district", "year"]])
    table = table[~pd.MultiIndex.from_frame(table[["district", "year"]]).isin(holes)]
    early = complete[~complete["year"].isin(axes["year"])]
    columns = ["district", "year", "births", "share_born"]
    joined = pd.concat([early[columns], table[columns]])
    return joined.sort_values(["district", "year"], kind="stable").reset_index(drop=True)


def _forecast(complete: pd.DataFrame, rule: Rule, years: range) -> pd.DataFrame:
    axes = {
        "year": list(range(int(complete["year"].min()), int(complete["year"].max()) + 1)),
        "district": sorted(set(complete["district"])),
    }
    births = to_array(complete, axes, "births", holes=True)
    history = History(births, np.ones_like(births), tuple(axes["year"]))
    predicted = rule.model().fit(history).predict(list(years))
    return to_table(predicted, {"year": list(years), "district": axes["district"]}, "births")


def _tell(
    unknown: pd.DataFrame, holes: pd.DataFrame, launch_year: int, inputs: Inputs, notes: Notes
) -> None:
    if len(unknown):
        day = inputs.settings.as_of(launch_year).date()
        last = listed([str(year) for year in sorted(set(unknown["year"]))])
        text = f"births: {len(unknown)} rows are not yet published on {day} and not used ({last})"
        notes.add("births", text)
    if len(holes):
        cells = [f"{row.district} {row.year}" for row in holes.itertuples()]
        notes.add("births", f"births: cohorts with a month missing are left out: {listed(cells)}")
