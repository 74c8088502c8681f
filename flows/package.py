"""Stage 5, package: write every file of the release, compare it with the last one, and let it check itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence

import duckdb

from flows.checksums import files_of, write_manifest
from flows.compare import Comparison, compare, descriptor_of
from flows.contracts import Contract
from flows.database import database
from flows.datasets import Dataset, read_datasets
from flows.errors import Refused
from flows.formats.every import write_formats
from flows.gates import tripped
from flows.load import read_rows
from flows.metadata.catalog import write_catalog
from flows.metadata.changes import write_changes
from flows.metadata.citation import write_citation
from flows.metadata.codebook import write_codebook
from flows.metadata.codelists import write_code_lists
from flows.metadata.datapackage import write_datapackage
from flows.metadata.inventory import data_files
from flows.metadata.jsonld import write_jsonld
from flows.metadata.notice import write_licence, write_notice
from flows.metadata.quality import write_quality
from flows.metadata.readme import write_readme
from flows.provenance import read_manifest, write_provenance
from flows.provenance import write_manifest as write_run_manifest
from flows.run import Run, StageReport
from flows.schema_change import FIRST_VERSION, next_version, schema_changes, schemas_of
from flows.selfcheck import self_check
from flows.site.assets import copy_assets
from flows.site.write import write_site
from flows.store import faults, folder_of


def fetch_previous(run: Run, release_id: str | None, contracts: Sequence[Contract]) -> None:
    """Make a release available as ``run.previous`` and note its id and the schema version that follows.

    Raises ``Refused`` when it does not verify: compared with damaged files, a release would seem to change them.
    """
    manifest = read_manifest(run) | {"vorherige": release_id, "schema": FIRST_VERSION}
    if release_id:
        if found := faults(run.store, release_id):
            raise Refused(found)
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
    labels = {contract.name: contract.label for contract in contracts}
    comparison = compare(run.previous, run.package, labels) if run.previous.is_dir() else None
    titles = {contract.name: contract.title for contract in contracts}
    version = read_manifest(run)["schema"]
    write_changes(comparison, run.package, run.release_id, titles, version, run.profile.synthetic)
    findings = tripped(comparison, run.profile.gates) if comparison else []
    run.tripped.write_text(json.dumps([finding.as_dict() for finding in findings]), encoding="utf-8")
    return comparison


def package(run: Run) -> StageReport:
    """Build the release folder ``run.package`` from the database; nothing in it depends on clock, host or place."""
    return build(run, run.store.target.pointer())


def describe(
    con: duckdb.DuckDBPyConnection, run: Run, datasets: Sequence[Dataset], files: Mapping[str, Sequence[str]]
) -> None:
    """Write every file that describes the data in the package, the page last: it links what lies there."""
    contracts = [dataset.contract for dataset in datasets]
    copy_assets(run)
    write_provenance(run, read_rows(con))
    described = data_files(run, contracts)
    write_catalog(con, run, contracts, described, run.profile.publisher.contributor_id)
    write_jsonld(con, run, datasets, described)
    write_citation(run)
    write_licence(run)
    write_notice(con, run, contracts)
    write_quality(con, run, datasets)
    write_readme(con, run, datasets, files)
    write_site(con, run, contracts, {name: (run.package / name).stat().st_size for name in files_of(run.package)})


def build(run: Run, previous: str | None) -> StageReport:
    """Build the release folder, compared with the release ``previous`` (None: with none).

    Raises ``Refused`` when the finished release does not keep what its own metadata promise.
    """
    shutil.rmtree(run.package, ignore_errors=True)
    run.package.mkdir(parents=True)
    with database(run.database) as con:
        datasets = read_datasets(con, run.datasets, run.profile.synthetic, run.mapper)
        contracts = [dataset.contract for dataset in datasets]
        fetch_previous(run, previous, contracts)
        files = write_formats(run, datasets)
        write_code_lists(run, contracts)
        write_codebook(run, contracts)
        write_datapackage(run, contracts)
        compare_with_previous(run, contracts)
        describe(con, run, datasets, files)
    write_manifest(run.package)
    if findings := self_check(run):
        raise Refused(findings)
    return StageReport(rows={dataset.contract.name: dataset.table.num_rows for dataset in datasets})
