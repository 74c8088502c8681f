"""``datapackage.json``: the release as a Data Package v2 (https://datapackage.org) with the contracts inline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.contracts import Contract
from flows.formats.catalogue import FORMATS
from flows.profile import SYNTHETIC_MARK, Profile
from flows.provenance import read_manifest
from flows.run import Run
from flows.sidecar import sha256_of

FILE = "datapackage.json"


def attributions(run: Run) -> list[dict[str, str]]:
    """Title, address and attribution of every source, each attribution once, in the profile's order."""
    found: dict[str, dict[str, str]] = {}
    for record in read_manifest(run)["eingaben"].values():
        found.setdefault(
            record["attribution"],
            {"title": record["title"], "path": record["url"], "attribution": record["attribution"]},
        )
    return list(found.values())


def status_of(profile: Profile) -> str:
    """How far a release may be trusted to be the publisher's last word."""
    return "Entwurf" if profile.draft else "veröffentlicht"


def _resource(contract: Contract, file: Path) -> dict[str, Any]:
    ending = file.suffix.removeprefix(".")
    resource: dict[str, Any] = {
        "name": contract.name if file.suffix == ".csv" else f"{contract.name}_{ending}",
        "path": file.name,
        "title": contract.title,
        "description": contract.description,
        "format": ending,
        "mediatype": FORMATS[file.suffix].media_type,
        "bytes": file.stat().st_size,
        "hash": f"sha256:{sha256_of(file)}",
    }
    if file.suffix == ".csv":
        resource |= {
            "type": "table",
            "encoding": "utf-8",
            "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "header": True},
            "schema": contract.table_schema(),
        }
    return resource


def package_descriptor(run: Run, contracts: Sequence[Contract]) -> dict[str, Any]:
    """The descriptor of what lies in ``run.package``: every CSV as a table, other formats as plain resources."""
    profile = run.profile
    files = [
        (contract, run.package / f"{contract.name}{ending}")
        for contract in contracts
        for ending in FORMATS
        if (run.package / f"{contract.name}{ending}").is_file()
    ]
    descriptor: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"praeventionskarte-{profile.name}",
        "title": profile.title,
        "description": profile.description,
        "version": run.release_id,
        "schemaVersion": read_manifest(run)["schema"],
        "created": f"{run.day.isoformat()}T00:00:00Z",
        "status": status_of(profile),
        "gebietsstand": profile.territory_date.isoformat(),
        "licenses": [{"name": profile.licence.name, "title": profile.licence.title, "path": profile.licence.url}],
        "sources": attributions(run),
        "resources": [_resource(contract, file) for contract, file in files],
    }
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
    """Write ``datapackage.json`` into the package."""
    text = json.dumps(package_descriptor(run, contracts), ensure_ascii=False, indent=2)
    (run.package / FILE).write_text(text + "\n", encoding="utf-8")
