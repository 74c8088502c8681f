"""What an operator does with releases: approve, reject, roll back, prune; ``flows.withdrawal`` is the last resort.

Each can be run twice and killed. Call them with the store locked (``store.locked``). Every ``finish_…`` completes an
operation from its journal entry, and ``recover`` calls them all. The functions return whether there was anything to do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flows.archive import forget_unneeded
from flows.checksums import renew_manifest
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.store import (
    HELD_RELEASE,
    HELD_REPORT,
    PRUNED,
    Store,
    begin,
    begun,
    block,
    drop_held,
    end,
    existing_id,
    faults,
    finish_publish,
    folder_faults,
    held_folder,
    held_ids,
    held_provenance,
    lift_blocks,
    need_reason,
    point,
    publish_folder,
    published_ids,
    read_index,
    release_day,
    settle,
    write_index,
)
from flows.targets.local import LocalTarget
from flows.withdrawal import finish_withdraw

# --- holding -------------------------------------------------------------------------------------------------------


def hold(store: Store, built: Path, release_id: str, report: str) -> Path:
    """Put a finished release aside in ``held/<id>`` with a report of what tripped; returns its folder.

    It takes the place of one that was held for the same inputs, so that they do not pile up. Raises ``Refused`` when a
    file does not match ``SHA256SUMS``.
    """
    if found := folder_faults(built, release_id):
        raise Refused(found)
    part = store.work / f"held-{release_id}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    shutil.copytree(built, part / HELD_RELEASE)
    (part / HELD_REPORT).write_text(report, encoding="utf-8")
    LocalTarget(store.workspace).install(part, f"held/{release_id}")
    drop_held(store, held_provenance(store, release_id)["eingaben_fingerabdruck"], keep=release_id)
    return store.held / release_id


def approve(store: Store, release_id: str, reason: str, approver: str, day: date) -> bool:
    """Publish a held release; reason, approver and day go into its ``provenance.json``.

    Raises ``Refused`` when its files no longer verify, ``WrongUsage`` without a reason, for an id that is not held, or
    when another release came out since it was compared.
    """
    need_reason(reason)
    if release_id in published_ids(store):
        return False
    held = held_folder(store, release_id) / HELD_RELEASE
    if found := folder_faults(held, release_id):
        raise Refused(found)
    compared, latest = held_provenance(store, release_id)["vorherige"], store.target.pointer()
    if compared != latest:
        raise WrongUsage(
            f"{release_id} wurde mit Ausgabe {compared} verglichen, aktuell ist jetzt {latest or 'keine'}. Bitte "
            "`praevkarte release` erneut aufrufen: Der Vergleich wird neu gemacht."
        )
    copy = store.work / f"approve-{release_id}"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(held, copy)
    add_approval(copy, {"grund": reason, "durch": approver, "am": day.isoformat()})
    publish_folder(store, copy, release_id)
    return True


def default_approver(publisher: str) -> str:
    """Who approved, where nobody said so: the publisher, or words for one that is not named yet."""
    return publisher or "Betreiber der Präventionskarte"


def add_approval(folder: Path, approval: dict[str, str]) -> None:
    """Note in a release folder who let it pass, why and when, and renew its manifest."""
    path = folder / "provenance.json"
    provenance = json.loads(path.read_text(encoding="utf-8")) | {"freigabe": approval}
    path.unlink()
    path.write_text(json.dumps(provenance, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    renew_manifest(folder, [path.name])


def reject(store: Store, release_id: str, reason: str, day: date) -> bool:
    """Drop a held release and note its inputs, so that the next run does not hold the same again."""
    need_reason(reason)
    notes = read_index(store)["sperren"]
    if release_id not in held_ids(store) and any(n["ausgabe"] == release_id and n["art"] == "reject" for n in notes):
        return False
    inputs = held_provenance(store, release_id)["eingaben_fingerabdruck"]
    begin(store, "reject", ausgabe=release_id, eingaben=inputs, grund=reason, datum=day.isoformat())
    finish_reject(store, release_id, inputs, reason, day)
    return True


def finish_reject(store: Store, release_id: str, inputs: str, reason: str, day: date) -> None:
    """Complete a rejection."""
    index = read_index(store)
    block(index, "reject", release_id, inputs, reason, day)
    write_index(store, index)
    LocalTarget(store.workspace).remove(f"held/{release_id}")
    forget_unneeded(store)
    end(store)


# --- rollback ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A rollback that was done; ``damaged`` is the release that it left, where that does not verify."""

    damaged: str | None


def rollback(store: Store, release_id: str, reason: str, day: date) -> RolledBack | None:
    """Let ``latest`` point to another release that verifies; the inputs of the present one are noted as not wanted,
    unless it does not verify: then its files are at fault, and the next run makes the same inputs a new release.

    Returns None when ``latest`` points there already. Raises ``Refused`` when it does not verify, ``WrongUsage``
    without a reason or for an id that is not published.
    """
    need_reason(reason)
    wanted = existing_id(store, release_id)
    present = store.target.pointer()
    if present == wanted:
        return None
    damaged = present if present and faults(store, present) else None
    unwanted = None if damaged else present
    begin(store, "rollback", ausgabe=wanted, von=unwanted, grund=reason, datum=day.isoformat())
    if found := finish_rollback(store, wanted, unwanted, reason, day):
        raise Refused(found, "es wurde nichts geändert")
    return RolledBack(damaged)


def finish_rollback(store: Store, wanted: str, unwanted: str | None, reason: str, day: date) -> list[Finding]:
    """Complete a rollback from an ``unwanted`` release. Returns what does not verify of the wanted one: then nothing
    changes.
    """
    if found := faults(store, wanted):
        end(store)
        return found
    index = read_index(store)
    inputs = {entry["ausgabe"]: entry["eingaben"] for entry in index["ausgaben"]}
    if unwanted is not None and unwanted in inputs:
        block(index, "rollback", unwanted, inputs[unwanted], reason, day)
    lift_blocks(index, inputs[wanted], wanted)
    write_index(store, index)
    point(store, wanted)
    end(store)
    return []


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
    if old:
        write_index(store, index)
    for release_id in old:
        store.target.remove(f"releases/{release_id}")
    removed = forget_unneeded(store)
    end(store)
    return removed


# --- recovery ------------------------------------------------------------------------------------------------------


def recover(store: Store) -> str | None:
    """Complete what was interrupted and clear away half-built work; returns a German sentence on what was completed."""
    settle(store)
    entry = begun(store)
    told = _RECOVERY[entry.pop("art")](store, entry) if entry else None
    clear_work(store)
    return told


def clear_work(store: Store) -> None:
    """Remove half-built work and copies; what was withdrawn may be among them."""
    if store.work.is_dir():
        shutil.rmtree(store.work)


def _recover_publish(store: Store, entry: dict[str, Any]) -> str:
    if finish_publish(store, entry["ausgabe"]):
        return f"Die unterbrochene Veröffentlichung von {entry['ausgabe']} wurde aufgeräumt: Sie war nicht vollständig."
    return f"Die unterbrochene Veröffentlichung von {entry['ausgabe']} wurde abgeschlossen."


def _recover_reject(store: Store, entry: dict[str, Any]) -> str:
    finish_reject(store, entry["ausgabe"], entry["eingaben"], entry["grund"], date.fromisoformat(entry["datum"]))
    return f"Die unterbrochene Ablehnung von {entry['ausgabe']} wurde abgeschlossen."


def _recover_rollback(store: Store, entry: dict[str, Any]) -> str:
    day = date.fromisoformat(entry["datum"])
    if finish_rollback(store, entry["ausgabe"], entry["von"], entry["grund"], day):
        return f"Der unterbrochene Wechsel zu {entry['ausgabe']} unterbleibt: Die Ausgabe ist inzwischen beschädigt."
    return f"Der unterbrochene Wechsel zu {entry['ausgabe']} wurde abgeschlossen."


def _recover_withdraw(store: Store, entry: dict[str, Any]) -> str:
    finish_withdraw(store, **entry)
    return f"Die unterbrochene Rücknahme von {entry['ausgabe']} wurde abgeschlossen."


def _recover_prune(store: Store, entry: dict[str, Any]) -> str:
    finish_prune(store, entry["ausgaben"])
    return "Das unterbrochene Aufräumen wurde abgeschlossen."


_RECOVERY: dict[str, Callable[[Store, dict[str, Any]], str]] = {
    "publish": _recover_publish,
    "reject": _recover_reject,
    "rollback": _recover_rollback,
    "withdraw": _recover_withdraw,
    "prune": _recover_prune,
}
