"""A local folder as target: renames are atomic, ``latest`` is a symbolic link, the lock is the kernel's.

What is in the making or on its way out has a name that starts with a point and ends with its role, and is out of sight
of readers: ``.x.new`` is not yet ``x``, ``.x.gone`` is being deleted, ``.x.old`` stood at ``x`` until the new one came.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.errors import StoreBusy
from flows.sidecar import sha256_of

LATEST = "latest"
LATEST_DOCUMENT = "latest.json"
NEW, GONE, OLD = ".new", ".gone", ".old"

# renameat2(2): relative to the working folder, exchange two names.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def sync(path: Path) -> None:
    """Force a file or folder to disk, so that a power cut after this call cannot undo it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hidden(path: Path, role: str) -> Path:
    return path.with_name(f".{path.name}{role}")


def _sync_tree(folder: Path) -> None:
    """Force a folder to disk, readable for everybody whatever the umask, its files read-only."""
    for directory, _, files in os.walk(folder):
        for file in files:
            path = Path(directory, file)
            path.chmod(0o444)
            sync(path)
        Path(directory).chmod(0o755)
        sync(Path(directory))


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; returns False where the system or the file system cannot."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _replace_folder(new: Path, place: Path) -> None:
    """Let ``new`` take the place of the folder ``place``, which then is deleted out of sight."""
    if exchange(new, place):
        shutil.rmtree(new)
        return
    old = _hidden(place, OLD)
    place.rename(old)
    new.rename(place)
    shutil.rmtree(old)


def settle_folder(folder: Path) -> None:
    """Clear away what killed calls left in ``folder``; a folder that had to make room comes back if nothing came."""
    for old in folder.glob(f".*{OLD}"):
        place = old.with_name(old.name.removeprefix(".").removesuffix(OLD))
        if place.is_dir():
            shutil.rmtree(old)
        else:
            old.rename(place)
    for role in (NEW, GONE):
        for path in folder.glob(f".*{role}"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """Releases in ``root``."""

    root: Path

    @property
    def label(self) -> str:
        return str(self.root)

    @property
    def swaps(self) -> bool:
        """Tried out, because it depends on the file system."""
        pair = [self.root / f".{name}{NEW}" for name in ("eins", "zwei")]
        for folder in pair:
            folder.mkdir(exist_ok=True)
        able = exchange(*pair)
        for folder in pair:
            folder.rmdir()
        return able

    def address(self, key: str) -> str:
        return str(self.root / key)

    def read(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.is_file() else None

    def write(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        new = _hidden(path, NEW)
        new.unlink(missing_ok=True)
        new.write_bytes(content)
        new.chmod(0o644)
        sync(new)
        new.replace(path)
        sync(path.parent)

    def delete(self, key: str) -> None:
        """Remove one file; none there is fine."""
        path = self.root / key
        if path.is_file():
            path.unlink()
            sync(path.parent)

    def store_file(self, key: str, file: Path) -> None:
        """Create one file from another; an existing file of that name (content-addressed) is left alone."""
        path = self.root / key
        if path.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = _hidden(path, NEW)
        shutil.copyfile(file, new)
        sync(new)
        new.replace(path)
        sync(path.parent)

    def folders(self, prefix: str) -> list[str]:
        folder = self.root / prefix
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def _files(self, prefix: str) -> dict[str, Path]:
        folder = self.root / prefix
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path for path in files}

    def sizes(self, prefix: str) -> dict[str, int]:
        return {name: path.stat().st_size for name, path in self._files(prefix).items()}

    def digests(self, prefix: str) -> dict[str, str]:
        return {name: sha256_of(path) for name, path in self._files(prefix).items()}

    def install(self, folder: Path, prefix: str) -> None:
        """One rename or one exchange, on the file system that holds both."""
        place = self.root / prefix
        new = _hidden(place, NEW)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(new, ignore_errors=True)
        if folder.stat().st_dev == place.parent.stat().st_dev:
            _sync_tree(folder)
            folder.rename(new)
        else:
            shutil.copytree(folder, new)
            _sync_tree(new)
        if place.is_dir():
            _replace_folder(new, place)
        else:
            new.rename(place)
        sync(place.parent)

    def remove(self, prefix: str) -> None:
        """The folder vanishes by one rename and is deleted out of sight."""
        place = self.root / prefix
        if not place.is_dir():
            return
        gone = _hidden(place, GONE)
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
        """The link is the pointer; ``latest.json`` comes just before it, so that both name releases that verify."""
        link = self.root / LATEST
        if release_id is None:
            link.unlink(missing_ok=True)
            self.delete(LATEST_DOCUMENT)
            sync(self.root)
            return
        self.write(LATEST_DOCUMENT, document)
        new = _hidden(link, NEW)
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / release_id)
        new.replace(link)
        sync(self.root)

    def settle(self) -> None:
        settle_folder(self.root)
        settle_folder(self.root / "releases")

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
            try:
                yield
            finally:
                # The kernel frees the lock with the file; the next one who meets it shall not read our number.
                handle.truncate(0)
