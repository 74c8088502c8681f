"""The open licences that a release may have, under the names that the metadata standards give them."""

from __future__ import annotations

from dataclasses import dataclass

from flows.errors import WrongUsage
from flows.profile import Licence


@dataclass(frozen=True, slots=True)
class KnownLicence:
    """A licence by its Open Definition / SPDX identifier and its URI in http://dcat-ap.de/def/licenses."""

    identifier: str
    uri: str


KNOWN = {
    "dl-de/by-2-0": KnownLicence("DL-DE-BY-2.0", "http://dcat-ap.de/def/licenses/dl-by-de/2.0"),
    "dl-de/zero-2-0": KnownLicence("DL-DE-ZERO-2.0", "http://dcat-ap.de/def/licenses/dl-zero-de/2.0"),
    "cc-by-4.0": KnownLicence("CC-BY-4.0", "http://dcat-ap.de/def/licenses/cc-by/4.0"),
    "cc-zero-1.0": KnownLicence("CC0-1.0", "http://dcat-ap.de/def/licenses/cc-zero"),
}


def known_licence(licence: Licence) -> KnownLicence:
    """What the standards call the profile's licence; raises ``WrongUsage`` for one that no catalogue would know."""
    if licence.name not in KNOWN:
        raise WrongUsage(
            f"profile.toml, [licence]: die Lizenz „{licence.name}“ ist nicht bekannt. Möglich: {', '.join(KNOWN)}."
        )
    return KNOWN[licence.name]
