"""The shipped regions, and where the project's data and models lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from placeforecast.tables.problems import InputError, Problem, suggest

if TYPE_CHECKING:
    from placeforecast.tables.records import Inputs

EXAMPLES = {"city": "example_city", "china": "china"}


def load_example(name: str = "city") -> Inputs:
    """Read one of the shipped regions.

    Parameters
    ----------
    name : {"city", "china"}
        ``city`` is a synthetic prefecture of eight districts; ``china`` real national totals (with
        a checkout of the project only).

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        If there is no such example.

    Examples
    --------
    >>> import placeforecast as pf
    >>> sorted(set(pf.load_example("city").districts["level"].dropna()))
    ['city', 'county', 'zone']
    """
    from placeforecast.tables.read import read_inputs

    return read_inputs(example_folder(name))


def example_folder(name: str) -> Path:
    """Return the folder of a shipped region.

    Raises
    ------
    InputError
        If there is no such example.
    """
    folder = project_folder("data") / EXAMPLES.get(name, name)
    if name not in EXAMPLES or not folder.is_dir():
        remedy = suggest(name, EXAMPLES)
        raise InputError([Problem(value=name, rule="is not a shipped example", remedy=remedy)])
    return folder


def project_folder(name: str) -> Path:
    """Return ``data`` or ``models``: beside the code in a wheel, at the top in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / name
    return installed if installed.is_dir() else package.parents[1] / name
