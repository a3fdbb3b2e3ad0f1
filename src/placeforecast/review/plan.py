"""The plan under review: districts and projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placeforecast.review.districts import review_districts
from placeforecast.review.lead import proposed_delays
from placeforecast.review.projects import review_projects
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.show import record_html, record_text

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.chain.record import Forecast


@dataclass(frozen=True, repr=False)
class PlanReview:
    """What a plan leaves short or idle, when to start, what to build, and what each project is for.

    The columns are described in `review_plan`.

    Attributes
    ----------
    districts : DataFrame
        One row per scenario, district or parent, stage or combined stage, and ledger.
    projects : DataFrame
        One row per project and stage that is not cancelled.
    use : DataFrame [scenario, project, stage, district, year, places, use]
        Places that each project adds and those of them that are needed, year by year.

    Examples
    --------
    >>> import placeforecast as pf
    >>> review = pf.review_plan(pf.forecast(pf.load_example("city"), horizon=3))
    >>> project = review.projects.set_index("project").loc["澄湖区第八初级中学新建"]
    >>> project.stage, int(project.opens), int(project.first_needed), int(project.years_late)
    ('junior', 2026, 2025, 1)
    """

    districts: pd.DataFrame
    projects: pd.DataFrame
    use: pd.DataFrame

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


def review_plan(forecast: Forecast, *, risk: float = 0.1) -> PlanReview:
    """Review the construction plan of a forecast, district by district and project by project.

    Everything is judged in plan case ``planned`` from the launch year on; half a place or less is
    no shortage. *Not netted* is `cell_shortfall`, *net* is `shortfall` of the balance.

    The latest year to start is ``needed_by - lead_time``, rounded down. The need counts from the
    first year in which the chance of a shortage reaches `risk`; without trajectories from the first
    net shortage. The lead time is the one of the standards plus the delay that a new school
    proposed now keeps with the chance ``1 - risk`` (after Ryan 2004, Operations Research 52(4),
    on capacity expansion with lead times).

    Permanent or temporary: a place needed for at least ``break_even_years = cost_per_place *
    temporary_life / temporary_cost_per_place`` years up to the horizon is worth building. The
    duration curve of what is short in a year splits the need into both at the least cost, district
    by district and stage by stage, since a place in one cannot serve another; parents and combined
    stages are sums. The regret of a pure choice is its cost less that of the split. No interest.

    Projects are judged by leave-one-out: what is short in the cells of the area that plans the
    stage without the project, everything else in place, in the narrowest ledger that counts it.

    Parameters
    ----------
    forecast : Forecast
        With a balance. Projects are those of its own assumptions: of several scenarios they are
        reviewed in the first.
    risk : float
        Chance of a shortage that is accepted, between 0 and 1.

    Returns
    -------
    PlanReview
        `districts`: peak_year, peak_demand (after the launch), need_after (demand in the last
        year); first_year_short, first_year_short_net, both also of ``risk_adjusted``; years_above
        (years short on balance); uncovered (most places short, not netted), uncovered_year;
        peak_chance, peak_expected (largest chance of a net shortage, largest expected one, not
        netted; with trajectories); needed_by, lead_time (years), start_by, late (before the
        launch); years_needed (years short, not netted), years_needed_censored (still short in the
        last year: at least so many); break_even_years, permanent_or_temporary (none, permanent,
        temporary, mixed), permanent_places, temporary_places, regret_permanent, regret_temporary
        (yuan); idle_at_horizon (places, not netted); reason (why a verdict or start is missing).

        `projects`: ledger, kind, status, opens, places (below 0: a stage that a conversion takes
        from, or a closure); relieves, causes (place-years less and more short because of it);
        first_needed (first year short without it; the launch year: then or before); never_needed;
        too_early (opens more than 2 years before it is needed); too_late, years_late; both are
        missing where it opened before the launch. peak_use, too_large (below 80 % of its places);
        stranded_from (year from which less than half is used that once was, to the last year),
        stranded (this is within half of its life); share_in_use (of its places x years from
        opening, or the launch, to the last year), share_of_life_in_use (to the end of its life,
        the last year's use held); reason (why it is not judged).

    Raises
    ------
    InputError
        If the forecast has no balance, or none of plan case ``planned``.
    ValueError
        For a risk outside 0-1.

    Examples
    --------
    >>> import placeforecast as pf
    >>> review = pf.review_plan(pf.forecast(pf.load_example("city"), horizon=10))
    >>> rows = review.districts.query("district == 'D01-U' and ledger == 'public'")
    >>> junior = rows.set_index("stage").loc["junior"]
    >>> bool(junior.uncovered > 0), junior.permanent_or_temporary, bool(junior.late)
    (True, 'temporary', True)
    """
    if not 0 < risk < 1:
        raise ValueError(f"risk is a chance between 0 and 1, not {risk}")
    balance, cells = forecast.balance, forecast.balance_cells
    if balance is None or cells is None:
        remedy = "Give the table places: without it nothing can be said of a plan."
        refuse([Problem(file="places", rule="is missing", remedy=remedy)])
        raise AssertionError
    if not (balance["plan_case"] == "planned").any():
        remedy = "Forecast with every plan case."
        refuse([Problem(file="balance", rule="has no plan case planned", remedy=remedy)])
    inputs, assumptions, launch = forecast.inputs, forecast.assumptions, forecast.launch_year
    districts = review_districts(
        balance,
        assumptions.standards,
        launch,
        risk=risk,
        districts=inputs.districts,
        delays=proposed_delays(assumptions.projects, launch),
    )
    scenario = balance["scenario"].iloc[0]
    projects, use = review_projects(
        cells[cells["scenario"] == scenario],
        assumptions,
        launch,
        districts=inputs.districts,
        grades=inputs.grades,
    )
    return PlanReview(districts, _of(projects, scenario), _of(use, scenario))


def _of(table: pd.DataFrame, scenario: str) -> pd.DataFrame:
    return table.assign(scenario=scenario)[["scenario", *table.columns]]
