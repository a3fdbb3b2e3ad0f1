"""What past launches said, beside what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.tables.doors import Array


@dataclass(frozen=True)
class Replayed:
    """Forecast and actual pupils of past launches.

    Attributes
    ----------
    forecast, actual : ndarray [launch, lead, grade, district]
        Pupils; NaN where a launch does not reach, or nothing was counted. Lead 1 comes first.
    share_born : ndarray [launch, lead, grade, district]
        Share of the cell's births that were known at the launch.
    launched : ndarray [launch, grade, district]
        Pupils of the launch year.
    axes : mapping
        Labels of `launch`, `lead`, `grade` and `district`.
    impossible : mapping of int to str
        Launches that could not be replayed, and why.
    """

    forecast: Array
    actual: Array
    share_born: Array
    launched: Array
    axes: Mapping[str, list[Any]]
    impossible: Mapping[int, str]
