"""``latest.json``: what a program needs to know of the newest release without opening it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flows.checksums import MANIFEST, read_manifest


def latest_document(folder: Path) -> bytes:
    """The document of a release folder: id, day, schema, previous release, files with hash, age of each source."""
    provenance: dict[str, Any] = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    base = provenance["parameter"]["basis_url"]
    place = f"releases/{provenance['ausgabe']}/"
    document = {
        "ausgabe": provenance["ausgabe"],
        "datum": provenance["datum"],
        "adresse": f"{base}/{place}" if base else place,
        "schema": provenance["schema"],
        "vorherige": provenance["vorherige"],
        "dateien": [
            {"name": name, "bytes": (folder / name).stat().st_size, "sha256": digest}
            for name, digest in read_manifest(folder).items()
        ],
        "manifest": MANIFEST,
        "quellen": [
            {"datensatz": source["datensatz"], "titel": source["titel"], "abgerufen": source["abgerufen"]}
            for source in provenance["quellen"]
        ],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
