"""Make ``enrolment.csv`` and ``policy.csv`` of ``data/china`` from collected national figures.

Usage: ``python data/make_china.py SOURCE_FOLDER``. The folder holds ``national.csv`` (figures
read in a page) and ``derived.csv`` (figures fixed by arithmetic on two that were read), in units
of 10,000 persons; shares are in percent. The other tables of ``data/china`` are kept by hand.

Nothing is filled: a figure that neither file has gets no row, and so does a share that lacks
one of its two figures. ``policy.csv`` holds what was observed and no target.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REGION = Path(__file__).resolve().parent / "china"
DISTRICT = "CN"
UNIT = "10k persons"
PERSONS_PER_UNIT = 10_000
PERCENT = "percent"
COLUMNS = ("district", "year", "grade", "pupils", "source", "confidence", "note")
POLICY_COLUMNS = (
    "indicator",
    "district",
    "stage",
    "year",
    "value",
    "basis",
    "source",
    "confidence",
    "note",
)
DIGITS = Decimal("0.000001")
"""A divided share is kept to a millionth, finer than any figure it rests on."""

# Grades that are published as they stand, and grades that are a stage less its entrants.
PUBLISHED = {
    "K": "kg_enrolled",
    "P1": "primary_entrants",
    "J1": "junior_entrants",
    "S1": "senior_entrants",
}
REMAINDERS = {
    "P2_6": ("primary_enrolled", "primary_entrants"),
    "J2_3": ("junior_enrolled", "junior_entrants"),
    "S2_3": ("senior_enrolled", "senior_entrants"),
}
# Figures that only the shares need.
OF_SHARES = ("kg_private_enrolled", "kg_inclusive_enrolled", "junior_graduates")
PUBLISHED_SHARES = ("kg_private_share", "kg_inclusive_share")
ORDER = ("K", "P1", "P2_6", "J1", "J2_3", "S1", "S2_3")


@dataclass(frozen=True)
class Figure:
    """One figure as it was collected.

    Attributes
    ----------
    printed : str
        The number in units of 10,000 persons, or in percent, with the decimals it was given with.
    source, confidence : str
        Where it comes from, and how far it can be trusted.
    derivation : str
        The sum behind a derived figure; empty for a figure that was read.
    """

    printed: str
    source: str
    confidence: str
    derivation: str


Figures = dict[tuple[str, int], Figure]
PolicyRow = tuple[str, str, str, int, str, str, str, str, str]


def read_figures(folder: Path) -> Figures:
    """Read the figures that the two tables need.

    Parameters
    ----------
    folder : Path
        Folder with ``national.csv`` and ``derived.csv``.

    Returns
    -------
    dict
        Figure by indicator and year.

    Raises
    ------
    ValueError
        A figure is given twice, or not in units of 10,000 persons (a share: in percent).
    """
    persons_of = set(PUBLISHED.values()).union(*REMAINDERS.values(), OF_SHARES)
    units = dict.fromkeys(persons_of, UNIT) | dict.fromkeys(PUBLISHED_SHARES, PERCENT)
    figures: Figures = {}
    for name in ("national.csv", "derived.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = (row["indicator"], int(row["year"]))
                if key[0] not in units:
                    continue
                unit = units[key[0]]
                if row["unit"] != unit:
                    raise ValueError(f"{name}: {key} is in {row['unit']!r}, not in {unit!r}")
                if key in figures:
                    raise ValueError(f"{name}: {key} is given twice")
                derivation = row.get("derivation", "")
                figures[key] = Figure(row["value"], row["source"], row["confidence"], derivation)
    return figures


def persons(value: Decimal) -> int:
    """Persons in a number of 10,000 persons, without a detour through binary fractions."""
    return int((value * PERSONS_PER_UNIT).to_integral_value())


def published_row(figure: Figure) -> tuple[int, str, str, str]:
    """Pupils, source, confidence and note of a figure taken over as it stands."""
    pupils = persons(Decimal(figure.printed))
    return pupils, figure.source, figure.confidence, figure.derivation


def remainder_row(enrolled: Figure, entrants: Figure) -> tuple[int, str, str, str]:
    """Pupils, source, confidence and note of a stage less its entrants."""
    pupils = persons(Decimal(enrolled.printed) - Decimal(entrants.printed))
    source = f"enrolled: {enrolled.source}; entrants: {entrants.source}"
    parts = [f"enrolled {enrolled.printed} minus entrants {entrants.printed}"]
    for name, figure in (("enrolled", enrolled), ("entrants", entrants)):
        if figure.derivation:
            parts.append(f"{name}: {figure.derivation}")
    return pupils, source, "DERIVED", "; ".join(parts)


def enrolment_rows(figures: Figures) -> list[tuple[str | int, ...]]:
    """Rows of the enrolment table, by grade and year.

    Parameters
    ----------
    figures : dict
        Figure by indicator and year.

    Returns
    -------
    list of tuple
        One tuple per row, in the order of ``COLUMNS``.
    """
    years = sorted({year for _, year in figures})
    rows: list[tuple[str | int, ...]] = []
    for grade in ORDER:
        indicators = REMAINDERS[grade] if grade in REMAINDERS else (PUBLISHED[grade],)
        for year in years:
            found = [figures[name, year] for name in indicators if (name, year) in figures]
            if len(found) < len(indicators):
                continue
            values = remainder_row(*found) if grade in REMAINDERS else published_row(*found)
            rows.append((DISTRICT, year, grade, *values))
    return rows


def divided(named: Mapping[str, Figure]) -> tuple[Decimal, str, str]:
    """Return one figure over another, with the sources and the sum.

    Parameters
    ----------
    named : mapping of str to Figure
        What is divided, then what it is divided by, each under the name to print.

    Returns
    -------
    tuple
        The share, the source and the note.
    """
    (part, above), (whole, below) = named.items()
    share = (Decimal(above.printed) / Decimal(below.printed)).quantize(DIGITS)
    note = [f"{part} {above.printed} / {whole} {below.printed}"]
    note += [f"{name}: {figure.derivation}" for name, figure in named.items() if figure.derivation]
    source = "; ".join(f"{name}: {figure.source}" for name, figure in named.items())
    return share, source, "; ".join(note)


def public_row(figures: Figures, year: int) -> PolicyRow | None:
    """Return the share of kindergarten children not in private ones, or None."""
    private, enrolled = (figures.get((n, year)) for n in ("kg_private_enrolled", "kg_enrolled"))
    if private is None or enrolled is None:
        return None
    share, source, note = divided({"private enrolled": private, "enrolled": enrolled})
    printed = figures.get(("kg_private_share", year))
    if printed is not None:
        note += f"; private share published: {printed.printed} %"
    cell = ("public_share", DISTRICT, "kindergarten", year, str(1 - share), "children")
    return *cell, source, "DERIVED", f"1 - {note}"


def inclusive_row(figures: Figures, year: int) -> PolicyRow | None:
    """Return the share of children in inclusive kindergartens: published, else divided, or None."""
    inclusive, enrolled = (figures.get((n, year)) for n in ("kg_inclusive_enrolled", "kg_enrolled"))
    printed = figures.get(("kg_inclusive_share", year))
    cell = ("inclusive_share", DISTRICT, "kindergarten", year)
    sums: tuple[Decimal, str, str] | None = None
    if inclusive is not None and enrolled is not None:
        sums = divided({"inclusive enrolled": inclusive, "enrolled": enrolled})
    if printed is not None:
        value = Decimal(printed.printed) / 100
        note = f"published as {printed.printed} %"
        note += f"; {sums[2]} = {sums[0]}" if sums else ""
        return *cell, str(value), "children", printed.source, printed.confidence, note
    return None if sums is None else (*cell, str(sums[0]), "children", sums[1], "DERIVED", sums[2])


def general_row(figures: Figures, year: int) -> PolicyRow | None:
    """Return the entrants of general senior schools over the junior graduates, or None."""
    entrants, graduates = (figures.get((n, year)) for n in ("senior_entrants", "junior_graduates"))
    if entrants is None or graduates is None:
        return None
    share, source, note = divided({"general entrants": entrants, "junior graduates": graduates})
    cell = ("senior_general_share", DISTRICT, "senior_general", year, str(share), "graduates")
    return *cell, source, "DERIVED", note


def policy_rows(figures: Figures) -> list[PolicyRow]:
    """Rows of the policy table: the shares that can be formed, by indicator and year.

    Parameters
    ----------
    figures : dict
        Figure by indicator and year.

    Returns
    -------
    list of tuple
        One tuple per row, in the order of ``POLICY_COLUMNS``.
    """
    years = sorted({year for _, year in figures})
    makers = (public_row, inclusive_row, general_row)
    made = [make(figures, year) for make in makers for year in years]
    return [row for row in made if row is not None]


def write_table(path: Path, columns: Sequence[str], rows: Sequence[tuple[str | int, ...]]) -> None:
    """Write rows under their headings, as UTF-8 with plain line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def make_region(source_folder: Path, region: Path = REGION) -> None:
    """Write the enrolment and the policy table of a region from a folder of figures."""
    figures = read_figures(source_folder)
    write_table(region / "enrolment.csv", COLUMNS, enrolment_rows(figures))
    write_table(region / "policy.csv", POLICY_COLUMNS, policy_rows(figures))


def main() -> None:
    """Read the folder named on the command line and write the two tables."""
    parser = argparse.ArgumentParser(description="Make data/china/enrolment.csv and policy.csv.")
    parser.add_argument("source_folder", type=Path, help="folder of national.csv and derived.csv")
    make_region(parser.parse_args().source_folder)


if __name__ == "__main__":
    main()
