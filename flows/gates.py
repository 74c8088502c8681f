"""Gates: how far a release may differ from the last one before a person must look at it (thresholds in the profile).

Learned from others' failures: rows that vanished overnight, a column of zeros, keys that all changed, half a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flows.compare import Comparison, DatasetFigures
from flows.findings import Finding
from flows.german import number

REMEDY = "Bitte ansehen und mit `praevkarte approve` freigeben oder mit `praevkarte reject` verwerfen."


def _percent(share: float) -> str:
    return f"{number(round(share * 100, 1))} %"


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _dataset(dataset: str, figures: DatasetFigures, limits: Mapping[str, float]) -> Iterator[Finding]:
    def trip(gate: str, part: float, whole: float, text: str, column: str | None = None) -> Iterator[Finding]:
        share = _share(part, whole)
        if share > limits[gate]:
            limit = f"{_percent(share)}, erlaubt {_percent(limits[gate])}"
            yield Finding(gate, dataset, f"{text} ({limit}).", REMEDY, column=column)

    def count(gate: str, part: int, whole: int, text: str, column: str | None = None) -> Iterator[Finding]:
        if part > limits["smallest"] or part == whole > 1:
            yield from trip(gate, part, whole, text, column)

    lost, rows = max(0, figures.rows_old - figures.rows_new), figures.rows_old
    yield from count("rows_lost", lost, rows, f"{number(lost)} von {number(rows)} Zeilen fehlen")
    gone = figures.keys_gone
    yield from count("keys_changed", gone, rows, f"{number(gone)} von {number(rows)} Schlüsseln sind entfallen")
    for column, moved in figures.columns.items():
        changed, emptied = moved.changed, moved.nulls_gained
        whole = moved.compared
        yield from count("values_changed", changed, whole, f"{number(changed)} Werte haben sich geändert", column)
        yield from count("nulls_gained", emptied, whole, f"{number(emptied)} Werte sind jetzt leer", column)
        if moved.total_old is not None and moved.total_new is not None and changed > limits["smallest"]:
            difference = abs(moved.total_new - moved.total_old)
            text = f"die Summe ging von {number(moved.total_old)} auf {number(moved.total_new)}"
            yield from trip("totals_moved", difference, abs(moved.total_old), text, column)
    yield from trip("area_lost", figures.area_lost, figures.area_old, "Fläche ist verloren gegangen")
    yield from trip("area_moved", figures.area_moved, figures.area_old, "Grenzen haben sich verschoben")


def tripped(comparison: Comparison, limits: Mapping[str, float]) -> list[Finding]:
    """Every gate that trips, as findings; ``limits`` are shares (1 = all) by gate name, the profile's ``[gates]``."""
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
        if change.weight == "breaking"
    ]
    for dataset, figures in comparison.figures.items():
        findings += _dataset(dataset, figures, limits)
    return findings
