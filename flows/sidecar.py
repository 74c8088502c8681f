"""The sidecar of an input file: where it comes from, under which licence, and which bytes were meant."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from flows.errors import SourceUnavailable, WrongUsage

SUFFIX = ".source.json"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Origin and identity of one input file.

    ``retrieved`` is an ISO date, or "übernommen" for a file that was carried over from earlier work, its day unknown.
    ``edited_here`` marks files that the office maintains by hand: their bytes may change between two runs, those of
    all others must not.
    """

    title: str
    origin: str
    url: str
    retrieved: str
    licence: str
    licence_url: str
    attribution: str
    sha256: str
    bytes: int
    edited_here: bool


def sidecar_path(file: Path) -> Path:
    """The sidecar's place: beside the file, with ``.source.json`` appended to its name."""
    return file.with_name(file.name + SUFFIX)


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes as lower-case hex, read in blocks so that size does not matter."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_sidecar(file: Path) -> Sidecar:
    """Read the sidecar of ``file``; raises ``SourceUnavailable`` without one, ``WrongUsage`` for a malformed one."""
    path = sidecar_path(file)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Sidecar(**values)
    except FileNotFoundError:
        raise SourceUnavailable(
            f"{path}: die Beschreibung der Quelle fehlt. Bitte nach dem Vorbild der übrigen *{SUFFIX} anlegen."
        ) from None
    except (json.JSONDecodeError, TypeError) as error:
        raise WrongUsage(
            f"{path}: die Beschreibung der Quelle ist nicht lesbar ({error}). Bitte berichtigen."
        ) from None


def record_state(file: Path) -> bool:
    """Write the present size and SHA-256 of ``file`` into its sidecar; returns whether anything changed."""
    path = sidecar_path(file)
    values = json.loads(path.read_text(encoding="utf-8"))
    state = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    if all(values[name] == value for name, value in state.items()):
        return False
    path.write_text(json.dumps(values | state, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return True
