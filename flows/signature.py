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
PLAIN_SIGNING = b"Ed"
# Ed25519, no key derivation, checksum by BLAKE2b.
PLAIN_KEY = PLAIN_SIGNING + b"\0\0B2"


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


def _digest(manifest: bytes) -> bytes:
    return hashlib.blake2b(manifest, digest_size=64).digest()


def signing_key(public_key: str) -> SecretKey | None:
    """The operator's secret key, or None when releases are not signed.

    Raises ``WrongUsage`` when the profile names a public key and there is no secret key that belongs to it: what would
    be published then does not verify.
    """
    file = os.environ.get(KEY_VARIABLE)
    if not file:
        if public_key:
            raise WrongUsage(
                f"Das Profil nennt unter „signature_key“ einen öffentlichen Schlüssel, aber {KEY_VARIABLE} nennt "
                "keinen geheimen. Bitte dessen Datei angeben."
            )
        return None
    key = read_secret_key(Path(file))
    if public_key and _public(key) != _decoded(public_key):
        raise WrongUsage(f"{file}: dieser Schlüssel gehört nicht zu „signature_key“ im Profil.")
    return key


def _public(key: SecretKey) -> bytes:
    """What ``minisign.pub`` holds: algorithm, key id and public key."""
    public = Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw()
    return PLAIN_SIGNING + key.key_id + public


def _decoded(public_key: str) -> bytes:
    try:
        data = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != 42 or not data.startswith(PLAIN_SIGNING):
        raise WrongUsage(
            "„signature_key“ im Profil ist kein öffentlicher minisign-Schlüssel. Bitte die zweite Zeile von "
            "minisign.pub eintragen."
        )
    return data


def sign_manifest(folder: Path, comment: str, public_key: str) -> None:
    """Sign the manifest of ``folder`` when the operator gave a key; ``comment`` is the trusted comment (one line).

    Raises like ``signing_key``.
    """
    key = signing_key(public_key)
    (folder / SIGNATURE).unlink(missing_ok=True)
    if key is None:
        return
    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    signature = private.sign(_digest((folder / MANIFEST).read_bytes()))
    whole = private.sign(signature + comment.encode("utf-8"))
    lines = (
        f"untrusted comment: {MANIFEST}",
        base64.b64encode(PREHASHED + key.key_id + signature).decode("ascii"),
        f"trusted comment: {comment}",
        base64.b64encode(whole).decode("ascii"),
    )
    (folder / SIGNATURE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def signature_fault(manifest: bytes, signature: bytes, release_id: str, public_key: str) -> Finding | None:
    """What is wrong with a signature (content of ``SHA256SUMS.minisig``), or None when it is the publisher's, made for
    this release."""
    if _is_valid(manifest, signature, release_id, _decoded(public_key)):
        return None
    remedy = "Bitte den öffentlichen Schlüssel im Profil und die Herkunft der Ausgabe prüfen."
    return Finding("signatur", f"{release_id}/{SIGNATURE}", "die Signatur passt nicht zu den Prüfsummen.", remedy)


def _is_valid(manifest: bytes, signature: bytes, comment: str, key: bytes) -> bool:
    try:
        _, signed, trusted, whole = signature.decode("utf-8").splitlines()
        data = base64.b64decode(signed, validate=True)
        if data[:2] != PREHASHED or data[2:10] != key[2:10] or trusted != f"trusted comment: {comment}":
            return False
        public = Ed25519PublicKey.from_public_bytes(key[10:])
        public.verify(data[10:], _digest(manifest))
        public.verify(base64.b64decode(whole, validate=True), data[10:] + comment.encode("utf-8"))
    except (InvalidSignature, ValueError):
        return False
    return True
