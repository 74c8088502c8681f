"""Page "Angebote": guides and reports by topic, what for whom, where to get them."""

from __future__ import annotations

import duckdb

from flows.site.facts import grouped
from flows.site.pages import Site, write_page


def write_offers(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``angebote.html``."""
    by_topic = grouped(site.facts.offers, "thema")
    topics = site.facts.codes["angebote", "thema"]
    write_page(
        site,
        "angebote.html",
        "Angebote",
        "Leitfäden, Handreichungen und Berichte für Kommunen.",
        topics=[(code, by_topic[key]) for key, code in topics.items() if key in by_topic],
    )
