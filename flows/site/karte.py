"""Page "Karte": the map with its list; map data and static picture come from the same simplified coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from markupsafe import Markup

from flows import geometry, german
from flows.contracts import Code
from flows.metadata.jsonld import FILE as JSONLD
from flows.paths import ASSETS
from flows.site.assets import FOLDER
from flows.site.environment import environment, host
from flows.site.facts import Row
from flows.site.map_data import NOT_ASKED, MapContent, Place, centre, page_map, picture
from flows.site.pages import Site, write_page


def write_map(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``index.html``, ``assets/karte-daten.js`` and ``assets/karte.svg``."""
    run = site.run
    shapes = _municipality_shapes(con)
    content = _map_content(site, shapes)
    made = page_map(content, shapes, int(run.profile.thresholds["page_map_bytes"]))
    assets = run.package / FOLDER
    (assets / "karte-daten.js").write_bytes(made.script)
    svg = (
        environment()
        .get_template("site/karte.svg.j2")
        .render(
            profile=run.profile,
            synthetic=site.synthetic,
            colours=Markup((ASSETS / "farben.css").read_text(encoding="utf-8")),
            **picture(content, made.shapes),
        )
    )
    (assets / "karte.svg").write_text(svg, encoding="utf-8")
    write_page(
        site,
        "index.html",
        "Karte",
        run.profile.description,
        template="karte",
        map=content.head,
        jsonld=_embedded((run.package / JSONLD).read_text(encoding="utf-8")),
    )


def _embedded(text: str) -> Markup:
    """JSON as the content of a script element: nothing in it can end the element or open a comment."""
    return Markup(text.replace("<", "\\u003c"))


def _map_content(site: Site, shapes: geometry.Geometries) -> MapContent:
    rows, committees = site.facts.municipalities, site.facts.committees
    with_committees = {row["ags"] for row in committees}
    named = sorted(
        (
            pair
            for pair in zip(rows, shapes, strict=True)
            if pair[0]["in_befragung"] or pair[0]["ags"] in with_committees
        ),
        key=lambda pair: (-(pair[0]["einwohner"] or 0), pair[0]["ags"]),
    )
    return MapContent(
        head=_map_head(site),
        municipalities=[
            {
                "ags": row["ags"],
                "gemeinde": row["gemeinde"],
                "status": row["befragung_status"],
                "gremien": row["gremien_bekannt"],
                "einwohner": row["einwohner"],
            }
            for row in rows
        ],
        places=[Place(row["ags"], row["gemeinde"], *centre(shape)) for row, shape in named],
        committees=_map_committees(committees),
    )


def _map_head(site: Site) -> Row:
    """The legend's classes (only those present) and what the popups say beside the records."""
    run, codes = site.run, site.facts.codes
    rows, committees = site.facts.municipalities, site.facts.committees
    return {
        "ausgabe": run.release_id,
        "synthetisch": site.synthetic,
        "welle": run.profile.wave,
        "gebietsstand": german.day(run.profile.territory_date),
        "einwohnerStand": german.day(run.profile.population_date),
        "klassen": [
            entry | {"befragt": entry["code"] != NOT_ASKED}
            for entry in _present(codes["gemeinden", "befragung_status"], (row["befragung_status"] for row in rows))
        ],
        "gruppen": _present(codes["gremien", "gruppe"], (row["gruppe"] for row in committees)),
        "status": _present(codes["gremien", "status"], (row["status"] for row in committees)),
        "kreise": {row["kreis_schluessel"]: row["kreis"] for row in rows},
    }


def _present(codes: Mapping[str, Code], values: Any) -> list[Row]:
    """The codes that occur, in the order of the list, with how often."""
    counts = Counter(values)
    return [
        {"code": code.code, "name": code.label, "definition": code.definition, "anzahl": counts[code.code]}
        for code in codes.values()
        if counts[code.code]
    ]


def _map_committees(committees: Sequence[Row]) -> list[Row]:
    """Committees as the map shows them; ``platz`` is the place in the row of signs of a municipality, 0 its middle."""
    seen: Counter[str] = Counter()
    totals = Counter(row["ags"] for row in committees)
    result = []
    for row in committees:
        result.append(
            {
                "id": row["gremium_id"],
                "ags": row["ags"],
                "platz": seen[row["ags"]] - (totals[row["ags"]] - 1) / 2,
                "name": row["name"],
                "art": row["kind"],
                "form": row["form"],
                "status": row["status"],
                "stand": german.day(row["status_stand"]) if row["status_stand"] else "",
                "gemeinden": [row["gemeinde"], *row["others"]],
                "identisch": [name for _, name in row["same"]],
                "beleg": row["link"],
                "quelle": host(row["link"]) if row["link"] else "",
            }
        )
        seen[row["ags"]] += 1
    return result


def _municipality_shapes(con: duckdb.DuckDBPyConnection) -> geometry.Geometries:
    """The shapes of ``release.gemeinden`` in the order of their keys."""
    query = "SELECT geometry FROM joined.map_geometry WHERE ebene = 'gemeinde' ORDER BY schluessel"
    return geometry.from_table(con.execute(query).to_arrow_table())
