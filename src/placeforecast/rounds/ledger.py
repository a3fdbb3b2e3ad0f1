"""Ledgers over rounds: how they did, and what a correction of the bias learns from."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from placeforecast.rounds.miss import DRIVERS
from placeforecast.rounds.score import SUMMARY
from placeforecast.tables.check import check
from placeforecast.tables.problems import AssumptionWarning, InputError, Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placeforecast.rounds.score import Score

LEDGER = ["launch_year", *SUMMARY, *DRIVERS, "total"]
PAST_ROUNDS = ["launch_year", "year", "district", "stage", "forecast", "actual"]


def round_ledger(scores: Mapping[int, Score]) -> pd.DataFrame:
    """Put the scores of several rounds in one table, to be read.

    Parameters
    ----------
    scores : mapping of int to Score
        By the launch year of the round.

    Returns
    -------
    DataFrame [launch_year, stage, lead, n, mape, bias, coverage, nominal, births, entry, \
progression, policy, other, total]
        The summary of each round beside the parts of the region's miss, in pupils; oldest first.

    Examples
    --------
    >>> from placeforecast.rounds.ledger import round_ledger
    >>> list(round_ledger({}).columns)[:4]
    ['launch_year', 'stage', 'lead', 'n']
    """
    parts = []
    for launch in sorted(scores):
        score = scores[launch]
        split = score.split.drop(columns="year").set_index(["stage", "lead"])
        joined = score.summary.join(split, on=["stage", "lead"], validate="1:1")
        parts.append(joined.assign(launch_year=launch)[LEDGER])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=LEDGER)


def past_rounds_of(scores: Mapping[int, Score]) -> pd.DataFrame:
    """Return the input table `past_rounds` of several rounds: what a correction learns from.

    Parameters
    ----------
    scores : mapping of int to Score
        By the launch year of the round.

    Returns
    -------
    DataFrame [launch_year, year, district, stage, forecast, actual]
        Oldest first. With a column `correction` if one of the rounds was itself corrected by an
        earlier error: what the forecast was multiplied with, which the next correction has to know.

    Examples
    --------
    >>> from placeforecast.rounds.ledger import past_rounds_of
    >>> list(past_rounds_of({}).columns)
    ['launch_year', 'year', 'district', 'stage', 'forecast', 'actual']
    """
    if not scores:
        return pd.DataFrame(columns=PAST_ROUNDS)
    parts = [scores[launch].issued.assign(launch_year=launch) for launch in sorted(scores)]
    table = pd.concat(parts, ignore_index=True)
    extra = ["correction"] if table["correction"].notna().any() else []
    return table[[*PAST_ROUNDS, *extra]]


def add_to_ledger(file: str | Path, score: Score, launch_year: int) -> Path:
    """Add the rows of a round to a CSV of `past_rounds`, in the place of those of the same launch.

    The file is written beside the old one and moved into its place whole.

    Parameters
    ----------
    file : str or Path
        Made if it is not there, such as ``my_region/past_rounds.csv``.
    score : Score
        Of the round.
    launch_year : int
        Of the round.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the file that is there is no table of past rounds; it then stays as it is.

    Examples
    --------
    >>> import tempfile, pandas as pd, placeforecast as pf
    >>> from placeforecast.rounds.freeze import freeze_round
    >>> from placeforecast.rounds.ledger import add_to_ledger
    >>> from placeforecast.rounds.read import read_round
    >>> births = pd.DataFrame({"district": "A", "year": range(2010, 2024), "births": 100.0})
    >>> counted = pd.DataFrame({"district": "A", "year": range(2022, 2026), "grade": "P1",
    ...                         "pupils": [110.0, 110.0, 110.0, 121.0]})
    >>> result = pf.forecast(pf.Inputs(births=births, enrolment=counted[:3]), horizon=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     last = read_round(freeze_round(result, f"{folder}/2024"))
    ...     score = pf.score_round(last, counted)
    ...     file = add_to_ledger(f"{folder}/past_rounds.csv", score, 2024)
    ...     pd.read_csv(file).round(6)
       launch_year  year district    stage  forecast  actual
    0         2024  2025        A  primary     110.0   121.0
    """
    target = Path(file)
    table = past_rounds_of({launch_year: score})
    if target.exists():
        before = _ledger(target)
        kept = before[before["launch_year"] != launch_year]
        if len(kept):
            table = pd.concat([kept, table], ignore_index=True)
            table = table.sort_values("launch_year", kind="stable")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as aside:
        new = Path(aside) / target.name
        # Spreadsheets in China read UTF-8 only with a byte-order mark.
        table.to_csv(new, index=False, encoding="utf-8-sig", lineterminator="\n")
        new.replace(target)
    return target


def _ledger(file: Path) -> pd.DataFrame:
    """Return the past rounds of a file, or refuse to write over it."""
    try:
        raw = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        remedy = "Save it as CSV UTF-8, or name another file."
        raise InputError([Problem(f"cannot be read ({error})", remedy, file=str(file))]) from None
    with warnings.catch_warnings():
        # A column that is not used is refused below: it would be lost.
        warnings.simplefilter("ignore", AssumptionWarning)
        table = check(raw, "past_rounds", called=str(file))
    if len(table.columns) < len(raw.columns):
        rule = "holds columns that are none of past_rounds, and would be lost"
        refuse([Problem(rule, "Take them out, or name another file.", file=str(file))])
    return table
