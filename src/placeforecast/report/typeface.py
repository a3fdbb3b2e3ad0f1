"""The type of a printed page: its fonts, which characters they have, and how wide text is."""

from __future__ import annotations

import unicodedata
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from fontTools.ttLib import TTFont

from placeforecast.plot.fonts import BOX, chinese_font
from placeforecast.tables.problems import AssumptionWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FAMILIES = ("Noto Sans SC", "DejaVu Sans")
"""Fonts in order of preference: each character comes from the first that has it."""
NO_FONT = (
    "there is no Chinese font to print with: install the package zhplot, "
    "which carries Noto Sans SC (pip install zhplot==1.0.0)"
)
UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs")
"""Kinds of character that are no sign: controls, marks of direction, private and unassigned."""


def font_files() -> tuple[Path, Path]:
    """Return the files of the fonts, in their order.

    Raises
    ------
    FileNotFoundError
        If the Chinese font is not installed.
    """
    chinese = chinese_font()
    if chinese is None:
        raise FileNotFoundError(NO_FONT)
    return chinese, Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@cache
def advances() -> Mapping[str, float]:
    """Return how wide each character is that the fonts have, in ems.

    Examples
    --------
    >>> from placeforecast.report.typeface import advances
    >>> advances()["学"], "\u4dae" in advances(), "\u0e01" in advances()
    (1.0, True, False)
    """
    found: dict[str, float] = {}
    for file in reversed(font_files()):
        with TTFont(file, lazy=True) as font:
            widths, unit = font["hmtx"].metrics, font["head"].unitsPerEm
            found |= {chr(c): widths[name][0] / unit for c, name in font.getBestCmap().items()}
    return {c: width for c, width in found.items() if unicodedata.category(c) not in UNSEEN}


def ems(text: str) -> float:
    """Return the length of a line of text in ems.

    Examples
    --------
    >>> from placeforecast.report.typeface import ems
    >>> ems("学位"), ems("")
    (2.0, 0.0)
    """
    known = advances()
    return float(sum(known.get(c, 1.0) for c in text))


def on_one_line(text: str) -> str:
    """Return a text with single spaces between its words, as a page shows it."""
    return " ".join(text.split())


def boxed(text: str, lacking: Iterable[str]) -> str:
    """Return a text with a box for every character that is lacking."""
    return text.translate(dict.fromkeys(map(ord, lacking), BOX))


def lacking_in(texts: Iterable[str]) -> list[str]:
    """Return the characters of some texts that no font has, and warn of them.

    Warns
    -----
    AssumptionWarning
        If there are any.

    Examples
    --------
    >>> from placeforecast.report.typeface import lacking_in
    >>> lacking_in(["North", "北"])
    []
    """
    lacking = sorted({c for text in texts for c in text} - set(advances()))
    if lacking:
        named = ", ".join(
            f"{c} (U+{ord(c):04X})" if c.isprintable() else f"U+{ord(c):04X}" for c in lacking
        )
        note = f"no font has {named}: the PDF shows {BOX} instead"
        warnings.warn(AssumptionWarning(note), stacklevel=2)
    return lacking
