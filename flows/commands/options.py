"""Options that several commands share."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.errors import WrongUsage
from flows.profile import load_profile
from flows.store import Store

ProfileOption = Annotated[str, typer.Option("--profile", help="Profil in geodata/.")]
# Absolute from here on: programs that are started work in folders of their own.
GeodataOption = Annotated[
    Path, typer.Option("--geodata", help="Ordner der Profile.", envvar="PRAEVKARTE_GEODATA", resolve_path=True)
]
OutputsOption = Annotated[
    Path, typer.Option("--outputs", help="Ordner der Ausgaben.", envvar="PRAEVKARTE_OUTPUTS", resolve_path=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Ergebnis als JSON auf stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Nur Fehler ausgeben.")]
DateOption = Annotated[str | None, typer.Option("--date", help="Tag (JJJJ-MM-TT), sonst heute (UTC).")]
BasisOption = Annotated[
    str | None, typer.Option("--basis", help="Gebietsstand der Karte: befragung oder aktuell; sonst der des Profils.")
]


class Runner(StrEnum):
    """Who does the partitioned work of a release."""

    LOCAL = "local"
    DASK = "dask"


RunnerOption = Annotated[
    Runner, typer.Option("--runner", help="Wer rechnet: dieser Rechner, oder der Dask-Cluster des Profils.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Grund; er wird festgehalten und veröffentlicht.")]


def day_of(text: str | None) -> date:
    """The day of ``--date``, or today in UTC; raises ``WrongUsage`` for anything else."""
    from flows.stages import today

    if text is None:
        return today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"--date {text}: das ist kein Datum in der Form JJJJ-MM-TT.") from None


def store_of_profile(geodata: Path, profile: str, outputs: Path) -> Store:
    """The store of a profile by name."""
    from flows.stages import store_of

    return store_of(load_profile(geodata, profile), outputs)
