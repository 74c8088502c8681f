"""Compare two releases by key, cell by cell, in DuckDB: what came, went and changed.

Of the two release folders only the CSV files, the GeoJSON files and ``datapackage.json`` are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import shapely

from flows import geometry
from flows.schema_change import SchemaChange, schema_changes, schemas_of
from flows.validate import name, quoted

NEW, GONE, CHANGED = "neu", "entfallen", "geaendert"
SCHEMA = "schema"
SHAPE = "geometrie"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of ``changes.csv``: dataset, key (parts joined by ``;``), kind, column, old and new text."""

    dataset: str
    key: str
    kind: str
    column: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """How one column of a dataset moved: cells compared, changed, emptied, and the column's total before and after.

    Totals are over the rows that both releases have, and None for columns that are not numbers.
    """

    compared: int
    changed: int
    nulls_gained: int
    total_old: float | None
    total_new: float | None


@dataclass(frozen=True, slots=True)
class DatasetFigures:
    """How one dataset moved: rows, keys that came and went, columns, and area before, lost and moved (m²)."""

    rows_old: int
    rows_new: int
    keys_new: int
    keys_gone: int
    columns: Mapping[str, ColumnFigures]
    area_old: float = 0.0
    area_lost: float = 0.0
    area_moved: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between two releases."""

    previous: str
    changes: tuple[Change, ...]
    schema: tuple[SchemaChange, ...]
    figures: Mapping[str, DatasetFigures]
    missing_datasets: tuple[str, ...]
    missing_formats: tuple[str, ...]


def descriptor_of(folder: Path) -> dict[str, Any]:
    """The ``datapackage.json`` of a release."""
    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return descriptor


def _read(con: duckdb.DuckDBPyConnection, view: str, file: Path) -> list[str]:
    con.execute(
        f"CREATE OR REPLACE TABLE {view} AS SELECT * FROM read_csv({quoted(str(file))}, header = true, "
        "delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true, auto_detect = false, columns = "
        f"{_columns(file)})"
    )
    return [row[0] for row in con.execute(f"DESCRIBE {view}").fetchall()]


def _columns(file: Path) -> str:
    with file.open(encoding="utf-8", newline="") as stream:
        header = stream.readline().strip().split(",")
    return "{" + ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in header) + "}"


def _key(alias: str, key: list[str]) -> str:
    return "concat_ws(';', " + ", ".join(f"{alias}.{name(column)}" for column in key) + ")"


def _row_changes(con: duckdb.DuckDBPyConnection, dataset: str, key: list[str], columns: list[str]) -> list[Change]:
    same = " AND ".join(f"o.{name(column)} = n.{name(column)}" for column in key)
    parts = [
        f"SELECT {_key('n', key)} AS k, '{NEW}' AS art, NULL AS spalte, NULL AS alt, NULL AS neu "
        f"FROM new n ANTI JOIN old o ON {same}",
        f"SELECT {_key('o', key)}, '{GONE}', NULL, NULL, NULL FROM old o ANTI JOIN new n ON {same}",
    ]
    parts += [
        f"SELECT {_key('o', key)}, '{CHANGED}', {quoted(column)}, o.{name(column)}, n.{name(column)} "
        f"FROM old o JOIN new n ON {same} WHERE o.{name(column)} IS DISTINCT FROM n.{name(column)}"
        for column in columns
    ]
    rows = con.execute(" UNION ALL ".join(parts) + " ORDER BY k, art, spalte").fetchall()
    return [Change(dataset, *row) for row in rows]


def _column_figures(
    con: duckdb.DuckDBPyConnection, key: list[str], columns: list[str], numeric: set[str], common: int
) -> dict[str, ColumnFigures]:
    if not columns:
        return {}
    same = " AND ".join(f"o.{name(column)} = n.{name(column)}" for column in key)
    counts = ", ".join(
        f"count(*) FILTER (WHERE o.{name(c)} IS DISTINCT FROM n.{name(c)}), "
        f"count(*) FILTER (WHERE o.{name(c)} IS NOT NULL AND n.{name(c)} IS NULL)"
        for c in columns
    )
    moved = con.execute(f"SELECT {counts} FROM old o JOIN new n ON {same}").fetchall()[0]
    totals: dict[str, tuple[float | None, float | None]] = {}
    for column in columns:
        if column in numeric:
            sums = ", ".join(f"coalesce(sum(CAST({side}.{name(column)} AS DOUBLE)), 0)" for side in ("o", "n"))
            totals[column] = con.execute(f"SELECT {sums} FROM old o JOIN new n ON {same}").fetchall()[0]
    return {
        column: ColumnFigures(common, moved[2 * i], moved[2 * i + 1], *totals.get(column, (None, None)))
        for i, column in enumerate(columns)
    }


def _shapes(file: Path) -> dict[str, shapely.Geometry]:
    features = json.loads(file.read_text(encoding="utf-8"))["features"]
    texts = [json.dumps(feature["geometry"]) for feature in features]
    moved = geometry.transform(shapely.from_geojson(texts), geometry.OUTSIDE, geometry.INSIDE)
    return dict(zip((str(feature["id"]) for feature in features), moved, strict=True))


def _shape_changes(dataset: str, old: Path, new: Path) -> tuple[list[Change], float, float, float]:
    """Changed shapes as lines of ``changes.csv``, and area before, lost and moved in m² (EPSG:25832)."""
    if old.read_bytes() == new.read_bytes():
        return [], 0.0, 0.0, 0.0
    before, after = _shapes(old), _shapes(new)
    empty = shapely.Point()
    changed = [key for key, shape in before.items() if not shape.equals_exact(after.get(key, empty), 0.0)]
    shapes = np.array([before[key] for key in changed], dtype=object)
    others = np.array([after.get(key, empty) for key in changed], dtype=object)
    moved = float(shapely.area(shapely.symmetric_difference(shapes, others)).sum()) if changed else 0.0
    total = float(shapely.area(np.array(list(before.values()), dtype=object)).sum())
    lost = max(0.0, total - float(shapely.area(np.array(list(after.values()), dtype=object)).sum()))
    lines = [Change(dataset, key, CHANGED, SHAPE) for key in changed if key in after]
    return lines, total, lost, moved


def _compare_dataset(
    con: duckdb.DuckDBPyConnection, dataset: str, schema: Mapping[str, Any], old: Path, new: Path
) -> tuple[list[Change], DatasetFigures]:
    """Compare the table of ``schema`` in the files ``old`` and ``new``, and the GeoJSON beside them if there is one."""
    before, after = _read(con, "old", old), _read(con, "new", new)
    key = list(schema["primaryKey"])
    columns = [column for column in before if column in after and column not in key]
    numeric = {field["name"] for field in schema["fields"] if field["type"] in ("integer", "number")}
    changes = _row_changes(con, dataset, key, columns)
    rows_old, rows_new = (con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in ("old", "new"))
    gone = sum(change.kind == GONE for change in changes)
    come = sum(change.kind == NEW for change in changes)
    figures = _column_figures(con, key, columns, numeric, rows_old - gone)
    area: tuple[float, float, float] = (0.0, 0.0, 0.0)
    layers = (old.with_suffix(".geojson"), new.with_suffix(".geojson"))
    if all(layer.is_file() for layer in layers):
        shapes, *areas = _shape_changes(dataset, *layers)
        changes += shapes
        area = (areas[0], areas[1], areas[2])
    return changes, DatasetFigures(rows_old, rows_new, come, gone, figures, *area)


def _formats(descriptor: Mapping[str, Any]) -> set[str]:
    return {resource["path"] for resource in descriptor["resources"]}


def compare(old: Path, new: Path) -> Comparison:
    """Compare the release in ``old`` with that in ``new``; datasets without a common primary key count as replaced."""
    descriptors = descriptor_of(old), descriptor_of(new)
    before, after = schemas_of(descriptors[0]), schemas_of(descriptors[1])
    paths = [{resource["name"]: resource["path"] for resource in one["resources"]} for one in descriptors]
    changes: list[Change] = []
    figures: dict[str, DatasetFigures] = {}
    with duckdb.connect() as con:
        for dataset, schema in after.items():
            if dataset in before and schema.get("primaryKey") == before[dataset].get("primaryKey"):
                tables = old / paths[0][dataset], new / paths[1][dataset]
                lines, figures[dataset] = _compare_dataset(con, dataset, schema, *tables)
                changes += lines
    schema_lines = schema_changes(before, after)
    changes += [Change(line.dataset, "", SCHEMA, line.column, None, line.text) for line in schema_lines]
    return Comparison(
        previous=descriptors[0]["version"],
        changes=tuple(changes),
        schema=tuple(schema_lines),
        figures=figures,
        missing_datasets=tuple(sorted(before.keys() - after.keys())),
        missing_formats=tuple(sorted(_formats(descriptors[0]) - _formats(descriptors[1]))),
    )
