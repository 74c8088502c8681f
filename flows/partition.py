"""The partition of all work on shapes: the Land, which every key of a territory begins with.

Keys sorted as text are sorted by Land, so results by Land, one after another, are in the order of the keys. Between
the steps the shapes lie as Parquet in the run's work folder, with their geometry as WKB.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

# Digits of a key that name its Land.
LAND_DIGITS = 2


def land_of(key: str) -> str:
    """The Land of a territory's key."""
    return key[:LAND_DIGITS]


def write_part(table: pa.Table, file: Path) -> None:
    """Write a table as a part of the run's own: quick to write and to read, nothing that is published."""
    pyarrow.parquet.write_table(table, file, compression="lz4")


def read_part(file: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a part; without ``columns`` all of it."""
    # A part has one row group; threads would only contend with those of the runner.
    return pyarrow.parquet.read_table(file, columns=columns, use_threads=False)


def export_part(con: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write the rows of a query as a part, without making Python objects of them."""
    place = str(file).replace("'", "''")
    con.execute(f"COPY ({query}) TO '{place}' (FORMAT parquet, COMPRESSION lz4_raw)")
