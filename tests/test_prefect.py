"""The nightly flow: its settings, and how it runs under a real Prefect server and worker on 127.0.0.1."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from conftest import DAY, KLEINLAND, PROFILE, build_geodata
from prefect_driving import Night, Prefect, tasks_of, wait_for
from webserver import Web

from flows.checksums import MANIFEST, differences
from flows.errors import Refused
from flows.nights.last_run import read_record
from flows.paths import ROOT
from flows.profile import load_profile
from flows.stages import STAGES, store_of

pytest_plugins = ["prefect_server"]

# An import of Prefect takes seconds, its server more.
pytestmark = pytest.mark.slow

BERLIN = ZoneInfo("Europe/Berlin")


# --- The command line and the settings, without a server ---


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    """``flows.refresh``, imported only when a test needs it: Prefect takes seconds."""
    return importlib.import_module("flows.refresh")


@pytest.fixture(scope="module")
def deployments() -> dict[str, dict[str, Any]]:
    """The deployments by name as ``prefect.yaml`` states them."""
    stated = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    return {deployment["name"]: deployment for deployment in stated}


@pytest.mark.parametrize("arguments", [["--help"], ["release", "--profile", PROFILE, "--date", DAY.isoformat()]])
def test_the_command_line_never_imports_prefect(arguments: list[str], geodata: Path, outputs: Path) -> None:
    code = (
        "import sys\n"
        "from flows.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "sys.exit('prefect was imported' if 'prefect' in sys.modules else 0)"
    )
    places = {"PRAEVKARTE_GEODATA": str(geodata), "PRAEVKARTE_OUTPUTS": str(outputs)}
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=os.environ | places, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def planned(deployment: dict[str, Any], start: datetime, count: int) -> list[datetime]:
    """The next moments of a deployment's schedule from ``start``, by Prefect's own reckoning, in Berlin's time."""
    schedules = importlib.import_module("prefect.server.schemas.schedules")
    (stated,) = deployment["schedules"]
    schedule = schedules.CronSchedule(cron=stated["cron"], timezone=stated["timezone"])
    return [moment.astimezone(BERLIN) for moment in asyncio.run(schedule.get_dates(count, start))]


@pytest.mark.parametrize(("name", "hour", "minute"), [("nightly", 3, 15), ("freshness", 6, 45)])
@pytest.mark.parametrize("month", [3, 10])
@pytest.mark.parametrize("year", range(2026, 2032))
def test_each_day_around_a_change_of_the_clock_has_one_run_at_its_time(
    year: int, month: int, name: str, hour: int, minute: int, deployments: dict[str, dict[str, Any]]
) -> None:
    change = datetime.combine(last_sunday(year, month), datetime.min.time(), BERLIN)
    offsets = {(change + timedelta(days=days)).utcoffset() for days in (0, 1)}
    assert len(offsets) == 2, "the clock does not change on this day"
    for first in (change - timedelta(days=2), change):
        runs = planned(deployments[name], first, 5)
        assert [run.replace(tzinfo=None) for run in runs] == [
            datetime.combine(first.date() + timedelta(days=days), datetime.min.time()).replace(hour=hour, minute=minute)
            for days in range(5)
        ]


@pytest.mark.parametrize("month", [3, 10])
@pytest.mark.parametrize("year", range(2026, 2032))
def test_the_links_are_checked_each_monday_morning_whatever_the_clock_does(
    year: int, month: int, deployments: dict[str, dict[str, Any]]
) -> None:
    change = datetime.combine(last_sunday(year, month), datetime.min.time(), BERLIN)
    runs = planned(deployments["evidence-links"], change - timedelta(days=10), 4)
    mondays = [change.date() + timedelta(days=days) for days in (-6, 1, 8, 15)]
    assert [run.replace(tzinfo=None) for run in runs] == [
        datetime.combine(monday, datetime.min.time()).replace(hour=5, minute=30) for monday in mondays
    ]


def test_every_deployment_is_described_tagged_and_on_the_pool(deployments: dict[str, dict[str, Any]]) -> None:
    assert set(deployments) == {"nightly", "freigabe", "evidence-links", "freshness"}
    for deployment in deployments.values():
        assert len(deployment["description"]) > 100
        assert deployment["tags"] == ["praevkarte"]
        assert deployment["work_pool"] == {"name": "praevkarte"}
    # Questions wait side by side; nobody starts them by the clock.
    alone = {name: one["concurrency_limit"]["limit"] for name, one in deployments.items() if "schedules" in one}
    assert alone == {"nightly": 1, "evidence-links": 1, "freshness": 1}
    assert "schedules" not in deployments["freigabe"]
    assert "concurrency_limit" not in deployments["freigabe"]


def test_prefect_yaml_names_no_place_on_this_machine() -> None:
    text = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert str(Path.home()) not in text


@pytest.mark.parametrize(
    ("address", "error", "places"),
    [
        ("None/flow-runs/flow-run/1", None, ""),
        (None, None, ""),
        ("None/flow-runs/flow-run/1", Refused([]), "{outputs}/reports/index.html"),
        ("http://127.0.0.1:4200/runs/flow-run/1", None, "{address}, Artefakt pruefungen-kleinland"),
        (
            "http://127.0.0.1:4200/runs/flow-run/1",
            Refused([]),
            "{address}, Artefakt pruefungen-kleinland; {outputs}/reports/index.html",
        ),
    ],
)
def test_a_notice_names_only_places_where_a_person_can_look(
    address: str | None,
    error: Refused | None,
    places: str,
    refresh: ModuleType,
    geodata: Path,
    outputs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "runtime", SimpleNamespace(flow_run=SimpleNamespace(ui_url=address)))
    said = refresh.where_to_read(load_profile(geodata, PROFILE), outputs, error)
    assert said == places.format(address=address, outputs=outputs)


# --- A server, a deployment and a worker on this machine: see prefect_server ---


@pytest.fixture(scope="module")
def first_night(spend_night: Callable[[Path, str], Night], geodata: Path) -> Night:
    return spend_night(geodata, DAY.isoformat())


@pytest.fixture(scope="module")
def second_night(spend_night: Callable[[Path, str], Night], geodata: Path, first_night: Night) -> Night:
    return spend_night(geodata, first_night.morrow)


@pytest.fixture(scope="module")
def broken_night(
    spend_night: Callable[[Path, str], Night], second_night: Night, tmp_path_factory: pytest.TempPathFactory
) -> Night:
    """The office has typed a date that nobody can read into line 2 of the evidence."""
    evidence = (KLEINLAND / "evidence.csv").read_text(encoding="utf-8").replace("2017-03-02", "im März 17")
    geodata = build_geodata(tmp_path_factory.mktemp("broken") / "geodata", {"evidence.csv": evidence})
    return spend_night(geodata, second_night.morrow)


@pytest.fixture(scope="module")
def thin_night(
    spend_night: Callable[[Path, str], Night], broken_night: Night, tmp_path_factory: pytest.TempPathFactory
) -> Night:
    """All hints have vanished overnight, and nobody has said why."""
    header = (KLEINLAND / "hints.csv").read_text(encoding="utf-8").splitlines()[0]
    geodata = build_geodata(tmp_path_factory.mktemp("thin") / "geodata", {"hints.csv": f"{header}\n"})
    return spend_night(geodata, broken_night.morrow)


@pytest.mark.prefect
def test_the_deployment_runs_every_night_one_at_a_time(deployed: dict[str, Any]) -> None:
    (schedule,) = deployed["schedules"]
    assert schedule["active"]
    assert schedule["schedule"]["cron"] == "15 3 * * *"
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"
    assert deployed["global_concurrency_limit"]["limit"] == 1
    assert deployed["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert deployed["work_pool_name"] == "praevkarte"
    assert deployed["parameters"] == {"profile": "thueringen"}
    assert deployed["tags"] == ["praevkarte"]


@pytest.mark.prefect
def test_the_worker_is_sent_to_the_checkout_that_was_deployed(deployed: dict[str, Any]) -> None:
    (step,) = deployed["pull_steps"]
    assert step == {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}


@pytest.mark.prefect
def test_the_server_plans_the_coming_nights(server: Prefect, deployed: dict[str, Any]) -> None:
    """With the wrong SQLAlchemy the scheduler fails in every loop and plans nothing."""
    planned = {
        "deployments": {"id": {"any_": [deployed["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    runs = wait_for("scheduled runs", lambda: server.call("POST", "/flow_runs/filter", planned))
    starts = [datetime.fromisoformat(run["expected_start_time"]).astimezone(BERLIN) for run in runs]
    assert {start.strftime("%H:%M:%S") for start in starts} == {"03:15:00"}
    days = [start.date() for start in starts]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]


@pytest.mark.prefect
def test_the_first_night_publishes_a_release_that_verifies(first_night: Night, releases: Path) -> None:
    assert first_night.run["state_type"] == "COMPLETED", first_night.run["state"]
    assert first_night.run["state"]["message"] == "Veröffentlicht: 2026.02.01"
    assert first_night.run["name"] == "kleinland 2026-02-01"
    assert first_night.releases == ["2026.02.01"]
    assert first_night.latest == "2026.02.01"
    assert (releases / "latest" / MANIFEST).read_text(encoding="utf-8").count("\n") > 1
    assert differences(releases / "latest") == {}


@pytest.mark.prefect
def test_each_stage_is_a_task_in_the_order_of_the_command_line(server: Prefect, first_night: Night) -> None:
    assert tasks_of(server, first_night) == [(stage.title, "COMPLETED") for stage in STAGES]


@pytest.mark.prefect
def test_the_first_night_leaves_a_summary_and_the_check_results(first_night: Night, releases: Path) -> None:
    summary = first_night.artifacts["zusammenfassung-kleinland"]
    assert "**Veröffentlicht: 2026.02.01**" in summary
    municipalities = len((releases / "latest" / "gemeinden.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert f"| gemeinden | Gemeinden | {municipalities} |" in summary
    assert all(stage.title in summary for stage in STAGES)
    (row,) = json.loads(first_night.artifacts["pruefungen-kleinland"])
    assert row["Ergebnis"] == "keine Befunde"
    assert "Prüfungen ohne Befund" in row["Umfang"]


@pytest.mark.prefect
def test_the_second_night_finds_nothing_changed(server: Prefect, second_night: Night) -> None:
    assert second_night.run["state_type"] == "COMPLETED", second_night.run["state"]
    assert second_night.run["state"]["message"] == "Nichts geändert: 2026.02.01 ist aktuell."
    assert second_night.releases == ["2026.02.01"]
    assert tasks_of(server, second_night) == [(STAGES[0].title, "COMPLETED")]
    assert "**Nichts geändert: 2026.02.01 ist aktuell.**" in second_night.artifacts["zusammenfassung-kleinland"]


@pytest.mark.prefect
def test_a_night_with_a_faulty_input_fails_and_says_where(server: Prefect, broken_night: Night, releases: Path) -> None:
    place = "evidence.csv, Zeile 2, Spalte „belegt_am“, Wert „im März 17“"
    assert broken_night.run["state_type"] == "FAILED"
    assert broken_night.run["state"]["message"].startswith("Abgelehnt: 1 Befund; es wurde nichts veröffentlicht.")
    assert place in broken_night.run["state"]["message"]
    assert "Wert „im März 17“" in broken_night.artifacts["zusammenfassung-kleinland"]
    (row,) = json.loads(broken_night.artifacts["pruefungen-kleinland"])
    assert (row["Quelle"], row["Zeile"], row["Spalte"]) == ("evidence.csv", 2, "belegt_am")
    assert row["Wert"] == "im März 17"
    assert tasks_of(server, broken_night) == [(STAGES[0].title, "COMPLETED"), (STAGES[1].title, "FAILED")]
    assert broken_night.latest == "2026.02.01"
    assert broken_night.releases == ["2026.02.01"]
    assert differences(releases / "latest") == {}


@pytest.mark.prefect
def test_a_night_whose_release_is_held_does_not_look_like_the_others(thin_night: Night) -> None:
    assert thin_night.run["state_type"] == "COMPLETED", thin_night.run["state"]
    assert thin_night.run["state_name"] == "Wartet auf Freigabe"
    assert thin_night.run["state"]["message"].startswith("2026.02.04 wartet auf Freigabe")
    assert {row["Ergebnis"] for row in json.loads(thin_night.artifacts["pruefungen-kleinland"])} == {
        "keine Befunde",
        "Freigabe nötig",
    }
    assert "| hinweise | Hinweise | 0 |" in thin_night.artifacts["zusammenfassung-kleinland"]
    assert thin_night.latest == "2026.02.01"
    assert thin_night.releases == ["2026.02.01"]


ATTEMPTS = """
import json
from prefect import flow
from flows import refresh
from flows.errors import PipelineError, Refused, SourceUnavailable
from flows.findings import Finding
from flows.run import StageReport
from flows.stages import Stage

refresh.RETRY_SECONDS = 0.01
attempts = {}

def failing(name, error, times, network):
    def stage(run):
        attempts[name] = attempts.get(name, 0) + 1
        if attempts[name] <= times:
            raise error
        return StageReport()
    try:
        refresh.run_as_task(Stage(name, name, stage, network), None)
    except PipelineError as raised:
        assert raised is error

@flow
def night():
    away, wrong = SourceUnavailable("away"), Refused([Finding("x", f"row {n}", "z") for n in range(500)])
    failing("network, back at the second try", away, 1, True)
    failing("network, away for good", away, 99, True)
    failing("network, refused", wrong, 99, True)
    failing("no network, away", away, 99, False)

night()
print(json.dumps(attempts))
"""


@pytest.mark.prefect
def test_only_an_unreachable_source_is_tried_again(server: Prefect, refresh: ModuleType) -> None:
    result = server.run("-c", ATTEMPTS)
    assert json.loads(result.stdout) == {
        "network, back at the second try": 2,
        "network, away for good": 1 + refresh.RETRIES,
        "network, refused": 1,
        "no network, away": 1,
    }
    # The log names the first finding, not all of them.
    assert "row 0" in result.stderr
    assert "row 499" not in result.stderr


BUSY = """
import sys
from pathlib import Path
from flows.profile import load_profile
from flows.refresh import nightly
from flows.stages import store_of
from flows.store import locked, published_ids

profile, geodata, outputs = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
store = store_of(load_profile(geodata, profile), outputs)
with locked(store):
    state = nightly(profile, geodata=geodata, outputs=outputs, return_state=True)
print(state.type.value, published_ids(store), state.message)
"""


@pytest.mark.prefect
def test_a_second_run_at_the_same_time_gives_way(server: Prefect, geodata: Path, outputs: Path) -> None:
    result = server.run("-c", BUSY, PROFILE, str(geodata), str(outputs))
    assert result.stdout.startswith("FAILED [] Fehler:")
    assert "ein anderer Lauf arbeitet hier" in result.stdout


HANGING = """
import sys, time
from pathlib import Path
from flows import refresh

refresh.recorded_run = lambda *arguments, **settings: time.sleep(240)
profile, geodata, outputs = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
night = refresh.nightly.with_options(timeout_seconds=5)
state = night(profile, geodata=geodata, outputs=outputs, return_state=True)
print(state.type.value, state.name)
"""


@pytest.mark.prefect
def test_a_run_that_takes_too_long_is_ended_noted_and_told(
    server: Prefect, hook: Web, geodata: Path, outputs: Path
) -> None:
    assert server.run("-c", HANGING, PROFILE, str(geodata), str(outputs)).stdout == "FAILED TimedOut\n"
    text = "Der Lauf dauerte länger als 90 Minuten und wurde beendet."
    record = read_record(store_of(load_profile(geodata, PROFILE), outputs))
    assert record.last is not None
    assert (record.last.ergebnis, record.last.meldung) == ("failed", text)
    notice = json.loads(hook.asked[-1].body)
    assert (notice["art"], notice["lauf"]) == ("fehler", record.last.lauf)
    assert notice["was_geschah"].startswith(text)
