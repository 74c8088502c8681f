"""``praeventionskarte.xlsx``: all tables in one workbook for people who work with Excel or LibreOffice.

A cover sheet, a dictionary of columns and codes, one sheet a dataset. Each sheet has one header row of German titles,
so that filters and sorting work; the column's technical name and meaning are a note on its heading. Keys and codes are
text, dates are dates, numbers are numbers. Columns of codes stay as in every other format; to the right of each, a
column with the German labels (“… (Klartext)”) says what they mean.

openpyxl makes the book and its headings. The rows below are put between them as XML, column by column in Arrow: cell by
cell, a country would take minutes, and all of its cells in memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.writer.excel import ExcelWriter

from flows import german
from flows.contracts import Contract, Field, code_list
from flows.datasets import Dataset
from flows.formats.imprint import STEM
from flows.metadata.datapackage import attributions
from flows.metadata.rules import reading_rules
from flows.metadata.text import citation, land_rows, marks, release_address, territory_text
from flows.run import Run

FILE = f"{STEM}.xlsx"
INFO, DICTIONARY = "Info", "Datenwörterbuch"
LABELS = "{} (Klartext)"
# Excel allows 31 characters in a sheet's name, and none of these.
LONGEST_NAME, FORBIDDEN = 31, r"[]:*?/\'"
WIDEST, NARROWEST = 60, 9
# Characters of a day, 31.12.2020, and of the longest text that Excel takes.
DAY, LONGEST_TEXT = 10, 32_767
AUTHOR = "Präventionskarte"
# So many rows are put together at a time.
BATCH = 5_000
# Excel's number of 1 January 1970. It counts a 29 February 1900, which never was: until then its numbers are one less.
EPOCH, NEVER_WAS = 25_569, 60
# Where openpyxl has written the heading, and the rows follow.
ROWS_END = b"</sheetData>"

TEXT, WRAPPED, HEADING, TITLE, LINK, DATE, YES_NO = (
    "Text", "Text umbrochen", "Spaltenkopf", "Titel", "Verweis", "Datum", "Ja und nein",
)  # fmt: skip
DICTIONARY_COLUMNS = (
    "Blatt", "Überschrift", "Datensatz", "Spalte", "Bedeutung", "Datentyp", "Einheit",
    "Code", "Bezeichnung", "Definition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet: heading, note on it, style of its cells and their values."""

    heading: str
    note: str
    style: str
    values: pa.ChunkedArray


class _DatedZip(zipfile.ZipFile):
    """A zip archive whose entries all carry one date, so that equal content gives equal bytes.

    A sheet, which openpyxl hands over as a file, is given its ``rows`` (by the name of its entry).
    """

    def __init__(self, file: Path, day: date, rows: Mapping[str, Iterable[bytes]]) -> None:
        super().__init__(file, "w", zipfile.ZIP_DEFLATED)
        self._stamp = (day.year, day.month, day.day, 0, 0, 0)
        self._rows = rows

    def _entry(self, name: object) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(str(name), self._stamp)
        entry.create_system, entry.external_attr = 3, 0o644 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        return entry

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        super().writestr(self._entry(zinfo_or_arcname), data, zipfile.ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        start, end, tail = Path(filename).read_bytes().partition(ROWS_END)
        with self.open(self._entry(arcname), "w") as stream:
            stream.write(start)
            for rows in self._rows.get(str(arcname), ()):
                stream.write(rows)
            stream.write(end + tail)


def sheet_name(contract: Contract) -> str:
    """The name of a dataset's sheet: its title, or its technical name where Excel would not take the title."""
    title = contract.title
    fits = len(title) <= LONGEST_NAME and not any(character in FORBIDDEN for character in title)
    return title if fits else contract.name[:LONGEST_NAME]


def _decimals(values: pa.ChunkedArray) -> int:
    """Decimals that the values of a column need, at most 6."""
    texts = (f"{value:.6f}".rstrip("0") for value in values.unique().to_pylist() if value is not None)
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def _number_format(field: Field, values: pa.ChunkedArray) -> str:
    """Excel's format for a column of numbers; it shows a decimal comma where the reader's settings do.

    Thousands are set apart only where the number counts something: not in years or the numbers of survey waves.
    """
    whole = "#,##0" if "unit" in field.raw else "0"
    decimals = _decimals(values) if field.type == "number" else 0
    return f"{whole}.{'0' * decimals}" if decimals else whole


def _style(name: str, number_format: str = "General", wrap: bool = False, **properties: Any) -> NamedStyle:
    alignment = Alignment(vertical="top", wrap_text=wrap)
    return NamedStyle(name, number_format=number_format, alignment=alignment, **properties)


def _styles() -> Iterator[NamedStyle]:
    yield _style(TEXT, "@")
    yield _style(WRAPPED, "@", wrap=True)
    yield _style(HEADING, "@", wrap=True, font=Font(bold=True), fill=PatternFill("solid", fgColor="FFE3E8EE"))
    yield _style(TITLE, "@", wrap=True, font=Font(bold=True, size=14))
    yield _style(LINK, "@", wrap=True, font=Font(color="FF0B57A4", underline="single"))
    yield _style(DATE, "DD.MM.YYYY")
    yield _style(YES_NO, "@")


def _note(field: Field) -> str:
    unit = f" Einheit: {field.raw['unit']}." if "unit" in field.raw else ""
    return f"{field.name}: {field.description}{unit}"


def _plain(field: Field, values: pa.ChunkedArray, number_style: Callable[[str], str]) -> Column:
    """The column as in every other format."""
    if field.type == "boolean":
        return Column(field.title, _note(field), YES_NO, pc.if_else(values, "ja", "nein"))
    if field.type == "date":
        return Column(field.title, _note(field), DATE, values)
    if field.type in ("integer", "number"):
        return Column(field.title, _note(field), number_style(_number_format(field, values)), values)
    wrap = _longest(values) > WIDEST and field.raw.get("format") != "uri"
    return Column(field.title, _note(field), WRAPPED if wrap else TEXT, values)


def _labelled(field: Field, values: pa.ChunkedArray) -> Column:
    """The labels of a column of codes."""
    labels = {code.code: code.label for code in field.codes}

    def text(value: str) -> str:
        codes = value.split(field.separator) if field.separator else [value]
        return "; ".join(labels[code] for code in codes)

    texts = _mapped(values, text)
    note = f"Bezeichnungen zu {field.name}"
    return Column(LABELS.format(field.title), note, WRAPPED if _longest(texts) > WIDEST else TEXT, texts)


def _mapped(values: pa.ChunkedArray, change: Callable[[str], str]) -> pa.ChunkedArray:
    """Texts changed one by one, each different one once; missing ones stay missing."""
    encoded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    changed = pa.array([change(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([changed.take(encoded.indices)])


def _longest(texts: pa.ChunkedArray) -> int:
    """Characters of the longest text."""
    return int(pc.max(pc.utf8_length(texts.cast(pa.string()))).as_py() or 0)


def dataset_columns(dataset: Dataset, number_style: Callable[[str], str]) -> list[Column]:
    """The columns of a dataset's sheet; ``number_style`` gives the name of the style for a number format."""
    columns: list[Column] = []
    for field, values in zip(dataset.contract.fields, dataset.table.columns, strict=True):
        columns.append(_plain(field, values, number_style))
        if field.codes:
            columns.append(_labelled(field, values))
    return columns


def _width(column: Column) -> float:
    """A width in characters that shows the longest value, within limits; headings wrap at words."""
    longest = DAY if column.style == DATE else _longest(column.values)
    word = max(len(part) for part in column.heading.split())
    return min(WIDEST, max(NARROWEST, longest, word)) + 2


def text_content(value: str) -> str:
    """What a cell of text holds, as XML. Raises ``ValueError`` for a text that no workbook can hold."""
    if ILLEGAL_CHARACTERS_RE.search(value) or len(value) > LONGEST_TEXT:
        raise ValueError(f"no workbook can hold the text {value[:100]!r}")
    space = ' xml:space="preserve"' if value != value.strip() or "\n" in value else ""
    return f"<is><t{space}>{escape(value)}</t></is></c>"


def _cells(column: Column, letters: str, style: int) -> tuple[str, str, pa.ChunkedArray]:
    """The cells of a column as XML, but for the number of the row: what stands before it, after it, and the content."""
    if pa.types.is_date(column.values.type):
        days = pc.add(column.values.cast(pa.int32()), EPOCH)
        numbers = pc.if_else(pc.less_equal(days, NEVER_WAS), pc.subtract(days, 1), days)
    elif pa.types.is_integer(column.values.type) or pa.types.is_floating(column.values.type):
        numbers = column.values
    else:
        return f'<c r="{letters}', f'" s="{style}" t="inlineStr">', _mapped(column.values, text_content)
    content = pc.binary_join_element_wise("<v>", numbers.cast(pa.string()), "</v></c>", "")
    return f'<c r="{letters}', f'" s="{style}">', content


def _rows(columns: Sequence[Column], styles: Sequence[int]) -> Iterator[bytes]:
    """The rows below the headings as XML, some thousand at a time; a missing value has no cell."""
    cells = [
        _cells(column, get_column_letter(number), style)
        for number, (column, style) in enumerate(zip(columns, styles, strict=True), start=1)
    ]
    for start in range(0, len(columns[0].values), BATCH):
        size = min(BATCH, len(columns[0].values) - start)
        numbers = pa.array(range(start + 2, start + 2 + size)).cast(pa.string())
        parts: list[Any] = ['<row r="', numbers, '">']
        for before, after, content in cells:
            joined = pc.binary_join_element_wise(
                before, numbers, after, content.slice(start, size).combine_chunks(), ""
            )
            parts.append(joined.fill_null(""))
        rows = pc.binary_join_element_wise(*parts, "</row>", "")
        yield "".join(rows.to_pylist()).encode("utf-8")


class _Book:
    """The workbook under construction: styles are made once and used by name."""

    def __init__(self, run: Run) -> None:
        self.book = Workbook(write_only=True)
        stamp = datetime.combine(run.day, datetime.min.time())
        properties = self.book.properties
        properties.title, properties.creator = run.profile.title, run.profile.publisher.name or AUTHOR
        properties.description = " ".join([*marks(run.profile), citation(run)])
        properties.created = properties.modified = stamp
        properties.language = "de-DE"
        for style in _styles():
            self.book.add_named_style(style)
        self._numbers: dict[str, str] = {}
        self.rows: dict[str, Iterator[bytes]] = {}

    def number_style(self, number_format: str) -> str:
        """The name of the style for a number format, made when first asked for."""
        if number_format not in self._numbers:
            self._numbers[number_format] = f"Zahl {number_format}"
            self.book.add_named_style(_style(self._numbers[number_format], number_format))
        return self._numbers[number_format]

    def cell(self, sheet: Any, value: Any, style: str) -> Any:
        """A cell with a style; a text stays a text even if it looks like a formula."""
        cell = WriteOnlyCell(sheet, value=value)
        if isinstance(value, str):
            cell.data_type = "s"
        cell.style = style
        return cell

    def table(self, name: str, columns: Sequence[Column]) -> None:
        """A sheet with frozen, filtered headings over ``columns``, whose rows are left to ``rows``."""
        sheet = self.book.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        rows = len(columns[0].values) + 1
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{rows}"
        for number, column in enumerate(columns, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = _width(column)
        heads = []
        for column in columns:
            head = self.cell(sheet, column.heading, HEADING)
            if column.note:
                head.comment = Comment(column.note, AUTHOR, height=140, width=320)
            heads.append(head)
        sheet.append(heads)
        # The name that openpyxl gives the sheet in the archive.
        entry = f"xl/worksheets/sheet{len(self.book.worksheets)}.xml"
        self.rows[entry] = _rows(columns, [self.cell(sheet, None, column.style).style_id for column in columns])


def _info_rows(run: Run, datasets: Sequence[Dataset]) -> Iterator[tuple[str, str, str | None]]:
    """The cover sheet after its title: label, text, and where the text leads (an address, or ``#`` and a sheet)."""
    profile = run.profile
    for mark in marks(profile):
        yield "Achtung", mark, None
    yield "Inhalt", profile.description, None
    yield "Ausgabe", run.release_id, None
    yield "Datum der Ausgabe", german.day(run.day), None
    yield "Gebietsstand", territory_text(profile), None
    if profile.publisher.name:
        yield "Herausgeber", profile.publisher.name, profile.publisher.url or None
    if profile.publisher.email:
        yield "Kontakt", profile.publisher.email, f"mailto:{profile.publisher.email}"
    if address := release_address(run):
        yield "Adresse", address, address
    yield "Lizenz", f"{profile.licence.title} ({profile.licence.name})", profile.licence.url
    yield "Zitieren", citation(run), None
    for source in attributions(run):
        yield "Quelle", f"{source['attribution']} – {source['title']}", source.get("path")
    for rule in reading_rules(profile, land_rows(datasets)):
        yield "Zu beachten", rule, None
    codes = f"Codes stehen wie in allen Formaten; rechts daneben folgt, was sie heißen: „{LABELS.format('…')}“."
    yield "Zu den Spalten", codes, None
    yield "Zu den Spalten", "Technischer Name und Bedeutung einer Spalte stehen als Notiz an ihrer Überschrift.", None
    yield "Blatt", f"{DICTIONARY}: alle Spalten und Codes", f"#{DICTIONARY}"
    for dataset in datasets:
        rows = german.number(dataset.table.num_rows)
        word = "Zeile" if dataset.table.num_rows == 1 else "Zeilen"
        name = sheet_name(dataset.contract)
        yield "Blatt", f"{name} ({rows} {word}): {dataset.contract.description}", f"#{name}"


def _write_info(book: _Book, run: Run, datasets: Sequence[Dataset]) -> None:
    """The cover sheet. Its two columns have a heading and no empty row, so that programs can read it as a table too."""
    sheet = book.book.create_sheet(INFO)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 20, 110
    sheet.sheet_view.showGridLines = False
    sheet.append([book.cell(sheet, "Titel", TITLE), book.cell(sheet, run.profile.title, TITLE)])
    for label, text, target in _info_rows(run, datasets):
        cell = book.cell(sheet, text, LINK if target else WRAPPED)
        if target and target.startswith("#"):
            cell.hyperlink = Hyperlink(ref="", location=f"'{target[1:]}'!A1")
        elif target:
            cell.hyperlink = target
        sheet.append([book.cell(sheet, label, HEADING), cell])


def _dictionary(datasets: Sequence[Dataset]) -> list[Column]:
    types = {code.code: code.label for code in code_list("datentyp")}
    rows: list[tuple[str | None, ...]] = []
    for contract in (dataset.contract for dataset in datasets):
        sheet = sheet_name(contract)
        for field in contract.fields:
            start = (sheet, field.title, contract.name, field.name)
            rows.append((*start, field.description, types[field.type], field.raw.get("unit"), None, None, None))
            rows += [(*start, None, None, None, code.code, code.label, code.definition) for code in field.codes]
    columns = zip(*rows, strict=True)
    return [
        Column(heading, "", WRAPPED if heading in ("Bedeutung", "Definition") else TEXT, pa.chunked_array([values]))
        for heading, values in zip(DICTIONARY_COLUMNS, columns, strict=True)
    ]


def write_xlsx(run: Run, datasets: Sequence[Dataset]) -> list[str]:
    """Write ``praeventionskarte.xlsx`` into the package; returns its name. Nothing in it depends on the clock."""
    book = _Book(run)
    _write_info(book, run, datasets)
    book.table(DICTIONARY, _dictionary(datasets))
    for dataset in datasets:
        book.table(sheet_name(dataset.contract), dataset_columns(dataset, book.number_style))
    # Not Workbook.save, which would set the time of the last change to now.
    with _DatedZip(run.package / FILE, run.day, book.rows) as archive:
        ExcelWriter(book.book, archive).write_data()
    return [FILE]
