"""Which share of the pupils of a cell each ledger holds: sector shares, migrants, the private cap.

Pupils of a ledger are the pupils of the cell times the sum of the shares of its sectors. For
classes of residence r (domain identity): public = sum over r of public_ratio(r, t) x pupils(r).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.rates.paths import (
    policy_keys,
    policy_path,
    refuse_residence,
    refuse_strangers,
)
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.rates.paths import Cell, Key
    from placeforecast.tables.cells import Positions
    from placeforecast.tables.records import Assumptions, Inputs

SHARES = ("public_share", "inclusive_share", "purchased_share")
MIGRANT = "migrant"
ROUNDING = 1e-9
Shares = dict[str, "pd.Series[float]"]


@dataclass(frozen=True)
class _Named:
    """The districts and stages that cells name, and their years, each once.

    `row` and `column` say which of them each cell has.
    """

    pairs: list[Cell]
    years: list[int]
    row: Positions
    column: Positions


def ledger_shares(
    cells: pd.DataFrame, assumptions: Assumptions, *, leaving: pd.Series[float] | None = None
) -> Mapping[str, pd.Series[float]]:
    """Return for each ledger the share of each cell's pupils that it holds.

    Parameters
    ----------
    cells : DataFrame [district, year, grade, stage, residence, pupils]
        `residence` only where it is told apart.
    assumptions : Assumptions
        `policy`, and `districts` for rows of parents.
    leaving : Series, optional
        Pupils of each cell who leave private places with a school that changes hands: they are not
        in the shares, and a cap has only the rest to move.

    Returns
    -------
    mapping of str to Series
        By ledger, in the order of the vocabulary; NaN for a cell that the ledger does not hold.

    Raises
    ------
    InputError
        For shares that are more than the whole, a share of migrants where pupils are not told
        apart, or a cap on private pupils where the public share is not known.
    """
    known = cells["district"].unique().tolist()
    refuse_strangers(assumptions.policy, known, assumptions.districts)
    if "residence" not in cells.columns:
        refuse_residence(assumptions.policy, SHARES)
    named = _named(cells)
    shares = {name: _path(cells, named, assumptions, name) for name in SHARES}
    shares = _with_migrants(cells, named, assumptions, shares)
    shares = _capped(cells, named, assumptions, shares, leaving)
    _refuse_half_known(cells, shares)
    _refuse_more_than_whole(cells, shares)
    ledgers = {"all": pd.Series(1.0, index=cells.index)}
    members_of = ledger_sectors()
    by_policy = members_of[members_of["policy_indicator"] != ""]
    for ledger, members in by_policy.groupby("ledger"):
        told = members["policy_indicator"].unique().tolist()
        total = sum((shares[name] for name in told), start=pd.Series(0.0, index=cells.index))
        stages = set(members["stage"])
        held = total if "" in stages else total.where(cells["stage"].isin(stages))
        ledgers[str(ledger)] = held
    order = members_of["ledger"].unique().tolist()
    return {ledger: ledgers[ledger] for ledger in order}


def _named(cells: pd.DataFrame) -> _Named:
    keys = [key for key in ("district", "stage", "residence") if key in cells.columns]
    row = np.asarray(cells.groupby(keys, sort=False, dropna=False).ngroup(), dtype=np.intp)
    pairs = list(cells[keys].drop_duplicates().itertuples(index=False, name=None))
    years, column = np.unique(cells["year"].to_numpy(), return_inverse=True)
    return _Named(pairs, years.tolist(), row, column)


def _path(
    cells: pd.DataFrame, named: _Named, assumptions: Assumptions, indicator: str
) -> pd.Series[float]:
    """Return the value of an indicator in each cell; NaN where the policy has none."""
    tree = assumptions.districts
    path = policy_path(assumptions.policy, indicator, named.pairs, named.years, districts=tree)
    return pd.Series(path[named.row, named.column], index=cells.index)


def _with_migrants(
    cells: pd.DataFrame, named: _Named, assumptions: Assumptions, shares: Shares
) -> Shares:
    """Put the share of migrants in public or purchased places in the place of their public one."""
    ratio = _path(cells, named, assumptions, "migrant_public_share")
    if ratio.isna().all():
        return shares
    if "residence" not in cells.columns:
        rule = "gives migrant_public_share, but pupils are not told apart by residence"
        remedy = "Give enrolment with a column residence (local, migrant), or leave the share out."
        refuse([Problem(rule, remedy, file="policy", column="indicator")])
    migrants = (cells["residence"] == MIGRANT) & ratio.notna()
    # Purchased places count as public in this ratio, and private schools supply them.
    bought = shares["purchased_share"].fillna(0.0)
    public = shares["public_share"].where(~migrants, ratio - bought)
    short = migrants & (public < -ROUNDING)
    if short.any():
        row = _first(cells, short)
        rule = (
            f"has fewer migrants in public or purchased places than in purchased ones: {_at(row)}"
        )
        remedy = "Raise migrant_public_share, or lower purchased_share."
        refuse([Problem(rule, remedy, file="policy", column="value")])
    return {**shares, "public_share": public}


def _capped(
    cells: pd.DataFrame,
    named: _Named,
    assumptions: Assumptions,
    shares: Shares,
    leaving: pd.Series[float] | None,
) -> Shares:
    """Bring the private share down to its cap; those who leave are public pupils.

    A cap holds for the area and the stages that its row names, added up; a blank district is each
    district by itself, a blank stage each stage.
    """
    cap = _path(cells, named, assumptions, "private_cap")
    if cap.isna().all():
        return shares
    bound = cap.notna() & (cells["pupils"] > 0)
    if (bound & shares["public_share"].isna()).any():
        row = _first(cells, bound & shares["public_share"].isna())
        rule = f"gives private_cap, but no public share is known: {_at(row)}"
        remedy = "Give enrolment by sector, or public_share."
        refuse([Problem(rule, remedy, file="policy", column="indicator")])
    tree = assumptions.districts
    keys = policy_keys(assumptions.policy, "private_cap", named.pairs, districts=tree)
    areas = [_area(key, pair) for key, pair in zip(keys, named.pairs, strict=True)]
    at = {area: i for i, area in enumerate(dict.fromkeys(areas))}
    area = np.array([at[one] for one in areas])[named.row]
    group = pd.Series(area * len(named.years) + named.column, index=cells.index)[bound]
    pupils = cells.loc[bound, "pupils"]
    outside = 1 - shares["public_share"] - shares["purchased_share"].fillna(0.0)
    private = (pupils * outside[bound]).groupby(group).transform("sum")
    allowed = (pupils * cap[bound]).groupby(group).transform("sum")
    if leaving is not None:
        allowed = allowed + leaving[bound].groupby(group).transform("sum")
    over = private > allowed
    left = (allowed / private.where(over)).where(over, 1.0).reindex(cells.index, fill_value=1.0)
    moved = (outside * (1 - left)).where(left < 1.0, 0.0)
    raised = shares["public_share"] + moved
    # Whoever leaves other private kindergartens is in the inclusive ledger, too.
    inclusive = shares["inclusive_share"].mask(shares["inclusive_share"] < raised, raised)
    return {**shares, "public_share": raised, "inclusive_share": inclusive}


def _area(key: Key | None, pair: Cell) -> tuple[str, str]:
    """Return what a cell is added up with, year by year: the area and stages that its cap names."""
    if key is None:
        return "", ""
    return key[0] or f"={pair[0]}", key[1] or f"={pair[1]}"


def _refuse_more_than_whole(cells: pd.DataFrame, shares: Shares) -> None:
    public, bought = shares["public_share"], shares["purchased_share"]
    total = public + bought.fillna(0.0)
    over = total > 1 + ROUNDING
    if over.any():
        whole = float(total[over].iloc[0])
        rule = f"has public_share and purchased_share of {whole:g}: {_at(_first(cells, over))}"
        refuse([Problem(rule, "They are parts of 1: correct one of the two.", file="policy")])
    members = ledger_sectors()
    held = cells["stage"].isin(members.loc[members["ledger"] == "inclusive", "stage"])
    above = held & (public > shares["inclusive_share"] + ROUNDING)
    if above.any():
        of_public, of_both = public[above].iloc[0], shares["inclusive_share"][above].iloc[0]
        where = _at(_first(cells, above))
        rule = (
            f"has a public_share of {of_public:g} above the inclusive_share of {of_both:g}: {where}"
        )
        remedy = "Public kindergartens are part of the inclusive ones: give inclusive_share, too."
        refuse([Problem(rule, remedy, file="policy")])


def _refuse_half_known(cells: pd.DataFrame, shares: Shares) -> None:
    """Refuse a share of one class of residence alone: the ledger would leave the other one out."""
    if "residence" not in cells.columns:
        return
    keys = ["district", "year", "grade"]
    grade = cells.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    for name, share in shares.items():
        unknown = share.isna()
        some_known = np.bincount(grade, weights=share.notna())[grade] > 0
        half = unknown & some_known & (cells["pupils"] > 0)
        if half.any():
            rule = f"gives {name} of a part of the pupils, not of: {_at(_first(cells, half))}"
            remedy = "Give it for the other class of residence, too (0 if there are none)."
            refuse([Problem(rule, remedy, file="policy", column="residence")])


def _first(cells: pd.DataFrame, wrong: pd.Series[bool]) -> pd.Series[Any]:
    return cells[wrong].iloc[0]


def _at(row: pd.Series[Any]) -> str:
    who = f" {row['residence']}" if "residence" in row else ""
    return f"{row['district']} {row['stage']}{who} {row['year']}"


def untold_stages(inputs: Inputs, assumptions: Assumptions, launch: int) -> set[str]:
    """Return the stages in which a sector has pupils and no places are known of it."""
    enrolment, places, grades = inputs.enrolment, assumptions.places, inputs.grades
    assert enrolment is not None
    assert places is not None
    assert grades is not None
    if "sector" not in enrolment.columns or "sector" not in places.columns:
        return set()
    stage_of = dict(zip(grades["grade"].tolist(), grades["stage"].tolist(), strict=True))
    taught = enrolment[(enrolment["year"] == launch) & (enrolment["pupils"] > 0)]
    stages = taught["grade"].map(stage_of).tolist()
    wanted = set(zip(stages, taught["sector"].tolist(), strict=True))
    given = set(zip(places["stage"].tolist(), places["sector"].tolist(), strict=True))
    return {stage for stage, _ in wanted - given}
