"""The chain of one result with tables of another in the place of its own."""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from placeforecast.enrolment.moves import moved_children, with_moved_children
from placeforecast.enrolment.policy import LIMITED
from placeforecast.enrolment.project import project_enrolment
from placeforecast.places.balance import balance_places
from placeforecast.places.demand import demand_places
from placeforecast.places.hands import changed_hands
from placeforecast.places.rollup import stage_totals
from placeforecast.places.supply import schedule_places
from placeforecast.population.children import school_age_children, school_ages
from placeforecast.population.project import project_population
from placeforecast.rates.estimate import stock_at
from placeforecast.tables.problems import AssumptionWarning, Problem, refuse
from placeforecast.tables.records import VOCABULARY_NAME
from placeforecast.tables.vocabulary import vocabulary

if TYPE_CHECKING:
    from placeforecast.tables.records import Assumptions, Inputs

Switched = frozenset[str]
COUNTED = "counted"
HANDS = "hands"
TABLES = {
    "births": ("births", "fertility", "sex_ratio_at_birth"),
    "migration": ("migration", "survival"),
    "entry": ("intake", "participation"),
    "progression": ("progression",),
    "policy": ("policy", "events", "transfers", "housing", "yields"),
    "standards": ("standards",),
    "plan": ("places", "projects", "tasks"),
}
"""Which tables of the assumptions each driver holds; `counted` is pupils, people and the launch."""

BY_YEAR_REACHED = (
    "births",
    "fertility",
    "survival",
    "migration",
    "sex_ratio_at_birth",
    "intake",
    "participation",
    "progression",
)
"""Tables of a later launch that begin later: the years before are those of the earlier one."""

PEOPLE = frozenset({"births", "migration", COUNTED})
PUPILS = PEOPLE | {"entry", "progression", "policy"}
SUPPLY = frozenset({"plan", "standards", "policy"})


class Result(Protocol):
    """What a round and a forecast have in common."""

    @property
    def inputs(self) -> Inputs:
        """The region."""

    @property
    def assumptions(self) -> Assumptions:
        """What the result rests on."""

    @property
    def launch_year(self) -> int:
        """The year of the last pupils counted."""

    @property
    def last_year(self) -> int:
        """The last year of the result."""


@dataclass(frozen=True)
class Side:
    """One of the two results that are compared, as far as its chain is run again.

    Attributes
    ----------
    inputs, assumptions : Inputs, Assumptions
        What it rests on.
    launch_year, last_year : int
        The year of the last pupils counted, and the last year of the result.
    before : Assumptions or None
        Those that a scenario changes: where its migration is another one, children counted by
        births and pupils at school move by the difference. None for a round.
    """

    inputs: Inputs
    assumptions: Assumptions
    launch_year: int
    last_year: int
    before: Assumptions | None = None

    @classmethod
    def of(cls, result: Result, before: Assumptions | None = None) -> Side:
        """Return what is needed of a round, or of one scenario of a forecast."""
        return cls(result.inputs, result.assumptions, result.launch_year, result.last_year, before)


@dataclass(frozen=True)
class Swap:
    """Two results, the second of which is put into the first table by table.

    Attributes
    ----------
    a, b : Side
        The earlier and the later round, or two scenarios of one forecast.
    first_year, last_year : int
        Years to carry beyond pupils; not before the later launch.
    stages : tuple of str
        Stages to balance; blank for all.
    ledger, case : str
        Which balance.
    known : dict
        Figures by what they depend on, so that none is computed twice.
    """

    a: Side
    b: Side
    first_year: int
    last_year: int
    stages: tuple[str, ...]
    ledger: str
    case: str
    known: dict[tuple[str, Switched], Any] = field(default_factory=dict)

    def figures(self, switched: Switched) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return demand and balance by stage, with these drivers taken from the second side.

        Returns
        -------
        tuple of DataFrame
            [district, year, stage, demand] and [district, year, stage, balance], of the ledger
            and the years that both sides have; None where no places are known.
        """
        with warnings.catch_warnings():
            # What is odd was said when both were forecast.
            warnings.simplefilter("ignore", AssumptionWarning)
            return self._figures(switched)

    def _figures(self, switched: Switched) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        assumptions = self._assumptions(switched)
        grades, tree = self.b.inputs.grades, self.b.inputs.districts
        demand = self._demand(switched, assumptions)
        totals = stage_totals(demand, districts=tree, grades=grades)
        if assumptions.places is None:
            return totals, None
        places = self._places(switched, assumptions)
        if places is None or not set(places["stage"]) & set(demand["stage"]):
            return totals, None
        balance = balance_places(
            demand, places, districts=tree, grades=grades, standards=assumptions.standards
        )
        return totals, balance.stages

    def towards(self, b: Side) -> Swap:
        """Return the swap of the first side with another one; what needs no driver is known."""
        known = {k: v for k, v in self.known.items() if k[0] != HANDS and not k[1]}
        return replace(self, b=b, known=known)

    def drivers(self) -> list[str]:
        """Return the drivers whose tables differ; the others change nothing."""
        differ = [
            driver for driver, names in TABLES.items() if any(self._differs(name) for name in names)
        ]
        return [*differ, COUNTED] if self._counted_differs() else differ

    def _differs(self, name: str) -> bool:
        mine, theirs = (getattr(r.assumptions, name) for r in (self.a, self.b))
        if mine is None or theirs is None:
            return mine is not theirs
        return not mine.equals(theirs)

    def _counted_differs(self) -> bool:
        sides = []
        for one in (self.a, self.b):
            stock = stock_at(one.inputs, one.launch_year)
            assert one.inputs.enrolment is not None  # required of every region
            known = one.inputs.enrolment[one.inputs.enrolment["year"] <= one.launch_year]
            sides.append((one.launch_year, known, stock))
        (launch, pupils, people), (later, more_pupils, more_people) = sides
        same = launch == later and pupils.equals(more_pupils)
        if people is None or more_people is None:
            return not (same and people is more_people)
        return not (same and people.equals(more_people))

    def _assumptions(self, switched: Switched) -> Assumptions:
        """Return the assumptions of the first side with tables of the second."""
        made = copy(self.a.assumptions)
        for driver, names in TABLES.items():
            for name in names if driver in switched else ():
                # Both tables were checked before.
                object.__setattr__(made, name, self._joined(name))
        object.__setattr__(made, "districts", self.b.inputs.districts)
        return made

    def _joined(self, name: str) -> pd.DataFrame | None:
        """Return a table of the second side, with years before its launch from the first one."""
        earlier: pd.DataFrame | None = getattr(self.a.assumptions, name)
        later: pd.DataFrame | None = getattr(self.b.assumptions, name)
        same_launch = self.a.launch_year == self.b.launch_year
        if same_launch or name not in BY_YEAR_REACHED or earlier is None or later is None:
            return later
        keys = [
            set(vocabulary()[VOCABULARY_NAME.get(name, name)].keys) & set(table.columns)
            for table in (earlier, later)
        ]
        if "year" not in later.columns and "year" not in earlier.columns:
            return later
        if keys[0] != keys[1]:
            odd = ", ".join(sorted(keys[0] ^ keys[1]))
            rule = f"has {odd} in one of the rounds only"
            remedy = "Compare rounds whose tables have the same keys."
            refuse([Problem(rule, remedy, file=name)])
        before = earlier[earlier["year"] < later["year"].min()]
        return pd.concat([before, later], ignore_index=True) if len(before) else later

    @property
    def _until(self) -> int:
        """The last year to project pupils to: one at least after the later launch."""
        return max(self.last_year, self.b.launch_year + 1)

    def _once(self, name: str, switched: Switched, needs: Switched) -> tuple[str, Switched]:
        return name, switched & needs

    def _counted(self, switched: Switched) -> Side:
        return self.b if COUNTED in switched else self.a

    def _children(
        self, switched: Switched, assumptions: Assumptions
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the children, and how many of them a change of migration has moved."""
        key = self._once("children", switched, PEOPLE)
        if key not in self.known:
            base, until, grades = self._counted(switched), self._until, self.b.inputs.grades
            stock = stock_at(base.inputs, base.launch_year)
            people = None if stock is None else project_population(stock, assumptions, until=until)
            children = school_age_children(assumptions, people, grades=grades)
            children = children[children["year"] <= until]
            before, moved = self.b.before, None
            if (
                before is not None
                and stock is not None
                and assumptions.migration is not before.migration
            ):
                assert grades is not None  # filled by Inputs
                ages = range(school_ages(grades)[-1] + 1)
                moved = moved_children(stock, assumptions, before, base.launch_year, until, ages)
                children = with_moved_children(children, moved)
            self.known[key] = (children, moved)
        found: tuple[pd.DataFrame, pd.DataFrame | None] = self.known[key]
        return found

    @property
    def _limited(self) -> bool:
        """Whether places limit who enters, on either side."""
        return any(
            side.assumptions.policy is not None
            and bool((side.assumptions.policy["value"] == LIMITED).any())
            for side in (self.a, self.b)
        )

    @property
    def _pupils_need(self) -> Switched:
        return PUPILS | SUPPLY if self._limited else PUPILS

    def _pupils(self, switched: Switched, assumptions: Assumptions) -> pd.DataFrame:
        key = self._once("pupils", switched, self._pupils_need)
        if key not in self.known:
            base = self._counted(switched)
            capacity = None
            if self._limited and assumptions.places is not None:
                years = range(base.launch_year, self._until + 1)
                capacity = schedule_places(assumptions, years, grades=self.b.inputs.grades)
            cut = copy(assumptions)
            for name in ("intake", "participation", "progression"):
                table: pd.DataFrame | None = getattr(assumptions, name)
                if table is not None and "year" in table.columns:
                    object.__setattr__(cut, name, table[table["year"] <= self._until])
            assert base.inputs.enrolment is not None  # required of every region
            counted = base.inputs.enrolment[base.inputs.enrolment["year"] <= base.launch_year]
            children, moved = self._children(switched, assumptions)
            self.known[key] = project_enrolment(
                children, counted, cut, grades=self.b.inputs.grades, capacity=capacity, moved=moved
            )
        found: pd.DataFrame = self.known[key]
        return found

    def _hands(self) -> Switched:
        """Return the plan, if by it pupils change hands with their schools otherwise."""
        key = self._once(HANDS, frozenset(), frozenset())
        if key not in self.known:
            years = range(self.a.launch_year, self._until + 1)
            rest = frozenset(TABLES) - {"plan"}
            moved = [
                changed_hands(self._assumptions(drivers), years, grades=self.b.inputs.grades)
                for drivers in (frozenset[str](), frozenset({"plan"}), rest, rest | {"plan"})
            ]
            same = moved[0].equals(moved[1]) and moved[2].equals(moved[3])
            self.known[key] = frozenset() if same else frozenset({"plan"})
        found: Switched = self.known[key]
        return found

    def _demand(self, switched: Switched, assumptions: Assumptions) -> pd.DataFrame:
        """Return the demand of the ledger in the years and stages asked for."""
        needs = self._pupils_need | {"standards"} | self._hands()
        key = self._once("demand", switched, needs)
        if key not in self.known:
            pupils = self._pupils(switched, assumptions)
            here = pupils["year"].between(self.first_year, self.last_year)
            # The launch is left as counted, and is told by being the first year.
            pupils = pupils[here | (pupils["year"] == pupils["year"].min())]
            demand = demand_places(pupils, assumptions, grades=self.b.inputs.grades)
            demand = demand[demand["year"].between(self.first_year, self.last_year)]
            self.known[key] = self._own_stages(demand[demand["ledger"] == self.ledger])
        found: pd.DataFrame = self.known[key]
        return found

    def _places(self, switched: Switched, assumptions: Assumptions) -> pd.DataFrame | None:
        key = self._once("places", switched, SUPPLY)
        if key not in self.known:
            first = (self.b if "plan" in switched else self.a).launch_year
            years = range(first, self.last_year + 1)
            grades = self.b.inputs.grades
            places = schedule_places(assumptions, years, case=self.case, grades=grades)
            places = places[places["ledger"] == self.ledger]
            here = places["year"].between(self.first_year, self.last_year)
            places = self._own_stages(places[here])
            self.known[key] = places if len(places) else None
        found: pd.DataFrame | None = self.known[key]
        return found

    def _own_stages(self, table: pd.DataFrame) -> pd.DataFrame:
        if not self.stages:
            return table
        grades = self.b.inputs.grades
        assert grades is not None  # filled by Inputs
        own = grades.loc[grades["stage"].isin(self.stages), "grade"]
        return table[table["grade"].isin(set(own))]
