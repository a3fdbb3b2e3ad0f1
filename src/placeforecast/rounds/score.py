"""Scoring a round: what it said against what came."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.enrolment.launch import launch_pupils
from placeforecast.places.rollup import area_columns, stage_rows
from placeforecast.population.children import pool_of_children
from placeforecast.rates.estimate import estimate
from placeforecast.rates.notes import listed
from placeforecast.rounds.issued import issued_pupils
from placeforecast.rounds.miss import Course, kinds_of, split_miss
from placeforecast.tables.check import check
from placeforecast.tables.districts import leaves
from placeforecast.tables.doors import to_array
from placeforecast.tables.grades import family_of, is_entry
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.pupils import count_pupils
from placeforecast.tables.records import Inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.rounds.read import Round
    from placeforecast.tables.doors import Array

BASELINE = "baseline"
ERRORS = ["stage", "district", "year", "lead", "forecast", "actual", "error", "ape", "inside"]
SUMMARY = ["stage", "lead", "n", "mape", "bias", "coverage", "nominal"]
COMPANION = re.compile(r"pupils_p(\d+(?:_\d+)?)$")
INTERVAL = (0.1, 0.9)
Axes = dict[str, list[Any]]


@dataclass(frozen=True)
class Score:
    """How a round did.

    Attributes
    ----------
    errors : DataFrame [stage, district, year, lead, forecast, actual, error, ape, inside]
        Pupils of each stage, combined stage, district and parent. `error` is forecast less actual;
        `ape` its size over the actual, missing where nobody came; `inside` whether the actual lies
        in the interval, missing where the round has none.
    summary : DataFrame [stage, lead, n, mape, bias, coverage, nominal]
        Over the districts that have no other below them: `mape` the mean of `ape`, `bias` the sum
        of errors over the sum of actuals, `coverage` the share inside an interval that was meant to
        hold the share `nominal`.
    split : DataFrame [stage, year, lead, births, entry, progression, policy, other, total]
        The error of the whole region by what drives it; see `split_miss`.
    issued : DataFrame [year, district, stage, forecast, actual, correction]
        Pupils of each stage and district that has no other below it: what a correction learns
        from; see `issued_pupils` and `past_rounds_of`.
    """

    errors: pd.DataFrame
    summary: pd.DataFrame
    split: pd.DataFrame
    issued: pd.DataFrame


def score_round(round: Round, actuals: Inputs | pd.DataFrame) -> Score:  # noqa: A002
    """Set a round against the pupils that were counted since.

    Parameters
    ----------
    round : Round
        From `read_round`.
    actuals : Inputs or DataFrame
        The region of a later year, or a table of enrolment (district, year, grade, pupils). Only a
        region tells births that became known since; with a table they stay as assumed, and their
        part stands in `entry`.

    Returns
    -------
    Score

    Raises
    ------
    InputError
        If no year after the launch is counted, or a cell that was forecast is not; names the first.

    Warns
    -----
    AssumptionWarning
        For pupils who were counted where none were forecast, and for births that are not told
        apart.

    Examples
    --------
    >>> import tempfile, pandas as pd, placeforecast as pf
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> from placeforecast.rounds.read import read_round
    >>> from placeforecast.rounds.score import score_round
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": range(2022, 2026), "grade": "P1",
    ...                         "pupils": [110.0, 110.0, 110.0, 121.0]})
    >>> result = pf.forecast(pf.Inputs(births=births, enrolment=counted[:3]), horizon=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     last = read_round(freeze_round(result, f"{folder}/2024"))
    >>> score_round(last, counted).split.round(6)[["stage", "lead", "births", "entry", "total"]]
         stage  lead  births  entry  total
    0  primary     1     0.0  -11.0  -11.0
    """
    given = actuals.enrolment if isinstance(actuals, Inputs) else check(actuals, "enrolment")
    assert given is not None  # required of every region
    system = round.inputs.grades
    assert system is not None  # filled by Inputs
    years = _years(round, given)
    pupils = _of_baseline(round.results["pupils"])
    names = sorted(set(pupils["district"]))
    taught = set(pupils["grade"])
    rows = [row for row in system.to_dict("records") if row["grade"] in taught]
    axes: Axes = {
        "year": [round.launch_year, *years],
        "grade": [str(row["grade"]) for row in rows],
        "district": names,
    }
    summed = pupils.groupby(["district", "year", "grade"], as_index=False)["pupils"].sum()
    summed = summed[summed["year"].isin(axes["year"])]
    forecast = to_array(summed, axes, "pupils", name="pupils", holes=True)
    counted = _counted(given, system, axes)
    _refuse_lacking(~np.isnan(forecast) & np.isnan(counted), axes, round.launch_year)
    _warn_strangers(forecast, counted, given, axes)
    counted = np.where(np.isnan(forecast), np.nan, counted)
    # The launch is not scored: what is not counted there anew stands as it was.
    counted[0] = np.where(np.isnan(counted[0]), forecast[0], counted[0])
    errors = _errors(round, counted[1:], axes, system)
    courses = _courses(round, actuals, (forecast, counted), rows, axes)
    tree = round.inputs.districts
    kinds = kinds_of(round.assumptions.policy, rows, names, years, tree)
    nominal = _nominal(_interval(round.results["stages"]))
    return Score(
        errors=errors,
        summary=_summary(errors, names if tree is None else leaves(tree), nominal),
        split=split_miss(*courses, kinds, rows, years),
        issued=issued_pupils(round, (forecast, counted), rows, axes),
    )


def _of_baseline(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["scenario"] == BASELINE]


def _years(frozen: Round, enrolment: pd.DataFrame) -> list[int]:
    """Return the years to score: all from the launch to the last one counted."""
    last = min(frozen.last_year, int(enrolment["year"].max()))
    years = list(range(frozen.launch_year + 1, last + 1))
    if not years:
        rule = f"has no year after the launch of {frozen.launch_year}"
        remedy = "Give pupils of a later year: a round is scored against what came after it."
        refuse([Problem(rule, remedy, file="enrolment", column="year")])
    return years


def _counted(enrolment: pd.DataFrame, system: pd.DataFrame, axes: Axes) -> Array:
    """Return the pupils counted [year, grade, district]; NaN where there is no row."""
    known = enrolment[enrolment["year"] <= axes["year"][-1]]
    counted = count_pupils(known, system, axes["year"][-1])
    pupils = counted.pupils.sum(axis=3)
    if counted.with_residence:
        # A class of residence that a district has never had is no hole.
        filled = np.where(counted.present, counted.pupils, 0.0)
        pupils = np.where(counted.present.any(axis=2), filled.sum(axis=3), np.nan)
    found = np.full(tuple(len(labels) for labels in axes.values()), np.nan)
    own = [
        [labels.index(x) if x in labels else -1 for x in axes[name]]
        for name, labels in list(counted.axes.items())[:3]
    ]
    there = [np.array(positions) >= 0 for positions in own]
    at = [np.array(positions)[here] for positions, here in zip(own, there, strict=True)]
    found[np.ix_(*there)] = pupils[np.ix_(*at)]
    return found


def _refuse_lacking(lacking: Any, axes: Axes, launch_year: int) -> None:  # noqa: ANN401
    lacking = lacking & (np.array(axes["year"]) > launch_year)[:, np.newaxis, np.newaxis]
    if lacking.any():
        t, g, d = (int(i) for i in np.argwhere(lacking)[0])
        cell = f"{axes['district'][d]} {axes['grade'][g]} {axes['year'][t]}"
        rule = f"lacks {int(lacking.sum())} cells that were forecast, first: {cell}"
        remedy = "Add the rows (each sector and residence), 0 if there are none."
        refuse([Problem(rule, remedy, file="enrolment", column="pupils")])


def _warn_strangers(forecast: Array, counted: Array, given: pd.DataFrame, axes: Axes) -> None:
    """Name what was counted and not forecast: it is no part of the errors."""
    more = np.isnan(forecast) & (np.nan_to_num(counted) > 0)
    cells = [
        f"{axes['district'][d]} {axes['grade'][g]} {axes['year'][t]}"
        for t, g, d in np.argwhere(more).tolist()
    ]
    for key in ("district", "grade"):
        own = given[given["year"].isin(axes["year"]) & (given["pupils"] > 0)]
        cells += [str(name) for name in sorted(set(own[key]) - set(axes[key]))]
    if cells:
        text = f"counted, but not forecast, so not scored: {listed(cells)}"
        warnings.warn(AssumptionWarning(text), stacklevel=3)


def _errors(frozen: Round, counted: Array, axes: Axes, system: pd.DataFrame) -> pd.DataFrame:
    """Return forecast and actual of every district, parent, stage and combined stage."""
    areas = area_columns(axes["district"], frozen.inputs.districts)
    groups = stage_rows(axes["grade"], system)
    stages = _of_baseline(frozen.results["stages"])
    table = stages[(stages["ledger"] == "all") & (stages["year"] > frozen.launch_year)]
    table = table[table["year"].isin(axes["year"])].reset_index(drop=True)
    years = {year: t for t, year in enumerate(axes["year"][1:])}
    filled = np.nan_to_num(counted)
    table["actual"] = [
        float(filled[years[year]][np.ix_(groups[stage], areas[area])].sum())
        for year, stage, area in zip(table["year"], table["stage"], table["district"], strict=True)
    ]
    table["forecast"] = table["pupils"]
    table["lead"] = table["year"] - frozen.launch_year
    table["error"] = table["forecast"] - table["actual"]
    table["ape"] = table["error"].abs() / table["actual"].where(table["actual"] > 0)
    inside = pd.Series(pd.NA, index=table.index, dtype="boolean")
    interval = _interval(table)
    if interval is not None:
        low, high = (table[f"pupils_p{name}"] for name in interval.values())
        inside = ((table["actual"] >= low) & (table["actual"] <= high)).astype("boolean")
    table["inside"] = inside
    return table[ERRORS]


def _interval(stages: pd.DataFrame) -> dict[float, str] | None:
    """Return the ends of the interval by their quantiles: 0.1 and 0.9, else the outermost two."""
    names = [match[1] for name in stages.columns if (match := COMPANION.match(str(name)))]
    found = {float(name.replace("_", ".")) / 100: name for name in names}
    if set(INTERVAL) <= set(found):
        return {quantile: found[quantile] for quantile in INTERVAL}
    ends = sorted(found)
    return {end: found[end] for end in (ends[0], ends[-1])} if len(ends) > 1 else None


def _nominal(interval: Mapping[float, str] | None) -> float:
    if interval is None:
        return float("nan")
    low, high = interval
    return _whole(high - low)


def _whole(share: float) -> float:
    """Return a share without the dust of its subtraction: 0.9 less 0.1 is 0.8."""
    return float(f"{share:.12g}")


def _summary(errors: pd.DataFrame, names: Sequence[str], nominal: float) -> pd.DataFrame:
    own = errors[errors["district"].isin(names)]
    rows = []
    for (stage, lead), cells in own.groupby(["stage", "lead"], sort=False):
        came = cells["actual"].sum()
        bias = cells["error"].sum() / came if came > 0 else np.nan
        inside = cells["inside"].dropna().astype(float)
        coverage = inside.mean() if len(inside) else np.nan
        rows.append((stage, lead, len(cells), cells["ape"].mean(), bias, coverage, nominal))
    return pd.DataFrame(rows, columns=SUMMARY)


def _courses(
    frozen: Round,
    actuals: Inputs | pd.DataFrame,
    pupils: tuple[Array, Array],
    rows: Sequence[dict[Any, Any]],
    axes: Axes,
) -> tuple[Course, Course]:
    """Return how the pupils came about, forecast and counted, with the years before the launch."""
    assert frozen.inputs.enrolment is not None  # required of every region
    assert frozen.inputs.grades is not None  # filled by Inputs
    longest = max(int(row["duration"]) for row in rows)
    before = list(range(frozen.launch_year - longest + 1, frozen.launch_year))
    known = frozen.inputs.enrolment[frozen.inputs.enrolment["year"] <= frozen.launch_year]
    past = {**axes, "year": [*before, frozen.launch_year]}
    history = _counted(known, frozen.inputs.grades, past)[:-1]
    assumed = _of_baseline(frozen.results["children"])
    pools = _pools(assumed, frozen, rows, axes)
    later = pools
    if isinstance(actuals, Inputs):
        later = _pools(_later_children(actuals, axes["year"][-1]), frozen, rows, axes)
    _warn_births(assumed, (pools, later), frozen, rows, axes, told=isinstance(actuals, Inputs))
    later = np.where(np.isnan(later), pools, later)
    forecast, counted = (np.concatenate([history, side]) for side in pupils)
    return Course(forecast, pools), Course(counted, later)


def _later_children(actuals: Inputs, last_year: int) -> pd.DataFrame:
    """Return the children of school age as they are known a launch later."""
    with warnings.catch_warnings():
        # What is odd about the later inputs is said by the forecast that is made from them.
        warnings.simplefilter("ignore", AssumptionWarning)
        assumptions = estimate(actuals, launch_year=last_year, horizon=1)
        return launch_pupils(actuals, assumptions, last_year, last_year + 1).children


def _pools(
    children: pd.DataFrame,
    frozen: Round,
    rows: Sequence[dict[Any, Any]],
    axes: Axes,
) -> Array:
    """Return the children of entry grades, on their ratio's basis [year, grade, district]."""
    pools = np.full(tuple(len(labels) for labels in axes.values()), np.nan)
    cells = {"year": axes["year"], "district": axes["district"]}
    for g, row in enumerate(rows):
        if is_entry(row):
            table = getattr(frozen.assumptions, family_of(row))
            basis = str(table.loc[table["grade"] == row["grade"], "basis"].iloc[0])
            pools[:, g] = pool_of_children(row, children, cells, basis)
    return pools


def _warn_births(
    children: pd.DataFrame,
    pools: tuple[Array, Array],
    frozen: Round,
    rows: Sequence[dict[Any, Any]],
    axes: Axes,
    *,
    told: bool,
) -> None:
    """Say where births that were not known at the launch are not known of the later year either."""
    ages = [int(row["entry_age"]) for row in rows if is_entry(row)]
    own = children[children["age"].isin(ages) & children["year"].isin(axes["year"][1:])]
    unborn = bool((own["share_born"] < 1).any())
    assumed, later = (pool[1:] for pool in pools)
    lacking = np.isnan(later) & ~np.isnan(assumed)
    if (unborn and not told) or lacking.any():
        why = "actuals hold no births" if not told else f"{int(lacking.sum())} cells are not known"
        text = f"births of the round of {frozen.launch_year} stay as assumed ({why}): see entry"
        warnings.warn(AssumptionWarning(text), stacklevel=4)
