"""One cohort followed from its births through every grade, and who enters each stage."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.review.areas import areas_of
from placeforecast.review.series import parts_of, pupils_by_cell, system_of
from placeforecast.tables.problems import AssumptionWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placeforecast.chain.record import Forecast

BIRTHS = "births"
"""What stands for the stage in the row of births."""
COHORT = [
    "scenario",
    "district",
    "birth_year",
    "year",
    "age",
    "grade",
    "stage",
    "pupils",
    "share_of_births",
    "share_of_entrants",
    "observed",
]
BORN = 1 - 1e-9
SAME = 1e-6
"""Pupils by which a cell may differ from the one that an interval was drawn for."""
Row = dict[str, Any]


def follow_cohort(forecast: Forecast, birth_year: int, district: str | None = None) -> pd.DataFrame:
    """Follow the children born in one school year through every grade that they pass.

    In the school year ``birth_year + age`` the cohort is in the grades of that age; those who
    repeat, skip or move are inside the counts. Grades of parallel stages (S1 and V1) are rows of
    their own. Counts are those of the enrolment before the launch and of `forecast.pupils` from it
    on, as pupils live and before transfers to other districts. A count that is missing leaves its
    row out, that of a parent as well; so does a grade that a change of structure leaves out.

    Parameters
    ----------
    forecast : Forecast
    birth_year : int
        School year of birth: who is of age 0 at its cut-off, and of age 6 six years later.
    district : str, optional
        A district of any level; every district of every level if left out.

    Returns
    -------
    DataFrame [scenario, district, birth_year, year, age, grade, stage, pupils, share_of_births, \
share_of_entrants, observed]
        In the first row of a district `stage` is ``"births"``, `grade` is blank and `pupils` are
        births, where they are known. `share_of_entrants` is of the pupils in the cohort's first
        grade of that stage; missing where these are not known, or where the districts of a parent
        begin the stage at different ages. `observed`: as counted; of births, wholly recorded.
        With trajectories `pupils_p10` and so on: of single districts, since the quantiles of a
        parent are not sums; missing where transfers move pupils of the cell.

    Raises
    ------
    ValueError
        If there is no such district, or nothing of the cohort in the forecast.

    Warns
    -----
    AssumptionWarning
        For a grade that is a total of several ages, which no cohort can be followed through.

    Examples
    --------
    >>> import placeforecast as pf
    >>> city = pf.forecast(pf.load_example("city"), horizon=3)
    >>> cohort = pf.follow_cohort(city, 2013, "CITY").round(2)
    >>> cohort.query("grade in ('', 'P1', 'J1', 'S1')")[["year", "grade", "share_of_births"]]
        year grade  share_of_births
    0   2013                   1.00
    4   2019    P1             1.03
    10  2025    J1             1.02
    13  2028    S1             0.68
    """
    parts = parts_of(forecast)
    areas = areas_of(next(iter(parts.values())))
    areas.below(district)  # refuses a stranger
    wanted = list(areas.leaves) if district is None else [district]
    _warn_of_totals(forecast)
    rows: list[Row] = []
    for scenario, part in parts.items():
        followed = _Followed(part, birth_year)
        for name in wanted:
            own = followed.rows(areas.leaves[name])
            rows += [{"scenario": scenario, "district": name, **row} for row in own]
    if not rows:
        raise ValueError(_nobody(next(iter(parts.values())), birth_year))
    table = pd.DataFrame(rows)
    extra = [column for column in table.columns if column not in COHORT]
    return table.assign(birth_year=birth_year)[[*COHORT, *extra]]


class _Followed:
    """A cohort in one scenario."""

    def __init__(self, forecast: Forecast, birth_year: int) -> None:
        wide, absent = pupils_by_cell(forecast)
        self.at = {cell: i for i, cell in enumerate(wide.index)}
        self.year_at = {int(year): i for i, year in enumerate(wide.columns)}
        self.pupils, self.absent = wide.to_numpy(dtype=float), absent.to_numpy(dtype=bool)
        system = system_of(forecast)
        yearly = system[system["duration"] == 1].sort_values("entry_age", kind="stable")
        self.grades = yearly.to_dict("records")
        self.birth_year, self.launch = birth_year, forecast.launch_year
        births = cohort_births(forecast)
        own = births[births["year"] == birth_year].set_index("district")
        self.births = own[["births", "share_born"]].to_dict("index")
        self.drawn = companions_of(forecast.demand, ["district", "grade", "year"])

    def rows(self, leaves: Sequence[str]) -> Iterator[Row]:
        """Yield births and grades of the districts together."""
        born = [self.births[leaf] for leaf in leaves if leaf in self.births]
        births = sum(row["births"] for row in born) if len(born) == len(leaves) else np.nan
        if not np.isnan(births):
            recorded = all(row["share_born"] >= BORN for row in born)
            yield self._row(self.birth_year, ("", BIRTHS), births, (1.0, np.nan), recorded)
        entrants: dict[str, float] = {}
        for grade in self.grades:
            year = self.birth_year + int(grade["entry_age"])
            cells = [self.at[c] for leaf in leaves if (c := (leaf, grade["grade"])) in self.at]
            if year not in self.year_at or not cells:
                continue
            column = self.year_at[year]
            taught = [cell for cell in cells if not self.absent[cell, column]]
            if not taught:
                continue
            pupils = float(self.pupils[taught, column].sum())
            entrants.setdefault(grade["stage"], pupils if taught == cells else np.nan)
            if np.isnan(pupils):
                continue
            shares = (_ratio(pupils, births), _ratio(pupils, entrants[grade["stage"]]))
            named = (str(grade["grade"]), str(grade["stage"]))
            row = self._row(year, named, pupils, shares, year <= self.launch)
            key = (leaves[0] if len(leaves) == 1 else None, row["grade"], year)
            yield row | companions_at(self.drawn, key, pupils, counted=row["observed"])

    def _row(
        self,
        year: int,
        named: tuple[str, str],
        pupils: float,
        shares: tuple[float, float],
        observed: bool,
    ) -> Row:
        return {
            "year": year,
            "age": year - self.birth_year,
            "grade": named[0],
            "stage": named[1],
            "pupils": float(pupils),
            "share_of_births": shares[0],
            "share_of_entrants": shares[1],
            "observed": observed,
        }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


def companions_of(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame | None:
    """Return the pupils of all sectors with their quantiles, by the keys; None without any."""
    names = [name for name in table.columns if name.startswith("pupils_p")]
    if not names:
        return None
    own = table[table["ledger"] == "all"]
    return own.set_index(list(keys))[["pupils", *names]]


def companions_at(
    drawn: pd.DataFrame | None, key: tuple[Any, ...], pupils: float, *, counted: bool
) -> Row:
    """Return the quantiles of one count of pupils; the count itself where it is no forecast.

    Missing where they were drawn for other pupils: those after transfers between districts.
    """
    if drawn is None:
        return {}
    names = [name for name in drawn.columns if name != "pupils"]
    if counted:
        return dict.fromkeys(names, pupils)
    if key not in drawn.index or abs(drawn.loc[key, "pupils"] - pupils) > SAME:
        return dict.fromkeys(names, np.nan)
    return {name: float(drawn.loc[key, name]) for name in names}


def _warn_of_totals(forecast: Forecast) -> None:
    system = system_of(forecast)
    totals = system[(system["duration"] > 1) & system["grade"].isin(forecast.pupils["grade"])]
    for row in totals.to_dict("records"):
        known = f"{row['grade']} of {row['stage']} is a total of {row['duration']} ages"
        text = f"{known}: no cohort can be followed through it, and it is left out"
        warnings.warn(AssumptionWarning(text), stacklevel=3)


def _nobody(forecast: Forecast, birth_year: int) -> str:
    system = system_of(forecast)
    ages = system.loc[system["duration"] == 1, "entry_age"]
    known = pupils_by_cell(forecast)[0].columns
    first, last = int(known.min() - ages.max()), int(known.max() - ages.min())
    births = cohort_births(forecast)["year"]
    first, last = min([first, *births]), max([last, *births])
    return f"nobody born in {birth_year} is in the forecast: its cohorts are {first} to {last}"


def cohort_births(forecast: Forecast) -> pd.DataFrame:
    """Return the births of each school year that a forecast knows or computes.

    Recorded births come first; cohorts of which no month is recorded come from the projection
    where it computes births, else from the births model.

    Parameters
    ----------
    forecast : Forecast
        Of one scenario.

    Returns
    -------
    DataFrame [district, year, births, share_born]
        Empty where there are neither births nor women.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.review.cohorts import cohort_births
    >>> births = cohort_births(pf.forecast(pf.load_example("city"), horizon=2)).query("year > 2024")
    >>> births.groupby("year")["share_born"].first().round(2).to_dict()
    {2025: 1.0, 2026: 0.33, 2027: 0.0}
    """
    given, computed = forecast.assumptions.births, forecast.births
    columns = ["district", "year", "births", "share_born"]
    parts = []
    if given is not None:
        if "share_born" not in given.columns:
            given = given.assign(share_born=1.0)
        parts.append(given if computed is None else given[given["share_born"] > 0])
    if computed is not None:
        both = computed.groupby(["district", "year"], as_index=False)["births"].sum()
        parts.append(both.assign(share_born=0.0))
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts)[columns].drop_duplicates(["district", "year"])
    return table.sort_values(["district", "year"], ignore_index=True)


def area_births(forecast: Forecast, district: str | None = None) -> pd.DataFrame:
    """Return the births of each school year in a district.

    Parameters
    ----------
    forecast : Forecast
        Of several scenarios the baseline.
    district : str, optional
        A district of any level; all of them together if left out.

    Returns
    -------
    DataFrame [year, births, observed]
        `observed`: wholly recorded. A year that one of the districts lacks is left out.

    Raises
    ------
    ValueError
        If there is no such district.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.review.cohorts import area_births
    >>> births = area_births(pf.forecast(pf.load_example("city"), horizon=1), "D01")
    >>> births.tail(2)[["year", "observed"]].to_dict("list")
    {'year': [2025, 2026], 'observed': [True, False]}
    """
    forecast = forecast.of()
    own = areas_of(forecast).below(district)
    births = cohort_births(forecast)
    births = births[births["district"].isin(own)]
    grouped = births.groupby("year", as_index=False)
    found = grouped.agg(
        births=("births", "sum"), least=("share_born", "min"), parts=("district", "nunique")
    )
    whole = found[found["parts"] == len(own)].reset_index(drop=True)
    return whole.assign(observed=whole["least"] >= BORN)[["year", "births", "observed"]]


def stage_entrants(forecast: Forecast, district: str | None = None) -> pd.DataFrame:
    """Return who enters each stage: the pupils of its first grade, year by year.

    Where a change of structure lets a stage begin a grade earlier, its first grade is another one
    from then on.

    Parameters
    ----------
    forecast : Forecast
        Of several scenarios the baseline.
    district : str, optional
        A district of any level; all of them together if left out.

    Returns
    -------
    DataFrame [stage, year, age, pupils, observed]
        `age` of the first grade; districts that begin a stage at different ages have a row each.
        A year in which the count of a district is missing is left out, and a stage that is known
        only as a total.

    Raises
    ------
    ValueError
        If there is no such district.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.review.cohorts import stage_entrants
    >>> entrants = stage_entrants(pf.forecast(pf.load_example("city"), horizon=2), "D01")
    >>> entrants.groupby("stage", sort=False)["age"].first().to_dict()
    {'kindergarten': 3, 'primary': 6, 'junior': 12, 'senior_general': 15, 'senior_vocational': 15}
    """
    forecast = forecast.of()
    own = areas_of(forecast).below(district)
    wide, absent = pupils_by_cell(forecast)
    system = system_of(forecast)
    yearly = system[system["duration"] == 1].sort_values("entry_age", kind="stable")
    rows: list[Row] = []
    for stage, grades in yearly.groupby("stage", sort=False):
        ages = dict(zip(grades["grade"], grades["entry_age"].astype(int), strict=True))
        for year in wide.columns:
            found = _entering((wide[year], absent[year]), own, ages)
            rows += [{"stage": stage, "year": int(year), "age": a, "pupils": n} for a, n in found]
    table = pd.DataFrame(rows, columns=["stage", "year", "age", "pupils"])
    return table.assign(observed=table["year"] <= forecast.launch_year)


def _entering(
    cells: tuple[pd.Series[float], pd.Series[bool]], own: Sequence[str], ages: Mapping[str, int]
) -> list[tuple[int, float]]:
    """Return the pupils of the first grades by age; nothing where one of them is missing."""
    pupils, absent = (series.to_dict() for series in cells)
    sums: dict[int, float] = {}
    for leaf in own:
        taught = [(leaf, g) for g in ages if (leaf, g) in pupils and not absent[leaf, g]]
        if taught:
            age = ages[taught[0][1]]
            sums[age] = sums.get(age, 0.0) + float(pupils[taught[0]])
    return [] if any(np.isnan(n) for n in sums.values()) else sorted(sums.items())
