"""The page with the map, opened in a real Chromium and read as readers do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page
from site_browser import DESKTOP, MAP_DRAWN, Served, foreign, observed

# Drawing in software takes seconds, so tests that are not about the drawn map let the browser refuse WebGL.
NO_WEBGL = (
    "const original = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
    " return kind.startsWith('webgl') ? null : original.call(this, kind, ...rest); };"
)


@contextmanager
def opened(browser: Browser, address: str, size: dict[str, int] = DESKTOP, *, webgl: bool = False) -> Iterator[Page]:
    """A page at ``address`` whose list stands; it must end without a complaint and without foreign requests."""
    context = browser.new_context(viewport=size, locale="de-DE")
    page = context.new_page()
    if not webgl:
        page.add_init_script(NO_WEBGL)
    complaints, requests = observed(page)
    page.goto(address)
    page.wait_for_selector("html.bereit", state="attached")
    yield page
    assert complaints == []
    assert foreign(requests, address) == []
    context.close()


def drawn(page: Page) -> None:
    """Wait until the map is drawn."""
    page.wait_for_selector(MAP_DRAWN, state="attached", timeout=60_000)


def listed(page: Page) -> list[str]:
    """The names in the list, all pages of it."""
    while page.locator("#mehr").is_visible():
        page.locator("#mehr").click()
    return page.locator("#eintraege .eintrag-name").all_inner_texts()


def facts(release: Served) -> dict[str, Any]:
    """What the scripts of the map read."""
    return json.loads((release.folder / "assets" / "karte.json").read_text(encoding="utf-8"))


def query(page: Page) -> str:
    return page.url.partition("?")[2]
