"""The map of the balance, on the office's own boundaries."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from placeforecast import plot
from placeforecast.plot.geojson import read_boundaries
from placeforecast.report.compose_opening import spells
from placeforecast.report.model import Figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from placeforecast.report.view import View

PROPERTY = "district"
"""The property of a feature that holds the code of its district."""


def map_figures(view: View) -> list[Figure]:
    """Return the map of the stage and year in which a district is most short; else most idle.

    Raises
    ------
    ValueError
        If the boundaries have neither every district right below the region nor every one that
        data stand on.
    """
    if view.geojson is None:
        return []
    worst = [*spells(view, "short"), *spells(view, "idle")]
    if not worst:
        return []
    stage, year = worst[0].stage, worst[0].worst
    balance = view.forecast.balance
    assert balance is not None  # spells are of a balance
    rows = balance[(balance["stage"] == stage) & (balance["year"] == year)]
    rows = rows[(rows["ledger"] == view.ledger(stage)) & (rows["plan_case"] == view.case)]
    table = rows[rows["district"].isin(_mapped(view))][["district", "balance"]]
    low, high = (table.loc[table["balance"].agg(end)] for end in ("idxmin", "idxmax"))
    fields: dict[str, Any] = {
        "area": view.name(view.areas.shown[0]),
        "stage": view.words.stage(stage),
        "year": year,
    }
    for end, row in (("low", low), ("high", high)):
        fields |= {end: view.count(row["balance"]), f"{end}_area": view.printed(row["district"])}
    caption, alt = view.words("balance.map", **fields), view.words("balance.map_alt", **fields)
    return [Figure("map", caption, alt, partial(_draw, view, table, caption))]


def _mapped(view: View) -> list[str]:
    """Return the districts of the level that the boundaries are of."""
    assert view.geojson is not None
    known = set(read_boundaries(view.geojson, PROPERTY))
    levels = {"units": view.areas.units, "leaves": view.areas.leaves}
    districts = [[str(name) for name in names if name is not None] for names in levels.values()]
    for names in districts:
        if names and set(names) <= known:
            return names
    lacking = sorted(set(districts[0]) - known)
    raise ValueError(
        f"the boundaries lack {', '.join(lacking[:12])} of the districts right below the region: "
        f"add a feature with that {PROPERTY} for each"
    )


def _draw(view: View, table: pd.DataFrame, title: str) -> Drawing:
    assert view.geojson is not None
    axes = plot.district_map(
        table,
        view.geojson,
        "balance",
        name=PROPERTY,
        labels={name: view.printed(name) for name in table["district"].tolist()},
        title=title,
        language=view.words.language,
    )
    drawing = axes.get_figure(root=True)
    assert drawing is not None
    return drawing
