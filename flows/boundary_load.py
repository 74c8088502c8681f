"""Boundary files (GeoParquet) into the run's database, a few rows at a time: never all shapes of a country in memory.

Each shape is looked at on its way; whether shapes fit together is the data tests' business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import shapely

from flows import geometry
from flows.contracts import code_list
from flows.database import append_table
from flows.errors import Refused
from flows.findings import Finding
from flows.partition import land_of
from flows.profile import Source
from flows.validate import name

# West, south, east and north of all VG250 areas with a margin, in metres of EPSG:25832.
GERMANY = (200_000, 5_200_000, 1_000_000, 6_200_000)
# So many shapes are Python objects at a time.
BATCH_ROWS = 2048
# So much of each column is read ahead; without a limit it would be the whole column.
READ_BYTES = 1 << 20
# The column of a boundary file that says which Land a shape belongs to; the header is checked before.
KEY = "schluessel"


@dataclass(frozen=True, slots=True)
class BoundaryFile:
    """A GeoParquet file that is read a few rows at a time: its column of shapes, their CRS, and the other columns."""

    file: pyarrow.parquet.ParquetFile
    primary: str
    crs: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file without the shapes."""
        return tuple(column for column in self.file.schema_arrow.names if column != self.primary)


def open_boundaries(file: Path, source: Source) -> BoundaryFile:
    """Open a boundary file; raises ``Refused`` for what is no GeoParquet with WKB."""
    remedy = "Bitte mit flows.boundary_import erzeugen."
    try:
        opened = pyarrow.parquet.ParquetFile(file, buffer_size=READ_BYTES, pre_buffer=False)
        metadata = json.loads(opened.schema_arrow.metadata[b"geo"])
        primary = metadata["primary_column"]
        column = metadata["columns"][primary]
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, json.JSONDecodeError):
        raise Refused([Finding("lesbar", source.label, "die Datei ist kein GeoParquet.", remedy)]) from None
    if column["encoding"] != "WKB":
        message = f"die Flächen sind als {column['encoding']} gespeichert, nicht als WKB."
        raise Refused([Finding("lesbar", source.label, message, remedy)])
    # GeoParquet 1.1: a missing crs means OGC:CRS84.
    return BoundaryFile(opened, primary, json.dumps(column["crs"]) if column.get("crs") else geometry.OUTSIDE)


def _boundary_tables(boundaries: BoundaryFile, faults: _ShapeFaults) -> Iterator[pa.Table]:
    """The rows with texts for their attributes and geometry in EPSG:25832; ``faults`` sees every shape."""
    names = ["zeile", *boundaries.columns]
    lines = 0
    for batch in boundaries.file.iter_batches(BATCH_ROWS):
        shapes = geometry.from_wkb(batch.column(boundaries.primary))
        moved = geometry.transform(shapes, boundaries.crs, geometry.INSIDE)
        faults.look(shapes, moved, batch.column(KEY).to_pylist(), lines)
        texts = [_text_column(batch.column(column)) for column in boundaries.columns]
        numbers = pa.array(np.arange(lines + 1, lines + len(batch) + 1), pa.int64())
        yield geometry.with_geometry(pa.table([numbers, *texts], names=names), moved)
        lines += len(batch)


def load_boundaries(con: duckdb.DuckDBPyConnection, source: Source, boundaries: BoundaryFile) -> None:
    """Store the boundary file as ``raw.<dataset>``; raises ``Refused`` with every row whose shape is none."""
    texts = ", ".join(f"{name(column)} VARCHAR" for column in boundaries.columns)
    con.execute(f"CREATE TABLE raw.{source.dataset} (zeile BIGINT, {texts}, geometry GEOMETRY)")
    faults = _ShapeFaults(source)
    for table in _boundary_tables(boundaries, faults):
        append_table(con, f"raw.{source.dataset}", table)
    if findings := faults.findings():
        raise Refused(findings)


class _ShapeFaults:
    """Collects what is wrong with shapes that come a few at a time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.german = {code.code for code in code_list("land")}
        self.wrong: list[Finding] = []
        self.outside: list[int] = []

    def look(self, shapes: geometry.Geometries, moved: geometry.Geometries, keys: Sequence[object], lines: int) -> None:
        """Look at the shapes with their keys, as they came and in EPSG:25832, after so many ``lines`` of the file."""
        self.wrong += _shape_findings(shapes, self.source, lines)
        # Of other countries' municipalities nobody knows where they should lie.
        elsewhere = (row for row in _outside_germany(moved) if land_of(str(keys[row])) in self.german)
        self.outside += [lines + row + 1 for row in elsewhere]

    def findings(self) -> list[Finding]:
        """The shapes that are no areas; if all are, those of German Länder that do not lie in Germany."""
        if self.wrong or not self.outside:
            return self.wrong
        message = f"{len(self.outside)} Flächen liegen nicht in Deutschland, die erste in dieser Zeile."
        remedy = "Bitte das Bezugssystem und die Reihenfolge der Koordinaten prüfen."
        return [Finding("flaeche", self.source.label, message, remedy, self.outside[0], "geometry")]


def _outside_germany(shapes: geometry.Geometries) -> list[int]:
    """Rows of shapes (EPSG:25832) that lie elsewhere: swapped coordinates, or another CRS than the file says."""
    west, south, east, north = GERMANY
    bounds = shapely.bounds(shapes)
    # Written so that a coordinate that is not a number counts as outside.
    inside = (bounds[:, 0] > west) & (bounds[:, 1] > south) & (bounds[:, 2] < east) & (bounds[:, 3] < north)
    rows: list[int] = np.flatnonzero(~inside).tolist()
    return rows


def _text_column(column: pa.Array) -> pa.Array:
    """A column as text; a nested one (such as the bbox of other writers) has none, and no contract asks for it."""
    nested = pa.types.is_nested(column.type)
    return pa.nulls(len(column), pa.string()) if nested else column.cast(pa.string())


def _shape_findings(shapes: geometry.Geometries, source: Source, lines: int) -> Iterator[Finding]:
    """Shapes that are no areas, by their row in the file (the first comes after so many ``lines``); whether they fit
    together is the data tests' business.
    """
    kinds = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    areas = np.isin(shapely.get_type_id(shapes), kinds) & ~shapely.is_empty(shapes)
    for row in np.flatnonzero(~areas | ~shapely.is_valid(shapes)):
        message = "die Fläche schneidet sich selbst." if areas[row] else "hier steht keine Fläche."
        yield Finding(
            "flaeche", source.label, message, "Bitte die Grenzen neu laden.", lines + int(row) + 1, "geometry"
        )
