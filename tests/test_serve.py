"""What ``praevkarte serve`` hands out: what is published, under its media type, and nothing else of the workspace."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from site_browser import serving

from flows.serve import listen

Get = Callable[..., tuple[HTTPResponse, bytes]]

RELEASE = "releases/2026.02.01"
PUBLIC = (
    f"{RELEASE}/index.html",
    f"{RELEASE}/gemeinden.csv",
    "releases.json",
    "latest.json",
    "demo/releases.json",
    "demo/releases/demo-2026.02.01/index.html",
)
PRIVATE = (
    ".journal.json",
    ".lock",
    ".work/2026.02.01/run.duckdb",
    "held/2026.02.02/bericht.md",
    "held/2026.02.02/release/index.html",
    "inputs/sha256/ab/abcd",
    "reports/2026.02.01.md",
    "sources/register/register.csv",
    "demo/held/demo-2026.02.02/bericht.md",
    "demo/.journal.json",
    "notizen/releases/geheim.txt",
)
TYPES = {
    "index.html": "text/html; charset=utf-8",
    "aenderungen.atom": "application/atom+xml",
    "sitemap.xml": "application/xml",
    "bericht.pdf": "application/pdf",
    "praeventionskarte.pmtiles": "application/vnd.pmtiles",
    "gemeinden.geojson": "application/geo+json",
    "dataset.jsonld": "application/ld+json",
    "assets/karte.json": "application/json",
    "assets/karte.svg": "image/svg+xml",
    "assets/js/karte.js": "text/javascript; charset=utf-8",
    "assets/stil.css": "text/css; charset=utf-8",
    "CITATION.cff": "text/yaml; charset=utf-8",
    "SHA256SUMS": "text/plain; charset=utf-8",
}


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """Ask for a path, exactly as it is written, of a workspace such as an operator has it."""
    folder = tmp_path_factory.mktemp("ausgaben")
    for name in (*PUBLIC, *PRIVATE):
        write(folder / name, name)
    for name in TYPES:
        write(folder / RELEASE / name, "0123456789")
    (folder / "latest").symlink_to(RELEASE)
    with serving(folder) as origin:

        def ask(path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
            connection = HTTPConnection(origin.removeprefix("http://"))
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer, content

        yield ask


@pytest.mark.parametrize("path", [*PUBLIC, f"{RELEASE}/", "latest/", "latest/gemeinden.csv"])
def test_what_is_published_can_be_read(get: Get, path: str) -> None:
    assert get(f"/{path}")[0].status == 200


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_not_public_cannot(get: Get, path: str) -> None:
    assert get(f"/{path}")[0].status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/releases/../.lock",
        "/releases/%2e%2e/held/2026.02.02/bericht.md",
        "/latest/..%2f..%2fheld/2026.02.02/bericht.md",
        "//etc/passwd",
        "/releases/%00",
        f"/{'x' * 3000}/releases.json",
        "/releases/",
        "/gibt-es-nicht",
    ],
)
def test_no_detour_leads_there(get: Get, path: str) -> None:
    assert get(path)[0].status == 404


def test_the_bare_address_leads_to_the_latest_release(get: Get) -> None:
    answer, _ = get("/")
    assert (answer.status, answer.headers["location"]) == (307, "latest/")


def test_no_file_waits_for_the_acknowledgement_of_its_headers() -> None:
    with listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(("name", "kind"), TYPES.items())
def test_files_come_under_their_media_type_also_in_part(get: Get, name: str, kind: str) -> None:
    assert get(f"/{RELEASE}/{name}")[0].headers["content-type"] == kind
    answer, part = get(f"/{RELEASE}/{name}", Range="bytes=2-4")
    assert (answer.status, part, answer.headers["content-type"]) == (206, b"234", kind)
