"""How tests talk to a Prefect server on this machine; the server itself stands in ``prefect_server``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from flows.paths import ROOT
from flows.profile import load_profile
from flows.stages import store_of
from flows.store import published_ids

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
# Patience, not expectation: a test that waits this long (s) has failed.
PATIENCE = 240.0
# Prefect answers 503 while its SQLite is locked, having done nothing; its own client asks again, so do we.
ASK_AGAIN = Retry(
    total=8, connect=0, backoff_factor=0.5, status_forcelist=[503], allowed_methods=None, raise_on_status=False
)


def wait_for(what: str, probe: Callable[[], Any]) -> Any:
    """The first result of ``probe`` that is something; fails when there is none in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.2)
    pytest.fail(f"waited in vain for {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Prefect:
    """A server on this machine: where it answers and the environment in which programs talk to it."""

    url: str
    environment: dict[str, str]
    folder: Path

    def call(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        with requests.Session() as session:
            session.mount(self.url, HTTPAdapter(max_retries=ASK_AGAIN))
            session.trust_env = False  # no proxy between this machine and itself
            response = session.request(method, f"{self.url}{path}", json=content, timeout=30)
        response.raise_for_status()
        return response.json() if response.content else None

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program to its end."""
        result = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A ``prefect`` command that goes on until the end of the block, in a session of its own."""
        with (self.folder / f"{arguments[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def healthy(self) -> bool:
        try:
            return bool(self.call("GET", "/health"))
        except requests.ConnectionError:
            return False


@dataclass(frozen=True)
class Night:
    """A finished run: itself, its artifacts by key, and the releases that there are then."""

    run: dict[str, Any]
    artifacts: dict[str, str]
    latest: str | None
    releases: list[str]

    @property
    def morrow(self) -> str:
        """The day after the one that the run was for."""
        return (date.fromisoformat(self.run["parameters"]["day"]) + timedelta(days=1)).isoformat()


def start_run(server: Prefect, deployment_id: str, parameters: dict[str, str], **more: Any) -> str:
    """Trigger a run of a deployment; returns its id."""
    content = {"parameters": parameters} | more
    return str(server.call("POST", f"/deployments/{deployment_id}/create_flow_run", content)["id"])


def ended(server: Prefect, run_id: str) -> dict[str, Any]:
    """A run after its end, which is waited for."""

    def finished() -> dict[str, Any] | None:
        run = dict(server.call("GET", f"/flow_runs/{run_id}"))
        return run if run["state_type"] in FINAL else None

    return dict(wait_for("the end of the run", finished))


def run_deployment(server: Prefect, deployment_id: str, parameters: dict[str, str]) -> Night:
    """Trigger a run of the deployment and wait for its end."""
    run = ended(server, start_run(server, deployment_id, parameters))
    artifacts = server.call("POST", "/artifacts/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    store = store_of(load_profile(Path(parameters["geodata"]), parameters["profile"]), Path(parameters["outputs"]))
    return Night(
        run,
        {artifact["key"]: artifact["data"] for artifact in artifacts},
        store.target.pointer(),
        published_ids(store),
    )


def tasks_of(server: Prefect, night: Night) -> list[tuple[str, str]]:
    """Names and states of a run's tasks in their order; the server learns of them as events, after the run's end."""
    mine = {"flow_runs": {"id": {"any_": [night.run["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"}

    def finished() -> list[dict[str, Any]] | None:
        tasks = list(server.call("POST", "/task_runs/filter", mine))
        return tasks if all(task["state_type"] in FINAL for task in tasks) else None

    return [(task["name"], task["state_type"]) for task in wait_for("the ends of the tasks", finished)]
