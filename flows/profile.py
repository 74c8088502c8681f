"""A profile: everything that one publication (a Land, a demonstration, all of Germany) sets, as data.

``geodata/<name>/profile.toml`` holds it; ``extends`` takes over another profile and replaces what is stated again.
"""

from __future__ import annotations

import difflib
import posixpath
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.contracts import code_list
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


# Every setting with its type; a profile states each of them or takes it from the one that it extends.
SETTINGS: dict[str, type] = {
    "title": str,
    "description": str,
    "lands": list,
    "synthetic": bool,
    "outputs": str,
    "target": str,
    "signature_key": str,
    "base_url": str,
    "publisher.name": str,
    "publisher.email": str,
    "publisher.url": str,
    "publisher.contributor_id": str,
    "licence.name": str,
    "licence.title": str,
    "licence.url": str,
    "territory.date": date,
    "territory.boundaries_date": date,
    "territory.changes_until": date,
    "territory.population_date": date,
    "survey.wave": str,
    "thresholds.area_difference": float,
    "thresholds.page_map_bytes": float,
    "gates.rows_lost": float,
    "gates.keys_changed": float,
    "gates.values_changed": float,
    "gates.nulls_gained": float,
    "gates.totals_moved": float,
    "gates.area_lost": float,
    "gates.area_moved": float,
    "gates.smallest": float,
}
TYPE_WORDS = {
    str: "ein Text in Anführungszeichen",
    list: "eine Liste von Texten",
    bool: "true oder false",
    date: "ein Datum der Form 2020-06-30 ohne Anführungszeichen",
    float: "eine Zahl",
}
# Where a profile publishes is its own affair: two profiles in one place would overwrite each other, and synthetic
# releases must never stand where real ones do (truth rule 2).
NEVER_INHERITED = {"target": "", "base_url": ""}


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged


def _settings(geodata: Path, name: str, extending: tuple[str, ...] = ()) -> dict[str, Any]:
    path = geodata / name / "profile.toml"
    if not path.is_file():
        known = ", ".join(profile_names(geodata)) or "keine"
        raise WrongUsage(f"Das Profil „{name}“ gibt es nicht in {geodata}. Vorhanden: {known}.")
    if name in extending:
        raise WrongUsage(f"{path}: das Profil erweitert sich selbst. Bitte „extends“ berichtigen.")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"{path}: die Datei ist kein gültiges TOML ({error}). Bitte berichtigen.") from None
    settings["sources"] = {
        dataset: f"{path.parent / file}" if file else "" for dataset, file in settings.get("sources", {}).items()
    }
    if base := settings.pop("extends", None):
        return _merge(_settings(geodata, base, (*extending, name)) | NEVER_INHERITED, settings)
    return settings


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    # A datetime is a date to Python, but not the day that is meant.
    return type(value) is kind


def _checked(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings by dotted name; raises ``WrongUsage`` for one that is missing, unknown or of the wrong type."""
    sources = settings["sources"]
    flat = _flat({key: value for key, value in settings.items() if key != "sources"})
    for key in flat.keys() - SETTINGS.keys():
        near = difflib.get_close_matches(key, SETTINGS, n=1)
        hint = f"Meinten Sie „{near[0]}“?" if near else "Bitte entfernen."
        raise WrongUsage(f"{path}: die Einstellung „{key}“ gibt es nicht. {hint}")
    for key, kind in SETTINGS.items():
        if key not in flat:
            raise WrongUsage(f"{path}: die Einstellung „{key}“ fehlt. Bitte ergänzen: {TYPE_WORDS[kind]}.")
        if not _fits(flat[key], kind):
            raise WrongUsage(f"{path}: die Einstellung „{key}“ ist {flat[key]!r}; erwartet wird {TYPE_WORDS[kind]}.")
    return flat | {"sources": sources}


def _check_place(path: Path, flat: dict[str, Any]) -> None:
    """Releases stay below the outputs folder, and synthetic ones in a folder of their own."""
    place = posixpath.normpath(flat["outputs"])
    if place.startswith(("..", "/")):
        raise WrongUsage(
            f"{path}: „outputs“ muss ein Ordner innerhalb der Ausgaben sein, ist aber „{flat['outputs']}“."
        )
    if flat["synthetic"] and place == ".":
        raise WrongUsage(
            f"{path}: ein synthetisches Profil braucht einen eigenen Ordner in „outputs“, "
            "damit Beispieldaten nie neben echten stehen."
        )


def _check_contact(path: Path, flat: dict[str, Any]) -> None:
    """The published contact is a function's mailbox, never a person's (truth rule 5)."""
    mailbox = flat["publisher.email"].partition("@")[0].lower()
    if mailbox and mailbox not in {code.code for code in code_list("funktionspostfach")}:
        raise WrongUsage(
            f"{path}: „publisher.email“ ist {flat['publisher.email']}; veröffentlicht werden nur Funktionspostfächer. "
            "Ist es eines, dann bitte in geodata/contracts/codes/funktionspostfach.csv ergänzen."
        )


def _source(dataset: str, reference: str) -> Source:
    file, _, sheet = reference.partition("#")
    return Source(dataset, Path(file), sheet or None)


def _part(flat: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings of one section, without its name."""
    return {key.removeprefix(f"{name}."): value for key, value in flat.items() if key.startswith(f"{name}.")}


def load_profile(geodata: Path, name: str) -> Profile:
    """Read ``geodata/<name>/profile.toml``.

    Raises ``WrongUsage`` when the profile does not exist, extends itself, has a setting that is missing, unknown or of
    the wrong type, is synthetic and would publish to the place of real releases, or names a person's mailbox.
    """
    path = geodata / name / "profile.toml"
    flat = _checked(path, _settings(geodata, name))
    _check_place(path, flat)
    _check_contact(path, flat)
    return Profile(
        name=name,
        folder=geodata / name,
        title=flat["title"],
        description=flat["description"],
        lands=tuple(flat["lands"]),
        synthetic=flat["synthetic"],
        outputs=posixpath.normpath(flat["outputs"]),
        publisher=Publisher(**_part(flat, "publisher")),
        licence=Licence(**_part(flat, "licence")),
        base_url=flat["base_url"].rstrip("/"),
        territory_date=flat["territory.date"],
        boundaries_date=flat["territory.boundaries_date"],
        changes_until=flat["territory.changes_until"],
        population_date=flat["territory.population_date"],
        wave=flat["survey.wave"],
        thresholds=_part(flat, "thresholds"),
        gates=_part(flat, "gates"),
        target=flat["target"],
        signature_key=flat["signature_key"],
        sources=tuple(_source(key, value) for key, value in flat["sources"].items() if value),
    )
