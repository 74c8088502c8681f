"""Contracts: what a dataset's columns are called, mean and may hold.

A contract is a Frictionless Table Schema (https://specs.frictionlessdata.io/table-schema/) in
``geodata/contracts/{input,release}/<dataset>.json`` with a few properties of our own: English titles, ``unit``,
``codeList`` (the allowed values stand in ``geodata/contracts/codes/<list>.csv``), ``derivedCodes`` (those of them that
nobody enters), ``listSeparator`` (several codes in one cell) and, for the dataset, ``geometry``, ``label`` (the columns
by which people know a row) and ``extends`` (the columns and key of another contract, then its own).
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from flows.errors import WrongUsage
from flows.paths import CONTRACTS

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "yearmonth": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a code list."""

    code: str
    label: str
    label_en: str
    definition: str
    definition_en: str
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a dataset; ``raw`` is its Table Schema descriptor as written."""

    name: str
    type: str
    title: str
    description: str
    raw: dict[str, Any]
    codes: tuple[Code, ...] = ()

    @property
    def required(self) -> bool:
        return bool(self.raw.get("constraints", {}).get("required", False))

    @property
    def separator(self) -> str | None:
        """The separator of a cell that holds several values, or None."""
        value = self.raw.get("listSeparator")
        return str(value) if value else None

    @property
    def duckdb_type(self) -> str:
        return DUCKDB_TYPES[self.type]

    @property
    def allowed(self) -> tuple[str, ...]:
        """Allowed values from the code list or ``constraints.enum``; empty when anything goes."""
        if self.codes:
            return tuple(code.code for code in self.codes)
        return tuple(self.raw.get("constraints", {}).get("enum", ()))

    @property
    def boolean_words(self) -> tuple[str, str]:
        """The words for true and false in a file."""
        return self.raw.get("trueValues", ["true"])[0], self.raw.get("falseValues", ["false"])[0]


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset: its columns in order, keys, meaning, and whether rows have a geometry."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    raw: dict[str, Any]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.fields)

    @property
    def primary_key(self) -> tuple[str, ...]:
        return tuple(self.raw.get("primaryKey", ()))

    @property
    def label(self) -> tuple[str, ...]:
        """Columns by which people know a row: a name, then what tells it from others of that name."""
        return tuple(self.raw.get("label", ()))

    @property
    def geometry_level(self) -> str | None:
        """Which layer of ``joined.map_geometry`` carries this dataset's shapes, or None for a plain table."""
        level = self.raw.get("geometry", {}).get("level")
        return str(level) if level else None

    def with_field(self, extra: Field) -> Contract:
        """The same contract with one more column at the end."""
        return replace(self, fields=(*self.fields, extra))

    def table_schema(self) -> dict[str, Any]:
        """The contract as a self-contained Table Schema: code lists written out as ``enum`` and ``categories``.

        Frictionless ignores ``categories`` (Data Package v2), so the codes stand as ``constraints.enum`` too. A list
        column cannot have an ``enum`` on the whole cell; its codes become a pattern.
        """
        fields = []
        for column in self.fields:
            descriptor = {key: value for key, value in column.raw.items() if key != "codeList"}
            if column.codes:
                descriptor["categories"] = [{"value": code.code, "label": code.label} for code in column.codes]
                constraints = dict(descriptor.get("constraints", {}))
                if column.separator:
                    one = "(" + "|".join(column.allowed) + ")"
                    constraints["pattern"] = f"^{one}({column.separator}{one})*$"
                else:
                    constraints["enum"] = list(column.allowed)
                descriptor["constraints"] = constraints
            fields.append(descriptor)
        schema: dict[str, Any] = {"fields": fields, "missingValues": self.raw.get("missingValues", [""])}
        if self.primary_key:
            schema["primaryKey"] = list(self.primary_key)
        if self.raw.get("foreignKeys"):
            schema["foreignKeys"] = self.raw["foreignKeys"]
        return schema


@cache
def code_list(name: str, root: Path = CONTRACTS) -> tuple[Code, ...]:
    """The entries of one code list in file order; raises ``WrongUsage`` when there is no such list."""
    path = root / "codes" / f"{name}.csv"
    if not path.is_file():
        raise WrongUsage(f"{path}: die Codeliste fehlt.")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    base = ("code", "bezeichnung", "bezeichnung_en", "definition", "definition_en")
    return tuple(
        Code(
            row["code"],
            row["bezeichnung"],
            row["bezeichnung_en"],
            row["definition"],
            row["definition_en"],
            {key: value for key, value in row.items() if key not in base},
        )
        for row in rows
    )


def code_list_names(root: Path = CONTRACTS) -> list[str]:
    """Names of all code lists, sorted."""
    return sorted(path.stem for path in (root / "codes").glob("*.csv"))


def _field(raw: dict[str, Any], root: Path) -> Field:
    codes = code_list(raw["codeList"], root) if "codeList" in raw else ()
    return Field(raw["name"], raw["type"], raw["title"], raw["description"], raw, codes)


@cache
def load_contract(kind: str, name: str, root: Path = CONTRACTS) -> Contract:
    """Load ``<kind>/<name>.json`` (kind: input or release); raises ``WrongUsage`` when there is none."""
    path = root / kind / f"{name}.json"
    if not path.is_file():
        raise WrongUsage(f"{path}: für den Datensatz „{name}“ gibt es keinen Vertrag.")
    raw = json.loads(path.read_text(encoding="utf-8"))
    fields = tuple(_field(item, root) for item in raw["fields"])
    if base_name := raw.get("extends"):
        base = load_contract(*base_name.split("/"), root)
        fields = (*base.fields, *fields)
        raw = {"primaryKey": list(base.primary_key), "missingValues": base.raw["missingValues"]} | raw
    return Contract(raw["name"], raw["title"], raw["description"], fields, raw)


def release_contracts(root: Path = CONTRACTS) -> tuple[Contract, ...]:
    """All published datasets, in the order in which a reader meets them (``geodata/contracts/release.json``)."""
    order = json.loads((root / "release.json").read_text(encoding="utf-8"))["datasets"]
    return tuple(load_contract("release", name, root) for name in order)
