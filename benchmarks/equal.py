"""Whether a contestant's files say the same as the reference: features, values, outlines, a valid coverage.

The reference are the layers of the geopandas script, so that nobody, the pipeline included, is measured against itself
alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from race import KEYS, MADE

from flows import geometry
from flows.contracts import Contract, load_contract
from flows.formats.xlsx import sheet_name

# Coordinates have six decimals (11 cm): outlines may differ by about as much along all of their length.
SHIFT_M = 0.25
# Areas have two decimals, and rounding a half is done this way or that.
NUMBER = 0.0101
GEOGRAPHIC = "OGC:CRS84"
SPATIAL = {"geojson": ".geojson", "flatgeobuf": ".fgb", "geoparquet": ".parquet"}
BOOK, PACKAGE, SIMPLIFIED = "tables.xlsx", "layers.gpkg", "simplified/gemeinden.geojson"
YES_NO = {"ja": "true", "nein": "false"}


def _contract(layer: str) -> Contract:
    return load_contract("release", layer)


def _plain(values: pandas.Series, kind: str) -> pandas.Series:
    """Values of a column as every format can say them: text, or a number for a number."""
    if kind in ("integer", "number"):
        return pandas.to_numeric(values, errors="coerce").astype("float64")
    texts = values.astype("object").where(values.notna(), "").astype(str)
    if kind == "boolean":
        return texts.str.lower().replace(YES_NO)
    # A date may come as a moment, or with slashes.
    return texts.str.slice(0, 10).str.replace("/", "-") if kind == "date" else texts


def _normal(frame: pandas.DataFrame, layer: str) -> pandas.DataFrame:
    """Rows by key with plain values; a column that the contract names and the file lacks is missing here, too."""
    kinds = {field.name: field.type for field in _contract(layer).fields}
    columns = {name: _plain(frame[name], kind) for name, kind in kinds.items() if name in frame}
    return pandas.DataFrame(columns).sort_values(KEYS[layer], ignore_index=True)


def different_values(frame: pandas.DataFrame, reference: pandas.DataFrame, layer: str) -> str:
    """What differs in rows and values, or nothing."""
    found, wanted = _normal(frame, layer), _normal(reference, layer)
    if found[KEYS[layer]].tolist() != wanted[KEYS[layer]].tolist():
        return f"{layer}: {len(found)} features instead of {len(wanted)}, or other ones"
    if missing := [name for name in MADE[layer] if name not in found]:
        return f"{layer}: no column {', '.join(missing)}"
    for name in wanted.columns:
        if name not in found:
            return f"{layer}: no column {name}"
        if wanted[name].dtype == np.float64:
            same = np.isclose(found[name], wanted[name], rtol=0, atol=NUMBER, equal_nan=True)
        else:
            same = (found[name] == wanted[name]).to_numpy()
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            return (
                f"{layer}.{name}: {int((~same).sum())} values differ, the first is {found[name][row]!r} instead of "
                f"{wanted[name][row]!r} ({wanted[KEYS[layer]][row]})"
            )
    return ""


def different_outlines(shapes: geometry.Geometries, reference: geometry.Geometries) -> int:
    """How many shapes (EPSG:25832, row by row) differ from the reference by more than rounding."""
    ours, wanted = shapely.normalize(shapes), shapely.normalize(reference)
    suspects = np.flatnonzero(~shapely.equals_exact(ours, wanted, tolerance=SHIFT_M))
    if not len(suspects):
        return 0
    between = shapely.area(shapely.symmetric_difference(ours[suspects], wanted[suspects]))
    return int((between > SHIFT_M * shapely.length(wanted[suspects])).sum())


def _inside(shapes: geometry.Geometries, geographic: bool) -> geometry.Geometries:
    return geometry.transform(shapes, GEOGRAPHIC, geometry.INSIDE) if geographic else shapes


def _by_key(frame: geopandas.GeoDataFrame, layer: str) -> geometry.Geometries:
    shapes: geometry.Geometries = frame.sort_values(KEYS[layer]).geometry.to_numpy()
    return shapes


def uncovered(shapes: geometry.Geometries) -> int:
    """How many municipalities overlap a neighbour or do not share its line."""
    edges = shapely.coverage_invalid_edges(shapes)
    return int((~shapely.is_empty(edges)).sum())


def different_layer(
    frame: geopandas.GeoDataFrame, reference: geopandas.GeoDataFrame, layer: str, geographic: bool
) -> str:
    """What differs between a layer and the reference, in rows, values, outlines and coverage, or nothing."""
    if text := different_values(frame, reference, layer):
        return text
    shapes = _by_key(frame, layer)
    if wrong := different_outlines(_inside(shapes, geographic), _by_key(reference, layer)):
        return f"{layer}: {wrong} outlines differ"
    if layer == "gemeinden" and (wrong := uncovered(shapes)):
        return f"{layer}: {wrong} of {len(shapes)} overlap a neighbour or do not share its line"
    return ""


def _book(file: Path, layer: str) -> pandas.DataFrame:
    """A layer's sheet; the pipeline's has titles for readers."""
    contract = _contract(layer)
    with pandas.ExcelFile(file) as book:
        named = layer in book.sheet_names
        frame = pandas.read_excel(book, layer if named else sheet_name(contract), dtype=object)
    return frame if named else frame.rename(columns={field.title: field.name for field in contract.fields})


def _spatial(target: Path, ending: str, references: dict[str, geopandas.GeoDataFrame]) -> str:
    for layer, reference in references.items():
        file = target / f"{layer}{ending}"
        frame = geopandas.read_parquet(file) if ending == ".parquet" else geopandas.read_file(file)
        if text := different_layer(frame, reference, layer, geographic=True):
            return text
    return ""


def _package(target: Path, references: dict[str, geopandas.GeoDataFrame]) -> str:
    for layer, reference in references.items():
        frame = geopandas.read_file(target / PACKAGE, layer=layer)
        if text := different_layer(frame, reference, layer, geographic=False):
            return text
    return ""


def _tables(read: Callable[[str], pandas.DataFrame], references: dict[str, geopandas.GeoDataFrame]) -> str:
    found = (different_values(read(layer), reference, layer) for layer, reference in references.items())
    return next((text for text in found if text), "")


def holes(shapes: geometry.Geometries) -> int:
    """Holes in the union of a valid coverage: gaps, and lakes or other countries that lie within."""
    parts = shapely.get_parts(shapely.coverage_union_all(shapes))
    return int(shapely.get_num_interior_rings(parts).sum())


def simplified(target: Path, reference: geopandas.GeoDataFrame) -> tuple[str, dict[str, Any]]:
    """What is wrong with the simplified municipalities, or nothing; and how many vertices they keep."""
    frame = geopandas.read_file(target / SIMPLIFIED).sort_values("ags", ignore_index=True)
    keys = sorted(reference["ags"])
    there = ~(frame.geometry.isna() | frame.geometry.is_empty)
    shapes = frame.geometry.to_numpy()
    kept = {"vertices": int(shapely.get_num_coordinates(shapes[there.to_numpy()]).sum())}
    if frame.loc[there, "ags"].tolist() != keys:
        return f"{int(there.sum())} of {len(keys)} municipalities are left", kept
    if wrong := int((~shapely.is_valid(shapes)).sum()):
        return f"{wrong} of {len(shapes)} shapes cross themselves", kept
    if wrong := uncovered(shapes):
        return f"{wrong} of {len(shapes)} overlap a neighbour or do not share its line", kept
    before, after = holes(_by_key(reference, "gemeinden")), holes(shapes)
    return (f"new gaps between the municipalities: {after - before}" if after > before else ""), kept


def references_of(folder: Path) -> dict[str, geopandas.GeoDataFrame]:
    """The layers that every contestant has to have, from the GeoPackage of the geopandas script."""
    return {layer: geopandas.read_file(folder / PACKAGE, layer=layer) for layer in KEYS}


def verdicts(
    target: Path, steps: tuple[str, ...], references: dict[str, geopandas.GeoDataFrame]
) -> tuple[dict[str, str], dict[str, Any]]:
    """By step what is wrong with a contestant's files (nothing: an empty text), and facts worth telling."""
    looks: dict[str, Callable[[], str]] = {
        **{step: partial(_spatial, target, ending, references) for step, ending in SPATIAL.items()},
        "geopackage": lambda: _package(target, references),
        "csv": lambda: _tables(lambda layer: pandas.read_csv(target / f"{layer}.csv", dtype=str), references),
        "xlsx": lambda: _tables(lambda layer: _book(target / BOOK, layer), references),
    }
    found = {step: looks[step]() for step in steps if step in looks}
    facts: dict[str, Any] = {}
    if "simplify" in steps:
        found["simplify"], facts = simplified(target, references["gemeinden"])
    return found, facts
