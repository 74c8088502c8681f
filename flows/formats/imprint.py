"""What a file that holds the whole release says about itself: title, licence, attributions, day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from flows.profile import SYNTHETIC_MARK, Licence, Profile

# Name without ending of the files that hold several datasets: GeoPackage, PMTiles, QGIS project.
STEM = "praeventionskarte"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What a source wants to be named as, and the address of the source (empty where it has none)."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Imprint:
    """Facts about a release for the containers' own metadata."""

    title: str
    description: str
    release_id: str
    day: date
    licence: Licence
    attributions: tuple[Attribution, ...]


def imprint(profile: Profile, release_id: str, day: date, sources: Iterable[Mapping[str, str]]) -> Imprint:
    """The imprint of a release of ``profile``; title and description of a synthetic one carry its mark.

    ``sources`` are records with ``attribution`` and, where there is one, ``path`` (an address), as
    ``datapackage.json`` lists them.
    """
    title, description = profile.title, profile.description
    if profile.synthetic:
        title, description = f"{title} – {SYNTHETIC_MARK}", f"{SYNTHETIC_MARK}. {description}"
    attributions = tuple(Attribution(source["attribution"], source.get("path", "")) for source in sources)
    return Imprint(title, description, release_id, day, profile.licence, attributions)
