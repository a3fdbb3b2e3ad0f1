"""From pupils to places needed: the spare share, and the public ledger by estimate or by policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.rates.paths import policy_path
from schools import SIMPLE, by_year, found, pupils, region

if TYPE_CHECKING:
    from pathlib import Path

SECTORS = {"public": [60, 66, 90], "private_inclusive": [30, 30, 36], "private": [10, 24, 24]}
"""P1 of 2023-2025: 100, 120 and 150 pupils, of whom 60, 55 and 60 % public."""


def close(actual: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def one_grade(grade: str = "P1", **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    return pd.DataFrame(
        {"district": "A", "year": [2026], "grade": grade, "pupils": 95.0, **columns}
    )


def needed(assumptions: pf.Assumptions, ledger: str = "all", grade: str = "P1") -> list[float]:
    demand = pf.demand_places(one_grade(grade), assumptions)
    return list(demand.loc[demand["ledger"] == ledger, "demand"])


def spare(**rows: list[Any]) -> pf.Assumptions:
    return pf.Assumptions(standards=pd.DataFrame({"indicator": "spare_share", **rows}))


# Spare places.


def test_without_a_standard_a_pupil_needs_a_place() -> None:
    close(needed(pf.Assumptions()), [95.0])


def test_spare_places_are_a_share_of_places_not_of_pupils() -> None:
    """95 pupils fill 95 % of 100 places."""
    close(needed(spare(value=[0.05])), [100.0])
    demand = pf.demand_places(one_grade(), spare(value=[0.05]))
    close(list(demand["pupils"]), [95.0])


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        ({"stage": ["primary", "junior"], "value": [0.05, 0.5]}, 0.05),
        ({"stage": ["junior"], "value": [0.5]}, 0.0),
        ({"stage": [None, "primary"], "value": [0.5, 0.05]}, 0.05),
        ({"stage": ["primary", None], "grade": [None, "P1"], "value": [0.5, 0.05]}, 0.05),
        ({"district": ["A", None], "grade": [None, "P1"], "value": [0.05, 0.5]}, 0.05),
        ({"district": ["B", None], "value": [0.5, 0.05]}, 0.05),
        ({"year": [2025, 2026, None], "value": [0.5, 0.05, 0.5]}, 0.05),
        ({"stage": ["primary", None], "year": [None, 2026], "value": [0.05, 0.5]}, 0.05),
    ],
)
def test_the_standard_that_names_most_holds(rows: dict[str, list[Any]], share: float) -> None:
    """The district comes before the grade, that before the stage, that before the year."""
    close(needed(spare(**rows)), [95 / (1 - share)])


def test_a_grade_that_the_school_system_does_not_know_is_refused() -> None:
    message = r"pupils, column grade: 'P7' is not a grade of the school system\. Known: J1"
    with pytest.raises(pf.InputError, match=message):
        pf.demand_places(one_grade("P7"), pf.Assumptions())


def test_the_share_born_is_passed_on_and_missing_where_it_is_not_known() -> None:
    table = pf.demand_places(one_grade(share_born=0.25), pf.Assumptions())
    close(list(table["share_born"]), [0.25])
    assert pf.demand_places(one_grade(), pf.Assumptions())["share_born"].isna().all()


# Shares as counted.


def sectors() -> pd.DataFrame:
    return pd.concat(pupils({"P1": numbers}, 2023, sector=s) for s, numbers in SECTORS.items())


def model(folder: Path, rule: str) -> str:
    text = f'name = "x"\n[shares]\nrule = "{rule}"\nyears = 2\n'
    (folder / "model.toml").write_text(text, encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("rule", "share"), [("last", 0.60), ("mean", (0.60 + 0.55) / 2), ("volume", 156 / 270)]
)
def test_the_public_share_is_learnt_from_sectors(rule: str, share: float, tmp_path: Path) -> None:
    result = pf.forecast(region(sectors()), model=model(tmp_path, rule))
    everybody = found(result.demand, "P1", ledger="all")
    close(found(result.demand, "P1", ledger="public"), [share * number for number in everybody])
    assert set(result.demand["ledger"]) == {"all", "public"}


def test_a_stage_without_public_pupils_has_a_share_of_zero() -> None:
    private = pupils({"P1": [100, 100]}, 2024, sector="private")
    result = pf.forecast(region(private), model=SIMPLE)
    close(found(result.demand, "P1", ledger="public"), [0.0] * 4)


def test_without_sectors_there_is_no_public_ledger() -> None:
    result = pf.forecast(region(pupils({"P1": [100, 100]}, 2024)))
    assert set(result.demand["ledger"]) == {"all"}


def test_a_year_with_a_sector_missing_teaches_no_share(tmp_path: Path) -> None:
    """Without its private pupils 2024 would say 69 %; 2025 and 2023 are both 60 %."""
    holed = sectors()
    holed = holed[~((holed["sector"] == "private") & (holed["year"] == 2024))]
    with pytest.warns(pf.AssumptionWarning, match="P1 2024|A 2024"):
        result = pf.forecast(region(holed), model=model(tmp_path, "mean"))
    everybody = found(result.demand, "P1", ledger="all")
    close(found(result.demand, "P1", ledger="public"), [0.6 * number for number in everybody])


# Shares as policy sets them.


def policy(*rows: tuple[int, float], **keys: str) -> pd.DataFrame:
    years, values = zip(*rows, strict=True)
    return pd.DataFrame({"indicator": "public_share", **keys, "year": years, "value": values})


def test_a_path_is_linear_between_its_years_and_held_outside_them() -> None:
    """60 % as counted; the policy says 70 % in 2026 and 90 % in 2028, in primary schools only."""
    born = by_year("births", [100] * 40, 1985, district="A")
    taught = pd.concat([sectors(), *(pupils({"K1": [50] * 3}, 2023, sector=s) for s in SECTORS)])
    path = policy((2026, 0.7), (2028, 0.9), stage="primary")
    result = pf.forecast(region(taught, born, policy=path, horizon=5), model=SIMPLE)
    everybody = found(result.demand, "P1", ledger="all")
    shares = [0.7, 0.7, 0.8, 0.9, 0.9, 0.9]
    expected = [share * number for share, number in zip(shares, everybody, strict=True)]
    close(found(result.demand, "P1", ledger="public"), expected)
    third = [number / 3 for number in found(result.demand, "K1", ledger="all")]
    close(found(result.demand, "K1", ledger="public"), third)
    said = list(result.notes.loc[result.notes["topic"] == "policy", "text"])
    assert said == [
        "public_share (primary): held at 0.7 of 2026 in 2025-2025",
        "public_share (primary): held at 0.9 of 2028 in 2029-2030",
    ]


def test_the_path_that_names_most_holds() -> None:
    rows = pd.concat(
        [
            policy((2026, 0.1)),
            policy((2026, 0.2), stage="primary"),
            policy((2026, 0.3), district="A"),
            policy((2026, 0.4), district="A", stage="primary"),
        ]
    )
    cells = [("A", "primary"), ("A", "junior"), ("B", "primary"), ("B", "junior")]
    path = policy_path(rows, "public_share", cells, [2020, 2026, 2030])
    np.testing.assert_allclose(path, [[0.4] * 3, [0.3] * 3, [0.2] * 3, [0.1] * 3])
    assert np.isnan(policy_path(rows, "private_cap", cells, [2026])).all()
    assert np.isnan(policy_path(None, "public_share", cells, [2026])).all()


def test_the_order_of_a_path_changes_nothing() -> None:
    rows = policy((2026, 0.1), (2030, 0.5), (2028, 0.2))
    path = policy_path(rows, "public_share", [("A", "primary")], range(2025, 2032))
    np.testing.assert_allclose(path, [[0.1, 0.1, 0.15, 0.2, 0.35, 0.5, 0.5]])


def test_a_share_of_one_class_of_residence_needs_pupils_told_apart() -> None:
    migrants = policy((2026, 0.2), residence="migrant")
    message = (
        "policy, column residence: gives public_share of migrant pupils, who are not told apart. "
        "Give enrolment with a column residence (local, migrant), or leave it blank."
    )
    with pytest.raises(pf.InputError, match=re.escape(message)):
        needed(pf.Assumptions(policy=migrants), "public")
