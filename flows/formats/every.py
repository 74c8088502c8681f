"""Every published format of all datasets; tiles are made by a process of their own while the others are written."""

from __future__ import annotations

from collections.abc import Sequence

from flows.datasets import Dataset
from flows.formats.csv_file import write_csv
from flows.formats.flatgeobuf import write_flatgeobuf
from flows.formats.geojson import write_geojson
from flows.formats.geopackage import write_geopackage
from flows.formats.geoparquet import write_geoparquet
from flows.formats.imprint import imprint
from flows.formats.pmtiles import tiles
from flows.formats.qgis_project import write_qgis_project
from flows.formats.qgis_style import write_qml
from flows.formats.xlsx import write_xlsx
from flows.metadata.datapackage import attributions
from flows.run import Run

# They help to read the file of the same name; a reader does not ask for them.
COMPANIONS = (".csvt", ".qml")


def write_dataset(run: Run, dataset: Dataset) -> list[str]:
    """Write one dataset in the formats that hold one dataset; returns the file names a reader would want."""
    names = write_csv(dataset, run.package)
    if dataset.shapes is not None:
        for write in (write_geojson, write_qml, write_flatgeobuf, write_geoparquet):
            names += write(dataset, run.package)
    return [name for name in names if not name.endswith(COMPANIONS)]


def write_formats(run: Run, datasets: Sequence[Dataset]) -> dict[str, list[str]]:
    """Write all formats into the package; returns the file names of each dataset."""
    named = imprint(run.profile, run.release_id, run.day, attributions(run))
    with tiles(datasets, run.package, named):
        files = {dataset.contract.name: write_dataset(run, dataset) for dataset in datasets}
        write_geopackage(datasets, run.package, named)
        write_qgis_project(datasets, run.package, named)
        write_xlsx(run, datasets)
    return files
