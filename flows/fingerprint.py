"""Fingerprints: what a release was made from, so that a run can tell whether anything has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.paths import CONTRACTS, LOCK, ROOT, SQL
from flows.profile import Profile

# Other limits of gates and ages do not make good what a person put aside; a source that is old counts by its name.
LIMITS = ("vergleich", "warnen_nach_tagen", "anhalten_nach_tagen")


def _code_files() -> Iterable[Path]:
    package = Path(__file__).resolve().parent
    for folder in (package, SQL, CONTRACTS):
        yield from (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    yield LOCK


def code_fingerprint() -> str:
    """SHA-256 over the names and bytes of the package, the SQL, the contracts and the locked dependencies."""
    digest = hashlib.sha256()
    for path in sorted(_code_files()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def parameters(profile: Profile) -> dict[str, Any]:
    """The profile's settings as they enter a release: no path, no host, dates as ISO text."""
    return {
        "profil": profile.name,
        "titel": profile.title,
        "beschreibung": profile.description,
        "laender": list(profile.lands),
        "synthetisch": profile.synthetic,
        "herausgeber": asdict(profile.publisher),
        "lizenz": {"name": profile.licence.name, "titel": profile.licence.title, "url": profile.licence.url},
        "datenschutz": asdict(profile.privacy),
        "barrierefreiheit": asdict(profile.accessibility),
        "basis_url": profile.base_url,
        "gebietsstand_art": profile.territory_basis,
        "gebietsstand": profile.territory_date.isoformat(),
        "grenzen_stand": profile.boundaries_date.isoformat(),
        "aenderungen_bis": profile.changes_until.isoformat(),
        "aenderungen_laender": list(profile.changes_lands),
        "einwohner_stand": profile.population_date.isoformat(),
        "welle": profile.wave,
        "kacheln": profile.tiles,
        "schwellen": dict(sorted(profile.thresholds.items())),
        "vergleich": dict(sorted(profile.gates.items())),
        "warnen_nach_tagen": dict(sorted(profile.warn_after.items())),
        "anhalten_nach_tagen": dict(sorted(profile.hold_after.items())),
        "quellen_alt": list(profile.old),
        "quellen_zu_alt": list(profile.too_old),
    }


def _sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def fingerprint(inputs: dict[str, dict[str, Any]], profile: Profile, code: str) -> str:
    """SHA-256 over the inputs' checksums and sidecars, the parameters and the code."""
    return _sha256({"eingaben": inputs, "parameter": parameters(profile), "code": code})


def inputs_fingerprint(inputs: dict[str, dict[str, Any]], profile: Profile) -> str:
    """SHA-256 over what a release says, whatever builds it: what a person put aside is not wanted from newer code, from
    the same file downloaded again, or with other thresholds either.
    """
    said = {
        name: {key: value for key, value in record.items() if key != "retrieved"} for name, record in inputs.items()
    }
    settings = {key: value for key, value in parameters(profile).items() if key not in LIMITS}
    return _sha256({"eingaben": said, "parameter": settings})
