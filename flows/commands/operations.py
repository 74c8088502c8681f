"""Commands that change what is published: ``approve``, ``reject``, ``rollback``, ``withdraw``, ``prune``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import (
    DateOption,
    GeodataOption,
    JsonOption,
    OutputsOption,
    ProfileOption,
    QuietOption,
    ReasonOption,
    day_of,
    store_of_profile,
)
from flows.console import ERR, OUT, print_json
from flows.german import day as german_day
from flows.german import number, size
from flows.paths import GEODATA, OUTPUTS
from flows.profile import load_profile
from flows.store import WITHDRAWN, Store, entry_of, locked

# A person was asked and did not confirm.
EXIT_UNCONFIRMED = 1
IdArgument = Annotated[str, typer.Argument(help="Kennung der Ausgabe.")]


@contextmanager
def _held_store(geodata: Path, profile: str, outputs: Path, silent: bool) -> Iterator[Store]:
    """The profile's store, locked, with what an interrupted operation left completed, and left without leftovers."""
    from flows.operations import clear_work, recover

    store = store_of_profile(geodata, profile, outputs)
    with locked(store):
        told = recover(store)
        if told and not silent:
            OUT.print(told, markup=False)
        yield store
        clear_work(store)


def _tell(as_json: bool, quiet: bool, result: str, text: str, **details: Any) -> None:
    if as_json:
        print_json({"ergebnis": result, "meldung": text} | details)
    elif not quiet:
        OUT.print(text, markup=False)


def approve(
    release_id: IdArgument,
    reason: ReasonOption,
    approver: Annotated[
        str,
        typer.Option(
            "--by",
            help="Wer freigibt, als Funktion; wird veröffentlicht. Sonst der Herausgeber.",
            envvar="PRAEVKARTE_APPROVER",
        ),
    ] = "",
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine wartende Ausgabe freigeben und veröffentlichen."""
    from flows.operations import approve as run
    from flows.operations import default_approver

    # A function, never the login of whoever sits there: the release is public and stays.
    by = approver or default_approver(load_profile(geodata, profile).publisher.name)
    with _held_store(geodata, profile, outputs, quiet or as_json) as store:
        done = run(store, release_id, reason, by, day_of(day))
        address = store.target.address(f"releases/{release_id}")
    text = f"Freigegeben und veröffentlicht: {release_id}" if done else f"{release_id} ist schon veröffentlicht."
    _tell(as_json, quiet, "freigegeben" if done else "unveraendert", text, ausgabe=release_id, adresse=address)


def reject(
    release_id: IdArgument,
    reason: ReasonOption,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Eine wartende Ausgabe verwerfen."""
    from flows.operations import reject as run

    with _held_store(geodata, profile, outputs, quiet or as_json) as store:
        done = run(store, release_id, reason, day_of(day))
    text = f"{release_id} ist schon verworfen."
    if done:
        text = f"Verworfen: {release_id}. Dieselben Eingaben werden nicht noch einmal vorgelegt."
    _tell(as_json, quiet, "verworfen" if done else "unveraendert", text, ausgabe=release_id)


def rollback(
    release_id: IdArgument,
    reason: ReasonOption,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """„latest“ auf eine andere, geprüfte Ausgabe stellen; die Eingaben der bisherigen werden gesperrt, war sie ganz."""
    from flows.operations import rollback as run

    with _held_store(geodata, profile, outputs, quiet or as_json) as store:
        done = run(store, release_id, reason, day_of(day))
        latest = store.target.pointer()
    text = f"Aktuell ist jetzt {latest}." if done else f"{latest} ist schon aktuell."
    if done and done.damaged:
        text += f" {done.damaged} war beschädigt: Ihre Eingaben sind frei, der nächste Lauf veröffentlicht sie neu."
    _tell(as_json, quiet, "gewechselt" if done else "unveraendert", text, aktuell=latest)


def _refuse_unconfirmed(store: Store, release_id: str, reason: str) -> None:
    """Show a person at a terminal what is about to go for good, and ask; ends the command without the right answer."""
    wanted = store.target.pointer() if release_id == "latest" else release_id
    entry = entry_of(store, wanted) if wanted else None
    if entry is None or entry["status"] == WITHDRAWN:
        # Nothing will be removed; the operation says why.
        return
    sizes = store.target.sizes(f"releases/{wanted}")
    files = "1 Datei" if len(sizes) == 1 else f"{number(len(sizes))} Dateien"
    ERR.print(
        f"Endgültig entfernt werden die Daten der Ausgabe {wanted} vom {german_day(entry['datum'])}: {files}, "
        f"{size(sum(sizes.values()))}. An ihrer Adresse bleibt ein Hinweis mit Tag und Grund („{reason}“).",
        markup=False,
    )
    try:
        answer = ERR.input("Zum Bestätigen bitte die Kennung der Ausgabe eingeben: ", markup=False)
    except EOFError:
        answer = ""
    if answer.strip() != wanted:
        ERR.print("Es wurde nichts geändert.")
        raise typer.Exit(EXIT_UNCONFIRMED)


def withdraw(
    release_id: IdArgument,
    reason: ReasonOption,
    yes: Annotated[bool, typer.Option("--yes", help="Am Terminal nicht nachfragen.")] = False,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Die Daten einer Ausgabe endgültig entfernen; an ihrer Adresse bleibt ein datierter Hinweis."""
    from flows.withdrawal import withdraw as run

    if sys.stdin.isatty() and not (yes or as_json):
        # Before the store is locked: a person who thinks it over keeps no night waiting.
        _refuse_unconfirmed(store_of_profile(geodata, profile, outputs), release_id, reason)
    with _held_store(geodata, profile, outputs, quiet or as_json) as store:
        others = run(store, release_id, reason, day_of(day))
        latest = store.target.pointer()
    if others is None:
        text = f"{release_id} ist schon zurückgezogen. Aktuell ist {latest or 'keine Ausgabe'}."
    else:
        text = f"Zurückgezogen: {release_id}. Aktuell ist {latest or 'keine Ausgabe'}."
    if others:
        text += f"\nAchtung, aus denselben Eingabedateien entstanden auch: {', '.join(others)}. Bitte prüfen."
    result = "unveraendert" if others is None else "zurueckgezogen"
    _tell(as_json, quiet, result, text, ausgabe=release_id, aktuell=latest, verwandt=others or [])


def prune(
    keep_days: Annotated[int, typer.Option("--keep-days", min=1, help="Jüngere Ausgaben bleiben.")],
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Alte Ausgaben und nicht mehr gebrauchte Eingaben entfernen; nie die aktuelle, nie eine wartende."""
    from flows.operations import prune as run

    with _held_store(geodata, profile, outputs, quiet or as_json) as store:
        removed, inputs = run(store, keep_days, day_of(day))
    text = f"Entfernt: {', '.join(removed) or 'keine Ausgabe'}; nicht mehr gebrauchte Eingaben: {number(len(inputs))}."
    _tell(as_json, quiet, "aufgeraeumt", text, entfernt=removed, eingaben=inputs)
