"""The release checks itself: a sound one has no finding, and each gate finds what it is there for."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import pmtiles.tile
import pmtiles.writer
import pyogrio
import pytest
import rdflib
import shapely
from packaged import filled_in, packaged, synthetic

from flows.checksums import files_of, write_manifest
from flows.findings import Finding
from flows.formats.xlsx import FILE as WORKBOOK
from flows.profile import SYNTHETIC_MARK, Profile, load_profile
from flows.run import Run
from flows.selfcheck import (
    cell_findings,
    checksum_findings,
    read_descriptor,
    self_check,
    workbook_findings,
)
from flows.selfcheck_catalog import catalog_findings
from flows.selfcheck_geojson import BATCH, NAMED, geojson_findings
from flows.selfcheck_marks import mark_findings
from flows.selfcheck_tables import table_findings

# A whole release, mended and broken, for every gate.
pytestmark = pytest.mark.slow

SCHEMA = {"primaryKey": ["ags"], "fields": [{"name": "ags"}, {"name": "gemeinde"}]}
# Counter-clockwise, as an exterior ring must run.
SQUARE = [[10.0, 50.0], [10.2, 50.0], [10.2, 50.2], [10.0, 50.2], [10.0, 50.0]]
HOLE = [[10.1, 50.1], [10.1, 50.15], [10.15, 50.15], [10.15, 50.1], [10.1, 50.1]]


@pytest.fixture(scope="module")
def profile(geodata: Path) -> Profile:
    return load_profile(geodata, "kleinland")


@pytest.fixture(scope="module")
def draft(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return packaged(profile, tmp_path_factory.mktemp("draft"))


@pytest.fixture(scope="module")
def demo(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return packaged(synthetic(profile), tmp_path_factory.mktemp("demo"))


def copied(run: Run, work: Path) -> Run:
    """The same release in another place, to be broken there."""
    shutil.copytree(run.package, work / "release")
    return replace(run, work=work)


def sealed(run: Run, before: dict[str, str]) -> Run:
    """The release with sizes, hashes and manifest of its files as they are now: only the content is wrong then."""
    folder = run.package
    now = digests(run)
    for name in ("datapackage.json", "catalog.ttl", "dataset.jsonld"):
        text = (folder / name).read_text(encoding="utf-8")
        for path, digest in before.items():
            text = text.replace(digest, now.get(path, digest))
        (folder / name).write_text(text, encoding="utf-8")
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        if (folder / resource["path"]).is_file():
            resource["bytes"] = (folder / resource["path"]).stat().st_size
    (folder / "datapackage.json").write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")
    write_manifest(folder)
    return run


def digests(run: Run) -> dict[str, str]:
    return {name: hashlib.sha256((run.package / name).read_bytes()).hexdigest() for name in files_of(run.package)}


Break = Callable[[Path], None]


def replaced(path: str, old: str, new: str) -> Break:
    """Change a file's text, once."""

    def change(folder: Path) -> None:
        text = (folder / path).read_bytes().decode("utf-8")
        assert old in text
        (folder / path).write_bytes(text.replace(old, new, 1).encode("utf-8"))

    return change


def described(change: Callable[[dict[str, Any]], None]) -> Break:
    """Change the descriptor in ``datapackage.json``."""

    def changed(folder: Path) -> None:
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        change(descriptor)
        (folder / "datapackage.json").write_text(json.dumps(descriptor, ensure_ascii=False), encoding="utf-8")

    return changed


# Sound releases


def test_a_sound_draft_has_no_finding(draft: Run) -> None:
    assert self_check(draft) == []


def test_a_sound_demonstration_has_no_finding(demo: Run) -> None:
    assert self_check(demo) == []


def test_a_sound_release_of_a_publisher_has_no_finding(profile: Profile, tmp_path: Path) -> None:
    assert self_check(packaged(filled_in(profile), tmp_path)) == []


# Content that is not as described


@dataclass(frozen=True)
class Case:
    """A broken release: what is done to it, which gate must find it, where, and in which words."""

    name: str
    broken: Break
    check: str
    source: str
    message: str
    column: str | None = None


CASES = [
    Case(
        "a code outside its list",
        replaced("befragung_rahmen.csv", "nicht_veroeffentlicht", "hat_geantwortet"),
        "tabellen",
        "befragung_rahmen.csv",
        "verletzt eine Vorgabe",
        "befragung_status",
    ),
    Case(
        "a number that is none",
        replaced("monitoring.csv", ",38.5,", ",viele,"),
        "tabellen",
        "monitoring.csv",
        "nicht den vereinbarten Typ",
        "wert",
    ),
    Case(
        "a committee twice",
        replaced("gremien.csv", "eichen-runder-tisch,", "eichen-ordnungspartnerschaft,"),
        "tabellen",
        "gremien.csv",
        "der Schlüssel fehlt oder steht mehr als einmal",
    ),
    Case(
        "evidence of a committee that is not there",
        replaced("gremien_belege.csv", ",aldorf-ag-bahnhof,", ",aldorf-ag-markt,"),
        "tabellen",
        "gremien_belege.csv",
        "fehlt in der Tabelle, auf die er verweist",
    ),
    Case(
        "another heading",
        replaced("angebote.csv", "angebot_id,", "kennung,"),
        "tabellen",
        "angebote.csv",
        "die Überschrift ist nicht die vereinbarte",
        "angebot_id",
    ),
    Case(
        "a cell too many",
        replaced("kreise.csv", "2020-06-30\r\n", "2020-06-30,\r\n"),
        "tabellen",
        "kreise.csv",
        "eine Zelle zu viel",
    ),
    Case(
        "a code list without a code in use",
        replaced("codelisten/gremium_art.csv", "arbeitsgruppe,", "arbeitskreis,"),
        "tabellen",
        "gremien.csv",
        "fehlt in der Tabelle, auf die er verweist",
    ),
    Case(
        "a formula in a table",
        replaced("hinweise.csv", ",Eine Fraktion fordert", ",=HYPERLINK() Eine Fraktion fordert"),
        "formeln",
        "hinweise.csv",
        "als Formel gelesen",
        "zeigt",
    ),
    Case(
        "a formula in a code list",
        replaced("codelisten/turnus.csv", ",Einmal im Jahr.", ",@Einmal im Jahr."),
        "formeln",
        "codelisten/turnus.csv",
        "als Formel gelesen",
        "definition",
    ),
    Case(
        "a file that nobody describes",
        lambda folder: (folder / "gemeinden.tmp").write_bytes(b"half") and None,
        "beschreibung",
        "gemeinden.tmp",
        "steht weder in datapackage.json noch unter den Dokumenten",
    ),
    Case(
        "a data file that is not described",
        described(lambda content: content["resources"].pop(1)),
        "beschreibung",
        "gemeinden.geojson",
        "steht weder in datapackage.json",
    ),
    Case(
        "a described file that is not there",
        lambda folder: (folder / "monitoring.csvt").unlink(),
        "beschreibung",
        "monitoring.csvt",
        "die Datei fehlt, steht aber in datapackage.json",
    ),
    Case(
        "a document that is not there",
        lambda folder: (folder / "LICENSE.txt").unlink(),
        "beschreibung",
        "LICENSE.txt",
        "das Dokument fehlt",
    ),
    Case(
        "GeoJSON with a crs",
        replaced("kreise.geojson", '"type":"FeatureCollection",', '"type":"FeatureCollection","crs":null,'),
        "geojson",
        "kreise.geojson",
        "„crs“ ist nicht erlaubt",
        "crs",
    ),
    Case(
        "a feature without one of the columns",
        replaced("land.geojson", '"land":"Kleinland",', ""),
        "geojson",
        "land.geojson",
        "nicht die Spalten des Datensatzes",
    ),
    Case(
        "a draft that does not say so",
        replaced("README.md", "Entwurf", "Ausgabe"),
        "kennzeichnung",
        "README.md",
        "dass dies ein Entwurf ist",
    ),
]


@pytest.fixture(scope="module")
def findings(draft: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What the self-check finds in a release that is broken in all these ways at once, each in its own place."""
    run = copied(draft, tmp_path_factory.mktemp("broken"))
    before = digests(run)
    for case in CASES:
        case.broken(run.package)
    return self_check(sealed(run, before))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_release_is_found_by_its_gate(findings: list[Finding], case: Case) -> None:
    found = [
        finding
        for finding in findings
        if (finding.check, finding.source) == (case.check, case.source) and case.message in finding.message
    ]
    assert found
    assert case.column in (None, found[0].column)


def test_what_is_not_broken_is_not_found(findings: list[Finding]) -> None:
    expected = {(case.check, case.source) for case in CASES}
    # A file that vanished from the descriptor is still in the catalogue, and a committee that became another is missed.
    expected |= {("katalog", "catalog.ttl"), ("tabellen", "gremien_gemeinden.csv")}
    assert {(finding.check, finding.source) for finding in findings} == expected


def test_a_table_finding_says_row_column_and_value(findings: list[Finding]) -> None:
    finding = next(finding for finding in findings if finding.source == "monitoring.csv")
    assert str(finding).startswith("monitoring.csv, Zeile 2, Spalte „wert“, Wert „viele“: ")


def test_without_a_descriptor_the_release_is_refused(draft: Run, tmp_path: Path) -> None:
    other = copied(draft, tmp_path)
    (other.package / "datapackage.json").write_text("{", encoding="utf-8")
    write_manifest(other.package)
    findings = self_check(other)
    assert [(finding.check, finding.source) for finding in findings] == [("beschreibung", "datapackage.json")]


def test_a_descriptor_without_tables_is_refused(draft: Run, tmp_path: Path) -> None:
    def forget(content: dict[str, Any]) -> None:
        for resource in content["resources"]:
            resource.pop("type", None)

    other = copied(draft, tmp_path)
    described(forget)(other.package)
    assert [finding.message for finding in table_findings(other.package)] == ["keine einzige Tabelle ist beschrieben."]


def test_a_foreign_key_that_leads_to_no_table_is_found(draft: Run, tmp_path: Path) -> None:
    def forget(content: dict[str, Any]) -> None:
        content["resources"] = [one for one in content["resources"] if one["name"] != "codeliste_turnus"]

    other = copied(draft, tmp_path)
    described(forget)(other.package)
    found = {(one.source, one.column): one.message for one in table_findings(other.package)}
    text = "ein Verweis führt zur Tabelle „codeliste_turnus“, die nicht beschrieben ist."
    assert found == {("gremien.csv", "turnus"): text, ("gremien_belege.csv", "turnus"): text}


def test_a_reference_that_leads_nowhere_is_told_with_its_place(findings: list[Finding]) -> None:
    found = next(finding for finding in findings if finding.source == "gremien_belege.csv")
    assert "Spalte „gremium_id“, Wert „aldorf-ag-markt“: " in str(found)
    assert "auf die er verweist (gremien.csv, Spalte „gremium_id“)." in str(found)


def test_a_changed_byte_is_found_in_manifest_and_descriptor(draft: Run, tmp_path: Path) -> None:
    other = copied(draft, tmp_path)
    path = other.package / "land.csvt"
    path.write_bytes(path.read_bytes().replace(b"String", b"string", 1))
    found = {(finding.check, finding.source) for finding in self_check(other)}
    assert found == {("pruefsummen", "land.csvt"), ("beschreibung", "land.csvt")}


def test_without_a_manifest_the_release_is_refused(draft: Run, tmp_path: Path) -> None:
    other = copied(draft, tmp_path)
    (other.package / "SHA256SUMS").unlink()
    assert [finding.check for finding in checksum_findings(other.package)] == ["pruefsummen"]


def test_a_negative_number_is_no_formula(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\r\n-1.5e3,+7\r\n", encoding="utf-8")
    assert list(cell_findings(tmp_path, synthetic=False)) == []


def test_a_formula_in_the_workbook_is_found(draft: Run, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(draft.package / WORKBOOK)
    book["Land"]["A9"] = "=SUM(A1:A2)"
    book.save(tmp_path / WORKBOOK)
    assert [(finding.check, finding.source) for finding in workbook_findings(tmp_path)] == [("formeln", WORKBOOK)]


# The catalogue


CATALOGUE = [
    (
        "a dataset without a title",
        r'dcterms:title "Präventionskarte Kleinland: Angebote"@de,\s+"[^"]+"@en ;',
        "",
        "title",
    ),
    ("a distribution without an address", r"dcat:accessURL <land.csv> ;", "", "accessURL"),
    ("a distribution without attribution", r'dcatde:licenseAttributionByText "[^"]+"@de ;', "", "licenseAttribution"),
    ("a publisher without a name", r'foaf:name "[^"]+"@de', 'foaf:nick "x"@de', "name"),
    ("another licence", "licenses/dl-by-de/2.0", "licenses/other-closed", "license"),
    ("a licence in words", "<http://dcat-ap.de/def/licenses/dl-by-de/2.0>", '"dl-de/by-2-0"', "license"),
    ("an availability of another list", "planned-availability/AVAILABLE", "availability/available", "availability"),
]


@pytest.mark.parametrize(
    ("old", "new", "column"), [case[1:] for case in CATALOGUE], ids=[case[0] for case in CATALOGUE]
)
def test_a_broken_catalogue_is_found(draft: Run, tmp_path: Path, old: str, new: str, column: str) -> None:
    text, times = re.subn(old, new, (draft.package / "catalog.ttl").read_text(encoding="utf-8"), count=1)
    assert times == 1
    findings = catalogue_findings(draft, tmp_path, text)
    assert findings
    assert {finding.check for finding in findings} == {"katalog"}
    assert all((finding.column or "").startswith(column) for finding in findings)


def test_a_catalogue_that_is_no_turtle_is_found(draft: Run, tmp_path: Path) -> None:
    text = (draft.package / "catalog.ttl").read_text(encoding="utf-8").replace("@prefix", "prefix")
    findings = catalogue_findings(draft, tmp_path, text)
    assert [finding.message for finding in findings] == ["der Katalog ist nicht lesbar (BadSyntax)."]


def test_a_file_that_the_catalogue_does_not_offer_is_found(draft: Run, tmp_path: Path) -> None:
    graph = rdflib.Graph().parse(draft.package / "catalog.ttl")
    digest = hashlib.sha256((draft.package / "gremien.geojson").read_bytes()).hexdigest()
    spdx = rdflib.Namespace("http://spdx.org/rdf/terms#")
    sums = {str(value): node for node, value in graph.subject_objects(spdx.checksumValue)}
    checksum = sums[digest]
    distribution = graph.value(predicate=spdx.checksum, object=checksum)
    for node in (checksum, distribution):
        graph.remove((node, None, None))
        graph.remove((None, None, node))
    findings = catalogue_findings(draft, tmp_path, graph.serialize(format="turtle"))
    assert [(finding.message, finding.value) for finding in findings] == [
        ("diese Datei fehlt im Katalog.", "gremien.geojson")
    ]


def catalogue_findings(run: Run, folder: Path, text: str) -> list[Finding]:
    """What is wrong with ``text`` as the catalogue of a release."""
    (folder / "catalog.ttl").write_text(text, encoding="utf-8")
    descriptor = read_descriptor(run.package)
    assert descriptor is not None
    return catalog_findings(folder, run.profile, descriptor["resources"])


# GeoJSON


def collection(*geometries: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
    """A sound collection of municipalities "1", "2" …, with changes to its head."""
    features = [
        {"type": "Feature", "id": str(number), "properties": {"ags": str(number), "gemeinde": "A"}, "geometry": shape}
        for number, shape in enumerate(geometries, start=1)
    ]
    shapes = [shapely.geometry.shape(shape) for shape in geometries if shape]
    head = {"type": "FeatureCollection", "bbox": shapely.total_bounds(shapes).tolist()}
    return head | changes | {"features": features}


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def written(document: dict[str, Any], folder: Path) -> Path:
    """The collection as a file with one feature a line."""
    features = document.pop("features")
    head = json.dumps(document, separators=(",", ":"))[:-1]
    lines = ",\n".join(json.dumps(feature) for feature in features)
    path = folder / "gemeinden.geojson"
    path.write_text(f'{head},"features":[\n{lines}\n]}}\n', encoding="utf-8")
    return path


def messages(path: Path) -> list[str]:
    return [finding.message for finding in geojson_findings(path, SCHEMA)]


def moved(ring: list[list[float]], dx: float, dy: float) -> list[list[float]]:
    return [[x + dx, y + dy] for x, y in ring]


def test_sound_shapes_pass(tmp_path: Path) -> None:
    multi = {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [moved(SQUARE, 1, 0)]]}
    point = {"type": "Point", "coordinates": [10.0, 50.0]}
    assert messages(written(collection(polygon(SQUARE, HOLE), multi, point), tmp_path)) == []


BOWTIE = [[10.0, 50.0], [10.2, 50.2], [10.2, 50.0], [10.0, 50.2], [10.0, 50.0]]
GEOMETRIES = [
    ("a ring the wrong way round", polygon(SQUARE[::-1]), "ein Ring läuft falsch herum"),
    ("a hole the wrong way round", polygon(SQUARE, HOLE[::-1]), "ein Ring läuft falsch herum"),
    (
        "a second part the wrong way round",
        {"type": "MultiPolygon", "coordinates": [[SQUARE], [moved(SQUARE, 1, 0)[::-1]]]},
        "ein Ring läuft falsch herum",
    ),
    ("metres in place of degrees", polygon(moved(SQUARE, 600000, 5600000)), "außerhalb von WGS84"),
    ("latitude before longitude", {"type": "Point", "coordinates": [50.0, 110.0]}, "außerhalb von WGS84"),
    ("seven decimals", {"type": "Point", "coordinates": [10.1234567, 50.0]}, "mehr als 6 Nachkommastellen"),
    ("a height", {"type": "Point", "coordinates": [10.0, 50.0, 300.0]}, "eine Koordinate hat eine Höhe"),
    ("a ring that crosses itself", polygon(BOWTIE), "leer oder ungültig (Self-intersection"),
    ("a shape without a point", {"type": "Polygon", "coordinates": []}, "leer oder ungültig"),
]


@pytest.mark.parametrize(("shape", "message"), [case[1:] for case in GEOMETRIES], ids=[case[0] for case in GEOMETRIES])
def test_a_broken_shape_is_found_with_its_key(tmp_path: Path, shape: dict[str, Any], message: str) -> None:
    findings = geojson_findings(written(collection(polygon(SQUARE), shape), tmp_path), SCHEMA)
    found = [finding for finding in findings if message in finding.message]
    assert [finding.value for finding in found] == ["2"]


def test_a_ring_that_does_not_close_is_found(tmp_path: Path) -> None:
    document = collection(polygon(SQUARE))
    document["features"][0]["geometry"] = polygon(SQUARE[:-1])
    assert any("eine Geometrie ist nicht lesbar" in message for message in messages(written(document, tmp_path)))


def test_a_feature_without_a_shape_is_found(tmp_path: Path) -> None:
    assert messages(written(collection(polygon(SQUARE), None), tmp_path)) == ["die Geometrie fehlt."]


@pytest.mark.parametrize("box", [None, [10.0, 50.0, 10.2, 50.3]])
def test_a_box_that_is_missing_or_wrong_is_found(tmp_path: Path, box: list[float] | None) -> None:
    assert messages(written(collection(polygon(SQUARE), bbox=box), tmp_path)) == [
        "„bbox“ fehlt oder umschließt nicht genau die Objekte."
    ]


def test_ids_are_there_once_and_are_the_key(tmp_path: Path) -> None:
    document = collection(polygon(SQUARE), polygon(SQUARE), polygon(SQUARE))
    document["features"][1]["id"] = "1"
    del document["features"][2]["id"]
    found = messages(written(document, tmp_path))
    assert found.count("die id fehlt oder steht mehr als einmal.") == 2
    assert found.count("die id ist nicht der Schlüssel „ags“.") == 2


def test_every_feature_has_a_line_of_its_own(tmp_path: Path) -> None:
    document = collection(polygon(SQUARE), polygon(SQUARE))
    path = tmp_path / "gemeinden.geojson"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert any("Zeilen statt jedes in einer" in message for message in messages(path))


def test_a_single_feature_is_no_collection(tmp_path: Path) -> None:
    document = collection(polygon(SQUARE), type="GeometryCollection")
    assert messages(written(document, tmp_path))[0] == "das ist keine FeatureCollection."


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "FeatureCollection"}'])
def test_a_file_without_features_is_found(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gemeinden.geojson"
    path.write_text(text, encoding="utf-8")
    assert messages(path) == ["die Datei ist kein GeoJSON mit Objekten."]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("},\n{", "}\n{"),
        ("}\n]}", "},\n]}"),
        ('"properties"', "properties"),
        ("]}\n", ""),
        ("]}\n", "]}\n\n[]\n"),
        ("]}\n", "]}\n{}\n"),
    ],
    ids=["no comma", "one comma too many", "a word for a text", "no end", "more after the end", "a line after the end"],
)
def test_lines_that_are_not_json_together_are_found(tmp_path: Path, old: str, new: str) -> None:
    path = written(collection(polygon(SQUARE), polygon(SQUARE)), tmp_path)
    text = path.read_text(encoding="utf-8")
    place = text.rindex(old)
    path.write_text(text[:place] + new + text[place + len(old) :], encoding="utf-8")
    assert messages(path) == ["die Datei ist kein GeoJSON mit Objekten."]


def test_rules_hold_across_the_whole_of_a_long_file(tmp_path: Path) -> None:
    """Features are judged in batches: an id twice and a box too small are found though their batches are far apart."""
    shapes = [{"type": "Point", "coordinates": [10.0, round(50 + number / 1000, 3)]} for number in range(BATCH + 2)]
    document = collection(*shapes)
    assert messages(written(dict(document), tmp_path)) == []
    document["features"][-1] |= {"id": "1", "properties": {"ags": "1", "gemeinde": "A"}}
    document["bbox"][3] -= 0.001
    assert messages(written(document, tmp_path)) == [
        "die id fehlt oder steht mehr als einmal.",
        "„bbox“ fehlt oder umschließt nicht genau die Objekte.",
    ]


def test_a_fault_of_all_features_is_named_for_some(tmp_path: Path) -> None:
    document = collection(*(polygon(SQUARE[::-1]) for _ in range(NAMED + 5)))
    assert len(messages(written(document, tmp_path))) == NAMED


# Marks


def marks_of(run: Run) -> set[str]:
    """Files of a synthetic release in which the mark is missed."""
    descriptor = read_descriptor(run.package)
    assert descriptor is not None
    found = mark_findings(run.package, run.profile, descriptor["resources"])
    found += cell_findings(run.package, run.profile.synthetic)
    assert {finding.check for finding in found} <= {"kennzeichnung"}
    return {finding.source for finding in found}


@pytest.mark.parametrize("path", ["README.md", "index.html", "CITATION.cff", "catalog.ttl"])
def test_a_synthetic_document_without_its_mark_is_found(demo: Run, tmp_path: Path, path: str) -> None:
    other = copied(demo, tmp_path)
    text = (other.package / path).read_text(encoding="utf-8")
    (other.package / path).write_text(text.replace(SYNTHETIC_MARK, "Angaben von Städten"), encoding="utf-8")
    assert marks_of(other) == {path}


@pytest.mark.parametrize("path", ["gremien.csv", "gremien.geojson", "codelisten/turnus.csv", "codebook.csv"])
def test_a_synthetic_record_without_its_mark_is_found(demo: Run, tmp_path: Path, path: str) -> None:
    other = copied(demo, tmp_path)
    head, mark, tail = (other.package / path).read_bytes().decode("utf-8").rpartition(SYNTHETIC_MARK)
    assert mark
    (other.package / path).write_bytes(f"{head}Angabe einer Stadt{tail}".encode())
    assert marks_of(other) == {path}


def test_a_synthetic_row_of_the_workbook_without_its_mark_is_found(demo: Run, tmp_path: Path) -> None:
    other = copied(demo, tmp_path)
    book = openpyxl.load_workbook(other.package / WORKBOOK)
    sheet = book["Gemeinden"]
    sheet.cell(4, sheet.max_column).value = None
    book.save(other.package / WORKBOOK)
    assert marks_of(other) == {WORKBOOK}


def marked_files(folder: Path, mark: str | None) -> list[str]:
    """Small files of the binary formats whose second record carries ``mark``."""
    frame = geopandas.GeoDataFrame(
        {"ags": ["1", "2"], "synthetisch": [SYNTHETIC_MARK, mark]},
        geometry=[shapely.Point(10, 50), shapely.Point(11, 51)],
        crs="EPSG:4326",
    )
    frame.to_parquet(folder / "a.parquet")
    pyogrio.write_dataframe(frame, folder / "b.fgb")
    pyogrio.write_dataframe(frame, folder / "c.gpkg", layer="gemeinden")
    with (folder / "d.pmtiles").open("wb") as stream:
        writer = pmtiles.writer.Writer(stream)
        writer.write_tile(0, b"tile")
        header = {"tile_type": pmtiles.tile.TileType.MVT, "tile_compression": pmtiles.tile.Compression.NONE}
        writer.finalize(header, {"description": f"Karte. {mark or ''}"})
    with zipfile.ZipFile(folder / "e.qgz", "w") as archive:
        archive.writestr("karte.qgs", f"<qgis><title>{mark or ''}</title></qgis>")
    return ["a.parquet", "b.fgb", "c.gpkg", "d.pmtiles", "e.qgz"]


@pytest.mark.parametrize("mark", [SYNTHETIC_MARK, None])
def test_every_binary_format_is_read_for_the_mark(profile: Profile, tmp_path: Path, mark: str | None) -> None:
    names = marked_files(tmp_path, mark)
    findings = mark_findings(tmp_path, synthetic(profile), [{"path": name} for name in names])
    assert [finding.source for finding in findings] == ([] if mark else names)


def test_a_table_without_the_column_of_the_mark_is_found(profile: Profile, tmp_path: Path) -> None:
    marked_files(tmp_path, SYNTHETIC_MARK)
    with closing(sqlite3.connect(tmp_path / "c.gpkg")) as con:
        con.execute("ALTER TABLE gemeinden RENAME COLUMN synthetisch TO anderes")
    geopandas.read_parquet(tmp_path / "a.parquet").drop(columns="synthetisch").to_parquet(tmp_path / "a.parquet")
    resources = [{"path": "a.parquet"}, {"path": "c.gpkg"}]
    findings = mark_findings(tmp_path, synthetic(profile), resources)
    assert [finding.source for finding in findings] == ["a.parquet", "c.gpkg"]


def test_real_data_must_not_be_called_synthetic(demo: Run, profile: Profile) -> None:
    assert "gremien.csv" in marks_of(replace(demo, profile=profile))


def test_invented_data_must_not_go_without_the_mark(draft: Run, profile: Profile) -> None:
    found = self_check(replace(draft, profile=synthetic(profile)))
    assert {finding.check for finding in found} == {"kennzeichnung"}
    assert {"gremien.csv", "gremien.geojson", "README.md", WORKBOOK} <= {finding.source for finding in found}
