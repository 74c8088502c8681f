"""``changes.csv`` and ``CHANGES.md``: what is new against the previous release, by key and in plain German."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from flows.compare import CHANGED, GONE, NEW, Change, Comparison
from flows.contracts import load_contract
from flows.datasets import Dataset, published
from flows.formats.csv_file import write_csv
from flows.german import day as german_day
from flows.german import number
from flows.profile import SYNTHETIC_MARK
from flows.schema_change import WEIGHTS

TABLE = "changes.csv"
TEXT = "CHANGES.md"
# The files that are emptied when the release they compare with is withdrawn.
PURGED = (TABLE, f"{TABLE}t", TEXT)
NO_PREVIOUS = "Es gibt keine frühere Ausgabe, mit der diese verglichen wurde."
# So many rows of a kind are named in the text; the rest stands in the table.
NAMED = 10
# So many changed columns of a row are named.
COLUMNS = 3
ISO_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")
# Truth rule: what our data say is not what happened out there.
READING = (
    "„Neu“ und „entfallen“ sprechen von Zeilen dieser Daten: Neu heißt nicht neu gegründet, entfallen heißt nicht "
    "aufgelöst."
)


def write_table(folder: Path, changes: tuple[Change, ...], synthetic: bool) -> None:
    """Write ``changes.csv`` (columns of the contract ``metadata/changes``) and its ``.csvt`` to ``folder``."""
    contract = published(load_contract("metadata", "changes"), synthetic)
    rows = [
        (one.dataset, one.key, one.kind, one.column, one.old, one.new, *((SYNTHETIC_MARK,) if synthetic else ()))
        for one in changes
    ]
    columns = [pa.array([row[i] for row in rows], pa.string()) for i in range(len(contract.fields))]
    write_csv(Dataset(contract, pa.table(columns, names=list(contract.column_names)), None), folder)


# --- text ----------------------------------------------------------------------------------------------------------


def _named(names: list[str]) -> str:
    shown = "; ".join(names[:NAMED])
    return f"{shown} und {number(len(names) - NAMED)} weitere" if len(names) > NAMED else shown


def _label(comparison: Comparison, dataset: str, key: str) -> str:
    """A row as people know it: its name, in brackets what tells it from others, or its key where it has no name."""
    first, *rest = comparison.labels.get(dataset, {}).get(key) or (key,)
    rest = [german_day(value) if ISO_DATE.fullmatch(value) else value for value in rest]
    return f"„{first}“ ({', '.join(rest)})" if rest else f"„{first}“"


def _columns(titles: list[str]) -> str:
    if len(titles) <= COLUMNS + 1:
        return ", ".join(titles)
    return f"{', '.join(titles[:COLUMNS])} und {number(len(titles) - COLUMNS)} weitere Angaben"


def _changed(comparison: Comparison, dataset: str, changes: list[Change]) -> list[str]:
    """The changed rows with the titles of the columns that changed."""
    titles = comparison.columns.get(dataset, {})
    columns: dict[str, list[str]] = {}
    for change in changes:
        if change.kind == CHANGED and change.column:
            columns.setdefault(change.key, []).append(titles.get(change.column, change.column))
    return [f"{_label(comparison, dataset, key)}: {_columns(found)}" for key, found in columns.items()]


def _dataset_line(comparison: Comparison, dataset: str, title: str, changes: list[Change]) -> str:
    come, gone = (
        [_label(comparison, dataset, change.key) for change in changes if change.kind == kind] for kind in (NEW, GONE)
    )
    changed = _changed(comparison, dataset, changes)
    parts = [
        f"{number(len(names))} {word}: {_named(names)}"
        for names, word in ((come, "neu"), (changed, "geändert"), (gone, "entfallen"))
        if names
    ]
    if not gone:
        parts.append("Keine Zeile entfallen")
    return f"- **{title}:** {'. '.join(parts)}."


def _rows_text(comparison: Comparison, titles: Mapping[str, str]) -> str:
    by_dataset: dict[str, list[Change]] = {}
    for change in comparison.changes:
        if change.key:
            by_dataset.setdefault(change.dataset, []).append(change)
    lines = [
        _dataset_line(comparison, dataset, title, by_dataset[dataset])
        for dataset, title in titles.items()
        if dataset in by_dataset
    ]
    lines += [f"- **{dataset}:** Der Datensatz ist entfallen." for dataset in comparison.missing_datasets]
    incomparable = [title for dataset, title in titles.items() if dataset not in comparison.figures]
    same = [title for dataset, title in titles.items() if dataset in comparison.figures and dataset not in by_dataset]
    text = "\n".join(lines) + "\n" if lines else ""
    if same:
        text += f"\nUnverändert: {', '.join(same)}.\n" if lines else "Kein Wert hat sich geändert.\n"
    if incomparable:
        text += f"\nNicht Zeile für Zeile vergleichbar (neu oder mit anderem Schlüssel): {', '.join(incomparable)}.\n"
    if lines:
        text += f"\n{READING} Alle Einzelheiten stehen in `{TABLE}`.\n"
    return text


def _schema_text(comparison: Comparison, version: str) -> str:
    if not comparison.schema:
        return ""
    lines = [
        f"- {change.dataset}{f', {change.column}' if change.column else ''}: {change.text} ({WEIGHTS[change.weight]})."
        for change in comparison.schema
    ]
    return f"\n## Spalten (Schema {version})\n\n" + "\n".join(lines) + "\n"


def changes_text(
    comparison: Comparison | None, release_id: str, titles: Mapping[str, str], version: str, synthetic: bool
) -> str:
    """``CHANGES.md``; ``titles`` are the datasets of this release in their order, ``version`` is their schema's."""
    head = f"# Änderungen in Ausgabe {release_id}\n\n" + (f"{SYNTHETIC_MARK}.\n\n" if synthetic else "")
    if comparison is None:
        return f"{head}{NO_PREVIOUS}\n"
    head += f"Verglichen mit Ausgabe {comparison.previous}.\n\n"
    return head + _rows_text(comparison, titles) + _schema_text(comparison, version)


def write_changes(
    comparison: Comparison | None,
    folder: Path,
    release_id: str,
    titles: Mapping[str, str],
    version: str,
    synthetic: bool,
) -> None:
    """Write table and text to ``folder``; without a previous release the table has only its header."""
    write_table(folder, comparison.changes if comparison else (), synthetic)
    text = changes_text(comparison, release_id, titles, version, synthetic)
    (folder / TEXT).write_text(text, encoding="utf-8")


def purge_comparison(folder: Path, withdrawn: str, reason: str, day: str, synthetic: bool) -> list[str]:
    """Empty the comparison with a withdrawn release, which repeats its values, and say so in its place.

    Returns the names of the files that are different now; the manifest is the caller's.
    """
    for name in PURGED:
        (folder / name).unlink(missing_ok=True)
    write_table(folder, (), synthetic)
    mark = f"{SYNTHETIC_MARK}.\n\n" if synthetic else ""
    (folder / TEXT).write_text(
        f"# Änderungen\n\n{mark}Der Vergleich mit Ausgabe {withdrawn} wurde entfernt, weil sie am {german_day(day)} "
        f"zurückgezogen wurde. Grund: {reason}\n",
        encoding="utf-8",
    )
    return list(PURGED)
