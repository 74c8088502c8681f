"""The map's shapes: municipalities dissolved by the crosswalk, districts and Länder from them, committee points.

All geometry is in EPSG:25832 (metres). These are the relations of ``joined`` that DuckDB's core cannot compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import shapely

from flows import geometry
from flows.database import Relation

# Points of several committees of one municipality stand on a circle of this share of its inscribed circle's radius.
RING_SHARE = 0.45
# Below this area (m²) a difference between two outlines is rounding of coordinates, not land.
OUTLINE_TOLERANCE = 1.0


def _unite(shapes: geometry.Geometries) -> shapely.Geometry:
    """One shape of several: shared edges of a valid coverage vanish exactly."""
    if len(shapes) == 1:
        return shapes[0]
    try:
        return shapely.coverage_union_all(shapes)
    except shapely.GEOSException:
        # Not a coverage. United all the same, so that geometry_findings can say where it is not.
        return shapely.union_all(shapes)


def _dissolve(keys: Sequence[str], shapes: geometry.Geometries) -> tuple[list[str], geometry.Geometries]:
    """Unite the shapes of each key; keys come back sorted. Without keys (no territory that day) there is nothing."""
    if not keys:
        return [], shapes
    order = np.argsort(np.array(keys), kind="stable")
    ordered = np.array(keys)[order]
    names, starts = np.unique(ordered, return_index=True)
    groups = np.split(shapes[order], starts[1:])
    return [str(key) for key in names], np.array([_unite(group) for group in groups], dtype=object)


def map_geometry(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Shapes of the map as (ebene, schluessel, geometry): municipalities of the territory date, districts, Länder.

    On the survey's territory they are made from the boundary file and the changes, else they are the newest boundaries.
    """
    base = con.execute(
        "SELECT c.ags, b.geometry, c.ags_basis FROM joined.territory_crosswalk c "
        "JOIN input.boundaries b ON b.ebene = 'gemeinde' AND b.schluessel = c.ags_basis "
        "WHERE c.stand = getvariable('territory_date') AND getvariable('territory_basis') = 'befragung' "
        "UNION ALL SELECT schluessel, geometry, schluessel FROM input.boundaries_current "
        "WHERE ebene = 'gemeinde' AND getvariable('territory_basis') = 'aktuell' ORDER BY ags_basis"
    ).to_arrow_table()
    keys, shapes = _dissolve(base.column("ags").to_pylist(), geometry.from_table(base))
    levels = {"gemeinde": (keys, shapes)}
    for level, digits in (("kreis", 5), ("land", 2)):
        levels[level] = _dissolve([key[:digits] for key in keys], shapes)
    names = [level for level, (found, _) in levels.items() for _ in found]
    table = pa.table({"ebene": names, "schluessel": [key for found, _ in levels.values() for key in found]})
    return geometry.with_geometry(table, np.concatenate([found for _, found in levels.values()]))


def _shapes(con: duckdb.DuckDBPyConnection, query: str) -> tuple[pa.Table, geometry.Geometries]:
    table = con.execute(query).to_arrow_table()
    return table.drop_columns(["geometry"]), geometry.from_table(table)


def map_areas(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Area of each shape of the map as (ebene, schluessel, flaeche_m2), in the projected plane of EPSG:25832."""
    table, shapes = _shapes(con, "SELECT * FROM joined.map_geometry ORDER BY ebene, schluessel")
    return table.append_column("flaeche_m2", pa.array(shapely.area(shapes)))


def geometry_findings(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What is wrong with the municipalities' shapes as (schluessel, art, mass).

    ``ungueltig``; ``deckung``: metres of edge that overlap a neighbour or leave a gap; ``umriss``: m² by which their
    union differs from the Land's own outline.
    """
    table, shapes = _shapes(con, "SELECT * FROM joined.map_geometry WHERE ebene = 'gemeinde' ORDER BY schluessel")
    keys = table.column("schluessel").to_pylist()
    rows = [(key, "ungueltig", 0.0) for key, valid in zip(keys, shapely.is_valid(shapes), strict=True) if not valid]
    edges = shapely.length(shapely.coverage_invalid_edges(shapes))
    rows += [(key, "deckung", float(length)) for key, length in zip(keys, edges, strict=True) if length > 0]
    outlines, given = _shapes(
        con,
        "SELECT schluessel, geometry FROM input.boundaries "
        "WHERE ebene = 'land' AND getvariable('territory_basis') = 'befragung' "
        "UNION ALL SELECT schluessel, geometry FROM input.boundaries_current "
        "WHERE ebene = 'land' AND getvariable('territory_basis') = 'aktuell' ORDER BY schluessel",
    )
    made, united = _shapes(
        con, "SELECT schluessel, geometry FROM joined.map_geometry WHERE ebene = 'land' ORDER BY schluessel"
    )
    by_key = dict(zip(made.column("schluessel").to_pylist(), united, strict=True))
    for key, outline in zip(outlines.column("schluessel").to_pylist(), given, strict=True):
        difference = shapely.area(shapely.symmetric_difference(outline, by_key.get(key, shapely.Polygon())))
        if difference > OUTLINE_TOLERANCE:
            rows.append((key, "umriss", float(difference)))
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table(
        {
            "schluessel": pa.array(columns[0], pa.string()),
            "art": pa.array(columns[1], pa.string()),
            "mass": pa.array(columns[2], pa.float64()),
        }
    )


def ring_points(shape: shapely.Geometry, count: int) -> list[shapely.Point]:
    """``count`` distinct points inside a polygon: its inscribed circle's centre, or evenly on a ring around it."""
    spoke = shapely.maximum_inscribed_circle(shape)
    (x, y), _ = spoke.coords
    if count == 1:
        return [shapely.Point(x, y)]
    radius = spoke.length * RING_SHARE
    angles = (2 * np.pi * index / count + np.pi / 2 for index in range(count))
    return [shapely.Point(x + radius * np.cos(angle), y + radius * np.sin(angle)) for angle in angles]


def committee_points(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """One symbolic point per committee in its first-named municipality, as (gremium_id, geometry); no address."""
    table, shapes = _shapes(
        con,
        "SELECT s.gremium_id, s.ags, g.geometry FROM "
        "(SELECT gremium_id, first(ags ORDER BY reihe) AS ags FROM joined.committee_places GROUP BY gremium_id) s "
        "JOIN joined.map_geometry g ON g.ebene = 'gemeinde' AND g.schluessel = s.ags ORDER BY s.ags, s.gremium_id",
    )
    places = table.column("ags").to_pylist()
    points = list(_points_by_place(places, shapes))
    return geometry.with_geometry(table.select(["gremium_id"]), np.array(points, dtype=object))


def _points_by_place(places: Sequence[str], shapes: geometry.Geometries) -> Iterable[shapely.Point]:
    start = 0
    while start < len(places):
        count = places.count(places[start])
        yield from ring_points(shapes[start], count)
        start += count


RELATIONS = {
    "joined.map_geometry": Relation(("joined.territory_crosswalk",), map_geometry),
    "joined.map_areas": Relation(("joined.map_geometry",), map_areas),
    "joined.geometry_findings": Relation(("joined.map_geometry",), geometry_findings),
    "joined.committee_points": Relation(("joined.map_geometry", "joined.committee_places"), committee_points),
}
