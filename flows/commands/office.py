"""Commands for the office that keeps the records: ``check``, ``template``, ``survey new``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

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
from flows.console import ERR, OUT, dataset_table, print_json
from flows.errors import Refused, WrongUsage
from flows.german import day as german_day
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile

# Reports on a single file; those of the nightly runs replace the whole folder ``reports``.
LOOKED_AT = "pruefung"


def _recorded(settings: Profile, today: date, record: bool, reviewed: Sequence[str]) -> list[str]:
    """Names of the files of which a new state was noted: all that changed, or that were looked through."""
    from flows.sidecar import read_sidecar, record_state

    given = {source.dataset: source.file for source in settings.sources}
    for dataset in reviewed:
        if dataset not in given or not read_sidecar(given[dataset]).edited_here:
            by_hand = [name for name, file in given.items() if read_sidecar(file).edited_here]
            raise WrongUsage(f"--reviewed {dataset}: das ist keine Tabelle von Hand. Möglich: {', '.join(by_hand)}.")
    looked_through = {given[dataset] for dataset in reviewed}
    files = dict.fromkeys(given.values()) if record else dict.fromkeys(looked_through)
    return [file.name for file in files if record_state(file, today, file in looked_through)]


def check(
    file: Annotated[Path | None, typer.Argument(help="Datei (CSV, XLSX), die statt der des Profils gilt.")] = None,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    record: Annotated[bool, typer.Option("--record", help="Größe und Prüfsumme der Dateien festhalten.")] = False,
    dataset: Annotated[
        str | None, typer.Option(help="Was die Datei enthält, wenn ihre Kopfzeile es nicht zeigt.")
    ] = None,
    reviewed: Annotated[
        list[str] | None,
        typer.Option(help="Datensatz von Hand, der durchgesehen ist und so bleibt; er gilt ab heute als frisch."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Ordner für die Prüfberichte (HTML und CSV).")] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Nur die Eingaben prüfen, alle oder mit einer neuen Datei; veröffentlicht wird nichts."""
    from flows.office.look import is_empty, look_at, recognised
    from flows.office.report import INDEX
    from flows.stages import INPUT_STAGES, run_stages

    settings = load_profile(geodata, profile)
    sources = recognised(file, dataset) if file else ()
    if sources and is_empty(sources):
        _tell_empty([source.label for source in sources], as_json, quiet)
        return
    recorded = [] if sources else _recorded(settings, day_of(day), record, reviewed or [])
    reports = report or (outputs / settings.outputs / LOOKED_AT if sources else None)
    try:
        if sources:
            outcome = look_at(settings, outputs, day_of(day), sources, reports)
        else:
            outcome = run_stages(settings, outputs, day_of(day), INPUT_STAGES, reports=reports)
    except Refused:
        if reports and not quiet:
            ERR.print(f"Prüfbericht: {reports / INDEX}", markup=False)
        raise
    rows = outcome.reports["load"].rows
    if as_json:
        print_json({"ergebnis": "in Ordnung", "zeilen": rows, "festgehalten": recorded})
    elif not quiet:
        OUT.print(dataset_table(rows, {}))
        for note in (note for stage in outcome.reports.values() for note in stage.notes):
            OUT.print(note, markup=False)
        for name in recorded:
            OUT.print(f"Stand von {name} festgehalten.")
        OUT.print(outcome.text)
        if reports:
            OUT.print(f"Prüfbericht: {reports / INDEX}", markup=False)


def _tell_empty(labels: list[str], as_json: bool, quiet: bool) -> None:
    """Say that there is nothing to check yet; that is no mistake."""
    text = f"{' und '.join(labels)}: noch ist nichts eingetragen. Bitte ab Zeile 2 ausfüllen, eine Zeile je Eintrag."
    if as_json:
        print_json({"ergebnis": "leer", "meldung": text})
    elif not quiet:
        OUT.print(text, markup=False)


def template(
    kind: Annotated[str, typer.Argument(help="committees (Gremien mit Belegen), survey oder ein anderer Datensatz.")],
    wave: Annotated[str | None, typer.Option(help="Welle der Befragung, für survey.")] = None,
    out: Annotated[Path | None, typer.Option(help="Datei, die geschrieben wird (.xlsx).")] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine leere Excel-Vorlage mit Auswahllisten und Erklärungen schreiben."""
    from flows.office.template import template_contracts, write_template

    contracts = template_contracts(kind, wave)
    file = out or Path(f"vorlage_{contracts[0].name}.xlsx")
    write_template(file, contracts)
    if as_json:
        print_json({"datei": str(file), "datensaetze": [contract.name for contract in contracts]})
    elif not quiet:
        OUT.print(f"Geschrieben: {file}", markup=False)
        OUT.print(f"Ausfüllen, dann prüfen: praevkarte check {file}", markup=False)


survey = typer.Typer(help="Befragungen vorbereiten.", no_args_is_help=True)


@survey.command(name="new")
def new_survey(
    wave: Annotated[str, typer.Argument(help="Kennung der neuen Welle: das Jahr.")],
    day: Annotated[str, typer.Option("--date", help="Tag (JJJJ-MM-TT), zu dem die Städte ausgewählt werden.")],
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    population_day: Annotated[str | None, typer.Option("--population-date", help="Bevölkerungsstichtag.")] = None,
    threshold: Annotated[
        int | None, typer.Option(help="Mindestgröße in Einwohnern, sonst die der letzten Welle.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Ordner, in den alles geschrieben wird, auch der Vertrag der Antworten.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine neue Welle vorbereiten: Städte auswählen, Einladungsliste, Vertrag der Antworten, nächste Schritte."""
    from flows.office.wave import INPUTS, frame_of, new_wave, prepare_wave

    settings = load_profile(geodata, profile)
    prepared = new_wave(settings, wave, day_of(day), threshold)
    counted = day_of(population_day) if population_day else None
    frame = frame_of(settings, outputs, prepared, counted)
    # Beside the program's own inputs its contract may lie where the program looks for it at once.
    contracts = INPUTS if out is None and geodata.resolve() == GEODATA.resolve() else None
    files = prepare_wave(out or settings.folder / f"befragung_{wave}", prepared, frame, contracts)
    if as_json:
        content = {"welle": wave, "staedte": len(frame.towns), "gebietsstand": frame.territory.isoformat()}
        content |= {"einwohner_stand": frame.population.isoformat(), "dateien": [str(file) for file in files]}
        print_json(content)
    elif not quiet:
        OUT.print(
            f"{number(len(frame.towns))} Städte ab {number(prepared.threshold)} Einwohnern; Gebietsstand "
            f"{german_day(frame.territory)}, Einwohner am {german_day(frame.population)}. Grundlage: {frame.basis}."
        )
        if frame.territory != prepared.day:
            OUT.print(f"Zum {german_day(prepared.day)} liegt kein Gebietsstand vor; bitte die Auswahl von Hand prüfen.")
        for file in files:
            OUT.print(f"Geschrieben: {file}", markup=False)
