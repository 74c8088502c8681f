"""Page "Methode und Stand": how the release is made, how old its sources are, what is missing."""

from __future__ import annotations

import duckdb

from flows.site.pages import Site, write_page


def write_method(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``methode.html``."""
    write_page(
        site, "methode.html", "Methode und Stand", "Wie die Karte entsteht, wie alt ihre Quellen sind und was fehlt."
    )
