"""Page "Methode und Stand": how the release is made, how old its sources are, what is missing."""

from __future__ import annotations

import duckdb

from flows.ages import retrieved_day
from flows.database import sql_files
from flows.load import read_rows
from flows.metadata.quality import waiting
from flows.metadata.rules import register_rules
from flows.metadata.text import land_names
from flows.provenance import read_manifest
from flows.site.facts import Row, rows
from flows.site.pages import Site, write_page

GAPS = """
SELECT
    (SELECT count(*) FROM release.gemeinden WHERE einwohner IS NULL AND NOT gemeindefrei) AS gemeinden_ohne_einwohner,
    (SELECT count(*) FROM release.gremien_belege) AS belege,
    (SELECT count(*) FROM release.gremien_belege WHERE belegt_am IS NULL) AS belege_ohne_datum,
    (SELECT count(*) FROM release.hinweise) AS hinweise,
    (SELECT count(*) FROM release.hinweise WHERE datum IS NULL) AS hinweise_ohne_datum,
    count(*) FILTER (WHERE status_stand IS NULL) AS gremien_ohne_stand,
    count(*) FILTER (WHERE gegruendet_jahr IS NULL) AS ohne_gruendung,
    count(*) FILTER (WHERE vorsitz IS NULL) AS ohne_vorsitz,
    count(*) FILTER (WHERE turnus IS NULL) AS ohne_turnus,
    count(*) FILTER (WHERE themen IS NULL) AS ohne_themen,
    count(*) FILTER (WHERE mitglieder IS NULL) AS ohne_mitglieder,
    count(*) FILTER (WHERE evtl_identisch_mit IS NOT NULL) AS evtl_identisch
FROM release.gremien
"""


def write_method(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``methode.html``."""
    profile = site.run.profile
    kept, new = waiting(con, site.run)
    write_page(
        site,
        "methode.html",
        "Methode und Stand",
        "Wie die Karte entsteht, wie alt ihre Quellen sind und was fehlt.",
        inputs=_inputs(con, site),
        gaps=rows(con, GAPS)[0],
        register_rules=register_rules(profile, site.facts.lands),
        kept=kept,
        new=new,
        checks=len(sql_files("checks")),
        followed=land_names(profile.changes_lands),
        others=profile.territory_basis == "befragung" and bool(set(profile.lands) - set(profile.changes_lands)),
    )


def _inputs(con: duckdb.DuckDBPyConnection, site: Site) -> list[Row]:
    """Every source as acquire took it, with its rows, the day it was retrieved (None: not known), the limit after which
    it counts as old, and the limit that it has crossed (days; None: none).
    """
    profile, counts = site.run.profile, read_rows(con)
    crossed = {dataset: profile.warn_after[dataset] for dataset in profile.old}
    crossed |= {dataset: profile.hold_after[dataset] for dataset in profile.too_old}
    return [
        record
        | {
            "day": retrieved_day(record["retrieved"]),
            "rows": counts[dataset],
            "limit": profile.warn_after.get(dataset, profile.hold_after.get(dataset)),
            "crossed": crossed.get(dataset),
        }
        for dataset, record in read_manifest(site.run)["eingaben"].items()
    ]
