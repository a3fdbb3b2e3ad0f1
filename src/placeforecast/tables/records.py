"""The two records that the chain runs on: what was observed, and what is assumed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.tables.boundaries import with_boundaries
from placeforecast.tables.check import check
from placeforecast.tables.consistency import consistency_problems
from placeforecast.tables.grades import load_grades, resolve_grades
from placeforecast.tables.problems import refuse
from placeforecast.tables.settings import Settings
from placeforecast.tables.show import record_html, record_text
from placeforecast.tables.structure import with_structure

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVENANCE = ("table", "file", "rows", "first_year", "last_year", "sha256", "lines")
NOTES = ("topic", "text")


@dataclass(frozen=True, repr=False)
class Inputs:
    """What was observed: the tables of a region, checked, and its settings.

    Every field is a DataFrame as the vocabulary describes it, or None where the region has no such
    table. `births` are as published, because what is known of them depends on the launch;
    `population` is people on the cut-off day of the school year (`read_inputs` moves a count of
    another day there). `grades` is filled from the school system where no table is given.
    `boundaries` are applied at once: counts are in the districts of today, and the table moves to
    `rebased`.

    Raises
    ------
    InputError
        With every problem of every table and between tables.

    Examples
    --------
    >>> import placeforecast as pf
    >>> inputs = pf.load_example("city")
    >>> inputs.tasks[["district", "stage", "year_to", "places"]]
      district           stage  year_to   places
    0     CITY    kindergarten     2025  25000.0
    1     CITY      compulsory     2025  99000.0
    2     CITY  senior_general     2025  12000.0
    """

    districts: pd.DataFrame | None = None
    grades: pd.DataFrame | None = None
    births: pd.DataFrame | None = None
    population: pd.DataFrame | None = None
    fertility: pd.DataFrame | None = None
    survival: pd.DataFrame | None = None
    mortality: pd.DataFrame | None = None
    migration: pd.DataFrame | None = None
    sex_ratio_at_birth: pd.DataFrame | None = None
    enrolment: pd.DataFrame | None = None
    places: pd.DataFrame | None = None
    projects: pd.DataFrame | None = None
    tasks: pd.DataFrame | None = None
    policy: pd.DataFrame | None = None
    standards: pd.DataFrame | None = None
    housing: pd.DataFrame | None = None
    yields: pd.DataFrame | None = None
    transfers: pd.DataFrame | None = None
    neighbours: pd.DataFrame | None = None
    intake_plan: pd.DataFrame | None = None
    class_sizes: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    boundaries: pd.DataFrame | None = None
    posts: pd.DataFrame | None = None
    budget: pd.DataFrame | None = None
    candidates: pd.DataFrame | None = None
    past_rounds: pd.DataFrame | None = None
    scenarios: pd.DataFrame | None = None
    settings: Settings = field(default_factory=Settings)
    provenance: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PROVENANCE)))
    rebased: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for name, table in self.tables().items():
            if name != "grades":
                object.__setattr__(self, name, check(table, name))
        if self.boundaries is not None:
            for name, table in with_boundaries(self.tables(), self.boundaries).items():
                object.__setattr__(self, name, table)
            object.__setattr__(self, "rebased", self.boundaries)
            object.__setattr__(self, "boundaries", None)
        object.__setattr__(self, "grades", self._grades())
        refuse(consistency_problems(self._numbered(), {}))
        object.__setattr__(self, "settings", self._settings())

    def _numbered(self) -> Mapping[str, pd.DataFrame]:
        """Return the tables with rows numbered from 1, as `check` does in its messages."""
        return {
            name: table.set_axis(range(1, len(table) + 1), axis="index")
            for name, table in self.tables().items()
        }

    def _settings(self) -> Settings:
        """Fill the launch year: a full date in `as_of` belongs to it, and to no other launch."""
        if self.settings.launch_year is not None or self.enrolment is None:
            return self.settings
        last = int(self.enrolment["year"].max())
        return self.settings.model_copy(update={"launch_year": last})

    def _grades(self) -> pd.DataFrame:
        if self.grades is None:
            return with_structure(load_grades(self.settings.school_system), self.events)
        numbered = self.grades.set_axis(range(1, len(self.grades) + 1), axis="index")
        return with_structure(resolve_grades(numbered), self.events)

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Return the tables that are there, by name."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name in INPUT_TABLES}
        return {name: table for name, table in named.items() if table is not None}

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


INPUT_TABLES = tuple(
    f.name for f in fields(Inputs) if f.name not in ("settings", "provenance", "rebased")
)


@dataclass(frozen=True, repr=False)
class Assumptions:
    """What is assumed: every table that drives the projection and that a scenario may change.

    Each field is optional and can be made by hand; a step that needs a table which is not there
    says so. Rates are keyed by what is reached: survival by the age, progression by the grade, all
    of them by the year.

    Parameters
    ----------
    fertility, survival, migration, sex_ratio_at_birth : DataFrame, optional
        As in the vocabulary.
    births : DataFrame [district, year, births, share_born], optional
        School-year cohorts, known and forecast together (table ``cohort_births``).
    intake, participation : DataFrame [district, year, grade, residence, ratio, basis], optional
        Pupils per child; for entry grades, and for stages known only as a total.
    progression : DataFrame [district, year, grade, residence, ratio], optional
        Pupils per pupil of the grade they come from, by the grade reached.
    policy, standards, transfers, housing, yields, places, projects, tasks, posts, budget, \
events : DataFrame, optional
        As in the vocabulary.
    grades : DataFrame, optional
        The school system that the rates were estimated for; cn-6-3-3 if left out.
    notes : DataFrame [topic, text]
        What the reader of a result must know of how the assumptions came about.
    selection : DataFrame [stage, model, error, launches, chosen, why], optional
        The model chosen for each stage, with the runners-up and their errors.

    Raises
    ------
    InputError
        If a table breaks the vocabulary.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> ratio = pd.DataFrame({"district": ["A"], "year": [2026], "grade": ["P2"], "ratio": [1.01]})
    >>> pf.Assumptions(progression=ratio)
    Assumptions
      progression: 1 rows [district, year, grade, ratio]
      notes: 0 rows [topic, text]
    """

    fertility: pd.DataFrame | None = None
    survival: pd.DataFrame | None = None
    migration: pd.DataFrame | None = None
    sex_ratio_at_birth: pd.DataFrame | None = None
    births: pd.DataFrame | None = None
    intake: pd.DataFrame | None = None
    progression: pd.DataFrame | None = None
    participation: pd.DataFrame | None = None
    policy: pd.DataFrame | None = None
    standards: pd.DataFrame | None = None
    transfers: pd.DataFrame | None = None
    housing: pd.DataFrame | None = None
    yields: pd.DataFrame | None = None
    places: pd.DataFrame | None = None
    projects: pd.DataFrame | None = None
    tasks: pd.DataFrame | None = None
    posts: pd.DataFrame | None = None
    budget: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    grades: pd.DataFrame | None = None
    districts: pd.DataFrame | None = None
    notes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(NOTES)))
    selection: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for name in ASSUMED_TABLES:
            table = getattr(self, name)
            if table is not None:
                object.__setattr__(
                    self, name, check(table, VOCABULARY_NAME.get(name, name), called=name)
                )
        if self.grades is not None:
            object.__setattr__(self, "grades", resolve_grades(self.grades))

    def __repr__(self) -> str:
        return record_text(self)

    def _repr_html_(self) -> str:
        return record_html(self)


def with_tables(assumptions: Assumptions, **tables: Any) -> Assumptions:  # noqa: ANN401
    """Return assumptions with other tables in the place of some; only these are checked.

    Parameters
    ----------
    assumptions : Assumptions
    **tables : DataFrame or None
        By the names of the fields.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> from placeforecast.tables.records import with_tables
    >>> births = pd.DataFrame({"district": ["A"], "year": [2020], "births": [90.0]})
    >>> with_tables(pf.Assumptions(births=births), births=None)
    Assumptions
      notes: 0 rows [topic, text]
    """
    new = Assumptions(**tables)
    unchanged = {f.name: getattr(assumptions, f.name) for f in fields(Assumptions)}
    for name in set(unchanged) - set(tables):
        object.__setattr__(new, name, unchanged[name])
    return new


NOT_TABLES = ("grades", "districts", "notes", "selection")
ASSUMED_TABLES = tuple(f.name for f in fields(Assumptions) if f.name not in NOT_TABLES)
VOCABULARY_NAME = {"births": "cohort_births"}
