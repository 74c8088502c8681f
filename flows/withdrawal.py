"""Withdrawing a release: its data go for good, everywhere, and a tombstone stays; it can be run twice and killed.

Call it with the store locked (``store.locked``); ``flows.operations.recover`` completes it from its journal entry.
"""

from __future__ import annotations

import shutil
from datetime import date
from typing import Any

from flows.archive import digests_of, forget_unneeded
from flows.checksums import SIGNATURE, renew_manifest
from flows.german import day as german_day
from flows.metadata.changes import purge_comparison
from flows.signature import sign_manifest, signing_key
from flows.store import (
    HELD_RELEASE,
    HELD_REPORT,
    PUBLISHED,
    WITHDRAWN,
    Store,
    begin,
    block,
    block_of,
    end,
    entry_of,
    existing_id,
    faults,
    folder_of,
    held_ids,
    held_provenance,
    need_reason,
    point,
    provenances,
    published_ids,
    read_index,
    readable_provenance,
    write_index,
)
from flows.targets.local import LocalTarget
from flows.tombstone import write_tombstone


def withdraw(store: Store, release_id: str, reason: str, day: date) -> list[str] | None:
    """Remove a release's data for good and leave a dated tombstone at its address; None when that was done before.

    Kept inputs that no other release uses go, and so do comparisons with it, which repeat its values. ``latest``
    moves to the newest other release that verifies and that nobody put aside. Returns the ids of other releases made
    from inputs of the withdrawn one: what was wrong may be in them too.

    Raises ``WrongUsage`` without a reason, for an id that is neither published nor pruned, or when other releases must
    be signed anew and the key is missing.
    """
    need_reason(reason)
    entry = entry_of(store, release_id)
    if entry and entry["status"] == WITHDRAWN:
        return None
    if not entry or entry["status"] == PUBLISHED:
        release_id = existing_id(store, release_id)
    signing_key(store.signature_key)
    provenance = readable_provenance(store, release_id)
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
    return [other for other, record in provenances(store).items() if used & digests_of(record)]


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
    forget_unneeded(store)
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
