"""Commands that read releases: ``list``, ``show``, ``diff``, ``verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.options import GeodataOption, JsonOption, OutputsOption, ProfileOption, store_of_profile
from flows.console import OUT, print_json
from flows.errors import Refused
from flows.german import number
from flows.paths import GEODATA, OUTPUTS
from flows.profile import load_profile

STATES = {"veroeffentlicht": "veröffentlicht", "zurueckgezogen": "zurückgezogen", "entfernt": "entfernt"}


def list_releases(
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Alle Ausgaben mit ihrem Zustand aufzählen."""
    from flows.store import entries, held_ids

    store = store_of_profile(geodata, profile, outputs)
    latest = store.target.pointer()
    known, held = entries(store), held_ids(store)
    if as_json:
        print_json({"aktuell": latest, "ausgaben": known, "wartend": held})
        return
    for entry in known:
        mark = "aktuell" if entry["ausgabe"] == latest else STATES[entry["status"]]
        OUT.print(f"{entry['ausgabe']:<20}{mark}")
    for release_id in held:
        OUT.print(f"{release_id:<20}wartet auf Freigabe")
    if not known and not held:
        OUT.print("Es gibt noch keine Ausgabe. `praevkarte release` baut die erste.")


def show(
    release_id: Annotated[str, typer.Argument(help="Kennung der Ausgabe oder „latest“.")] = "latest",
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Eine Ausgabe zeigen: Adresse, Stand, Dateien mit Größe."""
    from flows.compare import descriptor_of
    from flows.operations import HELD_RELEASE
    from flows.store import existing_id, folder_of, held_ids

    store = store_of_profile(geodata, profile, outputs)
    if release_id in held_ids(store):
        folder = store.held / release_id / HELD_RELEASE
        address = str(folder)
    else:
        release_id = existing_id(store, release_id)
        folder = folder_of(store, release_id)
        address = store.target.address(f"releases/{release_id}")
    descriptor = descriptor_of(folder)
    if as_json:
        print_json({"adresse": address} | descriptor)
        return
    OUT.print(f"[bold]{descriptor['title']}[/] {descriptor['version']} ({descriptor['status']})")
    OUT.print(f"Adresse: {address}")
    OUT.print(f"Gebietsstand: {descriptor['gebietsstand']} · Schema {descriptor['schemaVersion']}")
    for resource in descriptor["resources"]:
        OUT.print(f"  {resource['path']:<40}{number(resource['bytes']):>14} Byte")


def diff(
    old: Annotated[str, typer.Argument(help="Frühere Ausgabe.")],
    new: Annotated[str, typer.Argument(help="Spätere Ausgabe oder „latest“.")] = "latest",
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Zwei Ausgaben vergleichen: was neu, geändert, entfallen ist."""
    from dataclasses import asdict

    from flows.compare import compare, descriptor_of
    from flows.metadata.changes import changes_text
    from flows.store import existing_id, folder_of

    store = store_of_profile(geodata, profile, outputs)
    before, after = (folder_of(store, existing_id(store, one)) for one in (old, new))
    comparison = compare(before, after)
    if as_json:
        print_json({"frueher": old, "spaeter": new, "aenderungen": [asdict(change) for change in comparison.changes]})
        return
    descriptor = descriptor_of(after)
    titles = {r["name"]: r["title"] for r in descriptor["resources"] if r["name"] in comparison.figures}
    OUT.print(changes_text(comparison, descriptor["version"], titles, descriptor["schemaVersion"]), markup=False)


def verify(
    release_id: Annotated[str, typer.Argument(help="Kennung, „latest“ oder „all“.")] = "latest",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Neu bauen und Byte für Byte vergleichen.")] = False,
    profile: ProfileOption = "thueringen",
    geodata: GeodataOption = GEODATA,
    outputs: OutputsOption = OUTPUTS,
    as_json: JsonOption = False,
) -> None:
    """Jede Datei einer Ausgabe gegen die Prüfsummen halten; mit --rebuild auch gegen einen neuen Bau."""
    from flows.rebuild import rebuild_faults
    from flows.signature import signature_faults
    from flows.store import existing_id, faults, folder_of, published_ids

    store = store_of_profile(geodata, profile, outputs)
    public_key = load_profile(geodata, profile).signature_key
    wanted = published_ids(store) if release_id == "all" else [existing_id(store, release_id)]
    findings = []
    for one in wanted:
        found = faults(store, one) + signature_faults(folder_of(store, one), one, public_key)
        if rebuild and not found:
            found = rebuild_faults(store, one)
        findings += found
        if not as_json and not found:
            OUT.print(f"{one}: alle Dateien stimmen{' und lassen sich gleich neu bauen' if rebuild else ''}.")
    if findings:
        raise Refused(findings)
    if as_json:
        print_json({"ergebnis": "in Ordnung", "geprueft": wanted})
