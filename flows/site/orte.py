"""Pages "Ort": what is known of one municipality, to link, print and cite."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import duckdb

from flows.german import TRANSCRIBED
from flows.site.facts import Facts, Row, grouped
from flows.site.lage import write_locations
from flows.site.pages import Site, write_page
from flows.site.umleitungen import write_redirects

FOLDER = "ort"
# Mark of municipalities that belong to no association (code list verband_art).
ASSOCIATION_FREE = "50"


def place_file(ags: str, name: str) -> str:
    """The page of a municipality in the release: ``ort/01001000-flensburg.html``, ASCII letters, digits and hyphens."""
    spelled = unicodedata.normalize("NFKC", name).lower().translate(TRANSCRIBED)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode("ascii")
    return f"{FOLDER}/{ags}-{re.sub('[^a-z0-9]+', '-', plain).strip('-')}.html"


def place_pages(facts: Facts) -> dict[str, str]:
    """The pages by AGS: one per municipality of the survey or with a committee, first-named or shared."""
    known = facts.with_committees
    return {
        row["ags"]: place_file(row["ags"], row["gemeinde"])
        for row in facts.municipalities
        if row["in_befragung"] or row["ags"] in known
    }


def write_places(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``ort/<ags>-<name>.html`` and what leads there from bare and from other keys."""
    facts, pages = site.facts, place_pages(site.facts)
    locations = write_locations(con, site, list(pages))
    districts = {row["kreis_schluessel"]: row for row in facts.districts}
    lands = {row["land_schluessel"]: row["land"] for row in facts.lands}
    towns = {row["ags_karte"]: row for row in facts.towns}
    committees, hints = _committees_by_place(facts.committees), grouped(facts.hints, "ags")
    others = write_redirects(con, site, pages)
    wave, not_recorded = site.run.profile.wave, facts.not_recorded
    subjects = f"Präventionsgremien und die Befragung {wave}" if wave else "Präventionsgremien"
    for row in facts.municipalities:
        if (ags := row["ags"]) not in pages:
            continue
        write_page(
            site,
            pages[ags],
            row["gemeinde"],
            f"{row['gemeinde']}: was über {subjects} bekannt ist.",
            template="ort",
            row=row,
            town=towns.get(ags),
            district=districts[row["kreis_schluessel"]],
            land=lands[ags[:2]],
            shared_administration=row["verband_kennzeichen"] not in (None, ASSOCIATION_FREE),
            committees=committees.get(ags, []),
            recorded=ags[:2] not in not_recorded,
            hints=hints.get(ags, []),
            location=locations[ags],
            other_keys=others[ags],
            pages=pages,
        )


def _committees_by_place(committees: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    """The committees of each municipality, also of those that share one."""
    found: dict[str, list[Row]] = {}
    for row in committees:
        for place in row["places"]:
            found.setdefault(place["ags"], []).append(row)
    return found
