"""A dated change of school structure: a grade that moves to another stage, as from 6-3-3 to 5-4-3.

The grade keeps its pupils and its age and takes another name, so that a grade belongs to one stage
in every year: P6 of primary is J0 of junior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.tables.grades import resolve_grades, stages_in_order
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Row = dict[str, Any]
CHANNEL = "structure"
COLUMNS = ("event", "year_from", "year_to", "district", "stage", "grade", "effect")


@dataclass(frozen=True)
class Change:
    """A grade that is taught under another name in another stage from a school year on."""

    year: int
    grade: str
    becomes: str
    stage: str
    """Stage that receives the grade."""
    district: str | None
    """None: every district."""


RULES: tuple[tuple[str, Callable[[Row], bool], str, str], ...] = (
    (
        "stage",
        lambda row: pd.isna(row["stage"]) or row["stage"] == "",
        "is blank in a change of structure",
        "Name the stage that receives the grade.",
    ),
    (
        "grade",
        lambda row: pd.isna(row["grade"]) or row["grade"] == "",
        "is blank in a change of structure",
        "Name the grade that moves.",
    ),
    (
        "year_to",
        lambda row: not pd.isna(row["year_to"]),
        "is filled in a change of structure",
        "Leave it blank; the way back is a row of its own.",
    ),
    (
        "effect",
        lambda row: float(row["effect"]) != 1,
        "is not 1, and a grade moves as a whole",
        "Write 1.",
    ),
)


def structure_changes(
    events: pd.DataFrame | None, grades: pd.DataFrame | None
) -> tuple[Change, ...]:
    """Return the changes of school structure among the events, in order.

    Parameters
    ----------
    events : DataFrame [event, year_from, year_to, district, stage, grade, channel, effect] or None
        Those of channel ``structure`` name the grade that moves and the stage that receives it.
    grades : DataFrame or None
        The school system; None is cn-6-3-3. It may already hold the grades that come.

    Returns
    -------
    tuple of Change
        By year, rows that name a district first. `becomes` is the grade of the receiving stage at
        the same age, of this school system or of a shipped one that has both stages.

    Raises
    ------
    InputError
        For a row that names no grade or stage, has an end, moves a grade that is there already or
        that no school system knows in that stage, or that has left before.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.tables.structure import structure_changes
    >>> events = pd.DataFrame({"event": ["5-4-3"], "year_from": [2027], "stage": ["junior"],
    ...     "grade": ["P6"], "channel": ["structure"], "effect": [1.0]})
    >>> structure_changes(events, None)
    (Change(year=2027, grade='P6', becomes='J0', stage='junior', district=None),)
    """
    rows = _rows(events)
    if not rows:
        return ()
    system = resolve_grades(grades)
    known: dict[str, Row] = {str(row["grade"]): row for row in _records(system)}
    found: dict[Change, int] = {}
    problems: list[Problem] = []
    for number, row in rows:
        fault = _fault(row, known, stages_in_order(system))
        if fault is None:
            moving = known[str(row["grade"])]
            change = _change(row, _counterpart(moving, str(row["stage"]), known))
            if change is not None:
                found.setdefault(change, number)
                known.setdefault(change.becomes, {**moving, "stage": change.stage})
                continue
            fault = _no_counterpart(row)
        problems.append(_problem(number, row, fault))
    refuse([*problems, *_repeated(found)])
    return tuple(found)


def with_structure(grades: pd.DataFrame | None, events: pd.DataFrame | None) -> pd.DataFrame:
    """Return the school system together with the grades that changes of structure bring.

    Parameters
    ----------
    grades : DataFrame or None
        The school system; None is cn-6-3-3.
    events : DataFrame or None
        As for `structure_changes`.

    Returns
    -------
    DataFrame [grade, stage, position, entry_age, duration, enters_from, feeder]
        The resolved system, with one more row for each grade that comes: like the grade that moves
        but for its name and stage, in the order of ages within its stage. Without such events the
        system itself.

    Raises
    ------
    InputError
        As `structure_changes`.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.tables.structure import with_structure
    >>> events = pd.DataFrame({"event": ["5-4-3"], "year_from": [2027], "stage": ["junior"],
    ...     "grade": ["P6"], "channel": ["structure"], "effect": [1.0]})
    >>> with_structure(None, events).loc[9:11, ["grade", "stage", "position", "feeder"]]
       grade    stage  position feeder
    9     P6  primary         9     P5
    10    J0   junior         9     P5
    11    J1   junior        10     P6
    """
    system = resolve_grades(grades)
    for change in structure_changes(events, system):
        if change.becomes not in set(system["grade"]):
            system = _with_grade(system, change)
    return system


def applied_changes(changes: Sequence[Change], district: str | None) -> tuple[Change, ...]:
    """Return the changes that happen in one district, in order.

    A change of every district passes a district by where the grade has moved already.

    Parameters
    ----------
    changes : sequence of Change
        From `structure_changes`.
    district : str or None
        None: a district that no row names.

    Examples
    --------
    >>> from placeforecast.tables.structure import Change, applied_changes
    >>> early = Change(2026, "P6", "J0", "junior", "A")
    >>> late = Change(2028, "P6", "J0", "junior", None)
    >>> [change.year for change in applied_changes((early, late), "A")]
    [2026]
    >>> [change.year for change in applied_changes((early, late), "B")]
    [2028]
    """
    there = _at_first(changes)
    applied = []
    for change in changes:
        if change.district in (None, district) and there[_pair(change)] == change.grade:
            there[_pair(change)] = change.becomes
            applied.append(change)
    return tuple(applied)


def absent_grades(changes: Sequence[Change], district: str, year: int) -> frozenset[str]:
    """Return the grades that a district does not have in a school year.

    Parameters
    ----------
    changes : sequence of Change
        From `structure_changes`.
    district : str
    year : int

    Examples
    --------
    >>> from placeforecast.tables.structure import Change, absent_grades
    >>> change = Change(2027, "P6", "J0", "junior", None)
    >>> [sorted(absent_grades((change,), "A", year)) for year in (2026, 2027)]
    [['J0'], ['P6']]
    """
    if not changes:  # as nearly everywhere
        return frozenset()
    there = _at_first(changes)
    for change in applied_changes(changes, district):
        if change.year <= year:
            there[_pair(change)] = change.becomes
    return frozenset[str]().union(*there) - frozenset(there.values())


def _pair(change: Change) -> frozenset[str]:
    return frozenset((change.grade, change.becomes))


def _at_first(changes: Sequence[Change]) -> dict[frozenset[str], str]:
    """Return which of two names a grade has before its first change."""
    return {_pair(change): change.grade for change in reversed(changes)}


def _records(table: pd.DataFrame) -> list[Row]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _rows(events: pd.DataFrame | None) -> list[tuple[int, Row]]:
    """Return the rows of the channel with their numbers, by year, those of a district first."""
    if events is None:
        return []
    full = events.reindex(columns=list(dict.fromkeys([*events.columns, *COLUMNS])))
    numbered = [
        (number, {**row, "district": None if _is_blank(row["district"]) else str(row["district"])})
        for number, row in enumerate(_records(full), start=1)
        if row["channel"] == CHANNEL
    ]
    return sorted(numbered, key=lambda item: (item[1]["year_from"], item[1]["district"] is None))


def _is_blank(cell: object) -> bool:
    return cell == "" or bool(pd.isna(cell))  # type: ignore[call-overload]


def _fault(
    row: Row, known: Mapping[str, Row], stages: Sequence[str]
) -> tuple[str, str, str] | None:
    """Return the column, the rule and the remedy of what is wrong with a row first."""
    for column, broken, rule, remedy in RULES:
        if broken(row):
            return column, rule, remedy
    if row["stage"] not in stages:
        return "stage", "is not a stage of the school system", suggest(str(row["stage"]), stages)
    if row["grade"] not in known:
        return "grade", "is not a grade of the school system", suggest(str(row["grade"]), known)
    if known[row["grade"]]["stage"] == row["stage"]:
        remedy = "Name the stage that receives the grade, and the grade as it is called before."
        return "grade", f"is in {row['stage']} already", remedy
    return None


def _no_counterpart(row: Row) -> tuple[str, str, str]:
    rule = f"has no counterpart in {row['stage']} at its age in a shipped school system"
    return "grade", rule, "Only such a grade can move: P6 to junior (J0), J0 to primary (P6)."


def _change(row: Row, becomes: str) -> Change | None:
    if not becomes:
        return None
    names = (str(row["grade"]), becomes, str(row["stage"]))
    return Change(int(row["year_from"]), *names, district=row["district"])


def _counterpart(moving: Row, stage: str, known: Mapping[str, Row]) -> str:
    """Return the grade of a stage at the age of another grade; blank if there is none."""
    if int(moving["duration"]) != 1:
        return ""
    for name, row in known.items():
        if (row["stage"], row["entry_age"], row["duration"]) == (stage, moving["entry_age"], 1):
            return name
    for _, rows in shipped("grades").groupby("system", sort=False):
        same = rows[(rows["stage"] == stage) & (rows["duration"] == "1")]
        same = same[same["entry_age"].astype(int) == int(moving["entry_age"])]
        if {stage, moving["stage"]} <= set(rows["stage"]) and len(same):
            return str(same["grade"].iloc[0])
    return ""


def _problem(number: int, row: Row, fault: tuple[str, str, str]) -> Problem:
    column, rule, remedy = fault
    cell = row[column]
    value = "" if _is_blank(cell) else f"{cell:g}" if isinstance(cell, float) else str(cell)
    told = f"{rule} (event {row['event']})"
    return Problem(told, remedy, file="events", row=number, column=column, value=value)


def _repeated(found: Mapping[Change, int]) -> list[Problem]:
    """Name the rows that move a grade which is not there any more, or not yet."""
    changes = tuple(found)
    problems = []
    for change, number in found.items():
        if change in applied_changes(changes, change.district):
            continue
        where = f"of {change.district} " if change.district else ""
        rule = f"{where}is called {change.becomes} already in {change.year}"
        remedy = "Keep one row for each move; give the districts one by one where years differ."
        problems.append(
            Problem(rule, remedy, file="events", row=number, column="grade", value=change.grade)
        )
    return problems


def _with_grade(system: pd.DataFrame, change: Change) -> pd.DataFrame:
    moving = system[system["grade"] == change.grade]
    row = moving.assign(grade=change.becomes, stage=change.stage).astype(system.dtypes)
    inside = (system["stage"] == change.stage).to_numpy()
    younger = inside & (system["entry_age"] < int(moving["entry_age"].iloc[0])).to_numpy()
    at = int(younger.nonzero()[0][-1]) + 1 if younger.any() else int(inside.argmax())
    return pd.concat([system.iloc[:at], row, system.iloc[at:]], ignore_index=True)
