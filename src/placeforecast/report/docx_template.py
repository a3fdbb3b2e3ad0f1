"""The document that a report is put into: an office's own template, or the one that comes along."""

from __future__ import annotations

import io
import re
import tomllib
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from docx import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.oxml.ns import qn
from docx.parts.numbering import NumberingPart

from placeforecast.report.docx_text import clean, elements, paragraph, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from docx.document import Document as OpenDocument

    from placeforecast.report.model import Report

    Element = Any  # lxml has no types

MEMBERS = {
    "[Content_Types].xml": "content_types.xml",
    "_rels/.rels": "package_rels.xml",
    "docProps/core.xml": "core.xml",
    "word/_rels/document.xml.rels": "document_rels.xml",
    "word/document.xml": "document.xml",
    "word/fontTable.xml": "fonts.xml",
    "word/footer1.xml": "footer.xml",
    "word/header1.xml": "header.xml",
    "word/numbering.xml": "numbering.xml",
    "word/settings.xml": "settings.xml",
    "word/styles.xml": "styles.xml",
}
"""The parts of our own template, and the files they come from."""
LOOKS = "looks.toml"
"""What differs between languages."""
A4 = (11906, 16838)
EDGES = ("top", "right", "bottom", "left")
MARGIN = 1440
"""In twips, where a template says nothing."""
TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
REPORT = "report"
WHOLE = "{{" + REPORT + "}}"
UNREADABLE = (BadZipFile, KeyError, ValueError, SyntaxError)
"""What python-docx raises for a file that is no Word document; XML errors are SyntaxErrors."""


@dataclass(frozen=True)
class Place:
    """Where a report goes.

    Attributes
    ----------
    document : Document
    styles : mapping
        Identifier of each style by its name in small letters.
    added : frozenset of str
        Names of the styles that are ours.
    before : Element
        What stands right after the report.
    section : Element
        The settings of the pages there.
    """

    document: OpenDocument
    styles: Mapping[str, str]
    added: frozenset[str]
    before: Element
    section: Element

    def put(self, xml: str) -> list[Element]:
        """Put XML below what is there, and return it as elements."""
        new = elements(xml)
        for element in new:
            self.before.addprevious(element)
        return new

    def width(self, *, turned: bool = False) -> int:
        """Return how wide a line of text is on the page, or on a turned one, in twips."""
        if turned:
            return self.height()
        sides = {"left": MARGIN, "right": MARGIN, "gutter": 0}
        margins = [_number(self.section, "pgMar", side, usual) for side, usual in sides.items()]
        return _number(self.section, "pgSz", "w", A4[0]) - sum(margins)

    def height(self) -> int:
        """Return how high the text of a page is, in twips."""
        margins = [_number(self.section, "pgMar", side, MARGIN) for side in ("top", "bottom")]
        return _number(self.section, "pgSz", "h", A4[1]) - sum(margins)

    @property
    def upright(self) -> bool:
        """Whether pages are higher than wide, so that turning one makes room."""
        return _number(self.section, "pgSz", "w", 0) < _number(self.section, "pgSz", "h", 1)

    def end_section(self, *, turned: bool) -> None:
        """End a run of upright or turned pages below what is there."""
        settings = deepcopy(self.section)
        if turned:
            _turn(settings)
        self.before.getprevious().get_or_add_pPr().append(settings)
        for found in self.section.xpath("w:titlePg | w:type"):  # they hold where a section begins
            self.section.remove(found)
        for found in self.section.findall(qn("w:pgNumType")):
            found.attrib.pop(qn("w:start"), None)

    def end(self, *, turned: bool) -> None:
        """End the report; where nothing stands after it, its last pages need no section more."""
        if turned and self.before in (self.section, self.section.getparent().getparent()):
            _turn(self.section)
        elif turned:
            self.end_section(turned=True)


def open_place(report: Report, template: Path | None) -> Place:
    """Open the document for a report, and find where the report goes.

    Parameters
    ----------
    report : Report
    template : Path or None
        An office's own document; None for ours.

    Raises
    ------
    ValueError
        If the template is no .docx, or holds a name in ``{{ }}`` that is not known or not placed
        well.
    """
    ours = Document(_blank(report.language))
    document = ours if template is None else _opened(template)
    name = "" if template is None else template.name
    body: Element = document.element.body
    if body.find(qn("w:sectPr")) is None:
        body.append(deepcopy(ours.element.body.find(qn("w:sectPr"))))
        for found in body.sectPr.xpath("w:headerReference | w:footerReference"):
            body.sectPr.remove(found)
    before = _before(document, name)
    words = {"title": report.title, "region": report.region, "subtitle": report.subtitle}
    told = [_replace(root, words, name) for root in _roots(document)]
    styles, added = _with_styles(document, ours)
    section = _section_of(before)
    if section.find(qn("w:pgSz")) is None:
        size = section.get_or_add_pgSz()
        size.set(qn("w:w"), str(A4[0]))
        size.set(qn("w:h"), str(A4[1]))
    place = Place(document, styles, added, before, section)
    if "title" not in told[0]:
        for style, text in (("subtitle", "region"), ("title", "title"), ("subtitle", "subtitle")):
            place.put(paragraph(styles[style], run(words[text])))
    return place


def _blank(language: str) -> io.BytesIO:
    """Return our own template: A4, with the type of an official document."""
    folder = files("placeforecast.report").joinpath("template", "docx")
    looks = tomllib.loads(folder.joinpath(LOOKS).read_text("utf-8"))[language]
    stream = io.BytesIO()
    with ZipFile(stream, "w") as package:
        for member, file in MEMBERS.items():
            text = folder.joinpath(file).read_text("utf-8")
            package.writestr(member, Template(text).substitute(looks))
    stream.seek(0)
    return stream


def _opened(template: Path) -> OpenDocument:
    """Open a template, or say what it should be."""
    stream = io.BytesIO(template.read_bytes())
    if template.suffix.lower() == ".docx":
        with suppress(*UNREADABLE):
            return Document(stream)
    raise ValueError(
        f"the template {template.name} is not a Word document without macros (.docx); "
        "open it in Word and save it as .docx"
    )


def _roots(document: OpenDocument) -> list[Element]:
    """Return what holds text: the body, then every header and footer."""
    kinds = (RELATIONSHIP_TYPE.HEADER, RELATIONSHIP_TYPE.FOOTER)
    related = document.part.rels.values()
    edges = [link.target_part for link in related if link.reltype in kinds]
    return [document.element, *(part.element for part in edges)]


def _texts(item: Element) -> list[Element]:
    """Return the texts of a paragraph, without those of paragraphs inside it."""
    own = item.iter(qn("w:t"))
    return [text for text in own if next(text.iterancestors(qn("w:p"))) is item]


def _before(document: OpenDocument, name: str) -> Element:
    """Return what the report is put before; the paragraph that holds its place is removed."""
    body: Element = document.element.body
    found = [
        item
        for root in _roots(document)
        for item in root.iter(qn("w:p"))
        if REPORT in TOKEN.findall("".join(text.text or "" for text in _texts(item)))
    ]
    if not found:
        return body.find(qn("w:sectPr"))
    text = "".join(text.text or "" for text in _texts(found[0])).strip()
    alone = not TOKEN.sub("", text, count=1) and not found[0].xpath(".//w:drawing | .//w:pict")
    if len(found) > 1 or found[0].getparent() is not body or not alone:
        raise ValueError(
            f"{WHOLE} has to stand once in the template {name}, alone in a paragraph of the text, "
            "not in a table, text box, header or footer"
        )
    if found[0].find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is None:
        after = found[0].getnext()
        body.remove(found[0])
        return after
    for child in [child for child in found[0] if child.tag != qn("w:pPr")]:
        found[0].remove(child)
    return found[0]


def _replace(root: Element, words: Mapping[str, str], name: str) -> set[str]:
    """Put words where their names stand, also over several runs; return the names found."""
    told: set[str] = set()
    for item in root.iter(qn("w:p")):
        texts = _texts(item)
        matches = list(TOKEN.finditer("".join(text.text or "" for text in texts)))
        for match in reversed(matches):
            if match[1] not in words:
                known = ", ".join("{{" + word + "}}" for word in (REPORT, *words))
                raise ValueError(f"the template {name} has {match[0]}; known are {known}")
            _put_word(texts, match, clean(" ".join(words[match[1]].split())))
            told.add(match[1])
    return told


def _put_word(texts: list[Element], match: re.Match[str], word: str) -> None:
    """Replace a match by a word that stands in the first of its texts."""
    start = 0
    for text in texts:
        held = text.text or ""
        first, last = (max(0, min(at - start, len(held))) for at in match.span())
        if first < last:
            text.text = held[:first] + word + held[last:]
            text.set(qn("xml:space"), "preserve")
            word = ""
        start += len(held)


def _with_styles(
    document: OpenDocument, ours: OpenDocument
) -> tuple[dict[str, str], frozenset[str]]:
    """Add our styles that a document lacks; return all identifiers, and the names of ours."""
    there = {_name(style): style.get(qn("w:styleId")) for style in _styles(document)}
    own = {_name(style): style for style in _styles(ours)}
    if document is ours:
        return there, frozenset(own)
    added = {name: deepcopy(style) for name, style in own.items() if name not in there}
    names = {style.get(qn("w:styleId")): name for name, style in own.items()}
    taken = set(there.values())
    for name, style in added.items():
        key = style.get(qn("w:styleId"))
        there[name] = key if key not in taken else f"{key}Report"
    for name, style in added.items():
        style.set(qn("w:styleId"), there[name])
        style.attrib.pop(qn("w:default"), None)
        for link in style.xpath("w:basedOn | w:next"):
            link.set(qn("w:val"), there[names[link.get(qn("w:val"))]])
        for number in style.iter(qn("w:numId")):
            number.set(
                qn("w:val"), _numbering(document, ours, number.get(qn("w:val")), there[name])
            )
        document.styles.element.append(style)
    return there, frozenset(added)


def _styles(document: OpenDocument) -> Iterator[Element]:
    styles: Element = document.styles.element
    return iter(styles.findall(qn("w:style")))


def _name(style: Element) -> str:
    """Return a style's name in the way that tells one from another."""
    return str(style.find(qn("w:name")).get(qn("w:val"))).lower()


def _numbering(document: OpenDocument, ours: OpenDocument, number: str, style: str) -> str:
    """Add one of our numberings to a document for a style; return its number there."""
    (source,) = ours.part.numbering_part.element.xpath(
        f"w:abstractNum[@w:abstractNumId='{number}']"
    )
    root = _numbering_root(document)
    abstract = deepcopy(source)
    keys = [int(key) for key in root.xpath("w:abstractNum/@w:abstractNumId")]
    numbers = [int(key) for key in root.xpath("w:num/@w:numId")]
    key, used = str(max(keys, default=0) + 1), str(max(numbers, default=0) + 1)
    abstract.set(qn("w:abstractNumId"), key)
    abstract.find(f"{qn('w:lvl')}/{qn('w:pStyle')}").set(qn("w:val"), style)
    listed = root.findall(qn("w:abstractNum"))
    if listed:
        listed[-1].addnext(abstract)  # all of them stand before the first number
    else:
        root.append(abstract)
    (entry,) = elements(f'<w:num w:numId="{used}"><w:abstractNumId w:val="{key}"/></w:num>')
    listed = root.findall(qn("w:num"))
    (listed[-1] if listed else abstract).addnext(entry)
    return used


def _numbering_root(document: OpenDocument) -> Element:
    """Return the numberings of a document, made where it has none."""
    part = document.part
    if not any(link.reltype == RELATIONSHIP_TYPE.NUMBERING for link in part.rels.values()):
        (root,) = elements("<w:numbering/>")
        name = PackURI("/word/numbering.xml")
        new = NumberingPart(name, CONTENT_TYPE.WML_NUMBERING, root, part.package)
        part.relate_to(new, RELATIONSHIP_TYPE.NUMBERING)
    return part.numbering_part.element


def _section_of(before: Element) -> Element:
    """Return the settings of the pages that an element stands on."""
    at = before
    while at.tag != qn("w:sectPr"):
        found = at.find(f"{qn('w:pPr')}/{qn('w:sectPr')}")
        if found is not None:
            return found
        at = at.getnext()
    return at


def _number(section: Element, name: str, key: str, default: int) -> int:
    """Return a length of a section, in twips."""
    found = section.find(qn(f"w:{name}"))
    value = None if found is None else found.get(qn(f"w:{key}"))
    return default if value is None else round(float(value))


def _turn(section: Element) -> None:
    """Turn the pages of a section by a right angle, with their margins."""
    size, margins = section.find(qn("w:pgSz")), section.find(qn("w:pgMar"))
    width, height = (size.get(qn(f"w:{key}")) for key in ("w", "h"))
    size.set(qn("w:w"), height)
    size.set(qn("w:h"), width)
    size.set(qn("w:orient"), "landscape")
    if margins is not None:
        held = [margins.get(qn(f"w:{edge}"), str(MARGIN)) for edge in EDGES]
        for edge, value in zip(EDGES, held[1:] + held[:1], strict=True):
            margins.set(qn(f"w:{edge}"), value)


def save(document: OpenDocument, path: Path) -> None:
    """Write a document with its parts in a fixed order, under a fixed date."""
    stream = io.BytesIO()
    document.save(stream)
    with ZipFile(stream) as made, ZipFile(path, "w", ZIP_DEFLATED) as package:
        first = "[Content_Types].xml"
        for name in sorted(made.namelist(), key=lambda name: (name != first, name)):
            entry = ZipInfo(name)  # the date of a ZipInfo is 1980
            entry.compress_type = ZIP_DEFLATED
            package.writestr(entry, made.read(name))
