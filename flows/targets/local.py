"""A local folder as target: renames are atomic, ``latest`` is a symbolic link, the lock is the kernel's."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.errors import StoreBusy

LATEST = "latest"
LATEST_DOCUMENT = "latest.json"


def sync(path: Path) -> None:
    """Force a file or folder to disk, so that a power cut after this call cannot undo it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for directory, _, files in os.walk(folder):
        for file in files:
            path = Path(directory, file)
            path.chmod(0o444)
            sync(path)
        sync(Path(directory))


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """Releases in ``root``."""

    root: Path

    @property
    def label(self) -> str:
        return str(self.root)

    def address(self, key: str) -> str:
        return str(self.root / key)

    def read(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.is_file() else None

    def write(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        new.write_bytes(content)
        sync(new)
        new.replace(path)
        sync(path.parent)

    def store_file(self, key: str, file: Path) -> None:
        path = self.root / key
        if path.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        shutil.copyfile(file, new)
        sync(new)
        new.replace(path)

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    def folders(self, prefix: str) -> list[str]:
        folder = self.root / prefix
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def files(self, prefix: str) -> list[str]:
        folder = self.root / prefix
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    def install(self, folder: Path, prefix: str) -> None:
        """One rename, on the file system that holds both; an unused folder at ``prefix`` is replaced."""
        _sync_tree(folder)
        place = self.root / prefix
        place.parent.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_dev != place.parent.stat().st_dev:
            near = place.parent / f".{place.name}.new"
            shutil.rmtree(near, ignore_errors=True)
            shutil.copytree(folder, near)
            _sync_tree(near)
            folder = near
        self.remove(prefix)
        folder.rename(place)
        sync(place.parent)

    def remove(self, prefix: str) -> None:
        """The folder vanishes by one rename and is deleted out of sight."""
        place = self.root / prefix
        if not place.is_dir():
            return
        gone = place.with_name(f".{place.name}.gone")
        shutil.rmtree(gone, ignore_errors=True)
        place.rename(gone)
        shutil.rmtree(gone)
        sync(place.parent)

    def local(self, prefix: str, scratch: Path) -> Path:  # noqa: ARG002 - the protocol's; a local folder needs no copy
        return self.root / prefix

    def pointer(self) -> str | None:
        link = self.root / LATEST
        return link.readlink().name if link.is_symlink() else None

    def point(self, release_id: str | None, document: bytes) -> None:
        link = self.root / LATEST
        if release_id is None:
            link.unlink(missing_ok=True)
            self.delete(LATEST_DOCUMENT)
            return
        self.write(LATEST_DOCUMENT, document)
        new = self.root / ".latest.new"
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / release_id)
        new.replace(link)
        sync(self.root)

    @contextmanager
    def locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a+", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                holder = handle.read().strip() or "unbekannt"
                raise StoreBusy(
                    f"{self.label}: ein anderer Lauf arbeitet hier (Prozess {holder}). Bitte warten, bis er fertig ist."
                ) from None
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield
