"""The references between a release's tables, followed by DuckDB.

Frictionless would read the referred table anew for each of some forty references: half of its time in a small release.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from flows.findings import Finding
from flows.validate import name, quoted

CHECK = "tabellen"
REMEDY = "Bitte die Ausgabe neu bauen; veröffentlicht wird nichts."

Resource = Mapping[str, Any]
"""A table in ``datapackage.json``."""


def reference_findings(folder: Path, tables: Sequence[Resource], unreadable: Collection[str]) -> Iterator[Finding]:
    """Cells of ``tables`` (each as its schema says) that are missing in the table that their foreign key refers to, and
    foreign keys that refer to no table at all.

    Tables whose path is ``unreadable`` are not read. An empty cell refers to nothing (Table Schema).
    """
    known = {table["name"]: table for table in tables}
    with duckdb.connect() as con:
        for table in tables:
            for reference in table["schema"].get("foreignKeys", []):
                # Empty: the table itself.
                wanted = reference["reference"]["resource"] or table["name"]
                if wanted not in known:
                    message = f"ein Verweis führt zur Tabelle „{wanted}“, die nicht beschrieben ist."
                    yield Finding(CHECK, table["path"], message, REMEDY, column=", ".join(reference["fields"]))
                elif not {table["path"], known[wanted]["path"]} & set(unreadable):
                    yield from _dangling(con, folder, table, known[wanted], reference)


def _dangling(
    con: duckdb.DuckDBPyConnection, folder: Path, table: Resource, target: Resource, reference: Mapping[str, Any]
) -> Iterator[Finding]:
    fields, keys = reference["fields"], reference["reference"]["fields"]
    columns = ", ".join(f"r.{name(field)}" for field in fields)
    same = " AND ".join(
        f"r.{name(field)} IS NOT DISTINCT FROM t.{name(key)}" for field, key in zip(fields, keys, strict=True)
    )
    # The header is line 1.
    found = con.execute(
        f"SELECT r.zeile, concat_ws(' | ', {columns}) AS wert "
        f"FROM (SELECT row_number() OVER () + 1 AS zeile, * FROM {_cells(folder, table)}) r "
        f"ANTI JOIN {_cells(folder, target)} t ON {same} "
        f"WHERE coalesce({columns}) IS NOT NULL ORDER BY r.zeile"
    ).fetchall()
    where = f"{target['path']}, Spalte „{', '.join(keys)}“"
    for line, value in found:
        message = f"der Wert fehlt in der Tabelle, auf die er verweist ({where})."
        yield Finding(CHECK, table["path"], message, REMEDY, line, ", ".join(fields), value)


def _cells(folder: Path, table: Resource) -> str:
    """The rows of a CSV as SQL, each cell a text or NULL."""
    columns = ", ".join(f"{quoted(field['name'])}: 'VARCHAR'" for field in table["schema"]["fields"])
    return (
        f"read_csv({quoted(str(folder / table['path']))}, header = true, auto_detect = false, parallel = false, "
        f"delim = {quoted(table['dialect']['delimiter'])}, quote = '\"', escape = '\"', columns = {{{columns}}})"
    )
