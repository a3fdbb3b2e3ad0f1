"""Births of the coming year from this year's marriages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placeforecast.population.project import ONE_PLACE
from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.tables.doors import Array


def births_from_marriages(
    marriages: pd.DataFrame,
    births: pd.DataFrame,
    *,
    years: int = 3,
    ratio: float | None = None,
) -> pd.DataFrame:
    """Expect next year's births from this year's marriages, ``B(t+1) = r M(t)``.

    r is all births over all marriages of the year before, over the latest years for which a
    district has both. A rule of thumb for one year ahead where first births follow marriage; for
    China r = 1.29 was published in February 2025.

    Parameters
    ----------
    marriages : DataFrame [[district], year, marriages]
        Registered marriages, in years of the same frame as `births`.
    births : DataFrame [[district], year, births]
        Recorded births.
    years : int
        Latest years that the ratio rests on.
    ratio : float, optional
        A ratio from elsewhere in place of the fitted one.

    Returns
    -------
    DataFrame [[district], year, births]
        For every year that follows one of marriages.

    Raises
    ------
    InputError
        For a district in which no births follow a year of marriages.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.marriages import births_from_marriages
    >>> marriages = pd.DataFrame({"year": [2023, 2024], "marriages": [200.0, 150.0]})
    >>> births = pd.DataFrame({"year": [2024], "births": [260.0]})
    >>> births_from_marriages(marriages, births)
       year  births
    0  2024   260.0
    1  2025   195.0
    """
    single = "district" not in marriages.columns
    wed, born = (
        table if "district" in table.columns else table.assign(district=ONE_PLACE)
        for table in (marriages, births)
    )
    wed = wed.assign(year=wed["year"] + 1)
    axes = {"year": sorted(set(wed["year"])), "district": sorted(set(wed["district"]))}
    born = born[born["year"].isin(axes["year"]) & born["district"].isin(axes["district"])]
    before = to_array(wed, axes, "marriages", holes=True)
    found = np.full(len(axes["district"]), np.nan if ratio is None else ratio)
    if ratio is None:
        after = to_array(born, axes, "births", holes=True)
        found = _ratios(before, after, axes["district"], years)
    cells = {"district": axes["district"], "year": axes["year"]}
    expected = (found * before).T
    table = to_table(expected, cells, "births", where=~np.isnan(expected))
    return table.drop(columns="district") if single else table


def _ratios(before: Array, after: Array, names: list[str], years: int) -> Array:
    """Births over marriages [year, district] of the latest years that have both."""
    both = ~np.isnan(before) & ~np.isnan(after) & (before > 0)
    rank = np.cumsum(both[::-1], axis=0)[::-1]
    used = both & (rank <= years)
    remedy = "Give the births of a year that follows one of marriages, or a ratio."
    rule = "has no births of {} that follow a year of marriages"
    refuse(
        [
            Problem(file="births", rule=rule.format(name), remedy=remedy)
            for d, name in enumerate(names)
            if not used[:, d].any()
        ]
    )
    ratios: Array = np.where(used, after, 0.0).sum(axis=0) / np.where(used, before, 0.0).sum(axis=0)
    return ratios
