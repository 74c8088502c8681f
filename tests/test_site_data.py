"""The page "Daten", the feed, the sitemap, and what pages learn of releases that came after theirs."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pyogrio
import pytest
from conftest import DAY, build_geodata, profile_of
from packaged import ADDRESS, fill_in
from playwright.sync_api import Browser
from pmtiles.reader import MmapSource, Reader
from site_browser import HOSTILE, Served, observed, serving

from flows.german import number, size
from flows.metadata.changes import READING
from flows.operations import rollback
from flows.profile import SYNTHETIC_MARK, Profile
from flows.rebuild import rebuild_faults
from flows.run import Run
from flows.site import feed
from flows.site.daten import bibtex
from flows.site.facts import Facts
from flows.site.feed import MOST_ENTRIES, Changes, summary
from flows.site.pages import Site
from flows.site.sitemap import is_listed
from flows.stages import Outcome, store_of
from flows.store import Store, locked
from flows.targets.local import LocalTarget
from flows.withdrawal import withdraw

pytest_plugins = ["site_browser"]

FIRST, SECOND = "2026.02.01", "2026.02.03"
SECOND_DAY = date(2026, 2, 3)
RENAMED = "Runder Tisch Ilmen"
NAMES = {"atom": "http://www.w3.org/2005/Atom", "map": "http://www.sitemaps.org/schemas/sitemap/0.9"}
COPIED = re.compile(r'<pre class="kopie" data-kopie="([^"]*)"><code>(.*?)</code></pre>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Published:
    """A store with two public releases, of which the second renames a committee."""

    outputs: Path
    store: Store
    profile: Profile

    def folder(self, release_id: str) -> Path:
        return self.outputs / "releases" / release_id


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, release: Callable[..., Outcome]) -> Published:
    place = tmp_path_factory.mktemp("oeffentlich")
    geodata = build_geodata(place / "geodata")
    fill_in(geodata / "kleinland" / "profile.toml")
    outputs = place / "outputs"
    assert release(geodata, outputs).result == "published"
    committees = geodata / "kleinland" / "committees.csv"
    text = committees.read_text(encoding="utf-8")
    assert RENAMED in text
    committees.write_text(text.replace(RENAMED, f"{RENAMED} und Umland"), encoding="utf-8")
    assert release(geodata, outputs, SECOND_DAY).result == "published"
    profile = profile_of(geodata)
    return Published(outputs, store_of(profile, outputs), profile)


def page(folder: Path) -> str:
    return (folder / "daten.html").read_text(encoding="utf-8")


def lines_to_paste(folder: Path) -> dict[str, str]:
    """The lines that the page offers for pasting, by what they are for."""
    return {unescape(about): unescape(lines) for about, lines in COPIED.findall(page(folder))}


def table(folder: Path, dataset: str) -> list[dict[str, str]]:
    with (folder / f"{dataset}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def datasets(folder: Path) -> dict[str, dict[str, Any]]:
    """The tables that ``datapackage.json`` describes, but for the code lists, by name."""
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    tables = (one for one in descriptor["resources"] if one.get("type") == "table")
    return {one["name"]: one for one in tables if "/" not in one["path"] and not one["name"].startswith("code")}


# --- datasets ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_dataset_is_there_with_its_rows_files_and_columns(folder: Path) -> None:
    text = page(folder)
    for name, described in datasets(folder).items():
        section = text.partition(f'<section id="datensatz-{name}"')[2].partition("</section>")[0]
        rows = len(table(folder, name))
        assert f"{number(rows)} {'Zeile' if rows == 1 else 'Zeilen'}" in section
        for path in folder.glob(f"{name}.*"):
            if path.suffix in {".csv", ".geojson", ".fgb", ".parquet"}:
                assert f'href="{path.name}" download' in section
                assert size(path.stat().st_size) in section
        for column in described["schema"]["fields"]:
            assert f'<th scope="row"><code>{column["name"]}</code></th>' in section
            assert column["description"] in unescape(section)


def test_the_preview_shows_the_first_rows_as_they_stand_in_the_file(folder: Path) -> None:
    preview = page(folder).partition('<table class="vorschau">')[2].partition("</table>")[0]
    shown = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", preview, re.DOTALL)[1:]]
    rows = [list(row.values()) for row in table(folder, "gemeinden")][:10]
    assert [[unescape(cell) for cell in row] for row in shown] == [
        [cell or '<span class="leise">leer</span>' for cell in row] for row in rows
    ]


def test_a_hostile_name_in_the_preview_is_text(folder: Path) -> None:
    assert HOSTILE not in page(folder)
    assert HOSTILE in unescape(page(folder))


def test_allowed_values_are_said_in_words(folder: Path) -> None:
    section = page(folder).partition('<section id="datensatz-gremien"')[2].partition("</section>")[0]
    assert "genau 8 Ziffern" in section
    assert "mehrere Werte, getrennt mit „;“" in section
    with (folder / "codelisten" / "gremium_status.csv").open(encoding="utf-8", newline="") as stream:
        for code in csv.DictReader(stream):
            assert f"<dt><code>{code['code']}</code></dt><dd>{code['bezeichnung']}</dd>" in section
    assert 'href="codelisten/gremium_status.csv" download' in section


def test_a_file_that_holds_several_datasets_says_which(folder: Path) -> None:
    named = dict(
        re.findall(
            r'<li><a href="([^"]+)" download>.*?</a><span class="zusatz">[^:<]+: ([^<]+)</span></li>', page(folder)
        )
    )
    assert {Path(name).suffix for name in named} == {".gpkg", ".pmtiles", ".qgz", ".xlsx"}
    every = datasets(folder)
    layers = {name for name, _ in pyogrio.list_layers(folder / "praeventionskarte.gpkg")}
    assert every.keys() <= layers
    assert named["praeventionskarte.gpkg"] == "alle Datensätze"
    with (folder / "praeventionskarte.pmtiles").open("rb") as stream:
        tiles = [layer["id"] for layer in Reader(MmapSource(stream)).metadata()["vector_layers"]]
    titles = " und ".join(every[name]["title"] for name in sorted(tiles))
    assert named["praeventionskarte.pmtiles"] == f"{titles}, als Kartenkacheln"


# --- lines to paste ------------------------------------------------------------------------------------------------


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def python_columns(lines: str, name: str) -> dict[str, list[Any]]:
    """The columns of the table that the lines leave under the dataset's name."""
    names: dict[str, Any] = {}
    exec(lines, names)
    return {column: list(names[name][column]) for column in names[name].columns}


def assert_whole(columns: dict[str, list[Any]], folder: Path, dataset: str) -> None:
    """As many rows as in the file, and every text (keys above all) as it stands there."""
    expected = table(folder, dataset)
    texts = [field for field in datasets(folder)[dataset]["schema"]["fields"] if field["type"] == "string"]
    for field in texts:
        values = [value if isinstance(value, str) else "" for value in columns[field["name"]]]
        assert sorted(values) == sorted(row[field["name"]] for row in expected), field["name"]


def test_the_lines_for_python_give_the_whole_dataset(folder: Path) -> None:
    offered = lines_to_paste(folder)
    with working_in(folder):
        for name, described in datasets(folder).items():
            columns = python_columns(offered[f"Zeilen für Python, {described['title']}"], name)
            assert_whole(columns, folder, name)


def test_the_lines_for_duckdb_give_the_whole_dataset(folder: Path) -> None:
    offered = lines_to_paste(folder)
    with working_in(folder), duckdb.connect() as con:
        for name, described in datasets(folder).items():
            answer = con.execute(offered[f"Zeilen für DuckDB, {described['title']}"])
            names = [column[0] for column in answer.description or ()]
            rows = answer.fetchall()
            assert_whole({column: [row[i] for row in rows] for i, column in enumerate(names)}, folder, name)


def test_the_lines_for_r_name_the_text_columns_that_look_like_numbers(folder: Path) -> None:
    offered = lines_to_paste(folder)
    assert offered["Zeilen für R, Gremien und Gemeinden"] == (
        'gremien_gemeinden <- read.csv("gremien_gemeinden.csv", na.strings = "", encoding = "UTF-8", '
        'colClasses = c(ags = "character", ags_angabe = "character"))'
    )
    assert offered["Zeilen für R, Präventionsgremien"] == 'library(sf)\ngremien <- st_read("gremien.fgb")'


def test_the_lines_for_excel_name_the_workbook_and_the_sheet(folder: Path) -> None:
    offered = lines_to_paste(folder)
    for described in datasets(folder).values():
        assert (folder / offered[f"Zeilen für Excel, {described['title']}"]).is_file()
    assert "auf dem Blatt „Präventionsgremien“" in page(folder)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.slow
def test_lines_with_an_address_work_against_a_served_release(published: Published) -> None:
    """The lines of a public release, with the server of this machine in the place of the public address."""
    built = published.folder(SECOND)
    offered = lines_to_paste(built)
    with serving(published.outputs) as origin:
        for name, described in datasets(built).items():
            for tool in ("Excel", "QGIS", "R", "Python", "DuckDB"):
                assert f"{ADDRESS}/releases/{SECOND}/" in offered[f"Zeilen für {tool}, {described['title']}"]
            lines = offered[f"Zeilen für Python, {described['title']}"].replace(ADDRESS, origin)
            assert_whole(python_columns(lines, name), built, name)
            layer = offered[f"Zeilen für QGIS, {described['title']}"].replace(ADDRESS, origin)
            assert pyogrio.read_info(layer, force_feature_count=True)["features"] == len(table(built, name))


# --- citation, licence, addresses, checksums -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.slow
def test_citation_licence_and_attribution_can_be_copied(published: Published) -> None:
    offered = lines_to_paste(published.folder(SECOND))
    assert offered["Zitat"].startswith("Präventionsstelle Kleinland (2026): Präventionskarte Kleinland.")
    assert f"{ADDRESS}/releases/{SECOND}/" in offered["Zitat"]
    assert offered["Quellenvermerk"].startswith(offered["Zitat"])
    assert "Enthält: Kleinland, erfundene Daten" in offered["Quellenvermerk"]
    assert offered["BibTeX"].count("{") == offered["BibTeX"].count("}")
    assert f"url = {{{ADDRESS}/releases/{SECOND}/}}" in offered["BibTeX"]


def test_bibtex_takes_no_name_for_markup(geodata: Path, store: Store, tmp_path: Path) -> None:
    profile = replace(profile_of(geodata), title="Rat & Tat_{100 %}")
    text = bibtex(Run(profile, DAY, store, FIRST, tmp_path))
    assert "title = {{Rat \\& Tat\\_\\{100 \\%\\}}}" in text
    assert text.startswith(f"@misc{{praeventionskarte-{FIRST},\n")


@pytest.mark.slow
@pytest.mark.slow
def test_stable_addresses_are_given_once_there_are_any(published: Published, folder: Path) -> None:
    offered = lines_to_paste(published.folder(SECOND))
    assert offered["Adresse der neuesten Ausgabe"] == f"{ADDRESS}/latest/"
    assert offered["Adresse dieser Ausgabe"] == f"{ADDRESS}/releases/{SECOND}/"
    assert "Adresse der neuesten Ausgabe" not in lines_to_paste(folder)
    assert "Eine öffentliche Adresse ist noch nicht festgelegt." in page(folder)


@pytest.mark.parametrize("system", ["Linux", "macOS"])
def test_the_lines_for_checksums_find_a_changed_file(folder: Path, tmp_path: Path, system: str) -> None:
    line = lines_to_paste(folder)[f"Befehl zum Prüfen unter {system}"]
    if not shutil.which(line.split()[0]):
        pytest.skip(f"no {line.split()[0]} on this machine")
    for name in ("SHA256SUMS", "gremien.csv"):
        shutil.copyfile(folder / name, tmp_path / name)
    assert subprocess.run(line.split(), cwd=tmp_path, capture_output=True, check=False).returncode == 0
    with (tmp_path / "gremien.csv").open("a", encoding="utf-8") as stream:
        stream.write("x")
    assert subprocess.run(line.split(), cwd=tmp_path, capture_output=True, check=False).returncode == 1


# --- changes and the feed ------------------------------------------------------------------------------------------


def feed_of(folder: Path) -> ElementTree.Element:
    return ElementTree.parse(folder / feed.FILE).getroot()


def told(folder: Path) -> dict[str, str]:
    """What the feed says of each release, newest first."""
    entries = feed_of(folder).findall("atom:entry", NAMES)
    return {entry.findtext("atom:title", "", NAMES): entry.findtext("atom:summary", "", NAMES) for entry in entries}


@pytest.mark.slow
def test_the_first_release_has_nothing_to_compare_with(published: Published) -> None:
    sentence = "Es gibt keine frühere Ausgabe, mit der diese verglichen wurde."
    assert told(published.folder(FIRST)) == {f"Ausgabe {FIRST}": sentence}
    assert sentence in page(published.folder(FIRST))


@pytest.mark.slow
def test_the_feed_tells_changes_in_counts_newest_first_and_no_value(published: Published) -> None:
    entries = told(published.folder(SECOND))
    assert list(entries) == [f"Ausgabe {SECOND}", f"Ausgabe {FIRST}"]
    assert entries[f"Ausgabe {SECOND}"] == (
        f"Verglichen mit Ausgabe {FIRST}. Zeilen je Datensatz: Präventionsgremien 1 geändert; "
        f"Belege zu den Gremien 1 geändert. {READING}"
    )
    assert RENAMED not in (published.folder(SECOND) / feed.FILE).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_tells_the_same_changes(published: Published) -> None:
    text = page(published.folder(SECOND))
    assert f"Verglichen mit Ausgabe {FIRST}." in text
    assert '<tr><th scope="row">Präventionsgremien</th><td>1 geändert</td></tr>' in text
    assert text.count('<tr data-ausgabe="') == 2


@pytest.mark.slow
def test_the_feed_is_one_that_readers_of_rfc_4287_accept(published: Published) -> None:
    for folder in (published.folder(FIRST), published.folder(SECOND)):
        found = feed_of(folder)
        assert found.tag == f"{{{NAMES['atom']}}}feed"
        for element in (found, *found.findall("atom:entry", NAMES)):
            for name in ("id", "title", "updated"):
                assert len(element.findall(f"atom:{name}", NAMES)) == 1
            assert uuid.UUID(element.findtext("atom:id", "", NAMES)).version == 5
            assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T00:00:00Z", element.findtext("atom:updated", "", NAMES))
            links = [link.attrib for link in element.findall("atom:link", NAMES)]
            assert len([link for link in links if link["rel"] == "alternate"]) == 1
            assert all(link["href"].startswith(f"{ADDRESS}/") for link in links)
        assert found.findtext("atom:author/atom:name", "", NAMES)
        assert found.find("atom:link[@rel='self']", NAMES) is not None


@pytest.mark.slow
def test_a_release_keeps_its_id_in_every_feed(published: Published) -> None:
    before, after = (feed_of(published.folder(one)).findall("atom:entry", NAMES) for one in (FIRST, SECOND))
    assert ElementTree.tostring(before[-1]) == ElementTree.tostring(after[-1])
    assert len({entry.findtext("atom:id", "", NAMES) for entry in after}) == 2


@pytest.mark.slow
@pytest.mark.slow
def test_feed_and_page_are_rebuilt_byte_by_byte(published: Published) -> None:
    assert rebuild_faults(published.store, SECOND) == []


def test_links_of_a_draft_are_relative(folder: Path) -> None:
    links = [link.attrib["href"] for link in feed_of(folder).iter(f"{{{NAMES['atom']}}}link")]
    assert links == [feed.FILE, "daten.html", f"../{folder.name}/index.html"]
    assert (folder / links[-1]).is_file()
    assert "Entwurf" in feed_of(folder).findtext("atom:subtitle", "", NAMES)


@pytest.mark.slow
def test_an_invented_release_says_so_in_its_feed(demo: Served) -> None:
    found = feed_of(demo.folder)
    assert SYNTHETIC_MARK in found.findtext("atom:subtitle", "", NAMES)
    for entry in found.findall("atom:entry", NAMES):
        assert entry.findtext("atom:title", "", NAMES).startswith("SYNTHETISCH")
        assert entry.findtext("atom:summary", "", NAMES).startswith(SYNTHETIC_MARK)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (Changes("2026.01.01", {}, 0), "Verglichen mit Ausgabe 2026.01.01. Kein Wert hat sich geändert."),
        (
            Changes("2026.01.01", {}, 2),
            "Verglichen mit Ausgabe 2026.01.01. Kein Wert hat sich geändert. Änderungen an Spalten: 2.",
        ),
        (
            Changes("2026.01.01", {"b": {"neu": 1200}, "a": {"neu": 1, "geaendert": 2, "entfallen": 3}}, 0),
            "Verglichen mit Ausgabe 2026.01.01. Zeilen je Datensatz: A 1 neu, 2 geändert, 3 entfallen; B 1.200 neu. "
            f"{READING}",
        ),
    ],
)
def test_changes_in_words(changes: Changes, sentence: str) -> None:
    assert summary(changes, {"a": "A", "b": "B"}) == sentence


@pytest.mark.slow
def test_the_feed_keeps_the_newest_releases_only(published: Published, tmp_path: Path) -> None:
    """After years of releases: as many as a subscriber needs, not all there ever were."""
    built = published.folder(SECOND)
    run = Run(published.profile, SECOND_DAY, published.store, SECOND, tmp_path)
    for folder in (run.package, run.previous):
        folder.mkdir()
    run.manifest.write_text(json.dumps({"vorherige": "2026.01.01"}), encoding="utf-8")
    shutil.copyfile(built / "changes.csv", run.package / "changes.csv")
    head, entry, rest = re.split(
        r"(<entry>.*?</entry>\n)", (built / feed.FILE).read_text("utf-8"), maxsplit=1, flags=re.S
    )
    (run.previous / feed.FILE).write_text(head + entry * (2 * MOST_ENTRIES) + rest, encoding="utf-8")

    found = feed.entries(Site(run, (), Facts, {}))  # type: ignore[arg-type]

    assert len(found) == MOST_ENTRIES
    assert found[0].release_id == SECOND


# --- sitemap -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_search_engines_find_every_page_of_a_public_release(published: Published) -> None:
    built = published.folder(SECOND)
    found = ElementTree.parse(built / "sitemap.xml").getroot()
    addresses = [unquote(one.text or "") for one in found.iterfind("map:url/map:loc", NAMES)]
    pages = {path.relative_to(built).as_posix() for path in built.rglob("*.html")}
    listed = {address.removeprefix(f"{ADDRESS}/latest/") or "index.html" for address in addresses}
    assert {"index.html", "daten.html", "gremien.html"} <= listed <= pages
    for page in pages - listed:
        text = (built / page).read_text(encoding="utf-8")
        assert 'http-equiv="refresh"' in text or 'content="noindex' in text, page
    assert {one.text for one in found.iterfind("map:url/map:lastmod", NAMES)} == {SECOND_DAY.isoformat()}


def test_a_draft_is_not_to_be_found(folder: Path) -> None:
    assert not (folder / "sitemap.xml").exists()


@pytest.mark.parametrize(("invented", "listed"), [(False, True), (True, False)])
@pytest.mark.slow
def test_what_is_invented_is_not_to_be_found_even_when_all_is_filled_in(
    published: Published, invented: bool, listed: bool
) -> None:
    assert not published.profile.draft
    assert is_listed(replace(published.profile, synthetic=invented)) is listed


@pytest.mark.slow
def test_the_demonstration_has_no_sitemap(demo: Served) -> None:
    assert not (demo.folder / "sitemap.xml").exists()


# --- what pages learn of later releases ----------------------------------------------------------------------------


@pytest.fixture
def changed(published: Published, tmp_path: Path) -> Callable[[Callable[[Store], object]], Published]:
    """Copy the store, do something with it, and get the copy."""

    def change(operation: Callable[[Store], object]) -> Published:
        outputs = tmp_path / "outputs"
        shutil.copytree(published.outputs, outputs, symlinks=True)
        store = replace(published.store, workspace=outputs, target=LocalTarget(outputs))
        with locked(store):
            operation(store)
        return Published(outputs, store, published.profile)

    return change


def look(browser: Browser, address: str) -> tuple[str | None, list[str], list[str]]:
    """What the band of a page says of its release, the rows of the table of releases, and complaints of the browser."""
    page = browser.new_page()
    complaints, _ = observed(page)
    page.goto(address, wait_until="networkidle")
    band = page.locator(".band-ausgabe")
    said = " ".join(band.all_inner_texts()) if band.count() else None
    rows = page.locator("#ausgaben-liste tr").all_inner_texts()
    page.close()
    return said, rows, complaints


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.slow
def test_an_older_release_points_to_the_newer_one(browser: Browser, published: Published) -> None:
    with serving(published.outputs) as origin:
        said, rows, complaints = look(browser, f"{origin}/releases/{FIRST}/daten.html")
    assert said == f"Es gibt eine neuere Ausgabe als diese ({FIRST}): Ausgabe {SECOND}"
    assert [row.split()[0] for row in rows] == [SECOND, FIRST]
    assert complaints == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("place", ["latest", f"releases/{SECOND}"])
@pytest.mark.slow
def test_the_newest_release_says_nothing_of_the_kind(browser: Browser, published: Published, place: str) -> None:
    with serving(published.outputs) as origin:
        said, rows, complaints = look(browser, f"{origin}/{place}/daten.html")
    assert said is None
    assert [row.split()[0] for row in rows] == [SECOND, FIRST]
    assert "1 geändert" in rows[0]
    assert complaints == []


@pytest.mark.slow
@pytest.mark.browser
def test_after_a_rollback_the_newer_release_says_that_it_is_not_the_current_one(
    browser: Browser, changed: Callable[..., Published]
) -> None:
    rolled_back = changed(lambda store: rollback(store, FIRST, "falsche Zahl", SECOND_DAY))
    with serving(rolled_back.outputs) as origin:
        said, _, _ = look(browser, f"{origin}/releases/{SECOND}/index.html")
    assert said == f"Diese Ausgabe ({SECOND}) ist nicht die aktuelle. Aktuell ist wieder: Ausgabe {FIRST}"


@pytest.mark.slow
@pytest.mark.browser
def test_a_withdrawn_release_is_listed_with_its_reason_and_no_link(
    browser: Browser, changed: Callable[..., Published]
) -> None:
    reason = "<b>enthielt</b> einen Namen"
    withdrawn = changed(lambda store: withdraw(store, FIRST, reason, SECOND_DAY))
    with serving(withdrawn.outputs) as origin:
        _, rows, complaints = look(browser, f"{origin}/latest/daten.html")
    assert f"zurückgezogen am 03.02.2026. Grund: {reason}" in rows[1]
    assert complaints == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.slow
def test_a_release_that_is_served_alone_asks_for_no_index(browser: Browser, published: Published) -> None:
    """Elsewhere than below ``releases/`` or ``latest/`` there is none, and asking for it would be an error."""
    with serving(published.outputs) as origin:
        page = browser.new_page()
        _, requests = observed(page)
        built = published.folder(FIRST)
        page.route(
            "**/abseits/**", lambda route: route.fulfill(path=built / route.request.url.partition("abseits/")[2])
        )
        page.goto(f"{origin}/abseits/daten.html", wait_until="networkidle")
        assert page.locator("#ausgaben-liste tr").count() == 1
        assert not [request for request in requests if request.endswith("releases.json")]
        page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_lines_are_copied_with_a_button_that_says_so(browser: Browser, kleinland: Served) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{kleinland.address}/daten.html")
    block = page.locator("pre[data-kopie=Quellenvermerk]")
    page.get_by_role("button", name="Kopieren Quellenvermerk").click()
    page.get_by_text("Kopiert").first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == block.inner_text()
    context.close()
