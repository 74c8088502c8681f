"""Pages of places, committees, offers and method, the legal pages, and the frame around all of them."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import duckdb
import pytest
from conftest import PROFILE, joined_run
from packaged import ADDRESS, filled_in
from playwright.sync_api import Browser, Page, expect
from site_browser import DESKTOP, HOSTILE, NARROW, Elements, Served, observed

from flows.contracts import release_contracts
from flows.database import database as open_database
from flows.paths import GEODATA
from flows.profile import Profile, load_profile
from flows.run import Run
from flows.site.angebote import write_offers
from flows.site.facts import Row, read_facts, rows
from flows.site.gremien import write_committees
from flows.site.methode import write_method
from flows.site.orte import place_file, write_places
from flows.site.pages import Site
from flows.site.rechtliches import write_legal
from flows.site.umleitungen import other_keys

pytest_plugins = ["site_browser"]

# A municipality of the frame that changed its district and so its key on 1 July 2021, and its page.
OLD_KEY, NEW_KEY, TOWN = "99001005", "99002005", "Eichen"
# What a draft says and nothing else.
DRAFT_WORDS = ("Entwurf", "noch nicht ausgefüllt", "Noch nicht festgelegt")
FILES = {"gremien.csv": 1, "quality.md": 1}


def written(run: Run, profile: Profile | None = None) -> Path:
    """The pages of a joined run, written into its package as for ``profile``."""
    run = replace(run, profile=profile or run.profile)
    (run.package / "assets").mkdir(parents=True, exist_ok=True)
    contracts = release_contracts()
    with open_database(run.database) as con:
        site = Site(run, contracts, read_facts(con, run, contracts), FILES)
        for write in (write_places, write_committees, write_offers, write_method, write_legal):
            write(con, site)
    return run.package


@pytest.fixture(scope="module")
def joined(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return joined_run(load_profile(geodata, PROFILE), tmp_path_factory.mktemp("joined"))


@pytest.fixture(scope="module")
def pages(joined: Run) -> Path:
    return written(joined)


@pytest.fixture(scope="module")
def con(joined: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(joined.database) as opened:
        yield opened


def copied(run: Run, work: Path) -> Run:
    """A joined run with a work folder of its own, to be written otherwise."""
    work.mkdir(exist_ok=True)
    for file in (run.database, run.manifest):
        (work / file.name).write_bytes(file.read_bytes())
    return replace(run, work=work)


@pytest.fixture(scope="module")
def public(joined: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a profile in which everything is filled in."""
    return written(copied(joined, tmp_path_factory.mktemp("public")), filled_in(joined.profile))


def page_of(folder: Path, ags: str) -> str:
    """The text of a municipality's page, found by its key alone."""
    (file,) = folder.glob(f"ort/{ags}-*.html")
    return file.read_text(encoding="utf-8")


def words(text: str) -> str:
    """What a reader sees of HTML: no tags, single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def refreshed(folder: Path, key: str) -> str:
    """Where ``ort/<key>.html`` leads."""
    elements = Elements((folder / "ort" / f"{key}.html").read_text(encoding="utf-8"))
    (content,) = [str(one["content"]) for one in elements.of("meta") if one.get("http-equiv") == "refresh"]
    wait, _, target = content.partition("; url=")
    assert wait == "0"
    return target


# --- places ---


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Mühlhausen/Thüringen", "muehlhausen-thueringen"),
        ("Großbreitenbach", "grossbreitenbach"),
        ("Bad Frankenhausen/Kyffhäuser", "bad-frankenhausen-kyffhaeuser"),
        ("Łęknica Åby", "eknica-aby"),
        (HOSTILE, "img-src-x-onerror-alert-1"),
    ],
)
def test_a_place_has_an_address_of_plain_letters(name: str, slug: str) -> None:
    assert place_file("16064046", name) == f"ort/16064046-{slug}.html"


@pytest.mark.slow
def test_every_surveyed_town_and_every_place_with_a_committee_has_a_page(
    pages: Path, con: duckdb.DuckDBPyConnection
) -> None:
    wanted = con.execute(
        "SELECT ags FROM release.gemeinden WHERE in_befragung UNION SELECT ags FROM release.gremien_gemeinden"
    ).fetchall()
    made = {path.name.split("-")[0] for path in pages.glob("ort/*-*.html")}
    assert made == {ags for (ags,) in wanted}
    # One shares a committee that is first named elsewhere, and was not asked.
    assert "99001006" in made


def test_a_page_tells_what_is_known_of_each_committee_with_its_date(
    pages: Path, con: duckdb.DuckDBPyConnection
) -> None:
    text = words(page_of(pages, "99001001"))
    assert "Präventionsrat Aldorf Aktiv Stand 21.08.2024 Art Präventionsrat Gegründet 2015" in text
    assert "Vorsitz Bürgermeisterin oder Bürgermeister Stand 21.08.2024" in text
    assert "Arbeitsgruppe Bahnhof Unklar Stand 2021" in text
    pieces = rows(
        con,
        "SELECT b.* FROM release.gremien_belege b JOIN release.gremien g USING (gremium_id) WHERE g.ags = '99001001'",
    )
    assert len(pieces) > 3
    for piece in pieces:
        assert piece["zeigt"] in text
        assert f'href="{piece["url"]}"' in page_of(pages, "99001001")


def test_a_status_never_stands_without_its_date(pages: Path) -> None:
    for file in pages.glob("ort/*-*.html"):
        for line in re.findall(r'<p class="stand">(.*)</p>', file.read_text(encoding="utf-8")):
            assert re.search(r"Stand (\S+ )?[\d.]+$|nur Belege ohne Datum$", words(line)), (file.name, words(line))


def test_a_page_says_what_is_not_known(pages: Path) -> None:
    text = words(page_of(pages, "99001001"))
    assert "Ob die genannten Gremien heute noch arbeiten und ob es weitere gibt." in text
    assert "Arbeitsgruppe Bahnhof: Gründungsjahr, Vorsitz, Turnus sind nicht belegt." in text
    assert "Ob Aldorf auf die Befragung geantwortet hat und was: Das ist nicht öffentlich" in text
    one = words(page_of(pages, "99001006"))
    assert "Ob das genannte Gremium heute noch arbeitet und ob es weitere gibt." in one


def test_a_surveyed_town_of_which_no_committee_is_known_is_not_said_to_have_none(
    make_geodata: Callable[..., Path], geodata: Path, tmp_path: Path
) -> None:
    without = {
        name: "".join(
            line
            for line in (geodata / PROFILE / name).read_text(encoding="utf-8").splitlines(keepends=True)
            if not line.startswith("eichen-")
        )
        for name in ("committees.csv", "evidence.csv")
    }
    folder = written(joined_run(load_profile(make_geodata(without), PROFILE), tmp_path / "work"))
    text = words(page_of(folder, OLD_KEY))
    # From public evidence, for an answer to the survey may stand on the same page and name one.
    assert "Uns ist kein Präventionsgremium aus öffentlichen Belegen bekannt." in text
    assert "Das heißt nicht, dass es keines gibt." in text
    assert "Ob es in Eichen ein Präventionsgremium gibt. Öffentliche Belege dafür kennen wir nicht." in text
    # Who looks for a committee in vain may want to found one.
    (guide,) = csv.DictReader((geodata / PROFILE / "resources.csv").read_text(encoding="utf-8").splitlines())
    link = f'<a href="../angebote.html#angebot-{guide["angebot_id"]}">{guide["titel"]}</a>'
    assert link in page_of(folder, OLD_KEY)
    assert f'id="angebot-{guide["angebot_id"]}"' in (folder / "angebote.html").read_text(encoding="utf-8")


def test_no_page_claims_an_answer_of_a_town_that_is_not_public(pages: Path, con: duckdb.DuckDBPyConnection) -> None:
    for (ags,) in con.execute("SELECT ags FROM release.gemeinden WHERE in_befragung").fetchall():
        text = words(page_of(pages, ags))
        assert "Befragt, Antwort nicht veröffentlicht" in text
        assert "Angabe zu Gremien" not in text
        assert "Antwort durch" not in text


def test_hints_of_a_place_stand_apart_and_are_marked(pages: Path) -> None:
    text = page_of(pages, "99001006")
    before, _, after = text.partition('<section id="hinweise"')
    assert "Treffen zur Sicherheit am Bad" not in before
    assert "Treffen zur Sicherheit am Bad" in after
    assert "Sie belegen kein Gremium und werden nirgends mitgezählt" in words(after)


def test_a_place_is_shown_in_the_picture_of_its_land(pages: Path) -> None:
    elements = Elements(page_of(pages, "99001001"))
    (picture,) = [one for one in elements.of("img") if "lage" in str(one["src"])]
    assert (pages / "ort" / str(picture["src"])).resolve().is_file()
    assert "Aldorf" in str(picture["alt"])
    assert [one["class"] for one in elements.of("path") if one.get("class") in ("im-kreis", "ort")] == [
        "im-kreis",
        "ort",
    ]


# --- other keys ---


@pytest.mark.slow
@pytest.mark.parametrize(
    ("day", "key", "other"), [((2020, 6, 30), OLD_KEY, NEW_KEY), ((2022, 12, 31), NEW_KEY, OLD_KEY)]
)
def test_both_keys_of_a_town_lead_to_its_one_page(
    joined: Run, geodata: Path, tmp_path: Path, day: tuple[int, int, int], key: str, other: str
) -> None:
    profile = load_profile(geodata, PROFILE)
    run = joined if date(*day) == profile.territory_date else joined_run(profile, tmp_path, territory_date=date(*day))
    folder = written(run)
    target = f"{key}-{TOWN.lower()}.html"
    assert (refreshed(folder, key), refreshed(folder, other)) == (target, target)
    assert (folder / "ort" / target).is_file()
    assert not list(folder.glob(f"ort/{other}-*.html"))
    said = words((folder / "ort" / f"{other}.html").read_text(encoding="utf-8"))
    assert f"Der Schlüssel {other} gehört auf dieser Karte zu {TOWN} ({key})" in said
    assert other in words(page_of(folder, key))


def test_the_key_of_a_dissolved_municipality_leads_to_the_one_it_belongs_to(pages: Path) -> None:
    assert refreshed(pages, "99001002") == "99001001-aldorf.html"
    text = words((pages / "ort" / "99001002.html").read_text(encoding="utf-8"))
    assert "Bachdorf (Schlüssel 99001002) gehört auf dieser Karte zu Aldorf (99001001)" in text


def leads(con: duckdb.DuckDBPyConnection, profile: Profile) -> dict[str, str]:
    """Where every other key leads on the map of a profile."""
    keys = [ags for (ags,) in con.execute("SELECT DISTINCT ags FROM joined.key_history").fetchall()]
    return {row["ags"]: row["ags_karte"] for row in other_keys(con, profile, [*keys, "99001020"])}


def test_a_key_whose_land_lies_in_several_municipalities_leads_nowhere(
    con: duckdb.DuckDBPyConnection, joined: Run
) -> None:
    found = leads(con, replace(joined.profile, territory_date=date(2018, 12, 31)))
    # That day Dorna held what had been Cella; Neudorna was to be formed from it and from Lindau.
    assert found["99001003"] == "99001004"
    assert "99001010" not in found


def test_on_the_map_of_today_the_newest_key_has_the_page(joined: Run, tmp_path: Path) -> None:
    run = copied(joined, tmp_path)
    with open_database(run.database) as con:
        # Eichen has changed its key again since the day up to which the table of changes is complete.
        con.execute("UPDATE staging.map_boundaries SET schluessel = '99001020' WHERE schluessel = '99001005'")
        con.execute(
            "INSERT INTO staging.municipal_changes BY NAME SELECT 'municipal_changes_current' AS datensatz, "
            "'99002005' AS ags_alt, 'Eichen' AS gemeinde_alt, '99001020' AS ags_neu, 'Eichen' AS gemeinde_neu, "
            "DATE '2025-06-30' AS nach, DATE '2025-07-01' AS in_kraft_bis, 1.0 AS flaechenanteil"
        )
        found = leads(con, replace(run.profile, territory_date=date(2026, 1, 1)))
    assert (found[OLD_KEY], found[NEW_KEY]) == ("99001020", "99001020")


@pytest.mark.slow
def test_every_town_of_the_real_survey_has_its_page_and_all_its_keys_lead_there(tmp_path: Path) -> None:
    run = joined_run(load_profile(GEODATA, "thueringen"), tmp_path)
    folder = written(run)
    with open_database(run.database) as con:
        towns = rows(con, "SELECT ags, gemeinde, ags_karte FROM release.befragung_rahmen")
        later = rows(
            con,
            "SELECT ags_alt, ags_neu FROM release.gebietsaenderungen c JOIN release.befragung_rahmen r "
            "ON r.ags = c.ags_alt WHERE c.nach > r.gebietsstand AND c.flaechenanteil = 1",
        )
    assert len(towns) == 36
    for town in towns:
        page = place_file(town["ags_karte"], town["gemeinde"])
        assert (folder / page).is_file()
        assert f"ort/{refreshed(folder, town['ags'])}" == page
    # After the survey one town moved into a district and got another key.
    assert [(row["ags_alt"], row["ags_neu"]) for row in later] == [("16056000", "16063105")]
    assert refreshed(folder, "16056000") == refreshed(folder, "16063105") == "16056000-eisenach.html"


# --- committees, offers, method ---


def test_the_table_of_committees_holds_each_one_once_with_what_filters_need(
    pages: Path, con: duckdb.DuckDBPyConnection
) -> None:
    found = {
        str(one["data-kennung"]): one
        for one in Elements((pages / "gremien.html").read_text(encoding="utf-8")).of("tr")
        if "data-kennung" in one
    }
    committees = rows(con, "SELECT * FROM release.gremien")
    assert found.keys() == {row["gremium_id"] for row in committees}
    for row in committees:
        one = found[row["gremium_id"]]
        assert one["id"] == f"gremium-{row['gremium_id']}"
        assert (one["data-art"], one["data-status"], one["data-kreis"]) == (
            row["art"],
            row["status"],
            row["kreis_schluessel"],
        )
        assert str(one["data-thema"]).split() == [code for code in (row["themen"] or "").split(";") if code]


def test_offers_stand_under_their_topic_with_where_to_get_them(pages: Path, con: duckdb.DuckDBPyConnection) -> None:
    text = (pages / "angebote.html").read_text(encoding="utf-8")
    offers = rows(con, "SELECT * FROM release.angebote")
    assert offers
    for offer in offers:
        section = text.partition(f'id="thema-{offer["thema"]}"')[2].partition("</section>")[0]
        assert offer["titel"] in words(section)
        assert offer["bezug"] in words(section)


def test_the_method_counts_the_gaps(pages: Path, con: duckdb.DuckDBPyConnection) -> None:
    text = words((pages / "methode.html").read_text(encoding="utf-8"))
    undated, all_of_them = con.execute(
        "SELECT count(*) FILTER (WHERE belegt_am IS NULL), count(*) FROM release.gremien_belege"
    ).fetchall()[0]
    assert f"{undated} von {all_of_them} Belegen" in text
    assert "1 Gremium hat nur Belege ohne Datum" in text
    assert "Der älteste Status gilt für 03.02.2020, der jüngste für 21.08.2024." in text


def test_the_method_says_how_the_boundaries_of_the_map_came_about(joined: Run, pages: Path, tmp_path: Path) -> None:
    survey = words((pages / "methode.html").read_text(encoding="utf-8"))
    assert "aus den Grenzen vom 01.01.2016, mit den Gebietsänderungen bis zum Gebietsstand fortgeschrieben" in survey
    assert "Grenzen werden über die Gebietsänderungen auf den Gebietsstand gebracht" in survey
    assert "vollständig bekannt bis 31.12.2023 Einwohner" in survey

    profile = replace(joined.profile, territory_basis="aktuell", territory_date=date(2026, 1, 1))
    folder = written(copied(joined, tmp_path), profile)
    current = words((folder / "methode.html").read_text(encoding="utf-8"))
    assert "Grenzen vom 01.01.2026, so wie die Quelle sie angibt" in current
    assert "01.01.2016" not in current
    assert "auf den Gebietsstand gebracht" not in current
    assert "vollständig bekannt bis 31.12.2023; spätere, soweit abgerufene Listen sie nennen" in current


def test_where_nothing_is_known_nothing_is_claimed(
    make_geodata: Callable[..., Path], geodata: Path, tmp_path: Path
) -> None:
    """A Land of which no committee, hint, figure or offer has been collected yet."""
    tables = ("committees", "evidence", "hints", "monitoring", "resources")
    heads = {
        f"{table}.csv": (geodata / PROFILE / f"{table}.csv").read_text(encoding="utf-8").partition("\n")[0] + "\n"
        for table in tables
    }
    folder = written(joined_run(load_profile(make_geodata(heads), PROFILE), tmp_path / "work"))
    committees, offers, method = (
        words((folder / f"{name}.html").read_text(encoding="utf-8")) for name in ("gremien", "angebote", "methode")
    )
    assert "Uns ist kein Gremium aus öffentlichen Belegen bekannt." in committees
    assert "Uns sind keine Angebote bekannt." in offers
    assert "Uns sind 0 Einträge in 0 Gemeinden bekannt." in method
    for claim in ("Jedes Gremium hat", "Nicht belegt sind bei", "Die Zahlen gelten für", "Der älteste"):
        assert claim not in method


def test_the_method_names_every_source_with_licence_and_day(pages: Path, joined: Run) -> None:
    text = (pages / "methode.html").read_text(encoding="utf-8").partition('id="quellen"')[2].partition("</section>")[0]
    assert text.count('<th scope="row">') == len(joined.profile.sources)
    assert words(text).count("15.01.2026") == len(joined.profile.sources)


# --- the frame ---


def every_page(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.html"))
    assert len(found) > 10
    return found


def test_a_draft_says_on_every_page_that_it_is_one(pages: Path) -> None:
    for file in every_page(pages):
        assert "Entwurf, nicht veröffentlicht" in file.read_text(encoding="utf-8"), file.name


def test_the_legal_pages_of_a_draft_name_what_is_not_filled_in(pages: Path) -> None:
    for name in ("impressum", "datenschutz", "barrierefreiheit"):
        text = words((pages / f"{name}.html").read_text(encoding="utf-8"))
        assert "noch nicht ausgefüllt" in text


def test_with_everything_filled_in_no_page_speaks_of_a_draft(public: Path) -> None:
    for file in every_page(public):
        text = words(file.read_text(encoding="utf-8"))
        assert not [word for word in DRAFT_WORDS if word in text], file.name


def test_a_draft_that_names_a_website_but_no_publisher_has_no_empty_link(joined: Run, tmp_path: Path) -> None:
    publisher = replace(joined.profile.publisher, email="post@kleinland.example", url="https://kleinland.example/")
    for file in every_page(written(copied(joined, tmp_path), replace(joined.profile, publisher=publisher))):
        assert not re.search(r"<a [^>]*>\s*</a>", file.read_text(encoding="utf-8")), file.name


def test_the_legal_pages_say_what_the_profile_says(joined: Run, tmp_path: Path) -> None:
    profile = filled_in(joined.profile)
    profile = replace(profile, accessibility=replace(profile.accessibility, law="Gesetz des Kleinlands"))
    folder = written(copied(joined, tmp_path), profile)
    imprint, privacy, access = (
        words((folder / f"{name}.html").read_text(encoding="utf-8"))
        for name in ("impressum", "datenschutz", "barrierefreiheit")
    )
    publisher = profile.publisher
    for value in (publisher.name, publisher.address, publisher.represented_by, publisher.email, publisher.url):
        assert value in imprint
    assert profile.privacy.officer in privacy
    assert profile.privacy.hosting in privacy
    for value in (profile.accessibility.assessed, profile.accessibility.feedback, profile.accessibility.enforcement):
        assert value in access
    assert "Gesetz des Kleinlands; EN 301 549" in access


def reports(text: str) -> dict[str, str]:
    """Subject and body of every mail that a page prepares, by subject."""
    found = {}
    for link in Elements(text).of("a"):
        parts = urlsplit(str(link.get("href")))
        if parts.scheme == "mailto" and parts.query:
            query = parse_qs(parts.query)
            assert unquote(parts.path) == "poststelle@kleinland.example"
            found[query["subject"][0]] = query["body"][0]
    return found


def test_a_mistake_is_reported_with_the_record_and_the_release(public: Path, joined: Run) -> None:
    found = reports(page_of(public, "99001001"))
    body = found["Fehler melden: aldorf-praeventionsrat"]
    assert "aldorf-praeventionsrat (Präventionsrat Aldorf)" in body
    assert f"Ausgabe: {joined.release_id}" in body
    assert "Fehler melden: 99001001" in found
    assert "Fehler melden: gronau-treffen-1" in reports(page_of(public, "99001006"))
    table = reports((public / "gremien.html").read_text(encoding="utf-8"))
    assert "Fehler melden: eichen-runder-tisch" in table


def test_a_public_page_says_where_it_lies_and_how_it_looks(public: Path, joined: Run) -> None:
    elements = Elements(page_of(public, "99001001"))
    own = f"{ADDRESS}/releases/{joined.release_id}/ort/99001001-aldorf.html"
    metas = {one["property"]: one["content"] for one in elements.of("meta") if one.get("property")}
    assert metas["og:url"] == own
    assert metas["og:image"] == f"{ADDRESS}/releases/{joined.release_id}/vorschau.png"
    assert metas["og:title"] == "Aldorf"
    newest = f"{ADDRESS}/latest/ort/99001001-aldorf.html"
    assert [one["href"] for one in elements.of("link") if one.get("rel") == "canonical"] == [newest]


def test_every_page_says_at_its_top_that_a_source_is_old(joined: Run, tmp_path: Path) -> None:
    profile = replace(
        joined.profile, old=("evidence",), too_old=("hints",), warn_after={"evidence": 400}, hold_after={"hints": 1000}
    )
    folder = written(copied(joined, tmp_path), profile)
    for file in every_page(folder):
        # A page that only leads on has no header; there the words stand above its own.
        above = words(re.split("<header|<h1", file.read_text(encoding="utf-8"))[0])
        assert "Quelle „Kleinland: evidence“ ist älter als 400 Tage." in above
        assert "Quelle „Kleinland: hints“ ist älter als 1.000 Tage." in above
    assert "älter als 400 Tage" in words(
        (folder / "methode.html").read_text(encoding="utf-8").partition('id="quellen"')[2]
    )


# --- in the browser ---


@pytest.fixture
def table(browser: Browser, kleinland: Served) -> Iterator[Page]:
    page = browser.new_page(viewport=DESKTOP)
    complaints, _ = observed(page)
    page.goto(f"{kleinland.address}/gremien.html")
    page.get_by_role("searchbox").wait_for()
    yield page
    assert complaints == []
    page.close()


def ids(page: Page) -> list[str]:
    """The committees that the table shows, in order."""
    return [str(row.get_attribute("data-kennung")) for row in page.locator("tr[data-kennung]").all()]


def published(served: Served) -> list[Row]:
    with (served.folder / "gremien.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
@pytest.mark.browser
def test_the_table_sorts_by_date_and_says_so(table: Page, kleinland: Served) -> None:
    dates = {row["gremium_id"]: row["status_stand"] for row in published(kleinland)}
    dated = sorted(value for value in dates.values() if value)
    heading = table.get_by_role("columnheader", name="Stand")
    for direction, expected in (("ascending", dated), ("descending", dated[::-1])):
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == direction
        shown = [dates[key] for key in ids(table)]
        # What has no date stands last, whichever way.
        assert shown == expected + [""] * (len(dates) - len(dated))
    assert "sortiert nach Stand, absteigend" in str(table.get_by_role("status").text_content())


@pytest.mark.slow
@pytest.mark.browser
def test_what_is_filtered_can_be_shared_gone_back_from_and_downloaded(
    table: Page, kleinland: Served, browser: Browser
) -> None:
    every = ids(table)
    table.get_by_label("Mitgliedergruppe").select_option("polizei_land")
    some = ids(table)
    assert 0 < len(some) < len(every)
    table.get_by_label("Status").select_option("aktiv")
    table.get_by_role("searchbox").fill("gronau")
    assert ids(table) == ["eichen-runder-tisch"]
    assert f"1 von {len(every)} Gremien" in str(table.get_by_role("status").text_content())

    with table.expect_download() as download:
        table.get_by_role("button", name="Gezeigte als CSV").click()
    assert download.value.suggested_filename == f"gremien_{kleinland.folder.name}_gefiltert.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as stream:
        saved = list(csv.DictReader(stream))
    assert saved == [row for row in published(kleinland) if row["gremium_id"] == "eichen-runder-tisch"]

    shared = browser.new_page()
    shared.goto(table.url)
    shared.get_by_role("searchbox").wait_for()
    assert ids(shared) == ["eichen-runder-tisch"]
    assert shared.get_by_label("Status").input_value() == "aktiv"
    shared.close()

    table.go_back()
    assert ids(table) == some
    table.get_by_role("button", name="Zurücksetzen").click()
    table.wait_for_url(lambda url: "?" not in url)
    assert ids(table) == every


@pytest.mark.slow
@pytest.mark.browser
def test_a_saved_record_stays_whole_when_its_cells_hold_commas_quotes_and_line_breaks(
    table: Page, kleinland: Served
) -> None:
    text = 'id,name\r\n"a,1","sagt ""nein""\r\nund geht"\r\nb,zwei'
    found = table.evaluate(
        "async ([address, text]) => { const { records, firstCell } = await import(address);"
        "return records(text).map((record) => [firstCell(record), record]); }",
        [f"{kleinland.address}/assets/js/tabelle.js", text],
    )
    assert [key for key, _ in found] == ["id", "a,1", "b"]
    assert "".join(record for _, record in found) == text


@pytest.mark.slow
@pytest.mark.browser
def test_an_address_that_names_a_committee_shows_it_whatever_is_filtered(browser: Browser, kleinland: Served) -> None:
    page = browser.new_page()
    page.goto(f"{kleinland.address}/gremien.html?status=unklar#gremium-ilmen-runder-tisch")
    page.locator("#gremium-ilmen-runder-tisch").wait_for()
    assert page.locator("#gremium-ilmen-runder-tisch").is_visible()
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_an_address_that_names_a_committee_far_down_a_long_table_shows_it(browser: Browser, kleinland: Served) -> None:
    text = (kleinland.folder / "gremien.html").read_text(encoding="utf-8")
    head, rows, rest = re.split(r"(?<=<tbody>)\n(.*?)(?=</tbody>)", text, maxsplit=1, flags=re.DOTALL)
    name = "ilmen-runder-tisch"
    long = head + "".join(rows.replace(name, f"{name}-{number}") for number in range(200)) + rest
    page = browser.new_page()
    page.route("**/gremien.html*", lambda route: route.fulfill(body=long, content_type="text/html; charset=utf-8"))
    page.goto(f"{kleinland.address}/gremien.html?status=unklar#gremium-{name}-199")
    expect(page.locator(f"#gremium-{name}-199")).to_be_in_viewport()
    # Nothing that waited for its turn takes it away again.
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    expect(page.locator(f"#gremium-{name}-199")).to_be_in_viewport()
    assert "?" not in page.url
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_without_scripts_the_whole_table_and_its_file_are_there(browser: Browser, kleinland: Served) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{kleinland.address}/gremien.html")
    assert len(ids(page)) == len(published(kleinland)) > 0
    assert not page.get_by_role("searchbox").is_visible()
    assert page.get_by_role("link", name="Alle Gremien als CSV").is_visible()
    page.goto(f"{kleinland.address}/ort/{NEW_KEY}.html")
    page.wait_for_url(f"**/ort/{OLD_KEY}-{TOWN.lower()}.html")
    context.close()


@pytest.mark.slow
@pytest.mark.browser
def test_on_paper_evidence_is_open_and_controls_are_gone(table: Page) -> None:
    table.emulate_media(media="print")
    assert not table.get_by_role("searchbox").is_visible()
    assert not table.get_by_role("navigation").first.is_visible()
    boxes: Sequence[float] = [
        (box or {"height": 0})["height"] for box in (one.bounding_box() for one in table.locator(".belege").all())
    ]
    assert len(boxes) > 0
    assert min(boxes) > 0


@pytest.mark.slow
@pytest.mark.browser
def test_no_page_of_ours_scrolls_sideways_on_a_narrow_phone(browser: Browser, kleinland: Served) -> None:
    page = browser.new_page(viewport=NARROW)
    names = [
        name for name in kleinland.pages if re.fullmatch(r"ort/\d+-.*|(gremien|angebote|methode|impressum).html", name)
    ]
    assert len(names) > 5
    for name in names:
        page.goto(f"{kleinland.address}/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name
    page.close()
