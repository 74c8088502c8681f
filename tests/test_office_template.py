"""Templates: what the office fills in with valid values passes the check, and what it does not know is explained."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from conftest import DAY, KLEINLAND, profile_of

from flows.cli import run as command_line
from flows.contracts import load_contract
from flows.errors import Refused, WrongUsage
from flows.office.look import is_empty, look_at, recognised
from flows.office.template import HELP, LISTS, template_contracts, write_template

Make = Callable[..., Path]


@pytest.fixture
def committees(tmp_path: Path) -> Path:
    file = tmp_path / "gremien.xlsx"
    write_template(file, template_contracts("committees", None))
    return file


def fill_in(file: Path, sheet: str, dataset: str, rows: list[dict[str, str]]) -> None:
    """Type rows into a sheet as a person does: days as days, numbers as numbers, all else as text."""
    fields = {field.name: field for field in load_contract("input", dataset).fields}
    book = openpyxl.load_workbook(file)
    for line, row in enumerate(rows, start=2):
        for number, (name, text) in enumerate(row.items(), start=1):
            value: object = text or None
            if text and fields[name].type == "date":
                value = date.fromisoformat(text)
            elif text and fields[name].type == "integer":
                value = int(text)
            cell = book[sheet].cell(line, number, value)
            if isinstance(value, date):
                cell.number_format = book[sheet].column_dimensions[cell.column_letter].number_format
    book.save(file)


def kleinland(name: str) -> list[dict[str, str]]:
    with (KLEINLAND / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_committees_and_evidence_filled_in_pass_the_check(geodata: Path, committees: Path, tmp_path: Path) -> None:
    fill_in(committees, "Gremien", "committees", kleinland("committees"))
    fill_in(committees, "Belege zu Gremien", "evidence", kleinland("evidence"))

    sources = recognised(committees, None)
    outcome = look_at(profile_of(geodata), tmp_path / "outputs", DAY, sources, None)

    assert [(source.dataset, source.sheet) for source in sources] == [
        ("committees", "Gremien"),
        ("evidence", "Belege zu Gremien"),
    ]
    assert outcome.result == "checked"
    assert (outcome.reports["load"].rows["committees"], outcome.reports["load"].rows["evidence"]) == (6, 9)


@pytest.mark.slow
def test_answers_filled_in_pass_the_check(geodata: Path, tmp_path: Path) -> None:
    file = tmp_path / "antworten.xlsx"
    write_template(file, template_contracts("survey", "2020"))
    answers = {"einheit": "99001001", "eingegangen_am": "2020-06-15", "geantwortet": "ja", "gremien": "aktiv"}
    answers |= {"themen": "einbruchschutz;alkohol", "mitglieder": "polizei_land", "turnus": "jaehrlich"}
    fill_in(
        file, "Antworten der Befragung 2020", "survey_responses_2020", [answers | {"unterstuetzungsbedarf": "nein"}]
    )

    outcome = look_at(profile_of(geodata), tmp_path / "outputs", DAY, recognised(file, None), None)

    assert outcome.reports["load"].rows["survey_responses_2020"] == 1


@pytest.mark.slow
def test_what_is_wrong_in_a_template_is_told_with_its_sheet(geodata: Path, committees: Path, tmp_path: Path) -> None:
    rows = kleinland("committees")
    rows[2]["ags"] = "Eichn"
    fill_in(committees, "Gremien", "committees", rows)
    fill_in(committees, "Belege zu Gremien", "evidence", kleinland("evidence"))

    with pytest.raises(Refused) as caught:
        look_at(profile_of(geodata), tmp_path / "outputs", DAY, recognised(committees, None), tmp_path / "berichte")

    (finding,) = caught.value.findings
    assert str(finding).startswith("gremien.xlsx [Gremien], Zeile 4, Spalte „ags“, Wert „Eichn“")
    assert "Meinten Sie „99001005“ (Eichen, Stadt)" in finding.remedy
    assert ";Gremien;4;eichen-runder-tisch;ags;Eichn;" in (tmp_path / "berichte" / "committees.csv").read_text("utf-8")


def test_an_empty_template_is_answered_kindly(
    geodata: Path, committees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_empty(recognised(committees, None))
    arguments = ["check", str(committees), "--geodata", str(geodata), "--profile", "kleinland"]

    assert command_line([*arguments, "--outputs", str(tmp_path / "outputs")]) == 0

    said = capsys.readouterr().out
    assert said.startswith("gremien.xlsx [Gremien] und gremien.xlsx [Belege zu Gremien]: noch ist nichts eingetragen.")
    assert not (tmp_path / "outputs").exists()


def test_codes_are_chosen_from_a_list_and_lists_of_codes_are_explained(committees: Path) -> None:
    book = openpyxl.load_workbook(committees)
    rules = {str(rule.sqref): rule for rule in book["Belege zu Gremien"].data_validations.dataValidation}
    columns = [cell.value for cell in book["Belege zu Gremien"][1]]

    def rule(column: str) -> object:
        letter = openpyxl.utils.get_column_letter(columns.index(column) + 1)
        return rules[f"{letter}2:{letter}2001"]

    status, topics = rule("status"), rule("themen")
    assert status.type == "list"  # type: ignore[attr-defined]
    area = status.formula1.partition("!")[2].replace("$", "")  # type: ignore[attr-defined]
    offered = [row[0].value for row in book[LISTS][area]]
    assert offered == [
        code for code in load_contract("input", "evidence").fields[5].allowed if code != "stand_unbekannt"
    ]
    assert topics.type is None and "mehrere mit „;“ trennen" in topics.prompt  # type: ignore[attr-defined]


def test_every_column_has_its_help_and_keys_are_text(committees: Path) -> None:
    book = openpyxl.load_workbook(committees)
    assert book.sheetnames == [HELP, "Gremien", "Belege zu Gremien", LISTS]
    explained = {row[1].value for row in book[HELP].iter_rows(min_row=8)}
    for sheet, dataset in (("Gremien", "committees"), ("Belege zu Gremien", "evidence")):
        contract = load_contract("input", dataset)
        heads = book[sheet][1]
        assert tuple(cell.value for cell in heads) == contract.column_names
        for cell, field in zip(heads, contract.fields, strict=True):
            assert cell.comment.text.startswith(field.title)
        assert book[sheet].freeze_panes == "B2"
        assert set(contract.column_names) <= explained
        for cell, field in zip(heads, contract.fields, strict=True):
            shown = book[sheet].column_dimensions[cell.column_letter].number_format
            assert shown == {"string": "@", "date": "YYYY-MM-DD", "integer": "0"}[field.type]
        for rule in book[sheet].data_validations.dataValidation:
            assert len(rule.prompt) <= 255 and len(rule.promptTitle) <= 32 and len(rule.error) <= 255


@pytest.mark.parametrize("kind", ["hints", "monitoring", "register", "population", "survey_waves", "resources"])
def test_every_dataset_of_the_office_has_a_template_that_is_recognised(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "vorlage.xlsx"
    write_template(file, template_contracts(kind, None))

    assert [source.dataset for source in recognised(file, None)] == [kind]


def test_a_template_never_takes_the_place_of_a_file(committees: Path) -> None:
    before = committees.read_bytes()
    with pytest.raises(WrongUsage, match=r"gremien\.xlsx: diese Datei gibt es schon"):
        write_template(committees, template_contracts("committees", None))
    assert committees.read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "wave", "message"),
    [
        ("survey", None, "Für welche Welle? Bitte --wave angeben. Vorhanden: 2020"),
        ("survey", "1999", "--wave 1999: für diese Welle gibt es keinen Vertrag. Vorhanden: 2020"),
        ("gremien", None, "Die Vorlage „gremien“ gibt es nicht. Möglich sind: survey, committees"),
        ("boundaries", None, "Die Vorlage „boundaries“ gibt es nicht"),
    ],
)
def test_a_template_that_does_not_exist_is_answered_with_those_that_do(
    kind: str, wave: str | None, message: str
) -> None:
    with pytest.raises(WrongUsage) as caught:
        template_contracts(kind, wave)
    assert str(caught.value).startswith(message)
