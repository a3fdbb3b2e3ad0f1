"""When a project is needed, how much of it is used, and for how much of its life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from placeforecast.review.verdict import SHORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.doors import Array

EARLY = 2
"""Years that a school may open before it is needed."""
LARGE = 0.8
"""Share of its places that a project should fill in its best year."""
HALF = 0.5


@dataclass(frozen=True)
class Used:
    """A project in numbers, year by year.

    Attributes
    ----------
    years : sequence of int
        From the launch to the last year.
    places : ndarray [year]
        What it adds; below 0 what it takes.
    relief : ndarray [year]
        Places short without it less places short with it, summed over cells.
    without : ndarray [year]
        Places short without it.
    """

    years: Sequence[int]
    places: Array
    relief: Array
    without: Array


def judged(used: Used, opens: int | None, life: float) -> dict[str, Any]:
    """Return whether a project comes early, late, too large, and how long it is needed.

    Parameters
    ----------
    used : Used
    opens : int or None
        First school year with places of it.
    life : float
        Years that it serves; NaN where it is not known.

    Returns
    -------
    dict
        The figures of `PlanReview.projects`, see `review_plan`; None where one cannot be told.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.review.use import Used, judged
    >>> use = np.array([0.0, 80.0, 60.0, 20.0])
    >>> used = Used([2025, 2026, 2027, 2028], np.array([0.0, 100, 100, 100]), use, use)
    >>> found = judged(used, 2026, 10.0)
    >>> found["stranded_from"], found["stranded"], round(found["share_of_life_in_use"], 3)
    (2028, True, 0.3)
    """
    found: dict[str, Any] = {
        "relieves": float(np.maximum(used.relief, 0.0).sum()),
        "causes": float(np.maximum(-used.relief, 0.0).sum()),
    }
    standing = used.places > SHORT
    if opens is None or not standing.any():
        return found
    use = np.where(standing, np.maximum(used.relief, 0.0), 0.0)
    places = np.where(standing, used.places, 0.0)
    most = float(use.max())
    found |= {
        "never_needed": most <= SHORT,
        "peak_use": most,
        "too_large": bool(most < LARGE * places.max()),
        "share_in_use": float(use.sum() / places.sum()),
        "share_of_life_in_use": _share_of_life(use, places, opens + life - used.years[-1] - 1),
    }
    return found | _timing(used, opens) | _stranding(used.years, use, places, (opens, life))


def _timing(used: Used, opens: int) -> dict[str, Any]:
    """Say whether a project opens early or late; of one that opened before the launch neither."""
    short = np.flatnonzero(used.without > SHORT)
    if not len(short):
        return {}
    first = int(used.years[short[0]])
    if opens < used.years[0]:
        return {"first_needed": first}
    late = max(opens - first, 0)
    timing = {"first_needed": first, "too_early": first - opens > EARLY, "too_late": late > 0}
    return {**timing, "years_late": late}


def _stranding(
    years: Sequence[int], use: Array, places: Array, built: tuple[int, float]
) -> dict[str, Any]:
    """Say from when to the end less than half of a project is used that once was."""
    opens, life = built
    filled = np.flatnonzero((places > 0) & (use >= HALF * places))
    if not len(filled):
        return {"stranded": False}
    later = np.flatnonzero(places[filled[-1] + 1 :] > 0)
    if not len(later):
        return {"stranded": False}
    since = int(years[filled[-1] + 1 + later[0]])
    early = None if np.isnan(life) else bool(since - opens < life / 2)
    return {"stranded": early, "stranded_from": since}


def _share_of_life(use: Array, places: Array, left: float) -> float:
    """Return use over places and years of a life; the last year's use is held to its end."""
    left = left if np.isnan(left) else max(left, 0.0)
    return float((use.sum() + use[-1] * left) / (places.sum() + places[-1] * left))
