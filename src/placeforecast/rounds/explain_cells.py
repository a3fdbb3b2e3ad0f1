"""Many figures explained at once: the runs that they have in common are made once."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from placeforecast.rounds.explain import (
    assumed_of,
    balance_terms,
    demand_term,
    figure_of,
    leaf_demand,
)
from placeforecast.rounds.explained import Asked, as_table, changed_system
from placeforecast.rounds.explained_places import runs_of_demand, runs_of_places
from placeforecast.rounds.explained_pupils import runs_of_pupils
from placeforecast.tables.problems import AssumptionWarning
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from placeforecast.chain.record import Forecast
    from placeforecast.rounds.explained_pupils import Runs

RESULTS = ("children", "pupils", "demand", "places", "balance")
"""Tables of a forecast that an explanation looks at."""
Cell = tuple[str, str, int]


def explain_cells(
    forecast: Forecast, cells: Iterable[Cell], *, plan_case: str = "planned"
) -> dict[Cell, tuple[str, pd.DataFrame]]:
    """Explain the balance of several districts, stages and years, as `explain` does one by one.

    Parameters
    ----------
    forecast : Forecast
        Its first scenario is explained.
    cells : iterable of (district, stage, year)
        Districts with data of their own, no parents.
    plan_case : str
        Which projects count.

    Returns
    -------
    dict of (str, DataFrame [term, value, unit, formula, table, rows])
        By cell the ledger, and the terms.

    Raises
    ------
    InputError
        As `explain`.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.rounds.explain_cells import explain_cells
    >>> result = pf.forecast(pf.load_example("city"), horizon=1)
    >>> found = explain_cells(result, [("D01-U", "junior", 2026)])
    >>> ledger, terms = found["D01-U", "junior", 2026]
    >>> terms.equals(pf.explain(result, "D01-U", "junior", 2026))
    True
    """
    wanted = list(dict.fromkeys(cells))
    if not wanted:
        return {}
    scenario = str(forecast.stages["scenario"].iloc[0])
    with warnings.catch_warnings():
        # What is odd about the assumptions was said when the forecast was made.
        warnings.simplefilter("ignore", AssumptionWarning)
        assumptions = assumed_of(forecast, scenario)
        system, changes = changed_system(forecast, assumptions)
        stages = tuple(dict.fromkeys(system["stage"].tolist()))
        last = max(year for _, _, year in wanted)
        whole = Asked(
            forecast, assumptions, system, changes, scenario, "all", plan_case, stages, last
        )
        pupils = runs_of_pupils(whole)
        made: dict[tuple[int, str], tuple[Runs, Runs]] = {}
        near = {d: _near(forecast, d) for d in dict.fromkeys(d for d, _, _ in wanted)}
        found = {}
        for cell in wanted:
            ledger = str(figure_of(forecast, (scenario, *cell), None)["ledger"])
            if (cell[2], ledger) not in made:
                asked = replace(whole, year=cell[2], ledger=ledger)
                places = {} if forecast.balance is None else runs_of_places(asked)
                made[cell[2], ledger] = (runs_of_demand(asked), places)
            own = replace(whole, year=cell[2], ledger=ledger, forecast=near[cell[0]])
            found[cell] = (ledger, _explained(own, cell, pupils, *made[cell[2], ledger]))
        return found


def _near(forecast: Forecast, district: str) -> Forecast:
    """Return a forecast whose tables hold one district only: what is asked of them is quicker."""
    named = {name: getattr(forecast, name) for name in (*RESULTS, "stages")}
    own = {n: t[t["district"] == district] for n, t in named.items() if t is not None}
    return replace(forecast, **own)


def _explained(asked: Asked, cell: Cell, pupils: Runs, demand: Runs, places: Runs) -> pd.DataFrame:
    """Explain one cell from the runs of all districts and stages."""
    district, stage, year = cell
    asked = replace(asked, stages=combined_stages().get(stage, (stage,)))
    # The launch was counted: it comes from no run.
    launched = year == asked.forecast.launch_year
    grown = {n: t[t["district"] == district] for n, t in pupils.items() if not launched}
    needed = {
        n: t[(t.index.get_level_values("district") == district) & t["stage"].isin(asked.stages)]
        for n, t in demand.items()
    }
    standing = {n: t[t["district"] == district] for n, t in places.items()}
    terms = leaf_demand(asked, district, grown, needed)
    figure = figure_of(asked.forecast, (asked.scenario, *cell), asked.ledger)
    total = demand_term(terms, float(figure["demand"]), f"{district} {stage} {year}")
    ends = balance_terms(asked, district, stage, [district], total.value, standing)
    return as_table([*terms, total, *ends])
