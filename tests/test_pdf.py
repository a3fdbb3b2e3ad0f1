"""The report on paper: every figure of it can be found, and nothing is cut, lost or executed."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pypdf
import pytest
from matplotlib.figure import Figure as Drawing

import placeforecast as pf
from placeforecast.report import pdf, typeface
from placeforecast.report.columns import INSET, LONG_WORD, WORD, set_table, text_width
from placeforecast.report.compose import compose
from placeforecast.report.model import Column, Figure, Paragraph, Points, Report, Section, Table
from placeforecast.report.numbers import BLANK, printed
from placeforecast.report.typeface import advances, ems, font_files
from reports import forecast, small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from placeforecast.report.model import Block, Cell

Reader = Any
"""A file that pypdf reads; its types say little of what is inside."""
HOSTILE = (
    "=1+1",
    "<script>alert(1)</script>",
    '#panic("x")',
    "$x$ *bold* _it_ `raw` @label \\u{41}",
    "]#[ // /* ~ -- ...",
    "北" * 60,
    "long" * 15,
    "䶮𬭁",
    "{name}",
)
WIDE = 13


def drawing(text: str = "") -> Drawing:
    figure = Drawing(figsize=(4, 1))
    figure.add_subplot().set_title(text.replace("$", r"\$"))
    return figure


def made(*blocks: Block, language: str = "en", region: str = "Region") -> Report:
    """Return a report of one section."""
    return Report(
        language=language,
        region=region,
        title="A title",
        subtitle="A subtitle",
        contents="Contents",
        sheet_note="{title}: see {sheet}",
        skip="Skip",
        sections=(Section("one", "Section one", "One", blocks),),
    )


def table(*rows: tuple[Cell, ...], **other: Any) -> Table:  # noqa: ANN401
    """Return a table of texts and counts by turns."""
    width = len(rows[0])
    columns = tuple(Column(f"Head {at}", "count" if at % 2 else "text") for at in range(width))
    return Table(**{"key": "t", "title": "The table", "columns": columns, "rows": rows, **other})


def pages(report: Report, folder: Path) -> Reader:
    path = folder / "report.pdf"
    pdf.write_pdf(report, path)
    return pypdf.PdfReader(path)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def text_of(reader: Reader) -> str:
    """Return all text between headers and footers, without spaces."""
    found = [page.extract_text().splitlines() for page in reader.pages]
    return squeezed("".join("".join(found[0][:-1]) + "".join("".join(p[1:-1]) for p in found[1:])))


def rows_of(shown: Table) -> list[str]:
    """Return the rows of a table as they stand in the text of a page."""
    forms = [column.form for column in shown.columns]
    return [squeezed("".join(map(printed, row, forms))) for row in shown.rows]


def rows_lost(report: Report, text: str) -> list[str]:
    """Return the rows that are not in a text, each table looked for after the one before."""
    lost, at = [], 0
    for _, shown in report.tables():
        for row in [] if shown.sheet else rows_of(shown):
            found = text.find(row, at)
            at = found + len(row) if found >= 0 else at
            lost += [row] if found < 0 else []
    return lost


def undrawn(report: Report) -> Report:
    """Return a report with small figures, whose pages are read quickly."""
    sections = tuple(
        replace(
            section,
            blocks=tuple(
                replace(block, draw=drawing) if isinstance(block, Figure) else block
                for block in section.blocks
            ),
        )
        for section in report.sections
    )
    return replace(report, sections=sections)


def elements(reader: Reader) -> Iterator[Any]:
    """Yield the elements of the structure tree."""
    waiting: list[Any] = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting += element
        elif isinstance(element, dict):
            yield element
            waiting += [element["/K"]] if "/K" in element else []


@pytest.fixture(scope="module")
def of_small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Reader]:
    inputs = small(codes=HOSTILE[:4])
    report = undrawn(compose(forecast(inputs), language="zh"))
    return report, pages(report, tmp_path_factory.mktemp("small"))


def test_every_row_of_every_table_can_be_found(
    of_small: tuple[Report, Reader],
) -> None:
    report, reader = of_small
    text = text_of(reader)
    assert rows_lost(report, text) == []
    assert rows_lost(report, text.replace("6", "7")) != []
    paragraphs = [b.text for s in report.sections for b in s.blocks if isinstance(b, Paragraph)]
    assert paragraphs
    assert [p for p in paragraphs if squeezed(p) not in text] == []
    assert all(squeezed(name) in text for name in HOSTILE[:4])
    own = [shown for _, shown in report.tables() if shown.sheet]
    assert own
    for shown in own:
        named = report.sheet_note.format(title=shown.title, sheet=shown.sheet)
        assert squeezed(named) in text


@pytest.mark.slow
def test_every_row_of_the_city_can_be_found(tmp_path: Path) -> None:
    result = forecast(pf.load_example("city"), horizon=3)
    for language in ("zh", "en"):
        report = compose(result, language=language)
        reader = pages(undrawn(report), tmp_path)
        assert rows_lost(report, text_of(reader)) == []
        assert 12 <= len(reader.pages) <= 40
        for _, shown in report.tables():
            if not shown.sheet:
                fits(shown)


def test_the_contents_lead_to_every_section_table_and_figure(
    of_small: tuple[Report, Reader],
) -> None:
    report, reader = of_small
    shown = [t for _, t in report.tables() if not t.sheet]
    figures = [b for s in report.sections for b in s.blocks if isinstance(b, Figure)]
    links = [link.get_object() for link in reader.pages[0]["/Annots"]]
    links += [link.get_object() for link in reader.pages[1].get("/Annots", [])]
    # An entry at the foot of a page may be two links, one of them without height.
    links = list({link["/Contents"]: link for link in reversed(links)}.values())[::-1]
    assert len(links) == len(report.sections) + len(shown) + len(figures)
    numbers = {page.indirect_reference: at for at, page in enumerate(reader.pages, start=1)}
    listed = reader.pages[0].extract_text().partition(report.contents)[2]
    printed_at = re.findall(r"(\d+)$", listed, flags=re.MULTILINE)
    targets = [numbers[link["/Dest"].get_object()[0]] for link in links]
    assert [str(page) for page in targets][: len(printed_at) - 1] == printed_at[:-1]
    titles = [f"{n} {s.title}" for n, s in enumerate(report.sections, start=1)]
    assert [entry.title for entry in reader.outline] == titles
    text = text_of(reader)
    for number, found in enumerate(shown, start=1):
        assert squeezed(f"表{number}{found.title}") in text
    for number, figure in enumerate(figures, start=1):
        assert squeezed(f"图{number}{figure.caption}") in text


def test_every_page_has_its_number_and_the_region(
    of_small: tuple[Report, Reader],
) -> None:
    report, reader = of_small
    for number, page in enumerate(reader.pages, start=1):
        lines = page.extract_text().splitlines()
        assert lines[-1] == f"{number} / {len(reader.pages)}"
        assert lines[0].startswith(report.region)
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
            (595.28, 841.89), abs=0.01
        )


def test_a_screen_reader_is_told_language_title_and_what_a_figure_shows(tmp_path: Path) -> None:
    figure = Figure("f", "What it is", "Up, then down", partial(drawing, "text"))
    reader = pages(made(figure, table(("a", 1)), language="zh", region="北"), tmp_path)
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == "北 – A title"
    tags = list(elements(reader))
    alternative = [tag["/Alt"] for tag in tags if tag.get("/S") == "/Figure"]
    assert alternative == ["Up, then down"]
    assert len([tag for tag in tags if tag.get("/S") == "/TH"]) == 2
    marked = root["/Metadata"].get_object().get_data().decode()
    assert "pdfuaid:part" in marked
    assert "pdfaid:part" in marked


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    rows: tuple[tuple[Cell, ...], ...] = tuple((name, None) for name in HOSTILE)
    blocks: list[Block] = [
        *(Paragraph(name) for name in HOSTILE),
        Points(HOSTILE),
        table(*rows, title=HOSTILE[2], note=HOSTILE[3]),
        Figure("f", HOSTILE[1], HOSTILE[2], drawing),
    ]
    reader = pages(made(*blocks, region=HOSTILE[2] * 20), tmp_path)
    text = text_of(reader)
    for name in HOSTILE:
        assert text.count(squeezed(name)) >= 3
        assert squeezed(name) + BLANK in text
    assert squeezed(HOSTILE[2] * 20) in text
    for page in reader.pages[1:]:
        assert re.match(r'(?:#panic\("x"\))+.*…', page.extract_text().splitlines()[0])


def test_a_word_too_long_for_a_line_is_broken(tmp_path: Path) -> None:
    long = "unbroken" * 30
    columns = tuple((long, at, "short") for at in range(3))
    figure = Figure("f", long, long, drawing)
    blocks = (Paragraph(long), Points((long,)), table(*columns, title=long, note=long), figure)
    reader = pages(made(*blocks, region=long), tmp_path)
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert squeezed(text).count(long) == 11  # and in the contents twice, in no header
    assert max(len(line) for line in text.splitlines()) < len("unbroken") * 20
    assert rows_lost(made(table(*columns)), text_of(reader)) == []


def test_a_character_that_no_font_has_becomes_a_box(tmp_path: Path) -> None:
    report = made(Paragraph("a\u0e01b 🧒\u202e 北"))
    with pytest.warns(pf.AssumptionWarning) as found:
        reader = pages(report, tmp_path)
    assert [str(warning.message) for warning in found] == [
        "no font has ก (U+0E01), U+202E, 🧒 (U+1F9D2): the PDF shows □ instead"
    ]
    assert "a□b□□北" in text_of(reader)


def test_a_missing_glyph_never_gets_to_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "lacking_in", lambda _: [])
    with pytest.raises(RuntimeError, match="could not be displayed"):
        pdf.write_pdf(made(Paragraph("\u0e01")), tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


def test_only_the_two_fonts_are_used(tmp_path: Path) -> None:
    greek = "ᾳ"
    reader = pages(made(Paragraph(f"北 Latin {greek}")), tmp_path)
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts == {"NotoSansSC-Regular", "DejaVuSans"}
    assert [file.stem for file in font_files()] == ["NotoSansSC-Regular", "DejaVuSans"]


def test_digits_are_all_as_wide() -> None:
    assert len({advances()[digit] for digit in "0123456789"}) == 1


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    figure = Figure("f", "What it is", "Up, then down", partial(drawing, "text"))
    report = made(Paragraph("北"), table(("a", 1)), figure)
    pdf.write_pdf(report, tmp_path / "one.pdf")
    pdf.write_pdf(report, tmp_path / "two.pdf")
    first = (tmp_path / "one.pdf").read_bytes()
    assert first == (tmp_path / "two.pdf").read_bytes()
    pdf.write_pdf(replace(report, region="Elsewhere"), tmp_path / "two.pdf")
    assert first != (tmp_path / "two.pdf").read_bytes()


def test_a_long_table_repeats_its_head_and_keeps_its_rows_whole(tmp_path: Path) -> None:
    cell = "words that need several lines " * 8
    report = made(table(*((f"{cell}end{i}", i) for i in range(40))))
    reader = pages(report, tmp_path)
    texts = [page.extract_text() for page in reader.pages[1:]]
    assert len(texts) > 2
    for text in texts:
        assert text.count("Head 0") == 1
        assert text.count("words that") == 8 * len(re.findall(r"end\d", text))


def test_a_low_table_stays_on_one_page(tmp_path: Path) -> None:
    filler = [Paragraph("text")] * 36
    report = made(*filler, table(*(("name", i) for i in range(10)), note="What to know"))
    texts = [page.extract_text() for page in pages(report, tmp_path).pages]
    (with_table,) = [text for text in texts[1:] if "Head 0" in text]
    assert "The table" in with_table
    assert "What to know" in with_table
    assert with_table.count("name") == 10


def test_a_table_of_many_columns_lies_on_its_side(tmp_path: Path) -> None:
    wide = table(tuple("a" if at % 2 == 0 else 12345 for at in range(WIDE)))
    lead, after = Paragraph("lead"), Paragraph("after")
    reader = pages(made(table(("a", 1)), lead, wide, after, table(("b", 2))), tmp_path)
    sides = [float(p.mediabox.width) > float(p.mediabox.height) for p in reader.pages]
    assert sides == [False, False, True, False]
    assert "lead" in reader.pages[2].extract_text()
    assert "after" in reader.pages[3].extract_text()
    assert not set_table(replace(wide, columns=wide.columns[:12])).flipped


def fits(shown: Table, scale: float = 1.0) -> None:
    """Assert that no word reaches over the edge of its cell, nor the table over the page."""
    setting = set_table(shown)
    setting = replace(setting, size=setting.size * scale)
    assert sum(setting.widths) <= text_width(flipped=setting.flipped) + 0.1
    for at, column in enumerate(shown.columns):
        for text in (column.label, *(printed(row[at], column.form) for row in shown.rows)):
            longest = max((ems(w[:LONG_WORD]) for w in re.findall(f"{WORD}+", text)), default=0)
            assert longest * setting.size <= setting.widths[at] - 2 * INSET + 0.1, text


def test_every_word_and_number_fits_into_its_cell() -> None:
    numbers = tuple("North-west" if at % 2 == 0 else 1_234_567 for at in range(9))
    for shown in (table(numbers), table((*numbers, *numbers)), table(("x" * 300, 1), ("y", 2))):
        fits(shown)
        with pytest.raises(AssertionError, match="assert"):
            fits(shown, scale=4.0)
    sizes = [set_table(table(tuple(range(10**6, 10**6 + n)))).size for n in (4, 10, 12, 22)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


def test_text_gets_room_by_how_much_there_is() -> None:
    few, much = set_table(table(("words " * 40, 1, "words " * 160, 2))).widths[::2]
    assert (much - 2 * INSET) / (few - 2 * INSET) == pytest.approx(2, abs=0.1)


def test_a_table_that_no_page_holds_is_refused(tmp_path: Path) -> None:
    cells = tuple(10.0**14 for _ in range(60))
    refused = "table t with 60 columns is too wide for a page"
    with pytest.raises(ValueError, match=f"^{refused}$"):
        pdf.write_pdf(made(table(cells)), tmp_path / "report.pdf")


def test_without_the_chinese_font_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeface, "chinese_font", lambda: None)
    said = (
        "there is no Chinese font to print with: install the package zhplot, "
        "which carries Noto Sans SC (pip install zhplot==1.0.0)"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(said)}$"):
        pdf.write_pdf(made(), tmp_path / "report.pdf")


def test_without_typst_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    said = (
        "writing a PDF needs the package typst, which is not installed or does not run here: "
        "install it (pip install typst), or write html and print that"
    )
    with pytest.raises(ImportError, match=f"^{re.escape(said)}$"):
        pdf.write_pdf(made(), tmp_path / "report.pdf")


def test_a_font_that_is_not_there_is_no_silent_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "FAMILIES", ("No Such Font", *typeface.FAMILIES))
    with pytest.raises(RuntimeError, match=r"^typst warns: unknown font family: no such font$"):
        pdf.write_pdf(made(), tmp_path / "report.pdf")
