"""Page "Karte": the map with its list; map data and static picture come from the same simplified coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import shapely
from markupsafe import Markup

from flows import geometry
from flows.metadata.jsonld import FILE as JSONLD
from flows.paths import ASSETS
from flows.site.assets import FOLDER
from flows.site.einbetten import write_embedded
from flows.site.environment import environment
from flows.site.facts import Facts, Row, district_names
from flows.site.map_data import FINEST_SHARE, MapContent, Place, Sign, centres, districts_of, extent_of, page_map
from flows.site.map_facts import UNKNOWN_SIZE, legend, listed, map_facts
from flows.site.map_picture import NOT_ASKED, picture
from flows.site.orte import place_pages
from flows.site.pages import Site, write_page

DOCUMENT = "karte.json"
# What assets/js/karte.js loads; named in the page so that browsers fetch all at once.
MODULES = (
    "controls.js",
    "data.js",
    "dom.js",
    "filter.js",
    "labels.js",
    "list.js",
    "map.js",
    "panel.js",
    "search.js",
    "signs.js",
    "snippet.js",
    "state.js",
    "views.js",
)
# Filters and choice in the map's address, in the order in which they are explained.
PARAMETERS = {
    "art": "Form des Gremiums: eine Form oder eine Gruppe (codelisten/gremium_art, gremium_gruppe)",
    "status": "Status des Gremiums nach dem neuesten datierten Beleg, der einen zeigt (codelisten/gremium_status)",
    "thema": "Thema, das ein Beleg nennt (codelisten/thema)",
    "mitglied": "Gruppe, die ein Beleg als Mitglied nennt (codelisten/mitgliedergruppe)",
    "land": "Schlüssel des Landes, zwei Stellen",
    "kreis": "Schlüssel des Kreises, fünf Stellen",
    "groesse": "Größenklasse: ihre kleinste Einwohnerzahl",
    "befragung": "Status der Gemeinde in der Befragung (codelisten/befragung_status)",
    "ort": "Schlüssel (AGS) der Gemeinde, deren Auskunft offen ist; auch ein früherer",
}
# Said of a parameter where a release has what is named here.
WITH_UNKNOWN_SIZES = f"{PARAMETERS['groesse']}; {UNKNOWN_SIZE['code']}, wo keine bekannt ist"
WITH_UNINCORPORATED = (
    "Schlüssel (AGS) der Gemeinde oder des gemeindefreien Gebiets, zu dem die Auskunft offen ist; auch ein früherer"
)


def write_map(con: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write ``index.html``, ``karte-einbetten.html``, ``assets/karte.json`` and ``assets/karte.svg``."""
    run = site.run
    shapes, tolerance = finest_shapes(con)
    content = _map_content(con, site, shapes)
    made = page_map(content, shapes, tolerance, int(run.profile.thresholds["page_map_bytes"]))
    assets = run.package / FOLDER
    (assets / DOCUMENT).write_bytes(made.document)
    drawn = picture(content, made.shapes)
    svg = (
        environment()
        .get_template("site/karte.svg.j2")
        .render(
            profile=run.profile,
            synthetic=site.synthetic,
            colours=Markup((ASSETS / "farben.css").read_text(encoding="utf-8")),
            **drawn,
        )
    )
    (assets / "karte.svg").write_text(svg, encoding="utf-8")
    shown = map_page(site.facts, made.shapes) | {"picture": {"width": drawn["width"], "height": drawn["height"]}}
    write_page(
        site,
        "index.html",
        "Karte",
        run.profile.description,
        template="karte",
        map=shown,
        embedded=False,
        jsonld=_embedded((run.package / JSONLD).read_text(encoding="utf-8")),
    )
    write_embedded(site, shown)


def map_page(facts: Facts, shapes: geometry.Geometries) -> Row:
    """What the pages with the map show without scripts: choices, legend with counts, list, and the map's parameters.

    ``shapes`` are the municipalities in WGS84.
    """
    committees = facts.committees
    counts = {
        # An unincorporated area is no municipality that could have been asked.
        "befragung": Counter(row["befragung_status"] for row in facts.municipalities if not row["gemeindefrei"]),
        "gruppe": Counter(row["gruppe"] for row in committees),
        "art": Counter(row["art"] for row in committees),
        "status": Counter(row["status"] for row in committees),
    }
    codes = legend(facts)
    return {
        "codes": codes,
        "counts": counts,
        "listed": listed(facts),
        "not_asked": NOT_ASKED,
        "shared": any(row["others"] for row in committees),
        "districts": _districts(facts),
        "own_districts": _own_districts(facts),
        "parameters": _parameters(facts, codes, shapes),
        "modules": MODULES,
    }


def _districts(facts: Facts) -> list[Row]:
    """The districts as choice and table show them, by name; where there are several Länder, by Land first."""
    lands = {row["land_schluessel"]: row["land"] for row in facts.lands_apart}
    names = district_names(facts.districts)
    found = [
        row | {"code": (key := row["kreis_schluessel"]), "name": names[key], "land": lands.get(key[:2])}
        for row in facts.districts
    ]
    places = {key: place for place, key in enumerate(lands)}
    return sorted(found, key=lambda row: places[row["code"][:2]]) if lands else found


def _own_districts(facts: Facts) -> set[str]:
    """Keys of municipalities that are a district of their own: naming the district says nothing there."""
    sizes = Counter(row["kreis_schluessel"] for row in facts.municipalities)
    return {row["ags"] for row in facts.municipalities if sizes[row["kreis_schluessel"]] == 1}


def _parameters(
    facts: Facts, codes: Mapping[str, Sequence[Row]], shapes: geometry.Geometries
) -> list[tuple[str, str, str]]:
    """The parameters of the map's address (``assets/js/state.js``): name, meaning, an example from this release."""
    ends = {"kreis": facts.districts[0]["kreis_schluessel"], "ort": facts.municipalities[0]["ags"]}
    meanings = PARAMETERS | {
        **({"groesse": WITH_UNKNOWN_SIZES} if UNKNOWN_SIZE in codes["groesse"] else {}),
        **({"ort": WITH_UNINCORPORATED} if facts.unincorporated else {}),
    }
    found = [
        (name, meaning, ends.get(name) or codes[name][0]["code"])
        for name, meaning in meanings.items()
        if name in ends or (codes[name] and (name != "befragung" or facts.waves))
    ]
    west, south, east, north = shapely.total_bounds(shapes)
    return [
        *found,
        ("ansicht", "auf schmalen Schirmen: karte oder liste", "liste"),
        (
            "ausschnitt",
            "geographische Länge, Breite und Maßstabsstufe (0 bis 13)",
            f"{(west + east) / 2:.3f},{(south + north) / 2:.3f},8.5",
        ),
    ]


def _embedded(text: str) -> Markup:
    """JSON as the content of a script element: nothing in it can end the element or open a comment."""
    return Markup(text.replace("<", "\\u003c"))


def _map_content(con: duckdb.DuckDBPyConnection, site: Site, shapes: geometry.Geometries) -> MapContent:
    """Facts, places and signs of the map.

    Points are found in ``shapes``, the finest that the map shows: circles in full detail would take minutes where there
    are thousands of municipalities.
    """
    rows = site.facts.municipalities
    keys = [row["ags"] for row in rows]
    middles = centres(shapes)
    districts = districts_of(keys, shapes)
    pages = place_pages(site.facts)
    named = sorted(
        ((row, middle) for row, middle in zip(rows, middles, strict=True) if row["ags"] in pages),
        key=lambda pair: (-(pair[0]["einwohner"] or 0), pair[0]["ags"]),
    )
    district_middles = centres(np.array(list(districts.values()), dtype=object))
    return MapContent(
        facts=map_facts(con, site, middles, dict(zip(districts, district_middles, strict=True))),
        keys=keys,
        states=[row["befragung_status"] for row in rows],
        places=[Place(row["ags"], row["gemeinde"], *middle) for row, middle in named],
        signs=_signs(site.facts, set(keys)),
    )


def _signs(facts: Facts, keys: set[str]) -> list[Sign]:
    """A sign for each committee in each of its municipalities, side by side where there are several."""
    found = [(place["ags"], row) for row in facts.committees for place in row["places"] if place["ags"] in keys]
    totals = Counter(ags for ags, _ in found)
    seen: Counter[str] = Counter()
    signs = []
    for ags, row in found:
        signs.append(Sign(ags, row["art"], row["status"], seen[ags] - (totals[ags] - 1) / 2))
        seen[ags] += 1
    return signs


def finest_shapes(con: duckdb.DuckDBPyConnection) -> tuple[geometry.Geometries, float]:
    """The shapes of ``release.gemeinden`` in the order of their keys, as fine as the map can show them, and how fine
    that is (m).

    First Land by Land, leaving the Länder's own borders alone, then all together: a country's shapes are never held in
    full detail, and the cost of a municipality stays the same however many there are.
    """
    tolerance = extent_of(_shapes(con, "ebene = 'land'")) * FINEST_SHARE
    lands = con.execute(
        "SELECT DISTINCT left(schluessel, 2) FROM joined.map_geometry WHERE ebene = 'gemeinde' ORDER BY ALL"
    ).fetchall()
    simplified = [
        shapely.coverage_simplify(
            _shapes(con, "ebene = 'gemeinde' AND starts_with(schluessel, $1)", land), tolerance, simplify_boundary=False
        )
        for (land,) in lands
    ]
    return shapely.coverage_simplify(np.concatenate(simplified), tolerance), tolerance


def _shapes(con: duckdb.DuckDBPyConnection, condition: str, *values: str) -> geometry.Geometries:
    """Shapes of the map (EPSG:25832) in the order of their keys."""
    query = f"SELECT geometry FROM joined.map_geometry WHERE {condition} ORDER BY schluessel"
    return geometry.from_table(con.execute(query, list(values)).to_arrow_table())
