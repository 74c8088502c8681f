"""How old the sources are, by the profile's limits: old enough to say so, or too old to publish without a person.

A release says only *that* a source is old, never how many days: the days differ every night, and a release must not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.findings import Finding
from flows.german import day as german_day
from flows.german import number
from flows.profile import Profile

FRESH, OLD, TOO_OLD, UNKNOWN = "frisch", "alt", "zu_alt", "unbekannt"


@dataclass(frozen=True, slots=True)
class Age:
    """How old the source of a dataset is: the day on which it was last retrieved or confirmed, its days since then,
    and ``frisch``, ``alt``, ``zu_alt`` or (its day is not known, and it never counts as old) ``unbekannt``.
    """

    dataset: str
    day: date | None
    days: int | None
    state: str

    @property
    def text(self) -> str:
        """The age in words."""
        if self.day is None or self.days is None:
            return f"{self.dataset}: Tag des Abrufs unbekannt"
        return f"{self.dataset}: Stand vom {german_day(self.day)}, {number(self.days)} Tage alt"


def retrieved_day(text: str) -> date | None:
    """The day in a sidecar's ``retrieved``; None for "übernommen"."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def age_of(dataset: str, retrieved: date | None, today: date, profile: Profile) -> Age:
    """The age of one dataset's source on a day. A limit of n days is crossed on day n + 1."""
    if retrieved is None:
        return Age(dataset, None, None, UNKNOWN)
    days = max(0, (today - retrieved).days)
    state = FRESH
    if dataset in profile.warn_after and days > profile.warn_after[dataset]:
        state = OLD
    if dataset in profile.hold_after and days > profile.hold_after[dataset]:
        state = TOO_OLD
    return Age(dataset, retrieved, days, state)


def ages_of(
    sidecars: Mapping[str, Mapping[str, Any]], confirmed: Mapping[str, date], today: date, profile: Profile
) -> tuple[Age, ...]:
    """The ages of all sources: ``sidecars`` by dataset with ``retrieved``; what was fetched is as old as the last time
    that its source ``confirmed`` it, however long it has not changed.
    """
    return tuple(
        age_of(dataset, confirmed.get(dataset) or retrieved_day(sidecar["retrieved"]), today, profile)
        for dataset, sidecar in sidecars.items()
    )


def old_sources(ages: Iterable[Age], *states: str) -> tuple[str, ...]:
    """Datasets whose age is one of ``states``, sorted."""
    return tuple(sorted(age.dataset for age in ages if age.state in states))


def age_notes(ages: Iterable[Age]) -> list[str]:
    """What the operator reads of old sources."""
    words = {OLD: "ist alt, bitte erneuern", TOO_OLD: "ist zu alt, die Ausgabe wartet auf Freigabe"}
    return [f"{age.text}; das {words[age.state]}." for age in ages if age.state in words]


def too_old_findings(profile: Profile) -> list[Finding]:
    """Why a release is held for its sources (``profile`` as settled by acquire); empty when it is not."""
    return [
        Finding(
            "zu_alt",
            dataset,
            f"die Quelle ist älter als die {number(profile.hold_after[dataset])} Tage, die das Profil erlaubt.",
            "Bitte die Quelle erneuern, oder die Ausgabe ansehen und mit `praevkarte approve` freigeben.",
        )
        for dataset in profile.too_old
    ]
