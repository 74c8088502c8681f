"""``vorschau.png``: the picture of a release that networks and messengers show beside a link to it (1200 × 630)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from flows.german import day, number
from flows.metadata.datapackage import attributions
from flows.metadata.rules import recorded, surveyed
from flows.site.bildstil import plain_map
from flows.site.pages import Site
from flows.site.satz import typeset

FILE = "vorschau.png"
TEMPLATE = "vorschau.typ"
# One point of the page is one pixel of the picture.
PIXELS_PER_INCH = 72
# Names of more Länder would not fit beside a figure.
MOST_NAMES = 2
# Names of towns would be too small to read here, and lines between municipalities too fine.
WITHOUT_DETAILS = "text { display: none } .grenze { stroke: none }"


def write_preview(_con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``vorschau.png``; call it after the map, whose picture it shows."""
    content = typeset(site.run, TEMPLATE, preview_data(site), "png", ppi=PIXELS_PER_INCH)
    (site.run.package / FILE).write_bytes(content)


def preview_data(site: Site) -> dict[str, Any]:
    """Everything that the picture says and shows."""
    run, profile = site.run, site.run.profile
    return {
        "title": profile.title,
        "release": run.release_id,
        "day": day(run.day),
        "synthetic": site.synthetic,
        "draft": "Entwurf, nicht veröffentlicht" if profile.draft else "",
        "figures": _figures(site),
        "attribution": attributions(run)[0]["attribution"],
        "map": plain_map(run, WITHOUT_DETAILS),
    }


def _figures(site: Site) -> list[list[str]]:
    """Each figure with what it counts, and for which Länder, as the picture shows the whole map. Where nothing is
    recorded, there is none: a 0 would read like a finding.
    """
    facts, wave = site.facts, site.run.profile.wave
    with_committees = [row["land"] for row in facts.lands if recorded(row)]
    with_towns = [row["land"] for row in facts.lands if surveyed(row)]
    figures = [
        (len(facts.committees), "bekannte Gremien nach öffentlichen Belegen", with_committees),
        *(
            (row["befragt"], f"befragte Städte, Befragung {wave}", with_towns)
            for row in facts.waves
            if row["welle"] == wave
        ),
    ]
    return [[number(count), counted + _only(lands, len(facts.lands))] for count, counted, lands in figures if lands]


def _only(lands: Sequence[str], all_lands: int) -> str:
    """``, erfasst nur für Kleinland`` where these are not all the Länder."""
    if len(lands) == all_lands:
        return ""
    names = " und ".join(lands) if len(lands) <= MOST_NAMES else f"{len(lands)} von {all_lands} Ländern"
    return f", erfasst nur für {names}"
