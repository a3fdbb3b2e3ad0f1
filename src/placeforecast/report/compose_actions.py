"""The opening sentences on what to start, and by when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from placeforecast.report.model import Paragraph, Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from placeforecast.report.model import Block
    from placeforecast.report.view import View

LEAST = 0.5
"""Fewer places than this are none."""


def actions(view: View) -> Iterator[Block]:
    """Yield what to build and to bridge in the whole region, stage by stage, and from when."""
    words, review, top = view.words, view.review, view.areas.shown[0]
    if review is None or top is None:
        return
    rows = review.districts[review.districts["district"] == top].to_dict("records")
    found = {(str(row["stage"]), str(row["ledger"])): row for row in rows}
    judged = {stage: found.get((stage, view.ledger(stage))) for stage in view.balanced}
    items = [
        _sentence(view, stage, row)
        for stage, row in judged.items()
        if row is not None and row["uncovered"] >= LEAST
    ]
    case = words.value("plan_case", "planned")
    if not items:
        yield Paragraph(words("opening.start_none", area=view.name(top), case=case))
        return
    yield Paragraph(words("opening.start_head", area=view.name(top), case=case))
    yield Points(tuple(items))


def _sentence(view: View, stage: str, row: Mapping[Any, Any]) -> str:
    """Return what is uncovered of one stage, what that asks for, and by when."""
    words = view.words
    parts = [
        words(
            "opening.uncovered",
            stage=words.stage(stage),
            places=view.count(row["uncovered"]),
            year=int(row["uncovered_year"]),
        )
    ]
    verdict = row["permanent_or_temporary"]
    if not pd.isna(verdict) and verdict not in ("", "none"):
        build, bridge = (row[f"{kind}_places"] for kind in ("permanent", "temporary"))
        for key, places in (("build", build), ("bridge", bridge)):
            if not pd.isna(places) and places >= LEAST:
                parts.append(words(f"opening.{key}", places=view.count(places)))
    if not pd.isna(row["start_by"]):
        key = "start_late" if row["late"] else "start_by"
        needed = int(row["needed_by"])
        parts.append(words(f"opening.{key}", year=int(row["start_by"]), needed=needed))
    elif not pd.isna(row["needed_by"]):
        parts.append(words("opening.start_unknown", needed=int(row["needed_by"])))
    else:
        parts.append(words("opening.start_cells"))
    return words("opening.start_join").join(parts) + words("opening.start_end")
