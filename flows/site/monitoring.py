"""Page "Monitoring": Germany-wide figures by wave."""

from __future__ import annotations

import duckdb

from flows.site.pages import Site, write_page


def write_monitoring(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``monitoring.html``."""
    write_page(
        site, "monitoring.html", "Monitoring", "Kommunales Monitoring: bundesweite Kennzahlen nach Welle und Bezug."
    )
