"""The run's DuckDB file: how it is opened and how its relations are built from the SQL files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.paths import SQL
from flows.run import Run

SCHEMAS = ("raw", "input", "meta", "staging", "joined", "release")
REFERENCE = re.compile(r"\b(staging|joined|release)\.([a-z_0-9]+)")
COMMENT = re.compile(r"--[^\n]*")
# Of one connection. What takes more lies in a folder beside the file; without a limit it is most of the machine's.
MEMORY = "1GB"


@contextmanager
def database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the run's database file. Extensions are neither installed nor loaded, and times are UTC."""
    extensions = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    con = duckdb.connect(path, config={**extensions, "memory_limit": MEMORY})
    try:
        con.execute("SET TimeZone = 'UTC'")
        for schema in SCHEMAS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        yield con
    finally:
        con.close()


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that Python builds because SQL without an extension cannot: what it reads, and what creates it."""

    needs: tuple[str, ...]
    build: Callable[[duckdb.DuckDBPyConnection, Run], None]


def sql_files(folder: str) -> dict[str, str]:
    """SQL texts of ``sql/<folder>`` by relation name (``<folder>.<file name>``), sorted by name."""
    return {f"{folder}.{path.stem}": path.read_text(encoding="utf-8") for path in sorted((SQL / folder).glob("*.sql"))}


def references(text: str) -> set[str]:
    """Names of the staging, joined and release relations that an SQL text reads."""
    return {".".join(match) for match in REFERENCE.findall(COMMENT.sub("", text))}


def build_order(texts: Mapping[str, str], python: Mapping[str, Relation]) -> list[str]:
    """All relations in an order in which each comes after those it reads; alphabetical where the order is free.

    Raises ``KeyError`` for a reference to a relation that nobody builds.
    """
    needs = {name: references(text) for name, text in texts.items()}
    needs |= {name: set(relation.needs) for name, relation in python.items()}
    for relation, wanted in needs.items():
        if unknown := wanted - needs.keys():
            raise KeyError(f"{relation} reads {sorted(unknown)}, which no file in sql/ and no Python relation builds")
    sorter = TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)})
    return list(sorter.static_order())


def create_table(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Store an Arrow table under ``name``; a ``geoarrow.wkb`` column becomes DuckDB's GEOMETRY."""
    con.register("incoming", table)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
    con.unregister("incoming")


def append_table(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Add the rows of an Arrow table to the table ``name``, whose columns are in the same order."""
    con.register("incoming", table)
    con.execute(f"INSERT INTO {name} SELECT * FROM incoming")
    con.unregister("incoming")


def build_relations(
    con: duckdb.DuckDBPyConnection, folders: tuple[str, ...], python: Mapping[str, Relation], run: Run
) -> dict[str, int]:
    """Build every relation of the given SQL folders and of ``python``; returns the rows of each."""
    texts = {name: text for folder in folders for name, text in sql_files(folder).items()}
    rows: dict[str, int] = {}
    for name in build_order(texts, python):
        if name in texts:
            con.execute(f"CREATE OR REPLACE TABLE {name} AS {texts[name]}")
        else:
            python[name].build(con, run)
        rows[name] = con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
    return rows
