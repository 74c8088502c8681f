"""A published dataset in memory: its contract, its rows in key order, its shapes."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from flows import geometry
from flows.contracts import Contract, Field
from flows.profile import SYNTHETIC_MARK
from flows.validate import name

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
class Dataset:
    """Rows as an Arrow table with exactly the contract's columns; ``shapes`` (EPSG:25832) row by row, or None."""

    contract: Contract
    table: pa.Table
    shapes: geometry.Geometries | None


def published(contract: Contract, synthetic: bool) -> Contract:
    """The contract as published: a synthetic release says in every record that it is one."""
    return contract.with_field(SYNTHETIC_FIELD) if synthetic else contract


def _shape_join(contract: Contract) -> str:
    key = name(contract.primary_key[0])
    if contract.geometry_level == "gremium":
        return f"JOIN joined.committee_points g ON g.gremium_id = r.{key}"
    return f"JOIN joined.map_geometry g ON g.ebene = '{contract.geometry_level}' AND g.schluessel = r.{key}"


def read_dataset(con: duckdb.DuckDBPyConnection, contract: Contract, synthetic: bool) -> Dataset:
    """Read ``release.<name>`` with the contract's columns, types and order, sorted by primary key."""
    columns = [f"CAST(r.{name(field.name)} AS {field.duckdb_type}) AS {name(field.name)}" for field in contract.fields]
    if synthetic:
        columns.append(f"'{SYNTHETIC_MARK}' AS {name(SYNTHETIC_FIELD.name)}")
    order = ", ".join(f"r.{name(column)}" for column in contract.primary_key)
    spatial = contract.geometry_level is not None
    join = _shape_join(contract) if spatial else ""
    selected = ", ".join([*columns, "g.geometry"] if spatial else columns)
    table = con.execute(f"SELECT {selected} FROM release.{contract.name} r {join} ORDER BY {order}").to_arrow_table()
    shapes = geometry.from_table(table) if spatial else None
    if spatial:
        table = table.drop_columns(["geometry"])
    return Dataset(published(contract, synthetic), table, shapes)
