"""``SHA256SUMS``: the manifest of a release, in the format of ``sha256sum``."""

from __future__ import annotations

from pathlib import Path

from flows.sidecar import sha256_of

MANIFEST = "SHA256SUMS"
# The manifest's signature, where there is one, is about the manifest and so not in it.
SIGNATURE = "SHA256SUMS.minisig"


def files_of(folder: Path) -> list[str]:
    """Relative names of all files below ``folder`` but the manifest and its signature, sorted."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name not in (MANIFEST, SIGNATURE))


def write_manifest(folder: Path) -> None:
    """Write ``SHA256SUMS`` over every other file of ``folder``."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in files_of(folder)]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, str]:
    """SHA-256 by file name as written in the manifest."""
    lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def differences(folder: Path) -> dict[str, str]:
    """What does not match the manifest: file name and a German sentence; empty when all is well."""
    if not (folder / MANIFEST).is_file():
        return {MANIFEST: "die Liste der Prüfsummen fehlt."}
    expected = read_manifest(folder)
    present = set(files_of(folder))
    found = dict.fromkeys(expected.keys() - present, "die Datei fehlt.")
    found |= dict.fromkeys(present - expected.keys(), "die Datei steht nicht in der Liste der Prüfsummen.")
    for name in sorted(present & expected.keys()):
        if sha256_of(folder / name) != expected[name]:
            found[name] = "der Inhalt stimmt nicht mit der Prüfsumme überein."
    return dict(sorted(found.items()))
