"""Dated events that change how many are born: a dragon year, an allowance, a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast.tables.districts import members

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNEL = "births"


def with_birth_events(
    births: pd.DataFrame | None,
    fertility: pd.DataFrame | None,
    events: pd.DataFrame | None,
    *,
    years: Sequence[int],
    names: Sequence[str],
    districts: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Multiply births that are not recorded, and the fertility of the same school years.

    Births that are recorded hold the event already.

    Parameters
    ----------
    births : DataFrame [district, year, births, share_born] or None
        School-year cohorts.
    fertility : DataFrame [district, year, age, asfr] or None
        Of the same school years.
    events : DataFrame or None
        Those of channel ``births``; `year_from` and `year_to` are school years of birth.
    years : sequence of int
        School years for which fertility is written out where it has no years.
    names : sequence of str
        Districts for which it is written out where it has none.
    districts : DataFrame, optional
        How districts roll up, for events of parents.

    Returns
    -------
    tuple of DataFrame or None
        Births and fertility; as they came where there is no such event.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.rates.events import with_birth_events
    >>> births = pd.DataFrame({"district": "A", "year": [2027, 2028], "births": 100.0,
    ...                        "share_born": [0.5, 0.0]})
    >>> events = pd.DataFrame({"event": ["dragon"], "year_from": 2027, "year_to": 2028,
    ...                        "channel": "births", "effect": 1.1})
    >>> with_birth_events(births, None, events, years=[2028], names=["A"])[0].births.tolist()
    [105.0, 110.00000000000001]
    """
    if events is None or not (events["channel"] == CHANNEL).any():
        return births, fertility
    own = events[events["channel"] == CHANNEL]
    if births is not None:
        born = births["share_born"] if "share_born" in births.columns else 1.0
        effect = _effects(births, own, districts)
        births = births.assign(births=births["births"] * (born + (1 - born) * effect))
    if fertility is not None:
        fertility = _written_out(_written_out(fertility, "year", years), "district", names)
        effect = _effects(fertility, own, districts)
        fertility = fertility.assign(asfr=fertility["asfr"] * effect)
    return births, fertility


def _written_out(table: pd.DataFrame, key: str, labels: Sequence[Any]) -> pd.DataFrame:
    """Repeat a table that holds for every label, once for each."""
    if key in table.columns:
        return table
    return pd.concat([table.assign(**{key: label}) for label in labels], ignore_index=True)


def _effects(
    table: pd.DataFrame, events: pd.DataFrame, districts: pd.DataFrame | None
) -> pd.Series[float]:
    effect = pd.Series(1.0, index=table.index)
    below = {} if districts is None else members(districts)
    for event in events.to_dict("records"):
        last = event.get("year_to")
        here = table["year"] >= int(event["year_from"])
        here &= True if pd.isna(last) else table["year"] <= int(last)
        where = event.get("district")
        if isinstance(where, str) and where:
            here &= table["district"].isin([where, *below.get(where, [])])
        effect *= np.where(here, float(event["effect"]), 1.0)
    return effect
