"""Every peak, trough and plateau of the wave of pupils, by district and stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.review.areas import areas_of
from placeforecast.review.cohorts import companions_at, companions_of
from placeforecast.review.series import crests, parts_of, pupils_by_cell, system_of
from placeforecast.tables.districts import NO_LEVEL, levels
from placeforecast.tables.grades import combined_in, stages_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placeforecast.chain.record import Forecast

LEAST_YEARS = 3
"""Years that make a plateau: two near one another are found on every gentle slope."""
PEAKS = [
    "scenario",
    "district",
    "level",
    "stage",
    "kind",
    "year_from",
    "year_to",
    "year",
    "pupils",
    "edge",
    "share_born",
]
Row = dict[str, Any]


def wave_peaks(
    forecast: Forecast, *, district: str | None = None, tolerance: float = 0.01
) -> pd.DataFrame:
    """Find every local peak, trough and plateau of the pupils of each stage.

    Over the years counted and forecast, to whole pupils: less than one pupil is no crest. A peak is
    higher than the years before and after it, a trough lower; where several years are level they
    are one. A plateau is a run of at least three years in which the fewest pupils are within
    `tolerance` of the most, with or without a peak inside; of runs that overlap the longest counts,
    of equal ones the higher and then the earlier.

    Parameters
    ----------
    forecast : Forecast
    district : str, optional
        A district of any level; every district of every level if left out.
    tolerance : float
        Share of its largest year by which a plateau may vary.

    Returns
    -------
    DataFrame [scenario, district, level, stage, kind, year_from, year_to, year, pupils, edge, \
share_born]
        Stages and combined stages, by `year_from`. `kind` is ``peak``, ``plateau`` or ``trough``;
        `year` the first one with `pupils`, the most of a peak or plateau, the fewest of a trough.
        `edge` is ``start``, ``end`` or ``both`` where it touches the first or last year known, or a
        year left out because a count is missing: the true one may lie outside. `share_born` is that
        of the stage in `year`, 1 for what is counted. With trajectories `pupils_p10` and so on in
        `year`; missing where transfers move pupils to other districts.

    Raises
    ------
    ValueError
        If there is no such district, or for a tolerance outside 0-1.

    Examples
    --------
    >>> import placeforecast as pf
    >>> peaks = pf.wave_peaks(pf.forecast(pf.load_example("city"), horizon=10), district="CITY")
    >>> peaks = peaks.query("stage == 'junior' and edge == ''")
    >>> peaks[["kind", "year_from", "year_to"]].to_dict("split")["data"]
    [['plateau', 2016, 2018], ['trough', 2017, 2017], ['peak', 2026, 2026],
     ['trough', 2028, 2028], ['peak', 2029, 2029]]
    """
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is a share from 0 to below 1, not {tolerance}")
    parts = parts_of(forecast)
    areas = areas_of(next(iter(parts.values())))
    areas.below(district)  # refuses a stranger
    wanted = list(areas.leaves) if district is None else [district]
    level = levels(forecast.inputs.districts)
    rows: list[Row] = []
    for scenario, part in parts.items():
        wide, absent = pupils_by_cell(part)
        told, filled, system = _Told(part), wide.mask(absent, 0.0), system_of(part)
        for name in wanted:
            own = {"scenario": scenario, "district": name, "level": level.get(name, NO_LEVEL)}
            for stage, years, pupils in _series(filled, system, areas.leaves[name]):
                found = turning_points(years, pupils, tolerance)
                rows += [
                    {**own, "stage": stage, **row, **told.of(name, stage, row)} for row in found
                ]
    table = pd.DataFrame(rows, columns=None if rows else PEAKS)
    return table[[*PEAKS, *[column for column in table.columns if column not in PEAKS]]]


def _series(
    filled: pd.DataFrame, system: pd.DataFrame, leaves: Sequence[str]
) -> Iterator[tuple[str, list[int], list[float]]]:
    """Yield the years and pupils of each stage and combined stage of some districts together."""
    own = filled[filled.index.get_level_values("district").isin(leaves)]
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    stage = own.index.get_level_values("grade").map(stage_of)
    there = [name for name in stages_in_order(system) if name in set(stage)]
    for name, members in {**{one: (one,) for one in there}, **combined_in(there)}.items():
        pupils = own[stage.isin(members)].sum(skipna=False).dropna()
        yield name, [int(year) for year in pupils.index], pupils.to_list()


def turning_points(years: Sequence[int], pupils: Sequence[float], tolerance: float) -> list[Row]:
    """Return the peaks, troughs and plateaus of one series, by their first year.

    Parameters
    ----------
    years : sequence of int
        In order; where one is left out the series ends and begins again.
    pupils : sequence of float
    tolerance : float
        See `wave_peaks`.

    Returns
    -------
    list of dict
        kind, year_from, year_to, year, pupils, edge.

    Examples
    --------
    >>> from placeforecast.review.wave import turning_points
    >>> found = turning_points(range(2024, 2029), [90, 100, 97, 60, 70], 0.1)
    >>> [(row["kind"], row["year_from"], row["year_to"], row["edge"]) for row in found]
    [('trough', 2024, 2024, 'start'), ('plateau', 2024, 2026, 'start'), ('peak', 2025, 2025, ''),
     ('trough', 2027, 2027, ''), ('peak', 2028, 2028, 'end')]
    """
    rows: list[Row] = []
    first = 0
    for end in range(1, len(years) + 1):
        if end < len(years) and years[end] == years[end - 1] + 1:
            continue
        whole = [round(value) for value in pupils[first:end]]
        runs = [("peak", run) for run in crests(whole)]
        runs += [("trough", run) for run in crests([-value for value in whole])]
        runs += [("plateau", run) for run in _plateaus(pupils[first:end], tolerance)]
        part = (years[first:end], pupils[first:end])
        rows += [_turning_point(kind, run, *part) for kind, run in runs]
        first = end
    return sorted(rows, key=lambda row: row["year_from"])


def _turning_point(
    kind: str, run: tuple[int, int], years: Sequence[int], pupils: Sequence[float]
) -> Row:
    inside = range(run[0], run[1] + 1)
    best = (min if kind == "trough" else max)(inside, key=lambda at: pupils[at])
    at_start, at_end = run[0] == 0, run[1] == len(years) - 1
    edge = "both" if at_start and at_end else "start" if at_start else "end" if at_end else ""
    return {
        "kind": kind,
        "year_from": int(years[run[0]]),
        "year_to": int(years[run[1]]),
        "year": int(years[best]),
        "pupils": float(pupils[best]),
        "edge": edge,
    }


def _plateaus(pupils: Sequence[float], tolerance: float) -> list[tuple[int, int]]:
    """Return the longest runs that vary little and do not overlap."""
    runs = []
    for start in range(len(pupils)):
        end = start
        while end + 1 < len(pupils) and _level(pupils[start : end + 2], tolerance):
            end += 1
        if end - start + 1 >= LEAST_YEARS:
            runs.append((start, end))
    runs.sort(key=lambda run: (run[0] - run[1], -max(pupils[run[0] : run[1] + 1]), run[0]))
    kept: list[tuple[int, int]] = []
    for start, end in runs:
        if all(end < first or last < start for first, last in kept):
            kept.append((start, end))
    return kept


def _level(pupils: Sequence[float], tolerance: float) -> bool:
    return max(pupils) > 0 and min(pupils) >= (1 - tolerance) * max(pupils)


class _Told:
    """How far the pupils of a stage are born, and their quantiles."""

    def __init__(self, forecast: Forecast) -> None:
        keys = ["district", "stage", "year"]
        stages = forecast.stages[forecast.stages["ledger"] == "all"]
        self.born: dict[Any, float] = stages.set_index(keys)["share_born"].to_dict()
        self.drawn = companions_of(forecast.stages, keys)
        self.launch = forecast.launch_year

    def of(self, district: str, stage: str, row: Row) -> Row:
        """Return what is told of a year of a stage."""
        counted = row["year"] <= self.launch
        key = (district, stage, row["year"])
        found: Row = {"share_born": 1.0 if counted else self.born.get(key, float("nan"))}
        return found | companions_at(self.drawn, key, row["pupils"], counted=counted)
