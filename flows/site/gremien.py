"""Page "Gremien": every committee known from public evidence."""

from __future__ import annotations

import duckdb

from flows.site.pages import Site, write_page


def write_committees(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``gremien.html``."""
    write_page(site, "gremien.html", "Gremien", "Alle uns bekannten Präventionsgremien mit Status, Stand und Belegen.")
