"""Text as a Word document holds it: runs, fields, paragraphs."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from docx.oxml.ns import nsdecls
from docx.oxml.parser import parse_xml

if TYPE_CHECKING:
    Element = Any  # lxml has no types

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML has no way to hold."""
PICTURES = 0x2400
"""Here Unicode has a visible sign for each control character."""
BREAKS = {"\t": "<w:tab/>", "\n": "<w:br/>"}
NUMERALS = "零一二三四五六七八九"


def clean(text: str) -> str:
    r"""Return a text with a visible sign for each character that XML cannot hold.

    Examples
    --------
    >>> from placeforecast.report.docx_text import clean
    >>> clean("North\x07 \ud800")
    'North␇ �'
    """
    return FORBIDDEN.sub(lambda found: _sign(found[0]), text)


def _sign(character: str) -> str:
    code = ord(character)
    return chr(PICTURES + code) if code < ord(" ") else "\N{REPLACEMENT CHARACTER}"


def run(text: str, properties: str = "") -> str:
    r"""Return a run of text as XML.

    Parameters
    ----------
    text : str
        A line break or tab in it becomes Word's own.
    properties : str
        What stands in ``w:rPr``, as XML.

    Examples
    --------
    >>> from placeforecast.report.docx_text import run
    >>> run("a < b")
    '<w:r><w:t xml:space="preserve">a &lt; b</w:t></w:r>'
    """
    parts = re.split(r"(\t|\n)", re.sub(r"\r\n?", "\n", clean(text)))
    held = [
        BREAKS.get(part) or f'<w:t xml:space="preserve">{escape(part, quote=False)}</w:t>'
        for part in parts
        if part
    ]
    return f"<w:r>{_within('rPr', properties)}{''.join(held)}</w:r>"


def field(code: str) -> tuple[str, str]:
    """Return what stands before and after the result of a field, as XML.

    The result between them is printed until Word renews the field.
    """
    begin, separate, end = (
        f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")
    )
    asked = f'<w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
    return begin + asked + separate, end


def paragraph(style: str, content: str, properties: str = "") -> str:
    """Return a paragraph as XML.

    Parameters
    ----------
    style : str
        Identifier of a style of the document.
    content : str
        Its runs, as XML.
    properties : str
        What else stands in ``w:pPr``, as XML.
    """
    named = f'<w:pPr><w:pStyle w:val="{escape(style)}"/>{properties}</w:pPr>'
    return f"<w:p>{named}{content}</w:p>"


def elements(xml: str) -> list[Element]:
    """Return XML as elements that can be put into a document."""
    return list(parse_xml(f"<w:body {nsdecls('w', 'r')}>{xml}</w:body>"))


def heading_number(language: str, number: int) -> str:
    """Return the number of a heading up to 99, as Word prints it before the heading.

    Examples
    --------
    >>> from placeforecast.report.docx_text import heading_number
    >>> heading_number("zh", 12), heading_number("zh", 20), heading_number("en", 12)
    ('十二、', '二十、', '12 ')
    """
    if language != "zh":
        return f"{number} "
    tens, ones = divmod(number, 10)
    head = ("十" if tens == 1 else f"{NUMERALS[tens]}十") if tens else ""
    return f"{head}{NUMERALS[ones] if ones or not tens else ''}、"


def _within(name: str, content: str) -> str:
    return f"<w:{name}>{content}</w:{name}>" if content else ""
