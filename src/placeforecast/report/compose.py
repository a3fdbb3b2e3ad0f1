"""The report of a forecast, section by section."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from zlib import crc32

from placeforecast.report.appendix import appendix_of
from placeforecast.report.compose_balance import balance_section
from placeforecast.report.compose_capacity import capacity_section
from placeforecast.report.compose_change import change_section
from placeforecast.report.compose_closing import (
    certainty_section,
    guide_section,
    notes_section,
    provenance_section,
)
from placeforecast.report.compose_explorer import explorer_of
from placeforecast.report.compose_means import means_section
from placeforecast.report.compose_opening import as_of, summary_section
from placeforecast.report.compose_people import people_section
from placeforecast.report.compose_plan import plan_section
from placeforecast.report.compose_reuse import reuse_section
from placeforecast.report.compose_review import review_section
from placeforecast.report.compose_special import special_section
from placeforecast.report.compose_wave import wave_section
from placeforecast.report.model import Report
from placeforecast.report.view import View, catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.rounds.read import Round

SECTIONS = (
    summary_section,
    people_section,
    wave_section,
    capacity_section,
    balance_section,
    plan_section,
    review_section,
    means_section,
    reuse_section,
    special_section,
    certainty_section,
    change_section,
    notes_section,
    provenance_section,
    guide_section,
)


def compose(
    forecast: Forecast,
    *,
    language: str = "zh",
    before: Round | None = None,
    geojson: Path | None = None,
) -> Report:
    """Compose the report of a forecast.

    Parameters
    ----------
    forecast : Forecast
        The report is of the baseline; other scenarios stand beside it.
    language : {"zh", "en"}
    before : Round, optional
        The last round, for what has moved since.
    geojson : Path, optional
        Boundaries of the districts, for a map.

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
    ['Cover', 'People', 'Wave', 'Capacity']
    """
    view = View(forecast.of(), catalogue(language), forecast, before, geojson)
    forecast = view.forecast
    launch, last = forecast.launch_year, forecast.last_year
    words = view.words
    sections = tuple(section(view) for section in SECTIONS)
    return Report(
        language=language,
        region=view.region,
        title=words("report.title"),
        subtitle=words("report.subtitle", launch=launch, last=last, as_of=as_of(forecast)),
        contents=words("report.contents"),
        sheet_note=words.texts["report.sheet_note"],
        skip=words("explorer.skip"),
        sections=sections,
        explorer=explorer_of(view),
        appendix=partial(appendix_of, view, sections),
        mark=f"placeforecast {launch} {crc32(view.region.encode()):08x}",
    )
