"""The characters of a page as a font inside it, for readers who have no Chinese font."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from placeforecast.plot.fonts import chinese_font

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = 0x2E80
"""From here on characters are Chinese, or rare; the page asks this font for them and no others."""
LAYOUT = ("GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "DSIG")
"""Tables of the font that a line of plain text does without."""


def characters_of(page: str) -> frozenset[int]:
    """Return the code points that a page needs a font for; figures hold outlines already.

    Examples
    --------
    >>> from placeforecast.report.webfont import characters_of
    >>> sorted(chr(code) for code in characters_of("<p>an 学位</p><svg>人</svg>"))
    ['位', '学']
    """
    text = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    return frozenset(ord(character) for character in text if ord(character) >= FIRST)


def embedded_font(characters: Iterable[int]) -> str:
    """Return a font with these characters as a data address; blank without the Chinese font.

    The same characters give the same bytes.
    """
    file = chinese_font()
    wanted = sorted(characters)
    if file is None or not wanted:
        return ""
    options = Options(
        hinting=False,
        layout_features=[],
        name_IDs=[],
        drop_tables=list(LAYOUT),
        notdef_outline=True,
    )
    stream = io.BytesIO()
    with TTFont(file, lazy=True, recalcTimestamp=False) as font:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(stream)
    return "data:font/woff;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
