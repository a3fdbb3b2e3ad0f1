"""Control to a total: districts scaled to what a parent has published or projected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.tables.districts import members
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ["district", "year", "stage"]
TOLERANCE = 0.05
"""Maryland takes a county's own projection only within 5 % of the state's."""


def control_to_totals(
    pupils: pd.DataFrame,
    totals: pd.DataFrame,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scale the pupils of districts so that they add up to the total of their parent.

    Every grade of the stage in every district below the parent is multiplied by the same factor, so
    shares between districts and grades stay as they were forecast.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, pupils, ...]
        From `project_enrolment`; other columns are kept.
    totals : DataFrame [district, year, stage, pupils]
        What the districts below `district` must add up to. Years and stages without a total are
        left as they are.
    districts : DataFrame, optional
        How districts roll up; without it a total is that of the district itself.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    tuple of DataFrame
        The pupils, and the adjustments [district, year, stage, forecast, total, factor].

    Raises
    ------
    InputError
        For a total without pupils to scale, or two totals that reach the same cell.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.control import control_to_totals
    >>> pupils = pd.DataFrame({"district": ["A", "B"], "year": 2030, "grade": "P1",
    ...                        "pupils": [60.0, 40.0]})
    >>> tree = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})
    >>> total = pd.DataFrame({"district": ["C"], "year": 2030, "stage": "primary", "pupils": 110.0})
    >>> control_to_totals(pupils, total, districts=tree)[0].pupils.round(6).tolist()
    [66.0, 44.0]
    """
    system = resolve_grades(grades)
    stage = pupils["grade"].map(dict(zip(system["grade"], system["stage"], strict=True)))
    below: Mapping[str, list[str]] = {} if districts is None else members(districts)
    factor = pd.Series(1.0, index=pupils.index)
    reached = pd.Series(data=False, index=pupils.index)
    rows = []
    for total in totals.to_dict("records"):
        own = below.get(str(total["district"]), [str(total["district"])])
        cells = pupils["district"].isin(own) & (pupils["year"] == total["year"])
        cells &= stage == total["stage"]
        forecast = float(pupils.loc[cells, "pupils"].sum())
        named = f"{total['district']} {total['stage']} {total['year']}"
        if forecast <= 0:
            rule, remedy = f"{named} has no pupils to scale", "Check the names, or leave it out."
            refuse([Problem(file="totals", rule=rule, remedy=remedy)])
        if (reached & cells).any():
            rule, remedy = f"{named} is controlled twice", "Keep one total for each cell."
            refuse([Problem(file="totals", rule=rule, remedy=remedy)])
        reached |= cells
        factor[cells] = float(total["pupils"]) / forecast
        rows.append((*(total[k] for k in KEYS), forecast, total["pupils"], factor[cells].iloc[0]))
    adjustments = pd.DataFrame(rows, columns=[*KEYS, "forecast", "total", "factor"])
    return pupils.assign(pupils=pupils["pupils"] * factor), adjustments


def compare_with_outside(
    ours: pd.DataFrame, outside: pd.DataFrame, *, tolerance: float = TOLERANCE
) -> pd.DataFrame:
    """Hold stage totals against somebody else's forecast.

    Parameters
    ----------
    ours : DataFrame [district, year, stage, pupils, ...]
        One row per cell, such as the rows of ``forecast.stages`` of one ledger.
    outside : DataFrame [district, year, stage, pupils]
    tolerance : float
        Largest difference, as a share of the outside figure.

    Returns
    -------
    DataFrame [district, year, stage, ours, outside, difference, within]
        `difference` is ours over outside less 1.

    Raises
    ------
    InputError
        For an outside figure that we do not have.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.control import compare_with_outside
    >>> a = pd.DataFrame({"district": ["A"], "year": 2030, "stage": "junior", "pupils": [104.0]})
    >>> compare_with_outside(a, a.assign(pupils=100.0))[["difference", "within"]]
       difference  within
    0        0.04    True
    """
    known = ours.set_index(KEYS)["pupils"]
    at = pd.MultiIndex.from_frame(outside[KEYS])
    found = known.reindex(at).to_numpy(dtype=float)
    if np.isnan(found).any():
        first = " ".join(map(str, at[int(np.argmax(np.isnan(found)))]))
        rule, remedy = f"{first} is not in our forecast", "Check the names, or leave it out."
        refuse([Problem(file="outside", rule=rule, remedy=remedy)])
    table = outside[KEYS].reset_index(drop=True)
    table["ours"] = found
    table["outside"] = outside["pupils"].to_numpy(dtype=float)
    table["difference"] = table["ours"] / table["outside"] - 1
    # Equality counts as within: 1e-12 is the rounding of the division.
    table["within"] = table["difference"].abs() <= tolerance + 1e-12
    return table
