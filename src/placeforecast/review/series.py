"""Pupils of each stage over the years, and where they crest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.review.areas import areas_of
from placeforecast.tables.grades import stages_in_order
from placeforecast.tables.structure import absent_grades, structure_changes, with_structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.chain.record import Forecast

PLATEAU = 0.95
"""Years next to a peak with at least this share of it belong to its plateau."""


def parts_of(forecast: Forecast) -> dict[str, Forecast]:
    """Return a forecast by its scenarios; one alone as it is."""
    found = [str(name) for name in dict.fromkeys(forecast.pupils["scenario"])]
    if forecast.scenarios is None:
        return {found[0]: forecast}
    return {name: forecast.of(name) for name in found}


def system_of(forecast: Forecast) -> pd.DataFrame:
    """Return the school system with the grades that changes of structure bring."""
    return with_structure(forecast.inputs.grades, forecast.assumptions.events)


def pupils_by_cell(forecast: Forecast) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pupils of every cell over history and forecast, and where a grade is absent.

    Parameters
    ----------
    forecast : Forecast
        Of one scenario.

    Returns
    -------
    DataFrame, DataFrame
        Both with a row per (district, grade) of the forecast and a column per year. Pupils, over
        sectors and classes of residence: as counted before the launch, as forecast from it on; NaN
        where a count is missing. And whether a change of structure leaves the grade out.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.review.series import pupils_by_cell
    >>> pupils, absent = pupils_by_cell(pf.forecast(pf.load_example("city"), horizon=1))
    >>> int(pupils.loc[("D01-U", "P1"), 2013]), bool(absent.to_numpy().any())
    (12838, False)
    """
    changes = structure_changes(forecast.assumptions.events, system_of(forecast))
    moving = {name for change in changes for name in (change.grade, change.becomes)}
    known, coming = _by_cell(forecast.inputs.enrolment), _by_cell(forecast.pupils)
    past = known[[year for year in known.columns if int(year) < forecast.launch_year]]
    left = past.index[past.index.get_level_values("grade").isin(list(moving))]
    cells = coming.index.union(left)  # a grade that has moved before the launch as well
    wide = pd.concat([past.reindex(cells), coming.reindex(cells)], axis="columns")
    absent = pd.DataFrame(data=False, index=cells, columns=wide.columns)
    for district, grade in cells:
        if grade in moving:
            absent.loc[(district, grade)] = [
                grade in absent_grades(changes, district, int(year)) for year in wide.columns
            ]
    return wide.mask(absent), absent


def _by_cell(table: pd.DataFrame | None) -> pd.DataFrame:
    """Return pupils by district and grade (rows) and year (columns), over sector and residence."""
    assert table is not None  # enrolment is required of every region
    keys = ["district", "grade"]
    summed = table.groupby([*keys, "year"], as_index=False)["pupils"].sum(min_count=1)
    wide: pd.DataFrame = summed.pivot_table(values="pupils", index=keys, columns="year")
    return wide


def stage_pupils(forecast: Forecast, district: str | None = None) -> pd.DataFrame:
    """Return the pupils of each stage: as counted up to the launch, and forecast after it.

    A year in which a grade of a district is missing is left out, since its sum would be too low.

    Parameters
    ----------
    forecast : Forecast
    district : str, optional
        A district of any level; all of them together if left out.

    Returns
    -------
    DataFrame [stage, year, pupils, observed]
        Stages in the order of the school system.

    Raises
    ------
    ValueError
        If there is no such district.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.review.series import stage_pupils
    >>> pupils = stage_pupils(pf.forecast(pf.load_example("city"), horizon=1), "D01")
    >>> pupils.query("stage == 'junior'").tail(2)[["year", "observed"]].to_dict("list")
    {'year': [2025, 2026], 'observed': [True, False]}
    """
    forecast = forecast.of()  # of several scenarios the baseline
    own = areas_of(forecast).below(district)
    wide, absent = pupils_by_cell(forecast)
    system = system_of(forecast)
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    filled = wide.mask(absent, 0.0)
    stages = filled.index.get_level_values("grade").map(stage_of)
    here = filled.index.get_level_values("district").isin(own)
    parts = []
    for stage in stages_in_order(system):
        cells = filled[here & (stages == stage)]
        if cells.empty:
            continue
        pupils = cells.sum(skipna=False).dropna()
        frame = pd.DataFrame({"year": pupils.index.astype(int), "pupils": pupils.to_numpy()})
        frame["observed"] = frame["year"] <= forecast.launch_year
        parts.append(frame.assign(stage=stage))
    table = pd.concat(parts, ignore_index=True)
    return table[["stage", "year", "pupils", "observed"]]


def local_peaks(series: pd.DataFrame) -> pd.DataFrame:
    """Return every crest of each stage.

    Parameters
    ----------
    series : DataFrame [stage, year, pupils]
        From `stage_pupils`.

    Returns
    -------
    DataFrame [stage, year, pupils, plateau_from, plateau_to, edge]
        `edge` is ``"first"`` or ``"last"`` where the series begins or ends at its crest, so that
        the true one may lie outside; otherwise blank. The plateau is the run of years around it
        with at least 95 % of its pupils.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.review.series import local_peaks
    >>> series = pd.DataFrame({"stage": "junior", "year": range(2024, 2029),
    ...     "pupils": [80.0, 100.0, 97.0, 60.0, 70.0]})
    >>> local_peaks(series)[["year", "pupils", "plateau_to", "edge"]].to_dict("split")["data"]
    [[2025, 100.0, 2026, ''], [2028, 70.0, 2028, 'last']]
    """
    columns = ["stage", "year", "pupils", "plateau_from", "plateau_to", "edge"]
    rows: list[tuple[Any, ...]] = []
    for stage, own in series.groupby("stage", sort=False):
        ordered = own.sort_values("year")
        years, pupils = ordered["year"].tolist(), ordered["pupils"].tolist()
        for at, end in crests([round(value) for value in pupils]):
            edge = "first" if at == 0 else "last" if end == len(pupils) - 1 else ""
            first = last = at
            low, high = PLATEAU * pupils[at], pupils[at] + 1  # beyond is another, higher crest
            while first > 0 and low <= pupils[first - 1] < high:
                first -= 1
            while last < len(pupils) - 1 and low <= pupils[last + 1] < high:
                last += 1
            rows.append((stage, years[at], pupils[at], years[first], years[last], edge))
    return pd.DataFrame(rows, columns=columns)


def crests(values: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of whole numbers that are higher than before and after.

    Parameters
    ----------
    values : sequence of int
        One per year.

    Returns
    -------
    list of (int, int)
        First and last place of each level run; none where all are level.

    Examples
    --------
    >>> from placeforecast.review.series import crests
    >>> crests([1, 3, 3, 2, 4]), crests([2, 2])
    ([(1, 2), (4, 4)], [])
    """
    found = []
    start = 0
    while start < len(values):
        end = start
        while end + 1 < len(values) and values[end + 1] == values[start]:
            end += 1
        rises = start == 0 or values[start - 1] < values[start]
        falls = end == len(values) - 1 or values[end + 1] < values[start]
        level = start == 0 and end == len(values) - 1
        if rises and falls and not level:
            found.append((start, end))
        start = end + 1
    return found
