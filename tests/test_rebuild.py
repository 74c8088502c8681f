"""An old release built again from its kept inputs: the same bytes, or plain words why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from operating import FIRST, HELD, LATER, NIGHTS, SECOND, Place, lean, message

from flows import rebuild as rebuilding
from flows.archive import kept_input
from flows.checksums import renew_manifest
from flows.operations import approve, prune
from flows.rebuild import NotRebuildable, rebuild, rebuild_faults
from flows.store import faults, provenance_of
from flows.withdrawal import withdraw

pytest_plugins = ["places"]

in_a_folder = pytest.mark.parametrize("kind", ["ordner"], indirect=True)


@pytest.fixture(autouse=True)
def lean_rebuilds() -> Iterator[None]:
    with lean():
        yield


def difference(place: Place, release_id: str) -> list[str]:
    return [str(one) for one in rebuild_faults(place.store, release_id)]


@pytest.mark.slow
@in_a_folder
def test_a_release_is_rebuilt_byte_by_byte(place: Place) -> None:
    assert difference(place, FIRST) == []


@pytest.mark.slow
def test_a_compared_release_is_rebuilt_byte_by_byte_on_any_target(place: Place) -> None:
    assert difference(place, SECOND) == []
    assert not place.store.work.exists()


@pytest.mark.slow
@in_a_folder
def test_an_approved_release_is_rebuilt_byte_by_byte(place: Place) -> None:
    with place.open() as store:
        approve(store, HELD, "geprüft", "Fachstelle", LATER)

    assert difference(place, HELD) == []


@pytest.mark.slow
@in_a_folder
def test_a_forged_file_is_found_though_its_manifest_was_renewed(place: Place) -> None:
    folder = place.store.target.local(f"releases/{FIRST}", place.outputs)
    for name in ("gremien.csv", "SHA256SUMS"):
        (folder / name).chmod(0o644)
    text = (folder / "gremien.csv").read_text(encoding="utf-8")
    (folder / "gremien.csv").write_text(text.replace("Aldorf", "Bldorf"), encoding="utf-8")
    renew_manifest(folder, ["gremien.csv"])
    assert faults(place.store, FIRST) == []

    assert difference(place, FIRST) == [
        f"{FIRST}/gremien.csv: der neue Bau ergibt andere Bytes. Bitte provenance.json und die Fassungen der Werkzeuge "
        "vergleichen."
    ]


@pytest.mark.slow
@in_a_folder
def test_files_that_came_or_went_are_found(place: Place) -> None:
    folder = place.store.target.local(f"releases/{FIRST}", place.outputs)
    manifest = folder / "SHA256SUMS"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    manifest.chmod(0o644)
    kept = [line for line in lines if not line.endswith("  land.csv")]
    manifest.write_text("\n".join([*kept, f"{'0' * 64}  zusatz.csv"]) + "\n", encoding="utf-8")

    found = difference(place, FIRST)

    assert [one.split(" Bitte")[0] for one in found] == [
        f"{FIRST}/land.csv: diese Datei des neuen Baus fehlt der Ausgabe.",
        f"{FIRST}/zusatz.csv: der neue Bau ergibt diese Datei nicht.",
    ]


@in_a_folder
def test_another_state_of_the_program_is_told(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rebuilding, "code_fingerprint", lambda: "0" * 64)
    with pytest.raises(NotRebuildable) as error:
        rebuild(place.store, FIRST, tmp_path)
    assert f"{FIRST} wurde mit einem anderen Stand des Programms gebaut" in message(error)


@in_a_folder
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "ist nicht mehr aufbewahrt"),
        (
            lambda path: path.write_text("anders", encoding="utf-8"),
            "die aufbewahrte Eingabe register.csv ist beschädigt",
        ),
    ],
    ids=["missing", "damaged"],
)
def test_an_input_that_is_not_as_it_was_is_told(
    place: Place, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    source = next(one for one in provenance_of(place.store, FIRST)["quellen"] if one["datensatz"] == "register")
    kept = kept_input(place.store, source["sha256"])
    assert kept
    spoil(kept)

    with pytest.raises(NotRebuildable) as error:
        rebuild(place.store, FIRST, tmp_path)

    assert words in message(error)


@in_a_folder
def test_without_the_release_it_was_compared_with_it_cannot_be_rebuilt(place: Place, tmp_path: Path) -> None:
    with place.open() as store:
        prune(store, 1, NIGHTS[HELD])
    with pytest.raises(NotRebuildable, match=f"wurde mit {FIRST} verglichen, deren Daten nicht mehr da sind"):
        rebuild(place.store, SECOND, tmp_path)


@in_a_folder
def test_a_release_whose_comparison_was_emptied_cannot_be_rebuilt_but_verifies(place: Place, tmp_path: Path) -> None:
    with place.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)
    with pytest.raises(NotRebuildable):
        rebuild(place.store, SECOND, tmp_path)
    assert faults(place.store, SECOND) == []
