"""The loop over the stages: how a run ends, what it leaves behind and what it finds of an earlier one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from conftest import profile_of
from operating import FIRST, HELD, LATER, SECOND, Place, latest_verifies, lean, second_inputs

from flows import store as stores
from flows.errors import Refused, StoreBusy, WrongClock, WrongUsage
from flows.findings import Finding
from flows.nights.last_run import FAILED, read_record
from flows.nights.recorded import recorded_run
from flows.run import Run, StageReport
from flows.stages import INPUT_STAGES, STAGES, Stage, _doubting_the_day, call_directly, run_stages
from flows.store import begin

# Whole runs, several a test.
pytestmark = pytest.mark.slow

pytest_plugins = ["places"]

in_a_folder = pytest.mark.parametrize("kind", ["ordner"], indirect=True)


def test_the_stages_stand_in_one_order() -> None:
    assert [stage.name for stage in STAGES] == ["acquire", "load", "join", "check", "package", "publish"]
    assert [stage.name for stage in INPUT_STAGES] == ["acquire", "load", "join", "check"]
    assert [stage.name for stage in STAGES if stage.network] == ["acquire"]


@in_a_folder
def test_a_published_run_says_where_and_how_long(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(None)

    outcome = place.run(FIRST, stores.release_day(FIRST))

    assert (outcome.result, outcome.text, outcome.release_id) == ("published", f"Veröffentlicht: {FIRST}", FIRST)
    assert outcome.address == str(place.outputs / "releases" / FIRST)
    assert list(outcome.reports) == list(outcome.seconds) == [stage.name for stage in STAGES]
    assert outcome.reports["package"].rows["gremien"] == 6
    assert outcome.recovered is None
    assert not place.store.work.exists()


@in_a_folder
def test_a_run_that_meets_its_own_release_stops_at_once(place: Place) -> None:
    outcome = place.run(SECOND, LATER)

    assert (outcome.result, outcome.release_id) == ("unchanged", SECOND)
    assert outcome.text == f"Nichts geändert: {SECOND} ist aktuell."
    assert outcome.address == str(place.outputs / "releases" / SECOND)
    assert list(outcome.reports) == ["acquire"]


@in_a_folder
def test_a_clock_that_stands_before_the_latest_release_is_not_believed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = place.profile_with(SECOND)
    monkeypatch.setattr("flows.stages.today", lambda: date(2026, 1, 30))
    message = (
        "Der Tag der Ausgabe (30.01.2026) liegt vor dem der neuesten Ausgabe (02.02.2026). Bitte die Uhr dieses "
        "Rechners prüfen (timedatectl); ist der Tag gewollt, ihn mit --date nennen."
    )

    with pytest.raises(WrongClock) as caught:
        recorded_run(profile, place.outputs, None)
    assert str(caught.value) == message
    last = read_record(place.store).last
    assert last is not None
    assert (last.ergebnis, last.meldung) == (FAILED, f"Fehler: {message}")

    # A day that a person names is believed, and so is a clock that has caught up.
    with lean():
        assert recorded_run(profile, place.outputs, date(2026, 1, 30)).result == "unchanged"
        monkeypatch.setattr("flows.stages.today", lambda: date(2026, 2, 2))
        assert recorded_run(profile, place.outputs, None).result == "unchanged"


def test_where_most_dates_are_in_the_future_the_day_of_the_release_is_doubted_first(
    make_geodata: Callable[..., Path], outputs: Path
) -> None:
    profile = profile_of(make_geodata())
    with pytest.raises(Refused) as caught:
        run_stages(profile, outputs, date(2001, 1, 1), INPUT_STAGES)
    assert str(caught.value.findings[0]) == (
        "Tag der Ausgabe: die meisten Befunde nennen ein späteres Datum als den 01.01.2001; eher stimmt dieser Tag "
        "nicht. Bitte die Uhr dieses Rechners prüfen (timedatectl) oder den Tag mit --date nennen."
    )
    assert any(finding.source == "evidence.csv" for finding in caught.value.findings)


def test_where_few_dates_are_in_the_future_the_dates_are_wrong() -> None:
    late = Finding("evidence_dates", "evidence.csv", "das Datum liegt nach dem Tag der Ausgabe.")
    other = Finding("muster", "hints.csv", "das hat nicht die vereinbarte Form.")
    for findings in ([late] * 5, [late] * 6 + [other] * 6):
        assert _doubting_the_day(Refused(findings), date(2026, 1, 1)).findings == tuple(findings)
    assert len(_doubting_the_day(Refused([late] * 7 + [other] * 6), date(2026, 1, 1)).findings) == 14


@in_a_folder
def test_a_held_run_names_the_folder_with_the_report(place: Place) -> None:
    outcome = place.run(HELD, LATER)

    assert (outcome.result, outcome.release_id) == ("held", HELD)
    assert outcome.text == f"{HELD} aus denselben Eingaben wartet schon auf Freigabe."
    assert outcome.address == str(place.outputs / "held" / HELD)


@in_a_folder
def test_looking_at_the_inputs_needs_no_place_for_releases(place: Place) -> None:
    """``check`` works while another run publishes, and writes nothing."""
    before = place.files()
    profile = replace(place.profile_with(HELD), target="s3://gibtesnicht/x")

    outcome = run_stages(profile, place.outputs, LATER, INPUT_STAGES)

    assert (outcome.result, outcome.text) == ("checked", "Die Eingaben sind in Ordnung.")
    assert place.files() == before


@in_a_folder
def test_a_refused_run_publishes_nothing_and_leaves_its_work_to_look_at(
    place: Place, make_geodata: Callable[..., Path]
) -> None:
    committees = second_inputs()["committees.csv"]
    geodata = make_geodata({"committees.csv": committees + committees.splitlines()[-1] + "\n"})

    with pytest.raises(Refused):
        place.run(geodata)

    assert place.store.target.pointer() == SECOND
    assert place.store.target.folders("releases") == [FIRST, SECOND]
    assert [path.name for path in place.store.work.iterdir()] == ["2026.02.10"]
    assert place.night(SECOND) == "unchanged"
    assert not place.store.work.exists()


@in_a_folder
def test_only_one_run_at_a_time(place: Place) -> None:
    def call(stage: Stage, run: Run) -> StageReport:
        with pytest.raises(StoreBusy):
            run_stages(run.profile, place.outputs, LATER)
        return call_directly(stage, run)

    assert place.run(SECOND, LATER, call=call).result == "unchanged"


def test_a_run_completes_what_an_earlier_one_began(place: Place) -> None:
    begin(place.store, "rollback", ausgabe=FIRST, von=SECOND, grund="falsche Angabe", datum="2026-02-10")

    outcome = place.run(SECOND, LATER)

    assert outcome.recovered == f"Der unterbrochene Wechsel zu {FIRST} wurde abgeschlossen."
    assert (outcome.result, place.store.target.pointer()) == ("blocked", FIRST)
    assert latest_verifies(place.store)


@in_a_folder
def test_a_damaged_latest_release_is_not_compared_with(place: Place) -> None:
    """What damage changed would look like a change of the data."""
    file = place.outputs / "releases" / SECOND / "gremien.csv"
    file.chmod(0o644)
    file.write_text(file.read_text(encoding="utf-8").replace("Aldorf", "Bldorf"), encoding="utf-8")

    with pytest.raises(Refused, match=r"gremien\.csv: der Inhalt stimmt nicht mit der Prüfsumme überein"):
        place.run(FIRST, LATER)

    assert place.store.target.pointer() == SECOND


@in_a_folder
def test_real_and_synthetic_releases_do_not_share_a_place(place: Place) -> None:
    profile = replace(place.profile_with(SECOND), synthetic=True)
    with pytest.raises(WrongUsage, match="echte Ausgaben"):
        run_stages(profile, place.outputs, LATER)


@in_a_folder
def test_synthetic_releases_say_so_in_id_and_pointer(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(None)
    demo = replace(place, profile=replace(place.profile, synthetic=True))

    outcome = demo.run(FIRST, stores.release_day(FIRST))

    assert outcome.release_id == f"demo-{FIRST}"
    document = json.loads(demo.store.target.read("latest.json") or b"")
    assert document["synthetisch"].startswith("SYNTHETISCH")
    assert stores.release_day(f"demo-{FIRST}") == stores.release_day(FIRST)
    assert stores.next_id(demo.store, stores.release_day(FIRST)) == f"demo-{FIRST}.1"


def test_addresses_are_absolute_where_the_profile_has_a_public_one(
    place_after: Callable[[str | None], Place],
) -> None:
    place = place_after(None)
    public = replace(place, profile=replace(place.profile, base_url="https://karte.example"))

    public.run(FIRST, stores.release_day(FIRST))

    document = json.loads(public.store.target.read("latest.json") or b"")
    assert document["adresse"] == f"https://karte.example/releases/{FIRST}/"


BUILD = """
import sys
from datetime import date
from pathlib import Path
from flows.profile import load_profile
from flows.stages import run_stages
run_stages(load_profile(Path(sys.argv[1]), "kleinland"), Path(sys.argv[2]), date(2026, 2, 1))
run_stages(load_profile(Path(sys.argv[3]), "kleinland"), Path(sys.argv[2]), date(2026, 2, 2))
"""
SURROUNDINGS = (
    {"TZ": "Pacific/Kiritimati", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "1", "umask": "022"},
    {"TZ": "America/Los_Angeles", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "4711", "umask": "077"},
)


@pytest.mark.slow
def test_two_builds_anywhere_anytime_are_the_same_in_every_byte(nights: dict[str, Path], tmp_path: Path) -> None:
    """Every format, in two processes with other clocks, languages, hash seeds, umasks and folders."""

    made: list[dict[str, bytes]] = []
    for number, surroundings in enumerate(SURROUNDINGS):
        where = tmp_path / f"ort-{number}" / ("tief" * number)
        where.mkdir(parents=True)
        outputs = where / "ausgaben"
        variables = {name: value for name, value in surroundings.items() if name != "umask"}
        before = os.umask(int(surroundings["umask"], 8))
        try:
            subprocess.run(
                [sys.executable, "-c", BUILD, str(nights[FIRST]), str(outputs), str(nights[SECOND])],
                check=True,
                cwd=where,
                env={**os.environ, **variables, "PYTHONPATH": str(Path(__file__).parent.parent)},
            )
        finally:
            os.umask(before)
        names = [path for path in sorted(outputs.rglob("*")) if path.is_file() and path.name != ".lock"]
        made.append({path.relative_to(outputs).as_posix(): path.read_bytes() for path in names})

    assert f"releases/{SECOND}/praeventionskarte.gpkg" in made[0]
    assert made[0].keys() == made[1].keys()
    assert [name for name, content in made[0].items() if made[1][name] != content] == []
