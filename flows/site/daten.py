"""Page "Daten": every dataset with its files, columns and ways to open it; citation, changes, releases, checksums."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import duckdb

from flows.checksums import MANIFEST, SIGNATURE
from flows.contracts import Contract, Field
from flows.datasets import SYNTHETIC_FIELD
from flows.formats.catalogue import FORMATS
from flows.metadata.changes import NO_PREVIOUS, PURGED, READING
from flows.metadata.codelists import FOLDER as CODE_LISTS
from flows.metadata.inventory import COMPANIONS, DOCUMENTS
from flows.metadata.text import NO_PUBLISHER, release_address
from flows.profile import SYNTHETIC_MARK
from flows.provenance import FILE as PROVENANCE
from flows.run import Run
from flows.site import feed
from flows.site.anleitungen import Opened, instructions
from flows.site.facts import Row
from flows.site.pages import Site, write_page
from flows.validate import name as identifier

PREVIEW_ROWS = 10
TYPES = {
    "string": "Text",
    "integer": "ganze Zahl",
    "number": "Zahl (Dezimalpunkt)",
    "boolean": "true oder false",
    "date": "Datum (JJJJ-MM-TT)",
    "yearmonth": "Monat (JJJJ-MM)",
}
DIGITS = re.compile(r"\^\[0-9]\{(\d+)}\$")
# How contracts write a date that is known to the day, the month or the year.
PARTIAL_DATE = "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"
# Endings of files that may hold several datasets; what helps to read another file is no offer of its own.
KINDS = FORMATS | {".qgz": COMPANIONS[".qgz"]}
# What is in those files, by ending.
WHOLE = {
    ".gpkg": "alle Datensätze",
    ".pmtiles": "Gemeinden und Präventionsgremien, als Kartenkacheln",
    ".qgz": "stellt die Datensätze mit Lage auf der Karte dar; liest sie aus der GeoPackage-Datei",
    ".xlsx": "alle Datensätze",
}
# Documents that are no download: pages, and what only programs ask for.
NOT_OFFERED = (".html", ".csvt", ".xml", ".png")
# Subjects of datasets that have nothing of a Land of which nothing is recorded; datasets with shapes count the same.
RECORDED = ("gremien", "befragung")
# What BibTeX takes for a command or for markup.
BIBTEX_SPECIAL = re.compile(r"([#$%&_{}])")


def write_data(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``daten.html``, after the feed and every file that it lists."""
    run = site.run
    titles = {contract.name: contract.title for contract in site.contracts}
    changes = feed.changes_of(run)
    write_page(
        site,
        "daten.html",
        "Daten",
        "Alle Datensätze zum Herunterladen, mit Vorschau, Spalten, Formaten, Lizenz und Zitat.",
        datasets=[_dataset(con, site, contract) for contract in site.contracts],
        whole=[
            (file, KINDS[Path(file).suffix].title, WHOLE[Path(file).suffix], size)
            for file, size in sorted(site.files.items())
            if _whole(file, titles)
        ],
        lists=[(file, size) for file, size in sorted(site.files.items()) if _is_code_list(file)],
        documents=[(file, purpose, _size(run, file)) for file, purpose in DOCUMENTS.items() if _is_offered(run, file)],
        changes=changes,
        changed=[
            (titles[name], feed.counted(changes.rows[name])) for name in titles if changes and name in changes.rows
        ],
        reading=READING,
        no_previous=NO_PREVIOUS,
        releases=feed.entries(site),
        feed_file=feed.FILE,
        bibtex=bibtex(run),
        base=run.profile.base_url,
        manifest=MANIFEST,
        signature=SIGNATURE,
    )


def _whole(file: str, titles: Mapping[str, str]) -> bool:
    """Whether a file holds several datasets."""
    path = Path(file)
    return path.suffix in KINDS and path.stem not in titles and "/" not in file and file not in DOCUMENTS


def _is_code_list(file: str) -> bool:
    return file.startswith(f"{CODE_LISTS}/") and file.endswith(".csv")


def _is_offered(run: Run, file: str) -> bool:
    return not file.endswith(NOT_OFFERED) and (run.package / file).is_file()


def _size(run: Run, file: str) -> int | None:
    """The size of a document; None for one that an approval or a withdrawal changes after the page was written."""
    return None if file in (*PURGED, PROVENANCE) else (run.package / file).stat().st_size


# --- datasets ------------------------------------------------------------------------------------------------------


def _dataset(con: duckdb.DuckDBPyConnection, site: Site, contract: Contract) -> Row:
    """One dataset: rows, files in the order of the catalogue of formats, first rows, columns and ways to open it."""
    count = con.execute(f"SELECT count(*) FROM release.{contract.name}").fetchall()[0][0]
    head, *preview = _first_rows(site.run.package / f"{contract.name}.csv")
    opened = Opened(contract, release_address(site.run) or "", numeric_texts(con, contract), site.files)
    return {
        "contract": contract,
        "coverage": site.facts.coverage if contract.raw["subject"] in RECORDED or contract.geometry_level else (),
        "rows": count,
        "files": [
            (contract.name + ending, kind.title, site.files[contract.name + ending])
            for ending, kind in FORMATS.items()
            if contract.name + ending in site.files
        ],
        "head": list(zip(head, contract.fields, strict=True)),
        "preview": preview,
        "columns": [_column(field, contract, site.files) for field in contract.fields],
        "instructions": instructions(opened),
    }


def _first_rows(file: Path) -> list[list[str]]:
    """Header and first rows of a CSV file, as they stand in it."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(islice(csv.reader(stream), PREVIEW_ROWS + 1))


def numeric_texts(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """The text columns that hold a value which a program would read as a number unless told otherwise."""
    texts = [field.name for field in contract.fields if field.type == "string" and field != SYNTHETIC_FIELD]
    tests = ", ".join(f"bool_or(regexp_full_match({identifier(column)}, '[0-9]+'))" for column in texts)
    found = con.execute(f"SELECT {tests} FROM release.{contract.name}").fetchall()[0]
    return [column for column, numeric in zip(texts, found, strict=True) if numeric]


def _column(field: Field, contract: Contract, files: Mapping[str, int]) -> Row:
    """One column in words; ``list`` is the file with its code list, where there is one."""
    code_list = f"{CODE_LISTS}/{field.raw.get('codeList')}.csv"
    return {
        "field": field,
        "type": TYPES[field.type],
        "unit": field.raw.get("unit"),
        "allowed": _allowed(field),
        "codes": field.codes,
        "list": code_list if code_list in files else None,
        "key": field.name in contract.primary_key,
    }


def _allowed(field: Field) -> str:
    """What a cell may hold beyond its type and code list, in words; nothing when anything goes."""
    constraints = field.raw.get("constraints", {})
    pattern = constraints.get("pattern")
    parts = []
    if digits := DIGITS.fullmatch(pattern or ""):
        parts.append(f"genau {digits[1]} Ziffern")
    elif pattern == PARTIAL_DATE:
        parts.append("Tag, Monat oder Jahr: JJJJ-MM-TT, JJJJ-MM, JJJJ")
    elif pattern:
        parts.append(f"Muster {pattern}")
    if "minimum" in constraints:
        parts.append(f"mindestens {constraints['minimum']}")
    if "maximum" in constraints:
        parts.append(f"höchstens {constraints['maximum']}")
    if enum := constraints.get("enum"):
        parts.append(" oder ".join(f"„{value}“" for value in enum))
    if field.separator:
        parts.append(f"mehrere Werte, getrennt mit „{field.separator}“")
    return ", ".join(parts)


# --- citation ------------------------------------------------------------------------------------------------------


def _bibtex_text(text: str) -> str:
    return BIBTEX_SPECIAL.sub(r"\\\1", text.replace("\\", "/"))


def bibtex(run: Run) -> str:
    """The release as a BibTeX entry."""
    profile = run.profile
    synthetic = [SYNTHETIC_MARK] if profile.synthetic else []
    fields = {
        "author": f"{{{_bibtex_text(profile.publisher.name or NO_PUBLISHER)}}}",
        "title": f"{{{_bibtex_text(profile.title)}}}",
        "year": str(run.day.year),
        "version": run.release_id,
        "note": _bibtex_text(", ".join([profile.licence.title, profile.licence.url, *synthetic])),
    }
    if address := release_address(run):
        fields["url"] = address
    lines = "".join(f",\n  {key} = {{{value}}}" for key, value in fields.items())
    return f"@misc{{praeventionskarte-{run.release_id}{lines}\n}}"
