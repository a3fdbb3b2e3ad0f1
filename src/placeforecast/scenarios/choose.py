"""Which scenarios run: those of a region, shipped ones, and what follows what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.scenarios.adjust import BASELINE, adjust
from placeforecast.tables.check import check
from placeforecast.tables.problems import Problem, refuse, suggest
from placeforecast.tables.vocabulary import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.tables.records import Assumptions, Inputs


def changes_of(scenarios: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the changes of a scenario, after those of the scenario that it follows.

    Changes of ``baseline`` are part of what every scenario starts from, not of the scenario.

    Parameters
    ----------
    scenarios : DataFrame [scenario, table, ..., after]
        As in the vocabulary.
    name : str
        A scenario; ``baseline`` has no changes unless it is in the table.

    Raises
    ------
    InputError
        For a scenario that is not there, or scenarios that follow one another in a circle.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeforecast.scenarios.choose import changes_of
    >>> table = pd.DataFrame({"scenario": ["low", "both"], "table": ["births", "projects"],
    ...     "column": [None, "opens"], "multiply": [0.9, None], "add": [None, 2.0],
    ...     "after": [None, "low"]})
    >>> changes_of(table, "both")["table"].tolist()
    ['births', 'projects']
    """
    known = list(dict.fromkeys(scenarios["scenario"]))
    chain: list[str] = []
    follows: str | None = name
    while follows is not None:
        if follows in chain:
            rule = f"closes a circle: {' after '.join([*chain, follows])}"
            problem = Problem(rule, "Correct one of them.", "scenarios", column="after")
            refuse([problem])
        if follows not in known:
            remedy = suggest(follows, known)
            where = Problem("is not a scenario", remedy, "scenarios", column="scenario")
            refuse([replace(where, value=follows)])
        chain.append(follows)
        follows = _after(scenarios, follows)
        follows = None if follows == BASELINE else follows
    parts = [scenarios[scenarios["scenario"] == each] for each in reversed(chain)]
    followed = pd.concat(parts, ignore_index=True).assign(scenario=name)
    return followed.drop(columns="after", errors="ignore")


def _after(scenarios: pd.DataFrame, name: str) -> str | None:
    if "after" not in scenarios.columns:
        return None
    named = scenarios.loc[scenarios["scenario"] == name, "after"].dropna().unique()
    if len(named) > 1:
        rule = f"({name}) follows {' and '.join(map(str, named))}"
        problem = Problem(rule, "A scenario follows one other.", "scenarios", column="after")
        refuse([problem])
    return str(named[0]) if len(named) else None


def shipped_scenarios(school_system: str) -> pd.DataFrame:
    """Return the scenarios that come with the library for a school system.

    Parameters
    ----------
    school_system : str
        Such as ``"cn-6-3-3"``; those of China hold for both of its systems.

    Returns
    -------
    DataFrame [scenario, table, ..., source, confidence]
        Empty for a system without any.

    Examples
    --------
    >>> from placeforecast.scenarios.choose import shipped_scenarios
    >>> sorted(set(shipped_scenarios("cn-6-3-3")["scenario"]))[:3]
    ['births_high', 'births_low', 'births_middle']
    """
    rows = shipped("scenarios")
    own = [school_system.startswith(f"{system}-") for system in rows["system"]]
    told = rows[own].drop(columns="system")
    return check(told, "scenarios") if len(told) else told


def scenarios_asked(
    asked: pd.DataFrame | Sequence[str] | None, inputs: Inputs
) -> pd.DataFrame | None:
    """Return the changes of the scenarios asked for: a table, or names of known scenarios."""
    if asked is None or isinstance(asked, pd.DataFrame):
        return asked if asked is None else check(asked, "scenarios")
    names = [asked] if isinstance(asked, str) else list(asked)
    known = shipped_scenarios(inputs.settings.school_system)
    if inputs.scenarios is not None:
        # A scenario of the region takes the place of a shipped one of its name.
        others = known[~known["scenario"].isin(inputs.scenarios["scenario"])]
        known = pd.concat([inputs.scenarios, others], ignore_index=True)
    return pd.concat([changes_of(known, name) for name in names], ignore_index=True)


def names_of(scenarios: pd.DataFrame | None) -> list[str]:
    """Return the names of scenarios, in order."""
    return [] if scenarios is None else [str(name) for name in scenarios["scenario"].unique()]


def assumptions_of(
    assumptions: Assumptions, scenarios: pd.DataFrame | None, name: str
) -> Assumptions:
    """Return the assumptions of a scenario; those given where it has no changes."""
    if scenarios is None or name not in names_of(scenarios):
        return assumptions
    return adjust(assumptions, changes_of(scenarios, name))


def scenario_texts(scenarios: pd.DataFrame | None) -> list[str]:
    """Say how many changes each scenario makes."""
    if scenarios is None:
        return []
    return [f"{name}: {len(changes_of(scenarios, name))} changes" for name in names_of(scenarios)]
