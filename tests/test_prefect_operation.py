"""Nights that go wrong under a real Prefect: killed, late, held for approval; and what the office is told."""

from __future__ import annotations

import importlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import DAY, KLEINLAND, PROFILE, build_geodata
from prefect_driving import Night, Prefect, ended, start_run, wait_for
from webserver import Web

from flows.checksums import differences
from flows.nights.last_run import read_record
from flows.operations import reject
from flows.profile import load_profile
from flows.stages import store_of
from flows.store import Store, held_ids, locked, published_ids

pytest_plugins = ["prefect_server"]
pytestmark = [pytest.mark.slow, pytest.mark.prefect]

TOMORROW = (DAY + timedelta(days=1)).isoformat()


def parameters(geodata: Path, outputs: Path, day: str) -> dict[str, str]:
    return {"profile": PROFILE, "geodata": str(geodata), "outputs": str(outputs), "day": day}


def processes_of(run_id: str) -> list[int]:
    """Processes that Prefect started for a flow run: it tells them so in their environment."""
    mark = f"PREFECT__FLOW_RUN_ID={run_id}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def works(server: Prefect, run_id: str) -> bool:
    return server.call("GET", f"/flow_runs/{run_id}")["state_type"] == "RUNNING"


def kill(*processes: int) -> None:
    for process in processes:
        os.kill(process, signal.SIGKILL)


@dataclass(frozen=True)
class Operation:
    """Releases of one place, and what was told while they were made."""

    server: Prefect
    hook: Web
    outputs: Path
    store: Store

    def told(self) -> list[dict[str, str]]:
        """The notices, in order."""
        return [json.loads(asked.body) for asked in self.hook.asked if asked.path == "/hook"]

    def questions(self) -> list[dict[str, Any]]:
        """The runs that ask for approval here, oldest first."""
        asking = {"flow_runs": {"tags": {"all_": ["freigabe"]}}, "sort": "START_TIME_ASC"}
        runs = self.server.call("POST", "/flow_runs/filter", asking)
        return [run for run in runs if run["parameters"]["outputs"] == str(self.outputs)]

    def waiting(self, release_id: str) -> dict[str, Any]:
        """The run that waits for a decision on a release."""

        def suspended() -> dict[str, Any] | None:
            runs = [run for run in self.questions() if run["parameters"]["release_id"] == release_id]
            return next((run for run in runs if run["state_name"] == "Suspended"), None)

        return dict(wait_for("a question", suspended))

    def answer(self, run_id: str, answer: dict[str, str]) -> requests.Response:
        """What Prefect's web page sends on "Resume"."""
        with requests.Session() as session:
            session.trust_env = False
            return session.post(f"{self.server.url}/flow_runs/{run_id}/resume", json={"run_input": answer}, timeout=30)


@pytest.fixture(scope="module")
def operation(server: Prefect, hook: Web, geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Operation:
    outputs = tmp_path_factory.mktemp("betrieb") / "outputs"
    hook.asked.clear()
    return Operation(server, hook, outputs, store_of(load_profile(geodata, PROFILE), outputs))


def without(name: str, folder: Path) -> Path:
    """Kleinland whose table has lost all its rows overnight."""
    header = (KLEINLAND / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
    return build_geodata(folder / name, {f"{name}.csv": f"{header}\n"})


# --- flow and worker killed at once, on a pool of their own ---


@dataclass(frozen=True)
class Orphan:
    """A run whose process and worker were killed, and its deployment."""

    deployment: str
    run: str


@pytest.fixture(scope="module")
def orphan(
    server: Prefect, deployed: dict[str, Any], geodata: Path, tmp_path_factory: pytest.TempPathFactory
) -> Orphan:
    server.run("-m", "prefect", "work-pool", "create", "zweiter", "--type", "process")
    copied = ("flow_id", "entrypoint", "path", "pull_steps", "parameter_openapi_schema", "concurrency_options")
    content = {name: deployed[name] for name in copied} | {
        "name": "verwaist",
        "work_pool_name": "zweiter",
        "concurrency_limit": 1,
    }
    deployment = str(server.call("POST", "/deployments/", content)["id"])
    outputs = tmp_path_factory.mktemp("verwaist") / "outputs"
    with server.started("worker", "start", "--pool", "zweiter") as worker:
        run = start_run(server, deployment, parameters(geodata, outputs, DAY.isoformat()))
        wait_for("the run's beginning", lambda: works(server, run))
        kill(worker.pid, *processes_of(run))
        worker.wait()
    return Orphan(deployment, run)


# --- the nights, in their order ---


@pytest.fixture(scope="module")
def killed_night(
    operation: Operation,
    deployed: dict[str, Any],
    worker: None,  # noqa: ARG001 - must be there
    geodata: Path,
) -> dict[str, Any]:
    """The process of the first night is killed while it works."""
    run = start_run(operation.server, deployed["id"], parameters(geodata, operation.outputs, DAY.isoformat()))
    wait_for("the run's beginning", lambda: works(operation.server, run))
    kill(*processes_of(run))
    return ended(operation.server, run)


def test_a_killed_night_is_a_crash_that_is_told(killed_night: dict[str, Any], operation: Operation) -> None:
    assert killed_night["state_type"] == "CRASHED"
    notice = wait_for("the notice", operation.told)[0]
    assert notice["art"] == "fehler"
    assert "Der Prozess des Laufs wurde von außen beendet" in notice["text"]
    assert notice["lauf"] == killed_night["id"]
    record = read_record(operation.store)
    assert record.last is not None
    assert (record.last.ergebnis, record.good) == ("failed", None)
    assert published_ids(operation.store) == []


@pytest.fixture(scope="module")
def late_nights(
    killed_night: dict[str, Any],  # noqa: ARG001 - comes after it
    operation: Operation,
    deployed: dict[str, Any],
    geodata: Path,
) -> list[dict[str, Any]]:
    """The machine slept through three nights; on waking, all three are due at once."""
    runs = []
    for days in (3, 2, 1):
        due = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        state = {"type": "SCHEDULED", "name": "Late", "state_details": {"scheduled_time": due}}
        settings = parameters(geodata, operation.outputs, DAY.isoformat())
        runs.append(start_run(operation.server, deployed["id"], settings, state=state))
    return [ended(operation.server, run) for run in runs]


def test_nights_that_are_late_after_a_crash_make_one_release(
    late_nights: list[dict[str, Any]], operation: Operation
) -> None:
    messages = [run["state"]["message"] for run in late_nights]
    assert messages.count(f"Veröffentlicht: {DAY:%Y.%m.%d}") == 1, messages
    others = {run["state_type"] for run in late_nights} - {"COMPLETED"}
    assert others <= {"CANCELLED"}
    assert published_ids(operation.store) == [f"{DAY:%Y.%m.%d}"]
    assert differences(operation.outputs / "latest") == {}


def test_the_good_night_after_the_crash_is_told_once(late_nights: list[dict[str, Any]], operation: Operation) -> None:
    assert len(late_nights) == 3
    assert [notice["art"] for notice in operation.told()][:2] == ["fehler", "wieder_gut"]
    assert read_record(operation.store).good is not None


def test_the_run_s_id_stands_in_the_release(late_nights: list[dict[str, Any]], operation: Operation) -> None:
    provenance = json.loads((operation.outputs / "latest" / "provenance.json").read_text(encoding="utf-8"))
    published = [run for run in late_nights if run["state"]["message"].startswith("Veröffentlicht")]
    assert [run["id"] for run in published] == [provenance["lauf"]]


@pytest.fixture(scope="module")
def held_nights(
    late_nights: list[dict[str, Any]],  # noqa: ARG001 - comes after them
    spend_night: Callable[..., Night],
    operation: Operation,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Night, Night]:
    """Two bad files on two nights: both releases wait for a person."""
    folder = tmp_path_factory.mktemp("duenn")
    first = spend_night(without("hints", folder), TOMORROW, operation.outputs)
    second = spend_night(without("monitoring", folder), first.morrow, operation.outputs)
    return first, second


def test_each_held_release_is_asked_for_once_and_stops_no_night(
    held_nights: tuple[Night, Night], operation: Operation
) -> None:
    assert {night.run["state_name"] for night in held_nights} == {"Wartet auf Freigabe"}
    assert held_ids(operation.store) == ["2026.02.02", "2026.02.03"]
    for release_id in held_ids(operation.store):
        assert operation.waiting(release_id)["name"] == f"Freigabe {release_id} ({PROFILE})"
    assert len(operation.questions()) == 2
    told = [notice for notice in operation.told() if notice["art"] == "wartet"]
    assert [notice["betreff"].split("] ")[1] for notice in told] == [
        "Ausgabe 2026.02.02 wartet auf Freigabe",
        "Ausgabe 2026.02.03 wartet auf Freigabe",
    ]
    assert "hinweise: alle" in told[0]["text"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"entscheidung": "freigeben"},
        {"entscheidung": "freigeben", "grund": "  "},
        {"entscheidung": "vielleicht", "grund": "Der Datensatz ist leer."},
    ],
)
def test_an_answer_that_is_none_is_not_taken(
    answer: dict[str, str],
    held_nights: tuple[Night, Night],  # noqa: ARG001 - comes after them
    operation: Operation,
) -> None:
    question = operation.waiting("2026.02.02")
    said = operation.answer(question["id"], answer)
    assert said.status_code >= 400 or said.json()["status"] == "REJECT"
    assert operation.waiting("2026.02.02")["id"] == question["id"]


@dataclass(frozen=True)
class Decided:
    """One release approved in Prefect, the other dropped on the command line, and the night after."""

    approved: dict[str, Any]
    dropped: dict[str, Any]
    night: Night


@pytest.fixture(scope="module")
def decided(
    held_nights: tuple[Night, Night],
    spend_night: Callable[..., Night],
    operation: Operation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Decided:
    yes = operation.waiting("2026.02.02")["id"]
    no = operation.waiting("2026.02.03")["id"]
    with locked(operation.store):
        reject(operation.store, "2026.02.03", "Die Datei ist leer.", DAY)
    said = operation.answer(
        yes, {"entscheidung": "freigeben", "grund": "Die Hinweise sind gelöscht.", "durch": "Leitung"}
    )
    assert said.status_code < 300, said.text
    approved = ended(operation.server, yes)
    thin = without("hints", tmp_path_factory.mktemp("duenner"))
    night = spend_night(thin, held_nights[1].morrow, operation.outputs)
    return Decided(approved, ended(operation.server, no), night)


def test_an_approval_in_prefect_publishes_as_the_command_line_does(decided: Decided, operation: Operation) -> None:
    assert decided.approved["state_type"] == "COMPLETED", decided.approved["state"]
    assert decided.approved["state"]["message"] == "Freigegeben und veröffentlicht: 2026.02.02"
    assert operation.store.target.pointer() == "2026.02.02"
    assert differences(operation.outputs / "latest") == {}
    provenance = json.loads((operation.outputs / "latest" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["freigabe"]["grund"] == "Die Hinweise sind gelöscht."
    assert provenance["freigabe"]["durch"] == "Leitung"


def test_the_night_ends_a_question_that_the_command_line_answered(decided: Decided) -> None:
    assert decided.night.run["state"]["message"] == "Nichts geändert: 2026.02.02 ist aktuell."
    assert decided.dropped["state_type"] == "CANCELLED"
    assert decided.dropped["state"]["message"].startswith("Anderswo entschieden")


def test_whoever_answers_after_the_command_line_is_told_so(decided: Decided, operation: Operation) -> None:
    """Resumed between the decision and the next night: the run begins anew and finds nothing that waits."""
    approval = importlib.import_module("flows.deployments.approval")
    assert decided.night.releases == ["2026.02.01", "2026.02.02"]
    text = "2026.02.02 ist schon veröffentlicht; es war nichts mehr zu tun."
    assert approval.decided(operation.store, "2026.02.02") == text
    assert approval.decided(operation.store, "2026.02.03").startswith("2026.02.03 wartet nicht mehr auf Freigabe")


def test_all_is_well_again_after_the_decisions(decided: Decided, operation: Operation) -> None:
    assert decided.night.run["state_type"] == "COMPLETED"
    assert [notice["art"] for notice in operation.told()] == [
        "fehler",
        "wieder_gut",
        "wartet",
        "wartet",
        "wieder_gut",
    ]


OTHER_FLOWS = """
import json, sys
from pathlib import Path
from flows.deployments.freshness import freshness
from flows.deployments.evidence_links import evidence_links

profile, geodata, outputs = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
states = [flow(profile, geodata=geodata, outputs=outputs, return_state=True) for flow in (freshness, evidence_links)]
print(json.dumps([[state.type.value, state.message] for state in states]))
"""


def test_the_other_flows_say_what_their_commands_say(decided: Decided, operation: Operation, geodata: Path) -> None:
    """Kleinland's pages are on hosts that cannot exist: the check of its links must not blame them."""
    assert decided.night.latest == "2026.02.02"
    result = operation.server.run("-c", OTHER_FLOWS, PROFILE, str(geodata), str(operation.outputs))
    fresh, links = json.loads(result.stdout)
    assert fresh == ["COMPLETED", "In Ordnung: Die Veröffentlichung ist unversehrt, und der letzte Lauf ging gut."]
    assert links[0] == "FAILED"
    assert "Das liegt wohl an der eigenen Verbindung" in links[1]


def test_when_flow_and_worker_are_killed_the_lease_frees_the_next_night(
    decided: Decided, orphan: Orphan, server: Prefect, geodata: Path, tmp_path: Path
) -> None:
    """Nobody reports such a run as crashed; its lease ends after five minutes, here at once."""
    assert decided.night.run["state_type"] == "COMPLETED"
    state = server.call("GET", f"/flow_runs/{orphan.run}")["state"]
    assert state["type"] == "RUNNING"
    leases = Path(server.environment["PREFECT_HOME"]) / "concurrency_leases"
    file = leases / f"{state['state_details']['deployment_concurrency_lease_id']}.json"
    lease = json.loads(file.read_text(encoding="utf-8"))
    assert datetime.fromisoformat(lease["expiration"]) - datetime.now(UTC) <= timedelta(minutes=5)
    over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    file.write_text(json.dumps(lease | {"expiration": over}), encoding="utf-8")
    index = leases / "expirations.json"
    index.write_text(json.dumps(json.loads(index.read_text(encoding="utf-8")) | {file.stem: over}), encoding="utf-8")
    place = f"/deployments/{orphan.deployment}"
    wait_for("the lease's end", lambda: not server.call("GET", place)["global_concurrency_limit"]["active_slots"])
    server.call("PATCH", place, {"work_pool_name": "praevkarte"})
    run = ended(server, start_run(server, orphan.deployment, parameters(geodata, tmp_path, DAY.isoformat())))
    assert run["state"]["message"] == f"Veröffentlicht: {DAY:%Y.%m.%d}"
