"""``codebook.csv``: every column of every dataset and every code in it, German and English, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from flows.contracts import Code, Contract, Field, load_contract
from flows.datasets import SYNTHETIC_FIELD, Dataset, published
from flows.formats.csv_file import write_csv
from flows.profile import SYNTHETIC_MARK
from flows.run import Run


def _row(contract: Contract, field: Field, code: Code | None = None) -> dict[str, Any]:
    parts = [contract.name, field.name, *([code.code] if code else [])]
    return {
        "kennung": ".".join(parts),
        "datensatz": contract.name,
        "datensatz_titel": contract.title,
        "datensatz_titel_en": contract.raw["titleEn"],
        "spalte": field.name,
        "titel": field.title,
        "titel_en": field.raw["titleEn"],
        "typ": field.type,
        "einheit": field.raw.get("unit"),
        "einheit_en": field.raw.get("unitEn"),
        "bedeutung": field.description,
        "bedeutung_en": field.raw["descriptionEn"],
        "pflicht": field.required,
        "trennzeichen": field.separator,
        "codeliste": field.raw.get("codeList"),
        "code": code.code if code else None,
        "bezeichnung": code.label if code else None,
        "bezeichnung_en": code.label_en if code else None,
        "definition": code.definition if code else None,
        "definition_en": code.definition_en if code else None,
        SYNTHETIC_FIELD.name: SYNTHETIC_MARK,
    }


def codebook_rows(contracts: Sequence[Contract]) -> Iterator[dict[str, Any]]:
    """A row for each column in the order of the datasets, followed by a row for each code that it may hold."""
    for contract in contracts:
        for field in contract.fields:
            yield _row(contract, field)
            yield from (_row(contract, field, code) for code in field.codes)


def write_codebook(run: Run, contracts: Sequence[Contract]) -> None:
    """Write ``codebook.csv`` and its ``.csvt`` into the package."""
    contract = published(load_contract("metadata", "codebook"), run.profile.synthetic)
    rows = list(codebook_rows(contracts))
    columns = {
        field.name: pa.array([row[field.name] for row in rows], pa.bool_() if field.type == "boolean" else pa.string())
        for field in contract.fields
    }
    write_csv(Dataset(contract, pa.table(columns), None), run.package)
