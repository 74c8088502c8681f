"""The stages of a release, in the one place where their order stands, and the loop that runs them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from flows.acquire import acquire
from flows.check import check
from flows.join import join
from flows.load import load
from flows.package import package
from flows.profile import Profile
from flows.publish import publish
from flows.run import Run, StageReport
from flows.store import Store, locked, next_id, recover


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: its name, what the operator reads (German), the function, and whether it may talk to the network."""

    name: str
    title: str
    run: Callable[[Run], StageReport]
    network: bool = False


STAGES = (
    Stage("acquire", "Eingaben beschaffen", acquire, network=True),
    Stage("load", "Laden und prüfen", load),
    Stage("join", "Verknüpfen", join),
    Stage("check", "Ergebnis prüfen", check),
    Stage("package", "Dateien schreiben", package),
    Stage("publish", "Veröffentlichen", publish),
)
# The stages that look at the inputs and publish nothing.
INPUT_STAGES = STAGES[:4]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the release that is now the latest, whether it is new, and what each stage did and took (s)."""

    release_id: str | None
    folder: Path | None
    published: bool
    reports: dict[str, StageReport] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    recovered: str | None = None


Caller = Callable[[Stage, Run], StageReport]
"""How a stage is called: directly, or wrapped in a Prefect task."""


def call_directly(stage: Stage, run: Run) -> StageReport:
    """Run a stage as the plain function it is."""
    return stage.run(run)


def store_of(profile: Profile, outputs: Path) -> Store:
    """The store that a profile publishes to; synthetic releases have ids of their own."""
    return Store(outputs / profile.outputs, prefix="demo-" if profile.synthetic else "")


def today() -> date:
    """The current day in UTC: the only place where a run reads the clock for its content."""
    return datetime.now(UTC).date()


def run_stages(
    profile: Profile, outputs: Path, day: date, stages: tuple[Stage, ...] = STAGES, call: Caller = call_directly
) -> Outcome:
    """Run ``stages`` (``STAGES``, or ``INPUT_STAGES`` to look only) in order; stops early when nothing has changed.

    A publishing run holds the store; its work folder goes when it ends well and otherwise stays until the next run, for
    a look at it. Raises what the stages raise, and ``StoreBusy``.
    """
    store = store_of(profile, outputs)
    publishing = stages is STAGES
    if not publishing:
        with tempfile.TemporaryDirectory(prefix="praevkarte-") as folder:
            return _run_all(Run(profile, day, store, next_id(store, day), Path(folder)), stages, call)
    with locked(store):
        recovered = recover(store)
        work = store.work / next_id(store, day)
        work.mkdir(parents=True)
        outcome = _run_all(Run(profile, day, store, work.name, work), stages, call)
        shutil.rmtree(work)
        return replace(outcome, recovered=recovered)


def _run_all(run: Run, stages: tuple[Stage, ...], call: Caller) -> Outcome:
    reports: dict[str, StageReport] = {}
    seconds: dict[str, float] = {}
    for stage in stages:
        started = time.perf_counter()
        reports[stage.name] = call(stage, run)
        seconds[stage.name] = time.perf_counter() - started
        unchanged = reports[stage.name].unchanged
        if unchanged and stages is STAGES:
            return Outcome(unchanged, run.store.releases / unchanged, False, reports, seconds)
    if stages is STAGES:
        return Outcome(run.release_id, run.store.releases / run.release_id, True, reports, seconds)
    return Outcome(None, None, False, reports, seconds)
