"""A real nginx on 127.0.0.1 that runs the files of docs/deploy as they stand there, but for ports and paths."""

from __future__ import annotations

import io
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from flows.paths import ROOT

CONFIGURATION = ROOT / "docs" / "deploy" / "nginx.conf"
CACHE = CONFIGURATION.with_name("nginx-cache.conf")
# Debian keeps it where only root's path leads.
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
PATIENCE = 10.0
# What stands around it on Debian: settings that it must not depend on, nor take over.
AROUND = """
{user}
worker_processes {workers};
pid {folder}/pid;
error_log {folder}/around-error.log;
events {{ worker_connections 768; }}
http {{
    types {{ text/html html; application/javascript js; text/xml xml; application/x-foreign fgb; }}
    default_type application/octet-stream;
    access_log {folder}/around.log;
    gzip on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running server: its origin, the id of its main process, the file to which it writes what it answered."""

    origin: str
    pid: int
    log: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _moved(configuration: Path, places: Mapping[str, str]) -> str:
    """The text of a file with other ports and paths; raises ``ValueError`` when one of them is not there once."""
    text = configuration.read_text(encoding="utf-8")
    for there, here in places.items():
        if text.count(there) != 1:
            raise ValueError(f"{configuration}: {there!r} has to stand there once")
        text = text.replace(there, here)
    return text


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key in one file, made by openssl."""
    file = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=karte.example.org", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    made = subprocess.run([*command, "-keyout", str(file), "-out", "-"], check=True, capture_output=True, text=True)
    file.write_text(file.read_text(encoding="ascii") + made.stdout, encoding="ascii")
    return file


@contextmanager
def _running(
    configuration: Path, folder: Path, places: Mapping[str, str], workers: int, log: str, tls: Path | None = None
) -> Iterator[Nginx]:
    if PROGRAM is None:
        raise RuntimeError("nginx is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    secure = f" ssl; ssl_certificate {tls}; ssl_certificate_key {tls};" if tls else ";"
    moved = {
        "listen 80;": f"listen 127.0.0.1:{port}{secure}",
        "listen [::]:80;": f"listen unix:{folder}/socket;",
        "access_log /var/log/nginx/": f"access_log {folder}/",
        "error_log /var/log/nginx/": f"error_log {folder}/",
    }
    (folder / "site.conf").write_text(_moved(configuration, moved | places), encoding="utf-8")
    # Started by root, the workers would be of a user who may not look into a test's folder.
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(AROUND.format(folder=folder, workers=workers, user=user), encoding="utf-8")
    command = [PROGRAM, "-p", str(folder), "-c", str(main), "-e", str(folder / "start.log"), "-g", "daemon off;"]
    with (folder / "said.log").open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        _wait_for(port, process, folder / "said.log")
        yield Nginx(f"http{'s' if tls else ''}://127.0.0.1:{port}", process.pid, folder / log)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nginx(outputs: Path, folder: Path, workers: int = 1, tls: Path | None = None) -> Iterator[Nginx]:
    """Serve what is published in ``outputs`` for the block; what the server writes lies in ``folder``. By https where
    ``tls`` is a certificate with its key.

    Raises ``RuntimeError`` with nginx's own words when it does not start.
    """
    places = {"root /srv/praevkarte/outputs;": f"root {outputs};"}
    with _running(CONFIGURATION, folder, places, workers, "praevkarte.log", tls) as server:
        yield server


@contextmanager
def cache_before(origin: Nginx, folder: Path, workers: int = 1, tls: Path | None = None) -> Iterator[Nginx]:
    """A cache before ``origin`` for the block, in the same way."""
    places = {
        "server 127.0.0.1:8080;": f"server {origin.origin.removeprefix('http://')};",
        "proxy_cache_path /var/cache/nginx/": f"proxy_cache_path {folder}/",
    }
    with _running(CACHE, folder, places, workers, "praevkarte-cache.log", tls) as server:
        yield server


def _wait_for(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    give_up = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"nginx does not start: {said.read_text(encoding='utf-8')}")
        time.sleep(0.02)


class RangedFile(io.RawIOBase):
    """A file at an address, read by ranges and by nothing else; raises ``OSError`` when the server sends all of it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.place = 0
        head = requests.head(address, headers={"Accept-Encoding": "identity"}, timeout=PATIENCE)
        self.size = int(head.headers["Content-Length"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.place + size, self.size)
        if end <= self.place:
            return b""
        asked = {"Range": f"bytes={self.place}-{end - 1}", "Accept-Encoding": "identity"}
        answer = requests.get(self.address, headers=asked, timeout=PATIENCE)
        if answer.status_code != requests.codes.partial:
            raise OSError(f"{self.address}: {answer.status_code} instead of a part")
        self.place = end
        return answer.content
