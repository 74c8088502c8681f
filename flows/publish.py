"""Stage 6, publish: keep the inputs, and publish the release, or hold it: a gate trips, or a source is too old."""

from __future__ import annotations

import json
from dataclasses import replace

from flows.ages import too_old_findings
from flows.archive import keep_input
from flows.findings import Finding
from flows.german import number
from flows.metadata.changes import TEXT
from flows.operations import hold
from flows.profile import SYNTHETIC_MARK
from flows.provenance import read_manifest
from flows.run import Run, StageReport
from flows.store import publish_folder


def _reason(text: str, findings: list[Finding]) -> str:
    """Why a release waits, with what was found; empty without findings."""
    lines = "\n".join(f"- {replace(finding, remedy='')}" for finding in findings)
    return f"{text}\n\n{lines}\n\n" if findings else ""


def hold_report(run: Run, tripped: list[Finding], too_old: list[Finding]) -> str:
    """Which gates tripped and which sources are too old, for the person who approves or rejects (Markdown, German)."""
    changes = (run.package / TEXT).read_text(encoding="utf-8")
    word = "einer Stelle" if len(tripped) == 1 else f"{number(len(tripped))} Stellen"
    gates = f"Sie weicht an {word} weiter von der letzten Ausgabe ab, als das Profil unter [gates] erlaubt:"
    age = "Quellen sind älter, als das Profil unter [hold_after_days] erlaubt; bitte erneuern, wenn es geht:"
    mark = f"{SYNTHETIC_MARK}.\n\n" if run.profile.synthetic else ""
    return (
        f"# Ausgabe {run.release_id} wartet auf Freigabe\n\n{mark}Sie ist vollständig und geprüft, aber ein "
        f"Mensch soll sie ansehen.\n\n{_reason(gates, tripped)}{_reason(age, too_old)}"
        f"- Freigeben: `praevkarte approve {run.release_id} --reason …`\n"
        f"- Verwerfen: `praevkarte reject {run.release_id} --reason …`\n\n"
        f"Ansehen: `release/index.html` in diesem Ordner.\n\n{changes}"
    )


def publish(run: Run) -> StageReport:
    """Publish ``run.package`` under ``run.release_id``, or hold it when it differs too much from the last release or a
    source is older than the profile allows.

    Raises ``Refused`` when a file does not match the manifest; nothing is published then.
    """
    sources = {source.dataset: source for source in run.profile.sources}
    for dataset, record in read_manifest(run)["eingaben"].items():
        # What the release was made from: of a file with records set aside, what remains of it.
        keep_input(run.store, run.snapshot(sources[dataset]), record["sha256"])
    tripped = [Finding(**record) for record in json.loads(run.tripped.read_text(encoding="utf-8"))]
    too_old = too_old_findings(run.profile)
    if findings := [*tripped, *too_old]:
        hold(run.store, run.package, run.release_id, hold_report(run, tripped, too_old))
        return StageReport(notes=tuple(str(replace(finding, remedy="")) for finding in findings), outcome="held")
    publish_folder(run.store, run.package, run.release_id)
    return StageReport(outcome="published")
