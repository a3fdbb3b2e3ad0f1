"""Forecasts how many school places a district will be short of, or have idle.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "AssumptionWarning": "placeforecast.tables.problems",
    "Assumptions": "placeforecast.tables.records",
    "InputError": "placeforecast.tables.problems",
    "Inputs": "placeforecast.tables.records",
    "PlanReview": "placeforecast.review.plan",
    "adjust": "placeforecast.scenarios.adjust",
    "attribute_scenarios": "placeforecast.attribution.scenarios",
    "backtest": "placeforecast.evaluation.backtest",
    "balance_places": "placeforecast.places.balance",
    "check": "placeforecast.tables.check",
    "compare_rounds": "placeforecast.rounds.compare",
    "compare_scenarios": "placeforecast.attribution.scenarios",
    "conversion_candidates": "placeforecast.review.conversion",
    "demand_places": "placeforecast.places.demand",
    "estimate": "placeforecast.rates.estimate",
    "explain": "placeforecast.rounds.explain",
    "follow_cohort": "placeforecast.review.cohorts",
    "forecast": "placeforecast.chain.forecast",
    "freeze_round": "placeforecast.rounds.freeze",
    "load_example": "placeforecast.tables.examples",
    "plot": "placeforecast.plot",
    "project_enrolment": "placeforecast.enrolment.project",
    "project_population": "placeforecast.population.project",
    "read_inputs": "placeforecast.tables.read",
    "read_round": "placeforecast.rounds.read",
    "review_plan": "placeforecast.review.plan",
    "schedule_places": "placeforecast.places.supply",
    "school_age_children": "placeforecast.population.children",
    "score_round": "placeforecast.rounds.score",
    "tornado": "placeforecast.attribution.tornado",
    "wave_peaks": "placeforecast.review.wave",
    "write_report": "placeforecast.report.write",
}

__all__ = [
    "AssumptionWarning",
    "Assumptions",
    "InputError",
    "Inputs",
    "PlanReview",
    "adjust",
    "attribute_scenarios",
    "backtest",
    "balance_places",
    "check",
    "compare_rounds",
    "compare_scenarios",
    "conversion_candidates",
    "demand_places",
    "estimate",
    "explain",
    "follow_cohort",
    "forecast",
    "freeze_round",
    "load_example",
    "plot",
    "project_enrolment",
    "project_population",
    "read_inputs",
    "read_round",
    "review_plan",
    "schedule_places",
    "school_age_children",
    "score_round",
    "tornado",
    "wave_peaks",
    "write_report",
]

if TYPE_CHECKING:
    from placeforecast import plot
    from placeforecast.attribution.scenarios import attribute_scenarios, compare_scenarios
    from placeforecast.attribution.tornado import tornado
    from placeforecast.chain.forecast import forecast
    from placeforecast.enrolment.project import project_enrolment
    from placeforecast.evaluation.backtest import backtest
    from placeforecast.places.balance import balance_places
    from placeforecast.places.demand import demand_places
    from placeforecast.places.supply import schedule_places
    from placeforecast.population.children import school_age_children
    from placeforecast.population.project import project_population
    from placeforecast.rates.estimate import estimate
    from placeforecast.report.write import write_report
    from placeforecast.review.cohorts import follow_cohort
    from placeforecast.review.conversion import conversion_candidates
    from placeforecast.review.plan import PlanReview, review_plan
    from placeforecast.review.wave import wave_peaks
    from placeforecast.rounds.compare import compare_rounds
    from placeforecast.rounds.explain import explain
    from placeforecast.rounds.freeze import freeze_round
    from placeforecast.rounds.read import read_round
    from placeforecast.rounds.score import score_round
    from placeforecast.scenarios.adjust import adjust
    from placeforecast.tables.check import check
    from placeforecast.tables.examples import load_example
    from placeforecast.tables.problems import AssumptionWarning, InputError
    from placeforecast.tables.read import read_inputs
    from placeforecast.tables.records import Assumptions, Inputs


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'placeforecast' has no attribute {name!r}")
    module = import_module(_HOME[name])
    value = module if name == "plot" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
