"""Boundaries from BKG's VG250 (https://gdz.bkg.bund.de): a zip with a GeoPackage of administrative areas.

Read are the layers that end in ``_gem``, ``_krs`` and ``_lan`` (prefix and case differ from year to year), of them the
rows with GF = 4: the area that the statistics count as land. The other values are the coast's and Lake Constance's
waters. A unit may have several rows; they are dissolved by AGS.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from flows import geometry
from flows.errors import Refused
from flows.findings import Finding
from flows.german import day as german_day
from flows.german import number
from flows.load import GERMANY
from flows.profile import Profile
from flows.sources.converted import Converted
from flows.sources.zips import Archive, refusal

DATASET = "boundaries_current"
# Ending of a layer, level in the contract, digits of its key.
LAYERS = (("_gem", "gemeinde", 8), ("_krs", "kreis", 5), ("_lan", "land", 2))
COLUMNS = ("AGS", "ARS", "GEN", "BEZ", "GF", "NUTS", "WSK")
LAND = 4
# The GeoPackage of all of Germany has 250 MB.
MOST_BYTES = 4_000_000_000
# Share by which the municipalities may fall short of their Land, and parts of one unit may overlap: rounding only.
AREA_TOLERANCE = 1e-3
STATUS_FILE = "aktualitaet.txt"
STATUS_DAY = re.compile(r"\b(\d{2})\.(\d{2})\.(\d{4})\b")
CHANGED = "Das Produkt hat sich geändert: bitte ansehen und flows/sources/vg250.py anpassen lassen."
BROKEN = "Bitte die Datei im Browser laden und ansehen; ist sie wirklich so, dann dem BKG Bescheid geben."
SHOWN = 5


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
        tables = {level: _read_layer(package, layers[level], label) for _, level, _ in LAYERS}
        standing = _standing(archive, packages[0], options, tables, Path(folder), label)
    tables = {level: _of_lands(table, profile.lands) for level, table in tables.items()}
    if missing := sorted(set(profile.lands) - set(_keys(tables["gemeinde"], 2))):
        raise refusal(
            label, f"das Produkt enthält keine Gemeinde mit dem Landesschlüssel {', '.join(missing)}.", BROKEN
        )
    units = {level: _dissolved(tables[level], level, digits, label) for _, level, digits in LAYERS}
    if findings := [*_parents(units, label), *_coverage(units, label)]:
        raise Refused(findings[:SHOWN], "der vorhandene Stand bleibt")
    parts = [_rows(units[level], level, standing) for level in sorted(units)]
    table = pa.concat_tables([part.drop_columns(["geometry"]) for part in parts])
    shapes = np.concatenate([geometry.from_table(part) for part in parts])
    title = f"Verwaltungsgebiete 1:250 000 (VG250), Stand {german_day(standing)}"
    origin = "BKG VG250, Ebenen Gemeinde, Kreis und Land; Landflächen (GF = 4), nach AGS zusammengefasst"
    return {DATASET: Converted(geometry.with_geometry(table, shapes), standing, title, origin)}


def _layers(package: Path, label: str) -> dict[str, str]:
    """Layer name by level."""
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        known = [str(name) for name, _ in pyogrio.list_layers(package)]
    except DataSourceError:
        raise refusal(label, "das GeoPackage lässt sich nicht öffnen.", BROKEN) from None
    found = {level: [name for name in known if name.lower().endswith(ending)] for ending, level, _ in LAYERS}
    if wrong := [ending for ending, level, _ in LAYERS if len(found[level]) != 1]:
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
        raise refusal(label, f"die Ebene „{layer}“ lässt sich nicht lesen.", BROKEN) from None
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
        raise refusal(label, f"die Flächen der Ebene „{layer}“ sind beschädigt.", BROKEN) from None
    moved = _moved(shapes, meta["crs"], layer, label)
    _check_shapes(read, moved, layer, label)
    return geometry.with_geometry(read.drop_columns(["wkb"]), moved)


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


def _moved(shapes: geometry.Geometries, crs: str | None, layer: str, label: str) -> geometry.Geometries:
    """The shapes in EPSG:25832; refused without a CRS, and when they then do not lie in Germany."""
    import pyproj

    try:
        declared = pyproj.CRS.from_user_input(crs) if crs else None
        known = declared is not None and (declared.is_projected or declared.is_geographic)
        moved = geometry.transform(shapes, str(crs), geometry.INSIDE) if known else shapes
    except pyproj.exceptions.ProjError:
        known = False
    if not known:
        message = f"die Ebene „{layer}“ nennt kein bekanntes Bezugssystem; erwartet wird EPSG:25832."
        raise refusal(label, message, BROKEN)
    west, south, east, north = GERMANY
    left, bottom, right, top = shapely.total_bounds(moved)
    # Written so that a coordinate that is not a number counts as outside.
    if not (left > west and bottom > south and right < east and top < north):
        message = f"die Flächen der Ebene „{layer}“ liegen nicht in Deutschland; das Bezugssystem stimmt nicht."
        raise refusal(label, message, BROKEN)
    return moved


def _check_shapes(table: pa.Table, shapes: geometry.Geometries, layer: str, label: str) -> None:
    areas = np.isin(shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    wrong = np.flatnonzero(~areas | shapely.is_empty(shapes) | ~shapely.is_valid(shapes)).tolist()
    if wrong:
        first = table.slice(wrong[0], 1).to_pylist()[0]
        message = f"in der Ebene „{layer}“ sind {number(len(wrong))} Flächen leer oder schneiden sich selbst, "
        raise refusal(label, f"{message}zuerst {first['GEN']} ({first['AGS']}).", BROKEN)


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
    newest = max((day for table in tables.values() for day in _days(table)), default=None)
    if newest is None:
        message = "weder „aktualitaet.txt“ noch die Spalte WSK nennt einen Gebietsstand."
        raise refusal(label, message, "Bitte den Stand im Profil unter [fetch] als „standing“ (JJJJ-MM-TT) angeben.")
    if "1231" in package:
        return date(newest.year, 12, 31)
    return newest if (newest.month, newest.day) == (1, 1) else date(newest.year + 1, 1, 1)


def _days(table: pa.Table) -> Iterator[date]:
    for text in set(table.column("WSK").to_pylist()):
        if day := _iso_day(text):
            yield date.fromisoformat(day)


def _iso_day(text: str | None) -> str | None:
    """A day as ISO text, from the forms of the product's years: 2020-01-01, 2020/01/01, with a time behind it."""
    if text is None:
        return None
    try:
        return datetime.strptime(text[:10].replace("/", "-"), "%Y-%m-%d").date().isoformat()
    except ValueError:
        return None


def _keys(table: pa.Table, digits: int) -> list[str]:
    return [(key or "")[:digits] for key in table.column("AGS").to_pylist()]


def _of_lands(table: pa.Table, lands: tuple[str, ...]) -> pa.Table:
    if not lands:
        return table
    return table.filter(pa.array([land in lands for land in _keys(table, 2)], pa.bool_()))


def _dissolved(table: pa.Table, level: str, digits: int, label: str) -> dict[str, dict[str, Any]]:
    """One record per key with its ``geometry``.

    Raises ``Refused`` when a key is none, names two units, or its parts cover each other (a row that stands twice).
    """
    shapes = geometry.from_table(table)
    groups: dict[str, list[int]] = {}
    records = table.drop_columns(["geometry"]).to_pylist()
    for row, record in enumerate(records):
        groups.setdefault(record["AGS"] or "", []).append(row)
    findings: list[Finding] = []
    units: dict[str, dict[str, Any]] = {}
    for key, rows in groups.items():
        if not re.fullmatch(rf"[0-9]{{{digits}}}", key):
            message = f"der Schlüssel dieser Einheit ({level}) hat nicht {digits} Ziffern: {records[rows[0]]['GEN']}."
            findings.append(Finding("produkt", label, message, BROKEN, column="AGS", value=key))
            continue
        names = sorted({f"{records[row]['GEN']} ({records[row]['ARS']})" for row in rows})
        whole = shapes[rows[0]] if len(rows) == 1 else shapely.union_all(shapes[rows])
        if len(names) > 1:
            message = f"der Schlüssel steht für verschiedene Einheiten ({level}): {', '.join(names)}."
            findings.append(Finding("produkt", label, message, BROKEN, column="AGS", value=key))
        elif len(rows) > 1 and shapely.area(whole) < shapely.area(shapes[rows]).sum() * (1 - AREA_TOLERANCE):
            message = f"die Einheit ({level}) steht doppelt: {names[0]}."
            findings.append(Finding("produkt", label, message, BROKEN, column="AGS", value=key))
        units[key] = records[rows[0]] | {"geometry": whole}
    if findings:
        raise Refused(findings, "der vorhandene Stand bleibt")
    return units


def _parents(units: Mapping[str, Mapping[str, Any]], label: str) -> Iterator[Finding]:
    """Units whose district or Land the product does not have."""
    for level, above, digits in (("gemeinde", "kreis", 5), ("kreis", "land", 2)):
        for key in sorted(units[level]):
            if key[:digits] not in units[above]:
                message = f"zu {units[level][key]['GEN']} ({key}) fehlt die Ebene darüber ({above} {key[:digits]})."
                yield Finding("produkt", label, message, BROKEN, column="AGS", value=key)


def _coverage(units: Mapping[str, Mapping[str, Any]], label: str) -> Iterator[Finding]:
    """Länder that the municipalities or districts do not fill: rows are missing, or stand for too much."""
    for land, record in sorted(units["land"].items()):
        whole = shapely.area(record["geometry"])
        for level, word in (("gemeinde", "Gemeinden"), ("kreis", "Kreise")):
            below = [unit["geometry"] for key, unit in units[level].items() if key.startswith(land)]
            share = float(np.sum(shapely.area(below))) / whole
            if abs(1 - share) > AREA_TOLERANCE:
                covered = f"{number(round(share * 100, 2))} %"
                message = f"die {len(below)} {word} von {record['GEN']} bedecken {covered} der Landesfläche."
                yield Finding("produkt", label, message, f"Vermutlich ist die Datei unvollständig. {BROKEN}")


def _rows(units: Mapping[str, Mapping[str, Any]], level: str, standing: date) -> pa.Table:
    """The units of a level in the columns of the contract, by key."""
    ordered = [{**units[key], "AGS": key} for key in sorted(units)]
    columns = {
        "ebene": [level] * len(ordered),
        "schluessel": [unit["AGS"] for unit in ordered],
        "ars": [unit["ARS"] for unit in ordered],
        "name": [unit["GEN"] for unit in ordered],
        "bezeichnung": [unit["BEZ"] for unit in ordered],
        "nuts": [unit["NUTS"] for unit in ordered],
        "wirksam_seit": [_iso_day(unit["WSK"]) for unit in ordered],
        "gebietsstand": [standing.isoformat()] * len(ordered),
    }
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return geometry.with_geometry(table, np.array([unit["geometry"] for unit in ordered], dtype=object))
