"""The report: one model, the same figures in every format, and nothing that executes or breaks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.report import compose_balance
from placeforecast.report.compose import compose
from placeforecast.report.model import Figure, Points, Table
from placeforecast.report.numbers import BLANK, printed
from reports import TITLE, Written, forecast, read, small, table_of, texts, written

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Cell, Form

ODD = (
    "=1+1",
    "<script>alert(1)</script>",
    "北" * 60,
    "long" * 15,
    "䶮",
    "a & b $x$ 100%",
    "{name}",
    "_x0041_",
)


@pytest.fixture(scope="module")
def city() -> Forecast:
    return forecast(pf.load_example("city"), horizon=11)


@pytest.fixture(scope="module")
def of_city(city: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written(city, tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def of_small(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written(forecast(small()), tmp_path_factory.mktemp("small"), "en")


def in_sheet(table: Table, cells: list[tuple[Any, ...]]) -> list[tuple[Cell, ...]]:
    """Return the rows of a table as they stand on its sheet."""
    labels = [column.label for column in table.columns]
    width = len(labels)
    heads = [i for i, row in enumerate(cells) if list(row[:width]) == labels]
    titles = [i for i, row in enumerate(cells) if row[0] == table.title]
    head = next(i for i in heads if i > titles[0])
    return [row[:width] for row in cells[head + 1 : head + 1 + len(table.rows)]]


@pytest.mark.parametrize("of", ["of_city", "of_small"])
def test_page_and_workbook_hold_the_same_figures(of: str, request: pytest.FixtureRequest) -> None:
    found: Written = request.getfixturevalue(of)
    shown, sheets = read(found.page).tables, found.sheets()
    for section, table in found.report.tables():
        kept = in_sheet(table, sheets[table.sheet or section.sheet])
        assert kept == [tuple(value for value in row) for row in table.rows]
        if not table.sheet:
            forms = [column.form for column in table.columns]
            assert shown[table.key][1:] == [
                [printed(value, form) for value, form in zip(row, forms, strict=True)]
                for row in kept
            ]


def test_every_row_of_the_balance_is_in_the_workbook(city: Forecast, of_city: Written) -> None:
    tables = {table.key: table for _, table in of_city.report.tables()}
    assert city.balance is not None
    assert city.balance_cells is not None
    for key, name, result in (
        ("balance_all", "balance", city.balance),
        ("balance_cells", "balance", city.balance_cells.query("plan_case == 'planned'")),
        ("balance_all", "cell_shortfall", city.balance),
        ("balance_all", "utilisation", city.balance),
    ):
        columns = compose_balance.FULL if key == "balance_all" else compose_balance.CELLS
        values = [row[columns.index(name)] for row in tables[key].rows]
        assert len(values) == len(result)
        found = pd.Series(values, index=result.index, dtype=float)
        pd.testing.assert_series_equal(found, result[name], check_names=False, atol=1e-8)


def test_compact_tables_are_rows_of_the_result(city: Forecast, of_city: Written) -> None:
    (table,) = (t for _, t in of_city.report.tables() if t.key == "balance_net")
    assert [c.label for c in table.columns][3:] == ["2025", "2026", "2028", "2030", "2035", "2036"]
    assert city.balance is not None
    row = city.balance.query(
        "district == 'CITY' and stage == 'compulsory' and ledger == 'public' "
        "and plan_case == 'planned' and year == 2030"
    )
    (found,) = (r for r in table.rows if r[:2] == ("示例市（虚构）", "义务教育"))
    assert found[6] == pytest.approx(row["balance"].iloc[0])


def test_the_opening_names_the_worst_spot(city: Forecast, of_city: Written) -> None:
    assert city.balance is not None
    spots = city.balance.query(
        "level == 'county' and ledger == 'public' and plan_case == 'planned' "
        "and stage not in ('compulsory', 'senior')"
    )
    worst = spots.sort_values("shortfall").iloc[-1]
    assert city.inputs.districts is not None
    names = city.inputs.districts.set_index("district")["name"]
    points = [b for b in of_city.report.sections[0].blocks if isinstance(b, Points)]
    first = points[0].items[0]
    assert first.startswith(names[worst["district"]])
    assert f"最重在{worst['year']}学年，短缺{worst['shortfall']:,.0f}个学位" in first
    assert "初中2026学年" in texts(of_city.report, "summary")


def test_the_page_is_whole_and_can_be_read_by_all(of_city: Written) -> None:
    report, page = of_city.report, of_city.page
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="zh-CN">' in page
    assert not re.search(r"(?:src|href)=\"(?!#)(?!data:)|@import|https?://|<link", page)
    figures = [b for s in report.sections for b in s.blocks if isinstance(b, Figure)]
    assert {"ladder", "pyramid", "class_sizes"} <= {figure.key for figure in figures}
    assert page.count('role="img" aria-label="') == len(figures)
    assert page.count("<figcaption>") == len(figures)
    assert all(figure.alt for figure in figures)
    tags = read(page).tags
    assert tags.count("h1") == 1
    assert tags.count("h2") == len(report.sections) + 2
    assert tags.count("script") == 2
    identities = re.findall(r'\bid="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(identities)
    assert page.count('scope="col"') == sum(
        len(table.columns) for _, table in report.tables() if not table.sheet
    )
    assert page.count(report.region) >= 4


def test_the_region_stands_on_every_sheet(of_small: Written) -> None:
    book = openpyxl.load_workbook(of_small.folder / "report.xlsx")
    for sheet in book:
        assert sheet["A1"].value == TITLE
        assert sheet.page_setup.orientation == "landscape"
        assert "synthetic" in sheet.oddHeader.left.text
    sheet = book["Balance"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("D7", f"A6:R{sheet.max_row}")
    assert sheet["K7"].number_format == "#,##0;[Red]-#,##0;0"
    assert sheet["P7"].number_format == "0.0%"


def test_the_same_forecast_gives_the_same_bytes(tmp_path: Path, of_small: Written) -> None:
    formats = ("html", "xlsx")
    for path in pf.write_report(forecast(small()), tmp_path, language="en", formats=formats):
        assert path.read_bytes() == (of_small.folder / path.name).read_bytes()


def test_odd_names_neither_execute_nor_break(tmp_path: Path) -> None:
    found = written(forecast(small(ODD)), tmp_path)
    tags = read(found.page).tags
    assert tags.count("script") == 2
    assert tags.count("style") == 1
    assert "=1+1" in found.page
    cells = [cell for rows in found.sheets().values() for row in rows for cell in row]
    assert set(ODD) <= set(cells)
    assert TITLE in cells
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    kinds = {cell.data_type for sheet in book for row in sheet for cell in row}
    assert "f" not in kinds
    links = [cell.hyperlink for sheet in book for row in sheet for cell in row if cell.hyperlink]
    assert all(link.target is None for link in links)  # inside the workbook only


def test_without_places_the_report_says_what_would_fill_it(tmp_path: Path) -> None:
    result = forecast(small(places=None, projects=None))
    found = written(result, tmp_path, "en")
    for section in ("summary", "balance", "plan"):
        assert "There is no table places" in texts(found.report, section)
    assert "There is no table projects" in texts(found.report, "plan")
    assert list(found.sheets())[:2] == ["Cover", "Contents"]
    figures = [b.key for s in found.report.sections for b in s.blocks if isinstance(b, Figure)]
    assert figures == ["ladder", "wave"]
    assert found.page.count("<svg") == len(figures)


def test_the_english_school_system(tmp_path: Path) -> None:
    tasks = {"district": ["A"], "stage": ["primary"], "year_from": 2026, "year_to": 2029}
    inputs = small(("A",), "england", tasks=pd.DataFrame({**tasks, "places": 700.0}))
    found = written(forecast(inputs), tmp_path, "en")
    assert "Sixth form" in found.page
    assert "compulsory" not in found.page
    # The period ends in 2029 and places of that year are known: 700 ordered, nothing is open yet.
    assert table_of(found.report, "tasks").rows[0][4:7] == (700.0, 900.0, 0.0)
    # open, under construction, approved, proposed, delayed; South is cancelled
    built = table_of(found.report, "tasks_built").rows[0]
    assert built[3:8] == (0.0, 0.0, 600.0, 300.0, 0.0)


def test_cells_beyond_the_limit_are_those_of_one_plan_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = forecast(small())
    assert result.balance_cells is not None
    monkeypatch.setattr(compose_balance, "MOST_CELLS", 10)
    (table,) = (t for _, t in compose(result).tables() if t.key == "balance_cells")
    assert len(table.rows) * 4 == len(result.balance_cells)
    assert {row[6] for row in table.rows} == {"规划"}
    assert f"{len(result.balance_cells):,}" in table.note


def test_a_wrong_call_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    result = forecast(small(("A",), places=None, projects=None))
    with pytest.raises(ValueError, match="there is no language 'fr': zh, en"):
        pf.write_report(result, tmp_path, language="fr")
    with pytest.raises(ValueError, match="there is no format 'rtf': html, docx, xlsx, pdf"):
        pf.write_report(result, tmp_path, formats=("html", "rtf"))
    with pytest.raises(ValueError, match="there is no format given: html, docx, xlsx, pdf"):
        pf.write_report(result, tmp_path, formats=())
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match="a report needs a folder"):
        pf.write_report(result, file)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (1234567.5, "count", "1,234,568"),
        (-0.4, "signed", "0"),
        (-1234.5, "signed", "-1,235"),
        (0.12345, "share", "12.3%"),
        (12.5, "share", "1,250.0%"),
        (2025, "year", "2025"),
        ("=1+1", "text", "=1+1"),
        (None, "count", BLANK),
    ],
)
def test_numbers_are_printed(value: Cell, form: Form, expected: str) -> None:
    assert printed(value, form) == expected


def test_a_report_of_inputs_made_by_hand_lists_its_tables(of_small: Written) -> None:
    (table,) = (t for _, t in of_small.report.tables() if t.key == "provenance")
    rows = {row[0]: row for row in table.rows}
    assert rows["births"][2:4] == (None, 54)
    assert "grades" not in rows


def test_a_changed_figure_is_noticed(city: Forecast) -> None:
    assert city.balance is not None
    other = replace(city, balance=city.balance.assign(balance=city.balance["balance"] + 1))
    tables = [{t.key: t.rows for _, t in compose(r).tables()} for r in (city, other)]
    assert tables[0]["balance_net"] != tables[1]["balance_net"]
    assert tables[0]["wave"] == tables[1]["wave"]
