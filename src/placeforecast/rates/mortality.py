"""Survival from death rates, and towards a target life expectancy.

Survival is keyed by the age reached, as everywhere here: with L person-years lived at an age (or
in an age group n wide), l0 newborns and T the person-years of the open group,
``s(0) = L(0) / (n l0)``, ``s(a) = L(a) / L(a-n)``, and ``s(open) = T(open) / T(one group below)``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.doors import to_array, to_table
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.doors import Array

Axes = dict[str, list[Any]]
KEYS: tuple[str, ...] = ("district", "year", "sex", "age")
PLACE: tuple[str, ...] = ("district", "sex")
TAIL = 1e-13
"""Share of the open group that is left out when it is written as single ages."""
LONGEST_TAIL, HIGHEST_SHIFT = 4000, 20.0
CLOSE = 1e-10  # years, to which a life expectancy is solved


def life_expectancy(survival: pd.DataFrame) -> pd.DataFrame:
    """Return the life expectancy at birth that a table of survival means.

    ``e0 = n (sum over closed ages of s(0) s(n) ... s(a)) + T(open)``, where
    ``T(open) = L(below) s(open) / (1 - s(open))``.

    Parameters
    ----------
    survival : DataFrame [[district], [year], sex, age, survival]
        By age reached, ages from 0 in even steps, the last one open.

    Returns
    -------
    DataFrame [[district], [year], sex, life_expectancy]
        Years; the keys that `survival` has.

    Raises
    ------
    InputError
        For a gap between ages, or an open group in which nobody dies.

    References
    ----------
    Preston, Heuveline and Guillot, Demography (2001), chapter 3.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.mortality import life_expectancy
    >>> alive = pd.DataFrame({"sex": "female", "age": [0, 1], "survival": [0.9, 0.95]})
    >>> life_expectancy(alive).round(1)
          sex  life_expectancy
    0  female             18.0
    """
    axes = _axes(survival)
    alive = _survival(survival, axes)
    years = _expectancy(alive, _width(axes["age"]))
    return to_table(years, {key: axes[key] for key in axes if key != "age"}, "life_expectancy")


def survival_towards(
    survival: pd.DataFrame,
    life_expectancy: pd.DataFrame,
    years: Sequence[int],
    *,
    start: int | None = None,
) -> pd.DataFrame:
    """Move survival towards a target life expectancy, year by year.

    Life expectancy runs linearly between the years given, and is held after the last. In each year
    and sex survival is shifted on Brass's relational logit with slope 1: with the share living at
    an age ``v = L / (n l0)``, ``v' = 1 / (1 + exp(2 alpha) (1 - v) / v)``, and alpha solved so
    that the life expectancy is met. The open group is written as groups of its own survival.

    Parameters
    ----------
    survival : DataFrame [[district], [year], sex, age, survival]
        The standard; with a year, the last one is taken.
    life_expectancy : DataFrame [[district], [year], sex, life_expectancy]
        One or more points of the path. Without a year: the same in every year.
    years : sequence of int
        Years to give survival for.
    start : int, optional
        Year that `survival` stands for: its own life expectancy begins the path, unless
        `life_expectancy` has a point up to then. By default the last year of `survival`, else
        the year before the first of `years`.

    Returns
    -------
    DataFrame [[district], year, sex, age, survival]

    Raises
    ------
    InputError
        For a missing sex, district or point, or a life expectancy out of reach.

    References
    ----------
    Brass, in Biological Aspects of Demography (1971) 69-110; Preston, Heuveline and Guillot,
    Demography (2001), section 9.1.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.mortality import survival_towards
    >>> alive = pd.DataFrame({"sex": "female", "age": [0, 1], "survival": [0.9, 0.95]})
    >>> target = pd.DataFrame({"year": [2030], "sex": "female", "life_expectancy": [20.0]})
    >>> survival_towards(alive, target, [2030]).round(4)
       year     sex  age  survival
    0  2030  female    0    0.9166
    1  2030  female    1    0.9542
    """
    last = int(survival["year"].max()) if "year" in survival.columns else None
    if last is not None:
        survival = survival[survival["year"] == last].drop(columns="year")
    if start is None:
        start = last if last is not None else min(years) - 1
    places = _axes(survival)
    if "district" in life_expectancy.columns and "district" not in places:
        places = {"district": sorted(set(life_expectancy["district"])), **places}
    standard = _survival(survival, places)
    width = _width(places["age"])
    path = _path(life_expectancy, places, years, (start, _expectancy(standard, width)))
    moved = _solved(np.broadcast_to(standard, (*path.shape, standard.shape[-1])), path, width)
    axes: Axes = {"year": list(years), **places}
    _refuse_unmet(_expectancy(moved, width), path, axes)
    if "district" in places:
        moved, axes = np.swapaxes(moved, 0, 1), {key: axes[key] for key in KEYS}
    return to_table(moved, axes, "survival")


def survival_from_mx(mortality: pd.DataFrame) -> pd.DataFrame:
    """Turn death rates, or probabilities of dying, into survival by age reached.

    Ages 0, 1, 2, ... give single ages; 0, 1, 5, 10, ... give groups five years wide, the first of
    0-4. With a the mean years lived in an age by those who die there,
    ``q = n m / (1 + (n - a) m)``, ``L = n l(x+n) + a d``, and ``L = l / m`` in the open group.
    a at 0 and 1-4: Coale and Demeny (West) by sex; above, half of the width, or, where
    ``n m > 1``, that of a constant death rate, ``n + 1/m - n / (1 - exp(-n m))``. With ``qx`` these
    are taken at ``m = q / (n (1 - q/2))``, and the open group dies at the rate of the age below.

    Parameters
    ----------
    mortality : DataFrame [[district], [year], sex, age, mx or qx]
        ``mx`` where both are there.

    Returns
    -------
    DataFrame [[district], [year], sex, age, survival]

    Raises
    ------
    InputError
        For other ages, a missing rate, or an open group without deaths.

    References
    ----------
    Preston, Heuveline and Guillot, Demography (2001), sections 3.2-3.3 and table 3.3.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.mortality import survival_from_mx
    >>> rates = pd.DataFrame({"sex": "female", "age": [0, 1, 2], "mx": [0.02, 0.01, 0.1]})
    >>> survival_from_mx(rates).round(4)
          sex  age  survival
    0  female    0    0.9825
    1  female    1    0.9929
    2  female    2    0.9087
    """
    axes = _axes(mortality)
    value = "mx" if "mx" in mortality.columns else "qx"
    rates = to_array(mortality, axes, value, name="mortality")
    widths = _widths(axes["age"])
    chances = None
    if value == "qx":
        chances = rates[..., :-1]
        rates = chances / (widths * (1 - chances / 2))
        rates = np.concatenate([rates, rates[..., -1:]], axis=-1)
    dead = rates[..., -1] <= 0
    if dead.any():
        rule = f"has no deaths in the open group of age {axes['age'][-1]}"
        remedy = "Give the death rate of the last age, or end the table at a lower age."
        refuse([Problem(file="mortality", column=value, rule=rule, remedy=remedy)])
    dying = _years_of_dying(rates, widths, axes["sex"])
    if chances is None:
        chances = widths * rates[..., :-1] / (1 + (widths - dying) * rates[..., :-1])
    lived = _lived(chances, widths, dying, rates[..., -1:])
    if len(widths) > 1 and widths[1] > 1:
        lived = np.concatenate([lived[..., :1] + lived[..., 1:2], lived[..., 2:]], axis=-1)
        axes = {**axes, "age": [0, *axes["age"][2:]]}
    return to_table(_from_lived(lived, _width(axes["age"])), axes, "survival")


def survival_given(
    survival: pd.DataFrame | None, mortality: pd.DataFrame | None, years: Sequence[int]
) -> pd.DataFrame | None:
    """Return survival from what a region gives: itself, death rates, or targets to move towards.

    Parameters
    ----------
    survival : DataFrame [[district], [year], sex, age, survival], optional
        Taken before death rates where both are there.
    mortality : DataFrame [[district], [year], sex, [age], mx, qx, life_expectancy], optional
        Rows with a life expectancy are targets (`survival_towards`) for the years after those
        that the survival itself gives; the others are death rates (`survival_from_mx`).
    years : sequence of int
        Years of the projection.

    Returns
    -------
    DataFrame [[district], [year], sex, age, survival] or None
        None if there is neither.

    Raises
    ------
    InputError
        For a life expectancy without a table to move.
    """
    if mortality is None:
        return survival
    filled = mortality.dropna(axis="columns", how="all")
    aimed = pd.Series(False, filled.index)
    if "life_expectancy" in filled.columns:
        aimed = filled["life_expectancy"].notna()
    goals = filled[aimed].drop(columns=["age", "mx", "qx"], errors="ignore")
    if survival is None and not aimed.all():
        survival = survival_from_mx(filled[~aimed].drop(columns="life_expectancy", errors="ignore"))
    if goals.empty:
        return survival
    if survival is None:
        remedy = "Give survival, or mx by age, of any year as the pattern."
        rule = "has a life expectancy and no survival or death rates that it could move"
        refuse([Problem(file="mortality", rule=rule, remedy=remedy)])
        raise AssertionError
    if "year" not in survival.columns:
        return survival_towards(survival, goals, years)
    last = int(survival["year"].max())
    later = [year for year in years if year > last]
    if not later:
        return survival
    return pd.concat([survival, survival_towards(survival, goals, later)], ignore_index=True)


def _axes(table: pd.DataFrame) -> Axes:
    return {key: sorted(set(table[key])) for key in KEYS if key in table.columns}


def _width(ages: list[int]) -> int:
    steps = {later - earlier for earlier, later in pairwise(ages)}
    if ages[0] != 0 or len(steps) != 1:
        rule = "the ages do not run from 0 in even steps"
        remedy = "Give every age (or age group of one width), the last one open."
        refuse([Problem(file="survival", column="age", rule=rule, remedy=remedy)])
    return int(steps.pop())


def _widths(ages: list[int]) -> Array:
    """Widths of the closed ages: all of 1, or 1, 4 and then 5."""
    steps = [later - earlier for earlier, later in pairwise(ages)]
    abridged = [1, 4] + [5] * (len(steps) - 2)
    if ages[0] != 0 or not steps or (set(steps) != {1} and steps != abridged):
        rule = "the ages are neither 0, 1, 2, ... nor 0, 1, 5, 10, ..."
        remedy = "Give single ages, or five-year groups with 0 and 1-4 apart."
        refuse([Problem(file="mortality", column="age", rule=rule, remedy=remedy)])
    return np.array(steps, dtype=float)


def _survival(table: pd.DataFrame, axes: Axes) -> Array:
    """Survival with ages last; refuses an age that ends the table or an open group without end."""
    alive = to_array(table, axes, "survival", name="survival")
    closed, last = axes["age"][:-1], axes["age"][-1:]
    for wrong, ages, rule in (
        (alive[..., :-1] <= 0, closed, "nobody survives to"),
        (alive[..., -1:] >= 1, last, "nobody ever dies in the open group of"),
    ):
        if wrong.any():
            at = np.argwhere(wrong)[0]
            names = {**axes, "age": ages}
            cell = ", ".join(
                f"{key} {names[key][int(i)]}" for key, i in zip(names, at, strict=True)
            )
            remedy = "Give a share above 0 at every age, and below 1 in the last."
            refuse([Problem(file="survival", rule=f"{rule} {cell}", remedy=remedy)])
    return alive


def _expectancy(alive: Array, width: int) -> Array:
    lived = width * np.cumprod(alive[..., :-1], axis=-1)
    years: Array = lived.sum(axis=-1) + lived[..., -1] * alive[..., -1] / (1 - alive[..., -1])
    return years


def _path(
    points: pd.DataFrame, places: Axes, years: Sequence[int], own: tuple[int, Array]
) -> Array:
    """Life expectancy [year, place..., sex]: linear between points, held outside them."""
    keys = {key: places[key] for key in PLACE if key in places}
    if "year" not in points.columns:
        same = to_array(points, keys, "life_expectancy")
        return np.broadcast_to(same, (len(years), *same.shape))
    given = sorted(set(points["year"]))
    values = to_array(points, {"year": given, **keys}, "life_expectancy")
    start, expectancy = own
    if given[0] > start:
        given = [start, *given]
        values = np.concatenate([expectancy[np.newaxis], values])
    shares = np.array([np.interp(list(years), given, row) for row in np.eye(len(given))])
    path: Array = np.tensordot(shares.T, values, axes=1)
    return path


def _solved(alive: Array, target: Array, width: int) -> Array:
    """Survival shifted so that each life expectancy is met: Newton's method within brackets."""
    share = np.cumprod(alive[..., :-1], axis=-1)
    last = alive[..., -1]
    most = float(last.max())
    count = 0 if most == 0 else min(int(np.ceil(np.log(TAIL) / np.log(most))), LONGEST_TAIL)
    tail = share[..., -1:] * last[..., None] ** np.arange(1, count + 1)
    all_ages = np.concatenate([share, tail], axis=-1)
    with np.errstate(divide="ignore"):
        odds = (1 - all_ages) / all_ages
    low = np.full(target.shape, -HIGHEST_SHIFT)
    high = -low
    shift = np.zeros(target.shape)
    for _ in range(100):
        moved = 1 / (1 + np.exp(2 * shift)[..., None] * odds)
        miss = width * moved.sum(axis=-1) - target
        if (np.abs(miss) < CLOSE).all():
            break
        low, high = np.where(miss > 0, shift, low), np.where(miss > 0, high, shift)
        slope = -2 * width * (moved * (1 - moved)).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = shift - miss / slope
        shift = np.where((step > low) & (step < high), step, (low + high) / 2)
    closed = share.shape[-1]
    rest = moved[..., closed:].sum(axis=-1, keepdims=True)
    lived = width * np.concatenate([moved[..., :closed], rest], axis=-1)
    return _from_lived(lived, width)


def _from_lived(lived: Array, width: int) -> Array:
    """Survival by age reached from person-years per newborn, the open group last."""
    first = lived[..., :1] / width
    closed = lived[..., 1:-1] / lived[..., :-2]
    last = lived[..., -1:] / (lived[..., -2:-1] + lived[..., -1:])
    return np.concatenate([first, closed, last], axis=-1)


def _refuse_unmet(found: Array, path: Array, axes: Axes) -> None:
    unmet = np.abs(found - path) > 1e-6
    if unmet.any():
        at = np.argwhere(unmet)[0]
        keys = [key for key in axes if key != "age"]
        cell = ", ".join(f"{key} {axes[key][int(i)]}" for key, i in zip(keys, at, strict=True))
        rule = f"a life expectancy of {path[tuple(at)]:g} is out of reach: {cell}"
        remedy = "Give a target that the ages of the survival table can hold."
        refuse([Problem(file="mortality", column="life_expectancy", rule=rule, remedy=remedy)])


def _young(infant: Array, sex: str) -> tuple[Array, Array]:
    """Years lived at 0 and at 1-4 by those who die there; Coale and Demeny, West."""
    if sex == "female":
        high, low = (0.35, 1.361), (0.053 + 2.8 * infant, 1.522 - 1.518 * infant)
    else:
        high, low = (0.33, 1.352), (0.045 + 2.684 * infant, 1.651 - 2.816 * infant)
    heavy = infant >= 0.107
    return np.where(heavy, high[0], low[0]), np.where(heavy, high[1], low[1])


def _years_of_dying(rates: Array, widths: Array, sexes: list[str]) -> Array:
    """Mean years lived in each closed age by those who die there; sexes second to last."""
    busy = np.where((scaled := widths * rates[..., :-1]) > 1, scaled, 1.0)
    lived = np.where(scaled > 1, widths * (1 + 1 / busy - 1 / (1 - np.exp(-busy))), widths / 2)
    for s, sex in enumerate(sexes):
        infant, child = _young(rates[..., s, 0], sex)
        lived[..., s, 0] = infant
        if len(widths) > 1 and widths[1] > 1:
            lived[..., s, 1] = child
    return lived


def _lived(chances: Array, widths: Array, dying: Array, last_rate: Array) -> Array:
    """Person-years lived at each age per newborn, from the chances of dying in it."""
    ends = np.cumprod(1 - chances, axis=-1)
    starts = np.concatenate([np.ones_like(ends[..., :1]), ends[..., :-1]], axis=-1)
    closed = widths * ends + dying * starts * chances
    return np.concatenate([closed, ends[..., -1:] / last_rate], axis=-1)
