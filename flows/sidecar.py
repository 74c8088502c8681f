"""The sidecar of an input file: where it comes from, under which licence, and which bytes were meant."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path

from flows.errors import SourceUnavailable, WrongUsage

SUFFIX = ".source.json"
# What every reader of a release must be told of a source.
STATED = ("title", "origin", "licence", "attribution")


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
    except FileNotFoundError:
        raise SourceUnavailable(
            f"{path}: die Beschreibung der Quelle fehlt. Bitte aus der Sicherung zurückholen. Zu einer neuen Datei die "
            f"Beschreibung einer ähnlichen kopieren, so benennen und Titel, Herkunft und Lizenz anpassen; Größe und "
            f"Prüfsumme trägt `praevkarte check --record-file {file.name}` ein."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{path}: die Beschreibung der Quelle ist kein JSON ({error}). Bitte berichtigen.") from None
    names = [field.name for field in fields(Sidecar)]
    given = list(values) if isinstance(values, dict) else []
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        parts = [("es fehlt", missing), ("nicht vorgesehen ist", unknown)]
        wrong = "; ".join(f"{word}: {', '.join(found)}" for word, found in parts if found)
        raise WrongUsage(f"{path}: die Beschreibung der Quelle stimmt nicht ({wrong}). Bitte berichtigen.")
    if empty := [name for name in STATED if not values[name]]:
        raise WrongUsage(
            f"{path}: leer ist noch: {', '.join(empty)}. Bitte ausfüllen; das steht in jeder Ausgabe bei den Quellen."
        )
    return Sidecar(**values)


def renewed(file: Path, today: date, reviewed: bool = False) -> Sidecar | None:
    """The sidecar of ``file`` with its present size and SHA-256; None when that is what it says already.

    A file that the office maintains by hand is of ``today`` when it was edited or ``reviewed``: its age counts from
    then.

    Raises like ``read_sidecar``, and ``SourceUnavailable`` when the file itself is missing.
    """
    if not file.is_file():
        raise SourceUnavailable(f"{file}: die Datei fehlt. Bitte bereitstellen oder das Profil anpassen.")
    recorded = read_sidecar(file)
    present = replace(recorded, sha256=sha256_of(file), bytes=file.stat().st_size)
    if recorded.edited_here and (reviewed or present != recorded):
        present = replace(present, retrieved=today.isoformat())
    return None if present == recorded else present


def encoded(sidecar: Sidecar) -> bytes:
    """A sidecar as it stands in its file."""
    return (json.dumps(asdict(sidecar), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def record(file: Path, sidecar: Sidecar) -> None:
    """Write the sidecar of ``file`` as it is given."""
    sidecar_path(file).write_bytes(encoded(sidecar))
