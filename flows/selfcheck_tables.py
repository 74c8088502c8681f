"""The tables of a release against their own description, judged by Frictionless."""

from __future__ import annotations

import json
from pathlib import Path

from flows.findings import Finding

DESCRIPTOR = "datapackage.json"
REMEDY = "Bitte die Ausgabe neu bauen; veröffentlicht wird nichts."
# What Frictionless finds, in words for the operator.
TABLE_ERRORS = {
    "type-error": "der Wert hat nicht den vereinbarten Typ.",
    "constraint-error": "der Wert verletzt eine Vorgabe der Spalte.",
    "primary-key": "der Schlüssel fehlt oder steht mehr als einmal.",
    "foreign-key": "der Wert fehlt in der Tabelle, auf die er verweist.",
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


def table_findings(folder: Path) -> list[Finding]:
    """Every table against its schema, keys and references in ``datapackage.json``, by Frictionless.

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
    report = Package.from_descriptor({"name": "tables", "resources": tables}, basepath=str(folder)).validate()
    findings = [
        Finding("tabellen", DESCRIPTOR, f"die Beschreibung ist nicht lesbar ({error.note}).", REMEDY)
        for error in report.errors
    ]
    for task in report.tasks:
        for error in task.errors:
            found = error.to_descriptor()
            text = TABLE_ERRORS.get(error.type, f"die Tabelle ist nicht wie beschrieben ({error.type}).")
            row, column, cell = found.get("rowNumber"), found.get("fieldName"), found.get("cell")
            note = f" ({error.note})" if error.type in ("constraint-error", "foreign-key", "primary-key") else ""
            words = text.rstrip(".") + f"{note}."
            findings.append(Finding("tabellen", str(task.place), words, REMEDY, row, column, cell or None))
    return findings
