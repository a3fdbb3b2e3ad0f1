"""Class sizes: hidden shortage, balances at other sizes, and the rooms and staff of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.balance import balance_places
from placeforecast.places.bands import at, read_bands
from placeforecast.places.demand import demand_places
from placeforecast.places.rollup import area_columns
from placeforecast.rates.standards import standard
from placeforecast.tables.check import check
from placeforecast.tables.districts import NO_LEVEL, levels
from placeforecast.tables.doors import Array, to_array, to_table
from placeforecast.tables.grades import combined_in, resolve_grades, stages_in_order
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import combined_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.records import Assumptions

LARGE = {"large_class": "large_classes", "very_large_class": "very_large_classes"}
"""The standard from which a class counts, and the column that counts it."""
COUNTS = ["classes", "pupils", *LARGE.values(), "hidden_shortage"]
HIDDEN = ["district", "level", "year", "stage", *COUNTS[:-1], "share_large", COUNTS[-1]]
ROOMS = ["district", "year", "stage", "grade", "ledger", "pupils", "classes", "rooms", "staff"]
NOISE = 1e-9
"""Part of a class that is rounding of a projection, and opens no further class."""


def hidden_shortage(
    class_sizes: pd.DataFrame,
    standards: pd.DataFrame | None,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count large classes and the pupils above the standard class size in existing classes.

    The hidden shortage is taken band by band, max(0, pupils - classes x class size), and added up:
    room in a small class elsewhere does not help a full one. A band on both sides of the class size
    (46-55 at 50) may hide more than it shows, since its small classes are set off against its full
    ones. A band is large if it begins at `large_class` of the standards or above, so very large
    classes are large ones too. Districts roll up along `districts`, stages to combined stages.

    Parameters
    ----------
    class_sizes : DataFrame [district, stage, year, band, classes, pupils]
        Bands such as ``1-45``, ``46-55`` or ``66+``, without a gap; the same ones in every district
        and year of a stage.
    standards : DataFrame or None
        `class_size`, and `large_class` and `very_large_class` where there are any. A class size of
        one grade is not used, since bands do not tell grades apart.
    districts : DataFrame, optional
        How districts roll up; without it only the districts themselves are given.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    DataFrame [district, level, year, stage, classes, pupils, large_classes, very_large_classes, \
share_large, hidden_shortage]
        Classes and pupils; `share_large` of the classes. Large classes are missing where a stage
        has no standard for them.

    Raises
    ------
    InputError
        For a band that cannot be read, overlaps another, leaves a gap or lies on both sides of a
        limit; pupils that do not fit the band; a missing band; a stage without class size.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.classes import hidden_shortage
    >>> bands = pd.DataFrame({"district": "A", "stage": "primary", "year": 2025,
    ...     "band": ["1-45", "46-55", "56+"], "classes": [20, 8, 2], "pupils": [800, 400, 120]})
    >>> standards = pd.DataFrame({"indicator": ["class_size", "large_class"], "value": [45, 56]})
    >>> hidden_shortage(bands, standards)[["pupils", "large_classes", "hidden_shortage"]]
       pupils  large_classes  hidden_shortage
    0  1320.0            2.0             70.0
    """
    system = resolve_grades(grades)
    standards = standards if standards is None else check(standards, "standards")
    measured = _measured(read_bands(class_sizes, districts, system), standards)
    stages = [stage for stage in stages_in_order(system) if stage in set(measured["stage"])]
    axes = {
        "district": sorted(set(measured["district"])),
        "year": sorted(set(measured["year"])),
        "stage": stages,
    }
    return _rolled_up(_cells(measured, axes), axes, districts)


def _measured(table: pd.DataFrame, standards: pd.DataFrame | None) -> pd.DataFrame:
    """Add what each row counts: large classes and pupils above the class size."""
    size = _needed(standards, "class_size", table)
    above = np.maximum(table["pupils"] - table["classes"] * size, 0.0)
    measured = table.assign(hidden_shortage=above)
    problems = []
    for indicator, column in LARGE.items():
        limit = standard(standards, indicator, table)
        counted = np.where(table["lower"] >= limit, table["classes"], 0.0)
        measured[column] = np.where(limit.isna(), np.nan, counted)
        for i in np.flatnonzero((table["lower"] < limit) & (limit <= table["upper"])):
            rule = f"lies on both sides of {limit.iloc[i]:g}, the {indicator} of the standards"
            remedy = f"Give bands of which one begins at {limit.iloc[i]:g}."
            problems.append(at(int(i), "band", table["band"].iloc[i], rule, remedy))
    refuse(problems)
    return measured


def _cells(measured: pd.DataFrame, axes: dict[str, list[Any]]) -> dict[str, Array]:
    """Add bands up to [district, year, stage]; `here` is 1 where a district has the stage."""
    shape = tuple(len(labels) for labels in axes.values())
    cells = {name: np.zeros(shape) for name in ("here", *COUNTS)}
    for s, stage in enumerate(axes["stage"]):
        rows = measured[measured["stage"] == stage]
        there = sorted(set(rows["district"]))
        bands = list(dict.fromkeys(rows["band"]))
        own = {"stage": [stage], "district": there, "year": axes["year"], "band": bands}
        at = [axes["district"].index(name) for name in there]
        cells["here"][at, :, s] = 1.0
        for name in COUNTS:
            unknown = name in LARGE.values()  # missing with its standard, not for want of a row
            array = to_array(rows, own, name, name="class_sizes", holes=unknown)
            cells[name][at, :, s] = array[0].sum(axis=2)
    return cells


def _rolled_up(
    cells: dict[str, Array], axes: dict[str, list[Any]], districts: pd.DataFrame | None
) -> pd.DataFrame:
    areas = area_columns(axes["district"], districts)
    stages = axes["stage"]
    groups = {**{stage: (stage,) for stage in stages}, **combined_in(stages)}
    columns = [[stages.index(part) for part in parts] for parts in groups.values()]
    sums = {}
    for name, array in cells.items():
        by_group = np.stack([array[..., own].sum(axis=2) for own in columns], axis=2)
        sums[name] = np.stack([by_group[own].sum(axis=0) for own in areas.values()])
    order = {"district": list(areas), "year": axes["year"], "stage": list(groups)}
    exists = sums["here"] > 0
    table = to_table(sums["classes"], order, "classes", where=exists)
    for name in COUNTS:
        table[name] = sums[name][exists]
    level = levels(districts)
    table["level"] = table["district"].map(lambda area: level.get(area, NO_LEVEL))
    table["share_large"] = table["large_classes"] / table["classes"].where(table["classes"] > 0)
    return table[HIDDEN]


def balance_at_class_sizes(
    demand: pd.DataFrame,
    places: pd.DataFrame,
    sizes: Sequence[float],
    assumptions: Assumptions,
    *,
    stages: Sequence[str] | None = None,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Balance places at several class sizes: the same classes, with more or fewer seats each.

    Places at a size are places x size / standard class size of the cell; pupils and demand stay as
    they are. The size that is the standard gives the balance itself.

    Parameters
    ----------
    demand : DataFrame [district, year, grade, stage, ledger, pupils, demand, share_born]
        From `demand_places`.
    places : DataFrame [district, year, grade, stage, ledger, plan_case, places]
        From `schedule_places`, at the standard class size.
    sizes : sequence of float
        Pupils per class, each for every stage asked for.
    assumptions : Assumptions
        `standards` with the class sizes, and `planned_at` where a stage is planned higher.
    stages : sequence of str, optional
        Stages or combined stages to balance, others are left out; all of them if not given.
    districts : DataFrame, optional
        How districts roll up; without it only the districts themselves are given.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [class_size, district, level, year, stage, ledger, plan_case, pupils, demand, \
places, balance, shortfall, surplus, cell_shortfall, cell_surplus, utilisation, share_born, warning]
        `stages` of `balance_places` at each size, in the order given.

    Raises
    ------
    InputError
        For a stage without class size, one that is not there, or a cell of one table that is
        missing in the other.
    ValueError
        For no size, one given twice, or one that is not above 0.

    Warns
    -----
    AssumptionWarning
        For a stage or ledger with demand and without places: it is not balanced.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.classes import balance_at_class_sizes
    >>> cell = {"district": ["A"], "year": 2026, "grade": "J1", "stage": "junior", "ledger": "all"}
    >>> demand = pd.DataFrame({**cell, "pupils": 480.0, "demand": 480.0})
    >>> places = pd.DataFrame({**cell, "plan_case": "planned", "places": 500.0})
    >>> size = pd.DataFrame({"indicator": ["class_size"], "value": 50})
    >>> table = balance_at_class_sizes(demand, places, [50, 45], pf.Assumptions(standards=size))
    >>> table[["class_size", "demand", "places", "balance"]]
       class_size  demand  places  balance
    0        50.0   480.0   500.0     20.0
    1        45.0   480.0   450.0    -30.0
    """
    _refuse_sizes(sizes)
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    if stages is not None:
        wanted = _wanted(stages, system, set(demand["stage"]) | set(places["stage"]))
        demand, places = (table[table["stage"].isin(wanted)] for table in (demand, places))
    normal = _needed(assumptions.standards, "class_size", places)
    parts = []
    for size in sizes:
        # The quotient first: at the standard size it is exactly 1.
        resized = places.assign(places=places["places"] * (float(size) / normal))
        balance = balance_places(
            demand,
            resized,
            districts=districts,
            grades=system,
            standards=assumptions.standards,
        )
        table = balance.stages
        table.insert(0, "class_size", float(size))
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def _refuse_sizes(sizes: Sequence[float]) -> None:
    if not len(sizes):
        raise ValueError("give one class size or more")
    for size in sizes:
        if not 0 < size < np.inf:
            raise ValueError(f"a class size of {size} is not a number above 0")
    if len({float(size) for size in sizes}) < len(sizes):
        raise ValueError("a class size is given twice")


def _wanted(stages: Sequence[str], system: pd.DataFrame, there: set[str]) -> set[str]:
    """Return the stages asked for, a combined one as its parts."""
    known = stages_in_order(system)
    wanted: set[str] = set()
    for name in stages:
        for stage in combined_stages().get(name, (name,)):
            if stage not in known:
                rule, remedy = "is not a stage of the school system", suggest(stage, known)
                refuse([Problem(rule, remedy, column="stages", value=stage)])
            if stage not in there:
                rule, remedy = "has neither demand nor places", "Leave it out of stages."
                refuse([Problem(rule, remedy, column="stages", value=stage)])
            wanted.add(stage)
    return wanted


def rooms_and_staff(
    demand: pd.DataFrame, assumptions: Assumptions, *, grades: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Work out the classes, rooms and staff that pupils need.

    Classes are pupils over class size, rounded up in each district, year, grade and ledger: the
    fewest there can be, as if a grade of a district were taught in one school. Rooms are classes x
    `elective_room_factor`, staff are max(pupils / `pupils_per_staff`, classes x `staff_per_class`)
    x `elective_staff_factor`. The factors are 1 where the standards have none (no national figure
    is known); they act on rooms and staff, never on pupils. Of the two rules of staff, the one that
    the standards have is used where they have only one. Rooms and staff are not rounded.

    Parameters
    ----------
    demand : DataFrame [district, year, grade, stage, ledger, pupils]
        From `demand_places`; or the pupils it takes in, which are then put into ledgers by it.
    assumptions : Assumptions
        `standards`; with pupils also `policy`.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, year, stage, grade, ledger, pupils, classes, rooms, staff]
        Pupils, classes, rooms and members of staff. `staff` is missing where there is neither
        `pupils_per_staff` nor `staff_per_class`.

    Raises
    ------
    InputError
        For a stage without class size, or with a class size or pupils per staff of 0.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.classes import rooms_and_staff
    >>> pupils = pd.DataFrame({"district": "A", "year": [2026], "grade": "S1", "pupils": [510.0]})
    >>> standards = pd.DataFrame({"stage": "senior_general", "value": [50, 1.1, 12.5],
    ...     "indicator": ["class_size", "elective_room_factor", "pupils_per_staff"]})
    >>> table = rooms_and_staff(pupils, pf.Assumptions(standards=standards))
    >>> table[["ledger", "pupils", "classes", "rooms", "staff"]].round(1)
      ledger  pupils  classes  rooms  staff
    0    all   510.0     11.0   12.1   40.8
    """
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    if "ledger" not in demand.columns:
        demand = demand_places(demand, assumptions, grades=system)
    _refuse_blank(demand)
    standards = assumptions.standards
    classes = np.ceil(demand["pupils"] / _needed(standards, "class_size", demand) - NOISE)
    per_staff = _needed(standards, "pupils_per_staff", demand, optional=True)
    per_class = standard(standards, "staff_per_class", demand)
    # The larger of the two, or the one there is.
    staff = np.fmax(demand["pupils"] / per_staff, classes * per_class)
    # 1 where no factor is given, which is the documented default.
    rooms_times, staff_times = (
        standard(standards, f"elective_{what}_factor", demand).fillna(1.0)
        for what in ("room", "staff")
    )
    table = demand.assign(classes=classes, rooms=classes * rooms_times, staff=staff * staff_times)
    return table[ROOMS].reset_index(drop=True)


def _refuse_blank(demand: pd.DataFrame) -> None:
    blank = demand[demand["pupils"].isna()]
    if len(blank):
        rule = f"lacks {len(blank)} cells, first: {_cell(blank.iloc[0])}"
        remedy = "Add the pupils; what is nothing is written as 0."
        refuse([Problem(rule, remedy, file="demand", column="pupils")])


def _cell(row: pd.Series[Any]) -> str:
    names = ("district", "stage", "grade", "year")
    return " ".join(str(row[name]) for name in names if name in row.index)


def _needed(
    standards: pd.DataFrame | None, indicator: str, cells: pd.DataFrame, *, optional: bool = False
) -> pd.Series[float]:
    """Return a standard that must be there, unless it is optional, and be above 0."""
    found = standard(standards, indicator, cells)
    missing = found.isna() & (not optional)
    wrong = missing | (found <= 0)
    if wrong.any():
        first = cells.index[wrong][0]
        verb = f"lacks a {indicator}" if missing[first] else f"has a {indicator} of 0"
        rule = f"{verb} for {int(wrong.sum())} rows, first: {_cell(cells.loc[first])}"
        remedy = f"Add or correct the row of {indicator} for this stage."
        refuse([Problem(rule, remedy, file="standards", column="value")])
    return found
