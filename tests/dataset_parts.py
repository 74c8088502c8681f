"""Shapes of datasets for the tests: read at once, or given to a dataset in place of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from flows import geometry
from flows.datasets import INSIDE, Dataset, RawPart, Shapes, make_part
from flows.formats.layers import shapes_of
from flows.partition import read_part, write_part


def shapes_in(dataset: Dataset, system: str = INSIDE) -> geometry.Geometries:
    """All shapes of a dataset, in the order of its rows; ``INSIDE`` is EPSG:25832, ``OUTSIDE`` WGS84."""
    parts = [geometry.from_wkb(read_part(part.file).column(system)) for part in shapes_of(dataset).parts]
    return np.concatenate([np.empty(0, dtype=object), *parts])


def with_shapes(dataset: Dataset, table: pa.Table, shapes: geometry.Geometries, folder: Path) -> Dataset:
    """The dataset with other rows and their shapes (EPSG:25832), of which a part is made in ``folder``."""
    if not len(shapes):
        return replace(dataset, table=table, shapes=Shapes(()))
    raw = RawPart(folder / "teil.roh", dataset.contract.raw["geometry"]["type"], folder / "teil")
    write_part(pa.table({"geometry": geometry.to_wkb(shapes)}), raw.source)
    return replace(dataset, table=table, shapes=Shapes((make_part(raw),)))
