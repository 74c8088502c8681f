"""Signatures of the manifest, against minisign itself: what it signs we accept, and the other way round."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from operating import FIRST, HELD, LATER, SECOND, Place, message

from flows.checksums import MANIFEST, SIGNATURE, write_manifest
from flows.errors import WrongUsage
from flows.operations import approve, rollback
from flows.signature import KEY_VARIABLE, read_secret_key, sign_manifest, signature_fault, signing_key
from flows.store import faults
from flows.verify import release_faults
from flows.withdrawal import withdraw

pytest_plugins = ["places"]

MINISIGN = shutil.which("minisign")
with_minisign = pytest.mark.skipif(MINISIGN is None, reason="minisign is not installed")


def run_minisign(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(MINISIGN), *map(str, arguments)], check=False, capture_output=True, text=True)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A secret key's file and its public key."""
    if MINISIGN is None:
        pytest.skip("minisign is not installed")
    folder = tmp_path_factory.mktemp("schluessel")
    made = run_minisign("-G", "-W", "-p", folder / "minisign.pub", "-s", folder / "minisign.key")
    assert made.returncode == 0, made.stderr
    return folder / "minisign.key", (folder / "minisign.pub").read_text(encoding="utf-8").splitlines()[1]


@pytest.fixture
def signing(keys: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The operator has given the key; returns the public one."""
    monkeypatch.setenv(KEY_VARIABLE, str(keys[0]))
    return keys[1]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "ausgabe"
    folder.mkdir()
    (folder / "gremien.csv").write_text("gremium_id\r\n", encoding="utf-8")
    write_manifest(folder)
    return folder


def fault_of(package: Path, release_id: str, public: str) -> str | None:
    found = signature_fault((package / MANIFEST).read_bytes(), (package / SIGNATURE).read_bytes(), release_id, public)
    return str(found) if found else None


# --- minisign ------------------------------------------------------------------------------------------------------


def test_minisign_accepts_our_signature(package: Path, signing: str) -> None:
    sign_manifest(package, FIRST, signing)

    checked = run_minisign("-V", "-m", package / MANIFEST, "-P", signing)

    assert checked.returncode == 0, checked.stderr
    assert "Signature and comment signature verified" in checked.stdout
    assert f"Trusted comment: {FIRST}" in checked.stdout


def test_we_accept_minisigns_signature(package: Path, keys: tuple[Path, str]) -> None:
    signed = run_minisign("-S", "-s", keys[0], "-m", package / MANIFEST, "-t", FIRST)
    assert signed.returncode == 0, signed.stderr

    assert fault_of(package, FIRST, keys[1]) is None


def test_minisign_refuses_what_was_changed_after_signing(package: Path, signing: str) -> None:
    sign_manifest(package, FIRST, signing)
    (package / MANIFEST).write_text("anders\n", encoding="utf-8")

    assert run_minisign("-V", "-m", package / MANIFEST, "-P", signing).returncode != 0
    assert "passt nicht zu den Prüfsummen" in (fault_of(package, FIRST, signing) or "")


def test_a_signature_is_the_same_whenever_it_is_made(package: Path, signing: str) -> None:
    sign_manifest(package, FIRST, signing)
    first = (package / SIGNATURE).read_bytes()
    sign_manifest(package, FIRST, signing)
    assert (package / SIGNATURE).read_bytes() == first


# --- faults --------------------------------------------------------------------------------------------------------


def test_a_signature_for_another_release_is_a_fault(package: Path, signing: str) -> None:
    """Who lays an old release, rightly signed, at a new address deceives."""
    sign_manifest(package, FIRST, signing)
    assert fault_of(package, SECOND, signing) is not None


def test_a_signature_of_another_key_is_a_fault(package: Path, signing: str, tmp_path: Path) -> None:
    sign_manifest(package, FIRST, signing)
    run_minisign("-G", "-W", "-p", tmp_path / "anders.pub", "-s", tmp_path / "anders.key")
    other = (tmp_path / "anders.pub").read_text(encoding="utf-8").splitlines()[1]
    assert fault_of(package, FIRST, other) is not None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a\nb\nc\nd\n", b"a\n!!!\nc\nd\n"])
def test_what_is_no_signature_is_a_fault(package: Path, signing: str, content: bytes) -> None:
    sign_manifest(package, FIRST, signing)
    (package / SIGNATURE).write_bytes(content)
    assert fault_of(package, FIRST, signing) is not None


# --- keys ----------------------------------------------------------------------------------------------------------


def test_without_keys_nothing_is_signed(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    sign_manifest(package, FIRST, "")
    assert not (package / SIGNATURE).exists()


def test_a_profile_with_a_public_key_needs_the_secret_one(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[Path, str]
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(WrongUsage, match=KEY_VARIABLE):
        signing_key(keys[1])


def test_keys_that_do_not_belong_together_are_told(signing: str, tmp_path: Path) -> None:  # noqa: ARG001
    run_minisign("-G", "-W", "-p", tmp_path / "anders.pub", "-s", tmp_path / "anders.key")
    other = (tmp_path / "anders.pub").read_text(encoding="utf-8").splitlines()[1]
    with pytest.raises(WrongUsage, match="gehört nicht zu „signature_key“"):
        signing_key(other)


@pytest.mark.parametrize("content", ["", "untrusted comment: x\n", "untrusted comment: x\n!!!\n", "x\nUldRAA==\n"])
def test_what_is_no_secret_key_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "schluessel"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(WrongUsage, match="schluessel"):
        read_secret_key(file)


def test_a_missing_secret_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="kein lesbarer minisign-Schlüssel"):
        read_secret_key(tmp_path / "fehlt")


def test_a_key_with_a_password_is_told(tmp_path: Path) -> None:
    """Its third and fourth byte name the key derivation: Sc is scrypt."""
    file = tmp_path / "schluessel"
    file.write_text("x\n" + base64.b64encode(b"EdScB2" + bytes(152)).decode() + "\n", encoding="ascii")
    with pytest.raises(WrongUsage, match="Kennwort"):
        read_secret_key(file)


@pytest.mark.slow
@with_minisign
def test_a_key_that_minisign_made_with_a_password_is_told(tmp_path: Path) -> None:
    made = subprocess.run(
        [str(MINISIGN), "-G", "-p", str(tmp_path / "p.pub"), "-s", str(tmp_path / "p.key")],
        check=False,
        input="geheim\ngeheim\n",
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip("this minisign asks for a password on a terminal only")
    with pytest.raises(WrongUsage, match="Kennwort"):
        read_secret_key(tmp_path / "p.key")


def test_what_is_no_public_key_is_told(package: Path, signing: str) -> None:
    sign_manifest(package, FIRST, signing)
    with pytest.raises(WrongUsage, match=r"minisign\.pub"):
        fault_of(package, FIRST, "unsinn")


# --- releases ------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed(place_after: Callable[[str | None], Place], signing: str) -> Place:
    """Two unsigned releases and a held one, and from now on a key in the profile."""
    place = place_after(HELD)
    return replace(place, profile=replace(place.profile, signature_key=signing))


@pytest.mark.slow
def test_what_is_published_is_signed_and_verifies(signed: Place, signing: str, tmp_path: Path) -> None:
    with signed.open() as store:
        approve(store, HELD, "geprüft", "Fachstelle", LATER)

    assert release_faults(signed.store, HELD) == []
    folder = signed.store.target.local(f"releases/{HELD}", tmp_path / "kopie")
    assert run_minisign("-V", "-m", folder / MANIFEST, "-P", signing).returncode == 0


def test_releases_from_before_the_key_can_be_rolled_back_to_but_are_told(signed: Place) -> None:
    assert [str(one) for one in release_faults(signed.store, FIRST)] == [
        f"{FIRST}/SHA256SUMS.minisig: die Ausgabe ist nicht signiert. Wenn sie aus der Zeit vor dem Schlüssel ist, ist "
        "das richtig so; sonst bitte die Herkunft prüfen."
    ]
    with signed.open() as store:
        assert rollback(store, FIRST, "falsche Angabe", LATER)


def test_a_signed_release_whose_comparison_is_emptied_is_signed_anew(signed: Place) -> None:
    with signed.open() as store:
        approve(store, HELD, "geprüft", "Fachstelle", LATER)
        before = store.target.read(f"releases/{HELD}/{SIGNATURE}")
        withdraw(store, SECOND, "Name einer Person", LATER)

    assert release_faults(signed.store, HELD) == []
    assert signed.store.target.read(f"releases/{HELD}/{SIGNATURE}") != before
    assert signed.store.target.pointer() == HELD


def test_emptying_a_comparison_signs_nothing_that_was_not_signed(signed: Place) -> None:
    with signed.open() as store:
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert signed.store.target.read(f"releases/{SECOND}/{SIGNATURE}") is None


def test_emptying_a_comparison_does_not_sign_what_others_put_there(signed: Place) -> None:
    """Data and manifest were exchanged together, but the signature gives them away, also afterwards."""
    with signed.open() as store:
        approve(store, HELD, "geprüft", "Fachstelle", LATER)
        table = (store.target.read(f"releases/{HELD}/land.csv") or b"").replace(b"Kleinland", b"Grossland")
        manifest = (store.target.read(f"releases/{HELD}/{MANIFEST}") or b"").decode()
        old = store.target.digests(f"releases/{HELD}")["land.csv"]
        store.target.write(f"releases/{HELD}/land.csv", table)
        manifest = manifest.replace(old, store.target.digests(f"releases/{HELD}")["land.csv"])
        store.target.write(f"releases/{HELD}/{MANIFEST}", manifest.encode())
        withdraw(store, SECOND, "Name einer Person", LATER)

    assert [one.check for one in faults(signed.store, HELD)] == ["signatur"]
    assert signed.store.target.pointer() == FIRST


def test_a_wrong_signature_keeps_latest_away(signed: Place) -> None:
    with signed.open() as store:
        approve(store, HELD, "geprüft", "Fachstelle", LATER)
        rollback(store, SECOND, "falsche Angabe", LATER)
        store.target.write(f"releases/{HELD}/{SIGNATURE}", b"a\nb\nc\nd\n")

    assert [one.check for one in faults(signed.store, HELD)] == ["signatur"]


def test_without_the_key_a_withdrawal_changes_nothing(signed: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)

    with signed.open() as store, pytest.raises(WrongUsage) as error:
        withdraw(store, FIRST, "Name einer Person", LATER)

    assert KEY_VARIABLE in message(error)
    assert faults(signed.store, FIRST) == []
