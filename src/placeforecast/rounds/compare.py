"""From last year's figure to this year's: which change moved it by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placeforecast.attribution.swap import Side
from placeforecast.attribution.waterfall import Asked, figures_of, steps_between
from placeforecast.chain.record import Forecast
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from placeforecast.rounds.read import Round


def compare_rounds(
    a: Round,
    b: Round | Forecast,
    *,
    district: str | None = None,
    stage: str | None = None,
    year: int | None = None,
    ledger: str = "public",
    case: str = "planned",
    quick: bool = False,
) -> pd.DataFrame:
    """Lead from the figures of one round to those of the next, step by step.

    The chain is run with the tables of `b` in the place of those of `a`, one driver or several at a
    time, and each driver has the mean of what it changes over all orders (Shapley), so that no
    order has to be chosen. ``births``: births, fertility and the sex ratio; ``migration``: movers
    and survival; ``entry``: intake and participation; ``progression``; ``policy``: policy, events,
    transfers, housing and its yields; ``standards``; ``plan``: places, projects and tasks;
    ``counted``: pupils and people counted, and the launch. ``method`` is what no table explains: a
    correction by the last error, and another version of the library or of the school system.
    Another rate model shows itself in the rates that it makes.

    Parameters
    ----------
    a : Round
        The earlier round.
    b : Round or Forecast
        The later round of the same districts, or the baseline of a forecast not yet frozen.
    district, stage, year : optional
        Only these; combined stages and parents by name. Naming a stage or a year saves time.
    ledger : str
        Which ledger.
    case : str
        The plan case of the balance.
    quick : bool
        Whether each driver has the mean over one order and its reverse only: the same where no more
        than two drivers act together, and far quicker where many tables differ.

    Returns
    -------
    DataFrame [district, stage, year, ledger, value, step, from, change, to]
        Places. For each figure (`value` is ``demand`` or ``balance``) that both rounds have, one
        row per step, from `a`'s figure to `b`'s: `change` adds up to their difference.

    Raises
    ------
    InputError
        If the rounds do not fit together, or no figure is left.

    Examples
    --------
    >>> import tempfile, pandas as pd, placeforecast as pf
    >>> from dataclasses import replace
    >>> from placeforecast.rounds.compare import compare_rounds
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> from placeforecast.rounds.read import read_round
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": [2023, 2024], "grade": "P1",
    ...                         "pupils": [110.0, 110.0]})
    >>> inputs = pf.Inputs(births=births, enrolment=counted)
    >>> before = pf.estimate(inputs, horizon=1)
    >>> after = replace(before, intake=before.intake.assign(ratio=1.2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = [pf.forecast(inputs, assumptions=x, horizon=1) for x in (before, after)]
    ...     a, b = (read_round(freeze_round(r, f"{folder}/{i}")) for i, r in enumerate(results))
    >>> steps = compare_rounds(a, b, year=2025, ledger="all").round(6)
    >>> steps.query("change != 0")[["stage", "value", "step", "from", "change", "to"]]
         stage   value   step   from  change     to
    2  primary  demand  entry  110.0    10.0  120.0
    """
    _refuse_strangers(a, b)
    asked = Asked(district, stage, year, ledger, case)
    first, second = (
        figures_of(_results(one), asked, f"round of {one.launch_year}") for one in (a, b)
    )
    sides = Side.of(a), Side.of(b)
    return steps_between(*sides, (first, second), asked, "rounds", quick=quick)


def _results(one: Round | Forecast) -> Mapping[str, pd.DataFrame]:
    return one.tables() if isinstance(one, Forecast) else one.results


def _refuse_strangers(a: Round, b: Round | Forecast) -> None:
    """Refuse rounds that are not of the same districts and grades, or in the wrong order."""
    if b.launch_year < a.launch_year:
        rule = f"of {b.launch_year} is compared with the later one of {a.launch_year}"
        refuse([Problem(rule, "Give the earlier round first.", file="rounds")])
    for what, column in (("districts", "district"), ("grades", "grade")):
        mine, theirs = (set(_results(one)["pupils"][column]) for one in (a, b))
        odd = sorted(mine ^ theirs)
        if odd:
            rule = f"do not have the same {what}: {odd[0]} is in one only ({len(odd)} such)"
            remedy = "Forecast the earlier year again in today's frame, freeze it, and compare."
            refuse([Problem(rule, remedy, file="rounds")])
