"""New housing: pupils of completions that the ratios do not hold already."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.notes import listed
from placeforecast.tables.check import check
from placeforecast.tables.doors import look_up, to_array, to_table
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.tables.doors import Array
    from placeforecast.tables.records import Assumptions

WINDOW = 5
"""School years over which the level of completions inside the ratios is taken."""
HOUSES = ["district", "dwelling_type"]


def housing_levels(
    housing: pd.DataFrame, launch_year: int, *, window: int = WINDOW
) -> pd.DataFrame:
    """Return the completions that the ratios hold already, and those above them.

    Ratios of progression and intake were learnt while families moved into about as many new
    dwellings each year; only completions above that level bring pupils who are not counted yet.
    The level is the mean number of dwellings completed per year over the `window` school years up
    to and including the launch. A year above the level is not set off against one below it.

    Parameters
    ----------
    housing : DataFrame [estate, district, year, dwelling_type, dwellings]
        Completions; a year without any is written as 0.
    launch_year : int
        Last year of enrolment.
    window : int
        Number of school years.

    Returns
    -------
    DataFrame [district, dwelling_type, level, completions, above]
        Dwellings: the level per year; and the totals after the launch, all of them and those above
        the level. Districts with completions after the launch, or with every year of the window.

    Raises
    ------
    InputError
        For a district with completions after the launch of which a year of the window is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.housing import housing_levels
    >>> housing = pd.DataFrame({"estate": "E", "district": "A", "year": [2024, 2025, 2026],
    ...                         "dwelling_type": "flat", "dwellings": [100, 300, 1000]})
    >>> housing_levels(housing, 2025, window=2)
      district dwelling_type  level  completions  above
    0        A          flat  200.0       1000.0  800.0
    """
    axes, dwellings = _completed(check(housing, "housing"), launch_year)
    level = _levels(axes, dwellings, launch_year, window)
    later = dwellings[:, :, [year > launch_year for year in axes["year"]]]
    above = _above(later, level).sum(axis=2)
    known = {"district": axes["district"], "dwelling_type": axes["dwelling_type"]}
    there = ~np.isnan(level) & ((level > 0) | (later.sum(axis=2) > 0))
    table = to_table(level, known, "level", where=there)
    for name, figures in (("completions", later.sum(axis=2)), ("above", above)):
        table[name] = look_up(figures, known, table)
    return table


def _completed(housing: pd.DataFrame, launch_year: int) -> tuple[dict[str, list[Any]], Array]:
    """Add completions up over estates [district, dwelling_type, year].

    Up to the launch a district and year without any row is not known to have none: NaN. After it
    what is not planned is not built.
    """
    axes: dict[str, list[Any]] = {key: sorted(set(housing[key])) for key in (*HOUSES, "year")}
    dwellings = np.zeros([len(labels) for labels in axes.values()])
    at = tuple(pd.Index(labels).get_indexer(pd.Index(housing[k])) for k, labels in axes.items())
    np.add.at(dwellings, at, housing["dwellings"].to_numpy(dtype=float))
    known = np.zeros_like(dwellings, dtype=bool)
    known[at[0], :, at[2]] = True
    known[:, :, [year > launch_year for year in axes["year"]]] = True
    return axes, np.where(known, dwellings, np.nan)


def _levels(
    axes: Mapping[str, list[Any]], dwellings: Array, launch_year: int, window: int
) -> Array:
    """Return the level [district, dwelling_type]; NaN where no row says, and none is needed."""
    if window < 1:
        raise ValueError(f"window must be 1 year or more, not {window}")
    years = axes["year"]
    wanted = range(launch_year - window + 1, launch_year + 1)
    past = np.full((*dwellings.shape[:2], window), np.nan)
    for i, year in enumerate(wanted):
        if year in years:
            past[:, :, i] = dwellings[:, :, years.index(year)]
    builds = (dwellings[:, :, [y > launch_year for y in years]] > 0).any(axis=(1, 2))
    problems = []
    for d in np.flatnonzero(builds & np.isnan(past).any(axis=(1, 2))):
        missing = [str(y) for i, y in enumerate(wanted) if np.isnan(past[d, :, i]).any()]
        before = [y for i, y in enumerate(years) if y <= launch_year and dwellings[d, 0, i] >= 0]
        what = f"years {', '.join(missing)}" if before else "any year up to the launch"
        rule = f"lacks the completions of {axes['district'][d]} in {what}"
        remedy = (
            f"Give the completions of {wanted[0]}-{launch_year}; write 0 for years without. "
            "Without them nobody knows how many new dwellings the ratios hold already."
        )
        problems.append(Problem(rule, remedy, file="housing", column="dwellings"))
    refuse(problems)
    level: Array = past.mean(axis=2)
    return level


def _above(later: Array, level: Array) -> Array:
    """Return the dwellings above the level, year by year; 0 where nothing is completed."""
    extra: Array = np.where(later > 0, np.maximum(later - level[:, :, np.newaxis], 0.0), 0.0)
    return extra


def housing_pupils(
    housing: pd.DataFrame,
    yields: pd.DataFrame,
    launch_year: int,
    years: Sequence[int],
    *,
    window: int = WINDOW,
) -> pd.DataFrame:
    """Return the pupils of completions above the level that the ratios hold already.

    Pupils of year t are the sum over the completion years c after the launch and up to t of
    (dwellings completed in c - level, if positive) x pupils per dwelling t - c years after
    completion. See `housing_levels` for the level.

    Parameters
    ----------
    housing : DataFrame [estate, district, year, dwelling_type, dwellings]
        Completions; a year without any is written as 0.
    yields : DataFrame [dwelling_type, years_since_completion, stage, pupils_per_dwelling]
        A stage that a type has no row of takes no pupils from it.
    launch_year : int
        Last year of enrolment.
    years : sequence of int
        School years to return.
    window : int
        Number of school years that the level is taken over.

    Returns
    -------
    DataFrame [district, year, stage, pupils]
        Pupils who come on top of the forecast; districts with completions after the launch.

    Raises
    ------
    InputError
        For a level that is not known, or a yield that is missing.

    Warns
    -----
    AssumptionWarning
        Where fewer dwellings are planned per year than the ratios hold: nothing is taken off.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.housing import housing_pupils
    >>> housing = pd.DataFrame({"estate": "E", "district": "A", "year": [2024, 2025, 2026],
    ...                         "dwelling_type": "flat", "dwellings": [100, 300, 1000]})
    >>> yields = pd.DataFrame({"dwelling_type": "flat", "years_since_completion": [0, 1],
    ...                        "stage": "primary", "pupils_per_dwelling": [0.05, 0.10]})
    >>> housing_pupils(housing, yields, 2025, [2026, 2027], window=2)
      district  year    stage  pupils
    0        A  2026  primary    40.0
    1        A  2027  primary    80.0
    """
    yields = check(yields, "yields")
    axes, dwellings = _completed(check(housing, "housing"), launch_year)
    level = _levels(axes, dwellings, launch_year, window)
    _warn_below(axes, dwellings, level, launch_year)
    last = max(years, default=launch_year)
    after = [i for i, year in enumerate(axes["year"]) if launch_year < year <= last]
    later = dwellings[:, :, after]
    builds = later.sum(axis=2) > 0
    completed = [axes["year"][i] for i in after]
    reach = {
        axes["dwelling_type"][i]: last - completed[int(np.argmax((later[:, i] > 0).any(axis=0)))]
        for i in np.flatnonzero(builds.any(axis=0))
    }
    stages = _stages_of(yields, reach)
    rates = _yields(yields, reach, stages)
    extra = _above(later, level)
    pupils = np.zeros((len(axes["district"]), len(years), len(stages)))
    for name, rate in rates.items():
        own = extra[:, axes["dwelling_type"].index(name)]
        for c, completion in enumerate(completed):
            for t, year in enumerate(years):
                if 0 <= year - completion < len(rate):
                    pupils[:, t] += own[:, c, np.newaxis] * rate[year - completion]
    named = {"district": axes["district"], "year": list(years), "stage": stages}
    where = np.broadcast_to(builds.any(axis=1)[:, np.newaxis, np.newaxis], pupils.shape)
    return to_table(pupils, named, "pupils", where=where)


def _warn_below(
    axes: Mapping[str, list[Any]], dwellings: Array, level: Array, launch_year: int
) -> None:
    """Say where fewer dwellings are planned than the ratios hold."""
    ahead = [year > launch_year for year in axes["year"]]
    if not any(ahead):
        return
    last = max(axes["year"])
    planned = dwellings[:, :, ahead].sum(axis=2) / (last - launch_year)
    cells = [
        f"{axes['district'][d]} {axes['dwelling_type'][i]} {planned[d, i]:g} "
        f"(level {level[d, i]:g})"
        for d, i in np.argwhere(planned < level)
    ]
    if cells:
        text = (
            f"housing: fewer dwellings a year in {launch_year + 1}-{last} than the ratios hold: "
            f"{listed(cells)}. Nothing is taken off, so these districts may get fewer pupils than "
            "forecast."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=3)


def _stages_of(yields: pd.DataFrame, reach: Mapping[str, int]) -> list[str]:
    known = set(yields["dwelling_type"])
    refuse(
        [
            Problem(
                rule=f"has no yields of dwelling_type {name}, which is completed after the launch",
                remedy=f"Add them for 0-{last} years since completion. {suggest(name, known)}",
                file="yields",
                column="dwelling_type",
            )
            for name, last in reach.items()
            if name not in known
        ]
    )
    return sorted(set(yields.loc[yields["dwelling_type"].isin(list(reach)), "stage"]))


def _yields(
    yields: pd.DataFrame, reach: Mapping[str, int], stages: list[str]
) -> Mapping[str, Array]:
    """Return the yields of each type [years since completion, stage]."""
    rates: dict[str, Array] = {}
    problems = []
    for name, last in reach.items():
        rows = yields[
            (yields["dwelling_type"] == name) & (yields["years_since_completion"] <= last)
        ]
        own = yields.loc[yields["dwelling_type"] == name, "stage"]
        axes: dict[str, list[Any]] = {
            "years_since_completion": list(range(last + 1)),
            "stage": stages,
        }
        rate = to_array(rows, axes, "pupils_per_dwelling", name="yields", holes=True)
        has_stage = np.isin(stages, own)
        lacking = np.argwhere(np.isnan(rate) & has_stage)
        if len(lacking):
            age, s = (int(i) for i in lacking[0])
            rule = (
                f"lacks {len(lacking)} yields of dwelling_type {name}, first: {stages[s]}, "
                f"years_since_completion {age}"
            )
            remedy = f"Give years 0-{last} of each stage; what is nothing is written as 0."
            problems.append(Problem(rule, remedy, file="yields", column="pupils_per_dwelling"))
        rates[name] = np.where(has_stage, rate, 0.0)
    refuse(problems)
    return rates


def with_housing(
    pupils: pd.DataFrame,
    assumptions: Assumptions,
    launch_year: int,
    *,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Add the pupils of new housing to a forecast.

    The pupils of a stage are spread over its grades and classes of residence in proportion to the
    pupils forecast there. Yields say how many live in a dwelling so many years after completion, so
    they are added after the cohorts have moved, and do not move up themselves.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, residence, pupils, share_born]
        From `project_enrolment`.
    assumptions : Assumptions
        `housing` and `yields`; without both nothing is added.
    launch_year : int
        Last year of enrolment.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame
        Rows and columns as `pupils`.

    Raises
    ------
    InputError
        If one of the two tables is missing, or a stage of the yields has no pupils to spread over;
        and as `housing_pupils`.

    Warns
    -----
    AssumptionWarning
        As `housing_pupils`.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.enrolment.housing import with_housing
    >>> housing = pd.DataFrame({"estate": "E", "district": "A", "year": range(2021, 2027),
    ...                         "dwelling_type": "flat", "dwellings": [0, 0, 0, 0, 0, 400]})
    >>> yields = pd.DataFrame({"dwelling_type": "flat", "years_since_completion": [0],
    ...                        "stage": "primary", "pupils_per_dwelling": 0.05})
    >>> pupils = pd.DataFrame({"district": "A", "year": 2026, "grade": ["P1", "P2"],
    ...                        "pupils": [60.0, 40.0]})
    >>> given = pf.Assumptions(housing=housing, yields=yields)
    >>> with_housing(pupils, given, 2025).pupils.round(6).tolist()
    [72.0, 48.0]
    """
    housing, yields = assumptions.housing, assumptions.yields
    if housing is None and yields is None:
        return pupils
    if housing is None:
        rule, remedy = "is missing beside yields", "Add housing, or leave out yields."
        refuse([Problem(rule, remedy, file="housing")])
        raise AssertionError
    if yields is None:
        text = "housing without yields: the norms of estates are worked out, no pupils are added"
        warnings.warn(AssumptionWarning(text), stacklevel=3)
        return pupils
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    years = [int(year) for year in sorted(set(pupils["year"]))]
    extra = housing_pupils(housing, yields, launch_year, years)
    extra = extra[extra["pupils"] > 0]
    stage = pupils["grade"].map(dict(zip(system["grade"], system["stage"], strict=True)))
    cells = pd.MultiIndex.from_arrays([pupils["district"], pupils["year"], stage])
    reached = pd.MultiIndex.from_frame(extra[["district", "year", "stage"]])
    at = reached.get_indexer(cells)
    counted = pupils["pupils"].to_numpy(dtype=float)
    total = np.bincount(at[at >= 0], weights=counted[at >= 0], minlength=len(reached))
    refuse(_nobody(extra[total <= 0]))
    factor = np.append(1 + extra["pupils"].to_numpy(dtype=float) / total, 1.0)
    return pupils.assign(pupils=counted * factor[at])


def _nobody(extra: pd.DataFrame) -> list[Problem]:
    """Name the stages for which a district has housing pupils but no pupils to spread over."""
    return [
        Problem(
            rule=f"brings pupils of stage {stage} to {district} in {rows['year'].min()}, where the "
            "forecast has none to spread them over",
            remedy="Add enrolment of the stage, or leave it out of the yields.",
            file="yields",
            column="stage",
            value=str(stage),
        )
        for (district, stage), rows in extra.groupby(["district", "stage"], sort=True)
    ]
