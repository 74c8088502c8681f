"""Commands that build and show: ``release``, ``serve``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.options import (
    BasisOption,
    DateOption,
    GeodataOption,
    JsonOption,
    OutputsOption,
    ProfileOption,
    QuietOption,
    Runner,
    RunnerOption,
    day_of,
)
from flows.console import ERR, OUT, dataset_table, print_json
from flows.errors import Refused, WrongUsage
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile, on_basis
from flows.run import Run, StageReport
from flows.runners.base import Mapper
from flows.store import HELD_REPORT

if TYPE_CHECKING:
    from flows.stages import Outcome

# A held release is neither published nor refused: a person decides.
EXIT_HELD = 4


def _titles() -> dict[str, str]:
    from flows.contracts import release_contracts

    return {contract.name: contract.title for contract in release_contracts()}


def _served(profile: Profile) -> str:
    return "" if profile.outputs == "." else f"/{profile.outputs}"


def _on_dask(settings: Profile, outputs: Path, run: Callable[[Mapper], Outcome]) -> Outcome:
    """A run whose partitioned work a Dask cluster does."""
    try:
        from flows.runners.dask import on_dask
    except ModuleNotFoundError as error:
        raise WrongUsage(
            f"Für --runner dask fehlt ein Paket ({error.name}). Bitte „praevkarte[cluster]“ installieren."
        ) from error
    return on_dask(settings.dask_address, outputs / settings.outputs, run)


def release(
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    basis: BasisOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    anyway: Annotated[bool, typer.Option("--anyway", help="Auch gesperrte Eingaben veröffentlichen.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Je Schritt eine Zeile JSON auf stderr.")] = False,
    runner: RunnerOption = Runner.LOCAL,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine Ausgabe bauen, prüfen und veröffentlichen (oder sagen, dass sich nichts geändert hat)."""
    from flows.nights.recorded import recorded_run
    from flows.nights.stage_log import stage_line, wants_json
    from flows.office.report import FOLDER, INDEX
    from flows.office.set_aside import read_aside
    from flows.sources.awaited import awaited
    from flows.stages import Stage

    settings = on_basis(load_profile(geodata, profile), basis)
    reports = outputs / settings.outputs / FOLDER / INDEX
    log_json = log_json or wants_json(os.environ)
    silent = quiet or as_json or log_json

    def call(stage: Stage, run: Run) -> StageReport:
        if stage.network and not silent:
            for line in awaited(settings, run.store, run.day):
                ERR.print(line, markup=False)
        started = time.perf_counter()
        report: StageReport | None = None
        try:
            report = stage.run(run)
        finally:
            if log_json:
                print(stage_line(stage, time.perf_counter() - started, report, as_json=True), file=sys.stderr)
        if not silent:
            rows = f"{number(sum(report.rows.values()))} Zeilen" if report.rows else ""
            OUT.print(f"[green]✓[/] {stage.title:<22}{time.perf_counter() - started:6.2f} s  {rows}")
            for note in report.notes:
                OUT.print(f"  {note}", markup=False)
            if stage.name == "check" and read_aside(run).findings:
                OUT.print(f"  Zeile, Wert und Abhilfe: {reports}", markup=False)
        return report

    # Without a day the run asks the clock itself, and doubts it where the latest release is of a later day.
    run = partial(recorded_run, settings, outputs, day_of(day) if day else None, call, anyway, "")
    try:
        outcome = run() if runner is Runner.LOCAL else _on_dask(settings, outputs, run)
    except Refused as refused:
        if not quiet and not log_json:
            refused.add_note(f"Prüfberichte: {reports}")
        raise
    rows = outcome.reports["package"].rows if "package" in outcome.reports else {}
    if as_json:
        content: dict[str, Any] = {"ergebnis": outcome.result, "meldung": outcome.text, "ausgabe": outcome.release_id}
        content |= {"adresse": outcome.address, "zeilen": rows, "nachgeholt": outcome.recovered}
        content |= {"sekunden": {name: round(value, 3) for name, value in outcome.seconds.items()}}
        print_json(content)
    elif not quiet:
        if outcome.recovered:
            OUT.print(outcome.recovered)
        if rows:
            OUT.print()
            OUT.print(dataset_table(rows, _titles()))
            OUT.print()
        OUT.print(f"[bold]{outcome.text}[/]")
        if outcome.result == "published":
            OUT.print(f"Ordner: {outcome.address}")
            if settings.draft:
                OUT.print(f"Entwurf, nicht veröffentlicht. Im Profil fehlen noch: {', '.join(settings.missing)}.")
            if not settings.target:
                OUT.print(f"Ansehen: `make serve`, dann http://127.0.0.1:8000{_served(settings)}/latest/")
        if outcome.result == "held":
            OUT.print(f"Bericht: {outcome.address}/{HELD_REPORT}")
            for word, command in (("Freigeben", "approve"), ("Verwerfen", "reject")):
                OUT.print(f"{word}: `praevkarte {command} {outcome.release_id} --reason …`")
        if "check" in outcome.reports:
            OUT.print(f"Prüfberichte: {reports}", markup=False)
    if outcome.result == "held":
        raise typer.Exit(EXIT_HELD)


def serve(
    outputs: OutputsOption = OUTPUTS,
    port: Annotated[int, typer.Option(help="Port auf 127.0.0.1.")] = 8000,
) -> None:
    """Die Ausgaben auf diesem Rechner zeigen (nur 127.0.0.1)."""
    from flows.serve import HOST, listen
    from flows.serve import serve as run_server

    if not outputs.is_dir():
        raise WrongUsage(f"{outputs}: es gibt noch keine Ausgabe. Bitte zuerst `praevkarte release` aufrufen.")
    listener = listen(port)
    OUT.print(f"http://{HOST}:{listener.getsockname()[1]}/latest/  (Ende mit Strg+C)")
    run_server(outputs, listener)
