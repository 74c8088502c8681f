"""Shapes as SVG path data: short, and the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely


def path_data(shapes: Iterable[shapely.Geometry]) -> str:
    """SVG path data of polygons and lines in picture coordinates, with one decimal and relative steps."""
    strokes: list[str] = []
    for part in shapely.get_parts(np.array(list(shapes), dtype=object)):
        rings = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
        strokes += [_stroke(ring) for ring in rings]
    return "".join(strokes)


def _stroke(line: shapely.Geometry) -> str:
    points = np.round(shapely.get_coordinates(line) * 10).astype(int)
    steps = np.diff(points, axis=0)
    moves = [f"{_tenth(x)} {_tenth(y)}" for x, y in steps[steps.any(axis=1)]]
    return f"M{_tenth(points[0][0])} {_tenth(points[0][1])}l{' '.join(moves)}" if moves else ""


def _tenth(value: int) -> str:
    return f"{value / 10:g}"
