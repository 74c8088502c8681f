"""Every published format of all datasets: each file is a task; tiles are made by a process of their own meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from flows.datasets import Dataset, Stored, store_dataset
from flows.formats.csv_file import write_csv
from flows.formats.flatgeobuf import write_flatgeobuf
from flows.formats.geojson import write_geojson
from flows.formats.geopackage import write_geopackage
from flows.formats.geoparquet import write_geoparquet
from flows.formats.imprint import Imprint, imprint
from flows.formats.pmtiles import tiles
from flows.formats.qgis_project import write_qgis_project
from flows.formats.qgis_style import write_qml
from flows.formats.xlsx import write_xlsx
from flows.metadata.datapackage import attributions
from flows.run import Run

# They help to read the file of the same name; a reader does not ask for them.
COMPANIONS = (".csvt", ".qml")


@dataclass(frozen=True, slots=True)
class OneDataset:
    """A file to write that holds one dataset."""

    write: Callable[[Dataset, Path], list[str]]
    dataset: Stored
    folder: Path


@dataclass(frozen=True, slots=True)
class AllDatasets:
    """A file to write that holds all datasets and says what they are."""

    write: Callable[[Sequence[Dataset], Path, Imprint], list[str]]
    datasets: tuple[Stored, ...]
    folder: Path
    imprint: Imprint


def write_file(task: OneDataset | AllDatasets) -> list[str]:
    """Write a file as its task says; returns the names of what it wrote."""
    if isinstance(task, OneDataset):
        return task.write(task.dataset.open(), task.folder)
    return task.write([stored.open() for stored in task.datasets], task.folder, task.imprint)


def write_formats(run: Run, datasets: Sequence[Dataset]) -> dict[str, list[str]]:
    """Write all formats into the package; returns the file names of each dataset that a reader would want."""
    named = imprint(run.profile, run.release_id, run.day, attributions(run))
    stored = tuple(store_dataset(dataset, run.datasets) for dataset in datasets)
    spatial = [dataset for dataset in stored if dataset.shapes is not None]
    # The largest first, so that none is left to be waited for at the end.
    containers = [AllDatasets(write, stored, run.package, named) for write in (write_geopackage, write_qgis_project)]
    single = [OneDataset(write_csv, dataset, run.package) for dataset in stored]
    for write in (write_geojson, write_flatgeobuf, write_geoparquet, write_qml):
        single += [OneDataset(write, dataset, run.package) for dataset in spatial]
    with tiles(datasets, run.package, named) if run.profile.tiles else nullcontext():
        tasks: list[OneDataset | AllDatasets] = [*containers, *single]
        names = run.mapper(write_file, tasks)[len(containers) :]
        write_xlsx(run, datasets)
    files: dict[str, list[str]] = {dataset.contract.name: [] for dataset in datasets}
    for task, written in zip(single, names, strict=True):
        files[task.dataset.contract.name] += [name for name in written if not name.endswith(COMPANIONS)]
    return files
