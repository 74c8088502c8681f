"""``codelisten/<list>.csv``: the code lists that published columns use, as tables of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from flows.contracts import Code, Contract, Field, code_list, load_contract
from flows.datasets import SYNTHETIC_FIELD, Dataset, published
from flows.formats.csv_file import write_csv
from flows.profile import SYNTHETIC_MARK
from flows.run import Run

FOLDER = "codelisten"
RESOURCE = "codeliste_{}"


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list in use: its entries, the contract of its table, and the columns that hold its codes."""

    name: str
    codes: tuple[Code, ...]
    contract: Contract
    uses: tuple[tuple[Contract, Field], ...]

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.name}.csv"


def _contract(name: str, codes: Sequence[Code], uses: Sequence[tuple[Contract, Field]], synthetic: bool) -> Contract:
    """The table's contract: only the extra columns that this list has, and titles from the columns that use it."""
    base = load_contract("metadata", "codeliste")
    own = ("code", "bezeichnung", "bezeichnung_en", "definition", "definition_en", *codes[0].extra)
    column = uses[0][1]
    used = ", ".join(f"{contract.name}.{field.name}" for contract, field in uses)
    word = "Spalte" if len(uses) == 1 else "Spalten"
    contract = replace(
        base,
        name=name,
        title=f"Codeliste {name} ({column.title})",
        description=f"Die Codes der {word} {used}.",
        fields=tuple(field for field in base.fields if field.name in own),
    )
    return published(contract, synthetic)


def code_lists(contracts: Sequence[Contract]) -> tuple[CodeList, ...]:
    """The code lists that columns of ``contracts`` use, in the order of their first use."""
    uses: dict[str, list[tuple[Contract, Field]]] = {}
    for contract in contracts:
        for field in contract.fields:
            if "codeList" in field.raw:
                uses.setdefault(field.raw["codeList"], []).append((contract, field))
    synthetic = any(SYNTHETIC_FIELD in contract.fields for contract in contracts)
    return tuple(
        CodeList(name, codes, _contract(name, codes, columns, synthetic), tuple(columns))
        for name, columns in uses.items()
        if (codes := code_list(name))
    )


def _cell(code: Code, field: Field) -> str | bool:
    values = {
        "code": code.code,
        "bezeichnung": code.label,
        "bezeichnung_en": code.label_en,
        "definition": code.definition,
        "definition_en": code.definition_en,
        SYNTHETIC_FIELD.name: SYNTHETIC_MARK,
    } | code.extra
    value = values[field.name]
    return value == "true" if field.type == "boolean" else value


def write_code_lists(run: Run, contracts: Sequence[Contract]) -> None:
    """Write every code list in use, with its ``.csvt``, into the package."""
    (run.package / FOLDER).mkdir(exist_ok=True)
    for item in code_lists(contracts):
        columns = {field.name: [_cell(code, field) for code in item.codes] for field in item.contract.fields}
        write_csv(Dataset(item.contract, pa.table(columns), None), run.package / FOLDER)
