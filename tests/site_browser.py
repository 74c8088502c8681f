"""Releases whose pages are looked at, a server for them, and a real Chromium; for ``pytest_plugins``.

The releases are built once per test run, whatever number of processes it has. The browser is there once per module: its
event loop must not outlive it, other tests have loops of their own.

PYTEST_DONT_REWRITE: test modules import names from here before pytest makes it a plugin.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import DAY, build_geodata
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from flows.paths import GEODATA
from flows.serve import listen, server
from flows.stages import Outcome

# Stands in the name of a committee, of a town and of a source.
HOSTILE = "<img src=x onerror=alert(1)>"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
MAP_DRAWN = "[data-bereit=ja]"
# Chromium's own remark on drawing without a graphics card.
DRIVER_REMARK = "GPU stall due to ReadPixels"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
NARROW = {"width": 320, "height": 640}


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@dataclass(frozen=True, slots=True)
class Served:
    """A release as readers reach it: its folder, and its address (without a slash at the end)."""

    folder: Path
    address: str

    @property
    def store(self) -> str:
        """The address at which the index of all releases lies."""
        return self.address.partition("/releases/")[0]

    @property
    def pages(self) -> list[str]:
        """Every page of the release, as paths in it."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html"))


@contextmanager
def serving(outputs: Path) -> Iterator[str]:
    """The origin under which ``praevkarte serve`` shows what is published in ``outputs``."""
    listener = listen(0)
    running = server(outputs)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # Browsers keep connections open, which a polite shutdown would wait for.
        running.should_exit = running.force_exit = True
        thread.join()


def _released(outcome: Outcome) -> Path:
    assert outcome.result == "published"
    assert outcome.address is not None
    return Path(outcome.address)


def _shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """The release that ``make`` builds in an empty folder: once for all processes of a test run, which only read it.

    The first process builds, the others wait for it.
    """
    own = factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / f"shared-{name}"
    place.mkdir(exist_ok=True)
    built = place / "built"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            # A build that failed leaves its folder; the next process is to meet the same fault, not that folder.
            release = make(Path(tempfile.mkdtemp(dir=place)) / "outputs")
            built.write_text(str(release), encoding="utf-8")
    return Path(built.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, release: Callable[..., Outcome]) -> Path:
    """The folder of a release of Kleinland in which one committee bears a hostile name."""

    def make(outputs: Path) -> Path:
        geodata = build_geodata(outputs.parent / "geodata")
        committees = geodata / "kleinland" / "committees.csv"
        text = committees.read_text(encoding="utf-8")
        assert "Präventionsrat Aldorf" in text
        committees.write_text(text.replace("Präventionsrat Aldorf", HOSTILE), "utf-8")
        return _released(release(geodata, outputs))

    return _shared(tmp_path_factory, "kleinland", make)


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """The address of ``folder``: ``…/releases/<id>``, without a slash at the end."""
    with serving(folder.parents[1]) as origin:
        yield f"{origin}/releases/{folder.name}"


@pytest.fixture(scope="session")
def kleinland(folder: Path, address: str) -> Served:
    """``folder`` and ``address`` together."""
    return Served(folder, address)


@pytest.fixture(scope="session")
def thueringen(tmp_path_factory: pytest.TempPathFactory, release: Callable[..., Outcome]) -> Iterator[Served]:
    """A release of the default profile."""
    built = _shared(
        tmp_path_factory, "thueringen", lambda outputs: _released(release(GEODATA, outputs, DAY, profile="thueringen"))
    )
    with serving(built.parents[1]) as origin:
        yield Served(built, f"{origin}/releases/{built.name}")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, release: Callable[..., Outcome]) -> Iterator[Served]:
    """A release of the demonstration, whose answers are invented."""
    built = _shared(tmp_path_factory, "demo", lambda outputs: _released(release(GEODATA, outputs, DAY, profile="demo")))
    # Its place in the outputs is part of its addresses.
    with serving(built.parents[2]) as origin:
        yield Served(built, f"{origin}/{built.relative_to(built.parents[2]).as_posix()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
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


def foreign(requests: list[str], address: str) -> list[str]:
    """The requests that leave the origin of ``address``."""
    origin = "/".join(address.split("/")[:3])
    return [request for request in requests if not request.startswith((f"{origin}/", f"blob:{origin}", "data:"))]
