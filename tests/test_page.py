"""The page of a release, read as a file and opened in a real Chromium over loopback."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from flows.stages import Outcome

HOSTILE = "<img src=x onerror=alert(1)>"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
MAP_DRAWN = "[data-bereit=ja]"
# Chromium's own remark on drawing without a graphics card.
DRIVER_REMARK = "GPU stall due to ReadPixels"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and its title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, geodata: Path, release: Callable[..., Outcome]) -> Path:
    """A release of Kleinland in which one committee bears a hostile name."""
    place = tmp_path_factory.mktemp("seite")
    changed = place / "geodata"
    for path in (path for path in geodata.rglob("*") if path.is_file()):
        copy = changed / path.relative_to(geodata)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    committees = changed / "kleinland" / "committees.csv"
    committees.chmod(0o644)
    committees.write_text(committees.read_text(encoding="utf-8").replace("Präventionsrat Aldorf", HOSTILE), "utf-8")
    outcome = release(changed, place / "outputs")
    assert outcome.address is not None
    return Path(outcome.address)


@pytest.fixture(scope="module")
def elements(folder: Path) -> Elements:
    return Elements((folder / "index.html").read_text(encoding="utf-8"))


def test_no_script_stands_in_the_page_itself(elements: Elements) -> None:
    inline = [script for script in elements.of("script") if "src" not in script]
    assert [script.get("type") for script in inline] == ["application/ld+json"]
    assert not elements.of("style")
    assert not [attributes for _, attributes in elements.found if any(name.startswith("on") for name in attributes)]


def test_everything_the_page_loads_lies_in_the_release(elements: Elements, folder: Path) -> None:
    sources = [one["src"] for tag in ("script", "img") for one in elements.of(tag) if one.get("src")]
    sources += [one["href"] for one in elements.of("link")]
    assert sources
    assert all(source and (folder / source).is_file() for source in sources)


def test_links_lead_to_files_of_the_release_to_the_web_or_to_the_page(elements: Elements, folder: Path) -> None:
    ids = {attributes["id"] for _, attributes in elements.found if attributes.get("id")}
    for link in (str(one["href"]) for one in elements.of("a")):
        if link.startswith("#"):
            assert link[1:] in ids
        elif not link.startswith(("http://", "https://", "mailto:")):
            assert (folder / link).is_file()


def test_search_engines_find_the_dataset_described(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    text = page.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    assert json.loads(text) == json.loads((folder / "dataset.jsonld").read_text(encoding="utf-8"))
    assert "<" not in text


def test_a_draft_says_so_and_asks_not_to_be_listed(folder: Path, elements: Elements) -> None:
    assert "Entwurf, nicht veröffentlicht" in (folder / "index.html").read_text(encoding="utf-8")
    assert {"name": "robots", "content": "noindex"} in elements.of("meta")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield chromium
        chromium.close()


def observed(page: Page) -> tuple[list[str], list[str]]:
    """Lists that fill with console errors and requested addresses while the page is used."""
    complaints: list[str] = []
    requests: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and DRIVER_REMARK not in message.text:
            complaints.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    return complaints, requests


@pytest.mark.slow
@pytest.mark.browser
def test_the_map_is_drawn_without_errors_and_asks_no_other_server(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints, requests = observed(page)
    page.goto(f"{address}/index.html")
    page.wait_for_selector(MAP_DRAWN, timeout=60_000)
    assert page.locator("#karte canvas").count() == 1
    assert complaints == []
    assert all(request.startswith((address, "blob:", "data:")) for request in requests)
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_opens_from_a_folder(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    complaints, _ = observed(page)
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector(MAP_DRAWN, timeout=60_000)
    assert complaints == []
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_hostile_name_is_shown_as_text(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/index.html")
    page.wait_for_selector(MAP_DRAWN, timeout=60_000)
    assert page.get_by_text(HOSTILE).count() > 0
    assert page.locator("img[src=x]").count() == 0
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_without_scripts_picture_and_tables_say_the_same(browser: Browser, address: str, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/index.html")
    assert page.locator("#karte-bild").is_visible()
    with (folder / "gremien.csv").open(encoding="utf-8", newline="") as stream:
        committees = list(csv.DictReader(stream))
    assert page.locator("tr[id^=gremium-]").count() == len(committees) > 0
    context.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_never_scrolls_sideways(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{address}/index.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
