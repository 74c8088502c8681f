"""Stage 1, acquire: snapshot every input, check that it is the file that was meant, see whether anything changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import Any

from flows.errors import Refused, SourceUnavailable
from flows.findings import Finding
from flows.fingerprint import code_fingerprint, fingerprint, parameters
from flows.provenance import released_fingerprint
from flows.run import Run, StageReport
from flows.sidecar import read_sidecar, sha256_of
from flows.store import latest_id


def acquire(run: Run) -> StageReport:
    """Copy the profile's inputs to ``run.inputs`` and write ``run.manifest``.

    Raises ``SourceUnavailable`` when a file or its sidecar is missing, and ``Refused`` when a file that nobody edits by
    hand differs from the checksum in its sidecar.
    """
    run.inputs.mkdir(parents=True, exist_ok=True)
    records: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    notes: list[str] = []
    for source in run.profile.sources:
        if not source.file.is_file():
            raise SourceUnavailable(
                f"{source.file}: die Eingabe „{source.dataset}“ fehlt. "
                f"Bitte die Datei bereitstellen oder das Profil „{run.profile.name}“ anpassen."
            )
        sidecar = read_sidecar(source.file)
        snapshot = run.snapshot(source)
        shutil.copyfile(source.file, snapshot)
        digest = sha256_of(snapshot)
        if digest != sidecar.sha256:
            if sidecar.edited_here:
                notes.append(
                    f"{source.file.name} ist von Hand geändert; `praevkarte check --record` hält den Stand fest."
                )
            else:
                remedy = (
                    "Bitte wiederherstellen oder den gewollten neuen Stand mit `praevkarte check --record` festhalten."
                )
                findings.append(
                    Finding(
                        "herkunft",
                        source.label,
                        "der Inhalt stimmt nicht mit der Prüfsumme der Quelle überein.",
                        remedy,
                    )
                )
        state = {"sha256": digest, "bytes": snapshot.stat().st_size}
        records[source.dataset] = {"datei": source.file.name, "blatt": source.sheet} | asdict(sidecar) | state
    if findings:
        raise Refused(findings)
    code = code_fingerprint()
    whole = fingerprint(records, run.profile, code)
    manifest = {"eingaben": records, "parameter": parameters(run.profile), "code_sha256": code, "fingerabdruck": whole}
    run.manifest.write_text(json.dumps(manifest, ensure_ascii=False, indent=2), encoding="utf-8")
    latest = latest_id(run.store)
    unchanged = latest if latest and released_fingerprint(run.store.releases / latest) == whole else None
    return StageReport(rows={}, notes=tuple(notes), unchanged=unchanged)
