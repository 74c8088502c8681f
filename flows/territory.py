"""The map's shapes: municipalities dissolved by the crosswalk, districts and Länder from them, committee points.

All geometry is in EPSG:25832 (metres). These are the relations of ``joined`` that DuckDB's core cannot compute. The
shapes are made Land by Land: what is one Land's alone is a task of the run's mapper, which reads and writes Parquet;
only what Länder have to do with each other is looked at as a whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import shapely

from flows import geometry
from flows.database import Relation, create_table
from flows.partition import LAND_DIGITS, export_part, land_of, read_part, write_part
from flows.run import Run

# Points of several committees of one municipality stand on a circle of this share of its inscribed circle's radius.
RING_SHARE = 0.45
# Below this area (m²) a difference between two outlines is rounding of coordinates, not land.
OUTLINE_TOLERANCE = 1.0
# What the shapes of the map are made from, with the outline that each Land should have. On the survey's territory that
# is the boundary file and the changes, else the newest boundaries.
BASE = """
SELECT 'gemeinde' AS ebene, c.ags AS schluessel, c.ags_basis AS basis, b.geometry
FROM joined.territory_crosswalk c
JOIN input.boundaries b ON b.ebene = 'gemeinde' AND b.schluessel = c.ags_basis
WHERE c.stand = getvariable('territory_date') AND getvariable('territory_basis') = 'befragung'
UNION ALL
SELECT ebene, schluessel, schluessel, geometry FROM input.boundaries
WHERE ebene = 'land' AND getvariable('territory_basis') = 'befragung'
UNION ALL
SELECT ebene, schluessel, schluessel, geometry FROM input.boundaries_current
WHERE ebene IN ('gemeinde', 'land') AND getvariable('territory_basis') = 'aktuell'
"""
FINDING_SCHEMA = pa.schema({"schluessel": pa.string(), "art": pa.string(), "mass": pa.float64()})

Findings = list[tuple[str, str, float]]
"""Key, kind and measure of what is wrong with a shape; see ``geometry_findings``."""


# The files in a Land's folder: what its shapes are made from, they themselves, and what is wrong with them.
SOURCE, SHAPES, FINDINGS = "source.parquet", "shapes.parquet", "findings.parquet"


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


def _overlaps(keys: Sequence[str], shapes: geometry.Geometries) -> Findings:
    """Shapes that overlap a neighbour or leave a gap, with metres of edge."""
    edges = shapely.length(shapely.coverage_invalid_edges(shapes))
    return [(key, "deckung", float(length)) for key, length in zip(keys, edges, strict=True) if length > 0]


def _invalid(keys: Sequence[str], shapes: geometry.Geometries) -> Findings:
    """Shapes that cross themselves."""
    return [(key, "ungueltig", 0.0) for key, valid in zip(keys, shapely.is_valid(shapes), strict=True) if not valid]


def _other_outlines(given: dict[str, shapely.Geometry], made: dict[str, shapely.Geometry]) -> Findings:
    """Länder whose municipalities do not have the outline that the boundaries give them, with the difference in m²."""
    differences = (
        (key, "umriss", float(shapely.area(shapely.symmetric_difference(outline, made.get(key, shapely.Polygon())))))
        for key, outline in given.items()
    )
    return [finding for finding in differences if finding[2] > OUTLINE_TOLERANCE]


def _finding_table(findings: Findings) -> pa.Table:
    columns = list(zip(*findings, strict=True)) if findings else [(), (), ()]
    return pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, FINDING_SCHEMA.types, strict=True)],
        schema=FINDING_SCHEMA,
    )


def dissolve_land(folder: Path) -> None:
    """Make the municipalities, districts and the Land of a Land's folder, with their areas (m²), and look at them."""
    source = read_part(folder / SOURCE)
    shapes = geometry.from_table(source)
    outlines = np.array(source.column("ebene").to_pylist(), dtype=object) == "land"
    names = np.array(source.column("schluessel").to_pylist(), dtype=object)
    keys, municipalities = _dissolve(names[~outlines].tolist(), shapes[~outlines])
    levels = {"gemeinde": (keys, municipalities)}
    for level, digits in (("kreis", 5), ("land", LAND_DIGITS)):
        levels[level] = _dissolve([key[:digits] for key in keys], municipalities)
    made = np.concatenate([found for _, found in levels.values()])
    table = pa.table(
        {
            "ebene": pa.array([level for level, (found, _) in levels.items() for _ in found], pa.string()),
            "schluessel": pa.array([key for found, _ in levels.values() for key in found], pa.string()),
            "flaeche_m2": pa.array(shapely.area(made), pa.float64()),
        }
    )
    write_part(geometry.with_geometry(table, made), folder / SHAPES)
    given = dict(zip(names[outlines].tolist(), shapes[outlines], strict=True))
    united = dict(zip(*levels["land"], strict=True))
    findings = _invalid(keys, municipalities) + _overlaps(keys, municipalities) + _other_outlines(given, united)
    write_part(_finding_table(findings), folder / FINDINGS)


def _folders(run: Run) -> list[Path]:
    """The folders of the run's Länder, in their order."""
    return sorted(run.territory.iterdir())


def _create(con: duckdb.DuckDBPyConnection, name: str, columns: str, select: str, files: Sequence[Path]) -> None:
    """Make the table ``name`` of what ``select`` reads from parts; without parts it is empty."""
    con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
    if files:
        con.execute(f"INSERT INTO {name} SELECT {select} FROM read_parquet($1)", [[str(file) for file in files]])


def map_geometry(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Shapes of the map as (ebene, schluessel, geometry): municipalities of the territory date, districts, Länder."""
    shutil.rmtree(run.territory, ignore_errors=True)
    run.territory.mkdir()
    query = f"SELECT ebene, schluessel, ST_AsWKB(geometry) AS geometry FROM ({BASE})"
    for (land,) in con.execute(f"SELECT DISTINCT left(schluessel, {LAND_DIGITS}) FROM ({BASE})").fetchall():
        (run.territory / land).mkdir()
        export_part(
            con, f"{query} WHERE starts_with(schluessel, '{land}') ORDER BY ebene, basis", run.territory / land / SOURCE
        )
    folders = _folders(run)
    run.mapper(dissolve_land, folders)
    _create(
        con,
        "joined.map_geometry",
        "ebene VARCHAR, schluessel VARCHAR, geometry GEOMETRY",
        "ebene, schluessel, ST_GeomFromWKB(geometry)",
        [folder / SHAPES for folder in folders],
    )


def map_areas(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Area of each shape of the map as (ebene, schluessel, flaeche_m2), in the projected plane of EPSG:25832."""
    columns = "ebene VARCHAR, schluessel VARCHAR, flaeche_m2 DOUBLE"
    files = [folder / SHAPES for folder in _folders(run)]
    _create(con, "joined.map_areas", columns, "ebene, schluessel, flaeche_m2", files)


def _shapes(
    con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()
) -> tuple[pa.Table, geometry.Geometries]:
    table = con.execute(query, parameters).to_arrow_table()
    return table.drop_columns(["geometry"]), geometry.from_table(table)


def geometry_findings(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """What is wrong with the shapes as (schluessel, art, mass).

    ``ungueltig``; ``deckung``: metres of edge that overlap a neighbour or leave a gap; ``umriss``: m² by which the
    municipalities' union differs from the Land's own outline.

    Each Land has been looked at by itself. Whether Länder fit together shows in their outlines; of those that do not,
    and of those with findings inside, the municipalities are looked at together.
    """
    parts = [read_part(folder / FINDINGS) for folder in _folders(run)]
    found = [tuple(row.values()) for part in parts for row in part.to_pylist()]
    table, outlines = _shapes(
        con, "SELECT schluessel, geometry FROM joined.map_geometry WHERE ebene = 'land' ORDER BY ALL"
    )
    across = _overlaps(table.column("schluessel").to_pylist(), outlines)
    if lands := {land_of(key) for key, art, _ in [*found, *across] if art == "deckung"}:
        table, shapes = _shapes(
            con,
            f"SELECT schluessel, geometry FROM joined.map_geometry "
            f"WHERE ebene = 'gemeinde' AND left(schluessel, {LAND_DIGITS}) IN (SELECT unnest($1)) ORDER BY schluessel",
            [sorted(lands)],
        )
        found = [finding for finding in found if finding[1] != "deckung"]
        found += _overlaps(table.column("schluessel").to_pylist(), shapes)
    create_table(con, "joined.geometry_findings", _finding_table(found))


def ring_points(shape: shapely.Geometry, count: int) -> list[shapely.Point]:
    """``count`` distinct points inside a polygon: its inscribed circle's centre, or evenly on a ring around it."""
    spoke = shapely.maximum_inscribed_circle(shape)
    (x, y), _ = spoke.coords
    if count == 1:
        return [shapely.Point(x, y)]
    radius = spoke.length * RING_SHARE
    angles = (2 * np.pi * index / count + np.pi / 2 for index in range(count))
    return [shapely.Point(x + radius * np.cos(angle), y + radius * np.sin(angle)) for angle in angles]


def committee_points(con: duckdb.DuckDBPyConnection, run: Run) -> None:  # noqa: ARG001 - as all relations are built
    """One symbolic point per committee in its first-named municipality, as (gremium_id, geometry); no address."""
    table, shapes = _shapes(
        con,
        "SELECT s.gremium_id, s.ags, g.geometry FROM "
        "(SELECT gremium_id, first(ags ORDER BY reihe) AS ags FROM joined.committee_places GROUP BY gremium_id) s "
        "JOIN joined.map_geometry g ON g.ebene = 'gemeinde' AND g.schluessel = s.ags ORDER BY s.ags, s.gremium_id",
    )
    points = np.array(list(_points_by_place(table.column("ags").to_pylist(), shapes)), dtype=object)
    create_table(con, "joined.committee_points", geometry.with_geometry(table.select(["gremium_id"]), points))


def _points_by_place(places: Sequence[str], shapes: geometry.Geometries) -> Iterator[shapely.Point]:
    """The points of committees in their municipalities, which come one after another."""
    for _, group in groupby(range(len(places)), key=lambda row: places[row]):
        rows = list(group)
        yield from ring_points(shapes[rows[0]], len(rows))


RELATIONS = {
    "joined.map_geometry": Relation(("joined.territory_crosswalk",), map_geometry),
    "joined.map_areas": Relation(("joined.map_geometry",), map_areas),
    "joined.geometry_findings": Relation(("joined.map_geometry",), geometry_findings),
    "joined.committee_points": Relation(("joined.map_geometry", "joined.committee_places"), committee_points),
}
