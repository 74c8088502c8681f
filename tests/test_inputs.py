"""Reading what offices and statistics bureaus hand over: tables, cells against their contract, sidecars."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
import shapely
from conftest import DAY, KLEINLAND, LAYERS, PROFILE, build_geodata, loaded_run, profile_of, write_sidecar
from numpy.typing import NDArray

from flows import geometry
from flows.acquire import acquire
from flows.boundary_import import import_boundaries
from flows.check import contract_findings
from flows.contracts import Code, Contract, Field, release_contracts
from flows.database import create_table, sql_files
from flows.database import database as open_database
from flows.errors import Refused, SourceUnavailable, WrongUsage
from flows.findings import Finding
from flows.join import join
from flows.load import load
from flows.run import Run
from flows.sidecar import read_sidecar, record, renewed, sha256_of, sidecar_path
from flows.stages import INPUT_STAGES, Outcome, store_of
from flows.tables import iso_day, read_table
from flows.validate import check_header, check_values

TODAY = date(2026, 6, 1)

# --- tables: CSV ---------------------------------------------------------------------------------------------------


def read(
    tmp_path: Path, content: str | bytes, name: str = "liste.csv"
) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    """Columns and rows of a file with this content."""
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_table(file, None, file.name)
    return table.columns, list(table.rows)


@pytest.mark.parametrize(
    "content",
    [
        "id,name\n1,Jena\n",
        "id;name\n1;Jena\n",
        "\ufeffid;name\r\n1;Jena\r\n",
        "id,name\r\n1,Jena",
        ' id , name \n 1 ,"Jena"\n',
        "id,name,\n1,Jena,\n",
        "id,name\n\n1,Jena\n,\n\n",
        "id,name\n1,\u00a0Jena\u00a0\n",
    ],
    ids=[
        "comma",
        "semicolon",
        "Excel's UTF-8",
        "no last line end",
        "blanks",
        "empty column",
        "empty rows",
        "hard blanks",
    ],
)
def test_offices_write_csv_in_many_ways(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == (("id", "name"), [("1", "Jena")])


def test_an_empty_cell_is_missing(tmp_path: Path) -> None:
    assert read(tmp_path, 'a,b,c\n, ,""\nx,,y\n')[1] == [("x", None, "y")]


def test_letters_are_composed_so_that_equal_names_are_equal(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "straße,ort\nWeg,Mühlhausen\n")
    assert read(tmp_path, decomposed) == (("straße", "ort"), [("Weg", "Mühlhausen")])


def test_a_cell_may_hold_separators_quotes_and_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path, 'id,text\n1,"a; ""b"",\nc"\n')[1] == [("1", 'a; "b",\nc')]


def test_keys_stay_text_with_their_leading_zeros(tmp_path: Path) -> None:
    assert read(tmp_path, "ags\n01001000\n")[1] == [("01001000",)]


def test_lines_are_counted_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text('id,text\n1,"zwei\nZeilen"\n\n2,x\n', encoding="utf-8")
    assert read_table(file, None, "liste.csv").lines == (2, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,name\n1,Jena\n".encode("utf-16"), "liste.csv, Zeile 1: die Datei ist weder in UTF-8 noch"),
        ('id,name\n1,Jena\n2,"Gera\n', "liste.csv, Zeile 3: hier ist ein Anführungszeichen nicht geschlossen"),
        ('id,name\n1,"Je"na\n', "liste.csv, Zeile 2: hier ist ein Anführungszeichen"),
        ("id,name\n1\n", "liste.csv, Zeile 2: die Zeile hat 1 Zellen, die Kopfzeile 2."),
        ("id,name\n1,Jena,x\n", "liste.csv, Zeile 2: die Zeile hat 3 Zellen, die Kopfzeile 2."),
        ("id,,name\n1,,Jena\n", "liste.csv, Zeile 1: die Kopfzeile fehlt oder hat eine leere Spalte."),
        ("", "liste.csv, Zeile 1: die Kopfzeile fehlt"),
        ("id,id\n1,2\n", "liste.csv, Zeile 1: die Spalte „id“ steht doppelt."),
        (
            "id,name\n1,#BEZUG!\n",
            "liste.csv, Zeile 2, Spalte „name“, Wert „#BEZUG!“: die Zelle enthält einen Fehlerwert",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_place(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(message)


def test_a_text_that_only_mentions_an_error_value_is_a_text(tmp_path: Path) -> None:
    assert read(tmp_path, "id\nStand: #NV\n")[1] == [("Stand: #NV",)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31.12.2019", "2019-12-31"),
        ("1.3.2019", "2019-03-01"),
        ("29.02.2024", "2024-02-29"),
        ("31.02.2020", None),
        ("31.12.19", None),
        ("12/31/2019", None),
        ("03.2019", None),
        ("am 31.12.2019", None),
    ],
)
def test_only_a_day_that_can_mean_nothing_else_is_read_as_one(text: str, day: str | None) -> None:
    assert iso_day(text) == day


def test_days_are_looked_for_in_columns_of_days_only(tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text("tag,text\n31.12.2019,31.12.2019\n31.02.2020,\n", encoding="utf-8")
    table = read_table(file, None, file.name, {"tag"})
    assert table.rows == (("2019-12-31", "31.12.2019"), ("31.02.2020", None))
    assert table.german_days == (("tag", "2019-12-31"),)


# --- tables: XLSX --------------------------------------------------------------------------------------------------


def workbook(cells: list[list[object]], formats: dict[str, str] | None = None, title: str = "Gremien") -> bytes:
    """An Excel workbook with one sheet; ``formats`` by cell name such as "B2"."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in cells:
        sheet.append(row)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Jena", "Jena"),
        (" ", None),
        (16053000, "16053000"),
        (2019.0, "2019"),
        (38.5, "38.5"),
        (True, "ja"),
        (False, "nein"),
        (date(2024, 8, 21), "2024-08-21"),
        (datetime(2024, 8, 21, 14, 30), "2024-08-21"),
        (None, None),
    ],
)
def test_values_of_excel_become_the_text_of_a_csv(tmp_path: Path, value: object, text: str | None) -> None:
    assert read(tmp_path, workbook([["id", "wert"], ["1", value]]), "mappe.xlsx")[1] == [("1", text)]


@pytest.mark.parametrize(
    ("number_format", "text"),
    [
        ("yyyy-mm-dd", "2019-03-01"),
        ("dd.mm.yyyy", "2019-03-01"),
        ("[$-407]d. mmmm yyyy;@", "2019-03-01"),
        ("mmm-yy", "2019-03"),
        ("[$-407]mmm yy;@", "2019-03"),
        ("yyyy-mm", "2019-03"),
        ('"Stand" mm/yyyy', "2019-03"),
        ("yyyy", "2019"),
    ],
)
def test_a_date_is_as_precise_as_the_cell_shows_it(tmp_path: Path, number_format: str, text: str) -> None:
    content = workbook([["id", "belegt_am"], ["1", date(2019, 3, 1)]], {"B2": number_format})
    assert read(tmp_path, content, "mappe.xlsx")[1] == [("1", text)]


def test_a_named_sheet_is_read_and_otherwise_the_first(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Gremien"
    book.active.append(["id"])
    book.active.append(["rat"])
    book.create_sheet("Belege").append(["beleg"])
    file = tmp_path / "mappe.xlsx"
    book.save(file)
    assert read_table(file, None, "mappe").columns == ("id",)
    assert read_table(file, "Belege", "mappe").columns == ("beleg",)
    with pytest.raises(Refused, match="das Blatt „Hinweise“ fehlt; vorhanden: Gremien, Belege"):
        read_table(file, "Hinweise", "mappe [Hinweise]")


def test_cells_missing_at_the_end_of_a_row_are_empty(tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Gremien")
    for row in (["id", "name", "jahr"], ["1"], ["2", "Rat"]):
        sheet.append(row)
    file = tmp_path / "mappe.xlsx"
    book.save(file)
    assert read_table(file, None, "mappe").rows == (("1", None, None), ("2", "Rat", None))


def test_what_stands_beside_the_table_is_told_in_words_for_a_sheet(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, workbook([["id", "name"], ["1", "Jena"], ["2", "Gera", None, "prüfen!"]]), "mappe.xlsx")
    assert str(caught.value) == (
        "mappe.xlsx, Zeile 3, Wert „prüfen!“: rechts der letzten benannten Spalte steht noch etwas. Bitte löschen oder "
        "in die richtige Spalte eintragen."
    )


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"mappe\.xlsx: die Datei ist keine lesbare Excel-Mappe"):
        read(tmp_path, "id,name\n", "mappe.xlsx")


def test_a_formula_error_in_a_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"Zeile 2, Spalte „zeigt“, Wert „#NAME\?“"):
        read(tmp_path, workbook([["zeigt"], ["#NAME?"]]), "mappe.xlsx")


# --- cells against their contract ----------------------------------------------------------------------------------


def column(name: str = "wert", kind: str = "string", codes: tuple[str, ...] = (), **raw: object) -> Field:
    """A column of a contract."""
    entries = tuple(Code(code, code, code, code, code) for code in codes)
    return Field(name, kind, name, name, {"name": name, "type": kind, **raw}, entries)


def findings(field: Field, *values: str | None) -> list[tuple[str, int | None, str | None]]:
    """What is wrong with these cells of a column, as (rule, line, value); the first cell stands in line 2."""
    lines = list(range(2, 2 + len(values)))
    table = pa.table({"zeile": lines, field.name: pa.array(values, pa.string())})
    with duckdb.connect() as con:
        create_table(con, "cells", table)
        found = check_values(con, "cells", Contract("probe", "Probe", "Probe", (field,), {}), "probe.csv")
    return [(finding.check, finding.row, finding.value) for finding in found]


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (
            "integer",
            ["0", "-3", "007", "9223372036854775807"],
            ["1.5", "1.000", "1 000", "1e3", "", "９", "9223372036854775808"],
        ),
        ("number", ["0", "-0.5", "26", "1e-3"], ["3,94", ".5", "5.", "1e999", "NaN", "inf", "0x10"]),
        ("date", ["2024-02-29"], ["2023-02-29", "29.02.2024", "2024-2-9", "2024-02", "20240229", "2024-02-29T00:00"]),
        ("yearmonth", ["2024-12"], ["2024-13", "2024-00", "2024", "12/2024", "2024-12-01"]),
        ("boolean", ["true", "false"], ["True", "ja", "1", "wahr"]),
    ],
)
def test_a_cell_must_have_its_type(kind: str, right: list[str], wrong: list[str]) -> None:
    found = findings(column(kind=kind), *right, *wrong, None)
    assert found == [("typ", 2 + len(right) + index, value) for index, value in enumerate(wrong)]


def test_words_for_yes_and_no_are_those_of_the_contract() -> None:
    field = column(kind="boolean", trueValues=["ja"], falseValues=["nein"])
    assert findings(field, "ja", "nein", "true") == [("typ", 4, "true")]


def test_a_pattern_holds_for_the_whole_cell() -> None:
    field = column(constraints={"pattern": "[0-9]{8}"}, example="16051000")
    assert findings(field, "16051000", "160510001", " 6051000", "16051000\n16052000") == [
        ("muster", 3, "160510001"),
        ("muster", 4, " 6051000"),
        ("muster", 5, "16051000\n16052000"),
    ]


def test_of_a_list_each_entry_is_checked() -> None:
    field = column(codes=("polizei", "schulen"), listSeparator=";")
    assert findings(field, "polizei;schulen", "polizei; schulen", "polizei;", "polizei,schulen") == [
        ("codeliste", 3, " schulen"),
        ("codeliste", 4, ""),
        ("codeliste", 5, "polizei,schulen"),
    ]


def test_bounds_are_part_of_the_range() -> None:
    field = column(kind="number", constraints={"minimum": 0, "maximum": 100})
    assert findings(field, "0", "100", "-0.1", "100.5", "viel") == [
        ("bereich", 4, "-0.1"),
        ("bereich", 5, "100.5"),
        ("typ", 6, "viel"),
    ]


def test_a_required_cell_must_be_filled_and_another_need_not() -> None:
    assert findings(column(constraints={"required": True}), "x", None) == [("pflicht", 3, None)]
    assert findings(column(), None) == []


def test_quotes_in_names_and_codes_do_no_harm() -> None:
    field = column(name='a"b', codes=("it's",))
    assert findings(field, "it's", "its") == [("codeliste", 3, "its")]


def test_findings_come_in_the_order_of_lines() -> None:
    field = column(kind="integer", constraints={"required": True, "minimum": 5})
    assert [line for _, line, _ in findings(field, "1", None, "x", "3")] == [2, 3, 4, 5]


def test_a_near_miss_is_answered_with_the_right_word() -> None:
    contract = Contract("probe", "Probe", "Probe", (column("gemeinde"), column("status")), {})
    found = check_header(contract, ("gemeinde", "staus", "notiz"), "probe.csv")
    assert [(finding.column, finding.message, finding.remedy) for finding in found] == [
        ("status", "die Spalte fehlt.", "Bitte ergänzen; sie darf leer bleiben, wenn nichts bekannt ist."),
        ("staus", "diese Spalte ist nicht vereinbart.", "Meinten Sie „status“?"),
        ("notiz", "diese Spalte ist nicht vereinbart.", "Bitte entfernen."),
    ]
    assert check_header(contract, ("status", "gemeinde"), "probe.csv") == [], "the order of columns is free"


def test_a_column_that_must_be_filled_is_not_said_to_be_free() -> None:
    contract = Contract("probe", "Probe", "Probe", (column("ags", constraints={"required": True}),), {})
    assert [finding.remedy for finding in check_header(contract, (), "probe.csv")] == ["Bitte ergänzen."]


def test_a_column_may_not_take_the_name_of_the_line_number(make_geodata: Callable[..., Path]) -> None:
    hints = "zeile,hinweis_id,art,ags,ags_stand,titel,gremium_id,url,quelle_art,datum,zeigt\n"
    with pytest.raises(Refused, match=r"hints\.csv, Zeile 1, Spalte „zeile“: diese Spalte ist nicht vereinbart"):
        load_kleinland(make_geodata({"hints.csv": hints}))


def test_findings_of_all_files_are_collected(make_geodata: Callable[..., Path]) -> None:
    overlay = {"hints.csv": "", "resources.csv": "angebot_id\nx\n", "monitoring.csv": b"\xff"}
    with pytest.raises(Refused) as caught:
        load_kleinland(make_geodata(overlay))
    assert {finding.source for finding in caught.value.findings} == set(overlay)
    assert caught.value.consequence.endswith(" Weitere Prüfungen folgen, wenn das berichtigt ist")


# --- what Excel makes of the office's tables -------------------------------------------------------------------------

ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?=[,\n])")


def saved_by_excel(name: str) -> bytes:
    """A table of Kleinland as a German Excel saves it as "CSV": semicolons, Windows-1252, days as TT.MM.JJJJ."""
    with (KLEINLAND / name).open(encoding="utf-8", newline="") as stream:
        rows = [[ISO_DAY.sub(r"\3.\2.\1", f"{cell},")[:-1] for cell in row] for row in csv.reader(stream)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=";").writerows(rows)
    return buffer.getvalue().encode("cp1252")


@pytest.mark.slow
def test_tables_that_a_german_excel_saved_say_what_they_said_before(
    geodata: Path, make_geodata: Callable[..., Path], tmp_path: Path
) -> None:
    names = ("committees", "evidence", "hints", "survey_waves", "population")
    saved = {f"{name}.csv": saved_by_excel(f"{name}.csv") for name in names}
    ours, theirs = (
        loaded_run(profile_of(folder), tmp_path / work)
        for folder, work in ((geodata, "ours"), (make_geodata(saved), "theirs"))
    )

    assert all(theirs.inputs.joinpath(name).read_bytes() == content for name, content in saved.items())
    for name in names:
        tables = []
        for run in (ours, theirs):
            with open_database(run.database) as con:
                tables.append(con.execute(f"FROM input.{name}").fetchall())
        assert tables[0] == tables[1]
    assert [note for note in load(theirs).notes if "Windows" not in note] == [
        "population.csv: 30 Daten in der Form TT.MM.JJJJ gelesen.",
        "survey_waves.csv: 2 Daten in der Form TT.MM.JJJJ gelesen.",
        "committees.csv: 4 Daten in der Form TT.MM.JJJJ gelesen.",
        "evidence.csv: 4 Daten in der Form TT.MM.JJJJ gelesen.",
        "hints.csv: 1 Datum in der Form TT.MM.JJJJ gelesen.",
    ]


def test_a_month_that_excel_may_have_shown_as_its_first_day_is_called_to_mind(
    make_geodata: Callable[..., Path], tmp_path: Path
) -> None:
    evidence = (KLEINLAND / "evidence.csv").read_text(encoding="utf-8").replace(",2022-05,", ",01.05.2022,")
    run = loaded_run(profile_of(make_geodata({"evidence.csv": evidence})), tmp_path / "work")
    assert load(run).notes == (
        "evidence.csv: 1 Datum in der Form TT.MM.JJJJ gelesen. Davon 1 Monatserster: War nur der Monat bekannt, bitte "
        "als Text „JJJJ-MM“ eintragen.",
    )


def test_of_a_workbook_that_begins_with_explanations_the_sheet_must_be_named(
    make_geodata: Callable[..., Path],
) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Anleitung"
    book.active.append(["Bitte ausfüllen."])
    with (KLEINLAND / "hints.csv").open(encoding="utf-8", newline="") as stream:
        sheet = book.create_sheet("Hinweise")
        for row in csv.reader(stream):
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    settings = 'extends = "kleinland"\n[sources]\nhints = "../kleinland/hinweise.xlsx{}"\n'
    files = {"hinweise.xlsx": buffer.getvalue()}

    with pytest.raises(Refused) as caught:
        load_kleinland(make_geodata(files | {"profile.toml": settings.format("")}))

    assert str(caught.value) == (
        "hinweise.xlsx: das erste Blatt „Anleitung“ hat keine der erwarteten Spalten. Bitte im Profil das Blatt "
        'nennen: `hints = "hinweise.xlsx#Hinweise"`; vorhanden: Anleitung, Hinweise.'
    )
    load_kleinland(make_geodata(files | {"profile.toml": settings.format("#Hinweise")}))


# --- the result against its contract --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_public_relation_that_breaks_its_contract_is_refused_naming_the_record(
    make_geodata: Callable[..., Path],
) -> None:
    run = load_kleinland(make_geodata())
    join(run)
    (contract,) = (contract for contract in release_contracts() if contract.name == "gemeinden")
    with duckdb.connect(run.database) as con:
        assert contract_findings(con, contract) == []
        con.execute("UPDATE release.gemeinden SET befragung_status = 'ja', kreis = NULL WHERE gemeinde = 'Gronau'")
        found = [str(finding) for finding in contract_findings(con, contract)]
    assert found[0] == "gemeinden „99001006“, Spalte „kreis“: die Angabe fehlt. Bitte ergänzen."
    assert found[1].startswith(
        "gemeinden „99001006“, Spalte „befragung_status“, Wert „ja“: das steht nicht in der Liste"
    )


# --- boundaries ----------------------------------------------------------------------------------------------------


def load_kleinland(geodata: Path) -> Run:
    """Acquire and load the profile of a geodata folder beside it."""
    profile = profile_of(geodata)
    work = geodata.parent / f"{geodata.name}-work"
    work.mkdir()
    run = Run(profile, DAY, store_of(profile, work), "test", work)
    acquire(run)
    load(run)
    return run


def rewritten(geodata: Path, change: Callable[[pa.Table], pa.Table]) -> bytes:
    """Kleinland's boundary file after ``change``."""
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(change(pyarrow.parquet.read_table(geodata / PROFILE / "boundaries.parquet")), buffer)
    return buffer.getvalue()


def test_the_geometry_column_may_have_any_name(geodata: Path, make_geodata: Callable[..., Path]) -> None:
    def rename(table: pa.Table) -> pa.Table:
        metadata = json.loads(table.schema.metadata[b"geo"])
        metadata["primary_column"] = "flaeche"
        metadata["columns"]["flaeche"] = metadata["columns"].pop("geometry")
        names = ["flaeche" if name == "geometry" else name for name in table.column_names]
        return table.rename_columns(names).replace_schema_metadata({"geo": json.dumps(metadata)})

    run = load_kleinland(make_geodata({"boundaries.parquet": rewritten(geodata, rename)}))
    with duckdb.connect(run.database, read_only=True) as con:
        assert con.execute("SELECT count(geometry) FROM input.boundaries").fetchall() == [(13,)]


def test_a_profile_without_boundaries_makes_no_map(make_geodata: Callable[..., Path]) -> None:
    settings = 'extends = "kleinland"\n[sources]\nboundaries = ""\n'
    with pytest.raises(WrongUsage, match="Das Profil „variante“ nennt keine Grenzen"):
        load_kleinland(make_geodata({"profile.toml": settings}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns(["nuts"]), "Zeile 1, Spalte „nuts“: die Spalte fehlt."),
        (
            lambda table: table.append_column("bbox", pa.array([{"xmin": 0.0}] * len(table))),
            "Zeile 1, Spalte „bbox“: diese Spalte ist nicht vereinbart.",
        ),
        (lambda table: table.replace_schema_metadata({}), "die Datei ist kein GeoParquet."),
        (lambda table: table.replace_schema_metadata({"geo": "{"}), "die Datei ist kein GeoParquet."),
        (lambda table: table.replace_schema_metadata({"geo": "{}"}), "die Datei ist kein GeoParquet."),
    ],
    ids=["column missing", "bbox column", "plain Parquet", "metadata cut off", "metadata empty"],
)
def test_a_boundary_file_of_another_kind_is_refused(
    geodata: Path, make_geodata: Callable[..., Path], change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    with pytest.raises(Refused) as caught:
        load_kleinland(make_geodata({"boundaries.parquet": rewritten(geodata, change)}))
    assert message in str(caught.value)


@pytest.mark.parametrize("moved", ["EPSG:25832", "swapped"])
def test_coordinates_of_another_reference_system_are_refused(make_geodata: Callable[..., Path], moved: str) -> None:
    def elsewhere(points: NDArray[np.float64]) -> NDArray[np.float64]:
        if moved == "swapped":
            return points[:, ::-1]
        return shapely.get_coordinates(geometry.transform(shapely.points(points), geometry.OUTSIDE, moved))

    layers: dict[str, str] = {}
    for layer in LAYERS:
        content = json.loads((KLEINLAND / "layers" / f"{layer}.geojson").read_text(encoding="utf-8"))
        for feature in content["features"]:
            shape = shapely.transform(shapely.from_geojson(json.dumps(feature["geometry"])), elsewhere)
            feature["geometry"] = json.loads(shapely.to_geojson(shape))
            # A German Land.
            feature["properties"]["AGS"] = "16" + feature["properties"]["AGS"][2:]
        layers[f"layers/{layer}.geojson"] = json.dumps(content)
    with pytest.raises(Refused) as caught:
        load_kleinland(make_geodata(layers))
    assert str(caught.value).startswith(
        "boundaries.parquet, Zeile 1, Spalte „geometry“: 13 Flächen liegen nicht in Deutschland"
    )


def test_another_geometry_encoding_is_refused(geodata: Path, make_geodata: Callable[..., Path]) -> None:
    def native(table: pa.Table) -> pa.Table:
        metadata = json.loads(table.schema.metadata[b"geo"])
        metadata["columns"]["geometry"]["encoding"] = "polygon"
        return table.replace_schema_metadata({"geo": json.dumps(metadata)})

    with pytest.raises(Refused, match="die Flächen sind als polygon gespeichert, nicht als WKB"):
        load_kleinland(make_geodata({"boundaries.parquet": rewritten(geodata, native)}))


def test_the_import_of_boundaries_gives_the_same_bytes_twice(tmp_path: Path, geodata: Path) -> None:
    layers = tuple(geodata / PROFILE / "layers" / f"{layer}.geojson" for layer in ("gem", "krs", "lan"))
    assert import_boundaries(layers, tmp_path / "a.parquet") == 13  # type: ignore[arg-type]
    import_boundaries(layers, tmp_path / "b.parquet")  # type: ignore[arg-type]
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


# --- personal data -------------------------------------------------------------------------------------------------


def personal(text: str, column: str = "zeigt", kind: str = "default") -> list[str]:
    """What the data test finds in a text."""
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA meta")
        con.execute(
            "CREATE TABLE meta.codes AS SELECT 'funktionspostfach' AS liste, unnest(['info', 'ordnungsamt']) AS code"
        )
        con.execute(
            "CREATE TABLE meta.texts (datensatz VARCHAR, zeile BIGINT, spalte VARCHAR, art VARCHAR, wert VARCHAR)"
        )
        con.execute("INSERT INTO meta.texts VALUES ('evidence', 2, $1, $2, $3)", [column, kind, text])
        return [
            wert
            for (wert,) in con.execute(f"SELECT wert FROM ({sql_files('checks')['checks.personal_data']})").fetchall()
        ]


@pytest.mark.parametrize(
    "text",
    [
        "Tel. 03643 762-0",
        "(0361) 57 31-1234",
        "0361/573-1234",
        "0361–5731234",
        "Telefon:0361 5731234",
        "Tel.0361 5731234",
        "+49 361 5731234",
        "+49 (0) 361 573 12 34",
        "0049 361 5731234",
        "Mobil 0176 12345678",
        "03 61\u00a057\u00a031",
        "036435551234",
        "erika.muster@stadt.example",
        "E-Mail: Müller@Stadt.Example.",
        "max.muster(at)stadt.example",
        "max.muster [at] stadt.example",
        "<e.muster@stadt.example>",
    ],
)
def test_numbers_and_addresses_of_persons_are_found_however_written(text: str) -> None:
    assert len(personal(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "info@stadt.example",
        "Ordnungsamt@stadt.example",
        "info (at) stadt.example",
        "Beschluss 0125/18 und Vorlage 0356/2010",
        "BV/0356/2010",
        "am 01.02.2020 und 03/2019",
        "07545 Gera, 07743 Jena",
        "2019, 2020 und 2021",
        "27 Rundgänge, 10.419 Einwohner, 38,5 Prozent",
        "https://www.example.de/03643762/artikel-036437620.html?an=info@stadt.example",
    ],
)
def test_file_numbers_dates_and_function_mailboxes_are_no_personal_data(text: str) -> None:
    assert personal(text) == []


def test_keys_and_addresses_of_pages_are_no_telephone_numbers() -> None:
    assert personal("01001000;01002000", column="ags") == []
    assert personal("https://example.de/?tel= 036437620", kind="uri") == []
    assert personal("https://example.de/?mail=e.muster@stadt.example", kind="uri") == ["e.muster@stadt.example"]


# --- sidecars and acquisition --------------------------------------------------------------------------------------


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """A file with its sidecar."""
    file = tmp_path / "committees.csv"
    file.write_text("gremium_id\nrat\n", encoding="utf-8")
    write_sidecar(file)
    return file


def test_a_sidecar_names_origin_licence_and_the_bytes_that_were_meant(described: Path) -> None:
    sidecar = read_sidecar(described)
    assert (sidecar.sha256, sidecar.bytes) == (sha256_of(described), described.stat().st_size)
    assert sidecar.licence_url.startswith("https://")


def test_recording_takes_over_the_present_state_and_the_day(described: Path) -> None:
    before = json.loads(sidecar_path(described).read_text(encoding="utf-8"))
    assert renewed(described, TODAY) is None
    described.write_text("gremium_id\nrat\nbeirat\n", encoding="utf-8")
    present = renewed(described, TODAY)
    assert present is not None
    record(described, present)
    after = json.loads(sidecar_path(described).read_text(encoding="utf-8"))
    state = {"sha256": sha256_of(described), "bytes": described.stat().st_size, "retrieved": "2026-06-01"}
    assert after == before | state
    assert renewed(described, TODAY) is None


def test_a_table_that_was_looked_through_and_stays_as_it_is_counts_from_that_day(described: Path) -> None:
    present = renewed(described, TODAY, reviewed=True)
    assert present is not None
    assert present == replace(read_sidecar(described), retrieved="2026-06-01")


def test_a_product_that_nobody_edits_keeps_its_day_of_retrieval(described: Path) -> None:
    path = sidecar_path(described)
    path.write_text(path.read_text(encoding="utf-8").replace('"edited_here": true', '"edited_here": false'), "utf-8")
    described.write_text("gremium_id\nrat\nbeirat\n", encoding="utf-8")
    before = read_sidecar(described).retrieved
    present = renewed(described, TODAY, reviewed=True)
    assert present is not None
    assert present.retrieved == before


def test_a_source_without_licence_or_attribution_is_not_published(described: Path) -> None:
    path = sidecar_path(described)
    facts = json.loads(path.read_text(encoding="utf-8")) | {"licence": "", "attribution": ""}
    path.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(WrongUsage) as caught:
        read_sidecar(described)
    assert str(caught.value) == (
        f"{path}: leer ist noch: licence, attribution. Bitte ausfüllen; das steht in jeder Ausgabe bei den Quellen."
    )


def test_what_cannot_be_recorded_is_said(described: Path) -> None:
    sidecar_path(described).unlink()
    with pytest.raises(SourceUnavailable, match=r"committees\.csv\.source\.json: die Beschreibung der Quelle fehlt"):
        renewed(described, TODAY)
    described.unlink()
    with pytest.raises(SourceUnavailable, match=r"committees\.csv: die Datei fehlt"):
        renewed(described, TODAY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "ist kein JSON"),
        ("[]", "es fehlt: title, origin"),
        ('{"titel": "x"}', "nicht vorgesehen ist: titel"),
    ],
)
def test_a_malformed_sidecar_is_refused_naming_what_is_wrong(described: Path, content: str, message: str) -> None:
    sidecar_path(described).write_text(content, encoding="utf-8")
    with pytest.raises(WrongUsage, match=message):
        read_sidecar(described)


@pytest.mark.slow
def test_a_file_kept_by_hand_may_change_and_is_mentioned(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    geodata = make_geodata()
    committees = geodata / PROFILE / "committees.csv"
    committees.write_text(
        committees.read_text(encoding="utf-8").replace("Präventionsrat Aldorf", "Rat Aldorf"), encoding="utf-8"
    )
    notes = release(geodata, outputs, stages=INPUT_STAGES).reports["acquire"].notes
    assert len(notes) == 1
    assert notes[0].startswith("committees.csv ist von Hand geändert")


def test_a_downloaded_file_may_not_change(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    geodata = make_geodata()
    population = geodata / PROFILE / "population.csv"
    population.write_bytes(population.read_bytes() + b"\n")
    with pytest.raises(Refused) as caught:
        release(geodata, outputs, stages=INPUT_STAGES)
    assert [(finding.check, finding.source) for finding in caught.value.findings] == [("herkunft", "population.csv")]


def test_a_missing_file_or_description_means_that_the_source_is_unavailable(
    make_geodata: Callable[..., Path], release: Callable[..., Outcome], outputs: Path
) -> None:
    for missing in ("hints.csv", "hints.csv.source.json"):
        with pytest.raises(SourceUnavailable, match=missing) as caught:
            release(make_geodata({missing: None}), outputs, stages=INPUT_STAGES)
        assert caught.value.exit_code == 3


@pytest.mark.slow
def test_inputs_are_never_written_to(tmp_path: Path, release: Callable[..., Outcome], outputs: Path) -> None:
    geodata = build_geodata(tmp_path / "geodata")
    before = {path: path.read_bytes() for path in geodata.rglob("*") if path.is_file()}
    release(geodata, outputs, stages=INPUT_STAGES)
    assert {path: path.read_bytes() for path in geodata.rglob("*") if path.is_file()} == before


def test_a_finding_says_where_what_and_what_to_do() -> None:
    finding = Finding("typ", "liste.csv", "das ist falsch.", "Bitte berichtigen.", 7, "jahr", "zweitausend")
    assert str(finding) == "liste.csv, Zeile 7, Spalte „jahr“, Wert „zweitausend“: das ist falsch. Bitte berichtigen."
    assert str(Finding("herkunft", "liste.csv", "die Datei fehlt.")) == "liste.csv: die Datei fehlt."
