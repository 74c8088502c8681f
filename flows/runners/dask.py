"""The runner of several machines: the partitioned work of a release as Prefect tasks on a Dask cluster.

Nothing else imports this module: Prefect and Dask take seconds to import and belong to the extra ``cluster``. The
stages run here, in the process that was called; the cluster's workers are given file names and small values, and read
and write Parquet in the run's work folder. So they must see that folder, and run the very same code.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Failed
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner

from flows.errors import PipelineError, WrongUsage
from flows.fingerprint import code_fingerprint
from flows.runners.base import Item, Mapper, Result

# A local cluster stands in for a real one, to try it out.
LOCAL_WORKERS = 2
# A throw-away Prefect server takes up to half a minute to start, more than the 20 s that Prefect allows for.
SERVER_SECONDS = 180
# What Dask's client raises: nobody is there; that can be no host's name; TLS without certificates in its configuration.
ANSWERS_NOT = (OSError, ValueError, TypeError)

Answer = TypeVar("Answer")
_attempt: ContextVar[Callable[[], State[Any] | None]] = ContextVar("attempt")


def map_on_dask(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """A ``Mapper`` inside a flow: one task an item, on whichever worker is free."""
    if not items:
        return []
    # Results are small and come back by themselves; nothing of a run is kept for another one.
    work = task(name=function.__name__, cache_policy=NO_CACHE, persist_result=False)(function)
    futures = work.map(list(items))
    results: list[Result] = futures.result()
    return results


def _task_runner(address: str) -> TaskRunner[Any]:
    """The cluster at ``address``; empty: one of two processes on this machine."""
    if address:
        return DaskTaskRunner(address=address)
    processes = {"n_workers": LOCAL_WORKERS, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=processes)


def _client(address: str) -> Any:
    """The running flow's connection to its cluster; raises ``WrongUsage`` where none answers."""
    context = FlowRunContext.get()
    if context is None or not isinstance(context.task_runner, DaskTaskRunner):
        raise RuntimeError("called outside of a flow on Dask")
    try:
        return context.task_runner.client
    except ANSWERS_NOT as error:
        raise WrongUsage(
            f"Unter {address} antwortet kein Dask-Cluster ({type(error).__name__}). Bitte die Einstellung "
            "„runner.dask_address“ prüfen, bei tls:// auch die Zertifikate in der Konfiguration von Dask."
        ) from error


def _seen(file: str) -> tuple[str | None, str]:
    """On a worker: what it reads in a file, if it can, and which code it runs."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError:
        text = None
    return text, code_fingerprint()


def _check_workers(client: Any, workspace: Path) -> None:
    """Raise ``WrongUsage`` unless every worker reads what is written in ``workspace`` and runs the same code."""
    workspace.mkdir(parents=True, exist_ok=True)
    probe, token = workspace / f".dask-{uuid.uuid4().hex}", uuid.uuid4().hex
    probe.write_text(token, encoding="utf-8")
    try:
        answers: dict[str, tuple[str | None, str]] = client.run(_seen, str(probe))
    finally:
        probe.unlink()
    if not answers:
        raise WrongUsage("Der Dask-Cluster hat keine Arbeiter. Bitte mindestens einen starten (`dask worker`).")
    for worker, (text, code) in sorted(answers.items()):
        if text != token:
            raise WrongUsage(
                f"Der Dask-Arbeiter {worker} sieht den Ordner {workspace} nicht. Bitte die Ausgaben (--outputs) auf "
                "ein Dateisystem legen, das alle Arbeiter unter demselben Pfad eingebunden haben."
            )
        if code != code_fingerprint():
            raise WrongUsage(
                f"Der Dask-Arbeiter {worker} führt einen anderen Stand des Programms aus. Bitte überall denselben "
                "installieren."
            )


@contextmanager
def _server() -> Iterator[None]:
    """The Prefect server of the settings, else a throw-away one. Prefect would start one for this process and another
    for each worker; named in the settings, which go along with each task, one does for all.
    """
    if PREFECT_API_URL.value():
        yield
        return
    server = SubprocessASGIServer()
    # It ends with this process, after Prefect has sent it the last lines of its log.
    server.start(timeout=SERVER_SECONDS)
    with temporary_settings({PREFECT_API_URL: server.api_url}):
        yield


def _perform() -> State[Any] | None:
    return _attempt.get()()


@flow(name="release", persist_result=False)
def spread() -> State[Any] | None:
    """What ``on_dask`` is to do, as a flow. Prefect sends a flow along with its tasks, so this one holds nothing."""
    return _perform()


def on_dask(address: str, workspace: Path, work: Callable[[Mapper], Answer]) -> Answer:
    """``work`` with a mapper that spreads over the cluster at ``address`` (empty: a local one); returns its answer.

    Raises what ``work`` raises, and ``WrongUsage`` when there is no cluster, or one whose workers do not see the folder
    ``workspace`` or run other code. What an operator can mend reaches Prefect as one word: raised, it would put a
    traceback and every finding into Prefect's log.
    """
    answers: list[Answer] = []
    troubles: list[PipelineError] = []

    def attempt() -> State[Any] | None:
        try:
            _check_workers(_client(address), workspace)
            answers.append(work(map_on_dask))
        except PipelineError as error:
            troubles.append(error)
            return Failed(message=type(error).__name__)
        return None

    # Every connection and worker that comes and goes is of no interest; Prefect's tasks are told by itself.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    token = _attempt.set(attempt)
    try:
        with _server():
            state: State[Any] = spread.with_options(task_runner=_task_runner(address))(return_state=True)
    finally:
        _attempt.reset(token)
    if troubles:
        raise troubles[0]
    state.result()
    return answers[0]
