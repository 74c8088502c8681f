"""The pages that the law asks for: imprint, privacy notice, accessibility statement; all from the profile.

What the profile leaves empty is said to be missing; legal statements are never made up.
"""

from __future__ import annotations

import duckdb

from flows.site.pages import LEGAL, Site, write_page


def write_legal(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``impressum.html``, ``datenschutz.html`` and ``barrierefreiheit.html``."""
    for file, title in LEGAL:
        write_page(site, file, title, f"{title} – {site.run.profile.title}")
