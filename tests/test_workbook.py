"""The workbook: every figure can be followed back to the rows that it comes from."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.plot.words import LANGUAGES
from placeforecast.report import listings, trace
from placeforecast.report.appendix import appendix_of
from placeforecast.report.compose import compose
from placeforecast.report.compose_balance import balance_section
from placeforecast.report.compose_closing import provenance_section
from placeforecast.report.compose_plan import plan_section
from placeforecast.report.compose_wave import wave_section
from placeforecast.report.listings import listings_of, sheet_name
from placeforecast.report.model import Report
from placeforecast.report.trace import told_formula, told_term
from placeforecast.report.view import View, catalogue
from placeforecast.report.xlsx import write_xlsx
from placeforecast.rounds.explain_cells import explain_cells
from reports import forecast, small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Appendix

pytestmark = pytest.mark.slow
ODD = ("=1+1", "<script>alert(1)</script>", "北" * 60, "䶮", "a\x01b", "https://example.org/")
HEADING, FIRST = 4, 6
"""Rows of an input sheet: the printed names, and the first values below the codes."""


def report_of(result: Forecast) -> Report:
    """Return a report of the sections that the sheets rest on: quicker than the whole."""
    view = View(result.of(), catalogue("en"))
    parts = (wave_section, balance_section, plan_section, provenance_section)
    sections = tuple(part(view) for part in parts)
    texts = (view.region, "Report", "", "Contents", "", "")
    return Report("en", *texts, sections, appendix=partial(appendix_of, view, sections))


@pytest.fixture(scope="module")
def city() -> Forecast:
    return forecast(pf.load_example("city"), horizon=3)


@pytest.fixture(scope="module")
def file(city: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "report.xlsx"
    write_xlsx(report_of(city), path)
    return path


@pytest.fixture(scope="module")
def book(file: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(file)


@pytest.fixture(scope="module")
def appendix(city: Forecast) -> Appendix:
    made = report_of(city).appendix
    assert made is not None
    return made()


def rows_of(sheet: Worksheet, first: int) -> list[list[Any]]:
    return [list(row) for row in sheet.iter_rows(min_row=first, values_only=True)]


def cells_of(book: openpyxl.Workbook, reference: str) -> list[Any]:
    """Return the values of the cells that a chart refers to."""
    name, _, area = reference.rpartition("!")
    found = book[name.strip("'").replace("''", "'")][area.replace("$", "")]
    return [c.value for (c,) in found] if isinstance(found, tuple) else [found.value]


def series_of(sheet: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    for chart in sheet._charts:
        for series in chart.series:
            yield chart, series


def test_charts_draw_the_cells_of_their_sheet(book: openpyxl.Workbook, city: Forecast) -> None:
    sheet: Any = book["Wave"]
    (chart,) = sheet._charts
    drawn = {}
    for _, series in series_of(sheet):
        (name,) = cells_of(book, series.tx.strRef.f)
        years = cells_of(book, series.xVal.numRef.f)
        dashed = series.spPr.ln.prstDash == "dash"
        drawn[name, dashed] = dict(zip(years, cells_of(book, series.yVal.numRef.f), strict=True))
    launch = city.launch_year
    own = city.stages[(city.stages["district"] == "CITY") & (city.stages["ledger"] == "all")]
    for (name, dashed), values in drawn.items():
        stage = {"Kindergarten": "kindergarten", "Primary": "primary"}.get(name)
        assert (min(values) == launch) == dashed
        assert (max(values) == launch) != dashed
        if stage and dashed:
            rows = own[own["stage"] == stage].set_index("year")["pupils"]
            assert values == pytest.approx(rows.to_dict())
    assert len(drawn) == 10
    assert cells_of(book, chart.title.tx.strRef.f) == ["Pupils by stage"]
    assert cells_of(book, chart.x_axis.title.tx.strRef.f) == ["Year"]
    assert chart.y_axis.title.tx.rich.p[0].r[0].t == "Pupils"


def test_the_plan_is_drawn_stage_by_stage(book: openpyxl.Workbook, city: Forecast) -> None:
    sheet: Any = book["Plan"]
    titles = [cells_of(book, chart.title.tx.strRef.f)[0] for chart in sheet._charts]
    assert titles[:2] == ["Kindergarten", "Primary"]
    assert city.balance is not None
    rows = city.balance.query(
        "district == 'CITY' and stage == 'primary'"
        " and ledger == 'public' and plan_case == 'planned'"
    ).set_index("year")
    series = sheet._charts[1].series[0]
    years = cells_of(book, series.xVal.numRef.f)
    assert cells_of(book, series.yVal.numRef.f) == pytest.approx(rows.loc[years, "demand"].tolist())


def test_charts_cover_no_cells(book: openpyxl.Workbook) -> None:
    seen = 0
    for sheet in book:
        charts: Any = getattr(sheet, "_charts", [])
        for chart in charts:
            low, high = chart.anchor._from.row + 1, chart.anchor.to.row + 1
            inside = sheet.iter_rows(min_row=low, max_row=high, values_only=True)
            assert not any(value is not None for row in inside for value in row), sheet.title
            seen += 1
        if charts:
            assert sheet.page_setup.orientation == "landscape"
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert seen >= 8


def test_shares_are_shaded(book: openpyxl.Workbook) -> None:
    sheet = book["Balance share"]
    (rule,) = next(iter(sheet.conditional_formatting)).rules
    assert rule.type == "colorScale"
    assert [float(end.val) for end in rule.colorScale.cfvo] == [-0.3, 0, 0.3]


def test_input_sheets_are_the_tables(book: openpyxl.Workbook, city: Forecast) -> None:
    for name, table in city.inputs.tables().items():
        sheet = book[f"Input {name.replace('_', ' ')}"]
        heading = [cell.value for cell in sheet[HEADING + 2]]
        rows = rows_of(sheet, FIRST + 1)
        assert [code for code in heading if code] == list(table.columns)
        numbers = heading.index(table.columns[0])
        assert [row[0] for row in rows] == list(range(1, len(table) + 1))
        for at, column in enumerate(table.columns, start=numbers):
            kept = [None if pd.isna(v) else v for v in table[column].tolist()]
            assert [row[at] for row in rows] == kept, (name, column)
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref.startswith(f"A{FIRST}:")


def test_rows_name_the_line_of_their_file(tmp_path: Path) -> None:
    lines = ["district,year,births", "A,2019,5", "", "A,2020,6", ",,", "A,2021,7"]
    (tmp_path / "births.csv").write_text("\n".join(lines), encoding="utf-8")
    pupils = "district,year,grade,pupils\nA,2021,P1,5\nA,2022,P1,6\n"
    (tmp_path / "enrolment.csv").write_text(pupils, encoding="utf-8")
    inputs = pf.read_inputs(tmp_path)
    told = inputs.provenance.set_index("table")["lines"]
    assert told.to_dict() == {"births": "2-2, 4-4, 6-6", "enrolment": "2-3"}
    view: Any = SimpleNamespace(
        forecast=SimpleNamespace(inputs=inputs, assumptions=pf.Assumptions()),
        words=catalogue("en"),
        count=str,
    )
    (births,) = (e.table for e in listings_of(view, []) if e.name == "births")
    assert births is not None
    assert [row[:5] for row in births.rows] == [
        (1, 2, "A", 2019, 5.0),
        (2, 4, "A", 2020, 6.0),
        (3, 6, "A", 2021, 7.0),
    ]
    assert "births.csv" in births.note
    assert re.search(r"SHA-256 [0-9a-f]{64}$", births.note)


def test_lines_are_left_out_where_rows_were_moved(book: openpyxl.Workbook) -> None:
    assert book["Input population"]["A4"].value.endswith("so rows are not lines of the file")
    assert book["Input population"]["B5"].value == "District"
    assert book["Input births"]["B5"].value == "Line of file"


def sums(rows: list[list[Any]]) -> dict[tuple[Any, ...], tuple[float, float]]:
    """Return, for every cell explained, the sum of its parts and the balance that it states."""
    found: dict[tuple[Any, ...], list[float]] = {}
    for row in rows:
        key, term, value = (*row[1:5],), row[5], row[6]
        own = found.setdefault(key, [0.0, 0.0, float("nan")])
        if term in ("balance", "balance (sum)"):
            own[2] = value
        elif term.endswith(": demand"):
            own[0] += value
        elif term not in ("demand", "places") and re.search(
            r": (places standing|project .+|allotted by .+|balance)$", term
        ):
            own[1] += value
    return {key: (p - d, stated) for key, (d, p, stated) in found.items()}


def wrong(rows: list[list[Any]], balance: dict[tuple[Any, ...], float]) -> list[tuple[Any, ...]]:
    """Return the cells whose terms do not lead to the balance of the result."""
    return [
        key
        for key, (total, stated) in sums(rows).items()
        if any(
            abs(figure - balance[key]) > 1e-9 * max(1e5, abs(balance[key]))  # of sums of 100,000
            for figure in (total, stated)
        )
    ]


def test_terms_add_up_to_the_balance(book: openpyxl.Workbook, city: Forecast) -> None:
    rows = rows_of(book["How computed"], 6)
    words = catalogue("en")
    assert city.balance is not None
    own = city.balance[city.balance["plan_case"] == "planned"]
    told = zip(own["district"], own["stage"], own["year"], own["ledger"], strict=True)
    keys = [(d, words.stage(s), y, words.value("ledger", g)) for d, s, y, g in told]
    balance = dict(zip(keys, own["balance"], strict=True))
    assert len(sums(rows)) > 100
    assert wrong(rows, balance) == []
    broken = dict(balance)
    (first, *_) = sums(rows)
    broken[first] += 1e-3
    assert wrong(rows, broken) == [first]


def test_terms_are_those_of_explain(city: Forecast) -> None:
    cells = [("D01-U", "junior", 2025), ("D01-U", "primary", 2026), ("D01-U", "primary", 2028)]
    found = explain_cells(city, cells)
    for cell in cells:
        alone = pf.explain(city, *cell)
        ledger, terms = found[cell]
        assert ledger == "public"
        pd.testing.assert_frame_equal(terms, alone, rtol=1e-12)


def test_a_figure_that_does_not_follow_is_said(city: Forecast) -> None:
    assert city.balance is not None
    other = city.balance.assign(balance=city.balance["balance"] + 1)
    made = report_of(replace(city, balance=other)).appendix
    assert made is not None
    (table,) = (table for table in made().tables if table.key == "trace")
    assert "make the forecast again" in table.how[0]
    area = [row for row in table.rows if row[5] == "balance (sum)"]
    assert any("its terms add up to" in str(row[8]) for row in area)


def test_terms_lead_to_the_rows_that_they_name(book: openpyxl.Workbook) -> None:
    sheet = book["How computed"]
    seen = set()
    for row in sheet.iter_rows(min_row=6):
        link = row[11].hyperlink
        if link is None or row[10].value is None:
            continue
        name, _, place = link.location.rpartition("!")
        target = book[name.strip("'")]
        first = int(re.match(r"\d+", row[10].value).group())  # type: ignore[union-attr]
        assert target[place].value == first
        seen.add(target.title)
        if target.title == "Assumed progression":
            grade = target.cell(target[place].row, 4).value
            assert row[5].value == f"{grade}: progression ratio"
    assert {"Assumed progression", "Assumed intake", "Input places", "Assumed policy"} <= seen


def test_links_lead_to_cells_that_exist(book: openpyxl.Workbook) -> None:
    count = 0
    for sheet in book:
        links = [cell.hyperlink for row in sheet.iter_rows() for cell in row if cell.hyperlink]
        for link in links:
            assert not link.target  # nothing leads out of the workbook
            name, _, place = link.location.rpartition("!")
            target = book[name.strip("'").replace("''", "'")]
            assert target[place].value is not None
        count += len(links)
        if sheet.title != "Contents":
            assert sheet["A3"].hyperlink.location == "'Contents'!A1"
    assert count > 1000
    listed = {row[0] for row in rows_of(book["Contents"], 6)}
    assert listed == set(book.sheetnames) - {"Contents"}


def test_every_column_is_in_the_dictionary(appendix: Appendix) -> None:
    (table,) = (table for table in appendix.tables if table.key == "dictionary")
    told = {(row[0], row[1]) for row in table.rows}
    for other in appendix.tables:
        for column in other.columns:
            if other.key.startswith(("input_", "assumed_")) and column.code:
                assert (other.title, column.label) in told
    row = next(r for r in table.rows if r[0] == "Input enrolment" and r[2] == "pupils")
    assert row[4] == "pupils"
    sector = next(r for r in table.rows if r[0] == "Input enrolment" and r[2] == "sector")
    assert "private_inclusive" in str(sector[5])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_and_formula_is_known(city: Forecast, language: str) -> None:
    found = explain_cells(city, trace.explained(View(city.of(), catalogue("en"))))
    words = catalogue(language)
    for _, terms in found.values():
        for term, formula in zip(terms["term"], terms["formula"], strict=True):
            for told in (told_term(words, term), told_formula(words, formula)):
                if language == "zh":
                    assert not re.search(r"\b(pupils|places|ratio|sum|of)\b", told), told
        if language == "en":
            plain = terms[~terms["term"].str.contains("ledger|basis|places|project|allotted")]
            assert [told_term(words, t) for t in plain["term"]] == plain["term"].tolist()


def test_odd_names_neither_execute_nor_break(tmp_path: Path) -> None:
    tree = pd.DataFrame({"district": ["T", *ODD], "parent": [None, *["T"] * len(ODD)]})
    result = forecast(small(ODD, districts=tree))
    paths = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path in paths:
        write_xlsx(compose(result, language="en"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    book = openpyxl.load_workbook(paths[0])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    links = [cell.hyperlink for cell in cells if cell.hyperlink]
    assert links
    assert all(link.target is None for link in links)
    names = [sheet.title.lower() for sheet in book]
    assert len(names) == len(set(names))
    assert all(len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in names)
    for title in {
        t for s in book for c in getattr(s, "_charts", []) for t in [c.title.tx.strRef.f]
    }:
        assert re.fullmatch(r"'?[^!]+'?!\$[A-Z]+\$\d+", title)


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("a" * 40, [], "a" * 31),
        ("a" * 40, ["A" * 31], "a" * 27 + " (2)"),
        ("'quoted'", [], "quoted"),
        ("History", [], "History (2)"),
        ("[]:*?/\\", [], "-"),
        ("x\x01y", [], "x y"),
    ],
)
def test_sheets_have_lawful_names(wanted: str, taken: list[str], name: str) -> None:
    assert sheet_name(wanted, taken) == name


def test_a_table_beyond_a_sheet_is_left_out_and_said(
    city: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MOST_ROWS", 4000)
    view = View(city.of(), catalogue("en"))
    made = appendix_of(view, [])
    assert "Input enrolment" not in {table.sheet for table in made.tables}
    row = next(row for row in made.contents.rows if row[4] == "enrolment.csv")
    assert row[0] is None
    assert str(row[2]).endswith("left out: 20,004 rows, more than a sheet holds (4,000)")


def test_the_workbook_stays_small(file: Path) -> None:
    assert file.stat().st_size < 25e6
