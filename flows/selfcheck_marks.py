"""Marks: a synthetic release says so in every file and record, a draft to its readers, and a real one not at all."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from flows.datasets import SYNTHETIC_FIELD
from flows.findings import Finding
from flows.formats.xlsx import DICTIONARY, INFO
from flows.geojson_lines import features_by_line, head_of
from flows.profile import SYNTHETIC_MARK, Profile
from flows.validate import name

CHECK = "kennzeichnung"
COLUMN = SYNTHETIC_FIELD.name
DRAFT = "Entwurf"
REMEDY = "Veröffentlicht wird nichts; so könnte ein Beispiel für eine echte Angabe gehalten werden."
# What readers and programs see of the release as a whole.
DOCUMENTS = (
    "README.md",
    "index.html",
    "quality.md",
    "LICENSE.txt",
    "NOTICE.txt",
    "CITATION.cff",
    "datapackage.json",
    "catalog.ttl",
    "dataset.jsonld",
)

Marks = Iterator[tuple[str, object]]
"""What stands in the place of the mark: where (a table or layer), and the text found."""


def _geojson(file: Path) -> Marks:
    import orjson

    yield "Kopf", head_of(file).get(COLUMN)
    for line in features_by_line(file):
        feature = orjson.loads(line)
        yield f"id {feature.get('id')}", feature["properties"].get(COLUMN)


def _parquet(file: Path) -> Marks:
    import pyarrow.parquet

    if COLUMN not in pyarrow.parquet.read_schema(file).names:
        yield "Zeilen", None
        return
    # Of this one column only: the shapes of a country need not be read.
    values = pyarrow.parquet.read_table(file, columns=[COLUMN]).column(COLUMN).unique().to_pylist()
    yield from (("Zeilen", value) for value in values)


def _flatgeobuf(file: Path) -> Marks:
    import pyogrio

    _, table = pyogrio.read_arrow(file, columns=[COLUMN], read_geometry=False)
    values = table.column(COLUMN).unique().to_pylist() if COLUMN in table.column_names else [None]
    yield from (("Zeilen", value) for value in values)


def _geopackage(file: Path) -> Marks:
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as con:
        # layer_styles is QGIS's own table: it holds no records.
        tables = con.execute(
            "SELECT table_name FROM gpkg_contents "
            "WHERE data_type IN ('features', 'attributes') AND table_name <> 'layer_styles'"
        )
        for (table,) in tables.fetchall():
            columns = [row[1] for row in con.execute(f"PRAGMA table_info({name(table)})")]
            if COLUMN not in columns:
                yield table, None
                continue
            values = con.execute(f"SELECT DISTINCT {name(COLUMN)} FROM {name(table)}").fetchall()
            yield from ((table, value) for (value,) in values)


def _workbook(file: Path) -> Marks:
    import openpyxl

    book = openpyxl.load_workbook(file, read_only=True)
    for sheet in book.worksheets:
        if sheet.title in (INFO, DICTIONARY):
            continue
        rows = sheet.iter_rows(values_only=True)
        heads = next(rows)
        place = heads.index(SYNTHETIC_FIELD.title) if SYNTHETIC_FIELD.title in heads else None
        for row in rows:
            yield sheet.title, None if place is None else row[place]
    book.close()


def _tiles(file: Path) -> Marks:
    import pmtiles.reader

    library: Any = pmtiles.reader
    with file.open("rb") as stream:
        described = library.Reader(library.MmapSource(stream)).metadata().get("description", "")
    yield "Beschreibung", SYNTHETIC_MARK if SYNTHETIC_MARK in described else described


def _project(file: Path) -> Marks:
    with zipfile.ZipFile(file) as archive:
        texts = [archive.read(entry).decode("utf-8") for entry in archive.namelist() if entry.endswith(".qgs")]
    yield "Projekt", SYNTHETIC_MARK if any(SYNTHETIC_MARK in text for text in texts) else None


READERS: Mapping[str, Callable[[Path], Marks]] = {
    ".geojson": _geojson,
    ".parquet": _parquet,
    ".fgb": _flatgeobuf,
    ".gpkg": _geopackage,
    ".xlsx": _workbook,
    ".pmtiles": _tiles,
    ".qgz": _project,
}


def _document_findings(folder: Path, wanted: str, message: str) -> Iterator[Finding]:
    for document in DOCUMENTS:
        path = folder / document
        if path.is_file() and wanted not in path.read_text(encoding="utf-8"):
            yield Finding(CHECK, document, message, REMEDY)


def _file_findings(folder: Path, resources: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for resource in resources:
        path = folder / resource["path"]
        if reader := READERS.get(path.suffix):
            wrong = {place for place, value in reader(path) if value != SYNTHETIC_MARK}
            for place in sorted(wrong):
                yield Finding(CHECK, resource["path"], f"die Kennzeichnung als synthetisch fehlt ({place}).", REMEDY)


def _real_findings(resources: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for resource in resources:
        if any(field["name"] == COLUMN for field in resource.get("schema", {}).get("fields", [])):
            message = "echte Daten tragen die Kennzeichnung als synthetisch."
            yield Finding(CHECK, resource["path"], message, "Bitte das Profil prüfen.", column=COLUMN)


def mark_findings(folder: Path, profile: Profile, resources: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Every document and file that lacks a mark it must carry, or carries one it must not.

    ``resources`` are readable ones of ``datapackage.json``; CSV files are checked cell by cell elsewhere.
    """
    findings: list[Finding] = []
    if profile.draft:
        findings += _document_findings(folder, DRAFT, "der Hinweis fehlt, dass dies ein Entwurf ist.")
    if not profile.synthetic:
        return findings + list(_real_findings(resources))
    findings += _document_findings(folder, SYNTHETIC_MARK, "die Kennzeichnung als synthetisch fehlt.")
    return findings + list(_file_findings(folder, resources))
