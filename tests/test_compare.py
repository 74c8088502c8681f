"""The comparison of two releases: every row and cell that differs, and nothing else, in a table and in words."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from comparing import FIELDS, TOWNS, Row, Table, Tables, compared, square, towns
from operating import FIRST, SECOND

from flows.compare import SHAPE, Change, compare
from flows.contracts import load_contract, release_contracts
from flows.metadata.changes import READING, changes_text, write_changes
from flows.profile import SYNTHETIC_MARK

pytest_plugins = ["places"]

TITLES = {"orte": "Orte"}


def changed(number: int, row: Row, **values: str) -> Row:
    return row | values if number == 5 else row


def test_a_release_equals_itself(tmp_path: Path) -> None:
    comparison = compared(tmp_path, towns(), towns())

    assert comparison.changes == ()
    assert comparison.figures["orte"].rows_old == comparison.figures["orte"].rows_new == TOWNS


def test_every_row_of_a_table_is_read(tmp_path: Path) -> None:
    """Cells with commas, quotes and line breaks included; a reader that finds no row would find no change either."""
    comparison = compared(tmp_path, towns(), towns().with_rows(lambda _, row: row | {"status": "aktiv"}))

    assert sum(change.kind == "geaendert" for change in comparison.changes) == TOWNS // 2


def test_rows_that_came_and_went_and_cells_that_changed(tmp_path: Path) -> None:
    new = towns().with_rows(
        lambda number, row: None if number == 0 else changed(number, row, einwohner="", status="ruhend")
    )
    new = replace(new, rows=(*new.rows, {"ags": "16999999", "name": "Neu"}))

    comparison = compared(tmp_path, towns(), new)

    assert comparison.changes == (
        Change("orte", "16000000", "entfallen"),
        Change("orte", "16000005", "geaendert", "einwohner", "1185", None),
        Change("orte", "16000005", "geaendert", "status", "aktiv", "ruhend"),
        Change("orte", "16999999", "neu"),
    )


def test_the_figures_of_a_column(tmp_path: Path) -> None:
    def edit(number: int, row: Row) -> Row:
        if number == 20:
            return row | {"vorsitz": "landrat"}
        if number == 40:
            return row | {"vorsitz": "", "gremien": ""}
        return row | {"vorsitz": "buergermeister"} if number == 1 else row

    figures = compared(tmp_path, towns(), towns().with_rows(edit)).figures["orte"].columns

    assert (figures["vorsitz"].filled, figures["vorsitz"].changed, figures["vorsitz"].emptied) == (10, 1, 1)
    assert figures["vorsitz"].total_old is None
    # Totals are over the cells that have a value in both.
    assert (figures["gremien"].total_old, figures["gremien"].total_new) == (9, 9)


def test_a_key_of_several_columns_is_joined(tmp_path: Path) -> None:
    old = replace(towns(), key=("ags", "status"), shapes=None)
    new = old.with_rows(lambda number, row: changed(number, row, status="ruhend"))

    assert compared(tmp_path, old, new).changes == (
        Change("orte", "16000005;aktiv", "entfallen"),
        Change("orte", "16000005;ruhend", "neu"),
    )


def test_a_table_that_was_empty(tmp_path: Path) -> None:
    empty = replace(towns().size(0), shapes=None)
    full = replace(towns().size(2), shapes=None)

    assert [change.kind for change in compared(tmp_path, empty, full).changes] == ["neu", "neu"]
    assert [change.kind for change in compared(tmp_path, full, empty).changes] == ["entfallen", "entfallen"]
    assert compared(tmp_path, empty, empty).changes == ()


def test_a_number_that_became_text_is_compared_as_text(tmp_path: Path) -> None:
    new = towns().with_field("einwohner", type="string").with_rows(lambda n, row: changed(n, row, einwohner="viele"))

    comparison = compared(tmp_path, towns(), new)

    assert Change("orte", "16000005", "geaendert", "einwohner", "1185", "viele") in comparison.changes
    assert comparison.figures["orte"].columns["einwohner"].total_old is None


def test_another_key_is_a_change_of_the_schema(tmp_path: Path) -> None:
    comparison = compared(tmp_path, towns(), replace(towns(), key=("name",)))

    assert comparison.figures == {}
    assert comparison.changes == (Change("orte", "", "schema", None, None, "Schlüssel geändert"),)


def test_datasets_and_files_that_are_missing(tmp_path: Path) -> None:
    other = replace(towns(), name="kreise")
    old = Tables((towns(), other), more=("praeventionskarte.gpkg",))

    comparison = compared(tmp_path, old, Tables((replace(towns(), shapes=None),)))

    assert comparison.missing_datasets == ("kreise",)
    # The files of a dataset that is gone are gone with it and not named once more.
    assert comparison.missing_formats == ("orte.geojson", "praeventionskarte.gpkg")


# --- shapes --------------------------------------------------------------------------------------------------------


def test_a_shape_that_moved_is_a_changed_cell(tmp_path: Path) -> None:
    new = towns().with_shapes(lambda number, shape: square(number, 0.002) if number == 5 else shape)

    comparison = compared(tmp_path, towns(), new)
    figures = comparison.figures["orte"]

    assert comparison.changes == (Change("orte", "16000005", "geaendert", SHAPE),)
    assert (figures.columns[SHAPE].filled, figures.columns[SHAPE].changed) == (TOWNS, 1)
    one = figures.area_old / TOWNS
    assert figures.area_moved == pytest.approx(0.4 * one, rel=0.01)
    assert figures.area_lost == pytest.approx(0.0, abs=one / 1000)


def test_areas_are_in_square_metres(tmp_path: Path) -> None:
    """A hundredth of a degree at 50° north is about 717 m by 1112 m."""
    new = towns().with_shapes(lambda number, shape: square(number, 0.002) if number == 5 else shape)

    assert compared(tmp_path, towns(), new).figures["orte"].area_old == pytest.approx(TOWNS * 717 * 1112, rel=0.01)


def test_a_polygon_that_went_with_its_row_is_lost_area(tmp_path: Path) -> None:
    figures = compared(tmp_path, towns(), towns().size(TOWNS - 1)).figures["orte"]

    assert figures.area_lost == pytest.approx(figures.area_old / TOWNS, rel=0.01)
    assert SHAPE in figures.columns
    assert figures.columns[SHAPE].emptied == 0


def test_a_polygon_that_went_without_its_row_is_an_emptied_cell(tmp_path: Path) -> None:
    shapes = {key: shape for key, shape in (towns().shapes or {}).items() if key != "16000005"}

    comparison = compared(tmp_path, towns(), replace(towns(), shapes=shapes))

    assert comparison.changes == (Change("orte", "16000005", "geaendert", SHAPE),)
    assert comparison.figures["orte"].columns[SHAPE].emptied == 1
    assert comparison.figures["orte"].area_lost > 0


def test_a_feature_without_geometry_is_an_emptied_cell(tmp_path: Path) -> None:
    new = towns().with_shapes(lambda number, shape: None if number == 5 else shape)

    assert compared(tmp_path, towns(), new).figures["orte"].columns[SHAPE].emptied == 1


def test_land_that_two_towns_exchange_is_not_lost(tmp_path: Path) -> None:
    def merge(number: int, row: Row) -> Row | None:
        return None if number == 1 else row

    both = {"type": "Polygon", "coordinates": [[[10, 50], [10.02, 50], [10.02, 50.01], [10, 50.01], [10, 50]]]}
    new = towns().with_rows(merge).with_shapes(lambda number, shape: both if number == 0 else shape)

    figures = compared(tmp_path, towns(), new).figures["orte"]

    assert figures.area_lost == pytest.approx(0, abs=figures.area_old * 1e-7)


def test_shapes_are_found_again_however_the_files_are_ordered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read a few shapes at a time; what stands first in the one may stand last in the other, or nowhere."""
    monkeypatch.setattr("flows.compare.BATCH", 7)
    moved = towns().size(TOWNS - 1).with_shapes(lambda number, _: square(number, 0.002))
    turned = replace(moved, shapes=dict(reversed((moved.shapes or {}).items())))

    figures = compared(tmp_path, towns(), turned).figures["orte"]

    # Each moves by a fifth of its width, so that two fifths of it are new or left; the last is gone as a whole.
    assert figures.area_moved == pytest.approx((0.4 * (TOWNS - 1) + 1) * figures.area_old / TOWNS, rel=0.001)


def test_points_have_no_area_but_move(tmp_path: Path) -> None:
    points = towns().with_shapes(lambda number, _: {"type": "Point", "coordinates": [10 + number / 1000, 50]})
    moved = points.with_shapes(lambda number, _: {"type": "Point", "coordinates": [10 + number / 1000, 51]})

    figures = compared(tmp_path, points, moved).figures["orte"]

    assert figures.columns[SHAPE].changed == TOWNS
    assert (figures.area_old, figures.area_moved) == (0.0, 0.0)


def test_a_shape_that_cuts_itself_does_not_stop_the_comparison(tmp_path: Path) -> None:
    bow = {"type": "Polygon", "coordinates": [[[10, 50], [10.01, 50.01], [10.01, 50], [10, 50.01], [10, 50]]]}
    new = towns().with_shapes(lambda number, shape: bow if number == 0 else shape)

    assert compared(tmp_path, towns(), new).figures["orte"].area_moved > 0


# --- table and text ------------------------------------------------------------------------------------------------


def test_the_table_has_the_columns_of_its_contract(tmp_path: Path) -> None:
    comparison = compared(
        tmp_path, towns(), towns().with_rows(lambda n, row: changed(n, row, name='"neu", mit\nZeile'))
    )
    write_changes(comparison, tmp_path, "2026.02.02", TITLES, "1.0.0", synthetic=False)

    content = (tmp_path / "changes.csv").read_bytes().decode("utf-8")
    header, *rows = csv.reader(io.StringIO(content, newline=""))

    assert tuple(header) == load_contract("metadata", "changes").column_names
    assert rows == [["orte", "16000005", "geaendert", "name", "Ort, 5", '"neu", mit\nZeile']]
    assert (tmp_path / "changes.csvt").read_text(encoding="ascii").strip() == ",".join(['"String"'] * len(header))


def test_the_kinds_of_change_are_a_code_list() -> None:
    kinds = next(field for field in load_contract("metadata", "changes").fields if field.name == "art")
    assert kinds.allowed == ("neu", "geaendert", "entfallen", "schema")


def text_of(tmp_path: Path, new: Table | Tables, old: Table | None = None, synthetic: bool = False) -> str:
    comparison = compared(tmp_path, old or towns(), new, "name", "ags")
    return changes_text(comparison, "2026.02.02", TITLES, "1.0.0", synthetic)


def test_the_text_names_rows_and_columns_as_people_know_them(tmp_path: Path) -> None:
    new = towns().with_rows(lambda n, row: None if n == 3 else changed(n, row, einwohner="1", flaeche="2"))
    new = replace(new, rows=(*new.rows, {"ags": "16999999", "name": "Neustadt"}))

    assert text_of(tmp_path, new) == (
        "# Änderungen in Ausgabe 2026.02.02\n\nVerglichen mit Ausgabe 2026.02.01.\n\n"
        "- **Orte:** 1 neu: „Neustadt“ (16999999). 1 geändert: „Ort, 5“ (16000005): Einwohner, Fläche. "
        "1 entfallen: „Ort, 3“ (16000003).\n"
        f"\n{READING} Alle Einzelheiten stehen in `changes.csv`.\n"
    )


def test_the_text_says_that_no_row_is_gone(tmp_path: Path) -> None:
    text = text_of(tmp_path, towns().with_rows(lambda n, row: changed(n, row, status="ruhend")))
    assert "1 geändert: „Ort, 5“ (16000005): Status. Keine Zeile entfallen." in text


def test_the_text_says_that_nothing_changed(tmp_path: Path) -> None:
    assert "Kein Wert hat sich geändert." in text_of(tmp_path, towns())


def test_unchanged_datasets_stand_in_one_sentence(tmp_path: Path) -> None:
    tables = [replace(towns(), name=name) for name in ("orte", "kreise", "land")]
    new = Tables((tables[0].size(TOWNS - 1), *tables[1:]))
    comparison = compared(tmp_path, Tables(tuple(tables)), new)

    text = changes_text(comparison, "2026.02.02", TITLES | {"kreise": "Kreise", "land": "Land"}, "1.0.0", False)

    assert "\nUnverändert: Kreise, Land.\n" in text


def test_of_many_rows_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    text = text_of(tmp_path, towns().size(50))
    assert "150 entfallen: " in text
    assert text.count("„Ort") == 10
    assert "und 140 weitere." in text


def test_a_row_without_a_name_is_named_by_its_key(tmp_path: Path) -> None:
    text = text_of(
        tmp_path, towns().size(199), towns().with_rows(lambda n, row: row | {"name": ""} if n == 199 else row)
    )
    assert "1 entfallen: „16000199“." in text


def test_days_in_the_text_are_german(tmp_path: Path) -> None:
    old = towns().with_rows(lambda _, row: row | {"vorsitz": "2024-08-21"})
    comparison = compared(tmp_path, old, old.size(199), "name", "vorsitz")
    assert "(21.08.2024)" in changes_text(comparison, "2026.02.02", TITLES, "1.0.0", False)


def test_changes_of_the_schema_stand_apart_with_their_weight(tmp_path: Path) -> None:
    text = text_of(tmp_path, towns().with_field("name", description="Anders gesagt"))
    assert "## Spalten (Schema 1.0.0)\n\n- orte, name: Beschreibung geändert (Berichtigung).\n" in text


def test_a_dataset_that_is_new_or_gone_is_said(tmp_path: Path) -> None:
    text = text_of(tmp_path, Tables((replace(towns(), name="kreise"),)))
    assert "- **orte:** Der Datensatz ist entfallen.\n" in text


def test_the_first_release_has_nothing_to_compare_with(tmp_path: Path) -> None:
    write_changes(None, tmp_path, "2026.02.01", TITLES, "1.0.0", synthetic=False)

    assert (tmp_path / "changes.csv").read_text(encoding="utf-8").splitlines() == [
        "datensatz,schluessel,art,spalte,alt,neu"
    ]
    assert "Es gibt keine frühere Ausgabe" in (tmp_path / "CHANGES.md").read_text(encoding="utf-8")


def test_a_synthetic_comparison_says_so_in_text_and_record(tmp_path: Path) -> None:
    comparison = compared(tmp_path, towns(), towns().size(199))
    write_changes(comparison, tmp_path, "demo-2026.02.02", TITLES, "1.0.0", synthetic=True)

    header, row = csv.reader(io.StringIO((tmp_path / "changes.csv").read_text(encoding="utf-8")))
    assert dict(zip(header, row, strict=True))["synthetisch"] == SYNTHETIC_MARK
    assert f"{SYNTHETIC_MARK}." in (tmp_path / "CHANGES.md").read_text(encoding="utf-8")


# --- real releases -------------------------------------------------------------------------------------------------


def test_every_published_dataset_has_a_label(history: dict[str, Path]) -> None:
    for contract in release_contracts():
        table = history[FIRST] / "releases" / FIRST / f"{contract.name}.csv"
        header = table.read_text(encoding="utf-8").splitlines()[0].split(",")
        assert contract.label, contract.name
        assert set(contract.label) <= set(header), contract.name


def test_an_ordinary_edit_of_kleinland_in_plain_german(history: dict[str, Path]) -> None:
    text = (history[SECOND] / "releases" / SECOND / "CHANGES.md").read_text(encoding="utf-8")

    table = "Runder Tisch Eichen und Gronau"
    assert f"- **Präventionsgremien:** 1 neu: „Präventionsrat Flur“ (Flur). 1 geändert: „{table}“ (Eichen): " in text
    assert f"- **Belege zu den Gremien:** 2 neu: „{table}“ (01.06.2025); „Präventionsrat Flur“ (01.05.2025)." in text
    assert "Unverändert: Hinweise, " in text


def test_the_comparison_of_real_releases_finds_all_that_the_csv_files_show(history: dict[str, Path]) -> None:
    folders = [history[SECOND] / "releases" / one for one in (FIRST, SECOND)]
    labels = {contract.name: contract.label for contract in release_contracts()}

    found = {(c.dataset, c.key, c.column) for c in compare(*folders, labels).changes if c.kind == "geaendert"}

    expected = set()
    for contract in release_contracts():
        tables = []
        for folder in folders:
            with (folder / f"{contract.name}.csv").open(encoding="utf-8", newline="") as stream:
                tables.append({tuple(row[k] for k in contract.primary_key): row for row in csv.DictReader(stream)})
        for key in tables[0].keys() & tables[1].keys():
            for column, value in tables[0][key].items():
                if tables[1][key][column] != value:
                    expected.add((contract.name, ";".join(key), column))
    assert found - {one for one in found if one[2] == SHAPE} == expected
    assert expected


def test_the_fields_of_the_example_are_what_the_tests_say() -> None:
    assert [one["name"] for one in FIELDS] == list(towns().rows[0])
