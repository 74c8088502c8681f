"""Optional signature of ``SHA256SUMS``, compatible with minisign (https://jedisct1.github.io/minisign/, prehashed
Ed25519).

The operator makes a key with ``minisign -G -W``, names the secret key's file in ``PRAEVKARTE_MINISIGN_KEY`` and puts
the public key into the profile. The signature lies beside the manifest as ``SHA256SUMS.minisig``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from flows.checksums import MANIFEST, SIGNATURE
from flows.errors import WrongUsage
from flows.findings import Finding

KEY_VARIABLE = "PRAEVKARTE_MINISIGN_KEY"
PREHASHED = b"ED"
PLAIN_KEY = b"Ed\0\0B2"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A minisign secret key without password: its id (8 bytes) and the Ed25519 seed (32 bytes)."""

    key_id: bytes
    seed: bytes


def read_secret_key(file: Path) -> SecretKey:
    """Read a secret key file; raises ``WrongUsage`` for anything but a key made with ``minisign -G -W``."""
    try:
        data = base64.b64decode(file.read_text(encoding="ascii").splitlines()[1], validate=True)
    except (OSError, IndexError, binascii.Error, UnicodeDecodeError):
        raise WrongUsage(f"{file}: das ist kein lesbarer minisign-Schlüssel.") from None
    # 6 bytes of algorithms, 48 of key derivation, then key id, seed, public key and checksum.
    if data[:6] != PLAIN_KEY or len(data) != 158:
        raise WrongUsage(f"{file}: der Schlüssel hat ein Kennwort. Bitte einen mit `minisign -G -W` anlegen.")
    return SecretKey(data[54:62], data[62:94])


def _digest(file: Path) -> bytes:
    return hashlib.blake2b(file.read_bytes(), digest_size=64).digest()


def sign_manifest(folder: Path, comment: str) -> None:
    """Sign the manifest of ``folder`` when the operator gave a key; ``comment`` is the trusted comment (one line)."""
    (folder / SIGNATURE).unlink(missing_ok=True)
    name = os.environ.get(KEY_VARIABLE)
    if not name:
        return
    key = read_secret_key(Path(name))
    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    signature = private.sign(_digest(folder / MANIFEST))
    whole = private.sign(signature + comment.encode("utf-8"))
    lines = (
        "untrusted comment: SHA256SUMS",
        base64.b64encode(PREHASHED + key.key_id + signature).decode("ascii"),
        f"trusted comment: {comment}",
        base64.b64encode(whole).decode("ascii"),
    )
    (folder / SIGNATURE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def signature_faults(folder: Path, release_id: str, public_key: str) -> list[Finding]:
    """What is wrong with the signature of a release; nothing is checked without a public key (base64, second line of
    ``minisign.pub``)."""
    if not public_key:
        return []
    place = f"{release_id}/{SIGNATURE}"
    remedy = "Bitte den öffentlichen Schlüssel im Profil und die Herkunft der Ausgabe prüfen."
    if not (folder / SIGNATURE).is_file():
        return [Finding("signatur", place, "die Ausgabe ist nicht signiert.", remedy)]
    if _is_valid(folder, public_key):
        return []
    return [Finding("signatur", place, "die Signatur passt nicht zu den Prüfsummen.", remedy)]


def _is_valid(folder: Path, public_key: str) -> bool:
    try:
        key = base64.b64decode(public_key, validate=True)
        _, signed, comment, whole = (folder / SIGNATURE).read_text(encoding="utf-8").splitlines()
        signature = base64.b64decode(signed, validate=True)
        if signature[:2] != PREHASHED or signature[2:10] != key[2:10]:
            return False
        public = Ed25519PublicKey.from_public_bytes(key[10:])
        public.verify(signature[10:], _digest(folder / MANIFEST))
        text = comment.removeprefix("trusted comment: ").encode("utf-8")
        public.verify(base64.b64decode(whole, validate=True), signature[10:] + text)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
