"""The cohort-component step and its loop, on arrays.

Arrays run [year, sex, age, column]: sexes female then male as far as they are there, ages upwards
with the open group last, and a column per district (or per district and trajectory: nothing here
mixes columns, and columns stand last so that every operation runs along them).

Rates are keyed by what is reached, so that a step is one line:
``end = carried * survival``, where `carried` holds at each age the people who are about to reach
it, and at age 0 the newborns. The step and its two timings are those of the United Nations' World
Population Prospects 2024 (``end``) and of Preston, Heuveline and Guillot, Demography (2001),
chapter 6 (``half``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from placeforecast.tables.doors import Array

Timing = Literal["end", "half"]
FEMALE = 0


@dataclass(frozen=True)
class Rates:
    """What a projection runs on, as arrays.

    Attributes
    ----------
    survival : ndarray [year, sex, age, column]
        Share alive at the age reached; age 0 is newborns, the last age the open group.
    asfr : ndarray [year, age, column]
        Births per woman and year; zero where there are none.
    sex_share : ndarray [year, sex, column]
        Share of the births that are of each sex that is there.
    migrants : ndarray [year, sex, age, column]
        Net migrants of the step by age at its end, in persons.
    migration_rate : ndarray [year, sex, age, column]
        Net migrants per person who reaches the age (``end``), or per person of the age group at
        the start (``half``). One of the two is zero.
    recorded : ndarray [year, column]
        Births of both sexes that take the place of computed ones; NaN where there are none.
    """

    survival: Array
    asfr: Array
    sex_share: Array
    migrants: Array
    migration_rate: Array
    recorded: Array


@dataclass(frozen=True)
class Components:
    """A projection as arrays; `population` has one year more, the start.

    Attributes
    ----------
    population, deaths, migrants : ndarray [year, sex, age, column]
        Deaths and net migrants by the age reached at the end of the step.
    births : ndarray [year, sex, column]
    """

    population: Array
    births: Array
    deaths: Array
    migrants: Array


def project(start: Array, rates: Rates, *, step: int = 1, timing: Timing = "end") -> Components:
    """Carry people forward, one step per year of the rates.

    Parameters
    ----------
    start : ndarray [sex, age, column]
        People at the start.
    rates : Rates
        Rates of each step.
    step : int
        Years in a step, and width of an age group.
    timing : {"end", "half"}
        When migrants come: all at the end of the step, or half at each end.

    Returns
    -------
    Components
    """
    steps = len(rates.survival)
    population = np.empty((steps + 1, *start.shape))
    births = np.empty((steps, start.shape[0], start.shape[2]))
    deaths = np.empty((steps, *start.shape))
    migrants = np.empty((steps, *start.shape))
    population[0] = start
    for t in range(steps):
        arriving, leaving = _migrants_at_start(population[t], rates, t, timing)
        exposed = population[t] + arriving
        carried = _carried(exposed)
        carried[:, 0] = 0.0
        survivors = carried * rates.survival[t]
        women_end = survivors[FEMALE] + leaving[FEMALE]
        born = _births(exposed[FEMALE], women_end, rates, t, step)
        births[t] = born * rates.sex_share[t]
        carried[:, 0] = births[t]
        survivors[:, 0] = births[t] * rates.survival[t, :, 0]
        at_end = leaving if timing == "half" else _migrants_at_end(survivors, rates, t)
        population[t + 1] = survivors + at_end
        deaths[t] = carried - survivors
        migrants[t] = at_end + _carried(arriving)
    return Components(population, births, deaths, migrants)


def _carried(people: Array) -> Array:
    """Move everybody one age up; the open group keeps those already in it."""
    carried = np.empty_like(people)
    carried[:, 0] = 0.0
    carried[:, 1:] = people[:, :-1]
    carried[:, -1] += people[:, -1]
    return carried


def _births(women_start: Array, women_end: Array, rates: Rates, t: int, step: int) -> Array:
    """Births of both sexes: asfr times the mean of the women at both ends, or the record."""
    mean = (women_start + women_end) / 2
    computed = step * (rates.asfr[t] * mean).sum(axis=0)
    recorded: Array = rates.recorded[t]
    return np.where(np.isnan(recorded), computed, recorded)


def _migrants_at_start(people: Array, rates: Rates, t: int, timing: Timing) -> tuple[Array, Array]:
    """Migrants who join at the start and, for ``half``, the like number who join at the end."""
    if timing == "end":
        none = np.zeros_like(people)
        return none, none
    half = (rates.migrants[t] + rates.migration_rate[t] * people) / 2
    return half, half


def _migrants_at_end(survivors: Array, rates: Rates, t: int) -> Array:
    both: Array = rates.migrants[t] + rates.migration_rate[t] * survivors
    return both
