"""Commands that watch: ``freshness`` over the releases, ``evidence-links`` over the pages that they rest on."""

from __future__ import annotations

from datetime import UTC, datetime
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
from flows.console import ERR, OUT, print_json
from flows.paths import GEODATA, OUTPUTS
from flows.profile import load_profile

# Something is not as it should be; the alarms say what.
EXIT_ALARM = 1

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="Ordner, in dem steht, was gemeldet wurde; sonst bei den Ausgaben.",
        envvar="PRAEVKARTE_STATE",
    ),
]


def freshness(
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    state: StateOption = None,
    silent: Annotated[bool, typer.Option("--no-notice", help="Nur nachsehen, niemanden benachrichtigen.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Nachsehen, ob die Veröffentlichung unversehrt ist und zuletzt ein Lauf gut ging; sonst Alarm (Code 1)."""
    from flows.nights.freshness import TOPIC, check_freshness, condition_of, in_order
    from flows.nights.last_run import operation_folder
    from flows.notices import notify
    from flows.stages import store_of

    settings = load_profile(geodata, profile)
    store = store_of(settings, outputs)
    now = datetime.now(UTC)
    alarms = check_freshness(settings, store, now)
    # A store that alarms may not be readable.
    well = "" if alarms else in_order(store)
    remarks: tuple[str, ...] = ()
    if not silent:
        condition = condition_of(settings, alarms, store.target.address("latest"), well)
        # A folder of its own where the releases' place is only readable.
        remarks = notify(settings, state or operation_folder(store), TOPIC, condition, now)
    if as_json:
        found = [{"art": alarm.name, "meldung": alarm.text} for alarm in alarms]
        result = {"ergebnis": "alarm" if alarms else "in Ordnung", "meldung": well}
        print_json(result | {"alarme": found, "meldungen": list(remarks)})
    else:
        for alarm in alarms:
            ERR.print(f"Alarm: {alarm.text}", markup=False)
        for remark in remarks:
            ERR.print(remark, markup=False)
        if not alarms and not quiet:
            OUT.print(f"In Ordnung: {well}", markup=False)
    if alarms:
        raise typer.Exit(EXIT_ALARM)


def evidence_links(
    profile: ProfileOption = "thueringen",
    day: DateOption = None,
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Prüfen, ob die Seiten hinter den Belegen noch antworten (langsam und höflich), und die Arbeitsliste schreiben."""
    from flows.links.check import DEAD, NOT_CHECKED, REACHABLE, WORK_LIST, check_links
    from flows.nights.freshness import user_agent
    from flows.nights.last_run import operation_folder
    from flows.stages import store_of

    settings = load_profile(geodata, profile)
    store = store_of(settings, outputs)
    told = (lambda _: None) if quiet or as_json else (lambda line: OUT.print(line, markup=False))
    checked = check_links(settings, store, day_of(day), user_agent(settings), told=told)
    counts = {state: checked.count(state) for state in (REACHABLE, DEAD, NOT_CHECKED)}
    place = operation_folder(store) / WORK_LIST
    if as_json:
        print_json({"ergebnis": "geprueft", "zustaende": counts, "geaendert": checked.changed, "liste": str(place)})
    elif not quiet:
        words = f"erreichbar {counts[REACHABLE]}, nicht erreichbar {counts[DEAD]}, ungeklärt {counts[NOT_CHECKED]}"
        OUT.print(f"Belege: {words}. Arbeitsliste mit {len(checked.work)} Zeilen: {place}", markup=False)
