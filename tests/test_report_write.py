"""Writing a report: what is replaced and what is not, the same cells in every format, the call."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pypdf
import pytest
from docx import Document

import placeforecast as pf
from placeforecast.report import write
from placeforecast.report.compose import compose
from placeforecast.report.numbers import printed
from regions import region_with, run
from reports import TREE, forecast, read, small

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report

LOADS = "placeforecast.report.write.import_module"
ODD = ("=1+1", "<b>&\"'{x}</b>", "$x$ #[_*`", "䶮")
NEW = ("cohorts", "ages", "grades", "standing", "entry", "warned", "rooms", "smaller", "reuse")
"""Tables of the sections on people, capacity, means and reuse that a small region has."""


def lone(launch: int = 2025) -> Forecast:
    """Return the forecast of one district without places, the quickest to report."""
    return forecast(small(("A",), places=None, projects=None), launch_year=launch, horizon=2)


@pytest.fixture(scope="module")
def result() -> Forecast:
    return lone()


def stub(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these formats hold no more than their name, the launch and the mark, quickly."""

    def fake(name: str) -> object:
        def write_it(report: Report, path: Path, template: Path | None = None) -> None:
            path.write_text(f"{name} {report.subtitle} {template} {report.mark}")

        return type(name, (), {f"write_{name}": staticmethod(write_it)})

    stubs = {f"placeforecast.report.{name}": fake(name) for name in names}
    monkeypatch.setattr(LOADS, lambda name: stubs.get(name) or import_module(name))


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def odd() -> Forecast:
    return forecast(small(ODD), horizon=3)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_cell_stands_in_every_format(odd: Forecast, tmp_path: Path, language: str) -> None:
    """Page, document, workbook and PDF print the same cells, names that look like code too."""
    formats = ("html", "docx", "xlsx", "pdf")
    page, document, workbook, paper = pf.write_report(
        odd, tmp_path, language=language, formats=formats
    )
    assert [path.name for path in (page, document, workbook, paper)] == [
        f"report.{name}" for name in formats
    ]
    report = compose(odd, language=language)
    shown = read(page.read_text(encoding="utf-8")).tables
    grids = [
        [[tc.p_lst[0].text for tc in tr.tc_lst] for tr in table._tbl.tr_lst]
        for table in Document(str(document)).tables
    ]
    book = openpyxl.load_workbook(workbook, read_only=True)
    sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}
    text = "".join(p.extract_text() for p in pypdf.PdfReader(paper).pages)
    text = re.sub(r"\s", "", text)
    printed_tables = [(s, t) for s, t in report.tables() if not t.sheet]
    assert set(NEW) <= {table.key for _, table in printed_tables}
    assert len(grids) == len(printed_tables)
    for (section, table), grid in zip(printed_tables, grids, strict=True):
        forms = [column.form for column in table.columns]
        rows = [list(map(printed, row, forms)) for row in table.rows]
        assert shown[table.key][1:] == rows, table.key
        assert [row[: len(forms)] for row in grid[1:]] == rows, table.key
        assert set(table.rows) <= {row[: len(forms)] for row in sheets[section.sheet]}, table.key
        cells = {re.sub(r"\s", "", cell) for row in rows for cell in row}
        assert sorted(cell for cell in cells if cell not in text) == [], table.key
    assert set(ODD) <= {cell for rows in shown.values() for row in rows for cell in row}
    odd_one = {re.sub(r"\s", "", cell) for cell in (*ODD, "1,234,567.89")}
    assert {cell for cell in odd_one if cell not in text} == {"1,234,567.89"}


def test_formats_by_default_and_what_they_are_of(
    result: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, "html", "docx", "xlsx", "pdf")
    made = pf.write_report(result, tmp_path / "new" / "out")
    assert [path.name for path in made] == ["report.html", "report.docx", "report.xlsx"]
    assert all(path.is_file() for path in made)
    assert sorted(held(tmp_path / "new" / "out")) == ["report.docx", "report.html", "report.xlsx"]
    order = pf.write_report(result, tmp_path / "o", formats=("pdf", "html", "pdf"))
    assert [path.name for path in order] == ["report.pdf", "report.html"]
    assert [path.name for path in pf.write_report(result, tmp_path / "p", formats="pdf")] == [
        "report.pdf"
    ]


@pytest.mark.parametrize("broken", list(write.RENDERERS))
def test_a_failure_leaves_the_earlier_report(
    result: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    stub(monkeypatch, *write.RENDERERS)
    folder = tmp_path / "out" / "report"
    formats = tuple(write.RENDERERS)
    pf.write_report(result, folder, formats=formats)
    (folder / "mine.txt").touch()
    before = held(folder)
    assert len(before) == 5

    class Standing:
        """A format that writes something."""

        def __getattr__(self, name: str) -> Callable[..., object]:
            return lambda report, path, *_: path.write_text(report.title)

    class Failing:
        """A format that writes something and fails."""

        def __getattr__(self, name: str) -> Callable[..., object]:
            def fail(report: Report, path: Path, *_: object) -> None:
                path.write_text(report.title)
                raise RuntimeError("disk full")

            return fail

    module = f"placeforecast.report.{broken}"
    stubs = {f"placeforecast.report.{name}": Standing for name in write.RENDERERS}
    monkeypatch.setattr(LOADS, lambda name: Failing() if name == module else stubs[name]())
    for later in (result, lone(2024)):
        with pytest.raises(RuntimeError, match="disk full"):
            pf.write_report(later, folder, language="en", formats=formats, overwrite=True)
        assert held(folder) == before
        assert list(folder.parent.iterdir()) == [folder]


def test_the_report_of_another_launch_is_not_replaced_unasked(
    result: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, *write.RENDERERS)
    pf.write_report(result, tmp_path)
    before = held(tmp_path)
    earlier = lone(2024)
    told = (
        f"{tmp_path} holds the report of another region or launch "
        "(report.html, report.docx, report.xlsx); "
        "give another folder, or overwrite=True to replace it"
    )
    with pytest.raises(FileExistsError, match=f"^{re.escape(told)}$"):
        pf.write_report(earlier, tmp_path)
    assert held(tmp_path) == before
    # The formats that are not asked for would stay behind under the name of the new launch.
    assert [p.name for p in pf.write_report(earlier, tmp_path, formats="html", overwrite=True)] == [
        "report.html"
    ]
    assert sorted(held(tmp_path)) == ["report.html"]
    assert b"placeforecast 2024 " in held(tmp_path)["report.html"]


def test_the_report_of_another_region_is_not_replaced_unasked(
    result: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, *write.RENDERERS)
    (tmp_path / "report.pdf").write_text("placeforecast 2025 00000000")
    with pytest.raises(FileExistsError, match=r"another region or launch \(report\.pdf\); give"):
        pf.write_report(result, tmp_path)
    assert list(held(tmp_path)) == ["report.pdf"]
    (tmp_path / "report.pdf").write_text("a file of some other program")
    pf.write_report(result, tmp_path)
    assert held(tmp_path)["report.pdf"] == b"a file of some other program"


def test_a_district_without_data_is_named_and_breaks_nothing(tmp_path: Path) -> None:
    tree = pd.concat([TREE, pd.DataFrame({"district": ["Zz"], "parent": ["C"]})], ignore_index=True)
    bare = forecast(small(districts=tree), horizon=2)
    told = "no pupils are counted, so none are forecast: Zz"
    assert told in bare.notes["text"].tolist()
    assert told not in forecast(small(districts=TREE), horizon=2).notes["text"].tolist()
    (page,) = pf.write_report(bare, tmp_path, language="en", formats=("html",))
    assert told in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_format_says_what_it_is_of(result: Forecast, tmp_path: Path) -> None:
    made = pf.write_report(result, tmp_path, formats=tuple(write.RENDERERS), language="en")
    marks = {write._mark_of(path) for path in made}
    assert marks == {compose(result).mark}
    (mark,) = marks
    assert re.fullmatch("placeforecast 2025 [0-9a-f]{8}", mark)


def test_the_report_of_the_same_region_and_launch_is_replaced(
    result: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, *write.RENDERERS)
    pf.write_report(result, tmp_path, language="zh")
    before = held(tmp_path)
    pf.write_report(result, tmp_path, language="en", formats=("html",))
    after = held(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"report.html"}
    assert set(after) == set(before)


def test_a_template_needs_a_document(result: Forecast, tmp_path: Path) -> None:
    told = "^a template is for the format docx, which is not asked for$"
    with pytest.raises(ValueError, match=told):
        pf.write_report(result, tmp_path / "o", formats=("html",), template=tmp_path / "a.docx")
    text = tmp_path / "a.docx"
    text.write_text("no document")
    with pytest.raises(ValueError, match=r"a\.docx is not a Word document"):
        pf.write_report(result, tmp_path / "o", formats=("docx",), template=text)
    assert [path.name for path in tmp_path.iterdir()] == ["a.docx"]


@pytest.fixture
def region(tmp_path: Path) -> Path:
    return region_with(tmp_path / "region")


def test_the_command_replaces_another_launch_only_if_told(region: Path, tmp_path: Path) -> None:
    call = ("report", region, "--out", tmp_path / "out", "--formats", "html")
    assert run(*call).status == 0
    before = held(tmp_path / "out")
    earlier = (*call, "--launch-year", "2023", "--horizon", "3")
    refused = run(*earlier)
    assert (refused.status, refused.out) == (2, "")
    assert "Invalid value for --out" in refused.err
    assert "--overwrite to replace it" in " ".join(re.sub(r"[│\n]", " ", refused.err).split())
    assert held(tmp_path / "out") == before
    assert run(*earlier, "--overwrite").status == 0
    assert held(tmp_path / "out") != before
    assert b"placeforecast 2023 " in held(tmp_path / "out")["report.html"]


def test_the_command_takes_a_template(region: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.docx"
    document = Document()
    document.add_paragraph("Bureau of Education, No. 12")
    document.save(str(own))
    call = ("report", region, "--out", tmp_path / "out", "--formats")
    made = run(*call, "docx", "--template", own)
    assert made.status == 0
    (path,) = made.out.splitlines()
    assert "Bureau of Education, No. 12" in [p.text for p in Document(path).paragraphs]
    for formats, template, told in (
        ("html", own, "a template is for the format docx"),
        ("docx", tmp_path / "none.docx", "does not exist"),
        ("docx", region / "births.csv", "is not a Word document"),
    ):
        out = tmp_path / "other"
        wrong = run("report", region, "--out", out, "--formats", formats, "--template", template)
        assert (wrong.status, wrong.out) == (2, "")
        assert "--template" in wrong.err
        assert told in " ".join(re.sub(r"[│\n]", " ", wrong.err).split())
        assert not out.exists()


def test_the_command_compares_with_the_last_round(region: Path, tmp_path: Path) -> None:
    inputs = pf.read_inputs(region)
    frozen = pf.freeze_round(forecast(inputs, launch_year=2023, horizon=3), tmp_path / "2023")
    call = ("report", region, "--out", tmp_path / "out", "--formats", "html", "--language", "en")
    plain = run(*call)
    assert plain.status == 0
    without = read((tmp_path / "out" / "report.html").read_text(encoding="utf-8")).tables
    compared = run(*call, "--before", frozen)
    assert (compared.status, compared.out) == (0, plain.out)
    found = read((tmp_path / "out" / "report.html").read_text(encoding="utf-8")).tables
    assert set(found) > set(without)
    wrong = run(*call[:3], tmp_path / "other", "--before", region)
    assert (wrong.status, wrong.out) == (1, "")
    assert "is not a round: it holds no round.json. Name the folder of a frozen" in wrong.err
    assert not (tmp_path / "other").exists()
