"""Page "Angebote": guides and reports, what for whom, where to get them."""

from __future__ import annotations

import duckdb

from flows.site.pages import Site, write_page


def write_offers(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``angebote.html``."""
    write_page(site, "angebote.html", "Angebote", "Leitfäden, Handreichungen und Berichte für Kommunen.")
