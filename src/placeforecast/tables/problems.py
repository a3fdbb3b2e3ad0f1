"""One error for all problems of an input, and one warning for lawful but odd input."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = ("file", "sheet", "row", "column", "value", "rule", "remedy")
SHOWN = 20


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    rule: str
    remedy: str
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        """Return the problem as one line."""
        place = ", ".join(
            part
            for part in (
                self.file,
                self.sheet and f"sheet {self.sheet}",
                f"row {self.row}" if self.row is not None else "",
                self.column and f"column {self.column}",
            )
            if part
        )
        found = f"{self.value!r} " if self.value else ""
        return f"{place + ': ' if place else ''}{found}{self.rule}. {self.remedy}"


class InputError(ValueError):
    """Input that cannot be used; says everything that is wrong with it at once.

    Parameters
    ----------
    problems : iterable of Problem
        What is wrong.

    Attributes
    ----------
    problems : DataFrame [file, sheet, row, column, value, rule, remedy]
        The same as a table, one row per problem.
    found : tuple of Problem
        What was given.

    Examples
    --------
    >>> import pandas as pd, placeforecast as pf
    >>> births = pd.DataFrame({"district": ["A"], "year": [2020], "births": [-5]})
    >>> pf.check(births, "births")
    Traceback (most recent call last):
        ...
    placeforecast.tables.problems.InputError: 1 problem in the input:
      births, row 1, column births: '-5' is below 0. Give a number of births from 0 up.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        self.found = found
        self.problems = pd.DataFrame([asdict(p) for p in found], columns=list(COLUMNS))
        count = len(found)
        lines = [f"{count} problem{'s' if count != 1 else ''} in the input:"]
        lines += [f"  {problem}" for problem in found[:SHOWN]]
        if count > SHOWN:
            lines.append(f"  ... and {count - SHOWN} more: see .problems of this error")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        # By its text, as any error, it could not come back from another process.
        return type(self), (self.found,)


class AssumptionWarning(UserWarning):
    """Lawful but odd input, or a part of the input that a computation did not use."""


def refuse(problems: Sequence[Problem]) -> None:
    """Raise one `InputError` if there are any problems.

    Raises
    ------
    InputError
        With all of them.
    """
    if problems:
        raise InputError(problems)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest known word, or lists what is known."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"Known: {listed}." if names else "None is known."
