"""What a target promises: the same meaning in a folder and in an object store, one writer, nothing half."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from conftest import PROFILE
from operating import FIRST, HELD, SECOND, Place, latest_verifies, message

from flows import store as stores
from flows.errors import StoreBusy, StoreUnusable, WrongUsage
from flows.media_types import content_type
from flows.operations import rollback
from flows.profile import load_profile
from flows.store import Store, locked, published_ids
from flows.targets import local, open_target
from flows.targets.base import Target
from flows.targets.local import LocalTarget, exchange, settle_folder
from flows.targets.s3 import LEASE, LOCK, ObjectTarget, open_s3
from flows.withdrawal import withdraw

pytest_plugins = ["places"]

in_a_folder = pytest.mark.parametrize("kind", ["ordner"], indirect=True)
in_an_object_store = pytest.mark.parametrize(
    "kind", [pytest.param("objektspeicher", marks=pytest.mark.network)], indirect=True
)


@pytest.fixture(params=["ordner", pytest.param("objektspeicher", marks=pytest.mark.network)])
def target(outputs: Path, request: pytest.FixtureRequest) -> Target:
    """An empty target of each kind."""
    return open_target("" if request.param == "ordner" else request.getfixturevalue("object_store"), outputs)


@pytest.fixture
def remote(object_store: str) -> ObjectTarget:
    return ObjectTarget(object_store, open_s3(object_store))


def folder_with(tmp_path: Path, **files: str) -> Path:
    """A folder to install; ``__`` in a name stands for a folder."""
    folder = tmp_path / "neu"
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


# --- files and folders ---------------------------------------------------------------------------------------------


def test_a_file_is_read_as_it_was_written(target: Target) -> None:
    assert target.read("releases.json") is None
    target.write("releases.json", b"eins")
    target.write("releases.json", b"zwei")
    assert target.read("releases.json") == b"zwei"


def test_a_folder_is_installed_whole(target: Target, tmp_path: Path) -> None:
    target.install(folder_with(tmp_path, a="1", tief__b="22"), "releases/2026.02.01")

    assert target.folders("releases") == ["2026.02.01"]
    assert target.sizes("releases/2026.02.01") == {"a": 1, "tief/b": 2}
    assert list(target.digests("releases/2026.02.01")) == ["a", "tief/b"]
    copy = target.local("releases/2026.02.01", tmp_path / "kopie")
    assert (copy / "tief" / "b").read_text(encoding="utf-8") == "22"


def test_installing_again_leaves_nothing_of_what_was_there(target: Target, tmp_path: Path) -> None:
    target.install(folder_with(tmp_path, a="1", alt="weg"), "releases/2026.02.01")
    target.install(folder_with(tmp_path, a="2"), "releases/2026.02.01")

    assert target.sizes("releases/2026.02.01") == {"a": 1}
    assert target.read("releases/2026.02.01/a") == b"2"


def test_folders_of_one_beginning_are_told_apart(target: Target, tmp_path: Path) -> None:
    target.install(folder_with(tmp_path, a="1"), "releases/2026.02.01")
    target.install(folder_with(tmp_path, b="1"), "releases/2026.02.01.1")

    target.remove("releases/2026.02.01")

    assert target.folders("releases") == ["2026.02.01.1"]
    assert target.sizes("releases/2026.02.01") == {}
    target.remove("releases/2026.02.01")


def test_the_pointer_moves_and_goes(target: Target, tmp_path: Path) -> None:
    assert target.pointer() is None
    target.install(folder_with(tmp_path, a="1"), "releases/2026.02.01")
    target.point("2026.02.01", b'{"ausgabe": "2026.02.01"}')
    assert target.pointer() == "2026.02.01"
    assert json.loads(target.read("latest.json") or b"") == {"ausgabe": "2026.02.01"}
    target.point(None, b"")
    target.point(None, b"")
    assert target.pointer() is None
    assert target.read("latest.json") is None


def test_a_target_with_a_relative_folder_is_refused(outputs: Path) -> None:
    with pytest.raises(WrongUsage, match="voll"):
        open_target("oeffentlich", outputs)


@pytest.mark.slow
@in_a_folder
def test_a_folder_apart_from_the_workspace_takes_the_releases(
    place_after: Callable[[str | None], Place], tmp_path: Path
) -> None:
    place = place_after(None)
    apart = replace(place, profile=replace(place.profile, target=str(tmp_path / "www")))

    outcome = apart.run(FIRST, stores.release_day(FIRST))

    assert outcome.address == str(tmp_path / "www" / "releases" / FIRST)
    assert sorted(path.name for path in (tmp_path / "www").iterdir() if not path.name.startswith(".")) == [
        "latest",
        "latest.json",
        "releases",
        "releases.json",
    ]
    private = sorted(path.name for path in place.outputs.iterdir() if not path.name.startswith("."))
    assert private == ["inputs", "reports"]
    assert latest_verifies(apart.store)


# --- folders -------------------------------------------------------------------------------------------------------


# Not every file system can exchange names; Linux keeps this one in memory, and it can.
MEMORY = Path("/dev/shm")


@pytest.mark.skipif(not MEMORY.is_dir(), reason="no tmpfs on this machine")
def test_two_folders_change_places_in_one_step() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        one, other = Path(place, "eins"), Path(place, "zwei")
        for folder in (one, other):
            folder.mkdir()
            (folder / folder.name).touch()

        assert exchange(one, other)

        assert [path.name for path in one.iterdir()] == ["zwei"]
        assert [path.name for path in other.iterdir()] == ["eins"]


def test_a_system_that_cannot_exchange_replaces_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "exchange", lambda one, other: False)  # noqa: ARG005
    target = LocalTarget(tmp_path)
    target.install(folder_with(tmp_path, a="1"), "releases/2026.02.01")
    target.install(folder_with(tmp_path, b="2"), "releases/2026.02.01")

    assert target.sizes("releases/2026.02.01") == {"b": 1}
    assert [path.name for path in (tmp_path / "releases").iterdir()] == ["2026.02.01"]


def test_a_folder_that_made_room_comes_back_when_nothing_came(tmp_path: Path) -> None:
    (tmp_path / ".2026.02.01.old").mkdir()
    (tmp_path / ".2026.02.01.old" / "a").write_text("1", encoding="utf-8")
    (tmp_path / ".2026.02.01.new").mkdir()
    (tmp_path / ".2026.02.02.gone").mkdir()
    (tmp_path / ".latest.json.new").write_text("halb", encoding="utf-8")

    settle_folder(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["2026.02.01"]
    assert (tmp_path / "2026.02.01" / "a").read_text(encoding="utf-8") == "1"


def test_releases_can_be_read_by_the_web_server_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        target = LocalTarget(tmp_path / "www")
        target.install(folder_with(tmp_path, a="1", tief__b="2"), "releases/2026.02.01")
        target.write("latest.json", b"{}")
    finally:
        os.umask(before)

    release = tmp_path / "www" / "releases" / "2026.02.01"
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (release, *release.rglob("*"))}
    assert modes == {"2026.02.01": "0o755", "a": "0o444", "tief": "0o755", "b": "0o444"}
    assert oct((tmp_path / "www" / "latest.json").stat().st_mode & 0o777) == "0o644"


# --- one writer ----------------------------------------------------------------------------------------------------


def test_two_at_once_the_second_hears_who_holds_it(target: Target) -> None:
    with target.locked(), pytest.raises(StoreBusy) as error, target.locked():
        pass
    assert f"Prozess {os.getpid()}" in message(error)
    with target.locked():
        pass


@pytest.mark.slow
def test_a_command_holds_workspace_and_target(place: Place) -> None:
    with place.open(), pytest.raises(StoreBusy), place.open():
        pass


def test_the_lock_of_a_folder_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from flows.targets.local import LocalTarget\n"
        "with LocalTarget(Path(sys.argv[1])).locked():\n    print('hält', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "hält\n"
        with pytest.raises(StoreBusy, match=f"Prozess {holder.pid}"), LocalTarget(tmp_path).locked():
            pass
        holder.kill()
        holder.wait()
    with LocalTarget(tmp_path).locked():
        pass


def put_lock(remote: ObjectTarget, process: int, host: str, until: datetime) -> None:
    holder = {"process": process, "host": host, "until": until.isoformat(), "tag": "x"}
    obstore.put(remote.store, LOCK, json.dumps(holder).encode())


def dead_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.mark.network
def test_the_lock_of_a_dead_process_is_taken_over(remote: ObjectTarget) -> None:
    put_lock(remote, dead_process(), socket.gethostname(), datetime.now(UTC) + LEASE)
    with remote.locked():
        pass


@pytest.mark.network
def test_the_lock_of_another_machine_is_respected_until_its_time_is_over(remote: ObjectTarget) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)
    put_lock(remote, 1, "anderer-rechner", until)
    with pytest.raises(StoreBusy) as error, remote.locked():
        pass
    assert f"Prozess 1 auf anderer-rechner, längstens bis {until:%d.%m.%Y %H:%M} UTC" in message(error)

    put_lock(remote, 1, "anderer-rechner", datetime.now(UTC) - timedelta(seconds=1))
    with remote.locked():
        pass


@pytest.mark.network
def test_of_two_who_meet_a_dead_holder_one_gets_the_lock(remote: ObjectTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read the dead holder's lock; the faster one has taken it when the slower one writes."""
    put_lock(remote, dead_process(), socket.gethostname(), datetime.now(UTC) + LEASE)
    faster = ObjectTarget(remote.url, open_s3(remote.url))
    read = obstore.get
    held = faster.locked()

    def read_and_be_overtaken(store: object, key: str) -> object:
        found = read(store, key)  # type: ignore[arg-type]
        monkeypatch.setattr(obstore, "get", read)
        held.__enter__()
        return found

    monkeypatch.setattr(obstore, "get", read_and_be_overtaken)
    with pytest.raises(StoreBusy, match="ein anderer Lauf war schneller"), remote.locked():
        pass
    held.__exit__(None, None, None)


@pytest.mark.network
def test_who_lost_the_lock_writes_nothing_more(remote: ObjectTarget, tmp_path: Path) -> None:
    """A run that was thought dead wakes up after another one took over."""
    with remote.locked():
        remote.lease.written -= LEASE
        put_lock(remote, 1, "anderer-rechner", datetime.now(UTC) + LEASE)
        with pytest.raises(StoreBusy, match="ein anderer hat übernommen"):
            remote.write("releases.json", b"{}")
        with pytest.raises(StoreBusy):
            remote.install(folder_with(tmp_path, a="1"), "releases/2026.02.01")
        with pytest.raises(StoreBusy):
            remote.point("2026.02.01", b"{}")
    assert remote.read("releases.json") is None
    assert json.loads(remote.read(LOCK) or b"")["host"] == "anderer-rechner"


@pytest.mark.network
def test_a_long_run_keeps_its_lock_by_writing(remote: ObjectTarget) -> None:
    with remote.locked():
        before = remote.read(LOCK)
        remote.lease.written -= LEASE
        remote.write("releases.json", b"{}")
        assert remote.read(LOCK) != before
    assert remote.read(LOCK) == b"{}"


# --- the object store ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("gemeinden.csv", "text/csv; charset=utf-8"),
        ("gemeinden.geojson", "application/geo+json"),
        ("datapackage.json", "application/json"),
        ("CHANGES.md", "text/markdown; charset=utf-8"),
        ("catalog.ttl", "text/turtle; charset=utf-8"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
        ("SHA256SUMS.minisig", "application/octet-stream"),
    ],
)
def test_browsers_get_files_under_their_media_type(name: str, kind: str) -> None:
    assert content_type(name) == kind


@pytest.mark.network
def test_objects_carry_their_media_type_and_pointers_are_not_cached(remote: ObjectTarget, tmp_path: Path) -> None:
    remote.install(folder_with(tmp_path, **{"index.html": "x"}), "releases/2026.02.01")
    remote.point("2026.02.01", b"{}")

    page = obstore.get(remote.store, "releases/2026.02.01/index.html").attributes
    pointer = obstore.get(remote.store, "latest.json").attributes
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert pointer["Cache-Control"] == "no-cache"


@pytest.mark.network
def test_a_bucket_that_is_not_there_is_told(object_store: str) -> None:  # noqa: ARG001 - sets the variables
    target = ObjectTarget("s3://gibtesnicht/x", open_s3("s3://gibtesnicht/x"))
    with pytest.raises(StoreUnusable) as error, target.locked():
        pass
    assert "s3://gibtesnicht/x: der Objektspeicher antwortet nicht wie erwartet" in message(error)
    assert "AWS_" in message(error)


@pytest.mark.network
@pytest.mark.slow
def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, object_store: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    target = ObjectTarget(object_store, open_s3(object_store))
    with pytest.raises(StoreUnusable, match="Objektspeicher"):
        target.read("releases.json")


@in_an_object_store
def test_a_file_that_is_lost_on_the_way_is_not_published(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    shutil.copytree(place.store.target.local(f"releases/{SECOND}", tmp_path / "kopie"), package)
    put = obstore.put

    def lossy(store: object, key: str, file: object, **options: object) -> object:
        damaged = b"" if key.endswith("gremien.csv") else file
        return put(store, key, damaged, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(obstore, "put", lossy)
    with place.open() as store, pytest.raises(stores.Refused, match=r"gremien\.csv"):
        stores.publish_folder(store, package, "2026.02.04")
    monkeypatch.setattr(obstore, "put", put)

    assert published_ids(place.store) == [FIRST, SECOND]
    assert place.store.target.folders("releases") == [FIRST, SECOND]
    assert latest_verifies(place.store)


# --- full disk, no right to write ----------------------------------------------------------------------------------


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    disk = tmp_path / "platte"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m,nr_inodes=0", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def filled(disk: Path, room: int = 0) -> None:
    """Leave ``room`` bytes free on a disk."""
    with (disk / "fuellung").open("wb", buffering=0) as stream:
        with pytest.raises(OSError, match="No space left"):
            while True:
                stream.write(b"0" * 4096)
        stream.truncate(stream.tell() - room)


@pytest.fixture
def place_after_nothing(nights: dict[str, Path], outputs: Path) -> Place:
    return Place(load_profile(nights[FIRST], PROFILE), outputs, nights)


@pytest.fixture
def place_on_disk(history: dict[str, Path], nights: dict[str, Path], full_disk: Path) -> Place:
    shutil.copytree(history[HELD], full_disk / "outputs", symlinks=True)
    return Place(load_profile(nights[FIRST], PROFILE), full_disk / "outputs", nights)


@pytest.mark.parametrize("room", [0, 20_000, pytest.param(100_000, marks=pytest.mark.slow), 700_000, 1_500_000])
def test_a_full_disk_is_told_and_nothing_is_lost(place_on_disk: Place, full_disk: Path, room: int) -> None:
    """The less room there is, the earlier the run stops: at the lock, the inputs, the database, the files."""
    filled(full_disk, room)

    with pytest.raises(StoreUnusable) as error:
        place_on_disk.run(FIRST, stores.release_day(HELD), anyway=True)

    assert "kein Platz mehr" in message(error) or "No space left" in message(error)
    assert "Was veröffentlicht ist, ist unversehrt." in message(error)
    assert not place_on_disk.store.work.exists()
    assert place_on_disk.store.target.pointer() == SECOND
    assert latest_verifies(place_on_disk.store)


@pytest.mark.slow
def test_a_target_on_another_disk_takes_whole_releases(place_after_nothing: Place, full_disk: Path) -> None:
    """No rename leads from one disk to another: the files are copied beside their place first."""
    apart = replace(place_after_nothing, profile=replace(place_after_nothing.profile, target=str(full_disk / "www")))

    assert apart.run(FIRST, stores.release_day(FIRST)).result == "published"

    assert latest_verifies(apart.store)
    assert [path.name for path in (full_disk / "www" / "releases").iterdir()] == [FIRST]


def test_a_full_disk_stops_an_operation_and_room_lets_it_through(place_on_disk: Place, full_disk: Path) -> None:
    filled(full_disk)
    with pytest.raises(StoreUnusable, match="kein Platz mehr"), place_on_disk.open() as store:
        withdraw(store, FIRST, "Name einer Person", stores.release_day(HELD))
    assert latest_verifies(place_on_disk.store)

    (full_disk / "fuellung").unlink()
    with place_on_disk.open() as store:
        withdraw(store, FIRST, "Name einer Person", stores.release_day(HELD))
    assert latest_verifies(place_on_disk.store)


def test_a_read_only_disk_is_told(place_on_disk: Place, full_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(full_disk)], check=True)
    with pytest.raises(StoreUnusable, match="nur lesbar"), place_on_disk.open() as store:
        rollback(store, FIRST, "falsche Angabe", stores.release_day(HELD))
    subprocess.run(["mount", "-o", "remount,rw", str(full_disk)], check=True)
    assert place_on_disk.store.target.pointer() == SECOND
    assert latest_verifies(place_on_disk.store)


@in_a_folder
def test_a_missing_right_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:

    def forbidden(self: LocalTarget, key: str, content: bytes) -> None:  # noqa: ARG001
        raise PermissionError(13, "Permission denied", str(self.root / key))

    monkeypatch.setattr(LocalTarget, "write", forbidden)
    with pytest.raises(StoreUnusable) as error, place.open() as store:
        rollback(store, FIRST, "falsche Angabe", stores.release_day(HELD))
    assert message(error).startswith(f"{place.outputs}/.journal.json: das Recht zum Lesen oder Schreiben fehlt.")


def test_other_system_errors_are_not_hidden(store: Store) -> None:
    with pytest.raises(ConnectionResetError), locked(store):
        raise ConnectionResetError(104, "Connection reset by peer")
