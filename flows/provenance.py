"""``provenance.json``: what a release was made from, per source, with parameters and code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flows.run import Run

FILE = "provenance.json"


def read_manifest(run: Run) -> dict[str, Any]:
    """The record that acquire wrote: ``eingaben`` by dataset, ``parameter``, ``code_sha256``, ``fingerabdruck``."""
    manifest: dict[str, Any] = json.loads(run.manifest.read_text(encoding="utf-8"))
    return manifest


def write_provenance(run: Run, rows: dict[str, int]) -> None:
    """Write ``provenance.json`` into the package; ``rows`` are the input rows by dataset."""
    manifest = read_manifest(run)
    sources = [
        {
            "datensatz": dataset,
            "datei": record["datei"],
            "titel": record["title"],
            "herkunft": record["origin"],
            "url": record["url"],
            "abgerufen": record["retrieved"],
            "lizenz": record["licence"],
            "lizenz_url": record["licence_url"],
            "quellenangabe": record["attribution"],
            "sha256": record["sha256"],
            "bytes": record["bytes"],
            "zeilen": rows[dataset],
        }
        for dataset, record in manifest["eingaben"].items()
    ]
    content = {
        "ausgabe": run.release_id,
        "datum": run.day.isoformat(),
        "parameter": manifest["parameter"],
        "quellen": sources,
        "code_sha256": manifest["code_sha256"],
        "fingerabdruck": manifest["fingerabdruck"],
    }
    text = json.dumps(content, ensure_ascii=False, indent=2)
    (run.package / FILE).write_text(text + "\n", encoding="utf-8")


def released_fingerprint(folder: Path) -> str | None:
    """The fingerprint of a published release, or None when its record is missing or unreadable."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["fingerabdruck"])
    except (json.JSONDecodeError, KeyError):
        return None
