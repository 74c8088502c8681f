"""The pipeline's own stages and writers on the race's task: the three layers with areas, nothing else of a release.

``python pipeline.py GEODATA PROFILE OUTPUT [--steps]`` prints what each step took as JSON. With ``--steps`` one
file is written after another, to be compared with programs that write one; without, as a release does it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from flows import geometry
from flows.acquire import settled
from flows.database import database
from flows.datasets import INSIDE, Dataset, RawPart, Shapes, make_part, read_datasets, store_dataset
from flows.formats.csv_file import write_csv
from flows.formats.every import AllDatasets, OneDataset, write_file
from flows.formats.flatgeobuf import write_flatgeobuf
from flows.formats.geojson import write_geojson
from flows.formats.geopackage import write_geopackage
from flows.formats.geoparquet import write_geoparquet
from flows.formats.imprint import imprint
from flows.formats.layers import shapes_of
from flows.formats.xlsx import write_xlsx
from flows.metadata.datapackage import attributions
from flows.partition import write_part
from flows.profile import Profile, load_profile
from flows.run import Run
from flows.site.map_data import FINEST_SHARE, extent_of
from flows.stages import INPUT_STAGES
from flows.store import Store
from flows.targets.local import LocalTarget

LAYERS = ("gemeinden", "kreise", "land")
WRITERS = {
    "geojson": write_geojson,
    "flatgeobuf": write_flatgeobuf,
    "geoparquet": write_geoparquet,
    "csv": write_csv,
}
# Any day does: it goes into the files, not into the work.
DAY = date(2026, 1, 1)


@dataclass
class Clock:
    """Seconds of each step: by the clock on the wall, and of processors (all threads together)."""

    seconds: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Count the body as a step."""
        started, worked = time.perf_counter(), time.process_time()
        yield
        self.seconds[title] = time.perf_counter() - started
        self.processor[title] = time.process_time() - worked


def joined(profile: Profile, work: Path, clock: Clock) -> Run:
    """Take the inputs, load them and join them in ``work``; the run's database then holds the release's tables."""
    run = Run(profile, DAY, Store(work, LocalTarget(work)), DAY.isoformat(), work, anyway=True)
    acquire, load, join = (stage.run for stage in INPUT_STAGES[:3])
    with clock.step("join: acquire"):
        acquire(run)
        run = settled(run)
    with clock.step("join: load"):
        load(run)
    with clock.step("join: join"):
        join(run)
    run.package.mkdir()
    return run


def layers_of(run: Run) -> list[Dataset]:
    """The race's three layers, with their shapes in both systems."""
    with database(run.database) as con:
        datasets = read_datasets(con, run.datasets, run.profile.synthetic, run.mapper)
    by_name = {dataset.contract.name: dataset for dataset in datasets}
    return [by_name[name] for name in LAYERS]


def simplified(run: Run, dataset: Dataset) -> Dataset:
    """The layer as simple as the site's map needs it, at its finest."""
    parts = shapes_of(dataset).slices(dataset.table, [INSIDE])
    exact = np.concatenate([geometry.from_wkb(part.column(INSIDE)) for _, part in parts])
    shapes = shapely.coverage_simplify(exact, extent_of(exact) * FINEST_SHARE)
    raw = RawPart(run.work / "simplified.raw", "MultiPolygon", run.work / "simplified")
    write_part(pa.table({"geometry": geometry.to_wkb(shapes)}), raw.source)
    return replace(dataset, shapes=Shapes((make_part(raw),)))


def race(geodata: Path, name: str, target: Path, steps: bool) -> Clock:
    """Do the race's task; returns what each step took."""
    clock = Clock()
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        with clock.step("join"):
            run = joined(load_profile(geodata, name), Path(scratch), clock)
        with clock.step("shapes"):
            layers = layers_of(run)
        with clock.step("simplify"):
            (target / "simplified").mkdir()
            write_geojson(simplified(run, layers[0]), target / "simplified")
        stored = tuple(store_dataset(layer, run.datasets) for layer in layers)
        named = imprint(run.profile, run.release_id, run.day, attributions(run))
        tasks: dict[str, list[AllDatasets | OneDataset]] = {
            "geopackage": [AllDatasets(write_geopackage, stored, target, named)],
            **{title: [OneDataset(write, one, target) for one in stored] for title, write in WRITERS.items()},
        }
        if steps:
            for title, found in tasks.items():
                with clock.step(title):
                    for task in found:
                        write_file(task)
        else:
            with clock.step("formats"):
                run.mapper(write_file, [task for found in tasks.values() for task in found])
        with clock.step("xlsx"):
            (run.package / write_xlsx(run, layers)[0]).rename(target / "tables.xlsx")
        next(target.glob("*.gpkg")).rename(target / "layers.gpkg")
    return clock


if __name__ == "__main__":
    geodata_folder, profile_name, output_folder, *switches = sys.argv[1:]
    took = race(Path(geodata_folder), profile_name, Path(output_folder), "--steps" in switches)
    print(json.dumps({"seconds": took.seconds, "processor": took.processor}))
