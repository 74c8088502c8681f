"""A published dataset: its contract, its rows in key order, and its shapes as parts on disk.

Attributes are few bytes a row and stay in memory; shapes are many, and are read part by part by whoever writes them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from flows import geometry
from flows.contracts import Contract, Field, release_contracts
from flows.partition import export_part, land_of, read_part, write_part
from flows.profile import SYNTHETIC_MARK
from flows.runners.base import Mapper
from flows.runners.local import map_locally
from flows.validate import name

# Levels whose keys begin with their Land, so that rows in the order of the keys fall into parts by Land.
TERRITORIES = ("gemeinde", "kreis", "land")
# What a part holds of each row: the shape in EPSG:25832 and in WGS84, both as WKB, and the bounds of the latter.
INSIDE, OUTSIDE, BOUNDS = "inside", "outside", ("xmin", "ymin", "xmax", "ymax")

SYNTHETIC_FIELD = Field(
    name="synthetisch",
    type="string",
    title="Kennzeichnung",
    description="Diese Ausgabe enthält erfundene Antworten und dient nur der Demonstration.",
    raw={
        "name": "synthetisch",
        "type": "string",
        "title": "Kennzeichnung",
        "titleEn": "Marking",
        "description": "Diese Ausgabe enthält erfundene Antworten und dient nur der Demonstration.",
        "descriptionEn": "This release holds invented answers and serves as a demonstration only.",
        "constraints": {"required": True, "enum": [SYNTHETIC_MARK]},
    },
)


@dataclass(frozen=True, slots=True)
class Part:
    """The shapes of ``rows`` consecutive rows of a dataset: Parquet with ``INSIDE``, ``OUTSIDE`` and ``BOUNDS``."""

    file: Path
    rows: int
    extent: tuple[float, float, float, float]
    """West, south, east and north of them all in EPSG:25832."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of a dataset in the order of its rows, all of the kind that its contract names; polygons are
    multipolygons with their outer rings counter-clockwise (RFC 7946).
    """

    parts: tuple[Part, ...]

    def slices(self, table: pa.Table, columns: Sequence[str]) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Part by part: its rows of ``table``, and those columns of its shapes."""
        start = 0
        for part in self.parts:
            yield table.slice(start, part.rows), read_part(part.file, list(columns))
            start += part.rows

    def bounds(self) -> NDArray[np.float64]:
        """West, south, east and north of each shape in degrees, one row a shape."""
        parts = [read_part(part.file, list(BOUNDS)) for part in self.parts]
        rows = [np.column_stack([part.column(bound).to_numpy() for bound in BOUNDS]) for part in parts]
        return np.concatenate([np.empty((0, len(BOUNDS))), *rows])


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows as an Arrow table with exactly the contract's columns; ``shapes`` row by row, or None."""

    contract: Contract
    table: pa.Table
    shapes: Shapes | None


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a dataset lies, for a task: small, whatever the dataset's size."""

    contract: Contract
    file: Path
    shapes: Shapes | None

    def open(self) -> Dataset:
        """The dataset, its rows read."""
        return Dataset(self.contract, read_part(self.file), self.shapes)


@dataclass(frozen=True, slots=True)
class RawPart:
    """A part as it comes from the database, and the file that it is made into."""

    source: Path
    kind: str
    target: Path


def published(contract: Contract, synthetic: bool) -> Contract:
    """The contract as published: a synthetic release says in every record that it is one."""
    return contract.with_field(SYNTHETIC_FIELD) if synthetic else contract


def _shape_join(contract: Contract) -> str:
    key = name(contract.primary_key[0])
    if contract.geometry_level == "gremium":
        return f"JOIN joined.committee_points g ON g.gremium_id = r.{key}"
    return f"JOIN joined.map_geometry g ON g.ebene = '{contract.geometry_level}' AND g.schluessel = r.{key}"


def make_part(raw: RawPart) -> Part:
    """The shapes of a part in both systems: moved, rounded and turned once, whatever formats they are written in."""
    inside = _of_kind(raw.kind, geometry.from_table(read_part(raw.source)))
    outside = geometry.to_wgs84(inside)
    if raw.kind != "Point":
        outside = shapely.orient_polygons(outside, exterior_cw=False)
    columns = {INSIDE: geometry.to_wkb(inside), OUTSIDE: geometry.to_wkb(outside)}
    columns |= {column: pa.array(values) for column, values in zip(BOUNDS, shapely.bounds(outside).T, strict=True)}
    write_part(pa.table(columns), raw.target)
    west, south, east, north = shapely.total_bounds(inside).tolist()
    return Part(raw.target, len(inside), (west, south, east, north))


def _of_kind(kind: str, shapes: geometry.Geometries) -> geometry.Geometries:
    """Shapes all of one kind: a lone polygon is a multipolygon of one."""
    if kind == "Point":
        return shapes
    parts, owners = shapely.get_parts(shapes, return_index=True)
    whole = np.empty(len(shapes), dtype=object)
    shapely.multipolygons(parts, indices=owners, out=whole)
    return whole


def _read_rows(con: duckdb.DuckDBPyConnection, contract: Contract, synthetic: bool) -> pa.Table:
    columns = [f"CAST(r.{name(field.name)} AS {field.duckdb_type}) AS {name(field.name)}" for field in contract.fields]
    if synthetic:
        columns.append(f"'{SYNTHETIC_MARK}' AS {name(SYNTHETIC_FIELD.name)}")
    order = ", ".join(f"r.{name(column)}" for column in contract.primary_key)
    join = _shape_join(contract) if contract.geometry_level is not None else ""
    query = f"SELECT {', '.join(columns)} FROM release.{contract.name} r {join} ORDER BY {order}"
    return con.execute(query).to_arrow_table()


def _export_shapes(
    con: duckdb.DuckDBPyConnection, contract: Contract, table: pa.Table, folder: Path
) -> Iterator[RawPart]:
    """Export the shapes of a dataset's rows, a part for each Land, or one part where rows are not sorted by Land."""
    key = contract.primary_key[0]
    by_land = contract.geometry_level in TERRITORIES
    lands = [land for land, _ in groupby(table.column(key).to_pylist(), land_of)] if by_land else [""]
    for land in lands if len(table) else ():
        raw = RawPart(
            folder / f"{contract.name}-{land}.raw", contract.raw["geometry"]["type"], folder / f"{contract.name}-{land}"
        )
        query = (
            f"SELECT ST_AsWKB(g.geometry) AS geometry FROM release.{contract.name} r {_shape_join(contract)} "
            f"WHERE starts_with(r.{name(key)}, '{land}') ORDER BY r.{name(key)}"
        )
        export_part(con, query, raw.source)
        yield raw


def read_datasets(
    con: duckdb.DuckDBPyConnection, folder: Path, synthetic: bool, mapper: Mapper = map_locally
) -> list[Dataset]:
    """Read every ``release.<name>`` with its contract's columns, types and order, sorted by primary key.

    The parts of the shapes lie in ``folder``, which is made anew.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contracts = release_contracts()
    tables = [_read_rows(con, contract, synthetic) for contract in contracts]
    raw = {
        contract.name: list(_export_shapes(con, contract, table, folder))
        for contract, table in zip(contracts, tables, strict=True)
        if contract.geometry_level is not None
    }
    made = iter(mapper(make_part, [part for parts in raw.values() for part in parts]))
    shapes = {dataset: Shapes(tuple(next(made) for _ in parts)) for dataset, parts in raw.items()}
    return [
        Dataset(published(contract, synthetic), table, shapes.get(contract.name))
        for contract, table in zip(contracts, tables, strict=True)
    ]


def store_dataset(dataset: Dataset, folder: Path) -> Stored:
    """Write the rows of a dataset into ``folder``, so that tasks can read them."""
    file = folder / f"{dataset.contract.name}.rows"
    write_part(dataset.table, file)
    return Stored(dataset.contract, file, dataset.shapes)
