"""Commands that read releases: ``list``, ``show``, ``diff``, ``verify``."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.options import (
    GeodataOption,
    JsonOption,
    OutputsOption,
    ProfileOption,
    QuietOption,
    store_of_profile,
)
from flows.console import OUT, print_json
from flows.errors import Refused
from flows.findings import Finding
from flows.german import day as german_day
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.store import (
    HELD_RELEASE,
    STATUS_WORDS,
    WITHDRAWN,
    Store,
    begun,
    entries,
    existing_id,
    folder_of,
    held_ids,
    published_ids,
    read_index,
)

OPERATIONS = {
    "publish": "Veröffentlichung",
    "reject": "Ablehnung",
    "rollback": "Rückkehr zu",
    "withdraw": "Rücknahme",
    "prune": "Aufräumen",
}


def _state(entry: dict[str, Any], latest: str | None) -> str:
    if entry["ausgabe"] == latest:
        return "aktuell"
    if entry["status"] == WITHDRAWN:
        return f"zurückgezogen am {german_day(entry['zurueckgezogen_am'])}: {entry['grund']}"
    return STATUS_WORDS[entry["status"]]


def _unfinished(store: Store) -> str | None:
    """A German sentence on what was begun and not completed."""
    entry = begun(store)
    if entry is None:
        return None
    about = " ".join([OPERATIONS[entry["art"]], *([entry["ausgabe"]] if "ausgabe" in entry else [])])
    return f"Unterbrochen: {about}. Der nächste schreibende Aufruf bringt es zu Ende."


def list_releases(
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Alle Ausgaben mit ihrem Zustand aufzählen, dazu gesperrte Eingaben."""
    store = store_of_profile(geodata, profile, outputs)
    latest, known, held = store.target.pointer(), entries(store), held_ids(store)
    notes = [note for note in read_index(store)["sperren"] if "aufgehoben_durch" not in note]
    unfinished = _unfinished(store)
    if as_json:
        content = {"aktuell": latest, "ausgaben": known, "wartend": held, "sperren": notes}
        print_json(content | {"unterbrochen": unfinished})
        return
    for entry in known:
        OUT.print(f"{entry['ausgabe']:<20}{_state(entry, latest)}", markup=False)
    for release_id in held:
        OUT.print(f"{release_id:<20}wartet auf Freigabe")
    if not known and not held:
        OUT.print("Es gibt noch keine Ausgabe. `praevkarte release` baut die erste.")
    for note in notes:
        text = f"Gesperrt seit {german_day(note['datum'])}: die Eingaben von {note['ausgabe']} ({note['grund']})"
        OUT.print(text, markup=False)
    if unfinished:
        OUT.print(unfinished)


def _open(store: Store, wanted: str, scratch: Path) -> tuple[str, Path, str]:
    """Id, a local folder and the address of a release that can be read, published or held."""
    if wanted in held_ids(store):
        folder = store.held / wanted / HELD_RELEASE
        return wanted, folder, str(folder)
    release_id = existing_id(store, wanted)
    return release_id, folder_of(store, release_id, scratch), store.target.address(f"releases/{release_id}")


def show(
    release_id: Annotated[str, typer.Argument(help="Kennung der Ausgabe oder „latest“.")] = "latest",
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Eine Ausgabe zeigen: Adresse, Stand, Dateien mit Größe."""
    from flows.compare import descriptor_of

    store = store_of_profile(geodata, profile, outputs)
    with tempfile.TemporaryDirectory(prefix="praevkarte-") as scratch:
        _, folder, address = _open(store, release_id, Path(scratch))
        descriptor = descriptor_of(folder)
    if as_json:
        print_json({"adresse": address} | descriptor)
        return
    OUT.print(f"{descriptor['title']} {descriptor['version']} ({descriptor['status']})", style="bold", markup=False)
    OUT.print(f"Adresse: {address}", markup=False)
    differing = " (je Land verschieden)" if "gebietsstandJeLand" in descriptor else ""
    territory = f"{german_day(descriptor['gebietsstand'])}{differing}"
    OUT.print(f"Gebietsstand: {territory} · Schema {descriptor['schemaVersion']}")
    for resource in descriptor["resources"]:
        OUT.print(f"  {resource['path']:<40}{number(resource['bytes']):>14} Byte", markup=False)


def diff(
    old: Annotated[str, typer.Argument(help="Frühere Ausgabe.")],
    new: Annotated[str, typer.Argument(help="Spätere Ausgabe oder „latest“.")] = "latest",
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Zwei Ausgaben vergleichen: was neu, geändert, entfallen ist."""
    from flows.compare import compare, descriptor_of
    from flows.contracts import release_contracts
    from flows.metadata.changes import changes_text

    store = store_of_profile(geodata, profile, outputs)
    contracts = release_contracts()
    with tempfile.TemporaryDirectory(prefix="praevkarte-") as scratch:
        before, after = (_open(store, one, Path(scratch)) for one in (old, new))
        comparison = compare(before[1], after[1], {contract.name: contract.label for contract in contracts})
        version = descriptor_of(after[1])["schemaVersion"]
    if as_json:
        changes = [asdict(change) for change in comparison.changes]
        print_json({"frueher": before[0], "spaeter": after[0], "aenderungen": changes})
        return
    titles = {contract.name: contract.title for contract in contracts if contract.name in comparison.columns}
    OUT.print(changes_text(comparison, after[0], titles, version, bool(store.prefix)), markup=False)


def verify(
    release_id: Annotated[str, typer.Argument(help="Kennung, „latest“ oder „all“.")] = "latest",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Neu bauen und Byte für Byte vergleichen.")] = False,
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Jede Datei einer Ausgabe gegen die Prüfsummen halten; mit --rebuild auch gegen einen neuen Bau."""
    from flows.verify import held_faults, index_faults, release_faults, tombstone_faults, withdrawn_ids

    store = store_of_profile(geodata, profile, outputs)
    told: dict[str, str] = {}
    findings: list[Finding] = []

    def note(one: str, found: list[Finding], text: str) -> None:
        findings.extend(found)
        if not found:
            told[one] = text
            if not quiet and not as_json:
                OUT.print(f"{one}: {text}", markup=False)

    everything = release_id == "all"
    if release_id in held_ids(store):
        note(release_id, held_faults(store, release_id), "alle Dateien stimmen; die Ausgabe wartet auf Freigabe.")
    else:
        for one in published_ids(store) if everything else [existing_id(store, release_id)]:
            found, text = release_faults(store, one), "alle Dateien stimmen."
            if rebuild and not found:
                found, text = _rebuilt(store, one, everything)
            note(one, found, text)
    if everything:
        for one in held_ids(store):
            note(one, held_faults(store, one), "alle Dateien stimmen; die Ausgabe wartet auf Freigabe.")
        for one in withdrawn_ids(store):
            note(one, tombstone_faults(store, one), "zurückgezogen, der Hinweis steht an ihrer Stelle.")
        note("Verzeichnis", index_faults(store), "releases.json und latest stimmen mit den Ausgaben überein.")
    if findings:
        raise Refused(findings, "die übrigen Dateien stimmen")
    if as_json:
        print_json({"ergebnis": "in Ordnung", "geprueft": told})


def _rebuilt(store: Store, release_id: str, forgiving: bool) -> tuple[list[Finding], str]:
    """What a rebuild shows; with ``forgiving`` a release that cannot be built here is told, not an error."""
    from flows.rebuild import NotRebuildable, rebuild_faults

    try:
        return rebuild_faults(store, release_id), "alle Dateien stimmen und lassen sich gleich neu bauen."
    except NotRebuildable as error:
        if not forgiving:
            raise
        return [], f"alle Dateien stimmen. {error}"
