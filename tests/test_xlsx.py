"""The workbook: the same values as every other format, typed for people who work with Excel."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from conftest import DAY
from packaged import filled_in, packaged, read_datasets, synthetic

from flows.contracts import Contract, Field, load_contract, release_contracts
from flows.datasets import SYNTHETIC_FIELD, Dataset
from flows.formats.csv_file import cell
from flows.formats.xlsx import DICTIONARY, FILE, INFO, LABELS, dataset_columns, sheet_name, text_content, write_xlsx
from flows.metadata.rules import READING_RULES
from flows.metadata.text import DRAFT_MARK
from flows.profile import SYNTHETIC_MARK, load_profile
from flows.run import Run

Book = Any


def rewritten(run: Run, work: Path, **changes: Any) -> Book:
    """The workbook of the same data with other settings of the run."""
    settings = replace(run, **changes)
    datasets = read_datasets(settings)
    other = replace(settings, work=work)
    other.package.mkdir()
    other.manifest.write_bytes(run.manifest.read_bytes())
    write_xlsx(other, datasets)
    return openpyxl.load_workbook(other.package / FILE)


@pytest.fixture(scope="module")
def run(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return packaged(load_profile(geodata, "kleinland"), tmp_path_factory.mktemp("xlsx"))


@pytest.fixture(scope="module")
def book(run: Run) -> Iterator[Book]:
    opened = openpyxl.load_workbook(run.package / FILE)
    yield opened
    opened.close()


def as_csv(field: Field, value: Any) -> str:
    """A cell of the workbook as the CSV would write it."""
    if field.type == "boolean":
        return {"ja": "true", "nein": "false", None: ""}[value]
    if isinstance(value, datetime):
        return value.date().isoformat()
    if field.type == "number" and value is not None:
        return cell(float(value))
    return cell(value)


def column(book: Book, contract: Contract, heading: str) -> list[Any]:
    """The cells (not their values) of one column of a dataset's sheet."""
    sheet = book[sheet_name(contract)]
    number = [head.value for head in sheet[1]].index(heading) + 1
    return [row[0] for row in sheet.iter_rows(min_row=2, min_col=number, max_col=number)]


def info(book: Book) -> list[tuple[str, str]]:
    return [(row[0].value, row[1].value) for row in book[INFO].iter_rows()]


@pytest.mark.slow
@pytest.mark.parametrize("contract", release_contracts(), ids=lambda contract: contract.name)
def test_every_sheet_holds_the_rows_and_values_of_the_csv(run: Run, book: Book, contract: Contract) -> None:
    with (run.package / f"{contract.name}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    columns = [[as_csv(field, cell.value) for cell in column(book, contract, field.title)] for field in contract.fields]
    assert [list(row) for row in zip(*columns, strict=True)] == rows


@pytest.mark.slow
@pytest.mark.parametrize("contract", release_contracts(), ids=lambda contract: contract.name)
def test_headings_are_german_titles_and_each_stands_once(book: Book, contract: Contract) -> None:
    headings = [head.value for head in book[sheet_name(contract)][1]]
    assert len(headings) == len(set(headings))
    assert [heading for heading in headings if not heading.endswith("(Klartext)")] == [
        field.title for field in contract.fields
    ]


def test_the_technical_name_of_a_column_is_a_note_on_its_heading(book: Book) -> None:
    contract = load_contract("release", "gemeinden")
    heads = {head.value: head.comment.text for head in book[sheet_name(contract)][1]}
    assert heads["Einwohner"].startswith("einwohner: ")
    assert "Einheit: Personen." in heads["Einwohner"]


def test_keys_and_codes_are_text(book: Book) -> None:
    contract = load_contract("release", "gemeinden")
    for heading in ("Amtlicher Gemeindeschlüssel (AGS)", "Art der Gemeinde"):
        cells = column(book, contract, heading)
        assert all(isinstance(cell.value, str) and cell.data_type == "s" for cell in cells)
        assert {cell.number_format for cell in cells} == {"@"}


def test_dates_are_dates_shown_the_german_way(book: Book) -> None:
    cells = column(book, load_contract("release", "gemeinden"), "Gebietsstand")
    assert {cell.value for cell in cells} == {datetime(2020, 6, 30)}
    assert {cell.number_format for cell in cells} == {"DD.MM.YYYY"}


def test_a_date_that_is_not_known_to_the_day_stays_as_imprecise_as_it_is(book: Book) -> None:
    found = {cell.value for cell in column(book, load_contract("release", "gremien_belege"), "Belegt am")}
    assert {"2021", "2022-05", "2024-08-21", None} <= found


def test_counts_have_thousands_and_years_have_none(book: Book) -> None:
    counts = column(book, load_contract("release", "gemeinden"), "Einwohner")
    years = column(book, load_contract("release", "gremien"), "Gründungsjahr")
    assert {cell.number_format for cell in counts if cell.value is not None} == {"#,##0"}
    assert {cell.number_format for cell in years if cell.value is not None} == {"0"}


def test_numbers_show_the_decimals_that_they_have(book: Book) -> None:
    cells = column(book, load_contract("release", "monitoring"), "Wert")
    assert [(cell.value, cell.number_format) for cell in cells] == [(38.5, "#,##0.0")]


def test_labels_stand_to_the_right_of_the_codes(book: Book) -> None:
    contract = load_contract("release", "gremien")
    headings = [head.value for head in book[sheet_name(contract)][1]]
    assert headings[headings.index("Status") + 1] == LABELS.format("Status")
    labels = {code.code: code.label for field in contract.fields if field.name == "status" for code in field.codes}
    codes = column(book, contract, "Status")
    texts = column(book, contract, LABELS.format("Status"))
    assert [labels[code.value] for code in codes] == [text.value for text in texts]


def test_a_cell_with_several_codes_has_several_labels(book: Book) -> None:
    contract = load_contract("release", "gremien")
    pairs = dict(
        zip(
            (cell.value for cell in column(book, contract, "Mitgliedergruppen")),
            (cell.value for cell in column(book, contract, LABELS.format("Mitgliedergruppen"))),
            strict=True,
        )
    )
    assert pairs["kirchen;polizei_land;schulen"] == "Kirchen; Polizei (Land); Schulen und Schulverwaltung"
    assert pairs[None] is None


@pytest.mark.parametrize("contract", release_contracts(), ids=lambda contract: contract.name)
def test_headings_stay_in_view_and_filter_their_column(book: Book, contract: Contract) -> None:
    sheet = book[sheet_name(contract)]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert all(8 <= dimension.width <= 64 for dimension in sheet.column_dimensions.values())


def test_the_cover_says_what_this_is(book: Book, run: Run) -> None:
    cells = info(book)
    labels = dict(cells)
    assert cells[0] == ("Titel", "Präventionskarte Kleinland")
    assert labels["Ausgabe"] == run.release_id
    assert labels["Datum der Ausgabe"] == "01.02.2026"
    assert "Datenlizenz Deutschland" in labels["Lizenz"]
    assert run.release_id in labels["Zitieren"]
    assert ("Achtung", DRAFT_MARK) in cells
    assert "Adresse" not in labels
    assert {text for label, text in cells if label == "Zu beachten"} == set(READING_RULES)


def test_the_cover_leads_to_every_sheet(book: Book) -> None:
    links = {row[1].hyperlink.location: row[1].value for row in book[INFO].iter_rows() if row[0].value == "Blatt"}
    assert links.keys() == {f"'{name}'!A1" for name in book.sheetnames if name != INFO}
    assert links["'Gemeinden'!A1"].startswith("Gemeinden (7 Zeilen): ")


def test_a_release_with_a_publisher_names_its_address(run: Run, tmp_path: Path) -> None:
    labels = dict(info(rewritten(run, tmp_path, profile=filled_in(run.profile))))
    assert labels["Adresse"] == f"https://karte.kleinland.example/releases/{run.release_id}/"
    assert labels["Herausgeber"] == "Präventionsstelle Kleinland"
    assert "Achtung" not in labels


def test_the_dictionary_has_every_column_and_every_code(book: Book) -> None:
    rows = list(book[DICTIONARY].iter_rows(min_row=2, values_only=True))
    expected = [
        (contract.name, field.name, code)
        for contract in release_contracts()
        for field in contract.fields
        for code in (None, *(item.code for item in field.codes))
    ]
    assert [(row[2], row[3], row[7]) for row in rows] == expected
    assert all(row[4] and row[5] for row in rows if row[7] is None)
    assert all(row[8] and row[9] for row in rows if row[7] is not None)


def test_a_synthetic_workbook_says_so_on_the_cover_and_in_every_row(run: Run, tmp_path: Path) -> None:
    book = rewritten(run, tmp_path, profile=synthetic(run.profile))
    assert ("Achtung", f"{SYNTHETIC_MARK}.") in info(book)
    for contract in release_contracts():
        assert {cell.value for cell in column(book, contract, SYNTHETIC_FIELD.title)} == {SYNTHETIC_MARK}


def dataset_with(field: str, values: list[Any]) -> Dataset:
    """A dataset of one column of the committees."""
    contract = load_contract("release", "gremien")
    only = next(item for item in contract.fields if item.name == field)
    return Dataset(replace(contract, fields=(only,)), pa.table({field: values}), None)


def cells_of(run: Run, work: Path, dataset: Dataset) -> list[Any]:
    """The cells below the heading of a workbook of this dataset of one column; no Land is known."""
    other = replace(run, work=work)
    other.package.mkdir()
    other.manifest.write_bytes(run.manifest.read_bytes())
    lands = load_contract("release", "land")
    empty = Dataset(lands, pa.table({field.name: pa.array([], pa.string()) for field in lands.fields}), None)
    write_xlsx(other, [dataset, empty])
    sheet = openpyxl.load_workbook(other.package / FILE)["Präventionsgremien"]
    return [row[0] for row in sheet.iter_rows(min_row=2)]


def test_a_text_that_looks_like_a_formula_stays_a_text(run: Run, tmp_path: Path) -> None:
    cells = cells_of(run, tmp_path, dataset_with("name", ["=1+1", "@rat", "+49"]))
    assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1", "s"), ("@rat", "s"), ("+49", "s")]
    with zipfile.ZipFile(tmp_path / "release" / FILE) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist())


def test_texts_stay_as_they_are_to_the_last_blank_and_sign(run: Run, tmp_path: Path) -> None:
    texts = [' <a href="x">&amp;</a> ', "erste Zeile\nzweite", "Ä ö 𝄞", None, "zuletzt"]
    cells = cells_of(run, tmp_path, dataset_with("name", texts))
    assert [cell.value for cell in cells] == texts


def test_days_of_early_1900_are_not_one_off(run: Run, tmp_path: Path) -> None:
    days = [date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1), date(1969, 12, 31), None, date(2026, 11, 22)]
    cells = cells_of(run, tmp_path, dataset_with("gebietsstand", days))
    assert [cell.value and cell.value.date() for cell in cells] == days


@pytest.mark.parametrize("text", ["Glocke \a", "x" * 32_768])
def test_a_text_that_no_workbook_can_hold_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no workbook can hold"):
        text_content(text)


def test_a_code_that_no_list_knows_is_an_error_and_no_label() -> None:
    with pytest.raises(KeyError, match="rat_haus"):
        dataset_columns(dataset_with("art", ["rat_haus"]), lambda number_format: number_format)


def test_long_texts_wrap_and_addresses_do_not(book: Book) -> None:
    contract = load_contract("release", "gremien_belege")
    assert all(cell.alignment.wrap_text for cell in column(book, contract, "Was der Beleg zeigt"))
    assert not any(cell.alignment.wrap_text for cell in column(book, contract, "Adresse des Belegs"))


def test_a_title_that_excel_refuses_gives_way_to_the_name() -> None:
    contract = load_contract("release", "gremien")
    assert sheet_name(contract) == "Präventionsgremien"
    assert sheet_name(replace(contract, title="Gremien: alle")) == "gremien"
    assert sheet_name(replace(contract, title="Alle Präventionsgremien und ihre Belege")) == "gremien"


def test_the_workbook_is_the_same_to_the_byte_and_dated_with_the_release(run: Run, tmp_path: Path) -> None:
    rewritten(run, tmp_path)
    assert (tmp_path / "release" / FILE).read_bytes() == (run.package / FILE).read_bytes()
    with zipfile.ZipFile(run.package / FILE) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(DAY.year, DAY.month, DAY.day)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r">(\d{4}-\d{2}-\d{2}T[0-9:]+Z)<", core)) == {f"{DAY.isoformat()}T00:00:00Z"}


def test_the_day_of_the_release_is_in_the_workbook_whatever_day_it_is(run: Run, tmp_path: Path) -> None:
    properties = rewritten(run, tmp_path, day=date(2031, 7, 9)).properties
    assert properties.created == properties.modified == datetime(2031, 7, 9)
