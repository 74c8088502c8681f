"""How the datasets of a release refer to each other: the contracts' foreign keys, for GeoPackage and QGIS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.datasets import Dataset


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of ``child`` name rows of ``parent``: ``columns`` of the one equal ``parent_columns`` of the other."""

    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    title: str

    @property
    def name(self) -> str:
        """A name that stays the same over releases."""
        return "_".join((self.child, *self.columns))


def relations(datasets: Sequence[Dataset]) -> list[Relation]:
    """All foreign keys among ``datasets``, in the order of the contracts.

    ``title`` is what a reader of the parent sees above the child's rows.
    """
    names = {dataset.contract.name for dataset in datasets}
    found = []
    for contract in (dataset.contract for dataset in datasets):
        titles = {field.name: field.title for field in contract.fields}
        for key in contract.raw.get("foreignKeys", ()):
            columns = tuple(key["fields"])
            # Table Schema: an empty resource name means the table itself.
            parent = key["reference"]["resource"] or contract.name
            own = f"{contract.title} ({titles[columns[0]]})" if parent == contract.name else contract.title
            if parent in names:
                found.append(Relation(contract.name, columns, parent, tuple(key["reference"]["fields"]), own))
    return found
