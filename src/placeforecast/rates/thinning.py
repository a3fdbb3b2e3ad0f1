"""Small districts made from large ones: real pupils thinned child by child.

Rates of a large district are hardly noisy, so which model serves small ones has to be seen on small
ones. Each child of a district is kept with the same chance. A cohort is drawn once, at birth (or in
the first year that it is seen), and from then on only those who leave and join are drawn again, so
that a grade and the grade above it a year later hold the same children, as they do in life:

    kept_0 ~ Bin(n_0, k),   kept_1 = Stayers + Joiners,   s = min(n_0, n_1)
    Stayers ~ Hypergeometric(kept_0 of n_0, s drawn),   Joiners ~ Bin(n_1 - s, k)

Then every count n is Bin(n, k), as if its children had been picked one by one. Only net leavers or
joiners of a cohort are known, so a thinned district is somewhat quieter than a real one of its
size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placeforecast.tables.doors import to_array, to_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from placeforecast.tables.doors import Array

ENGLAND = ("R", *(str(grade) for grade in range(1, 15)))
COMPULSORY = 12  # Reception to Year 11


def thin(
    enrolment: pd.DataFrame,
    births: pd.DataFrame,
    size: float,
    rng: np.random.Generator,
    *,
    grades: Sequence[str] = ENGLAND,
    sized: int = COMPULSORY,
    age_of_births: int = 4,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Thin every district to about `size` pupils.

    Parameters
    ----------
    enrolment : DataFrame [district, year, grade, pupils]
        Consecutive years; a count that is missing stays missing, and its cohort is drawn anew.
    births : DataFrame [district, year, births]
        Of the same districts.
    size : float
        Pupils of the first `sized` grades in a thinned district, on average over the years. A
        district that has fewer stays as it is.
    rng : Generator
        The same seed gives the same children.
    grades : sequence of str, optional
        From the lowest up, each entered from the one before it; by default England's.
    sized : int, optional
        How many of the lowest grades make up `size`; by default Reception to Year 11.
    age_of_births : int, optional
        Years from the row of births to that of the lowest grade which holds most of its children;
        by default England's: Reception of 2018 is nearest to births of July 2013 to June 2014.

    Returns
    -------
    tuple of DataFrame
        Thinned `enrolment` and `births`: the same rows in the order of their keys, these columns.

    Raises
    ------
    InputError
        If a district has no births or a grade is not known.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from placeforecast.rates.thinning import thin
    >>> births = pd.DataFrame({"district": "A", "year": [2010, 2011], "births": [4000, 4100]})
    >>> rows = [("A", 2014, "R", 3900), ("A", 2015, "R", 4000), ("A", 2015, "1", 3950)]
    >>> enrolment = pd.DataFrame(rows, columns=["district", "year", "grade", "pupils"])
    >>> small, born = thin(enrolment, births, 100, np.random.default_rng(1), sized=1)
    >>> bool(small["pupils"].between(60, 140).all() and born["births"].between(60, 140).all())
    True
    """
    districts = sorted(set(enrolment["district"]))
    axes = {"district": districts, "year": _span(enrolment), "grade": list(grades)}
    cohorts = {"district": districts, "year": _span(births)}
    own = births[births["district"].isin(districts)]
    pupils = to_array(enrolment, axes, "pupils", name="enrolment", holes=True)
    born = to_array(own, cohorts, "births", name="births", holes=True)
    chance = np.minimum(size / np.nansum(pupils[:, :, :sized], axis=2).mean(axis=1), 1.0)
    kept_born = _keep(born, chance[:, np.newaxis], rng)
    kept = np.full_like(pupils, np.nan)
    for t, year in enumerate(axes["year"]):
        at = year - age_of_births - cohorts["year"][0]
        if 0 <= at < born.shape[1]:
            kept[:, t, 0] = _carry(born[:, at], kept_born[:, at], pupils[:, t, 0], chance, rng)
        else:
            kept[:, t, 0] = _keep(pupils[:, t, 0], chance, rng)
        for g in range(1, len(grades)):
            if t == 0:
                kept[:, t, g] = _keep(pupils[:, t, g], chance, rng)
            else:
                before, had = pupils[:, t - 1, g - 1], kept[:, t - 1, g - 1]
                kept[:, t, g] = _carry(before, had, pupils[:, t, g], chance, rng)
    counted = to_table(kept, axes, "pupils", where=~np.isnan(kept))
    return counted, to_table(kept_born, cohorts, "births", where=~np.isnan(kept_born))


def _span(table: pd.DataFrame) -> list[int]:
    return list(range(int(table["year"].min()), int(table["year"].max()) + 1))


def _keep(count: Array, chance: Array, rng: np.random.Generator) -> Array:
    """Keep each with a chance; NaN where there is no count."""
    known = np.isfinite(count)
    whole = np.rint(np.where(known, count, 0)).astype(np.int64)
    return np.where(known, rng.binomial(whole, chance), np.nan)


def _carry(
    before: Array, kept: Array, after: Array, chance: Array, rng: np.random.Generator
) -> Array:
    """Carry kept children on: some leave, some join."""
    known = np.isfinite(before) & np.isfinite(after) & np.isfinite(kept)
    start, end, had = (
        np.rint(np.where(known, count, 0)).astype(np.int64) for count in (before, after, kept)
    )
    same = np.minimum(start, end)
    stayed = rng.hypergeometric(had, start - had, same)
    joined = rng.binomial(end - same, chance)
    return np.where(known, stayed + joined, _keep(after, chance, rng))
