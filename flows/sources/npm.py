"""Fetch one pinned version of an npm package with the npm client, which knows the office's registry and proxy.

A pinned version never changes, and its checksum (npm's ``integrity``, a W3C Subresource Integrity of SHA-512) stands in
the profile: what has it need not be fetched again. Nothing of the package is run, and no message holds what the client
says, because that names registries with their credentials.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from flows.disk import DISK_ERRORS
from flows.errors import SourceUnavailable
from flows.german import number, size
from flows.sources.http import Limits, NotThere
from flows.sources.zips import refusal

PROGRAM = "npm"
# Name (perhaps with a scope) and exactly one version: a range would be another file tomorrow.
PACKAGE = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")
INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
# How npm tells what went wrong, from version 6 on.
CODE = re.compile(r"^npm (?:error|ERR!) code (\S+)$", re.MULTILINE)
NOT_THERE = ("E404", "ETARGET")
DENIED = ("E401", "E403", "ENEEDAUTH")
DAMAGED = "EINTEGRITY"
# A disk that cannot be written, npm's own or ours; the same codes of a connection are something else.
UNWRITABLE = {errno.errorcode[number]: words for number, words in DISK_ERRORS.items()}
CONNECTING = re.compile(r"^npm (?:error|ERR!) syscall connect$", re.MULTILINE)


def integrity_of(file: Path) -> str:
    """The checksum of a file as npm writes it: ``sha512-`` and Base64."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha512").digest()
    return f"sha512-{base64.b64encode(digest).decode('ascii')}"


def take_package(package: str, integrity: str, limits: Limits, folder: Path, name: str, target: Path) -> None:
    """Write the archive of a package (``name@version``) to ``target``; ``folder`` is an empty one to work in.

    Raises ``SourceUnavailable`` when there is no npm, it cannot reach its registry (``NotThere``: that has no such
    package), takes too long or brings too much; ``Refused`` when the archive has another checksum.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise _unavailable(name, "das Programm npm fehlt. Bitte Node.js mit npm einrichten; es lädt das Paket.")
    # Stated, because npm's settings may name another place; as seen from ``cwd``, whatever ``folder`` is relative to.
    command = [program, "pack", package, "--pack-destination", ".", "--ignore-scripts", "--loglevel=error"]
    # npm tries again by itself, and counts only the further tries.
    retries = [f"--fetch-retries={limits.tries - 1}", f"--fetch-retry-mintimeout={round(limits.wait * 1000)}"]
    try:
        done = subprocess.run(
            [*command, *retries],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        text = f"nach {number(round(limits.seconds))} Sekunden war {package} noch nicht ganz da."
        raise _unavailable(name, f"{text} Die Verbindung ist langsam; der nächste Lauf versucht es wieder.") from None
    except OSError as error:
        raise _unavailable(name, f"npm lässt sich nicht starten ({error.strerror}). Bitte neu einrichten.") from None
    if done.returncode:
        raise _failed(package, name, done.stderr)
    archives = sorted(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise _unavailable(name, f"npm hat zu {package} kein Paket abgelegt. Bitte npm prüfen (`npm doctor`).")
    if archives[0].stat().st_size > limits.bytes:
        text = f"das Paket ist größer als {size(limits.bytes)}."
        raise _unavailable(name, f"{text} Ist das richtig, dann bitte im Profil unter [fetch] „megabytes“ erhöhen.")
    if integrity_of(archives[0]) != integrity:
        raise _damaged(package)
    archives[0].rename(target)


def _unavailable(name: str, text: str) -> SourceUnavailable:
    return SourceUnavailable(f"Quelle „{name}“: {text}")


def _damaged(package: str) -> Exception:
    remedy = (
        "Bitte nicht übernehmen, ohne zu klären, warum; ist die Version gewollt, dann im Profil unter [fetch] „sha512“ "
        "berichtigen (`npm view NAME@VERSION dist.integrity`)."
    )
    return refusal(package, "das Paket hat eine andere Prüfsumme, als im Profil steht.", remedy)


def _failed(package: str, name: str, said: str) -> Exception:
    """The error for what npm says on its standard error."""
    found = CODE.search(said)
    code = found[1] if found else ""
    if code in NOT_THERE:
        remedy = "Bitte Name und Version im Profil unter [fetch] prüfen."
        return NotThere(str(_unavailable(name, f"{package} gibt es nicht ({code}). {remedy}")))
    if code in DENIED:
        return _unavailable(name, f"npm wird der Zugang verweigert ({code}). Bitte die Anmeldung von npm prüfen.")
    if code == DAMAGED:
        return _unavailable(name, f"{package} kam beschädigt an ({code}). Der nächste Lauf versucht es wieder.")
    if code in UNWRITABLE and not CONNECTING.search(said):
        remedy = "Bitte bei den Ausgaben und im Zwischenspeicher von npm (`npm config get cache`) abhelfen."
        return _unavailable(name, f"npm kann {package} nicht schreiben ({code}): {UNWRITABLE[code]} {remedy}")
    told = f" ({code})" if re.fullmatch(r"[A-Z][A-Z0-9_]*", code) else ""
    remedy = "Meist vergeht das von selbst; hält es mehrere Tage an, bitte Netz und Einrichtung von npm prüfen."
    return _unavailable(name, f"npm hat {package} nicht bekommen{told}. {remedy}")
