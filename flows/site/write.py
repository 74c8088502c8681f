"""The site of a release, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from flows.contracts import Contract
from flows.run import Run
from flows.site.angebote import write_offers
from flows.site.befragung import write_survey
from flows.site.bericht import write_report
from flows.site.daten import write_data
from flows.site.facts import read_facts
from flows.site.feed import write_feed
from flows.site.gremien import write_committees
from flows.site.karte import write_map
from flows.site.methode import write_method
from flows.site.monitoring import write_monitoring
from flows.site.orte import write_places
from flows.site.pages import Site
from flows.site.rechtliches import write_legal
from flows.site.sitemap import write_sitemap
from flows.site.vorschau import write_preview

PAGES = (
    write_map,
    write_preview,
    write_places,
    write_committees,
    write_report,
    write_survey,
    write_monitoring,
    write_offers,
    write_method,
    write_legal,
    write_feed,
    write_data,
    write_sitemap,
)


def write_site(
    con: duckdb.DuckDBPyConnection, run: Run, contracts: Sequence[Contract], files: Mapping[str, int]
) -> None:
    """Write every page into the package, after ``copy_assets``; ``files`` are the sizes of what lies there already."""
    site = Site(run, contracts, read_facts(con, run, contracts), files)
    for write in PAGES:
        write(con, site)
