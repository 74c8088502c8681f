"""The release store: published releases in a target, everything that is not public in a local workspace.

Target (public): ``releases/<id>/``, ``releases.json`` (all releases with their state), ``latest`` / ``latest.json``.
Workspace (local): ``held/<id>/`` (waiting for approval), ``inputs/sha256/`` (content-addressed inputs), ``.work/``
and the journal. Every operation that takes several steps writes to the journal what it is about to do; its
``finish_…`` function can be run again after a kill at any point, and ``recover`` does so.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.checksums import differences
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.latest import latest_document
from flows.signature import sign_manifest
from flows.targets.base import Target
from flows.targets.local import LocalTarget, sync

ID = re.compile(r"^(?:demo-)?\d{4}\.\d{2}\.\d{2}(?:\.\d+)?$")
INDEX = "releases.json"
PUBLISHED, WITHDRAWN, PRUNED = "veroeffentlicht", "zurueckgezogen", "entfernt"


@dataclass(frozen=True, slots=True)
class Store:
    """A workspace and the target it publishes to; ``prefix`` marks the ids of synthetic releases."""

    workspace: Path
    target: Target
    prefix: str = ""

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
    """Hold workspace and target for writing, and complete what an interrupted operation left.

    Raises ``StoreBusy`` naming the holder.
    """
    workspace = LocalTarget(store.workspace)
    with workspace.locked():
        if store.target == workspace:
            yield
            return
        with store.target.locked():
            yield


# --- ids -----------------------------------------------------------------------------------------------------------


def release_key(release_id: str) -> tuple[int, ...]:
    """Sort key of an id: date, then the number of the day's release (none counts as 0)."""
    numbers = [int(part) for part in release_id.removeprefix("demo-").split(".")]
    return (*numbers, 0) if len(numbers) == 3 else tuple(numbers)


def release_day(release_id: str) -> date:
    """The day that an id names."""
    year, month, day, *_ = release_key(release_id)
    return date(year, month, day)


def entries(store: Store) -> list[dict[str, Any]]:
    """The index: one record per release ever published, oldest id first, with ``ausgabe`` and ``status``."""
    return sorted(read_index(store)["ausgaben"], key=lambda entry: release_key(entry["ausgabe"]))


def published_ids(store: Store) -> list[str]:
    """Ids of the releases that can be read, oldest first."""
    return [entry["ausgabe"] for entry in entries(store) if entry["status"] == PUBLISHED]


def held_ids(store: Store) -> list[str]:
    """Ids of the releases that wait for approval, oldest first."""
    return sorted(LocalTarget(store.workspace).folders("held"), key=release_key)


def next_id(store: Store, day: date) -> str:
    """The first id of a day that was never used: ``YYYY.MM.DD``, then ``YYYY.MM.DD.1`` and so on."""
    taken = (
        {entry["ausgabe"] for entry in entries(store)} | set(held_ids(store)) | set(store.target.folders("releases"))
    )
    base = f"{store.prefix}{day:%Y.%m.%d}"
    number = 0
    while (candidate := f"{base}.{number}" if number else base) in taken:
        number += 1
    return candidate


def existing_id(store: Store, wanted: str) -> str:
    """``wanted`` (or ``latest``) as the id of a published release; raises ``WrongUsage`` when there is none."""
    release_id = store.target.pointer() if wanted == "latest" else wanted
    known = published_ids(store)
    if release_id is None or release_id not in known:
        raise WrongUsage(
            f"Die Ausgabe „{wanted}“ gibt es nicht in {store.target.label}. Vorhanden: {', '.join(known) or 'keine'}."
        )
    return release_id


# --- index and journal ---------------------------------------------------------------------------------------------


def read_index(store: Store) -> dict[str, Any]:
    """``releases.json``: ``ausgaben`` and ``sperren`` (inputs that must not be published again by themselves)."""
    content = store.target.read(INDEX)
    index: dict[str, Any] = json.loads(content) if content else {"ausgaben": [], "sperren": []}
    return index


def write_index(store: Store, index: dict[str, Any]) -> None:
    """Replace ``releases.json``."""
    store.target.write(INDEX, (json.dumps(index, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))


def block(index: dict[str, Any], kind: str, release_id: str, inputs: str, reason: str, day: date) -> None:
    """Note in the index that the inputs of a release must not be published again without a person's word."""
    entry = {"eingaben": inputs, "ausgabe": release_id, "art": kind, "grund": reason, "datum": day.isoformat()}
    if entry not in index["sperren"]:
        index["sperren"].append(entry)


def begin(store: Store, operation: str, **arguments: Any) -> None:
    """Write to the journal what is about to happen."""
    LocalTarget(store.workspace).write(store.journal.name, json.dumps({"art": operation} | arguments).encode("utf-8"))


def end(store: Store) -> None:
    """The operation in the journal is complete."""
    store.journal.unlink(missing_ok=True)
    sync(store.workspace)


# --- reading releases ----------------------------------------------------------------------------------------------


def folder_of(store: Store, release_id: str) -> Path:
    """A local folder with the files of a release (a copy below ``.work`` when the target is remote)."""
    return store.target.local(f"releases/{release_id}", store.work / "copies")


def provenance_of(store: Store, release_id: str) -> dict[str, Any]:
    """``provenance.json`` of a published release."""
    content = store.target.read(f"releases/{release_id}/provenance.json")
    if content is None:
        raise WrongUsage(f"Zu {release_id} fehlt provenance.json in {store.target.label}.")
    record: dict[str, Any] = json.loads(content)
    return record


def faults(store: Store, release_id: str) -> list[Finding]:
    """What does not match the manifest of a release in the target; empty when it verifies."""
    return manifest_faults(folder_of(store, release_id), release_id)


def manifest_faults(folder: Path, release_id: str) -> list[Finding]:
    """What does not match the manifest in a folder."""
    remedy = "Bitte die Ausgabe nicht verwenden und mit `praevkarte rollback` auf eine geprüfte wechseln."
    return [Finding("pruefsummen", f"{release_id}/{name}", text, remedy) for name, text in differences(folder).items()]


# --- publishing ----------------------------------------------------------------------------------------------------


def point_latest(store: Store, release_id: str | None) -> None:
    """Let ``latest`` point to a release that verifies (or to nothing); raises ``Refused`` when it does not."""
    if release_id is None:
        store.target.point(None, b"")
        return
    if found := faults(store, release_id):
        raise Refused(found)
    store.target.point(release_id, latest_document(folder_of(store, release_id)))


def publish_folder(store: Store, built: Path, release_id: str) -> None:
    """Publish a finished release folder: data first, verified in place, the pointer last.

    Raises ``Refused`` when a file does not match ``SHA256SUMS``; nothing is published then.
    """
    if found := manifest_faults(built, release_id):
        raise Refused(found)
    sign_manifest(built, release_id)
    begin(store, "publish", ausgabe=release_id)
    store.target.install(built, f"releases/{release_id}")
    finish_publish(store, release_id)


def finish_publish(store: Store, release_id: str) -> bool:
    """Complete a publication; returns False when the data never arrived whole and what did was cleared away."""
    prefix = f"releases/{release_id}"
    if not store.target.files(prefix) or faults(store, release_id):
        store.target.remove(prefix)
        end(store)
        return False
    provenance = provenance_of(store, release_id)
    index = read_index(store)
    index["ausgaben"] = [entry for entry in index["ausgaben"] if entry["ausgabe"] != release_id]
    index["ausgaben"].append(
        {
            "ausgabe": release_id,
            "datum": provenance["datum"],
            "status": PUBLISHED,
            "schema": provenance["schema"],
            "vorherige": provenance["vorherige"],
            "eingaben": provenance["eingaben_fingerabdruck"],
        }
    )
    write_index(store, index)
    point_latest(store, release_id)
    shutil.rmtree(store.held / release_id, ignore_errors=True)
    end(store)
    return True
