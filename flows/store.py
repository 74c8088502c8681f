"""The release store: immutable folders in ``releases/``, the pointer ``latest``, and one writer at a time.

Publishing survives a kill at any point: the finished folder is moved into place by one rename, ``latest`` is replaced
by one rename, and between the two a journal file says what was meant, so that the next run completes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.checksums import MANIFEST, differences
from flows.errors import Refused, StoreBusy, WrongUsage
from flows.findings import Finding

ID = re.compile(r"^(?:demo-)?\d{4}\.\d{2}\.\d{2}(?:\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Store:
    """A local folder of releases. ``prefix`` marks the ids of a store that holds synthetic releases."""

    root: Path
    prefix: str = ""

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def latest(self) -> Path:
        return self.root / "latest"

    @property
    def work(self) -> Path:
        return self.root / ".work"

    @property
    def journal(self) -> Path:
        return self.root / ".publishing.json"


def release_key(release_id: str) -> tuple[int, ...]:
    """Sort key of an id: date, then the number of the day's release (none counts as 0)."""
    numbers = [int(part) for part in release_id.removeprefix("demo-").split(".")]
    return (*numbers, 0) if len(numbers) == 3 else tuple(numbers)


def release_ids(store: Store) -> list[str]:
    """Ids of all releases, oldest first."""
    if not store.releases.is_dir():
        return []
    return sorted((path.name for path in store.releases.iterdir() if ID.match(path.name)), key=release_key)


def latest_id(store: Store) -> str | None:
    """The id that ``latest`` points to, or None before the first release."""
    return store.latest.readlink().name if store.latest.is_symlink() else None


def next_id(store: Store, day: date) -> str:
    """The first free id of a day: ``YYYY.MM.DD``, then ``YYYY.MM.DD.1`` and so on."""
    taken = set(release_ids(store))
    base = f"{store.prefix}{day:%Y.%m.%d}"
    number = 0
    while (candidate := f"{base}.{number}" if number else base) in taken:
        number += 1
    return candidate


def release_folder(store: Store, release_id: str) -> Path:
    """Folder of an existing release (``latest`` is understood); raises ``WrongUsage`` when there is none."""
    wanted = latest_id(store) if release_id == "latest" else release_id
    if wanted is None or wanted not in release_ids(store):
        known = ", ".join(release_ids(store)) or "keine"
        raise WrongUsage(f"Die Ausgabe „{release_id}“ gibt es nicht in {store.releases}. Vorhanden: {known}.")
    return store.releases / wanted


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Hold the store for writing. The lock is the kernel's, so that of a dead process is free at once.

    Raises ``StoreBusy`` naming the holder.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with (store.root / ".lock").open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unbekannt"
            raise StoreBusy(
                f"{store.root}: ein anderer Lauf arbeitet hier (Prozess {holder}). Bitte warten, bis er fertig ist."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def _sync(path: Path) -> None:
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
            _sync(path)
        _sync(Path(directory))


def _verify(folder: Path) -> None:
    findings = [Finding("pruefsummen", f"{folder.name}/{name}", text) for name, text in differences(folder).items()]
    if findings:
        raise Refused(findings)


def point_latest(store: Store, release_id: str) -> None:
    """Let ``latest`` point to a release that matches its manifest, in one atomic step."""
    _verify(store.releases / release_id)
    new = store.root / ".latest.new"
    new.unlink(missing_ok=True)
    new.symlink_to(Path("releases") / release_id)
    new.replace(store.latest)
    _sync(store.root)


def publish_folder(store: Store, built: Path, release_id: str) -> Path:
    """Move a finished release folder into ``releases/`` and then ``latest`` to it.

    Raises ``Refused`` when a file does not match ``SHA256SUMS``; nothing is published then.
    """
    _verify(built)
    _sync_tree(built)
    store.releases.mkdir(parents=True, exist_ok=True)
    target = store.releases / release_id
    store.journal.write_text(json.dumps({"release": release_id}), encoding="utf-8")
    _sync(store.journal)
    built.rename(target)
    _sync(store.releases)
    point_latest(store, release_id)
    store.journal.unlink()
    return target


def recover(store: Store) -> str | None:
    """Complete a publication that was interrupted and clear away half-built work; call it with the lock held.

    Returns the id of the release that was completed, or None.
    """
    completed = None
    if store.journal.is_file():
        text = store.journal.read_text(encoding="utf-8")
        release_id = json.loads(text)["release"] if text else ""
        if release_id and (store.releases / release_id / MANIFEST).is_file():
            point_latest(store, release_id)
            completed = release_id
        store.journal.unlink()
    shutil.rmtree(store.work, ignore_errors=True)
    return completed
