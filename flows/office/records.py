"""The office's records as rows of tables: as they came, and as the latest release has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator

from flows.archive import kept_input
from flows.contracts import load_contract
from flows.findings import Finding
from flows.run import Run
from flows.store import provenance_of
from flows.tables import Table, read_cells

# Parts of a record that lie in a dataset of their own: the dataset that names the record, and the column with its key.
BELONGS = {"evidence": ("committees", "gremium_id")}

Record = tuple[str, str]
"""A record by the dataset that names it, and its key there."""
Row = dict[str, str | None]
"""A row of a table by column."""


class Impossible(Exception):
    """Why records cannot be set aside although each of them might; the message and what to do are the operator's
    (German), ``source`` is the file that it is about, where it is one.
    """

    def __init__(
        self, message: str, source: str | None = None, remedy: str = "Bitte die Einträge berichtigen."
    ) -> None:
        self.source, self.remedy = source, remedy
        super().__init__(message)


def kind_of(dataset: str) -> str:
    """The dataset that names the record of which a row is part."""
    return BELONGS[dataset][0] if dataset in BELONGS else dataset


def record_column(dataset: str) -> str:
    """The column that holds the key of the record."""
    return BELONGS[dataset][1] if dataset in BELONGS else load_contract("input", dataset).primary_key[0]


def _rows(table: Table) -> Iterator[Row]:
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


class Material:
    """What setting aside works with: the tables as they came and those of the latest release, of datasets with records.

    ``rows`` are the office's by dataset and line, ``published`` the latest release's by dataset, ``published_keys`` its
    records, and ``owners`` says which record a part with a key belonged to then: a misspelt reference still tells. So
    ``few`` records never count as most of a file, as with the gates.
    """

    def __init__(self, run: Run) -> None:
        self.sources = {
            source.dataset: source for source in run.profile.sources if source.dataset in run.profile.set_aside
        }
        self.few = run.profile.gates["smallest"]
        self.labels = {source.label: dataset for dataset, source in self.sources.items()}
        self.rows: dict[str, dict[int, Row]] = {}
        for dataset, source in self.sources.items():
            table = read_cells(run.original(source), source.sheet, source.label)
            self.rows[dataset] = dict(zip(table.lines, _rows(table), strict=True))
        self.published = {dataset: list(_rows(table)) for dataset, table in _published_tables(run, self.sources)}
        self.published_keys: set[Record] = set()
        self.owners: dict[tuple[str, str], str] = {}
        for dataset, rows in self.published.items():
            own = load_contract("input", dataset).primary_key[0]
            for row in rows:
                key, record = row.get(own), row.get(record_column(dataset))
                if dataset not in BELONGS and record:
                    self.published_keys.add((dataset, record))
                elif key and record:
                    self.owners[dataset, key] = record

    def holds(self, finding: Finding) -> bool:
        """Whether a finding lies in a line of the office's, and not in one of the latest release."""
        return finding.row in self.rows[self.labels[finding.source]]

    def former_owner(self, dataset: str, row: Row) -> str | None:
        """The record that a part belonged to in the latest release, by the part's own key."""
        key = row.get(load_contract("input", dataset).primary_key[0])
        return self.owners.get((dataset, key)) if key else None

    def owners_of(self, dataset: str, row: Row) -> set[Record]:
        """The records of which a row is part: that of its key, and the one it belonged to before."""
        keys = {row.get(record_column(dataset)), self.former_owner(dataset, row)}
        return {(kind_of(dataset), key) for key in keys if key}

    def nameless(self, dataset: str, lines: Iterable[int]) -> list[int]:
        """Those of the lines that name no record which anyone knows: none of the latest release and, of a part, none of
        the office's. Such a line is a new record, or a known one whose key is misspelt.
        """
        known = set(self.published_keys)
        if dataset in BELONGS:
            kind, _ = BELONGS[dataset]
            column = record_column(kind)
            known |= {(kind, row[column] or "") for row in self.rows.get(kind, {}).values()}
        return [line for line in lines if not self.owners_of(dataset, self.rows[dataset][line]) & known]

    def missing(self, dataset: str) -> list[Record]:
        """The published records of which the office's table lacks a row, once for every such row."""
        own = load_contract("input", dataset).primary_key[0]
        there = {row.get(own) for row in self.rows[dataset].values()}
        rows = (row for row in self.published.get(dataset, ()) if row[own] not in there)
        return [(kind_of(dataset), row[record_column(dataset)] or "") for row in rows]


def _published_tables(run: Run, sources: Iterable[str]) -> Iterator[tuple[str, Table]]:
    """The inputs of the latest release as they were kept; raises ``Impossible`` when one is not there any more."""
    latest = run.store.target.pointer()
    if latest is None:
        return
    for record in provenance_of(run.store, latest)["quellen"]:
        dataset = record["datensatz"]
        if dataset not in sources:
            continue
        kept = kept_input(run.store, record["sha256"])
        if kept is None:
            raise Impossible(
                f"der zuletzt veröffentlichte Stand von {record['datei']} ({latest}) ist nicht mehr aufbewahrt; "
                "fehlerhafte Einträge lassen sich deshalb nicht zurückstellen."
            )
        copy = run.work / "published" / record["datei"]
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(kept, copy)
        yield dataset, read_cells(copy, record["blatt"], record["datei"])


def _targets(material: Material, finding: Finding) -> Iterator[tuple[str, str]]:
    """The datasets with records, and their columns, to which the column of a finding refers."""
    dataset = material.labels[finding.source]
    for reference in load_contract("input", dataset).raw.get("foreignKeys", []):
        target = reference["reference"]["resource"] or dataset
        if reference["fields"] == [finding.column] and target in material.rows:
            yield target, reference["reference"]["fields"][0]


def referred(material: Material, finding: Finding) -> Record | None:
    """The office's record to which a restored row refers in the column of a finding."""
    for target, column in _targets(material, finding):
        if any(row[column] == finding.value for row in material.rows[target].values()):
            return kind_of(target), str(finding.value)
    return None


def deleted(material: Material, finding: Finding) -> str | None:
    """The file from which the office took out the published record to which the column of a finding refers."""
    for target, column in _targets(material, finding):
        there = any(row[column] == finding.value for row in material.rows[target].values())
        if not there and (kind_of(target), finding.value) in material.published_keys:
            return material.sources[target].label
    return None
