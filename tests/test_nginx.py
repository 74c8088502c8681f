"""What readers get from nginx with docs/deploy/nginx.conf: the same files as from ``praevkarte serve``, and what only a
server can do for them.
"""

from __future__ import annotations

import gzip
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

import geopandas
import pyarrow.parquet
import pytest
import requests
from nginx_server import CONFIGURATION, PATIENCE, PROGRAM, Nginx, RangedFile, cache_before, certificate, nginx
from operating import FIRST, SECOND, Place
from playwright.sync_api import Browser
from pmtiles.reader import Reader, all_tiles
from site_browser import MAP_DRAWN, Elements, Served, observed, serving
from test_serve import PRIVATE, PUBLIC, write
from webserver import Answer, web

from flows.checksums import MANIFEST
from flows.formats.catalogue import FORMATS
from flows.media_types import OTHERS, content_type
from flows.nights.freshness import check_freshness
from flows.operations import rollback
from flows.withdrawal import withdraw

pytest_plugins = ["site_browser", "places"]

ENDINGS = {*FORMATS, *OTHERS, ".minisig"}
# Packed already, or read in parts: compressing these on the way costs and gains nothing.
PACKED = {".fgb", ".gpkg", ".parquet", ".pmtiles", ".xlsx", ".qgz", ".png", ".pdf", ".minisig"}
# From this size on (bytes) texts are compressed.
WORTH_IT = 1024
FOR_A_YEAR = "public, max-age=31536000, s-maxage=86400, immutable"
EMBEDDED = "karte-einbetten.html"

Start = Callable[[Path], Nginx]


def setting(name: str) -> str:
    """A directive of the server block (or the content of a block) as it stands in the file."""
    text = re.sub(r"^\s*#.*$", "", CONFIGURATION.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = re.findall(rf"^    {name}\s+(?:\{{([^}}]+)\}}|([^;]+);)", text, re.MULTILINE)
    assert len(found) == 1, name
    return "".join(found[0])


def kind_of(ending: str) -> str:
    return content_type(f"x{ending}").partition(";")[0]


# --- the file itself -------------------------------------------------------------------------------------------------


def test_it_gives_every_ending_the_media_type_that_every_target_gives_it() -> None:
    lines = [line.split() for line in setting("types").split(";") if line.strip()]
    assert {f".{ending}": kind for kind, *endings in lines for ending in endings} == {
        ending: kind_of(ending) for ending in ENDINGS
    }
    assert setting("default_type") == content_type(MANIFEST).partition(";")[0]


def test_it_says_of_every_text_that_it_is_utf_8() -> None:
    texts = {kind_of(ending) for ending in ENDINGS if "charset" in content_type(f"x{ending}")}
    # nginx says it of pages anyway.
    assert {*setting("charset_types").split(), "text/html"} == texts


def test_it_compresses_every_text_and_nothing_that_is_packed() -> None:
    assert {*setting("gzip_types").split(), "text/html"} == {kind_of(ending) for ending in ENDINGS - PACKED}


# --- a server that runs it --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """``start(outputs)``: nginx serving what is published there, until the module ends."""
    if PROGRAM is None:
        pytest.skip("nginx is not installed")
    running = []

    def make(outputs: Path) -> Nginx:
        context = nginx(outputs, tmp_path_factory.mktemp("nginx"))
        server = context.__enter__()
        running.append(context)
        return server

    yield make
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture(scope="module")
def server(start: Start, kleinland: Served) -> Nginx:
    """A full release of Kleinland behind nginx."""
    return start(kleinland.folder.parents[1])


@pytest.fixture(scope="module")
def base(server: Nginx, kleinland: Served) -> str:
    """The address of that release there."""
    return f"{server.origin}/releases/{kleinland.folder.name}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace such as an operator has it, with what is public and what is not."""
    folder = tmp_path_factory.mktemp("ausgaben")
    for name in (*PUBLIC, *PRIVATE):
        write(folder / name, name)
    (folder / "latest").symlink_to("releases/2026.02.01")
    return folder


@pytest.fixture(scope="module")
def office(start: Start, workspace: Path) -> str:
    """The origin under which nginx serves that workspace."""
    return start(workspace).origin


def status(origin: str, path: str) -> int:
    """The answer to a path, exactly as it is written."""
    connection = HTTPConnection(origin.removeprefix("http://"))
    connection.request("GET", path)
    found = connection.getresponse().status
    connection.close()
    return found


def get(address: str, **headers: str) -> requests.Response:
    """Ask for the file as it is, unless ``Accept_Encoding`` says otherwise."""
    named = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(address, headers=named, timeout=30)


in_a_folder = pytest.mark.parametrize("kind", ["ordner"], indirect=True)
running = [pytest.mark.network, pytest.mark.slow]


class TestWhatIsPublic:
    pytestmark = running

    def test_every_file_comes_as_praevkarte_serve_hands_it_out(self, base: str, kleinland: Served) -> None:
        names = sorted(path.relative_to(kleinland.folder).as_posix() for path in kleinland.folder.rglob("*.*"))
        names = [name for name in names if (kleinland.folder / name).is_file()]
        assert len(names) > 100
        for name in (*names, MANIFEST, ""):
            here, there = get(f"{base}/{name}"), get(f"{kleinland.address}/{name}")
            assert (here.status_code, here.content) == (200, there.content), name
            for header in ("Content-Type", "Content-Length", "Accept-Ranges"):
                assert here.headers[header] == there.headers[header], (name, header)

    def test_it_is_what_praevkarte_serve_shows(self, office: str, workspace: Path) -> None:
        public = [*PUBLIC, "releases/2026.02.01/", "latest/", "latest/gemeinden.csv", "demo/releases/demo-2026.02.01/"]
        with serving(workspace) as origin:
            for path in public:
                assert (path, status(office, f"/{path}"), status(origin, f"/{path}")) == (path, 200, 200)
            for path in PRIVATE:
                assert (path, status(office, f"/{path}"), status(origin, f"/{path}")) == (path, 404, 404)

    @pytest.mark.parametrize(
        "path",
        [
            "/releases/../.lock",
            "/releases/%2e%2e/held/2026.02.02/bericht.md",
            "/latest/..%2f..%2fheld/2026.02.02/bericht.md",
            "/latest../held/2026.02.02/bericht.md",
            "//etc/passwd",
            f"/{'x' * 3000}/releases.json",
            "/releases/",
            "/demo/",
            "/held/latest/",
            "/latest/gibt-es-nicht.html",
        ],
    )
    def test_no_detour_leads_elsewhere(self, office: str, path: str) -> None:
        assert status(office, path) in (400, 404)

    def test_what_is_not_there_is_said_in_german_and_kept_by_nobody(self, base: str) -> None:
        answer = get(f"{base}/gibt-es-nicht.parquet")
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Diese Adresse gibt es nicht" in answer.text
        assert answer.headers["Cache-Control"] == "no-cache"

    def test_the_bare_address_leads_to_the_latest_release_under_any_name(self, server: Nginx) -> None:
        for path in ("/", "/latest"):
            answer = requests.get(f"{server.origin}{path}", allow_redirects=False, timeout=30)
            assert answer.headers["Location"] == "/latest/"
            assert answer.headers["Cache-Control"] == "no-cache"

    def test_nothing_can_be_sent_to_it(self, base: str) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert requests.request(method, f"{base}/index.html", timeout=30).status_code == 405

    @in_a_folder
    def test_the_freshness_check_finds_what_was_published(self, start: Start, place: Place) -> None:
        profile = replace(place.profile, base_url=start(place.outputs).origin)
        alarms = check_freshness(profile, place.store, datetime(2026, 2, 3, tzinfo=UTC))
        assert [alarm.text for alarm in alarms if alarm.name == "auslieferung"] == []


class TestCompression:
    pytestmark = running

    def test_texts_are_compressed_and_nothing_else(self, base: str, kleinland: Served) -> None:
        seen = set()
        for file in sorted(path for path in kleinland.folder.rglob("*") if path.is_file()):
            # One file of each ending is enough.
            if file.stat().st_size < WORTH_IT or file.suffix in seen:
                continue
            seen.add(file.suffix)
            answer = requests.get(
                f"{base}/{file.relative_to(kleinland.folder)}", headers={"Accept-Encoding": "gzip"}, timeout=30
            )
            packed = file.suffix in PACKED
            assert answer.headers.get("Content-Encoding") == (None if packed else "gzip"), file
            assert answer.headers.get("Vary") == (None if packed else "Accept-Encoding"), file
            assert answer.content == file.read_bytes(), file
        assert seen >= {".html", ".geojson", ".csv", ".json", ".js", ".css", ".svg", ".ttl", ".atom", ""}
        assert seen >= {".fgb", ".gpkg", ".parquet", ".pmtiles", ".pdf", ".png", ".xlsx"}

    def test_it_saves_most_of_a_geojson(self, base: str) -> None:
        raw = requests.get(
            f"{base}/assets/maplibre-gl.js", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30
        ).raw.read(decode_content=False)
        assert len(raw) < len(gzip.decompress(raw)) / 3


class TestCaching:
    pytestmark = running

    @pytest.mark.parametrize(
        ("path", "lifetime"),
        [
            ("releases/ID/gemeinden.geojson", FOR_A_YEAR),
            ("releases/ID/praeventionskarte.pmtiles", FOR_A_YEAR),
            ("releases/ID/assets/maplibre-gl.js", FOR_A_YEAR),
            ("releases/ID/provenance.json", FOR_A_YEAR),
            # A withdrawal puts a tombstone here, and changes these files of other releases.
            ("releases/ID/", "no-cache"),
            ("releases/ID/gremien.html", "no-cache"),
            ("releases/ID/changes.csv", "no-cache"),
            ("releases/ID/CHANGES.md", "no-cache"),
            (f"releases/ID/{MANIFEST}", "no-cache"),
            ("latest/", "no-cache"),
            ("latest/gemeinden.geojson", "no-cache"),
            ("latest/aenderungen.atom", "no-cache"),
            ("latest/assets/maplibre-gl.js", "no-cache"),
            ("latest.json", "no-cache"),
            ("releases.json", "no-cache"),
        ],
    )
    def test_what_cannot_change_is_kept_and_the_rest_asked_for(
        self, server: Nginx, kleinland: Served, path: str, lifetime: str
    ) -> None:
        address = f"{server.origin}/{path.replace('ID', kleinland.folder.name)}"
        answer = get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, lifetime)
        again = get(address, If_None_Match=answer.headers["ETag"])
        assert (again.status_code, again.content, again.headers["Cache-Control"]) == (304, b"", lifetime)
        part = get(address, Range="bytes=0-0")
        assert (part.status_code, part.headers["Cache-Control"]) == (206, lifetime)

    def test_the_compressed_form_is_recognised_again(self, base: str) -> None:
        first = get(f"{base}/gemeinden.geojson", Accept_Encoding="gzip")
        tag = first.headers["ETag"]
        assert tag.startswith('W/"')
        assert get(f"{base}/gemeinden.geojson", Accept_Encoding="gzip", If_None_Match=tag).status_code == 304
        assert get(f"{base}/gemeinden.geojson", If_None_Match=tag).status_code == 304

    @in_a_folder
    def test_after_a_rollback_everybody_gets_the_older_release_at_once(self, start: Start, place: Place) -> None:
        origin = start(place.outputs).origin
        new, old = (place.outputs / "releases" / one / "gremien.csv" for one in (SECOND, FIRST))
        before = get(f"{origin}/latest/gremien.csv")
        assert before.content == new.read_bytes() != old.read_bytes()

        with place.open() as store:
            rollback(store, FIRST, "Versehen", datetime(2026, 2, 4, tzinfo=UTC).date())

        assert get(f"{origin}/latest.json").json()["ausgabe"] == FIRST
        for remembered in (
            {"If_None_Match": before.headers["ETag"]},
            # The older file is older than what the reader has; that must not count as "not modified".
            {"If_Modified_Since": before.headers["Last-Modified"]},
        ):
            after = get(f"{origin}/latest/gremien.csv", **remembered)
            assert (after.status_code, after.content) == (200, old.read_bytes())

    @in_a_folder
    def test_what_was_withdrawn_is_gone_at_once_and_the_tombstone_there(self, start: Start, place: Place) -> None:
        origin = start(place.outputs).origin
        address = f"{origin}/releases/{FIRST}"
        assert get(f"{address}/gremien.csv").status_code == 200
        manifest = get(f"{origin}/releases/{SECOND}/{MANIFEST}")

        with place.open() as store:
            withdraw(store, FIRST, "Versehen", datetime(2026, 2, 4, tzinfo=UTC).date())

        gone, stone = get(f"{address}/gremien.csv"), get(f"{address}/")
        assert (gone.status_code, gone.headers["Cache-Control"]) == (404, "no-cache")
        assert (stone.status_code, stone.headers["Cache-Control"]) == (200, "no-cache")
        assert "zurückgezogen" in stone.text
        # The comparison of the next release repeated its values and was emptied: its manifest is another.
        purged = get(f"{origin}/releases/{SECOND}/{MANIFEST}", If_None_Match=manifest.headers["ETag"])
        assert (purged.status_code, purged.content != manifest.content) == (200, True)


class TestCacheBefore:
    """docs/deploy/nginx-cache.conf before docs/deploy/nginx.conf."""

    pytestmark = running

    def test_readers_get_the_same_and_the_origin_is_asked_once(
        self, server: Nginx, kleinland: Served, tmp_path: Path
    ) -> None:
        changing = {"Date", "Connection", "Content-Length", "Transfer-Encoding", "Accept-Ranges"}
        paths = [f"releases/{kleinland.folder.name}/{name}" for name in ("gemeinden.geojson", "gemeinden.fgb", "")]
        paths += ["latest/", "latest.json", "latest/gibt-es-nicht"]
        with cache_before(server, tmp_path) as cache:
            for path in paths:
                for accepted in ("gzip, deflate, br", "identity"):
                    asked = {"Accept-Encoding": accepted}
                    direct = requests.get(f"{server.origin}/{path}", headers=asked, timeout=30)
                    for _ in range(2):
                        answer = requests.get(f"{cache.origin}/{path}?suche=Aldorf", headers=asked, timeout=30)
                        assert (answer.status_code, answer.content) == (direct.status_code, direct.content), path
                        for name in (direct.headers.keys() | answer.headers.keys()) - changing:
                            assert answer.headers.get(name) == direct.headers.get(name), (path, name)
            address = f"{cache.origin}/releases/{kleinland.folder.name}/gemeinden.geojson"
            before = server.log.read_text(encoding="utf-8")
            tag = get(address, Accept_Encoding="gzip").headers["ETag"]
            assert get(address, Accept_Encoding="gzip", If_None_Match=tag).status_code == 304
            part = get(address, Accept_Encoding="gzip", Range="bytes=100-299")
            assert (part.status_code, part.content) == (
                206,
                (kleinland.folder / "gemeinden.geojson").read_bytes()[100:300],
            )
            assert server.log.read_text(encoding="utf-8") == before
            assert "Aldorf" not in cache.log.read_text(encoding="utf-8")

    @in_a_folder
    def test_a_rollback_gets_through(self, start: Start, place: Place, tmp_path: Path) -> None:
        old = place.outputs / "releases" / FIRST / "gremien.csv"
        with cache_before(start(place.outputs), tmp_path / "cache") as cache:
            address = f"{cache.origin}/latest/gremien.csv"
            assert get(address).content != old.read_bytes()
            with place.open() as store:
                rollback(store, FIRST, "Versehen", datetime(2026, 2, 4, tzinfo=UTC).date())
            give_up = time.monotonic() + PATIENCE
            while get(address).content != old.read_bytes():
                assert time.monotonic() < give_up
                time.sleep(0.1)


class TestRanges:
    pytestmark = running

    @pytest.mark.parametrize(
        "name", ["gemeinden.fgb", "gemeinden.parquet", "praeventionskarte.pmtiles", "gemeinden.geojson"]
    )
    @pytest.mark.parametrize("accepted", ["identity", "gzip"])
    def test_a_part_is_a_part_of_the_file(self, base: str, kleinland: Served, name: str, accepted: str) -> None:
        content = (kleinland.folder / name).read_bytes()
        for asked, start, end in (
            ("bytes=100-299", 100, 300),
            ("bytes=-7", len(content) - 7, len(content)),
            (f"bytes={len(content) - 3}-", len(content) - 3, len(content)),
        ):
            answer = get(f"{base}/{name}", Range=asked, Accept_Encoding=accepted)
            assert (answer.status_code, answer.content) == (206, content[start:end])
            assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(content)}"
            assert answer.headers["Content-Type"] == content_type(name)
            assert "Content-Encoding" not in answer.headers
        assert get(f"{base}/{name}", Range=f"bytes={len(content)}-").status_code == 416

    def test_a_part_of_another_state_is_not_mixed_in(self, base: str, kleinland: Served) -> None:
        tag = get(f"{base}/gemeinden.fgb").headers["ETag"]
        assert get(f"{base}/gemeinden.fgb", Range="bytes=0-9", If_Range=tag).status_code == 206
        other = get(f"{base}/gemeinden.fgb", Range="bytes=0-9", If_Range='"anderer-stand"')
        assert (other.status_code, len(other.content)) == (200, (kleinland.folder / "gemeinden.fgb").stat().st_size)

    def test_flatgeobuf_is_read_in_part(self, server: Nginx, base: str, kleinland: Served) -> None:
        whole = geopandas.read_file(kleinland.folder / "gemeinden.fgb", engine="pyogrio")
        spot = whole.geometry.iloc[0].representative_point()
        before = server.log.read_text(encoding="utf-8")
        found = geopandas.read_file(f"/vsicurl/{base}/gemeinden.fgb", engine="pyogrio", bbox=spot.bounds)
        assert list(found["ags"]) == list(whole[whole.intersects(spot)]["ags"]) != []
        asked = server.log.read_text(encoding="utf-8").removeprefix(before)
        assert re.search(r"GET \S+/gemeinden\.fgb 206 ", asked)

    def test_tiles_are_read_in_part(self, base: str, kleinland: Served) -> None:
        (file,) = kleinland.folder.glob("*.pmtiles")

        def part(offset: int, length: int) -> bytes:
            answer = get(f"{base}/{file.name}", Range=f"bytes={offset}-{offset + length - 1}")
            assert answer.status_code == 206
            return answer.content

        def on_disk(offset: int, length: int) -> bytes:
            return file.read_bytes()[offset : offset + length]

        over_http = Reader(part)
        assert over_http.metadata() == Reader(on_disk).metadata()
        tiles = list(islice(all_tiles(on_disk), 5))
        assert [((z, x, y), over_http.get(z, x, y)) for (z, x, y), _ in tiles] == tiles

    def test_a_column_of_a_geoparquet_is_read_in_part(self, base: str, kleinland: Served) -> None:
        with RangedFile(f"{base}/gemeinden.parquet") as remote:
            table = pyarrow.parquet.read_table(remote, columns=["ags"])
        assert table.equals(pyarrow.parquet.read_table(kleinland.folder / "gemeinden.parquet", columns=["ags"]))


class TestOtherPages:
    pytestmark = running

    def test_any_page_may_read_the_data_also_in_part(self, base: str) -> None:
        asked = {"Origin": "https://zeitung.example", "Access-Control-Request-Method": "GET"}
        asked["Access-Control-Request-Headers"] = "range,if-none-match"
        answer = requests.options(f"{base}/gemeinden.fgb", headers=asked, timeout=30)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
        assert {"GET", "HEAD"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
        allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"range", "if-range", "if-none-match", "if-modified-since"} <= set(allowed)

        part = get(f"{base}/gemeinden.fgb", Range="bytes=0-9", Origin="https://zeitung.example")
        assert part.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in part.headers
        exposed = part.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Accept-Ranges", "Content-Range", "Content-Length", "ETag", "Last-Modified"} <= set(exposed)

    def test_the_server_repeats_the_rule_of_every_page(self, base: str, kleinland: Served) -> None:
        for page in kleinland.pages:
            answer = get(f"{base}/{page}")
            (own,) = (
                meta["content"]
                for meta in Elements(answer.text).of("meta")
                if meta.get("http-equiv") == "Content-Security-Policy"
            )
            rules = answer.headers["Content-Security-Policy"].split("; ")
            embedded = page == EMBEDDED
            assert set((own or "").split("; ")) <= set(rules), page
            assert ("frame-ancestors 'none'" in rules) is not embedded, page
            assert answer.headers.get("X-Frame-Options") == (None if embedded else "DENY"), page

    def test_no_file_is_taken_for_something_else_and_no_page_said_where_it_leads(self, base: str) -> None:
        for name in ("", "gemeinden.csv", "bericht.pdf", "gibt-es-nicht"):
            answer = get(f"{base}/{name}")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Server"] == "nginx"
            # Only where the reader came by https; otherwise the address would be lost to who has no certificate.
            assert "Strict-Transport-Security" not in answer.headers

    @pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
    def test_who_came_by_https_comes_by_https_again(self, server: Nginx, kleinland: Served, tmp_path: Path) -> None:
        own = certificate(tmp_path)
        outputs = kleinland.folder.parents[1]
        with (
            nginx(outputs, tmp_path / "here", tls=own) as here,
            cache_before(server, tmp_path / "before", tls=own) as before,
        ):
            for secure in (here, before):
                for path in ("/latest/", "/gibt-es-nicht"):
                    answer = requests.get(f"{secure.origin}{path}", verify=str(own), timeout=30)
                    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"

    @pytest.mark.browser
    def test_another_site_can_show_the_embedded_map_and_no_other_page(self, server: Nginx, browser: Browser) -> None:
        inner = f"{server.origin}/latest"
        frames = "".join(f'<iframe width="800" height="600" src="{inner}/{page}"></iframe>' for page in (EMBEDDED, ""))
        body = f"<!DOCTYPE html><title>Zeitung</title>{frames}".encode()
        page = browser.new_page()
        with web() as elsewhere:
            elsewhere.answers["/"] = Answer(body=body, headers={"Content-Type": "text/html"})
            page.goto(f"{elsewhere.url}/")
            page.frame_locator("iframe >> nth=0").locator(MAP_DRAWN).wait_for()
            assert page.frame_locator("iframe >> nth=1").get_by_role("heading").count() == 0
        page.close()

    @pytest.mark.browser
    def test_the_map_is_drawn_under_the_server_s_rules(self, server: Nginx, browser: Browser) -> None:
        page = browser.new_page()
        complaints, _ = observed(page)
        page.goto(f"{server.origin}/latest/")
        page.locator(MAP_DRAWN).wait_for()
        page.close()
        assert complaints == []


class TestPrivacy:
    pytestmark = running

    def test_the_log_names_files_and_no_readers(self, server: Nginx, base: str) -> None:
        before = server.log.read_text(encoding="utf-8")
        headers = {"User-Agent": "Browser der Leserin", "Referer": "https://suche.example/?q=praevention"}
        requests.get(f"{base}/?suche=Aldorf", headers=headers, timeout=30)
        requests.get(f"{base}/gibt-es-nicht?suche=Aldorf", headers=headers, timeout=30)
        lines = server.log.read_text(encoding="utf-8").removeprefix(before)
        assert "/index.html 200 " in lines
        assert "/gibt-es-nicht 404 " in lines
        for telling in ("127.0.0.1", "Aldorf", "Leserin", "suche.example"):
            assert telling not in lines
        written = {path.name: path.read_text(encoding="utf-8") for path in server.log.parent.glob("*.log")}
        assert {name for name, text in written.items() if text} == {server.log.name}
