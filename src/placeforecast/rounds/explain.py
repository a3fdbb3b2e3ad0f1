"""Why a figure is what it is: the terms that lead to the balance of a district and stage."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from placeforecast.places.supply import CASES
from placeforecast.rounds.explained import Asked, Term, as_table, changed_system, refuse_apart
from placeforecast.rounds.explained_places import (
    demand_terms,
    place_terms,
    reported_demand,
    runs_of_demand,
    runs_of_places,
)
from placeforecast.rounds.explained_pupils import pupils_terms, runs_of_pupils
from placeforecast.scenarios.adjust import BASELINE, adjust
from placeforecast.scenarios.choose import changes_of
from placeforecast.tables.districts import members
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from placeforecast.chain.record import Forecast
    from placeforecast.tables.records import Assumptions


def explain(
    forecast: Forecast,
    district: str,
    stage: str,
    year: int,
    *,
    ledger: str | None = None,
    scenario: str | None = None,
    plan_case: str = "planned",
) -> pd.DataFrame:
    """Explain the balance of one district, stage and year, term by term.

    For each grade: the children, or the pupils of the grade below a year before, times the ratio
    are the pupils before policy; events, policy and housing add what the projection with the table
    has more than without it (each with those before it, so what they did to the cohort in earlier
    years is in it); transfers, the share of the ledger, changes of hands and the spare share lead
    to demand. Places are what stands, each project that has moved places by that year, and what a
    stage that is planned higher gains or loses by allotment. The balance is places less demand.

    For a parent there is one line of demand and one of places for each district below it.

    Every term is computed again by the steps of the library from the assumptions of the forecast,
    and the sums are held against its tables.

    Parameters
    ----------
    forecast : Forecast
    district : str
        A district or a parent.
    stage : str
        A stage or a combined one, such as ``compulsory``.
    year : int
        From the launch year on.
    ledger : str, optional
        By default ``public`` where the stage has it, else ``all``.
    scenario : str, optional
        By default the first of the forecast.
    plan_case : str
        Which projects count.

    Returns
    -------
    DataFrame [term, value, unit, formula, table, rows]
        `unit` is children, pupils, places, ratio or share. `table` is the table of the assumptions
        (`enrolment` and `population`: of the inputs) that a term rests on, `rows` the numbers of
        its rows from 1, as text. The last terms are ``demand``, ``places`` and ``balance``; without
        places ``demand`` alone.

    Raises
    ------
    InputError
        For a figure that is not in the forecast, or one that does not follow from its assumptions,
        because a table was changed after the forecast.
    ValueError
        For another plan case.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.rounds.explain import explain
    >>> result = pf.forecast(pf.load_example("city"), horizon=2)
    >>> terms = explain(result, "D01-U", "junior", 2027)
    >>> terms[terms.term.str.startswith("J1: ")].term.tolist()[:3]
    ['J1: pupils of P6 in 2026, before policy, events and housing', 'J1: progression ratio', \
'J1: pupils before policy']
    >>> terms.term.tail(1).tolist()
    ['balance']
    """
    if plan_case not in CASES:
        raise ValueError(f"there is no plan case {plan_case!r}: {', '.join(CASES)}")
    scenario = _known(forecast, "scenario", scenario or str(forecast.stages["scenario"].iloc[0]))
    with warnings.catch_warnings():
        # What is odd about the assumptions was said when the forecast was made.
        warnings.simplefilter("ignore", AssumptionWarning)
        assumptions = assumed_of(forecast, scenario)
        system, changes = changed_system(forecast, assumptions)
        figure = figure_of(forecast, (scenario, district, stage, year), ledger)
        asked = Asked(
            forecast,
            assumptions,
            system,
            changes,
            scenario,
            str(figure["ledger"]),
            plan_case,
            combined_stages().get(stage, (stage,)),
            year,
        )
        tree = forecast.inputs.districts
        below = [district] if tree is None else members(tree).get(district, [district])
        leaf = below == [district]
        if leaf:
            terms = leaf_demand(asked, district, runs_of_pupils(asked), runs_of_demand(asked))
        else:
            terms = _area_demand(asked, below)
        demand = demand_term(terms, float(figure["demand"]), f"{district} {stage} {year}")
        places = {} if forecast.balance is None else runs_of_places(asked)
        ends = balance_terms(asked, district, stage, below, demand.value, places)
        return as_table([*terms, demand, *ends])


def assumed_of(forecast: Forecast, scenario: str) -> Assumptions:
    """Return what a scenario of a forecast assumes."""
    table = forecast.scenarios
    named = table is not None and scenario in set(table["scenario"])
    if table is None or (scenario == BASELINE and not named):
        return forecast.assumptions
    return adjust(forecast.assumptions, changes_of(table, scenario))


def _known(forecast: Forecast, column: str, value: str) -> str:
    _refuse_unknown(column, value, forecast.stages[column].astype(str))
    return value


def _refuse_unknown(column: str, value: str, known: Iterable[str]) -> None:
    names = set(known)
    if value not in names:
        rule, remedy = "is not in the forecast", suggest(value, names)
        refuse([Problem(rule, remedy, column=column, value=value)])


def figure_of(
    forecast: Forecast, cell: tuple[str, str, str, int], ledger: str | None
) -> pd.Series[float]:
    """Return the demand of the cell in the forecast, of the ledger asked for or the default one."""
    rows = forecast.stages
    for column, value in zip(("scenario", "district", "stage", "year"), cell, strict=True):
        _refuse_unknown(column, str(value), rows[column].astype(str))
        rows = rows[rows[column] == value]
    there = list(rows["ledger"])
    chosen = ledger or ("public" if "public" in there else "all")
    _refuse_unknown("ledger", chosen, there)
    return rows[rows["ledger"] == chosen].iloc[0]


def leaf_demand(
    asked: Asked, district: str, pupils: dict[str, pd.DataFrame], demand: dict[str, pd.DataFrame]
) -> list[Term]:
    """Explain the demand of a district, grade by grade, from the runs of the two steps."""
    terms = []
    for grade in asked.system["grade"]:
        if (district, grade) in demand["whole"].index:
            own = pupils_terms(asked, pupils, district, grade)
            terms += [*own, *demand_terms(asked, demand, district, grade, own[-1].value)]
    return terms


def demand_term(terms: list[Term], reported: float, where: str) -> Term:
    """Return the sum of the demand of grades or districts, held against the forecast."""
    demand = sum(term.value for term in terms if term.term.endswith(": demand"))
    refuse_apart(demand, reported, where, "stages")
    return Term("demand", demand, "places", "sum of the demand above")


def _area_demand(asked: Asked, below: list[str]) -> list[Term]:
    """Return the demand of an area, one line for each district below it."""
    whole = runs_of_demand(asked)["whole"]
    terms = []
    for district in below:
        own = whole[whole.index.get_level_values("district") == district]
        for _, grade in own.index:
            computed = float(own.loc[(district, grade), "demand"])
            reported = reported_demand(asked, district, grade)
            refuse_apart(computed, reported, f"{district} {grade} {asked.year}", "demand")
        if len(own):
            formula = f"{own['pupils'].sum():.1f} pupils of ledger {asked.ledger}"
            terms.append(Term(f"{district}: demand", float(own["demand"].sum()), "places", formula))
    return terms


def balance_terms(
    asked: Asked,
    district: str,
    stage: str,
    below: list[str],
    demand: float,
    runs: dict[str, pd.DataFrame],
) -> list[Term]:
    """Explain the places of a district or area, and the balance; nothing where it is not known."""
    if asked.forecast.balance is None:
        return []
    table = asked.result("balance")
    keys = {
        "district": district,
        "stage": stage,
        "year": asked.year,
        "ledger": asked.ledger,
        "plan_case": asked.plan_case,
    }
    for column, value in keys.items():
        table = table[table[column] == value]
    if table.empty:
        return []
    terms = []
    for leaf in below:
        own = [t for each in asked.stages for t in place_terms(asked, runs, leaf, each)]
        terms += own if below == [district] else _one_line(leaf, own)
    places = sum(term.value for term in terms)
    reported = table.iloc[0]
    where = f"{district} {stage} {asked.year}"
    refuse_apart(places, float(reported["places"]), f"places of {where}", "balance")
    refuse_apart(places - demand, float(reported["balance"]), f"balance of {where}", "balance")
    return [
        *terms,
        Term("places", places, "places", f"sum of the places above, plan case {asked.plan_case}"),
        Term("balance", places - demand, "places", "places - demand"),
    ]


def _one_line(district: str, terms: list[Term]) -> list[Term]:
    """Return the places of a district below an area in one line; none where it has none."""
    value = sum(term.value for term in terms)
    standing = ", ".join(term.rows for term in terms if term.table == "places" and term.rows)
    if not standing and not value:
        return []
    parts = [f"{term.term} {term.value:.1f}" for term in terms]
    return [Term(f"{district}: places", value, "places", "; ".join(parts), "places", standing)]
