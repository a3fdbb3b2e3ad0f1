"""Turn the published tables of the English development set into a region folder.

Run as ``python data/make_england.py SOURCE FOLDER``. SOURCE holds ``births.csv``,
``pupils.csv`` and ``authorities.csv`` as compiled by the Greater London Authority of the Office for
National Statistics and the Department for Education (Open Government Licence v3.0). The folder is
not part of the project: the figures stay where they were published.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

SETTINGS = """\
name = "England, {count} authorities"
school_system = "england"
horizon = 10

[time]
births_end = "06-30"  # 2019 is July 2018 to June 2019

[run]
model = "default"
"""


def make_region(source: Path, folder: Path) -> None:
    """Write the region folder.

    Parameters
    ----------
    source : Path
        Folder of the published tables.
    folder : Path
        Made if it is not there; tables in it are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    births = pd.read_csv(source / "births.csv").rename(
        columns={"la_code": "district", "birth_year_end": "year"}
    )
    pupils = pd.read_csv(source / "pupils.csv", dtype={"grade": str}).rename(
        columns={"la_code": "district", "headcount": "pupils"}
    )
    authorities = pd.read_csv(source / "authorities.csv")
    regions = sorted(set(authorities["region"]))
    districts = pd.concat(
        [
            pd.DataFrame({"district": ["England"], "name": "England (these authorities)"}),
            pd.DataFrame({"district": regions, "name": regions, "parent": "England"}),
            pd.DataFrame(
                {
                    "district": authorities["la_code"],
                    "name": authorities["la_name"],
                    "parent": authorities["region"],
                }
            ),
        ]
    )
    births.to_csv(folder / "births.csv", index=False, lineterminator="\n")
    pupils.to_csv(folder / "enrolment.csv", index=False, lineterminator="\n")
    districts.to_csv(folder / "districts.csv", index=False, lineterminator="\n")
    settings = SETTINGS.format(count=len(authorities))
    (folder / "forecast.toml").write_text(settings, encoding="utf-8")


if __name__ == "__main__":
    make_region(Path(sys.argv[1]), Path(sys.argv[2]))
