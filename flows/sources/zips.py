"""Unpack one member of a zip that came from outside: no path escapes, no bombs, nothing encrypted, checksums right."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from flows.errors import Refused
from flows.findings import Finding
from flows.german import size

BLOCK = 1_048_576
MOST_MEMBERS = 10_000
# Geodata compress to a tenth; deflate cannot do better than a thousandth, which only bombs come near.
HIGHEST_RATIO = 200
# So small that its ratio says nothing (bytes).
SMALL = 10_000_000
ENCRYPTED = 0x1
AGAIN = "Bitte die Datei von Hand laden und ansehen; stimmt sie, dann dem Betreiber der Quelle Bescheid geben."


def refusal(label: str, message: str, remedy: str = AGAIN) -> Refused:
    """The error for a product that is not what it should be."""
    return Refused([Finding("produkt", label, message, remedy)], "der vorhandene Stand bleibt")


class Archive:
    """A zip whose directory was checked: its members may be unpacked one by one, each within ``most_bytes``."""

    def __init__(self, file: Path, label: str, most_bytes: int) -> None:
        """Raises ``Refused`` for what is no zip, is cut off, or has members that no product has."""
        self._label, self._most_bytes = label, most_bytes
        try:
            with zipfile.ZipFile(file) as archive:
                self._members = archive.infolist()
        # NotImplementedError is how zipfile says that it does not know the version of the format.
        except (zipfile.BadZipFile, NotImplementedError, UnicodeError, ValueError):
            raise refusal(label, "die Datei ist kein vollständiges Zip-Archiv.") from None
        self._file = file
        if len(self._members) > MOST_MEMBERS:
            raise refusal(label, f"das Archiv hat mehr als {MOST_MEMBERS} Dateien.")
        for member in self._members:
            self._check(member)
        if (whole := sum(member.file_size for member in self._members)) > most_bytes:
            raise refusal(label, f"das Archiv würde entpackt {size(whole)} groß; erlaubt sind {size(most_bytes)}.")

    def _check(self, member: zipfile.ZipInfo) -> None:
        name = member.filename
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in member.orig_filename:
            raise refusal(self._label, f"das Archiv will außerhalb seines Ordners schreiben („{name}“).")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise refusal(self._label, f"das Archiv enthält einen Verweis statt einer Datei („{name}“).")
        if member.flag_bits & ENCRYPTED:
            raise refusal(self._label, f"„{name}“ ist mit einem Kennwort verschlüsselt.")
        if member.file_size > SMALL and member.file_size > HIGHEST_RATIO * max(1, member.compress_size):
            raise refusal(self._label, f"„{name}“ würde beim Entpacken auf {size(member.file_size)} anwachsen.")

    def names(self, ending: str) -> list[str]:
        """Names of the members with this ending (case does not matter), sorted."""
        found = (member.filename for member in self._members if not member.is_dir())
        return sorted(name for name in found if name.lower().endswith(ending))

    def unpack(self, name: str, target: Path) -> None:
        """Write one member to ``target``, whatever its own name; raises ``Refused`` when it is damaged or grows."""
        written = 0
        try:
            with zipfile.ZipFile(self._file) as archive, archive.open(name) as source, target.open("wb") as stream:
                while block := source.read(BLOCK):
                    # The directory may lie about the size.
                    written += len(block)
                    if written > self._most_bytes:
                        raise refusal(self._label, f"„{name}“ wächst beim Entpacken über {size(self._most_bytes)}.")
                    stream.write(block)
        # NotImplementedError, a RuntimeError: zipfile does not know the way in which the member is packed.
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError):
            raise refusal(self._label, f"„{name}“ ist im Archiv beschädigt.") from None
