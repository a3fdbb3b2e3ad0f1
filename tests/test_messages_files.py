"""What a planner is told of a file or of the settings that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import placeforecast as pf
from regions import (
    added,
    as_bytes,
    assert_refused,
    cell,
    column,
    line,
    region_with,
    swapped,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path

    from regions import Edits, Fault


FILES: dict[str, Fault] = {
    "only a byte-order mark": (
        (whole("births.csv", b"\xef\xbb\xbf"),),
        "births.csv: is empty. Fill it, or remove the file.",
    ),
    "an empty file of a needed table": (
        (whole("enrolment.csv", "\n\n"),),
        "enrolment.csv: is empty. Fill it, or remove the file.",
    ),
    "a heading only": (
        (whole("births.csv", "district,year,births\n,,\n"),),
        "births.csv: has no rows. Fill it, or remove it.",
    ),
    "a missing column with a near miss": (
        (line("births.csv", 1, "district,year,birth"),),
        "births.csv, column births: is missing. Add it (live births). Is it 'birth'? Write births.",
    ),
    "a missing column with a capital": (
        (line("births.csv", 1, "district,Year,births"),),
        "births.csv, column year: is missing. Add it (calendar year of the month, or the year in "
        "which the twelve months end). Is it 'Year'? Write year.",
    ),
    "a missing column in Chinese": (
        (line("births.csv", 1, "district,year,出生人数"),),
        "births.csv, column births: is missing. Add it (live births). "
        "Is it '出生人数'? Write births.",
    ),
    "a missing column": (
        (line("survival.csv", 1, "sex,age,lx"),),
        "survival.csv, column survival: is missing. Add it (share alive at the age reached).",
    ),
    "none of two columns": (
        (line("places.csv", 1, "district,year,stage,sector,seats"),),
        "places.csv: has none of the columns places, classes. Add one of them.",
    ),
    "a title above the heading": (
        (line("births.csv", 1, "2024年出生人数,,"),),
        "births.csv: has none of its headings in the first row, which holds '2024年出生人数'. "
        "Write them in English in the first row, separated by commas: district, year, births.",
    ),
    "a blank first line": (
        (line("births.csv", 1, "\ndistrict,year,births"),),
        "births.csv: has none of its headings in the first row, which holds nothing. "
        "Write them in English in the first row, separated by commas: district, year, births.",
    ),
    "semicolons": (
        (whole("births.csv", "district;year;births\nA;2012;93\n"),),
        "births.csv: has none of its headings in the first row, which holds "
        "'district;year;births'. "
        "Write them in English in the first row, separated by commas: district, year, births.",
    ),
    "a heading twice": (
        (column("births.csv", "births", "5"),),
        "births.csv, column births: stands twice in the heading. Keep one of them.",
    ),
    "a row with too many fields": (
        (line("births.csv", 6, "A,2012,1,034"),),
        "births.csv, row 6: '034' stands in column 4, which has no heading. "
        "Remove it or give the column a heading; put text with a comma in quotes.",
    ),
    "a column without a heading": (
        (column("births.csv", "", "x"),),
        "births.csv, row 2: 'x' stands in column 4, which has no heading (32 such cells). "
        "Remove it or give the column a heading; put text with a comma in quotes.",
    ),
    "a row with too few fields": (
        (line("births.csv", 6, "A,2012"),),
        "births.csv, row 6, column births: is blank. "
        "Fill it (births); a count of 0 is written as 0, an unknown one is a row left out.",
    ),
    "a quotation mark left open": (
        (line("births.csv", 6, '"A,2012,93'),),
        "births.csv, row 6: cannot be read (unexpected end of data). "
        "Look for a quotation mark that is not closed.",
    ),
    "GB18030": (
        (whole("births.csv", "district,year,births\n甲,2012,93\n".encode("gb18030")),),
        "births.csv: is not UTF-8. Save it as CSV UTF-8.",
    ),
    "UTF-16": (
        (whole("births.csv", "district,year,births\nA,2012,93\n".encode("utf-16")),),
        "births.csv: is not UTF-8. Save it as CSV UTF-8.",
    ),
}

SETTINGS: dict[str, Fault] = {
    "an unknown key in a section": (
        (added("forecast.toml", "[time]", 'cutof = "08-31"'),),
        "forecast.toml, column time.cutof: is not a known key. Did you mean 'cutoff'?",
    ),
    "an unknown section": (
        (added("forecast.toml", "[tme]", 'cutoff = "08-31"'),),
        "forecast.toml, column tme: is not a known key. Did you mean 'time'?",
    ),
    "a number in quotes": (
        (whole("forecast.toml", 'horizon = "ten"\n'),),
        "forecast.toml, column horizon: 'ten' is not a whole number. Write digits without quotes.",
    ),
    "a number too low": (
        (whole("forecast.toml", "horizon = 0\n"),),
        "forecast.toml, column horizon: '0' is below 1. Give a number from 1 up.",
    ),
    "a number too high": (
        (whole("forecast.toml", "horizon = 101\n"),),
        "forecast.toml, column horizon: '101' is above 100. Give a number up to 100.",
    ),
    "text without quotes": (
        (added("forecast.toml", "[time]", "as_of = 2024-08-31"),),
        "forecast.toml, column time.as_of: '2024-08-31' is not text. Write it in \"quotes\".",
    ),
    "a day in slashes": (
        (added("forecast.toml", "[time]", 'as_of = "2024/08/31"'),),
        "forecast.toml, column time.as_of: '2024/08/31' is not a day. "
        "Write MM-DD of the launch year, or a full date YYYY-MM-DD, in quotes.",
    ),
    "a day that is none": (
        (added("forecast.toml", "[time]", 'population_date = "02-30"'),),
        "forecast.toml, column time.population_date: '02-30' is no day of the calendar. "
        "Write MM-DD, such as 08-31.",
    ),
    "a day inside a month": (
        (added("forecast.toml", "[time]", 'cutoff = "09-01"'),),
        "forecast.toml, column time.cutoff: '09-01' is not the last day of a month. "
        "Write one, such as 08-31.",
    ),
    "quantiles that fall": (
        (added("forecast.toml", "[run]", "quantiles = [0.5, 0.1]"),),
        "forecast.toml, column run.quantiles: '[0.5, 0.1]' are not rising numbers between 0 and 1. "
        "Write such as [0.1, 0.5, 0.9].",
    ),
    "a section written as a key": (
        (added("forecast.toml", 'time = "08-31"'),),
        "forecast.toml, column time: '08-31' is not a section. "
        "Write its keys below a line with its name in brackets.",
    ),
    "no TOML": (
        (whole("forecast.toml", "horizon: 3\n"),),
        "forecast.toml: is not TOML (Expected '=' after a key in a key/value pair "
        "(at line 1, column 8)). "
        'Correct the line that it names; write key = value, and text in "quotes".',
    ),
    "another encoding": (
        (whole("forecast.toml", 'name = "示例"\n'.encode("gb18030")),),
        "forecast.toml: is not UTF-8. Save it as UTF-8.",
    ),
    "an unknown school system": (
        (added("forecast.toml", 'school_system = "cn-6-3"'),),
        "forecast.toml, column school_system: 'cn-6-3' is not shipped. Did you mean 'cn-6-3-3'?",
    ),
}


@pytest.mark.parametrize("fault", FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read(fault: Fault, tmp_path: Path) -> None:
    edits, told = fault
    assert_refused(region_with(tmp_path / "region", *edits), told)


@pytest.mark.parametrize("fault", SETTINGS.values(), ids=SETTINGS)
def test_settings_that_cannot_be(fault: Fault, tmp_path: Path) -> None:
    edits, told = fault
    assert_refused(region_with(tmp_path / "region", *edits), told)


def test_every_wrong_setting_is_told(tmp_path: Path) -> None:
    text = 'horizon = "ten"\n[time]\ncutof = "08-31"\nbirths_lag = -1\n'
    region = region_with(tmp_path / "region", whole("forecast.toml", text))
    told = (
        "forecast.toml, column horizon: 'ten' is not a whole number. Write digits without quotes.",
        "forecast.toml, column time.births_lag: '-1' is below 0. Give a number from 0 up.",
        "forecast.toml, column time.cutof: is not a known key. Did you mean 'cutoff'?",
    )
    assert_refused(region, *told)


READABLE: dict[str, Edits] = {
    "a byte-order mark": (as_bytes("births.csv", "utf-8-sig"),),
    "lines that end as on Windows": (swapped("births.csv", "\n", "\r\n"),),
    "blank lines at the end": (added("births.csv", "", ",,", "  , ,"),),
    "a blank line inside": (line("births.csv", 6, "A,2012,93\n,,"),),
    "blank columns at the end": (column("births.csv", "", ""), column("births.csv", "", "")),
    "spaces around names": (swapped("births.csv", "A,", " A ,"),),
    "full-width spaces around names": (swapped("births.csv", "A,", "\u3000A\u3000,"),),
    "spaces around headings": (line("births.csv", 1, " district , year,births "),),
    "names in quotes": (swapped("births.csv", "A,", '"A",'),),
    "full-width digits": (cell("births.csv", 6, "births", "９３"),),
    "a year with a decimal point": (cell("births.csv", 6, "year", "2012.0"),),
    "scientific notation": (cell("births.csv", 6, "births", "9.3E+01"),),
    "settings with a byte-order mark": (as_bytes("forecast.toml", "utf-8-sig"),),
}


@pytest.mark.parametrize("edits", READABLE.values(), ids=READABLE)
def test_what_spreadsheets_add_changes_nothing(edits: Edits, tmp_path: Path) -> None:
    plain = pf.read_inputs(region_with(tmp_path / "plain"))
    found = pf.read_inputs(region_with(tmp_path / "region", *edits))
    assert found.settings == plain.settings
    for name, table in plain.tables().items():
        pd.testing.assert_frame_equal(found.tables()[name], table, check_exact=True)


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    """A blank line counts; a line break inside a quoted cell does not."""
    edits = (
        line("projects.csv", 2, '"East\nside",primary,A,public,90,new,approved,2026,,,,,'),
        added("projects.csv", "", "West,primary,A,public,-90,new,approved,2026,,,,,"),
    )
    told = (
        "projects.csv, row 4, column places: '-90' is below 0. Give a number of places from 0 up."
    )
    assert_refused(region_with(tmp_path / "region", *edits), told)
