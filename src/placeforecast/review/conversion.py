"""Where places idle in one stage meet a shortage in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.standards import standard
from placeforecast.review.areas import areas_of
from placeforecast.review.series import parts_of
from placeforecast.review.verdict import SHORT
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placeforecast.chain.record import Forecast

CHILDCARE = "childcare"
"""A use of places of which no demand is forecast."""
SAME_DISTRICT, SAME_PARENT = "same_district", "same_parent"
CANDIDATES = [
    "scenario",
    "kind",
    "district",
    "to_district",
    "from_stage",
    "to_stage",
    "ledger",
    "year_from",
    "year_to",
    "years",
    "lasting",
    "year",
    "idle_from",
    "short_to",
    "places",
    "places_throughout",
    "least",
]
CLOSING = ["reason", "source", "confidence"]
Row = dict[str, Any]


def conversion_candidates(
    forecast: Forecast,
    *,
    case: str = "planned",
    ledger: str | None = None,
    least: float | None = None,
    pairs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Find stages with idle places in the years in which another stage is short of places.

    From the launch on, idle is `cell_surplus` and short `cell_shortfall` of the balance: grades are
    not netted. In each year ``min(idle, short)`` places could change stage; what is listed is the
    longest run of years in which that is at least one class of the receiving stage (of equal runs
    the one with more places). Candidates are looked for in single districts, since a parent adds up
    places that lie apart, and marked ``same_parent`` between two districts right below one parent.
    They are not an allotment: the same idle places may stand in several rows. Of a stage that is
    planned above the district the shortage is the district's part of it.

    Parameters
    ----------
    forecast : Forecast
    case : str
        Plan case of the balance.
    ledger : str, optional
        The same one on both sides; ``public`` where both stages have it, else ``all``, if left out.
    least : float, optional
        Places from which a year counts. Without it one class by the standard `class_size` of the
        receiving stage in the launch year, of childcare that of the stage given up; any place at
        all where there is no such standard.
    pairs : DataFrame [from_stage, to_stage, source, confidence], optional
        What may become what; the shipped table if left out.

    Returns
    -------
    DataFrame [scenario, kind, district, to_district, from_stage, to_stage, ledger, year_from, \
year_to, years, lasting, year, idle_from, short_to, places, places_throughout, least, reason, \
source, confidence]
        `kind` is ``same_district`` or ``same_parent``. `lasting`: the run goes on to the last year
        of the forecast, so that it may be longer than `years`. `idle_from`, `short_to` and
        ``places = min(idle_from, short_to)`` are those of `year`, the first with most places;
        `places_throughout` are there in every year of the run. Of childcare no demand is forecast:
        its row is what stands idle, `short_to` and places are blank. With trajectories
        `chance_idle` is the lowest chance in the run that the giving stage is not short on balance,
        `chance_short` the lowest one that a cell of the receiving stage is short.

    Raises
    ------
    InputError
        If the forecast has no balance.
    ValueError
        For a plan case or ledger that the balance does not have, or columns missing in `pairs`.

    Examples
    --------
    >>> import placeforecast as pf
    >>> found = pf.conversion_candidates(pf.forecast(pf.load_example("city"), horizon=5))
    >>> row = found.query("from_stage == 'compulsory' and district == 'D01-U'").iloc[0]
    >>> row.to_stage, row.to_district, int(row.year_from), int(row.year_to), bool(row.lasting)
    ('senior_general', 'D01-U', 2025, 2030, True)
    """
    balance = _balance(forecast, case, ledger)
    allowed = _pairs(pairs)
    standards, launch = forecast.assumptions.standards, forecast.launch_year
    sizes: dict[tuple[str, str, str], float] = {}
    rows: list[Row] = []
    for scenario, part in parts_of(forecast).items():
        own = balance[balance["scenario"] == scenario]
        used: dict[Any, pd.DataFrame] = dict(iter(own.groupby(["district", "stage", "ledger"])))
        for pair in allowed:
            for kind, giver, taker in _neighbours(part):
                found = _sides(used, pair, (giver, taker), ledger)
                if found is None:
                    continue
                key = (taker, pair["from_stage"], pair["to_stage"])
                if key not in sizes:
                    size = _a_class(standards, taker, pair, launch) if least is None else least
                    sizes[key] = size
                row = _candidate(*found, sizes[key])
                if row:
                    named = {"scenario": scenario, "kind": kind, "district": giver}
                    rows.append({**named, "to_district": taker, **pair, **row})
    table = pd.DataFrame(rows, columns=None if rows else [*CANDIDATES, *CLOSING])
    chances = [name for name in ("chance_idle", "chance_short") if name in table.columns]
    return table[[*CANDIDATES, *chances, *CLOSING]]


def _balance(forecast: Forecast, case: str, ledger: str | None) -> pd.DataFrame:
    """Return the rows of one plan case from the launch on."""
    balance = forecast.balance
    if balance is None:
        remedy = "Give the table places: without it nothing can be idle or short."
        refuse([Problem(file="places", rule="is missing", remedy=remedy)])
        raise AssertionError
    for column, value in (("plan_case", case), ("ledger", ledger)):
        known = [str(name) for name in dict.fromkeys(balance[column])]
        if value is not None and value not in known:
            remedy = suggest(value, known)
            raise ValueError(f"the balance has no {column} {value!r}. {remedy}")
    return balance[(balance["plan_case"] == case) & (balance["year"] >= forecast.launch_year)]


def _pairs(pairs: pd.DataFrame | None) -> list[dict[str, str]]:
    """Return what may become what, with its source."""
    columns = ["from_stage", "to_stage", "source", "confidence"]
    table = shipped("conversions") if pairs is None else pairs
    lacking = [name for name in columns if name not in table.columns]
    if lacking:
        raise ValueError(f"pairs has no column {', '.join(lacking)}")
    return [{str(k): str(v) for k, v in row.items()} for row in table[columns].to_dict("records")]


def _neighbours(forecast: Forecast) -> list[tuple[str, str, str]]:
    """Return the districts that may give places to one another: each itself, and siblings."""
    areas = areas_of(forecast)
    single = [name for name, own in areas.leaves.items() if own == (name,)]
    table = forecast.inputs.districts
    parent: dict[str, str] = {}
    if table is not None and "parent" in table.columns:
        filled = table.dropna(subset=["parent"])
        parent = dict(zip(filled["district"], filled["parent"], strict=True))
    found = [(SAME_DISTRICT, name, name) for name in single]
    return found + [
        (SAME_PARENT, one, other)
        for one in single
        for other in single
        if one != other and one in parent and parent[one] == parent.get(other)
    ]


Sides = tuple[str, pd.DataFrame, "pd.DataFrame | None"]
"""The ledger, the balance of the giving stage, and that of the receiving one."""


def _sides(
    used: Mapping[Any, pd.DataFrame],
    pair: Mapping[str, str],
    districts: tuple[str, str],
    ledger: str | None,
) -> Sides | None:
    """Return both sides of a pair in one ledger; None where one of them is not balanced."""
    giver, taker = districts
    for name in ("public", "all") if ledger is None else (ledger,):
        idle = used.get((giver, pair["from_stage"], name))
        if idle is None:
            continue
        if pair["to_stage"] == CHILDCARE:
            return (name, idle, None) if giver == taker else None
        short = used.get((taker, pair["to_stage"], name))
        if short is not None:
            return name, idle, short
    return None


def _a_class(
    standards: pd.DataFrame | None, district: str, pair: Mapping[str, str], launch: int
) -> float:
    """Return the places of one class; NaN where no standard says."""
    stage = pair["from_stage"] if pair["to_stage"] == CHILDCARE else pair["to_stage"]
    members = combined_stages().get(stage, (stage,))
    cells = pd.DataFrame({"district": district, "year": launch, "stage": list(members)})
    return float(standard(standards, "class_size", cells).max(skipna=False))


def _candidate(ledger: str, idle: pd.DataFrame, short: pd.DataFrame | None, least: float) -> Row:
    """Return the longest run of years in which places can change stage; nothing without one."""
    giving = idle.set_index("year").sort_index()
    taking = giving if short is None else short.set_index("year").sort_index()
    years = [int(year) for year in giving.index.intersection(taking.index)]
    offered = giving.loc[years, "cell_surplus"]
    wanted = offered if short is None else taking.loc[years, "cell_shortfall"]
    places = offered.where(offered < wanted, wanted)
    from_least = SHORT if np.isnan(least) else max(least, SHORT)
    run = _longest_run(years, [float(value) for value in places], from_least)
    if not run:
        return {}
    year = max(run, key=lambda one: float(places[one]))
    blank = short is None
    row: Row = {
        "ledger": ledger,
        "year_from": run[0],
        "year_to": run[-1],
        "years": len(run),
        "lasting": run[-1] == years[-1],
        "year": year,
        "idle_from": float(offered[year]),
        "short_to": np.nan if blank else float(wanted[year]),
        "places": np.nan if blank else float(places[year]),
        "places_throughout": np.nan if blank else float(places.loc[run].min()),
        "least": least,
        "reason": _reason(least, blank=blank),
    }
    if "chance_of_shortfall" in giving.columns:
        row["chance_idle"] = float(1 - giving.loc[run, "chance_of_shortfall"].max())
        row["chance_short"] = (
            np.nan if blank else float(taking.loc[run, "chance_of_cell_shortfall"].min())
        )
    return row


def _longest_run(years: Sequence[int], places: Sequence[float], least: float) -> list[int]:
    """Return the longest run of years with enough places; of equal ones that with more."""
    runs = list(_runs(years, places, least))
    of = dict(zip(years, places, strict=True))
    return max(runs, key=lambda run: (len(run), sum(of[year] for year in run)), default=[])


def _runs(years: Sequence[int], places: Sequence[float], least: float) -> Iterator[list[int]]:
    run: list[int] = []
    for year, count in zip(years, places, strict=True):
        if count < least or (run and year != run[-1] + 1):
            if run:
                yield run
            run = []
        if count >= least:
            run.append(year)
    if run:
        yield run


def _reason(least: float, *, blank: bool) -> str:
    bound = "any places" if np.isnan(least) else f"at least {least:g} places"
    if np.isnan(least):
        bound += " (no class size is given)"
    if blank:
        return f"{bound} idle; no demand for childcare is forecast"
    return f"{bound} idle in one stage and short in the other in each year; cells not netted"
