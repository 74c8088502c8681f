"""Stage 5, package: write every file of the release, compare it with the last one, and let it check itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence

from flows.checksums import files_of, write_manifest
from flows.compare import Comparison, compare, descriptor_of
from flows.contracts import Contract, release_contracts
from flows.database import database
from flows.datasets import Dataset, read_dataset
from flows.formats.csv_file import write_csv
from flows.formats.geojson import write_geojson
from flows.gates import tripped
from flows.load import read_rows
from flows.metadata.changes import write_changes
from flows.metadata.datapackage import write_datapackage
from flows.metadata.readme import write_readme
from flows.page import write_page
from flows.provenance import read_manifest, write_provenance
from flows.provenance import write_manifest as write_run_manifest
from flows.run import Run, StageReport
from flows.schema_change import FIRST_VERSION, next_version, schema_changes, schemas_of
from flows.store import folder_of


def write_data(run: Run, dataset: Dataset) -> list[str]:
    """Write one dataset in all its formats; returns the file names a reader would want."""
    names = write_csv(dataset, run.package)
    if dataset.shapes is not None:
        names += write_geojson(dataset, run.package)
    return [name for name in names if not name.endswith(".csvt")]


def fetch_previous(run: Run, release_id: str | None, contracts: Sequence[Contract]) -> None:
    """Make a release available as ``run.previous`` and note its id and the schema version that follows."""
    manifest = read_manifest(run) | {"vorherige": release_id, "schema": FIRST_VERSION}
    if release_id:
        run.previous.unlink(missing_ok=True)
        run.previous.symlink_to(folder_of(run.store, release_id).resolve(), target_is_directory=True)
        manifest["schema"] = schema_version(run, contracts)
    write_run_manifest(run, manifest)


def schema_version(run: Run, contracts: Sequence[Contract]) -> str:
    """The schema version of the columns in ``contracts``, following from those of ``run.previous``."""
    before = descriptor_of(run.previous)
    after = {contract.name: contract.table_schema() for contract in contracts}
    return next_version(before["schemaVersion"], schema_changes(schemas_of(before), after))


def compare_with_previous(run: Run, contracts: Sequence[Contract]) -> Comparison | None:
    """Write what changed into the package and what trips a gate into ``run.tripped``."""
    comparison = compare(run.previous, run.package) if run.previous.is_dir() else None
    titles = {contract.name: contract.title for contract in contracts}
    write_changes(comparison, run.package, run.release_id, titles, read_manifest(run)["schema"])
    findings = tripped(comparison, run.profile.gates) if comparison else []
    run.tripped.write_text(json.dumps([finding.as_dict() for finding in findings]), encoding="utf-8")
    return comparison


def package(run: Run) -> StageReport:
    """Build the release folder ``run.package`` from the database; nothing in it depends on clock, host or place."""
    return build(run, run.store.target.pointer())


def build(run: Run, previous: str | None) -> StageReport:
    """Build the release folder, compared with the release ``previous`` (None: with none)."""
    shutil.rmtree(run.package, ignore_errors=True)
    run.package.mkdir(parents=True)
    with database(run.database) as con:
        datasets = [read_dataset(con, contract, run.profile.synthetic) for contract in release_contracts()]
        contracts = [dataset.contract for dataset in datasets]
        fetch_previous(run, previous, contracts)
        files = {dataset.contract.name: write_data(run, dataset) for dataset in datasets}
        write_provenance(run, read_rows(con))
        write_datapackage(run, contracts)
        compare_with_previous(run, contracts)
        write_readme(con, run, datasets, files)
        write_page(con, run, contracts, {name: (run.package / name).stat().st_size for name in files_of(run.package)})
    write_manifest(run.package)
    return StageReport(rows={dataset.contract.name: dataset.table.num_rows for dataset in datasets})
