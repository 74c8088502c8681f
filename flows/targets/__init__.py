"""Where releases are kept: a local folder or an object store, with the same meaning (``base`` says which)."""

from __future__ import annotations

from pathlib import Path

from flows.targets.base import Target
from flows.targets.local import LocalTarget


def open_target(address: str, workspace: Path) -> Target:
    """The target of an address from the profile: the workspace itself (empty), ``s3://bucket/prefix``, or a folder."""
    if not address:
        return LocalTarget(workspace)
    if address.startswith("s3://"):
        from flows.targets.s3 import ObjectTarget, open_s3

        return ObjectTarget(address, open_s3(address))
    return LocalTarget(Path(address))
