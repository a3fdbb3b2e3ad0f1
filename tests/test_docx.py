"""The report as a Word document: it prints the model, in the form of an official report."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm
from matplotlib.figure import Figure as Drawing

from placeforecast.report.compose import compose
from placeforecast.report.docx import write_docx
from placeforecast.report.docx_table import MOST_COLUMNS, layout_of
from placeforecast.report.model import Column, Figure, Paragraph, Points, Report, Section, Table
from placeforecast.report.numbers import BLANK, printed
from reports import forecast, small

if TYPE_CHECKING:
    from pathlib import Path

    from docx.document import Document as OpenDocument

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Block

ODD = (
    "=1+1",
    "<script>alert(1)</script>",
    "北" * 60,
    "long" * 15,
    "䶮𬭁",
    'a & b "q" {x} $y',
    "{{title}}",
    "_x0041_",
)
NARROW = Table(
    "narrow",
    "余缺",
    (Column("区域"), Column("学年", "year"), Column("余缺", "signed"), Column("使用率", "share")),
    (("A", 2025, -1234.5, 0.0615), ("B", 2026, None, math.nan), ("=1+1", 2027, 0.2, 1.0)),
    note="负数为短缺。",
)
WIDE = Table(
    "wide",
    "宽表",
    (Column("区域"), *(Column(str(2024 + i), "count") for i in range(MOST_COLUMNS))),
    tuple((name, *(1000.0 * i for i in range(MOST_COLUMNS))) for name in "AB"),
)
LONG = replace(NARROW, key="long", title="长表", sheet="余缺全表")


def draw(height: float = 3.0) -> Drawing:
    figure = Drawing(figsize=(8, height))
    figure.subplots().plot([1, 2])
    return figure


FIGURE = Figure("line", "一条线。", "折线：从1到2 <上升>", draw)


def sample(language: str = "zh", *blocks: Any) -> Report:  # noqa: ANN401
    """Return a report of three sections; other blocks make the middle one."""
    middle = blocks or (Paragraph("先说。"), NARROW, FIGURE, LONG)
    return Report(
        language=language,
        region="示例市",
        title="学位报告",
        subtitle="2025起",
        contents="目录",
        sheet_note="{title}见“{sheet}”。",
        skip="跳到正文",
        sections=(
            Section("one", "要点", "one", (Paragraph("以下：\n“甲”"), Points(("子", "丑")))),
            Section("two", "余缺", "two", middle),
            Section("three", "说明", "three", (Paragraph("完。"),)),
        ),
    )


def written(report: Report, path: Path, template: Path | None = None) -> OpenDocument:
    write_docx(report, path / "report.docx", template)
    return Document(str(path / "report.docx"))


def cells(document: OpenDocument) -> list[list[list[str]]]:
    """Return every cell of every table."""
    tables = [table._tbl for table in document.tables]
    return [[[tc.p_lst[0].text for tc in tr.tc_lst] for tr in t.tr_lst] for t in tables]


def expected(report: Report) -> list[list[list[str]]]:
    """Return what the tables of a report print."""
    found = []
    for table in [table for _, table in report.tables() if not table.sheet]:
        forms = [column.form for column in table.columns]
        rows = [
            [
                printed(None if isinstance(v, float) and math.isnan(v) else v, form)
                for v, form in zip(row, forms, strict=True)
            ]
            for row in table.rows
        ]
        found.append([[column.label for column in table.columns], *rows])
    return found


def lines(document: OpenDocument, style: str) -> list[str]:
    """Return the texts of all paragraphs of a style."""
    return [p.text for p in document.paragraphs if p.style and p.style.name == style]


def body(document: OpenDocument) -> Any:  # noqa: ANN401
    return document.element.body


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> OpenDocument:
    return written(sample(), tmp_path_factory.mktemp("plain"))


def test_tables_print_the_model(plain: OpenDocument) -> None:
    assert cells(plain) == expected(sample())
    assert cells(plain)[0][1:3] == [["A", "2025", "-1,235", "6.2%"], ["B", "2026", BLANK, BLANK]]
    wrong = replace(NARROW, rows=(("A", 2025, -1233.5, 0.0615), *NARROW.rows[1:]))
    assert cells(plain) != expected(sample("zh", wrong))


def test_captions_are_numbered_and_notes_stand_below(plain: OpenDocument) -> None:
    assert lines(plain, "Caption") == ["表 1　余缺", "图 1　一条线。"]
    codes = [code.text.strip() for code in body(plain).iter(qn("w:instrText"))]
    assert codes == ['TOC \\o "1-1" \\h \\z \\u', "SEQ 表 \\* ARABIC", "SEQ 图 \\* ARABIC"]
    assert lines(plain, "Report Note") == ["负数为短缺。", "长表见“余缺全表”。"]


def test_a_caption_in_english(tmp_path: Path) -> None:
    document = written(sample("en", NARROW, FIGURE, WIDE), tmp_path)
    assert lines(document, "Caption") == ["Table 1. 余缺", "Figure 1. 一条线。", "Table 2. 宽表"]


def test_headings_and_contents_are_filled_in(plain: OpenDocument, tmp_path: Path) -> None:
    assert lines(plain, "Heading 1") == ["要点", "余缺", "说明"]
    assert lines(plain, "toc 1") == ["一、要点", "二、余缺", "三、说明"]
    links = [link.get(qn("w:anchor")) for link in body(plain).iter(qn("w:hyperlink"))]
    marks = [mark.get(qn("w:name")) for mark in body(plain).iter(qn("w:bookmarkStart"))]
    assert links == marks
    kinds = [mark.get(qn("w:fldCharType")) for mark in body(plain).iter(qn("w:fldChar"))]
    assert kinds == ["begin", "separate", "end"] * 3
    assert lines(written(sample("en"), tmp_path), "toc 1") == ["1 要点", "2 余缺", "3 说明"]


def test_texts_and_lists(plain: OpenDocument) -> None:
    assert lines(plain, "Body Text") == ["以下：\n“甲”", "先说。", "完。"]
    assert lines(plain, "List Bullet") == ["子", "丑"]
    assert [p.text for p in plain.paragraphs[:3]] == ["示例市", "学位报告", "2025起"]
    opening = next(p for p in plain.paragraphs if p.text.startswith("以下"))
    assert opening.paragraph_format.keep_with_next


def test_heads_are_repeated_and_rows_are_whole(plain: OpenDocument) -> None:
    rows = plain.tables[0]._tbl.tr_lst
    heads = [row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in rows]
    assert heads == [True, False, False, False]
    assert all(row.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in rows)


def test_numbers_stand_right_and_texts_left(plain: OpenDocument) -> None:
    sides = [[cell.paragraphs[0].alignment for cell in row.cells] for row in plain.tables[0].rows]
    right, left = WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT
    assert sides == [[left, right, right, right]] * 4
    below = plain.tables[0].cell(1, 2).paragraphs[0].runs[0].font.color.rgb
    assert str(below) == "A8320A"
    assert plain.tables[0].cell(3, 2).paragraphs[0].runs[0].font.color.rgb is None


def test_figures_have_words_and_the_width_of_the_text(plain: OpenDocument) -> None:
    (shape,) = plain.inline_shapes
    section = plain.sections[0]
    assert section.page_width is not None
    text = section.page_width - (section.left_margin or 0) - (section.right_margin or 0)
    assert shape.width == text
    assert shape.height / shape.width == pytest.approx(3 / 8, rel=1e-3)
    assert shape._inline.docPr.get("descr") == "折线：从1到2 <上升>"
    (image,) = list(plain.part.package.image_parts)
    assert image.image.px_width == 8 * 200
    holder = shape._inline.getparent().getparent().getparent()
    assert holder.pPr.style == "ReportFigure"
    assert plain.styles["Report Figure"].element.pPr.find(qn("w:keepNext")) is not None


def test_a_high_figure_fits_the_page(tmp_path: Path) -> None:
    high = replace(FIGURE, draw=lambda: draw(30.0))
    (shape,) = written(sample("zh", high), tmp_path).inline_shapes
    assert shape.height == pytest.approx(0.85 * Mm(225), rel=1e-3)


def orientations(document: OpenDocument) -> list[bool]:
    """Return of each section whether it is turned; all are A4."""
    for section in document.sections:
        assert section.page_width is not None
        assert section.page_height is not None
        sides = sorted([section.page_width, section.page_height])
        assert [round(side.mm) for side in sides] == [210, 297]
        wide = section.page_width > section.page_height
        assert wide == (section.orientation == WD_ORIENT.LANDSCAPE)
    return [section.orientation == WD_ORIENT.LANDSCAPE for section in document.sections]


@pytest.mark.parametrize(
    ("blocks", "turned"),
    [
        ((NARROW, FIGURE), [False]),
        ((NARROW, WIDE), [False, True, False]),
        ((WIDE, Paragraph("x"), LONG, WIDE, FIGURE), [False, True, False]),
        ((WIDE, NARROW, WIDE), [False, True, False, True, False]),
    ],
)
def test_wide_tables_turn_the_page(tmp_path: Path, blocks: Any, turned: list[bool]) -> None:  # noqa: ANN401
    document = written(sample("zh", *blocks), tmp_path)
    assert orientations(document) == turned
    assert all(section.header.paragraphs[0].text for section in document.sections)


def test_a_report_that_ends_turned_has_no_empty_page(tmp_path: Path) -> None:
    report = sample()
    last = replace(report.sections[-1], blocks=(WIDE,))
    document = written(replace(report, sections=(*report.sections[:2], last)), tmp_path)
    assert orientations(document) == [False, True]


def test_no_table_is_wider_than_its_page(tmp_path: Path) -> None:
    words = tuple(Column("unbreakable" * 3) for _ in range(9))
    crowded = Table("crowded", "x", words, (tuple("w" * 40 for _ in words),))
    heaps = Table("heaps", "x", tuple(Column(f"c{i}", "count") for i in range(40)), ())
    document = written(sample("zh", NARROW, WIDE, crowded, heaps), tmp_path)
    widths = [sum(c.w or 0 for c in t._tbl.tblGrid.gridCol_lst) for t in document.tables]
    assert all(
        width <= Mm(limit) for width, limit in zip(widths, (156, 225, 225, 225), strict=True)
    )
    assert widths[0] == pytest.approx(Mm(156), rel=1e-2)


@pytest.mark.parametrize(
    ("columns", "size"),
    [(2, 10.5), (6, 10.5), (7, 9.0), (8, 7.5), (10, 7.5)],
)
def test_type_is_smaller_where_there_is_much_to_print(columns: int, size: float) -> None:
    # A line of 442.2 points; each column gives 6.7 to margins and has six characters:
    # 6 x (63 + 6.7) = 418; 7 x (63 + 6.7) = 488, 7 x (54 + 6.7) = 425; 8 x (54 + 6.7) = 486.
    heads = tuple(Column("c") for _ in range(columns))
    table = Table("t", "t", heads, (("字" * 6,) * columns,))
    assert layout_of(table, 8844, None).size == size


@pytest.mark.parametrize(("language", "west"), [("zh", "en-US"), ("en", "en-GB")])
def test_fonts_and_languages(tmp_path: Path, language: str, west: str) -> None:
    document = written(sample(language), tmp_path)
    with ZipFile(tmp_path / "report.docx") as package:
        styles = package.read("word/styles.xml").decode()
    assert "Theme" not in styles
    assert re.findall(r'<w:lang w:val="([^"]+)" w:eastAsia="([^"]+)"', styles) == [(west, "zh-CN")]
    east = {
        name: document.styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))
        for name in ("Normal", "Heading 1", "Title", "Caption")
    }
    assert east == {"Normal": "宋体", "Heading 1": "黑体", "Title": "黑体", "Caption": "黑体"}
    indent = document.styles["Body Text"].element.pPr.find(qn("w:ind"))
    assert (indent is not None) == (language == "zh")
    if language == "zh":
        assert indent.get(qn("w:firstLineChars")) == "200"
        assert document.styles["Body Text"].element.pPr.find(qn("w:spacing")).line == 360 * 635
        assert "24" in re.findall(r'<w:sz w:val="(\d+)"', styles[: styles.index("<w:style ")])


def test_header_and_footer(plain: OpenDocument) -> None:
    section = plain.sections[0]
    assert section.header.paragraphs[0].text == "示例市 · 学位报告"
    code = section.footer.paragraphs[0]._p.xpath(".//w:instrText")[0].text
    assert code.strip() == "PAGE"


def test_properties_are_those_of_the_report(plain: OpenDocument) -> None:
    found = plain.core_properties
    assert (found.title, found.subject, found.language) == ("学位报告", "示例市", "zh-CN")
    assert found.created is not None
    assert found.created.isoformat() == "2000-01-01T00:00:00+00:00"
    assert found.modified == found.created


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.docx", tmp_path / "b.docx"
    write_docx(sample(), first)
    write_docx(sample(), second)
    assert first.read_bytes() == second.read_bytes()
    names = ZipFile(first).namelist()
    assert names[0] == "[Content_Types].xml"
    assert names[1:] == sorted(names[1:])


def test_odd_names_stay_text(tmp_path: Path) -> None:
    rows = tuple((name, 2025, 1.0, 0.5) for name in ODD)
    report = sample("zh", replace(NARROW, rows=rows, note=ODD[1]), Points(ODD))
    report = replace(report, region="{{report}} & <b>", title="{{region}}")
    document = written(report, tmp_path)
    assert [row[0] for row in cells(document)[0][1:]] == list(ODD)
    assert lines(document, "List Bullet")[2:] == list(ODD)
    assert document.sections[0].header.paragraphs[0].text == "{{report}} & <b> · {{region}}"
    assert document.core_properties.title == "{{region}}"


def test_characters_that_xml_cannot_hold_are_seen(tmp_path: Path) -> None:
    report = replace(sample("zh", Paragraph("a\x00b\x1fc\ufffed\ud800e\tf\r\ng")), region="北\x07")
    document = written(report, tmp_path)
    assert lines(document, "Body Text")[1] == "a␀b␟c�d�e\tf\ng"
    assert document.paragraphs[0].text == "北␇"


def quickly(block: Block) -> Block:
    """Return a block that is drawn at once; what figures show is tested elsewhere."""
    return replace(block, draw=draw) if isinstance(block, Figure) else block


@pytest.fixture(scope="module")
def result() -> Forecast:
    return forecast(small(("=1+1", "<b>")))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_of_a_forecast_is_whole(tmp_path: Path, result: Forecast, language: str) -> None:
    report = compose(result, language=language)
    quick = [
        replace(section, blocks=tuple(map(quickly, section.blocks))) for section in report.sections
    ]
    report = replace(report, sections=tuple(quick))
    document = written(report, tmp_path)
    assert cells(document) == expected(report)
    figures = [b for section in report.sections for b in section.blocks if isinstance(b, Figure)]
    shown = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert shown == [figure.alt for figure in figures]
    assert len(lines(document, "Caption")) == len(figures) + len(document.tables)
    assert lines(document, "Heading 1") == [section.title for section in report.sections]
    wide = any(len(table.columns) > MOST_COLUMNS for _, table in report.tables() if not table.sheet)
    assert any(orientations(document)) == wide
