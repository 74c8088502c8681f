"""Stage 2, load: read the snapshots, check each cell against its contract, and store typed tables.

Schema ``input`` then holds one table per dataset with the contract's columns and types and ``zeile``, the line in the
file. Schema ``meta`` holds what rules over all datasets need: primary keys, references, texts and code lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import shapely

from flows import geometry
from flows.contracts import Contract, code_list, code_list_names, load_contract
from flows.database import append_table, create_table, database
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.partition import land_of
from flows.profile import Source
from flows.run import Run, StageReport
from flows.tables import UTF_8, Table, read_cells
from flows.validate import check_header, check_values, name, quoted

RESPONSES = "survey_responses"
# West, south, east and north of all VG250 areas with a margin, in metres of EPSG:25832.
GERMANY = (200_000, 5_200_000, 1_000_000, 6_200_000)
# So many shapes are Python objects at a time.
BATCH_ROWS = 2048
# So much of each column is read ahead; without a limit it would be the whole column.
READ_BYTES = 1 << 20
# The column of a boundary file that says which Land a shape belongs to; the header is checked before.
KEY = "schluessel"
OPTIONAL_DATASETS = {
    "register",
    "population",
    "municipal_changes",
    "boundaries_current",
    "register_current",
    "population_current",
    "municipal_changes_current",
    "survey_waves",
    "committees",
    "evidence",
    "evidence_links",
    "hints",
    "monitoring",
    "resources",
}


def typed(column: str, kind: str, words: tuple[str, str]) -> str:
    """Expression that casts a checked text column to its DuckDB type."""
    if kind == "BOOLEAN":
        return (
            f"{name(column)} = {quoted(words[0])}" if words != ("true", "false") else f"CAST({name(column)} AS BOOLEAN)"
        )
    return f"CAST({name(column)} AS {kind})"


def _raw_table(table: Table) -> pa.Table:
    """A table of texts with the line numbers in front."""
    arrays = [pa.array([row[index] for row in table.rows], pa.string()) for index in range(len(table.columns))]
    return pa.table([pa.array(table.lines, pa.int64()), *arrays], names=["zeile", *table.columns])


def _cell_findings(
    con: duckdb.DuckDBPyConnection, contract: Contract, source: Source, cells: Table | None
) -> list[Finding]:
    """What is wrong with the cells of ``raw.<dataset>``; of one that cannot be read, only that."""
    unreadable = list(cells.faults) if cells else []
    places = {(finding.row, finding.column) for finding in unreadable}
    found = check_values(con, f"raw.{source.dataset}", contract, source.label)
    return unreadable + [finding for finding in found if (finding.row, finding.column) not in places]


@dataclass(frozen=True, slots=True)
class _BoundaryFile:
    """A GeoParquet file that is read a few rows at a time: its column of shapes, their CRS, and the other columns."""

    file: pyarrow.parquet.ParquetFile
    primary: str
    crs: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file without the shapes."""
        return tuple(column for column in self.file.schema_arrow.names if column != self.primary)


def _open_boundaries(file: Path, source: Source) -> _BoundaryFile:
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
    return _BoundaryFile(opened, primary, json.dumps(column["crs"]) if column.get("crs") else geometry.OUTSIDE)


def _boundary_tables(boundaries: _BoundaryFile, faults: _ShapeFaults) -> Iterator[pa.Table]:
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


def _load_boundaries(con: duckdb.DuckDBPyConnection, source: Source, boundaries: _BoundaryFile) -> None:
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


def _store(con: duckdb.DuckDBPyConnection, contract: Contract, dataset: str, with_geometry: bool) -> int:
    columns = [f"{typed(f.name, f.duckdb_type, f.boolean_words)} AS {name(f.name)}" for f in contract.fields]
    extra = ["geometry"] if with_geometry else []
    selected = ", ".join(["zeile", *columns, *extra])
    con.execute(f"CREATE TABLE input.{dataset} AS SELECT {selected} FROM raw.{dataset} ORDER BY zeile")
    con.execute(f"DROP TABLE raw.{dataset}")
    rows: int = con.execute(f"SELECT count(*) FROM input.{dataset}").fetchall()[0][0]
    return rows


def _store_absent(con: duckdb.DuckDBPyConnection, present: dict[str, Contract]) -> None:
    """Empty tables for the datasets that a profile does not have, so that the SQL needs no special case."""
    for dataset in OPTIONAL_DATASETS - present.keys():
        contract = load_contract("input", dataset)
        columns = [f"{name(field.name)} {field.duckdb_type}" for field in contract.fields]
        if "geometry" in contract.raw:
            columns.append("geometry GEOMETRY")
        con.execute(f"CREATE TABLE input.{dataset} (zeile BIGINT, {', '.join(columns)})")


def _meta_rows(contract: Contract, dataset: str) -> Iterator[tuple[str, str]]:
    """(meta table, query) pairs: this dataset's keys, references and texts."""
    if contract.primary_key:
        key = " || ' | ' || ".join(f"coalesce(CAST({name(column)} AS VARCHAR), '')" for column in contract.primary_key)
        yield (
            "primary_keys",
            f"SELECT {quoted(dataset)}, zeile, {quoted(', '.join(contract.primary_key))}, {key} FROM input.{dataset}",
        )
    for reference in contract.raw.get("foreignKeys", []):
        column, target = reference["fields"][0], reference["reference"]["fields"][0]
        table = reference["reference"]["resource"] or dataset
        field = next(item for item in contract.fields if item.name == column)
        values = f"unnest(string_split({name(column)}, {quoted(field.separator)}))" if field.separator else name(column)
        yield (
            "foreign_keys",
            (
                f"SELECT {quoted(dataset)}, zeile, {quoted(column)}, v, {quoted(table)}, "
                f"v IN (SELECT {name(target)} FROM input.{table}) "
                f"FROM (SELECT zeile, {values} AS v FROM input.{dataset} WHERE {name(column)} IS NOT NULL)"
            ),
        )
    for field in contract.fields:
        if field.type == "string":
            kind = quoted(field.raw.get("format", "default"))
            yield (
                "texts",
                (
                    f"SELECT {quoted(dataset)}, zeile, {quoted(field.name)}, {kind}, {name(field.name)} "
                    f"FROM input.{dataset} WHERE {name(field.name)} IS NOT NULL"
                ),
            )


def _create_meta(con: duckdb.DuckDBPyConnection, contracts: dict[str, Contract], labels: dict[str, str]) -> None:
    con.execute("CREATE TABLE meta.primary_keys (datensatz VARCHAR, zeile BIGINT, spalten VARCHAR, schluessel VARCHAR)")
    con.execute(
        "CREATE TABLE meta.foreign_keys "
        "(datensatz VARCHAR, zeile BIGINT, spalte VARCHAR, wert VARCHAR, ziel VARCHAR, gefunden BOOLEAN)"
    )
    con.execute("CREATE TABLE meta.texts (datensatz VARCHAR, zeile BIGINT, spalte VARCHAR, art VARCHAR, wert VARCHAR)")
    queries: dict[str, list[str]] = {}
    for dataset, contract in contracts.items():
        for table, query in _meta_rows(contract, dataset):
            queries.setdefault(table, []).append(query)
    for table, parts in queries.items():
        con.execute(f"INSERT INTO meta.{table} {' UNION ALL '.join(parts)}")
    codes = [
        {"liste": liste, "code": code.code, "bezeichnung": code.label, "extra": json.dumps(code.extra)}
        for liste in code_list_names()
        for code in code_list(liste)
    ]
    create_table(con, "meta.codes", pa.Table.from_pylist(codes))
    create_table(con, "meta.sources", pa.Table.from_pylist([{"datensatz": k, "datei": v} for k, v in labels.items()]))


def _store_responses(con: duckdb.DuckDBPyConnection, waves: dict[str, Contract]) -> None:
    """All waves' responses: common columns in ``input.survey_responses``, questions in ``input.survey_answers``."""
    common = load_contract("input", RESPONSES)
    columns = ", ".join(f"{name(field.name)} {field.duckdb_type}" for field in common.fields)
    con.execute(f"CREATE TABLE input.{RESPONSES} (datensatz VARCHAR, welle VARCHAR, zeile BIGINT, {columns})")
    con.execute("CREATE TABLE input.survey_answers (welle VARCHAR, einheit VARCHAR, frage VARCHAR, antwort VARCHAR)")
    selected = ", ".join(name(field.name) for field in common.fields)
    for dataset, contract in waves.items():
        wave = quoted(dataset.removeprefix(f"{RESPONSES}_"))
        con.execute(
            f"INSERT INTO input.{RESPONSES} SELECT {quoted(dataset)}, {wave}, zeile, {selected} FROM input.{dataset}"
        )
        for field in contract.fields[len(common.fields) :]:
            con.execute(
                f"INSERT INTO input.survey_answers SELECT {wave}, einheit, {quoted(field.name)}, "
                f"CAST({name(field.name)} AS VARCHAR) FROM input.{dataset} WHERE {name(field.name)} IS NOT NULL"
            )


def load(run: Run) -> StageReport:
    """Build the ``input`` and ``meta`` schemas in ``run.database``.

    Raises ``Refused`` with every cell of every file that breaks its contract, ``WrongUsage`` without boundaries.
    """
    run.database.unlink(missing_ok=True)
    contracts: dict[str, Contract] = {}
    findings: list[Finding] = []
    notes: list[str] = []
    with database(run.database) as con:
        for source in run.profile.sources:
            contract = load_contract("input", source.dataset)
            try:
                spatial = "geometry" in contract.raw
                boundaries = _open_boundaries(run.snapshot(source), source) if spatial else None
                cells = None if spatial else read_cells(run.snapshot(source), source.sheet, source.label)
                columns = boundaries.columns if boundaries else cells.columns if cells else ()
                if wrong := check_header(contract, tuple(columns), source.label):
                    raise Refused(wrong)
                if boundaries:
                    _load_boundaries(con, source, boundaries)
                elif cells:
                    create_table(con, f"raw.{source.dataset}", _raw_table(cells))
            except Refused as refused:
                findings.extend(refused.findings)
                continue
            findings.extend(_cell_findings(con, contract, source, cells))
            if cells and cells.encoding != UTF_8:
                notes.append(f"{source.label} ist als {cells.encoding} gelesen; üblich ist „CSV UTF-8“.")
            contracts[source.dataset] = contract
        if findings:
            raise Refused(findings)
        if "boundaries" not in contracts:
            raise WrongUsage(
                f"Das Profil „{run.profile.name}“ nennt keine Grenzen. Bitte in [sources] „boundaries“ ergänzen."
            )
        _store_absent(con, contracts)
        rows = {
            dataset: _store(con, contract, dataset, "geometry" in contract.raw)
            for dataset, contract in contracts.items()
        }
        _store_responses(con, {key: value for key, value in contracts.items() if key.startswith(f"{RESPONSES}_")})
        _create_meta(con, contracts, {source.dataset: source.label for source in run.profile.sources})
    return StageReport(rows=rows, notes=tuple(notes))


def read_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Input rows by dataset, counted in the database."""
    tables: list[Any] = con.execute("SELECT datensatz FROM meta.sources ORDER BY ALL").fetchall()
    return {table: con.execute(f"SELECT count(*) FROM input.{table}").fetchall()[0][0] for (table,) in tables}
