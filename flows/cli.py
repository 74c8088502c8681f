"""The command line ``praevkarte``. It runs the stages directly: Prefect is never imported here (4-5 s)."""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.console import ERR, OUT, dataset_table, print_error, print_json
from flows.errors import PipelineError, WrongUsage
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile

app = typer.Typer(
    help="Präventionskarte: Daten verknüpfen, prüfen und als Ausgabe veröffentlichen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ProfileOption = Annotated[str, typer.Option("--profile", help="Profil in geodata/.")]
GeodataOption = Annotated[Path, typer.Option("--geodata", help="Ordner der Profile.", envvar="PRAEVKARTE_GEODATA")]
OutputsOption = Annotated[Path, typer.Option("--outputs", help="Ordner der Ausgaben.", envvar="PRAEVKARTE_OUTPUTS")]
JsonOption = Annotated[bool, typer.Option("--json", help="Ergebnis als JSON auf stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Nur Fehler ausgeben.")]


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Bei Fehlern den Traceback zeigen.")] = False) -> None:
    """Options of every command; ``--debug`` is read by ``main``."""


def _day(text: str | None) -> date:
    from flows.stages import today

    if text is None:
        return today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"--date {text}: das ist kein Datum in der Form JJJJ-MM-TT.") from None


def _titles() -> dict[str, str]:
    from flows.contracts import release_contracts

    return {contract.name: contract.title for contract in release_contracts()}


@app.command()
def release(
    profile: ProfileOption = "thueringen",
    day: Annotated[str | None, typer.Option("--date", help="Tag der Ausgabe (JJJJ-MM-TT), sonst heute (UTC).")] = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine Ausgabe bauen, prüfen und veröffentlichen (oder sagen, dass sich nichts geändert hat)."""
    from flows.run import Run, StageReport
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
                OUT.print(f"  {note}")
        return report

    outcome = run_stages(settings, outputs, _day(day), call=call)
    rows = outcome.reports["package"].rows if outcome.published else {}
    if as_json:
        print_json(
            {
                "ergebnis": "veröffentlicht" if outcome.published else "unverändert",
                "ausgabe": outcome.release_id,
                "ordner": str(outcome.folder),
                "zeilen": rows,
                "sekunden": {name: round(value, 3) for name, value in outcome.seconds.items()},
                "nachgeholt": outcome.recovered,
            }
        )
    if silent:
        return
    if outcome.recovered:
        OUT.print(f"Die unterbrochene Veröffentlichung von {outcome.recovered} wurde abgeschlossen.")
    if not outcome.published:
        OUT.print(f"Nichts geändert: {outcome.release_id} ist aktuell.")
        return
    OUT.print()
    OUT.print(dataset_table(rows, _titles()))
    OUT.print()
    OUT.print(f"[bold]Veröffentlicht: {outcome.release_id}[/] in {outcome.folder}")
    if settings.draft:
        OUT.print("Entwurf: Herausgeber, Kontakt oder öffentliche Adresse fehlen noch im Profil.")
    OUT.print(f"Ansehen: `make serve`, dann http://127.0.0.1:8000{_served_path(settings)}/latest/")


def _served_path(profile: Profile) -> str:
    return "" if profile.outputs == "." else f"/{profile.outputs}"


@app.command()
def check(
    profile: ProfileOption = "thueringen",
    day: Annotated[
        str | None, typer.Option("--date", help="Tag, für den geprüft wird (JJJJ-MM-TT), sonst heute.")
    ] = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    record: Annotated[
        bool, typer.Option("--record", help="Danach Größe und Prüfsumme der Dateien festhalten.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Nur die Eingaben prüfen; veröffentlicht wird nichts."""
    from flows.sidecar import record_state
    from flows.stages import INPUT_STAGES, run_stages

    settings = load_profile(geodata, profile)
    recorded = [source.file.name for source in settings.sources if record and record_state(source.file)]
    outcome = run_stages(settings, outputs, _day(day), INPUT_STAGES)
    rows = outcome.reports["load"].rows
    if as_json:
        print_json({"ergebnis": "in Ordnung", "zeilen": rows, "festgehalten": recorded})
    elif not quiet:
        OUT.print(dataset_table(rows, {}))
        for note in (note for report in outcome.reports.values() for note in report.notes):
            OUT.print(note)
        for name in recorded:
            OUT.print(f"Stand von {name} festgehalten.")
        OUT.print("Die Eingaben sind in Ordnung.")


@app.command(name="list")
def list_releases(
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Alle Ausgaben aufzählen."""
    from flows.stages import store_of
    from flows.store import latest_id, release_ids

    store = store_of(load_profile(geodata, profile), outputs)
    latest = latest_id(store)
    ids = release_ids(store)
    if as_json:
        print_json({"aktuell": latest, "ausgaben": ids})
        return
    for release_id in ids:
        OUT.print(f"{release_id}{'  (aktuell)' if release_id == latest else ''}")
    if not ids:
        OUT.print("Es gibt noch keine Ausgabe. `praevkarte release` baut die erste.")


@app.command()
def show(
    release_id: Annotated[str, typer.Argument(help="Kennung der Ausgabe oder „latest“.")] = "latest",
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Eine Ausgabe zeigen: Ordner, Stand, Dateien mit Größe."""
    from flows.stages import store_of
    from flows.store import release_folder

    folder = release_folder(store_of(load_profile(geodata, profile), outputs), release_id)
    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    if as_json:
        print_json({"ordner": str(folder)} | descriptor)
        return
    OUT.print(f"[bold]{descriptor['title']}[/] {descriptor['version']} ({descriptor['status']})")
    OUT.print(f"Ordner: {folder}")
    OUT.print(f"Gebietsstand: {descriptor['gebietsstand']} · Schema {descriptor['schemaVersion']}")
    for resource in descriptor["resources"]:
        OUT.print(f"  {resource['path']:<32}{number(resource['bytes']):>12} Byte")


@app.command()
def serve(
    outputs: OutputsOption = OUTPUTS,
    port: Annotated[int, typer.Option(help="Port auf 127.0.0.1.")] = 8000,
) -> None:
    """Die Ausgaben auf diesem Rechner zeigen (nur 127.0.0.1)."""
    from flows.serve import HOST
    from flows.serve import serve as run_server

    if not outputs.is_dir():
        raise WrongUsage(f"{outputs}: es gibt noch keine Ausgabe. Bitte zuerst `praevkarte release` aufrufen.")
    OUT.print(f"http://{HOST}:{port}/latest/  (Ende mit Strg+C)")
    run_server(outputs, port)


def main() -> None:
    """Run the command line; pipeline errors become a message and their exit code, not a traceback."""
    debug = "--debug" in sys.argv
    try:
        app()
    except PipelineError as error:
        if debug:
            ERR.print_exception()
        print_error(error, "--json" in sys.argv)
        sys.exit(error.exit_code)
