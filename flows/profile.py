"""A profile: everything that one publication (a Land, a demonstration, all of Germany) sets, as data.

``geodata/<name>/profile.toml`` holds it; ``extends`` takes over another profile and replaces what is stated again.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.errors import WrongUsage

SYNTHETIC_MARK = "SYNTHETISCH: Beispieldaten zur Demonstration, keine echten Antworten"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who answers for the releases; empty until the operator fills it in."""

    name: str
    email: str
    url: str
    contributor_id: str = ""
    """IRI in http://dcat-ap.de/def/contributors, where the publisher has one."""


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of the releases."""

    name: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Source:
    """One input file of a profile: the dataset it carries, the file and, for a workbook, the sheet."""

    dataset: str
    file: Path
    sheet: str | None = None

    @property
    def label(self) -> str:
        """How messages name the source: the file, with the sheet where there is one."""
        return f"{self.file.name} [{self.sheet}]" if self.sheet else self.file.name


@dataclass(frozen=True, slots=True)
class Profile:
    """All settings of one publication. Dates: see ``geodata/thueringen/profile.toml``, which explains each."""

    name: str
    folder: Path
    title: str
    description: str
    lands: tuple[str, ...]
    synthetic: bool
    outputs: str
    publisher: Publisher
    licence: Licence
    base_url: str
    territory_date: date
    boundaries_date: date
    changes_until: date
    population_date: date
    wave: str
    thresholds: dict[str, float]
    gates: dict[str, float]
    target: str
    signature_key: str
    sources: tuple[Source, ...]

    @property
    def draft(self) -> bool:
        """Whether publisher, contact or public address are still missing ("Entwurf")."""
        return not (self.publisher.name and self.publisher.email and self.base_url)


def profile_names(geodata: Path) -> list[str]:
    """Names of the profiles in ``geodata``, sorted."""
    return sorted(path.parent.name for path in geodata.glob("*/profile.toml"))


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged


def _settings(geodata: Path, name: str) -> dict[str, Any]:
    path = geodata / name / "profile.toml"
    if not path.is_file():
        known = ", ".join(profile_names(geodata)) or "keine"
        raise WrongUsage(f"Das Profil „{name}“ gibt es nicht in {geodata}. Vorhanden: {known}.")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"{path}: die Datei ist kein gültiges TOML ({error}). Bitte berichtigen.") from None
    sources = {
        dataset: f"{path.parent / file}" if file else "" for dataset, file in settings.get("sources", {}).items()
    }
    settings["sources"] = sources
    if base := settings.pop("extends", None):
        return _merge(_settings(geodata, base), settings)
    return settings


def _source(dataset: str, reference: str) -> Source:
    file, _, sheet = reference.partition("#")
    return Source(dataset, Path(file), sheet or None)


def load_profile(geodata: Path, name: str) -> Profile:
    """Read ``geodata/<name>/profile.toml``.

    Raises ``WrongUsage`` when the profile does not exist, lacks a setting, or is synthetic and would publish to the
    place of real releases.
    """
    settings = _settings(geodata, name)
    try:
        territory = settings["territory"]
        profile = Profile(
            name=name,
            folder=geodata / name,
            title=settings["title"],
            description=settings["description"],
            lands=tuple(settings["lands"]),
            synthetic=settings["synthetic"],
            outputs=settings["outputs"],
            publisher=Publisher(**settings["publisher"]),
            licence=Licence(**settings["licence"]),
            base_url=settings["base_url"].rstrip("/"),
            territory_date=territory["date"],
            boundaries_date=territory["boundaries_date"],
            changes_until=territory["changes_until"],
            population_date=territory["population_date"],
            wave=settings["survey"]["wave"],
            thresholds=settings["thresholds"],
            gates=settings["gates"],
            target=settings["target"],
            signature_key=settings["signature_key"],
            sources=tuple(_source(key, value) for key, value in settings["sources"].items() if value),
        )
    except (KeyError, TypeError) as error:
        raise WrongUsage(
            f"{geodata / name / 'profile.toml'}: die Einstellung {error} fehlt oder ist falsch. "
            "Bitte nach geodata/thueringen/profile.toml ergänzen."
        ) from None
    if profile.synthetic and profile.outputs in ("", "."):
        raise WrongUsage(
            f"{geodata / name / 'profile.toml'}: ein synthetisches Profil braucht einen eigenen Ordner in „outputs“, "
            "damit Beispieldaten nie neben echten stehen."
        )
    return profile
