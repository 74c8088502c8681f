"""Lines between districts and around Länder, along the edges of a coverage of municipalities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from flows import geometry


def outlines(keys: Sequence[str], shapes: geometry.Geometries) -> dict[str, shapely.Geometry]:
    """Lines between districts (``kreis``) and around Länder (``land``), along the edges of the given coverage.

    In a valid coverage neighbours share their edges point by point, so an edge is a border where the keys on its two
    sides differ, or where it has one side only: no shapes need be united, which would cost more than all else here.
    """
    starts, ends, owner = _edges(shapes)
    districts, lands = (np.unique([key[:digits] for key in keys], return_inverse=True)[1][owner] for digits in (5, 2))
    one, other, alone = _sides(np.concatenate([starts, ends]))
    outer = np.concatenate([one[lands[one] != lands[other]], alone])
    inner = one[(districts[one] != districts[other]) & (lands[one] == lands[other])]
    return {
        level: shapely.line_merge(
            shapely.multilinestrings(shapely.linestrings(np.stack([starts[found], ends[found]], axis=1)))
        )
        for level, found in (("kreis", np.sort(inner)), ("land", np.sort(outer)))
    }


def _edges(shapes: geometry.Geometries) -> tuple[Any, Any, Any]:
    """Start and end (n × 2 each) of every edge of every shape, and the shape's number."""
    polygons, owner = shapely.get_parts(shapes, return_index=True)
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[1:] == ring[:-1]
    return points[:-1][within], points[1:][within], owner[polygon][ring[:-1][within]]


def _sides(ends: Any) -> tuple[Any, Any, Any]:
    """Edges that two shapes share, as numbers of the one and the other, and those that only one shape has.

    ``ends`` (2n × 2) are the starts of all n edges, then their ends.
    """
    _, point = np.unique(np.ascontiguousarray(ends).view(np.complex128).ravel(), return_inverse=True)
    first, second = np.split(point.astype(np.int64), 2)
    edge = np.minimum(first, second) * len(ends) + np.maximum(first, second)
    order = np.argsort(edge, kind="stable")
    ordered = edge[order]
    twin = np.append(ordered[1:] == ordered[:-1], False)
    single = ~twin & ~np.insert(twin[:-1], 0, False)
    pairs = np.flatnonzero(twin)
    return order[pairs], order[pairs + 1], order[single]
