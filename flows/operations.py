"""What an operator does with releases: approve, reject, roll back, withdraw, prune. Each can be run twice and killed.

Call them with the store locked (``store.locked``). Every ``finish_…`` completes an operation from its journal entry.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flows.archive import digests_of, forget_inputs, kept_digests
from flows.checksums import write_manifest
from flows.errors import Refused, WrongUsage
from flows.metadata.changes import purge_comparison
from flows.signature import sign_manifest
from flows.store import (
    PRUNED,
    WITHDRAWN,
    Store,
    begin,
    block,
    end,
    existing_id,
    faults,
    finish_publish,
    folder_of,
    held_ids,
    manifest_faults,
    point_latest,
    provenance_of,
    publish_folder,
    published_ids,
    read_index,
    release_day,
    write_index,
)
from flows.tombstone import write_tombstone

HELD_RELEASE = "release"
HELD_REPORT = "bericht.md"


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise WrongUsage("Bitte mit --reason einen Grund angeben; er wird mit der Ausgabe festgehalten.")


# --- holding -------------------------------------------------------------------------------------------------------


def hold(store: Store, built: Path, release_id: str, report: str) -> Path:
    """Put a finished release aside in ``held/<id>`` with a report of what tripped; returns its folder."""
    folder = store.held / release_id
    part = store.held / f".{release_id}.new"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    shutil.copytree(built, part / HELD_RELEASE)
    (part / HELD_REPORT).write_text(report, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


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
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def approve(store: Store, release_id: str, reason: str, approver: str, day: date) -> None:
    """Publish a held release; reason, approver and day go into its ``provenance.json``.

    Raises ``Refused`` when its files no longer verify, ``WrongUsage`` without a reason, for an id that is not held, or
    when another release came out since it was compared.
    """
    _need_reason(reason)
    if release_id in published_ids(store):
        return
    provenance = held_provenance(store, release_id)
    latest = store.target.pointer()
    if provenance["vorherige"] != latest:
        raise WrongUsage(
            f"{release_id} wurde mit {provenance['vorherige'] or 'keiner Ausgabe'} verglichen, inzwischen ist {latest} "
            "aktuell. Bitte mit `praevkarte reject` verwerfen und `praevkarte release` erneut aufrufen."
        )
    held = held_folder(store, release_id) / HELD_RELEASE
    if found := manifest_faults(held, release_id):
        raise Refused(found)
    copy = store.work / f"approve-{release_id}"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(held, copy)
    add_approval(copy, {"grund": reason, "durch": approver, "am": day.isoformat()})
    publish_folder(store, copy, release_id)


def add_approval(folder: Path, approval: dict[str, str]) -> None:
    """Note in a release folder who let it pass, why and when, and renew its manifest."""
    path = folder / "provenance.json"
    provenance = json.loads(path.read_text(encoding="utf-8")) | {"freigabe": approval}
    path.write_text(json.dumps(provenance, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    write_manifest(folder)


def reject(store: Store, release_id: str, reason: str, day: date) -> None:
    """Drop a held release and note its inputs, so that the next run does not hold the same again."""
    _need_reason(reason)
    provenance = held_provenance(store, release_id)
    index = read_index(store)
    block(index, "reject", release_id, provenance["eingaben_fingerabdruck"], reason, day)
    write_index(store, index)
    shutil.rmtree(store.held / release_id)


# --- rollback ------------------------------------------------------------------------------------------------------


def rollback(store: Store, release_id: str, reason: str, day: date) -> None:
    """Let ``latest`` point to an older release that verifies; the inputs of the present one are noted as not wanted."""
    _need_reason(reason)
    target = existing_id(store, release_id)
    if found := faults(store, target):
        raise Refused(found)
    present = store.target.pointer()
    if present == target:
        return
    begin(store, "rollback", ausgabe=target, von=present, grund=reason, datum=day.isoformat())
    finish_rollback(store, target, present, reason, day)


def finish_rollback(store: Store, target: str, present: str | None, reason: str, day: date) -> None:
    """Complete a rollback."""
    if present is not None:
        index = read_index(store)
        block(index, "rollback", present, provenance_of(store, present)["eingaben_fingerabdruck"], reason, day)
        write_index(store, index)
    point_latest(store, target)
    end(store)


# --- withdrawal ----------------------------------------------------------------------------------------------------


def withdraw(store: Store, release_id: str, reason: str, day: date) -> list[str]:
    """Remove a release's data for good and leave a dated tombstone at its address.

    Kept inputs that no other release uses go, and so do comparisons with it, which repeat its values. ``latest``
    moves to the newest other release that verifies. Returns the ids of other releases made from inputs of the
    withdrawn one: what was wrong may be in them too.
    """
    _need_reason(reason)
    if any(e["ausgabe"] == release_id and e["status"] == WITHDRAWN for e in read_index(store)["ausgaben"]):
        return []
    release_id = existing_id(store, release_id)
    provenance = provenance_of(store, release_id)
    digests = digests_of(provenance)
    others = {other: digests_of(record) for other, record in _other_provenances(store, release_id).items()}
    arguments = {
        "ausgabe": release_id,
        "grund": reason,
        "datum": day.isoformat(),
        "eingaben": provenance["eingaben_fingerabdruck"],
        "titel": provenance["parameter"]["titel"],
        "dateien": sorted(digests.difference(*others.values())),
    }
    begin(store, "withdraw", **arguments)
    finish_withdraw(store, **arguments)
    return sorted(other for other, used in others.items() if used & digests)


def _other_provenances(store: Store, release_id: str) -> dict[str, dict[str, Any]]:
    records = {other: provenance_of(store, other) for other in published_ids(store) if other != release_id}
    return records | {held: held_provenance(store, held) for held in held_ids(store)}


def finish_withdraw(
    store: Store, ausgabe: str, grund: str, datum: str, eingaben: str, titel: str, dateien: list[str]
) -> None:
    """Complete a withdrawal; arguments as written to the journal."""
    if store.target.pointer() == ausgabe:
        rest = [other for other in reversed(published_ids(store)) if other != ausgabe and not faults(store, other)]
        point_latest(store, rest[0] if rest else None)
    stone = store.work / f"tombstone-{ausgabe}"
    write_tombstone(stone, ausgabe, titel, grund, datum)
    store.target.install(stone, f"releases/{ausgabe}")
    for other, record in _other_provenances(store, ausgabe).items():
        if record["vorherige"] == ausgabe:
            _purge(store, other, ausgabe, grund, datum)
    forget_inputs(store, dateien)
    index = read_index(store)
    block(index, "withdraw", ausgabe, eingaben, grund, date.fromisoformat(datum))
    for entry in index["ausgaben"]:
        if entry["ausgabe"] == ausgabe:
            entry |= {"status": WITHDRAWN, "grund": grund, "zurueckgezogen_am": datum}
    write_index(store, index)
    end(store)


def _purge(store: Store, release_id: str, withdrawn: str, reason: str, day: str) -> None:
    """Empty the comparison of a release with a withdrawn one, in the target or among the held."""
    if release_id in held_ids(store):
        purge_comparison(store.held / release_id / HELD_RELEASE, withdrawn, reason, day)
        return
    copy = store.work / f"purge-{release_id}"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder_of(store, release_id), copy)
    purge_comparison(copy, withdrawn, reason, day)
    sign_manifest(copy, release_id)
    store.target.install(copy, f"releases/{release_id}")
    if store.target.pointer() == release_id:
        point_latest(store, release_id)


# --- pruning -------------------------------------------------------------------------------------------------------


def prune(store: Store, keep_days: int, today: date) -> tuple[list[str], list[str]]:
    """Remove releases older than ``keep_days`` days and inputs that no release needs any more.

    Never the latest, a held one, or one that is younger. Returns the removed ids and the digests of removed inputs.
    """
    limit = today - timedelta(days=keep_days)
    latest = store.target.pointer()
    old = [other for other in published_ids(store) if other != latest and release_day(other) < limit]
    begin(store, "prune", ausgaben=old)
    return old, finish_prune(store, old)


def finish_prune(store: Store, old: list[str]) -> list[str]:
    """Complete a pruning; returns the digests of the inputs that went."""
    index = read_index(store)
    for entry in index["ausgaben"]:
        if entry["ausgabe"] in old:
            entry["status"] = PRUNED
    write_index(store, index)
    for release_id in old:
        store.target.remove(f"releases/{release_id}")
    needed = [digests_of(record) for record in _other_provenances(store, "").values()]
    removed = forget_inputs(store, kept_digests(store).difference(*needed))
    end(store)
    return removed


# --- recovery ------------------------------------------------------------------------------------------------------


def recover(store: Store) -> str | None:
    """Complete what was interrupted and clear away half-built work; returns a German sentence on what was completed."""
    told = None
    if store.journal.is_file():
        entry = json.loads(store.journal.read_text(encoding="utf-8"))
        told = _RECOVERY[entry.pop("art")](store, entry)
    shutil.rmtree(store.work, ignore_errors=True)
    return told


def _recover_publish(store: Store, entry: dict[str, Any]) -> str | None:
    if finish_publish(store, entry["ausgabe"]):
        return f"Die unterbrochene Veröffentlichung von {entry['ausgabe']} wurde abgeschlossen."
    return None


def _recover_rollback(store: Store, entry: dict[str, Any]) -> str:
    day = date.fromisoformat(entry["datum"])
    finish_rollback(store, entry["ausgabe"], entry["von"], entry["grund"], day)
    return f"Der unterbrochene Wechsel zu {entry['ausgabe']} wurde abgeschlossen."


def _recover_withdraw(store: Store, entry: dict[str, Any]) -> str:
    finish_withdraw(store, **entry)
    return f"Die unterbrochene Rücknahme von {entry['ausgabe']} wurde abgeschlossen."


def _recover_prune(store: Store, entry: dict[str, Any]) -> str:
    finish_prune(store, entry["ausgaben"])
    return "Das unterbrochene Aufräumen wurde abgeschlossen."


_RECOVERY: dict[str, Callable[[Store, dict[str, Any]], str | None]] = {
    "publish": _recover_publish,
    "rollback": _recover_rollback,
    "withdraw": _recover_withdraw,
    "prune": _recover_prune,
}
