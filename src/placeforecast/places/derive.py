"""Places that are not given as such: from classes, or from floor area, with the standards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.rates.standards import standard
from placeforecast.tables.plan import NO_PLACES, SIZES
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from placeforecast.tables.records import Assumptions

WAYS = (
    ("classes", "class_size", "classes", "no class size"),
    ("floor_area", "area_per_place", "a floor area", "no area_per_place"),
)
"""How places come about where they are blank: column, standard, and both in words."""


def counted_places(table: pd.DataFrame, assumptions: Assumptions) -> pd.DataFrame:
    """Give every row of `places` a number: as given, or classes times the class size.

    Parameters
    ----------
    table : DataFrame
        The table `places`.
    assumptions : Assumptions
        `standards` for the class sizes.

    Returns
    -------
    DataFrame
        The same rows, `places` filled.

    Raises
    ------
    InputError
        If there is no class size.
    """
    if "places" not in table.columns:
        table = table.assign(places=np.nan)
    by_class = table["places"].isna()
    if not by_class.any():
        return table
    size = standard(assumptions.standards, "class_size", table[by_class])
    if size.isna().any():
        row = table.loc[size.index[size.isna()][0]]
        rule = f"has classes of {row['stage']} but there is no class size for it"
        remedy = "Give places, or a class_size in the table standards."
        refuse([Problem(file="places", column="classes", rule=rule, remedy=remedy)])
    filled = table["places"].where(~by_class, table["classes"] * size)
    return table.assign(places=filled)


def derived_places(projects: pd.DataFrame, standards: pd.DataFrame | None) -> pd.DataFrame:
    """Give every project places: as given, else classes x class size, else floor area / standard.

    Standards hold for the stage and district of the project, in the year it opens (a closure: in
    the year it closes).

    Parameters
    ----------
    projects : DataFrame
        The plan; `places` may be blank or left out.
    standards : DataFrame or None
        For `class_size` (pupils) and `area_per_place` (m2 of floor per place).

    Returns
    -------
    DataFrame
        The rows as given, with `places` filled (0 for equipment, whatever it names) and a column
        `estimated`: whether places were derived.

    Raises
    ------
    InputError
        For a project without places, classes and floor area, or without the standard it needs.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.derive import derived_places
    >>> projects = pd.DataFrame({"project": ["East", "West"], "stage": "primary", "district": "A",
    ...     "kind": "new", "status": "approved", "opens": 2027, "places": [900.0, None],
    ...     "classes": [None, 36.0]})
    >>> size = pd.DataFrame({"stage": ["primary"], "indicator": "class_size", "value": 45.0})
    >>> derived_places(projects, size)[["project", "places", "estimated"]]
      project  places  estimated
    0    East   900.0      False
    1    West  1620.0       True
    """
    lacking = {column: np.nan for column in SIZES if column not in projects.columns}
    table = projects.assign(**lacking).reset_index(drop=True)
    without = table["kind"].isin(NO_PLACES)
    places = table["places"].astype("float64").mask(without, 0.0)
    blank = places.isna()
    cells = table[["district", "stage"]].assign(year=_year_of(table))
    problems = []
    for column, indicator, told, lack in WAYS:
        amount = table[column].astype("float64")
        rows = places.isna() & amount.notna()
        if not rows.any():
            continue
        size = standard(standards, indicator, cells[rows])
        filled = amount[rows] * size if column == "classes" else amount[rows] / size
        for at in size.index[size.isna() | (size <= 0)]:
            row = table.loc[at]
            rule = f"has {told} of {row['stage']} but there is {lack} for it"
            remedy = f"Give places, or {indicator} in the table standards."
            problems.append(_problem(row, int(at), column, rule, remedy))
        # A row that is told already is not told again as one without any size.
        places = places.where(~rows, filled.where(size > 0, 0.0).reindex(places.index))
    for at in places.index[places.isna()]:
        rule, remedy = "has no places, classes or floor area", "Give one of them."
        problems.append(_problem(table.loc[at], int(at), "places", rule, remedy))
    refuse(problems)
    filled_in = projects.assign(places=places.to_numpy(), estimated=blank.to_numpy())
    return filled_in[[*dict.fromkeys([*projects.columns, "places", "estimated"])]]


def _year_of(projects: pd.DataFrame) -> pd.Series[float]:
    """Return the year a project opens, or closes if it does nothing else."""
    years = pd.Series(np.nan, index=projects.index)
    for column in ("opens", "closes"):
        if column in projects.columns:
            years = years.fillna(projects[column].astype("float64"))
    return years


def _problem(row: pd.Series, at: int, column: str, rule: str, remedy: str) -> Problem:
    told = f"{rule} (project {row['project']})"
    return Problem(told, remedy, file="projects", row=at + 1, column=column)
