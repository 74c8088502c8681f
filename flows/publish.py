"""Stage 6, publish: move the finished release into the store and let ``latest`` point to it."""

from __future__ import annotations

from flows.run import Run, StageReport
from flows.store import publish_folder


def publish(run: Run) -> StageReport:
    """Publish ``run.package`` under ``run.release_id``; raises ``Refused`` when a file does not match the manifest."""
    publish_folder(run.store, run.package, run.release_id)
    return StageReport()
