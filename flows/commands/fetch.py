"""The command ``fetch``: bring the profile's sources up to date, without building anything."""

from __future__ import annotations

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
from flows.paths import GEODATA, OUTPUTS
from flows.profile import load_profile


def fetch(
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Die Quellen des Profils abrufen und prüfen; gebaut und veröffentlicht wird nichts."""
    from flows.sources.awaited import awaited
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
