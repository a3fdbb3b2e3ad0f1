"""Freezing a forecast: everything it rests on and everything it says, as readable text."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeforecast import __version__
from placeforecast.rounds.text import table_to_text
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.chain.record import Forecast

FORMAT = 1
"""Raised when a later version writes rounds that this one could not read."""
META = "round.json"


def freeze_round(
    forecast: Forecast, folder: str | Path, *, overwrite: bool = False, note: str = ""
) -> Path:
    """Write a forecast, with all that it rests on, into a folder of its own.

    The folder holds ``inputs/``, ``assumptions/`` and ``results/`` (one CSV per table) and
    ``round.json`` (settings, versions, the sources of the inputs, the shape and the SHA-256
    fingerprint of every file, and one of itself). The same forecast gives the same bytes. It is
    written beside the folder and moved into place whole, so that a failure leaves nothing half
    done, and an older round stands until the new one does.

    Parameters
    ----------
    forecast : Forecast
        What to freeze.
    folder : str or Path
        Of this round only, such as ``rounds/2025``; made, with the folders above it.
    overwrite : bool
        Replace the round that is there. A folder that is no round is never replaced.
    note : str
        Kept in ``round.json``: who decided what.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder is there already.

    Examples
    --------
    >>> import tempfile, placeforecast as pf
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> result = pf.forecast(pf.load_example("city"), horizon=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = freeze_round(result, f"{folder}/2025")
    ...     sorted(path.name for path in written.iterdir())
    ['assumptions', 'inputs', 'results', 'round.json']
    """
    target = Path(folder)
    _refuse_standing(target, overwrite=overwrite)
    files, tables = _files(forecast)
    files[META] = render(_meta(forecast, tables, note))
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    new, old = aside / "new", aside / "old"
    try:
        _write(new, files)
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        _settle(target.parent)
    finally:
        if target.exists() or not old.exists():  # else the older round stands nowhere else
            shutil.rmtree(aside)
    return target


def render(meta: Mapping[str, Any]) -> bytes:
    """Return ``round.json`` with its own fingerprint, which is taken with the place left blank."""
    blank = _json({**meta, "fingerprint": ""})
    return _json({**meta, "fingerprint": hashlib.sha256(blank).hexdigest()})


def _json(meta: Mapping[str, Any]) -> bytes:
    return (json.dumps(meta, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _refuse_standing(target: Path, *, overwrite: bool) -> None:
    if not target.exists() or (overwrite and (target / META).is_file()):
        return
    rule, remedy = "is there already", "Name another folder, or pass overwrite=True."
    if overwrite:
        rule, remedy = "is no round, and is not overwritten", "Name another folder."
    refuse([Problem(rule, remedy, value=str(target))])


def _files(forecast: Forecast) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the content of every table's file, and its shape and fingerprint."""
    inputs = {**forecast.inputs.tables(), "provenance": forecast.inputs.provenance}
    if forecast.inputs.rebased is not None:
        inputs["rebased"] = forecast.inputs.rebased
    assumed = {
        field.name: table
        for field in fields(forecast.assumptions)
        if (table := getattr(forecast.assumptions, field.name)) is not None
    }
    parts = {"inputs": inputs, "assumptions": assumed, "results": forecast.tables()}
    files, tables = {}, {}
    for part, named in parts.items():
        for name, table in named.items():
            file = f"{part}/{name}.csv"
            files[file], shape = table_to_text(table)
            tables[file] = {"sha256": hashlib.sha256(files[file]).hexdigest(), **shape}
    return files, tables


def _meta(forecast: Forecast, tables: dict[str, Any], note: str) -> dict[str, Any]:
    settings = forecast.inputs.settings
    drawn = forecast.sampling
    sources = forecast.inputs.provenance[["file", "sha256"]]
    return {
        "format": FORMAT,
        "fingerprint": "",
        "region": settings.name,
        "note": note,
        "launch_year": forecast.launch_year,
        "last_year": forecast.last_year,
        "scenarios": list(dict.fromkeys(str(name) for name in forecast.stages["scenario"])),
        "model": _model(forecast),
        "trajectories": 0 if drawn is None else drawn.trajectories,
        "seed": None if drawn is None else drawn.seed,
        "quantiles": [] if drawn is None else sorted(drawn.quantiles),
        "settings": settings.model_dump(mode="json"),
        "versions": {
            "placeforecast": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pandas": pd.__version__,
        },
        "sources": {str(row["file"]): str(row["sha256"]) for row in sources.to_dict("records")},
        "tables": tables,
    }


def _model(forecast: Forecast) -> str:
    """Return the model that the assumptions were estimated with, else that of the settings."""
    notes = forecast.assumptions.notes
    said = [str(text).partition(":")[0] for text in notes.loc[notes["topic"] == "model", "text"]]
    asked = forecast.inputs.settings.run.model
    # The settings may name it by its folder, of which the notes have the last part only.
    return asked if not said or Path(asked).name == said[0] else said[0]


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, data in files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    for part in (*(path for path in folder.iterdir() if path.is_dir()), folder):
        _settle(part)


def _settle(folder: Path) -> None:
    """Have the names in a folder written to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
