"""An object store (``s3://bucket/prefix``) as target, through obstore; settings come from the usual ``AWS_*``
variables.

A folder of objects cannot appear in one step, so data goes first, is verified in place, and only then named by one
write of ``latest.json``. The lock is an object that is only ever replaced under a condition (If-None-Match, If-Match):
of two writers one wins, and one whose time ran out notices before it writes again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import socket
import textwrap
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from flows.checksums import MANIFEST
from flows.errors import StoreBusy, StoreUnusable
from flows.media_types import content_type
from flows.targets.local import LATEST_DOCUMENT

if TYPE_CHECKING:
    from obstore.store import RetryConfig

LOCK = ".lock"
# A holder that has not written for this long is dead; one that writes renews its time.
LEASE = timedelta(hours=2)
RENEW_AFTER = LEASE / 4
RETRIES: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
NEVER = datetime.min.replace(tzinfo=UTC)
# Requests at a time: they wait for the network, not for a processor.
PARALLEL = 8
# Documents whose address stays while their content changes must not be taken from a cache.
CHANGING = {"Cache-Control": "no-cache"}

Method = TypeVar("Method", bound=Callable[..., Any])


def open_s3(url: str) -> S3Store:
    """Open ``s3://bucket/prefix``; plain http only where ``AWS_ENDPOINT_URL`` names such an endpoint (a local
    server).
    """
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return S3Store.from_url(url, client_options={"allow_http": plain}, retry_config=RETRIES)


def _reaching(method: Method) -> Method:
    """The method, with what goes wrong between here and the object store as ``StoreUnusable``."""

    @functools.wraps(method)
    def call(self: ObjectTarget, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (BaseError, FileNotFoundError) as error:
            raise StoreUnusable(
                f"{self.label}: der Objektspeicher antwortet nicht wie erwartet ({textwrap.shorten(str(error), 300)}). "
                "Bitte Adresse, Bucket und die AWS_…-Variablen prüfen und erneut aufrufen."
            ) from error

    return cast(Method, call)


@dataclass(slots=True)
class _Lease:
    """What this process knows of the lock while it holds it: the tag of its last write and when that was."""

    tag: str | None = None
    written: datetime = NEVER


@dataclass(frozen=True, slots=True)
class ObjectTarget:
    """Releases below ``url`` in an object store."""

    url: str
    store: S3Store
    lease: _Lease = field(default_factory=_Lease, compare=False)

    @property
    def label(self) -> str:
        return self.url

    @property
    def swaps(self) -> bool:
        return False

    def address(self, key: str) -> str:
        return f"{self.url.rstrip('/')}/{key}"

    @_reaching
    def read(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self.store, key).bytes())
        except FileNotFoundError:
            return None

    @_reaching
    def write(self, key: str, content: bytes) -> None:
        self._renew()
        attributes = {"Content-Type": content_type(key)} | CHANGING
        obstore.put(self.store, key, content, attributes=attributes)

    @_reaching
    def folders(self, prefix: str) -> list[str]:
        listing = obstore.list_with_delimiter(self.store, prefix)
        return sorted(path.rsplit("/", 1)[-1] for path in listing["common_prefixes"])

    @_reaching
    def sizes(self, prefix: str) -> dict[str, int]:
        start = len(prefix) + 1
        return dict(sorted((item["path"][start:], item["size"]) for item in self._objects(prefix)))

    @_reaching
    def digests(self, prefix: str) -> dict[str, str]:
        names = list(self.sizes(prefix))
        with ThreadPoolExecutor(PARALLEL) as pool:
            return dict(zip(names, pool.map(lambda name: self._digest(f"{prefix}/{name}"), names), strict=True))

    @_reaching
    def install(self, folder: Path, prefix: str) -> None:
        """Upload every file, the manifest last, and delete what else lies at ``prefix``."""
        self._renew()
        names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        data = [name for name in names if not name.startswith(MANIFEST)]
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda name: self._upload(folder, name, prefix), data))
        self._delete(prefix, [name for name in self.sizes(prefix) if name not in names])
        for name in names:
            if name not in data:
                self._upload(folder, name, prefix)

    @_reaching
    def remove(self, prefix: str) -> None:
        self._renew()
        self._delete(prefix, list(self.sizes(prefix)))

    @_reaching
    def local(self, prefix: str, scratch: Path) -> Path:
        """Download every object of ``prefix`` to ``scratch/<prefix>``, replacing what is there."""
        folder = scratch / prefix
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        names = list(self.sizes(prefix))
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda name: self._download(f"{prefix}/{name}", folder / name), names))
        return folder

    def pointer(self) -> str | None:
        document = self.read(LATEST_DOCUMENT)
        return str(json.loads(document)["ausgabe"]) if document else None

    @_reaching
    def point(self, release_id: str | None, document: bytes) -> None:
        if release_id is None:
            self._renew()
            obstore.delete(self.store, LATEST_DOCUMENT)
        else:
            self.write(LATEST_DOCUMENT, document)

    def settle(self) -> None:
        """Nothing is out of sight here: what a killed upload left, the journal knows."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        self._take()
        try:
            yield
        finally:
            self._free()

    # --- objects ---------------------------------------------------------------------------------------------------

    def _objects(self, prefix: str) -> Iterator[Any]:
        for batch in obstore.list(self.store, prefix):
            yield from batch

    def _digest(self, key: str) -> str:
        digest = hashlib.sha256()
        for chunk in obstore.get(self.store, key).stream():
            digest.update(chunk)
        return digest.hexdigest()

    def _upload(self, folder: Path, name: str, prefix: str) -> None:
        obstore.put(self.store, f"{prefix}/{name}", folder / name, attributes={"Content-Type": content_type(name)})

    def _download(self, key: str, file: Path) -> None:
        with file.open("wb") as stream:
            for chunk in obstore.get(self.store, key).stream():
                stream.write(chunk)

    def _delete(self, prefix: str, names: list[str]) -> None:
        if names:
            obstore.delete(self.store, [f"{prefix}/{name}" for name in names])

    # --- lock ------------------------------------------------------------------------------------------------------

    def _write_lease(self, condition: Any) -> None:
        """Write the lock as ours under ``condition`` and remember its tag, which no other write can have."""
        now = datetime.now(UTC)
        holder = {"process": os.getpid(), "host": socket.gethostname(), "until": (now + LEASE).isoformat()}
        content = json.dumps(holder | {"tag": uuid.uuid4().hex}).encode()
        self.lease.tag = obstore.put(self.store, LOCK, content, mode=condition)["e_tag"]
        self.lease.written = now

    @_reaching
    def _take(self) -> None:
        try:
            self._write_lease("create")
            return
        except AlreadyExistsError:
            found = obstore.get(self.store, LOCK)
        holder, tag = json.loads(bytes(found.bytes())), found.meta["e_tag"]
        if holder and not _is_dead(holder, datetime.now(UTC)):
            until = datetime.fromisoformat(holder["until"])
            raise StoreBusy(
                f"{self.label}: ein anderer Lauf arbeitet hier (Prozess {holder['process']} auf {holder['host']}, "
                f"längstens bis {until:%d.%m.%Y %H:%M} UTC). Bitte warten, bis er fertig ist."
            )
        try:
            self._write_lease({"e_tag": tag})
        except PreconditionError:
            raise StoreBusy(f"{self.label}: ein anderer Lauf war schneller. Bitte später erneut aufrufen.") from None

    def _renew(self) -> None:
        """Before a write: make sure that the lock is still ours; raises ``StoreBusy`` when another run took it over."""
        if self.lease.tag is None or datetime.now(UTC) - self.lease.written < RENEW_AFTER:
            return
        try:
            self._write_lease({"e_tag": self.lease.tag})
        except PreconditionError:
            raise StoreBusy(
                f"{self.label}: dieser Lauf hat zu lange gedauert, ein anderer hat übernommen. Bitte erneut aufrufen."
            ) from None

    @_reaching
    def _free(self) -> None:
        tag, self.lease.tag = self.lease.tag, None
        try:
            obstore.put(self.store, LOCK, b"{}", mode={"e_tag": tag})
        except PreconditionError:
            return  # another run took the lock over; it is not ours to free


def _is_dead(holder: dict[str, Any], now: datetime) -> bool:
    """Whether a lock's holder can be taken to be dead: its time is over, or its process on this machine is gone."""
    if datetime.fromisoformat(holder["until"]) < now:
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
