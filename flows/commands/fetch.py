"""The command ``fetch``: bring the profile's sources up to date, without building anything."""

from __future__ import annotations

import hashlib
import math
from datetime import date

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
from flows.console import ERR, OUT, print_json
from flows.errors import SourceUnavailable
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import Profile, load_profile
from flows.store import Store


def awaited(profile: Profile, store: Store, day: date) -> list[str]:
    """A German line on each source that is about to be asked over the network, and how long that may take at most.

    Raises like ``fetch_all`` for a ``[fetch.…]`` that cannot be meant.
    """
    from flows.contracts import load_contract
    from flows.sources.http import is_address
    from flows.sources.kinds import KINDS, check_fetches, fetches_of, limits_of, places_of
    from flows.sources.snapshots import product_of, sources_folder

    check_fetches(profile)
    lines = []
    for one in fetches_of(profile, day):
        kind, places = KINDS[one.kind], places_of(one, day)
        address = hashlib.sha256(places[0].address.encode()).hexdigest()
        kept = kind.packaged and product_of(sources_folder(store.workspace) / one.name, address)
        if kept or not (kind.packaged or is_address(places[0].address)):
            continue
        titles = ", ".join(load_contract("input", dataset).title for dataset in kind.datasets(one.options))
        minutes = math.ceil(limits_of(one).seconds * len(places) / 60)
        most = "1 Minute" if minutes == 1 else f"{number(minutes)} Minuten"
        lines.append(f"Quelle „{one.name}“ ({titles}) wird abgerufen; das kann bis zu {most} dauern.")
    return lines


def fetch(
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Die Quellen des Profils abrufen und prüfen; gebaut und veröffentlicht wird nichts."""
    from flows.sources.fetch import MISSING, as_record, fetch_all
    from flows.stages import store_of
    from flows.targets.local import LocalTarget

    settings = load_profile(geodata, profile)
    store = store_of(settings, outputs)
    # Only the workspace is written; the releases' target is not even asked.
    with LocalTarget(store.workspace).locked():
        if not (as_json or quiet):
            for line in awaited(settings, store, day_of(day)):
                ERR.print(line, markup=False)
        states = fetch_all(settings, store, day_of(day))
    if as_json:
        print_json({"quellen": [as_record(state) for state in states]})
    elif not quiet:
        for state in states:
            OUT.print(state.text, markup=False)
            for finding in state.findings[1:]:
                OUT.print(f"  {finding}", markup=False)
        if not states:
            OUT.print(f"Das Profil „{settings.name}“ ruft keine Quellen ab (kein [fetch]).", markup=False)
    if missing := [state for state in states if state.result == MISSING]:
        if as_json:
            raise typer.Exit(SourceUnavailable.exit_code)
        raise SourceUnavailable(
            f"Ohne jeden Stand: {', '.join(state.name for state in missing)}. Bitte die Ursache beheben und "
            "`praevkarte fetch` erneut aufrufen."
        )
