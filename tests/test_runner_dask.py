"""A release whose partitioned work is done by two Dask workers is the same, byte for byte, as one made here."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import DAY, VARIANT
from prefect_driving import ROOT, Prefect
from two_lands import two_lands

from flows.checksums import files_of
from flows.errors import WrongUsage
from flows.fingerprint import code_fingerprint

pytest_plugins = ["prefect_server"]


def command(geodata: Path, outputs: Path, *more: str) -> list[str]:
    """The command line of a release of the two Länder."""
    release = [sys.executable, "-m", "flows", "release", "--json", "--profile", VARIANT, "--date", DAY.isoformat()]
    return [*release, "--geodata", str(geodata), "--outputs", str(outputs), *more]


@pytest.mark.slow
@pytest.mark.prefect
def test_two_workers_make_the_same_bytes(server: Prefect, make_geodata: Callable[..., Path], tmp_path: Path) -> None:
    geodata = make_geodata(two_lands())
    here, spread = tmp_path / "hier", tmp_path / "verteilt"
    subprocess.run(command(geodata, here), cwd=ROOT, check=True, capture_output=True)
    done = subprocess.run(
        command(geodata, spread, "--runner", "dask"), cwd=ROOT, env=server.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ergebnis"] == "published"
    ran = server.call("POST", "/task_runs/filter", {"flows": {"name": {"any_": ["release"]}}})
    names = [run["name"].rpartition("-")[0] for run in ran]
    # Two Länder of municipalities, districts and outlines, and the committees' points.
    assert (names.count("dissolve_land"), names.count("make_part")) == (2, 7)
    assert {run["state_type"] for run in ran} == {"COMPLETED"}
    one, other = (folder / "releases" / DAY.strftime("%Y.%m.%d") for folder in (here, spread))
    assert files_of(one) == files_of(other)
    assert [name for name in files_of(one) if (one / name).read_bytes() != (other / name).read_bytes()] == []


@pytest.mark.slow
@pytest.mark.prefect
def test_a_cluster_that_does_not_answer_is_told_in_words(
    server: Prefect, make_geodata: Callable[..., Path], tmp_path: Path
) -> None:
    files = two_lands()
    nowhere = files | {"profile.toml": files["profile.toml"] + '\n[runner]\ndask_address = "tcp://127.0.0.1:9"\n'}
    done = subprocess.run(
        command(make_geodata(nowhere), tmp_path / "outputs", "--runner", "dask"),
        cwd=ROOT,
        env=server.environment | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == WrongUsage.exit_code, done.stdout + done.stderr
    assert "Unter tcp://127.0.0.1:9 antwortet kein Dask-Cluster" in json.loads(done.stdout)["meldung"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("tls://127.0.0.1:8786", TypeError("TLS expects a `ssl_context` argument")),
        ("tcp://karte..example:8786", UnicodeError("label empty or too long")),
        ("tcp://127.0.0.1:8786", OSError("Timed out trying to connect")),
    ],
    ids=["no-certificates", "no-host", "nobody"],
)
def test_whatever_the_client_raises_is_told_in_words(
    address: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client itself would not do: one that has failed waits for its threads when Python clears it away."""
    pytest.importorskip("prefect_dask")
    dask = importlib.import_module("flows.runners.dask")

    class Alone(dask.DaskTaskRunner):  # type: ignore[misc]
        @property
        def client(self) -> object:
            raise error

    monkeypatch.setattr(dask.FlowRunContext, "get", lambda: SimpleNamespace(task_runner=Alone(address=address)))
    with pytest.raises(WrongUsage, match=f"Unter {address} antwortet kein Dask-Cluster"):
        dask._client(address)


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_folder_or_runs_other_code_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("prefect_dask")
    dask = importlib.import_module("flows.runners.dask")

    class Cluster:
        """Answers for its workers as they would."""

        def __init__(self, **answers: Callable[[str], tuple[str | None, str]]) -> None:
            self.answers = answers

        def run(self, _function: object, file: str) -> dict[str, tuple[str | None, str]]:
            return {worker: answer(file) for worker, answer in self.answers.items()}

    good = dask._seen
    dask._check_workers(Cluster(eins=good, zwei=good), tmp_path)
    for other, words in (
        (lambda _file: (None, code_fingerprint()), "zwei sieht den Ordner"),
        (lambda file: (good(file)[0], "anders"), "zwei führt einen anderen Stand"),
    ):
        with pytest.raises(WrongUsage, match=words):
            dask._check_workers(Cluster(eins=good, zwei=other), tmp_path)
    with pytest.raises(WrongUsage, match="keine Arbeiter"):
        dask._check_workers(Cluster(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_line_says_what_is_missing_for_a_cluster(geodata: Path, tmp_path: Path) -> None:
    (tmp_path / "prefect.py").write_text("raise ModuleNotFoundError(name='prefect')", encoding="utf-8")
    release = [sys.executable, "-m", "flows", "release", "--profile", "kleinland", "--runner", "dask"]
    done = subprocess.run(
        [*release, "--geodata", str(geodata), "--outputs", str(tmp_path / "outputs")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "praevkarte[cluster]" in done.stderr
