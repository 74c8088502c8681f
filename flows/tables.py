"""Read the tables that offices and statistics bureaus hand over: CSV and XLSX, every cell as text."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flows.errors import Refused
from flows.findings import Finding

# What a spreadsheet shows instead of a value (English and German), for example after a text that begins with "-".
ERROR_VALUE = re.compile(r"#(N/?A|NAME\?|NV|REF!|BEZUG!|VALUE!|WERT!|DIV/0!|NUM!|ZAHL!|NULL!|SPILL!|ÜBERLAUF!)")
# Parts of a number format that say nothing about which parts of a date are shown: locale, texts, single characters.
FORMAT_NOISE = re.compile(r'\[[^\]]*\]|"[^"]*"|\\.')


@dataclass(frozen=True, slots=True)
class Table:
    """A table as text: ``rows`` as long as ``columns``, an empty cell None; ``lines`` are spreadsheet line numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    lines: tuple[int, ...]


def clean(value: str) -> str | None:
    """A cell in Unicode NFC without surrounding blanks; an empty one is None."""
    return unicodedata.normalize("NFC", value).strip() or None


def _refuse(
    label: str, message: str, remedy: str, row: int | None = None, column: str | None = None, value: str | None = None
) -> Refused:
    return Refused([Finding("lesbar", label, message, remedy, row, column, value)])


def _csv_records(file: Path, label: str) -> list[list[str]]:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refuse(
            label,
            f"die Datei ist nicht in UTF-8 gespeichert (erstes fremdes Zeichen: Byte {data[error.start]:#04x}).",
            "Bitte in Excel als „CSV UTF-8“ speichern.",
            line,
        ) from None
    header = text.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    records: list[list[str]] = []
    try:
        records.extend(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise _refuse(
            label,
            "hier ist ein Anführungszeichen nicht geschlossen oder steht an falscher Stelle.",
            "Bitte die Anführungszeichen ab dieser Zeile prüfen.",
            len(records) + 1,
        ) from None
    return records


def _date_text(value: date, number_format: str) -> str:
    """A date as precise as its cell shows it: Excel keeps a typed "2019-03" as 1 March 2019 and shows "Mrz 19"."""
    shown = FORMAT_NOISE.sub("", number_format).lower()
    if "d" in shown or "y" not in shown:
        return f"{value:%Y-%m-%d}"
    return f"{value:%Y-%m}" if "m" in shown else f"{value:%Y}"


def _cell_text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, datetime | date):
        return _date_text(value, cell.number_format)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _xlsx_records(file: Path, sheet: str | None, label: str) -> list[list[str]]:
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError):
        raise _refuse(label, "die Datei ist keine lesbare Excel-Mappe.", "Bitte neu als .xlsx speichern.") from None
    with closing(book):
        name = sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            known = ", ".join(book.sheetnames)
            raise _refuse(label, f"das Blatt „{name}“ fehlt; vorhanden: {known}.", "Bitte das Blatt so benennen.")
        table = book[name]
        # Some programs write a wrong size into the sheet, and cells at the end of a row may be left out.
        table.reset_dimensions()
        records = [[_cell_text(cell) for cell in row] for row in table.iter_rows()]
    width = max((len(record) for record in records), default=0)
    return [record + [""] * (width - len(record)) for record in records]


def read_table(file: Path, sheet: str | None, label: str) -> Table:
    """Read a CSV (UTF-8, comma or semicolon) or one sheet (the first, without a name) of an XLSX.

    ``label`` is how findings name the table.

    Raises ``Refused`` with the place when the file cannot be read as a table: wrong encoding, broken quoting, missing
    sheet, no header, a column name twice, a row that does not fit the header, or a spreadsheet's error value.
    """
    workbook = file.suffix.lower() == ".xlsx"
    records = _xlsx_records(file, sheet, label) if workbook else _csv_records(file, label)
    header = [clean(cell) for cell in records[0]] if records else []
    while header and header[-1] is None:
        header.pop()
    if not header or None in header:
        raise _refuse(label, "die Kopfzeile fehlt oder hat eine leere Spalte.", "Bitte jede Spalte benennen.", 1)
    columns = tuple(str(name) for name in header)
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise _refuse(label, f"die Spalte „{twice[0]}“ steht doppelt.", "Bitte eine davon entfernen.", 1)
    rows: list[tuple[str | None, ...]] = []
    lines: list[int] = []
    for line, record in enumerate(records[1:], start=2):
        cells = [clean(cell) for cell in record]
        if not any(cells):
            continue
        if len(cells) < len(columns) or any(cells[len(columns) :]):
            raise _refuse(
                label,
                f"die Zeile hat {len(cells)} Zellen, die Kopfzeile {len(columns)}.",
                "Bitte Trennzeichen und Anführungszeichen dieser Zeile prüfen.",
                line,
            )
        for column, cell in zip(columns, cells, strict=False):
            if cell and ERROR_VALUE.fullmatch(cell):
                message = "die Zelle enthält einen Fehlerwert der Tabellenkalkulation."
                raise _refuse(label, message, "Bitte den Inhalt neu eintragen.", line, column, cell)
        rows.append(tuple(cells[: len(columns)]))
        lines.append(line)
    return Table(columns, tuple(rows), tuple(lines))
