"""A table of changes applied to assumptions, row by row in the order given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.check import check
from placeforecast.tables.districts import members
from placeforecast.tables.grades import combined_in, resolve_grades, stages_in_order
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.records import ASSUMED_TABLES, VOCABULARY_NAME, Assumptions, with_tables
from placeforecast.tables.vocabulary import COMMON_COLUMNS, KEY_ROLES, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.tables.vocabulary import Column

Row = dict[str, Any]
BASELINE = "baseline"
OPERATIONS = ("multiply", "add", "set")
RANGES = {"age": ("age_from", "age_to"), "year": ("year_from", "year_to")}
NOT_KEYS = ("scenario", "table", "column", "after", *OPERATIONS, *COMMON_COLUMNS)
NUMERIC = ("number", "share", "number_or_word", "school_year", "school_year_end")
ADDED_BY_SET = ("policy", "standards")
"""Tables in which a row that is set and not there yet is added: its keys say all that it needs."""


def adjust(assumptions: Assumptions, changes: pd.DataFrame) -> Assumptions:
    """Apply a table of changes to assumptions.

    Each row names a table, a column where the table has several values, and keys; a blank key means
    every row, a district also those below it, a stage also its grades, and ranges hold both ends.
    Rows apply in order: ``multiply`` and ``add`` to what stands there after the rows before,
    ``set`` in its place. Where a key is blank in the table itself ("every district") and the change
    names one, the rows of all years are copied for it first. ``set`` adds a row of `policy` or
    `standards` that is not there.

    Parameters
    ----------
    assumptions : Assumptions
        From `estimate`, or made by hand.
    changes : DataFrame [scenario, table, column, keys, multiply, add, set, after]
        Of one scenario; `scenario` and `after` may be left out.

    Returns
    -------
    Assumptions
        The same where there are no changes.

    Raises
    ------
    InputError
        For a row that touches nothing, names a table or column that cannot be changed, or makes a
        value that the vocabulary does not allow.
    ValueError
        For changes of several scenarios.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> ratio = pd.DataFrame({"district": ["A", "B"], "year": 2026, "grade": "P2", "ratio": 1.0})
    >>> given = pf.Assumptions(progression=ratio)
    >>> change = pd.DataFrame({"table": ["progression"], "district": "B", "multiply": 1.02})
    >>> pf.adjust(given, change).progression.ratio.tolist()
    [1.0, 1.02]
    """
    if changes.empty:
        return assumptions
    if "scenario" not in changes.columns:
        changes = changes.assign(scenario=BASELINE)
    rows = check(changes, "scenarios", called="changes")
    named = list(dict.fromkeys(rows["scenario"]))
    if len(named) > 1:
        raise ValueError(f"changes of one scenario are applied at a time, not {', '.join(named)}")
    tables: dict[str, Any] = {}
    for number, cells in enumerate(rows.to_dict("records"), start=1):
        row = {str(k): v for k, v in cells.items() if not _blank(v)}
        name = _table_of(row, number)
        given = tables.get(name, getattr(assumptions, name))
        if given is None:
            remedy = "Give the table, or leave the row out."
            refuse([_problem(number, "table", name, "is not among the assumptions", remedy)])
        tables[name] = _changed(given, name, row, number, assumptions)
    return with_tables(assumptions, **tables)


def _blank(value: object) -> bool:
    return value == "" or bool(pd.isna(value))  # type: ignore[call-overload]


def _problem(number: int, column: str, value: object, rule: str, remedy: str) -> Problem:
    return Problem(rule, remedy, "changes", row=number, column=column, value=str(value))


def _table_of(row: Row, number: int) -> str:
    name = str(row["table"])
    if name not in ASSUMED_TABLES:
        rule, remedy = "is not a table of the assumptions", suggest(name, ASSUMED_TABLES)
        refuse([_problem(number, "table", name, rule, remedy)])
    return name


def _columns(name: str) -> dict[str, Column]:
    return {c.name: c for c in vocabulary()[VOCABULARY_NAME.get(name, name)].columns}


def _column_of(table: pd.DataFrame, name: str, row: Row, number: int) -> str:
    """Return the column that a row changes: the one named, or the only one there is."""
    columns = _columns(name)
    numbers = [c for c in columns.values() if c.kind in NUMERIC and c.name in table.columns]
    values = [c.name for c in numbers if c.role in ("value", "either")]
    if "column" not in row:
        if len(values) != 1:
            listed = ", ".join(c.name for c in numbers if c.role not in KEY_ROLES)
            rule, remedy = "is blank", f"{name} has {listed}: name one."
            refuse([_problem(number, "column", "", rule, remedy)])
        return values[0]
    column = str(row["column"])
    changeable = [c for c in columns if columns[c].role in ("value", "either", "optional")]
    if column not in changeable:
        rule, remedy = f"is not a value column of {name}", suggest(column, changeable)
        refuse([_problem(number, "column", column, rule, remedy)])
    return column


def _changed(
    table: pd.DataFrame, name: str, row: Row, number: int, assumptions: Assumptions
) -> pd.DataFrame:
    """Return a table with one row of changes applied."""
    column = _column_of(table, name, row, number)
    wanted = _wanted(row, assumptions)
    table = _written_out(table, name, wanted, assumptions, number)
    where, table = _touched(table, name, wanted, row, number)
    if column not in table.columns:
        table = table.assign(**{column: None})
    if not where.any():
        return _added(table, name, column, row, number)
    values = table[column]
    if "set" in row:
        value = _as_value(row["set"], _columns(name)[column], number)
        return table.assign(**{column: values.astype("object").mask(where, value)})
    if where.any() and values[where].isna().all():
        rule, remedy = f"touches only blank cells of {column}", "Use set, or name other rows."
        refuse([_problem(number, "table", name, rule, remedy)])
    # A policy has words in other rows, which no number goes into.
    old = values.where(where, 0.0) if values.dtype == "object" else values
    changed = old * row["multiply"] if "multiply" in row else old + row["add"]
    if str(values.dtype) in ("Int64", "int64") and "add" in row and row["add"] % 1 == 0:
        changed = values + int(row["add"])
    return table.assign(**{column: values.mask(where, changed)})


def _as_value(text: object, column: Column, number: int) -> object:
    if column.kind not in NUMERIC:
        return text
    try:
        return float(str(text))
    except ValueError:
        if column.kind == "number_or_word":
            return text
        rule = f"is not a number, which {column.name} is"
        refuse([_problem(number, "set", text, rule, "Give a number in digits.")])
        raise


def _wanted(row: Row, assumptions: Assumptions) -> Mapping[str, Any]:
    """Return what each key must be: a set of labels, or a range of numbers."""
    wanted: dict[str, Any] = {}
    for key in row:
        if key in NOT_KEYS or any(key in ends for ends in RANGES.values()):
            continue
        wanted[key] = {row[key]}
    if "district" in wanted and assumptions.districts is not None:
        area = str(row["district"])
        wanted["district"] = {area, *members(assumptions.districts).get(area, [])}
    if "stage" in wanted:
        system = resolve_grades(assumptions.grades)
        named = combined_in(stages_in_order(system)).get(str(row["stage"]), (str(row["stage"]),))
        wanted["stage"] = {str(row["stage"]), *named}
        wanted["grades of stage"] = set(system.loc[system["stage"].isin(named), "grade"])
    for key, (low, high) in RANGES.items():
        if low in row or high in row:
            wanted[key] = (row.get(low, -np.inf), row.get(high, np.inf))
    return wanted


def _written_out(
    table: pd.DataFrame,
    name: str,
    wanted: Mapping[str, Any],
    assumptions: Assumptions,
    number: int,
) -> pd.DataFrame:
    """Write a table out along the keys that it leaves out and the change names."""
    for key in ("district", "year"):
        if key not in wanted or key in table.columns or key not in _columns(name):
            continue
        if _columns(name)[key].role == "open_key":
            table = table.assign(**{key: None})
            continue
        labels = _labels(key, assumptions)
        if not labels:
            rule = f"names a {key}, and {name} holds for every one"
            remedy = f"Give {name} by {key}, or leave the {key} out."
            refuse([_problem(number, key, "", rule, remedy)])
        parts = [table.assign(**{key: label}) for label in labels]
        table = pd.concat(parts, ignore_index=True)
    return table


def _labels(key: str, assumptions: Assumptions) -> Sequence[Any]:
    """Return the districts or years that the assumptions speak of."""
    found: set[Any] = set()
    for name in ("births", "intake", "participation", "progression"):
        table: pd.DataFrame | None = getattr(assumptions, name)
        if table is not None and key in table.columns:
            found |= set(table[key])
    return sorted(found)


def _touched(
    table: pd.DataFrame, name: str, wanted: Mapping[str, Any], row: Row, number: int
) -> tuple[pd.Series[bool], pd.DataFrame]:
    """Return which rows a change touches, and the table with rows copied for blank keys."""
    columns = _columns(name)
    where = pd.Series(data=True, index=table.index)
    special: dict[str, Any] = {}
    for key in wanted:
        if key in ("grades of stage", "year"):
            continue
        by_grade = key == "stage" and key not in columns and "grade" in columns
        column = "grade" if by_grade else key
        labels = wanted["grades of stage" if by_grade else key]
        table = _with_key(table, name, column, number)
        fits = _fits(table[column], labels)
        blank = table[column].isna() | (table[column].astype("object") == "")
        if columns[column].role == "open_key" and blank.any() and isinstance(labels, set):
            # A path of policy holds below its district; elsewhere data stand on the leaves.
            special[column] = {row[key]} if name == "policy" else labels
            fits |= blank
        where &= fits
    for column, labels in special.items():
        blank = table[column].isna() | (table[column].astype("object") == "")
        if (where & ~blank).any():  # rows of its own come before those of every one
            where &= ~blank
        else:
            where, table = _copied(table, column, labels, where)
    if "year" in wanted:
        table = _with_key(table, name, "year", number)
        where &= _fits(table["year"], wanted["year"])
    return where, table


def _with_key(table: pd.DataFrame, name: str, key: str, number: int) -> pd.DataFrame:
    columns = _columns(name)
    if key not in columns:
        remedy = f"{name} has {', '.join(k for k in columns if k in table.columns)}."
        refuse([_problem(number, key, "", f"is not a key of {name}", remedy)])
    return table if key in table.columns else table.assign(**{key: None})


def _fits(cells: pd.Series[Any], labels: Any) -> pd.Series[bool]:  # noqa: ANN401
    if not isinstance(labels, tuple):
        return cells.isin(labels)
    inside: pd.Series[bool] = (cells >= labels[0]) & (cells <= labels[1])
    return inside.fillna(value=False).astype(bool)


def _copied(
    table: pd.DataFrame, column: str, labels: set[Any], general: pd.Series[bool]
) -> tuple[pd.Series[bool], pd.DataFrame]:
    """Copy rows of a blank key for the labels named, and touch the copies instead of them."""
    copies = [table[general].assign(**{column: label}) for label in sorted(labels, key=str)]
    whole = pd.concat([table, *copies], ignore_index=True)
    return pd.Series(np.arange(len(whole)) >= len(table), index=whole.index), whole


def _added(table: pd.DataFrame, name: str, column: str, row: Row, number: int) -> pd.DataFrame:
    """Add the row that a change sets, where its keys say all that the table needs."""
    columns = _columns(name)
    needed = [c.name for c in columns.values() if c.role == "key"]
    if name not in ADDED_BY_SET or "set" not in row or any(key not in row for key in needed):
        named = ", ".join(f"{k} {v}" for k, v in row.items() if k not in NOT_KEYS)
        rule, remedy = (
            f"touches no row ({named or 'no keys'})",
            "Correct its keys, or leave it out.",
        )
        refuse([_problem(number, "table", name, rule, remedy)])
    value = _as_value(row["set"], columns[column], number)
    new = {key: row[key] for key in columns if key in row and key not in NOT_KEYS}
    added = pd.DataFrame([{**new, column: value}])
    return pd.concat([table.astype("object"), added.astype("object")], ignore_index=True)
