"""The one time frame: moving births and counts of people into the school year.

``year`` t is the school year that starts in calendar year t. Births of t are those of the twelve
months that end on the cut-off of t; people of t are those living on that day. Everything here
counts months; a month is written as year x 12 + month - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from placeforecast.tables.settings import Settings

MONTHS = 12


@dataclass(frozen=True)
class CohortBirths:
    """What is known of the births of each school-year cohort at one launch.

    Attributes
    ----------
    known : DataFrame [district, year, births, share_born, share_left]
        Births in the months that the known rows cover; the share of the twelve months they cover;
        and the share of a year's births expected in the others (the same unless births are
        seasonal). Only cohorts of which something is known or which follow the last known month.
    unknown_rows : DataFrame
        Rows of the table that are not yet published at the launch, as given.
    holes : DataFrame [district, year]
        Cohorts with a month missing between the first and the last known month.
    """

    known: pd.DataFrame
    unknown_rows: pd.DataFrame
    holes: pd.DataFrame


def _month_of(month_day: str) -> int:
    return int(month_day.split("-")[0])


def _periods(births: pd.DataFrame, births_end: str) -> pd.DataFrame:
    """Give each row its first and last month."""
    rows = births.copy()
    month = rows["month"] if "month" in rows else pd.Series(pd.NA, index=rows.index, dtype="Int64")
    end_of_year = rows["year"] * MONTHS + _month_of(births_end) - 1
    # A row without a month holds the twelve months up to the end of the year of births.
    rows["last"] = (rows["year"] * MONTHS + month - 1).fillna(end_of_year).astype("int64")
    rows["first"] = rows["last"] - np.where(month.isna(), MONTHS - 1, 0)
    rows["monthly"] = month.notna().to_numpy(dtype=bool)
    return rows


def _published(rows: pd.DataFrame, lag: int) -> pd.Series[Any]:
    last = rows["last"] + lag
    date = pd.to_datetime(
        pd.DataFrame({"year": last // MONTHS, "month": last % MONTHS + 1, "day": 1})
    ) + pd.offsets.MonthEnd(0)
    if "vintage" in rows:
        return date.where(rows["vintage"].isna(), np.maximum(date, rows["vintage"].fillna(date)))
    return date


def _latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the latest vintage of each period; a blank vintage is the first."""
    if "vintage" not in rows:
        return rows
    ordered = rows.sort_values("vintage", na_position="first", kind="stable")
    return ordered.drop_duplicates(["district", "first", "last"], keep="last").sort_index()


def _season(rows: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Share of a year's births in each calendar month; flat without a full year of months."""
    monthly = rows[rows["monthly"]]
    counts = monthly.groupby(["district", "year"])["births"].transform("size")
    full = monthly[counts == MONTHS]
    if full.empty or full["births"].sum() == 0:
        return np.full(MONTHS, 1 / MONTHS)
    sums = full.groupby(full["last"] % MONTHS)["births"].sum().sort_index()
    return (sums / sums.sum()).to_numpy(dtype=float)


def _spread(rows: pd.DataFrame, districts: list[str], months: range) -> Any:  # noqa: ANN401
    """Births by district and month; NaN where no row reaches."""
    season = _season(rows)
    table = np.full((len(districts), len(months)), np.nan)
    monthly = rows[rows["monthly"]]
    at = pd.Index(districts).get_indexer(pd.Index(monthly["district"]))
    table[at, (monthly["last"] - months.start).to_numpy()] = monthly["births"].to_numpy()
    problems = []
    for row in rows[~rows["monthly"]].itertuples():
        d = districts.index(str(row.district))
        span = slice(int(str(row.first)) - months.start, int(str(row.last)) - months.start + 1)
        cells = table[d, span]
        open_months = np.isnan(cells)
        rest = float(str(row.births)) - float(np.nansum(cells))
        if rest < 0 and open_months.any():
            rule = f"months of {row.district} add up to more than the {row.births:g} of {row.year}"
            problems.append(Problem(file="births", rule=rule, remedy="Correct one of the two."))
        weights = season[(np.arange(span.start, span.stop) + months.start) % MONTHS]
        if open_months.any():
            weights = weights[open_months]
            if weights.sum() == 0:
                weights = np.ones_like(weights)
            cells[open_months] = rest * weights / weights.sum()
    refuse(problems)
    return table


def births_by_school_year(
    births: pd.DataFrame, settings: Settings, launch_year: int
) -> CohortBirths:
    """Add births up to school-year cohorts, with what was known at a launch.

    Monthly rows are used where there are any. A row for twelve months is spread over those of its
    months that no monthly row gives: by the region's own seasonal shares where a full year of
    months is there, else evenly.

    Parameters
    ----------
    births : DataFrame [district, year, month, vintage, births]
        As published; `month` and `vintage` may be missing or blank.
    settings : Settings
        Cut-off, last day of a year of births, lag to publication and day of the launch.
    launch_year : int
        The launch.

    Returns
    -------
    CohortBirths

    Raises
    ------
    InputError
        If the months of a year add up to more than the year.
    """
    rows = _periods(births, settings.time.births_end)
    known_at = _published(rows, settings.time.births_lag)
    late = known_at > settings.as_of(launch_year)
    unknown = births[late.to_numpy()]
    rows = _latest(rows[~late])
    empty = pd.DataFrame(columns=["district", "year"])
    if rows.empty:
        return CohortBirths(
            empty.assign(births=0.0, share_born=0.0, share_left=0.0), unknown, empty
        )
    districts = sorted(set(births["district"]))
    cutoff = _month_of(settings.time.cutoff) - 1
    years = range(
        _cohort(int(rows["first"].min()), cutoff), _cohort(int(rows["last"].max()), cutoff) + 1
    )
    months = range((years[0] - 1) * MONTHS + cutoff + 1, years[-1] * MONTHS + cutoff + 1)
    table = _spread(rows, districts, months)
    season = np.tile(np.roll(_season(rows), -(cutoff + 1)), len(years))
    cells = (len(districts), len(years), MONTHS)
    known = ~np.isnan(table)
    last_known = months.start + int(np.flatnonzero(known.any(axis=0))[-1])
    ahead = np.arange(months.start, months.stop) > last_known
    # A hole is a missing month between a district's first known month and the region's last one.
    hole = ~known & (np.cumsum(known, axis=1) > 0) & ~ahead
    early = ~known & ~hole & ~ahead
    usable = ~(hole | early).reshape(cells).any(axis=2)
    axes = {"district": districts, "year": list(years)}
    frame = to_table(np.where(known, table, 0.0).reshape(cells).sum(axis=2), axes, "births")
    frame["share_born"] = known.reshape(cells).mean(axis=2).ravel()
    left = np.where(known, 0.0, np.broadcast_to(season, table.shape)).reshape(cells).sum(axis=2)
    frame["share_left"] = left.ravel()
    kept = frame[usable.ravel()].reset_index(drop=True)
    return CohortBirths(
        kept, unknown, frame.loc[hole.reshape(cells).any(axis=2).ravel(), ["district", "year"]]
    )


def _cohort(month: int, cutoff: int) -> int:
    """School year whose twelve months of birth hold a month."""
    return month // MONTHS + (month % MONTHS > cutoff)


def _position(month_day: str) -> float:
    month, day = (int(part) for part in month_day.split("-"))
    length = pd.Timestamp(year=2001, month=month, day=1).days_in_month
    return month - 1 + round(2 * min(day, length) / length) / 2


def _months_after_cutoff(date: str, cutoff: str) -> float:
    """Months from the nearest cut-off to the date, in halves; -6 < months <= 6."""
    after = (_position(date) - _position(cutoff)) % MONTHS
    return after - MONTHS if after > MONTHS / 2 else after


def population_on_cutoff(population: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Move a count of people to the cut-off of the nearest school year.

    Birthdays are taken as even over the year of age, and nobody dies or moves in between. From a
    day m months after the cut-off, people aged a on the cut-off are (12-m)/12 of those aged a and
    m/12 of those aged a+1; from a day m months before it, (12-m)/12 of those aged a and m/12 of
    those aged a-1, and the newborns of the months between are taken as a like share of age 0.
    The first year of age inside the open group is taken from a geometric fall by age.

    Parameters
    ----------
    population : DataFrame [district, year, sex, age, population]
        Single ages; `year` is the calendar year of the count.
    settings : Settings
        `population_date` and `cutoff`.

    Returns
    -------
    DataFrame [district, year, sex, age, population]
        `year` is the school year.

    Raises
    ------
    InputError
        For a gap in the ages of a district, year and sex.
    """
    date, cutoff = settings.time.population_date, settings.time.cutoff
    months = _months_after_cutoff(date, cutoff)
    # The nearest cut-off is in the year before for a day early in the calendar year.
    back = months >= 0 and _position(date) < _position(cutoff)
    ahead = months < 0 and _position(date) > _position(cutoff)
    shared: dict[str, list[Any]] = {
        "sex": sorted(set(population["sex"])),
        "age": list(range(int(population["age"].max()) + 1)),
    }
    if len(shared["age"]) < 2:
        remedy = "Give single ages from 0 to the open group."
        rule = "there is one age only"
        refuse([Problem(file="population", column="age", rule=rule, remedy=remedy)])
    parts = []
    for district, rows in population.groupby("district", sort=True):
        axes = {"district": [district], "year": sorted(set(rows["year"])), **shared}
        people = to_array(rows, axes, "population", name="population")
        axes["year"] = [year - back + ahead for year in axes["year"]]
        parts.append(to_table(_move_ages(people, months / MONTHS), axes, "population"))
    return pd.concat(parts, ignore_index=True)


def _move_ages(people: Any, share: float) -> Any:  # noqa: ANN401
    moved = people.copy()
    if share >= 0:
        first_open = _first_of_open_group(people)
        moved[..., :-1] = (1 - share) * people[..., :-1]
        moved[..., :-2] += share * people[..., 1:-1]
        moved[..., -2] += share * first_open
        moved[..., -1] = people[..., -1] - share * first_open
    else:
        moved[..., 1:-1] = (1 + share) * people[..., 1:-1] - share * people[..., :-2]
        moved[..., -1] = people[..., -1] - share * people[..., -2]
    return moved


def _first_of_open_group(people: Any) -> Any:  # noqa: ANN401
    """First year of age in the open group: P(A-1) s with s = P(A) / (P(A-1) + P(A))."""
    below, group = people[..., -2], people[..., -1]
    both = below + group
    return np.divide(below * group, both, out=np.zeros_like(both), where=both > 0)
