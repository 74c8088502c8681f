"""Stage 6, publish: keep the inputs, and publish the finished release, or hold it when a gate trips."""

from __future__ import annotations

import json
from dataclasses import replace

from flows.archive import keep_input
from flows.findings import Finding
from flows.german import number
from flows.metadata.changes import TEXT
from flows.operations import hold
from flows.profile import SYNTHETIC_MARK
from flows.provenance import read_manifest
from flows.run import Run, StageReport
from flows.store import publish_folder


def hold_report(run: Run, findings: list[Finding]) -> str:
    """What tripped, for the person who approves or rejects (Markdown, German)."""
    lines = "\n".join(f"- {replace(finding, remedy='')}" for finding in findings)
    changes = (run.package / TEXT).read_text(encoding="utf-8")
    word = "einer Stelle" if len(findings) == 1 else f"{number(len(findings))} Stellen"
    mark = f"{SYNTHETIC_MARK}.\n\n" if run.profile.synthetic else ""
    return (
        f"# Ausgabe {run.release_id} wartet auf Freigabe\n\n{mark}Sie ist vollständig und geprüft, weicht aber an "
        f"{word} weiter von der letzten Ausgabe ab, als das Profil unter [gates] erlaubt:\n\n{lines}\n\n"
        f"- Freigeben: `praevkarte approve {run.release_id} --reason …`\n"
        f"- Verwerfen: `praevkarte reject {run.release_id} --reason …`\n\n"
        f"Ansehen: `release/index.html` in diesem Ordner.\n\n{changes}"
    )


def publish(run: Run) -> StageReport:
    """Publish ``run.package`` under ``run.release_id``, or hold it when it differs too much from the last release.

    Raises ``Refused`` when a file does not match the manifest; nothing is published then.
    """
    sources = {source.dataset: source for source in run.profile.sources}
    for dataset, record in read_manifest(run)["eingaben"].items():
        keep_input(run.store, run.snapshot(sources[dataset]), record["sha256"])
    findings = [Finding(**record) for record in json.loads(run.tripped.read_text(encoding="utf-8"))]
    if findings:
        hold(run.store, run.package, run.release_id, hold_report(run, findings))
        return StageReport(notes=tuple(str(replace(finding, remedy="")) for finding in findings), outcome="held")
    publish_folder(run.store, run.package, run.release_id)
    return StageReport(outcome="published")
