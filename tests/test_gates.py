"""What keeps a release back for a person to look at: the failures of others, each as a counterexample; and what does
not: a day's ordinary work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from comparing import LIMITS, TOWNS, Row, Table, Tables, compared, square, towns
from operating import FIRST, HELD, SECOND

from flows.compare import compare
from flows.contracts import release_contracts
from flows.errors import WrongUsage
from flows.gates import tripped
from flows.store import HELD_REPORT

pytest_plugins = ["places"]


def gates(folder: Path, old: Table | Tables, new: Table | Tables) -> dict[tuple[str, str | None], str]:
    """What trips between two releases: gate and column, with the message."""
    return {(one.check, one.column): str(one) for one in tripped(compared(folder, old, new), LIMITS)}


def every(value: str, column: str, step: int = 1) -> Callable[[int, Row], Row]:
    """A column set to one value in every ``step``-th row."""
    return lambda number, row: row | {column: value} if number % step == 0 else row


# --- the failures of others ----------------------------------------------------------------------------------------


def test_rows_that_vanished_overnight(tmp_path: Path) -> None:
    """RKI, COVID-19_7-Tage-Inzidenz_in_Deutschland, issue 58: millions of cases gone, unannounced."""
    found = gates(tmp_path, towns(), towns().size(TOWNS - 20))

    assert found[("rows_lost", None)].startswith("orte: 20 von 200 Zeilen fehlen (10 %, erlaubt 5 %).")
    assert ("keys_changed", None) in found


def test_a_zeroed_column(tmp_path: Path) -> None:
    """RKI, issue 13: all values zero."""
    found = gates(tmp_path, towns(), towns().with_rows(every("0", "einwohner")))

    assert "200 von 200 Werten haben sich geändert (100 %, erlaubt 50 %)" in found[("values_changed", "einwohner")]
    assert "die Summe ging von 936.300 auf 0 (100 %, erlaubt 20 %)" in found[("totals_moved", "einwohner")]


def test_a_zeroed_column_that_was_mostly_zero(tmp_path: Path) -> None:
    """Ten of 200 towns have a committee: their loss changes 5 % of the cells, but all of the sum."""
    found = gates(tmp_path, towns(), towns().with_rows(every("0", "gremien")))

    assert set(found) == {("totals_moved", "gremien")}


def test_all_keys_changed(tmp_path: Path) -> None:
    """Overture Maps, September 2026: as many rows as before, every id another."""
    new = towns().with_rows(lambda number, row: row | {"ags": f"17{number:06d}"})
    new = replace(new, shapes={row["ags"]: square(number) for number, row in enumerate(new.rows)})

    found = gates(tmp_path, towns(), new)

    assert set(found) == {("keys_changed", None), ("area_moved", None)}
    assert "200 von 200 Schlüsseln sind entfallen (100 %, erlaubt 5 %)" in found[("keys_changed", None)]


def test_half_a_table(tmp_path: Path) -> None:
    found = gates(tmp_path, towns(), towns().size(TOWNS // 2))

    assert {("rows_lost", None), ("keys_changed", None), ("area_lost", None)} <= set(found)


def test_an_empty_table(tmp_path: Path) -> None:
    for rows in (1, 2, TOWNS):
        found = gates(tmp_path, towns().size(rows), towns().size(0))
        assert f"alle {rows} Zeilen fehlen." in found[("rows_lost", None)]


def test_reordered_columns(tmp_path: Path) -> None:
    """Who reads a CSV by position gets another column."""
    names = [one["name"] for one in towns().fields]
    found = gates(tmp_path, towns(), towns().with_columns([names[0], names[2], names[1], *names[3:]]))

    assert set(found) == {("schema_breaking", None)}
    assert "Reihenfolge der Spalten geändert" in found[("schema_breaking", None)]


def test_a_lost_polygon(tmp_path: Path) -> None:
    """One town of 200: too few rows to count, but its land is missing on the map."""
    found = gates(tmp_path, towns(), towns().size(TOWNS - 1))

    assert set(found) == {("area_lost", None)}
    assert "Fläche ist verloren gegangen (0,5 %, erlaubt 0,001 %)" in found[("area_lost", None)]


def test_a_lost_polygon_whose_row_is_still_there(tmp_path: Path) -> None:
    shapes = {key: shape for key, shape in (towns().shapes or {}).items() if key != "16000005"}
    assert ("area_lost", None) in gates(tmp_path, towns(), replace(towns(), shapes=shapes))


def test_values_that_became_empty(tmp_path: Path) -> None:
    found = gates(tmp_path, towns(), towns().with_rows(every("", "status", step=9)))

    assert set(found) == {("nulls_gained", "status")}
    assert "23 von 200 Werten sind jetzt leer (11,5 %, erlaubt 10 %)" in found[("nulls_gained", "status")]


def test_a_sparse_column_that_was_emptied(tmp_path: Path) -> None:
    """Ten of 200 rows had a value: 5 % of the rows, but all of the values."""
    found = gates(tmp_path, towns(), towns().with_rows(every("", "vorsitz")))

    assert set(found) == {("nulls_gained", "vorsitz")}


def test_a_sparse_column_whose_values_all_changed(tmp_path: Path) -> None:
    new = towns().with_rows(lambda _, row: row | {"vorsitz": row["vorsitz"] and "landrat"})

    assert set(gates(tmp_path, towns(), new)) == {("values_changed", "vorsitz")}


def test_a_sum_that_moved(tmp_path: Path) -> None:
    """A slipped decimal point in one cell."""
    new = towns().with_rows(lambda n, row: row | {"einwohner": row["einwohner"] + "00"} if n == 199 else row)

    found = gates(tmp_path, towns(), new)

    assert set(found) == {("totals_moved", "einwohner")}


def test_a_sum_that_was_nothing(tmp_path: Path) -> None:
    old = towns().with_rows(every("0", "gremien"))

    found = gates(tmp_path, old, towns())

    assert "die Summe ging von 0 auf 10 (von 0 aus, erlaubt 20 %)" in found[("totals_moved", "gremien")]


def test_borders_that_moved(tmp_path: Path) -> None:
    new = towns().with_shapes(lambda number, _: square(number, 0.0002))

    found = gates(tmp_path, towns(), new)

    assert {("area_moved", None), ("values_changed", "geometrie")} == set(found)


def test_points_that_all_moved(tmp_path: Path) -> None:
    points = towns().with_shapes(lambda number, _: {"type": "Point", "coordinates": [10 + number / 1000, 50]})
    moved = points.with_shapes(lambda number, _: {"type": "Point", "coordinates": [50, 10 + number / 1000]})

    assert set(gates(tmp_path, points, moved)) == {("values_changed", "geometrie")}


def test_a_dataset_that_is_missing(tmp_path: Path) -> None:
    old = Tables((towns(), replace(towns(), name="kreise", shapes=None)))

    found = [str(one) for one in tripped(compared(tmp_path, old, towns()), LIMITS)]

    assert len(found) == 1
    assert found[0].startswith("kreise: der Datensatz fehlt in dieser Ausgabe.")


def test_a_format_that_is_missing(tmp_path: Path) -> None:
    old = Tables((towns(),), more=("praeventionskarte.gpkg",))

    found = [str(one) for one in tripped(compared(tmp_path, old, towns()), LIMITS)]

    assert len(found) == 1
    assert found[0].startswith("praeventionskarte.gpkg: die Datei fehlt in dieser Ausgabe.")


# --- an ordinary day -----------------------------------------------------------------------------------------------


def edit(**values: str) -> Callable[[int, Row], Row]:
    """Values of the first three rows."""
    return lambda number, row: row | values if number < 3 else row


def without_the_last(number: int, row: Row) -> Row | None:
    return row if number < TOWNS - 1 else None


def with_one_more(table: Table) -> Table:
    return replace(table, rows=(*table.rows, table.rows[0] | {"ags": "16999999"}))


ORDINARY: dict[str, Callable[[Table], Table]] = {
    "nothing": lambda table: table,
    "one row more": with_one_more,
    "one row less": lambda table: replace(table, shapes=None).with_rows(without_the_last),
    "a status": lambda table: table.with_rows(edit(status="ruhend")),
    "three values emptied": lambda table: table.with_rows(edit(vorsitz="", status="")),
    "a committee in three towns": lambda table: table.with_rows(edit(gremien="1")),
    "a new column at the end": lambda table: table.with_columns([*(one["name"] for one in table.fields), "neu"]),
    "a column filled": lambda table: table.with_rows(every("buergermeister", "vorsitz")),
    "a new code": lambda table: table.with_field(
        "status", categories=[*table.fields[-1]["categories"], {"value": "geplant", "label": "Geplant"}]
    ),
    "a description": lambda table: table.with_field("status", description="Anders gesagt"),
}


@pytest.mark.parametrize("change", ORDINARY.values(), ids=ORDINARY.keys())
def test_an_ordinary_change_does_not_trip(tmp_path: Path, change: Callable[[Table], Table]) -> None:
    old = replace(towns(), shapes=None)
    assert gates(tmp_path, old, change(old)) == {}


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 10])
def test_in_a_small_table_an_edit_does_not_trip(tmp_path: Path, rows: int) -> None:
    """A row of a table of one changed wholly, of a larger one in part: that is what editing looks like."""
    old = replace(towns().size(rows), shapes=None)
    one = old.with_rows(lambda number, row: row | {"status": "geplant", "einwohner": "1"} if number == 0 else row)

    assert {check for check, _ in gates(tmp_path, old, one)} <= {"totals_moved"}
    if rows > 2:
        assert gates(tmp_path, old, old.size(rows - 1)) == {}


@pytest.mark.parametrize("rows", [2, 3])
def test_a_small_table_that_changed_as_a_whole_trips(tmp_path: Path, rows: int) -> None:
    old = replace(towns().size(rows), shapes=None)
    keys = old.with_rows(lambda number, row: row | {"ags": f"17{number:06d}"})

    assert {check for check, _ in gates(tmp_path, old, keys)} == {"keys_changed"}
    assert gates(tmp_path, old, old.with_rows(every("geplant", "status"))).keys() == {("values_changed", "status")}
    assert gates(tmp_path, old, old.with_rows(every("", "status"))).keys() == {("nulls_gained", "status")}


def test_one_committee_more_and_one_status_changed_does_not_trip_in_kleinland(history: dict[str, Path]) -> None:
    folders = [history[SECOND] / "releases" / one for one in (FIRST, SECOND)]
    labels = {contract.name: contract.label for contract in release_contracts()}

    comparison = compare(*folders, labels)

    assert comparison.changes
    assert tripped(comparison, LIMITS) == []


def test_vanished_committees_trip_in_kleinland(history: dict[str, Path]) -> None:
    report = (history[HELD] / "held" / HELD / HELD_REPORT).read_text(encoding="utf-8")

    assert "- gremien: 5 von 7 Zeilen fehlen (71,4 %, erlaubt 5 %).\n" in report
    assert "- land, Spalte „gremien_bekannt“: die Summe ging von 7 auf 2 (71,4 %, erlaubt 20 %).\n" in report


# --- thresholds ----------------------------------------------------------------------------------------------------


def test_a_threshold_is_what_may_still_be(tmp_path: Path) -> None:
    """Exactly the allowed share does not trip, one row more does."""
    old = replace(towns(), shapes=None)

    assert gates(tmp_path, old, old.size(TOWNS - 10)) == {}
    assert ("rows_lost", None) in gates(tmp_path, old, old.size(TOWNS - 11))


def test_a_missing_threshold_is_named(tmp_path: Path) -> None:
    limits = {gate: limit for gate, limit in LIMITS.items() if gate != "area_lost"}
    with pytest.raises(WrongUsage, match=r"unter \[gates\]: area_lost"):
        tripped(compared(tmp_path, towns(), towns()), limits)
