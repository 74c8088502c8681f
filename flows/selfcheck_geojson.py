"""Rules of RFC 7946 and our own for a published GeoJSON file.

Read line by line and judged on arrays of some thousand features, so that 100,000 of them take neither long nor room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from flows.findings import Finding
from flows.geojson_lines import NotByLine, batches, features_by_line, head_of

CHECK = "geojson"
DECIMALS = 6
REMEDY = "Bitte den Fehler in flows/formats/geojson.py suchen; veröffentlicht wird nichts."
# So many features of one kind of fault are named; a broken writer breaks them all.
NAMED = 20

# So many features are judged at a time.
BATCH = 2_000

Shapes = NDArray[Any]
Faults = Iterator[tuple[str, object]]
"""What a rule finds: a message, and the id of the feature that breaks it."""


@dataclass(slots=True)
class _Seen:
    """What is gathered while a file is read: ids with their number, the shapes' box, whether all shapes were read, and
    how many features were named for each message.
    """

    ids: Counter[Any] = field(default_factory=Counter)
    box: NDArray[np.float64] = field(default_factory=lambda: np.full(4, np.nan))
    readable: bool = True
    named: Counter[str] = field(default_factory=Counter)

    def add_box(self, shapes: Shapes) -> None:
        box = shapely.total_bounds(shapes)
        self.box = np.concatenate([np.fmin(self.box[:2], box[:2]), np.fmax(self.box[2:], box[2:])])


def _finding(file: Path, message: str, key: object = None, column: str | None = None) -> Finding:
    return Finding(CHECK, file.name, message, REMEDY, column=column, value=None if key is None else str(key))


def _at(ids: list[Any], wrong: NDArray[np.bool_], message: str) -> Faults:
    """The message for each feature marked in ``wrong``, the first ``NAMED`` of them."""
    yield from ((message, ids[number]) for number in np.flatnonzero(wrong)[:NAMED])


def _per_feature(count: int, index: NDArray[np.intp], wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of ``count`` features own at least one wrong part; ``index`` is the owner of each part."""
    marked: NDArray[np.bool_] = np.bincount(index[wrong], minlength=count) > 0
    return marked


def _head(file: Path, head: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules for the file as a whole (RFC 7946, sections 3.3 and 4)."""
    if head.get("type") != "FeatureCollection":
        yield _finding(file, "das ist keine FeatureCollection.", head.get("type"), "type")
    if "crs" in head:
        yield _finding(file, "„crs“ ist nicht erlaubt; RFC 7946 kennt nur WGS84.", column="crs")


def _ids(file: Path, counted: Counter[Any]) -> Iterator[Finding]:
    """Section 3.2: every feature has an id, and no two the same."""
    for identity, times in counted.items():
        if identity is None or times > 1:
            yield _finding(file, "die id fehlt oder steht mehr als einmal.", identity, "id")


def _properties(features: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> Faults:
    """Section 3.2 and our own: the id is the key, and all columns are there."""
    key = schema["primaryKey"][0]
    columns = [column["name"] for column in schema["fields"]]
    for feature in features:
        properties = feature.get("properties") or {}
        if feature.get("id") != properties.get(key):
            yield f"die id ist nicht der Schlüssel „{key}“.", feature.get("id")
        if list(properties) != columns:
            yield "die Eigenschaften sind nicht die Spalten des Datensatzes.", feature.get("id")


def _bbox(file: Path, head: Mapping[str, Any], box: NDArray[np.float64]) -> Iterator[Finding]:
    """Section 5: the box is there and is that of the features."""
    if not np.isnan(box).any() and head.get("bbox") != box.tolist():
        yield _finding(file, "„bbox“ fehlt oder umschließt nicht genau die Objekte.", head.get("bbox"), "bbox")


def _coordinates(ids: list[Any], shapes: Shapes) -> Faults:
    """Section 4 and 11.2: longitude and latitude in WGS84 in this order, two numbers a position, six decimals."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    outside = (np.abs(points) > (180.0, 90.0)).any(axis=1)
    yield from _at(ids, _per_feature(len(ids), owner, outside), "eine Koordinate liegt außerhalb von WGS84.")
    # Numbers with six decimals are the only ones that rounding to six decimals leaves alone.
    long = (np.round(points, DECIMALS) != points).any(axis=1)
    message = f"eine Koordinate hat mehr als {DECIMALS} Nachkommastellen."
    yield from _at(ids, _per_feature(len(ids), owner, long), message)
    yield from _at(ids, shapely.has_z(shapes), "eine Koordinate hat eine Höhe.")


def _rings(ids: list[Any], shapes: Shapes) -> Faults:
    """Section 3.1.6: exterior rings run counter-clockwise, holes clockwise."""
    polygons, owner = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON
    polygons, owner = polygons[areal], owner[areal]
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    exterior = np.ones(len(rings), dtype=bool)
    exterior[1:] = polygon[1:] != polygon[:-1]
    wrong = shapely.is_ccw(rings) != exterior
    message = "ein Ring läuft falsch herum (Rechte-Hand-Regel)."
    yield from _at(ids, _per_feature(len(ids), owner[polygon], wrong), message)


def _validity(ids: list[Any], shapes: Shapes) -> Faults:
    wrong = ~shapely.is_valid(shapes) | shapely.is_empty(shapes)
    for number in np.flatnonzero(wrong)[:NAMED]:
        yield f"die Geometrie ist leer oder ungültig ({shapely.is_valid_reason(shapes[number])}).", ids[number]


def _without_coordinates(feature: dict[str, Any]) -> dict[str, Any]:
    """The feature, of its shape only whether it has one: millions of numbers held as Python objects cost seconds."""
    return feature | {"geometry": bool(feature.get("geometry"))}


def _batch(texts: Sequence[bytes], schema: Mapping[str, Any], seen: _Seen) -> Faults:
    """The rules for single features, for some of them at a time; ``texts`` hold one each."""
    features = [_without_coordinates(orjson.loads(text)) for text in texts]
    seen.ids.update(feature.get("id") for feature in features)
    yield from _properties(features, schema)
    with_shape = [number for number, feature in enumerate(features) if feature.get("geometry")]
    ids = [features[number].get("id") for number in with_shape]
    shapeless = np.ones(len(features), dtype=bool)
    shapeless[with_shape] = False
    yield from _at([feature.get("id") for feature in features], shapeless, "die Geometrie fehlt.")
    try:
        shapes = shapely.from_geojson(np.array([texts[number] for number in with_shape], dtype=object))
    except shapely.errors.GEOSException as error:
        seen.readable = False
        yield f"eine Geometrie ist nicht lesbar ({error}).", None
        return
    for rule in (_coordinates, _rings, _validity):
        yield from rule(ids, shapes)
    seen.add_box(shapes)


def _judged(
    file: Path, head: Mapping[str, Any], lines: Iterable[bytes], schema: Mapping[str, Any]
) -> Iterator[Finding]:
    """Everything in a file of this head and these features that breaks a rule."""
    yield from _head(file, head)
    seen = _Seen()
    for batch in batches(lines, BATCH):
        for message, key in _batch(batch, schema, seen):
            seen.named[message] += 1
            if seen.named[message] <= NAMED:
                yield _finding(file, message, key)
    yield from _ids(file, seen.ids)
    if seen.readable:
        yield from _bbox(file, head, seen.box)


def geojson_findings(file: Path, schema: Mapping[str, Any]) -> list[Finding]:
    """Everything in a GeoJSON file that breaks a rule; ``schema`` is the Table Schema of its dataset."""
    try:
        return list(_judged(file, head_of(file), features_by_line(file), schema))
    except (NotByLine, orjson.JSONDecodeError):
        pass
    content = file.read_bytes()
    try:
        document = orjson.loads(content)
        features = document["features"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return [_finding(file, "die Datei ist kein GeoJSON mit Objekten.")]
    # The head and the closing brackets have a line each.
    lines = content.count(b"\n") - 2
    message = f"{len(features)} Objekte stehen in {lines} Zeilen statt jedes in einer."
    return [_finding(file, message), *_judged(file, document, map(orjson.dumps, features), schema)]
