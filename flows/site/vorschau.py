"""``vorschau.png``: the picture of a release that networks and messengers show beside a link to it (1200 × 630)."""

from __future__ import annotations

from typing import Any

import duckdb

from flows.german import day, number
from flows.metadata.datapackage import attributions
from flows.site.bildstil import plain_map
from flows.site.pages import Site
from flows.site.satz import typeset

FILE = "vorschau.png"
TEMPLATE = "vorschau.typ"
# One point of the page is one pixel of the picture.
PIXELS_PER_INCH = 72
# Names of towns would be too small to read here, and lines between municipalities too fine.
WITHOUT_DETAILS = "text { display: none } .grenze { stroke: none }"


def write_preview(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``vorschau.png``; call it after the map, whose picture it shows."""
    content = typeset(site.run, TEMPLATE, preview_data(site), "png", ppi=PIXELS_PER_INCH)
    (site.run.package / FILE).write_bytes(content)


def preview_data(site: Site) -> dict[str, Any]:
    """Everything that the picture says and shows."""
    run, profile, facts = site.run, site.run.profile, site.facts
    asked = [wave["befragt"] for wave in facts.waves if wave["welle"] == profile.wave]
    return {
        "title": profile.title,
        "release": run.release_id,
        "day": day(run.day),
        "synthetic": site.synthetic,
        "draft": "Entwurf, nicht veröffentlicht" if profile.draft else "",
        "figures": [
            [number(len(facts.committees)), "bekannte Gremien nach öffentlichen Belegen"],
            *([number(count), f"befragte Städte, Befragung {profile.wave}"] for count in asked),
        ],
        "attribution": attributions(run)[0]["attribution"],
        "map": plain_map(run, WITHOUT_DETAILS),
    }
