"""Places that stand and places that the plan brings, by year, grade and ledger.

The last year of the table of places is carried forward, and the steps of the projects come on top.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.delivery import expected_steps
from placeforecast.places.derive import counted_places
from placeforecast.places.spread import spread_step, years_by_grade
from placeforecast.places.steps import ANY_SECTOR, plan_rows, steps_after
from placeforecast.tables.doors import Array, Flags, to_array, to_table
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.structure import (
    absent_grades,
    applied_changes,
    structure_changes,
    with_structure,
)
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.places.steps import Step
    from placeforecast.tables.records import Assumptions
    from placeforecast.tables.structure import Change

    Axes = dict[str, list[Any]]
    Changes = tuple[Change, ...]

STATUSES = {
    "existing": ("open",),
    "committed": ("open", "under_construction", "approved"),
    "planned": ("open", "under_construction", "approved", "proposed", "delayed"),
}
"""Which projects each plan case counts, by status."""
RISK_ADJUSTED = "risk_adjusted"
CASES = (*STATUSES, RISK_ADJUSTED)
"""Every plan case; the last one weighs the projects of the one before by chance and delay."""

NOTHING_BELOW = -1e-6
PUBLIC = "public"
COLUMNS = ["district", "year", "grade", "stage", "ledger", "plan_case", "places"]


def schedule_places(
    assumptions: Assumptions,
    years: Sequence[int],
    *,
    case: str = "planned",
    grades: pd.DataFrame | None = None,
    prospects: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Schedule places by year, grade and ledger in one plan case.

    The last year of `places` is carried forward and the projects of the case come on top: places
    of a project count from the school year it opens in to the one before it closes; those of a
    rebuild or refit with an outage are away from `outage_from` to `outage_to` and back after it; a
    conversion moves places from `from_stage` to `stage`, from `from_sector` to `sector`, or both; a
    closure subtracts them; equipment adds none. Places that are blank are classes times the class
    size, or floor area over the area per place. Steps up to the last year of `places` are already
    in it. Places known only by stage are spread evenly over the years of its grades; a school that
    opens ``by_grade`` opens its first grade in the year it opens and one more each year.

    A school that changes hands and keeps its stage does so in every plan case, unless it is
    cancelled: its pupils go with it, and demand knows no plan case. With ``by_grade`` each grade
    leaves the one sector when it comes to the other.

    From the year of a change of structure (`events`) on, places of a stage are spread over the
    grades that it then has; a grade that has left its stage has no cells.

    Parameters
    ----------
    assumptions : Assumptions
        `places`, `projects`, `events`, and `standards` for class sizes and areas where places are
        not given.
    years : sequence of int
        School years.
    case : {"existing", "committed", "planned", "risk_adjusted"}
        ``existing`` counts projects that are open, ``committed`` also those under construction or
        approved, ``planned`` also those proposed or delayed. Cancelled ones never count.
        ``risk_adjusted`` is what ``planned`` brings on average: over the delays of each project
        (`placeforecast.places.delivery.delivery_prospects`), chance of delivery x chance of the
        delay x its places if it came so late. What is late opens, comes back from an outage and
        closes later; an outage begins as planned.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.
    prospects : DataFrame [project, stage, chance, delay_0, ..., delay_4], optional
        For ``risk_adjusted``, instead of those of `delivery_prospects`.

    Returns
    -------
    DataFrame [district, year, grade, stage, ledger, plan_case, places]
        Ledger ``all``; ``public`` where places tell sectors apart; ``inclusive`` of kindergartens
        and ``public_with_purchased`` of a stage where the sector that sets them apart has places
        there, or will have in some district and plan case.

    Raises
    ------
    InputError
        If places are missing for a year or a class size, more places go than there are, or
        prospects lack a project.
    ValueError
        For another case.

    Warns
    -----
    AssumptionWarning
        For projects that should have opened by the last year of `places` and are not open, and
        in ``risk_adjusted`` for a `delivery` that is not used.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> places = pd.DataFrame({"district": "A", "year": [2025], "stage": "junior", "places": 900})
    >>> projects = pd.DataFrame({"project": ["East"], "stage": "junior", "district": "A",
    ...     "places": 300, "kind": "new", "status": "approved", "opens": 2027,
    ...     "phase_in": "by_grade"})
    >>> plan = pf.Assumptions(places=places, projects=projects)
    >>> pf.schedule_places(plan, [2026, 2027, 2028]).groupby("year").places.sum()
    year
    2026     900.0
    2027    1000.0
    2028    1100.0
    Name: places, dtype: float64
    """
    if case not in CASES:
        raise ValueError(f"there is no plan case {case!r}: {', '.join(CASES)}")
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    if assumptions.places is None:
        remedy = "Give assumptions.places: what stands, by district, year and stage."
        refuse([Problem(file="places", rule="is missing", remedy=remedy)])
        raise AssertionError
    changes = structure_changes(assumptions.events, system)
    system = with_structure(system, assumptions.events)
    counted = counted_places(assumptions.places, assumptions)
    last = int(counted["year"].max())
    standing = _by_grade(_carried(counted, changes, system, (last, max(years))), system, changes)
    rows = plan_rows(assumptions, system, last)
    plan = [step for row in rows for step in steps_after(row, last)]
    if case == RISK_ADJUSTED:
        steps = expected_steps(rows, last, assumptions.projects, prospects)
    else:
        steps = [step for step in plan if step.other or step.status in STATUSES[case]]
    axes = _axes(standing, plan, system, years)
    taught = _taught(changes, axes)
    array = _standing(standing, axes, last, taught)
    for step in steps:
        _take(array, step, axes, system, changes)
    _refuse_below_zero(array, axes, steps, system)
    present = _present(standing, plan, axes, system)
    return _ledgers(array, present, taught, axes, system).assign(plan_case=case)[COLUMNS]


def _carried(
    table: pd.DataFrame, changes: Changes, system: pd.DataFrame, span: tuple[int, int]
) -> pd.DataFrame:
    """Repeat the last year counted for each later year in which a grade changes its stage."""
    last, until = span
    later = sorted({change.year for change in changes if last < change.year <= until})
    if not later:
        return table
    rows = table[table["year"] == last]
    parts = [rows.assign(year=year) for year in later]
    for part in parts:
        _refuse_moved_grades(part, changes, last, system)
    return pd.concat([table, *parts], ignore_index=True)


def _refuse_moved_grades(
    rows: pd.DataFrame, changes: Changes, last: int, system: pd.DataFrame
) -> None:
    """Refuse places by grade where a grade of their stage moves: whose they become is not known."""
    if "grade" not in rows.columns:
        return
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    for row in rows[rows["grade"].notna()].to_dict("records"):
        for change in applied_changes(changes, str(row["district"])):
            touched = (stage_of[change.grade], change.stage)
            if not last < change.year <= row["year"] or row["stage"] not in touched:
                continue
            rule = (
                f"of {row['stage']} in {row['district']} are given by grade, and {change.grade} "
                f"becomes {change.becomes} in {change.year}"
            )
            refuse([Problem(rule, "Give the whole stage.", file="places", column="grade")])


def _by_grade(table: pd.DataFrame, system: pd.DataFrame, changes: Changes) -> pd.DataFrame:
    """Spread places known by stage evenly over the years of the grades that it has."""
    sector = table["sector"] if "sector" in table.columns else ANY_SECTOR
    table = table.assign(sector=sector, absent=_absent(table, changes))
    named = table["grade"].notna() if "grade" in table.columns else pd.Series(False, table.index)
    whole = table[~named]
    _refuse_two_ways(whole, table[named], system)
    parts = [_of_taught_grades(table[named])]
    for (stage, _), rows in whole.groupby(["stage", "absent"], sort=False):
        spans = years_by_grade(system, str(stage), rows["absent"].iloc[0])
        total = sum(duration for _, duration in spans.values())
        if not total:
            rule, remedy = "has no grades in the school system", "Correct the stage, or the grades."
            refuse([Problem(file="places", value=str(stage), rule=rule, remedy=remedy)])
        parts += [
            rows.assign(grade=grade, places=rows["places"] * duration / total)
            for grade, (_, duration) in spans.items()
        ]
    keys = ["year", "grade", "district", "sector"]
    rows = pd.concat([part for part in parts if len(part)])
    return rows.groupby(keys, as_index=False, sort=False).agg(places=("places", "sum"))


def _absent(table: pd.DataFrame, changes: Changes) -> pd.Series[Any]:
    """Return for each row the grades that its district does not have in its year."""
    rows = zip(table["district"].tolist(), table["year"].tolist(), strict=True)
    away = [absent_grades(changes, str(district), int(year)) for district, year in rows]
    return pd.Series(away, index=table.index, dtype="object")


def _of_taught_grades(named: pd.DataFrame) -> pd.DataFrame:
    """Leave out grades that are not there in the year; they must have no places."""
    if named.empty:
        return named
    pairs = zip(named["grade"], named["absent"], strict=True)
    away = pd.Series([grade in absent for grade, absent in pairs], index=named.index)
    wrong = named[away & (named["places"] != 0)]
    if len(wrong):
        row = wrong.iloc[0]
        rule = f"is no grade of {row['district']} in {row['year']}: see the events of structure"
        remedy = "Name the grade as it is called in that year."
        value = str(row["grade"])
        refuse([Problem(rule, remedy, file="places", column="grade", value=value)])
    return named[~away]


def _refuse_two_ways(whole: pd.DataFrame, named: pd.DataFrame, system: pd.DataFrame) -> None:
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    for row in named.to_dict("records"):
        stage = stage_of.get(row["grade"])
        if stage is not None and stage != row["stage"]:
            rule = f"of grade {row['grade']} is not its stage, which is {stage}"
            remedy, value = "Correct one of the two.", str(row["stage"])
            refuse([Problem(rule, remedy, file="places", column="stage", value=value)])
    keys = ["district", "year", "stage", "sector"]
    both = whole.merge(named[keys].drop_duplicates(), on=keys)
    if len(both):
        cell = both.iloc[0]
        rule = f"of {cell['stage']} in {cell['district']} in {cell['year']} are given in two ways"
        remedy = "Give the whole stage or its grades, not both."
        refuse([Problem(file="places", column="grade", rule=rule, remedy=remedy)])


def _axes(
    standing: pd.DataFrame, steps: list[Step], system: pd.DataFrame, years: Sequence[int]
) -> Axes:
    return {
        "year": list(years),
        "grade": system["grade"].tolist(),
        "district": sorted({*standing["district"].unique(), *(step.district for step in steps)}),
        "sector": sorted({*standing["sector"].unique(), *(step.sector for step in steps)}),
    }


def _taught(changes: Changes, axes: Axes) -> Flags:
    """Return which grades each district has [year, grade, district]."""
    taught = np.ones([len(axes[axis]) for axis in ("year", "grade", "district")], dtype=bool)
    for change in changes:
        if change.district is not None and change.district not in axes["district"]:
            rule, remedy = "has no places", "Name districts that have, one row each; no parent."
            value = change.district
            refuse([Problem(rule, remedy, file="events", column="district", value=value)])
    if changes:
        for t, year in enumerate(axes["year"]):
            for d, district in enumerate(axes["district"]):
                for grade in absent_grades(changes, district, int(year)):
                    taught[t, axes["grade"].index(grade), d] = False
    return taught


def _standing(standing: pd.DataFrame, axes: Axes, last: int, taught: Flags) -> Array:
    """Return standing places; years after the last one counted hold what stood in it."""
    first = int(standing["year"].min())
    later = standing.loc[standing["year"] > last, "year"].unique().tolist()
    years = [*range(first, last + 1), *sorted(later)]
    counted = to_array(standing, {**axes, "year": years}, "places", holes=True)
    ever = ~np.isnan(counted).all(axis=0)
    if min(axes["year"]) < first:
        remedy = f"Ask for years from {first} on, or give earlier places."
        rule = f"begins in {first}, after {min(axes['year'])}"
        refuse([Problem(file="places", column="year", rule=rule, remedy=remedy)])
    at = [bisect_right(years, year) - 1 for year in axes["year"]]
    array = counted[at]
    hole = ever & np.isnan(array) & taught[..., np.newaxis]
    if hole.any():
        t, g, d, s = (int(i) for i in np.argwhere(hole)[0])
        asked = f"{axes['sector'][s]}, {years[at[t]]}"
        cell = f"{axes['district'][d]} {axes['grade'][g]}, sector {asked}"
        rule = f"lacks {int(hole.sum())} cells that stood in another year, first: {cell}"
        remedy = "Add the rows; write 0 for places that are gone or not yet there."
        refuse([Problem(file="places", column="places", rule=rule, remedy=remedy)])
    return np.where(np.isnan(array), 0.0, array)


def _take(array: Array, step: Step, axes: Axes, system: pd.DataFrame, changes: Changes) -> None:
    """Add one step to the places of every later year."""
    d, s = axes["district"].index(step.district), axes["sector"].index(step.sector)
    for grade, amount in spread_step(step, axes["year"], system, changes).items():
        array[:, axes["grade"].index(grade), d, s] += amount


def _refuse_below_zero(
    array: Array, axes: dict[str, list[Any]], steps: list[Step], system: pd.DataFrame
) -> None:
    below = np.argwhere(array < NOTHING_BELOW)
    if not len(below):
        np.maximum(array, 0.0, out=array)  # rounding only: nothing lies below -1e-6
        return
    t, g, d, s = (int(i) for i in below[0])
    district, year = axes["district"][d], axes["year"][t]
    own = [p for p in steps if p.district == district and p.places < 0 and p.year <= year]
    own = [p for p in own if p.sector == axes["sector"][s]]
    taking = [p.project for p in own if axes["grade"][g] in years_by_grade(system, p.stage)]
    rule = (
        f"take {-array[t, g, d, s]:.0f} places of {axes['grade'][g]} in {district} that do not "
        f"exist (sector {axes['sector'][s]}, {year}: {', '.join(dict.fromkeys(taking))})"
    )
    remedy = "Correct the places of the closure, outage or conversion, or add what stands."
    refuse([Problem(file="projects", column="places", rule=rule, remedy=remedy)])


def _present(
    standing: pd.DataFrame, steps: list[Step], axes: dict[str, list[Any]], system: pd.DataFrame
) -> Any:  # noqa: ANN401
    """Return which cells exist [grade, district, sector]: something stands or is to come there."""
    shape = (len(axes["grade"]), len(axes["district"]), len(axes["sector"]))
    present = np.zeros(shape, dtype=bool)
    columns = (standing[key].tolist() for key in ("grade", "district", "sector"))
    cells = set(zip(*columns, strict=True))
    for stage, district, sector in {(step.stage, step.district, step.sector) for step in steps}:
        cells |= {(grade, district, sector) for grade in years_by_grade(system, stage)}
    for grade, district, sector in cells:
        at = (axes["grade"].index(grade), axes["district"].index(district))
        present[(*at, axes["sector"].index(sector))] = True
    return present


def _ledgers(
    array: Array, present: Flags, taught: Flags, axes: Axes, system: pd.DataFrame
) -> pd.DataFrame:
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    cells = {"district": axes["district"], "year": axes["year"], "grade": axes["grade"]}
    ledgers = ledger_sectors()
    apart = _sectors_apart(ledgers)
    parts = []
    for (ledger, stage), members in ledgers.groupby(["ledger", "stage"], sort=False):
        sectors = set(members["sector"].tolist()) | ({ANY_SECTOR} if ledger == "all" else set())
        own = [i for i, sector in enumerate(axes["sector"]) if sector in sectors]
        of_stage = np.array([stage in ("", stage_of[grade]) for grade in axes["grade"]])
        where: Flags = present[..., own].any(axis=2) & of_stage[:, np.newaxis]
        told = [i for i in own if stage == "" or axes["sector"][i] in apart]
        if not where.any() or not present[of_stage][..., told].any():
            continue
        summed = array[..., own].sum(axis=3).transpose(2, 0, 1)
        shown = where.T[:, np.newaxis] & taught.transpose(2, 0, 1)
        parts.append(to_table(summed, cells, "places", where=shown).assign(ledger=str(ledger)))
    table = pd.concat(parts, ignore_index=True)
    table["stage"] = table["grade"].map(stage_of)
    return table


def _sectors_apart(ledgers: pd.DataFrame) -> set[str]:
    """Return the sectors that make a ledger of some stages another one than public."""
    public = ledgers.loc[ledgers["ledger"] == PUBLIC, "sector"]
    return set(ledgers.loc[ledgers["stage"] != "", "sector"]) - set(public)
