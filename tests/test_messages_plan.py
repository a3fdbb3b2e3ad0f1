"""What a planner is told of a plan that cannot be, and of a hole that only the forecast meets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import placeforecast as pf
from regions import (
    GRADES,
    added,
    assert_refused,
    column,
    error_text,
    gone,
    line,
    region_with,
    run,
    swapped,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path

    from regions import Fault

PLAN: dict[str, tuple[str, str, str]] = {
    "a closure without its year": (
        "closure,approved,,,,,,",
        "closes",
        "is blank in a closure (project P). Give the first school year without the places.",
    ),
    "a closure that opens": (
        "closure,approved,2026,,2027,,,",
        "opens",
        "'2026' is filled in a closure (project P). "
        "Leave opens blank; closes says when the places go.",
    ),
    "a school without its year": (
        "new,approved,,,,,,",
        "opens",
        "is blank (project P). Give the school year or date in which the places open.",
    ),
    "open before it starts": (
        "new,approved,2026,2027,,,,",
        "opens",
        "'2026' is before starts (project P). "
        "A project cannot open before it starts: correct one of the two.",
    ),
    "closed before it opens": (
        "temporary,approved,2027,,2026,,,",
        "closes",
        "'2026' is before opens (project P). Correct one of the two.",
    ),
    "an outage without its end": (
        "rebuild,approved,2029,,,2027,,",
        "outage_to",
        "is given without the other end of the outage (project P). "
        "Fill both outage_from and outage_to, or neither.",
    ),
    "an outage without its beginning": (
        "rebuild,approved,2029,,,,2027,",
        "outage_to",
        "'2027' is given without the other end of the outage (project P). "
        "Fill both outage_from and outage_to, or neither.",
    ),
    "an outage that ends before it begins": (
        "refit,approved,2029,,,2028,2027,",
        "outage_to",
        "'2027' is before outage_from (project P). Correct one of the two.",
    ),
    "open during the outage": (
        "rebuild,approved,2028,,,2027,2028,",
        "opens",
        "'2028' is not after the outage (project P). "
        "Places come back after outage_to: correct one of the two.",
    ),
    "an outage of a new school": (
        "new,approved,2029,,,2027,2028,",
        "outage_from",
        "'2027' is filled in a project that is no rebuild or refit (project P). "
        "List the places that are away as a project of kind rebuild or refit.",
    ),
    "a conversion from nowhere": (
        "conversion,approved,2029,,,,,",
        "from_stage",
        "is blank in a conversion (project P). "
        "Name the stage that the places leave; stage is the one that receives them.",
    ),
    "a new school from a stage": (
        "new,approved,2029,,,,,junior",
        "from_stage",
        "'junior' is filled in a project that is no conversion (project P). "
        "Leave it blank, or make the kind conversion.",
    ),
    "a conversion to itself": (
        "conversion,approved,2029,,,,,primary",
        "from_stage",
        "'primary' is the receiving stage itself (project P). "
        "Name the stage that the places leave.",
    ),
}


@pytest.mark.parametrize(("cells", "at", "told"), PLAN.values(), ids=PLAN)
def test_a_plan_that_cannot_be(cells: str, at: str, told: str, tmp_path: Path) -> None:
    row = added("projects.csv", f"P,primary,A,public,90,{cells}")
    region = region_with(tmp_path / "region", row)
    assert_refused(region, f"projects.csv, row 3, column {at}: {told}")


def test_a_new_private_school_in_a_compulsory_stage(tmp_path: Path) -> None:
    row = "P,primary,A,private,90,new,approved,2026,,,,,"
    told = (
        "projects.csv, row 3, column sector: 'private' is private in a compulsory stage (project "
        "P). New private compulsory schools are not approved: cancel it or change the sector."
    )
    assert_refused(region_with(tmp_path / "region", added("projects.csv", row)), told)


@pytest.mark.parametrize(
    "row",
    [
        "P,primary,A,private,90,new,cancelled,2026,,,,,",
        "P,primary,A,private,90,new,open,2023,,,,,",
        "P,kindergarten,A,private,90,new,approved,2026,,,,,",
        "P,primary,A,private,90,refit,approved,2028,,,2026,2027,",
    ],
)
def test_a_private_school_that_may_be(row: str, tmp_path: Path) -> None:
    region = region_with(tmp_path / "region", added("projects.csv", row))
    projects = pf.read_inputs(region).projects
    assert projects is not None
    assert list(projects["project"]) == ["East", "P"]


def test_private_schools_are_no_matter_elsewhere(tmp_path: Path) -> None:
    """The rule is China's: a system without junior schools does not have it."""
    edits = (
        whole("grades.csv", GRADES),
        added("projects.csv", "P,primary,A,private,90,new,approved,2026,,,,,"),
    )
    projects = pf.read_inputs(region_with(tmp_path / "region", *edits)).projects
    assert projects is not None
    assert list(projects["project"]) == ["East", "P"]


LAUNCH: dict[str, Fault] = {
    "a hole in the launch year": (
        (line("enrolment.csv", 28, None),),
        "enrolment, column pupils: lacks pupils of the launch year: A P3 2024. "
        "Add the row for 2024 (each sector that had one before), 0 if there are none.",
    ),
    "births of a cohort still to enter missing": (
        (
            gone("population.csv", "fertility.csv", "survival.csv"),
            line("births.csv", 30, None),  # B 2020, and with it the end of the cohort of 2021
        ),
        "births: lacks children for P1 in 2026 in B (basis births, cohorts of 2020; 1 such cells). "
        "Add the births of these school years, or give population by age.",
    ),
    "a launch without pupils": (
        (swapped("forecast.toml", "2024", "2025"),),
        "enrolment: has no pupils of the launch year 2025. "
        "Add them, or launch from a year that is there (2020-2024).",
    ),
    "an unknown model": (
        (added("forecast.toml", "[run]", 'model = "defualt"'),),
        "'defualt' is not a model. "
        "Did you mean 'default'? Or give the path of a folder with a model.toml.",
    ),
    "a district of survival missing": (
        (column("survival.csv", "district", "A"),),
        "survival, column survival: lacks 100 of 200 cells, first: sex female, age 0, district B. "
        "Add the rows; what is nothing is written as 0.",
    ),
}


@pytest.mark.filterwarnings("ignore:births. cohorts with a month missing:UserWarning")
@pytest.mark.parametrize("fault", LAUNCH.values(), ids=LAUNCH)
def test_a_hole_that_the_forecast_needs(fault: Fault, tmp_path: Path) -> None:
    """The tables are lawful; what is missing depends on the launch."""
    edits, told = fault
    region = region_with(tmp_path / "region", *edits)
    inputs = pf.read_inputs(region)
    with pytest.raises(pf.InputError, match=f"^{re.escape(error_text(told))}$"):
        pf.forecast(inputs)
    for name in ("forecast", "report"):
        call = run(name, region, "--out", tmp_path / "out")
        notes = [text for text in call.err.splitlines() if text.startswith("note: ")]
        assert (call.status, call.out) == (1, "")
        assert call.err == "\n".join([*notes, error_text(told), ""])
        assert not (tmp_path / "out").exists()
