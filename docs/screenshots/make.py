"""Take the pictures in this folder anew: `.venv/bin/python docs/screenshots/make.py [--outputs outputs]`.

One of every kind of page of the latest release, as a desktop and as a phone show its beginning. WebP, each below
100 kB: the quality goes down until it fits.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from site_browser import CHROMIUM, DESKTOP, FLAGS, MAP_DRAWN, PHONE, serving  # noqa: E402 - it lies with the tests

SIZES = {"desktop": DESKTOP, "phone": PHONE}
# Of a long page the beginning says enough; in screens.
SCREENS = {"desktop": 1.6, "phone": 2.2}
LARGEST = 100_000


def pages(folder: Path) -> dict[str, str]:
    """Address of every page to take, by the picture's name; of the places the one with the longest page."""
    found = {path.stem.replace("index", "karte"): path.name for path in sorted(folder.glob("*.html"))}
    place = max(folder.glob("ort/*.html"), key=lambda path: (path.stat().st_size, path.name))
    found["ort"] = f"ort/{place.name}"
    found["karte-auskunft"] = f"index.html?ort={place.name.split('-')[0]}"
    return found


def ready(page: Page) -> None:
    """Wait until a map is drawn, where there is one."""
    if page.locator("#karte").count():
        page.wait_for_selector(MAP_DRAWN, state="attached", timeout=120_000)
    page.wait_for_timeout(300)


def take(browser: Browser, address: str, file: Path, size: str) -> None:
    """One picture."""
    context = browser.new_context(viewport=SIZES[size], locale="de-DE", color_scheme="light")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    ready(page)
    whole = page.evaluate("document.documentElement.scrollHeight")
    height = min(whole, round(SIZES[size]["height"] * SCREENS[size]))
    clip = {"x": 0, "y": 0, "width": SIZES[size]["width"], "height": height, "scale": 1}
    # Playwright writes no WebP, Chromium does.
    chromium = context.new_cdp_session(page)
    for quality in range(70, 10, -10):
        settings = {"format": "webp", "quality": quality, "clip": clip, "captureBeyondViewport": True}
        content = base64.b64decode(chromium.send("Page.captureScreenshot", settings)["data"])
        if len(content) < LARGEST:
            break
    file.write_bytes(content)
    context.close()


def main() -> None:
    """Take all pictures, in place of those that lie there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    outputs = parser.parse_args().outputs
    for old in HERE.glob("*.webp"):
        old.unlink()
    with serving(outputs) as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for name, page in pages(outputs / "latest").items():
            for size in SIZES:
                take(browser, f"{origin}/latest/{page}", HERE / f"{name}-{size}.webp", size)
        browser.close()


if __name__ == "__main__":
    main()
