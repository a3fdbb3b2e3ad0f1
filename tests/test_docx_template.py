"""The report in an office's own Word document: what is theirs stays theirs."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from placeforecast.report.docx import write_docx
from placeforecast.report.model import Paragraph
from test_docx import NARROW, WIDE, draw, lines, orientations, sample, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from docx.document import Document as OpenDocument

REPORT = replace(sample("zh", Paragraph("先说。"), NARROW, WIDE), region="区{{x}}")


def office(change: Callable[[OpenDocument], object] | None = None) -> OpenDocument:
    """Return a document with a cover, the place of the report, and an end."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(200), Mm(280)
    section.left_margin = section.right_margin = Mm(30)
    document.styles["Heading 1"].font.color.rgb = RGBColor(0xC0, 0, 0)
    document.styles["Normal"].font.size = Pt(13)
    section.header.paragraphs[0].text = "教育局 {{region}}"
    document.add_paragraph("封面")
    split = document.add_paragraph()
    for i, part in enumerate(["前{", "{ti", "tle}", "}后{{sub", "title}}"]):
        split.add_run(part).bold = i == 1
    document.add_table(1, 1).cell(0, 0).text = "{{ region }}"
    if change is not None:
        change(document)
    else:
        document.add_paragraph("{{report}}")
    document.add_paragraph("落款")
    return document


def saved(document: OpenDocument, path: Path) -> Path:
    document.save(str(path / "office.docx"))
    return path / "office.docx"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> OpenDocument:
    folder = tmp_path_factory.mktemp("office")
    return written(REPORT, folder, saved(office(), folder))


def texts(document: OpenDocument) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs]


def test_the_report_stands_where_it_is_asked_for(filled: OpenDocument) -> None:
    found = texts(filled)
    assert found[:2] == ["封面", "前学位报告后2025起"]
    assert found[2:4] == ["目录", "要点"]  # their headings carry no number of ours
    assert found[-2:] == ["完。", "落款"]
    assert "{{report}}" not in found


def test_words_are_replaced_wherever_they_stand(filled: OpenDocument) -> None:
    assert filled.tables[0].cell(0, 0).text == "区{{x}}"
    assert filled.sections[0].header.paragraphs[0].text == "教育局 区{{x}}"
    runs = [(run.text, run.bold) for run in filled.paragraphs[1].runs]
    assert runs == [
        ("前学位报告", False),
        ("", True),
        ("", False),
        ("后2025起", False),
        ("", False),
    ]


def test_styles_and_pages_of_the_office_are_kept(filled: OpenDocument) -> None:
    assert filled.styles["Heading 1"].font.color.rgb == RGBColor(0xC0, 0, 0)
    assert filled.styles["Normal"].font.size == Pt(13)
    sizes = [(s.page_width, s.page_height) for s in filled.sections]
    upright, turned = (Mm(200), Mm(280)), (Mm(280), Mm(200))
    assert [[round((side or 0) / 36000) for side in size] for size in sizes] == [
        [round(side / 36000) for side in size] for size in (upright, turned, upright)
    ]
    assert all("教育局" in s.header.paragraphs[0].text for s in filled.sections)
    widths = [sum(c.w or 0 for c in t._tbl.tblGrid.gridCol_lst) for t in filled.tables[1:]]
    assert widths[0] == pytest.approx(Mm(140), rel=1e-2)
    assert widths[0] <= Mm(140)
    assert filled.tables[1].style is not None
    assert filled.tables[1].style.name == "Table Grid"


def test_styles_that_are_lacking_are_added(filled: OpenDocument, tmp_path: Path) -> None:
    assert "Report Note" not in [style.name for style in Document().styles]
    assert lines(filled, "Report Note") == ["负数为短缺。"]
    note = filled.styles["Report Note"]
    assert note.type == WD_STYLE_TYPE.PARAGRAPH
    assert note.base_style == filled.styles["Normal"]
    bare = office()
    for name in ("Heading 1", "List Bullet", "Table Grid", "Body Text"):
        bare.styles[name].delete()
    document = written(REPORT, tmp_path, saved(bare, tmp_path))
    assert lines(document, "toc 1") == ["一、要点", "二、余缺", "三、说明"]
    numbering: Any = document.part.numbering_part.element
    for name, shape in (("Heading 1", "chineseCountingThousand"), ("List Bullet", "bullet")):
        style = document.styles[name].element
        (key,) = style.xpath(".//w:numId/@w:val")
        (abstract,) = numbering.xpath(f"w:num[@w:numId='{key}']/w:abstractNumId/@w:val")
        (level,) = numbering.xpath(f"w:abstractNum[@w:abstractNumId='{abstract}']/w:lvl")
        assert level.find(qn("w:numFmt")).get(qn("w:val")) == shape
        assert level.find(qn("w:pStyle")).get(qn("w:val")) == style.get(qn("w:styleId"))
    kinds = [child.tag for child in numbering]
    assert kinds == sorted(kinds)  # w:abstractNum before w:num


def test_styles_are_found_by_name_not_by_identifier(tmp_path: Path) -> None:
    """A Word in Chinese calls Normal `a` and Heading 1 `1`."""
    document = office()
    styles: Any = document.styles.element
    renamed = {"Normal": "a", "Heading1": "1"}
    for element in styles.iter(qn("w:style"), qn("w:basedOn"), qn("w:next"), qn("w:link")):
        key = qn("w:styleId") if element.tag == qn("w:style") else qn("w:val")
        element.set(key, renamed.get(element.get(key), element.get(key)))
    found = written(REPORT, tmp_path, saved(document, tmp_path))
    assert lines(found, "Heading 1") == ["要点", "余缺", "说明"]
    assert found.styles["Report Note"].element.find(qn("w:basedOn")).get(qn("w:val")) == "a"


def test_an_identifier_that_is_taken_is_not_used_again(tmp_path: Path) -> None:
    document = office()
    document.styles.add_style("ReportNote", WD_STYLE_TYPE.PARAGRAPH)
    found = written(REPORT, tmp_path, saved(document, tmp_path))
    assert lines(found, "Report Note") == ["负数为短缺。"]
    keys = [style.style_id for style in found.styles]
    assert len(keys) == len(set(keys))


def test_without_a_place_the_report_comes_last(tmp_path: Path) -> None:
    def nothing(document: OpenDocument) -> None:
        document.add_paragraph("正文")

    found = texts(written(REPORT, tmp_path, saved(office(nothing), tmp_path)))
    assert found.index("落款") < found.index("目录")
    assert found[-1] == "完。"


def test_without_a_title_in_the_text_it_is_put_above(tmp_path: Path) -> None:
    document = Document()
    document.sections[0].header.paragraphs[0].text = "{{title}}"
    found = written(REPORT, tmp_path, saved(document, tmp_path))
    assert texts(found)[:4] == ["区{{x}}", "学位报告", "2025起", "目录"]
    assert lines(found, "Title") == ["学位报告"]


def test_their_own_contents_are_kept_and_renewed(tmp_path: Path) -> None:
    own = Document()
    write_docx(REPORT, tmp_path / "own.docx")
    contents = Document(str(tmp_path / "own.docx")).element.body.xpath("w:p[w:pPr/w:pStyle]")
    listed = [p for p in contents if p.pPr.style == "TOC1"]
    for element in listed:
        own.element.body.insert(0, element)
    own.add_paragraph("{{report}}")
    found = written(REPORT, tmp_path, saved(own, tmp_path))
    codes = [c.text for c in found.element.body.iter(qn("w:instrText")) if "TOC" in c.text]
    assert len(codes) == 1
    dirty = [c.get(qn("w:dirty")) for c in found.element.body.iter(qn("w:fldChar"))]
    assert dirty.count("true") == 1


def test_a_section_that_the_report_ends_keeps_its_pages(tmp_path: Path) -> None:
    """The place is the last paragraph of a section; another section follows."""

    def sections(document: OpenDocument) -> None:
        place = document.add_paragraph("{{report}}")
        document.add_section().page_width = Mm(150)
        (held,) = document.element.body.xpath("w:p/w:pPr/w:sectPr")
        place._p.get_or_add_pPr().append(held)

    found = written(REPORT, tmp_path, saved(office(sections), tmp_path))
    assert [round((s.page_width or 0) / 36000) for s in found.sections] == [200, 280, 200, 150]
    assert texts(found)[-1] == "落款"
    assert found.sections[0].page_height == found.sections[2].page_height


def test_pages_that_are_turned_already_are_not_turned(tmp_path: Path) -> None:
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(297), Mm(210)
    found = written(REPORT, tmp_path, saved(document, tmp_path))
    assert len(found.sections) == 1


@pytest.mark.parametrize("missing", ["w:sectPr", "w:sectPr/w:pgSz"])
def test_a_template_that_says_nothing_of_its_page_gets_a4(tmp_path: Path, missing: str) -> None:
    document = Document()
    (element,) = document.element.body.xpath(missing)
    element.getparent().remove(element)
    found = written(REPORT, tmp_path, saved(document, tmp_path))
    assert orientations(found) == [False, True, False]


def test_the_first_page_and_its_number_begin_once(tmp_path: Path) -> None:
    document = office()
    section = document.sections[0]
    section.different_first_page_header_footer = True
    number = document.element.body.sectPr.makeelement(qn("w:pgNumType"), {qn("w:start"): "5"})
    document.element.body.sectPr.find(qn("w:pgMar")).addnext(number)
    found = written(REPORT, tmp_path, saved(document, tmp_path))
    assert [s.different_first_page_header_footer for s in found.sections] == [True, False, False]
    assert found.element.body.xpath(".//w:pgNumType/@w:start") == ["5"]


def test_the_same_template_gives_the_same_bytes(tmp_path: Path) -> None:
    template = saved(office(), tmp_path)
    made = [tmp_path / "a.docx", tmp_path / "b.docx"]
    for path in made:
        write_docx(REPORT, path, template)
    assert made[0].read_bytes() == made[1].read_bytes()
    assert orientations(written(REPORT, tmp_path)) == [False, True, False]  # ours again


NO_DOCX = (
    r"^the template {} is not a Word document without macros \(\.docx\); "
    r"open it in Word and save it as \.docx$"
)


def with_type(source: Path, target: Path, kind: str) -> None:
    """Copy a document under another content type."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    with ZipFile(source) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(main.encode(), kind.encode()))


def test_what_is_no_docx_is_refused(tmp_path: Path) -> None:
    good = saved(office(), tmp_path)
    for name in ("a.dotx", "a.docm", "a.doc"):
        shutil.copy(good, tmp_path / name)
    (tmp_path / "text.docx").write_text("no zip")
    (tmp_path / "empty.docx").write_bytes(b"")
    with ZipFile(tmp_path / "other.docx", "w") as package:
        package.writestr("a.txt", "a")
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
    with_type(good, tmp_path / "dotx.docx", word)
    with_type(
        good, tmp_path / "docm.docx", "application/vnd.ms-word.document.macroEnabled.main+xml"
    )
    for path in sorted(set(tmp_path.iterdir()) - {good}):
        with pytest.raises(ValueError, match=NO_DOCX.format(path.name.replace(".", r"\."))):
            write_docx(REPORT, tmp_path / "out" / "report.docx", path)
    with pytest.raises(FileNotFoundError, match=r"none\.docx"):
        write_docx(REPORT, tmp_path / "report.docx", tmp_path / "none.docx")
    assert not (tmp_path / "report.docx").exists()


def in_table(document: OpenDocument) -> None:
    document.add_table(1, 1).cell(0, 0).text = "{{report}}"


def in_header(document: OpenDocument) -> None:
    document.sections[0].header.paragraphs[0].text = "{{report}}"


def twice(document: OpenDocument) -> None:
    document.add_paragraph("{{report}}")
    document.add_paragraph("{{report}}")


def beside(document: OpenDocument) -> None:
    document.add_paragraph("报告：{{report}}")


def with_picture(document: OpenDocument) -> None:
    stream = io.BytesIO()
    draw().savefig(stream, format="png")
    document.add_paragraph("{{report}}").add_run().add_picture(stream)


@pytest.mark.parametrize("change", [in_table, in_header, twice, beside, with_picture])
def test_a_place_that_is_no_place_is_refused(
    tmp_path: Path, change: Callable[[OpenDocument], object]
) -> None:
    template = saved(office(change), tmp_path)
    expected = (
        r"^\{\{report\}\} has to stand once in the template office\.docx, alone in a paragraph of "
        r"the text, not in a table, text box, header or footer$"
    )
    with pytest.raises(ValueError, match=expected):
        write_docx(REPORT, tmp_path / "report.docx", template)


def test_a_name_that_is_not_known_is_refused(tmp_path: Path) -> None:
    def typo(document: OpenDocument) -> None:
        document.add_paragraph("{{titel}}")

    expected = (
        r"^the template office\.docx has \{\{titel\}\}; known are \{\{report\}\}, \{\{title\}\}, "
        r"\{\{region\}\}, \{\{subtitle\}\}$"
    )
    with pytest.raises(ValueError, match=expected):
        write_docx(REPORT, tmp_path / "report.docx", saved(office(typo), tmp_path))
