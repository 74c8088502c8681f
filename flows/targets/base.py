"""What a target can do. Keys are relative paths with ``/``; a release is the folder ``releases/<id>``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Target(Protocol):
    """A place of releases. Every single call is atomic, but for ``install`` and ``remove`` where ``swaps`` is false:
    after a kill it has happened or not, never half; ``settle`` clears away what it leaves out of sight.
    """

    @property
    def label(self) -> str:
        """How messages name the target."""

    @property
    def swaps(self) -> bool:
        """Whether a whole folder can be exchanged in one step; else readers meet its files one by one."""

    def address(self, key: str) -> str:
        """Where a reader on this side finds ``key``: a path or a URL."""

    def read(self, key: str) -> bytes | None:
        """Content of one file, or None when there is none."""

    def write(self, key: str, content: bytes) -> None:
        """Create or replace one file."""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below ``prefix``, sorted."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every file below ``prefix`` by relative name, sorted."""

    def digests(self, prefix: str) -> dict[str, str]:
        """SHA-256 of every file below ``prefix`` by relative name, from its bytes as they lie there."""

    def install(self, folder: Path, prefix: str) -> None:
        """Put the files of a local folder at ``prefix`` in place of all that is there; the local folder may be
        consumed.

        Without ``swaps`` nothing may point to ``prefix`` meanwhile.
        """

    def remove(self, prefix: str) -> None:
        """Remove a folder with all that is in it; none there is fine."""

    def local(self, prefix: str, scratch: Path) -> Path:
        """A local folder with the content of ``prefix``: the folder itself, or a copy below ``scratch``."""

    def pointer(self) -> str | None:
        """The id that ``latest`` points to, or None."""

    def point(self, release_id: str | None, document: bytes) -> None:
        """Let ``latest`` point to a release (None: to nothing), with ``latest.json`` as its document, in one last
        step.
        """

    def settle(self) -> None:
        """Clear away, or bring back, what a killed call left out of sight; only with the lock held."""

    def locked(self) -> AbstractContextManager[None]:
        """Hold the target for writing; raises ``StoreBusy`` naming the holder."""
