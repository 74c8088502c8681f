"""The finished release checks itself before it is published: what is promised about its files against the files.

The run's database is not used: the gates see what a reader will get. One finding is enough to refuse the release.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.checksums import MANIFEST, differences, files_of
from flows.datasets import SYNTHETIC_FIELD
from flows.findings import Finding
from flows.metadata.datapackage import FILE as DESCRIPTOR
from flows.metadata.inventory import DOCUMENTS, OPTIONAL, is_document
from flows.profile import SYNTHETIC_MARK
from flows.run import Run
from flows.selfcheck_catalog import catalog_findings
from flows.selfcheck_geojson import geojson_findings
from flows.selfcheck_marks import CHECK as MARKS
from flows.selfcheck_marks import COLUMN, mark_findings
from flows.selfcheck_tables import table_findings
from flows.sidecar import sha256_of

REMEDY = "Bitte die Ausgabe neu bauen; veröffentlicht wird nichts."
# What makes a spreadsheet take a cell for a formula, unless it is a number
# (https://owasp.org/www-community/attacks/CSV_Injection).
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")


def read_descriptor(folder: Path) -> dict[str, Any] | None:
    """``datapackage.json`` of a release, or None when it is missing or not JSON with resources."""
    try:
        descriptor: dict[str, Any] = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return descriptor if isinstance(descriptor.get("resources"), list) else None


def description_findings(folder: Path, descriptor: Mapping[str, Any]) -> Iterator[Finding]:
    """``datapackage.json`` against the files: each described one is there, byte for byte, and each is described."""
    described = {resource["path"]: resource for resource in descriptor["resources"]}
    present = set(files_of(folder)) | {MANIFEST}
    for path, resource in described.items():
        if path not in present:
            yield Finding("beschreibung", path, f"die Datei fehlt, steht aber in {DESCRIPTOR}.", REMEDY)
        elif resource.get("bytes") != (folder / path).stat().st_size:
            yield Finding("beschreibung", path, f"die Größe ist nicht die in {DESCRIPTOR}.", REMEDY)
        elif resource.get("hash") != f"sha256:{sha256_of(folder / path)}":
            yield Finding("beschreibung", path, f"die Prüfsumme ist nicht die in {DESCRIPTOR}.", REMEDY)
    for path in sorted(present - described.keys()):
        if not is_document(path):
            message = f"die Datei steht weder in {DESCRIPTOR} noch unter den Dokumenten."
            yield Finding("beschreibung", path, message, "Bitte beschreiben oder weglassen.")
    for document in DOCUMENTS:
        if document not in present and document not in OPTIONAL:
            yield Finding("beschreibung", document, "das Dokument fehlt.", REMEDY)


def checksum_findings(folder: Path) -> Iterator[Finding]:
    """``SHA256SUMS`` against the bytes."""
    for path, text in differences(folder).items():
        yield Finding("pruefsummen", path, text, REMEDY)


def layer_findings(folder: Path, descriptor: Mapping[str, Any]) -> Iterator[Finding]:
    """Every GeoJSON file against RFC 7946 and the columns of its dataset."""
    schemas = {resource["name"]: resource.get("schema", {}) for resource in descriptor["resources"]}
    for resource in descriptor["resources"]:
        path = folder / resource["path"]
        if path.suffix != ".geojson" or not path.is_file():
            continue
        if not schemas.get(path.stem, {}).get("primaryKey"):
            yield Finding(
                "geojson", path.name, "zu diesem Datensatz ist keine Tabelle mit Schlüssel beschrieben.", REMEDY
            )
        else:
            yield from geojson_findings(path, schemas[path.stem])


def cell_findings(folder: Path, synthetic: bool) -> Iterator[Finding]:
    """Every cell of every CSV: none starts a formula; in a synthetic release each record carries the mark."""
    for path in files_of(folder):
        if not path.endswith(".csv"):
            continue
        with (folder / path).open(encoding="utf-8", errors="replace", newline="") as stream:
            rows = csv.reader(stream)
            header = next(rows, [])
            place = header.index(COLUMN) if COLUMN in header else None
            if synthetic and place is None:
                yield Finding(MARKS, path, f"die Spalte „{SYNTHETIC_FIELD.name}“ fehlt.", REMEDY)
            for line, row in enumerate(rows, start=2):
                for column, cell in zip(header, row, strict=False):
                    if FORMULA.match(cell) and not NUMBER.fullmatch(cell):
                        message = "die Zelle würde in einer Tabellenkalkulation als Formel gelesen."
                        yield Finding("formeln", path, message, REMEDY, line, column, cell)
                if synthetic and place is not None and row[place : place + 1] != [SYNTHETIC_MARK]:
                    yield Finding(MARKS, path, "die Kennzeichnung als synthetisch fehlt.", REMEDY, line, COLUMN)


def workbook_findings(folder: Path) -> Iterator[Finding]:
    """No workbook holds a formula."""
    for path in files_of(folder):
        if path.endswith(".xlsx"):
            with zipfile.ZipFile(folder / path) as archive:
                for entry in archive.namelist():
                    if SHEET.fullmatch(entry) and re.search(rb"<f[ />]", archive.read(entry)):
                        yield Finding("formeln", path, f"die Mappe enthält eine Formel ({entry}).", REMEDY)


def self_check(run: Run) -> list[Finding]:
    """Everything that is wrong with the finished release in ``run.package``; empty when all is well."""
    folder, profile = run.package, run.profile
    findings = [*checksum_findings(folder), *cell_findings(folder, profile.synthetic), *workbook_findings(folder)]
    descriptor = read_descriptor(folder)
    if descriptor is None:
        return [*findings, Finding("beschreibung", DESCRIPTOR, "die Beschreibung fehlt oder ist nicht lesbar.", REMEDY)]
    findings += description_findings(folder, descriptor)
    findings += table_findings(folder)
    findings += layer_findings(folder, descriptor)
    findings += catalog_findings(folder, profile, descriptor["resources"])
    # What is already known to be broken may not be readable.
    broken = {finding.source for finding in findings}
    sound = [resource for resource in descriptor["resources"] if resource["path"] not in broken]
    return findings + mark_findings(folder, profile, sound)
