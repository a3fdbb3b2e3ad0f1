"""The yearly score of tasks: R11, R19."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import placeforecast as pf
from placeforecast.places.tasks import score_tasks
from test_tasks import TREE, compare, plan, project, task

SCORE = ["year", "due", "delivered", "ahead", "score"]


def test_r19_the_score_of_each_year_by_hand() -> None:
    """R11, R19: 9000 ordered for four years, 2250 a year; then one year after the period.

    900 open in 2023, 1800 in 2025 (a year later than planned) and 4500 in 2026, late. What is
    under construction is not delivered.
    """
    schools = plan(
        project(opened=None),
        project(project="West", stage="junior", places=1800.0, opens=2024, opened=2025),
        project(project="South", places=4500.0, opens=2026, opened=None),
        project(project="North", places=600.0, status="under_construction", opened=None),
    )
    found = score_tasks(task(), schools, year=2026, districts=TREE)
    assert list(found.columns) == [
        "district",
        "stage",
        "year_from",
        "year_to",
        "year",
        "task",
        "due",
        "delivered",
        "ahead",
        "score",
    ]
    assert set(found["stage"]) == {"compulsory"}
    assert set(found["task"]) == {9000.0}
    assert found[SCORE].to_numpy() == pytest.approx(
        np.array(
            [
                [2022, 2250, 0, -2250, 0],
                [2023, 4500, 900, -3600, 0.2],
                [2024, 6750, 900, -5850, 900 / 6750],
                [2025, 9000, 2700, -6300, 0.3],
                [2026, 9000, 7200, -1800, 0.8],
            ]
        )
    )


def assert_scores_hold(scored: pd.DataFrame, compared: pd.DataFrame) -> None:
    """Check a score against its parts, and in the last year of the period against the task."""
    assert list(scored["ahead"]) == pytest.approx(list(scored["delivered"] - scored["due"]))
    assert list(scored["score"] * scored["due"]) == pytest.approx(list(scored["delivered"]))
    whole = compared[compared["stage"] == compared["of"]]
    last = scored[scored["year"] == scored["year_to"]]
    for mine, own in (("due", "task"), ("delivered", "delivered"), ("ahead", "ahead")):
        assert list(last[mine]) == pytest.approx(list(whole[own])), mine


@pytest.mark.parametrize("column", [None, "due", "delivered", "ahead", "score"])
def test_r19_the_score_agrees_with_the_task_at_its_end(column: str | None) -> None:
    tasks = pd.concat([task(), task("primary", "D-U", places=100.0), task("junior", "CITY")])
    turn = project(
        project="Turn", kind="conversion", from_stage="primary", stage="junior", places=300.0
    )
    schools = plan(project(), turn, project(project="E1", district="E", stage="junior", opens=2025))
    scored = score_tasks(tasks, schools, year=2025, districts=TREE)
    assert len(scored) == 12
    compared = compare(tasks, schools)
    assert_scores_hold(scored, compared)
    if column is not None:
        scored[column] = scored[column].where(scored.index != 3, scored[column] + 1)
        with pytest.raises(AssertionError, match="comparison failed"):
            assert_scores_hold(scored, compared)


def test_r19_late_places_count_until_the_next_task_begins() -> None:
    tasks = pd.concat(
        [
            task("primary", places=1000.0),
            task("primary", year_from=2027, year_to=2030, places=800.0),
        ]
    )
    schools = plan(
        project(opens=2026, places=500.0), project(project="West", opens=2027, places=200.0)
    )
    found = score_tasks(tasks, schools, year=2028, districts=TREE)
    first, second = found[found["year_to"] == 2025], found[found["year_to"] == 2030]
    assert list(first["year"]) == [*range(2022, 2029)]
    assert list(first["delivered"]) == [0, 0, 0, 0, 500, 500, 500]
    assert list(second[SCORE].to_numpy().ravel()) == [
        *(2027, 200, 200, 0, 1),
        *(2028, 400, 200, -200, 0.5),
    ]


def test_a_task_of_nothing_has_no_score_and_a_later_one_no_rows() -> None:
    tasks = pd.concat([task("primary", places=0.0), task("junior", year_from=2024)])
    found = score_tasks(tasks, plan(), year=2023)
    assert list(found["year"]) == [2022, 2023]
    assert found["score"].isna().all()
    assert list(found["ahead"]) == [0, 0]
    assert score_tasks(tasks, plan(), year=2020).empty


def test_without_projects_the_score_is_missing() -> None:
    found = score_tasks(task("primary"), None, year=2023)
    assert list(found["due"]) == [2250, 4500]
    assert found[["delivered", "ahead", "score"]].isna().all(axis=None)


def test_the_score_names_projects_without_places_and_tasks_that_cannot_be() -> None:
    rows = plan(project(), project(project="Blank", places=None, classes=12))
    with pytest.warns(pf.AssumptionWarning, match=r"have no places .* \(Blank\)\. Give their"):
        found = score_tasks(task("primary"), rows, year=2023, districts=TREE)
    assert list(found["delivered"]) == [0, 900]
    with pytest.raises(pf.InputError, match="'secondary' is not a stage of the school system"):
        score_tasks(task("secondary"), rows, year=2023)
    with pytest.raises(pf.InputError, match="'D-V' is not a district of the table districts"):
        score_tasks(task(district="D-V"), rows, year=2023, districts=TREE)
