"""The places that an estate must provide by the planning norm, and what it reserves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.standards import standard
from placeforecast.tables.check import check
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

ESTATE = ["estate", "district"]
RATIOS = ("plot_ratio", "plot_ratio_before")
PER_1000, PER_DWELLING = "places_per_1000", "persons_per_dwelling"


def estate_places(housing: pd.DataFrame, standards: pd.DataFrame | None) -> pd.DataFrame:
    """Return the places that each estate must provide by the planning norm.

    Required places are residents x places per 1,000 / 1,000, and residents are dwellings x persons
    per dwelling. Where the plot ratio was raised they grow with the population, floor area being
    taken as proportional to people; dwellings are then those first approved. This is the duty of
    the estate, not a forecast: for that, see `placeforecast.enrolment.housing`.

    Parameters
    ----------
    housing : DataFrame [estate, district, year, dwelling_type, dwellings, plot_ratio, \
plot_ratio_before]
        Completions; the plot ratios may be left out.
    standards : DataFrame [district, year, stage, indicator, value] or None
        With `persons_per_dwelling`, and `places_per_1000` by stage.

    Returns
    -------
    DataFrame [estate, district, year, stage, dwellings, residents, uplift, required]
        Dwellings and persons of all types before the uplift, the ratio of the plot ratios (1
        without), and places; one row per estate, year and stage that has a norm.

    Raises
    ------
    InputError
        For a norm that is missing, named; or plot ratios that contradict each other.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.estates import estate_places
    >>> housing = pd.DataFrame({"estate": ["E"], "district": "A", "year": 2026,
    ...                         "dwelling_type": "flat", "dwellings": 1000,
    ...                         "plot_ratio": 3.0, "plot_ratio_before": 2.5})
    >>> norm = pd.DataFrame({"stage": [None, "primary"], "value": [3.0, 110.0],
    ...                      "indicator": ["persons_per_dwelling", "places_per_1000"]})
    >>> estate_places(housing, norm)[["stage", "residents", "uplift", "required"]]
         stage  residents  uplift  required
    0  primary     3000.0     1.2     396.0
    """
    rows = _with_uplift(check(housing, "housing"))
    stages = _norm_stages(standards)
    keys = [*ESTATE, "year"]
    built = rows.groupby([*keys, "uplift"], sort=False, as_index=False)[["dwellings"]].sum()
    cells = built.merge(pd.DataFrame({"stage": stages}), how="cross")
    norm = standard(standards, PER_1000, cells)
    cells = cells.assign(norm=norm)[norm.notna()].reset_index(drop=True)
    _refuse_without(built, cells)
    cells["persons"] = standard(standards, PER_DWELLING, cells)
    nobody = cells[cells["persons"].isna()]
    refuse([_no_norm(PER_DWELLING, row) for row in nobody.head(1).to_dict("records")])
    cells["residents"] = cells["dwellings"] * cells["persons"]
    cells["required"] = cells["residents"] * cells["norm"] / 1000 * cells["uplift"]
    return cells[[*keys, "stage", "dwellings", "residents", "uplift", "required"]]


def _with_uplift(housing: pd.DataFrame) -> pd.DataFrame:
    """Add the growth of the population by a raised plot ratio; 1 where none is given."""
    ratios = {name: housing.get(name, np.nan) for name in RATIOS}
    rows = housing.assign(**ratios)
    problems = []
    lacking = rows["plot_ratio"].isna() & rows["plot_ratio_before"].notna()
    for rule, wrong in (
        ("has a plot_ratio_before without a plot_ratio", lacking),
        ("has a plot ratio of 0", (rows[list(RATIOS)] == 0).any(axis=1)),
    ):
        for row in rows[wrong].to_dict("records"):
            named = f"estate {row['estate']} of {row['district']} in {row['year']}"
            remedy = "Give both plot ratios, or neither."
            problems.append(Problem(f"{named} {rule}", remedy, file="housing", column="plot_ratio"))
    refuse(problems)
    # An estate whose plot ratio did not change gives neither: the norm holds as it is.
    rows["uplift"] = (rows["plot_ratio"] / rows["plot_ratio_before"]).fillna(1.0)
    several = rows.groupby([*ESTATE, "year"], sort=False)["uplift"].nunique()
    for estate, district, year in several[several > 1].index:
        rule = f"estate {estate} of {district} in {year} has several plot ratios"
        remedy = "Write the same two in each row of an estate and year, or name two estates."
        problems.append(Problem(rule, remedy, file="housing", column="plot_ratio"))
    refuse(problems)
    return rows


def _norm_stages(standards: pd.DataFrame | None) -> list[str]:
    given = pd.DataFrame({"indicator": []}) if standards is None else standards
    rows = given[given["indicator"] == PER_1000]
    if rows.empty:
        remedy = "Give it by stage, with persons_per_dwelling."
        refuse([Problem(f"have no {PER_1000}", remedy, file="standards", column="indicator")])
    stage = rows["stage"] if "stage" in rows else pd.Series([None] * len(rows))
    if (stage.isna() | (stage == "")).any():
        remedy = "Name the stage in each row of it."
        rule = f"have a {PER_1000} without a stage"
        refuse([Problem(rule, remedy, file="standards", column="stage")])
    return [str(name) for name in dict.fromkeys(stage)]


def _refuse_without(built: pd.DataFrame, cells: pd.DataFrame) -> None:
    keys = [*ESTATE, "year"]
    normed = pd.MultiIndex.from_frame(cells[keys])
    without = built[~pd.MultiIndex.from_frame(built[keys]).isin(normed)]
    refuse([_no_norm(PER_1000, row) for row in without.head(1).to_dict("records")])


def _no_norm(indicator: str, row: Mapping[Any, Any]) -> Problem:
    stage = f", stage {row['stage']}" if "stage" in row else ""
    named = f"district {row['district']}, year {row['year']}{stage}"
    rule = f"have no {indicator} for {named}, in which estate {row['estate']} stands"
    return Problem(rule, "Add it.", file="standards", column="indicator")


def estate_gaps(housing: pd.DataFrame, standards: pd.DataFrame | None) -> pd.DataFrame:
    """Return how many places each estate lacks of what it must provide.

    An estate with a positive gap has reserved less than the planning norm asks for.

    Parameters
    ----------
    housing : DataFrame [estate, district, year, dwelling_type, dwellings, places_reserved, ...]
        `places_reserved` of all stages; nothing reserved is written as 0, blank is not known.
    standards : DataFrame or None
        As for `estate_places`.

    Returns
    -------
    DataFrame [estate, district, required, reserved, gap]
        Places over all stages, types and years; `gap` is required - reserved. `reserved` and `gap`
        are missing where a row with dwellings leaves `places_reserved` blank.

    Raises
    ------
    InputError
        As `estate_places`.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.estates import estate_gaps
    >>> housing = pd.DataFrame({"estate": ["E"], "district": "A", "year": 2026,
    ...                         "dwelling_type": "flat", "dwellings": 1000, "places_reserved": 270})
    >>> norm = pd.DataFrame({"stage": [None, "primary"], "value": [3.0, 110.0],
    ...                      "indicator": ["persons_per_dwelling", "places_per_1000"]})
    >>> estate_gaps(housing, norm)
      estate district  required  reserved   gap
    0      E        A     330.0     270.0  60.0
    """
    required = estate_places(housing, standards).groupby(ESTATE, sort=False)["required"].sum()
    rows = check(housing, "housing")
    rows = rows.assign(reserved=rows.get("places_reserved", np.nan))
    # A row without dwellings has nothing to reserve: a blank there is not a figure that is missing.
    rows.loc[rows["reserved"].isna() & (rows["dwellings"] == 0), "reserved"] = 0.0
    sums = rows.groupby(ESTATE, sort=False)["reserved"].agg(lambda cells: cells.sum(skipna=False))
    table = required.to_frame().join(sums).reset_index()
    table["gap"] = table["required"] - table["reserved"]
    return table
