"""Take the newest file out of a folder into which the office lays its files."""

from __future__ import annotations

from pathlib import Path

from flows.errors import SourceUnavailable
from flows.german import size

# What Excel, LibreOffice and file synchronisation leave beside a file that is open or on its way; what they name
# "….part" or "….tmp" has no ending that counts.
UNFINISHED = ("~", ".")


def _unavailable(name: str, text: str) -> SourceUnavailable:
    return SourceUnavailable(f"Quelle „{name}“: {text}")


def newest(folder: Path, pattern: str, endings: tuple[str, ...], name: str) -> Path:
    """The file in ``folder`` that was changed last, among those of the pattern and with one of the endings.

    Raises ``SourceUnavailable`` when there is no such folder or it holds none.
    """
    if not folder.is_dir():
        raise _unavailable(name, f"den Ordner {folder} gibt es nicht. Bitte anlegen oder das Profil anpassen.")
    found = [
        path
        for path in sorted(folder.glob(pattern))
        if path.is_file() and path.suffix.lower() in endings and not path.name.startswith(UNFINISHED)
    ]
    if not found:
        wanted = pattern if pattern != "*" else ", ".join(f"*{ending}" for ending in endings)
        raise _unavailable(name, f"im Ordner {folder} liegt keine Datei {wanted}. Bitte die Datei dort ablegen.")
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def take_newest(folder: Path, pattern: str, endings: tuple[str, ...], name: str, most_bytes: int, target: Path) -> str:
    """Copy the newest file to ``target``; returns its name.

    Raises ``SourceUnavailable`` when there is none, it cannot be read, is too large, or somebody was still writing it.
    """
    try:
        file = newest(folder, pattern, endings, name)
        before = file.stat()
        if before.st_size > most_bytes:
            text = f"{file.name} ist {size(before.st_size)} groß; erlaubt sind {size(most_bytes)}."
            raise _unavailable(name, f"{text} Ist das richtig, dann bitte im Profil unter [fetch] „megabytes“ erhöhen.")
        content = file.read_bytes()
        after = file.stat()
    except OSError as error:
        # A share that is not mounted or a file without rights is this source's trouble, unlike a full disk of ours.
        raise _unavailable(
            name, f"{folder} ist nicht lesbar ({error.strerror}). Bitte Laufwerk und Rechte prüfen."
        ) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _unavailable(name, f"{file.name} wird gerade geschrieben. Der nächste Lauf versucht es wieder.")
    target.write_bytes(content)
    return file.name
