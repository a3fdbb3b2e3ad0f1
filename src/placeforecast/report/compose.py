"""The report of a forecast, section by section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placeforecast.report.compose_balance import balance_section
from placeforecast.report.compose_closing import (
    certainty_section,
    guide_section,
    notes_section,
    provenance_section,
)
from placeforecast.report.compose_opening import as_of, summary_section
from placeforecast.report.compose_plan import plan_section
from placeforecast.report.compose_review import review_section
from placeforecast.report.compose_special import special_section
from placeforecast.report.compose_wave import wave_section
from placeforecast.report.model import Report
from placeforecast.report.view import View, catalogue

if TYPE_CHECKING:
    from placeforecast.chain.record import Forecast

SECTIONS = (
    summary_section,
    wave_section,
    balance_section,
    plan_section,
    review_section,
    special_section,
    certainty_section,
    notes_section,
    provenance_section,
    guide_section,
)


def compose(forecast: Forecast, *, language: str = "zh") -> Report:
    """Compose the report of a forecast.

    Parameters
    ----------
    forecast : Forecast
    language : {"zh", "en"}

    Returns
    -------
    Report
        The same whatever format it is written in.

    Raises
    ------
    ValueError
        If there is no such language.

    Examples
    --------
    >>> import placeforecast as pf
    >>> from placeforecast.report.compose import compose
    >>> report = compose(pf.forecast(pf.load_example("city"), horizon=3), language="en")
    >>> [section.sheet for section in report.sections][:4]
    ['Cover', 'Wave', 'Balance summary', 'Plan']
    """
    forecast = forecast.of()  # a report is of one scenario; its notes name the others
    view = View(forecast, catalogue(language))
    launch, last = forecast.launch_year, forecast.last_year
    words = view.words
    return Report(
        language=language,
        region=view.region,
        title=words("report.title"),
        subtitle=words("report.subtitle", launch=launch, last=last, as_of=as_of(forecast)),
        contents=words("report.contents"),
        sheet_note=words.texts["report.sheet_note"],
        sections=tuple(section(view) for section in SECTIONS),
    )
