"""Make ``data/china/enrolment.csv`` from the folder of collected national figures.

Usage: ``python data/make_china.py SOURCE_FOLDER``. The folder holds ``national.csv`` (figures
read in a page) and ``derived.csv`` (figures fixed by arithmetic on two that were read), both in
units of 10,000 persons. The other tables of ``data/china`` are kept by hand.

Nothing is filled: a figure that neither file has gets no row.
"""

import argparse
import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

REGION = Path(__file__).resolve().parent / "china"
DISTRICT = "CN"
UNIT = "10k persons"
PERSONS_PER_UNIT = 10_000
COLUMNS = ("district", "year", "grade", "pupils", "source", "confidence", "note")

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
ORDER = ("K", "P1", "P2_6", "J1", "J2_3", "S1", "S2_3")


@dataclass(frozen=True)
class Figure:
    """One figure as it was collected.

    Attributes
    ----------
    printed : str
        The number in units of 10,000 persons, with the decimals it was given with.
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


def read_figures(folder: Path) -> Figures:
    """Read the figures that the enrolment table needs.

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
        A figure is given twice, or not in units of 10,000 persons.
    """
    wanted = set(PUBLISHED.values()).union(*REMAINDERS.values())
    figures: Figures = {}
    for name in ("national.csv", "derived.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = (row["indicator"], int(row["year"]))
                if key[0] not in wanted:
                    continue
                if row["unit"] != UNIT:
                    raise ValueError(f"{name}: {key} is in {row['unit']!r}, not in {UNIT!r}")
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


def write_table(path: Path, rows: list[tuple[str | int, ...]]) -> None:
    """Write rows under the headings of the enrolment table, as UTF-8 with plain line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def main() -> None:
    """Read the folder named on the command line and write the enrolment table."""
    parser = argparse.ArgumentParser(description="Make data/china/enrolment.csv.")
    parser.add_argument("source_folder", type=Path, help="folder of national.csv and derived.csv")
    folder: Path = parser.parse_args().source_folder
    write_table(REGION / "enrolment.csv", enrolment_rows(read_figures(folder)))


if __name__ == "__main__":
    main()
