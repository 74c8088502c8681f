"""The release store: published releases in a target, everything that is not public in a local workspace.

Target (public): ``releases/<id>/``, ``releases.json`` (all releases with their state), ``latest`` / ``latest.json``.
Workspace (local): ``held/<id>/`` (waiting for approval), ``inputs/sha256/`` (content-addressed inputs), ``reports/``
(for the office, quoting what it typed), ``pruefung/`` (the same on a single file), ``.work/`` and the journal. Every
operation that takes several steps writes to the journal what it is about to do; its ``finish_…`` function can be run
again after a kill at any point, and ``operations.recover`` does so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.checksums import MANIFEST, SIGNATURE, differences, mismatches, parse_manifest
from flows.disk import DISK_ERRORS, NO_ROOM, free_bytes
from flows.errors import PipelineError, Refused, StoreUnusable, WrongUsage
from flows.findings import Finding
from flows.german import day as german_day
from flows.german import size
from flows.latest import latest_document
from flows.signature import sign_manifest, signature_fault
from flows.targets.base import Target
from flows.targets.local import LocalTarget, settle_folder

SYNTHETIC_PREFIX = "demo-"
ID = re.compile(rf"^(?:{SYNTHETIC_PREFIX})?\d{{4}}\.\d{{2}}\.\d{{2}}(?:\.\d+)?$")
INDEX = "releases.json"
HELD_RELEASE, HELD_REPORT = "release", "bericht.md"
PUBLISHED, WITHDRAWN, PRUNED = "veroeffentlicht", "zurueckgezogen", "entfernt"
# The same as people read it.
STATUS_WORDS = {PUBLISHED: "veröffentlicht", WITHDRAWN: "zurückgezogen", PRUNED: "entfernt"}


@dataclass(frozen=True, slots=True)
class Store:
    """A workspace and the target it publishes to; ``prefix`` marks the ids of synthetic releases, ``signature_key`` is
    the minisign public key of signed ones (empty: they are not signed).
    """

    workspace: Path
    target: Target
    prefix: str = ""
    signature_key: str = ""

    @property
    def work(self) -> Path:
        return self.workspace / ".work"

    @property
    def held(self) -> Path:
        return self.workspace / "held"

    @property
    def inputs(self) -> Path:
        return self.workspace / "inputs" / "sha256"

    @property
    def journal(self) -> Path:
        return self.workspace / ".journal.json"


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Hold workspace and target for writing.

    Raises ``StoreBusy`` naming the holder, and ``StoreUnusable`` when something inside cannot be written.
    """
    workspace, target = LocalTarget(store.workspace), store.target
    shared = isinstance(target, LocalTarget) and target.root.resolve() == store.workspace.resolve()
    try:
        with workspace.locked(), nullcontext() if shared else target.locked():
            yield
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        place = str(error.filename or store.workspace)
        why = no_room(store, Path(place), error.errno) if error.errno in NO_ROOM else DISK_ERRORS[error.errno]
        raise unusable(place, why) from error


def no_room(store: Store, place: Path, number: int) -> str:
    """That there is no room at a place (the system's error ``number``), in German: how much is free on its disk, how
    much a release takes, and how to make room.
    """
    text = f"{DISK_ERRORS[number]} Frei sind {size(free_bytes(place))}."
    # Where the target cannot even be read, the message stands without what a release takes.
    with suppress(PipelineError, OSError, ValueError, KeyError):
        if latest := store.target.pointer():
            needed = sum(store.target.sizes(f"releases/{latest}").values())
            text += f" Die Ausgabe {latest} belegt {size(needed)}; ein Lauf braucht etwa das Dreifache."
    return f"{text} Platz schafft `praevkarte prune --keep-days 365`."


def unusable(place: str, why: str) -> StoreUnusable:
    """The error for a place that cannot be written, with what that means for the releases."""
    return StoreUnusable(
        f"{place}: {why} Was veröffentlicht ist, ist unversehrt. Bitte abhelfen und erneut aufrufen; was angefangen "
        "war, wird dann abgeschlossen oder aufgeräumt."
    )


def settle(store: Store) -> None:
    """Clear away what killed calls left out of sight in workspace and target; only with the store locked."""
    LocalTarget(store.workspace).settle()
    store.target.settle()
    settle_folder(store.held)
    for folder in store.inputs.glob("*"):
        settle_folder(folder)


# --- ids -----------------------------------------------------------------------------------------------------------


def release_key(release_id: str) -> tuple[int, ...]:
    """Sort key of an id: date, then the number of the day's release (none counts as 0)."""
    numbers = [int(part) for part in release_id.removeprefix(SYNTHETIC_PREFIX).split(".")]
    return (*numbers, 0) if len(numbers) == 3 else tuple(numbers)


def release_day(release_id: str) -> date:
    """The day that an id names."""
    year, month, day, *_ = release_key(release_id)
    return date(year, month, day)


def entries(store: Store) -> list[dict[str, Any]]:
    """The index: one record per release ever published, oldest id first, with ``ausgabe`` and ``status``."""
    return sorted(read_index(store)["ausgaben"], key=lambda entry: release_key(entry["ausgabe"]))


def entry_of(store: Store, release_id: str) -> dict[str, Any] | None:
    """The index record of a release, or None when it was never published."""
    return next((entry for entry in entries(store) if entry["ausgabe"] == release_id), None)


def published_ids(store: Store) -> list[str]:
    """Ids of the releases that can be read, oldest first."""
    return [entry["ausgabe"] for entry in entries(store) if entry["status"] == PUBLISHED]


def held_ids(store: Store) -> list[str]:
    """Ids of the releases that wait for approval, oldest first."""
    return sorted(LocalTarget(store.workspace).folders("held"), key=release_key)


def next_id(store: Store, day: date) -> str:
    """The first id of a day that was never used, neither published nor held: ``YYYY.MM.DD``, then ``YYYY.MM.DD.1``."""
    index = read_index(store)
    taken = {entry["ausgabe"] for entry in (*index["ausgaben"], *index["sperren"])}
    taken |= {*held_ids(store), *store.target.folders("releases")}
    base = f"{store.prefix}{day:%Y.%m.%d}"
    number = 0
    while (candidate := f"{base}.{number}" if number else base) in taken:
        number += 1
    return candidate


def existing_id(store: Store, wanted: str) -> str:
    """``wanted`` (or ``latest``) as the id of a published release; raises ``WrongUsage`` saying why there is none."""
    release_id = store.target.pointer() if wanted == "latest" else wanted
    known = published_ids(store)
    if release_id in known:
        return str(release_id)
    if release_id in held_ids(store):
        raise WrongUsage(
            f"Die Ausgabe „{wanted}“ ist nicht veröffentlicht, sie wartet auf Freigabe. Bitte `praevkarte approve` "
            "oder `praevkarte reject` aufrufen."
        )
    entry = entry_of(store, wanted)
    if entry and entry["status"] == WITHDRAWN:
        raise WrongUsage(
            f"Die Ausgabe „{wanted}“ wurde am {german_day(entry['zurueckgezogen_am'])} zurückgezogen. "
            f"Grund: {entry['grund']}"
        )
    if entry:
        raise WrongUsage(f"Die Ausgabe „{wanted}“ wurde mit `praevkarte prune` entfernt.")
    raise WrongUsage(
        f"Die Ausgabe „{wanted}“ gibt es nicht in {store.target.label}. Vorhanden: {', '.join(known) or 'keine'}."
    )


# --- index and journal ---------------------------------------------------------------------------------------------


def read_index(store: Store) -> dict[str, Any]:
    """``releases.json``: ``ausgaben`` and ``sperren`` (inputs that must not be published again by themselves).

    Raises ``StoreUnusable`` for a damaged file, an empty one too: taken for a new store's, it would be written over.
    """
    content = store.target.read(INDEX)
    if content is None:
        return {"ausgaben": [], "sperren": []}
    with suppress(ValueError, KeyError, TypeError):
        index: dict[str, Any] = json.loads(content)
        if isinstance(index["ausgaben"], list) and isinstance(index["sperren"], list):
            return index
    raise StoreUnusable(f"{store.target.address(INDEX)}: die Datei ist beschädigt. Bitte wiederherstellen.")


def write_index(store: Store, index: dict[str, Any]) -> None:
    """Replace ``releases.json``."""
    store.target.write(INDEX, (json.dumps(index, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))


def need_reason(reason: str) -> None:
    """Raise ``WrongUsage`` where an operation is to be done without a reason."""
    if not reason.strip():
        raise WrongUsage("Bitte mit --reason einen Grund angeben; er wird mit der Ausgabe festgehalten.")


def block(index: dict[str, Any], kind: str, release_id: str, inputs: str, reason: str, day: date) -> None:
    """Note in the index that the inputs of a release must not be published again without a person's word."""
    entry = {"eingaben": inputs, "ausgabe": release_id, "art": kind, "grund": reason, "datum": day.isoformat()}
    if entry not in index["sperren"]:
        index["sperren"].append(entry)


def lift_blocks(index: dict[str, Any], inputs: str, release_id: str) -> None:
    """Note in the index that a person wanted a release from these inputs after all; the notes themselves stay."""
    for entry in index["sperren"]:
        if entry["eingaben"] == inputs:
            entry.setdefault("aufgehoben_durch", release_id)


def block_of(index: Mapping[str, Any], inputs: str) -> dict[str, Any] | None:
    """The note that keeps these inputs from being published again, or None when nothing does."""
    active = (entry for entry in index["sperren"] if "aufgehoben_durch" not in entry)
    return next((entry for entry in active if entry["eingaben"] == inputs), None)


def begin(store: Store, operation: str, **arguments: Any) -> None:
    """Write to the journal what is about to happen."""
    LocalTarget(store.workspace).write(store.journal.name, json.dumps({"art": operation} | arguments).encode("utf-8"))


def end(store: Store) -> None:
    """The operation in the journal is complete."""
    LocalTarget(store.workspace).delete(store.journal.name)


def begun(store: Store) -> dict[str, Any] | None:
    """What the journal says was begun and not completed: ``art`` and the operation's arguments."""
    content = LocalTarget(store.workspace).read(store.journal.name)
    return json.loads(content) if content else None


# --- reading releases ----------------------------------------------------------------------------------------------


def folder_of(store: Store, release_id: str, scratch: Path | None = None) -> Path:
    """A local folder with the files of a release: a copy below ``scratch`` (by default ``.work``, which only the holder
    of the lock may use) when the target is remote.
    """
    return store.target.local(f"releases/{release_id}", scratch or store.work / "copies")


def provenance_of(store: Store, release_id: str) -> dict[str, Any]:
    """``provenance.json`` of a published release."""
    content = store.target.read(f"releases/{release_id}/provenance.json")
    if content is None:
        raise WrongUsage(
            f"Zu {release_id} fehlt provenance.json in {store.target.label}. Bitte mit `praevkarte verify` prüfen."
        )
    record: dict[str, Any] = json.loads(content)
    return record


def readable_provenance(store: Store, release_id: str) -> dict[str, Any] | None:
    """``provenance.json`` of a release, or None when it was pruned or is damaged."""
    content = store.target.read(f"releases/{release_id}/provenance.json")
    try:
        return dict(json.loads(content)) if content else None
    except ValueError:
        return None


def _findings(found: Mapping[str, str], release_id: str, remedy: str) -> list[Finding]:
    return [Finding("pruefsummen", f"{release_id}/{name}", text, remedy) for name, text in found.items()]


def _remedy(store: Store, release_id: str) -> str:
    """What to do about a damaged release: only from the one that is current there is something to roll back."""
    if store.target.pointer() == release_id:
        return "Bitte die Ausgabe nicht verwenden und mit `praevkarte rollback` auf eine geprüfte wechseln."
    return "Bitte die Ausgabe nicht verwenden und aus der Sicherung wiederherstellen; aktuell ist sie nicht."


def faults(store: Store, release_id: str) -> list[Finding]:
    """What does not match the manifest of a release in the target, or its signature; empty when it verifies.

    A missing signature is none: releases from before there was a key can still be rolled back to (``verify`` tells).
    """
    prefix = f"releases/{release_id}"
    manifest = store.target.read(f"{prefix}/{MANIFEST}")
    present = store.target.digests(prefix)
    wrong_files = mismatches(manifest, {name: present[name] for name in present.keys() - {MANIFEST, SIGNATURE}})
    found = _findings(wrong_files, release_id, _remedy(store, release_id)) if wrong_files else []
    signature = store.target.read(f"{prefix}/{SIGNATURE}") if store.signature_key else None
    if manifest is not None and signature is not None:
        wrong = signature_fault(manifest, signature, release_id, store.signature_key)
        found += [wrong] if wrong else []
    return found


def folder_faults(folder: Path, release_id: str) -> list[Finding]:
    """What does not match the manifest in a local folder, of a release that was built or is held."""
    remedy = "Bitte die Ausgabe nicht verwenden, ihren Ordner entfernen und `praevkarte release` erneut aufrufen."
    return _findings(differences(folder), release_id, remedy)


# --- publishing ----------------------------------------------------------------------------------------------------


def point(store: Store, release_id: str | None) -> None:
    """Let ``latest`` point to a release, of which the caller knows that it has no ``faults``, or to nothing."""
    store.target.point(release_id, document_of(store, release_id) if release_id else b"")


def document_of(store: Store, release_id: str) -> bytes:
    """``latest.json`` as it is when ``latest`` points to ``release_id``, which must verify."""
    prefix = f"releases/{release_id}"
    digests = parse_manifest(store.target.read(f"{prefix}/{MANIFEST}") or b"")
    return latest_document(provenance_of(store, release_id), digests, store.target.sizes(prefix))


def publish_folder(store: Store, built: Path, release_id: str) -> None:
    """Publish a finished release folder: data first, verified in place, the pointer last.

    Raises ``Refused`` when a file does not match ``SHA256SUMS``; nothing is published then. The folder may be consumed.
    """
    if found := folder_faults(built, release_id):
        raise Refused(found)
    sign_manifest(built, release_id, store.signature_key)
    begin(store, "publish", ausgabe=release_id)
    store.target.install(built, f"releases/{release_id}")
    if found := finish_publish(store, release_id):
        raise Refused(found)


def finish_publish(store: Store, release_id: str) -> list[Finding]:
    """Complete a publication. Returns what does not verify: then the data never arrived whole, and are cleared away."""
    prefix = f"releases/{release_id}"
    if found := faults(store, release_id):
        store.target.remove(prefix)
        end(store)
        return found
    provenance = provenance_of(store, release_id)
    inputs = provenance["eingaben_fingerabdruck"]
    index = read_index(store)
    index["ausgaben"] = [entry for entry in index["ausgaben"] if entry["ausgabe"] != release_id]
    index["ausgaben"].append(
        {
            "ausgabe": release_id,
            "datum": provenance["datum"],
            "status": PUBLISHED,
            "schema": provenance["schema"],
            "vorherige": provenance["vorherige"],
            "eingaben": inputs,
        }
    )
    lift_blocks(index, inputs, release_id)
    write_index(store, index)
    point(store, release_id)
    drop_held(store, inputs)
    end(store)
    return []


# --- held releases -------------------------------------------------------------------------------------------------


def held_folder(store: Store, release_id: str) -> Path:
    """Folder of a held release; raises ``WrongUsage`` when there is none."""
    known = held_ids(store)
    if release_id not in known:
        raise WrongUsage(
            f"Die Ausgabe „{release_id}“ wartet nicht auf Freigabe. Es warten: {', '.join(known) or 'keine'}."
        )
    return store.held / release_id


def held_provenance(store: Store, release_id: str) -> dict[str, Any]:
    """``provenance.json`` of a held release."""
    path = held_folder(store, release_id) / HELD_RELEASE / "provenance.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        raise WrongUsage(
            f"{path}: die wartende Ausgabe ist beschädigt. Bitte ihren Ordner entfernen und `praevkarte release` "
            "erneut aufrufen."
        ) from None
    return record


def provenances(store: Store) -> dict[str, dict[str, Any]]:
    """``provenance.json`` of every release whose data are there, published or held, by id.

    A damaged release without one is left out: it cannot be built again, so nothing is kept for it.
    """
    records = {release_id: readable_provenance(store, release_id) for release_id in published_ids(store)}
    found = {release_id: record for release_id, record in records.items() if record}
    return found | {held: held_provenance(store, held) for held in held_ids(store)}


def drop_held(store: Store, inputs: str, keep: str | None = None) -> None:
    """Remove the held releases from these inputs but ``keep``: they are published, or were built anew."""
    for held in held_ids(store):
        if held != keep and held_provenance(store, held)["eingaben_fingerabdruck"] == inputs:
            LocalTarget(store.workspace).remove(f"held/{held}")
