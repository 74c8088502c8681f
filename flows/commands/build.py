"""Commands that build and look: ``release``, ``check``, ``serve``."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from flows.commands.options import (
    DateOption,
    GeodataOption,
    JsonOption,
    OutputsOption,
    ProfileOption,
    QuietOption,
    day_of,
)
from flows.console import OUT, dataset_table, print_json
from flows.errors import WrongUsage
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile
from flows.run import Run, StageReport
from flows.store import HELD_REPORT

# A held release is neither published nor refused: a person decides.
EXIT_HELD = 4


def _titles() -> dict[str, str]:
    from flows.contracts import release_contracts

    return {contract.name: contract.title for contract in release_contracts()}


def _served(profile: Profile) -> str:
    return "" if profile.outputs == "." else f"/{profile.outputs}"


def release(
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    anyway: Annotated[bool, typer.Option("--anyway", help="Auch gesperrte Eingaben veröffentlichen.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine Ausgabe bauen, prüfen und veröffentlichen (oder sagen, dass sich nichts geändert hat)."""
    from flows.stages import Stage, run_stages

    settings = load_profile(geodata, profile)
    silent = quiet or as_json

    def call(stage: Stage, run: Run) -> StageReport:
        started = time.perf_counter()
        report = stage.run(run)
        if not silent:
            rows = f"{number(sum(report.rows.values()))} Zeilen" if report.rows else ""
            OUT.print(f"[green]✓[/] {stage.title:<22}{time.perf_counter() - started:6.2f} s  {rows}")
            for note in report.notes:
                OUT.print(f"  {note}", markup=False)
        return report

    outcome = run_stages(settings, outputs, day_of(day), call=call, anyway=anyway)
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
    if outcome.result == "held":
        raise typer.Exit(EXIT_HELD)


def check(
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    record: Annotated[bool, typer.Option("--record", help="Größe und Prüfsumme der Dateien festhalten.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Nur die Eingaben prüfen; veröffentlicht wird nichts."""
    from flows.sidecar import record_state
    from flows.stages import INPUT_STAGES, run_stages

    settings = load_profile(geodata, profile)
    files = dict.fromkeys(source.file for source in settings.sources)
    recorded = [file.name for file in files if record and record_state(file)]
    outcome = run_stages(settings, outputs, day_of(day), INPUT_STAGES)
    rows = outcome.reports["load"].rows
    if as_json:
        print_json({"ergebnis": "in Ordnung", "zeilen": rows, "festgehalten": recorded})
    elif not quiet:
        OUT.print(dataset_table(rows, {}))
        for note in (note for report in outcome.reports.values() for note in report.notes):
            OUT.print(note, markup=False)
        for name in recorded:
            OUT.print(f"Stand von {name} festgehalten.")
        OUT.print(outcome.text)


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
