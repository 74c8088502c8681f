"""An object store (``s3://bucket/prefix``) as target, through obstore; settings come from the usual ``AWS_*``
variables.

A folder of objects cannot appear in one step, so data goes first, is verified in place, and only then named by one
write of ``latest.json``. The lock is an object that only one writer can create; it carries its holder and an expiry.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import S3Store

from flows.errors import StoreBusy
from flows.targets.local import LATEST_DOCUMENT

LOCK = ".lock"
# A run takes minutes; a holder that says nothing for this long is dead.
LEASE = timedelta(hours=2)


def open_s3(url: str) -> S3Store:
    """Open ``s3://bucket/prefix``; plain http only where ``AWS_ENDPOINT_URL`` names such an endpoint (a local
    server).
    """
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return S3Store.from_url(url, client_options={"allow_http": plain})


@dataclass(frozen=True, slots=True)
class ObjectTarget:
    """Releases below ``url`` in an object store."""

    url: str
    store: S3Store

    @property
    def label(self) -> str:
        return self.url

    def address(self, key: str) -> str:
        return f"{self.url.rstrip('/')}/{key}"

    def read(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self.store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            return None

    def write(self, key: str, content: bytes) -> None:
        obstore.put(self.store, key, content)

    def store_file(self, key: str, file: Path) -> None:
        try:
            obstore.put(self.store, key, file, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return

    def delete(self, key: str) -> None:
        obstore.delete(self.store, key)

    def folders(self, prefix: str) -> list[str]:
        listing = obstore.list_with_delimiter(self.store, prefix)
        return sorted(path.rsplit("/", 1)[-1] for path in listing["common_prefixes"])

    def files(self, prefix: str) -> list[str]:
        start = len(prefix.rstrip("/")) + 1
        return sorted(item["path"][start:] for batch in obstore.list(self.store, prefix) for item in batch)

    def install(self, folder: Path, prefix: str) -> None:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            obstore.put(self.store, f"{prefix}/{path.relative_to(folder).as_posix()}", path)

    def remove(self, prefix: str) -> None:
        names = self.files(prefix)
        if names:
            obstore.delete(self.store, [f"{prefix}/{name}" for name in names])

    def local(self, prefix: str, scratch: Path) -> Path:
        """Download every object of ``prefix`` to ``scratch/<prefix>``, replacing what is there."""
        folder = scratch / prefix
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in self.files(prefix):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                for chunk in obstore.get(self.store, f"{prefix}/{name}").stream():
                    stream.write(chunk)
        return folder

    def pointer(self) -> str | None:
        document = self.read(LATEST_DOCUMENT)
        return str(json.loads(document)["ausgabe"]) if document else None

    def point(self, release_id: str | None, document: bytes) -> None:
        if release_id is None:
            self.delete(LATEST_DOCUMENT)
        else:
            self.write(LATEST_DOCUMENT, document)

    def _take(self, content: bytes) -> bool:
        try:
            obstore.put(self.store, LOCK, content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        now = datetime.now(UTC)
        mine = {"process": os.getpid(), "host": socket.gethostname(), "until": (now + LEASE).isoformat()}
        content = json.dumps(mine).encode()
        if not self._take(content):
            held = self.read(LOCK)
            holder = json.loads(held) if held else None
            if holder and not _is_dead(holder, now):
                raise StoreBusy(
                    f"{self.label}: ein anderer Lauf arbeitet hier (Prozess {holder['process']} auf {holder['host']}, "
                    f"längstens bis {holder['until']}). Bitte warten, bis er fertig ist."
                )
            self.delete(LOCK)
            if not self._take(content):
                raise StoreBusy(f"{self.label}: ein anderer Lauf war schneller. Bitte später erneut versuchen.")
        try:
            yield
        finally:
            self.delete(LOCK)


def _is_dead(holder: dict[str, str | int], now: datetime) -> bool:
    """Whether a lock's holder can be taken to be dead: its time is over, or its process on this machine is gone."""
    if datetime.fromisoformat(str(holder["until"])) < now:
        return True
    if holder["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(holder["process"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
