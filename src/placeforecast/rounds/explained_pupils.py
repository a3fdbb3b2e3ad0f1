"""The pupils of a grade, term by term: who they come from, and what each table adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.enrolment.events import ON_PUPILS
from placeforecast.enrolment.moves import moved_children
from placeforecast.enrolment.policy import ELSEWHERE, GENERAL, LIMITED, SPECIAL, VOCATIONAL
from placeforecast.enrolment.project import project_enrolment
from placeforecast.places.supply import schedule_places
from placeforecast.population.children import pool_of_children, school_ages
from placeforecast.rates.estimate import stock_at
from placeforecast.rounds.explained import EXACT, Term, fits, numbered, policy_rows, refuse_apart
from placeforecast.tables.grades import FROM_POPULATION, ages_of, family_of, is_entry
from placeforecast.tables.records import with_tables
from placeforecast.tables.structure import applied_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.rounds.explained import Asked
    from placeforecast.tables.records import Assumptions

Row = dict[Any, Any]
Runs = dict[str, pd.DataFrame]
RATIOS = ("intake", "participation", "progression")
SENIOR = ("senior_general_share", "senior_mode")
SPECIALS = ("special_rate", "special_school_share", *ELSEWHERE)
STEERING = ("gross_rate", *SENIOR, *SPECIALS)
"""Indicators of policy that set pupils."""


def runs_of_pupils(asked: Asked) -> Runs:
    """Project the pupils with the ratios alone, then with one table more at a time.

    Returns
    -------
    dict of str to DataFrame [district, year, grade, residence, pupils]
        ``ratios``, ``migration`` where the scenario changes it, and ``events``, ``policy`` and
        ``housing`` where the assumptions have them, each with those before it; from the launch to
        the year asked for. Nothing for the launch year.
    """
    launch, given = asked.forecast.launch_year, asked.assumptions
    if asked.year == launch:
        return {}
    cut: dict[str, Any] = {name: _until(getattr(given, name), asked.year) for name in RATIOS}
    # A change of structure names the grades, so it is there from the first run on.
    rest = _rows(given.events, on_pupils=False)
    plain = with_tables(given, **cut, policy=None, housing=None, yields=None, events=rest)
    steps = {"ratios": plain}
    if _rows(given.events, on_pupils=True) is not None:
        steps["events"] = plain = with_tables(plain, events=given.events)
    if given.policy is not None and given.policy["indicator"].isin(STEERING).any():
        steps["policy"] = plain = with_tables(plain, policy=given.policy)
    if given.housing is not None:
        steps["housing"] = with_tables(plain, housing=given.housing, yields=given.yields)
    moved = _moved(asked)
    runs = {name: _projected(asked, step, moved) for name, step in steps.items()}
    if moved is None:
        return runs
    return {
        "ratios": _projected(asked, steps["ratios"], None),
        "migration": runs.pop("ratios"),
        **runs,
    }


def _moved(asked: Asked) -> pd.DataFrame | None:
    """Return the children whom the scenario moves; None where it leaves migration as it is."""
    forecast, given, before = asked.forecast, asked.assumptions, asked.forecast.assumptions
    stock = stock_at(forecast.inputs, forecast.launch_year)
    if given.migration is None or before.migration is None or stock is None:
        return None
    if given.migration.equals(before.migration):
        return None
    ages = range(school_ages(asked.system)[-1] + 1)
    return moved_children(stock, given, before, forecast.launch_year, asked.year, ages)


def _until(table: pd.DataFrame | None, year: int) -> pd.DataFrame | None:
    dated = table is not None and "year" in table.columns
    return table[table["year"] <= year] if table is not None and dated else table


def _rows(events: pd.DataFrame | None, *, on_pupils: bool) -> pd.DataFrame | None:
    if events is None:
        return None
    rows = events[events["channel"].isin(ON_PUPILS) == on_pupils]
    return None if rows.empty else rows


def _projected(asked: Asked, assumptions: Assumptions, moved: pd.DataFrame | None) -> pd.DataFrame:
    inputs, launch = asked.forecast.inputs, asked.forecast.launch_year
    assert inputs.enrolment is not None  # required of every region
    children = asked.result("children")
    policy, capacity = assumptions.policy, None
    if policy is not None and assumptions.places is not None and (policy["value"] == LIMITED).any():
        years = range(launch, asked.year + 1)
        capacity = schedule_places(asked.assumptions, years, grades=inputs.grades)
    return project_enrolment(
        children[children["year"] <= asked.year],
        inputs.enrolment[inputs.enrolment["year"] <= launch],
        assumptions,
        grades=inputs.grades,
        capacity=capacity,
        moved=moved,
    )


def pupils_terms(asked: Asked, runs: Runs, district: str, grade: str) -> list[Term]:
    """Explain the pupils of one grade of a district; the last term is the forecast's figure.

    Raises
    ------
    InputError
        If the terms do not add up to the pupils of the forecast.
    """
    reported = _held(asked.result("pupils"), district, grade, asked.year)
    if not runs:
        terms = [_counted(asked, district, grade, reported)]
    else:
        terms = _projected_terms(asked, runs, district, grade)
    total = sum(term.value for term in terms if term.unit == "pupils" and term.formula != SOURCE)
    known = _corrected(asked)
    if known and abs(reported - total) > EXACT * max(1.0, total):
        formula = f"{known}: factor {reported / total:.6g}" if total else known
        terms.append(Term(f"{grade}: correction", reported - total, "pupils", formula))
        total = reported
    refuse_apart(total, reported, f"{district} {grade} {asked.year}", "pupils")
    terms.append(Term(f"{grade}: pupils", total, "pupils", "sum of the terms of pupils above"))
    return terms


SOURCE = "those the ratio applies to"


def _held(table: pd.DataFrame, district: str, grade: str, year: int) -> float:
    here = (table["district"] == district) & (table["grade"] == grade) & (table["year"] == year)
    return float(table.loc[here, "pupils"].sum())


def _counted(asked: Asked, district: str, grade: str, pupils: float) -> Term:
    """Explain the launch year: its pupils were counted."""
    table = asked.forecast.inputs.enrolment
    assert table is not None  # required of every region
    here = _counted_rows(table, district, grade, asked.year)
    counted = float(table.loc[here, "pupils"].sum())
    refuse_apart(counted, pupils, f"{district} {grade} {asked.year}", "pupils")
    where = numbered(table, here)
    return Term(f"{grade}: pupils counted", counted, "pupils", "as counted", "enrolment", where)


def _counted_rows(table: pd.DataFrame, district: str, grade: str, year: int) -> pd.Series[bool]:
    here: pd.Series[bool] = table["district"].eq(district) & table["grade"].eq(grade)
    return here & table["year"].eq(year)


def _corrected(asked: Asked) -> str:
    """Say that the model corrects pupils by its last error, beside the assumptions, if it does."""
    corrected = (asked.forecast.notes["topic"] == "correction").any()
    return "by the last known error" if corrected else ""


def _projected_terms(asked: Asked, runs: Runs, district: str, grade: str) -> list[Term]:
    row = _launch_grade(asked, runs["ratios"], district, grade)
    terms = _cohort_terms(asked, runs["ratios"], district, grade, row)
    before = _held(runs["ratios"], district, grade, asked.year)
    for name in list(runs)[1:]:
        after = _held(runs[name], district, grade, asked.year)
        if abs(after - before) > EXACT * max(1.0, before):
            terms.append(_added(asked, name, district, grade, row, before, after))
        before = after
    return terms


def _shown(asked: Asked, district: str, grade: str, year: int) -> str:
    """Return the name that a grade of the launch has in a year."""
    for change in applied_changes(asked.changes, district):
        if year >= change.year and grade == change.grade:
            grade = change.becomes
    return grade


def _launch_grade(asked: Asked, run: pd.DataFrame, district: str, grade: str) -> Row:
    """Return the grade of the launch whose pupils have this name in the year asked for."""
    launched = run[(run["district"] == district) & (run["year"] == asked.forecast.launch_year)]
    taught = asked.system[asked.system["grade"].isin(set(launched["grade"]))]
    rows = taught.to_dict("records")
    return next(r for r in rows if _shown(asked, district, r["grade"], asked.year) == grade)


def _cohort_terms(
    asked: Asked, run: pd.DataFrame, district: str, grade: str, row: Row
) -> list[Term]:
    """Explain the pupils before policy: children or pupils a year before, times a ratio."""
    family = family_of(row)
    table: pd.DataFrame = getattr(asked.assumptions, family)
    rows = (table["grade"] == row["grade"]) & fits(table, district=[district], year=[asked.year])
    if is_entry(row):
        first, sources = _children(
            asked, district, grade, row, str(table.loc[rows, "basis"].iloc[0])
        )
    else:
        first, sources = _feeder(asked, run, district, grade, row)
    product = 0.0
    for residence in _classes(run):
        own = table[rows & fits(table, residence=[residence])] if residence else table[rows]
        if own.empty:
            continue  # the district has nobody of this class, else the forecast had refused
        product += float(own["ratio"].iloc[0]) * sources.get(residence, sources[""])
    apart = len(_classes(run)) > 1
    formula = "of all classes of residence together" if apart else ""
    ratio = product / first.value if first.value else float("nan")
    what = "children x ratio" if is_entry(row) else "pupils of the grade below x ratio"
    return [
        first,
        Term(f"{grade}: {family} ratio", ratio, "ratio", formula, family, numbered(table, rows)),
        Term(f"{grade}: pupils before policy", product, "pupils", what),
    ]


def _classes(run: pd.DataFrame) -> list[str]:
    return sorted(set(run["residence"])) if "residence" in run.columns else [""]


def _children(
    asked: Asked, district: str, grade: str, row: Row, basis: str
) -> tuple[Term, Mapping[str, float]]:
    axes: dict[str, list[Any]] = {"year": [asked.year], "district": [district]}
    pool = float(pool_of_children(row, asked.result("children"), axes, basis)[0, 0])
    ages = ages_of(row)
    span = str(ages[0]) if len(ages) == 1 else f"{ages[0]}-{ages[-1]}"
    name, rows = _born(asked, district, [asked.year - age for age in ages], basis)
    title = f"{grade}: children aged {span}, basis {basis}"
    return Term(title, pool, "children", SOURCE, name, rows), {"": pool}


def _born(asked: Asked, district: str, cohorts: list[int], basis: str) -> tuple[str, str]:
    """Return the table and rows that cohorts come from: births, else the people counted."""
    people, births = asked.forecast.inputs.population, asked.assumptions.births
    if basis == "births" and births is not None:
        recorded = births["year"].isin(cohorts) & (births["district"] == district)
        if "share_born" in births.columns and asked.assumptions.fertility is not None:
            # Cohorts of which no month is recorded come from the projection.
            recorded &= births["share_born"] > 0
        if births.loc[recorded, "year"].nunique() == len(cohorts):
            return "births", numbered(births, recorded)
    if people is not None and basis == "resident":
        counted = people["district"].eq(district) & people["age"].isin(
            [int(people["year"].max()) - cohort for cohort in cohorts]
        )
        if counted.any():
            return "population", numbered(people, counted)
    table = asked.assumptions.fertility
    return "fertility", "" if table is None else numbered(table, fits(table, district=[district]))


def _feeder(
    asked: Asked, run: pd.DataFrame, district: str, grade: str, row: Row
) -> tuple[Term, Mapping[str, float]]:
    """Return the pupils that the grade takes in from, before policy, by class of residence."""
    launch, enrolment = asked.forecast.launch_year, asked.forecast.inputs.enrolment
    assert enrolment is not None  # required of every region
    years = range(asked.year - int(row["duration"]), asked.year)
    own, rows = [], pd.Series(data=False, index=enrolment.index)
    for year in years:
        shown = _shown(asked, district, row["feeder"], year)
        if year <= launch:
            here = _counted_rows(enrolment, district, shown, year)
            rows |= here
            own.append(enrolment[here])
        else:
            own.append(
                run[run["district"].eq(district) & run["grade"].eq(shown) & run["year"].eq(year)]
            )
    pupils = pd.concat(own, ignore_index=True)
    by_class = {"": float(pupils["pupils"].sum())}
    if "residence" in run.columns:
        by_class |= dict.fromkeys(_classes(run), 0.0)
        summed = pupils.groupby("residence")["pupils"].sum()
        by_class |= {str(who): float(number) for who, number in summed.items()}
    when = str(years[0]) if len(years) == 1 else f"{years[0]}-{years[-1]}"
    title = f"{grade}: pupils of {_shown(asked, district, row['feeder'], years[-1])} in {when}"
    if years[-1] > launch:
        title += ", before policy, events and housing"
    table = "enrolment" if rows.any() else ""
    where = numbered(enrolment, rows)
    return Term(title, by_class[""], "pupils", SOURCE, table, where), by_class


def _added(
    asked: Asked, name: str, district: str, grade: str, row: Row, before: float, after: float
) -> Term:
    """Return what one table more adds to the pupils of a grade, now and in earlier years."""
    table: pd.DataFrame | None = getattr(asked.assumptions, name)
    assert table is not None  # the run was made with it
    if name == "policy":
        factor = f"factor {after / before:.6g}" if before else "from none"
        stage = str(row["stage"])
        rows = policy_rows(asked, STEERING, district, stage, around=False)
        if stage in (GENERAL, VOCATIONAL):
            rows = policy_rows(asked, SENIOR, district, GENERAL, around=False)
        elif stage == SPECIAL:
            rows = policy_rows(asked, SPECIALS, district, stage, around=False)
        formula = f"set by policy: {factor}"
    elif name == "events":
        stages = _stages_below(asked, row)
        own = fits(table, district=asked.above(district), stage=stages)
        own &= table["channel"].isin(ON_PUPILS) & (table["year_from"] <= asked.year)
        rows, formula = numbered(table, own), "with the events less without them"
    elif name == "migration":
        rows = numbered(table, fits(table, district=[district]))
        formula = "pupils who move with the scenario; children who move are in those above"
    else:
        rows = numbered(table, fits(table, district=[district]) & (table["year"] <= asked.year))
        formula = "completions above those the ratios hold, times yields"
    return Term(f"{grade}: {name}", after - before, "pupils", formula, name, rows)


def _stages_below(asked: Asked, row: Row) -> set[str]:
    """Return the stages that the cohort of a grade has come through."""
    by_grade = {str(r["grade"]): r for r in asked.system.to_dict("records")}
    stages = {str(row["stage"])}
    while row["feeder"] != FROM_POPULATION and row["feeder"] in by_grade:
        row = by_grade[row["feeder"]]
        stages.add(str(row["stage"]))
    return stages
