"""The settings of a ``profile.toml``: read, completed by those of the profile that it extends, and checked.

What each setting means is said in ``geodata/thueringen/profile.toml``.
"""

from __future__ import annotations

import difflib
import posixpath
import re
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from flows.contracts import code_list
from flows.errors import WrongUsage
from flows.paths import CONTRACTS

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
    "publisher.address": str,
    "publisher.represented_by": str,
    "publisher.contributor_id": str,
    "privacy.officer": str,
    "privacy.hosting": str,
    "accessibility.law": str,
    "accessibility.assessed": str,
    "accessibility.feedback": str,
    "accessibility.enforcement": str,
    "licence.name": str,
    "licence.title": str,
    "licence.url": str,
    "territory.basis": str,
    "territory.date": date,
    "territory.boundaries_date": date,
    "territory.changes_until": date,
    "territory.changes_lands": list,
    "territory.population_date": date,
    "survey.wave": str,
    "thresholds.area_difference": float,
    "thresholds.page_map_bytes": float,
    "formats.tiles": bool,
    "gates.rows_lost": float,
    "gates.keys_changed": float,
    "gates.values_changed": float,
    "gates.nulls_gained": float,
    "gates.totals_moved": float,
    "gates.area_lost": float,
    "gates.area_moved": float,
    "gates.smallest": float,
    "office.set_aside": list,
    "office.stale_months": float,
    "notices.recipients": list,
    "notices.sender": str,
    "notices.silent_hours": float,
    "runner.dask_address": str,
}
# Sections whose keys are names that the profile chooses.
OPEN_SECTIONS = ("sources", "fetch", "warn_after_days", "hold_after_days")
TERRITORY_BASES = ("befragung", "aktuell")
ALLOWED_BASES = " oder ".join(f"„{basis}“" for basis in TERRITORY_BASES)
# Datasets of records that stand for themselves.
MAY_WAIT = ("committees", "evidence", "hints", "monitoring", "resources")
# Published: function mailboxes only (truth rule 5). Who is sent the notices is nobody else's business.
MAILBOXES = ("publisher.email", "privacy.officer", "accessibility.feedback")
TYPE_WORDS = {
    str: "ein Text in Anführungszeichen",
    list: "eine Liste von Texten",
    bool: "true oder false",
    date: "ein Datum der Form 2020-06-30 ohne Anführungszeichen",
    float: "eine Zahl",
}
LAND_KEY = re.compile(r"[0-9]{2}")
# A name or an address, that of IPv6 in brackets; Dask assumes no port.
DASK_ADDRESS = re.compile(r"(?:tcp|tls)://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})", re.ASCII)
LAST_PORT = 65_535
# What lies in the folder of a profile's releases (``flows.store``). What is put below the public ones of these names is
# public, whatever it is; below the others it could not be read.
OWN_NAMES = (
    "releases", "releases.json", "latest", "latest.json", "held", "inputs", "sources", "reports", "pruefung"
)  # fmt: skip
# Where a profile publishes is its own affair: two profiles in one place would overwrite each other, and synthetic
# releases must never stand where real ones do (truth rule 2). ``outputs`` is the profile's own name, if it states none.
NEVER_INHERITED = {"target": "", "base_url": ""}


def profile_names(geodata: Path) -> list[str]:
    """Names of the profiles in ``geodata``, sorted."""
    return sorted(path.parent.name for path in geodata.glob("*/profile.toml"))


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = _merge(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
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
    except UnicodeDecodeError:
        raise WrongUsage(f"{path}: die Datei ist nicht in UTF-8 gespeichert. Bitte neu speichern.") from None
    for section in OPEN_SECTIONS:
        if not isinstance(settings.get(section, {}), dict):
            raise WrongUsage(f"{path}: „{section}“ ist ein Abschnitt und wird [{section}] geschrieben.")
    files = settings.get("sources", {})
    for setting, value in (
        ("extends", settings.get("extends", "")),
        *((f"sources.{key}", files[key]) for key in files),
    ):
        if not isinstance(value, str):
            raise WrongUsage(f"{path}: die Einstellung „{setting}“ ist {value!r}; erwartet wird {TYPE_WORDS[str]}.")
    settings["sources"] = {dataset: f"{path.parent / file}" if file else "" for dataset, file in files.items()}
    if base := settings.pop("extends", None):
        inherited = _settings(geodata, base, (*extending, name))
        return _merge(inherited | NEVER_INHERITED | {"outputs": name}, settings)
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


def _hint(word: str, known: Iterable[str]) -> str:
    """What to do about a name that does not exist."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Meinten Sie „{near[0]}“?" if near else "Bitte entfernen."


def _checked(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings by dotted name; raises ``WrongUsage`` for one that is missing, unknown or of the wrong type."""
    flat = _flat({key: value for key, value in settings.items() if key not in OPEN_SECTIONS})
    for key in sorted(flat.keys() - SETTINGS.keys()):
        raise WrongUsage(f"{path}: die Einstellung „{key}“ gibt es nicht. {_hint(key, SETTINGS)}")
    for key, kind in SETTINGS.items():
        if key not in flat:
            raise WrongUsage(f"{path}: die Einstellung „{key}“ fehlt. Bitte ergänzen: {TYPE_WORDS[kind]}.")
        if not _fits(flat[key], kind):
            raise WrongUsage(f"{path}: die Einstellung „{key}“ ist {flat[key]!r}; erwartet wird {TYPE_WORDS[kind]}.")
    if flat["territory.basis"] not in TERRITORY_BASES:
        raise WrongUsage(f"{path}: „territory.basis“ ist „{flat['territory.basis']}“; erlaubt ist {ALLOWED_BASES}.")
    return flat | {section: settings.get(section, {}) for section in OPEN_SECTIONS}


def _check_set_aside(path: Path, flat: dict[str, Any]) -> None:
    """Only what the office keeps as records of their own may wait; answers of a survey are published whole or not."""
    for dataset in flat["office.set_aside"]:
        if dataset not in MAY_WAIT:
            raise WrongUsage(
                f"{path}: „office.set_aside“ nennt {dataset}; zurückstellen lassen sich nur Einträge von "
                f"{', '.join(MAY_WAIT)}."
            )


def _check_open_sections(path: Path, flat: dict[str, Any]) -> None:
    """Days are whole numbers, for datasets that exist: a limit with a misspelt name would never be crossed. A fetch has
    texts only, of which ``kind`` and ``place`` must be there.
    """
    datasets = [contract.stem for contract in sorted((CONTRACTS / "input").glob("*.json"))]
    for section in ("warn_after_days", "hold_after_days"):
        for dataset, days in flat[section].items():
            if dataset not in datasets:
                raise WrongUsage(
                    f"{path}: [{section}] nennt „{dataset}“; diesen Datensatz gibt es nicht. {_hint(dataset, datasets)}"
                )
            if type(days) is not int or days < 0:
                raise WrongUsage(f"{path}: [{section}] {dataset} ist {days!r}; erwartet wird eine Zahl von Tagen.")
    for name, settings in flat["fetch"].items():
        given = settings if isinstance(settings, dict) else {}
        if not {"kind", "place"} <= given.keys() or not all(isinstance(value, str) for value in given.values()):
            raise WrongUsage(f"{path}: [fetch.{name}] braucht „kind“ und „place“; alle Angaben sind Texte.")


def _check_lands(path: Path, flat: dict[str, Any]) -> None:
    """A profile names its Länder, each once, and follows the changes of none but these. Whether there are such Länder
    is what the boundaries say (``sql/checks/missing_lands.sql``).
    """
    if not flat["lands"]:
        raise WrongUsage(f'{path}: „lands“ ist leer. Bitte die Schlüssel der Länder nennen, etwa ["16"].')
    for setting in ("lands", "territory.changes_lands"):
        keys = flat[setting]
        for key in keys:
            if not LAND_KEY.fullmatch(key):
                raise WrongUsage(f"{path}: „{setting}“ nennt „{key}“; ein Landesschlüssel hat zwei Ziffern, etwa „16“.")
            if keys.count(key) > 1:
                raise WrongUsage(f"{path}: „{setting}“ nennt {key} mehrmals. Bitte nur einmal nennen.")
    for key in flat["territory.changes_lands"]:
        if key not in flat["lands"]:
            raise WrongUsage(
                f"{path}: „territory.changes_lands“ nennt {key}; dieses Land steht nicht in „lands“. Bitte eines von "
                "beiden berichtigen; was das Profil nicht selbst nennt, hat es von dem, das es erweitert."
            )


def _check_runner(path: Path, flat: dict[str, Any]) -> None:
    """The address of a cluster is one; whether anybody answers there turns out when it is asked."""
    address = flat["runner.dask_address"]
    found = DASK_ADDRESS.fullmatch(address)
    if address and not (found and 0 < int(found["port"]) <= LAST_PORT):
        raise WrongUsage(
            f"{path}: „runner.dask_address“ ist „{address}“; erwartet wird tcp://RECHNER:PORT oder tls://RECHNER:PORT, "
            "etwa tcp://10.0.0.5:8786."
        )


def _check_place(path: Path, flat: dict[str, Any]) -> None:
    """Releases stay below the outputs folder, apart from what others publish or keep there, and synthetic ones in a
    folder of their own.
    """
    place = posixpath.normpath(flat["outputs"])
    if place.startswith(("..", "/")):
        raise WrongUsage(
            f"{path}: „outputs“ muss ein Ordner innerhalb der Ausgaben sein, ist aber „{flat['outputs']}“."
        )
    for part in PurePosixPath(place).parts:
        if part.startswith(".") or part.lower() in OWN_NAMES:
            raise WrongUsage(
                f"{path}: „outputs“ ist „{flat['outputs']}“; kein Teil davon darf mit einem Punkt beginnen oder heißen "
                f"wie etwas in den Ausgaben selbst ({', '.join(OWN_NAMES)}). Bitte anders nennen."
            )
    if flat["synthetic"] and place == ".":
        raise WrongUsage(
            f"{path}: ein synthetisches Profil braucht einen eigenen Ordner in „outputs“, "
            "damit Beispieldaten nie neben echten stehen."
        )


def _check_mailboxes(path: Path, flat: dict[str, Any]) -> None:
    """Addresses that are published are a function's mailbox, never a person's (truth rule 5)."""
    known = [code.code for code in code_list("funktionspostfach")]
    for setting in MAILBOXES:
        address = flat[setting]
        mailbox = address.partition("@")[0].lower()
        if mailbox and mailbox not in known:
            raise WrongUsage(
                f"{path}: „{setting}“ ist {address}; veröffentlicht werden nur Funktionspostfächer. Erlaubt ist vor "
                f"dem @: {', '.join(known)}. Ist auch dieses eines, dann bitte in "
                f"{CONTRACTS / 'codes' / 'funktionspostfach.csv'} ergänzen."
            )


def read_settings(geodata: Path, name: str) -> dict[str, Any]:
    """The checked settings of ``geodata/<name>/profile.toml`` by dotted name, the open sections whole.

    Raises ``WrongUsage`` when the profile does not exist, extends itself, has a setting that is missing, unknown or of
    the wrong type or not allowed, is synthetic and would publish to the place of real releases, would publish to a
    place that is no profile's own, or names a person's mailbox.
    """
    path = geodata / name / "profile.toml"
    flat = _checked(path, _settings(geodata, name))
    _check_lands(path, flat)
    _check_place(path, flat)
    _check_runner(path, flat)
    _check_open_sections(path, flat)
    _check_set_aside(path, flat)
    _check_mailboxes(path, flat)
    return flat
