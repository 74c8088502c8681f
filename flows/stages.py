"""The stages of a release, in the one place where their order stands, and the loop that runs them."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from flows.acquire import acquire, settled
from flows.disk import has_room
from flows.errors import PipelineError, Refused, WrongClock, WrongUsage
from flows.findings import Finding
from flows.german import day as german_day
from flows.join import join
from flows.office.report import install_reports, report_run, reported
from flows.office.set_aside import check_everything, check_records, load_records
from flows.operations import recover
from flows.package import package
from flows.profile import Profile
from flows.publish import publish
from flows.run import Run, StageReport
from flows.runners.base import Mapper
from flows.runners.local import map_locally
from flows.signature import signing_key
from flows.sources.snapshots import sources_folder
from flows.store import SYNTHETIC_PREFIX, Store, entries, entry_of, locked, next_id, no_room, unusable
from flows.targets import open_target
from flows.targets.local import LocalTarget


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: its name, what the operator reads (German), the function, and whether it may talk to the network."""

    name: str
    title: str
    run: Callable[[Run], StageReport]
    network: bool = False


STAGES = (
    Stage("acquire", "Eingaben beschaffen", acquire, network=True),
    Stage("load", "Laden und prüfen", load_records),
    Stage("join", "Verknüpfen", join),
    Stage("check", "Ergebnis prüfen", check_records),
    Stage("package", "Dateien schreiben", package),
    Stage("publish", "Veröffentlichen", publish),
)
# How a finding ends on what is dated after the release; so many of them, and most of all, speak for a wrong day.
LATE, MANY = "liegt nach dem Tag der Ausgabe.", 6
# The stages that look at the inputs and publish nothing.
INPUT_STAGES = (*STAGES[:3], replace(STAGES[3], run=check_everything))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    ``result``: ``published``, ``held``, ``unchanged``, ``blocked`` or ``checked``; ``release_id`` and ``address`` of
    the release that this is about; what each stage reported and how long it took (s); what was completed of an
    earlier run.
    """

    result: str
    text: str
    release_id: str | None
    address: str | None
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
    workspace = outputs / profile.outputs
    prefix = SYNTHETIC_PREFIX if profile.synthetic else ""
    return Store(workspace, open_target(profile.target, workspace), prefix, profile.signature_key)


def today() -> date:
    """The current day in UTC: the only place where a run reads the clock for its content."""
    return datetime.now(UTC).date()


def run_stages(
    profile: Profile,
    outputs: Path,
    day: date | None,
    stages: tuple[Stage, ...] = STAGES,
    call: Caller = call_directly,
    anyway: bool = False,
    run_id: str = "",
    reports: Path | None = None,
    mapper: Mapper = map_locally,
) -> Outcome:
    """Run ``stages`` (``STAGES``, or ``INPUT_STAGES`` to look only) in order; stops early when nothing need be built.

    ``day`` is the day of the release; None: today by this machine's clock, which a publishing run does not believe when
    the latest release is of a later day. A publishing run holds the store; its work folder goes when it ends well and
    otherwise stays until the next run, for a look at it. ``anyway`` publishes even inputs that a person has put aside;
    ``run_id`` is the caller's name for the run and goes into the release's provenance; ``mapper`` spreads the work that
    falls into parts. A publishing run replaces the office's reports in the store's workspace, also when it is refused;
    a look at the inputs writes them into the folder ``reports``, if one is given.

    Raises what the stages raise, ``StoreBusy``, ``StoreUnusable`` and ``WrongClock``, and ``WrongUsage`` when releases
    are to be signed and the key is missing, when a draft would leave this machine, or when real and synthetic releases
    would share a target.
    """
    if stages is not STAGES:
        with tempfile.TemporaryDirectory(prefix="praevkarte-") as folder:
            # A look at the inputs neither needs nor touches the place of the releases.
            store = Store(Path(folder), LocalTarget(Path(folder)))
            day = day or today()
            run = Run(profile, day, store, next_id(store, day), Path(folder), anyway=True, mapper=mapper)
            last_good = sources_folder(outputs / profile.outputs)
            try:
                return _run_all(replace(run, last_good=last_good), stages, call, reports is not None)
            finally:
                if reports is not None and run.reports.is_dir():
                    shutil.copytree(run.reports, reports, dirs_exist_ok=True)
    store = store_of(profile, outputs)
    _refuse_public_draft(profile, store)
    signing_key(store.signature_key)
    with locked(store):
        _refuse_mixture(store)
        recovered = recover(store)
        day = day or _day_by_clock(store)
        work = store.work / next_id(store, day)
        work.mkdir(parents=True)
        run = Run(profile, day, store, work.name, work, anyway, run_id, fetching=True, mapper=mapper)
        try:
            outcome = _run_all(run, stages, call)
            install_reports(run)
        except PipelineError:
            install_reports(run)
            raise
        except Exception as error:
            # DuckDB, GDAL, SQLite and tippecanoe each say in their own way, and class, that there was no room.
            if has_room(store.workspace, error):
                raise
            shutil.rmtree(store.work, ignore_errors=True)
            raise unusable(str(work), no_room(store, work, errno.ENOSPC)) from error
        shutil.rmtree(store.work)
        return replace(outcome, recovered=recovered)


def _day_by_clock(store: Store) -> date:
    """Today. Raises ``WrongClock`` when the latest release is of a later day: what came out since then would be taken
    for later than it is.
    """
    day, latest = today(), store.target.pointer()
    entry = entry_of(store, latest) if latest else None
    if entry and day < date.fromisoformat(entry["datum"]):
        raise WrongClock(
            f"Der Tag der Ausgabe ({german_day(day)}) liegt vor dem der neuesten Ausgabe "
            f"({german_day(entry['datum'])}). Bitte die Uhr dieses Rechners prüfen (timedatectl); ist der Tag gewollt, "
            "ihn mit --date nennen."
        )
    return day


def _doubting_the_day(refused: Refused, day: date) -> Refused:
    """A refusal that first names the day of the release, where most that is found is dated after it."""
    late = sum(finding.message.endswith(LATE) for finding in refused.findings)
    if late < MANY or 2 * late <= len(refused.findings):
        return refused
    message = f"die meisten Befunde nennen ein späteres Datum als den {german_day(day)}; eher stimmt dieser Tag nicht."
    remedy = "Bitte die Uhr dieses Rechners prüfen (timedatectl) oder den Tag mit --date nennen."
    return Refused([Finding("uhr", "Tag der Ausgabe", message, remedy), *refused.findings], refused.consequence)


def _refuse_public_draft(profile: Profile, store: Store) -> None:
    """A draft lacks what law or readers need, so it may lie in a local folder only."""
    if profile.draft and not isinstance(store.target, LocalTarget):
        raise WrongUsage(
            f"Das Profil „{profile.name}“ ist ein Entwurf und darf nicht nach {store.target.label} veröffentlicht "
            f"werden. Bitte ergänzen: {', '.join(profile.missing)}."
        )


def _refuse_mixture(store: Store) -> None:
    """Synthetic releases never stand where real ones do, nor the other way round (truth rule 2)."""
    if any(entry["ausgabe"].startswith(SYNTHETIC_PREFIX) != bool(store.prefix) for entry in entries(store)):
        kind = "echte" if store.prefix else "synthetische"
        raise WrongUsage(
            f"In {store.target.label} liegen schon {kind} Ausgaben. Bitte im Profil ein anderes Ziel nennen."
        )


def _run_all(run: Run, stages: tuple[Stage, ...], call: Caller, reporting: bool = True) -> Outcome:
    """Run the stages in order; with ``reporting`` the reports for the office are written, however the run ends."""
    reports: dict[str, StageReport] = {}
    seconds: dict[str, float] = {}
    outcome = Outcome("checked", "Die Eingaben sind in Ordnung.", None, None, reports, seconds)
    try:
        for stage in stages:
            started = time.perf_counter()
            report = reports[stage.name] = call(stage, run)
            if stage.run is acquire:
                run = settled(run)
            seconds[stage.name] = time.perf_counter() - started
            if report.outcome or (report.stop and stages is STAGES):
                outcome = _outcome(run, report, reports, seconds)
                break
    except Refused as error:
        refused = _doubting_the_day(error, run.day)
        if reporting:
            result = f"{refused.consequence[0].upper()}{refused.consequence[1:]}."
            report_run(run, result, _notes(reports), refused)
        raise refused from None
    if reporting:
        _report(run, outcome)
    return outcome


def _outcome(run: Run, report: StageReport, reports: dict[str, StageReport], seconds: dict[str, float]) -> Outcome:
    """How a run ended, from the report of the stage that ended it."""
    if stop := report.stop:
        address = _held_address(run, stop.release_id) if stop.outcome == "held" else _address(run, stop.release_id)
        return Outcome(stop.outcome, stop.text, stop.release_id, address, reports, seconds)
    if report.outcome == "published":
        text = f"Veröffentlicht: {run.release_id}"
        return Outcome("published", text, run.release_id, _address(run, run.release_id), reports, seconds)
    text = f"{run.release_id} wartet auf Freigabe; die letzte Ausgabe bleibt aktuell."
    return Outcome("held", text, run.release_id, _held_address(run, run.release_id), reports, seconds)


def _report(run: Run, outcome: Outcome) -> None:
    """Write the reports of a run that ended well; one that stopped early looks at its inputs only when they are others
    than those of the last reports, so that a night without a change writes nothing.
    """
    notes = _notes(outcome.reports)
    if "check" in outcome.reports:
        report_run(run, outcome.text, notes)
    elif not reported(run):
        try:
            for look in (load_records, join, check_records):
                look(run)
        except Refused as refused:
            report_run(run, outcome.text, notes, refused)
        else:
            report_run(run, outcome.text, notes)


def _notes(reports: dict[str, StageReport]) -> list[str]:
    return [note for report in reports.values() for note in report.notes]


def _held_address(run: Run, release_id: str | None) -> str | None:
    return str(run.store.held / release_id) if release_id else None


def _address(run: Run, release_id: str | None) -> str | None:
    return run.store.target.address(f"releases/{release_id}") if release_id else None
