"""The guides and READMEs in both languages: their lines run, and say what the program says."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import typer.main

import placeforecast as pf
from placeforecast.chain.record import Forecast
from placeforecast.cli import app
from placeforecast.report.compose import compose
from placeforecast.tables.records import INPUT_TABLES
from placeforecast.tables.vocabulary import vocabulary
from regions import GRADES, added, cell, error_text, line, region_with, whole
from test_architecture import forbidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regions import Edits

ROOT = Path(__file__).parents[1]
GUIDES = {"en": ROOT / "docs" / "guide.md", "zh": ROOT / "docs" / "guide.zh.md"}
READMES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh.md"}
PAGES = [*READMES.values(), *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
TABLE_HEADING = re.compile(r"^### `(\w+)`.*$", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w-])", re.ASCII)
GENERATED = "tables.md"
"""Written when the docs are built."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
UNUSED = {"en": "not computed with yet", "zh": "不参与计算"}
"""What is said of a table that the program only checks."""
LEAST = 10
"""Smaller numbers are words as often as figures."""
SAID = {"500", "100"}
"""Numbers of the tutorial that are no results: trajectories to ask for, and a whole."""

FAULTS: dict[str, Edits] = {
    "districts": (added("births.csv", "C,2012,180"),),
    "grades": (whole("grades.csv", GRADES), cell("grades.csv", 4, "enters_from", "P22")),
    "births": (cell("births.csv", 6, "births", "1,034"),),
    "population": (line("population.csv", 9, None),),
    "fertility": (cell("fertility.csv", 7, "asfr", "60"),),
    "survival": (cell("survival.csv", 7, "survival", "99.4"),),
    "mortality": (whole("mortality.csv", "sex,age,mx,qx\nfemale,0,0.01,0.01\n"),),
    "migration": (whole("migration.csv", "sex,age,net_migration\nfemale,0,5\n"),),
    "sex_ratio_at_birth": (whole("sex_ratio_at_birth.csv", "ratio\n111\n"),),
    "enrolment": (added("enrolment.csv", "A,2024,P1,public,88"),),
    "places": (cell("places.csv", 2, "stage", "compulsory"),),
    "projects": (cell("projects.csv", 2, "kind", "closure"),),
    "tasks": (cell("tasks.csv", 2, "year_to", "2023"),),
    "policy": (whole("policy.csv", "indicator,year,value\npublic_share,2024,85\n"),),
    "standards": (whole("standards.csv", "indicator,value\nspare_share,5\n"),),
    "housing": (
        whole("housing.csv", "estate,district,year,dwelling_type,dwellings\nX,A,2026,new,1200\n"),
    ),
    "yields": (
        whole(
            "yields.csv",
            "dwelling_type,years_since_completion,stage,pupils_per_dwelling\nnew,0,primary,20\n",
        ),
    ),
    "transfers": (whole("transfers.csv", "from,to,stage,share\nA,B,primary,5\n"),),
    "neighbours": (whole("neighbours.csv", "from,to,distance,limit\nA,D,3,50\n"),),
    "intake_plan": (whole("intake_plan.csv", "district,stage,year,places\nC,primary,2025,90\n"),),
    "class_sizes": (
        whole(
            "class_sizes.csv",
            "district,stage,year,band,classes,pupils\nA,primary,2024,大班额,4,200\n",
        ),
    ),
    "events": (whole("events.csv", "event,year_from,channel,effect\nX,2026,migration,1.1\n"),),
    "boundaries": (whole("boundaries.csv", "old,new,year,share\nX,A,2022,0.6\nX,B,2022,0.3\n"),),
    "posts": (
        whole(
            "posts.csv",
            "district,year,stage,posts_cap,posts_filled,retirements\nA,2024,primary,,40,2\n",
        ),
    ),
    "budget": (
        whole(
            "budget.csv",
            "district,year,source,capital_cap,recurrent_cap\nA,2025,general,3000万,0\n",
        ),
    ),
    "candidates": (
        whole(
            "candidates.csv",
            "project,stage,district,places,kind,cost,earliest,lead_time\n"
            "West,primary,A,900,new,,2028,3\n",
        ),
    ),
    "past_rounds": (
        whole(
            "past_rounds.csv",
            "launch_year,year,district,stage,forecast,actual\n2023,2024,C,primary,500,510\n",
        ),
    ),
    "scenarios": (whole("scenarios.csv", "scenario,table,multiply\nlow,births,90%\n"),),
    "heading": (whole("sex_ratio_at_birth.csv", "出生性别比\n1.11\n"),),
}
"""How each table is spoilt to get the message that the guides quote."""


def fences(text: str, *languages: str) -> list[tuple[str, str]]:
    """Return the fenced blocks, by language and content; all languages unless some are named."""
    found = [(name, body) for name, body in FENCE.findall(text)]
    return [block for block in found if not languages or block[0] in languages]


def part(text: str, number: int) -> str:
    """Return the section of a page under its second-level heading of that number, from 1."""
    return re.split(r"^## .*$", text, flags=re.MULTILINE)[number]


def quoted(text: str) -> str:
    """Return the messages of the program that a page quotes."""
    return "".join(f"{quote}\n" for quote in re.findall(r"^> `(.*)`$", text, re.MULTILINE))


def prose(text: str) -> str:
    """Return a page without its blocks and without code within a line."""
    return re.sub(r"`[^`]*`", "", FENCE.sub("", text))


def numbers(text: str) -> list[str]:
    """Return the numbers of some text that are not small, without separators."""
    found = [match.group().rstrip(",").replace(",", "") for match in NUMBER.finditer(text)]
    return [number for number in found if float(number) >= LEAST]


def told(name: str, folder: Path) -> str:
    """Return what a planner is told of the small region with the fault of that name."""
    region = region_with(folder / name, *FAULTS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)
        with pytest.raises(pf.InputError, match=r"problems? in the input:") as caught:
            pf.forecast(pf.read_inputs(region))
    found = [str(problem) for problem in caught.value.found]
    assert str(caught.value) == error_text(*found)
    return "\n".join(found) + "\n"


def described(text: str) -> Iterator[tuple[str, str]]:
    """Return the tables that a guide describes, with the part of the page on each."""
    filling = part(text, 2)
    starts = list(TABLE_HEADING.finditer(filling))
    ends = [*(match.start() for match in starts[1:]), len(filling)]
    for match, end in zip(starts, ends, strict=True):
        yield match.group(1), filling[match.end() : end]


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("faults")
    return {name: told(name, folder) for name in FAULTS}


@pytest.mark.parametrize("language", GUIDES)
def test_every_table_is_described_with_a_message_that_it_gives(
    language: str, messages: dict[str, str]
) -> None:
    found = dict(described(GUIDES[language].read_text("utf-8")))
    assert tuple(found) == INPUT_TABLES
    filling = part(GUIDES[language].read_text("utf-8"), 2)
    assert quoted(filling.partition("### `")[0]) == messages["heading"]
    for name, page in found.items():
        assert len(prose(page).strip()) > 20, name
        assert (UNUSED[language] in page) == (not vocabulary()[name].used), name
        assert quoted(page) == messages[name], name


def run_block(code: str, space: dict[str, Any]) -> object:
    """Run a block as a notebook does, and return what it shows."""
    *first, last = ast.parse(code).body
    exec(compile(ast.Module(first, []), "guide", "exec"), space)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "guide", "exec"), space)
        return None
    return eval(compile(ast.Expression(last.value), "guide", "eval"), space)


@pytest.fixture(scope="module")
def tutorial() -> list[tuple[str, str]]:
    """Run the tutorial once; return what is printed below each block, and what it shows."""
    space: dict[str, Any] = {"__name__": "__main__"}
    blocks = fences(part(GUIDES["en"].read_text("utf-8"), 1))
    results = []
    for i, (language, body) in enumerate(blocks):
        if language == "python":
            shown = run_block(body, space)
            follows = blocks[i + 1] if i + 1 < len(blocks) else ("", "")
            if follows[0] == "text":
                results.append((follows[1], f"{shown}\n"))
    plt.close("all")
    return results


@pytest.mark.slow
def test_the_tutorial_shows_what_it_prints(tutorial: list[tuple[str, str]]) -> None:
    assert len(tutorial) > 10
    for printed, shown in tutorial:
        assert shown.split() == printed.split()


def unfounded(page: str) -> set[str]:
    """Return the numbers that a tutorial says and that none of its blocks shows."""
    section = part(page, 1)
    shown = {f"{abs(float(n)):.12g}" for n in numbers(" ".join(b for _, b in fences(section)))}
    for number in re.findall(
        r"(?<![\w.-])-?\d+\.\d+", " ".join(b for _, b in fences(section, "text"))
    ):
        shown |= {f"{round(abs(float(number)))}", f"{round(100 * float(number))}"}
    coded = numbers(" ".join(re.findall(r"`([^`]*)`", FENCE.sub("", section))))
    return set(numbers(prose(section))) - shown - set(coded) - SAID


@pytest.mark.parametrize("language", GUIDES)
def test_every_number_said_of_the_city_is_shown(language: str) -> None:
    assert unfounded(GUIDES[language].read_text("utf-8")) == set()


def test_a_number_that_is_not_shown_is_found() -> None:
    page = GUIDES["en"].read_text("utf-8")
    assert "22,200" in page
    assert unfounded(page.replace("22,200", "22,300")) == {"22300"}


def in_one_language(text: str) -> str:
    """Return a page with its blocks without comments, and in English where they name a language."""
    text = FENCE.sub(lambda block: re.sub(r" +# .*$", "", block.group(), flags=re.MULTILINE), text)
    return text.replace('language="zh"', 'language="en"').replace("--language zh", "--language en")


def test_both_guides_hold_the_same_blocks_headings_and_numbers() -> None:
    one, other = (in_one_language(path.read_text("utf-8")) for path in GUIDES.values())
    assert fences(one) == fences(other)
    assert quoted(one) == quoted(other)
    assert [len(marks) for marks, _ in HEADING.findall(FENCE.sub("", one))] == [
        len(marks) for marks, _ in HEADING.findall(FENCE.sub("", other))
    ]
    assert set(numbers(prose(one))) == set(numbers(prose(other)))
    assert sorted(numbers(prose(part(one, 1)))) == sorted(numbers(prose(part(other, 1))))


def test_both_readmes_hold_the_same_blocks_and_headings() -> None:
    one, other = (in_one_language(path.read_text("utf-8")) for path in READMES.values())
    assert fences(one) == fences(other)
    assert len(fences(one, "python")) >= 4
    levels = [
        [len(marks) for marks, _ in HEADING.findall(FENCE.sub("", text))] for text in (one, other)
    ]
    assert levels[0] == levels[1]
    assert one.count("\n| `") == other.count("\n| `")


def later(folder: Path, years: int) -> None:
    """Move every year of a region."""
    for file in folder.iterdir():
        text = re.sub(r"\b20\d\d\b", lambda year: str(int(year.group()) + years), file.read_text())
        file.write_text(text)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in a folder with a region, its scenarios and the round frozen the year before."""
    page = GUIDES["en"].read_text("utf-8")
    region = region_with(tmp_path / "my_region")
    later(region, 1)
    ((_, table),) = fences(part(page, 6), "text")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)  # a short history: no matter here
        before = pf.forecast(pf.read_inputs(region), launch_year=2024)
        pf.freeze_round(before, "out/round_2024")
        (region / "scenarios.csv").write_text(table, encoding="utf-8")
        yield tmp_path


@pytest.mark.slow
def test_the_yearly_round_and_the_scenarios_run_as_printed(office: Path) -> None:
    page = GUIDES["en"].read_text("utf-8")
    space: dict[str, Any] = {"__name__": "__main__"}
    blocks = [body for _, body in fences(part(page, 5) + part(page, 6), "python")]
    *_, steps, parts = [run_block(body, space) for body in blocks]
    assert isinstance(steps, pd.DataFrame)
    assert isinstance(parts, pd.DataFrame)
    assert (office / "out" / "round_2025" / "round.json").is_file()
    for _, own in steps.groupby(["district", "value"]):
        moved = own["to"].iloc[-1] - own["from"].iloc[0]
        assert own["change"].sum() == pytest.approx(moved, abs=1e-6)
    assert {"plan"} <= set(parts["step"])
    compared = pf.compare_scenarios(space["what_if"], stage="primary", year=2027)
    assert set(compared["scenario"]) == {"baseline", "fewer_births", "plan_later", "both"}
    assert (compared.set_index("scenario")["change"]["plan_later"] != 0).any()


@pytest.mark.parametrize("page", [*GUIDES.values()], ids=lambda page: page.name)
def test_names_in_the_text_are_there(page: Path) -> None:
    named = re.findall(r"`(pf|result)\.([\w.]+)", FENCE.sub("", page.read_text("utf-8")))
    assert len(named) > 5
    for where, name in named:
        there = attrgetter(name)(pf) if where == "pf" else name in {*Forecast.__annotations__}
        assert there or callable(getattr(Forecast, name)), name


def commands() -> list[str]:
    """Return the lines that call the command, of every page, without comments."""
    found = {
        line
        for page in PAGES
        for _, body in fences(page.read_text("utf-8"), "sh")
        for line in body.replace("\\\n", "").splitlines()
        if re.match(r"(uv run )?placeforecast ", line)
    }
    return sorted(found)


@pytest.mark.parametrize("text", commands())
def test_a_command_is_one_that_there_is(text: str) -> None:
    name, *options = shlex.split(text.removeprefix("uv run "), comments=True)[1:]
    every = typer.main.get_command(app)
    commands_there = every.commands  # type: ignore[attr-defined]  # it is a group
    assert commands_there[name].make_context(name, options).params


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in LINK.findall(text):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        if (page.parent / file) == ROOT / "docs" / GENERATED:
            continue
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if anchor:
            titles = [title for _, title in HEADING.findall(there.read_text("utf-8"))]
            assert anchor in {re.sub(r"[^\w\- ]", "", t).lower().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("page", [*GUIDES.values(), *READMES.values()], ids=lambda page: page.name)
def test_pages_name_no_registry_and_no_machine(page: Path) -> None:
    assert forbidden(page.read_text("utf-8")) == []


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Forecast:
    folder = tmp_path_factory.mktemp("small")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)
        return pf.forecast(pf.read_inputs(region_with(folder / "region")))


@pytest.mark.parametrize("language", GUIDES)
def test_every_section_of_the_report_is_explained(language: str, small: Forecast) -> None:
    report = compose(small, language=language)
    page = GUIDES[language].read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \|", part(page, 3), re.MULTILINE)
    assert {section.title for section in report.sections} <= set(rows)


def test_the_page_of_names_has_every_public_name() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    named = set(
        re.findall(r"auto(?:function|class|module):: (?:[\w.]*\.)?(\w+)$", page, re.MULTILINE)
    )
    assert set(pf.__all__) | {"Forecast"} <= named
    assert {"of", "tables", "trajectories_of"} <= set(vars(Forecast))
    assert re.search(r"chain\.record\.Forecast\n +:members: of, tables, trajectories_of", page)
    assert re.search(r"automodule:: placeforecast\.plot\n +:members:", page)
