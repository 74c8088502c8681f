"""GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0/): WGS84, bounding box per row, zstd."""

from __future__ import annotations

from pathlib import Path

from flows import geometry
from flows.datasets import Dataset
from flows.formats.layers import layer_shapes


def write_geoparquet(dataset: Dataset, folder: Path) -> list[str]:
    """Write ``<name>.parquet``; returns the file name. The dataset must have shapes.

    OGC:CRS84 is what readers assume that do not look at the CRS, and what the specification recommends.
    """
    import geopandas
    import pandas

    name = f"{dataset.contract.name}.parquet"
    # Arrow types all the way: numpy has neither dates nor integers with gaps.
    columns = dataset.table.to_pandas(types_mapper=pandas.ArrowDtype)
    shapes = geometry.to_wgs84(layer_shapes(dataset))
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=geometry.OUTSIDE)
    frame.to_parquet(folder / name, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True)
    return [name]
