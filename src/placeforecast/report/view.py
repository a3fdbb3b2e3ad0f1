"""A forecast as the sections of a report look at it: named, in order, and looked up quickly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.places.supply import STATUSES
from placeforecast.plot.areas import balances_of, main_ledger, printed_names, stages_balanced
from placeforecast.plot.words import Words, read_texts, words
from placeforecast.report.numbers import printed
from placeforecast.review.areas import areas_of
from placeforecast.review.plan import review_plan
from placeforecast.tables.districts import names
from placeforecast.tables.grades import resolve_grades, stages_in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Cell
    from placeforecast.review.areas import Areas
    from placeforecast.review.plan import PlanReview
    from placeforecast.rounds.read import Round

PLANNED = "planned"
RISK = 0.1
"""Chance of a shortage that the report accepts."""
LEADS = (0, 1, 3, 5, 10)
"""Years after the launch that a compact table shows, beside the last one."""
NOISE = 9
"""Decimals kept of a count: what lies beyond is rounding of sums."""
Key = tuple[str | None, str, str, str]


def catalogue(language: str) -> Words:
    """Return the words of a report.

    Raises
    ------
    ValueError
        If there is no such language.
    """
    own = read_texts("placeforecast.report.catalogue", language)
    return Words(language, {**words(language).texts, **own})


@dataclass(frozen=True)
class View:
    """A forecast with the words it is told in.

    Attributes
    ----------
    forecast : Forecast
        Of one scenario.
    words : Words
    whole : Forecast or None
        With every scenario.
    before : Round or None
        The last round.
    geojson : Path or None
        Boundaries of the districts, whose property ``district`` holds the code.
    """

    forecast: Forecast
    words: Words
    whole: Forecast | None = None
    before: Round | None = None
    geojson: Path | None = None

    @cached_property
    def areas(self) -> Areas:
        """The region and what lies right below it."""
        return areas_of(self.forecast)

    @cached_property
    def review(self) -> PlanReview | None:
        """The plan under review; None where no plan can be."""
        balance = self.forecast.balance
        if balance is None or not (balance["plan_case"] == PLANNED).any():
            return None
        return review_plan(self.forecast, risk=RISK)

    @cached_property
    def _names(self) -> Mapping[str | None, str]:
        return printed_names(self.forecast, self.words)

    def name(self, district: str | None) -> str:
        """Return the name to print of a district; of the region for None."""
        return self._names[district]

    def printed(self, district: str) -> str:
        """Return the name to print of a district of any level."""
        known = names(self.forecast.inputs.districts)
        return (
            self.name(district) if district in self.areas.leaves else known.get(district, district)
        )

    @property
    def region(self) -> str:
        """The name of the region, which stands on every page."""
        return self.forecast.inputs.settings.name or self.name(self.areas.top)

    @cached_property
    def stages(self) -> list[str]:
        """Single stages with pupils, lowest first."""
        system = resolve_grades(self.forecast.inputs.grades)
        taught = set(self.forecast.demand["stage"])
        return [stage for stage in stages_in_order(system) if stage in taught]

    @cached_property
    def balanced(self) -> list[str]:
        """Single stages with a balance, lowest first."""
        there = set(stages_balanced(self.forecast))
        return [stage for stage in self.stages if stage in there]

    @cached_property
    def combined(self) -> list[str]:
        """Combined stages with a balance."""
        if self.forecast.balance is None:
            return []
        return [s for s in dict.fromkeys(self.forecast.balance["stage"]) if s not in self.balanced]

    @cached_property
    def case(self) -> str:
        """The plan case that the report is written in: the last there is."""
        assert self.forecast.balance is not None
        there = set(self.forecast.balance["plan_case"])
        return [case for case in STATUSES if case in there][-1]

    @property
    def case_name(self) -> str:
        """The printed name of that plan case."""
        return self.words.value("plan_case", self.case)

    @cached_property
    def _ledgers(self) -> Mapping[str, str]:
        return {s: main_ledger(self.forecast, s) for s in (*self.balanced, *self.combined)}

    def ledger(self, stage: str) -> str:
        """Return the ledger that a stage is judged by: public where there is one, else all."""
        return self._ledgers[stage]

    @property
    def years(self) -> range:
        """From the launch to the last year."""
        return range(self.forecast.launch_year, self.forecast.last_year + 1)

    @property
    def key_years(self) -> list[int]:
        """The years that a compact table shows."""
        wanted = {self.forecast.launch_year + lead for lead in LEADS} | {self.forecast.last_year}
        return [year for year in self.years if year in wanted]

    @cached_property
    def _balances(self) -> Mapping[Key, Mapping[int, Mapping[str, Any]]]:
        found: dict[Key, dict[int, Mapping[str, Any]]] = {}
        shown = balances_of(self.forecast, self.areas, self.areas.shown)
        for district, rows in shown.items():
            for row in rows.to_dict("records"):
                key = (district, str(row["stage"]), str(row["ledger"]), str(row["plan_case"]))
                named = {str(name): value for name, value in row.items()}
                found.setdefault(key, {})[int(row["year"])] = named
        return found

    def balance(
        self, district: str | None, stage: str, ledger: str = "", case: str = ""
    ) -> Mapping[int, Mapping[str, Any]]:
        """Return rows of the balance by year; empty where there is none.

        Blank ledger and case are those that the report judges by.
        """
        key = (district, stage, ledger or self.ledger(stage), case or self.case)
        return self._balances.get(key, {})

    def count(self, value: object) -> str:
        """Return a count as it is printed."""
        return printed(number(value), "signed")

    def share(self, value: object) -> str:
        """Return a share as it is printed."""
        return printed(number(value), "share")

    def joined(self, items: Sequence[str]) -> str:
        """Return a list as part of a sentence."""
        return self.words("report.join").join(items)


def number(value: Any) -> float | None:  # noqa: ANN401
    """Return a value without the noise of sums; None where there is none."""
    if pd.isna(value):
        return None
    return round(float(value), NOISE) + 0.0  # adding 0.0 turns -0.0 into 0.0


def cells(column: pd.Series[Any], *, counted: bool = False) -> list[Cell]:
    """Return a column as values of a table; None where it is blank."""
    rounded = column.round(NOISE) + 0.0 if counted else column
    plain: list[Cell] = rounded.astype("object").where(column.notna(), None).tolist()
    return plain
