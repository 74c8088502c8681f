"""``praevkarte check FILE``: a file of the office, recognised by its header, checked in the place of the profile's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from conftest import DAY, KLEINLAND, profile_of

from flows.cli import run as command_line
from flows.errors import Refused, WrongUsage
from flows.office.look import known_datasets, look_at, recognised
from flows.office.suggest import keys_by_name
from flows.sidecar import read_sidecar, record, sha256_of, sidecar_path
from flows.spelling import nearest
from flows.tables import UTF_8, WINDOWS, read_cells, read_table

EVIDENCE = (KLEINLAND / "evidence.csv").read_text(encoding="utf-8")


def handed_in(folder: Path, content: str | bytes, name: str = "liste.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize("dataset", ["committees", "evidence", "hints", "register", "population", "survey_waves"])
def test_a_file_is_recognised_by_its_header_whatever_its_name(tmp_path: Path, dataset: str) -> None:
    file = handed_in(tmp_path, (KLEINLAND / f"{dataset}.csv").read_bytes())
    (source,) = recognised(file, None)
    assert (source.dataset, source.file, source.sheet) == (dataset, file, None)


def test_a_header_with_a_few_mistakes_is_still_recognised(tmp_path: Path) -> None:
    (source,) = recognised(handed_in(tmp_path, EVIDENCE.replace("beleg_id,", "id,").replace("status,", "stand,")), None)
    assert source.dataset == "evidence"


def test_a_header_that_says_nothing_is_answered_with_the_choices(tmp_path: Path) -> None:
    file = handed_in(tmp_path, "Ort;Telefon\nJena;1\n")
    with pytest.raises(WrongUsage, match=r"an der Kopfzeile ist nicht zu erkennen, .* --dataset angeben: committ"):
        recognised(file, None)
    assert [source.dataset for source in recognised(file, "hints")] == ["hints"]


@pytest.mark.parametrize(
    ("name", "dataset", "message"),
    [
        ("fehlt.csv", None, "diese Datei gibt es nicht"),
        ("brief.docx", None, "geprüft werden Dateien mit der Endung .csv oder .xlsx"),
        ("liste.csv", "gremien", "--dataset gremien: diesen Datensatz gibt es nicht. Möglich sind: committees"),
    ],
)
def test_a_file_that_cannot_be_checked_is_told(tmp_path: Path, name: str, dataset: str | None, message: str) -> None:
    for other in ("brief.docx", "liste.csv"):
        handed_in(tmp_path, "a,b\n", other)
    with pytest.raises(WrongUsage) as caught:
        recognised(tmp_path / name, dataset)
    assert message in str(caught.value)


def test_the_file_takes_the_place_of_the_profile_s(
    geodata: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = handed_in(
        tmp_path, EVIDENCE.replace("jaehrlich", "Jährlich").replace(",aktiv,", ",aktif,", 1), "belege neu.csv"
    )
    outputs = tmp_path / "outputs"

    code = command_line(
        [
            "check",
            str(file),
            "--geodata",
            str(geodata),
            "--profile",
            "kleinland",
            "--outputs",
            str(outputs),
            "--date",
            f"{DAY}",
        ]
    )

    said = capsys.readouterr().err
    assert code == 1
    assert "belege neu.csv, Zeile 3, Spalte „turnus“, Wert „Jährlich“" in said
    assert "Meinten Sie „jaehrlich“?" in said and "Meinten Sie „aktiv“?" in said
    assert f"Prüfbericht: {outputs / 'pruefung' / 'index.html'}" in said.replace("\n", "")
    assert (outputs / "pruefung" / "evidence.csv").is_file()
    assert not (outputs / "releases").exists()


@pytest.mark.slow
def test_a_good_file_is_in_order(geodata: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = handed_in(tmp_path, (KLEINLAND / "hints.csv").read_bytes())
    arguments = ["check", str(file), "--geodata", str(geodata), "--profile", "kleinland", "--date", f"{DAY}"]

    assert command_line([*arguments, "--report", str(tmp_path / "berichte")]) == 0
    assert "Die Eingaben sind in Ordnung." in capsys.readouterr().out
    assert (tmp_path / "berichte" / "hints.html").is_file()


def test_a_town_s_name_or_a_mistyped_key_is_answered_with_the_right_one(geodata: Path, tmp_path: Path) -> None:
    text = (KLEINLAND / "committees.csv").read_text(encoding="utf-8")
    text = text.replace("praeventionsrat,99001001", "praeventionsrat,Aldorff").replace("99001005;99001006", "9901006")
    text = text.replace("partnerschaft,99002005", "partnerschaft,99002006")
    file = handed_in(tmp_path, text)

    with pytest.raises(Refused) as caught:
        look_at(profile_of(geodata), tmp_path / "outputs", DAY, recognised(file, None), None)

    remedies = {finding.value: finding.remedy for finding in caught.value.findings}
    assert "Meinten Sie „99001001“ (Aldorf, Stadt)?" in remedies["Aldorff"]
    assert "„99001006“ (Gronau)" in remedies["9901006"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Muehlhausen", "Mühlhausen/Thüringen, Stadt"),
        ("MÜHLHAUSEN / THÜRINGEN", "Mühlhausen/Thüringen, Stadt"),
        ("Greussen", "Greußen, Stadt"),
        ("Ilmenaw", "Ilmenau, Stadt"),
        ("Berlin", None),
    ],
)
def test_names_are_near_however_umlauts_are_typed(typed: str, meant: str | None) -> None:
    names = ("Mühlhausen/Thüringen, Stadt", "Greußen, Stadt", "Ilmenau, Stadt", "Bad Berka, Stadt")
    keys = keys_by_name({name: name for name in names})
    assert [key for name in nearest(typed, {name: name for name in keys}) for key in keys[name]] == (
        [meant] if meant else []
    )


def test_of_a_workbook_every_sheet_is_recognised_and_explanations_are_left_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Lies mich"
    book.active.append(["Bitte alle Blätter ausfüllen"])
    for title, dataset in (("B", "evidence"), ("A", "committees")):
        sheet = book.create_sheet(title)
        for row in csv.reader((KLEINLAND / f"{dataset}.csv").read_text(encoding="utf-8").splitlines()):
            sheet.append(row)
    file = tmp_path / "alles.xlsx"
    book.save(file)

    assert [(source.dataset, source.sheet) for source in recognised(file, None)] == [
        ("evidence", "B"),
        ("committees", "A"),
    ]


def test_every_dataset_that_can_be_handed_in_has_a_contract_of_its_own() -> None:
    assert {"committees", "evidence", "hints", "survey_responses_2020"} <= set(known_datasets())
    assert not {"survey_responses", "boundaries"} & set(known_datasets())


# --- noting what was edited ----------------------------------------------------------------------------------------


def recorded(geodata: Path, tmp_path: Path, *options: str) -> int:
    places = ["--geodata", str(geodata), "--outputs", str(tmp_path / "outputs"), "--date", f"{DAY}"]
    return command_line(["check", "--profile", profile_of(geodata).name, *places, *options])


def edit(geodata: Path, name: str, old: str, new: str) -> Path:
    """One of Kleinland's files with a change by hand."""
    file = geodata / "kleinland" / name
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new, 1), encoding="utf-8")
    return file


def downloaded(geodata: Path, name: str) -> Path:
    """One of Kleinland's files as one that nobody edits."""
    file = geodata / "kleinland" / name
    record(file, replace(read_sidecar(file), edited_here=False))
    return file


def is_recorded(file: Path) -> bool:
    return read_sidecar(file).sha256 == sha256_of(file)


@pytest.mark.slow
def test_an_edit_is_recorded_when_the_inputs_are_in_order(
    make_geodata: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geodata = make_geodata()
    file = edit(geodata, "evidence.csv", "Der Rat hat getagt.", "Der Rat tagte.")
    assert recorded(geodata, tmp_path, "--record") == 0
    said = capsys.readouterr()
    assert "Stand von evidence.csv festgehalten." in said.out
    assert "von Hand geändert" not in said.out
    assert is_recorded(file)
    assert read_sidecar(file).retrieved == DAY.isoformat()


def test_what_is_refused_is_not_recorded(
    make_geodata: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geodata = make_geodata()
    file = edit(geodata, "hints.csv", "hinweis_id", "hinweis")
    before = sidecar_path(file).read_bytes()
    assert recorded(geodata, tmp_path, "--record") == 1
    said = capsys.readouterr()
    assert "Nichts festgehalten." in said.err
    assert "Stand von" not in said.out + said.err
    assert sidecar_path(file).read_bytes() == before


@pytest.mark.slow
def test_a_record_that_may_wait_does_not_keep_its_file_from_being_recorded(
    make_geodata: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = 'extends = "kleinland"\n[office]\nset_aside = ["committees", "evidence", "hints"]\n'
    geodata = make_geodata({"profile.toml": waiting})
    file = edit(geodata, "evidence.csv", ",aktiv,", ",aktif,")
    assert recorded(geodata, tmp_path, "--record") == 1
    said = capsys.readouterr().err
    assert "die betroffenen Einträge würden zurückgestellt" in said
    assert "Stand von evidence.csv festgehalten." in said
    assert is_recorded(file)


@pytest.mark.slow
def test_damage_to_a_download_is_not_taken_for_an_edit(
    make_geodata: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geodata = make_geodata()
    register = downloaded(geodata, "register.csv")
    evidence = edit(geodata, "evidence.csv", "Der Rat hat getagt.", "Der Rat tagte.")
    edit(geodata, "register.csv", "Aldorf", "Altdorf")

    assert recorded(geodata, tmp_path, "--record") == 1
    said = capsys.readouterr().err
    assert "register.csv: der Inhalt stimmt nicht mit der Prüfsumme der Quelle überein." in said
    assert "`praevkarte check --record-file register.csv`" in said
    assert "Nichts festgehalten." in said
    assert not is_recorded(register)
    assert not is_recorded(evidence)

    assert recorded(geodata, tmp_path, "--record-file", "register.csv") == 0
    assert is_recorded(register)
    assert not is_recorded(evidence)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--record-file", "fehlt.csv"], "--record-file fehlt.csv: diese Datei nennt das Profil nicht. Möglich: "),
        (["--reviewed", "register"], "--reviewed register: das ist keine Tabelle von Hand."),
        (["neu.csv", "--record"], "neu.csv: festgehalten wird nur, was das Profil nennt."),
    ],
)
def test_what_cannot_be_recorded_is_told(
    options: list[str],
    message: str,
    make_geodata: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    geodata = make_geodata()
    downloaded(geodata, "register.csv")
    assert recorded(geodata, tmp_path, *options) == 2
    assert message in capsys.readouterr().err


# --- encodings and cells -------------------------------------------------------------------------------------------

GERMAN = "id;ort\n1;Mühlhausen – „Straße“ für 5 €\n"


@pytest.mark.parametrize(("encoding", "read_as"), [("utf-8", UTF_8), ("utf-8-sig", UTF_8), ("cp1252", WINDOWS)])
def test_a_german_table_is_read_from_excel_s_encodings(tmp_path: Path, encoding: str, read_as: str) -> None:
    table = read_table(handed_in(tmp_path, GERMAN.encode(encoding)), None, "liste.csv")
    assert (table.rows, table.encoding) == ((("1", "Mühlhausen – „Straße“ für 5 €"),), read_as)


@pytest.mark.parametrize("word", ["Mühlhausen", "Straße", "Ärztekammer", "Größe", "Übung", "Bürgermeisterämter"])
@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "utf-16"])
def test_other_encodings_are_refused_rather_than_misread(tmp_path: Path, encoding: str, word: str) -> None:
    file = handed_in(tmp_path, f"id;ort\n1;{word}\n".encode(encoding))
    with pytest.raises(Refused, match=r"weder in UTF-8 noch eindeutig in Windows-1252 gespeichert"):
        read_table(file, None, "liste.csv")


def workbook(change: Callable[[object], None]) -> bytes:
    book = openpyxl.Workbook()
    for row in (["id", "ort"], ["1", "Jena"], ["2", "Gera"], ["3", "Suhl"]):
        book.active.append(row)
    change(book.active)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_merged_cells_and_formulas_without_a_result_are_named(tmp_path: Path) -> None:
    def change(sheet: object) -> None:
        sheet.merge_cells("B2:B3")  # type: ignore[attr-defined]
        sheet["B4"] = "=A4&A3"  # type: ignore[index]

    table = read_cells(handed_in(tmp_path, workbook(change), "mappe.xlsx"), None, "mappe.xlsx")

    assert [str(fault) for fault in table.faults] == [
        "mappe.xlsx, Zeile 2, Spalte „ort“: die Zellen B2:B3 sind verbunden. "
        "Bitte die Verbindung aufheben und jede Zelle selbst füllen.",
        "mappe.xlsx, Zeile 3, Spalte „ort“: die Zellen B2:B3 sind verbunden. "
        "Bitte die Verbindung aufheben und jede Zelle selbst füllen.",
        "mappe.xlsx, Zeile 4, Spalte „ort“: die Zelle enthält eine Formel ohne gespeichertes Ergebnis. "
        "Bitte den Wert selbst eintragen.",
    ]


def test_what_lies_beside_the_table_is_no_fault(tmp_path: Path) -> None:
    def change(sheet: object) -> None:
        sheet.merge_cells("D6:F8")  # type: ignore[attr-defined]

    assert read_cells(handed_in(tmp_path, workbook(change), "mappe.xlsx"), None, "mappe.xlsx").faults == ()
