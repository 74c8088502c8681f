"""``vorschau.png``: the picture of a release that networks and messengers show beside a link to it (1200 × 630)."""

from __future__ import annotations

import duckdb

from flows.german import day, number
from flows.metadata.datapackage import attributions
from flows.site.assets import FOLDER
from flows.site.diagramme import plain_picture
from flows.site.pages import Site
from flows.site.satz import typeset

FILE = "vorschau.png"
TEMPLATE = "vorschau.typ"
MAP = "karte.svg"
# One point of the page is one pixel of the picture.
PIXELS_PER_INCH = 72
# Names of towns would be too small to read here, and lines between municipalities too fine.
WITHOUT_DETAILS = "text { display: none } .grenze { stroke: none }"


def write_preview(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``vorschau.png``; call it after the map, whose picture it shows."""
    run, profile, facts = site.run, site.run.profile, site.facts
    svg = (run.package / FOLDER / MAP).read_text(encoding="utf-8")
    asked = next(wave["befragt"] for wave in facts.waves if wave["welle"] == profile.wave)
    data = {
        "title": profile.title,
        "release": run.release_id,
        "day": day(run.day),
        "synthetic": site.synthetic,
        "draft": "Entwurf, nicht veröffentlicht" if profile.draft else "",
        "figures": [
            [number(len(facts.committees)), "bekannte Gremien nach öffentlichen Belegen"],
            [number(asked), f"befragte Städte, Befragung {profile.wave}"],
        ],
        "attribution": attributions(run)[0]["attribution"],
        "map": plain_picture(svg, WITHOUT_DETAILS),
    }
    (run.package / FILE).write_bytes(typeset(run, TEMPLATE, data, "png", ppi=PIXELS_PER_INCH))
