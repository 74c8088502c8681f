"""The command line as operators and their scripts meet it: exit codes, German on stderr, JSON on stdout."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from operating import FIRST, HELD, SECOND, Place, lean
from packaged import PUBLISHER

from flows.cli import COMMANDS, run
from flows.store import HELD_RELEASE
from flows.targets.local import LocalTarget

# Most tests start the command as a process.
pytestmark = pytest.mark.slow

pytest_plugins = ["places"]

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Said:
    """What a call said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.out)
        return content


Cli = Callable[..., Said]


@pytest.fixture(autouse=True)
def lean_releases() -> Iterator[None]:
    with lean():
        yield


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], nights: dict[str, Path], outputs: Path) -> Cli:
    """``cli("list", night=SECOND)``: a call over the inputs of a night (by default the first)."""

    def call(command: str, *arguments: str, night: str | Path = FIRST) -> Said:
        capsys.readouterr()
        geodata = nights[night] if isinstance(night, str) else night
        places = ["--geodata", str(geodata), "--outputs", str(outputs)]
        profile = [] if command == "serve" else ["--profile", "kleinland"]
        code = run([command, *arguments, *profile, *places])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def after(history: dict[str, Path], outputs: Path, cli: Cli) -> Callable[[str], Cli]:
    """``after(id)``: the command line with local outputs as they were after that night."""

    def state(release_id: str) -> Cli:
        shutil.copytree(history[release_id], outputs, symlinks=True)
        return cli

    return state


# --- exit codes ----------------------------------------------------------------------------------------------------


def test_nothing_changed_is_0(after: Callable[[str], Cli]) -> None:
    said = after(SECOND)("release", "--date", "2026-02-10", night=SECOND)
    assert (said.code, said.err) == (0, "")
    assert f"Nichts geändert: {SECOND} ist aktuell." in said.out


def test_held_is_4_each_night_until_a_person_decides(after: Callable[[str], Cli], outputs: Path) -> None:
    said = after(HELD)("release", "--date", "2026-02-10", night=HELD)
    assert (said.code, said.err) == (4, "")
    assert f"{HELD} aus denselben Eingaben wartet schon auf Freigabe." in said.out
    assert f"Bericht: {outputs}/held/{HELD}/bericht.md" in said.out
    assert Path(f"{outputs}/held/{HELD}/bericht.md").is_file()


def test_blocked_is_0_and_says_so(after: Callable[[str], Cli]) -> None:
    cli = after(HELD)
    assert cli("reject", HELD, "--reason", "verschwundene Zeilen", "--date", "2026-02-10").code == 0
    said = cli("release", "--date", "2026-02-11", night=HELD)
    assert said.code == 0
    assert "gesperrt, seit 10.02.2026" in said.out


def test_refused_is_1_with_every_finding_on_stderr(cli: Cli, make_geodata: Callable[..., Path]) -> None:
    geodata = make_geodata({"hints.csv": "hinweis_id,art\nx,y\n"})
    said = cli("release", "--date", "2026-02-10", night=geodata)
    assert (said.code, said.out.count("Abgelehnt")) == (1, 0)
    assert said.err.startswith("Abgelehnt: ")
    assert "es wurde nichts veröffentlicht" in said.err
    assert "• hints.csv, Zeile 1, Spalte „ags“: die Spalte fehlt." in said.err
    assert "Traceback" not in said.err


def test_a_refusal_says_where_its_report_is(cli: Cli, make_geodata: Callable[..., Path], outputs: Path) -> None:
    said = cli("release", night=make_geodata({"hints.csv": "hinweis_id,art\nx,y\n"}))
    assert f"Prüfberichte: {outputs}/reports/index.html" in said.err
    assert (outputs / "reports" / "index.html").is_file()


def test_where_records_are_set_aside_the_report_names_row_value_and_remedy(
    make_geodata: Callable[..., Path], outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = 'extends = "kleinland"\n[office]\nset_aside = ["hints"]\n'
    hints = (ROOT / "tests" / "kleinland" / "hints.csv").read_text(encoding="utf-8")
    geodata = make_geodata({"profile.toml": waiting, "hints.csv": f"{hints}neu,irgendwas,,,,,,,,\n"})
    places = ["--profile", "variante", "--geodata", str(geodata), "--outputs", str(outputs), "--date", "2026-02-01"]
    assert run(["release", *places]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = next(number for number, line in enumerate(lines) if "1 Eintrag zurückgestellt" in line)
    assert lines[told + 1] == f"  Zeile, Wert und Abhilfe: {outputs}/reports/index.html"


def test_a_missing_source_is_3(cli: Cli, make_geodata: Callable[..., Path]) -> None:
    said = cli("check", "--date", "2026-02-10", night=make_geodata({"hints.csv": None}))
    assert said.code == 3
    assert said.err.startswith("Fehler: ")
    assert "hints.csv: die Eingabe „hints“ fehlt." in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gibtesnicht"], "Den Befehl „gibtesnicht“ gibt es nicht. Hilfe: `praevkarte --help`"),
        (["list", "--gibtesnicht"], "Die Option --gibtesnicht gibt es nicht. Hilfe: `praevkarte list --help`"),
        (["list", "zuviel"], "Das ist eine Angabe zu viel: zuviel."),
        (["rollback"], "Die Angabe release_id fehlt."),
        (["rollback", FIRST], "Die Angabe --reason fehlt."),
        (["prune", "--keep-days", "viele"], "Der Wert von --keep-days ist nicht erlaubt"),
        (["prune", "--keep-days", "0"], "Der Wert von --keep-days ist nicht erlaubt"),
        (["prune", "--keep-days"], "Die Option --keep-days ist unvollständig"),
        (["release", "--date", "gestern"], "--date gestern: das ist kein Datum in der Form JJJJ-MM-TT."),
        (["release", "--profile", "saarland"], "Das Profil „saarland“ gibt es nicht"),
    ],
)
def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Fehler: ")
    assert words in said.err
    assert "Traceback" not in said.err


def test_a_store_in_use_is_1_and_names_the_holder(after: Callable[[str], Cli], outputs: Path) -> None:
    cli = after(SECOND)
    with LocalTarget(outputs).locked():
        said = cli("release", night=SECOND)
    assert said.code == 1
    assert f"ein anderer Lauf arbeitet hier (Prozess {os.getpid()})" in said.err


def test_an_operation_that_cannot_be_is_2(after: Callable[[str], Cli]) -> None:
    said = after(SECOND)("approve", "2026.02.09", "--reason", "geprüft")
    assert said.code == 2
    assert "Fehler: Die Ausgabe „2026.02.09“ wartet nicht auf Freigabe. Es warten: keine." in said.err


def test_a_disk_without_room_is_1(after: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch, outputs: Path) -> None:
    def full(self: LocalTarget, key: str, content: bytes) -> None:  # noqa: ARG001
        raise OSError(28, "No space left on device", str(self.root / key))

    cli = after(SECOND)
    monkeypatch.setattr(LocalTarget, "write", full)
    said = cli("rollback", FIRST, "--reason", "falsche Angabe")
    assert said.code == 1
    assert f"{outputs}/.journal.json: auf dem Datenträger ist kein Platz mehr. Frei sind " in said.err
    assert f"Die Ausgabe {SECOND} belegt " in said.err
    assert "Platz schafft `praevkarte prune --keep-days 365`." in said.err
    assert "Traceback" not in said.err


# --- switches ------------------------------------------------------------------------------------------------------


def test_debug_shows_the_traceback_wherever_it_stands(after: Callable[[str], Cli]) -> None:
    cli = after(SECOND)
    for arguments in (["--debug"], []):
        said = cli("show", "2025.01.01", *arguments)
        assert said.code == 2
        assert ("Traceback" in said.err) == bool(arguments)
        assert "Fehler: Die Ausgabe „2025.01.01“ gibt es nicht" in said.err


QUIET = ["release", "check", "verify", "approve", "reject", "rollback", "withdraw", "prune"]
ARGUMENTS = {
    "approve": [HELD, "--reason", "geprüft"],
    "reject": [HELD, "--reason", "falsch"],
    "rollback": [FIRST, "--reason", "falsch"],
    "withdraw": [FIRST, "--reason", "falsch"],
    "prune": ["--keep-days", "1000"],
    "diff": [FIRST, SECOND],
}


@pytest.mark.parametrize("command", QUIET)
def test_quiet_says_nothing_when_all_is_well(after: Callable[[str], Cli], command: str) -> None:
    said = after(HELD)(command, *ARGUMENTS.get(command, []), "--quiet", night=SECOND)
    assert (said.code, said.out, said.err) == (0, "", "")


# These do not end or give no JSON, or they look at addresses outside, which their own tests play.
APART = ("serve", "template", "freshness", "evidence-links")


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in APART])
def test_json_is_one_object_on_stdout(after: Callable[[str], Cli], command: str) -> None:
    said = after(HELD)(command, *ARGUMENTS.get(command, []), "--json", night=SECOND)
    assert (said.code, said.err) == (0, "")
    assert said.json


def test_json_of_a_refusal_holds_every_finding(cli: Cli, make_geodata: Callable[..., Path]) -> None:
    said = cli("check", "--json", night=make_geodata({"hints.csv": "hinweis_id,art\nx,y\n"}))
    assert said.code == 1
    assert said.json["ergebnis"] == "abgelehnt"
    assert {"check", "source", "row", "column", "message", "remedy", "value"} == set(said.json["befunde"][0])


def test_json_of_an_error_has_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rollback", "--json"]) == 2
    assert "fehlt" in json.loads(capsys.readouterr().out)["meldung"]


def test_the_json_of_a_run_says_how_it_ended(after: Callable[[str], Cli]) -> None:
    said = after(SECOND)("release", "--json", night=SECOND).json
    assert (said["ergebnis"], said["ausgabe"], said["nachgeholt"]) == ("unchanged", SECOND, None)
    assert list(said["sekunden"]) == ["acquire"]


# --- reading -------------------------------------------------------------------------------------------------------


def test_list_of_nothing_says_how_to_begin(cli: Cli) -> None:
    assert "`praevkarte release` baut die erste." in cli("list").out


def test_list_shows_states_blocks_and_what_waits(after: Callable[[str], Cli]) -> None:
    cli = after(HELD)
    cli("withdraw", FIRST, "--reason", "Name einer [Person]", "--date", "2026-02-10")
    assert [line.split(maxsplit=1) for line in cli("list").out.splitlines()] == [
        [FIRST, "zurückgezogen am 10.02.2026: Name einer [Person]"],
        [SECOND, "aktuell"],
        [HELD, "wartet auf Freigabe"],
        ["Gesperrt", f"seit 10.02.2026: die Eingaben von {FIRST} (Name einer [Person])"],
    ]


def test_list_tells_of_an_interrupted_operation(after: Callable[[str], Cli], outputs: Path) -> None:
    cli = after(SECOND)
    entry = {"art": "rollback", "ausgabe": FIRST, "von": SECOND, "grund": "falsch", "datum": "2026-02-10"}
    (outputs / ".journal.json").write_text(json.dumps(entry), encoding="utf-8")

    assert f"Unterbrochen: Rückkehr zu {FIRST}. Der nächste schreibende Aufruf bringt es zu Ende." in cli("list").out
    assert f"Der unterbrochene Wechsel zu {FIRST} wurde abgeschlossen." in cli("prune", "--keep-days", "900").out
    assert "Unterbrochen" not in cli("list").out


def test_show_describes_published_and_held_releases(after: Callable[[str], Cli], outputs: Path) -> None:
    cli = after(HELD)
    said = cli("show").out
    assert said.startswith(f"Präventionskarte Kleinland {SECOND} (veröffentlicht)\n")
    assert f"Adresse: {outputs}/releases/{SECOND}\n" in said
    assert "Gebietsstand: 30.06.2020 · Schema 1.0.0\n" in said
    assert "  gremien.csv " in said
    assert f"Adresse: {outputs}/held/{HELD}/{HELD_RELEASE}\n" in cli("show", HELD).out


def test_diff_names_what_changed_also_against_what_waits(after: Callable[[str], Cli]) -> None:
    cli = after(HELD)
    assert "1 neu: „Präventionsrat Flur“ (Flur)" in cli("diff", FIRST).out
    assert "5 entfallen" in cli("diff", SECOND, HELD).out
    changes = cli("diff", FIRST, SECOND, "--json").json["aenderungen"]
    assert {"dataset": "kreise", "key": "99002", "kind": "geaendert", "column": "gremien_bekannt"}.items() <= changes[
        -2
    ].items()


def test_verify_of_all_looks_at_everything(after: Callable[[str], Cli]) -> None:
    cli = after(HELD)
    cli("withdraw", FIRST, "--reason", "Name einer Person", "--date", "2026-02-10")
    assert cli("verify", "all").out.splitlines() == [
        f"{SECOND}: alle Dateien stimmen.",
        f"{HELD}: alle Dateien stimmen; die Ausgabe wartet auf Freigabe.",
        f"{FIRST}: zurückgezogen, der Hinweis steht an ihrer Stelle.",
        "Verzeichnis: releases.json und latest stimmen mit den Ausgaben überein.",
    ]


LATEST = f"releases/{SECOND}"
SPOILS: dict[str, tuple[str, bytes | None, str]] = {
    "a changed file": (f"{LATEST}/gremien.csv", b"anders", "/gremien.csv: der Inhalt stimmt nicht mit der Prüfsumme"),
    "a missing file": (f"{LATEST}/gremien.csv", None, "/gremien.csv: die Datei fehlt."),
    "a file too many": (f"{LATEST}/neu.csv", b"x", "/neu.csv: die Datei steht nicht in der Liste der Prüfsummen."),
    "no manifest": (f"{LATEST}/SHA256SUMS", None, "/SHA256SUMS: die Liste der Prüfsummen fehlt."),
    "a broken manifest": (f"{LATEST}/SHA256SUMS", b"\xff", "die Liste der Prüfsummen ist nicht lesbar."),
    "a foreign folder": ("releases/2020.01.01/x", b"x", "2020.01.01: die Ausgabe steht nicht in releases.json."),
    "an old latest.json": ("latest.json", b"{}", f"latest.json: die Datei passt nicht zu Ausgabe {SECOND}."),
    "a held file": (f"held/{HELD}/{HELD_RELEASE}/land.csv", None, f"{HELD}/land.csv: die Datei fehlt."),
}


@pytest.mark.parametrize(("name", "content", "words"), SPOILS.values(), ids=SPOILS.keys())
def test_verify_finds_what_is_wrong(
    after: Callable[[str], Cli], outputs: Path, name: str, content: bytes | None, words: str
) -> None:
    cli = after(HELD)
    path = outputs / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)

    said = cli("verify", "all")

    assert said.code == 1
    assert words in said.err
    assert said.err.startswith("Abgelehnt: 1 Befund; ")
    assert f"{FIRST}: alle Dateien stimmen." in said.out


def test_verify_finds_data_at_the_place_of_a_tombstone(after: Callable[[str], Cli], outputs: Path) -> None:
    cli = after(SECOND)
    cli("withdraw", FIRST, "--reason", "Name einer Person")
    (outputs / "releases" / FIRST / "gremien.csv").write_text("wieder da", encoding="utf-8")

    said = cli("verify", "all")

    assert said.code == 1
    assert f"{FIRST}/gremien.csv: die Datei dürfte nicht mehr da sein." in said.err


def test_verify_with_rebuild(after: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch) -> None:
    cli = after(SECOND)
    assert cli("verify", FIRST, "--rebuild").out == f"{FIRST}: alle Dateien stimmen und lassen sich gleich neu bauen.\n"

    monkeypatch.setattr("flows.rebuild.code_fingerprint", lambda: "0" * 64)
    said = cli("verify", FIRST, "--rebuild")
    assert said.code == 2
    assert "mit einem anderen Stand des Programms gebaut" in said.err
    said = cli("verify", "all", "--rebuild")
    assert said.code == 0
    assert said.out.count("lässt sich nur mit diesem neu bauen") == 2


# --- operations ----------------------------------------------------------------------------------------------------


def test_an_operation_run_twice_says_that_it_was_done(after: Callable[[str], Cli]) -> None:
    cli = after(HELD)
    day = ("--date", "2026-02-10")
    calls = {
        ("approve", HELD): f"{HELD} ist schon veröffentlicht.",
        ("rollback", SECOND): f"{SECOND} ist schon aktuell.",
        ("withdraw", FIRST): f"{FIRST} ist schon zurückgezogen.",
    }
    for (command, release_id), again in calls.items():
        assert cli(command, release_id, "--reason", "Grund", *day).code == 0
        said = cli(command, release_id, "--reason", "Grund", *day)
        assert (said.code, said.err) == (0, "")
        assert again in said.out
        said = cli(command, release_id, "--reason", "Grund", "--json", *day)
        assert said.json["ergebnis"] == "unveraendert"


class Terminal(io.StringIO):
    """A person at a terminal who types this."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["", "\n", "ja\n", f"{SECOND}\n"])
def test_withdraw_asks_a_person_and_takes_only_the_id_for_a_yes(
    typed: str, after: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch, outputs: Path
) -> None:
    cli = after(SECOND)
    files = [path for path in (outputs / "releases" / FIRST).rglob("*") if path.is_file()]
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    said = cli("withdraw", FIRST, "--reason", "Name einer [Person]")
    assert said.code == 1
    assert f"Ausgabe {FIRST} vom 01.02.2026: {len(files)} Dateien, " in said.err
    assert "(„Name einer [Person]“)" in said.err
    assert "Es wurde nichts geändert." in said.err
    assert all(path.is_file() for path in files)


@pytest.mark.parametrize(("typed", "options"), [(f"{FIRST}\n", []), ("", ["--yes"]), ("", ["--json"])])
def test_withdraw_goes_on_when_a_person_confirmed_or_a_program_calls(
    typed: str, options: list[str], after: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch, outputs: Path
) -> None:
    cli = after(SECOND)
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert cli("withdraw", FIRST, "--reason", "Name einer Person", *options).code == 0
    assert (outputs / "releases" / FIRST / "withdrawn.json").is_file()


def test_a_rollback_says_whether_the_inputs_are_free(after: Callable[[str], Cli], outputs: Path) -> None:
    cli = after(SECOND)
    (outputs / "releases" / SECOND / "gremien.csv").unlink()
    said = cli("rollback", FIRST, "--reason", "beschädigt")
    assert said.out == (
        f"Aktuell ist jetzt {FIRST}. {SECOND} war beschädigt: Ihre Eingaben sind frei, der nächste Lauf veröffentlicht "
        "sie neu.\n"
    )


def test_a_rollback_to_a_release_from_the_same_inputs_calls_nothing_damaged(after: Callable[[str], Cli]) -> None:
    cli = after(SECOND)
    assert cli("rollback", FIRST, "--reason", "falsche Angabe").code == 0
    assert cli("release", "--anyway", "--date", "2026-02-20", night=SECOND).code == 0
    said = cli("rollback", SECOND, "--reason", "falsche Angabe")
    assert said.out == f"Aktuell ist jetzt {SECOND}.\n"


def test_before_the_network_is_asked_the_source_and_the_longest_wait_are_told(
    make_geodata: Callable[..., Path], outputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "eingang").mkdir()
    fetches = (
        'extends = "kleinland"\n'
        '[fetch.tabelle]\nkind = "table"\ndataset = "hints"\nplace = "https://127.0.0.1:1/hints.csv"\n'
        'seconds = "90"\ntries = "1"\n'
        f'[fetch.ordner]\nkind = "table"\ndataset = "resources"\nplace = "{tmp_path / "eingang"}"\n'
    )
    geodata = make_geodata({"profile.toml": fetches})
    places = ["--profile", "variante", "--geodata", str(geodata), "--outputs", str(outputs), "--date", "2026-02-01"]
    run(["fetch", *places])
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Quelle ")]
    assert told == ["Quelle „tabelle“ (Hinweise) wird abgerufen; das kann bis zu 2 Minuten dauern."]
    run(["fetch", *places, "--json"])
    said = capsys.readouterr()
    assert json.loads(said.out)["quellen"]
    assert "wird abgerufen" not in said.err


def test_withdraw_names_the_releases_from_the_same_inputs(after: Callable[[str], Cli]) -> None:
    said = after(HELD)("withdraw", SECOND, "--reason", "Name einer Person")
    assert said.out == (
        f"Zurückgezogen: {SECOND}. Aktuell ist {FIRST}.\n"
        f"Achtung, aus denselben Eingabedateien entstanden auch: {FIRST}, {HELD}. Bitte prüfen.\n"
    )


def test_prune_says_what_went(after: Callable[[str], Cli]) -> None:
    said = after(SECOND)("prune", "--keep-days", "1", "--date", "2026-02-03")
    assert said.out == f"Entfernt: {FIRST}; nicht mehr gebrauchte Eingaben: 2.\n"


def test_a_draft_says_what_its_profile_still_lacks(cli: Cli, geodata: Path) -> None:
    said = cli("release", "--date", "2026-02-01", night=geodata)
    assert said.code == 0
    assert "Entwurf, nicht veröffentlicht. Im Profil fehlen noch: Herausgeber, Anschrift, Vertretung" in said.out


def test_who_approves_is_a_function_never_the_login(
    after: Callable[[str], Cli], outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release is public and stays: whoever sits at the machine is not named in it."""
    monkeypatch.setenv("LOGNAME", "erika.musterfrau")
    assert after(HELD)("approve", HELD, "--reason", "geprüft").code == 0
    record = json.loads((outputs / "releases" / HELD / "provenance.json").read_text(encoding="utf-8"))
    assert record["freigabe"]["durch"] == PUBLISHER.name


def test_the_approver_can_be_given(after: Callable[[str], Cli], outputs: Path) -> None:
    after(HELD)("approve", HELD, "--reason", "geprüft", "--by", "Fachstelle", "--date", "2026-02-10")
    record = json.loads((outputs / "releases" / HELD / "provenance.json").read_text(encoding="utf-8"))
    assert record["freigabe"] == {"grund": "geprüft", "durch": "Fachstelle", "am": "2026-02-10"}


@pytest.mark.network
@pytest.mark.parametrize("kind", ["objektspeicher"], indirect=True)
def test_the_same_commands_on_an_object_store(
    capsys: pytest.CaptureFixture[str], place_after: Callable[[str | None], Place], tmp_path: Path
) -> None:
    place = place_after(SECOND)
    outputs, address = place.outputs, place.profile.target
    geodata = tmp_path / "geodata"
    shutil.copytree(place.geodata[SECOND], geodata)
    settings = geodata / "kleinland" / "profile.toml"
    text = settings.read_text(encoding="utf-8").replace('target = ""', f'target = "{address}"')
    settings.write_text(text, encoding="utf-8")

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = run([*arguments, "--profile", "kleinland", "--geodata", str(geodata), "--outputs", str(outputs)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    assert f"{SECOND}          aktuell" in call("list").out
    assert call("verify", "all").code == 0
    assert f"Adresse: {address}/releases/{SECOND}" in call("show").out
    assert "Präventionsrat Flur" in call("diff", FIRST).out
    assert call("rollback", FIRST, "--reason", "falsche Angabe").out == f"Aktuell ist jetzt {FIRST}.\n"
    assert "gesperrt" in call("release").out


# --- processes -----------------------------------------------------------------------------------------------------


def test_the_command_line_does_not_import_prefect(nights: dict[str, Path], outputs: Path) -> None:
    """Its import takes 4 to 5 seconds."""
    code = (
        "import sys; from flows.cli import run\n"
        "assert run(sys.argv[1:]) == 0\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'prefect'))"
    )
    arguments = ["list", "--profile", "kleinland", "--geodata", str(nights[FIRST]), "--outputs", str(outputs)]
    said = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert said.stdout.splitlines()[-1] == "[]"


def test_python_m_flows_is_the_command(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "flows", "rollback"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert said.returncode == 2
    assert said.stdout == ""
    assert said.stderr.startswith("Fehler: Die Angabe release_id fehlt.")


@pytest.fixture
def served(history: dict[str, Path]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of ``praevkarte serve`` on a free port."""
    command = [sys.executable, "-m", "flows", "serve", "--outputs", str(history[SECOND]), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        address = process.stdout.readline().split()[0]
        yield address, process
        process.terminate()


@pytest.mark.network
def test_serve_shows_the_latest_release_and_answers_ranges(served: tuple[str, subprocess.Popen[str]]) -> None:
    address, process = served
    assert address.startswith("http://127.0.0.1:")
    whole = requests.get(f"{address}gremien.csv", timeout=20)
    assert whole.status_code == 200
    part = requests.get(f"{address}gremien.csv", headers={"Range": "bytes=3-9"}, timeout=20)
    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert part.headers["Content-Range"] == f"bytes 3-9/{len(whole.content)}"
    outside = requests.get(f"{address}%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", timeout=20)
    assert outside.status_code == 404

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) is not None
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)


@pytest.mark.network
def test_serve_is_not_to_be_had_from_other_machines(served: tuple[str, subprocess.Popen[str]]) -> None:
    """The kernel's own list of what listens: this port is bound to 127.0.0.1 and to nothing else."""
    port = int(served[0].split(":")[2].split("/")[0])
    rows = [row.split() for file in Path("/proc/net").glob("tcp*") for row in file.read_text().splitlines()[1:]]
    bound = [row[1].split(":") for row in rows if row[3] == "0A"]
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"
    assert [address for address, number in bound if int(number, 16) == port] == [loopback]


def test_serve_on_a_taken_port_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["serve", "--outputs", str(tmp_path), "--port", str(taken.getsockname()[1])]) == 2
    assert "ist nicht frei" in capsys.readouterr().err


def test_serve_before_the_first_release_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And which folder was meant, wherever the command was called."""
    monkeypatch.chdir(tmp_path)
    assert run(["serve", "--outputs", "fehlt"]) == 2
    assert f"{tmp_path / 'fehlt'}: es gibt noch keine Ausgabe" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["", pytest.param("objektspeicher", marks=pytest.mark.network)])
def test_a_first_release_is_published_and_tells_where(
    nights: dict[str, Path], outputs: Path, tmp_path: Path, target: str, request: pytest.FixtureRequest
) -> None:
    """The whole line as an operator calls it, with every format, in processes of their own."""
    geodata, address = tmp_path / "geodata", str(outputs)
    shutil.copytree(nights[FIRST], geodata)
    if target:
        address = request.getfixturevalue("object_store")
        settings = geodata / "kleinland" / "profile.toml"
        text = settings.read_text(encoding="utf-8").replace('target = ""', f'target = "{address}"')
        settings.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "flows", "release", "--profile", "kleinland", "--date", "2026-02-01"]
    command += ["--geodata", str(geodata), "--outputs", str(outputs)]
    said = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)

    assert (said.returncode, said.stderr) == (0, "")
    assert f"Veröffentlicht: {FIRST}\nOrdner: {address}/releases/{FIRST}\n" in said.stdout
    assert "Entwurf" not in said.stdout
    assert ("http://127.0.0.1:8000/latest/" in said.stdout) == (not target)

    again = subprocess.run([*command, "--json"], check=False, capture_output=True, text=True, cwd=ROOT)
    assert (again.returncode, json.loads(again.stdout)["ergebnis"]) == (0, "unchanged")
    rebuilt = subprocess.run(
        [sys.executable, "-m", "flows", "verify", "all", "--rebuild", "--profile", "kleinland", *command[-4:]],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (rebuilt.returncode, rebuilt.stderr) == (0, "")
    assert f"{FIRST}: alle Dateien stimmen und lassen sich gleich neu bauen." in rebuilt.stdout
