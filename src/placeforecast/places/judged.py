"""The ledger that a stage is judged by in a district: public where it knows sectors, else all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

WHERE = ("scenario", "district", "year", "stage")
"""What has a ledger of its own: a district that knows no sectors is not left out beside others."""


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the ledger that each stage of each district is judged by.

    Parameters
    ----------
    table : DataFrame [stage, ledger, ...]
        Also told apart by `scenario`, `district` and `year`, where it has them.

    Returns
    -------
    DataFrame
        The rows of ledger `public`; where a stage of a district has none, those of ledger `all`.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.places.judged import judged
    >>> rows = [("primary", "all"), ("primary", "public"), ("special", "all")]
    >>> judged(pd.DataFrame(rows, columns=["stage", "ledger"]))
         stage  ledger
    1  primary  public
    2  special     all
    """
    public = table["ledger"] == "public"
    keys = [table[name] for name in WHERE if name in table.columns]
    told = public.groupby(keys, sort=False).transform("any")
    return table[public | (~told & (table["ledger"] == "all"))]
