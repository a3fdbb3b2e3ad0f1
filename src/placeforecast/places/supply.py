"""Places that stand and places that the plan brings, by year, grade and ledger.

The last year of the table of places is carried forward, and the steps of the projects come on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.steps import ANY_SECTOR, plan_steps
from placeforecast.rates.paths import standard
from placeforecast.tables.doors import Array, Flags, to_array, to_table
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.places.steps import Step
    from placeforecast.tables.records import Assumptions


STATUSES = {
    "existing": ("open",),
    "committed": ("open", "under_construction", "approved"),
    "planned": ("open", "under_construction", "approved", "proposed", "delayed"),
}
"""Which projects each plan case counts, by status."""

NOTHING_BELOW = -1e-6


def schedule_places(
    assumptions: Assumptions,
    years: Sequence[int],
    *,
    case: str = "planned",
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Schedule places by year, grade and ledger in one plan case.

    The last year of `places` is carried forward and the projects of the case come on top: places
    of a project count from the school year it opens in to the one before it closes; those of a
    rebuild or refit with an outage are away from `outage_from` to `outage_to` and back after it; a
    conversion moves places from `from_stage` to `stage`; a closure subtracts them. Steps up to the
    last year of `places` are already in it. Places known only by stage are spread evenly over the
    years of its grades; a school that opens ``by_grade`` opens its first grade in the year it opens
    and one more each year.

    Parameters
    ----------
    assumptions : Assumptions
        `places`, `projects`, and `standards` for class sizes where places are given as classes.
    years : sequence of int
        School years.
    case : {"existing", "committed", "planned"}
        ``existing`` counts projects that are open, ``committed`` also those under construction or
        approved, ``planned`` also those proposed or delayed. Cancelled ones never count.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, year, grade, stage, ledger, plan_case, places]
        Ledger ``all``, and ``public`` where places tell sectors apart.

    Raises
    ------
    InputError
        If places are missing for a year or a class size, or more places go than there are.
    ValueError
        For another case.

    Warns
    -----
    AssumptionWarning
        For projects that should have opened by the last year of `places` and are not open.

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
    if case not in STATUSES:
        raise ValueError(f"there is no plan case {case!r}: {', '.join(STATUSES)}")
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    if assumptions.places is None:
        remedy = "Give assumptions.places: what stands, by district, year and stage."
        refuse([Problem(file="places", rule="is missing", remedy=remedy)])
        raise AssertionError
    standing = _by_grade(_in_places(assumptions.places, assumptions), system)
    last = int(standing["year"].max())
    sectors = "sector" in assumptions.places.columns
    plan = plan_steps(assumptions.projects, system, last, sectors=sectors)
    steps = [step for step in plan if step.status in STATUSES[case]]
    axes = _axes(standing, plan, system, years)
    array = _standing(standing, axes, last)
    for step in steps:
        _take(array, step, axes, system)
    _refuse_below_zero(array, axes, steps)
    present = _present(standing, plan, axes, system)
    return _ledgers(array, present, axes, system, case)


def _in_places(table: pd.DataFrame, assumptions: Assumptions) -> pd.DataFrame:
    """Give every row places: as given, or classes times the class size of the standards."""
    if "places" not in table.columns:
        table = table.assign(places=np.nan)
    by_class = table["places"].isna()
    if not by_class.any():
        return table
    size = standard(assumptions.standards, "class_size", table[by_class])
    if size.isna().any():
        row = table.loc[size.index[size.isna()][0]]
        rule = f"has classes of {row['stage']} but there is no class size for it"
        remedy = "Give places, or a class_size in the table standards."
        refuse([Problem(file="places", column="classes", rule=rule, remedy=remedy)])
    filled = table["places"].where(~by_class, table["classes"] * size)
    return table.assign(places=filled)


def _years_by_grade(system: pd.DataFrame, stage: str) -> dict[str, tuple[int, int]]:
    """Return for each grade of a stage its first year in the stage and its years."""
    rows = system[system["stage"] == stage]
    first = rows["duration"].cumsum() - rows["duration"]
    return {
        str(grade): (int(start), int(duration))
        for grade, start, duration in zip(rows["grade"], first, rows["duration"], strict=True)
    }


def _by_grade(table: pd.DataFrame, system: pd.DataFrame) -> pd.DataFrame:
    """Spread places known by stage evenly over the years of its grades."""
    sector = table["sector"] if "sector" in table.columns else ANY_SECTOR
    table = table.assign(sector=sector)
    named = table["grade"].notna() if "grade" in table.columns else pd.Series(False, table.index)
    whole = table[~named]
    _refuse_two_ways(whole, table[named], system)
    parts = [table[named]]
    for stage, rows in whole.groupby("stage", sort=False):
        spans = _years_by_grade(system, str(stage))
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


def _refuse_two_ways(whole: pd.DataFrame, named: pd.DataFrame, system: pd.DataFrame) -> None:
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
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
) -> dict[str, list[Any]]:
    return {
        "year": list(years),
        "grade": list(system["grade"]),
        "district": sorted({*standing["district"], *(step.district for step in steps)}),
        "sector": sorted({*standing["sector"], *(step.sector for step in steps)}),
    }


def _standing(standing: pd.DataFrame, axes: dict[str, list[Any]], last: int) -> Array:
    """Return standing places; years after the last one counted hold what stood in it."""
    first = int(standing["year"].min())
    years = range(first, last + 1)
    counted = to_array(standing, {**axes, "year": list(years)}, "places", holes=True)
    ever = ~np.isnan(counted).all(axis=0)
    asked = [min(year, last) for year in axes["year"]]
    if min(asked) < first:
        remedy = f"Ask for years from {first} on, or give earlier places."
        rule = f"begins in {first}, after {min(asked)}"
        refuse([Problem(file="places", column="year", rule=rule, remedy=remedy)])
    array = counted[[year - first for year in asked]]
    hole = ever & np.isnan(array)
    if hole.any():
        t, g, d, s = (int(i) for i in np.argwhere(hole)[0])
        cell = f"{axes['district'][d]} {axes['grade'][g]}, sector {axes['sector'][s]}, {asked[t]}"
        rule = f"lacks {int(hole.sum())} cells that stood in another year, first: {cell}"
        remedy = "Add the rows; write 0 for places that are gone or not yet there."
        refuse([Problem(file="places", column="places", rule=rule, remedy=remedy)])
    return np.where(np.isnan(array), 0.0, array)


def _take(array: Array, step: Step, axes: dict[str, list[Any]], system: pd.DataFrame) -> None:
    """Add one step to the places of every later year."""
    spans = _years_by_grade(system, step.stage)
    total = sum(duration for _, duration in spans.values())
    d, s = axes["district"].index(step.district), axes["sector"].index(step.sector)
    years = np.array(axes["year"])
    # By grade, the k-th year of the stage opens k years after the school does.
    filled = np.inf if step.opens is None else years + 1 - step.opens
    for grade, (first, duration) in spans.items():
        opened = np.clip(filled - first, 0, duration)
        amount = np.where(years >= step.year, step.places * opened / total, 0.0)
        array[:, axes["grade"].index(grade), d, s] += amount


def _refuse_below_zero(array: Array, axes: dict[str, list[Any]], steps: list[Step]) -> None:
    below = np.argwhere(array < NOTHING_BELOW)
    if not len(below):
        np.maximum(array, 0.0, out=array)  # rounding only: nothing lies below -1e-6
        return
    t, g, d, s = (int(i) for i in below[0])
    district, year = axes["district"][d], axes["year"][t]
    taking = [p.project for p in steps if p.district == district and p.places < 0]
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
    cells = set(zip(standing["grade"], standing["district"], standing["sector"], strict=True))
    for step in steps:
        cells |= {(g, step.district, step.sector) for g in _years_by_grade(system, step.stage)}
    for grade, district, sector in cells:
        at = (axes["grade"].index(grade), axes["district"].index(district))
        present[(*at, axes["sector"].index(sector))] = True
    return present


def _ledgers(
    array: Array,
    present: Flags,
    axes: dict[str, list[Any]],
    system: pd.DataFrame,
    case: str,
) -> pd.DataFrame:
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    ledgers = ledger_sectors()
    parts = []
    for ledger, members in ledgers.groupby("ledger", sort=False):
        sectors = {*members["sector"], ANY_SECTOR} if ledger == "all" else set(members["sector"])
        own = [i for i, sector in enumerate(axes["sector"]) if sector in sectors]
        where: Flags = np.asarray(present[..., own].any(axis=2))
        if not own or not where.any():
            continue
        cells = {"district": axes["district"], "year": axes["year"], "grade": axes["grade"]}
        summed = array[..., own].sum(axis=3).transpose(2, 0, 1)
        shown = np.broadcast_to(where.T[:, np.newaxis], summed.shape)
        parts.append(to_table(summed, cells, "places", where=shown).assign(ledger=ledger))
    table = pd.concat(parts, ignore_index=True)
    table["stage"] = table["grade"].map(stage_of)
    table["plan_case"] = case
    return table[["district", "year", "grade", "stage", "ledger", "plan_case", "places"]]
