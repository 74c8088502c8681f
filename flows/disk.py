"""What a disk refuses: the system's errors in the operator's words, and whether there was room."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

# What the operator can mend: no room, no right to read or write.
DISK_ERRORS = {
    errno.ENOSPC: "auf dem Datenträger ist kein Platz mehr.",
    errno.EDQUOT: "das Speicherkontingent ist erschöpft.",
    errno.EROFS: "der Datenträger ist nur lesbar.",
    errno.EACCES: "das Recht zum Lesen oder Schreiben fehlt.",
    errno.EPERM: "das Recht zum Lesen oder Schreiben fehlt.",
    errno.EFBIG: "die Datei würde größer als erlaubt.",
}
# Of these, what ends when there is room.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

# What libraries say of a full disk: the system's words, SQLite's.
FULL = (os.strerror(errno.ENOSPC), "disk is full")
# With less than this (bytes) on the disk, whatever goes wrong goes wrong for want of room.
SMALLEST_ROOM = 65_536


def has_room(place: Path, error: Exception) -> bool:
    """Whether an error of a library has another cause than that the disk at ``place`` was full."""
    return not any(words in str(error) for words in FULL) and shutil.disk_usage(place).free > SMALLEST_ROOM


def free_bytes(place: Path) -> int:
    """How much is free on the disk of a place that may not be there yet."""
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
    return shutil.disk_usage(there).free
