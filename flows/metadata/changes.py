"""``changes.csv`` and ``CHANGES.md``: what is new against the previous release, by key and in plain German."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.checksums import write_manifest
from flows.compare import CHANGED, GONE, NEW, Comparison
from flows.german import day as german_day
from flows.german import number

TABLE = "changes.csv"
TEXT = "CHANGES.md"
HEADER = ("datensatz", "schluessel", "art", "spalte", "alt", "neu")
# So many keys of a dataset are named in the text; the rest stands in the table.
NAMED = 10


def _table(rows: Sequence[tuple[str | None, ...]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([value or "" for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8")


def _named(keys: list[str]) -> str:
    shown = ", ".join(keys[:NAMED])
    return f"{shown} und {number(len(keys) - NAMED)} weitere" if len(keys) > NAMED else shown


def _dataset_lines(comparison: Comparison, dataset: str, title: str) -> str:
    changes = [change for change in comparison.changes if change.dataset == dataset and change.key]
    keys = {kind: sorted({change.key for change in changes if change.kind == kind}) for kind in (NEW, CHANGED, GONE)}
    if not changes:
        return f"- **{title}:** unverändert."
    words = ((NEW, "neu"), (CHANGED, "geändert"), (GONE, "entfallen"))
    parts = [f"{number(len(keys[kind]))} {word} ({_named(keys[kind])})" for kind, word in words if keys[kind]]
    if not keys[GONE]:
        parts.append("keine Zeile entfallen")
    columns = Counter(change.column for change in changes if change.kind == CHANGED and change.column)
    text = f"- **{title}:** {'; '.join(parts)}."
    if columns:
        text += " Geänderte Spalten: " + ", ".join(f"{name} ({number(n)})" for name, n in sorted(columns.items())) + "."
    return text


def changes_text(comparison: Comparison | None, release_id: str, titles: Mapping[str, str], version: str) -> str:
    """``CHANGES.md``; ``titles`` are the datasets of this release in their order."""
    head = f"# Änderungen in Ausgabe {release_id}\n\n"
    if comparison is None:
        return head + "Dies ist die erste Ausgabe; es gibt keine frühere zum Vergleich.\n"
    lines = [_dataset_lines(comparison, dataset, title) for dataset, title in titles.items()]
    lines += [f"- **{dataset}:** der Datensatz ist entfallen." for dataset in comparison.missing_datasets]
    text = f"{head}Verglichen mit Ausgabe {comparison.previous}. Alle Einzelheiten stehen in `{TABLE}`.\n\n"
    text += "\n".join(lines) + "\n"
    if comparison.schema:
        text += f"\n## Spalten (Schema {version})\n\n"
        text += "\n".join(
            f"- {change.dataset}{f', {change.column}' if change.column else ''}: {change.text}."
            for change in comparison.schema
        )
        text += "\n"
    return text


def write_changes(
    comparison: Comparison | None, folder: Path, release_id: str, titles: Mapping[str, str], version: str
) -> None:
    """Write both files to ``folder``; without a previous release the table has only its header."""
    changes = comparison.changes if comparison else ()
    rows = [(c.dataset, c.key, c.kind, c.column, c.old, c.new) for c in changes]
    (folder / TABLE).write_bytes(_table(rows))
    (folder / TEXT).write_text(changes_text(comparison, release_id, titles, version), encoding="utf-8")


def purge_comparison(folder: Path, withdrawn: str, reason: str, day: str) -> None:
    """Empty the comparison with a withdrawn release, which repeats its values, and say so in its place."""
    for name in (TABLE, TEXT):
        (folder / name).unlink(missing_ok=True)
    (folder / TABLE).write_bytes(_table([]))
    (folder / TEXT).write_text(
        f"# Änderungen\n\nDer Vergleich mit Ausgabe {withdrawn} wurde entfernt, weil sie am {german_day(day)} "
        f"zurückgezogen wurde. Grund: {reason}\n",
        encoding="utf-8",
    )
    (folder / "SHA256SUMS").unlink()
    write_manifest(folder)
