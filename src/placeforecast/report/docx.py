"""The report as a Word document, in the form of an official report or in an office's own."""

from __future__ import annotations

import io
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from docx.oxml.ns import qn
from docx.shared import Twips

from placeforecast.plot.fonts import own_style
from placeforecast.report.docx_table import layout_of, table_xml
from placeforecast.report.docx_template import open_place, save
from placeforecast.report.docx_text import clean, field, heading_number, paragraph, run
from placeforecast.report.model import Figure, Paragraph, Points, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from placeforecast.report.docx_table import Layout
    from placeforecast.report.docx_template import Place
    from placeforecast.report.model import Block, Report

    Element = Any  # lxml has no types

CREATED = datetime(2000, 1, 1)
"""The same in every document, so that the same figures give the same bytes."""
LANG = {"zh": "zh-CN", "en": "en-GB"}
LONGEST = 255
"""Characters that a property of a document holds."""
WORDS: Mapping[str, Mapping[type, tuple[str, str]]] = {
    "zh": {Table: ("表", "\u3000"), Figure: ("图", "\u3000")},
    "en": {Table: ("Table", ". "), Figure: ("Figure", ". ")},
}
"""What a caption begins with, and what stands between its number and its text."""
EAST = '<w:rFonts w:hint="eastAsia"/><w:lang w:eastAsia="zh-CN"/>'
"""Quotation marks and dashes, which both scripts have, are then set as Chinese ones."""
MARK = "_TocReport"
"""Begins the name of the mark at each heading."""
DOTS = 200
"""Of a figure, per inch."""
HIGHEST = 0.85
"""How high a figure may be, as a share of the height of the text."""
SPACER = '<w:spacing w:before="0" w:after="120" w:line="120" w:lineRule="exact"/>'


def write_docx(report: Report, path: Path, template: Path | None = None) -> None:
    """Write a report as a Word document.

    Tables with a sheet of their own are named, not printed. Tables of more than
    `docx_table.MOST_COLUMNS` columns, and those that do not fit, stand on turned pages.

    Parameters
    ----------
    report : Report
    path : Path
        Is overwritten.
    template : Path, optional
        A .docx whose styles, page, headers, footers and text are kept. The report is put at the
        paragraph ``{{report}}``, or at the end; ``{{title}}``, ``{{region}}`` and
        ``{{subtitle}}`` are replaced wherever they stand. Without ``{{title}}`` in its text, the
        title is put above the report; without a table of contents of its own, so is one. Styles
        that it lacks are added.

    Raises
    ------
    ValueError
        If the template is no .docx, or holds a name in ``{{ }}`` that is not known or not placed
        well.
    FileNotFoundError
        If there is no such template.
    """
    place = open_place(report, template)
    with_contents = not _has_contents(place)
    if with_contents:
        place.put(_contents(report, place))
    parts = list(_parts(report, place))
    following = [part for part, _ in parts[1:]] + [None]
    numbers = {kind: count(1) for kind in (Section, Table, Figure)}
    before = False
    for (part, layout), turned, after in zip(parts, _turned(parts), following, strict=True):
        if turned is not before:
            place.end_section(turned=before)
        before = turned
        if isinstance(part, Section):
            number = next(numbers[Section])
            place.put(_heading(part, number, place, new_page=with_contents and number == 1))
        elif isinstance(part, Figure):
            _put_figure(part, place)
            place.put(_caption(part, next(numbers[Figure]), report, place))
        elif isinstance(part, Table) and layout is not None:
            place.put(_caption(part, next(numbers[Table]), report, place))
            place.put(table_xml(part, layout, place.styles))
            place.put(_below(part, report, place))
        else:
            place.put(_text(part, report, place, opens_list=isinstance(after, Points)))
    place.end(turned=before)
    _describe(place, report)
    save(place.document, path)


def _parts(report: Report, place: Place) -> Iterator[tuple[Section | Block, Layout | None]]:
    """Yield headings and blocks in order, with the layout of each table that is printed."""
    width = place.width()
    turned = place.width(turned=True) if place.upright else None
    for section in report.sections:
        yield section, None
        for block in section.blocks:
            if isinstance(block, Table) and not block.sheet:
                yield block, layout_of(block, width, turned)
            else:
                yield block, None


def _turned(parts: list[tuple[Section | Block, Layout | None]]) -> list[bool]:
    """Return which parts stand on turned pages: wide tables, and the text between two of them."""
    fixed = [
        layout.turned if layout is not None else False if isinstance(part, Figure) else None
        for part, layout in parts
    ]
    ahead = [False] * (len(fixed) + 1)
    for i in reversed(range(len(fixed))):
        here = fixed[i]
        ahead[i] = ahead[i + 1] if here is None else here
    turned, behind = [], False
    for i, here in enumerate(fixed):
        turned.append(behind and ahead[i] if here is None else here)
        behind = behind if here is None else here
    return turned


def _run(text: str, report: Report) -> str:
    """Return a run in the language of the report."""
    return run(text, EAST if report.language == "zh" else "")


def _heading(section: Section, number: int, place: Place, *, new_page: bool) -> str:
    """Return a heading with the mark that the table of contents leads to."""
    marks = place.document.element.body.xpath(".//w:bookmarkStart/@w:id")
    key = max([int(mark) for mark in marks], default=0) + 1
    content = (
        f'<w:bookmarkStart w:id="{key}" w:name="{MARK}{number}"/>'
        f'{run(section.title)}<w:bookmarkEnd w:id="{key}"/>'
    )
    properties = "<w:pageBreakBefore/>" if new_page else ""
    return paragraph(place.styles["heading 1"], content, properties)


def _text(block: Block, report: Report, place: Place, *, opens_list: bool) -> str:
    """Return a paragraph, a list, or where to find a table that is not printed."""
    match block:
        case Paragraph(text):
            keep = "<w:keepNext/>" if opens_list else ""
            return paragraph(place.styles["body text"], _run(text, report), keep)
        case Points(items):
            style = place.styles["list bullet"]
            return "".join(paragraph(style, _run(item, report)) for item in items)
        case Table(title=title, sheet=sheet):
            told = report.sheet_note.format(title=title, sheet=sheet)
            return paragraph(place.styles["report note"], _run(told, report))
    raise TypeError(f"a report has no {type(block).__name__}")


def _caption(block: Table | Figure, number: int, report: Report, place: Place) -> str:
    """Return a numbered caption; that of a table stays with what follows."""
    word, gap = WORDS[report.language][type(block)]
    text = block.title if isinstance(block, Table) else block.caption
    begin, end = field(f"SEQ {word} \\* ARABIC")
    counted = _run(f"{word} ", report) + begin + run(str(number)) + end
    content = counted + _run(f"{gap}{text}", report)
    keep = "<w:keepNext/>" if isinstance(block, Table) else ""
    return paragraph(place.styles["caption"], content, keep)


def _below(table: Table, report: Report, place: Place) -> str:
    """Return what stands under a table: its note, or a little room."""
    if table.note:
        return paragraph(place.styles["report note"], _run(table.note, report))
    return paragraph(place.styles["normal"], "", SPACER)


def _put_figure(figure: Figure, place: Place) -> None:
    """Put a figure as wide as the text, or as high as the page allows."""
    drawing = figure.drawn
    stream = io.BytesIO()
    with own_style():
        drawing.savefig(stream, format="png", dpi=DOTS, metadata={"Software": None})
    stream.seek(0)
    across, up = drawing.get_size_inches()
    width = min(place.width(), HIGHEST * place.height() * across / up)
    image = place.document.part.new_pic_inline(stream, width=Twips(round(width)))
    for side in "TBLR":
        image.set(f"dist{side}", "0")  # left out, some programs take 9 points
    image.docPr.set("descr", clean(figure.alt))
    image.docPr.set("name", clean(figure.key))
    (holder,) = place.put(paragraph(place.styles["report figure"], "<w:r><w:drawing/></w:r>"))
    next(holder.iter(qn("w:drawing"))).append(image)


def _has_contents(place: Place) -> bool:
    """Return whether the document has a table of contents; Word is told to renew it."""
    for code in place.document.element.body.iter(qn("w:instrText")):
        if (code.text or "").split()[:1] == ["TOC"]:
            code.getparent().getprevious().find(qn("w:fldChar")).set(qn("w:dirty"), "true")
            return True
    return False


def _contents(report: Report, place: Place) -> str:
    """Return the table of contents: headings now, their pages too when Word renews the field."""
    numbered = "heading 1" in place.added
    entries = []
    for number, section in enumerate(report.sections, start=1):
        shown = (heading_number(report.language, number) if numbered else "") + section.title
        entries.append(f'<w:hyperlink w:anchor="{MARK}{number}">{run(shown)}</w:hyperlink>')
    begin, end = field('TOC \\o "1-1" \\h \\z \\u')
    entries[0] = begin + entries[0]
    entries[-1] += end
    heading = paragraph(place.styles["toc heading"], run(report.contents))
    return heading + "".join(paragraph(place.styles["toc 1"], entry) for entry in entries)


def _describe(place: Place, report: Report) -> None:
    """Fill in the properties of the document."""
    properties = place.document.core_properties
    properties.title = clean(report.title)[:LONGEST]
    properties.subject = clean(report.region)[:LONGEST]
    properties.keywords = report.mark
    properties.language = LANG[report.language]
    properties.created = properties.modified = CREATED
