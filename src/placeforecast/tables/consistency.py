"""What must hold between the tables of a region; each rule is one function, all run together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.tables.districts import leaves, tree_problems
from placeforecast.tables.grades import combined_in, stages_in_order
from placeforecast.tables.plan import plan_problems
from placeforecast.tables.problems import Problem, suggest
from placeforecast.tables.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set

    Tables = Mapping[str, pd.DataFrame]


ON_LEAVES = (
    "births",
    "population",
    "fertility",
    "survival",
    "migration",
    "sex_ratio_at_birth",
    "enrolment",
    "places",
    "projects",
    "housing",
    "candidates",
    "past_rounds",
)


def consistency_problems(tables: Tables, files: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong between tables.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Checked tables by name; their index holds the row numbers to print. `grades` is resolved.
    files : mapping of str to str
        File of each table that was given, for the messages, also of one that could not be read;
        the table's name where it is left out.
    """
    problems = _missing_tables({*tables, *files})
    tree = []
    if "districts" in tables:
        tree = tree_problems(tables["districts"], files.get("districts", "districts"))
    problems += tree
    for name, table in tables.items():
        file = files.get(name, name)
        problems += _district_problems(name, table, file, tables, in_tree=not tree)
        problems += _school_problems(name, table, file, tables["grades"])
    problems += _value_problems(tables, files)
    problems += _rate_problems(tables, files)
    if "projects" in tables:
        file = files.get("projects", "projects")
        problems += plan_problems(tables["projects"], tables["grades"], file)
    return problems


def _missing_tables(tables: Set[str]) -> list[Problem]:
    problems = []
    if "enrolment" not in tables:
        remedy = "Add pupils by district, year and grade (enrolment.csv)."
        problems.append(Problem(rule="the table enrolment is missing", remedy=remedy))
    if "births" not in tables and "population" not in tables:
        remedy = "Add births.csv, or population.csv with fertility.csv and survival.csv."
        problems.append(Problem(rule="births and population are both missing", remedy=remedy))
    if "population" in tables:
        for name in ("fertility", "survival"):
            if name not in tables:
                given = "mortality" in tables and name == "survival"
                how = "mx, qx and life expectancy are not read yet: give" if given else "Add"
                remedy = f"{how} {name}.csv, or leave out population.csv."
                rule = f"the table {name} is missing, which population needs"
                problems.append(Problem(rule=rule, remedy=remedy))
    return problems


def _strangers(table: pd.DataFrame, column: str, known: set[str]) -> Iterator[tuple[int, str]]:
    filled = table[column].dropna()
    wrong = filled[~filled.isin(known)]
    for value, group in wrong.groupby(wrong, sort=False):
        yield int(group.index[0]), str(value)


def _district_columns(name: str) -> list[str]:
    return [
        column.name
        for column in vocabulary()[name].columns
        if column.name == "district" or column.values == "*district"
    ]


def _district_problems(
    name: str, table: pd.DataFrame, file: str, tables: Tables, *, in_tree: bool
) -> list[Problem]:
    if name == "districts" or not ({"districts", "enrolment"} & set(tables)):
        return []
    listed = tables["districts"]["district"] if "districts" in tables else None
    known = set(tables["enrolment"]["district"]) if listed is None else set(listed)
    where = "enrolment" if listed is None else "districts"
    problems = []
    for column in _district_columns(name):
        if column not in table.columns:
            continue
        for row, value in _strangers(table, column, known):
            problems.append(
                Problem(
                    file=file,
                    row=row,
                    column=column,
                    value=value,
                    rule=f"is not a district of the table {where}",
                    remedy=suggest(value, known),
                )
            )
        if listed is not None and in_tree and name in ON_LEAVES:
            inner = known - set(leaves(tables["districts"]))
            for row, value in _strangers(table, column, set(table[column].dropna()) - inner):
                remedy = "Give the rows of the districts below it; they are added up."
                rule = "has districts below it"
                problems.append(
                    Problem(
                        file=file, row=row, column=column, value=value, rule=rule, remedy=remedy
                    )
                )
    return problems


def _school_problems(
    name: str, table: pd.DataFrame, file: str, grades: pd.DataFrame
) -> list[Problem]:
    stages = stages_in_order(grades)
    known = {
        "*grade": set(grades["grade"]),
        "*stage": set(stages),
        "*stage_or_combined": set(stages) | set(combined_in(stages)),
    }
    problems = []
    for column in vocabulary()[name].columns:
        if column.values not in known or column.name not in table.columns:
            continue
        for row, value in _strangers(table, column.name, known[column.values]):
            problems.append(
                Problem(
                    file=file,
                    row=row,
                    column=column.name,
                    value=value,
                    rule=f"is not a {column.name} of the school system",
                    remedy=suggest(value, known[column.values]),
                )
            )
    return problems


def _rows(table: pd.DataFrame, wrong: pd.Series[bool]) -> Iterator[tuple[int, Any]]:
    for row, cells in table[wrong].iterrows():
        yield int(str(row)), cells


def _value_problems(tables: Tables, files: Mapping[str, str]) -> list[Problem]:
    problems = []
    if "tasks" in tables:
        tasks = tables["tasks"]
        for row, cells in _rows(tasks, tasks["year_to"] < tasks["year_from"]):
            rule = f"is before year_from {cells['year_from']}"
            problems.append(
                Problem(
                    file=files.get("tasks", "tasks"),
                    row=row,
                    column="year_to",
                    value=str(cells["year_to"]),
                    rule=rule,
                    remedy="Correct one of the two.",
                )
            )
    if "past_rounds" in tables:
        said = tables["past_rounds"]
        file = files.get("past_rounds", "past_rounds")
        for row, cells in _rows(said, said["year"] <= said["launch_year"]):
            rule = f"is not after launch_year {cells['launch_year']}"
            remedy = "Correct one of the two, or leave the row out: a launch forecasts later years."
            value = str(cells["year"])
            problems.append(Problem(rule, remedy, file=file, row=row, column="year", value=value))
    return problems


def _rate_problems(tables: Tables, files: Mapping[str, str]) -> list[Problem]:
    """Name what a rate lacks for the people that are there, in each district and year it gives."""
    if "population" not in tables:
        return []
    people = tables["population"]
    if people[["sex", "age"]].isna().any(axis=None):
        return []  # told already, cell by cell
    axes = {"sex": sorted(set(people["sex"])), "age": sorted(set(people["age"]))}
    problems: list[Problem] = []
    for name in ("survival", "migration"):
        if name in tables:
            problems += _lacking(tables[name], axes, files.get(name, name))
    if "fertility" in tables:
        fertile = tables["fertility"]["age"]
        ages = [age for age in axes["age"] if fertile.min() <= age <= fertile.max()]
        file = files.get("fertility", "fertility")
        problems += _lacking(tables["fertility"], {"age": ages}, file)
    return problems


def _lacking(table: pd.DataFrame, axes: Mapping[str, list[Any]], file: str) -> Iterator[Problem]:
    wanted = pd.MultiIndex.from_product(list(axes.values()), names=list(axes))
    keys = [key for key in ("district", "year") if key in table.columns]
    if table[[*keys, *axes]].isna().any(axis=None):
        return
    for group, rows in table.groupby(keys) if keys else [((), table)]:
        missing = wanted.difference(pd.MultiIndex.from_frame(rows[list(axes)]))
        if len(missing):
            named = zip((*keys, *axes), (*group, *missing[0]), strict=True)
            first = ", ".join(f"{key} {value}" for key, value in named)
            rule = f"lacks {len(missing)} of {len(wanted)} rows, first: {first}"
            remedy = "Add them; a rate that is missing is never taken as 0."
            yield Problem(file=file, column="age", rule=rule, remedy=remedy)
