"""A profile: everything that one publication (a Land, a demonstration, all of Germany) sets, as data.

``geodata/<name>/profile.toml`` holds it; ``extends`` takes over another profile and replaces what is stated again.
"""

from __future__ import annotations

import difflib
import posixpath
import tomllib
from dataclasses import dataclass, replace
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
    """Function mailbox; also where readers report mistakes in a record."""
    url: str
    address: str
    represented_by: str
    """The function that answers for the office (no person's name), for the imprint."""
    contributor_id: str = ""
    """IRI in http://dcat-ap.de/def/contributors, where the publisher has one."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the privacy notice needs: the officer's function mailbox, and who delivers the pages and what that logs."""

    officer: str
    hosting: str


@dataclass(frozen=True, slots=True)
class Accessibility:
    """What the accessibility statement needs: how and when the pages were assessed and with what result, the mailbox
    for barriers, the body that settles disputes (name and address), and the rules that apply to the publisher.
    """

    assessed: str
    feedback: str
    enforcement: str
    law: str = ""


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
class Fetch:
    """A source that is fetched over the network or from a watched folder; ``[fetch.<name>]`` in the profile.

    ``kind`` says which product it is and so which datasets it yields; ``place`` is an https address or a folder;
    ``options`` are the settings of the kind (texts).
    """

    name: str
    kind: str
    place: str
    options: dict[str, str]
    pending: bool = False
    """Its product may not have come out yet, and nothing waits for it."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Whom the operation tells about failure, hold, staleness and recovery; empty: nobody.

    ``recipients`` and ``sender`` are function mailboxes. The mail server and the webhook's address hold secrets and
    come from the environment. ``silent_hours``: so long without a good run, and the freshness check alarms.
    """

    recipients: tuple[str, ...]
    sender: str
    silent_hours: float


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
    privacy: Privacy
    accessibility: Accessibility
    base_url: str
    territory_basis: str
    """``befragung``: the map shows the survey's territory; ``aktuell``: that of the newest boundary product."""
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
    fetches: tuple[Fetch, ...]
    warn_after: dict[str, int]
    """Days after which a dataset's source counts as old, by dataset: pages and runs say so."""
    hold_after: dict[str, int]
    """Days after which a dataset's source is too old to publish without a person's word, by dataset."""
    set_aside: tuple[str, ...]
    """Datasets of which a faulty record is set aside instead of refusing the whole release."""
    stale_after: float
    """Months after which a committee's newest evidence is listed for the office to look at again."""
    notices: Notices
    old: tuple[str, ...] = ()
    """Datasets whose source is older than ``warn_after`` on the day of the run; acquire finds them."""
    too_old: tuple[str, ...] = ()
    """Datasets whose source is older than ``hold_after`` on the day of the run; acquire finds them."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What the operator still has to fill in (German), in the order of the profile; empty: ready for the public."""
        return tuple(
            title for title, value in (
                ("Herausgeber", self.publisher.name),
                ("Anschrift", self.publisher.address),
                ("Vertretung", self.publisher.represented_by),
                ("Kontaktadresse", self.publisher.email),
                ("öffentliche Internetadresse", self.base_url),
                ("Datenschutzbeauftragte", self.privacy.officer),
                ("Angaben zur Auslieferung der Seiten", self.privacy.hosting),
                ("Bewertung der Barrierefreiheit", self.accessibility.assessed),
                ("Adresse für Barrieren", self.accessibility.feedback),
                ("Durchsetzungsstelle", self.accessibility.enforcement),
            ) if not value
        )  # fmt: skip

    @property
    def draft(self) -> bool:
        """Whether anything of what the law or a reader needs is still missing ("Entwurf")."""
        return bool(self.missing)


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
    "office.set_aside": list,
    "office.stale_months": float,
    "notices.recipients": list,
    "notices.sender": str,
    "notices.silent_hours": float,
}
# Sections whose keys are names that the profile chooses.
OPEN_SECTIONS = ("sources", "fetch", "warn_after_days", "hold_after_days")
TERRITORY_BASES = ("befragung", "aktuell")
# Datasets of records that stand for themselves.
MAY_WAIT = ("committees", "evidence", "hints", "monitoring", "resources")
# Published or written to: function mailboxes only (truth rule 5).
MAILBOXES = ("publisher.email", "privacy.officer", "accessibility.feedback", "notices.sender", "notices.recipients")
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


def on_basis(profile: Profile, basis: str | None) -> Profile:
    """The profile with another ``territory_basis`` (None: its own); raises ``WrongUsage`` for an unknown one."""
    if basis is None:
        return profile
    if basis not in TERRITORY_BASES:
        allowed = " oder ".join(f"„{known}“" for known in TERRITORY_BASES)
        raise WrongUsage(f"Der Gebietsstand „{basis}“ ist unbekannt; erlaubt ist {allowed}.")
    return replace(profile, territory_basis=basis)


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
    flat = _flat({key: value for key, value in settings.items() if key not in OPEN_SECTIONS})
    for key in flat.keys() - SETTINGS.keys():
        near = difflib.get_close_matches(key, SETTINGS, n=1)
        hint = f"Meinten Sie „{near[0]}“?" if near else "Bitte entfernen."
        raise WrongUsage(f"{path}: die Einstellung „{key}“ gibt es nicht. {hint}")
    for key, kind in SETTINGS.items():
        if key not in flat:
            raise WrongUsage(f"{path}: die Einstellung „{key}“ fehlt. Bitte ergänzen: {TYPE_WORDS[kind]}.")
        if not _fits(flat[key], kind):
            raise WrongUsage(f"{path}: die Einstellung „{key}“ ist {flat[key]!r}; erwartet wird {TYPE_WORDS[kind]}.")
    if flat["territory.basis"] not in TERRITORY_BASES:
        allowed = " oder ".join(f"„{basis}“" for basis in TERRITORY_BASES)
        raise WrongUsage(f"{path}: „territory.basis“ ist „{flat['territory.basis']}“; erlaubt ist {allowed}.")
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
    """Days are whole numbers; a fetch has texts only, of which ``kind`` and ``place`` must be there."""
    for section in ("warn_after_days", "hold_after_days"):
        for dataset, days in flat[section].items():
            if type(days) is not int or days < 0:
                raise WrongUsage(f"{path}: [{section}] {dataset} ist {days!r}; erwartet wird eine Zahl von Tagen.")
    for name, settings in flat["fetch"].items():
        given = settings if isinstance(settings, dict) else {}
        if not {"kind", "place"} <= given.keys() or not all(isinstance(value, str) for value in given.values()):
            raise WrongUsage(f"{path}: [fetch.{name}] braucht „kind“ und „place“; alle Angaben sind Texte.")


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


def _check_mailboxes(path: Path, flat: dict[str, Any]) -> None:
    """Addresses are a function's mailbox, never a person's (truth rule 5)."""
    known = {code.code for code in code_list("funktionspostfach")}
    for setting in MAILBOXES:
        given = flat[setting]
        for address in given if isinstance(given, list) else [given]:
            mailbox = address.partition("@")[0].lower()
            if mailbox and mailbox not in known:
                raise WrongUsage(
                    f"{path}: „{setting}“ ist {address}; veröffentlicht werden nur Funktionspostfächer. "
                    "Ist es eines, dann bitte in geodata/contracts/codes/funktionspostfach.csv ergänzen."
                )


def _source(dataset: str, reference: str) -> Source:
    file, _, sheet = reference.partition("#")
    return Source(dataset, Path(file), sheet or None)


def _fetch(name: str, settings: dict[str, str]) -> Fetch:
    options = {key: value for key, value in settings.items() if key not in ("kind", "place")}
    return Fetch(name, settings["kind"], settings["place"], options)


def _part(flat: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings of one section, without its name."""
    return {key.removeprefix(f"{name}."): value for key, value in flat.items() if key.startswith(f"{name}.")}


def load_profile(geodata: Path, name: str) -> Profile:
    """Read ``geodata/<name>/profile.toml``.

    Raises ``WrongUsage`` when the profile does not exist, extends itself, has a setting that is missing, unknown or of
    the wrong type or not allowed, is synthetic and would publish to the place of real releases, or names a person's
    mailbox.
    """
    path = geodata / name / "profile.toml"
    flat = _checked(path, _settings(geodata, name))
    _check_place(path, flat)
    _check_open_sections(path, flat)
    _check_set_aside(path, flat)
    _check_mailboxes(path, flat)
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
        privacy=Privacy(**_part(flat, "privacy")),
        accessibility=Accessibility(**_part(flat, "accessibility")),
        base_url=flat["base_url"].rstrip("/"),
        territory_basis=flat["territory.basis"],
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
        fetches=tuple(_fetch(key, value) for key, value in flat["fetch"].items()),
        warn_after=flat["warn_after_days"],
        hold_after=flat["hold_after_days"],
        set_aside=tuple(flat["office.set_aside"]),
        stale_after=flat["office.stale_months"],
        notices=Notices(tuple(flat["notices.recipients"]), flat["notices.sender"], flat["notices.silent_hours"]),
    )
