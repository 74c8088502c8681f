"""What an operator does with releases: approve, reject, roll back, withdraw, prune. Each can be run twice and killed.

Call them with the store locked (``store.locked``). Every ``finish_…`` completes an operation from its journal entry.
The functions return whether there was anything to do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flows.archive import digests_of, forget_inputs
from flows.checksums import SIGNATURE, renew_manifest
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.german import day as german_day
from flows.metadata.changes import purge_comparison
from flows.signature import sign_manifest, signing_key
from flows.store import (
    HELD_RELEASE,
    HELD_REPORT,
    PRUNED,
    PUBLISHED,
    WITHDRAWN,
    Store,
    begin,
    begun,
    block,
    block_of,
    drop_held,
    end,
    entry_of,
    existing_id,
    faults,
    finish_publish,
    folder_faults,
    folder_of,
    held_folder,
    held_ids,
    held_provenance,
    lift_blocks,
    point,
    publish_folder,
    published_ids,
    read_index,
    release_day,
    settle,
    write_index,
)
from flows.targets.local import LocalTarget
from flows.tombstone import write_tombstone


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise WrongUsage("Bitte mit --reason einen Grund angeben; er wird mit der Ausgabe festgehalten.")


def _records(store: Store) -> dict[str, dict[str, Any]]:
    """``provenance.json`` of every release whose data are there, published or held, by id.

    A damaged release without one is left out: it cannot be built again, so nothing is kept for it.
    """
    records = {release_id: _provenance_if_any(store, release_id) for release_id in published_ids(store)}
    found = {release_id: record for release_id, record in records.items() if record}
    return found | {held: held_provenance(store, held) for held in held_ids(store)}


def _provenance_if_any(store: Store, release_id: str) -> dict[str, Any] | None:
    """``provenance.json`` of a release, or None when it was pruned or is damaged."""
    content = store.target.read(f"releases/{release_id}/provenance.json")
    try:
        return dict(json.loads(content)) if content else None
    except ValueError:
        return None


def _forget_unneeded(store: Store) -> list[str]:
    """Remove the kept inputs from which no published or held release was made; returns their digests."""
    return forget_inputs(store, set[str]().union(*(digests_of(record) for record in _records(store).values())))


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
    _need_reason(reason)
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
    _need_reason(reason)
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
    _forget_unneeded(store)
    end(store)


# --- rollback ------------------------------------------------------------------------------------------------------


def rollback(store: Store, release_id: str, reason: str, day: date) -> bool:
    """Let ``latest`` point to another release that verifies; the inputs of the present one are noted as not wanted.

    Raises ``Refused`` when it does not verify, ``WrongUsage`` without a reason or for an id that is not published.
    """
    _need_reason(reason)
    wanted = existing_id(store, release_id)
    present = store.target.pointer()
    if present == wanted:
        return False
    begin(store, "rollback", ausgabe=wanted, von=present, grund=reason, datum=day.isoformat())
    if found := finish_rollback(store, wanted, present, reason, day):
        raise Refused(found, "es wurde nichts geändert")
    return True


def finish_rollback(store: Store, wanted: str, present: str | None, reason: str, day: date) -> list[Finding]:
    """Complete a rollback. Returns what does not verify of the wanted release: then nothing changes."""
    if found := faults(store, wanted):
        end(store)
        return found
    index = read_index(store)
    inputs = {entry["ausgabe"]: entry["eingaben"] for entry in index["ausgaben"]}
    if present is not None and present in inputs:
        block(index, "rollback", present, inputs[present], reason, day)
    lift_blocks(index, inputs[wanted], wanted)
    write_index(store, index)
    point(store, wanted)
    end(store)
    return []


# --- withdrawal ----------------------------------------------------------------------------------------------------


def withdraw(store: Store, release_id: str, reason: str, day: date) -> list[str] | None:
    """Remove a release's data for good and leave a dated tombstone at its address; None when that was done before.

    Kept inputs that no other release uses go, and so do comparisons with it, which repeat its values. ``latest``
    moves to the newest other release that verifies and that nobody put aside. Returns the ids of other releases made
    from inputs of the withdrawn one: what was wrong may be in them too.

    Raises ``WrongUsage`` without a reason, for an id that is neither published nor pruned, or when other releases must
    be signed anew and the key is missing.
    """
    _need_reason(reason)
    entry = entry_of(store, release_id)
    if entry and entry["status"] == WITHDRAWN:
        return None
    if not entry or entry["status"] == PUBLISHED:
        release_id = existing_id(store, release_id)
    signing_key(store.signature_key)
    provenance = _provenance_if_any(store, release_id)
    present = store.target.pointer()
    arguments: dict[str, Any] = {
        "ausgabe": release_id,
        "grund": reason,
        "datum": day.isoformat(),
        "titel": provenance["parameter"]["titel"] if provenance else "Präventionskarte",
        "synthetisch": bool(store.prefix),
        "aktuell": _fallback(store, release_id) if present == release_id else present,
        "signiert": _rightly_signed(store),
    }
    begin(store, "withdraw", **arguments)
    finish_withdraw(store, **arguments)
    used = digests_of(provenance) if provenance else set()
    return [other for other, record in _records(store).items() if used & digests_of(record)]


def _fallback(store: Store, *without: str) -> str | None:
    """The newest release that verifies and whose inputs nobody put aside, or None."""
    index = read_index(store)
    inputs = {entry["ausgabe"]: entry["eingaben"] for entry in index["ausgaben"]}
    for release_id in reversed(published_ids(store)):
        if release_id not in without and not block_of(index, inputs[release_id]) and not faults(store, release_id):
            return release_id
    return None


def _rightly_signed(store: Store) -> list[str]:
    """Ids of the published releases whose signature is ours: a changed manifest of another one is not signed."""
    if not store.signature_key:
        return []
    signed = (one for one in published_ids(store) if store.target.read(f"releases/{one}/{SIGNATURE}") is not None)
    return [release_id for release_id in signed if not faults(store, release_id)]


def finish_withdraw(
    store: Store,
    ausgabe: str,
    grund: str,
    datum: str,
    titel: str,
    synthetisch: bool,
    aktuell: str | None,
    signiert: list[str],
) -> None:
    """Complete a withdrawal; arguments as written to the journal: ``aktuell`` is where ``latest`` is to point then,
    ``signiert`` are the releases that were rightly signed before.
    """
    index = read_index(store)
    for entry in index["ausgaben"]:
        if entry["ausgabe"] == ausgabe:
            block(index, "withdraw", ausgabe, entry["eingaben"], grund, date.fromisoformat(datum))
            entry |= {"status": WITHDRAWN, "grund": grund, "zurueckgezogen_am": datum}
    # The pointer leaves the release before its data go.
    if store.target.pointer() == ausgabe:
        _point_to(store, aktuell, ausgabe)
    write_index(store, index)
    stone = store.work / f"tombstone-{ausgabe}"
    write_tombstone(stone, ausgabe, titel, grund, datum, synthetisch)
    store.target.install(stone, f"releases/{ausgabe}")
    compared = {entry["ausgabe"]: entry["vorherige"] for entry in index["ausgaben"] if entry["status"] == PUBLISHED}
    compared |= {held: held_provenance(store, held)["vorherige"] for held in held_ids(store)}
    for other, previous in compared.items():
        if previous == ausgabe:
            _purge(store, other, ausgabe, grund, datum, other in signiert)
    # It may have been emptied too, and then its document is another, or it was parked elsewhere meanwhile.
    if store.target.pointer() != aktuell or compared.get(aktuell or "") == ausgabe:
        _point_to(store, aktuell, ausgabe)
    _forget_unneeded(store)
    end(store)


def _point_to(store: Store, wanted: str | None, *without: str) -> None:
    """Let ``latest`` point to ``wanted`` if it verifies, else to the newest other release that does, else to none."""
    if wanted is not None and faults(store, wanted):
        wanted = _fallback(store, *without)
    point(store, wanted)


def _purge(store: Store, release_id: str, withdrawn: str, reason: str, day: str, signed: bool) -> None:
    """Empty the comparison of a release with a withdrawn one, in the target (where it is ``signed`` anew) or among the
    held.
    """
    held = release_id in held_ids(store)
    if not held and not store.target.sizes(f"releases/{release_id}"):
        return
    source = store.held / release_id if held else folder_of(store, release_id)
    copy = store.work / f"purge-{release_id}"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy)
    folder = copy / HELD_RELEASE if held else copy
    renew_manifest(folder, purge_comparison(folder, withdrawn, reason, day, bool(store.prefix)))
    if held:
        (copy / HELD_REPORT).unlink(missing_ok=True)
        (copy / HELD_REPORT).write_text(_purged_report(release_id, withdrawn, day), encoding="utf-8")
        LocalTarget(store.workspace).install(copy, f"held/{release_id}")
        return
    if signed:
        sign_manifest(copy, release_id, store.signature_key)
    if store.target.pointer() == release_id and not store.target.swaps:
        # Nothing may point to files that change one by one; the withdrawal lets ``latest`` come back.
        point(store, _fallback(store, withdrawn, release_id))
    store.target.install(copy, f"releases/{release_id}")


def _purged_report(release_id: str, withdrawn: str, day: str) -> str:
    return (
        f"# Ausgabe {release_id} wartet auf Freigabe\n\nWas sie auslöste, wurde entfernt, weil Ausgabe {withdrawn}, "
        f"mit der verglichen wurde, am {german_day(day)} zurückgezogen wurde. Der nächste Lauf von `praevkarte "
        "release` vergleicht neu.\n"
    )


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
    removed = _forget_unneeded(store)
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
