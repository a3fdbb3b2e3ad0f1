"""The ledger that a stage is judged by: public where it knows sectors, else all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the ledger that each stage is judged by.

    Parameters
    ----------
    table : DataFrame [stage, ledger, ...]

    Returns
    -------
    DataFrame
        The rows of ledger `public`; of a stage that has none, those of ledger `all`.

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
    public = set(table.loc[table["ledger"] == "public", "stage"])
    ledger = table["stage"].isin(public).map({True: "public", False: "all"})
    return table[table["ledger"] == ledger]
