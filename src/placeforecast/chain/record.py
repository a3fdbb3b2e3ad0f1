"""What a forecast holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from placeforecast.places.accounts import ACCOUNTS
from placeforecast.scenarios.adjust import BASELINE
from placeforecast.scenarios.choose import assumptions_of
from placeforecast.tables.show import record_html, record_text
from placeforecast.uncertainty.single import single_trajectories

if TYPE_CHECKING:
    import pandas as pd

    from placeforecast.tables.records import Assumptions, Inputs
    from placeforecast.uncertainty.trajectories import Sampling


@dataclass(frozen=True, repr=False)
class Forecast:
    """A forecast: every table of the chain, each with a column `scenario`.

    Attributes
    ----------
    population, births : DataFrame or None
        From the cohort-component projection; None without a population.
    children : DataFrame [scenario, district, year, age, basis, children, share_born]
    pupils : DataFrame [scenario, district, year, grade, residence, pupils, share_born]
        From the launch year, which is as counted.
    demand : DataFrame [scenario, district, year, grade, stage, ledger, pupils, demand, share_born]
    stages : DataFrame [scenario, district, level, year, stage, ledger, pupils, demand, share_born]
        Demand added up to stages, combined stages and parents.
    places, balance_cells, balance : DataFrame or None
        None without a table of places: the chain then stops at demand.
    inputs, assumptions : Inputs, Assumptions
        What the forecast rests on.
    launch_year, last_year : int
        The year of the last pupils counted, and the last year of the forecast.
    notes : DataFrame [topic, text]
        What a reader must know of how the figures came about.
    coverage : DataFrame [stage, lead, nominal, coverage, width, launches]
        With trajectories: how often intervals made in the same way at past launches held what came.
    scenarios : DataFrame or None
        The changes of the scenarios beside the baseline.
    sampling : Sampling or None
        What the trajectories were drawn with; None of the central run alone.
    indicators, tasks, task_scores, intake_warnings, hidden_shortage, rooms, estates, \
housing_levels, relief, hot_spots, crowding, plan_checks, land, staffing, funding : \
DataFrame or None
        What stands beside the balance, where the region has the tables for it: see
        `placeforecast.places.accounts`.
    """

    children: pd.DataFrame
    pupils: pd.DataFrame
    demand: pd.DataFrame
    stages: pd.DataFrame
    places: pd.DataFrame | None
    balance_cells: pd.DataFrame | None
    balance: pd.DataFrame | None
    population: pd.DataFrame | None
    births: pd.DataFrame | None
    inputs: Inputs
    assumptions: Assumptions
    launch_year: int
    last_year: int
    notes: pd.DataFrame
    coverage: pd.DataFrame
    scenarios: pd.DataFrame | None = None
    sampling: Sampling | None = None
    indicators: pd.DataFrame | None = None
    tasks: pd.DataFrame | None = None
    task_scores: pd.DataFrame | None = None
    intake_warnings: pd.DataFrame | None = None
    hidden_shortage: pd.DataFrame | None = None
    rooms: pd.DataFrame | None = None
    estates: pd.DataFrame | None = None
    housing_levels: pd.DataFrame | None = None
    relief: pd.DataFrame | None = None
    hot_spots: pd.DataFrame | None = None
    crowding: pd.DataFrame | None = None
    plan_checks: pd.DataFrame | None = None
    land: pd.DataFrame | None = None
    staffing: pd.DataFrame | None = None
    funding: pd.DataFrame | None = None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the result tables that are there, by name."""
        return {name: t for name in RESULTS if (t := getattr(self, name)) is not None}

    def of(self, scenario: str = BASELINE) -> Forecast:
        """Return the forecast of one scenario alone; the baseline unless another is named.

        Raises
        ------
        ValueError
            If there is no such scenario.
        """
        if self.scenarios is None and scenario == BASELINE:
            return self
        known = list(dict.fromkeys(self.stages["scenario"]))
        if scenario not in known:
            raise ValueError(f"there is no scenario {scenario!r}: {', '.join(known)}")
        changed: dict[str, Any] = {
            name: table[table["scenario"] == scenario].reset_index(drop=True)
            for name, table in self.tables().items()
            if "scenario" in table.columns
        }
        if scenario != BASELINE:
            changed["assumptions"] = assumptions_of(self.assumptions, self.scenarios, scenario)
        return replace(self, **changed, scenarios=None)

    def trajectories_of(
        self, district: str, stage: str, *, ledger: str = "public", case: str = "planned"
    ) -> pd.DataFrame:
        """Return every trajectory of one district and stage, of the baseline.

        They are drawn again from the seed, and are those that the intervals and chances were made
        from. Of another scenario: ``forecast.of("births_low").trajectories_of(...)``.

        Parameters
        ----------
        district, stage : str
            A district or parent; a stage or combined stage.
        ledger, case : str
            Of the balance.

        Returns
        -------
        DataFrame [trajectory, year, pupils, demand, cell_shortfall, cell_surplus, places, balance]
            Pupils and places. Where the stage has no places, in whole or in part, the columns end
            at `demand`: it is not balanced.

        Raises
        ------
        ValueError
            If the forecast has no trajectories, there is no such district, stage, ledger or plan
            case, or nobody of the stage is taught in the district.

        Examples
        --------
        >>> import placeforecast as pf
        >>> result = pf.forecast(pf.load_example("city"), horizon=2, trajectories=20, seed=1)
        >>> runs = result.trajectories_of("D01", "junior")
        >>> last = runs[runs["year"] == result.last_year]
        >>> row = result.balance.query(
        ...     "district == 'D01' and stage == 'junior' and ledger == 'public'"
        ...     " and plan_case == 'planned' and year == @result.last_year"
        ... ).iloc[0]
        >>> bool((last["balance"] < 0).mean() == row["chance_of_shortfall"])
        True
        """
        if self.sampling is None:
            raise ValueError("the forecast has no trajectories: run it with trajectories=500")
        one = self.of()
        return single_trajectories(
            one.tables(), self.inputs, one.assumptions, self.sampling, district, stage, ledger, case
        )

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


RESULTS = (
    "population",
    "births",
    "children",
    "pupils",
    "demand",
    "stages",
    "places",
    "balance_cells",
    "balance",
    *ACCOUNTS,
    "coverage",
    "notes",
)
