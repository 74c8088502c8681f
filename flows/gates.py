"""Gates: how far a release may differ from the last one before a person must look at it (thresholds in the profile).

Learned from others' failures: rows that vanished overnight, a column of zeros, keys that all changed, half a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.compare import ColumnFigures, Comparison, DatasetFigures
from flows.errors import WrongUsage
from flows.findings import Finding
from flows.german import number
from flows.schema_change import BREAKING

REMEDY = "Bitte ansehen und mit `praevkarte approve` freigeben oder mit `praevkarte reject` verwerfen."
LIMITS = (
    "rows_lost",
    "keys_changed",
    "values_changed",
    "nulls_gained",
    "totals_moved",
    "area_lost",
    "area_moved",
    "smallest",
)


def _percent(share: float) -> str:
    if math.isinf(share):
        return "von 0 aus"
    return f"{number(round(share * 100, 1) or share * 100)} %"


@dataclass(frozen=True, slots=True)
class _Gate:
    """The gates of one dataset: shares against ``limits``, findings in the words of the operator."""

    dataset: str
    limits: Mapping[str, float]

    def share(self, gate: str, part: float, whole: float, text: str, column: str | None = None) -> Iterator[Finding]:
        """Trip when ``part`` is more of ``whole`` than allowed; something where there was nothing is more than all."""
        share = part / whole if whole else math.inf if part else 0.0
        if share > self.limits[gate]:
            limit = f"{_percent(share)}, erlaubt {_percent(self.limits[gate])}"
            yield Finding(gate, self.dataset, f"{text} ({limit}).", REMEDY, column=column)

    def count(
        self, gate: str, part: int, whole: int, rows: int, text: str, column: str | None = None
    ) -> Iterator[Finding]:
        """The same for counted rows or cells. So few as ``smallest`` never count, or every edit of a small table would
        trip; but all ``rows`` of a table at once do, from two on: a single row that changed is an edit.
        """
        if part > self.limits["smallest"] or part == rows > 1:
            yield from self.share(gate, part, whole, text, column)


def _dataset(dataset: str, figures: DatasetFigures, limits: Mapping[str, float]) -> Iterator[Finding]:
    gate = _Gate(dataset, limits)
    rows = figures.rows_old
    lost, gone, common = max(0, rows - figures.rows_new), figures.keys_gone, rows - figures.keys_gone
    if rows and not figures.rows_new:
        yield Finding("rows_lost", dataset, f"alle {number(rows)} Zeilen fehlen.", REMEDY)
    else:
        yield from gate.count("rows_lost", lost, rows, rows, f"{number(lost)} von {number(rows)} Zeilen fehlen")
        text = f"{number(gone)} von {number(rows)} Schlüsseln sind entfallen"
        yield from gate.count("keys_changed", gone, rows, rows, text)
    for column, moved in figures.columns.items():
        yield from _column(gate, column, moved, common)
    yield from gate.share("area_lost", figures.area_lost, figures.area_old, "Fläche ist verloren gegangen")
    yield from gate.share("area_moved", figures.area_moved, figures.area_old, "Grenzen haben sich verschoben")


def _column(gate: _Gate, column: str, moved: ColumnFigures, rows: int) -> Iterator[Finding]:
    filled = number(moved.filled)
    text = f"{number(moved.changed)} von {filled} Werten haben sich geändert"
    yield from gate.count("values_changed", moved.changed, moved.filled, rows, text, column)
    text = f"{number(moved.emptied)} von {filled} Werten sind jetzt leer"
    yield from gate.count("nulls_gained", moved.emptied, moved.filled, rows, text, column)
    if moved.total_old is None or moved.total_new is None:
        return
    difference = abs(moved.total_new - moved.total_old)
    if difference > gate.limits["smallest"]:
        text = f"die Summe ging von {number(moved.total_old)} auf {number(moved.total_new)}"
        yield from gate.share("totals_moved", difference, abs(moved.total_old), text, column)


def tripped(comparison: Comparison, limits: Mapping[str, float]) -> list[Finding]:
    """Every gate that trips, as findings; ``limits`` are shares (1 = all) by gate name, the profile's ``[gates]``.

    Raises ``WrongUsage`` when the profile lacks a limit.
    """
    if missing := [gate for gate in LIMITS if gate not in limits]:
        raise WrongUsage(f"Im Profil fehlt unter [gates]: {', '.join(missing)}. Bitte ergänzen.")
    findings = [
        Finding("dataset_missing", dataset, "der Datensatz fehlt in dieser Ausgabe.", REMEDY)
        for dataset in comparison.missing_datasets
    ]
    findings += [
        Finding("format_missing", file, "die Datei fehlt in dieser Ausgabe.", REMEDY)
        for file in comparison.missing_formats
    ]
    findings += [
        Finding("schema_breaking", change.dataset, f"{change.text}.", REMEDY, column=change.column)
        for change in comparison.schema
        if change.weight == BREAKING and change.dataset not in comparison.missing_datasets
    ]
    for dataset, figures in comparison.figures.items():
        findings += _dataset(dataset, figures, limits)
    return findings
