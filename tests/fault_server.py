"""A server on 127.0.0.1 that plays BKG, Destatis and the office's share, well or badly.

``serve`` lays a file at a path; ``fail`` puts faults before it, which the next requests meet one after the other.
Conditional requests are answered as RFC 9110 has it. What was asked is in ``requests``.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ZIP = "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
DRIP_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Served:
    """A file at a path with what the server says of it; no ETag or date where ``conditional`` is false."""

    content: bytes
    content_type: str
    last_modified: str
    conditional: bool

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in, and the status it got (0: none, the connection was cut)."""

    path: str
    headers: Mapping[str, str]
    status: int


Fault = Callable[["Handler", Served | None], int]
"""Answers a request badly; returns the status that it sent."""


@dataclass
class FaultServer:
    """See the module. ``url("/x.zip")`` is the address of a path."""

    port: int
    files: dict[str, Served] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)
    asked: list[Asked] = field(default_factory=list)
    busy: int = 0
    quiet: threading.Condition = field(default_factory=threading.Condition)

    @property
    def requests(self) -> list[Asked]:
        """All requests so far; waits for those that are still being answered, because a client has its answer before
        the server has written it down.
        """
        with self.quiet:
            assert self.quiet.wait_for(lambda: self.busy == 0, timeout=10)
            return list(self.asked)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(
        self,
        path: str,
        content: bytes,
        content_type: str = ZIP,
        last_modified: str = "Thu, 01 Jan 2026 00:00:00 GMT",
        conditional: bool = True,
    ) -> str:
        """Lay a file at ``path`` (again); returns its address."""
        self.files[path] = Served(content, content_type, last_modified, conditional)
        return self.url(path)

    def fail(self, path: str, *faults: Fault, times: int = 1) -> None:
        """Let the next requests for ``path`` meet ``faults``, one each, the whole row so many ``times``."""
        self.faults.setdefault(path, []).extend(faults * times)

    def recover(self) -> None:
        """No more faults."""
        self.faults.clear()

    def statuses(self, path: str) -> list[int]:
        """What requests for ``path`` got, in order."""
        return [asked.status for asked in self.requests if asked.path == path]


def status(code: int, **headers: str) -> Fault:
    """An answer with this status and headers (``retry_after="5"``) instead of the file."""

    def answer(handler: Handler, _served: Served | None) -> int:
        return handler.answer(code, b"kaputt", {name.replace("_", "-"): value for name, value in headers.items()})

    return answer


def redirect(location: str) -> Fault:
    """A redirect to another address."""
    return status(302, location=location)


def typed(content_type: str, content: bytes | None = None) -> Fault:
    """The file (or other content) under another media type."""

    def answer(handler: Handler, served: Served | None) -> int:
        body = content if content is not None else served.content if served else b""
        return handler.answer(200, body, {"Content-Type": content_type})

    return answer


def announced(length: int) -> Fault:
    """The file with another length announced than it has."""

    def answer(handler: Handler, served: Served | None) -> int:
        assert served
        return handler.answer(200, served.content, {"Content-Type": served.content_type, "Content-Length": str(length)})

    return answer


def reset(after: float = 0.5) -> Fault:
    """The connection is reset when a part of the file has been sent; ``after=0``: before any answer."""

    def answer(handler: Handler, served: Served | None) -> int:
        if after and served:
            handler.start(200, {"Content-Type": served.content_type, "Content-Length": str(len(served.content))})
            handler.wfile.write(served.content[: int(len(served.content) * after)])
            handler.wfile.flush()
        # Zero seconds to linger: the other side sees a reset instead of an end.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return 0

    return answer


def unannounced(handler: Handler, served: Served | None) -> int:
    """The file without its length; its end is the end of the connection."""
    assert served
    handler.start(200, {"Content-Type": served.content_type})
    handler.wfile.write(served.content)
    return 200


def drip(handler: Handler, served: Served | None) -> int:
    """The file byte by byte, forever: it starts again when it is through."""
    assert served
    handler.start(200, {"Content-Type": served.content_type})
    while not handler.faulty.closing.wait(DRIP_SECONDS):
        try:
            handler.wfile.write(served.content[:1])
            handler.wfile.flush()
        except OSError:
            break
    return 200


def silence(handler: Handler, _served: Served | None) -> int:
    """No answer at all, until the server closes or the other side gives up."""
    handler.connection.settimeout(DRIP_SECONDS)
    while not handler.faulty.closing.is_set():
        try:
            if not handler.connection.recv(1):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    faulty: FaultServer


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server

    @property
    def faulty(self) -> FaultServer:
        return self.server.faulty

    def log_message(self, *_args: object) -> None:
        """Tests read ``requests``, not stderr."""

    def start(self, code: int, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def answer(self, code: int, body: bytes, headers: Mapping[str, str]) -> int:
        self.start(code, {"Content-Length": str(len(body))} | dict(headers))
        self.wfile.write(body)
        return code

    def do_GET(self) -> None:
        path, code = self.path.partition("?")[0], 0
        # In the order in which they come in: after a redirect the next one can be answered before this one is through.
        with self.faulty.quiet:
            self.faulty.busy += 1
            number = len(self.faulty.asked)
            self.faulty.asked.append(Asked(path, dict(self.headers), code))
        served, faults = self.faulty.files.get(path), self.faulty.faults.get(path)
        try:
            code = faults.pop(0)(self, served) if faults else self._well(served)
        except OSError:
            # The other side has gone.
            code = 0
        finally:
            with self.faulty.quiet:
                self.faulty.asked[number] = replace(self.faulty.asked[number], status=code)
                self.faulty.busy -= 1
                self.faulty.quiet.notify_all()

    def _well(self, served: Served | None) -> int:
        if served is None:
            return self.answer(404, b"", {})
        if not served.conditional:
            return self.answer(200, served.content, {"Content-Type": served.content_type})
        tags = {"ETag": served.etag, "Last-Modified": served.last_modified}
        known = self.headers.get("If-None-Match")
        # Where both are sent, the tag decides (RFC 9110 section 13.2.2).
        same = served.etag == known if known else self.headers.get("If-Modified-Since") == served.last_modified
        if same:
            self.start(304, tags)
            return 304
        return self.answer(200, served.content, tags | {"Content-Type": served.content_type})


@contextmanager
def fault_server() -> Iterator[FaultServer]:
    """A server on a free port of 127.0.0.1, for as long as the context lasts."""
    server = _Server(("127.0.0.1", 0), Handler)
    server.faulty = FaultServer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.faulty
    finally:
        server.faulty.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
