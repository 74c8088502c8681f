"""What a release says about itself is true, complete, the same everywhere, and valid by others' rules."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pyshacl
import pytest
import rdflib
import yaml
from conftest import DAY
from frictionless import Package
from packaged import ADDRESS, PUBLISHER, filled_in, packaged, read_datasets, synthetic
from rdflib import DCTERMS, FOAF, OWL, RDF, URIRef, namespace

from flows.checksums import files_of
from flows.contracts import load_contract, release_contracts
from flows.database import database as open_database
from flows.errors import WrongUsage
from flows.formats.catalogue import FORMATS
from flows.metadata.catalog import ADMS, DCATAP, DCATDE, EU, SPDX, attribution_text, catalog_graph, identifier
from flows.metadata.citation import write_citation
from flows.metadata.codelists import FOLDER, code_lists
from flows.metadata.datapackage import attributions, package_descriptor
from flows.metadata.inventory import COMPANIONS, DOCUMENTS, DataFile, data_files, is_document
from flows.metadata.jsonld import dataset_jsonld
from flows.metadata.licences import KNOWN, known_licence
from flows.metadata.lineage import inputs_of, is_source_of
from flows.metadata.notice import cited_sites, script_notices, used_sources, write_licence
from flows.metadata.quality import committees, duration, months_since
from flows.metadata.subjects import Subject, first_day, last_day, period, subjects
from flows.metadata.text import DRAFT_MARK, citation
from flows.profile import SYNTHETIC_MARK, Licence, Profile, load_profile
from flows.provenance import read_manifest
from flows.run import Run
from flows.stages import Outcome

SHACL = Path(__file__).parent / "shacl"
CFF = Path(__file__).parent / "schemas" / "cff-1.2.0.json"
SHAPES = (
    "semic-dcat-ap-3.0.0",
    "dcat-ap-SHACL-DE",
    "dcat-ap-de-deprecated",
    "dcat-ap-spec-german-additions",
    "dcat-ap-de-controlledvocabularies",
)
SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")
CONTRACTS = release_contracts()


@pytest.fixture(scope="module")
def profile(geodata: Path) -> Profile:
    return load_profile(geodata, "kleinland")


@pytest.fixture(scope="module")
def run(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Kleinland's release as a draft."""
    return packaged(profile, tmp_path_factory.mktemp("draft"))


@pytest.fixture(scope="module")
def con(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(run.database) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(run: Run) -> list[DataFile]:
    return data_files(run, CONTRACTS)


@pytest.fixture(scope="module")
def descriptor(run: Run) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.package / "datapackage.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def catalog(run: Run) -> rdflib.Graph:
    return rdflib.Graph().parse(run.package / "catalog.ttl")


@pytest.fixture(scope="module")
def finished(con: duckdb.DuckDBPyConnection, run: Run, files: list[DataFile]) -> rdflib.Graph:
    """The catalogue of the same release with publisher and address filled in."""
    return catalog_graph(con, replace(run, profile=filled_in(run.profile)), CONTRACTS, files)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def text_of(run: Run, name: str) -> str:
    return (run.package / name).read_text(encoding="utf-8")


# What lies in a release


@pytest.mark.slow
def test_every_file_is_described_as_data_or_named_as_a_document(run: Run, files: list[DataFile]) -> None:
    described = {file.path for file in files}
    assert [path for path in files_of(run.package) if path not in described and not is_document(path)] == []
    assert not any(is_document(file.path) for file in files)


@pytest.mark.slow
def test_the_readme_names_every_file_but_the_types_of_columns(run: Run) -> None:
    text = text_of(run, "README.md")
    named = [path for path in files_of(run.package) if Path(path).suffix not in COMPANIONS]
    assert [path for path in named if path not in text] == []
    assert "SHA256SUMS" in text


def test_the_readme_names_no_file_that_is_not_there(run: Run) -> None:
    text = text_of(run, "README.md")
    absent = [name for name in (*DOCUMENTS, "praeventionskarte.gpkg") if not (run.package / name).exists()]
    assert [name for name in absent if f"`{name}`" in text] == ["ort/", "assets/"]


def test_the_readme_gives_each_source_a_line_of_its_own(run: Run) -> None:
    lines = text_of(run, "README.md").partition("## Quellen\n\n")[2].partition("\n\n")[0].splitlines()
    named = [f"- {source['attribution']} – {source['title']}" for source in attributions(run)]
    assert len(named) == 2
    assert [line.partition(", <")[0] for line in lines] == named


def test_files_of_several_datasets_belong_to_the_whole_release(files: list[DataFile]) -> None:
    workbook = next(file for file in files if file.path == "praeventionskarte.xlsx")
    assert (workbook.subject, workbook.contract, workbook.name) == ("gesamt", None, "praeventionskarte_xlsx")


# datapackage.json


@pytest.mark.slow
def test_frictionless_finds_nothing(run: Run) -> None:
    report = Package(str(run.package / "datapackage.json")).validate()
    assert report.flatten(["type", "message"]) == []
    assert report.valid


def test_every_table_declares_its_key_and_what_it_refers_to(descriptor: dict[str, Any]) -> None:
    schemas = {resource["name"]: resource["schema"] for resource in descriptor["resources"] if "schema" in resource}
    assert all(schema["primaryKey"] for schema in schemas.values())
    keys = [key for schema in schemas.values() for key in schema.get("foreignKeys", [])]
    targets = {key["reference"]["resource"] for key in keys}
    assert {"gemeinden", "gremien", "codeliste_gremium_status"} <= targets
    # An empty name means the table itself.
    assert targets - {""} <= schemas.keys()


def test_the_descriptor_keeps_the_rules_of_version_2_that_frictionless_does_not_know(
    descriptor: dict[str, Any],
) -> None:
    assert descriptor["licenses"][0]["name"] == "DL-DE-BY-2.0"
    assert {resource.get("type") for resource in descriptor["resources"]} == {"table", None}
    names = [resource["name"] for resource in descriptor["resources"]]
    assert len(names) == len(set(names))
    assert all(resource["bytes"] and resource["hash"].startswith("sha256:") for resource in descriptor["resources"])


def test_a_geoparquet_file_is_not_taken_for_a_table(run: Run, tmp_path: Path) -> None:
    other = replace(run, work=tmp_path)
    other.package.mkdir()
    other.manifest.write_bytes(run.manifest.read_bytes())
    for name in ("gemeinden.parquet", "gemeinden.qml", "praeventionskarte.gpkg", "praeventionskarte.pmtiles", "x.qgz"):
        (other.package / name).write_bytes(b"bytes of " + name.encode())
    content = package_descriptor(other, CONTRACTS)
    (other.package / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")
    assert Package(str(other.package / "datapackage.json")).validate().flatten(["type", "message"]) == []
    resources = {resource["path"]: resource for resource in content["resources"]}
    assert resources.keys() == {path.name for path in other.package.iterdir()} - {"datapackage.json"}
    assert resources["gemeinden.qml"]["description"] == "Darstellung in QGIS"


def test_a_column_refers_to_a_code_list_only_where_that_is_published(run: Run, tmp_path: Path) -> None:
    other = replace(run, work=tmp_path)
    other.package.mkdir()
    other.manifest.write_bytes(run.manifest.read_bytes())
    (other.package / "monitoring.csv").write_bytes((run.package / "monitoring.csv").read_bytes())
    resource = package_descriptor(other, CONTRACTS)["resources"][0]
    assert resource["name"] == "monitoring"
    assert "foreignKeys" not in resource["schema"]


# Code lists and codebook


def test_the_code_lists_that_columns_use_are_published_and_no_other(run: Run) -> None:
    used = {field.raw["codeList"] for contract in CONTRACTS for field in contract.fields if "codeList" in field.raw}
    assert {path.stem for path in (run.package / FOLDER).glob("*.csv")} == used
    assert "funktionspostfach" not in used


def test_a_code_list_says_which_columns_use_it() -> None:
    lists = {item.name: item.contract for item in code_lists(CONTRACTS)}
    assert lists["gremium_status"].description == "Die Codes der Spalten gremien.status, gremien_belege.status."
    assert lists["gremium_art"].column_names[-1] == "gruppe"
    assert lists["gremium_status"].column_names[-1] == "definition_en"


def test_codes_of_digits_stay_text_in_qgis(run: Run) -> None:
    assert text_of(run, f"{FOLDER}/textkennzeichen.csvt").startswith('"String"')


def test_the_codebook_has_every_column_and_every_code_in_both_languages(run: Run) -> None:
    rows = rows_of(run.package / "codebook.csv")
    expected = [
        (contract.name, field.name, code)
        for contract in CONTRACTS
        for field in contract.fields
        for code in ("", *(item.code for item in field.codes))
    ]
    assert [(row["datensatz"], row["spalte"], row["code"]) for row in rows] == expected
    assert len({row["kennung"] for row in rows}) == len(rows)
    for row in rows:
        assert row["titel"] and row["titel_en"] and row["bedeutung"] and row["bedeutung_en"]
        if row["code"]:
            assert row["bezeichnung"] and row["bezeichnung_en"] and row["definition"] and row["definition_en"]


def test_every_unit_has_an_english_word() -> None:
    fields = [field for contract in CONTRACTS for field in contract.fields]
    assert [field.name for field in fields if ("unit" in field.raw) != ("unitEn" in field.raw)] == []


# Where the data comes from


def test_a_dataset_is_attributed_to_what_its_sql_reads() -> None:
    inputs = {contract.name: inputs_of(contract) for contract in CONTRACTS}
    assert inputs["monitoring"] == {"monitoring"}
    assert inputs["angebote"] == {"resources"}
    assert inputs["gremien_belege"] == {"committees", "evidence", "evidence_links"}
    assert {"boundaries", "register", "population", "survey_responses"} <= inputs["gemeinden"]


def test_a_response_file_is_a_source_of_what_reads_responses() -> None:
    assert is_source_of("survey_responses_2020", frozenset({"survey_responses"}))
    assert not is_source_of("survey_responses_2020", frozenset({"survey_waves"}))


def test_every_input_is_named_with_the_datasets_made_from_it(run: Run) -> None:
    sources = used_sources(run, CONTRACTS)
    assert len(sources) == len(run.profile.sources)
    assert all(source.datasets for source in sources)


def test_the_attribution_of_a_file_names_its_own_sources_only(run: Run) -> None:
    other = replace(run, work=run.work.parent / "attribution")
    other.work.mkdir()
    manifest = read_manifest(run)
    for key, record in manifest["eingaben"].items():
        record["attribution"] = f"Quelle {key}"
    other.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    text = attribution_text(other, [load_contract("release", "monitoring")])
    assert text == (
        "Präventionskarte Kleinland (2026), dl-de/by-2-0, https://www.govdata.de/dl-de/by-2-0; Quelle monitoring"
    )


def test_the_notice_names_every_source_and_every_site_of_the_data(run: Run, con: duckdb.DuckDBPyConnection) -> None:
    text = text_of(run, "NOTICE.txt")
    for record in read_manifest(run)["eingaben"].values():
        assert record["attribution"] in text and record["licence_url"] in text
    sites = {site.host: site for site in cited_sites(con, CONTRACTS)}
    assert {"aldorf.example", "monitoring.example", "praevention.example"} <= sites.keys()
    assert sites["aldorf.example"].addresses == 4
    assert sites["aldorf.example"].datasets == ("gremien", "gremien_belege")
    assert "aldorf.example: 4 Adressen (gremien, gremien_belege)" in text


def test_the_notice_repeats_what_scripts_say_of_their_licence(run: Run, tmp_path: Path) -> None:
    other = replace(run, work=tmp_path)
    (other.package / "assets").mkdir(parents=True)
    head = "/**\n * Karten\n * @license 3-Clause BSD. Full text: https://karten.example/LICENSE\n */\n"
    (other.package / "assets" / "karten.js").write_text(head + "x = 1;", encoding="utf-8")
    (other.package / "assets" / "eigenes.js").write_text("/* ours */ y = 2;", encoding="utf-8")
    assert script_notices(other) == {
        "assets/karten.js": "Karten. 3-Clause BSD. Full text: https://karten.example/LICENSE"
    }


def test_the_licence_text_stands_only_under_its_own_licence(run: Run, tmp_path: Path) -> None:
    assert "(3) Veränderungen, Bearbeitungen" in text_of(run, "LICENSE.txt")
    licence = Licence("cc-by-4.0", "Creative Commons Namensnennung 4.0", "https://creativecommons.org/licenses/by/4.0/")
    other = replace(run, work=tmp_path, profile=replace(run.profile, licence=licence))
    other.package.mkdir()
    write_licence(other)
    text = text_of(other, "LICENSE.txt")
    assert "Lizenztext: https://creativecommons.org/licenses/by/4.0/" in text
    assert "Datenlizenz Deutschland" not in text


def test_a_licence_that_no_catalogue_knows_is_refused() -> None:
    with pytest.raises(WrongUsage, match="„eigene-lizenz“ ist nicht bekannt"):
        known_licence(Licence("eigene-lizenz", "Eigene Lizenz", "https://kleinland.example/lizenz"))


# catalog.ttl


def violations(graph: rdflib.Graph) -> list[str]:
    """What the official shapes of DCAT-AP.de 3.0 call a violation."""
    shapes, data = rdflib.Graph(), rdflib.Graph()
    for name in SHAPES:
        shapes.parse(SHACL / f"{name}.ttl")
    data.parse(data=graph.serialize(format="turtle"), format="turtle", publicID="https://kleinland.example/")
    data.parse(SHACL / "vocabularies.ttl")
    for part in (shapes, data):
        part.remove((None, OWL.imports, None))
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    return [
        f"{report.value(result, SH.resultPath)} {report.value(result, SH.value)}"
        for result in report.subjects(RDF.type, SH.ValidationResult)
        if report.value(result, SH.resultSeverity) == SH.Violation
    ]


def test_the_catalogue_of_a_draft_conforms_to_dcat_ap_de(catalog: rdflib.Graph) -> None:
    assert violations(catalog) == []


def test_the_catalogue_of_a_publisher_conforms_to_dcat_ap_de(finished: rdflib.Graph) -> None:
    assert violations(finished) == []


def test_a_catalogue_with_every_format_conforms_to_dcat_ap_de(
    con: duckdb.DuckDBPyConnection, run: Run, files: list[DataFile]
) -> None:
    one = next(file for file in files if file.path == "gemeinden.geojson")
    every = [replace(one, path=f"gemeinden{ending}", format=kind) for ending, kind in FORMATS.items()]
    graph = catalog_graph(con, run, CONTRACTS, every)
    assert len(set(graph.subjects(RDF.type, namespace.DCAT.Distribution))) == len(FORMATS)
    codes = {str(code).rpartition("/")[2] for code in graph.objects(None, DCTERMS["format"])}
    assert codes == {"CSV", "GEOJSON", "GPKG", "PARQUET", "XLSX"}
    assert violations(graph) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("predicate", "value"),
    [
        (DCTERMS.publisher, None),
        (namespace.DCAT.accessURL, None),
        (namespace.DCAT.theme, EU["data-theme/PREVENTION"]),
        (DCTERMS["format"], EU["file-type/TABELLE"]),
    ],
)
def test_the_official_shapes_notice_a_broken_catalogue(
    finished: rdflib.Graph, predicate: URIRef, value: URIRef | None
) -> None:
    broken = rdflib.Graph() + finished
    for node in list(broken.subjects(predicate)):
        broken.remove((node, predicate, None))
        if value is not None:
            broken.add((node, predicate, value))
    assert violations(broken)


def test_the_catalogue_lists_a_dataset_per_subject_and_a_distribution_per_data_file(
    catalog: rdflib.Graph, files: list[DataFile]
) -> None:
    offered = [file for file in files if not file.companion]
    assert len(set(catalog.subjects(RDF.type, namespace.DCAT.Dataset))) == len({file.subject for file in offered}) == 7
    sums = {str(value) for value in catalog.objects(None, SPDX.checksumValue)}
    assert sums == {file.sha256 for file in offered}
    assert len(set(catalog.subjects(RDF.type, namespace.DCAT.Distribution))) == len(offered)


def test_licence_and_availability_are_addresses_of_their_lists(catalog: rdflib.Graph, finished: rdflib.Graph) -> None:
    lists = rdflib.Graph().parse(SHACL / "vocabularies.ttl")
    known = set(lists.subjects())
    for graph in (catalog, finished):
        assert set(graph.objects(None, DCTERMS.license)) == {URIRef("http://dcat-ap.de/def/licenses/dl-by-de/2.0")}
        for predicate in (DCTERMS.license, DCATAP.availability):
            assert set(graph.objects(None, predicate)) <= known
        assert set(graph.subjects(RDF.type, namespace.DCAT.Distribution)) == set(
            graph.subjects(DCATDE.licenseAttributionByText)
        )
    assert {URIRef(licence.uri) for licence in KNOWN.values()} <= known


def test_recommended_properties_are_filled_for_every_dataset(finished: rdflib.Graph) -> None:
    recommended = (
        namespace.DCAT.keyword,
        namespace.DCAT.theme,
        namespace.DCAT.contactPoint,
        namespace.DCAT.landingPage,
        DCTERMS.spatial,
        DCTERMS.modified,
        DCTERMS.identifier,
        DCTERMS.accrualPeriodicity,
        DCATAP.availability,
    )
    for dataset in finished.subjects(RDF.type, namespace.DCAT.Dataset):
        assert [name for name in recommended if finished.value(dataset, name) is None] == []
    contact = finished.value(predicate=RDF.type, object=URIRef("http://www.w3.org/2006/vcard/ns#Organization"))
    assert finished.value(contact, URIRef("http://www.w3.org/2006/vcard/ns#hasEmail")) == URIRef(
        f"mailto:{PUBLISHER.email}"
    )


def test_monitoring_is_about_germany_and_not_about_the_land(run: Run, catalog: rdflib.Graph) -> None:
    monitoring, gremien = identifier(run.profile, "monitoring"), identifier(run.profile, "gremien")
    assert list(catalog.objects(monitoring, DCTERMS.spatial)) == [EU["country/DEU"]]
    assert catalog.value(monitoring, DCATDE.politicalGeocodingLevelURI) is None
    places = [str(place) for place in catalog.objects(gremien, DCTERMS.spatial)]
    assert places == ["http://dcat-ap.de/def/politicalGeocoding/stateKey/99"]


def test_a_draft_names_no_address_of_its_own(run: Run, catalog: rdflib.Graph) -> None:
    own = run.package.as_uri()
    for predicate in (namespace.DCAT.accessURL, namespace.DCAT.downloadURL, FOAF.page):
        assert all(str(value).startswith(own) for value in catalog.objects(None, predicate))
    assert all(str(node).startswith("urn:uuid:") for node in catalog.subjects(RDF.type, namespace.DCAT.Dataset))
    assert catalog.value(predicate=RDF.type, object=namespace.DCAT.Catalog) is not None
    assert not list(catalog.objects(None, namespace.DCAT.landingPage))


def test_a_draft_says_so_in_every_dataset(catalog: rdflib.Graph) -> None:
    for dataset in catalog.subjects(RDF.type, namespace.DCAT.Dataset):
        texts = [str(text) for text in catalog.objects(dataset, DCTERMS.description)]
        assert len(texts) == 2
        assert all(text.startswith(("Entwurf, ", "Draft, ")) for text in texts)
        assert str(catalog.value(dataset, ADMS.versionNotes)) == DRAFT_MARK
    assert not list(catalog.objects(None, ADMS.status))


def test_identifiers_last_while_addresses_name_the_release(
    con: duckdb.DuckDBPyConnection, run: Run, files: list[DataFile], finished: rdflib.Graph
) -> None:
    later = replace(run, profile=filled_in(run.profile), day=date(2027, 3, 4), release_id="2027.03.04")
    graph = catalog_graph(con, later, CONTRACTS, files)
    for kind in (namespace.DCAT.Catalog, namespace.DCAT.Dataset, namespace.DCAT.Distribution):
        assert set(graph.subjects(RDF.type, kind)) == set(finished.subjects(RDF.type, kind))
    assert f"{ADDRESS}/releases/2027.03.04/gremien.csv" in {
        str(url) for url in graph.objects(None, namespace.DCAT.downloadURL)
    }
    draft = replace(later, profile=run.profile)
    again = catalog_graph(con, draft, CONTRACTS, files)
    first = catalog_graph(con, run, CONTRACTS, files)
    assert set(again.subjects(RDF.type, namespace.DCAT.Dataset)) == set(
        first.subjects(RDF.type, namespace.DCAT.Dataset)
    )


def test_synthetic_data_never_has_the_identifier_of_real_data(profile: Profile) -> None:
    real, invented = filled_in(profile), synthetic(filled_in(profile))
    assert identifier(real, "gremien") != identifier(invented, "gremien")


def test_a_contributor_id_is_given_where_there_is_one(
    con: duckdb.DuckDBPyConnection, run: Run, files: list[DataFile], catalog: rdflib.Graph
) -> None:
    assert not list(catalog.objects(None, DCATDE.contributorID))
    known = "http://dcat-ap.de/def/contributors/govdata"
    graph = catalog_graph(con, run, CONTRACTS, files, known)
    assert set(graph.objects(None, DCATDE.contributorID)) == {URIRef(known)}


REWRITE = """
import sys, rdflib
from flows.metadata.catalog import PREFIXES
graph = rdflib.Graph(bind_namespaces="none")
for pair in PREFIXES.items():
    graph.bind(*pair)
graph.parse(sys.argv[1], format="turtle").serialize(sys.argv[2], format="turtle")
"""


@pytest.mark.slow
def test_the_catalogue_is_written_the_same_in_another_process(finished: rdflib.Graph, tmp_path: Path) -> None:
    assert not any(isinstance(node, rdflib.BNode) for node in finished.all_nodes())
    first, again = tmp_path / "first.ttl", tmp_path / "again.ttl"
    finished.serialize(first, format="turtle")
    root = Path(__file__).resolve().parent.parent
    environment = {"PYTHONHASHSEED": "4711", "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", REWRITE, str(first), str(again)], check=True, env=environment)
    assert again.read_bytes() == first.read_bytes()


# Time


def test_a_date_means_all_its_days() -> None:
    assert (first_day("2019"), last_day("2019")) == (date(2019, 1, 1), date(2019, 12, 31))
    assert (first_day("2020-02"), last_day("2020-02")) == (date(2020, 2, 1), date(2020, 2, 29))
    assert first_day("2020-02-03") == last_day("2020-02-03") == date(2020, 2, 3)


def test_a_subject_spans_the_time_of_its_data(con: duckdb.DuckDBPyConnection) -> None:
    all_subjects = subjects()
    assert period(con, all_subjects["befragung"]) == (date(2020, 6, 1), date(2020, 6, 30))
    assert period(con, all_subjects["monitoring"]) == (date(2023, 5, 1), date(2023, 10, 31))
    # The oldest hint is of September 2016, the newest evidence of August 2024.
    assert period(con, all_subjects["gremien"]) == (date(2016, 9, 1), date(2024, 8, 21))
    assert period(con, all_subjects["angebote"]) is None


def test_a_subject_whose_columns_are_empty_spans_no_time(con: duckdb.DuckDBPyConnection) -> None:
    empty = replace(subjects()["gremien"], temporal=("release.befragung_rahmen.antwort_durch",))
    assert period(con, empty) is None


def test_every_dataset_belongs_to_a_subject() -> None:
    all_subjects = subjects()
    assert {contract.raw["subject"] for contract in CONTRACTS} <= all_subjects.keys()
    assert all(isinstance(subject, Subject) and subject.keywords for subject in all_subjects.values())


# JSON-LD and citation


def test_search_engines_get_every_data_file_once(run: Run, files: list[DataFile]) -> None:
    content = json.loads(text_of(run, "dataset.jsonld"))
    parts = [content, *content["hasPart"]]
    addresses = [item["contentUrl"] for part in parts for item in part["distribution"]]
    assert sorted(addresses) == sorted(file.path for file in files if not file.companion)
    assert content["creativeWorkStatus"] == "Entwurf"
    assert content["description"].startswith("Entwurf, ")
    assert "publisher" not in content and "url" not in content


def test_search_engines_get_full_addresses_once_there_is_one(
    con: duckdb.DuckDBPyConnection, run: Run, files: list[DataFile]
) -> None:
    filled = replace(run, profile=filled_in(run.profile))
    content = dataset_jsonld(con, filled, read_datasets(run), files)
    assert content["publisher"]["name"] == PUBLISHER.name
    assert content["url"] == f"{ADDRESS}/releases/{run.release_id}/"
    assert all(item["contentUrl"].startswith(content["url"]) for item in content["distribution"])
    assert [place["name"] for place in content["spatialCoverage"]] == ["Kleinland"]
    south, west, north, east = map(float, content["spatialCoverage"][0]["geo"]["box"].split())
    assert south < north and west < east and north > east


@pytest.mark.parametrize("settings", [lambda profile: profile, filled_in, synthetic])
def test_the_citation_file_conforms_to_its_format(run: Run, tmp_path: Path, settings: Any) -> None:
    other = replace(run, work=tmp_path, profile=settings(run.profile))
    other.package.mkdir()
    write_citation(other)
    content = yaml.safe_load(text_of(other, "CITATION.cff"))
    jsonschema.validate(content, json.loads(CFF.read_text(encoding="utf-8")))
    assert content["version"] == run.release_id
    assert content["authors"][0]["name"] == (other.profile.publisher.name or "Herausgeber noch nicht festgelegt")


def test_a_citation_says_that_no_publisher_is_set(run: Run) -> None:
    assert citation(run).startswith("[Herausgeber noch nicht festgelegt] (2026): Präventionskarte Kleinland.")
    full = citation(replace(run, profile=filled_in(run.profile)))
    assert full.startswith("Präventionsstelle Kleinland (2026): ")
    assert full.endswith(f"{ADDRESS}/releases/{run.release_id}/")


# quality.md


def test_quality_counts_what_is_in_the_data(run: Run) -> None:
    text = text_of(run, "quality.md")
    municipalities = rows_of(run.package / "gemeinden.csv")
    evidence = rows_of(run.package / "gremien_belege.csv")
    surveyed = sum(row["in_befragung"] == "true" for row in municipalities)
    known = sum(int(row["gremien_bekannt"]) > 0 for row in municipalities)
    undated = sum(not row["belegt_am"] for row in evidence)
    assert f"| Gemeinden | {len(municipalities)} |" in text
    assert f"Rahmen der Befragung 2020 | {surveyed} |" in text
    assert f"mindestens einem uns bekannten Gremium | {known} |" in text
    assert f"| Belege dazu | {len(evidence)} |" in text
    assert f"| davon ohne Datum | {undated} (" in text


def test_quality_derives_no_number_of_towns_that_did_not_answer(run: Run) -> None:
    text = text_of(run, "quality.md")
    assert "Wie viele Städte nicht geantwortet haben, folgt daraus nicht" in text
    assert "Antwortdatei vor." not in text


def test_quality_dates_every_committee(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    found = {row["gremium_id"]: row for row in committees(con, load_contract("release", "gremien"), DAY)}
    assert len(found) == len(rows_of(run.package / "gremien.csv"))
    council = found["aldorf-praeventionsrat"]
    assert (council["neuester"], council["monate"], council["belege"], council["undatiert"]) == ("2024-08-21", 17, 3, 1)
    assert found["eichen-ordnungspartnerschaft"]["neuester"] is None
    # Of two dates the one that may be later counts: the month may mean its last day.
    assert found["ilmen-praeventionsrat"]["neuester"] == "2023-11"


def test_age_is_counted_in_completed_months_and_never_below_zero() -> None:
    assert months_since("2024-08-21", date(2026, 8, 20)) == 23
    assert months_since("2024-08-21", date(2026, 8, 21)) == 24
    assert months_since("2025", date(2025, 6, 1)) == 0
    assert [duration(months) for months in (0, 1, 12, 25)] == ["0 Monate", "1 Monat", "1 Jahr", "2 Jahre 1 Monat"]


def test_quality_lists_every_column_with_an_empty_cell(run: Run) -> None:
    text = text_of(run, "quality.md")
    for contract in CONTRACTS:
        rows = rows_of(run.package / f"{contract.name}.csv")
        for field in contract.fields:
            empty = sum(not row[field.name] for row in rows)
            line = f"| {contract.name} | `{field.name}` | {empty} | {len(rows)} |"
            assert (line in text) == bool(empty), line


# Marks


@pytest.mark.slow
def test_a_synthetic_release_says_so_in_every_document_and_record(profile: Profile, tmp_path: Path) -> None:
    run = packaged(synthetic(profile), tmp_path)
    for name in ("README.md", "quality.md", "LICENSE.txt", "NOTICE.txt", "CITATION.cff", "dataset.jsonld"):
        assert SYNTHETIC_MARK in text_of(run, name), name
    graph = rdflib.Graph().parse(run.package / "catalog.ttl")
    for kind in (namespace.DCAT.Catalog, namespace.DCAT.Dataset, namespace.DCAT.Distribution):
        for node in graph.subjects(RDF.type, kind):
            texts = [str(text) for text in graph.objects(node, DCTERMS.description)]
            assert any(text.startswith(SYNTHETIC_MARK) for text in texts)
    for path in (*run.package.glob(f"{FOLDER}/*.csv"), run.package / "codebook.csv"):
        assert {row["synthetisch"] for row in rows_of(path)} == {SYNTHETIC_MARK}, path


@pytest.mark.slow
def test_a_real_release_of_a_publisher_carries_no_mark(run: Run, tmp_path: Path, profile: Profile) -> None:
    other = packaged(filled_in(profile), tmp_path)
    for name in files_of(other.package):
        content = (other.package / name).read_bytes()
        assert SYNTHETIC_MARK.encode() not in content, name
        assert DRAFT_MARK.encode() not in content, name
    assert DRAFT_MARK in text_of(run, "README.md")


@pytest.mark.slow
def test_a_release_without_tiles_promises_none(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    release(make_geodata({"profile.toml": 'extends = "kleinland"\n\n[formats]\ntiles = false\n'}), outputs)
    latest = outputs / "latest"
    assert not list(latest.rglob("*.pmtiles"))
    texts = [file for file in latest.rglob("*") if file.suffix in {".html", ".md", ".json", ".jsonld", ".ttl", ".csv"}]
    assert len(texts) > 20
    assert [file.name for file in texts if "pmtiles" in file.read_text(encoding="utf-8").lower()] == []
