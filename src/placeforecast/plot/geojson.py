"""The boundaries of districts: reading GeoJSON, and where a label can stand in a district."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.path import Path as Outline

from placeforecast.tables.doors import Array
from placeforecast.tables.problems import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Polygon = list[Array]
"""Rings as arrays [point, longitude and latitude]: the outer one and then the holes."""

LINES = 49
"""Horizontal lines on which a place for a label is looked for."""
WORLD = (180.0, 90.0)
CORNERS = 4
"""A ring has at least so many points, the last of which is the first again."""


def read_boundaries(geojson: str | Path | Mapping[str, Any], name: str) -> dict[str, list[Polygon]]:
    """Read the polygons of each district, and say everything that is wrong with them at once.

    Parameters
    ----------
    geojson : str, Path or mapping
        A file or a FeatureCollection of polygons and multipolygons in degrees.
    name : str
        The property that holds the district.

    Returns
    -------
    dict of str to list of polygons
        Outer rings run counterclockwise and holes clockwise, whatever the file has.

    Raises
    ------
    InputError
        With every problem; `row` counts the features from 1.

    Examples
    --------
    >>> from placeforecast.plot.geojson import read_boundaries
    >>> square = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]
    >>> feature = {"type": "Feature", "properties": {"district": "A"},
    ...     "geometry": {"type": "Polygon", "coordinates": square}}
    >>> found = read_boundaries({"type": "FeatureCollection", "features": [feature]}, "district")
    >>> found["A"][0][0].shape
    (5, 2)
    """
    content, file = _content(geojson)
    problems: list[Problem] = []
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not features:
        remedy = 'Give {"type": "FeatureCollection", "features": [...]}.'
        refuse([Problem("is no FeatureCollection with features", remedy, file)])
        raise AssertionError
    found: dict[str, list[Polygon]] = {}
    for number, feature in enumerate(features, start=1):
        where: dict[str, Any] = {"file": file, "row": number}
        parts = feature if isinstance(feature, dict) else {}
        district = _named(parts.get("properties"), name, where, problems)
        polygons = _polygons(parts.get("geometry"), where, problems)
        if district in found:
            rule, remedy = "has two features", "Join them to one MultiPolygon."
            problems.append(Problem(rule, remedy, column=name, value=district, **where))
        elif district and polygons:
            found[district] = polygons
    refuse(problems)
    return found


def _content(geojson: str | Path | Mapping[str, Any]) -> tuple[Any, str]:
    if not isinstance(geojson, str | Path):
        return dict(geojson), "geojson"
    file = Path(geojson)
    remedy = "Give a GeoJSON file in UTF-8."
    try:
        return json.loads(file.read_text(encoding="utf-8-sig")), file.name
    except FileNotFoundError:
        refuse([Problem("is not there", "Correct the path of the boundaries.", file.name)])
    except UnicodeDecodeError:
        refuse([Problem("is not in UTF-8", remedy, file.name)])
    except json.JSONDecodeError as error:
        refuse([Problem(f"is no JSON (line {error.lineno}: {error.msg})", remedy, file.name)])
    raise AssertionError


def _named(properties: object, name: str, where: Mapping[str, Any], problems: list[Problem]) -> str:
    """Return the district of a feature; blank where it has none."""
    there = properties if isinstance(properties, dict) else {}
    value = there.get(name)
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
        return str(value).strip()
    known = ", ".join(str(key) for key in there) or "none"
    remedy = f"Say name= of the property that holds the district. Its properties: {known}."
    problems.append(Problem("has no district", remedy, column=name, **where))
    return ""


def _polygons(geometry: object, where: Mapping[str, Any], problems: list[Problem]) -> list[Polygon]:
    """Return the polygons of a feature; none where something is wrong with one."""
    parts = geometry if isinstance(geometry, dict) else {}
    kind, coordinates = parts.get("type"), parts.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        remedy = "Give a Polygon or a MultiPolygon."
        problems.append(Problem("is no geometry with an area", remedy, value=str(kind), **where))
        return []
    listed = coordinates if isinstance(coordinates, list) else []
    given = [listed] if kind == "Polygon" else listed
    if not all(isinstance(rings, list) and rings for rings in given):
        given = []
    rules = [] if given else ["has no rings"]
    polygons = []
    for rings in given:
        read = [_ring(ring) for ring in rings]
        rules += [found for found in read if isinstance(found, str)]
        arrays = [found for found in read if not isinstance(found, str)]
        polygons.append([_turned(ring, outer=not i) for i, ring in enumerate(arrays)])
    for rule in dict.fromkeys(rules):
        remedy = "Repair the geometry, or export it again."
        problems.append(Problem(rule, remedy, value=str(kind), **where))
    return [] if rules else polygons


def _ring(ring: Any) -> Array | str:  # noqa: ANN401 - whatever the file has
    """Return a ring as an array, or what is wrong with it."""
    try:
        points: Array = np.array([list(point)[:2] for point in ring], dtype=np.float64)
    except (TypeError, ValueError):
        return "has a ring that is no list of positions"
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        return "has a ring that is no list of positions"
    if len(points) < CORNERS:
        return f"has a ring of fewer than {CORNERS} positions"
    if (np.abs(points) > WORLD).any():
        return "has positions that are not in degrees (longitude, latitude)"
    if (points[0] != points[-1]).any():
        return "has a ring that does not end where it begins"
    return points if abs(_area(points)) > 0 else "has a ring without an area"


def _area(ring: Array) -> float:
    """Return the area of a ring, above 0 if it runs counterclockwise."""
    x, y = (ring - ring[0]).T  # near the origin, so that small rings keep their digits
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def _turned(ring: Array, *, outer: bool) -> Array:
    return ring if (_area(ring) > 0) == outer else ring[::-1]


def outline(polygons: Sequence[Polygon]) -> Outline:
    """Return one path of all polygons; holes run the other way and so stay open."""
    rings = [ring for polygon in polygons for ring in polygon]
    return Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings))


def inside(point: tuple[float, float], polygon: Polygon) -> bool:
    """Return whether a point lies in a polygon and in none of its holes.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.plot.geojson import inside
    >>> ring = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], dtype=float)
    >>> hole = ring[::-1] / 4 + 1.5
    >>> inside((1, 1), [ring, hole]), inside((2, 2), [ring, hole]), inside((5, 1), [ring, hole])
    (True, False, False)
    """
    crossings = _crossings(point[1], polygon)
    return int((crossings < point[0]).sum()) % 2 == 1


def _crossings(y: float, polygon: Polygon) -> Array:
    """Return where a horizontal line crosses the rings, from the left."""
    found = []
    for ring in polygon:
        low, high = ring[:-1], ring[1:]
        crossed = (low[:, 1] <= y) != (high[:, 1] <= y)
        (x0, y0), (x1, y1) = low[crossed].T, high[crossed].T
        found.append(x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    crossings: Array = np.sort(np.concatenate(found))
    return crossings


def label_point(polygons: Sequence[Polygon]) -> tuple[float, float]:
    """Return a point inside of the largest polygon, far from its edges and never in a hole.

    Looked for in the middle of each stretch that a horizontal line has inside; degrees of longitude
    count less towards the poles.

    Parameters
    ----------
    polygons : sequence of polygons
        Of one district, as `read_boundaries` returns them.

    Examples
    --------
    >>> import numpy as np
    >>> from placeforecast.plot.geojson import label_point
    >>> ring = np.array([[0, 0], [6, 0], [6, 4], [0, 4], [0, 0]], dtype=float)
    >>> [round(float(x)) for x in label_point([[ring]])]
    [3, 2]
    """
    largest = max(polygons, key=lambda polygon: sum(_area(ring) for ring in polygon))
    outer = largest[0]
    low, high = float(outer[:, 1].min()), float(outer[:, 1].max())
    shrink = np.array([np.cos(np.radians((low + high) / 2)), 1.0])
    # A thin polygon may lie between two lines, so each stretch between two corners has one too.
    corners = np.unique(outer[:, 1])
    between = (corners[:-1] + corners[1:]) / 2
    lines = np.linspace(low, high, LINES + 1)[:-1] + (high - low) / (2 * LINES)
    tried = [*lines, *between[:: max(1, len(between) // LINES)]]
    tried.sort(key=lambda y: abs(y - (low + high) / 2))  # of equal places the middle one
    best, widest = (float(outer[0, 0]), float(outer[0, 1])), -1.0
    for y in tried:
        crossings = _crossings(float(y), largest)
        for left, right in pairwise(crossings):
            point = (float(left + right) / 2, float(y))
            if right - left <= widest or not inside(point, largest):
                continue  # a stretch narrower than the best distance cannot be better
            room = _distance(np.array(point), largest, shrink)
            if room > widest:
                best, widest = point, room
    return best


def _distance(point: Array, polygon: Polygon, shrink: Array) -> float:
    """Return how far a point is from the nearest edge."""
    nearest = np.inf
    for ring in polygon:
        start, end = (ring[:-1] - point) * shrink, (ring[1:] - point) * shrink
        along = end - start
        length = (along**2).sum(axis=1)
        share = np.divide(
            -(start * along).sum(axis=1), length, out=np.zeros_like(length), where=length > 0
        )
        foot = start + np.clip(share, 0, 1)[:, np.newaxis] * along
        nearest = min(nearest, float(np.hypot(*foot.T).min()))
    return nearest
