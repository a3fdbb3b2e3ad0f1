"""How long it takes until a place opens, counted so that a given risk of being late is left."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.places.delivery import DELAYS, delivery_prospects
from placeforecast.rates.standards import standard
from placeforecast.tables.problems import AssumptionWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

ASKED = "a new school, proposed now"
"""Label of the project whose delays are asked for."""
ROUNDING = 1e-9


def delay_quantile(chances: Sequence[float], quantile: float) -> int:
    """Return the delay that is not passed with the chance asked for.

    Parameters
    ----------
    chances : sequence of float
        Of a delay of 0, 1, 2, ... years; they add up to 1.
    quantile : float
        Between 0 and 1.

    Returns
    -------
    int
        Years.

    Examples
    --------
    >>> from placeforecast.review.lead import delay_quantile
    >>> delay_quantile([0.5, 0.3, 0.2], 0.8), delay_quantile([0.5, 0.3, 0.2], 0.81)
    (1, 2)
    """
    return int((np.cumsum(chances) < quantile - ROUNDING).sum())


def proposed_delays(projects: pd.DataFrame | None, launch_year: int) -> list[float]:
    """Return the chances that a new school proposed now opens 0, 1, 2, ... years late.

    Shipped ones, re-estimated from the region's own projects by `delivery_prospects`.

    Parameters
    ----------
    projects : DataFrame or None
        The plan.
    launch_year : int
        Openings up to this school year are known.

    Examples
    --------
    >>> from placeforecast.review.lead import proposed_delays
    >>> proposed_delays(None, 2025)
    [0.45, 0.25, 0.15, 0.1, 0.05]
    """
    asked = {"project": [ASKED], "kind": ["new"], "status": ["proposed"], "opens": [launch_year]}
    row = pd.DataFrame({**asked, "stage": [ASKED], "district": [ASKED], "places": [1.0]})
    plan = row if projects is None else pd.concat([projects, row], ignore_index=True)
    with warnings.catch_warnings():
        # What is odd about the plan is said when its places are scheduled.
        warnings.simplefilter("ignore", AssumptionWarning)
        prospects = delivery_prospects(plan, launch_year=launch_year)
    return [float(prospects[name].iloc[-1]) for name in DELAYS]


def lead_times(
    rows: pd.DataFrame,
    standards: pd.DataFrame | None,
    *,
    quantile: float,
    delays: Sequence[float] = (1.0,),
) -> pd.Series[Any]:
    """Return the years from approval to opening that are kept with the chance asked for.

    `lead_time` of the standards, plus the quantile of the delay.

    Parameters
    ----------
    rows : DataFrame [district, stage, year]
        Cells to look the standard up for.
    standards : DataFrame or None
        With `lead_time` in years.
    quantile : float
        Between 0 and 1.
    delays : sequence of float
        Chances of a delay of 0, 1, 2, ... years.

    Returns
    -------
    Series
        Years, indexed as `rows`; NaN without a standard.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.review.lead import lead_times
    >>> rows = pd.DataFrame({"district": ["A"], "stage": "junior", "year": 2025})
    >>> standards = pd.DataFrame({"stage": ["junior"], "indicator": "lead_time", "value": 3.0})
    >>> lead_times(rows, standards, quantile=0.9, delays=[0.6, 0.3, 0.1]).tolist()
    [4.0]
    """
    return standard(standards, "lead_time", rows) + delay_quantile(delays, quantile)
