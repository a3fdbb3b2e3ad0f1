"""Places that stand and places that the plan brings, by year, grade and ledger.

A project is a few dated steps (`EFFECTS`): places that come or go in a school year. A step up to
the last year of the table of places is already in that table.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.paths import standard
from placeforecast.tables.doors import Array, Flags, to_array, to_table
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placeforecast.tables.records import Assumptions


Row = dict[str, Any]

STATUSES = {
    "existing": ("open",),
    "committed": ("open", "under_construction", "approved"),
    "planned": ("open", "under_construction", "approved", "proposed", "delayed"),
}
"""Which projects each plan case counts, by status."""

ANY_SECTOR = "all"
DATES = ("opens", "opened", "closes", "outage_from", "outage_to", "from_stage", "phase_in")
NOTHING_BELOW = -1e-6


@dataclass(frozen=True)
class Step:
    """Places of one project that come or go in a school year."""

    project: str
    district: str
    stage: str
    sector: str
    year: int
    places: float
    status: str
    by_grade: bool = False


def _opening(row: Row) -> int:
    done = row["status"] == "open" and not pd.isna(row["opened"])
    return int(row["opened"] if done else row["opens"])


def _comes(row: Row) -> list[Step]:
    steps = [_step(row, _opening(row), 1, by_grade=row["phase_in"] == "by_grade")]
    if not pd.isna(row["closes"]):
        steps.append(_step(row, int(row["closes"]), -1))
    return steps


def _goes(row: Row) -> list[Step]:
    return [_step(row, int(row["closes"]), -1)]


def _away_and_back(row: Row) -> list[Step]:
    """Places that are away during an outage; without an outage the work adds places."""
    if pd.isna(row["outage_from"]):
        return _comes(row)
    return [_step(row, int(row["outage_from"]), -1), _step(row, int(row["outage_to"]) + 1, 1)]


def _converts(row: Row) -> list[Step]:
    leaving = {**row, "stage": row["from_stage"]}
    return [_step(leaving, _opening(row), -1), *_comes(row)]


def _step(row: Row, year: int, sign: int, *, by_grade: bool = False) -> Step:
    where = (str(row["project"]), str(row["district"]), str(row["stage"]), str(row["sector"]))
    return Step(*where, year, sign * float(row["places"]), str(row["status"]), by_grade)


EFFECTS: dict[str, Callable[[Row], list[Step]]] = {
    "new": _comes,
    "extension": _comes,
    "temporary": _comes,
    "rebuild": _away_and_back,
    "refit": _away_and_back,
    "conversion": _converts,
    "closure": _goes,
}


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
    plan = _steps(assumptions, last, sectors="sector" in assumptions.places.columns)
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
    rows = pd.concat(parts)
    return rows.groupby(keys, as_index=False, sort=False).agg(places=("places", "sum"))


def _steps(assumptions: Assumptions, last: int, *, sectors: bool) -> list[Step]:
    """Return every step of the plan after the last year counted, whatever its case."""
    if assumptions.projects is None:
        return []
    table = assumptions.projects
    for column in (*DATES, "sector"):
        if column not in table.columns:
            table = table.assign(**{column: None})
    counted = table[table["status"].isin(STATUSES["planned"])]
    steps = []
    for row in counted.to_dict("records"):
        named = {str(k): v for k, v in row.items()}
        named["sector"] = _sector(named, sectors=sectors)
        steps += EFFECTS[str(row["kind"])](named)
    _warn_overdue(counted, last)
    return [step for step in steps if step.year > last]


def _sector(row: Row, *, sectors: bool) -> str:
    if not sectors:
        return ANY_SECTOR
    if pd.isna(row["sector"]):
        rule, remedy = "is blank where places have sectors", "Say who will run the school."
        where = f"(project {row['project']})"
        refuse([Problem(file="projects", column="sector", rule=f"{rule} {where}", remedy=remedy)])
    return str(row["sector"])


def _warn_overdue(projects: pd.DataFrame, last: int) -> None:
    opens = projects["opens"].fillna(projects["closes"]).astype("float64")
    overdue = projects[(projects["status"] != "open") & (opens <= last)]
    if len(overdue):
        named = ", ".join(overdue["project"].astype(str).head(5))
        text = (
            f"projects: {len(overdue)} should have happened by {last}, the last year of places, "
            f"and are not open; they are taken as already in it or given up ({named}). Give "
            "the new school year in opens or closes."
        )
        warnings.warn(AssumptionWarning(text), stacklevel=3)


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
    since = np.array(axes["year"]) - step.year
    for grade, (first, duration) in spans.items():
        # By grade, the k-th year of the stage opens k years after the school does.
        opened = np.clip(since + 1 - first, 0, duration) if step.by_grade else duration
        amount = np.where(since >= 0, step.places * opened / total, 0.0)
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
