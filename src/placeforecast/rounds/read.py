"""Reading a round back, after checking that nobody has touched it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeforecast.chain.forecast import forecast
from placeforecast.rounds.freeze import FORMAT, META, render
from placeforecast.rounds.text import table_from_text
from placeforecast.tables.problems import Problem, refuse
from placeforecast.tables.records import Assumptions, Inputs
from placeforecast.tables.settings import Settings, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from placeforecast.chain.record import Forecast

RESTORE = "Restore the round from a copy, or freeze the forecast again."


@dataclass(frozen=True)
class Round:
    """One annual forecast, frozen.

    Attributes
    ----------
    name : str
        Name of its folder.
    launch_year, last_year : int
        The year of the last pupils counted, and the last year of the forecast.
    inputs, assumptions : Inputs, Assumptions
        What the forecast rests on.
    results : dict of str to DataFrame
        The result tables, by name.
    meta : dict
        What ``round.json`` says: region, note, model, seed, trajectories, quantiles, settings,
        versions, sources, and the shape and fingerprint of every file. ``fingerprint`` stands for
        the whole round: write it into the minutes, and nobody can replace the round unseen.
    """

    name: str
    launch_year: int
    last_year: int
    inputs: Inputs
    assumptions: Assumptions
    results: dict[str, pd.DataFrame]
    meta: dict[str, Any]

    def __repr__(self) -> str:
        region = self.meta["region"] or "no name"
        span = f"{self.launch_year}-{self.last_year}"
        return f"Round {self.name} ({region}, {span}): {', '.join(self.results)}"


def read_round(folder: str | Path) -> Round:
    """Read a round that `freeze_round` wrote.

    Parameters
    ----------
    folder : str or Path
        Of the round.

    Returns
    -------
    Round
        With tables equal to those that were frozen.

    Raises
    ------
    InputError
        If it is no round, is of a later format, or a file of it was changed, added or taken away;
        with every such file.

    Examples
    --------
    >>> import tempfile, placeforecast as pf
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> from placeforecast.rounds.read import read_round
    >>> result = pf.forecast(pf.load_example("city"), horizon=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     last = read_round(freeze_round(result, f"{folder}/2025"))
    >>> last.launch_year, last.results["pupils"].equals(result.pupils)
    (2025, True)
    """
    path = Path(folder)
    meta = _meta(path)
    contents = _contents(path, meta["tables"])
    parts: dict[str, dict[str, pd.DataFrame]] = {"inputs": {}, "assumptions": {}, "results": {}}
    for file, data in contents.items():
        part, _, name = file.removesuffix(".csv").partition("/")
        parts[part][name] = table_from_text(data, meta["tables"][file])
    settings = parse(Settings, meta["settings"], META)
    inputs = Inputs(settings=settings, **parts["inputs"])
    # Grades were resolved before they were frozen; Inputs would number their rows anew.
    object.__setattr__(inputs, "grades", parts["inputs"]["grades"])
    return Round(
        name=path.resolve().name,
        launch_year=int(meta["launch_year"]),
        last_year=int(meta["last_year"]),
        inputs=inputs,
        assumptions=Assumptions(**parts["assumptions"]),
        results=parts["results"],
        meta=meta,
    )


def repeat_round(
    round: Round,  # noqa: A002
    *,
    model: str | Path | None = None,
    jobs: int = 1,
) -> Forecast:
    """Run a round again as it was asked for: from its own inputs, assumptions, model and seed.

    Parameters
    ----------
    round : Round
        From `read_round`.
    model : str or Path, optional
        Where the model of the round lies, if it is none of those shipped.
    jobs : int
        As for `forecast`; the figures do not depend on it.

    Returns
    -------
    Forecast
        With the figures that were frozen, to 1e-9 whatever the versions.

    Examples
    --------
    >>> import tempfile, placeforecast as pf
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> from placeforecast.rounds.read import read_round, repeat_round
    >>> result = pf.forecast(pf.load_example("city"), horizon=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     last = read_round(freeze_round(result, f"{folder}/2025"))
    >>> repeat_round(last).pupils.equals(last.results["pupils"])
    True
    """
    return forecast(
        round.inputs,
        assumptions=round.assumptions,
        model=round.meta["model"] if model is None else model,
        launch_year=round.launch_year,
        horizon=round.last_year - round.launch_year,
        trajectories=round.meta["trajectories"],
        quantiles=round.meta["quantiles"] or None,
        seed=round.meta["seed"],
        jobs=jobs,
    )


def _meta(path: Path) -> dict[str, Any]:
    """Return what ``round.json`` says, if it says it as it was written."""
    file = path / META
    if not file.is_file():
        rule, remedy = f"is not a round: it holds no {META}", "Name the folder of a frozen round."
        refuse([Problem(rule, remedy, value=str(path))])
    data = file.read_bytes()
    changed = Problem("was changed after it was frozen", RESTORE, file=META)
    meta: dict[str, Any] = {}
    try:
        meta = json.loads(data)
        whole = isinstance(meta, dict) and render(meta) == data
    except ValueError:
        whole = False
    if isinstance(meta, dict) and isinstance(meta.get("format"), int) and meta["format"] > FORMAT:
        rule = f"is of format {meta['format']}, and this version reads {FORMAT}"
        refuse([Problem(rule, "Read it with a later version.", file=META)])
    refuse([] if whole else [changed])
    return meta


def _contents(path: Path, tables: Mapping[str, Any]) -> dict[str, bytes]:
    """Return every file as it was frozen."""
    there = {f.relative_to(path).as_posix() for f in path.rglob("*") if not f.is_dir()} - {META}
    problems = [
        Problem("was taken out after the round was frozen", RESTORE, file=file)
        for file in tables
        if file not in there
    ]
    problems += [
        Problem("was added after the round was frozen", "Take it out.", file=file)
        for file in sorted(there - set(tables))
    ]
    contents = {file: (path / file).read_bytes() for file in tables if file in there}
    problems += [
        Problem("was changed after it was frozen", RESTORE, file=file)
        for file, data in contents.items()
        if hashlib.sha256(data).hexdigest() != tables[file]["sha256"]
    ]
    refuse(problems)
    return contents
