"""How values are printed: the same in a page and in a workbook."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.report.model import Cell, Form

BLANK = "—"
DIGITS = 15
"""A spreadsheet rounds what it prints from this many digits; so does the page."""


@dataclass(frozen=True)
class Style:
    """How one form of value is printed: in a spreadsheet's code, and by steps of `unit`."""

    code: str
    unit: str
    factor: int = 1
    pattern: str = "{:,}"


STYLES: Mapping[Form, Style] = {
    "year": Style("0", "1", pattern="{}"),
    "count": Style("#,##0", "1"),
    "signed": Style("#,##0;[Red]-#,##0;0", "1"),
    "share": Style("0.0%", "0.1", factor=100, pattern="{:,}%"),
    "exact": Style("General", "0.000001"),
}


def printed(value: Cell, form: Form) -> str:
    """Return a value as it is printed; halves are rounded away from zero, as spreadsheets do.

    Examples
    --------
    >>> from placeforecast.report.numbers import printed
    >>> printed(-12345.5, "signed"), printed(0.0615, "share"), printed(None, "count")
    ('-12,346', '6.2%', '—')
    """
    if value is None:
        return BLANK
    if form == "text" or isinstance(value, str):
        return str(value)
    style = STYLES[form]
    exact = Decimal(f"{value:.{DIGITS}g}") * style.factor
    rounded = exact.quantize(Decimal(style.unit), rounding=ROUND_HALF_UP)
    return style.pattern.format(abs(rounded) if rounded == 0 else rounded)
