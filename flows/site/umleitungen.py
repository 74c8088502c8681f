"""Redirects to the pages of municipalities: from the bare key, and from other keys of the same land."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import duckdb

from flows.profile import Profile
from flows.site.facts import Row, grouped, rows
from flows.site.pages import Site, write_page

# Every other key that land of the map has had or will have, with the only municipality of the map in which all of that
# land lies, and a name that the key went by. Keys whose land lies in several are left out: they lead nowhere for sure,
# and a key of the map means itself. Where the changes do not reach the day of the map, its municipalities are found by
# their keys in the chain of changes (joined.key_history, with the changes of the newest territory).
OTHER_KEYS = """
WITH RECURSIVE chain AS (
    SELECT schluessel AS ags_basis, schluessel AS ags, CAST($3 AS DATE) AS seit
    FROM input.boundaries WHERE ebene = 'gemeinde'
    UNION
    SELECT chain.ags_basis, c.ags_neu, c.in_kraft_bis
    FROM chain JOIN staging.municipal_changes c
        ON c.ags_alt = chain.ags AND c.nach >= chain.seit AND c.nach < c.in_kraft_bis
),
targets AS (
    SELECT ags_basis, ags FROM joined.territory_crosswalk WHERE stand = $2
    UNION
    SELECT chain.ags_basis, chain.ags
    FROM chain JOIN staging.map_boundaries b ON b.ebene = 'gemeinde' AND b.schluessel = chain.ags
    WHERE NOT EXISTS (FROM joined.territory_crosswalk WHERE stand = $2)
),
lands AS (
    SELECT chain.ags, any_value(t.ags) AS ags_karte
    FROM chain JOIN targets t ON t.ags_basis = chain.ags_basis
    WHERE chain.ags NOT IN (SELECT ags FROM targets)
    GROUP BY chain.ags
    HAVING count(DISTINCT t.ags) = 1
),
names AS (
    SELECT schluessel AS ags, name FROM input.boundaries WHERE ebene = 'gemeinde'
    UNION SELECT ags_alt, gemeinde_alt FROM staging.municipal_changes
    UNION SELECT ags_neu, gemeinde_neu FROM staging.municipal_changes
)
SELECT l.ags_karte, l.ags, min(regexp_replace(n.name, ', Stadt$', '')) AS name
FROM lands l JOIN names n ON n.ags = l.ags
WHERE l.ags_karte IN (SELECT unnest($1))
GROUP BY ALL
ORDER BY l.ags
"""


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A key of land that the map shows under another one, and the name it went by."""

    ags: str
    name: str


def other_keys(con: duckdb.DuckDBPyConnection, profile: Profile, keys: Sequence[str]) -> list[Row]:
    """What leads to the municipalities ``keys`` of the map: ``ags_karte``, the other key ``ags`` and its ``name``."""
    return rows(con, OTHER_KEYS, list(keys), profile.territory_date, profile.boundaries_date)


def write_redirects(con: duckdb.DuckDBPyConnection, site: Site, pages: Mapping[str, str]) -> dict[str, list[OtherKey]]:
    """Write ``ort/<key>.html`` for every key that leads to one of ``pages`` (file by AGS).

    Returns the other keys of each municipality that has a page.
    """
    names = {row["ags"]: row["gemeinde"] for row in site.facts.municipalities}
    found = grouped(other_keys(con, site.run.profile, list(pages)), "ags_karte")
    others = {ags: [OtherKey(row["ags"], row["name"]) for row in found.get(ags, [])] for ags in pages}
    for ags, page in pages.items():
        for key in (OtherKey(ags, names[ags]), *others[ags]):
            write_page(
                site,
                f"{PurePosixPath(page).parent}/{key.ags}.html",
                names[ags],
                f"Weiterleitung vom Schlüssel {key.ags} zur Seite von {names[ags]}.",
                template="umleitung",
                key=key,
                ags=ags,
                name=names[ags],
                target=PurePosixPath(page).name,
                target_file=page,
            )
    return others
