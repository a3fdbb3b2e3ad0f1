"""Pupils who attend in another district than the one they are forecast in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.check import check
from placeforecast.tables.doors import look_up, to_array
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import Problem, refuse, suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from placeforecast.tables.doors import Array, Flags

EVERYONE = ""
"""Label of residence of pupils that are not told apart."""
ROUNDING = 1e-9
"""Shares typed with a few digits may pass 1 by their rounding."""
KEYS = ["district", "year", "grade"]
Axes = dict[str, list[Any]]


def apply_transfers(
    pupils: pd.DataFrame,
    transfers: pd.DataFrame | None,
    *,
    grades: pd.DataFrame | None = None,
    moving: Collection[str] = (),
) -> pd.DataFrame:
    """Move a share of the pupils of one district to the same grade of another.

    A cell keeps its own pupils x (1 - the shares that leave) and takes in the share x the pupils of
    each district it receives from, by grade, year and class of residence. Nothing is netted. All
    shares are of the pupils before any transfer, so nobody is moved twice in a year.

    Pupils are counted where they attend, so the ratios of a forecast hold the moves of the past
    already: a share here is on top of those. The first year is the launch, as counted, and is never
    moved.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, residence, pupils, share_born]
        From `project_enrolment`.
    transfers : DataFrame [from, to, stage, grade, year, share] or None
        A row with a grade comes before one of the whole stage; a blank year holds in every year
        that has no row of its own.
    grades : DataFrame, optional
        The school system; cn-6-3-3 if left out.
    moving : collection of str
        Grades that a change of structure takes from one stage to another: they are there in some
        years only.

    Returns
    -------
    DataFrame
        Rows and columns as `pupils`; `share_born` of a cell that pupils come into is the mean
        over its pupils.

    Raises
    ------
    InputError
        For a share that has no pupils to move or no cell to move them to, a year that is missing,
        or shares of one cell that add up to more than 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.enrolment.transfers import apply_transfers
    >>> pupils = pd.DataFrame({"district": ["Rural", "Rural", "Urban", "Urban"], "grade": "J1",
    ...                        "year": [2025, 2026, 2025, 2026], "pupils": [200.0, 180, 500, 520]})
    >>> moves = pd.DataFrame({"from": ["Rural"], "to": "Urban", "stage": "junior", "share": 0.1})
    >>> apply_transfers(pupils, moves).pupils.round(6).tolist()
    [200.0, 162.0, 500.0, 538.0]
    """
    if transfers is None:
        return pupils
    system = resolve_grades(grades)
    moves = check(transfers, "transfers")
    axes, counted = _counted(pupils, moving)
    _refuse_strangers(moves, axes, system)
    present: Flags = np.asarray(~np.isnan(counted))
    _refuse_nobody(moves, np.asarray(present.any(axis=1)), axes, system)
    share = _shares(moves, axes, system, axes["year"][1:])
    _refuse_no_cell(share, present, axes)
    _refuse_too_much(share, axes)
    known = np.nan_to_num(counted)  # cells that a district does not have hold nobody to move
    cells = pupils if "residence" in pupils.columns else pupils.assign(residence=EVERYONE)
    moved = _move(known, share, axes)
    result = pupils.assign(pupils=look_up(moved, axes, cells))
    if "share_born" in pupils.columns:
        born = to_array(cells, axes, "share_born", name="pupils", holes=True)
        met = _mean_born(born, known, share, axes)
        result["share_born"] = look_up(met, axes, cells)
    return result


def _counted(pupils: pd.DataFrame, moving: Collection[str]) -> tuple[Axes, Array]:
    """Return pupils [district, year, grade, residence], NaN where a district has no such cell."""
    cells = pupils if "residence" in pupils.columns else pupils.assign(residence=EVERYONE)
    axes: Axes = {key: sorted(cells[key].unique().tolist()) for key in (*KEYS, "residence")}
    counted = to_array(cells, axes, "pupils", name="pupils", holes=True)
    hole = np.isnan(counted)
    steady = np.array([grade not in moving for grade in axes["grade"]])[:, np.newaxis]
    partial = np.argwhere(hole & ~hole.all(axis=1, keepdims=True) & steady)
    if len(partial):
        labels = zip(axes.values(), partial[0], strict=True)
        cell = " ".join(str(known[int(i)]) for known, i in labels).strip()
        remedy = "Add the row, 0 if there are none."
        refuse([Problem(f"lacks {cell}", remedy, file="pupils", column="pupils")])
    return axes, counted


def _refuse_strangers(moves: pd.DataFrame, axes: Axes, system: pd.DataFrame) -> None:
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    known = {
        "from": set(axes["district"]),
        "to": set(axes["district"]),
        "stage": set(system["stage"]),
        "grade": set(system["grade"]),
    }
    problems = []
    for number, row in enumerate(moves.to_dict("records"), start=1):
        for column, names in known.items():
            value = row.get(column)
            if isinstance(value, str) and value not in names:
                where = "school system" if column in ("stage", "grade") else "table pupils"
                what = "district" if column in ("from", "to") else column
                rule, remedy = f"is not a {what} of the {where}", suggest(value, names)
                problems.append(Problem(rule, remedy, "transfers", "", number, column, value))
        if row["from"] == row["to"]:
            rule, remedy = "is where the pupils come from", "Name two districts, or leave it out."
            problems.append(Problem(rule, remedy, "transfers", "", number, "to", row["to"]))
        grade = row.get("grade")
        if isinstance(grade, str) and stage_of.get(grade, row["stage"]) != row["stage"]:
            rule = f"is a grade of {stage_of[grade]}, not of {row['stage']}"
            remedy = "Correct the stage or the grade."
            problems.append(Problem(rule, remedy, "transfers", "", number, "grade", grade))
    refuse(problems)


def _shares(
    moves: pd.DataFrame, axes: Axes, system: pd.DataFrame, ahead: list[int]
) -> Mapping[tuple[str, str, str], Array]:
    """Return the share of each pair and grade by year; pairs and grades in order."""
    blank = pd.Series(data=True, index=moves.index)
    named = moves["grade"].notna() if "grade" in moves else ~blank
    whole = moves[~named]
    found: dict[tuple[str, str, str], Array] = {}
    for key, rows in whole.groupby(["from", "to", "stage"], sort=False):
        origin, target, stage = (str(part) for part in key)
        share = _by_year(rows, f"{origin} to {target}, stage {stage}", ahead)
        own = system.loc[system["stage"] == stage, "grade"]
        taught = [grade for grade in own if grade in axes["grade"]]
        found |= {(origin, target, str(grade)): share for grade in taught}
    if named.any():
        for key, rows in moves[named].groupby(["from", "to", "grade"], sort=False):
            origin, target, grade = (str(part) for part in key)
            what = f"{origin} to {target}, grade {grade}"
            found[origin, target, grade] = _by_year(rows, what, ahead)
    return dict(sorted(found.items()))


def _by_year(rows: pd.DataFrame, what: str, ahead: list[int]) -> Array:
    """Return the share of one pair by year: of the year itself, else of every year."""
    year = rows["year"] if "year" in rows else pd.Series(pd.NA, index=rows.index, dtype="Int64")
    given = dict(zip(year[year.notna()], rows.loc[year.notna(), "share"], strict=True))
    always = rows.loc[year.isna(), "share"]
    missing = [t for t in ahead if t not in given]
    if missing and always.empty:
        rule = f"lacks the share of {what} in {missing[0]} ({len(missing)} such years)"
        remedy = "Add the rows, 0 if nobody moves; or one row with a blank year for all the others."
        refuse([Problem(rule, remedy, file="transfers", column="year")])
    rest = float(always.iloc[0]) if len(always) else np.nan
    return np.array([float(given.get(t, rest)) for t in ahead])


def _refuse_nobody(moves: pd.DataFrame, present: Flags, axes: Axes, system: pd.DataFrame) -> None:
    """Refuse a row whose district has none of the grades that it sends pupils of."""
    problems = []
    for number, row in enumerate(moves.to_dict("records"), start=1):
        one = isinstance(row.get("grade"), str)
        own = [row["grade"]] if one else system.loc[system["stage"] == row["stage"], "grade"]
        taught = [axes["grade"].index(grade) for grade in own if grade in axes["grade"]]
        if not present[axes["district"].index(row["from"]), taught].any():
            what = f"grade {row['grade']}" if one else f"stage {row['stage']}"
            rule = f"has no {what} to send pupils of"
            remedy = "Correct the stage or the grade, or leave the row out."
            problems.append(Problem(rule, remedy, "transfers", "", number, "from", row["from"]))
    refuse(problems)


def _refuse_no_cell(
    share: Mapping[tuple[str, str, str], Array], present: Flags, axes: Axes
) -> None:
    """Refuse a share whose pupils reach a cell that is not there."""
    problems = []
    for origin, target, g, _ in _places(share, axes):
        lost = present[origin, 1:, g] & ~present[target, 1:, g]
        for r in np.flatnonzero(lost.any(axis=0)):
            grade, who = axes["grade"][g], axes["residence"][r]
            named = f"{axes['district'][target]} has no grade {grade}" + (
                f" ({who})" if who else ""
            )
            rule = f"{named}, which {axes['district'][origin]} sends pupils to"
            remedy = "Add its pupils, 0 if none."
            problems.append(Problem(rule, remedy, file="pupils", column="grade"))
    refuse(problems)


def _places(
    share: Mapping[tuple[str, str, str], Array], axes: Axes
) -> list[tuple[int, int, int, Array]]:
    """Return district left, district reached, grade and share by year of each move."""
    at = {name: d for d, name in enumerate(axes["district"])}
    grade = {name: g for g, name in enumerate(axes["grade"])}
    return [(at[o], at[t], grade[name], by_year) for (o, t, name), by_year in share.items()]


def _leaving(share: Mapping[tuple[str, str, str], Array], axes: Axes) -> Array:
    """Return the sum of the shares that leave [district, year after the launch, grade]."""
    shape = (len(axes["district"]), len(axes["year"]) - 1, len(axes["grade"]))
    leaving = np.zeros(shape)
    for origin, _, g, by_year in _places(share, axes):
        leaving[origin, :, g] += by_year
    return leaving


def _refuse_too_much(share: Mapping[tuple[str, str, str], Array], axes: Axes) -> None:
    leaving = _leaving(share, axes)
    problems = []
    for d, t, g in np.argwhere(leaving > 1 + ROUNDING)[:1]:
        rule = (
            f"shares that leave {axes['district'][d]} add up to {leaving[d, t, g]:g} "
            f"in grade {axes['grade'][g]}, {axes['year'][t + 1]}"
        )
        remedy = "Correct them: they are parts of 1."
        problems.append(Problem(rule, remedy, file="transfers", column="share"))
    refuse(problems)


def _move(known: Array, share: Mapping[tuple[str, str, str], Array], axes: Axes) -> Array:
    """Return the pupils after the moves [district, year, grade, residence]."""
    moved = known.copy()
    stay = 1 - np.minimum(_leaving(share, axes), 1.0)  # beyond 1 is rounding here
    moved[:, 1:] *= stay[..., np.newaxis]
    for origin, target, g, by_year in _places(share, axes):
        moved[target, 1:, g] += by_year[:, np.newaxis] * known[origin, 1:, g]
    return moved


def _mean_born(
    born: Array, known: Array, share: Mapping[tuple[str, str, str], Array], axes: Axes
) -> Array:
    """Return the share born where pupils come in: the mean over those who meet in the cell."""
    stay = 1 - np.minimum(_leaving(share, axes), 1.0)
    weight = known.copy()
    weight[:, 1:] *= stay[..., np.newaxis]
    # A share that is missing is missing from the mean only if somebody comes with it.
    total = np.where(weight > 0, weight * born, 0.0)
    reached = np.zeros_like(known, dtype=bool)
    for origin, target, g, by_year in _places(share, axes):
        coming = by_year[:, np.newaxis] * known[origin, 1:, g]
        own = np.where(coming > 0, coming * born[origin, 1:, g], 0.0)
        total[target, 1:, g] += own
        weight[target, 1:, g] += coming
        reached[target, 1:, g] |= coming > 0
    return np.divide(total, weight, out=born.copy(), where=reached)
