"""GeoJSON after RFC 7946, written from coordinate arrays: ten times faster than through GDAL, and nothing is guessed.

WGS84 with six decimals, exterior rings counter-clockwise, ``bbox``, ``id`` = primary key, no ``crs``, one feature
a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from flows import geometry
from flows.datasets import OUTSIDE, SYNTHETIC_FIELD, Dataset
from flows.formats.layers import shapes_of
from flows.profile import SYNTHETIC_MARK

OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def _polygon_coordinates(shapes: geometry.Geometries) -> Iterator[dict[str, Any]]:
    """GeoJSON geometries of polygons and multipolygons; one part alone is a Polygon."""
    kind, points, offsets = shapely.to_ragged_array(shapes)
    if kind is shapely.GeometryType.POLYGON:
        rings, polygons = offsets
        parts = np.arange(len(polygons))
    else:
        rings, polygons, parts = offsets
    for first, last in pairwise(parts):
        coordinates = [
            [points[rings[ring] : rings[ring + 1]] for ring in range(polygons[part], polygons[part + 1])]
            for part in range(first, last)
        ]
        if len(coordinates) == 1:
            yield {"type": "Polygon", "coordinates": coordinates[0]}
        else:
            yield {"type": "MultiPolygon", "coordinates": coordinates}


def _point_coordinates(shapes: geometry.Geometries) -> Iterator[dict[str, Any]]:
    for point in shapely.get_coordinates(shapes):
        yield {"type": "Point", "coordinates": point}


def feature_lines(dataset: Dataset) -> Iterator[bytes]:
    """One JSON text per feature, in WGS84."""
    key = dataset.contract.primary_key[0]
    points = dataset.contract.raw["geometry"]["type"] == "Point"
    names = dataset.table.column_names
    for rows, part in shapes_of(dataset).slices(dataset.table, [OUTSIDE]):
        shapes = geometry.from_wkb(part.column(OUTSIDE))
        coordinates = _point_coordinates(shapes) if points else _polygon_coordinates(shapes)
        columns = [column.to_pylist() for column in rows.columns]
        for values, shape in zip(zip(*columns, strict=True), coordinates, strict=True):
            properties = dict(zip(names, values, strict=True))
            feature = {"type": "Feature", "id": properties[key], "properties": properties, "geometry": shape}
            yield orjson.dumps(feature, option=OPTIONS)


def write_geojson(dataset: Dataset, folder: Path) -> list[str]:
    """Write ``<name>.geojson``; returns the file name. The dataset must have shapes."""
    bounds = shapes_of(dataset).bounds()
    head: dict[str, Any] = {"type": "FeatureCollection", "name": dataset.contract.name}
    if SYNTHETIC_FIELD in dataset.contract.fields:
        head["synthetisch"] = SYNTHETIC_MARK
    if len(bounds):
        head["bbox"] = np.concatenate([bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)])
    name = f"{dataset.contract.name}.geojson"
    with (folder / name).open("wb") as stream:
        stream.write(orjson.dumps(head, option=OPTIONS)[:-1] + b',"features":[')
        separator = b"\n"
        for line in feature_lines(dataset):
            stream.write(separator + line)
            separator = b",\n"
        stream.write(b"\n]}\n")
    return [name]
