"""Shapes as SVG path data: short, and the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely

from flows import geometry


def path_data(shapes: Iterable[shapely.Geometry]) -> str:
    """SVG path data of polygons and lines in picture coordinates, with one decimal and relative steps.

    A line or ring that is a single point in the picture is left out.
    """
    coordinates, line = shapely.get_coordinates(_lines(np.array(list(shapes), dtype=object)), return_index=True)
    points = np.round(coordinates * 10).astype(np.int64)
    first = np.diff(line, prepend=-1) != 0
    steps = np.diff(points, axis=0, prepend=0)
    moved = steps.any(axis=1) & ~first
    tenths = {value: f"{value / 10:g}" for value in np.unique(np.concatenate([steps[moved], points[first]])).tolist()}
    moves = [f"{tenths[x]} {tenths[y]}" for x, y in steps[moved].tolist()]
    starts = [f"M{tenths[x]} {tenths[y]}l" for x, y in points[first].tolist()]
    # Where in ``moves`` the steps of each line end.
    ends = np.cumsum(np.bincount(line[moved], minlength=len(starts))).tolist()
    strokes = zip(starts, [0, *ends], ends, strict=False)
    return "".join(f"{start}{' '.join(moves[begin:end])}" for start, begin, end in strokes if end > begin)


def _lines(shapes: geometry.Geometries) -> geometry.Geometries:
    """The rings of polygons and the other parts of shapes, in their order."""
    parts = shapely.get_parts(shapes)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, polygon = shapely.get_rings(parts[areal], return_index=True)
    order = np.argsort(np.concatenate([np.flatnonzero(areal)[polygon], np.flatnonzero(~areal)]), kind="stable")
    lines: geometry.Geometries = np.concatenate([rings, parts[~areal]])[order]
    return lines
