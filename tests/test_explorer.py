"""The picker of districts: its data are the balance, and the page around it is safe to open."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from placeforecast.report.compose import compose
from placeforecast.report.compose_explorer import KEYS, WHOLE
from placeforecast.report.html import write_html
from placeforecast.report.html_explorer import data_text, packed, script_text
from placeforecast.report.model import Choice
from reports import TITLE, forecast, read, small

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Explorer, Report


@pytest.fixture(scope="module")
def result() -> Forecast:
    return forecast(small())


@pytest.fixture(scope="module")
def report(result: Forecast) -> Report:
    return compose(result, language="en")


@pytest.fixture(scope="module")
def explorer(report: Report) -> Explorer:
    assert report.explorer is not None
    return report.explorer


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(report, tmp_path_factory.mktemp("page"))


def written(report: Report, folder: Path) -> str:
    """Return the page of the first section of a report."""
    path = folder / "report.html"
    write_html(replace(report, sections=report.sections[:1]), path)
    return path.read_text("utf-8")


def unpacked(data: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows that packed data stand for, as the script reads them."""
    picked = [data[name] for name in ("districts", "stages", "ledgers", "cases")]
    return [
        (
            *(choices[i][0] for choices, i in zip(picked, row[:4], strict=True)),
            year,
            *(data["lists"][i][at] for i in row[4:]),
        )
        for row in data["rows"]
        for at, year in enumerate(data["years"])
    ]


def balance_of(explorer: Explorer) -> pd.DataFrame:
    return pd.DataFrame(explorer.rows, columns=[*KEYS, *explorer.columns])


def test_the_rows_are_those_of_the_balance(result: Forecast, explorer: Explorer) -> None:
    table = balance_of(explorer)
    assert result.balance is not None
    own = table[table["district"] != WHOLE].reset_index(drop=True)
    want = result.balance[own.columns].reset_index(drop=True)
    want["warning"] = want["warning"].replace({"dark_blue": "dark blue"})
    pd.testing.assert_frame_equal(own, want, check_dtype=False, rtol=0, atol=1e-9)


def test_all_districts_together_stand_on_top_where_none_does(explorer: Explorer) -> None:
    assert explorer.districts[0] == Choice(WHOLE, TITLE)
    assert [choice.key for choice in explorer.districts[1:]] == ["A", "B"]
    table = balance_of(explorer).set_index(list(KEYS[1:]))
    counts = ["demand", "places", "balance"]
    whole = table.loc[table["district"] == WHOLE, counts].sort_index()
    parts = table.loc[table["district"] != WHOLE, counts]
    pd.testing.assert_frame_equal(whole, parts.groupby(level=list(KEYS[1:])).sum())
    assert explorer.first == (WHOLE, "kindergarten", "all", "planned")


def test_districts_stand_under_the_one_above() -> None:
    table = {
        "district": ["T", "A", "B", "A1", "A2"],
        "name": ["Top", "Same", "Same", "East", "West"],
        "parent": [None, "T", "T", "A", "A"],
        "level": ["city", "county", "county", "zone", "zone"],
    }
    inputs = small(("A1", "A2", "B"), districts=pd.DataFrame(table))
    explorer = compose(forecast(inputs), language="zh").explorer
    assert explorer is not None
    assert explorer.districts == (
        Choice("T", "Top", "", "市"),
        Choice("A", "Same (A)", "Top", "县区"),
        Choice("B", "Same (B)", "Top", "县区"),
        Choice("A1", "East", "Same (A)", "片区"),
        Choice("A2", "West", "Same (A)", "片区"),
    )
    assert explorer.first[0] == "T"


def test_packed_data_are_the_rows(explorer: Explorer) -> None:
    def order(rows: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
        return sorted(rows, key=lambda row: row[:5])

    data = json.loads(data_text(explorer))
    assert order(unpacked(data)) == order(explorer.rows)
    data["lists"][0][0] = -1
    assert order(unpacked(data)) != order(explorer.rows)
    demand = {row[4 + list(explorer.columns).index("demand")] for row in data["rows"]}
    assert len(demand) * 4 <= len(data["rows"])  # once for all plan cases


def test_a_year_without_a_row_is_blank(explorer: Explorer) -> None:
    gone = explorer.rows[0]
    data = packed(replace(explorer, rows=explorer.rows[1:]))
    (found,) = (row for row in unpacked(data) if row[:5] == gone[:5])
    assert set(found[5:]) == {None}


def test_data_cannot_leave_their_place(explorer: Explorer, page: str) -> None:
    hostile = "</script><!--\u2028]]>&amp;"
    text = data_text(replace(explorer, labels={"a": hostile}))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text)["labels"] == {"a": hostile}
    start = page.index('id="explorer-data">')
    kept = page[start : page.index("</script>", start)].partition(">")[2]
    assert json.loads(kept) == json.loads(data_text(explorer))
    assert "</" not in script_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|\beval\b|Function\(", script_text())


def test_the_page_runs_its_own_script_only(page: str) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = policy.replace("&#39;", "'").split("; ")
    assert rules[0] == "default-src 'none'"
    assert f"script-src 'sha256-{digest}'" in rules
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_the_page_can_be_read_without_seeing_it(page: str) -> None:
    tags = read(page).tags
    headings = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert {"header", "nav", "main", "footer", "noscript"} <= set(tags)
    assert page.index('class="skip" href="#main"') < page.index("<header>")
    named = re.findall(r'<select id="([^"]+)"', page)
    assert len(named) == 4
    assert re.findall(r'<label for="([^"]+)"', page) == named
    assert "workbook (report.xlsx), sheet “Balance”" in page
    assert 'role="status" aria-live="polite"' in page


def luminance(colour: str) -> float:
    """Return how bright a colour is, as the guidelines on accessible pages define it."""
    short = len(colour) == 4
    pairs = [c * 2 for c in colour[1:]] if short else [colour[i : i + 2] for i in (1, 3, 5)]
    parts = [int(pair, 16) / 255 for pair in pairs]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_text_stands_out(page: str) -> None:
    style = page[page.index(":root {") : page.index("</style>")]
    named = dict(re.findall(r"(--\w+): (#[0-9a-f]+)", style))
    inks = set(re.findall(r"(?<![-\w])(?:color|fill): ([^;}]+?)[;\s}]", style)) - {
        "none",
        "inherit",
    }
    colours = {named[ink[4:-1]] if ink.startswith("var(") else ink for ink in inks}
    assert len(colours) >= 5
    light = 1.05
    dim = [c for c in colours if light / (luminance(c) + 0.05) < 4.5]
    assert dim == []
    assert light / (luminance("#777777") + 0.05) < 4.5
    assert (luminance(named["--head"]) + 0.05) / (luminance(named["--ink"]) + 0.05) > 4.5


def test_without_a_balance_there_is_nothing_to_pick(tmp_path: Path) -> None:
    report = compose(forecast(small(("A",), places=None, projects=None)), language="en")
    assert report.explorer is None
    page = written(report, tmp_path)
    assert "script-src &#39;none&#39;" in page
    assert "explorer" not in page.partition("</style>")[2]
    assert "<script" not in page


def test_the_same_report_gives_the_same_bytes(report: Report, page: str, tmp_path: Path) -> None:
    assert written(report, tmp_path) == page
