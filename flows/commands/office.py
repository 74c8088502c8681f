"""Commands for the office that keeps the records: ``check``, ``template``, ``survey new``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from flows.errors import PipelineError, Refused, WrongUsage
from flows.german import day as german_day
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile

if TYPE_CHECKING:
    from flows.sidecar import Sidecar
    from flows.stages import Outcome

# Reports on a single file; those of the nightly runs replace the whole folder ``reports``.
LOOKED_AT = "pruefung"


def _to_record(
    settings: Profile, today: date, record: bool, named: Sequence[str], reviewed: Sequence[str]
) -> dict[Path, Sidecar]:
    """The files of which a new state is to be noted, with it: with ``record`` all that the office edited, those whose
    names were ``named`` whoever changed them, and the ``reviewed`` datasets.

    A download is recorded only by its name: what nobody edits has changed because it was replaced, or by accident.
    """
    from flows.sidecar import read_sidecar, renewed

    given = {source.dataset: source.file for source in settings.sources}
    by_hand = {name: file for name, file in given.items() if read_sidecar(file).edited_here}
    for dataset in reviewed:
        if dataset not in by_hand:
            raise WrongUsage(f"--reviewed {dataset}: das ist keine Tabelle von Hand. Möglich: {', '.join(by_hand)}.")
    names = list(dict.fromkeys(file.name for file in given.values()))
    for name in named:
        if name not in names:
            raise WrongUsage(f"--record-file {name}: diese Datei nennt das Profil nicht. Möglich: {', '.join(names)}.")
    looked_through = {by_hand[dataset] for dataset in reviewed}
    meant = {*looked_through, *(file for file in given.values() if file.name in named)}
    meant |= set(by_hand.values()) if record else set()
    states = {file: renewed(file, today, file in looked_through) for file in dict.fromkeys(given.values())}
    return {file: state for file, state in states.items() if state and file in meant}


def _checked_as_recorded(
    settings: Profile, outputs: Path, day: date, states: Mapping[Path, Sidecar], reports: Path | None
) -> Outcome:
    """Check the profile's inputs as if ``states`` were recorded already. Raises ``Refused`` with what is found."""
    from flows.sidecar import record
    from flows.stages import INPUT_STAGES, run_stages

    with tempfile.TemporaryDirectory(prefix="praevkarte-") as name:
        copies = {}
        for number_of_copy, (file, state) in enumerate(states.items()):
            folder = Path(name, str(number_of_copy))
            folder.mkdir()
            copies[file] = Path(shutil.copy(file, folder))
            record(copies[file], state)
        sources = tuple(replace(source, file=copies.get(source.file, source.file)) for source in settings.sources)
        return run_stages(replace(settings, sources=sources), outputs, day, INPUT_STAGES, reports=reports)


def _record(states: Mapping[Path, Sidecar]) -> list[str]:
    """Write ``states`` into the sidecars; returns what was done, in German."""
    from flows.sidecar import record

    for file, state in states.items():
        record(file, state)
    return [f"Stand von {file.name} festgehalten." for file in states]


def check(
    file: Annotated[Path | None, typer.Argument(help="Datei (CSV, XLSX), die statt der des Profils gilt.")] = None,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Größe und Prüfsumme der von Hand gepflegten Dateien festhalten, wenn sie in Ordnung sind."
        ),
    ] = False,
    record_file: Annotated[
        list[str] | None,
        typer.Option("--record-file", help="Dasselbe für eine genannte Datei, auch eine bezogene (Register, Grenzen)."),
    ] = None,
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
    from flows.office.set_aside import WOULD_WAIT

    settings = load_profile(geodata, profile)
    recording = record or bool(record_file) or bool(reviewed)
    if file and recording:
        raise WrongUsage(
            f"{file}: festgehalten wird nur, was das Profil nennt. Bitte die Datei an ihren Platz in {settings.folder} "
            "legen und `praevkarte check` ohne sie aufrufen."
        )
    sources = recognised(file, dataset) if file else ()
    if sources and is_empty(sources):
        _tell_empty([source.label for source in sources], as_json, quiet)
        return
    states = _to_record(settings, day_of(day), record, record_file or [], reviewed or []) if recording else {}
    reports = report or (outputs / settings.outputs / LOOKED_AT if sources else None)
    try:
        if sources:
            outcome = look_at(settings, outputs, day_of(day), sources, reports)
        else:
            outcome = _checked_as_recorded(settings, outputs, day_of(day), states, reports)
    except PipelineError as error:
        # Records that may wait are the office's to mend; what they stand in is the file that was meant.
        waits = isinstance(error, Refused) and error.consequence == WOULD_WAIT
        notes = _record(states) if waits else ["Nichts festgehalten."] if recording else []
        if isinstance(error, Refused) and reports:
            notes.append(f"Prüfbericht: {reports / INDEX}")
        for note in () if quiet else notes:
            error.add_note(note)
        raise
    recorded = _record(states)
    rows = outcome.reports["load"].rows
    if as_json:
        names = [file.name for file in states]
        print_json({"ergebnis": "in Ordnung", "zeilen": rows, "festgehalten": names})
    elif not quiet:
        OUT.print(dataset_table(rows, {}))
        for note in (note for stage in outcome.reports.values() for note in stage.notes):
            OUT.print(note, markup=False)
        for note in recorded:
            OUT.print(note, markup=False)
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
