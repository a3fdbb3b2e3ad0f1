"""The page of a report in a real browser: picked by keyboard, read back, and left alone."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import browser as chromium
from placeforecast.plot.words import words
from placeforecast.report.compose import compose
from placeforecast.report.html import write_html
from placeforecast.report.numbers import printed
from reports import forecast, small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Browser
    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Explorer, Form

NAMES = ("=1+1", "<script>alert(1)</script>", "北" * 60, '䶮 & "x", $&')
CODES = ("TOP", "A", "B", "C")
SHOWN = (
    *("pupils", "demand", "demand_p10", "demand_p90", "places", "balance"),
    *("cell_shortfall", "cell_surplus", "utilisation", "chance_of_shortfall", "share_born"),
)
SHARES = ("utilisation", "chance_of_shortfall", "share_born")
TABLE = """[...document.querySelectorAll("[data-table=explorer] tr")].map(
    (row) => [...row.children].map((cell) => cell.textContent))"""
CHOSEN = """["district", "stage", "ledger", "case"].map((key) => {
    const select = document.getElementById(`explorer-${key}`);
    return select.options[select.selectedIndex].textContent; })"""
FOCUS = "document.activeElement.id"


@dataclass
class Page:
    """A page with the forecast that it tells of."""

    result: Forecast
    explorer: Explorer
    address: str


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Return a page of districts with odd names, one of which has no junior stage."""
    above = [None, "TOP", "TOP", "TOP"]
    level = ["city", "county", "county", "county"]
    table = {"district": CODES, "name": NAMES, "parent": above, "level": level}
    inputs = small(CODES[1:], districts=pd.DataFrame(table))
    result = forecast(inputs, trajectories=20, seed=1)
    assert result.balance is not None
    kept = result.balance.query("not (district == 'C' and stage == 'junior')")
    result = replace(result, balance=kept)
    report = compose(result, language="en")
    assert report.explorer is not None
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(replace(report, sections=report.sections[:1]), path)
    return Page(result, report.explorer, path.as_uri())


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = chromium.found()
    if program is None:
        pytest.skip(f"no browser is installed: {', '.join(chromium.NAMES)}")
    with chromium.Browser(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


def rows(result: Forecast, district: str, stage: str, case: str = "planned") -> list[list[str]]:
    """Return rows of the results table as a report prints them."""
    assert result.balance is not None
    own = result.balance[
        (result.balance["district"] == district)
        & (result.balance["stage"] == stage)
        & (result.balance["ledger"] == "all")
        & (result.balance["plan_case"] == case)
    ].sort_values("year")
    return [
        [
            str(row["year"]),
            *(printed(row[name], "share" if name in SHARES else "signed") for name in SHOWN),
            words("en").warning(str(row["warning"])),
        ]
        for row in own.to_dict("records")
    ]


def quiet(browser: Browser, page: Page) -> bool:
    """Return whether the page asked for nothing but itself, and nothing went wrong."""
    own = page.address
    others = [r for r in browser.requests if r.split("#")[0] != own and not r.startswith("data:")]
    return others == [] and browser.complaints == []


def told(text: str, form: Form) -> str:
    """Return a value of the file as a report prints it."""
    return text if form == "text" else printed(float(text), form)


def tab_to(browser: Browser, name: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(30):
        browser.press("Tab")
        if browser.value(FOCUS) == name:
            return
    pytest.fail(f"Tab does not reach {name}")


def test_an_address_opens_its_choice(browser: Browser, page: Page) -> None:
    found = []
    for district, stage, case in (("TOP", "primary", "planned"), ("B", "senior", "existing")):
        browser.open(f"{page.address}#district={district}&stage={stage}&ledger=all&case={case}")
        head, *shown = browser.value(TABLE)
        assert head[:2] == ["Year", "Pupils"]
        assert len(head) == len(SHOWN) + 2
        assert shown == rows(page.result, district, stage, case)
        assert len(shown) == 9
        found.append(shown)
        assert quiet(browser, page)
    assert found[0] != found[1]
    assert found[0] != rows(page.result, "B", "primary")


def test_a_district_and_a_stage_are_picked_with_the_keyboard(browser: Browser, page: Page) -> None:
    browser.open(page.address)
    browser.press("Tab")
    assert browser.value("document.activeElement.className") == "skip"
    assert browser.value(TABLE)[1:] == rows(page.result, "TOP", "kindergarten")
    tab_to(browser, "explorer-district")
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    assert browser.value(TABLE)[1:] == rows(page.result, "B", "kindergarten")
    browser.press("Tab")
    browser.press("ArrowDown")
    assert browser.value(CHOSEN) == [NAMES[2], "Primary", "all", "planned"]
    shown = browser.value(TABLE)[1:]
    assert shown == rows(page.result, "B", "primary")
    summary = browser.value("document.getElementById('explorer-summary').textContent")
    assert summary.startswith(f"{NAMES[2]} (county) · Primary · ledger all · plan case planned: ")
    address = browser.value("location.href")
    assert address.endswith("#district=B&stage=primary&ledger=all&case=planned")
    browser.open(address)
    assert browser.value(TABLE)[1:] == shown
    assert quiet(browser, page)


def test_typing_the_beginning_of_a_name_finds_it(browser: Browser, page: Page) -> None:
    browser.open(f"{page.address}#district=TOP")
    tab_to(browser, "explorer-district")
    browser.type("䶮")
    assert browser.value(CHOSEN)[0] == NAMES[3]


def test_what_a_district_lacks_cannot_be_picked(browser: Browser, page: Page) -> None:
    browser.open(f"{page.address}#district=B&stage=junior")
    assert browser.value(CHOSEN)[1] == "Junior"
    tab_to(browser, "explorer-district")
    browser.press("ArrowDown")
    assert browser.value(CHOSEN)[:2] == [NAMES[3], "Kindergarten"]
    disabled = "[...document.querySelectorAll('option:disabled')].map((o) => o.textContent)"
    assert browser.value(disabled) == ["Junior (not here)"]
    browser.press("ArrowUp")
    assert browser.value(CHOSEN)[:2] == [NAMES[2], "Junior"]  # what was asked for comes back
    assert browser.value(disabled) == []
    browser.press("ArrowDown")
    browser.press("Tab")
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    assert browser.value(CHOSEN)[1] == "General senior"
    assert quiet(browser, page)


def test_odd_names_are_text_and_nothing_runs(browser: Browser, page: Page) -> None:
    browser.open(page.address)
    listed = "[...document.getElementById('explorer-district').options].map((o) => o.textContent)"
    assert browser.value(listed) == list(NAMES)
    assert browser.value("document.querySelector('optgroup').label") == NAMES[0]
    assert browser.value("document.scripts.length") == 2
    browser.open(f"{page.address}#district=A&stage=<img src=x onerror=alert(2)>")
    assert browser.value(CHOSEN)[:2] == [NAMES[1], "Kindergarten"]
    assert browser.value("document.images.length") == 0
    label = browser.value("document.getElementById('explorer-chart').ariaLabel")
    assert NAMES[1] in label
    assert quiet(browser, page)


def test_a_script_put_into_the_page_does_not_run(browser: Browser, page: Page) -> None:
    browser.open(page.address)
    browser.value(
        "{ const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); document.body.insertAdjacentHTML('beforeend',"
        " '<button id=b onclick=\"window.ran = 2\">x</button>');"
        " document.getElementById('b').click(); }"
    )
    assert browser.value("typeof window.ran") == "undefined"
    assert "Content Security Policy" in " ".join(browser.complaints)
    assert not quiet(browser, page)


def test_the_file_holds_the_figures_and_no_formula(
    browser: Browser, page: Page, tmp_path: Path
) -> None:
    browser.keep_files_in(tmp_path)
    browser.open(f"{page.address}#district=TOP&stage=primary")
    tab_to(browser, "explorer-save")
    browser.press("Enter")
    until = time.monotonic() + 10
    while not (saved := list(tmp_path.glob("*.csv"))) and time.monotonic() < until:
        time.sleep(0.05)
    assert [path.name for path in saved] == ["TOP Primary all planned.csv"]
    with saved[0].open(encoding="utf-8-sig", newline="") as file:
        head, *lines = list(csv.reader(file))
    assert head[:3] == ["District", "Code", "Level"]
    assert lines[0][:7] == [f"'{NAMES[0]}", "TOP", "city", "Primary", "all", "planned", "2025"]
    forms = [column.form for column in page.explorer.columns.values()]
    again = [[line[6], *map(told, line[7:], forms)] for line in lines]
    assert again == rows(page.result, "TOP", "primary")


def test_numbers_are_printed_as_in_the_workbook(browser: Browser) -> None:
    draw = np.random.default_rng(5)
    scales = 10.0 ** draw.integers(-12, 13, 400)
    numbers: list[Any] = [
        *(draw.normal(size=400) * scales).tolist(),
        *(draw.integers(-4000, 4000, 200) / 2).tolist(),
        *(draw.integers(-4000, 4000, 200) / 2000).tolist(),
        *(0, -0.0, 0.5, -0.5, 1.005, 2.675, 0.0005, 0.00049999999999999999, 999.5, 999999.5),
        *(math.nextafter(0.5, 0), math.nextafter(2.5, 0), 1e15, 123456789012345.5, 5e-324, None),
    ]
    script = files("placeforecast.report").joinpath("template", "numbers.js").read_text("utf-8")
    for form in ("count", "signed", "share", "year"):
        call = f"JSON.stringify({json.dumps(numbers)}.map((value) => printed(value, '{form}')))"
        shown = json.loads(browser.value(f"{{ {script}; {call} }}"))
        assert shown == [printed(value, form) for value in numbers]
