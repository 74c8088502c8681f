"""Templates: workbooks in which the office fills in its records, made from the contracts and nothing else.

Each sheet has the columns of a contract under their technical names, with drop-downs where a code list allows it,
checks and help texts where Excel and LibreOffice have them, and keys as text, so that no zero gets lost. A sheet of
explanations says what every column means, another lists the codes. What is filled in passes ``praevkarte check`` or is
told why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from flows.contracts import Contract, Field, load_contract
from flows.errors import WrongUsage
from flows.formats.xlsx import sheet_name
from flows.load import RESPONSES
from flows.office.look import known_datasets

HELP, LISTS = "Anleitung", "Listen"
# So many lines carry drop-downs and checks; nobody keeps more records by hand.
LINES = 2000
# Excel's limits of the title and the text of a help note.
LONGEST_TITLE, LONGEST_TEXT = 32, 255
# Datasets of the workbooks that hold several sheets.
WORKBOOKS = {"committees": ("committees", "evidence")}
HEAD_FILL, MUST_FILL = PatternFill("solid", fgColor="FFE3E8EE"), PatternFill("solid", fgColor="FFFFE9B8")
TEXT_FORMAT, DATE_FORMAT = "@", "YYYY-MM-DD"
WIDTHS = {"string": 24, "integer": 12, "number": 12, "boolean": 12, "date": 14, "yearmonth": 12}
EARLIEST, LATEST = "DATE(1900,1,1)", "DATE(2199,12,31)"


def template_contracts(kind: str, wave: str | None) -> tuple[Contract, ...]:
    """The contracts of a template: ``committees`` (with evidence), ``survey`` (needs a wave), or a dataset's name.

    Raises ``WrongUsage`` for anything else.
    """
    if kind == "survey":
        waves = [name.rpartition("_")[2] for name in known_datasets() if name.startswith(f"{RESPONSES}_")]
        known = f"Vorhanden: {', '.join(waves)}. Eine neue Welle legt `praevkarte survey new` an."
        if not wave:
            raise WrongUsage(f"Für welche Welle? Bitte --wave angeben. {known}")
        if wave not in waves:
            raise WrongUsage(f"--wave {wave}: für diese Welle gibt es keinen Vertrag. {known}")
        return (load_contract("input", f"{RESPONSES}_{wave}"),)
    names = WORKBOOKS.get(kind, (kind,))
    if not set(names) <= set(known_datasets()):
        raise WrongUsage(f"Die Vorlage „{kind}“ gibt es nicht. Möglich sind: survey, {', '.join(known_datasets())}.")
    return tuple(load_contract("input", name) for name in names)


def _codes(field: Field) -> tuple[str, ...]:
    """The codes that the office may enter: of its list all but those that are only ever derived."""
    derived = field.raw.get("derivedCodes", ())
    return tuple(code for code in field.allowed if code not in derived)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _form(field: Field) -> str:
    """What to type into a cell of this column, in a sentence."""
    if field.type == "boolean":
        return f"Bitte „{field.boolean_words[0]}“ oder „{field.boolean_words[1]}“ eintragen."
    if field.separator and field.allowed:
        return f"Codes aus dem Blatt „{LISTS}“; mehrere mit „{field.separator}“ trennen, ohne Leerzeichen."
    if field.allowed:
        return "Bitte aus der Liste wählen."
    forms = {
        "date": "Tag, zum Beispiel 2026-03-31.",
        "yearmonth": "Monat in der Form JJJJ-MM.",
        "integer": "Ganze Zahl ohne Punkte und Leerzeichen.",
        "number": "Zahl.",
    }
    if field.separator:
        return f"Mehrere Angaben mit „{field.separator}“ trennen, ohne Leerzeichen."
    return forms.get(field.type, "")


def _help(field: Field) -> str:
    must = "Pflichtangabe." if field.required else "Darf leer bleiben."
    example = f"Beispiel: {field.raw['example']}" if "example" in field.raw else ""
    return " ".join(part for part in (must, _form(field), field.description, example) if part)


def _validation(field: Field, lists: dict[str, str]) -> DataValidation:
    """The check and the help text of a column; a column without any rule has the help text alone."""
    limits = field.raw.get("constraints", {})
    low, high = limits.get("minimum"), limits.get("maximum")
    rule: dict[str, Any] = {}
    if field.type == "boolean":
        rule = {"type": "list", "formula1": f'"{",".join(field.boolean_words)}"'}
    elif field.name in lists:
        rule = {"type": "list", "formula1": lists[field.name]}
    elif field.type == "date":
        rule = {"type": "date", "operator": "between", "formula1": EARLIEST, "formula2": LATEST}
    elif field.type in ("integer", "number") and (low is not None or high is not None):
        operator = "between" if None not in (low, high) else "greaterThanOrEqual" if high is None else "lessThanOrEqual"
        first, second = (low, high) if low is not None else (high, None)
        kind = "whole" if field.type == "integer" else "decimal"
        rule = {"type": kind, "operator": operator, "formula1": str(first)}
        rule |= {"formula2": str(second)} if second is not None else {}
    check = DataValidation(**rule, allow_blank=not field.required, showInputMessage=True)
    check.showErrorMessage = bool(rule)
    check.promptTitle, check.prompt = _cut(field.title, LONGEST_TITLE), _cut(_help(field), LONGEST_TEXT)
    check.errorTitle, check.error = "So geht es nicht", _cut(_form(field) or "Bitte prüfen.", LONGEST_TEXT)
    return check


def _number_format(field: Field) -> str:
    """Text for all that is no number or day: spreadsheets would take zeros away and turn months into days."""
    return {"integer": "0", "number": "General", "date": DATE_FORMAT}.get(field.type, TEXT_FORMAT)


def _sheet(book: Workbook, contract: Contract, lists: dict[str, str]) -> None:
    """An empty table under the contract's column names."""
    sheet = book.create_sheet(sheet_name(contract))
    sheet.freeze_panes = "B2"
    sheet.row_dimensions[1].height = 32
    for number, field in enumerate(contract.fields, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = max(WIDTHS[field.type], len(field.name) + 4)
        sheet.column_dimensions[letter].number_format = _number_format(field)
        head = sheet.cell(1, number, field.name)
        head.font, head.fill = Font(bold=True), MUST_FILL if field.required else HEAD_FILL
        head.alignment, head.number_format = Alignment(vertical="top", wrap_text=True), TEXT_FORMAT
        head.comment = Comment(f"{field.title}\n\n{_help(field)}", "Präventionskarte", height=200, width=360)
        check = _validation(field, lists)
        check.add(f"{letter}2:{letter}{LINES + 1}")
        sheet.add_data_validation(check)


def _list_sheet(book: Workbook, contracts: Sequence[Contract]) -> dict[str, dict[str, str]]:
    """The codes with their meaning; returns for each sheet the range of codes by column, for its drop-downs.

    A column that takes several codes has no drop-down, because that would replace what is there.
    """
    sheet = book.create_sheet(LISTS)
    sheet.freeze_panes = "A2"
    heads = ("Spalte", "Code", "Bezeichnung", "Bedeutung")
    for number, (text, width) in enumerate(zip(heads, (36, 36, 40, 90), strict=True), start=1):
        cell = sheet.cell(1, number, text)
        cell.font, cell.fill = Font(bold=True), HEAD_FILL
        sheet.column_dimensions[get_column_letter(number)].width = width
    ranges: dict[str, dict[str, str]] = {}
    row = 2
    for contract in contracts:
        ranges[contract.name] = {}
        for field in (field for field in contract.fields if field.allowed):
            first = row
            meanings = {code.code: (code.label, code.definition) for code in field.codes}
            for code in _codes(field):
                label, definition = meanings.get(code, ("", ""))
                for number, text in enumerate((f"{sheet_name(contract)}: {field.name}", code, label, definition), 1):
                    cell = sheet.cell(row, number, text)
                    cell.number_format = TEXT_FORMAT
                    cell.alignment = Alignment(vertical="top", wrap_text=number == 4)
                row += 1
            if not field.separator:
                ranges[contract.name][field.name] = f"{quote_sheetname(LISTS)}!$B${first}:$B${row - 1}"
    return ranges


def _help_sheet(book: Workbook, contracts: Sequence[Contract]) -> None:
    """How to fill in, and what every column means."""
    sheet = book.create_sheet(HELP, 0)
    sheet.sheet_view.showGridLines = False
    for letter, width in zip("ABCD", (28, 28, 16, 100), strict=True):
        sheet.column_dimensions[letter].width = width
    names = " und ".join(f"„{sheet_name(contract)}“" for contract in contracts)
    first = sheet_name(contracts[0])
    lines = [
        f"Bitte {'die Blätter' if len(contracts) > 1 else 'das Blatt'} {names} ab Zeile 2 ausfüllen, eine Zeile je "
        "Eintrag. Die Spaltennamen in Zeile 1 bitte nicht ändern.",
        "Gelbe Spaltennamen sind Pflichtangaben; alles andere bleibt leer, wenn es nicht bekannt ist. Bitte nichts "
        "raten.",
        f"Was eine Spalte bedeutet, steht unten und als Notiz an ihrem Namen; die erlaubten Codes stehen im Blatt "
        f"„{LISTS}“.",
        "Veröffentlicht werden Ämter, Funktionen und Funktionspostfächer, keine Namen von Personen, keine persönlichen "
        "E-Mail-Adressen und keine Telefonnummern.",
        f"Prüfen, bevor Sie die Datei abgeben: praevkarte check DATEI (die Datei mit dem Blatt „{first}“).",
    ]
    cell = sheet.cell(1, 1, f"Vorlage: {', '.join(contract.title for contract in contracts)}")
    cell.font = Font(bold=True, size=14)
    for row, text in enumerate(lines, start=3):
        sheet.cell(row, 1, text).alignment = Alignment(vertical="top", wrap_text=True)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=4)
        sheet.row_dimensions[row].height = 32
    row = len(lines) + 4
    for number, text in enumerate(("Blatt", "Spalte", "Pflicht", "Bedeutung"), start=1):
        head = sheet.cell(row, number, text)
        head.font, head.fill = Font(bold=True), HEAD_FILL
    for contract in contracts:
        for field in contract.fields:
            row += 1
            cells = (sheet_name(contract), field.name, "ja" if field.required else "nein")
            for number, text in enumerate((*cells, f"{field.title}: {_help(field)}"), start=1):
                cell = sheet.cell(row, number, text)
                cell.alignment = Alignment(vertical="top", wrap_text=True)


def write_template(file: Path, contracts: Sequence[Contract]) -> None:
    """Write an empty workbook for these contracts; raises ``WrongUsage`` when the file exists or is no .xlsx."""
    if file.suffix.lower() != ".xlsx":
        raise WrongUsage(f"{file}: Vorlagen sind Excel-Mappen. Bitte einen Namen mit der Endung .xlsx wählen.")
    if file.exists():
        raise WrongUsage(
            f"{file}: diese Datei gibt es schon; sie bleibt, wie sie ist. Bitte einen anderen Namen wählen."
        )
    book = Workbook()
    book.remove(book.active)
    book.properties.title = f"Vorlage: {', '.join(contract.title for contract in contracts)}"
    book.properties.creator, book.properties.language = "Präventionskarte", "de-DE"
    ranges = _list_sheet(book, contracts)
    for contract in contracts:
        _sheet(book, contract, ranges[contract.name])
    _help_sheet(book, contracts)
    # Explanations in front, codes at the end; the first table is what opens.
    book.move_sheet(LISTS, len(contracts) + 1)
    book.active = 1
    file.parent.mkdir(parents=True, exist_ok=True)
    book.save(file)
