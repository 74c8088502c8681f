"""``datapackage.json``: the release as a Data Package v2 (https://datapackage.org) with the contracts inline."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from flows.contracts import Contract
from flows.metadata.codelists import RESOURCE
from flows.metadata.inventory import DataFile, data_files
from flows.metadata.licences import known_licence
from flows.metadata.subjects import subjects
from flows.profile import SYNTHETIC_MARK, Profile
from flows.provenance import read_manifest
from flows.run import Run

FILE = "datapackage.json"
# ``format`` where it is not the file's ending: Frictionless takes "parquet" for a table that it cannot read.
FORMAT_NAMES = {".parquet": "geoparquet"}


def attributions(run: Run) -> list[dict[str, str]]:
    """Title, attribution and address (``path``, where it has one) of every source, each attribution once, in the
    profile's order."""
    found: dict[str, dict[str, str]] = {}
    for record in read_manifest(run)["eingaben"].values():
        source = {"title": record["title"], "attribution": record["attribution"]}
        found.setdefault(record["attribution"], source | ({"path": record["url"]} if record["url"] else {}))
    return list(found.values())


def status_of(profile: Profile) -> str:
    """How far a release may be trusted to be the publisher's last word."""
    return "Entwurf" if profile.draft else "veröffentlicht"


def _schema(contract: Contract, tables: Collection[str]) -> dict[str, Any]:
    """The contract's Table Schema; a column that holds one code refers to the code list if that is among ``tables``."""
    schema = contract.table_schema()
    lists = {
        field.name: RESOURCE.format(field.raw["codeList"])
        for field in contract.fields
        if "codeList" in field.raw and not field.separator
    }
    references = [
        {"fields": [column], "reference": {"resource": resource, "fields": ["code"]}}
        for column, resource in lists.items()
        if resource in tables
    ]
    if references:
        schema["foreignKeys"] = [*schema.get("foreignKeys", []), *references]
    return schema


def _resource(file: DataFile, tables: Collection[str]) -> dict[str, Any]:
    ending = file.format.ending
    resource: dict[str, Any] = {
        "name": file.name,
        "path": file.path,
        "title": file.title,
        "description": file.format.title if file.companion else file.description,
        "format": FORMAT_NAMES.get(ending, ending.removeprefix(".")),
        "mediatype": file.format.media_type,
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if file.table and file.contract is not None:
        resource |= {
            "type": "table",
            "encoding": "utf-8",
            "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "header": True},
            "schema": _schema(file.contract, tables),
        }
    return resource


def package_descriptor(run: Run, contracts: Sequence[Contract]) -> dict[str, Any]:
    """The descriptor of what lies in ``run.package``: every CSV as a table, other formats as plain resources."""
    profile = run.profile
    files = data_files(run, contracts)
    tables = {file.name for file in files if file.table}
    days = {land: profile.territory_of(land).isoformat() for land in profile.lands}
    descriptor: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"praeventionskarte-{profile.name}",
        "title": profile.title,
        "description": profile.description,
        "version": run.release_id,
        "schemaVersion": read_manifest(run)["schema"],
        "created": f"{run.day.isoformat()}T00:00:00Z",
        "status": status_of(profile),
        "gebietsstand": max(days.values()),
        "keywords": sorted({keyword for subject in subjects().values() for keyword in subject.keywords}),
        "licenses": [
            {
                "name": known_licence(profile.licence).identifier,
                "title": profile.licence.title,
                "path": profile.licence.url,
            }
        ],
        "sources": attributions(run),
        "resources": [_resource(file, tables) for file in files],
    }
    if len(set(days.values())) > 1:
        descriptor["gebietsstandJeLand"] = days
    if profile.synthetic:
        descriptor["synthetisch"] = SYNTHETIC_MARK
    if profile.base_url:
        descriptor["homepage"] = f"{profile.base_url}/releases/{run.release_id}/"
    if profile.publisher.name:
        contributor = {"title": profile.publisher.name, "roles": ["publisher"]}
        optional = {"email": profile.publisher.email, "path": profile.publisher.url}
        descriptor["contributors"] = [contributor | {key: value for key, value in optional.items() if value}]
    return descriptor


def write_datapackage(run: Run, contracts: Sequence[Contract]) -> None:
    """Write ``datapackage.json`` into the package, over all data files that lie there by now."""
    text = json.dumps(package_descriptor(run, contracts), ensure_ascii=False, indent=2)
    (run.package / FILE).write_text(text + "\n", encoding="utf-8")
