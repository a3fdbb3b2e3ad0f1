"""The grades of a school system: their order, stages, ages and where their pupils come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from placeforecast.tables.check import check
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages, school_systems, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

DEFAULT_SYSTEM = "cn-6-3-3"
FROM_POPULATION = "population"
FROM_BELOW = "grade_below"


def load_grades(system: str = DEFAULT_SYSTEM) -> pd.DataFrame:
    """Return the grades of a shipped school system, each with the grade it takes in from.

    Raises
    ------
    InputError
        If the system is not shipped.

    Examples
    --------
    >>> from placeforecast.tables.grades import load_grades
    >>> load_grades("england").head(2)[["grade", "stage", "entry_age", "feeder"]]
      grade    stage  entry_age      feeder
    0     R  primary          4  population
    1     1  primary          5           R
    """
    if system not in school_systems():
        remedy = suggest(system, school_systems())
        refuse(
            [Problem(column="school_system", value=system, rule="is not shipped", remedy=remedy)]
        )
    table = shipped("grades")
    return resolve_grades(table[table["system"] == system].drop(columns="system"))


def resolve_grades(grades: pd.DataFrame | None) -> pd.DataFrame:
    """Return checked grades in order, with a column `feeder`; None is the default system.

    `feeder` is ``"population"`` or the grade that the pupils were in the year before. A table that
    has it already is returned as it is.

    Raises
    ------
    InputError
        For a feeder that does not exist, is not below, or is not unique.
    """
    if grades is None:
        return load_grades()
    if "feeder" in grades.columns:
        return grades
    checked = check(grades, "grades").set_index(grades.index)  # the row numbers to print
    checked = checked.sort_values(["position"], kind="stable")
    problems: list[Problem] = []
    rows = zip(checked.index, checked.to_dict("records"), strict=True)
    checked["feeder"] = [_feeder(number, row, checked, problems) for number, row in rows]
    refuse(problems)
    return checked.reset_index(drop=True)


def _feeder(number: int, row: dict[Any, Any], grades: pd.DataFrame, problems: list[Problem]) -> str:
    source = str(row["enters_from"])
    where = Problem(
        rule="", remedy="", file="grades", row=int(number), column="enters_from", value=source
    )
    if source == FROM_POPULATION:
        return FROM_POPULATION
    if source != FROM_BELOW:
        named = grades[grades["grade"] == source]
        if named.empty:
            remedy = suggest(source, [FROM_POPULATION, FROM_BELOW, *grades["grade"]])
            rule = f"(where {row['grade']} enters from) is not a grade"
            problems.append(replace(where, rule=rule, remedy=remedy))
        elif int(named["position"].iloc[0]) >= int(row["position"]):
            remedy = "Name a grade with a lower position."
            rule = f"does not stand below {row['grade']}, which enters from it"
            problems.append(replace(where, rule=rule, remedy=remedy))
        return source
    lower = grades[grades["position"] < row["position"]]
    nearest = lower[lower["position"] == lower["position"].max()]
    same = nearest[nearest["stage"] == row["stage"]]
    chosen = same if len(same) else nearest
    if len(chosen) != 1:
        rule = f"of {row['grade']} could be any of {', '.join(chosen['grade'])}"
        if chosen.empty:
            rule = f"of {row['grade']} finds no grade with a lower position"
        remedy = "Name the grade it takes in from, or write population."
        problems.append(replace(where, rule=rule, remedy=remedy))
        return ""
    return str(chosen["grade"].iloc[0])


def stages_in_order(grades: pd.DataFrame) -> list[str]:
    """Return the stages of a school system, lowest first."""
    return list(dict.fromkeys(grades["stage"]))


def combined_in(stages: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the combined names whose stages are all there."""
    return {
        name: members for name, members in combined_stages().items() if set(members) <= set(stages)
    }


def is_entry(grade: Mapping[Any, Any]) -> bool:
    """Whether a grade (a row of the school system) takes in from the population."""
    return bool(grade["feeder"] == FROM_POPULATION)


def family_of(grade: Mapping[Any, Any]) -> str:
    """Return which table of the assumptions holds the ratio of a grade."""
    if not is_entry(grade):
        return "progression"
    return "intake" if int(grade["duration"]) == 1 else "participation"


def ages_of(grade: Mapping[Any, Any]) -> list[int]:
    """Return the usual ages of the pupils of a grade; several for a stage known as a total."""
    first = int(grade["entry_age"])
    return list(range(first, first + int(grade["duration"])))
