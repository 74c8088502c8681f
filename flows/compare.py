"""Compare two releases by key, cell by cell, in DuckDB: what came, went and changed.

Of the two release folders only the CSV files, the GeoJSON files and ``datapackage.json`` are read.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import shapely
from pyarrow.csv import ConvertOptions, ParseOptions, read_csv

from flows import geometry
from flows.database import create_table
from flows.geojson_lines import batches, features
from flows.schema_change import SchemaChange, primary_key, schema_changes, schemas_of
from flows.validate import name, quoted

NEW, GONE, CHANGED, SCHEMA = "neu", "entfallen", "geaendert", "schema"
"""Kinds of change, as in the code list ``aenderung_art``."""
SHAPE = "geometrie"
NUMBERS = ("integer", "number")
NO_SHAPE = {"type": "GeometryCollection", "geometries": []}
# So many shapes are read at a time.
BATCH = 2_000


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
    """How one column of a dataset moved, over the rows that both releases have.

    ``filled``: cells that had a value; of these ``changed`` have another one and ``emptied`` none. Totals are over the
    cells that have a value in both, and None for columns that are not numbers.
    """

    filled: int
    changed: int
    emptied: int
    total_old: float | None = None
    total_new: float | None = None


@dataclass(frozen=True, slots=True)
class DatasetFigures:
    """How one dataset moved: rows, keys that came and went, columns (shapes as one of them), and area before, lost and
    moved (m² in EPSG:25832).
    """

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
    """Everything that differs between two releases.

    ``labels`` are what people call the rows named in ``changes``, by dataset and key: a name, then what tells it from
    others; ``columns`` are the columns' titles.
    """

    previous: str
    changes: tuple[Change, ...]
    schema: tuple[SchemaChange, ...]
    figures: Mapping[str, DatasetFigures]
    missing_datasets: tuple[str, ...] = ()
    missing_formats: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def descriptor_of(folder: Path) -> dict[str, Any]:
    """The ``datapackage.json`` of a release."""
    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return descriptor


# --- tables --------------------------------------------------------------------------------------------------------


def _read(con: duckdb.DuckDBPyConnection, table: str, file: Path) -> list[str]:
    """Read a CSV as texts into ``table``; an empty cell is NULL. Returns the columns.

    Not by DuckDB's own reader: with its sniffer off, some settings of it find no row and say nothing.
    """
    with file.open(encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream, strict=True))
    texts = ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    create_table(con, table, read_csv(file, parse_options=ParseOptions(newlines_in_values=True), convert_options=texts))
    return header


def _same(key: Sequence[str]) -> str:
    return " AND ".join(f"o.{name(column)} = n.{name(column)}" for column in key)


def _key(alias: str, key: Sequence[str]) -> str:
    return "concat_ws(';', " + ", ".join(f"{alias}.{name(column)}" for column in key) + ")"


def _row_changes(con: duckdb.DuckDBPyConnection, dataset: str, key: Sequence[str], columns: list[str]) -> list[Change]:
    same = _same(key)
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
    con: duckdb.DuckDBPyConnection, key: Sequence[str], columns: list[str], numeric: set[str]
) -> dict[str, ColumnFigures]:
    def figures(column: str) -> str:
        old, new = f"o.{name(column)}", f"n.{name(column)}"
        counts = (
            f"count({old}), count(*) FILTER (WHERE {old} <> {new}), "
            f"count(*) FILTER (WHERE {old} IS NOT NULL AND {new} IS NULL)"
        )
        if column not in numeric:
            return f"{counts}, NULL, NULL"
        both = f"FILTER (WHERE {old} IS NOT NULL AND {new} IS NOT NULL)"
        return f"{counts}, " + ", ".join(f"sum(TRY_CAST({one} AS DOUBLE)) {both}" for one in (old, new))

    if not columns:
        return {}
    selected = ", ".join(figures(column) for column in columns)
    values = con.execute(f"SELECT {selected} FROM old o JOIN new n ON {_same(key)}").fetchall()[0]
    return {column: ColumnFigures(*values[5 * i : 5 * i + 5]) for i, column in enumerate(columns)}


def _labels(
    con: duckdb.DuckDBPyConnection, key: Sequence[str], columns: list[str], keys: set[str]
) -> dict[str, tuple[str, ...]]:
    """What people call the rows of ``keys``: the values of the label columns, in the new release where it is there."""
    if not columns or not keys:
        return {}
    selected = ", ".join(f"t.{name(column)}" for column in columns)
    found: dict[str, tuple[str, ...]] = {}
    for table in ("old", "new"):
        for row in con.execute(f"SELECT {_key('t', key)}, {selected} FROM {table} t").fetchall():
            if row[0] in keys:
                found[row[0]] = tuple(value for value in row[1:] if value is not None)
    return found


# --- shapes --------------------------------------------------------------------------------------------------------


def _digests(file: Path) -> dict[str, bytes | None]:
    """What tells GeoJSON geometries apart, by feature id; None where there is none. A country's shapes are not held."""
    return {
        str(feature["id"]): feature["geometry"] and hashlib.sha256(orjson.dumps(feature["geometry"])).digest()
        for feature in features(file)
    }


def _polygons(file: Path, keys: Collection[str] | None = None) -> Iterator[tuple[list[str], geometry.Geometries]]:
    """Ids and GeoJSON geometries as valid shapes in EPSG:25832, some thousand at a time; a missing one is an empty one.

    ``keys``: only these ids.
    """
    wanted = (feature for feature in features(file) if keys is None or str(feature["id"]) in keys)
    texts = ((str(feature["id"]), orjson.dumps(feature["geometry"] or NO_SHAPE)) for feature in wanted)
    for batch in batches(texts, BATCH):
        read = shapely.from_geojson([text for _, text in batch])
        yield [key for key, _ in batch], shapely.make_valid(geometry.transform(read, geometry.OUTSIDE, geometry.INSIDE))


def _area(file: Path, keys: Collection[str] | None = None) -> float:
    return sum(float(np.sum(shapely.area(shapes))) for _, shapes in _polygons(file, keys))


def _moved_area(old: Path, new: Path, keys: Collection[str]) -> float:
    """The area in which the shapes of ``keys`` differ; one that is not in the new file has moved as a whole.

    Both files are read side by side: releases are in the order of their keys, so few shapes wait for the other one.
    """
    was: dict[str, shapely.Geometry] = {}
    became: dict[str, shapely.Geometry] = {}
    moved = 0.0
    for before, after in zip_longest(_polygons(old, keys), _polygons(new, keys), fillvalue=((), ())):
        was |= zip(*before, strict=True)
        became |= zip(*after, strict=True)
        both = [key for key in was if key in became]
        pairs = [was.pop(key) for key in both], [became.pop(key) for key in both]
        moved += float(np.sum(shapely.area(shapely.symmetric_difference(*pairs))))
    return moved + float(np.sum(shapely.area(list(was.values()))))


def _shape_changes(
    dataset: str, old: Path, new: Path, gone: set[str]
) -> tuple[list[Change], ColumnFigures, tuple[float, float, float]]:
    """Changed shapes as lines of ``changes.csv`` and as figures of a column, and area before, lost and moved in m².

    ``gone`` are the keys of rows that are no longer there; a row that is there without its shape counts as emptied.
    """
    before, after = _digests(old), _digests(new)
    moved = {key: None for key in before if before[key] != after.get(key)}
    lines = [Change(dataset, key, CHANGED, SHAPE) for key in moved if key not in gone]
    emptied = sum(not after.get(line.key) for line in lines)
    figures = ColumnFigures(len(before.keys() - gone), len(lines) - emptied, emptied)
    if not moved:
        return lines, figures, (0.0, 0.0, 0.0)
    lost = max(0.0, _area(old, moved.keys()) - _area(new, moved.keys()) - _area(new, after.keys() - before.keys()))
    return lines, figures, (_area(old), lost, _moved_area(old, new, moved.keys()))


# --- releases ------------------------------------------------------------------------------------------------------


def _compare_dataset(
    con: duckdb.DuckDBPyConnection,
    dataset: str,
    schemas: tuple[Mapping[str, Any], Mapping[str, Any]],
    files: tuple[Path, Path],
    label: Sequence[str],
) -> tuple[list[Change], DatasetFigures, dict[str, tuple[str, ...]]]:
    """Compare one table in the old and the new release, and the GeoJSON beside it if there is one."""
    before, after = _read(con, "old", files[0]), _read(con, "new", files[1])
    key = primary_key(schemas[1])
    columns = [column for column in before if column in after and column not in key]
    numeric = set(before).intersection(*({f["name"] for f in s["fields"] if f["type"] in NUMBERS} for s in schemas))
    changes = _row_changes(con, dataset, key, columns)
    figures = _column_figures(con, key, columns, numeric)
    area = (0.0, 0.0, 0.0)
    layers = (files[0].with_suffix(".geojson"), files[1].with_suffix(".geojson"))
    come, gone = ({change.key for change in changes if change.kind == kind} for kind in (NEW, GONE))
    if all(layer.is_file() for layer in layers):
        shapes, figures[SHAPE], area = _shape_changes(dataset, *layers, gone)
        changes += shapes
    rows_old, rows_new = (con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in ("old", "new"))
    labels = _labels(con, key, [one for one in label if one in columns or one in key], {one.key for one in changes})
    return changes, DatasetFigures(rows_old, rows_new, len(come), len(gone), figures, *area), labels


def _column_titles(*schemas: Mapping[str, Any]) -> dict[str, str]:
    titles = {one["name"]: one.get("title", one["name"]) for schema in schemas for one in schema["fields"]}
    return titles | {SHAPE: "Form auf der Karte"}


def compare(old: Path, new: Path, labels: Mapping[str, Sequence[str]]) -> Comparison:
    """Compare the release in ``old`` with that in ``new``; ``labels`` are the columns by which people know a row.

    A dataset whose key changed cannot be compared row by row; that is a change of the schema.
    """
    descriptors = descriptor_of(old), descriptor_of(new)
    before, after = schemas_of(descriptors[0]), schemas_of(descriptors[1])
    paths = [{resource["name"]: resource["path"] for resource in one["resources"]} for one in descriptors]
    changes: list[Change] = []
    figures: dict[str, DatasetFigures] = {}
    names: dict[str, dict[str, tuple[str, ...]]] = {}
    with duckdb.connect() as con:
        for dataset in (dataset for dataset in after if dataset in before):
            schemas = before[dataset], after[dataset]
            if primary_key(schemas[0]) == primary_key(schemas[1]):
                files = old / paths[0][dataset], new / paths[1][dataset]
                lines, figures[dataset], names[dataset] = _compare_dataset(
                    con, dataset, schemas, files, labels.get(dataset, ())
                )
                changes += lines
    schema = schema_changes(before, after)
    changes += [Change(line.dataset, "", SCHEMA, line.column, None, line.text) for line in schema]
    missing = before.keys() - after.keys()
    formats = set(paths[0].values()) - set(paths[1].values())
    stems = {str(Path(paths[0][dataset]).with_suffix("")) for dataset in missing}
    return Comparison(
        previous=descriptors[0]["version"],
        changes=tuple(changes),
        schema=tuple(schema),
        figures=figures,
        missing_datasets=tuple(sorted(missing)),
        missing_formats=tuple(sorted(path for path in formats if str(Path(path).with_suffix("")) not in stems)),
        labels=names,
        columns={dataset: _column_titles(before.get(dataset, after[dataset]), after[dataset]) for dataset in after},
    )
