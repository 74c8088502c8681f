"""Boundaries from BKG's VG250 (https://gdz.bkg.bund.de): a zip with a GeoPackage of administrative areas.

Read are the layers that end in ``_gem``, ``_krs`` and ``_lan`` (prefix and case differ from year to year), of them the
rows that ``flows.sources.vg250_units`` takes.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from flows import geometry
from flows.errors import Refused
from flows.findings import Finding
from flows.german import day as german_day
from flows.profile import Profile
from flows.sources.converted import Converted
from flows.sources.vg250_units import (
    COLUMNS,
    LAND,
    boundaries_of,
    check_shapes,
    first_january,
    moved,
    newest_day,
)
from flows.sources.zips import AGAIN, Archive, refusal

DATASET = "boundaries_current"
# Ending of a layer, level in the contract.
LAYERS = (("_gem", "gemeinde"), ("_krs", "kreis"), ("_lan", "land"))
# The GeoPackage of all of Germany has 250 MB.
MOST_BYTES = 4_000_000_000
STATUS_FILE = "aktualitaet.txt"
STATUS_DAY = re.compile(r"\b(\d{2})\.(\d{2})\.(\d{4})\b")
CHANGED = "Das Produkt hat sich geändert: bitte ansehen und flows/sources/vg250.py anpassen lassen."


def read_vg250(file: Path, label: str, options: Mapping[str, str], profile: Profile) -> Mapping[str, Converted]:
    """The areas of the profile's Länder (of all, if it names none) in EPSG:25832, with the product's territory date.

    That date is, in this order: the option ``standing``; the day in the product's ``aktualitaet.txt``; the earliest
    1 January (the product's day; 31 December if the GeoPackage's folder says ``1231``) that is not before the newest
    WSK ("effective since") of any unit in Germany. The last may name an earlier year than the product's when nothing
    changed since, and still is true: the territory is that of the day.

    Raises ``Refused`` when the product lacks a layer, a column or its CRS, has no municipality of a Land, does not
    cover it, or has a key twice for different units.
    """
    archive = Archive(file, label, MOST_BYTES)
    packages = archive.names(".gpkg")
    if len(packages) != 1:
        found = ", ".join(packages) or "keines"
        raise refusal(label, f"erwartet wird genau ein GeoPackage im Archiv; gefunden: {found}.", CHANGED)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".vg250-") as folder:
        package = Path(folder) / "vg250.gpkg"
        archive.unpack(packages[0], package)
        layers = _layers(package, label)
        tables = {level: _read_layer(package, layers[level], label) for _, level in LAYERS}
        standing = _standing(archive, packages[0], options, tables, Path(folder), label)
    table = boundaries_of(tables, profile.lands, standing, label)
    title = f"Verwaltungsgebiete 1:250 000 (VG250), Stand {german_day(standing)}"
    origin = "BKG VG250, Ebenen Gemeinde, Kreis und Land; Landflächen (GF = 4), nach AGS zusammengefasst"
    return {DATASET: Converted(table, standing, title, origin)}


def _layers(package: Path, label: str) -> dict[str, str]:
    """Layer name by level."""
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        known = [str(name) for name, _ in pyogrio.list_layers(package)]
    except DataSourceError:
        raise refusal(label, "das GeoPackage lässt sich nicht öffnen.", AGAIN) from None
    found = {level: [name for name in known if name.lower().endswith(ending)] for ending, level in LAYERS}
    if wrong := [ending for ending, level in LAYERS if len(found[level]) != 1]:
        there = ", ".join(sorted(known)) or "keine"
        words = " und ".join(f"„{ending}“" for ending in wrong)
        raise refusal(label, f"erwartet wird je eine Ebene, die auf {words} endet; vorhanden: {there}.", CHANGED)
    return {level: names[0] for level, names in found.items()}


def _read_layer(package: Path, layer: str, label: str) -> pa.Table:
    """The land rows of a layer: ``COLUMNS`` as text, and ``geometry`` (WKB, EPSG:25832)."""
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, GeometryError

    try:
        known = [str(name) for name in pyogrio.read_info(package, layer=layer)["fields"]]
        columns = {name.upper(): name for name in known}
        if missing := [name for name in COLUMNS if name not in columns]:
            raise Refused(
                [_column_finding(name, known, layer, label) for name in missing], "der vorhandene Stand bleibt"
            )
        meta, table = pyogrio.read_arrow(package, layer=layer, columns=[columns[name] for name in COLUMNS])
    except (DataLayerError, DataSourceError, FeatureError, GeometryError, pa.ArrowException):
        raise refusal(label, f"die Ebene „{layer}“ lässt sich nicht lesen.", AGAIN) from None
    texts = {name: _texts(table.column(columns[name])) for name in COLUMNS}
    wkb = table.column(meta["geometry_name"] or "wkb_geometry").to_pylist()
    land = pc.equal(texts["GF"], str(LAND))
    read = pa.table({**texts, "wkb": pa.array([bytes(item) if item else None for item in wkb], pa.binary())})
    read = read.filter(land)
    if not len(read):
        raise refusal(label, f"die Ebene „{layer}“ hat keine Landflächen (GF = {LAND}).", CHANGED)
    try:
        shapes = shapely.force_2d(shapely.from_wkb(np.array(read.column("wkb").to_pylist(), dtype=object)))
    except shapely.errors.ShapelyError:
        raise refusal(label, f"die Flächen der Ebene „{layer}“ sind beschädigt.", AGAIN) from None
    inside = moved(shapes, meta["crs"], layer, label)
    check_shapes(read, inside, layer, label)
    return geometry.with_geometry(read.drop_columns(["wkb"]), inside)


def _column_finding(column: str, known: list[str], layer: str, label: str) -> Finding:
    near = difflib.get_close_matches(column, known, n=1)
    hint = f"Heißt sie jetzt „{near[0]}“? " if near else ""
    message = f"in der Ebene „{layer}“ fehlt die Spalte; vorhanden: {', '.join(known)}."
    return Finding("produkt", label, message, hint + CHANGED, column=column)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text without surrounding blanks; whole numbers without a point, days as ISO text."""
    if pa.types.is_floating(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_temporal(column.type):
        days = [value.isoformat()[:10] if value else None for value in column.to_pylist()]
        return pa.chunked_array([pa.array(days, pa.string())])
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _standing(
    archive: Archive, package: str, options: Mapping[str, str], tables: Mapping[str, pa.Table], folder: Path, label: str
) -> date:
    """The territory date of the product; see ``read_vg250``."""
    if given := options.get("standing"):
        return date.fromisoformat(given)
    for name in archive.names(STATUS_FILE):
        text = folder / STATUS_FILE
        archive.unpack(name, text)
        if found := STATUS_DAY.search(text.read_text(encoding="utf-8", errors="replace")):
            day, month, year = (int(part) for part in found.groups())
            try:
                return date(year, month, day)
            except ValueError:
                continue
    newest = newest_day(tables)
    if newest is None:
        message = "weder „aktualitaet.txt“ noch die Spalte WSK nennt einen Gebietsstand."
        raise refusal(label, message, "Bitte den Stand im Profil unter [fetch] als „standing“ (JJJJ-MM-TT) angeben.")
    if "1231" in package:
        return date(newest.year, 12, 31)
    return first_january(newest)
