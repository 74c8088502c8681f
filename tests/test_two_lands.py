"""A map of several Länder of which not all are known equally well: nothing is said of one that holds for another."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import KLEINLAND, build_geodata, joined_run, profile_of
from map_page import facts, listed, opened, query
from pdf_text import flowing, pdf_pages
from playwright.sync_api import Browser, Page, expect
from rdflib import DCAT, DCTERMS, RDF, Graph
from site_browser import Elements, Served, serving
from two_lands import NEIGHBOUR, two_lands

from flows.contracts import load_contract, release_contracts
from flows.database import database as open_database
from flows.join import set_variables
from flows.metadata.jsonld import FILE as JSONLD
from flows.metadata.rules import coverage_rules, coverage_rules_english, lands_of, register_rules
from flows.metadata.subjects import subjects
from flows.metadata.text import land_names, territory_text
from flows.profile import Profile
from flows.run import Run
from flows.site.auswertung import by_district
from flows.site.facts import read_facts
from flows.site.gremien import write_committees
from flows.site.karte import write_map
from flows.site.methode import write_method
from flows.site.monitoring import scope
from flows.site.orte import write_places
from flows.site.pages import Site
from flows.site.vorschau import preview_data
from flows.stages import Outcome

pytest_plugins = ["site_browser"]

ALDORF = "99001001"
GAP = "Gremien und die Befragung 2020 enthält diese Ausgabe nur für Kleinland"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """The profile of Kleinland and its neighbour."""
    return profile_of(build_geodata(tmp_path_factory.mktemp("beide") / "geodata", two_lands()))


@pytest.fixture(scope="module")
def joined(both: Profile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The joined database of both, to be queried."""
    run = joined_run(both, tmp_path_factory.mktemp("verknuepft"))
    with open_database(run.database) as con:
        set_variables(con, run)
        yield con


def test_each_municipality_is_of_the_day_to_which_its_land_is_known(joined: duckdb.DuckDBPyConnection) -> None:
    days = joined.execute("SELECT DISTINCT left(ags, 2), gebietsstand FROM release.gemeinden ORDER BY 1").fetchall()
    assert days == [(NEIGHBOUR, date(2016, 1, 1)), ("99", date(2020, 6, 30))]
    for relation, key in (("kreise", "kreis_schluessel"), ("land", "land_schluessel")):
        found = joined.execute(f"SELECT DISTINCT left({key}, 2), gebietsstand FROM release.{relation} ORDER BY 1")
        assert found.fetchall() == days


def test_of_a_land_without_register_only_the_boundaries_speak(joined: duckdb.DuckDBPyConnection) -> None:
    found = joined.execute(
        "SELECT ags, ars, gemeinde, gemeinde_amtlich, textkennzeichen, verband, einwohner, einwohner_stand, "
        "flaeche_herkunft, in_befragung, befragung_status, gremien_bekannt "
        f"FROM release.gemeinden WHERE left(ags, 2) = '{NEIGHBOUR}' ORDER BY ags"
    ).fetchall()
    unknown = (None, None, None, None, "geometrie", False, "nicht_befragt", None)
    assert len(found) == 10, "all municipalities of the boundary file, though the same ones merged in Kleinland"
    assert found[0] == ("98001001", "980010001001", "Nord-Aldorf", "Nord-Aldorf", *unknown)
    assert {row[4:] for row in found} == {unknown}


def test_totals_of_the_other_land_are_those_that_it_has_alone(
    joined: duckdb.DuckDBPyConnection, database: duckdb.DuckDBPyConnection
) -> None:
    query = "SELECT * FROM release.land WHERE land_schluessel = '99'"
    assert joined.execute(query).fetchall() == database.execute(query).fetchall()
    query = "SELECT * FROM release.gemeinden WHERE left(ags, 2) = '99' ORDER BY ags"
    assert joined.execute(query).fetchall() == database.execute(query).fetchall()


def test_where_no_committee_is_recorded_nothing_is_counted(joined: duckdb.DuckDBPyConnection) -> None:
    for relation, key in (("gemeinden", "ags"), ("kreise", "kreis_schluessel"), ("land", "land_schluessel")):
        found = joined.execute(
            f"SELECT DISTINCT left({key}, 2), gremien_bekannt IS NULL FROM release.{relation} ORDER BY ALL"
        )
        assert found.fetchall() == [(NEIGHBOUR, True), ("99", False)]
    counts = [field.name for field in load_contract("release", "gemeinden").fields if field.name.startswith("gremien_")]
    filled = " + ".join(f"count({column})" for column in counts)
    query = f"SELECT {filled} FROM release.gemeinden WHERE left(ags, 2) = '{NEIGHBOUR}'"
    assert joined.execute(query).fetchall() == [(0,)]


def test_a_wave_is_named_where_it_surveyed_a_town(joined: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT DISTINCT left(ags, 2), befragung_welle FROM release.gemeinden ORDER BY ALL"
    assert joined.execute(query).fetchall() == [(NEIGHBOUR, None), ("99", "2020")]


def test_nothing_is_missing_where_nothing_is_known(joined: duckdb.DuckDBPyConnection) -> None:
    for check in ("missing_municipalities", "population_missing", "change_lands"):
        text = (Path(__file__).parents[1] / "sql" / "checks" / f"{check}.sql").read_text(encoding="utf-8")
        assert joined.execute(text).fetchall() == [], check


def test_a_land_whose_changes_are_known_must_be_complete(
    both: Profile, join_profile: Callable[..., duckdb.DuckDBPyConnection]
) -> None:
    con = join_profile(both, changes_lands=(NEIGHBOUR, "99"))
    text = (Path(__file__).parents[1] / "sql" / "checks" / "missing_municipalities.sql").read_text(encoding="utf-8")
    found = {row[3] for row in con.execute(text).fetchall()}
    assert {"98001001", "98002003"} <= found
    assert {key[:2] for key in found} == {NEIGHBOUR}


def test_the_day_of_the_territory_is_said_with_its_land(both: Profile) -> None:
    assert territory_text(both) == "30.06.2020 (99), 01.01.2016 (übrige Länder)"
    assert territory_text(replace(both, lands=("99",))) == "30.06.2020"
    assert territory_text(replace(both, changes_lands=())) == "01.01.2016"
    newest = replace(both, territory_basis="aktuell", territory_date=date(2026, 1, 1))
    assert territory_text(newest) == "01.01.2026"


def test_laender_are_called_by_their_names() -> None:
    assert land_names(["01", "15", "16"]) == "Schleswig-Holstein, Sachsen-Anhalt, Thüringen"


def test_readers_learn_where_nothing_is_recorded() -> None:
    def land(name: str, committees: int | None, towns: int) -> dict[str, object]:
        return {"land": name, "gremien_bekannt": committees, "befragte_staedte": towns}

    both = [land("Kleinland", 3, 2), land("Nachbarland", None, 0)]
    assert coverage_rules(both[:1], "2020") == ()
    assert coverage_rules([land("Kleinland", 3, 2), land("Nachbarland", 0, 0)], "2020") == (
        "Die Befragung 2020 enthält diese Ausgabe nur für Kleinland; aus den übrigen Ländern ist dazu nichts erfasst. "
        "Das heißt nicht, dass es dort nichts gibt.",
    )
    assert coverage_rules(both, "2020") == (
        "Gremien und die Befragung 2020 enthält diese Ausgabe nur für Kleinland; aus den übrigen Ländern ist dazu "
        "nichts erfasst. Das heißt nicht, dass es dort nichts gibt.",
    )
    assert coverage_rules_english(both, "2020") == (
        "This release has committees and the 2020 survey for Kleinland only; for the other Länder nothing is recorded.",
    )


def test_committees_and_survey_cover_lands_of_their_own() -> None:
    lands = [
        {"land_schluessel": "98", "gremien_bekannt": 0, "befragte_staedte": 0},
        {"land_schluessel": "99", "gremien_bekannt": None, "befragte_staedte": 2},
        {"land_schluessel": "97", "gremien_bekannt": None, "befragte_staedte": 0},
    ]
    covered = {name: lands_of(subject, lands) for name, subject in subjects().items()}
    assert (covered["gremien"], covered["befragung"], covered["angebote"]) == (["98"], ["99"], ["98", "99"])
    assert (covered["gebiete"], covered["monitoring"]) == (["98", "99", "97"], [])


def test_where_the_map_shows_no_wave_nothing_is_said_of_surveys() -> None:
    nothing = [{"land": "Kleinland", "gremien_bekannt": None, "befragte_staedte": 0}]
    assert coverage_rules(nothing, "") == ("Gremien enthält diese Ausgabe nicht. Das heißt nicht, dass es keine gibt.",)


def test_readers_learn_of_which_land_registers_and_changes_are_known(both: Profile) -> None:
    lands = [{"land": "Kleinland", "einwohner": 60000}, {"land": "Nachbarland", "einwohner": None}]
    assert register_rules(both, lands) == (
        "Einwohnerzahlen sind nur für Kleinland vollständig bekannt; in den übrigen Ländern fehlen sie ganz oder zum "
        "Teil.",
        "Gebietsänderungen sind nur für 99 erfasst; die übrigen Länder stehen unverändert im Gebietsstand der Grenzen "
        "(01.01.2016).",
    )
    assert register_rules(replace(both, lands=("99",)), lands[:1]) == ()


FOREST = "98001002"


def with_forest() -> dict[str, str]:
    """Both Länder; one area of the neighbour is unincorporated, says the boundary file."""
    files = two_lands()
    layer = json.loads(files["layers/gem.geojson"])
    for feature in layer["features"]:
        if feature["properties"]["AGS"] == FOREST:
            feature["properties"]["BEZ"] = "Gemeindefreies Gebiet"
    return files | {"layers/gem.geojson": json.dumps(layer)}


def test_an_unincorporated_area_is_no_municipality(
    make_geodata: Callable[..., Path], join_profile: Callable[..., duckdb.DuckDBPyConnection]
) -> None:
    con = join_profile(profile_of(make_geodata(with_forest())))
    assert con.execute("SELECT ags FROM release.gemeinden WHERE gemeindefrei").fetchall() == [(FOREST,)]
    query = f"SELECT gemeinden_anzahl FROM release.land WHERE land_schluessel = '{NEIGHBOUR}'"
    assert con.execute(query).fetchall() == [(9,)]
    query = f"SELECT gemeinden_anzahl FROM release.kreise WHERE kreis_schluessel = '{FOREST[:5]}'"
    assert con.execute(query).fetchall() == [(6,)]


def test_where_a_register_tells_its_mark_counts(
    make_geodata: Callable[..., Path], join_profile: Callable[..., duckdb.DuckDBPyConnection]
) -> None:
    register = (KLEINLAND / "register.csv").read_text(encoding="utf-8")
    assert register.count(",64,") > 1
    con = join_profile(profile_of(make_geodata({"register.csv": register.replace(",64,", ",66,", 1)})))
    found = con.execute("SELECT textkennzeichen FROM release.gemeinden WHERE gemeindefrei").fetchall()
    assert found == [("66",)]
    assert con.execute("SELECT gemeinden_anzahl FROM release.land").fetchall() == [(6,)]


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory, release: Callable[..., Outcome]) -> Iterator[Served]:
    """A release of both Länder with an unincorporated area."""
    place = tmp_path_factory.mktemp("nachbarn")
    outcome = release(build_geodata(place / "geodata", with_forest()), place / "outputs")
    assert outcome.result == "published"
    with serving(place / "outputs") as origin:
        yield Served(place / "outputs" / "latest", f"{origin}/latest")


def test_a_release_says_the_days_and_the_gaps_of_both_laender(neighbours: Served) -> None:
    latest = neighbours.folder
    descriptor = json.loads((latest / "datapackage.json").read_text(encoding="utf-8"))
    assert descriptor["gebietsstandJeLand"] == {NEIGHBOUR: "2016-01-01", "99": "2020-06-30"}
    said = "30.06.2020 (99), 01.01.2016 (übrige Länder)"
    for document in ("README.md", "quality.md", "index.html", "methode.html", "gremien.html"):
        assert said in (latest / document).read_text(encoding="utf-8"), document
    for document in ("README.md", "quality.md"):
        assert GAP in (latest / document).read_text(encoding="utf-8"), document
    for document in ("index.html", "methode.html"):
        text = (latest / document).read_text(encoding="utf-8")
        assert "16 Gemeinden und 1 gemeindefreies Gebiet" in text, document
    page_map = facts(neighbours)
    forest = page_map["gemeinden"]["ags"].index(FOREST)
    assert page_map["codes"]["gemeinde"][page_map["gemeinden"]["art"][forest]]["name"] == "gemeindefreies Gebiet"
    assert page_map["gemeindefrei"] == [forest]


def test_the_catalogue_offers_committees_and_survey_for_the_land_that_has_them(neighbours: Served) -> None:
    catalog = Graph().parse(neighbours.folder / "catalog.ttl")
    place = "http://dcat-ap.de/def/politicalGeocoding/stateKey/"
    lands: dict[str, list[str]] = {}
    for dataset in catalog.subjects(RDF.type, DCAT.Dataset):
        subject = str(catalog.value(dataset, DCTERMS.identifier)).rpartition("-")[2]
        lands[subject] = sorted(str(found).removeprefix(place) for found in catalog.objects(dataset, DCTERMS.spatial))
        if subject in ("gremien", "befragung", "gebiete", "gesamt"):
            assert any("nur für Kleinland" in text for text in catalog.objects(dataset, DCTERMS.description))
            assert any("for Kleinland only" in text for text in catalog.objects(dataset, DCTERMS.description))
    assert lands["gremien"] == lands["befragung"] == lands["angebote"] == ["99"]
    assert lands["gebiete"] == lands["gesamt"] == [NEIGHBOUR, "99"]


def test_search_engines_are_told_of_which_land_each_part_is(neighbours: Served) -> None:
    content = json.loads((neighbours.folder / JSONLD).read_text(encoding="utf-8"))
    parts = {part["name"].rpartition(": ")[2]: part for part in content["hasPart"]}
    areas = {name: [place["name"] for place in part.get("spatialCoverage", [])] for name, part in parts.items()}
    assert areas["Präventionsgremien und Belege"] == areas["Befragung der Städte"] == ["Kleinland"]
    assert areas["Gemeinden und Gebiete"] == ["Nord-Kleinland", "Kleinland"]
    assert GAP in parts["Präventionsgremien und Belege"]["description"]


def test_sources_are_said_to_be_converted_where_they_were(neighbours: Served) -> None:
    text = (neighbours.folder / "NOTICE.txt").read_text(encoding="utf-8")
    assert "verknüpft, für 99 auf einen Gebietsstand umgerechnet und" in text


# --- The pages ------------------------------------------------------------------------------------------------------


def test_the_page_tells_the_laender_apart_in_the_order_of_their_names(neighbours: Served) -> None:
    assert facts(neighbours)["codes"]["land"] == [
        {"code": "99", "name": "Kleinland"},
        {"code": NEIGHBOUR, "name": "Nord-Kleinland"},
    ]
    text = (neighbours.folder / "index.html").read_text(encoding="utf-8")
    assert [group["label"] for group in Elements(text).of("optgroup") if "data-land" in group] == [
        "Kleinland",
        "Nord-Kleinland",
    ]
    assert "<code>land=99</code>" in text
    table = text.partition('id="kreise-tabelle"')[2].partition("</table>")[0]
    assert re.findall('<th scope="col"[^>]*>([^<]*)</th>', table)[:3] == ["Kreis", "Land", "Art"]
    assert re.findall('<th scope="row">([^<]*)</th>\n<td>([^<]*)</td>', table) == [
        ("Nordkreis", "Kleinland"),
        ("Südkreis", "Kleinland"),
        ("Nord-Nordkreis", "Nord-Kleinland"),
        ("Nord-Südkreis", "Nord-Kleinland"),
    ]
    # Links lead to where each Land begins.
    for land in ("99", NEIGHBOUR):
        assert text.count(f'href="#kreise-{land}"') == text.count(f'<tr id="kreise-{land}">') == 1


def offered(page: Page, name: str) -> dict[str, str]:
    """The values of a filter that can be chosen, with what stands beside them."""
    options = page.locator(f"#filter-{name} option:not([value='']):enabled")
    values = options.evaluate_all("options => options.map(option => [option.value, option.textContent])")
    return dict(values)


@pytest.mark.browser
def test_choosing_a_land_leaves_its_own_districts_to_choose_from(browser: Browser, neighbours: Served) -> None:
    with opened(browser, f"{neighbours.address}/index.html") as page:
        result, land, district = (
            page.locator("#ergebnis"),
            page.get_by_label("Land", exact=True),
            page.get_by_label("Kreis", exact=True),
        )
        assert offered(page, "land") == {"99": "Kleinland (7)", NEIGHBOUR: "Nord-Kleinland (10)"}
        assert sorted(offered(page, "kreis")) == ["98001", "98002", "99001", "99002"]

        land.select_option(NEIGHBOUR)
        expect(result).to_contain_text("10 von 17 Gebieten und 0 von 6 bekannten Gremien passen: Land „Nord-Kleinland“")
        assert query(page) == "land=98"
        assert {name.partition("-")[0] for name in listed(page)} == {"Nord"}
        assert sorted(offered(page, "kreis")) == ["98001", "98002"]
        expect(page.locator("#filter-kreis optgroup[label=Kleinland]")).to_be_hidden()

        district.select_option("98002")
        assert query(page) == "land=98&kreis=98002"
        count = len(listed(page))
        # Nord-Kleinland keeps its district, Kleinland would be shown whole.
        assert offered(page, "land") == {"99": "Kleinland (7)", NEIGHBOUR: f"Nord-Kleinland ({count})"}
        page.get_by_text("Diese Karte teilen oder einbetten").click()
        expect(page.locator("#einbetten-code")).to_contain_text("/karte-einbetten.html?land=98&amp;kreis=98002")

        land.select_option("99")
        assert query(page) == "land=99"
        assert len(listed(page)) == 7
        page.go_back()
        expect(land).to_have_value(NEIGHBOUR)
        expect(district).to_have_value("98002")
        assert len(listed(page)) == count
        land.select_option("")
        assert query(page) == "kreis=98002"
        page.get_by_role("button", name="Zurücksetzen").click()
        assert query(page) == ""
        expect(result).to_contain_text("16 Gemeinden und 1 gemeindefreies Gebiet")


@pytest.mark.browser
def test_the_filter_of_the_land_goes_with_all_others(browser: Browser, neighbours: Served) -> None:
    with opened(browser, f"{neighbours.address}/index.html?art=praeventionsrat") as page:
        # Nothing is known of the neighbour, so it is no choice here.
        assert list(offered(page, "land")) == ["99"]
        found = listed(page)
        page.get_by_label("Land", exact=True).select_option("99")
        assert listed(page) == found
        assert query(page) == "art=praeventionsrat&land=99"
    with opened(browser, f"{neighbours.address}/karte-einbetten.html?land=98&ort=98001001") as page:
        expect(page.locator("#ergebnis")).to_contain_text("Land „Nord-Kleinland“")
        expect(page.get_by_role("region", name="Nord-Aldorf")).to_contain_text("LandNord-Kleinland")
    with opened(browser, f"{neighbours.address}/index.html?land=98&kreis=99001") as page:
        expect(page.locator("#eintraege")).to_contain_text("Keine Gemeinde passt zu dieser Auswahl.")
        expect(page.get_by_label("Kreis", exact=True)).to_have_value("99001")
    with opened(browser, f"{neighbours.address}/index.html?land=16") as page:
        expect(page.locator("#ergebnis")).to_contain_text("Nicht angewendet, weil es das in dieser Ausgabe nicht gibt")


def site_of(run: Run, con: duckdb.DuckDBPyConnection) -> Site:
    """The site of a joined run, whose package has what the pages need."""
    (run.package / "assets").mkdir(parents=True)
    (run.package / JSONLD).write_text("{}", encoding="utf-8")
    contracts = release_contracts()
    return Site(run, contracts, read_facts(con, run, contracts), {})


def test_committees_of_several_laender_can_be_told_apart_and_chosen_by_land(both: Profile, tmp_path: Path) -> None:
    run = joined_run(both, tmp_path / "work")
    with open_database(run.database) as con:
        site = site_of(run, con)
        write_committees(con, site)
        page = run.package / "gremien.html"
        # As long as all of them are in one Land, there is nothing to choose.
        assert "filter-land" not in page.read_text(encoding="utf-8")
        first, *others = site.facts.committees
        moved = first | {"kreis_schluessel": "98001", "kreis": "Nord-Nordkreis"}
        write_committees(con, replace(site, facts=replace(site.facts, committees=[moved, *others])))
    text = page.read_text(encoding="utf-8")
    assert '<option value="98" data-name="Nord-Kleinland">Nord-Kleinland (1)</option>' in text
    assert [group["label"] for group in Elements(text).of("optgroup")] == ["Kleinland", "Nord-Kleinland"]
    assert 'data-land="98" data-kreis="98001"' in text
    assert 'Nord-Nordkreis<span class="zusatz">Nord-Kleinland</span>' in text


def test_districts_of_one_name_are_not_counted_together() -> None:
    towns = [
        {"gemeinde": "Garching", "kreis_schluessel": "09184", "kreis": "München"},
        {"gemeinde": "München", "kreis_schluessel": "09162", "kreis": "München"},
        {"gemeinde": "Unterhaching", "kreis_schluessel": "09184", "kreis": "München"},
        {"gemeinde": "Suhl", "kreis_schluessel": "16054", "kreis": "Suhl"},
        {"gemeinde": "Jena", "kreis_schluessel": "16053", "kreis": None},
    ]
    found = [(label, [town["gemeinde"] for town in group]) for label, group in by_district(towns).items()]
    assert found == [
        ("München (09162)", ["München"]),
        ("München (09184)", ["Garching", "Unterhaching"]),
        ("16053", ["Jena"]),
        ("Suhl", ["Suhl"]),
    ]


# --- Where nothing is recorded --------------------------------------------------------------------------------------

NOT_RECORDED = (
    "sind in dieser Ausgabe keine Gremien erfasst. Das heißt weder, dass hier gesucht wurde, noch, dass es keine gibt."
)


def section(page: str, name: str) -> str:
    """A section of a page, from its id to its end."""
    return page.partition(f'id="{name}"')[2].partition("</section>")[0]


def test_whoever_reads_of_committees_learns_for_which_land_they_are(neighbours: Served) -> None:
    pages = {name: (neighbours.folder / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "daten")}
    intro, _, rest = pages["index"].partition("<h1")[2].partition('class="suchleiste')
    assert GAP in intro
    assert GAP not in rest, "once is enough"
    for name, before in (("karte-einbetten", 'id="kartenblatt"'), ("gremien", "<table")):
        text = (neighbours.folder / f"{name}.html").read_text(encoding="utf-8")
        assert GAP in text.partition(before)[0], name
    method = section((neighbours.folder / "methode.html").read_text(encoding="utf-8"), "luecken")
    assert f"Was dort nicht steht, fehlt hier. {GAP}" in method
    assert "sind nur für Kleinland vollständig bekannt" in method
    names = [contract.name for contract in release_contracts()]
    silent = {name for name in names if GAP not in section(pages["daten"], f"datensatz-{name}")}
    assert silent == {"monitoring", "angebote", "gebietsaenderungen"}
    report = [flowing(page) for page in pdf_pages((neighbours.folder / "bericht.pdf").read_bytes())]
    assert any(flowing(GAP) in page and flowing("Uns bekannte Gremien: 6.") in page for page in report)


def test_the_preview_and_the_monitoring_say_for_which_laender_they_are(
    neighbours: Served, both: Profile, tmp_path: Path
) -> None:
    run = joined_run(both, tmp_path / "work")
    with open_database(run.database) as con:
        site = site_of(run, con)
    (run.package / "assets" / "karte.svg").write_bytes((neighbours.folder / "assets" / "karte.svg").read_bytes())
    assert preview_data(site)["figures"] == [
        ["6", "bekannte Gremien nach öffentlichen Belegen, erfasst nur für Kleinland"],
        ["2", "befragte Städte, Befragung 2020, erfasst nur für Kleinland"],
    ]
    # Sixteen names would be no help.
    assert scope(site)[1].startswith("Für einzelne Länder sagen sie nichts.")

    kleinland, nord = sorted(site.facts.lands, key=lambda land: land["land"])
    several = [kleinland | {"land": name} for name in ("Ostland", "Südland", "Westland")]
    some = replace(site, facts=replace(site.facts, lands=[*several, nord]))
    assert preview_data(some)["figures"][0][1].endswith(", erfasst nur für 3 von 4 Ländern")

    unrecorded = [land | {"gremien_bekannt": None, "befragte_staedte": 0} for land in site.facts.lands]
    nothing = replace(site, facts=replace(site.facts, lands=unrecorded))
    assert preview_data(nothing)["figures"] == []


def test_no_count_of_committees_stands_where_none_is_recorded(neighbours: Served) -> None:
    table = section((neighbours.folder / "index.html").read_text(encoding="utf-8"), "kreise")
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th>.*?<td class="rechts">([^<]*)</td>\n</tr>', table, re.DOTALL))
    assert rows["Nordkreis"].isdigit()
    assert rows["Nord-Nordkreis"] == rows["Nord-Südkreis"] == "nicht erfasst"
    tip = html.unescape((neighbours.folder / "gemeinden.qml").read_text(encoding="utf-8"))
    assert """[% coalesce("gremien_bekannt", 'nicht erfasst') %]""" in tip


def test_an_unincorporated_area_is_not_counted_among_those_who_were_not_asked(neighbours: Served) -> None:
    text = (neighbours.folder / "index.html").read_text(encoding="utf-8")
    counts = re.findall('data-anzahl="befragung [a-z_]+">([0-9]+)<', text)
    assert sum(map(int, counts)) == 16
    quality = (neighbours.folder / "quality.md").read_text(encoding="utf-8")
    told = quality.partition("Status der Gemeinden in der Welle 2020:")[2].partition("\n## ")[0]
    assert sum(map(int, re.findall(r"\| ([0-9]+) \|", told))) == 16
    assert "Schlüssel (AGS) der Gemeinde oder des gemeindefreien Gebiets" in text


def test_committees_and_survey_may_be_those_of_different_laender(
    make_geodata: Callable[..., Path], tmp_path: Path
) -> None:
    files = two_lands() | {
        "hints.csv": (KLEINLAND / "hints.csv").read_text(encoding="utf-8").partition("\n")[0] + "\n",
        "committees.csv": f"{_head('committees')}nord-rat,Präventionsrat,praeventionsrat,98001001,2016-01-01,,,,\n",
        "evidence.csv": f"{_head('evidence')}nord-1,nord-rat,https://nord.example/rat,gemeinde,2026-01-05,aktiv,,,,,Rat.\n",
    }
    run = joined_run(profile_of(make_geodata(files)), tmp_path / "work")
    with open_database(run.database) as con:
        site = site_of(run, con)
        for write in (write_map, write_places):
            write(con, site)
    listed = section((run.package / "index.html").read_text(encoding="utf-8"), "liste")
    assert "Weitere befragte Städte: Gremien in ihrem Land nicht erfasst" in listed
    assert "kein öffentlicher Beleg bekannt" not in listed
    (town,) = run.package.glob("ort/99001001-*.html")
    assert town.read_text(encoding="utf-8").count(f"Für das Land Kleinland {NOT_RECORDED}") == 2
    (place,) = run.package.glob("ort/98001001-*.html")
    assert "<dt>Befragung 2020</dt><dd>Nicht befragt" in place.read_text(encoding="utf-8")


def _head(table: str) -> str:
    return (KLEINLAND / f"{table}.csv").read_text(encoding="utf-8").partition("\n")[0] + "\n"


@pytest.mark.browser
def test_the_map_tells_what_is_not_recorded_from_what_is_not_known(browser: Browser, neighbours: Served) -> None:
    assert facts(neighbours)["nichtErfasst"] == {NEIGHBOUR: "Nord-Kleinland"}
    with opened(browser, f"{neighbours.address}/index.html?ort=98001001") as page:
        panel = page.get_by_role("region", name="Nord-Aldorf")
        expect(panel).to_contain_text(f"Für das Land Nord-Kleinland {NOT_RECORDED}")
        expect(panel).to_contain_text("Ein Gremium gründen? Ordner „Vorbeugen“")
        expect(panel).to_contain_text("Von: Präventionsstelle Kleinland.")
        expect(panel).not_to_contain_text("öffentlichen")
        page.get_by_role("button", name="Auskunft schließen").click()
        listed(page)
        assert page.locator("#eintraege h3").all_inner_texts() == [
            "Gemeinden mit öffentlich belegtem Gremium 4",
            "Übrige Gemeinden: kein öffentlicher Beleg bekannt 3",
            "Übrige Gebiete: Gremien in ihrem Land nicht erfasst 10",
        ]
        forms = page.locator("[data-anzahl^='art ']")
        assert "" not in forms.all_inner_texts()
        page.get_by_label("Land", exact=True).select_option(NEIGHBOUR)
        expect(page.locator("#ergebnis")).to_contain_text("Gremien sind dort nicht erfasst.")
        assert set(forms.all_inner_texts()) == {""}
    with opened(browser, f"{neighbours.address}/karte-einbetten.html?ort={FOREST}") as page:
        panel = page.locator("#auskunft")
        expect(panel).to_contain_text("gemeindefreies Gebiet")
        # It is no municipality: it is not asked, and founds no committee.
        for word in ("Befragung", "Nicht befragt", "Gremien", "gründen"):
            expect(panel).not_to_contain_text(word)


@pytest.mark.browser
def test_no_size_hides_those_whose_population_is_not_known(browser: Browser, neighbours: Served) -> None:
    assert "; unbekannt, wo keine bekannt ist" in (neighbours.folder / "index.html").read_text(encoding="utf-8")
    with opened(browser, f"{neighbours.address}/index.html") as page:
        sizes = offered(page, "groesse")
        assert sizes["unbekannt"] == "nicht bekannt (10)"
        assert sum(int(text.rpartition("(")[2].rstrip(")")) for text in sizes.values()) == 17
        page.get_by_label("Einwohner", exact=True).select_option("unbekannt")
        assert query(page) == "groesse=unbekannt"
        expect(page.locator("#ergebnis")).to_contain_text("10 von 17 Gebieten")
        # The tenth is no municipality, and was not "not asked".
        assert offered(page, "befragung") == {"nicht_befragt": "Nicht befragt (9)"}


# --- Where no population is known -----------------------------------------------------------------------------------

UNCOUNTED = """extends = "kleinland"

[survey]
wave = ""

[sources]
population = ""
survey_waves = ""
"""


def test_no_day_of_populations_is_claimed_where_not_one_is_known(
    make_geodata: Callable[..., Path], tmp_path: Path
) -> None:
    run = joined_run(profile_of(make_geodata({"profile.toml": UNCOUNTED})), tmp_path / "work")
    with open_database(run.database) as con:
        site = site_of(run, con)
        for write in (write_map, write_places, write_method):
            write(con, site)
    pages = [path.read_text(encoding="utf-8") for path in run.package.rglob("*.html")]
    assert len(pages) > 5
    for text in pages:
        assert "31.12.2018" not in text
        assert "Einwohner am" not in text
        assert "Einwohnerzahl nicht bekannt" not in text
    assert 'id="filter-groesse"' not in (run.package / "index.html").read_text(encoding="utf-8")
    assert json.loads((run.package / "assets" / "karte.json").read_text(encoding="utf-8"))["einwohnerStand"] == ""
    assert "Einwohnerzahlen sind nicht erfasst." in (run.package / "methode.html").read_text(encoding="utf-8")
    (place,) = run.package.glob("ort/99001001-*.html")
    assert "<li>Die Einwohnerzahl.</li>" in place.read_text(encoding="utf-8")
