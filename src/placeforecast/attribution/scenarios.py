"""Scenarios of one forecast: side by side, and why two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.attribution.swap import Side
from placeforecast.attribution.waterfall import Asked, figures_of, steps_between
from placeforecast.places.supply import CASES
from placeforecast.scenarios.adjust import BASELINE
from placeforecast.tables.problems import suggest

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

SHOWN = ["district", "stage", "year", "ledger", "plan_case", "scenario"]
FIGURES = ["pupils", "demand", "places", "balance", "change"]
CHANCE = "chance_of_shortfall"


def compare_scenarios(
    forecast: Forecast,
    *,
    district: str | None = None,
    stage: str | None = None,
    year: int | None = None,
    ledger: str = "public",
    case: str = "planned",
) -> pd.DataFrame:
    """Set the balances of the scenarios of a forecast side by side.

    Parameters
    ----------
    forecast : Forecast
        With places.
    district, stage, year : optional
        Only these; combined stages and parents by name.
    ledger : str
        Which ledger.
    case : str
        The plan case of the balance.

    Returns
    -------
    DataFrame [district, stage, year, ledger, plan_case, scenario, pupils, demand, places, \
balance, change]
        Pupils and places, the scenarios of a figure below one another and the baseline first;
        `change` is the balance less that of the baseline (blank where the baseline has none). With
        trajectories also `chance_of_shortfall`, 0-1.

    Raises
    ------
    ValueError
        For a name that the forecast does not have, or a forecast without a balance.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.attribution.scenarios import compare_scenarios
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": [2023, 2024], "grade": "P1",
    ...                         "pupils": [110.0, 110.0]})
    >>> places = pd.DataFrame({"district": "A", "year": [2024], "stage": "primary",
    ...                        "grade": "P1", "places": 115.0})
    >>> inputs = pf.Inputs(births=births, enrolment=counted, places=places)
    >>> more = pd.DataFrame({"scenario": ["more"], "table": "intake", "multiply": 1.1})
    >>> result = pf.forecast(inputs, scenarios=more, horizon=1)
    >>> table = compare_scenarios(result, year=2025, ledger="all").round(6)
    >>> table[["scenario", "pupils", "balance", "change"]]
       scenario  pupils  balance  change
    0  baseline   110.0      5.0     0.0
    1      more   121.0     -6.0   -11.0
    """
    table = balance_of(forecast)
    asked = Asked(district, stage, year, ledger, case)
    refuse_unknown(forecast, asked)
    rows = table[(table["ledger"] == ledger) & (table["plan_case"] == case)]
    for column, wanted in asked.cell.items():
        rows = rows if wanted is None else rows[rows[column] == wanted]
    keys = ["district", "stage", "year"]
    figures = rows.set_index(keys)["balance"]
    baseline = figures[(rows["scenario"] == BASELINE).to_numpy()]
    change = rows["balance"] - baseline.reindex(figures.index).to_numpy()
    names = [*SHOWN, *FIGURES, *([CHANCE] if CHANCE in rows.columns else [])]
    order = {name: i for i, name in enumerate(dict.fromkeys(table["scenario"].tolist()))}
    place = rows.groupby(keys, sort=False).ngroup()
    by = pd.DataFrame({"figure": place, "scenario": rows["scenario"].map(order)})
    return (
        rows.assign(change=change)
        .loc[by.sort_values([*by.columns]).index, names]
        .reset_index(drop=True)
    )


def attribute_scenarios(
    forecast: Forecast,
    a: str = BASELINE,
    b: str | None = None,
    *,
    district: str | None = None,
    stage: str | None = None,
    year: int | None = None,
    ledger: str = "public",
    case: str = "planned",
) -> pd.DataFrame:
    """Say which of the changes of a scenario moves a figure by how much.

    The chain is run with the tables of `b` in the place of those of `a`, one driver or several at a
    time, and each driver has the mean of what it changes over all orders, as in `compare_rounds`.

    Parameters
    ----------
    forecast : Forecast
        With both scenarios.
    a, b : str
        Scenarios; `b` may be left out where there is one beside the baseline.
    district, stage, year : optional
        Only these; combined stages and parents by name. Naming a stage or a year saves time.
    ledger : str
        Which ledger.
    case : str
        The plan case of the balance.

    Returns
    -------
    DataFrame [district, stage, year, ledger, value, step, from, change, to]
        Places. For each figure (`value` is ``demand`` or ``balance``) that both scenarios have, one
        row per step, from `a`'s figure to `b`'s: `change` adds up to their difference. ``method``
        is what no table explains: a correction by the last error, which goes by the pupils.

    Raises
    ------
    ValueError
        For a name that the forecast does not have.
    InputError
        If the two have no such figure in common, such as a stage that the ledger does not have.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.attribution.scenarios import attribute_scenarios
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": [2023, 2024], "grade": "P1",
    ...                         "pupils": [110.0, 110.0]})
    >>> places = pd.DataFrame({"district": "A", "year": [2024], "stage": "primary",
    ...                        "grade": "P1", "places": 115.0})
    >>> inputs = pf.Inputs(births=births, enrolment=counted, places=places)
    >>> more = pd.DataFrame({"scenario": ["more"], "table": "intake", "multiply": 1.1})
    >>> result = pf.forecast(inputs, scenarios=more, horizon=1)
    >>> steps = attribute_scenarios(result, year=2025, stage="primary", ledger="all").round(6)
    >>> steps.query("change != 0")[["value", "step", "from", "change", "to"]]
          value   step   from  change     to
    2    demand  entry  110.0    11.0  121.0
    11  balance  entry    5.0   -11.0   -6.0
    """
    asked = Asked(district, stage, year, ledger, case)
    refuse_unknown(forecast, asked)
    second = _only_other(forecast) if b is None else b
    for name in (a, second):
        known = scenarios_of(forecast)
        if name not in known:
            remedy = suggest(name, known)
            raise ValueError(f"there is no scenario {name!r} in the forecast. {remedy}")
    sides, figures = [], []
    for name in (a, second):
        own = forecast.of(name)
        sides.append(Side.of(own, before=forecast.assumptions))
        figures.append(figures_of(own.tables(), asked, f"scenario {name}", name))
    return steps_between(
        sides[0], sides[1], (figures[0], figures[1]), asked, f"scenarios {a} and {second}"
    )


def scenarios_of(forecast: Forecast) -> list[str]:
    """Return the names of the scenarios of a forecast, in order."""
    return list(dict.fromkeys(forecast.stages["scenario"].tolist()))


def balance_of(forecast: Forecast) -> pd.DataFrame:
    """Return the balance of a forecast.

    Raises
    ------
    ValueError
        If it has none.
    """
    if forecast.balance is None:
        raise ValueError("the forecast has no balance: its inputs have no table of places")
    return forecast.balance


def refuse_unknown(forecast: Forecast, asked: Asked) -> None:
    """Refuse a district, stage, year, ledger or plan case that the forecast does not have.

    Raises
    ------
    ValueError
        With the nearest known name.
    """
    wanted = {**asked.cell, "ledger": asked.ledger}
    known = {name: list(dict.fromkeys(forecast.stages[name].tolist())) for name in wanted}
    for name, value in {**wanted, "plan case": asked.case}.items():
        there = [str(k) for k in known.get(name, CASES)]
        if value is not None and str(value) not in there:
            remedy = (
                f"It has {there[0]}-{there[-1]}." if name == "year" else suggest(str(value), there)
            )
            raise ValueError(f"there is no {name} {value!r} in the forecast. {remedy}")


def _only_other(forecast: Forecast) -> str:
    others = [name for name in scenarios_of(forecast) if name != BASELINE]
    if len(others) != 1:
        listed = ", ".join(others) or "none beside the baseline"
        raise ValueError(f"name the scenario b: the forecast has {listed}")
    return others[0]
