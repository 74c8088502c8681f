"""What lies in a release: its data files with dataset, subject and format, and the documents around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from flows.checksums import files_of
from flows.contracts import Contract
from flows.formats.catalogue import FORMATS, Format
from flows.metadata.codelists import FOLDER, RESOURCE, code_lists
from flows.metadata.subjects import WHOLE_RELEASE, subjects
from flows.run import Run
from flows.sidecar import sha256_of

# Files that help to read the data file of the same name; they hold no data of their own.
COMPANIONS = {
    item.ending: item
    for item in (
        Format(".csvt", "Spaltentypen der CSV-Datei (für QGIS)", "text/plain"),
        Format(".qml", "Darstellung in QGIS", "application/xml"),
        Format(".qgz", "QGIS-Projekt", "application/zip"),
    )
}
# What flows/site writes, by name: what it is for. A folder stands for all files in it.
PAGES = {
    "index.html": "die Seiten zum Ansehen: Karte und Liste",
    "karte-einbetten.html": "Seite: die Karte zum Einbetten in andere Seiten",
    "gremien.html": "Seite: alle Gremien mit Belegen",
    "ort/": "Seite: je befragter oder mit einem Gremium bekannter Gemeinde, und Weiterleitungen von Schlüsseln",
    "befragung.html": "Seite: die Befragung",
    "monitoring.html": "Seite: Kommunales Monitoring",
    "bericht.pdf": "Bericht: Befragung, Gremien und Monitoring zum Drucken",
    "vorschau.png": "Bild: Vorschau der Karte für Verweise auf diese Ausgabe",
    "angebote.html": "Seite: Leitfäden, Handreichungen, Berichte",
    "daten.html": "Seite: alle Datensätze zum Herunterladen",
    "methode.html": "Seite: Methode, Quellen, Stand",
    "impressum.html": "Seite: Impressum",
    "datenschutz.html": "Seite: Datenschutz",
    "barrierefreiheit.html": "Seite: Erklärung zur Barrierefreiheit",
    "aenderungen.atom": "Feed der Ausgaben mit ihren Änderungen, zum Abonnieren (Atom)",
    "sitemap.xml": "Verzeichnis der Seiten für Suchmaschinen, nur bei öffentlichen Ausgaben",
    "assets/": "Dateien, die die Seiten brauchen",
}
# What is not data, by name.
DOCUMENTS = {
    "README.md": "Beschreibung der Ausgabe",
    **PAGES,
    "quality.md": "Abdeckung, Lücken, Alter der Belege, Prüfungen",
    "CHANGES.md": "Änderungen gegenüber der vorigen Ausgabe",
    "changes.csv": "jede Änderung gegenüber der vorigen Ausgabe: Datensatz, Schlüssel, Spalte, alter und neuer Wert",
    "changes.csvt": "Spaltentypen von changes.csv (für QGIS)",
    "LICENSE.txt": "Lizenz der Ausgabe",
    "NOTICE.txt": "Quellenvermerke und Fundstellen",
    "CITATION.cff": "Zitierangaben für Programme (Citation File Format 1.2)",
    "codebook.csv": "jede Spalte und jeder Code, deutsch und englisch",
    "codebook.csvt": "Spaltentypen von codebook.csv (für QGIS)",
    "datapackage.json": "Beschreibung aller Dateien und Spalten für Programme (Data Package 2)",
    "catalog.ttl": "Katalogeintrag für Datenportale (DCAT-AP.de 3.0)",
    "dataset.jsonld": "Beschreibung für Suchmaschinen (schema.org)",
    "provenance.json": "Herkunft: Quellen, Parameter und Programmstand, aus denen die Ausgabe entstand",
    "SHA256SUMS": "Prüfsummen aller Dateien (`sha256sum -c SHA256SUMS`)",
    "SHA256SUMS.minisig": "Unterschrift unter den Prüfsummen (minisign)",
}
# Documents that a release may lack.
OPTIONAL = ("assets/", "ort/", "sitemap.xml", "changes.csvt", "codebook.csvt", "SHA256SUMS.minisig")


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file that ``datapackage.json`` describes.

    ``path`` is relative to the package. ``contract`` is that of the dataset or code list in it, None for a file that
    holds several. ``table`` marks a CSV that the contract describes column by column; ``companion`` one without data.
    """

    path: str
    name: str
    title: str
    description: str
    format: Format
    subject: str
    contract: Contract | None
    table: bool
    companion: bool
    bytes: int
    sha256: str


def is_document(path: str) -> bool:
    """Whether a file (relative path) is one of ``DOCUMENTS``."""
    return path in DOCUMENTS or any(path.startswith(name) for name in DOCUMENTS if name.endswith("/"))


def _contracts_by_stem(contracts: Sequence[Contract]) -> dict[str, tuple[str, Contract]]:
    """Resource name and contract by path without ending, datasets first, in the order of the contracts."""
    found = {contract.name: (contract.name, contract) for contract in contracts}
    lists = {f"{FOLDER}/{item.name}": (RESOURCE.format(item.name), item.contract) for item in code_lists(contracts)}
    return found | lists


def data_files(run: Run, contracts: Sequence[Contract]) -> list[DataFile]:
    """The data files in ``run.package`` and their companions.

    Datasets come in the order of ``contracts``, then files that hold several, then code lists; each in the order of the
    formats. Documents and files of an unknown format are left out.
    """
    formats = COMPANIONS | FORMATS
    known = _contracts_by_stem(contracts)
    all_subjects = subjects()
    files: list[DataFile] = []
    for path in files_of(run.package):
        place = PurePosixPath(path)
        if is_document(path) or place.suffix not in formats:
            continue
        kind = formats[place.suffix]
        stem = str(place.with_suffix(""))
        whole = all_subjects[WHOLE_RELEASE]
        base, contract = known.get(stem, (stem.replace("/", "_"), None))
        table = contract is not None and kind.ending == ".csv"
        files.append(
            DataFile(
                path=path,
                name=base if table else f"{base}_{kind.ending.removeprefix('.')}",
                title=contract.title if contract else f"{run.profile.title}: {whole.title}",
                description=contract.description if contract else whole.description,
                format=kind,
                subject=contract.raw["subject"] if contract else WHOLE_RELEASE,
                contract=contract,
                table=table,
                companion=kind.ending in COMPANIONS,
                bytes=(run.package / path).stat().st_size,
                sha256=sha256_of(run.package / path),
            )
        )
    order = {contract.name: number for number, contract in enumerate(contracts)}
    endings = [*FORMATS, *COMPANIONS]

    def place_of(file: DataFile) -> tuple[bool, int, str, int]:
        number = order.get(file.contract.name, len(order)) if file.contract else len(order)
        stem = file.path.removesuffix(file.format.ending)
        return "/" in file.path, number, stem, endings.index(file.format.ending)

    return sorted(files, key=place_of)
