"""Writing a report: built beside its folder, and moved into place when it is complete."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from placeforecast.plot.words import LANGUAGES
from placeforecast.report.compose import compose
from placeforecast.report.html import write_html
from placeforecast.report.xlsx import write_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report

RENDERERS: dict[str, Callable[[Report, Path], None]] = {"html": write_html, "xlsx": write_xlsx}


def write_report(
    forecast: Forecast,
    folder: str | Path,
    *,
    language: str = "zh",
    formats: Sequence[str] = ("html", "xlsx"),
) -> list[Path]:
    """Write the report of a forecast: one page, and one workbook with every row.

    The same forecast gives the same bytes. A report that is there already is replaced only when
    the new one is complete.

    Parameters
    ----------
    forecast : Forecast
    folder : str or Path
        Made if it is not there; gets ``report.html`` and ``report.xlsx``.
    language : {"zh", "en"}
    formats : sequence of {"html", "xlsx"}

    Returns
    -------
    list of Path
        What was written, in the order of `formats`.

    Raises
    ------
    ValueError
        For a language or format that is not known.
    NotADirectoryError
        If `folder` is a file.

    Examples
    --------
    >>> import tempfile
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in pf.write_report(result, folder, formats=["xlsx"])]
    ['report.xlsx']
    """
    wanted = _checked(language, formats)
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"{place} is a file; a report needs a folder")
    report = compose(forecast, language=language)
    parent = place.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{place.name}-", dir=parent) as beside:
        built = [Path(beside) / f"report.{name}" for name in wanted]
        for name, path in zip(wanted, built, strict=True):
            RENDERERS[name](report, path)
        place.mkdir(exist_ok=True)
        return [path.replace(place / path.name) for path in built]


def _checked(language: str, formats: Sequence[str]) -> list[str]:
    """Return the formats, each once, or say what is known."""
    if language not in LANGUAGES:
        raise ValueError(f"there is no language {language!r}: {', '.join(LANGUAGES)}")
    wanted = list(dict.fromkeys([formats] if isinstance(formats, str) else formats))
    unknown = [name for name in wanted if name not in RENDERERS]
    if unknown or not wanted:
        found = f"no format {unknown[0]!r}" if unknown else "no format given"
        raise ValueError(f"there is {found}: {', '.join(RENDERERS)}")
    return wanted
