"""The page "Karte" and the embedded map, used in a real Chromium as readers use them."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from map_page import NO_WEBGL, drawn, facts, listed, opened, query
from playwright.sync_api import Browser, expect
from site_browser import DESKTOP, HOSTILE, NARROW, PHONE, Elements, Served

from flows.german import number
from flows.paths import ASSETS
from flows.site.karte import MODULES

pytest_plugins = ["site_browser"]
pytestmark = [pytest.mark.slow, pytest.mark.browser]

# Weight of the page without MapLibre's own files, as browsers fetch it (issue 4).
MOST_BYTES = 350_000


# --- What lies in the release ---------------------------------------------------------------------------------------


def test_the_page_names_every_module_it_loads() -> None:
    loaded: set[str] = set()
    waiting = ["karte.js"]
    while waiting:
        text = (ASSETS / "js" / waiting.pop()).read_text(encoding="utf-8")
        found = set(re.findall(r"from '\./([a-z]+\.js)'", text)) - loaded
        loaded |= found
        waiting += found
    assert loaded == set(MODULES)


def test_the_page_is_light(thueringen: Served) -> None:
    found = Elements((thueringen.folder / "index.html").read_text(encoding="utf-8"))
    links = [str(one["href"]) for one in found.of("link")]
    scripts = [str(one["src"]) for one in found.of("script") if "src" in one]
    files = {"index.html", "assets/karte.svg", *links, *scripts} - {"assets/maplibre-gl.css"}
    sizes = {name: len(gzip.compress((thueringen.folder / name).read_bytes())) for name in sorted(files)}
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_without_scripts_list_picture_and_tables_tell_what_is_known(browser: Browser, thueringen: Served) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=NARROW)
    page = context.new_page()
    page.goto(f"{thueringen.address}/index.html")
    told = facts(thueringen)
    expect(page.locator("#karte-bild")).to_be_visible()
    expect(page.locator("#suche")).to_be_hidden()
    expect(page.locator("#filter")).to_be_hidden()
    names = {body["name"] for body in told["gremien"]}
    text = page.locator("#eintraege").inner_text()
    assert [name for name in names if name not in text] == []
    pages = page.locator("#eintraege .eintrag-name").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    assert len(pages) >= len(names) / 2
    assert [one for one in pages if not (thueringen.folder / one).is_file()] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    context.close()


def test_opened_from_a_folder_the_page_says_so(browser: Browser, folder: Path) -> None:
    page = browser.new_page(viewport=DESKTOP)
    page.goto((folder / "index.html").as_uri())
    expect(page.get_by_text("Aus einem Ordner geöffnet")).to_be_visible()
    expect(page.locator("#karte-bild")).to_be_visible()
    expect(page.locator("#suche")).to_be_hidden()
    assert page.locator("#eintraege .eintrag-name").count() > 0
    page.close()


# --- Finding, filtering, sharing ------------------------------------------------------------------------------------


def test_a_town_is_found_by_its_name_and_told(browser: Browser, thueringen: Served) -> None:
    with opened(browser, f"{thueringen.address}/index.html") as page:
        search = page.get_by_role("combobox", name="Ort suchen")
        search.fill("muehlh")
        expect(page.locator("#suche-liste").get_by_role("option")).to_have_count(1)
        search.press("ArrowDown")
        expect(search).to_have_attribute("aria-activedescendant", "suche-0")
        search.press("Enter")
        panel = page.get_by_role("region", name="Mühlhausen/Thüringen")
        expect(panel).to_be_focused()
        told = facts(thueringen)["gemeinden"]
        place = told["name"].index("Mühlhausen/Thüringen")
        expect(panel).to_contain_text(number(told["einwohner"][place]))
        expect(panel).to_contain_text("Einwohner am 31.12.2018")
        expect(panel).to_contain_text("Unstrut-Hainich-Kreis")
        expect(panel).to_contain_text("Befragt, Antwort nicht veröffentlicht")
        expect(panel).to_contain_text("Aktiv (Stand 16.04.2024)")
        expect(panel).to_contain_text("Was wir nicht wissen")
        expect(panel).to_contain_text("Eine Adresse ist in dieser Ausgabe noch nicht angegeben")
        assert query(page) == f"ort={told['ags'][place]}"


def test_an_old_name_leads_to_the_municipality_of_today(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html") as page:
        page.get_by_role("combobox", name="Ort suchen").fill("lindau")
        expect(page.locator("#suche-liste").get_by_role("option")).to_have_text("Lindau auf der Karte in Neudorna")
        page.locator("#suche-liste").get_by_role("option").click()
        expect(page.get_by_role("region", name="Neudorna")).to_be_visible()


def test_a_name_that_nobody_bears_is_said_to_be_not_found(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html") as page:
        page.get_by_role("combobox", name="Ort suchen").fill("Atlantis")
        expect(page.locator("#suche-meldung")).to_have_text("Keine Gemeinde mit diesem Namen gefunden.")
        expect(page.locator("#suche-meldung")).to_be_visible()


def test_list_counts_and_map_agree_about_a_topic(browser: Browser, thueringen: Served) -> None:
    told = facts(thueringen)
    topic = "vandalismus_graffiti"
    bodies = [body for body in told["gremien"] if topic in body["themen"]]
    places = {place for body in bodies for place in body["orte"]}
    assert 0 < len(places) < len(told["gemeinden"]["ags"])
    with opened(browser, f"{thueringen.address}/index.html", webgl=True) as page:
        drawn(page)
        page.get_by_label("Thema").select_option(topic)
        names = {told["gemeinden"]["name"][place] for place in places}
        assert set(listed(page)) == names
        assert page.locator("#eintraege .ort-gremien li").count() == sum(len(body["orte"]) for body in bodies)
        expect(page.locator("#ergebnis")).to_contain_text(
            f"{len(places)} von {number(len(told['gemeinden']['ags']))} Gemeinden"
        )
        expect(page.locator("#ergebnis")).to_contain_text(f"{len(bodies)} von {len(told['gremien'])} bekannten Gremien")
        assert sum(int(count) for count in page.locator("[data-anzahl^='status ']").all_inner_texts()) == len(bodies)
        assert page.locator("#filter-thema option:checked").inner_text().endswith(f"({len(bodies)})")
        # The map names the towns that fit and no others.
        page.wait_for_function("names => names === document.querySelectorAll('.ortsname').length", arg=len(names))
        assert set(page.locator(".ortsname").all_inner_texts()) == names


def test_a_shared_address_shows_the_same_and_the_back_button_leads_back(browser: Browser, thueringen: Served) -> None:
    start = f"{thueringen.address}/index.html"
    with opened(browser, start) as page:
        everything = page.locator("#ergebnis").inner_text()
        page.get_by_label("Mitglied").select_option("schulen")
        page.get_by_label("Status").select_option("aktiv")
        filtered = page.locator("#ergebnis").inner_text()
        page.locator("#eintraege .eintrag-name").first.click()
        town = page.locator("#auskunft-titel").inner_text()
        shared = page.url
        names = listed(page)
        page.go_back()
        expect(page.locator("#auskunft")).to_be_hidden()
        assert page.locator("#ergebnis").inner_text() == filtered
        page.go_back()
        page.go_back()
        assert page.url == start
        assert page.locator("#ergebnis").inner_text() == everything
        expect(page.get_by_label("Status")).to_have_value("")
    with opened(browser, shared) as page:
        expect(page.locator("#auskunft-titel")).to_have_text(town)
        assert page.locator("#ergebnis").inner_text() == filtered
        assert listed(page) == names
        page.get_by_role("button", name="Zurücksetzen").click()
        assert page.url == start
        expect(page.locator("#auskunft")).to_be_hidden()


def test_an_unknown_choice_in_the_address_is_said_not_hidden(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html?thema=%3Cimg%20src%3Dx%3E") as page:
        expect(page.locator("#ergebnis")).to_contain_text("thema=<img src=x>")
        assert page.locator("#ergebnis img").count() == 0


def test_where_there_is_one_land_it_is_no_choice(browser: Browser, kleinland: Served) -> None:
    assert facts(kleinland)["codes"]["land"] == []
    with opened(browser, f"{kleinland.address}/index.html?land=99") as page:
        expect(page.locator("#ergebnis")).to_contain_text("Nicht angewendet, weil es das in dieser Ausgabe nicht gibt")
        expect(page.get_by_label("Land", exact=True)).to_have_count(0)
        assert page.locator("#kreise thead th").all_inner_texts()[:2] == ["Kreis", "Art"]
        assert page.locator("#filter-kreis optgroup").count() == 0
        assert page.locator("th code", has_text="land").count() == 0
        assert page.locator("th code", has_text="kreis").count() == 1


def test_nothing_found_is_not_told_as_nothing_there(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html?thema=einbruchschutz&kreis=99002") as page:
        expect(page.locator("#eintraege")).to_contain_text("Keine Gemeinde passt zu dieser Auswahl.")
        expect(page.locator("#eintraege")).to_contain_text("Es heißt nicht, dass es so etwas nicht gibt.")
        page.get_by_role("button", name="Filter zurücksetzen").press("Enter")
        assert query(page) == ""
        assert page.locator("#eintraege .eintrag-name").count() == 7
        # The button is gone with its sentence; the keyboard goes on where a new search begins.
        expect(page.get_by_role("combobox", name="Ort suchen")).to_be_focused()


def test_a_committee_of_two_municipalities_stands_in_both_and_counts_once(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html?art=runder_tisch&status=aktiv&kreis=99001") as page:
        assert sorted(listed(page)) == ["Eichen", "Gronau"]
        expect(page.locator("#ergebnis")).to_contain_text("1 von 6 bekannten Gremien")


# --- The panel ------------------------------------------------------------------------------------------------------


def test_where_no_committee_is_known_the_panel_says_just_that(browser: Browser, thueringen: Served) -> None:
    told = facts(thueringen)["gemeinden"]
    place = told["name"].index("Suhl")
    with opened(browser, f"{thueringen.address}/index.html?ort={told['ags'][place]}") as page:
        panel = page.get_by_role("region", name="Suhl")
        expect(panel).to_contain_text(
            "Uns ist kein Präventionsgremium aus öffentlichen Belegen bekannt. Das heißt nicht, dass es keines gibt."
        )
        expect(panel.get_by_role("link", name="Beratungsordner")).to_be_visible()
        own = panel.get_by_role("link", name="Eigene Seite: Suhl").get_attribute("href")
        assert (thueringen.folder / str(own)).is_file()


def test_the_newest_dated_evidence_speaks_and_a_hostile_name_is_text(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html?ort=99001001") as page:
        panel = page.get_by_role("region", name="Aldorf")
        expect(panel.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
        expect(panel).to_contain_text("Aktiv (Stand 21.08.2024)")
        panel.get_by_text("3 Belege").click()
        expect(panel).to_contain_text("ohne Datum · zeigt: Aufgelöst")
        expect(panel.get_by_role("link", name="aldorf.example").first).to_have_attribute("rel", "noopener noreferrer")
        # Not known is said, not left out.
        expect(panel).to_contain_text("Unklar (Stand 2021)")
        expect(panel).to_contain_text("außerdem Gründungsjahr, Vorsitz, Turnus")
        assert page.locator("img[src=x]").count() == 0


def test_a_mistake_is_reported_with_the_id_of_its_record(browser: Browser, kleinland: Served) -> None:
    told = json.dumps(facts(kleinland) | {"meldung": "praevention@kleinland.example"})
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.add_init_script(NO_WEBGL)
    page.route("**/karte.json", lambda route: route.fulfill(body=told, content_type="application/json"))
    page.goto(f"{kleinland.address}/index.html?ort=99002002")
    reports = page.locator("#auskunft a.melden")
    expect(reports).to_have_count(3)
    addresses = [unquote(str(link.get_attribute("href"))) for link in reports.all()]
    assert all(one.startswith("mailto:praevention@kleinland.example?subject=") for one in addresses)
    for record in ("ilmen-runder-tisch", "ilmen-praeventionsrat", "99002002"):
        assert any(f"Eintrag: {record}\n" in one for one in addresses)
    context.close()


def test_the_key_of_another_date_opens_the_same_town(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html?ort=99002005") as page:
        expect(page.get_by_role("region", name="Eichen")).to_be_visible()
        # Nothing in the page opened the panel, so there is nothing to go back to.
        page.get_by_role("button", name="Auskunft schließen").press("Enter")
        expect(page.get_by_role("combobox", name="Ort suchen")).to_be_focused()


def test_evidence_that_cannot_be_reached_any_more_is_told_so(browser: Browser, kleinland: Served) -> None:
    told = facts(kleinland)
    body = next(body for body in told["gremien"] if body["id"] == "ilmen-runder-tisch")
    body["belege"][0]["zustand"] = "Seite nicht mehr erreichbar (geprüft am 20.11.2026)"
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.add_init_script(NO_WEBGL)
    page.route("**/karte.json", lambda route: route.fulfill(json=told))
    page.goto(f"{kleinland.address}/index.html?ort=99002002")
    expect(page.locator("#auskunft-ilmen-runder-tisch")).to_contain_text(
        "nicht mehr erreichbar (geprüft am 20.11.2026)"
    )
    context.close()


def test_a_sign_on_the_map_opens_its_town(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html?art=ordnungspartnerschaft", webgl=True) as page:
        drawn(page)
        page.wait_for_function("document.querySelectorAll('.ortsname').length === 1")
        name = page.locator(".ortsname").bounding_box()
        assert name is not None
        # The only name stands below its sign.
        page.mouse.move(name["x"] + name["width"] / 2, name["y"] - 8)
        expect(page.locator("#eintraege .hervor")).to_contain_text("Eichen")
        page.mouse.click(name["x"] + name["width"] / 2, name["y"] - 8)
        expect(page.get_by_role("region", name="Eichen")).to_be_visible()
        expect(page.locator("#auskunft .gemeint")).to_contain_text("Ordnungspartnerschaft Eichen")


def test_the_keyboard_alone_is_enough(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html", webgl=True) as page:
        drawn(page)
        search = page.get_by_role("combobox", name="Ort suchen")
        search.focus()
        page.keyboard.type("ilm")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Ilmen")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#auskunft")).to_be_hidden()
        expect(search).to_be_focused()
        entry = page.locator("#eintraege .eintrag-name").first
        for _ in range(40):
            page.keyboard.press("Tab")
            if entry.evaluate("link => link === document.activeElement"):
                break
        expect(entry).to_be_focused()
        expect(page.locator("#eintraege .hervor")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator("#auskunft")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Auskunft schließen")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#auskunft")).to_be_hidden()
        expect(page.locator("#eintraege .eintrag-name").first).to_be_focused()


# --- Other circumstances --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [PHONE, NARROW], ids=["phone", "narrow"])
def test_on_a_phone_map_and_list_take_turns(browser: Browser, kleinland: Served, size: dict[str, int]) -> None:
    with opened(browser, f"{kleinland.address}/index.html", size, webgl=True) as page:
        drawn(page)
        expect(page.locator("#karte canvas")).to_be_visible()
        expect(page.locator("#liste")).to_be_hidden()
        page.get_by_role("button", name="Liste").click()
        expect(page.locator("#liste")).to_be_visible()
        expect(page.locator("#karte canvas")).to_be_hidden()
        assert query(page) == "ansicht=liste"
        page.get_by_role("button", name="Filter", exact=True).click()
        page.get_by_label("Kreis", exact=True).select_option("99002")
        page.get_by_role("link", name="Ilmen").click()
        expect(page.get_by_role("region", name="Ilmen")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        page.get_by_role("button", name="Zurücksetzen").click()
        assert query(page) == "ansicht=liste"
        expect(page.locator("#liste")).to_be_visible()


def test_without_webgl_the_picture_stays_and_the_filters_work(browser: Browser, kleinland: Served) -> None:
    with opened(browser, f"{kleinland.address}/index.html") as page:
        expect(page.get_by_text("WebGL fehlt")).to_be_visible()
        expect(page.locator("#karte-bild")).to_be_visible()
        expect(page.locator("#karte")).to_be_hidden()
        page.get_by_label("Thema").select_option("einbruchschutz")
        assert listed(page) == ["Aldorf"]
        page.get_by_role("link", name="Aldorf").click()
        expect(page.get_by_role("region", name="Aldorf")).to_be_visible()


@pytest.mark.parametrize(
    ("lost", "said", "list_works"),
    [("maplibre-gl.js", "Die bewegliche Karte ließ sich nicht laden.", True), ("karte.json", "Die Daten", False)],
)
def test_what_cannot_be_loaded_is_said_and_the_rest_stays(
    browser: Browser, kleinland: Served, lost: str, said: str, list_works: bool
) -> None:
    context = browser.new_context(viewport=DESKTOP, locale="de-DE")
    page = context.new_page()
    page.route(f"**/{lost}", lambda route: route.abort())
    page.goto(f"{kleinland.address}/index.html")
    expect(page.locator("#karte-meldung")).to_contain_text(said)
    expect(page.locator("#karte-meldung")).not_to_contain_text("WebGL")
    expect(page.locator("#karte-bild")).to_be_visible()
    if list_works:
        page.get_by_label("Thema").select_option("einbruchschutz")
        assert listed(page) == ["Aldorf"]
    else:
        expect(page.locator("#suche")).to_be_hidden()
        assert page.locator("#eintraege .eintrag-name").count() > 0
    context.close()


def test_the_embedded_map_carries_state_attribution_and_marks(browser: Browser, demo: Served) -> None:
    with opened(browser, f"{demo.address}/index.html?thema=alkohol") as page:
        page.get_by_text("Diese Karte teilen oder einbetten").click()
        line = page.locator("#einbetten-code").inner_text()
    found = re.search('src="([^"]+)"', line)
    assert found is not None
    with opened(browser, found[1], {"width": 640, "height": 720}, webgl=True) as page:
        drawn(page)
        expect(page.locator("body")).to_contain_text("SYNTHETISCH")
        expect(page.locator("body")).to_contain_text("Entwurf, nicht veröffentlicht")
        expect(page.locator("footer")).to_contain_text("Kartengrundlage: ©")
        expect(page.locator("#ergebnis")).to_contain_text("Thema „Alkohol im öffentlichen Raum“")
        expect(page.locator("#volle-karte")).to_have_attribute("href", "index.html?thema=alkohol")
        page.get_by_role("button", name="Liste").click()
        page.locator("#eintraege .eintrag-name").first.click()
        expect(page.locator("#auskunft")).to_contain_text("SYNTHETISCH")
        # Links leave the frame.
        assert page.locator("#auskunft a[href]:not([target=_blank])").count() == 0
