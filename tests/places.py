"""Fixtures: the history of Kleinland's releases, an S3 server on 127.0.0.1, and places to operate on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import obstore
import pytest
from conftest import PROFILE, build_geodata
from moto.server import ThreadedMotoServer
from operating import FIRST, HELD, INPUTS, NIGHTS, Place, lean, lean_call, target_names
from packaged import fill_in

from flows.profile import load_profile
from flows.stages import run_stages
from flows.targets.s3 import ObjectTarget, open_s3

BUCKET = "karte"
ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-central-1"}
LOCAL, REMOTE = "ordner", "objektspeicher"


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Geodata folders of the three nights, by release id."""
    folder = tmp_path_factory.mktemp("naechte")
    made = {release_id: build_geodata(folder / release_id, inputs()) for release_id, inputs in INPUTS.items()}
    for geodata in made.values():
        # A draft may not go to an object store.
        fill_in(geodata / PROFILE / "profile.toml")
    return made


@pytest.fixture(scope="session")
def history(nights: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Local outputs as they were after each night, by release id."""
    folder = tmp_path_factory.mktemp("geschichte")
    outputs, states = folder / "outputs", {}
    with lean():
        for release_id, geodata in nights.items():
            outcome = run_stages(load_profile(geodata, PROFILE), outputs, NIGHTS[release_id], call=lean_call)
            assert outcome.release_id == release_id, outcome.text
            states[release_id] = folder / release_id
            shutil.copytree(outputs, states[release_id], symlinks=True)
    return states


@pytest.fixture(scope="session")
def object_server() -> Iterator[str]:
    """Address of an S3 server on 127.0.0.1 with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    settings = {"region_name": ACCESS["AWS_REGION"], "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    location = {"LocationConstraint": ACCESS["AWS_REGION"]}
    boto3.client("s3", endpoint_url=address, **settings).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration=location
    )
    yield address
    server.stop()


@pytest.fixture
def object_store(object_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An address in the bucket that no other test uses, with the variables that lead there."""
    for name, value in (ACCESS | {"AWS_ENDPOINT_URL": object_server}).items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{tmp_path.parent.name}-{tmp_path.name}"


@pytest.fixture(params=[LOCAL, pytest.param(REMOTE, marks=(pytest.mark.network, pytest.mark.slow))])
def kind(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a place runs on both kinds of target."""
    return str(request.param)


@pytest.fixture
def place_after(
    kind: str, nights: dict[str, Path], history: dict[str, Path], outputs: Path, request: pytest.FixtureRequest
) -> Callable[[str | None], Place]:
    """``place_after(id)``: workspace and target as they were after that night (None: before the first)."""

    def make(release_id: str | None) -> Place:
        profile = load_profile(nights[FIRST], PROFILE)
        if release_id:
            shutil.copytree(history[release_id], outputs, symlinks=True)
        if kind == REMOTE:
            address = request.getfixturevalue("object_store")
            profile = replace(profile, target=address)
            target = ObjectTarget(address, open_s3(address))
            if before := [item["path"] for batch in obstore.list(target.store) for item in batch]:
                obstore.delete(target.store, before)
            if release_id:
                for name in target_names(outputs):
                    target.install(outputs / "releases" / name, f"releases/{name}")
                for name in ("releases.json", "latest.json"):
                    target.write(name, (outputs / name).read_bytes())
                    (outputs / name).unlink()
                shutil.rmtree(outputs / "releases")
                (outputs / "latest").unlink()
        return Place(profile, outputs, nights)

    return make


@pytest.fixture
def place(place_after: Callable[[str | None], Place]) -> Place:
    """Two releases published, a third held."""
    return place_after(HELD)
