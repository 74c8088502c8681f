"""Read the tables that offices and statistics bureaus hand over: CSV and XLSX, every cell as text."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterator, Sequence
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
UTF_8, WINDOWS = "UTF-8", "Windows-1252"
# What German texts hold beyond ASCII. A file of old DOS or Mac programs, read as Windows-1252, shows other signs than
# these, or one of these where no text has it: a quote or § inside a word, € or … at its beginning.
GERMAN_SIGNS = re.compile(r"[\t\r\n -~äöüÄÖÜßéèêëàâåçíîïóôñúûøæÉÈÀÇÅØ„“”‚‘’»«–—…€§°²³·\xa0]*")
MISPLACED_SIGN = re.compile(r"\w[„‚]|\w[“”§](?=\w)|[€…](?=[^\W\d_])")
# Marks in a sheet's XML of what only a slower reading can tell in full: merged cells, formulas.
XML_MARKS = (b"<mergeCell ", b"<f>", b"<f ")
# A day as Germans write it and a German Excel saves it.
GERMAN_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as text: ``rows`` as long as ``columns``, an empty cell None; ``lines`` are spreadsheet line numbers.

    ``encoding`` is what a CSV was read as. ``faults`` are cells that hold no value which could be read: a spreadsheet's
    error value, a formula without result, a part of merged cells. ``german_days`` are the cells that were read from
    TT.MM.JJJJ, as (column, ISO day).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    lines: tuple[int, ...]
    encoding: str = UTF_8
    faults: tuple[Finding, ...] = ()
    german_days: tuple[tuple[str, str], ...] = ()


def clean(value: str) -> str | None:
    """A cell in Unicode NFC without surrounding blanks; an empty one is None."""
    return unicodedata.normalize("NFC", value).strip() or None


def _refuse(
    label: str, message: str, remedy: str, row: int | None = None, column: str | None = None, value: str | None = None
) -> Refused:
    return Refused([Finding("lesbar", label, message, remedy, row, column, value)])


def _decoded(data: bytes, label: str) -> tuple[str, str]:
    """The text of a file and its encoding: UTF-8, or Windows-1252 when nothing speaks against it."""
    try:
        return data.decode("utf-8-sig"), UTF_8
    except UnicodeDecodeError as error:
        foreign = error.start
    # Excel's plain "CSV" on a German Windows.
    text = data.decode("cp1252", errors="replace")
    if GERMAN_SIGNS.fullmatch(text) and not MISPLACED_SIGN.search(text):
        return text, WINDOWS
    raise _refuse(
        label,
        f"die Datei ist weder in UTF-8 noch eindeutig in Windows-1252 gespeichert (erstes fremdes Zeichen: Byte "
        f"{data[foreign]:#04x}).",
        "Bitte in Excel als „CSV UTF-8“ speichern.",
        data[:foreign].count(b"\n") + 1,
    )


def _csv_records(text: str, label: str) -> list[list[str]]:
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


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A cell of a sheet, by record and column from 0, that holds no value of its own, and why (message, remedy)."""

    record: int
    column: int
    message: str
    remedy: str


def _unreadable_cells(file: Path, sheet: str, records: Sequence[Sequence[str]]) -> Iterator[_Unreadable]:
    """Formulas that were never computed, and merged cells, of which only the first has the value that all show."""
    import openpyxl

    with zipfile.ZipFile(file) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(mark in archive.read(name) for name in sheets for mark in XML_MARKS):
            return
    with closing(openpyxl.load_workbook(file)) as book:
        table = book[sheet]
        for area in table.merged_cells.ranges:
            remedy = "Bitte die Verbindung aufheben und jede Zelle selbst füllen."
            for record in range(area.min_row - 1, min(area.max_row, len(records))):
                yield _Unreadable(record, area.min_col - 1, f"die Zellen {area.coord} sind verbunden.", remedy)
        for row in table.iter_rows():
            for cell in row:
                record, column = cell.row - 1, cell.column - 1
                if cell.data_type == "f" and record < len(records) and not records[record][column]:
                    message = "die Zelle enthält eine Formel ohne gespeichertes Ergebnis."
                    yield _Unreadable(record, column, message, "Bitte den Wert selbst eintragen.")


def _workbook(file: Path, label: str) -> Any:
    """A workbook with the values that its formulas last had, read as a stream."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError):
        raise _refuse(label, "die Datei ist keine lesbare Excel-Mappe.", "Bitte neu als .xlsx speichern.") from None


def _xlsx_records(file: Path, sheet: str | None, label: str) -> tuple[list[list[str]], list[_Unreadable]]:
    with closing(_workbook(file, label)) as book:
        name = sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            known = ", ".join(book.sheetnames)
            raise _refuse(label, f"das Blatt „{name}“ fehlt; vorhanden: {known}.", "Bitte das Blatt so benennen.")
        table = book[name]
        # Some programs write a wrong size into the sheet, and cells at the end of a row may be left out.
        table.reset_dimensions()
        records = [[_cell_text(cell) for cell in row] for row in table.iter_rows()]
    width = max((len(record) for record in records), default=0)
    records = [record + [""] * (width - len(record)) for record in records]
    return records, list(_unreadable_cells(file, name, records))


def iso_day(text: str) -> str | None:
    """A day written TT.MM.JJJJ in ISO form; None for anything else, also for a day that no calendar has."""
    found = GERMAN_DAY.fullmatch(text)
    if not found:
        return None
    day, month, year = (int(part) for part in found.groups())
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def read_headers(file: Path, label: str) -> dict[str | None, tuple[str, ...]]:
    """The first line of every sheet of a workbook by its name, or of a CSV by None; empty cells are left out.

    Raises ``Refused`` when the file can be read as neither.
    """
    if file.suffix.lower() == ".xlsx":
        with closing(_workbook(file, label)) as book:
            first = {
                name: next(book[name].iter_rows(min_row=1, max_row=1, values_only=True), ()) for name in book.sheetnames
            }
    else:
        text, _ = _decoded(file.read_bytes(), label)
        first = {None: next(iter(_csv_records(text, label)), [])}
    cells = {name: [clean(str(cell)) for cell in row if cell is not None] for name, row in first.items()}
    return {name: tuple(cell for cell in row if cell) for name, row in cells.items()}


def read_cells(file: Path, sheet: str | None, label: str, days: Collection[str] = ()) -> Table:
    """Read a CSV (UTF-8 or, where unambiguous, Windows-1252; comma or semicolon) or one sheet (the first, without a
    name) of an XLSX; cells that cannot be read are its ``faults``.

    ``label`` is how findings name the table; in the columns ``days`` a day may be written TT.MM.JJJJ, too.

    Raises ``Refused`` with the place when the file as a whole is no table: wrong encoding, broken quoting, missing
    sheet, no header, a column name twice, a row that does not fit the header.
    """
    unreadable: list[_Unreadable] = []
    encoding = UTF_8
    if file.suffix.lower() == ".xlsx":
        records, unreadable = _xlsx_records(file, sheet, label)
    else:
        text, encoding = _decoded(file.read_bytes(), label)
        records = _csv_records(text, label)
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
    faults: list[Finding] = []
    german_days: list[tuple[str, str]] = []
    for line, record in enumerate(records[1:], start=2):
        cells = [clean(cell) for cell in record]
        if not any(cells):
            continue
        if len(cells) < len(columns) or any(cells[len(columns) :]):
            raise _misfit(file, label, cells, len(columns), line)
        for place, (column, cell) in enumerate(zip(columns, cells, strict=False)):
            if cell and ERROR_VALUE.fullmatch(cell):
                message = "die Zelle enthält einen Fehlerwert der Tabellenkalkulation."
                faults.append(Finding("lesbar", label, message, "Bitte den Inhalt neu eintragen.", line, column, cell))
            if cell and column in days and (day := iso_day(cell)):
                cells[place] = day
                german_days.append((column, day))
        rows.append(tuple(cells[: len(columns)]))
        lines.append(line)
    filled = set(lines)
    faults += [
        Finding("lesbar", label, one.message, one.remedy, one.record + 1, columns[one.column])
        for one in unreadable
        if one.record + 1 in filled and one.column < len(columns)
    ]
    faults.sort(key=lambda finding: finding.row or 0)
    return Table(columns, tuple(rows), tuple(lines), encoding, tuple(faults), tuple(german_days))


def _misfit(file: Path, label: str, cells: Sequence[str | None], columns: int, line: int) -> Refused:
    """A row that does not fit the header: cells left out, or some beside the last column."""
    if file.suffix.lower() == ".xlsx":
        beside = next(cell for cell in cells[columns:] if cell)
        return _refuse(
            label,
            "rechts der letzten benannten Spalte steht noch etwas.",
            "Bitte löschen oder in die richtige Spalte eintragen.",
            line,
            value=beside,
        )
    return _refuse(
        label,
        f"die Zeile hat {len(cells)} Zellen, die Kopfzeile {columns}.",
        "Bitte Trennzeichen und Anführungszeichen dieser Zeile prüfen.",
        line,
    )


def read_table(file: Path, sheet: str | None, label: str, days: Collection[str] = ()) -> Table:
    """Like ``read_cells``; raises ``Refused`` for cells that cannot be read, too."""
    table = read_cells(file, sheet, label, days)
    if table.faults:
        raise Refused(table.faults)
    return table
