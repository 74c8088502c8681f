"""The tables of a release against their own description, judged by Frictionless; references by DuckDB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flows.findings import Finding
from flows.selfcheck_references import REMEDY, reference_findings

DESCRIPTOR = "datapackage.json"
# What Frictionless finds, in words for the operator.
TABLE_ERRORS = {
    "type-error": "der Wert hat nicht den vereinbarten Typ.",
    "constraint-error": "der Wert verletzt eine Vorgabe der Spalte.",
    "primary-key": "der Schlüssel fehlt oder steht mehr als einmal.",
    "blank-row": "die Zeile ist leer.",
    "extra-cell": "die Zeile hat eine Zelle zu viel.",
    "missing-cell": "der Zeile fehlt eine Zelle.",
    "blank-label": "eine Überschrift ist leer.",
    "incorrect-label": "die Überschrift ist nicht die vereinbarte.",
    "extra-label": "die Spalte ist nicht vereinbart.",
    "missing-label": "die Spalte fehlt.",
    "duplicate-label": "die Spalte steht doppelt.",
    "encoding-error": "die Datei ist nicht in UTF-8 gespeichert.",
}
# The ones of these after which each cell still stands in its column.
CELLS = {"type-error", "constraint-error", "primary-key"}
# Of a field's description what is for readers only.
WORDS = {"title", "titleEn", "description", "descriptionEn", "unit", "unitEn", "example", "categories"}


def table_findings(folder: Path) -> list[Finding]:
    """Every table against its schema, keys and references in ``datapackage.json``.

    Other files are left to ``selfcheck.description_findings``, which reads their bytes only.
    """
    from frictionless import Package

    descriptor = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    tables = [
        resource
        for resource in descriptor["resources"]
        if resource.get("type") == "table" and (folder / resource["path"]).is_file()
    ]
    if not tables:
        return [Finding("tabellen", DESCRIPTOR, "keine einzige Tabelle ist beschrieben.", REMEDY)]
    alone = [_for_cells(table) for table in tables]
    report = Package.from_descriptor({"name": "tables", "resources": alone}, basepath=str(folder)).validate()
    findings = [
        Finding("tabellen", DESCRIPTOR, f"die Beschreibung ist nicht lesbar ({error.note}).", REMEDY)
        for error in report.errors
    ]
    for task in report.tasks:
        for error in task.errors:
            found = error.to_descriptor()
            text = TABLE_ERRORS.get(error.type, f"die Tabelle ist nicht wie beschrieben ({error.type}).")
            row, column, cell = found.get("rowNumber"), found.get("fieldName"), found.get("cell")
            note = f" ({error.note})" if error.type in ("constraint-error", "primary-key") else ""
            words = text.rstrip(".") + f"{note}."
            findings.append(Finding("tabellen", str(task.place), words, REMEDY, row, column, cell or None))
    unreadable = {str(task.place) for task in report.tasks if any(error.type not in CELLS for error in task.errors)}
    return findings if report.errors else [*findings, *reference_findings(folder, tables, unreadable)]


def _for_cells(table: dict[str, Any]) -> dict[str, Any]:
    """What of a table's description its cells are held against: no look into other tables, no words for readers, which
    Frictionless would copy for every field of every table several times.
    """
    fields = [{key: value for key, value in field.items() if key not in WORDS} for field in table["schema"]["fields"]]
    schema = {key: value for key, value in table["schema"].items() if key != "foreignKeys"}
    return table | {"schema": schema | {"fields": fields}}
