"""Reports for the tests: a made-up region, and what stands in the files of a report."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd

import placeforecast as pf
from placeforecast.report.compose import compose
from placeforecast.report.model import Paragraph, Points, Table
from placeforecast.tables.grades import load_grades
from placeforecast.tables.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report

YEARS = range(2019, 2026)
TITLE = "</style><script>alert(2)</script> & =2+2 {region} (synthetic)"

TREE = pd.DataFrame({"district": ["C", "A", "B"], "parent": [None, "C", "C"]})


def small(
    codes: Sequence[str] = ("A", "B"), system: str = "cn-6-3-3", **other: pd.DataFrame | None
) -> pf.Inputs:
    """Return a made-up region; `other` tables come on top or instead."""
    grades = load_grades(system).query("duration == 1")
    size = {code: 1000.0 + 300 * i for i, code in enumerate(codes)}
    births = [(c, y, n + 15 * (y * 7 % 11)) for c, n in size.items() for y in range(1998, 2025)]
    pupils = [
        (c, y, row["grade"], round(n + 15 * ((y - row["entry_age"]) * 7 % 11)))
        for c, n in size.items()
        for y in YEARS
        for row in grades.to_dict("records")
    ]
    stages = grades.groupby("stage", sort=False).size()
    places = [(c, 2025, s, round(n * k * 1.05)) for c, n in size.items() for s, k in stages.items()]
    plan = {"stage": grades["stage"].iloc[0], "kind": "new", "opens": [2027, 2029, 2028]}
    tables: dict[str, Any] = {
        "births": pd.DataFrame(births, columns=["district", "year", "births"]),
        "enrolment": pd.DataFrame(pupils, columns=["district", "year", "grade", "pupils"]),
        "places": pd.DataFrame(places, columns=["district", "year", "stage", "places"]),
        "projects": pd.DataFrame(
            {
                **plan,
                "project": ["East", "West", "South"],
                "district": [codes[0], codes[-1], codes[0]],
                "places": [600.0, 300.0, 50.0],
                "status": ["approved", "proposed", "cancelled"],
            }
        ),
        "settings": Settings(name=TITLE, launch_year=2025, horizon=8, school_system=system),
    }
    return pf.Inputs(**{**tables, **other})


def forecast(inputs: pf.Inputs, **options: Any) -> Forecast:  # noqa: ANN401
    """Forecast without a word on what is odd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pf.AssumptionWarning)
        return pf.forecast(inputs, **options)


@dataclass
class Written:
    """A report with what stands in its files."""

    report: Report
    page: str
    folder: Path

    def sheets(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the cells of every sheet."""
        book = openpyxl.load_workbook(self.folder / "report.xlsx", read_only=True)
        return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def written(result: Forecast, folder: Path, language: str = "zh") -> Written:
    formats = ("html", "xlsx")
    page, workbook = pf.write_report(result, folder, language=language, formats=formats)
    assert (page.name, workbook.name) == ("report.html", "report.xlsx")
    return Written(compose(result, language=language), page.read_text(encoding="utf-8"), folder)


class Tables(HTMLParser):
    """Reads the tables of a page, and which elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self._rows: list[list[str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        self.tags.append(tag)
        if tag == "table":
            self._rows = self.tables.setdefault(str(dict(attrs)["data-table"]), [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        """Keep the text of a cell."""
        if self._inside:
            self._rows[-1][-1] += data


def read(page: str) -> Tables:
    parser = Tables()
    parser.feed(page)
    return parser


def texts(report: Report, key: str) -> str:
    """Return the paragraphs of a section."""
    (section,) = (section for section in report.sections if section.key == key)
    return "\n".join(b.text for b in section.blocks if isinstance(b, Paragraph))


def table_of(report: Report, key: str) -> Table:
    """Return a table of a report."""
    (found,) = (table for _, table in report.tables() if table.key == key)
    return found


def rows_of(report: Report, key: str) -> list[dict[str, Any]]:
    """Return the rows of a table by the labels of its columns."""
    table = table_of(report, key)
    labels = [column.label for column in table.columns]
    return [dict(zip(labels, row, strict=True)) for row in table.rows]


def told(report: Report, key: str) -> str:
    """Return the paragraphs and points of a section."""
    (section,) = (section for section in report.sections if section.key == key)
    found = [b.text for b in section.blocks if isinstance(b, Paragraph)]
    found += [item for b in section.blocks if isinstance(b, Points) for item in b.items]
    return "\n".join(found)


@cache
def short_city() -> Forecast:
    """Return the forecast of the example city over three years, made once."""
    return forecast(pf.load_example("city"), horizon=3)


@cache
def two_below_one() -> Forecast:
    """Return the forecast of two districts below one, with trajectories, made once."""
    return forecast(small(districts=TREE), trajectories=20, seed=1)
