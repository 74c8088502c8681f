"""Where the weekly check of the evidence links leaves what the next release is to say of them."""

from __future__ import annotations

from pathlib import Path

from flows.profile import Source

DATASET = "evidence_links"


def links_file(folder: Path) -> Path:
    """The input ``evidence_links`` below ``folder`` (the workspace's ``sources``), its sidecar beside it."""
    return folder / DATASET / f"{DATASET}.csv"


def links_sources(folder: Path) -> dict[str, Source]:
    """The input by its dataset; none before the first check."""
    file = links_file(folder)
    return {DATASET: Source(DATASET, file)} if file.is_file() else {}
