"""Read polygons from GeoJSON as products deliver it: collections, bare arrays of features, and either within the other.

Nearly all of such a file is coordinates. They are cut out before the rest is parsed, then go feature by feature into
one array, so that never all of them are Python objects at once (which would take ten times the file's room).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely

from flows.geometry import Geometries

COORDINATES = re.compile(rb'"coordinates"\s*:\s*(\[[\[\]0-9eE+\-.,\s]*\])?')
AREAS = ("Polygon", "MultiPolygon")

Properties = dict[str, Any]


def read_areas(
    text: bytes, wanted: Callable[[Mapping[str, Any]], bool] = lambda _properties: True
) -> tuple[list[Properties], Geometries]:
    """Properties and shapes of the features that are ``wanted``, in the file's order; the coordinates as they stand
    there, heights left out.

    Raises ``ValueError`` for what is no GeoJSON, and for a wanted feature that is no polygon; ``RecursionError`` for
    collections that are nested too deep.
    """
    spans = [match.span(1) for match in COORDINATES.finditer(text)]
    if any(start < 0 for start, _ in spans):
        # A number there would be taken for that of a span, and the shape of another feature for this one's.
        raise ValueError("coordinates that are no array of numbers")
    features = [one for one in _features(orjson.loads(_without(text, spans))) if wanted(one[0])]
    kinds = [str(shape.get("type")) for _, shape in features]
    if others := sorted({kind for kind in kinds if kind not in AREAS}):
        raise ValueError(f"no polygons: {', '.join(others)}")
    view = memoryview(text)
    coordinates = (orjson.loads(view[slice(*spans[shape["coordinates"]])]) for _, shape in features)
    return [properties for properties, _ in features], _shapes(kinds, coordinates)


def _without(text: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """The text with the number of the span in the place of each."""
    pieces, end = [], 0
    for number, (start, stop) in enumerate(spans):
        pieces += [text[end:start], b"%d" % number]
        end = stop
    return b"".join([*pieces, text[end:]])


def _features(node: Any) -> Iterator[tuple[Properties, dict[str, Any]]]:
    """Properties and geometry of every feature in a parsed file."""
    if isinstance(node, list):
        for item in node:
            yield from _features(item)
    elif isinstance(node, dict) and node.get("type") == "FeatureCollection":
        yield from _features(node.get("features"))
    elif isinstance(node, dict) and node.get("type") == "Feature":
        yield node.get("properties") or {}, node.get("geometry") or {}
    else:
        raise ValueError("neither a feature nor a collection of features")


def _shapes(kinds: Sequence[str], coordinates: Iterator[Any]) -> Geometries:
    """Polygons and multipolygons from nested lists of coordinates, all rings in one array (n, 2)."""
    rings, in_ring, in_polygon, in_feature = [], [], [], []
    for kind, nested in zip(kinds, coordinates, strict=True):
        polygons = [nested] if kind == "Polygon" else nested
        in_feature.append(len(polygons))
        for polygon in polygons:
            in_polygon.append(len(polygon))
            for ring in polygon:
                points = np.array(ring, dtype=float)[:, :2]
                in_ring.append(len(points))
                rings.append(points)
    if not rings:
        return np.array([], dtype=object)
    offsets = (np.concatenate([[0], np.cumsum(in_ring)]), np.concatenate([[0], np.cumsum(in_polygon)]))
    parts = shapely.from_ragged_array(shapely.GeometryType.POLYGON, np.concatenate(rings), offsets)
    owners = np.repeat(np.arange(len(kinds)), in_feature)
    multiple = np.array([kind == "MultiPolygon" for kind in kinds])
    shapes: Geometries = np.empty(len(kinds), dtype=object)
    shapes[~multiple] = parts[~multiple[owners]]
    if multiple.any():
        # Numbered anew from 0, without those that are single.
        numbers = np.unique(owners[multiple[owners]], return_inverse=True)[1]
        shapes[multiple] = shapely.multipolygons(parts[multiple[owners]], indices=numbers)
    return shapes
