"""Staff that pupils need, beside the posts approved and those who will still be in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.places.classes import rooms_and_staff
from placeforecast.places.judged import judged
from placeforecast.tables.districts import NO_LEVEL, levels, members
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.tables.records import Assumptions

TRAINED_FOR = 4
"""Years that a trainee takes: what is asked for today comes to a school then (a county plan)."""
TRAINEE_SHARE = 0.5
"""Of the posts vacant then, so many are asked for as trainees (the same plan)."""
TEMPORARY_SHARE = 0.05
"""Temporary staff are at most so many for each post (the same plan)."""
EVERY = "every stage"
"""What a row of posts is called that names no stage."""
COLUMNS = [
    *("district", "level", "year", "stage", "pupils", "staff", "posts_cap", "posts_left"),
    *("beyond_cap", "to_recruit", "idle_posts", "trainees", "staffed_places"),
]


def staff_and_posts(
    demand: pd.DataFrame,
    posts: pd.DataFrame,
    assumptions: Assumptions,
    *,
    launch_year: int,
    districts: pd.DataFrame | None = None,
    grades: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set the staff that pupils of public schools need against the posts of each year.

    Those in post are counted in the last year up to the launch; each later year takes its
    retirements off. A year without posts or retirements has no comparison: nothing is carried on.

    Parameters
    ----------
    demand : DataFrame [district, year, grade, stage, ledger, pupils]
        From `demand_places`. Ledger `public`, or `all` where a stage of a district has no other.
    posts : DataFrame [district, year, stage, posts_cap, posts_filled, retirements]
        Of a district of any level; a blank stage is all stages together.
    assumptions : Assumptions
        `standards` with `class_size` and `pupils_per_staff` or `staff_per_class`.
    launch_year : int
    districts : DataFrame, optional
        How districts roll up.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, level, year, stage, pupils, staff, posts_cap, posts_left, beyond_cap, \
to_recruit, idle_posts, trainees, staffed_places]
        Members of staff and posts. `posts_left`: in post at the launch and not retired by then.
        `beyond_cap`: staff needed above the posts approved. `to_recruit`: staff needed above those
        left; `idle_posts` the reverse. `trainees`: half of the posts that are needed and vacant
        four years later, to be asked for in this year. `staffed_places`: places that the posts
        approved can staff, with 5 % of temporary staff; of single stages with `pupils_per_staff`.

    Raises
    ------
    InputError
        For posts of a district or stage that is not taught, or without the standards it needs.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.places.staffing import staff_and_posts
    >>> cell = {"district": "A", "grade": "P1", "stage": "primary", "ledger": "public"}
    >>> demand = pd.DataFrame([{**cell, "year": y, "pupils": 1900.0} for y in (2025, 2026)])
    >>> posts = pd.DataFrame({"district": "A", "year": [2025, 2026], "stage": "primary",
    ...     "posts_cap": 98.0, "posts_filled": [97.0, None], "retirements": [2.0, 4.0]})
    >>> norms = pd.DataFrame({"indicator": ["class_size", "pupils_per_staff"], "value": [45, 19]})
    >>> table = staff_and_posts(demand, posts, pf.Assumptions(standards=norms), launch_year=2025)
    >>> table[["year", "staff", "posts_cap", "posts_left", "beyond_cap", "to_recruit"]]
       year  staff  posts_cap  posts_left  beyond_cap  to_recruit
    0  2025  100.0       98.0        97.0         2.0         3.0
    1  2026  100.0       98.0        93.0         2.0         7.0
    """
    posts = posts.assign(stage=_stages(posts), **_blank_columns(posts))
    below = {} if districts is None else members(districts)
    needed = _needed(rooms_and_staff(judged(demand), assumptions, grades=grades), posts, below)
    named = levels(districts)
    parts = []
    for (district, stage), own in needed.items():
        rows = posts[(posts["district"] == district) & (posts["stage"] == stage)]
        known = rows.set_index("year")
        table = own.assign(
            district=district,
            level=named.get(district, NO_LEVEL),
            stage=stage,
            posts_cap=known["posts_cap"].reindex(own.index),
            posts_left=_left(known, own.index, launch_year),
        )
        wanted = table[["posts_cap", "staff"]].min(axis=1, skipna=False)
        vacant = (wanted - table["posts_left"]).clip(lower=0)
        later = vacant.reindex(own.index + TRAINED_FOR).set_axis(own.index)
        staffed = (1 + TEMPORARY_SHARE) * table["posts_cap"]
        per_staff = table["pupils"] / table["staff"].where(table["staff"] > 0)
        parts.append(
            table.assign(
                beyond_cap=(table["staff"] - table["posts_cap"]).clip(lower=0),
                to_recruit=(table["staff"] - table["posts_left"]).clip(lower=0),
                idle_posts=(table["posts_left"] - table["staff"]).clip(lower=0),
                trainees=TRAINEE_SHARE * later,
                # Of all stages together a place has no one number of pupils per member of staff.
                staffed_places=np.nan if stage == EVERY else staffed * per_staff,
            ).reset_index(names="year")
        )
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _stages(posts: pd.DataFrame) -> pd.Series[str]:
    if "stage" not in posts.columns:
        return pd.Series(EVERY, index=posts.index)
    return posts["stage"].where(posts["stage"].notna() & (posts["stage"] != ""), EVERY)


def _blank_columns(posts: pd.DataFrame) -> dict[str, float]:
    return {name: np.nan for name in ("posts_filled", "retirements") if name not in posts.columns}


def _needed(
    rooms: pd.DataFrame, posts: pd.DataFrame, below: Mapping[str, list[str]]
) -> dict[tuple[str, str], pd.DataFrame]:
    """Return pupils and staff by year for each district and stage that has posts."""
    needed, problems = {}, []
    for district, stage in dict.fromkeys(zip(posts["district"], posts["stage"], strict=True)):
        own = rooms[rooms["district"].isin(below.get(district, [district]))]
        own = own if stage == EVERY else own[own["stage"] == stage]
        lacking = sorted(set(own.loc[own["staff"].isna(), "stage"]))
        if own.empty or lacking:
            rule = f"has posts of {stage}, " + (
                f"and there is neither pupils_per_staff nor staff_per_class of {lacking[0]}"
                if lacking
                else "where nobody is taught"
            )
            remedy = (
                "Add the standard, or give posts by stage and leave this one out."
                if lacking
                else "Check the names of district and stage."
            )
            problems.append(Problem(rule, remedy, file="posts", value=str(district)))
            continue
        needed[district, stage] = own.groupby("year")[["pupils", "staff"]].sum()
    refuse(problems)
    return needed


def _left(known: pd.DataFrame, years: pd.Index[int], launch_year: int) -> pd.Series[float]:
    """Return those in post at the launch who are still there, while retirements are known."""
    left = pd.Series(np.nan, index=years)
    filled = known.loc[known.index <= launch_year, "posts_filled"].dropna()
    if filled.empty:
        return left
    since, there = int(filled.index.max()), float(filled.loc[filled.index.max()])
    for year in range(since, int(years.max()) + 1):
        if year > since:
            there -= float(known["retirements"].get(year, np.nan))
        if year in years:
            left[year] = there
    return left
