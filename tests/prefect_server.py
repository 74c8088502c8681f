"""A Prefect server, the deployments and a worker on this machine; a plug-in.

Once for each module, and gone with it: an idle server takes a tenth of a processor from all other tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PROFILE
from prefect_driving import Night, Prefect, free_port, listens, run_deployment, wait_for
from webserver import Answer, Web, web


@pytest.fixture(scope="module")
def hook() -> Iterator[Web]:
    """Where the flows send their notices."""
    with web() as site:
        site.answers["/hook"] = Answer(204)
        yield site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, hook: Web) -> Iterator[Prefect]:
    """A Prefect server with a database of its own; afterwards nothing listens on its port."""
    folder = tmp_path_factory.mktemp("prefect")
    port = free_port()
    settings = {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1",
        # As docs/prefect.md advises; leases that ran out are collected more often than its 15 s.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
        "PRAEVKARTE_WEBHOOK_URL": f"{hook.url}/hook",
        # A scheduled run that falls into the test must not touch the checkout's own releases.
        "PRAEVKARTE_OUTPUTS": str(folder / "outputs"),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    prefect = Prefect(settings["PREFECT_API_URL"], inherited | settings, folder)
    with prefect.started("server", "start", "--host", "127.0.0.1", "--port", str(port)) as process:
        wait_for("the server", lambda: process.poll() is not None or prefect.healthy())
        assert process.poll() is None, (folder / "server.log").read_text()
        yield prefect
    assert not listens(port)


@pytest.fixture(scope="module")
def deployed(server: Prefect) -> dict[str, Any]:
    """The deployment as the server knows it after ``prefect deploy``."""
    server.run("-m", "prefect", "work-pool", "create", "praevkarte", "--type", "process")
    server.run("-m", "prefect", "--no-prompt", "deploy", "--all")
    return dict(server.call("GET", "/deployments/name/nightly/nightly"))


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the nights of this module publish."""
    return tmp_path_factory.mktemp("nights")


@pytest.fixture(scope="module")
def worker(server: Prefect, deployed: dict[str, Any]) -> Iterator[None]:
    """A process worker on the deployments' pool."""
    with server.started("worker", "start", "--pool", deployed["work_pool_name"]):
        yield


@pytest.fixture(scope="module")
def spend_night(
    server: Prefect,
    deployed: dict[str, Any],
    worker: None,  # noqa: ARG001 - must be there
    releases: Path,
) -> Callable[..., Night]:
    """``spend_night(geodata, day, outputs=releases)`` has the nightly deployment run by the worker."""

    def spend(geodata: Path, day: str, outputs: Path = releases) -> Night:
        parameters = {"profile": PROFILE, "geodata": str(geodata), "outputs": str(outputs), "day": day}
        return run_deployment(server, deployed["id"], parameters)

    return spend
