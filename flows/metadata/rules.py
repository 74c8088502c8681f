"""What readers of a release must know, whichever file they open, and for which Länder it has what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flows import german
from flows.metadata.subjects import Subject
from flows.metadata.text import followed, land_names
from flows.profile import Profile

Land = Mapping[str, Any]
"""A row of ``release.land``."""

# What every reader must know, whichever file they open (truth rules 1, 3 and 4).
READING_RULES = (
    "Welche Stadt was geantwortet hat, steht nur in den Daten, wenn dafür eine Antwortdatei vorliegt; sonst gilt "
    "„nicht veröffentlicht“.",
    "Gremien beruhen auf öffentlichen Belegen. Ihr Status ist der des neuesten datierten Belegs und gilt nur für "
    "dieses Datum.",
    "Eine 0 oder eine leere Zelle bei den Gremien heißt „uns nicht bekannt“, nie „gibt es nicht“.",
    "Befragung, Gremien und Monitoring sind getrennte Quellen; keine Zahl ist aus mehreren davon errechnet.",
)


def recorded(land: Land) -> bool:
    """Whether a committee is recorded anywhere in a Land."""
    return land["gremien_bekannt"] is not None


def surveyed(land: Land) -> bool:
    """Whether the map's wave surveyed a town of a Land."""
    return bool(land["befragte_staedte"] > 0)


def coverage_rules(lands: Sequence[Land], wave: str) -> tuple[str, ...]:
    """What readers must know where committees or the map's ``wave`` are not recorded for every Land.

    Nobody can say of a Land without entries that there is nothing, nor that somebody looked (truth rule 3).
    """
    return tuple(
        _sentence(
            f"{' und '.join(subjects)} enthält diese Ausgabe nur für {names}; aus den übrigen Ländern ist dazu nichts "
            "erfasst. Das heißt nicht, dass es dort nichts gibt."
            if names
            else f"{' und '.join(subjects)} enthält diese Ausgabe nicht. Das heißt nicht, dass es keine gibt."
        )
        for names, subjects in _partly(lands, "Gremien", f"die Befragung {wave}" if wave else "").items()
    )


def coverage_rules_english(lands: Sequence[Land], wave: str) -> tuple[str, ...]:
    """``coverage_rules`` for readers of English."""
    return tuple(
        f"This release has {' and '.join(subjects)} for {names} only; for the other Länder nothing is recorded."
        if names
        else f"This release has no {' or '.join(subjects)}."
        for names, subjects in _partly(lands, "committees", f"the {wave} survey" if wave else "").items()
    )


def _partly(lands: Sequence[Land], committees: str, survey: str) -> dict[str, list[str]]:
    """What is not there for every Land, by the names of the Länder for which it is; nothing of a survey without one."""
    found = {
        committees: [row["land"] for row in lands if recorded(row)],
        survey: [row["land"] for row in lands if surveyed(row)],
    }
    partly: dict[str, list[str]] = {}
    for what, names in found.items():
        if what and len(names) < len(lands):
            partly.setdefault(", ".join(names), []).append(what)
    return partly


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def register_rules(profile: Profile, lands: Sequence[Land]) -> tuple[str, ...]:
    """What readers must know where populations or territory changes are known of some Länder only."""
    counted = [row["land"] for row in lands if row["einwohner"] is not None]
    rules = []
    if 0 < len(counted) < len(lands):
        rules.append(
            f"Einwohnerzahlen sind nur für {', '.join(counted)} vollständig bekannt; in den übrigen Ländern fehlen sie "
            "ganz oder zum Teil."
        )
    changed = followed(profile)
    if 0 < len(changed) < len(profile.lands):
        rules.append(
            f"Gebietsänderungen sind nur für {land_names(changed)} erfasst; die übrigen Länder stehen unverändert im "
            f"Gebietsstand der Grenzen ({german.day(profile.boundaries_date)})."
        )
    return tuple(rules)


# Whether a Land belongs to the area of a subject, by the subject's coverage.
COVERED: Mapping[str, Callable[[Land], bool]] = {
    "lands": lambda _: True,
    "committees": recorded,
    "survey": surveyed,
    "recorded": lambda land: recorded(land) or surveyed(land),
    "germany": lambda _: False,
}


def lands_of(subject: Subject, lands: Sequence[Land]) -> list[str]:
    """Keys of the release's Länder that a subject is about; none for one that is about Germany as a whole."""
    return [land["land_schluessel"] for land in lands if COVERED[subject.coverage](land)]


def described(subject: Subject, lands: Sequence[Land], wave: str) -> tuple[str, str]:
    """What a subject is about, in German and English, with the Länder for which the release has nothing of it."""
    if subject.coverage == "germany":
        return subject.description, subject.description_en
    german_rules, english_rules = coverage_rules(lands, wave), coverage_rules_english(lands, wave)
    return " ".join([subject.description, *german_rules]), " ".join([subject.description_en, *english_rules])


def reading_rules(profile: Profile, lands: Sequence[Land]) -> tuple[str, ...]:
    """All rules for readers of a release; ``lands`` are rows of ``release.land``."""
    return (*READING_RULES, *coverage_rules(lands, profile.wave), *register_rules(profile, lands))
