"""What an operator can do with releases, on a local folder and on an object store with the same meaning."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from operating import (
    FIRST,
    HELD,
    LATER,
    SECOND,
    SECRET,
    Place,
    bad_inputs,
    latest_verifies,
    mended_inputs,
    message,
)
from packaged import ADDRESS

from flows.archive import kept_digests, kept_input
from flows.checksums import differences, read_manifest
from flows.errors import Refused, WrongUsage
from flows.operations import approve, prune, reject, rollback
from flows.store import (
    HELD_RELEASE,
    HELD_REPORT,
    Store,
    existing_id,
    faults,
    held_ids,
    next_id,
    provenance_of,
    publish_folder,
    published_ids,
    read_index,
)
from flows.verify import index_faults, release_faults, tombstone_faults
from flows.withdrawal import withdraw

pytest_plugins = ["places"]

# What has nothing to do with where releases go is tried in a folder only.
on_any_target = pytest.mark.parametrize("kind", ["ordner"], indirect=True)
# What matters most is tried on both in the fast tests too.
on_both_at_once = pytest.mark.parametrize(
    "kind", ["ordner", pytest.param("objektspeicher", marks=pytest.mark.network)], indirect=True
)


def sources_of(store: Store, release_id: str) -> set[str]:
    return {source["sha256"] for source in provenance_of(store, release_id)["quellen"]}


def status_of(store: Store, release_id: str) -> str:
    return next(entry["status"] for entry in read_index(store)["ausgaben"] if entry["ausgabe"] == release_id)


def is_sound(place: Place) -> bool:
    """Every published release verifies, and index, pointer and ``latest.json`` say the same."""
    store = place.store
    wrong = [finding for one in published_ids(store) for finding in release_faults(store, one)]
    return not wrong and not index_faults(store)


def damage(place: Place, release_id: str, name: str, content: bytes | None) -> None:
    """Change or take away one file of a published release behind the store's back."""
    target: Any = place.store.target
    key = f"releases/{release_id}/{name}"
    if hasattr(target, "root"):
        path = target.root / key
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    elif content is None:
        target.store.delete(key)
    else:
        target.store.put(key, content)


# --- publishing ----------------------------------------------------------------------------------------------------


@on_both_at_once
@pytest.mark.slow
def test_the_first_release_is_published_whole(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(None)

    outcome = place.run(FIRST, date(2026, 2, 1))

    assert (outcome.result, outcome.release_id) == ("published", FIRST)
    assert latest_verifies(place.store)
    assert is_sound(place)
    assert json.loads(place.store.target.read("latest.json") or b"")["ausgabe"] == FIRST


@pytest.mark.slow
@on_any_target
def test_the_same_inputs_make_no_second_release(place_after: Callable[[str | None], Place]) -> None:
    assert place_after(FIRST).night(FIRST) == "unchanged"


@on_any_target
def test_inputs_are_kept_by_their_content(place: Place) -> None:
    for digest in sources_of(place.store, FIRST):
        kept = kept_input(place.store, digest)
        assert kept and kept.name == digest


def test_latest_json_says_what_a_program_needs(place: Place) -> None:
    document = json.loads(place.store.target.read("latest.json") or b"")
    sizes = place.store.target.sizes(f"releases/{SECOND}")

    assert document["ausgabe"] == SECOND
    assert document["adresse"] == f"{ADDRESS}/releases/{SECOND}/"
    assert (document["datum"], document["vorherige"], document["schema"]) == ("2026-02-02", FIRST, "1.0.0")
    assert {file["name"]: file["bytes"] for file in document["dateien"]} == {
        name: size for name, size in sizes.items() if name != "SHA256SUMS"
    }
    assert {source["datensatz"]: source["abgerufen"] for source in document["quellen"]}["register"] == "2026-01-15"


def test_a_package_that_does_not_match_its_manifest_is_not_published(place: Place, tmp_path: Path) -> None:
    built = place.store.target.local(f"releases/{SECOND}", tmp_path / "copy")
    package = tmp_path / "package"
    shutil.copytree(built, package)
    (package / "gremien.csv").unlink()
    (package / "gremien.csv").write_text("anders", encoding="utf-8")

    with place.open() as store, pytest.raises(Refused, match="gremien"):
        publish_folder(store, package, "2026.02.04")

    assert published_ids(place.store) == [FIRST, SECOND]
    assert place.store.target.folders("releases") == [FIRST, SECOND]
    assert is_sound(place)


# --- ids -----------------------------------------------------------------------------------------------------------


@on_any_target
def test_the_second_release_of_a_day_gets_a_number(place: Place) -> None:
    assert next_id(place.store, date(2026, 2, 2)) == f"{SECOND}.1"


def test_an_id_is_never_used_again(place: Place) -> None:
    with place.open() as store:
        reject(store, HELD, "verschwundene Zeilen", LATER)
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert next_id(place.store, date(2026, 2, 3)) == f"{HELD}.1"
    assert next_id(place.store, date(2026, 2, 1)) == f"{FIRST}.1"


@on_any_target
def test_the_id_of_a_held_release_is_taken(place: Place) -> None:
    assert next_id(place.store, date(2026, 2, 3)) == f"{HELD}.1"


@on_any_target
def test_the_id_of_a_pruned_release_is_taken(place: Place) -> None:
    with place.open() as store:
        prune(store, 1, date(2026, 3, 1))

    assert next_id(place.store, date(2026, 2, 1)) == f"{FIRST}.1"


# --- held releases -------------------------------------------------------------------------------------------------


@on_any_target
def test_a_release_that_lost_its_committees_is_held_with_a_report(place: Place) -> None:
    folder = place.store.held / HELD
    report = (folder / HELD_REPORT).read_text(encoding="utf-8")

    assert differences(folder / HELD_RELEASE) == {}
    assert "gremien: 5 von 7 Zeilen fehlen (71,4 %, erlaubt 5 %)." in report
    assert f"praevkarte approve {HELD}" in report
    assert f"Verglichen mit Ausgabe {SECOND}" in report
    assert place.store.target.pointer() == SECOND
    assert HELD not in place.store.target.folders("releases")


@on_any_target
def test_the_next_night_does_not_pile_up_a_second_one(place: Place) -> None:
    assert place.night(HELD) == "held"
    assert held_ids(place.store) == [HELD]


@pytest.mark.slow
@on_both_at_once
def test_approval_publishes_with_reason_and_approver(place: Place) -> None:
    with place.open() as store:
        assert approve(store, HELD, "Der Rat hat sich aufgelöst", "Fachstelle", LATER)

    store = place.store
    record = provenance_of(store, HELD)
    assert record["freigabe"] == {"grund": "Der Rat hat sich aufgelöst", "durch": "Fachstelle", "am": "2026-02-10"}
    assert store.target.pointer() == HELD
    assert latest_verifies(store)
    assert is_sound(place)
    assert held_ids(store) == []
    assert place.night(HELD) == "unchanged"


def test_approving_twice_does_nothing_the_second_time(place: Place) -> None:
    with place.open() as store:
        approve(store, HELD, "geprüft", "Fachstelle", LATER)
        before = provenance_of(store, HELD)
        assert not approve(store, HELD, "noch einmal", "Andere", LATER)
        assert provenance_of(store, HELD) == before


@on_any_target
def test_a_held_release_that_was_tampered_with_is_not_approved(place: Place) -> None:
    (place.store.held / HELD / HELD_RELEASE / "gremien.csv").unlink()

    with place.open() as store, pytest.raises(Refused, match=r"gremien\.csv: die Datei fehlt"):
        approve(store, HELD, "geprüft", "Fachstelle", LATER)

    assert place.store.target.pointer() == SECOND


@on_any_target
def test_approval_needs_a_reason_and_a_held_release(place: Place) -> None:
    with place.open() as store:
        with pytest.raises(WrongUsage, match="--reason"):
            approve(store, HELD, "  ", "Fachstelle", LATER)
        with pytest.raises(WrongUsage, match="wartet nicht auf Freigabe"):
            approve(store, "2026.02.09", "geprüft", "Fachstelle", LATER)


@on_any_target
def test_what_was_compared_with_another_release_is_not_approved(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)
        with pytest.raises(WrongUsage) as error:
            approve(store, HELD, "geprüft", "Fachstelle", LATER)

    assert f"mit Ausgabe {SECOND} verglichen, aktuell ist jetzt {FIRST}" in message(error)
    # It is not stuck: the next run compares it anew instead of waiting for a word that cannot be given.
    assert place.night(HELD) == "builds"


@on_any_target
def test_a_rejected_release_is_gone_and_its_inputs_are_not_proposed_again(place: Place) -> None:
    only_there = kept_digests(place.store) - sources_of(place.store, FIRST) - sources_of(place.store, SECOND)
    assert only_there

    with place.open() as store:
        assert reject(store, HELD, "verschwundene Zeilen", LATER)
        assert not reject(store, HELD, "verschwundene Zeilen", LATER)

    assert held_ids(place.store) == []
    assert not kept_digests(place.store) & only_there
    assert place.night(HELD) == "blocked"
    assert place.night(HELD, anyway=True) == "builds"


@on_any_target
def test_the_run_over_rejected_inputs_says_so(place: Place) -> None:
    with place.open() as store:
        reject(store, HELD, "verschwundene Zeilen", LATER)

    outcome = place.run(HELD, LATER)

    assert outcome.text == (
        f"Diese Eingaben sind gesperrt, seit 10.02.2026 (Ausgabe {HELD}, Grund: verschwundene Zeilen). "
        "Mit `praevkarte release --anyway` werden sie trotzdem veröffentlicht."
    )


@on_any_target
def test_rejecting_what_does_not_wait_is_told(place: Place) -> None:
    with place.open() as store, pytest.raises(WrongUsage, match=f"Es warten: {HELD}"):
        reject(store, SECOND, "falsch", LATER)


@pytest.mark.slow
@on_any_target
def test_thresholds_and_another_download_do_not_free_rejected_inputs(
    place: Place, make_geodata: Callable[..., Path]
) -> None:
    geodata = make_geodata(bad_inputs())
    sidecar = geodata / "kleinland" / "register.csv.source.json"
    sidecar.write_text(sidecar.read_text(encoding="utf-8").replace("2026-01-15", "2026-02-05"), encoding="utf-8")
    settings = geodata / "kleinland" / "profile.toml"
    laxer = settings.read_text(encoding="utf-8").replace("rows_lost = 0.05", "rows_lost = 1")
    limits = "[warn_after_days]\nregister = 5000\n[hold_after_days]\nregister = 9000\n"
    settings.write_text(f"{laxer}\n{limits}", encoding="utf-8")

    with place.open() as store:
        reject(store, HELD, "verschwundene Zeilen", LATER)

    assert place.night(geodata) == "blocked"


@on_any_target
@pytest.mark.slow
def test_a_held_release_is_compared_anew_when_the_latest_is_another(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)

    outcome = place.run(HELD, LATER)

    assert (outcome.result, outcome.release_id) == ("held", "2026.02.10")
    assert held_ids(place.store) == ["2026.02.10"]
    with place.open() as store:
        assert approve(store, "2026.02.10", "geprüft", "Fachstelle", LATER)
    assert latest_verifies(place.store)


# --- rollback ------------------------------------------------------------------------------------------------------


@on_both_at_once
def test_rollback_moves_latest_to_a_release_that_verifies(place: Place) -> None:
    with place.open() as store:
        assert rollback(store, FIRST, "falsche Angabe", LATER)
        assert not rollback(store, FIRST, "falsche Angabe", LATER)

    assert place.store.target.pointer() == FIRST
    assert json.loads(place.store.target.read("latest.json") or b"")["ausgabe"] == FIRST
    assert latest_verifies(place.store)
    assert is_sound(place)


@pytest.mark.slow
def test_the_night_after_a_rollback_does_not_move_forward_to_the_same_inputs(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)

    assert place.night(SECOND) == "blocked"
    assert place.night(FIRST) == "unchanged"


@on_any_target
def test_the_night_after_a_rollback_publishes_new_inputs(place: Place, make_geodata: Callable[..., Path]) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)

    assert place.night(make_geodata(mended_inputs())) == "builds"


@pytest.mark.slow
@on_any_target
def test_who_rolls_forward_again_wants_these_inputs_after_all(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)
        rollback(store, SECOND, "Irrtum", LATER)

    notes = {note["ausgabe"]: note.get("aufgehoben_durch") for note in read_index(place.store)["sperren"]}
    assert notes == {SECOND: SECOND, FIRST: None}
    assert place.night(SECOND) == "unchanged"


def test_rollback_to_a_damaged_release_changes_nothing(place: Place) -> None:
    damage(place, FIRST, "gremien.csv", b"anders")

    with place.open() as store, pytest.raises(Refused) as error:
        rollback(store, FIRST, "falsche Angabe", LATER)

    assert "gremien.csv: der Inhalt stimmt nicht mit der Prüfsumme überein" in message(error)
    assert error.value.consequence == "es wurde nichts geändert"
    assert place.store.target.pointer() == SECOND
    assert read_index(place.store)["sperren"] == []


@pytest.mark.slow
def test_rollback_away_from_a_damaged_release_works(place: Place) -> None:
    damage(place, SECOND, "provenance.json", None)

    with place.open() as store:
        assert rollback(store, FIRST, "die Dateien sind beschädigt", LATER)

    assert latest_verifies(place.store)
    # Its files were at fault, not what it was made from: the next night makes the same inputs a new release.
    assert read_index(place.store)["sperren"] == []
    outcome = place.run(SECOND, LATER)
    assert (outcome.result, outcome.release_id) == ("published", "2026.02.10")


@on_any_target
def test_only_from_the_release_that_is_current_a_rollback_is_advised(place: Place) -> None:
    for release_id, advised in ((FIRST, False), (SECOND, True)):
        damage(place, release_id, "gremien.csv", b"anders")
        (finding,) = faults(place.store, release_id)
        assert ("praevkarte rollback" in finding.remedy) == advised
        assert ("aus der Sicherung wiederherstellen; aktuell ist sie nicht" in finding.remedy) != advised


@on_any_target
@pytest.mark.parametrize("wanted", ["2025.01.01", HELD, "unsinn"])
def test_rollback_needs_a_published_release(place: Place, wanted: str) -> None:
    with place.open() as store, pytest.raises(WrongUsage, match=wanted):
        rollback(store, wanted, "falsche Angabe", LATER)


# --- withdrawal ----------------------------------------------------------------------------------------------------


def holds(place: Place, text: str) -> list[str]:
    return sorted(name for name, content in place.files().items() if text.encode() in content)


def test_the_secret_is_where_it_would_be_found(place: Place) -> None:
    """The counterexample of the next test: without a withdrawal the value lies in many files."""
    names = " ".join(holds(place, SECRET))

    assert f"releases/{FIRST}/gremien_belege.csv" in names
    assert f"releases/{SECOND}/changes.csv" in names
    assert "inputs/sha256/" in names


@pytest.mark.slow
@on_both_at_once
def test_withdrawn_data_are_gone_everywhere(place: Place) -> None:
    with place.open() as store:
        related = withdraw(store, FIRST, "Name einer Person", LATER)

    assert holds(place, SECRET) == []
    assert related == [SECOND, HELD]
    assert is_sound(place)


@on_both_at_once
def test_a_tombstone_stands_at_the_address(place: Place) -> None:
    with place.open() as store:
        withdraw(store, FIRST, "Name einer <Person>", LATER)

    store = place.store
    assert list(store.target.sizes(f"releases/{FIRST}")) == ["SHA256SUMS", "index.html", "withdrawn.json"]
    assert tombstone_faults(store, FIRST) == []
    record = json.loads(store.target.read(f"releases/{FIRST}/withdrawn.json") or b"")
    assert record == {
        "ausgabe": FIRST,
        "titel": "Präventionskarte Kleinland",
        "status": "zurueckgezogen",
        "am": "2026-02-10",
        "grund": "Name einer <Person>",
    }
    page = (store.target.read(f"releases/{FIRST}/index.html") or b"").decode()
    assert "wurde am 10.02.2026 zurückgezogen" in page
    assert "Name einer &lt;Person&gt;" in page


@on_any_target
def test_the_index_knows_of_the_withdrawal(place: Place) -> None:
    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)

    entry = next(entry for entry in read_index(place.store)["ausgaben"] if entry["ausgabe"] == FIRST)
    assert (entry["status"], entry["grund"], entry["zurueckgezogen_am"]) == (
        "zurueckgezogen",
        "Name einer Person",
        "2026-02-10",
    )
    with pytest.raises(WrongUsage, match=r"wurde am 10\.02\.2026 zurückgezogen. Grund: Name einer Person"):
        existing_id(place.store, FIRST)


def test_the_comparison_of_the_next_release_is_emptied_and_it_still_verifies(place: Place) -> None:
    others = {name: digest for name, digest in manifest(place, SECOND).items() if "change" not in name.lower()}

    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)

    target = place.store.target
    assert (target.read(f"releases/{SECOND}/changes.csv") or b"").decode().splitlines() == [
        "datensatz,schluessel,art,spalte,alt,neu"
    ]
    text = (target.read(f"releases/{SECOND}/CHANGES.md") or b"").decode()
    assert f"Der Vergleich mit Ausgabe {FIRST} wurde entfernt, weil sie am 10.02.2026 zurückgezogen wurde." in text
    assert faults(place.store, SECOND) == []
    assert {name: digest for name, digest in manifest(place, SECOND).items() if name in others} == others


def manifest(place: Place, release_id: str) -> dict[str, str]:
    return read_manifest(place.store.target.local(f"releases/{release_id}", place.outputs.parent / "manifest"))


def test_the_comparison_of_a_held_release_is_emptied(place: Place) -> None:
    with place.open() as store:
        withdraw(store, SECOND, "Name einer Person", LATER)

    folder = place.store.held / HELD
    assert differences(folder / HELD_RELEASE) == {}
    assert len((folder / HELD_RELEASE / "changes.csv").read_text(encoding="utf-8").splitlines()) == 1
    report = (folder / HELD_REPORT).read_text(encoding="utf-8")
    assert "Präventionsrat Flur" not in report
    assert f"weil Ausgabe {SECOND}, mit der verglichen wurde, am 10.02.2026 zurückgezogen wurde" in report
    assert place.night(HELD) == "builds"


@pytest.mark.slow
@on_both_at_once
def test_latest_moves_to_a_release_that_verifies(place: Place) -> None:
    with place.open() as store:
        withdraw(store, SECOND, "Name einer Person", LATER)

    assert place.store.target.pointer() == FIRST
    assert latest_verifies(place.store)
    assert is_sound(place)
    assert place.night(SECOND) == "blocked"


def test_latest_moves_to_nothing_when_no_release_verifies(place: Place) -> None:
    damage(place, FIRST, "gremien.csv", b"anders")

    with place.open() as store:
        withdraw(store, SECOND, "Name einer Person", LATER)

    assert place.store.target.pointer() is None
    assert place.store.target.read("latest.json") is None
    assert index_faults(place.store) == []


def test_latest_does_not_move_to_what_was_rolled_back(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert place.store.target.pointer() is None
    assert status_of(place.store, SECOND) == "veroeffentlicht"


def test_withdrawing_the_only_release_leaves_none(place_after: Callable[[str | None], Place]) -> None:
    place = place_after(FIRST)

    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert place.store.target.pointer() is None
    assert kept_digests(place.store) == set()
    assert place.night(SECOND) == "builds"


def test_withdrawing_twice_is_told_and_changes_nothing(place: Place) -> None:
    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)
    before = place.files()

    with place.open() as store:
        assert withdraw(store, FIRST, "noch einmal", LATER) is None

    after = place.files()
    assert {name: after[name] for name in before if not name.endswith(".lock")} == {
        name: content for name, content in before.items() if not name.endswith(".lock")
    }


@on_any_target
def test_inputs_that_others_use_stay(place: Place) -> None:
    shared = sources_of(place.store, FIRST) & sources_of(place.store, SECOND)
    own = sources_of(place.store, FIRST) - sources_of(place.store, SECOND)

    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert shared <= kept_digests(place.store)
    assert own
    assert not own & kept_digests(place.store)


def test_a_damaged_release_can_be_withdrawn(place: Place) -> None:
    damage(place, SECOND, "provenance.json", None)
    damage(place, SECOND, "SHA256SUMS", b"\xff")

    with place.open() as store:
        withdraw(store, SECOND, "beschädigt und falsch", LATER)

    assert place.store.target.pointer() == FIRST
    assert tombstone_faults(place.store, SECOND) == []


def test_emptying_a_comparison_does_not_sign_off_damage_elsewhere(place: Place) -> None:
    damage(place, SECOND, "gremien.csv", b"anders")

    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert [finding.source for finding in faults(place.store, SECOND)] == [f"{SECOND}/gremien.csv"]
    assert place.store.target.pointer() is None


def test_a_pruned_release_can_be_withdrawn_with_the_comparisons_that_repeat_it(place: Place) -> None:
    with place.open() as store:
        prune(store, 1, date(2026, 2, 3))
        assert holds(place, SECRET) != []
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert holds(place, SECRET) == []
    assert tombstone_faults(place.store, FIRST) == []
    assert is_sound(place)


@on_any_target
def test_held_releases_are_rejected_not_withdrawn(place: Place) -> None:
    with place.open() as store, pytest.raises(WrongUsage, match="`praevkarte reject`"):
        withdraw(store, HELD, "Name einer Person", LATER)


# --- pruning -------------------------------------------------------------------------------------------------------


@on_both_at_once
def test_prune_removes_what_is_old_and_says_what(place: Place) -> None:
    own = sources_of(place.store, FIRST) - sources_of(place.store, SECOND)

    with place.open() as store:
        removed, inputs = prune(store, 1, date(2026, 2, 3))

    assert removed == [FIRST]
    assert set(inputs) == own
    assert status_of(place.store, FIRST) == "entfernt"
    assert place.store.target.folders("releases") == [SECOND]
    assert kept_digests(place.store) >= sources_of(place.store, SECOND)
    assert is_sound(place)
    with pytest.raises(WrongUsage, match="`praevkarte prune` entfernt"):
        existing_id(place.store, FIRST)


def test_prune_keeps_the_latest_and_the_held_however_old(place: Place) -> None:
    with place.open() as store:
        removed, _ = prune(store, 1, date(2030, 1, 1))

    assert removed == [FIRST]
    assert place.store.target.pointer() == SECOND
    assert latest_verifies(place.store)
    assert held_ids(place.store) == [HELD]
    with place.open() as store:
        assert approve(store, HELD, "geprüft", "Fachstelle", LATER)


@on_any_target
def test_prune_keeps_what_is_younger(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)
        removed, _ = prune(store, 8, date(2026, 2, 10))

    assert removed == []
    assert published_ids(place.store) == [FIRST, SECOND]


@on_any_target
def test_prune_removes_inputs_that_a_killed_run_left(place: Place) -> None:
    orphan = place.store.inputs / "ab" / ("ab" * 32)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_text("übrig", encoding="utf-8")

    with place.open() as store:
        removed, inputs = prune(store, 30, date(2026, 2, 3))

    assert (removed, inputs) == ([], ["ab" * 32])


# --- a life --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_release_after_a_rollback_is_compared_with_what_readers_saw(
    place: Place, make_geodata: Callable[..., Path]
) -> None:
    with place.open() as store:
        reject(store, HELD, "verschwundene Zeilen", LATER)
        rollback(store, FIRST, "falsche Angabe", LATER)

    outcome = place.run(make_geodata(mended_inputs()), LATER)

    assert outcome.result == "published"
    assert provenance_of(place.store, "2026.02.10")["vorherige"] == FIRST
    assert latest_verifies(place.store)
    assert is_sound(place)


@on_any_target
@pytest.mark.slow
def test_blocked_inputs_published_anyway_stay_wanted(place: Place) -> None:
    with place.open() as store:
        rollback(store, FIRST, "falsche Angabe", LATER)

    assert place.run(SECOND, LATER, anyway=True).result == "published"

    assert place.night(SECOND) == "unchanged"
    assert not [note for note in read_index(place.store)["sperren"] if "aufgehoben_durch" not in note]


def test_the_workspace_of_an_object_store_holds_no_release(place: Place, kind: str) -> None:
    if kind == "objektspeicher":
        assert not (place.outputs / "releases").exists()
        assert not (place.outputs / "latest").exists()
    assert (place.outputs / "held" / HELD).is_dir()
