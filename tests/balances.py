"""Identities that every balance of places obeys, as checks on its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ["year", "ledger", "plan_case"]
SUMS = ["pupils", "demand", "places", "balance", "cell_shortfall", "cell_surplus"]


def assert_books_balance(cells: pd.DataFrame, stages: pd.DataFrame) -> None:
    """Check that places = demand + surplus - shortfall, in every cell and in every stage."""
    gap = cells["places"] - cells["demand"]
    np.testing.assert_allclose(cells["balance"], gap, atol=1e-9, err_msg="balance of a cell")
    for kind in ("", "cell_"):
        short, spare = stages[f"{kind}shortfall"], stages[f"{kind}surplus"]
        assert (short >= 0).all(), f"a negative {kind}shortfall"
        assert (spare >= 0).all(), f"a negative {kind}surplus"
        right = stages["demand"] + spare - short
        message = f"places = demand + {kind}surplus - {kind}shortfall"
        np.testing.assert_allclose(stages["places"], right, rtol=1e-12, atol=1e-9, err_msg=message)
    both = np.minimum(stages["shortfall"], stages["surplus"])
    np.testing.assert_allclose(both, 0, atol=0, err_msg="short and idle at once")
    net = stages["surplus"] - stages["shortfall"]
    np.testing.assert_allclose(stages["balance"], net, rtol=1e-12, atol=1e-9, err_msg="net balance")


def assert_stages_are_sums_of_cells(cells: pd.DataFrame, stages: pd.DataFrame) -> None:
    """Check each stage of a leaf against its cells; no cell is set off against another."""
    keys = ["district", "stage", *KEYS]
    parts = cells.assign(
        cell_shortfall=(cells["demand"] - cells["places"]).clip(lower=0),
        cell_surplus=(cells["places"] - cells["demand"]).clip(lower=0),
    )
    values = ["demand", "places", "balance", "cell_shortfall", "cell_surplus"]
    summed = parts.groupby(keys)[values].sum()
    listed = stages.set_index(keys)[values]
    assert summed.index.isin(listed.index).all(), "a stage is missing"
    np.testing.assert_allclose(
        listed.loc[summed.index], summed, rtol=1e-12, atol=1e-9, err_msg="stages from cells"
    )


def assert_rolls_up(stages: pd.DataFrame, parent_of: Mapping[str, str]) -> None:
    """Check that every parent is the sum of those directly below it."""
    keys = ["district", "stage", *KEYS]
    below = stages[stages["district"].isin(set(parent_of))]
    below = below.assign(district=below["district"].map(parent_of))
    summed = below.groupby(keys)[SUMS].sum()
    parents = stages[stages["district"].isin(set(parent_of.values()))].set_index(keys)[SUMS]
    pd.testing.assert_index_equal(summed.index, parents.sort_index().index)
    np.testing.assert_allclose(
        parents.sort_index(), summed, rtol=1e-12, atol=1e-6, err_msg="parents from children"
    )


def assert_combined(stages: pd.DataFrame, name: str, members: set[str]) -> None:
    """Check that a combined stage is the sum of its members, in the ledgers that hold them all."""
    keys = ["district", *KEYS]
    held = [set(stages.loc[stages["stage"] == member, "ledger"]) for member in members]
    stages = stages[stages["ledger"].isin(set.intersection(*held))]
    summed = stages[stages["stage"].isin(members)].groupby(keys)[SUMS].sum()
    combined = stages[stages["stage"] == name].set_index(keys)[SUMS].sort_index()
    pd.testing.assert_index_equal(summed.index, combined.index)
    np.testing.assert_allclose(combined, summed, rtol=1e-12, atol=1e-6, err_msg=f"stage {name}")
