"""Commands for profiles: ``profile new``."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.options import DateOption, GeodataOption, JsonOption, QuietOption, day_of
from flows.console import OUT, print_json
from flows.paths import GEODATA

profile = typer.Typer(help="Profile anlegen.", no_args_is_help=True)


@profile.command(name="new")
def new_profile(
    land: Annotated[list[str], typer.Option(help="Schlüssel eines Landes (zwei Ziffern); auch mehrmals.")],
    name: Annotated[str | None, typer.Option(help="Name des Profils, sonst der des Landes.")] = None,
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ein Profil für ein anderes Land anlegen: Ordner mit Einstellungen und leeren Tabellen."""
    from flows.office.profile_new import make_profile, planned

    new = planned(land, name)
    files = make_profile(geodata, new, day_of(day))
    if as_json:
        print_json({"profil": new.name, "laender": list(new.lands), "dateien": [str(file) for file in files]})
    elif not quiet:
        for file in files:
            OUT.print(f"Geschrieben: {file}", markup=False)
        for number, step in enumerate(_next_steps(new.name), start=1):
            OUT.print(f"{number}. {step}", markup=False)


def _next_steps(name: str) -> tuple[str, ...]:
    """What the office does next (German)."""
    return (
        f"Grenzen laden, einmalig mit npm: praevkarte fetch --profile {name}",
        f"Ansehen, noch ohne Gremien: praevkarte release --profile {name}",
        "Gremien und Belege in die CSV-Dateien eintragen; was die Spalten bedeuten: praevkarte template committees",
        f"Prüfen und den Stand festhalten: praevkarte check --profile {name} --record",
        "Herausgeber, Datenschutz, Barrierefreiheit und base_url in profile.toml ausfüllen; bis dahin: Entwurf.",
    )
