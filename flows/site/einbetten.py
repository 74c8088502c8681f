"""Page for frames in other sites' pages: the map with its attribution and marks, without header and tables."""

from __future__ import annotations

from flows.site.facts import Row
from flows.site.pages import Site, write_page

FILE = "karte-einbetten.html"


def write_embedded(site: Site, content: Row) -> None:
    """Write ``karte-einbetten.html``; ``content`` is what the page "Karte" shows, too (``map_page``)."""
    write_page(site, FILE, "Karte", site.run.profile.description, map=content, embedded=True)
