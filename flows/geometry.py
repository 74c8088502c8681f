"""Geometry between GeoParquet, shapely and DuckDB: WKB in Arrow, EPSG:25832 inside, WGS84 outside."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

INSIDE = "EPSG:25832"
OUTSIDE = "OGC:CRS84"
# Of degrees, in every export: 11 cm, what RFC 7946 (section 11.2) recommends.
DECIMALS = 6

Geometries = NDArray[Any]


@cache
def _transformer(source: str, target: str) -> Any:
    import pyproj

    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def transform(geometries: Geometries, source: str, target: str) -> Geometries:
    """Reproject vertex by vertex: equal vertices stay equal, so a valid coverage stays one."""
    if source == target:
        return geometries
    transformer = _transformer(source, target)
    moved: Geometries = shapely.transform(
        geometries, lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
    )
    return moved


def to_wgs84(geometries: Geometries) -> Geometries:
    """Geometries of EPSG:25832 in WGS84 (lon, lat), rounded to ``DECIMALS``."""
    moved = transform(geometries, INSIDE, OUTSIDE)
    rounded: Geometries = shapely.transform(moved, lambda points: np.round(points, DECIMALS))
    return rounded


def to_wkb(geometries: Geometries) -> pa.Array:
    """Geometries as an Arrow array of WKB."""
    return pa.array(shapely.to_wkb(geometries).tolist(), pa.binary())


def from_wkb(column: pa.Array | pa.ChunkedArray) -> Geometries:
    """An Arrow array of WKB as shapely geometries."""
    geometries: Geometries = shapely.from_wkb(np.array(column.to_pylist(), dtype=object))
    return geometries


def geometry_column(geometries: Geometries) -> tuple[pa.Field, pa.Array]:
    """An Arrow field and array that DuckDB reads as GEOMETRY."""
    return wkb_field(), to_wkb(geometries)


def wkb_field() -> pa.Field:
    """The Arrow field of a column ``geometry`` of WKB, as DuckDB and GDAL know one."""
    return pa.field(
        "geometry", pa.binary(), metadata={b"ARROW:extension:name": b"geoarrow.wkb", b"ARROW:extension:metadata": b"{}"}
    )


def with_geometry(table: pa.Table, geometries: Geometries) -> pa.Table:
    """``table`` with a ``geometry`` column at its end."""
    field, array = geometry_column(geometries)
    return table.append_column(field, array)


def from_table(table: pa.Table) -> Geometries:
    """The ``geometry`` column of a table that came from DuckDB or GeoParquet, as shapely geometries."""
    return from_wkb(table.column("geometry"))
