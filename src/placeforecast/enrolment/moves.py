"""What a change of migration does to children counted by births, and to pupils already at school.

Children on the basis of births are carried forward unmoved, so that a scenario of migration reaches
them only through the difference it makes to resident children of the same age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.enrolment.steering import Total
from placeforecast.population.project import project_population
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.grades import ages_of, is_entry
from placeforecast.tables.records import with_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.population.project import Projection
    from placeforecast.tables.doors import Array
    from placeforecast.tables.pupils import Counted
    from placeforecast.tables.records import Assumptions

CHILDREN = ["district", "year", "age", "moved", "residents"]


def moved_children(
    stock: pd.DataFrame,
    assumptions: Assumptions,
    before: Assumptions,
    launch_year: int,
    until: int,
    ages: Sequence[int],
) -> pd.DataFrame:
    """Return how many more resident children a change of migration brings after the launch.

    Everything but `migration` is as in the scenario in both runs, so that the difference is that of
    migration alone. A difference that a cohort has at the launch already (a change of past years)
    is taken off, since pupils are counted there; and so are the births that the movers have, since
    children counted by births hold them.

    Parameters
    ----------
    stock : DataFrame [district, year, sex, age, population]
        People that the projection starts from.
    assumptions, before : Assumptions
        Of the scenario, and those whose migration it changes.
    launch_year, until : int
    ages : sequence of int
        Ages to tell, without a gap.

    Returns
    -------
    DataFrame [district, year, age, moved, residents]
        Persons, from the launch on; `residents` as without the change.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.enrolment.moves import moved_children
    >>> people = pd.DataFrame({"district": "A", "year": 2025, "sex": "female", "age": [0, 1, 2],
    ...                        "population": 100.0})
    >>> alive = pd.DataFrame({"sex": "female", "age": [0, 1, 2], "survival": 1.0})
    >>> births = pd.DataFrame({"district": "A", "year": [2026], "births": [100.0]})
    >>> none = pd.DataFrame({"sex": "female", "age": [0, 1, 2], "net_migration": [0.0, 0.0, 0.0]})
    >>> before = pf.Assumptions(survival=alive, births=births, migration=none)
    >>> more = pf.Assumptions(survival=alive, births=births,
    ...                       migration=none.assign(net_migration=[0.0, 5.0, 0.0]))
    >>> moved_children(people, more, before, 2025, 2026, [0, 1]).moved.tolist()
    [0.0, 0.0, 0.0, 5.0]
    """
    runs = [
        project_population(stock, each, until=until)
        for each in (assumptions, with_tables(assumptions, migration=before.migration))
    ]
    axes = {
        "district": sorted(set(runs[0].population["district"])),
        "year": list(range(launch_year, until + 1)),
        "age": list(ages),
    }
    there, without = (_by_age(run.population, axes) for run in runs)
    born = _births(runs[0], axes) - _births(runs[1], axes)
    at_launch = (there - without)[:, 0].copy()
    difference = there - without
    for t in range(len(axes["year"])):
        for i in range(len(axes["age"])):
            # The cohort had this at the launch, or was born with it since.
            difference[:, t, i] -= at_launch[:, i - t] if i >= t else born[:, t - i]
    table = to_table(difference, axes, "moved")
    table["residents"] = without.reshape(-1)
    return table[CHILDREN]


def _by_age(people: pd.DataFrame, axes: dict[str, list[Any]]) -> Array:
    own = people[people["age"].isin(axes["age"]) & people["year"].isin(axes["year"])]
    summed = own.groupby(list(axes), as_index=False, sort=False).agg(n=("population", "sum"))
    return to_array(summed, axes, "n", name="population")


def _births(run: Projection, axes: dict[str, list[Any]]) -> Array:
    """Return births by district and year, those of the launch left out [district, year]."""
    own = run.all_births[run.all_births["year"].isin(axes["year"][1:])]
    later = {"district": axes["district"], "year": axes["year"][1:]}
    births = to_array(own, later, "births", name="births")
    return np.concatenate([np.zeros((len(births), 1)), births], axis=1)


def with_moved_children(children: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """Add the difference that migration makes to the children counted by births.

    Parameters
    ----------
    children : DataFrame [district, year, age, basis, children, share_born]
        From `school_age_children`; residents hold the change already.
    moved : DataFrame [district, year, age, moved, residents]
        From `moved_children`.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.moves import with_moved_children
    >>> children = pd.DataFrame({"district": "A", "year": [2027], "age": 6, "basis": "births",
    ...                          "children": [90.0]})
    >>> moved = pd.DataFrame({"district": "A", "year": [2027], "age": 6, "moved": [-4.0],
    ...                       "residents": [95.0]})
    >>> with_moved_children(children, moved).children.tolist()
    [86.0]
    """
    keys = ["district", "year", "age"]
    change = moved.set_index(keys)["moved"].reindex(pd.MultiIndex.from_frame(children[keys]))
    # Cohorts before the launch and ages that nobody is taught at are not moved.
    amount = np.where(children["basis"] == "births", change.fillna(0.0).to_numpy(), 0.0)
    return children.assign(children=children["children"] + amount)


def pupils_who_move(
    counted: Counted,
    rows: Sequence[Mapping[Any, Any]],
    moved: pd.DataFrame,
    years: Sequence[int],
) -> list[Total]:
    """Return the pupils who come to grades above the entry grades, or leave them.

    For each cohort the change of its difference from one year to the next, times the participation
    of the grade at the launch (pupils per resident child of its ages). Entry grades take in
    children who have moved already.

    Parameters
    ----------
    counted : Counted
        Pupils up to the launch.
    rows : sequence of mapping
        Grades that are counted, as rows of the school system.
    moved : DataFrame [district, year, age, moved, residents]
        From `moved_children`.
    years : sequence of int
        Years after the launch.
    """
    axes = {
        "year": [years[0] - 1, *years],
        "district": counted.axes["district"],
        "age": sorted(set(moved["age"])),
    }
    own = moved[moved["district"].isin(axes["district"]) & moved["year"].isin(axes["year"])]
    difference = to_array(own, axes, "moved")
    residents = to_array(own, axes, "residents")[0]
    found = []
    for row in rows:
        g = counted.axes["grade"].index(row["grade"])
        taught = np.nansum(counted.pupils[-1, g], axis=1)
        at = [axes["age"].index(age) for age in ages_of(row)]
        there = residents[:, at].sum(axis=1)
        if is_entry(row) or not at[0]:
            continue
        below = [i - 1 for i in at]
        change = (difference[1:][:, :, at] - difference[:-1][:, :, below]).sum(axis=2)
        part = np.divide(taught, there, out=np.zeros_like(there), where=there > 0)
        amount = np.where((taught > 0) & (change != 0), change * part, np.nan)
        found.append(Total([g], amount, "migration", str(row["grade"])))
    return found
