"""Writing a report: built beside its folder, and moved into place when it is complete."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from placeforecast.plot.words import LANGUAGES
from placeforecast.report.compose import compose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placeforecast.chain.record import Forecast
    from placeforecast.report.model import Report
    from placeforecast.rounds.read import Round

RENDERERS = {name: f"placeforecast.report.{name}" for name in ("html", "docx", "xlsx", "pdf")}
"""The module that writes each format; loaded when it is asked for, since its library is heavy."""
DEFAULT = ("html", "docx", "xlsx")
MANIFEST = "report.json"
"""Says which region and launch the reports of a folder are of."""


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
        Made if it is not there; gets ``report.html`` and so on, and ``report.json``, which says
        what they are of.
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
    said: dict[str, str | int] = {"region": report.region, "launch_year": forecast.launch_year}
    another = _of_another(place, said, overwrite=overwrite)
    parent = place.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{place.name}-", dir=parent) as beside:
        built = [Path(beside) / f"report.{name}" for name in wanted]
        for name, path in zip(wanted, built, strict=True):
            _render(name, report, path, template)
        manifest = Path(beside) / MANIFEST
        manifest.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")
        place.mkdir(exist_ok=True)
        moved = [path.replace(place / path.name) for path in built]
        # What stays would be taken for a report of the region and launch that the folder now names.
        for name in [name for name in RENDERERS if another and name not in wanted]:
            (place / f"report.{name}").unlink(missing_ok=True)
        manifest.replace(place / MANIFEST)
        return moved


def _render(name: str, report: Report, path: Path, template: str | Path | None) -> None:
    write = getattr(import_module(RENDERERS[name]), f"write_{name}")
    if name == "docx":
        write(report, path, None if template is None else Path(template))
    else:
        write(report, path)


def _of_another(place: Path, said: Mapping[str, str | int], *, overwrite: bool) -> bool:
    """Return whether a folder holds the report of another region or launch; refuse it unasked."""
    manifest = place / MANIFEST
    if not manifest.is_file():
        return False
    try:
        standing = json.loads(manifest.read_bytes())
    except ValueError:
        standing = None
    if standing == said:
        return False
    if not overwrite:
        known = isinstance(standing, dict) and set(standing) == set(said)
        told = " ".join(str(value) for value in standing.values()) if known else "an unknown region"
        raise FileExistsError(
            f"{place} holds the report of {told}; "
            "give another folder, or overwrite=True to replace it"
        )
    return True


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
