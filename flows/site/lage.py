"""Where a municipality lies: one picture per Land with its districts, and the municipality's own outline to put on it.

The picture is shared by all pages of the Land, so a page grows by its own shapes only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import shapely
from markupsafe import Markup

from flows import geometry
from flows.paths import ASSETS
from flows.site.assets import FOLDER
from flows.site.environment import environment
from flows.site.pages import Site
from flows.site.svg import path_data

WIDTH = 400
# Of the picture's width, free on every side: a ring around a municipality at the edge stays inside.
MARGIN = 1 / 20
# Details smaller than this (in units of the picture) are left out.
TOLERANCE = 0.6
# A municipality smaller than this across is marked with a ring of this radius.
RING = 14.0


@dataclass(frozen=True, slots=True)
class Location:
    """A municipality in the picture of its Land: path data of its district and itself, and the ring where it is small
    (x, y and radius), all in units of the picture.
    """

    picture: str
    width: int
    height: int
    district: str
    shape: str
    ring: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class _Frame:
    """How metres of EPSG:25832 lie in the picture of a Land."""

    west: float
    north: float
    scale: float
    height: int

    def place(self, shapes: geometry.Geometries) -> geometry.Geometries:
        placed: geometry.Geometries = shapely.transform(
            shapes,
            lambda points: np.column_stack(
                [(points[:, 0] - self.west) * self.scale, (self.north - points[:, 1]) * self.scale]
            ),
        )
        return placed


def write_locations(con: duckdb.DuckDBPyConnection, site: Site, keys: Sequence[str]) -> dict[str, Location]:
    """Write ``assets/lage-<land>.svg`` for every Land of ``keys`` (AGS) and say where each of them lies in it."""
    found: dict[str, Location] = {}
    for land in sorted({key[:2] for key in keys}):
        districts, outlines = _shapes(con, "ebene = 'kreis' AND left(schluessel, 2) = $1", land)
        frame = _frame(outlines)
        outlines = shapely.coverage_simplify(frame.place(outlines), TOLERANCE)
        paths = {key: path_data([shape]) for key, shape in zip(districts, outlines, strict=True)}
        picture = f"{FOLDER}/lage-{land}.svg"
        _write_picture(site, picture, frame, outlines)
        own = [key for key in keys if key.startswith(land)]
        places, shapes = _shapes(con, "ebene = 'gemeinde' AND schluessel IN (SELECT unnest($1))", own)
        placed = shapely.simplify(frame.place(shapes), TOLERANCE)
        found |= {
            key: Location(picture, WIDTH, frame.height, paths[key[:5]], path_data([shape]), _ring(shape))
            for key, shape in zip(places, placed, strict=True)
        }
    return found


def _shapes(con: duckdb.DuckDBPyConnection, condition: str, value: Any) -> tuple[list[str], geometry.Geometries]:
    """Keys and shapes (EPSG:25832) of the map, by key."""
    query = f"SELECT schluessel, geometry FROM joined.map_geometry WHERE {condition} ORDER BY schluessel"
    table = con.execute(query, [value]).to_arrow_table()
    return table.column("schluessel").to_pylist(), geometry.from_table(table)


def _frame(shapes: geometry.Geometries) -> _Frame:
    west, south, east, north = shapely.total_bounds(shapes)
    margin = (east - west) * MARGIN
    scale = WIDTH / (east - west + 2 * margin)
    return _Frame(west - margin, north + margin, scale, math.ceil((north - south + 2 * margin) * scale))


def _ring(shape: shapely.Geometry) -> tuple[float, float, float] | None:
    west, north, east, south = shape.bounds
    if max(east - west, south - north) >= 2 * RING:
        return None
    return round((west + east) / 2, 1), round((north + south) / 2, 1), RING


def _write_picture(site: Site, picture: str, frame: _Frame, districts: geometry.Geometries) -> None:
    """The Land with its districts; lines between them are drawn once."""
    land = shapely.coverage_union_all(districts)
    inner = shapely.difference(shapely.union_all(shapely.boundary(districts)), shapely.boundary(land))
    text = (
        environment()
        .get_template("site/lage.svg.j2")
        .render(
            width=WIDTH,
            height=frame.height,
            land=path_data([land]),
            lines=path_data([shapely.line_merge(inner)]),
            colours=Markup((ASSETS / "farben.css").read_text(encoding="utf-8")),
        )
    )
    (site.run.package / picture).write_text(text, encoding="utf-8")
