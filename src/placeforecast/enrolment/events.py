"""Dated events that act on pupils: which rows of the table they reach, and in which years."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.districts import members
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.doors import Array
    from placeforecast.tables.pupils import Counted
    from placeforecast.tables.records import Assumptions

Row = dict[Any, Any]
ON_PUPILS = ("entry", "arrivals")
KEYS = ("district", "stage", "grade")


def events_of(assumptions: Assumptions, channel: str) -> list[Row]:
    """Return the events of a channel as rows, blank keys as empty text."""
    if assumptions.events is None:
        return []
    table = assumptions.events[assumptions.events["channel"] == channel]
    return [
        {"year_to": None, **row, **{key: _text(row.get(key)) for key in KEYS}}
        for row in table.to_dict("records")
    ]


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else ""


def during(event: Row, years: Sequence[int]) -> Any:  # noqa: ANN401
    """Return which years an event covers: to its last one, or for ever."""
    after = np.array(years) >= int(event["year_from"])
    return after if pd.isna(event["year_to"]) else after & (np.array(years) <= event["year_to"])


def entry_effects(
    row: Row,
    rows: Sequence[Row],
    assumptions: Assumptions,
    districts: Sequence[str],
    years: Sequence[int],
) -> Array:
    """Return what events of the channel entry multiply the pupils who reach a grade by.

    Parameters
    ----------
    row : mapping
        A grade of the school system.
    rows : sequence of mapping
        All of them, in order.
    assumptions : Assumptions
        `events`; a blank grade is the first one of the stage.
    districts, years : sequence

    Returns
    -------
    ndarray [year, district]
    """
    effect = np.ones((len(years), len(districts)))
    tree = assumptions.districts
    below = {} if tree is None else members(tree)
    for event in events_of(assumptions, "entry"):
        if _grade_of(event, rows) != row["grade"]:
            continue
        where = {event["district"], *below.get(event["district"], [])}
        own = np.array([not event["district"] or name in where for name in districts])
        effect[np.ix_(during(event, years), own)] *= float(event["effect"])
    return effect


def _grade_of(event: Row, rows: Sequence[Row]) -> str:
    """Return the grade that an event of the channel entry acts on; blank if none is counted."""
    stage, grade = event["stage"], event["grade"]
    fits = (
        str(row["grade"])
        for row in rows
        if (not grade or row["grade"] == grade) and (not stage or row["stage"] == stage)
    )
    return next(fits, "")


def check_events(
    counted: Counted, rows: Sequence[Row], assumptions: Assumptions, launch_year: int
) -> None:
    """Refuse events that reach no pupils, and say which ones began before the launch.

    Parameters
    ----------
    counted : Counted
        Pupils up to the launch.
    rows : sequence of mapping
        Grades that are counted, as rows of the school system.
    assumptions : Assumptions
        `events` of the channels entry and arrivals, and `districts`.
    launch_year : int

    Raises
    ------
    InputError
        For an event that ends before it begins, names no pupils, or has an effect below 0.

    Warns
    -----
    AssumptionWarning
        For an effect on entry that began up to the launch and still goes on: ratios learnt from
        those years hold it already.
    """
    tree = assumptions.districts
    below = {} if tree is None else members(tree)
    for channel in ON_PUPILS:
        for event in events_of(assumptions, channel):
            _check_event(event, channel, counted, rows, below)
            going_on: bool = pd.isna(event["year_to"]) or event["year_to"] > launch_year
            if channel == "entry" and event["year_from"] <= launch_year and going_on:
                text = (
                    f"events: {event['event']} began in {event['year_from']}, up to the launch of "
                    f"{launch_year}: ratios learnt since then hold its effect already, and it "
                    "multiplies them again. Start it after the launch, or leave it out."
                )
                warnings.warn(AssumptionWarning(text), stacklevel=5)


def _check_event(
    event: Row,
    channel: str,
    counted: Counted,
    rows: Sequence[Row],
    below: Any,  # noqa: ANN401
) -> None:
    name = f"({event['event']})"
    problems = []
    if not pd.isna(event["year_to"]) and event["year_to"] < event["year_from"]:
        rule = f"{name} ends before it begins, in {event['year_from']}"
        remedy = "Correct one of the two years."
        problems.append(Problem(rule, remedy, file="events", column="year_to"))
    if channel == "entry":
        if event["effect"] < 0:
            rule, remedy = f"{name} is below 0", "Write what to multiply by: 1.02 for 2 % more."
            problems.append(Problem(rule, remedy, file="events", column="effect"))
        if not event["grade"] and not event["stage"]:
            rule, remedy = f"{name} names neither stage nor grade", "Write one of them."
            problems.append(Problem(rule, remedy, file="events", column="stage"))
        elif not _grade_of(event, rows):
            rule = f"{name} names {event['stage']} {event['grade']}".rstrip()
            remedy = "Correct it, or add pupils of that grade."
            problems.append(Problem(f"{rule}, where nobody is counted", remedy, file="events"))
        where = {event["district"], *below.get(event["district"], [])}
        if event["district"] and not where & set(counted.axes["district"]):
            rule = f"{name} names {event['district']}, which has no pupils"
            remedy = "Correct the district, or leave it blank for every one."
            problems.append(Problem(rule, remedy, file="events", column="district"))
    refuse(problems)
