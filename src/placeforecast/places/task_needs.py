"""What a stage needs beyond what stood before the projects that a task counts as delivered."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.places.spread import spread_step
from placeforecast.places.steps import steps_of
from placeforecast.tables.doors import to_array
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.structure import structure_changes, with_structure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from placeforecast.places.steps import Step
    from placeforecast.tables.records import Assumptions

Row = dict[str, Any]
Built = dict[tuple[str, str], float]
"""Places by district and stage."""

PUBLIC = "public"
FIRST_LISTED = 5


def standing_places(
    projects: pd.DataFrame, year: int, assumptions: Assumptions | None, system: pd.DataFrame
) -> Built:
    """Return the public places that stand for open projects in a year, by district and stage.

    They are those that `schedule_places` counts for them in plan case ``existing``: of a school
    that opens ``by_grade`` after the last year of the table of places the grades that are open,
    else all; none after the school has closed.

    Parameters
    ----------
    projects : DataFrame
        Open public projects, with every column that `steps_of` reads and the `year` they opened
        in. Blank places add nothing.
    year : int
        School year.
    assumptions : Assumptions or None
        For the last year of `places` and the changes of structure among `events`. Without it
        every school that has opened stands in full.
    system : DataFrame
        The school system, resolved.

    Returns
    -------
    dict
        Places by district and stage; negative where a conversion takes more than comes.

    Warns
    -----
    AssumptionWarning
        Without `assumptions`, for schools that open ``by_grade`` and are not full by `year`.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.task_needs import standing_places
    >>> from placeforecast.tables.grades import load_grades
    >>> open_ones = pd.DataFrame({"project": ["East"], "stage": "junior", "district": "A",
    ...     "kind": "new", "status": "open", "year": 2025, "opens": 2025, "opened": None,
    ...     "closes": None, "outage_from": None, "from_stage": None, "from_sector": None,
    ...     "phase_in": "by_grade", "places": 900.0})
    >>> places = pd.DataFrame({"district": "A", "year": [2024], "stage": "junior", "places": 600})
    >>> standing_places(open_ones, 2026, pf.Assumptions(places=places), load_grades())
    {('A', 'junior'): 600.0}
    """
    if assumptions is None:
        _warn_filling(projects, year, system)
    events = None if assumptions is None else assumptions.events
    changes = structure_changes(events, system)
    system = with_structure(system, events)
    counted = None if assumptions is None else assumptions.places
    last = None if counted is None else int(counted["year"].max())
    built: Built = {}
    known = projects[projects["places"].notna()]
    # Only public projects and those without a sector are given: what is not named is public.
    for row in known.assign(sector=PUBLIC).to_dict("records"):
        for step in steps_of({str(key): value for key, value in row.items()}):
            if step.sector == PUBLIC:
                spread = spread_step(_as_counted(step, last), [year], system, changes)
                at = (step.district, step.stage)
                stands = sum(float(amount[0]) for amount in spread.values())
                built[at] = built.get(at, 0.0) + stands
    return built


def _as_counted(step: Step, last: int | None) -> Step:
    """Return a step with all its grades at once where it opened by the last year counted."""
    full = last is None or step.opens is None or step.opens <= last
    return replace(step, opens=None) if full else step


def _warn_filling(projects: pd.DataFrame, year: int, system: pd.DataFrame) -> None:
    """Warn of schools that stand in part where it is not said what the table of places counts."""
    years = projects["stage"].map(system.groupby("stage")["duration"].sum())
    part = projects[(projects["phase_in"] == "by_grade") & (projects["year"] + years - 1 > year)]
    if len(part):
        named = ", ".join(part["project"].astype(str).head(FIRST_LISTED))
        text = (
            f"projects: {len(part)} that open by grade are not full by {year} and are taken to "
            f"stand in full in places ({named}). Give assumptions, with the table of places."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=4)


def needed_places(
    demand: pd.DataFrame,
    places: pd.DataFrame | None,
    at: tuple[str, int, list[str]],
    standing: Built,
    system: pd.DataFrame,
) -> float:
    """Return what a stage needs in a year beyond what stood before; NaN where it is not known.

    Parameters
    ----------
    demand, places
        As for `compare_tasks`.
    at : tuple of str, int and list of str
        Stage, school year and leaves.
    standing : dict
        Places in `places` that did not stand before, from `standing_places`.
    system : DataFrame
        The school system, resolved.

    Raises
    ------
    InputError
        For a cell with demand and without places or the other way round.
    """
    stage, year, leaves = at
    taught = demand[(demand["stage"] == stage) & demand["district"].isin(leaves)]
    told = (demand.loc[demand["stage"] == stage, "ledger"] == PUBLIC).any()
    ledger = PUBLIC if told else "all"
    taught = taught[taught["year"] == year]
    own = taught[taught["ledger"] == ledger]
    everywhere = set(own["district"].unique()) == set(taught["district"].unique())
    if places is None or own.empty or not everywhere:
        return np.nan
    stands = places[
        (places["stage"] == stage)
        & (places["ledger"] == ledger)
        & (places["plan_case"] == "existing")
        & (places["year"] == year)
    ]
    if stands.empty:
        return np.nan
    stands = stands[stands["district"].isin(leaves)]
    known = {*own["district"].unique(), *stands["district"].unique()}
    there = [leaf for leaf in leaves if leaf in known]
    taught_there = {*own["grade"].unique(), *stands["grade"].unique()}
    axes = {"district": there, "grade": [g for g in system["grade"].tolist() if g in taught_there]}
    wanted = to_array(own, axes, "demand", holes=True)
    found = to_array(stands, axes, "places", holes=True)
    _refuse_unmatched(np.isnan(wanted) != np.isnan(found), axes, (year, ledger))
    added = np.array([standing.get((leaf, stage), 0.0) for leaf in there])
    short = np.nansum(wanted, axis=1) - (np.nansum(found, axis=1) - added)
    return float(np.maximum(short, 0.0).sum())


def _refuse_unmatched(lacking: Any, axes: Mapping[str, Sequence[str]], at: tuple[int, str]) -> None:  # noqa: ANN401
    if lacking.any():
        d, g = (int(i) for i in np.argwhere(lacking)[0])
        cell = f"{axes['district'][d]} {axes['grade'][g]} {at[0]}"
        rule = f"and demand (ledger {at[1]}) do not hold the same cells, first: {cell}"
        remedy = "Add the cell to the one that lacks it; what is nothing is written as 0."
        refuse([Problem(rule, remedy, file="places")])
