"""A profile: everything that one publication (a Land, a demonstration, all of Germany) sets, as data.

``geodata/<name>/profile.toml`` holds it; ``extends`` takes over another profile and replaces what is stated again.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from flows.errors import WrongUsage
from flows.settings import ALLOWED_BASES, TERRITORY_BASES, read_settings

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
    changes_lands: tuple[str, ...]
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
    tiles: bool = True
    """Whether the release has vector tiles (PMTiles)."""
    dask_address: str = ""
    """Scheduler of the Dask cluster that ``--runner dask`` uses; empty: a small one on this machine."""

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

    def territory_of(self, land: str) -> date:
        """The day to which the map shows the territory of a Land (two digits)."""
        followed = self.territory_basis == "aktuell" or land in self.changes_lands
        return self.territory_date if followed else self.boundaries_date

    @property
    def draft(self) -> bool:
        """Whether anything of what the law or a reader needs is still missing ("Entwurf")."""
        return bool(self.missing)


def on_basis(profile: Profile, basis: str | None) -> Profile:
    """The profile with another ``territory_basis`` (None: its own); raises ``WrongUsage`` for an unknown one."""
    if basis is None:
        return profile
    if basis not in TERRITORY_BASES:
        raise WrongUsage(f"Der Gebietsstand „{basis}“ ist unbekannt; erlaubt ist {ALLOWED_BASES}.")
    return replace(profile, territory_basis=basis)


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
    """Read ``geodata/<name>/profile.toml``; raises ``WrongUsage`` for what ``flows.settings`` finds wrong with it."""
    flat = read_settings(geodata, name)
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
        changes_lands=tuple(flat["territory.changes_lands"]),
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
        tiles=flat["formats.tiles"],
        dask_address=flat["runner.dask_address"],
    )
