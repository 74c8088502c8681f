"""What a change of columns means to those who read the files, and which version follows."""

from __future__ import annotations

from typing import Any

import pytest

from flows.schema_change import ADDED, BREAKING, CORRECTED, next_version, schema_changes, schemas_of

CODES = [{"value": "aktiv", "label": "Aktiv"}, {"value": "ruhend", "label": "Ruhend"}]
FIELDS: list[dict[str, Any]] = [
    {"name": "ags", "type": "string", "title": "Schlüssel", "constraints": {"required": True}},
    {"name": "flaeche", "type": "number", "title": "Fläche", "unit": "km²", "unitEn": "km²"},
    {"name": "status", "type": "string", "title": "Status", "categories": CODES},
    {"name": "themen", "type": "string", "title": "Themen", "listSeparator": ";"},
]
SCHEMA = {"fields": FIELDS, "primaryKey": ["ags"]}


def with_field(number: int, **changes: Any) -> dict[str, Any]:
    fields = [dict(one) for one in FIELDS]
    fields[number] |= changes
    return SCHEMA | {"fields": fields}


NEW = {"name": "neu", "type": "string", "title": "Neu"}
CHANGES: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "nothing": (SCHEMA, None, ""),
    "column gone": (SCHEMA | {"fields": FIELDS[:-1]}, BREAKING, "themen: Spalte entfallen"),
    "column renamed": (with_field(3, name="inhalte"), BREAKING, "themen: Spalte entfallen"),
    "columns in another order": (SCHEMA | {"fields": [FIELDS[1], FIELDS[0], *FIELDS[2:]]}, BREAKING, "Reihenfolge"),
    "column in between": (SCHEMA | {"fields": [FIELDS[0], NEW, *FIELDS[1:]]}, BREAKING, "Reihenfolge"),
    "column at the end": (SCHEMA | {"fields": [*FIELDS, NEW]}, ADDED, "neu: Spalte neu"),
    "type": (with_field(1, type="string"), BREAKING, "flaeche: Typ geändert: number → string"),
    "unit": (with_field(1, unit="ha"), BREAKING, "flaeche: Einheit geändert: km² → ha"),
    "separator": (with_field(3, listSeparator="|"), BREAKING, "themen: Trennzeichen geändert: ; → |"),
    "key": (SCHEMA | {"primaryKey": ["ags", "status"]}, BREAKING, "Schlüssel geändert"),
    "key written without a list": (SCHEMA | {"primaryKey": "ags"}, None, ""),
    "code gone": (with_field(2, categories=CODES[:1]), BREAKING, "status: Code entfallen: ruhend"),
    "code list gone": (with_field(2, categories=[]), BREAKING, "status: Codeliste entfallen"),
    "code new": (with_field(2, categories=[*CODES, {"value": "x", "label": "X"}]), ADDED, "status: Code neu: x"),
    "code label": (with_field(2, categories=[CODES[0], CODES[1] | {"label": "Ruht"}]), CORRECTED, "eines Codes"),
    "value no longer promised": (with_field(0, constraints={}), BREAKING, "ags: darf jetzt leer sein"),
    "value now promised": (with_field(1, constraints={"required": True}), None, ""),
    "title": (with_field(1, title="Größe"), CORRECTED, "flaeche: Beschreibung geändert"),
    "English unit": (with_field(1, unitEn="sq km"), CORRECTED, "flaeche: Beschreibung geändert"),
}


@pytest.mark.parametrize(("schema", "weight", "text"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_has_a_weight_and_is_named(schema: dict[str, Any], weight: str | None, text: str) -> None:
    found = schema_changes({"orte": SCHEMA}, {"orte": schema})

    heaviest = next((one for one in (BREAKING, ADDED, CORRECTED) if one in {change.weight for change in found}), None)
    assert heaviest == weight
    assert any(text in f"{change.column}: {change.text}" for change in found) or weight is None


def test_a_dataset_that_goes_breaks_and_one_that_comes_adds() -> None:
    found = schema_changes({"orte": SCHEMA, "alt": SCHEMA}, {"orte": SCHEMA, "neu": SCHEMA})
    assert [(change.dataset, change.weight) for change in found] == [("alt", BREAKING), ("neu", ADDED)]


@pytest.mark.parametrize(
    ("weights", "version"),
    [
        ((), "1.4.2"),
        ((CORRECTED,), "1.4.3"),
        ((ADDED, CORRECTED), "1.5.0"),
        ((CORRECTED, BREAKING, ADDED), "2.0.0"),
    ],
)
def test_the_heaviest_change_decides_the_version(weights: tuple[str, ...], version: str) -> None:
    changes = [change for weight in weights for change in _changes_of(weight)]
    assert next_version("1.4.2", changes) == version


def _changes_of(weight: str) -> list[Any]:
    schema = next(schema for schema, one, _ in CHANGES.values() if one == weight)
    return schema_changes({"orte": SCHEMA}, {"orte": schema})


def test_the_order_of_the_changes_does_not_depend_on_the_run() -> None:
    before = dict.fromkeys("abcdefgh", SCHEMA)
    after = {name: SCHEMA | {"fields": [NEW]} for name in "hgfedcba"}
    found = schema_changes(before, after)
    assert found == sorted(found, key=lambda one: (one.dataset, one.column or "", one.text))


def test_code_lists_are_not_datasets() -> None:
    resources = [
        {"name": "orte", "path": "orte.csv", "schema": SCHEMA},
        {"name": "codeliste_status", "path": "codelisten/status.csv", "schema": SCHEMA},
        {"name": "orte_geojson", "path": "orte.geojson"},
    ]
    assert list(schemas_of({"resources": resources})) == ["orte"]
