"""What changed in the published columns between two releases, and the schema version that follows (SemVer 2.0.0).

Breaking: something a reader relies on is gone or means something else: a dataset, a column, a code, the type, the
unit, the key, the promise that a value is there, or the position of a column (CSV is read by position too). Added:
something new at the end. Corrected: only words changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIRST_VERSION = "1.0.0"
BREAKING, ADDED, CORRECTED = "breaking", "added", "corrected"
WEIGHTS = {BREAKING: "unverträglich", ADDED: "Ergänzung", CORRECTED: "Berichtigung"}
"""The weights, heaviest first, in the words of readers."""

Schemas = Mapping[str, Mapping[str, Any]]
"""Table Schemas by dataset name."""


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change: its weight, the dataset, the column (None for the dataset itself) and a German sentence."""

    weight: str
    dataset: str
    column: str | None
    text: str


def schemas_of(descriptor: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Table Schemas by dataset of a ``datapackage.json``; code lists, in a folder of their own, are not datasets."""
    tables = (resource for resource in descriptor["resources"] if "schema" in resource)
    return {resource["name"]: resource["schema"] for resource in tables if "/" not in resource["path"]}


def primary_key(schema: Mapping[str, Any]) -> list[str]:
    """The key of a Table Schema, which may write a single column without a list."""
    key = schema.get("primaryKey", [])
    return [key] if isinstance(key, str) else list(key)


def _codes(field: Mapping[str, Any]) -> dict[str, str]:
    """Codes that a column may hold, with their labels."""
    return {str(category["value"]): str(category["label"]) for category in field.get("categories", [])}


def _required(field: Mapping[str, Any]) -> bool:
    return bool(field.get("constraints", {}).get("required", False))


def _code_changes(dataset: str, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[SchemaChange]:
    if old and not new:
        yield SchemaChange(BREAKING, dataset, name, "Codeliste entfallen")
        return
    if gone := [code for code in old if code not in new]:
        yield SchemaChange(BREAKING, dataset, name, f"Code entfallen: {', '.join(gone)}")
    if come := [code for code in new if old and code not in old]:
        yield SchemaChange(ADDED, dataset, name, f"Code neu: {', '.join(come)}")
    if any(new.get(code, label) != label for code, label in old.items()):
        yield SchemaChange(CORRECTED, dataset, name, "Bezeichnung eines Codes geändert")


def _column_changes(dataset: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    if old["type"] != new["type"]:
        yield SchemaChange(BREAKING, dataset, name, f"Typ geändert: {old['type']} → {new['type']}")
    for aspect, word in (("format", "Format"), ("unit", "Einheit"), ("listSeparator", "Trennzeichen")):
        if old.get(aspect) != new.get(aspect):
            text = f"{word} geändert: {old.get(aspect) or 'keine Angabe'} → {new.get(aspect) or 'keine Angabe'}"
            yield SchemaChange(BREAKING, dataset, name, text)
    yield from _code_changes(dataset, name, _codes(old), _codes(new))
    if _required(old) and not _required(new):
        yield SchemaChange(BREAKING, dataset, name, "darf jetzt leer sein")
    words = ("title", "description", "titleEn", "descriptionEn", "unitEn")
    if any(old.get(word) != new.get(word) for word in words):
        yield SchemaChange(CORRECTED, dataset, name, "Beschreibung geändert")


def _dataset_changes(dataset: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    for name in before.keys() - after.keys():
        yield SchemaChange(BREAKING, dataset, name, "Spalte entfallen")
    for name in after.keys() - before.keys():
        yield SchemaChange(ADDED, dataset, name, "Spalte neu")
    kept = [name for name in before if name in after]
    if list(after)[: len(kept)] != kept:
        yield SchemaChange(BREAKING, dataset, None, "Reihenfolge der Spalten geändert")
    if primary_key(old) != primary_key(new):
        yield SchemaChange(BREAKING, dataset, None, "Schlüssel geändert")
    for name in kept:
        yield from _column_changes(dataset, name, before[name], after[name])


def schema_changes(old: Schemas, new: Schemas) -> list[SchemaChange]:
    """All changes between two sets of schemas, sorted by dataset and column."""
    changes = [SchemaChange(BREAKING, name, None, "Datensatz entfallen") for name in old.keys() - new.keys()]
    changes += [SchemaChange(ADDED, name, None, "Datensatz neu") for name in new.keys() - old.keys()]
    for name in old.keys() & new.keys():
        changes += _dataset_changes(name, old[name], new[name])
    return sorted(changes, key=lambda change: (change.dataset, change.column or "", change.text))


def next_version(version: str, changes: Sequence[SchemaChange]) -> str:
    """The version after ``changes``: major for a breaking one, minor for an addition, patch for a correction."""
    major, minor, patch = (int(part) for part in version.split("."))
    weights = {change.weight for change in changes}
    if BREAKING in weights:
        return f"{major + 1}.0.0"
    if ADDED in weights:
        return f"{major}.{minor + 1}.0"
    if CORRECTED in weights:
        return f"{major}.{minor}.{patch + 1}"
    return version
