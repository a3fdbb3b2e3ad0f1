"""Places needed, by ledger."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeforecast.rates.paths import policy_path, standard
from placeforecast.tables.check import check
from placeforecast.tables.grades import resolve_grades
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse, suggest
from placeforecast.tables.vocabulary import ledger_sectors

if TYPE_CHECKING:
    from placeforecast.tables.records import Assumptions

KEYS = ["district", "year", "grade"]
PUPILS = [*KEYS, "residence", "pupils", "share_born"]


def demand_places(
    pupils: pd.DataFrame, assumptions: Assumptions, *, grades: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Turn pupils into places needed, in each ledger.

    Demand is pupils over one minus the spare share of the standards (0 where there is none). The
    ledger ``all`` holds every pupil; ``public`` the pupils times the public share of the policy,
    for the districts and stages that have one.

    Parameters
    ----------
    pupils : DataFrame [district, year, grade, residence, pupils, share_born]
        Classes of residence are added up.
    assumptions : Assumptions
        `policy` and `standards`.
    grades : DataFrame, optional
        The school system; that of the assumptions, else cn-6-3-3.

    Returns
    -------
    DataFrame [district, year, grade, stage, ledger, pupils, demand, share_born]
        Pupils and places.

    Raises
    ------
    InputError
        For a grade that the school system does not know.

    Warns
    -----
    AssumptionWarning
        For a share of one class of residence, which is not computed with.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> pupils = pd.DataFrame({"district": "A", "year": [2026], "grade": "P1", "pupils": [90.0]})
    >>> spare = pd.DataFrame({"stage": ["primary"], "indicator": "spare_share", "value": 0.1})
    >>> pf.demand_places(pupils, pf.Assumptions(standards=spare))[["ledger", "pupils", "demand"]]
      ledger  pupils  demand
    0    all    90.0   100.0
    """
    system = resolve_grades(grades if grades is not None else assumptions.grades)
    pupils = check(pupils[[c for c in PUPILS if c in pupils.columns]], "pupils")
    _refuse_unknown_stages(assumptions, system)
    stage_of = dict(zip(system["grade"], system["stage"], strict=True))
    strangers = sorted(set(pupils["grade"]) - set(stage_of))
    if strangers:
        rule, remedy = "is not a grade of the school system", suggest(strangers[0], stage_of)
        refuse(
            [Problem(file="pupils", column="grade", value=strangers[0], rule=rule, remedy=remedy)]
        )
    cells = _one_residence(pupils).assign(stage=lambda t: t["grade"].map(stage_of))
    # No spare share is given: nothing is kept free, which is the documented default.
    spare = standard(assumptions.standards, "spare_share", cells).fillna(0.0)
    parts = [cells.assign(ledger="all", share=1.0)]
    for row in ledger_sectors().query("policy_indicator != ''").to_dict("records"):
        share = _share(cells, assumptions, str(row["policy_indicator"]))
        parts.append(cells.assign(ledger=row["ledger"], share=share))
    table = pd.concat(parts)
    table["pupils"] = table["pupils"] * table["share"]
    table["demand"] = table["pupils"] / (1 - spare.loc[table.index])
    table = table[table["share"].notna()].reset_index(drop=True)
    return table[[*KEYS, "stage", "ledger", "pupils", "demand", "share_born"]]


def _refuse_unknown_stages(assumptions: Assumptions, system: pd.DataFrame) -> None:
    """Refuse a policy or standard of a stage that is not there: it would change nothing, unsaid."""
    stages = set(system["stage"])
    for name in ("policy", "standards"):
        table: pd.DataFrame | None = getattr(assumptions, name)
        if table is None or "stage" not in table.columns:
            continue
        named = table["stage"].dropna()
        for value in dict.fromkeys(named[~named.isin(stages) & (named != "")]):
            rule, remedy = "is not a stage of the school system", suggest(str(value), stages)
            refuse([Problem(rule, remedy, file=name, column="stage", value=str(value))])


def _one_residence(pupils: pd.DataFrame) -> pd.DataFrame:
    if "share_born" not in pupils.columns:
        pupils = pupils.assign(share_born=np.nan)
    if "residence" not in pupils.columns:
        return pupils[[*KEYS, "pupils", "share_born"]].reset_index(drop=True)
    summed = pupils.groupby(KEYS, sort=False, as_index=False)
    # The cohort of a cell is the same in every class of residence, and so is what is born of it.
    return summed.agg(pupils=("pupils", "sum"), share_born=("share_born", "first"))


def _warn_residence(policy: pd.DataFrame | None, indicator: str) -> None:
    if policy is None or "residence" not in policy.columns:
        return
    if policy.loc[policy["indicator"] == indicator, "residence"].notna().any():
        text = f"policy: {indicator} of one class of residence is not computed with"
        warnings.warn(AssumptionWarning(text), stacklevel=4)


def _share(cells: pd.DataFrame, assumptions: Assumptions, indicator: str) -> pd.Series[float]:
    """Return the share of each cell; NaN where the policy has none."""
    pairs = list(dict.fromkeys(zip(cells["district"], cells["stage"], strict=True)))
    years = sorted(set(cells["year"]))
    _warn_residence(assumptions.policy, indicator)
    path = policy_path(assumptions.policy, indicator, pairs, years)
    row = {pair: i for i, pair in enumerate(pairs)}
    column = {year: i for i, year in enumerate(years)}
    at = [row[pair] for pair in zip(cells["district"], cells["stage"], strict=True)]
    return pd.Series(path[at, [column[year] for year in cells["year"]]], index=cells.index)
