"""Splitting a difference over what drives it, in no order: the value of Shapley."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placeforecast.tables.doors import Array


def subsets(drivers: Sequence[str]) -> Iterator[frozenset[str]]:
    """Return every set that can be made of the drivers, the smallest first."""
    for size in range(len(drivers) + 1):
        for chosen in combinations(drivers, size):
            yield frozenset(chosen)


def shapley(value: Callable[[frozenset[str]], Array], drivers: Sequence[str]) -> dict[str, Array]:
    """Split the difference that all drivers make together over the single ones.

    Each driver has the mean of what it changes over all orders in which the drivers can be
    switched, so that no order has to be chosen and nothing is left over (Shapley, 1953, "A value
    for n-person games").

    Parameters
    ----------
    value : callable
        Returns the figures with these drivers switched, and the others not. Called once for each
        of the 2^n sets.
    drivers : sequence of str
        Names, each once.

    Returns
    -------
    dict of str to ndarray
        What each driver changes; they add up to ``value(all) - value(none)``.

    Raises
    ------
    ValueError
        If a driver is named twice.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.attribution.shapley import shapley
    >>> def area(switched):  # 2 x 3 becomes 4 x 6
    ...     return np.array([(4 if "a" in switched else 2) * (6 if "b" in switched else 3)])
    >>> {name: part.tolist() for name, part in shapley(area, ["a", "b"]).items()}
    {'a': [9.0], 'b': [9.0]}
    """
    _refuse_twice(drivers)
    found = {switched: value(switched) for switched in subsets(drivers)}
    count = len(drivers)
    parts: dict[str, Array] = {}
    for driver in drivers:
        part = 0.0 * found[frozenset()]
        for before in subsets([name for name in drivers if name != driver]):
            orders = factorial(len(before)) * factorial(count - len(before) - 1)
            gained = found[before | {driver}] - found[before]
            part = part + gained * (orders / factorial(count))
        parts[driver] = part
    return parts


def both_ways(value: Callable[[frozenset[str]], Array], drivers: Sequence[str]) -> dict[str, Array]:
    """Split the difference over the drivers by one order and its reverse only.

    Each driver has the mean of what it changes in the order given and in the reverse. That is what
    `shapley` returns where no more than two drivers act together, for 2n sets instead of 2^n, and
    nothing is left over either.

    Parameters
    ----------
    value : callable
        Returns the figures with these drivers switched, and the others not. Called once for each
        of the 2n sets.
    drivers : sequence of str
        Names, each once.

    Returns
    -------
    dict of str to ndarray
        What each driver changes; they add up to ``value(all) - value(none)``.

    Raises
    ------
    ValueError
        If a driver is named twice.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.attribution.shapley import both_ways
    >>> def area(switched):  # 2 x 3 becomes 4 x 6
    ...     return np.array([(4 if "a" in switched else 2) * (6 if "b" in switched else 3)])
    >>> {name: part.tolist() for name, part in both_ways(area, ["a", "b"]).items()}
    {'a': [9.0], 'b': [9.0]}
    """
    _refuse_twice(drivers)
    first = [frozenset(drivers[:i]) for i in range(len(drivers) + 1)]
    last = [frozenset(drivers[i:]) for i in range(len(drivers) + 1)]
    found = {switched: value(switched) for switched in dict.fromkeys([*first, *last])}
    return {
        driver: (found[first[i + 1]] - found[first[i]] + found[last[i]] - found[last[i + 1]]) / 2
        for i, driver in enumerate(drivers)
    }


def _refuse_twice(drivers: Sequence[str]) -> None:
    if len(set(drivers)) < len(drivers):
        raise ValueError(f"each driver is named once, not {', '.join(drivers)}")
