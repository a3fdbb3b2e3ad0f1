"""The districts of a forecast: the whole region, those right below it, and where data stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placeforecast.tables.districts import members
from placeforecast.tables.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from placeforecast.chain.record import Forecast


@dataclass(frozen=True)
class Areas:
    """The districts of a forecast, from the top.

    Attributes
    ----------
    top : str or None
        The one district that all others belong to; None if there is no such district, which means
        all of them together.
    units : tuple of str
        The districts right below `top`; the top itself if nothing is below it.
    leaves : Mapping of str to tuple of str
        The districts with data at or below each district.
    """

    top: str | None
    units: tuple[str, ...]
    leaves: Mapping[str, tuple[str, ...]]

    @property
    def shown(self) -> tuple[str | None, ...]:
        """The top and then its parts; only the top where it has none."""
        if self.units == (self.top,) or (self.top is None and len(self.units) == 1):
            return self.units
        return (self.top, *self.units)

    def below(self, district: str | None) -> tuple[str, ...]:
        """Return the districts with data at or below one; None means all of them.

        Raises
        ------
        ValueError
            If there is no such district.
        """
        if district is None:
            return tuple(dict.fromkeys(x for unit in self.units for x in self.leaves[unit]))
        if district not in self.leaves:
            remedy = suggest(district, self.leaves)
            raise ValueError(f"there is no district {district!r} in the forecast. {remedy}")
        return self.leaves[district]


def areas_of(forecast: Forecast) -> Areas:
    """Return the districts of a forecast, from the top.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.review.areas import areas_of
    >>> areas = areas_of(pf.forecast(pf.load_example("city"), horizon=1))
    >>> areas.top, len(areas.units), len(areas.below(None))
    ('CITY', 8, 24)
    """
    there = {str(name) for name in forecast.pupils["district"].unique()}
    table = forecast.inputs.districts
    if table is None:
        leaves: dict[str, tuple[str, ...]] = {name: (name,) for name in sorted(there)}
        roots = list(leaves)
        return Areas(roots[0] if len(roots) == 1 else None, tuple(roots), leaves)
    found = {d: tuple(x for x in own if x in there) for d, own in members(table).items()}
    leaves = {d: own for d, own in found.items() if own}
    parents = _parents(table)
    roots = [name for name in leaves if parents.get(name) not in leaves]
    if len(roots) != 1:
        return Areas(None, tuple(roots), leaves)
    children = tuple(name for name in leaves if parents.get(name) == roots[0])
    return Areas(roots[0], children or tuple(roots), leaves)


def _parents(table: pd.DataFrame) -> Mapping[str, str]:
    if "parent" not in table.columns:
        return {}
    filled = table.dropna(subset=["parent"])
    return dict(zip(filled["district"].astype(str), filled["parent"].astype(str), strict=True))
