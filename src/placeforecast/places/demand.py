"""Places needed, by ledger."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.enrolment.transfers import apply_transfers
from placeforecast.places.hands import changed_hands
from placeforecast.places.sectors import ledger_shares
from placeforecast.rates.standards import standard
from placeforecast.tables.check import check
from placeforecast.tables.grades import combined_in
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.structure import structure_changes, with_structure
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from placeforecast.tables.records import Assumptions

KEYS = ["district", "year", "grade"]
NOBODY = 1e-9
PUPILS = [*KEYS, "residence", "pupils", "share_born"]


def demand_places(
    pupils: pd.DataFrame, assumptions: Assumptions, *, grades: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Turn pupils into places needed, in each ledger.

    Pupils are moved by the transfers, and each ledger holds the shares of its sectors: ``all``
    every pupil; ``public`` the public share; ``inclusive`` (kindergarten) the inclusive share;
    ``public_with_purchased`` (primary, junior) public and purchased shares; each where the policy
    has them. Migrants have their own share, a cap on the private share turns pupils public, and a
    school that changes hands takes its pupils along. Demand is pupils over one minus the spare
    share of the standards (0 where there is none).

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, residence, pupils, share_born]
        Shares hold by class of residence; the result adds the classes up.
    assumptions : Assumptions
        `policy`, `standards`, `transfers`; `projects` and `places` for schools that change hands;
        `districts` for policies of parents.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, year, grade, stage, ledger, pupils, demand, share_born]
        Pupils and places.

    Raises
    ------
    InputError
        For a grade that the school system does not know, shares that are more than the whole, or
        a share of migrants where residence is not told apart.

    Warns
    -----
    AssumptionWarning
        Where more places change hands than there are pupils to move.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> pupils = pd.DataFrame({"district": "A", "year": [2026], "grade": "P1", "pupils": [90.0]})
    >>> spare = pd.DataFrame({"stage": ["primary"], "indicator": "spare_share", "value": 0.1})
    >>> pf.demand_places(pupils, pf.Assumptions(standards=spare))[["ledger", "pupils", "demand"]]
      ledger  pupils  demand
    0    all    90.0   100.0
    """
    given = grades if grades is not None else assumptions.grades
    system = with_structure(given, assumptions.events)
    pupils = check(pupils[[c for c in PUPILS if c in pupils.columns]], "pupils")
    _refuse_unknown_stages(assumptions, system)
    stage_of = dict(zip(system["grade"].tolist(), system["stage"].tolist(), strict=True))
    strangers = sorted(set(pupils["grade"].unique().tolist()) - set(stage_of))
    if strangers:
        rule, remedy = "is not a grade of the school system", suggest(strangers[0], stage_of)
        refuse(
            [Problem(file="pupils", column="grade", value=strangers[0], rule=rule, remedy=remedy)]
        )
    changes = structure_changes(assumptions.events, system)
    moving = {name for change in changes for name in (change.grade, change.becomes)}
    moved = apply_transfers(pupils, assumptions.transfers, grades=system, moving=moving)
    cells = _with_share_born(moved).assign(stage=lambda t: t["grade"].map(stage_of))
    hands = changed_hands(assumptions, sorted(cells["year"].unique().tolist()), grades=system)
    leaving = _leaving_private(cells, hands, assumptions)
    parts = []
    for ledger, share in ledger_shares(cells, assumptions, leaving=leaving).items():
        held = cells.assign(ledger=ledger, share=share, pupils=cells["pupils"] * share)
        parts.append(_one_residence(held[held["share"].notna()]))
    table = pd.concat(parts, ignore_index=True)
    table["pupils"] += pupils_changing_hands(table, hands, assumptions)
    # No spare share is given: nothing is kept free, which is the documented default.
    spare = standard(assumptions.standards, "spare_share", table).fillna(0.0)
    table["demand"] = table["pupils"] / (1 - spare)
    return table[[*KEYS, "stage", "ledger", "pupils", "demand", "share_born"]]


def _refuse_unknown_stages(assumptions: Assumptions, system: pd.DataFrame) -> None:
    """Refuse a policy or standard of a stage that is not there: it would change nothing, unsaid."""
    stages = set(system["stage"].tolist())
    combined = set(combined_in(list(stages)))
    for name in ("policy", "standards"):
        table: pd.DataFrame | None = getattr(assumptions, name)
        if table is None or "stage" not in table.columns:
            continue
        named = table["stage"].dropna()
        known = stages | combined if name == "policy" else stages
        for value in named[~named.isin(known) & (named != "")].unique().tolist():
            rule, remedy = "is not a stage of the school system", suggest(str(value), stages)
            refuse([Problem(rule, remedy, file=name, column="stage", value=str(value))])


def _with_share_born(pupils: pd.DataFrame) -> pd.DataFrame:
    whole = pupils.reset_index(drop=True)
    return whole if "share_born" in whole.columns else whole.assign(share_born=np.nan)


def _one_residence(pupils: pd.DataFrame) -> pd.DataFrame:
    """Add the classes of residence up."""
    if "residence" not in pupils.columns:
        return pupils
    summed = pupils.groupby([*KEYS, "stage", "ledger"], sort=False, as_index=False)
    # The cohort of a cell is the same in every class of residence, and so is what is born of it.
    return summed.agg(pupils=("pupils", "sum"), share_born=("share_born", "first"))


def _leaving_private(
    cells: pd.DataFrame, hands: pd.DataFrame, assumptions: Assumptions
) -> pd.Series[float]:
    """Return the pupils of each cell who leave private schools with them, less those who come.

    They count towards the private cap: else a school that turns public would be counted twice.
    """
    private = hands["from_sector"].eq("private").astype(int) - hands["sector"].eq("private")
    net = (hands["places"] * private).groupby([hands[key] for key in KEYS]).sum()
    # A cell without a school that changes hands loses nobody.
    places = net.reindex(pd.MultiIndex.from_frame(cells[KEYS])).fillna(0.0).to_numpy()
    # No spare share: nothing is kept free; a cell without pupils has no part of who leaves.
    spare = standard(assumptions.standards, "spare_share", cells).fillna(0.0)
    whole = cells["pupils"].groupby([cells[key] for key in KEYS]).transform("sum")
    part = (cells["pupils"] / whole.where(whole > 0)).fillna(0.0)
    return pd.Series(places, index=cells.index) * (1 - spare) * part


def pupils_changing_hands(
    cells: pd.DataFrame, hands: pd.DataFrame, assumptions: Assumptions
) -> pd.Series[float]:
    """Return the pupils that each ledger gains or loses with the schools that change hands.

    A school that turns public brings as many pupils as places (less the spare share), so that
    demand and supply move together; a ledger cannot gain more pupils than stand outside it.

    Parameters
    ----------
    cells : DataFrame [district, year, grade, stage, ledger, pupils]
    hands : DataFrame [district, year, grade, from_sector, sector, places]
        From `changed_hands`.
    assumptions : Assumptions
        `standards`.

    Warns
    -----
    AssumptionWarning
        Where fewer pupils stand outside a ledger than places come into it.
    """
    change = pd.Series(0.0, index=cells.index)
    if hands.empty:
        return change
    spare = standard(assumptions.standards, "spare_share", cells).fillna(0.0)
    at = pd.MultiIndex.from_frame(cells[KEYS])
    total = cells["pupils"].where(cells["ledger"] == "all").groupby([cells[k] for k in KEYS])
    outside = total.transform("sum") - cells["pupils"]
    for ledger, members in ledger_sectors().groupby("ledger", sort=False):
        own = set(members["sector"])
        sign = hands["sector"].isin(own).astype(int) - hands["from_sector"].isin(own).astype(int)
        net = (hands["places"] * sign).groupby([hands[key] for key in KEYS]).sum()
        here = cells["ledger"] == ledger
        # A cell without a school that changes hands gains nothing.
        moved = pd.Series(net.reindex(at).fillna(0.0).to_numpy(), index=cells.index) * (1 - spare)
        change = change.where(~here, np.clip(moved, -cells["pupils"], outside))
        _warn_few(cells[here & (moved.abs() > change.abs() + NOBODY)], str(ledger))
    return change


def _warn_few(cells: pd.DataFrame, ledger: str) -> None:
    if len(cells):
        row = cells.iloc[0]
        text = (
            f"projects: more places change hands than pupils do ({ledger}, {len(cells)} cells, "
            f"first: {row['district']} {row['grade']} {row['year']}); the pupils there are move"
        )
        warnings.warn(AssumptionWarning(text), stacklevel=4)
