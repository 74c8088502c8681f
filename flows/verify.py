"""Check what is really published: every file against its manifest, the signatures, and what the index says."""

from __future__ import annotations

from flows.checksums import MANIFEST, SIGNATURE
from flows.findings import Finding
from flows.store import HELD_RELEASE as RELEASE
from flows.store import (
    INDEX,
    WITHDRAWN,
    Store,
    document_of,
    entries,
    faults,
    folder_faults,
    held_folder,
    published_ids,
)
from flows.targets.local import LATEST_DOCUMENT

REMEDY = "Bitte `praevkarte rollback` oder `praevkarte release` aufrufen; beide stellen den Zeiger neu."


def release_faults(store: Store, release_id: str) -> list[Finding]:
    """What is wrong with a published release; with a key in the profile, a missing signature too."""
    found = faults(store, release_id)
    if store.signature_key and store.target.read(f"releases/{release_id}/{SIGNATURE}") is None:
        remedy = "Wenn sie aus der Zeit vor dem Schlüssel ist, ist das richtig so; sonst bitte die Herkunft prüfen."
        place = f"{release_id}/{SIGNATURE}"
        found.append(Finding("signatur", place, "die Ausgabe ist nicht signiert.", remedy))
    return found


def held_faults(store: Store, release_id: str) -> list[Finding]:
    """What is wrong with a release that waits for approval."""
    return folder_faults(held_folder(store, release_id) / RELEASE, release_id)


def withdrawn_ids(store: Store) -> list[str]:
    """Ids of the releases that were withdrawn, oldest first."""
    return [entry["ausgabe"] for entry in entries(store) if entry["status"] == WITHDRAWN]


def tombstone_faults(store: Store, release_id: str) -> list[Finding]:
    """What is wrong at the address of a withdrawn release: the tombstone is damaged, or data are there again."""
    present = store.target.sizes(f"releases/{release_id}")
    remedy = "Bitte die Datei entfernen: Die Ausgabe ist zurückgezogen."
    return faults(store, release_id) + [
        Finding("zurueckgezogen", f"{release_id}/{name}", "die Datei dürfte nicht mehr da sein.", remedy)
        for name in present
        if name not in ("index.html", "withdrawn.json", MANIFEST)
    ]


def index_faults(store: Store) -> list[Finding]:
    """Where ``releases.json``, ``latest`` and ``latest.json`` disagree with each other or with what is there."""
    known = {*published_ids(store), *withdrawn_ids(store)}
    found = [
        Finding("verzeichnis", f"releases/{name}", f"die Ausgabe steht nicht in {INDEX}.", "Bitte den Ordner prüfen.")
        for name in store.target.folders("releases")
        if name not in known
    ]
    latest, document = store.target.pointer(), store.target.read(LATEST_DOCUMENT)
    if latest is None:
        if document is not None:
            found.append(Finding("zeiger", LATEST_DOCUMENT, "die Datei nennt eine Ausgabe, „latest“ keine.", REMEDY))
        return found
    if latest not in published_ids(store):
        return [*found, Finding("zeiger", "latest", f"zeigt auf {latest}, die nicht veröffentlicht ist.", REMEDY)]
    if not faults(store, latest) and document != document_of(store, latest):
        found.append(Finding("zeiger", LATEST_DOCUMENT, f"die Datei passt nicht zu Ausgabe {latest}.", REMEDY))
    return found
