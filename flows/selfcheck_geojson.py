"""Rules of RFC 7946 and our own for a published GeoJSON file, on arrays so that 100,000 features are no trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from flows.findings import Finding

CHECK = "geojson"
DECIMALS = 6
REMEDY = "Bitte den Fehler in flows/formats/geojson.py suchen; veröffentlicht wird nichts."
# So many features of one kind of fault are named; a broken writer breaks them all.
NAMED = 20

Shapes = NDArray[Any]


def _finding(file: Path, message: str, key: object = None, column: str | None = None) -> Finding:
    return Finding(CHECK, file.name, message, REMEDY, column=column, value=None if key is None else str(key))


def _at(file: Path, ids: list[Any], wrong: NDArray[np.bool_], message: str) -> Iterator[Finding]:
    """A finding for each feature marked in ``wrong``, the first ``NAMED`` of them."""
    for number in np.flatnonzero(wrong)[:NAMED]:
        yield _finding(file, message, ids[number])


def _per_feature(count: int, index: NDArray[np.intp], wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of ``count`` features own at least one wrong part; ``index`` is the owner of each part."""
    marked: NDArray[np.bool_] = np.bincount(index[wrong], minlength=count) > 0
    return marked


def _collection(file: Path, document: Mapping[str, Any], lines: int) -> Iterator[Finding]:
    """Rules for the file as a whole (RFC 7946, sections 3.3, 4 and 5)."""
    if document.get("type") != "FeatureCollection":
        yield _finding(file, "das ist keine FeatureCollection.", document.get("type"), "type")
    if "crs" in document:
        yield _finding(file, "„crs“ ist nicht erlaubt; RFC 7946 kennt nur WGS84.", column="crs")
    if lines != len(document["features"]):
        yield _finding(file, f"{len(document['features'])} Objekte stehen in {lines} Zeilen statt jedes in einer.")


def _features(file: Path, features: list[dict[str, Any]], schema: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules for ids and properties (section 3.2): the id is the key, once each, and all columns are there."""
    key = schema["primaryKey"][0]
    columns = [field["name"] for field in schema["fields"]]
    counted = Counter(feature.get("id") for feature in features)
    for identity, times in counted.items():
        if identity is None or times > 1:
            yield _finding(file, "die id fehlt oder steht mehr als einmal.", identity, "id")
    for feature in features:
        properties = feature.get("properties") or {}
        if feature.get("id") != properties.get(key):
            yield _finding(file, f"die id ist nicht der Schlüssel „{key}“.", feature.get("id"), "id")
        if list(properties) != columns:
            yield _finding(file, "die Eigenschaften sind nicht die Spalten des Datensatzes.", feature.get("id"))


def _bbox(file: Path, document: Mapping[str, Any], shapes: Shapes) -> Iterator[Finding]:
    """Section 5: the box is there and is that of the features."""
    if len(shapes) and document.get("bbox") != shapely.total_bounds(shapes).tolist():
        yield _finding(file, "„bbox“ fehlt oder umschließt nicht genau die Objekte.", document.get("bbox"), "bbox")


def _coordinates(file: Path, ids: list[Any], shapes: Shapes) -> Iterator[Finding]:
    """Section 4 and 11.2: longitude and latitude in WGS84 in this order, two numbers a position, six decimals."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    outside = (np.abs(points) > (180.0, 90.0)).any(axis=1)
    yield from _at(file, ids, _per_feature(len(ids), owner, outside), "eine Koordinate liegt außerhalb von WGS84.")
    # Numbers with six decimals are the only ones that rounding to six decimals leaves alone.
    long = (np.round(points, DECIMALS) != points).any(axis=1)
    message = f"eine Koordinate hat mehr als {DECIMALS} Nachkommastellen."
    yield from _at(file, ids, _per_feature(len(ids), owner, long), message)
    yield from _at(file, ids, shapely.has_z(shapes), "eine Koordinate hat eine Höhe.")


def _rings(file: Path, ids: list[Any], shapes: Shapes) -> Iterator[Finding]:
    """Section 3.1.6: exterior rings run counter-clockwise, holes clockwise."""
    polygons, owner = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON
    polygons, owner = polygons[areal], owner[areal]
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    exterior = np.ones(len(rings), dtype=bool)
    exterior[1:] = polygon[1:] != polygon[:-1]
    wrong = shapely.is_ccw(rings) != exterior
    message = "ein Ring läuft falsch herum (Rechte-Hand-Regel)."
    yield from _at(file, ids, _per_feature(len(ids), owner[polygon], wrong), message)


def _validity(file: Path, ids: list[Any], shapes: Shapes) -> Iterator[Finding]:
    wrong = ~shapely.is_valid(shapes) | shapely.is_empty(shapes)
    for number in np.flatnonzero(wrong)[:NAMED]:
        reason = shapely.is_valid_reason(shapes[number])
        yield _finding(file, f"die Geometrie ist leer oder ungültig ({reason}).", ids[number])


def geojson_findings(file: Path, schema: Mapping[str, Any]) -> list[Finding]:
    """Everything in a GeoJSON file that breaks a rule; ``schema`` is the Table Schema of its dataset."""
    content = file.read_bytes()
    try:
        document = orjson.loads(content)
        features = document["features"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return [_finding(file, "die Datei ist kein GeoJSON mit Objekten.")]
    # The head and the closing brackets have a line each.
    findings = [*_collection(file, document, content.count(b"\n") - 2), *_features(file, features, schema)]
    ids = [feature.get("id") for feature in features]
    shapeless = np.array([not feature.get("geometry") for feature in features], dtype=bool)
    if shapeless.any():
        return findings + list(_at(file, ids, shapeless, "die Geometrie fehlt."))
    try:
        shapes = shapely.get_parts(shapely.from_geojson(content))
    except shapely.errors.GEOSException as error:
        return [*findings, _finding(file, f"eine Geometrie ist nicht lesbar ({error}).")]
    for rule in (_coordinates, _rings, _validity):
        findings += rule(file, ids, shapes)
    return findings + list(_bbox(file, document, shapes))
