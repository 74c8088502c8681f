"""Inputs by content: every input of a release is kept once, under its SHA-256, so that it can be rebuilt."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flows.store import Store, provenances
from flows.targets.local import LocalTarget


def _key(digest: str) -> str:
    return f"inputs/sha256/{digest[:2]}/{digest}"


def keep_input(store: Store, file: Path, digest: str) -> None:
    """Keep a file under its digest; one that is there already is left alone."""
    LocalTarget(store.workspace).store_file(_key(digest), file)


def kept_input(store: Store, digest: str) -> Path | None:
    """The kept file of a digest, or None."""
    path = store.workspace / _key(digest)
    return path if path.is_file() else None


def digests_of(provenance: dict[str, Any]) -> set[str]:
    """Digests of the inputs of a release."""
    return {source["sha256"] for source in provenance["quellen"]}


def forget_inputs(store: Store, needed: Iterable[str]) -> list[str]:
    """Remove every kept input that is not ``needed``; returns their digests, sorted."""
    removed = sorted(kept_digests(store).difference(needed))
    for digest in removed:
        LocalTarget(store.workspace).delete(_key(digest))
    return removed


def forget_unneeded(store: Store) -> list[str]:
    """Remove the kept inputs from which no published or held release was made; returns their digests."""
    return forget_inputs(store, set[str]().union(*(digests_of(record) for record in provenances(store).values())))


def kept_digests(store: Store) -> set[str]:
    """Digests of all kept inputs."""
    return {path.name for path in store.inputs.glob("*/*") if not path.name.startswith(".")}
