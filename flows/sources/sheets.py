"""Sheets of the statistical office: cells by their place, because these tables have no header row to rely on.

What a spreadsheet shows is not always what its file holds: a formula that was never calculated, an error value, a
merged area of which only the first cell has a value. Each of them is a finding where data is read.
"""

from __future__ import annotations

import lzma
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flows.errors import Refused
from flows.findings import Finding
from flows.tables import ERROR_VALUE

GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00(?::00)?)?")
# Groups of three digits, set apart by a point or a blank of any kind.
GROUPED = re.compile(r"\d{1,3}([. \u00a0\u2009\u202f]\d{3})+")
BLANKS = re.compile(r"[ \u00a0\u2009\u202f]")
# What openpyxl and the libraries below it raise for a file that is no workbook, or a damaged one.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
)
# Germany has 16,000 rows of some 20 columns. A stray cell at the sheet's end would fill the memory with empty ones.
MOST_CELLS = 5_000_000

Place = tuple[int, int]
"""Row and column of a cell, counted from 1."""


def day_of(value: Any) -> date | None:
    """The day that a cell holds: a date, a text such as 1.7.2021 or 2021-07-01; None when it holds none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    try:
        if found := GERMAN_DAY.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := ISO_DAY.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return None


def text_of(value: Any) -> str:
    """A cell as text in Unicode NFC without surrounding blanks; whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", str(value)).strip()


def whole_number(value: Any) -> int | None:
    """A count: a number cell, or a text with or without thousands separators; None when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() else None
    text = text_of(value)
    if GROUPED.fullmatch(text):
        text = re.sub(r"\D", "", text)
    return int(text) if re.fullmatch(r"\d+", text) else None


def decimal_number(value: Any) -> float | None:
    """A measure: a number cell or a text in German notation (1.234,56); None when it is none or can be read two ways.

    A text such as 1.234 without a comma may be more than a thousand or little more than one, so it is neither.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    text = text_of(value)
    whole, comma, decimals = text.partition(",")
    if comma:
        plain = re.sub(r"\D", "", whole) if GROUPED.fullmatch(whole) else whole
        text = f"{plain}.{decimals}"
    elif GROUPED.fullmatch(text):
        text = BLANKS.sub("", text)
        if "." in text:
            return None
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of one sheet: ``rows`` as values (of formulas the stored result), row 1 first."""

    label: str
    rows: tuple[tuple[Any, ...], ...]
    uncalculated: frozenset[Place]
    """Formulas without a stored result."""
    merged: frozenset[Place]
    """Cells of merged areas, their first cell too."""

    def value(self, row: int, column: int) -> Any:
        """The value of a cell, rows and columns counted from 1; None beyond the end of a row."""
        cells = self.rows[row - 1]
        return cells[column - 1] if column <= len(cells) else None

    def faults(self, rows: range, columns: int) -> Iterator[Finding]:
        """What a reader must not rely on in the first ``columns`` columns of ``rows``."""
        from openpyxl.utils import get_column_letter

        for row in rows:
            for column in range(1, columns + 1):
                letter, value = get_column_letter(column), self.value(row, column)
                if (row, column) in self.uncalculated:
                    message = "die Zelle enthält eine Formel ohne berechneten Wert."
                    yield Finding(
                        "lesbar", self.label, message, "Bitte den Wert statt der Formel eintragen.", row, letter
                    )
                elif (row, column) in self.merged:
                    message = "die Zelle ist mit anderen verbunden; zu welcher Zeile ihr Wert gehört, ist nicht sicher."
                    yield Finding("lesbar", self.label, message, "Bitte den Zellverbund aufheben.", row, letter)
                elif isinstance(value, str) and ERROR_VALUE.fullmatch(value.strip()):
                    message = "die Zelle enthält einen Fehlerwert der Tabellenkalkulation."
                    remedy = "Bitte den Inhalt neu eintragen."
                    yield Finding("lesbar", self.label, message, remedy, row, letter, value.strip())


def _sheet_named(names: list[str], wanted: str | None, prefix: bool, label: str) -> str:
    if wanted is None:
        return names[0]
    for name in names:
        if name.casefold().startswith(wanted.casefold()) if prefix else name == wanted:
            return name
    words = f"kein Blatt beginnt mit „{wanted}“" if prefix else f"das Blatt „{wanted}“ fehlt"
    message = f"{words}; vorhanden: {', '.join(names)}."
    raise Refused([Finding("lesbar", label, message, "Bitte das Blatt so benennen oder die Quelle prüfen.")])


def read_sheet(file: Path, wanted: str | None, label: str, prefix: bool = False) -> Sheet:
    """Read the sheet ``wanted`` (with ``prefix``: the first whose name begins so; None: the first) of an XLSX.

    Raises ``Refused`` when the file is no workbook, has no such sheet, or one of more than ``MOST_CELLS``.
    """
    import openpyxl

    try:
        with file.open("rb") as stream:
            book = openpyxl.load_workbook(stream)
            name = _sheet_named(book.sheetnames, wanted, prefix, label)
            if book[name].max_row * book[name].max_column > MOST_CELLS:
                message = f"das Blatt reicht bis zur Zelle {book[name].dimensions.rpartition(':')[2]}."
                remedy = "Bitte alles hinter der Tabelle löschen, auch leere Zeilen und Spalten."
                raise Refused([Finding("lesbar", f"{label} [{name}]", message, remedy)])
            rows: list[list[Any]] = []
            formulas: list[Place] = []
            for row in book[name].iter_rows():
                rows.append([cell.value for cell in row])
                formulas += [(cell.row, cell.column) for cell in row if cell.data_type == "f"]
            merged = frozenset(place for area in book[name].merged_cells.ranges for part in area.rows for place in part)
            if formulas:
                stream.seek(0)
                results = openpyxl.load_workbook(stream, data_only=True)[name]
                for line, column in formulas:
                    rows[line - 1][column - 1] = results.cell(line, column).value
    except UNREADABLE:
        message = "die Datei ist keine lesbare Excel-Mappe."
        raise Refused([Finding("lesbar", label, message, "Bitte neu als .xlsx speichern.")]) from None
    uncalculated = frozenset(place for place in formulas if rows[place[0] - 1][place[1] - 1] is None)
    return Sheet(f"{label} [{name}]", tuple(map(tuple, rows)), uncalculated, merged)


@dataclass(slots=True)
class Row:
    """One row of a sheet, read cell by cell: what is wrong is collected, so that the operator sees all of it at once.

    ``titles`` names the columns for the operator. A cell that cannot be read gives an empty text, 0 or None; the rows
    count for nothing once there is a finding.
    """

    sheet: Sheet
    number: int
    titles: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)

    def raw(self, column: int) -> Any:
        """The value of a cell as it is."""
        return self.sheet.value(self.number, column)

    def fail(self, column: int, message: str, remedy: str = "Bitte berichtigen.") -> None:
        """Note what is wrong with a cell."""
        from openpyxl.utils import get_column_letter

        shown = text_of(self.raw(column)) or None
        place = f"{get_column_letter(column)} ({self.titles[column - 1]})"
        self.findings.append(Finding("typ", self.sheet.label, message, remedy, self.number, place, shown))

    def text(self, column: int) -> str:
        """A text that must be there."""
        found = text_of(self.raw(column))
        if not found:
            self.fail(column, "die Angabe fehlt.", "Bitte ergänzen.")
        return found

    def digits(self, column: int, length: int) -> str:
        """A part of a key: ``length`` digits, with the zeros that a number cell has lost."""
        found = text_of(self.raw(column)).zfill(length)
        if text_of(self.raw(column)) == "" or not re.fullmatch(rf"[0-9]{{{length}}}", found):
            self.fail(column, f"erwartet werden {length} Ziffern.")
        return found

    def count(self, column: int) -> int:
        """A whole number that must be there."""
        found = whole_number(self.raw(column))
        if found is None:
            self.fail(column, "erwartet wird eine ganze Zahl.")
        return found or 0

    def measure(self, column: int) -> float:
        """A number with decimals that must be there."""
        found = decimal_number(self.raw(column))
        if found is None:
            self.fail(column, "erwartet wird eine Zahl wie 1.234,56; ohne Komma ist ein Punkt nicht eindeutig.")
        return found or 0.0

    def day(self, column: int) -> date | None:
        """A day that must be there."""
        found = day_of(self.raw(column))
        if found is None:
            self.fail(column, "erwartet wird ein Tag in der Form TT.MM.JJJJ.")
        return found
