"""What a reader of ``flows.sources`` makes of a product: datasets in the form of their contracts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from flows import geometry
from flows.contracts import load_contract
from flows.profile import Profile


@dataclass(frozen=True, slots=True)
class Converted:
    """One dataset out of a product.

    ``table`` has exactly the columns of the contract ``input/<dataset>``, in its order, each of them text (None =
    empty), and for a contract with ``geometry`` that column at the end, as ``geometry.with_geometry`` makes it
    (EPSG:25832). ``standing`` is the day for which the product says it holds (territory or population date), None when
    it names none. ``title`` and ``origin`` (German) go into the sidecar, and so must not depend on when or from where
    the product was fetched.
    """

    table: pa.Table
    standing: date | None
    title: str
    origin: str


Reader = Callable[[Path, str, Mapping[str, str], Profile], Mapping[str, Converted]]
"""``read_xxx(file, label, options, profile)``: the datasets in a raw product, by name.

``label`` is how findings name the product (never a path or an address), ``options`` are the texts of
``[fetch.<name>]``. Raises ``Refused`` with every finding when the product is not what it should be.
"""


def text_table(dataset: str, rows: list[dict[str, str | None]]) -> pa.Table:
    """Rows by column name as a table of texts with the columns of the contract ``input/<dataset>``.

    Raises ``KeyError`` for a row that lacks a column: a reader states each of them.
    """
    columns = load_contract("input", dataset).column_names
    return pa.table({column: pa.array([row[column] for row in rows], pa.string()) for column in columns})


def csv_bytes(table: pa.Table) -> bytes:
    """A table of texts as CSV after RFC 4180: UTF-8, comma, CRLF, empty for None."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(table.column_names)
    columns = [column.to_pylist() for column in table.columns]
    writer.writerows([value or "" for value in row] for row in zip(*columns, strict=True))
    return buffer.getvalue().encode("utf-8")


def write_converted(dataset: str, converted: Converted, folder: Path) -> Path:
    """Write ``<dataset>.csv``, or ``<dataset>.parquet`` (GeoParquet 1.1, EPSG:25832) for shapes; returns the file.

    The same table gives the same bytes, so that a product fetched again in other wrapping changes nothing.
    """
    if "geometry" not in load_contract("input", dataset).raw:
        file = folder / f"{dataset}.csv"
        file.write_bytes(csv_bytes(converted.table))
        return file
    import geopandas
    import pandas

    file = folder / f"{dataset}.parquet"
    texts = converted.table.drop_columns(["geometry"]).to_pandas(types_mapper=pandas.ArrowDtype)
    frame = geopandas.GeoDataFrame(texts, geometry=geometry.from_table(converted.table), crs=geometry.INSIDE)
    frame.to_parquet(file, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=False)
    return file
