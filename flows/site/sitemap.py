"""``sitemap.xml``: the pages for search engines (https://www.sitemaps.org/protocol.html), once the release is public.

The addresses are those under ``latest/``: a search should lead to the newest release, a citation names its own.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import duckdb

from flows.profile import Profile
from flows.site.environment import environment
from flows.site.pages import Site

FILE = "sitemap.xml"
# Pages that ask not to be listed, or only lead on to another one.
UNLISTED = (b'name="robots" content="noindex', b'http-equiv="refresh"')


def is_listed(profile: Profile) -> bool:
    """Whether search engines may list the release: a draft and a synthetic one are not to be found."""
    return not (profile.draft or profile.synthetic)


def _listed(page: Path) -> bool:
    content = page.read_bytes()
    return not any(mark in content for mark in UNLISTED)


def write_sitemap(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``sitemap.xml`` over the pages in the package, if they may be listed."""
    run = site.run
    if not is_listed(run.profile):
        return
    pages = sorted(page.relative_to(run.package).as_posix() for page in run.package.rglob("*.html") if _listed(page))
    names = ["" if page == "index.html" else quote(page) for page in pages]
    template = environment().get_template(f"{FILE}.j2")
    text = template.render(addresses=[f"{run.profile.base_url}/latest/{name}" for name in names], day=run.day)
    (run.package / FILE).write_text(f"{text}\n", encoding="utf-8")
