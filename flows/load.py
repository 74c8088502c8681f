"""Stage 2, load: read the snapshots, check each cell against its contract, and store typed tables.

Schema ``input`` then holds one table per dataset with the contract's columns and types and ``zeile``, the line in the
file. Schema ``meta`` holds what rules over all datasets need: primary keys, references, texts and code lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flows.boundary_load import load_boundaries, open_boundaries
from flows.contracts import Contract, code_list, code_list_names, load_contract
from flows.database import create_table, database
from flows.errors import Refused, WrongUsage
from flows.findings import Finding
from flows.german import number
from flows.profile import Source
from flows.run import Run, StageReport
from flows.tables import UTF_8, Table, read_cells, read_headers
from flows.validate import check_header, check_values, day_columns, months_too, name, quoted

RESPONSES = "survey_responses"
# What follows from findings of this stage: the rules over all datasets were not asked yet.
NOT_ALL = "es wurde nichts veröffentlicht. Weitere Prüfungen folgen, wenn das berichtigt ist"
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


def _read(con: duckdb.DuckDBPyConnection, run: Run, source: Source, contract: Contract) -> Table | None:
    """Store an input as ``raw.<dataset>``; returns the cells of a table, None for boundaries.

    Raises ``Refused`` when it cannot be read, or when its columns or shapes are wrong.
    """
    file = run.snapshot(source)
    if "geometry" in contract.raw:
        boundaries = open_boundaries(file, source)
        _refuse_header(contract, boundaries.columns, source)
        load_boundaries(con, source, boundaries)
        return None
    _refuse_open_sheet(contract, file, source)
    cells = read_cells(file, source.sheet, source.label, day_columns(contract))
    _refuse_header(contract, tuple(cells.columns), source)
    create_table(con, f"raw.{source.dataset}", _raw_table(cells))
    return cells


def _refuse_header(contract: Contract, columns: tuple[str, ...], source: Source) -> None:
    if wrong := check_header(contract, columns, source.label):
        raise Refused(wrong)


def _refuse_open_sheet(contract: Contract, file: Path, source: Source) -> None:
    """Of a workbook with several sheets the first is read only where it is the table: templates explain themselves
    first.
    """
    if source.sheet or file.suffix.lower() != ".xlsx":
        return
    headers = read_headers(file, source.label)
    alike = {str(sheet): len(set(columns) & set(contract.column_names)) for sheet, columns in headers.items()}
    if len(alike) == 1 or next(iter(alike.values())):
        return
    best = max(alike, key=lambda sheet: alike[sheet])
    known = f"vorhanden: {', '.join(alike)}."
    remedy = f"Bitte das Blatt nennen; {known}"
    if alike[best]:
        remedy = f'Bitte im Profil das Blatt nennen: `{source.dataset} = "{source.file.name}#{best}"`; {known}'
    message = f"das erste Blatt „{next(iter(alike))}“ hat keine der erwarteten Spalten."
    raise Refused([Finding("lesbar", source.label, message, remedy)])


def _cell_findings(
    con: duckdb.DuckDBPyConnection, contract: Contract, source: Source, cells: Table | None
) -> list[Finding]:
    """What is wrong with the cells of ``raw.<dataset>``; of one that cannot be read, only that."""
    unreadable = list(cells.faults) if cells else []
    places = {(finding.row, finding.column) for finding in unreadable}
    found = check_values(con, f"raw.{source.dataset}", contract, source.label)
    return unreadable + [finding for finding in found if (finding.row, finding.column) not in places]


def _reading_notes(contract: Contract, source: Source, cells: Table) -> Iterator[str]:
    """What the operator should know of how a table was read."""
    if cells.encoding != UTF_8:
        yield f"{source.label} ist als {cells.encoding} gelesen; üblich ist „CSV UTF-8“."
    if not cells.german_days:
        return
    note = f"{source.label}: {_count(len(cells.german_days), 'Datum', 'Daten')} in der Form TT.MM.JJJJ gelesen."
    # A cell formatted as a day shows a typed 2019-03 so.
    vague = months_too(contract)
    if firsts := sum(column in vague and day.endswith("-01") for column, day in cells.german_days):
        note += (
            f" Davon {_count(firsts, 'Monatserster', 'Monatserste')}: War nur der Monat bekannt, bitte als Text "
            "„JJJJ-MM“ eintragen."
        )
    yield note


def _count(count: int, one: str, several: str) -> str:
    return f"1 {one}" if count == 1 else f"{number(count)} {several}"


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
                cells = _read(con, run, source, contract)
            except Refused as refused:
                findings.extend(refused.findings)
                continue
            findings.extend(_cell_findings(con, contract, source, cells))
            notes.extend(_reading_notes(contract, source, cells) if cells else ())
            contracts[source.dataset] = contract
        if findings:
            raise Refused(findings, NOT_ALL)
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
