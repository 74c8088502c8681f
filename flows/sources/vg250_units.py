"""What every edition of BKG's VG250 needs, whatever file it comes in: units dissolved by key, checked, as boundaries.

A layer is a table of texts with ``COLUMNS`` and ``geometry`` (EPSG:25832). Only rows with GF = 4 are taken: the area
that the statistics count as land. The other values are the coast's and Lake Constance's waters. A unit may have several
rows; they are dissolved by AGS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from flows import geometry
from flows.boundary_load import GERMANY
from flows.errors import Refused
from flows.findings import Finding
from flows.german import number
from flows.sources.zips import AGAIN, refusal

# Level in the contract, digits of its key.
LEVELS = (("gemeinde", 8), ("kreis", 5), ("land", 2))
COLUMNS = ("AGS", "ARS", "GEN", "BEZ", "GF", "NUTS", "WSK")
LAND = 4
# Share by which the municipalities may fall short of their Land, and parts of one unit may overlap: rounding only.
AREA_TOLERANCE = 1e-3
SHOWN = 5
# Share of an area by which mending may change it: rounding only.
MENDED = 1e-9


def cleaned(shapes: geometry.Geometries) -> geometry.Geometries:
    """Shapes in WGS84 with the decimals of every export; rings that touch themselves in a point become an outline with
    holes (no corner moves).

    Further digits are noise and differ between neighbours: 86 of Germany's municipalities of 2016 would overlap.

    A shape whose land would change by mending crosses itself and stays as it is, for ``check_shapes`` to refuse.
    """
    clean: geometry.Geometries = shapely.transform(shapes, lambda points: np.round(points, geometry.DECIMALS))
    wrong = np.flatnonzero(~shapely.is_valid(clean))
    valid = shapely.make_valid(clean[wrong], method="structure", keep_collapsed=False)
    areas = shapely.area(clean[wrong])
    same = np.abs(shapely.area(valid) - areas) <= MENDED * areas
    clean[wrong[same]] = valid[same]
    return clean


def moved(shapes: geometry.Geometries, crs: str | None, layer: str, label: str) -> geometry.Geometries:
    """The shapes in EPSG:25832; refused without a CRS, and when they then do not lie in Germany."""
    import pyproj

    try:
        declared = pyproj.CRS.from_user_input(crs) if crs else None
        known = declared is not None and (declared.is_projected or declared.is_geographic)
        inside = geometry.transform(shapes, str(crs), geometry.INSIDE) if known else shapes
    except pyproj.exceptions.ProjError:
        known = False
    if not known:
        message = f"die Ebene „{layer}“ nennt kein bekanntes Bezugssystem; erwartet wird EPSG:25832."
        raise refusal(label, message, AGAIN)
    west, south, east, north = GERMANY
    left, bottom, right, top = shapely.total_bounds(inside)
    # Written so that a coordinate that is not a number counts as outside.
    if not (left > west and bottom > south and right < east and top < north):
        message = f"die Flächen der Ebene „{layer}“ liegen nicht in Deutschland; das Bezugssystem stimmt nicht."
        raise refusal(label, message, AGAIN)
    return inside


def check_shapes(table: pa.Table, shapes: geometry.Geometries, layer: str, label: str) -> None:
    """Raise ``Refused`` for shapes of a layer that are no areas, empty or invalid."""
    areas = np.isin(shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    wrong = np.flatnonzero(~areas | shapely.is_empty(shapes) | ~shapely.is_valid(shapes)).tolist()
    if wrong:
        first = table.slice(wrong[0], 1).to_pylist()[0]
        message = f"in der Ebene „{layer}“ sind {number(len(wrong))} Flächen leer oder schneiden sich selbst, "
        raise refusal(label, f"{message}zuerst {first['GEN']} ({first['AGS']}).", AGAIN)


def newest_day(tables: Mapping[str, pa.Table]) -> date | None:
    """The newest WSK ("effective since") of any unit; None where none says."""
    texts = {text for table in tables.values() for text in table.column("WSK").to_pylist()}
    return max((date.fromisoformat(day) for text in texts if (day := _iso_day(text))), default=None)


def first_january(newest: date) -> date:
    """The earliest 1 January that is not before the newest WSK of all Germany: that day's territory is the layers'."""
    return newest if (newest.month, newest.day) == (1, 1) else date(newest.year + 1, 1, 1)


def boundaries_of(tables: Mapping[str, pa.Table], lands: tuple[str, ...], standing: date, label: str) -> pa.Table:
    """The units of the Länder (of all, if none is named) with the columns of the contract ``boundaries_current``.

    Raises ``Refused`` when there is no municipality of a Land, the municipalities or districts do not cover it, a unit
    has no district or Land, or a key stands twice for different units.
    """
    tables = {level: _of_lands(table, lands) for level, table in tables.items()}
    if missing := sorted(set(lands) - set(_keys(tables["gemeinde"], 2))):
        raise refusal(label, f"das Produkt enthält keine Gemeinde mit dem Landesschlüssel {', '.join(missing)}.", AGAIN)
    units = {level: _dissolved(tables[level], level, digits, label) for level, digits in LEVELS}
    if findings := [*_parents(units, label), *_coverage(units, label)]:
        raise Refused(findings[:SHOWN], "der vorhandene Stand bleibt")
    parts = [_rows(units[level], level, standing) for level in sorted(units)]
    table = pa.concat_tables([part.drop_columns(["geometry"]) for part in parts])
    shapes = np.concatenate([geometry.from_table(part) for part in parts])
    return geometry.with_geometry(table, shapes)


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
            findings.append(Finding("produkt", label, message, AGAIN, column="AGS", value=key))
            continue
        names = sorted({f"{records[row]['GEN']} ({records[row]['ARS']})" for row in rows})
        whole = shapes[rows[0]] if len(rows) == 1 else shapely.union_all(shapes[rows])
        if len(names) > 1:
            message = f"der Schlüssel steht für verschiedene Einheiten ({level}): {', '.join(names)}."
            findings.append(Finding("produkt", label, message, AGAIN, column="AGS", value=key))
        elif len(rows) > 1 and shapely.area(whole) < shapely.area(shapes[rows]).sum() * (1 - AREA_TOLERANCE):
            message = f"die Einheit ({level}) steht doppelt: {names[0]}."
            findings.append(Finding("produkt", label, message, AGAIN, column="AGS", value=key))
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
                yield Finding("produkt", label, message, AGAIN, column="AGS", value=key)


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
                yield Finding("produkt", label, message, f"Vermutlich ist die Datei unvollständig. {AGAIN}")


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
