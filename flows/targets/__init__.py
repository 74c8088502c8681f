"""Where releases are kept: a local folder or an object store, with the same meaning (``base`` says which)."""

from __future__ import annotations

from pathlib import Path

from flows.errors import WrongUsage
from flows.targets.base import Target
from flows.targets.local import LocalTarget


def open_target(address: str, workspace: Path) -> Target:
    """The target of an address from the profile: the workspace itself (empty), ``s3://bucket/prefix``, or a folder.

    Raises ``WrongUsage`` for a relative folder, which would depend on where the command is called.
    """
    if not address:
        return LocalTarget(workspace)
    if address.startswith("s3://"):
        from flows.targets.s3 import ObjectTarget, open_s3

        return ObjectTarget(address, open_s3(address))
    if not Path(address).is_absolute():
        raise WrongUsage(
            f"Das Ziel „{address}“ im Profil ist weder ein Ordner mit vollem Pfad noch eine Adresse der Form "
            "s3://bucket/prefix. Bitte „target“ berichtigen."
        )
    return LocalTarget(Path(address))
