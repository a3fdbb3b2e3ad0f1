"""Demand and places of a district, term by term: ledger, spare share, plan, allotment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.places.allot import allot_places
from placeforecast.places.delivery import expected_steps
from placeforecast.places.demand import demand_places
from placeforecast.places.spread import spread_step
from placeforecast.places.steps import ANY_SECTOR, plan_rows, steps_after
from placeforecast.places.supply import RISK_ADJUSTED, STATUSES, schedule_places
from placeforecast.rates.standards import planning_areas, standard
from placeforecast.rounds.explained import EXACT, Term, fits, numbered, policy_rows, refuse_apart
from placeforecast.tables.plan import changes_hands
from placeforecast.tables.records import with_tables
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from placeforecast.places.steps import Step
    from placeforecast.rounds.explained import Asked

Runs = dict[str, pd.DataFrame]
CELL = ["district", "year", "grade", "stage", "ledger"]


def runs_of_demand(asked: Asked) -> Runs:
    """Turn the forecast's pupils into demand: moved, shared out by ledger, with changes of hands.

    Returns
    -------
    dict of str to DataFrame [district, year, grade, stage, ledger, pupils, demand]
        ``moved`` (ledger all), ``shared`` and ``whole``, of the year asked for.
    """
    pupils = asked.result("pupils")
    # The first year is never moved, so the launch has to be there.
    pupils = pupils[pupils["year"].isin([asked.forecast.launch_year, asked.year])]
    given = asked.assumptions
    steps = {
        "moved": with_tables(given, policy=None, projects=None),
        "shared": with_tables(given, projects=None),
        "whole": given,
    }
    runs = {}
    for name, step in steps.items():
        table = demand_places(pupils, step, grades=asked.forecast.inputs.grades)
        ledger = "all" if name == "moved" else asked.ledger
        runs[name] = table[
            (table["ledger"] == ledger)
            & (table["year"] == asked.year)
            & table["stage"].isin(asked.stages)
        ].set_index(["district", "grade"])
    return runs


def demand_terms(asked: Asked, runs: Runs, district: str, grade: str, pupils: float) -> list[Term]:
    """Explain the demand of one grade of a district from its pupils; the last term is demand.

    Raises
    ------
    InputError
        If the terms do not lead to the demand of the forecast.
    """
    at = (district, grade)
    cell = runs["whole"].loc[[at]].reset_index()
    stage = str(cell["stage"].iloc[0])
    moved, shared, whole = (
        float(runs[name].loc[[at]]["pupils"].sum()) for name in ("moved", "shared", "whole")
    )
    terms = []
    if abs(moved - pupils) > EXACT * max(1.0, pupils):
        terms.append(_transferred(asked, district, grade, stage, moved - pupils))
    if asked.ledger != "all":
        terms += _ledger_terms(asked, district, grade, stage, (moved, shared, whole))
    # No spare share is given: nothing is kept free, which is the documented default.
    spare = float(standard(asked.assumptions.standards, "spare_share", cell).fillna(0.0).iloc[0])
    if spare:
        terms.append(_spare(asked, district, grade, stage, spare))
    demand = whole / (1 - spare)
    refuse_apart(demand, reported_demand(asked, district, grade), f"{district} {grade}", "demand")
    formula = "pupils / (1 - spare share)" if spare else "one place for each pupil"
    terms.append(Term(f"{grade}: demand", demand, "places", formula))
    return terms


def reported_demand(asked: Asked, district: str, grade: str) -> float:
    """Return the demand of a cell of the forecast."""
    table = asked.result("demand")
    here = (table["district"] == district) & (table["grade"] == grade)
    here &= (table["year"] == asked.year) & (table["ledger"] == asked.ledger)
    return float(table.loc[here, "demand"].sum())


def _transferred(asked: Asked, district: str, grade: str, stage: str, value: float) -> Term:
    table = asked.assumptions.transfers
    assert table is not None  # somebody moves
    rows = ((table["from"] == district) | (table["to"] == district)) & fits(
        table, stage=[stage], grade=[grade], year=[asked.year]
    )
    formula = "those who come less those who leave"
    return Term(f"{grade}: transfers", value, "pupils", formula, "transfers", numbered(table, rows))


def _ledger_terms(
    asked: Asked, district: str, grade: str, stage: str, pupils: tuple[float, float, float]
) -> list[Term]:
    moved, shared, whole = pupils
    ledger = asked.ledger
    members = ledger_sectors()
    named = set(members.loc[members["ledger"] == ledger, "policy_indicator"])
    asked_of = [*sorted(named), "migrant_public_share", "private_cap"]
    rows = policy_rows(asked, asked_of, district, stage)
    share = shared / moved if moved else float("nan")
    terms = [
        Term(f"{grade}: share of ledger {ledger}", share, "share", "of pupils", "policy", rows)
    ]
    hands = abs(whole - shared) > EXACT * max(1.0, shared)
    if hands:
        formula = "pupils of schools that change hands"
        where = numbered(asked.assumptions.projects, _changing(asked, district, stage))
        name = f"{grade}: changes of hands"
        terms.append(Term(name, whole - shared, "pupils", formula, "projects", where))
    formula = "pupils x share" + (" + changes of hands" if hands else "")
    terms.append(Term(f"{grade}: pupils of ledger {ledger}", whole, "pupils", formula))
    return terms


def _changing(asked: Asked, district: str, stage: str) -> list[bool]:
    projects = asked.assumptions.projects
    assert projects is not None  # a school changes hands
    table = projects.reindex(columns=list(dict.fromkeys([*projects, "from_stage", "from_sector"])))
    rows = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    return [
        row["district"] == district and row["stage"] == stage and bool(changes_hands(row))
        for row in rows
    ]


def _spare(asked: Asked, district: str, grade: str, stage: str, spare: float) -> Term:
    table = asked.assumptions.standards
    assert table is not None  # a spare share is given
    rows = (table["indicator"] == "spare_share") & fits(
        table, district=[district], grade=[grade], stage=[stage], year=[asked.year]
    )
    return Term(
        f"{grade}: spare share", spare, "share", "kept free", "standards", numbered(table, rows)
    )


def runs_of_places(asked: Asked) -> Runs:
    """Return the places of the year: standing, planned (own), and as allotted to the districts.

    Returns
    -------
    dict of str to DataFrame [district, year, grade, stage, ledger, plan_case, places]
        ``standing`` without any project, ``own`` of the forecast, ``allotted`` as balanced.
    """
    inputs, given = asked.forecast.inputs, asked.assumptions
    standing = schedule_places(
        with_tables(given, projects=None), [asked.year], grades=inputs.grades
    )
    own = asked.result("places")
    own = own[own["plan_case"] == asked.plan_case]
    demand = asked.result("demand")
    standing, own, demand = (
        table[
            (table["year"] == asked.year)
            & (table["ledger"] == asked.ledger)
            & table["stage"].isin(asked.stages)
        ]
        for table in (standing, own, demand)
    )
    own = own[[*CELL, "plan_case", "places"]]
    allotted = allot_places(demand, own, given.standards, inputs.districts)
    return {"standing": standing, "own": own, "allotted": allotted}


def place_terms(asked: Asked, runs: Runs, district: str, stage: str) -> list[Term]:
    """Explain the places of one stage of a district; together they are its places as balanced.

    Raises
    ------
    InputError
        If the terms do not add up to the places of the forecast.
    """
    table = asked.assumptions.places
    assert table is not None  # the forecast has a balance
    standing = _places(runs["standing"], district, stage)
    last = int(table["year"].max())
    since = int(table.loc[table["year"] <= asked.year, "year"].max())
    here = (table["year"] == since) & (table["district"] == district) & (table["stage"] == stage)
    if "sector" in table.columns:
        here &= table["sector"].isin(_sectors(asked, stage))
    formula = f"as counted in {since}" + (", carried forward" if asked.year > last else "")
    name = f"{stage}: places standing"
    terms = [Term(name, standing, "places", formula, "places", numbered(table, here))]
    terms += _project_terms(asked, district, stage, last)
    own = sum(term.value for term in terms)
    refuse_apart(own, _places(runs["own"], district, stage), f"{district} {stage}", "places")
    allotted = _places(runs["allotted"], district, stage)
    if abs(allotted - own) > EXACT * max(1.0, own):
        terms.append(_allotted(asked, district, stage, allotted - own))
    return terms


def _places(table: pd.DataFrame, district: str, stage: str) -> float:
    here = (table["district"] == district) & (table["stage"] == stage)
    return float(table.loc[here, "places"].sum())


def _sectors(asked: Asked, stage: str) -> set[str]:
    members = ledger_sectors()
    own = members[(members["ledger"] == asked.ledger) & members["stage"].isin(["", stage])]
    return {*own["sector"], *([ANY_SECTOR] if asked.ledger == "all" else [])}


def _steps(asked: Asked, last: int) -> list[Step]:
    """Return the steps that the plan case counts, as `schedule_places` does."""
    rows = plan_rows(asked.assumptions, asked.system, last, quiet=True)
    if asked.plan_case == RISK_ADJUSTED:
        return list(expected_steps(rows, last, asked.assumptions.projects, None))
    steps = [step for row in rows for step in steps_after(row, last)]
    return [step for step in steps if step.other or step.status in STATUSES[asked.plan_case]]


def _project_terms(asked: Asked, district: str, stage: str, last: int) -> list[Term]:
    projects = asked.assumptions.projects
    if projects is None:
        return []
    sectors = _sectors(asked, stage)
    grades = set(asked.system.loc[asked.system["stage"] == stage, "grade"])
    found: dict[str, float] = {}
    for step in _steps(asked, last):
        if step.district == district and step.stage == stage and step.sector in sectors:
            by_grade = spread_step(step, [asked.year], asked.system, asked.changes)
            places = sum(float(a[0]) for grade, a in by_grade.items() if grade in grades)
            found[step.project] = found.get(step.project, 0.0) + places
    terms = []
    for name, places in found.items():
        if not places:
            continue
        named = projects["project"] == name
        own = named & (projects["stage"] == stage)
        if "from_stage" in projects.columns:
            own |= named & (projects["from_stage"] == stage)
        row = projects[own].iloc[0]
        formula = f"{row['kind']}, {row['status']}"
        if asked.plan_case == RISK_ADJUSTED:
            formula += ", times its chances"
        where = numbered(projects, own)
        terms.append(Term(f"{stage}: project {name}", places, "places", formula, "projects", where))
    return terms


def _allotted(asked: Asked, district: str, stage: str, value: float) -> Term:
    standards, tree = asked.assumptions.standards, asked.forecast.inputs.districts
    assert standards is not None  # a stage is planned higher
    cell = pd.DataFrame({"district": [district], "stage": [stage]})
    area = planning_areas(standards, tree, cell).iloc[0]
    rows = (standards["indicator"] == "planned_at") & fits(
        standards, district=[district], stage=[stage]
    )
    formula = f"places of {area} go by demand, less those that stand here"
    name = f"{stage}: allotted by {area}"
    return Term(name, value, "places", formula, "standards", numbered(standards, rows))
