"""``praevkarte freshness``: alarm when no run ends well or when readers do not get what was published."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from conftest import PROFILE
from operating import FIRST, HELD, SECOND, Place, lean, lean_call
from webserver import Answer, Asked, Web, web

from flows.cli import run as call_command
from flows.errors import Refused, StoreBusy
from flows.findings import Finding
from flows.nights.conditions import age_condition, condition_after
from flows.nights.freshness import TOPIC, Alarm, check_freshness, condition_of, in_order
from flows.nights.last_run import FAILED, operation_folder, read_record, record_run
from flows.nights.recorded import recorded_run
from flows.notices import notify
from flows.profile import Notices, load_profile
from flows.rebuild import rebuild_faults
from flows.run import Run, StageReport
from flows.stages import Stage, run_stages, store_of
from flows.store import Store, provenance_of
from flows.targets.local import LocalTarget
from flows.withdrawal import withdraw

pytest_plugins = ["places"]

MORNING = datetime(2026, 2, 2, 7, 0, tzinfo=UTC)
GOOD = "Nichts geändert: 2026.02.02 ist aktuell."


def names(alarms: tuple[Alarm, ...]) -> set[str]:
    return {alarm.name for alarm in alarms}


@pytest.fixture
def place(place_after: Callable[[str | None], Place]) -> Place:
    """Two releases in a folder or an object store, and a good run this morning."""
    made = place_after(SECOND)
    record_run(made.store, "unchanged", GOOD, MORNING)
    return made


def looked(place: Place, now: datetime = MORNING) -> tuple[Alarm, ...]:
    """What the check finds without a public address."""
    return check_freshness(replace(place.profile, base_url=""), place.store, now)


def damage(place: Place, name: str, content: bytes | None) -> None:
    """Replace or remove a file behind the store's back."""
    target = place.store.target
    if content is not None:
        target.write(name, content)
    elif (path := place.outputs / name).is_file():
        path.unlink()
    else:
        obstore.delete(target.store, name)  # type: ignore[attr-defined]


# --- silence ---


@pytest.mark.slow
@pytest.mark.slow
def test_a_morning_after_a_good_night_is_quiet(place: Place) -> None:
    assert looked(place) == ()
    assert looked(place, MORNING + timedelta(hours=36)) == ()


@pytest.mark.slow
def test_a_server_a_worker_or_a_schedule_that_is_dead_is_noticed_by_its_silence(place: Place) -> None:
    (alarm,) = looked(place, MORNING + timedelta(hours=37))
    assert alarm.name == "still"
    assert alarm.text == (
        "Seit 37 Stunden (zuletzt 02.02.2026, 08:00 Uhr) ging kein Lauf gut zu Ende. Seither ist kein Lauf zu Ende "
        "gekommen: Prefect-Server, Worker und Zeitplan prüfen."
    )


@pytest.mark.slow
def test_nights_that_fail_are_no_good_runs_and_the_alarm_says_why(place: Place) -> None:
    record_run(place.store, FAILED, "Fehler: population.csv: die Eingabe fehlt.", MORNING + timedelta(days=1))
    assert looked(place, MORNING + timedelta(hours=30)) == ()
    (alarm,) = looked(place, MORNING + timedelta(days=4))
    assert alarm.text.startswith("Seit 4 Tagen")
    assert alarm.text.endswith("so: Fehler: population.csv: die Eingabe fehlt.")


def test_where_nothing_alarms_the_last_run_is_still_told_as_it_ended(tmp_path: Path) -> None:
    store = Store(tmp_path, LocalTarget(tmp_path))
    record_run(store, "unchanged", GOOD, MORNING)
    assert in_order(store) == "Die Veröffentlichung ist unversehrt, und der letzte Lauf ging gut."
    record_run(store, FAILED, "Fehler: population.csv: die Eingabe fehlt.", MORNING + timedelta(days=1))
    assert in_order(store) == (
        "Die Veröffentlichung ist unversehrt. Der letzte Lauf (03.02.2026, 08:00 Uhr) endete so: Fehler: "
        "population.csv: die Eingabe fehlt; der letzte gute war am 02.02.2026, 08:00 Uhr."
    )


@pytest.mark.slow
def test_a_release_that_waits_for_a_person_is_not_forgotten(place: Place) -> None:
    record_run(place.store, "held", "2026.02.03 wartet auf Freigabe", MORNING + timedelta(days=1))
    (alarm,) = looked(place, MORNING + timedelta(days=2))
    assert "2026.02.03 wartet auf Freigabe" in alarm.text


@pytest.mark.slow
def test_inputs_that_a_person_put_aside_are_no_alarm(place: Place) -> None:
    record_run(place.store, "blocked", "Diese Eingaben sind gesperrt.", MORNING + timedelta(days=1))
    assert looked(place, MORNING + timedelta(days=2)) == ()


@pytest.mark.slow
def test_without_a_record_the_check_alarms(place_after: Callable[[str | None], Place]) -> None:
    bare = place_after(SECOND)
    assert names(looked(bare)) == {"still"}
    run = {"ergebnis": "unchanged", "meldung": GOOD}
    moments = [json.dumps({"letzter_guter": run | {"am": am}}) for am in ("gestern", "2026-02-02T07:00:00", 7)]
    for content in ("", "{", '{"letzter_guter": 3}', *moments):
        folder = operation_folder(bare.store)
        folder.mkdir(exist_ok=True)
        (folder / "lauf.json").write_text(content, encoding="utf-8")
        assert names(looked(bare)) == {"still"}


@pytest.mark.slow
def test_a_run_in_the_future_is_a_clock_that_is_wrong(place: Place) -> None:
    assert looked(place, MORNING - timedelta(minutes=30)) == ()
    (alarm,) = looked(place, MORNING - timedelta(days=2))
    assert alarm.name == "uhr"


# --- what lies in the target ---


@pytest.mark.slow
def test_a_changed_file_of_the_latest_release_is_noticed(place: Place) -> None:
    damage(place, f"releases/{SECOND}/gemeinden.csv", b"ags\n")
    (alarm,) = looked(place)
    assert alarm.name == "beschaedigt"
    assert f"{SECOND}/gemeinden.csv: der Inhalt stimmt nicht mit der Prüfsumme überein." in alarm.text


@pytest.mark.slow
def test_a_missing_file_is_noticed(place: Place) -> None:
    damage(place, f"releases/{SECOND}/kreise.geojson", None)
    (alarm,) = looked(place)
    assert "kreise.geojson: die Datei fehlt." in alarm.text


@pytest.mark.slow
def test_of_a_release_that_is_gone_not_every_file_is_told(place: Place) -> None:
    place.store.target.remove(f"releases/{SECOND}")
    assert "beschaedigt" in names(looked(place))
    assert len(looked(place)) < 8


@pytest.mark.slow
def test_a_damaged_older_release_is_not_the_check_s_business(place: Place) -> None:
    damage(place, f"releases/{FIRST}/gemeinden.csv", b"ags\n")
    assert looked(place) == ()


@pytest.mark.slow
def test_a_pointer_to_a_withdrawn_release_is_noticed(place: Place) -> None:
    document = place.store.target.read("latest.json")
    assert document is not None
    with place.open() as store:
        withdraw(store, SECOND, "Personenangaben", MORNING.date())
    assert looked(place) == ()
    # Somebody restores an old copy of the pointer.
    place.store.target.point(SECOND, document)
    assert "zeiger" in names(looked(place))
    assert any(f"nennt {SECOND}, und diese Ausgabe ist zurückgezogen" in alarm.text for alarm in looked(place))


@pytest.mark.slow
def test_no_pointer_at_all_is_noticed(place: Place) -> None:
    place.store.target.point(None, b"")
    assert names(looked(place)) == {"zeiger"}


@pytest.mark.parametrize("content", [b"", b'{"ausgabe": ', b"{}", b"[]", b"null", b'"x"', b"7", b"\xff"])
@pytest.mark.parametrize("name", ["releases.json", "latest.json"])
@pytest.mark.slow
def test_a_damaged_document_is_noticed(name: str, content: bytes, place: Place) -> None:
    damage(place, name, content)
    assert names(looked(place)) == ({"unerreichbar"} if name == "releases.json" else {"zeiger"})


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.slow
def test_a_place_that_is_gone_is_noticed(place: Place, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "objektspeicher":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        monkeypatch.setattr("flows.targets.s3.RETRIES", {"max_retries": 0, "retry_timeout": timedelta(seconds=1)})
        assert names(looked(place)) == {"unerreichbar"}
    else:
        shutil.rmtree(place.outputs / "releases")
        assert names(looked(place)) == {"beschaedigt"}


# --- what readers get ---


@dataclass
class Shop:
    """A release store behind a web server, as readers meet it."""

    place: Place
    server: Web

    def looked(self) -> tuple[Alarm, ...]:
        return check_freshness(self.place.profile, self.place.store, MORNING)

    def file(self, asked: Asked) -> Answer:
        path = self.place.outputs / asked.path.lstrip("/")
        return Answer(200, path.read_bytes()) if path.is_file() else Answer(404)


@pytest.fixture
def shop(nights: dict[str, Path], history: dict[str, Path], outputs: Path) -> Iterator[Shop]:
    shutil.copytree(history[SECOND], outputs, symlinks=True)
    with web() as server:
        profile = replace(load_profile(nights[FIRST], PROFILE), base_url=server.url)
        made = Shop(Place(profile, outputs, nights), server)
        record_run(made.place.store, "unchanged", GOOD, MORNING)
        for path in outputs.rglob("*"):
            server.answers[f"/{path.relative_to(outputs).as_posix()}"] = made.file
        yield made


@pytest.mark.network
@pytest.mark.slow
def test_what_is_served_whole_is_no_alarm(shop: Shop) -> None:
    assert shop.looked() == ()
    files = {path for path in shop.server.paths() if path.startswith(f"/releases/{SECOND}/")}
    assert len(files) == len([path for path in (shop.place.outputs / "latest").rglob("*") if path.is_file()])


@pytest.mark.network
@pytest.mark.slow
def test_large_files_are_only_measured(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.nights.freshness.READ_WHOLE", 2000)
    assert shop.looked() == ()
    assert shop.server.paths("HEAD")
    shop.server.answers[f"/releases/{SECOND}/gemeinden.geojson"] = Answer(200, b"{}")
    (alarm,) = shop.looked()
    assert alarm.text.endswith("gemeinden.geojson: die Länge ist nicht die veröffentlichte.")


@pytest.mark.network
@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/latest.json", Answer(404), "latest.json: der Server antwortet mit 404."),
        ("/latest.json", Answer(200, b"<html>"), "latest.json: die Antwort ist nicht zu lesen."),
        ("/latest.json", Answer(200, b'{"ausgabe": "2026.02.01"}'), "ausgeliefert wird 2026.02.01, aktuell ist"),
        (f"/releases/{SECOND}/SHA256SUMS", Answer(503), "SHA256SUMS: der Server antwortet mit 503."),
        (f"/releases/{SECOND}/gremien.csv", Answer(403), "gremien.csv: der Server antwortet mit 403."),
        (
            f"/releases/{SECOND}/gremien.csv",
            Answer(200, b"ok"),
            "gremien.csv: der Inhalt ist nicht der veröffentlichte.",
        ),
    ],
)
@pytest.mark.slow
def test_what_is_served_wrongly_is_an_alarm(path: str, answer: Answer, words: str, shop: Shop) -> None:
    shop.server.answers[path] = answer
    (alarm,) = shop.looked()
    assert alarm.name == "auslieferung"
    assert words in alarm.text


@pytest.mark.network
@pytest.mark.slow
def test_a_damaged_index_is_told_once_and_not_of_the_web_server(shop: Shop) -> None:
    damage(shop.place, "releases.json", b"")
    (alarm,) = shop.looked()
    assert (alarm.name, alarm.text.split(": ", 1)[1]) == (
        "unerreichbar",
        "die Datei ist beschädigt. Bitte wiederherstellen.",
    )


@pytest.mark.network
@pytest.mark.slow
def test_a_web_server_that_is_down_is_an_alarm(shop: Shop) -> None:
    profile = replace(shop.place.profile, base_url="http://127.0.0.1:1")
    (alarm,) = check_freshness(profile, shop.place.store, MORNING)
    assert alarm.text == "http://127.0.0.1:1: nicht erreichbar (ConnectionError)."


# --- notices and the command ---


@pytest.mark.network
@pytest.mark.slow
def test_an_alarm_is_told_once_and_its_end_once(shop: Shop, tmp_path: Path) -> None:
    hook = shop.server
    hook.answers["/hook"] = Answer(204)
    profile = replace(shop.place.profile, notices=Notices((), "", 36))
    environment = {"PRAEVKARTE_WEBHOOK_URL": f"{hook.url}/hook"}
    for hours in range(30, 60, 6):
        now = MORNING + timedelta(hours=hours)
        if hours == 54:
            record_run(shop.place.store, "published", "Veröffentlicht", now)
        alarms = check_freshness(profile, shop.place.store, now)
        condition = condition_of(profile, alarms, "latest", in_order(shop.place.store))
        notify(profile, tmp_path / "state", TOPIC, condition, now, environment)
    told = [json.loads(asked.body) for asked in hook.asked if asked.path == "/hook"]
    assert [notice["art"] for notice in told] == ["alarm", "wieder_gut"]
    assert "praevkarte freshness --profile kleinland" in told[0]["text"]


def freshly(folder: Path, geodata: Path, *options: str) -> int:
    places = ["--profile", PROFILE, "--geodata", str(geodata), "--outputs", str(folder)]
    return call_command(["freshness", *places, *options])


@pytest.fixture
def local(history: dict[str, Path], nights: dict[str, Path], outputs: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Local outputs after two nights with a good run just now, and geodata without a public address."""
    shutil.copytree(history[SECOND], outputs, symlinks=True)
    geodata = tmp_path / "geodata"
    shutil.copytree(nights[FIRST], geodata)
    settings = geodata / PROFILE / "profile.toml"
    lines = settings.read_text(encoding="utf-8").splitlines()
    kept = ['base_url = ""' if line.startswith("base_url") else line for line in lines]
    settings.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return outputs, geodata


@pytest.mark.slow
def test_the_command_ends_with_0_or_1_and_says_what_is_wrong(
    local: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    outputs, geodata = local
    assert freshly(outputs, geodata) == 1
    assert "Es ist kein Lauf verzeichnet, der gut zu Ende ging." in capsys.readouterr().err
    record_run(store_of(load_profile(geodata, PROFILE), outputs), "unchanged", GOOD, datetime.now(UTC))
    assert freshly(outputs, geodata) == 0
    assert freshly(outputs, geodata, "--json") == 0
    said = capsys.readouterr()
    assert "In Ordnung: Die Veröffentlichung ist unversehrt, und der letzte Lauf ging gut." in said.out
    assert '"ergebnis": "in Ordnung"' in said.out
    assert "Meldung" not in said.out
    record_run(store_of(load_profile(geodata, PROFILE), outputs), FAILED, "Fehler: keine Eingabe.", datetime.now(UTC))
    assert freshly(outputs, geodata) == 0
    assert "endete so: Fehler: keine Eingabe; der letzte gute war am" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.slow
def test_the_check_needs_no_right_to_write_where_the_releases_are(local: tuple[Path, Path], tmp_path: Path) -> None:
    """Run without root's powers, which no file mode stops, over a folder that may only be read."""
    outputs, geodata = local
    for path in sorted(outputs.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
    outputs.chmod(0o555)
    state = tmp_path / "state"
    state.mkdir()
    before = sorted(path.name for path in outputs.rglob("*"))
    options = ["--profile", PROFILE, "--geodata", str(geodata), "--outputs", str(outputs), "--state", str(state)]
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    assert subprocess.run([*drop, "touch", outputs / "probe"], capture_output=True, check=False).returncode != 0
    result = subprocess.run(
        [*drop, sys.executable, "-m", "flows", "freshness", *options], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stderr
    assert "Es ist kein Lauf verzeichnet" in result.stderr
    assert (state / f"meldung-{TOPIC}.json").is_file()
    assert sorted(path.name for path in outputs.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.slow
def test_the_command_never_imports_prefect(local: tuple[Path, Path]) -> None:
    outputs, geodata = local
    code = (
        "import sys\nfrom flows.cli import run\n"
        f"run(['freshness', '--profile', '{PROFILE}', '--geodata', '{geodata}', '--outputs', '{outputs}'])\n"
        "sys.exit('prefect was imported' if 'prefect' in sys.modules else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


# --- what a run leaves ---


class Stopped(Exception):
    """A programming error."""


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        (Refused([Finding("typ", "evidence.csv", "das ist kein Datum.")]), "Abgelehnt: 1 Befund"),
        (Stopped(), "Abgebrochen: unerwarteter Fehler (Stopped)."),
        (StoreBusy("ein anderer Lauf arbeitet hier"), None),
    ],
)
@pytest.mark.slow
def test_a_run_notes_how_it_ended(
    error: Exception, noted: str | None, place_after: Callable[[str | None], Place]
) -> None:
    place = place_after(SECOND)

    def fail(_stage: Stage, _run: Run) -> StageReport:
        raise error

    with pytest.raises(type(error)):
        recorded_run(place.profile, place.outputs, date(2026, 2, 5), call=fail, run_id="lauf-7")
    record = read_record(place.store)
    assert record.good is None
    if noted is None:
        assert record.last is None
    else:
        assert record.last is not None
        assert record.last.meldung.startswith(noted)
        assert (record.last.ergebnis, record.last.lauf) == (FAILED, "lauf-7")


@pytest.mark.slow
def test_the_last_good_run_outlives_the_bad_ones(place: Place) -> None:
    record_run(place.store, FAILED, "Fehler: …", MORNING + timedelta(days=1))
    record_run(place.store, "held", "wartet", MORNING + timedelta(days=2))
    record = read_record(place.store)
    assert record.last is not None
    assert record.last.ergebnis == "held"
    assert record.good is not None
    assert record.good.meldung == GOOD


@pytest.mark.slow
@pytest.mark.slow
def test_the_run_s_id_is_part_of_the_release_and_of_its_rebuild(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(SECOND)
    outcome = place.run(FIRST, date(2026, 2, 5), run_id="9d6f5ad1")
    assert outcome.result == "published", outcome.text
    assert provenance_of(place.store, "2026.02.05")["lauf"] == "9d6f5ad1"
    assert "lauf" not in provenance_of(place.store, SECOND)
    with lean():
        assert rebuild_faults(place.store, "2026.02.05") == []


@pytest.mark.slow
@pytest.mark.slow
def test_sources_that_got_old_are_a_state_of_their_own(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(SECOND)
    assert age_condition(place.profile, place.store).kind == "gut"
    profile = replace(place.profile_with(SECOND), warn_after={"hints": 1, "evidence": 1})
    with lean():
        assert run_stages(profile, place.outputs, date(2026, 2, 5), call=lean_call).result == "published"
    condition = age_condition(profile, place.store)
    assert condition.subject == "2 Quellen sind alt"
    assert "evidence, hints" in condition.happened
    assert "praevkarte fetch --profile kleinland" in condition.action


@pytest.mark.slow
@pytest.mark.slow
def test_a_held_release_names_its_gates_and_its_report(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(SECOND)
    condition = condition_after(place.profile, place.run(HELD, date(2026, 2, 5)), "lauf-1")
    assert (condition.kind, condition.key, condition.run) == ("wartet", "wartet:2026.02.05", "lauf-1")
    assert "status_stand_aeltester“: 4 von 5 Werten sind jetzt leer (80 %, erlaubt 10 %)" in condition.happened
    assert condition.report.endswith("held/2026.02.05/bericht.md")
    again = condition_after(place.profile, place.run(HELD, date(2026, 2, 6)))
    assert again.key == condition.key


@pytest.mark.parametrize("how", ["--log-json", "PRAEVKARTE_LOG"])
@pytest.mark.slow
def test_the_log_is_json_on_request(
    how: str, local: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs, geodata = local
    options = [how] if how.startswith("--") else []
    if not options:
        monkeypatch.setenv(how, "json")
    places = ["--profile", PROFILE, "--geodata", str(geodata), "--outputs", str(outputs), "--date", "2026-02-09"]
    broken = geodata / PROFILE / "evidence.csv"
    broken.write_text(broken.read_text(encoding="utf-8").replace("2017-03-02", "im März 17"), encoding="utf-8")
    with lean():
        assert call_command(["release", *places, *options]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [(line["stufe"], line["ergebnis"]) for line in lines] == [("acquire", "gut"), ("load", "gescheitert")]
    assert all(line["sekunden"] >= 0 for line in lines)
