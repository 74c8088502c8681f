"""``SHA256SUMS``: the manifest of a release, in the format of ``sha256sum``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from flows.sidecar import sha256_of

MANIFEST = "SHA256SUMS"
# The manifest's signature, where there is one, is about the manifest and so not in it.
SIGNATURE = "SHA256SUMS.minisig"


def files_of(folder: Path) -> list[str]:
    """Relative names of all files below ``folder`` but the manifest and its signature, sorted."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name not in (MANIFEST, SIGNATURE))


def digests_in(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of ``files_of(folder)``."""
    return {name: sha256_of(folder / name) for name in files_of(folder)}


def write_manifest(folder: Path) -> None:
    """Write ``SHA256SUMS`` over every other file of ``folder``."""
    _write(folder, digests_in(folder))


def _write(folder: Path, digests: Mapping[str, str]) -> None:
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    (folder / MANIFEST).unlink(missing_ok=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def renew_manifest(folder: Path, changed: Iterable[str]) -> None:
    """Replace the entries of changed files in the manifest of ``folder``; all others stay as they were published, so
    that damage elsewhere is not signed off by the way. A manifest that cannot be read is left as it is.
    """
    try:
        entries = read_manifest(folder)
    except (FileNotFoundError, ValueError):
        return
    _write(folder, entries | {name: sha256_of(folder / name) for name in changed})


def parse_manifest(content: bytes) -> dict[str, str]:
    """SHA-256 by file name; raises ``ValueError`` for anything that ``sha256sum`` would not have written."""
    lines = content.decode("utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def read_manifest(folder: Path) -> dict[str, str]:
    """SHA-256 by file name as written in the manifest of ``folder``."""
    return parse_manifest((folder / MANIFEST).read_bytes())


def mismatches(manifest: bytes | None, present: Mapping[str, str]) -> dict[str, str]:
    """What does not match a manifest: file name and a German sentence; empty when all is well.

    ``present`` are the digests of the files that are there, without the manifest and its signature.
    """
    if manifest is None:
        return {MANIFEST: "die Liste der Prüfsummen fehlt."}
    try:
        expected = parse_manifest(manifest)
    except ValueError:
        return {MANIFEST: "die Liste der Prüfsummen ist nicht lesbar."}
    found = dict.fromkeys(expected.keys() - present.keys(), "die Datei fehlt.")
    found |= dict.fromkeys(present.keys() - expected.keys(), "die Datei steht nicht in der Liste der Prüfsummen.")
    for name in present.keys() & expected.keys():
        if present[name] != expected[name]:
            found[name] = "der Inhalt stimmt nicht mit der Prüfsumme überein."
    return dict(sorted(found.items()))


def differences(folder: Path) -> dict[str, str]:
    """``mismatches`` of a local folder with its own manifest."""
    manifest = folder / MANIFEST
    return mismatches(manifest.read_bytes() if manifest.is_file() else None, digests_in(folder))
