"""How to open a dataset in the programs that readers use: steps in words, and lines that work when pasted.

Layers are read from FlatGeobuf, which says of each column what it is: from GeoJSON, GDAL takes a text such as
2026-02-01 for a point in time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from flows.contracts import Contract
from flows.formats.xlsx import sheet_name


@dataclass(frozen=True, slots=True)
class Instruction:
    """One way to open a dataset: the program, what to do there (German), and the lines to paste."""

    tool: str
    steps: str
    lines: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What the instructions are about.

    ``base`` is the address of the release with a slash at its end, or nothing: then the lines name files in the folder
    to which they were downloaded. ``texts`` are the text columns whose values look like numbers: read without a type,
    keys would lose their leading zeros. ``files`` are all files of the release.
    """

    contract: Contract
    base: str
    texts: Sequence[str]
    files: Collection[str]

    @property
    def name(self) -> str:
        return self.contract.name

    @property
    def layer(self) -> bool:
        """Whether the rows have shapes, and so the files that hold them."""
        return self.contract.geometry_level is not None

    def file(self, ending: str) -> str:
        """Where the dataset's file of a format is."""
        return f"{self.base}{self.name}{ending}"

    def streamed(self, ending: str) -> str:
        """The same for programs that read with GDAL: they take an address after ``/vsicurl/``."""
        return f"{'/vsicurl/' if self.base else ''}{self.file(ending)}"

    def as_texts(self, column: str, argument: str) -> str:
        """The argument that keeps ``texts`` texts, with each ``column`` in it; nothing when there are none."""
        return argument.format(", ".join(column.format(name) for name in self.texts)) if self.texts else ""

    def whole(self, ending: str) -> str | None:
        """Where the file of a format that holds all datasets is; None when the release has none."""
        found = (name for name in self.files if PurePosixPath(name).suffix == ending and "/" not in name)
        own = next((name for name in sorted(found) if PurePosixPath(name).stem != self.name), None)
        return f"{self.base}{own}" if own else None


def _qgis(opened: Opened) -> Instruction:
    steps = (
        "„Layer › Layer hinzufügen › Vektorlayer hinzufügen …“ wählen und bei „Vektordatensatz“ diese Zeile einfügen."
    )
    if opened.layer:
        if project := opened.whole(".qgz"):
            steps += (
                f" Oder die Dateien {PurePosixPath(project).name} und "
                f"{PurePosixPath(opened.whole('.gpkg') or '').name} in denselben Ordner herunterladen und die erste "
                "öffnen: Dort sind alle Ebenen fertig dargestellt."
            )
        return Instruction("QGIS", steps, opened.streamed(".fgb"))
    steps += " Die Spaltentypen liest QGIS aus der Datei mit der Endung .csvt, die daneben liegen muss."
    return Instruction("QGIS", steps, opened.streamed(".csv"))


def _excel(opened: Opened) -> Instruction:
    if workbook := opened.whole(".xlsx"):
        steps = (
            "„Datei › Öffnen“ wählen und diese Zeile als Dateinamen einfügen. Die Tabelle steht auf dem Blatt "
            f"„{sheet_name(opened.contract)}“; Schlüssel sind dort Text, führende Nullen bleiben."
        )
        return Instruction("Excel", steps, workbook)
    steps = "„Daten › Aus Text/CSV“ wählen und die Schlüssel als Text einlesen, damit führende Nullen bleiben."
    return Instruction("Excel", steps, opened.file(".csv"))


def _r(opened: Opened) -> Instruction:
    if opened.layer:
        lines = f'library(sf)\n{opened.name} <- st_read("{opened.streamed(".fgb")}")'
        return Instruction("R", "Mit dem Paket sf; die Schlüssel bleiben Text.", lines)
    types = opened.as_texts('{} = "character"', ", colClasses = c({})")
    lines = f'{opened.name} <- read.csv("{opened.file(".csv")}", na.strings = "", encoding = "UTF-8"{types})'
    return Instruction("R", "Ohne weiteres Paket.", lines)


def _python(opened: Opened) -> Instruction:
    if opened.layer:
        lines = f'import geopandas\n\n{opened.name} = geopandas.read_file("{opened.file(".fgb")}")'
        return Instruction("Python", "Mit dem Paket geopandas; die Schlüssel bleiben Text.", lines)
    types = opened.as_texts('"{}": "string"', ", dtype={{{}}}")
    lines = f'import pandas\n\n{opened.name} = pandas.read_csv("{opened.file(".csv")}"{types})'
    return Instruction("Python", "Mit dem Paket pandas.", lines)


def _duckdb(opened: Opened) -> Instruction:
    if opened.layer:
        steps = "GeoParquet mit Typen; zum Rechnen mit den Flächen vorher INSTALL spatial; und LOAD spatial; aufrufen."
        return Instruction("DuckDB", steps, f"SELECT * FROM read_parquet('{opened.file('.parquet')}');")
    types = opened.as_texts("'{}': 'VARCHAR'", ", types = {{{}}}")
    lines = f"SELECT * FROM read_csv('{opened.file('.csv')}', header = true{types});"
    return Instruction("DuckDB", "Ohne Erweiterung.", lines)


def instructions(opened: Opened) -> list[Instruction]:
    """The ways to open a dataset, in the order in which readers are likely to need them."""
    return [write(opened) for write in (_excel, _qgis, _r, _python, _duckdb)]
