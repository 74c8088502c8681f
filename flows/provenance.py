"""``provenance.json``: what a release was made from, per source, with parameters and code; enough to build it again."""

from __future__ import annotations

import json
from typing import Any

from flows.run import Run

FILE = "provenance.json"
# German names of the published record for what the acquire manifest (and the sidecar) call in English.
SOURCE_KEYS = {
    "datei": "file",
    "blatt": "sheet",
    "titel": "title",
    "herkunft": "origin",
    "url": "url",
    "abgerufen": "retrieved",
    "lizenz": "licence",
    "lizenz_url": "licence_url",
    "quellenangabe": "attribution",
    "sha256": "sha256",
    "bytes": "bytes",
    "von_hand_gepflegt": "edited_here",
}


def read_manifest(run: Run) -> dict[str, Any]:
    """The run's manifest.

    From acquire: ``eingaben`` (file, sidecar and state by dataset), ``parameter``, ``code_sha256``, ``fingerabdruck``
    and ``eingaben_fingerabdruck``; where records are set aside, ``zurueckgestellt`` (see
    ``office.set_aside``); from package: ``vorherige`` (id of the release compared with) and ``schema``.
    """
    manifest: dict[str, Any] = json.loads(run.manifest.read_text(encoding="utf-8"))
    return manifest


def write_manifest(run: Run, content: dict[str, Any]) -> None:
    """Replace the run's manifest."""
    run.manifest.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def write_provenance(run: Run, rows: dict[str, int]) -> None:
    """Write ``provenance.json`` into the package; ``rows`` are the input rows by dataset."""
    manifest = read_manifest(run)
    sources = [
        {"datensatz": dataset}
        | {german: record[key] for german, key in SOURCE_KEYS.items()}
        | {"zeilen": rows[dataset]}
        for dataset, record in manifest["eingaben"].items()
    ]
    content = {
        "ausgabe": run.release_id,
        "datum": run.day.isoformat(),
        "vorherige": manifest["vorherige"],
        "schema": manifest["schema"],
        "parameter": manifest["parameter"],
        "quellen": sources,
        "code_sha256": manifest["code_sha256"],
        "eingaben_fingerabdruck": manifest["eingaben_fingerabdruck"],
        "fingerabdruck": manifest["fingerabdruck"],
    }
    if run.run_id:
        content["lauf"] = run.run_id
    if aside := manifest.get("zurueckgestellt"):
        content["zurueckgestellt"] = aside
    text = json.dumps(content, ensure_ascii=False, indent=2)
    (run.package / FILE).write_text(text + "\n", encoding="utf-8")


def manifest_of(provenance: dict[str, Any]) -> dict[str, Any]:
    """The run's manifest that a published record was written from."""
    aside = provenance.get("zurueckgestellt")
    return ({"zurueckgestellt": aside} if aside else {}) | {
        "eingaben": {
            source["datensatz"]: {key: source[german] for german, key in SOURCE_KEYS.items()}
            for source in provenance["quellen"]
        },
        "parameter": provenance["parameter"],
        "code_sha256": provenance["code_sha256"],
        "eingaben_fingerabdruck": provenance["eingaben_fingerabdruck"],
        "fingerabdruck": provenance["fingerabdruck"],
    }
