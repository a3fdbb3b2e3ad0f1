"""Writing a report: built beside its folder, and moved into place when it is complete."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zipfile import ZipFile, is_zipfile

from placeforecast.plot.words import LANGUAGES
from placeforecast.report.compose import compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report
    from placeforecast.rounds.read import Round

RENDERERS = {name: f"placeforecast.report.{name}" for name in ("html", "docx", "xlsx", "pdf")}
"""The module that writes each format; loaded when it is asked for, since its library is heavy."""
DEFAULT = ("html", "docx", "xlsx")
MARK = re.compile(rb"placeforecast \d{4} [0-9a-f]{8}")
"""Says within a report which launch and region it is of."""
PROPERTIES = "docProps/core.xml"
"""Where documents of an office hold it."""


def write_report(
    forecast: Forecast,
    folder: str | Path,
    *,
    language: str = "zh",
    formats: Sequence[str] = DEFAULT,
    template: str | Path | None = None,
    before: Round | None = None,
    geojson: str | Path | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the report of a forecast in one or more formats, all of the same figures.

    The same forecast gives the same bytes (of a Word document: the same content). Nothing is
    replaced before the new report is complete, and the report of another region or launch is not
    replaced unless told to.

    Parameters
    ----------
    forecast : Forecast
    folder : str or Path
        Made if it is not there; gets ``report.html`` and so on.
    language : {"zh", "en"}
    formats : sequence of {"html", "docx", "xlsx", "pdf"}
        A page with a picker of districts; a Word document; a workbook with every row; a PDF.
    template : str or Path, optional
        The office's own Word document to write into, instead of an empty one.
    before : Round, optional
        The last round, from `read_round`: the report then says what has moved since.
    geojson : str or Path, optional
        The office's own boundaries, whose property ``district`` holds the code of a district, for a
        map; of the districts right below the region, or of those that data stand on.
    overwrite : bool
        Whether to replace the report of another region or launch, in every format it has.

    Returns
    -------
    list of Path
        What was written, in the order of `formats`.

    Raises
    ------
    ValueError
        For a language or format that is not known, a template that is no Word document, or
        boundaries that lack a district.
    NotADirectoryError
        If `folder` is a file.
    FileExistsError
        If the report of another region or launch stands there.

    Examples
    --------
    >>> import tempfile
    >>> import placeforecast as pf
    >>> result = pf.forecast(pf.load_example("city"), horizon=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in pf.write_report(result, folder, formats=["html"])]
    ['report.html']
    """
    wanted = _checked(language, formats)
    if template is not None and "docx" not in wanted:
        raise ValueError("a template is for the format docx, which is not asked for")
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"{place} is a file; a report needs a folder")
    boundaries = None if geojson is None else Path(geojson)
    report = compose(forecast, language=language, before=before, geojson=boundaries)
    another = _of_another(place, report.mark)
    if another and not overwrite:
        raise FileExistsError(
            f"{place} holds the report of another region or launch ({', '.join(another)}); "
            "give another folder, or overwrite=True to replace it"
        )
    parent = place.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{place.name}-", dir=parent) as beside:
        built = [Path(beside) / f"report.{name}" for name in wanted]
        for name, path in zip(wanted, built, strict=True):
            _render(name, report, path, template)
        place.mkdir(exist_ok=True)
        moved = [path.replace(place / path.name) for path in built]
        # What stays would be taken for a report of the region and launch that the folder now holds.
        for name in another.keys() - {path.name for path in moved}:
            (place / name).unlink()
        return moved


def _render(name: str, report: Report, path: Path, template: str | Path | None) -> None:
    write = getattr(import_module(RENDERERS[name]), f"write_{name}")
    if name == "docx":
        write(report, path, None if template is None else Path(template))
    else:
        write(report, path)


def _of_another(place: Path, mark: str) -> dict[str, str]:
    """Return the reports in a folder that are of another region or launch, with their marks."""
    found = {f"report.{name}": _mark_of(place / f"report.{name}") for name in RENDERERS}
    return {name: standing for name, standing in found.items() if standing not in ("", mark)}


def _mark_of(path: Path) -> str:
    """Return the mark of a report that stands; blank where there is none, or none of ours."""
    if not path.is_file():
        return ""
    content = path.read_bytes()
    if is_zipfile(path):
        with ZipFile(path) as file:
            content = file.read(PROPERTIES) if PROPERTIES in file.namelist() else b""
    found = MARK.search(content)
    return found[0].decode() if found else ""


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
