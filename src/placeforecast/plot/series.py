"""Pupils of each stage over the years, and where they crest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.plot.areas import areas_of
from placeforecast.tables.grades import resolve_grades, stages_in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.chain.record import Forecast

PLATEAU = 0.95
"""Years next to a peak with at least this share of it belong to its plateau."""


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
    >>> from placeforecast.plot.series import stage_pupils
    >>> pupils = stage_pupils(pf.forecast(pf.load_example("city"), horizon=1), "D01")
    >>> pupils.query("stage == 'junior'").tail(2)[["year", "observed"]].to_dict("list")
    {'year': [2025, 2026], 'observed': [True, False]}
    """
    own = areas_of(forecast).below(district)
    system = resolve_grades(forecast.inputs.grades)
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    known = _by_cell(forecast.inputs.enrolment, own)
    coming = _by_cell(forecast.pupils, own)
    parts = []
    for stage in stages_in_order(system):
        cells = [cell for cell in coming.index if stage_of[cell[1]] == stage]
        if not cells:
            continue
        past = known.reindex(index=cells).dropna(axis="columns").sum()
        past = past[[year for year in past.index if year < forecast.launch_year]]
        ahead = coming.loc[cells].sum()
        pupils = pd.concat([past, ahead])
        frame = pd.DataFrame({"year": pupils.index.astype(int), "pupils": pupils.to_numpy()})
        frame["observed"] = frame["year"] <= forecast.launch_year
        parts.append(frame.assign(stage=stage))
    table = pd.concat(parts, ignore_index=True)
    return table[["stage", "year", "pupils", "observed"]]


def _by_cell(table: pd.DataFrame | None, districts: Sequence[str]) -> pd.DataFrame:
    """Return pupils by district and grade (rows) and year (columns), over sector and residence."""
    assert table is not None  # enrolment is required of every region
    own = table[table["district"].isin(districts)]
    keys = ["district", "grade"]
    summed = own.groupby([*keys, "year"], as_index=False)["pupils"].sum(min_count=1)
    wide: pd.DataFrame = summed.pivot_table(values="pupils", index=keys, columns="year")
    return wide


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
    >>> from placeforecast.plot.series import local_peaks
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
        for at, edge in _crests([round(value) for value in pupils]):
            first = last = at
            low, high = PLATEAU * pupils[at], pupils[at] + 1  # beyond is another, higher crest
            while first > 0 and low <= pupils[first - 1] < high:
                first -= 1
            while last < len(pupils) - 1 and low <= pupils[last + 1] < high:
                last += 1
            rows.append((stage, years[at], pupils[at], years[first], years[last], edge))
    return pd.DataFrame(rows, columns=columns)


def _crests(values: Sequence[int]) -> list[tuple[int, str]]:
    """Return where whole numbers are higher than before and after; a level run counts once."""
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
            edge = "first" if start == 0 else "last" if end == len(values) - 1 else ""
            found.append((start, edge))
        start = end + 1
    return found
