"""Rates that a result implies, beside the targets of policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.rollup import Axes, area_columns
from placeforecast.rates.paths import policy_path
from placeforecast.tables.districts import NO_LEVEL, levels
from placeforecast.tables.doors import Array, to_array
from placeforecast.tables.grades import ages_of, combined_in, resolve_grades, stages_in_order
from placeforecast.tables.vocabulary import combined_stages, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS = [
    *("district", "level", "year", "stage"),
    *("indicator", "basis", "value", "target", "met"),
]
CAPS = ("private_cap",)
"""Targets from above: met where the value is no higher."""
EXACT = 1e-9
"""Rounding of sums: a share that policy itself set is met."""
BY_DEFAULT = {"senior_general_share": "graduates", "retention_9": "entrants"}
"""Basis of a target that names none; ``children`` for the other shares."""
RATES = ("gross_rate", "special_rate")
"""Rates per child of the official ages, on the basis of the children."""
YEARS_COMPULSORY = 9
Values = dict[tuple[str, str, str], Array]
"""Value [year, area] by indicator, stage and basis."""


@dataclass(frozen=True)
class _Ground:
    """What every indicator rests on: labels, and pupils [year, grade, district]."""

    years: list[int]
    grades: list[str]
    leaves: list[str]
    areas: Mapping[str, list[int]]
    system: pd.DataFrame
    pupils: Array
    groups: Mapping[str, tuple[str, ...]]
    """Each stage, and each combined one, with its stages."""

    def rows(self, stages: tuple[str, ...]) -> list[int]:
        """Return where the grades of some stages stand."""
        of = dict(zip(self.system["grade"].tolist(), self.system["stage"].tolist(), strict=True))
        return [i for i, grade in enumerate(self.grades) if of[grade] in stages]

    def per_area(self, upper: Array, lower: Array, stages: tuple[str, ...]) -> Array:
        """Return the ratio [year, area] of two counts [year, district], added up first.

        Missing where a count is, where nothing is below, or where a stage is not taught.
        """
        taught = np.asarray(~np.isnan(self.pupils).all(axis=0))
        ratios = np.full((len(self.years), len(self.areas)), np.nan)
        rows = [self.rows((stage,)) for stage in stages]
        for j, own in enumerate(self.areas.values()):
            if all(taught[np.ix_(of_stage, own)].any() for of_stage in rows):
                below, above = lower[:, own].sum(axis=1), upper[:, own].sum(axis=1)
                ratios[:, j] = np.divide(above, below, out=ratios[:, j].copy(), where=below > 0)
        return ratios


def implied_indicators(
    pupils: pd.DataFrame,
    demand: pd.DataFrame,
    children: pd.DataFrame,
    enrolment: pd.DataFrame | None,
    policy: pd.DataFrame | None,
    *,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the rates that a result implies, each beside its target, for districts and parents.

    Numerators and denominators are added up before they are divided.

    - ``gross_rate``, and ``special_rate`` for the special stage: pupils of any age per child of
      the official ages (Ministry of Education, definitions of the statistical yearbook); of the
      combined senior stage, general and vocational together. On ``resident`` children where they
      are known for every district and year, else on ``births``: one basis for a whole stage.
    - ``public_share``, ``inclusive_share``, ``purchased_share``: pupils of the ledger per pupil.
      ``private_cap``: the private share of the compulsory stages, 1 - public and purchased; a
      cell without purchased places has none.
    - ``senior_general_share`` by the year reached: entrants of general schools per pupil of the
      last junior grade a year before (``graduates``), and per entrant of general and vocational
      schools (``entrants``).
    - ``retention_9``: pupils of the last junior grade per pupil of the first primary grade eight
      school years before. Who moved in or out in between is inside, so it may pass 1; it is a
      check and not the retention of one cohort.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, pupils]
        From the launch year; classes of residence are added up.
    demand : DataFrame [district, year, grade, ledger, pupils]
        From `demand_places`.
    children : DataFrame [district, year, age, basis, children]
        From `school_age_children`.
    enrolment : DataFrame [district, year, grade, pupils] or None
        Pupils before the launch.
    policy : DataFrame or None
        As in the vocabulary. Targets as the planner gave them: an estimated share is none. A
        target holds for the district and the stage that it names, or for all; one of a class of
        residence is left out.
    districts : DataFrame, optional
        How districts roll up; without it only the districts themselves are given.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.

    Returns
    -------
    DataFrame [district, level, year, stage, indicator, basis, value, target, met]
        Shares and pupils per child. A target is compared on its own basis only: one on a basis
        that cannot be computed, such as a share of ``kindergartens``, has a row without a value.
        `met` is value >= target (of ``private_cap``: <=), missing where either is.

    Raises
    ------
    InputError
        If a cell is given twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.indicators import implied_indicators
    >>> pupils = pd.DataFrame({"district": "A", "year": 2025, "grade": ["K1", "K2", "K3"],
    ...     "pupils": [80.0, 90.0, 100.0]})
    >>> demand = pupils.assign(ledger="all")
    >>> children = pd.DataFrame({"district": "A", "year": 2025, "age": [3, 4, 5],
    ...     "basis": "resident", "children": 100.0})
    >>> policy = pd.DataFrame({"indicator": ["gross_rate"], "stage": "kindergarten",
    ...     "year": 2025, "value": 0.85})
    >>> found = implied_indicators(pupils, demand, children, None, policy)
    >>> found[["indicator", "basis", "value", "target", "met"]]
        indicator     basis  value  target   met
    0  gross_rate  resident    0.9    0.85  True
    """
    system = resolve_grades(grades)
    ground = _ground(pupils, children, districts, system)
    before = _before(ground, enrolment)
    found = _gross(ground, children) | _shares(ground, demand)
    found |= _general_share(ground, before) | _retention(ground, before)
    parts = list(_with_targets(ground, found, policy))
    level = levels(districts)
    if not parts:
        return pd.DataFrame({name: [] for name in COLUMNS})
    table = pd.concat(parts, ignore_index=True)
    table["level"] = table["district"].map(lambda area: level.get(area, NO_LEVEL))
    ranked = table.assign(d=table["district"].map(list(ground.areas).index))
    ranked = ranked.assign(s=table["stage"].map(list(ground.groups).index))
    ranked = ranked.sort_values(["d", "s", "indicator", "basis", "year"], kind="stable")
    return ranked[COLUMNS].reset_index(drop=True)


def _ground(
    pupils: pd.DataFrame,
    children: pd.DataFrame,
    districts: pd.DataFrame | None,
    system: pd.DataFrame,
) -> _Ground:
    years = sorted(int(year) for year in pupils["year"].unique())
    there = set(pupils["grade"].unique().tolist())
    names = [str(grade) for grade in system["grade"].tolist() if grade in there]
    # Children of a district without a school belong to the rates of its parent.
    leaves = sorted({*pupils["district"].unique(), *children["district"].unique()})
    axes: Axes = {"year": years, "grade": names, "district": leaves}
    taught = set(system.loc[system["grade"].isin(there), "stage"])
    stages = [stage for stage in stages_in_order(system) if stage in taught]
    return _Ground(
        years=years,
        grades=names,
        leaves=leaves,
        areas=area_columns(leaves, districts),
        system=system,
        pupils=to_array(_summed(pupils), axes, "pupils", name="pupils", holes=True),
        groups={**{stage: (stage,) for stage in stages}, **combined_in(stages)},
    )


def _summed(table: pd.DataFrame) -> pd.DataFrame:
    """Add up sectors and classes of residence; a cell given twice is left for the door to find."""
    apart = [name for name in ("residence", "sector") if name in table.columns]
    keys = ["district", "year", "grade"]
    if not apart:
        return table[[*keys, "pupils"]]
    return table.groupby(keys, as_index=False, sort=False).agg(pupils=("pupils", "sum"))


def _gross(ground: _Ground, children: pd.DataFrame) -> Values:
    """Return pupils per child of the official ages, for stages whose grades are all there."""
    found: Values = {}
    for stage, parts in ground.groups.items():
        own = ground.system[ground.system["stage"].isin(parts)]
        if not set(own["grade"]) <= set(ground.grades):
            continue
        ages = sorted({age for grade in own.to_dict("records") for age in ages_of(grade)})
        basis, base = _base(ground, children, ages)
        if basis:
            count = np.nansum(ground.pupils[:, ground.rows(parts)], axis=1)
            indicator = "special_rate" if stage == "special" else "gross_rate"
            found[indicator, stage, basis] = ground.per_area(count, base, parts)
    return found


def _base(ground: _Ground, children: pd.DataFrame, ages: list[int]) -> tuple[str, Array]:
    """Return the children [year, district] of some ages: residents if known throughout."""
    axes: Axes = {"year": ground.years, "district": ground.leaves, "age": ages}
    inside = children["age"].isin(ages) & children["year"].isin(ground.years)
    known = np.empty(0)
    for basis in ("resident", "births"):
        rows = children[inside & (children["basis"] == basis)]
        known = to_array(rows, axes, "children", name="children", holes=True).sum(axis=2)
        usable = ~np.isnan(known)
        if usable.all() or (basis == "births" and usable.any()):
            return basis, known
    return "", known


def _shares(ground: _Ground, demand: pd.DataFrame) -> Values:
    """Return the shares of ledgers in all pupils."""
    axes: Axes = {"year": ground.years, "grade": ground.grades, "district": ground.leaves}
    cells = {
        ledger: to_array(_summed(rows), axes, "pupils", name="demand", holes=True)
        for ledger, rows in demand.groupby("ledger", sort=False)
    }
    whole = cells["all"]
    none = np.full(whole.shape, np.nan)
    public = cells.get("public", none)
    bought = cells.get("public_with_purchased", none)
    paid = np.where(np.isnan(bought), public, bought)
    compulsory = combined_stages()["compulsory"]
    inside = {
        "public_share": (public, tuple(ground.groups)),
        "inclusive_share": (cells.get("inclusive", none), ("kindergarten",)),
        "purchased_share": (bought - public, tuple(ground.groups)),
        "private_cap": (whole - paid, (*compulsory, "compulsory")),
    }
    found: Values = {}
    for indicator, (part, stages) in inside.items():
        # A cell in which nobody is taught has nobody in any ledger either.
        counted = np.where(np.isnan(whole) | (whole == 0), 0.0, part)
        for stage in (stage for stage in stages if stage in ground.groups):
            rows = ground.rows(ground.groups[stage])
            sums = counted[:, rows].sum(axis=1), np.nansum(whole[:, rows], axis=1)
            found[indicator, stage, "children"] = ground.per_area(*sums, ground.groups[stage])
    return found


def _before(ground: _Ground, enrolment: pd.DataFrame | None) -> Mapping[int, Array]:
    """Return pupils [grade, district] by year: as counted before the launch, then as forecast."""
    found = dict(zip(ground.years, ground.pupils, strict=True))
    if enrolment is not None:
        inside = enrolment["grade"].isin(ground.grades) & enrolment["district"].isin(ground.leaves)
        rows = enrolment[inside & (enrolment["year"] < ground.years[0])]
        years = sorted(int(year) for year in rows["year"].unique())
        axes: Axes = {"year": years, "grade": ground.grades, "district": ground.leaves}
        known = to_array(_summed(rows), axes, "pupils", name="enrolment", holes=True)
        found |= dict(zip(years, known, strict=True))
    return found


def _count(ground: _Ground, before: Mapping[int, Array], grade: str, lag: int = 0) -> Array:
    """Return the pupils [year, district] of a grade some years before; 0 where it never is."""
    unknown = np.full(len(ground.leaves), np.nan)
    if grade not in ground.grades:
        return np.tile(unknown, (len(ground.years), 1))
    row = ground.grades.index(grade)
    ever = ~np.isnan([cells[row] for cells in before.values()]).all(axis=0)
    past = [before[y - lag][row] if y - lag in before else unknown for y in ground.years]
    return np.where(ever, np.array(past), 0.0)


def _general_share(ground: _Ground, before: Mapping[int, Array]) -> Values:
    """Return general entrants per junior graduate, and per entrant of all senior stages."""
    entries = _entries(ground)
    general = entries.get("senior_general")
    if general is None:
        return {}
    entered = _count(ground, before, str(general["grade"]))
    name = ("senior_general_share", "senior_general")
    graduates = _count(ground, before, str(general["feeder"]), 1)
    found = {(*name, "graduates"): ground.per_area(entered, graduates, ("senior_general",))}
    others = [e for s, e in entries.items() if s != "senior_general"]
    if others and all(e["feeder"] == general["feeder"] for e in others):
        both = entered + sum(_count(ground, before, str(e["grade"])) for e in others)
        found[*name, "entrants"] = ground.per_area(entered, both, tuple(entries))
    return found


def _entries(ground: _Ground) -> Mapping[str, Mapping[Any, Any]]:
    """Return the first grade of each senior stage that is taught and known year by year."""
    found: dict[str, Mapping[Any, Any]] = {}
    years = dict(zip(ground.system["grade"], ground.system["duration"], strict=True))
    for stage in combined_stages()["senior"]:
        rows = ground.system[ground.system["stage"] == stage].sort_values("position")
        if rows.empty or rows["grade"].iloc[0] not in ground.grades:
            continue
        first = rows.to_dict("records")[0]
        if first["duration"] == 1 and years.get(first["feeder"]) == 1:
            found[stage] = first
    return found


def _retention(ground: _Ground, before: Mapping[int, Array]) -> Values:
    parts = combined_stages()["compulsory"]
    rows = ground.system[ground.system["stage"].isin(parts)].sort_values("position")
    names = [str(grade) for grade in rows["grade"]]
    known = len(names) == YEARS_COMPULSORY and bool((rows["duration"] == 1).all())
    if not known or not {names[0], names[-1]} <= set(ground.grades):
        return {}
    last = _count(ground, before, names[-1])
    first = _count(ground, before, names[0], YEARS_COMPULSORY - 1)
    return {("retention_9", "compulsory", "entrants"): ground.per_area(last, first, parts)}


def _with_targets(
    ground: _Ground, found: Values, policy: pd.DataFrame | None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of each indicator, stage and basis that has a value or a target."""
    for indicator, stage in _cases(ground):
        own = {b: value for (i, s, b), value in found.items() if (i, s) == (indicator, stage)}
        default = BY_DEFAULT.get(indicator, "children")
        if indicator in RATES:
            default = next(iter(own), "resident")
        targets = _targets(ground, policy, (indicator, stage), default)
        for basis in dict.fromkeys((*own, *targets)):
            none = np.full((len(ground.years), len(ground.areas)), np.nan)
            value, target = own.get(basis, none), targets.get(basis, none)
            t, d = np.nonzero(~np.isnan(value) | ~np.isnan(target))
            rows = pd.DataFrame(
                {
                    "district": [list(ground.areas)[j] for j in d],
                    "year": [ground.years[i] for i in t],
                    "value": value[t, d],
                    "target": target[t, d],
                }
            ).assign(stage=stage, indicator=indicator, basis=basis)
            if len(rows):
                yield rows.assign(met=_met(rows, indicator))


def _met(rows: pd.DataFrame, indicator: str) -> pd.Series[bool]:
    """Return whether the value meets the target; missing where one of them is."""
    gap = rows["value"] - rows["target"]
    reached = gap <= EXACT if indicator in CAPS else gap >= -EXACT
    return reached.astype("boolean").where(gap.notna())


def _cases(ground: _Ground) -> Iterator[tuple[str, str]]:
    """Yield every indicator with each stage it may have a value or a target for."""
    compulsory = (*combined_stages()["compulsory"], "compulsory")
    only = {
        "special_rate": ("special",),
        "inclusive_share": ("kindergarten",),
        "private_cap": compulsory,
        "senior_general_share": ("senior_general",),
        "retention_9": ("compulsory",),
    }
    implied = (*RATES, "public_share", "purchased_share", *only)
    for indicator in (name for name in values("policy_indicator") if name in implied):
        for stage in ground.groups:
            special = indicator == "gross_rate" and stage == "special"
            if stage in only.get(indicator, (stage,)) and not special:
                yield indicator, stage


def _targets(
    ground: _Ground, policy: pd.DataFrame | None, wanted: tuple[str, str], default: str
) -> Mapping[str, Array]:
    """Return the targets [year, area] of an indicator and a stage, by basis."""
    indicator, stage = wanted
    if policy is None:
        return {}
    rows = policy[policy["indicator"] == indicator]
    names = dict.fromkeys([*rows.columns, "basis", "residence", "stage"])
    rows = rows.reindex(columns=list(names))
    rows = rows[rows["residence"].isna() | (rows["residence"] == "")]
    if stage not in combined_stages():
        # The target of a combined stage is met by the whole, not by each part.
        rows = rows[~rows["stage"].isin(list(combined_stages()))]
    basis = rows["basis"].astype("object").where(rows["basis"].notna(), default)
    if indicator in RATES:
        basis = basis.where(basis != "children", default)
    cells = [(area, stage) for area in ground.areas]
    found = {}
    for name in dict.fromkeys(basis):
        own = rows[basis == name].drop(columns="basis")
        path = policy_path(own, indicator, cells, ground.years).T
        restricted = name == "kindergartens" and stage != "kindergarten"
        if not np.isnan(path).all() and not restricted:
            found[str(name)] = path
    return found
