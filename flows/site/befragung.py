"""Page "Befragung": the survey, its published figures and its frame."""

from __future__ import annotations

import duckdb

from flows.site.pages import Site, write_page


def write_survey(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``befragung.html``."""
    write_page(
        site,
        "befragung.html",
        "Befragung",
        f"Die Befragung {site.run.profile.wave}: was veröffentlicht ist und was nicht.",
    )
