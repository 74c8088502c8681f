"""Stage 1, acquire: snapshot every input, check that it is the file that was meant, see whether anything changed."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import Any

from flows.errors import Refused, SourceUnavailable
from flows.findings import Finding
from flows.fingerprint import code_fingerprint, fingerprint, inputs_fingerprint, parameters
from flows.german import day as german_day
from flows.provenance import write_manifest
from flows.run import Run, StageReport, Stop
from flows.sidecar import read_sidecar, sha256_of
from flows.store import block_of, held_ids, held_provenance, provenance_of, read_index


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
        state = {"file": source.file.name, "sheet": source.sheet, "sha256": digest, "bytes": snapshot.stat().st_size}
        records[source.dataset] = asdict(sidecar) | state
    if findings:
        raise Refused(findings)
    code = code_fingerprint()
    manifest = {
        "eingaben": records,
        "parameter": parameters(run.profile),
        "code_sha256": code,
        "fingerabdruck": fingerprint(records, run.profile, code),
        "eingaben_fingerabdruck": inputs_fingerprint(records, run.profile),
    }
    write_manifest(run, manifest)
    return StageReport(rows={}, notes=tuple(notes), stop=standing(run, manifest))


def standing(run: Run, manifest: dict[str, Any]) -> Stop | None:
    """Why nothing need be built: the latest release is this, or its inputs wait for a person or were put aside."""
    latest = run.store.target.pointer()
    if latest and provenance_of(run.store, latest)["fingerabdruck"] == manifest["fingerabdruck"]:
        return Stop("unchanged", f"Nichts geändert: {latest} ist aktuell.", latest)
    same = ("eingaben_fingerabdruck", "code_sha256", "parameter")
    for held in held_ids(run.store):
        record = held_provenance(run.store, held)
        # Built otherwise, or compared with what is not the latest any more, it is to be built and compared anew.
        if all(record[key] == manifest[key] for key in same) and record["vorherige"] == latest:
            return Stop("held", f"{held} aus denselben Eingaben wartet schon auf Freigabe.", held)
    noted = None if run.anyway else block_of(read_index(run.store), manifest["eingaben_fingerabdruck"])
    if noted is None:
        return None
    text = (
        f"Diese Eingaben sind gesperrt, seit {german_day(noted['datum'])} (Ausgabe {noted['ausgabe']}, "
        f"Grund: {noted['grund']}). Mit `praevkarte release --anyway` werden sie trotzdem veröffentlicht."
    )
    return Stop("blocked", text, latest)
