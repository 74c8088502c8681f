"""FlatGeobuf: one layer a file in WGS84 with a spatial index, made to be read in parts over HTTP."""

from __future__ import annotations

from pathlib import Path

from flows.datasets import OUTSIDE, Dataset
from flows.formats.layers import layer_description, layer_stream, layer_title

# The format has no axis order: x is always the longitude, and readers know this code better than OGC:CRS84.
CRS = "EPSG:4326"


def write_flatgeobuf(dataset: Dataset, folder: Path) -> list[str]:
    """Write ``<name>.fgb``; returns the file name. The dataset must have shapes.

    Features lie in the order of the index (Hilbert curve), not of the key. FlatGeobuf has no date type, and a date as
    a moment at midnight would say more than is known: dates are ISO text, as in GeoJSON.
    """
    import pyogrio

    name = f"{dataset.contract.name}.fgb"
    pyogrio.write_arrow(
        layer_stream(dataset, OUTSIDE, dates_as_text=True),
        folder / name,
        layer=dataset.contract.name,
        driver="FlatGeobuf",
        geometry_name="geometry",
        geometry_type=dataset.contract.raw["geometry"]["type"],
        crs=CRS,
        layer_options={
            "SPATIAL_INDEX": "YES",
            "TITLE": layer_title(dataset),
            "DESCRIPTION": layer_description(dataset),
        },
    )
    return [name]
