"""Time the kernels against plain references, as ratios within one run.

Run as ``python benchmarks/run.py``. Seconds differ between machines; the ratios are what to read.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import placeforecast as pf
from placeforecast.population.kernel import Rates, project
from placeforecast.scenarios.choose import shipped_scenarios
from placeforecast.tables.doors import to_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from placeforecast.tables.doors import Array

ROUNDS = 5
TRAJECTORIES = 500
DISTRICTS, YEARS, AGES = 500, 30, 101
FERTILE = range(15, 50)


def make_rates(rng: np.random.Generator, districts: int) -> Rates:
    """Return made-up rates for a number of districts."""
    shape = (YEARS, 2, AGES, districts)
    asfr = np.zeros((YEARS, AGES, districts))
    asfr[:, FERTILE.start : FERTILE.stop] = rng.uniform(0.01, 0.08, (YEARS, 35, districts))
    return Rates(
        survival=rng.uniform(0.97, 1.0, shape),
        asfr=asfr,
        sex_share=np.full((YEARS, 2, districts), 0.5),
        migrants=rng.normal(0.0, 1.0, shape),
        migration_rate=np.broadcast_to(0.0, shape),
        recorded=np.full((YEARS, districts), np.nan),
    )


def leslie(start: Array, rates: Rates) -> Array:
    """Project one district at a time with a dense Leslie matrix: the textbook way."""
    ends = []
    for d in range(start.shape[2]):
        people = start[..., d].copy()
        for t in range(YEARS):
            matrices = np.zeros((2, AGES, AGES))
            for sex in range(2):
                survival = rates.survival[t, sex, :, d]
                matrices[sex, np.arange(1, AGES), np.arange(AGES - 1)] = survival[1:]
                matrices[sex, -1, -1] = survival[-1]
            moved = np.einsum("sab,sb->sa", matrices, people)
            women = (people[0] + moved[0]) / 2
            born = float(rates.asfr[t, :, d] @ women)
            moved[:, 0] = born * rates.sex_share[t, :, d] * rates.survival[t, :, 0, d]
            people = moved + rates.migrants[t, :, :, d]
        ends.append(people)
    return np.stack(ends, axis=-1)


def interleaved(ours: Callable[[], object], reference: Callable[[], object]) -> tuple[float, float]:
    """Return median seconds of both, timed in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, kept in zip((ours, reference), times, strict=True):
            begin = time.perf_counter()
            call()
            kept.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def say(line: str) -> None:
    """Write one line of results."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print one line per benchmark; the one that tells its memory first."""
    scenarios()
    rng = np.random.default_rng(1)
    few = 10
    start = rng.uniform(900.0, 1100.0, (2, AGES, few))
    rates = make_rates(rng, few)
    np.testing.assert_allclose(
        project(start, rates).population[-1], leslie(start, rates), rtol=1e-9
    )
    ours, reference = interleaved(lambda: project(start, rates), lambda: leslie(start, rates))
    say(f"kernel, {few} districts x {YEARS} years: {reference / ours:.0f}x a dense Leslie loop")
    many = rng.uniform(900.0, 1100.0, (2, AGES, DISTRICTS))
    wide = make_rates(rng, DISTRICTS)
    begin = time.perf_counter()
    project(many, wide)
    per_step = (time.perf_counter() - begin) / (DISTRICTS * YEARS) * 1e6
    say(f"kernel, {DISTRICTS} districts x {YEARS} years: {per_step:.2f} us per district and year")
    labels: dict[str, list[Any]] = {
        "district": [f"D{i:04d}" for i in range(300)],
        "year": list(range(YEARS)),
        "age": list(range(AGES)),
    }
    index = pd.MultiIndex.from_product(list(labels.values()), names=list(labels))
    table = pd.DataFrame({"value": rng.normal(size=len(index))}, index=index).reset_index()
    table = table.sample(frac=1.0, random_state=1).reset_index(drop=True)
    keys = list(labels)
    door, unstack = interleaved(
        lambda: to_array(table, labels, "value"),
        lambda: table.set_index(keys)["value"].sort_index().to_numpy(),
    )
    say(f"to_array, {len(table):,} shuffled rows: {unstack / door:.1f}x set_index and sort_index")


def scenarios() -> None:
    """Time the example city: ten scenarios with trajectories, against one central run."""
    inputs = pf.load_example("city")
    names = list(dict.fromkeys(shipped_scenarios(inputs.settings.school_system)["scenario"]))[:9]
    drawn: dict[str, Any] = {"scenarios": names, "trajectories": TRAJECTORIES, "seed": 1}
    seconds, peaks = [], []
    for options in ({}, drawn, {**drawn, "jobs": 2}):
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pf.AssumptionWarning)
            pf.forecast(inputs, **options)
        seconds.append(time.perf_counter() - begin)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    central, one, two = seconds
    say(
        f"forecast, {1 + len(names)} scenarios x {TRAJECTORIES} trajectories: {one:.0f} s, "
        f"{one / central:.0f}x a central run, {one / two:.1f}x faster with two processes; "
        f"{peaks[1]:.0f} MiB at most in one"
    )


if __name__ == "__main__":
    main()
