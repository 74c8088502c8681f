"""GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0/): WGS84, bounding box per row, zstd, a row group per Land.

Written with pyarrow part by part; geopandas, which the tests read the files with, writes whole frames only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from flows import geometry
from flows.datasets import BOUNDS, OUTSIDE, Dataset
from flows.formats.layers import shapes_of

COVERING = "bbox"


@cache
def _crs() -> dict[str, Any]:
    """OGC:CRS84 in PROJJSON: what readers assume that do not look at the CRS, and what the specification recommends."""
    import pyproj

    described: dict[str, Any] = pyproj.CRS(geometry.OUTSIDE).to_json_dict()
    return described


def _schema(dataset: Dataset) -> pa.Schema:
    """The contract's columns, the geometry and its bounding box, with the file's metadata."""
    bounds = shapes_of(dataset).bounds()
    column: dict[str, Any] = {
        "encoding": "WKB",
        "crs": _crs(),
        "geometry_types": [dataset.contract.raw["geometry"]["type"]] if len(bounds) else [],
        "covering": {COVERING: {bound: [COVERING, bound] for bound in BOUNDS}},
    }
    if dataset.contract.raw["geometry"]["type"] != "Point":
        column["orientation"] = "counterclockwise"
    if len(bounds):
        column["bbox"] = [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()]
    metadata = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    extension = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": json.dumps({"crs": _crs()})}
    fields = [
        *dataset.table.schema.remove_metadata(),
        pa.field("geometry", pa.binary(), metadata=extension),
        pa.field(COVERING, pa.struct([(bound, pa.float64()) for bound in BOUNDS])),
    ]
    return pa.schema(fields, metadata={"geo": json.dumps(metadata)})


def _parts(dataset: Dataset, schema: pa.Schema) -> Iterator[pa.Table]:
    for rows, part in shapes_of(dataset).slices(dataset.table, [OUTSIDE, *BOUNDS]):
        boxes = pa.StructArray.from_arrays([part.column(bound).combine_chunks() for bound in BOUNDS], list(BOUNDS))
        yield pa.table([*rows.columns, part.column(OUTSIDE), boxes], schema=schema)


def write_geoparquet(dataset: Dataset, folder: Path) -> list[str]:
    """Write ``<name>.parquet``; returns the file name. The dataset must have shapes."""
    name = f"{dataset.contract.name}.parquet"
    schema = _schema(dataset)
    with pyarrow.parquet.ParquetWriter(folder / name, schema, compression="zstd") as writer:
        for part in _parts(dataset, schema):
            writer.write_table(part)
    return [name]
