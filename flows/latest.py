"""``latest.json``: what a program needs to know of the newest release without opening it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flows.checksums import MANIFEST
from flows.profile import SYNTHETIC_MARK


def latest_document(provenance: Mapping[str, Any], digests: Mapping[str, str], sizes: Mapping[str, int]) -> bytes:
    """The document of a release: id, day, schema, previous release, files with hash, age of each source.

    ``digests`` is the release's manifest, ``sizes`` are the bytes of its files.
    """
    base = provenance["parameter"]["basis_url"]
    place = f"releases/{provenance['ausgabe']}/"
    document = {
        "ausgabe": provenance["ausgabe"],
        "datum": provenance["datum"],
        "adresse": f"{base}/{place}" if base else place,
        "schema": provenance["schema"],
        "vorherige": provenance["vorherige"],
        "dateien": [{"name": name, "bytes": sizes[name], "sha256": digest} for name, digest in digests.items()],
        "manifest": MANIFEST,
        "quellen": [
            {"datensatz": source["datensatz"], "titel": source["titel"], "abgerufen": source["abgerufen"]}
            for source in provenance["quellen"]
        ],
    }
    if provenance["parameter"]["synthetisch"]:
        document["synthetisch"] = SYNTHETIC_MARK
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
