"""Commands that change what is published: ``approve``, ``reject``, ``rollback``, ``withdraw``, ``prune``."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import (
    DateOption,
    GeodataOption,
    OutputsOption,
    ProfileOption,
    ReasonOption,
    day_of,
    store_of_profile,
)
from flows.console import OUT
from flows.paths import GEODATA, OUTPUTS
from flows.store import Store

IdArgument = Annotated[str, typer.Argument(help="Kennung der Ausgabe.")]


@contextmanager
def _held_store(geodata: Path, profile: str, outputs: Path) -> Iterator[Store]:
    """The profile's store, locked, with what an interrupted operation left completed."""
    from flows.operations import recover
    from flows.store import locked

    store = store_of_profile(geodata, profile, outputs)
    with locked(store):
        if told := recover(store):
            OUT.print(told)
        yield store


def approve(
    release_id: IdArgument,
    reason: ReasonOption,
    approver: Annotated[str, typer.Option("--by", help="Wer freigibt (Funktion).")] = "",
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
) -> None:
    """Eine wartende Ausgabe freigeben und veröffentlichen."""
    from flows.operations import approve as run

    with _held_store(geodata, profile, outputs) as store:
        run(store, release_id, reason, approver or getpass.getuser(), day_of(day))
    OUT.print(f"Freigegeben und veröffentlicht: {release_id}")


def reject(
    release_id: IdArgument,
    reason: ReasonOption,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
) -> None:
    """Eine wartende Ausgabe verwerfen."""
    from flows.operations import reject as run

    with _held_store(geodata, profile, outputs) as store:
        run(store, release_id, reason, day_of(day))
    OUT.print(f"Verworfen: {release_id}. Dieselben Eingaben werden nicht noch einmal vorgelegt.")


def rollback(
    release_id: IdArgument,
    reason: ReasonOption,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
) -> None:
    """„latest“ auf eine frühere, geprüfte Ausgabe stellen."""
    from flows.operations import rollback as run

    with _held_store(geodata, profile, outputs) as store:
        run(store, release_id, reason, day_of(day))
    OUT.print(f"Aktuell ist jetzt {release_id}.")


def withdraw(
    release_id: IdArgument,
    reason: ReasonOption,
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
) -> None:
    """Die Daten einer Ausgabe endgültig entfernen; an ihrer Adresse bleibt ein datierter Hinweis."""
    from flows.operations import withdraw as run

    with _held_store(geodata, profile, outputs) as store:
        others = run(store, release_id, reason, day_of(day))
        latest = store.target.pointer()
    OUT.print(f"Zurückgezogen: {release_id}. Aktuell ist {latest or 'keine Ausgabe'}.")
    if others:
        OUT.print(f"Achtung, aus denselben Eingabedateien entstanden auch: {', '.join(others)}. Bitte prüfen.")


def prune(
    keep_days: Annotated[int, typer.Option("--keep-days", min=1, help="Jüngere Ausgaben bleiben.")],
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
) -> None:
    """Alte Ausgaben und nicht mehr gebrauchte Eingaben entfernen; nie die aktuelle, nie eine wartende."""
    from flows.operations import prune as run

    with _held_store(geodata, profile, outputs) as store:
        removed, inputs = run(store, keep_days, day_of(day))
    OUT.print(f"Entfernt: {', '.join(removed) or 'keine Ausgabe'}; {len(inputs)} nicht mehr gebrauchte Eingaben.")
