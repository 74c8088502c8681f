"""A new wave of the survey: whom to ask on which day, the contract of the answers, and nothing invented."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from conftest import KLEINLAND, build_geodata, profile_of

from flows.cli import run as command_line
from flows.contracts import load_contract
from flows.errors import WrongUsage
from flows.office.wave import INPUTS, Wave, frame_of, new_wave, prepare_wave
from flows.paths import CONTRACTS, GEODATA, LOCK, ROOT, SQL
from flows.profile import Fetch, Profile, load_profile

Make = Callable[..., Path]


def frame(profile: Profile, outputs: Path, day: date, threshold: int = 1000) -> list[str]:
    found = frame_of(profile, outputs, Wave("2023", day, threshold), None)
    assert (found.territory, found.population) == (day, date(2018, 12, 31))
    return [town.ags for town in found.towns]


@pytest.mark.slow
def test_towns_from_the_threshold_on_the_territory_of_the_day_are_asked(geodata: Path, outputs: Path) -> None:
    """Flur has more inhabitants than any town, but is none."""
    profile = profile_of(geodata)
    assert frame(profile, outputs, date(2020, 6, 30)) == ["99001001", "99001005"]
    assert not outputs.exists()


@pytest.mark.slow
def test_a_town_is_asked_under_the_key_of_the_day(geodata: Path, outputs: Path) -> None:
    """Eichen changed its key in 2021."""
    assert frame(profile_of(geodata), outputs, date(2022, 12, 31)) == ["99001001", "99002005"]


@pytest.mark.slow
def test_the_threshold_counts_itself(geodata: Path, outputs: Path) -> None:
    profile = profile_of(geodata)
    assert frame(profile, outputs, date(2020, 6, 30), threshold=1500) == ["99001001"]


@pytest.mark.slow
def test_the_frame_of_the_survey_of_2020_comes_out_again(outputs: Path) -> None:
    profile = load_profile(GEODATA, "thueringen")
    found = frame_of(profile, outputs, Wave("2099", date(2020, 6, 30), 10_000), date(2018, 12, 31))
    assert (len(found.towns), found.towns[0].name) == (36, "Erfurt, Stadt")


@pytest.mark.slow
def test_a_newer_register_gives_the_frame_that_the_changes_cannot(make_geodata: Make, outputs: Path) -> None:
    register = (KLEINLAND / "register.csv").read_text(encoding="utf-8")
    newer = "".join(line for line in register.splitlines(True)[1:]).replace("2019-12-31", "2026-03-31")
    geodata = make_geodata({"register.csv": register + newer})

    found = frame_of(profile_of(geodata), outputs, Wave("2026", date(2026, 6, 30), 1000), None)

    assert [town.ags for town in found.towns] == ["99001001", "99001005"]
    assert (found.territory, found.towns[0].population) == (date(2026, 3, 31), 1510)


@pytest.mark.slow
def test_what_is_wrong_with_other_inputs_does_not_keep_the_office_from_asking(
    make_geodata: Make, outputs: Path
) -> None:
    """The towns come from register, changes and population; a faulty committee is no part of that."""
    geodata = make_geodata({"committees.csv": "gremium_id\nx\n", "hints.csv.source.json": "{"})
    assert frame(profile_of(geodata), outputs, date(2020, 6, 30)) == ["99001001", "99001005"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("day", "message"),
    [
        (date(2026, 6, 30), "die Gebietsänderungen sind nur bis 31.12.2023 bekannt"),
        (date(2012, 6, 30), "zum 30.06.2012 sind keine Einwohnerzahlen bekannt"),
    ],
)
def test_a_day_on_which_nobody_knows_the_towns_is_refused(
    geodata: Path, outputs: Path, day: date, message: str
) -> None:
    with pytest.raises(WrongUsage) as caught:
        frame_of(profile_of(geodata), outputs, Wave("2026", day, 1000), None)
    assert f"Die Städte zum {day:%d.%m.%Y} lassen sich nicht bestimmen: " in str(caught.value)
    assert message in str(caught.value)


def test_a_source_that_cannot_be_meant_is_told(geodata: Path, outputs: Path) -> None:
    profile = replace(profile_of(geodata), fetches=(Fetch("grenzen", "vg251", "x", {}),))
    with pytest.raises(WrongUsage, match=r"\[fetch\.grenzen\]: die Art „vg251“ gibt es nicht"):
        frame(profile, outputs, date(2020, 6, 30))


@pytest.mark.parametrize(("key", "message"), [("2020", "gibt es schon"), ("20", "keine Welle"), ("neu", "keine Welle")])
def test_a_wave_is_a_new_year(geodata: Path, key: str, message: str) -> None:
    with pytest.raises(WrongUsage, match=message):
        new_wave(profile_of(geodata), key, date(2022, 12, 31), None)


@pytest.mark.slow
def test_a_new_wave_is_prepared_with_all_that_is_known_and_nothing_else(
    make_geodata: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geodata, out = make_geodata(), tmp_path / "welle"
    arguments = ["survey", "new", "2022", "--date", "2020-06-30", "--geodata", str(geodata), "--profile", "kleinland"]
    arguments += ["--out", str(out), "--outputs", str(tmp_path / "outputs")]

    assert command_line(arguments) == 0
    assert capsys.readouterr().out.startswith("2 Städte ab 1.000 Einwohnern; Gebietsstand 30.06.2020")

    contract = json.loads((out / "survey_responses_2022.json").read_text(encoding="utf-8"))
    before = load_contract("input", "survey_responses_2020").raw
    assert (contract["name"], contract["extends"]) == ("survey_responses_2022", "input/survey_responses")
    assert contract["fields"] == before["fields"]

    (row,) = csv.DictReader((out / "survey_waves_2022.csv").read_text(encoding="utf-8").splitlines())
    known = {"welle": "2022", "mindestgroesse": "1000", "einwohner_stand": "2018-12-31", "gebietsstand": "2020-06-30"}
    assert {name: value for name, value in row.items() if value} == known
    assert tuple(row) == load_contract("input", "survey_waves").column_names

    sheet = openpyxl.load_workbook(out / "einladung_2022.xlsx").active
    assert [[cell.value for cell in line] for line in sheet.iter_rows()] == [
        ["ags", "stadt", "verband_schluessel", "verband", "einwohner", "funktionspostfach"],
        ["99001001", "Aldorf, Stadt", "990010001", "Aldorf, Stadt", 1500, None],
        ["99001005", "Eichen, Stadt", "990015005", "Eichen, Stadt", 1200, None],
    ]
    steps = (out / "naechste_schritte.md").read_text(encoding="utf-8")
    assert "Ausgewählt sind 2 Städte ab 1.000 Einwohnern." in steps
    assert all(f"- `{name}` –" in steps for name in row if name not in known)
    assert "nach `geodata/contracts/input/` des Programms kopieren" in steps


@pytest.mark.slow
def test_everything_is_written_where_it_is_told(
    geodata: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(INPUTS.iterdir())
    out = tmp_path / "welle"
    arguments = ["survey", "new", "2022", "--date", "2020-06-30", "--geodata", str(geodata), "--profile", "kleinland"]

    assert command_line([*arguments, "--out", str(out), "--outputs", str(tmp_path / "outputs"), "--json"]) == 0

    written = {Path(file) for file in json.loads(capsys.readouterr().out)["dateien"]}
    assert written == set(out.iterdir())
    assert set(tmp_path.iterdir()) == {out}
    assert set(INPUTS.iterdir()) == before


@pytest.mark.slow
def test_without_a_folder_of_one_s_own_the_contract_goes_where_the_program_finds_it(
    make_geodata: Make, tmp_path: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geodata, inputs = make_geodata(), tmp_path / "contracts"
    shutil.copytree(INPUTS, inputs)
    monkeypatch.setattr("flows.office.wave.INPUTS", inputs)
    monkeypatch.setattr("flows.commands.office.GEODATA", geodata)
    arguments = ["survey", "new", "2022", "--date", "2020-06-30", "--geodata", str(geodata), "--profile", "kleinland"]

    assert command_line([*arguments, "--outputs", str(outputs)]) == 0

    folder = geodata / "kleinland" / "befragung_2022"
    assert (inputs / "survey_responses_2022.json").is_file()
    assert not (folder / "survey_responses_2022.json").exists()
    assert "des Programms kopieren" not in (folder / "naechste_schritte.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_wave_that_has_a_contract_is_not_prepared_anew(geodata: Path, outputs: Path, tmp_path: Path) -> None:
    wave = Wave("2020", date(2020, 6, 30), 1000)
    found = frame_of(profile_of(geodata), outputs, wave, None)

    with pytest.raises(WrongUsage, match=r"survey_responses_2020\.json: den Vertrag dieser Welle gibt es schon"):
        prepare_wave(tmp_path / "welle", wave, found)

    assert not (tmp_path / "welle").exists()


@pytest.mark.slow
def test_nothing_is_overwritten_or_written_by_halves(geodata: Path, tmp_path: Path, outputs: Path) -> None:
    out = tmp_path / "welle"
    wave = Wave("2022", date(2020, 6, 30), 1000)
    found = frame_of(profile_of(geodata), outputs, wave, None)
    out.mkdir()
    (out / "naechste_schritte.md").write_text("meins", encoding="utf-8")

    with pytest.raises(WrongUsage, match=r"naechste_schritte\.md: das gibt es schon"):
        prepare_wave(out, wave, found)

    assert [file.name for file in out.iterdir()] == ["naechste_schritte.md"]


class Installed:
    """A copy of the program with Kleinland as a profile of its own, called as the office calls it."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "geodata" / "kleinland"
        shutil.copytree(ROOT / "flows", root / "flows")
        shutil.copytree(SQL, root / "sql")
        shutil.copytree(CONTRACTS, root / "geodata" / "contracts")
        shutil.copy(LOCK, root)
        shutil.copytree(build_geodata(root / "zutaten") / "kleinland", self.folder)

    def praevkarte(self, command: str) -> str:
        """What the program says to a command that succeeds."""
        arguments = [sys.executable, "-m", "flows", *command.split()]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PRAEVKARTE_")}
        done = subprocess.run(arguments, cwd=self.root, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.mark.slow
def test_the_next_steps_followed_to_the_letter_end_in_a_check_without_a_finding(tmp_path: Path) -> None:
    office = Installed(tmp_path)
    office.praevkarte("survey new 2027 --date 2022-12-31 --profile kleinland")
    wave = office.folder / "befragung_2027"
    steps = (wave / "naechste_schritte.md").read_text(encoding="utf-8")
    template, check = re.findall(r"`praevkarte ([^`]*)`", steps)
    (line,) = re.findall(r"```toml\n\s*(.*)\n", steps)

    # 3. Answers.
    office.praevkarte(template)
    answers = tmp_path / "antworten_2027.xlsx"
    book = openpyxl.load_workbook(answers)
    for column, value in enumerate(["99002005", date(2027, 1, 20), "ja", "aktiv"], start=1):
        book["Antworten der Befragung 2027"].cell(2, column, value)
    book.save(answers)

    # 4. Key facts.
    (row,) = csv.DictReader((wave / "survey_waves_2027.csv").read_text(encoding="utf-8").splitlines())
    (earlier,) = csv.DictReader((office.folder / "survey_waves.csv").read_text(encoding="utf-8").splitlines())
    row = earlier | {"erhoben": "2027-01"} | {name: value for name, value in row.items() if value}
    with (office.folder / "survey_waves.csv").open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerow(row.values())

    # 5. Publishing.
    description = wave / "antworten_2027.xlsx.source.json"
    facts = json.loads(description.read_text(encoding="utf-8"))
    assert [name for name, value in facts.items() if value == ""] == [
        "url", "licence", "licence_url", "attribution", "sha256"
    ]  # fmt: skip
    facts |= {"licence": "dl-de/by-2-0", "licence_url": "https://www.govdata.de/dl-de/by-2-0", "attribution": "Wir"}
    description.write_text(json.dumps(facts), encoding="utf-8")
    for file in (description, answers):
        shutil.move(file, office.folder)
    profile = office.folder / "profile.toml"
    settings = profile.read_text(encoding="utf-8").replace("\n[sources]\n", f"\n[sources]\n{line}\n")
    profile.write_text(settings.replace('wave = "2020"', 'wave = "2027"'), encoding="utf-8")

    said = office.praevkarte(f"{check} --profile kleinland --date 2027-03-01")

    assert "Stand von antworten_2027.xlsx festgehalten." in said
    assert said.splitlines()[-1] == "Die Eingaben sind in Ordnung."
