"""Maps: boundaries, holes, labels, colours on either side of 0, and what is refused."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline

import placeforecast as pf
from placeforecast.plot.geojson import inside, label_point, outline, read_boundaries
from placeforecast.plot.maps import BELOW, DIVERGING, NO_FIGURE, STRANGER, WARNINGS

if TYPE_CHECKING:
    from pathlib import Path

Ring = list[list[float]]


def square(x: float, y: float, size: float = 1.0) -> Ring:
    corners = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return [[100 + a, 30 + b] for a, b in corners]


def feature(district: object, rings: list[Any], kind: str = "Polygon") -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": rings}
    return {"type": "Feature", "properties": {"district": district}, "geometry": geometry}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def row_of(*districts: str) -> dict[str, Any]:
    """Return squares side by side."""
    return collection(*(feature(d, [square(i, 0)]) for i, d in enumerate(districts)))


def table(**balance: float | None) -> pd.DataFrame:
    values = pd.array(list(balance.values()), dtype="Float64").astype(float)
    return pd.DataFrame({"district": list(balance), "balance": values})


def areas(axes: Axes) -> list[PathCollection]:
    return [found for found in axes.collections if isinstance(found, PathCollection)]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def starts(path: Outline) -> int:
    """Return how many rings a path has."""
    return int((np.asarray(path.codes) == Outline.MOVETO).sum())


def pixel(axes: Axes, x: float, y: float) -> tuple[int, ...]:
    """Return the colour that is drawn at a place."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="raw", dpi=figure.dpi)
    wide, high = (int(side) for side in figure.get_size_inches() * figure.dpi)
    image = np.frombuffer(stream.getvalue(), dtype=np.uint8).reshape(high, wide, 4)
    across, up = axes.transData.transform((100 + x, 30 + y))
    return tuple(int(part) for part in image[image.shape[0] - 1 - int(up), int(across), :3])


def signed_area(vertices: np.ndarray) -> float:
    x, y = (vertices - vertices[0]).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def test_a_hole_stays_open_whichever_way_it_runs() -> None:
    """Rings of offices often run all the same way; then a hole would be filled."""
    hole = square(0.25, 0.25, 0.5)
    for rings in ([square(0, 0), hole], [square(0, 0)[::-1], hole], [square(0, 0), hole[::-1]]):
        (polygon,) = read_boundaries(collection(feature("A", rings)), "district")["A"]
        assert [np.sign(signed_area(ring)) for ring in polygon] == [1, -1]
        assert starts(outline([polygon])) == 2
        axes = pf.plot.district_map(table(A=5.0), collection(feature("A", rings)), "balance")
        white, full = (255, 255, 255), tuple(round(255 * part) for part in DIVERGING(1.0)[:3])
        assert pixel(axes, 0.6, 0.6) == white
        assert pixel(axes, 0.1, 0.1) == full
        assert inside((100.1, 30.1), polygon)
        assert not inside((100.5, 30.5), polygon)


def test_a_multipolygon_is_one_path_of_its_district() -> None:
    parts = [[square(0, 0), square(0.4, 0.4, 0.2)], [square(2, 2, 0.5)]]
    axes = pf.plot.district_map(
        table(A=5.0), collection(feature("A", parts, "MultiPolygon")), "balance", language="en"
    )
    (area,) = areas(axes)
    (path,) = area.get_paths()
    assert starts(path) == 3
    assert pixel(axes, 0.5, 0.5) == (255, 255, 255)
    assert pixel(axes, 2.25, 2.25) == pixel(axes, 0.1, 0.1) != (255, 255, 255)


@pytest.mark.parametrize("seed", range(8))
def test_a_label_lies_in_its_district_and_in_no_hole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 40))
    radius = rng.uniform(0.3, 1.0, 40)
    star = np.stack([radius * np.cos(angles), 0.4 * radius * np.sin(angles)], axis=1)
    hole = 0.15 * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])[::-1]
    polygon = [np.vstack([star, star[:1]]), hole * [1.0, 0.4]]
    point = label_point([polygon])
    assert outline([polygon[:1]]).contains_point(point)
    assert not outline([polygon[1:]]).contains_point(point)


def test_the_middle_of_a_ring_and_of_a_horseshoe_is_no_place_for_a_label() -> None:
    """The centroid of both lies outside of them."""
    ring = [np.array(square(0, 0)), np.array(square(0.05, 0.05, 0.9))[::-1]]
    shoe = np.array(
        [[0, 0], [9, 0], [9, 9], [8, 9], [8, 1], [1, 1], [1, 9], [0, 9], [0, 0]], dtype=float
    )
    for polygon in (ring, [shoe]):
        assert not inside(tuple(polygon[0][:-1].mean(axis=0)), polygon)
        assert inside(label_point([polygon]), polygon)


def test_a_thin_district_keeps_its_label() -> None:
    thin = np.array([[0, 0], [10, 7e-4], [10, 1e-3], [0, 0]], dtype=float)
    assert inside(label_point([[thin]]), [thin])


def test_the_label_stands_in_the_largest_part() -> None:
    parts = [[square(5, 5, 0.1)], [square(0, 0, 2)]]
    found = read_boundaries(collection(feature("A", parts, "MultiPolygon")), "district")["A"]
    assert label_point(found) == pytest.approx((101, 31), abs=0.03)


def test_colours_are_alike_on_both_sides_of_nothing() -> None:
    axes = pf.plot.district_map(
        table(A=-30.0, B=60.0, C=0.0), row_of("A", "B", "C"), "balance", language="en"
    )
    below, above = areas(axes)
    assert below.get_hatch() == BELOW["hatch"]
    assert above.get_hatch() is None
    middle = DIVERGING(0.5)
    assert np.allclose(below.get_facecolor(), [DIVERGING(0.25)])
    assert np.allclose(above.get_facecolor(), [DIVERGING(1.0), middle])
    (bar,) = axes.child_axes
    assert isinstance(bar, Axes)
    assert bar.get_ylim() == (-60, 60)
    assert bar.get_ylabel() == "Balance (places; below 0: short)"
    assert [text.get_text() for text in axes.texts] == ["A\n-30", "B\n+60", "C\n0"]
    assert legend(axes) == ["Below 0 (short)"]


def test_a_degree_of_longitude_is_as_long_as_it_is_there() -> None:
    axes = pf.plot.district_map(table(A=1.0), row_of("A"), "balance")
    assert axes.get_aspect() == pytest.approx(1 / np.cos(np.radians(30.5)))


def test_what_has_no_figure_and_what_is_not_in_the_table_are_told_apart() -> None:
    names = ["A", "B", *"PQRST"]
    axes = pf.plot.district_map(table(A=5.0, B=None), row_of(*names), "balance", language="en")
    numbers, blank, strangers = areas(axes)
    assert len(numbers.get_paths()) == 1
    assert blank.get_hatch() == NO_FIGURE["hatch"]
    assert len(blank.get_paths()) == 1
    assert len(strangers.get_paths()) == 5
    assert np.allclose(strangers.get_facecolor(), mpl.colors.to_rgba(STRANGER["facecolor"]))
    assert legend(axes) == ["No figure", "Not in the table: P, Q, R and 2 more"]
    assert legend(
        pf.plot.district_map(table(A=5.0, B=None), row_of(*names), "balance", language="zh")
    ) == ["无数据", "表中没有：P、Q、R等5个"]


def test_warning_levels_have_a_colour_and_a_hatch_each() -> None:
    levels = list(WARNINGS)
    districts = list("ABCDEF")
    given = pd.DataFrame({"district": districts, "warning": [*levels, None]})
    axes = pf.plot.district_map(given, row_of(*districts), "warning", language="en")
    drawn = areas(axes)
    assert [area.get_hatch() or "" for area in drawn[:-1]] == [
        WARNINGS[level]["hatch"] for level in levels
    ]
    assert len({area.get_hatch() for area in drawn}) == 6
    assert legend(axes) == ["red", "yellow", "normal", "blue", "dark blue", "No figure"]
    assert not axes.child_axes
    chinese = pf.plot.district_map(given, row_of(*districts), "warning")
    assert legend(chinese)[0] == "红色"


def test_a_file_is_read_and_codes_may_be_numbers(tmp_path: Path) -> None:
    one = feature(None, [square(0, 0)])
    one["properties"] = {"adcode": 330100, "name": "甲"}
    file = tmp_path / "边界.geojson"
    file.write_text(json.dumps(collection(one), ensure_ascii=False), encoding="utf-8-sig")
    given = pd.DataFrame({"district": ["330100"], "balance": [3.5]})
    axes = pf.plot.district_map(
        given, file, "balance", name="adcode", labels={"330100": "䶮𬭁县"}, title="甲 $x$"
    )
    assert [text.get_text() for text in axes.texts] == ["䶮𬭁县\n+3.5"]
    assert axes.get_title(loc="left") == r"甲 \$x\$"


def test_labels_do_not_cover_each_other() -> None:
    """A small district keeps its colour; that it has no label is said."""
    features = [feature("A", [square(0, 0)])]
    features += [feature(f"B{i}", [square(0.5 + i * 1e-4, 0.5, 1e-4)]) for i in range(3)]
    given = table(A=1.0, B0=2.0, B1=3.0, B2=4.0)
    axes = pf.plot.district_map(given, collection(*features), "balance", language="en")
    assert [text.get_text() for text in axes.texts] == ["A\n+1"]
    assert legend(axes) == ["3 districts without a label for want of room"]


def test_every_problem_of_the_boundaries_is_named_at_once() -> None:
    open_ring = [*square(0, 0)[:-1], [100.0, 30.1]]
    metres = [[x * 1e4, y * 1e4] for x, y in square(0, 0)]
    bad = collection(
        feature("", [square(0, 0)]),
        feature("A", [square(0, 0)[:3]]),
        feature("B", [open_ring]),
        feature("C", [metres]),
        feature("D", [[0, 0]], "Point"),
        feature("E", [square(0, 0)]),
        feature("E", [square(0, 0)]),
        feature("F", [[[100, 30], [101, None], [101, 31], [100, 30]]]),
        feature("G", []),
        feature("H", [[[100, 30], [101, 31], [102, 32], [100, 30]]]),
    )
    with pytest.raises(pf.InputError, match="9 problems in the input") as raised:
        read_boundaries(bad, "district")
    lines = [str(problem) for problem in raised.value.found]
    repair = "Repair the geometry, or export it again."
    assert lines == [
        "geojson, row 1, column district: has no district. Say name= of the property that holds "
        "the district. Its properties: district.",
        f"geojson, row 2: 'Polygon' has a ring of fewer than 4 positions. {repair}",
        f"geojson, row 3: 'Polygon' has a ring that does not end where it begins. {repair}",
        "geojson, row 4: 'Polygon' has positions that are not in degrees (longitude, latitude). "
        f"{repair}",
        "geojson, row 5: 'Point' is no geometry with an area. Give a Polygon or a MultiPolygon.",
        "geojson, row 7, column district: 'E' has two features. Join them to one MultiPolygon.",
        f"geojson, row 8: 'Polygon' has a ring that is no list of positions. {repair}",
        f"geojson, row 9: 'Polygon' has no rings. {repair}",
        f"geojson, row 10: 'Polygon' has a ring without an area. {repair}",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "map.json: is no JSON \\(line 1: "),
        ("{}".encode("utf-16"), "map.json: is not in UTF-8"),
        (b"[]", "map.json: is no FeatureCollection with features"),
        (b'{"type": "FeatureCollection", "features": []}', "is no FeatureCollection with"),
        (b'{"type": "FeatureCollection", "features": [1]}', "'None' is no geometry with an area"),
    ],
)
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "map.json"
    file.write_bytes(content)
    with pytest.raises(pf.InputError, match=message):
        read_boundaries(file, "district")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pf.InputError, match=r"none\.json: is not there"):
        read_boundaries(tmp_path / "none.json", "district")


def test_a_district_without_a_feature_is_named() -> None:
    with pytest.raises(ValueError, match="there is no feature of C, D") as raised:
        pf.plot.district_map(table(A=1.0, C=2.0, D=3.0), row_of("A", "B"), "balance")
    assert str(raised.value) == (
        "there is no feature of C, D. Known: A, B. Leave their rows out, add their boundaries, or "
        "say name= of the property that holds the district."
    )


def test_a_table_that_cannot_be_drawn_is_refused() -> None:
    there = row_of("A", "B")
    twice = pd.DataFrame({"district": ["A", "A"], "balance": [1.0, 2.0]})
    with pytest.raises(ValueError, match="several rows of A: choose one year, stage, ledger"):
        pf.plot.district_map(twice, there, "balance")
    with pytest.raises(ValueError, match=r"no column 'balanc'\. Did you mean 'balance'"):
        pf.plot.district_map(table(A=1.0), there, "balanc")
    words = pd.DataFrame({"district": ["A"], "level": ["crimson"]})
    with pytest.raises(ValueError, match=r"'level' is neither numbers nor warning levels \(red, "):
        pf.plot.district_map(words, there, "level")
    with pytest.raises(ValueError, match="the table has no rows"):
        pf.plot.district_map(table(A=1.0)[:0], there, "balance")
    with pytest.raises(ValueError, match="the column 'balance' has an infinite number"):
        pf.plot.district_map(table(A=np.inf), there, "balance")
