"""A dataset as a layer of the binary GIS formats: typed Arrow columns with titles, geometries of one kind.

GDAL takes an Arrow field's metadata over into what the format can hold: titles, descriptions, NOT NULL, UNIQUE.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from flows import geometry
from flows.contracts import Field
from flows.datasets import SYNTHETIC_FIELD, Dataset
from flows.profile import SYNTHETIC_MARK


def layer_title(dataset: Dataset) -> str:
    """The contract's title, with the mark of a synthetic release."""
    title = dataset.contract.title
    return f"{title} – {SYNTHETIC_MARK}" if SYNTHETIC_FIELD in dataset.contract.fields else title


def layer_description(dataset: Dataset) -> str:
    """The contract's description, with the mark of a synthetic release."""
    description = dataset.contract.description
    return f"{SYNTHETIC_MARK}. {description}" if SYNTHETIC_FIELD in dataset.contract.fields else description


def layer_shapes(dataset: Dataset) -> geometry.Geometries:
    """The dataset's shapes (EPSG:25832), all of the kind its contract names: a lone polygon is a multipolygon of one.

    Raises ``ValueError`` for a dataset without shapes.
    """
    if dataset.shapes is None:
        raise ValueError(f"{dataset.contract.name} has no geometry")
    if dataset.contract.raw["geometry"]["type"] == "Point":
        return dataset.shapes
    parts, owners = shapely.get_parts(dataset.shapes, return_index=True)
    whole = np.empty(len(dataset.shapes), dtype=object)
    shapely.multipolygons(parts, indices=owners, out=whole)
    return whole


def _field_metadata(field: Field, key: bool) -> dict[str, str]:
    metadata = {"GDAL:OGR:alternative_name": field.title, "GDAL:OGR:comment": field.description}
    return metadata | {"GDAL:OGR:unique": "true"} if key else metadata


def layer_table(dataset: Dataset, shapes: geometry.Geometries | None, dates_as_text: bool = False) -> pa.Table:
    """The dataset's columns, annotated for GDAL, and ``shapes`` (row by row, in whatever CRS) as WKB ``geometry``.

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
    return table if shapes is None else geometry.with_geometry(table, shapes)
