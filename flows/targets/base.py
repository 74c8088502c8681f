"""What a target can do. Keys are relative paths with ``/``; a release is the folder ``releases/<id>``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Target(Protocol):
    """A place of releases. Every single call is atomic: after a kill it has happened or not, never half."""

    @property
    def label(self) -> str:
        """How messages name the target."""

    def address(self, key: str) -> str:
        """Where a reader on this side finds ``key``: a path or a URL."""

    def read(self, key: str) -> bytes | None:
        """Content of one file, or None when there is none."""

    def write(self, key: str, content: bytes) -> None:
        """Create or replace one file."""

    def store_file(self, key: str, file: Path) -> None:
        """Create one file from a local one; an existing file of that name (content-addressed) is left alone."""

    def delete(self, key: str) -> None:
        """Remove one file; none there is fine."""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below ``prefix``, sorted."""

    def files(self, prefix: str) -> list[str]:
        """Relative names of all files below ``prefix``, sorted."""

    def install(self, folder: Path, prefix: str) -> None:
        """Put the files of a local folder at ``prefix``, where nothing may be in use; the local folder may be consumed.

        In an object store the files appear one by one: nothing points to ``prefix`` until they are verified in place.
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

    def locked(self) -> AbstractContextManager[None]:
        """Hold the target for writing; raises ``StoreBusy`` naming the holder."""
