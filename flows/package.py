"""Stage 5, package: write every file of the release and the manifest over them."""

from __future__ import annotations

import shutil

from flows.checksums import files_of, write_manifest
from flows.contracts import release_contracts
from flows.database import database
from flows.datasets import Dataset, read_dataset
from flows.formats.csv_file import write_csv
from flows.formats.geojson import write_geojson
from flows.load import read_rows
from flows.metadata.datapackage import write_datapackage
from flows.metadata.readme import write_readme
from flows.page import write_page
from flows.provenance import write_provenance
from flows.run import Run, StageReport


def write_data(run: Run, dataset: Dataset) -> list[str]:
    """Write one dataset in all its formats; returns the file names a reader would want."""
    names = write_csv(dataset, run.package)
    if dataset.shapes is not None:
        names += write_geojson(dataset, run.package)
    return [name for name in names if not name.endswith(".csvt")]


def package(run: Run) -> StageReport:
    """Build the release folder ``run.package`` from the database; nothing in it depends on clock, host or place."""
    shutil.rmtree(run.package, ignore_errors=True)
    run.package.mkdir(parents=True)
    with database(run.database) as con:
        datasets = [read_dataset(con, contract, run.profile.synthetic) for contract in release_contracts()]
        files = {dataset.contract.name: write_data(run, dataset) for dataset in datasets}
        contracts = [dataset.contract for dataset in datasets]
        write_provenance(run, read_rows(con))
        write_datapackage(run, contracts)
        write_readme(con, run, datasets, files)
        write_page(con, run, contracts, {name: (run.package / name).stat().st_size for name in files_of(run.package)})
    write_manifest(run.package)
    return StageReport(rows={dataset.contract.name: dataset.table.num_rows for dataset in datasets})
