"""Readers of the statistical office's workbooks, of LimeSurvey exports and of the office's own tables.

Each product is made in its real shape (``products``); then one thing is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from conftest import KLEINLAND, PROFILE, joined_run, profile_of
from products import (
    FIRST_CHANGE,
    FIRST_ROW,
    LIMESURVEY_MAPPING,
    Change,
    Country,
    Edit,
    auszug_gv,
    country_of,
    days_as_dates,
    decomposed,
    drop_column,
    formula_in,
    gebietsaenderungen,
    keys_as_numbers,
    limesurvey_csv,
    merge_cells,
    numbers_as_text,
    row_twice,
    set_cell,
    trailing_blanks,
)

from flows.contracts import load_contract
from flows.errors import Refused, WrongUsage
from flows.profile import Profile, load_profile
from flows.sources.auszug_gv import read_auszug_gv
from flows.sources.converted import Converted
from flows.sources.gebietsaenderungen import read_gebietsaenderungen
from flows.sources.limesurvey import read_limesurvey
from flows.sources.office_table import read_office_table
from flows.sources.sheets import day_of, decimal_number, whole_number

ALDORF, GRONAU, NEUDORNA, EICHEN, FLUR = "99001001", "99001006", "99001010", "99002005", "99002001"
TERRITORY, POPULATION = date(2025, 12, 31), date(2024, 12, 31)


@pytest.fixture(scope="module")
def kleinland(geodata: Path) -> Profile:
    return load_profile(geodata, PROFILE)


@pytest.fixture(scope="module")
def country(kleinland: Profile, tmp_path_factory: pytest.TempPathFactory) -> Country:
    return country_of(joined_run(kleinland, tmp_path_factory.mktemp("country"), territory_date=date(2022, 12, 31)))


def rows_of(converted: Converted) -> list[dict[str, str | None]]:
    """The rows of a dataset by column."""
    rows: list[dict[str, str | None]] = converted.table.to_pylist()
    return rows


def said(refused: pytest.ExceptionInfo[Refused]) -> str:
    """All findings in one text."""
    return str(refused.value)


# --- Numbers and days ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (2500, 2500), (2500.0, 2500), ("2500", 2500), (" 2.500 ", 2500), ("2 500", 2500), ("2\u202f500", 2500),
        ("1.234.567", 1234567), (2500.5, None), ("2,5", None), ("25.00", None), ("", None), (None, None), (True, None),
    ],
)  # fmt: skip
def test_a_count_is_read_in_every_way_that_people_write_it(cell: object, number: int | None) -> None:
    assert whole_number(cell) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (3.94, 3.94), (4, 4.0), ("3,94", 3.94), ("1.234,56", 1234.56), ("1 234,56", 1234.56), ("3.94", 3.94),
        ("1.234", None), ("x", None), (None, None), (False, None),
    ],
)  # fmt: skip
def test_a_measure_that_can_be_read_two_ways_is_not_read(cell: object, number: float | None) -> None:
    assert decimal_number(cell) == number


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("01.07.2021", date(2021, 7, 1)), ("1.7.2021", date(2021, 7, 1)), (date(2021, 7, 1), date(2021, 7, 1)),
        ("2021-07-01 00:00:00", date(2021, 7, 1)), ("31.02.2021", None), ("07/01/2021", None), (44378, None),
    ],
)  # fmt: skip
def test_a_day_is_a_day_of_the_calendar(cell: object, day: date | None) -> None:
    assert day_of(cell) == day


# --- AuszugGV --------------------------------------------------------------------------------------------------------


@pytest.fixture
def auszug(tmp_path: Path, country: Country, kleinland: Profile) -> Callable[..., Mapping[str, Converted]]:
    """``auszug(*edits, country=…, population=…, sheet=…, options=…, lands=…)``: what the reader makes of it."""

    def read(
        *edits: Edit,
        of: Country = country,
        population: date | None = POPULATION,
        sheet: str | None = None,
        options: Mapping[str, str] | None = None,
        lands: tuple[str, ...] = ("99",),
    ) -> Mapping[str, Converted]:
        file = auszug_gv(tmp_path / "gv.xlsx", of, TERRITORY, population, sheet=sheet, edits=edits)
        return read_auszug_gv(file, "AuszugGV", options or {}, replace(kleinland, lands=lands))

    return read


def line_of(country: Country, ags: str) -> int:
    """The row of a municipality in the AuszugGV: after each new district and association there is one more."""
    line, seen = FIRST_ROW, set()
    for one in country.municipalities:
        for key in (one.ags[:2], one.ags[:5], one.ars[:9]):
            line += key not in seen
            seen.add(key)
        if one.ags == ags:
            return line
        line += 1
    raise KeyError(ags)


@pytest.mark.slow
def test_the_register_has_every_municipality_with_its_keys_as_text(
    auszug: Callable[..., Mapping[str, Converted]], country: Country
) -> None:
    found = auszug()
    register = rows_of(found["register_current"])
    assert [row["ags"] for row in register] == [one.ags for one in country.municipalities]
    (aldorf,) = (row for row in register if row["ags"] == ALDORF)
    assert aldorf == {
        "ags": ALDORF,
        "ars": "990010001001",
        "gemeinde_amtlich": "Aldorf, Stadt",
        "textkennzeichen": "63",
        "kreis_schluessel": "99001",
        "kreis_amtlich": "Nordkreis",
        "verband_ars": "990010001",
        "verband_kennzeichen": "50",
        "verband": "Aldorf, Stadt",
        "flaeche_km2": "3.94",
        "einwohner": "1500",
        "postleitzahl": "99001",
        "gebietsstand": "2025-12-31",
    }
    (flur,) = (row for row in register if row["ags"] == FLUR)
    assert (flur["verband"], flur["verband_kennzeichen"]) == ("Südtal", "54"), "the name stands in a row of its own"
    assert found["register_current"].standing == TERRITORY


@pytest.mark.slow
def test_population_and_territory_have_days_of_their_own(auszug: Callable[..., Mapping[str, Converted]]) -> None:
    found = auszug()["population_current"]
    assert {(row["einwohner_stand"], row["gebietsstand"]) for row in rows_of(found)} == {("2024-12-31", "2025-12-31")}
    assert found.standing == POPULATION
    assert "31.12.2024" in found.title and "31.12.2025" in found.title


@pytest.mark.parametrize(
    "edits",
    [(trailing_blanks,), (decomposed,), (keys_as_numbers,), (numbers_as_text,), (decomposed, trailing_blanks)],
    ids=["blanks", "NFD", "keys as numbers", "numbers as text", "NFD and blanks"],
)
def test_how_a_spreadsheet_keeps_its_cells_changes_nothing(
    auszug: Callable[..., Mapping[str, Converted]], edits: tuple[Edit, ...]
) -> None:
    plain = auszug()
    edited = auszug(*edits)
    for dataset, converted in plain.items():
        assert rows_of(edited[dataset]) == rows_of(converted)


def test_other_columns_behind_the_postcode_may_vary(auszug: Callable[..., Mapping[str, Converted]]) -> None:
    assert rows_of(auszug(drop_column(17))["register_current"]) == rows_of(auszug()["register_current"])


def test_only_the_profiles_laender_are_taken_and_an_empty_list_means_all(
    auszug: Callable[..., Mapping[str, Converted]], country: Country
) -> None:
    neighbour = replace(country.of(ALDORF), ags="98001001", name="Anderswo")
    two = replace(
        country,
        municipalities=(neighbour, *country.municipalities),
        districts={**country.districts, "98001": ("Fremdkreis", "Landkreis")},
        lands={"98": "Nachbarland", **country.lands},
    )
    assert len(rows_of(auszug(of=two)["register_current"])) == len(country.municipalities)
    assert len(rows_of(auszug(of=two, lands=())["register_current"])) == len(country.municipalities) + 1
    broken = auszug(set_cell("J10", "viele"), of=two)
    assert len(rows_of(broken["register_current"])) == len(country.municipalities), "another Land's cells do not matter"


def test_a_land_that_is_missing_is_named(auszug: Callable[..., Mapping[str, Converted]]) -> None:
    with pytest.raises(Refused) as refused:
        auszug(lands=("99", "16"))
    assert "keine Gemeinde des Landes 16" in said(refused)


def test_a_workbook_without_the_sheet_names_those_it_has(auszug: Callable[..., Mapping[str, Converted]]) -> None:
    with pytest.raises(Refused) as refused:
        auszug(sheet="Gemeinden")
    assert "kein Blatt beginnt mit „Onlineprodukt_Gemeinden“; vorhanden: Deckblatt, Gemeinden." in said(refused)


def test_without_a_population_day_the_profile_must_say_it(auszug: Callable[..., Mapping[str, Converted]]) -> None:
    with pytest.raises(Refused) as refused:
        auszug(population=None)
    assert "Stichtag der Bevölkerung" in said(refused) and "population_date" in said(refused)
    given = auszug(population=None, options={"population_date": "2024-12-31"})["population_current"]
    assert given.standing == POPULATION


def test_without_a_territory_day_nothing_is_taken(auszug: Callable[..., Mapping[str, Converted]]) -> None:
    with pytest.raises(Refused) as refused:
        auszug(set_cell("A1", "Alle Gemeinden"), set_cell("C5", None), set_cell("J5", None))
    assert "kein Gebietsstand" in said(refused)


FAULTS: dict[str, tuple[Callable[[int], Edit], str, str]] = {
    # what is done to the row, the place and the words that follow
    "formula": (lambda row: formula_in(f"J{row}"), "Spalte „J“", "Formel ohne berechneten Wert"),
    "merged cells": (lambda row: merge_cells(f"H{row}:I{row}"), "Spalte „H“", "mit anderen verbunden"),
    "error value": (lambda row: set_cell(f"J{row}", "#BEZUG!"), "Wert „#BEZUG!“", "Fehlerwert"),
    "no number": (lambda row: set_cell(f"J{row}", "1,5 Tsd."), "J (Bevölkerung insgesamt)", "ganze Zahl"),
    "two ways": (lambda row: set_cell(f"I{row}", "1.234"), "I (Fläche km²)", "nicht eindeutig"),
    "no name": (lambda row: set_cell(f"H{row}", " "), "H (Gemeindename)", "die Angabe fehlt"),
    "long key": (lambda row: set_cell(f"G{row}", "0001"), "G (Gem)", "3 Ziffern"),
    "unknown mark": (lambda row: set_cell(f"B{row}", "99"), "B (Textkennzeichen)", "nicht bekannt"),
    "unknown kind": (lambda row: set_cell(f"A{row}", "6O"), "A (Satzart)", "die Satzart ist nicht bekannt"),
    "twice": (row_twice, "G (Gem)", f"die Gemeinde {NEUDORNA} steht schon in Zeile"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_cell_is_named_with_its_place(
    auszug: Callable[..., Mapping[str, Converted]], country: Country, fault: str
) -> None:
    edit, place, words = FAULTS[fault]
    row = line_of(country, NEUDORNA)
    with pytest.raises(Refused) as refused:
        auszug(edit(row))
    finding, *others = refused.value.findings
    assert len(others) == (fault == "merged cells"), "every cell of a merged area"
    assert finding.source == "AuszugGV [Onlineprodukt_Gemeinden31122025]"
    assert finding.row == (row + 1 if fault == "twice" else row)
    assert place in str(finding) and words in str(finding)


@pytest.mark.parametrize("column", [1, 4, 6, 8, 9, 10, 11])
def test_a_column_taken_out_is_noticed(auszug: Callable[..., Mapping[str, Converted]], column: int) -> None:
    with pytest.raises(Refused) as refused:
        auszug(drop_column(column), options={"population_date": "2024-12-31"})
    assert refused.value.findings


def test_men_and_women_add_up_to_the_population(
    auszug: Callable[..., Mapping[str, Converted]], country: Country
) -> None:
    with pytest.raises(Refused) as refused:
        auszug(set_cell(f"J{line_of(country, NEUDORNA)}", 7000))
    (finding,) = refused.value.findings
    assert "männlich (350) und weiblich (350) ergeben eine andere Zahl" in finding.message


def test_a_municipality_without_its_association_is_named(
    auszug: Callable[..., Mapping[str, Converted]], country: Country
) -> None:
    with pytest.raises(Refused) as refused:
        auszug(set_cell(f"A{line_of(country, NEUDORNA) - 1}", "20"))
    assert "zum Verband 990010010 fehlt die Zeile mit der Satzart 50" in said(refused)


def test_a_file_that_is_no_workbook_is_refused_in_words(tmp_path: Path, kleinland: Profile) -> None:
    file = tmp_path / "gv.xlsx"
    file.write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(Refused) as refused:
        read_auszug_gv(file, "AuszugGV", {}, kleinland)
    assert said(refused) == "AuszugGV: die Datei ist keine lesbare Excel-Mappe. Bitte neu als .xlsx speichern."


def test_a_sheet_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path: Path, kleinland: Profile) -> None:
    """One stray cell in the last row is enough: the sheet then has millions of empty ones."""
    book = openpyxl.Workbook()
    book.active["P1048576"] = " "
    book.active.title = "Onlineprodukt_Gemeinden"
    book.save(tmp_path / "gv.xlsx")
    with pytest.raises(Refused, match="das Blatt reicht bis zur Zelle P1048576"):
        read_auszug_gv(tmp_path / "gv.xlsx", "AuszugGV", {}, kleinland)


def test_a_sheet_of_charts_is_refused_in_words(tmp_path: Path, kleinland: Profile) -> None:
    book = openpyxl.Workbook()
    book.create_chartsheet("Onlineprodukt_Gemeinden")
    book.save(tmp_path / "gv.xlsx")
    with pytest.raises(Refused, match="die Datei ist keine lesbare Excel-Mappe"):
        read_auszug_gv(tmp_path / "gv.xlsx", "AuszugGV", {}, kleinland)


def test_a_formula_that_was_calculated_is_read_as_its_result(
    tmp_path: Path, country: Country, kleinland: Profile
) -> None:
    file = auszug_gv(tmp_path / "gv.xlsx", country, TERRITORY, POPULATION)
    row = line_of(country, NEUDORNA)
    book = openpyxl.load_workbook(file)
    book["Onlineprodukt_Gemeinden31122025"][f"J{row}"] = "=700+0"
    book.save(file)
    with_result(file, row)
    (found,) = (
        one
        for one in rows_of(read_auszug_gv(file, "AuszugGV", {}, kleinland)["register_current"])
        if one["ags"] == NEUDORNA
    )
    assert found["einwohner"] == "700"


def with_result(file: Path, row: int) -> None:
    """Store the result of the formula in column J, as Excel does when it saves."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet2.xml"
    formula = b"<f>700+0</f><v></v>" if b"<f>700+0</f><v></v>" in parts[sheet] else b"<f>700+0</f><v />"
    assert formula in parts[sheet], row
    parts[sheet] = parts[sheet].replace(formula, b"<f>700+0</f><v>700</v>")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


# --- Gebietsänderungen -------------------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path: Path, kleinland: Profile) -> Callable[..., list[dict[str, str | None]]]:
    """``listed(changes, *edits, sheet=…, lands=…)``: the rows that the reader makes of a list."""

    def read(
        changes: list[Change], *edits: Edit, sheet: str = "Gebietsaenderungen", lands: tuple[str, ...] = ("99",)
    ) -> list[dict[str, str | None]]:
        file = gebietsaenderungen(tmp_path / "changes.xlsx", changes, sheet=sheet, edits=edits)
        found = read_gebietsaenderungen(file, "Änderungen", {}, replace(kleinland, lands=lands))
        return rows_of(found["municipal_changes_current"])

    return read


DAY = date(2024, 1, 1)


def brief(rows: list[dict[str, str | None]]) -> list[tuple[str | None, ...]]:
    names = ("ags_alt", "ags_neu", "nach", "in_kraft_bis", "flaechenanteil", "einwohneranteil")
    return [tuple(row[name] for name in names) for row in rows]


def test_a_merger_holds_from_its_day_and_moves_everything(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    (row,) = listed([Change(country.of(GRONAU), "1", country.of(ALDORF), DAY)])
    assert row == {
        "ags_alt": GRONAU,
        "gemeinde_alt": "Gronau",
        "ags_neu": ALDORF,
        "gemeinde_neu": "Aldorf, Stadt",
        "nach": "2023-12-31",
        "in_kraft_bis": "2024-01-01",
        "flaechenanteil": "1.0",
        "einwohneranteil": "1.0",
        "quelle": "Destatis, Gebietsänderungen, Nr. 1",
    }


def test_a_split_has_one_row_for_each_receiver_with_its_share(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    old = country.of(NEUDORNA)
    rows = listed(
        [
            Change(old, "1", country.of(ALDORF), DAY, area=1_000_000, people=100),
            Change(old, "1", country.of(GRONAU), DAY, area=2_000_000, people=600),
        ]
    )
    assert brief(rows) == [
        (NEUDORNA, ALDORF, "2023-12-31", "2024-01-01", "0.3333", "0.1429"),
        (NEUDORNA, GRONAU, "2023-12-31", "2024-01-01", "0.6667", "0.8571"),
    ]


def test_a_ceded_part_is_a_share_of_the_whole_and_what_remains_no_change(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    old = country.of(NEUDORNA)
    rows = listed(
        [
            Change(old, "2", country.of(ALDORF), DAY, area=100_000, people=0),
            Change(old, "2", country.of(ALDORF), DAY, area=400_000, people=7),
            Change(old, "2", old, DAY, area=4_500_000, people=693),
        ]
    )
    assert brief(rows) == [(NEUDORNA, ALDORF, "2023-12-31", "2024-01-01", "0.1", "0.01")]


def test_a_new_key_is_a_change_and_a_new_name_is_none(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    old = country.of(EICHEN)
    moved = replace(old, ags="99001020")
    named = replace(country.of(GRONAU), name="Gronau am See")
    rows = listed(
        [
            Change(old, "3, 4", replace(moved, name="Eichen, Kurstadt"), DAY),
            Change(country.of(GRONAU), "4", named, DAY),
            Change(country.of(FLUR), "3.4", replace(country.of(FLUR), ags="99001021"), DAY),
        ]
    )
    assert [(row["ags_alt"], row["ags_neu"], row["gemeinde_neu"]) for row in rows] == [
        (EICHEN, "99001020", "Eichen, Kurstadt"),
        (FLUR, "99001021", "Flur"),
    ]


def test_where_law_and_statistics_differ_the_day_is_an_interval(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    change = Change(country.of(GRONAU), "1", country.of(ALDORF), date(2024, 3, 1), statistical=date(2024, 7, 1))
    (row,) = listed([change])
    assert (row["nach"], row["in_kraft_bis"]) == ("2024-02-29", "2024-07-01")


@pytest.mark.parametrize(
    "edits",
    [(days_as_dates,), (trailing_blanks,), (decomposed,), (set_cell(f"F{FIRST_CHANGE}", 1.0),)],
    ids=["days as dates", "blanks", "NFD", "type as a number"],
)
def test_how_the_list_was_typed_changes_nothing(
    listed: Callable[..., list[dict[str, str | None]]], country: Country, edits: tuple[Edit, ...]
) -> None:
    changes = [Change(country.of(GRONAU), "1", country.of(ALDORF), DAY)]
    assert listed(changes, *edits) == listed(changes)
    assert listed(changes, sheet="Gebietsaenderungen 2024") == listed(changes)


def test_a_list_may_say_nothing_of_the_profiles_laender(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    changes = [Change(country.of(GRONAU), "1", country.of(ALDORF), DAY)]
    assert listed(changes, lands=("16",)) == []
    assert len(listed(changes, lands=())) == 1


CHANGE_FAULTS: dict[str, tuple[Edit, str]] = {
    "formula": (formula_in(f"G{FIRST_CHANGE}"), "Formel ohne berechneten Wert"),
    "merged cells": (merge_cells(f"C{FIRST_CHANGE}:D{FIRST_CHANGE}"), "mit anderen verbunden"),
    "no day": (set_cell(f"L{FIRST_CHANGE}", "Anfang 2024"), "TT.MM.JJJJ"),
    "no such day": (set_cell(f"L{FIRST_CHANGE}", "30.02.2024"), "TT.MM.JJJJ"),
    "type": (set_cell(f"F{FIRST_CHANGE}", "7"), "diese Art der Änderung gibt es nicht"),
    "type in words": (set_cell(f"F{FIRST_CHANGE}", "1 neu"), "diese Art der Änderung gibt es nicht"),
    "level": (set_cell(f"B{FIRST_CHANGE}", "Gemeide"), "gehört zur Ebene „Gemeinde“"),
    "keys disagree": (set_cell(f"C{FIRST_CHANGE}", "990015005007"), "passt nicht zum Gemeindeschlüssel 99001006"),
    "no name": (set_cell(f"K{FIRST_CHANGE}", None), "die Angabe fehlt"),
    "into itself": (set_cell(f"J{FIRST_CHANGE}", GRONAU), "in sich selbst"),
    "twice": (row_twice(FIRST_CHANGE), "dieselbe Änderung steht schon in Zeile 5"),
}


@pytest.mark.parametrize("fault", CHANGE_FAULTS)
def test_a_wrong_cell_of_a_change_is_named_with_its_place(
    listed: Callable[..., list[dict[str, str | None]]], country: Country, fault: str
) -> None:
    edit, words = CHANGE_FAULTS[fault]
    new = set_cell(f"I{FIRST_CHANGE}", None)
    edits = (edit, new) if fault == "into itself" else (edit,)
    with pytest.raises(Refused) as refused:
        listed([Change(country.of(GRONAU), "1", country.of(ALDORF), DAY)], *edits)
    assert words in said(refused)
    assert {finding.row for finding in refused.value.findings} <= {FIRST_CHANGE, FIRST_CHANGE + 1}
    assert {finding.source for finding in refused.value.findings} == {"Änderungen [Gebietsaenderungen]"}


def test_a_ceded_part_without_what_remains_has_no_share(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    old = country.of(NEUDORNA)
    with pytest.raises(Refused) as refused:
        listed([Change(old, "2", country.of(ALDORF), DAY, area=100_000, people=0)])
    assert "fehlt die Zeile mit der verbleibenden Fläche" in said(refused)
    with pytest.raises(Refused) as refused:
        listed([Change(old, "2", country.of(one), DAY, area=100_000, people=0) for one in (ALDORF, GRONAU)])
    assert "die Anteile sind nicht bekannt" in said(refused)


def test_a_split_without_areas_has_no_shares(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    old = country.of(NEUDORNA)
    changes = [Change(old, "1", country.of(one), DAY, people=350) for one in (ALDORF, GRONAU)]
    with pytest.raises(Refused) as refused:
        # Between the two changes stands that of an association.
        listed(changes, set_cell(f"G{FIRST_CHANGE + 2}", None))
    (finding,) = refused.value.findings
    assert (finding.row, finding.column) == (FIRST_CHANGE + 2, "G (Fläche in m²)")


def test_a_list_of_another_layout_is_refused(
    listed: Callable[..., list[dict[str, str | None]]], country: Country
) -> None:
    with pytest.raises(Refused) as refused:
        listed([Change(country.of(GRONAU), "1", country.of(ALDORF), DAY)], drop_column(1))
    assert "ob sich der Aufbau geändert hat" in said(refused) or "gehört zur Ebene" in said(refused)
    with pytest.raises(Refused) as refused:
        listed([])
    assert "es gibt keine Zeile mit der Ebene „Gemeinde“" in said(refused)


# --- LimeSurvey ----------------------------------------------------------------------------------------------------


@pytest.fixture
def survey(tmp_path: Path, make_geodata: Callable[..., Path]) -> Callable[..., list[dict[str, str | None]]]:
    """``survey(rows, mapping=…, frame=…, **settings)``: the responses that the reader makes of an export."""

    def read(
        rows: list[dict[str, str]],
        mapping: str = LIMESURVEY_MAPPING,
        frame: str | None = None,
        missing_frame: str | None = None,
        encoding: str = "utf-8",
        **settings: object,
    ) -> list[dict[str, str | None]]:
        files = {"mapping.csv": mapping, **({"frame.csv": frame} if frame else {})}
        profile = profile_of(make_geodata(files))
        file = tmp_path / "export.csv"
        file.write_bytes(limesurvey_csv(rows, encoding=encoding, **settings))  # type: ignore[arg-type]
        named = missing_frame or ("frame.csv" if frame else None)
        options = {"wave": "2020", "mapping": "mapping.csv", **({"frame": named} if named else {})}
        return rows_of(read_limesurvey(file, "Befragung", options, profile)["survey_responses_2020"])

    return read


REPLY = {"G01Q01": ALDORF, "G01Q02": "A1", "G02Q01[SQ001]": "Y", "G02Q01[SQ002]": "Y", "G02Q02": "N"}


def test_answers_become_the_codes_of_the_contract(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    (row,) = survey([REPLY | {"G09Q01": "Frau Muster, 0361 123456"}])
    assert row == {
        "einheit": ALDORF,
        "eingegangen_am": "2020-06-15",
        "geantwortet": "ja",
        "gremien": "aktiv",
        "themen": "einbruchschutz;vandalismus_graffiti",
        "mitglieder": None,
        "turnus": None,
        "unterstuetzungsbedarf": "nein",
    }, "and nothing that the mapping does not name"


def test_a_question_without_an_answer_is_left_empty(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    (row,) = survey([{"G01Q01": ALDORF}])
    assert (row["gremien"], row["themen"], row["unterstuetzungsbedarf"]) == (None, None, None)


def test_an_anonymous_survey_has_no_day_of_receipt(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    (row,) = survey([REPLY | {"submitdate": "1980-01-01 00:00:00"}])
    assert row["eingegangen_am"] is None


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8", ";"), ("cp1252", ";"), ("utf-8-sig", ",")])
def test_an_export_may_come_in_the_encodings_of_excel(
    survey: Callable[..., list[dict[str, str | None]]], encoding: str, delimiter: str
) -> None:
    rows = survey([REPLY | {"G01Q01": "Südtal"}], encoding=encoding, delimiter=delimiter)
    assert rows[0]["einheit"] == "990025001"


@pytest.mark.parametrize(
    ("name", "key"),
    [("Aldorf", ALDORF), (" aldorf ", ALDORF), ("Aldorf, Stadt", ALDORF), ("Südtal", "990025001"), ("990025001",) * 2],
)
def test_a_respondent_may_be_named_or_given_by_key(
    survey: Callable[..., list[dict[str, str | None]]], name: str, key: str
) -> None:
    assert survey([REPLY | {"G01Q01": name}])[0]["einheit"] == key


def test_a_misspelt_town_gets_a_suggestion_and_an_unknown_one_none(
    survey: Callable[..., list[dict[str, str | None]]],
) -> None:
    with pytest.raises(Refused) as refused:
        survey([REPLY | {"G01Q01": "Alldorf"}, REPLY | {"G01Q01": "Rom"}])
    first, second = (str(finding) for finding in refused.value.findings)
    assert first == (
        "Befragung, Zeile 2, Spalte „G01Q01“, Wert „Alldorf“: eine Stadt oder einen Verband dieses Namens kennen wir "
        "nicht. Meinten Sie „Aldorf“?"
    )
    assert "Zeile 3" in second and second.endswith("Bitte den Schlüssel eintragen.")


FRAME = (
    "ags,gemeinde,verband_ars,verband,verband_kennzeichen\n"
    f"{ALDORF},Aldorf,990010001,Aldorf,50\n99001005,Eichen,990015005,Eichen,54\n"
)


def test_with_a_frame_only_its_towns_may_answer(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    assert survey([REPLY], frame=FRAME)[0]["einheit"] == ALDORF
    assert survey([REPLY | {"G01Q01": "Aldorf"}], frame=FRAME)[0]["einheit"] == ALDORF
    with pytest.raises(Refused) as refused:
        survey([REPLY | {"G01Q01": FLUR}], frame=FRAME)
    assert "gehört nicht zum Rahmen" in said(refused)
    with pytest.raises(Refused) as refused:
        survey([REPLY | {"G01Q01": "Flur"}], frame=FRAME)
    assert "kennen wir nicht" in said(refused)


def test_a_frame_with_other_columns_says_which_are_needed(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    with pytest.raises(Refused) as refused:
        survey([REPLY], frame=f"ags,stadt\n{ALDORF},Aldorf\n")
    assert said(refused).startswith("frame.csv, Zeile 1, Spalte „gemeinde“: die Spalte „gemeinde“ fehlt")


def test_a_unit_that_answers_twice_is_named_with_both_rows(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    with pytest.raises(Refused) as refused:
        survey([REPLY, REPLY | {"G01Q01": "Flur"}, REPLY | {"G01Q01": "Aldorf"}])
    (finding,) = refused.value.findings
    assert (finding.row, finding.value) == (4, ALDORF)
    assert "hat schon in Zeile 2 geantwortet" in finding.message


REFUSED_REPLIES: dict[str, tuple[dict[str, str], str]] = {
    "not sent off": (REPLY | {"submitdate": ""}, "nicht abgeschickt"),
    "nobody": (REPLY | {"G01Q01": ""}, "wer geantwortet hat"),
    "unknown answer": (REPLY | {"G01Q02": "A9"}, "diese Antwort steht nicht in der Zuordnung"),
    "unknown box": (REPLY | {"G02Q01[SQ001]": "vielleicht"}, "diese Antwort steht nicht in der Zuordnung"),
}


@pytest.mark.parametrize("reply", REFUSED_REPLIES)
def test_a_reply_that_cannot_be_told_is_named(survey: Callable[..., list[dict[str, str | None]]], reply: str) -> None:
    row, words = REFUSED_REPLIES[reply]
    with pytest.raises(Refused) as refused:
        survey([REPLY | {"G01Q01": "Flur"}, row])
    (finding,) = refused.value.findings
    assert finding.row == 3 and words in finding.message


def test_a_question_that_was_renamed_is_missed(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    with pytest.raises(Refused) as refused:
        survey([REPLY], rename_columns={"G02Q02": "G02Q2"})
    assert said(refused).endswith("Spalte „G02Q02“: diese Frage der Zuordnung fehlt. Meinten Sie „G02Q2“?")


MAPPING_FAULTS = {
    "G05Q01,,gremium,\n": "das gibt es nicht im Vertrag der Welle. Meinten Sie „gremien“?",
    "G01Q02,A4,gremien,aktive\n": "dieser Wert steht nicht in der Liste von „gremien“. Meinten Sie „aktiv“?",
    "G01Q02,A1,gremien,keine\n": "je Antwort genau ein Wert",
    "G01Q02,A4,turnus,jaehrlich\n": "je Antwort genau ein Wert",
    ",A4,turnus,jaehrlich\n": "das gibt es nicht im Vertrag der Welle. Bitte ergänzen.",
}


@pytest.mark.parametrize("line", MAPPING_FAULTS)
def test_a_mapping_that_fits_nothing_is_named(survey: Callable[..., list[dict[str, str | None]]], line: str) -> None:
    with pytest.raises(Refused) as refused:
        survey([REPLY], mapping=LIMESURVEY_MAPPING + line)
    (finding,) = refused.value.findings
    assert finding.source == "mapping.csv"
    assert finding.row == len(LIMESURVEY_MAPPING.splitlines()) + 1
    assert MAPPING_FAULTS[line] in str(finding)


def test_two_answers_to_a_single_choice_are_named(survey: Callable[..., list[dict[str, str | None]]]) -> None:
    mapping = LIMESURVEY_MAPPING + "G09Q01,ja,gremien,keine\n"
    with pytest.raises(Refused) as refused:
        survey([REPLY | {"G09Q01": "ja"}], mapping=mapping)
    assert "für „gremien“ gibt es mehrere Angaben (aktiv, keine)" in said(refused)


def test_without_the_mapping_nothing_can_be_read(tmp_path: Path, kleinland: Profile) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes(limesurvey_csv([REPLY]))
    with pytest.raises(WrongUsage, match=r"nirgends\.csv: die Zuordnung der Fragen fehlt"):
        read_limesurvey(file, "Befragung", {"wave": "2020", "mapping": "nirgends.csv"}, kleinland)


def test_a_frame_that_is_missing_is_not_taken_for_a_damaged_export(
    survey: Callable[..., list[dict[str, str | None]]],
) -> None:
    with pytest.raises(WrongUsage, match=r"nirgends\.csv: der Rahmen der Befragung fehlt"):
        survey([REPLY], missing_frame="nirgends.csv")


# --- The office's own tables -----------------------------------------------------------------------------------------

HINTS = (KLEINLAND / "hints.csv").read_text(encoding="utf-8")


def office(file: Path, content: bytes, profile: Profile) -> list[dict[str, str | None]]:
    file.write_bytes(content)
    return rows_of(read_office_table(file, "Hinweise", {"dataset": "hints"}, profile)["hints"])


def test_an_office_table_is_taken_in_the_order_of_the_contract(tmp_path: Path, kleinland: Profile) -> None:
    file = tmp_path / "hinweise.csv"
    rows = office(file, HINTS.encode(), kleinland)
    assert tuple(rows[0]) == load_contract("input", "hints").column_names
    turned = "\n".join(",".join(reversed(line.split(","))) for line in HINTS.splitlines())
    assert office(file, turned.encode(), kleinland) == rows
    windows = HINTS.replace(",", ";").encode("cp1252")
    assert office(file, windows, kleinland) == rows


def test_days_as_german_excel_writes_them_are_read_in_a_fetched_table_too(tmp_path: Path, kleinland: Profile) -> None:
    file = tmp_path / "hinweise.csv"
    rows = office(file, HINTS.encode(), kleinland)
    german = re.sub(r"\b(\d{4})-(\d{2})-(\d{2})\b", r"\3.\2.\1", HINTS)
    assert german != HINTS
    assert office(file, german.encode(), kleinland) == rows


def test_an_office_table_may_be_a_sheet_of_a_workbook(tmp_path: Path, kleinland: Profile) -> None:
    file = tmp_path / "liste.xlsx"
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Hinweise")
    for line in HINTS.splitlines():
        sheet.append(line.split(","))
    book.save(file)
    options = {"dataset": "hints", "sheet": "Hinweise"}
    rows = rows_of(read_office_table(file, "Liste", options, kleinland)["hints"])
    assert rows == office(tmp_path / "hinweise.csv", HINTS.encode(), kleinland)
    sheet["C3"] = "=1+1"
    book.save(file)
    with pytest.raises(Refused) as refused:
        read_office_table(file, "Liste", options, kleinland)
    assert said(refused).startswith("Liste [Hinweise], Zeile 3, Spalte „ags“: die Zelle enthält eine Formel")


def test_an_office_table_with_other_columns_is_refused(tmp_path: Path, kleinland: Profile) -> None:
    with pytest.raises(Refused) as refused:
        office(tmp_path / "hinweise.csv", HINTS.replace("titel", "titl").encode(), kleinland)
    missing, unknown = (str(finding) for finding in refused.value.findings)
    assert missing.startswith("Hinweise, Zeile 1, Spalte „titel“: die Spalte fehlt.")
    assert unknown.endswith("Spalte „titl“: diese Spalte ist nicht vereinbart. Meinten Sie „titel“?")
