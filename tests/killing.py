"""Operations in processes of their own that are killed in the midst of them; SIGKILL leaves nobody time to tidy up.

``python tests/killing.py`` is a server: for every request, a line of JSON on stdin, it forks a child that has all
modules loaded already, lets it run the operation and kills it before a certain step or after a certain time. Steps are
what changes a file (told by Python's audit hooks) and what changes an object (calls of obstore).
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import obstore
from conftest import PROFILE
from operating import HELD, LATER, Place

from flows.operations import approve, prune, reject, rollback
from flows.profile import load_profile
from flows.store import Store
from flows.withdrawal import withdraw

REASON = "zum Versuch"
OPERATIONS: dict[str, Callable[[Store, str], object]] = {
    "approve": lambda store, release_id: approve(store, release_id, REASON, "Fachstelle", LATER),
    "reject": lambda store, release_id: reject(store, release_id, REASON, LATER),
    "rollback": lambda store, release_id: rollback(store, release_id, REASON, LATER),
    "withdraw": lambda store, release_id: withdraw(store, release_id, REASON, LATER),
    "prune": lambda store, _: prune(store, 1, date.fromisoformat(HELD.replace(".", "-"))),
}
PUBLISH = "publish"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Attempt:
    """An operation on a release (or, for ``publish``, on the inputs in a geodata folder) and when to kill it.

    ``step`` counts from 1; ``before`` is a pattern that a step's description matches; ``seconds`` count from the
    operation's start. Without any of them it runs to its end.
    """

    operation: str
    about: str
    outputs: str
    target: str
    geodata: str
    step: int | None = None
    before: str | None = None
    seconds: float | None = None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: killed or not, the error if any, seconds it took, and the steps if it was not killed."""

    killed: bool
    error: str = ""
    seconds: float = 0.0
    steps: tuple[str, ...] = ()


# --- the child -----------------------------------------------------------------------------------------------------


def _file_step(event: str, args: tuple[Any, ...]) -> str | None:
    """A change of a file in words, or None for anything else."""
    if event == "open":
        path, _, flags = args
        return f"write {path}" if isinstance(flags, int) and flags & WRITING else None
    if event in ("os.rename", "os.symlink"):
        return f"{event.removeprefix('os.')} {args[1]}"
    if event in ("os.remove", "os.rmdir", "os.mkdir", "os.chmod"):
        return f"{event.removeprefix('os.')} {args[0]}"
    return None


class _Watch:
    """Counts the steps below a folder and in an object store, and ends the process before the one that is meant."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.steps: list[str] = []
        self.on = False
        self.turn = threading.Lock()
        sys.addaudithook(self.hook)
        for name in ("put", "delete"):
            setattr(obstore, name, self.counted(name, getattr(obstore, name)))

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and (step := _file_step(event, args)):
            path = step.split(" ", 1)[1]
            if path.startswith(self.attempt.outputs) or not path.startswith("/"):
                self.count(step.replace(self.attempt.outputs + "/", ""))

    def counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(store: Any, key: Any, *args: Any, **options: Any) -> Any:
            # One at a time: what another thread has on its way would arrive after the kill, at a moment of its own.
            with self.turn:
                self.count(f"{name} {key if isinstance(key, str) else key[0]}")
                return call(store, key, *args, **options)

        return counting

    def count(self, step: str) -> None:
        self.steps.append(step)
        wanted = self.attempt
        if len(self.steps) == wanted.step or (wanted.before and re.search(wanted.before, step)):
            os.kill(os.getpid(), signal.SIGKILL)


def perform(attempt: Attempt) -> None:
    """Run the operation to its end."""
    profile = replace(load_profile(Path(attempt.geodata), PROFILE), target=attempt.target)
    place = Place(profile, Path(attempt.outputs), {})
    if attempt.operation == PUBLISH:
        place.run(Path(attempt.geodata), date.fromisoformat(attempt.about))
        return
    with place.open() as store:
        OPERATIONS[attempt.operation](store, attempt.about)


def _child(attempt: Attempt, reply: int) -> None:
    """Run an attempt; the first byte on ``reply`` says that it starts, a line of JSON how it ended."""
    os.environ.update(attempt.environment)
    watch = _Watch(attempt)
    error = ""
    os.write(reply, b"!")
    started = time.perf_counter()
    watch.on = True
    try:
        perform(attempt)
    except BaseException:
        error = traceback.format_exc()
    watch.on = False
    ending = Ending(False, error, time.perf_counter() - started, tuple(watch.steps))
    os.write(reply, json.dumps(asdict(ending)).encode() + b"\n")
    os._exit(0)


# --- the server ----------------------------------------------------------------------------------------------------


def _attempt(attempt: Attempt) -> Ending:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(attempt, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as reply:
        reply.read(1)
        if attempt.seconds is not None:
            time.sleep(attempt.seconds)
            os.kill(child, signal.SIGKILL)
        text = reply.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Ending(killed=True)
    ended = json.loads(text)
    return Ending(**ended | {"steps": tuple(ended["steps"])})


def main() -> None:
    """Answer requests until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(asdict(_attempt(Attempt(**json.loads(line))))), flush=True)


# --- the client ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Killer:
    """Asks the server for attempts."""

    server: subprocess.Popen[str]

    def attempt(self, attempt: Attempt) -> Ending:
        """Make one attempt; raises ``RuntimeError`` when the operation itself fails."""
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps(asdict(attempt)) + "\n")
        self.server.stdin.flush()
        ended = json.loads(self.server.stdout.readline())
        if ended["error"]:
            raise RuntimeError(ended["error"])
        return Ending(**ended | {"steps": tuple(ended["steps"])})


@contextmanager
def killer() -> Iterator[Killer]:
    """A running server."""
    root = Path(__file__).parent.parent
    variables = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"}
    command = [sys.executable, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env=variables
    ) as server:
        yield Killer(server)
        assert server.stdin
        server.stdin.close()


if __name__ == "__main__":
    main()
