"""A dataset as a layer of the binary GIS formats: typed Arrow columns with titles, geometries of one kind.

GDAL takes an Arrow field's metadata over into what the format can hold: titles, descriptions, NOT NULL, UNIQUE.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from flows import geometry
from flows.contracts import Field
from flows.datasets import SYNTHETIC_FIELD, Dataset, Shapes
from flows.profile import SYNTHETIC_MARK


def layer_title(dataset: Dataset) -> str:
    """The contract's title, with the mark of a synthetic release."""
    title = dataset.contract.title
    return f"{title} – {SYNTHETIC_MARK}" if SYNTHETIC_FIELD in dataset.contract.fields else title


def layer_description(dataset: Dataset) -> str:
    """The contract's description, with the mark of a synthetic release."""
    description = dataset.contract.description
    return f"{SYNTHETIC_MARK}. {description}" if SYNTHETIC_FIELD in dataset.contract.fields else description


def _field_metadata(field: Field, key: bool) -> dict[str, str]:
    metadata = {"GDAL:OGR:alternative_name": field.title, "GDAL:OGR:comment": field.description}
    return metadata | {"GDAL:OGR:unique": "true"} if key else metadata


def layer_stream(dataset: Dataset, shapes: str | None, dates_as_text: bool = False) -> pa.RecordBatchReader:
    """The dataset's columns, annotated for GDAL, and its ``shapes`` (``INSIDE`` or ``OUTSIDE``; None: without) as WKB
    ``geometry``, part by part.

    A column that is the whole primary key is UNIQUE, a required one NOT NULL. ``dates_as_text`` gives dates as ISO text
    for formats without a date type.
    """
    contract = dataset.contract
    fields = []
    for column in contract.fields:
        stored = dataset.table.schema.field(column.name).type
        kind = pa.string() if dates_as_text and pa.types.is_date(stored) else stored
        metadata = _field_metadata(column, contract.primary_key == (column.name,))
        fields.append(pa.field(column.name, kind, not column.required, metadata))
    table = dataset.table.cast(pa.schema(fields))
    if shapes is None:
        return table.to_reader()
    schema = table.schema.append(geometry.wkb_field())
    return pa.RecordBatchReader.from_batches(schema, _layer_batches(shapes_of(dataset), table, shapes, schema))


def _layer_batches(shapes: Shapes, table: pa.Table, column: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for rows, part in shapes.slices(table, [column]):
        yield from pa.table([*rows.columns, part.column(column)], schema=schema).combine_chunks().to_batches()


def shapes_of(dataset: Dataset) -> Shapes:
    """The dataset's shapes; raises ``ValueError`` for one without."""
    if dataset.shapes is None:
        raise ValueError(f"{dataset.contract.name} has no geometry")
    return dataset.shapes
