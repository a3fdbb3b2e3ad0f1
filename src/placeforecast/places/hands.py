"""Places that change hands: schools that go from one sector to another and keep their stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.places.spread import spread_step
from placeforecast.places.steps import plan_steps
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.structure import absent_grades, structure_changes, with_structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.records import Assumptions

COLUMNS = ["district", "year", "grade", "from_sector", "sector", "places"]


def changed_hands(
    assumptions: Assumptions, years: Sequence[int], *, grades: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the places that have changed hands by each year, for demand to follow them.

    Conversions that keep their stage and name `from_sector`, in whatever plan case, unless they are
    cancelled or overdue; `schedule_places` counts the same ones. They are cumulative, spread over
    the grades of the stage as supply is, and stay changed when the school closes later: its pupils
    do not go back.

    Parameters
    ----------
    assumptions : Assumptions
        `places`, `projects`, `standards` and `events`.
    years : sequence of int
        School years.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, year, grade, from_sector, sector, places]
        Every year asked for, 0 before the first school changes hands; no rows if none does or if
        there is no table of places.

    Raises
    ------
    InputError
        For a project that cannot be, with its row.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.hands import changed_hands
    >>> places = pd.DataFrame({"district": "A", "year": 2025, "stage": "junior",
    ...     "sector": ["public", "private"], "places": [900, 300]})
    >>> projects = pd.DataFrame({"project": ["West"], "stage": "junior", "district": "A",
    ...     "kind": "conversion", "from_sector": "private", "sector": "public", "places": 150,
    ...     "status": "approved", "opens": 2026})
    >>> plan = pf.Assumptions(places=places, projects=projects)
    >>> changed_hands(plan, [2025, 2026]).query("grade == 'J1'")
      district  year grade from_sector  sector  places
    0        A  2025    J1     private  public     0.0
    1        A  2026    J1     private  public    50.0
    """
    none = pd.DataFrame({c: pd.Series(dtype=kind) for c, kind in zip(COLUMNS, KINDS, strict=True)})
    if assumptions.places is None or assumptions.projects is None:
        return none
    base = resolve_grades(grades if grades is not None else assumptions.grades)
    changes = structure_changes(assumptions.events, base)
    system = with_structure(base, assumptions.events)
    last = int(assumptions.places["year"].max())
    parts = []
    for step in plan_steps(assumptions, system, last):
        if not step.other or step.places < 0:
            continue
        away = {int(year): absent_grades(changes, step.district, int(year)) for year in years}
        cell = {"district": step.district, "from_sector": step.other, "sector": step.sector}
        for grade, amount in spread_step(step, years, system, changes).items():
            moved = pd.DataFrame({"year": list(years), "grade": grade, "places": amount, **cell})
            there = [grade not in away[int(year)] for year in years]
            parts.append(moved[there])
    if not parts:
        return none
    keys = COLUMNS[:-1]
    table = pd.concat(parts, ignore_index=True).groupby(keys, as_index=False, sort=False)
    order = {grade: i for i, grade in enumerate(system["grade"])}
    summed = table.agg(places=("places", "sum"))
    summed = summed.assign(order=summed["grade"].map(order))
    summed = summed.sort_values(["district", "from_sector", "sector", "order", "year"])
    return summed[COLUMNS].reset_index(drop=True)


KINDS = ("str", "int64", "str", "str", "str", "float64")
